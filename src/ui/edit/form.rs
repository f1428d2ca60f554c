//! The form that creates or edits a segment.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{FieldName, Form, FormKind, State};
use crate::segment::Field;

use crate::ui::Look;
use crate::ui::dialog::{self, named_field};
use crate::ui::spoken::aloud;
use crate::ui::text::{draw_right, fitted, fitted_end};

const LABEL_COLUMNS: u16 = 13;
const PARENT_HINT: &str = "type to search";

pub(in crate::ui) fn draw(state: &State, form: &Form, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let title = match &form.kind {
        FormKind::Create => match &form.parent {
            Some(id) => match state.tree.forest.get(id) {
                Some(parent) => format!("New segment in {}", parent.name),
                None => format!("New segment in {id}"),
            },
            None => "New top-level segment".into(),
        },
        FormKind::Edit { base } => format!("Edit {}", base.name),
    };
    let needed_width = needed_width(state, form);
    // The width must be known for wrapping before the dialog is placed.
    let room = dialog::room(state, needed_width);
    let remarks = remarks(state, form, look, room.saturating_sub(2));
    let keys = dialog::keys_wrapped(&form.keys(), room);
    let faults = form.faults.len();
    let lines = Field::ALL.len() + faults + 1 + remarks.len() + usize::from(!remarks.is_empty()) + keys.len();
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, &title, (lines, needed_width), look, frame);
    let mut at = 0;
    for field in Field::ALL {
        if let Some(area) = dialog::line(inner, at) {
            draw_field(state, form, field, area, look, frame);
        }
        at += 1;
        if let Some(fault) = form.faults.get(&field) {
            if let Some(area) = dialog::line(inner, at) {
                draw_fault(fault, area, look, frame);
            }
            at += 1;
        }
    }
    at += 1;
    for remark in &remarks {
        if let Some(area) = dialog::line(inner, at) {
            frame.render_widget(remark, area);
        }
        at += 1;
    }
    at += usize::from(!remarks.is_empty());
    dialog::draw_rows(&keys, (inner, at), look.theme, frame);
    outer
}

/// The cells needed to cut no value, including one for the cursor.
fn needed_width(state: &State, form: &Form) -> usize {
    let parent = form.parent_text(&state.tree.forest).width() + PARENT_HINT.len() + 2;
    let values = [form.name.text().width() + 1, form.external_id.text().width() + 1, parent];
    let faults = form.faults.values().map(|fault| fault.width() + 2);
    usize::from(LABEL_COLUMNS) + values.into_iter().chain(faults).max().unwrap_or(0)
}

fn label(field: Field) -> &'static str {
    match field {
        Field::Name => "Name",
        Field::ExternalId => "External ID",
        Field::Parent => "Parent",
    }
}

fn draw_field(state: &State, form: &Form, field: Field, area: Rect, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let theme = look.theme;
    let focused = form.focus == field && matches!(state.screen.layers.last(), Some(crate::app::Layer::Form(_)));
    let style = if focused { theme.accent } else { theme.quiet };
    let value = dialog::label(label(field), LABEL_COLUMNS, area, (style, theme), frame);
    let name = FieldName::Segment(field);
    dialog::label_target(name, area, frame);
    if focused {
        frame.set_chosen_line(format!("{}: {}", label(field), value_aloud(state, form, field, look)));
    }
    match field {
        Field::Name => named_field(&form.name, name, value, focused, theme, frame),
        Field::ExternalId => named_field(&form.external_id, name, value, focused, theme, frame),
        Field::Parent => {
            // In screen-reader mode the last line gives the hint.
            let hint = if focused && !theme.symbols.are_words() { PARENT_HINT } else { "" };
            let room = usize::from(value.width).saturating_sub(if focused { PARENT_HINT.len() + 2 } else { 0 });
            let text = form.parent_text(&state.tree.forest);
            let text = aloud(&text, theme);
            let style = if focused { theme.accent } else { Style::new() };
            if focused {
                frame.point_at_line(value.x, value.y);
            }
            frame.buffer_mut().set_stringn(value.x, value.y, fitted_end(&text, room), room, style);
            draw_right(Line::styled(hint, theme.quiet), value, frame);
        }
    }
}

fn value_aloud(state: &State, form: &Form, field: Field, look: Look<'_>) -> String {
    let value = match field {
        Field::Name => form.name.text().to_owned(),
        Field::ExternalId => form.external_id.text().to_owned(),
        Field::Parent => {
            return format!("{}, {PARENT_HINT}", aloud(&form.parent_text(&state.tree.forest), look.theme));
        }
    };
    if value.is_empty() { "blank".into() } else { value }
}

fn draw_fault(fault: &str, area: Rect, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let indent = LABEL_COLUMNS.min(area.width);
    let area = Rect { x: area.x + indent, width: area.width - indent, ..area };
    let text = format!("{} {fault}", look.theme.symbols.wrong);
    let line = Line::styled(fitted(&text, usize::from(area.width)).into_owned(), look.theme.bad);
    frame.render_widget(line, area);
}

/// Why the server refused, and warnings about the input.
fn remarks(state: &State, form: &Form, look: Look<'_>, width: usize) -> Vec<Line<'static>> {
    let symbols = &look.theme.symbols;
    let refusal = form.refusal.as_ref().map(|text| (symbols.failed, text.clone(), look.theme.bad));
    let warning = form.warning(&state.tree.forest).map(|text| (symbols.wrong, text, look.theme.warning));
    let remarks = refusal.into_iter().chain(warning);
    let mut lines = Vec::new();
    for (symbol, text, style) in remarks {
        let room = width.saturating_sub(symbol.width() + 1).max(8);
        for (at, line) in textwrap::wrap(&text, room).into_iter().take(6).enumerate() {
            let lead = if at == 0 { symbol } else { " " };
            let line = fitted(&line, width).into_owned();
            lines.push(Line::from(vec![Span::styled(format!("{lead} "), style), Span::styled(line, style)]));
        }
    }
    lines
}
