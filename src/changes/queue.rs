//! The queue of changes: every operation that is not over, in one place, with its one state.
//!
//! Whoever owns a queue (the interface, a subcommand) stages plans, submits them, hands what is [ready](ChangeQueue::begin) to
//! whoever executes single operations, and tells the queue what came back. Each of its functions returns [`Transitions`]: what is
//! to be written into the journal, what is to be shown otherwise, and what is over. Nothing is discarded but by a person: an
//! operation that failed stays until it is tried again, replaced or discarded.

mod finishing;
mod recovery;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::forest::{Change, Forest};
use crate::segment::{Field, Segment, SegmentId};

use super::execution::{Evidence, Execution, Resend};
use super::graph::Graph;
use super::journal::JournalEntry;
use super::model::{OpId, Operation, Plan, PlanId};
use super::overlay::Overlay;
use super::plans::{OpState, PlannedOp, Plans, QueueCounts, QueuedPlan, Title};
use super::result::WriteError;
use super::undo::{DoneOp, PlanKind, UndoStack, UndoStep};

/// The changes of a session.
///
/// ```
/// use segtui::changes::{ChangeQueue, ExecutionResult, Operation, Plan, Title, WriteResult};
/// use segtui::forest::Forest;
/// use segtui::segment::{Segment, SegmentId};
///
/// let vip = Segment { id: SegmentId::new("vip").unwrap(), name: "VIP".into(), external_id: None, parent: None };
/// let forest: Forest = [std::sync::Arc::new(vip.clone())].into_iter().collect();
/// let mut queue = ChangeQueue::new(0, 6);
///
/// let plan = Plan::delete_subtree(&forest, &vip.id);
/// let (plan_id, staged) = queue.stage(&forest, plan, Title::default());
/// assert_eq!(staged.shown.len(), 1);
/// assert_eq!(queue.submit(plan_id).journal.len(), 1);
///
/// let execution = queue.begin().unwrap();
/// assert!(matches!(execution.operation, Operation::Delete { .. }));
/// let deleted = WriteResult::Deleted { id: vip.id, found: true, concurrent_write: false };
/// let transitions = queue.executed(execution.op, &ExecutionResult::Done(deleted));
/// assert_eq!(transitions.finished.len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ChangeQueue {
    last_plan: u64,
    plans: Plans,
    graph: Graph,
    overlay: Overlay,
    undo: UndoStack,
    /// What ids the server gave to segments that were known by provisional ones.
    given: HashMap<SegmentId, SegmentId>,
    evidence: BTreeMap<OpId, Evidence>,
    /// Whether nothing is sent for now, whatever is queued.
    paused: bool,
    /// Operations in flight at once, at most.
    at_once: usize,
    /// How many plans were submitted.
    submissions: u64,
}

/// What a function of the queue has come to.
#[derive(Debug, Default)]
#[must_use]
pub struct Transitions {
    /// What is to be written into the journal, in its order.
    pub journal: Vec<JournalEntry>,
    /// What is to be shown otherwise.
    pub shown: Vec<Change>,
    /// The operations that were discarded.
    pub discarded: Vec<OpId>,
    /// The plans of which nothing is left.
    pub finished: Vec<FinishedPlan>,
    /// The segment that was created, which has its real id now.
    pub renamed: Option<Renamed>,
}

/// A plan of which nothing is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedPlan {
    /// Its number.
    pub plan_id: PlanId,
    /// How it is spoken of.
    pub title: Title,
    /// How many of its operations are done.
    pub done: usize,
    /// How many operations it had.
    pub total: usize,
}

/// A segment that was known by a provisional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// The provisional id.
    pub provisional: SegmentId,
    /// The segment as it is on the server.
    pub segment: Arc<Segment>,
}

/// What is pending for a segment, for its mark on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingKind {
    /// It does not exist on the server yet.
    Creating,
    /// It is being changed.
    Changing,
    /// It is being deleted.
    Deleting,
    /// The server or a colleague stands in the way, and a person has to decide.
    Failed,
}

impl Transitions {
    fn add(&mut self, mut other: Self) {
        self.journal.append(&mut other.journal);
        self.shown.append(&mut other.shown);
        self.discarded.append(&mut other.discarded);
        self.finished.append(&mut other.finished);
        self.renamed = other.renamed.or(self.renamed.take());
    }
}

impl ChangeQueue {
    /// An empty queue whose plans have numbers after one, and of which so many operations are in flight at once, at most.
    ///
    /// No two sessions may give the same numbers: what an earlier one left in the journal keeps its own.
    #[must_use]
    pub fn new(last_plan: u64, at_once: usize) -> Self {
        Self { last_plan, at_once, ..Self::default() }
    }

    // Submitting

    /// The number that the next plan will have.
    #[must_use]
    pub const fn next_plan_id(&self) -> PlanId {
        PlanId(self.last_plan + 1)
    }

    /// Shows a plan in the tree, to be submitted later. One without operations is over at once.
    pub fn stage(&mut self, forest: &Forest, plan: Plan, title: Title) -> (PlanId, Transitions) {
        self.stage_of_kind(forest, plan, title, PlanKind::Ordinary)
    }

    /// Shows a plan in the tree that undoes or redoes another one.
    pub fn stage_of_kind(
        &mut self,
        forest: &Forest,
        plan: Plan,
        title: Title,
        kind: PlanKind,
    ) -> (PlanId, Transitions) {
        let plan_id = self.next_plan_id();
        self.last_plan = plan_id.0;
        let ops = plan.operations.into_iter().map(|operation| self.with_given_ids(operation));
        let ops: Vec<_> = ops.map(|operation| PlannedOp { operation, state: OpState::Staged }).collect();
        if ops.is_empty() {
            return (plan_id, Transitions::default());
        }
        let shown = self.lay_over(forest, plan_id, QueuedPlan::new(ops, title, kind));
        (plan_id, Transitions { shown, ..Transitions::default() })
    }

    /// Lays the operations of a plan over the tree. Returns what to show.
    fn lay_over(&mut self, forest: &Forest, plan_id: PlanId, plan: QueuedPlan) -> Vec<Change> {
        let open = plan.ops().iter().enumerate().filter(|(_, op)| !op.state.is_over());
        let open = open.map(|(index, op)| (OpId { plan_id, index }, &op.operation));
        let subjects: Vec<_> = open.map(|(op, operation)| (op, subject(op, operation))).collect();
        self.plans.insert(plan_id, plan);
        for (op, id) in &subjects {
            self.overlay.add(id, *op, forest);
        }
        subjects.into_iter().map(|(_, id)| self.overlay.change(&id, &self.plans)).collect()
    }

    fn with_given_ids(&self, operation: Operation) -> Operation {
        operation.with_ids(&|id| self.given.get(id).cloned())
    }

    /// The failed operation of another plan that is discarded when this one is submitted.
    pub fn replaces(&mut self, plan_id: PlanId, op: OpId) {
        if let Some(plan) = self.plans.get_mut(plan_id) {
            plan.replaces = Some(op);
        }
    }

    /// Keeps a staged plan in the journal, with the plans that create what it refers to, so that it is not lost with this session.
    pub fn keep(&mut self, plan_id: PlanId) -> Transitions {
        let mut transitions = Transitions::default();
        let mut left = vec![plan_id];
        while let Some(plan_id) = left.pop() {
            let Some(plan) = self.plans.get_mut(plan_id).filter(|plan| !plan.is_kept) else { continue };
            plan.is_kept = true;
            for (index, op) in plan.ops().iter().enumerate().filter(|(_, op)| op.state == OpState::Staged) {
                transitions.journal.push(JournalEntry::Staged(OpId { plan_id, index }, op.operation.clone()));
                left.extend(op.operation.referred_ids().filter_map(OpId::creating).map(|create| create.plan_id));
            }
        }
        transitions
    }

    /// Queues what is staged of a plan; nothing of it where it refers to a new segment of another plan that is only staged.
    pub fn submit(&mut self, plan_id: PlanId) -> Transitions {
        self.submit_by(plan_id, |graph, op, operation| graph.enter(op, operation, false))
    }

    /// The same for a plan in which what stands higher in the end is moved before what stands lower. `above` has for each operation
    /// the index of the move that it has to come after, of the nearest segment above its new place that is moved too; so moves to
    /// different places go at the same time.
    pub fn submit_ordered(&mut self, plan_id: PlanId, above: &[Option<usize>]) -> Transitions {
        self.submit_by(plan_id, |graph, op, operation| {
            let above = above.get(op.index).copied().flatten();
            graph.enter_ordered(op, operation, above.map(|index| OpId { plan_id, index }));
        })
    }

    fn submit_by(&mut self, plan_id: PlanId, enter: impl Fn(&mut Graph, OpId, &Operation)) -> Transitions {
        let mut transitions = Transitions::default();
        if self.waits_for_staged(plan_id) {
            return transitions;
        }
        let queue = |_, op: &PlannedOp| (op.state == OpState::Staged).then_some(OpState::Queued);
        let ops = self.plans.set_states(plan_id, queue);
        self.graph.reserve(ops.len());
        for op in ops {
            let Some(planned) = self.plans.op(op) else { continue };
            enter(&mut self.graph, op, &planned.operation);
            transitions.journal.push(JournalEntry::Queued(op, planned.operation.clone()));
        }
        if transitions.journal.is_empty() {
            return transitions;
        }
        self.note_submission(plan_id);
        let replaced = self.plans.get_mut(plan_id).and_then(|plan| plan.replaces.take());
        if let Some(replaced) = replaced {
            transitions.add(self.discard(replaced));
        }
        transitions
    }

    /// From now on, the plan is the last that was submitted; unless something of it is done already, on which others may rest.
    fn note_submission(&mut self, plan_id: PlanId) {
        if let Some(plan) = self.plans.get_mut(plan_id).filter(|plan| plan.submitted == 0 || plan.counts().done == 0) {
            self.submissions += 1;
            plan.submitted = self.submissions;
        }
    }

    /// Whether a plan refers to a new segment of another one that is only staged, so that it can't be sent before that.
    #[must_use]
    pub fn waits_for_staged(&self, plan_id: PlanId) -> bool {
        let Some(plan) = self.plans.get(plan_id) else { return false };
        let referred = plan.ops().iter().filter(|op| !op.state.is_over()).flat_map(|op| op.operation.referred_ids());
        referred.filter_map(OpId::creating).any(|create| create.plan_id != plan_id && self.stays_staged(create))
    }

    /// Whether an operation refers to a new segment that is only staged, so that it can't be sent before that.
    #[must_use]
    pub fn refers_to_staged(&self, operation: &Operation) -> bool {
        operation.referred_ids().filter_map(OpId::creating).any(|create| self.stays_staged(create))
    }

    fn stays_staged(&self, op: OpId) -> bool {
        self.op(op).is_some_and(|op| op.state == OpState::Staged)
    }

    // Executing

    /// The next operation to execute now; it is in flight from now on. `None` when none is ready, or enough are in flight.
    pub fn begin(&mut self) -> Option<Execution> {
        if self.paused {
            return None;
        }
        let op = self.graph.begin(self.at_once)?;
        self.plans.set_state(op, OpState::InFlight);
        let operation = self.plans.op(op)?.operation.clone();
        Some(Execution { op, operation, evidence: self.evidence.get(&op).cloned() })
    }

    /// An operation that was begun could not be handed over: it is queued as before.
    pub fn not_begun(&mut self, op: OpId) {
        self.requeue(op);
    }

    fn requeue(&mut self, op: OpId) {
        if self.plans.op(op).is_none_or(|planned| planned.state != OpState::InFlight) {
            return;
        }
        let is_on_hold = self.plans.get(op.plan_id).is_some_and(|plan| plan.is_on_hold);
        if is_on_hold {
            self.plans.set_state(op, OpState::OnHold);
            self.graph.rest(op);
        } else {
            self.plans.set_state(op, OpState::Queued);
            self.graph.requeue(op);
        }
    }

    /// Begins nothing more until sending is resumed: the server can't be reached, or what an earlier session left is looked into.
    pub const fn pause_sending(&mut self) {
        self.paused = true;
    }

    /// What is ready may begin again.
    pub const fn resume_sending(&mut self) {
        self.paused = false;
    }

    // A person decides

    /// Whether an operation failed or is on hold, so that a person can decide about it.
    #[must_use]
    pub fn rests(&self, op: OpId) -> bool {
        matches!(self.op(op).map(|op| &op.state), Some(OpState::Failed(_) | OpState::OnHold))
    }

    /// Queues an operation again that failed or is on hold. A create that may have been applied already is looked for in a new list
    /// before it is sent again.
    pub fn retry(&mut self, op: OpId) -> Transitions {
        let creates = matches!(self.op(op).map(|op| &op.operation), Some(Operation::Create { .. }));
        if let Some(evidence) = self.evidence.get_mut(&op).filter(|_| creates) {
            evidence.resend = Resend::AfterList;
        }
        self.wake(op)
    }

    /// Takes a segment for the one that a create has made, whose answer was lost.
    pub fn adopt(&mut self, op: OpId, id: SegmentId) -> Transitions {
        self.evidence.entry(op).or_default().adopted = Some(id);
        self.wake(op)
    }

    /// Queues another operation on the same segment in the place of one that failed or is on hold, unless it [refers to what is
    /// only staged](Self::refers_to_staged).
    pub fn replace(&mut self, op: OpId, operation: Operation, title: Title) -> Transitions {
        let operation = self.with_given_ids(operation);
        if !self.rests(op) || self.refers_to_staged(&operation) {
            return Transitions::default();
        }
        self.plans.replace(op, operation);
        if let Some(plan) = self.plans.get_mut(op.plan_id).filter(|plan| plan.ops().len() == 1) {
            plan.title = title;
        }
        self.retry(op)
    }

    fn wake(&mut self, op: OpId) -> Transitions {
        let planned = self.plans.op(op).filter(|planned| !self.refers_to_staged(&planned.operation));
        if planned.is_none() || !self.rests(op) {
            return Transitions::default();
        }
        self.plans.set_state(op, OpState::Queued);
        self.note_submission(op.plan_id);
        let Some(planned) = self.plans.op(op) else { return Transitions::default() };
        self.graph.wake(op, &planned.operation);
        let journal = vec![JournalEntry::Queued(op, planned.operation.clone())];
        let shown = vec![self.overlay.change(&subject(op, &planned.operation), &self.plans)];
        Transitions { journal, shown, ..Transitions::default() }
    }

    /// Puts an operation on hold that is queued; what builds upon it waits. Answers whether it was.
    pub fn hold(&mut self, op: OpId) -> bool {
        let is_queued = self.op(op).is_some_and(|planned| planned.state == OpState::Queued);
        if is_queued {
            self.plans.set_state(op, OpState::OnHold);
            self.graph.rest(op);
        }
        is_queued
    }

    /// Puts everything on hold that is queued. What is in flight is executed. Returns how many operations are on hold by that.
    pub fn hold_all(&mut self) -> usize {
        let plan_ids: Vec<PlanId> = self.plans.iter().map(|(plan_id, _)| plan_id).collect();
        let mut held = 0;
        for plan_id in plan_ids {
            let rested = |_, op: &PlannedOp| (op.state == OpState::Queued).then_some(OpState::OnHold);
            let ops = self.plans.set_states(plan_id, rested);
            for op in &ops {
                self.graph.rest(*op);
            }
            held += ops.len();
            if let Some(plan) = self.plans.get_mut(plan_id) {
                plan.is_on_hold |= !ops.is_empty() || plan.counts().in_flight > 0;
            }
        }
        held
    }

    /// Queues again what is on hold and what failed of a plan. Returns as well how many creates stay as they are: they may have
    /// been applied already, and each wants a decision of its own.
    pub fn resume(&mut self, plan_id: PlanId) -> (Transitions, usize) {
        let Some(plan) = self.plans.get_mut(plan_id) else { return (Transitions::default(), 0) };
        plan.is_on_hold = false;
        let (mut again, mut unclear) = (Vec::new(), 0);
        for (index, op) in plan.ops().iter().enumerate() {
            match (&op.state, &op.operation) {
                (
                    OpState::Failed(WriteError::InDoubt(_) | WriteError::PossibleDuplicate { .. }),
                    Operation::Create { .. },
                ) => unclear += 1,
                (OpState::OnHold | OpState::Failed(_), _) => again.push(OpId { plan_id, index }),
                _ => {}
            }
        }
        let mut transitions = Transitions::default();
        for op in again {
            transitions.add(self.retry(op));
        }
        (transitions, unclear)
    }

    /// Discards an operation that is not in flight, and with it whatever can't be done without it.
    pub fn discard(&mut self, op: OpId) -> Transitions {
        self.discard_each([op])
    }

    /// Discards what is left of a plan, and whatever can't be done without that. What is in flight is executed.
    pub fn discard_plan(&mut self, plan_id: PlanId) -> Transitions {
        let count = self.plans.get(plan_id).map_or(0, |plan| plan.ops().len());
        self.discard_each((0..count).map(|index| OpId { plan_id, index }))
    }

    // Undoing

    /// What can be undone and redone.
    #[must_use]
    pub const fn undo_stack(&self) -> &UndoStack {
        &self.undo
    }

    /// The plan that undoes or redoes what was done or undone last; `None` when there is nothing. It is out of the stack until it is
    /// staged and finished.
    pub fn take_undo(&mut self, step: UndoStep, forest: &Forest) -> Option<(Plan, Title, PlanKind)> {
        let plan_id = self.next_plan_id();
        self.undo.take(step, None, forest, plan_id)
    }

    /// What a plan of an earlier session did can be undone with [`take_undo_of`](Self::take_undo_of).
    pub fn remember(&mut self, plan_id: PlanId, title: String, did: Vec<DoneOp>) {
        self.undo.restore(plan_id, title, did);
    }

    /// A create that is staged was sent by an earlier session, and nobody knows what became of that: it is looked for in a new list
    /// before it is sent.
    pub fn doubt(&mut self, op: OpId, evidence: Evidence) {
        self.evidence.insert(op, Evidence { resend: Resend::AfterList, ..evidence });
    }

    /// The plan that undoes what an earlier plan did, whatever was done since; `None` when there is nothing of it to undo.
    pub fn take_undo_of(&mut self, of: PlanId, forest: &Forest) -> Option<(Plan, Title, PlanKind)> {
        let plan_id = self.next_plan_id();
        self.undo.take(UndoStep::Undo, Some(of), forest, plan_id)
    }

    /// The plan that was submitted last, when it has come to rest half-way: undoing it discards what is left of it first.
    #[must_use]
    pub fn half_done(&self) -> Option<PlanId> {
        let (plan_id, plan) = self.plans.iter().max_by_key(|(_, plan)| plan.submitted)?;
        let is_last = self.undo.last().is_none_or(|last| last < plan.submitted);
        let counts = plan.counts();
        (is_last && counts.done > 0 && counts.staged == 0).then_some(plan_id)
    }

    /// Whether anything is on its way to the server. What waits for something of its plan that failed or is on hold is not.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        let moves =
            |counts: QueueCounts| counts.in_flight > 0 || (counts.queued > 0 && counts.failed + counts.on_hold == 0);
        self.plans.iter().any(|(_, plan)| moves(plan.counts()))
    }

    // What the server has

    /// The server has a segment as it is now. Returns what to show: what is pending stays on top.
    pub fn see(&mut self, id: &SegmentId, now: Option<Arc<Segment>>) -> Change {
        self.overlay.see(id, now, &self.plans)
    }

    /// The server has exactly what the forest has. Returns what to show otherwise.
    pub fn see_all(&mut self, forest: &Forest) -> Vec<Change> {
        self.overlay.see_all(forest, &self.plans)
    }

    // Looking

    /// How many operations are in which state, of all plans that are not over.
    #[must_use]
    pub const fn counts(&self) -> QueueCounts {
        self.plans.counts()
    }

    /// The plans that are not over, the oldest first.
    #[must_use]
    pub fn plans(&self) -> impl DoubleEndedIterator<Item = (PlanId, &QueuedPlan)> {
        self.plans.iter()
    }

    /// A plan that is not over.
    #[must_use]
    pub fn plan(&self, plan_id: PlanId) -> Option<&QueuedPlan> {
        self.plans.get(plan_id)
    }

    /// An operation of a plan that is not over.
    #[must_use]
    pub fn op(&self, op: OpId) -> Option<&PlannedOp> {
        self.plans.op(op)
    }

    /// A part of the list of operations, group by group ([`OpGroup::ALL`](super::OpGroup::ALL)), those that are done included for as
    /// long as their plan is not over.
    #[must_use]
    pub fn listed(&self, part: Range<usize>) -> Vec<OpId> {
        self.plans.listed(part)
    }

    /// The place of an operation in that list.
    #[must_use]
    pub fn place_in_list(&self, op: OpId) -> Option<usize> {
        self.plans.place_in_list(op)
    }

    /// What is pending for a segment.
    #[must_use]
    pub fn pending(&self, id: &SegmentId) -> Option<PendingKind> {
        let ops: Vec<&PlannedOp> = self.overlay.ops(id).iter().filter_map(|op| self.op(*op)).collect();
        if ops.iter().any(|op| matches!(op.state, OpState::Failed(_))) {
            return Some(PendingKind::Failed);
        }
        Some(match ops.last()?.operation {
            Operation::Create { .. } => PendingKind::Creating,
            Operation::Update { .. } => PendingKind::Changing,
            Operation::Delete { .. } => PendingKind::Deleting,
        })
    }

    /// Whether what is shown of a segment is staged.
    #[must_use]
    pub fn is_staged(&self, id: &SegmentId) -> bool {
        let last = self.overlay.ops(id).last().and_then(|op| self.op(*op));
        last.is_some_and(|last| last.state == OpState::Staged)
    }

    /// Whether an operation failed.
    #[must_use]
    pub fn has_failed(&self, op: OpId) -> bool {
        self.op(op).is_some_and(|op| matches!(op.state, OpState::Failed(_)))
    }

    /// Whether a field of a segment is what an operation in flight sets it to: a list can show that before its answer is here.
    #[must_use]
    pub fn is_setting(&self, now: &Segment, field: Field) -> bool {
        let sets = |planned: &PlannedOp| match &planned.operation {
            Operation::Update { base, draft } => {
                planned.state == OpState::InFlight
                    && draft.changes(base).contains(&field)
                    && !draft.changes(now).contains(&field)
            }
            Operation::Create { .. } | Operation::Delete { .. } => false,
        };
        self.overlay.ops(&now.id).iter().filter_map(|op| self.op(*op)).any(sets)
    }

    /// The operation of a segment that has failed.
    #[must_use]
    pub fn problem_of(&self, id: &SegmentId) -> Option<OpId> {
        self.overlay.ops(id).iter().copied().find(|op| self.has_failed(*op))
    }

    /// The operation that has failed and was asked for first.
    #[must_use]
    pub fn oldest_problem(&self) -> Option<OpId> {
        let (plan_id, plan) = self.plans.iter().find(|(_, plan)| plan.counts().failed > 0)?;
        let index = plan.ops().iter().position(|op| matches!(op.state, OpState::Failed(_)))?;
        Some(OpId { plan_id, index })
    }

    /// Whether something is pending for a segment.
    #[must_use]
    pub fn concerns(&self, id: &SegmentId) -> bool {
        self.overlay.concerns(id)
    }

    /// How many segments something is pending for.
    #[must_use]
    pub fn concerned_count(&self) -> usize {
        self.overlay.len()
    }

    /// The segments that something is pending for.
    pub fn concerned(&self) -> impl Iterator<Item = &SegmentId> {
        self.overlay.ids()
    }

    /// What the server last showed of a segment that something is pending for; `None` when it has no such segment.
    #[must_use]
    pub fn truth(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.overlay.truth(id)
    }

    /// The plans of which something is pending for a segment.
    pub fn plans_on(&self, id: &SegmentId) -> impl Iterator<Item = PlanId> {
        self.overlay.ops(id).iter().map(|op| op.plan_id)
    }
}

/// The segment that an operation concerns, under the id by which it is shown.
fn subject(op: OpId, operation: &Operation) -> SegmentId {
    operation.subject().cloned().unwrap_or_else(|| op.provisional_id())
}
