//! The part of a search that any thread can carry out: what is seen in the segments by themselves.

use std::sync::Arc;

use crate::forest::arena::{Chunk, Slots};
use crate::forest::find::{Rank, Scratch};
use crate::forest::{Query, SearchKind};

/// A search to be carried out: an iterator over what it finds, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchJob {
    kind: SearchKind,
    number: u64,
    query: Query,
    slots: Slots,
    /// The first chunk that was not looked at yet.
    next: usize,
    /// The chunk that is another share's, the first one after its own.
    end: usize,
    shares: usize,
}

/// A part of what a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchBatch {
    pub(super) kind: SearchKind,
    pub(super) number: u64,
    pub(super) first: usize,
    pub(super) chunks: Vec<Found>,
    /// Whether that was all of its share.
    pub(super) ended: bool,
    /// In how many shares the search is carried out.
    pub(super) shares: usize,
}

/// What was found in a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// As it was when it was looked at.
    pub chunk: Arc<Chunk>,
    pub matches: Vec<Match>,
}

/// A segment that is meant, as far as can be seen without the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Its place in the chunk.
    pub place: u16,
    pub rank: Rank,
}

impl SearchBatch {
    /// What the search is for.
    #[must_use]
    pub const fn kind(&self) -> SearchKind {
        self.kind
    }
}

impl SearchJob {
    pub(super) const fn new(kind: SearchKind, number: u64, query: Query, slots: Slots) -> Self {
        Self { kind, number, query, slots, next: 0, end: usize::MAX, shares: 1 }
    }

    /// The same search in so many shares of about the same size, for as many threads. It has ended when each of them has.
    pub fn in_shares(self, shares: usize) -> impl Iterator<Item = Self> {
        let shares = shares.max(1);
        let count = self.slots.chunks().len();
        let size = count.div_ceil(shares);
        let bound = move |share: usize| (share * size).min(count);
        (0..shares).map(move |share| Self { next: bound(share), end: bound(share + 1), shares, ..self.clone() })
    }

    /// What the search is for.
    #[must_use]
    pub const fn kind(&self) -> SearchKind {
        self.kind
    }
}

/// Chunks of a part: some eight thousand segments, which take a millisecond or two.
const PART: usize = 32;
/// The same where the tree is asked about them as they come back, which takes the interface's time; and of the first part, so that
/// something is to be seen soon.
const SMALL_PART: usize = 8;

impl Iterator for SearchJob {
    type Item = SearchBatch;

    fn next(&mut self) -> Option<SearchBatch> {
        let chunks = self.slots.chunks();
        let chunks = chunks.get(..self.end).unwrap_or(chunks);
        if self.next > chunks.len() {
            return None;
        }
        let first = self.next;
        let size = if self.next == 0 || self.query.asks_the_tree() { SMALL_PART } else { PART };
        let part = chunks.get(first..chunks.len().min(first + size)).unwrap_or_default();
        let mut scratch = Scratch::default();
        let mut look = |chunk| Found { chunk: Arc::clone(chunk), matches: matches(chunk, &self.query, &mut scratch) };
        let chunks_found: Vec<Found> = part.iter().map(&mut look).collect();
        let ended = first + size >= chunks.len();
        self.next = if ended { chunks.len() + 1 } else { first + size };
        let (kind, number, shares) = (self.kind, self.number, self.shares);
        Some(SearchBatch { kind, number, first, chunks: chunks_found, ended, shares })
    }
}

fn matches(chunk: &Chunk, query: &Query, scratch: &mut Scratch) -> Vec<Match> {
    let places = (0_u16..).zip(chunk).filter_map(|(place, segment)| Some((place, segment.as_ref()?)));
    places.filter_map(|(place, segment)| Some(Match { place, rank: query.rank(segment, scratch)? })).collect()
}
