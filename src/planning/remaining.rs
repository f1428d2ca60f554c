//! What of a saved plan is still to be done: its operations next to the tenant as it is by now.
//!
//! An operation whose wish has come true is done, whoever did it. One whose base somebody has changed is not done any more, and neither
//! is what depends on it.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::tree::Tree;
use super::{PlannedOperation, creating, provisional};
use crate::changes::Operation;
use crate::forest::Forest;
use crate::segment::{Draft, Field, Segment, SegmentId};

/// Why an operation of a saved plan is not done any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outdated {
    /// The segment is gone.
    Gone,
    /// Somebody has changed the same fields.
    Changed(Vec<Field>),
    /// Of a create: there is something by now that may be it, or may be another one.
    Exists(SegmentId),
    /// It builds upon an operation that is not done.
    OnHold {
        /// The place of that one.
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

/// What of a saved plan is still to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remaining {
    /// The operations, with provisional ids for their new places.
    pub operations: Vec<PlannedOperation>,
    /// The places that they had in the file.
    pub places: Vec<usize>,
    /// How many are done already.
    pub done: usize,
    /// Segments that were to be created and are there, by the places of the operations.
    pub there: Vec<(usize, Arc<Segment>)>,
    /// What is not done, by the places in the file.
    pub outdated: Vec<(usize, Outdated)>,
}

/// What of the operations of a saved plan is still to be done, with the tenant as it is now.
#[must_use]
pub fn remaining(operations: Vec<PlannedOperation>, forest: &Forest) -> Remaining {
    let tree = Tree::of(forest);
    let mut comparison = Comparison {
        forest,
        tree: &tree,
        ids: HashMap::new(),
        taken: HashSet::new(),
        staying: HashMap::new(),
        outdated: HashSet::new(),
        remaining: Remaining::default(),
        places: HashMap::new(),
    };
    for (at, planned) in operations.into_iter().enumerate() {
        comparison.take(at, planned);
    }
    comparison.remaining
}

/// The operations of a saved plan next to what there is, as far as it has come.
struct Comparison<'a> {
    forest: &'a Forest,
    tree: &'a Tree<'a>,
    /// What became of the provisional ids of the file.
    ids: HashMap<SegmentId, SegmentId>,
    /// Segments that were taken for what an operation creates.
    taken: HashSet<SegmentId>,
    /// Segments that do not become what the plan wants of them, new ones by their provisional ids of the file; and by which operation.
    staying: HashMap<SegmentId, usize>,
    /// The places of operations that are not done.
    outdated: HashSet<usize>,
    remaining: Remaining,
    /// What became of the places of the file.
    places: HashMap<usize, usize>,
}

/// What is to be done about an operation of a saved plan.
enum Verdict {
    Open,
    Done,
    Outdated(Outdated),
}

impl Comparison<'_> {
    fn take(&mut self, at: usize, planned: PlannedOperation) {
        let PlannedOperation { operation, why, after, existing } = planned;
        let subject = operation.subject().cloned().unwrap_or_else(|| provisional(at));
        let on_hold = self.held_by(&operation, after);
        let operation = operation.with_ids(&|id| self.ids.get(id).cloned());
        let verdict = match (on_hold, &operation) {
            (Some(other), _) => Verdict::Outdated(Outdated::OnHold { operation: other }),
            (None, Operation::Create { draft }) => self.create(at, draft, &existing),
            (None, Operation::Update { base, draft }) => self.update(base, draft),
            (None, Operation::Delete { base, .. }) => self.delete(base),
        };
        match verdict {
            Verdict::Done => self.remaining.done += 1,
            Verdict::Outdated(why) => {
                self.staying.insert(subject, at);
                self.outdated.insert(at);
                self.remaining.outdated.push((at, why));
            }
            Verdict::Open => {
                self.ids.insert(provisional(at), provisional(self.remaining.operations.len()));
                self.places.insert(at, self.remaining.operations.len());
                let after = after.and_then(|after| self.places.get(&after).copied());
                self.remaining.operations.push(PlannedOperation { operation, why, after, existing });
                self.remaining.places.push(at);
            }
        }
    }

    /// The operation that is not done and has to come before this one: the one that creates its parent, the move before it, or what
    /// was to take a child away.
    fn held_by(&self, operation: &Operation, after: Option<usize>) -> Option<usize> {
        let moves = after.filter(|after| self.outdated.contains(after));
        let parent = match operation {
            Operation::Create { draft } | Operation::Update { draft, .. } => draft.parent.as_ref(),
            Operation::Delete { .. } => None,
        };
        let parent = parent.filter(|id| creating(id).is_some()).and_then(|id| self.staying.get(id).copied());
        let children = match operation {
            Operation::Delete { base, .. } => self.forest.children(&base.id),
            Operation::Create { .. } | Operation::Update { .. } => Vec::new(),
        };
        let child = children.iter().find_map(|child| self.staying.get(&child.id).copied());
        moves.or(parent).or(child)
    }

    fn create(&mut self, at: usize, draft: &Draft, existing: &[SegmentId]) -> Verdict {
        let same_id = draft.external_id.as_ref().map_or(&[] as &[_], |id| self.tree.of_external_id(id.as_str()));
        let same_place = self.tree.at(draft.parent.as_ref(), draft.name.as_str());
        let is_new = |segment: &&&Arc<Segment>| !existing.contains(&segment.id) && !self.taken.contains(&segment.id);
        let is_it = |segment: &&&Arc<Segment>| draft.changes(segment).is_empty();
        let found = same_id.iter().chain(same_place).filter(is_new);
        if let Some(there) = found.clone().find(is_it) {
            self.taken.insert(there.id.clone());
            self.ids.insert(provisional(at), there.id.clone());
            self.remaining.there.push((at, Arc::clone(there)));
            return Verdict::Done;
        }
        // What has its external ID, or its place and none or another external ID where it has none itself, may be it, changed since.
        let mut doubtful = found.filter(|segment| same_id.contains(segment) || draft.external_id.is_none());
        doubtful.next().map_or(Verdict::Open, |there| Verdict::Outdated(Outdated::Exists(there.id.clone())))
    }

    fn update(&self, base: &Segment, draft: &Draft) -> Verdict {
        let Some(now) = self.forest.get(&base.id) else { return Verdict::Outdated(Outdated::Gone) };
        let (mine, left) = (draft.changes(base), draft.changes(now));
        let theirs = base.differing_fields(now);
        let both = |field: &Field| theirs.contains(field) && left.contains(field);
        let both: Vec<Field> = mine.iter().copied().filter(both).collect();
        if !both.is_empty() {
            return Verdict::Outdated(Outdated::Changed(both));
        }
        if mine.iter().all(|field| !left.contains(field)) { Verdict::Done } else { Verdict::Open }
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
