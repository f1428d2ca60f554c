//! The details pane: the lines of the details in their styles.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::details;
use crate::app::{DetailLine, Pane, State, grouped};

use crate::ui::scrollbar;
use crate::ui::sparkline::sparkline;
use crate::ui::text::{fitted, fitted_end, rect};
use crate::ui::theme::Theme;
use crate::ui::{Canvas, Look};

/// Columns for labels, including the blank after them.
const LABEL_COLUMNS: usize = 13;

pub(in crate::ui) fn draw(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let Some(area) = state.layout().details.map(rect) else { return };
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let lines = details(state);
    let height = usize::from(area.height);
    let focused = state.screen.panes.focus == Pane::Details;
    // In screen-reader mode they are shown from the top while another pane has the focus.
    let scroll = if focused || !look.theme.symbols.are_words() { state.screen.panes.details_scroll } else { 0 };
    let first = scroll.min(lines.len().saturating_sub(height));
    let mut shown = &lines[first..lines.len().min(first + height)];
    // A heading cut off from its lines is dropped.
    let is_cut = first + height < lines.len() && !look.theme.symbols.are_words();
    if let ([rest @ .., DetailLine::Heading(_)], true) = (shown, is_cut) {
        shown = rest;
    }
    scrollbar::draw_thumb((first, height.min(lines.len()), lines.len()), look.theme, frame, area);
    // In screen-reader mode one of the lines has the focus.
    let has_keys = focused && look.theme.symbols.are_words() && state.screen.layers.is_empty();
    let chosen = state.screen.panes.details_scroll.min(lines.len().saturating_sub(1));
    for ((at, line), y) in (first..).zip(shown).zip(inner.y..) {
        let row = Rect { y, height: 1, ..inner };
        let text = styled(line, look.theme, usize::from(inner.width), focused);
        if has_keys && at == chosen {
            frame.point_at_line(row.x, row.y);
            frame.set_chosen_line(format!("Details, {} of {}: {text}", grouped(at + 1), grouped(lines.len())));
        }
        frame.render_widget(text, row);
    }
}

/// A line of details, cut to `width` cells.
pub(in crate::ui) fn styled(line: &DetailLine, theme: &Theme, width: usize, focused: bool) -> Line<'static> {
    match line {
        DetailLine::Title(text) => {
            let style = if focused { theme.strong.patch(theme.accent) } else { theme.strong };
            Line::styled(fitted(text, width).into_owned(), style)
        }
        DetailLine::Field { label, value } if theme.symbols.are_words() => {
            let lead = if label.is_empty() { String::new() } else { format!("{label}: ") };
            Line::raw(fitted(&format!("{lead}{value}"), width).into_owned())
        }
        DetailLine::Field { label, value } => {
            let room = width.saturating_sub(LABEL_COLUMNS);
            // The end of a path matters most.
            let value = if *label == "Path" { fitted_end(value, room) } else { fitted(value, room) }.into_owned();
            Line::from(vec![Span::styled(format!("{label:<LABEL_COLUMNS$}"), theme.quiet), Span::raw(value)])
        }
        DetailLine::Wrong(text) => {
            let text = fitted(text, width.saturating_sub(theme.symbols.wrong.width() + 1)).into_owned();
            Line::styled(format!("{} {text}", theme.symbols.wrong), theme.warning)
        }
        DetailLine::Text(text) => Line::raw(fitted(text, width).into_owned()),
        DetailLine::Heading(text) if theme.symbols.are_words() => Line::styled(format!("{text}:"), theme.quiet),
        DetailLine::Heading(text) => Line::styled(*text, theme.quiet),
        DetailLine::Bar { name, count, .. } if theme.symbols.are_words() => {
            let below = format!(", {} below", grouped(*count));
            let name = fitted(name, width.saturating_sub(below.width())).into_owned();
            Line::raw(format!("{name}{below}"))
        }
        DetailLine::Bar { name, count, max_count } => bar(name, *count, *max_count, theme, width),
        DetailLine::Levels(counts) => levels(counts, theme, width),
        DetailLine::Blank => Line::default(),
    }
}

/// Maximum levels that are drawn.
const MAX_LEVELS: usize = 12;

/// A bar for each level, then as many of the numbers as fit.
fn levels(counts: &[usize], theme: &Theme, width: usize) -> Line<'static> {
    let shown = &counts[..counts.len().min(MAX_LEVELS)];
    let max_count = shown.iter().copied().max().unwrap_or(0);
    let bars = sparkline(shown, max_count, &theme.symbols);
    let mut numbers = shown.iter().map(|count| grouped(*count)).collect::<Vec<_>>().join(" · ");
    if counts.len() > MAX_LEVELS {
        numbers.push_str(" · …");
    }
    let room = width.saturating_sub(LABEL_COLUMNS + shown.len() + 1);
    Line::from(vec![
        Span::styled(format!("{:<LABEL_COLUMNS$}", "By depth"), theme.quiet),
        Span::styled(bars, theme.bar),
        Span::raw(format!(" {}", fitted(&numbers, room))),
    ])
}

/// The name in up to two fifths of the width, then the bar, then the number.
fn bar(name: &str, count: usize, max_count: usize, theme: &Theme, width: usize) -> Line<'static> {
    let name_width = (width * 2 / 5).min(24);
    let number = grouped(count);
    let room = width.saturating_sub(name_width + number.len() + 4);
    let cells = (count * room).div_ceil(max_count.max(1)).min(room);
    let name = fitted(name, name_width);
    let padding = " ".repeat(name_width.saturating_sub(name.width()));
    Line::from(vec![
        Span::raw(format!("  {name}{padding} ")),
        Span::styled(theme.symbols.block.repeat(cells), theme.bar),
        Span::raw(format!(" {number}")),
    ])
}
