//! The program without a screen: subcommands, exit codes, what goes to stdout and what to stderr.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fs;
use std::time::Duration;

use assert_cmd::Command;
use segtui::demo::{Options, Server};
use segtui::segment::Segment;
use tempfile::TempDir;

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Desk {
    home: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn segtui(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segtui"));
        command.env_clear().env("HOME", self.home.path()).args(arguments);
        command
    }

    /// Exit code, stdout and stderr.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&mut self.segtui(arguments))
    }
}

fn told(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn serving() -> (tokio::runtime::Runtime, Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(Options::default())).unwrap();
    (runtime, server)
}

#[test]
fn export_writes_every_segment_with_parents_first() {
    let (_runtime, server) = serving();
    let desk = Desk::new();
    let connection = ["--base-url", &server.base_url(), "--tenant", server.tenant(), "--api-key", server.api_key()];
    let (code, stdout, stderr) = desk.run(&[&["export", "--format", "json"], &connection[..]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let mut exported: Vec<Segment> = serde_json::from_str(&stdout).unwrap();
    for (at, segment) in exported.iter().enumerate() {
        let parent = segment.parent.as_ref().and_then(|id| exported.iter().position(|other| other.id == *id));
        assert!(parent.is_none_or(|parent| parent < at), "{segment:?} stands before its parent");
    }
    let mut there = server.segments();
    exported.sort_by(|a, b| a.id.cmp(&b.id));
    there.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(exported, there);
}

#[test]
fn export_into_a_file_says_nothing_and_replaces_it_whole() {
    let desk = Desk::new();
    let path = desk.home.path().join("segments.json");
    fs::write(&path, "former").unwrap();
    let (code, stdout, _) = desk.run(&["export", "--demo", "--output", path.to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (0, ""));
    let exported: Vec<Segment> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(exported.len() >= 280);
}

#[test]
fn export_writes_a_part_of_the_tree() {
    let desk = Desk::new();
    let (code, stdout, stderr) = desk.run(&["export", "--demo", "--root", "PL-10"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let exported: Vec<Segment> = serde_json::from_str(&stdout).unwrap();
    assert_eq!(exported[0].name, "Łódzkie");
    for segment in &exported[1..] {
        assert!(exported.iter().any(|other| Some(&other.id) == segment.parent.as_ref()), "{segment:?}");
    }
    let (code, by_id, _) = desk.run(&["export", "--demo", "--root", &exported[0].id.text()]);
    assert_eq!((code, by_id), (0, stdout));
    let (code, stdout, stderr) = desk.run(&["export", "--demo", "--root", "nowhere"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(stderr, "segtui: no segment with ID or external ID nowhere\n");
}

#[test]
fn export_draws_the_tree_in_each_form() {
    let desk = Desk::new();
    let drawn = |form: &str| {
        let (code, stdout, stderr) = desk.run(&["export", "--demo", "--format", form]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{form}");
        assert!(stdout.contains("Łódź Bałuty") && stdout.contains("parent missing"), "{form}: {stdout}");
        stdout
    };
    assert!(drawn("mermaid").starts_with("flowchart LR\n  n0"));
    let graph = drawn("dot");
    assert!(graph.starts_with("digraph segments {\n") && graph.ends_with("}\n"), "{graph}");
    let picture = drawn("svg");
    assert!(picture.starts_with("<svg xmlns=") && picture.contains("Segments of demo-wholesale"), "{picture}");
    let page = drawn("html");
    assert!(page.starts_with("<!doctype html>") && page.contains("default-src 'none'"), "{page}");
    assert_eq!(page, drawn("html"));
}

#[test]
fn who_has_seen_enough_of_a_picture_is_no_failure() {
    use std::process::{Command as Process, Stdio};

    let desk = Desk::new();
    for form in ["mermaid", "dot", "svg", "html"] {
        let mut child = Process::new(env!("CARGO_BIN_EXE_segtui"))
            .args(["export", "--demo", "--format", form])
            .env_clear()
            .env("HOME", desk.home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{form}: {output:?}");
    }
}

#[test]
fn the_tree_is_printed_for_reading() {
    let (code, stdout, _) = Desk::new().run(&["tree", "--demo"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("   ├─ Łódzkie  [PL-10]\n   │  ├─ Łódź  [PL-10-1]\n   │  │  ├─ Łódź Bałuty"), "{stdout}");
    assert!(
        stdout.contains("Orphans: parent missing:\n└─ (crm-2019-import)\n   └─ Klienci z dawnego CRM  [CRM-OLD]\n")
    );
}

#[test]
fn wrong_usage_and_wrong_configuration_are_two() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["--no-such-flag"]).0, 2);
    assert_eq!(desk.run(&["export", "--format", "xml"]).0, 2);
    assert_eq!(desk.run(&["export"]).0, 2);
    let folder = desk.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "[profiles.a]\ntenant = 7\n").unwrap();
    let (code, _, stderr) = desk.run(&["export"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("config.toml:2:10: invalid type: integer `7`, expected a string"), "{stderr}");
    let (code, _, stderr) = desk.run(&[
        "tree",
        "--base-url",
        "http://one.example",
        "--tenant",
        "t",
        "--api-key",
        "k",
        "--config",
        "/dev/null",
    ]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--insecure-http"), "{stderr}");
}

#[test]
fn a_server_that_can_not_be_reached_is_one_and_says_why() {
    let desk = Desk::new();
    // Nobody listens on the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (code, stdout, stderr) = desk.run(&["export", "--base-url", &url, "--tenant", "t", "--api-key", "hunter2"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("couldn't load the segments") && stderr.contains("server unreachable"), "{stderr}");
}

#[test]
fn a_wrong_key_is_told_in_the_servers_words_and_never_shown() {
    let (_runtime, server) = serving();
    let desk = Desk::new();
    let log = desk.home.path().join("log");
    let (code, _, stderr) = desk.run(&[
        "export",
        "--base-url",
        &server.base_url(),
        "--tenant",
        server.tenant(),
        "--api-key",
        "hunter2",
        "--log-level",
        "trace",
        "--log-file",
        log.to_str().unwrap(),
    ]);
    assert_eq!(code, 1);
    assert!(stderr.contains("401") && stderr.contains("is not valid for this tenant"), "{stderr}");
    let logged = fs::read_to_string(log).unwrap();
    assert!(logged.contains("failed"), "{logged}");
    assert!(!stderr.contains("hunter2") && !logged.contains("hunter2"));
}

#[test]
fn the_tree_in_the_terminal_says_so_when_there_is_none() {
    let (code, _, stderr) = Desk::new().run(&["--demo"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("needs a terminal"), "{stderr}");
}

#[test]
fn faults_in_keys_and_themes_are_told_with_their_place_also_by_the_demo() {
    let desk = Desk::new();
    let folder = desk.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    for (text, expected) in [
        ("[keys]\nfimd = \"f\"\n", "config.toml:2:1: unknown action `fimd`; did you mean `find`?"),
        ("theme = \"neon\"\n", "config.toml:1:9: unknown theme `neon`; expected dark"),
    ] {
        fs::write(&file, text).unwrap();
        let (code, _, stderr) = desk.run(&["--demo"]);
        assert_eq!(code, 2);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn the_themes_are_in_the_help() {
    let (_, stdout, _) = Desk::new().run(&["--help"]);
    assert!(stdout.contains("--theme <NAME>") && stdout.contains("high-contrast"), "{stdout}");
    assert!(stdout.contains("SEGTUI_THEME"), "{stdout}");
    assert_eq!(Desk::new().run(&["--theme", "neon", "--demo"]).0, 2);
}

#[test]
fn the_environment_is_enough() {
    let (_runtime, server) = serving();
    let desk = Desk::new();
    let mut command = desk.segtui(&["export"]);
    command.env("SEGTUI_BASE_URL", server.base_url() + "/api/v1/account/integrations/auth-required/");
    command.env("SEGTUI_TENANT", server.tenant()).env("SEGTUI_API_KEY", server.api_key());
    assert_eq!(told(&mut command).0, 0);
}

/// What `export` has of a demo server that was started with these arguments.
fn export_of_demo_server(desk: &Desk, arguments: &[&str]) -> Vec<Segment> {
    use std::io::{BufRead, BufReader};
    use std::process::{Command as Process, Stdio};

    let mut server = Process::new(env!("CARGO_BIN_EXE_segtui"))
        .args(["serve-demo", "--tenant", "t", "--api-key", "k"])
        .args(arguments)
        .env_clear()
        .env("HOME", desk.home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let (code, stdout, _) = desk.run(&["export", "--base-url", url.trim(), "--tenant", "t", "--api-key", "k"]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(code, 0);
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn a_demo_server_by_itself_serves_another_segtui() {
    let segments = export_of_demo_server(&Desk::new(), &["--segments", "40", "--envelope", "--page-cap", "7"]);
    assert_eq!(segments.len(), 40);
}

#[test]
fn a_demo_server_begins_with_the_segments_of_a_file_that_export_has_written() {
    let desk = Desk::new();
    let file = desk.home.path().join("segments.json");
    let path = file.to_str().unwrap();
    let segments = export_of_demo_server(&desk, &["--segments", "30"]);
    std::fs::write(&file, serde_json::to_string(&segments).unwrap()).unwrap();
    assert_eq!(export_of_demo_server(&desk, &["--load", path]), segments);
    for (text, words) in [
        ("[{]", "line 1 column 3"),
        (
            r#"[{"id":"a","name":"","externalId":null,"parentSegmentId":null},{"id":"a","name":"","externalId":null,"parentSegmentId":null}]"#,
            "the ID a is in it twice",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let (code, _, stderr) = desk.run(&["serve-demo", "--load", path]);
        assert!(code != 0 && stderr.contains("segments.json") && stderr.contains(words), "{code} {stderr}");
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_and_what_to_configure_is_told() {
    let desk = Desk::new();
    for arguments in [&[][..], &["tree"], &["export"]] {
        let (code, stdout, stderr) = desk.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("no tenant is configured yet") && stderr.contains("SEGTUI_BASE_URL"), "{stderr}");
        assert!(stderr.contains("start segtui in a terminal"), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn export_into_a_pipe_or_through_a_link_replaces_neither() {
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, symlink};

    let desk = Desk::new();
    let (pipe, target, link) =
        (desk.home.path().join("pipe"), desk.home.path().join("target"), desk.home.path().join("link"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let mut text = String::new();
            fs::File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
            text
        })
    };
    assert_eq!(desk.run(&["export", "--demo", "--output", pipe.to_str().unwrap()]).0, 0);
    assert!(serde_json::from_str::<Vec<Segment>>(&reader.join().unwrap()).is_ok());
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

    fs::write(&target, "former").unwrap();
    symlink(&target, &link).unwrap();
    assert_eq!(desk.run(&["export", "--demo", "--output", link.to_str().unwrap()]).0, 0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(serde_json::from_str::<Vec<Segment>>(&fs::read_to_string(&target).unwrap()).is_ok());

    let log = desk.home.path().join("log");
    fs::write(&log, "former\n").unwrap();
    let mut appending = std::process::Command::new(env!("CARGO_BIN_EXE_segtui"));
    appending.env_clear().env("HOME", desk.home.path()).args(["export", "--demo", "--output", "/dev/stdout"]);
    appending.stdout(fs::OpenOptions::new().append(true).open(&log).unwrap());
    assert!(appending.status().unwrap().success());
    let text = fs::read_to_string(&log).unwrap();
    let segments = text.strip_prefix("former\n").expect("what was there stays");
    assert!(serde_json::from_str::<Vec<Segment>>(segments).is_ok());
    let (code, stdout, stderr) = desk.run(&["export", "--demo", "--output", "/dev/stdout"]);
    assert!(code == 0 && stdout.starts_with('['), "{code} {stderr}");

    let (code, stdout, _) = desk.run(&["export", "--demo", "--output", "-"]);
    assert!(code == 0 && stdout.starts_with('['), "{code}");
    assert!(!std::path::Path::new("-").exists());
}

/// A server with a page that comes empty although later ones do not.
async fn with_a_hole() -> wiremock::MockServer {
    use wiremock::matchers::{method, path_regex, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    let server = MockServer::start().await;
    let answer = |body: serde_json::Value| ResponseTemplate::new(200).set_body_json(body);
    let feed = Mock::given(method("GET")).and(path_regex("synchronization"));
    feed.respond_with(answer(serde_json::json!({"nextId": 1, "events": []}))).mount(&server).await;
    for (page, ids) in [("1", ["a", "b"]), ("3", ["c", "d"])] {
        let entries: Vec<_> = ids.iter().map(|id| serde_json::json!({"id": id, "name": id})).collect();
        let page = Mock::given(method("GET")).and(query_param("pageNumber", page));
        page.respond_with(answer(entries.into())).mount(&server).await;
    }
    let others = Mock::given(method("GET")).and(path_regex("segments$"));
    others.respond_with(answer(serde_json::json!([]))).with_priority(9).mount(&server).await;
    server
}

#[test]
fn a_list_with_a_hole_is_written_and_does_not_end_well() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(with_a_hole());
    let desk = Desk::new();
    let connection = ["--base-url", &server.uri(), "--tenant", "acme", "--api-key", "key-of-acme"];
    for command in [["export", "--format", "json"].as_slice(), &["tree"]] {
        let (code, stdout, stderr) = desk.run(&[command, &connection[..]].concat());
        assert_eq!(code, 8, "{stderr}");
        assert!(stderr.contains("page 2 was empty although later pages were not"), "{stderr}");
        assert!(["a", "b", "c", "d"].iter().all(|id| stdout.contains(id)), "{stdout}");
    }
}

#[test]
fn with_few_open_files_it_makes_room_or_says_what_to_do_and_never_panics() {
    let desk = Desk::new();
    let under = |limit: &str, number: u32| {
        let mut command = Command::new("sh");
        command.env_clear().env("HOME", desk.home.path()).env("PATH", std::env::var("PATH").unwrap());
        let script = format!("ulimit {limit} {number} && exec '{}' tree --demo", env!("CARGO_BIN_EXE_segtui"));
        told(command.args(["-c", &script]))
    };
    for number in 3..24 {
        let (code, stdout, stderr) = under("-n", number);
        assert!(!stderr.contains("panicked"), "{number}: {stderr}");
        assert_eq!((code, stdout.as_str()), (if number < 4 { code } else { 1 }, ""), "{number}: {stderr}");
        // Below that, no program finds its libraries.
        if number > 4 {
            let words =
                format!("segtui: only {number} files may be open at once and 64 are needed: raise `ulimit -n`\n");
            assert_eq!(stderr, words);
        }
    }
    let (code, _, stderr) = under("-S -n", 8);
    assert_eq!((code, stderr.as_str()), (0, ""), "it may raise that itself");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let desk = Desk::new();
    let pipe = |place: &str| {
        let path = desk.home.path().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let log = pipe(".local/state/segtui/segtui.log");
    let (code, _, stderr) = told(desk.segtui(&["tree", "--demo"]).timeout(PATIENCE));
    assert_eq!((code, stderr), (0, format!("segtui: logging is off: couldn't open {}: it is a pipe\n", log.display())));
    let (code, _, stderr) =
        told(desk.segtui(&["tree", "--demo", "--log-file", log.to_str().unwrap()]).timeout(PATIENCE));
    assert_eq!(code, 1, "{stderr}");
    fs::remove_file(log).unwrap();
    let config = pipe(".config/segtui/config.toml");
    let (code, _, stderr) = told(desk.segtui(&["tree"]).timeout(PATIENCE));
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains(&format!("couldn't read the configuration {}: it is a pipe", config.display())),
        "{stderr}"
    );
}
