//! The choice of a parent: a filter line, then the matching places, with the reason if a place can't be chosen.

use crate::numbers::{Noun, counted};
use crate::ui::Canvas;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{Candidate, ListItem, ListWindow, ParentPicker, State, grouped};

use crate::printable::printable;
use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::spoken::aloud;
use crate::ui::text::{fitted, fitted_end};
use crate::ui::theme::Theme;

/// Places shown at once.
const MAX_ROWS: usize = 8;
/// Cells before the filter text.
const FILTER_COLUMNS: u16 = 8;
/// Lines besides the places and the keys: the filter, how many more there are, and a blank.
const EXTRA_LINES: usize = 3;

pub(in crate::ui) fn draw(state: &State, picker: &ParentPicker, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let title = match picker.moving.as_slice() {
        [] => "Parent of the new segment".into(),
        [only] => format!("Move {} to", only.name),
        several => format!("Move {} to", counted(several.len(), Noun::Segment)),
    };
    let theme = look.theme;
    let keys = dialog::keys_wrapped(&picker.keys(), dialog::usual_room(state));
    let places = MAX_ROWS.min(dialog::usual_lines(state).saturating_sub(EXTRA_LINES + keys.len())).max(1);
    let width = dialog::room(state, 0);
    let height = |at: usize| row(&picker.candidates[at], theme, width).height(width, theme);
    let window = list::window(state, (picker.list, picker.candidates.len()), places, height);
    let list = ListWindow { first: window.start, shown: window.len(), len: picker.candidates.len() };
    let chosen = picker.list.chosen.checked_sub(window.start);
    let shown = &picker.candidates[window];
    let needed_width = shown.iter().map(needed_width).max().unwrap_or(0);
    let dialog::OpenedDialog { outer, inner } =
        dialog::open(state, &title, (places + EXTRA_LINES + keys.len(), needed_width), look, frame);
    if let Some(area) = dialog::line(inner, 0) {
        let field = dialog::label("Filter", FILTER_COLUMNS, area, (theme.quiet, theme), frame);
        dialog::text_field(&picker.filter, field, true, theme, frame);
    }
    let rows = shown.iter().map(|candidate| row(candidate, theme, usize::from(inner.width)));
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
    dialog::draw_rows(&keys, (inner, places + EXTRA_LINES), theme, frame);
    outer
}

/// The cells needed to cut neither the name nor the text behind it.
fn needed_width(candidate: &Candidate) -> usize {
    let rest = candidate.refusal.map_or_else(|| candidate.path.width(), UnicodeWidthStr::width);
    indent(candidate) + candidate.name.width() + rest + 4
}

/// Cells before a name when the whole tree is listed; the indentation is capped for deep levels.
fn indent(candidate: &Candidate) -> usize {
    2 * candidate.depth.min(12) as usize
}

fn row(candidate: &Candidate, theme: &Theme, width: usize) -> ListRow<'static> {
    ListRow { item: Some(ListItem::Parent(candidate.parent.clone())), ..place(candidate, theme, width).into() }
}

fn place(candidate: &Candidate, theme: &Theme, width: usize) -> Line<'static> {
    if theme.symbols.are_words() {
        let rest = match candidate.refusal {
            Some(reason) => format!(", {reason}"),
            None if !candidate.path.is_empty() => format!(", in {}", aloud(&candidate.path, theme)),
            // When the whole tree is listed.
            None if candidate.parent.is_some() => format!(", level {}", candidate.depth + 1),
            None => String::new(),
        };
        let style = if candidate.refusal.is_some() { theme.quiet } else { ratatui::style::Style::new() };
        return Line::styled(printable(&format!(" {}{rest}", candidate.name)).into_owned(), style);
    }
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
