//! How the page of all keys lies on the screen, so that scrolling ends where its last line is seen.

use crate::action::Action;
use crate::app::dialogs::key_result::KeyResult;
use crate::keymap::{Key, Keymap};

use crate::app::{DialogKey, Layer, State};

use crate::app::layout::Area;

/// The page of all keys on a screen of some size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelpPage {
    /// Where it is, its frame included.
    pub area: Area,
    /// Columns of lines side by side.
    pub columns: u16,
    /// Lines in each column.
    pub rows: u16,
    /// The first line shown when it is scrolled to its end; read aloud, the last line.
    pub end: usize,
}

/// Cells for a line: its keys and what they do.
const COLUMN: u16 = 56;
const MOST_COLUMNS: u16 = 3;
/// The frame, and a blank beside it.
const FRAME_COLUMNS: u16 = 4;
/// The frame, a blank line, and the line that tells how to leave.
const FRAME_ROWS: u16 = 4;
/// The header and its line stay in sight where there is room.
const TOP: u16 = 3;

impl HelpPage {
    /// The page for all keys on the screen as it is, those of the dialog beneath included.
    #[must_use]
    pub fn of(state: &State, keymap: &Keymap) -> Self {
        let panes = &state.screen.panes;
        let in_dialog = keys_beneath(state, keymap).len();
        // A title over each group, and a blank line between them. The keys of a dialog are followed by a line that parts them
        // from those of the main screen.
        let groups = keymap.groups().count() + if in_dialog > 0 { 2 } else { 0 };
        // Read aloud, there are no blank lines, and each line has the keys in its turn.
        let blank = if panes.accessible { 0 } else { groups - 1 };
        let lines = keymap.help().len() + in_dialog + groups + blank;
        let most = if panes.accessible { 1 } else { MOST_COLUMNS };
        let columns = (panes.columns.saturating_sub(FRAME_COLUMNS) / COLUMN).clamp(1, most);
        let wanted = u16::try_from(lines.div_ceil(usize::from(columns))).unwrap_or(u16::MAX);
        let height = wanted.saturating_add(FRAME_ROWS).min(panes.rows.saturating_sub(u16::from(panes.accessible)));
        let width =
            if panes.accessible { panes.columns } else { (columns * COLUMN + FRAME_COLUMNS).min(panes.columns) };
        let rows = height.saturating_sub(FRAME_ROWS);
        let area = Area { x: (panes.columns - width) / 2, y: ((panes.rows - height) / 2).min(TOP), width, height };
        let shown = if panes.accessible { 1 } else { usize::from(rows) * usize::from(columns) };
        let end = lines.saturating_sub(shown);
        Self { area, columns, rows, end }
    }
}

/// The keys of the dialog over which the page is open; none over the main screen.
#[must_use]
pub fn keys_beneath(state: &State, keymap: &Keymap) -> Vec<DialogKey> {
    let beneath = state.screen.layers.iter().rfind(|layer| !matches!(layer, Layer::Help(_)));
    beneath.map_or_else(Vec::new, |layer| layer.keys(state, keymap))
}

const PAGE: usize = 10;

/// `line` is the first one that is shown; read aloud, the one that has the keys.
pub(in crate::app) fn press(state: &State, keymap: &Keymap, line: &mut usize, key: Key) -> KeyResult {
    let end = HelpPage::of(state, keymap).end;
    if keymap.asks(key, Action::Help) || keymap.asks(key, Action::Dismiss) {
        return KeyResult::Close;
    }
    let to = match key.to_string().as_str() {
        "esc" | "q" | "enter" | "ctrl-c" => return KeyResult::Close,
        "j" | "down" => line.saturating_add(1),
        "k" | "up" => line.saturating_sub(1),
        "pagedown" | "ctrl-d" | "space" => line.saturating_add(PAGE),
        "pageup" | "ctrl-u" => line.saturating_sub(PAGE),
        "g" | "home" => 0,
        "G" | "end" => end,
        _ => *line,
    };
    *line = to.min(end);
    KeyResult::Stay
}
