//! Adds pages of new segments: most of the work of loading a large tenant.
//!
//! What a segment needs, its slot in the id table and its parent, can be anywhere in memory. So the lookups are done for many
//! segments together, which lets the cache misses overlap.

use std::hint::black_box;
use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::{Arena, Change, Kind, NodeIndex};

impl Arena {
    /// Adds the new segments among the upserts that a batch starts with, and returns the changes that remain.
    pub(super) fn add_new_segments(&mut self, changes: Vec<Change>, max_climb: usize) -> Vec<Change> {
        let prefetch_block = self.limits.prefetch_block;
        let mut changes = changes.into_iter().peekable();
        let (mut fresh, mut left) = (Vec::new(), Vec::new());
        let (mut block, mut hashes) = (Vec::with_capacity(prefetch_block), Vec::with_capacity(prefetch_block));
        while let Some(Change::Upsert(first)) = changes.next_if(|change| matches!(change, Change::Upsert(_))) {
            block.push(first);
            while block.len() < prefetch_block
                && let Some(Change::Upsert(segment)) = changes.next_if(|change| matches!(change, Change::Upsert(_)))
            {
                block.push(segment);
            }
            hashes.clear();
            hashes.extend(block.iter().map(|segment: &Arc<Segment>| self.hash(&segment.id)));
            self.prefetch(&block, &hashes);
            for (segment, hash) in block.drain(..).zip(&hashes) {
                match self.find_hashed(*hash, &segment.id) {
                    Some(ghost) if self.kind(ghost) == Kind::Ghost && self.climbed < max_climb => {
                        self.set_segment_and_relink(ghost, segment);
                    }
                    Some(_) => left.push(Change::Upsert(segment)),
                    None => {
                        let node = self.allocate_hashed(*hash);
                        self.set_segment(node, segment);
                        fresh.push(node);
                    }
                }
            }
        }
        if !self.attach_all(&fresh, max_climb) {
            self.relink();
        }
        left.extend(changes);
        left
    }

    /// Touches the table entries of segments and external ids, so that they are in the CPU cache when the segments are added one
    /// by one.
    fn prefetch(&self, segments: &[Arc<Segment>], hashes: &[u64]) {
        let known = hashes.iter().filter(|hash| self.by_id.find(**hash, |_| true).is_some()).count();
        let external_ids = segments.iter().filter_map(|segment| segment.external_id.as_deref());
        let same_external_id =
            external_ids.filter(|external_id| self.same_external_id.probably_has(external_id)).count();
        black_box((known, same_external_id));
    }

    /// Attaches each node to its parent. Gives up if that takes too long, and returns whether all were attached.
    fn attach_all(&mut self, nodes: &[NodeIndex], max_climb: usize) -> bool {
        let prefetch_block = self.limits.prefetch_block;
        let mut parents = Vec::with_capacity(prefetch_block);
        for nodes in nodes.chunks(prefetch_block) {
            self.look_up_parents(nodes, &mut parents);
            // As above: prefetches the families.
            black_box(parents.iter().flatten().map(|parent| self.child_count(*parent)).sum::<usize>());
            for (node, parent) in nodes.iter().zip(&parents) {
                match parent {
                    Some(parent) => self.attach_under(*node, *parent),
                    None => self.attach(*node),
                }
            }
            if self.climbed > max_climb {
                return false;
            }
        }
        true
    }

    /// Looks up the parents of nodes. Very rarely, an existing parent is not found.
    pub(super) fn look_up_parents(&self, nodes: &[NodeIndex], parents: &mut Vec<Option<NodeIndex>>) {
        parents.clear();
        parents.extend(nodes.iter().map(|node| self.find_probable(self.named_parent(*node)?)));
        for (node, parent) in nodes.iter().zip(parents) {
            *parent = parent.filter(|parent| self.contents.id(*parent) == self.named_parent(*node));
        }
    }

    pub(super) fn named_parent(&self, node: NodeIndex) -> Option<&SegmentId> {
        self.segment(node)?.parent.as_ref()
    }

    /// Returns the node with an id, or very rarely another one. `None` is certain.
    fn find_probable(&self, id: &SegmentId) -> Option<NodeIndex> {
        self.by_id.find(self.hash(id), |_| true).copied()
    }
}
