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

use super::super::{Actor, Next, Stopped, Work};
use super::{KEPT_EVERY, LEFT_ALONE, LedBy, MOST_RECHECKS, RECHECKS, TRIES};

impl<R: Remote> Actor<R> {
    /// Fetches the next segment in the backlog. Returns whether there was one.
    pub(super) fn look_at_next(&mut self) -> bool {
        let Some((id, mention)) = self.following.looks.backlog.begin_look() else { return false };
        self.following.looks.under_way += 1;
        if self.settings.tell_named {
            self.following.looks.in_order.push_back((id.clone(), None));
        }
        self.told.silence.look_asks(&id);
        let (remote, questions) = (Arc::clone(&self.tasks.remote), self.tasks.questions.clone());
        self.send_out(async move {
            let result = fetch(&*remote, &questions, id.clone(), mention).await;
            Report::Looked { id, mention, result }
        });
        true
    }

    /// Takes in the result of a fetch. With `tell_named`, changes are reported in feed order, so a result waits for the
    /// fetches before it; otherwise it is applied at once.
    pub(in crate::sync::actor) async fn looked(
        &mut self,
        id: SegmentId,
        mention: FeedSource,
        result: Result<Fetched, RemoteError>,
    ) -> Result<(), Stopped> {
        self.following.looks.under_way -= 1;
        self.told.silence.look_ended(&id);
        if !self.settings.tell_named {
            return self.take_look(id, mention, result).await;
        }
        if let Some(place) = self.following.looks.in_order.iter_mut().find(|place| place.0 == id && place.1.is_none()) {
            place.1 = Some((mention, result));
        }
        while let Some((_, Some(_))) = self.following.looks.in_order.front()
            && let Some((id, Some((mention, result)))) = self.following.looks.in_order.pop_front()
        {
            self.take_look(id, mention, result).await?;
        }
        Ok(())
    }

    async fn take_look(
        &mut self,
        id: SegmentId,
        mention: FeedSource,
        result: Result<Fetched, RemoteError>,
    ) -> Result<(), Stopped> {
        match result {
            Ok(answer) => {
                let apart = self.following.looks.apart.remove(&id);
                if apart.is_some() {
                    tracing::info!(%id, "a segment can be read again");
                }
                let of_the_start = apart.is_some_and(|apart| apart.of_the_start);
                let by = if of_the_start { LedBy::FeedAtStart } else { LedBy::Feed };
                self.failures = 0;
                if answer.now.is_none() && mention.kind != Some(FeedEventKind::Deleted) {
                    self.look_again_later(&id);
                }
                self.following.looks.backlog.looked(&id);
                let more = self.following.advance();
                if self.take(vec![answer], by).await?.is_empty() {
                    self.following.looks.idle.spend(Instant::now());
                }
                if more && self.following.kept_at.is_none_or(|at| at.elapsed() >= KEPT_EVERY) {
                    self.following.kept_at = Some(Instant::now());
                    self.keep().await;
                }
            }
            Err(error) if concerns_one(&error.fault) && self.following.can_set_apart(&id) => {
                tracing::warn!(%error, "a segment can't be read");
                // The position stays before the segment: a client that starts from there later fetches it again.
                self.following.looks.backlog.set_apart(&id);
                let tries = if self.settings.tell_named { 1 } else { TRIES };
                if self.following.set_apart(id, &error.fault, tries) {
                    self.emit(Event::Noticed(Notice::SetApart { error })).await?;
                }
            }
            Err(error) => {
                self.following.looks.backlog.look_again(&id);
                if matches!(self.work, Work::Following) {
                    return self.failed(error, Next::Follow).await;
                }
            }
        }
        self.go_on_following().await
    }

    fn look_again_later(&mut self, id: &SegmentId) {
        let following = &mut self.following;
        if following.looks.rechecks.iter().any(|(_, other)| other == id) {
            return;
        }
        for pause in RECHECKS {
            let at = Instant::now() + pause;
            let place = following.looks.rechecks.partition_point(|(other, _)| *other <= at);
            following.looks.rechecks.insert(place, (at, id.clone()));
        }
        following.looks.rechecks.truncate(MOST_RECHECKS);
    }

    /// Fetches again what was not found, and what could not be read.
    pub(super) fn recheck(&mut self, now: Instant) {
        while let Some((at, id)) = self.following.looks.rechecks.front()
            && *at <= now
        {
            // A segment that has been seen since needs no recheck.
            if self.cache.get(id).is_none() {
                self.following.looks.backlog.owe(id.clone());
            }
            self.following.looks.rechecks.pop_front();
        }
        let due: Vec<SegmentId> =
            self.following.looks.apart.iter().filter(|(_, apart)| apart.at <= now).map(|(id, _)| id.clone()).collect();
        for id in due {
            if let Some(apart) = self.following.looks.apart.get_mut(&id) {
                apart.at = now + LEFT_ALONE;
            }
            self.following.looks.backlog.owe(id);
        }
    }

    /// Takes in segments that were fetched for a reason other than the feed.
    pub(in crate::sync::actor) async fn looked_at(&mut self, answers: Vec<Fetched>) -> Result<(), Stopped> {
        for gone in answers.iter().filter(|answer| answer.now.is_none()) {
            self.look_again_later(&gone.id.clone());
        }
        let gone = self.take(answers, LedBy::Other).await?.into_iter().filter(|seen| seen.now.is_none());
        // A server that deletes children along with their parent may do so at every level.
        let gone: HashSet<SegmentId> = gone.map(|seen| seen.id).collect();
        let below = if gone.is_empty() { Vec::new() } else { self.children_of(&gone) };
        self.look_at(below);
        if !self.following.has_feed() {
            // With a feed, the store is updated together with the position.
            self.keep().await;
        }
        Ok(())
    }

    /// Lists everything, since the feed named more segments than a list has pages.
    pub(super) async fn list_instead(&mut self) -> Result<(), Stopped> {
        tracing::info!(named = self.following.looks.backlog.named(), "everything is listed instead of looking at each");
        self.lists.last.covers = Some(self.following.looks.backlog.last_part());
        self.relist().await
    }

    /// Settles the segments that were named before the list began: they need no fetch. Returns which of the differences were
    /// reported here. With `tell_named`, they are reported in feed order, and before the position moves on, so that a client
    /// resuming from there misses nothing.
    pub(in crate::sync::actor) async fn settle_by_list(
        &mut self,
        different: &mut [SegmentChange],
    ) -> Result<HashSet<SegmentId>, Stopped> {
        let Some(part) = self.lists.last.covers.take() else { return Ok(HashSet::new()) };
        let begun = self.lists.last.begun;
        let tell_all = self.settings.tell_named && !self.following.synchronised;
        let (ledger, mut named, mut gone) = (&self.cache, Vec::new(), Vec::new());
        self.following.looks.backlog.settle_up_to(part, |id, mention, last| {
            let is_listed = ledger.knows_since(id, begun);
            // The feed reports the segment as deleted, and the list does not contain it.
            let deleted = !is_listed && last == Some(FeedEventKind::Deleted);
            if deleted {
                gone.push(Fetched { id: id.clone(), now: None, asked: begun, mention });
            }
            if is_listed || deleted {
                named.push((id.clone(), mention, deleted));
            }
            is_listed || deleted
        });
        for (id, ..) in &named {
            self.following.looks.apart.remove(id);
        }
        let mentions: HashMap<&SegmentId, FeedSource> = named.iter().map(|(id, mention, _)| (id, *mention)).collect();
        for seen in different.iter_mut() {
            if let Some(mention) = mentions.get(&seen.id) {
                seen.mention = *mention;
            }
        }
        let mut known: HashMap<SegmentId, SegmentChange> = HashMap::new();
        if self.settings.tell_named {
            let listed = different.iter().filter(|seen| mentions.contains_key(&seen.id));
            known.extend(listed.map(|seen| (seen.id.clone(), seen.clone())));
        }
        known.extend(self.apply(gone, LedBy::Feed).told.into_iter().map(|seen| (seen.id.clone(), seen)));
        let mut told = Vec::new();
        for (id, mention, deleted) in &named {
            if let Some(seen) = known.remove(id) {
                told.push(seen);
            } else if tell_all && !deleted {
                let now = self.cache.get(id).cloned();
                told.push(SegmentChange { id: id.clone(), before: now.clone(), now, mention: *mention });
            }
        }
        let told_ids = told.iter().map(|seen| seen.id.clone()).collect();
        self.emit_changes(told, self.following.earliest()).await?;
        self.following.advance();
        Ok(told_ids)
    }

    /// Settles unreadable segments that the feed named before the list began and that the list contains: it has what a fetch
    /// would have returned. With `tell_named`, they wait for the fetch.
    pub(in crate::sync::actor) fn settle_apart_by_list(&mut self, before: PartNumber) {
        if self.settings.tell_named {
            return;
        }
        let (cache, begun) = (&self.cache, self.lists.last.begun);
        for id in self.following.looks.backlog.settle_apart_up_to(before, |id| cache.knows_since(id, begun)) {
            self.following.looks.apart.remove(&id);
        }
        self.following.advance();
    }
}

/// Whether a fetch failed for a reason that may concern only that segment.
const fn concerns_one(fault: &Fault) -> bool {
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
