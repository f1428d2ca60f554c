//! What is written down of operations, so that nothing is lost however the program ends, and what the next session finds.
//!
//! The queue's transitions are entries here; that an operation is about to be sent is written by whoever sends it. An operation
//! that is not in the journal is over, or was never submitted.

use crate::remote::RemoteError;
use crate::segment::{Draft, SegmentId, Step};

use super::execution::Evidence;
use super::model::{OpId, Operation, PlanId};
use super::result::WriteResult;
use super::undo::DoneOp;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalEntry {
    /// It is to be sent, or another one in its place. Whether it was sent before stays as it is.
    Queued(OpId, Operation),
    /// It is staged: it may be sent later, or never.
    Staged(OpId, Operation),
    /// It is about to be sent. What was sent before and may have been applied keeps what was noted the first time.
    Sent {
        /// The operation.
        op: OpId,
        /// The step of the feed from which on its traces are.
        since: Option<Step>,
        /// Segments that look like what it creates, and existed before it was sent.
        existing: Vec<SegmentId>,
    },
    /// It is certain that nothing was applied: it is as good as never sent.
    NotSent(OpId),
    /// It has done something, which is part of the history from now on.
    Did(OpId, Box<Deed>),
    /// It is done or discarded.
    Over(OpId),
    /// What is queued of a plan undoes what another one did.
    Undoes {
        /// The plan.
        plan_id: PlanId,
        /// The plan that it undoes.
        undone: PlanId,
    },
}

/// What an operation has done, for the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub did: DoneOp,
    /// What its plan was asked for.
    pub title: String,
    /// The plan that its plan undoes.
    pub undoes: Option<PlanId>,
}

/// How far an operation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It was staged.
    Staged,
    /// It was queued, and not sent.
    Queued,
    /// It was sent.
    Sent,
}

/// An operation that is in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journalled {
    /// Its id.
    pub op: OpId,
    /// What was asked for.
    pub operation: Operation,
    /// How far it had come.
    pub progress: Progress,
    /// From where on its traces are in the feed.
    pub since: Option<Step>,
    /// Segments that look like what it was to create, and existed before it was sent; `None` when that was not noted.
    pub existing: Option<Vec<SegmentId>>,
    /// What it was to create each time it was sent.
    pub drafts: Vec<Draft>,
    /// The plan that its plan undoes.
    pub undoes: Option<PlanId>,
}

/// An operation that an earlier session did not bring to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its id.
    pub op: OpId,
    /// What was asked for.
    pub operation: Operation,
    /// What has become of it.
    pub state: RecoveredState,
    /// What there is to go by if it may have been applied.
    pub evidence: Option<Evidence>,
    /// The plan that its plan undoes.
    pub undoes: Option<PlanId>,
}

/// What has become of an operation of an earlier session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveredState {
    /// It was staged, and never submitted.
    Staged,
    /// It was never sent.
    NotSent,
    /// It was sent, and applied. It is done with.
    Applied(WriteResult),
    /// It was sent, and the segment is as it was before. Sending it again does no harm.
    NotApplied,
    /// It was sent, and no trace of it was found so far. It may have been applied all the same, so it is not sent again before a
    /// person says so, and looked for until then.
    NotFound,
    /// It was sent, and the server could not be asked.
    Unknown(RemoteError),
}
