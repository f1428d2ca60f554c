//! Following: reading the feed, looking at what it names, and saying when both are through.
//!
//! This is the only reader of the feed. It reads ahead of the looks, a part at a time, so whoever wants to know what the feed
//! says up to now ([`CatchUp`]) waits for two round trips at most, however much there is to look at. When the feed has named so
//! many segments that a list of all of them costs less, everything is listed instead. How often it asks is bounded whatever the
//! server says.

mod catching_up;
mod looking;
mod recognising;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::time::{Duration, Instant};

use crate::remote::{Call, Fault, Landmark, Position, Remote, RemoteError};
use crate::segment::{SegmentId, Step};
use crate::sync::Pace;
use crate::sync::backlog::{Backlog, PartNumber, Settled};
use crate::sync::budget::Budget;
use crate::sync::feed::{self, End, Part, PositionRewind};
use crate::sync::hearing::Hearing;
use crate::sync::message::{Event, FeedSource, Notice, Phase, SegmentChange};
use crate::sync::report::{CatchUp, Report};
use crate::sync::segment_cache::Fetched;

use super::{Actor, Next, Stopped, Work, with_jitter};

/// What it takes to follow the feed. It is read while a list is loading as well, for operations that want to know what it says.
#[derive(Debug)]
pub(super) struct Following {
    pub reader: Reader,
    identity: Identity,
    pub looks: Looks,
    polling: Polling,
    pub hearing: Hearing,
    /// What is to be settled before the client's picture is what is on the server.
    goal: Option<PartNumber>,
    /// Whether the feed was read to its end once.
    synchronised: bool,
    kept_at: Option<Instant>,
}

/// Where the feed is read, and who waits for what it says.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Where to read on; `None` before that is known, and for good when there is no feed.
    position: Option<Position>,
    /// Up to where everything was looked at.
    pub settled: Option<Position>,
    /// How the feed is recognised from there.
    pub landmarks: Vec<Landmark>,
    /// Whether the position was found just now, and the feed not read from it yet.
    untried: bool,
    /// Steps back that the feed was seen to take and that mean nothing.
    explained: Vec<PositionRewind>,
    /// The steps of the longest part of the feed that came.
    longest: i64,
    /// The read under way, if any.
    reading: Option<ReadNumber>,
    last_read: ReadNumber,
    /// Operations that want to know what the feed says, each with the read that tells.
    catching_up: Vec<(ReadNumber, CatchUp)>,
    round: Round,
}

/// By what it is known that the feed is still the one that was followed.
#[derive(Debug)]
struct Identity {
    /// How it is recognised from where it was read last.
    newest: Vec<Landmark>,
    /// What it is recognised by next: how it was told when that was done last.
    anchor: Vec<Landmark>,
    recognition: Recognition,
}

/// When the feed is read next.
#[derive(Debug)]
struct Polling {
    at: Instant,
    pace: Pace,
    pause: Duration,
    reads: Budget,
}

/// The segments that are owed a look, and those that are being looked at.
#[derive(Debug)]
pub(super) struct Looks {
    pub backlog: Backlog,
    /// Looks that find nothing new.
    idle: Budget,
    /// Looks before a list that is soon to make them unnecessary.
    early: Budget,
    under_way: usize,
    /// The looks in the order in which the feed named the segments, and what those have come to that wait for one before them.
    in_order: VecDeque<(SegmentId, Option<Look>)>,
    /// Segments that could not be read.
    apart: BTreeMap<SegmentId, Apart>,
    /// Segments that were not there although the feed did not say that they were deleted, and when to look again.
    rechecks: VecDeque<(Instant, SegmentId)>,
}

impl Looks {
    fn new(now: Instant) -> Self {
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
    fn next(&mut self, now: Instant, overloaded: bool, tell_named: bool) -> Option<Instant> {
        let idle = self.idle.next(now);
        if overloaded { tell_named.then(|| idle.max(self.early.next(now))) } else { Some(idle) }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct ReadNumber(u64);

/// How the feed named a segment, and what a look at it has come to.
type Look = (FeedSource, Result<Fetched, RemoteError>);

/// A segment that could not be read.
#[derive(Debug, Clone, Copy)]
struct Apart {
    /// When it is tried again.
    at: Instant,
    /// How often that has failed in a row.
    times: u32,
    /// When that was told last.
    told: Option<Instant>,
    /// Whether it was named before the feed was read to its end, so that a list may have told it already.
    of_the_start: bool,
}

impl Apart {
    /// Whether it is time to tell that it can't be read: after so many tries, and now and then for as long as that lasts.
    fn is_to_be_told(&self, now: Instant, tries: u32) -> bool {
        self.times >= tries && self.told.is_none_or(|told| now.duration_since(told) >= TOLD_AGAIN)
    }
}

/// What was read since the last pause.
#[derive(Debug, Default)]
struct Round {
    parts: u32,
    events: usize,
}

/// Whether the feed is still the one that was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recognition {
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
enum Suspect {
    /// It is only time for it.
    Nothing,
    /// It called a step the next one that is earlier than the one it was asked from.
    EndsEarlier,
}

/// What is done when.
#[derive(Debug, Default)]
pub(super) struct PollPlan {
    read: Option<Instant>,
    fetch: Option<Instant>,
    list: Option<Instant>,
    recheck: Option<Instant>,
}

/// More segments than these to be looked at are worth telling.
const BACKLOG: usize = 50;
/// Segments owed a look after which the feed is not read on.
const READ_AHEAD: usize = 20_000;
/// Everything is listed instead of looking at each when so many times the pages of a list are owed a look: a list that is loaded
/// while something changes is loaded once more.
const LISTS: usize = 2;
/// Segments that are looked at all the same, however small the tenant is.
const FEW: usize = 20;
/// Parts after which a feed that goes on and on is told to have been read. What comes after them is read all the same.
const PARTS: u32 = 64;
/// Reads at once, and those a second after them, for a feed that always advances.
const READS: (u32, u32) = (20, 4);
/// Looks that find nothing new at once, and those a second after them.
const IDLE_LOOKS: (u32, u32) = (20, 6);
/// Looks at once, and those a second after them, while everything is soon to be listed: enough that whoever is told of each change
/// is not left without a word until then.
const EARLY_LOOKS: (u32, u32) = (20, 4);
/// When it is looked again for a segment that was not there: a server may be slow to show what is new.
const RECHECKS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
const MOST_RECHECKS: usize = 1_000;
/// How often a segment is tried before it is said that it can't be read, but for those who are told of each change: they hear it at
/// once.
const TRIES: u32 = 3;
/// The pause before the second try, which doubles with each further one, and what it grows to at most.
const TRIED_AGAIN: Duration = Duration::from_secs(1);
const LEFT_ALONE: Duration = Duration::from_secs(300);
/// How often it is told that a segment still can't be read.
const TOLD_AGAIN: Duration = Duration::from_secs(3_600);
/// Segments in a row that can't be read after which it is the server.
const MOST_APART: usize = 20;
/// How often it is asked whether the feed is still the one that was followed.
const RECOGNISED_EVERY: Duration = Duration::from_secs(60);
/// How often what was learnt is kept while more is coming.
const KEPT_EVERY: Duration = Duration::from_secs(1);
/// Unseen segments that a deletion looks at before it leaves.
const UNSEEN: usize = 12;

impl Following {
    pub fn new(pace: Pace, now: Instant) -> Self {
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
    pub const fn has_feed(&self) -> bool {
        self.reader.position.is_some()
    }

    /// A step before which nothing is unknown here.
    pub fn earliest(&self) -> Option<Step> {
        self.reader.settled.as_ref().or(self.reader.position.as_ref()).map(Position::earliest)
    }

    /// Whether segments are told wrongly at present since they can't be read.
    pub fn sets_apart(&self) -> bool {
        !self.looks.apart.is_empty()
    }

    /// Follows from a position, which everything before is known up to.
    pub fn begin_at(&mut self, position: Position, landmarks: Vec<Landmark>) {
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

    pub fn has_no_feed(&mut self) {
        self.looks.backlog.forget();
        (self.reader.position, self.reader.settled) = (None, None);
        self.reader.landmarks.clear();
        self.identity.newest.clear();
        self.identity.anchor.clear();
        self.goal = None;
        self.reader.reading = None;
        self.reader.last_read.0 += 1;
    }

    pub fn poll_now(&mut self) {
        self.polling.at = Instant::now();
    }

    /// A person wants to know now. What could not be read is tried again as well.
    pub fn try_all_now(&mut self) {
        self.poll_now();
        let now = Instant::now();
        self.looks.apart.values_mut().for_each(|apart| apart.at = now);
    }

    /// Reads the feed then at the latest.
    pub fn poll_at(&mut self, at: Instant) {
        self.polling.at = self.polling.at.min(at);
    }

    /// Reads the feed soon, since something is about to be told there.
    pub fn poll_soon(&mut self) {
        self.polling.pause = self.polling.pace.shortest;
        self.polling.at = self.polling.at.min(Instant::now() + self.polling.pause);
    }

    /// Whether nothing is being read or looked at, and all is settled.
    pub fn is_idle(&self) -> bool {
        self.reader.reading.is_none()
            && self.looks.under_way == 0
            && self.goal.is_none()
            && !self.looks.backlog.is_waiting()
    }

    fn is_to_be_recognised(&self) -> bool {
        match self.identity.recognition {
            Recognition::Wanted => true,
            Recognition::Known(at) => at.elapsed() >= RECOGNISED_EVERY && !self.identity.anchor.is_empty(),
            Recognition::Underway | Recognition::Pointless => false,
        }
    }

    /// Whether a segment that can't be read is that segment's fault, rather than the server's.
    fn can_set_apart(&self, id: &SegmentId) -> bool {
        self.looks.apart.contains_key(id) || self.looks.apart.len() < MOST_APART
    }

    /// A segment could not be read once more. Answers whether that is to be told now, which is after so many tries.
    fn set_apart(&mut self, id: SegmentId, fault: &Fault, tries: u32) -> bool {
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
    fn advance(&mut self) -> bool {
        let Some(Settled { next, landmarks, .. }) = self.looks.backlog.settled() else { return false };
        self.reader.settled = Some(next);
        self.reader.landmarks = landmarks;
        true
    }
}

impl PollPlan {
    /// When the first of it is due.
    pub fn next(&self) -> Option<Instant> {
        [self.read, self.fetch, self.list, self.recheck].into_iter().flatten().min()
    }
}

impl<R: Remote> Actor<R> {
    pub(super) async fn locate(&mut self) -> Result<(), Stopped> {
        if let Some(step) = self.settings.since.filter(|_| !self.following.has_feed()) {
            self.following.begin_at(Position::at(step, &self.settings.origins), Vec::new());
            return self.relist().await;
        }
        self.work = Work::Locating;
        self.told.silence.work_asks(Call::Changes(Step::FIRST));
        if !self.lists.listed {
            self.enter(Phase::Starting).await?;
            self.show_first_page();
        }
        let remote = Arc::clone(&self.tasks.remote);
        self.send_out(async move { Report::Located(feed::end(&*remote).await) });
        Ok(())
    }

    pub(super) async fn located(&mut self, result: Result<End, RemoteError>) -> Result<(), Stopped> {
        self.told.silence.work_ended();
        if result.is_ok() {
            self.server_answers().await?;
        }
        match result {
            Ok(End::At(step, past)) => {
                tracing::info!(%step, "the feed ends here");
                let landmark = past.as_ref().and_then(|past| feed::landmark(None, past.from, past.next, &past.events));
                if let Some(past) = &past {
                    self.following.hearing.learn_from(&past.events);
                }
                let position = Position::at(step, &self.settings.origins);
                self.following.begin_at(position, landmark.into_iter().collect());
                self.following.reader.untried = true;
                if self.following.identity.recognition == Recognition::Underway {
                    self.following.identity.recognition = Recognition::Known(Instant::now());
                }
            }
            Ok(End::Unavailable(error)) => {
                self.emit(Event::Noticed(Notice::FeedUnavailable { error })).await?;
                self.following.has_no_feed();
            }
            Err(error) => return self.failed(error, Next::Locate).await,
        }
        self.relist().await
    }

    /// Begins with what an earlier run has stored.
    pub(super) fn follow_stored(&mut self, position: Position, landmarks: Vec<Landmark>) {
        // A server may have been put back since: what it tells from the stored position on would be another story.
        self.following.begin_at(position, landmarks);
        if !self.following.identity.anchor.is_empty() {
            self.recognise(Suspect::Nothing);
        }
    }

    pub(super) async fn follow(&mut self) -> Result<(), Stopped> {
        if !self.following.has_feed() {
            return self.live_without_feed().await;
        }
        self.work = Work::Following;
        self.following.poll_now();
        self.go_on_following().await
    }

    /// What is to be done, and when.
    pub(super) fn plan(&mut self, now: Instant) -> PollPlan {
        let overloaded = self.is_overloaded();
        let following = &mut self.following;
        let waits =
            following.looks.backlog.is_waiting() && following.looks.under_way < self.settings.concurrency.max(1);
        let reads = following.reader.reading.is_none() && following.looks.backlog.len() < READ_AHEAD;
        PollPlan {
            read: reads.then(|| following.polling.at.max(following.polling.reads.next(now))),
            fetch: if waits { following.looks.next(now, overloaded, self.settings.tell_named) } else { None },
            // What was read up to now is enough for a list to be begun.
            list: (overloaded && following.reader.reading.is_none() && following.reader.round.parts == 0)
                .then_some(self.lists.last.again_after),
            recheck: {
                let gone = following.looks.rechecks.front().map(|(at, _)| *at);
                gone.into_iter().chain(following.looks.apart.values().map(|apart| apart.at)).min()
            },
        }
    }

    /// Whether the feed has named so many segments that a list of all costs less than a look at each.
    fn is_overloaded(&self) -> bool {
        let page = usize::try_from(self.settings.page_size).unwrap_or(usize::MAX).max(1);
        let pages = self.lists.last.pages.max(self.cache.len() / page + 1);
        self.following.looks.backlog.named() > LISTS * pages + FEW
    }

    /// Does what is due. Each step asks for something and ends in a report, or leads to another phase.
    pub(super) async fn go_on_following(&mut self) -> Result<(), Stopped> {
        if !matches!(self.work, Work::Following) {
            return Ok(());
        }
        if self.reached_goal() {
            self.synchronised().await?;
            if !matches!(self.work, Work::Following) {
                return Ok(());
            }
        }
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.plan(now).list) {
            return self.list_instead().await;
        }
        self.recheck(now);
        while due(self.plan(now).fetch) && self.look_at_next() {
            if self.is_overloaded() {
                self.following.looks.early.spend(now);
            }
        }
        if due(self.plan(now).read) {
            self.following.polling.reads.spend(now);
            self.read_on();
        }
        Ok(())
    }

    fn reached_goal(&self) -> bool {
        let Following { goal, identity, looks, .. } = &self.following;
        // What may be readable in a moment is waited for.
        if looks.apart.values().any(|apart| apart.times < TRIES) {
            return false;
        }
        !matches!(identity.recognition, Recognition::Underway | Recognition::Wanted)
            && goal.is_some_and(|goal| looks.backlog.is_settled_up_to(goal))
    }

    /// Asks for the next part of the feed.
    fn read_on(&mut self) {
        let Some(from) = self.following.reader.position.clone() else { return };
        let following = &mut self.following;
        following.reader.last_read.0 += 1;
        following.reader.reading = Some(following.reader.last_read);
        let (number, longest) = (following.reader.last_read.0, following.reader.longest);
        self.told.silence.read_asks(Call::Changes(from.earliest()));
        let remote = Arc::clone(&self.tasks.remote);
        self.send_out(async move { Report::Read(number, feed::part(&*remote, &from, longest).await) });
    }

    pub(super) async fn read(&mut self, number: u64, result: Result<Part, RemoteError>) -> Result<(), Stopped> {
        if self.following.reader.reading != Some(ReadNumber(number)) {
            // It was asked from a position that is followed no more.
            return Ok(());
        }
        self.following.reader.reading = None;
        self.told.silence.read_ended();
        let part = match result {
            Ok(part) => part,
            Err(error) => return self.not_read(error).await,
        };
        self.failures = 0;
        self.following.reader.untried = false;
        let quiet = part.events.is_empty();
        let ended = part.ended;
        self.apply_part(part);
        self.answer_those_who_catch_up();
        // The server answers again; but what it has asked for is kept.
        if matches!(self.work, Work::Resting { then: Next::Follow, .. }) && !self.rests_as_asked() {
            self.work = Work::Following;
        }
        if matches!(self.work, Work::Following) {
            self.end_part(ended, quiet);
            if self.following.looks.backlog.len() > BACKLOG {
                self.enter(Phase::Behind { waiting: self.following.looks.backlog.len() }).await?;
            }
        }
        if !self.following.reader.catching_up.is_empty() && self.following.reader.reading.is_none() {
            self.read_on();
        }
        self.server_answers().await?;
        self.go_on_following().await
    }

    /// Takes in what a part of the feed tells.
    fn apply_part(&mut self, part: Part) {
        let Part { events, next, setbacks, longest, landmarks, .. } = part;
        let writing = self.writing.is_writing();
        let following = &mut self.following;
        following.hearing.hear(&events, writing);
        feed::renew(&mut following.identity.newest, landmarks);
        if following.identity.anchor.is_empty() {
            following.identity.anchor.clone_from(&following.identity.newest);
        }
        let named = events.iter().map(|(only, event)| (&event.id, event.kind, *only));
        following.looks.backlog.read(named, next.clone(), following.identity.newest.clone());
        following.reader.position = Some(next);
        following.reader.longest = longest;
        following.reader.round.parts += 1;
        following.reader.round.events += events.len();
        let named = events.into_iter().map(|(_, event)| event.id);
        if matches!(self.work, Work::Listing(_)) {
            self.lists.last.note_meanwhile(named);
        } else {
            self.lists.last.hear(named);
        }
        if setbacks.iter().any(|setback| !self.following.reader.explained.contains(setback)) {
            self.following.reader.explained = setbacks;
            self.recognise(Suspect::EndsEarlier);
        } else if self.following.is_to_be_recognised() {
            self.recognise(Suspect::Nothing);
        }
        self.following.advance();
    }

    /// Whether to read on at once, or after a pause.
    fn end_part(&mut self, ended: bool, quiet: bool) {
        if !quiet {
            self.lists.last.changed();
        }
        let following = &mut self.following;
        let Round { parts, events } = following.reader.round;
        if !ended && parts < PARTS {
            following.polling.at = Instant::now();
            return;
        }
        let nothing = events == 0;
        following.reader.round = Round::default();
        following.goal = following.goal.or(Some(following.looks.backlog.last_part()));
        following.polling.pause = if nothing {
            following.polling.pace.slower(following.polling.pause)
        } else {
            following.polling.pace.shortest
        };
        let pause = following.polling.pace.within(with_jitter(following.polling.pause));
        following.polling.at = Instant::now() + pause;
    }

    async fn not_read(&mut self, error: RemoteError) -> Result<(), Stopped> {
        self.stop_waiting_to_catch_up();
        if !matches!(self.work, Work::Following) {
            return Ok(());
        }
        if !error.fault.rejects_step() {
            return self.failed(error, Next::Follow).await;
        }
        if self.following.reader.untried {
            // The feed can be asked, but not in the way that it has to be followed.
            self.emit(Event::Noticed(Notice::FeedUnavailable { error })).await?;
            self.following.has_no_feed();
            return self.follow().await;
        }
        if let Some(step) = self.following.reader.position.as_ref().map(Position::earliest) {
            self.emit(Event::Noticed(Notice::StepRefused { step })).await?;
        }
        self.locate().await
    }

    /// Everything that the feed named up to a moment ago is settled: what was told is what is on the server.
    async fn synchronised(&mut self) -> Result<(), Stopped> {
        self.following.goal = None;
        self.following.advance();
        self.settle_list().await?;
        self.enter(Phase::Live).await?;
        self.following.kept_at = Some(Instant::now());
        self.keep().await;
        self.following.synchronised = true;
        let Some(next) = self.following.earliest() else { return Ok(()) };
        let (complete, lacking) = (self.lists.last.is_complete(), self.lists.last.lacking);
        self.emit(Event::Synchronised { next, complete, lacking }).await?;
        if self.list_is_due() { self.relist().await } else { Ok(()) }
    }

    /// Whether the feed was quiet when it was read last.
    pub(super) fn is_quiet(&self) -> bool {
        self.following.polling.pause > self.following.polling.pace.shortest
            || !self.following.looks.backlog.is_waiting()
    }

    /// Applies fetched segments, and answers the differences.
    pub(super) async fn take(&mut self, answers: Vec<Fetched>, by: LedBy) -> Result<Vec<SegmentChange>, Stopped> {
        let next = self.following.earliest().filter(|_| by != LedBy::Other);
        let Taken { told, different } = self.apply(answers, by);
        self.emit_changes(told, next).await?;
        Ok(different)
    }

    /// Applies fetched segments, of which nobody is told yet.
    fn apply(&mut self, answers: Vec<Fetched>, by: LedBy) -> Taken {
        let of_the_start = by == LedBy::FeedAtStart || by == LedBy::Feed && !self.following.synchronised;
        let tell_all = self.settings.tell_named && of_the_start;
        let (mut told, mut different) = (Vec::new(), Vec::new());
        for answer in answers {
            let (id, mention) = (answer.id.clone(), answer.mention);
            if let Some(seen) = self.cache.take(answer) {
                self.note(&id, seen.now.as_ref());
                self.writing.follow(&seen);
                self.lists.last.see(&seen);
                different.push(seen.clone());
                if !self.writing.defers(&seen) {
                    told.push(seen);
                }
            } else if tell_all {
                let now = self.cache.get(&id).cloned();
                told.push(SegmentChange { id, before: now.clone(), now, mention });
            }
        }
        Taken { told, different }
    }
}

/// What led to a segment that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LedBy {
    /// The feed has named it.
    Feed,
    /// The feed has named it before it was read to its end for the first time, and it can be read only now.
    FeedAtStart,
    /// Something else.
    Other,
}

/// What came of fetched segments.
struct Taken {
    /// What is to be told.
    told: Vec<SegmentChange>,
    /// What differs from what was known.
    different: Vec<SegmentChange>,
}
