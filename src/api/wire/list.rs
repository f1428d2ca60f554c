//! Deserialises a page of the list directly into segments. Up to a million segments arrive this way, so nothing is allocated that
//! isn't kept; anything unusual is left to the slow path in [`super`], which can report what is wrong.

use std::fmt;
use std::marker::PhantomData;

use compact_str::{CompactString, ToCompactString};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::remote::Page;
use crate::segment::{Segment, SegmentId};

/// Reads a page if it is a list, bare or in an envelope, of what may be segments.
pub(super) fn page(body: &[u8]) -> Option<Page> {
    let (entries, total) = match body.trim_ascii_start().first()? {
        b'[' => (serde_json::from_slice::<Entries>(body).ok()?, None),
        b'{' => {
            let Envelope { list, items, total } = serde_json::from_slice(body).ok()?;
            (list.filter(|list| !list.0.is_empty()).or(items)?, total)
        }
        _ => return None,
    };
    let count = entries.0.len();
    let segments: Vec<Segment> = entries.0.into_iter().filter_map(|Entry(segment)| segment).collect();
    let unreadable = u32::try_from(count - segments.len()).unwrap_or(u32::MAX);
    let total = total.as_ref().and_then(super::parse_integer).and_then(|total| u64::try_from(total).ok());
    Some(Page { segments, total, unreadable })
}

#[derive(serde::Deserialize)]
struct Envelope {
    #[serde(rename = "listElement", default)]
    list: Option<Entries>,
    #[serde(default)]
    items: Option<Entries>,
    #[serde(rename = "totalElement", default)]
    total: Option<Value>,
}

/// The most entries in one page. A profile can ask for at most 10,000; short entries take many times the memory of their text.
pub(super) const MAX_PAGE_ENTRIES: usize = 250_000;

/// The entries of a list.
struct Entries(Vec<Entry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of segments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = items.next_element()? {
            if entries.len() == MAX_PAGE_ENTRIES {
                return Err(serde::de::Error::custom("too many entries"));
            }
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

/// An entry of the list; `None` if it has no id or a text that is too long.
struct Entry(Option<Segment>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a segment")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Entry, A::Error> {
        let (mut id, mut name, mut external_id, mut parent) = (None, None, None, None);
        while let Some(field) = fields.next_key::<Field>()? {
            match field {
                Field::Id => id = fields.next_value::<Text<SegmentId>>()?.0,
                Field::Name => name = fields.next_value::<Text<CompactString>>()?.0,
                Field::ExternalId => external_id = fields.next_value::<Text<CompactString>>()?.0,
                Field::ParentSegmentId => parent = fields.next_value::<Text<SegmentId>>()?.0,
                Field::Unknown => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        let segment = id.map(|id| Segment { id, name: name.unwrap_or_default(), external_id, parent });
        Ok(Entry(segment.filter(super::is_within_limits)))
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    Id,
    Name,
    ExternalId,
    ParentSegmentId,
    #[serde(other)]
    Unknown,
}

/// A field as text, whatever its JSON type; `None` for null and the empty string.
struct Text<T>(Option<T>);

/// A type that can be made from a text.
trait FromText: Sized {
    fn from_text(text: &str) -> Option<Self>;
}

impl FromText for SegmentId {
    fn from_text(text: &str) -> Option<Self> {
        Self::new(text)
    }
}

impl FromText for CompactString {
    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

impl<'de, T: FromText> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData)).map(Self)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<'de, T: FromText> Visitor<'de> for TextVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::from_text(text))
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Option<T>, E> {
        Ok(T::from_text(&value.to_compact_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<T>, E> {
        Ok(T::from_text(&number.to_compact_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<T>, E> {
        Ok(T::from_text(&number.to_compact_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Option<T>, E> {
        Ok(T::from_text(&Value::from(number).to_compact_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Option<T>, A::Error> {
        let value = Value::deserialize(SeqAccessDeserializer::new(items))?;
        Ok(T::from_text(&value.to_compact_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<T>, A::Error> {
        let value = Value::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(T::from_text(&value.to_compact_string()))
    }
}
