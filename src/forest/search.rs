//! Searching without holding up whoever changes or shows the tree.
//!
//! A [`SearchJob`] holds all it needs and can be carried out by any thread; what it finds comes in parts that are handed back
//! with [`Forest::take_finds`]. The tree may change meanwhile: what was not the same any more when a part came back is looked at
//! again, and what changes afterwards is looked at as it changes. So what counts as found is always true of the present tree, or
//! [`Forest::wants_search`] says that it has to be searched anew.
//!
//! What a term costs, with a million segments: texts, and what is known from outside, are looked at by the job, on its own thread.
//! `is:leaf`, `is:orphan`, `is:duplicate` and `path:` are asked of the tree as parts come back, only for what fulfils the rest: a
//! part takes a fraction of a millisecond, and with a path two at first, until most of what stands higher is known.
//! All of it together, with nothing else asked for: `is:leaf` some 25 ms, `is:orphan` 45, `is:duplicate` 110, `path:` 120.

mod job;
mod standing;

use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::ancestry::ancestry;
use super::arena::{Arena, NodeIndex, Touched};
use super::find::{ExternalFlags, Rank, Scratch};
use super::node_set::{Bits, NodeSet};
use super::{Forest, Query, RowId};

use job::{Found, Match};
use standing::{Concerned, Paths};

pub use job::{SearchBatch, SearchJob};

/// What a search is for. There is one of each kind at a time; another one takes the place of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchKind {
    /// Going from one match to the next in the tree.
    Tree,
    /// Choosing a parent.
    Parents,
}

const SEARCH_KINDS: usize = 2;

/// The searches whose matches are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Searches {
    begun: u64,
    searches: [Option<Search>; SEARCH_KINDS],
}

/// A search and what it has found so far.
#[derive(Debug, Clone)]
pub(super) struct Search {
    number: u64,
    query: Query,
    /// What was known when the search began, and is known to the job.
    known_to_job: ExternalFlags,
    all: NodeSet,
    /// The same by how well they are meant.
    ranks: [Bits; Rank::COUNT],
    paths: Paths,
    /// How many shares of the search have ended.
    shares_ended: usize,
    ended: bool,
    /// Whether something changed that can't be followed.
    stale: bool,
    /// How often anything about the matches or their order may have changed since the search began.
    changes: u64,
}

impl Search {
    fn new(number: u64, query: Query) -> Self {
        let (all, ranks, paths) = (NodeSet::default(), Default::default(), Paths::default());
        let known_to_job = query.known().clone();
        Self { number, query, known_to_job, all, ranks, paths, shares_ended: 0, ended: false, stale: false, changes: 0 }
    }

    fn look_at(&mut self, arena: &Arena, node: NodeIndex, scratch: &mut Scratch) {
        let rank = arena.segment(node).and_then(|segment| self.query.rank(segment, scratch));
        self.note(arena, node, rank);
    }

    fn note(&mut self, arena: &Arena, node: NodeIndex, rank: Option<Rank>) {
        let rank = rank.filter(|_| standing::holds(arena, &self.query, &mut self.paths, node));
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

    fn take(&mut self, arena: &Arena, first: usize, found: Vec<Found>) {
        let mut scratch = Scratch::default();
        let size = arena.slots().chunk_size();
        for (at, Found { chunk, matches }) in (first..).zip(found) {
            if !arena.slots().chunks().get(at).is_some_and(|present| Arc::ptr_eq(present, &chunk)) {
                (0..size).for_each(|place| self.look_at(arena, NodeIndex::at(at * size + place), &mut scratch));
                continue;
            }
            for Match { place, rank } in matches {
                self.note(arena, NodeIndex::at(at * size + usize::from(place)), Some(rank));
            }
        }
    }

    /// Those that are meant best, as many as that: each rank before the next, and in each in no particular order.
    pub fn best(&self, at_most: usize) -> Vec<(Rank, NodeIndex)> {
        const RANKS: [Rank; Rank::COUNT] = [Rank::Exact, Rank::Prefix, Rank::Substring, Rank::OtherField, Rank::Fuzzy];
        let ranks = RANKS.into_iter().flat_map(|rank| self.ranks[rank as usize].iter().map(move |node| (rank, node)));
        ranks.take(at_most).collect()
    }

    pub const fn query(&self) -> &Query {
        &self.query
    }

    pub fn is_match(&self, node: NodeIndex) -> bool {
        self.all.contains(node)
    }

    /// Looks again at those whom a change concerned.
    fn follow(&mut self, arena: &Arena, changed: &[NodeIndex], touched: &Touched, concerned: &Concerned) {
        self.changes += 1;
        self.stale |= concerned.anybody;
        self.paths = Paths::default();
        let mut scratch = Scratch::default();
        for node in changed.iter().chain(&concerned.nodes) {
            self.look_at(arena, *node, &mut scratch);
        }
        match touched {
            Touched::Nodes { hung, .. } => hung.iter().for_each(|node| self.all.follow(arena, *node)),
            Touched::Everything => self.all.follow_all(arena),
        }
    }
}

/// What is needed to follow a change of the tree, gathered before it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    ids: Vec<SegmentId>,
    nodes: Vec<NodeIndex>,
    concerned: [Concerned; SEARCH_KINDS],
}

impl Searches {
    pub(super) const fn of(&self, kind: SearchKind) -> Option<&Search> {
        self.searches[kind as usize].as_ref()
    }

    /// Those that ask for what only the tree can tell, by their purposes.
    fn asking_the_tree(&self) -> impl Iterator<Item = (usize, &Query)> {
        let queries = self.searches.iter().map(|search| search.as_ref().map(|search| &search.query));
        queries.enumerate().filter_map(|(at, query)| Some((at, query.filter(|query| query.asks_the_tree())?)))
    }

    /// Before segments change.
    pub fn watch<'a>(&self, arena: &Arena, ids: impl Iterator<Item = &'a SegmentId>) -> Watch {
        if self.searches.iter().all(Option::is_none) {
            return Watch::default();
        }
        let ids: Vec<SegmentId> = ids.cloned().collect();
        let nodes: Vec<NodeIndex> = ids.iter().filter_map(|id| arena.find(id)).collect();
        let mut concerned = <[Concerned; SEARCH_KINDS]>::default();
        for (at, query) in self.asking_the_tree() {
            concerned[at].anybody |= arena.has_children(NodeIndex::CIRCLES);
            concerned[at].add_all(arena, query, &nodes);
        }
        Watch { ids, nodes, concerned }
    }

    /// After they have changed: looks again at them, and at where they hang.
    pub fn follow(&mut self, arena: &Arena, watch: Watch, touched: &Touched) {
        let Watch { ids, mut nodes, mut concerned } = watch;
        nodes.extend(ids.iter().filter_map(|id| arena.find(id)));
        for (at, query) in self.asking_the_tree() {
            concerned[at].add_all(arena, query, &nodes);
            concerned[at].follow(arena, query, touched);
        }
        for (search, concerned) in self.searches.iter_mut().zip(concerned) {
            if let Some(search) = search {
                search.follow(arena, &nodes, touched, &concerned);
            }
        }
    }

    /// Siblings stand in another order.
    pub fn reordered(&mut self) {
        self.searches.iter_mut().flatten().for_each(|search| search.changes += 1);
    }
}

/// Searching.
impl Forest {
    /// Begins a search. The job is to be carried out, and what it finds to be handed back.
    pub fn search(&mut self, kind: SearchKind, query: Query) -> SearchJob {
        self.searches.begun += 1;
        let number = self.searches.begun;
        self.searches.searches[kind as usize] = Some(Search::new(number, query.clone()));
        SearchJob::new(kind, number, query, self.arena.slots().clone())
    }

    /// Whether a search of everything takes no longer than a frame may, so that it need not be carried out elsewhere.
    #[must_use]
    pub fn is_searched_at_once(&self) -> bool {
        self.len() <= self.arena.limits.few_to_search
    }

    /// Takes in a part of what a search found. Parts of a search that is over are dropped.
    pub fn take_finds(&mut self, finds: SearchBatch) {
        let search = self.searches.searches[finds.kind as usize].as_mut();
        if let Some(search) = search.filter(|search| search.number == finds.number) {
            search.take(&self.arena, finds.first, finds.chunks);
            search.shares_ended += usize::from(finds.ended);
            if search.shares_ended >= finds.shares && !search.ended {
                search.ended = true;
                // What the job has found since it was known better is as it was before.
                let nodes = search.query.known().differing(&search.known_to_job);
                let nodes: Vec<NodeIndex> = nodes.filter_map(|id| self.arena.find(id)).collect();
                let mut scratch = Scratch::default();
                for node in nodes {
                    search.look_at(&self.arena, node, &mut scratch);
                }
            }
        }
    }

    /// Takes in what is known from outside by now, and looks again at those of which something else is known.
    pub fn know(&mut self, kind: SearchKind, known: ExternalFlags) {
        let Some(search) = self.searches.searches[kind as usize].as_mut() else { return };
        let nodes = known.differing(search.query.known()).filter_map(|id| self.arena.find(id));
        let nodes: Vec<NodeIndex> = nodes.collect();
        search.query = search.query.clone().knowing(known);
        search.changes += u64::from(!nodes.is_empty());
        let mut scratch = Scratch::default();
        for node in nodes {
            search.look_at(&self.arena, node, &mut scratch);
        }
    }

    /// Ends a search and forgets what it found.
    pub fn end_search(&mut self, kind: SearchKind) {
        self.searches.searches[kind as usize] = None;
    }

    /// How many matches were found so far.
    #[must_use]
    pub fn match_count(&self, kind: SearchKind) -> usize {
        self.searches.of(kind).map_or(0, |search| search.all.count())
    }

    /// Whether everything was looked at, so that there are no more matches than those found.
    #[must_use]
    pub fn is_searched(&self, kind: SearchKind) -> bool {
        self.searches.of(kind).is_none_or(|search| search.ended)
    }

    /// Whether something has changed since that could not be followed: what was found is not true any more.
    #[must_use]
    pub fn wants_search(&self, kind: SearchKind) -> bool {
        self.searches.of(kind).is_some_and(|search| search.stale)
    }

    /// A number that is another one when anything about the matches or their order may have changed, except that more were found.
    #[must_use]
    pub fn match_changes(&self, kind: SearchKind) -> u64 {
        self.searches.of(kind).map_or(0, |search| search.changes)
    }

    /// Whether a segment was found.
    #[must_use]
    pub fn is_match(&self, kind: SearchKind, id: &SegmentId) -> bool {
        let node = self.arena.find(id);
        self.searches.of(kind).zip(node).is_some_and(|(search, node)| search.is_match(node))
    }

    /// The matches so far in the order in which they are shown when everything is unfolded.
    pub fn matches(&self, kind: SearchKind) -> impl Iterator<Item = &SegmentId> {
        let nodes = self.searches.of(kind).into_iter().flat_map(|search| search.all.in_order(&self.arena));
        nodes.filter_map(|node| self.arena.segment(node)).map(|segment| &segment.id)
    }

    /// So many of the matches so far, in no particular order.
    pub fn some_matches(&self, kind: SearchKind, at_most: usize) -> impl Iterator<Item = &SegmentId> {
        let nodes = self.searches.of(kind).into_iter().flat_map(move |search| search.best(at_most));
        nodes.filter_map(|(_, node)| self.arena.segment(node)).map(|segment| &segment.id)
    }

    /// So many of the matches so far that are meant best: those that are or begin with the text before those in which it stands
    /// further on, and these before those where other letters stand between; else in the order of the tree.
    #[must_use]
    pub fn best_matches(&self, kind: SearchKind, at_most: usize) -> Vec<&SegmentId> {
        let best = self.searches.of(kind).map(|search| search.best(at_most)).unwrap_or_default();
        let nodes: Vec<NodeIndex> = best.iter().map(|(_, node)| *node).collect();
        let ranks: hashbrown::HashMap<NodeIndex, Rank> = best.into_iter().map(|(rank, node)| (node, rank)).collect();
        let ancestors = ancestry(&self.arena, &nodes);
        let mut ranked: Vec<(Rank, NodeIndex)> =
            ancestors.iter().filter_map(|ancestor| Some((*ranks.get(&ancestor.node)?, ancestor.node))).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().filter_map(|(_, node)| self.arena.segment(node)).map(|segment| &segment.id).collect()
    }

    /// The next match after a row in that order, whether that is one or not; the first of all after none.
    pub fn match_after(&mut self, kind: SearchKind, row: Option<&RowId>) -> Option<SegmentId> {
        let node = row.map_or(Some(NodeIndex::TOP), |row| self.node(row))?;
        let found = self.searches.searches[kind as usize].as_ref()?.all.after(&mut self.arena, node)?;
        self.arena.segment(found).map(|segment| segment.id.clone())
    }

    /// The last match before a row; the last of all before none.
    pub fn match_before(&mut self, kind: SearchKind, row: Option<&RowId>) -> Option<SegmentId> {
        let node = row.map_or(Some(NodeIndex::TOP), |row| self.node(row))?;
        let found = self.searches.searches[kind as usize].as_ref()?.all.before(&mut self.arena, node)?;
        self.arena.segment(found).map(|segment| segment.id.clone())
    }

    /// These segments in the order of the tree, without those that are not there.
    pub fn in_order<'a>(&self, ids: impl IntoIterator<Item = &'a SegmentId>) -> Vec<&Arc<Segment>> {
        let mut picked = NodeSet::default();
        for node in ids.into_iter().filter_map(|id| self.arena.find(id)) {
            picked.insert(&self.arena, node);
        }
        picked.in_order(&self.arena).filter_map(|node| self.arena.segment(node)).collect()
    }
}
