//! Detects a create and a delete that are probably the same segment with another key, or with another name where there is no key.
//!
//! Deleting the segment and creating it again would give it a new id, and the customers and price lists attached to the old one
//! would be lost. So neither is done until the user decides.

use std::sync::Arc;

use hashbrown::HashMap;

use super::difference::{PlanContext, conflict, new_name};
use super::places::Place;
use super::{Conflict, ConflictReason, Request};
use crate::formats::rows::Column;
use crate::segment::{Segment, SegmentId};

/// Holds back the rows that would probably create an existing segment again, and their descendants.
pub(super) fn hold(context: &mut PlanContext<'_>) {
    let found = RenameSearch::of(context).find_all();
    for (at, ProbableRename { segments, reason }) in found {
        context.held[at] = Some(conflict(context, at, segments.first(), reason));
        context.possible_matches.extend(segments.into_iter().map(|segment| segment.id.clone()));
    }
    for at in context.order.clone() {
        if context.held[at].is_none() {
            context.held[at] = below_held(context, at);
        }
    }
}

/// The most segments under one parent that are compared by name.
const MAX_COMPARED: usize = 500;

fn below_held(context: &PlanContext<'_>, at: usize) -> Option<Conflict> {
    let Place::UnderRow(above) = context.places[at] else { return None };
    let held = context.held[above].as_ref()?;
    let line = match held.reason {
        ConflictReason::Below { line } => line,
        _ => held.line,
    };
    Some(conflict(context, at, None, ConflictReason::Below { line }))
}

/// What a row would probably create again.
struct ProbableRename {
    /// The segments that it may be, most likely first.
    segments: Vec<Arc<Segment>>,
    reason: ConflictReason,
}

/// The data that new rows are compared with.
struct RenameSearch<'w> {
    context: &'w PlanContext<'w>,
    /// The children of each row.
    rows_under: HashMap<usize, Vec<usize>>,
    deleted_by_parent: HashMap<Option<&'w SegmentId>, DeletedUnder<'w>>,
}

/// The segments that would be deleted under one parent, or at the top level.
#[derive(Default)]
struct DeletedUnder<'w> {
    parent: Option<&'w SegmentId>,
    parents: Vec<&'w Arc<Segment>>,
    leaves: Vec<&'w Arc<Segment>>,
}

impl<'w> RenameSearch<'w> {
    fn of(context: &'w PlanContext<'w>) -> Self {
        let mut rows_under: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, place) in context.places.iter().enumerate() {
            if let Place::UnderRow(above) = place {
                rows_under.entry(*above).or_default().push(at);
            }
        }
        let mut deleted_by_parent: HashMap<Option<&SegmentId>, DeletedUnder<'_>> = HashMap::new();
        let Request { forest, scope, prune, .. } = context.request;
        if *prune {
            for segment in forest.iter().filter(|segment| scope.has(forest, &segment.id) && is_free(context, segment)) {
                let under = deleted_by_parent.entry(segment.parent.as_ref()).or_default();
                under.parent = segment.parent.as_ref();
                if forest.child_count(&segment.id) == 0 { &mut under.leaves } else { &mut under.parents }.push(segment);
            }
        }
        // The forest has its own order, and the results must not depend on it.
        for segments in deleted_by_parent.values_mut().flat_map(|under| [&mut under.parents, &mut under.leaves]) {
            segments.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        }
        Self { context, rows_under, deleted_by_parent }
    }

    /// The new rows that may mean an existing segment, each with its candidates.
    fn find_all(&self) -> Vec<(usize, ProbableRename)> {
        let PlanContext { order, held, matching, .. } = self.context;
        let is_new = |at: &usize| held[*at].is_none() && matching.segments[*at].is_none();
        let rows = order.iter().copied().filter(is_new);
        let mut found: Vec<_> = rows.filter_map(|at| Some((at, self.probable_rename(at)?))).collect();
        self.pair_by_name(&mut found);
        found
    }

    /// Pairs the new rows and the deleted segments under one parent: each row gets the segment whose name shares the longest
    /// prefix with its own. Segments that are left over are in doubt too and go to the first row.
    fn pair_by_name(&self, found: &mut [(usize, ProbableRename)]) {
        let mut unpaired: HashMap<Option<&SegmentId>, Vec<&Arc<Segment>>> = HashMap::new();
        let mut first: HashMap<Option<&SegmentId>, usize> = HashMap::new();
        let by_place = found.iter_mut().enumerate();
        for (place, (at, rename)) in by_place.filter(|(_, (_, rename))| rename.reason == ConflictReason::SameParent) {
            let Some(deleted) = self.deleted_beside(*at) else { continue };
            first.entry(deleted.parent).or_insert(place);
            let unpaired =
                unpaired.entry(deleted.parent).or_insert_with(|| self.without_external_id(deleted).collect());
            let name = new_name(&self.context.request.rows.rows[*at]).unwrap_or_default();
            let best = unpaired.iter().take(MAX_COMPARED).enumerate();
            let best =
                best.max_by_key(|(place, segment)| (common_prefix_len(segment, &name), std::cmp::Reverse(*place)));
            if let Some(place) = best.map(|(place, _)| place) {
                rename.segments = vec![Arc::clone(unpaired.remove(place))];
            }
        }
        for (parent, place) in first {
            found[place].1.segments.extend(unpaired.remove(&parent).into_iter().flatten().cloned());
        }
    }

    fn probable_rename(&self, at: usize) -> Option<ProbableRename> {
        let PlanContext { tree, request, .. } = self.context;
        let Request { forest, scope, recreate, rows, .. } = request;
        let row = &rows.rows[at];
        if row.value(Column::Id).and_then(SegmentId::new).is_some_and(|id| recreate.contains(&id)) {
            return None;
        }
        let external_id = row.value(Column::ExternalId);
        let same_id = external_id.map_or(&[] as &[_], |external_id| tree.with_external_id(external_id));
        let is_free = |segment: &&Arc<Segment>| is_free(self.context, segment);
        let same_id: Vec<_> = same_id.iter().copied().filter(is_free).cloned().collect();
        if !same_id.is_empty() {
            return Some(ProbableRename { segments: same_id, reason: ConflictReason::SameExternalId });
        }
        let deleted = self.deleted_beside(at)?;
        let mut with_common_children: Vec<_> =
            deleted.parents.iter().map(|segment| (self.common_children(at, segment), *segment)).collect();
        with_common_children.retain(|(common, segment)| common * 2 >= forest.child_count(&segment.id));
        if !with_common_children.is_empty() {
            with_common_children.sort_by_key(|(common, _)| std::cmp::Reverse(*common));
            let segments = with_common_children.into_iter().map(|(_, segment)| Arc::clone(segment)).collect();
            return Some(ProbableRename { segments, reason: ConflictReason::SameChildren });
        }
        let name = new_name(row)?;
        let is_deleted = |segment: &&Arc<Segment>| scope.has(forest, &segment.id) && is_free(segment);
        let same_name: Vec<_> =
            tree.children_named(deleted.parent, name.trim()).iter().copied().filter(is_deleted).cloned().collect();
        if !same_name.is_empty() {
            return Some(ProbableRename { segments: same_name, reason: ConflictReason::SameName });
        }
        // Nothing distinguishes a renamed segment without an external id from a new one, so the row may mean any of them.
        let first = self.without_external_id(deleted).next()?;
        Some(ProbableRename { segments: vec![Arc::clone(first)], reason: ConflictReason::SameParent })
    }

    /// What would be deleted where a new row is placed; `None` under another new row, since it is held back with that one.
    fn deleted_beside(&self, at: usize) -> Option<&DeletedUnder<'w>> {
        let parent = match &self.context.places[at] {
            Place::Under(id) => Some(id),
            Place::AsIs | Place::Top => None,
            Place::UnderRow(_) => return None,
        };
        self.deleted_by_parent.get(&parent)
    }

    /// The leaves without an external id; all leaves if the file has no external ids.
    fn without_external_id<'g>(
        &self,
        deleted: &'g DeletedUnder<'w>,
    ) -> impl Iterator<Item = &'w Arc<Segment>> + use<'g, 'w> {
        let has_no_external_ids = !self.context.request.rows.columns.contains(&Column::ExternalId);
        deleted
            .leaves
            .iter()
            .copied()
            .filter(move |segment| has_no_external_ids || segment.trimmed_external_id().is_none())
    }

    /// How many children of a segment are also children of a row: the same segments, or new ones with the same name, since a
    /// whole branch may have got new external ids.
    fn common_children(&self, at: usize, segment: &Segment) -> usize {
        let PlanContext { request, tree, matching, .. } = self.context;
        let is_common = |child: &&usize| {
            if let Some(child) = &matching.segments[**child] {
                return child.parent.as_ref() == Some(&segment.id);
            }
            new_name(&request.rows.rows[**child])
                .is_some_and(|name| !tree.children_named(Some(&segment.id), name.trim()).is_empty())
        };
        self.rows_under.get(&at).into_iter().flatten().filter(is_common).count()
    }
}

/// The length of the common prefix of a segment's name and another name.
fn common_prefix_len(segment: &Segment, name: &str) -> usize {
    segment.name.chars().zip(name.chars()).take_while(|(one, other)| one == other).count()
}

/// Whether no row matches the segment and `--recreate` does not name it.
fn is_free(context: &PlanContext<'_>, segment: &Segment) -> bool {
    context.matching.is_unclaimed(&segment.id) && !context.request.recreate.contains(&segment.id)
}
