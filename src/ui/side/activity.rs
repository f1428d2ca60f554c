//! The activity pane: recent events, newest first, each with its time and outcome.

use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{ActivityLine, EntryKind, FieldChange, Pane, State, TIME_COLUMNS, VERB_COLUMNS, change_in_words};
use crate::segment::Field;

use crate::ui::scrollbar;
use crate::ui::spoken::aloud;
use crate::ui::text::{fitted, rect};
use crate::ui::theme::Theme;
use crate::ui::{Canvas, Look};

pub(in crate::ui) fn draw(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let Some(area) = state.layout().activity else { return };
    let shown = state.side.activity.shown(area);
    let (first, count, all) = state.side.activity.part(area);
    let area = rect(area);
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut drawn = false;
    let focused = state.screen.panes.focus == Pane::Activity;
    let has_keys = focused && state.screen.layers.is_empty();
    if has_keys {
        // A fallback if the selected entry is out of sight.
        frame.point_at_dialog(inner.x, inner.y);
    }
    let mut chosen = Vec::new();
    for (shown, y) in shown.zip(inner.y..inner.y + inner.height) {
        let line = styled(&shown.line, &state.clock.zone, look.theme, usize::from(inner.width));
        if has_keys && shown.is_chosen {
            chosen.push(line.to_string().trim().to_owned());
        }
        frame.render_widget(line, Rect { y, height: 1, ..inner });
        drawn = true;
        if focused && shown.is_chosen {
            frame.buffer_mut().set_style(Rect { y, height: 1, ..area }, look.theme.selected);
            if shown.is_first {
                frame.buffer_mut().set_stringn(area.x, y, look.theme.symbols.bar, 1, look.theme.accent);
                if has_keys {
                    frame.point_at_line(inner.x, y);
                }
            }
        }
    }
    if !chosen.is_empty() && look.theme.symbols.are_words() {
        frame.set_chosen_line(format!("Activity: {}", chosen.join(", ")));
    }
    scrollbar::draw_thumb((first, count, all), look.theme, frame, area);
    if !drawn && !inner.is_empty() {
        let text = fitted("No changes this session.", usize::from(inner.width)).into_owned();
        frame.render_widget(Line::styled(text, look.theme.quiet), Rect { height: 1, ..inner });
    }
}

fn styled(line: &ActivityLine<'_>, zone: &TimeZone, theme: &Theme, width: usize) -> Line<'static> {
    let indented = |text: String, style| {
        Line::from(vec![Span::raw(" ".repeat(usize::from(TIME_COLUMNS))), Span::styled(text, style)])
    };
    let room = width.saturating_sub(usize::from(TIME_COLUMNS));
    match line {
        ActivityLine::Entry(entry, text) => {
            let (symbol, verb, style) = sign(entry.kind, theme);
            let time = entry.at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string();
            if theme.symbols.are_words() {
                let verb = if verb.is_empty() { String::new() } else { format!(" {verb}") };
                let text = fitted(&format!("{time},{verb} {}", aloud(text, theme)), width).into_owned();
                return Line::styled(text, style);
            }
            let verb_columns = if verb.is_empty() { 0 } else { usize::from(VERB_COLUMNS) };
            Line::from(vec![
                Span::styled(format!("{time} "), theme.quiet),
                Span::styled(if symbol.is_empty() { String::new() } else { format!("{symbol} ") }, style),
                Span::styled(format!("{verb:<verb_columns$}"), theme.quiet),
                Span::raw(fitted(text, room.saturating_sub(verb_columns)).into_owned()),
            ])
        }
        ActivityLine::More(text) => indented(fitted(&aloud(text, theme), room).into_owned(), Style::new()),
        ActivityLine::By(contexts) => indented(fitted(&format!("by {contexts}"), room).into_owned(), theme.quiet),
        ActivityLine::Field(change) if theme.symbols.are_words() => {
            let FieldChange { field, before, .. } = change;
            // The line above already has the new name.
            let text = if *field == Field::Name { format!("name was {before}") } else { change_in_words(change) };
            indented(fitted(&text, room).into_owned(), theme.quiet)
        }
        ActivityLine::Field(change) => indented(field(change, room), theme.quiet),
    }
}

pub(in crate::ui) fn sign(kind: EntryKind, theme: &Theme) -> (&'static str, &'static str, Style) {
    let (symbol, verb, style) = sign_and_verb(kind, theme);
    if theme.symbols.are_words() {
        return match kind {
            EntryKind::Failed => ("", "failed", style),
            EntryKind::Notice => ("", "notice", style),
            _ => ("", verb, style),
        };
    }
    (symbol, verb, style)
}

const fn sign_and_verb(kind: EntryKind, theme: &Theme) -> (&'static str, &'static str, Style) {
    let symbols = &theme.symbols;
    match kind {
        EntryKind::Created => (symbols.created, "created", theme.good),
        EntryKind::Changed => (symbols.fresh, "changed", theme.fresh),
        EntryKind::Deleted => (symbols.deleted, "deleted", theme.bad),
        EntryKind::Missed => (symbols.wrong, "found", theme.warning),
        EntryKind::Done => (symbols.done, "you", theme.good),
        EntryKind::Failed => (symbols.failed, "you", theme.bad),
        EntryKind::Notice => (symbols.wrong, "", theme.warning),
        EntryKind::Recovered => (symbols.done, "", theme.good),
    }
}

/// A changed field, fitted to `width` cells. For a name only the old one is shown, as the line above has the new one; other values
/// share the room.
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
