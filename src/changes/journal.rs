//! What is written down of operations, so that nothing is lost however the program ends, and what the next start makes of it.

use crate::remote::RemoteError;
use crate::segment::{Draft, SegmentId, Step};

use super::model::{OpId, Operation};
use super::result::WriteResult;

/// Something that is to be remembered of an operation. Operations are known by the number of their plan and their place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalEntry {
    /// It is asked for, or another one in its place. Whether it was sent stays as it is.
    Asked((u64, usize), Operation),
    /// It is gathered: it may be asked for later, or never.
    Gathered((u64, usize), Operation),
    /// It is about to be sent. What was sent before and may have been carried out keeps what was noted the first time.
    Sent {
        /// Which.
        key: (u64, usize),
        /// The step of the feed from which on its traces are.
        since: Option<Step>,
        /// Segments that look like what is to be created, and existed before it was sent.
        alike: Vec<SegmentId>,
    },
    /// It is certain that nothing was carried out: it was asked for, and is as good as never sent.
    NotApplied((u64, usize)),
    /// It is done or given up.
    Over((u64, usize)),
}

/// How far an operation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It was only gathered.
    Gathered,
    /// It was asked for, and not sent.
    Asked,
    /// It was sent.
    Sent,
}

/// An operation that is not known to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journalled {
    /// The number of its plan, and its place in it.
    pub key: (u64, usize),
    /// What was asked for.
    pub operation: Operation,
    /// How far it had come.
    pub progress: Progress,
    /// From where on its traces are in the feed.
    pub since: Option<Step>,
    /// Segments that look like what it was to create, and existed before it was sent; `None` when that was not noted.
    pub alike: Option<Vec<SegmentId>>,
    /// What it was to create each time it was sent.
    pub drafts: Vec<Draft>,
}

/// An operation that an earlier run of the program did not bring to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Which.
    pub op: OpId,
    /// What was asked for.
    pub operation: Operation,
    /// What has become of it.
    pub fate: RecoveredState,
}

/// What has become of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveredState {
    /// It was only gathered, and never asked for.
    Gathered,
    /// It was never sent.
    NotSent,
    /// It was sent, and carried out. It is done with.
    CarriedOut(WriteResult),
    /// It was sent, and the segment is as it was before. Sending it again does no harm.
    NotCarriedOut,
    /// It was sent, and no trace of it was found so far. It may have been carried out all the same, so it is not sent again before a
    /// person says so, and looked for until then.
    NotFound,
    /// It was sent, and the server could not be asked.
    Unknown(RemoteError),
}
