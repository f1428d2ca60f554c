//! What the nodes stand for: segments, and the ids of those that are named and not there.

use std::sync::Arc;

use hashbrown::HashMap;

#[cfg(test)]
use crate::forest::limits::Limits;
use crate::segment::{Segment, SegmentId};

use super::{NodeIndex, Slots};

/// Room for so many ghosts is nothing to care about.
const ROOM_TO_SPARE: usize = 1_024;

#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    slots: Slots,
    /// Hardly any: a node is a ghost only for as long as a parent is missing.
    ghosts: HashMap<NodeIndex, SegmentId>,
}

impl Contents {
    pub fn reserve(&mut self, more: usize) {
        self.slots.reserve(more);
    }

    pub fn segment(&self, node: NodeIndex) -> Option<&Arc<Segment>> {
        self.slots.get(node)
    }

    pub fn id(&self, node: NodeIndex) -> Option<&SegmentId> {
        self.slots.get(node).map(|segment| &segment.id).or_else(|| self.ghosts.get(&node))
    }

    /// The id of a node that is no segment.
    pub fn ghost(&self, node: NodeIndex) -> Option<&SegmentId> {
        self.ghosts.get(&node)
    }

    pub fn external_id(&self, node: NodeIndex) -> Option<&str> {
        self.slots.get(node)?.external_id.as_deref()
    }

    #[cfg(test)]
    pub fn within(limits: &'static Limits) -> Self {
        Self { slots: Slots::within(limits), ..Self::default() }
    }

    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// A node that stands for nothing, or for a segment, is this segment from now on.
    pub fn put(&mut self, node: NodeIndex, segment: Arc<Segment>) {
        self.slots.set(node, Some(segment));
    }

    /// A node is no segment any more, and keeps its id.
    pub fn give_up(&mut self, node: NodeIndex) {
        if let Some(segment) = self.slots.set(node, None) {
            self.ghosts.insert(node, segment.id.clone());
        }
    }

    /// A node stands for this id.
    pub fn name(&mut self, node: NodeIndex, id: SegmentId) {
        self.ghosts.insert(node, id);
    }

    /// A node stands for nothing any more.
    pub fn forget(&mut self, node: NodeIndex) {
        self.slots.set(node, None);
        self.ghosts.remove(&node);
        // While everything loads there may be very many.
        if self.ghosts.capacity() > ROOM_TO_SPARE && self.ghosts.len() < self.ghosts.capacity() / 8 {
            self.ghosts.shrink_to(2 * self.ghosts.len());
        }
    }
}
