//! Which segments share an external id, found without a scan.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::arena::NodeIndex;

/// An index from external ids to the nodes that bear them. It keeps no texts: whoever asks tells where they are.
#[derive(Debug, Default)]
pub(super) struct Twins {
    table: HashTable<Bearers>,
    hasher: FixedState,
}

/// The nodes that bear one external id; hardly ever more than one.
#[derive(Debug)]
#[expect(clippy::box_collection, reason = "there are a million of these, and hardly any of that kind")]
enum Bearers {
    One(NodeIndex),
    Many(Box<Vec<NodeIndex>>),
}

impl Bearers {
    fn all(&self) -> &[NodeIndex] {
        match self {
            Self::One(node) => std::slice::from_ref(node),
            Self::Many(nodes) => nodes,
        }
    }

    fn first(&self) -> Option<NodeIndex> {
        self.all().first().copied()
    }
}

impl Twins {
    /// Makes room for so many external ids more.
    pub fn reserve<'a>(&mut self, more: usize, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let hasher = &self.hasher;
        let rehash = |bearers: &Bearers| hasher.hash_one(bearers.first().and_then(&text_of).unwrap_or_default());
        self.table.reserve(more, rehash);
    }

    /// Notes that a node bears an external id. `text_of` tells the external ids of the nodes that were noted before.
    pub fn insert<'a>(&mut self, external_id: &str, node: NodeIndex, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let hasher = &self.hasher;
        let same = |bearers: &Bearers| bearers.first().and_then(&text_of) == Some(external_id);
        let rehash = |bearers: &Bearers| hasher.hash_one(bearers.first().and_then(&text_of).unwrap_or_default());
        match self.table.entry(hasher.hash_one(external_id), same, rehash) {
            Entry::Vacant(entry) => {
                entry.insert(Bearers::One(node));
            }
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Bearers::One(first) => *entry.get_mut() = Bearers::Many(Box::new(vec![*first, node])),
                Bearers::Many(nodes) => nodes.push(node),
            },
        }
    }

    /// Forgets that a node bears an external id.
    pub fn remove<'a>(&mut self, external_id: &str, node: NodeIndex, text_of: impl Fn(NodeIndex) -> Option<&'a str>) {
        let same = |bearers: &Bearers| bearers.first().and_then(&text_of) == Some(external_id);
        let Ok(mut entry) = self.table.find_entry(self.hasher.hash_one(external_id), same) else { return };
        let others: Vec<NodeIndex> = entry.get().all().iter().copied().filter(|other| *other != node).collect();
        match others.as_slice() {
            [] => {
                entry.remove();
            }
            [last] => *entry.get_mut() = Bearers::One(*last),
            _ => *entry.get_mut() = Bearers::Many(Box::new(others)),
        }
    }

    /// The nodes that bear an external id, in no particular order.
    pub fn bearers<'a>(&self, external_id: &str, text_of: impl Fn(NodeIndex) -> Option<&'a str>) -> &[NodeIndex] {
        let same = |bearers: &Bearers| bearers.first().and_then(&text_of) == Some(external_id);
        self.table.find(self.hasher.hash_one(external_id), same).map_or(&[], Bearers::all)
    }

    pub fn clear(&mut self) {
        self.table.clear();
    }
}
