//! The lines between panes and the titles in them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use unicode_width::UnicodeWidthStr;

use crate::app::{Filter, KINDS, MINUTES, Pane, Shape, State, grouped};

use super::Look;
use super::activity;
use super::footer;
use super::sparkline::sparkline;
use super::spoken::aloud;
use super::text::{fitted, fitted_end, rect};
use super::theme::Theme;

pub(super) fn draw(state: &State, first_row: usize, look: Look<'_>, frame: &mut Frame<'_>) {
    let layout = state.layout();
    if layout.shape == Shape::TreeOnly {
        return;
    }
    let (screen, footer) = (rect(layout.screen), rect(layout.footer));
    let (top, bottom) = (1, footer.y.saturating_sub(1));
    let mut pen = Pen { look, frame };
    pen.across(0, top, screen.width);
    pen.across(0, bottom, screen.width);
    let right_of_tree = [layout.details, layout.activity].into_iter().flatten().map(rect);
    for pane in right_of_tree {
        if pane.x > 0 {
            pen.down(pane.x - 1, top, bottom);
        }
    }
    if let Some(details) = layout.details.map(rect).filter(|_| layout.shape == Shape::Stacked) {
        pen.across(details.x, details.y - 1, details.width);
    }
    if let Some(activity) = layout.activity.map(rect) {
        if activity.y - 1 > top {
            pen.across(activity.x, activity.y - 1, activity.width);
            if activity.x > 0 {
                pen.join(activity.x - 1, activity.y - 1, look.theme.symbols.lines.right_from);
            }
        }
        pen.activity_title(state, activity);
    }
    pen.breadcrumb(state, first_row, top, rect(layout.tree));
}

struct Pen<'a, 'b, 'c> {
    look: Look<'a>,
    frame: &'b mut Frame<'c>,
}

impl Pen<'_, '_, '_> {
    fn across(&mut self, x: u16, y: u16, width: u16) {
        let line = self.look.theme.symbols.lines.across.repeat(usize::from(width));
        self.frame.buffer_mut().set_stringn(x, y, line, usize::from(width), self.look.theme.line);
    }

    fn down(&mut self, x: u16, top: u16, bottom: u16) {
        let lines = self.look.theme.symbols.lines;
        self.join(x, top, lines.down_from);
        for y in top + 1..bottom {
            self.join(x, y, lines.down);
        }
        self.join(x, bottom, lines.up_from);
    }

    fn join(&mut self, x: u16, y: u16, symbol: &str) {
        self.frame.buffer_mut().set_stringn(x, y, symbol, 1, self.look.theme.line);
    }

    /// `─ Activity ───── + ▁▁▂▁ 2 ● ▁▂▅▂ 9/min ─`
    fn activity_title(&mut self, state: &State, activity: Rect) {
        let theme = self.look.theme;
        let title =
            if state.screen.panes.focus == Pane::Activity { theme.accent.patch(theme.strong) } else { theme.strong };
        let y = activity.y - 1;
        self.label(activity.x + 1, y, " Activity ", title, activity);
        let room = usize::from(activity.width.saturating_sub(TITLE_COLUMNS + 2));
        let parts = pulse(state, room, theme);
        let width: usize = parts.iter().map(|(text, _)| text.width()).sum();
        if parts.is_empty() || width > room {
            return;
        }
        let mut x = (activity.x + activity.width).saturating_sub(u16::try_from(width).unwrap_or(0) + 1);
        for (text, style) in parts {
            self.label(x, y, &text, style, activity);
            x += u16::try_from(text.width()).unwrap_or(0);
        }
    }

    /// The active filter; otherwise the ancestors of the selected row, if its parent is scrolled out of sight.
    fn breadcrumb(&mut self, state: &State, first_row: usize, y: u16, tree: Rect) {
        let is_accessible = self.look.theme.symbols.are_words();
        if let Some(search) =
            state.tree.search.as_ref().filter(|_| state.tree.filter.as_ref().is_some_and(Filter::is_kept))
        {
            let count = footer::counts(search);
            let room = usize::from(tree.width).saturating_sub(8 + count.width());
            let text = fitted(&search.text, room);
            let text =
                if is_accessible { format!("Filter: {text}, {count}") } else { format!(" / {text} · {count} ") };
            return self.label(tree.x + 1, y, &text, self.look.theme.accent, tree);
        }
        let Some(path) = state.path_out_of_sight(first_row) else { return };
        let room = usize::from(tree.width).saturating_sub(4);
        if room > 8 {
            let text = fitted_end(&aloud(&path, self.look.theme), room).into_owned();
            let text = if is_accessible { format!("In {text}") } else { format!(" {text} ") };
            self.label(tree.x + 1, y, &text, self.look.theme.quiet, tree);
        }
    }

    fn label(&mut self, x: u16, y: u16, text: &str, style: Style, within: Rect) {
        let room = usize::from((within.x + within.width).saturating_sub(x));
        // Keeps the style of the line beneath from colouring the title.
        let style = Style::new().fg(Color::Reset).patch(style);
        self.frame.buffer_mut().set_stringn(x, y, fitted(text, room), room, style);
    }
}

/// Cells of ` Activity ` and some of the line after it.
const TITLE_COLUMNS: u16 = 12;

/// For each kind of change seen in the last minutes: its sign, as many per-minute counts as fit, and the count of the last minute.
fn pulse(state: &State, room: usize, theme: &Theme) -> Vec<(String, Style)> {
    const UNIT: &str = "/min ";
    if theme.symbols.are_words() {
        return Vec::new();
    }
    let counted = |minutes: usize| {
        KINDS.map(|kind| (kind, state.side.activity.changes_by_minute(kind, state.clock.now, minutes)))
    };
    let seen: Vec<_> =
        counted(MINUTES).into_iter().filter(|(_, counts)| counts.iter().any(|count| *count > 0)).collect();
    let numbers: usize = seen.iter().map(|(_, counts)| grouped(counts[MINUTES - 1]).len()).sum();
    // Per kind: a blank, the sign, a blank, and a blank before the number.
    let around = numbers + 4 * seen.len();
    let Some(cells) = room.checked_sub(around).and_then(|cells| cells.checked_div(seen.len())) else {
        return Vec::new();
    };
    let (unit, shown) = match (room - around).checked_sub(UNIT.len()).map(|cells| cells / seen.len()) {
        Some(shown @ 4..) => (UNIT, shown.min(MINUTES)),
        _ => (" ", cells.saturating_sub(1).min(MINUTES)),
    };
    let max_count = seen.iter().flat_map(|(_, counts)| &counts[MINUTES - shown..]).copied().max().unwrap_or(0);
    let mut parts = Vec::new();
    for (kind, counts) in &seen {
        let (sign, _, style) = activity::sign(*kind, theme);
        let bars = sparkline(&counts[MINUTES - shown..], max_count, &theme.symbols);
        parts.push((format!(" {sign} {bars}"), style));
        parts.push((format!(" {}", grouped(counts[MINUTES - 1])), theme.quiet));
    }
    parts.push((unit.to_owned(), theme.quiet));
    parts
}
