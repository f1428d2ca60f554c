//! The README and the pages under docs/ are accurate: their tables match the code, and their links resolve.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use segtui::action::{Group, TABLE};
use segtui::check::Rule;
use segtui::forest::{Query, QueryFault, StateFilter};
use segtui::keymap::Keymap;
use segtui::theme::{Name, STYLES};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Asserts that a page has a table. With `SEGTUI_ACCEPT=1`, replaces the page's table with the same header by it.
fn has_table(name: &str, table: &str) {
    let _one_at_a_time = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(page(name)).unwrap();
    if std::env::var_os("SEGTUI_ACCEPT").is_some() {
        let head = table.lines().next().unwrap();
        let begin = text.find(head).expect("the page has a table with that head");
        let end = text[begin..].find("\n\n").map_or(text.len(), |length| begin + length + 1);
        fs::write(page(name), format!("{}{table}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    assert!(text.contains(table), "{name} should hold this table; SEGTUI_ACCEPT=1 puts it there:\n\n{table}");
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
    has_table("docs/keys.md", &table);
}

#[test]
fn the_keys_of_the_readme_are_bound() {
    let readme = fs::read_to_string(page("README.md")).unwrap();
    let table = readme.split("| Keys | What they do |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), 10, "{rows:?}");
    let keymap = Keymap::standard().unwrap();
    let bound: Vec<String> = keymap
        .help()
        .into_iter()
        .flat_map(|(_, keys, _)| keys.split("  ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for row in rows {
        let keys = row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2);
        for key in keys {
            assert!(bound.iter().any(|other| other == key), "{key} does nothing");
        }
    }
}

#[test]
fn the_page_of_keys_lists_the_name_of_every_action() {
    let mut table = String::from("| Group | Names |\n| --- | --- |\n");
    for group in Group::ALL {
        let names = TABLE.iter().filter(|entry| entry.group == group).map(|entry| format!("`{}`", entry.name));
        writeln!(table, "| {} | {} |", group.title(), names.collect::<Vec<_>>().join(" ")).unwrap();
    }
    has_table("docs/keys.md", &table);
}

#[test]
fn the_table_of_styles_is_the_table_of_the_theme() {
    let mut table = String::from("| Style | What it is for |\n| --- | --- |\n");
    for (name, meaning) in STYLES {
        writeln!(table, "| `{name}` | {meaning} |").unwrap();
    }
    has_table("docs/themes.md", &table);
}

#[test]
fn the_table_of_rules_is_the_table_of_the_check() {
    let mut table = String::from("| Rule | Finds | Default |\n| --- | --- | --- |\n");
    for rule in Rule::ALL {
        writeln!(table, "| `{rule}` | {} | {} |", rule.help(), rule.default_level()).unwrap();
    }
    has_table("docs/check.md", &table);
}

/// The help of the program or of a command.
fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_segtui")).args(arguments).arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_table_of_exit_codes_is_that_of_the_help() {
    let help = help(&[]);
    let lines = help.split("Exit codes:\n").nth(1).unwrap().lines().take_while(|line| !line.trim().is_empty());
    let mut table = String::from("| Exit code | Meaning |\n| --- | --- |\n");
    for line in lines {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        writeln!(table, "| {code} | {meaning} |").unwrap();
    }
    has_table("docs/commands.md", &table);
}

/// The values that a flag of a command takes, as listed in its help.
fn values(command: &str, flag: &str) -> Vec<String> {
    let help = help(&[command]);
    let part =
        help.split(&format!("{flag} <")).nth(1).and_then(|rest| rest.split("Possible values:\n").nth(1)).unwrap();
    let lines = part.lines().map(str::trim).take_while(|line| !line.is_empty());
    let values = lines.filter_map(|line| line.strip_prefix("- ")?.split_once(':')).map(|(value, _)| value.to_owned());
    values.collect()
}

/// The rows of a page's table with this header, each as its cells.
fn rows<'a>(page: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let table = page.split(head).nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|') && !line.starts_with("| ---"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The texts between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_formats_and_choices_are_those_of_the_flags() {
    let page = fs::read_to_string(page("docs/commands.md")).unwrap();
    for (head, command, flag) in
        [("| Format | Output |", "export", "--format"), ("| `--on-error` | What happens |", "watch", "--on-error")]
    {
        let named: Vec<&str> = rows(&page, head).iter().flat_map(|row| quoted(row[0])).collect();
        assert_eq!(named, values(command, flag), "{head}");
    }
    let also = page.split("also -o ").nth(1).unwrap().lines().next().unwrap();
    assert_eq!([vec!["table"], also.split(", ").collect()].concat(), values("find", "--output"));
}

#[test]
fn the_page_of_filters_has_every_field_and_state() {
    let page = fs::read_to_string(page("docs/filters.md")).unwrap();
    let rows = rows(&page, "| Query | Matches |");
    let queries: Vec<&str> = rows.iter().flat_map(|row| quoted(row[0])).collect();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names.dedup();
        names
    };
    let fields = queries.iter().filter_map(|query| Some(format!("{}:", query.split_once(':')?.0)));
    assert_eq!(sorted(fields.collect()), sorted(Query::FIELDS.map(str::to_owned).into()));
    let states = queries.iter().filter_map(|query| query.strip_prefix("is:").map(str::to_owned));
    assert_eq!(sorted(states.collect()), sorted(StateFilter::NAMED.map(|(name, _)| name.to_owned()).into()));
    for query in queries {
        let read = Query::parse_strict(query);
        assert!(read.is_ok() || matches!(read, Err(QueryFault::SessionOnly(_))), "{query}: {read:?}");
    }
    // The matches that the first rows promise.
    for (query, name) in [("lodz", "Łódź"), ("lodz", "Łódzkie"), ("hrtwnie", "Hurtownie")] {
        assert!(page.contains(&format!("`{query}`")) && page.contains(name));
        assert!(!Query::parse(query).unwrap().ranges(name).is_empty(), "{query} in {name}");
    }
}

#[test]
fn the_page_of_themes_names_every_theme() {
    let themes = fs::read_to_string(page("docs/themes.md")).unwrap();
    for name in Name::ALL {
        assert!(themes.contains(&format!("`{}`", name.text())), "{} is missing", name.text());
    }
}

#[test]
fn the_readmes_figures_match_the_page_about_speed() {
    let readme = fs::read_to_string(page("README.md")).unwrap();
    let speed = fs::read_to_string(page("docs/speed.md")).unwrap();
    let table = readme.split("| what | measured |").nth(1).unwrap().split("\n\n").next().unwrap();
    let figures: Vec<&str> = table
        .lines()
        .filter_map(|row| row.split('|').nth(2))
        .map(str::trim)
        .filter(|cell| !cell.contains("---"))
        .collect();
    assert_eq!(figures.len(), 5);
    for figure in figures {
        let numbers = figure.split([' ', '/']).filter(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
        for number in numbers {
            assert!(speed.split([' ', '/', '|']).any(|word| word == number), "{number} of {figure}");
        }
    }
}

/// The documentation pages, each with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(page("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.chain(["README.md", "CONTRIBUTING.md"].map(page));
    let pages = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// The anchor of a heading on a rendered page.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_link_resolves() {
    let pages = pages();
    let mut followed = 0;
    for (path, text) in &pages {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let pictures = ["src=\"", "srcset=\""].into_iter().flat_map(|begin| text.split(begin).skip(1));
        for link in links.chain(pictures.filter_map(|rest| rest.split('"').next())) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{link} in {}", path.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings =
                    text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
                assert!(headings.any(|title| anchor(title) == heading), "{link} in {}", path.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 30, "{followed}");
}

#[test]
fn every_page_is_linked_from_a_page() {
    let pages = pages();
    let named =
        pages.iter().flat_map(|(_, text)| text.split("](").skip(1)).filter_map(|rest| rest.split([')', '#']).next());
    let named: Vec<&str> = named.collect();
    for (path, _) in &pages {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || named.iter().any(|link| link.ends_with(name)), "nobody names {name}");
    }
}
