//! A change as a line: for reading, or as a JSON object.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::digest;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::printable::{printable, printable_json};
use crate::remote::{Contexts, FeedEventKind};
use crate::segment::{Field, Segment, SegmentId, Step};
use crate::sync::SegmentChange;

use super::state::Outcome;

/// One change of one segment.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// When it was seen.
    time: Timestamp,
    kind: Kind,
    id: SegmentId,
    /// The segment's current state; `None` if it is deleted.
    segment: Option<Arc<Segment>>,
    /// The previous state; `None` if unknown. Not written itself; `changed` follows from it.
    #[serde(skip)]
    before: Option<Before>,
    /// Old and new value by field; `None` if the previous state is unknown.
    changed: Option<Map<String, Value>>,
    /// Who made the change; empty if the feed is not fetched for each context separately.
    contexts: Contexts,
    /// The tenant that the segment belongs to.
    #[serde(flatten)]
    source: Arc<Source>,
    /// The step to resume from to miss nothing after this line.
    pub step: Option<Step>,
}

/// A tenant on a server.
#[derive(Debug, Serialize)]
pub(super) struct Source {
    pub tenant: String,
    pub host: String,
}

#[derive(Debug)]
enum Before {
    Nothing,
    Segment(Arc<Segment>),
}

/// What happened to a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Create,
    Update,
    Delete,
}

impl Line {
    /// Creates the line of a change. If the segment is in its known state already, the list had the change before the feed did,
    /// and the state before it is unknown unless the feed says that it was created.
    pub fn of(seen: SegmentChange, time: Timestamp, source: &Arc<Source>, step: Option<Step>) -> Self {
        let SegmentChange { id, before, now, feed_source } = seen;
        let (kind, before) = match (before, &now) {
            (Some(before), Some(now)) if before == *now => match feed_source.kind {
                Some(FeedEventKind::Created) => (Kind::Create, Some(Before::Nothing)),
                _ => (Kind::Update, None),
            },
            (Some(before), Some(_)) => (Kind::Update, Some(Before::Segment(before))),
            (Some(before), None) => (Kind::Delete, Some(Before::Segment(before))),
            (None, Some(_)) if feed_source.kind == Some(FeedEventKind::Updated) => (Kind::Update, None),
            (None, Some(_)) => (Kind::Create, Some(Before::Nothing)),
            (None, None) => (Kind::Delete, None),
        };
        let changed = before.as_ref().map(|before| changed(before.segment(), now.as_deref()));
        Self {
            time,
            kind,
            id,
            segment: now,
            before,
            changed,
            contexts: feed_source.contexts,
            source: Arc::clone(source),
            step,
        }
    }

    /// Returns a digest of the segment's current state.
    pub fn outcome(&self) -> serde_json::Result<Outcome> {
        let state = serde_json::to_vec(&self.segment)?;
        let digest = digest::digest(&digest::SHA256, &state);
        // 64 bits are enough to tell the states of one segment apart.
        let start = digest.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Ok(Outcome { id: self.id.clone(), digest: format!("{start:016x}") })
    }

    /// Returns a line of JSON, without its line break.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self).map(|json| printable_json(&json))
    }

    /// Returns a line for reading, without its line break.
    pub fn to_text(&self, zone: &TimeZone) -> String {
        let time = self.time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
        let verb = match self.kind {
            Kind::Create => "created",
            Kind::Update => "changed",
            Kind::Delete => "deleted",
        };
        let before = self.before.as_ref().and_then(Before::segment);
        let name = self.segment.as_deref().or(before).map_or("", |segment| segment.name.as_str());
        let mut parts = vec![format!("{time} {verb} {}", self.id), name.to_owned()];
        match (before, self.segment.as_deref()) {
            (Some(before), Some(now)) => {
                let fields = before.differing_fields(now).into_iter();
                parts.extend(fields.map(|field| format!("{field}: {} → {}", shown(before, field), shown(now, field))));
            }
            (None, Some(now)) if self.kind == Kind::Create => {
                let fields = [Field::ExternalId, Field::Parent].into_iter();
                parts.extend(fields.filter_map(|field| Some(format!("{field}: {}", now.field(field)?))));
            }
            _ => {}
        }
        if !self.contexts.is_empty() {
            parts.push(format!("by {}", self.contexts));
        }
        // Names are untrusted: control characters in them are not printed.
        printable(&parts.join("  ")).into_owned()
    }
}

impl Before {
    fn segment(&self) -> Option<&Segment> {
        match self {
            Self::Nothing => None,
            Self::Segment(segment) => Some(segment),
        }
    }
}

fn shown(segment: &Segment, field: Field) -> String {
    segment.field(field).unwrap_or_else(|| "–".into())
}

/// Returns the fields that differ, by their names in the API.
fn changed(before: Option<&Segment>, now: Option<&Segment>) -> Map<String, Value> {
    let value = |segment: Option<&Segment>, field| segment.and_then(|segment| segment.field(field));
    let entries = Field::ALL.into_iter().filter_map(|field| {
        let (old, new) = (value(before, field), value(now, field));
        let name = match field {
            Field::Name => "name",
            Field::ExternalId => "externalId",
            Field::Parent => "parentSegmentId",
        };
        (old != new).then(|| (name.to_owned(), json!({ "old": old, "new": new })))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use crate::remote::Context;
    use crate::sync::FeedSource;

    use super::*;

    fn segment(name: &str, external_id: Option<&str>) -> Arc<Segment> {
        let id = SegmentId::new("vip").unwrap();
        Arc::new(Segment {
            id,
            name: name.into(),
            external_id: external_id.map(Into::into),
            parent: SegmentId::new("p"),
        })
    }

    fn line(before: Option<&Arc<Segment>>, now: Option<&Arc<Segment>>, kind: Option<FeedEventKind>) -> Line {
        let feed_source = FeedSource { kind, contexts: Contexts::default() };
        let seen = SegmentChange {
            id: SegmentId::new("vip").unwrap(),
            before: before.cloned(),
            now: now.cloned(),
            feed_source,
        };
        let source = Arc::new(Source { tenant: "acme".into(), host: "one.example".into() });
        Line::of(seen, Timestamp::UNIX_EPOCH, &source, Some(Step(7)))
    }

    fn json(line: &Line) -> String {
        line.to_json().unwrap()
    }

    #[test]
    fn a_json_line_has_all_fields_and_null_for_missing_ones() {
        let (old, new) = (segment("VIP", None), segment("VIP 2", Some("V")));
        assert_eq!(
            serde_json::from_str::<Value>(&json(&line(Some(&old), Some(&new), None))).unwrap(),
            json!({
                "time": "1970-01-01T00:00:00Z", "kind": "update", "id": "vip", "step": 7, "contexts": [],
                "tenant": "acme", "host": "one.example",
                "segment": { "id": "vip", "name": "VIP 2", "externalId": "V", "parentSegmentId": "p" },
                "changed": { "name": { "old": "VIP", "new": "VIP 2" }, "externalId": { "old": null, "new": "V" } },
            })
        );
        let deleted: Value = serde_json::from_str(&json(&line(Some(&old), None, None))).unwrap();
        assert_eq!((&deleted["kind"], &deleted["segment"]), (&json!("delete"), &Value::Null));
        assert_eq!(deleted["changed"]["name"], json!({ "old": "VIP", "new": null }));
    }

    #[test]
    fn a_repeated_change_is_recognised_by_its_new_state() {
        let (old, now, other) = (segment("VIP", None), segment("VIP", Some("V")), segment("VIP", Some("")));
        let digest = |before, now| line(before, now, None).outcome().unwrap().digest;
        assert_eq!(digest(Some(&old), Some(&now)), digest(None, Some(&now)));
        // Existing state files contain it.
        assert_eq!(digest(None, Some(&now)), "4e3218f59a41da32");
        assert_ne!(digest(None, Some(&now)), digest(None, Some(&other)));
        assert_ne!(digest(None, Some(&old)), digest(Some(&old), None));
    }

    #[test]
    fn old_values_are_given_only_if_known() {
        use FeedEventKind::{Created, Deleted, Updated};
        let now = segment("VIP", None);
        let kind_and_changed = |line: Line| (line.kind, line.changed.is_some());
        assert_eq!(kind_and_changed(line(None, Some(&now), Some(Created))), (Kind::Create, true));
        assert_eq!(kind_and_changed(line(None, Some(&now), Some(Updated))), (Kind::Update, false));
        assert_eq!(kind_and_changed(line(Some(&now), Some(&now), Some(Created))), (Kind::Create, true));
        assert_eq!(kind_and_changed(line(Some(&now), Some(&now), Some(Updated))), (Kind::Update, false));
        assert_eq!(kind_and_changed(line(None, None, Some(Deleted))), (Kind::Delete, false));
    }

    #[test]
    fn a_text_line_names_fields_without_control_characters() {
        let (old, new) = (segment("VIP", None), segment("VIP \u{1b}[2J", Some("V")));
        let mut line = line(Some(&old), Some(&new), None);
        line.contexts.extend([Context::Backoffice]);
        assert_eq!(
            line.to_text(&TimeZone::UTC),
            "1970-01-01 00:00:00 changed vip  VIP �[2J  name: VIP → VIP �[2J  external ID: – → V  by back office"
        );
    }
}
