//! The request to execute one operation, and its result.

use std::time::Duration;

use crate::remote::RemoteError;
use crate::segment::{Draft, SegmentId, Step};

use super::model::{OpId, Operation};
use super::result::{WriteError, WriteResult};

/// An operation to be executed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The operation's id.
    pub op: OpId,
    /// What to do.
    pub operation: Operation,
    /// What is known about earlier attempts that may have been applied; `None` if there certainly were none.
    pub evidence: Option<Evidence>,
}

/// What is known about an operation that was sent and may have been applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// A feed step from before it was first sent; `None` without a feed.
    pub since: Option<Step>,
    /// Segments like the one it creates that existed before it was first sent; `None` if that was not recorded.
    pub existing: Option<Vec<SegmentId>>,
    /// For a create, the drafts that were sent.
    pub drafts: Vec<Draft>,
    /// Similar segments that were already reported to the user as possible duplicates.
    pub reported: Vec<SegmentId>,
    /// The segment that the user identified as its result.
    pub adopted: Option<SegmentId>,
    /// Whether a create may be sent again when no trace of it is found.
    pub resend: Resend,
}

/// Whether a create that may have been applied may be sent again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Resend {
    /// The user has not allowed it.
    #[default]
    No,
    /// The user has allowed it. Everything is listed first, so that its result is found even if the feed does not report it.
    AfterList,
    /// The user has allowed it, and everything has been listed since.
    Listed,
}

/// The result of an [`Execution`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionResult {
    /// It was applied.
    Done(WriteResult),
    /// It failed.
    Failed {
        /// The reason.
        error: WriteError,
        /// What is known about attempts that may have been applied.
        evidence: Option<Evidence>,
    },
    /// The server was unreachable or asked for a retry later. The operation is executed again once the server responds.
    Unreached {
        /// The error.
        error: RemoteError,
        /// Minimum time until a retry.
        retry_in: Duration,
        /// What is known about attempts that may have been applied.
        evidence: Option<Evidence>,
    },
}
