//! A creation and a deletion that are probably one segment under another key.
//!
//! Deleting it and creating it again would give it a new id, and the customers and price lists that hang on the old one would be
//! lost. So neither is done before somebody says what is meant.

use std::sync::Arc;

use hashbrown::HashMap;

use super::difference::{Wished, conflict};
use super::places::Place;
use super::{Conflict, ConflictReason, Request};
use crate::formats::rows::Column;
use crate::segment::{Segment, SegmentId};

/// Holds back rows that would create what is probably there, and whatever stands under them.
pub(super) fn hold(wished: &mut Wished<'_>) {
    let moved_under = moved_under(wished);
    for at in wished.order.clone() {
        if wished.held[at].is_some() {
            continue;
        }
        let found = if wished.matching.segments[at].is_none() { probable(wished, at, &moved_under) } else { None };
        wished.held[at] = found.or_else(|| below_held(wished, at));
    }
}

fn below_held(wished: &Wished<'_>, at: usize) -> Option<Conflict> {
    let Place::UnderRow(above) = wished.places[at] else { return None };
    let held = wished.held[above].as_ref()?;
    let line = match held.reason {
        ConflictReason::Below { line } => line,
        _ => held.line,
    };
    Some(conflict(wished, at, None, ConflictReason::Below { line }))
}

/// How many children of each segment the file puts under each new row.
fn moved_under(wished: &Wished<'_>) -> HashMap<usize, HashMap<SegmentId, usize>> {
    let mut counts: HashMap<usize, HashMap<SegmentId, usize>> = HashMap::new();
    for (place, segment) in wished.places.iter().zip(&wished.matching.segments) {
        if let (Place::UnderRow(above), Some(Some(parent))) = (place, segment.as_ref().map(|segment| &segment.parent)) {
            *counts.entry(*above).or_default().entry(parent.clone()).or_default() += 1;
        }
    }
    counts
}

/// The segment that a row would create again.
fn probable(
    wished: &Wished<'_>,
    at: usize,
    moved_under: &HashMap<usize, HashMap<SegmentId, usize>>,
) -> Option<Conflict> {
    let Request { forest, scope, prune, recreate, rows, .. } = wished.request;
    let row = &rows.rows[at];
    if row.value(Column::Id).and_then(SegmentId::new).is_some_and(|id| recreate.contains(&id)) {
        return None;
    }
    let free = |segment: &&Arc<Segment>| wished.matching.is_unclaimed(&segment.id) && !recreate.contains(&segment.id);
    let same_id = row.value(Column::ExternalId).map(|external_id| wished.tree.of_external_id(external_id));
    if let Some(segment) = same_id.into_iter().flatten().copied().find(free) {
        return Some(conflict(wished, at, Some(segment), ConflictReason::SameExternalId));
    }
    if !prune {
        return None;
    }
    let parent = match &wished.places[at] {
        Place::Under(id) => Some(id),
        Place::AsIs | Place::Top => None,
        Place::UnderRow(_) => return None,
    };
    let goes =
        |segment: &&Arc<Segment>| free(segment) && scope.has(forest, &segment.id) && segment.parent.as_ref() == parent;
    let former = moved_under.get(&at).into_iter().flatten().filter_map(|(id, count)| {
        let segment = forest.get(id)?;
        (goes(&segment) && count * 2 >= forest.child_count(id)).then_some((count, segment))
    });
    if let Some((_, segment)) = former.max_by_key(|(count, segment)| (*count, &segment.id)) {
        return Some(conflict(wished, at, Some(segment), ConflictReason::SameChildren));
    }
    let name = row.value(Column::Name)?;
    let namesake = wished.tree.at(parent, name).iter().copied().find(goes)?;
    Some(conflict(wished, at, Some(namesake), ConflictReason::SameName))
}
