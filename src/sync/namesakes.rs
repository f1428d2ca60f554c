//! Tracks segments that look like one to be created, so that one that appears later is known to be new.

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;
use hashbrown::{HashMap, HashSet};

use crate::segment::{Draft, Segment, SegmentId};

use super::message::SegmentChange;

/// Segments by the names and external ids that creates ask for.
#[derive(Debug, Default)]
pub(super) struct Namesakes {
    named: HashMap<CompactString, HashSet<SegmentId>>,
    external: HashMap<CompactString, HashSet<SegmentId>>,
}

impl Namesakes {
    /// Tracks the names and external ids of these drafts. Passes over all segments once, unless everything is tracked
    /// already.
    pub fn mind<'a, 'b>(
        &mut self,
        drafts: impl IntoIterator<Item = &'a Draft>,
        segments: impl IntoIterator<Item = &'b Arc<Segment>>,
    ) {
        let (mut names, mut externals) = (HashSet::new(), HashSet::new());
        for draft in drafts {
            let name = CompactString::from(draft.name.as_str());
            if !self.named.contains_key(&name) {
                names.insert(name);
            }
            let external = draft.external_id.as_ref().map(|id| CompactString::from(id.as_str()));
            externals.extend(external.filter(|id| !self.external.contains_key(id)));
        }
        if names.is_empty() && externals.is_empty() {
            return;
        }
        self.named.extend(names.into_iter().map(|name| (name, HashSet::new())));
        self.external.extend(externals.into_iter().map(|id| (id, HashSet::new())));
        for segment in segments {
            self.enter(segment);
        }
    }

    /// Updates the tracked segments after a change.
    pub fn follow(&mut self, seen: &SegmentChange) {
        if self.named.is_empty() {
            return;
        }
        if let Some(before) = &seen.before {
            if let Some(ids) = self.named.get_mut(&before.name) {
                ids.remove(&before.id);
            }
            if let Some(ids) = before.external_id.as_ref().and_then(|external| self.external.get_mut(external)) {
                ids.remove(&before.id);
            }
        }
        if let Some(now) = &seen.now {
            self.enter(now);
        }
    }

    fn enter(&mut self, segment: &Segment) {
        if let Some(ids) = self.named.get_mut(&segment.name) {
            ids.insert(segment.id.clone());
        }
        if let Some(ids) = segment.external_id.as_ref().and_then(|external| self.external.get_mut(external)) {
            ids.insert(segment.id.clone());
        }
    }

    /// Returns the segments that have the name or the external id of a draft.
    pub fn of(&self, draft: &Draft) -> Vec<SegmentId> {
        let named = self.named.get(draft.name.as_str());
        let external = draft.external_id.as_ref().and_then(|id| self.external.get(id.as_str()));
        let ids: BTreeSet<&SegmentId> = named.into_iter().chain(external).flatten().collect();
        ids.into_iter().cloned().collect()
    }

    /// Stops tracking.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
