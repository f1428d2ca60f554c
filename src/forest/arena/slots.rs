//! The segments, as a list of chunks that can be copied for next to nothing.
//!
//! A copy shares the chunks, and a shared chunk is cloned when something in it changes. So a copy shows what was there when it
//! was taken, in any thread.

use std::sync::Arc;

#[cfg(test)]
use crate::forest::limits::Limits;
use crate::segment::Segment;

use super::NodeIndex;

/// Maximum number of segments in a chunk: few enough that cloning one while it is being read goes unnoticed, enough that there
/// are few chunks.
const CHUNK_SIZE: usize = 1 << MAX_CHUNK_BITS;
const MAX_CHUNK_BITS: u32 = 8;

/// Segments by node index; `None` where the node is not a segment.
pub(in crate::forest) type Chunk = [Option<Arc<Segment>>; CHUNK_SIZE];

/// The segments of an arena.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::forest) struct Slots {
    chunks: Vec<Arc<Chunk>>,
    /// Number of low bits of a node index that give the position in its chunk.
    bits: u32,
}

impl Default for Slots {
    fn default() -> Self {
        Self { chunks: Vec::new(), bits: MAX_CHUNK_BITS }
    }
}

impl Slots {
    /// With chunks that are only partly used.
    #[cfg(test)]
    pub fn with_limits(limits: &Limits) -> Self {
        Self { bits: limits.chunk_bits.min(MAX_CHUNK_BITS), ..Self::default() }
    }

    /// Number of segments in a chunk.
    pub const fn chunk_size(&self) -> usize {
        1 << self.bits
    }

    /// Returns a node's chunk, and the position there.
    const fn locate(&self, node: NodeIndex) -> (usize, usize) {
        (node.slot() >> self.bits, node.slot() & (self.chunk_size() - 1))
    }

    pub fn reserve(&mut self, more: usize) {
        self.chunks.reserve(more >> self.bits);
    }

    pub fn get(&self, node: NodeIndex) -> Option<&Arc<Segment>> {
        let (chunk, offset) = self.locate(node);
        self.chunks.get(chunk)?[offset].as_ref()
    }

    /// Sets or removes the segment of a node and returns the previous one.
    pub fn set(&mut self, node: NodeIndex, segment: Option<Arc<Segment>>) -> Option<Arc<Segment>> {
        let (chunk, offset) = self.locate(node);
        while self.chunks.len() <= chunk {
            self.chunks.push(Arc::new([const { None }; CHUNK_SIZE]));
        }
        std::mem::replace(&mut Arc::make_mut(&mut self.chunks[chunk])[offset], segment)
    }

    pub fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().flatten())
    }
}
