//! What a server, a file or a person wrote, made safe for a terminal: nothing in it is obeyed, nothing hides, and nothing turns the
//! direction of what stands beside it.
//!
//! Control characters and escapes, the characters that turn the direction of writing, those without any width, and soft hyphens
//! become `�`, one for one, so that they are seen to be there. Of marks that stand above or below a letter so many are kept as
//! any script needs, so a single letter costs no more than a few bytes.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// What stands in the place of what must not be shown.
const SHOWN: char = '\u{fffd}';
/// Marks on one letter. Vietnamese takes two, and what is written for fun takes thousands.
const MARKS: usize = 8;
/// What joins several pictures into one.
const JOINER: char = '\u{200d}';

/// The text as it may be shown on one line.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(4 * 1024));
    let mut marks = 0;
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(character) = characters.next() {
        let joins =
            character == JOINER && before.is_some_and(is_picture) && characters.peek().copied().is_some_and(is_picture);
        if is_hidden(character) && !joins {
            shown.push(SHOWN);
            marks = 0;
        } else if is_mark(character) {
            marks += 1;
            if marks <= MARKS {
                shown.push(character);
            }
        } else {
            shown.push(character);
            marks = 0;
        }
        before = Some(character);
    }
    Cow::Owned(shown)
}

/// Whether a text may be shown as it is.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    if text.is_ascii() {
        return !text.bytes().any(|byte| byte.is_ascii_control());
    }
    let (mut marks, mut before) = (0, None);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let joins =
            character == JOINER && before.is_some_and(is_picture) && characters.peek().copied().is_some_and(is_picture);
        marks = if is_mark(character) { marks + 1 } else { 0 };
        if (is_hidden(character) && !joins) || marks > MARKS {
            return false;
        }
        before = Some(character);
    }
    true
}

/// Whether a character does something to a terminal, or nothing that can be seen.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn is_mark(character: char) -> bool {
    character.width() == Some(0) && !is_hidden(character)
}

/// Whether a character is part of a picture that others can be joined to.
const fn is_picture(character: char) -> bool {
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any text, with what must not be shown far more often than it comes by itself.
    fn any_text() -> impl Strategy<Value = String> {
        let hidden = prop_oneof![
            Just('\u{1b}'),
            Just('\u{9b}'),
            Just('\u{7f}'),
            Just('\n'),
            Just('\u{ad}'),
            Just('\u{200b}'),
            Just('\u{200d}'),
            Just('\u{202e}'),
            Just('\u{2066}'),
            Just('\u{2069}'),
            Just('\u{200f}'),
            Just('\u{feff}'),
            Just('\u{2028}'),
            Just('\u{e0041}'),
            Just('\u{301}'),
            Just('\u{fe0f}'),
            Just('👩'),
            Just('ł'),
            any::<char>(),
        ];
        proptest::collection::vec(hidden, 0..60).prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_the_same_again_changes_nothing(text in any_text()) {
            let shown = printable(&text);
            prop_assert!(is_printable(&shown), "{:?}", shown);
            prop_assert_eq!(printable(&shown).into_owned(), shown.clone().into_owned());
            let odd = shown.chars().filter(|character| is_hidden(*character) && *character != JOINER).count();
            prop_assert_eq!(odd, 0);
            prop_assert_eq!(is_printable(&text), matches!(shown, Cow::Borrowed(_)));
        }

        #[test]
        fn what_people_write_stays_as_it_is(text in "[a-zA-Z0-9ąćęłńóśźżŁÓ äöüßçéèñ日本語Ελλάδα •–—„”]{0,80}") {
            prop_assert!(matches!(printable(&text), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn escapes_and_directions_are_seen_and_not_obeyed() {
        assert_eq!(printable("a\u{1b}[31mb"), "a�[31mb");
        assert_eq!(printable("invoice\u{202e}fdp.exe"), "invoice�fdp.exe");
        assert_eq!(printable("pay\u{200b}pal"), "pay�pal");
        assert_eq!(printable("👩\u{200d}🌾"), "👩\u{200d}🌾");
        assert_eq!(printable("a\u{200d}b"), "a�b");
    }

    #[test]
    fn a_letter_with_a_million_marks_takes_a_few_bytes() {
        let text = format!("a{}b", "\u{301}".repeat(1_000_000));
        assert_eq!(printable(&text), format!("a{}b", "\u{301}".repeat(MARKS)));
    }
}
