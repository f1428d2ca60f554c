//! What commands say beside their result, how long they may take, and how they end when the system asks them to.

use std::fs;
use std::time::Duration;

use segtui::demo::{Options, Server};

use crate::desk::{Office, PATIENCE, told, troubled};

/// A server that takes its time.
fn slow_office() -> Office {
    Office::with(Options { load: Some(troubled()), latency: Duration::from_secs(30), ..Options::default() })
}

#[test]
fn nothing_is_said_unless_it_is_asked_for_or_wrong() {
    let office = Office::new();
    assert_eq!(office.run(&["find", "xyzzy"]), (0, String::new(), String::new()));
    let (code, quiet, stderr) = office.run(&["-q", "tree"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let (code, stdout, stderr) = office.run(&["tree", "--verbose"]);
    assert_eq!((code, &stdout), (0, &quiet));
    assert!(stderr.starts_with("segtui: loading the segments of demo-wholesale from 127.0.0.1"), "{stderr}");
    assert!(stderr.contains("segtui: loaded 13 segments in "), "{stderr}");
    let (_, _, stderr) = office.run(&["export", "-v", "--root", "PL"]);
    assert!(stderr.ends_with("segtui: wrote 4 segments\n"), "{stderr}");
    assert_eq!(office.run(&["tree", "--no-progress"]).2, "");
}

#[test]
fn with_json_each_line_on_stderr_is_an_object() {
    let office = Office::new();
    let (code, stdout, stderr) = office.run(&["get", "TWIN", "-v", "-o", "json"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    let lines: Vec<serde_json::Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (error, notes) = lines.split_last().unwrap();
    assert!(!notes.is_empty() && notes.iter().all(|line| line["note"].is_string()), "{stderr}");
    assert_eq!(error["error"], "TWIN names 2 segments");
    assert_eq!((&error["code"], error["candidates"].as_array().map(Vec::len)), (&1.into(), Some(2)));
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    let office = Office::new();
    for arguments in [&["find", "lodz"][..], &["find", "lodz", "-o", "tree"], &["tree"], &["get", "PL"]] {
        let coloured = |when: &str| office.run(&[arguments, &["--color", when]].concat()).1;
        let plain = coloured("auto");
        assert!(!plain.is_empty() && !plain.contains('\u{1b}'), "{arguments:?}: {plain}");
        assert_eq!(coloured("never"), plain);
        let always = coloured("always");
        assert!(always.contains("\u{1b}["), "{arguments:?}: {always}");
        // The escape that is in a name stays harmless, and nothing but colours is added.
        assert!(!always.contains("\u{1b}[2J"), "{always}");
        assert_eq!(anstream::adapter::strip_str(&always).to_string(), plain);
    }
    let found = office.run(&["find", "lodz", "--color", "always"]).1;
    assert!(found.contains("\u{1b}[1;4mŁódz\u{1b}[0mkie"), "{found:?}");
    // What is for programs has no colours at all.
    let data = office.run(&["find", "lodz", "-o", "csv", "--color", "always"]).1;
    assert!(!data.contains('\u{1b}'), "{data}");
}

#[test]
fn a_command_that_takes_too_long_is_seven() {
    let office = slow_office();
    let (code, stdout, stderr) = told(office.segtui(&["tree", "--timeout", "0.4"]).timeout(PATIENCE));
    assert_eq!((code, stdout.as_str()), (7, ""));
    assert_eq!(stderr, "segtui: not done within 0.4 s\nhint: try again, or with a longer --timeout\n");
}

#[test]
fn a_key_that_is_refused_is_four_for_every_command() {
    let office = Office::new();
    for arguments in [&["find", "x"][..], &["get", "PL"], &["tree"], &["export"]] {
        let (code, stdout, stderr) = told(office.segtui(arguments).env("SEGTUI_API_KEY", "wrong"));
        assert_eq!((code, stdout.as_str()), (4, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("\nhint: check the API key and the tenant"), "{stderr}");
    }
    let (_, _, stderr) = told(office.segtui(&["find", "x", "-o", "json"]).env("SEGTUI_API_KEY", "wrong"));
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!(error["code"], 4, "{stderr}");
}

#[test]
fn everything_can_be_said_without_a_home() {
    let office = Office::new();
    for arguments in [&["find", "lodz"][..], &["get", "PL"], &["tree"], &["export"]] {
        let (code, stdout, stderr) = told(office.segtui(arguments).env_remove("HOME"));
        assert!(code == 0 && !stdout.is_empty(), "{arguments:?}: {code} {stderr}");
        assert_eq!(stderr, "", "{arguments:?}");
    }
    let (code, _, stderr) = told(office.desk.segtui(&["tree"]).env_remove("HOME"));
    assert_eq!(code, 2);
    assert!(stderr.contains("no home folder") && stderr.contains("hint: set SEGTUI_BASE_URL"), "{stderr}");
    let (code, _, stderr) = told(office.desk.segtui(&[]).env_remove("HOME"));
    assert!(code == 2 && stderr.contains("hint: set HOME"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_command_and_leaves_the_former_file() {
    use std::process::{Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    let office = slow_office();
    let file = office.desk.home.path().join("out.json");
    fs::write(&file, "former").unwrap();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let asked = office.server.requests().len();
        let child = Command::new(env!("CARGO_BIN_EXE_segtui"))
            .args(["export", "-o", file.to_str().unwrap()])
            .env_clear()
            .env("HOME", office.desk.home.path())
            .envs(office.variables())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_requests(&office.server, asked);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "former");
    }
    let beside = fs::read_dir(office.desk.home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(beside.into_iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "nothing is left beside it");
}

/// Waits until a server has been asked for more.
fn wait_for_requests(server: &Server, asked: usize) {
    let until = std::time::Instant::now() + PATIENCE;
    while server.requests().len() <= asked {
        assert!(std::time::Instant::now() < until, "nothing was asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
}
