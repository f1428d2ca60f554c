//! Extracts a server's error message from a body: problem+json, other JSON, an HTML page, plain text or nothing.
//!
//! The texts are untrusted and end up on a terminal, so they contain no control characters and are short.

use secrecy::SecretString;
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::mask;
use crate::printable::is_hidden;

/// More than anyone reads in a status line, and short enough for a dialog.
const MAX_MESSAGE_CHARS: usize = 300;

/// The fields in which common frameworks put the message, the most specific first: RFC 9457, Spring, OAuth gateways, ASP.NET.
const MESSAGE_FIELDS: [&str; 6] = ["detail", "message", "error_description", "title", "error", "reason"];

/// The message in an error's body, empty if there is none. The key, which the server may have echoed, is masked twice: before the
/// message is extracted, so that no cut leaves a part of it, and again after JSON and HTML were decoded.
#[must_use]
pub fn from_body(body: &[u8], key: &SecretString) -> String {
    let text = mask::without_key(&String::from_utf8_lossy(body), key);
    shortened(&mask::without_key(&full_message(text.as_bytes()), key))
}

/// The whole message, on one line.
fn full_message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    match serde_json::from_str::<Value>(text) {
        Ok(json) => one_line(&message_in_json(&json).unwrap_or_else(|| text.to_owned())),
        Err(_) if text.starts_with('<') => one_line(&without_tags(text)),
        Err(_) => one_line(text),
    }
}

/// An untrusted text on one line: no control characters, single spaces, cut if it is too long.
#[must_use]
pub fn sanitize(text: &str) -> String {
    shortened(&one_line(text))
}

fn one_line(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || is_hidden(c)).filter(|word| !word.is_empty());
    line.collect::<Vec<_>>().join(" ")
}

/// A line, cut if it is too long.
#[must_use]
pub fn shortened(line: &str) -> String {
    // A grapheme can be of any length, so the bytes are bounded as well: 300 characters rarely take more.
    let cut = line.grapheme_indices(true).enumerate().find_map(|(count, (start, grapheme))| {
        (count >= MAX_MESSAGE_CHARS || start + grapheme.len() > 4 * MAX_MESSAGE_CHARS).then_some(start)
    });
    cut.map_or_else(|| line.to_owned(), |end| format!("{}…", line[..end].trim_end()))
}

fn message_in_json(json: &Value) -> Option<String> {
    match json {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => join_messages(items.iter().filter_map(message_in_json)),
        Value::Object(fields) => {
            let sentence = MESSAGE_FIELDS
                .iter()
                .find_map(|&key| message_in_json(fields.get(key)?).filter(|text| !text.is_empty()));
            let details = fields.get("errors").and_then(messages_in_errors);
            match (sentence, details) {
                (Some(sentence), Some(details)) => Some(format!("{sentence}: {details}")),
                (sentence, details) => sentence.or(details),
            }
        }
        Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The messages in an `errors` field: sentences, objects that hold one, or sentences keyed by field name.
fn messages_in_errors(errors: &Value) -> Option<String> {
    match errors {
        Value::Object(fields) => message_in_json(errors).or_else(|| {
            join_messages(
                fields.iter().filter_map(|(field, message)| Some(format!("{field}: {}", message_in_json(message)?))),
            )
        }),
        other => message_in_json(other),
    }
    .filter(|text| !text.is_empty())
}

fn join_messages(texts: impl Iterator<Item = String>) -> Option<String> {
    let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Roughly the text that an HTML page shows: good enough for the error pages of proxies.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        let tag = &rest[start..];
        rest = ["<style", "<script", "<!--"]
            .into_iter()
            .zip(["</style", "</script", "-->"])
            .find(|(open, _)| tag.get(..open.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(open)))
            .and_then(|(_, close)| tag.find(close).map(|end| &tag[end..]))
            .unwrap_or(tag);
        rest = rest.find('>').map_or("", |end| &rest[end + 1..]);
    }
    text.push_str(rest);
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(text, |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_of(body: &[u8]) -> String {
        from_body(body, &"no-such-key-in-it".into())
    }

    #[test]
    fn the_message_is_found_in_every_kind_of_body() {
        for (body, expected) in [
            (r#"{"type":"about:blank","title":"Conflict","detail":"name is taken","status":409}"#, "name is taken"),
            (r#"{"title":"Conflict","status":409}"#, "Conflict"),
            (r#"{"timestamp":1,"status":400,"error":"Bad Request","message":"no parent"}"#, "no parent"),
            (r#"{"error":{"code":7,"message":"no such tenant"}}"#, "no such tenant"),
            (r#"{"errors":["first","second"]}"#, "first; second"),
            (r#"{"errors":[{"field":"name","message":"is blank"}]}"#, "is blank"),
            (
                r#"{"title":"Invalid.","errors":{"Name":["is required","is odd"]}}"#,
                "Invalid.: Name: is required; is odd",
            ),
            (r#""just a text""#, "just a text"),
            (r#"{"code":17}"#, r#"{"code":17}"#),
            ("plain words\r\n", "plain words"),
            (
                "<html><head><style>b{x}</style></head><body><h1>502 Bad&nbsp;Gateway</h1><hr>nginx</body></html>",
                "502 Bad Gateway nginx",
            ),
            ("<!DOCTYPE html><p>A &lt; B", "A < B"),
            ("null", ""),
            ("", ""),
        ] {
            assert_eq!(message_of(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn control_characters_are_removed() {
        let words = message_of(b"{\"message\":\"red \\u001b[31malert\\u0007\\r\\nnext\\u202egnp \xff\"}");
        assert_eq!(words, "red [31malert next gnp \u{fffd}");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let words = message_of("ó\u{301}".repeat(1000).as_bytes());
        assert_eq!(words.graphemes(true).count(), MAX_MESSAGE_CHARS + 1);
        assert!(words.ends_with("ó\u{301}…"));
        assert!(message_of(format!("a{}", "\u{301}".repeat(100_000)).as_bytes()).len() < 4 * MAX_MESSAGE_CHARS + 4);
    }

    #[test]
    fn a_truncated_html_page_does_no_harm() {
        let page = "<html><!-- c --><script>if (a<b) {}</script>Łódź <b>x</b></html>";
        for (end, _) in page.char_indices() {
            assert!(!message_of(&page.as_bytes()[..end]).contains('\n'));
        }
        assert_eq!(message_of(page.as_bytes()), "Łódź x");
    }
}
