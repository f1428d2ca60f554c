//! Detects a create and a delete that are probably the same segment with another key, or with another name where there is no key.
//!
//! Deleting the segment and creating it again would give it a new id, and the customers and price lists attached to the old one
//! would be lost. So neither is done until the user decides.

use std::sync::Arc;

use hashbrown::HashMap;

use super::difference::{Wished, conflict, name_of_new};
use super::places::Place;
use super::{Conflict, ConflictReason, Request};
use crate::formats::rows::Column;
use crate::segment::{Segment, SegmentId};

/// Holds back the rows that would probably create an existing segment again, and their descendants.
pub(super) fn hold(wished: &mut Wished<'_>) {
    let found = Search::of(wished).all();
    for (at, Probable { segments, reason }) in found {
        wished.held[at] = Some(conflict(wished, at, segments.first(), reason));
        wished.doubted.extend(segments.into_iter().map(|segment| segment.id.clone()));
    }
    for at in wished.order.clone() {
        if wished.held[at].is_none() {
            wished.held[at] = below_held(wished, at);
        }
    }
}

/// The most segments under one parent that are compared by name.
const MOST_PAIRED: usize = 500;

fn below_held(wished: &Wished<'_>, at: usize) -> Option<Conflict> {
    let Place::UnderRow(above) = wished.places[at] else { return None };
    let held = wished.held[above].as_ref()?;
    let line = match held.reason {
        ConflictReason::Below { line } => line,
        _ => held.line,
    };
    Some(conflict(wished, at, None, ConflictReason::Below { line }))
}

/// What a row would probably create again.
struct Probable {
    /// The segments that it may be, most likely first.
    segments: Vec<Arc<Segment>>,
    reason: ConflictReason,
}

/// The data that new rows are compared with.
struct Search<'w> {
    wished: &'w Wished<'w>,
    /// The children of each row.
    rows_under: HashMap<usize, Vec<usize>>,
    going: HashMap<Option<&'w SegmentId>, Going<'w>>,
}

/// The segments that would be deleted under one parent, or at the top level.
#[derive(Default)]
struct Going<'w> {
    parent: Option<&'w SegmentId>,
    parents: Vec<&'w Arc<Segment>>,
    leaves: Vec<&'w Arc<Segment>>,
}

impl<'w> Search<'w> {
    fn of(wished: &'w Wished<'w>) -> Self {
        let mut rows_under: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, place) in wished.places.iter().enumerate() {
            if let Place::UnderRow(above) = place {
                rows_under.entry(*above).or_default().push(at);
            }
        }
        let mut going: HashMap<Option<&SegmentId>, Going<'_>> = HashMap::new();
        let Request { forest, scope, prune, .. } = wished.request;
        if *prune {
            for segment in forest.iter().filter(|segment| scope.has(forest, &segment.id) && is_free(wished, segment)) {
                let under = going.entry(segment.parent.as_ref()).or_default();
                under.parent = segment.parent.as_ref();
                if forest.child_count(&segment.id) == 0 { &mut under.leaves } else { &mut under.parents }.push(segment);
            }
        }
        // The forest has its own order, and the results must not depend on it.
        for segments in going.values_mut().flat_map(|under| [&mut under.parents, &mut under.leaves]) {
            segments.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        }
        Self { wished, rows_under, going }
    }

    /// The new rows that may mean an existing segment, each with its candidates.
    fn all(&self) -> Vec<(usize, Probable)> {
        let Wished { order, held, matching, .. } = self.wished;
        let is_new = |at: &usize| held[*at].is_none() && matching.segments[*at].is_none();
        let rows = order.iter().copied().filter(is_new);
        let mut found: Vec<_> = rows.filter_map(|at| Some((at, self.probable(at)?))).collect();
        self.pair_by_name(&mut found);
        found
    }

    /// Pairs the new rows and the deleted segments under one parent: each row gets the segment whose name shares the longest
    /// prefix with its own. Segments that are left over are in doubt too and go to the first row.
    fn pair_by_name(&self, found: &mut [(usize, Probable)]) {
        let mut left: HashMap<Option<&SegmentId>, Vec<&Arc<Segment>>> = HashMap::new();
        let mut first: HashMap<Option<&SegmentId>, usize> = HashMap::new();
        let by_place = found.iter_mut().enumerate();
        for (place, (at, probable)) in
            by_place.filter(|(_, (_, probable))| probable.reason == ConflictReason::SameParent)
        {
            let Some(going) = self.going(*at) else { continue };
            first.entry(going.parent).or_insert(place);
            let left = left.entry(going.parent).or_insert_with(|| self.keyless(going).collect());
            let name = name_of_new(&self.wished.request.rows.rows[*at]).unwrap_or_default();
            let likest = left.iter().take(MOST_PAIRED).enumerate();
            let likest = likest.max_by_key(|(place, segment)| (likeness(segment, &name), std::cmp::Reverse(*place)));
            if let Some(place) = likest.map(|(place, _)| place) {
                probable.segments = vec![Arc::clone(left.remove(place))];
            }
        }
        for (parent, place) in first {
            found[place].1.segments.extend(left.remove(&parent).into_iter().flatten().cloned());
        }
    }

    fn probable(&self, at: usize) -> Option<Probable> {
        let Wished { tree, request, .. } = self.wished;
        let Request { forest, scope, recreate, rows, .. } = request;
        let row = &rows.rows[at];
        if row.value(Column::Id).and_then(SegmentId::new).is_some_and(|id| recreate.contains(&id)) {
            return None;
        }
        let external_id = row.value(Column::ExternalId);
        let same_id = external_id.map_or(&[] as &[_], |external_id| tree.of_external_id(external_id));
        let is_free = |segment: &&Arc<Segment>| is_free(self.wished, segment);
        let same_id: Vec<_> = same_id.iter().copied().filter(is_free).cloned().collect();
        if !same_id.is_empty() {
            return Some(Probable { segments: same_id, reason: ConflictReason::SameExternalId });
        }
        let going = self.going(at)?;
        let mut alike: Vec<_> =
            going.parents.iter().map(|segment| (self.common_children(at, segment), *segment)).collect();
        alike.retain(|(common, segment)| common * 2 >= forest.child_count(&segment.id));
        if !alike.is_empty() {
            alike.sort_by_key(|(common, _)| std::cmp::Reverse(*common));
            let segments = alike.into_iter().map(|(_, segment)| Arc::clone(segment)).collect();
            return Some(Probable { segments, reason: ConflictReason::SameChildren });
        }
        let name = name_of_new(row)?;
        let goes = |segment: &&Arc<Segment>| scope.has(forest, &segment.id) && is_free(segment);
        let namesakes: Vec<_> = tree.at(going.parent, name.trim()).iter().copied().filter(goes).cloned().collect();
        if !namesakes.is_empty() {
            return Some(Probable { segments: namesakes, reason: ConflictReason::SameName });
        }
        // Nothing distinguishes a renamed segment without an external id from a new one, so the row may mean any of them.
        let first = self.keyless(going).next()?;
        Some(Probable { segments: vec![Arc::clone(first)], reason: ConflictReason::SameParent })
    }

    /// What would be deleted where a new row is placed; `None` under another new row, since it is held back with that one.
    fn going(&self, at: usize) -> Option<&Going<'w>> {
        let parent = match &self.wished.places[at] {
            Place::Under(id) => Some(id),
            Place::AsIs | Place::Top => None,
            Place::UnderRow(_) => return None,
        };
        self.going.get(&parent)
    }

    /// The leaves without an external id; all leaves if the file has no external ids.
    fn keyless<'g>(&self, going: &'g Going<'w>) -> impl Iterator<Item = &'w Arc<Segment>> + use<'g, 'w> {
        let says_nothing = !self.wished.request.rows.columns.contains(&Column::ExternalId);
        going.leaves.iter().copied().filter(move |segment| says_nothing || segment.trimmed_external_id().is_none())
    }

    /// How many children of a segment are also children of a row: the same segments, or new ones with the same name, since a
    /// whole branch may have got new external ids.
    fn common_children(&self, at: usize, segment: &Segment) -> usize {
        let Wished { request, tree, matching, .. } = self.wished;
        let is_common = |child: &&usize| {
            if let Some(child) = &matching.segments[**child] {
                return child.parent.as_ref() == Some(&segment.id);
            }
            name_of_new(&request.rows.rows[**child])
                .is_some_and(|name| !tree.at(Some(&segment.id), name.trim()).is_empty())
        };
        self.rows_under.get(&at).into_iter().flatten().filter(is_common).count()
    }
}

/// The length of the common prefix of a segment's name and another name.
fn likeness(segment: &Segment, name: &str) -> usize {
    segment.name.chars().zip(name.chars()).take_while(|(one, other)| one == other).count()
}

/// Whether no row matches the segment and `--recreate` does not name it.
fn is_free(wished: &Wished<'_>, segment: &Segment) -> bool {
    wished.matching.is_unclaimed(&segment.id) && !wished.request.recreate.contains(&segment.id)
}
