//! Tracks segments that look like one to be created, so that one that appears later is known to be new.

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;
use hashbrown::{HashMap, HashSet};

use crate::segment::{Draft, Segment, SegmentId};

use super::message::SegmentChange;

/// Segments by the names and external ids that creates ask for.
#[derive(Debug, Default)]
pub(super) struct LookalikeIndex {
    by_name: HashMap<CompactString, HashSet<SegmentId>>,
    by_external_id: HashMap<CompactString, HashSet<SegmentId>>,
}

impl LookalikeIndex {
    /// Tracks the names and external ids of these drafts. Passes over all segments once, unless everything is tracked
    /// already.
    pub fn track<'a, 'b>(
        &mut self,
        drafts: impl IntoIterator<Item = &'a Draft>,
        segments: impl IntoIterator<Item = &'b Arc<Segment>>,
    ) {
        let (mut names, mut external_ids) = (HashSet::new(), HashSet::new());
        for draft in drafts {
            let name = CompactString::from(draft.name.as_str());
            if !self.by_name.contains_key(&name) {
                names.insert(name);
            }
            let external_id = draft.external_id.as_ref().map(|id| CompactString::from(id.as_str()));
            external_ids.extend(external_id.filter(|id| !self.by_external_id.contains_key(id)));
        }
        if names.is_empty() && external_ids.is_empty() {
            return;
        }
        self.by_name.extend(names.into_iter().map(|name| (name, HashSet::new())));
        self.by_external_id.extend(external_ids.into_iter().map(|id| (id, HashSet::new())));
        for segment in segments {
            self.insert(segment);
        }
    }

    /// Updates the tracked segments after a change.
    pub fn update(&mut self, change: &SegmentChange) {
        if self.by_name.is_empty() {
            return;
        }
        if let Some(before) = &change.before {
            if let Some(ids) = self.by_name.get_mut(&before.name) {
                ids.remove(&before.id);
            }
            if let Some(ids) =
                before.external_id.as_ref().and_then(|external_id| self.by_external_id.get_mut(external_id))
            {
                ids.remove(&before.id);
            }
        }
        if let Some(now) = &change.now {
            self.insert(now);
        }
    }

    fn insert(&mut self, segment: &Segment) {
        if let Some(ids) = self.by_name.get_mut(&segment.name) {
            ids.insert(segment.id.clone());
        }
        if let Some(ids) = segment.external_id.as_ref().and_then(|external_id| self.by_external_id.get_mut(external_id))
        {
            ids.insert(segment.id.clone());
        }
    }

    /// Returns the segments that have the name or the external id of a draft.
    pub fn find(&self, draft: &Draft) -> Vec<SegmentId> {
        let by_name = self.by_name.get(draft.name.as_str());
        let by_external_id = draft.external_id.as_ref().and_then(|id| self.by_external_id.get(id.as_str()));
        let ids: BTreeSet<&SegmentId> = by_name.into_iter().chain(by_external_id).flatten().collect();
        ids.into_iter().cloned().collect()
    }

    /// Stops tracking.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
