//! Answers operations that ask what the feed says up to now, from the reads that follow the feed anyway.

use crate::changes::Operation;
use crate::remote::Remote;
use crate::sync::report::{CatchUp, EventQuery, FeedState};

use super::super::{Actor, Work};
use super::{MAX_UNFETCHED, ReadNumber};

impl<R: Remote> Actor<R> {
    /// Answers an operation after the next read of the feed.
    pub(in crate::sync::actor) fn catch_up(&mut self, catch_up: CatchUp) {
        let can_read = matches!(self.work, Work::Following | Work::Listing(_));
        if !can_read || !self.following.has_feed() {
            self.complete_catch_up(catch_up, false);
            return;
        }
        // The response of a read under way may be from before now.
        let next = ReadNumber(self.following.reader.last_read.0 + 1);
        self.following.reader.pending_catch_ups.push((next, catch_up));
        if self.following.reader.read_in_flight.is_none() {
            self.read_next_part();
        }
    }

    pub(super) fn complete_catch_ups(&mut self) {
        let read = self.following.reader.last_read;
        let (completed, pending): (Vec<_>, Vec<_>) = std::mem::take(&mut self.following.reader.pending_catch_ups)
            .into_iter()
            .partition(|(number, _)| *number <= read);
        self.following.reader.pending_catch_ups = pending;
        for (_, catch_up) in completed {
            self.complete_catch_up(catch_up, true);
        }
    }

    /// Answers without the feed, which can't be read at present. That is no reason not to write.
    pub(in crate::sync::actor) fn abort_catch_ups(&mut self) {
        for (_, catch_up) in std::mem::take(&mut self.following.reader.pending_catch_ups) {
            self.complete_catch_up(catch_up, false);
        }
    }

    fn complete_catch_up(&mut self, catch_up: CatchUp, was_read: bool) {
        let CatchUp { op, query, reply } = catch_up;
        let operation = self.writing.operation(op);
        let deletes = matches!(operation, Some(Operation::Delete { .. }));
        let new_children = operation.map(|operation| self.writing.new_children(operation)).unwrap_or_default();
        let hearing = &mut self.following.hearing;
        let event_kinds: Vec<_> = query
            .iter()
            .flat_map(|query| hearing.events_since(&query.id, query.since))
            .map(|event| event.kind)
            .collect();
        let creates = matches!(operation, Some(Operation::Create { .. }));
        let judge = |query: EventQuery| {
            if creates {
                hearing.suspect_other_writer(event_kinds.len(), query.own_writes)
            } else {
                hearing.detect_other_writer(event_kinds.len(), query.own_writes)
            }
        };
        let has_other_writer = query.filter(|_| was_read).is_some_and(judge);
        let feed_state = FeedState {
            mark: was_read.then(|| hearing.current_mark()),
            has_other_writer,
            event_kinds,
            new_children,
            unfetched: if deletes { self.following.fetches.backlog.pending_ids(MAX_UNFETCHED) } else { Vec::new() },
        };
        // The asking task may have been stopped.
        let _stopped = reply.send(feed_state);
    }
}
