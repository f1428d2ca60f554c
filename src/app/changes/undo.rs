//! Undo and redo.

use crate::action::Action;
use crate::changes::UndoStep;

use super::submitting::{SubmitMode, discard_plan, start_plan};
use super::words;
use crate::app::messages::Topic;
use crate::app::side::activity::EntryKind;
use crate::app::{Effect, Pane, State};

/// Undoes the last plan, or redoes the plan undone last. If the last plan stopped halfway, the rest of it is discarded first. In
/// the activity, undoes the selected entry.
pub(in crate::app) fn undo(state: &mut State, step: UndoStep) -> Vec<Effect> {
    if step == UndoStep::Undo && state.screen.panes.focus == Pane::Activity {
        return undo_selected(state);
    }
    let partly_done_plan = if step == UndoStep::Undo { state.changes.queue.partly_done_plan() } else { None };
    if state.changes.queue.is_sending() {
        state.warn_about(Topic::Sending, words::STILL_SENDING);
        return Vec::new();
    }
    let mut effects = Vec::new();
    if let Some(plan_id) = partly_done_plan {
        if let Some(plan) = state.changes.queue.plan(plan_id) {
            let text = words::remaining_discarded(&plan.title);
            state.side.activity.add(state.clock.now, EntryKind::Notice, None, text);
        }
        effects = discard_plan(state, plan_id);
    }
    let Some((plan, title, kind)) = state.changes.queue.take_undo(step, &state.tree.forest) else {
        let nothing = match step {
            UndoStep::Undo => words::NOTHING_TO_UNDO,
            UndoStep::Redo => words::NOTHING_TO_REDO,
        };
        state.warn(nothing);
        return effects;
    };
    effects.extend(start_plan(state, plan, title, None, SubmitMode::Undo(kind)));
    effects
}

/// Undoes the plan of the selected activity entry, whatever was done since. Later changes by others are reported as conflicts.
fn undo_selected(state: &mut State) -> Vec<Effect> {
    let plan_id = match state.side.activity.selected_for_key(state.layout().activity) {
        Ok(entry) => entry.plan_id,
        Err(reason) => {
            state.report_unready_entry(reason, Action::Undo);
            return Vec::new();
        }
    };
    let Some(plan_id) = plan_id else {
        state.warn(words::NOT_DONE_HERE);
        return Vec::new();
    };
    if state.changes.queue.is_sending() {
        state.warn_about(Topic::Sending, words::STILL_SENDING);
        return Vec::new();
    }
    let Some((plan, title, kind)) = state.changes.queue.take_undo_of(plan_id, &state.tree.forest) else {
        state.warn(words::ALREADY_UNDONE);
        return Vec::new();
    };
    start_plan(state, plan, title, None, SubmitMode::Undo(kind))
}
