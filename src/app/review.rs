//! A plan before it is sent: everything that it would do, to be looked at, thinned out, sent or let go.

use std::path::PathBuf;

use crate::action::Action;
use crate::keymap::Key;
use crate::mirror::{Ticket, Which};
use crate::plan::Operation;
use crate::segment::Field;

use super::weight::{Demand, demand};
use super::{Effect, Layer, State, TextField};
use super::{outline, writes};

/// Plans that wait for the person's word.
#[derive(Debug, Clone)]
pub struct Review {
    pub(super) tickets: Vec<Ticket>,
    /// The selected line.
    pub selected: usize,
    /// What has to be typed before it is sent, and what was.
    pub demand: Demand,
    /// What is typed.
    pub typed: TextField,
    /// Whether the keys go to what is typed.
    pub typing: bool,
    /// What else should be known.
    pub warnings: Vec<String>,
    /// The text it was typed as, which is wanted until it is sent.
    pub(super) text: Option<PathBuf>,
}

/// How much of what a plan does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// New segments.
    pub created: usize,
    /// Segments with other fields.
    pub changed: usize,
    /// Segments that go elsewhere.
    pub moved: usize,
    /// Segments that go.
    pub deleted: usize,
}

impl Review {
    pub(super) fn of(state: &State, tickets: Vec<Ticket>) -> Self {
        let operations: Vec<&Operation> = tickets
            .iter()
            .filter_map(|ticket| state.writes.plan(*ticket))
            .flat_map(|write| write.steps.iter().map(|step| &step.operation))
            .collect();
        let demand = demand(state, &operations);
        let warnings = warnings(state, &operations);
        // Where a word is wanted, the first letters of it must not be taken for keys.
        let typing = demand.word().is_some();
        Self { tickets, selected: 0, demand, typed: TextField::new(""), typing, warnings, text: None }
    }

    /// The operations in their order.
    #[must_use]
    pub fn operations<'a>(&self, state: &'a State) -> Vec<(Which, &'a Operation)> {
        let plans = self.tickets.iter().filter_map(|ticket| Some((*ticket, state.writes.plan(*ticket)?)));
        let steps = plans.flat_map(|(ticket, write)| {
            let steps = write.steps.iter().enumerate().filter(|(_, step)| step.standing == writes::Standing::Staged);
            steps.map(move |(index, step)| (Which { ticket, index }, &step.operation))
        });
        steps.collect()
    }

    /// How much of what it would do.
    #[must_use]
    pub fn counts(&self, state: &State) -> Counts {
        let mut counts = Counts::default();
        for (_, operation) in self.operations(state) {
            match operation {
                Operation::Create { .. } => counts.created += 1,
                Operation::Update { .. } if operation.is_move() => counts.moved += 1,
                Operation::Update { .. } => counts.changed += 1,
                Operation::Delete { .. } => counts.deleted += 1,
            }
        }
        counts
    }
}

/// External ids that more than one segment would have, and what can't be undone as it was.
fn warnings(state: &State, operations: &[&Operation]) -> Vec<String> {
    let mut warnings = Vec::new();
    if operations.iter().any(|operation| matches!(operation, Operation::Delete { .. })) {
        let undo = state.key(Action::Undo);
        warnings.push(format!("What is deleted can be brought back by {undo}, with new ids."));
    }
    let of_others = operations.iter().filter_map(|operation| state.forest.get(operation.subject()?));
    let of_others = of_others.filter(|segment| state.session.owner_of(segment).is_some()).count();
    if of_others > 0 {
        let belong = if of_others == 1 { "belongs" } else { "belong" };
        warnings.push(format!("Of these, {of_others} {belong} to another system."));
    }
    let mut given = std::collections::HashSet::new();
    for operation in operations {
        let (draft, own) = match operation {
            Operation::Create { draft } => (draft, None),
            Operation::Update { base, draft } if draft.changes(base).contains(&Field::ExternalId) => {
                (draft, Some(&base.id))
            }
            _ => continue,
        };
        let Some(external_id) = &draft.external_id else { continue };
        let text = external_id.as_str();
        let taken = |own| {
            state.forest.with_external_id(text).any(|other| Some(&other.id) != own && !super::is_provisional(&other.id))
        };
        if !given.insert(text) || taken(own) {
            warnings.push(format!("“{text}” would be the external id of more than one segment."));
        }
        if warnings.len() > 3 {
            break;
        }
    }
    warnings
}

pub(super) fn press(state: &mut State, mut review: Review, key: Key) -> Vec<Effect> {
    let count = review.operations(state).len();
    let text = key.to_string();
    let mut effects = Vec::new();
    if review.typing {
        match text.as_str() {
            "esc" | "ctrl-c" | "down" | "up" => review.typing = false,
            "enter" if review.demand.is_met(review.typed.text()) => return send(state, &review),
            "enter" => state.warn(format!("type {} to go on, or esc", review.demand.word().unwrap_or_default())),
            _ => {
                review.typed.press(key);
            }
        }
        state.layers.push(Layer::Review(review));
        return Vec::new();
    }
    match text.as_str() {
        "esc" | "q" | "n" | "ctrl-c" if state.writes.gathers => {
            state.say(format!("still gathered; {} shows it again", state.key(Action::Stage)));
            return Vec::new();
        }
        "esc" | "q" | "n" | "ctrl-c" | "D" => {
            let effects = review.tickets.iter().flat_map(|ticket| writes::unstage(state, *ticket)).collect();
            tell_dropped(state, &review, "nothing was sent");
            return effects;
        }
        "j" | "down" => review.selected = (review.selected + 1).min(count.saturating_sub(1)),
        "k" | "up" => review.selected = review.selected.saturating_sub(1),
        "pagedown" | "ctrl-d" => review.selected = (review.selected + 10).min(count.saturating_sub(1)),
        "pageup" | "ctrl-u" => review.selected = review.selected.saturating_sub(10),
        "d" => {
            let selected = review.operations(state).get(review.selected).map(|(which, _)| *which);
            effects.extend(selected.into_iter().flat_map(|which| writes::drop_step(state, which)));
            if review.operations(state).is_empty() {
                tell_dropped(state, &review, "nothing is left to be sent");
                return effects;
            }
            review.selected = review.selected.min(review.operations(state).len() - 1);
        }
        "y" if review.demand.word().is_none() => return send(state, &review),
        "y" => review.typing = true,
        "enter" => state.warn("y sends all of this, esc sends nothing"),
        _ => {}
    }
    state.layers.push(Layer::Review(review));
    effects
}

fn send(state: &mut State, review: &Review) -> Vec<Effect> {
    let mut effects = writes::send_staged(state, &review.tickets);
    effects.extend(review.text.clone().map(Effect::RemoveText));
    effects
}

/// A text may have been much work: it is not lost with the plan that it came to.
fn tell_dropped(state: &mut State, review: &Review, what: &str) {
    match &review.text {
        Some(file) => state.warn(format!("{what}{}", outline::kept_in(file))),
        None => state.say(what),
    }
}

/// Begins to gather edits, or shows what was gathered.
pub(super) fn stage(state: &mut State) {
    let staged = |write: &writes::Write| write.steps.iter().any(|step| step.standing == writes::Standing::Staged);
    let tickets: Vec<Ticket> =
        state.writes.plans().filter(|(_, write)| staged(write)).map(|(ticket, _)| ticket).collect();
    if !tickets.is_empty() {
        let review = Review::of(state, tickets);
        state.layers.push(Layer::Review(review));
        return;
    }
    state.writes.gathers = !state.writes.gathers;
    let key = state.key(Action::Stage);
    state.say(if state.writes.gathers {
        format!("edits gather from now on; {key} shows and sends them, {key} again with nothing gathered ends it")
    } else {
        "edits go out one by one again".into()
    });
}
