//! Where the segments are: a list in chunks that others can keep a copy of for next to nothing.
//!
//! A copy shares the chunks. A chunk that is shared is copied when something in it changes, so whoever reads a copy sees what
//! was there when it was taken, in whichever thread.

use std::sync::Arc;

#[cfg(test)]
use crate::forest::limits::Limits;
use crate::segment::Segment;

use super::NodeIndex;

/// The segments of a chunk at most: few enough that copying one while somebody reads is nothing to notice, enough that there are few
/// chunks.
const CHUNK: usize = 1 << MOST_BITS;
const MOST_BITS: u32 = 8;

/// Segments by the place of their nodes; none where a node is no segment.
pub(in crate::forest) type Chunk = [Option<Arc<Segment>>; CHUNK];

/// The segments of an arena.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::forest) struct Slots {
    chunks: Vec<Arc<Chunk>>,
    /// So many bits of a node's number tell where it is in its chunk.
    bits: u32,
}

impl Default for Slots {
    fn default() -> Self {
        Self { chunks: Vec::new(), bits: MOST_BITS }
    }
}

impl Slots {
    /// With chunks that are filled only so far.
    #[cfg(test)]
    pub fn within(limits: &Limits) -> Self {
        Self { bits: limits.chunk_bits.min(MOST_BITS), ..Self::default() }
    }

    /// The segments of a chunk.
    pub const fn chunk_size(&self) -> usize {
        1 << self.bits
    }

    /// In which chunk a node is, and where there.
    const fn place(&self, node: NodeIndex) -> (usize, usize) {
        (node.slot() >> self.bits, node.slot() & (self.chunk_size() - 1))
    }

    pub fn reserve(&mut self, more: usize) {
        self.chunks.reserve(more >> self.bits);
    }

    pub fn get(&self, node: NodeIndex) -> Option<&Arc<Segment>> {
        let (chunk, within) = self.place(node);
        self.chunks.get(chunk)?[within].as_ref()
    }

    /// Puts a segment, or none, in the place of what was there.
    pub fn set(&mut self, node: NodeIndex, segment: Option<Arc<Segment>>) -> Option<Arc<Segment>> {
        let (chunk, within) = self.place(node);
        while self.chunks.len() <= chunk {
            self.chunks.push(Arc::new([const { None }; CHUNK]));
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
