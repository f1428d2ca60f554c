//! What is asked of whoever executes operations, one at a time, and what comes back.

use std::time::Duration;

use crate::remote::RemoteError;
use crate::segment::{Draft, SegmentId, Step};

use super::model::{OpId, Operation};
use super::result::{WriteError, WriteResult};

/// One operation to be executed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The operation's id.
    pub op: OpId,
    /// What to do.
    pub operation: Operation,
    /// That it was sent before and may have been applied; `None` when it certainly was not.
    pub evidence: Option<Evidence>,
}

/// What there is to go by when an operation was sent and may have been applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// A step of the feed from before it was sent first; `None` without a feed.
    pub since: Option<Step>,
    /// The segments that look like what it creates and existed before it was sent first; `None` when that was not noted.
    pub existing: Option<Vec<SegmentId>>,
    /// What it was to create each time it was sent.
    pub drafts: Vec<Draft>,
    /// Segments that look much like it, and that a person knows of.
    pub told: Vec<SegmentId>,
    /// The segment that a person takes for it.
    pub adopted: Option<SegmentId>,
    /// Whether a create may be sent again when no trace of it is found.
    pub resend: Resend,
}

/// Whether a create that may have been applied may be sent again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Resend {
    /// Nobody has said so.
    #[default]
    No,
    /// A person has said so. Before that everything is listed, so that what it has made is found even where the feed does not
    /// name it.
    AfterList,
    /// Everything was listed since a person has said so.
    Listed,
}

/// What became of an [`Execution`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionResult {
    /// It was applied.
    Done(WriteResult),
    /// It did not succeed.
    Failed {
        /// Why.
        error: WriteError,
        /// What there is to go by if it may have been applied.
        evidence: Option<Evidence>,
    },
    /// The server couldn't be reached, or wants to be asked later. It is to be executed again when the server answers.
    Unreached {
        /// What stood in the way.
        error: RemoteError,
        /// How long until it can be tried again, at the earliest.
        retry_in: Duration,
        /// What there is to go by if it may have been applied.
        evidence: Option<Evidence>,
    },
}
