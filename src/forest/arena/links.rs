//! Linking one segment at a time: each change in time that depends on the depth at which it happens.

use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::{Arena, Content, Node, NodeIndex, Order, Touched};

impl Arena {
    /// Brings in a segment, or the new fields of one.
    pub(super) fn upsert(&mut self, segment: Arc<Segment>) {
        let Some(node) = self.find(&segment.id) else {
            let node = self.allocate(Content::ghost(segment.id.clone()));
            self.set_segment(node, segment);
            return self.attach(node);
        };
        match self.segment(node) {
            Some(known) if *known == segment => {
                // The new one is shared with whoever sent it, so the old copy needn't stay in memory.
                self.nodes[node.slot()].content = Content::Segment(segment);
            }
            Some(known) if known.parent == segment.parent => {
                let up = self.nodes[node.slot()].up;
                let place = self.place_of_child(up, node);
                self.set_segment(node, segment);
                self.put_in_order(up, node, place);
            }
            _ => self.relocate(node, |arena| arena.set_segment(node, segment)),
        }
    }

    /// Takes out a segment. What hangs under it then hangs under a ghost.
    pub(super) fn remove(&mut self, id: &SegmentId) {
        if let Some(node) = self.find(id).filter(|node| self.segment(*node).is_some()) {
            self.relocate(node, |arena| arena.unset_segment(node));
        }
    }

    /// Changes what a node is and hangs it where it then belongs.
    fn relocate(&mut self, node: NodeIndex, change: impl FnOnce(&mut Self)) {
        let cut = self.cut_above(node);
        let former = self.detach(node);
        change(self);
        self.attach(node);
        // The link that went may have been part of a circle, which then is none any more.
        if let Some(cut) = cut.filter(|cut| *cut != node) {
            self.detach(cut);
            self.attach(cut);
        }
        for node in [Some(node), former].into_iter().flatten() {
            self.drop_if_abandoned(node);
        }
    }

    /// Hangs a node where it belongs.
    fn attach(&mut self, node: NodeIndex) {
        let parent = match self.content(node) {
            Content::Segment(segment) => segment.parent.clone(),
            _ => return self.hang(node, NodeIndex::MISSING),
        };
        let Some(parent) = parent else { return self.hang(node, NodeIndex::TOP) };
        let up = self.find(&parent).unwrap_or_else(|| {
            let ghost = self.allocate(Content::ghost(parent));
            self.hang(ghost, NodeIndex::MISSING);
            ghost
        });
        let Some(circle) = self.circle(node, up) else { return self.hang(node, up) };
        let cut = circle.into_iter().min_by_key(|member| self.content(*member).id()).unwrap_or(node);
        if cut != node {
            self.detach(cut);
            self.hang(node, up);
        }
        self.hang(cut, NodeIndex::CIRCLES);
    }

    /// The nodes of the circle that hanging `node` under `up` would close.
    fn circle(&mut self, node: NodeIndex, up: NodeIndex) -> Option<Vec<NodeIndex>> {
        if node != up && self.children(node).is_empty() {
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

    /// The segment at the top of the node's tree if it was cut from a circle.
    fn cut_above(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        if self.children(NodeIndex::CIRCLES).is_empty() {
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

    fn hang(&mut self, node: NodeIndex, up: NodeIndex) {
        self.touch(node);
        self.nodes[node.slot()].up = up;
        self.add_child(up, node);
        let weight = self.weight(node);
        self.weigh(up, |descendants| descendants + weight);
    }

    /// Takes a node from where it hangs, and answers where that was.
    fn detach(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        let up = self.up(node)?;
        self.touch(node);
        if let Some(place) = self.place_of_child(up, node) {
            self.nodes[up.slot()].children.remove(place);
        }
        self.nodes[node.slot()].up = NodeIndex::NOWHERE;
        let weight = self.weight(node);
        self.weigh(up, |descendants| descendants - weight);
        Some(up)
    }

    /// How many segments a node brings along.
    pub(super) fn weight(&self, node: NodeIndex) -> u32 {
        self.descendants(node) + u32::from(self.segment(node).is_some())
    }

    /// Changes the number of descendants from a node upwards.
    fn weigh(&mut self, from: NodeIndex, change: impl Fn(u32) -> u32) {
        let mut at = from;
        while at != NodeIndex::NOWHERE {
            let node = &mut self.nodes[at.slot()];
            node.descendants = change(node.descendants);
            at = node.up;
            self.climbed += 1;
            if self.order == Order::Descendants && at != NodeIndex::NOWHERE {
                let node = &mut self.nodes[at.slot()];
                node.sorted = node.children.len() < 2;
                self.touched = Touched::Everything;
            }
        }
    }

    fn add_child(&mut self, up: NodeIndex, child: NodeIndex) {
        let Node { children, sorted, .. } = &self.nodes[up.slot()];
        let place = if *sorted {
            children.binary_search_by(|other| self.compare(*other, child)).unwrap_or_else(|place| place)
        } else {
            children.len()
        };
        self.nodes[up.slot()].children.insert(place, child);
    }

    /// Where a child stands among its siblings. It must still be what it was when it was added, or it is found by a scan only.
    fn place_of_child(&self, up: NodeIndex, child: NodeIndex) -> Option<usize> {
        let Node { children, sorted, .. } = &self.nodes[up.slot()];
        let place = if *sorted { children.binary_search_by(|other| self.compare(*other, child)).ok() } else { None };
        place.or_else(|| children.iter().position(|other| *other == child))
    }

    /// Moves a child that is another one now from its place to where it belongs, unless that is where it is.
    fn put_in_order(&mut self, up: NodeIndex, child: NodeIndex, place: Option<usize>) {
        let Node { children, sorted, .. } = &self.nodes[up.slot()];
        let Some(place) = place.filter(|_| *sorted) else { return };
        let before = place.checked_sub(1).map(|before| children[before]);
        let after = children.get(place + 1).copied();
        let stays = before.is_none_or(|before| self.compare(before, child).is_lt())
            && after.is_none_or(|after| self.compare(child, after).is_lt());
        if !stays {
            self.touch(child);
            self.nodes[up.slot()].children.remove(place);
            self.add_child(up, child);
        }
    }

    /// Lets a ghost go that nothing names as its parent any more.
    fn drop_if_abandoned(&mut self, node: NodeIndex) {
        if matches!(self.content(node), Content::Ghost(_)) && self.children(node).is_empty() {
            self.detach(node);
            self.release(node);
        }
    }
}
