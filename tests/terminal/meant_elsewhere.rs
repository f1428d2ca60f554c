//! Keys that were meant for one thing and reach another must do no harm.

use std::time::Duration;

use segtui::demo::{ChangeRequest, Fields, Options};

use crate::pty::eventually;
use crate::{Demo, ENTER};

const ESC: &str = "\x1b";

fn slow() -> Demo {
    Demo::with(Options { latency: Duration::from_millis(300), ..Options::default() })
}

/// A colleague renames a segment.
fn rename(demo: &Demo, name: &str, to: &str) {
    let segment = demo.named(name).unwrap();
    demo.change(ChangeRequest::Update(
        segment.id,
        Fields { name: to.into(), external_id: segment.external_id, parent: segment.parent },
    ));
}

#[test]
fn a_conflicting_deletion_takes_no_key_of_the_next_dialog() {
    let demo = slow();
    // Polled as rarely as possible, so that the deletion's own check finds the change.
    let mut pty = demo.open(&["--poll", "60"]);
    pty.type_text("/umowy 20");
    pty.wait_for("Umowy 2021");
    pty.type_text(ENTER);
    pty.wait_for("/ umowy 20 · ");
    pty.type_text("gg");
    pty.type_text("j");
    pty.wait_for("│ Umowy 2019");
    rename(&demo, "Umowy 2019", "Umowy 2019 (aktywne)");
    pty.type_text("d");
    pty.wait_for("Delete Umowy 2019");
    pty.type_text(ENTER);
    pty.type_text("j");
    pty.type_text("d");
    // The dialog is about the next row, whatever has become of the first.
    pty.wait_for("Delete Umowy 2020");
    pty.wait_for("! 1 problem");
    pty.type_text("D");
    pty.type_text(ESC);
    pty.wait_until_gone("Delete Umowy 2020");
    pty.wait_for("! 1 problem");
    assert!(demo.named("Umowy 2019 (aktywne)").is_some() && demo.named("Umowy 2020").is_some());
    pty.type_text("q");
    pty.wait_for("Quit?");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn keys_for_the_tree_do_not_resolve_a_conflict() {
    let demo = slow();
    let mut pty = demo.open(&["--poll", "60"]);
    pty.type_text("/umowy 2019\r");
    pty.wait_for("/ umowy 2019 · 1 of 1");
    rename(&demo, "Umowy 2019", "Theirs");
    pty.type_text(&format!("r!{ENTER}"));
    pty.wait_for("! 1 problem");
    // In the conflict dialog these would mean all mine, and save.
    pty.type_text("m");
    pty.wait_for("unresolved change");
    pty.type_text(ENTER);
    pty.wait_for("! 1 problem");
    assert!(demo.named("Theirs").is_some());
    pty.type_text("!");
    pty.wait_for("was changed by someone else");
    pty.type_text("t");
    pty.wait_until_gone("! 1 problem");
    assert!(demo.named("Theirs").is_some() && demo.named("Umowy 2019!").is_none());
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn forgotten_staging_is_shown_and_asked_about_on_quit() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "0.2"]);
    pty.type_text("S");
    pty.wait_for("STAGING");
    pty.type_text("/zgierz\r");
    pty.wait_for("/ zgierz · 1 of 1");
    pty.type_text(&format!("r 2{ENTER}"));
    pty.wait_for("STAGING 1");
    pty.type_text(ESC);
    pty.wait_until_gone("/ zgierz");
    pty.wait_for("STAGING 1");
    assert!(demo.named("Zgierz").is_some(), "it is not sent");
    pty.type_text("q");
    pty.wait_for("Quit?");
    pty.wait_for("1 change hasn't been sent.");
    pty.type_text(ESC);
    pty.wait_until_gone("Quit?");
    pty.type_text("Sy");
    eventually(|| demo.named("Zgierz 2"));
    pty.wait_for("renamed Zgierz");
    // Staging stays on until its own key ends it.
    pty.wait_for("STAGING");
    pty.type_text("S");
    pty.wait_until_gone("STAGING");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}
