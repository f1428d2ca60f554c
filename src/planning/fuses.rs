//! Stops a plan that would change more than is likely intended.
//!
//! A truncated file, a swapped source and target, or a wrong scope all result in very many changes.

use std::fmt;

use hashbrown::HashSet;

use super::Planned;
use crate::changes::Operation;
use crate::forest::Forest;
use crate::segment::SegmentId;

/// The limits that were set explicitly.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Fuses {
    /// Deletions.
    pub deletes: Option<Limit>,
    /// Updates and moves.
    pub changes: Option<Limit>,
}

/// A limit as a number or as a share of the scope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// This many.
    Count(usize),
    /// This many percent.
    Percent(f64),
}

/// Why a plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanRefusal {
    /// The file has no rows.
    Empty,
    /// The file has fewer than half of the segments of its scope.
    Short {
        /// How many segments of the scope are in the file.
        rows: usize,
        /// How many segments the scope has, not counting those that would be kept in any case.
        scope: usize,
    },
    /// Too many deletions.
    Deletes {
        /// The number of deletions.
        count: usize,
        /// How many are allowed.
        limit: usize,
        /// Whether the limit was set with a flag.
        is_explicit: bool,
    },
    /// Too many updates.
    Updates {
        /// The number of updates.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// Too much is moved.
    Moves {
        /// The number of segments that change place, descendants included.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
}

/// Deletions allowed by default: this many, or this share of the scope if that is more.
const DEFAULT_MAX_DELETES: usize = 10;
const DEFAULT_MAX_DELETES_PERCENT: f64 = 10.0;
/// The default limit on updates is a share of the scope, and applies to scopes of at least this size.
const MIN_SCOPE_FOR_UPDATE_LIMIT: usize = 50;
const DEFAULT_MAX_UPDATES_PERCENT: f64 = 30.0;
/// Moved segments allowed by default, descendants included: this many, or this share of the tree if that is more.
const DEFAULT_MAX_MOVES: usize = 10;
const DEFAULT_MAX_MOVES_PERCENT: f64 = 10.0;

impl Limit {
    /// Parses `25` or `10%`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('%') {
            None => text.trim().parse().ok().map(Self::Count),
            Some(percent) => {
                let percent = percent.trim().replace(',', ".").parse().ok();
                percent.filter(|percent: &f64| percent.is_finite() && *percent >= 0.0).map(Self::Percent)
            }
        }
    }

    fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => share(total, percent),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of segments"
)]
fn share(total: usize, percent: f64) -> usize {
    (total as f64 * percent / 100.0).floor() as usize
}

impl Fuses {
    /// Whether the user allowed most of this scope to be deleted: by a share of at least half, or by a count below the size of
    /// the scope. A higher count was meant for another scope.
    fn allows_most_deletes(&self, scope: usize) -> bool {
        match self.deletes {
            None => false,
            Some(Limit::Count(count)) => count < scope,
            Some(Limit::Percent(percent)) => percent >= 50.0,
        }
    }

    /// The reasons not to apply a plan.
    #[must_use]
    pub fn refusals(&self, planned: &Planned, forest: &Forest) -> Vec<PlanRefusal> {
        if planned.rows == 0 {
            return vec![PlanRefusal::Empty];
        }
        let mut refusals = Vec::new();
        let operations = planned.operations.iter().map(|planned| &planned.operation);
        let deletes = operations.clone().filter(|operation| matches!(operation, Operation::Delete { .. })).count();
        let updates = operations.clone().filter(|operation| matches!(operation, Operation::Update { .. })).count();
        let scope = planned.scope_size;
        let limit = self.deletes.map_or_else(
            || DEFAULT_MAX_DELETES.max(share(scope, DEFAULT_MAX_DELETES_PERCENT)),
            |limit| limit.of(scope),
        );
        if deletes > limit {
            refusals.push(PlanRefusal::Deletes { count: deletes, limit, is_explicit: self.deletes.is_some() });
        }
        let expected_in_scope = planned.matched_in_scope + planned.missing_in_scope;
        if deletes > 0
            && !self.allows_most_deletes(expected_in_scope)
            && planned.matched_in_scope * 2 < expected_in_scope
        {
            refusals.push(PlanRefusal::Short { rows: planned.matched_in_scope, scope: expected_in_scope });
        }
        let default =
            if scope < MIN_SCOPE_FOR_UPDATE_LIMIT { usize::MAX } else { share(scope, DEFAULT_MAX_UPDATES_PERCENT) };
        let limit = self.changes.map_or(default, |limit| limit.of(scope));
        if updates > limit {
            refusals.push(PlanRefusal::Updates { count: updates, limit });
        }
        let moved_count = moved_count(operations, forest);
        let total = forest.iter().count();
        let limit = self
            .changes
            .map_or_else(|| DEFAULT_MAX_MOVES.max(share(total, DEFAULT_MAX_MOVES_PERCENT)), |limit| limit.of(scope));
        if moved_count > limit {
            refusals.push(PlanRefusal::Moves { count: moved_count, limit });
        }
        refusals
    }
}

/// How many segments change place, descendants included.
fn moved_count<'a>(operations: impl Iterator<Item = &'a Operation>, forest: &Forest) -> usize {
    let moved: HashSet<&SegmentId> =
        operations.filter(|operation| operation.is_move()).filter_map(Operation::subject).collect();
    let is_topmost = |id: &&&SegmentId| forest.ancestors(id).all(|above| !moved.contains(&above.id));
    moved.iter().filter(is_topmost).map(|id| 1 + forest.descendant_count(id)).sum()
}

impl PlanRefusal {
    /// How to change the limit.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "check how the file was made; to delete all segments of the scope, use the interface",
            Self::Short { .. } => {
                "check whether the file is whole, and the scope; if this is meant, say what share may go with --max-deletes, such as 75%"
            }
            Self::Deletes { is_explicit: false, .. } => {
                "check the file and the scope; if this is meant, say how many with --max-deletes"
            }
            Self::Deletes { is_explicit: true, .. } => {
                "check the file and the scope; if this is meant, allow more with --max-deletes"
            }
            Self::Updates { .. } | Self::Moves { .. } => {
                "check the file and the scope; if this is meant, say how many with --max-changes"
            }
        }
    }
}

impl fmt::Display for PlanRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file has no segments"),
            Self::Short { rows, scope } => {
                write!(f, "the file has {rows} of the {scope} segments that it speaks for, less than half")
            }
            Self::Deletes { count, limit, is_explicit: false } => {
                write!(f, "{count} deletions, and at most {limit} are done unasked")
            }
            Self::Deletes { count, limit, is_explicit: true } => {
                write!(f, "{count} deletions, and --max-deletes allows {limit}")
            }
            Self::Updates { count, limit } => write!(f, "{count} updates, and at most {limit} are done unasked"),
            Self::Moves { count, limit } => {
                write!(f, "{count} segments would move, those below included, and at most {limit} are moved unasked")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_share() {
        assert_eq!(Limit::parse("25"), Some(Limit::Count(25)));
        assert_eq!(Limit::parse("12,5 %"), Some(Limit::Percent(12.5)));
        assert_eq!(Limit::parse("12.5%").map(|limit| limit.of(200)), Some(25));
        for text in ["", "%", "-1", "-1%", "many", "inf%"] {
            assert_eq!(Limit::parse(text), None, "{text}");
        }
    }
}
