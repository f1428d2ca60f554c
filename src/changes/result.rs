//! What became of an operation: what it came to on the server, or why it failed.

use std::sync::Arc;

use crate::numbers::{Agreeing, Noun, counted};
use crate::remote::{Call, RemoteError};
use crate::segment::{Field, Segment, SegmentId};

/// What a successful operation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteResult {
    /// The segment exists.
    Created(Written),
    /// The segment has its new values.
    Updated(Written),
    /// The segment is gone.
    Deleted {
        /// Which.
        id: SegmentId,
        /// Whether it was still there. If not, somebody else was faster, and it is not this operation that can be taken back.
        found: bool,
        /// Whether somebody else changed it in the very moment between looking and deleting. What they wrote is gone with it.
        concurrent_write: bool,
    },
}

/// A segment as the server shows it after a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Read again after the write.
    pub segment: Arc<Segment>,
    /// Fields that somebody else had changed meanwhile and that were kept as they made them.
    pub merged: Vec<Field>,
    /// Fields that were asked for and that the server did not take.
    pub ignored: Vec<Field>,
    /// Fields that were written: not those that were as wanted already.
    pub written: Vec<Field>,
    /// Whether somebody else changed it in the very moment between looking and writing. What they wrote may be gone, and what
    /// it was is not known.
    pub concurrent_write: bool,
    /// Whether the segment existed before: the server answered a create with it instead of making a new one.
    pub existed: bool,
}

/// Why an operation did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The server refused, or could not be reached: nothing changed.
    #[error("{}", why(.0))]
    Refused(RemoteError),
    /// The server said that it was done, and it is not.
    #[error("the server reported success, but nothing has changed")]
    NotDone,
    /// The answer was lost: it may or may not have been carried out, and the feed will tell.
    #[error("{}; it may have been applied anyway", why(.0))]
    InDoubt(RemoteError),
    /// The answer was lost, and a segment has appeared since that may be the one and is not quite what was asked for. A person
    /// has to say whether it is, with [`adopt`](super::ChangeQueue::adopt), or is not, with [`retry`](super::ChangeQueue::retry).
    #[error("no response came; “{}” appeared since and may be the result", .theirs.name)]
    PossibleDuplicate {
        /// That segment.
        theirs: Arc<Segment>,
    },
    /// It has children that were not there when it was confirmed. Nothing was sent.
    #[error("{}", grown(.newcomers))]
    NewChildren {
        /// Children that were not in the confirmed set.
        newcomers: Vec<SegmentId>,
    },
    /// The segment it is to stand under is gone. Nothing was sent.
    #[error("its new parent no longer exists")]
    ParentMissing,
    /// Somebody else moved the segment it is to stand under below it. Nothing was sent.
    #[error("its new parent is now one of its descendants")]
    WouldCreateCycle,
    /// Somebody else changed the same thing since the person looked. Nothing was sent.
    #[error("{}", conflict(.theirs.is_some(), .fields))]
    Conflict {
        /// The segment as it is now, `None` when it is gone.
        theirs: Option<Arc<Segment>>,
        /// The fields both sides changed.
        fields: Vec<Field>,
    },
}

impl WriteError {
    /// Whether it may have been applied all the same.
    #[must_use]
    pub const fn may_have_been_applied(&self) -> bool {
        matches!(self, Self::InDoubt(_) | Self::PossibleDuplicate { .. })
    }
}

/// What went wrong, without what was being done: whoever shows this says that by the name of the segment.
fn why(error: &RemoteError) -> String {
    let reads = matches!(error.call, Call::One(_) | Call::Page(_) | Call::Changes(_));
    format!("{}{}", error.fault, if reads { " while checking it" } else { "" })
}

fn grown(newcomers: &[SegmentId]) -> String {
    let count = newcomers.len();
    format!("{} {} added after you confirmed", counted(count, Noun::Child), Agreeing::Were.with(count))
}

fn conflict(exists: bool, fields: &[Field]) -> String {
    if exists {
        let names: Vec<String> = fields.iter().map(ToString::to_string).collect();
        format!("someone else changed its {}", names.join(" and "))
    } else {
        "someone else deleted it".into()
    }
}
