//! Finds all faults of a configuration file, not only the first.
//!
//! The parser stops at the first fault. So the faulty part is replaced by spaces, which leaves everything else in place, and the
//! rest is parsed again until there are no faults. For a file that isn't TOML, all syntax errors are reported at once.
//!
//! Settings that only a connection uses, such as the base URL and the values of headers, are validated here as a connection does
//! it. The parser accepts them as they are, since another profile can be opened, or a flag given, without them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::remote::{BaseUrl, BaseUrlFault, InsecureHttp, is_valid_header_value};

use super::File;
use super::file::{FaultInFile, Source};
use super::settings::REQUIRED;

/// The most faults that are reported.
const MAX_FAULTS: usize = 200;

/// All faults of a file's text, sorted by line; `path` is used in the faults.
#[must_use]
pub fn faults(text: &str, path: &Path) -> Vec<FaultInFile> {
    let (_, broken) = DeTable::parse_recoverable(text);
    let source = Source::new(text, path);
    let mut faults: Vec<FaultInFile> = broken.iter().take(MAX_FAULTS).map(|error| source.broken(error)).collect();
    if faults.is_empty() {
        faults = value_faults(text, path);
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    faults
}

fn value_faults(text: &str, path: &Path) -> Vec<FaultInFile> {
    let mut rest = text.to_owned();
    let mut faults = Vec::new();
    while faults.len() < MAX_FAULTS {
        let Err(fault) = File::read(&rest, path) else { break };
        let next = without_fault(&rest, offset(&rest, &fault));
        faults.push(fault);
        let Some(next) = next else { break };
        rest = next;
    }
    faults.extend(connection_faults(&rest, path));
    faults
}

/// The settings that only connections use.
#[derive(Default, Deserialize)]
struct Connections {
    #[serde(default)]
    profiles: BTreeMap<String, ConnectionFields>,
}

#[derive(Deserialize)]
struct ConnectionFields {
    base_url: Option<Spanned<String>>,
    tenant: Option<Spanned<String>>,
    api_key: Option<Spanned<String>>,
    #[serde(default)]
    insecure_http: bool,
}

/// The connection faults of a text without other faults.
fn connection_faults(text: &str, path: &Path) -> Vec<FaultInFile> {
    let source = Source::new(text, path);
    let connections: Connections = toml::from_str(text).unwrap_or_default();
    let of_profile = |profile: ConnectionFields| {
        let insecure_http = if profile.insecure_http { InsecureHttp::Allowed } else { InsecureHttp::Refused };
        let base_url = profile.base_url.and_then(|url| {
            let fault = BaseUrl::parse(url.get_ref(), insecure_http).err()?;
            Some((url.span(), base_url_message(&fault)))
        });
        let header = |key: &str, value: Option<Spanned<String>>| {
            let value = value.filter(|value| !is_valid_header_value(value.get_ref()))?;
            let what = match value.get_ref().trim() {
                "" => format!("`{key}` is empty"),
                _ => {
                    format!("`{key}` has characters that can't be sent in a header, such as a line break or an accent")
                }
            };
            Some((value.span(), what))
        };
        [base_url, header("tenant", profile.tenant), header("api_key", profile.api_key)].into_iter().flatten()
    };
    let faults = connections.profiles.into_values().flat_map(of_profile);
    faults.map(|(span, what)| source.fault(span, what)).collect()
}

fn base_url_message(fault: &BaseUrlFault) -> String {
    match fault {
        BaseUrlFault::Insecure { .. } => {
            "`base_url` would expose the API key on the network; use https, or set `insecure_http = true`".into()
        }
        other => format!("invalid `base_url`: {other}"),
    }
}

/// The byte offset of a fault.
fn offset(text: &str, fault: &FaultInFile) -> usize {
    let line_start = text.split_inclusive('\n').take(fault.line - 1).map(str::len).sum::<usize>();
    let line = text.get(line_start..).unwrap_or_default();
    let column_offset: usize = line.chars().take(fault.column - 1).map(char::len_utf8).sum();
    line_start + column_offset
}

/// The text without the part at a position: an element of a list, else a key with its value, else a whole table, whichever leaves
/// valid TOML. A required key gets another value instead, since it would be reported as missing. `None` if nothing works.
fn without_fault(text: &str, fault_offset: usize) -> Option<String> {
    let document = DeTable::parse(text).ok()?;
    let mut parts = Vec::new();
    let location = FaultLocation { fault_offset, headings: headings(document.get_ref()), end: text.len() };
    collect_parts(document.get_ref(), &location, None, &mut parts);
    let is_command = parts.first().is_some_and(|part| part.key.as_deref() == Some("command"));
    parts.into_iter().rev().find_map(|part| {
        let required = part.key.filter(|key| is_command && REQUIRED.contains(&key.as_str()));
        let next =
            blank_out(text, part.range, &required.map(|key| format!("{key}=\"{fault_offset}\"")).unwrap_or_default());
        (next != text && DeTable::parse(&next).is_ok()).then_some(next)
    })
}

/// A part that can be blanked out.
struct RemovablePart {
    range: Range<usize>,
    key: Option<String>,
}

/// A position in the text, and its surroundings.
struct FaultLocation {
    fault_offset: usize,
    /// The start offsets of table headings.
    headings: BTreeSet<usize>,
    /// The end of the text.
    end: usize,
}

/// The parts of a table that contain a position, the innermost last. `dotted` is the start of a dotted key that the table is part
/// of, as in `a.b = 1`.
fn collect_parts(table: &DeTable<'_>, location: &FaultLocation, dotted: Option<usize>, parts: &mut Vec<RemovablePart>) {
    for (key, value) in table {
        let name = Some(key.get_ref().to_string());
        let (key, span) = (key.span(), value.span());
        if is_heading(key.clone(), value) {
            for table in tables(value) {
                let range = table_range(table.span().start, location);
                if range.contains(&location.fault_offset) {
                    parts.push(RemovablePart { range, key: name.clone() });
                }
                if let DeValue::Table(inner) = table.get_ref() {
                    collect_parts(inner, location, None, parts);
                }
            }
            continue;
        }
        let start = dotted.unwrap_or(key.start);
        let range = start..span.end;
        if range.contains(&location.fault_offset) {
            parts.push(RemovablePart { range, key: name });
        }
        match value.get_ref() {
            DeValue::Array(elements) => {
                let elements =
                    elements.iter().map(Spanned::span).filter(|range| range.contains(&location.fault_offset));
                parts.extend(elements.map(|range| RemovablePart { range, key: None }));
            }
            // A table without its own position is only named: in `a.b`, and in `[a.b]`.
            DeValue::Table(inner) if span == key => collect_parts(inner, location, Some(start), parts),
            DeValue::Table(inner) => collect_parts(inner, location, None, parts),
            _ => {}
        }
    }
}

/// Whether a value is one or several tables with headings in brackets, not an inline value after its key.
fn is_heading(key: Range<usize>, value: &Spanned<DeValue<'_>>) -> bool {
    match value.get_ref() {
        DeValue::Table(_) => value.span().start < key.start,
        DeValue::Array(elements) => elements.first().is_some_and(|first| first.span().start < key.start),
        _ => false,
    }
}

fn tables<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Vec<&'a Spanned<DeValue<'i>>> {
    match value.get_ref() {
        DeValue::Array(elements) => elements.iter().collect(),
        _ => vec![value],
    }
}

/// The start offsets of table headings.
fn headings(table: &DeTable<'_>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for (key, value) in table {
        let is_heading = is_heading(key.span(), value);
        for table in tables(value) {
            if is_heading {
                found.insert(table.span().start);
            }
            if let DeValue::Table(inner) = table.get_ref() {
                found.extend(headings(inner));
            }
        }
    }
    found
}

/// The range of a table, from its heading to the next one.
fn table_range(start: usize, location: &FaultLocation) -> Range<usize> {
    start..location.headings.range(start + 1..).next().copied().unwrap_or(location.end)
}

/// The text with a range, and a comma after it, replaced by spaces, or the range preceded by another text; line breaks are kept.
fn blank_out(text: &str, range: Range<usize>, replacement: &str) -> String {
    let (Some(before), Some(part), Some(after)) =
        (text.get(..range.start), text.get(range.clone()), text.get(range.end..))
    else {
        return text.to_owned();
    };
    let gap = after.len() - after.trim_start_matches(|blank: char| blank.is_whitespace()).len();
    let after = match after[gap..].strip_prefix(',') {
        Some(rest) => format!("{} {rest}", &after[..gap]),
        None => after.to_owned(),
    };
    let blanks: String = part.chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect();
    format!("{before}{replacement}{blanks}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_messages(text: &str) -> Vec<String> {
        faults(text, Path::new("c")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_faults_of_a_file_are_reported_with_their_places() {
        let text = r##"
default_profile = "nowhere"
theme = { name = "neon", styles = { bad = { fg = "crimson", bold = 1 } } }
nonsense = 7

[profiles.a]
page_size = 0
poll = "often"   # no number
contexts = ["ERP", "BACKOFFICE", "CRM"]
owned = [
    "łódź-*", "", "ERP-*",
    "",
]
tenant = "acme"

[profiles.b]
api_key = "hunter2"
api_key_env = "B"
colour = "#gg0000"

[keys]
fimd = "f"
edit = ["hyperdrive", "e"]

[[command]]
name = "Report"

[[command]]
name = "Report 2"
run = []
on = "everything"

[unknown.table]
x = 1
"##;
        let expected = [
            "c:2:19: there is no profile `nowhere` in this file",
            "c:3:18: unknown theme `neon`",
            "c:3:50: invalid colour `crimson`",
            "c:3:68: expected true or false, not a whole number",
            "c:4:1: unknown field `nonsense`",
            "c:7:13: `page_size` is 0; expected 1 to 10000",
            "c:8:8: expected a number, not a text",
            "c:9:13: unknown context `ERP`",
            "c:9:34: unknown context `CRM`",
            "c:11:15: empty pattern",
            "c:12:5: empty pattern",
            "c:18:15: the API key is set twice",
            "c:19:10: invalid colour `#gg0000`",
            "c:22:1: unknown action `fimd`; did you mean `find`?",
            "c:23:9: invalid key `hyperdrive`",
            "c:25:1: `run` is missing",
            "c:30:7: expected a program",
            "c:31:6: `on` is `everything`",
            "c:33:2: unknown field `unknown`",
        ];
        let messages = fault_messages(text);
        assert_eq!(messages.len(), expected.len(), "{messages:#?}");
        for (message, expected) in messages.iter().zip(expected) {
            assert!(message.starts_with(expected), "{message}\n{expected}");
        }
    }

    #[test]
    fn faults_of_connection_settings_are_reported_too() {
        let text = r#"
[profiles.a]
base_url = "::not a url::"
tenant = ""
api_key = "hunter2ł"

[profiles.b]
base_url = "http://one.example"
poll = 0

[profiles.c]
base_url = "http://one.example"
insecure_http = true
tenant = "acme"
"#;
        let messages = fault_messages(text);
        let expected = [
            "c:3:12: invalid `base_url`: not a valid URL",
            "c:4:10: `tenant` is empty",
            "c:5:11: `api_key` has characters that can't be sent",
            "c:8:12: `base_url` would expose the API key",
            "c:9:8: `poll` is 0",
        ];
        assert_eq!(messages.len(), expected.len(), "{messages:#?}");
        for (message, expected) in messages.iter().zip(expected) {
            assert!(message.starts_with(expected) && !message.contains("hunter2"), "{message}\n{expected}");
        }
    }

    #[test]
    fn a_fault_caused_by_another_is_not_reported() {
        let messages = fault_messages("[[command]]\nname = 7\nrun = \"x\"\n");
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].starts_with("c:2:8: expected a text"), "{messages:?}");
    }

    #[test]
    fn all_syntax_errors_are_reported_without_a_key() {
        let messages = fault_messages("[profiles.a]\ntenant = \napi_key = \"hunter2\nx = 1 2\n");
        assert!(messages.len() >= 3, "{messages:#?}");
        assert!(messages[0].starts_with("c:2:10:"), "{messages:#?}");
        assert!(!messages.concat().contains("hunter2"), "{messages:#?}");
    }

    #[test]
    fn a_file_without_faults_has_none() {
        assert_eq!(fault_messages(""), Vec::<String>::new());
        assert_eq!(fault_messages("default_profile = \"a\"\n[profiles.a]\ntenant = \"acme\"\n"), Vec::<String>::new());
    }

    #[test]
    fn the_search_for_faults_always_terminates() {
        let many = (0..900).map(|number| format!("k{number} = 1")).collect::<Vec<_>>().join("\n");
        let line = "x = { y = [1, { z = [2, [3, \"[\"] ] }] }\n";
        for text in [
            line.to_owned(),
            "a.b.c = 1\nd.\"e\".f = { g.h = [] }\n".into(),
            "[a]\n[a.b]\n[[a.c]]\n[a.c.d]\n".into(),
            many.clone(),
        ] {
            assert!(!fault_messages(&text).is_empty());
        }
        assert_eq!(fault_messages(&many).len(), MAX_FAULTS);
    }
}
