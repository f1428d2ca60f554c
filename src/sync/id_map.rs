//! A map of segments by id that uses as little memory as possible: the ids are stored only in the segments.

use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::segment::{Segment, SegmentId, table};

use super::segment_cache::RequestSeq;

/// A segment, and the sequence number of the request that returned it.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    pub segment: Arc<Segment>,
    pub asked: RequestSeq,
}

/// A view of an entry.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub segment: &'a Arc<Segment>,
    pub asked: RequestSeq,
}

/// A mutable view of an entry. The id must not change.
#[derive(Debug)]
pub(super) struct KnownMut<'a> {
    pub segment: &'a mut Arc<Segment>,
    asked: &'a mut Question,
}

/// A sequence number in half the memory. Request rates are bounded: at twenty per second, four billion last almost seven
/// years.
#[derive(Debug, Clone, Copy)]
struct Question(u32);

impl From<RequestSeq> for Question {
    fn from(asked: RequestSeq) -> Self {
        Self(u32::try_from(asked.0).unwrap_or(u32::MAX))
    }
}

impl From<Question> for RequestSeq {
    fn from(question: Question) -> Self {
        Self(question.0.into())
    }
}

impl KnownMut<'_> {
    pub fn asked(&self) -> RequestSeq {
        (*self.asked).into()
    }

    pub fn confirm(&mut self, asked: RequestSeq) {
        *self.asked = asked.into();
    }
}

/// Segments with unique ids.
#[derive(Debug, Default)]
pub(super) struct IdMap {
    /// In no particular order.
    segments: Vec<Arc<Segment>>,
    /// Sequence number of each segment, in a vector of its own to avoid padding.
    asked: Vec<Question>,
    /// Index of each entry.
    places: HashTable<u32>,
    hasher: FixedState,
}

impl IdMap {
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    pub fn get(&self, id: &SegmentId) -> Option<Known<'_>> {
        let place = self.place(id)?;
        Some(Known { segment: self.segments.get(place)?, asked: (*self.asked.get(place)?).into() })
    }

    pub fn get_mut(&mut self, id: &SegmentId) -> Option<KnownMut<'_>> {
        let place = self.place(id)?;
        Some(KnownMut { segment: self.segments.get_mut(place)?, asked: self.asked.get_mut(place)? })
    }

    /// Touches the table slots of segments, so that they are in the CPU cache when the segments are entered one by one. The
    /// slots are scattered in memory, and probing them together overlaps the cache misses.
    pub fn look_ahead(&self, segments: &[Arc<Segment>]) {
        let known = |segment: &&Arc<Segment>| self.places.find(self.hasher.hash_one(&segment.id), |_| true).is_some();
        black_box(segments.iter().filter(known).count());
    }

    /// Enters a segment unless its id is taken. Returns whether it was entered.
    pub fn put_new(&mut self, entered: Cached) -> bool {
        let Self { segments, asked, places, hasher } = self;
        let id = &entered.segment.id;
        let same = |place: &u32| segments[*place as usize].id == *id;
        let rehash = |place: &u32| hasher.hash_one(&segments[*place as usize].id);
        table::make_room(places, rehash);
        let Entry::Vacant(entry) = places.entry(hasher.hash_one(id), same, rehash) else { return false };
        // Four billion segments don't fit into any memory.
        entry.insert(u32::try_from(segments.len()).unwrap_or(u32::MAX));
        segments.push(entered.segment);
        asked.push(entered.asked.into());
        true
    }

    /// Enters a segment, replacing one with the same id.
    pub fn put(&mut self, entered: Cached) {
        let Self { segments, asked, places, hasher } = self;
        let id = &entered.segment.id;
        let same = |place: &u32| segments[*place as usize].id == *id;
        let rehash = |place: &u32| hasher.hash_one(&segments[*place as usize].id);
        match places.entry(hasher.hash_one(id), same, rehash) {
            Entry::Occupied(entry) => {
                let place = *entry.get() as usize;
                (segments[place], asked[place]) = (entered.segment, entered.asked.into());
            }
            Entry::Vacant(entry) => {
                // Four billion segments don't fit into any memory.
                entry.insert(u32::try_from(segments.len()).unwrap_or(u32::MAX));
                segments.push(entered.segment);
                asked.push(entered.asked.into());
            }
        }
    }

    pub fn remove(&mut self, id: &SegmentId) {
        let Self { segments, asked, places, hasher } = self;
        let found = places.find_entry(hasher.hash_one(id), |place| segments[*place as usize].id == *id);
        let Ok(found) = found else { return };
        let (place, _) = found.remove();
        let last = segments.len() - 1;
        // The last entry moves to the free place.
        let hash = segments.last().map(|segment| hasher.hash_one(&segment.id)).unwrap_or_default();
        if let Some(moved) = places.find_mut(hash, |other| *other as usize == last) {
            *moved = place;
        }
        segments.swap_remove(place as usize);
        asked.swap_remove(place as usize);
    }

    pub fn iter(&self) -> impl Iterator<Item = Known<'_>> {
        self.segments.iter().zip(&self.asked).map(|(segment, asked)| Known { segment, asked: (*asked).into() })
    }

    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.segments.iter()
    }

    fn place(&self, id: &SegmentId) -> Option<usize> {
        let same = |place: &u32| self.segments[*place as usize].id == *id;
        self.places.find(self.hasher.hash_one(id), same).map(|place| *place as usize)
    }
}

impl FromIterator<Cached> for IdMap {
    fn from_iter<I: IntoIterator<Item = Cached>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut register = Self::default();
        let room = entries.size_hint().0;
        register.segments.reserve(room);
        register.asked.reserve(room);
        // The table is empty, so there is nothing to rehash.
        register.places.reserve(room, |_| 0);
        entries.for_each(|entered| register.put(entered));
        register
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_entry_is_found_until_it_is_removed(steps in proptest::collection::vec(("[a-f]", any::<bool>()), 0..40)) {
            let mut register = IdMap::default();
            let mut expected = std::collections::BTreeMap::new();
            for (number, (text, put)) in (0..).zip(steps) {
                let id = SegmentId::new(&text).unwrap();
                if put {
                    let segment = Segment { id: id.clone(), name: text.into(), external_id: None, parent: None };
                    register.put(Cached { segment: Arc::new(segment), asked: RequestSeq(number) });
                    expected.insert(id, RequestSeq(number));
                } else {
                    register.remove(&id);
                    expected.remove(&id);
                }
                prop_assert_eq!(register.iter().count(), expected.len());
                for id in ["a", "b", "c", "d", "e", "f"].map(|text| SegmentId::new(text).unwrap()) {
                    prop_assert_eq!(register.get(&id).map(|entered| entered.asked), expected.get(&id).copied());
                }
            }
        }
    }
}
