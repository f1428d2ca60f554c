//! Where the segments are: a list in chunks that others can keep a copy of for next to nothing.
//!
//! A copy shares the chunks. A chunk that is shared is copied when something in it changes, so whoever reads a copy sees what
//! was there when it was taken, in whichever thread.

use std::sync::Arc;

use crate::segment::Segment;

use super::NodeIndex;

/// Segments of a chunk: few enough that copying one while somebody reads is nothing to notice, enough that there are few chunks.
pub(in crate::forest) const CHUNK: usize = if cfg!(test) { 4 } else { 256 };

/// Segments by the place of their nodes; none where a node is no segment.
pub(in crate::forest) type Chunk = [Option<Arc<Segment>>; CHUNK];

/// The segments of an arena.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::forest) struct Slots {
    chunks: Vec<Arc<Chunk>>,
}

impl Slots {
    pub fn reserve(&mut self, more: usize) {
        self.chunks.reserve(more / CHUNK);
    }

    pub fn get(&self, node: NodeIndex) -> Option<&Arc<Segment>> {
        self.chunks.get(node.slot() / CHUNK)?[node.slot() % CHUNK].as_ref()
    }

    /// Puts a segment, or none, in the place of what was there.
    pub fn set(&mut self, node: NodeIndex, segment: Option<Arc<Segment>>) -> Option<Arc<Segment>> {
        let chunk = node.slot() / CHUNK;
        while self.chunks.len() <= chunk {
            self.chunks.push(Arc::new([const { None }; CHUNK]));
        }
        std::mem::replace(&mut Arc::make_mut(&mut self.chunks[chunk])[node.slot() % CHUNK], segment)
    }

    pub fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().flatten())
    }
}
