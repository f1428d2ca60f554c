//! Lists the visible rows below a node, from the top down.
//!
//! Nodes, families and child lists can be anywhere in memory. So what is needed of siblings is loaded together, which lets the
//! cache misses overlap.

use std::hint::black_box;

use crate::forest::arena::{Arena, NodeIndex};

use super::Visible;

/// A row to be listed.
struct Waiting<'a> {
    visible: Visible,
    /// Its visible children in order, in pieces.
    below: &'a [Vec<NodeIndex>],
}

/// Which nodes show children.
enum Unfolding {
    /// Checked for each node.
    Asked,
    /// A bit for each node, small enough to stay in the CPU cache.
    Noted(Vec<u64>),
}

/// Listing at least this part of all nodes is worth checking all of them first.
const LARGE_PART: usize = 32;

impl Unfolding {
    /// Chooses by the expected number of rows.
    fn of(arena: &Arena, rows: usize) -> Self {
        if rows < arena.node_count() / LARGE_PART { Self::Asked } else { Self::Noted(arena.unfolding()) }
    }

    fn has(&self, arena: &Arena, node: NodeIndex) -> bool {
        match self {
            Self::Asked => arena.unfolds(node),
            Self::Noted(bits) => bits[node.slot() / 64] >> (node.slot() % 64) & 1 == 1,
        }
    }
}

/// Lists a row and its visible descendants.
pub(super) fn from(arena: &mut Arena, visible: Visible, rows: &mut Vec<Visible>) {
    rows.push(visible);
    if arena.unfolds(visible.node) {
        below(arena, visible.node, visible.depth + 1, arena.descendants(visible.node) as usize, rows);
    }
}

/// Lists the visible rows below a node, even if it is collapsed itself, with its children at a depth. `expected` is about their
/// number.
pub(super) fn below(arena: &mut Arena, node: NodeIndex, depth: u32, expected: usize, rows: &mut Vec<Visible>) {
    let unfolding = Unfolding::of(arena, expected);
    arena.sort_children(node);
    match &unfolding {
        Unfolding::Asked => sort_below(arena, node),
        Unfolding::Noted(bits) => arena.sort_children_of(bits),
    }
    let mut waiting = Vec::new();
    push(arena, &unfolding, arena.pieces(node), depth, &mut waiting);
    while let Some(Waiting { visible, below }) = waiting.pop() {
        rows.push(visible);
        push(arena, &unfolding, below, visible.depth + 1, &mut waiting);
    }
}

fn push<'a>(
    arena: &'a Arena,
    unfolding: &Unfolding,
    pieces: &[Vec<NodeIndex>],
    depth: u32,
    waiting: &mut Vec<Waiting<'a>>,
) {
    let children = pieces.iter().rev().flat_map(|piece| piece.iter().rev());
    waiting.extend(children.map(|child| {
        let below = if unfolding.has(arena, *child) { arena.pieces(*child) } else { &[] };
        // Prefetches it for the child's turn.
        black_box(below.last().and_then(|piece| piece.last().copied()));
        Waiting { visible: Visible { node: *child, depth }, below }
    }));
}

/// Sorts the children of the visible nodes below a node.
fn sort_below(arena: &mut Arena, node: NodeIndex) {
    let mut waiting: Vec<NodeIndex> = arena.children(node).collect();
    while let Some(node) = waiting.pop() {
        if arena.unfolds(node) {
            arena.sort_children(node);
            waiting.extend(arena.children(node));
        }
    }
}
