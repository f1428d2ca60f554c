//! The form with which all that is marked is changed.

use crate::numbers::{Noun, counted};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::app::{BulkEdit, State, TextField};
use crate::segment::Field;

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::fitted;

const LABELS: u16 = 13;

pub(in crate::ui) fn draw(state: &State, edit: &BulkEdit, look: Look<'_>, frame: &mut Frame<'_>) -> Rect {
    let theme = look.theme;
    let title = format!("Edit {}", counted(edit.subjects.len(), Noun::Segment));
    let example = edit.example().map_or(0, |(name, external_id)| name.width() + external_id.width() + 24);
    let dialog::Opened { outer, inner } = dialog::open(state, &title, (6, example), look, frame);
    let fields: [(&str, Field, &TextField); 2] =
        [("Name", Field::Name, &edit.name), ("External ID", Field::ExternalId, &edit.external_id)];
    for (at, (label, field, text)) in fields.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, at) else { return outer };
        let focused = edit.focus == field;
        let style = if focused { theme.accent } else { theme.quiet };
        frame.buffer_mut().set_stringn(area.x, area.y, label, usize::from(LABELS.min(area.width)), style);
        let indent = LABELS.min(area.width);
        let value = Rect { x: area.x + indent, width: area.width - indent, ..area };
        dialog::text_field(text, value, focused, theme, frame);
    }
    let example = match (&edit.fault, edit.example()) {
        (Some(fault), _) => Line::styled(format!("{} {fault}", theme.symbols.wrong), theme.bad),
        (None, Some((name, external_id))) => {
            let text = format!("Preview: {name} ({external_id})");
            Line::styled(fitted(&text, usize::from(inner.width)).into_owned(), theme.quiet)
        }
        (None, None) => Line::styled("Name is required", theme.warning),
    };
    let lines = [
        example,
        Line::styled("{name}, {ext}: current value · {n}: counter · -: clears the external ID", theme.quiet),
        Line::default(),
        dialog::keys(BulkEdit::KEYS, theme),
    ];
    for (at, line) in lines.into_iter().enumerate() {
        if let Some(area) = dialog::line(inner, 2 + at) {
            frame.render_widget(line, area);
        }
    }
    outer
}
