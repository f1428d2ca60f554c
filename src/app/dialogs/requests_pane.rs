//! The list of requests and the open request: selection, filter and keys.
//!
//! New requests arrive while the list is open, so the selection is a request number whose position is looked up each time.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use crate::app::dialogs::words;
use std::sync::Arc;

use crate::keymap::Key;
use crate::remote::Exchange;

use crate::app::layout::Area;
use crate::app::side::request_lines;
use crate::app::side::requests::{LoggedRequest, Requests};
use crate::app::{Effect, Layer, Panes, State, TextField, copying};

/// The list of requests, or one open request.
#[derive(Debug, Clone, Default)]
pub struct RequestsPane {
    /// The text that listed requests must contain.
    pub filter: TextField,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// The number of the selected request; `None` follows the newest.
    selected: Option<u64>,
    /// The open request.
    pub open: Option<OpenRequest>,
}

/// An open request. It stays available when it drops out of the list.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// The request.
    pub exchange: Arc<Exchange>,
    /// The first visible line; in screen-reader mode, the focused line.
    pub line: usize,
}

/// The layout of the pane for the current screen size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestsPage {
    /// The area of the pane, including its frame.
    pub area: Area,
    /// Cells in a line.
    pub columns: usize,
    /// Lines of the list or of a request.
    pub rows: usize,
}

/// The header and the line below it stay visible if there is room.
const TOP: u16 = 2;
const MAX_FULL_SCREEN_ROWS: u16 = 20;
/// The frame and a space, on both sides.
const FRAME_COLUMNS: u16 = 4;
/// The frame, the column headings, a line for messages, and one for the keys.
const FRAME_ROWS: u16 = 5;

impl RequestsPage {
    /// Computes the page: the whole screen except the header and the footer.
    #[must_use]
    pub fn of(panes: &Panes) -> Self {
        let top = if panes.rows > MAX_FULL_SCREEN_ROWS { TOP } else { 0 };
        let height = panes.rows.saturating_sub(top + 1);
        let area = Area { x: 0, y: top, width: panes.columns, height };
        let columns = usize::from(panes.columns.saturating_sub(FRAME_COLUMNS)).max(1);
        Self { area, columns, rows: usize::from(height.saturating_sub(FRAME_ROWS)) }
    }
}

impl RequestsPane {
    /// Returns the requests that match the filter, newest first.
    #[must_use]
    pub fn listed<'a>(&self, requests: &'a Requests) -> Vec<&'a LoggedRequest> {
        requests.newest_first().filter(|logged| logged.matches(self.filter.text())).collect()
    }

    /// Returns the position of the selected request; if it is not listed, that of the next older one.
    #[must_use]
    pub fn position(&self, listed: &[&LoggedRequest]) -> usize {
        let Some(selected) = self.selected else { return 0 };
        let at = listed.iter().position(|logged| logged.number <= selected);
        at.unwrap_or(listed.len().saturating_sub(1))
    }

    /// Selects a request by its number. Returns whether it was selected before; `None` if it is not listed any more.
    pub(in crate::app) fn choose(&mut self, requests: &Requests, number: u64) -> Option<bool> {
        let listed = self.listed(requests);
        let at = listed.iter().position(|logged| logged.number == number)?;
        let was_chosen = self.position(&listed) == at;
        self.selected = Some(number);
        Some(was_chosen)
    }

    fn step(&mut self, requests: &Requests, by: isize) {
        let listed = self.listed(requests);
        let mut list = List { chosen: self.position(&listed) };
        list.go(by, listed.len());
        // At the top, the selection follows the newest request.
        self.selected = listed.get(list.chosen).filter(|_| list.chosen > 0).map(|logged| logged.number);
    }
}

/// Scrolls the open request by a number of lines.
pub(in crate::app) fn scroll(state: &mut State, by: isize) {
    let Some(Layer::Requests(mut pane)) = state.screen.layers.pop() else { return };
    scroll_pane(state, &mut pane, by);
    state.screen.layers.push(Layer::Requests(pane));
}

fn scroll_pane(state: &State, pane: &mut RequestsPane, by: isize) {
    if let Some(open) = &mut pane.open {
        let panes = &state.screen.panes;
        let lines = request_lines::request_lines(&open.exchange, panes, &state.clock.zone).len();
        // In screen-reader mode a single line has the focus.
        let shown = if panes.accessible { 1 } else { RequestsPage::of(panes).rows };
        open.line = open.line.saturating_add_signed(by).min(lines.saturating_sub(shown));
    }
}

pub(in crate::app) fn press(state: &mut State, pane: &mut RequestsPane, key: Key) -> KeyResult {
    if pane.typing {
        return press_filter(state, pane, key);
    }
    let key = key.to_string();
    if let Some(by) = ListKeys::Letters.distance(&key) {
        if pane.open.is_some() {
            scroll_pane(state, pane, by);
        } else {
            pane.step(&state.side.requests, by);
        }
        return KeyResult::Stay;
    }
    if pane.open.is_some() { press_open(state, pane, &key) } else { press_list(state, pane, &key) }
}

fn press_filter(state: &State, pane: &mut RequestsPane, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => {
            pane.typing = false;
            pane.filter.set("");
        }
        "enter" => pane.typing = false,
        text => match ListKeys::BesideText.distance(text) {
            Some(by) => pane.step(&state.side.requests, by),
            None if pane.filter.press(key) => pane.selected = None,
            None => {}
        },
    }
    KeyResult::Stay
}

fn press_list(state: &mut State, pane: &mut RequestsPane, key: &str) -> KeyResult {
    let listed = pane.listed(&state.side.requests);
    let selected = listed.get(pane.position(&listed)).map(|logged| (logged.number, Arc::clone(&logged.exchange)));
    match (key, selected) {
        ("esc", _) if !pane.filter.text().is_empty() => pane.filter.set(""),
        ("esc" | "q" | "L" | "ctrl-c", _) => return KeyResult::Close,
        ("/", _) => pane.typing = true,
        ("enter" | "l" | "right", Some((number, exchange))) => {
            // Closing it returns to this request, whatever arrives in between.
            pane.selected = Some(number);
            pane.open = Some(OpenRequest { exchange, line: 0 });
        }
        ("y", Some((_, exchange))) => return KeyResult::StayAndDo(copy(state, &exchange)),
        ("enter" | "y", None) => state.warn(words::NO_REQUEST_SELECTED),
        _ => {}
    }
    KeyResult::Stay
}

fn press_open(state: &mut State, pane: &mut RequestsPane, key: &str) -> KeyResult {
    match (key, &pane.open) {
        ("L" | "ctrl-c", _) => return KeyResult::Close,
        ("esc" | "q" | "enter" | "h" | "left", _) => pane.open = None,
        ("y", Some(open)) => return KeyResult::StayAndDo(copy(state, &Arc::clone(&open.exchange))),
        _ => {}
    }
    KeyResult::Stay
}

fn copy(state: &mut State, exchange: &Exchange) -> Vec<Effect> {
    if let Some(command) = exchange.curl() {
        return copying::copy(state, command, words::REQUEST_AS_CURL);
    }
    state.warn(words::BODY_TOO_LARGE);
    Vec::new()
}
