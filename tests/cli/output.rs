//! Where `export` writes to: files, links, pipes and devices.

use std::fs;
use std::path::Path;

use crate::desk::Fixture;

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode_and_a_new_one_is_private() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let fixture = Fixture::new();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    fs::write(at("shared.csv"), "former").unwrap();
    fs::set_permissions(at("shared.csv"), fs::Permissions::from_mode(0o664)).unwrap();
    symlink("shared.csv", at("link.csv")).unwrap();
    for name in ["link.csv", "new.csv"] {
        let (code, stdout, stderr) = fixture.run(&["export", "--format", "csv", "-o", at(name).to_str().unwrap()]);
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
        assert!(fs::read_to_string(at(name)).unwrap().starts_with("id,name,"), "{name}");
    }
    assert_eq!((mode("shared.csv"), mode("new.csv")), (0o664, 0o600));
    assert!(fs::symlink_metadata(at("link.csv")).unwrap().is_symlink());
    assert_eq!(entries(folder.path()), ["link.csv", "new.csv", "shared.csv"]);
}

#[test]
fn an_unwritable_output_is_refused_before_any_request() {
    let fixture = Fixture::new();
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/file.json");
    for (place, words) in [
        (missing.as_path(), ["it doesn't exist", "hint: create the folder first"]),
        (folder.path(), ["it is a folder", "hint: name a file in it"]),
    ] {
        let (code, stdout, stderr) = fixture.run(&["export", "-o", place.to_str().unwrap()]);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(words.iter().all(|words| stderr.contains(words)) && stderr.lines().count() == 2, "{stderr}");
    }
    assert!(fixture.server.requests().is_empty());
    assert!(entries(folder.path()).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_reported_and_exits_with_one() {
    let fixture = Fixture::new();
    let (code, _, stderr) = fixture.run(&["export", "-o", "/dev/full"]);
    assert_eq!(code, 1);
    assert!(stderr.starts_with("segtui: couldn't write /dev/full: no storage space\nhint: "), "{stderr}");
    assert_eq!(fixture.run(&["export", "-o", "/dev/null"]), (0, String::new(), String::new()));

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_segtui"));
    command.env_clear().env("HOME", fixture.workspace.home.path()).envs(fixture.variables()).arg("tree").stdout(full);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("segtui: couldn't write to stdout: no storage space\nhint: "), "{stderr}");
}

#[test]
fn a_closed_stdout_is_no_failure() {
    use std::process::{Command, Stdio};

    let fixture = Fixture::new();
    for arguments in [
        &["find", "is:leaf"][..],
        &["find", "is:leaf", "-o", "json"],
        &["get", "PL", "--below", "-o", "csv"],
        &["tree"],
        &["export"],
        &["export", "--format", "ndjson"],
        &["export", "--excel"],
        &["export", "--format", "outline"],
        #[cfg(target_os = "linux")]
        &["export", "-o", "/dev/stdout"],
        &["--help"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_segtui"))
            .args(arguments)
            .env_clear()
            .env("HOME", fixture.workspace.home.path())
            .envs(fixture.variables())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}
