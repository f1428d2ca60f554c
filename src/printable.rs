//! Makes untrusted texts safe for a terminal: nothing in them is executed, nothing is hidden, and nothing changes the direction
//! of the text beside them.
//!
//! Each control character, escape, direction mark, zero-width character and soft hyphen becomes one `�`, so that its presence is
//! visible. Of the combining marks on a letter only as many are kept as any script needs, so a single letter takes no more than a
//! few bytes.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Replaces a character that must not be shown.
const SHOWN: char = '\u{fffd}';
/// The most combining marks on one letter. Vietnamese needs two; joke texts have thousands.
const MARKS: usize = 8;
/// The zero-width joiner, which combines several emoji into one.
const JOINER: char = '\u{200d}';

/// How to treat a character in its context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// It is shown.
    Plain,
    /// It is a control character or invisible.
    Hidden,
    /// It is a combining mark in excess of what any script needs.
    Excess,
}

/// The characters of a text, each with its treatment.
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

/// The text in a form that can be shown on one line.
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

/// Whether a text can be shown unchanged.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    if text.is_ascii() {
        return !text.bytes().any(|byte| byte.is_ascii_control());
    }
    sorted(text).all(|(_, sort)| sort == Sort::Plain)
}

/// The printable form of a report with several lines; line ends and colours are kept.
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

/// A text that will be read back: characters that must not be shown are written by `escape`, the rest is unchanged.
pub fn escape_hidden(text: &str, mut escape: impl FnMut(char, &mut String)) -> String {
    let mut written = String::with_capacity(text.len());
    for (character, sort) in sorted(text) {
        if sort == Sort::Plain { written.push(character) } else { escape(character, &mut written) }
    }
    written
}

/// JSON on one line, with characters that must not be shown as JSON escapes, so its meaning is unchanged. Such characters occur
/// only in strings.
#[must_use]
pub fn printable_json(json: &str) -> String {
    escape_hidden(json, |character, written| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            written.extend(["\\u", &format!("{unit:04x}")]);
        }
    })
}

/// The same for JSON on several lines, which are kept: in a string, JSON itself escapes line breaks.
#[must_use]
pub fn printable_json_lines(json: &str) -> String {
    json.split('\n').map(printable_json).collect::<Vec<_>>().join("\n")
}

/// Whether a character controls a terminal or is invisible.
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

/// Whether a character is part of an emoji that can be joined to others.
const fn is_picture(character: char) -> bool {
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any text, with far more characters that must not be shown than a random one.
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
        fn hidden_characters_are_replaced_and_the_result_is_stable(text in any_text()) {
            let shown = printable(&text);
            prop_assert!(is_printable(&shown), "{:?}", shown);
            prop_assert_eq!(printable(&shown).into_owned(), shown.clone().into_owned());
            let odd = shown.chars().filter(|character| is_hidden(*character) && *character != JOINER).count();
            prop_assert_eq!(odd, 0);
            prop_assert_eq!(is_printable(&text), matches!(shown, Cow::Borrowed(_)));
        }

        #[test]
        fn json_keeps_its_meaning_and_hides_nothing(text in any_text()) {
            let json = printable_json(&serde_json::to_string(&text).unwrap());
            prop_assert!(is_printable(&json), "{:?}", json);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn json_on_several_lines_keeps_its_meaning(text in any_text()) {
            let object = serde_json::json!({ "one": [text] });
            let json = printable_json_lines(&serde_json::to_string_pretty(&object).unwrap());
            prop_assert!(json.lines().count() == 5 && json.lines().all(is_printable), "{:?}", json);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), object);
        }

        #[test]
        fn ordinary_texts_are_unchanged(text in "[a-zA-Z0-9ąćęłńóśźżŁÓ äöüßçéèñ日本語Ελλάδα •–—„”]{0,80}") {
            prop_assert!(matches!(printable(&text), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn escapes_and_direction_marks_become_visible() {
        assert_eq!(printable("a\u{1b}[31mb"), "a�[31mb");
        assert_eq!(printable("invoice\u{202e}fdp.exe"), "invoice�fdp.exe");
        assert_eq!(printable("pay\u{200b}pal"), "pay�pal");
        assert_eq!(printable("👩\u{200d}🌾"), "👩\u{200d}🌾");
        assert_eq!(printable("a\u{200d}b"), "a�b");
    }

    #[test]
    fn excess_marks_on_a_letter_are_removed() {
        let text = format!("a{}b", "\u{301}".repeat(1_000_000));
        assert_eq!(printable(&text), format!("a{}b", "\u{301}".repeat(MARKS)));
    }
}
