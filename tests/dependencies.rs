//! Every direct dependency is listed in docs/dependencies.md.

use std::collections::BTreeSet;

use toml::{Table, Value};

const MANIFEST: &str = include_str!("../Cargo.toml");
const PAGE: &str = include_str!("../docs/dependencies.md");

fn manifest() -> Table {
    MANIFEST.parse().expect("Cargo.toml is TOML")
}

/// The names in a table of the manifest.
fn named<'a>(table: &'a Table, path: &[&str]) -> BTreeSet<&'a str> {
    let (first, rest) = path.split_first().expect("a path has a first part");
    let inner = table[*first].as_table().expect("it is a table");
    if rest.is_empty() { inner.keys().map(String::as_str).collect() } else { named(inner, rest) }
}

/// The rows of the table under a heading of the page, by cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with("| ")).skip(2);
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn the_page_lists_exactly_the_direct_dependencies() {
    let manifest = manifest();
    for (heading, path) in [
        ("In the program", &["dependencies"][..]),
        ("On Unix only", &["target", "cfg(unix)", "dependencies"]),
        ("On Windows only", &["target", "cfg(windows)", "dependencies"]),
        ("In tests and benchmarks only", &["dev-dependencies"]),
    ] {
        let listed: Vec<&str> = rows(heading).iter().map(|row| row[0]).collect();
        let sorted: BTreeSet<&str> = listed.iter().copied().collect();
        assert_eq!(sorted, named(&manifest, path), "under “{heading}”");
        assert_eq!(listed, sorted.into_iter().collect::<Vec<_>>(), "under “{heading}”, in their order");
    }
}

#[test]
fn each_dependency_has_a_purpose() {
    for heading in ["In the program", "On Unix only", "On Windows only", "In tests and benchmarks only"] {
        for row in rows(heading) {
            assert!(!row[1].is_empty(), "{} is there for something", row[0]);
        }
    }
}

/// Those tables must cover everything that the manifest can depend on; another kind of table would be missed.
#[test]
fn there_is_no_other_kind_of_dependency() {
    let manifest = manifest();
    assert!(!manifest.contains_key("build-dependencies") && !manifest.contains_key("workspace"));
    let targets = named(&manifest, &["target"]);
    assert_eq!(targets.into_iter().collect::<Vec<_>>(), ["cfg(unix)", "cfg(windows)"]);
    for system in ["cfg(unix)", "cfg(windows)"] {
        let kinds = named(&manifest, &["target", system]);
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["dependencies"], "for {system}");
    }
    let of_git = |value: &Value| value.as_table().is_some_and(|it| it.contains_key("git") || it.contains_key("path"));
    let table = manifest["dependencies"].as_table().expect("it is a table");
    assert!(!table.values().any(of_git), "crates come from the registry only");
}
