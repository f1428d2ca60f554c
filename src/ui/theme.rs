//! Styles by what they mean, and the symbols that go with them. Colour never alone carries a meaning.

use ratatui::style::{Color, Modifier, Style};

/// Styles and symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// What is read first: titles, the program's name.
    pub strong: Style,
    /// What stands in the second row: labels, ids, hints.
    pub quiet: Style,
    /// The one accent: keys, open fields, the pane with the keys.
    pub accent: Style,
    /// The header's line.
    pub header: Style,
    /// The selected row.
    pub selected: Style,
    /// The selected row while another pane has the keys.
    pub selected_elsewhere: Style,
    /// Lines between panes.
    pub line: Style,
    /// Bars of quantities and of scrolling.
    pub bar: Style,
    /// Matched characters.
    pub matched: Style,
    /// What changed a moment ago.
    pub fresh: Style,
    /// What waits for the server.
    pub pending: Style,
    /// All is well.
    pub good: Style,
    /// Something to look at.
    pub warning: Style,
    /// Something failed.
    pub bad: Style,
    /// The symbols.
    pub symbols: Symbols,
}

impl Theme {
    /// The terminal's own colours with few of the sixteen beside them.
    #[must_use]
    pub const fn colourful(symbols: Symbols) -> Self {
        let plain = Style::new();
        Self {
            strong: plain.add_modifier(Modifier::BOLD),
            quiet: plain.fg(Color::DarkGray),
            accent: plain.fg(Color::Cyan),
            header: plain.bg(Color::Indexed(236)),
            selected: plain.bg(Color::Indexed(238)).add_modifier(Modifier::BOLD),
            selected_elsewhere: plain.bg(Color::Indexed(236)),
            line: plain.fg(Color::Indexed(240)),
            bar: plain.fg(Color::Indexed(240)),
            matched: plain.fg(Color::Yellow).add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
            fresh: plain.fg(Color::Green),
            pending: plain.fg(Color::Yellow),
            good: plain.fg(Color::Green),
            warning: plain.fg(Color::Yellow),
            bad: plain.fg(Color::LightRed),
            symbols,
        }
    }

    /// With the header and the lines between panes in one colour, by which a profile is known at a glance.
    #[must_use]
    pub fn framed_in(self, colour: Color) -> Self {
        let plain = Style::new();
        Self { header: plain.bg(colour).fg(ink_on(colour)), line: plain.fg(colour), ..self }
    }

    /// No colour at all, for `NO_COLOR`: weight, underline and reversal only.
    #[must_use]
    pub const fn colourless(symbols: Symbols) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            strong: bold,
            quiet: plain,
            accent: bold,
            header: plain.add_modifier(Modifier::REVERSED),
            selected: plain.add_modifier(Modifier::REVERSED),
            selected_elsewhere: plain.add_modifier(Modifier::UNDERLINED),
            line: plain,
            bar: plain,
            matched: bold.add_modifier(Modifier::UNDERLINED),
            fresh: bold,
            pending: plain.add_modifier(Modifier::ITALIC),
            good: plain,
            warning: bold,
            bad: bold,
            symbols,
        }
    }
}

/// What can be read on a colour. How the sixteen look is up to the terminal; this goes by how nearly all show them.
fn ink_on(colour: Color) -> Color {
    let is_dark = match colour {
        Color::Black | Color::Red | Color::Blue | Color::Magenta | Color::DarkGray => true,
        Color::Rgb(red, green, blue) => brightness(red, green, blue) < MIDDLE_BRIGHTNESS,
        _ => false,
    };
    if is_dark { Color::White } else { Color::Black }
}

/// From 0 to 255,000, weighed as the eye does (<https://www.w3.org/TR/AERT/#color-contrast>).
fn brightness(red: u8, green: u8, blue: u8) -> u32 {
    u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114
}

const MIDDLE_BRIGHTNESS: u32 = 128_000;

/// The signs beside the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Before an unfolded row.
    pub open: &'static str,
    /// Before a folded row.
    pub closed: &'static str,
    /// At the left edge of the selected row.
    pub bar: &'static str,
    /// Changed a moment ago; live.
    pub fresh: &'static str,
    /// Waits for the server.
    pub pending: &'static str,
    /// Is being edited here.
    pub edited: &'static str,
    /// Is marked.
    pub marked: &'static str,
    /// Is cut.
    pub cut: &'static str,
    /// Something is wrong.
    pub wrong: &'static str,
    /// Done.
    pub done: &'static str,
    /// Failed.
    pub failed: &'static str,
    /// Loading.
    pub working: &'static str,
    /// Offline.
    pub offline: &'static str,
    /// The part of the scroll bar that moves.
    pub thumb: &'static str,
    /// A full cell of a bar.
    pub block: &'static str,
    /// Lines: across, down, and where they meet (from above, from below, from the right, from the left).
    pub lines: Lines,
}

/// The signs of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Across.
    pub across: &'static str,
    /// Down.
    pub down: &'static str,
    /// Across, with one going down.
    pub down_from: &'static str,
    /// Across, with one coming from above.
    pub up_from: &'static str,
    /// Down, with one going right.
    pub right_from: &'static str,
}

impl Symbols {
    /// For fonts with the usual symbols.
    pub const UNICODE: Self = Self {
        open: "▾ ",
        closed: "▸ ",
        bar: "▌",
        fresh: "●",
        pending: "◌",
        edited: "✎",
        marked: "◆",
        cut: "✂",
        wrong: "⚠",
        done: "✓",
        failed: "✗",
        working: "◐",
        offline: "○",
        thumb: "▐",
        block: "█",
        lines: Lines { across: "─", down: "│", down_from: "┬", up_from: "┴", right_from: "├" },
    };

    /// For fonts without.
    pub const ASCII: Self = Self {
        open: "v ",
        closed: "> ",
        bar: "|",
        fresh: "*",
        pending: "o",
        edited: "e",
        marked: "#",
        cut: "x",
        wrong: "!",
        done: "+",
        failed: "!",
        working: "~",
        offline: "-",
        thumb: "#",
        block: "=",
        lines: Lines { across: "-", down: "|", down_from: "+", up_from: "+", right_from: "+" },
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_can_be_read_on_every_colour() {
        let ink = |colour| Theme::colourful(Symbols::UNICODE).framed_in(colour).header.fg;
        for dark in [Color::Red, Color::Blue, Color::Black, Color::Rgb(0x80, 0, 0x40), Color::Rgb(0, 0, 0xff)] {
            assert_eq!(ink(dark), Some(Color::White), "{dark}");
        }
        for bright in [Color::Yellow, Color::White, Color::LightCyan, Color::Rgb(0xff, 0x80, 0)] {
            assert_eq!(ink(bright), Some(Color::Black), "{bright}");
        }
    }
}
