//! The tree pane: visible rows, selection, search, filter, sorting, marks, and the history of places.
//!
//! Nothing here changes segments on the server; that is the task of [`edit`](super::edit) and [`changes`](super::changes).

pub(super) mod filter;
pub(super) mod filters;
pub(super) mod marking;
pub(super) mod places;
pub(super) mod saved_view;
pub(super) mod search;
pub(super) mod search_flags;
pub(super) mod sorting;
pub(super) mod viewport;
mod words;

use std::collections::HashSet;

use crate::forest::{Forest, RowId};
use crate::segment::SegmentId;

use filter::Filter;
use filters::Filters;
use places::Locations;
use saved_view::View;
use search::Search;
use viewport::TreeView;

/// The tree, its view and its filter.
#[derive(Debug, Default)]
pub struct Tree {
    /// The tree as shown: the server's segments with the pending changes applied.
    pub forest: Forest,
    /// Selection and scroll position.
    pub view: TreeView,
    /// The current search.
    pub search: Option<Search>,
    /// The filtered tree, while a filter is typed or kept.
    pub filter: Option<Filter>,
    /// Recent and saved filters.
    pub filters: Filters,
    /// Whether the user has pressed a key or used the mouse. Until then, the view stays at the first row as segments arrive.
    pub touched: bool,
    /// Marked and cut segments.
    pub picks: Picks,
    /// The view of the last session, applied to the first complete tree.
    pub(super) saved_view: Option<View>,
}

/// Segments and places that the user picked for a later key.
#[derive(Debug, Clone, Default)]
pub struct Picks {
    /// Marked segments.
    pub marked: HashSet<SegmentId>,
    /// Cut segments, until they are pasted.
    pub cut: HashSet<SegmentId>,
    /// The range that grows with the selection.
    pub range: MarkedRange,
    /// Bookmarks and the history of places.
    pub places: Locations,
}

impl Picks {
    /// Returns every set of picked segments.
    fn sets(&mut self) -> [&mut HashSet<SegmentId>; 3] {
        [&mut self.marked, &mut self.cut, &mut self.range.before]
    }

    /// Removes a segment that no longer exists.
    pub(super) fn forget(&mut self, id: &SegmentId) {
        for picked in self.sets() {
            picked.remove(id);
        }
    }

    /// Removes all segments that are no longer in the forest.
    pub(super) fn retain_existing(&mut self, forest: &Forest) {
        for picked in self.sets() {
            picked.retain(|id| forest.contains(id));
        }
    }

    /// Replaces a provisional id by the real id of the created segment.
    pub(super) fn rename(&mut self, provisional: &SegmentId, id: &SegmentId) {
        self.places.rename(provisional, id);
        for picked in self.sets() {
            if picked.remove(provisional) {
                picked.insert(id.clone());
            }
        }
    }
}

/// A range that is being marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarkedRange {
    /// The row where it began; `None` if no range is being marked.
    pub anchor: Option<RowId>,
    /// The segments that were marked before it began.
    pub(super) before: HashSet<SegmentId>,
    /// Whether only the keys that extend it grow it.
    pub(super) by_shift: bool,
}
