//! The results of operations: in the tree, in the activity and as messages.

use std::sync::Arc;
use std::time::Duration;

use crate::action::Action;
use crate::changes::{
    DoneOp, ExecutionResult, FinishedPlan, OpId, OpState, Operation, Recovered, RecoveredState, Transitions,
    WriteError, WriteResult, Written,
};
use crate::remote::{Contexts, RemoteError};
use crate::segment::{Field, Segment, SegmentId};
use crate::sync::Command;

use super::submitting::apply;
use super::{Conflict, LeftOver, words};
use crate::app::Changes;
use crate::app::messages::{self, Topic};
use crate::app::side::activity::{self, ActivityEntry, EntryKind, FieldChange, Originator};
use crate::app::tree::viewport;
use crate::app::words::after_who;
use crate::app::{Effect, Layer, State, Tone};

/// Applies the result of an operation.
pub(in crate::app) fn on_executed(state: &mut State, op: OpId, result: &ExecutionResult) -> Vec<Effect> {
    let operation = state.changes.queue.op(op).map(|planned| planned.operation.clone());
    let before = operation.as_ref().and_then(|operation| operation.subject());
    let before = before.and_then(|id| state.changes.queue.server_state(id)).cloned();
    let is_single = state.changes.queue.plan(op.plan_id).is_some_and(|plan| plan.ops().len() == 1);
    state.changes.ages.clear_sent(op);
    let mut transitions = state.changes.queue.executed(op, result);
    let finished_plans = std::mem::take(&mut transitions.finished);
    let mut effects = apply(state, transitions);
    match result {
        ExecutionResult::Done(result) => {
            let about = operation.and_then(|operation| on_done(state, op, &operation, before.as_deref(), result));
            for plan in finished_plans {
                on_plan_finished(state, plan, about.clone().filter(|_| is_single));
            }
        }
        ExecutionResult::Failed { error, .. } => on_failed(state, op, error),
        ExecutionResult::Unreached { error, retry_in, .. } => {
            on_unreached(state, op, error, *retry_in);
            // A poll shows sooner whether the server can't be reached at all.
            effects.push(Effect::Sync(Command::PollNow));
        }
    }
    effects
}

/// Handles an operation that could not reach the server or was told to wait: it stays queued, and is sent when the server
/// answers.
fn on_unreached(state: &mut State, op: OpId, error: &RemoteError, retry_in: Duration) {
    state.changes.queue.pause_sending();
    // Retries that fail in the same way are not reported again.
    if state.changes.send_fault.as_ref() == Some(&error.fault) {
        return;
    }
    let queue = state.key(Action::ShowPending);
    let title = state.changes.queue.plan(op.plan_id).map(|plan| &plan.title);
    let text = words::unreached(title, error, retry_in, queue);
    state.changes.send_fault = Some(error.fault.clone());
    state.link.has_unreached_write = error.fault.retry_after().is_none();
    state.side.activity.add(state.clock.now, EntryKind::Failed, None, text.clone());
    state.warn_about(Topic::Unreached(op), text);
}

/// Resumes sending: the server answers again.
pub(in crate::app) const fn on_server_reachable(changes: &mut Changes) {
    changes.queue.resume_sending();
}

/// Handles an operation that was applied. Returns the segment and what changed in it.
fn on_done(
    state: &mut State,
    op: OpId,
    operation: &Operation,
    before: Option<&Segment>,
    result: &WriteResult,
) -> Option<(SegmentId, Vec<FieldChange>)> {
    state.changes.send_fault = None;
    state.link.has_unreached_write = false;
    state.changes.forget_failed_dialog(op);
    if let Some(DoneOp::Updated { before, after, fields }) = DoneOp::of(operation, result) {
        state.changes.recent.record(&before, &after, &fields, state.clock.now);
    }
    match result {
        WriteResult::Created(written) | WriteResult::Updated(written) => {
            state.side.activity.record_change(&written.segment.id, state.clock.now, Originator::You);
            viewport::preserving_viewport(state, |state| state.tree.forest.mark_changed([&written.segment.id]));
            report_differences(state, written);
            if let (Some(before), false) = (before, written.merged.is_empty()) {
                let only_theirs = before.clone().with_fields_of(&written.segment, &written.merged);
                report_reverted(state, before, &only_theirs, &written.segment);
            }
            Some(changed_fields(state, before, written))
        }
        WriteResult::Deleted { id, concurrent_write, .. } => {
            state.tree.picks.forget(id);
            if let (Operation::Delete { base, .. }, true) = (operation, *concurrent_write) {
                report_concurrent_write(state, &base.name, None);
            }
            None
        }
    }
}

/// Returns the segment of an operation and what changed in it. A new name alone is left out, as the title has it.
fn changed_fields(state: &State, before: Option<&Segment>, written: &Written) -> (SegmentId, Vec<FieldChange>) {
    let fields = before.map(|before| activity::field_changes(&state.tree.forest, before, &written.segment));
    let mut fields = fields.unwrap_or_default();
    if let [FieldChange { field: Field::Name, .. }] = fields.as_slice() {
        fields.clear();
    }
    (written.segment.id.clone(), fields)
}

/// Reports where the result differs from what was asked for.
fn report_differences(state: &mut State, written: &Written) {
    let name = &written.segment.name;
    let about = Some(written.segment.id.clone());
    if !written.ignored.is_empty() {
        let shown = |field: &Field| (*field, activity::shown(&state.tree.forest, &written.segment, *field));
        let text = words::server_kept(name, &written.ignored.iter().map(shown).collect::<Vec<_>>());
        state.side.activity.add(state.clock.now, EntryKind::Failed, about.clone(), text.clone());
        state.warn_about(Topic::Version(Arc::clone(&written.segment)), text);
    }
    if !written.merged.is_empty() {
        let text = words::kept_newer(name, &written.merged);
        state.side.activity.add(state.clock.now, EntryKind::Notice, about.clone(), text);
    }
    if written.existed {
        let text = words::existed(name);
        state.side.activity.add(state.clock.now, EntryKind::Failed, about.clone(), text.clone());
        state.warn_about(Topic::Segment(written.segment.id.clone()), text);
    }
    if written.concurrent_write {
        report_concurrent_write(state, name, about);
    }
}

fn report_concurrent_write(state: &mut State, name: &str, about: Option<SegmentId>) {
    let text = words::concurrent_write(name);
    let topic = about.clone().map_or(Topic::Past, Topic::Segment);
    state.side.activity.add(state.clock.now, EntryKind::Failed, about, text.clone());
    state.warn_about(topic, text);
}

/// Reports if someone reverted a recent change of the user. `now` is the version on the server.
pub(in crate::app) fn report_reverted(state: &mut State, before: &Segment, after: &Segment, now: &Arc<Segment>) {
    let changes = &mut state.changes;
    let is_own = |field| changes.queue.is_being_set(now, field);
    for reverted in changes.recent.reverted(before, after, is_own, state.clock.now) {
        let text = words::reverted(&after.name, reverted.field, reverted.from.as_deref(), reverted.to.as_deref());
        state.side.activity.add(state.clock.now, EntryKind::Failed, Some(after.id.clone()), text.clone());
        state.warn_about(Topic::Version(Arc::clone(now)), text);
    }
}

/// Handles the end of a plan. `about` is what its only operation changed.
pub(super) fn on_plan_finished(state: &mut State, plan: FinishedPlan, about: Option<(SegmentId, Vec<FieldChange>)>) {
    let FinishedPlan { plan_id, title, done, total } = plan;
    state.changes.origins.remove(&plan_id);
    state.changes.ages.remove_plan(plan_id);
    if done == 0 {
        return;
    }
    let text = words::done(title, done, total);
    let (at, contexts) = (state.clock.now, Contexts::default());
    let topic = about.as_ref().map_or(Topic::Past, |(subject, _)| Topic::Segment(subject.clone()));
    let (subject, fields) = about.map_or((None, Vec::new()), |(subject, fields)| (Some(subject), fields));
    state.side.activity.push(ActivityEntry {
        at,
        kind: EntryKind::Done,
        text: after_who(&text),
        subject,
        fields,
        contexts,
        plan_id: Some(plan_id),
    });
    // A warning stays until it is read, unless it no longer holds.
    messages::refresh(state);
    if state.screen.message.as_ref().is_none_or(|message| message.tone == Tone::Calm) {
        state.inform_about(topic, text);
    }
}

/// Reports a failed operation in the message line, with the key that opens its dialog.
fn on_failed(state: &mut State, op: OpId, error: &WriteError) {
    let Some(text) = failure_text(state, op) else { return };
    let reason = error.to_string();
    state.side.activity.add(state.clock.now, EntryKind::Failed, None, text);
    let origin = state.changes.origins.get(&op.plan_id).cloned();
    let layer = match (Conflict::of(state, op, error), origin) {
        (Some(conflict), _) => Some(Layer::Conflict(conflict)),
        (None, Some(mut origin)) => {
            origin.refuse(&reason, Some(op));
            Some(origin)
        }
        (None, None) => None,
    };
    // Nothing opens by itself: it would take keys that are meant for something else.
    if let Some(layer) = layer {
        state.changes.forget_failed_dialog(op);
        state.changes.failed_dialogs.push_back(layer);
    }
    if let Some(text) = failure_message(state, op) {
        state.warn_about(Topic::Failure(op), text);
    }
}

/// Returns what failed, the progress of its plan, and why; `None` if it has not failed.
fn failure_text(state: &State, op: OpId) -> Option<String> {
    let plan = state.changes.queue.plan(op.plan_id)?;
    let OpState::Failed(error) = &state.changes.queue.op(op)?.state else { return None };
    Some(words::failed(&plan.title, plan.counts().done, plan.counts().total(), error))
}

/// Returns the same with the key that opens its dialog or the list of pending changes.
pub(in crate::app) fn failure_message(state: &State, op: OpId) -> Option<String> {
    let failed = failure_text(state, op)?;
    Some(if state.changes.failed_dialogs.iter().any(|layer| layer.failed_op() == Some(op)) {
        words::to_resolve(&failed, state.key(Action::Resolve))
    } else {
        words::to_review_and_retry(&failed, state.key(Action::ShowPending))
    })
}

/// Handles a command that the sync actor could not accept. It is kept, and delivered after the next event from the actor.
pub(in crate::app) fn on_undelivered(state: &mut State, command: Command) {
    state.changes.queue.pause_sending();
    state.changes.has_undelivered = true;
    match command {
        Command::Journal(entries) => state.changes.undelivered_entries.extend(entries),
        Command::Execute(execution) => {
            state.changes.ages.clear_sent(execution.op);
            state.changes.queue.requeue_unsent(execution.op);
        }
        Command::PollNow | Command::Reload | Command::StopListing => {}
    }
    state.warn_about(Topic::Undelivered, words::TOO_MANY_PENDING);
}

/// Delivers what could not be delivered before.
pub(in crate::app) fn redeliver(state: &mut State) -> Vec<Effect> {
    if !std::mem::take(&mut state.changes.has_undelivered) {
        return Vec::new();
    }
    state.changes.queue.resume_sending();
    apply(state, Transitions::default())
}

/// Takes over the operations that the last session left over, reports them, and keeps a line about each for the list of pending
/// changes.
pub(in crate::app) fn on_recovered(state: &mut State, found: Vec<Recovered>) -> Vec<Effect> {
    let lines: Vec<(OpId, String)> =
        found.iter().map(|recovered| (recovered.op, words::recovered(recovered))).collect();
    for (_, line) in &lines {
        state.side.activity.add(state.clock.now, EntryKind::Notice, None, line.clone());
    }
    state.changes.staging |= found.iter().any(|one| one.state == RecoveredState::Staged);
    state.changes.queue.resume_sending();
    let transitions = state.changes.queue.recover(&state.tree.forest, found, &words::last_session());
    let effects = apply(state, transitions);
    if let Some((_, first)) = lines.first() {
        let text = words::left_over(first, lines.len() - 1, state.key(Action::ShowPending));
        // Nothing opens by itself: it would take keys that are meant for something else.
        state.warn_about(Topic::LeftOver, text);
        let lines = lines.into_iter().map(|(op, line)| LeftOver::of(&state.changes.queue, op, line));
        state.changes.left_over.extend(lines.collect::<Vec<_>>());
    }
    effects
}
