//! Running the program in a folder of its own, and demo servers for it.

use std::time::Duration;

use assert_cmd::Command;
use segtui::demo::{Options, Server};
use tempfile::TempDir;

/// More than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A home folder, and the program run in it with no other environment.
pub struct Desk {
    pub home: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub fn segtui(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segtui"));
        command.env_clear().env("HOME", self.home.path()).args(arguments);
        command
    }

    /// Exit code, stdout and stderr.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&mut self.segtui(arguments))
    }
}

pub fn told(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

pub fn serving() -> (tokio::runtime::Runtime, Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(Options::default())).unwrap();
    (runtime, server)
}
