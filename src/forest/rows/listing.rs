//! Listing what is unfolded below a node, from the top down.
//!
//! Nodes, families and lists of children lie anywhere in memory. So whatever is needed of siblings is asked for together: while
//! one is waited for, the others are on their way.

use std::hint::black_box;

use crate::forest::arena::{Arena, NodeIndex};

use super::Visible;

/// A row that is to be listed.
struct Waiting<'a> {
    visible: Visible,
    /// What is to be listed below it: the children in order, in pieces.
    below: &'a [Vec<NodeIndex>],
}

/// Which nodes show something below them.
enum Unfolding {
    /// To be asked of each node.
    Asked,
    /// A bit for each node, small enough to be at hand all the time.
    Noted(Vec<u64>),
}

/// Of so many nodes, this part is so many that looking at all of them is worth it.
const LARGE_PART: usize = 32;

impl Unfolding {
    /// For listing about as many rows.
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

/// Lists a row and what is unfolded below it.
pub(super) fn from(arena: &mut Arena, visible: Visible, rows: &mut Vec<Visible>) {
    rows.push(visible);
    if arena.unfolds(visible.node) {
        below(arena, visible.node, visible.depth + 1, arena.descendants(visible.node) as usize, rows);
    }
}

/// Lists what is below a node, the children at a depth and what is unfolded below them, whether it is unfolded itself or not.
/// About as many rows are expected.
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
        // Looked at here, it is near when the child's turn comes.
        black_box(below.last().and_then(|piece| piece.last().copied()));
        Waiting { visible: Visible { node: *child, depth }, below }
    }));
}

/// Puts in order whatever is unfolded below a node.
fn sort_below(arena: &mut Arena, node: NodeIndex) {
    let mut waiting: Vec<NodeIndex> = arena.children(node).collect();
    while let Some(node) = waiting.pop() {
        if arena.unfolds(node) {
            arena.sort_children(node);
            waiting.extend(arena.children(node));
        }
    }
}
