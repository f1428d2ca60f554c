//! Sorting the tree: at once if it is small, in the background if it is large.

use crate::forest::{Order, SortJob};

use crate::app::tree::{filter, viewport, words};
use crate::app::{Effect, State};

/// Sorts the tree because the user asked for it.
pub(in crate::app) fn sort(state: &mut State, order: Order) -> Vec<Effect> {
    if let Some(job) = arrange(state, order) {
        state.inform(words::sorting(order));
        return vec![Effect::Sort(job)];
    }
    filter::rebuild(&mut state.tree);
    viewport::scroll_to_selection(state);
    state.inform(words::sorted(order));
    Vec::new()
}

/// Sorts whatever is not in order yet, so that rows unfolded or visited later already are.
pub(in crate::app) fn sort_unsorted(state: &mut State) -> Vec<Effect> {
    if state.tree.forest.is_being_sorted() {
        return Vec::new();
    }
    let order = state.tree.forest.order();
    arrange(state, order).map(Effect::Sort).into_iter().collect()
}

pub(in crate::app) fn on_sorted(state: &mut State, job: SortJob) -> Vec<Effect> {
    let order = job.order();
    let previous_order = state.tree.forest.order();
    let mut is_applied = false;
    viewport::preserving_viewport(state, |state| is_applied = state.tree.forest.take_sorted(job));
    if !is_applied {
        // Too much has changed in the meantime; starts over.
        return arrange(state, order).map(Effect::Sort).into_iter().collect();
    }
    filter::rebuild(&mut state.tree);
    if state.tree.forest.order() != previous_order {
        viewport::scroll_to_selection(state);
        state.inform(words::sorted(order));
    }
    Vec::new()
}

fn arrange(state: &mut State, order: Order) -> Option<SortJob> {
    let mut job = None;
    viewport::preserving_viewport(state, |state| job = state.tree.forest.arrange(order));
    job
}
