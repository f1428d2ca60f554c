//! Linking everything at once, in time that depends on the number of nodes only.

use super::{Arena, Content, NodeIndex, Touched};

impl Arena {
    /// Hangs every node where it belongs, whatever hung where before. What was unfolded stays so.
    pub(super) fn relink(&mut self) {
        self.touched = Touched::Everything;
        for node in &mut self.nodes {
            node.children.clear();
            node.descendants = 0;
        }
        self.point_to_parents();
        self.cut_circles();
        self.gather_children();
        self.count_descendants();
    }

    /// Lets every segment point to its parent, creating the ghosts it takes.
    fn point_to_parents(&mut self) {
        for node in self.ordinary() {
            let parent = self.segment(node).map(|segment| segment.parent.clone());
            let up = match parent {
                None => NodeIndex::NOWHERE,
                Some(None) => NodeIndex::TOP,
                Some(Some(parent)) => self.find(&parent).unwrap_or_else(|| self.allocate(Content::ghost(parent))),
            };
            self.nodes[node.slot()].up = up;
        }
    }

    /// Lets one segment of each circle point to the heading instead.
    fn cut_circles(&mut self) {
        const UNSEEN: u32 = 0;
        // The number of the walk that came by first.
        let mut seen_in = vec![UNSEEN; self.nodes.len()];
        for (walk, start) in (UNSEEN + 1..).zip(self.ordinary()) {
            let mut at = start;
            while at.is_ordinary() && seen_in[at.slot()] == UNSEEN {
                seen_in[at.slot()] = walk;
                at = self.nodes[at.slot()].up;
            }
            if at.is_ordinary() && seen_in[at.slot()] == walk {
                let mut cut = at;
                let mut member = self.nodes[at.slot()].up;
                while member != at {
                    if self.content(member).id() < self.content(cut).id() {
                        cut = member;
                    }
                    member = self.nodes[member.slot()].up;
                }
                self.nodes[cut.slot()].up = NodeIndex::CIRCLES;
            }
        }
    }

    /// Tells every node what points to it, and lets the ghosts go that nothing points to.
    fn gather_children(&mut self) {
        let mut counts = vec![0_u32; self.nodes.len()];
        for node in &self.nodes {
            if let Some(count) = counts.get_mut(node.up.slot()) {
                *count += 1;
            }
        }
        for (node, count) in self.nodes.iter_mut().zip(counts) {
            node.children.reserve_exact(count as usize);
        }
        for node in self.ordinary() {
            if self.segment(node).is_some() {
                let up = self.nodes[node.slot()].up;
                self.nodes[up.slot()].children.push(node);
            }
        }
        for node in self.ordinary() {
            if matches!(self.content(node), Content::Ghost(_)) {
                if self.children(node).is_empty() {
                    self.release(node);
                } else {
                    self.nodes[node.slot()].up = NodeIndex::MISSING;
                    self.nodes[NodeIndex::MISSING.slot()].children.push(node);
                }
            }
        }
        for node in &mut self.nodes {
            node.sorted = node.children.len() < 2;
        }
    }

    fn count_descendants(&mut self) {
        let mut parents_first = vec![NodeIndex::MISSING, NodeIndex::CIRCLES];
        parents_first.extend_from_slice(self.children(NodeIndex::TOP));
        let mut next = 0;
        while let Some(node) = parents_first.get(next).copied() {
            parents_first.extend_from_slice(self.children(node));
            next += 1;
        }
        for node in parents_first.into_iter().rev() {
            let weight = self.weight(node);
            let up = self.nodes[node.slot()].up;
            self.nodes[up.slot()].descendants += weight;
        }
    }

    /// The segments and ghosts that are there now; ghosts created meanwhile are not among them.
    fn ordinary(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        let used: Vec<NodeIndex> = (0..)
            .map(NodeIndex)
            .zip(&self.nodes)
            .filter(|(index, node)| index.is_ordinary() && !matches!(node.content, Content::Free))
            .map(|(index, _)| index)
            .collect();
        used.into_iter()
    }
}
