//! Whether every built-in theme can be read, at every depth of colour.

use ratatui::style::{Color, Style};

use super::depth::{Parts, READABLE, contrast, parts};
use super::{Depth, Ground, HeaderWords, Name, Symbols, Theme};

/// The terminal's own ink: as xterm has it on black, and black on white.
fn own_ink(ground: Ground) -> Parts {
    match ground {
        Ground::Dark => [229, 229, 229],
        Ground::Light => [0, 0, 0],
    }
}

fn ink(style: Style, theme: &Theme) -> Parts {
    style.fg.filter(|colour| *colour != Color::Reset).map_or(own_ink(theme.ground), |colour| parts(colour).unwrap())
}

fn behind(style: Style, theme: &Theme) -> Parts {
    style.bg.map_or(theme.ground.parts(), |colour| parts(colour).unwrap())
}

/// Every pair of ink and background in which something is to be read.
fn texts(theme: &Theme) -> Vec<(String, Parts, Parts)> {
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
    let mut add = |name: String, style: Style| texts.push((name, ink(style, theme), behind(style, theme)));
    for (name, style) in words {
        add(name.into(), style);
        add(format!("{name} in the selected row"), style.patch(theme.selected));
        add(format!("{name} in the selected row of another pane"), style.patch(theme.selected_elsewhere));
        let in_header = match theme.header_words {
            HeaderWords::AsMeant => theme.header.patch(style),
            HeaderWords::AsHeader => style.patch(theme.header),
        };
        add(format!("{name} in the header"), in_header);
    }
    texts
}

#[test]
fn every_text_of_every_theme_can_be_read_at_every_depth() {
    for name in Name::ALL {
        for depth in [Depth::True, Depth::Indexed, Depth::Sixteen] {
            let theme = Theme::new(name, Symbols::UNICODE).within(depth);
            for (text, ink, behind) in texts(&theme) {
                // `quiet` never stands in the header, where it would be out of place.
                if text == "quiet in the header" {
                    continue;
                }
                let ratio = contrast(ink, behind);
                assert!(ratio >= READABLE, "{}, {depth:?}: {text} has {ratio:.2}", name.text());
            }
        }
    }
}

#[test]
fn high_contrast_is_higher() {
    let theme = Theme::new(Name::HighContrast, Symbols::UNICODE);
    for (text, ink, behind) in texts(&theme) {
        let ratio = contrast(ink, behind);
        assert!(ratio >= 7.0, "{text} has {ratio:.2}");
    }
}
