//! [`Theme`]: styles by meaning, with their names in the configuration. Colour is never the only carrier of a meaning: there are
//! always [`Symbols`] or words too. [`Depth`] is which colours a terminal can show.

mod builtin;
mod depth;
mod symbols;

#[cfg(test)]
mod contrast;

use ratatui::style::{Modifier, Style};

pub use builtin::Name;
pub use depth::Depth;
pub use ratatui::style::Color;
pub use symbols::{Lines, Symbols};

/// The styles and symbols of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Prominent text: titles, the program's name.
    pub strong: Style,
    /// Secondary text: labels, IDs, hints.
    pub quiet: Style,
    /// The accent: keys, active fields, the focused pane.
    pub accent: Style,
    /// The header's line.
    pub header: Style,
    /// The selected row.
    pub selected: Style,
    /// The selected row while another pane has the focus.
    pub selected_elsewhere: Style,
    /// Lines between panes.
    pub line: Style,
    /// Bars of charts and scrollbars.
    pub bar: Style,
    /// Matched characters.
    pub matched: Style,
    /// Recent changes.
    pub fresh: Style,
    /// Pending changes.
    pub pending: Style,
    /// Success.
    pub good: Style,
    /// Warnings.
    pub warning: Style,
    /// Failures.
    pub bad: Style,
    /// The terminal background that the theme is made for.
    pub terminal_background: TerminalBackground,
    /// How words in the header are coloured.
    pub header_text: HeaderTextColour,
    /// Whether a profile sets the colour of the header and the lines.
    pub framed: bool,
    /// The symbols.
    pub symbols: Symbols,
}

/// A background that a theme assumes but does not set: the terminal's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalBackground {
    /// Black or nearly so.
    Dark,
    /// White or nearly so.
    Light,
}

/// How words in the header are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderTextColour {
    /// Each by its meaning.
    ByMeaning,
    /// All in the header's own colour, since others might not be readable on it.
    LikeHeader,
}

/// The names of the styles and their uses.
pub const STYLES: [(&str, &str); 14] = [
    ("strong", "titles"),
    ("quiet", "labels, IDs, hints"),
    ("accent", "keys, input fields, the focused pane"),
    ("header", "the header"),
    ("selected", "the selected row"),
    ("selected_elsewhere", "the selected row while another pane has the focus"),
    ("line", "lines between panes"),
    ("bar", "bars of quantities and of scrolling"),
    ("matched", "matches of a search"),
    ("fresh", "recent changes"),
    ("pending", "pending changes"),
    ("good", "success"),
    ("warning", "warnings"),
    ("bad", "errors"),
];

/// Changes to one style. The theme's value applies where it is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StyleChange {
    /// The text colour; `Reset` is the terminal's own.
    pub fg: Option<Color>,
    /// The background colour.
    pub bg: Option<Color>,
    /// Whether it is bold.
    pub bold: Option<bool>,
    /// Whether it is italic.
    pub italic: Option<bool>,
    /// Whether it is underlined.
    pub underlined: Option<bool>,
    /// Whether its colours are swapped.
    pub reversed: Option<bool>,
}

impl StyleChange {
    fn on(self, style: Style) -> Style {
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.italic, Modifier::ITALIC),
            (self.underlined, Modifier::UNDERLINED),
            (self.reversed, Modifier::REVERSED),
        ];
        let coloured = Style { fg: self.fg.or(style.fg), bg: self.bg.or(style.bg), ..style };
        modifiers.into_iter().fold(coloured, |style, (wanted, modifier)| match wanted {
            Some(true) => style.add_modifier(modifier),
            Some(false) => style.remove_modifier(modifier),
            None => style,
        })
    }
}

impl Theme {
    /// Returns the style with a name from [`STYLES`].
    pub fn style_mut(&mut self, name: &str) -> Option<&mut Style> {
        Some(match name {
            "strong" => &mut self.strong,
            "quiet" => &mut self.quiet,
            "accent" => &mut self.accent,
            "header" => &mut self.header,
            "selected" => &mut self.selected,
            "selected_elsewhere" => &mut self.selected_elsewhere,
            "line" => &mut self.line,
            "bar" => &mut self.bar,
            "matched" => &mut self.matched,
            "fresh" => &mut self.fresh,
            "pending" => &mut self.pending,
            "good" => &mut self.good,
            "warning" => &mut self.warning,
            "bad" => &mut self.bad,
            _ => return None,
        })
    }

    /// Applies changes to styles, each given by its name in [`STYLES`].
    #[must_use]
    pub fn with<'a>(mut self, changes: impl IntoIterator<Item = (&'a str, StyleChange)>) -> Self {
        for (name, change) in changes {
            if name == "header" {
                self.header_text = HeaderTextColour::LikeHeader;
            }
            if let Some(style) = self.style_mut(name) {
                *style = change.on(*style);
            }
        }
        self
    }

    /// Shows the header and the lines between panes in one colour, which identifies a profile.
    #[must_use]
    pub fn framed_in(self, colour: Color) -> Self {
        let plain = Style::new();
        let header = plain.bg(colour).fg(depth::text_colour_on(colour));
        Self { header, line: plain.fg(colour), header_text: HeaderTextColour::LikeHeader, framed: true, ..self }
    }

    /// Returns the style of a dialog's border: in the profile's colour if it has one, so that a dialog does not hide which profile
    /// this is.
    #[must_use]
    pub const fn dialog_line(&self) -> Style {
        if self.framed { self.line } else { self.accent }
    }

    /// Replaces the colours that a terminal of this depth can't show.
    #[must_use]
    pub fn within(mut self, depth: Depth) -> Self {
        let terminal_background = self.terminal_background;
        for (name, _) in STYLES {
            if let Some(style) = self.style_mut(name) {
                *style = depth.of(*style, terminal_background);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_readable_on_every_colour() {
        let ink = |colour| Theme::new(Name::Dark, Symbols::UNICODE).framed_in(colour).header.fg;
        for dark in [Color::Red, Color::Blue, Color::Black, Color::Rgb(0x80, 0, 0x40), Color::Rgb(0, 0, 0xff)] {
            assert_eq!(ink(dark), Some(Color::White), "{dark}");
        }
        for bright in [Color::Yellow, Color::White, Color::LightCyan, Color::Rgb(0xff, 0x80, 0)] {
            assert_eq!(ink(bright), Some(Color::Black), "{bright}");
        }
    }

    #[test]
    fn every_style_is_found_by_its_name() {
        let mut theme = Theme::new(Name::Dark, Symbols::UNICODE);
        assert!(STYLES.iter().all(|(name, _)| theme.style_mut(name).is_some()));
        assert_eq!(theme.style_mut("glitter"), None);
    }

    #[test]
    fn a_style_change_keeps_everything_else() {
        let theme = Theme::new(Name::Dark, Symbols::UNICODE);
        let change = StyleChange { fg: Some(Color::Black), bold: Some(false), ..StyleChange::default() };
        let changed = theme.clone().with([("matched", change)]);
        assert_eq!(changed.matched.fg, Some(Color::Black));
        assert!(changed.matched.add_modifier.contains(Modifier::UNDERLINED));
        assert!(!changed.matched.add_modifier.contains(Modifier::BOLD));
        assert_eq!(Theme { matched: theme.matched, ..changed }, theme);
    }
}
