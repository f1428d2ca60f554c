//! Searching without blocking changes and display of the tree.
//!
//! A [`SearchJob`] is self-contained and can run in any thread. Its results come in batches that are handed back with
//! [`Forest::apply_search_batch`]. The tree may change meanwhile: segments that have changed when a batch comes back are matched again,
//! and so is each segment that changes later. So the matches are always true of the present tree, or [`Forest::wants_search`]
//! asks for a new search.
//!
//! Cost of the terms with a million segments: texts and external flags are matched by the job, in its own thread. `is:leaf`,
//! `is:orphan`, `is:duplicate` and `path:` are checked against the tree when batches come back, only for segments that match the
//! other terms. A batch takes a fraction of a millisecond; with a path, two at first, until most ancestors are known. In total,
//! without other terms: `is:leaf` some 25 ms, `is:orphan` 45, `is:duplicate` 110, `path:` 120.

mod job;
mod standing;

use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::ancestry::ancestry;
use super::arena::{Arena, NodeIndex, Touched};
use super::find::{ExternalFlags, Rank, Scratch};
use super::node_set::{Bits, NodeSet};
use super::{Forest, Query, RowId};

use job::{ChunkMatches, Match};
use standing::{Affected, Paths};

pub use job::{SearchBatch, SearchJob};

/// The purpose of a search. There is at most one search of each kind; a new one replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchKind {
    /// Moving between matches in the tree.
    Tree,
    /// Choosing a parent.
    Parents,
}

const SEARCH_KINDS: usize = 2;

/// The current searches.
#[derive(Debug, Clone, Default)]
pub(super) struct Searches {
    last_number: u64,
    searches: [Option<Search>; SEARCH_KINDS],
}

/// A search and its matches so far.
#[derive(Debug, Clone)]
pub(super) struct Search {
    number: u64,
    query: Query,
    /// The external flags when the search began, which the job uses.
    job_flags: ExternalFlags,
    all: NodeSet,
    /// The same matches by rank.
    ranks: [Bits; Rank::COUNT],
    paths: Paths,
    /// Number of shares of the job that have ended.
    shares_ended: usize,
    ended: bool,
    /// Whether something changed that can't be tracked.
    stale: bool,
    /// Number of times that the matches or their order may have changed since the search began.
    changes: u64,
}

impl Search {
    fn new(number: u64, query: Query) -> Self {
        let (all, ranks, paths) = (NodeSet::default(), Default::default(), Paths::default());
        let job_flags = query.external_flags().clone();
        Self { number, query, job_flags, all, ranks, paths, shares_ended: 0, ended: false, stale: false, changes: 0 }
    }

    fn match_node(&mut self, arena: &Arena, node: NodeIndex, scratch: &mut Scratch) {
        let rank = arena.segment(node).and_then(|segment| self.query.rank(segment, scratch));
        self.record_rank(arena, node, rank);
    }

    fn record_rank(&mut self, arena: &Arena, node: NodeIndex, rank: Option<Rank>) {
        let rank = rank.filter(|_| standing::tree_terms_match(arena, &self.query, &mut self.paths, node));
        match rank {
            Some(_) => self.all.insert(arena, node),
            None => self.all.remove(node),
        }
        for (at, bits) in self.ranks.iter_mut().enumerate() {
            if rank.is_some_and(|rank| rank as usize == at) {
                bits.set(node);
            } else {
                bits.clear(node);
            }
        }
    }

    fn add_batch(&mut self, arena: &Arena, first: usize, found: Vec<ChunkMatches>) {
        let mut scratch = Scratch::default();
        let size = arena.slots().chunk_size();
        for (at, ChunkMatches { chunk, matches }) in (first..).zip(found) {
            if !arena.slots().chunks().get(at).is_some_and(|present| Arc::ptr_eq(present, &chunk)) {
                (0..size).for_each(|place| self.match_node(arena, NodeIndex::at(at * size + place), &mut scratch));
                continue;
            }
            for Match { place, rank } in matches {
                self.record_rank(arena, NodeIndex::at(at * size + usize::from(place)), Some(rank));
            }
        }
    }

    /// Returns up to `limit` best matches: sorted by rank, and in arbitrary order within a rank.
    pub fn best(&self, limit: usize) -> Vec<(Rank, NodeIndex)> {
        const RANKS: [Rank; Rank::COUNT] = [Rank::Exact, Rank::Prefix, Rank::Substring, Rank::OtherField, Rank::Fuzzy];
        let ranks = RANKS.into_iter().flat_map(|rank| self.ranks[rank as usize].iter().map(move |node| (rank, node)));
        ranks.take(limit).collect()
    }

    pub const fn query(&self) -> &Query {
        &self.query
    }

    pub fn is_match(&self, node: NodeIndex) -> bool {
        self.all.contains(node)
    }

    /// Matches again the segments that a change concerns.
    fn follow(&mut self, arena: &Arena, changed: &[NodeIndex], touched: &Touched, affected: &Affected) {
        self.changes += 1;
        self.stale |= affected.is_unbounded;
        self.paths = Paths::default();
        let mut scratch = Scratch::default();
        for node in changed.iter().chain(&affected.nodes) {
            self.match_node(arena, *node, &mut scratch);
        }
        match touched {
            Touched::Nodes { relinked, .. } => relinked.iter().for_each(|node| self.all.update_ancestors(arena, *node)),
            Touched::Everything => self.all.rebuild_ancestors(arena),
        }
    }
}

/// The data for tracking a change of the tree, collected before it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    ids: Vec<SegmentId>,
    nodes: Vec<NodeIndex>,
    affected: [Affected; SEARCH_KINDS],
}

impl Searches {
    pub(super) const fn of(&self, kind: SearchKind) -> Option<&Search> {
        self.searches[kind as usize].as_ref()
    }

    /// The searches with terms that need the tree, by index.
    fn tree_queries(&self) -> impl Iterator<Item = (usize, &Query)> {
        let queries = self.searches.iter().map(|search| search.as_ref().map(|search| &search.query));
        queries.enumerate().filter_map(|(at, query)| Some((at, query.filter(|query| query.needs_tree())?)))
    }

    /// Gathers what is needed before segments change.
    pub fn watch<'a>(&self, arena: &Arena, ids: impl Iterator<Item = &'a SegmentId>) -> Watch {
        if self.searches.iter().all(Option::is_none) {
            return Watch::default();
        }
        let ids: Vec<SegmentId> = ids.cloned().collect();
        let nodes: Vec<NodeIndex> = ids.iter().filter_map(|id| arena.find(id)).collect();
        let mut affected = <[Affected; SEARCH_KINDS]>::default();
        for (at, query) in self.tree_queries() {
            affected[at].is_unbounded |= arena.has_children(NodeIndex::CIRCLES);
            affected[at].add_all(arena, query, &nodes);
        }
        Watch { ids, nodes, affected }
    }

    /// Matches again the segments that changed, and those affected by it.
    pub fn follow(&mut self, arena: &Arena, watch: Watch, touched: &Touched) {
        let Watch { ids, mut nodes, mut affected } = watch;
        nodes.extend(ids.iter().filter_map(|id| arena.find(id)));
        for (at, query) in self.tree_queries() {
            affected[at].add_all(arena, query, &nodes);
            affected[at].follow(arena, query, touched);
        }
        for (search, affected) in self.searches.iter_mut().zip(affected) {
            if let Some(search) = search {
                search.follow(arena, &nodes, touched, &affected);
            }
        }
    }

    /// Records that the order of siblings changed.
    pub fn reordered(&mut self) {
        self.searches.iter_mut().flatten().for_each(|search| search.changes += 1);
    }
}

/// Searching.
impl Forest {
    /// Begins a search. The caller has to run the job and hand back its batches.
    pub fn search(&mut self, kind: SearchKind, query: Query) -> SearchJob {
        self.searches.last_number += 1;
        let number = self.searches.last_number;
        self.searches.searches[kind as usize] = Some(Search::new(number, query.clone()));
        SearchJob::new(kind, number, query, self.arena.slots().clone())
    }

    /// Whether searching everything takes less than a frame, so that it needs no other thread.
    #[must_use]
    pub fn is_searched_at_once(&self) -> bool {
        self.len() <= self.arena.limits.max_sync_search
    }

    /// Takes in a batch. Batches of an earlier search are dropped.
    pub fn apply_search_batch(&mut self, batch: SearchBatch) {
        let search = self.searches.searches[batch.kind as usize].as_mut();
        if let Some(search) = search.filter(|search| search.number == batch.number) {
            search.add_batch(&self.arena, batch.first, batch.chunks);
            search.shares_ended += usize::from(batch.ended);
            if search.shares_ended >= batch.shares && !search.ended {
                search.ended = true;
                // If the external flags changed since, the job matched with the old ones.
                let nodes = search.query.external_flags().differing(&search.job_flags);
                let nodes: Vec<NodeIndex> = nodes.filter_map(|id| self.arena.find(id)).collect();
                let mut scratch = Scratch::default();
                for node in nodes {
                    search.match_node(&self.arena, node, &mut scratch);
                }
            }
        }
    }

    /// Sets the external flags of a search, and matches again the segments whose flags differ.
    pub fn set_external_flags(&mut self, kind: SearchKind, known: ExternalFlags) {
        let Some(search) = self.searches.searches[kind as usize].as_mut() else { return };
        let nodes = known.differing(search.query.external_flags()).filter_map(|id| self.arena.find(id));
        let nodes: Vec<NodeIndex> = nodes.collect();
        search.query = search.query.clone().with_external_flags(known);
        search.changes += u64::from(!nodes.is_empty());
        let mut scratch = Scratch::default();
        for node in nodes {
            search.match_node(&self.arena, node, &mut scratch);
        }
    }

    /// Ends a search and drops its matches.
    pub fn end_search(&mut self, kind: SearchKind) {
        self.searches.searches[kind as usize] = None;
    }

    /// Number of matches so far.
    #[must_use]
    pub fn match_count(&self, kind: SearchKind) -> usize {
        self.searches.of(kind).map_or(0, |search| search.all.count())
    }

    /// Whether the search has ended, so that all matches are known.
    #[must_use]
    pub fn is_searched(&self, kind: SearchKind) -> bool {
        self.searches.of(kind).is_none_or(|search| search.ended)
    }

    /// Whether a change could not be tracked, so that the matches are out of date and a new search is needed.
    #[must_use]
    pub fn wants_search(&self, kind: SearchKind) -> bool {
        self.searches.of(kind).is_some_and(|search| search.stale)
    }

    /// Returns a number that changes when the matches or their order may have changed, other than by newly found ones.
    #[must_use]
    pub fn match_changes(&self, kind: SearchKind) -> u64 {
        self.searches.of(kind).map_or(0, |search| search.changes)
    }

    /// Whether a segment is a match.
    #[must_use]
    pub fn is_match(&self, kind: SearchKind, id: &SegmentId) -> bool {
        let node = self.arena.find(id);
        self.searches.of(kind).zip(node).is_some_and(|(search, node)| search.is_match(node))
    }

    /// The matches so far, in the order in which they are shown when everything is expanded.
    pub fn matches(&self, kind: SearchKind) -> impl Iterator<Item = &SegmentId> {
        let nodes = self.searches.of(kind).into_iter().flat_map(|search| search.all.in_order(&self.arena));
        nodes.filter_map(|node| self.arena.segment(node)).map(|segment| &segment.id)
    }

    /// Up to `limit` of the best matches so far, in no particular order within a rank.
    pub fn some_matches(&self, kind: SearchKind, limit: usize) -> impl Iterator<Item = &SegmentId> {
        let nodes = self.searches.of(kind).into_iter().flat_map(move |search| search.best(limit));
        nodes.filter_map(|(_, node)| self.arena.segment(node)).map(|segment| &segment.id)
    }

    /// Returns up to `limit` best matches so far, by rank: exact and prefix matches first, fuzzy ones last. Within a rank, they
    /// are in the order of the tree.
    #[must_use]
    pub fn best_matches(&self, kind: SearchKind, limit: usize) -> Vec<&SegmentId> {
        let best = self.searches.of(kind).map(|search| search.best(limit)).unwrap_or_default();
        let nodes: Vec<NodeIndex> = best.iter().map(|(_, node)| *node).collect();
        let ranks: hashbrown::HashMap<NodeIndex, Rank> = best.into_iter().map(|(rank, node)| (node, rank)).collect();
        let ancestors = ancestry(&self.arena, &nodes);
        let mut ranked: Vec<(Rank, NodeIndex)> =
            ancestors.iter().filter_map(|ancestor| Some((*ranks.get(&ancestor.node)?, ancestor.node))).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().filter_map(|(_, node)| self.arena.segment(node)).map(|segment| &segment.id).collect()
    }

    /// Returns the next match after a row in that order, whether or not the row is a match; the first match after `None`.
    pub fn match_after(&mut self, kind: SearchKind, row: Option<&RowId>) -> Option<SegmentId> {
        let node = row.map_or(Some(NodeIndex::TOP), |row| self.node(row))?;
        let found = self.searches.searches[kind as usize].as_ref()?.all.after(&mut self.arena, node)?;
        self.arena.segment(found).map(|segment| segment.id.clone())
    }

    /// Returns the last match before a row; the last match of all before `None`.
    pub fn match_before(&mut self, kind: SearchKind, row: Option<&RowId>) -> Option<SegmentId> {
        let node = row.map_or(Some(NodeIndex::TOP), |row| self.node(row))?;
        let found = self.searches.searches[kind as usize].as_ref()?.all.before(&mut self.arena, node)?;
        self.arena.segment(found).map(|segment| segment.id.clone())
    }

    /// Returns segments in the order of the tree, without those that don't exist.
    pub fn in_order<'a>(&self, ids: impl IntoIterator<Item = &'a SegmentId>) -> Vec<&Arc<Segment>> {
        let mut picked = NodeSet::default();
        for node in ids.into_iter().filter_map(|id| self.arena.find(id)) {
            picked.insert(&self.arena, node);
        }
        picked.in_order(&self.arena).filter_map(|node| self.arena.segment(node)).collect()
    }
}
