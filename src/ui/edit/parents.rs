//! The choice of a parent: a line to type in, and the places that match, with the reason where one is not possible.

use crate::numbers::{Noun, counted};
use crate::ui::Canvas;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{Candidate, ListItem, ListWindow, ParentPicker, State, grouped};

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::{fitted, fitted_end};
use crate::ui::theme::Theme;

/// Places shown at once.
const PLACES: usize = 8;
/// Lines beside the places and the keys: what is typed, how many more there are, and a blank.
const BESIDE: usize = 3;

pub(in crate::ui) fn draw(state: &State, picker: &ParentPicker, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let title = match picker.moving.as_slice() {
        [] => "Parent of the new segment".into(),
        [only] => format!("Move {} to", only.name),
        several => format!("Move {} to", counted(several.len(), Noun::Segment)),
    };
    let theme = look.theme;
    let keys = dialog::keys_wrapped(&picker.keys(), dialog::usual_room(state));
    let places = PLACES.min(dialog::usual_lines(state).saturating_sub(BESIDE + keys.len())).max(1);
    let window = state.screen.window(picker.list, picker.candidates.len(), places);
    let list = ListWindow { first: window.start, shown: window.len(), len: picker.candidates.len() };
    let chosen = picker.list.chosen.checked_sub(window.start);
    let shown = &picker.candidates[window];
    let wanted = shown.iter().map(wanted).max().unwrap_or(0);
    let dialog::Opened { outer, inner } =
        dialog::open(state, &title, (places + BESIDE + keys.len(), wanted), look, frame);
    if let Some(area) = dialog::line(inner, 0) {
        let label = "Filter  ";
        frame.buffer_mut().set_stringn(area.x, area.y, label, usize::from(area.width), theme.quiet);
        let indent = u16::try_from(label.len()).unwrap_or(0).min(area.width);
        let field = Rect { x: area.x + indent, width: area.width - indent, ..area };
        dialog::text_field(&picker.filter, field, true, theme, frame);
    }
    let rows = shown.iter().map(|candidate| ListRow {
        item: Some(ListItem::Parent(candidate.parent.clone())),
        ..ListRow::from(place(candidate, theme, usize::from(inner.width)))
    });
    list::draw(rows, chosen, list, (inner, 1), theme, frame);
    if let Some(area) = dialog::line(inner, places + 1) {
        let text = if picker.candidates.is_empty() {
            "No matches".into()
        } else if picker.more > 0 {
            format!("{} more, keep typing", grouped(picker.more))
        } else {
            String::new()
        };
        frame.render_widget(Line::styled(text, theme.quiet), area);
    }
    dialog::draw_rows(&keys, (inner, places + BESIDE), theme, frame);
    outer
}

/// The cells with which neither the name nor what stands behind it is cut.
fn wanted(candidate: &Candidate) -> usize {
    let rest = candidate.refusal.map_or_else(|| candidate.path.width(), UnicodeWidthStr::width);
    indent(candidate) + candidate.name.width() + rest + 4
}

/// Cells before a name in the whole tree; what is very deep is indented no further.
fn indent(candidate: &Candidate) -> usize {
    2 * candidate.depth.min(12) as usize
}

fn place(candidate: &Candidate, theme: &Theme, width: usize) -> Line<'static> {
    let indent = indent(candidate);
    let room = width.saturating_sub(2 + indent);
    let name = fitted(&candidate.name, room).into_owned();
    let left = room.saturating_sub(name.width() + 2);
    let (rest, style) = match candidate.refusal {
        Some(reason) => (fitted(reason, left).into_owned(), theme.warning),
        None => (fitted_end(&candidate.path, left).into_owned(), theme.quiet),
    };
    let name_style = if candidate.refusal.is_some() { theme.quiet } else { ratatui::style::Style::new() };
    Line::from(vec![
        Span::raw(" ".repeat(1 + indent)),
        Span::styled(name, name_style),
        Span::raw("  "),
        Span::styled(rest, style),
    ])
}
