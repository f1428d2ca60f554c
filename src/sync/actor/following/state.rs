//! State of following the feed: where it is read, which segments are to be fetched, and when each is due; and the limits on
//! concurrency, rate and retries, whatever the server responds.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::{Duration, Instant};

use crate::remote::{Fault, Landmark, Position, RemoteError};
use crate::segment::{SegmentId, Step};
use crate::sync::Pace;
use crate::sync::backlog::{Backlog, PartNumber, Settled};
use crate::sync::budget::Budget;
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
    pub(in crate::sync::actor) looks: Looks,
    pub(super) polling: Polling,
    pub(in crate::sync::actor) hearing: Hearing,
    /// Part of the feed that has to be settled before the client's state matches the server's.
    pub(super) goal: Option<PartNumber>,
    /// Whether the feed was read to its end once.
    pub(super) synchronised: bool,
    pub(super) kept_at: Option<Instant>,
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
    pub(super) untried: bool,
    /// Backward steps of the feed that were already looked into.
    pub(super) explained: Vec<PositionRewind>,
    /// Length in steps of the longest part received.
    pub(super) longest: i64,
    /// The read under way, if any.
    pub(super) reading: Option<ReadNumber>,
    pub(super) last_read: ReadNumber,
    /// Operations that ask what the feed says, each with the read that answers it.
    pub(super) catching_up: Vec<(ReadNumber, CatchUp)>,
    pub(super) round: Round,
}

/// How the feed is recognised as the one that was followed.
#[derive(Debug)]
pub(super) struct Identity {
    /// Landmarks from the latest parts.
    pub(super) newest: Vec<Landmark>,
    /// Landmarks to verify next: the newest ones as of the last verification.
    pub(super) anchor: Vec<Landmark>,
    pub(super) recognition: Recognition,
}

/// When to read the feed next.
#[derive(Debug)]
pub(super) struct Polling {
    pub(super) at: Instant,
    pub(super) pace: Pace,
    pub(super) pause: Duration,
    pub(super) reads: Budget,
}

/// Segments to fetch, and fetches under way.
#[derive(Debug)]
pub(in crate::sync::actor) struct Looks {
    pub(in crate::sync::actor) backlog: Backlog,
    /// Budget for fetches that find nothing new.
    pub(super) idle: Budget,
    /// Budget for fetches before a list that is about to make them unnecessary.
    pub(super) early: Budget,
    pub(super) under_way: usize,
    /// Fetches in feed order. A result waits here until all fetches before it are done.
    pub(super) in_order: VecDeque<(SegmentId, Option<Look>)>,
    /// Segments that could not be read.
    pub(super) apart: BTreeMap<SegmentId, Apart>,
    /// Segments that were not found although the feed did not report them as deleted, and when to fetch them again.
    pub(super) rechecks: VecDeque<(Instant, SegmentId)>,
}

impl Looks {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            backlog: Backlog::default(),
            idle: Budget::new(IDLE_LOOKS.0, IDLE_LOOKS.1, now),
            early: Budget::new(EARLY_LOOKS.0, EARLY_LOOKS.1, now),
            under_way: 0,
            in_order: VecDeque::new(),
            apart: BTreeMap::new(),
            rechecks: VecDeque::new(),
        }
    }

    /// When the next fetch may begin. If a list is due instead, only clients with `tell_named` get one.
    pub(super) fn next(&mut self, now: Instant, overloaded: bool, tell_named: bool) -> Option<Instant> {
        let idle = self.idle.next(now);
        if overloaded { tell_named.then(|| idle.max(self.early.next(now))) } else { Some(idle) }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadNumber(pub(super) u64);

/// How the feed named a segment, and the result of fetching it.
pub(super) type Look = (FeedSource, Result<Fetched, RemoteError>);

/// A segment that could not be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apart {
    /// When to retry.
    pub(super) at: Instant,
    /// Failures in a row; a permanent one counts as [`TRIES`].
    pub(super) times: u32,
    /// When that was last reported.
    pub(super) told: Option<Instant>,
    /// Whether the feed named it before it was first read to its end, so that a list may have reported it already.
    pub(super) of_the_start: bool,
}

impl Apart {
    /// Whether to report now that it can't be read: after `tries` failures, and then at intervals for as long as that lasts.
    pub(super) fn is_to_be_told(&self, now: Instant, tries: u32) -> bool {
        self.times >= tries && self.told.is_none_or(|told| now.duration_since(told) >= TOLD_AGAIN)
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
pub(super) enum Recognition {
    /// It was, at this time.
    Known(Instant),
    /// To be verified with the next read.
    Wanted,
    /// Being verified.
    Underway,
    /// A verification failed although nothing was lost, so it is useless with this feed.
    Pointless,
}

/// Why the feed is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspect {
    /// Routine.
    Nothing,
    /// The feed returned a next step that is earlier than the requested one.
    EndsEarlier,
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
pub(super) const BACKLOG: usize = 50;
/// Segments to fetch at which the feed is no longer read ahead.
pub(super) const READ_AHEAD: usize = 20_000;
/// Everything is listed instead when the feed named more segments than this many times the pages of a list: a list that is
/// loaded while something changes is loaded once more.
pub(super) const LISTS: usize = 2;
/// Segments that are fetched individually in any case, however small the tenant is.
pub(super) const FEW: usize = 20;
/// Parts after which a feed that never ends counts as read. Later parts are read anyway.
pub(super) const PARTS: u32 = 64;
/// Burst and rate per second of reads, for a feed that always advances.
pub(super) const READS: (u32, u32) = (20, 4);
/// Burst and rate per second of fetches that find nothing new.
pub(super) const IDLE_LOOKS: (u32, u32) = (20, 6);
/// Burst and rate per second of fetches while a list is due: enough that clients with `tell_named` keep hearing something until
/// then.
pub(super) const EARLY_LOOKS: (u32, u32) = (20, 4);
/// Delays before fetching a segment again that was not found: a server may be slow to show new segments.
pub(super) const RECHECKS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
pub(super) const MOST_RECHECKS: usize = 1_000;
/// Failures after which a segment is reported as unreadable. Clients with `tell_named` hear of the first one.
pub(super) const TRIES: u32 = 3;
/// Delay before the second try, which doubles with each further one.
pub(super) const TRIED_AGAIN: Duration = Duration::from_secs(1);
/// Longest delay before another try.
pub(super) const LONGEST_APART: Duration = Duration::from_secs(150);
/// Delay before the next try while one is under way: its result sets the real one.
pub(super) const LEFT_ALONE: Duration = Duration::from_secs(300);
/// How often a segment that still can't be read is reported.
pub(super) const TOLD_AGAIN: Duration = Duration::from_secs(3_600);
/// Number of unreadable segments from which the server is at fault.
pub(super) const MOST_APART: usize = 20;
/// How often the feed is verified.
pub(super) const RECOGNISED_EVERY: Duration = Duration::from_secs(60);
/// How often the store is updated while fetches are still under way.
pub(super) const KEPT_EVERY: Duration = Duration::from_secs(1);
/// Segments not yet fetched that a delete fetches before it is sent.
pub(super) const UNSEEN: usize = 12;

impl Following {
    pub(in crate::sync::actor) fn new(pace: Pace, now: Instant) -> Self {
        Self {
            reader: Reader::default(),
            identity: Identity { newest: Vec::new(), anchor: Vec::new(), recognition: Recognition::Known(now) },
            looks: Looks::new(now),
            polling: Polling { at: now, pace, pause: pace.shortest, reads: Budget::new(READS.0, READS.1, now) },
            hearing: Hearing::default(),
            goal: None,
            synchronised: false,
            kept_at: None,
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
    pub(in crate::sync::actor) fn sets_apart(&self) -> bool {
        !self.looks.apart.is_empty()
    }

    /// Follows the feed from a position up to which everything is known.
    pub(in crate::sync::actor) fn begin_at(&mut self, position: Position, landmarks: Vec<Landmark>) {
        self.looks.backlog.forget();
        self.reader.settled = Some(position.clone());
        self.reader.position = Some(position);
        self.identity.newest.clone_from(&landmarks);
        self.identity.anchor.clone_from(&landmarks);
        self.reader.landmarks = landmarks;
        self.reader.explained.clear();
        self.reader.longest = 0;
        self.goal = None;
        self.reader.round = Round::default();
        // The response of a read under way belongs to the former position.
        self.reader.reading = None;
        self.reader.last_read.0 += 1;
    }

    pub(in crate::sync::actor) fn has_no_feed(&mut self) {
        self.looks.backlog.forget();
        (self.reader.position, self.reader.settled) = (None, None);
        self.reader.landmarks.clear();
        self.identity.newest.clear();
        self.identity.anchor.clear();
        self.goal = None;
        self.reader.reading = None;
        self.reader.last_read.0 += 1;
    }

    pub(in crate::sync::actor) fn poll_now(&mut self) {
        self.polling.at = Instant::now();
    }

    /// Polls the feed and retries unreadable segments now, as a person asked.
    pub(in crate::sync::actor) fn try_all_now(&mut self) {
        self.poll_now();
        let now = Instant::now();
        self.looks.apart.values_mut().for_each(|apart| apart.at = now);
    }

    /// Polls the feed at this time at the latest.
    pub(in crate::sync::actor) fn poll_at(&mut self, at: Instant) {
        self.polling.at = self.polling.at.min(at);
    }

    /// Polls the feed soon, since events are expected.
    pub(in crate::sync::actor) fn poll_soon(&mut self) {
        self.polling.pause = self.polling.pace.shortest;
        self.polling.at = self.polling.at.min(Instant::now() + self.polling.pause);
    }

    /// Whether nothing is being read or fetched, and all is settled.
    pub(in crate::sync::actor) fn is_idle(&self) -> bool {
        self.reader.reading.is_none()
            && self.looks.under_way == 0
            && self.goal.is_none()
            && !self.looks.backlog.is_waiting()
    }

    pub(super) fn is_to_be_recognised(&self) -> bool {
        match self.identity.recognition {
            Recognition::Wanted => true,
            Recognition::Known(at) => at.elapsed() >= RECOGNISED_EVERY && !self.identity.anchor.is_empty(),
            Recognition::Underway | Recognition::Pointless => false,
        }
    }

    /// Whether an unreadable segment is taken as that segment's fault rather than the server's.
    pub(super) fn can_set_apart(&self, id: &SegmentId) -> bool {
        self.looks.apart.contains_key(id) || self.looks.apart.len() < MOST_APART
    }

    /// Records another failure to read a segment. Returns whether to report it now, which is after `tries` failures.
    pub(super) fn set_apart(&mut self, id: SegmentId, fault: &Fault, tries: u32) -> bool {
        let now = Instant::now();
        let of_the_start = !self.synchronised;
        let apart = self.looks.apart.entry(id).or_insert(Apart { at: now, times: 0, told: None, of_the_start });
        apart.times = if fault.is_transient() { apart.times.saturating_add(1) } else { TRIES.max(apart.times) };
        apart.at = now + TRIED_AGAIN.saturating_mul(1 << (apart.times - 1).min(10)).min(LONGEST_APART);
        let is_news = apart.is_to_be_told(now, tries);
        apart.told = if is_news { Some(now) } else { apart.told };
        is_news
    }

    /// Updates the settled position. Returns whether it has moved on.
    pub(super) fn advance(&mut self) -> bool {
        let Some(Settled { next, landmarks, .. }) = self.looks.backlog.settled() else { return false };
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
