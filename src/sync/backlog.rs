//! Segments that the feed named and that were not fetched since, and the position up to which everything named is settled.
//!
//! The feed is read ahead of the fetches, so there are two positions: the one to read on from, and the one before which every
//! named segment was fetched. Only the latter may be stored: a session that starts from it misses nothing. So it never passes
//! a segment that is set apart because it can't be read, for however long. A segment is queued once, however often the feed
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
pub(super) struct Settled {
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
    waiting: HashMap<SegmentId, Named>,
    /// The order in which waiting segments are fetched.
    turns: BTreeMap<u64, SegmentId>,
    /// Segments being fetched, and how each was named again since its fetch began.
    looked_at: BTreeMap<SegmentId, (Named, Option<Named>)>,
    /// Segments whose fetch failed and that are left alone for a while. Few.
    apart: BTreeMap<SegmentId, Named>,
    /// Parts that were read and are not known to be settled, the earliest first.
    parts: VecDeque<Settled>,
    /// Number of segments to fetch by the part that named them, not counting those set apart.
    owed: BTreeMap<PartNumber, usize>,
    last_part: PartNumber,
    last_turn: u64,
    /// Number of waiting segments that the feed has named.
    named: usize,
}

/// Parts remembered while an earlier one is not settled. Beyond that, every other one is forgotten, so that the position may
/// advance a little later than it could.
const MOST_PARTS: usize = 1_024;

/// Why a segment is to be fetched.
#[derive(Debug, Clone, Copy)]
struct Named {
    mention: FeedSource,
    /// Kind of the last event; `None` if the feed did not name it.
    last: Option<FeedEventKind>,
    /// The first part that named it since it was last fetched.
    part: PartNumber,
}

impl Backlog {
    /// Takes in a part of the feed.
    pub fn read<'a>(
        &mut self,
        events: impl IntoIterator<Item = (&'a SegmentId, FeedEventKind, Option<Context>)>,
        next: Position,
        landmarks: Vec<Landmark>,
    ) -> PartNumber {
        self.last_part.0 += 1;
        for (id, kind, only) in events {
            self.name(id, kind, only);
        }
        if self.parts.len() >= MOST_PARTS {
            let mut keep = false;
            self.parts.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.parts.push_back(Settled { number: self.last_part, next, landmarks });
        self.last_part
    }

    fn name(&mut self, id: &SegmentId, kind: FeedEventKind, only: Option<Context>) {
        let part = self.last_part;
        // It may well be readable now.
        self.resume(id);
        if let Some(named) = self.waiting.get_mut(id) {
            if named.last.is_none() {
                named.mention.kind = Some(kind);
                self.named += 1;
            }
            named.last = Some(kind);
            named.mention.contexts.extend(only);
            return;
        }
        if let Some((_, again)) = self.looked_at.get_mut(id) {
            // The fetch under way may return the state from before this event.
            let again = again.get_or_insert_with(|| {
                *self.owed.entry(part).or_default() += 1;
                Named { mention: FeedSource { kind: Some(kind), ..FeedSource::default() }, last: None, part }
            });
            again.last = Some(kind);
            again.mention.contexts.extend(only);
            return;
        }
        let mut mention = FeedSource { kind: Some(kind), ..FeedSource::default() };
        mention.contexts.extend(only);
        *self.owed.entry(part).or_default() += 1;
        self.enqueue(id.clone(), Named { mention, last: Some(kind), part });
    }

    /// Adds a segment to fetch for a reason other than the feed.
    pub fn owe(&mut self, id: SegmentId) {
        if self.resume(&id) || self.waiting.contains_key(&id) || self.looked_at.contains_key(&id) {
            return;
        }
        let part = self.last_part;
        *self.owed.entry(part).or_default() += 1;
        self.enqueue(id, Named { mention: FeedSource::default(), last: None, part });
    }

    /// Queues a segment again that was set apart. Returns whether it was set apart.
    pub fn resume(&mut self, id: &SegmentId) -> bool {
        let Some(named) = self.apart.remove(id) else { return false };
        *self.owed.entry(named.part).or_default() += 1;
        self.enqueue(id.clone(), named);
        true
    }

    fn enqueue(&mut self, id: SegmentId, named: Named) {
        self.named += usize::from(named.last.is_some());
        self.last_turn += 1;
        let turn = self.last_turn;
        self.turns.insert(turn, id.clone());
        self.waiting.insert(id, named);
    }

    /// Takes the next segment to fetch. It counts as being fetched from now on.
    pub fn begin_look(&mut self) -> Option<(SegmentId, FeedSource)> {
        let (_, id) = self.turns.pop_first()?;
        let named = self.waiting.remove(&id)?;
        self.named -= usize::from(named.last.is_some());
        self.looked_at.insert(id.clone(), (named, None));
        Some((id, named.mention))
    }

    /// Records a response: the segment is done, unless it was named again meanwhile.
    pub fn looked(&mut self, id: &SegmentId) {
        let Some((named, again)) = self.looked_at.remove(id) else { return };
        self.pay(named.part);
        if let Some(again) = again {
            self.enqueue(id.clone(), again);
        }
    }

    /// Queues a segment again whose fetch failed.
    pub fn look_again(&mut self, id: &SegmentId) {
        let Some((mut named, again)) = self.looked_at.remove(id) else { return };
        if let Some(again) = again {
            self.pay(again.part);
            named.last = again.last.or(named.last);
            named.mention.kind = named.mention.kind.or(again.mention.kind);
            named.mention.contexts.extend(again.mention.contexts.iter());
        }
        self.enqueue(id.clone(), named);
    }

    /// Sets apart a segment whose fetch failed, so that nothing waits for it. It is fetched again when it is resumed, or at
    /// once if it was named again meanwhile.
    pub fn set_apart(&mut self, id: &SegmentId) {
        if self.looked_at.get(id).is_some_and(|(_, again)| again.is_some()) {
            return self.look_again(id);
        }
        let Some((named, _)) = self.looked_at.remove(id) else { return };
        self.pay(named.part);
        self.apart.insert(id.clone(), named);
    }

    fn pay(&mut self, part: PartNumber) {
        if let Entry::Occupied(mut owed) = self.owed.entry(part) {
            *owed.get_mut() -= 1;
            if *owed.get() == 0 {
                owed.remove();
            }
        }
    }

    /// Settles waiting and set-apart segments that were named up to a part and for which `settles` returns true: they need no
    /// fetch. `settles` is passed how the feed first named the segment, and the kind of the last event.
    pub fn settle_up_to(
        &mut self,
        part: PartNumber,
        mut settles: impl FnMut(&SegmentId, FeedSource, Option<FeedEventKind>) -> bool,
    ) {
        let turns: Vec<(u64, SegmentId)> = self.turns.iter().map(|(turn, id)| (*turn, id.clone())).collect();
        for (turn, id) in turns {
            let named = self.waiting.get(&id).copied().filter(|named| named.part <= part);
            let Some(named) = named.filter(|named| settles(&id, named.mention, named.last)) else { continue };
            self.waiting.remove(&id);
            self.turns.remove(&turn);
            self.named -= usize::from(named.last.is_some());
            self.pay(named.part);
        }
        self.apart.retain(|id, named| named.part > part || !settles(id, named.mention, named.last));
    }

    /// Settles segments that are set apart, were named up to a part, and for which `settles` returns true. Returns them.
    pub fn settle_apart_up_to(&mut self, part: PartNumber, settles: impl Fn(&SegmentId) -> bool) -> Vec<SegmentId> {
        let due = self.apart.iter().filter(|(id, named)| named.part <= part && settles(id));
        let settled: Vec<SegmentId> = due.map(|(id, _)| id.clone()).collect();
        for id in &settled {
            self.apart.remove(id);
        }
        settled
    }

    /// Whether everything up to a part is settled, other than what is set apart.
    pub fn is_settled_up_to(&self, part: PartNumber) -> bool {
        self.owed.first_key_value().is_none_or(|(owed, _)| *owed > part)
    }

    /// Returns the last part up to which everything is settled, if that has advanced.
    pub fn settled(&mut self) -> Option<Settled> {
        let mut settled = None;
        let apart = self.apart.values().map(|named| named.part);
        let first_owed = self.owed.keys().next().copied().into_iter().chain(apart).min();
        while let Some(part) = self.parts.front()
            && first_owed.is_none_or(|owed| part.number < owed)
        {
            settled = self.parts.pop_front();
        }
        settled
    }

    /// The part that was read last.
    pub const fn last_part(&self) -> PartNumber {
        self.last_part
    }

    /// Number of segments to fetch, including those being fetched.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.looked_at.len()
    }

    /// Number of waiting segments that the feed has named.
    pub const fn named(&self) -> usize {
        self.named
    }

    /// Whether any segment waits to be fetched.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns some of the segments to fetch, starting with new ones.
    pub fn some(&self, most: usize) -> Vec<SegmentId> {
        let all = self.looked_at.iter().map(|(id, (named, _))| (id, named.mention.kind));
        let waiting = self.turns.values().map(|id| (id, self.waiting.get(id).and_then(|named| named.mention.kind)));
        let all = all.chain(waiting);
        let (new, other): (Vec<_>, Vec<_>) = all.partition(|(_, kind)| *kind == Some(FeedEventKind::Created));
        new.into_iter().chain(other).map(|(id, _)| id.clone()).take(most).collect()
    }

    /// Forgets everything, because the feed is read from elsewhere and a list shows what exists.
    pub fn forget(&mut self) {
        let (last_part, last_turn) = (self.last_part, self.last_turn);
        *self = Self { last_part, last_turn, ..Self::default() };
    }
}
