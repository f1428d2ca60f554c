//! The mouse, as a terminal reports it: by the cell, with SGR sequences.

use crate::pty::{Pty, eventually};
use crate::{CTRL_U, Demo};

/// Presses and releases the left button on the first letter of a text that is on the screen. The last of several is meant, since
/// dialogs and the footer stand lowest.
fn click(pty: &mut Pty, text: &str) {
    pty.wait_for(text);
    let lines = pty.lines();
    let row = lines.iter().rposition(|line| line.contains(text)).unwrap();
    let column = lines[row][..lines[row].rfind(text).unwrap()].chars().count();
    let place = format!("{};{}", column + 1, row + 1);
    pty.type_text(&format!("\x1b[<0;{place}M\x1b[<0;{place}m"));
}

#[test]
fn a_segment_is_found_edited_moved_and_deleted_by_clicks_and_typing_alone() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "0.2"]);
    click(&mut pty, "/ filter");
    pty.type_text("zgierz");
    click(&mut pty, "enter keep");
    pty.wait_for("/ zgierz · 1 of 1");
    // The form: its second field and its button.
    click(&mut pty, "e edit");
    pty.wait_for("Edit Zgierz");
    click(&mut pty, "External ID  PL-10-3");
    pty.type_text(&format!("{CTRL_U}ZG-1"));
    click(&mut pty, "enter save");
    pty.wait_for("Updated Zgierz");
    let edited = eventually(|| demo.named("Zgierz").filter(|zgierz| zgierz.external_id.as_deref() == Some("ZG-1")));
    // The parents: what is found is chosen by a click, and the chosen line is clicked to move there.
    pty.type_text("m");
    pty.wait_for("Move Zgierz to");
    pty.type_text("VIP Client");
    click(&mut pty, "enter move here");
    pty.wait_for("Moved Zgierz to VIP Client");
    assert_eq!(demo.named("Zgierz").unwrap().parent, demo.named("VIP Client").map(|parent| parent.id));
    // Esc of a question does nothing, and its other key what it says.
    pty.type_text("d");
    click(&mut pty, "esc cancel");
    pty.wait_gone("Delete Zgierz");
    assert!(demo.named("Zgierz").is_some_and(|zgierz| zgierz.id == edited.id));
    pty.type_text("d");
    click(&mut pty, "enter delete");
    pty.wait_for("Deleted Zgierz");
    eventually(|| demo.named("Zgierz").is_none().then_some(()));
    pty.type_text("\x1b");
    pty.wait_gone("/ zgierz");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_click_on_the_chosen_line_of_the_palette_runs_it() {
    let demo = Demo::start();
    let mut pty = demo.open(&[]);
    pty.type_text(":stage");
    pty.wait_for("Commands");
    click(&mut pty, "Stage changes, or review");
    pty.wait_for("STAGING");
    pty.wait_gone("Commands");
    click(&mut pty, "STAGING");
    pty.wait_for("Pending changes");
    pty.type_text("\x1b");
    pty.wait_gone("Pending changes");
    pty.type_text("S");
    pty.wait_gone("STAGING");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}
