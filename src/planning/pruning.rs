//! Which segments are deleted because the file doesn't have them, and which are kept anyway.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::difference::Wished;
use super::{Kept, KeptReason, Request, Scope};
use crate::formats::rows::Column;
use crate::segment::{Pattern, Segment, SegmentId};

/// The segments that are in the scope but in no row.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    /// The segments to delete, descendants first.
    pub deletes: Vec<Arc<Segment>>,
    pub kept: Vec<Kept>,
}

/// Segments that the held rows may mean by their external ids.
fn sharing_with_held<'a>(wished: &'a Wished<'_>) -> impl Iterator<Item = &'a SegmentId> {
    let rows = wished.request.rows.rows.iter().zip(&wished.held);
    let external_ids = rows.filter(|(_, held)| held.is_some()).filter_map(|(row, _)| row.value(Column::ExternalId));
    external_ids.flat_map(|external_id| wished.tree.of_external_id(external_id)).map(|segment| &segment.id)
}

/// Splits the unmatched segments of the scope into deleted and kept ones. `parents` has the new parents of all segments that are
/// moved or created.
pub(super) fn pruned(wished: &Wished<'_>, parents: &HashMap<SegmentId, Option<SegmentId>>) -> Pruned {
    let Request { forest, scope, owned, prune, .. } = wished.request;
    let mut pruned = Pruned::default();
    if !prune {
        return pruned;
    }
    let held = wished.held.iter().flatten().filter_map(|conflict| conflict.segment.as_ref());
    let held = held.map(|segment| &segment.id).chain(sharing_with_held(wished));
    let mut doubted: HashSet<&SegmentId> = held.chain(&wished.doubted).collect();
    // A segment that gets new children is kept.
    let taken: HashSet<&SegmentId> = parents.values().flatten().collect();
    let mut deleted: HashSet<&SegmentId> = HashSet::new();
    let preorder: Vec<&Arc<Segment>> = forest.preorder().map(|(_, segment)| segment).collect();
    // Descendants of a doubtful segment may be what is under the held row, so they are doubtful too.
    for segment in &preorder {
        if segment.parent.as_ref().is_some_and(|parent| doubted.contains(parent)) {
            doubted.insert(&segment.id);
        }
    }
    for segment in preorder.into_iter().rev() {
        let id = &segment.id;
        if !wished.matching.is_unclaimed(id) || !scope.has(forest, id) {
            continue;
        }
        let goes = |child: &&Arc<Segment>| deleted.contains(&child.id) || parents.contains_key(&child.id);
        let owner = [&Pattern::BUILT_IN].into_iter().chain(*owned).find(|pattern| pattern.matches(segment));
        let reason = match owner {
            Some(owner) => Some(KeptReason::Managed { owner: owner.owner() }),
            None if matches!(scope, Scope::Below(root) if root == id) => Some(KeptReason::ScopeRoot),
            None if doubted.contains(id) => Some(KeptReason::Conflict),
            None if taken.contains(id) || !forest.children(id).iter().all(goes) => Some(KeptReason::HasChildren),
            None => None,
        };
        if let Some(reason) = reason {
            pruned.kept.push(Kept { segment: Arc::clone(segment), reason });
        } else {
            deleted.insert(id);
            pruned.deletes.push(Arc::clone(segment));
        }
    }
    pruned.kept.reverse();
    pruned
}
