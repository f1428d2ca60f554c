//! Segments found by their ids, in as little memory as that takes: the ids are in the segments already.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::segment::{Segment, SegmentId};

use super::ledger::Asked;

/// A segment, and the question to which it was the answer.
#[derive(Debug, Clone)]
pub(super) struct Entered {
    pub segment: Arc<Segment>,
    pub asked: Asked,
}

/// Segments, each id once.
#[derive(Debug, Default)]
pub(super) struct Register {
    table: HashTable<Entered>,
    hasher: FixedState,
}

impl Register {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn get(&self, id: &SegmentId) -> Option<&Entered> {
        self.table.find(self.hasher.hash_one(id), |entered| entered.segment.id == *id)
    }

    pub fn get_mut(&mut self, id: &SegmentId) -> Option<&mut Entered> {
        self.table.find_mut(self.hasher.hash_one(id), |entered| entered.segment.id == *id)
    }

    /// Enters a segment in the place of one with the same id.
    pub fn put(&mut self, entered: Entered) {
        let hasher = &self.hasher;
        let id = &entered.segment.id;
        let same = |other: &Entered| other.segment.id == *id;
        match self.table.entry(hasher.hash_one(id), same, |other| hasher.hash_one(&other.segment.id)) {
            Entry::Occupied(mut entry) => *entry.get_mut() = entered,
            Entry::Vacant(entry) => {
                entry.insert(entered);
            }
        }
    }

    pub fn remove(&mut self, id: &SegmentId) {
        let found = self.table.find_entry(self.hasher.hash_one(id), |entered| entered.segment.id == *id);
        if let Ok(entry) = found {
            entry.remove();
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entered> {
        self.table.iter()
    }
}

impl IntoIterator for Register {
    type Item = Entered;
    type IntoIter = hashbrown::hash_table::IntoIter<Entered>;

    fn into_iter(self) -> Self::IntoIter {
        self.table.into_iter()
    }
}

impl FromIterator<Entered> for Register {
    fn from_iter<I: IntoIterator<Item = Entered>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut register = Self::default();
        let hasher = &register.hasher;
        register.table.reserve(entries.size_hint().0, |other| hasher.hash_one(&other.segment.id));
        entries.for_each(|entered| register.put(entered));
        register
    }
}
