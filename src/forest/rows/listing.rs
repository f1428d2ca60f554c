//! Lists the visible rows below a node, from the top down.
//!
//! Nodes, families and child lists can be anywhere in memory. So what is needed of siblings is loaded together, which lets the
//! cache misses overlap.

use std::hint::black_box;

use crate::forest::arena::{Arena, NodeIndex};

use super::Visible;

/// A row to be listed.
struct PendingRow<'a> {
    visible: Visible,
    /// Its visible children in order, in pieces.
    below: &'a [Vec<NodeIndex>],
}

/// Which nodes show children.
enum ExpandedNodes {
    /// Checked for each node.
    OnDemand,
    /// A bit for each node, small enough to stay in the CPU cache.
    Precomputed(Vec<u64>),
}

/// Listing at least this part of all nodes is worth checking all of them first.
const PRECOMPUTE_DIVISOR: usize = 32;

impl ExpandedNodes {
    /// Chooses by the expected number of rows.
    fn of(arena: &Arena, rows: usize) -> Self {
        if rows < arena.node_count() / PRECOMPUTE_DIVISOR {
            Self::OnDemand
        } else {
            Self::Precomputed(arena.expanded_bits())
        }
    }

    fn has(&self, arena: &Arena, node: NodeIndex) -> bool {
        match self {
            Self::OnDemand => arena.shows_children(node),
            Self::Precomputed(bits) => bits[node.slot() / 64] >> (node.slot() % 64) & 1 == 1,
        }
    }
}

/// Lists a row and its visible descendants.
pub(super) fn from(arena: &mut Arena, visible: Visible, rows: &mut Vec<Visible>) {
    rows.push(visible);
    if arena.shows_children(visible.node) {
        below(arena, visible.node, visible.depth + 1, arena.descendants(visible.node) as usize, rows);
    }
}

/// Lists the visible rows below a node, even if it is collapsed itself, with its children at a depth. `expected` is about their
/// number.
pub(super) fn below(arena: &mut Arena, node: NodeIndex, depth: u32, expected: usize, rows: &mut Vec<Visible>) {
    let expanded_nodes = ExpandedNodes::of(arena, expected);
    arena.sort_children(node);
    match &expanded_nodes {
        ExpandedNodes::OnDemand => sort_below(arena, node),
        ExpandedNodes::Precomputed(bits) => arena.sort_children_of(bits),
    }
    let mut stack = Vec::new();
    push(arena, &expanded_nodes, arena.pieces(node), depth, &mut stack);
    while let Some(PendingRow { visible, below }) = stack.pop() {
        rows.push(visible);
        push(arena, &expanded_nodes, below, visible.depth + 1, &mut stack);
    }
}

fn push<'a>(
    arena: &'a Arena,
    expanded_nodes: &ExpandedNodes,
    pieces: &[Vec<NodeIndex>],
    depth: u32,
    stack: &mut Vec<PendingRow<'a>>,
) {
    let children = pieces.iter().rev().flat_map(|piece| piece.iter().rev());
    stack.extend(children.map(|child| {
        let below = if expanded_nodes.has(arena, *child) { arena.pieces(*child) } else { &[] };
        // Prefetches it for the child's turn.
        black_box(below.last().and_then(|piece| piece.last().copied()));
        PendingRow { visible: Visible { node: *child, depth }, below }
    }));
}

/// Sorts the children of the visible nodes below a node.
fn sort_below(arena: &mut Arena, node: NodeIndex) {
    let mut stack: Vec<NodeIndex> = arena.children(node).collect();
    while let Some(node) = stack.pop() {
        if arena.shows_children(node) {
            arena.sort_children(node);
            stack.extend(arena.children(node));
        }
    }
}
