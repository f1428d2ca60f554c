//! All keys: those of the dialog beneath, from the table of dialog keys, and the others from the table of actions.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{HelpPage, State, keys_beneath};
use crate::keymap::Keymap;

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::{fitted, rect};
use crate::ui::theme::Theme;

/// Cells for the keys, in front of what they do, and those that many keys may take from that.
const KEYS: usize = 19;
const MOST_KEYS: usize = 20;
/// Cells for what they do, which the names of a person's own commands may exceed.
const HELP: usize = 36;

pub(in crate::ui) fn draw(state: &State, first: usize, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let page = HelpPage::of(state, look.keymap);
    let inner = dialog::framed(rect(page.area), "Keys", look, frame);
    let lines = lines(state, look.theme, look.keymap);
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
    if let Some(last) = usize::from(inner.height).checked_sub(1).and_then(|last| dialog::line(inner, last)) {
        dialog::draw_keys(&page.keys(), last, look.theme, frame);
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
    lines
}

fn line<'a>(theme: &Theme, keys: &str, help: &'a str) -> Line<'a> {
    let keys = fitted(keys, MOST_KEYS).into_owned();
    let padding = " ".repeat(KEYS.saturating_sub(keys.width()).max(2));
    let room = (KEYS + HELP).saturating_sub(keys.width() + padding.len());
    Line::from(vec![Span::styled(keys + &padding, theme.accent), Span::raw(fitted(help, room))])
}
