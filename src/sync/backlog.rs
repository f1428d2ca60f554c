//! What the feed has named and nobody has looked at since, and up to where everything that it named is settled.
//!
//! The feed is read ahead of the looks, so there are two positions: the one to read on from, and the one before which every
//! segment that was named has been looked at. Only that one may be stored: a program that starts from it misses nothing. So it
//! never passes a segment that was set apart since it can't be read, for however long. A segment waits once, however often the
//! feed names it. No I/O and no clock: parts of the feed and answers come in as values.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use crate::remote::{Context, FeedEventKind, Landmark, Position};
use crate::segment::SegmentId;

use super::message::FeedSource;

/// The number of a part of the feed that was read. Later parts have greater numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartNumber(u64);

/// Where the feed goes on after a part, and how the part is recognised.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    /// The part.
    pub number: PartNumber,
    /// Where to read on after it.
    pub next: Position,
    /// The last parts up to it that named something.
    pub landmarks: Vec<Landmark>,
}

/// The segments that are owed a look, in the order in which they were named.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: HashMap<SegmentId, Named>,
    /// The turns in which those that wait are looked at.
    turns: BTreeMap<u64, SegmentId>,
    /// Those that are being looked at, and how each was named again since the look began.
    looked_at: BTreeMap<SegmentId, (Named, Option<Named>)>,
    /// Those whose look has failed, and that are left alone for a while. Few.
    apart: BTreeMap<SegmentId, Named>,
    /// Parts that were read and are not known to be settled, the earliest first.
    parts: VecDeque<Settled>,
    /// How many segments are owed a look since each part, those set apart not included.
    owed: BTreeMap<PartNumber, usize>,
    last_part: PartNumber,
    last_turn: u64,
    /// How many of those that wait the feed has named.
    named: usize,
}

/// Parts that are remembered while one before them is not settled. With more, every other one is forgotten, so that the position
/// may move on a little later than it could.
const MOST_PARTS: usize = 1_024;

/// Why a segment is owed a look.
#[derive(Debug, Clone, Copy)]
struct Named {
    mention: FeedSource,
    /// What the feed said last had happened; `None` when it was not the feed that led there.
    last: Option<FeedEventKind>,
    /// The first part that named it since it was looked at.
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
            // What the look under way tells may be from before this.
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

    /// A segment is owed a look for another reason than the feed.
    pub fn owe(&mut self, id: SegmentId) {
        if self.resume(&id) || self.waiting.contains_key(&id) || self.looked_at.contains_key(&id) {
            return;
        }
        let part = self.last_part;
        *self.owed.entry(part).or_default() += 1;
        self.enqueue(id, Named { mention: FeedSource::default(), last: None, part });
    }

    /// A segment that was set apart is looked at again. Answers whether there was such a one.
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

    /// The next segment to look at. It is being looked at from now on.
    pub fn begin_look(&mut self) -> Option<(SegmentId, FeedSource)> {
        let (_, id) = self.turns.pop_first()?;
        let named = self.waiting.remove(&id)?;
        self.named -= usize::from(named.last.is_some());
        self.looked_at.insert(id.clone(), (named, None));
        Some((id, named.mention))
    }

    /// A look has its answer: the segment is owed no other, unless it was named again meanwhile.
    pub fn looked(&mut self, id: &SegmentId) {
        let Some((named, again)) = self.looked_at.remove(id) else { return };
        self.pay(named.part);
        if let Some(again) = again {
            self.enqueue(id.clone(), again);
        }
    }

    /// A look has failed and is to be repeated.
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

    /// A look has failed, and others are not to wait for the segment. It is looked at again when it is resumed, and at once if it was
    /// named again meanwhile.
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

    /// Segments that wait or are set apart, as another way of learning about them than looks may settle them: each that `settles`
    /// answers yes for is owed no look any more. It is told how the segment was named first and last. Only what was named up to a
    /// part is asked about.
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

    /// Segments that are set apart and were named up to a part: each that `settles` answers yes for is owed no look any more, and is
    /// answered.
    pub fn settle_apart_up_to(&mut self, part: PartNumber, settles: impl Fn(&SegmentId) -> bool) -> Vec<SegmentId> {
        let due = self.apart.iter().filter(|(id, named)| named.part <= part && settles(id));
        let settled: Vec<SegmentId> = due.map(|(id, _)| id.clone()).collect();
        for id in &settled {
            self.apart.remove(id);
        }
        settled
    }

    /// Whether everything is settled up to a part, what is set apart aside.
    pub fn is_settled_up_to(&self, part: PartNumber) -> bool {
        self.owed.first_key_value().is_none_or(|(owed, _)| *owed > part)
    }

    /// The last part of the feed up to which everything is settled, if that has moved on.
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

    /// How many segments are owed a look, those that are being looked at included.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.looked_at.len()
    }

    /// How many segments wait for a look because the feed has named them.
    pub const fn named(&self) -> usize {
        self.named
    }

    /// Whether any segment waits for a look.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Some of the segments that are owed a look, those first that the feed calls new.
    pub fn some(&self, most: usize) -> Vec<SegmentId> {
        let all = self.looked_at.iter().map(|(id, (named, _))| (id, named.mention.kind));
        let waiting = self.turns.values().map(|id| (id, self.waiting.get(id).and_then(|named| named.mention.kind)));
        let all = all.chain(waiting);
        let (new, other): (Vec<_>, Vec<_>) = all.partition(|(_, kind)| *kind == Some(FeedEventKind::Created));
        new.into_iter().chain(other).map(|(id, _)| id.clone()).take(most).collect()
    }

    /// Forgets everything: the feed is read from elsewhere, and a list tells what there is.
    pub fn forget(&mut self) {
        let (last_part, last_turn) = (self.last_part, self.last_turn);
        *self = Self { last_part, last_turn, ..Self::default() };
    }
}
