//! The mouse, as a terminal reports it: by the cell, with SGR sequences.

use std::time::Duration;

use crate::pty::{Pty, eventually};
use crate::{CTRL_U, Demo};

/// Clicks the first letter of a text on the screen. Of several occurrences the last one, since dialogs and the footer
/// come last.
fn click(pty: &mut Pty, text: &str) {
    pty.wait_for(text);
    // A position that is read in the middle of a frame may be out of date at its end.
    let (row, column) = eventually(|| {
        let before = last_place(pty, text)?;
        std::thread::sleep(Duration::from_millis(100));
        (last_place(pty, text)? == before).then_some(before)
    });
    let place = format!("{};{}", column + 1, row + 1);
    pty.type_text(&format!("\x1b[<0;{place}M\x1b[<0;{place}m"));
}

/// The row and the column of the last occurrence of a text on the screen.
fn last_place(pty: &Pty, text: &str) -> Option<(usize, usize)> {
    let lines = pty.lines();
    let row = lines.iter().rposition(|line| line.contains(text))?;
    let column = lines[row][..lines[row].rfind(text)?].chars().count();
    Some((row, column))
}

/// The place of a row of the tree, as SGR sequences have it: the first occurrence of its name, since the tree comes
/// first.
fn place_of_row(pty: &mut Pty, name: &str) -> String {
    pty.wait_for(name);
    let lines = pty.lines();
    let row = lines.iter().position(|line| line.contains(name)).unwrap();
    let column = lines[row][..lines[row].find(name).unwrap()].chars().count();
    format!("{};{}", column + 1, row + 1)
}

#[test]
fn clicks_and_typing_find_edit_move_and_delete_a_segment() {
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
    // The parent is found by typing, and the button moves the segment there.
    pty.type_text("m");
    pty.wait_for("Move Zgierz to");
    pty.type_text("VIP Client");
    click(&mut pty, "enter move here");
    pty.wait_for("Moved Zgierz to VIP Client");
    assert_eq!(demo.named("Zgierz").unwrap().parent, demo.named("VIP Client").map(|parent| parent.id));
    // A click on esc cancels the question, and a click on its other key deletes.
    pty.type_text("d");
    click(&mut pty, "esc cancel");
    pty.wait_until_gone("Delete Zgierz");
    assert!(demo.named("Zgierz").is_some_and(|zgierz| zgierz.id == edited.id));
    pty.type_text("d");
    click(&mut pty, "enter delete");
    pty.wait_for("Deleted Zgierz");
    eventually(|| demo.named("Zgierz").is_none().then_some(()));
    pty.type_text("\x1b");
    pty.wait_until_gone("/ zgierz");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_click_on_the_selected_palette_entry_runs_it() {
    let demo = Demo::start();
    let mut pty = demo.open(&[]);
    pty.type_text(":stage");
    pty.wait_for("Commands");
    click(&mut pty, "Stage changes, or review");
    pty.wait_for("STAGING");
    pty.wait_until_gone("Commands");
    click(&mut pty, "STAGING");
    pty.wait_for("Pending changes");
    pty.type_text("\x1b");
    pty.wait_until_gone("Pending changes");
    pty.type_text("S");
    pty.wait_until_gone("STAGING");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_double_click_renames_and_a_click_sends_staged_changes() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "0.2"]);
    pty.type_text("S");
    pty.wait_for("STAGING");
    let place = place_of_row(&mut pty, "Apteki");
    for _ in 0..2 {
        pty.type_text(&format!("\x1b[<0;{place}M\x1b[<0;{place}m"));
    }
    pty.wait_for("enter save");
    pty.type_text(&format!("{CTRL_U}Farmacja"));
    click(&mut pty, "enter save");
    pty.wait_for("STAGING 1");
    click(&mut pty, "STAGING 1");
    pty.wait_for("Pending changes: 1 staged");
    assert!(demo.named("Apteki").is_some(), "nothing is sent yet");
    // A click on the change selects it, and never sends it.
    click(&mut pty, "Apteki → Farmacja");
    click(&mut pty, "Apteki → Farmacja");
    assert!(demo.named("Apteki").is_some());
    click(&mut pty, "y send");
    pty.wait_for("Renamed Apteki → Farmacja");
    eventually(|| demo.named("Farmacja"));
    pty.type_text("Sq");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn the_wheel_scrolls_lists_and_key_hints_are_clickable() {
    let demo = Demo::start();
    let mut pty = demo.open(&[]);
    pty.type_text(":");
    pty.wait_for("Move down");
    let place = place_of_row(&mut pty, "Move down");
    pty.type_text(&format!("\x1b[<65;{place}M"));
    pty.wait_until_gone("Move down");
    pty.type_text(&format!("\x1b[<64;{place}M"));
    pty.wait_for("Move down");
    pty.type_text("\x1b");
    pty.wait_until_gone("Move down");
    pty.type_text("s");
    click(&mut pty, "by size");
    pty.wait_for("Sorted by size");
    // The bookmarks are listed with their names and can be clicked.
    let place = place_of_row(&mut pty, "VIP Client");
    pty.type_text(&format!("\x1b[<0;{place}M\x1b[<0;{place}m"));
    pty.wait_for("│ VIP Client");
    pty.type_text("bv");
    pty.wait_for("Bookmark v set to VIP Client");
    pty.type_text("gg");
    pty.wait_until_gone("│ VIP Client");
    pty.type_text("'");
    click(&mut pty, "v VIP Client");
    pty.wait_for("│ VIP Client");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}
