//! A set of nodes that can be walked in tree order without visiting the whole tree.
//!
//! The ancestors of each member are marked, so that a walk visits only branches with members. A mark may be outdated, which costs
//! a step and does no other harm.

use super::arena::{Arena, NodeIndex};

/// One bit for each node.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits(Vec<u64>);

const WORD: usize = u64::BITS as usize;

impl Bits {
    pub fn has(&self, node: NodeIndex) -> bool {
        self.0.get(node.slot() / WORD).is_some_and(|word| word >> (node.slot() % WORD) & 1 == 1)
    }

    /// Sets a bit and returns whether it was clear.
    pub fn set(&mut self, node: NodeIndex) -> bool {
        let word = node.slot() / WORD;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let bit = 1 << (node.slot() % WORD);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Clears a bit and returns whether it was set.
    pub fn clear(&mut self, node: NodeIndex) -> bool {
        let had = self.has(node);
        if had {
            self.0[node.slot() / WORD] &= !(1 << (node.slot() % WORD));
        }
        had
    }

    /// The nodes whose bits are set, by index.
    pub fn iter(&self) -> impl Iterator<Item = NodeIndex> {
        (0..).zip(&self.0).flat_map(|(word, bits)| {
            let rest = std::iter::successors(Some(*bits), |bits| Some(bits & bits.wrapping_sub(1)));
            let rest = rest.take_while(|bits| *bits != 0);
            rest.map(move |bits| NodeIndex::at(word * WORD + bits.trailing_zeros() as usize))
        })
    }
}

/// A set of nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeSet {
    members: Bits,
    /// Nodes with members below them, and perhaps some that had.
    ancestors: Bits,
    count: usize,
}

impl NodeSet {
    pub const fn count(&self) -> usize {
        self.count
    }

    pub fn contains(&self, node: NodeIndex) -> bool {
        self.members.has(node)
    }

    pub fn insert(&mut self, arena: &Arena, node: NodeIndex) {
        if self.members.set(node) {
            self.count += 1;
            self.mark_ancestors(arena, node);
        }
    }

    pub fn remove(&mut self, node: NodeIndex) {
        if self.members.clear(node) {
            self.count -= 1;
        }
    }

    /// Records that a node has another parent now.
    pub fn update_ancestors(&mut self, arena: &Arena, node: NodeIndex) {
        if self.is_member_or_ancestor(node) {
            self.mark_ancestors(arena, node);
        }
    }

    /// Records that any node may have another parent now.
    pub fn rebuild_ancestors(&mut self, arena: &Arena) {
        self.ancestors = Bits::default();
        for slot in 0..self.members.0.len() * WORD {
            let node = NodeIndex::at(slot);
            if self.members.has(node) {
                self.mark_ancestors(arena, node);
            }
        }
    }

    /// Marks the ancestors of a node. Stops at the first one that is marked already, since those above it are too.
    fn mark_ancestors(&mut self, arena: &Arena, node: NodeIndex) {
        let mut at = node;
        while let Some(parent) = arena.parent(at)
            && self.ancestors.set(parent)
        {
            at = parent;
        }
    }

    fn is_member_or_ancestor(&self, node: NodeIndex) -> bool {
        self.members.has(node) || self.ancestors.has(node)
    }

    /// The members in tree order.
    pub fn in_order<'a>(&'a self, arena: &'a Arena) -> impl Iterator<Item = NodeIndex> {
        let mut walk = Walk { node_set: self, arena, stack: Vec::new() };
        for heading in [NodeIndex::CIRCLES, NodeIndex::MISSING] {
            walk.push_children(heading);
        }
        walk.push_children(NodeIndex::TOP);
        walk
    }

    /// Returns the next member after a node, whether or not the node is one; the first member after the top.
    pub fn after(&self, arena: &mut Arena, node: NodeIndex) -> Option<NodeIndex> {
        let mut at = node;
        loop {
            let mut next = self.first_child(arena, at);
            while next.is_none() {
                next = self.sibling_after(arena, at);
                if next.is_none() {
                    at = arena.parent(at)?;
                }
            }
            at = next?;
            if self.members.has(at) {
                return Some(at);
            }
        }
    }

    /// Returns the last member before a node; the last of all before the top.
    pub fn before(&self, arena: &mut Arena, node: NodeIndex) -> Option<NodeIndex> {
        let mut at = node;
        loop {
            let sibling = match at {
                NodeIndex::TOP => self.last_child(arena, at),
                _ => self.sibling_before(arena, at),
            };
            at = match sibling {
                Some(sibling) => self.last_below(arena, sibling),
                None => arena.parent(at).filter(|parent| *parent != NodeIndex::TOP)?,
            };
            if self.members.has(at) {
                return Some(at);
            }
        }
    }

    /// Returns the last node of the branch with members below a node; the node itself if there is none.
    fn last_below(&self, arena: &mut Arena, node: NodeIndex) -> NodeIndex {
        let mut at = node;
        while let Some(child) = self.last_child(arena, at) {
            at = child;
        }
        at
    }
}

/// Steps to nodes that are, or contain, members. The headings come after the children of the top.
impl NodeSet {
    fn first_child(&self, arena: &mut Arena, node: NodeIndex) -> Option<NodeIndex> {
        if !self.ancestors.has(node) {
            return None;
        }
        arena.sort_children(node);
        let child = arena.children(node).find(|child| self.is_member_or_ancestor(*child));
        child.or_else(|| headings_below(node).find(|heading| self.is_member_or_ancestor(*heading)))
    }

    fn last_child(&self, arena: &mut Arena, node: NodeIndex) -> Option<NodeIndex> {
        if !self.ancestors.has(node) {
            return None;
        }
        arena.sort_children(node);
        let heading = headings_below(node).rev().find(|heading| self.is_member_or_ancestor(*heading));
        heading.or_else(|| arena.children(node).rev().find(|child| self.is_member_or_ancestor(*child)))
    }

    fn sibling_after(&self, arena: &mut Arena, node: NodeIndex) -> Option<NodeIndex> {
        let headings = match node {
            NodeIndex::CIRCLES => return None,
            NodeIndex::MISSING => &HEADINGS[1..],
            _ if arena.parent(node)? == NodeIndex::TOP => &HEADINGS,
            _ => &[],
        };
        let sibling = if has_siblings(arena, node) {
            arena.siblings_after(node).find(|sibling| self.is_member_or_ancestor(*sibling))
        } else {
            None
        };
        sibling.or_else(|| headings.iter().copied().find(|heading| self.is_member_or_ancestor(*heading)))
    }

    fn sibling_before(&self, arena: &mut Arena, node: NodeIndex) -> Option<NodeIndex> {
        match node {
            NodeIndex::CIRCLES if self.is_member_or_ancestor(NodeIndex::MISSING) => Some(NodeIndex::MISSING),
            NodeIndex::CIRCLES | NodeIndex::MISSING => {
                arena.sort_children(NodeIndex::TOP);
                arena.children(NodeIndex::TOP).rev().find(|child| self.is_member_or_ancestor(*child))
            }
            _ if has_siblings(arena, node) => {
                arena.siblings_before(node).find(|sibling| self.is_member_or_ancestor(*sibling))
            }
            _ => None,
        }
    }
}

/// Whether a node has siblings. In a chain, where none has, this is much cheaper than finding its place.
fn has_siblings(arena: &Arena, node: NodeIndex) -> bool {
    arena.parent(node).is_some_and(|parent| arena.child_count(parent) > 1)
}

fn headings_below(node: NodeIndex) -> impl DoubleEndedIterator<Item = NodeIndex> {
    HEADINGS.into_iter().filter(move |_| node == NodeIndex::TOP)
}

const HEADINGS: [NodeIndex; 2] = [NodeIndex::MISSING, NodeIndex::CIRCLES];

struct Walk<'a> {
    node_set: &'a NodeSet,
    arena: &'a Arena,
    stack: Vec<NodeIndex>,
}

impl Walk<'_> {
    fn push_children(&mut self, node: NodeIndex) {
        if self.node_set.ancestors.has(node)
            && let Some(children) = self.arena.sorted_children(node)
        {
            self.stack.extend(children.iter().rev().filter(|child| self.node_set.is_member_or_ancestor(*child)));
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = NodeIndex;

    fn next(&mut self) -> Option<NodeIndex> {
        loop {
            let node = self.stack.pop()?;
            self.push_children(node);
            if self.node_set.contains(node) {
                return Some(node);
            }
        }
    }
}
