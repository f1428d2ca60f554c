//! The dialog for an edited outline that has faults.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::{OutlineEdit, State, grouped};
use crate::numbers::{Agreeing, Noun, counted};

use crate::ui::Look;
use crate::ui::dialog::{self, Row};

/// Faults that are shown; the text has all of them when it is opened again.
const MAX_FAULTS: usize = 5;
/// Lines besides the faults and the keys: how many more there are, a blank, and that nothing was changed.
const EXTRA_LINES: usize = 3;

pub(in crate::ui) fn draw(
    state: &State,
    edit: &OutlineEdit,
    look: Look<'_>,
    frame: &mut Canvas<'_, '_>,
) -> Option<Rect> {
    let theme = look.theme;
    let faults = edit.faults();
    if faults.is_empty() {
        // The outline is open in the editor, which has the terminal.
        return None;
    }
    let (have, errors) = (Agreeing::Have.with(faults.len()), Agreeing::Errors.with(faults.len()));
    let title = format!("{} {have} {errors}", counted(faults.len(), Noun::Line));
    let width = dialog::usual_room(state).max(1);
    // The keys are in the last lines and must fit on a small screen too.
    let keys = dialog::keys_wrapped(OutlineEdit::KEYS, width);
    let room = dialog::usual_lines(state).saturating_sub(EXTRA_LINES + keys.len());
    let shown_lines = faults.iter().take(MAX_FAULTS).flat_map(|fault| textwrap::wrap(fault, width)).take(room.max(1));
    let mut lines: Vec<Row<'_>> = shown_lines.map(|fault| Line::raw(fault).into()).collect();
    if faults.len() > MAX_FAULTS {
        lines.push(Line::styled(format!("and {} more", grouped(faults.len() - MAX_FAULTS)), theme.quiet).into());
    }
    lines.extend([Line::default(), Line::raw("No changes.")].map(Row::Text));
    lines.extend(keys);
    let needed_width = dialog::widest_row(&lines, theme);
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, &title, (lines.len(), needed_width), look, frame);
    dialog::draw_rows(&lines, (inner, 0), theme, frame);
    Some(outer)
}
