//! Drawing a list in a dialog: a bar at the chosen line, what stands at its right end, and a colour that outlives the selection.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;

use crate::app::{ListItem, ListWindow, Target, grouped};
use crate::ui::dialog;
use crate::ui::text::draw_right;
use crate::ui::theme::Theme;

/// One line of a list. Its first cell is the bar's.
#[derive(Debug, Clone, Default)]
pub(in crate::ui) struct ListRow<'a> {
    /// What it says, from the second cell on.
    pub text: Line<'a>,
    /// What stands at its right end.
    pub right: Option<Line<'a>>,
    /// A block of this colour in its third cell.
    pub colour: Option<Color>,
    /// What it is, to be clicked.
    pub item: Option<ListItem>,
}

impl<'a> From<Line<'a>> for ListRow<'a> {
    fn from(text: Line<'a>) -> Self {
        Self { text, ..Self::default() }
    }
}

/// Draws the part of a list that is shown from a line of a dialog's inside on. `chosen` is counted from the first of them.
pub(in crate::ui) fn draw<'a>(
    rows: impl IntoIterator<Item = ListRow<'a>>,
    chosen: Option<usize>,
    list: ListWindow,
    (inner, from): (Rect, usize),
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    frame.list(list);
    for (at, row) in rows.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, from + at) else { break };
        if let Some(item) = row.item {
            frame.target(area, Target::Item { item, first: list.first });
        }
        let indent = 1.min(area.width);
        let right = row.right.as_ref().map(|right| format!("  {right}")).unwrap_or_default();
        let words = format!("{}{right}", row.text);
        frame.render_widget(row.text, Rect { x: area.x + indent, width: area.width - indent, ..area });
        if let Some(right) = row.right {
            draw_right(right, area, frame);
        }
        if chosen == Some(at) {
            let blank = words.chars().take_while(|letter| *letter == ' ').count();
            let blank = u16::try_from(blank).unwrap_or(0) + indent;
            frame.point_at_line(area.x + blank.min(area.width.saturating_sub(1)), area.y);
            frame.choose(format!("{} of {}: {}", grouped(list.first + at + 1), grouped(list.len), words.trim()));
            frame.buffer_mut().set_stringn(area.x, area.y, theme.symbols.bar, usize::from(indent), theme.accent);
            frame.buffer_mut().set_style(area, theme.selected);
        }
        // Last, so that the selected row leaves it its colour.
        if let Some(colour) = row.colour.filter(|_| area.width > 2 && !theme.symbols.are_words()) {
            frame.buffer_mut().set_stringn(area.x + 2, area.y, theme.symbols.block, 1, Style::new().fg(colour));
        }
    }
}

/// Where the part of a list that is in sight stands in the whole: on the frame, beside the lines. `shown` lines of `count` are in
/// sight, from `first` on. Nothing where all are.
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
