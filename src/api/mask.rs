//! Masks the API key in what a server sends, however the server has encoded it.
//!
//! A server that is being debugged may echo the request: verbatim, with JSON escapes, as HTML entities, percent-encoded, split by
//! tags, or several of these at once. So a text is decoded in all of these ways, and every part of the original text that spells
//! a usable part of the key is replaced. Decoding the masked text reveals no key either.

use crate::printable::is_hidden;
use hashbrown::HashSet;
use secrecy::{ExposeSecret, SecretString};

/// What replaces the key.
const MASKED: &str = "[API key]";
/// How many consecutive characters of the key are masked. A shorter key, such as the `demo` of a test server, is no secret and
/// occurs in ordinary words.
const MIN_MASKED_LEN: usize = 8;
/// How many times a text is decoded: each layer of software on the way may have encoded it once.
const MAX_DECODE_PASSES: usize = 4;
/// The longest entity that is decoded, counted from `&`. Numbers may have leading zeros.
const MAX_ENTITY_LEN: usize = 40;

/// A character, and the bytes of the original text that encode it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DecodedChar {
    character: char,
    start: usize,
    end: usize,
}

/// The text with the key and all parts of it masked.
#[must_use]
pub fn without_key(text: &str, key: &SecretString) -> String {
    let key: Vec<char> = key.expose_secret().chars().collect();
    if key.len() < MIN_MASKED_LEN {
        return text.to_owned();
    }
    let parts: HashSet<&[char]> = key.windows(MIN_MASKED_LEN).collect();
    let mut ranges = Vec::new();
    let mut layer: Vec<DecodedChar> = text
        .char_indices()
        .map(|(start, character)| DecodedChar { character, start, end: start + character.len_utf8() })
        .collect();
    for _ in 0..=MAX_DECODE_PASSES {
        find_key_ranges(&without_hidden(&layer), &parts, &mut ranges);
        find_key_ranges(&without_hidden(&without_tags(&layer)), &parts, &mut ranges);
        let decoded = decode_once(&layer);
        if decoded.len() == layer.len() {
            break;
        }
        layer = decoded;
    }
    mask_ranges(text, ranges)
}

/// Collects the byte ranges that spell parts of the key.
fn find_key_ranges(layer: &[DecodedChar], parts: &HashSet<&[char]>, ranges: &mut Vec<(usize, usize)>) {
    let characters: Vec<char> = layer.iter().map(|decoded_char| decoded_char.character).collect();
    for (at, window) in characters.windows(MIN_MASKED_LEN).enumerate() {
        if parts.contains(window) {
            ranges.push((layer[at].start, layer[at + MIN_MASKED_LEN - 1].end));
        }
    }
}

fn mask_ranges(text: &str, mut ranges: Vec<(usize, usize)>) -> String {
    ranges.sort_unstable();
    let (mut cleaned, mut at) = (String::with_capacity(text.len()), 0);
    for (start, end) in ranges {
        if start > at || (start == at && cleaned.is_empty()) {
            cleaned.push_str(&text[at..start]);
            cleaned.push_str(MASKED);
        }
        at = at.max(end);
    }
    cleaned.push_str(&text[at..]);
    cleaned
}

/// The text without characters that no screen shows. They may be removed later, and what is left must not spell the key then.
fn without_hidden(layer: &[DecodedChar]) -> Vec<DecodedChar> {
    layer.iter().copied().filter(|decoded_char| !is_hidden(decoded_char.character)).collect()
}

fn without_tags(layer: &[DecodedChar]) -> Vec<DecodedChar> {
    let mut inside = false;
    let mut kept = Vec::with_capacity(layer.len());
    for decoded_char in layer {
        match decoded_char.character {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => kept.push(*decoded_char),
            _ => {}
        }
    }
    kept
}

/// The text with one layer of escapes, entities and percent-encoding decoded.
fn decode_once(layer: &[DecodedChar]) -> Vec<DecodedChar> {
    let mut decoded = Vec::with_capacity(layer.len());
    let mut at = 0;
    while at < layer.len() {
        let rest = &layer[at..];
        let (character, length) = decode_escape(rest)
            .or_else(|| decode_entity(rest))
            .or_else(|| decode_percent(rest))
            .unwrap_or((rest[0].character, 1));
        decoded.push(DecodedChar { character, start: rest[0].start, end: rest[length - 1].end });
        at += length;
    }
    decoded
}

/// A character escaped as in JSON or a programming language, and the length of the escape.
fn decode_escape(text: &[DecodedChar]) -> Option<(char, usize)> {
    let [DecodedChar { character: '\\', .. }, second, ..] = text else { return None };
    match second.character {
        'u' | 'U' => {
            // `\u003d`, or `\u{3d}` as in some languages.
            let braced = text.get(2).is_some_and(|decoded_char| decoded_char.character == '{');
            if braced {
                let digits = text[3..].iter().take(8).position(|decoded_char| decoded_char.character == '}')?;
                return Some((parse_hex_char(&text[3..3 + digits])?, 4 + digits));
            }
            Some((parse_hex_char(text.get(2..6)?)?, 6))
        }
        'x' => Some((parse_hex_char(text.get(2..4)?)?, 4)),
        character @ ('"' | '\\' | '/' | '\'') => Some((character, 2)),
        _ => None,
    }
}

/// A character written as an HTML entity, and the length of the entity. Browsers accept numbers and the oldest names without the
/// semicolon.
fn decode_entity(text: &[DecodedChar]) -> Option<(char, usize)> {
    if text.first()?.character != '&' {
        return None;
    }
    let name: String = text[1..].iter().take(MAX_ENTITY_LEN).map(|decoded_char| decoded_char.character).collect();
    let (character, length) = if let Some(digits) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        parse_char_code(digits, 16).map(|(character, length)| (character, 2 + length))?
    } else if let Some(digits) = name.strip_prefix('#') {
        parse_char_code(digits, 10).map(|(character, length)| (character, 1 + length))?
    } else {
        let terminated = name.split_once(';').map_or("", |(name, _)| name);
        let named = NAMED_ENTITIES.iter().find(|(known, _)| *known == terminated);
        let (known, character) = named
            .or_else(|| NAMED_ENTITIES[..LEGACY_ENTITY_COUNT].iter().find(|(known, _)| name.starts_with(known)))?;
        (*character, known.len())
    };
    let semicolon = usize::from(name[length..].starts_with(';'));
    Some((character, 1 + length + semicolon))
}

/// The character whose code begins a text, and the number of digits.
fn parse_char_code(text: &str, radix: u32) -> Option<(char, usize)> {
    let digits = text.chars().take_while(|digit| digit.is_digit(radix)).count();
    let character = char::from_u32(u32::from_str_radix(&text[..digits], radix).ok()?)?;
    Some((character, digits))
}

/// The first this many names need no semicolon.
const LEGACY_ENTITY_COUNT: usize = 4;

/// Entities for the characters that a key may contain: printable ASCII.
const NAMED_ENTITIES: [(&str, char); 32] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("verbar", '|'),
    ("rcub", '}'),
    ("hyphen", '-'),
];

fn decode_percent(text: &[DecodedChar]) -> Option<(char, usize)> {
    if text.first()?.character != '%' {
        return None;
    }
    // Beyond ASCII a character takes several of these, and no key has such characters.
    Some((parse_hex_char(text.get(1..3)?).filter(char::is_ascii)?, 3))
}

fn parse_hex_char(digits: &[DecodedChar]) -> Option<char> {
    let value = digits
        .iter()
        .try_fold(0_u32, |value, digit| value.checked_mul(16)?.checked_add(digit.character.to_digit(16)?))?;
    (!digits.is_empty()).then(|| char::from_u32(value)).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = r#"Ab3+/x=9&"q\7:zz.Top-Secret_half%41"#;

    /// One way to encode a character.
    fn encode(character: char, encoding: u8) -> String {
        let code = u32::from(character);
        let named = NAMED_ENTITIES.iter().find(|(_, known)| *known == character).map(|(name, _)| format!("&{name};"));
        let old = NAMED_ENTITIES[..LEGACY_ENTITY_COUNT]
            .iter()
            .find(|(_, known)| *known == character)
            .map(|(name, _)| format!("&{name}"));
        match encoding % ENCODING_COUNT {
            0 => format!("\\u{code:04x}"),
            1 => format!("\\u{code:04X}"),
            2 => format!("&#{code};"),
            3 => format!("&#x{code:x};"),
            4 => format!("&#X{code:04X};"),
            5 => format!("%{code:02X}"),
            6 => format!("%{code:02x}"),
            7 => format!("{character}\u{200b}"),
            // A digit after the entity would belong to its number, so the number has the most digits allowed.
            8 => format!("&#x{code:030x};"),
            9 => format!("&#{code:032};"),
            10 => named.unwrap_or_else(|| character.to_string()),
            11 => old.unwrap_or_else(|| character.to_string()),
            12 => format!("\\u{{{code:x}}}"),
            13 => format!("\\x{code:02x}"),
            _ => character.to_string(),
        }
    }

    const ENCODING_COUNT: u8 = 15;

    /// Whether a text, decoded in any of the usual ways, contains a part of the key.
    fn reveals_key(text: &str, key: &str) -> bool {
        let mut texts = vec![text.to_owned()];
        for _ in 0..3 {
            let last = texts.last().unwrap().clone();
            let json = serde_json::from_str::<String>(&format!("\"{}\"", last.replace('"', "\\\"")));
            texts.extend(json.ok());
            texts.push(percent_encoding::percent_decode_str(&last).decode_utf8_lossy().into_owned());
        }
        let parts: Vec<&str> = (0..=key.len() - MIN_MASKED_LEN).map(|at| &key[at..at + MIN_MASKED_LEN]).collect();
        texts.iter().any(|text| parts.iter().any(|part| text.contains(part)))
    }

    proptest! {
        #[test]
        fn the_key_is_masked_in_every_encoding(
            before in "[a-z <>&%]{0,20}",
            after in "[a-z <>&%]{0,20}",
            key in prop_oneof![Just(KEY.to_owned()), "[!-~]{16,60}"],
            encodings in proptest::collection::vec(0..ENCODING_COUNT, 60),
            extra_passes in 0_usize..3,
        ) {
            // Such a key could occur in the text around it.
            prop_assume!(!key.chars().all(|character| "[API key]<>&% ".contains(character) || character.is_ascii_lowercase()));
            let mut encoded: String = key.chars().zip(&encodings).map(|(character, encoding)| encode(character, *encoding)).collect();
            for _ in 0..if encoded.is_ascii() { extra_passes } else { 0 } {
                encoded = encoded.chars().map(|character| encode(character, 5)).collect();
            }
            let text = format!("{before}{encoded}{after}");
            let cleaned = without_key(&text, &key.clone().into());
            prop_assert!(!reveals_key(&cleaned, &key), "{} became {}", text, cleaned);
            prop_assert!(cleaned.contains(MASKED), "{} became {}", text, cleaned);
        }

        #[test]
        fn a_text_without_the_key_is_unchanged(text in "[a-zA-Z0-9 ąęłóż<>&;%\\\\\"]{0,200}") {
            prop_assume!(!text.contains("Secret") && !text.contains("half"));
            prop_assert_eq!(without_key(&text, &KEY.into()), text);
        }
    }

    #[test]
    fn common_echoes_are_masked_as_a_whole() {
        let key: SecretString = "aaaa+bbbb=cccc&dddd:eeee/ffff".into();
        for echo in [
            "aaaa+bbbb=cccc&dddd:eeee/ffff",
            r"aaaa\u002Bbbbb\u003dcccc\u0026dddd:eeee\/ffff",
            "aaaa&#43;bbbb&#x3d;cccc&amp;dddd&colon;eeee&sol;ffff",
            "aaaa%2Bbbbb%3Dcccc%26dddd%3Aeeee%2Fffff",
            "aaaa+bbbb=cccc&dddd:<b>eeee</b>/ffff",
            "aaaa&amp;#43;bbbb=cccc&amp;amp;dddd:eeee/ffff",
        ] {
            assert_eq!(without_key(&format!("key {echo}!"), &key), "key [API key]!", "{echo}");
        }
        assert_eq!(without_key("a half: aaaa+bbbb=cccc", &key), "a half: [API key]");
        assert_eq!(without_key("a demo", &"demo".into()), "a demo");
    }
}
