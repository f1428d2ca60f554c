//! The screen for a screen reader: each row of the tree a whole line of words, so that it makes sense wherever the reader begins; words
//! for the signs in our own texts; and the last line, which says where one is. The levels are still indented, for whoever looks on.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::app::{State, in_words, row_in_words};
use crate::forest::{Row, RowKind};

use super::Canvas;
use super::text::fitted;
use super::theme::Theme;
use super::tree::name_indent;

/// A text of ours as it is read: without signs, where there is to be none.
pub(super) fn aloud<'a>(text: &'a str, theme: &Theme) -> Cow<'a, str> {
    if theme.symbols.are_words() { in_words(text) } else { text.into() }
}

/// What the last line says of what has the keys in a dialog: its title and what is chosen there, of a long one only that.
pub(super) fn dialog_in_words(title: Option<&str>, chosen: Option<&str>, width: usize) -> String {
    match (title, chosen) {
        (Some(title), Some(chosen)) => {
            let whole = format!("{title}. {chosen}");
            if whole.width() <= width { whole } else { chosen.to_owned() }
        }
        (title, chosen) => title.or(chosen).unwrap_or_default().to_owned(),
    }
}

/// Parts of a sentence, as many as fit whole; the first one always.
pub(super) fn joined(parts: impl IntoIterator<Item = String>, width: usize) -> String {
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |text, part| {
        let longer = if text.is_empty() { part } else { format!("{text}, {part}") };
        if longer.width() <= width { longer } else { text }
    })
}

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
