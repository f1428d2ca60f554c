//! The JSON of the segment API, and the only place that knows it.
//!
//! Writing is exact: always all three fields, since a field that is left out may be cleared. Reading is lenient (see [`page`],
//! [`changes`]) and fails only where guessing would hide a segment or a change.

mod clean;
mod list;

use compact_str::{CompactString, ToCompactString};
use serde_json::{Value, json};

use crate::remote::{Changes, Fault, FeedEvent, FeedEventKind, Page};
use crate::segment::{Draft, ExternalId, Segment, SegmentId, Step};

/// The body of a create or an update.
pub fn body(draft: &Draft) -> Vec<u8> {
    let body = json!({
        "name": draft.name.as_str(),
        "externalId": draft.external_id.as_ref().map(ExternalId::as_str),
        "parentSegmentId": draft.parent.as_ref(),
    });
    body.to_string().into_bytes()
}

/// Reads a page of the list: a bare array, or the envelope that the platform uses for its list of users (`listElement` or
/// `items`, `totalElement`).
///
/// # Errors
///
/// [`Fault::InvalidResponse`] for anything else: an object without a list, or an empty body, must not pass for the end of the
/// list.
pub fn page(body: &[u8]) -> Result<Page, Fault> {
    check_container_count(body)?;
    if let Some(page) = list::page(body) {
        return Ok(page);
    }
    let clean = clean::repair(body);
    list::page(&clean).map_or_else(|| parse_unusual_page(&clean), Ok)
}

/// Reads a page in an unusual form, or explains what is wrong with it.
fn parse_unusual_page(body: &[u8]) -> Result<Page, Fault> {
    let json = parse(body)?;
    let (items, total) = match &json {
        Value::Array(items) => (items.as_slice(), None),
        Value::Object(_) => (list_in_envelope(&json)?, parse_integer(&json["totalElement"])),
        other => return Err(unexpected("a list of segments", other)),
    };
    if items.len() > list::MAX_PAGE_ENTRIES {
        return Err(Fault::InvalidResponse { reason: format!("{} entries, more than a page can have", items.len()) });
    }
    let segments: Vec<Segment> = items.iter().filter_map(segment).collect();
    // More entries than a `u32` can count would exceed the limit on a response's size.
    let unreadable = u32::try_from(items.len() - segments.len()).unwrap_or(u32::MAX);
    Ok(Page { segments, total: total.and_then(|total| u64::try_from(total).ok()), unreadable })
}

/// Reads one segment.
///
/// # Errors
///
/// [`Fault::InvalidResponse`] for anything that isn't a segment. An empty body is an error too: it does not mean that the segment
/// is gone.
pub fn one(body: &[u8]) -> Result<Segment, Fault> {
    let json = parse(&clean::repair(body))?;
    segment(&json).ok_or_else(|| unexpected("a segment with an ID", &json))
}

/// Reads a part of the feed. An empty body means that nothing happened; a `nextId` below 1 is ignored.
///
/// # Errors
///
/// [`Fault::InvalidResponse`] for a response with neither `nextId` nor `events`: if it passed for an empty feed, every change
/// would be missed.
pub fn changes(body: &[u8]) -> Result<Changes, Fault> {
    let json = parse(&clean::repair(body))?;
    if json.is_null() {
        return Ok(Changes::default());
    }
    if json.get("nextId").is_none() && json.get("events").is_none() {
        return Err(unexpected("`nextId` and `events`", &json));
    }
    let items = match &json["events"] {
        Value::Null => &[],
        Value::Array(items) => items.as_slice(),
        other => return Err(unexpected("a list of events", other)),
    };
    let events: Vec<FeedEvent> = items.iter().filter_map(event).collect();
    if events.len() < items.len() {
        tracing::warn!(count = items.len() - events.len(), "events of the feed name no segment and are left out");
    }
    let next = parse_integer(&json["nextId"]).filter(|&step| step >= Step::FIRST.0).map(Step);
    Ok(Changes { next, events })
}

/// Reads the id of a new segment.
///
/// # Errors
///
/// [`Fault::InvalidResponse`] if there is none.
pub fn created(body: &[u8]) -> Result<SegmentId, Fault> {
    let json = parse(&clean::repair(body))?;
    id(&json["id"]).ok_or_else(|| unexpected("the ID of the new segment", &json))
}

/// The longest body that is parsed generically, that is, not as a plain list: a parsed value takes many times the memory of its
/// text.
const MAX_GENERIC_BODY_LEN: usize = 4 * 1024 * 1024;

/// The most objects and arrays in one response: each takes up to a hundred times the memory of its text. The largest page that a
/// profile can ask for has 10,000 entries, and a part of the feed of 4 MiB some 60,000 events.
const MAX_CONTAINERS: usize = 100_000;

/// Refuses a body that would take many times its length in memory, before it is parsed. Brackets inside names count as well.
fn check_container_count(body: &[u8]) -> Result<(), Fault> {
    let container_count = body.iter().filter(|&&byte| byte == b'{' || byte == b'[').count();
    if container_count > MAX_CONTAINERS {
        return Err(Fault::InvalidResponse {
            reason: format!("{container_count} objects and lists, more than a response can have"),
        });
    }
    Ok(())
}

fn parse(body: &[u8]) -> Result<Value, Fault> {
    if body.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    check_container_count(body)?;
    if body.len() > MAX_GENERIC_BODY_LEN {
        return Err(Fault::InvalidResponse { reason: format!("expected JSON; got: {}", excerpt(body)) });
    }
    serde_json::from_slice(body)
        .map_err(|error| Fault::InvalidResponse { reason: format!("expected JSON, {error}; got: {}", excerpt(body)) })
}

/// The platform's documentation shows both names in one example, so the first list that isn't empty is taken.
fn list_in_envelope(json: &Value) -> Result<&[Value], Fault> {
    let lists = ["listElement", "items"].map(|name| json.get(name));
    let filled = lists.iter().flatten().find_map(|list| list.as_array().filter(|items| !items.is_empty()));
    let empty = || lists.iter().flatten().any(|list| list.is_array() || list.is_null());
    match filled {
        Some(items) => Ok(items),
        None if empty() => Ok(&[]),
        None => Err(unexpected("a list of segments", json)),
    }
}

fn segment(json: &Value) -> Option<Segment> {
    let segment = Segment {
        id: id(&json["id"])?,
        name: text(&json["name"]).unwrap_or_default(),
        external_id: text(&json["externalId"]),
        parent: id(&json["parentSegmentId"]),
    };
    is_within_limits(&segment).then_some(segment)
}

/// The longest name, and the longest id of any kind, in bytes: far beyond what people and programs use, and short enough to be
/// displayed without delay.
const MAX_NAME_LEN: usize = 64 * 1024;
const MAX_ID_LEN: usize = 1024;

/// Whether the texts of a segment are short enough to be displayed. A segment with longer ones counts as unreadable, since a
/// shortened name would be written back shortened.
fn is_within_limits(segment: &Segment) -> bool {
    let is_short = |id: &SegmentId| id.text().len() <= MAX_ID_LEN;
    segment.name.len() <= MAX_NAME_LEN
        && is_short(&segment.id)
        && segment.parent.as_ref().is_none_or(is_short)
        && segment.external_id.as_ref().is_none_or(|id| id.len() <= MAX_ID_LEN)
}

fn event(json: &Value) -> Option<FeedEvent> {
    let kind = text(&json["type"]).or_else(|| text(&json["eventType"])).unwrap_or_default();
    let kind = match kind.to_ascii_lowercase().as_str() {
        "create" | "created" => FeedEventKind::Created,
        "delete" | "deleted" => FeedEventKind::Deleted,
        _ => FeedEventKind::Updated,
    };
    let id = id(&json["segmentId"]).filter(|id| id.text().len() <= MAX_ID_LEN)?;
    Some(FeedEvent { id, kind })
}

fn id(json: &Value) -> Option<SegmentId> {
    SegmentId::new(&text(json)?)
}

/// A field as text, whatever its JSON type; null and the empty string mean "not set".
fn text(json: &Value) -> Option<CompactString> {
    match json {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.into()),
        other => Some(other.to_compact_string()),
    }
}

fn parse_integer(json: &Value) -> Option<i64> {
    json.as_i64().or_else(|| json.as_str()?.trim().parse().ok())
}

fn unexpected(expected: &str, json: &Value) -> Fault {
    let received = match json {
        Value::Null => "the body was empty".to_owned(),
        other => format!("got: {}", excerpt(other.to_string().as_bytes())),
    };
    Fault::InvalidResponse { reason: format!("expected {expected}; {received}") }
}

/// Enough of a response to recognise a login page or another service.
fn excerpt(body: &[u8]) -> String {
    const MAX_EXCERPT_CHARS: usize = 80;
    super::server_message::sanitize(&String::from_utf8_lossy(&body[..body.len().min(4 * MAX_EXCERPT_CHARS)]))
        .chars()
        .take(MAX_EXCERPT_CHARS)
        .collect()
}

#[cfg(test)]
mod tests;
