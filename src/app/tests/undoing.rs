//! Undo and redo, changes that are applied although others were discarded, and changes that someone else reverts.

use std::sync::Arc;

use crate::app::Pane;
use crate::app::harness::{Harness, id, named, wholesale, written};
use crate::changes::Operation;
use crate::changes::{ExecutionResult, OpId, WriteError, WriteResult, Written};
use crate::remote::{Call, Fault, RemoteError};

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

#[test]
fn undo_re_creates_a_deleted_subtree_and_redo_deletes_it() {
    let mut harness = at_work();
    harness.press("j j d s");
    harness.succeed();
    harness.press("u");
    let (_, plan) = harness.last_write();
    let names: Vec<&str> = plan
        .operations
        .iter()
        .map(|operation| match operation {
            Operation::Create { draft } => draft.name.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["Polska", "Łódzkie", "Łódź", "Zgierz", "Mazowieckie"]);
    harness.succeed_with(|index| format!("again-{index}"));
    assert!(harness.message().contains("(new IDs)"), "{}", harness.message());
    assert_eq!(harness.state.tree.forest.get(&id("again-1")).unwrap().parent, Some(id("again-0")));
    harness.press("U y");
    let (_, plan) = harness.last_write();
    let gone: Vec<String> = plan.operations.iter().map(|op| op.subject().unwrap().to_string()).collect();
    assert_eq!(gone, ["again-4", "again-3", "again-2", "again-1", "again-0"]);
    harness.succeed();
    assert!(!harness.state.tree.forest.contains(&id("again-0")));
    harness.press("U");
    assert!(harness.message().contains("Nothing to redo"), "{}", harness.message());
}

#[test]
fn one_marked_segment_moves_at_once_and_is_undone() {
    let mut harness = at_work();
    harness.press("* G g g j V j j j V m");
    assert_eq!(harness.state.tree.picks.marked.len(), 4);
    harness.press("esc esc");
    assert!(harness.state.tree.picks.marked.is_empty());
    harness.press("g g j space m");
    harness.type_text("vip");
    harness.press("enter");
    assert_eq!(harness.write_count(), 1, "one alone goes at once");
    harness.succeed();
    harness.press("u");
    harness.succeed();
    assert_eq!(harness.state.tree.forest.get(&id("export")).unwrap().parent, Some(id("hurt")));
}

#[test]
fn a_change_reverted_by_someone_else_is_reported() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    harness.succeed();
    let mine = named("export", "Export!", Some("hurt"));
    harness.changed(Some(&mine), Some(&named("export", "Export", Some("hurt"))));
    assert!(harness.message().contains("(“Export!” → “Export”)"), "{}", harness.message());
}

#[test]
fn a_failed_undo_can_be_tried_again() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    harness.succeed();
    harness.press("u");
    harness.refuse("not now");
    harness.press("Q d");
    harness.press("esc u");
    harness.succeed();
    assert_eq!(harness.rows()[1], "  >Export");
}

#[test]
fn undo_restores_the_former_value_not_a_discarded_one() {
    let mut harness = at_work();
    harness.press("g g");
    let original = harness.state.selected_segment().unwrap().name.clone();
    let mut first = None;
    for name in ["Given up", "Kept"] {
        harness.press("r ctrl-u");
        harness.type_text(name);
        harness.press("enter");
        first = first.or_else(|| Some(harness.last_write().0));
    }
    let op = OpId { plan_id: first.unwrap(), index: 0 };
    let fault = Fault::Refused { status: 409, message: "no".into(), retry_after: None };
    let error = WriteError::Refused(RemoteError { call: Call::Update(id("hurt")), fault });
    harness.executed(op, ExecutionResult::Failed { error, evidence: None });
    harness.press("Q g d esc");
    assert!(harness.state.changes.queue.op(op).is_none(), "it is discarded");
    harness.succeed();
    harness.press("u");
    let (_, back) = harness.last_write();
    let Operation::Update { base, draft } = &back.operations[0] else { panic!("an update") };
    assert_eq!((base.name.as_str(), draft.name.as_str()), ("Kept", original.as_str()));
}

#[test]
fn undo_leaves_an_older_failed_plan_alone() {
    let mut harness = at_work();
    harness.press("j space space e");
    harness.type_text("x");
    harness.press("enter y");
    let (older, _) = harness.last_write();
    harness.succeed_with_first(1, |_| unreachable!("only names change"));
    let fault = Fault::Refused { status: 409, message: "no".into(), retry_after: None };
    let step = OpId { plan_id: older, index: 1 };
    let error = WriteError::Refused(RemoteError { call: Call::Update(id("pl")), fault });
    harness.executed(step, ExecutionResult::Failed { error, evidence: None });
    harness.press("esc esc g g r ctrl-u");
    harness.type_text("Later");
    harness.press("enter");
    harness.succeed();
    harness.press("u");
    assert!(harness.state.changes.queue.plan(older).is_some(), "{:?}", harness.message());
    let (_, back) = harness.last_write();
    assert_eq!(back.operations.len(), 1);
}

#[test]
fn a_change_that_wrote_nothing_is_not_undone() {
    let mut harness = at_work();
    harness.press("g g r ctrl-u");
    harness.type_text("Both");
    harness.press("enter");
    let (plan_id, plan) = harness.last_write();
    let (op, operation) = (OpId { plan_id, index: 0 }, plan.operations[0].clone());
    let Operation::Update { base, draft } = &operation else { panic!("an update") };
    let segment = draft.clone().into_segment(base.id.clone());
    let written = Written { written: Vec::new(), ..written(segment) };
    harness.executed(op, ExecutionResult::Done(WriteResult::Updated(written)));
    harness.press("u");
    assert!(harness.message().contains("Nothing to undo"), "{}", harness.message());
}

/// What a server may do with the children of a segment deleted without them.
#[derive(Debug, Clone, Copy)]
enum Children {
    Stay,
    BecomeRoots,
    MoveUp,
    GoToo,
}

#[test]
fn undoing_a_single_deletion_restores_its_children() {
    for made_of_them in [Children::Stay, Children::BecomeRoots, Children::MoveUp, Children::GoToo] {
        let mut harness = at_work();
        // "Polska" is a child of "Hurtownie" and has two children.
        harness.press("j j d o");
        let Operation::Delete { leaving, .. } = harness.last_write().1.operations[0].clone() else {
            panic!("a deletion")
        };
        assert_eq!(leaving.len(), 2);
        harness.succeed();
        for child in &leaving {
            let before = harness.state.tree.forest.get(child).unwrap().clone();
            let stands = |parent| Arc::new(crate::segment::Segment { parent, ..(*before).clone() });
            match made_of_them {
                Children::Stay => {}
                Children::BecomeRoots => harness.changed(Some(&before), Some(&stands(None))),
                Children::MoveUp => harness.changed(Some(&before), Some(&stands(Some(id("hurt"))))),
                Children::GoToo => harness.changed(Some(&before), None),
            }
        }
        harness.press("u");
        harness.succeed_with(|_| "again".into());
        let children: Vec<_> =
            harness.state.tree.forest.children(&id("again")).iter().map(|child| child.id.clone()).collect();
        let expected = if matches!(made_of_them, Children::GoToo) { Vec::new() } else { leaving.clone() };
        assert_eq!(children.len(), expected.len(), "{made_of_them:?}");
        assert!(expected.iter().all(|child| children.contains(child)), "{made_of_them:?}");
        // Redo deletes it again, without blaming anybody.
        harness.press("U");
        let (_, plan) = harness.last_write();
        let Some(Operation::Delete { base, leaving: again }) = plan.operations.last() else { panic!("a deletion") };
        assert_eq!(base.id, id("again"));
        match made_of_them {
            // The server handles them as before.
            Children::Stay => assert_eq!((plan.operations.len(), again.len()), (1, 2)),
            Children::BecomeRoots | Children::MoveUp => assert_eq!((plan.operations.len(), again.len()), (3, 0)),
            Children::GoToo => assert_eq!((plan.operations.len(), again.len()), (1, 0)),
        }
    }
}

#[test]
fn undoing_a_deletion_leaves_a_child_moved_elsewhere_alone() {
    let mut harness = at_work();
    harness.press("j j d o");
    let Operation::Delete { leaving, .. } = harness.last_write().1.operations[0].clone() else { panic!("a deletion") };
    harness.succeed();
    let before = harness.state.tree.forest.get(&leaving[0]).unwrap().clone();
    let theirs = Arc::new(crate::segment::Segment { parent: Some(id("vip")), ..(*before).clone() });
    harness.changed(Some(&before), Some(&theirs));
    harness.press("u");
    harness.succeed_with(|_| "again".into());
    assert_eq!(harness.state.tree.forest.get(&leaving[0]).unwrap().parent, Some(id("vip")));
    assert_eq!(harness.state.tree.forest.get(&leaving[1]).unwrap().parent, Some(id("again")));
}

#[test]
fn any_change_of_this_session_is_undone_from_the_activity() {
    let mut harness = at_work();
    for (keys, name) in [("j r", "Export!"), ("G r", "Orphan!")] {
        harness.press(keys);
        harness.type_text("!");
        harness.press("enter");
        harness.succeed();
        assert!(harness.rows().iter().any(|row| row.ends_with(name)) || name == "Orphan!");
    }
    harness.press("backtab");
    assert_eq!(harness.state.screen.panes.focus, Pane::Activity);
    harness.press("j u");
    let (_, plan) = harness.last_write();
    let Operation::Update { draft, .. } = &plan.operations[0] else { panic!("an update") };
    assert_eq!(draft.name.as_str(), "Export", "the earlier of the two");
    harness.succeed();
    assert_eq!(harness.state.side.activity.entries().next().unwrap().text, "undid: rename Export to Export!");
    harness.press("u");
    assert_eq!(harness.message(), "Already undone");
    harness.press("enter");
    assert_eq!((harness.selected().as_str(), harness.state.screen.panes.focus), ("Export", Pane::Tree));
    harness.changed(Some(&named("vip", "VIP Client", None)), Some(&named("vip", "VIP", None)));
    harness.press("backtab g g u");
    assert!(harness.message().contains("wasn't done here"), "{}", harness.message());
}

#[test]
fn undo_while_the_first_change_is_in_flight_is_refused() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter u");
    assert_eq!(harness.message(), "Still sending. Try again in a moment");
}
