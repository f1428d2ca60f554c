//! The content of the nodes: segments, and the ids of ghosts.

use std::sync::Arc;

use hashbrown::HashMap;

#[cfg(test)]
use crate::forest::limits::Limits;
use crate::segment::{Segment, SegmentId};

use super::{NodeIndex, Slots};

/// Capacity for ghosts below which memory is never given back.
const MIN_SHRINK_CAPACITY: usize = 1_024;

#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    slots: Slots,
    /// Few: a node is a ghost only as long as a parent is missing.
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

    /// Returns the id of a node that is not a segment.
    pub fn ghost(&self, node: NodeIndex) -> Option<&SegmentId> {
        self.ghosts.get(&node)
    }

    pub fn external_id(&self, node: NodeIndex) -> Option<&str> {
        self.slots.get(node)?.external_id.as_deref()
    }

    #[cfg(test)]
    pub fn with_limits(limits: &'static Limits) -> Self {
        Self { slots: Slots::with_limits(limits), ..Self::default() }
    }

    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Sets the segment of a node that is free or a segment.
    pub fn set_segment(&mut self, node: NodeIndex, segment: Arc<Segment>) {
        self.slots.set(node, Some(segment));
    }

    /// Turns a segment's node into a ghost with the same id.
    pub fn make_ghost(&mut self, node: NodeIndex) {
        if let Some(segment) = self.slots.set(node, None) {
            self.ghosts.insert(node, segment.id.clone());
        }
    }

    /// Sets the id of a ghost.
    pub fn set_ghost(&mut self, node: NodeIndex, id: SegmentId) {
        self.ghosts.insert(node, id);
    }

    /// Clears a node.
    pub fn clear(&mut self, node: NodeIndex) {
        self.slots.set(node, None);
        self.ghosts.remove(&node);
        // During loading, there may have been very many ghosts.
        if self.ghosts.capacity() > MIN_SHRINK_CAPACITY && self.ghosts.len() < self.ghosts.capacity() / 8 {
            self.ghosts.shrink_to(2 * self.ghosts.len());
        }
    }
}
