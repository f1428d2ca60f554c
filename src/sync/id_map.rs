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
    pub seq: RequestSeq,
}

/// A view of an entry.
#[derive(Debug)]
pub(super) struct CachedRef<'a> {
    pub segment: &'a Arc<Segment>,
    pub seq: RequestSeq,
}

/// A mutable view of an entry. The id must not change.
#[derive(Debug)]
pub(super) struct CachedMut<'a> {
    pub segment: &'a mut Arc<Segment>,
    seq: &'a mut CompactSeq,
}

/// A sequence number in half the memory. Request rates are bounded: at twenty per second, four billion last almost seven
/// years.
#[derive(Debug, Clone, Copy)]
struct CompactSeq(u32);

impl From<RequestSeq> for CompactSeq {
    fn from(seq: RequestSeq) -> Self {
        Self(u32::try_from(seq.0).unwrap_or(u32::MAX))
    }
}

impl From<CompactSeq> for RequestSeq {
    fn from(seq: CompactSeq) -> Self {
        Self(seq.0.into())
    }
}

impl CachedMut<'_> {
    pub fn seq(&self) -> RequestSeq {
        (*self.seq).into()
    }

    pub fn confirm(&mut self, seq: RequestSeq) {
        *self.seq = seq.into();
    }
}

/// Segments with unique ids.
#[derive(Debug, Default)]
pub(super) struct IdMap {
    /// In no particular order.
    segments: Vec<Arc<Segment>>,
    /// Sequence number of each segment, in a vector of its own to avoid padding.
    seqs: Vec<CompactSeq>,
    /// Index of each entry.
    indices: HashTable<u32>,
    hasher: FixedState,
}

impl IdMap {
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    pub fn get(&self, id: &SegmentId) -> Option<CachedRef<'_>> {
        let index = self.index_of(id)?;
        Some(CachedRef { segment: self.segments.get(index)?, seq: (*self.seqs.get(index)?).into() })
    }

    pub fn get_mut(&mut self, id: &SegmentId) -> Option<CachedMut<'_>> {
        let index = self.index_of(id)?;
        Some(CachedMut { segment: self.segments.get_mut(index)?, seq: self.seqs.get_mut(index)? })
    }

    /// Touches the table slots of segments, so that they are in the CPU cache when the segments are entered one by one. The
    /// slots are scattered in memory, and probing them together overlaps the cache misses.
    pub fn prefetch(&self, segments: &[Arc<Segment>]) {
        let known = |segment: &&Arc<Segment>| self.indices.find(self.hasher.hash_one(&segment.id), |_| true).is_some();
        black_box(segments.iter().filter(known).count());
    }

    /// Enters a segment unless its id is taken. Returns whether it was entered.
    pub fn insert_new(&mut self, cached: Cached) -> bool {
        let Self { segments, seqs, indices, hasher } = self;
        let id = &cached.segment.id;
        let is_same = |index: &u32| segments[*index as usize].id == *id;
        let rehash = |index: &u32| hasher.hash_one(&segments[*index as usize].id);
        table::make_room(indices, rehash);
        let Entry::Vacant(entry) = indices.entry(hasher.hash_one(id), is_same, rehash) else { return false };
        // Four billion segments don't fit into any memory.
        entry.insert(u32::try_from(segments.len()).unwrap_or(u32::MAX));
        segments.push(cached.segment);
        seqs.push(cached.seq.into());
        true
    }

    /// Enters a segment, replacing one with the same id.
    pub fn insert(&mut self, cached: Cached) {
        let Self { segments, seqs, indices, hasher } = self;
        let id = &cached.segment.id;
        let is_same = |index: &u32| segments[*index as usize].id == *id;
        let rehash = |index: &u32| hasher.hash_one(&segments[*index as usize].id);
        match indices.entry(hasher.hash_one(id), is_same, rehash) {
            Entry::Occupied(entry) => {
                let index = *entry.get() as usize;
                (segments[index], seqs[index]) = (cached.segment, cached.seq.into());
            }
            Entry::Vacant(entry) => {
                // Four billion segments don't fit into any memory.
                entry.insert(u32::try_from(segments.len()).unwrap_or(u32::MAX));
                segments.push(cached.segment);
                seqs.push(cached.seq.into());
            }
        }
    }

    pub fn remove(&mut self, id: &SegmentId) {
        let Self { segments, seqs, indices, hasher } = self;
        let found = indices.find_entry(hasher.hash_one(id), |index| segments[*index as usize].id == *id);
        let Ok(found) = found else { return };
        let (index, _) = found.remove();
        let last = segments.len() - 1;
        // The last entry moves to the free place.
        let hash = segments.last().map(|segment| hasher.hash_one(&segment.id)).unwrap_or_default();
        if let Some(moved) = indices.find_mut(hash, |other| *other as usize == last) {
            *moved = index;
        }
        segments.swap_remove(index as usize);
        seqs.swap_remove(index as usize);
    }

    pub fn iter(&self) -> impl Iterator<Item = CachedRef<'_>> {
        self.segments.iter().zip(&self.seqs).map(|(segment, seq)| CachedRef { segment, seq: (*seq).into() })
    }

    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.segments.iter()
    }

    fn index_of(&self, id: &SegmentId) -> Option<usize> {
        let is_same = |index: &u32| self.segments[*index as usize].id == *id;
        self.indices.find(self.hasher.hash_one(id), is_same).map(|index| *index as usize)
    }
}

impl FromIterator<Cached> for IdMap {
    fn from_iter<I: IntoIterator<Item = Cached>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut map = Self::default();
        let capacity = entries.size_hint().0;
        map.segments.reserve(capacity);
        map.seqs.reserve(capacity);
        // The table is empty, so there is nothing to rehash.
        map.indices.reserve(capacity, |_| 0);
        entries.for_each(|cached| map.insert(cached));
        map
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_entry_is_found_until_it_is_removed(steps in proptest::collection::vec(("[a-f]", any::<bool>()), 0..40)) {
            let mut map = IdMap::default();
            let mut expected = std::collections::BTreeMap::new();
            for (number, (text, insert)) in (0..).zip(steps) {
                let id = SegmentId::new(&text).unwrap();
                if insert {
                    let segment = Segment { id: id.clone(), name: text.into(), external_id: None, parent: None };
                    map.insert(Cached { segment: Arc::new(segment), seq: RequestSeq(number) });
                    expected.insert(id, RequestSeq(number));
                } else {
                    map.remove(&id);
                    expected.remove(&id);
                }
                prop_assert_eq!(map.iter().count(), expected.len());
                for id in ["a", "b", "c", "d", "e", "f"].map(|text| SegmentId::new(text).unwrap()) {
                    prop_assert_eq!(map.get(&id).map(|cached| cached.seq), expected.get(&id).copied());
                }
            }
        }
    }
}
