//! A plan for people: each operation with where its segment stands before and after, in the order of the paths.

use hashbrown::HashMap;

use super::{PlannedOperation, provisional};
use crate::changes::Operation;
use crate::forest::{Forest, path_text};
use crate::segment::{Draft, Field, SegmentId};

/// What an operation does, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The operation's index in the plan.
    pub index: usize,
    /// Where the segment stands; of a new one, where it will.
    pub path: String,
    /// Where it will stand, if that is elsewhere because it is moved.
    pub new_path: Option<String>,
    /// How many segments stand below it now.
    pub below: usize,
    /// The fields other than the parent that change, from what to what.
    pub fields: Vec<(Field, Option<String>, Option<String>)>,
}

/// How many operations of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// New segments.
    pub creates: usize,
    /// Segments with another name or external id that stay where they are.
    pub updates: usize,
    /// Segments with another parent.
    pub moves: usize,
    /// Deleted segments.
    pub deletes: usize,
}

impl Sums {
    /// Counts.
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

/// What each operation does, in the order of the paths.
#[must_use]
pub fn describe(operations: &[PlannedOperation], forest: &Forest) -> Vec<Description> {
    let after = After::of(operations, forest);
    let mut described: Vec<Description> =
        operations.iter().enumerate().map(|(index, planned)| after.describe(index, &planned.operation)).collect();
    described.sort_by(|one, other| one.path.cmp(&other.path).then(one.index.cmp(&other.index)));
    described
}

/// The path of a segment as it is now.
#[must_use]
pub fn path_now(forest: &Forest, id: &SegmentId) -> String {
    path_text(forest.path(id).into_iter().map(|segment| segment.name.as_str()))
}

/// What all segments will be.
struct After<'a> {
    forest: &'a Forest,
    drafts: HashMap<SegmentId, &'a Draft>,
}

impl<'a> After<'a> {
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
                let texts = draft.changes(base).into_iter().filter(|field| *field != Field::Parent);
                let fields = texts.map(|field| (field, base.field(field), after.field(field))).collect();
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
        // What is one of its own ancestors has no top, and names enough.
        while let Some(id) = at.filter(|_| names.len() < DEEPEST) {
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

/// Names of a path that are shown.
const DEEPEST: usize = 1_000;
