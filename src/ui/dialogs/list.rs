//! Draws a list in a dialog: a bar at the chosen line, text at its right end, and a colour block that the selection does not cover.
//! In screen-reader mode each item is a sentence, wrapped to as many lines as it needs.

use std::borrow::Cow;
use std::ops::Range;

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;

use crate::app::{List, ListItem, ListWindow, State, Target, grouped};
use crate::ui::dialog;
use crate::ui::text::draw_right;
use crate::ui::theme::Theme;

/// One line of a list. Its first cell is for the bar.
#[derive(Debug, Clone, Default)]
pub(in crate::ui) struct ListRow<'a> {
    /// The text, from the second cell on.
    pub text: Line<'a>,
    /// Text at the right end.
    pub right: Option<Line<'a>>,
    /// A block of this colour in its third cell.
    pub colour: Option<Color>,
    /// The item that a click on the line selects.
    pub item: Option<ListItem>,
}

impl<'a> From<Line<'a>> for ListRow<'a> {
    fn from(text: Line<'a>) -> Self {
        Self { text, ..Self::default() }
    }
}

impl ListRow<'_> {
    /// The line as a sentence, wrapped to `width` cells. Continuation lines are indented further.
    fn aloud(&self, width: usize) -> Vec<String> {
        let right = self.right.as_ref().map(ToString::to_string).filter(|right| !right.is_empty());
        let text = [self.text.to_string()].into_iter().chain(right).collect::<Vec<_>>().join(", ");
        let blank = text.chars().take_while(|letter| *letter == ' ').count();
        let (first, further) = (" ".repeat(blank), " ".repeat(blank + 2));
        let options = textwrap::Options::new(width.max(8)).initial_indent(&first).subsequent_indent(&further);
        textwrap::wrap(text.trim(), options).into_iter().map(Cow::into_owned).collect()
    }

    /// Lines needed in a dialog `width` cells wide.
    pub fn height(&self, width: usize, theme: &Theme) -> usize {
        if theme.symbols.are_words() { self.aloud(width.saturating_sub(1)).len() } else { 1 }
    }
}

/// The part of a list that fits in `lines` lines, given the height of each item.
pub(in crate::ui) fn window(
    state: &State,
    (list, len): (List, usize),
    lines: usize,
    height: impl Fn(usize) -> usize,
) -> Range<usize> {
    let mut windows = (2..=lines).rev().map(|shown| state.screen.window(list, len, shown));
    let fits = |window: &Range<usize>| window.clone().map(&height).sum::<usize>() <= lines;
    windows.find(fits).unwrap_or_else(|| state.screen.window(list, len, 1.min(lines)))
}

/// Lines for a list of `len` items: as many as they need, at most `max_lines`.
pub(in crate::ui) fn lines(len: usize, max_lines: usize, height: impl Fn(usize) -> usize) -> usize {
    (0..len.min(max_lines)).map(height).sum::<usize>().min(max_lines)
}

/// Draws the visible part of a list from a line of the dialog on. `chosen` counts from the first visible item.
pub(in crate::ui) fn draw<'a>(
    rows: impl IntoIterator<Item = ListRow<'a>>,
    chosen: Option<usize>,
    list: ListWindow,
    (inner, from): (Rect, usize),
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    frame.set_list(list);
    if theme.symbols.are_words() {
        return draw_aloud(rows, chosen, list, (inner, from), theme, frame);
    }
    for (at, row) in rows.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, from + at) else { break };
        if let Some(item) = row.item {
            frame.add_target(area, Target::Item { item, first: list.first });
        }
        let indent = 1.min(area.width);
        let blank = row.text.to_string().chars().take_while(|letter| *letter == ' ').count();
        frame.render_widget(row.text, Rect { x: area.x + indent, width: area.width - indent, ..area });
        if let Some(right) = row.right {
            draw_right(right, area, frame);
        }
        if chosen == Some(at) {
            let blank = u16::try_from(blank).unwrap_or(0) + indent;
            frame.point_at_line(area.x + blank.min(area.width.saturating_sub(1)), area.y);
            frame.buffer_mut().set_stringn(area.x, area.y, theme.symbols.bar, usize::from(indent), theme.accent);
            frame.buffer_mut().set_style(area, theme.selected);
        }
        // Last, so that the selection does not change its colour.
        if let Some(colour) = row.colour.filter(|_| area.width > 2) {
            frame.buffer_mut().set_stringn(area.x + 2, area.y, theme.symbols.block, 1, Style::new().fg(colour));
        }
    }
}

fn draw_aloud<'a>(
    rows: impl IntoIterator<Item = ListRow<'a>>,
    chosen: Option<usize>,
    list: ListWindow,
    (inner, from): (Rect, usize),
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    let mut next = from;
    for (at, row) in rows.into_iter().enumerate() {
        let lines = row.aloud(usize::from(inner.width).saturating_sub(1));
        let sentence = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let style = row.text.spans.iter().fold(row.text.style, |style, span| style.patch(span.style));
        for (number, text) in lines.into_iter().enumerate() {
            let Some(area) = dialog::line(inner, next) else { return };
            next += 1;
            if let Some(item) = row.item.clone() {
                frame.add_target(area, Target::Item { item, first: list.first });
            }
            let indent = 1.min(area.width);
            let blank = text.chars().take_while(|letter| *letter == ' ').count();
            let text_area = Rect { x: area.x + indent, width: area.width - indent, ..area };
            frame.render_widget(Line::styled(text, style), text_area);
            if chosen != Some(at) {
                continue;
            }
            if number == 0 {
                let blank = u16::try_from(blank).unwrap_or(0) + indent;
                frame.point_at_line(area.x + blank.min(area.width.saturating_sub(1)), area.y);
                frame.set_chosen_line(format!("{} of {}: {sentence}", grouped(list.first + at + 1), grouped(list.len)));
            }
            frame.buffer_mut().set_style(area, theme.selected);
        }
    }
}

/// Draws a scrollbar on the frame beside the lines. `shown` lines of `count` are in sight, starting at `first`; nothing is drawn if
/// all are.
pub(in crate::ui) fn draw_scrollbar(
    (inner, from): (Rect, usize),
    (first, shown, count): (usize, usize, usize),
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    if shown == 0 || shown >= count || theme.symbols.are_words() {
        return;
    }
    let thumb = (shown * shown / count).max(1);
    let top = first * (shown - thumb) / (count - shown);
    for at in top..top + thumb {
        let Some(area) = dialog::line(inner, from + at) else { break };
        let x = area.right() + 1;
        frame.buffer_mut().set_stringn(x, area.y, theme.symbols.thumb, 1, theme.bar);
    }
}
