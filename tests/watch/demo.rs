//! A demo server and the `segtui watch` processes that follow it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use segtui::demo::{Actor, ChangeRequest, Fields, Options};
use segtui::segment::SegmentId;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::ServerRuntime;

/// Long enough for a busy machine; no test waits for it unless something is wrong.
pub const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Demo {
    site: ServerRuntime,
    pub home: TempDir,
}

impl Deref for Demo {
    type Target = ServerRuntime;

    fn deref(&self) -> &ServerRuntime {
        &self.site
    }
}

impl Demo {
    pub fn start() -> Self {
        Self { site: ServerRuntime::with(Options::default()), home: tempfile::tempdir().unwrap() }
    }

    pub fn change(&self, actor: Actor, wish: ChangeRequest) -> SegmentId {
        let _guard = self.runtime.enter();
        self.server.change(actor, wish).unwrap()
    }

    pub fn rename(&self, from: &str, to: &str) {
        let segment = self.server.segments().into_iter().find(|segment| segment.name == from).unwrap();
        self.change(
            Actor::Backoffice,
            ChangeRequest::Update(segment.id.clone(), Fields { name: to.into(), ..Fields::of(&segment) }),
        );
    }

    pub fn watch(&self, arguments: &[&str]) -> Watch {
        let mut child = Command::new(env!("CARGO_BIN_EXE_segtui"))
            .args(["watch", "--poll", "0.2"])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.home.path())
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Watch { child, stdout, stderr }
    }

    /// Creates a segment and returns its ID.
    pub fn create(&self, name: &str) -> SegmentId {
        let fields = Fields { name: name.into(), external_id: None, parent: None };
        self.change(Actor::Backoffice, ChangeRequest::Create(fields))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Starts a watch and waits until it reports that it is watching.
    pub fn watching(&self, arguments: &[&str]) -> Watch {
        let mut watch = self.watch(arguments);
        assert!(watch.stderr_line().contains("watching demo-wholesale from step"));
        watch
    }
}

pub struct Watch {
    pub child: Child,
    pub stdout: Option<BufReader<ChildStdout>>,
    stderr: BufReader<ChildStderr>,
}

impl Watch {
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    pub fn stderr_line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// The next line on stderr that contains a text.
    pub fn stderr_line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.stderr_line();
            assert!(!line.is_empty(), "stderr ended without: {text}");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Kills it without warning, as a power failure would.
    pub fn killed(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends, and returns its exit code and the rest of stderr.
    pub fn ended(mut self) -> (i32, String) {
        let until = Instant::now() + TIMEOUT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "it does not end");
            thread::sleep(Duration::from_millis(10));
        };
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (status.code().unwrap(), rest)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may already have ended.
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Waits until a condition holds.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < until, "this doesn't come: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The step in a state file, if there is one.
pub fn step(path: &std::path::Path) -> Option<i64> {
    serde_json::from_str::<Value>(&fs::read_to_string(path).ok()?).unwrap()["step"].as_i64()
}
