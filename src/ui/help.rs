//! All keys, from the table of actions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::action::Group;
use crate::keymap::Keymap;

use super::Look;
use super::dialog;
use super::text::fitted;
use super::theme::Theme;

const KEYS: usize = 14;
const COLUMN: u16 = 56;
const MARGIN: u16 = 1;

pub(super) fn draw(first: usize, look: Look<'_>, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let columns = (screen.width.saturating_sub(6) / COLUMN).clamp(1, 3);
    let lines = lines(look.theme, look.keymap);
    let rows = lines.len().div_ceil(usize::from(columns));
    let height = u16::try_from(rows + 4).unwrap_or(u16::MAX).min(screen.height);
    let width = (columns * COLUMN + 4).min(screen.width);
    let area = Rect { x: (screen.width - width) / 2, y: ((screen.height - height) / 2).min(MARGIN + 2), width, height };
    let inner = dialog::framed(area, "All keys", look, frame);
    let Some(shown) = inner.height.checked_sub(2).map(usize::from) else { return };
    let capacity = shown * usize::from(columns);
    let first = first.min(lines.len().saturating_sub(capacity));
    let column_width = inner.width / columns;
    for (at, line) in lines.iter().skip(first).take(capacity).enumerate() {
        let (Ok(column), Ok(row)) = (u16::try_from(at / shown), u16::try_from(at % shown)) else { continue };
        let place = Rect { x: inner.x + column * column_width, y: inner.y + row, width: column_width, height: 1 };
        frame.render_widget(line, place);
    }
    if let Some(last) = dialog::line(inner, usize::from(inner.height) - 1) {
        let more = first + capacity < lines.len() || first > 0;
        let hints: &[(&str, &str)] = if more { &[("j k", "scroll"), ("esc", "leave")] } else { &[("esc", "leave")] };
        frame.render_widget(dialog::keys(hints, look.theme), last);
    }
}

fn lines(theme: &Theme, keymap: &Keymap) -> Vec<Line<'static>> {
    let listed = keymap.help();
    let mut lines = Vec::new();
    for group in Group::ALL {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(group.title(), theme.strong));
        for (_, keys, help) in listed.iter().filter(|(other, ..)| *other == group) {
            let keys = fitted(keys, KEYS - 1).into_owned();
            let padding = " ".repeat(KEYS.saturating_sub(keys.width()));
            lines.push(Line::from(vec![Span::styled(keys + &padding, theme.accent), Span::raw(*help)]));
        }
    }
    lines
}
