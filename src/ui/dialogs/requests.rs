//! The log of requests: the list, and one request in full.

use crate::app::List;
use crate::ui::Canvas;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::{DialogKey, request_lines};
use crate::app::{
    ListItem, ListWindow, LoggedRequest, OpenRequest, RequestsPage, RequestsPane, State, duration, grouped, size,
};

use crate::remote::Exchange;
use crate::ui::Look;
use crate::ui::text::{fitted, rect};
use crate::ui::theme::Theme;
use crate::ui::{details, dialog};

pub(in crate::ui) fn draw(state: &State, pane: &RequestsPane, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    match &pane.open {
        Some(open) => draw_open(state, pane, open, look, frame),
        None => draw_list(state, pane, look, frame),
    }
}

fn draw_list(state: &State, pane: &RequestsPane, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let theme = look.theme;
    let place = RequestsPage::of(&state.screen.panes);
    let listed = pane.listed(&state.side.requests);
    let at = pane.position(&listed);
    let inner = dialog::framed(rect(place.area), &title(state, pane, listed.len()), look, frame);
    let is_accessible = theme.symbols.are_words();
    if let Some(area) = dialog::line(inner, 0).filter(|_| !is_accessible) {
        let titles = columns(["time", "", "status", "duration", "size", "try"], "path", usize::from(inner.width));
        frame.render_widget(Line::styled(format!(" {titles}"), theme.quiet), area);
    }
    let width = usize::from(inner.width);
    let row = |logged: &LoggedRequest| ListRow {
        item: Some(ListItem::Request(logged.number)),
        ..ListRow::from(request(state, logged, width, theme))
    };
    // There are no column titles in screen-reader mode.
    let (first, lines) = if is_accessible { (0, place.rows + 1) } else { (1, place.rows) };
    let height = |at: usize| row(listed[at]).height(width, theme);
    let window = list::window(state, (List { chosen: at }, listed.len()), lines, height);
    let list = ListWindow { first: window.start, shown: window.len(), len: listed.len() };
    let rows = listed[window.clone()].iter().map(|logged| row(logged));
    list::draw(rows, at.checked_sub(window.start), list, (inner, first), theme, frame);
    if let Some(area) = last_line(inner, 2) {
        draw_below(state, pane, listed.get(at).copied(), area, theme, frame);
    }
    draw_keys(inner, &pane.keys(state), theme, frame);
}

fn title(state: &State, pane: &RequestsPane, listed: usize) -> String {
    let number = |count: u64| grouped(usize::try_from(count).unwrap_or(usize::MAX));
    let dropped = match state.side.requests.dropped {
        0 => String::new(),
        dropped => format!(" · {} not recorded", number(dropped)),
    };
    let filtered = match pane.filter.text() {
        "" => String::new(),
        text => format!(" · {} match “{text}”", grouped(listed)),
    };
    format!("Requests ({}){dropped}{filtered}", number(state.side.requests.logged_count + state.side.requests.dropped))
}

/// Below this width, the path gets the cells of the size and the try.
const MIN_FULL_WIDTH: usize = 72;

fn columns([time, method, status, elapsed, size, attempt]: [&str; 6], path: &str, width: usize) -> String {
    let rest = if width < MIN_FULL_WIDTH { String::new() } else { format!(" {size:>7} {attempt:>3}") };
    format!(" {time:<8}  {method:<6} {status:<8} {elapsed:>8}{rest}  {path}")
}

fn request(state: &State, logged: &LoggedRequest, width: usize, theme: &Theme) -> Line<'static> {
    let exchange = &logged.exchange;
    let time = exchange.at.to_zoned_datetime(state.clock.zone.clone()).strftime("%H:%M:%S").to_string();
    let (elapsed, bytes) = (duration(exchange.elapsed), size(exchange.response.bytes));
    let (status, attempt) = (logged.status(), exchange.attempt.to_string());
    let cells = [&time, &exchange.method, &status, &elapsed, &bytes, &attempt].map(String::as_str);
    let style = if exchange.fault.is_some() { theme.bad } else { Style::new() };
    if theme.symbols.are_words() {
        return Line::styled(format!(" {}", in_a_sentence(exchange, [&status, &elapsed, &bytes, &time])), style);
    }
    Line::styled(fitted(&columns(cells, exchange.target(), width), width.saturating_sub(1)).into_owned(), style)
}

/// All columns of a request as a sentence, and why it failed.
fn in_a_sentence(exchange: &Exchange, [status, elapsed, bytes, time]: [&str; 4]) -> String {
    let Exchange { method, attempt, fault, .. } = exchange;
    let retry = if *attempt > 1 { format!(", try {attempt}") } else { String::new() };
    let fault = fault.as_ref().map_or_else(String::new, |fault| format!(": {fault}"));
    format!("{method}, {status}, {elapsed}, {bytes}, {}, at {time}{retry}{fault}", exchange.target())
}

/// Draws the line below the list: the filter being typed, or why the selected request failed.
fn draw_below(
    state: &State,
    pane: &RequestsPane,
    selected: Option<&LoggedRequest>,
    area: Rect,
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    if pane.typing {
        frame.buffer_mut().set_stringn(area.x, area.y, "/", usize::from(area.width), theme.accent);
        let indent = 1.min(area.width);
        let field = Rect { x: area.x + indent, width: area.width - indent, ..area };
        return dialog::text_field(&pane.filter, field, true, theme, frame);
    }
    let (text, style) = match selected.map(|logged| &logged.exchange.fault) {
        // In screen-reader mode the list says it.
        Some(Some(_)) if theme.symbols.are_words() => return,
        Some(Some(fault)) => (format!("{} {fault}", theme.symbols.wrong), theme.bad),
        Some(None) => return,
        None if state.side.requests.logged_count == 0 => ("No requests yet.".into(), Style::new()),
        None => ("No matching requests.".into(), Style::new()),
    };
    frame.render_widget(Span::styled(fitted(&text, usize::from(area.width)).into_owned(), style), area);
}

fn draw_open(state: &State, pane: &RequestsPane, open: &OpenRequest, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let place = RequestsPage::of(&state.screen.panes);
    let title = format!("{} {}", open.exchange.method, open.exchange.target());
    let inner = dialog::framed(rect(place.area), &title, look, frame);
    let lines = request_lines(&open.exchange, &state.screen.panes, &state.clock.zone);
    let first = open.line.min(lines.len().saturating_sub(place.rows));
    // Usually the first visible line; in screen-reader mode the keys go line by line, down to the last one.
    let chosen = open.line.min(lines.len().saturating_sub(1));
    for (row, line) in lines.iter().skip(first).take(place.rows).enumerate() {
        if let Some(area) = dialog::line(inner, row) {
            let text = details::styled(line, look.theme, usize::from(area.width), false);
            if first + row == chosen {
                frame.point_at_line(area.x, area.y);
                frame.set_chosen_line(format!("{} of {}: {text}", grouped(chosen + 1), grouped(lines.len())));
            }
            frame.render_widget(text, area);
        }
    }
    draw_keys(inner, &pane.keys(state), look.theme, frame);
}

fn draw_keys(inner: Rect, hints: &[DialogKey], theme: &Theme, frame: &mut Canvas<'_, '_>) {
    if let Some(area) = last_line(inner, 1) {
        dialog::draw_keys(hints, area, theme, frame);
    }
}

/// The line `from_end` lines from the bottom, counting from 1.
fn last_line(inner: Rect, from_end: usize) -> Option<Rect> {
    usize::from(inner.height).checked_sub(from_end).and_then(|at| dialog::line(inner, at))
}
