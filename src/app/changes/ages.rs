//! The ages of pending changes: a plan's since it was created, an operation's in flight since it was sent.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::changes::{OpId, PlanId};

/// The start times of unfinished plans and operations.
#[derive(Debug, Clone, Default)]
pub struct Ages {
    asked: HashMap<PlanId, Timestamp>,
    sent: HashMap<OpId, Timestamp>,
}

impl Ages {
    /// Records that a plan was created.
    pub(super) fn ask(&mut self, plan_id: PlanId, now: Timestamp) {
        self.asked.insert(plan_id, now);
    }

    /// Records that an operation was sent.
    pub(super) fn send(&mut self, op: OpId, now: Timestamp) {
        self.sent.insert(op, now);
    }

    /// Records that an operation is no longer in flight.
    pub(super) fn answer(&mut self, op: OpId) {
        self.sent.remove(&op);
    }

    /// Removes a finished plan.
    pub(super) fn forget(&mut self, plan_id: PlanId) {
        self.asked.remove(&plan_id);
    }

    /// Returns how long an operation has been in flight, or else pending; `None` if an earlier session left it.
    #[must_use]
    pub fn of(&self, op: OpId, now: Timestamp) -> Option<SignedDuration> {
        let since = self.sent.get(&op).or_else(|| self.asked.get(&op.plan_id))?;
        Some(now.duration_since(*since).max(SignedDuration::ZERO))
    }
}
