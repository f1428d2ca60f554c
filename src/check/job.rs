//! Looking at a whole tree without holding up whoever changes or shows it.

use std::sync::Arc;

use super::{Finding, Rules, check};
use crate::forest::Snapshot;

/// A tree to be looked at, as it was when somebody asked. Any thread can carry it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckJob {
    /// The state of the tree that it is about: see [`Forest::revision`](crate::forest::Forest::revision).
    pub revision: u64,
    /// The segments.
    pub snapshot: Snapshot,
    /// What they are looked at for.
    pub rules: Rules,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The state of the tree that it is about.
    pub revision: u64,
    /// The findings, in their order.
    pub findings: Arc<[Finding]>,
}

impl CheckJob {
    /// Looks at all segments.
    #[must_use]
    pub fn carried_out(&self) -> Checked {
        let segments: Vec<_> = self.snapshot.iter().cloned().collect();
        Checked { revision: self.revision, findings: check(&segments, &self.rules).into() }
    }
}
