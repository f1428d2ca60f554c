//! Screens in sequence as one SVG picture. Each text that a line of the screen has is drawn once and shown while the
//! line has it, so what doesn't change costs nothing.

use std::collections::BTreeMap;
use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

/// The terminal's background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    Dark,
    Light,
}

impl Ground {
    /// The colours of the background, of the text, of the frame and of the captions.
    const fn colours(self) -> (u32, u32, u32, u32) {
        match self {
            Self::Dark => (0x16_181a, 0xd4_d7d6, 0x2a_2d30, 0x9f_a4a3),
            Self::Light => (0xff_ffff, 0x1f_2328, 0xd8_dbdf, 0x57_606a),
        }
    }
}

/// The sixteen colours of a terminal, as most have them today.
const SIXTEEN: [u32; 16] = [
    0x1d_1f21, 0xe0_6c75, 0x98_c379, 0xe5_c07b, 0x61_afef, 0xc6_78dd, 0x56_b6c2, 0xc5_c8c6, 0x7f_848e, 0xff_7f7f,
    0xb5_e890, 0xff_e08a, 0xa7_c7ff, 0xdc_b3ff, 0xa7_f0e8, 0xff_ffff,
];

/// The size of a cell in units of the picture.
const WIDTH: u32 = 9;
const HEIGHT: u32 = 19;
/// Distance from the top of a line to its baseline.
const BASELINE: u32 = 14;
/// Margin around the screen.
const MARGIN: u32 = 12;

/// The appearance of a run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    ink: u32,
    behind: Option<u32>,
    bold: bool,
    underlined: bool,
}

pub struct Recording {
    columns: u16,
    rows: u16,
    ground: Ground,
    /// The frames in which each text of each line is shown.
    lines: BTreeMap<(u16, String), Vec<usize>>,
    /// When each frame begins, and when the last one ends, in milliseconds.
    begins: Vec<u64>,
}

impl Recording {
    pub fn new(columns: u16, rows: u16, ground: Ground) -> Self {
        Self { columns, rows, ground, lines: BTreeMap::new(), begins: vec![0] }
    }

    /// Adds a frame that is shown for so many milliseconds with a caption below it.
    pub fn add(&mut self, screen: &vt100::Screen, caption: &str, milliseconds: u64) {
        let frame = self.begins.len() - 1;
        for row in 0..self.rows {
            let drawn = self.line(screen, row);
            self.lines.entry((row, drawn)).or_default().push(frame);
        }
        let (x, y) = (MARGIN, MARGIN + u32::from(self.rows) * HEIGHT + HEIGHT + 6);
        let caption = format!("<text class=\"c\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(caption));
        self.lines.entry((self.rows, caption)).or_default().push(frame);
        let begin = self.begins[frame];
        self.begins.push(begin + milliseconds);
    }

    fn line(&self, screen: &vt100::Screen, row: u16) -> String {
        let mut drawn = String::new();
        let mut run: Option<(u16, u16, String, Look)> = None;
        for column in 0..self.columns {
            let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
            let text = if cell.has_contents() { cell.contents() } else { " " };
            let has_cursor = !screen.hide_cursor() && screen.cursor_position() == (row, column);
            let look = self.look(cell, has_cursor);
            let cells = if cell.is_wide() { 2 } else { 1 };
            // A symbol may come from another font: drawn by itself, it stays in its cell whatever its width.
            let is_sign = |text: &str| text.chars().any(|letter| !letter.is_alphanumeric() && !letter.is_ascii());
            match &mut run {
                Some((_, length, so_far, other)) if *other == look && !is_sign(text) && !is_sign(so_far) => {
                    so_far.push_str(text);
                    *length += cells;
                }
                Some((_, length, so_far, other)) if *other == look && so_far.ends_with(text) && text != " " => {
                    so_far.push_str(text);
                    *length += cells;
                }
                _ => {
                    if let Some(run) = run.take() {
                        draw(&mut drawn, row, run);
                    }
                    run = Some((column, cells, text.to_owned(), look));
                }
            }
        }
        if let Some(run) = run {
            draw(&mut drawn, row, run);
        }
        drawn
    }

    fn look(&self, cell: &vt100::Cell, has_cursor: bool) -> Look {
        let (ground, ink, ..) = self.ground.colours();
        let (mut front, mut behind) = (rgb(cell.fgcolor(), ink), rgb(cell.bgcolor(), ground));
        if cell.inverse() != has_cursor {
            (front, behind) = (behind, front);
        }
        let behind = (behind != ground).then_some(behind);
        Look { ink: front, behind, bold: cell.bold(), underlined: cell.underline() }
    }

    pub fn into_svg(self) -> String {
        let (ground, ink, frame, quiet) = self.ground.colours();
        let width = u32::from(self.columns) * WIDTH + 2 * MARGIN;
        let height = u32::from(self.rows) * HEIGHT + 2 * MARGIN + HEIGHT + 6;
        let all = self.begins.last().copied().unwrap_or(1).max(1);
        let last = self.begins.len().saturating_sub(2);
        let (mut styles, mut body) = (String::new(), String::new());
        let mut kinds: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for ((_, drawn), frames) in &self.lines {
            if drawn.is_empty() {
                continue;
            }
            if frames.len() == last + 1 {
                body.push_str(drawn);
                continue;
            }
            let next = kinds.len();
            let kind = *kinds.entry(frames.clone()).or_insert(next);
            write!(body, "<g class=\"f{kind}\">{drawn}</g>").unwrap();
        }
        for (frames, kind) in &kinds {
            let still = if frames.contains(&last) { "visible" } else { "hidden" };
            write!(styles, ".f{kind}{{visibility:{still};animation:f{kind} {all}ms step-end infinite}}").unwrap();
            write!(styles, "@keyframes f{kind}{{").unwrap();
            let shown = |frame: usize| frames.binary_search(&frame).is_ok();
            for at in 0..=last {
                if at == 0 || shown(at) != shown(at - 1) {
                    let thousandths = self.begins[at] * 100_000 / all;
                    let (percent, rest) = (thousandths / 1_000, thousandths % 1_000);
                    let word = if shown(at) { "visible" } else { "hidden" };
                    write!(styles, "{percent}.{rest:03}%{{visibility:{word}}}").unwrap();
                }
            }
            styles.push('}');
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"A recording of segtui on the demo tenant\">\n<style>\
             text{{font:15px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre;fill:#{ink:06x}}}\
             .c{{font-size:14px;fill:#{quiet:06x}}}\
             .b{{font-weight:bold}}.u{{text-decoration:underline}}{styles}\
             @media (prefers-reduced-motion:reduce){{g{{animation:none!important}}}}</style>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#{ground:06x}\" stroke=\"#{frame:06x}\"/>\n{body}\n</svg>\n"
        )
    }
}

/// Draws a run of characters: its first column, its number of cells, its text and its look.
fn draw(drawn: &mut String, row: u16, (column, cells, text, look): (u16, u16, String, Look)) {
    let x = MARGIN + u32::from(column) * WIDTH;
    let y = MARGIN + u32::from(row) * HEIGHT;
    let width = u32::from(cells) * WIDTH;
    if let Some(behind) = look.behind {
        write!(drawn, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"#{behind:06x}\"/>")
            .unwrap();
    }
    let classes = [look.bold.then_some("b"), look.underlined.then_some("u")];
    let classes = classes.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let class = if classes.is_empty() { String::new() } else { format!(" class=\"{classes}\"") };
    for (before, shown) in parts(&text) {
        let (x, length) = (x + cells_of(before) * WIDTH, cells_of(shown) * WIDTH);
        write!(
            drawn,
            "<text{class} x=\"{x}\" y=\"{}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" \
             style=\"fill:#{:06x}\">{}</text>",
            y + BASELINE,
            look.ink,
            escaped(shown)
        )
        .unwrap();
    }
}

fn cells_of(text: &str) -> u32 {
    u32::try_from(text.width()).unwrap()
}

/// The parts of a text between runs of blanks, which a picture would collapse, each with all the text before it.
fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut from = 0;
    for part in text.split("  ") {
        let shown = part.trim();
        if !shown.is_empty() {
            let begin = from + part.len() - part.trim_start().len();
            parts.push((&text[..begin], shown));
        }
        from += part.len() + 2;
    }
    parts
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn rgb(colour: vt100::Color, usual: u32) -> u32 {
    let mixed = |red: u32, green: u32, blue: u32| red << 16 | green << 8 | blue;
    match colour {
        vt100::Color::Default => usual,
        vt100::Color::Rgb(red, green, blue) => mixed(red.into(), green.into(), blue.into()),
        vt100::Color::Idx(index @ 0..16) => SIXTEEN[usize::from(index)],
        // A cube of six steps per channel, then greys.
        vt100::Color::Idx(index @ 16..232) => {
            let step = |step: u8| if step == 0 { 0 } else { 55 + 40 * u32::from(step) };
            let at = index - 16;
            mixed(step(at / 36), step(at / 6 % 6), step(at % 6))
        }
        vt100::Color::Idx(index) => {
            let grey = 8 + 10 * (u32::from(index) - 232);
            mixed(grey, grey, grey)
        }
    }
}
