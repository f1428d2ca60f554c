//! Search terms that need more than the forest: `is:marked`, `is:pending`, `is:changed`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::forest::{ExternalFlags, Query, SearchKind, StateFilter};
use crate::segment::SegmentId;

use crate::app::tree::search;
use crate::app::{Effect, State};

/// Passes marks, pending writes and recent changes to the search if its query uses them, and restarts the search if it is stale.
pub(in crate::app) fn learn(state: &mut State) -> Vec<Effect> {
    let Some(search) = &state.tree.search else { return Vec::new() };
    let before = search.query.known();
    let asked = [StateFilter::Changed, StateFilter::Pending, StateFilter::Marked]
        .into_iter()
        .any(|what| search.query.asks(what));
    if asked && !is_known(state, &search.query, before) {
        let known = known(state, &search.query);
        state.tree.forest.know(SearchKind::Tree, known.clone());
        if let Some(search) = &mut state.tree.search {
            search.query = search.query.clone().knowing(known);
        }
    }
    if state.tree.forest.wants_search(SearchKind::Tree) { search::resume(state) } else { Vec::new() }
}

/// Returns the flags that a query uses and the forest doesn't know.
pub(in crate::app) fn known(state: &State, query: &Query) -> ExternalFlags {
    let set = |what| if query.asks(what) { Arc::new(those(state, what).cloned().collect()) } else { Arc::default() };
    ExternalFlags {
        changed: set(StateFilter::Changed),
        pending: set(StateFilter::Pending),
        marked: set(StateFilter::Marked),
    }
}

fn those(state: &State, what: StateFilter) -> Box<dyn Iterator<Item = &SegmentId> + '_> {
    match what {
        StateFilter::Changed => Box::new(state.side.activity.fresh()),
        StateFilter::Pending => Box::new(state.changes.queue.concerned()),
        StateFilter::Marked => Box::new(state.tree.picks.marked.iter()),
        // The forest knows these itself.
        StateFilter::Orphan | StateFilter::Leaf | StateFilter::Duplicate => Box::new(std::iter::empty()),
    }
}

/// Number of marks above which only their count is compared, since this runs after every event.
const COMPARED: usize = 10_000;

fn is_known(state: &State, query: &Query, before: &ExternalFlags) -> bool {
    let same = |what, before: &HashSet<SegmentId>| {
        !query.asks(what) || those(state, what).collect::<HashSet<_>>() == before.iter().collect()
    };
    let marked = &state.tree.picks.marked;
    let same_marks = !query.asks(StateFilter::Marked)
        || (marked.len() == before.marked.len() && (marked.len() > COMPARED || *marked == *before.marked));
    same_marks && same(StateFilter::Changed, &before.changed) && same(StateFilter::Pending, &before.pending)
}
