//! The queue of changes: every unfinished operation and its state, in one place.
//!
//! The owner of a queue (the interface, a subcommand) stages and submits plans, passes each operation that is
//! [ready](ChangeQueue::begin) to an executor, and reports the result to the queue. The effects come back as [`Transitions`]:
//! entries for the journal, changes to show, and the plans that have finished. Only the user discards anything: a failed
//! operation stays until it is retried, replaced or discarded.

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

/// All changes of a session.
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
    /// The ids that the server assigned, by provisional id.
    assigned_ids: HashMap<SegmentId, SegmentId>,
    evidence: BTreeMap<OpId, Evidence>,
    /// Whether sending is paused.
    paused: bool,
    /// Maximum number of operations in flight.
    max_in_flight: usize,
    /// Number of submissions so far.
    submissions: u64,
}

/// The effects of a queue method.
#[derive(Debug, Default)]
#[must_use]
pub struct Transitions {
    /// Entries to append to the journal, in order.
    pub journal: Vec<JournalEntry>,
    /// Changes to show.
    pub shown: Vec<Change>,
    /// The operations that were discarded.
    pub discarded: Vec<OpId>,
    /// The plans that have finished.
    pub finished: Vec<FinishedPlan>,
    /// The created segment that has received its real id.
    pub renamed: Option<Renamed>,
}

/// A plan whose operations are all done or discarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedPlan {
    /// The plan's id.
    pub plan_id: PlanId,
    /// Its title.
    pub title: Title,
    /// Number of operations that are done.
    pub done: usize,
    /// Number of operations that it had.
    pub total: usize,
}

/// A segment that had a provisional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// The provisional id.
    pub provisional: SegmentId,
    /// The segment as it is on the server.
    pub segment: Arc<Segment>,
}

/// What is pending for a segment, for its marker on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingKind {
    /// It does not exist on the server yet.
    Creating,
    /// It is being changed.
    Changing,
    /// It is being deleted.
    Deleting,
    /// The server refused an operation, or it conflicts with someone else's change; the user has to decide.
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
    /// Returns an empty queue. Its plans get ids after `last_plan`, and at most `max_in_flight` of its operations are in flight.
    ///
    /// Plan ids must never repeat across sessions: what an earlier session left in the journal keeps its ids.
    #[must_use]
    pub fn new(last_plan: u64, max_in_flight: usize) -> Self {
        Self { last_plan, max_in_flight, ..Self::default() }
    }

    // Submitting

    /// Returns the id that the next plan will have.
    #[must_use]
    pub const fn next_plan_id(&self) -> PlanId {
        PlanId(self.last_plan + 1)
    }

    /// Shows a plan in the tree, to be submitted later. A plan without operations is not queued.
    pub fn stage(&mut self, forest: &Forest, plan: Plan, title: Title) -> (PlanId, Transitions) {
        self.stage_of_kind(forest, plan, title, PlanKind::Ordinary)
    }

    /// Stages a plan of any kind, such as one that undoes or redoes another.
    pub fn stage_of_kind(
        &mut self,
        forest: &Forest,
        plan: Plan,
        title: Title,
        kind: PlanKind,
    ) -> (PlanId, Transitions) {
        let plan_id = self.next_plan_id();
        self.last_plan = plan_id.0;
        let ops = plan.operations.into_iter().map(|operation| self.with_assigned_ids(operation));
        let ops: Vec<_> = ops.map(|operation| PlannedOp { operation, state: OpState::Staged }).collect();
        if ops.is_empty() {
            return (plan_id, Transitions::default());
        }
        let shown = self.insert_plan(forest, plan_id, QueuedPlan::new(ops, title, kind));
        (plan_id, Transitions { shown, ..Transitions::default() })
    }

    /// Inserts a plan and adds its open operations to the overlay. Returns the changes to show.
    fn insert_plan(&mut self, forest: &Forest, plan_id: PlanId, plan: QueuedPlan) -> Vec<Change> {
        let open = plan.ops().iter().enumerate().filter(|(_, op)| !op.state.is_over());
        let open = open.map(|(index, op)| (OpId { plan_id, index }, &op.operation));
        let subjects: Vec<_> = open.map(|(op, operation)| (op, subject(op, operation))).collect();
        self.plans.insert(plan_id, plan);
        for (op, id) in &subjects {
            self.overlay.add(id, *op, forest);
        }
        subjects.into_iter().map(|(_, id)| self.overlay.displayed_change(&id, &self.plans)).collect()
    }

    fn with_assigned_ids(&self, operation: Operation) -> Operation {
        operation.with_ids(&|id| self.assigned_ids.get(id).cloned())
    }

    /// Sets the failed operation of another plan that is discarded when this plan is submitted.
    pub fn set_replaced_op(&mut self, plan_id: PlanId, op: OpId) {
        if let Some(plan) = self.plans.get_mut(plan_id) {
            plan.replaces = Some(op);
        }
    }

    /// Stores a staged plan in the journal, and the plans that create segments it refers to, so that it survives the session.
    pub fn journal_staged(&mut self, plan_id: PlanId) -> Transitions {
        let mut transitions = Transitions::default();
        let mut to_visit = vec![plan_id];
        while let Some(plan_id) = to_visit.pop() {
            let Some(plan) = self.plans.get_mut(plan_id).filter(|plan| !plan.is_journalled) else { continue };
            plan.is_journalled = true;
            for (index, op) in plan.ops().iter().enumerate().filter(|(_, op)| op.state == OpState::Staged) {
                transitions.journal.push(JournalEntry::Staged(OpId { plan_id, index }, op.operation.clone()));
                to_visit.extend(op.operation.referenced_ids().filter_map(OpId::creating).map(|create| create.plan_id));
            }
        }
        transitions
    }

    /// Queues the staged operations of a plan, unless it refers to a new segment of another plan that is only staged.
    pub fn submit(&mut self, plan_id: PlanId) -> Transitions {
        self.submit_with(plan_id, |graph, op, operation| graph.add(op, operation, false))
    }

    /// Submits a plan whose moves are ordered from the top of the resulting tree down. `predecessors` has, for each operation,
    /// the index of the move that it must follow: that of the nearest moved ancestor of its new place. Moves to different
    /// parents can then be in flight together.
    pub fn submit_ordered(&mut self, plan_id: PlanId, predecessors: &[Option<usize>]) -> Transitions {
        self.submit_with(plan_id, |graph, op, operation| {
            let predecessor = predecessors.get(op.index).copied().flatten();
            graph.add_ordered(op, operation, predecessor.map(|index| OpId { plan_id, index }));
        })
    }

    fn submit_with(&mut self, plan_id: PlanId, add_to_graph: impl Fn(&mut Graph, OpId, &Operation)) -> Transitions {
        let mut transitions = Transitions::default();
        if self.waits_for_staged(plan_id) {
            return transitions;
        }
        let to_queued = |_, op: &PlannedOp| (op.state == OpState::Staged).then_some(OpState::Queued);
        let ops = self.plans.set_states(plan_id, to_queued);
        self.graph.reserve(ops.len());
        for op in ops {
            let Some(planned) = self.plans.op(op) else { continue };
            add_to_graph(&mut self.graph, op, &planned.operation);
            transitions.journal.push(JournalEntry::Queued(op, planned.operation.clone()));
        }
        if transitions.journal.is_empty() {
            return transitions;
        }
        self.mark_submitted(plan_id);
        let replaced = self.plans.get_mut(plan_id).and_then(|plan| plan.replaces.take());
        if let Some(replaced) = replaced {
            transitions.add(self.discard(replaced));
        }
        transitions
    }

    /// Marks the plan as the last one submitted, unless some of it is done already: later plans may build on that.
    fn mark_submitted(&mut self, plan_id: PlanId) {
        if let Some(plan) = self.plans.get_mut(plan_id).filter(|plan| plan.submitted == 0 || plan.counts().done == 0) {
            self.submissions += 1;
            plan.submitted = self.submissions;
        }
    }

    /// Whether a plan refers to a new segment of another plan that is only staged, and so can't be sent yet.
    #[must_use]
    pub fn waits_for_staged(&self, plan_id: PlanId) -> bool {
        let Some(plan) = self.plans.get(plan_id) else { return false };
        let referred = plan.ops().iter().filter(|op| !op.state.is_over()).flat_map(|op| op.operation.referenced_ids());
        referred.filter_map(OpId::creating).any(|create| create.plan_id != plan_id && self.is_staged_op(create))
    }

    /// Whether an operation refers to a new segment that is only staged, and so can't be sent yet.
    #[must_use]
    pub fn refers_to_staged(&self, operation: &Operation) -> bool {
        operation.referenced_ids().filter_map(OpId::creating).any(|create| self.is_staged_op(create))
    }

    fn is_staged_op(&self, op: OpId) -> bool {
        self.op(op).is_some_and(|op| op.state == OpState::Staged)
    }

    // Executing

    /// Returns the next operation to execute, which is in flight from now on; `None` if none is ready or enough are in flight.
    pub fn begin(&mut self) -> Option<Execution> {
        if self.paused {
            return None;
        }
        let op = self.graph.begin(self.max_in_flight)?;
        self.plans.set_state(op, OpState::InFlight);
        let operation = self.plans.op(op)?.operation.clone();
        Some(Execution { op, operation, evidence: self.evidence.get(&op).cloned() })
    }

    /// Queues an operation again that was begun but could not be passed to the executor.
    pub fn requeue_unsent(&mut self, op: OpId) {
        self.requeue(op);
    }

    fn requeue(&mut self, op: OpId) {
        if self.plans.op(op).is_none_or(|planned| planned.state != OpState::InFlight) {
            return;
        }
        let is_on_hold = self.plans.get(op.plan_id).is_some_and(|plan| plan.is_on_hold);
        if is_on_hold {
            self.plans.set_state(op, OpState::OnHold);
            self.graph.suspend(op);
        } else {
            self.plans.set_state(op, OpState::Queued);
            self.graph.requeue(op);
        }
    }

    /// Stops beginning operations until sending is resumed: the server is unreachable, or an earlier session's operations are
    /// being checked.
    pub const fn pause_sending(&mut self) {
        self.paused = true;
    }

    /// Lets ready operations begin again.
    pub const fn resume_sending(&mut self) {
        self.paused = false;
    }

    // Decisions of the user

    /// Whether an operation failed or is on hold, so that the user can decide about it.
    #[must_use]
    pub fn is_failed_or_held(&self, op: OpId) -> bool {
        matches!(self.op(op).map(|op| &op.state), Some(OpState::Failed(_) | OpState::OnHold))
    }

    /// Queues a failed or held operation again. A create that may have been applied is first looked for in a new list.
    pub fn retry(&mut self, op: OpId) -> Transitions {
        let creates = matches!(self.op(op).map(|op| &op.operation), Some(Operation::Create { .. }));
        if let Some(evidence) = self.evidence.get_mut(&op).filter(|_| creates) {
            evidence.resend = Resend::AfterList;
        }
        self.queue_again(op)
    }

    /// Takes a segment as the result of a create whose response was lost.
    pub fn adopt(&mut self, op: OpId, id: SegmentId) -> Transitions {
        self.evidence.entry(op).or_default().adopted = Some(id);
        self.queue_again(op)
    }

    /// Replaces a failed or held operation by another on the same segment and queues it, unless it [refers to a staged
    /// segment](Self::refers_to_staged).
    pub fn replace(&mut self, op: OpId, operation: Operation, title: Title) -> Transitions {
        let operation = self.with_assigned_ids(operation);
        if !self.is_failed_or_held(op) || self.refers_to_staged(&operation) {
            return Transitions::default();
        }
        self.plans.replace(op, operation);
        if let Some(plan) = self.plans.get_mut(op.plan_id).filter(|plan| plan.ops().len() == 1) {
            plan.title = title;
        }
        self.retry(op)
    }

    fn queue_again(&mut self, op: OpId) -> Transitions {
        let planned = self.plans.op(op).filter(|planned| !self.refers_to_staged(&planned.operation));
        if planned.is_none() || !self.is_failed_or_held(op) {
            return Transitions::default();
        }
        self.plans.set_state(op, OpState::Queued);
        self.mark_submitted(op.plan_id);
        let Some(planned) = self.plans.op(op) else { return Transitions::default() };
        self.graph.resume(op, &planned.operation);
        let journal = vec![JournalEntry::Queued(op, planned.operation.clone())];
        let shown = vec![self.overlay.displayed_change(&subject(op, &planned.operation), &self.plans)];
        Transitions { journal, shown, ..Transitions::default() }
    }

    /// Puts a queued operation on hold; those that depend on it wait. Returns whether it was queued.
    pub fn hold(&mut self, op: OpId) -> bool {
        let is_queued = self.op(op).is_some_and(|planned| planned.state == OpState::Queued);
        if is_queued {
            self.plans.set_state(op, OpState::OnHold);
            self.graph.suspend(op);
        }
        is_queued
    }

    /// Puts all queued operations on hold. Those in flight are still executed. Returns how many were put on hold.
    pub fn hold_all(&mut self) -> usize {
        let plan_ids: Vec<PlanId> = self.plans.iter().map(|(plan_id, _)| plan_id).collect();
        let mut held = 0;
        for plan_id in plan_ids {
            let hold_queued = |_, op: &PlannedOp| (op.state == OpState::Queued).then_some(OpState::OnHold);
            let ops = self.plans.set_states(plan_id, hold_queued);
            for op in &ops {
                self.graph.suspend(*op);
            }
            held += ops.len();
            if let Some(plan) = self.plans.get_mut(plan_id) {
                plan.is_on_hold |= !ops.is_empty() || plan.counts().in_flight > 0;
            }
        }
        held
    }

    /// Queues the held and failed operations of a plan again. Also returns how many creates were left out: they may have been
    /// applied, and each needs its own decision.
    pub fn resume(&mut self, plan_id: PlanId) -> (Transitions, usize) {
        let Some(plan) = self.plans.get_mut(plan_id) else { return (Transitions::default(), 0) };
        plan.is_on_hold = false;
        let (mut to_retry, mut undecided) = (Vec::new(), 0);
        for (index, op) in plan.ops().iter().enumerate() {
            match (&op.state, &op.operation) {
                (
                    OpState::Failed(WriteError::InDoubt(_) | WriteError::PossibleDuplicate { .. }),
                    Operation::Create { .. },
                ) => undecided += 1,
                (OpState::OnHold | OpState::Failed(_), _) => to_retry.push(OpId { plan_id, index }),
                _ => {}
            }
        }
        let mut transitions = Transitions::default();
        for op in to_retry {
            transitions.add(self.retry(op));
        }
        (transitions, undecided)
    }

    /// Discards an operation that is not in flight, and all operations that can't be done without it.
    pub fn discard(&mut self, op: OpId) -> Transitions {
        self.discard_all([op])
    }

    /// Discards the rest of a plan, and all operations that can't be done without it. Those in flight are still executed.
    pub fn discard_plan(&mut self, plan_id: PlanId) -> Transitions {
        let count = self.plans.get(plan_id).map_or(0, |plan| plan.ops().len());
        self.discard_all((0..count).map(|index| OpId { plan_id, index }))
    }

    // Undo

    /// What can be undone and redone.
    #[must_use]
    pub const fn undo_stack(&self) -> &UndoStack {
        &self.undo
    }

    /// Takes the plan that undoes or redoes the last step off its stack; `None` if there is none. The step is on neither stack
    /// until that plan has been staged and has finished.
    pub fn take_undo(&mut self, step: UndoStep, forest: &Forest) -> Option<(Plan, Title, PlanKind)> {
        let plan_id = self.next_plan_id();
        self.undo.take(step, None, forest, plan_id)
    }

    /// Remembers a plan of an earlier session, so that [`take_undo_of`](Self::take_undo_of) can undo it.
    pub fn record_past_plan(&mut self, plan_id: PlanId, title: String, effect: Vec<DoneOp>) {
        self.undo.restore(plan_id, title, effect);
    }

    /// Records that an earlier session sent a create that is staged now, with unknown result: it is looked for in a new list
    /// before it is sent.
    pub fn mark_uncertain(&mut self, op: OpId, evidence: Evidence) {
        self.evidence.insert(op, Evidence { resend: Resend::AfterList, ..evidence });
    }

    /// Returns the plan that undoes an earlier plan, whatever was done since; `None` if there is nothing to undo.
    pub fn take_undo_of(&mut self, of: PlanId, forest: &Forest) -> Option<(Plan, Title, PlanKind)> {
        let plan_id = self.next_plan_id();
        self.undo.take(UndoStep::Undo, Some(of), forest, plan_id)
    }

    /// Returns the last submitted plan if it is partly done and has nothing staged: undo discards the rest of it first.
    #[must_use]
    pub fn partly_done_plan(&self) -> Option<PlanId> {
        let (plan_id, plan) = self.plans.iter().max_by_key(|(_, plan)| plan.submitted)?;
        let is_last = self.undo.last_submission().is_none_or(|last| last < plan.submitted);
        let counts = plan.counts();
        (is_last && counts.done > 0 && counts.staged == 0).then_some(plan_id)
    }

    /// Whether anything is being sent. Queued operations of a plan with failed or held ones don't count.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        let is_progressing =
            |counts: QueueCounts| counts.in_flight > 0 || (counts.queued > 0 && counts.failed + counts.on_hold == 0);
        self.plans.iter().any(|(_, plan)| is_progressing(plan.counts()))
    }

    // The server's state

    /// Records a segment's new state on the server. Returns how to show it, with pending operations on top.
    pub fn observe(&mut self, id: &SegmentId, now: Option<Arc<Segment>>) -> Change {
        self.overlay.update(id, now, &self.plans)
    }

    /// Records that the server's state is what the forest shows. Returns the changes that put the pending operations on top.
    pub fn observe_all(&mut self, forest: &Forest) -> Vec<Change> {
        self.overlay.update_all(forest, &self.plans)
    }

    // Queries

    /// Number of operations in each state, over all unfinished plans.
    #[must_use]
    pub const fn counts(&self) -> QueueCounts {
        self.plans.counts()
    }

    /// The unfinished plans, oldest first.
    #[must_use]
    pub fn plans(&self) -> impl DoubleEndedIterator<Item = (PlanId, &QueuedPlan)> {
        self.plans.iter()
    }

    /// Returns an unfinished plan.
    #[must_use]
    pub fn plan(&self, plan_id: PlanId) -> Option<&QueuedPlan> {
        self.plans.get(plan_id)
    }

    /// Returns an operation of an unfinished plan.
    #[must_use]
    pub fn op(&self, op: OpId) -> Option<&PlannedOp> {
        self.plans.op(op)
    }

    /// Returns a range of the list of operations, group by group ([`OpGroup::ALL`](super::OpGroup::ALL)). Operations that are
    /// done are listed as long as their plan is unfinished.
    #[must_use]
    pub fn listed(&self, part: Range<usize>) -> Vec<OpId> {
        self.plans.listed(part)
    }

    /// Returns the index of an operation in that list.
    #[must_use]
    pub fn position_in_list(&self, op: OpId) -> Option<usize> {
        self.plans.position_in_list(op)
    }

    /// Returns what is pending for a segment.
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

    /// Whether a segment's last pending operation is staged.
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

    /// Whether a field has the value that an operation in flight sets: a list can show the value before the response arrives.
    #[must_use]
    pub fn is_being_set(&self, now: &Segment, field: Field) -> bool {
        let is_set_by = |planned: &PlannedOp| match &planned.operation {
            Operation::Update { base, draft } => {
                planned.state == OpState::InFlight
                    && draft.changes(base).contains(&field)
                    && !draft.changes(now).contains(&field)
            }
            Operation::Create { .. } | Operation::Delete { .. } => false,
        };
        self.overlay.ops(&now.id).iter().filter_map(|op| self.op(*op)).any(is_set_by)
    }

    /// Returns the first failed operation on a segment.
    #[must_use]
    pub fn problem_of(&self, id: &SegmentId) -> Option<OpId> {
        self.overlay.ops(id).iter().copied().find(|op| self.has_failed(*op))
    }

    /// Returns the oldest failed operation.
    #[must_use]
    pub fn oldest_problem(&self) -> Option<OpId> {
        let (plan_id, plan) = self.plans.iter().find(|(_, plan)| plan.counts().failed > 0)?;
        let index = plan.ops().iter().position(|op| matches!(op.state, OpState::Failed(_)))?;
        Some(OpId { plan_id, index })
    }

    /// Whether a segment has pending operations.
    #[must_use]
    pub fn has_pending(&self, id: &SegmentId) -> bool {
        self.overlay.has_pending(id)
    }

    /// Number of segments with pending operations.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.overlay.len()
    }

    /// The segments with pending operations.
    pub fn pending_ids(&self) -> impl Iterator<Item = &SegmentId> {
        self.overlay.ids()
    }

    /// Returns the last known state on the server of a segment with pending operations; `None` if it does not exist there.
    #[must_use]
    pub fn server_state(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.overlay.server_state(id)
    }

    /// The plans that have operations pending for a segment.
    pub fn plans_on(&self, id: &SegmentId) -> impl Iterator<Item = PlanId> {
        self.overlay.ops(id).iter().map(|op| op.plan_id)
    }
}

/// Returns the id under which the operation's segment is shown.
fn subject(op: OpId, operation: &Operation) -> SegmentId {
    operation.subject().cloned().unwrap_or_else(|| op.provisional_id())
}
