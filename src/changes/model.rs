//! What a change of the tree asks of the server, as a value: an ordered list of operations that can be shown, counted,
//! tested and then carried out.
//!
//! Every operation carries the segment *as the person saw it*, so that whoever carries it out can tell whether somebody else
//! changed it meanwhile. Parents come before children on create, children before parents on delete. Nothing here talks to
//! anybody.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::forest::Forest;
use crate::segment::{Draft, Field, Segment, SegmentId};

/// The number under which a client knows a plan that it asked for. Later ones have greater numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(pub u64);

/// How an id begins that a segment has until the server has given it one. No server gives such an id.
const PROVISIONAL: &str = "(new ";

/// One operation of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// The plan.
    pub plan_id: PlanId,
    /// Its place in the plan, from 0.
    pub index: usize,
}

impl OpId {
    /// The id by which other operations refer to the segment that this one creates, for as long as the server has given it none.
    #[must_use]
    pub fn provisional_id(self) -> SegmentId {
        SegmentId::of_text(&format!("{PROVISIONAL}{}.{})", self.plan_id.0, self.index))
    }

    /// The operation whose segment has that provisional id; `None` for any other id.
    #[must_use]
    pub fn creating(id: &SegmentId) -> Option<Self> {
        let text = id.text();
        let (plan_id, index) = text.strip_prefix(PROVISIONAL)?.strip_suffix(')')?.split_once('.')?;
        Some(Self { plan_id: PlanId(plan_id.parse().ok()?), index: index.parse().ok()? })
    }
}

/// Whether a segment is still being created.
#[must_use]
pub fn is_provisional(id: &SegmentId) -> bool {
    id.text().starts_with(PROVISIONAL)
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// A new segment.
    Create {
        /// What it shall be.
        draft: Draft,
    },
    /// New values for a segment.
    Update {
        /// The segment as the person saw it.
        base: Arc<Segment>,
        /// What it shall be. Fields that equal those of `base` are not meant to change.
        draft: Draft,
    },
    /// Delete a segment.
    Delete {
        /// The segment as the person saw it.
        base: Arc<Segment>,
        /// The children that may still stand below it then, because the person chose to leave them to the server. Any other child
        /// has come since, and nobody has agreed to what becomes of it.
        leaving: Vec<SegmentId>,
    },
}

impl Operation {
    /// Deletes a segment that has no children any more.
    #[must_use]
    pub const fn delete(base: Arc<Segment>) -> Self {
        Self::Delete { base, leaving: Vec::new() }
    }

    /// The segment it concerns, `None` for one that does not exist yet.
    #[must_use]
    pub fn subject(&self) -> Option<&SegmentId> {
        match self {
            Self::Create { .. } => None,
            Self::Update { base, .. } | Self::Delete { base, .. } => Some(&base.id),
        }
    }

    /// The new parent; `None` where this operation sets none, or moves the segment to the top level.
    #[must_use]
    pub fn destination(&self) -> Option<&SegmentId> {
        match self {
            Self::Create { draft } => draft.parent.as_ref(),
            Self::Update { base, draft } if draft.parent != base.parent => draft.parent.as_ref(),
            Self::Update { .. } | Self::Delete { .. } => None,
        }
    }

    /// Whether it puts a segment that exists under another one, or to the top.
    #[must_use]
    pub fn is_move(&self) -> bool {
        matches!(self, Self::Update { base, draft } if draft.parent != base.parent)
    }

    /// The ids that it refers to: of its segment, of the segments above that before and after, and of the children that it leaves.
    pub(super) fn referred_ids(&self) -> impl Iterator<Item = &SegmentId> {
        let (base, leaving): (_, &[SegmentId]) = match self {
            Self::Create { .. } => (None, &[]),
            Self::Update { base, .. } => (Some(base), &[]),
            Self::Delete { base, leaving } => (Some(base), leaving),
        };
        let of_base = base.into_iter().flat_map(|base| [Some(&base.id), base.parent.as_ref()]).flatten();
        of_base.chain(self.destination()).chain(leaving)
    }

    /// The same with other ids in the place of some.
    #[must_use]
    pub fn with_ids(self, other: &impl Fn(&SegmentId) -> Option<SegmentId>) -> Self {
        let replaced = |id: SegmentId| other(&id).unwrap_or(id);
        let segment = |base: Arc<Segment>| base.with_ids(other).map_or(base, Arc::new);
        let draft = |draft: Draft| Draft { parent: draft.parent.map(replaced), ..draft };
        match self {
            Self::Create { draft: wanted } => Self::Create { draft: draft(wanted) },
            Self::Update { base, draft: wanted } => Self::Update { base: segment(base), draft: draft(wanted) },
            Self::Delete { base, leaving } => {
                Self::Delete { base: segment(base), leaving: leaving.into_iter().map(replaced).collect() }
            }
        }
    }

    /// Rebases the operation onto the result of an earlier one on the same segment: where the person saw what that one was to
    /// write, they now see what it did.
    #[must_use]
    pub fn rebased(self, expected: &Segment, came: &Segment) -> Self {
        let differing = expected.differing_fields(came);
        let seen = |base: &Segment| -> Vec<Field> {
            differing.iter().copied().filter(|field| base.field(*field) == expected.field(*field)).collect()
        };
        match self {
            Self::Create { .. } => self,
            Self::Update { base, draft } => {
                let (fields, meant) = (seen(&base), draft.changes(&base));
                let untouched: Vec<Field> = fields.iter().copied().filter(|field| !meant.contains(field)).collect();
                let base = Arc::new(Arc::unwrap_or_clone(base).with_fields_of(came, &fields));
                Self::Update { base, draft: draft.with_fields_of(came, &untouched) }
            }
            Self::Delete { base, leaving } => {
                let fields = seen(&base);
                Self::Delete { base: Arc::new(Arc::unwrap_or_clone(base).with_fields_of(came, &fields)), leaving }
            }
        }
    }
}

/// Operations in an order in which they could be carried out one after the other. Those that have nothing to do with each other
/// may be carried out at the same time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do, in order.
    pub operations: Vec<Operation>,
}

impl Plan {
    /// A plan of a single operation.
    #[must_use]
    pub fn single(operation: Operation) -> Self {
        Self { operations: vec![operation] }
    }

    /// Deletes a segment and everything below it, the lowest first. Empty for a segment that is not there.
    #[must_use]
    pub fn delete_subtree(forest: &Forest, id: &SegmentId) -> Self {
        let below = forest.descendants(id).map(|(_, segment)| segment);
        let parents_first: Vec<_> = forest.get(id).into_iter().chain(below).collect();
        let delete = |base: &Arc<Segment>| Operation::delete(Arc::clone(base));
        Self { operations: parents_first.into_iter().rev().map(delete).collect() }
    }

    /// Moves the children of a segment up to its own parent and then deletes it. Empty for a segment that is not there.
    ///
    /// A parent that is not there either is no place to move to: the children then go to the top.
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

    fn told(plan: &Plan) -> Vec<String> {
        let tell = |operation: &Operation| match operation {
            Operation::Create { draft } => format!("create {}", draft.name.as_str()),
            Operation::Update { base, draft } => {
                format!("{} under {}", base.id, draft.parent.as_ref().map_or("nothing".into(), ToString::to_string))
            }
            Operation::Delete { base, .. } => format!("delete {}", base.id),
        };
        plan.operations.iter().map(tell).collect()
    }

    #[test]
    fn a_subtree_goes_from_the_bottom_up() {
        let plan = Plan::delete_subtree(&forest(), &SegmentId::new("a").unwrap());
        assert_eq!(told(&plan), ["delete d", "delete c", "delete b", "delete a"]);
    }

    #[test]
    fn children_move_up_before_their_parent_goes() {
        let plan = Plan::promote_children_and_delete(&forest(), &SegmentId::new("a").unwrap());
        assert_eq!(told(&plan), ["b under root", "d under root", "delete a"]);
        let plan = Plan::promote_children_and_delete(&forest(), &SegmentId::new("root").unwrap());
        assert_eq!(told(&plan), ["a under nothing", "delete root"]);
    }

    #[test]
    fn what_was_begun_before_an_earlier_one_ended_goes_on_from_what_that_came_to() {
        let named = |name: &str, parent| Segment { name: name.into(), ..(*segment("a", parent)).clone() };
        // The person saw "B" while it was being written, and the server made it "b".
        let (expected, came) = (named("B", Some("root")), named("b", None));
        let draft = Draft { parent: SegmentId::new("c"), ..Draft::of(&expected) };
        let later = Operation::Update { base: Arc::new(expected.clone()), draft };
        let Operation::Update { base, draft } = later.rebased(&expected, &came) else { panic!("an update") };
        assert_eq!((&*base, draft.name.as_str(), draft.parent), (&came, "b", SegmentId::new("c")));
    }

    #[test]
    fn nothing_is_planned_for_a_segment_that_is_not_there() {
        let id = SegmentId::new("z").unwrap();
        assert_eq!(Plan::delete_subtree(&forest(), &id), Plan::default());
        assert_eq!(Plan::promote_children_and_delete(&forest(), &id), Plan::default());
    }
}
