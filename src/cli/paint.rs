//! Colours in the output for reading.

use std::io::{self, IsTerminal};
use std::ops::Range;

use crate::config::Environment;
use crate::printable::printable;

use super::arguments::Color;

/// Whether texts are coloured. Painting also makes each text safe for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Coloured,
}

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const ALARM: &str = "\x1b[1;97;41m";
const YELLOW: &str = "\x1b[33m";
const MATCH: &str = "\x1b[1;4m";
const RESET: &str = "\x1b[0m";

impl Paint {
    /// Returns the setting for stdout. Without a flag, colours are used only on a terminal that supports them, and if `NO_COLOR`
    /// is not set.
    pub fn of_stdout(color: Color, environment: Environment<'_>) -> Self {
        let wanted = || environment("NO_COLOR").is_none() && environment("TERM").is_none_or(|term| term != "dumb");
        match color {
            Color::Always => Self::Coloured,
            Color::Auto if io::stdout().is_terminal() && wanted() => Self::Coloured,
            Color::Auto | Color::Never => Self::Plain,
        }
    }

    pub fn bold(self, text: &str) -> String {
        self.within(BOLD, text)
    }

    pub fn dim(self, text: &str) -> String {
        self.within(DIM, text)
    }

    /// Paints a text that must not be overlooked, with or without colours.
    pub fn alarm(self, text: &str) -> String {
        self.within(ALARM, &format!("*** {text} ***"))
    }

    pub fn error(self, text: &str) -> String {
        self.within(RED, text)
    }

    pub fn added(self, text: &str) -> String {
        self.within(GREEN, text)
    }

    pub fn removed(self, text: &str) -> String {
        self.within(RED, text)
    }

    pub fn warning(self, text: &str) -> String {
        self.within(YELLOW, text)
    }

    /// Paints a text with its matches highlighted.
    pub fn highlight(self, text: &str, ranges: &[Range<usize>]) -> String {
        let mut painted = String::with_capacity(text.len());
        let mut from = 0;
        for range in ranges {
            painted.push_str(&printable(&text[from..range.start]));
            painted.push_str(&self.within(MATCH, &text[range.clone()]));
            from = range.end;
        }
        painted.push_str(&printable(&text[from..]));
        painted
    }

    fn within(self, code: &str, text: &str) -> String {
        let text = printable(text);
        match self {
            Self::Plain => text.into_owned(),
            Self::Coloured => format!("{code}{text}{RESET}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_highlighted_and_control_characters_replaced() {
        let text = "a\u{1b}bcd";
        let found = |paint: Paint| paint.highlight(text, std::slice::from_ref(&(2..4)));
        assert_eq!(found(Paint::Coloured), "a�\x1b[1;4mbc\x1b[0md");
        assert_eq!(found(Paint::Plain), "a�bcd");
        assert_eq!(Paint::Coloured.dim("\u{1b}[2J"), "\x1b[2m�[2J\x1b[0m");
    }

    #[test]
    fn the_color_flag_decides_about_colours() {
        let environment: Environment<'_> = &|_| None;
        assert_eq!(Paint::of_stdout(Color::Always, environment), Paint::Coloured);
        assert_eq!(Paint::of_stdout(Color::Never, environment), Paint::Plain);
    }
}
