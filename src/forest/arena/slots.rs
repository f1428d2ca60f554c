//! Where the segments are: a list in chunks that others can keep a copy of for next to nothing.
//!
//! A copy shares the chunks. A chunk that is shared is copied when something in it changes, so whoever reads a copy sees what
//! was there when it was taken, in whichever thread.

use std::sync::Arc;

use crate::forest::limits::Limits;
use crate::segment::Segment;

use super::NodeIndex;

/// Segments by the place of their nodes; none where a node is no segment.
pub(in crate::forest) type Chunk = [Option<Arc<Segment>>];

/// The segments of an arena.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::forest) struct Slots {
    chunks: Vec<Arc<Chunk>>,
    limits: &'static Limits,
}

impl Slots {
    #[cfg(test)]
    pub fn within(limits: &'static Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The segments of a chunk.
    pub const fn chunk_size(&self) -> usize {
        1 << self.limits.chunk_bits
    }

    /// In which chunk a node is, and where there.
    const fn place(&self, node: NodeIndex) -> (usize, usize) {
        (node.slot() >> self.limits.chunk_bits, node.slot() & (self.chunk_size() - 1))
    }

    pub fn reserve(&mut self, more: usize) {
        self.chunks.reserve(more >> self.limits.chunk_bits);
    }

    pub fn get(&self, node: NodeIndex) -> Option<&Arc<Segment>> {
        let (chunk, within) = self.place(node);
        self.chunks.get(chunk)?[within].as_ref()
    }

    /// Puts a segment, or none, in the place of what was there.
    pub fn set(&mut self, node: NodeIndex, segment: Option<Arc<Segment>>) -> Option<Arc<Segment>> {
        let (chunk, within) = self.place(node);
        while self.chunks.len() <= chunk {
            self.chunks.push(vec![None; self.chunk_size()].into());
        }
        std::mem::replace(&mut Arc::make_mut(&mut self.chunks[chunk])[within], segment)
    }

    pub fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().flatten())
    }
}
