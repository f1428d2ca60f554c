//! Pending changes in the interface: staging, reviewing, sending, results, and undo.
//!
//! The queue itself is [`ChangeQueue`], which knows nothing of the screen. This module adds what only the interface needs: the
//! dialogs that plans came from, the messages about results, and the list of pending changes.

mod ages;
mod conflict;
mod left_over;
mod pending;
mod results;
mod review;
mod submitting;
mod undo;
mod words;
mod write_rate;

use std::collections::{HashMap, VecDeque};

use crate::changes::{ChangeQueue, JournalEntry, OpId, Operation, PlanId, QueueCounts, RecentWrites};
use crate::remote::Fault;

use super::Layer;

pub use ages::Ages;
pub use conflict::{Conflict, ConflictKind, KeptSide};
pub use left_over::LeftOver;
pub use pending::PendingPane;
pub use review::{OperationCounts, Review};
pub use write_rate::WriteRate;

pub(super) use conflict::press as press_conflict;
pub(super) use pending::{open_problem, press as press_pending, toggle_staging};
pub(super) use results::{
    failure_message, on_executed, on_recovered, on_server_reachable, on_undelivered, redeliver, report_reverted,
};
pub(super) use review::press as press_review;
pub(super) use submitting::{
    SubmitMode, adopt, apply, discard, discard_plan, hold_all, replace, resume, retry, send_next, send_replacement,
    start_plan, submit, unstage,
};
pub(super) use undo::undo;
pub(super) use words::{NOTHING_TO_HOLD, NOTHING_TO_REDO, NOTHING_TO_UNDO, STILL_SENDING};

/// The changes of this session.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// All unfinished operations.
    pub queue: ChangeQueue,
    /// The dialog that each plan came from, reopened with its input if the server refuses.
    origins: HashMap<PlanId, Layer>,
    /// Dialogs whose operation failed, with their input, oldest first.
    pub(super) failed_dialogs: VecDeque<Layer>,
    /// Recently written values, to detect that someone reverts them.
    recent: RecentWrites,
    /// Whether edits are staged instead of being sent one by one.
    pub(super) staging: bool,
    /// How long each change has been pending.
    pub ages: Ages,
    /// How fast changes are being sent.
    pub write_rate: WriteRate,
    /// What the last session left over and how each of it ended, until the list of pending changes is opened.
    left_over: Vec<LeftOver>,
    /// The fault that keeps changes from being sent, once it has been reported; `None` again after the next successful write.
    send_fault: Option<Fault>,
    /// Journal entries that could not be delivered to the sync actor yet.
    undelivered_entries: Vec<JournalEntry>,
    /// The user's last edit, which [`Action::Repeat`](crate::action::Action::Repeat) applies elsewhere.
    pub(super) last_edit: Option<Operation>,
    /// Whether a command could not be delivered to the sync actor.
    has_undelivered: bool,
}

impl Changes {
    /// Creates an empty set of changes. Plan ids start at the current time in milliseconds, so that no two sessions use the same
    /// ones. `max_in_flight` limits the operations in flight.
    pub(super) fn new(now: jiff::Timestamp, max_in_flight: usize) -> Self {
        let queue = ChangeQueue::new(now.as_millisecond().unsigned_abs(), max_in_flight);
        Self { queue, ..Self::default() }
    }

    pub(super) fn measure(&mut self, now: jiff::Timestamp) {
        self.write_rate.measure(now, self.queue.counts());
    }

    /// Returns how many operations are in which state.
    #[must_use]
    pub const fn counts(&self) -> QueueCounts {
        self.queue.counts()
    }

    /// Returns how many dialogs with a failed operation can be reopened.
    #[must_use]
    pub fn failed_dialog_count(&self) -> usize {
        self.failed_dialogs.len()
    }

    /// Whether edits are staged instead of being sent one by one.
    #[must_use]
    pub const fn is_staging(&self) -> bool {
        self.staging
    }

    /// Whether changes wait because the server can't be reached, and this was reported.
    pub(super) const fn has_send_fault(&self) -> bool {
        self.send_fault.is_some()
    }

    /// Whether a command could not be delivered to the sync actor.
    pub(super) const fn has_undelivered(&self) -> bool {
        self.has_undelivered
    }

    /// Whether the last session left something over that nobody has seen yet and that is still as reported.
    pub(super) fn has_left_over(&self) -> bool {
        self.left_over.iter().any(|left| left.holds(&self.queue))
    }

    /// Returns the oldest failed operation; those with a dialog to reopen come first.
    pub(super) fn oldest_problem(&self) -> Option<OpId> {
        let refused = self.failed_dialogs.iter().find_map(Layer::failed_op).filter(|op| self.queue.has_failed(*op));
        refused.or_else(|| self.queue.oldest_problem())
    }

    /// Returns the plans with staged operations, in the order in which they were created.
    fn staged_plans(&self) -> Vec<PlanId> {
        let staged = self.queue.plans().filter(|(_, plan)| plan.counts().staged > 0);
        staged.map(|(plan_id, _)| plan_id).collect()
    }

    /// Drops the dialog that was kept for a failed operation.
    fn forget_failed_dialog(&mut self, op: OpId) {
        self.failed_dialogs.retain(|layer| layer.failed_op() != Some(op));
    }
}
