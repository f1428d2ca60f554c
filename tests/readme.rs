//! The README tells the truth about the keys, the rules of the check and the styles.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use segtui::action::{Group, TABLE};
use segtui::check::Rule;
use segtui::keymap::Keymap;
use segtui::theme::{Name, STYLES};

const README: &str = include_str!("../README.md");

/// The README has a table as it should be. With `SEGTUI_ACCEPT=1`, it is put there in the place of the one with the same head.
fn has_table(table: &str) {
    if std::env::var_os("SEGTUI_ACCEPT").is_some() {
        let _one_at_a_time = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = fs::read_to_string(&file).unwrap();
        let head = table.lines().next().unwrap();
        let begin = readme.find(head).expect("the README has a table with that head");
        let end = readme[begin..].find("\n\n").map_or(readme.len(), |length| begin + length + 1);
        fs::write(&file, format!("{}{table}{}", &readme[..begin], &readme[end..])).unwrap();
        return;
    }
    assert!(README.contains(table), "the README should hold this table; SEGTUI_ACCEPT=1 puts it there:\n\n{table}");
}

static WRITING: Mutex<()> = Mutex::new(());

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
    has_table(&table);
}

#[test]
fn every_action_can_be_given_keys_by_the_name_that_is_told() {
    let mut table = String::from("| Group | Names |\n| --- | --- |\n");
    for group in Group::ALL {
        let names = TABLE.iter().filter(|entry| entry.group == group).map(|entry| format!("`{}`", entry.name));
        writeln!(table, "| {} | {} |", group.title(), names.collect::<Vec<_>>().join(" ")).unwrap();
    }
    has_table(&table);
}

#[test]
fn the_table_of_styles_is_the_table_of_the_theme() {
    let mut table = String::from("| Style | What it is for |\n| --- | --- |\n");
    for (name, meaning) in STYLES {
        writeln!(table, "| `{name}` | {meaning} |").unwrap();
    }
    has_table(&table);
}

#[test]
fn the_table_of_rules_is_the_table_of_the_check() {
    let mut table = String::from("| Rule | Finds | Default |\n| --- | --- | --- |\n");
    for rule in Rule::ALL {
        writeln!(table, "| `{rule}` | {} | {} |", rule.help(), rule.usual_level()).unwrap();
    }
    has_table(&table);
}

#[test]
fn every_theme_is_told_of() {
    for name in Name::ALL {
        assert!(README.contains(&format!("`{}`", name.text())), "{} is missing", name.text());
    }
}
