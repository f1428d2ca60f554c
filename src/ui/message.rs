//! What is said in the last line for a while: what became of something, or why it can't be.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Clear;

use crate::app::{Layer, Message, State, Tone};

use super::text::fitted;
use super::theme::Theme;

/// What is said now, if anything. Where something is asked for in this line, only what went wrong goes before the question.
pub(super) fn shown(state: &State) -> Option<&Message> {
    let asks = matches!(state.screen.layers.last(), Some(Layer::Jump(_) | Layer::Letter(_) | Layer::Renaming(_)));
    state.screen.message.as_ref().filter(|message| !asks || message.tone == Tone::Warning)
}

/// It in the last line, cut to so many cells.
pub(super) fn line(message: &Message, width: usize, theme: &Theme) -> Line<'static> {
    let (symbol, style) = tone(message.tone, theme);
    Line::styled(format!(" {symbol} {}", fitted(&message.text, width.saturating_sub(3))), style)
}

/// Lines that a message may take.
const MESSAGE_LINES: usize = 4;

/// A message that needs more takes the whole last line, and then lines from what is above.
pub(super) fn draw_long(message: &Message, footer: Rect, theme: &Theme, frame: &mut Frame<'_>) {
    let room = usize::from(footer.width.saturating_sub(4)).max(1);
    let lines: Vec<_> = textwrap::wrap(&message.text, room).into_iter().take(MESSAGE_LINES).collect();
    let height = u16::try_from(lines.len()).unwrap_or(1).min(footer.y + 1);
    let area = Rect { y: footer.y + 1 - height, height, ..footer };
    frame.render_widget(Clear, area);
    let (symbol, style) = tone(message.tone, theme);
    for (at, (text, y)) in lines.iter().zip(area.y..area.y + area.height).enumerate() {
        let lead = if at == 0 { symbol } else { " " };
        let line = Line::styled(format!(" {lead} {}", fitted(text, room)), style);
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
}

const fn tone(tone: Tone, theme: &Theme) -> (&'static str, Style) {
    match tone {
        Tone::Calm => (theme.symbols.done, theme.good),
        Tone::Warning => (theme.symbols.wrong, theme.warning),
    }
}
