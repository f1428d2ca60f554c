//! The connection to the server as the header shows it.

use jiff::{SignedDuration, Timestamp};

use crate::sync::{Phase, Suspicion};

/// The state of the connection to the server.
#[derive(Debug, Clone)]
pub struct Link {
    /// The last phase that the sync actor reported.
    pub phase: Phase,
    /// When the current kind of phase began.
    pub since: Timestamp,
    /// When the phase was last reported.
    pub reported_at: Timestamp,
    /// When the tree was last known to match the server.
    pub synchronised: Option<Timestamp>,
    /// Whether a complete list or the stored tree was received.
    pub listed: bool,
    /// Why the list that the tree comes from may be incomplete, if there is a reason.
    pub incomplete_reason: Option<Suspicion>,
    /// Whether a change could not reach the server while the phase is still live.
    pub has_unreached_write: bool,
    /// Whether the user asked to verify everything against the server and waits for the result.
    pub verification_requested: bool,
}

/// The connection in one word, for a colour and a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// The tree matches the server.
    Live,
    /// Loading, or catching up.
    Working,
    /// The server can't be reached; retrying.
    Offline,
    /// The list has stopped: it failed or the user paused it.
    Stalled,
}

/// The age of the tree from which on it is shown.
const MIN_SHOWN_AGE: SignedDuration = SignedDuration::from_secs(2);

impl Link {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Starting,
            since: now,
            reported_at: now,
            synchronised: None,
            listed: false,
            incomplete_reason: None,
            has_unreached_write: false,
            verification_requested: false,
        }
    }

    pub(super) fn enter_phase(&mut self, phase: Phase, now: Timestamp) {
        let same = std::mem::discriminant(&self.phase) == std::mem::discriminant(&phase);
        if !same {
            self.since = now;
        }
        self.phase = phase;
        self.reported_at = now;
    }

    /// Returns the connection in one word.
    #[must_use]
    pub const fn state(&self) -> LinkState {
        match self.phase {
            Phase::Live if self.has_unreached_write => LinkState::Offline,
            Phase::Live => LinkState::Live,
            Phase::Starting
            | Phase::Loading(_)
            | Phase::Resyncing(_)
            | Phase::Replaying
            | Phase::Behind { .. }
            | Phase::Silent { .. } => LinkState::Working,
            Phase::Offline { .. } => LinkState::Offline,
            Phase::Stalled { .. } | Phase::Paused(_) => LinkState::Stalled,
        }
    }

    /// Returns how long ago the tree was known to match the server, once it is old enough to be shown.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.synchronised?);
        (age >= MIN_SHOWN_AGE).then_some(age)
    }

    /// Returns the time until the next retry after a failure.
    #[must_use]
    pub fn retry_in(&self, now: Timestamp) -> Option<SignedDuration> {
        match &self.phase {
            Phase::Offline { retry_in, .. } | Phase::Stalled { retry_in, .. } => {
                let wait = SignedDuration::try_from(*retry_in).unwrap_or(SignedDuration::MAX);
                Some((wait - now.duration_since(self.reported_at)).max(SignedDuration::ZERO))
            }
            _ => None,
        }
    }

    /// Returns how long an overdue response has been awaited.
    #[must_use]
    pub fn silent_for(&self, now: Timestamp) -> Option<SignedDuration> {
        let Phase::Silent { since, .. } = &self.phase else { return None };
        let before = SignedDuration::try_from(*since).unwrap_or(SignedDuration::MAX);
        Some(before.saturating_add(now.duration_since(self.reported_at)))
    }

    pub(super) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let second = SignedDuration::from_secs(1);
        if matches!(self.phase, Phase::Offline { .. } | Phase::Stalled { .. } | Phase::Silent { .. }) {
            return Some(now + second);
        }
        // The age is shown from this moment on, then updated each second.
        let stale = self.synchronised? + MIN_SHOWN_AGE;
        Some(if stale > now { stale } else { now + second })
    }
}
