//! Describes a plan for people: each operation with the path of its segment before and after, sorted by path.

use hashbrown::HashMap;

use super::{PlannedOperation, provisional};
use crate::changes::Operation;
use crate::forest::{Forest, path_text};
use crate::segment::{Draft, Field, SegmentId};

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The operation's index in the plan.
    pub index: usize,
    /// The current path; for a new segment, its future path.
    pub path: String,
    /// The path after a move.
    pub new_path: Option<String>,
    /// The current number of descendants.
    pub below: usize,
    /// The changed fields other than the parent, with old and new values.
    pub fields: Vec<(Field, Option<String>, Option<String>)>,
}

/// The number of operations of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// New segments.
    pub creates: usize,
    /// Segments with a new name or external id but the same parent.
    pub updates: usize,
    /// Segments with a new parent.
    pub moves: usize,
    /// Deleted segments.
    pub deletes: usize,
}

impl Sums {
    /// Counts operations by kind.
    #[must_use]
    pub fn of<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Self {
        let mut sums = Self::default();
        for operation in operations {
            *match operation {
                Operation::Create { .. } => &mut sums.creates,
                Operation::Update { .. } if operation.is_move() => &mut sums.moves,
                Operation::Update { .. } => &mut sums.updates,
                Operation::Delete { .. } => &mut sums.deletes,
            } += 1;
        }
        sums
    }
}

/// Describes each operation, sorted by path.
#[must_use]
pub fn describe(operations: &[PlannedOperation], forest: &Forest) -> Vec<Description> {
    let after = PlannedState::of(operations, forest);
    let mut described: Vec<Description> =
        operations.iter().enumerate().map(|(index, planned)| after.describe(index, &planned.operation)).collect();
    described.sort_by(|one, other| one.path.cmp(&other.path).then(one.index.cmp(&other.index)));
    described
}

/// The current path of a segment.
#[must_use]
pub fn path_now(forest: &Forest, id: &SegmentId) -> String {
    path_text(forest.path(id).into_iter().map(|segment| segment.name.as_str()))
}

/// The segments after the plan is applied.
struct PlannedState<'a> {
    forest: &'a Forest,
    drafts: HashMap<SegmentId, &'a Draft>,
}

impl<'a> PlannedState<'a> {
    fn of(operations: &'a [PlannedOperation], forest: &'a Forest) -> Self {
        let draft = |(index, planned): (usize, &'a PlannedOperation)| match &planned.operation {
            Operation::Create { draft } => Some((provisional(index), draft)),
            Operation::Update { base, draft } => Some((base.id.clone(), draft)),
            Operation::Delete { .. } => None,
        };
        Self { forest, drafts: operations.iter().enumerate().filter_map(draft).collect() }
    }

    fn describe(&self, index: usize, operation: &Operation) -> Description {
        let (path, new_path, fields) = match operation {
            Operation::Create { .. } => (self.path(&provisional(index)), None, Vec::new()),
            Operation::Update { base, draft } => {
                let after = draft.clone().into_segment(base.id.clone());
                let changed_fields = draft.changes(base).into_iter().filter(|field| *field != Field::Parent);
                let fields = changed_fields.map(|field| (field, base.field(field), after.field(field))).collect();
                let new_path = operation.is_move().then(|| self.path(&base.id));
                (path_now(self.forest, &base.id), new_path, fields)
            }
            Operation::Delete { base, .. } => (path_now(self.forest, &base.id), None, Vec::new()),
        };
        let below = operation.subject().map_or(0, |id| self.forest.descendant_count(id));
        Description { index, path, new_path, below, fields }
    }

    fn path(&self, id: &SegmentId) -> String {
        let mut names: Vec<&str> = Vec::new();
        let mut at = Some(id);
        // A segment in a cycle has no root, so the path is cut at the limit.
        while let Some(id) = at.filter(|_| names.len() < MAX_PATH_NAMES) {
            let (name, parent) = match (self.drafts.get(id), self.forest.get(id)) {
                (Some(draft), _) => (draft.name.as_str(), draft.parent.as_ref()),
                (None, Some(segment)) => (segment.name.as_str(), segment.parent.as_ref()),
                (None, None) => break,
            };
            names.push(name);
            at = parent;
        }
        path_text(names.into_iter().rev())
    }
}

/// The most names that are shown of a path.
const MAX_PATH_NAMES: usize = 1_000;
