//! The piece that each visible node is in: a table of all nodes if many are visible, else a map of the visible ones.

use hashbrown::HashMap;

use crate::forest::arena::NodeIndex;

/// The number of the piece that each node is in.
#[derive(Debug, Clone)]
pub(super) enum RowIndex {
    Map(HashMap<NodeIndex, u32>),
    /// By node index.
    Table(Vec<u32>),
}

/// Marks a node that is not in the list.
const NO_PIECE: u32 = u32::MAX;

impl Default for RowIndex {
    fn default() -> Self {
        Self::Map(HashMap::new())
    }
}

impl RowIndex {
    /// Creates an empty index for about `rows` rows; more than `max_in_map` need a table.
    pub fn of(rows: usize, max_in_map: usize) -> Self {
        if rows > max_in_map { Self::Table(Vec::with_capacity(rows)) } else { Self::default() }
    }

    pub fn get(&self, node: NodeIndex) -> Option<u32> {
        match self {
            Self::Map(pieces) => pieces.get(&node).copied(),
            Self::Table(pieces) => pieces.get(node.slot()).copied().filter(|piece| *piece != NO_PIECE),
        }
    }

    /// Records that nodes are in a piece.
    pub fn assign(&mut self, nodes: impl Iterator<Item = NodeIndex> + Clone, number: u32, max_in_map: usize) {
        match self {
            Self::Map(pieces) => {
                pieces.extend(nodes.map(|node| (node, number)));
                if pieces.len() > max_in_map {
                    self.become_table();
                }
            }
            Self::Table(pieces) => {
                let slots = nodes.clone().map(|node| node.slot() + 1).max().unwrap_or(0);
                if slots > pieces.len() {
                    pieces.resize(slots, NO_PIECE);
                }
                nodes.for_each(|node| pieces[node.slot()] = number);
            }
        }
    }

    pub fn remove(&mut self, node: NodeIndex) {
        match self {
            Self::Map(pieces) => drop(pieces.remove(&node)),
            Self::Table(pieces) => pieces[node.slot()] = NO_PIECE,
        }
    }

    fn become_table(&mut self) {
        let Self::Map(by_node) = std::mem::take(self) else { return };
        let slots = by_node.keys().map(|node| node.slot() + 1).max().unwrap_or(0);
        let mut pieces = vec![NO_PIECE; slots];
        for (node, number) in by_node {
            pieces[node.slot()] = number;
        }
        *self = Self::Table(pieces);
    }
}
