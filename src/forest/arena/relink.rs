//! Links everything at once, in time that depends only on the number of nodes.

use super::{Arena, FamilyIndex, Kind, NodeIndex, Siblings, Touched};

impl Arena {
    /// Attaches every node to its parent, whatever the links were before. What is expanded stays so.
    pub(super) fn relink(&mut self) {
        self.touched = Touched::Everything;
        self.mark_all_altered();
        self.families.clear();
        self.free_families.clear();
        for node in &mut self.nodes {
            node.family = FamilyIndex::NONE;
        }
        self.point_to_parents();
        self.cut_cycles();
        self.gather_children();
        self.count_descendants();
    }

    /// Points every segment to its parent, creating ghosts as needed.
    fn point_to_parents(&mut self) {
        let nodes: Vec<NodeIndex> = self.ordinary().collect();
        let prefetch_block = self.limits.prefetch_block;
        let mut parents = Vec::with_capacity(prefetch_block);
        for nodes in nodes.chunks(prefetch_block) {
            self.look_up_parents(nodes, &mut parents);
            for (node, parent) in nodes.iter().zip(&parents) {
                let parent_node = match (parent, self.named_parent(*node)) {
                    (Some(parent), _) => *parent,
                    (None, Some(named)) => {
                        let named = named.clone();
                        self.find(&named).unwrap_or_else(|| self.allocate_ghost(&named))
                    }
                    (None, None) if self.kind(*node) == Kind::Segment => NodeIndex::TOP,
                    (None, None) => NodeIndex::NO_PARENT,
                };
                self.nodes[node.slot()].parent = parent_node;
            }
        }
    }

    /// Points one segment of each cycle to the heading instead.
    fn cut_cycles(&mut self) {
        const UNSEEN: u32 = 0;
        // The number of the walk that visited the node first.
        let mut seen_in = vec![UNSEEN; self.nodes.len()];
        for (walk, start) in (UNSEEN + 1..).zip(self.ordinary()) {
            let mut at = start;
            while at.is_ordinary() && seen_in[at.slot()] == UNSEEN {
                seen_in[at.slot()] = walk;
                at = self.nodes[at.slot()].parent;
            }
            if at.is_ordinary() && seen_in[at.slot()] == walk {
                let mut cut = at;
                let mut member = self.nodes[at.slot()].parent;
                while member != at {
                    if self.contents.id(member) < self.contents.id(cut) {
                        cut = member;
                    }
                    member = self.nodes[member.slot()].parent;
                }
                self.nodes[cut.slot()].parent = NodeIndex::CIRCLES;
            }
        }
    }

    /// Builds the families from the parent links, and frees ghosts without children.
    fn gather_children(&mut self) {
        let mut counts = vec![0_u32; self.nodes.len()];
        for node in &self.nodes {
            if let Some(count) = counts.get_mut(node.parent.slot()) {
                *count += 1;
            }
        }
        for node in self.ordinary().filter(|node| self.kind(*node) == Kind::Ghost).collect::<Vec<_>>() {
            if counts[node.slot()] == 0 {
                self.free_node(node);
            } else {
                self.nodes[node.slot()].parent = NodeIndex::MISSING;
                counts[NodeIndex::MISSING.slot()] += 1;
            }
        }
        // The headings point to the top without being its children.
        counts[NodeIndex::TOP.slot()] -= 2;
        let children = self.children_in_order_of_parents(&counts);
        let mut rest = children.as_slice();
        for (slot, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let (siblings, later) = rest.split_at(count as usize);
            rest = later;
            self.allocate_family(NodeIndex::at(slot), Siblings::from_unsorted(siblings.to_vec()));
        }
        self.sort_children(NodeIndex::MISSING);
    }

    /// Returns all children, grouped by parent in the order of the parents' indices. `counts` has the number of children of each.
    fn children_in_order_of_parents(&self, counts: &[u32]) -> Vec<NodeIndex> {
        let mut next = 0;
        let mut places: Vec<usize> = Vec::with_capacity(counts.len());
        for count in counts {
            places.push(next);
            next += *count as usize;
        }
        let mut children = vec![NodeIndex::NO_PARENT; next];
        for child in self.ordinary() {
            let place = &mut places[self.nodes[child.slot()].parent.slot()];
            children[*place] = child;
            *place += 1;
        }
        children
    }

    fn count_descendants(&mut self) {
        let mut parents_first = vec![NodeIndex::MISSING, NodeIndex::CIRCLES];
        parents_first.extend(self.children(NodeIndex::TOP));
        let mut next = 0;
        while let Some(node) = parents_first.get(next).copied() {
            parents_first.extend(self.children(node));
            next += 1;
        }
        for node in parents_first.into_iter().rev() {
            let subtree_size = self.subtree_size(node);
            let parent = self.nodes[node.slot()].parent;
            if let Some(family) = self.family_mut(parent).filter(|_| parent != NodeIndex::TOP) {
                family.descendants += subtree_size;
            }
        }
    }
}
