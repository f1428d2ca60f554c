//! Repairs almost-valid JSON, so that one broken name does not hide a whole tenant.

use std::borrow::Cow;

/// The UTF-8 byte order mark, which some systems put at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What replaces unreadable parts.
const REPLACEMENT: &[u8] = br"\ufffd";

/// The text without a byte order mark, and with invalid UTF-8 and lone surrogates replaced.
pub(super) fn repair(body: &[u8]) -> Cow<'_, [u8]> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let text = match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    match without_lone_surrogates(&text) {
        Some(clean) => Cow::Owned(clean),
        None => text,
    }
}

/// The text with escapes of lone surrogates replaced; `None` if there are none.
fn without_lone_surrogates(text: &[u8]) -> Option<Vec<u8>> {
    let mut clean: Option<Vec<u8>> = None;
    let (mut at, mut copied_until) = (0, 0);
    while let Some(found) = text[at..].iter().position(|byte| *byte == b'\\') {
        let start = at + found;
        let Some(unit) = escaped_unit(&text[start..]) else {
            // A two-character escape, such as `\\`.
            at = (start + 2).min(text.len());
            continue;
        };
        let is_high = (0xd800..0xdc00).contains(&unit);
        let is_low = (0xdc00..0xe000).contains(&unit);
        let next = escaped_unit(&text[(start + 6).min(text.len())..]);
        if is_high && next.is_some_and(|next| (0xdc00..0xe000).contains(&next)) {
            at = start + 12;
            continue;
        }
        at = start + 6;
        if is_high || is_low {
            let clean = clean.get_or_insert_default();
            clean.extend_from_slice(&text[copied_until..start]);
            clean.extend_from_slice(REPLACEMENT);
            copied_until = at;
        }
    }
    clean.map(|mut clean| {
        clean.extend_from_slice(&text[copied_until..]);
        clean
    })
}

/// The UTF-16 code unit of the `\u` escape that begins a text.
fn escaped_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        String::from_utf8(repair(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        for (text, expected) in [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\\\ud800x""#, r#""\\\ufffdx""#),
            (r#""a\"b""#, r#""a\"b""#),
            (r"\", r"\"),
            (r"\ud8", r"\ud8"),
        ] {
            assert_eq!(cleaned(text), expected, "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_invalid_utf_8_are_handled() {
        assert_eq!(repair(b"\xef\xbb\xbf[]").as_ref(), b"[]");
        assert_eq!(repair(b"\"\xa3\xf3d\"").as_ref(), "\"\u{fffd}\u{fffd}d\"".as_bytes());
        assert!(matches!(repair("[\"Łódź\"]".as_bytes()), Cow::Borrowed(_)));
    }
}
