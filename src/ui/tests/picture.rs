//! A screen as text with its styles, and the three variants in which every scene is drawn.
//!
//! The first character of a line says what it shows: `|` the text, `:` the style of its characters, `#` their background. A line
//! without any style has only its text. For the letters see [`ink`] and [`ground`].

use std::fmt::Write;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use crate::app::NewProfile;
use crate::app::harness::Harness;

use super::super::{Look, Symbols, Theme, ThemeName, draw, draw_new_profile};

/// A small screen and a usual one.
pub(super) const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// Anything that can be drawn.
pub(super) trait Drawn {
    fn drawn(&self, theme: &Theme) -> Terminal<TestBackend>;
}

impl Drawn for Harness {
    fn drawn(&self, theme: &Theme) -> Terminal<TestBackend> {
        let panes = &self.state.screen.panes;
        let mut terminal = Terminal::new(TestBackend::new(panes.columns, panes.rows)).unwrap();
        terminal
            .draw(|frame| {
                draw(&self.state, Look { theme, keymap: &self.keymap }, frame);
            })
            .unwrap();
        terminal
    }
}

/// The form for a new profile, with the size of the screen.
impl Drawn for (NewProfile, u16, u16) {
    fn drawn(&self, theme: &Theme) -> Terminal<TestBackend> {
        let (form, columns, rows) = self;
        form_drawn(form, (*columns, *rows), theme)
    }
}

pub(super) fn form_drawn(form: &NewProfile, (columns, rows): (u16, u16), theme: &Theme) -> Terminal<TestBackend> {
    let harness = Harness::new(columns, rows);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let look = Look { theme, keymap: &harness.keymap };
    terminal
        .draw(|frame| {
            draw_new_profile(form, look, frame);
        })
        .unwrap();
    terminal
}

/// The text of the screen in the default theme.
pub(super) fn picture(drawn: &impl Drawn) -> String {
    picture_in(drawn, &usual())
}

/// The text of the screen in a theme.
pub(super) fn picture_in(drawn: &impl Drawn, theme: &Theme) -> String {
    let terminal = drawn.drawn(theme);
    if terminal.backend().buffer().area.is_empty() { String::new() } else { terminal.backend().to_string() }
}

pub(super) const fn usual() -> Theme {
    Theme::new(ThemeName::Dark, Symbols::UNICODE)
}

/// Compares a scene at both sizes with its snapshots.
#[track_caller]
pub(super) fn scene<D: Drawn>(name: &str, built: impl Fn(u16, u16) -> D) {
    for (columns, rows) in SIZES {
        scene_at(name, &built(columns, rows));
    }
}

/// Draws a scene and compares it with its snapshot: in colour and with `--ascii`. Without colours, as with `NO_COLOR`, the text
/// must be the same and nothing may have a colour.
#[track_caller]
pub(super) fn scene_at(name: &str, drawn: &impl Drawn) {
    let coloured = drawn.drawn(&usual());
    let plain = drawn.drawn(&Theme::colourless(Symbols::UNICODE));
    assert_eq!(text(&plain), text(&coloured), "{name} says something else without colours");
    assert_colourless(name, &plain);
    let ascii = drawn.drawn(&Theme::colourless(Symbols::ASCII));
    assert_colourless(name, &ascii);
    assert_ascii(name, &text(&ascii));
    let kept = format!("{}\nWith --ascii\n\n{}", styled(&coloured), text(&ascii));
    let area = coloured.backend().buffer().area;
    insta::assert_snapshot!(format!("{name}_{}x{}", area.width, area.height), kept);
}

#[track_caller]
fn assert_colourless(name: &str, terminal: &Terminal<TestBackend>) {
    let cells = terminal.backend().buffer().content();
    let coloured = cells.iter().find(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    assert_eq!(coloured, None, "{name} has a colour without colours:\n{}", text(terminal));
}

/// Letters are allowed, since names have them.
#[track_caller]
pub(super) fn assert_ascii(name: &str, text: &str) {
    let strange: Vec<char> = text.chars().filter(|sign| !sign.is_ascii() && !sign.is_alphabetic()).collect();
    assert!(strange.is_empty(), "{name} has {strange:?} in\n{text}");
}

/// The text alone, with its mark at the start of each line.
fn text(terminal: &Terminal<TestBackend>) -> String {
    rows(terminal).map(|row| marked_line('|', row.iter().map(|cell| cell.symbol()))).collect()
}

/// The text with its styles below each line, and the position of the cursor.
fn styled(terminal: &Terminal<TestBackend>) -> String {
    let mut picture = String::new();
    for row in rows(terminal) {
        picture.push_str(&marked_line('|', row.iter().map(|cell| cell.symbol())));
        for (mark, letter) in [(':', ink as fn(&Cell) -> &'static str), ('#', ground)] {
            if row.iter().any(|cell| letter(cell) != " ") {
                picture.push_str(&marked_line(mark, row.iter().copied().map(letter)));
            }
        }
    }
    if terminal.backend().cursor_visible() {
        let at = terminal.backend().cursor_position();
        writeln!(picture, "The cursor is at column {}, row {}.", at.x, at.y).unwrap();
    }
    picture
}

fn marked_line<'a>(mark: char, cells: impl Iterator<Item = &'a str>) -> String {
    let cells: String = cells.collect();
    format!("{mark}{}\n", cells.trim_end())
}

fn rows(terminal: &Terminal<TestBackend>) -> impl Iterator<Item = Vec<&Cell>> {
    let buffer = terminal.backend().buffer();
    buffer.content().chunks(usize::from(buffer.area.width).max(1)).map(|row| row.iter().collect())
}

/// A letter for the style of a character, mostly the initial of its use in the default theme; a capital if it is bold.
fn ink(cell: &Cell) -> &'static str {
    let bold = cell.modifier.contains(Modifier::BOLD);
    let (plain, strong) = match cell.fg {
        _ if cell.modifier.contains(Modifier::UNDERLINED) => ("m", "M"),
        // The style of a blank can't be seen, and that of lines doesn't matter.
        _ if cell.symbol().starts_with([' ', '─', '│', '┬', '┴', '├', '╭', '╮', '╰', '╯']) => {
            (" ", " ")
        }
        Color::Reset => (" ", "T"),
        Color::Indexed(247) => ("q", "Q"),
        Color::Cyan => ("a", "A"),
        Color::Green => ("g", "G"),
        Color::Yellow => ("w", "W"),
        Color::Red => ("r", "R"),
        Color::White => ("i", "I"),
        Color::Indexed(203) => ("b", "B"),
        Color::Indexed(240) => ("l", "L"),
        Color::Indexed(252) => ("h", "H"),
        Color::Indexed(255) => ("s", "S"),
        other => panic!("no letter stands for {other}"),
    };
    if bold { strong } else { plain }
}

/// A letter for a background: header, selected row, selected row of an unfocused pane.
fn ground(cell: &Cell) -> &'static str {
    match cell.bg {
        Color::Reset => " ",
        Color::Indexed(235) => "h",
        Color::Indexed(236) => "e",
        Color::Indexed(238) => "s",
        Color::Red => "r",
        other => panic!("no letter stands for {other}"),
    }
}
