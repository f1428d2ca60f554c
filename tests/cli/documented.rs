//! Every command that the README and the page about commands show is run, against a demo server, as it stands there.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use segtui::demo::Options;

use crate::desk::{Office, tenant_of};

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    /// It ends with this code.
    Code(i32),
    /// Without a terminal nobody can be asked, and it sends nothing; with `--yes` it ends with 0.
    Asks,
    /// It goes on until it is stopped.
    GoesOn,
    /// It is not run here.
    Elsewhere,
}

/// Those that don't just end with 0, by how they begin.
const SPECIAL: &[(&str, Expected)] = &[
    // They build the program anew. What the first one opens is opened by the tests in a real terminal.
    ("cargo run", Expected::Elsewhere),
    ("cargo install", Expected::Elsewhere),
    ("segtui apply", Expected::Asks),
    ("segtui undo", Expected::Asks),
    // The demo tenant has faults for it to find.
    ("segtui check --exit-code", Expected::Code(3)),
    // The cache is written by the tree, in a terminal.
    ("segtui diff store:", Expected::Elsewhere),
    ("segtui serve-demo", Expected::GoesOn),
    ("segtui watch", Expected::GoesOn),
];

fn expected(line: &str) -> Expected {
    SPECIAL.iter().find(|(begin, _)| line.starts_with(begin)).map_or(Expected::Code(0), |(_, expected)| *expected)
}

/// The commands in a page's blocks of shell.
fn commands(page: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let blocks = text.split("```").filter_map(|block| block.strip_prefix("sh\n"));
    let lines = blocks.flat_map(str::lines).filter(|line| !line.starts_with("export ") && !line.trim().is_empty());
    lines.map(str::to_owned).collect()
}

/// A person who works through a page: with the files that it speaks of, and two profiles.
struct Reader {
    office: Office,
    _preprod: Office,
}

impl Reader {
    fn new() -> Self {
        let office = Office::with(Options::default());
        let home = office.desk.home.path();
        fs::create_dir_all(home.join(".local/share/bash-completion/completions")).unwrap();
        let preprod = Office::with(tenant_of(&[["ro", "Rumunia", "RO", ""], ["ro-1", "Bukareszt", "RO-1", "ro"]]));
        let profile = |name: &str, office: &Office| {
            let [(_, base_url), (_, tenant), (_, key)] = office.variables();
            format!("[profiles.{name}]\nbase_url = \"{base_url}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\n")
        };
        let profiles = profile("prod", &office) + &profile("preprod", &preprod);
        office.desk.configure(&format!("default_profile = \"prod\"\n{profiles}"));
        fs::write(home.join("groups.csv"), "externalId,name\nPL-10,Łódzkie i okolice\n").unwrap();
        let script = home.join("on-change.sh");
        fs::write(&script, "#!/bin/sh\nexec cat > /dev/null\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Self { office, _preprod: preprod }
    }

    fn shell(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_segtui")).parent().unwrap();
        let home = self.office.desk.home.path();
        let mut command = Command::new("sh");
        command.args(["-c", line]).env_clear().current_dir(home).env("HOME", home);
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()));
        command.stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn ends_with(&self, code: i32, line: &str) {
        let Output { status, stdout, stderr } = self.shell(line).output().unwrap();
        let said = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(code), "{line}\n{said}");
    }

    #[track_caller]
    fn run(&self, line: &str) {
        // What reads the output may not be installed here.
        let line = ["| jq", "| man"].into_iter().fold(line, |line, reader| line.split(reader).next().unwrap_or(line));
        match expected(line) {
            Expected::Elsewhere => {}
            Expected::Code(code) => self.ends_with(code, line),
            Expected::Asks => {
                let before = self.office.server.history().len();
                self.ends_with(6, line);
                assert_eq!(self.office.server.history().len(), before, "{line}");
                self.ends_with(0, &line.replacen("apply", "apply --yes", 1).replacen("undo", "undo --yes", 1));
            }
            Expected::GoesOn => {
                let line = format!("exec {line}");
                let mut command = self.shell(&line);
                let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
                thread::sleep(Duration::from_millis(700));
                let ended = running.try_wait().unwrap();
                running.kill().unwrap();
                let Output { stderr, .. } = running.wait_with_output().unwrap();
                assert_eq!(ended, None, "{line}\n{}", String::from_utf8_lossy(&stderr));
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
    let exported = fs::read_to_string(reader.office.desk.home.path().join("segments.csv")).unwrap();
    assert_eq!(exported.lines().count(), 1 + 290);
    assert!(reader.office.server.history().is_empty(), "a file that was exported changes nothing");
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
fn every_exception_is_one_that_a_page_shows() {
    let shown = [commands("README.md"), commands("docs/commands.md")].concat();
    for (begin, _) in SPECIAL {
        assert!(shown.iter().any(|line| line.starts_with(begin)), "{begin}");
    }
}
