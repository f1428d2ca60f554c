//! The ages of pending changes: a plan's since it was created, an operation's in flight since it was sent.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::changes::{OpId, PlanId};

/// The start times of unfinished plans and operations.
#[derive(Debug, Clone, Default)]
pub struct Ages {
    created_at: HashMap<PlanId, Timestamp>,
    sent_at: HashMap<OpId, Timestamp>,
}

impl Ages {
    /// Records that a plan was created.
    pub(super) fn record_created(&mut self, plan_id: PlanId, now: Timestamp) {
        self.created_at.insert(plan_id, now);
    }

    /// Records that an operation was sent.
    pub(super) fn record_sent(&mut self, op: OpId, now: Timestamp) {
        self.sent_at.insert(op, now);
    }

    /// Records that an operation is no longer in flight.
    pub(super) fn clear_sent(&mut self, op: OpId) {
        self.sent_at.remove(&op);
    }

    /// Removes a finished plan.
    pub(super) fn remove_plan(&mut self, plan_id: PlanId) {
        self.created_at.remove(&plan_id);
    }

    /// Returns how long an operation has been in flight, or else pending; `None` if an earlier session left it.
    #[must_use]
    pub fn of(&self, op: OpId, now: Timestamp) -> Option<SignedDuration> {
        let since = self.sent_at.get(&op).or_else(|| self.created_at.get(&op.plan_id))?;
        Some(now.duration_since(*since).max(SignedDuration::ZERO))
    }
}
