//! One request as lines of text: the request, the response, and both bodies, with JSON pretty-printed.

use std::iter;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::remote::{Excerpt, Exchange};

use crate::app::side::details::error_aloud;
use crate::app::side::words;
use crate::app::{DetailLine, Panes, RequestsPage};
use crate::numbers::size;

/// The width of the label column, as in the details pane.
const LABEL_COLUMNS: usize = 13;
/// Deepest level that is indented further.
const MAX_INDENT_DEPTH: usize = 20;

/// Returns the lines for a request, wrapped to the width of the requests page.
#[must_use]
pub fn request_lines(exchange: &Exchange, panes: &Panes, zone: &TimeZone) -> Vec<DetailLine> {
    let mut lines = Lines { width: RequestsPage::of(panes).columns, lines: Vec::new() };
    lines.field("Request", &format!("{} {}", exchange.method, exchange.url));
    lines.field("Time", &exchange.at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string());
    lines.field("Tenant", &exchange.tenant);
    lines.field("Try", &exchange.attempt.to_string());
    let status = exchange.status.map_or_else(|| words::NO_RESPONSE.into(), |status| status.to_string());
    let (elapsed, bytes) = (duration(exchange.elapsed), size(exchange.response.bytes));
    if panes.accessible {
        lines.field("Response", &status);
        lines.field("Took", &elapsed);
        lines.field("Size", &bytes);
    } else {
        lines.field("Response", &format!("{status} · {elapsed} · {bytes}"));
    }
    match &exchange.fault {
        Some(fault) if panes.accessible => lines.lines.extend(error_aloud(&fault.to_string(), lines.width)),
        Some(fault) => lines.wrapped(&fault.to_string(), 2, DetailLine::Wrong),
        None => {}
    }
    if let Some(sent) = &exchange.sent {
        lines.body("Request body", sent);
    }
    lines.body("Response body", &exchange.response);
    if panes.accessible {
        // A screen reader gets nothing out of a blank line.
        lines.lines.retain(|line| *line != DetailLine::Blank);
    }
    lines.lines
}

/// Formats an elapsed time in a few characters.
#[must_use]
pub fn duration(elapsed: Duration) -> String {
    match elapsed.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        1000..100_000 => format!("{:.1} s", elapsed.as_secs_f64()),
        _ => format!("{} s", elapsed.as_secs()),
    }
}

struct Lines {
    width: usize,
    lines: Vec<DetailLine>,
}

impl Lines {
    fn field(&mut self, label: &'static str, value: &str) {
        let parts = textwrap::wrap(value, self.width.saturating_sub(LABEL_COLUMNS).max(1));
        for (at, part) in parts.into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            self.lines.push(DetailLine::Field { label, value: part.into_owned() });
        }
    }

    fn wrapped(&mut self, text: &str, indent: usize, line: impl Fn(String) -> DetailLine) {
        let parts = textwrap::wrap(text, self.width.saturating_sub(indent).max(1));
        self.lines.extend(parts.into_iter().map(|part| line(part.into_owned())));
    }

    fn body(&mut self, heading: &'static str, body: &Excerpt) {
        self.lines.extend([DetailLine::Blank, DetailLine::Heading(heading)]);
        let text = body.text.trim();
        if text.is_empty() {
            self.lines.push(DetailLine::Text(words::EMPTY_BODY.into()));
        }
        let laid_out = if text.starts_with(['{', '[']) { pretty_json(text) } else { text.to_owned() };
        for line in laid_out.lines() {
            self.wrapped(&line.replace('\t', "  "), 0, DetailLine::Text);
        }
        if body.is_cut() {
            self.lines.push(DetailLine::Text(words::bytes_not_kept(body.cut)));
        }
    }
}

/// Pretty-prints JSON without parsing it, so truncated or invalid JSON works too, and every number and escape stays as it was
/// sent.
fn pretty_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut rest = json.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => {
                text.push('"');
                copy_string(&mut rest, &mut text);
            }
            '{' | '[' => {
                text.push(character);
                while rest.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(close) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(close);
                } else {
                    depth += 1;
                    break_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(',');
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            blank if blank.is_whitespace() => {}
            other => text.push(other),
        }
    }
    text
}

fn copy_string(rest: &mut impl Iterator<Item = char>, text: &mut String) {
    while let Some(character) = rest.next() {
        text.push(character);
        match character {
            '"' => return,
            '\\' => text.extend(rest.next()),
            _ => {}
        }
    }
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(iter::repeat_n("  ", depth.min(MAX_INDENT_DEPTH)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_pretty_printed_without_changing_values() {
        let json = r#"{"a":[1,{"b":"x, \"{y}\" \u0142"},[],{ }],"c":1.50}"#;
        let expected = r#"{
  "a": [
    1,
    {
      "b": "x, \"{y}\" \u0142"
    },
    [],
    {}
  ],
  "c": 1.50
}"#;
        assert_eq!(pretty_json(json), expected);
        assert_eq!(pretty_json(expected), expected);
    }

    #[test]
    fn truncated_json_is_pretty_printed_up_to_the_cut() {
        let json = r#"{"a":[1,{"b":"x \" łódź"}]}]}"#;
        let bare = |text: &str| text.replace(char::is_whitespace, "");
        for (end, _) in json.char_indices() {
            assert_eq!(bare(&pretty_json(&json[..end])), bare(&json[..end]));
        }
    }

    #[test]
    fn a_duration_takes_few_characters() {
        let millis = |ms| duration(Duration::from_millis(ms));
        assert_eq!([millis(34), millis(1270), millis(120_400)], ["34 ms", "1.3 s", "120 s"]);
    }
}
