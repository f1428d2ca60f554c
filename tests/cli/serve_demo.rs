//! `segtui serve-demo`.

use std::process::Stdio;

use segtui::demo::Options;
use segtui::segment::Segment;

use crate::desk::Workspace;

/// The segments that `export` gets from a demo server started with these arguments.
fn export_of_demo_server(workspace: &Workspace, arguments: &[&str]) -> Vec<Segment> {
    export_of(workspace, arguments, Stdio::null())
}

fn export_of(workspace: &Workspace, arguments: &[&str], stdin: Stdio) -> Vec<Segment> {
    use std::io::{BufRead, BufReader};
    use std::process::Command as Process;

    let mut server = Process::new(env!("CARGO_BIN_EXE_segtui"))
        .args(["serve-demo", "--tenant", "t", "--api-key", "k"])
        .args(arguments)
        .env_clear()
        .env("HOME", workspace.home.path())
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let (code, stdout, _) = workspace.run(&["export", "--base-url", url.trim(), "--tenant", "t", "--api-key", "k"]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(code, 0);
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn a_demo_server_by_itself_serves_another_segtui() {
    let segments = export_of_demo_server(&Workspace::new(), &["--segments", "40", "--envelope", "--page-cap", "7"]);
    assert_eq!(segments.len(), 40);
}

#[test]
fn a_demo_server_loads_a_file_that_export_has_written() {
    let workspace = Workspace::new();
    let file = workspace.home.path().join("segments.json");
    let path = file.to_str().unwrap();
    let segments = export_of_demo_server(&workspace, &["--segments", "30"]);
    std::fs::write(&file, serde_json::to_string(&segments).unwrap()).unwrap();
    assert_eq!(export_of_demo_server(&workspace, &["--load", path]), segments);
    // And in the other formats that can be read back.
    for form in ["ndjson", "csv", "outline"] {
        let fixture = crate::desk::Fixture::with(Options { load: Some(segments.clone()), ..Options::default() });
        let other = workspace.home.path().join(format!("segments.{form}"));
        let other = other.to_str().unwrap();
        assert_eq!(fixture.run(&["export", "--format", form, "-o", other]).0, 0);
        assert_eq!(export_of_demo_server(&workspace, &["--load", other]), segments, "{form}");
    }
    let loaded = export_of(&workspace, &["--load", "-"], std::fs::File::open(&file).unwrap().into());
    assert_eq!(loaded, segments);
    for (text, words) in [
        ("[{]", "line 1 column 3"),
        (
            r#"[{"id":"a","name":"","externalId":null,"parentSegmentId":null},{"id":"a","name":"","externalId":null,"parentSegmentId":null}]"#,
            "the ID a is in it twice",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let (code, _, stderr) = workspace.run(&["serve-demo", "--load", path]);
        assert!(code != 0 && stderr.contains("segments.json") && stderr.contains(words), "{code} {stderr}");
    }
}

#[test]
fn serve_demo_prints_only_the_url_and_exits_with_zero() {
    use std::io::{BufRead, BufReader};
    use std::process::Command as Process;

    use rustix::process::{Pid, Signal, kill_process};

    let workspace = Workspace::new();
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Process::new(env!("CARGO_BIN_EXE_segtui"))
            .args(["serve-demo", "-q"])
            .env_clear()
            .env("HOME", workspace.home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        kill_process(Pid::from_child(&server), signal).unwrap();
        let output = server.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    }
}
