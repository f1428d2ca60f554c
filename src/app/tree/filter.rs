//! The filtered tree: the matches and their ancestors, laid over the whole tree while a filter is typed or kept.
//!
//! The tree below is untouched: its folding, selection and scroll position stay and follow changes, so clearing the filter only
//! removes the overlay. The overlay is rebuilt when the number of matches has doubled, unless it is full, when the search ends,
//! and when the matches or their order change.

use std::ops::Range;

use crate::forest::{Filtered, Row, RowId, SearchKind};
use crate::segment::SegmentId;

use crate::app::Tree;
use crate::app::tree::viewport::{self, Direction};
use crate::app::{State, TreeView};

/// The overlay shown instead of the whole tree. While it exists, [`State::tree`] holds its selection and scroll position.
#[derive(Debug, Clone)]
pub struct Filter {
    rows: Filtered,
    /// Selection and scroll position of the whole tree below.
    unfiltered_view: TreeView,
    /// The state of the search when the rows were built; `None` while they are still those of an earlier text, or of none.
    built: Option<Built>,
    /// Whether the user moved the selection instead of keeping the best match.
    is_user_choice: bool,
    /// Whether the filter is kept: its prompt is closed, and all keys act on the filtered rows.
    kept: bool,
}

#[derive(Debug, Clone, Copy)]
struct Built {
    matches: usize,
    ended: bool,
    changes: u64,
}

impl Filter {
    /// Returns the selection and scroll position of the whole tree.
    pub(in crate::app) const fn unfiltered_view(&self) -> &TreeView {
        &self.unfiltered_view
    }

    /// Whether the filter is kept after its prompt was closed.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.kept
    }

    /// Returns how many of the matches are shown.
    #[must_use]
    pub fn shown_matches(&self) -> usize {
        self.rows.matches().len()
    }
}

/// The rows of the tree pane, whether filtered or not.
impl State {
    /// Returns the filtered rows; `None` while the whole tree is shown.
    #[must_use]
    pub fn filtered(&self) -> Option<&Filtered> {
        let filter = self.tree.filter.as_ref()?;
        // Until the first matches arrive, the whole tree is more useful than nothing.
        (filter.built.is_some() || !filter.rows.is_empty()).then_some(&filter.rows)
    }

    /// Returns the number of rows to scroll through.
    #[must_use]
    pub fn shown_row_count(&self) -> usize {
        self.filtered().map_or_else(|| self.tree.forest.row_count(), Filtered::len)
    }

    /// Returns the rows in a range, as far as they exist.
    #[must_use]
    pub fn shown_rows(&self, range: Range<usize>) -> Vec<Row<'_>> {
        match self.filtered() {
            Some(filtered) => self.tree.forest.filtered_rows(filtered, range).collect(),
            None => self.tree.forest.rows(range).collect(),
        }
    }

    /// Returns the row at an index.
    #[must_use]
    pub fn shown_row(&self, at: usize) -> Option<Row<'_>> {
        self.shown_rows(at..at.saturating_add(1)).into_iter().next()
    }

    /// Returns the index of a row.
    #[must_use]
    pub fn shown_position(&self, id: &RowId) -> Option<usize> {
        match self.filtered() {
            Some(filtered) => filtered.position(id),
            None => self.tree.forest.position(id),
        }
    }
}

/// Lays a filter over the tree; an existing filter waits for the matches of its new text.
pub(in crate::app) fn apply(tree: &mut Tree) {
    let unfiltered_view = tree.view.clone();
    let fresh =
        || Filter { rows: Filtered::default(), unfiltered_view, built: None, is_user_choice: false, kept: false };
    let filter = tree.filter.get_or_insert_with(fresh);
    (filter.built, filter.is_user_choice, filter.kept) = (None, false, false);
}

/// Marks the rows as outdated after the search was restarted. They are shown until matches arrive.
pub(in crate::app) fn mark_outdated(tree: &mut Tree) {
    if let Some(filter) = &mut tree.filter {
        filter.built = None;
    }
}

/// Keeps the filter. The whole tree is shown until its first matches arrive, since rows of an earlier text would mislead.
pub(in crate::app) fn keep(tree: &mut Tree) {
    let Some(filter) = &mut tree.filter else { return };
    filter.kept = true;
    if filter.built.is_none() {
        filter.rows = Filtered::default();
        tree.view = filter.unfiltered_view.clone();
    }
}

/// Whether a filter is kept, so that keys act on its rows.
pub(in crate::app) fn is_kept(tree: &Tree) -> bool {
    tree.filter.as_ref().is_some_and(Filter::is_kept)
}

/// Pins the selection after a key press, so that no later match moves it. A kept filter without any matches yet is cleared: the
/// user went on in the whole tree.
pub(in crate::app) fn pin_selection(state: &mut State) {
    match state.tree.filter.as_mut().filter(|filter| filter.kept) {
        Some(Filter { built: None, .. }) => drop(clear(state)),
        Some(filter) => filter.is_user_choice = true,
        None => {}
    }
}

/// Selects a row that a kept filter may hide. It is shown for as long as it is selected.
pub(in crate::app) fn show(tree: &mut Tree, id: &SegmentId) {
    if let Some(filter) = tree.filter.as_mut().filter(|filter| filter.kept) {
        filter.is_user_choice = true;
        tree.view.selected = Some(RowId::Segment(id.clone()));
        rebuild(tree);
    }
}

/// Has the rows rebuilt by the next refresh, after they or their order changed.
pub(in crate::app) fn rebuild(tree: &mut Tree) {
    if let Some(built) = tree.filter.as_mut().and_then(|filter| filter.built.as_mut()) {
        built.changes = built.changes.wrapping_sub(1);
    }
}

/// Removes the filter and restores the view of the whole tree. Returns the segment selected in the filter, and whether the user
/// chose it.
pub(in crate::app) fn clear(state: &mut State) -> Option<(SegmentId, bool)> {
    let filter = state.tree.filter.take()?;
    let selected = std::mem::replace(&mut state.tree.view, filter.unfiltered_view).selected;
    // The screen size may have changed in the meantime.
    viewport::scroll_to_selection(state);
    match selected {
        Some(RowId::Segment(id)) if filter.built.is_some() => Some((id, filter.is_user_choice)),
        _ => None,
    }
}

/// Runs `act` on the whole tree below the filter, with that tree's own selection and scroll position.
pub(in crate::app) fn with_unfiltered<T>(state: &mut State, act: impl FnOnce(&mut State) -> T) -> T {
    let Some(mut filter) = state.tree.filter.take() else { return act(state) };
    std::mem::swap(&mut filter.unfiltered_view, &mut state.tree.view);
    let outcome = act(state);
    std::mem::swap(&mut filter.unfiltered_view, &mut state.tree.view);
    state.tree.filter = Some(filter);
    outcome
}

/// Rebuilds the rows if the matches require it. Keeps the selection if the user chose it, and otherwise selects the best match.
pub(in crate::app) fn refresh(state: &mut State) {
    let Some(filter) = &state.tree.filter else { return };
    let now = Built {
        matches: state.tree.forest.match_count(SearchKind::Tree),
        ended: state.tree.forest.is_searched(SearchKind::Tree),
        changes: state.tree.forest.match_changes(SearchKind::Tree),
    };
    let is_due = match filter.built {
        None => now.matches > 0 || now.ended,
        Some(built) => {
            let more = now.matches > built.matches && now.matches >= 2 * built.matches && !filter.rows.is_full();
            more || (now.ended && !built.ended) || now.changes != built.changes
        }
    };
    if !is_due {
        return;
    }
    // A row that the user has just changed must not vanish because it no longer matches.
    let exempt = match &state.tree.view.selected {
        Some(RowId::Segment(id)) if filter.kept && filter.is_user_choice => Some(id),
        _ => None,
    };
    let rows = state.tree.forest.filtered(SearchKind::Tree, exempt);
    let previous = position(state);
    let line = previous.map(|at| at.saturating_sub(state.tree.view.offset));
    let Some(filter) = &mut state.tree.filter else { return };
    let kept_position = state
        .tree
        .view
        .selected
        .as_ref()
        .filter(|_| filter.is_user_choice)
        .and_then(|selected| rows.position(selected));
    let at = kept_position.or_else(|| {
        let near = previous.filter(|_| filter.is_user_choice && filter.built.is_some());
        let after = near.and_then(|previous| rows.matches().iter().copied().find(|at| *at >= previous));
        after.or_else(|| rows.best())
    });
    let keeps_selection = filter.built.is_some() && at.and_then(|at| rows.id(at)) == state.tree.view.selected.as_ref();
    (filter.rows, filter.built) = (rows, Some(now));
    match line.filter(|_| keeps_selection) {
        Some(line) => state.tree.view.offset = at.unwrap_or(0).saturating_sub(line),
        None => state.tree.view.offset = 0,
    }
    select(state, at);
}

fn position(state: &State) -> Option<usize> {
    state.tree.view.selected.as_ref().and_then(|selected| state.filtered()?.position(selected))
}

fn select(state: &mut State, at: Option<usize>) {
    let selected = at.and_then(|at| state.filtered()?.id(at)).cloned();
    if selected != state.tree.view.selected {
        state.screen.panes.details_scroll = 0;
    }
    state.tree.view.selected = selected;
    viewport::scroll_to_selection(state);
}

/// Goes to the next or previous match, wrapping around.
pub(in crate::app) fn step(state: &mut State, direction: Direction) {
    let Some(filtered) = state.filtered() else { return };
    let matches = filtered.matches();
    let at = position(state);
    let next = match direction {
        Direction::Next => {
            let after = at.map_or(0, |at| matches.partition_point(|other| *other <= at));
            matches.get(after).or_else(|| matches.first())
        }
        Direction::Previous => {
            let before = at.map_or(0, |at| matches.partition_point(|other| *other < at));
            before.checked_sub(1).and_then(|before| matches.get(before)).or_else(|| matches.last())
        }
    };
    choose(state, next.copied());
}

/// Goes to the match nearest to the row `by` rows away, stopping at the ends.
pub(in crate::app) fn page(state: &mut State, by: isize) {
    let Some(filtered) = state.filtered() else { return };
    let matches = filtered.matches();
    let target = position(state).unwrap_or(0).saturating_add_signed(by);
    let after = matches.partition_point(|other| *other < target);
    let found = matches.get(after).or_else(|| matches.last()).copied();
    choose(state, found);
}

/// Selects the row at an index because the user chose it.
pub(in crate::app) fn choose(state: &mut State, at: Option<usize>) {
    if at.is_none() {
        return;
    }
    select(state, at);
    if let Some(filter) = &mut state.tree.filter {
        filter.is_user_choice = true;
    }
}

/// Returns the number of the selected match, from 1; `None` if it is no match, or if not all matches are shown.
pub(in crate::app) fn match_number(state: &State) -> Option<usize> {
    let matches = state.filtered()?.matches();
    let all = matches.len() == state.tree.forest.match_count(SearchKind::Tree);
    let at = position(state).filter(|_| all)?;
    matches.binary_search(&at).ok().map(|number| number + 1)
}
