//! The log: where it goes, in which format, and how long it gets.

use std::fs::{self, File};

use serde_json::Value;

use crate::desk::{Workspace, output_of};

#[test]
fn a_full_log_is_rotated() {
    let workspace = Workspace::new();
    let folder = workspace.home.path().join(".local/state/segtui");
    fs::create_dir_all(&folder).unwrap();
    let log = folder.join("segtui.log");
    File::create(&log).unwrap().set_len(8 << 20).unwrap();
    assert_eq!(workspace.run(&["tree", "--demo"]).0, 0);
    assert_eq!(fs::metadata(folder.join("segtui.log.1")).unwrap().len(), 8 << 20);
    assert!(fs::read_to_string(&log).unwrap().contains("started"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn the_log_can_go_to_stderr_as_json() {
    let workspace = Workspace::new();
    let (code, stdout, stderr) = workspace.run(&["tree", "--demo", "--log-file", "-", "--log-format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("Podhurt") && !stdout.contains("started"), "{stdout}");
    let lines: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let started = lines.iter().find(|line| line["message"] == "started").expect("it says that it started");
    assert_eq!((&started["level"], &started["version"]), (&"INFO".into(), &env!("CARGO_PKG_VERSION").into()));
    assert!(started["timestamp"].is_string(), "{started}");
    assert!(!workspace.home.path().join(".local").exists(), "nothing is written elsewhere");
}

#[test]
fn each_line_of_a_log_file_can_be_json() {
    let workspace = Workspace::new();
    let log = workspace.home.path().join("own.log");
    let flags = ["--log-file", log.to_str().unwrap(), "--log-format", "json", "--log-level", "debug"];
    assert_eq!(output_of(workspace.segtui(&["tree", "--demo"]).args(flags)).0, 0);
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.lines().count() > 1, "{text}");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["target"].as_str().unwrap().starts_with("segtui"), "{line}");
    }
}
