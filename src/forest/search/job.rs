//! The part of a search that any thread can run: matching segments without the tree.

use std::sync::Arc;

use crate::forest::arena::{Chunk, Slots};
use crate::forest::find::{Rank, Scratch};
use crate::forest::{Query, SearchKind};

/// A search to run: an iterator over batches of matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchJob {
    kind: SearchKind,
    number: u64,
    query: Query,
    slots: Slots,
    /// The first chunk that has not been searched yet.
    next: usize,
    /// The end of its chunks, where those of the next share begin.
    end: usize,
    shares: usize,
}

/// A batch of a search's matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchBatch {
    pub(super) kind: SearchKind,
    pub(super) number: u64,
    pub(super) first: usize,
    pub(super) chunks: Vec<ChunkMatches>,
    /// Whether it is the last one of its share.
    pub(super) ended: bool,
    /// Number of shares of the search.
    pub(super) shares: usize,
}

/// The matches in a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChunkMatches {
    /// The chunk as it was searched.
    pub chunk: Arc<Chunk>,
    pub matches: Vec<Match>,
}

/// A segment that matches, without the terms that need the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Its position in the chunk.
    pub place: u16,
    pub rank: Rank,
}

impl SearchBatch {
    /// The purpose of the search.
    #[must_use]
    pub const fn kind(&self) -> SearchKind {
        self.kind
    }
}

impl SearchJob {
    pub(super) const fn new(kind: SearchKind, number: u64, query: Query, slots: Slots) -> Self {
        Self { kind, number, query, slots, next: 0, end: usize::MAX, shares: 1 }
    }

    /// Splits the search into shares of about equal size, one for each thread. It has ended when all of them have.
    pub fn in_shares(self, shares: usize) -> impl Iterator<Item = Self> {
        let shares = shares.max(1);
        let count = self.slots.chunks().len();
        let size = count.div_ceil(shares);
        let bound = move |share: usize| (share * size).min(count);
        (0..shares).map(move |share| Self { next: bound(share), end: bound(share + 1), shares, ..self.clone() })
    }

    /// The purpose of the search.
    #[must_use]
    pub const fn kind(&self) -> SearchKind {
        self.kind
    }
}

/// Chunks in a batch: some eight thousand segments, which take a millisecond or two.
const BATCH_CHUNKS: usize = 32;
/// Chunks in a batch if the tree has to be checked, which takes time from the interface; and in the first one, so that something
/// shows up soon.
const SMALL_BATCH_CHUNKS: usize = 8;

impl Iterator for SearchJob {
    type Item = SearchBatch;

    fn next(&mut self) -> Option<SearchBatch> {
        let chunks = self.slots.chunks();
        let chunks = chunks.get(..self.end).unwrap_or(chunks);
        if self.next > chunks.len() {
            return None;
        }
        let first = self.next;
        let size = if self.next == 0 || self.query.needs_tree() { SMALL_BATCH_CHUNKS } else { BATCH_CHUNKS };
        let batch = chunks.get(first..chunks.len().min(first + size)).unwrap_or_default();
        let mut scratch = Scratch::default();
        let mut search_chunk =
            |chunk| ChunkMatches { chunk: Arc::clone(chunk), matches: matches(chunk, &self.query, &mut scratch) };
        let searched: Vec<ChunkMatches> = batch.iter().map(&mut search_chunk).collect();
        let ended = first + size >= chunks.len();
        self.next = if ended { chunks.len() + 1 } else { first + size };
        let (kind, number, shares) = (self.kind, self.number, self.shares);
        Some(SearchBatch { kind, number, first, chunks: searched, ended, shares })
    }
}

fn matches(chunk: &Chunk, query: &Query, scratch: &mut Scratch) -> Vec<Match> {
    let places = (0_u16..).zip(chunk).filter_map(|(place, segment)| Some((place, segment.as_ref()?)));
    places.filter_map(|(place, segment)| Some(Match { place, rank: query.rank(segment, scratch)? })).collect()
}
