//! Lines about the operations that the last session left over, each shown while it still holds.

use crate::changes::{ChangeQueue, OpGroup, OpId};

/// A line about an operation of the last session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOver {
    /// The outcome in words.
    pub text: String,
    op: OpId,
    /// Its group among the pending changes when it was reported; `None` if it was already finished.
    group: Option<OpGroup>,
}

impl LeftOver {
    /// Creates a line about an operation that was recovered into the queue, or is finished.
    pub(super) fn of(queue: &ChangeQueue, op: OpId, text: String) -> Self {
        Self { text, op, group: group(queue, op) }
    }

    /// Whether the line still holds: it doesn't once the operation is discarded, sent or applied.
    pub(super) fn holds(&self, queue: &ChangeQueue) -> bool {
        self.group.is_none() || self.group == group(queue, self.op)
    }
}

fn group(queue: &ChangeQueue, op: OpId) -> Option<OpGroup> {
    queue.op(op).and_then(|planned| OpGroup::of(&planned.state))
}
