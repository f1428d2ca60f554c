//! The wanted state of a segment: valid texts, and the three fields that a write sends.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{Segment, SegmentId};

/// The fields of a segment that a person can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Field {
    /// The name.
    Name,
    /// The external id.
    ExternalId,
    /// The parent.
    Parent,
}

impl Field {
    /// Every field, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Name, Self::ExternalId, Self::Parent];
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Name => "name",
            Self::ExternalId => "external ID",
            Self::Parent => "parent",
        })
    }
}

/// Why a text can't be sent as a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// The name is empty or only whitespace.
    #[error("Name is required")]
    BlankName,
    /// The text contains a control character, such as a line break.
    #[error("Line breaks and control characters aren't allowed")]
    ControlCharacter,
}

/// A name that can be sent: trimmed, not blank, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(CompactString);

impl Name {
    /// Trims and validates a text.
    ///
    /// # Errors
    ///
    /// If the text is blank or contains control characters.
    pub fn parse(text: &str) -> Result<Self, FieldFault> {
        let text = trimmed(text)?;
        if text.is_empty() { Err(FieldFault::BlankName) } else { Ok(Self(text.into())) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An external id that can be sent: trimmed, not empty, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(CompactString);

impl ExternalId {
    /// Trims and validates a text; `None` if nothing is left, which means "no external id".
    ///
    /// # Errors
    ///
    /// If the text contains control characters.
    pub fn parse(text: &str) -> Result<Option<Self>, FieldFault> {
        let text = trimmed(text)?;
        Ok((!text.is_empty()).then(|| Self(text.into())))
    }

    /// The external id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn trimmed(text: &str) -> Result<&str, FieldFault> {
    let text = text.trim();
    if text.chars().any(char::is_control) { Err(FieldFault::ControlCharacter) } else { Ok(text) }
}

/// The content of a create or an update: always all three fields, since an update replaces the whole segment.
///
/// ```
/// use segtui::segment::{Draft, Field, Name, Segment, SegmentId};
///
/// let id = SegmentId::new("vip").unwrap();
/// let vip = Segment { id, name: "VIP".into(), external_id: Some("V".into()), parent: None };
/// let renamed = Draft { name: Name::parse("  Very important ")?, ..Draft::of(&vip) };
/// assert_eq!(renamed.name.as_str(), "Very important");
/// assert_eq!(renamed.changes(&vip), [Field::Name]);
///
/// assert!(Name::parse("").is_err());
/// # Ok::<(), segtui::segment::FieldFault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Draft {
    /// The wanted name.
    pub name: Name,
    /// The wanted external id; `None` for none.
    pub external_id: Option<ExternalId>,
    /// The wanted parent; `None` for a root.
    pub parent: Option<SegmentId>,
}

impl Draft {
    /// Returns the segment that this draft describes, with the given id.
    #[must_use]
    pub fn into_segment(self, id: SegmentId) -> Segment {
        Segment {
            id,
            name: self.name.0,
            external_id: self.external_id.map(|external_id| external_id.0),
            parent: self.parent,
        }
    }

    /// Returns the draft that describes `segment` exactly. It is not validated: the server accepts what it has sent.
    #[must_use]
    pub fn of(segment: &Segment) -> Self {
        Self {
            name: Name(segment.name.clone()),
            external_id: segment.external_id.clone().map(ExternalId),
            parent: segment.parent.clone(),
        }
    }

    /// Returns the fields in which this draft would change `segment`.
    #[must_use]
    pub fn changes(&self, segment: &Segment) -> Vec<Field> {
        segment.differing_fields(&self.clone().into_segment(segment.id.clone()))
    }

    /// Returns this draft with the given fields taken from `segment`.
    #[must_use]
    pub fn with_fields_of(mut self, segment: &Segment, fields: &[Field]) -> Self {
        let theirs = Self::of(segment);
        for field in fields {
            match field {
                Field::Name => self.name = theirs.name.clone(),
                Field::ExternalId => self.external_id.clone_from(&theirs.external_id),
                Field::Parent => self.parent.clone_from(&theirs.parent),
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_a_blank_one_refused() {
        assert_eq!(Name::parse("  Łódź ").unwrap().as_str(), "Łódź");
        assert_eq!(Name::parse(" \t "), Err(FieldFault::BlankName));
        assert_eq!(Name::parse("a\nb"), Err(FieldFault::ControlCharacter));
    }

    #[test]
    fn a_blank_external_id_means_none() {
        assert_eq!(ExternalId::parse("  "), Ok(None));
        assert_eq!(ExternalId::parse(" PL-10 ").unwrap().unwrap().as_str(), "PL-10");
    }

    #[test]
    fn a_draft_lists_the_fields_it_would_change() {
        let segment = Segment {
            id: SegmentId::new("vip").unwrap(),
            name: "VIP".into(),
            external_id: Some("V".into()),
            parent: None,
        };
        let mut draft = Draft::of(&segment);
        assert_eq!(draft.changes(&segment), []);
        draft.name = Name::parse("VIP Client").unwrap();
        draft.external_id = None;
        assert_eq!(draft.changes(&segment), [Field::Name, Field::ExternalId]);
        assert_eq!(draft.with_fields_of(&segment, &[Field::ExternalId]).changes(&segment), [Field::Name]);
    }
}
