//! [`Theme`]: styles by what they mean, with the names that the configuration knows them by. Colour never alone carries a
//! meaning: [`Symbols`] and words stand beside it. What a terminal can show of a colour is in [`Depth`].

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
    /// What the theme takes the terminal's own background to be.
    pub ground: Ground,
    /// What the words in the header are coloured in.
    pub header_words: HeaderWords,
    /// Whether a profile has given the header and the lines a colour of its own.
    pub framed: bool,
    /// The symbols.
    pub symbols: Symbols,
}

/// A background that a theme is made for but does not set: the terminal's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Black, or nearly.
    Dark,
    /// White, or nearly.
    Light,
}

/// What the words in the header are coloured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderWords {
    /// Each as what it means.
    AsMeant,
    /// All in the header's own colour, on which nothing else could be relied upon to be readable.
    AsHeader,
}

/// The names of the styles, and what each is for.
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

/// What is to be different in one style. What is `None` stays as the theme has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StyleChange {
    /// The colour of the characters; `Reset` is the terminal's own.
    pub fg: Option<Color>,
    /// The colour behind them.
    pub bg: Option<Color>,
    /// Whether it is bold.
    pub bold: Option<bool>,
    /// Whether it is italic.
    pub italic: Option<bool>,
    /// Whether it is underlined.
    pub underlined: Option<bool>,
    /// Whether its colours change places.
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
    /// The style of a name in [`STYLES`].
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

    /// With changes to styles, each by its name in [`STYLES`].
    #[must_use]
    pub fn with<'a>(mut self, changes: impl IntoIterator<Item = (&'a str, StyleChange)>) -> Self {
        for (name, change) in changes {
            if name == "header" {
                self.header_words = HeaderWords::AsHeader;
            }
            if let Some(style) = self.style_mut(name) {
                *style = change.on(*style);
            }
        }
        self
    }

    /// With the header and the lines between panes in one colour, by which a profile is known at a glance.
    #[must_use]
    pub fn framed_in(self, colour: Color) -> Self {
        let plain = Style::new();
        let header = plain.bg(colour).fg(depth::ink_on(colour));
        Self { header, line: plain.fg(colour), header_words: HeaderWords::AsHeader, framed: true, ..self }
    }

    /// The line around a dialog: in the profile's colour where it has one, so that no dialog hides where one is.
    #[must_use]
    pub const fn dialog_line(&self) -> Style {
        if self.framed { self.line } else { self.accent }
    }

    /// With no colour that a terminal of this depth can't show.
    #[must_use]
    pub fn within(mut self, depth: Depth) -> Self {
        let ground = self.ground;
        for (name, _) in STYLES {
            if let Some(style) = self.style_mut(name) {
                *style = depth.of(*style, ground);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_can_be_read_on_every_colour() {
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
    fn a_change_leaves_alone_what_it_does_not_speak_of() {
        let theme = Theme::new(Name::Dark, Symbols::UNICODE);
        let change = StyleChange { fg: Some(Color::Black), bold: Some(false), ..StyleChange::default() };
        let changed = theme.clone().with([("matched", change)]);
        assert_eq!(changed.matched.fg, Some(Color::Black));
        assert!(changed.matched.add_modifier.contains(Modifier::UNDERLINED));
        assert!(!changed.matched.add_modifier.contains(Modifier::BOLD));
        assert_eq!(Theme { matched: theme.matched, ..changed }, theme);
    }
}
