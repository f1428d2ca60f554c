//! The dialogs that edit segments: the form, the name in its row, the parent, the deletion, and the bulk edit.

use crate::app::harness::{Harness, named};
use crate::changes::WriteError;
use crate::segment::Field;

use super::looking::live;
use super::picture::{picture, scene};

pub(super) fn form(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j e");
    harness
}

/// A form with an empty name and the external ID of another segment.
pub(super) fn form_with_faults(columns: u16, rows: u16) -> Harness {
    let mut harness = form(columns, rows);
    harness.press("ctrl-u tab ctrl-u");
    harness.type_text("X-vip");
    harness.press("enter");
    harness
}

pub(super) fn form_at_the_parent(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j a tab tab");
    harness
}

#[test]
fn the_form_of_a_segment() {
    scene("form", form);
    scene("form_of_a_new_one_at_the_parent", form_at_the_parent);
    scene("form_with_faults_and_a_warning", form_with_faults);
    scene("form_with_the_servers_words", |columns, rows| {
        let mut harness = live(columns, rows);
        harness.press("j a");
        harness.type_text("Niemcy");
        harness.press("enter");
        let words = "a segment named Niemcy exists already in this tenant and names have to be unique per parent";
        harness.refuse(words);
        harness.press("!");
        harness
    });
}

pub(super) fn renaming(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j r");
    harness.type_text("owy");
    harness
}

#[test]
fn renaming_happens_in_the_row() {
    scene("renaming", renaming);
    scene("renaming_to_nothing", |columns, rows| {
        let mut harness = live(columns, rows);
        harness.press("j r ctrl-u enter");
        harness
    });
}

pub(super) fn parents(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j j m");
    harness.type_text("z");
    harness
}

pub(super) fn parents_for_the_form(columns: u16, rows: u16) -> Harness {
    let mut harness = form_at_the_parent(columns, rows);
    harness.type_text("p");
    harness
}

#[test]
fn the_choice_of_a_parent_shows_why_some_are_refused() {
    scene("parents", parents);
    scene("parents_for_the_form", parents_for_the_form);
    scene("parents_in_vain", |columns, rows| {
        let mut harness = parents(columns, rows);
        harness.type_text("qqq");
        harness
    });
}

pub(super) fn deletion(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j j d");
    harness
}

pub(super) fn deletion_of_a_leaf(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j d");
    harness
}

pub(super) fn deletion_of_marked(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j space space space d");
    harness
}

#[test]
fn a_deletion_asks_about_descendants() {
    scene("deletion", deletion);
    scene("deletion_of_a_leaf", deletion_of_a_leaf);
    scene("deletion_of_marked", deletion_of_marked);
}

pub(super) fn bulk(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j space space e");
    harness
}

#[test]
fn marked_segments_have_a_form_of_their_own() {
    scene("bulk", bulk);
    scene("bulk_without_a_name", |columns, rows| {
        let mut harness = bulk(columns, rows);
        harness.press("ctrl-u");
        harness
    });
    scene("bulk_with_a_fault", |columns, rows| {
        let mut harness = bulk(columns, rows);
        harness.press("ctrl-u space enter");
        harness
    });
}

#[test]
fn a_dialog_grows_for_long_names_if_the_screen_has_room() {
    for (columns, rows) in [(80, 24), (120, 40), (200, 50)] {
        let long = "Hurtownie elektro";
        let mut harness = Harness::with_segments(columns, rows, vec![named("vip", long, None)]);
        harness.press("e");
        harness.type_text(" i zachód");
        harness.press("enter");
        let theirs = named("vip", &format!("{long} i wschód"), None);
        harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name] });
        harness.press("!");
        let picture = picture(&harness);
        let is_whole = picture.contains("elektro i wschód ") && picture.contains("elektro i zachód ");
        assert_eq!(is_whole, columns > 80, "{picture}");
    }
}

#[test]
fn escape_sequences_from_the_server_never_reach_the_terminal() {
    let evil = named("evil\u{1b}[2J", "\u{1b}]0;owned\u{7}name\r\n", None);
    let mut harness = Harness::with_segments(100, 26, vec![evil]);
    for keys in ["e", "esc r", "esc d", "esc m", "esc /"] {
        harness.press(keys);
        let picture = picture(&harness);
        assert!(
            !picture.chars().any(|character| character.is_control() && character != '\n'),
            "after {keys}: {picture:?}"
        );
    }
}
