//! What a change of the tree asks of the server, as a value: an ordered list of operations that can be shown, counted,
//! tested and then carried out.
//!
//! Every operation carries the segment *as the person saw it*, so that whoever carries it out can tell whether somebody else
//! changed it meanwhile. Parents come before children on create, children before parents on delete. Nothing here talks to
//! anybody.

use std::sync::Arc;

use crate::segment::{Draft, Segment, SegmentId};

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A new segment.
    Create {
        /// What it shall be.
        draft: Draft,
    },
    /// New values for a segment.
    Update {
        /// The segment as the person saw it.
        base: Arc<Segment>,
        /// What it shall be. Fields that equal those of `base` are not meant to change.
        draft: Draft,
    },
    /// The end of a segment.
    Delete {
        /// The segment as the person saw it.
        base: Arc<Segment>,
    },
}

impl Operation {
    /// The segment it concerns, `None` for one that does not exist yet.
    #[must_use]
    pub fn subject(&self) -> Option<&SegmentId> {
        match self {
            Self::Create { .. } => None,
            Self::Update { base, .. } | Self::Delete { base } => Some(&base.id),
        }
    }
}

/// Operations in the order in which they are to be carried out; the first that fails ends the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do, in order.
    pub operations: Vec<Operation>,
}

impl Plan {
    /// A plan of a single operation.
    #[must_use]
    pub fn single(operation: Operation) -> Self {
        Self { operations: vec![operation] }
    }
}
