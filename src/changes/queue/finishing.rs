//! Results and discards: the two ways in which an operation leaves the queue.

use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

use crate::forest::Change;
use crate::segment::{Segment, SegmentId};

use super::{ChangeQueue, FinishedPlan, Renamed, Transitions, subject};
use crate::changes::execution::{Evidence, ExecutionResult};
use crate::changes::journal::{HistoryRecord, JournalEntry};
use crate::changes::model::{OpId, Operation, PlanId};
use crate::changes::plans::{OpState, PlannedOp, QueuedPlan};
use crate::changes::result::{WriteError, WriteResult, Written};
use crate::changes::undo::{DoneOp, PlanKind};

impl ChangeQueue {
    /// Records the result of an operation in flight.
    pub fn executed(&mut self, op: OpId, result: &ExecutionResult) -> Transitions {
        if self.op(op).is_none_or(|planned| planned.state != OpState::InFlight) {
            return Transitions::default();
        }
        match result {
            ExecutionResult::Done(result) => self.record_done(op, result),
            ExecutionResult::Failed { error, evidence } => self.record_failure(op, error, evidence.as_ref()),
            ExecutionResult::Unreached { evidence, .. } => {
                self.set_evidence(op, evidence.as_ref());
                self.requeue(op);
                Transitions::default()
            }
        }
    }

    fn set_evidence(&mut self, op: OpId, evidence: Option<&Evidence>) {
        match evidence {
            Some(evidence) => self.evidence.insert(op, evidence.clone()),
            None => self.evidence.remove(&op),
        };
    }

    fn record_done(&mut self, op: OpId, result: &WriteResult) -> Transitions {
        let Some(operation) = self.op(op).map(|planned| planned.operation.clone()) else {
            return Transitions::default();
        };
        let id = subject(op, &operation);
        self.plans.set_state(op, OpState::Done);
        self.evidence.remove(&op);
        let mut transitions = Transitions::default();
        let effect = DoneOp::of(&operation, result);
        if let (Some(plan), Some(effect)) = (self.plans.get_mut(op.plan_id), effect) {
            let undoes = if let PlanKind::Undo(of) = &plan.kind { Some(of.plan_id()) } else { None };
            let record = HistoryRecord { effect: effect.clone(), title: plan.title.imperative.clone(), undoes };
            transitions.journal.push(JournalEntry::Applied(op, Box::new(record)));
            plan.done.push(self.undo.record(effect));
        }
        transitions.journal.push(JournalEntry::Finished(op));
        match (&operation, result) {
            (Operation::Create { draft }, WriteResult::Created(Written { segment, merged, .. })) => {
                transitions.add(self.record_created(op, segment));
                let expected = draft.clone().into_segment(segment.id.clone());
                // The user has not seen the fields that someone else changed, so these are not rebased onto.
                let actual = (**segment).clone().with_fields_of(&expected, merged);
                transitions.journal.extend(self.rebase_later(op, &segment.id, &expected, &actual));
                if self.has_pending(&segment.id) {
                    transitions.shown.push(self.overlay.displayed_change(&segment.id, &self.plans));
                }
            }
            (Operation::Update { base, draft }, WriteResult::Updated(written)) => {
                let Written { segment, concurrent_write, .. } = written;
                self.overlay.set_server_state(&id, Some(Arc::clone(segment)));
                if !concurrent_write {
                    // A value that someone else changed and that was kept is not taken as seen by the user.
                    let expected = draft.clone().into_segment(segment.id.clone());
                    let actual = expected.clone().with_fields_of(segment, &draft.changes(base));
                    transitions.journal.extend(self.rebase_later(op, &id, &expected, &actual));
                }
                transitions.shown.push(self.overlay.remove(&id, op, &self.plans));
            }
            _ => {
                self.overlay.set_server_state(&id, None);
                transitions.shown.push(self.overlay.remove(&id, op, &self.plans));
            }
        }
        self.graph.remove(op);
        transitions.finished.extend(self.finish(op.plan_id));
        transitions
    }

    /// Replaces the provisional id of a new segment by its real one in all operations, also in the journal.
    fn record_created(&mut self, op: OpId, segment: &Arc<Segment>) -> Transitions {
        let (provisional, real) = (op.provisional_id(), segment.id.clone());
        self.assigned_ids.insert(provisional.clone(), real.clone());
        let replacement = |id: &SegmentId| (*id == provisional).then(|| real.clone());
        let referring = self.plans.referrers_of(&provisional);
        let referring: Vec<_> =
            referring.map(|(later, planned)| (later, planned.operation.clone().with_ids(&replacement))).collect();
        let (mut journal, mut affected) = (Vec::new(), Vec::new());
        for (later, operation) in referring {
            affected.push(subject(later, &operation));
            self.plans.replace(later, operation);
            journal.extend(self.journal_entry(later));
        }
        self.graph.rename(&provisional, &real);
        self.overlay.rename(&provisional, segment, op);
        let former_id = match self.plans.get(op.plan_id).map(|plan| &plan.kind) {
            Some(PlanKind::Undo(of) | PlanKind::Redo(of)) => of.former_ids.get(&op.index).cloned(),
            _ => None,
        };
        if let Some(former_id) = former_id {
            self.undo.record_recreated(former_id, real);
        }
        // The segment itself comes before its children.
        let mut shown = vec![Change::Upsert(Arc::clone(segment))];
        shown.extend(affected.iter().map(|id| self.overlay.displayed_change(id, &self.plans)));
        shown.push(Change::Remove(provisional.clone()));
        let renamed = Some(Renamed { provisional, segment: Arc::clone(segment) });
        Transitions { journal, shown, renamed, ..Transitions::default() }
    }

    fn record_failure(&mut self, op: OpId, error: &WriteError, evidence: Option<&Evidence>) -> Transitions {
        let Some(id) = self.op(op).map(|planned| subject(op, &planned.operation)) else {
            return Transitions::default();
        };
        // An operation that may have been applied stays marked as sent in the journal, whatever became of this attempt.
        let journal = if evidence.is_none() { vec![JournalEntry::NotSent(op)] } else { Vec::new() };
        self.set_evidence(op, evidence);
        if let WriteError::Conflict { theirs, .. } = error {
            self.overlay.set_server_state(&id, theirs.clone());
        }
        self.plans.set_state(op, OpState::Failed(error.clone()));
        self.graph.suspend(op);
        let shown = vec![self.overlay.displayed_change(&id, &self.plans)];
        Transitions { journal, shown, ..Transitions::default() }
    }

    /// Rebases later operations on the same segment from the expected result of an operation onto its actual one. Returns the
    /// journal entries for that.
    fn rebase_later(&mut self, op: OpId, id: &SegmentId, expected: &Segment, actual: &Segment) -> Vec<JournalEntry> {
        if expected == actual {
            return Vec::new();
        }
        let later: Vec<OpId> = self.overlay.ops(id).iter().copied().filter(|later| *later > op).collect();
        let mut journal = Vec::new();
        for later in later {
            let Some(operation) = self.op(later).map(|planned| planned.operation.clone()) else { continue };
            let rebased = operation.clone().rebased(expected, actual);
            if rebased != operation {
                self.plans.replace(later, rebased);
                journal.extend(self.journal_entry(later));
            }
        }
        journal
    }

    /// Returns the current journal entry of an operation, `None` if it is not in the journal.
    fn journal_entry(&self, op: OpId) -> Option<JournalEntry> {
        let planned = self.op(op)?;
        let operation = || planned.operation.clone();
        match planned.state {
            OpState::Staged if self.plan(op.plan_id)?.is_journalled => Some(JournalEntry::Staged(op, operation())),
            OpState::Staged | OpState::Done | OpState::Discarded => None,
            OpState::Queued | OpState::OnHold | OpState::InFlight | OpState::Failed(_) => {
                Some(JournalEntry::Queued(op, operation()))
            }
        }
    }

    /// Discards operations that are not in flight, and all operations that depend on them, directly or indirectly.
    pub(super) fn discard_all(&mut self, ops: impl IntoIterator<Item = OpId>) -> Transitions {
        let mut to_discard: Vec<OpId> = Vec::new();
        let mut visited: HashSet<OpId> = HashSet::new();
        let mut to_visit: Vec<OpId> = ops.into_iter().collect();
        to_visit.reverse();
        // For each plan, its deletes by segment.
        let mut deletions: HashMap<PlanId, HashMap<SegmentId, OpId>> = HashMap::new();
        while let Some(op) = to_visit.pop() {
            let Some(planned) = self.op(op) else { continue };
            if planned.state.is_over() || planned.state == OpState::InFlight || !visited.insert(op) {
                continue;
            }
            to_discard.push(op);
            match &planned.operation {
                Operation::Create { .. } => to_visit.extend(self.dependents_of_create(op)),
                Operation::Update { .. } if !planned.operation.is_move() => {}
                Operation::Update { base, .. } | Operation::Delete { base, .. } => {
                    let plan_deletions = deletions.entry(op.plan_id).or_insert_with(|| self.deletions(op.plan_id));
                    to_visit.extend(
                        base.parent
                            .as_ref()
                            .and_then(|parent| self.delete_waiting_for(plan_deletions, parent, &base.id)),
                    );
                }
            }
        }
        let mut transitions = Transitions::default();
        // Dependents first.
        for op in to_discard.into_iter().rev() {
            self.discard_one(op, &mut transitions);
        }
        transitions
    }

    /// Returns the deletes of a plan by segment.
    fn deletions(&self, plan_id: PlanId) -> HashMap<SegmentId, OpId> {
        let ops = self.plan(plan_id).into_iter().flat_map(|plan| plan.ops().iter().enumerate());
        let deletion = |(index, planned): (usize, &PlannedOp)| match &planned.operation {
            Operation::Delete { base, .. } => Some((base.id.clone(), OpId { plan_id, index })),
            _ => None,
        };
        ops.filter_map(deletion).collect()
    }

    /// Returns the delete of a parent that has to wait until the child has left, since the user has not agreed to leave it to the
    /// server.
    fn delete_waiting_for(
        &self,
        deletions: &HashMap<SegmentId, OpId>,
        parent: &SegmentId,
        child: &SegmentId,
    ) -> Option<OpId> {
        let op = *deletions.get(parent)?;
        let is_left_to_server = |planned: &&PlannedOp| matches!(&planned.operation, Operation::Delete { leaving, .. } if leaving.contains(child));
        self.op(op).filter(|planned| !is_left_to_server(planned)).map(|_| op)
    }

    /// Returns the operations that can't be done without the segment that this one creates.
    fn dependents_of_create(&self, create: OpId) -> impl Iterator<Item = OpId> {
        let id = create.provisional_id();
        let depends = |operation: &Operation| operation.subject() == Some(&id) || operation.destination() == Some(&id);
        let referring = self.plans.referrers_of(&id).filter(|(_, planned)| depends(&planned.operation));
        referring.map(|(op, _)| op).collect::<Vec<_>>().into_iter()
    }

    fn discard_one(&mut self, op: OpId, transitions: &mut Transitions) {
        let Some(planned) = self.op(op) else { return };
        let id = subject(op, &planned.operation);
        let changed = match &planned.operation {
            Operation::Update { base, draft } => Some((draft.clone().into_segment(id.clone()), Arc::clone(base))),
            Operation::Create { .. } | Operation::Delete { .. } => None,
        };
        let is_staged = planned.state == OpState::Staged;
        if !is_staged || self.plan(op.plan_id).is_some_and(|plan| plan.is_journalled) {
            transitions.journal.push(JournalEntry::Finished(op));
        }
        self.plans.set_state(op, OpState::Discarded);
        self.evidence.remove(&op);
        if let Some((expected, base)) = changed {
            transitions.journal.extend(self.rebase_later(op, &id, &expected, &base));
        }
        self.graph.remove(op);
        transitions.shown.push(self.overlay.remove(&id, op, &self.plans));
        transitions.discarded.push(op);
        transitions.finished.extend(self.finish(op.plan_id));
    }

    /// Removes a plan whose operations are all over, and remembers what it did for undo.
    fn finish(&mut self, plan_id: PlanId) -> Option<FinishedPlan> {
        if !self.plans.get(plan_id).is_some_and(QueuedPlan::is_over) {
            return None;
        }
        let plan = self.plans.remove(plan_id)?;
        let finished =
            FinishedPlan { plan_id, title: plan.title.clone(), done: plan.counts().done, total: plan.ops().len() };
        self.undo.add_finished(plan_id, plan);
        Some(finished)
    }

    /// Handles a new segment on the server. If it may be the result of a create whose response was lost, that create is queued
    /// again, to check.
    pub fn observe_created(&mut self, new: &Segment) -> Transitions {
        let mut transitions = Transitions::default();
        let possible_origins = self.evidence.iter().filter(|(op, evidence)| {
            let was_sent = evidence.drafts.iter().any(|draft| draft.changes(new).is_empty());
            let creates = || matches!(self.op(**op).map(|op| &op.operation), Some(Operation::Create { .. }));
            was_sent && evidence.adopted.is_none() && self.has_failed(**op) && creates()
        });
        for op in possible_origins.map(|(op, _)| *op).collect::<Vec<_>>() {
            transitions.add(self.queue_again(op));
        }
        transitions
    }
}
