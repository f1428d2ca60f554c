//! The writes, as an overlay on the tree: what was asked for is shown at once and marked, until the server says what became of
//! it.
//!
//! For every segment that a write concerns, the *truth* (what the server last showed) is kept beside the tree. Changes
//! made elsewhere go into the truth while a write is under way, so a refusal uncovers them rather than what was true before.
//! Nothing that was asked for goes by itself: an operation that failed stays until it is tried again, amended or dropped.

mod amending;
mod outcome;
mod plans;
mod sending;

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::changes::Operation;
use crate::changes::{OpId, PlanId, WriteError};
use crate::forest::{Change, Forest};
use crate::remote::Fault;
use crate::segment::{Field, Segment, SegmentId};

use super::Layer;
use super::history::{Back, History};
use super::kept::Kept;
use super::pace::Pace;

use plans::Plans;
pub use plans::Write;

pub(super) use plans::List;

pub(super) use amending::{Amendment, amend, send_amended};
pub(super) use outcome::{
    operation_began, operation_dropped, operation_ended, operation_failed, operation_waits, recovered, undelivered,
};
pub(super) use sending::{
    Manner, adopt, begin, drop_step, give_up, hold_all, next_ticket, release, retry, send_staged, unstage,
};

/// The writes that are not over, and what is remembered of those that are.
#[derive(Debug, Clone, Default)]
pub struct Writes {
    next: u64,
    plans: Plans,
    pending: HashMap<SegmentId, Pending>,
    /// Dialogs whose write was refused, with the input in them, oldest first.
    pub(super) refused: VecDeque<Layer>,
    pub(super) history: History,
    pub(super) kept: Kept,
    /// Whether edits gather instead of going out one by one.
    pub(super) gathers: bool,
    /// How fast they are carried out.
    pub pace: Pace,
    /// What the last session had left and what became of it, until that was looked at.
    pub(super) left_over: Vec<String>,
    /// What stands in the way of all of them and was told; `None` once the server has taken one.
    waits_for: Option<Fault>,
}

/// One operation of a plan, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is asked for.
    pub operation: Operation,
    /// Where it stands.
    pub standing: Standing,
}

/// Where an operation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It waits for the person's word.
    Staged,
    /// It waits for its turn.
    Waiting,
    /// It was stopped before its turn came.
    Held,
    /// It is on its way.
    Running,
    /// It did not succeed.
    Failed(WriteError),
    /// It is done.
    Done,
    /// It was given up.
    Dropped,
}

impl Standing {
    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Dropped)
    }
}

/// What a plan is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Ordinary,
    /// Takes back an earlier one.
    Undo(Back),
    /// Takes back what was taken back.
    Redo(Back),
}

/// How a write is spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// When it is done: "renamed A to B".
    pub done: String,
    /// When it is not: "A was not renamed".
    pub failed: String,
}

/// What is under way for one segment.
#[derive(Debug, Clone, Default)]
struct Pending {
    truth: Option<Arc<Segment>>,
    operations: Vec<OpId>,
}

/// What is under way for a segment, for its mark on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingKind {
    /// It does not exist on the server yet.
    Creating,
    /// It is being changed.
    Changing,
    /// It is being deleted.
    Deleting,
    /// The server or a colleague stands in the way, and a person has to decide.
    Refused,
}

/// How many operations stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Waiting for the person's word.
    pub staged: usize,
    /// On their way or waiting for it.
    pub waiting: usize,
    /// Of these, on their way.
    pub running: usize,
    /// Stopped before their turn.
    pub held: usize,
    /// Failed.
    pub failed: usize,
    /// Done, of plans that are not over.
    pub done: usize,
}

impl Tally {
    /// How many there are that were not given up.
    #[must_use]
    pub const fn total(&self) -> usize {
        let Self { staged, waiting, running: _, held, failed, done } = self;
        *staged + *waiting + *held + *failed + *done
    }

    fn count(&mut self, standing: &Standing) {
        self.running += usize::from(*standing == Standing::Running);
        if let Some(count) = self.of(standing) {
            *count += 1;
        }
    }

    fn discount(&mut self, standing: &Standing) {
        self.running -= usize::from(*standing == Standing::Running);
        if let Some(count) = self.of(standing) {
            *count -= 1;
        }
    }

    /// The count that an operation is in, by where it stands.
    const fn of(&mut self, standing: &Standing) -> Option<&mut usize> {
        match standing {
            Standing::Staged => Some(&mut self.staged),
            Standing::Waiting | Standing::Running => Some(&mut self.waiting),
            Standing::Held => Some(&mut self.held),
            Standing::Failed(_) => Some(&mut self.failed),
            Standing::Done => Some(&mut self.done),
            Standing::Dropped => None,
        }
    }
}

impl Writes {
    /// Whose plans have numbers from then on: no two runs of the program give the same ones.
    pub(super) fn since(now: jiff::Timestamp) -> Self {
        Self { next: now.as_millisecond().unsigned_abs(), ..Self::default() }
    }

    pub(super) fn look(&mut self, now: jiff::Timestamp) {
        let mut pace = self.pace;
        pace.look(now, || self.tally());
        self.pace = pace;
    }

    /// How many operations are still to be carried out, those that failed included.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let Tally { staged, waiting, held, failed, .. } = self.tally();
        staged + waiting + held + failed
    }

    /// How many operations stand where, of all plans that are not over.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.plans.tally()
    }

    /// The plans that are not over, the oldest first.
    #[must_use]
    pub fn plans(&self) -> impl DoubleEndedIterator<Item = (PlanId, &Write)> {
        self.plans.iter()
    }

    /// The operations of a part of their list, those that are done included for as long as their plan is not over.
    #[must_use]
    pub fn listed(&self, part: Range<usize>) -> Vec<OpId> {
        List::Kept.part(self.plans.iter(), part)
    }

    /// Where an operation stands in that list.
    pub(super) fn place_in_list(&self, op: OpId) -> Option<usize> {
        let earlier = self.plans.iter().take_while(|(plan_id, _)| *plan_id < op.plan_id);
        let before: usize = earlier.map(|(_, write)| List::Kept.count(write)).sum();
        Some(before + self.plan(op.plan_id)?.places(List::Kept).position(|index| index == op.index)?)
    }

    /// A plan that is not over.
    #[must_use]
    pub fn plan(&self, plan_id: PlanId) -> Option<&Write> {
        self.plans.get(plan_id)
    }

    /// The dialog that a plan came from.
    pub(super) fn origin(&self, plan_id: PlanId) -> Option<&Layer> {
        self.plans.get(plan_id)?.origin.as_ref()
    }

    /// An operation of a plan that is not over.
    #[must_use]
    pub fn step(&self, op: OpId) -> Option<&Step> {
        self.plans.step(op)
    }

    /// Whether an operation stands still and another one can take its place.
    pub(super) fn stands_still(&self, op: OpId) -> bool {
        let step = self.step(op).map(|step| &step.standing);
        matches!(step, Some(Standing::Failed(_) | Standing::Held))
    }

    /// An operation of which something more may come.
    fn open_step(&self, op: OpId) -> Option<&Step> {
        self.step(op).filter(|step| !step.standing.is_over())
    }

    /// What is under way for a segment.
    #[must_use]
    pub fn pending(&self, id: &SegmentId) -> Option<PendingKind> {
        let operations = &self.pending.get(id)?.operations;
        let steps: Vec<&Step> = operations.iter().filter_map(|op| self.step(*op)).collect();
        if steps.iter().any(|step| matches!(step.standing, Standing::Failed(_))) {
            return Some(PendingKind::Refused);
        }
        Some(match steps.last()?.operation {
            Operation::Create { .. } => PendingKind::Creating,
            Operation::Update { .. } => PendingKind::Changing,
            Operation::Delete { .. } => PendingKind::Deleting,
        })
    }

    /// The operation of a segment that has failed.
    pub(super) fn problem_of(&self, id: &SegmentId) -> Option<OpId> {
        self.pending.get(id)?.operations.iter().copied().find(|op| self.has_failed(*op))
    }

    /// The operation that has failed and was asked for first; one that came from a dialog before others.
    pub(super) fn oldest_problem(&self) -> Option<OpId> {
        let refused = self.refused.iter().find_map(Layer::amends).filter(|op| self.has_failed(*op));
        refused.or_else(|| {
            let operations = self.pending.values().flat_map(|pending| &pending.operations);
            operations.copied().filter(|op| self.has_failed(*op)).min()
        })
    }

    fn has_failed(&self, op: OpId) -> bool {
        self.step(op).is_some_and(|step| matches!(step.standing, Standing::Failed(_)))
    }

    /// Whether what is shown of a segment was asked for and not sent.
    #[must_use]
    pub fn is_staged(&self, id: &SegmentId) -> bool {
        let last = self.pending.get(id).and_then(|pending| self.step(*pending.operations.last()?));
        last.is_some_and(|step| step.standing == Standing::Staged)
    }

    /// The segments that something is under way for.
    pub(super) fn concerned(&self) -> impl Iterator<Item = &SegmentId> {
        self.pending.keys()
    }

    /// How many dialogs came back refused and wait to be opened again.
    #[must_use]
    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// Whether edits gather instead of going out one by one.
    #[must_use]
    pub const fn gathers(&self) -> bool {
        self.gathers
    }

    /// What to show of a segment: the truth with everything under way laid over it. What failed is not laid over it any more.
    fn shown(&self, id: &SegmentId) -> Option<Arc<Segment>> {
        let pending = self.pending.get(id)?;
        let steps = pending.operations.iter().filter_map(|op| self.step(*op));
        steps.fold(pending.truth.clone(), |shown, step| {
            let failed = matches!(step.standing, Standing::Failed(_));
            match &step.operation {
                Operation::Create { draft } if !failed || self.is_needed(id) => {
                    Some(Arc::new(draft.clone().into_segment(id.clone())))
                }
                Operation::Update { base, draft } if !failed => shown.map(|shown| {
                    let changed = draft.changes(base);
                    let kept: Vec<Field> = Field::ALL.into_iter().filter(|field| !changed.contains(field)).collect();
                    Arc::new(draft.clone().with_fields_of(&shown, &kept).into_segment(id.clone()))
                }),
                _ => shown,
            }
        })
    }

    /// Whether something is to stand below a segment that could not be created yet.
    fn is_needed(&self, id: &SegmentId) -> bool {
        self.plans.referring_to(id).any(|(_, step)| step.operation.destination() == Some(id))
    }

    fn change_to_show(&self, id: &SegmentId) -> Change {
        self.shown(id).map_or_else(|| Change::Remove(id.clone()), Change::Upsert)
    }

    /// Takes an operation off a segment's list. Answers what to show of the segment from now on.
    fn settle(&mut self, id: &SegmentId, op: OpId) -> Change {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.operations.retain(|other| *other != op);
        }
        let change = self.change_to_show(id);
        if self.pending.get(id).is_some_and(|pending| pending.operations.is_empty()) {
            self.pending.remove(id);
        }
        change
    }

    /// What is to be applied to the tree when a change made elsewhere was seen: the truth is taken in, but what is under way
    /// stays on top.
    pub(super) fn overlay(&mut self, id: &SegmentId, now: Option<Arc<Segment>>) -> Change {
        match self.pending.get_mut(id) {
            Some(pending) => {
                pending.truth = now;
                self.change_to_show(id)
            }
            None => now.map_or_else(|| Change::Remove(id.clone()), Change::Upsert),
        }
    }

    /// Whether something is under way for a segment.
    pub(super) fn concerns(&self, id: &SegmentId) -> bool {
        self.pending.contains_key(id)
    }

    /// What the server last showed of a segment that something is under way for; `None` when it has no such segment.
    pub(super) fn truth(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.pending.get(id)?.truth.as_ref()
    }

    /// The plans that something is under way of for a segment.
    pub(super) fn plans_on(&self, id: &SegmentId) -> impl Iterator<Item = PlanId> {
        self.pending.get(id).into_iter().flat_map(|pending| &pending.operations).map(|op| op.plan_id)
    }

    /// Lays everything under way over a complete list.
    pub(super) fn overlay_all(&mut self, listed: &Forest) -> Vec<Change> {
        for (id, pending) in &mut self.pending {
            pending.truth = listed.get(id).cloned();
        }
        self.pending.keys().map(|id| self.change_to_show(id)).collect()
    }
}

/// The segment that an operation concerns, under the id by which it is shown.
fn subject(op: OpId, operation: &Operation) -> SegmentId {
    operation.subject().cloned().unwrap_or_else(|| op.provisional_id())
}
