//! Tests that every built-in theme is readable at every colour depth.

use ratatui::style::{Color, Style};

use super::depth::{ANSI_COLOURS, MIN_CONTRAST, Rgb, contrast, rgb};
use super::{Depth, HeaderTextColour, Name, STYLES, Symbols, TerminalBackground, Theme};

/// The terminal's own text colour: xterm's on black, and black on white.
fn default_foreground(terminal_background: TerminalBackground) -> Rgb {
    match terminal_background {
        TerminalBackground::Dark => [229, 229, 229],
        TerminalBackground::Light => [0, 0, 0],
    }
}

fn foreground(style: Style, theme: &Theme) -> Rgb {
    style
        .fg
        .filter(|colour| *colour != Color::Reset)
        .map_or(default_foreground(theme.terminal_background), |colour| rgb(colour).unwrap())
}

fn background(style: Style, theme: &Theme) -> Rgb {
    style.bg.map_or(theme.terminal_background.rgb(), |colour| rgb(colour).unwrap())
}

/// Every combination of text and background colour.
fn texts(theme: &Theme) -> Vec<(String, Rgb, Rgb)> {
    let plain = Style::new();
    let words = [
        ("plain", plain),
        ("strong", theme.strong),
        ("quiet", theme.quiet),
        ("accent", theme.accent),
        ("matched", theme.matched),
        ("fresh", theme.fresh),
        ("pending", theme.pending),
        ("good", theme.good),
        ("warning", theme.warning),
        ("bad", theme.bad),
    ];
    let mut texts = Vec::new();
    let mut add = |name: String, style: Style| texts.push((name, foreground(style, theme), background(style, theme)));
    for (name, style) in words {
        add(name.into(), style);
        add(format!("{name} in the selected row"), style.patch(theme.selected));
        add(format!("{name} in the selected row of another pane"), style.patch(theme.selected_elsewhere));
        let in_header = match theme.header_text {
            HeaderTextColour::ByMeaning => theme.header.patch(style),
            HeaderTextColour::LikeHeader => style.patch(theme.header),
        };
        add(format!("{name} in the header"), in_header);
    }
    texts
}

#[test]
fn every_theme_is_readable_at_every_depth() {
    for name in Name::ALL {
        for depth in [Depth::True, Depth::Indexed, Depth::Sixteen] {
            let theme = Theme::new(name, Symbols::UNICODE).within(depth);
            for (text, foreground, background) in texts(&theme) {
                // `quiet` is not used in the header.
                if text == "quiet in the header" {
                    continue;
                }
                let ratio = contrast(foreground, background);
                assert!(ratio >= MIN_CONTRAST, "{}, {depth:?}: {text} has {ratio:.2}", name.text());
            }
        }
    }
}

#[test]
fn the_high_contrast_theme_has_a_ratio_of_seven() {
    let theme = Theme::new(Name::HighContrast, Symbols::UNICODE);
    for (text, foreground, background) in texts(&theme) {
        let ratio = contrast(foreground, background);
        assert!(ratio >= 7.0, "{text} has {ratio:.2}");
    }
}

/// A common palette: its background, its text colour, and the sixteen colours.
struct Palette {
    name: &'static str,
    terminal_background: TerminalBackground,
    background: u32,
    foreground: u32,
    sixteen: [u32; 16],
}

/// From each one's documentation: <https://ethanschoonover.com/solarized/>, <https://github.com/morhetz/gruvbox>, xterm's
/// `XTerm-col.ad`, and Linux's `vt.default_red` and the like.
const PALETTES: [Palette; 6] = [
    Palette {
        name: "Solarized Dark",
        terminal_background: TerminalBackground::Dark,
        background: 0x00_2b36,
        foreground: 0x83_9496,
        sixteen: SOLARIZED,
    },
    Palette {
        name: "Solarized Light",
        terminal_background: TerminalBackground::Light,
        background: 0xfd_f6e3,
        foreground: 0x65_7b83,
        sixteen: SOLARIZED,
    },
    Palette {
        name: "Gruvbox Dark",
        terminal_background: TerminalBackground::Dark,
        background: 0x28_2828,
        foreground: 0xeb_dbb2,
        sixteen: [
            0x28_2828, 0xcc_241d, 0x98_971a, 0xd7_9921, 0x45_8588, 0xb1_6286, 0x68_9d6a, 0xa8_9984, 0x92_8374,
            0xfb_4934, 0xb8_bb26, 0xfa_bd2f, 0x83_a598, 0xd3_869b, 0x8e_c07c, 0xeb_dbb2,
        ],
    },
    Palette {
        name: "xterm on black",
        terminal_background: TerminalBackground::Dark,
        background: 0,
        foreground: 0xe5_e5e5,
        sixteen: XTERM,
    },
    Palette {
        name: "xterm on white",
        terminal_background: TerminalBackground::Light,
        background: 0xff_ffff,
        foreground: 0,
        sixteen: XTERM,
    },
    Palette {
        name: "Linux console",
        terminal_background: TerminalBackground::Dark,
        background: 0,
        foreground: 0xaa_aaaa,
        sixteen: [
            0, 0xaa_0000, 0x00_aa00, 0xaa_5500, 0x00_00aa, 0xaa_00aa, 0x00_aaaa, 0xaa_aaaa, 0x55_5555, 0xff_5555,
            0x55_ff55, 0xff_ff55, 0x55_55ff, 0xff_55ff, 0x55_ffff, 0xff_ffff,
        ],
    },
];

const SOLARIZED: [u32; 16] = [
    0x07_3642, 0xdc_322f, 0x85_9900, 0xb5_8900, 0x26_8bd2, 0xd3_3682, 0x2a_a198, 0xee_e8d5, 0x00_2b36, 0xcb_4b16,
    0x58_6e75, 0x65_7b83, 0x83_9496, 0x6c_71c4, 0x93_a1a1, 0xfd_f6e3,
];
const XTERM: [u32; 16] = [
    0, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5, 0x7f_7f7f, 0xff_0000, 0x00_ff00,
    0xff_ff00, 0x5c_5cff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
];

impl Palette {
    fn rgb(number: u32) -> Rgb {
        let [_, red, green, blue] = number.to_be_bytes();
        [red, green, blue]
    }

    /// The appearance of a colour: the sixteen are the palette's own.
    fn shown(&self, colour: Color) -> Rgb {
        let at = match colour {
            Color::Indexed(number @ ..16) => Some(usize::from(number)),
            named => ANSI_COLOURS.iter().position(|(known, _)| *known == named),
        };
        at.map_or_else(|| rgb(colour).unwrap(), |at| Self::rgb(self.sixteen[at]))
    }

    fn contrast(&self, style: Style) -> f64 {
        let foreground = style
            .fg
            .filter(|colour| *colour != Color::Reset)
            .map_or(Self::rgb(self.foreground), |foreground| self.shown(foreground));
        let background = style.bg.map_or(Self::rgb(self.background), |background| self.shown(background));
        contrast(foreground, background)
    }
}

/// The minimum contrast in a user's own palette. Solarized Light itself has 4.1 between text and background.
const MIN_PALETTE_CONTRAST: f64 = 3.0;

#[test]
fn every_theme_is_readable_in_common_palettes() {
    for palette in PALETTES {
        for name in Name::ALL {
            let theme = Theme::new(name, Symbols::UNICODE);
            if theme.terminal_background != palette.terminal_background {
                continue;
            }
            let depths =
                if palette.name == "Linux console" { vec![Depth::Sixteen] } else { vec![Depth::True, Depth::Indexed] };
            for depth in depths {
                let theme = Theme::new(name, Symbols::UNICODE).within(depth);
                let texts = [
                    ("plain", Style::new()),
                    ("strong", theme.strong),
                    ("quiet", theme.quiet),
                    ("accent", theme.accent),
                    ("matched", theme.matched),
                    ("fresh", theme.fresh),
                    ("pending", theme.pending),
                    ("good", theme.good),
                    ("warning", theme.warning),
                    ("bad", theme.bad),
                    ("selected", theme.selected),
                    ("selected elsewhere", theme.selected_elsewhere),
                    ("header", theme.header),
                ];
                for (text, style) in texts {
                    let ratio = palette.contrast(style);
                    assert!(
                        ratio >= MIN_PALETTE_CONTRAST,
                        "{} in {}, {depth:?}: {text} has {ratio:.2}",
                        name.text(),
                        palette.name
                    );
                }
            }
        }
    }
}

#[test]
fn no_style_uses_colour_8() {
    for name in Name::ALL {
        for depth in [Depth::True, Depth::Indexed, Depth::Sixteen] {
            let mut theme = Theme::new(name, Symbols::UNICODE).within(depth);
            for (style, _) in STYLES {
                let colours = theme.style_mut(style).map(|style| [style.fg, style.bg]).unwrap();
                let eighth = |colour: &Option<Color>| matches!(colour, Some(Color::DarkGray | Color::Indexed(8)));
                assert!(!colours.iter().any(eighth), "{}, {depth:?}: {style}", name.text());
            }
        }
    }
}
