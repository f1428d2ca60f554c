//! The tree reduced to the matches of a search and their ancestors.
//!
//! It is rebuilt whenever matches arrive or segments change, so it holds only as many matches as anyone would read, and its cost
//! does not depend on the size of the tree.

use std::ops::Range;

use super::ancestry::ancestry;
use super::find::Scratch;
use super::{Fold, Forest, Row, RowId, SearchKind};
use crate::segment::SegmentId;

/// Matches and their ancestors, as rows in the order of the tree.
#[derive(Debug, Clone, Default)]
pub struct Filtered {
    rows: Vec<FilteredRow>,
    /// The row indices of the matches.
    matches: Vec<usize>,
    best: Option<usize>,
    /// Whether there were as many matches as can be shown, or more.
    full: bool,
}

#[derive(Debug, Clone)]
struct FilteredRow {
    id: RowId,
    depth: u32,
    fold: Fold,
}

/// Maximum number of matches shown: the best ones, if there are more.
const MAX_SHOWN: usize = 2_000;

impl Filtered {
    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the identity of the row at an index.
    #[must_use]
    pub fn id(&self, at: usize) -> Option<&RowId> {
        self.rows.get(at).map(|row| &row.id)
    }

    /// Returns the index of a row.
    #[must_use]
    pub fn position(&self, id: &RowId) -> Option<usize> {
        self.rows.iter().position(|row| row.id == *id)
    }

    /// The row indices of the matches, from the top down.
    #[must_use]
    pub fn matches(&self) -> &[usize] {
        &self.matches
    }

    /// Whether further matches would be shown only if they are better.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// The row index of the best match.
    #[must_use]
    pub const fn best(&self) -> Option<usize> {
        self.best
    }
}

impl Forest {
    /// Returns the tree with only the matches so far and their ancestors; only the best ones if there are more than two thousand.
    /// `extra` is shown in any case, as long as it exists.
    #[must_use]
    pub fn filtered(&self, kind: SearchKind, extra: Option<&SegmentId>) -> Filtered {
        let Some(search) = self.searches.of(kind) else { return Filtered::default() };
        let best = search.best(MAX_SHOWN);
        let best_rank = best.first().map(|(rank, _)| *rank);
        let ranks: hashbrown::HashMap<_, _> = best.iter().map(|(rank, node)| (*node, *rank)).collect();
        let full = best.len() == MAX_SHOWN;
        let extra = extra.and_then(|id| self.arena.find(id)).filter(|node| !search.is_match(*node));
        let nodes: Vec<_> = best.into_iter().map(|(_, node)| node).chain(extra).collect();
        let mut filtered = Filtered { full, ..Filtered::default() };
        let (mut scratch, mut best_tie_breaker) = (Scratch::default(), None);
        for ancestor in ancestry(&self.arena, &nodes) {
            let Some(id) = self.row_id(ancestor.node) else { continue };
            let fold = match ancestor.has_children {
                true => Fold::Open,
                false if self.arena.has_children(ancestor.node) => Fold::Closed,
                false => Fold::Leaf,
            };
            let at = filtered.rows.len();
            filtered.rows.push(FilteredRow { id, depth: ancestor.depth, fold });
            if !search.is_match(ancestor.node) {
                continue;
            }
            filtered.matches.push(at);
            // Of equally good ones, the first is the best.
            let has_best_rank = ranks.get(&ancestor.node).copied() == best_rank;
            let segment = self.arena.segment(ancestor.node).filter(|_| has_best_rank);
            let tie_breaker = segment.map(|segment| search.query().tie_breaker(segment, &mut scratch));
            if tie_breaker.is_some() && (best_tie_breaker.is_none() || tie_breaker < best_tie_breaker) {
                (filtered.best, best_tie_breaker) = (Some(at), tie_breaker);
            }
        }
        filtered
    }

    /// The rows in a range, as far as they exist, with their present content.
    pub fn filtered_rows<'a>(&'a self, filtered: &'a Filtered, range: Range<usize>) -> impl Iterator<Item = Row<'a>> {
        let rows = filtered.rows.iter().skip(range.start).take(range.len());
        rows.filter_map(|FilteredRow { id, depth, fold }| {
            let node = self.node(id)?;
            let kind = self.kind(node)?;
            Some(Row { kind, depth: *depth, fold: *fold, descendants: self.arena.descendants(node) })
        })
    }
}
