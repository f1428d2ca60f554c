//! Recovery: operations that an earlier session left in the journal are shown, and sent only if the user resumes them.

use crate::forest::Forest;
use crate::remote::{Call, Fault, RemoteError};

use super::{ChangeQueue, Transitions};
use crate::changes::journal::{JournalEntry, Recovered, RecoveredState};
use crate::changes::model::{OpId, Operation, PlanId};
use crate::changes::plans::{OpState, PlannedOp, QueuedPlan, Title};
use crate::changes::result::{WriteError, WriteResult};
use crate::changes::undo::PlanKind;

impl ChangeQueue {
    /// Takes in the operations that an earlier session left unfinished. Plans keep their ids and operations their indices; each
    /// plan gets this `title`.
    pub fn recover(&mut self, forest: &Forest, recovered: Vec<Recovered>, title: &Title) -> Transitions {
        for Recovered { op, state, .. } in &recovered {
            if let RecoveredState::Applied(WriteResult::Created(written)) = state {
                self.assigned_ids.insert(op.provisional_id(), written.segment.id.clone());
            }
        }
        let mut transitions = Transitions::default();
        let mut plans: Vec<(PlanId, Vec<PlannedOp>)> = Vec::new();
        for Recovered { op, operation, state, evidence, .. } in recovered {
            let resolved = self.with_assigned_ids(operation.clone());
            let (state, journal) = match state {
                RecoveredState::Applied(_) => (OpState::Done, Some(JournalEntry::Finished(op))),
                RecoveredState::Staged => (OpState::Staged, Some(JournalEntry::Staged(op, resolved.clone()))),
                RecoveredState::NotSent | RecoveredState::NotApplied => {
                    (OpState::OnHold, Some(JournalEntry::Queued(op, resolved.clone())))
                }
                RecoveredState::NotFound => {
                    let error = WriteError::InDoubt(not_found(&resolved));
                    (OpState::Failed(error), Some(JournalEntry::Queued(op, resolved.clone())))
                }
                RecoveredState::Unknown(error) => {
                    (OpState::Failed(WriteError::InDoubt(error)), Some(JournalEntry::Queued(op, resolved.clone())))
                }
            };
            transitions.journal.extend(journal);
            if !state.is_over() {
                self.evidence.extend(evidence.map(|evidence| (op, evidence)));
            }
            if plans.last().is_none_or(|(plan_id, _)| *plan_id != op.plan_id) {
                plans.push((op.plan_id, Vec::new()));
            }
            if let Some((_, ops)) = plans.last_mut() {
                // Operations that are over are missing here; discarded placeholders keep the indices of the others.
                let placeholder = PlannedOp { operation: resolved.clone(), state: OpState::Discarded };
                ops.resize(op.index.max(ops.len()), placeholder);
                ops.push(PlannedOp { operation: resolved, state });
            }
        }
        for (plan_id, ops) in plans.into_iter().filter(|(_, ops)| ops.iter().any(|op| !op.state.is_over())) {
            self.last_plan = self.last_plan.max(plan_id.0);
            for (index, op) in ops.iter().enumerate() {
                if !op.state.is_over() && op.state != OpState::Staged {
                    self.graph.add(OpId { plan_id, index }, &op.operation, true);
                }
            }
            let mut plan = QueuedPlan::new(ops, title.clone(), PlanKind::Ordinary);
            plan.is_journalled = true;
            self.submissions += 1;
            plan.submitted = self.submissions;
            transitions.shown.extend(self.insert_plan(forest, plan_id, plan));
        }
        transitions
    }
}

/// Returns the error for an operation of which no trace has been found so far.
fn not_found(operation: &Operation) -> RemoteError {
    let call = match operation {
        Operation::Create { draft } => Call::Create(draft.name.as_str().into()),
        Operation::Update { base, .. } => Call::Update(base.id.clone()),
        Operation::Delete { base, .. } => Call::Delete(base.id.clone()),
    };
    RemoteError { call, fault: Fault::InvalidResponse { reason: "not found on the server so far".into() } }
}
