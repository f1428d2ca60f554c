//! Submitting plans: shown in the tree at once, reviewed if needed, then queued.

use crate::action::Action;
use jiff::Timestamp;

use crate::changes::{Execution, OpId, Operation, Plan, PlanId, PlanKind, Renamed, Title, Transitions, confirmation};
use crate::forest::{Change, RowId};
use crate::segment::SegmentId;
use crate::sync::Command;

use super::{results, words};
use crate::app::Changes;
use crate::app::messages::Topic;
use crate::app::tree::viewport;
use crate::app::words::title;
use crate::app::{Effect, Layer, Review, State};

/// Why a plan is submitted, which decides whether it is reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) enum SubmitMode {
    /// The user has seen all of it: no review.
    Confirmed,
    /// The user asked for it: reviewed if it has more than one change or needs a confirmation phrase.
    Requested,
    /// The user asked for it without seeing the result: always reviewed.
    Unseen,
    /// It undoes or redoes another plan.
    Undo(PlanKind),
    /// Like [`Requested`](Self::Requested), in place of a failed operation, which is discarded when this is sent.
    Replacing(OpId),
}

/// A replacement of a failed operation.
#[derive(Debug, Clone)]
pub(in crate::app) struct Replacement {
    pub op: OpId,
    pub operation: Operation,
    /// The dialog it came from, reopened if the user doesn't send it or the server refuses.
    pub origin: Option<Layer>,
}

/// Shows a plan in the tree and submits it, stages it, or opens its review.
///
/// `origin` is the dialog it came from, reopened with its input if the server refuses.
pub(in crate::app) fn start_plan(
    state: &mut State,
    plan: Plan,
    title: Title,
    origin: Option<Layer>,
    mode: SubmitMode,
) -> Vec<Effect> {
    if plan.operations.is_empty() {
        return Vec::new();
    }
    if matches!(mode, SubmitMode::Confirmed | SubmitMode::Requested) {
        state.changes.last_edit = plan.operations.last().cloned();
    }
    let review = match &mode {
        SubmitMode::Confirmed => false,
        SubmitMode::Unseen => true,
        SubmitMode::Requested | SubmitMode::Replacing(_) => plan.operations.len() > 1 || needs_phrase(state, &plan),
        SubmitMode::Undo(_) => deletes_several(&plan) || needs_phrase(state, &plan),
    };
    let staging = state.changes.staging && !matches!(mode, SubmitMode::Undo(_));
    let creates = matches!(plan.operations.first(), Some(Operation::Create { .. }));
    let queue = &mut state.changes.queue;
    let (plan_id, staged) = match mode {
        SubmitMode::Undo(kind) => queue.stage_of_kind(&state.tree.forest, plan, title, kind),
        SubmitMode::Confirmed | SubmitMode::Requested | SubmitMode::Unseen | SubmitMode::Replacing(_) => {
            let replaces = if let SubmitMode::Replacing(op) = mode { Some(op) } else { None };
            let (plan_id, staged) = queue.stage(&state.tree.forest, plan, title);
            if let Some(op) = replaces {
                queue.set_replaced_op(plan_id, op);
            }
            (plan_id, staged)
        }
    };
    state.changes.ages.record_created(plan_id, state.clock.now);
    let mut effects = apply(state, staged);
    state.changes.origins.extend(origin.map(|origin| (plan_id, origin)));
    if creates {
        viewport::reveal(state, &OpId { plan_id, index: 0 }.provisional_id());
    }
    if !review && !staging {
        effects.extend(submit(state, &[plan_id]));
        return effects;
    }
    if review && !staging {
        state.screen.layers.push(Layer::Review(Review::of(state, vec![plan_id])));
    } else {
        report_staged(state);
    }
    if state.changes.staging {
        // While staging is on, a plan that is not sent at once is kept in the journal, so that it outlives this session.
        let kept = state.changes.queue.journal_staged(plan_id);
        effects.extend(apply(state, kept));
    }
    effects
}

/// Whether a plan could do so much damage that it needs a confirmation phrase.
fn needs_phrase(state: &State, plan: &Plan) -> bool {
    let operations: Vec<&Operation> = plan.operations.iter().collect();
    confirmation(&state.session.safeguards(), &state.tree.forest, &operations).next().is_some()
}

/// Whether a plan deletes more than one segment.
fn deletes_several(plan: &Plan) -> bool {
    let deletes = plan.operations.iter().filter(|operation| matches!(operation, Operation::Delete { .. }));
    deletes.count() > 1
}

/// Applies the transitions of the queue to the state.
pub(in crate::app) fn apply(state: &mut State, transitions: Transitions) -> Vec<Effect> {
    let Transitions { journal, shown, discarded, finished, renamed } = transitions;
    let removed = shown.iter().filter_map(|change| match change {
        Change::Remove(id) => Some(id.clone()),
        Change::Upsert(_) => None,
    });
    let removed: Vec<SegmentId> = removed.collect();
    update_rows(state, shown, renamed.as_ref());
    if let Some(Renamed { provisional, segment }) = renamed {
        state.tree.picks.rename(&provisional, &segment.id);
        let dialogs = state.screen.layers.iter_mut().chain(&mut state.changes.failed_dialogs);
        for layer in dialogs.chain(state.changes.origins.values_mut()) {
            layer.replace_provisional(&state.tree.forest, &provisional, &segment);
        }
    }
    for id in removed {
        state.tree.picks.forget(&id);
    }
    for op in discarded {
        state.changes.forget_failed_dialog(op);
    }
    for plan in finished {
        results::on_plan_finished(state, plan, None);
    }
    let mut entries = std::mem::take(&mut state.changes.undelivered_entries);
    entries.extend(journal);
    if entries.is_empty() { Vec::new() } else { vec![Effect::Sync(Command::Journal(entries))] }
}

/// Updates rows. If a segment got its real id, its row stays open and selected.
fn update_rows(state: &mut State, changes: Vec<Change>, renamed: Option<&Renamed>) {
    if changes.is_empty() {
        return;
    }
    let Some(Renamed { provisional, segment }) = renamed else {
        return viewport::preserving_viewport(state, |state| state.tree.forest.apply(changes));
    };
    let (provisional_row, row) = (RowId::Segment(provisional.clone()), RowId::Segment(segment.id.clone()));
    let is_open = state.tree.forest.is_open(&provisional_row);
    let select = |state: &mut State| {
        if state.tree.view.selected.as_ref() == Some(&provisional_row) {
            state.tree.view.selected = Some(row.clone());
        }
    };
    viewport::preserving_viewport(state, |state| {
        state.tree.forest.apply(changes);
        if is_open {
            state.tree.forest.expand(&row);
        }
        select(state);
    });
    // The filtered tree has a selection of its own.
    select(state);
}

/// Queues staged plans. A plan that needs a new segment of a staged plan stays staged too.
pub(in crate::app) fn submit(state: &mut State, plan_ids: &[PlanId]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for plan_id in plan_ids {
        let waits = state.changes.queue.waits_for_staged(*plan_id);
        let transitions =
            if waits { state.changes.queue.journal_staged(*plan_id) } else { state.changes.queue.submit(*plan_id) };
        effects.extend(apply(state, transitions));
        if waits {
            state.warn_about(Topic::AnyStaged, words::needs_a_staged_segment(state.key(Action::Stage)));
        }
    }
    effects
}

fn report_staged(state: &mut State) {
    let staged = state.changes.counts().staged;
    state.inform_about(Topic::Staged(staged), words::staged(staged, state.key(Action::Stage)));
}

/// Sends the operations that are ready. Runs after every event.
pub(in crate::app) fn send_next(changes: &mut Changes, now: Timestamp) -> impl Iterator<Item = Effect> {
    let Changes { queue, ages, .. } = changes;
    let execute = move |execution: Execution| {
        ages.record_sent(execution.op, now);
        Effect::Sync(Command::Execute(Box::new(execution)))
    };
    std::iter::from_fn(|| queue.begin()).map(execute)
}

/// Discards a plan that was not sent, and everything that depends on it.
pub(in crate::app) fn unstage(state: &mut State, plan_id: PlanId) -> Vec<Effect> {
    discard_plan(state, plan_id)
}

/// Queues a failed operation, or one on hold, again.
pub(in crate::app) fn retry(state: &mut State, op: OpId) -> Vec<Effect> {
    state.changes.forget_failed_dialog(op);
    let transitions = state.changes.queue.retry(op);
    apply(state, transitions)
}

/// Takes a segment as the result of a create whose response was lost.
pub(in crate::app) fn adopt(state: &mut State, op: OpId, id: SegmentId) -> Vec<Effect> {
    state.changes.forget_failed_dialog(op);
    let transitions = state.changes.queue.adopt(op, id);
    apply(state, transitions)
}

/// Replaces a failed operation by another, at once or after a review. `origin` is the dialog it came from.
pub(in crate::app) fn replace(state: &mut State, op: OpId, operation: Operation, origin: Option<Layer>) -> Vec<Effect> {
    let replacement = Replacement { op, operation, origin };
    let safeguards = state.session.safeguards();
    if confirmation(&safeguards, &state.tree.forest, &[&replacement.operation]).next().is_none() {
        return send_replacement(state, replacement);
    }
    state.screen.layers.push(Layer::Review(Review::of_replacement(state, replacement)));
    Vec::new()
}

/// Queues a replacement, unless the failed operation was resolved in the meantime.
pub(in crate::app) fn send_replacement(state: &mut State, replacement: Replacement) -> Vec<Effect> {
    let Replacement { op, operation, origin } = replacement;
    if !state.changes.queue.is_failed_or_held(op) {
        state.inform(words::ALREADY_RESOLVED);
        return Vec::new();
    }
    if state.changes.queue.refers_to_staged(&operation) {
        state.warn_about(Topic::AnyStaged, words::parent_still_staged(state.key(Action::Stage)));
        return Vec::new();
    }
    state.changes.origins.extend(origin.map(|origin| (op.plan_id, origin)));
    state.changes.forget_failed_dialog(op);
    let (title, creates) = (title(&operation), matches!(operation, Operation::Create { .. }));
    let transitions = state.changes.queue.replace(op, operation, title);
    let effects = apply(state, transitions);
    if creates {
        viewport::reveal(state, &op.provisional_id());
    }
    effects
}

/// Discards an operation that is not in flight, and everything that depends on it.
pub(in crate::app) fn discard(state: &mut State, op: OpId) -> Vec<Effect> {
    let transitions = state.changes.queue.discard(op);
    apply(state, transitions)
}

/// Discards the rest of a plan. Operations in flight are still executed.
pub(in crate::app) fn discard_plan(state: &mut State, plan_id: PlanId) -> Vec<Effect> {
    let transitions = state.changes.queue.discard_plan(plan_id);
    apply(state, transitions)
}

/// Puts all queued operations on hold. Returns how many there were.
pub(in crate::app) fn hold_all(changes: &mut Changes) -> usize {
    changes.queue.hold_all()
}

/// Resumes the operations of a plan that are on hold or failed. Creates that may already have been applied are left out: each
/// needs a decision of its own.
pub(in crate::app) fn resume(state: &mut State, plan_id: PlanId) -> Vec<Effect> {
    let (transitions, unclear) = state.changes.queue.resume(plan_id);
    if unclear > 0 {
        state.warn_about(Topic::AnyProblem, words::MAY_HAVE_BEEN_CREATED);
    }
    apply(state, transitions)
}
