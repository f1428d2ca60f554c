//! The piece that each visible node is in: a table of all nodes if many are visible, else a map of the visible ones.

use hashbrown::HashMap;

use crate::forest::arena::NodeIndex;

/// The number of the piece that each node is in.
#[derive(Debug, Clone)]
pub(super) enum RowIndex {
    Few(HashMap<NodeIndex, u32>),
    /// By node index.
    Many(Vec<u32>),
}

/// Marks a node that is not in the list.
const NOWHERE: u32 = u32::MAX;

impl Default for RowIndex {
    fn default() -> Self {
        Self::Few(HashMap::new())
    }
}

impl RowIndex {
    /// Creates an empty index for about `rows` rows; more than `few` need a table.
    pub fn of(rows: usize, few: usize) -> Self {
        if rows > few { Self::Many(Vec::with_capacity(rows)) } else { Self::default() }
    }

    pub fn get(&self, node: NodeIndex) -> Option<u32> {
        match self {
            Self::Few(homes) => homes.get(&node).copied(),
            Self::Many(homes) => homes.get(node.slot()).copied().filter(|home| *home != NOWHERE),
        }
    }

    /// Records that nodes are in a piece.
    pub fn settle(&mut self, nodes: impl Iterator<Item = NodeIndex> + Clone, number: u32, few: usize) {
        match self {
            Self::Few(homes) => {
                homes.extend(nodes.map(|node| (node, number)));
                if homes.len() > few {
                    self.become_many();
                }
            }
            Self::Many(homes) => {
                let slots = nodes.clone().map(|node| node.slot() + 1).max().unwrap_or(0);
                if slots > homes.len() {
                    homes.resize(slots, NOWHERE);
                }
                nodes.for_each(|node| homes[node.slot()] = number);
            }
        }
    }

    pub fn leave(&mut self, node: NodeIndex) {
        match self {
            Self::Few(homes) => drop(homes.remove(&node)),
            Self::Many(homes) => homes[node.slot()] = NOWHERE,
        }
    }

    fn become_many(&mut self) {
        let Self::Few(few) = std::mem::take(self) else { return };
        let slots = few.keys().map(|node| node.slot() + 1).max().unwrap_or(0);
        let mut homes = vec![NOWHERE; slots];
        for (node, number) in few {
            homes[node.slot()] = number;
        }
        *self = Self::Many(homes);
    }
}
