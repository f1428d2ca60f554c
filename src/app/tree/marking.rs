//! Marking several segments: a range of rows that follows the selection, and all matches of a search.

use std::sync::Arc;

use crate::action::Action;
use crate::forest::{RowId, RowKind, SearchKind};
use crate::segment::{Segment, SegmentId};

use crate::app::Tree;
use crate::app::messages::Topic;
use crate::app::tree::{viewport, words};
use crate::app::{MarkedRange, State};

/// Returns the segments that an action applies to: the marked ones in tree order, or else the selected one.
pub(in crate::app) fn subjects(state: &State) -> Vec<Arc<Segment>> {
    if state.tree.picks.marked.is_empty() {
        return state.selected_segment().cloned().into_iter().collect();
    }
    state.tree.forest.in_order(&state.tree.picks.marked).into_iter().cloned().collect()
}

/// Starts marking a range at the selected row, or ends the range and keeps the marks.
pub(in crate::app) fn toggle_range(state: &mut State) {
    if state.tree.picks.range.anchor.is_some() {
        state.tree.picks.range = MarkedRange::default();
        let count = state.tree.picks.marked.len();
        state.inform_about(Topic::Marked(count), words::marked(count));
        return;
    }
    begin_range(state, false);
    let (range, dismiss) = (state.key(Action::MarkRange), state.key(Action::Dismiss));
    state.inform_about(Topic::Range, words::marking_a_range(range, dismiss));
}

fn begin_range(state: &mut State, by_shift: bool) {
    let before = state.tree.picks.marked.clone();
    state.tree.picks.range = MarkedRange { anchor: state.tree.view.selected.clone(), before, by_shift };
    update_range(state);
}

/// Extends the range by a number of rows. Without a range, starts one at the selected row.
pub(in crate::app) fn extend(state: &mut State, by: isize) {
    if state.tree.picks.range.anchor.is_none() {
        begin_range(state, true);
    }
    viewport::step(state, by);
}

/// Ends a range that only the extending keys move. The marks stay.
pub(in crate::app) fn end_extending(tree: &mut Tree) {
    if tree.picks.range.by_shift {
        tree.picks.range = MarkedRange::default();
    }
}

/// Cancels the range being marked and restores the marks from before. Returns whether there was one.
pub(in crate::app) fn end_range(tree: &mut Tree) -> bool {
    let MarkedRange { anchor, before, .. } = std::mem::take(&mut tree.picks.range);
    if anchor.is_none() {
        return false;
    }
    tree.picks.marked = before;
    true
}

/// Marks the rows between the anchor and the selected row.
pub(in crate::app) fn update_range(state: &mut State) {
    let Some(anchor) = &state.tree.picks.range.anchor else { return };
    let ends = (state.shown_position(anchor), selected_position(state));
    let (Some(from), Some(to)) = ends else { return };
    let rows = state.shown_rows(from.min(to)..from.max(to) + 1).into_iter();
    let range = rows.filter_map(|row| match row.kind {
        RowKind::Segment(segment) => Some(segment.id.clone()),
        RowKind::MissingParent(_) | RowKind::Heading(_) => None,
    });
    let range: Vec<SegmentId> = range.collect();
    state.tree.picks.marked = state.tree.picks.range.before.iter().cloned().chain(range).collect();
}

fn selected_position(state: &State) -> Option<usize> {
    state.tree.view.selected.as_ref().and_then(|row: &RowId| state.shown_position(row))
}

/// Marks all matches of the search, in addition to what is marked.
pub(in crate::app) fn mark_matches(state: &mut State) {
    let matches: Vec<SegmentId> = state.tree.forest.matches(SearchKind::Tree).cloned().collect();
    let more = state.tree.search.as_ref().is_some_and(|search| !search.ended);
    state.tree.picks.marked.extend(matches);
    let count = state.tree.picks.marked.len();
    if more {
        state.warn_about(Topic::Marked(count), words::marked_so_far(count));
    } else {
        state.inform_about(Topic::Marked(count), words::marked(count));
    }
}
