//! One segment: its fields, its id, what makes a field valid, and a position in the change feed.
//!
//! There are two kinds of text. What the *server* sends is taken as it is: a [`Segment`] may have a blank name or be its own
//! parent, since hiding it would hide data. What a *person* wants to send is parsed first: a [`Draft`] can't have a blank
//! name. Nothing here knows of trees, requests or the UI; the growth of segment lookup tables is here because both the tree
//! and the sync actor need it.

mod draft;
mod id;
mod pattern;
pub(crate) mod table;

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

pub use draft::{Draft, ExternalId, Field, FieldFault, Name};
pub use id::SegmentId;
pub use pattern::Pattern;

/// A segment as the server last showed it.
///
/// Serialises to the API's own form, all four fields present and `null` for what is not set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Its id, assigned by the server and never reused after a delete.
    pub id: SegmentId,
    /// Its display name. May be blank if the server sent it so.
    pub name: CompactString,
    /// The key under which an external system, such as an ERP, knows it.
    pub external_id: Option<CompactString>,
    /// Its parent; `None` for a root. May name a segment that does not exist, or the segment itself.
    #[serde(rename = "parentSegmentId")]
    pub parent: Option<SegmentId>,
}

impl Segment {
    /// Whether the name is empty or only whitespace.
    #[must_use]
    pub fn has_blank_name(&self) -> bool {
        self.name.trim().is_empty()
    }

    /// The external id without surrounding whitespace; `None` if blank, which means the same as no external id.
    #[must_use]
    pub fn trimmed_external_id(&self) -> Option<&str> {
        self.external_id.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The fields in which `self` and `other` differ, in the order of the form.
    #[must_use]
    pub fn differing_fields(&self, other: &Self) -> Vec<Field> {
        Field::ALL.into_iter().filter(|&field| self.field(field) != other.field(field)).collect()
    }

    /// Returns this segment with the given fields taken from another.
    #[must_use]
    pub fn with_fields_of(mut self, other: &Self, fields: &[Field]) -> Self {
        for field in fields {
            match field {
                Field::Name => self.name.clone_from(&other.name),
                Field::ExternalId => self.external_id.clone_from(&other.external_id),
                Field::Parent => self.parent.clone_from(&other.parent),
            }
        }
        self
    }

    /// Returns this segment with its own id and its parent's replaced where `other` returns a new one; `None` if neither is
    /// replaced.
    #[must_use]
    pub fn with_ids(&self, other: &impl Fn(&SegmentId) -> Option<SegmentId>) -> Option<Self> {
        let (id, parent) = (other(&self.id), self.parent.as_ref().and_then(other));
        (id.is_some() || parent.is_some()).then(|| Self {
            id: id.unwrap_or_else(|| self.id.clone()),
            parent: parent.or_else(|| self.parent.clone()),
            ..self.clone()
        })
    }

    /// Returns the value of a field as text; `None` if it is not set.
    #[must_use]
    pub fn field(&self, field: Field) -> Option<String> {
        match field {
            Field::Name => Some(self.name.to_string()),
            Field::ExternalId => self.external_id.as_ref().map(ToString::to_string),
            Field::Parent => self.parent.as_ref().map(ToString::to_string),
        }
    }
}

/// A position in the change feed: the step to ask from next.
///
/// The server counts steps from 1. The next step is always taken from its response, never computed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(pub i64);

impl Step {
    /// The first step from which a feed can be requested.
    pub const FIRST: Self = Self(1);
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
