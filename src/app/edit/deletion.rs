//! Deleting segments: what a deletion would take with it, and what happens to the children.
//!
//! A deletion is planned only if the forest still matches what the confirmation dialog showed.

use crate::app::State;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::edit::{changing, words};
use crate::keymap::Key;
use crate::numbers::{Noun, counted};
use std::sync::Arc;

use crate::changes::{Operation, Plan};
use crate::forest::Forest;
use crate::segment::{Segment, SegmentId};

use crate::app::field_text;

/// A deletion that waits for confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The segments to delete, as the user saw them; none is a descendant of another.
    pub roots: Vec<Arc<Segment>>,
    /// How many children they have together.
    pub children: usize,
    /// How many descendants they have together.
    pub descendants: usize,
    /// Their descendants, as the user saw them, sorted by id.
    descendant_segments: Vec<Arc<Segment>>,
    /// The parent of each root, under which its children would move.
    parents: Vec<Option<SegmentId>>,
}

/// What happens to the descendants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// They are deleted too, the deepest first.
    Subtree,
    /// The children move up to the parent before the deletion.
    Promote,
    /// They are left to the server.
    OnlyThis,
}

impl Deletion {
    pub(in crate::app) fn of(forest: &Forest, segments: &[Arc<Segment>]) -> Self {
        let is_nested = |segment: &Arc<Segment>| segments.iter().any(|other| forest.is_below(&segment.id, &other.id));
        let roots: Vec<_> = segments.iter().filter(|segment| !is_nested(segment)).cloned().collect();
        let children = roots.iter().map(|root| forest.child_count(&root.id)).sum();
        let descendant_segments = roots.iter().flat_map(|root| forest.descendants(&root.id));
        let mut descendant_segments: Vec<Arc<Segment>> =
            descendant_segments.map(|(_, segment)| Arc::clone(segment)).collect();
        descendant_segments.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let parents = roots.iter().map(|root| forest.parent(&root.id).map(|parent| parent.id.clone())).collect();
        Self { roots, children, descendants: descendant_segments.len(), descendant_segments, parents }
    }

    /// Returns this deletion against the present forest, without roots that no longer exist.
    pub(in crate::app) fn refreshed(&self, forest: &Forest) -> Self {
        let roots: Vec<_> = self.roots.iter().filter_map(|root| forest.get(&root.id)).cloned().collect();
        Self::of(forest, &roots)
    }

    /// Describes what changed since the user saw the dialog; `None` when nothing did.
    pub(in crate::app) fn difference(&self, now: &Self, forest: &Forest) -> Option<String> {
        let present = |root: &&Arc<Segment>| forest.contains(&root.id);
        if let Some(gone) = self.roots.iter().find(|root| !present(root)) {
            return Some(words::was_deleted(&gone.name));
        }
        let before = self.roots.iter().filter_map(|root| Some((root, forest.get(&root.id)?)));
        for (before, after) in before {
            let fields = before.differing_fields(after);
            if !fields.is_empty() {
                let fields = fields.into_iter().map(|field| (field, field_text(forest, after, field)));
                return Some(words::was_changed(&before.name, &fields.collect::<Vec<_>>()));
            }
        }
        if self.descendant_segments != now.descendant_segments {
            return Some(words::DESCENDANTS_CHANGED.into());
        }
        (self != now).then(|| words::PARENT_CHANGED.into())
    }

    /// Returns the name of the only root, or how many there are.
    #[must_use]
    pub fn title(&self) -> String {
        match self.roots.as_slice() {
            [only] => only.name.to_string(),
            several => counted(several.len(), Noun::Segment),
        }
    }

    /// Returns the plan for a policy. Valid as long as nothing [differs](Self::difference) from the forest.
    pub(in crate::app) fn plan(&self, forest: &Forest, policy: Policy) -> Plan {
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

pub(in crate::app) fn press(state: &mut State, deletion: &Deletion, key: Key) -> KeyResult {
    let policy = match key.to_string().as_str() {
        "enter" | "y" | "d" if deletion.descendants == 0 => Policy::OnlyThis,
        "s" if deletion.descendants > 0 => Policy::Subtree,
        "p" if deletion.descendants > 0 => Policy::Promote,
        "o" if deletion.descendants > 0 => Policy::OnlyThis,
        "esc" | "q" | "n" | "ctrl-c" => return KeyResult::Close,
        _ => return KeyResult::Stay,
    };
    changing::delete(state, deletion, policy)
}
