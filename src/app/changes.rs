//! The wing of changes: staging, reviewing, sending, what has come of it, and undoing it.
//!
//! The queue itself is [`ChangeQueue`], which knows nothing of a screen. Here are the things that only a person needs: the dialogs
//! that plans came from, the words for what has become of them, and the list to decide in.

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
pub use conflict::{Between, Conflict, KeptSide};
pub use left_over::LeftOver;
pub use pending::PendingPane;
pub use review::{OperationCounts, Review};
pub use write_rate::WriteRate;

pub(super) use conflict::press as press_conflict;
pub(super) use pending::{open_problem, press as press_pending, stage};
pub(super) use results::{executed, failure, hand_over_again, recovered, report_reverted, server_answers, undelivered};
pub(super) use review::press as press_review;
pub(super) use submitting::{
    SubmitMode, adopt, apply, begin, discard, discard_plan, hold_all, replace, resume, retry, send_next,
    send_replacement, submit, unstage,
};
pub(super) use undo::undo;
pub(super) use words::{NOTHING_TO_HOLD, NOTHING_TO_REDO, NOTHING_TO_UNDO, STILL_SENDING};

/// The changes of this session.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Every operation that is not over.
    pub queue: ChangeQueue,
    /// The dialogs that plans came from, to be opened again with their input.
    origins: HashMap<PlanId, Layer>,
    /// Dialogs whose operation failed, with the input in them, oldest first.
    pub(super) refused: VecDeque<Layer>,
    /// What was written of late, to notice when somebody reverts it.
    recent: RecentWrites,
    /// Whether edits are staged instead of being sent one by one.
    pub(super) staging: bool,
    /// Since when they are pending.
    pub ages: Ages,
    /// How fast they are sent.
    pub pace: WriteRate,
    /// What the last session left and what became of it, until that was measured at.
    left_over: Vec<LeftOver>,
    /// Why the server can't be written at present, which was told; `None` once it has taken something.
    unreached: Option<Fault>,
    /// Entries of the journal that could not be handed over yet.
    unjournalled: Vec<JournalEntry>,
    /// What a person last asked for, to be repeated elsewhere.
    pub(super) last_edit: Option<Operation>,
    /// Whether something could not be handed over.
    undelivered: bool,
}

impl Changes {
    /// Whose plans have numbers from a time on: no two sessions give the same ones. So many operations are in flight at once.
    pub(super) fn since(now: jiff::Timestamp, at_once: usize) -> Self {
        let queue = ChangeQueue::new(now.as_millisecond().unsigned_abs(), at_once);
        Self { queue, ..Self::default() }
    }

    pub(super) fn measure(&mut self, now: jiff::Timestamp) {
        self.pace.measure(now, self.queue.counts());
    }

    /// How many operations are in which state.
    #[must_use]
    pub const fn counts(&self) -> QueueCounts {
        self.queue.counts()
    }

    /// How many dialogs came back refused and wait to be opened again.
    #[must_use]
    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// Whether edits are staged instead of being sent one by one.
    #[must_use]
    pub const fn is_staging(&self) -> bool {
        self.staging
    }

    /// Whether changes wait for the server to respond, and a person was told so.
    pub(super) const fn is_unreached(&self) -> bool {
        self.unreached.is_some()
    }

    /// Whether something could not be handed over.
    pub(super) const fn is_undelivered(&self) -> bool {
        self.undelivered
    }

    /// Whether the last session left something that nobody has looked at.
    pub(super) fn has_left_over(&self) -> bool {
        self.left_over.iter().any(|left| left.holds(&self.queue))
    }

    /// The operation that has failed and was asked for first; one that came from a dialog before others.
    pub(super) fn oldest_problem(&self) -> Option<OpId> {
        let refused = self.refused.iter().find_map(Layer::amends).filter(|op| self.queue.has_failed(*op));
        refused.or_else(|| self.queue.oldest_problem())
    }

    /// The plans of which something is staged, in the order in which they were asked for.
    fn staged_plans(&self) -> Vec<PlanId> {
        let staged = self.queue.plans().filter(|(_, plan)| plan.counts().staged > 0);
        staged.map(|(plan_id, _)| plan_id).collect()
    }

    /// Forgets the dialog that came back refused because of an operation.
    fn forget_refused(&mut self, op: OpId) {
        self.refused.retain(|layer| layer.amends() != Some(op));
    }
}
