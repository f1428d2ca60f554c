//! The visible rows: a list, so that what is on the screen is found without a walk through the tree.

mod homes;
mod listing;
mod pieces;

use std::ops::Range;

use super::arena::{Arena, NodeIndex, Touched};
#[cfg(test)]
use super::limits::Limits;

use pieces::Pieces;

/// A node that is visible, and how deep it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Visible {
    pub node: NodeIndex,
    pub depth: u32,
}

/// The visible rows from the top down.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    list: Pieces,
}

impl Rows {
    #[cfg(test)]
    pub fn within(limits: &'static Limits) -> Self {
        Self { list: Pieces::within(limits) }
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

    /// Lists everything anew, about as many rows as there are now.
    pub fn rebuild(&mut self, arena: &mut Arena) {
        self.rebuild_about(arena, self.len());
    }

    /// Lists everything anew after rows may have become very many.
    pub fn rebuild_many(&mut self, arena: &mut Arena) {
        self.rebuild_about(arena, arena.node_count());
    }

    fn rebuild_about(&mut self, arena: &mut Arena, expected: usize) {
        let mut rows = Vec::with_capacity(expected);
        listing::below(arena, NodeIndex::TOP, 0, expected, &mut rows);
        self.fill_below_top(arena, rows);
    }

    /// Makes these the rows, before the headings and what is below those.
    pub fn fill_below_top(&mut self, arena: &mut Arena, mut rows: Vec<Visible>) {
        for heading in [NodeIndex::MISSING, NodeIndex::CIRCLES] {
            if arena.has_children(heading) {
                listing::from(arena, Visible { node: heading, depth: 0 }, &mut rows);
            }
        }
        self.list.fill(&rows);
    }

    /// Follows what was hung elsewhere, let go or brought in.
    pub fn follow(&mut self, arena: &mut Arena, touched: Touched) {
        let Touched::Nodes { hung, reordered } = touched else { return self.rebuild(arena) };
        let count = hung.len() + reordered.len();
        if count > 1 && count * self.list.limits().one_costs_rows > self.len() {
            return self.rebuild(arena);
        }
        for node in &hung {
            self.remove(*node);
        }
        for heading in [NodeIndex::MISSING, NodeIndex::CIRCLES] {
            if !arena.has_children(heading) {
                self.remove(heading);
            }
        }
        self.reorder(arena, &reordered);
        for node in hung {
            let Some(up) = arena.up(node) else { continue };
            let hangs_under_a_heading = !up.is_ordinary() && up != NodeIndex::TOP;
            let topmost = if hangs_under_a_heading && !self.list.contains(up) { up } else { node };
            self.insert(arena, topmost);
        }
    }

    /// Moves what stands elsewhere among its siblings now, with all that is visible below it. All of them are taken out first, the
    /// deepest before those above, since each is put before the next sibling that is in its place.
    fn reorder(&mut self, arena: &mut Arena, nodes: &[NodeIndex]) {
        let place = |node: &NodeIndex| Some((self.list.get(self.position(*node)?)?.depth, *node));
        let mut placed: Vec<(u32, NodeIndex)> = nodes.iter().filter_map(place).collect();
        placed.sort_unstable_by(|one, other| other.cmp(one));
        placed.dedup();
        let mut moving = Vec::with_capacity(placed.len());
        for (depth, node) in placed {
            let Some(at) = self.position(node) else { continue };
            let end = at + 1 + self.below(at, depth);
            moving.push((node, self.list.take_out(at..end)));
        }
        for (node, stretch) in moving.into_iter().rev() {
            let at = self.place_behind(arena, node);
            self.list.put_in(at, stretch);
        }
        self.list.join();
    }

    /// Lists what is below one node anew, after it or something below it was folded or unfolded.
    pub fn refresh(&mut self, arena: &mut Arena, node: NodeIndex) {
        let Some(at) = self.position(node) else { return };
        let Some(Visible { depth, .. }) = self.list.get(at) else { return };
        let mut fresh = Vec::new();
        if arena.is_open(node) {
            listing::below(arena, node, depth + 1, arena.descendants(node) as usize, &mut fresh);
        }
        self.list.replace(at + 1..at + 1 + self.below(at, depth), &fresh);
    }

    /// The next row on the same level under the same parent, else the one before, else the parent.
    pub fn next_selection(&self, at: usize) -> Option<NodeIndex> {
        let depth = self.list.get(at)?.depth;
        let next = self.list.from(at + 1).find(|visible| visible.depth <= depth);
        let previous = self.list.before(at).find(|visible| visible.depth <= depth);
        next.filter(|visible| visible.depth == depth).or(previous).map(|visible| visible.node)
    }

    /// How many rows follow that are deeper than one.
    fn below(&self, at: usize, depth: u32) -> usize {
        self.list.deeper_from(at + 1, depth)
    }

    /// Takes out a node and what is visible below it.
    fn remove(&mut self, node: NodeIndex) {
        let Some(at) = self.position(node) else { return };
        let Some(Visible { depth, .. }) = self.list.get(at) else { return };
        self.list.replace(at..at + 1 + self.below(at, depth), &[]);
    }

    /// Brings in a node and what is unfolded below it, if it is to be seen and not there already.
    fn insert(&mut self, arena: &mut Arena, node: NodeIndex) {
        let Some(up) = arena.up(node).filter(|_| !self.list.contains(node)) else { return };
        let depth = if up == NodeIndex::TOP {
            0
        } else {
            let above = self.position(up).filter(|_| arena.is_open(up)).and_then(|at| self.list.get(at));
            let Some(above) = above else { return };
            above.depth + 1
        };
        let mut rows = Vec::new();
        listing::from(arena, Visible { node, depth }, &mut rows);
        let at = self.place_behind(arena, node);
        self.list.replace(at..at, &rows);
    }

    /// The place of whatever comes after a node and all below it.
    fn place_behind(&self, arena: &mut Arena, node: NodeIndex) -> usize {
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
            let Some(up) = arena.up(node) else { return self.len() };
            let next = arena.siblings_after(node).find_map(|sibling| self.position(sibling));
            match next {
                Some(next) => return next,
                None if up == NodeIndex::TOP => {
                    return headings.into_iter().flatten().next().unwrap_or_else(|| self.len());
                }
                None => node = up,
            }
        }
    }
}
