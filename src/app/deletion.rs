//! What a deletion would take, and what becomes of the children.

use std::sync::Arc;

use crate::forest::Forest;
use crate::plan::{Operation, Plan};
use crate::segment::{Segment, SegmentId};

/// A deletion that waits for the person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// What is to go, as the person saw it; no one of them below another.
    pub roots: Vec<Arc<Segment>>,
    /// How many segments stand directly below.
    pub children: usize,
    /// How many segments stand below in all.
    pub descendants: usize,
    /// Which they are, to notice when others do.
    pub(super) below: Vec<SegmentId>,
}

/// What becomes of what stands below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It goes too, the lowest first.
    Subtree,
    /// The children move up to the parent first.
    Promote,
    /// The server decides.
    OnlyThis,
}

impl Deletion {
    pub(super) fn of(forest: &Forest, segments: &[Arc<Segment>]) -> Self {
        let below_another =
            |segment: &Arc<Segment>| segments.iter().any(|other| forest.is_below(&segment.id, &other.id));
        let roots: Vec<_> = segments.iter().filter(|segment| !below_another(segment)).cloned().collect();
        let children = roots.iter().map(|root| forest.child_count(&root.id)).sum();
        let descendants = roots.iter().map(|root| forest.descendant_count(&root.id)).sum();
        let below = roots.iter().flat_map(|root| forest.descendants(&root.id));
        let mut below: Vec<SegmentId> = below.map(|(_, segment)| segment.id.clone()).collect();
        below.sort_unstable();
        Self { roots, children, descendants, below }
    }

    /// The names of what is to go, in short.
    #[must_use]
    pub fn title(&self) -> String {
        match self.roots.as_slice() {
            [only] => only.name.to_string(),
            several => format!("{} segments", several.len()),
        }
    }

    /// What it asks of the server under a policy.
    pub(super) fn plan(&self, forest: &Forest, policy: Policy) -> Plan {
        let plans = self.roots.iter().map(|root| match policy {
            Policy::Subtree => Plan::delete_subtree(forest, &root.id),
            Policy::Promote => Plan::promote_children_and_delete(forest, &root.id),
            Policy::OnlyThis => {
                let leaving = forest.children(&root.id).into_iter().map(|child| child.id.clone()).collect();
                Plan::single(Operation::Delete { base: Arc::clone(root), leaving })
            }
        });
        Plan { operations: plans.flat_map(|plan| plan.operations).collect() }
    }
}
