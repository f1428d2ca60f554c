//! State of following the feed: where it is read, which segments are to be fetched, and when each is due; and the limits on
//! concurrency, rate and retries, whatever the server responds.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::{Duration, Instant};

use crate::remote::{Fault, Landmark, Position, RemoteError};
use crate::segment::{SegmentId, Step};
use crate::sync::Pace;
use crate::sync::backlog::{Backlog, Checkpoint, PartNumber};
use crate::sync::budget::TokenBucket;
use crate::sync::feed::PositionRewind;
use crate::sync::hearing::Hearing;
use crate::sync::message::FeedSource;
use crate::sync::report::CatchUp;
use crate::sync::segment_cache::Fetched;

/// State of following the feed. The feed is also read while a list is loading, for operations that ask what it says.
#[derive(Debug)]
pub(in crate::sync::actor) struct Following {
    pub(in crate::sync::actor) reader: Reader,
    pub(super) identity: Identity,
    pub(in crate::sync::actor) fetches: Fetches,
    pub(super) polling: Polling,
    pub(in crate::sync::actor) hearing: Hearing,
    /// Part of the feed that has to be settled before the client's state matches the server's.
    pub(super) goal: Option<PartNumber>,
    /// Whether the feed was read to its end once.
    pub(super) synchronised: bool,
    pub(super) stored_at: Option<Instant>,
}

/// The position in the feed, and the operations that wait for a read.
#[derive(Debug, Default)]
pub(in crate::sync::actor) struct Reader {
    /// Position to read from; `None` until it is known and while there is no feed.
    pub(super) position: Option<Position>,
    /// Position up to which every named segment was fetched.
    pub(in crate::sync::actor) settled: Option<Position>,
    /// Landmarks of the feed up to the settled position.
    pub(in crate::sync::actor) landmarks: Vec<Landmark>,
    /// Whether the position was just located and the feed not yet read from it.
    pub(super) is_unread: bool,
    /// Backward steps of the feed that were already investigated.
    pub(super) known_rewinds: Vec<PositionRewind>,
    /// Length in steps of the longest part received.
    pub(super) max_steps: i64,
    /// The read under way, if any.
    pub(super) read_in_flight: Option<ReadNumber>,
    pub(super) last_read: ReadNumber,
    /// Operations that ask what the feed says, each with the read that answers it.
    pub(super) pending_catch_ups: Vec<(ReadNumber, CatchUp)>,
    pub(super) round: Round,
}

/// How the feed is recognised as the one that was followed.
#[derive(Debug)]
pub(super) struct Identity {
    /// Landmarks from the latest parts.
    pub(super) newest: Vec<Landmark>,
    /// Landmarks to verify next: the newest ones as of the last verification.
    pub(super) anchor: Vec<Landmark>,
    pub(super) verification: Verification,
}

/// When to read the feed next.
#[derive(Debug)]
pub(super) struct Polling {
    pub(super) next_poll: Instant,
    pub(super) pace: Pace,
    pub(super) pause: Duration,
    pub(super) read_budget: TokenBucket,
}

/// Segments to fetch, and fetches under way.
#[derive(Debug)]
pub(in crate::sync::actor) struct Fetches {
    pub(in crate::sync::actor) backlog: Backlog,
    /// Budget for fetches that find nothing new.
    pub(super) unchanged_budget: TokenBucket,
    /// Budget for fetches before a list that is about to make them unnecessary.
    pub(super) pre_list_budget: TokenBucket,
    pub(super) in_flight: usize,
    /// Fetches in feed order. A result waits here until all fetches before it are done.
    pub(super) in_order: VecDeque<(SegmentId, Option<FetchResult>)>,
    /// Segments that could not be read.
    pub(super) unreadable: BTreeMap<SegmentId, UnreadableSegment>,
    /// Segments that were not found although the feed did not report them as deleted, and when to fetch them again.
    pub(super) rechecks: VecDeque<(Instant, SegmentId)>,
}

impl Fetches {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            backlog: Backlog::default(),
            unchanged_budget: TokenBucket::new(UNCHANGED_FETCH_RATE.0, UNCHANGED_FETCH_RATE.1, now),
            pre_list_budget: TokenBucket::new(PRE_LIST_FETCH_RATE.0, PRE_LIST_FETCH_RATE.1, now),
            in_flight: 0,
            in_order: VecDeque::new(),
            unreadable: BTreeMap::new(),
            rechecks: VecDeque::new(),
        }
    }

    /// When the next fetch may begin. If a list is due instead, only clients with `report_named` get one.
    pub(super) fn next_fetch_at(&mut self, now: Instant, overloaded: bool, report_named: bool) -> Option<Instant> {
        let next_allowed = self.unchanged_budget.next_allowed(now);
        if overloaded {
            report_named.then(|| next_allowed.max(self.pre_list_budget.next_allowed(now)))
        } else {
            Some(next_allowed)
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadNumber(pub(super) u64);

/// How the feed named a segment, and the result of fetching it.
pub(super) type FetchResult = (FeedSource, Result<Fetched, RemoteError>);

/// A segment that could not be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnreadableSegment {
    /// When to retry.
    pub(super) retry_at: Instant,
    /// Failures in a row; a permanent one counts as [`UNREADABLE_FAILURES`].
    pub(super) failures: u32,
    /// When that was last reported.
    pub(super) reported_at: Option<Instant>,
    /// Whether the feed named it before it was first read to its end, so that a list may have reported it already.
    pub(super) is_initial: bool,
}

impl UnreadableSegment {
    /// Whether to report now that it can't be read: after `min_failures` failures, and then at intervals for as long as that
    /// lasts.
    pub(super) fn should_report(&self, now: Instant, min_failures: u32) -> bool {
        self.failures >= min_failures
            && self.reported_at.is_none_or(|reported_at| now.duration_since(reported_at) >= UNREADABLE_REPORT_INTERVAL)
    }
}

/// Reads since the last pause.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) parts: u32,
    pub(super) events: usize,
}

/// Whether the feed is still the one that was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    /// It was, at this time.
    Verified(Instant),
    /// To be verified with the next read.
    Pending,
    /// Being verified.
    InProgress,
    /// A verification failed although nothing was lost, so it is useless with this feed.
    Disabled,
}

/// Why the feed is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VerifyReason {
    /// Routine.
    Routine,
    /// The feed returned a next step that is earlier than the requested one.
    Rewind,
}

/// When each kind of work is due.
#[derive(Debug, Default)]
pub(in crate::sync::actor) struct PollPlan {
    pub(super) read: Option<Instant>,
    pub(super) fetch: Option<Instant>,
    pub(super) list: Option<Instant>,
    pub(super) recheck: Option<Instant>,
}

/// More segments to fetch than these are reported as being behind.
pub(super) const BEHIND_THRESHOLD: usize = 50;
/// Segments to fetch at which the feed is no longer read ahead.
pub(super) const MAX_READ_AHEAD: usize = 20_000;
/// Everything is listed instead when the feed named more segments than this many times the pages of a list: a list that is
/// loaded while something changes is loaded once more.
pub(super) const LIST_COST_FACTOR: usize = 2;
/// Segments that are fetched individually in any case, however small the tenant is.
pub(super) const MIN_FETCHES_BEFORE_LIST: usize = 20;
/// Parts after which a feed that never ends counts as read. Later parts are read anyway.
pub(super) const MAX_PARTS_PER_ROUND: u32 = 64;
/// Burst and rate per second of reads, for a feed that always advances.
pub(super) const READ_RATE: (u32, u32) = (20, 4);
/// Burst and rate per second of fetches that find nothing new.
pub(super) const UNCHANGED_FETCH_RATE: (u32, u32) = (20, 6);
/// Burst and rate per second of fetches while a list is due: enough that clients with `report_named` keep hearing something until
/// then.
pub(super) const PRE_LIST_FETCH_RATE: (u32, u32) = (20, 4);
/// Delays before fetching a segment again that was not found: a server may be slow to show new segments.
pub(super) const RECHECK_DELAYS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
pub(super) const MAX_RECHECKS: usize = 1_000;
/// Failures after which a segment is reported as unreadable. Clients with `report_named` hear of the first one.
pub(super) const UNREADABLE_FAILURES: u32 = 3;
/// Delay before the second try, which doubles with each further one.
pub(super) const INITIAL_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Longest delay before another try.
pub(super) const MAX_RETRY_DELAY: Duration = Duration::from_secs(150);
/// Delay before the next try while one is under way: its result sets the real one.
pub(super) const IN_FLIGHT_RETRY_DELAY: Duration = Duration::from_secs(300);
/// How often a segment that still can't be read is reported.
pub(super) const UNREADABLE_REPORT_INTERVAL: Duration = Duration::from_secs(3_600);
/// Number of unreadable segments from which the server is at fault.
pub(super) const MAX_UNREADABLE: usize = 20;
/// How often the feed is verified.
pub(super) const VERIFY_INTERVAL: Duration = Duration::from_secs(60);
/// How often the store is updated while fetches are still under way.
pub(super) const PERSIST_INTERVAL: Duration = Duration::from_secs(1);
/// Segments not yet fetched that a delete fetches before it is sent.
pub(super) const MAX_UNFETCHED: usize = 12;

impl Following {
    pub(in crate::sync::actor) fn new(pace: Pace, now: Instant) -> Self {
        Self {
            reader: Reader::default(),
            identity: Identity { newest: Vec::new(), anchor: Vec::new(), verification: Verification::Verified(now) },
            fetches: Fetches::new(now),
            polling: Polling {
                next_poll: now,
                pace,
                pause: pace.shortest,
                read_budget: TokenBucket::new(READ_RATE.0, READ_RATE.1, now),
            },
            hearing: Hearing::default(),
            goal: None,
            synchronised: false,
            stored_at: None,
        }
    }

    /// Whether there is a feed to follow, as far as is known.
    pub(in crate::sync::actor) const fn has_feed(&self) -> bool {
        self.reader.position.is_some()
    }

    /// A step before which every change has been applied.
    pub(in crate::sync::actor) fn earliest(&self) -> Option<Step> {
        self.reader.settled.as_ref().or(self.reader.position.as_ref()).map(Position::earliest)
    }

    /// Whether any segment may be stale because it can't be read.
    pub(in crate::sync::actor) fn has_unreadable(&self) -> bool {
        !self.fetches.unreadable.is_empty()
    }

    /// Follows the feed from a position up to which everything is known.
    pub(in crate::sync::actor) fn begin_at(&mut self, position: Position, landmarks: Vec<Landmark>) {
        self.fetches.backlog.clear();
        self.reader.settled = Some(position.clone());
        self.reader.position = Some(position);
        self.identity.newest.clone_from(&landmarks);
        self.identity.anchor.clone_from(&landmarks);
        self.reader.landmarks = landmarks;
        self.reader.known_rewinds.clear();
        self.reader.max_steps = 0;
        self.goal = None;
        self.reader.round = Round::default();
        // The response of a read under way belongs to the former position.
        self.reader.read_in_flight = None;
        self.reader.last_read.0 += 1;
    }

    pub(in crate::sync::actor) fn clear_feed(&mut self) {
        self.fetches.backlog.clear();
        (self.reader.position, self.reader.settled) = (None, None);
        self.reader.landmarks.clear();
        self.identity.newest.clear();
        self.identity.anchor.clear();
        self.goal = None;
        self.reader.read_in_flight = None;
        self.reader.last_read.0 += 1;
    }

    pub(in crate::sync::actor) fn poll_now(&mut self) {
        self.polling.next_poll = Instant::now();
    }

    /// Polls the feed and retries unreadable segments now, as a person asked.
    pub(in crate::sync::actor) fn retry_all_now(&mut self) {
        self.poll_now();
        let now = Instant::now();
        self.fetches.unreadable.values_mut().for_each(|unreadable| unreadable.retry_at = now);
    }

    /// Polls the feed at this time at the latest.
    pub(in crate::sync::actor) fn poll_at(&mut self, at: Instant) {
        self.polling.next_poll = self.polling.next_poll.min(at);
    }

    /// Polls the feed soon, since events are expected.
    pub(in crate::sync::actor) fn poll_soon(&mut self) {
        self.polling.pause = self.polling.pace.shortest;
        self.polling.next_poll = self.polling.next_poll.min(Instant::now() + self.polling.pause);
    }

    /// Whether nothing is being read or fetched, and all is settled.
    pub(in crate::sync::actor) fn is_idle(&self) -> bool {
        self.reader.read_in_flight.is_none()
            && self.fetches.in_flight == 0
            && self.goal.is_none()
            && !self.fetches.backlog.has_queued()
    }

    pub(super) fn should_verify(&self) -> bool {
        match self.identity.verification {
            Verification::Pending => true,
            Verification::Verified(at) => at.elapsed() >= VERIFY_INTERVAL && !self.identity.anchor.is_empty(),
            Verification::InProgress | Verification::Disabled => false,
        }
    }

    /// Whether an unreadable segment is taken as that segment's fault rather than the server's.
    pub(super) fn can_mark_unreadable(&self, id: &SegmentId) -> bool {
        self.fetches.unreadable.contains_key(id) || self.fetches.unreadable.len() < MAX_UNREADABLE
    }

    /// Records another failure to read a segment. Returns whether to report it now, which is after `min_failures` failures.
    pub(super) fn record_unreadable(&mut self, id: SegmentId, fault: &Fault, min_failures: u32) -> bool {
        let now = Instant::now();
        let is_initial = !self.synchronised;
        let unreadable = self.fetches.unreadable.entry(id).or_insert(UnreadableSegment {
            retry_at: now,
            failures: 0,
            reported_at: None,
            is_initial,
        });
        unreadable.failures = if fault.is_transient() {
            unreadable.failures.saturating_add(1)
        } else {
            UNREADABLE_FAILURES.max(unreadable.failures)
        };
        unreadable.retry_at =
            now + INITIAL_RETRY_DELAY.saturating_mul(1 << (unreadable.failures - 1).min(10)).min(MAX_RETRY_DELAY);
        let should_report = unreadable.should_report(now, min_failures);
        unreadable.reported_at = if should_report { Some(now) } else { unreadable.reported_at };
        should_report
    }

    /// Updates the settled position. Returns whether it has moved on.
    pub(super) fn advance(&mut self) -> bool {
        let Some(Checkpoint { next, landmarks, .. }) = self.fetches.backlog.take_settled() else { return false };
        self.reader.settled = Some(next);
        self.reader.landmarks = landmarks;
        true
    }
}

impl PollPlan {
    /// When the first of them is due.
    pub(in crate::sync::actor) fn next(&self) -> Option<Instant> {
        [self.read, self.fetch, self.list, self.recheck].into_iter().flatten().min()
    }
}
