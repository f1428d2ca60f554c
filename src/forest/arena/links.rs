//! Links one segment at a time: each change takes time proportional to its depth.

use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::{Arena, Content, Family, FamilyIndex, Kind, NodeIndex, Order, Place, Siblings, Touched};

impl Arena {
    /// Adds a segment, or updates its fields.
    pub(super) fn upsert(&mut self, segment: Arc<Segment>) {
        let Some(node) = self.find(&segment.id) else {
            let node = self.allocate(&segment.id);
            self.set_segment(node, segment);
            return self.attach(node);
        };
        match self.segment(node) {
            // The new one is shared with the caller, so the old copy can be freed.
            Some(known) if *known == segment => self.contents.set_segment(node, segment),
            Some(known) if known.parent == segment.parent => {
                let place = self.place_of_child(node);
                self.set_segment(node, segment);
                self.put_in_order(node, place);
            }
            _ => self.set_segment_and_relink(node, segment),
        }
    }

    /// Sets the segment of a node that was missing or gets another parent.
    pub(super) fn set_segment_and_relink(&mut self, node: NodeIndex, segment: Arc<Segment>) {
        self.relocate(node, |arena| arena.set_segment(node, segment));
    }

    /// Removes a segment. Its children move to a ghost.
    pub(super) fn remove(&mut self, id: &SegmentId) {
        if let Some(node) = self.find(id).filter(|node| self.segment(*node).is_some()) {
            self.relocate(node, |arena| {
                arena.unset_segment(node);
                arena.recent.remove(&node);
            });
        }
    }

    /// Changes a node's content and attaches it to its new parent.
    fn relocate(&mut self, node: NodeIndex, change: impl FnOnce(&mut Self)) {
        let cut = self.cycle_root_of(node);
        let former = self.detach(node);
        change(self);
        self.attach(node);
        // The removed link may have been part of a cycle, which is broken then.
        if let Some(cut) = cut.filter(|cut| *cut != node) {
            self.detach(cut);
            self.attach(cut);
        }
        for node in [Some(node), former].into_iter().flatten() {
            self.free_ghost_if_childless(node);
        }
    }

    /// Attaches a node to its parent.
    pub(super) fn attach(&mut self, node: NodeIndex) {
        let parent = match self.content(node) {
            Content::Segment(segment) => segment.parent.clone(),
            _ => return self.link(node, NodeIndex::MISSING),
        };
        let Some(parent) = parent else { return self.link(node, NodeIndex::TOP) };
        let parent_node = self.find(&parent).unwrap_or_else(|| {
            let ghost = self.allocate_ghost(&parent);
            self.link(ghost, NodeIndex::MISSING);
            ghost
        });
        self.attach_under(node, parent_node);
    }

    /// Attaches a node to its parent, whose node is known.
    pub(super) fn attach_under(&mut self, node: NodeIndex, parent: NodeIndex) {
        let Some(cycle) = self.cycle_closed_by(node, parent) else { return self.link(node, parent) };
        let cut = cycle.into_iter().min_by_key(|member| self.contents.id(*member)).unwrap_or(node);
        if cut != node {
            self.detach(cut);
            self.link(node, parent);
        }
        self.link(cut, NodeIndex::CIRCLES);
    }

    /// Returns the nodes of the cycle that attaching `node` to `parent` would close.
    fn cycle_closed_by(&mut self, node: NodeIndex, parent: NodeIndex) -> Option<Vec<NodeIndex>> {
        if node != parent && !self.has_children(node) {
            return None;
        }
        let mut members = vec![parent];
        let mut at = parent;
        while at != node {
            at = self.nodes[at.slot()].parent;
            if !at.is_ordinary() {
                return None;
            }
            self.climbed += 1;
            members.push(at);
        }
        Some(members)
    }

    /// Returns the root of the node's tree if a cycle was cut there.
    fn cycle_root_of(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        if !self.has_children(NodeIndex::CIRCLES) {
            return None;
        }
        let mut at = node;
        loop {
            let parent = self.nodes[at.slot()].parent;
            if !parent.is_ordinary() {
                return (parent == NodeIndex::CIRCLES).then_some(at);
            }
            self.climbed += 1;
            at = parent;
        }
    }

    fn link(&mut self, node: NodeIndex, parent: NodeIndex) {
        self.touch(node);
        self.nodes[node.slot()].parent = parent;
        self.add_child(node);
        let subtree_size = self.subtree_size(node);
        self.update_descendant_counts(parent, |descendants| descendants + subtree_size);
    }

    /// Detaches a node from its parent, and returns the parent.
    fn detach(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        let parent = self.parent(node)?;
        self.touch(node);
        let place = self.place_of_child(node);
        self.mark_altered(node);
        self.remove_child(parent, place);
        self.nodes[node.slot()].parent = NodeIndex::NO_PARENT;
        let subtree_size = self.subtree_size(node);
        self.update_descendant_counts(parent, |descendants| descendants - subtree_size);
        self.free_family_if_empty(parent);
        Some(parent)
    }

    /// Number of segments in a node's subtree, including itself.
    pub(super) fn subtree_size(&self, node: NodeIndex) -> u32 {
        self.descendants(node) + u32::from(self.kind(node) == Kind::Segment)
    }

    /// Changes the number of descendants of a node and its ancestors. The top doesn't count its own.
    fn update_descendant_counts(&mut self, from: NodeIndex, change: impl Fn(u32) -> u32) {
        let by_weight = self.order == Order::Descendants;
        let mut at = from;
        while at != NodeIndex::NO_PARENT && at != NodeIndex::TOP {
            let parent = self.nodes[at.slot()].parent;
            let place = if by_weight && at.is_ordinary() { self.place_of_child(at) } else { None };
            if let Some(family) = self.family_mut(at) {
                family.descendants = change(family.descendants);
            }
            // A sort job may sort by this number.
            self.mark_altered(at);
            if by_weight && at.is_ordinary() {
                self.put_in_order(at, place);
            }
            at = parent;
            self.climbed += 1;
        }
    }

    /// Adds a node to the children of its parent.
    fn add_child(&mut self, child: NodeIndex) {
        let parent = self.nodes[child.slot()].parent;
        let max_piece_len = self.limits.max_sibling_piece;
        if !self.has_children(parent) {
            // Missing parents come and go during loading, so they are always kept sorted.
            let none = if parent == NodeIndex::MISSING {
                Siblings::from_sorted(Vec::new(), max_piece_len)
            } else {
                Siblings::default()
            };
            self.allocate_family(parent, none);
        }
        let place = match self.family(parent) {
            Some(family) if family.children.is_sorted() => {
                Some(self.search(parent, &family.children, child).unwrap_or_else(|place| place))
            }
            _ => None,
        };
        self.mark_altered(child);
        let Some(family) = self.family_mut(parent) else { return };
        match place {
            Some(place) => family.children.insert(place, child, max_piece_len),
            None => family.children.push(child),
        }
    }

    fn remove_child(&mut self, parent: NodeIndex, place: Option<Place>) {
        if let (Some(family), Some(place)) = (self.family_mut(parent), place) {
            family.children.remove(place);
        }
    }

    /// Returns the place of a child among its siblings. The child must not have changed since it was added.
    pub(super) fn place_of_child(&self, child: NodeIndex) -> Option<Place> {
        let parent = self.parent(child)?;
        let siblings = &self.family(parent)?.children;
        if siblings.is_sorted() { self.search(parent, siblings, child).ok() } else { siblings.find_linear(child) }
    }

    /// Returns the place of a child in a sorted list, or else where it belongs.
    fn search(&self, parent: NodeIndex, siblings: &Siblings, child: NodeIndex) -> Result<Place, Place> {
        if parent == NodeIndex::MISSING {
            siblings.search(|other| self.compare_missing(other, child))
        } else {
            siblings.search(|other| self.compare(other, child))
        }
    }

    /// Moves a child that has changed from its place to where it belongs.
    pub(super) fn put_in_order(&mut self, child: NodeIndex, place: Option<Place>) {
        let Some(parent) = self.parent(child) else { return };
        self.mark_altered(child);
        let Some(siblings) = self.family(parent).map(|family| &family.children).filter(|siblings| siblings.is_sorted())
        else {
            return;
        };
        let Some(place) = place else { return };
        let (before, after) = siblings.neighbours(place);
        let stays = before.is_none_or(|before| self.compare(before, child).is_lt())
            && after.is_none_or(|after| self.compare(child, after).is_lt());
        if !stays {
            if let Touched::Nodes { reordered, .. } = &mut self.touched {
                reordered.push(child);
            }
            self.remove_child(parent, Some(place));
            self.add_child(child);
        }
    }

    /// Gives a node without children its family.
    pub(super) fn allocate_family(&mut self, node: NodeIndex, children: Siblings) {
        let family = Family { children, descendants: 0 };
        let index = if let Some(index) = self.free_families.pop() {
            self.families[index.slot()] = family;
            index
        } else {
            self.families.push(family);
            // There are fewer families than nodes, whose indices have the same size.
            FamilyIndex(u32::try_from(self.families.len() - 1).unwrap_or(u32::MAX))
        };
        self.nodes[node.slot()].family = index;
    }

    fn free_family_if_empty(&mut self, node: NodeIndex) {
        if let Some(family) = self.family_mut(node).filter(|family| family.children.is_empty()) {
            family.children = Siblings::default();
            let index = std::mem::replace(&mut self.nodes[node.slot()].family, FamilyIndex::NONE);
            self.free_families.push(index);
        }
    }

    /// Frees a ghost without children.
    fn free_ghost_if_childless(&mut self, node: NodeIndex) {
        if self.kind(node) == Kind::Ghost && !self.has_children(node) {
            self.detach(node);
            self.free_node(node);
        }
    }
}
