//! The tree for a screen reader: each row a whole line of words, so that it makes sense wherever the reader begins. The levels are
//! still indented, for whoever looks on.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::{State, row_in_words};
use crate::forest::{Row, RowKind};

use super::Canvas;
use super::text::fitted;
use super::theme::Theme;
use super::tree::name_indent;

/// Draws rows into an area that begins where names do and goes to the right end of the tree.
pub(super) fn draw_rows(window: &[Row<'_>], state: &State, theme: &Theme, frame: &mut Canvas<'_, '_>, area: Rect) {
    let names_width = state.layout().tree_columns().names.width;
    for (row, y) in window.iter().zip(area.y..area.bottom()) {
        let indent = name_indent(row.depth, names_width).min(area.width);
        let room = usize::from(area.width - indent);
        let text = row_in_words(state, row);
        let style = if matches!(row.kind, RowKind::Segment(_)) { Style::new() } else { theme.warning };
        frame.buffer_mut().set_stringn(area.x + indent, y, fitted(&text, room), room, style);
    }
}
