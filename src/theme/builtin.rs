//! The built-in themes. They set a background only for rows and the header, so that they suit terminals with an image or tint
//! behind the text; each states which background it assumes.

use ratatui::style::{Color, Modifier, Style};

use super::{HeaderTextColour, Symbols, TerminalBackground, Theme};

/// The name of a built-in theme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Name {
    /// Mostly the terminal's own colours, for a dark background.
    #[default]
    Dark,
    /// The same for a light background.
    Light,
    /// Maximum contrast with the background.
    HighContrast,
    /// Blue and orange, bright and dim; never red against green.
    ColourBlind,
    /// No colour.
    Mono,
}

impl Name {
    /// Every built-in theme.
    pub const ALL: [Self; 5] = [Self::Dark, Self::Light, Self::HighContrast, Self::ColourBlind, Self::Mono];

    /// Returns the name as written in the configuration.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::Mono => "mono",
        }
    }

    /// Parses a name as written in the configuration.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.text() == text)
    }
}

const PLAIN: Style = Style::new();
const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
const MATCHED: Style = BOLD.add_modifier(Modifier::UNDERLINED);

const fn rgb(number: u32) -> Color {
    let [_, red, green, blue] = number.to_be_bytes();
    Color::Rgb(red, green, blue)
}

impl Theme {
    /// Returns a built-in theme.
    #[must_use]
    pub const fn new(name: Name, symbols: Symbols) -> Self {
        match name {
            Name::Dark => Self::dark(&symbols),
            Name::Light => Self::light(&symbols),
            Name::HighContrast => Self::high_contrast(&symbols),
            Name::ColourBlind => Self::colour_blind(&symbols),
            Name::Mono => Self::colourless(symbols),
        }
    }

    const fn dark(symbols: &Symbols) -> Self {
        Self {
            strong: BOLD,
            // Not colour 8, which equals the background in some palettes.
            quiet: PLAIN.fg(Color::Indexed(247)),
            accent: PLAIN.fg(Color::Cyan),
            // These set a text colour too: the black text of a light terminal would be unreadable on them.
            header: PLAIN.bg(Color::Indexed(235)).fg(Color::Indexed(252)),
            selected: BOLD.bg(Color::Indexed(238)).fg(Color::Indexed(255)),
            selected_elsewhere: PLAIN.bg(Color::Indexed(236)).fg(Color::Indexed(252)),
            line: PLAIN.fg(Color::Indexed(240)),
            bar: PLAIN.fg(Color::Indexed(240)),
            matched: MATCHED.fg(Color::Yellow),
            fresh: PLAIN.fg(Color::Green),
            pending: PLAIN.fg(Color::Yellow),
            good: PLAIN.fg(Color::Green),
            warning: PLAIN.fg(Color::Yellow),
            bad: PLAIN.fg(Color::Indexed(203)),
            terminal_background: TerminalBackground::Dark,
            header_text: HeaderTextColour::ByMeaning,
            framed: false,
            symbols: *symbols,
        }
    }

    const fn light(symbols: &Symbols) -> Self {
        Self {
            strong: BOLD,
            quiet: PLAIN.fg(rgb(0x5f_5f5f)),
            accent: PLAIN.fg(rgb(0x00_5f87)),
            header: PLAIN.bg(rgb(0xda_dada)).fg(Color::Black),
            selected: BOLD.bg(rgb(0xcd_e3f5)).fg(Color::Black),
            selected_elsewhere: PLAIN.bg(rgb(0xe4_e4e4)).fg(Color::Black),
            line: PLAIN.fg(rgb(0xa8_a8a8)),
            bar: PLAIN.fg(rgb(0x80_8080)),
            matched: MATCHED.fg(rgb(0x5f_00af)),
            fresh: PLAIN.fg(rgb(0x00_6400)),
            pending: PLAIN.fg(rgb(0x80_5500)),
            good: PLAIN.fg(rgb(0x00_6400)),
            warning: PLAIN.fg(rgb(0x80_5500)),
            bad: PLAIN.fg(rgb(0xaf_0000)),
            terminal_background: TerminalBackground::Light,
            header_text: HeaderTextColour::LikeHeader,
            framed: false,
            symbols: *symbols,
        }
    }

    const fn high_contrast(symbols: &Symbols) -> Self {
        let white = rgb(0xff_ffff);
        let black = rgb(0x00_0000);
        Self {
            strong: BOLD.fg(white),
            // Dimmer than names.
            quiet: PLAIN.fg(rgb(0xb8_b8b8)),
            accent: BOLD.fg(rgb(0x00_ffff)),
            header: BOLD.bg(white).fg(black),
            selected: BOLD.bg(rgb(0xff_ff00)).fg(black),
            selected_elsewhere: PLAIN.bg(rgb(0xd0_d0d0)).fg(black),
            line: PLAIN.fg(white),
            bar: PLAIN.fg(white),
            matched: MATCHED.fg(rgb(0xff_ff00)),
            fresh: BOLD.fg(rgb(0x00_ff00)),
            pending: PLAIN.fg(rgb(0xff_ff00)),
            good: PLAIN.fg(rgb(0x00_ff00)),
            warning: BOLD.fg(rgb(0xff_ff00)),
            bad: BOLD.fg(rgb(0xff_a0a0)),
            terminal_background: TerminalBackground::Dark,
            header_text: HeaderTextColour::LikeHeader,
            framed: false,
            symbols: *symbols,
        }
    }

    /// Blue and orange from Okabe and Ito (<https://jfly.uni-koeln.de/color/>), distinguishable with every kind of colour vision.
    const fn colour_blind(symbols: &Symbols) -> Self {
        let blue = rgb(0x56_b4e9);
        let orange = rgb(0xe6_9f00);
        Self {
            strong: BOLD,
            quiet: PLAIN.fg(rgb(0x9e_9e9e)),
            accent: PLAIN.fg(rgb(0xa6_d5ff)),
            header: PLAIN.bg(rgb(0x20_2c3a)).fg(rgb(0xff_ffff)),
            selected: BOLD.bg(rgb(0x00_4a7f)).fg(rgb(0xff_ffff)),
            selected_elsewhere: PLAIN.bg(rgb(0x30_3030)).fg(rgb(0xd0_d0d0)),
            line: PLAIN.fg(rgb(0x58_5858)),
            bar: PLAIN.fg(rgb(0x58_5858)),
            matched: MATCHED.fg(rgb(0xf0_e442)),
            fresh: BOLD.fg(blue),
            pending: PLAIN.fg(rgb(0xf0_e442)),
            good: PLAIN.fg(blue),
            warning: PLAIN.fg(rgb(0xf0_e442)),
            bad: BOLD.fg(orange),
            terminal_background: TerminalBackground::Dark,
            header_text: HeaderTextColour::LikeHeader,
            framed: false,
            symbols: *symbols,
        }
    }

    /// No colours, for `NO_COLOR`: only bold, italic, underline and reverse.
    #[must_use]
    pub const fn colourless(symbols: Symbols) -> Self {
        Self {
            strong: BOLD,
            quiet: PLAIN,
            accent: BOLD,
            header: PLAIN.add_modifier(Modifier::REVERSED),
            selected: PLAIN.add_modifier(Modifier::REVERSED),
            selected_elsewhere: PLAIN.add_modifier(Modifier::UNDERLINED),
            line: PLAIN,
            bar: PLAIN,
            matched: MATCHED,
            fresh: BOLD,
            pending: PLAIN.add_modifier(Modifier::ITALIC),
            good: PLAIN,
            warning: BOLD,
            bad: BOLD,
            terminal_background: TerminalBackground::Dark,
            header_text: HeaderTextColour::ByMeaning,
            framed: false,
            symbols,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_found_by_its_name() {
        assert!(Name::ALL.iter().all(|name| Name::parse(name.text()) == Some(*name)));
        assert_eq!(Name::parse("neon"), None);
    }

    #[test]
    fn mono_has_no_colour() {
        let mut mono = Theme::new(Name::Mono, Symbols::UNICODE);
        for (name, _) in super::super::STYLES {
            let style = mono.style_mut(name).unwrap();
            assert_eq!((style.fg, style.bg), (None, None), "{name}");
        }
    }

    #[test]
    fn the_colour_blind_theme_uses_blue_and_orange() {
        let theme = Theme::new(Name::ColourBlind, Symbols::UNICODE);
        let (Some(Color::Rgb(red, _, blue)), Some(Color::Rgb(other_red, _, other_blue))) =
            (theme.good.fg, theme.bad.fg)
        else {
            unreachable!("both are RGB")
        };
        assert!(blue > red + 100 && other_red > other_blue + 100);
    }
}
