//! The result of an operation: what is on the server, or why it failed.

use std::sync::Arc;

use crate::numbers::{Agreeing, Noun, counted};
use crate::remote::{Call, RemoteError};
use crate::segment::{Field, Segment, SegmentId};

/// The result of a successful operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteResult {
    /// The segment was created.
    Created(Written),
    /// The segment was updated.
    Updated(Written),
    /// The segment was deleted.
    Deleted {
        /// Its id.
        id: SegmentId,
        /// Whether it was still there. If not, someone else deleted it first, and there is nothing to undo.
        found: bool,
        /// Whether someone else changed it between the check and the delete. Their change is lost.
        concurrent_write: bool,
    },
}

/// A segment as it is on the server after a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The segment, fetched after the write.
    pub segment: Arc<Segment>,
    /// Fields that someone else had changed meanwhile, whose values were kept.
    pub merged: Vec<Field>,
    /// Fields that were requested and that the server ignored.
    pub ignored: Vec<Field>,
    /// Fields that were written, without those that had the requested value already.
    pub written: Vec<Field>,
    /// Whether someone else changed it between the check and the write. Their change may be lost, and is not known.
    pub concurrent_write: bool,
    /// Whether the segment existed before: the server returned it in response to a create.
    pub existed: bool,
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The server refused the operation or was unreachable. Nothing was changed.
    #[error("{}", describe_cause(.0))]
    Refused(RemoteError),
    /// The server reported success, but nothing changed.
    #[error("the server reported success, but nothing has changed")]
    NotDone,
    /// The response was lost, so the operation may have been applied. The feed will show whether it was.
    #[error("{}; it may have been applied anyway", describe_cause(.0))]
    InDoubt(RemoteError),
    /// The response was lost, and a segment appeared since that is similar to the requested one. The user has to decide whether
    /// it is the result ([`adopt`](super::ChangeQueue::adopt)) or not ([`retry`](super::ChangeQueue::retry)).
    #[error("no response came; “{}” appeared since and may be the result", .theirs.name)]
    PossibleDuplicate {
        /// That segment.
        theirs: Arc<Segment>,
    },
    /// The segment has children that were added after the confirmation. Nothing was sent.
    #[error("{}", describe_new_children(.new_children))]
    NewChildren {
        /// The children that were not confirmed.
        new_children: Vec<SegmentId>,
    },
    /// The new parent no longer exists. Nothing was sent.
    #[error("its new parent no longer exists")]
    ParentMissing,
    /// Someone else moved the new parent below the segment. Nothing was sent.
    #[error("its new parent is now one of its descendants")]
    WouldCreateCycle,
    /// Someone else changed the same field or deleted the segment since the user saw it. Nothing was sent.
    #[error("{}", describe_conflict(.theirs.is_some(), .fields))]
    Conflict {
        /// The segment on the server, `None` if it was deleted.
        theirs: Option<Arc<Segment>>,
        /// The fields that both sides changed.
        fields: Vec<Field>,
    },
}

impl WriteError {
    /// Whether the operation may have been applied anyway.
    #[must_use]
    pub const fn may_have_been_applied(&self) -> bool {
        matches!(self, Self::InDoubt(_) | Self::PossibleDuplicate { .. })
    }
}

/// Returns the reason without the call, since the caller shows the segment's name.
fn describe_cause(error: &RemoteError) -> String {
    let is_check = matches!(error.call, Call::One(_) | Call::Page(_) | Call::Changes(_));
    format!("{}{}", error.fault, if is_check { " while checking it" } else { "" })
}

fn describe_new_children(new_children: &[SegmentId]) -> String {
    let count = new_children.len();
    format!("{} {} added after you confirmed", counted(count, Noun::Child), Agreeing::Were.with(count))
}

fn describe_conflict(exists: bool, fields: &[Field]) -> String {
    if exists {
        let names: Vec<String> = fields.iter().map(ToString::to_string).collect();
        format!("someone else changed its {}", names.join(" and "))
    } else {
        "someone else deleted it".into()
    }
}
