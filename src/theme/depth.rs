//! [`Depth`]: which colours a terminal can show, and how others are replaced.
//!
//! All colours if `COLORTERM` is `truecolor` or `24bit`; xterm's 256 if `TERM` contains `256color`; otherwise sixteen. A colour
//! that can't be shown is replaced by the nearest one that is readable.

use ratatui::style::{Color, Style};

use super::TerminalBackground;

/// Which colours a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All.
    True,
    /// The 256 colours of xterm's palette.
    Indexed,
    /// The sixteen, which users can set to anything.
    Sixteen,
}

/// Red, green and blue, from 0 to 255.
pub(super) type Rgb = [u8; 3];

/// xterm's defaults for the sixteen, in the order of their numbers.
pub(super) const ANSI_COLOURS: [(Color, Rgb); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];
/// The six steps of each component in the colour cube, which starts at number 16.
const CUBE_STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
const CUBE_START: u8 = 16;
const GREYS_START: u8 = 232;

/// The minimum contrast of readable text: <https://www.w3.org/TR/WCAG21/#contrast-minimum>.
pub(super) const MIN_CONTRAST: f64 = 4.5;

impl Depth {
    /// Detects the depth from environment variables.
    #[must_use]
    pub fn of_terminal(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let is_true = |value: &String| matches!(value.as_str(), "truecolor" | "24bit");
        if environment("COLORTERM").as_ref().is_some_and(is_true) {
            return Self::True;
        }
        let indexed = environment("TERM").is_some_and(|term| term.contains("256color"));
        if indexed { Self::Indexed } else { Self::Sixteen }
    }

    /// Replaces the colours of a style that can't be shown.
    pub(super) fn of(self, style: Style, terminal_background: TerminalBackground) -> Style {
        let bg = style.bg.map(|colour| self.nearest(colour, None));
        let background = bg.and_then(rgb).unwrap_or(terminal_background.rgb());
        let fg = style.fg.map(|colour| self.nearest(colour, Some(background)));
        Style { fg, bg, ..style }
    }

    /// The nearest colour that can be shown; given a background, the nearest that is readable on it.
    fn nearest(self, colour: Color, background: Option<Rgb>) -> Color {
        let is_shown = match colour {
            Color::Rgb(..) => self == Self::True,
            Color::Indexed(_) => self != Self::Sixteen,
            _ => true,
        };
        let Some(target) = rgb(colour).filter(|_| !is_shown) else { return colour };
        // Colour 8 equals the background in some palettes, such as Solarized.
        let sixteen =
            ANSI_COLOURS.map(|(colour, _)| colour).into_iter().filter(|colour| *colour != Color::DarkGray).collect();
        let candidates: Vec<Color> = match self {
            // Not the first sixteen, which users can set.
            Self::Indexed => (CUBE_START..=u8::MAX).map(Color::Indexed).collect(),
            Self::True | Self::Sixteen => sixteen,
        };
        let known = candidates.into_iter().filter_map(|colour| Some((colour, rgb(colour)?)));
        let readable =
            known.filter(|(_, rgb)| background.is_none_or(|background| contrast(*rgb, background) >= MIN_CONTRAST));
        readable.min_by_key(|(_, rgb)| distance(*rgb, target)).map_or(colour, |(nearest, _)| nearest)
    }
}

impl TerminalBackground {
    pub(super) const fn rgb(self) -> Rgb {
        match self {
            Self::Dark => [0, 0, 0],
            Self::Light => [255, 255, 255],
        }
    }
}

/// The components of a colour, if known.
pub(super) fn rgb(colour: Color) -> Option<Rgb> {
    match colour {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(number) if number >= GREYS_START => Some([8 + 10 * (number - GREYS_START); 3]),
        Color::Indexed(number) if number >= CUBE_START => {
            let step = |of: u8| CUBE_STEPS[usize::from((number - CUBE_START) / of % 6)];
            Some([step(36), step(6), step(1)])
        }
        Color::Indexed(number) => ANSI_COLOURS.get(usize::from(number)).map(|(_, rgb)| *rgb),
        named => ANSI_COLOURS.iter().find(|(colour, _)| *colour == named).map(|(_, rgb)| *rgb),
    }
}

fn distance(one: Rgb, other: Rgb) -> u32 {
    one.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
}

/// The contrast ratio of two colours, from 1 to 21: <https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>.
pub(super) fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// <https://www.w3.org/TR/WCAG21/#dfn-relative-luminance>
fn luminance(rgb: Rgb) -> f64 {
    let [red, green, blue] = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// A readable text colour on a background. The sixteen depend on the terminal; this goes by how nearly all show them.
pub(super) fn text_colour_on(colour: Color) -> Color {
    let is_dark = match colour {
        Color::Black | Color::Red | Color::Blue | Color::Magenta | Color::DarkGray => true,
        Color::Rgb(red, green, blue) => brightness(red, green, blue) < MIDDLE_BRIGHTNESS,
        _ => false,
    };
    if is_dark { Color::White } else { Color::Black }
}

/// Perceived brightness, from 0 to 255,000 (<https://www.w3.org/TR/AERT/#color-contrast>).
fn brightness(red: u8, green: u8, blue: u8) -> u32 {
    u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114
}

const MIDDLE_BRIGHTNESS: u32 = 128_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_depth_is_detected_from_two_variables() {
        let depth = |colorterm: &'static str, term: &'static str| {
            Depth::of_terminal(&|name| match name {
                "COLORTERM" => Some(colorterm.into()),
                "TERM" => Some(term.into()),
                _ => None,
            })
        };
        assert_eq!(depth("truecolor", "xterm"), Depth::True);
        assert_eq!(depth("24bit", "linux"), Depth::True);
        assert_eq!(depth("yes", "screen-256color"), Depth::Indexed);
        assert_eq!(depth("", "linux"), Depth::Sixteen);
        assert_eq!(Depth::of_terminal(&|_| None), Depth::Sixteen);
    }

    #[test]
    fn an_unavailable_colour_is_replaced_by_the_nearest() {
        let orange = Color::Rgb(255, 135, 0);
        assert_eq!(Depth::True.nearest(orange, None), orange);
        assert_eq!(Depth::Indexed.nearest(orange, None), Color::Indexed(208));
        assert_eq!(Depth::Sixteen.nearest(Color::Rgb(250, 10, 10), None), Color::LightRed);
        assert_eq!(Depth::Sixteen.nearest(Color::Blue, None), Color::Blue);
    }

    #[test]
    fn an_unreadable_colour_is_not_chosen() {
        let green = Color::Rgb(0, 200, 0);
        assert_eq!(Depth::Sixteen.nearest(green, Some([0, 0, 0])), Color::Green);
        assert_eq!(Depth::Sixteen.nearest(green, Some([255, 255, 255])), Color::Black);
    }

    #[test]
    fn contrast_is_measured_as_in_wcag() {
        assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 1e-9);
        assert!((contrast([118, 118, 118], [255, 255, 255]) - 4.54).abs() < 0.01);
    }
}
