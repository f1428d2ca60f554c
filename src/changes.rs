//! Everything about a change that is not I/O.

mod journal;
mod model;
mod outline;
mod result;

pub use journal::{JournalEntry, Journalled, Progress, Recovered, RecoveredState};
pub use model::{OpId, Operation, Plan, PlanId, is_provisional};
pub use outline::{Fault, Outline, Problem, Reason, TooLarge, with_faults};
pub use result::{WriteError, WriteResult, Written};
