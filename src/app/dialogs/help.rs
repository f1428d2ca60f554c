//! The layout and keys of the help page, so that scrolling ends at its last line.

use crate::action::Action;
use crate::app::dialogs::key_result::KeyResult;
use crate::keymap::{Key, Keymap};

use crate::app::{DialogKey, Layer, State};

use crate::app::layout::Area;

/// The layout of the help page for the current screen size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelpPage {
    /// The area of the page, including its frame.
    pub area: Area,
    /// Columns of lines side by side.
    pub columns: u16,
    /// Lines in each column.
    pub rows: u16,
    /// The first visible line when it is scrolled to the end; in screen-reader mode, the last line.
    pub end: usize,
}

/// Cells of a line: its keys and what they do.
const COLUMN_WIDTH: u16 = 56;
const MAX_COLUMNS: u16 = 3;
/// The frame and a space, on both sides.
const FRAME_COLUMNS: u16 = 4;
/// The frame, a blank line, and the line with the key that closes the page.
const FRAME_ROWS: u16 = 4;
/// The header and the line below it stay visible if there is room.
const TOP: u16 = 3;

impl HelpPage {
    /// Computes the page for all keys, including those of the dialog beneath it.
    #[must_use]
    pub fn of(state: &State, keymap: &Keymap) -> Self {
        let panes = &state.screen.panes;
        let in_dialog = keys_beneath(state, keymap).len();
        // Each group has a title, and a blank line before the next group. The keys of a dialog are followed by a line that
        // separates them from those of the main screen.
        let groups = keymap.groups().count() + if in_dialog > 0 { 2 } else { 0 };
        // In screen-reader mode there are no blank lines, and the focus moves line by line.
        let blank = if panes.accessible { 0 } else { groups - 1 };
        let lines = keymap.help().len() + in_dialog + groups + blank;
        let max_columns = if panes.accessible { 1 } else { MAX_COLUMNS };
        let columns = (panes.columns.saturating_sub(FRAME_COLUMNS) / COLUMN_WIDTH).clamp(1, max_columns);
        let needed_rows = u16::try_from(lines.div_ceil(usize::from(columns))).unwrap_or(u16::MAX);
        let height = needed_rows.saturating_add(FRAME_ROWS).min(panes.rows.saturating_sub(u16::from(panes.accessible)));
        let width =
            if panes.accessible { panes.columns } else { (columns * COLUMN_WIDTH + FRAME_COLUMNS).min(panes.columns) };
        let rows = height.saturating_sub(FRAME_ROWS);
        let area = Area { x: (panes.columns - width) / 2, y: ((panes.rows - height) / 2).min(TOP), width, height };
        let shown = if panes.accessible { 1 } else { usize::from(rows) * usize::from(columns) };
        let end = lines.saturating_sub(shown);
        Self { area, columns, rows, end }
    }
}

/// Returns the keys of the dialog beneath the page; none over the main screen.
#[must_use]
pub fn keys_beneath(state: &State, keymap: &Keymap) -> Vec<DialogKey> {
    let beneath = state.screen.layers.iter().rfind(|layer| !matches!(layer, Layer::Help(_)));
    beneath.map_or_else(Vec::new, |layer| layer.keys(state, keymap))
}

const PAGE_LINES: usize = 10;

/// Handles a key. `line` is the first visible line; in screen-reader mode, the focused line.
pub(in crate::app) fn press(state: &State, keymap: &Keymap, line: &mut usize, key: Key) -> KeyResult {
    let end = HelpPage::of(state, keymap).end;
    if keymap.triggers(key, Action::Help) || keymap.triggers(key, Action::Dismiss) {
        return KeyResult::Close;
    }
    let to = match key.to_string().as_str() {
        "esc" | "q" | "enter" | "ctrl-c" => return KeyResult::Close,
        "j" | "down" => line.saturating_add(1),
        "k" | "up" => line.saturating_sub(1),
        "pagedown" | "ctrl-d" | "space" => line.saturating_add(PAGE_LINES),
        "pageup" | "ctrl-u" => line.saturating_sub(PAGE_LINES),
        "g" | "home" => 0,
        "G" | "end" => end,
        _ => *line,
    };
    *line = to.min(end);
    KeyResult::Stay
}
