//! The output of a custom command, and the confirmation before one runs.

use crate::numbers::{Noun, counted};
use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::app::{OutputPage, OutputPane, Run, RunConfirmation, State, grouped, size};

use crate::ui::Look;
use crate::ui::dialog::{self, Row};
use crate::ui::spoken::aloud;
use crate::ui::text::{fitted, highlighted, rect};
use crate::ui::theme::{Symbols, Theme};

/// Maximum names listed for several segments.
const MAX_NAMES: usize = 4;

pub(in crate::ui) fn draw(state: &State, pane: &OutputPane, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let Some(run) = &state.side.commands.run else { return };
    let place = OutputPage::of(&state.screen.panes);
    let inner = dialog::framed(rect(place.area), &title(run), look, frame);
    let lines = run.text.lines();
    let first = pane.first(lines.len(), place.rows);
    for (row, line) in lines.iter().skip(first).take(place.rows).enumerate() {
        let Some(area) = dialog::line(inner, row) else { break };
        if row == 0 {
            frame.point_at_line(area.x, area.y);
            frame.set_chosen_line(format!("{} of {}: {}", grouped(first + 1), grouped(lines.len()), line.trim()));
        }
        frame.render_widget(shown(line, pane, usize::from(area.width), look.theme), area);
    }
    if lines.is_empty()
        && place.rows > 0
        && let Some(area) = dialog::line(inner, 0)
    {
        let text = if run.end.is_some() { "No output." } else { "No output yet." };
        frame.render_widget(Line::styled(text, look.theme.quiet), area);
    }
    if let Some(area) = last_line(inner, 2) {
        if pane.typing {
            frame.buffer_mut().set_stringn(area.x, area.y, "/", usize::from(area.width), look.theme.accent);
            let indent = 1.min(area.width);
            let field = Rect { x: area.x + indent, width: area.width - indent, ..area };
            dialog::text_field(&pane.search_text, field, true, look.theme, frame);
        } else {
            let shown = first..(first + place.rows).min(lines.len());
            frame.render_widget(status_line(state, run, shown, usize::from(area.width), look.theme), area);
        }
    }
    if let Some(area) = last_line(inner, 1) {
        dialog::draw_keys(&pane.keys(state), area, look.theme, frame);
    }
}

fn title(run: &Run) -> String {
    format!("{} · {}", run.name, counted(run.subjects, Noun::Segment))
}

fn shown(line: &str, pane: &OutputPane, width: usize, theme: &Theme) -> Line<'static> {
    let line = if pane.column == 0 { line.to_owned() } else { dialog::scrolled(line, pane.column, width + 1) };
    let ranges = match_ranges(&line, pane.search_text.text());
    highlighted(&line, &ranges, width, Style::new(), theme.matched)
}

/// Finds `search_text` in a line, ignoring case. If lowercasing changes the byte length, there are no matches.
fn match_ranges(line: &str, search_text: &str) -> Vec<std::ops::Range<usize>> {
    let (lower, search_text) = (line.to_lowercase(), search_text.to_lowercase());
    if search_text.is_empty() || lower.len() != line.len() {
        return Vec::new();
    }
    lower.match_indices(&search_text).map(|(at, found)| at..at + found.len()).collect()
}

/// The status line: how the command is doing, what was dropped, and which lines are shown.
fn status_line(state: &State, run: &Run, shown: std::ops::Range<usize>, width: usize, theme: &Theme) -> Line<'static> {
    let (symbol, style) = match &run.end {
        None => (theme.symbols.working, theme.pending),
        Some(_) if run.succeeded() => (theme.symbols.done, theme.good),
        Some(_) => (theme.symbols.failed, theme.bad),
    };
    let lines = run.text.lines().len();
    let place = if shown.len() < lines {
        format!(" · lines {} to {} of {}", grouped(shown.start + 1), grouped(shown.end), grouped(lines))
    } else {
        String::new()
    };
    let cut = match run.end.as_ref().map(|end| usize::try_from(end.dropped).unwrap_or(usize::MAX)) {
        None if run.cut => " · output truncated".into(),
        Some(dropped @ 1..) => format!(" · output truncated: {} dropped", size(dropped)),
        _ => String::new(),
    };
    let status = if run.end.is_none() && theme.symbols.are_words() {
        // A screen reader would announce a running time at every change.
        if run.stopping { "stopping".into() } else { "running".into() }
    } else {
        run.status(state.clock.now)
    };
    let text = Symbols::prefixed(symbol, &aloud(&format!("{status}{place}{cut}"), theme));
    Line::styled(fitted(&text, width).into_owned(), style)
}

/// The line `from_end` lines from the bottom, counting from 1.
fn last_line(inner: Rect, from_end: usize) -> Option<Rect> {
    usize::from(inner.height).checked_sub(from_end).and_then(|at| dialog::line(inner, at))
}

/// Draws the confirmation before a command runs.
pub(in crate::ui) fn draw_confirmation(
    state: &State,
    confirmation: &RunConfirmation,
    look: Look<'_>,
    frame: &mut Canvas<'_, '_>,
) -> Rect {
    let theme = look.theme;
    let command = &confirmation.command;
    let words = [&command.program].into_iter().chain(&command.arguments).map(String::as_str);
    let words = words.collect::<Vec<_>>().join(" ");
    let room = dialog::room(state, words.width());
    let mut lines: Vec<Row<'_>> = vec![Line::styled(fitted(&words, room).into_owned(), theme.strong).into()];
    let key = if command.api_key { " · passes the API key" } else { "" };
    let on = match confirmation.subjects.as_slice() {
        [only] => format!("on {}{key}", only.name),
        several => format!("on {}{key}:", counted(several.len(), Noun::Segment)),
    };
    lines.push(Line::raw(fitted(&aloud(&on, theme), room).into_owned()).into());
    if let [_, _, ..] = confirmation.subjects.as_slice() {
        let names = confirmation.subjects.iter().take(MAX_NAMES);
        let names = names.map(|segment| format!("  {}", fitted(&segment.name, room.saturating_sub(2))));
        lines.extend(names.map(|name| Line::raw(name).into()));
        if let Some(more) = confirmation.subjects.len().checked_sub(MAX_NAMES).filter(|more| *more > 0) {
            lines.push(Line::raw(format!("  and {} more", grouped(more))).into());
        }
    }
    lines.push(Line::default().into());
    lines.extend(dialog::keys_wrapped(RunConfirmation::KEYS, room));
    let lines = dialog::fitted_to_height(lines, state);
    let size = (lines.len(), words.width());
    let dialog::OpenedDialog { outer, inner } =
        dialog::open(state, &format!("Run “{}”?", command.name), size, look, frame);
    dialog::draw_rows(&lines, (inner, 0), theme, frame);
    outer
}
