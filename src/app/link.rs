//! The relation to the server as a person reads it.

use jiff::{SignedDuration, Timestamp};

use crate::sync::{Phase, Suspicion};

/// What is known of the relation to the server.
#[derive(Debug, Clone)]
pub struct Link {
    /// What the sync actor said last.
    pub phase: Phase,
    /// Since when it has been of that kind.
    pub since: Timestamp,
    /// When the sync actor said it.
    pub told: Timestamp,
    /// When the tree was last known to be what is on the server.
    pub synchronised: Option<Timestamp>,
    /// Whether the complete list has come once.
    pub listed: bool,
    /// What speaks against the list that the tree comes from, so that segments may be missing.
    pub lacking: Option<Suspicion>,
    /// Whether a change could not reach the server although nothing else has said so yet.
    pub doubted: bool,
    /// Whether a person asked to compare everything with the server and waits for the outcome.
    pub verification_asked: bool,
}

/// The relation in one word, for a colour and a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// What is on the screen is what is on the server.
    Live,
    /// Loading, or catching up.
    Working,
    /// The server can't be reached; trying again.
    Offline,
    /// Waits for the person.
    Stalled,
}

/// From this age on, it is shown how long ago the server answered last.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

impl Link {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Starting,
            since: now,
            told: now,
            synchronised: None,
            listed: false,
            lacking: None,
            doubted: false,
            verification_asked: false,
        }
    }

    pub(super) fn enter(&mut self, phase: Phase, now: Timestamp) {
        let same = std::mem::discriminant(&self.phase) == std::mem::discriminant(&phase);
        if !same {
            self.since = now;
        }
        self.phase = phase;
        self.told = now;
    }

    /// The relation in one word.
    #[must_use]
    pub const fn state(&self) -> LinkState {
        match self.phase {
            Phase::Live if self.doubted => LinkState::Offline,
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

    /// How long ago the tree was known to be as it is on the server, once that is worth saying.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.synchronised?);
        (age >= FRESH).then_some(age)
    }

    /// How long until the next try, after a failure.
    #[must_use]
    pub fn retry_in(&self, now: Timestamp) -> Option<SignedDuration> {
        match &self.phase {
            Phase::Offline { retry_in, .. } | Phase::Stalled { retry_in, .. } => {
                let wait = SignedDuration::try_from(*retry_in).unwrap_or(SignedDuration::MAX);
                Some((wait - now.duration_since(self.told)).max(SignedDuration::ZERO))
            }
            _ => None,
        }
    }

    /// How long an answer has been waited for that is overdue.
    #[must_use]
    pub fn silent_for(&self, now: Timestamp) -> Option<SignedDuration> {
        let Phase::Silent { since, .. } = &self.phase else { return None };
        let before = SignedDuration::try_from(*since).unwrap_or(SignedDuration::MAX);
        Some(before.saturating_add(now.duration_since(self.told)))
    }

    pub(super) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let second = SignedDuration::from_secs(1);
        if matches!(self.phase, Phase::Offline { .. } | Phase::Stalled { .. } | Phase::Silent { .. }) {
            return Some(now + second);
        }
        // The moment at which the age becomes worth saying, then each second.
        let stale = self.synchronised? + FRESH;
        Some(if stale > now { stale } else { now + second })
    }
}
