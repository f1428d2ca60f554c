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
    shared: HashMap<NodeIndex, Vec<NodeIndex>>,
    hasher: FixedState,
}

impl ExternalIdIndex {
    /// Reserves room for more external ids.
    pub fn reserve<'a>(&mut self, more: usize, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let hasher = &self.hasher;
        self.table.reserve(more, |other| hasher.hash_one(text_of(*other).unwrap_or_default()));
    }

    /// Whether some node has an external id. Very rarely `true` if none has; `false` is certain.
    pub fn probably_has(&self, external_id: &str) -> bool {
        self.table.find(self.hasher.hash_one(external_id), |_| true).is_some()
    }

    /// Adds a node with an external id. `text_of` returns the external ids of nodes added before.
    pub fn insert<'a>(&mut self, external_id: &str, node: NodeIndex, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let hasher = &self.hasher;
        let same = |other: &NodeIndex| text_of(*other) == Some(external_id);
        let rehash = |other: &NodeIndex| hasher.hash_one(text_of(*other).unwrap_or_default());
        table::make_room(&mut self.table, rehash);
        match self.table.entry(hasher.hash_one(external_id), same, rehash) {
            Entry::Vacant(entry) => {
                entry.insert(node);
            }
            Entry::Occupied(entry) => {
                let first = *entry.get();
                self.shared.entry(first).or_insert_with(|| vec![first]).push(node);
            }
        }
    }

    /// Removes a node with an external id.
    pub fn remove<'a>(&mut self, external_id: &str, node: NodeIndex, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let same = |other: &NodeIndex| text_of(*other) == Some(external_id);
        let Ok(mut entry) = self.table.find_entry(self.hasher.hash_one(external_id), same) else { return };
        let Some(mut nodes) = self.shared.remove(entry.get()) else {
            entry.remove();
            return;
        };
        nodes.retain(|other| *other != node);
        if let Some(first) = nodes.first().copied() {
            *entry.get_mut() = first;
            if nodes.len() > 1 {
                self.shared.insert(first, nodes);
            }
        }
    }

    /// The nodes with an external id, in no particular order.
    pub fn nodes_with_external_id<'a>(
        &self,
        external_id: &str,
        text_of: impl Fn(NodeIndex) -> Option<&'a str>,
    ) -> impl Iterator<Item = NodeIndex> {
        let same = |other: &NodeIndex| text_of(*other) == Some(external_id);
        let first = self.table.find(self.hasher.hash_one(external_id), same);
        let shared = first.and_then(|first| self.shared.get(first));
        let only = first.filter(|_| shared.is_none());
        only.into_iter().chain(shared.into_iter().flatten()).copied()
    }
}
