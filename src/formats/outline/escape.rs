//! Escapes texts within a line with backslashes, so that they are read back exactly.

use std::iter::Peekable;
use std::str::Chars;

use super::Problem;
use crate::printable::escape_hidden;

/// Characters with a meaning anywhere in a line.
const SPECIAL: [char; 5] = ['[', ']', '{', '}', '\\'];

/// A text as it is written in a line.
pub(super) fn escaped(text: &str) -> String {
    let text_start = text.len() - text.trim_start().len();
    let text_end = text.trim_end().len();
    let mut written = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let outside = at < text_start || at >= text_end;
        match character {
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            ' ' if outside => written.push_str("\\ "),
            '#' if at == 0 => written.push_str("\\#"),
            _ if SPECIAL.contains(&character) => written.extend(['\\', character]),
            _ if outside => written.extend(character.escape_unicode()),
            _ => written.push(character),
        }
    }
    // Characters that terminals hide are mostly invisible in editors too.
    escape_hidden(&written, |character, written| written.extend(character.escape_unicode()))
}

/// The next text of a line, up to a bracket or the end. Whitespace around it is ignored unless it is escaped.
pub(super) fn read(characters: &mut Peekable<Chars<'_>>) -> Result<String, Problem> {
    let mut text = String::new();
    let mut end = 0;
    while let Some(character) = characters.next_if(|next| !matches!(next, '[' | ']' | '{' | '}')) {
        if character == '\\' {
            text.push(escape(characters)?);
            end = text.len();
        } else if !character.is_whitespace() {
            text.push(character);
            end = text.len();
        } else if !text.is_empty() {
            text.push(character);
        }
    }
    text.truncate(end);
    Ok(text)
}

fn escape(characters: &mut Peekable<Chars<'_>>) -> Result<char, Problem> {
    match characters.next() {
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('u') if characters.next_if_eq(&'{').is_some() => {
            let digits: String = characters.by_ref().take_while(|character| *character != '}').collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).ok_or(Problem::Escape)
        }
        Some(character) if character == ' ' || character == '#' || SPECIAL.contains(&character) => Ok(character),
        _ => Err(Problem::Escape),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_back_unchanged(text in "(?s)[ \\[\\]{}#\\\\\\n\\t\u{200b}\u{202e}a-c\u{1}ł]{0,12}|(?s).{0,12}") {
            let written = escaped(&text);
            prop_assert!(!written.contains(char::is_control), "{written:?}");
            prop_assert_eq!(read(&mut format!(" {written} ").chars().peekable()), Ok(text));
        }
    }
}
