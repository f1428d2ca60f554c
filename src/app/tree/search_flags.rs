//! The search terms that need more than the tree: `is:marked`, `is:pending`, `is:changed`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::forest::{ExternalFlags, Query, SearchKind, StateFilter};
use crate::segment::SegmentId;

use crate::app::tree::search;
use crate::app::{Effect, State};

/// Lets the search know of marks, writes and changes, if it asks for any, and begins it anew where that is due.
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

/// What a query asks for of what the tree does not know.
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
        // The tree itself knows these.
        StateFilter::Orphan | StateFilter::Leaf | StateFilter::Duplicate => Box::new(std::iter::empty()),
    }
}

/// Of more marks than these, only how many they are is compared: this is asked after every key.
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
