//! Which segments are deleted because the file doesn't have them, and which are kept anyway.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::difference::PlanContext;
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
fn sharing_with_held<'a>(context: &'a PlanContext<'_>) -> impl Iterator<Item = &'a SegmentId> {
    let rows = context.request.rows.rows.iter().zip(&context.held);
    let external_ids = rows.filter(|(_, held)| held.is_some()).filter_map(|(row, _)| row.value(Column::ExternalId));
    external_ids.flat_map(|external_id| context.tree.with_external_id(external_id)).map(|segment| &segment.id)
}

/// Splits the unmatched segments of the scope into deleted and kept ones. `parents` has the new parents of all segments that are
/// moved or created.
pub(super) fn pruned(context: &PlanContext<'_>, parents: &HashMap<SegmentId, Option<SegmentId>>) -> Pruned {
    let Request { forest, scope, owned, prune, .. } = context.request;
    let mut pruned = Pruned::default();
    if !prune {
        return pruned;
    }
    let held = context.held.iter().flatten().filter_map(|conflict| conflict.segment.as_ref());
    let held = held.map(|segment| &segment.id).chain(sharing_with_held(context));
    let mut possible_matches: HashSet<&SegmentId> = held.chain(&context.possible_matches).collect();
    // A segment that gets new children is kept.
    let new_parents: HashSet<&SegmentId> = parents.values().flatten().collect();
    let mut deleted: HashSet<&SegmentId> = HashSet::new();
    let preorder: Vec<&Arc<Segment>> = forest.preorder().map(|(_, segment)| segment).collect();
    // Descendants of a doubtful segment may be what is under the held row, so they are doubtful too.
    for segment in &preorder {
        if segment.parent.as_ref().is_some_and(|parent| possible_matches.contains(parent)) {
            possible_matches.insert(&segment.id);
        }
    }
    for segment in preorder.into_iter().rev() {
        let id = &segment.id;
        if !context.matching.is_unclaimed(id) || !scope.has(forest, id) {
            continue;
        }
        let leaves_parent = |child: &&Arc<Segment>| deleted.contains(&child.id) || parents.contains_key(&child.id);
        let owner = [&Pattern::BUILT_IN].into_iter().chain(*owned).find(|pattern| pattern.matches(segment));
        let reason = match owner {
            Some(owner) => Some(KeptReason::Managed { owner: owner.owner() }),
            None if matches!(scope, Scope::Below(root) if root == id) => Some(KeptReason::ScopeRoot),
            None if possible_matches.contains(id) => Some(KeptReason::Conflict),
            None if new_parents.contains(id) || !forest.children(id).iter().all(leaves_parent) => {
                Some(KeptReason::HasChildren)
            }
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
