//! The frame of dialogs, and where they open: beside the row that they speak of.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::{State, TextField};
use crate::printable::is_printable;

use crate::ui::Look;
use crate::ui::text::{fitted, rect};
use crate::ui::theme::{Symbols, Theme};

/// What a dialog takes where there is room, and what it grows to where what is in it asks for more.
const USUAL: u16 = 72;
const WIDEST: u16 = 120;
/// The frame, and a blank beside it.
const FRAME: usize = 4;

/// Where a dialog has been opened.
pub(in crate::ui) struct Opened {
    /// All of it.
    pub outer: Rect,
    /// What is within the frame; empty where there is no room.
    pub inner: Rect,
}

/// A dialog of so many lines is cleared and framed. It grows with the screen where what is in it wants more cells than usual.
pub(in crate::ui) fn open(
    state: &State,
    title: &str,
    (lines, wanted): (usize, usize),
    look: Look<'_>,
    frame: &mut Frame<'_>,
) -> Opened {
    // The title has a blank around it, too.
    let wanted = wanted.max(title.width() + 2);
    let area = place(state, u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2), wanted);
    Opened { outer: area, inner: framed(area, title, look, frame) }
}

/// The cells that the widest of some lines wants.
pub(in crate::ui) fn widest(lines: &[Line<'_>]) -> usize {
    lines.iter().map(Line::width).max().unwrap_or(0)
}

/// Clears and frames an area; its inside is answered.
pub(in crate::ui) fn framed(area: Rect, title: &str, look: Look<'_>, frame: &mut Frame<'_>) -> Rect {
    let theme = look.theme;
    let room = usize::from(area.width.saturating_sub(4));
    let mut block = Block::bordered()
        .border_style(theme.dialog_line())
        .title(Span::styled(format!(" {} ", fitted(title, room)), theme.strong));
    block = if theme.symbols == Symbols::ASCII {
        block.border_set(ASCII_BORDER)
    } else {
        block.border_type(BorderType::Rounded)
    };
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner }
}

const ASCII_BORDER: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Cells for a line in a dialog where so many are wanted.
pub(in crate::ui) fn room(state: &State, wanted: usize) -> usize {
    usize::from(width(state, wanted)).saturating_sub(FRAME)
}

/// Cells for a line that can be wrapped or put in fewer words, so that nothing beside the tree is covered for its sake.
pub(in crate::ui) fn usual_room(state: &State) -> usize {
    room(state, 0)
}

/// Lines for everything within a dialog that is as high as it can be with the header and one row of the tree still in sight.
pub(in crate::ui) fn usual_lines(state: &State) -> usize {
    let (tree, screen) = (state.layout().tree, state.layout().screen);
    // The row, the frame, and the footer.
    usize::from(screen.height.saturating_sub(tree.y)).saturating_sub(4)
}

fn width(state: &State, wanted: usize) -> u16 {
    let (tree, screen) = (state.layout().tree, state.layout().screen);
    let usual = if tree.width < 50 { screen.width } else { tree.width }.min(USUAL);
    let wanted = u16::try_from(wanted.saturating_add(FRAME)).unwrap_or(u16::MAX);
    wanted.min(WIDEST).min(screen.width).max(usual)
}

/// Beside the row that it speaks of, as far as there is room.
fn place(state: &State, height: u16, wanted: usize) -> Rect {
    let (tree, screen) = (rect(state.layout().tree), rect(state.layout().screen));
    let width = width(state, wanted);
    let height = height.min(screen.height.saturating_sub(1));
    Rect { x: tree.x.min(screen.width - width), y: state.beside_dialog(height).y, width, height }
}

/// One line of a dialog, counted from 0; `None` when the dialog is cut above it.
pub(in crate::ui) fn line(inner: Rect, at: usize) -> Option<Rect> {
    let at = u16::try_from(at).ok().filter(|at| *at < inner.height)?;
    Some(Rect { y: inner.y + at, height: 1, ..inner })
}

/// A line of text being typed. The cursor is put into it when it has the keys.
pub(in crate::ui) fn text_field(field: &TextField, area: Rect, focused: bool, theme: &Theme, frame: &mut Frame<'_>) {
    let Some(room) = area.width.checked_sub(1).map(usize::from) else { return };
    let scroll = field.scroll(room);
    let style = if focused { theme.accent } else { Style::new() };
    let text = scrolled(field.text(), scroll, room);
    frame.buffer_mut().set_stringn(area.x, area.y, text, room, style);
    if focused {
        let column = u16::try_from(field.cursor_column().saturating_sub(scroll)).unwrap_or(u16::MAX);
        frame.set_cursor_position(Position::new(area.x + column.min(area.width - 1), area.y));
    }
}

/// The part of a text that begins `scroll` cells from its beginning and is at most `width` cells wide. What a terminal would obey, or
/// nobody would see, never reaches it.
pub(in crate::ui) fn scrolled(text: &str, scroll: usize, width: usize) -> String {
    let mut column = 0;
    let mut shown = String::new();
    for grapheme in text.graphemes(true) {
        let cells = grapheme.width();
        if column >= scroll && column + cells <= scroll + width {
            shown.push_str(if is_printable(grapheme) { grapheme } else { "\u{fffd}" });
        }
        column += cells;
    }
    shown
}

/// The keys of a dialog in one of its lines: as many as fit whole, the last one always, since it leads out.
pub(in crate::ui) fn draw_keys(hints: &[(&str, &str)], area: Rect, theme: &Theme, frame: &mut Frame<'_>) {
    let room = usize::from(area.width);
    let mut shown = hints.to_vec();
    while shown.len() > 1 && keys(&shown, theme).width() > room {
        shown.remove(shown.len() - 2);
    }
    frame.render_widget(keys(&shown, theme), area);
}

/// Without blank lines, the last ones first, as far as it takes for the rest to leave the row beside the dialog in sight.
pub(in crate::ui) fn tightened<'a>(mut lines: Vec<Line<'a>>, state: &State) -> Vec<Line<'a>> {
    while lines.len() > usual_lines(state)
        && let Some(blank) = lines.iter().rposition(|line| line.width() == 0)
    {
        lines.remove(blank);
    }
    lines
}

/// Draws lines from one of a dialog's lines on.
pub(in crate::ui) fn draw_lines<'a>(
    lines: impl IntoIterator<Item = Line<'a>>,
    (inner, from): (Rect, usize),
    frame: &mut Frame<'_>,
) {
    for (line_at, at) in lines.into_iter().zip(from..) {
        if let Some(area) = line(inner, at) {
            frame.render_widget(line_at, area);
        }
    }
}

/// All keys of a dialog, in as many lines as it takes in so many cells.
pub(in crate::ui) fn keys_wrapped(hints: &[(&str, &str)], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    wrapped(hints, room).into_iter().map(|hints| keys(hints, theme)).collect()
}

/// The keys of each line, where a line has so many cells. A single one that is wider has a line of its own.
pub(in crate::ui) fn wrapped<'k, 't>(
    mut hints: &'k [(&'t str, &'t str)],
    room: usize,
) -> Vec<&'k [(&'t str, &'t str)]> {
    let mut lines = Vec::new();
    while !hints.is_empty() {
        let mut used = 0;
        let fitting = hints.iter().take_while(|(key, label)| {
            used += key.width() + 1 + label.width() + if used == 0 { 0 } else { BETWEEN.width() };
            used <= room
        });
        let (line, rest) = hints.split_at(fitting.count().max(1));
        lines.push(line);
        hints = rest;
    }
    lines
}

/// What separates a key from the one before it.
const BETWEEN: &str = " · ";

/// Keys and what they do, as the last line of a dialog: `enter save · esc cancel`.
pub(in crate::ui) fn keys(hints: &[(&str, &str)], theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for (at, (key, label)) in hints.iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(BETWEEN, theme.quiet));
        }
        spans.push(Span::styled((*key).to_owned(), theme.accent));
        spans.push(Span::styled(format!(" {label}"), theme.quiet));
    }
    Line::from(spans)
}
