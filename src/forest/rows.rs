//! The visible rows: a flat list, so that what is on the screen is found without a walk through the tree.

use std::ops::Range;

use super::arena::{Arena, Content, NodeIndex};

/// A node that is visible, and how deep it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Visible {
    pub node: NodeIndex,
    pub depth: u32,
}

/// The visible rows from the top down.
#[derive(Debug, Default)]
pub(super) struct Rows {
    list: Vec<Visible>,
}

impl Rows {
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    pub fn get(&self, range: Range<usize>) -> &[Visible] {
        let end = range.end.min(self.list.len());
        self.list.get(range.start..end).unwrap_or_default()
    }

    pub fn position(&self, node: NodeIndex) -> Option<usize> {
        self.list.iter().position(|visible| visible.node == node)
    }

    /// Lists everything anew.
    pub fn rebuild(&mut self, arena: &mut Arena) {
        self.list.clear();
        let mut waiting = Vec::new();
        for heading in [NodeIndex::CIRCLES, NodeIndex::MISSING] {
            if !arena.children(heading).is_empty() {
                waiting.push(Visible { node: heading, depth: 0 });
            }
        }
        push_children(arena, NodeIndex::TOP, 0, &mut waiting);
        list(arena, waiting, &mut self.list);
    }

    /// Lists what is below one node anew, after it or something below it was folded or unfolded.
    pub fn refresh(&mut self, arena: &mut Arena, node: NodeIndex) {
        let Some(at) = self.position(node) else { return };
        let depth = self.list[at].depth;
        let below = self.list[at + 1..].iter().take_while(|visible| visible.depth > depth).count();
        let mut fresh = Vec::new();
        if arena.is_open(node) {
            let mut waiting = Vec::new();
            push_children(arena, node, depth + 1, &mut waiting);
            list(arena, waiting, &mut fresh);
        }
        self.list.splice(at + 1..at + 1 + below, fresh);
    }

    /// The next row on the same level under the same parent, else the one before, else the parent.
    pub fn heir(&self, at: usize) -> Option<NodeIndex> {
        let depth = self.list.get(at)?.depth;
        let next = self.list[at + 1..].iter().find(|visible| visible.depth <= depth);
        let previous = self.list[..at].iter().rfind(|visible| visible.depth <= depth);
        next.filter(|visible| visible.depth == depth).or(previous).map(|visible| visible.node)
    }
}

/// Takes the waiting nodes from the end, and what is unfolded under each before the next.
fn list(arena: &mut Arena, mut waiting: Vec<Visible>, rows: &mut Vec<Visible>) {
    while let Some(visible) = waiting.pop() {
        rows.push(visible);
        if !matches!(arena.content(visible.node), Content::Top) && arena.is_open(visible.node) {
            push_children(arena, visible.node, visible.depth + 1, &mut waiting);
        }
    }
}

fn push_children(arena: &mut Arena, node: NodeIndex, depth: u32, waiting: &mut Vec<Visible>) {
    arena.sort_children(node);
    waiting.extend(arena.children(node).iter().rev().map(|child| Visible { node: *child, depth }));
}
