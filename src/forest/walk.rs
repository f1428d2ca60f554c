//! Walks through the tree: up to the top, and down in display order.

use std::iter;
use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::Forest;
use super::arena::{Arena, NodeIndex};

impl Forest {
    /// Returns the parent of a segment as displayed; `None` for one at the top, an orphan, or one where a cycle was cut.
    #[must_use]
    pub fn parent(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.ancestors(id).next()
    }

    /// Returns the children of a segment or a missing parent, in order.
    #[must_use]
    pub fn children(&self, id: &SegmentId) -> Vec<&Arc<Segment>> {
        let Some(node) = self.arena.find(id) else { return Vec::new() };
        let children = self.arena.sorted_children(node);
        children.iter().flat_map(|children| children.iter()).filter_map(|child| self.arena.segment(child)).collect()
    }

    /// The ancestors of a segment or a missing parent, nearest first.
    pub fn ancestors(&self, id: &SegmentId) -> impl Iterator<Item = &Arc<Segment>> {
        let parent = |node: &NodeIndex| self.arena.parent(*node);
        let above = self.arena.find(id).and_then(|node| parent(&node));
        iter::successors(above, parent).map_while(|node| self.arena.segment(node))
    }

    /// Returns the segments on the path from the top to a segment, including itself.
    #[must_use]
    pub fn path(&self, id: &SegmentId) -> Vec<&Arc<Segment>> {
        let mut path: Vec<&Arc<Segment>> = self.get(id).into_iter().chain(self.ancestors(id)).collect();
        path.reverse();
        path
    }

    /// Whether a segment is a descendant of another. None is a descendant of itself.
    #[must_use]
    pub fn is_below(&self, id: &SegmentId, ancestor: &SegmentId) -> bool {
        self.ancestors(id).any(|segment| segment.id == *ancestor)
    }

    /// The descendants of a segment or a missing parent in display order, each with its depth below it, counted from 1.
    pub fn descendants(&self, id: &SegmentId) -> impl Iterator<Item = (u32, &Arc<Segment>)> {
        let mut walk = Preorder { arena: &self.arena, stack: Vec::new() };
        if let Some(node) = self.arena.find(id) {
            walk.push_children(node, 1);
        }
        walk
    }

    /// Number of levels below a segment, 0 for one without children.
    #[must_use]
    pub fn height(&self, id: &SegmentId) -> usize {
        self.descendants(id).map(|(depth, _)| depth as usize).max().unwrap_or(0)
    }

    /// Returns the number of descendants at each level, nearest first. Takes time proportional to their number.
    #[must_use]
    pub fn levels(&self, id: &SegmentId) -> Vec<usize> {
        let below = |nodes: &[NodeIndex]| nodes.iter().flat_map(|node| self.arena.children(*node)).collect::<Vec<_>>();
        let top: Vec<NodeIndex> = self.arena.find(id).into_iter().collect();
        iter::successors(Some(below(&top)), |level| Some(below(level)))
            .map(|level| level.len())
            .take_while(|count| *count > 0)
            .collect()
    }

    /// All segments in the order in which they are shown when everything is expanded, each with the depth of its row.
    pub fn preorder(&self) -> impl Iterator<Item = (u32, &Arc<Segment>)> {
        let mut walk = Preorder { arena: &self.arena, stack: Vec::new() };
        walk.push_children(NodeIndex::CIRCLES, 1);
        walk.push_children(NodeIndex::MISSING, 1);
        walk.push_children(NodeIndex::TOP, 0);
        walk
    }
}

/// Depth first, parents before children.
struct Preorder<'a> {
    arena: &'a Arena,
    stack: Vec<(u32, NodeIndex)>,
}

impl Preorder<'_> {
    fn push_children(&mut self, node: NodeIndex, depth: u32) {
        if let Some(children) = self.arena.sorted_children(node) {
            self.stack.extend(children.iter().rev().map(|child| (depth, child)));
        }
    }
}

impl<'a> Iterator for Preorder<'a> {
    type Item = (u32, &'a Arc<Segment>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (depth, node) = self.stack.pop()?;
            self.push_children(node, depth + 1);
            if let Some(segment) = self.arena.segment(node) {
                return Some((depth, segment));
            }
        }
    }
}
