//! States of segments that can be looked for, and what has to be known for that.

use std::collections::HashSet;
use std::sync::Arc;

use crate::segment::SegmentId;

/// A state that can be looked for with `is:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFilter {
    /// Its parent does not exist.
    Orphan,
    /// Somebody changed it a short while ago.
    Changed,
    /// A write of it is under way.
    Pending,
    /// A person marked it.
    Marked,
    /// Nothing stands below it.
    Leaf,
    /// Its external id is also that of another.
    Duplicate,
}

impl StateFilter {
    /// All of them by the words for them.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("orphan", Self::Orphan),
        ("changed", Self::Changed),
        ("pending", Self::Pending),
        ("marked", Self::Marked),
        ("leaf", Self::Leaf),
        ("duplicate", Self::Duplicate),
    ];

    /// The state of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find_map(|(other, state)| other.eq_ignore_ascii_case(name).then_some(state))
    }
}

/// What a tree does not know of its segments and whoever searches it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalFlags {
    /// Changed a short while ago.
    pub changed: Arc<HashSet<SegmentId>>,
    /// A write is under way.
    pub pending: Arc<HashSet<SegmentId>>,
    /// Marked.
    pub marked: Arc<HashSet<SegmentId>>,
}

impl ExternalFlags {
    /// Those with a state; `None` for one that the tree itself knows.
    pub(super) fn with(&self, state: StateFilter) -> Option<&HashSet<SegmentId>> {
        match state {
            StateFilter::Changed => Some(&self.changed),
            StateFilter::Pending => Some(&self.pending),
            StateFilter::Marked => Some(&self.marked),
            StateFilter::Orphan | StateFilter::Leaf | StateFilter::Duplicate => None,
        }
    }

    /// The segments of which other things are known than of them in what was known before.
    pub(in crate::forest) fn differing<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a SegmentId> {
        [(&self.changed, &before.changed), (&self.pending, &before.pending), (&self.marked, &before.marked)]
            .into_iter()
            .flat_map(|(now, before)| now.symmetric_difference(before))
    }
}
