//! The scrollbar of the tree, with marks for matches and recent changes that are out of sight.
//!
//! Each mark needs a lookup of its row, so their number is limited; more would cover the whole scrollbar anyway.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Scrollbar, ScrollbarOrientation, ScrollbarState};

use crate::app::State;
use crate::forest::{RowId, SearchKind};
use crate::segment::SegmentId;

use super::theme::Theme;

/// Maximum marks: each is looked up in every frame.
const MAX_MARKS: usize = 300;
/// How many ancestors to search for a visible row that stands for a collapsed segment.
const MAX_ANCESTORS: usize = 32;
/// In a narrower pane, names need every column.
const MIN_COLUMNS: u16 = 20;

pub(super) fn draw(state: &State, first_row: usize, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let rows = state.shown_row_count();
    let height = usize::from(area.height);
    if rows <= height || area.width < MIN_COLUMNS || theme.symbols.are_words() {
        return;
    }
    let mut scrollbar = ScrollbarState::new(rows - height).position(first_row).viewport_content_length(height);
    let symbols = &theme.symbols;
    let widget = Scrollbar::new(ScrollbarOrientation::VerticalRight)
        .begin_symbol(None)
        .end_symbol(None)
        .track_symbol(Some(" "))
        .thumb_symbol(symbols.thumb)
        .thumb_style(theme.bar);
    frame.render_stateful_widget(widget, area, &mut scrollbar);
    // Rows on screen need no mark.
    let on_screen = first_row..first_row + height;
    if state.filtered().is_some() {
        // With a filter, nearly all rows are matches.
        return;
    }
    if state.tree.search.is_some() && state.tree.forest.match_count(SearchKind::Tree) <= MAX_MARKS {
        let matches = state.tree.forest.some_matches(SearchKind::Tree, MAX_MARKS);
        draw_marks(matches, (symbols.found, theme.matched), &on_screen, state, frame, area);
    }
    draw_marks(state.side.activity.highlighted(), (symbols.changed, theme.fresh), &on_screen, state, frame, area);
}

/// Draws a thumb at the right edge of a pane for the visible part of a list; nothing if all of it is visible.
pub(super) fn draw_thumb((first, shown, all): (usize, usize, usize), theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let height = usize::from(area.height);
    let is_accessible = theme.symbols.are_words();
    if shown == 0 || shown >= all || height == 0 || area.width == 0 || is_accessible {
        return;
    }
    let thumb = (height * shown / all).clamp(1, height);
    let last = all - shown;
    // Only at an end when the list is; anywhere between, a gap shows that there is more in both directions.
    let top = match first {
        0 => 0,
        first if first >= last => height - thumb,
        first => (first * (height - thumb) / last).clamp(1, (height - thumb).saturating_sub(1).max(1)),
    };
    for (at, y) in (area.y..area.bottom()).enumerate() {
        if (top..top + thumb).contains(&at) {
            frame.buffer_mut().set_stringn(area.right() - 1, y, theme.symbols.thumb, 1, theme.bar);
        }
    }
}

fn draw_marks<'a>(
    ids: impl Iterator<Item = &'a SegmentId>,
    (symbol, style): (&str, Style),
    on_screen: &Range<usize>,
    state: &State,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let rows = state.tree.forest.row_count();
    for id in ids.take(MAX_MARKS) {
        let Some(at) = nearest(state, id).filter(|at| !on_screen.contains(at)) else { continue };
        // Less than the height of the area, so it fits.
        let line = u16::try_from(at * usize::from(area.height) / rows.max(1)).unwrap_or(0);
        let (x, y) = (area.x + area.width - 1, area.y + line.min(area.height - 1));
        frame.buffer_mut().set_stringn(x, y, symbol, 1, style);
    }
}

/// The position of a segment's row, or of the nearest visible ancestor's.
fn nearest(state: &State, id: &SegmentId) -> Option<usize> {
    let row = RowId::Segment(id.clone());
    let above = |row: &RowId| state.tree.forest.parent_row(row);
    std::iter::successors(Some(row), above).take(MAX_ANCESTORS).find_map(|row| state.tree.forest.position(&row))
}
