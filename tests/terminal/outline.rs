//! Segments edited as text in a real editor, or in a script in its place.

use std::fs;
use std::time::Duration;

use axum::http::Method;
use segtui::demo::{ChangeRequest, Fields, InjectedFault};
use tempfile::TempDir;

use crate::pty::{Pty, eventually};
use crate::{Demo, ENTER};

/// Starts the program with this editor, and returns the folder in which it keeps the text.
fn open(demo: &Demo, editor: &str) -> (Pty, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = demo.variables().to_vec();
    environment.push(("EDITOR", editor.to_owned()));
    environment.push(("TMPDIR", folder.path().to_str().unwrap().to_owned()));
    let pty = Pty::start(120, 40, &["--poll", "0.2"], &environment);
    pty.wait_for("290 segments   ● live");
    (pty, folder)
}

fn texts(folder: &TempDir) -> usize {
    fs::read_dir(folder.path()).unwrap().count()
}

fn select(pty: &mut Pty, name: &str) {
    pty.type_text(&format!("/{name}{ENTER}"));
    pty.wait_for(&format!("/ {name} · 1 of"));
}

#[test]
fn an_edit_of_twenty_names_is_reviewed_before_it_is_sent() {
    let demo = Demo::start();
    // The lines below the instructions and the segment's own line.
    let (mut pty, folder) = open(&demo, "sed -i -e '7,26s/^\\( *\\)/\\1Nowo /'");
    let renamed = || demo.server.segments().iter().filter(|segment| segment.name.starts_with("Nowo ")).count();
    select(&mut pty, "Eksport");
    pty.type_text("E");
    pty.wait_for("update 20");
    assert!(pty.is_terminal_taken_over());
    assert_eq!((renamed(), texts(&folder)), (0, 1));
    pty.type_text("y");
    pty.wait_for("Applied 20 changes from text edit");
    assert_eq!((renamed(), texts(&folder)), (20, 0));
    assert_eq!(demo.server.segments().len(), 290);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn an_editor_that_dies_in_raw_mode_leaves_the_shell_intact() {
    let demo = Demo::start();
    let scripts = tempfile::tempdir().unwrap();
    let script = scripts.path().join("editor.sh");
    fs::write(&script, "stty raw -echo\nkill -KILL $$\n").unwrap();
    let mut environment = demo.variables().to_vec();
    environment.push(("EDITOR", format!("sh {}", script.display())));
    environment.push(("TMPDIR", scripts.path().to_str().unwrap().to_owned()));
    let mut pty = Pty::start_in_shell(120, 40, &[], &environment);
    pty.wait_for("290 segments   ● live");
    pty.type_text("E");
    pty.wait_for("signal: 9");
    assert!(pty.is_terminal_taken_over());
    pty.type_text("q");
    pty.wait_for("exit code 0");
    pty.assert_terminal_restored();
}

#[test]
fn a_text_with_an_error_can_be_edited_again() {
    let demo = Demo::start();
    let scripts = tempfile::tempdir().unwrap();
    let script = scripts.path().join("an editor.sh");
    let lines = "\
if grep -q '^# ERROR line' \"$1\"; then
  sed -i -e 's/^   \\([^ ]\\)/  \\1/' \"$1\"
else
  echo the editor has the terminal
  read word
  printf '   %s\\n' \"$word\" >> \"$1\"
fi
";
    fs::write(&script, lines).unwrap();
    let (mut pty, folder) = open(&demo, &format!("sh '{}'", script.display()));
    select(&mut pty, "Zgierz");
    pty.type_text("E");
    pty.wait_for("the editor has the terminal");
    assert!(!pty.is_terminal_taken_over());
    pty.type_text("Nowe\n");
    pty.wait_for("indented 3 spaces");
    pty.wait_for("edit again");
    assert_eq!((demo.named("Nowe"), texts(&folder)), (None, 1));
    pty.type_text("e");
    pty.wait_for("create 1");
    pty.type_text("y");
    pty.wait_for("Created Nowe");
    let created = eventually(|| demo.named("Nowe"));
    assert_eq!(created.parent, demo.named("Zgierz").map(|parent| parent.id));
    assert_eq!(texts(&folder), 0);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn an_editor_that_fails_leaves_the_text_in_its_file() {
    let demo = Demo::start();
    let (mut pty, folder) = open(&demo, "false");
    select(&mut pty, "Zgierz");
    pty.type_text("E");
    pty.wait_for("the editor false ended with exit code 1");
    assert!(pty.is_terminal_taken_over());
    assert_eq!(texts(&folder), 1);
    pty.type_text("jq");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn the_editors_environment_has_no_key() {
    let demo = Demo::start();
    let scripts = tempfile::tempdir().unwrap();
    let (script, seen) = (scripts.path().join("editor.sh"), scripts.path().join("seen"));
    fs::write(&script, format!("env > '{}'\n", seen.display())).unwrap();
    let (mut pty, _folder) = open(&demo, &format!("sh '{}'", script.display()));
    select(&mut pty, "Zgierz");
    pty.type_text("E");
    let environment = eventually(|| fs::read_to_string(&seen).ok().filter(|text| text.contains("EDITOR=")));
    assert!(!environment.contains(demo.server.api_key()), "{environment}");
    // What is typed before the editor has ended goes to it, and the tree alone may be from before it was opened.
    eventually(|| pty.lines().last().is_some_and(|line| line.contains("No changes")).then_some(()));
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn sync_continues_while_the_editor_is_open() {
    let demo = Demo::start();
    let gate = tempfile::tempdir().unwrap();
    let (opened, may_end) = (gate.path().join("opened"), gate.path().join("may-end"));
    let script = gate.path().join("editor.sh");
    let lines = format!("touch '{}'\nwhile ! test -e '{}'; do sleep 0.05; done\n", opened.display(), may_end.display());
    fs::write(&script, lines).unwrap();
    let (mut pty, _folder) = open(&demo, &format!("sh {}", script.display()));
    select(&mut pty, "Eksport");
    // The rename is submitted, and the editor opens before it is sent.
    let hold = Duration::from_millis(800);
    demo.server.inject_fault(InjectedFault::DelayRequest { on: (Method::GET, "/segments/"), by: hold });
    pty.type_text(&format!("r Nowy{ENTER}"));
    pty.type_text("E");
    eventually(|| opened.exists().then_some(()));
    eventually(|| demo.named("Eksport Nowy"));
    // More than all queues between the server and the screen hold.
    for number in 0..200 {
        demo.change(ChangeRequest::Create(Fields {
            name: format!("Obcy {number}").into(),
            external_id: None,
            parent: None,
        }));
    }
    let asked = demo.server.requests().len();
    eventually(|| (demo.server.requests().len() > asked + 10).then_some(()));
    fs::write(&may_end, "").unwrap();
    pty.wait_for("490 segments   ● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}
