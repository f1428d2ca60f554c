//! What commands write besides their result, how long they may take, and how signals end them.

use std::fs;
use std::time::Duration;

use segtui::demo::{Options, Server};

use crate::desk::{Fixture, TIMEOUT, in_terminal, output_of, troubled};

/// A server that takes half a minute for each response.
fn slow_fixture() -> Fixture {
    Fixture::with(Options { load: Some(troubled()), latency: Duration::from_secs(30), ..Options::default() })
}

#[test]
fn commands_are_silent_unless_asked_or_failing() {
    let fixture = Fixture::new();
    assert_eq!(fixture.run(&["find", "xyzzy"]), (0, String::new(), String::new()));
    let (code, quiet, stderr) = fixture.run(&["-q", "tree"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let (code, stdout, stderr) = fixture.run(&["tree", "--verbose"]);
    assert_eq!((code, &stdout), (0, &quiet));
    assert!(stderr.starts_with("segtui: loading the segments of demo-wholesale from 127.0.0.1"), "{stderr}");
    assert!(stderr.contains("segtui: loaded 13 segments in "), "{stderr}");
    let (_, _, stderr) = fixture.run(&["export", "-v", "--root", "PL"]);
    assert!(stderr.ends_with("segtui: wrote 4 segments\n"), "{stderr}");
    assert_eq!(fixture.run(&["tree", "--no-progress"]).2, "");
}

#[test]
fn progress_counts_each_segment_once() {
    let fixture =
        Fixture::with(Options { segments: Some(301), latency: Duration::from_millis(20), ..Options::default() });
    let mut seen = 0;
    for _ in 0..6 {
        let (code, output) = in_terminal(&fixture.workspace, &["export", "-o", "/dev/null"], &fixture.variables(), "");
        assert_eq!(code, 0, "{output}");
        for line in output.split("loading ").skip(1) {
            let count: usize = line.split_once(" segment").unwrap().0.replace(',', "").parse().unwrap();
            assert!(count <= 301 && !line.contains(" 1 pages"), "{output}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn with_json_each_line_on_stderr_is_an_object() {
    let fixture = Fixture::new();
    let (code, stdout, stderr) = fixture.run(&["get", "TWIN", "-v", "-o", "json"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    let lines: Vec<serde_json::Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (error, notes) = lines.split_last().unwrap();
    assert!(!notes.is_empty() && notes.iter().all(|line| line["note"].is_string()), "{stderr}");
    assert_eq!(error["error"], "TWIN names 2 segments");
    assert_eq!((&error["code"], error["candidates"].as_array().map(Vec::len)), (&1.into(), Some(2)));
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    let fixture = Fixture::new();
    for arguments in [&["find", "lodz"][..], &["find", "lodz", "-o", "tree"], &["tree"], &["get", "PL"]] {
        let coloured = |when: &str| fixture.run(&[arguments, &["--color", when]].concat()).1;
        let plain = coloured("auto");
        assert!(!plain.is_empty() && !plain.contains('\u{1b}'), "{arguments:?}: {plain}");
        assert_eq!(coloured("never"), plain);
        let always = coloured("always");
        assert!(always.contains("\u{1b}["), "{arguments:?}: {always}");
        // The escape in a name stays harmless, and nothing but colours is added.
        assert!(!always.contains("\u{1b}[2J"), "{always}");
        assert_eq!(anstream::adapter::strip_str(&always).to_string(), plain);
    }
    let found = fixture.run(&["find", "lodz", "--color", "always"]).1;
    assert!(found.contains("\u{1b}[1;4mŁódz\u{1b}[0mkie"), "{found:?}");
    // Output for programs has no colours at all.
    let data = fixture.run(&["find", "lodz", "-o", "csv", "--color", "always"]).1;
    assert!(!data.contains('\u{1b}'), "{data}");
}

#[test]
fn failed_checks_and_protected_profiles_are_red() {
    let fixture = Fixture::new();
    let folder = fixture.workspace.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    let file =
        "[profiles.prod]\nbase_url = \"http://127.0.0.1:1\"\ntenant = \"t\"\napi_key = \"k\"\nprotected = true\n";
    fs::write(folder.join("config.toml"), file).unwrap();
    let run = |command: &str, when: &str| fixture.workspace.run(&[command, "--color", when]).1;
    for (command, red) in [("doctor", "\u{1b}[31mfailed\u{1b}[0m   tcp"), ("profiles", "\u{1b}[31mprotected, ")] {
        let always = run(command, "always");
        assert!(always.contains(red), "{always}");
        assert!(!run(command, "auto").contains('\u{1b}') && !run(command, "never").contains('\u{1b}'), "{command}");
    }
    let profiles = run("profiles", "always");
    assert_eq!(anstream::adapter::strip_str(&profiles).to_string(), run("profiles", "never"));
}

#[test]
fn a_command_over_its_timeout_exits_with_seven() {
    let fixture = slow_fixture();
    let (code, stdout, stderr) = output_of(fixture.segtui(&["tree", "--timeout", "0.4"]).timeout(TIMEOUT));
    assert_eq!((code, stdout.as_str()), (7, ""));
    assert_eq!(stderr, "segtui: not done within 0.4 s\nhint: try again, or with a longer --timeout\n");
}

#[test]
fn a_refused_key_exits_with_four_for_every_command() {
    let fixture = Fixture::new();
    for arguments in [&["find", "x"][..], &["get", "PL"], &["tree"], &["export"]] {
        let (code, stdout, stderr) = output_of(fixture.segtui(arguments).env("SEGTUI_API_KEY", "wrong"));
        assert_eq!((code, stdout.as_str()), (4, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("\nhint: check the API key and the tenant"), "{stderr}");
    }
    let (_, _, stderr) = output_of(fixture.segtui(&["find", "x", "-o", "json"]).env("SEGTUI_API_KEY", "wrong"));
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!(error["code"], 4, "{stderr}");
}

#[test]
fn commands_work_without_a_home() {
    let fixture = Fixture::new();
    for arguments in [&["find", "lodz"][..], &["get", "PL"], &["tree"], &["export"]] {
        let (code, stdout, stderr) = output_of(fixture.segtui(arguments).env_remove("HOME"));
        assert!(code == 0 && !stdout.is_empty(), "{arguments:?}: {code} {stderr}");
        assert_eq!(stderr, "", "{arguments:?}");
    }
    let (code, _, stderr) = output_of(fixture.workspace.segtui(&["tree"]).env_remove("HOME"));
    assert_eq!(code, 2);
    assert!(stderr.contains("no home folder") && stderr.contains("hint: set SEGTUI_BASE_URL"), "{stderr}");
    let (code, _, stderr) = output_of(fixture.workspace.segtui(&[]).env_remove("HOME"));
    assert!(code == 2 && stderr.contains("hint: set HOME"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_command_and_leaves_the_former_file() {
    use std::process::{Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    let fixture = slow_fixture();
    let file = fixture.workspace.home.path().join("out.json");
    fs::write(&file, "former").unwrap();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let asked = fixture.server.requests().len();
        let child = Command::new(env!("CARGO_BIN_EXE_segtui"))
            .args(["export", "-o", file.to_str().unwrap()])
            .env_clear()
            .env("HOME", fixture.workspace.home.path())
            .envs(fixture.variables())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_requests(&fixture.server, asked);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "former");
    }
    let beside = fs::read_dir(fixture.workspace.home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(beside.into_iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "nothing is left beside it");
}

/// Waits until a server has received more requests.
fn wait_for_requests(server: &Server, asked: usize) {
    let until = std::time::Instant::now() + TIMEOUT;
    while server.requests().len() <= asked {
        assert!(std::time::Instant::now() < until, "nothing was asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asserts an exit code, a reason and a hint, without error numbers of the system and jargon of libraries.
fn assert_error(command: &mut assert_cmd::Command, expected: i32, why: &str, hint: &str) {
    let (code, stdout, stderr) = output_of(command.timeout(TIMEOUT));
    assert_eq!(code, expected, "{stdout}{stderr}");
    let all = format!("{stdout}{stderr}");
    assert!(all.contains(why) && all.contains(hint), "{all}");
    for word in ["os error", "underlying", "uncategorized", "failed to lookup", "hunter2"] {
        assert!(!all.contains(word), "{word}: {all}");
    }
}

#[test]
fn system_errors_are_in_words_with_fitting_hints() {
    let fixture = Fixture::new();
    let no_file = "no such file or folder";
    let run = |arguments: &[&str]| fixture.workspace.segtui(arguments);
    assert_error(
        &mut run(&["config", "show", "--config", "nope.toml"]),
        2,
        no_file,
        "hint: check the file, or name another one",
    );
    assert_error(&mut run(&["config", "check", "nope.toml"]), 2, no_file, "hint: name another file");
    assert_error(&mut run(&["serve-demo", "--load", "nope.json"]), 2, no_file, "hint: name a file that `segtui export");
    let port = fixture.server.base_url().rsplit_once(':').unwrap().1.to_owned();
    assert_error(&mut run(&["serve-demo", "--port", &port]), 1, "address in use", "hint: choose another --port");
    assert_error(
        &mut fixture.segtui(&["tree", "--ca-file", "nope.pem"]),
        2,
        no_file,
        "hint: check that file; --ca-file",
    );
    let mut no_key = run(&["tree", "--base-url", "http://127.0.0.1:1", "--tenant", "t"]);
    assert_error(
        no_key.env("SEGTUI_API_KEY_FILE", "nope.key"),
        2,
        no_file,
        "hint: check that file; SEGTUI_API_KEY_FILE",
    );
    let mut two_keys = fixture.segtui(&["tree"]);
    assert_error(
        two_keys.env("SEGTUI_API_KEY_FILE", "x"),
        2,
        "are set",
        "hint: unset SEGTUI_API_KEY or SEGTUI_API_KEY_FILE",
    );
    let nobody = ["doctor", "--base-url", "http://127.0.0.1:1", "--tenant", "t", "--api-key", "k"];
    assert_error(&mut run(&nobody), 7, "127.0.0.1:1: connection refused", "hint: check the port");
    let proxied = ["doctor", "--base-url", "https://one.example", "--tenant", "t", "--api-key", "k"];
    let mut proxied = run(&proxied);
    assert_error(
        proxied.env("ALL_PROXY", "socks5h://127.0.0.1:1"),
        7,
        "couldn't connect to the proxy socks5h://127.0.0.1:1 from ALL_PROXY: 127.0.0.1:1: connection refused",
        "hint: check the proxy and the variable that names it",
    );
    let through = ["tree", "--base-url", "https://one.example", "--tenant", "t", "--api-key", "k"];
    let mut through = run(&through);
    assert_error(
        through.env("ALL_PROXY", "socks5h://127.0.0.1:1"),
        7,
        "server unreachable (through the proxy socks5h://127.0.0.1:1 from ALL_PROXY: it can't be reached)",
        "hint: check the proxy and the variable that names it",
    );
    let mut through = run(&["tree", "--base-url", "https://one.example", "--tenant", "t", "--api-key", "k"]);
    assert_error(
        through.env("https_proxy", "http://me:hunter2@127.0.0.1:1"),
        7,
        "server unreachable (through the proxy http://127.0.0.1:1 from https_proxy: connection refused)",
        "hint: check the proxy and the variable that names it",
    );
    assert_error(
        &mut run(&["tree", "--base-url", "https://no-such-host.invalid", "--tenant", "t", "--api-key", "k"]),
        7,
        "no-such-host.invalid",
        "hint: check the host name",
    );
}

#[cfg(target_os = "linux")]
#[test]
fn watch_reports_unwritable_files_in_words() {
    let fixture = Fixture::with(Options { churn: 50.0, ..Options::default() });
    assert_error(
        &mut fixture.segtui(&["watch", "--state", "/proc/x.st"]),
        1,
        "no such file or folder",
        "hint: name a file in a folder",
    );
    // As a shell's redirection opens it.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_segtui"));
    command.env_clear().env("HOME", fixture.workspace.home.path()).envs(fixture.variables()).args(["watch"]);
    let output = command.stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("couldn't write to stdout: no storage space"), "{stderr}");
    assert!(stderr.contains("hint: check what stdout is connected to") && !stderr.contains("os error"), "{stderr}");
}
