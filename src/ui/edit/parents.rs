//! The choice of a parent: a line to type in, and the places that match, with the reason where one is not possible.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{Candidate, ParentPicker, State, grouped};

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::{fitted, fitted_end};
use crate::ui::theme::Theme;

/// Places shown at once.
const PLACES: usize = 8;

pub(in crate::ui) fn draw(state: &State, picker: &ParentPicker, look: Look<'_>, frame: &mut Frame<'_>) {
    let title = match picker.moving.as_slice() {
        [] => "Parent of the new segment".into(),
        [only] => format!("New parent of {}", only.name),
        several => format!("New parent of {} segments", several.len()),
    };
    let theme = look.theme;
    let first = picker.chosen.saturating_sub(PLACES / 2).min(picker.candidates.len().saturating_sub(PLACES));
    let wanted = picker.candidates.iter().skip(first).take(PLACES).map(wanted).max().unwrap_or(0);
    let inner = dialog::open(state, &title, (PLACES + 4, wanted), look, frame);
    if let Some(area) = dialog::line(inner, 0) {
        let label = "Under  ";
        frame.buffer_mut().set_stringn(area.x, area.y, label, usize::from(area.width), theme.quiet);
        let indent = u16::try_from(label.len()).unwrap_or(0).min(area.width);
        let field = Rect { x: area.x + indent, width: area.width - indent, ..area };
        dialog::text_field(&picker.filter, field, true, theme, frame);
    }
    for (at, candidate) in picker.candidates.iter().enumerate().skip(first).take(PLACES) {
        let Some(area) = dialog::line(inner, 1 + at - first) else { break };
        let chosen = at == picker.chosen;
        frame.render_widget(place(candidate, chosen, theme, usize::from(area.width)), area);
        if chosen {
            frame.buffer_mut().set_style(area, theme.selected);
        }
    }
    if let Some(area) = dialog::line(inner, PLACES + 1) {
        let text = if picker.candidates.is_empty() {
            "nothing matches".into()
        } else if picker.more > 0 {
            format!("and {} more", grouped(picker.more))
        } else {
            String::new()
        };
        frame.render_widget(Line::styled(text, theme.quiet), area);
    }
    if let Some(area) = dialog::line(inner, PLACES + 3) {
        let hints = [("type", "to filter"), ("up down", "choose"), ("enter", "take it"), ("esc", "leave")];
        frame.render_widget(dialog::keys(&hints, theme), area);
    }
}

/// The cells with which neither the name nor what stands behind it is cut.
fn wanted(candidate: &Candidate) -> usize {
    let rest = candidate.refusal.map_or_else(|| candidate.path.width(), UnicodeWidthStr::width);
    candidate.name.width() + rest + 4
}

fn place(candidate: &Candidate, chosen: bool, theme: &Theme, width: usize) -> Line<'static> {
    let bar = if chosen { theme.symbols.bar } else { " " };
    let room = width.saturating_sub(2);
    let name = fitted(&candidate.name, room).into_owned();
    let left = room.saturating_sub(name.width() + 2);
    let (rest, style) = match candidate.refusal {
        Some(reason) => (fitted(reason, left).into_owned(), theme.warning),
        None => (fitted_end(&candidate.path, left).into_owned(), theme.quiet),
    };
    let name_style = if candidate.refusal.is_some() { theme.quiet } else { ratatui::style::Style::new() };
    Line::from(vec![
        Span::styled(format!("{bar} "), theme.accent),
        Span::styled(name, name_style),
        Span::raw("  "),
        Span::styled(rest, style),
    ])
}
