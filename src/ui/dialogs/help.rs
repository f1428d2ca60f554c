//! The help page: the keys of the dialog beneath, from the table of dialog keys, then those of the keymap.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{HelpPage, State, grouped, keys_beneath};
use crate::keymap::Keymap;
use crate::printable::printable;

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::{fitted, rect};
use crate::ui::theme::Theme;

/// Cells for the keys of a line, and the most that long ones can take.
const KEY_CELLS: usize = 19;
const MAX_KEY_CELLS: usize = 20;
/// Cells for the description; the names of custom commands can be longer.
const HELP_CELLS: usize = 36;

pub(in crate::ui) fn draw(state: &State, first: usize, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let page = HelpPage::of(state, look.keymap);
    let inner = dialog::framed(rect(page.area), "Keys", look, frame);
    let lines = lines(state, look.theme, look.keymap);
    if look.theme.symbols.are_words() {
        draw_aloud(&lines, first.min(page.end), inner, usize::from(page.rows), frame);
    } else {
        draw_columns(&lines, first, page, inner, frame);
    }
    if let Some(last) = usize::from(inner.height).checked_sub(1).and_then(|last| dialog::line(inner, last)) {
        dialog::draw_keys(&page.keys(), last, look.theme, frame);
    }
}

/// Draws the lines below each other; one of them is chosen.
fn draw_aloud(lines: &[Line<'_>], chosen: usize, inner: Rect, rows: usize, frame: &mut Canvas<'_, '_>) {
    let first = chosen.min(lines.len().saturating_sub(rows));
    for (at, line) in lines.iter().enumerate().skip(first).take(rows) {
        let Some(place) = dialog::line(inner, at - first) else { break };
        if at == chosen {
            frame.point_at_line(place.x, place.y);
            frame.set_chosen_line(format!("{} of {}: {line}", grouped(at + 1), grouped(lines.len())));
        }
        frame.render_widget(line, place);
    }
}

fn draw_columns(lines: &[Line<'_>], first: usize, page: HelpPage, inner: Rect, frame: &mut Canvas<'_, '_>) {
    let (rows, column_width) = (usize::from(page.rows), inner.width / page.columns);
    let shown = lines.iter().skip(first.min(page.end)).take(rows * usize::from(page.columns));
    let mut pointed = false;
    for (at, line) in shown.enumerate() {
        let (Ok(column), Ok(row)) = (u16::try_from(at / rows), u16::try_from(at % rows)) else { continue };
        let place = Rect { x: inner.x + column * column_width, y: inner.y + row, width: column_width, height: 1 };
        if !pointed && line.width() > 0 {
            pointed = true;
            frame.point_at_line(place.x, place.y);
        }
        frame.render_widget(line, place);
    }
}

fn lines<'a>(state: &State, theme: &Theme, keymap: &'a Keymap) -> Vec<Line<'a>> {
    let listed = keymap.help();
    let mut lines = Vec::new();
    let in_dialog = keys_beneath(state, keymap);
    if !in_dialog.is_empty() {
        lines.push(Line::styled("In this dialog", theme.strong));
        lines.extend(in_dialog.into_iter().map(|(keys, help)| line(theme, keys, help)));
        lines.extend([Line::default(), Line::styled("On the main screen:", theme.quiet)]);
    }
    for group in keymap.groups() {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(group.title(), theme.strong));
        for (_, keys, help) in listed.iter().filter(|(other, ..)| *other == group) {
            lines.push(line(theme, keys, help));
        }
    }
    if theme.symbols.are_words() {
        // A blank line means nothing to a screen reader.
        lines.retain(|line| line.width() > 0);
    }
    lines
}

fn line<'a>(theme: &Theme, keys: &str, help: &'a str) -> Line<'a> {
    if theme.symbols.are_words() {
        // Several keys are two blanks apart; the keys of a sequence are one blank apart.
        let keys = keys.replace(" … ", " to ").replace("  ", " or ");
        return Line::from(vec![Span::raw(printable(help)), Span::raw(": "), Span::styled(keys, theme.accent)]);
    }
    let keys = fitted(keys, MAX_KEY_CELLS).into_owned();
    let padding = " ".repeat(KEY_CELLS.saturating_sub(keys.width()).max(2));
    let room = (KEY_CELLS + HELP_CELLS).saturating_sub(keys.width() + padding.len());
    Line::from(vec![Span::styled(keys + &padding, theme.accent), Span::raw(fitted(help, room))])
}
