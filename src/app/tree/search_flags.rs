//! Search terms that need more than the forest: `is:marked`, `is:pending`, `is:changed`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::forest::{ExternalFlags, Query, SearchKind, StateFilter};
use crate::segment::SegmentId;

use crate::app::tree::search;
use crate::app::{Effect, State};

/// Passes marks, pending writes and recent changes to the search if its query uses them, and restarts the search if it is stale.
pub(in crate::app) fn refresh_flags(state: &mut State) -> Vec<Effect> {
    let Some(search) = &state.tree.search else { return Vec::new() };
    let before = search.query.external_flags();
    let uses_flags = [StateFilter::Changed, StateFilter::Pending, StateFilter::Marked]
        .into_iter()
        .any(|flag| search.query.has_state_term(flag));
    if uses_flags && !are_flags_current(state, &search.query, before) {
        let external_flags = external_flags(state, &search.query);
        state.tree.forest.set_external_flags(SearchKind::Tree, external_flags.clone());
        if let Some(search) = &mut state.tree.search {
            search.query = search.query.clone().with_external_flags(external_flags);
        }
    }
    if state.tree.forest.wants_search(SearchKind::Tree) { search::resume(state) } else { Vec::new() }
}

/// Returns the flags that a query uses and the forest doesn't know.
pub(in crate::app) fn external_flags(state: &State, query: &Query) -> ExternalFlags {
    let set = |flag| {
        if query.has_state_term(flag) {
            Arc::new(flagged_segments(state, flag).cloned().collect())
        } else {
            Arc::default()
        }
    };
    ExternalFlags {
        changed: set(StateFilter::Changed),
        pending: set(StateFilter::Pending),
        marked: set(StateFilter::Marked),
    }
}

fn flagged_segments(state: &State, flag: StateFilter) -> Box<dyn Iterator<Item = &SegmentId> + '_> {
    match flag {
        StateFilter::Changed => Box::new(state.side.activity.highlighted()),
        StateFilter::Pending => Box::new(state.changes.queue.pending_ids()),
        StateFilter::Marked => Box::new(state.tree.picks.marked.iter()),
        // The forest knows these itself.
        StateFilter::Orphan | StateFilter::Leaf | StateFilter::Duplicate => Box::new(std::iter::empty()),
    }
}

/// Number of marks above which only their count is compared, since this runs after every event.
const MAX_COMPARED_MARKS: usize = 10_000;

fn are_flags_current(state: &State, query: &Query, before: &ExternalFlags) -> bool {
    let same = |flag, before: &HashSet<SegmentId>| {
        !query.has_state_term(flag) || flagged_segments(state, flag).collect::<HashSet<_>>() == before.iter().collect()
    };
    let marked = &state.tree.picks.marked;
    let same_marks = !query.has_state_term(StateFilter::Marked)
        || (marked.len() == before.marked.len() && (marked.len() > MAX_COMPARED_MARKS || *marked == *before.marked));
    same_marks && same(StateFilter::Changed, &before.changed) && same(StateFilter::Pending, &before.pending)
}
