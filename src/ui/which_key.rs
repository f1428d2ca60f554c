//! How a begun sequence of keys can go on: a box over the last lines of the screen, from the first key of the sequence on.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_width::UnicodeWidthStr;

use crate::app::State;
use crate::keymap::sequence_text;

use super::Look;
use super::text::{fitted, rect};

/// Cells that the columns take at most: a list this short is read at a glance.
const WIDEST: u16 = 60;
/// Cells between two columns.
const GAP: usize = 3;

pub(super) fn draw(state: &State, look: Look<'_>, frame: &mut Frame<'_>) {
    if state.screen.pressed.is_empty() || !state.screen.layers.is_empty() {
        return;
    }
    let (footer, screen) = (rect(state.layout().footer), rect(state.layout().screen));
    let theme = look.theme;
    let entries: Vec<(String, String)> = look
        .keymap
        .continuations(&state.screen.pressed)
        .map(|(keys, action)| (keys, look.keymap.label(action).to_owned()))
        .collect();
    let keys_width = entries.iter().map(|(keys, _)| keys.width()).max().unwrap_or(0);
    let label_width = entries.iter().map(|(_, label)| label.width()).max().unwrap_or(0);
    let column = keys_width + 1 + label_width + GAP;
    let columns = (usize::from(screen.width.min(WIDEST)).saturating_sub(2) / column.max(1)).max(1);
    let lines = entries.len().div_ceil(columns);
    let height = u16::try_from(lines + 1).unwrap_or(u16::MAX);
    if entries.is_empty() || height > footer.y {
        return;
    }
    let width = u16::try_from(columns * column + 1).unwrap_or(u16::MAX).min(screen.width);
    let area = Rect { x: screen.x, y: footer.y - height, width, height };
    frame.render_widget(Clear, area);
    let buffer = frame.buffer_mut();
    let across = theme.symbols.lines.across.repeat(usize::from(area.width));
    buffer.set_stringn(area.x, area.y, across, usize::from(area.width), theme.line);
    let title = format!(" {} … ", sequence_text(&state.screen.pressed));
    buffer.set_stringn(area.x + 1, area.y, title, usize::from(area.width.saturating_sub(2)), theme.accent);
    if area.width < screen.width {
        for y in area.y..area.y + area.height {
            buffer.set_stringn(area.x + area.width - 1, y, theme.symbols.lines.down, 1, theme.line);
        }
    }
    // From the top down, then the next column, as a list is read.
    for (at, (keys, label)) in entries.iter().enumerate() {
        let (column_at, line) = (at / lines, at % lines);
        let (Ok(x), Ok(y)) = (u16::try_from(1 + column_at * column), u16::try_from(line)) else { continue };
        if x >= area.width {
            break;
        }
        let room = area.width - x;
        let text = fitted(label, usize::from(room).saturating_sub(keys_width + 1)).into_owned();
        let line = Line::from(vec![
            Span::styled(format!("{keys:<keys_width$}"), theme.accent),
            Span::styled(format!(" {text}"), theme.quiet),
        ]);
        buffer.set_line(area.x + x, area.y + 1 + y, &line, room);
    }
}
