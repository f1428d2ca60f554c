//! The selection and scroll position of the tree, and everything that moves them.
//!
//! The selection is an id, never a position: whatever happens to the tree, it stays on its row and on its line of the screen.
//! Only when its row disappears does another row take its place.

use crate::action::Action;
use crate::forest::{Fold, RowId};
use crate::segment::SegmentId;

use crate::app::tree::{filter, words};
use crate::app::{Layer, Pane, State};

/// The selection and scroll position.
#[derive(Debug, Clone, Default)]
pub struct TreeView {
    /// The selected row.
    pub selected: Option<RowId>,
    /// The first row on the screen.
    pub offset: usize,
}

/// Where a dialog opens, and which rows are visible beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialogPlacement {
    /// The top line of the dialog.
    pub y: u16,
    /// The first visible row while the dialog is open.
    pub first_row: usize,
}

impl State {
    /// Places a dialog of `height` lines, its frame included: over the lower part of the tree, or the upper part if the row it is
    /// about is below. If it would cover that row either way, the rows are scrolled as far as needed. The scroll position itself
    /// stays, so that closing the dialog restores the view.
    #[must_use]
    pub fn place_dialog(&self, height: u16) -> DialogPlacement {
        let (tree, above_footer) = (self.layout().tree, self.screen.panes.rows.saturating_sub(1));
        let (top, bottom) = (tree.y, tree.y.saturating_add(tree.height));
        let height = height.min(above_footer);
        // If the tree has too little room, the dialog covers what is below the tree first.
        let lowest = bottom.saturating_sub(height).max(top.saturating_add(1)).min(above_footer - height);
        let first_row = self.tree.view.offset;
        let Some(at) = self.subject().and_then(|row| self.shown_position(&row)) else {
            return DialogPlacement { y: lowest, first_row };
        };
        let in_sight = first_row..first_row + usize::from(tree.height);
        let line = u16::try_from(at.saturating_sub(first_row)).ok().filter(|_| in_sight.contains(&at));
        match line.map(|line| top.saturating_add(line)) {
            Some(row) if row < lowest => DialogPlacement { y: lowest, first_row },
            Some(row) if row >= top.saturating_add(height) => {
                DialogPlacement { y: (row - height).min(lowest), first_row }
            }
            _ => match lowest.checked_sub(top + 1) {
                Some(line) => DialogPlacement { y: lowest, first_row: at.saturating_sub(usize::from(line)) },
                None => DialogPlacement { y: lowest, first_row },
            },
        }
    }

    /// Returns the row that the open dialog is about: that of a conflict or form if it is shown, otherwise the selected one.
    fn subject(&self) -> Option<RowId> {
        let id = match self.screen.layers.last() {
            Some(Layer::Conflict(conflict)) => self.changes.queue.op(conflict.op).and_then(|op| op.operation.subject()),
            Some(Layer::Form(form)) => form.subject(),
            _ => None,
        };
        let row = id.map(|id| RowId::Segment(id.clone()));
        row.filter(|row| self.shown_position(row).is_some()).or_else(|| self.tree.view.selected.clone())
    }
}

/// Rows kept visible above and below the selection if the pane is tall enough.
const SCROLL_MARGIN: usize = 3;
/// Candidates for the selection to remember, in case a whole branch disappears at once.
const MAX_SELECTION_CANDIDATES: usize = 32;

pub(in crate::app) fn height(state: &State) -> usize {
    usize::from(state.layout().tree.height)
}

fn position(state: &State) -> Option<usize> {
    state.tree.view.selected.as_ref().and_then(|selected| state.shown_position(selected))
}

/// Selects the row at an index, or the last row, and scrolls it into view.
pub(in crate::app) fn select(state: &mut State, index: usize) {
    let Some(last) = state.shown_row_count().checked_sub(1) else {
        state.tree.view = TreeView::default();
        return;
    };
    let selected = state.shown_row(index.min(last)).map(|row| row.id());
    if selected != state.tree.view.selected {
        state.screen.panes.details_scroll = 0;
    }
    state.tree.view.selected = selected;
    scroll_to_selection(state);
}

/// Goes to a segment because the user asked for it. A kept filter that hides the segment is cleared.
pub(in crate::app) fn go_to(state: &mut State, id: &SegmentId) {
    if filter::is_kept(&state.tree) {
        if let Some(at) = state.shown_position(&RowId::Segment(id.clone())) {
            return select(state, at);
        }
        filter::clear(state);
    }
    reveal(state, id);
}

/// Unfolds a segment's ancestors in the whole tree, selects it and scrolls it into view. A kept filter shows it too.
pub(in crate::app) fn reveal(state: &mut State, id: &SegmentId) {
    filter::show(&mut state.tree, id);
    filter::with_unfiltered(state, |state| {
        if let Some(index) = state.tree.forest.reveal(id) {
            select(state, index);
        }
    });
}

/// Scrolls as little as needed to show the selected row with some rows around it.
pub(in crate::app) fn scroll_to_selection(state: &mut State) {
    let height = height(state);
    let rows = state.shown_row_count();
    let at = state.tree.view.selected.as_ref().and_then(|selected| state.shown_position(selected));
    if let Some(at) = at {
        let margin = if height > 4 * SCROLL_MARGIN { SCROLL_MARGIN } else { 0 };
        let highest = at.saturating_sub(margin);
        let lowest = (at + margin + 1).min(rows).saturating_sub(height);
        state.tree.view.offset = state.tree.view.offset.clamp(lowest.min(highest), highest);
    }
    state.tree.view.offset = state.tree.view.offset.min(rows.saturating_sub(height));
}

/// Selects the first row until the user presses a key, so that arriving rows don't push the selection down.
pub(in crate::app) fn select_first_row(state: &mut State) {
    if !state.tree.touched {
        filter::with_unfiltered(state, |state| select(state, 0));
    }
}

/// Moves the selection by a number of rows, stopping at the ends.
pub(in crate::app) fn step(state: &mut State, by: isize) {
    let at = position(state).unwrap_or(0);
    select(state, at.saturating_add_signed(by));
}

/// Scrolls by a number of rows. The selection stays, even out of sight.
pub(in crate::app) fn scroll(state: &mut State, by: isize) {
    let max_offset = state.shown_row_count().saturating_sub(height(state));
    state.tree.view.offset = state.tree.view.offset.saturating_add_signed(by).min(max_offset);
}

/// Unfolds the selected row, or goes to its first child.
pub(in crate::app) fn open(state: &mut State) {
    let Some((at, id)) = selected_row(state) else { return };
    match state.shown_row(at).map(|row| row.fold) {
        Some(Fold::Closed) if filter::is_kept(&state.tree) => warn_hidden_children(state),
        Some(Fold::Closed) => preserving_viewport(state, |state| state.tree.forest.expand(&id)),
        Some(Fold::Open) => select(state, at + 1),
        _ => {}
    }
}

/// Folds the selected row, or goes to its parent row.
pub(in crate::app) fn close(state: &mut State) {
    let Some((at, id)) = selected_row(state) else { return };
    let is_open = state.shown_row(at).is_some_and(|row| row.fold == Fold::Open);
    if is_open && !filter::is_kept(&state.tree) {
        preserving_viewport(state, |state| state.tree.forest.collapse(&id));
    } else if let Some(parent) = state.tree.forest.parent_row(&id).and_then(|parent| state.shown_position(&parent)) {
        select(state, parent);
    }
}

fn warn_hidden_children(state: &mut State) {
    let (fold, clear) = (state.key(Action::ToggleFold), state.key(Action::Dismiss));
    state.warn(words::children_do_not_match(fold, clear));
}

/// Folds or unfolds a row. A kept filter is cleared instead, and the row is shown in the whole tree.
pub(in crate::app) fn toggle(state: &mut State, id: &RowId) {
    if filter::is_kept(&state.tree) {
        filter::clear(state);
        match id {
            RowId::Segment(segment) => return reveal(state, segment),
            RowId::Heading(_) => {
                state.tree.view.selected = Some(id.clone());
                return scroll_to_selection(state);
            }
        }
    }
    preserving_viewport(state, |state| {
        if state.tree.forest.is_open(id) {
            state.tree.forest.collapse(id);
        } else {
            state.tree.forest.expand(id);
        }
    });
}

pub(in crate::app) fn selected_row(state: &State) -> Option<(usize, RowId)> {
    Some((position(state)?, state.tree.view.selected.clone()?))
}

/// Goes to the next or previous row at the same depth under the same parent.
pub(in crate::app) fn step_sibling(state: &mut State, direction: Direction) {
    let Some((at, _)) = selected_row(state) else { return };
    let Some(depth) = state.shown_row(at).map(|row| row.depth) else { return };
    let mut index = at;
    loop {
        let next = match direction {
            Direction::Next => index.checked_add(1),
            Direction::Previous => index.checked_sub(1),
        };
        let Some((next, row)) = next.and_then(|next| Some((next, state.shown_row(next)?))) else { return };
        if row.depth < depth {
            return;
        }
        if row.depth == depth {
            return select(state, next);
        }
        index = next;
    }
}

/// The direction of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Direction {
    Next,
    Previous,
}

/// Changes the tree without moving what the user looks at.
///
/// The selected row, or the top row if the selection is out of sight, stays on its line of the screen. If the selected row
/// disappears, a neighbour or an ancestor takes its place.
pub(in crate::app) fn preserving_viewport(state: &mut State, change: impl FnOnce(&mut State)) {
    filter::with_unfiltered(state, |state| change_preserving_viewport(state, change));
}

fn change_preserving_viewport(state: &mut State, change: impl FnOnce(&mut State)) {
    let height = height(state);
    let selected = selected_row(state);
    let selection_candidates =
        state.tree.view.selected.as_ref().map(|id| selection_candidates(state, id)).unwrap_or_default();
    let in_sight =
        selected.as_ref().filter(|(at, _)| (state.tree.view.offset..state.tree.view.offset + height).contains(at));
    let anchor = in_sight.cloned().or_else(|| {
        let top = state.tree.view.offset;
        state.tree.forest.row(top).map(|row| (top, row.id()))
    });
    let line = anchor.as_ref().map_or(0, |(at, _)| at.saturating_sub(state.tree.view.offset));

    change(state);

    let is_selection_gone =
        state.tree.view.selected.as_ref().is_some_and(|id| state.tree.forest.position(id).is_none());
    if is_selection_gone || state.tree.view.selected.is_none() {
        let next_selection = selection_candidates
            .into_iter()
            .find(|next_selection| state.tree.forest.position(next_selection).is_some());
        let previous_index = selected.as_ref().map_or(0, |(at, _)| *at);
        let bottom = state.tree.forest.row_count().saturating_sub(1);
        state.tree.view.selected =
            next_selection.or_else(|| state.tree.forest.row(previous_index.min(bottom)).map(|row| row.id()));
    }
    let anchored = anchor.and_then(|(_, id)| state.tree.forest.position(&id));
    let at = anchored.or_else(|| position(state));
    if let Some(at) = at {
        state.tree.view.offset = at.saturating_sub(line);
    }
    state.tree.view.offset = state.tree.view.offset.min(state.tree.forest.row_count().saturating_sub(height));
}

/// Returns the rows that may take over the selection, best first: the neighbours of the row, its ancestors and their neighbours.
fn selection_candidates(state: &State, id: &RowId) -> Vec<RowId> {
    let mut selection_candidates = Vec::new();
    let mut above = Some(id.clone());
    while let Some(row) = above
        && selection_candidates.len() < MAX_SELECTION_CANDIDATES
    {
        selection_candidates.extend(state.tree.forest.next_selection(&row));
        above = state.tree.forest.parent_row(&row);
        selection_candidates.extend(above.clone());
    }
    selection_candidates
}

/// Moves within the focused pane.
pub(in crate::app) fn move_in_focus(state: &mut State, by: isize) {
    match state.screen.panes.focus {
        Pane::Tree => step(state, by),
        Pane::Details => scroll_pane(state, Pane::Details, by),
        Pane::Activity => state.side.activity.step(by),
    }
}

/// Scrolls a pane by a number of lines without changing the selection.
pub(in crate::app) fn scroll_pane(state: &mut State, pane: Pane, by: isize) {
    match (pane, state.layout()) {
        (Pane::Tree, _) => scroll(state, by),
        (Pane::Details, layout) => {
            let lines = crate::app::details(state).len();
            // With a screen reader, one line of the pane is current instead of a page.
            let is_accessible = state.screen.panes.accessible;
            let shown = if is_accessible { 1 } else { layout.details.map_or(0, |area| usize::from(area.height)) };
            state.screen.panes.details_scroll = scrolled(state.screen.panes.details_scroll, by, lines, shown);
        }
        (Pane::Activity, layout) => {
            if let Some(area) = layout.activity {
                state.side.activity.scroll(by, area);
            }
        }
    }
}

fn scrolled(offset: usize, by: isize, lines: usize, shown: usize) -> usize {
    offset.saturating_add_signed(by).min(lines.saturating_sub(shown))
}
