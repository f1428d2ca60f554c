//! User-defined commands: what they get, what happens to their output, and that none of their processes outlives them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::pty::{Pty, eventually};
use crate::{Demo, ENTER};

/// Starts the program with these commands in its configuration, where FOLDER stands for the folder of the test.
fn open(demo: &Demo, commands: &str, more: &[(&'static str, String)]) -> (Pty, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, commands.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
    let mut environment = demo.variables().to_vec();
    environment.push(("SEGTUI_CONFIG", config.to_str().unwrap().to_owned()));
    environment.extend(more.iter().cloned());
    let pty = Pty::start(120, 40, &[], &environment);
    pty.wait_for("290 segments   ● live");
    (pty, folder)
}

fn read(folder: &TempDir, name: &str) -> String {
    let path = folder.path().join(name);
    eventually(|| fs::read_to_string(&path).ok().filter(|text| !text.is_empty()))
}

fn select(pty: &mut Pty, name: &str) {
    pty.type_text(&format!("/{name}{ENTER}"));
    pty.wait_for(&format!("/ {name} · 1 of"));
}

fn is_gone(process: &str) -> bool {
    !Path::new("/proc").join(process.trim()).exists()
}

#[test]
fn a_command_gets_the_segment_and_only_on_request_the_key() {
    let demo = Demo::start();
    let commands = r#"
[[command]]
name = "Without"
key = "g o"
run = ["sh", "-c", "cat; env | sort > 'FOLDER/without'; printf '\\033[31mplain\\033[0m\\033]0;title\\007 words\\n'"]

[[command]]
name = "With"
key = "g w"
run = ["sh", "-c", "env | sort > 'FOLDER/with.new'; mv 'FOLDER/with.new' 'FOLDER/with'"]
api_key = true
"#;
    let (mut pty, folder) = open(&demo, commands, &[("SEGTUI_PROBE", "handed on".into())]);
    select(&mut pty, "Zgierz");
    pty.type_text("go");
    pty.wait_for("exit code 0");
    pty.wait_for("plain words");
    let zgierz = demo.named("Zgierz").unwrap();
    pty.wait_for(&format!("[{{\"id\":\"{}\",\"name\":\"Zgierz\"", zgierz.id));
    let seen = read(&folder, "without");
    let expected = [
        format!("SEGTUI_IDS={}", zgierz.id),
        "SEGTUI_NAMES=Zgierz".into(),
        format!("SEGTUI_TENANT={}", demo.server.tenant()),
        "SEGTUI_PROBE=handed on".into(),
    ];
    for line in expected {
        assert!(seen.lines().any(|seen| seen == line), "{line} in {seen}");
    }
    assert!(!seen.contains("SEGTUI_API_KEY") && !seen.contains(demo.server.api_key()), "{seen}");
    assert!(!pty.output().contains("]0;title"));
    pty.type_text("q");
    pty.wait_until_gone("exit code 0");
    pty.type_text("gw");
    let seen = read(&folder, "with");
    assert!(seen.lines().any(|line| line == format!("SEGTUI_API_KEY={}", demo.server.api_key())), "{seen}");
    pty.wait_for("exit code 0");
    pty.type_text("qq");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_failing_command_reports_why() {
    let demo = Demo::start();
    let commands = r#"
[[command]]
name = "Fail"
key = "g f"
run = ["sh", "-c", "echo no such table >&2; exit 3"]

[[command]]
name = "Missing"
key = "g m"
run = "no-such-program-anywhere"
output = "none"
"#;
    let (mut pty, _folder) = open(&demo, commands, &[]);
    pty.type_text("gf");
    pty.wait_for("no such table");
    pty.wait_for("exit code 3 · ");
    pty.type_text("qgm");
    pty.wait_for("“Missing”: couldn't start: no-such-program-anywhere: No such file");
    pty.type_text("jq");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_stopped_command_is_killed_with_its_children() {
    let demo = Demo::start();
    let commands = r#"
[[command]]
name = "Long"
key = "g l"
run = ["sh", "-c", "trap '' TERM; sleep 600 & echo $! > 'FOLDER/child'; echo begun; wait; wait"]

[[command]]
name = "Limited"
key = "g t"
run = "sleep 600"
timeout = 0.2
"#;
    let (mut pty, folder) = open(&demo, commands, &[]);
    pty.type_text("gl");
    pty.wait_for("begun");
    pty.wait_for("running · ");
    let child = read(&folder, "child");
    pty.type_text("\x03");
    pty.wait_for("stopped after");
    eventually(|| is_gone(&child).then_some(()));
    pty.type_text("qgt");
    pty.wait_for("timed out after 200 ms");
    pty.type_text("qq");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn no_command_outlives_the_program() {
    let demo = Demo::start();
    let commands = r#"
[[command]]
name = "Long"
key = "g l"
run = ["sh", "-c", "trap '' TERM HUP; sleep 600 & echo $! > 'FOLDER/child'; wait; wait"]
"#;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, commands.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
    let mut environment = demo.variables().to_vec();
    environment.push(("SEGTUI_CONFIG", config.to_str().unwrap().to_owned()));
    let mut pty = Pty::start_in_shell(100, 30, &[], &environment);
    pty.wait_for("● live");
    pty.type_text("gl");
    let child = read(&folder, "child");
    pty.signal_program("TERM");
    pty.wait_for("exit code 143");
    eventually(|| is_gone(&child).then_some(()));
}

#[test]
fn a_flood_of_output_is_truncated_and_keys_still_work() {
    let demo = Demo::start();
    let commands = "[[command]]\nname = \"Flood\"\nkey = \"g f\"\nrun = \"yes a line of some length\"\n";
    let (mut pty, _folder) = open(&demo, commands, &[]);
    pty.type_text("gf");
    pty.wait_for("output truncated");
    pty.type_text("G");
    pty.wait_for("to 47,663 of 47,663");
    pty.type_text("\x1b");
    pty.wait_for("B dropped");
    pty.type_text("qq");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_segment_is_opened_in_the_browser_that_was_chosen() {
    let demo = Demo::start();
    let commands = "[profiles.only]\nopen = \"https://one.example/{tenant}/{external_id}\"\n";
    let scripts = tempfile::tempdir().unwrap();
    let script = scripts.path().join("browser.sh");
    let opened = scripts.path().join("opened");
    fs::write(&script, format!("echo \"$1\" > '{}'\n", opened.display())).unwrap();
    let browser = ("BROWSER", format!("sh '{}'", script.display()));
    let (mut pty, _folder) = open(&demo, commands, &[browser]);
    select(&mut pty, "Zgierz");
    let external_id = demo.named("Zgierz").unwrap().external_id.unwrap();
    pty.type_text("o");
    let url = format!("https://one.example/{}/{external_id}", demo.server.tenant());
    pty.wait_for(&format!("Opened {url}"));
    assert_eq!(read(&scripts, "opened").trim(), url);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn without_a_browser_the_address_is_shown_and_copied() {
    let demo = Demo::start();
    let commands = "[profiles.only]\nopen = \"https://one.example/{id}\"\n";
    let (mut pty, _folder) = open(&demo, commands, &[("SSH_TTY", "/dev/pts/9".into())]);
    pty.type_text("o");
    pty.wait_for("No browser available. URL copied: https://one.example/");
    assert!(pty.output().contains("\x1b]52;c;"));
    pty.type_text("jq");
    assert_eq!(pty.exit_code(), 0);
}
