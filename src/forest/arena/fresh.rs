//! Taking in pages of segments that were not there before: this is what loading a large tenant consists of.
//!
//! Whatever a segment needs, its place in the table of ids or its parent, lies anywhere in memory. So it is looked for of many
//! segments at a time: while one is waited for, others are on their way.

use std::hint::black_box;
use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::{Arena, Change, Kind, NodeIndex};

impl Arena {
    /// Takes in what is new of the segments with which a batch begins, and answers the changes that are left to be made.
    pub(super) fn take_in_fresh(&mut self, changes: Vec<Change>, patience: usize) -> Vec<Change> {
        let together = self.limits.together;
        let mut changes = changes.into_iter().peekable();
        let (mut fresh, mut left) = (Vec::new(), Vec::new());
        let (mut block, mut hashes) = (Vec::with_capacity(together), Vec::with_capacity(together));
        while let Some(Change::Upsert(first)) = changes.next_if(|change| matches!(change, Change::Upsert(_))) {
            block.push(first);
            while block.len() < together
                && let Some(Change::Upsert(segment)) = changes.next_if(|change| matches!(change, Change::Upsert(_)))
            {
                block.push(segment);
            }
            hashes.clear();
            hashes.extend(block.iter().map(|segment: &Arc<Segment>| self.hash(&segment.id)));
            self.look_ahead(&block, &hashes);
            for (segment, hash) in block.drain(..).zip(&hashes) {
                match self.find_hashed(*hash, &segment.id) {
                    Some(ghost) if self.kind(ghost) == Kind::Ghost && self.climbed < patience => {
                        self.bring_in(ghost, segment);
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
        if !self.attach_all(&fresh, patience) {
            self.relink();
        }
        left.extend(changes);
        left
    }

    /// Looks where segments and their external ids will stand, so that it is near when they come there one by one.
    fn look_ahead(&self, segments: &[Arc<Segment>], hashes: &[u64]) {
        let known = hashes.iter().filter(|hash| self.by_id.find(**hash, |_| true).is_some()).count();
        let external_ids = segments.iter().filter_map(|segment| segment.external_id.as_deref());
        let same_external_id =
            external_ids.filter(|external_id| self.same_external_id.probably_has(external_id)).count();
        black_box((known, same_external_id));
    }

    /// Hangs each node where it belongs, unless that takes too long.
    fn attach_all(&mut self, nodes: &[NodeIndex], patience: usize) -> bool {
        let together = self.limits.together;
        let mut parents = Vec::with_capacity(together);
        for nodes in nodes.chunks(together) {
            self.look_up_parents(nodes, &mut parents);
            // As above: the families come near together.
            black_box(parents.iter().flatten().map(|parent| self.child_count(*parent)).sum::<usize>());
            for (node, parent) in nodes.iter().zip(&parents) {
                match parent {
                    Some(parent) => self.attach_under(*node, *parent),
                    None => self.attach(*node),
                }
            }
            if self.climbed > patience {
                return false;
            }
        }
        true
    }

    /// Finds the parents of some segments, hardly ever not all of those that are there.
    pub(super) fn look_up_parents(&self, nodes: &[NodeIndex], parents: &mut Vec<Option<NodeIndex>>) {
        parents.clear();
        parents.extend(nodes.iter().map(|node| self.probable(self.named_parent(*node)?)));
        for (node, parent) in nodes.iter().zip(parents) {
            *parent = parent.filter(|parent| self.contents.id(*parent) == self.named_parent(*node));
        }
    }

    pub(super) fn named_parent(&self, node: NodeIndex) -> Option<&SegmentId> {
        self.segment(node)?.parent.as_ref()
    }

    /// The node with an id, or hardly ever another one; `None` is certain.
    fn probable(&self, id: &SegmentId) -> Option<NodeIndex> {
        self.by_id.find(self.hash(id), |_| true).copied()
    }
}
