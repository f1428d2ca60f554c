//! What the last session left, in a line each, for as long as it is as the line says.

use crate::changes::{ChangeQueue, OpGroup, OpId};

/// A line about an operation of the last session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOver {
    /// What became of it.
    pub text: String,
    op: OpId,
    /// Where it was among the pending changes when that was told; `None` for one that was over.
    group: Option<OpGroup>,
}

impl LeftOver {
    /// A line about an operation that the queue has taken in, or that is over.
    pub(super) fn of(queue: &ChangeQueue, op: OpId, text: String) -> Self {
        Self { text, op, group: group(queue, op) }
    }

    /// Whether it is still as the line says: what is discarded, sent or applied meanwhile is not.
    pub(super) fn holds(&self, queue: &ChangeQueue) -> bool {
        self.group.is_none() || self.group == group(queue, self.op)
    }
}

fn group(queue: &ChangeQueue, op: OpId) -> Option<OpGroup> {
    queue.op(op).and_then(|planned| OpGroup::of(&planned.state))
}
