//! Journal entries, which keep unfinished operations across a crash or restart, and what the next session recovers from them.
//!
//! The queue returns its transitions as entries. [`JournalEntry::Sent`] is written by whoever sends the operation. An operation
//! that is not in the journal is done, discarded, or was never submitted.

use crate::remote::RemoteError;
use crate::segment::{Draft, SegmentId, Step};

use super::execution::Evidence;
use super::model::{OpId, Operation, PlanId};
use super::result::WriteResult;
use super::undo::DoneOp;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalEntry {
    /// The operation is queued, or was replaced or rewritten. Whether it has been sent is left as recorded.
    Queued(OpId, Operation),
    /// The operation is staged: it may be sent later, or never.
    Staged(OpId, Operation),
    /// The operation is about to be sent. If an earlier attempt may have been applied, what was recorded then is kept.
    Sent {
        /// The operation.
        op: OpId,
        /// The feed step from which its events can appear.
        since: Option<Step>,
        /// Segments like the one it creates that existed before it was sent.
        existing: Vec<SegmentId>,
    },
    /// The operation was certainly not applied, and counts as never sent.
    NotSent(OpId),
    /// The operation has taken effect, which is recorded in the history.
    Applied(OpId, Box<HistoryRecord>),
    /// The operation is done or discarded.
    Finished(OpId),
    /// The queued operations of a plan undo another plan.
    Undoes {
        /// The plan.
        plan_id: PlanId,
        /// The plan that it undoes.
        undone: PlanId,
    },
}

/// The effect of an operation, as recorded in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRecord {
    /// The effect.
    pub effect: DoneOp,
    /// The plan's title, as a request.
    pub title: String,
    /// The plan that the operation's plan undoes.
    pub undoes: Option<PlanId>,
}

/// How far an operation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Staged.
    Staged,
    /// Queued, and not sent.
    Queued,
    /// Sent.
    Sent,
}

/// An operation that is in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalledOp {
    /// The operation's id.
    pub op: OpId,
    /// The operation.
    pub operation: Operation,
    /// How far it got.
    pub progress: Progress,
    /// The feed step from which its events can appear.
    pub since: Option<Step>,
    /// Segments like the one it creates that existed before it was sent; `None` if that was not recorded.
    pub existing: Option<Vec<SegmentId>>,
    /// For a create, the drafts that were sent.
    pub drafts: Vec<Draft>,
    /// The plan that the operation's plan undoes.
    pub undoes: Option<PlanId>,
}

/// An operation that an earlier session left unfinished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The operation's id.
    pub op: OpId,
    /// The operation.
    pub operation: Operation,
    /// What became of it.
    pub state: RecoveredState,
    /// What is known about earlier attempts that may have been applied.
    pub evidence: Option<Evidence>,
    /// The plan that the operation's plan undoes.
    pub undoes: Option<PlanId>,
}

/// What became of an operation of an earlier session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveredState {
    /// It was staged, and never submitted.
    Staged,
    /// It was never sent.
    NotSent,
    /// It was sent and applied, and is done.
    Applied(WriteResult),
    /// It was sent, and the segment is unchanged. It is safe to send again.
    NotApplied,
    /// It was sent, and no trace of it has been found so far. It may have been applied anyway, so it is not sent again without
    /// the user's decision, and is looked for until then.
    NotFound,
    /// It was sent, and the server could not be asked about it.
    Unknown(RemoteError),
}
