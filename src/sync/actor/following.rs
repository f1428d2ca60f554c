//! Follows the feed: reads it, fetches what it names, and reports when both are done.
//!
//! This is the only reader of the feed. It reads ahead of the fetches, a part at a time, so an operation that asks what the
//! feed says up to now ([`CatchUp`](crate::sync::report::CatchUp)) waits for at most two round trips, however many segments
//! wait to be fetched. When the feed has named so many segments that a list costs less, everything is listed instead. The
//! request rate is bounded whatever the server responds.

mod catching_up;
mod looking;
mod recognising;
mod state;

use std::sync::Arc;

use tokio::time::Instant;

use crate::remote::{Call, Landmark, Position, Remote, RemoteError};
use crate::segment::Step;
use crate::sync::feed::{self, End, Part};
use crate::sync::message::{Event, Notice, Phase, SegmentChange};
use crate::sync::report::Report;
use crate::sync::segment_cache::Fetched;

use super::{Actor, Next, Stopped, Work, with_jitter};

use state::{
    BACKLOG, FEW, KEPT_EVERY, LEFT_ALONE, LISTS, MOST_RECHECKS, PARTS, READ_AHEAD, RECHECKS, ReadNumber, Recognition,
    Round, Suspect, TRIES, UNSEEN,
};
pub(super) use state::{Following, PollPlan};

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

    /// Follows the feed from the position that an earlier session stored.
    pub(super) fn follow_stored(&mut self, position: Position, landmarks: Vec<Landmark>) {
        // The server may have been restored from a backup since; then the feed after the stored position is a different one.
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

    /// What to do next, and when.
    pub(super) fn plan(&mut self, now: Instant) -> PollPlan {
        let overloaded = self.is_overloaded();
        let following = &mut self.following;
        let waits =
            following.looks.backlog.is_waiting() && following.looks.under_way < self.settings.concurrency.max(1);
        let reads = following.reader.reading.is_none() && following.looks.backlog.len() < READ_AHEAD;
        PollPlan {
            read: reads.then(|| following.polling.at.max(following.polling.reads.next(now))),
            fetch: if waits { following.looks.next(now, overloaded, self.settings.tell_named) } else { None },
            // Only between rounds of reads, so that the list covers what has happened so far.
            list: (overloaded && following.reader.reading.is_none() && following.reader.round.parts == 0)
                .then_some(self.lists.last.again_after),
            recheck: {
                let gone = following.looks.rechecks.front().map(|(at, _)| *at);
                gone.into_iter().chain(following.looks.apart.values().map(|apart| apart.at)).min()
            },
        }
    }

    /// Whether the feed named so many segments that listing all costs less than fetching each.
    fn is_overloaded(&self) -> bool {
        let page = usize::try_from(self.settings.page_size).unwrap_or(usize::MAX).max(1);
        let pages = self.lists.last.pages.max(self.cache.len() / page + 1);
        self.following.looks.backlog.named() > LISTS * pages + FEW
    }

    /// Does what is due. Each step sends a request that ends in a report, or enters another phase.
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
        // A segment that may become readable shortly is waited for.
        if looks.apart.values().any(|apart| apart.times < TRIES) {
            return false;
        }
        !matches!(identity.recognition, Recognition::Underway | Recognition::Wanted)
            && goal.is_some_and(|goal| looks.backlog.is_settled_up_to(goal))
    }

    /// Requests the next part of the feed.
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
            // The read started from a position that is no longer followed.
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
        // The server responds again, but a pause that it asked for is kept.
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

    /// Takes in a part of the feed.
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

    /// Decides whether to read on at once or after a pause.
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
            // The feed has an end but can't be followed from there, for example not by context.
            self.emit(Event::Noticed(Notice::FeedUnavailable { error })).await?;
            self.following.has_no_feed();
            return self.follow().await;
        }
        if let Some(step) = self.following.reader.position.as_ref().map(Position::earliest) {
            self.emit(Event::Noticed(Notice::StepRefused { step })).await?;
        }
        self.locate().await
    }

    /// Reports that everything the feed named up to the goal is settled: the client's state matches the server's.
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

    /// Whether the last read of the feed brought nothing, or no segment waits to be fetched.
    pub(super) fn is_quiet(&self) -> bool {
        self.following.polling.pause > self.following.polling.pace.shortest
            || !self.following.looks.backlog.is_waiting()
    }

    /// Applies fetched segments, reports the changes, and returns all differences.
    pub(super) async fn take(&mut self, answers: Vec<Fetched>, by: LedBy) -> Result<Vec<SegmentChange>, Stopped> {
        let next = self.following.earliest().filter(|_| by != LedBy::Other);
        let Taken { told, different } = self.apply(answers, by);
        self.emit_changes(told, next).await?;
        Ok(different)
    }

    /// Applies fetched segments without reporting them.
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

/// Why a segment was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LedBy {
    /// The feed named it.
    Feed,
    /// The feed named it before it was first read to its end, and it only became readable now.
    FeedAtStart,
    /// Another reason.
    Other,
}

/// Result of applying fetched segments.
struct Taken {
    /// Changes to report.
    told: Vec<SegmentChange>,
    /// All differences from what was known.
    different: Vec<SegmentChange>,
}
