//! What was done in this run, to be taken back and done again, a step at a time.
//!
//! Taking back is a plan like any other: the inverse operations in the opposite order, with the same looks for what somebody
//! else has done meanwhile. A segment that was deleted comes back with a new id, which no API can help; whatever is remembered of
//! the old one is about the new one from then on.

use std::collections::HashMap;
use std::sync::Arc;

use crate::mirror::{Ticket, Which};
use crate::plan::{Operation, Plan};
use crate::segment::{Draft, Field, Segment, SegmentId};

use super::activity::EntryKind;
use super::writes::{self, Manner, Purpose, Tally, Title};
use super::{Effect, State};

/// Steps that can be taken back, and steps that were.
#[derive(Debug, Clone, Default)]
pub struct History {
    done: Vec<Step>,
    undone: Vec<Step>,
}

/// What a plan takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Back {
    step: Step,
    /// The former ids of segments that are created again, by their place in the plan.
    pub former: HashMap<usize, SegmentId>,
}

/// What one plan did.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// The number of the plan: what was begun later is taken back earlier, whichever of them ended first.
    ticket: Ticket,
    title: String,
    /// In the order in which it was done.
    made: Vec<Made>,
}

/// What one operation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    Created(Arc<Segment>),
    Updated { before: Arc<Segment>, after: Arc<Segment>, fields: Vec<Field> },
    Deleted(Arc<Segment>),
}

/// Steps that are remembered; of more, the oldest are forgotten.
const REMEMBERED: usize = 1_000;

impl History {
    /// A plan is over, and this is what it did; of each of its operations whether it was done. What it was to take back and did
    /// not can be taken back later.
    pub(super) fn remember(
        &mut self,
        ticket: Ticket,
        title: &Title,
        made: Vec<Made>,
        purpose: Purpose,
        done: Vec<bool>,
    ) {
        let step = (!made.is_empty()).then(|| Step { ticket, title: title.done.clone(), made });
        match purpose {
            Purpose::Ordinary if step.is_none() => {}
            Purpose::Ordinary => {
                self.undone.clear();
                put(&mut self.done, step);
            }
            Purpose::Redo(back) => {
                put(&mut self.undone, back.left(done));
                put(&mut self.done, step);
            }
            Purpose::Undo(back) => {
                put(&mut self.done, back.left(done));
                put(&mut self.undone, step);
            }
        }
        if self.done.len() > REMEMBERED {
            self.done.remove(0);
        }
    }

    /// A segment has come back under another id.
    pub(super) fn rename(&mut self, former: &SegmentId, id: &SegmentId) {
        for step in self.done.iter_mut().chain(&mut self.undone) {
            step.rename(former, id);
        }
    }

    /// Whether there is anything to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is anything to do again.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }
}

/// Puts a step where it belongs by when it was begun.
fn put(steps: &mut Vec<Step>, step: Option<Step>) {
    if let Some(step) = step {
        let place = steps.partition_point(|other| other.ticket <= step.ticket);
        steps.insert(place, step);
    }
}

impl Step {
    fn rename(&mut self, former: &SegmentId, id: &SegmentId) {
        let other = |known: &SegmentId| (known == former).then(|| id.clone());
        let renamed = |segment: &mut Arc<Segment>| {
            if let Some(renamed) = segment.with_ids(&other) {
                *segment = Arc::new(renamed);
            }
        };
        for made in &mut self.made {
            match made {
                Made::Created(segment) | Made::Deleted(segment) => renamed(segment),
                Made::Updated { before, after, .. } => {
                    renamed(before);
                    renamed(after);
                }
            }
        }
    }
}

impl Back {
    /// A segment has come back under another id.
    pub(super) fn rename(&mut self, former: &SegmentId, id: &SegmentId) {
        self.step.rename(former, id);
    }

    /// What of it was not taken back.
    fn left(self, done: Vec<bool>) -> Option<Step> {
        let Step { ticket, title, made } = self.step;
        // It was taken back from the end.
        let made = made.into_iter().rev().zip(done.into_iter().chain(std::iter::repeat(false)));
        let mut left: Vec<Made> = made.filter(|(_, done)| !done).map(|(made, _)| made).collect();
        left.reverse();
        (!left.is_empty()).then_some(Step { ticket, title, made: left })
    }
}

/// Which way through the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Back,
    Forth,
}

/// Takes back what was done last, or does again what was taken back last.
pub(super) fn go(state: &mut State, way: Way) -> Vec<Effect> {
    let stopped = if way == Way::Back { stopped(state) } else { None };
    // What waits for something of its plan that has failed or was held doesn't move.
    let moves = |tally: Tally| tally.running > 0 || (tally.waiting > 0 && tally.failed + tally.held == 0);
    if state.writes.plans().any(|(_, write)| moves(write.tally())) {
        state.warn("something is still on its way to the server; try again when it has ended");
        return Vec::new();
    }
    let mut effects = Vec::new();
    if let Some(ticket) = stopped {
        if let Some(write) = state.writes.plan(ticket) {
            let text = format!("{}: what was left of it is given up", write.title.failed);
            state.activity.add(state.clock.now, EntryKind::Notice, None, text);
        }
        effects = writes::give_up(state, ticket);
    }
    let history = &mut state.writes.history;
    let step = match way {
        Way::Back => history.done.pop(),
        Way::Forth => history.undone.pop(),
    };
    let Some(step) = step else {
        state.warn(if way == Way::Back { "nothing was done yet that could be undone" } else { "nothing was undone" });
        return effects;
    };
    let (plan, former) = inverse(&step.made, writes::next_ticket(state));
    let again = if former.is_empty() { "" } else { " (with a new id)" };
    let title = match way {
        Way::Back => {
            Title { done: format!("undone: {}{again}", step.title), failed: format!("not undone: {}", step.title) }
        }
        Way::Forth => {
            let what = step.title.strip_prefix("undone: ").unwrap_or(&step.title).to_owned();
            Title { done: format!("{what}{again}"), failed: format!("not done again: {what}") }
        }
    };
    let back = Back { step, former };
    let purpose = if way == Way::Back { Purpose::Undo(back) } else { Purpose::Redo(back) };
    effects.extend(writes::begin(state, plan, title, None, Manner::Back(purpose)));
    effects
}

/// The plan that was begun last, when it has stopped half-way: what is left of it is given up when it is to be taken back.
fn stopped(state: &State) -> Option<Ticket> {
    let (ticket, write) = state.writes.plans().next_back()?;
    let is_last = state.writes.history.done.last().is_none_or(|step| step.ticket < ticket);
    let tally = write.tally();
    (is_last && tally.done > 0 && tally.staged == 0).then_some(ticket)
}

/// What takes all of it back, and the former ids of what is created again, by its place in the plan.
fn inverse(made: &[Made], ticket: Ticket) -> (Plan, HashMap<usize, SegmentId>) {
    let mut operations = Vec::with_capacity(made.len());
    let mut former = HashMap::new();
    let mut again: HashMap<SegmentId, SegmentId> = HashMap::new();
    for one in made.iter().rev() {
        let operation = match one {
            Made::Created(segment) => Operation::delete(Arc::clone(segment)),
            Made::Updated { before, after, fields } => {
                Operation::Update { base: Arc::clone(after), draft: Draft::of(after).with_fields_of(before, fields) }
            }
            Made::Deleted(segment) => {
                let which = Which { ticket, index: operations.len() };
                former.insert(which.index, segment.id.clone());
                again.insert(segment.id.clone(), which.provisional_id());
                Operation::Create { draft: Draft::of(segment) }
            }
        };
        operations.push(operation.with_ids(&|id| again.get(id).cloned()));
    }
    (Plan { operations }, former)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(id: &str, parent: Option<&str>) -> Arc<Segment> {
        let id = SegmentId::new(id).unwrap();
        let name = id.to_string().into();
        Arc::new(Segment { id, name, external_id: None, parent: parent.and_then(SegmentId::new) })
    }

    #[test]
    fn a_deleted_subtree_comes_back_from_the_top_down_under_its_new_ids() {
        let made = [Made::Deleted(segment("child", Some("root"))), Made::Deleted(segment("root", None))];
        let (plan, former) = inverse(&made, Ticket(9));
        let root = Which { ticket: Ticket(9), index: 0 };
        let parents: Vec<_> = plan.operations.iter().map(Operation::destination).collect();
        assert_eq!(parents, [None, Some(&root.provisional_id())]);
        assert_eq!(former, HashMap::from([(0, made_id("root")), (1, made_id("child"))]));
    }

    fn made_id(text: &str) -> SegmentId {
        SegmentId::new(text).unwrap()
    }

    #[test]
    fn only_what_was_changed_is_changed_back() {
        let before = segment("a", None);
        let after = Arc::new(Segment { name: "mine".into(), external_id: Some("theirs".into()), ..(*before).clone() });
        let made = [Made::Updated { before, after: Arc::clone(&after), fields: vec![Field::Name] }];
        let (plan, _) = inverse(&made, Ticket(1));
        let Operation::Update { base, draft } = &plan.operations[0] else { panic!("an update") };
        assert_eq!((base, draft.changes(base)), (&after, vec![Field::Name]));
        assert_eq!(draft.name.as_str(), "a");
    }

    #[test]
    fn what_was_not_taken_back_can_be_taken_back_later() {
        let made = vec![Made::Created(segment("a", None)), Made::Created(segment("b", None))];
        let step = Step { ticket: Ticket(1), title: "x".into(), made: made.clone() };
        let back = Back { step, former: HashMap::new() };
        let mut history = History::default();
        let title = Title { done: "undone: x".into(), failed: String::new() };
        history.remember(
            Ticket(2),
            &title,
            vec![Made::Deleted(segment("b", None))],
            Purpose::Undo(back),
            vec![true, false],
        );
        assert_eq!((history.done[0].made.as_slice(), history.undone.len()), (&made[..1], 1));
    }

    #[test]
    fn what_was_begun_later_is_taken_back_earlier_whichever_ended_first() {
        let mut history = History::default();
        for ticket in [2, 1, 3] {
            let title = Title { done: ticket.to_string(), failed: String::new() };
            let made = vec![Made::Created(segment("a", None))];
            history.remember(Ticket(ticket), &title, made, Purpose::Ordinary, vec![true]);
        }
        let titles: Vec<&str> = history.done.iter().map(|step| step.title.as_str()).collect();
        assert_eq!(titles, ["1", "2", "3"]);
    }

    #[test]
    fn what_is_remembered_of_a_segment_is_about_the_one_that_took_its_place() {
        let mut history = History::default();
        let title = Title { done: "x".into(), failed: "y".into() };
        let made = vec![Made::Created(segment("old", None)), Made::Created(segment("child", Some("old")))];
        history.remember(Ticket(1), &title, made, Purpose::Ordinary, vec![true, true]);
        history.rename(&made_id("old"), &made_id("new"));
        let Made::Created(child) = &history.done[0].made[1] else { panic!("a create") };
        assert_eq!(child.parent, Some(made_id("new")));
    }
}
