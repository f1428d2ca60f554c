//! The output pane of a user command: scrolling, searching and keys.

use crate::app::dialogs::key_result::KeyResult;
use crate::keymap::Key;

use crate::app::dialogs::{user_commands, words};
use crate::app::layout::Area;
use crate::app::words::no_search;
use crate::app::{Layer, Panes, Run, State, TextField, copying};

/// The scroll position and search of the output pane.
#[derive(Debug, Clone, Default)]
pub struct OutputPane {
    /// The first visible line, unless the pane follows the end.
    line: usize,
    /// The first visible column.
    pub column: usize,
    /// Whether the pane follows the end as output arrives.
    follows_end: bool,
    /// The search text.
    pub search_text: TextField,
    /// Whether the search text is being typed.
    pub typing: bool,
}

/// The layout of the output pane for the current screen size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputPage {
    /// The area of the pane, including its frame.
    pub area: Area,
    /// Lines of output.
    pub rows: usize,
}

/// The header and the line below it stay visible if there is room.
const TOP: u16 = 2;
const MAX_FULL_SCREEN_ROWS: u16 = 20;
/// The frame, the status of the command, and a line for the keys.
const FRAME_ROWS: u16 = 4;
const PAGE: isize = 10;
const COLUMN_STEP: usize = 20;

impl OutputPage {
    /// Computes the page: the whole screen except the header and the footer.
    #[must_use]
    pub fn of(panes: &Panes) -> Self {
        let top = if panes.rows > MAX_FULL_SCREEN_ROWS { TOP } else { 0 };
        let height = panes.rows.saturating_sub(top + 1);
        let area = Area { x: 0, y: top, width: panes.columns, height };
        Self { area, rows: usize::from(height.saturating_sub(FRAME_ROWS)) }
    }
}

impl OutputPane {
    /// Returns the first visible line when `rows` of `lines` fit.
    #[must_use]
    pub fn first(&self, lines: usize, rows: usize) -> usize {
        let end = lines.saturating_sub(rows);
        if self.follows_end { end } else { self.line.min(end) }
    }

    fn scroll(&mut self, by: isize, lines: usize, rows: usize) {
        let end = lines.saturating_sub(rows);
        self.line = self.first(lines, rows).saturating_add_signed(by).min(end);
        self.follows_end = by == isize::MAX;
    }

    /// Scrolls to the next line that contains the search text, in a direction. Returns whether there is one.
    fn find_next(&mut self, run: &Run, rows: usize, direction: SeekDirection) -> bool {
        let search_text = self.search_text.text().to_lowercase();
        let lines = run.text.lines();
        let has = |at: &usize| lines[*at].to_lowercase().contains(&search_text);
        let first = self.first(lines.len(), rows);
        let from = if self.line < lines.len() && self.line > first { self.line } else { first };
        let found = match direction {
            SeekDirection::Here => (from..lines.len()).find(has).or_else(|| (0..from).find(has)),
            SeekDirection::Down => (from + 1..lines.len()).find(has).or_else(|| (0..lines.len()).find(has)),
            SeekDirection::Up => (0..from).rev().find(has).or_else(|| (from..lines.len()).rev().find(has)),
        };
        if let Some(found) = found {
            self.line = found;
            self.follows_end = false;
        }
        found.is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SeekDirection {
    Here,
    Down,
    Up,
}

/// Scrolls the output by a number of lines.
pub(in crate::app) fn scroll(state: &mut State, by: isize) {
    let rows = OutputPage::of(&state.screen.panes).rows;
    if let (Some(Layer::Output(pane)), Some(run)) = (state.screen.layers.last_mut(), &state.side.commands.run) {
        pane.scroll(by, run.text.lines().len(), rows);
    }
}

pub(in crate::app) fn press(state: &mut State, pane: &mut OutputPane, key: Key) -> KeyResult {
    let Some(run) = &state.side.commands.run else { return KeyResult::Close };
    let rows = OutputPage::of(&state.screen.panes).rows;
    if pane.typing {
        press_search(state, pane, key);
        return KeyResult::Stay;
    }
    let key = key.to_string();
    if let Some(by) = distance(&key, rows) {
        pane.scroll(by, run.text.lines().len(), rows);
        return KeyResult::Stay;
    }
    match key.as_str() {
        "esc" | "q" | "ctrl-c" => return stop_or_close(state),
        "l" | "right" => pane.column += COLUMN_STEP,
        "h" | "left" => pane.column = pane.column.saturating_sub(COLUMN_STEP),
        "/" => {
            pane.typing = true;
            pane.search_text.set("");
        }
        "n" | "N" => {
            let direction = if key == "n" { SeekDirection::Down } else { SeekDirection::Up };
            if pane.search_text.text().is_empty() {
                state.warn(no_search("/"));
            } else if !pane.find_next(run, rows, direction) {
                state.warn(words::no_line_contains(pane.search_text.text()));
            }
        }
        "y" if run.text.lines().is_empty() => state.warn(words::NO_OUTPUT_TO_COPY),
        "y" => {
            let text = run.text.lines().join("\n");
            return KeyResult::StayAndDo(copying::copy(state, text, words::OUTPUT));
        }
        _ => {}
    }
    KeyResult::Stay
}

/// Leaves the pane. A running command is stopped first, and its output stays readable; pressed again, the pane closes without
/// waiting for the end.
fn stop_or_close(state: &mut State) -> KeyResult {
    match state.side.commands.running().map(|run| run.stopping) {
        Some(false) => KeyResult::StayAndDo(user_commands::stop(&mut state.side)),
        Some(true) => KeyResult::Close,
        None => {
            state.side.commands.run = None;
            KeyResult::Close
        }
    }
}

fn press_search(state: &mut State, pane: &mut OutputPane, key: Key) {
    let rows = OutputPage::of(&state.screen.panes).rows;
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => {
            pane.typing = false;
            pane.search_text.set("");
        }
        "enter" => {
            pane.typing = false;
            let found =
                state.side.commands.run.as_ref().is_some_and(|run| pane.find_next(run, rows, SeekDirection::Here));
            if !found && !pane.search_text.text().is_empty() {
                state.warn(words::no_line_contains(pane.search_text.text()));
            }
        }
        _ => {
            pane.search_text.press(key);
        }
    }
}

fn distance(key: &str, rows: usize) -> Option<isize> {
    let page = isize::try_from(rows.saturating_sub(1)).unwrap_or(PAGE).max(1);
    Some(match key {
        "j" | "down" => 1,
        "k" | "up" => -1,
        "pagedown" | "space" => page,
        "pageup" => -page,
        "ctrl-d" => (page / 2).max(1),
        "ctrl-u" => -(page / 2).max(1),
        "g" | "home" => isize::MIN,
        "G" | "end" => isize::MAX,
        _ => return None,
    })
}
