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
use crate::sync::feed::{self, FeedEnd, Part};
use crate::sync::message::{Event, Notice, Phase, SegmentChange};
use crate::sync::report::Report;
use crate::sync::segment_cache::Fetched;

use super::{Actor, NextWork, Stopped, Work, with_jitter};

use state::{
    BEHIND_THRESHOLD, IN_FLIGHT_RETRY_DELAY, LIST_COST_FACTOR, MAX_PARTS_PER_ROUND, MAX_READ_AHEAD, MAX_RECHECKS,
    MAX_UNFETCHED, MIN_FETCHES_BEFORE_LIST, PERSIST_INTERVAL, RECHECK_DELAYS, ReadNumber, Round, UNREADABLE_FAILURES,
    Verification, VerifyReason,
};
pub(super) use state::{Following, PollPlan};

impl<R: Remote> Actor<R> {
    pub(super) async fn locate(&mut self) -> Result<(), Stopped> {
        if let Some(step) = self.settings.since.filter(|_| !self.following.has_feed()) {
            self.following.begin_at(Position::at(step, &self.settings.origins), Vec::new());
            return self.relist().await;
        }
        self.work = Work::Locating;
        self.connection.pending_requests.work_started(Call::Changes(Step::FIRST));
        if !self.lists.listed {
            self.enter_phase(Phase::Starting).await?;
            self.request_first_page();
        }
        let remote = Arc::clone(&self.tasks.remote);
        self.spawn_task(async move { Report::Located(feed::find_end(&*remote).await) });
        Ok(())
    }

    pub(super) async fn located(&mut self, result: Result<FeedEnd, RemoteError>) -> Result<(), Stopped> {
        self.connection.pending_requests.work_ended();
        if result.is_ok() {
            self.server_responded().await?;
        }
        match result {
            Ok(FeedEnd::At(step, past)) => {
                tracing::info!(%step, "the feed ends here");
                let landmark = past.as_ref().and_then(|past| feed::landmark(None, past.from, past.next, &past.events));
                if let Some(past) = &past {
                    self.following.hearing.learn_from(&past.events);
                }
                let position = Position::at(step, &self.settings.origins);
                self.following.begin_at(position, landmark.into_iter().collect());
                self.following.reader.is_unread = true;
                if self.following.identity.verification == Verification::InProgress {
                    self.following.identity.verification = Verification::Verified(Instant::now());
                }
            }
            Ok(FeedEnd::Unavailable(error)) => {
                self.emit(Event::Noticed(Notice::FeedUnavailable { error })).await?;
                self.following.clear_feed();
            }
            Err(error) => return self.failed(error, NextWork::Locate).await,
        }
        self.relist().await
    }

    /// Follows the feed from the position that an earlier session stored.
    pub(super) fn follow_stored(&mut self, position: Position, landmarks: Vec<Landmark>) {
        // The server may have been restored from a backup since; then the feed after the stored position is a different one.
        self.following.begin_at(position, landmarks);
        if !self.following.identity.anchor.is_empty() {
            self.verify_feed(VerifyReason::Routine);
        }
    }

    pub(super) async fn follow(&mut self) -> Result<(), Stopped> {
        if !self.following.has_feed() {
            return self.live_without_feed().await;
        }
        self.work = Work::Following;
        self.following.poll_now();
        self.continue_following().await
    }

    /// What to do next, and when.
    pub(super) fn plan(&mut self, now: Instant) -> PollPlan {
        let overloaded = self.is_overloaded();
        let following = &mut self.following;
        let can_fetch =
            following.fetches.backlog.has_queued() && following.fetches.in_flight < self.settings.concurrency.max(1);
        let can_read = following.reader.read_in_flight.is_none() && following.fetches.backlog.len() < MAX_READ_AHEAD;
        PollPlan {
            read: can_read.then(|| following.polling.next_poll.max(following.polling.read_budget.next_allowed(now))),
            fetch: if can_fetch {
                following.fetches.next_fetch_at(now, overloaded, self.settings.report_named)
            } else {
                None
            },
            // Only between rounds of reads, so that the list covers what has happened so far.
            list: (overloaded && following.reader.read_in_flight.is_none() && following.reader.round.parts == 0)
                .then_some(self.lists.last.next_list_after),
            recheck: {
                let recheck = following.fetches.rechecks.front().map(|(at, _)| *at);
                recheck
                    .into_iter()
                    .chain(following.fetches.unreadable.values().map(|unreadable| unreadable.retry_at))
                    .min()
            },
        }
    }

    /// Whether the feed named so many segments that listing all costs less than fetching each.
    fn is_overloaded(&self) -> bool {
        let page = usize::try_from(self.settings.page_size).unwrap_or(usize::MAX).max(1);
        let pages = self.lists.last.pages.max(self.cache.len() / page + 1);
        self.following.fetches.backlog.named_count() > LIST_COST_FACTOR * pages + MIN_FETCHES_BEFORE_LIST
    }

    /// Does what is due. Each step sends a request that ends in a report, or enters another phase.
    pub(super) async fn continue_following(&mut self) -> Result<(), Stopped> {
        if !matches!(self.work, Work::Following) {
            return Ok(());
        }
        if self.has_reached_goal() {
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
        while due(self.plan(now).fetch) && self.fetch_next() {
            if self.is_overloaded() {
                self.following.fetches.pre_list_budget.consume(now);
            }
        }
        if due(self.plan(now).read) {
            self.following.polling.read_budget.consume(now);
            self.read_next_part();
        }
        Ok(())
    }

    fn has_reached_goal(&self) -> bool {
        let Following { goal, identity, fetches, .. } = &self.following;
        // A segment that may become readable shortly is waited for.
        if fetches.unreadable.values().any(|unreadable| unreadable.failures < UNREADABLE_FAILURES) {
            return false;
        }
        !matches!(identity.verification, Verification::InProgress | Verification::Pending)
            && goal.is_some_and(|goal| fetches.backlog.is_settled_up_to(goal))
    }

    /// Requests the next part of the feed.
    fn read_next_part(&mut self) {
        let Some(from) = self.following.reader.position.clone() else { return };
        let following = &mut self.following;
        following.reader.last_read.0 += 1;
        following.reader.read_in_flight = Some(following.reader.last_read);
        let (number, max_steps) = (following.reader.last_read.0, following.reader.max_steps);
        self.connection.pending_requests.read_started(Call::Changes(from.earliest()));
        let remote = Arc::clone(&self.tasks.remote);
        self.spawn_task(async move { Report::Read(number, feed::read_part(&*remote, &from, max_steps).await) });
    }

    pub(super) async fn read_ended(&mut self, number: u64, result: Result<Part, RemoteError>) -> Result<(), Stopped> {
        if self.following.reader.read_in_flight != Some(ReadNumber(number)) {
            // The read started from a position that is no longer followed.
            return Ok(());
        }
        self.following.reader.read_in_flight = None;
        self.connection.pending_requests.read_ended();
        let part = match result {
            Ok(part) => part,
            Err(error) => return self.read_failed(error).await,
        };
        self.failures = 0;
        self.following.reader.is_unread = false;
        let is_empty = part.events.is_empty();
        let reached_end = part.reached_end;
        self.apply_part(part);
        self.complete_catch_ups();
        // The server responds again, but a pause that it asked for is kept.
        if matches!(self.work, Work::Resting { then: NextWork::Follow, .. }) && !self.is_waiting_for_retry_after() {
            self.work = Work::Following;
        }
        if matches!(self.work, Work::Following) {
            self.end_part(reached_end, is_empty);
            if self.following.fetches.backlog.len() > BEHIND_THRESHOLD {
                self.enter_phase(Phase::Behind { waiting: self.following.fetches.backlog.len() }).await?;
            }
        }
        if !self.following.reader.pending_catch_ups.is_empty() && self.following.reader.read_in_flight.is_none() {
            self.read_next_part();
        }
        self.server_responded().await?;
        self.continue_following().await
    }

    /// Takes in a part of the feed.
    fn apply_part(&mut self, part: Part) {
        let Part { events, next, rewinds, max_steps, landmarks, .. } = part;
        let writing = self.writing.is_writing();
        let following = &mut self.following;
        following.hearing.record(&events, writing);
        feed::replace_landmarks(&mut following.identity.newest, landmarks);
        if following.identity.anchor.is_empty() {
            following.identity.anchor.clone_from(&following.identity.newest);
        }
        let named = events.iter().map(|(only, event)| (&event.id, event.kind, *only));
        following.fetches.backlog.add_part(named, next.clone(), following.identity.newest.clone());
        following.reader.position = Some(next);
        following.reader.max_steps = max_steps;
        following.reader.round.parts += 1;
        following.reader.round.events += events.len();
        let named = events.into_iter().map(|(_, event)| event.id);
        if matches!(self.work, Work::Listing(_)) {
            self.lists.last.record_meanwhile(named);
        } else {
            self.lists.last.record_named(named);
        }
        if rewinds.iter().any(|rewind| !self.following.reader.known_rewinds.contains(rewind)) {
            self.following.reader.known_rewinds = rewinds;
            self.verify_feed(VerifyReason::Rewind);
        } else if self.following.should_verify() {
            self.verify_feed(VerifyReason::Routine);
        }
        self.following.advance();
    }

    /// Decides whether to read on at once or after a pause.
    fn end_part(&mut self, reached_end: bool, is_empty: bool) {
        if !is_empty {
            self.lists.last.record_event();
        }
        let following = &mut self.following;
        let Round { parts, events } = following.reader.round;
        if !reached_end && parts < MAX_PARTS_PER_ROUND {
            following.polling.next_poll = Instant::now();
            return;
        }
        let is_round_empty = events == 0;
        following.reader.round = Round::default();
        following.goal = following.goal.or(Some(following.fetches.backlog.last_part()));
        following.polling.pause = if is_round_empty {
            following.polling.pace.slower(following.polling.pause)
        } else {
            following.polling.pace.shortest
        };
        let pause = following.polling.pace.clamp(with_jitter(following.polling.pause));
        following.polling.next_poll = Instant::now() + pause;
    }

    async fn read_failed(&mut self, error: RemoteError) -> Result<(), Stopped> {
        self.abort_catch_ups();
        if !matches!(self.work, Work::Following) {
            return Ok(());
        }
        if !error.fault.rejects_step() {
            return self.failed(error, NextWork::Follow).await;
        }
        if self.following.reader.is_unread {
            // The feed has an end but can't be followed from there, for example not by context.
            self.emit(Event::Noticed(Notice::FeedUnavailable { error })).await?;
            self.following.clear_feed();
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
        self.enter_phase(Phase::Live).await?;
        self.following.stored_at = Some(Instant::now());
        self.persist().await;
        self.following.synchronised = true;
        let Some(next) = self.following.earliest() else { return Ok(()) };
        let (complete, incomplete_reason) = (self.lists.last.is_complete(), self.lists.last.incomplete_reason);
        self.emit(Event::Synchronised { next, complete, incomplete_reason }).await?;
        if self.list_is_due() { self.relist().await } else { Ok(()) }
    }

    /// Whether the last read of the feed brought nothing, or no segment waits to be fetched.
    pub(super) fn is_quiet(&self) -> bool {
        self.following.polling.pause > self.following.polling.pace.shortest
            || !self.following.fetches.backlog.has_queued()
    }

    /// Applies fetched segments, reports the changes, and returns all differences.
    pub(super) async fn apply_and_emit(
        &mut self,
        responses: Vec<Fetched>,
        cause: FetchCause,
    ) -> Result<Vec<SegmentChange>, Stopped> {
        let next = self.following.earliest().filter(|_| cause != FetchCause::Other);
        let AppliedChanges { to_report, different } = self.apply(responses, cause);
        self.emit_changes(to_report, next).await?;
        Ok(different)
    }

    /// Applies fetched segments without reporting them.
    fn apply(&mut self, responses: Vec<Fetched>, cause: FetchCause) -> AppliedChanges {
        let is_initial = cause == FetchCause::FeedAtStart || cause == FetchCause::Feed && !self.following.synchronised;
        let report_all = self.settings.report_named && is_initial;
        let (mut to_report, mut different) = (Vec::new(), Vec::new());
        for response in responses {
            let (id, feed_source) = (response.id.clone(), response.feed_source);
            if let Some(change) = self.cache.apply(response) {
                self.record_change(&id, change.now.as_ref());
                self.writing.update_tracking(&change);
                self.lists.last.record_change(&change);
                different.push(change.clone());
                if !self.writing.defer_if_own(&change) {
                    to_report.push(change);
                }
            } else if report_all {
                let now = self.cache.get(&id).cloned();
                to_report.push(SegmentChange { id, before: now.clone(), now, feed_source });
            }
        }
        AppliedChanges { to_report, different }
    }
}

/// Why a segment was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FetchCause {
    /// The feed named it.
    Feed,
    /// The feed named it before it was first read to its end, and it only became readable now.
    FeedAtStart,
    /// Another reason.
    Other,
}

/// Result of applying fetched segments.
struct AppliedChanges {
    /// Changes to report.
    to_report: Vec<SegmentChange>,
    /// All differences from what was known.
    different: Vec<SegmentChange>,
}
