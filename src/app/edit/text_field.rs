//! A one-line text input with the editing keys of a shell.

use tui_input::{Input, InputRequest};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::keymap::{Key, KeyCode, KeyModifiers};

/// Largest paste, in bytes: far more than any name has, and small enough that each key responds at once.
pub const MAX_PASTE_BYTES: usize = 16 * 1024;
/// Length in bytes beyond which nothing more is pasted.
const MAX_BYTES: usize = 4 * MAX_PASTE_BYTES;

/// A line of text and its cursor. Moves and deletes by grapheme and by word.
#[derive(Debug, Clone, Default)]
pub struct TextField {
    input: Input,
}

impl TextField {
    /// Creates a field with the cursor at the end of the text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()) }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The column of the cursor, in cells from the beginning of the text.
    #[must_use]
    pub fn cursor_column(&self) -> usize {
        self.input.visual_cursor()
    }

    /// How many cells of the text are scrolled out on the left when `width` cells are shown.
    #[must_use]
    pub fn scroll(&self, width: usize) -> usize {
        self.input.visual_scroll(width)
    }

    /// Handles a key; `false` for one that does not edit text.
    pub fn press(&mut self, key: Key) -> bool {
        let Some(request) = request(key) else { return false };
        self.input.handle(request);
        true
    }

    /// Puts the cursor before the character that covers a cell, counted from the beginning of the text; at the end where there is
    /// none.
    pub fn move_cursor_to(&mut self, cell: usize) {
        let (mut cells, mut characters) = (0, 0);
        for grapheme in self.text().graphemes(true) {
            cells += grapheme.width();
            if cells > cell {
                break;
            }
            characters += grapheme.chars().count();
        }
        self.input = Input::new(self.text().to_owned()).with_cursor(characters);
    }

    /// Pastes a text, up to the limits of a field. Line breaks and other control characters inside it become spaces.
    pub fn paste(&mut self, text: &str) {
        let room = MAX_PASTE_BYTES.min(MAX_BYTES.saturating_sub(self.text().len()));
        let text = text.trim_matches(char::is_control);
        let mut end = room.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let inserted = text[..end].replace(char::is_control, " ");
        let cursor = self.input.cursor();
        let value = self.text();
        let at = value.char_indices().nth(cursor).map_or(value.len(), |(at, _)| at);
        let whole = [&value[..at], &inserted, &value[at..]].concat();
        self.input = Input::new(whole).with_cursor(cursor + inserted.chars().count());
    }

    /// Replaces the whole text and puts the cursor at its end.
    pub fn set(&mut self, text: &str) {
        self.input = Input::new(text.to_owned());
    }
}

fn request(key: Key) -> Option<InputRequest> {
    use InputRequest as R;
    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    Some(match (key.code, key.modifiers) {
        (KeyCode::Char(character), NONE) => R::InsertChar(character),
        (KeyCode::Backspace, NONE) | (KeyCode::Char('h'), CONTROL) => R::DeletePrevChar,
        (KeyCode::Delete, NONE) | (KeyCode::Char('d'), CONTROL) => R::DeleteNextChar,
        (KeyCode::Left, NONE) | (KeyCode::Char('b'), CONTROL) => R::GoToPrevChar,
        (KeyCode::Right, NONE) | (KeyCode::Char('f'), CONTROL) => R::GoToNextChar,
        (KeyCode::Left, CONTROL | ALT) | (KeyCode::Char('b'), ALT) => R::GoToPrevWord,
        (KeyCode::Right, CONTROL | ALT) | (KeyCode::Char('f'), ALT) => R::GoToNextWord,
        (KeyCode::Home, NONE) | (KeyCode::Char('a'), CONTROL) => R::GoToStart,
        (KeyCode::End, NONE) | (KeyCode::Char('e'), CONTROL) => R::GoToEnd,
        (KeyCode::Char('w'), CONTROL) | (KeyCode::Backspace, ALT) => R::DeletePrevWord,
        (KeyCode::Char('d'), ALT) | (KeyCode::Delete, CONTROL) => R::DeleteNextWord,
        (KeyCode::Char('k'), CONTROL) => R::DeleteTillEnd,
        (KeyCode::Char('u'), CONTROL) => R::DeleteLine,
        (KeyCode::Char('y'), CONTROL) => R::Yank,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::parse_sequence;

    fn typed(text: &str, keys: &str) -> String {
        let mut field = TextField::new(text);
        for key in parse_sequence(keys).unwrap() {
            assert!(field.press(key), "{key} means nothing to a text");
        }
        field.text().to_owned()
    }

    #[test]
    fn shell_keys_edit_the_text() {
        assert_eq!(typed("VIP Client", "ctrl-w"), "VIP ");
        assert_eq!(typed("VIP Client", "alt-b ctrl-k"), "VIP ");
        assert_eq!(typed("VIP", "ctrl-a N e w space"), "New VIP");
        assert_eq!(typed("VIP", "ctrl-u X"), "X");
    }

    #[test]
    fn backspace_deletes_a_whole_grapheme() {
        assert_eq!(typed("ab👩‍🌾", "backspace"), "ab");
        assert_eq!(typed("Lo\u{301}", "backspace"), "L");
    }

    #[test]
    fn a_pasted_line_break_becomes_a_space() {
        let mut field = TextField::default();
        field.paste("VIP\nClient\n");
        assert_eq!(field.text(), "VIP Client");
    }

    #[test]
    fn a_paste_goes_to_the_cursor_and_moves_it_behind_the_text() {
        let mut field = TextField::new("Łódź");
        for key in parse_sequence("ctrl-a right right").unwrap() {
            field.press(key);
        }
        field.paste("żó");
        field.press(Key::parse("x").unwrap());
        assert_eq!(field.text(), "Łóżóxdź");
    }

    #[test]
    fn a_click_puts_the_cursor_before_the_clicked_character() {
        for (cell, typed) in [
            (0, "|Ł日👩‍🌾o\u{301}!"),
            (1, "Ł|日👩‍🌾o\u{301}!"),
            (2, "Ł|日👩‍🌾o\u{301}!"),
            (4, "Ł日|👩‍🌾o\u{301}!"),
            (5, "Ł日👩‍🌾|o\u{301}!"),
            (6, "Ł日👩‍🌾o\u{301}|!"),
            (usize::MAX, "Ł日👩‍🌾o\u{301}!|"),
        ] {
            let mut field = TextField::new("Ł日👩‍🌾o\u{301}!");
            field.move_cursor_to(cell);
            field.press(Key::parse("|").unwrap());
            assert_eq!(field.text(), typed, "{cell}");
        }
    }

    #[test]
    fn an_endless_paste_is_cut() {
        let mut field = TextField::new("a");
        field.paste(&"ł".repeat(500_000));
        assert_eq!(field.text().len(), MAX_PASTE_BYTES + 1);
    }

    #[test]
    fn keys_that_type_nothing_are_not_handled() {
        assert!(!TextField::default().press(Key::parse("enter").unwrap()));
        assert!(!TextField::default().press(Key::parse("tab").unwrap()));
    }
}
