//! Runs every command that the README, the pages about commands, configuration and containers, and the Containerfile
//! show, as written there, against a demo server.
//!
//! Not run here: the two commands of the README that build the program are run by packaging/first-hour.sh, by hand, and
//! what the first one opens by the tests in a real terminal. Commands in a container are run without one;
//! packaging/container.sh builds it. What opens the tree is run without a terminal, which only shows that its arguments
//! are accepted. The URL of `--post` doesn't exist, so nothing is posted; tests/watch and tests/examples.rs have
//! receivers.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use segtui::demo::{Actor, ChangeRequest, Fields, Options};

use crate::desk::{Fixture, TIMEOUT, tenant_of};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    /// It ends with this code.
    Code(i32),
    /// Without a terminal it can't ask, so it sends nothing; with `--yes` it ends with 0.
    NeedsConfirmation,
    /// It runs until it is stopped, and prints this once it has begun.
    KeepsRunning(&'static str),
    /// It opens the tree, for which there is no terminal.
    OpensInterface,
    /// It is not run here.
    NotRun,
}

/// Commands that don't just end with 0, by how they begin.
const SPECIAL_CASES: &[(&str, Expected)] = &[
    ("cargo run", Expected::NotRun),
    ("cargo install", Expected::NotRun),
    ("segtui apply", Expected::NeedsConfirmation),
    ("segtui undo", Expected::NeedsConfirmation),
    // The demo tenant has faults for it to find.
    ("segtui check --exit-code", Expected::Code(3)),
    // Only the tree writes the cache, and it needs a terminal.
    ("segtui diff store:", Expected::NotRun),
    ("segtui serve-demo", Expected::KeepsRunning("http://127.0.0.1:")),
    ("segtui watch", Expected::KeepsRunning("watching ")),
    ("segtui --demo", Expected::OpensInterface),
];

fn expected(line: &str) -> Expected {
    if line == "segtui" {
        return Expected::OpensInterface;
    }
    SPECIAL_CASES.iter().find(|(begin, _)| line.starts_with(begin)).map_or(Expected::Code(0), |(_, expected)| *expected)
}

fn text_of(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap()
}

/// The commands in a page's shell blocks.
fn commands(page: &str) -> Vec<String> {
    let text = text_of(page);
    let blocks = text.split("```").filter_map(|block| block.strip_prefix("sh\n"));
    let lines = blocks.flat_map(str::lines).filter(|line| !line.starts_with("export ") && !line.trim().is_empty());
    lines.map(str::to_owned).collect()
}

/// The program's commands in a page's blocks and between its backticks, or in the comments of a file that is no page.
/// Commands for a container are run without one.
fn mentioned(page: &str) -> Vec<String> {
    let text = text_of(page);
    let own = |line: &str| match line.strip_prefix("podman run ") {
        Some(rest) => rest.split_once(" segtui ").map(|(_, arguments)| format!("segtui {arguments}")),
        None => (line == "segtui" || line.starts_with("segtui ")).then(|| line.to_owned()),
    };
    if !text.contains("```") {
        return text.lines().filter_map(|line| own(line.strip_prefix("#   ")?)).collect();
    }
    let (mut found, mut in_block) = (Vec::new(), false);
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            found.extend(own(line));
        } else {
            // The program's name by itself is no command there.
            found.extend(line.split('`').skip(1).step_by(2).filter(|words| *words != "segtui").filter_map(own));
        }
    }
    found
}

/// A user who works through a page, with the files that it mentions and two profiles.
struct Reader {
    fixture: Fixture,
    _preprod: Fixture,
}

impl Reader {
    fn new() -> Self {
        let fixture = Fixture::with(Options::default());
        let home = fixture.workspace.home.path();
        fs::create_dir_all(home.join(".local/share/bash-completion/completions")).unwrap();
        let preprod = Fixture::with(tenant_of(&[["ro", "Rumunia", "RO", ""], ["ro-1", "Bukareszt", "RO-1", "ro"]]));
        let profile = |name: &str, fixture: &Fixture| {
            let [(_, base_url), (_, tenant), (_, key)] = fixture.variables();
            format!("[profiles.{name}]\nbase_url = \"{base_url}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\n")
        };
        let profiles = profile("prod", &fixture) + &profile("preprod", &preprod);
        fixture.workspace.configure(&format!("default_profile = \"prod\"\n{profiles}"));
        fs::write(home.join("groups.csv"), "externalId,name\nPL-10,Łódzkie i okolice\n").unwrap();
        let script = home.join("on-change.sh");
        fs::write(&script, "#!/bin/sh\nexec cat >> changes\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Self { fixture, _preprod: preprod }
    }

    fn shell(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_segtui")).parent().unwrap();
        let home = self.fixture.workspace.home.path();
        let mut command = Command::new("sh");
        command.args(["-c", line]).env_clear().current_dir(home).env("HOME", home);
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()));
        command.stdin(Stdio::null()).env("EDITOR", "true");
        command
    }

    /// Waits until a file in the home contains a text.
    #[track_caller]
    fn wait_until_contains(&self, file: &str, text: &str, running: &mut Child, line: &str) {
        let started = Instant::now();
        let read = |file: &str| fs::read_to_string(self.fixture.workspace.home.path().join(file)).unwrap_or_default();
        while !read(file).contains(text) {
            let output = || read("out") + &read("err");
            assert_eq!(running.try_wait().unwrap(), None, "{line}\n{}", output());
            assert!(started.elapsed() < TIMEOUT, "{line}: no {text:?}\n{}", output());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a command that doesn't end by itself until it has begun and, if it watches, until it has handled a change.
    #[track_caller]
    fn keeps_running(&self, line: &str, says: &str) {
        let home = self.fixture.workspace.home.path();
        let [out, err] = ["out", "err"].map(|name| fs::File::create(home.join(name)).unwrap());
        let mut running = self.shell(&format!("exec {line}")).stdout(out).stderr(err).spawn().unwrap();
        let said_in = if line.contains("serve-demo") { "out" } else { "err" };
        self.wait_until_contains(said_in, says, &mut running, line);
        if line.contains(" watch ") {
            let name = format!("Zmiana {}", self.fixture.server.history().len());
            let fields = Fields { name: name.as_str().into(), external_id: None, parent: None };
            self.fixture.server.change(Actor::Backoffice, ChangeRequest::Create(fields)).unwrap();
            if line.contains(" --exec ") {
                self.wait_until_contains("changes", &name, &mut running, line);
            } else if !line.contains(" --post ") {
                self.wait_until_contains("out", &name, &mut running, line);
            }
        }
        running.kill().unwrap();
        running.wait().unwrap();
    }

    #[track_caller]
    fn ends_with(&self, code: i32, line: &str) {
        let Output { status, stdout, stderr } = self.shell(line).output().unwrap();
        let output = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(code), "{line}\n{output}");
    }

    #[track_caller]
    fn run(&self, line: &str) {
        // The program that reads the output may not be installed here.
        let line = ["| jq", "| man"].into_iter().fold(line, |line, reader| line.split(reader).next().unwrap_or(line));
        match expected(line) {
            Expected::NotRun => {}
            Expected::Code(code) => self.ends_with(code, line),
            Expected::NeedsConfirmation => {
                let before = self.fixture.server.history().len();
                self.ends_with(6, line);
                assert_eq!(self.fixture.server.history().len(), before, "{line}");
                self.ends_with(0, &line.replacen("apply", "apply --yes", 1).replacen("undo", "undo --yes", 1));
            }
            Expected::KeepsRunning(says) => self.keeps_running(line, says),
            Expected::OpensInterface => {
                let Output { status, stderr, .. } = self.shell(line).output().unwrap();
                let output = String::from_utf8_lossy(&stderr);
                assert!(status.code() == Some(2) && output.contains("the tree needs a terminal"), "{line}\n{output}");
            }
        }
    }
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    let commands = commands("README.md");
    assert_eq!(commands.len(), 7, "two to begin with and five examples: {commands:?}");
    let reader = Reader::new();
    for line in &commands {
        reader.run(line);
    }
    let exported = fs::read_to_string(reader.fixture.workspace.home.path().join("segments.csv")).unwrap();
    assert_eq!(exported.lines().count(), 1 + 290);
    let history = reader.fixture.server.history();
    assert_eq!(history.len(), 1, "a file that was exported changes nothing, only the test did: {history:?}");
}

#[test]
fn the_commands_of_the_page_about_them_do_what_it_says() {
    let commands = commands("docs/commands.md");
    assert!(commands.len() > 20, "{commands:?}");
    let reader = Reader::new();
    for line in &commands {
        reader.run(line);
    }
}

#[test]
fn the_commands_of_the_other_pages_do_what_they_say() {
    let reader = Reader::new();
    for (page, least) in [("Containerfile", 2), ("docs/container.md", 2), ("docs/configuration.md", 7)] {
        let commands = mentioned(page);
        assert!(commands.len() >= least, "{page}: {commands:?}");
        for line in &commands {
            reader.run(line);
        }
    }
}

#[test]
fn every_exception_is_one_that_a_page_shows() {
    let shown = [commands("README.md"), commands("docs/commands.md"), mentioned("docs/container.md")].concat();
    for (begin, _) in SPECIAL_CASES {
        assert!(shown.iter().any(|line| line.starts_with(begin)), "{begin}");
    }
}
