//! The segments with each external id, found without a scan.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};

use crate::segment::table;

use super::arena::NodeIndex;

/// An index from external ids to nodes. It stores no texts: the caller passes a function that returns them.
#[derive(Debug, Clone, Default)]
pub(super) struct ExternalIdIndex {
    /// One node for each external id.
    table: HashTable<NodeIndex>,
    /// All nodes with an external id if there are several, by the one in the table. Rarely used.
    several: HashMap<NodeIndex, Vec<NodeIndex>>,
    hasher: FixedState,
}

impl ExternalIdIndex {
    /// Reserves room for more external ids.
    pub fn reserve<'a>(&mut self, more: usize, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let hasher = &self.hasher;
        self.table.reserve(more, |bearer| hasher.hash_one(text_of(*bearer).unwrap_or_default()));
    }

    /// Whether some node has an external id. Very rarely `true` if none has; `false` is certain.
    pub fn probably_has(&self, external_id: &str) -> bool {
        self.table.find(self.hasher.hash_one(external_id), |_| true).is_some()
    }

    /// Adds a node with an external id. `text_of` returns the external ids of nodes added before.
    pub fn insert<'a>(&mut self, external_id: &str, node: NodeIndex, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let hasher = &self.hasher;
        let same = |bearer: &NodeIndex| text_of(*bearer) == Some(external_id);
        let rehash = |bearer: &NodeIndex| hasher.hash_one(text_of(*bearer).unwrap_or_default());
        table::make_room(&mut self.table, rehash);
        match self.table.entry(hasher.hash_one(external_id), same, rehash) {
            Entry::Vacant(entry) => {
                entry.insert(node);
            }
            Entry::Occupied(entry) => {
                let first = *entry.get();
                self.several.entry(first).or_insert_with(|| vec![first]).push(node);
            }
        }
    }

    /// Removes a node with an external id.
    pub fn remove<'a>(&mut self, external_id: &str, node: NodeIndex, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let same = |bearer: &NodeIndex| text_of(*bearer) == Some(external_id);
        let Ok(mut entry) = self.table.find_entry(self.hasher.hash_one(external_id), same) else { return };
        let Some(mut bearers) = self.several.remove(entry.get()) else {
            entry.remove();
            return;
        };
        bearers.retain(|bearer| *bearer != node);
        if let Some(first) = bearers.first().copied() {
            *entry.get_mut() = first;
            if bearers.len() > 1 {
                self.several.insert(first, bearers);
            }
        }
    }

    /// The nodes with an external id, in no particular order.
    pub fn bearers<'a>(
        &self,
        external_id: &str,
        text_of: impl Fn(NodeIndex) -> Option<&'a str>,
    ) -> impl Iterator<Item = NodeIndex> {
        let same = |bearer: &NodeIndex| text_of(*bearer) == Some(external_id);
        let first = self.table.find(self.hasher.hash_one(external_id), same);
        let several = first.and_then(|first| self.several.get(first));
        let only = first.filter(|_| several.is_none());
        only.into_iter().chain(several.into_iter().flatten()).copied()
    }
}
