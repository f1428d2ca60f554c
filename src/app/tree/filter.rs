//! The filtered tree: the matches and their ancestors, laid over the whole tree while a filter is typed and for as long as it
//! stays.
//!
//! Nothing is done to the tree below: what is unfolded there, selected and scrolled to stays as it is and follows what changes, so
//! clearing the filter is to lift this off again. What lies on top is built anew when there are twice as many matches as were shown,
//! up to as many as are shown at all, when all have been found, and when something about them changes.

use std::ops::Range;

use crate::forest::{Filtered, Row, RowId, SearchKind};
use crate::segment::SegmentId;

use crate::app::Tree;
use crate::app::tree::viewport::{self, Direction};
use crate::app::{State, TreeView};

/// What is shown instead of the whole tree. Its selection and scroll position are [`State::tree`] for as long as it is there.
#[derive(Debug, Clone)]
pub struct Filter {
    rows: Filtered,
    /// Selection and scroll position of the whole tree.
    below: TreeView,
    /// What was found when the rows were built; `None` when they are those of an earlier text, or of none.
    built: Option<Built>,
    /// Whether the person went to a match, and did not take what was offered.
    chosen: bool,
    /// Whether it stays: the prompt is closed, and everything works in what it left.
    kept: bool,
}

#[derive(Debug, Clone, Copy)]
struct Built {
    matches: usize,
    ended: bool,
    changes: u64,
}

impl Filter {
    /// Selection and scroll position of the whole tree.
    pub(in crate::app) const fn below(&self) -> &TreeView {
        &self.below
    }

    /// Whether it stays after its prompt was closed.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.kept
    }

    /// How many of the matches are shown.
    #[must_use]
    pub fn shown_matches(&self) -> usize {
        self.rows.matches().len()
    }
}

/// The rows of the tree pane, whether filtered or not.
impl State {
    /// The rows that are left by the filter; `None` while the whole tree is shown.
    #[must_use]
    pub fn filtered(&self) -> Option<&Filtered> {
        let filter = self.tree.filter.as_ref()?;
        // Until the first matches come, the whole tree is a better sight than nothing.
        (filter.built.is_some() || !filter.rows.is_empty()).then_some(&filter.rows)
    }

    /// How many rows there are to scroll through.
    #[must_use]
    pub fn shown_row_count(&self) -> usize {
        self.filtered().map_or_else(|| self.tree.forest.row_count(), Filtered::len)
    }

    /// Those in that range, as many of them as there are.
    #[must_use]
    pub fn shown_rows(&self, range: Range<usize>) -> Vec<Row<'_>> {
        match self.filtered() {
            Some(filtered) => self.tree.forest.filtered_rows(filtered, range).collect(),
            None => self.tree.forest.rows(range).collect(),
        }
    }

    /// The row at that place.
    #[must_use]
    pub fn shown_row(&self, at: usize) -> Option<Row<'_>> {
        self.shown_rows(at..at.saturating_add(1)).into_iter().next()
    }

    /// Where a row is among them.
    #[must_use]
    pub fn shown_position(&self, id: &RowId) -> Option<usize> {
        match self.filtered() {
            Some(filtered) => filtered.position(id),
            None => self.tree.forest.position(id),
        }
    }
}

/// Lays a filter over the tree, or lets the one that is there wait for the matches of another text.
pub(in crate::app) fn apply(tree: &mut Tree) {
    let below = tree.view.clone();
    let fresh = || Filter { rows: Filtered::default(), below, built: None, chosen: false, kept: false };
    let filter = tree.filter.get_or_insert_with(fresh);
    (filter.built, filter.chosen, filter.kept) = (None, false, false);
}

/// The matches are looked for once more: the rows stay until they come.
pub(in crate::app) fn await_matches(tree: &mut Tree) {
    if let Some(filter) = &mut tree.filter {
        filter.built = None;
    }
}

/// Lets the filter stay. Before its first matches come, the whole tree is shown: what an earlier text had found is not meant.
pub(in crate::app) fn keep(tree: &mut Tree) {
    let Some(filter) = &mut tree.filter else { return };
    filter.kept = true;
    if filter.built.is_none() {
        filter.rows = Filtered::default();
        tree.view = filter.below.clone();
    }
}

/// Whether a filter stays, so that what is done is done in its rows.
pub(in crate::app) fn is_kept(tree: &Tree) -> bool {
    tree.filter.as_ref().is_some_and(Filter::is_kept)
}

/// A person pressed a key: the selection is theirs, and no match that comes later takes it. Where none has come yet, they went on
/// in the whole tree, and stay there.
pub(in crate::app) fn take_selection(state: &mut State) {
    match state.tree.filter.as_mut().filter(|filter| filter.kept) {
        Some(Filter { built: None, .. }) => drop(clear(state)),
        Some(filter) => filter.chosen = true,
        None => {}
    }
}

/// Goes to a row that the filter may hide: it is shown for as long as it is selected.
pub(in crate::app) fn show(tree: &mut Tree, id: &SegmentId) {
    if let Some(filter) = tree.filter.as_mut().filter(|filter| filter.kept) {
        filter.chosen = true;
        tree.view.selected = Some(RowId::Segment(id.clone()));
        rebuild(tree);
    }
}

/// The rows are other ones, or in another order: they are made anew with the next look.
pub(in crate::app) fn rebuild(tree: &mut Tree) {
    if let Some(built) = tree.filter.as_mut().and_then(|filter| filter.built.as_mut()) {
        built.changes = built.changes.wrapping_sub(1);
    }
}

/// Takes the filter off: the tree is as it was. Answers what was selected of its matches, and whether a person chose that.
pub(in crate::app) fn clear(state: &mut State) -> Option<(SegmentId, bool)> {
    let filter = state.tree.filter.take()?;
    let selected = std::mem::replace(&mut state.tree.view, filter.below).selected;
    // The screen may be another one by now.
    viewport::keep_in_sight(state);
    match selected {
        Some(RowId::Segment(id)) if filter.built.is_some() => Some((id, filter.chosen)),
        _ => None,
    }
}

/// Does something to the tree that may lie below a filter, with its own selection and scroll position.
pub(in crate::app) fn with_unfiltered<T>(state: &mut State, act: impl FnOnce(&mut State) -> T) -> T {
    let Some(mut filter) = state.tree.filter.take() else { return act(state) };
    std::mem::swap(&mut filter.below, &mut state.tree.view);
    let outcome = act(state);
    std::mem::swap(&mut filter.below, &mut state.tree.view);
    state.tree.filter = Some(filter);
    outcome
}

/// Makes the rows anew where what is known of the matches asks for it. The selection stays where a person put it, and is the best
/// match where nobody did.
pub(in crate::app) fn refresh(state: &mut State) {
    let Some(filter) = &state.tree.filter else { return };
    let now = Built {
        matches: state.tree.forest.match_count(SearchKind::Tree),
        ended: state.tree.forest.is_searched(SearchKind::Tree),
        changes: state.tree.forest.match_changes(SearchKind::Tree),
    };
    let due = match filter.built {
        None => now.matches > 0 || now.ended,
        Some(built) => {
            let more = now.matches > built.matches && now.matches >= 2 * built.matches && !filter.rows.is_full();
            more || (now.ended && !built.ended) || now.changes != built.changes
        }
    };
    if !due {
        return;
    }
    // What a person has changed, and is still at, does not vanish from under their hands because it no longer matches.
    let also = match &state.tree.view.selected {
        Some(RowId::Segment(id)) if filter.kept && filter.chosen => Some(id),
        _ => None,
    };
    let rows = state.tree.forest.filtered(SearchKind::Tree, also);
    let former = position(state);
    let line = former.map(|at| at.saturating_sub(state.tree.view.offset));
    let Some(filter) = &mut state.tree.filter else { return };
    let kept = state.tree.view.selected.as_ref().filter(|_| filter.chosen).and_then(|selected| rows.position(selected));
    let at = kept.or_else(|| {
        let near = former.filter(|_| filter.chosen && filter.built.is_some());
        let after = near.and_then(|former| rows.matches().iter().copied().find(|at| *at >= former));
        after.or_else(|| rows.best())
    });
    let stays = filter.built.is_some() && at.and_then(|at| rows.id(at)) == state.tree.view.selected.as_ref();
    (filter.rows, filter.built) = (rows, Some(now));
    match line.filter(|_| stays) {
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
    viewport::keep_in_sight(state);
}

/// Goes to the next or previous match, around the end if need be.
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

/// Goes to the match that is nearest to so many rows further on, stopping at the ends.
pub(in crate::app) fn page(state: &mut State, by: isize) {
    let Some(filtered) = state.filtered() else { return };
    let matches = filtered.matches();
    let target = position(state).unwrap_or(0).saturating_add_signed(by);
    let after = matches.partition_point(|other| *other < target);
    let found = matches.get(after).or_else(|| matches.last()).copied();
    choose(state, found);
}

/// Selects the row at that place because a person wants it.
pub(in crate::app) fn choose(state: &mut State, at: Option<usize>) {
    if at.is_none() {
        return;
    }
    select(state, at);
    if let Some(filter) = &mut state.tree.filter {
        filter.chosen = true;
    }
}

/// Which of all matches is selected, from 1; `None` also when only some of them are shown.
pub(in crate::app) fn number(state: &State) -> Option<usize> {
    let matches = state.filtered()?.matches();
    let all = matches.len() == state.tree.forest.match_count(SearchKind::Tree);
    let at = position(state).filter(|_| all)?;
    matches.binary_search(&at).ok().map(|number| number + 1)
}
