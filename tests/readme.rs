//! The README tells the truth about the keys and the styles.

use std::fmt::Write;

use segtui::action::{Group, TABLE};
use segtui::keymap::Keymap;
use segtui::theme::{Name, STYLES};

const README: &str = include_str!("../README.md");

#[test]
fn the_table_of_keys_is_the_table_of_actions() {
    let mut table = String::from("| Keys | What they do |\n| --- | --- |\n");
    let keymap = Keymap::standard().unwrap();
    let lines = keymap.help();
    for group in Group::ALL {
        writeln!(table, "| **{}** | |", group.title()).unwrap();
        for (_, keys, help) in lines.iter().filter(|(other, ..)| *other == group) {
            let keys: Vec<_> = keys.split("  ").map(|keys| format!("`{keys}`")).collect();
            writeln!(table, "| {} | {help} |", keys.join(" ")).unwrap();
        }
    }
    assert!(README.contains(&table), "the README should hold this table:\n\n{table}");
}

#[test]
fn every_action_can_be_given_keys_by_the_name_that_is_told() {
    let mut table = String::from("| Group | Names |\n| --- | --- |\n");
    for group in Group::ALL {
        let names = TABLE.iter().filter(|entry| entry.group == group).map(|entry| format!("`{}`", entry.name));
        writeln!(table, "| {} | {} |", group.title(), names.collect::<Vec<_>>().join(" ")).unwrap();
    }
    assert!(README.contains(&table), "the README should hold this table:\n\n{table}");
}

#[test]
fn the_table_of_styles_is_the_table_of_the_theme() {
    let mut table = String::from("| Style | What it is for |\n| --- | --- |\n");
    for (name, meaning) in STYLES {
        writeln!(table, "| `{name}` | {meaning} |").unwrap();
    }
    assert!(README.contains(&table), "the README should hold this table:\n\n{table}");
}

#[test]
fn every_theme_is_told_of() {
    for name in Name::ALL {
        assert!(README.contains(&format!("`{}`", name.text())), "{} is missing", name.text());
    }
}
