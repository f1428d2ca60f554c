//! The review of plans, the queue, conflicts, faults of an outline, and quitting.

use std::sync::Arc;
use std::time::Duration;

use crate::app::harness::{Harness, id, left_undone, named};
use crate::app::{EditorOutcome, Event};
use crate::changes::{ExecutionResult, WriteError};
use crate::remote::{Call, Fault, RemoteError};
use crate::segment::{Field, Pattern, Segment};
use crate::sync;

use super::looking::live;
use super::picture::{picture, scene};

pub(super) fn review(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j space space e");
    harness.type_text(" {n}");
    harness.press("enter");
    harness
}

/// The review for a protected profile, where the tenant must be typed.
pub(super) fn protected_review(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.state.session.protected = true;
    harness.press("j j d s");
    harness.type_text("ac");
    harness
}

pub(super) fn gathered(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("S j r");
    harness.type_text("owy");
    harness.press("enter j j a");
    harness.type_text("VIP Silver");
    harness.press("tab");
    harness.type_text("X-vip");
    harness.press("enter S");
    harness
}

#[test]
fn a_plan_is_reviewed_before_it_is_sent() {
    scene("review", review);
    scene("review_of_a_protected_profile", protected_review);
    scene("review_of_a_staged_deletion", staged_deletion);
    scene("review_of_what_belongs_to_another_system", |columns, rows| {
        let mut harness = live(columns, rows);
        harness.state.session.owned = Pattern::new("X-export").into_iter().collect();
        harness.press("j d enter");
        harness
    });
}

/// One change failed, one is pending.
pub(super) fn queue(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter j");
    harness.refuse("names are frozen");
    harness.press("r");
    harness.type_text("?");
    harness.press("enter Q");
    harness
}

pub(super) fn left_over(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.sync_event(sync::Event::Recovered(left_undone()));
    harness
}

pub(super) fn queue_with_left_over(columns: u16, rows: u16) -> Harness {
    let mut harness = left_over(columns, rows);
    harness.press("Q");
    harness
}

/// A staged deletion under review before it is sent.
pub(super) fn staged_deletion(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("S j d enter S y");
    harness
}

/// More changes than fit, of all kinds, some of them pending for a while.
pub(super) fn long_queue(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    harness.refuse("names are frozen");
    harness.press("S j a");
    harness.type_text("VIP Silver");
    harness.press("enter S S k");
    for number in 0..20 {
        harness.press("r");
        harness.type_text(&number.to_string());
        harness.press("enter");
    }
    let later = harness.state.clock.now + jiff::SignedDuration::from_secs(75);
    harness.event(Event::Time(later));
    harness.press("Q");
    harness
}

/// The selected change is queued for a retry, since the server was unreachable.
pub(super) fn waiting_queue(columns: u16, rows: u16) -> Harness {
    let mut harness = leaving(columns, rows);
    let op = harness.executions()[0].op;
    let error = RemoteError { call: Call::One(id("vip")), fault: Fault::Unreachable { reason: "no route".into() } };
    let retry_in = Duration::from_secs(1);
    harness.executed(op, ExecutionResult::Unreached { error, retry_in, evidence: None });
    harness.press("esc Q");
    harness
}

pub(super) fn empty_queue(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("Q");
    harness
}

#[test]
fn the_queue_shows_pending_changes_and_failures() {
    scene("queue", queue);
    scene("queue_without_anything", empty_queue);
    scene("queue_of_what_is_staged", gathered);
    scene("queue_longer_than_the_list", long_queue);
    scene("queue_of_what_waits", waiting_queue);
    scene("changes_left_over_from_the_last_session", left_over);
    scene("queue_with_what_the_last_session_left", queue_with_left_over);
}

/// Others changed the segment's external ID, parent and name.
pub(super) fn changed_by_both(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j e");
    harness.type_text(" 2");
    harness.press("enter");
    let theirs = Segment { external_id: Some("EXP".into()), ..(*named("export", "Eksport", Some("vip"))).clone() };
    harness.fail(WriteError::Conflict { theirs: Some(Arc::new(theirs)), fields: vec![Field::Name, Field::Parent] });
    harness.press("!");
    harness
}

pub(super) fn gone(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j e");
    harness.type_text(" 2");
    harness.press("enter");
    harness.fail(WriteError::Conflict { theirs: None, fields: Vec::new() });
    harness.press("!");
    harness
}

pub(super) fn changed_while_deleted(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j d enter");
    let theirs = named("export", "Eksport", Some("vip"));
    harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name, Field::Parent] });
    harness.press("!");
    harness
}

pub(super) fn lookalike(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j a");
    harness.type_text("Niemcy");
    harness.press("enter");
    let theirs = Segment { external_id: Some("DE".into()), ..(*named("real", "Niemcy", Some("export"))).clone() };
    harness.fail(WriteError::PossibleDuplicate { theirs: Arc::new(theirs) });
    harness.press("!");
    harness
}

pub(super) fn grown(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j d enter");
    let new_children = ["Niemcy", "Czechy"].map(|name| named(&name.to_lowercase(), name, Some("export")));
    for new_child in &new_children {
        harness.changed(None, Some(new_child));
    }
    harness.fail(WriteError::NewChildren {
        new_children: new_children.iter().map(|new_child| new_child.id.clone()).collect(),
    });
    harness.press("!");
    harness
}

#[test]
fn a_conflict_shows_before_server_and_yours() {
    scene("conflict_of_two_changes", changed_by_both);
    scene("conflict_with_a_deletion", gone);
    scene("conflict_of_a_deletion_with_a_change", changed_while_deleted);
    scene("conflict_about_what_may_have_been_created", lookalike);
    scene("conflict_of_a_deletion_with_newcomers", grown);
}

fn edited_as(columns: u16, rows: u16, text: &str) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j E");
    harness.event(Event::TextEdited(EditorOutcome::Saved { text: text.to_owned(), file: "/tmp/segtui-1.txt".into() }));
    harness
}

pub(super) fn unreadable(columns: u16, rows: u16) -> Harness {
    edited_as(columns, rows, "Eksport {export}\n   Nowe\nA {x}\n")
}

#[test]
fn an_outline_fault_shows_its_line_and_what_was_expected() {
    scene("outline_with_two_faults", unreadable);
    scene("outline_with_many_faults", |columns, rows| edited_as(columns, rows, &"A {x}\n".repeat(60)));
}

pub(super) fn leaving(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter q");
    harness
}

#[test]
fn quitting_says_what_happens_to_unsent_changes() {
    scene("leaving", leaving);
    scene("leaving_with_what_was_gathered", |columns, rows| {
        let mut harness = gathered(columns, rows);
        harness.press("esc q");
        harness
    });
    scene("leaving_without_a_journal", |columns, rows| {
        let mut harness = leaving(columns, rows);
        harness.state.session.journalled = false;
        harness
    });
}

#[test]
fn conflict_headings_are_never_cut() {
    for (built, headings) in [
        (changed_by_both as fn(u16, u16) -> Harness, "before|on the server|yours"),
        (changed_while_deleted, "before|on the server"),
        (lookalike, "requested|found"),
    ] {
        for (columns, rows) in [(60, 15), (60, 24), (80, 24), (99, 26), (100, 26), (120, 40)] {
            let drawn = picture(&built(columns, rows));
            let whole = drawn.lines().find(|line| headings.split('|').all(|heading| line.contains(heading)));
            assert!(whole.is_some(), "{columns}x{rows}: {drawn}");
        }
    }
}
