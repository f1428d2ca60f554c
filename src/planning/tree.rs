//! Indexes a tenant's segments by external id and by parent and name.

use std::sync::Arc;

use hashbrown::{Equivalent, HashMap};

use crate::forest::Forest;
use crate::segment::{Segment, SegmentId};

/// The segments of a tenant, with their indexes.
pub(super) struct Tree<'a> {
    pub forest: &'a Forest,
    by_external_id: HashMap<&'a str, Vec<&'a Arc<Segment>>>,
    /// By the parent id that the segment has, and its name.
    by_place: HashMap<(Option<&'a SegmentId>, &'a str), Vec<&'a Arc<Segment>>>,
}

/// The most segments on the same path that are followed.
const MAX_BRANCHES: usize = 1_000;

impl<'a> Tree<'a> {
    pub fn of(forest: &'a Forest) -> Self {
        let mut by_external_id: HashMap<&str, Vec<&Arc<Segment>>> = HashMap::new();
        let mut by_place: HashMap<_, Vec<&Arc<Segment>>> = HashMap::new();
        for segment in forest.iter() {
            if let Some(external_id) = segment.trimmed_external_id() {
                by_external_id.entry(external_id).or_default().push(segment);
            }
            by_place.entry((segment.parent.as_ref(), segment.name.trim())).or_default().push(segment);
        }
        // The forest has its own order, and the results must not depend on it.
        for found in by_place.values_mut().chain(by_external_id.values_mut()) {
            found.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        }
        Self { forest, by_external_id, by_place }
    }

    /// The segments with an external id.
    pub fn with_external_id(&self, external_id: &str) -> &[&'a Arc<Segment>] {
        self.by_external_id.get(external_id).map_or(&[], Vec::as_slice)
    }

    /// All external ids.
    pub fn external_ids(&self) -> impl Iterator<Item = &'a str> {
        self.by_external_id.keys().copied()
    }

    /// The segments with a name directly under a parent.
    pub fn children_named(&self, parent: Option<&SegmentId>, name: &str) -> &[&'a Arc<Segment>] {
        self.by_place.get(&PlaceKey(parent, name)).map_or(&[], Vec::as_slice)
    }

    /// The segments on a path.
    pub fn on_path(&self, names: &[String]) -> Vec<&'a Arc<Segment>> {
        let Some((first, rest)) = names.split_first() else { return Vec::new() };
        let mut found = self.children_named(None, first).to_vec();
        for name in rest {
            found.truncate(MAX_BRANCHES);
            found = found.iter().flat_map(|segment| self.children_named(Some(&segment.id), name)).copied().collect();
        }
        found
    }
}

/// A lookup key with borrowed parts. It has the same hash as the key it is equal to.
#[derive(Hash)]
struct PlaceKey<'w>(Option<&'w SegmentId>, &'w str);

impl Equivalent<(Option<&SegmentId>, &str)> for PlaceKey<'_> {
    fn equivalent(&self, key: &(Option<&SegmentId>, &str)) -> bool {
        (self.0, self.1) == *key
    }
}
