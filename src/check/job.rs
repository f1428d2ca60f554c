//! A check of a whole tree that can run on any thread, without blocking changes to the tree or its display.

use std::sync::Arc;

use super::{Finding, Rules, check};
use crate::forest::Snapshot;

/// A snapshot of a tree to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckJob {
    /// The revision of the forest: see [`Forest::revision`](crate::forest::Forest::revision).
    pub revision: u64,
    /// The segments to check.
    pub snapshot: Snapshot,
    /// The rules to check them against.
    pub rules: Rules,
}

/// The result of a check.
#[derive(Debug, Clone)]
pub struct CheckResult {
    /// The revision of the forest that was checked.
    pub revision: u64,
    /// The findings, in the order of [`check()`].
    pub findings: Arc<[Finding]>,
}

impl CheckJob {
    /// Checks all segments.
    #[must_use]
    pub fn run(&self) -> CheckResult {
        let segments: Vec<_> = self.snapshot.iter().cloned().collect();
        CheckResult { revision: self.revision, findings: check(&segments, &self.rules).into() }
    }
}
