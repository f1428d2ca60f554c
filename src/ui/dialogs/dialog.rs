//! The frame of dialogs and their placement next to the row they are about.

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

/// Usual width of a dialog where there is room, and the width it can grow to for long lines.
const USUAL_WIDTH: u16 = 72;
const MAX_WIDTH: u16 = 120;
/// Cells of the frame and the blank inside it, both sides.
const FRAME_CELLS: usize = 4;

/// Where a dialog was opened.
pub(in crate::ui) struct OpenedDialog {
    /// The whole dialog.
    pub outer: Rect,
    /// The area inside the frame; empty if there is no room.
    pub inner: Rect,
}

/// Clears and frames a dialog of so many lines. It grows with the screen if its content needs more cells than usual.
pub(in crate::ui) fn open(
    state: &State,
    title: &str,
    (lines, needed_width): (usize, usize),
    look: Look<'_>,
    frame: &mut Canvas<'_, '_>,
) -> OpenedDialog {
    // The title has a blank on both sides, too.
    let needed_width = needed_width.max(title.width() + 2);
    let area = place(state, u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2), needed_width);
    OpenedDialog { outer: area, inner: framed(area, title, look, frame) }
}

/// A line of a dialog.
#[derive(Debug, Clone)]
pub(in crate::ui) enum Row<'a> {
    /// Plain text.
    Text(Line<'a>),
    /// Keys and what they do.
    Keys(Vec<DialogKey>),
    /// A choice on its own line: its key, its label in the table of keys, and a sentence for it.
    Choice(DialogKey, String),
}

impl<'a> From<Line<'a>> for Row<'a> {
    fn from(line: Line<'a>) -> Self {
        Self::Text(line)
    }
}

impl<'a> Row<'a> {
    /// The row as it is drawn.
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

/// The width of the widest row.
pub(in crate::ui) fn widest_row(rows: &[Row<'_>], theme: &Theme) -> usize {
    rows.iter().map(|row| row.line(theme).width()).max().unwrap_or(0)
}

/// Draws rows from a line of a dialog on, as many as fit.
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
            Row::Choice(key, _) => frame.add_target(area, Target::Key(*key)),
        }
    }
}

/// The width of the widest line.
pub(in crate::ui) fn widest(lines: &[Line<'_>]) -> usize {
    lines.iter().map(Line::width).max().unwrap_or(0)
}

/// Clears and frames an area. Returns the area inside the frame.
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

/// The same without border lines: the title stays where it would be in the border.
fn unframed(area: Rect, title: &str, theme: &Theme, frame: &mut Canvas<'_, '_>) -> Rect {
    frame.render_widget(Clear, area);
    let inside = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(4), ..area };
    let room = usize::from(inside.width);
    let title = aloud(title, theme);
    frame.buffer_mut().set_stringn(inside.x, inside.y, fitted(&title, room), room, theme.strong);
    frame.set_title(&title);
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

/// Cells of a line in a dialog that asks for `needed_width` cells.
pub(in crate::ui) fn room(state: &State, needed_width: usize) -> usize {
    usize::from(width(state, needed_width)).saturating_sub(FRAME_CELLS)
}

/// Cells of a line that can be wrapped or shortened, so that it never widens the dialog over the panes beside the tree.
pub(in crate::ui) fn usual_room(state: &State) -> usize {
    room(state, 0)
}

/// Maximum lines inside a dialog, with the header and one row of the tree still in sight.
pub(in crate::ui) fn usual_lines(state: &State) -> usize {
    let (tree, screen) = (state.layout().tree, state.layout().screen);
    // The row, the frame and the footer.
    usize::from(screen.height.saturating_sub(tree.y)).saturating_sub(4)
}

fn width(state: &State, needed_width: usize) -> u16 {
    let (tree, screen) = (state.layout().tree, state.layout().screen);
    if state.screen.panes.accessible {
        // A screen reader would read what is beside the dialog along with it.
        return screen.width;
    }
    let usual = if tree.width < 50 { screen.width } else { tree.width }.min(USUAL_WIDTH);
    let needed_width = u16::try_from(needed_width.saturating_add(FRAME_CELLS)).unwrap_or(u16::MAX);
    needed_width.min(MAX_WIDTH).min(screen.width).max(usual)
}

/// Places a dialog next to the row it is about, if there is room.
fn place(state: &State, height: u16, needed_width: usize) -> Rect {
    let (tree, screen) = (rect(state.layout().tree), rect(state.layout().screen));
    let width = width(state, needed_width);
    let height = height.min(screen.height.saturating_sub(1));
    Rect { x: tree.x.min(screen.width - width), y: state.place_dialog(height).y, width, height }
}

/// One line of a dialog, counted from 0; `None` if the dialog is too small for it.
pub(in crate::ui) fn line(inner: Rect, at: usize) -> Option<Rect> {
    let at = u16::try_from(at).ok().filter(|at| *at < inner.height)?;
    Some(Rect { y: inner.y + at, height: 1, ..inner })
}

/// Draws the only text field of a dialog, with the cursor in it if it has the focus.
pub(in crate::ui) fn text_field(
    field: &TextField,
    area: Rect,
    focused: bool,
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    named_field(field, FieldName::Only, area, focused, theme, frame);
}

/// The same for one of several fields.
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
    frame.add_target(area, Target::Field { name, cell: scroll });
    let style = if focused { theme.accent } else { Style::new() };
    let text = scrolled(field.text(), scroll, room);
    frame.buffer_mut().set_stringn(area.x, area.y, text, room, style);
    if focused {
        let column = u16::try_from(field.cursor_column().saturating_sub(scroll)).unwrap_or(u16::MAX);
        frame.point_at_field(area.x + column.min(area.width - 1), area.y);
    }
}

/// The part of a text that starts `scroll` cells in and is at most `width` cells wide. Control sequences and invisible characters
/// never reach the terminal.
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

/// Draws the label of a field and returns the rest of the line, for its value. Values are aligned after `columns` cells; in
/// screen-reader mode each follows its label.
pub(in crate::ui) fn label(
    label: &str,
    columns: u16,
    area: Rect,
    (style, theme): (Style, &Theme),
    frame: &mut Canvas<'_, '_>,
) -> Rect {
    let is_accessible = theme.symbols.are_words();
    let text = if is_accessible { format!("{label}: ") } else { label.to_owned() };
    let indent = if is_accessible { u16::try_from(text.width()).unwrap_or(columns) } else { columns }.min(area.width);
    frame.buffer_mut().set_stringn(area.x, area.y, text, usize::from(indent), style);
    Rect { x: area.x + indent, width: area.width - indent, ..area }
}

/// Makes a click on the label of a field go to the end of the field.
pub(in crate::ui) fn label_target(name: FieldName, area: Rect, frame: &mut Canvas<'_, '_>) {
    frame.add_target(area, Target::Field { name, cell: usize::MAX });
}

/// Draws the keys of a dialog in one line: as many as fit whole, and always the last one, which leaves the dialog.
pub(in crate::ui) fn draw_keys(hints: &[DialogKey], area: Rect, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let room = usize::from(area.width);
    let mut shown = hints.to_vec();
    while shown.len() > 1 && keys(&shown, theme).width() > room {
        shown.remove(shown.len() - 2);
    }
    frame.render_widget(keys(&shown, theme), area);
    mark_keys(&shown, area, theme, frame);
}

/// The separator between two keys.
fn separator(theme: &Theme) -> &'static str {
    if theme.symbols.are_words() { ", " } else { " · " }
}

/// Its maximum width.
const MAX_SEPARATOR_WIDTH: usize = 3;

/// Makes the keys of a line drawn by [`keys`] clickable. For a hint with several keys each key is clickable, but not the label.
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
            frame.add_target(place, Target::Key((key, label)));
            x = x.saturating_add(width).saturating_add(1);
        }
        left = left.saturating_add(cells(keys)).saturating_add(1).saturating_add(cells(label));
        left = left.saturating_add(cells(separator(theme)));
    }
}

/// Drops blank lines, the last ones first, until the row next to the dialog stays in sight.
pub(in crate::ui) fn fitted_to_height<'a>(mut lines: Vec<Row<'a>>, state: &State) -> Vec<Row<'a>> {
    while lines.len() > usual_lines(state)
        && let Some(blank) = lines.iter().rposition(|row| matches!(row, Row::Text(line) if line.width() == 0))
    {
        lines.remove(blank);
    }
    lines
}

/// All keys of a dialog, wrapped to lines of `room` cells.
pub(in crate::ui) fn keys_wrapped(hints: &[DialogKey], room: usize) -> Vec<Row<'static>> {
    wrapped(hints, room).into_iter().map(|hints| Row::Keys(hints.to_vec())).collect()
}

/// The keys of each line, wrapped to `room` cells. A key wider than that gets its own line.
pub(in crate::ui) fn wrapped<'k, 't>(
    mut hints: &'k [(&'t str, &'t str)],
    room: usize,
) -> Vec<&'k [(&'t str, &'t str)]> {
    let mut lines = Vec::new();
    while !hints.is_empty() {
        let mut used = 0;
        let fitting = hints.iter().take_while(|(key, label)| {
            used += key.width() + 1 + label.width() + if used == 0 { 0 } else { MAX_SEPARATOR_WIDTH };
            used <= room
        });
        let (line, rest) = hints.split_at(fitting.count().max(1));
        lines.push(line);
        hints = rest;
    }
    lines
}

/// The line of keys and what they do: `enter save · esc cancel`.
pub(in crate::ui) fn keys(hints: &[(&str, &str)], theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for (at, (key, label)) in hints.iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(separator(theme), theme.quiet));
        }
        spans.push(Span::styled((*key).to_owned(), theme.accent));
        spans.push(Span::styled(format!(" {label}"), theme.quiet));
    }
    Line::from(spans)
}
