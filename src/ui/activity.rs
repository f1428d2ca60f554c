//! The activity pane: what happened, newest first, each with its time and outcome.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{ActivityEntry, EntryKind, FieldChange, State};
use crate::segment::Field;

use super::Look;
use super::text::{fitted, rect};
use super::theme::Theme;

pub(super) fn draw(state: &State, look: Look<'_>, frame: &mut Frame<'_>) {
    let Some(area) = state.layout().activity.map(rect) else { return };
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let width = usize::from(inner.width);
    let entries = state.activity.entries().flat_map(|entry| lines(entry, &state.clock.zone, look.theme, width));
    let mut drawn = false;
    for (line, y) in entries.skip(state.panes.activity_scroll).zip(inner.y..inner.y + inner.height) {
        frame.render_widget(line, Rect { y, height: 1, ..inner });
        drawn = true;
    }
    if !drawn && !inner.is_empty() {
        let text = "Nothing has changed since this program started.";
        frame.render_widget(
            Line::styled(fitted(text, width).into_owned(), look.theme.quiet),
            Rect { height: 1, ..inner },
        );
    }
}

fn lines(entry: &ActivityEntry, zone: &TimeZone, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let symbols = &theme.symbols;
    let (symbol, verb, style): (&str, &str, Style) = match entry.kind {
        EntryKind::Created => ("+", "created  ", theme.good),
        EntryKind::Changed => (symbols.fresh, "changed  ", theme.fresh),
        EntryKind::Deleted => ("-", "deleted  ", theme.bad),
        EntryKind::Done => (symbols.done, "you      ", theme.good),
        EntryKind::Failed => (symbols.failed, "you      ", theme.bad),
        EntryKind::Notice => (symbols.wrong, "", theme.warning),
    };
    let time = entry.at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string();
    let lead = time.len() + 3 + verb.len();
    let text = fitted(&entry.text, width.saturating_sub(lead)).into_owned();
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{time} "), theme.quiet),
        Span::styled(format!("{symbol} "), style),
        Span::styled(verb, theme.quiet),
        Span::raw(text),
    ])];
    let indent = time.len() + 3;
    for change in &entry.fields {
        let text = field(change, width.saturating_sub(indent));
        lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(text, theme.quiet)]));
    }
    lines
}

/// What changed, in so many cells. The new name stands in the line above already; of other values both get their share.
fn field(change: &FieldChange, width: usize) -> String {
    const ARROW: &str = " → ";
    let FieldChange { field, before, now } = change;
    if *field == Field::Name {
        return fitted(&format!("was {before}"), width).into_owned();
    }
    let label = format!("{field}  ");
    let room = width.saturating_sub(label.width() + ARROW.width());
    let before_room =
        if before.width() + now.width() <= room { room } else { room.saturating_sub(now.width()).max(room / 2) };
    let before = fitted(before, before_room);
    let now = fitted(now, room.saturating_sub(before.width()));
    fitted(&format!("{label}{before}{ARROW}{now}"), width).into_owned()
}
