//! The form that edits all marked segments.

use crate::numbers::{Noun, counted};
use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::app::{BulkEdit, FieldName, State, TextField};
use crate::segment::Field;

use crate::ui::Look;
use crate::ui::dialog::{self, Row};
use crate::ui::spoken::aloud;
use crate::ui::text::fitted;
use crate::ui::theme::Theme;

const LABEL_COLUMNS: u16 = 13;
/// Number of fields, one line each.
const FIELD_COUNT: usize = 2;

pub(in crate::ui) fn draw(state: &State, edit: &BulkEdit, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let title = format!("Edit {}", counted(edit.subjects.len(), Noun::Segment));
    let example = edit.example().map_or(0, |(name, external_id)| name.width() + external_id.width() + 24);
    let room = dialog::room(state, example);
    let below = below(edit, room, theme);
    let size = (FIELD_COUNT + below.len(), example);
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, &title, size, look, frame);
    let fields: [(&str, Field, &TextField); FIELD_COUNT] =
        [("Name", Field::Name, &edit.name), ("External ID", Field::ExternalId, &edit.external_id)];
    for (at, (label, field, text)) in fields.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, at) else { return outer };
        let focused = edit.focus == field;
        let style = if focused { theme.accent } else { theme.quiet };
        let value = dialog::label(label, LABEL_COLUMNS, area, (style, theme), frame);
        dialog::label_target(FieldName::Segment(field), area, frame);
        if focused {
            frame.set_chosen_line(format!("{label}: {}", text.text()));
        }
        dialog::named_field(text, FieldName::Segment(field), value, focused, theme, frame);
    }
    dialog::draw_rows(&below, (inner, FIELD_COUNT), theme, frame);
    outer
}

/// The lines below the fields: a preview or the fault, the placeholders, and the keys.
fn below(edit: &BulkEdit, room: usize, theme: &Theme) -> Vec<Row<'static>> {
    let mut lines = match (&edit.fault, edit.example()) {
        (Some(fault), _) => wrapped(&format!("{} {fault}", theme.symbols.wrong), room, theme.bad),
        (None, Some((name, external_id))) => {
            let text = format!("Preview: {name} ({external_id})");
            vec![Line::styled(fitted(&text, room).into_owned(), theme.quiet)]
        }
        (None, None) => vec![Line::styled("Name is required", theme.warning)],
    };
    lines.extend(wrapped(&aloud(PLACEHOLDERS, theme), room, theme.quiet));
    lines.push(Line::default());
    lines.into_iter().map(Row::Text).chain(dialog::keys_wrapped(BulkEdit::KEYS, room)).collect()
}

const PLACEHOLDERS: &str = "{name}, {ext}: current value · {n}: counter · -: no external ID";

fn wrapped(text: &str, room: usize, style: Style) -> Vec<Line<'static>> {
    textwrap::wrap(text, room.max(8)).into_iter().map(|line| Line::styled(line.into_owned(), style)).collect()
}
