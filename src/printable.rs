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

/// What a character is where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// It is shown as it is.
    Plain,
    /// A terminal would obey it, or nobody would see it.
    Hidden,
    /// One more mark on a letter than any script needs.
    Excess,
}

/// The characters of a text, and what they are where they stand.
fn sorted(text: &str) -> impl Iterator<Item = (char, Sort)> {
    let mut characters = text.chars().peekable();
    let (mut marks, mut before) = (0, None);
    std::iter::from_fn(move || {
        let character = characters.next()?;
        let joins =
            character == JOINER && before.is_some_and(is_picture) && characters.peek().copied().is_some_and(is_picture);
        before = Some(character);
        marks = if is_mark(character) { marks + 1 } else { 0 };
        let sort = if is_hidden(character) && !joins {
            Sort::Hidden
        } else if marks > MARKS {
            Sort::Excess
        } else {
            Sort::Plain
        };
        Some((character, sort))
    })
}

/// The text as it may be shown on one line.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return Cow::Borrowed(text);
    }
    let shown = sorted(text).filter_map(|(character, sort)| match sort {
        Sort::Plain => Some(character),
        Sort::Hidden => Some(SHOWN),
        Sort::Excess => None,
    });
    Cow::Owned(shown.collect())
}

/// Whether a text may be shown as it is.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    if text.is_ascii() {
        return !text.bytes().any(|byte| byte.is_ascii_control());
    }
    sorted(text).all(|(_, sort)| sort == Sort::Plain)
}

/// The text of a report of several lines, with its line ends and its colours, and otherwise as it may be shown.
#[must_use]
pub fn printable_report(text: &str) -> String {
    let kept = |character| matches!(character, '\n' | '\x1b');
    let shown = sorted(text).filter_map(|(character, sort)| match sort {
        Sort::Hidden if !kept(character) => Some(SHOWN),
        Sort::Excess => None,
        Sort::Plain | Sort::Hidden => Some(character),
    });
    shown.collect()
}

/// A text that is written to be read back: what must not be shown is escaped as `escape` says, and the rest is as it is.
pub fn escape_hidden(text: &str, mut escape: impl FnMut(char, &mut String)) -> String {
    let mut written = String::with_capacity(text.len());
    for (character, sort) in sorted(text) {
        if sort == Sort::Plain { written.push(character) } else { escape(character, &mut written) }
    }
    written
}

/// JSON on one line with what must not be shown as JSON's own escapes: it says the same. Only in its texts is there any.
#[must_use]
pub fn printable_json(json: &str) -> String {
    escape_hidden(json, |character, written| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            written.extend(["\\u", &format!("{unit:04x}")]);
        }
    })
}

/// The same for JSON on several lines, which stay lines: in a text, JSON itself escapes what ends one.
#[must_use]
pub fn printable_json_lines(json: &str) -> String {
    json.split('\n').map(printable_json).collect::<Vec<_>>().join("\n")
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
        fn json_says_the_same_and_hides_nothing(text in any_text()) {
            let json = printable_json(&serde_json::to_string(&text).unwrap());
            prop_assert!(is_printable(&json), "{:?}", json);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn json_on_several_lines_says_the_same_and_hides_nothing(text in any_text()) {
            let object = serde_json::json!({ "one": [text] });
            let json = printable_json_lines(&serde_json::to_string_pretty(&object).unwrap());
            prop_assert!(json.lines().count() == 5 && json.lines().all(is_printable), "{:?}", json);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), object);
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
