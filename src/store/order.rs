//! The order in which segments are stored: that of the tree, parents first. What is read in that order lies so in memory, and whoever
//! builds or walks through the tree then goes through memory in one direction instead of all over it.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::segment::{Segment, SegmentId};

/// All segments, each behind its parent where there is one, and what is below it right behind it.
pub(super) fn in_tree_order(segments: &[Arc<Segment>]) -> Vec<&Segment> {
    let parents = parents(segments);
    // The places of all children, those of the first segment before those of the second and so on; of the roots at last.
    let mut ends = vec![0; segments.len() + 1];
    for parent in &parents {
        ends[parent.unwrap_or(segments.len())] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        total += *end;
        *end = total;
    }
    let mut starts = ends.clone();
    let mut children = vec![0; segments.len()];
    for (child, parent) in parents.iter().enumerate().rev() {
        let start = &mut starts[parent.unwrap_or(segments.len())];
        *start -= 1;
        children[*start] = child;
    }
    let below = |at: usize| children[starts[at]..ends[at]].iter().rev().copied();

    let mut ordered = Vec::with_capacity(segments.len());
    let mut seen = vec![false; segments.len()];
    let mut waiting: Vec<usize> = below(segments.len()).collect();
    // No root leads to those that are their own ancestors.
    for start in 0..=segments.len() {
        while let Some(at) = waiting.pop() {
            if !std::mem::replace(&mut seen[at], true) {
                ordered.push(segments[at].as_ref());
                waiting.extend(below(at));
            }
        }
        waiting.extend((start < segments.len()).then_some(start));
    }
    ordered
}

/// The place of each segment's parent, where that is one of them.
fn parents(segments: &[Arc<Segment>]) -> Vec<Option<usize>> {
    let hasher = FixedState::default();
    let mut places = HashTable::with_capacity(segments.len());
    for (place, segment) in (0_u32..).zip(segments) {
        places
            .insert_unique(hasher.hash_one(&segment.id), place, |other| hasher.hash_one(&segments[*other as usize].id));
    }
    let place_of = |id: &SegmentId| {
        let same = |place: &u32| segments[*place as usize].id == *id;
        places.find(hasher.hash_one(id), same).map(|place| *place as usize)
    };
    segments.iter().map(|segment| place_of(segment.parent.as_ref()?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_segment_is_there_once_and_behind_its_parent(edges in proptest::collection::btree_map("[a-h]", proptest::option::of("[a-j]"), 0..8)) {
            let segment = |(id, parent): (&String, &Option<String>)| Arc::new(Segment {
                id: SegmentId::new(id).unwrap(),
                name: id.as_str().into(),
                external_id: None,
                parent: parent.as_deref().and_then(SegmentId::new),
            });
            let segments: Vec<_> = edges.iter().map(segment).collect();
            let ordered: Vec<String> = in_tree_order(&segments).iter().map(|segment| segment.id.to_string()).collect();
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

    /// Whether the parents of a segment lead into a circle.
    fn reaches_circle(edges: &std::collections::BTreeMap<String, Option<String>>, id: &String) -> bool {
        std::iter::successors(Some(id), |at| edges.get(*at)?.as_ref()).take(20).count() == 20
    }
}
