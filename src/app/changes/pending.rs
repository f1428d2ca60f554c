//! The list of pending changes: failed, staged, on hold, sending and left over from the last session, and the keys to act on
//! them.
//!
//! The list changes by itself: operations move between groups and leave it as they are sent. So the selection is an operation
//! rather than a line, and a key that was pressed for one that has just gone does not act on another.

use crate::action::Action;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use crate::app::messages::Topic;
use crate::changes::{OpId, OpState, Operation, PlanId};
use crate::keymap::Key;
use crate::segment::SegmentId;

use super::{Conflict, LeftOver, Review, discard, discard_plan, hold_all, resume, retry, submit, words};
use crate::app::{Effect, Form, Layer, State};

/// The list of unfinished operations.
#[derive(Debug, Clone, Default)]
pub struct PendingPane {
    /// The last selected line; if its operation is gone, the operation that has moved there is selected.
    list: List,
    /// The operation on that line.
    chosen: Option<OpId>,
    /// What the last session left over, and how each of it ended.
    left_over: Vec<LeftOver>,
    /// Whether someone else changed a segment with staged changes while the list was open and the user has not confirmed having
    /// seen it.
    pub changed: bool,
}

impl PendingPane {
    /// Opens the list at its beginning, with what the last session left over if that was not shown before.
    pub(in crate::app) fn open(state: &mut State) -> Self {
        let mut pane = Self { left_over: std::mem::take(&mut state.changes.left_over), ..Self::default() };
        pane.update_selection(state);
        pane
    }

    /// Opens the list with an operation selected.
    pub(in crate::app) fn open_at(state: &mut State, op: OpId) -> Self {
        let chosen = state.changes.queue.position_in_list(op).unwrap_or(0);
        let mut pane = Self { list: List { chosen }, ..Self::open(state) };
        pane.update_selection(state);
        pane
    }

    /// Returns the list with the current line of the selected operation.
    #[must_use]
    pub fn list(&self, state: &State) -> List {
        let place = self.chosen.and_then(|op| state.changes.queue.position_in_list(op));
        let last = state.changes.counts().total().saturating_sub(1);
        List { chosen: place.unwrap_or(self.list.chosen).min(last) }
    }

    /// The lines about the last session that still hold and have not been acknowledged.
    pub fn left_over(&self, state: &State) -> impl Iterator<Item = &str> {
        self.left_over.iter().filter(|left| left.holds(&state.changes.queue)).map(|left| &*left.text)
    }

    /// Whether such lines are shown, so that Enter acknowledges them.
    #[must_use]
    pub fn shows_left_over(&self, state: &State) -> bool {
        self.left_over(state).next().is_some()
    }

    /// Returns the selected operation.
    #[must_use]
    pub fn selected(&self, state: &State) -> Option<OpId> {
        let chosen = self.list(state).chosen;
        state.changes.queue.listed(chosen..chosen + 1).first().copied()
    }

    /// Selects an operation. Returns whether it was selected before; `None` if it is finished.
    pub(in crate::app) fn choose(&mut self, state: &State, op: OpId) -> Option<bool> {
        state.changes.queue.position_in_list(op)?;
        let was_chosen = self.selected(state) == Some(op);
        self.chosen = Some(op);
        self.update_selection(state);
        Some(was_chosen)
    }

    /// Updates the selection to the current list, so that the next key acts on it.
    fn update_selection(&mut self, state: &State) {
        self.list = self.list(state);
        self.chosen = self.selected(state);
    }

    /// Applies a change of a segment by someone else: if it has staged changes, the user must look again before sending.
    pub(in crate::app) fn changed_elsewhere(&mut self, state: &State, id: &SegmentId) {
        self.changed |= state.changes.queue.is_staged(id);
    }
}

/// Toggles staging; if there are staged changes, opens the list at the first one instead.
pub(in crate::app) fn toggle_staging(state: &mut State) {
    let first = state.changes.staged_plans().first().and_then(|plan_id| state.changes.queue.plan(*plan_id));
    if first.is_some() {
        let place = state.changes.counts().failed;
        let op = state.changes.queue.listed(place..place + 1).first().copied();
        let pane = op.map(|op| PendingPane::open_at(state, op));
        // The message may name the staging key, which ends staging inside the list.
        state.screen.message = None;
        state.screen.layers.extend(pane.map(Layer::Queue));
        return;
    }
    state.changes.staging = !state.changes.staging;
    let text =
        if state.changes.staging { words::staging_on(state.key(Action::Stage)) } else { words::STAGING_OFF.to_owned() };
    state.inform_about(Topic::Staging(state.changes.staging), text);
}

pub(in crate::app) fn press(state: &mut State, pane: &mut PendingPane, key: Key) -> KeyResult {
    let count = state.changes.counts().total();
    let text = key.to_string();
    let was_chosen = pane.chosen;
    pane.update_selection(state);
    if pane.list.press(&text, count, ListKeys::Letters) {
        pane.chosen = None;
        pane.update_selection(state);
        return KeyResult::Stay;
    }
    // The last message may no longer hold.
    state.screen.message = None;
    let effects = match (text.as_str(), pane.chosen) {
        ("esc" | "q" | "Q", _) => return KeyResult::Close,
        ("enter", _) if pane.shows_left_over(state) => {
            pane.left_over.clear();
            return KeyResult::Stay;
        }
        ("S", _) if state.changes.staging => {
            end_staging(state);
            return KeyResult::Close;
        }
        ("H" | "ctrl-c", _) => hold_queued(state),
        ("R", _) => resume_all(state),
        ("y" | "r", _) if pane.changed && is_send_key(state, pane.chosen, &text) => {
            pane.changed = false;
            state.warn(words::REVIEW_AGAIN);
            Vec::new()
        }
        ("y", _) if state.changes.counts().staged > 0 => return send_staged(state),
        (_, Some(selected)) => {
            if was_chosen.is_some_and(|was| was != selected) && acts_on_selected(&text) {
                state.warn(words::chosen_change_gone(&text));
                return KeyResult::Stay;
            }
            match press_operation(state, selected, &text) {
                KeyResult::StayAndDo(effects) => effects,
                other => return other,
            }
        }
        _ => Vec::new(),
    };
    pane.update_selection(state);
    KeyResult::StayAndDo(effects)
}

/// Whether a key acts on the selected operation.
fn acts_on_selected(key: &str) -> bool {
    matches!(key, "r" | "d" | "D" | "h" | "e" | "enter")
}

/// Whether a key sends staged changes.
fn is_send_key(state: &State, chosen: Option<OpId>, key: &str) -> bool {
    key == "y" || chosen.is_some_and(|op| is_staged(state, op))
}

fn is_staged(state: &State, op: OpId) -> bool {
    state.changes.queue.op(op).is_some_and(|planned| planned.state == OpState::Staged)
}

/// Handles a key for one operation.
fn press_operation(state: &mut State, op: OpId, key: &str) -> KeyResult {
    let is_staged = is_staged(state, op);
    KeyResult::StayAndDo(match key {
        "r" if is_staged => return send_or_review(state, vec![op.plan_id]),
        "r" => retry_or_resume(state, op),
        "d" => {
            let before = state.changes.counts().unfinished();
            let effects = discard(state, op);
            let discarded_count = before.saturating_sub(state.changes.counts().unfinished());
            if discarded_count > 1 {
                state.inform(words::discarded_with(discarded_count - 1, is_staged));
            } else if is_staged {
                state.inform(words::STAGED_DISCARDED);
            }
            effects
        }
        "h" => hold_one(state, op),
        "D" if is_staged => {
            state.inform(words::all_staged_discarded(state.changes.counts().staged));
            state.changes.staged_plans().into_iter().flat_map(|plan_id| discard_plan(state, plan_id)).collect()
        }
        "D" => discard_plan(state, op.plan_id),
        "e" | "enter" => return resolution_dialog(state, op).map_or(KeyResult::Stay, KeyResult::replace),
        _ => Vec::new(),
    })
}

fn end_staging(state: &mut State) {
    state.changes.staging = false;
    let staged = state.changes.counts().staged;
    let text = words::staging_off_with_staged(staged, state.key(Action::Stage));
    state.inform_about(Topic::Staged(staged), text);
}

fn hold_one(state: &mut State, op: OpId) -> Vec<Effect> {
    if state.changes.queue.hold(op) {
        state.inform_about(Topic::OnHold(state.changes.counts().on_hold), words::ON_HOLD);
    } else {
        state.warn(words::ONLY_QUEUED_CAN_BE_HELD);
    }
    Vec::new()
}

fn hold_queued(state: &mut State) -> Vec<Effect> {
    let held = hold_all(&mut state.changes);
    if held == 0 {
        state.warn(words::NOTHING_TO_HOLD);
        return Vec::new();
    }
    state.inform_about(Topic::OnHold(state.changes.counts().on_hold), words::on_hold(held));
    Vec::new()
}

fn resume_all(state: &mut State) -> Vec<Effect> {
    let plan_ids: Vec<_> = state.changes.queue.plans().map(|(plan_id, _)| plan_id).collect();
    plan_ids.into_iter().flat_map(|plan_id| resume(state, plan_id)).collect()
}

/// Sends all staged changes.
fn send_staged(state: &mut State) -> KeyResult {
    let plan_ids = state.changes.staged_plans();
    match send_or_review(state, plan_ids) {
        KeyResult::StayAndDo(effects) => KeyResult::CloseAndDo(effects),
        other => other,
    }
}

/// Sends staged plans, after a review if there are warnings or a confirmation that the list doesn't show.
fn send_or_review(state: &mut State, plan_ids: Vec<PlanId>) -> KeyResult {
    let review = Review::of_staged(state, plan_ids);
    if review.needs_review() {
        return KeyResult::replace(Layer::Review(review));
    }
    KeyResult::StayAndDo(submit(state, &review.plan_ids))
}

fn retry_or_resume(state: &mut State, op: OpId) -> Vec<Effect> {
    if state.changes.queue.plan(op.plan_id).is_some_and(|write| write.counts().on_hold > 0) {
        // A plan with operations on hold is resumed as a whole.
        return resume(state, op.plan_id);
    }
    if let Some(OpState::Failed(_)) = state.changes.queue.op(op).map(|step| &step.state) {
        return retry(state, op);
    }
    state.warn(words::HAS_NOT_FAILED);
    Vec::new()
}

/// Returns the dialog for a failed operation: the conflict, or the form with its input.
pub(in crate::app) fn resolution_dialog(state: &mut State, op: OpId) -> Option<Layer> {
    let step = state.changes.queue.op(op)?.clone();
    let OpState::Failed(error) = &step.state else {
        state.warn(words::ONLY_FAILED_CAN_BE_EDITED);
        return None;
    };
    if let Some(conflict) = Conflict::of(state, op, error) {
        return Some(Layer::Conflict(conflict));
    }
    match &step.operation {
        Operation::Create { draft } => Some(Layer::Form(Form::for_failed_create(draft, op, &error.to_string()))),
        Operation::Update { base, draft } => {
            let mine = draft.clone().into_segment(base.id.clone());
            let mut form = Form::for_failed_update(base, &mine, op);
            form.refusal = Some(error.to_string());
            Some(Layer::Form(form))
        }
        Operation::Delete { .. } => {
            state.warn_about(Topic::Problem(op), words::deletion_failed(error));
            None
        }
    }
}

/// Opens the failed change of the selected segment, or else the oldest one.
pub(in crate::app) fn open_problem(state: &mut State) {
    let selected = state.selected_segment().and_then(|segment| state.changes.queue.problem_of(&segment.id));
    let Some(op) = selected.or_else(|| state.changes.oldest_problem()) else {
        // A dialog may be left whose operation is no longer listed as failed.
        let layer = state.changes.failed_dialogs.pop_front();
        state.screen.message = None;
        state.screen.layers.extend(layer);
        return;
    };
    state.screen.message = None;
    let refused = state.changes.failed_dialogs.iter().position(|layer| layer.failed_op() == Some(op));
    let layer = match refused.and_then(|at| state.changes.failed_dialogs.remove(at)) {
        // A stored conflict is as old as the failure, so it is built again.
        Some(Layer::Conflict(_)) | None => resolution_dialog(state, op),
        layer => layer,
    };
    let layer = layer.unwrap_or_else(|| Layer::Queue(PendingPane::open_at(state, op)));
    state.screen.layers.push(layer);
}
