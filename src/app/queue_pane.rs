//! The list of what waits, runs, failed and was held, and what can be done about each.

use crate::changes::OpId;
use crate::changes::Operation;
use crate::keymap::Key;

use super::writes::{self, Standing};
use super::{Conflict, Effect, Form, Layer, Review, State};

/// The list of operations that are not over.
#[derive(Debug, Clone, Default)]
pub struct QueuePane {
    /// The selected line of the list.
    pub selected: usize,
    /// What the last session had left, and what became of it.
    pub left_over: Vec<String>,
}

impl QueuePane {
    /// The list, with what the last session had left where nobody has looked at that yet.
    pub(super) fn open(state: &mut State) -> Self {
        Self { selected: 0, left_over: std::mem::take(&mut state.writes.left_over) }
    }

    /// The list with an operation selected.
    pub(super) fn at(state: &mut State, op: OpId) -> Self {
        let selected = state.writes.place_in_list(op).unwrap_or(0);
        Self { selected, ..Self::open(state) }
    }
}

const PAGE: usize = 10;

pub(super) fn press(state: &mut State, mut pane: QueuePane, key: Key) -> Vec<Effect> {
    let last = state.writes.tally().total().saturating_sub(1);
    pane.selected = pane.selected.min(last);
    let selected = state.writes.listed(pane.selected..pane.selected + 1).first().copied();
    let effects = match (key.to_string().as_str(), selected) {
        ("esc" | "q" | "Q", _) => return Vec::new(),
        ("j" | "down", _) => moved(&mut pane, 1, last),
        ("k" | "up", _) => moved(&mut pane, -1, last),
        ("pagedown" | "ctrl-d", _) => moved(&mut pane, PAGE.cast_signed(), last),
        ("pageup" | "ctrl-u", _) => moved(&mut pane, -PAGE.cast_signed(), last),
        ("h" | "ctrl-c", _) => {
            let (held, effects) = writes::hold_all(state);
            state.say(format!("{held} held back; r goes on with them"));
            effects
        }
        ("r", Some(op)) if is_staged(state, op) => {
            // It was never confirmed.
            let review = Review::of(state, vec![op.plan_id]);
            state.layers.push(Layer::Review(review));
            return Vec::new();
        }
        ("r", Some(op)) => retry(state, op),
        ("R", _) => {
            let plan_ids: Vec<_> = state.writes.plans().map(|(plan_id, _)| plan_id).collect();
            plan_ids.into_iter().flat_map(|plan_id| writes::release(state, plan_id)).collect()
        }
        ("d", Some(op)) => writes::drop_step(state, op),
        ("D", Some(op)) => writes::give_up(state, op.plan_id),
        ("e" | "enter", Some(op)) => {
            let Some(layer) = decide(state, op) else {
                state.layers.push(Layer::Queue(pane));
                return Vec::new();
            };
            state.layers.push(layer);
            return Vec::new();
        }
        _ => Vec::new(),
    };
    state.layers.push(Layer::Queue(pane));
    effects
}

fn moved(pane: &mut QueuePane, by: isize, last: usize) -> Vec<Effect> {
    pane.selected = pane.selected.saturating_add_signed(by).min(last);
    Vec::new()
}

fn is_staged(state: &State, op: OpId) -> bool {
    state.writes.step(op).is_some_and(|step| step.standing == Standing::Staged)
}

fn retry(state: &mut State, op: OpId) -> Vec<Effect> {
    if state.writes.plan(op.plan_id).is_some_and(|write| write.tally().held > 0) {
        // Nothing of a plan that is held back can go on by itself.
        return writes::release(state, op.plan_id);
    }
    if let Some(Standing::Failed(_)) = state.writes.step(op).map(|step| &step.standing) {
        return writes::retry(state, op);
    }
    state.warn("it did not fail; there is nothing to try again");
    Vec::new()
}

/// Where a person decides about an operation that failed: the conflict, or the form with what was asked for.
pub(super) fn decide(state: &mut State, op: OpId) -> Option<Layer> {
    let step = state.writes.step(op)?.clone();
    let Standing::Failed(error) = &step.standing else {
        state.warn("only what has failed can be edited here; d drops it, r goes on with what is held");
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
            state.warn(format!("{error} · r tries it again, d drops it"));
            None
        }
    }
}
