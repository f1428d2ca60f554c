//! What is known while the feed is followed: where it is read, what is owed a look, and when each is due. And how much of it is done at
//! once, how often, and for how long, whatever a server says.

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

/// What it takes to follow the feed. It is read while a list is loading as well, for operations that want to know what it says.
#[derive(Debug)]
pub(in crate::sync::actor) struct Following {
    pub(in crate::sync::actor) reader: Reader,
    pub(super) identity: Identity,
    pub(in crate::sync::actor) looks: Looks,
    pub(super) polling: Polling,
    pub(in crate::sync::actor) hearing: Hearing,
    /// What is to be settled before the client's picture is what is on the server.
    pub(super) goal: Option<PartNumber>,
    /// Whether the feed was read to its end once.
    pub(super) synchronised: bool,
    pub(super) kept_at: Option<Instant>,
}

/// Where the feed is read, and who waits for what it says.
#[derive(Debug, Default)]
pub(in crate::sync::actor) struct Reader {
    /// Where to read on; `None` before that is known, and for good when there is no feed.
    pub(super) position: Option<Position>,
    /// Up to where everything was looked at.
    pub(in crate::sync::actor) settled: Option<Position>,
    /// How the feed is recognised from there.
    pub(in crate::sync::actor) landmarks: Vec<Landmark>,
    /// Whether the position was found just now, and the feed not read from it yet.
    pub(super) untried: bool,
    /// Steps back that the feed was seen to take and that mean nothing.
    pub(super) explained: Vec<PositionRewind>,
    /// The steps of the longest part of the feed that came.
    pub(super) longest: i64,
    /// The read under way, if any.
    pub(super) reading: Option<ReadNumber>,
    pub(super) last_read: ReadNumber,
    /// Operations that want to know what the feed says, each with the read that tells.
    pub(super) catching_up: Vec<(ReadNumber, CatchUp)>,
    pub(super) round: Round,
}

/// By what it is known that the feed is still the one that was followed.
#[derive(Debug)]
pub(super) struct Identity {
    /// How it is recognised from where it was read last.
    pub(super) newest: Vec<Landmark>,
    /// What it is recognised by next: how it was told when that was done last.
    pub(super) anchor: Vec<Landmark>,
    pub(super) recognition: Recognition,
}

/// When the feed is read next.
#[derive(Debug)]
pub(super) struct Polling {
    pub(super) at: Instant,
    pub(super) pace: Pace,
    pub(super) pause: Duration,
    pub(super) reads: Budget,
}

/// The segments that are owed a look, and those that are being looked at.
#[derive(Debug)]
pub(in crate::sync::actor) struct Looks {
    pub(in crate::sync::actor) backlog: Backlog,
    /// Looks that find nothing new.
    pub(super) idle: Budget,
    /// Looks before a list that is soon to make them unnecessary.
    pub(super) early: Budget,
    pub(super) under_way: usize,
    /// The looks in the order in which the feed named the segments, and what those have come to that wait for one before them.
    pub(super) in_order: VecDeque<(SegmentId, Option<Look>)>,
    /// Segments that could not be read.
    pub(super) apart: BTreeMap<SegmentId, Apart>,
    /// Segments that were not there although the feed did not say that they were deleted, and when to look again.
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

    /// When the next one may begin. While a list is to come instead, only for those who are told of each change.
    pub(super) fn next(&mut self, now: Instant, overloaded: bool, tell_named: bool) -> Option<Instant> {
        let idle = self.idle.next(now);
        if overloaded { tell_named.then(|| idle.max(self.early.next(now))) } else { Some(idle) }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadNumber(pub(super) u64);

/// How the feed named a segment, and what a look at it has come to.
pub(super) type Look = (FeedSource, Result<Fetched, RemoteError>);

/// A segment that could not be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apart {
    /// When it is tried again.
    pub(super) at: Instant,
    /// How often that has failed in a row.
    pub(super) times: u32,
    /// When that was told last.
    pub(super) told: Option<Instant>,
    /// Whether it was named before the feed was read to its end, so that a list may have told it already.
    pub(super) of_the_start: bool,
}

impl Apart {
    /// Whether it is time to tell that it can't be read: after so many tries, and now and then for as long as that lasts.
    pub(super) fn is_to_be_told(&self, now: Instant, tries: u32) -> bool {
        self.times >= tries && self.told.is_none_or(|told| now.duration_since(told) >= TOLD_AGAIN)
    }
}

/// What was read since the last pause.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) parts: u32,
    pub(super) events: usize,
}

/// Whether the feed is still the one that was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recognition {
    /// It was, then.
    Known(Instant),
    /// It is to be looked into with the next read.
    Wanted,
    /// It is being looked into.
    Underway,
    /// It has been told wrongly, so the question makes no sense with this feed.
    Pointless,
}

/// Why the feed is looked at in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspect {
    /// It is only time for it.
    Nothing,
    /// It called a step the next one that is earlier than the one it was asked from.
    EndsEarlier,
}

/// What is done when.
#[derive(Debug, Default)]
pub(in crate::sync::actor) struct PollPlan {
    pub(super) read: Option<Instant>,
    pub(super) fetch: Option<Instant>,
    pub(super) list: Option<Instant>,
    pub(super) recheck: Option<Instant>,
}

/// More segments than these to be looked at are worth telling.
pub(super) const BACKLOG: usize = 50;
/// Segments owed a look after which the feed is not read on.
pub(super) const READ_AHEAD: usize = 20_000;
/// Everything is listed instead of looking at each when so many times the pages of a list are owed a look: a list that is loaded
/// while something changes is loaded once more.
pub(super) const LISTS: usize = 2;
/// Segments that are looked at all the same, however small the tenant is.
pub(super) const FEW: usize = 20;
/// Parts after which a feed that goes on and on is told to have been read. What comes after them is read all the same.
pub(super) const PARTS: u32 = 64;
/// Reads at once, and those a second after them, for a feed that always advances.
pub(super) const READS: (u32, u32) = (20, 4);
/// Looks that find nothing new at once, and those a second after them.
pub(super) const IDLE_LOOKS: (u32, u32) = (20, 6);
/// Looks at once, and those a second after them, while everything is soon to be listed: enough that whoever is told of each change
/// is not left without a word until then.
pub(super) const EARLY_LOOKS: (u32, u32) = (20, 4);
/// When it is looked again for a segment that was not there: a server may be slow to show what is new.
pub(super) const RECHECKS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
pub(super) const MOST_RECHECKS: usize = 1_000;
/// How often a segment is tried before it is said that it can't be read, but for those who are told of each change: they hear it at
/// once.
pub(super) const TRIES: u32 = 3;
/// The pause before the second try, which doubles with each further one, and what it grows to at most.
pub(super) const TRIED_AGAIN: Duration = Duration::from_secs(1);
pub(super) const LEFT_ALONE: Duration = Duration::from_secs(300);
/// How often it is told that a segment still can't be read.
pub(super) const TOLD_AGAIN: Duration = Duration::from_secs(3_600);
/// Segments in a row that can't be read after which it is the server.
pub(super) const MOST_APART: usize = 20;
/// How often it is asked whether the feed is still the one that was followed.
pub(super) const RECOGNISED_EVERY: Duration = Duration::from_secs(60);
/// How often what was learnt is kept while more is coming.
pub(super) const KEPT_EVERY: Duration = Duration::from_secs(1);
/// Unseen segments that a deletion looks at before it leaves.
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

    /// A step before which nothing is unknown here.
    pub(in crate::sync::actor) fn earliest(&self) -> Option<Step> {
        self.reader.settled.as_ref().or(self.reader.position.as_ref()).map(Position::earliest)
    }

    /// Whether segments are told wrongly at present since they can't be read.
    pub(in crate::sync::actor) fn sets_apart(&self) -> bool {
        !self.looks.apart.is_empty()
    }

    /// Follows from a position, which everything before is known up to.
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
        // What a read under way answers belongs to the former position.
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

    /// A person wants to know now. What could not be read is tried again as well.
    pub(in crate::sync::actor) fn try_all_now(&mut self) {
        self.poll_now();
        let now = Instant::now();
        self.looks.apart.values_mut().for_each(|apart| apart.at = now);
    }

    /// Reads the feed then at the latest.
    pub(in crate::sync::actor) fn poll_at(&mut self, at: Instant) {
        self.polling.at = self.polling.at.min(at);
    }

    /// Reads the feed soon, since something is about to be told there.
    pub(in crate::sync::actor) fn poll_soon(&mut self) {
        self.polling.pause = self.polling.pace.shortest;
        self.polling.at = self.polling.at.min(Instant::now() + self.polling.pause);
    }

    /// Whether nothing is being read or looked at, and all is settled.
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

    /// Whether a segment that can't be read is that segment's fault, rather than the server's.
    pub(super) fn can_set_apart(&self, id: &SegmentId) -> bool {
        self.looks.apart.contains_key(id) || self.looks.apart.len() < MOST_APART
    }

    /// A segment could not be read once more. Answers whether that is to be told now, which is after so many tries.
    pub(super) fn set_apart(&mut self, id: SegmentId, fault: &Fault, tries: u32) -> bool {
        let now = Instant::now();
        let of_the_start = !self.synchronised;
        let apart = self.looks.apart.entry(id).or_insert(Apart { at: now, times: 0, told: None, of_the_start });
        apart.times = if fault.is_transient() { apart.times.saturating_add(1) } else { TRIES.max(apart.times) };
        apart.at = now + TRIED_AGAIN.saturating_mul(1 << apart.times.min(10)).min(LEFT_ALONE) / 2;
        let is_news = apart.is_to_be_told(now, tries);
        apart.told = if is_news { Some(now) } else { apart.told };
        is_news
    }

    /// Takes note of what is settled. Answers whether it was more than before.
    pub(super) fn advance(&mut self) -> bool {
        let Some(Settled { next, landmarks, .. }) = self.looks.backlog.settled() else { return false };
        self.reader.settled = Some(next);
        self.reader.landmarks = landmarks;
        true
    }
}

impl PollPlan {
    /// When the first of it is due.
    pub(in crate::sync::actor) fn next(&self) -> Option<Instant> {
        [self.read, self.fetch, self.list, self.recheck].into_iter().flatten().min()
    }
}
