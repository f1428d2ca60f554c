//! Segments that the feed named and that were not fetched since, and the position up to which everything named is settled.
//!
//! The feed is read ahead of the fetches, so there are two positions: the one to read on from, and the one before which every
//! named segment was fetched. Only the latter may be stored: a session that starts from it misses nothing. So it never passes
//! a segment that is marked as unreadable, for however long. A segment is queued once, however often the feed
//! names it. No I/O and no clock: parts of the feed and responses are passed in as values.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use crate::remote::{Context, FeedEventKind, Landmark, Position};
use crate::segment::SegmentId;

use super::message::FeedSource;

/// The number of a part of the feed. Later parts have greater numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartNumber(u64);

/// A part of the feed, where to continue after it, and how to recognise it.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    /// The part.
    pub number: PartNumber,
    /// Position to read from after it.
    pub next: Position,
    /// Landmarks: the last parts up to it that named something.
    pub landmarks: Vec<Landmark>,
}

/// Segments to fetch, in the order in which they were named.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    queued: HashMap<SegmentId, FetchReason>,
    /// The order in which waiting segments are fetched.
    queue: BTreeMap<u64, SegmentId>,
    /// Segments being fetched, and how each was named again since its fetch began.
    in_flight: BTreeMap<SegmentId, (FetchReason, Option<FetchReason>)>,
    /// Segments whose fetch failed and that are left alone for a while. Few.
    unreadable: BTreeMap<SegmentId, FetchReason>,
    /// Parts that were read and are not known to be settled, the earliest first.
    checkpoints: VecDeque<Checkpoint>,
    /// Number of segments to fetch by the part that named them, not counting unreadable ones.
    pending_by_part: BTreeMap<PartNumber, usize>,
    last_part: PartNumber,
    last_queue_seq: u64,
    /// Number of waiting segments that the feed has named.
    named_count: usize,
}

/// Parts remembered while an earlier one is not settled. Beyond that, every other one is forgotten, so that the position may
/// advance a little later than it could.
const MAX_CHECKPOINTS: usize = 1_024;

/// Why a segment is to be fetched.
#[derive(Debug, Clone, Copy)]
struct FetchReason {
    feed_source: FeedSource,
    /// Kind of the last event; `None` if the feed did not name it.
    last_kind: Option<FeedEventKind>,
    /// The first part that named it since it was last fetched.
    part: PartNumber,
}

impl Backlog {
    /// Takes in a part of the feed.
    pub fn add_part<'a>(
        &mut self,
        events: impl IntoIterator<Item = (&'a SegmentId, FeedEventKind, Option<Context>)>,
        next: Position,
        landmarks: Vec<Landmark>,
    ) -> PartNumber {
        self.last_part.0 += 1;
        for (id, kind, only) in events {
            self.add_event(id, kind, only);
        }
        if self.checkpoints.len() >= MAX_CHECKPOINTS {
            let mut keep = false;
            self.checkpoints.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.checkpoints.push_back(Checkpoint { number: self.last_part, next, landmarks });
        self.last_part
    }

    fn add_event(&mut self, id: &SegmentId, kind: FeedEventKind, only: Option<Context>) {
        let part = self.last_part;
        // It may well be readable now.
        self.requeue_unreadable(id);
        if let Some(reason) = self.queued.get_mut(id) {
            if reason.last_kind.is_none() {
                reason.feed_source.kind = Some(kind);
                self.named_count += 1;
            }
            reason.last_kind = Some(kind);
            reason.feed_source.contexts.extend(only);
            return;
        }
        if let Some((_, refetch)) = self.in_flight.get_mut(id) {
            // The fetch under way may return the state from before this event.
            let refetch = refetch.get_or_insert_with(|| {
                *self.pending_by_part.entry(part).or_default() += 1;
                FetchReason {
                    feed_source: FeedSource { kind: Some(kind), ..FeedSource::default() },
                    last_kind: None,
                    part,
                }
            });
            refetch.last_kind = Some(kind);
            refetch.feed_source.contexts.extend(only);
            return;
        }
        let mut feed_source = FeedSource { kind: Some(kind), ..FeedSource::default() };
        feed_source.contexts.extend(only);
        *self.pending_by_part.entry(part).or_default() += 1;
        self.enqueue(id.clone(), FetchReason { feed_source, last_kind: Some(kind), part });
    }

    /// Adds a segment to fetch for a reason other than the feed.
    pub fn add_segment(&mut self, id: SegmentId) {
        if self.requeue_unreadable(&id) || self.queued.contains_key(&id) || self.in_flight.contains_key(&id) {
            return;
        }
        let part = self.last_part;
        *self.pending_by_part.entry(part).or_default() += 1;
        self.enqueue(id, FetchReason { feed_source: FeedSource::default(), last_kind: None, part });
    }

    /// Queues an unreadable segment again. Returns whether it was unreadable.
    pub fn requeue_unreadable(&mut self, id: &SegmentId) -> bool {
        let Some(reason) = self.unreadable.remove(id) else { return false };
        *self.pending_by_part.entry(reason.part).or_default() += 1;
        self.enqueue(id.clone(), reason);
        true
    }

    fn enqueue(&mut self, id: SegmentId, reason: FetchReason) {
        self.named_count += usize::from(reason.last_kind.is_some());
        self.last_queue_seq += 1;
        let queue_seq = self.last_queue_seq;
        self.queue.insert(queue_seq, id.clone());
        self.queued.insert(id, reason);
    }

    /// Takes the next segment to fetch. It counts as being fetched from now on.
    pub fn begin_fetch(&mut self) -> Option<(SegmentId, FeedSource)> {
        let (_, id) = self.queue.pop_first()?;
        let reason = self.queued.remove(&id)?;
        self.named_count -= usize::from(reason.last_kind.is_some());
        self.in_flight.insert(id.clone(), (reason, None));
        Some((id, reason.feed_source))
    }

    /// Records a response: the segment is done, unless it was named again meanwhile.
    pub fn complete_fetch(&mut self, id: &SegmentId) {
        let Some((reason, refetch)) = self.in_flight.remove(id) else { return };
        self.decrement_pending(reason.part);
        if let Some(refetch) = refetch {
            self.enqueue(id.clone(), refetch);
        }
    }

    /// Queues a segment again whose fetch failed.
    pub fn retry_fetch(&mut self, id: &SegmentId) {
        let Some((mut reason, refetch)) = self.in_flight.remove(id) else { return };
        if let Some(refetch) = refetch {
            self.decrement_pending(refetch.part);
            reason.last_kind = refetch.last_kind.or(reason.last_kind);
            reason.feed_source.kind = reason.feed_source.kind.or(refetch.feed_source.kind);
            reason.feed_source.contexts.extend(refetch.feed_source.contexts.iter());
        }
        self.enqueue(id.clone(), reason);
    }

    /// Marks a segment as unreadable whose fetch failed, so that nothing waits for it. It is fetched again when requeued, or at
    /// once if it was named again meanwhile.
    pub fn mark_unreadable(&mut self, id: &SegmentId) {
        if self.in_flight.get(id).is_some_and(|(_, refetch)| refetch.is_some()) {
            return self.retry_fetch(id);
        }
        let Some((reason, _)) = self.in_flight.remove(id) else { return };
        self.decrement_pending(reason.part);
        self.unreadable.insert(id.clone(), reason);
    }

    fn decrement_pending(&mut self, part: PartNumber) {
        if let Entry::Occupied(mut pending) = self.pending_by_part.entry(part) {
            *pending.get_mut() -= 1;
            if *pending.get() == 0 {
                pending.remove();
            }
        }
    }

    /// Settles queued and unreadable segments that were named up to a part and for which `settles` returns true: they need no
    /// fetch. `settles` is passed how the feed first named the segment, and the kind of the last event.
    pub fn settle_up_to(
        &mut self,
        part: PartNumber,
        mut settles: impl FnMut(&SegmentId, FeedSource, Option<FeedEventKind>) -> bool,
    ) {
        let queue: Vec<(u64, SegmentId)> = self.queue.iter().map(|(queue_seq, id)| (*queue_seq, id.clone())).collect();
        for (queue_seq, id) in queue {
            let reason = self.queued.get(&id).copied().filter(|reason| reason.part <= part);
            let Some(reason) = reason.filter(|reason| settles(&id, reason.feed_source, reason.last_kind)) else {
                continue;
            };
            self.queued.remove(&id);
            self.queue.remove(&queue_seq);
            self.named_count -= usize::from(reason.last_kind.is_some());
            self.decrement_pending(reason.part);
        }
        self.unreadable.retain(|id, reason| reason.part > part || !settles(id, reason.feed_source, reason.last_kind));
    }

    /// Settles unreadable segments that were named up to a part and for which `settles` returns true. Returns them.
    pub fn settle_unreadable_up_to(
        &mut self,
        part: PartNumber,
        settles: impl Fn(&SegmentId) -> bool,
    ) -> Vec<SegmentId> {
        let due = self.unreadable.iter().filter(|(id, reason)| reason.part <= part && settles(id));
        let settled: Vec<SegmentId> = due.map(|(id, _)| id.clone()).collect();
        for id in &settled {
            self.unreadable.remove(id);
        }
        settled
    }

    /// Whether everything up to a part is settled, other than unreadable segments.
    pub fn is_settled_up_to(&self, part: PartNumber) -> bool {
        self.pending_by_part.first_key_value().is_none_or(|(first, _)| *first > part)
    }

    /// Returns the last part up to which everything is settled, if that has advanced.
    pub fn take_settled(&mut self) -> Option<Checkpoint> {
        let mut settled = None;
        let unreadable = self.unreadable.values().map(|reason| reason.part);
        let first_pending = self.pending_by_part.keys().next().copied().into_iter().chain(unreadable).min();
        while let Some(checkpoint) = self.checkpoints.front()
            && first_pending.is_none_or(|first| checkpoint.number < first)
        {
            settled = self.checkpoints.pop_front();
        }
        settled
    }

    /// The part that was read last.
    pub const fn last_part(&self) -> PartNumber {
        self.last_part
    }

    /// Number of segments to fetch, including those being fetched.
    pub fn len(&self) -> usize {
        self.queued.len() + self.in_flight.len()
    }

    /// Number of waiting segments that the feed has named.
    pub const fn named_count(&self) -> usize {
        self.named_count
    }

    /// Whether any segment waits to be fetched.
    pub fn has_queued(&self) -> bool {
        !self.queued.is_empty()
    }

    /// Returns some of the segments to fetch, starting with new ones.
    pub fn pending_ids(&self, limit: usize) -> Vec<SegmentId> {
        let all = self.in_flight.iter().map(|(id, (reason, _))| (id, reason.feed_source.kind));
        let queued = self.queue.values().map(|id| (id, self.queued.get(id).and_then(|reason| reason.feed_source.kind)));
        let all = all.chain(queued);
        let (new, other): (Vec<_>, Vec<_>) = all.partition(|(_, kind)| *kind == Some(FeedEventKind::Created));
        new.into_iter().chain(other).map(|(id, _)| id.clone()).take(limit).collect()
    }

    /// Forgets everything, because the feed is read from elsewhere and a list shows what exists.
    pub fn clear(&mut self) {
        let (last_part, last_queue_seq) = (self.last_part, self.last_queue_seq);
        *self = Self { last_part, last_queue_seq, ..Self::default() };
    }
}
