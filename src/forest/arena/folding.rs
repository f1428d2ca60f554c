//! Which nodes are expanded. It is remembered for each node, whether visible or not.

use std::sync::Arc;

use crate::segment::Segment;

use super::{Arena, Kind, Node, NodeIndex};

impl Arena {
    pub fn is_open(&self, node: NodeIndex) -> bool {
        let node = &self.nodes[node.slot()];
        match node.kind {
            Kind::Segment => node.open,
            Kind::Ghost | Kind::Heading(_) => !node.is_collapsed,
            Kind::Top => true,
            Kind::Free => false,
        }
    }

    /// Whether a node shows children.
    pub fn shows_children(&self, node: NodeIndex) -> bool {
        self.has_children(node) && self.is_open(node)
    }

    /// Returns a bit for each node, by index: whether it shows children.
    pub fn expanded_bits(&self) -> Vec<u64> {
        let word = |(first, nodes): (usize, &[Node])| {
            (first..)
                .take(nodes.len())
                .map(NodeIndex::at)
                .enumerate()
                .fold(0, |word, (bit, node)| word | u64::from(self.shows_children(node)) << bit)
        };
        self.nodes.chunks(64).enumerate().map(|(at, nodes)| (at * 64, nodes)).map(word).collect()
    }

    pub fn set_open(&mut self, node: NodeIndex, open: bool) {
        let node = &mut self.nodes[node.slot()];
        match node.kind {
            Kind::Segment => node.open = open,
            Kind::Ghost | Kind::Heading(_) => node.is_collapsed = !open,
            Kind::Top | Kind::Free => {}
        }
    }

    /// Expands a node and all its descendants.
    pub fn open_below(&mut self, node: NodeIndex) {
        let mut stack = vec![node];
        while let Some(node) = stack.pop() {
            self.set_open(node, true);
            stack.extend(self.children(node));
        }
    }

    /// Expands the ancestors of a node and returns the topmost one that was collapsed.
    pub fn open_above(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        let mut topmost = None;
        let mut above = self.parent(node);
        while let Some(node) = above {
            if !self.is_open(node) {
                self.set_open(node, true);
                topmost = Some(node);
            }
            above = self.parent(node);
        }
        topmost
    }

    /// Expands the segments above a level and collapses the others; `None` expands everything.
    pub fn fold_to_level(&mut self, level: Option<u32>) {
        for node in &mut self.nodes {
            match (node.kind, level) {
                (Kind::Segment, _) => node.open = level.is_none(),
                (_, None) => node.is_collapsed = false,
                (_, Some(_)) => {}
            }
        }
        let Some(level) = level else { return };
        let mut stack = vec![(NodeIndex::TOP, 0), (NodeIndex::MISSING, 0), (NodeIndex::CIRCLES, 0)];
        while let Some((node, depth)) = stack.pop() {
            if depth < level {
                if self.kind(node) == Kind::Segment {
                    self.set_open(node, true);
                }
                stack.extend(self.children(node).map(|child| (child, depth + 1)));
            }
        }
    }

    pub fn open_segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        let open =
            (0..).map(NodeIndex::at).zip(&self.nodes).filter(|(_, node)| node.open && node.kind == Kind::Segment);
        open.filter_map(|(index, _)| self.segment(index))
    }
}
