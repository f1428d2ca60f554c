//! Plans: ordered lists of operations as plain values, which can be shown, counted and tested before they are executed.
//!
//! Every operation carries the segment *as the user saw it*, so that its executor can detect a concurrent change. Parents come
//! before children on create, children before parents on delete. This module performs no I/O.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::forest::Forest;
use crate::segment::{Draft, Field, Segment, SegmentId};

/// Id of a plan, chosen by the client. Later plans have greater ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(pub u64);

/// Prefix of provisional ids. No server assigns such an id.
const PROVISIONAL: &str = "(new ";

/// Id of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// The plan.
    pub plan_id: PlanId,
    /// Index in the plan, from 0.
    pub index: usize,
}

impl OpId {
    /// Returns the id by which other operations refer to the segment that this one creates, until the server has assigned one.
    #[must_use]
    pub fn provisional_id(self) -> SegmentId {
        SegmentId::of_text(&format!("{PROVISIONAL}{}.{})", self.plan_id.0, self.index))
    }

    /// Returns the create that a provisional id belongs to, `None` for any other id.
    #[must_use]
    pub fn creating(id: &SegmentId) -> Option<Self> {
        let text = id.text();
        let (plan_id, index) = text.strip_prefix(PROVISIONAL)?.strip_suffix(')')?.split_once('.')?;
        Some(Self { plan_id: PlanId(plan_id.parse().ok()?), index: index.parse().ok()? })
    }
}

/// Whether an id is provisional: the segment has not been created yet.
#[must_use]
pub fn is_provisional(id: &SegmentId) -> bool {
    id.text().starts_with(PROVISIONAL)
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Creates a segment.
    Create {
        /// The fields of the new segment.
        draft: Draft,
    },
    /// Updates a segment.
    Update {
        /// The segment as the user saw it.
        base: Arc<Segment>,
        /// The fields that it should have. Those that equal `base` are not changed.
        draft: Draft,
    },
    /// Deletes a segment.
    Delete {
        /// The segment as the user saw it.
        base: Arc<Segment>,
        /// The children that it may still have at that time, because the user chose to leave them to the server. Any other child
        /// was added later, and is not covered by the user's confirmation.
        leaving: Vec<SegmentId>,
    },
}

impl Operation {
    /// Returns a delete of a segment that has no children left.
    #[must_use]
    pub const fn delete(base: Arc<Segment>) -> Self {
        Self::Delete { base, leaving: Vec::new() }
    }

    /// Returns the segment that the operation updates or deletes, `None` for a create.
    #[must_use]
    pub fn subject(&self) -> Option<&SegmentId> {
        match self {
            Self::Create { .. } => None,
            Self::Update { base, .. } | Self::Delete { base, .. } => Some(&base.id),
        }
    }

    /// Returns the new parent, `None` if the operation sets none or moves the segment to the top level.
    #[must_use]
    pub fn destination(&self) -> Option<&SegmentId> {
        match self {
            Self::Create { draft } => draft.parent.as_ref(),
            Self::Update { base, draft } if draft.parent != base.parent => draft.parent.as_ref(),
            Self::Update { .. } | Self::Delete { .. } => None,
        }
    }

    /// Whether the operation gives an existing segment another parent, or moves it to the top level.
    #[must_use]
    pub fn is_move(&self) -> bool {
        matches!(self, Self::Update { base, draft } if draft.parent != base.parent)
    }

    /// The ids that the operation refers to: its segment, that segment's old and new parent, and the children that it leaves.
    pub(super) fn referenced_ids(&self) -> impl Iterator<Item = &SegmentId> {
        let (base, leaving): (_, &[SegmentId]) = match self {
            Self::Create { .. } => (None, &[]),
            Self::Update { base, .. } => (Some(base), &[]),
            Self::Delete { base, leaving } => (Some(base), leaving),
        };
        let of_base = base.into_iter().flat_map(|base| [Some(&base.id), base.parent.as_ref()]).flatten();
        of_base.chain(self.destination()).chain(leaving)
    }

    /// Returns the operation with some ids replaced.
    #[must_use]
    pub fn with_ids(self, replacement: &impl Fn(&SegmentId) -> Option<SegmentId>) -> Self {
        let replaced = |id: SegmentId| replacement(&id).unwrap_or(id);
        let segment = |base: Arc<Segment>| base.with_ids(replacement).map_or(base, Arc::new);
        let draft = |draft: Draft| Draft { parent: draft.parent.map(replaced), ..draft };
        match self {
            Self::Create { draft: wanted } => Self::Create { draft: draft(wanted) },
            Self::Update { base, draft: wanted } => Self::Update { base: segment(base), draft: draft(wanted) },
            Self::Delete { base, leaving } => {
                Self::Delete { base: segment(base), leaving: leaving.into_iter().map(replaced).collect() }
            }
        }
    }

    /// Rebases the operation onto the result of an earlier one on the same segment: where its base shows a value that the earlier
    /// one was expected to write, it now shows the value that resulted.
    #[must_use]
    pub fn rebased(self, expected: &Segment, actual: &Segment) -> Self {
        let differing = expected.differing_fields(actual);
        let superseded_fields = |base: &Segment| -> Vec<Field> {
            differing.iter().copied().filter(|field| base.field(*field) == expected.field(*field)).collect()
        };
        match self {
            Self::Create { .. } => self,
            Self::Update { base, draft } => {
                let (fields, intended) = (superseded_fields(&base), draft.changes(&base));
                let unintended: Vec<Field> = fields.iter().copied().filter(|field| !intended.contains(field)).collect();
                let base = Arc::new(Arc::unwrap_or_clone(base).with_fields_of(actual, &fields));
                Self::Update { base, draft: draft.with_fields_of(actual, &unintended) }
            }
            Self::Delete { base, leaving } => {
                let fields = superseded_fields(&base);
                Self::Delete { base: Arc::new(Arc::unwrap_or_clone(base).with_fields_of(actual, &fields)), leaving }
            }
        }
    }
}

/// Operations in an order in which they can be executed one by one. Independent ones may be executed concurrently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The operations, in order.
    pub operations: Vec<Operation>,
}

impl Plan {
    /// Returns a plan with a single operation.
    #[must_use]
    pub fn single(operation: Operation) -> Self {
        Self { operations: vec![operation] }
    }

    /// Returns a plan that deletes a segment and all its descendants, children first. Empty if there is no such segment.
    #[must_use]
    pub fn delete_subtree(forest: &Forest, id: &SegmentId) -> Self {
        let below = forest.descendants(id).map(|(_, segment)| segment);
        let parents_first: Vec<_> = forest.get(id).into_iter().chain(below).collect();
        let delete = |base: &Arc<Segment>| Operation::delete(Arc::clone(base));
        Self { operations: parents_first.into_iter().rev().map(delete).collect() }
    }

    /// Returns a plan that moves the children of a segment to its parent, then deletes it. Empty if there is no such segment.
    ///
    /// If the parent is missing, the children move to the top level.
    #[must_use]
    pub fn promote_children_and_delete(forest: &Forest, id: &SegmentId) -> Self {
        let Some(segment) = forest.get(id) else { return Self::default() };
        let parent = forest.parent(id).map(|parent| parent.id.clone());
        let promote = |child: &Arc<Segment>| {
            let draft = Draft { parent: parent.clone(), ..Draft::of(child) };
            Operation::Update { base: Arc::clone(child), draft }
        };
        let mut operations: Vec<_> = forest.children(id).into_iter().map(promote).collect();
        operations.push(Operation::delete(Arc::clone(segment)));
        Self { operations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(id: &str, parent: Option<&str>) -> Arc<Segment> {
        let id = SegmentId::new(id).unwrap();
        let name = id.to_string().into();
        Arc::new(Segment { id, name, external_id: None, parent: parent.and_then(SegmentId::new) })
    }

    fn forest() -> Forest {
        let edges = [("root", None), ("a", Some("root")), ("b", Some("a")), ("c", Some("b")), ("d", Some("a"))];
        edges.into_iter().map(|(id, parent)| segment(id, parent)).collect()
    }

    fn described(plan: &Plan) -> Vec<String> {
        let describe = |operation: &Operation| match operation {
            Operation::Create { draft } => format!("create {}", draft.name.as_str()),
            Operation::Update { base, draft } => {
                format!("{} under {}", base.id, draft.parent.as_ref().map_or("nothing".into(), ToString::to_string))
            }
            Operation::Delete { base, .. } => format!("delete {}", base.id),
        };
        plan.operations.iter().map(describe).collect()
    }

    #[test]
    fn a_subtree_is_deleted_children_first() {
        let plan = Plan::delete_subtree(&forest(), &SegmentId::new("a").unwrap());
        assert_eq!(described(&plan), ["delete d", "delete c", "delete b", "delete a"]);
    }

    #[test]
    fn children_move_up_before_their_parent_is_deleted() {
        let plan = Plan::promote_children_and_delete(&forest(), &SegmentId::new("a").unwrap());
        assert_eq!(described(&plan), ["b under root", "d under root", "delete a"]);
        let plan = Plan::promote_children_and_delete(&forest(), &SegmentId::new("root").unwrap());
        assert_eq!(described(&plan), ["a under nothing", "delete root"]);
    }

    #[test]
    fn a_later_update_is_rebased_onto_the_earlier_result() {
        let named = |name: &str, parent| Segment { name: name.into(), ..(*segment("a", parent)).clone() };
        // The user saw "B" while it was being written, and the server turned it into "b".
        let (expected, actual) = (named("B", Some("root")), named("b", None));
        let draft = Draft { parent: SegmentId::new("c"), ..Draft::of(&expected) };
        let later = Operation::Update { base: Arc::new(expected.clone()), draft };
        let Operation::Update { base, draft } = later.rebased(&expected, &actual) else { panic!("an update") };
        assert_eq!((&*base, draft.name.as_str(), draft.parent), (&actual, "b", SegmentId::new("c")));
    }

    #[test]
    fn the_plan_for_an_unknown_segment_is_empty() {
        let id = SegmentId::new("z").unwrap();
        assert_eq!(Plan::delete_subtree(&forest(), &id), Plan::default());
        assert_eq!(Plan::promote_children_and_delete(&forest(), &id), Plan::default());
    }
}
