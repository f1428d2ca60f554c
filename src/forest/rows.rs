//! The visible rows, as a list, so that those on the screen are found without walking the tree.

mod homes;
mod listing;
mod pieces;

use std::ops::Range;

use super::arena::{Arena, NodeIndex, Touched};
#[cfg(test)]
use super::limits::Limits;

use pieces::Pieces;

/// A visible node and its depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Visible {
    pub node: NodeIndex,
    pub depth: u32,
}

/// The visible rows, from the top down.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    list: Pieces,
}

impl Rows {
    #[cfg(test)]
    pub fn with_limits(limits: &'static Limits) -> Self {
        Self { list: Pieces::with_limits(limits) }
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = Visible> {
        let end = range.end.min(self.len());
        self.list.from(range.start).take(end.saturating_sub(range.start))
    }

    pub fn position(&self, node: NodeIndex) -> Option<usize> {
        self.list.position(node)
    }

    /// Lists all rows again, about as many as there are now.
    pub fn rebuild(&mut self, arena: &mut Arena) {
        self.rebuild_about(arena, self.len());
    }

    /// Lists all rows again when there may be many more than before.
    pub fn rebuild_many(&mut self, arena: &mut Arena) {
        self.rebuild_about(arena, arena.node_count());
    }

    fn rebuild_about(&mut self, arena: &mut Arena, expected: usize) {
        let mut rows = Vec::with_capacity(expected);
        listing::below(arena, NodeIndex::TOP, 0, expected, &mut rows);
        self.fill_below_top(arena, rows);
    }

    /// Sets the rows below the top, and adds the headings with their descendants.
    pub fn fill_below_top(&mut self, arena: &mut Arena, mut rows: Vec<Visible>) {
        for heading in [NodeIndex::MISSING, NodeIndex::CIRCLES] {
            if arena.has_children(heading) {
                listing::from(arena, Visible { node: heading, depth: 0 }, &mut rows);
            }
        }
        self.list.fill(&rows);
    }

    /// Updates the rows after nodes were attached, detached or reordered.
    pub fn follow(&mut self, arena: &mut Arena, touched: Touched) {
        let Touched::Nodes { relinked, reordered } = touched else { return self.rebuild(arena) };
        let count = relinked.len() + reordered.len();
        if count > 1 && count * self.list.limits().update_cost_in_rows > self.len() {
            return self.rebuild(arena);
        }
        for node in &relinked {
            self.remove(*node);
        }
        for heading in [NodeIndex::MISSING, NodeIndex::CIRCLES] {
            if !arena.has_children(heading) {
                self.remove(heading);
            }
        }
        self.reorder(arena, &reordered);
        for node in relinked {
            let Some(parent) = arena.parent(node) else { continue };
            let hangs_under_a_heading = !parent.is_ordinary() && parent != NodeIndex::TOP;
            let topmost = if hangs_under_a_heading && !self.list.contains(parent) { parent } else { node };
            self.insert(arena, topmost);
        }
    }

    /// Moves nodes to their new places among their siblings, with their visible descendants. All are taken out first, the deepest
    /// first, and put back in reverse order, each before its next sibling that is in place.
    fn reorder(&mut self, arena: &mut Arena, nodes: &[NodeIndex]) {
        let place = |node: &NodeIndex| Some((self.list.get(self.position(*node)?)?.depth, *node));
        let mut by_depth: Vec<(u32, NodeIndex)> = nodes.iter().filter_map(place).collect();
        by_depth.sort_unstable_by(|one, other| other.cmp(one));
        by_depth.dedup();
        let mut moving = Vec::with_capacity(by_depth.len());
        for (depth, node) in by_depth {
            let Some(at) = self.position(node) else { continue };
            let end = at + 1 + self.below(at, depth);
            moving.push((node, self.list.excise(at..end)));
        }
        for (node, excised) in moving.into_iter().rev() {
            let at = self.index_after(arena, node);
            self.list.reinsert(at, excised);
        }
        self.list.merge_if_fragmented();
    }

    /// Lists the rows below a node again, after it or a descendant was expanded or collapsed.
    pub fn refresh(&mut self, arena: &mut Arena, node: NodeIndex) {
        let Some(at) = self.position(node) else { return };
        let Some(Visible { depth, .. }) = self.list.get(at) else { return };
        let mut fresh = Vec::new();
        if arena.is_open(node) {
            listing::below(arena, node, depth + 1, arena.descendants(node) as usize, &mut fresh);
        }
        self.list.replace(at + 1..at + 1 + self.below(at, depth), &fresh);
    }

    /// Returns the next sibling's row, else the previous sibling's, else the parent's.
    pub fn next_selection(&self, at: usize) -> Option<NodeIndex> {
        let depth = self.list.get(at)?.depth;
        let next = self.list.from(at + 1).find(|visible| visible.depth <= depth);
        let previous = self.list.before(at).find(|visible| visible.depth <= depth);
        next.filter(|visible| visible.depth == depth).or(previous).map(|visible| visible.node)
    }

    /// Number of rows below a row.
    fn below(&self, at: usize, depth: u32) -> usize {
        self.list.deeper_from(at + 1, depth)
    }

    /// Removes a node and its visible descendants.
    fn remove(&mut self, node: NodeIndex) {
        let Some(at) = self.position(node) else { return };
        let Some(Visible { depth, .. }) = self.list.get(at) else { return };
        self.list.replace(at..at + 1 + self.below(at, depth), &[]);
    }

    /// Inserts a node and its visible descendants, if its parent shows it and it is not there already.
    fn insert(&mut self, arena: &mut Arena, node: NodeIndex) {
        let Some(parent) = arena.parent(node).filter(|_| !self.list.contains(node)) else { return };
        let depth = if parent == NodeIndex::TOP {
            0
        } else {
            let above = self.position(parent).filter(|_| arena.is_open(parent)).and_then(|at| self.list.get(at));
            let Some(above) = above else { return };
            above.depth + 1
        };
        let mut rows = Vec::new();
        listing::from(arena, Visible { node, depth }, &mut rows);
        let at = self.index_after(arena, node);
        self.list.replace(at..at, &rows);
    }

    /// Returns the index of the row that comes after a node and its descendants.
    fn index_after(&self, arena: &mut Arena, node: NodeIndex) -> usize {
        let mut node = node;
        loop {
            let headings = match node {
                NodeIndex::CIRCLES => [None, None],
                NodeIndex::MISSING => [None, self.position(NodeIndex::CIRCLES)],
                _ => [self.position(NodeIndex::MISSING), self.position(NodeIndex::CIRCLES)],
            };
            if !node.is_ordinary() {
                return headings.into_iter().flatten().next().unwrap_or_else(|| self.len());
            }
            let Some(parent) = arena.parent(node) else { return self.len() };
            let next = arena.siblings_after(node).find_map(|sibling| self.position(sibling));
            match next {
                Some(next) => return next,
                None if parent == NodeIndex::TOP => {
                    return headings.into_iter().flatten().next().unwrap_or_else(|| self.len());
                }
                None => node = parent,
            }
        }
    }
}
