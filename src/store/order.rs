//! The order in which segments are stored: parents before children, as in the tree. Segments read in that order are adjacent
//! in memory in the same way, so building or walking the tree goes through memory in one direction instead of at random.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::segment::{Segment, SegmentId};

/// The parent is not among the segments.
const NO_PARENT: u32 = u32::MAX;

/// Returns all segments, each after its parent if that is among them, and directly followed by its descendants.
pub(super) fn in_tree_order(segments: &[Arc<Segment>]) -> impl Iterator<Item = &Segment> {
    let parents = parents(segments);
    // Children grouped by parent. Only a few numbers per segment, since a large tenant is in memory several times already.
    let mut by_parent: Vec<u32> = (0..).take(segments.len()).collect();
    by_parent.sort_unstable_by_key(|child| (parents[*child as usize], *child));
    let children = move |parent: u32| {
        let start = by_parent.partition_point(|child| parents[*child as usize] < parent);
        let end = by_parent[start..].iter().take_while(|child| parents[**child as usize] == parent).count();
        by_parent[start..start + end].to_vec()
    };

    let mut stack = children(NO_PARENT);
    stack.reverse();
    let mut visited = vec![false; segments.len()];
    // Segments in a cycle are not reachable from a root.
    let mut all_indices = (0..).take(segments.len());
    std::iter::from_fn(move || {
        loop {
            let index = stack.pop().or_else(|| all_indices.next())?;
            if !std::mem::replace(&mut visited[index as usize], true) {
                stack.extend(children(index).iter().rev());
                return Some(segments[index as usize].as_ref());
            }
        }
    })
}

/// Returns the index of each segment's parent, or [`NO_PARENT`].
fn parents(segments: &[Arc<Segment>]) -> Vec<u32> {
    let hasher = FixedState::default();
    let mut indices = HashTable::with_capacity(segments.len());
    for (index, segment) in (0_u32..).zip(segments) {
        indices
            .insert_unique(hasher.hash_one(&segment.id), index, |other| hasher.hash_one(&segments[*other as usize].id));
    }
    let index_of = |id: &SegmentId| {
        let same = |index: &u32| segments[*index as usize].id == *id;
        indices.find(hasher.hash_one(id), same).copied()
    };
    segments.iter().map(|segment| segment.parent.as_ref().and_then(index_of).unwrap_or(NO_PARENT)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_segment_is_ordered_once_and_after_its_parent(edges in proptest::collection::btree_map("[a-h]", proptest::option::of("[a-j]"), 0..8)) {
            let segment = |(id, parent): (&String, &Option<String>)| Arc::new(Segment {
                id: SegmentId::new(id).unwrap(),
                name: id.as_str().into(),
                external_id: None,
                parent: parent.as_deref().and_then(SegmentId::new),
            });
            let segments: Vec<_> = edges.iter().map(segment).collect();
            let ordered: Vec<String> = in_tree_order(&segments).map(|segment| segment.id.to_string()).collect();
            let mut sorted = ordered.clone();
            sorted.sort();
            prop_assert_eq!(sorted, edges.keys().cloned().collect::<Vec<_>>());
            for (at, id) in ordered.iter().enumerate() {
                let Some(parent) = edges[id].as_ref().filter(|parent| edges.contains_key(*parent)) else { continue };
                let place = ordered.iter().position(|other| other == parent).unwrap();
                let circular = std::iter::successors(Some(parent), |at| edges.get(*at)?.as_ref()).take(9).any(|above| above == id);
                prop_assert!(place < at || circular || reaches_circle(&edges, id), "{} stands before {}", id, parent);
            }
        }
    }

    /// Whether the ancestors of a segment lead into a cycle.
    fn reaches_circle(edges: &std::collections::BTreeMap<String, Option<String>>, id: &String) -> bool {
        std::iter::successors(Some(id), |at| edges.get(*at)?.as_ref()).take(20).count() == 20
    }
}
