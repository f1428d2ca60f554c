//! The frame of dialogs, and where they open: beside the row that they speak of.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::{DialogKey, FieldName, State, Target, TextField};
use crate::printable::is_printable;

use crate::ui::Look;
use crate::ui::spoken::aloud;
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
    frame: &mut Canvas<'_, '_>,
) -> Opened {
    // The title has a blank around it, too.
    let wanted = wanted.max(title.width() + 2);
    let area = place(state, u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2), wanted);
    Opened { outer: area, inner: framed(area, title, look, frame) }
}

/// A line of a dialog.
#[derive(Debug, Clone)]
pub(in crate::ui) enum Row<'a> {
    /// Something to read.
    Text(Line<'a>),
    /// Keys and what they do.
    Keys(Vec<DialogKey>),
    /// A choice in a line of its own: its key, what the table of keys says that it does, and that in a sentence.
    Choice(DialogKey, String),
}

impl<'a> From<Line<'a>> for Row<'a> {
    fn from(line: Line<'a>) -> Self {
        Self::Text(line)
    }
}

impl<'a> Row<'a> {
    /// It as it is drawn.
    pub fn line(&self, theme: &Theme) -> Line<'a> {
        match self {
            Self::Text(line) => line.clone(),
            Self::Keys(hints) => keys(hints, theme),
            Self::Choice((key, _), text) => Line::from(vec![
                Span::raw("  "),
                Span::styled(*key, theme.accent.patch(theme.strong)),
                Span::raw(format!("{}{text}", if theme.symbols.are_words() { ": " } else { "  " })),
            ]),
        }
    }
}

/// The cells that the widest of some rows wants.
pub(in crate::ui) fn widest_row(rows: &[Row<'_>], theme: &Theme) -> usize {
    rows.iter().map(|row| row.line(theme).width()).max().unwrap_or(0)
}

/// Draws rows from one of a dialog's lines on, as many as fit.
pub(in crate::ui) fn draw_rows(
    rows: &[Row<'_>],
    (inner, from): (Rect, usize),
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    for (at, row) in rows.iter().enumerate() {
        let Some(area) = line(inner, from + at) else { break };
        frame.render_widget(row.line(theme), area);
        match row {
            Row::Text(_) => {}
            Row::Keys(hints) => mark_keys(hints, area, theme, frame),
            Row::Choice(key, _) => frame.target(area, Target::Key(*key)),
        }
    }
}

/// The cells that the widest of some lines wants.
pub(in crate::ui) fn widest(lines: &[Line<'_>]) -> usize {
    lines.iter().map(Line::width).max().unwrap_or(0)
}

/// Clears and frames an area; its inside is answered.
pub(in crate::ui) fn framed(area: Rect, title: &str, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let room = usize::from(area.width.saturating_sub(4));
    if theme.symbols.are_words() {
        return unframed(area, title, theme, frame);
    }
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
    frame.cover(area);
    Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner }
}

/// The same without lines: the title stands where it would stand between them.
fn unframed(area: Rect, title: &str, theme: &Theme, frame: &mut Canvas<'_, '_>) -> Rect {
    frame.render_widget(Clear, area);
    let inside = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(4), ..area };
    let room = usize::from(inside.width);
    let title = aloud(title, theme);
    frame.buffer_mut().set_stringn(inside.x, inside.y, fitted(&title, room), room, theme.strong);
    frame.entitle(&title);
    frame.cover(area);
    frame.point_at_dialog(inside.x, inside.y);
    Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(2), ..inside }
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
    if state.screen.panes.accessible {
        // What stood beside it would be read with it.
        return screen.width;
    }
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

/// A line of text being typed, the only one of its dialog. The cursor is put into it when it has the keys.
pub(in crate::ui) fn text_field(
    field: &TextField,
    area: Rect,
    focused: bool,
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    named_field(field, FieldName::Only, area, focused, theme, frame);
}

/// The same for one of several.
pub(in crate::ui) fn named_field(
    field: &TextField,
    name: FieldName,
    area: Rect,
    focused: bool,
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    let Some(room) = area.width.checked_sub(1).map(usize::from) else { return };
    let scroll = field.scroll(room);
    frame.target(area, Target::Field { name, cell: scroll });
    let style = if focused { theme.accent } else { Style::new() };
    let text = scrolled(field.text(), scroll, room);
    frame.buffer_mut().set_stringn(area.x, area.y, text, room, style);
    if focused {
        let column = u16::try_from(field.cursor_column().saturating_sub(scroll)).unwrap_or(u16::MAX);
        frame.point_at_field(area.x + column.min(area.width - 1), area.y);
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

/// Draws the label of a field; the rest of the line, for its value, is answered. The values stand in a column of their own, behind so
/// many cells; read aloud, each behind its label.
pub(in crate::ui) fn label(
    label: &str,
    columns: u16,
    area: Rect,
    (style, theme): (Style, &Theme),
    frame: &mut Canvas<'_, '_>,
) -> Rect {
    let is_read = theme.symbols.are_words();
    let text = if is_read { format!("{label}: ") } else { label.to_owned() };
    let indent = if is_read { u16::try_from(text.width()).unwrap_or(columns) } else { columns }.min(area.width);
    frame.buffer_mut().set_stringn(area.x, area.y, text, usize::from(indent), style);
    Rect { x: area.x + indent, width: area.width - indent, ..area }
}

/// The label of a field is clicked for the field, as its end.
pub(in crate::ui) fn label_target(name: FieldName, area: Rect, frame: &mut Canvas<'_, '_>) {
    frame.target(area, Target::Field { name, cell: usize::MAX });
}

/// The keys of a dialog in one of its lines: as many as fit whole, the last one always, since it leads out.
pub(in crate::ui) fn draw_keys(hints: &[DialogKey], area: Rect, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let room = usize::from(area.width);
    let mut shown = hints.to_vec();
    while shown.len() > 1 && keys(&shown, theme).width() > room {
        shown.remove(shown.len() - 2);
    }
    frame.render_widget(keys(&shown, theme), area);
    mark_keys(&shown, area, theme, frame);
}

/// What separates a key from the one before it.
fn between(theme: &Theme) -> &'static str {
    if theme.symbols.are_words() { ", " } else { " · " }
}

/// Its cells at most.
const WIDEST_BETWEEN: usize = 3;

/// Has the keys of a line, drawn there by [`keys`], be clicked. What several keys do is done by each of them, and not by the words
/// behind them.
pub(in crate::ui) fn mark_keys(hints: &[DialogKey], area: Rect, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let cells = |text: &str| u16::try_from(text.width()).unwrap_or(u16::MAX);
    let mut left = 0_u16;
    for (keys, label) in hints.iter().copied() {
        let is_one = !keys.contains(' ');
        let mut x = left;
        for key in keys.split(' ').filter(|key| *key != "type") {
            let width = cells(key).saturating_add(if is_one { 1 + cells(label) } else { 0 });
            let room = area.width.saturating_sub(x);
            let place = Rect { x: area.x.saturating_add(x), width: width.min(room), ..area };
            frame.target(place, Target::Key((key, label)));
            x = x.saturating_add(width).saturating_add(1);
        }
        left = left.saturating_add(cells(keys)).saturating_add(1).saturating_add(cells(label));
        left = left.saturating_add(cells(between(theme)));
    }
}

/// Without blank lines, the last ones first, as far as it takes for the rest to leave the row beside the dialog in sight.
pub(in crate::ui) fn tightened<'a>(mut lines: Vec<Row<'a>>, state: &State) -> Vec<Row<'a>> {
    while lines.len() > usual_lines(state)
        && let Some(blank) = lines.iter().rposition(|row| matches!(row, Row::Text(line) if line.width() == 0))
    {
        lines.remove(blank);
    }
    lines
}

/// All keys of a dialog, in as many lines as it takes in so many cells.
pub(in crate::ui) fn keys_wrapped(hints: &[DialogKey], room: usize) -> Vec<Row<'static>> {
    wrapped(hints, room).into_iter().map(|hints| Row::Keys(hints.to_vec())).collect()
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
            used += key.width() + 1 + label.width() + if used == 0 { 0 } else { WIDEST_BETWEEN };
            used <= room
        });
        let (line, rest) = hints.split_at(fitting.count().max(1));
        lines.push(line);
        hints = rest;
    }
    lines
}

/// Keys and what they do, as the last line of a dialog: `enter save · esc cancel`.
pub(in crate::ui) fn keys(hints: &[(&str, &str)], theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for (at, (key, label)) in hints.iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(between(theme), theme.quiet));
        }
        spans.push(Span::styled((*key).to_owned(), theme.accent));
        spans.push(Span::styled(format!(" {label}"), theme.quiet));
    }
    Line::from(spans)
}
