//! Fetches the segments that the feed named, in its order and several at once, or lists everything if that costs less.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tokio::time::Instant;

use crate::remote::{Fault, FeedEventKind, Remote, RemoteError};
use crate::segment::SegmentId;
use crate::sync::backlog::PartNumber;
use crate::sync::fetch::fetch;
use crate::sync::message::{Event, FeedSource, Notice, SegmentChange};
use crate::sync::report::Report;
use crate::sync::segment_cache::Fetched;

use super::super::{Actor, NextWork, Stopped, Work};
use super::{FetchCause, IN_FLIGHT_RETRY_DELAY, MAX_RECHECKS, PERSIST_INTERVAL, RECHECK_DELAYS, UNREADABLE_FAILURES};

impl<R: Remote> Actor<R> {
    /// Fetches the next segment in the backlog. Returns whether there was one.
    pub(super) fn fetch_next(&mut self) -> bool {
        let Some((id, feed_source)) = self.following.fetches.backlog.begin_fetch() else { return false };
        self.following.fetches.in_flight += 1;
        if self.settings.report_named {
            self.following.fetches.in_order.push_back((id.clone(), None));
        }
        self.connection.pending_requests.fetch_started(&id);
        let (remote, sequence) = (Arc::clone(&self.tasks.remote), self.tasks.sequence.clone());
        self.spawn_task(async move {
            let result = fetch(&*remote, &sequence, id.clone(), feed_source).await;
            Report::FetchEnded { id, feed_source, result }
        });
        true
    }

    /// Takes in the result of a fetch. With `report_named`, changes are reported in feed order, so a result waits for the
    /// fetches before it; otherwise it is applied at once.
    pub(in crate::sync::actor) async fn fetch_ended(
        &mut self,
        id: SegmentId,
        feed_source: FeedSource,
        result: Result<Fetched, RemoteError>,
    ) -> Result<(), Stopped> {
        self.following.fetches.in_flight -= 1;
        self.connection.pending_requests.fetch_ended(&id);
        if !self.settings.report_named {
            return self.apply_fetch(id, feed_source, result).await;
        }
        if let Some(slot) = self.following.fetches.in_order.iter_mut().find(|slot| slot.0 == id && slot.1.is_none()) {
            slot.1 = Some((feed_source, result));
        }
        while let Some((_, Some(_))) = self.following.fetches.in_order.front()
            && let Some((id, Some((feed_source, result)))) = self.following.fetches.in_order.pop_front()
        {
            self.apply_fetch(id, feed_source, result).await?;
        }
        Ok(())
    }

    async fn apply_fetch(
        &mut self,
        id: SegmentId,
        feed_source: FeedSource,
        result: Result<Fetched, RemoteError>,
    ) -> Result<(), Stopped> {
        match result {
            Ok(response) => {
                let unreadable = self.following.fetches.unreadable.remove(&id);
                if unreadable.is_some() {
                    tracing::info!(%id, "a segment can be read again");
                }
                let is_initial = unreadable.is_some_and(|unreadable| unreadable.is_initial);
                let cause = if is_initial { FetchCause::FeedAtStart } else { FetchCause::Feed };
                self.failures = 0;
                if response.now.is_none() && feed_source.kind != Some(FeedEventKind::Deleted) {
                    self.schedule_recheck(&id);
                }
                self.following.fetches.backlog.complete_fetch(&id);
                let more = self.following.advance();
                if self.apply_and_emit(vec![response], cause).await?.is_empty() {
                    self.following.fetches.unchanged_budget.consume(Instant::now());
                }
                if more && self.following.stored_at.is_none_or(|at| at.elapsed() >= PERSIST_INTERVAL) {
                    self.following.stored_at = Some(Instant::now());
                    self.persist().await;
                }
            }
            Err(error) if is_segment_fault(&error.fault) && self.following.can_mark_unreadable(&id) => {
                tracing::warn!(%error, "a segment can't be read");
                // The position stays before the segment: a client that starts from there later fetches it again.
                self.following.fetches.backlog.mark_unreadable(&id);
                let min_failures = if self.settings.report_named { 1 } else { UNREADABLE_FAILURES };
                if self.following.record_unreadable(id, &error.fault, min_failures) {
                    self.emit(Event::Noticed(Notice::SegmentUnreadable { error })).await?;
                }
            }
            Err(error) => {
                self.following.fetches.backlog.retry_fetch(&id);
                if matches!(self.work, Work::Following) {
                    return self.failed(error, NextWork::Follow).await;
                }
            }
        }
        self.continue_following().await
    }

    fn schedule_recheck(&mut self, id: &SegmentId) {
        let following = &mut self.following;
        if following.fetches.rechecks.iter().any(|(_, other)| other == id) {
            return;
        }
        for pause in RECHECK_DELAYS {
            let at = Instant::now() + pause;
            let index = following.fetches.rechecks.partition_point(|(other, _)| *other <= at);
            following.fetches.rechecks.insert(index, (at, id.clone()));
        }
        following.fetches.rechecks.truncate(MAX_RECHECKS);
    }

    /// Fetches again what was not found, and what could not be read.
    pub(super) fn recheck(&mut self, now: Instant) {
        while let Some((at, id)) = self.following.fetches.rechecks.front()
            && *at <= now
        {
            // A segment that has been seen since needs no recheck.
            if self.cache.get(id).is_none() {
                self.following.fetches.backlog.add_segment(id.clone());
            }
            self.following.fetches.rechecks.pop_front();
        }
        let due: Vec<SegmentId> = self
            .following
            .fetches
            .unreadable
            .iter()
            .filter(|(_, unreadable)| unreadable.retry_at <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            if let Some(unreadable) = self.following.fetches.unreadable.get_mut(&id) {
                unreadable.retry_at = now + IN_FLIGHT_RETRY_DELAY;
            }
            self.following.fetches.backlog.add_segment(id);
        }
    }

    /// Takes in segments that were fetched for a reason other than the feed.
    pub(in crate::sync::actor) async fn batch_fetched(&mut self, responses: Vec<Fetched>) -> Result<(), Stopped> {
        for gone in responses.iter().filter(|response| response.now.is_none()) {
            self.schedule_recheck(&gone.id.clone());
        }
        let gone =
            self.apply_and_emit(responses, FetchCause::Other).await?.into_iter().filter(|change| change.now.is_none());
        // A server that deletes children along with their parent may do so at every level.
        let gone: HashSet<SegmentId> = gone.map(|change| change.id).collect();
        let children = if gone.is_empty() { Vec::new() } else { self.children_of(&gone) };
        self.fetch_batch(children);
        if !self.following.has_feed() {
            // With a feed, the store is updated together with the position.
            self.persist().await;
        }
        Ok(())
    }

    /// Lists everything, since the feed named more segments than a list has pages.
    pub(super) async fn list_instead(&mut self) -> Result<(), Stopped> {
        tracing::info!(
            named = self.following.fetches.backlog.named_count(),
            "everything is listed instead of looking at each"
        );
        self.lists.last.replaces_fetches_up_to = Some(self.following.fetches.backlog.last_part());
        self.relist().await
    }

    /// Settles the segments that were named before the list began: they need no fetch. Returns which of the differences were
    /// reported here. With `report_named`, they are reported in feed order, and before the position moves on, so that a client
    /// resuming from there misses nothing.
    pub(in crate::sync::actor) async fn settle_by_list(
        &mut self,
        different: &mut [SegmentChange],
    ) -> Result<HashSet<SegmentId>, Stopped> {
        let Some(part) = self.lists.last.replaces_fetches_up_to.take() else { return Ok(HashSet::new()) };
        let start_seq = self.lists.last.start_seq;
        let report_all = self.settings.report_named && !self.following.synchronised;
        let (cache, mut named, mut gone) = (&self.cache, Vec::new(), Vec::new());
        self.following.fetches.backlog.settle_up_to(part, |id, feed_source, last| {
            let is_listed = cache.is_known_since(id, start_seq);
            // The feed reports the segment as deleted, and the list does not contain it.
            let deleted = !is_listed && last == Some(FeedEventKind::Deleted);
            if deleted {
                gone.push(Fetched { id: id.clone(), now: None, seq: start_seq, feed_source });
            }
            if is_listed || deleted {
                named.push((id.clone(), feed_source, deleted));
            }
            is_listed || deleted
        });
        for (id, ..) in &named {
            self.following.fetches.unreadable.remove(id);
        }
        let mentions: HashMap<&SegmentId, FeedSource> =
            named.iter().map(|(id, feed_source, _)| (id, *feed_source)).collect();
        for change in different.iter_mut() {
            if let Some(feed_source) = mentions.get(&change.id) {
                change.feed_source = *feed_source;
            }
        }
        let mut changes_by_id: HashMap<SegmentId, SegmentChange> = HashMap::new();
        if self.settings.report_named {
            let listed = different.iter().filter(|change| mentions.contains_key(&change.id));
            changes_by_id.extend(listed.map(|change| (change.id.clone(), change.clone())));
        }
        changes_by_id
            .extend(self.apply(gone, FetchCause::Feed).to_report.into_iter().map(|change| (change.id.clone(), change)));
        let mut to_report = Vec::new();
        for (id, feed_source, deleted) in &named {
            if let Some(change) = changes_by_id.remove(id) {
                to_report.push(change);
            } else if report_all && !deleted {
                let now = self.cache.get(id).cloned();
                to_report.push(SegmentChange { id: id.clone(), before: now.clone(), now, feed_source: *feed_source });
            }
        }
        let reported_ids = to_report.iter().map(|change| change.id.clone()).collect();
        self.emit_changes(to_report, self.following.earliest()).await?;
        self.following.advance();
        Ok(reported_ids)
    }

    /// Settles unreadable segments that the feed named before the list began and that the list contains: it has what a fetch
    /// would have returned. With `report_named`, they wait for the fetch.
    pub(in crate::sync::actor) fn settle_unreadable_by_list(&mut self, before: PartNumber) {
        if self.settings.report_named {
            return;
        }
        let (cache, start_seq) = (&self.cache, self.lists.last.start_seq);
        for id in
            self.following.fetches.backlog.settle_unreadable_up_to(before, |id| cache.is_known_since(id, start_seq))
        {
            self.following.fetches.unreadable.remove(&id);
        }
        self.following.advance();
    }
}

/// Whether a fetch failed for a reason that may concern only that segment.
const fn is_segment_fault(fault: &Fault) -> bool {
    match fault {
        // A request to wait concerns all requests.
        Fault::Refused { status, retry_after, .. } => !matches!(status, 401 | 407 | 429) && retry_after.is_none(),
        Fault::InvalidResponse { .. }
        | Fault::TooLong { .. }
        | Fault::InvalidRequest { .. }
        | Fault::Redirected { .. } => true,
        Fault::Unreachable { .. } | Fault::TimedOut { .. } | Fault::Broken { .. } | Fault::ReadOnly => false,
    }
}
