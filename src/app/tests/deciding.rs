//! Changes elsewhere while a dialog is open, and what happens when the user decides.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, segment, wholesale, written};
use crate::app::{ConflictKind, FormKind, Layer};
use crate::changes::Operation;
use crate::changes::{ExecutionResult, JournalEntry, OpId, WriteError, WriteResult, Written};
use crate::segment::{Field, Segment};
use crate::sync::Command;

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

/// Opens the deletion dialog for "Polska", which has four descendants.
fn deleting() -> Harness {
    let mut harness = at_work();
    harness.press("j j d");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Deletion(_))));
    harness
}

/// Returns the operations that the journal records as over.
fn discarded(harness: &Harness) -> Vec<OpId> {
    let entries = harness.effects.iter().filter_map(|effect| match effect {
        crate::app::Effect::Sync(Command::Journal(entries)) => Some(entries),
        _ => None,
    });
    let over = entries.flatten().filter_map(|entry| match entry {
        JournalEntry::Finished(op) => Some(*op),
        _ => None,
    });
    over.collect()
}

#[test]
fn a_rename_or_move_during_a_deletion_asks_again() {
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
            let Some(Layer::Deletion(deletion)) = harness.state.screen.layers.last() else { panic!("asks again") };
            assert_eq!(deletion.roots, [Arc::clone(&now)]);
            harness.press(policy);
            assert_eq!(harness.write_count(), 1, "seen and confirmed: {policy}");
        }
    }
}

#[test]
fn a_renamed_descendant_during_a_deletion_asks_again() {
    let mut harness = deleting();
    let (before, now) = (named("lodz", "Łódź", Some("lodzkie")), named("lodz", "Keep me", Some("lodzkie")));
    harness.changed(Some(&before), Some(&now));
    harness.press("s");
    assert_eq!(harness.write_count(), 0);
    assert!(harness.message().contains("Its descendants just changed"), "{}", harness.message());
    harness.press("s");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn a_segment_deleted_during_the_dialog_is_reported_as_gone() {
    for policy in ["s", "p", "o"] {
        let mut harness = deleting();
        harness.changed(Some(&named("pl", "Polska", Some("hurt"))), None);
        harness.press(policy);
        assert_eq!((harness.write_count(), harness.state.screen.layers.len()), (0, 0));
        assert!(harness.message().contains("Polska was just deleted; nothing left"), "{}", harness.message());
    }
}

#[test]
fn a_changed_target_for_the_children_asks_again() {
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
    assert!(harness.message().contains("Its parent just changed"), "{}", harness.message());
}

/// Opens a dialog on a segment being created; the server responds with its own version of that segment.
fn editing_while_created(came: impl Fn(Segment) -> Segment, keys: &str) -> Harness {
    let mut harness = at_work();
    harness.press("j a");
    harness.type_text("Nowy");
    harness.press("tab");
    harness.type_text("E1");
    harness.press("enter");
    let (plan_id, plan) = harness.last_write();
    let op = OpId { plan_id, index: 0 };
    harness.press(keys);
    let Operation::Create { draft } = &plan.operations[0] else { panic!("a create") };
    let segment = came(draft.clone().into_segment(id("real")));
    let written = Written { merged: vec![Field::ExternalId], ..written(segment) };
    harness.executed(op, ExecutionResult::Done(WriteResult::Created(written)));
    harness
}

#[test]
fn a_form_on_a_new_segment_shows_what_the_server_changed() {
    let theirs = |segment| Segment { external_id: Some("E2".into()), ..segment };
    let mut harness = editing_while_created(theirs, "e");
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("the form stays open") };
    assert!(form.faults[&Field::ExternalId].contains("E2"), "{:?}", form.faults);
    let FormKind::Edit { base } = &form.kind else { panic!("an edit") };
    assert_eq!((base.id.clone(), base.external_id.as_deref()), (id("real"), Some("E1")));
    harness.press("! enter");
    let Operation::Update { base, draft } = &harness.last_write().1.operations[0] else { panic!("an update") };
    assert_eq!((base.id.clone(), draft.changes(base)), (id("real"), vec![Field::Name]));
}

#[test]
fn renaming_a_new_segment_starts_from_the_name_that_was_shown() {
    let theirs = |segment| Segment { name: "Theirs".into(), ..segment };
    let harness = editing_while_created(theirs, "r");
    let Some(Layer::Renaming(renaming)) = harness.state.screen.layers.last() else { panic!("the input stays") };
    assert_eq!((renaming.base.id.clone(), renaming.base.name.as_str()), (id("real"), "Nowy"));
    assert!(renaming.fault.as_ref().unwrap().contains("Theirs"));
}

/// "Polska" was to be deleted without its children, and has got a new child in the meantime.
fn grown() -> Harness {
    let mut harness = deleting();
    harness.press("o");
    harness.changed(None, Some(&segment("new", Some("pl"))));
    harness.fail(WriteError::NewChildren { new_children: vec![id("new")] });
    harness.press("!");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Conflict(_))));
    harness
}

#[test]
fn deleting_the_new_children_still_leaves_the_former_ones() {
    let mut harness = grown();
    let (plan_id, _) = harness.last_write();
    harness.press("D y");
    let (_, plan) = harness.last_write();
    let [Operation::Delete { base: new_child, .. }, Operation::Delete { base, leaving }] = plan.operations.as_slice()
    else {
        panic!("two deletions: {plan:?}")
    };
    assert_eq!((new_child.id.clone(), base.id.clone()), (id("new"), id("pl")));
    let mut leaving = leaving.clone();
    leaving.sort();
    assert_eq!(leaving, [id("lodzkie"), id("maz")]);
    assert_eq!(discarded(&harness), [OpId { plan_id, index: 0 }], "the one before is given up with it");
}

#[test]
fn cancelling_the_review_keeps_the_failed_deletion() {
    let mut harness = grown();
    let (plan_id, _) = harness.last_write();
    harness.press("D esc");
    assert_eq!((harness.write_count(), discarded(&harness)), (1, Vec::new()));
    assert!(harness.state.changes.queue.is_failed_or_held(OpId { plan_id, index: 0 }));
    harness.press("Q enter");
    assert!(
        matches!(harness.state.screen.layers.last(), Some(Layer::Conflict(_))),
        "{:?}",
        harness.state.screen.layers
    );
}

/// "Zgierz" was renamed here and deleted elsewhere, with its parent if `with_parent`.
fn gone(with_parent: bool) -> Harness {
    let mut harness = at_work();
    harness.press("* g g j j j j j r");
    assert_eq!(harness.selected(), "Zgierz");
    harness.type_text("!");
    harness.press("enter");
    harness.changed(Some(&named("zgierz", "Zgierz", Some("lodzkie"))), None);
    if with_parent {
        harness.changed(Some(&named("lodzkie", "Łódzkie", Some("pl"))), None);
    }
    harness.fail(WriteError::Conflict { theirs: None, fields: Vec::new() });
    harness.press("!");
    harness.press("c");
    harness
}

#[test]
fn re_creating_opens_a_form_and_discards_the_failed_change() {
    let mut harness = gone(false);
    let (plan_id, _) = harness.last_write();
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("a form opens") };
    assert_eq!((form.name.text(), form.external_id.text()), ("Zgierz!", "X-zgierz"));
    assert_eq!((form.parent.clone(), form.faults.len()), (Some(id("lodzkie")), 0));
    assert_eq!((harness.write_count(), discarded(&harness)), (1, Vec::new()));
    harness.press("enter");
    let Operation::Create { draft } = &harness.last_write().1.operations[0] else { panic!("a create") };
    assert_eq!((draft.name.as_str(), draft.parent.clone()), ("Zgierz!", Some(id("lodzkie"))));
    assert_eq!(discarded(&harness), [OpId { plan_id, index: 0 }]);
}

#[test]
fn re_creating_without_the_former_parent_asks_for_another() {
    let mut harness = gone(true);
    let (plan_id, _) = harness.last_write();
    harness.press("enter");
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("the form stays open") };
    assert!(form.faults[&Field::Parent].contains("no longer exists"), "{:?}", form.faults);
    assert_eq!((form.focus, harness.write_count()), (Field::Parent, 1));
    harness.press("esc");
    assert!(harness.state.changes.queue.is_failed_or_held(OpId { plan_id, index: 0 }), "it can be decided later");
    assert_eq!(discarded(&harness), []);
}

#[test]
fn re_creating_in_a_protected_profile_takes_the_tenant() {
    let mut harness = gone(false);
    harness.state.session.protected = true;
    harness.press("enter");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Review(_))));
    assert_eq!(discarded(&harness), []);
    harness.type_text("acme");
    harness.press("enter");
    assert_eq!((harness.write_count(), discarded(&harness).len()), (2, 1));
}

#[test]
fn a_failed_move_of_several_names_their_number() {
    let mut harness = at_work();
    harness.press("j space space m");
    harness.type_text("vip");
    harness.press("enter y j");
    harness.refuse("no");
    assert!(harness.message().starts_with("Couldn't move 2 segments"), "{}", harness.message());
}

#[test]
fn a_failure_opens_no_dialog_and_keys_still_reach_the_tree() {
    let theirs = named("export", "Theirs", Some("hurt"));
    let call = crate::remote::Call::Update(id("export"));
    let error = crate::remote::RemoteError { call, fault: crate::remote::Fault::ReadOnly };
    for failure in [
        WriteError::Conflict { theirs: Some(Arc::clone(&theirs)), fields: vec![crate::segment::Field::Name] },
        WriteError::Conflict { theirs: None, fields: Vec::new() },
        WriteError::NewChildren { new_children: vec![id("new")] },
        WriteError::Refused(error.clone()),
        WriteError::InDoubt(error),
        WriteError::PossibleDuplicate { theirs },
        WriteError::ParentMissing,
        WriteError::WouldCreateCycle,
        WriteError::NotDone,
    ] {
        for asked in ["j d enter", "j r x enter"] {
            let mut harness = at_work();
            harness.press(asked);
            assert_eq!(harness.write_count(), 1, "{asked}");
            harness.fail(failure.clone());
            assert!(
                harness.state.screen.layers.is_empty(),
                "{asked}: {failure:?} opens {:?}",
                harness.state.screen.layers
            );
            assert!(!harness.message().is_empty());
            let (writes, before) = (harness.write_count(), harness.state.tree.view.selected.clone());
            harness.press("j");
            assert_ne!(harness.state.tree.view.selected, before, "{asked}: {failure:?}");
            assert_eq!(harness.write_count(), writes);
        }
    }
}

#[test]
fn keeping_mine_keeps_their_changes_to_other_fields() {
    let mut harness = at_work();
    harness.press("j r x enter");
    let mut theirs = (*named("export", "Theirs", Some("hurt"))).clone();
    theirs.external_id = Some("THEIRS".into());
    harness.fail(WriteError::Conflict { theirs: Some(Arc::new(theirs)), fields: vec![crate::segment::Field::Name] });
    harness.press("! m enter");
    let Operation::Update { draft, .. } = &harness.last_write().1.operations[0] else { panic!("an update") };
    assert_eq!(draft.external_id.as_ref().map(crate::segment::ExternalId::as_str), Some("THEIRS"));
    assert_ne!(draft.name.as_str(), "Theirs");
}

#[test]
fn the_resolve_key_takes_the_selected_rows_failure_first() {
    let mut harness = at_work();
    for (keys, name) in [("j r", "!"), ("j r", "?")] {
        harness.press(keys);
        harness.type_text(name);
        harness.press("enter");
        harness.refuse("no");
    }
    let opened = |harness: &Harness| match harness.state.screen.layers.last() {
        Some(Layer::Renaming(renaming)) => renaming.base.id.to_string(),
        other => panic!("{other:?}"),
    };
    let second = harness.state.selected_segment().unwrap().id.to_string();
    harness.press("!");
    assert_eq!(opened(&harness), second, "the row's own");
    harness.press("esc g g !");
    assert_eq!(opened(&harness), "export", "the oldest");
}

#[test]
fn a_rejected_deletion_can_be_resolved_too() {
    let mut harness = at_work();
    harness.press("j d enter");
    harness.refuse("still used");
    harness.press("!");
    let Some(Layer::Queue(pane)) = harness.state.screen.layers.last() else { panic!("where it can be tried again") };
    assert_eq!(pane.list(&harness.state).chosen, 0);
    assert!(harness.message().contains("still used"), "{}", harness.message());
}

#[test]
fn a_conflict_that_changes_while_open_needs_the_key_again() {
    let mut harness = at_work();
    let first = named("export", "First", Some("hurt"));
    let second = named("export", "Second", Some("hurt"));
    harness.press("j d enter");
    harness.fail(WriteError::Conflict { theirs: Some(Arc::clone(&first)), fields: vec![Field::Name] });
    harness.press("!");
    let sent = harness.write_count();
    harness.changed(Some(&first), Some(&second));
    let Some(Layer::Conflict(conflict)) = harness.state.screen.layers.last() else { panic!("it is open") };
    assert!(conflict.changed && matches!(&conflict.kind, ConflictKind::Deletion { theirs, .. } if *theirs == second));
    harness.press("D");
    assert_eq!(harness.write_count(), sent, "{}", harness.message());
    assert!(harness.message().contains("press D again"), "{}", harness.message());
    harness.press("D");
    let Operation::Delete { base, .. } = &harness.last_write().1.operations[0] else { panic!("a deletion") };
    assert_eq!(*base, second);
}

#[test]
fn a_review_whose_segment_changes_needs_the_key_again() {
    let mut harness = at_work();
    harness.press("S j r");
    harness.type_text("!");
    harness.press("enter S");
    let before = named("export", "Export", Some("hurt"));
    let theirs = Arc::new(Segment { external_id: Some("X-1".into()), ..(*before).clone() });
    harness.changed(Some(&before), Some(&theirs));
    harness.press("y");
    assert_eq!(harness.write_count(), 0);
    assert!(harness.message().contains("review again"), "{}", harness.message());
    harness.press("y");
    assert_eq!(harness.write_count(), 1);
}
