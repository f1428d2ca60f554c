//! What was done in this run, to be taken back and done again, a step at a time.
//!
//! Taking back is a plan like any other: the inverse operations in the opposite order, with the same looks for what somebody
//! else has done meanwhile. A segment that was deleted comes back with a new id, which no API can help; whatever is remembered of
//! the old one is about the new one from then on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::changes::{OpId, PlanId};
use crate::changes::{Operation, Plan};
use crate::forest::Forest;
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
    /// For each thing that the step made, the place in the plan of what takes it back.
    places: Vec<usize>,
}

/// What one plan did.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// The number of the plan: what was begun later is taken back earlier, whichever of them ended first.
    plan_id: PlanId,
    title: String,
    /// In the order in which it was done.
    made: Vec<Made>,
}

/// What one operation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    Created(Arc<Segment>),
    Updated {
        before: Arc<Segment>,
        after: Arc<Segment>,
        fields: Vec<Field>,
    },
    Deleted {
        segment: Arc<Segment>,
        /// The children that were left to the server.
        leaving: Vec<SegmentId>,
    },
}

impl Made {
    fn created(&self) -> Option<&SegmentId> {
        match self {
            Self::Created(segment) => Some(&segment.id),
            Self::Updated { .. } | Self::Deleted { .. } => None,
        }
    }
}

/// Steps that are remembered; of more, the oldest are forgotten.
const REMEMBERED: usize = 1_000;

impl History {
    /// A plan is over, and this is what it did; of each of its operations whether it was done. What it was to take back and did
    /// not can be taken back later.
    pub(super) fn remember(
        &mut self,
        plan_id: PlanId,
        title: &Title,
        made: Vec<Made>,
        purpose: Purpose,
        done: &[bool],
    ) {
        let step = (!made.is_empty()).then(|| Step { plan_id, title: title.done.clone(), made });
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
        let place = steps.partition_point(|other| other.plan_id <= step.plan_id);
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
                Made::Created(segment) => renamed(segment),
                Made::Deleted { segment, leaving } => {
                    renamed(segment);
                    leaving.iter_mut().filter(|child| *child == former).for_each(|child| child.clone_from(id));
                }
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
    fn left(self, done: &[bool]) -> Option<Step> {
        let Step { plan_id, title, made } = self.step;
        let is_left = |(_, place): &(Made, usize)| !done.get(*place).copied().unwrap_or(false);
        let left: Vec<Made> = made.into_iter().zip(self.places).filter(is_left).map(|(made, _)| made).collect();
        (!left.is_empty()).then_some(Step { plan_id, title, made: left })
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
    if let Some(plan_id) = stopped {
        if let Some(write) = state.writes.plan(plan_id) {
            let text = format!("{}: what was left of it is given up", write.title.failed);
            state.activity.add(state.clock.now, EntryKind::Notice, None, text);
        }
        effects = writes::give_up(state, plan_id);
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
    let Inverse { plan, former, places } = inverse(&step.made, &state.forest, writes::next_ticket(state));
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
    let back = Back { step, former, places };
    let purpose = if way == Way::Back { Purpose::Undo(back) } else { Purpose::Redo(back) };
    effects.extend(writes::begin(state, plan, title, None, Manner::Back(purpose)));
    effects
}

/// The plan that was begun last, when it has stopped half-way: what is left of it is given up when it is to be taken back.
fn stopped(state: &State) -> Option<PlanId> {
    let (plan_id, write) = state.writes.plans().next_back()?;
    let is_last = state.writes.history.done.last().is_none_or(|step| step.plan_id < plan_id);
    let tally = write.tally();
    (is_last && tally.done > 0 && tally.staged == 0).then_some(plan_id)
}

/// A plan that takes something back, with what [`Back`] remembers of it.
struct Inverse {
    plan: Plan,
    former: HashMap<usize, SegmentId>,
    places: Vec<usize>,
}

/// What takes all of it back, the last first.
fn inverse(made: &[Made], forest: &Forest, plan_id: PlanId) -> Inverse {
    let mut operations = Vec::with_capacity(made.len());
    let mut places = vec![0; made.len()];
    let mut former = HashMap::new();
    let mut again: HashMap<SegmentId, SegmentId> = HashMap::new();
    let created: HashSet<&SegmentId> = made.iter().filter_map(Made::created).collect();
    let mut leaving: HashMap<&SegmentId, Vec<(usize, SegmentId)>> = HashMap::new();
    for (at, one) in made.iter().enumerate().rev() {
        places[at] = operations.len();
        let operation = match one {
            Made::Created(segment) => {
                let leaving = leaving.remove(&segment.id).unwrap_or_default();
                for (child, _) in &leaving {
                    places[*child] = operations.len();
                }
                let leaving = leaving.into_iter().map(|(_, child)| child).collect();
                Operation::Delete { base: Arc::clone(segment), leaving }
            }
            Made::Updated { before, after, fields } => {
                // What had lost its parent can only lose it again, with that.
                let orphaned = before.parent.as_ref().is_some_and(|parent| !forest.contains(parent));
                if let Some(parent) = after.parent.as_ref().filter(|parent| orphaned && created.contains(parent))
                    && fields == &[Field::Parent]
                {
                    leaving.entry(parent).or_default().push((at, after.id.clone()));
                    continue;
                }
                Operation::Update { base: Arc::clone(after), draft: Draft::of(after).with_fields_of(before, fields) }
            }
            Made::Deleted { segment, leaving } => {
                let op = OpId { plan_id, index: operations.len() };
                former.insert(op.index, segment.id.clone());
                again.insert(segment.id.clone(), op.provisional_id());
                let draft = Draft::of(segment);
                operations.push(Operation::Create { draft }.with_ids(&|id| again.get(id).cloned()));
                operations.extend(attached_again(segment, leaving, &op.provisional_id(), forest));
                continue;
            }
        };
        operations.push(operation.with_ids(&|id| again.get(id).cloned()));
    }
    Inverse { plan: Plan { operations }, former, places }
}

/// What puts the children that were left to the server below the segment that comes back: those that are still there, and where the
/// server may have put them. One that stands elsewhere was moved by somebody since.
fn attached_again(
    segment: &Segment,
    leaving: &[SegmentId],
    provisional: &SegmentId,
    forest: &Forest,
) -> Vec<Operation> {
    let left_there = |child: &&Arc<Segment>| match &child.parent {
        None => true,
        parent @ Some(id) => *id == segment.id || *parent == segment.parent,
    };
    let children = leaving.iter().filter_map(|child| forest.get(child)).filter(left_there);
    let attached = |child: &Arc<Segment>| {
        let draft = Draft { parent: Some(provisional.clone()), ..Draft::of(child) };
        Operation::Update { base: Arc::clone(child), draft }
    };
    children.map(attached).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(id: &str, parent: Option<&str>) -> Arc<Segment> {
        let id = SegmentId::new(id).unwrap();
        let name = id.to_string().into();
        Arc::new(Segment { id, name, external_id: None, parent: parent.and_then(SegmentId::new) })
    }

    fn deleted(segment: Arc<Segment>) -> Made {
        Made::Deleted { segment, leaving: Vec::new() }
    }

    #[test]
    fn a_deleted_subtree_comes_back_from_the_top_down_under_its_new_ids() {
        let made = [deleted(segment("child", Some("root"))), deleted(segment("root", None))];
        let Inverse { plan, former, .. } = inverse(&made, &Forest::new(), PlanId(9));
        let root = OpId { plan_id: PlanId(9), index: 0 };
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
        let Inverse { plan, .. } = inverse(&made, &Forest::new(), PlanId(1));
        let Operation::Update { base, draft } = &plan.operations[0] else { panic!("an update") };
        assert_eq!((base, draft.changes(base)), (&after, vec![Field::Name]));
        assert_eq!(draft.name.as_str(), "a");
    }

    #[test]
    fn what_was_not_taken_back_can_be_taken_back_later() {
        let made = vec![Made::Created(segment("a", None)), Made::Created(segment("b", None))];
        let step = Step { plan_id: PlanId(1), title: "x".into(), made: made.clone() };
        let back = Back { step, former: HashMap::new(), places: vec![1, 0] };
        let mut history = History::default();
        let title = Title { done: "undone: x".into(), failed: String::new() };
        history.remember(PlanId(2), &title, vec![deleted(segment("b", None))], Purpose::Undo(back), &[true, false]);
        assert_eq!((history.done[0].made.as_slice(), history.undone.len()), (&made[..1], 1));
    }

    #[test]
    fn what_was_begun_later_is_taken_back_earlier_whichever_ended_first() {
        let mut history = History::default();
        for plan_id in [2, 1, 3] {
            let title = Title { done: plan_id.to_string(), failed: String::new() };
            let made = vec![Made::Created(segment("a", None))];
            history.remember(PlanId(plan_id), &title, made, Purpose::Ordinary, &[true]);
        }
        let titles: Vec<&str> = history.done.iter().map(|step| step.title.as_str()).collect();
        assert_eq!(titles, ["1", "2", "3"]);
    }

    #[test]
    fn what_is_remembered_of_a_segment_is_about_the_one_that_took_its_place() {
        let mut history = History::default();
        let title = Title { done: "x".into(), failed: "y".into() };
        let made = vec![Made::Created(segment("old", None)), Made::Created(segment("child", Some("old")))];
        history.remember(PlanId(1), &title, made, Purpose::Ordinary, &[true, true]);
        history.rename(&made_id("old"), &made_id("new"));
        let Made::Created(child) = &history.done[0].made[1] else { panic!("a create") };
        assert_eq!(child.parent, Some(made_id("new")));
    }
}
