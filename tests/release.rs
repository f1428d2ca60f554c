//! The parts of a release agree: the version, the changelog, and the packaged files.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CHANGELOG: &str = include_str!("../CHANGELOG.md");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a script of the folder `packaging` with `PATH` as its only variable.
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

/// The files that an entry of the package's assets matches, each with its path in the package.
fn packed(asset: &toml::Value) -> Vec<(PathBuf, PathBuf)> {
    let (source, folder) = (asset[0].as_str().unwrap(), Path::new(asset[1].as_str().unwrap()));
    let pattern = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let name = pattern.file_name().unwrap().to_str().unwrap();
    let fits = |file: &str| match name.split_once('*') {
        Some((begin, end)) => file.starts_with(begin) && file.ends_with(end),
        None => file == name,
    };
    let entries = fs::read_dir(pattern.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| fits(path.file_name().unwrap().to_str().unwrap()));
    files.map(|path| (path.clone(), folder.join(path.file_name().unwrap()))).collect()
}

/// Asserts that all local links of the pages below a folder lead to existing files.
#[track_caller]
fn links_lead_somewhere(folder: &Path) {
    let mut followed = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                let text = fs::read_to_string(&path).unwrap();
                let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
                let pictures = ["src=\"", "srcset=\""].into_iter().flat_map(|begin| text.split(begin).skip(1));
                for link in links.chain(pictures.filter_map(|rest| rest.split('"').next())) {
                    let file = link.split('#').next().unwrap();
                    if !file.is_empty() && !file.contains("://") && !file.contains(' ') {
                        assert!(path.parent().unwrap().join(file).exists(), "{link} in {}", path.display());
                        followed += 1;
                    }
                }
            }
        }
    }
    assert!(followed > 40, "{followed}");
}

#[test]
fn the_package_has_what_its_pages_link_to() {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    let root = tempfile::tempdir().unwrap();
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        if source.starts_with("target/") || source.starts_with("packaging/generated/") {
            continue;
        }
        let files = packed(asset);
        assert!(!files.is_empty(), "{source}");
        for (from, to) in files {
            let to = root.path().join(to);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    links_lead_somewhere(&root.path().join("usr/share/doc/segtui"));
}

#[test]
fn an_archive_has_what_its_pages_link_to() {
    let work = tempfile::tempdir().unwrap();
    // An empty script in place of the binary, which would take long to pack.
    let binary = work.path().join("target/some-triple/debug/segtui");
    fs::create_dir_all(binary.parent().unwrap()).unwrap();
    fs::write(&binary, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/archive.sh");
    let mut command = Command::new(path);
    command.args(["some-triple", work.path().to_str().unwrap(), "dev"]);
    let made = command.env("CARGO_TARGET_DIR", work.path().join("target")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let name = format!("segtui-{VERSION}-some-triple");
    let unpacked = Command::new("tar").arg("-xzf").arg(format!("{name}.tar.gz")).current_dir(work.path()).status();
    assert!(unpacked.unwrap().success());
    assert!(work.path().join(&name).join("segtui").is_file());
    links_lead_somewhere(&work.path().join(&name));
}

#[test]
fn the_workflow_pins_its_actions_and_limits_its_jobs() {
    let workflow = include_str!("../.github/workflows/release.yml");
    let uses: Vec<&str> =
        workflow.lines().filter_map(|line| line.trim().split_once("uses: ")).map(|(_, name)| name).collect();
    assert!(uses.len() >= 5, "{uses:?}");
    for name in uses {
        let (_, rest) = name.split_once('@').unwrap();
        let (commit, version) = rest.split_once(" # v").unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        assert!(version.starts_with(|digit: char| digit.is_ascii_digit()), "{name}");
    }
    assert_eq!(workflow.matches("runs-on:").count(), workflow.matches("timeout-minutes:").count());
}
