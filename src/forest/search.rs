//! Searching without holding up whoever changes or shows the tree.
//!
//! A [`SearchJob`] holds all it needs and can be carried out by any thread; what it finds comes in parts that are handed back
//! with [`Forest::take_finds`]. The tree may change meanwhile: what was not the same any more when a part came back is looked at
//! again, and what changes afterwards is looked at as it changes. So what counts as found is always true of the present tree.

use std::sync::Arc;

use crate::segment::SegmentId;

use super::arena::{Arena, CHUNK, Chunk, NodeIndex, Slots, Touched};
use super::picked::Picked;
use super::{Forest, Query, RowId};

/// What a search is for. There is one of each kind at a time; another one takes the place of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Going from one match to the next in the tree.
    Tree,
    /// Choosing a parent.
    Parents,
}

const PURPOSES: usize = 2;

/// A search to be carried out: an iterator over what it finds, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchJob {
    purpose: Purpose,
    number: u64,
    query: Query,
    slots: Slots,
    /// The first chunk that was not looked at yet.
    next: usize,
}

/// A part of what a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finds {
    purpose: Purpose,
    number: u64,
    first: usize,
    chunks: Vec<Found>,
    /// Whether that was all.
    ended: bool,
}

/// What was found in a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    /// As it was when it was looked at.
    chunk: Arc<Chunk>,
    matches: Vec<Match>,
}

/// A segment that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Match {
    /// Its place in the chunk.
    place: u16,
    /// Whether its name begins with what is searched for.
    begins: bool,
}

impl Finds {
    /// What the search is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }
}

impl SearchJob {
    /// What the search is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }
}

/// Chunks of a part: some eight thousand segments, which take a millisecond or two.
const PART: usize = 32;

impl Iterator for SearchJob {
    type Item = Finds;

    fn next(&mut self) -> Option<Finds> {
        let chunks = self.slots.chunks();
        if self.next > chunks.len() {
            return None;
        }
        let first = self.next;
        let part = chunks.get(first..chunks.len().min(first + PART)).unwrap_or_default();
        let found = part.iter().map(|chunk| Found { chunk: Arc::clone(chunk), matches: look(chunk, &self.query) });
        let chunks_found: Vec<Found> = found.collect();
        let ended = first + PART >= chunks.len();
        self.next = if ended { chunks.len() + 1 } else { first + PART };
        Some(Finds { purpose: self.purpose, number: self.number, first, chunks: chunks_found, ended })
    }
}

fn look(chunk: &Chunk, query: &Query) -> Vec<Match> {
    let places = (0_u16..).zip(chunk).filter_map(|(place, segment)| Some((place, segment.as_ref()?)));
    let meant = places.filter(|(_, segment)| query.matches(segment));
    meant.map(|(place, segment)| Match { place, begins: query.begins(&segment.name) }).collect()
}

/// The searches whose matches are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Searches {
    begun: u64,
    searches: [Option<Search>; PURPOSES],
}

/// A search and what it has found so far.
#[derive(Debug, Clone)]
struct Search {
    number: u64,
    query: Query,
    all: Picked,
    /// Those of them whose names begin with what is searched for.
    begin: Picked,
    ended: bool,
}

impl Search {
    fn look_at(&mut self, arena: &Arena, node: NodeIndex) {
        let segment = arena.segment(node);
        let matches = segment.is_some_and(|segment| self.query.matches(segment));
        let begins = matches && segment.is_some_and(|segment| self.query.begins(&segment.name));
        for (picked, wanted) in [(&mut self.all, matches), (&mut self.begin, begins)] {
            if wanted {
                picked.insert(arena, node);
            } else {
                picked.remove(node);
            }
        }
    }

    fn take(&mut self, arena: &Arena, first: usize, found: Vec<Found>) {
        for (at, Found { chunk, matches }) in (first..).zip(found) {
            if !arena.slots().chunks().get(at).is_some_and(|present| Arc::ptr_eq(present, &chunk)) {
                (0..CHUNK).for_each(|place| self.look_at(arena, NodeIndex::at(at * CHUNK + place)));
                continue;
            }
            for Match { place, begins } in matches {
                let node = NodeIndex::at(at * CHUNK + usize::from(place));
                self.all.insert(arena, node);
                if begins {
                    self.begin.insert(arena, node);
                }
            }
        }
    }
}

impl Searches {
    const fn of(&self, purpose: Purpose) -> Option<&Search> {
        self.searches[purpose as usize].as_ref()
    }

    /// Whether anything is searched for.
    pub fn any(&self) -> bool {
        self.searches.iter().any(Option::is_some)
    }

    /// Looks again at what changed, and at where it hangs.
    pub fn follow(&mut self, arena: &Arena, changed: &[NodeIndex], touched: &Touched) {
        for search in self.searches.iter_mut().flatten() {
            for node in changed {
                search.look_at(arena, *node);
            }
            for picked in [&mut search.all, &mut search.begin] {
                match touched {
                    Touched::Nodes { hung, .. } => hung.iter().for_each(|node| picked.follow(arena, *node)),
                    Touched::Everything => picked.follow_all(arena),
                }
            }
        }
    }
}

/// Searching.
impl Forest {
    /// Begins a search. The job is to be carried out, and what it finds to be handed back.
    pub fn search(&mut self, purpose: Purpose, query: Query) -> SearchJob {
        self.searches.begun += 1;
        let number = self.searches.begun;
        let job = SearchJob { purpose, number, query: query.clone(), slots: self.arena.slots().clone(), next: 0 };
        let search = Search { number, query, all: Picked::default(), begin: Picked::default(), ended: false };
        self.searches.searches[purpose as usize] = Some(search);
        job
    }

    /// Takes in a part of what a search found. Parts of a search that is over are dropped.
    pub fn take_finds(&mut self, finds: Finds) {
        let search = self.searches.searches[finds.purpose as usize].as_mut();
        if let Some(search) = search.filter(|search| search.number == finds.number) {
            search.take(&self.arena, finds.first, finds.chunks);
            search.ended |= finds.ended;
        }
    }

    /// Ends a search and forgets what it found.
    pub fn end_search(&mut self, purpose: Purpose) {
        self.searches.searches[purpose as usize] = None;
    }

    /// How many matches were found so far.
    #[must_use]
    pub fn match_count(&self, purpose: Purpose) -> usize {
        self.searches.of(purpose).map_or(0, |search| search.all.count())
    }

    /// Whether everything was looked at, so that there are no more matches than those found.
    #[must_use]
    pub fn is_searched(&self, purpose: Purpose) -> bool {
        self.searches.of(purpose).is_none_or(|search| search.ended)
    }

    /// Whether a segment was found.
    #[must_use]
    pub fn is_match(&self, purpose: Purpose, id: &SegmentId) -> bool {
        let node = self.arena.find(id);
        self.searches.of(purpose).zip(node).is_some_and(|(search, node)| search.all.contains(node))
    }

    /// The matches so far in the order in which they are shown when everything is unfolded.
    pub fn matches(&self, purpose: Purpose) -> impl Iterator<Item = &SegmentId> {
        self.matches_among(purpose, |search| &search.all)
    }

    /// Those of the matches so far whose names begin with what is searched for, in the same order.
    pub fn matches_that_begin(&self, purpose: Purpose) -> impl Iterator<Item = &SegmentId> {
        self.matches_among(purpose, |search| &search.begin)
    }

    fn matches_among<'a>(
        &'a self,
        purpose: Purpose,
        picked: impl Fn(&'a Search) -> &'a Picked + 'a,
    ) -> impl Iterator<Item = &'a SegmentId> {
        let nodes = self.searches.of(purpose).into_iter().flat_map(move |search| picked(search).in_order(&self.arena));
        nodes.filter_map(|node| self.arena.segment(node)).map(|segment| &segment.id)
    }

    /// The next match after a row in that order, whether that is one or not; the first of all after none.
    pub fn match_after(&mut self, purpose: Purpose, row: Option<&RowId>) -> Option<SegmentId> {
        let node = row.map_or(Some(NodeIndex::TOP), |row| self.node(row))?;
        let found = self.searches.searches[purpose as usize].as_ref()?.all.after(&mut self.arena, node)?;
        self.arena.segment(found).map(|segment| segment.id.clone())
    }

    /// The last match before a row; the last of all before none.
    pub fn match_before(&mut self, purpose: Purpose, row: Option<&RowId>) -> Option<SegmentId> {
        let node = row.map_or(Some(NodeIndex::TOP), |row| self.node(row))?;
        let found = self.searches.searches[purpose as usize].as_ref()?.all.before(&mut self.arena, node)?;
        self.arena.segment(found).map(|segment| segment.id.clone())
    }

    /// These segments in the order of the tree, without those that are not there.
    pub fn in_order<'a>(&self, ids: impl IntoIterator<Item = &'a SegmentId>) -> Vec<&Arc<crate::segment::Segment>> {
        let mut picked = Picked::default();
        for node in ids.into_iter().filter_map(|id| self.arena.find(id)) {
            picked.insert(&self.arena, node);
        }
        picked.in_order(&self.arena).filter_map(|node| self.arena.segment(node)).collect()
    }
}
