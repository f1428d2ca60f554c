//! The list of what waits, runs, failed and was held, and what can be done about each.

use crate::app::Changes;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use crate::app::wording::sentence;
use crate::changes::{OpId, OpState, Operation};
use crate::keymap::Key;
use crate::numbers::{Noun, counted};

use super::{Conflict, Review, discard, discard_plan, hold_all, resume, retry};
use crate::app::{Effect, Form, Layer, State};

/// The list of operations that are not over.
#[derive(Debug, Clone, Default)]
pub struct PendingPane {
    /// Which of the operations is chosen.
    pub list: List,
    /// What the last session had left, and what became of it.
    pub left_over: Vec<String>,
}

impl PendingPane {
    /// The list, with what the last session had left where nobody has looked at that yet.
    pub(in crate::app) fn open(changes: &mut Changes) -> Self {
        Self { list: List::default(), left_over: std::mem::take(&mut changes.left_over) }
    }

    /// The chosen operation.
    #[must_use]
    pub fn selected(&self, state: &State) -> Option<OpId> {
        let chosen = self.list.chosen.min(state.changes.counts().total().saturating_sub(1));
        state.changes.queue.listed(chosen..chosen + 1).first().copied()
    }

    /// The list with an operation selected.
    pub(in crate::app) fn at(state: &mut State, op: OpId) -> Self {
        let chosen = state.changes.queue.place_in_list(op).unwrap_or(0);
        Self { list: List { chosen }, ..Self::open(&mut state.changes) }
    }
}

pub(in crate::app) fn press(state: &mut State, pane: &mut PendingPane, key: Key) -> KeyResult {
    let count = state.changes.counts().total();
    pane.list.go(0, count);
    let selected = pane.selected(state);
    if !pane.list.clone().press(&key.to_string(), count, ListKeys::Letters) {
        // What was said of it before holds no longer.
        state.screen.message = None;
    }
    let effects = match (key.to_string().as_str(), selected) {
        ("esc" | "q" | "Q", _) => return KeyResult::Close,
        (text, _) if pane.list.press(text, count, ListKeys::Letters) => Vec::new(),
        ("h" | "ctrl-c", _) => {
            let held = hold_all(&mut state.changes);
            state.inform(format!("On hold: {}. Press r to resume", counted(held, Noun::Change)));
            Vec::new()
        }
        ("r", Some(op)) if is_staged(state, op) => {
            // It was never confirmed.
            return KeyResult::replace(Layer::Review(Review::of(state, vec![op.plan_id])));
        }
        ("r", Some(op)) => try_again(state, op),
        ("R", _) => {
            let plan_ids: Vec<_> = state.changes.queue.plans().map(|(plan_id, _)| plan_id).collect();
            plan_ids.into_iter().flat_map(|plan_id| resume(state, plan_id)).collect()
        }
        ("d", Some(op)) => discard(state, op),
        ("D", Some(op)) => discard_plan(state, op.plan_id),
        ("e" | "enter", Some(op)) => {
            return decide(state, op).map_or(KeyResult::Stay, KeyResult::replace);
        }
        _ => Vec::new(),
    };
    KeyResult::StayAndDo(effects)
}

fn is_staged(state: &State, op: OpId) -> bool {
    state.changes.queue.op(op).is_some_and(|step| step.state == OpState::Staged)
}

fn try_again(state: &mut State, op: OpId) -> Vec<Effect> {
    if state.changes.queue.plan(op.plan_id).is_some_and(|write| write.counts().on_hold > 0) {
        // Nothing of a plan that is held back can go on by itself.
        return resume(state, op.plan_id);
    }
    if let Some(OpState::Failed(_)) = state.changes.queue.op(op).map(|step| &step.state) {
        return retry(state, op);
    }
    state.warn("It hasn't failed; nothing to retry");
    Vec::new()
}

/// Where a person decides about an operation that failed: the conflict, or the form with what was asked for.
pub(in crate::app) fn decide(state: &mut State, op: OpId) -> Option<Layer> {
    let step = state.changes.queue.op(op)?.clone();
    let OpState::Failed(error) = &step.state else {
        state.warn("Only failed changes can be edited here. Press d to discard, r to resume");
        return None;
    };
    if let Some(conflict) = Conflict::of(state, op, error) {
        return Some(Layer::Conflict(conflict));
    }
    match &step.operation {
        Operation::Create { draft } => Some(Layer::Form(Form::amending_create(draft, op, &error.to_string()))),
        Operation::Update { base, draft } => {
            let mine = draft.clone().into_segment(base.id.clone());
            let mut form = Form::amending(base, &mine, op);
            form.refusal = Some(error.to_string());
            Some(Layer::Form(form))
        }
        Operation::Delete { .. } => {
            state.warn(format!("{} · press r to retry, d to discard", sentence(&error.to_string())));
            None
        }
    }
}

/// Opens what stands in the way of the selected segment; if nothing does, the oldest problem there is.
pub(in crate::app) fn open_problem(state: &mut State) {
    let selected = state.selected_segment().and_then(|segment| state.changes.queue.problem_of(&segment.id));
    let Some(op) = selected.or_else(|| state.changes.oldest_problem()) else {
        // A form that never reached the sync actor belongs to no operation.
        let layer = state.changes.refused.pop_front();
        state.screen.message = None;
        state.screen.layers.extend(layer);
        return;
    };
    state.screen.message = None;
    let refused = state.changes.refused.iter().position(|layer| layer.amends() == Some(op));
    let layer = match refused.and_then(|at| state.changes.refused.remove(at)) {
        // It was filled in when the write failed, and more may have happened since.
        Some(Layer::Conflict(_)) | None => decide(state, op),
        layer => layer,
    };
    let layer = layer.unwrap_or_else(|| Layer::Queue(PendingPane::at(state, op)));
    state.screen.layers.push(layer);
}
