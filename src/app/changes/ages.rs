//! Since when changes are pending: a plan since it was asked for, an operation in flight since it was sent.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::changes::{OpId, PlanId};

/// The times at which what is not over began.
#[derive(Debug, Clone, Default)]
pub struct Ages {
    asked: HashMap<PlanId, Timestamp>,
    sent: HashMap<OpId, Timestamp>,
}

impl Ages {
    /// A plan was asked for.
    pub(super) fn ask(&mut self, plan_id: PlanId, now: Timestamp) {
        self.asked.insert(plan_id, now);
    }

    /// An operation was sent.
    pub(super) fn send(&mut self, op: OpId, now: Timestamp) {
        self.sent.insert(op, now);
    }

    /// An operation is no longer in flight.
    pub(super) fn answer(&mut self, op: OpId) {
        self.sent.remove(&op);
    }

    /// Nothing is left of a plan.
    pub(super) fn forget(&mut self, plan_id: PlanId) {
        self.asked.remove(&plan_id);
    }

    /// For how long an operation has been in flight, or else pending; `None` for one that an earlier session left.
    #[must_use]
    pub fn of(&self, op: OpId, now: Timestamp) -> Option<SignedDuration> {
        let since = self.sent.get(&op).or_else(|| self.asked.get(&op.plan_id))?;
        Some(now.duration_since(*since).max(SignedDuration::ZERO))
    }
}
