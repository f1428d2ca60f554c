//! States of segments to search for, and the external flags that some of them need.

use std::collections::HashSet;
use std::sync::Arc;

use crate::segment::SegmentId;

/// A state to search for with `is:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFilter {
    /// Its parent does not exist.
    Orphan,
    /// It was changed recently.
    Changed,
    /// It has a pending write.
    Pending,
    /// The user marked it.
    Marked,
    /// It has no children.
    Leaf,
    /// Another segment has the same external id.
    Duplicate,
}

impl StateFilter {
    /// All states by name.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("orphan", Self::Orphan),
        ("changed", Self::Changed),
        ("pending", Self::Pending),
        ("marked", Self::Marked),
        ("leaf", Self::Leaf),
        ("duplicate", Self::Duplicate),
    ];

    /// Returns the state with a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find_map(|(other, state)| other.eq_ignore_ascii_case(name).then_some(state))
    }
}

/// Flags of segments that the tree does not know, provided by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalFlags {
    /// Changed recently.
    pub changed: Arc<HashSet<SegmentId>>,
    /// With a pending write.
    pub pending: Arc<HashSet<SegmentId>>,
    /// Marked.
    pub marked: Arc<HashSet<SegmentId>>,
}

impl ExternalFlags {
    /// The segments in a state; `None` for a state that the tree itself knows.
    pub(super) fn ids_in(&self, state: StateFilter) -> Option<&HashSet<SegmentId>> {
        match state {
            StateFilter::Changed => Some(&self.changed),
            StateFilter::Pending => Some(&self.pending),
            StateFilter::Marked => Some(&self.marked),
            StateFilter::Orphan | StateFilter::Leaf | StateFilter::Duplicate => None,
        }
    }

    /// The segments whose flags differ from those before.
    pub(in crate::forest) fn differing<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a SegmentId> {
        [(&self.changed, &before.changed), (&self.pending, &before.pending), (&self.marked, &before.marked)]
            .into_iter()
            .flat_map(|(now, before)| now.symmetric_difference(before))
    }
}
