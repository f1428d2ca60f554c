//! `segtui doctor`: the checks on this machine. Those of the way to a server are in tests/connection.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use segtui::demo::Options;
use serde_json::{Value, json};

use crate::desk::{Fixture, TIMEOUT, Workspace, output_of, start_server};

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[test]
fn doctor_finds_no_fault_with_the_demo() {
    let workspace = Workspace::new();
    let (code, stdout, stderr) =
        output_of(workspace.segtui(&["doctor", "--demo"]).env("TERM", "xterm-256color").env("LANG", "C.UTF-8"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let line = |name: &str| stdout.lines().find(|line| line.split_whitespace().nth(1) == Some(name)).unwrap();
    assert!(line("version").contains(env!("CARGO_PKG_VERSION")));
    assert!(line("page").starts_with("ok ") && line("page").contains("10 segments ("), "{stdout}");
    assert!(line("feed").contains(" ms)") && line("tls").starts_with("skipped"), "{stdout}");
    assert!(line("terminal").contains("TERM xterm-256color, 256 colours, locale C.UTF-8"), "{stdout}");
    assert!(!stdout.contains("not-a-secret"));
}

#[test]
fn doctor_checks_the_rest_without_a_configuration() {
    let workspace = Workspace::new();
    let (code, stdout, stderr) = workspace.run(&["doctor", "--json"]);
    assert_eq!((code, stderr.as_str()), (2, ""));
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&check(&report, "config")["status"], &check(&report, "config")["code"]), (&json!("failed"), &json!(2)));
    assert_eq!(check(&report, "tls")["status"], "skipped");
    assert_eq!(check(&report, "log")["status"], "ok");
    let folder = workspace.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "[profiles.a]\npoll = 0\n").unwrap();
    let (code, stdout, _) = workspace.run(&["doctor"]);
    assert_eq!(code, 2);
    assert!(stdout.contains("config.toml:2:8: `poll` is 0"), "{stdout}");
}

#[test]
fn doctor_reports_the_store_settings_and_readable_keys() {
    let (_runtime, server) = start_server();
    let workspace = Workspace::new();
    let folder = workspace.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    let text = format!(
        "[profiles.acme]\nbase_url = \"{}\"\ntenant = \"{}\"\napi_key = \"{}\"\n",
        server.base_url(),
        server.tenant(),
        server.api_key()
    );
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let run = || {
        let (code, stdout, stderr) = output_of(workspace.segtui(&["doctor", "--json"]).env("SEGTUI_READ_ONLY", "1"));
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(!stdout.contains(server.api_key()), "{stdout}");
        serde_json::from_str::<Value>(&stdout).unwrap()
    };
    let report = run();
    assert_eq!(check(&report, "config")["status"], "warning");
    assert!(check(&report, "config")["hint"].as_str().unwrap().starts_with("run `chmod 600 "));
    assert_eq!(check(&report, "api-key")["message"], "from line 4 of the file");
    assert!(check(&report, "store")["message"].as_str().unwrap().ends_with("doesn't exist yet"));
    let settings = report["settings"].as_array().unwrap();
    let read_only = settings.iter().find(|setting| setting["key"] == "read_only").unwrap();
    assert_eq!(read_only["origin"], json!({ "kind": "variable", "name": "SEGTUI_READ_ONLY" }));
    // A file that is no store is reported as such, and left alone.
    let data = workspace.home.path().join(".local/share/segtui");
    let message = check(&report, "store")["message"].as_str().unwrap();
    let path = message.strip_suffix(" doesn't exist yet").unwrap();
    fs::create_dir_all(&data).unwrap();
    fs::write(path, "no database at all, and long enough to be looked at").unwrap();
    let (code, stdout, _) = workspace.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &check(&report, "store")["status"]), (1, &json!("failed")));
    assert!(fs::read_to_string(path).unwrap().starts_with("no database"));
}

#[test]
fn doctor_reports_what_a_killed_apply_left_in_the_journal() {
    const ROWS: usize = 60;
    let options = Options { segments: Some(3), latency: Duration::from_millis(150), ..Options::default() };
    let fixture = Fixture::with(options);
    let path = fixture.workspace.home.path().join("many.csv");
    let rows: Vec<String> = (0..ROWS).map(|row| format!("N{row},Nowe {row}\n")).collect();
    fs::write(&path, format!("externalId,name\n{}", rows.concat())).unwrap();
    let mut command = Process::new(env!("CARGO_BIN_EXE_segtui"));
    command.env_clear().env("HOME", fixture.workspace.home.path()).envs(fixture.variables());
    command.args(["apply", "--yes"]).arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let until = Instant::now() + TIMEOUT;
    while !fixture.server.requests().iter().any(|request| request.method == "POST") {
        assert!(Instant::now() < until, "nothing was sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, stdout, stderr) = fixture.run(&["doctor", "--json"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let journal = check(&report, "journal");
    let pending = journal["details"]["pending"].as_u64().unwrap();
    assert_eq!(journal["status"], "warning");
    assert!(pending > 0 && journal["details"]["in_commands"] == pending, "{journal}");
    assert!(journal["message"].as_str().unwrap().contains("of an interrupted command"), "{journal}");
    assert_eq!(journal["hint"], "run the interrupted command again: it continues");
    // After it was continued, nothing is left.
    let (code, _, stderr) = output_of(fixture.segtui(&["apply", "--yes"]).arg(&path));
    assert_eq!(code, 0, "{stderr}");
    let report: Value = serde_json::from_str(&fixture.run(&["doctor", "--json"]).1).unwrap();
    assert_eq!(check(&report, "journal")["message"], "empty");
}
