//! What a change of the tree asks of the server, as a value: an ordered list of operations that can be shown, counted,
//! tested and then carried out.
//!
//! Every operation carries the segment *as the person saw it*, so that whoever carries it out can tell whether somebody else
//! changed it meanwhile. Parents come before children on create, children before parents on delete. Nothing here talks to
//! anybody.

use std::sync::Arc;

use crate::forest::Forest;
use crate::segment::{Draft, Segment, SegmentId};

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The end of a segment.
    Delete {
        /// The segment as the person saw it.
        base: Arc<Segment>,
    },
}

impl Operation {
    /// The segment it concerns, `None` for one that does not exist yet.
    #[must_use]
    pub fn subject(&self) -> Option<&SegmentId> {
        match self {
            Self::Create { .. } => None,
            Self::Update { base, .. } | Self::Delete { base } => Some(&base.id),
        }
    }
}

/// Operations in the order in which they are to be carried out; the first that fails ends the plan.
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
        let delete = |base: &Arc<Segment>| Operation::Delete { base: Arc::clone(base) };
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
        operations.push(Operation::Delete { base: Arc::clone(segment) });
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
            Operation::Delete { base } => format!("delete {}", base.id),
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
    fn nothing_is_planned_for_a_segment_that_is_not_there() {
        let id = SegmentId::new("z").unwrap();
        assert_eq!(Plan::delete_subtree(&forest(), &id), Plan::default());
        assert_eq!(Plan::promote_children_and_delete(&forest(), &id), Plan::default());
    }
}
