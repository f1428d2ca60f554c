//! The program run in its own home folder, and demo servers for it.

use std::fs;
use std::io::{Read, Write};
use std::ops::Deref;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use assert_cmd::Command;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use segtui::demo::{Options, Server};
use segtui::segment::{Segment, SegmentId};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::site::ServerRuntime;

/// More than anything here takes.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A home folder, and the program run in it with no other environment.
pub struct Workspace {
    pub home: TempDir,
}

impl Workspace {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    /// Writes the configuration, which only the user can read.
    pub fn configure(&self, text: &str) -> PathBuf {
        let path = self.home.path().join(".config/segtui/config.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn segtui(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segtui"));
        command.env_clear().env("HOME", self.home.path()).args(arguments);
        command
    }

    /// Exit code, stdout and stderr.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        output_of(&mut self.segtui(arguments))
    }
}

pub fn output_of(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The exit code and the output of a command that gets this answer at a terminal.
pub fn in_terminal(
    workspace: &Workspace,
    arguments: &[&str],
    variables: &[(&str, String)],
    answer: &str,
) -> (u32, String) {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_segtui"));
    command.args(arguments);
    command.env_clear();
    command.env("HOME", workspace.home.path());
    for (name, value) in variables {
        command.env(name, value);
    }
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let output = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // Some systems report the end as an error.
        let _ended = reader.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let mut writer = pair.master.take_writer().unwrap();
    writer.write_all(answer.as_bytes()).unwrap();
    let code = child.wait().unwrap().exit_code();
    drop((writer, pair.master));
    (code, output.join().unwrap())
}

pub fn start_server() -> (Runtime, Server) {
    start_server_with(Options::default())
}

pub fn start_server_with(options: Options) -> (Runtime, Server) {
    let ServerRuntime { runtime, server } = ServerRuntime::with(options);
    (runtime, server)
}

/// A tenant of these segments: ID, name, external ID and parent, `""` for none.
pub fn tenant_of(segments: &[[&str; 4]]) -> Options {
    let segment = |[id, name, external_id, parent]: &[&str; 4]| Segment {
        id: SegmentId::new(id).unwrap(),
        name: (*name).into(),
        external_id: (!external_id.is_empty()).then(|| (*external_id).into()),
        parent: SegmentId::new(parent),
    };
    Options { load: Some(segments.iter().map(segment).collect()), tenant: "acme".into(), ..Options::default() }
}

/// Segments with every kind of fault, and with everything that a format has to escape.
pub fn troubled() -> Vec<Segment> {
    let segment = |[id, name, external_id, parent]: [&str; 4]| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let fields = serde_json::json!({
            "id": id, "name": name, "externalId": some(external_id), "parentSegmentId": some(parent),
        });
        serde_json::from_value(fields).unwrap()
    };
    [
        ["pl", "Polska", "PL", ""],
        ["pl-10", "Łódzkie", "PL-10", "pl"],
        ["pl-10-1", "Łódź", "007", "pl-10"],
        ["pl-24", "Śląskie", "", "pl"],
        ["vip", "A/B; \"VIP\", <new>", "=1+1", ""],
        ["smile", "Smile 🙂 two\nlines", "SEPT2", "vip"],
        ["blank", " ", "", "vip"],
        ["twin-1", "Twin", "TWIN", "vip"],
        ["twin-2", "Twin", "TWIN", "vip"],
        ["orphan", "Orphan", "", "gone"],
        ["egg", "Egg", "", "hen"],
        ["hen", "Hen", "", "egg"],
        ["bell", "Esc\u{1b}[2Jape", "", ""],
    ]
    .map(segment)
    .into()
}

/// A server with these segments, and a desk whose environment says how to reach it.
pub struct Fixture {
    pub workspace: Workspace,
    site: ServerRuntime,
}

impl Deref for Fixture {
    type Target = ServerRuntime;

    fn deref(&self) -> &ServerRuntime {
        &self.site
    }
}

impl Fixture {
    pub fn new() -> Self {
        Self::with(Options { load: Some(troubled()), ..Options::default() })
    }

    pub fn with(options: Options) -> Self {
        Self { workspace: Workspace::new(), site: ServerRuntime::with(options) }
    }

    pub fn segtui(&self, arguments: &[&str]) -> Command {
        let mut command = self.workspace.segtui(arguments);
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command
    }

    /// Exit code, stdout and stderr.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        output_of(&mut self.segtui(arguments))
    }

    /// The commands and their output in sequence, as a user would see them.
    pub fn transcript(&self, commands: &[&[&str]]) -> String {
        let address = self.server.base_url().trim_start_matches("http://").to_owned();
        let home = self.workspace.home.path().display().to_string();
        let mut transcript = String::new();
        for arguments in commands {
            let (code, stdout, stderr) = self.run(arguments);
            let shown: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
            transcript.extend(["$ segtui ", &shown.join(" "), "\n", &stdout]);
            if !stdout.is_empty() && !stdout.ends_with('\n') {
                transcript.push_str("[no end of line]\n");
            }
            transcript.extend(stderr.lines().map(|line| format!("stderr: {line}\n")));
            transcript.extend(["exit: ", &code.to_string(), "\n\n"]);
        }
        transcript.replace(&address, "HOST").replace(&home, "HOME")
    }
}

fn quoted(argument: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-=:/_.,".contains(character);
    if !argument.is_empty() && argument.chars().all(is_plain) { argument.into() } else { format!("'{argument}'") }
}
