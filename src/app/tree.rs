//! The wing of the tree: which rows are shown and selected, searching, filtering, sorting, marking, and the places one was at.
//!
//! Nothing here asks anything of the server but what is drawn: a change of the tree is the wing of edits'.

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
use places::Places;
use saved_view::View;
use search::Search;
use viewport::TreeView;

/// The tree, and where one is in it.
#[derive(Debug, Default)]
pub struct Tree {
    /// The tree as it is shown: the server's, with the pending changes laid over it.
    pub forest: Forest,
    /// Selection and scroll position.
    pub view: TreeView,
    /// The search whose matches are shown.
    pub search: Option<Search>,
    /// The filtered tree, while a filter is typed and for as long as it stays.
    pub filter: Option<Filter>,
    /// Filters of earlier, and those with a name.
    pub filters: Filters,
    /// Whether a person has pressed anything. Until then, what comes is shown from its first row on.
    pub touched: bool,
    /// What is marked and what is cut.
    pub picks: Picks,
    /// How the tree is to be arranged as soon as there is one.
    pub(super) recalled: Option<View>,
}

/// What a person picked for a later key.
#[derive(Debug, Clone, Default)]
pub struct Picks {
    /// Marked segments.
    pub marked: HashSet<SegmentId>,
    /// Segments that were cut and wait to be pasted.
    pub cut: HashSet<SegmentId>,
    /// A range that grows with the selection.
    pub range: MarkedRange,
    /// Places to go back to.
    pub places: Places,
}

impl Picks {
    /// Everything that segments are picked in.
    fn sets(&mut self) -> [&mut HashSet<SegmentId>; 3] {
        [&mut self.marked, &mut self.cut, &mut self.range.before]
    }

    /// A segment is gone.
    pub(super) fn forget(&mut self, id: &SegmentId) {
        for picked in self.sets() {
            picked.remove(id);
        }
    }

    /// Whatever is not in the forest is gone.
    pub(super) fn forget_gone(&mut self, forest: &Forest) {
        for picked in self.sets() {
            picked.retain(|id| forest.contains(id));
        }
    }

    /// A segment that was being created has its real id now.
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
    /// Where it began.
    pub anchor: Option<RowId>,
    /// What was marked before.
    pub(super) before: HashSet<SegmentId>,
    /// Whether it grows only by the keys that extend it.
    pub(super) by_shift: bool,
}
