//! The screen in screen-reader mode: each row of the tree is a line of words that makes sense by itself, segtui's own texts use
//! words for signs, and the last line gives the current position. Levels stay indented for sighted users.

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

/// A text of segtui's own, with words for signs in screen-reader mode.
pub(super) fn aloud<'a>(text: &'a str, theme: &Theme) -> Cow<'a, str> {
    if theme.symbols.are_words() { in_words(text) } else { text.into() }
}

/// The last line for a dialog: its title and the chosen line, or only the latter if both don't fit.
pub(super) fn dialog_in_words(title: Option<&str>, chosen: Option<&str>, width: usize) -> String {
    match (title, chosen) {
        (Some(title), Some(chosen)) => {
            let whole = format!("{title}. {chosen}");
            if whole.width() <= width { whole } else { chosen.to_owned() }
        }
        (title, chosen) => title.or(chosen).unwrap_or_default().to_owned(),
    }
}

/// Joins parts of a sentence, as many as fit whole, and always the first.
pub(super) fn joined(parts: impl IntoIterator<Item = String>, width: usize) -> String {
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |text, part| {
        let longer = if text.is_empty() { part } else { format!("{text}, {part}") };
        if longer.width() <= width { longer } else { text }
    })
}

/// Draws rows into an area that starts at the column of names and goes to the right end of the tree.
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
