//! The life of a change, without its I/O: the operations of a plan, the state of each from staged to done or discarded, its
//! overlay on the tree, its journal entries, and undo.
//!
//! The interface and the command line are both clients of the same [`ChangeQueue`]. The executor of operations receives one
//! [`Execution`] at a time and keeps no list of its own.

mod confirm;
mod execution;
mod graph;
mod journal;
mod model;
mod outline;
mod overlay;
mod plans;
mod queue;
mod recent;
mod result;
mod undo;

#[cfg(test)]
mod tests;

pub use confirm::{Confirmation, Safeguards, TypedPhrase, confirmation, left_to_the_server, managed};
pub use execution::{Evidence, Execution, ExecutionResult, Resend};
pub use journal::{HistoryRecord, JournalEntry, JournalledOp, Progress, Recovered, RecoveredState};
pub use model::{OpId, Operation, Plan, PlanId, is_provisional};
pub use outline::{Outline, Reason, TooLarge};
pub use plans::{OpGroup, OpState, PlannedOp, QueueCounts, QueuedPlan, Title};
pub use queue::{ChangeQueue, FinishedPlan, PendingKind, Renamed, Transitions};
pub use recent::{RecentWrites, Reverted};
pub use result::{WriteError, WriteResult, Written};
pub use undo::{DoneOp, PlanKind, UndoStack, UndoStep, UndoTarget};
