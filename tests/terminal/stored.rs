//! The files that the program leaves on disk match SECURITY.md, by name and by permissions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::pty::{Pty, eventually, program};
use crate::{CTRL_U, Demo, ENTER};

/// The names in the table, in which capitals stand for anything.
fn documented_names() -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).unwrap();
    let table = page.split("| what | where |").nth(1).unwrap().split("\n\n").next().unwrap();
    let places = table.lines().skip(2).map(|row| row.split('|').nth(2).unwrap());
    let names: Vec<String> = places.flat_map(|place| place.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    let store = names.iter().find_map(|name| name.strip_suffix(".db")).unwrap();
    names.iter().map(|name| name.replace('…', store)).filter(|name| name.starts_with("~/")).collect()
}

/// Whether a name of the table matches a file.
fn matches_pattern(name: &str, file: &str) -> bool {
    let (fixed, any) = (|letter: char| !letter.is_ascii_uppercase(), |letter: char| letter.is_ascii_uppercase());
    let mut pieces = name.split(any).filter(|piece| !piece.is_empty());
    let ends_openly = name.ends_with(any);
    let Some(mut rest) = pieces.next().and_then(|first| file.strip_prefix(first)) else { return false };
    for piece in pieces {
        // Capitals stand for at least one character, and for no part with a `/`.
        let Some(at) = rest.get(1..).and_then(|rest| rest.find(piece)) else { return false };
        if rest[..=at].contains('/') {
            return false;
        }
        rest = &rest[1 + at + piece.len()..];
    }
    if ends_openly { !rest.is_empty() && !rest.contains('/') } else { rest.is_empty() && name.ends_with(fixed) }
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Asserts that all files of a home are in the table and private to the user, and collects the names that matched.
#[track_caller]
fn assert_listed_and_private(home: &Path, documented: &[String], matched: &mut Vec<String>) {
    for file in files(home) {
        let below = format!("~/{}", file.strip_prefix(home).unwrap().display());
        let matching: Vec<&String> = documented.iter().filter(|name| matches_pattern(name, &below)).collect();
        assert!(!matching.is_empty(), "SECURITY.md doesn't name {below}");
        // A file that exists only while a database is open may be gone by now.
        if let Ok(there) = fs::metadata(&file) {
            assert_eq!(there.permissions().mode() & 0o777, 0o600, "{below}");
        }
        matched.extend(matching.into_iter().cloned());
    }
}

#[test]
fn every_file_of_a_session_and_of_commands_is_in_the_table() {
    let demo = Demo::start();
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let documented = documented_names();
    let mut matched = Vec::new();
    let config = home.path().join(".config/segtui/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let (url, tenant, key) = (demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    fs::write(&config, format!("[profiles.a]\nbase_url = \"{url}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\n"))
        .unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();

    let environment = ("HOME", home.path().to_str().unwrap().to_owned());
    let mut pty = Pty::start(120, 40, &["--poll", "0.2"], &[environment]);
    pty.wait_for("290 segments   ● live");
    pty.type_text("/podhurt\r");
    pty.wait_for("/ podhurt · 1 of");
    pty.type_text(&format!("r{CTRL_U}Podhurt Łódź{ENTER}"));
    pty.wait_for("Renamed Podhurt → Podhurt Łódź");
    // The WAL and its index exist while the session has the store open.
    eventually(|| files(home.path()).iter().any(|file| file.to_str().unwrap().ends_with(".db-wal")).then_some(()));
    assert_listed_and_private(home.path(), &documented, &mut matched);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);

    let groups = elsewhere.path().join("groups.csv");
    fs::write(&groups, "externalId,name\nNEW-1,Nowa grupa\n").unwrap();
    let editor = elsewhere.path().join("editor");
    fs::write(&editor, "#!/bin/sh\necho 'colour = 7' >> \"$1\"\n").unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o700)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.args(arguments).env_clear().env("HOME", home.path()).env("EDITOR", &editor);
        command.env("PATH", "/usr/bin:/bin").current_dir(elsewhere.path());
        command.stdin(Stdio::null()).output().unwrap()
    };
    let applied = run(&["apply", "groups.csv", "--yes", "--report", "r", "--rejects", "x", "--id-map", "m"]);
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    assert_eq!(run(&["plan", "groups.csv", "--out", "p"]).status.code(), Some(0));
    assert_eq!(run(&["export", "-o", "e"]).status.code(), Some(0));
    assert_eq!(run(&["history"]).status.code(), Some(0));
    // The text now has an error, so the copy is kept.
    assert_eq!(run(&["config", "edit"]).status.code(), Some(2));
    assert_listed_and_private(home.path(), &documented, &mut matched);
    for file in ["r", "m", "p", "e"] {
        let mode = fs::metadata(elsewhere.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    // The others exist after rotation or damage, or only while a command has its database open.
    let rare = ["log.NUMBER", ".damaged-TIME", ".renewed", ".runs.db-wal", ".runs.db-shm"];
    for name in documented.iter().filter(|name| !rare.iter().any(|end| name.ends_with(end))) {
        assert!(matched.contains(name), "SECURITY.md names {name}, which nothing has written: {matched:?}");
    }
}
