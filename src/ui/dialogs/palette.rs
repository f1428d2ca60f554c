//! The command palette: all actions, or those for a row. A filter line, then the matches with their keys or the reason why they
//! can't act now.

use crate::ui::Canvas;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{ListItem, ListWindow, Offer, Palette, State, availability_at_a_glance};

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::fitted;

/// Actions shown at once.
const MAX_ROWS: usize = 10;
/// Lines besides the list and the keys: the filter and a blank.
const EXTRA_LINES: usize = 2;

pub(in crate::ui) fn draw(state: &State, palette: &Palette, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let found = palette.matches(&state.side.commands.commands);
    let keys = dialog::keys_wrapped(Palette::KEYS, dialog::usual_room(state));
    // The actions of a row are all shown at once, if there is room.
    let max_rows = if palette.is_for_row() { found.len().max(1) } else { MAX_ROWS };
    let rows = max_rows.min(dialog::usual_lines(state).saturating_sub(EXTRA_LINES + keys.len())).max(1);
    let is_accessible = theme.symbols.are_words();
    let width = dialog::usual_room(state);
    let height = |at: usize| if is_accessible { sentence(state, &found[at], look).height(width, theme) } else { 1 };
    let window = list::window(state, (palette.list, found.len()), rows, height);
    let list = ListWindow { first: window.start, shown: window.len(), len: found.len() };
    let chosen = palette.list.chosen.checked_sub(window.start);
    let shown: Vec<_> = found[window]
        .iter()
        .map(|offer| {
            let key = look.keymap.keys(offer.action).next().unwrap_or_default();
            (*offer, availability_at_a_glance(state, offer.action).err(), key)
        })
        .collect();
    let needed_width = shown.iter().map(|(offer, reason, key)| {
        let reason = reason.as_ref().map_or(0, |reason| reason.width() + 2);
        offer.help.width() + reason + key.width() + 4
    });
    let size = (rows + EXTRA_LINES + keys.len(), needed_width.max().unwrap_or(0));
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, &palette.title(state), size, look, frame);
    if let Some(area) = dialog::line(inner, 0) {
        let indent = 2.min(area.width);
        frame.buffer_mut().set_stringn(area.x, area.y, ":", usize::from(area.width), theme.accent);
        let field = Rect { x: area.x + indent, width: area.width - indent, ..area };
        dialog::text_field(&palette.text, field, true, theme, frame);
    }
    let lines = shown.into_iter().map(|(offer, reason, key)| {
        if is_accessible {
            return sentence(state, &offer, look);
        }
        let room = usize::from(inner.width).saturating_sub(4 + key.width());
        let style = if reason.is_some() { theme.quiet } else { Style::new() };
        let help = fitted(offer.help, room).into_owned();
        let left = room.saturating_sub(help.width() + 2);
        let mut spans = vec![Span::raw(" "), Span::styled(help, style)];
        if let Some(reason) = reason.filter(|_| left > 4) {
            spans.push(Span::styled(format!("  {}", fitted(&reason, left)), theme.warning));
        }
        ListRow {
            right: Some(Line::styled(key, theme.accent)),
            item: Some(ListItem::Offer(offer.action, offer.name)),
            ..ListRow::from(Line::from(spans))
        }
    });
    list::draw(lines, chosen, list, (inner, 1), theme, frame);
    list::draw_scrollbar((inner, 1), (list.first, list.shown, list.len), theme, frame);
    if found.is_empty()
        && let Some(area) = dialog::line(inner, 1)
    {
        frame.render_widget(Line::styled("No matching command", theme.quiet), area);
    }
    dialog::draw_rows(&keys, (inner, rows + EXTRA_LINES), theme, frame);
    outer
}

/// The action, its key, and why it can't act now.
fn sentence(state: &State, offer: &Offer, look: Look<'_>) -> ListRow<'static> {
    let key = look.keymap.keys(offer.action).next().map(|key| format!(": {key}")).unwrap_or_default();
    let reason = availability_at_a_glance(state, offer.action).err();
    let style = if reason.is_some() { look.theme.quiet } else { Style::new() };
    let reason = reason.map(|reason| format!(". {reason}")).unwrap_or_default();
    ListRow {
        item: Some(ListItem::Offer(offer.action, offer.name)),
        ..ListRow::from(Line::styled(format!(" {}{key}{reason}", offer.help), style))
    }
}
