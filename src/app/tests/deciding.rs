//! What changes while a dialog is open, and what becomes of it when it is decided.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, segment, wholesale};
use crate::app::{Layer, Purpose};
use crate::mirror::{self, Applied, Outcome, Which};
use crate::plan::Operation;
use crate::segment::{Field, Segment};

fn at_work() -> Harness {
    Harness::live(120, 40, wholesale())
}

/// Asks about deleting "Polska", with four below it.
fn deleting() -> Harness {
    let mut harness = at_work();
    harness.press("j j d");
    assert!(matches!(harness.state.layers.last(), Some(Layer::Deletion(_))));
    harness
}

#[test]
fn what_was_renamed_or_moved_while_a_deletion_was_asked_about_is_asked_about_again() {
    let before = named("pl", "Polska", Some("hurt"));
    let renamed = named("pl", "DO NOT DELETE", Some("hurt"));
    let moved = named("pl", "Polska", Some("vip"));
    for (now, words) in [(renamed, "name DO NOT DELETE"), (moved, "parent VIP Client")] {
        for policy in ["s", "p", "o"] {
            let mut harness = deleting();
            harness.changed(Some(&before), Some(&now));
            harness.press(policy);
            assert_eq!(harness.write_count(), 0, "{policy}");
            assert!(harness.message().contains(words), "{}", harness.message());
            let Some(Layer::Deletion(deletion)) = harness.state.layers.last() else { panic!("asks again") };
            assert_eq!(deletion.roots, [Arc::clone(&now)]);
            harness.press(policy);
            assert_eq!(harness.write_count(), 1, "seen and confirmed: {policy}");
        }
    }
}

#[test]
fn what_was_renamed_below_while_a_deletion_was_asked_about_is_asked_about_again() {
    let mut harness = deleting();
    let (before, now) = (named("lodz", "Łódź", Some("lodzkie")), named("lodz", "Keep me", Some("lodzkie")));
    harness.changed(Some(&before), Some(&now));
    harness.press("s");
    assert_eq!(harness.write_count(), 0);
    assert!(harness.message().contains("what stands below has just changed"), "{}", harness.message());
    harness.press("s");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn what_was_deleted_while_a_deletion_was_asked_about_is_said_to_be_gone() {
    for policy in ["s", "p", "o"] {
        let mut harness = deleting();
        harness.changed(Some(&named("pl", "Polska", Some("hurt"))), None);
        harness.press(policy);
        assert_eq!((harness.write_count(), harness.state.layers.len()), (0, 0));
        assert!(harness.message().contains("Polska has just been deleted; there is nothing"), "{}", harness.message());
    }
}

#[test]
fn the_place_to_move_up_to_is_the_one_that_was_shown() {
    let mut harness = at_work();
    harness.changed(None, Some(&segment("nest", Some("orphan"))));
    harness.changed(None, Some(&segment("egg", Some("nest"))));
    harness.press("f");
    harness.type_text("nest");
    harness.press("enter");
    assert_eq!(harness.selected(), "nest");
    harness.press("d");
    harness.changed(Some(&named("orphan", "Orphan of nobody", Some("no-such-parent"))), None);
    harness.press("p");
    assert_eq!(harness.write_count(), 0);
    assert!(harness.message().contains("what it stands under has just changed"), "{}", harness.message());
}

/// A segment is being created, and its form is open; the server answers with what it has made of it.
fn editing_while_created(came: impl Fn(Segment) -> Segment, keys: &str) -> Harness {
    let mut harness = at_work();
    harness.press("j a");
    harness.type_text("Nowy");
    harness.press("tab");
    harness.type_text("E1");
    harness.press("enter");
    let (ticket, plan) = harness.last_write();
    let which = Which { ticket, index: 0 };
    harness.press(keys);
    let Operation::Create { draft } = &plan.operations[0] else { panic!("a create") };
    let segment = Arc::new(came(draft.clone().into_segment(id("real"))));
    let applied = Applied { segment, merged: vec![Field::ExternalId], ignored: Vec::new(), raced: false };
    let (operation, outcome) = (plan.operations[0].clone(), Outcome::Created(applied));
    harness.tell(mirror::Event::OperationEnded { which, operation, outcome });
    harness
}

#[test]
fn a_form_of_what_is_still_being_created_writes_over_nothing_unseen() {
    let theirs = |segment| Segment { external_id: Some("E2".into()), ..segment };
    let mut harness = editing_while_created(theirs, "e");
    let Some(Layer::Form(form)) = harness.state.layers.last() else { panic!("the form stays open") };
    assert!(form.faults[&Field::ExternalId].contains("E2"), "{:?}", form.faults);
    let Purpose::Edit { base } = &form.purpose else { panic!("an edit") };
    assert_eq!((base.id.clone(), base.external_id.as_deref()), (id("real"), Some("E1")));
    harness.press("! enter");
    let Operation::Update { base, draft } = &harness.last_write().1.operations[0] else { panic!("an update") };
    assert_eq!((base.id.clone(), draft.changes(base)), (id("real"), vec![Field::Name]));
}

#[test]
fn a_row_that_is_renamed_while_it_is_created_begins_from_the_name_that_was_seen() {
    let theirs = |segment| Segment { name: "Theirs".into(), ..segment };
    let harness = editing_while_created(theirs, "r");
    let Some(Layer::Renaming(renaming)) = harness.state.layers.last() else { panic!("the input stays") };
    assert_eq!((renaming.base.id.clone(), renaming.base.name.as_str()), (id("real"), "Nowy"));
    assert!(renaming.fault.as_ref().unwrap().contains("Theirs"));
}

#[test]
fn several_that_were_not_moved_are_told_as_several() {
    let mut harness = at_work();
    harness.press("j space space m");
    harness.type_text("vip");
    harness.press("enter y j");
    harness.refuse("no");
    assert!(harness.message().starts_with("2 segments were not moved"), "{}", harness.message());
}
