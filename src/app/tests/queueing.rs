//! Changes that are staged, on hold, failed, of unknown outcome or left over from an earlier session, and what the user does
//! about them.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, wholesale};
use crate::app::{Effect, Layer, described};
use crate::changes::Operation;
use crate::changes::PendingKind;
use crate::changes::{JournalEntry, OpId, PlanId, Recovered, RecoveredState, WriteError};
use crate::forest::RowId;
use crate::segment::{Draft, Segment};
use crate::sync::{self, Command};

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

fn pending(harness: &Harness, text: &str) -> Option<PendingKind> {
    harness.state.changes.queue.pending(&id(text))
}

/// Returns the lines of the queue pane.
fn listed(harness: &Harness) -> Vec<String> {
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Queue(_))), "{:?}", harness.state.screen.layers);
    let queue = &harness.state.changes.queue;
    let planned = queue.listed(0..usize::MAX).into_iter().filter_map(|op| queue.op(op));
    let operation = planned.map(|planned| described(&harness.state.tree.forest, &planned.operation));
    operation.map(|(sign, text)| format!("{sign} {text}")).collect()
}

fn chosen(harness: &Harness) -> Option<OpId> {
    let Some(Layer::Queue(pane)) = harness.state.screen.layers.last() else { panic!("the list is open") };
    pane.selected(&harness.state)
}

#[test]
fn edits_are_staged_until_they_are_sent_together() {
    let mut harness = at_work();
    harness.press("S j r");
    harness.type_text("!");
    harness.press("enter");
    assert_eq!((harness.write_count(), harness.rows()[1].as_str()), (0, "  >Export!"), "drawn, not sent");
    harness.press("j a");
    harness.type_text("Nowy");
    harness.press("enter S");
    assert_eq!(listed(&harness), ["~ Export → Export!", "+ Nowy in Polska"]);
    harness.press("y");
    assert_eq!((harness.write_count(), harness.state.screen.layers.len()), (2, 0));
    harness.press("S");
    assert_eq!((harness.state.screen.layers.len(), harness.state.changes.staging), (0, false));
}

#[test]
fn left_over_changes_are_reported_and_wait_in_the_queue() {
    let mut harness = at_work();
    let base = named("export", "Export", Some("hurt"));
    let draft = Draft::of(&named("export", "Left", Some("hurt")));
    let op = OpId { plan_id: PlanId(7), index: 1 };
    let operation = Operation::Update { base, draft };
    harness.press("/");
    harness.sync_event(sync::Event::Recovered(vec![Recovered {
        op,
        operation,
        state: RecoveredState::NotSent,
        evidence: None,
        undoes: None,
    }]));
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Find(_)]), "whoever types goes on typing");
    assert!(harness.message().starts_with("Left over from last session: "), "{}", harness.message());
    assert!(harness.message().ends_with("not sent yet · press Q to see it"), "{}", harness.message());
    harness.press("esc");
    assert_eq!(harness.rows()[1], "  Left", "as it was asked for");
    harness.press("Q");
    let Some(Layer::Queue(pane)) = harness.state.screen.layers.last() else { panic!("it is shown") };
    assert_eq!(pane.left_over(&harness.state).collect::<Vec<_>>(), ["Rename Export to Left: not sent yet"]);
    assert_eq!(harness.executions().len(), 0, "nobody has said that it is to be sent");
    harness.press("r");
    assert_eq!(harness.executions()[0].op, op);
    harness.press("esc Q");
    let Some(Layer::Queue(pane)) = harness.state.screen.layers.last() else { panic!("it is shown") };
    assert!(!pane.shows_left_over(&harness.state), "it was looked at");
}

#[test]
fn a_left_over_notice_is_shown_only_while_it_is_true() {
    let left = |harness: &Harness| {
        let Some(Layer::Queue(pane)) = harness.state.screen.layers.last() else { panic!("it is closed") };
        let keys = pane.keys(&harness.state);
        assert_eq!(keys.contains(&("enter", "OK")), pane.shows_left_over(&harness.state), "{keys:?}");
        pane.left_over(&harness.state).map(str::to_owned).collect::<Vec<_>>()
    };
    let recovered = |states: Vec<RecoveredState>| {
        let mut harness = at_work();
        let operation = |name: &str| Operation::Update {
            base: named("export", "Export", Some("hurt")),
            draft: Draft::of(&named("export", name, Some("hurt"))),
        };
        let found = states.into_iter().enumerate().map(|(index, state)| {
            let op = OpId { plan_id: PlanId(7), index };
            Recovered { op, operation: operation(&format!("Left {index}")), state, evidence: None, undoes: None }
        });
        harness.sync_event(sync::Event::Recovered(found.collect()));
        harness.press("Q");
        harness
    };
    // A discarded change is no longer staged.
    let mut harness = recovered(vec![RecoveredState::Staged]);
    assert_eq!(left(&harness), ["Rename Export to Left 0: still staged"]);
    harness.press("D");
    assert_eq!(left(&harness), Vec::<String>::new());
    assert_eq!(harness.state.changes.counts().total(), 0);
    // A discarded or sent change is no longer listed; the others still are.
    let mut harness = recovered(vec![RecoveredState::Staged, RecoveredState::Staged]);
    harness.press("d");
    assert_eq!(left(&harness), ["Rename Export to Left 1: still staged"]);
    let mut harness = recovered(vec![RecoveredState::NotSent]);
    harness.press("r");
    assert_eq!(left(&harness), Vec::<String>::new());
    // Enter dismisses the notice first, and only then acts on the selected change.
    let mut harness = recovered(vec![RecoveredState::NotFound]);
    assert_eq!(left(&harness).len(), 1);
    harness.press("enter");
    assert_eq!(left(&harness), Vec::<String>::new());
    harness.press("enter");
    assert!(!matches!(harness.state.screen.layers.last(), Some(Layer::Queue(_))), "it is decided about");
}

#[test]
fn a_failed_change_stays_until_it_is_discarded() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter j");
    harness.refuse("no");
    assert_eq!(pending(&harness, "export"), Some(PendingKind::Failed));
    harness.press("Q d");
    let (plan_id, _) = harness.last_write();
    let over = JournalEntry::Finished(OpId { plan_id, index: 0 });
    assert_eq!(harness.effects.last(), Some(&Effect::Sync(Command::Journal(vec![over]))));
    assert_eq!((pending(&harness, "export"), harness.state.changes.failed_dialog_count()), (None, 0));
}

#[test]
fn ctrl_c_puts_everything_on_hold_that_is_not_in_flight() {
    let mut harness = at_work();
    harness.state.changes.queue.pause_sending();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter ctrl-c");
    assert_eq!(harness.state.changes.counts().on_hold, 1);
    harness.sync_event(sync::Event::ServerResponded);
    assert_eq!(harness.executions().len(), 0);
    harness.press("Q r");
    assert_eq!((harness.state.changes.counts().in_flight, harness.executions().len()), (1, 1));
}

#[test]
fn an_operation_in_flight_cannot_be_discarded() {
    let mut harness = at_work();
    harness.press("g g r ctrl-u");
    harness.type_text("Renamed");
    harness.press("enter Q D d esc");
    assert_eq!(harness.state.changes.counts().in_flight, 1);
    harness.succeed();
    assert!(harness.rows().iter().any(|row| row.ends_with("Renamed")), "{:?}", harness.rows());
}

#[test]
fn discarding_a_staged_create_discards_its_children() {
    let mut harness = at_work();
    harness.press("S j a");
    harness.type_text("Parent");
    harness.press("enter a");
    harness.type_text("Child");
    harness.press("enter g g r");
    harness.type_text("!");
    harness.press("enter S d");
    assert_eq!(listed(&harness), ["~ Hurtownie → Hurtownie!"]);
    harness.press("y");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn indexes_in_a_plan_stay_when_a_change_is_excluded() {
    let mut harness = at_work();
    harness.press("j space space e");
    harness.type_text(" {n}");
    harness.press("enter d y");
    let (plan_id, plan) = harness.last_write();
    assert_eq!(plan.operations.len(), 1);
    assert_eq!(
        harness.executions().iter().map(|execution| execution.op).collect::<Vec<_>>(),
        [OpId { plan_id, index: 1 }]
    );
}

#[test]
fn a_possible_duplicate_is_asked_about_and_can_be_adopted() {
    let mut harness = at_work();
    harness.press("j a");
    harness.type_text("Nowy");
    harness.press("enter");
    let (plan_id, plan) = harness.last_write();
    let op = OpId { plan_id, index: 0 };
    let Operation::Create { draft } = plan.operations[0].clone() else { panic!("a create") };
    let theirs = Segment { external_id: Some("T".into()), ..draft.into_segment(id("real")) };
    harness.fail(WriteError::PossibleDuplicate { theirs: Arc::new(theirs) });
    harness.press("!");
    assert!(
        matches!(harness.state.screen.layers.last(), Some(Layer::Conflict(_))),
        "{:?}",
        harness.state.screen.layers
    );
    harness.press("t");
    let last = harness.executions().pop().unwrap();
    assert_eq!((last.op, last.evidence.unwrap().adopted), (op, Some(id("real"))));
    assert!(harness.state.screen.layers.is_empty());
}

#[test]
fn staged_changes_are_journaled_and_sent_from_the_list() {
    let mut harness = at_work();
    harness.press("S g g r ctrl-u");
    harness.type_text("Renamed");
    harness.press("enter");
    let Some(Effect::Sync(Command::Journal(entries))) = harness.effects.last() else { panic!("it is kept") };
    assert!(matches!(entries.as_slice(), [JournalEntry::Staged(..)]), "{entries:?}");
    harness.press("Q r");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn staged_deletions_are_reviewed_and_stay_when_cancelled() {
    let mut harness = at_work();
    harness.press("S j d enter");
    // Staging is switched off, but the staged change stays.
    harness.press("S S S y");
    let Some(Layer::Review(review)) = harness.state.screen.layers.last() else { panic!("deletions are told of") };
    assert_eq!(review.warnings.len(), 1);
    harness.press("esc");
    assert_eq!((harness.state.changes.counts().staged, harness.write_count()), (1, 0), "{}", harness.message());
    harness.press("S y y");
    assert_eq!((harness.state.changes.counts().staged, harness.write_count()), (0, 1));
}

#[test]
fn failures_come_first_and_the_choice_follows_its_change() {
    let mut harness = at_work();
    for (go, typed) in [("g g", "1"), ("j", "2"), ("j", "3")] {
        harness.press(&format!("{go} r"));
        harness.type_text(typed);
        harness.press("enter");
    }
    harness.press("Q j j");
    assert_eq!(listed(&harness), ["~ Hurtownie → Hurtownie1", "~ Export → Export2", "~ Polska → Polska3"]);
    let op = harness.executions()[2].op;
    harness.refuse("names are frozen");
    assert_eq!(listed(&harness)[0], "~ Polska → Polska3");
    assert_eq!(chosen(&harness), Some(op), "it went to the first line, and the choice with it");
    harness.press("d");
    assert_eq!(listed(&harness), ["~ Hurtownie → Hurtownie1", "~ Export → Export2"]);
}

#[test]
fn a_key_for_a_vanished_change_does_not_hit_another_one() {
    let mut harness = at_work();
    harness.press("S g g r");
    harness.type_text("1");
    harness.press("enter j r");
    harness.type_text("2");
    harness.press("enter S");
    let first = chosen(&harness).unwrap();
    harness.press("r");
    harness.press("k");
    while chosen(&harness) != Some(first) {
        harness.press("j");
    }
    harness.succeed();
    assert_eq!(listed(&harness), ["~ Export → Export2"]);
    harness.press("d");
    assert_eq!(listed(&harness), ["~ Export → Export2"], "{}", harness.message());
    assert!(harness.message().starts_with("The change you selected is gone"), "{}", harness.message());
    harness.press("d");
    assert_eq!(listed(&harness), Vec::<String>::new());
}

#[test]
fn staged_changes_altered_elsewhere_need_the_key_again() {
    let mut harness = at_work();
    harness.press("S j r");
    harness.type_text("!");
    harness.press("enter S");
    let (was, is) = (named("export", "Export", Some("hurt")), named("export", "Eksport", Some("hurt")));
    harness.changed(Some(&was), Some(&is));
    harness.press("y");
    assert_eq!((harness.write_count(), harness.state.screen.layers.len()), (0, 1), "{}", harness.message());
    harness.press("y");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn a_child_of_a_staged_segment_is_not_sent_without_it() {
    let mut harness = at_work();
    harness.press("S j a");
    harness.type_text("Parent");
    harness.press("enter a");
    harness.type_text("Child");
    harness.press("enter Q j r");
    assert_eq!((harness.write_count(), harness.state.changes.counts().staged), (0, 2));
    assert_eq!(harness.message(), "Not sent: it needs a segment that is still staged. Press S to send both");
    harness.press("y");
    assert_eq!((harness.write_count(), harness.state.changes.counts().staged), (2, 0));
}

#[test]
fn changes_staged_in_an_earlier_session_are_staged_again() {
    let mut harness = at_work();
    let base = Arc::clone(harness.state.tree.forest.get(&id("export")).unwrap());
    let draft = Draft { name: crate::segment::Name::parse("Renamed").unwrap(), ..Draft::of(&base) };
    let (op, operation) = (OpId { plan_id: PlanId(7), index: 0 }, Operation::Update { base, draft });
    harness.sync_event(sync::Event::Recovered(vec![Recovered {
        op,
        operation,
        state: RecoveredState::Staged,
        evidence: None,
        undoes: None,
    }]));
    harness.press("enter R esc");
    assert_eq!((harness.state.changes.counts().staged, harness.write_count()), (1, 0));
    harness.press("S y");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn discarding_a_create_discards_a_chain_of_any_depth() {
    let mut harness = at_work();
    harness.press("S");
    for _ in 0..2 {
        harness.press("a");
        harness.type_text("Deep");
        harness.press("enter");
    }
    let operation = |parent| Operation::Create { draft: Draft { parent, ..Draft::of(&named("x", "Deep", None)) } };
    let plan_id = PlanId(u64::MAX);
    let depth = 5_000_usize;
    let recovered = (0..depth).map(|index| {
        let above = index.checked_sub(1).map(|above| OpId { plan_id, index: above }.provisional_id());
        Recovered {
            op: OpId { plan_id, index },
            operation: operation(above),
            state: RecoveredState::Staged,
            evidence: None,
            undoes: None,
        }
    });
    harness.sync_event(sync::Event::Recovered(recovered.collect()));
    assert_eq!(harness.state.changes.counts().staged, depth + 2);
    harness.press("Q j j d");
    assert_eq!(harness.state.changes.counts().staged, 2, "{}", harness.message());
}

#[test]
fn discarding_a_deletion_discards_those_of_its_ancestors() {
    let mut harness = at_work();
    harness.press("S z 0");
    harness.state.tree.view.selected = Some(RowId::Segment(id("lodzkie")));
    harness.press("d s S");
    let places: Vec<String> = listed(&harness);
    assert_eq!(places.len(), 3, "{places:?}");
    harness.press("d");
    assert_eq!(listed(&harness).len(), 1, "what the other child is about goes on by itself: {:?}", listed(&harness));
    assert_eq!(harness.message(), "Discarded, with 1 change that needs it. Staged only, so this can't be undone");
    harness.press("y y");
    let (_, plan) = harness.last_write();
    assert!(plan.operations.iter().all(|operation| operation.subject() != Some(&id("lodzkie"))));
}

#[test]
fn discarding_a_move_discards_the_deletion_that_needs_it() {
    let mut harness = at_work();
    harness.press("S z 0");
    harness.state.tree.view.selected = Some(RowId::Segment(id("lodzkie")));
    harness.press("d p S");
    assert_eq!(listed(&harness).len(), 3);
    harness.press("d");
    assert_eq!(listed(&harness).len(), 1);
}

#[test]
fn one_key_holds_one_change_and_another_holds_all() {
    let mut harness = at_work();
    harness.state.changes.queue.pause_sending();
    for keys in ["j r", "j r"] {
        harness.press(keys);
        harness.type_text("!");
        harness.press("enter");
    }
    harness.press("Q h");
    assert_eq!(harness.state.changes.counts().on_hold, 1);
    assert_eq!(harness.message(), "On hold. Press r to resume");
    harness.press("H");
    assert_eq!(harness.state.changes.counts().on_hold, 2);
    harness.press("R");
    assert_eq!(harness.state.changes.counts().on_hold, 0);
}
