//! What a release is made of agrees: the version, the changelog, and what is packed.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CHANGELOG: &str = include_str!("../CHANGELOG.md");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A script of the folder `packaging`, run without anything of this environment but its programs.
fn packaging(script: &str, arguments: &[&str]) -> Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(script);
    let mut command = Command::new(path);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).args(arguments);
    command.output().unwrap()
}

#[test]
fn the_changelog_has_the_version_first_and_a_day_for_each() {
    let headings: Vec<&str> = CHANGELOG.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(headings[0], "Unreleased");
    assert!(headings[1].starts_with(&format!("{VERSION} - ")), "{}", headings[1]);
    for heading in &headings[1..] {
        let (_, day) = heading.split_once(" - ").unwrap();
        assert!(day.parse::<jiff::civil::Date>().is_ok(), "{heading}");
    }
}

#[test]
fn the_notes_of_a_release_are_its_part_of_the_changelog() {
    let notes = packaging("notes.sh", &[VERSION]);
    let notes = String::from_utf8(notes.stdout).unwrap();
    assert!(notes.contains("\n### Added\n") && !notes.contains("\n## "), "{notes}");
    let unknown = packaging("notes.sh", &["99.0.0"]);
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("has no version 99.0.0"));
}

#[test]
fn manual_pages_and_completions_are_written_for_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    let generated = packaging("generate.sh", &[env!("CARGO_BIN_EXE_segtui"), made.to_str().unwrap()]);
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    for (file, begins) in
        [("segtui.bash", "segtui"), ("_segtui", "#compdef"), ("segtui.fish", "complete"), ("segtui.ps1", "")]
    {
        let text = fs::read_to_string(made.join(file)).unwrap();
        assert!(text.contains(begins) && text.len() > 100, "{file}: {text}");
        assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "{file} names a folder of this machine:\n{text}");
    }
    let manual = fs::read_to_string(made.join("man/segtui.1")).unwrap();
    assert!(manual.contains(VERSION), "the manual names the version");
    assert!(fs::read_dir(made.join("man")).unwrap().count() > 10, "each command has a page");
}

#[test]
fn everything_that_is_packed_is_there() {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        let is_made = source.starts_with("target/") || source.starts_with("packaging/generated/");
        let file = source.replace("LICENSE-*", "LICENSE-APACHE");
        assert!(is_made || Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).is_file(), "{source}");
    }
}
