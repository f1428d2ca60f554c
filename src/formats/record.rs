//! [`Record`]: a segment together with its parent's external ID and its path.

use serde::{Serialize, Serializer};

use crate::forest::Forest;
use crate::segment::Segment;

/// One row of a table, or one JSON object.
///
/// Serialises to the API's own four fields, followed by `parentExternalId` and `path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// The segment.
    pub segment: &'a Segment,
    /// The external ID of its parent, if that exists and has one.
    pub parent_external_id: Option<&'a str>,
    /// Its path, in the form that is accepted as a reference; empty if it is nested too deep.
    pub path: String,
}

impl<'a> Record<'a> {
    /// The record of a segment in a tree.
    #[must_use]
    pub fn of(forest: &'a Forest, segment: &'a Segment) -> Self {
        let parent = segment.parent.as_ref().and_then(|id| forest.get(id));
        let parent_external_id = parent.and_then(|parent| parent.external_id.as_deref());
        Self { segment, parent_external_id, path: forest.path_text(&segment.id).unwrap_or_default() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(flatten)]
    segment: &'a Segment,
    parent_external_id: Option<&'a str>,
    path: &'a str,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { segment, parent_external_id, path } = self;
        Fields { segment, parent_external_id: *parent_external_id, path }.serialize(serializer)
    }
}
