//! Determines which operations of a saved plan are still to be applied, given the tenant's current state.
//!
//! An operation whose result is already there is done, whoever did it. An operation that conflicts with a change made since is
//! outdated, and so are the operations that depend on it.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::tree::Tree;
use super::{PlannedOperation, creating, provisional};
use crate::changes::Operation;
use crate::forest::Forest;
use crate::segment::{Draft, Field, Segment, SegmentId};

/// Why an operation of a saved plan can no longer be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outdated {
    /// The segment was deleted.
    Gone,
    /// Someone changed the same fields.
    Changed(Vec<Field>),
    /// For a create: a segment has appeared that may be the one to create, or another.
    Exists(SegmentId),
    /// It depends on an operation that is not applied.
    OnHold {
        /// The index of that operation.
        operation: usize,
    },
}

impl std::fmt::Display for Outdated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone => f.write_str("it was deleted since the plan was made"),
            Self::Changed(fields) => {
                let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                write!(f, "its {} changed since the plan was made", fields.join(" and "))
            }
            Self::Exists(id) => write!(f, "id={id} has appeared since the plan was made, and may be it or another one"),
            Self::OnHold { operation } => write!(f, "operation {operation}, which it depends on, isn't applied"),
        }
    }
}

/// The part of a saved plan that is still to be applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remaining {
    /// The operations, with provisional ids for their new indices.
    pub operations: Vec<PlannedOperation>,
    /// Their indices in the file.
    pub indices: Vec<usize>,
    /// The number of operations that are already done.
    pub done: usize,
    /// Segments to create that already exist, with the indices of their operations.
    pub already_created: Vec<(usize, Arc<Segment>)>,
    /// The operations that can't be applied, by their indices in the file.
    pub outdated: Vec<(usize, Outdated)>,
}

/// Compares the operations of a saved plan with the tenant's current state.
#[must_use]
pub fn remaining(operations: Vec<PlannedOperation>, forest: &Forest) -> Remaining {
    let tree = Tree::of(forest);
    let mut comparison = Comparison {
        forest,
        tree: &tree,
        ids: HashMap::new(),
        recognised: HashSet::new(),
        outdated_by_segment: HashMap::new(),
        outdated: HashSet::new(),
        remaining: Remaining::default(),
        places: HashMap::new(),
    };
    for (at, planned) in operations.into_iter().enumerate() {
        comparison.compare(at, planned);
    }
    comparison.remaining
}

/// The comparison of a saved plan with the current state, up to some operation.
struct Comparison<'a> {
    forest: &'a Forest,
    tree: &'a Tree<'a>,
    /// The current ids for the provisional ids of the file.
    ids: HashMap<SegmentId, SegmentId>,
    /// Segments that were recognised as the result of a create.
    recognised: HashSet<SegmentId>,
    /// Segments that do not become what the plan wants, with the index of the operation; new ones by their provisional ids of the
    /// file.
    outdated_by_segment: HashMap<SegmentId, usize>,
    /// The indices of outdated operations.
    outdated: HashSet<usize>,
    remaining: Remaining,
    /// The new indices for those of the file.
    places: HashMap<usize, usize>,
}

/// The state of an operation of a saved plan.
enum Verdict {
    Open,
    Done,
    Outdated(Outdated),
}

impl Comparison<'_> {
    fn compare(&mut self, at: usize, planned: PlannedOperation) {
        let PlannedOperation { operation, reason, after, existing } = planned;
        let subject = operation.subject().cloned().unwrap_or_else(|| provisional(at));
        let blocked_by = self.blocking_operation(&operation, after);
        let operation = operation.with_ids(&|id| self.ids.get(id).cloned());
        let verdict = match (blocked_by, &operation) {
            (Some(other), _) => Verdict::Outdated(Outdated::OnHold { operation: other }),
            (None, Operation::Create { draft }) => self.create(at, draft, &existing),
            (None, Operation::Update { base, draft }) => self.update(base, draft),
            (None, Operation::Delete { base, .. }) => self.delete(base),
        };
        match verdict {
            Verdict::Done => self.remaining.done += 1,
            Verdict::Outdated(why) => {
                self.outdated_by_segment.insert(subject, at);
                self.outdated.insert(at);
                self.remaining.outdated.push((at, why));
            }
            Verdict::Open => {
                self.ids.insert(provisional(at), provisional(self.remaining.operations.len()));
                self.places.insert(at, self.remaining.operations.len());
                let after = after.and_then(|after| self.places.get(&after).copied());
                self.remaining.operations.push(PlannedOperation { operation, reason, after, existing });
                self.remaining.indices.push(at);
            }
        }
    }

    /// The outdated operation that this one depends on: the one that creates its parent, the move before it, or the one that was
    /// to move or delete one of its children.
    fn blocking_operation(&self, operation: &Operation, after: Option<usize>) -> Option<usize> {
        let moves = after.filter(|after| self.outdated.contains(after));
        let parent = match operation {
            Operation::Create { draft } | Operation::Update { draft, .. } => draft.parent.as_ref(),
            Operation::Delete { .. } => None,
        };
        let parent =
            parent.filter(|id| creating(id).is_some()).and_then(|id| self.outdated_by_segment.get(id).copied());
        let children = match operation {
            Operation::Delete { base, .. } => self.forest.children(&base.id),
            Operation::Create { .. } | Operation::Update { .. } => Vec::new(),
        };
        let child = children.iter().find_map(|child| self.outdated_by_segment.get(&child.id).copied());
        moves.or(parent).or(child)
    }

    fn create(&mut self, at: usize, draft: &Draft, existing: &[SegmentId]) -> Verdict {
        let same_id = draft.external_id.as_ref().map_or(&[] as &[_], |id| self.tree.with_external_id(id.as_str()));
        let same_place = self.tree.children_named(draft.parent.as_ref(), draft.name.as_str());
        let is_new =
            |segment: &&&Arc<Segment>| !existing.contains(&segment.id) && !self.recognised.contains(&segment.id);
        let has_wanted_values = |segment: &&&Arc<Segment>| draft.changes(segment).is_empty();
        let found = same_id.iter().chain(same_place).filter(is_new);
        if let Some(there) = found.clone().find(has_wanted_values) {
            self.recognised.insert(there.id.clone());
            self.ids.insert(provisional(at), there.id.clone());
            self.remaining.already_created.push((at, Arc::clone(there)));
            return Verdict::Done;
        }
        // Another segment with the same external id, or with the same parent and name if the draft has no external id, may be the
        // new one, changed since.
        let mut doubtful = found.filter(|segment| same_id.contains(segment) || draft.external_id.is_none());
        doubtful.next().map_or(Verdict::Open, |there| Verdict::Outdated(Outdated::Exists(there.id.clone())))
    }

    fn update(&self, base: &Segment, draft: &Draft) -> Verdict {
        let Some(now) = self.forest.get(&base.id) else { return Verdict::Outdated(Outdated::Gone) };
        let (mine, still_differing) = (draft.changes(base), draft.changes(now));
        let theirs = base.differing_fields(now);
        let conflicting = |field: &Field| theirs.contains(field) && still_differing.contains(field);
        let conflicting: Vec<Field> = mine.iter().copied().filter(conflicting).collect();
        if !conflicting.is_empty() {
            return Verdict::Outdated(Outdated::Changed(conflicting));
        }
        if mine.iter().all(|field| !still_differing.contains(field)) { Verdict::Done } else { Verdict::Open }
    }

    fn delete(&self, base: &Segment) -> Verdict {
        match self.forest.get(&base.id) {
            None => Verdict::Done,
            Some(now) if !base.differing_fields(now).is_empty() => {
                Verdict::Outdated(Outdated::Changed(base.differing_fields(now)))
            }
            Some(_) => Verdict::Open,
        }
    }
}
