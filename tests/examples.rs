//! The examples do what their pages say: each is run with the real program against a demo server.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use segtui::demo::{Options, Server};
use segtui::segment::Segment;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(30);

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(path)
}

/// A tenant with a few groups of an ERP, and a folder to work in.
struct ExampleFixture {
    folder: TempDir,
    server: Server,
    _runtime: Runtime,
}

impl ExampleFixture {
    fn new() -> Self {
        let segments = r#"[
            {"id":"erp","name":"ERP","externalId":"ERP","parentSegmentId":null},
            {"id":"pl","name":"Polska","externalId":"PL","parentSegmentId":"erp"},
            {"id":"de","name":"Niemcy","externalId":"DE","parentSegmentId":"erp"},
            {"id":"old","name":"Old","externalId":"OLD","parentSegmentId":"erp"},
            {"id":"own","name":"Made by hand","externalId":null,"parentSegmentId":null}
        ]"#;
        let load: Vec<Segment> = serde_json::from_str(segments).unwrap();
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(Server::start(Options { load: Some(load), ..Options::default() })).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), server, _runtime: runtime }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// A command with `segtui` on its `PATH` and the variables to reach the server.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let segtui = Path::new(env!("CARGO_BIN_EXE_segtui")).parent().unwrap();
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", segtui.display()))
            .env("HOME", self.folder.path())
            .env("SEGTUI_BASE_URL", self.server.base_url())
            .env("SEGTUI_TENANT", self.server.tenant())
            .env("SEGTUI_API_KEY", self.server.api_key())
            .current_dir(self.folder.path());
        command
    }

    fn script(&self, path: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.command(example(path)).args(arguments).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
    }

    /// The names on the server, in order.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.server.segments().into_iter().map(|segment| segment.name.into()).collect();
        names.sort();
        names
    }
}

#[test]
fn the_nightly_import_applies_a_file_and_nothing_else() {
    let fixture = ExampleFixture::new();
    fixture.write("groups.csv", "name;externalId;parentExternalId\nPolska;PL;ERP\nŁódź;PL-10;PL\nNiemcy;DE;ERP\n");
    let (code, output) = fixture.script("nightly-import/import.sh", &["groups.csv", "results"]);
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(fixture.names(), ["ERP", "Made by hand", "Niemcy", "Polska", "Łódź"]);
    assert!(fixture.read("results/ids.csv").contains("PL-10,"), "{}", fixture.read("results/ids.csv"));
    assert_eq!(fixture.read("results/report.ndjson").lines().count(), 2);
    assert_eq!(fixture.read("results/left.csv").lines().count(), 1, "the heading alone");
    let mut again = fixture.command(env!("CARGO_BIN_EXE_segtui"));
    let status = again.args(["apply", "results/left.csv", "--yes"]).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(6), "as its page says of a file without rows");

    let requests = fixture.server.history().len();
    let (code, output) = fixture.script("nightly-import/import.sh", &["groups.csv", "results"]);
    assert_eq!((code, fixture.server.history().len()), (Some(0), requests), "a second run changes nothing: {output}");

    fixture.write("groups.csv", "name;externalId;parentExternalId\nPolska;PL;ERP\n ;PL-11;PL\nOpole;PL;ERP\n");
    let (code, output) = fixture.script("nightly-import/import.sh", &["groups.csv", "results"]);
    assert_eq!((code, fixture.server.history().len()), (Some(2), requests), "{output}");
    assert!(output.contains("groups.csv:3: error[blank-name]") && output.contains("was not imported"), "{output}");
}

#[test]
fn the_nightly_import_units_read_the_key_from_a_file() {
    let service = fs::read_to_string(example("nightly-import/segtui-import.service")).unwrap();
    let setting = |name: &str| -> Vec<&str> { service.lines().filter_map(|line| line.strip_prefix(name)).collect() };
    assert_eq!(setting("ExecStart=").len(), 1);
    assert!(setting("ExecStart=")[0].contains("/import.sh "));
    assert!(setting("Environment=").contains(&"SEGTUI_API_KEY_FILE=%d/api-key"), "{service}");
    assert!(!service.contains("SEGTUI_API_KEY="), "the unit can be read by everybody");
    // The page says how long it retries when the server is unreachable.
    assert_eq!((setting("Restart="), setting("RestartSec=")), (vec!["on-failure"], vec!["10min"]));
    let never = setting("RestartPreventExitStatus=").concat();
    assert!(!never.split(' ').any(|code| code == "7"), "{never}");
    assert!(setting("RestartForceExitStatus=").is_empty(), "systemd refuses a oneshot service that has it");
    assert_eq!((setting("StartLimitIntervalSec="), setting("StartLimitBurst=")), (vec!["12h"], vec!["7"]));
    let page = fs::read_to_string(example("nightly-import/README.md")).unwrap();
    assert!(page.contains("every ten minutes, six times"), "{page}");
    let timer = fs::read_to_string(example("nightly-import/segtui-import.timer")).unwrap();
    assert!(timer.contains("OnCalendar=") && timer.contains("Persistent=yes"));
}

#[test]
fn the_watch_service_keeps_a_state_and_stops_cleanly() {
    let service = fs::read_to_string(example("watch-service/segtui-watch.service")).unwrap();
    let setting = |name: &str| -> Vec<&str> { service.lines().filter_map(|line| line.strip_prefix(name)).collect() };
    assert!(setting("Environment=").contains(&"SEGTUI_API_KEY_FILE=%d/api-key"), "{service}");
    assert!(!service.contains("SEGTUI_API_KEY="), "the unit can be read by everybody");
    let never = setting("RestartPreventExitStatus=").concat();
    assert!(!never.split(' ').any(|code| code == "7" || code == "1"), "{never}");

    let fixture = ExampleFixture::new();
    fixture.write("post-secret", "hunter2\n");
    fs::set_permissions(fixture.folder.path().join("post-secret"), fs::Permissions::from_mode(0o600)).unwrap();
    let command =
        setting("ExecStart=").concat().replace("${STATE_DIRECTORY}", ".").replace("${CREDENTIALS_DIRECTORY}", ".");
    let (program, arguments) = command.split_once(' ').unwrap();
    assert_eq!(program, "/usr/local/bin/segtui");
    let mut watch = fixture.command("segtui").args(arguments.split(' ')).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(watch.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("segtui: watching "), "{line}");
    assert!(Command::new("kill").arg(watch.id().to_string()).status().unwrap().success());
    let code = watch.wait().unwrap().code().unwrap();
    assert_eq!(setting("SuccessExitStatus="), [code.to_string()]);
    assert!(fixture.read("erp.state").contains("\"step\""));
}

#[test]
fn the_pipeline_plans_first_and_applies_that_plan() {
    let fixture = ExampleFixture::new();
    fixture.write("groups.csv", "id,name,externalId\npl,Poland,PL\nold,Older,OLD\n");
    let (code, output) = fixture.script("pipeline/plan.sh", &["groups.csv", "plan.json"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("~ update  /ERP/Polska") && output.contains("2 to update"), "{output}");
    assert!(fixture.server.history().is_empty(), "a plan changes nothing");

    let (code, output) = fixture.script("pipeline/apply.sh", &["plan.json", "somebody", "report.ndjson"]);
    assert_eq!(code, Some(6), "{output}");
    let tenant = fixture.server.tenant().to_owned();
    let (code, output) = fixture.script("pipeline/apply.sh", &["plan.json", &tenant, "report.ndjson"]);
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(fixture.names(), ["ERP", "Made by hand", "Niemcy", "Older", "Poland"]);
    assert_eq!(fixture.read("report.ndjson").lines().count(), 2);

    fixture.write("groups.csv", "id,name\npl,\n");
    let (code, output) = fixture.script("pipeline/plan.sh", &["groups.csv", "plan.json"]);
    assert_eq!(code, Some(3), "{output}");
}

#[test]
fn the_pipeline_names_scripts_that_are_there() {
    let pipeline = fs::read_to_string(example("pipeline/.gitlab-ci.yml")).unwrap();
    let scripts: Vec<&str> = pipeline.lines().filter_map(|line| line.trim().strip_prefix("- ./")).collect();
    assert_eq!(scripts.len(), 2);
    for script in scripts {
        let name = script.split(' ').next().unwrap();
        assert!(example("pipeline").join(name).is_file(), "{name}");
    }
}

/// A process that is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// The built webhook receiver; cargo puts examples next to the folder of the tests.
fn webhook_receiver() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/webhook-receiver");
    assert!(
        program.is_file(),
        "it is built by `cargo test`, and by itself with `cargo build --example webhook-receiver`"
    );
    program
}

#[test]
fn the_webhook_receiver_takes_each_signed_change_once() {
    let fixture = ExampleFixture::new();
    let secret = ("SEGTUI_POST_SECRET", "an example of a secret");
    let start = || -> (Running, std::io::Lines<BufReader<std::process::ChildStdout>>, String) {
        let mut command = Command::new(webhook_receiver());
        let arguments = ["127.0.0.1:0".into(), fixture.folder.path().join("receiver.json")];
        let mut child = command.env(secret.0, secret.1).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = lines.next().unwrap().unwrap();
        let url = format!("http://{}/", listening.strip_prefix("listening on ").unwrap());
        (Running(child), lines, url)
    };
    let (receiver, mut lines, url) = start();
    let state = fixture.folder.path().join("watch.state");
    let watch = |url: &str| {
        let mut command = fixture.command(env!("CARGO_BIN_EXE_segtui"));
        command.args(["watch", "--poll", "0.2", "--post", url, "--state"]).arg(&state).env(secret.0, secret.1);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let watching = watch(&url);
    wait_until(|| state.exists());
    fixture.write("groups.csv", "id,name\npl,Poland\nde,Germany\nown,Own\n");
    let (code, output) = fixture.script("pipeline/plan.sh", &["groups.csv", "plan.json"]);
    assert_eq!(code, Some(0), "{output}");
    let (code, output) = fixture.script("pipeline/apply.sh", &["plan.json", fixture.server.tenant(), "report.ndjson"]);
    assert_eq!(code, Some(0), "{output}");
    // Changes reported at once may share a step, so their order isn't fixed.
    let mut changes: Vec<String> = lines.by_ref().take(3).map(Result::unwrap).collect();
    changes.sort_unstable();
    assert_eq!(changes, ["update de", "update own", "update pl"]);
    drop((watching, receiver));

    // A replayed or altered request is refused.
    let (_receiver, _lines, url) = start();
    let body = r#"{"kind":"delete","id":"pl","segment":null}"#;
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let (length, signature) = (body.len(), "segtui-signature: t=1,v1=00");
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{signature}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let known: serde_json::Value = serde_json::from_str(&fixture.read("receiver.json")).unwrap();
    assert_eq!(known["pl"]["name"], "Poland");
}

#[track_caller]
fn wait_until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < TIMEOUT, "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}
