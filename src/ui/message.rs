//! Messages in the last line: the outcome of an action, or why it is not possible.

use std::ops::Range;

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_width::UnicodeWidthStr;

use crate::app::{Layer, Message, State, Target, Tone};
use crate::keymap::{Lookup, parse_sequence};

use super::Look;
use super::spoken::aloud;
use super::text::fitted;
use super::theme::{Symbols, Theme};

/// The current message, if any. While the last line has a prompt, only a warning replaces it.
pub(super) fn shown(state: &State) -> Option<&Message> {
    let has_prompt = matches!(state.screen.layers.last(), Some(Layer::Jump(_) | Layer::Letter(_) | Layer::Renaming(_)));
    state.screen.message.as_ref().filter(|message| !has_prompt || message.tone == Tone::Warning)
}

/// Whether the message fits whole into a line of `width` cells.
pub(super) fn fits(message: &Message, width: usize, theme: &Theme) -> bool {
    let (symbol, _) = tone(message.tone, theme);
    // A blank at either end and one after the symbol.
    aloud(&message.text, theme).width() + symbol.width() + 3 <= width
}

/// The message in one line, cut to `width` cells.
pub(super) fn line(message: &Message, width: usize, theme: &Theme) -> Line<'static> {
    let (symbol, style) = tone(message.tone, theme);
    let text = aloud(&message.text, theme);
    let room = width.saturating_sub(2 + symbol.width());
    highlight_keys(&format!(" {}", Symbols::prefixed(symbol, &fitted(&text, room))), style, theme)
}

/// The keys in a line of a message that are bound to an action of the main screen, with their columns.
pub(super) fn targets(state: &State, line: &Line<'_>, look: Look<'_>) -> Vec<(Range<u16>, Target)> {
    let mut targets = Vec::new();
    let mut column = 0_u16;
    for span in &line.spans {
        let end = column.saturating_add(u16::try_from(span.width()).unwrap_or(u16::MAX));
        let is_key = state.screen.layers.is_empty() && span.style == look.theme.accent;
        let keys = parse_sequence(&span.content).ok().filter(|_| is_key);
        if let Some(Lookup::Action(action)) = keys.map(|keys| look.keymap.lookup(&keys)) {
            targets.push((column..end, Target::Action(action)));
        }
        column = end;
    }
    targets
}

/// Longer than the name of any key or sequence of two keys.
const MAX_KEY_BYTES: usize = 16;

/// A sentence with its keys highlighted: the text between "press" and "to", and between a comma after that and "to".
fn highlight_keys(text: &str, style: Style, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let (mut rest, mut named) = (text, false);
    loop {
        let press = rest.find("ress ").map(|at| at + "ress ".len());
        let comma = rest.find(", ").map(|at| at + ", ".len()).filter(|_| named);
        let Some(from) = press.into_iter().chain(comma).min() else { break };
        let key = rest[from..].split(" to ").next().filter(|key| key.len() < rest.len() - from);
        let key = key.filter(|key| key.len() <= MAX_KEY_BYTES && key.split(' ').count() <= 2 && !key.is_empty());
        let length = key.map_or(0, str::len);
        spans.push(Span::styled(rest[..from].to_owned(), style));
        spans.extend(key.map(|key| Span::styled(key.to_owned(), theme.accent)));
        named = key.is_some();
        rest = &rest[from + length..];
    }
    spans.push(Span::styled(rest.to_owned(), style));
    Line::from(spans)
}

/// Maximum lines of a message.
const MAX_MESSAGE_LINES: usize = 4;

/// Draws a message that does not fit: it takes the whole last line and grows upwards.
pub(super) fn draw_long(state: &State, message: &Message, footer: Rect, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let theme = look.theme;
    let (symbol, style) = tone(message.tone, theme);
    let room = usize::from(footer.width).saturating_sub(3 + symbol.width()).max(1);
    let text = aloud(&message.text, theme);
    let lines: Vec<_> = textwrap::wrap(&text, room).into_iter().take(MAX_MESSAGE_LINES).collect();
    let height = u16::try_from(lines.len()).unwrap_or(1).min(footer.y + 1);
    let area = Rect { y: footer.y + 1 - height, height, ..footer };
    frame.render_widget(Clear, area);
    for (at, (text, y)) in lines.iter().zip(area.y..area.y + area.height).enumerate() {
        let lead = if at == 0 || symbol.is_empty() { symbol } else { " " };
        let line = highlight_keys(&format!(" {}", Symbols::prefixed(lead, &fitted(text, room))), style, theme);
        let place = Rect { y, height: 1, ..area };
        for (columns, target) in targets(state, &line, look) {
            let width = columns.end - columns.start;
            frame.add_target(Rect { x: place.x + columns.start, width, ..place }.intersection(place), target);
        }
        frame.render_widget(line, place);
    }
}

const fn tone(tone: Tone, theme: &Theme) -> (&'static str, Style) {
    match tone {
        Tone::Calm => (theme.symbols.done, theme.good),
        Tone::Warning => (theme.symbols.wrong, theme.warning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Name;

    #[test]
    fn only_the_keys_of_a_message_are_highlighted() {
        let theme = Theme::new(Name::Dark, Symbols::UNICODE);
        let keys = |text: &str| {
            let line = highlight_keys(text, theme.warning, &theme);
            assert_eq!(line.to_string(), text);
            let keys = line.spans.into_iter().filter(|span| span.style == theme.accent);
            keys.map(|span| span.content.into_owned()).collect::<Vec<_>>().join("|")
        };
        assert_eq!(keys("Nothing to paste. Press x to cut first"), "x");
        assert_eq!(keys("Cut Łódź, Poland. Press ctrl-x p to paste here as a child, esc to cancel"), "ctrl-x p|esc");
        assert_eq!(keys("It failed · press r to retry, d to discard"), "r|d");
        assert_eq!(keys("An impressive, long name to read"), "");
        assert_eq!(keys("Press"), "");
        assert_eq!(keys(""), "");
    }
}
