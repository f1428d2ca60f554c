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
        let up = self.find(&parent).unwrap_or_else(|| {
            let ghost = self.allocate_ghost(&parent);
            self.link(ghost, NodeIndex::MISSING);
            ghost
        });
        self.attach_under(node, up);
    }

    /// Attaches a node to its parent, whose node is known.
    pub(super) fn attach_under(&mut self, node: NodeIndex, up: NodeIndex) {
        let Some(cycle) = self.cycle_closed_by(node, up) else { return self.link(node, up) };
        let cut = cycle.into_iter().min_by_key(|member| self.contents.id(*member)).unwrap_or(node);
        if cut != node {
            self.detach(cut);
            self.link(node, up);
        }
        self.link(cut, NodeIndex::CIRCLES);
    }

    /// Returns the nodes of the cycle that attaching `node` to `up` would close.
    fn cycle_closed_by(&mut self, node: NodeIndex, up: NodeIndex) -> Option<Vec<NodeIndex>> {
        if node != up && !self.has_children(node) {
            return None;
        }
        let mut members = vec![up];
        let mut at = up;
        while at != node {
            at = self.nodes[at.slot()].up;
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
            let up = self.nodes[at.slot()].up;
            if !up.is_ordinary() {
                return (up == NodeIndex::CIRCLES).then_some(at);
            }
            self.climbed += 1;
            at = up;
        }
    }

    fn link(&mut self, node: NodeIndex, up: NodeIndex) {
        self.touch(node);
        self.nodes[node.slot()].up = up;
        self.add_child(node);
        let subtree_size = self.subtree_size(node);
        self.update_descendant_counts(up, |descendants| descendants + subtree_size);
    }

    /// Detaches a node from its parent, and returns the parent.
    fn detach(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        let up = self.up(node)?;
        self.touch(node);
        let place = self.place_of_child(node);
        self.mark_altered(node);
        self.remove_child(up, place);
        self.nodes[node.slot()].up = NodeIndex::NO_PARENT;
        let subtree_size = self.subtree_size(node);
        self.update_descendant_counts(up, |descendants| descendants - subtree_size);
        self.free_family_if_empty(up);
        Some(up)
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
            let up = self.nodes[at.slot()].up;
            let place = if by_weight && at.is_ordinary() { self.place_of_child(at) } else { None };
            if let Some(family) = self.family_mut(at) {
                family.descendants = change(family.descendants);
            }
            // A sort job may sort by this number.
            self.mark_altered(at);
            if by_weight && at.is_ordinary() {
                self.put_in_order(at, place);
            }
            at = up;
            self.climbed += 1;
        }
    }

    /// Adds a node to the children of its parent.
    fn add_child(&mut self, child: NodeIndex) {
        let up = self.nodes[child.slot()].up;
        let max_piece_len = self.limits.max_sibling_piece;
        if !self.has_children(up) {
            // Missing parents come and go during loading, so they are always kept sorted.
            let none =
                if up == NodeIndex::MISSING { Siblings::from_sorted(Vec::new(), max_piece_len) } else { Siblings::default() };
            self.allocate_family(up, none);
        }
        let place = match self.family(up) {
            Some(family) if family.children.is_sorted() => {
                Some(self.search(up, &family.children, child).unwrap_or_else(|place| place))
            }
            _ => None,
        };
        self.mark_altered(child);
        let Some(family) = self.family_mut(up) else { return };
        match place {
            Some(place) => family.children.insert(place, child, max_piece_len),
            None => family.children.push(child),
        }
    }

    fn remove_child(&mut self, up: NodeIndex, place: Option<Place>) {
        if let (Some(family), Some(place)) = (self.family_mut(up), place) {
            family.children.remove(place);
        }
    }

    /// Returns the place of a child among its siblings. The child must not have changed since it was added.
    pub(super) fn place_of_child(&self, child: NodeIndex) -> Option<Place> {
        let up = self.up(child)?;
        let siblings = &self.family(up)?.children;
        if siblings.is_sorted() { self.search(up, siblings, child).ok() } else { siblings.find_linear(child) }
    }

    /// Returns the place of a child in a sorted list, or else where it belongs.
    fn search(&self, up: NodeIndex, siblings: &Siblings, child: NodeIndex) -> Result<Place, Place> {
        if up == NodeIndex::MISSING {
            siblings.search(|other| self.compare_missing(other, child))
        } else {
            siblings.search(|other| self.compare(other, child))
        }
    }

    /// Moves a child that has changed from its place to where it belongs.
    pub(super) fn put_in_order(&mut self, child: NodeIndex, place: Option<Place>) {
        let Some(up) = self.up(child) else { return };
        self.mark_altered(child);
        let Some(siblings) = self.family(up).map(|family| &family.children).filter(|siblings| siblings.is_sorted())
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
            self.remove_child(up, Some(place));
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
