//! The README tells the truth about the keys.

use std::fmt::Write;

use segtui::action::Group;
use segtui::keymap::Keymap;

const README: &str = include_str!("../README.md");

#[test]
fn the_table_of_keys_is_the_table_of_actions() {
    let mut table = String::from("| Keys | What they do |\n| --- | --- |\n");
    let lines = Keymap::standard().unwrap().help();
    for group in Group::ALL {
        writeln!(table, "| **{}** | |", group.title()).unwrap();
        for (_, keys, help) in lines.iter().filter(|(other, ..)| *other == group) {
            let keys: Vec<_> = keys.split("  ").map(|keys| format!("`{keys}`")).collect();
            writeln!(table, "| {} | {help} |", keys.join(" ")).unwrap();
        }
    }
    assert!(README.contains(&table), "the README should hold this table:\n\n{table}");
}
