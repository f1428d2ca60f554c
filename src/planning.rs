//! Computes the operations that turn a tenant's tree into what a file asks for.
//!
//! Everything here is a pure function of the rows, the tree, and the options for matching and scope, so a plan can be shown,
//! counted and refused before anything is sent. Nothing ambiguous is planned. All problems with the rows are reported at once; a
//! file with a faulty row yields no operations, unless [`Request::tolerant`] is set.

mod among;
mod damage;
mod describing;
mod difference;
mod fuses;
mod matching;
mod path;
mod places;
mod pruning;
mod remaining;
mod renames;
mod saved;
mod tree;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::changes::{OpId, Operation, PlanId};
use crate::forest::Forest;
use crate::formats::rows::{Column, Rows};
use crate::segment::{FieldFault, Pattern, Segment, SegmentId};

pub use describing::{Description, Sums, describe, path_now};
pub use fuses::{Fuses, Limit, PlanRefusal};
pub use remaining::{Outdated, Remaining, remaining};
pub use saved::{Fields, Invalid, Kind, PlanMetadata, SavedConflict, SavedOperation, SavedPlan};

/// The file to compare with the tenant, and how to compare them.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The rows of the file.
    pub rows: &'a Rows,
    /// The tenant's segments.
    pub forest: &'a Forest,
    /// The key that matches rows to segments; `None` to choose it by what the file has.
    pub key: Option<Key>,
    /// The part of the tree that the file describes.
    pub scope: Scope,
    /// Whether segments that are in the scope but not in the file are deleted.
    pub prune: bool,
    /// Segments that a row means although its key says otherwise (`--renamed`), by row index.
    pub renamed: HashMap<usize, SegmentId>,
    /// Ids that may be created again under a new id (`--recreate`): of segments that no longer exist, and of existing ones that
    /// are replaced.
    pub recreate: HashSet<SegmentId>,
    /// Segments that are managed by another system, in addition to the built-in pattern.
    pub owned: &'a [Pattern],
    /// Whether a faulty row becomes a conflict instead of failing the whole plan. For rows that come from another tenant, which
    /// nobody can correct in a file.
    pub tolerant: bool,
    /// Whether external ids that look damaged by a spreadsheet are accepted as written.
    pub ids_as_written: bool,
}

/// The key that matches rows to segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The id.
    Id,
    /// The external id.
    ExternalId,
    /// The path: the names from the root down.
    Path,
}

/// The part of the tree that a file describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// None was given: the file describes only its own rows.
    Unscoped,
    /// The whole tree.
    All,
    /// A segment and its descendants.
    Below(SegmentId),
    /// These segments.
    Matching(HashSet<SegmentId>),
}

/// The operations from the current tree to the wanted one, and what was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The operations, in an order in which they can be applied one by one.
    pub operations: Vec<PlannedOperation>,
    /// Rows that are left out until the user decides what they mean.
    pub conflicts: Vec<Conflict>,
    /// Segments that pruning would delete but keeps.
    pub kept: Vec<Kept>,
    /// The key that matched rows to segments.
    pub key: Key,
    /// Whether the ids in the file belong to another tenant, and so only identify rows of the file.
    pub foreign_ids: bool,
    /// The matched segments, with the lines of their rows.
    pub segments: Vec<(usize, Arc<Segment>)>,
    /// Lines whose path contradicts their other columns. The other columns are used.
    pub ignored_paths: Vec<usize>,
    /// Whether the lines are numbers of objects instead.
    pub by_number: bool,
    /// The number of rows.
    pub rows: usize,
    /// How many rows match an existing segment.
    pub matched: usize,
    /// How many of those segments are in the scope.
    pub matched_in_scope: usize,
    /// How many segments of the scope no row matches, not counting those that are kept whatever the rows say.
    pub missing_in_scope: usize,
    /// How many segments the scope has; all segments of the tenant if no scope was given.
    pub scope_size: usize,
}

/// One operation, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOperation {
    /// The operation. It refers to new segments by [`provisional`] ids.
    pub operation: Operation,
    /// The reason.
    pub reason: PlanReason,
    /// The index of the last move that has to be done before this one, so that no two moves form a cycle.
    pub after: Option<usize>,
    /// For a create: existing segments that look like the new one but are others.
    pub existing: Vec<SegmentId>,
}

/// Why an operation is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanReason {
    /// A line has no existing segment.
    New {
        /// The line number.
        line: usize,
    },
    /// A line has other values than its segment.
    Differs {
        /// The line number.
        line: usize,
    },
    /// The segment is in the scope but in no line.
    Pruned,
    /// A previous operation is undone.
    Undo,
}

/// A row that is left out until the user decides what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The line.
    pub line: usize,
    /// The id in that row, if the rows are another tenant's segments, which have no line that a user could see.
    pub of_tenant: Option<String>,
    /// The name in the row.
    pub name: String,
    /// The existing segment that the row may mean.
    pub segment: Option<Arc<Segment>>,
    /// Why the row is left out.
    pub reason: ConflictReason,
}

/// Why a row is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictReason {
    /// The row itself is faulty.
    Faulty(Box<Problem>),
    /// The line would create a segment, and an existing one has the same external id.
    SameExternalId,
    /// The line would create a segment, and one under the same parent that would be deleted shares at least half of its
    /// children.
    SameChildren,
    /// The line would create a segment, and one with the same parent and name would be deleted.
    SameName,
    /// The line would create a segment, and a leaf under the same parent whose external id can't tell them apart would be
    /// deleted.
    SameParent,
    /// The parent is a line that is in conflict.
    Below {
        /// The line.
        line: usize,
    },
    /// The parent is a segment of the other tenant that is in conflict.
    BelowHeld,
}

/// A segment that pruning would delete but keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The segment.
    pub segment: Arc<Segment>,
    /// Why it is kept.
    pub reason: KeptReason,
}

/// Why a segment is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptReason {
    /// It is managed by another system.
    Managed {
        /// The system.
        owner: String,
    },
    /// A child of it stays, or another segment is moved or created under it.
    HasChildren,
    /// It is the root of the scope.
    ScopeRoot,
    /// A line would probably create it again.
    Conflict,
}

/// A problem with what a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    /// The line; `None` if the problem concerns the whole file.
    pub line: Option<usize>,
    /// The problem.
    pub problem: Problem,
}

/// A problem, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing identifies the segment of a row.
    #[error("no IDs and no external IDs, so nothing says which segment a row means; with --key path, names do")]
    NoKey,
    /// The file has only ids, and none of them exists in this tenant.
    #[error(
        "none of its IDs exists here, and it has no external IDs; to create all of it, leave out the column id, and --key path matches by names"
    )]
    UnknownIds,
    /// The requested key's column is missing.
    #[error("no column {0}, which --key asks for")]
    NoKeyColumn(Column),
    /// An id that no segment has.
    #[error("no segment has the ID {0}; it may have been deleted. Remove the ID, or pass --recreate {0}")]
    UnknownId(String),
    /// A prefix of several ids.
    #[error("{0} is the beginning of several IDs; write more of it")]
    AmbiguousId(String),
    /// Two rows for the same segment.
    #[error("{column} {value} is in line {first} already")]
    Twice {
        /// The column they share.
        column: Column,
        /// The value.
        value: String,
        /// The line of the first row.
        first: usize,
    },
    /// Several segments of the other tenant share a value.
    #[error("several segments have the {column} {value}")]
    Several {
        /// The column.
        column: Column,
        /// The value.
        value: String,
    },
    /// Several segments of this tenant have the external id of a segment of the other tenant.
    #[error("{count} segments here have the external ID {value}")]
    SeveralHere {
        /// The external id.
        value: String,
        /// How many.
        count: usize,
    },
    /// A parent that is in neither tenant.
    #[error("its parent, {column} {value}, is in neither tenant")]
    NoParent {
        /// The column that names it.
        column: Column,
        /// The value.
        value: String,
    },
    /// A row for a segment that `--renamed` gives to another row.
    #[error("{column} {value} is a segment that --renamed gives to line {line}; remove the flag, or this line")]
    Renamed {
        /// The column.
        column: Column,
        /// The value.
        value: String,
        /// The other line.
        line: usize,
    },
    /// Several segments have the external id of a row.
    #[error(
        "{count} segments have the external ID {value}, so it can't say which is meant; name each by its ID, in a column id"
    )]
    SharedExternalId {
        /// The external id.
        value: String,
        /// How many.
        count: usize,
    },
    /// An external id that a spreadsheet has probably damaged.
    #[error("{found} looks like {known} {how}; correct it, or pass --ids-as-written")]
    DamagedId {
        /// The value in the file.
        found: String,
        /// The known external id.
        known: String,
        /// How it was changed.
        how: &'static str,
    },
    /// A number in scientific notation, as a spreadsheet writes a rounded one.
    #[error("{0} is a number that a spreadsheet has rounded; format the column as text, or pass --ids-as-written")]
    RoundedId(String),
    /// A parent that is neither in the file nor on the server.
    #[error("{column} {value} is neither in the file nor on the server")]
    NoSuchParent {
        /// The column that names it.
        column: Column,
        /// The value.
        value: String,
    },
    /// A parent that matches several segments.
    #[error("{column} {value} matches {count} segments; name the parent by parentId")]
    AmbiguousParent {
        /// The column that names it.
        column: Column,
        /// The value.
        value: String,
        /// How many.
        count: usize,
    },
    /// Two columns that name different parents.
    #[error("parentId and parentExternalId name different parents; empty one of them")]
    ParentsDisagree,
    /// A path that can't be parsed.
    #[error("the path {0} can't be read; write /Name/Name, and // for a / in a name")]
    InvalidPath(String),
    /// A path that several segments share.
    #[error("the path {value} matches {count} segments; name each by its ID, in a column id")]
    AmbiguousPath {
        /// The path.
        value: String,
        /// How many.
        count: usize,
    },
    /// There is no name.
    #[error("no name")]
    NoName,
    /// A value that the API doesn't accept.
    #[error("{column}: {fault}")]
    Field {
        /// The column.
        column: Column,
        /// What is wrong.
        fault: FieldFault,
    },
    /// A row would become its own ancestor.
    #[error("it would be its own ancestor")]
    Circle,
    /// The segment is outside the scope, so the file may not change it.
    #[error("it is outside the scope of --root or --match")]
    OutsideScope,
    /// The segment would move out of the scope.
    #[error("it would leave the scope of --root; widen the scope, or leave it where it is")]
    LeavesScope,
}

impl Problem {
    /// The same problem for a segment of another tenant, which has no line and can't be corrected in a file.
    fn of_tenant(self) -> Self {
        match self {
            Self::Twice { column, value, .. } => Self::Several { column, value },
            Self::SharedExternalId { value, count } => Self::SeveralHere { value, count },
            Self::NoSuchParent { column, value } => Self::NoParent { column, value },
            other => other,
        }
    }
}

/// The id by which a plan refers to the segment that the operation at `index` creates.
#[must_use]
pub fn provisional(index: usize) -> SegmentId {
    OpId { plan_id: PlanId(0), index }.provisional_id()
}

/// The index of the operation that creates the segment with a provisional id.
#[must_use]
pub fn creating(id: &SegmentId) -> Option<usize> {
    OpId::creating(id).filter(|op| op.plan_id == PlanId(0)).map(|op| op.index)
}

/// Plans the operations that turn a tenant's tree into what a file asks for.
///
/// # Errors
///
/// All problems with the file.
pub fn plan(request: &Request<'_>) -> Result<Planned, Vec<PlanFault>> {
    difference::plan(request)
}

/// The problems among the rows themselves, whatever the tenant has. `key` is the key to match by, or `None` to choose it by what
/// the rows have; `ids_as_written` accepts numbers that a spreadsheet seems to have rounded.
#[must_use]
pub fn faults_among(rows: &Rows, key: Option<Key>, ids_as_written: bool) -> Vec<PlanFault> {
    among::faults(rows, key, ids_as_written)
}

impl Scope {
    /// Whether a segment is in the scope.
    fn has(&self, forest: &Forest, id: &SegmentId) -> bool {
        match self {
            Self::Unscoped | Self::All => true,
            Self::Below(root) => root == id || forest.is_below(id, root),
            Self::Matching(ids) => ids.contains(id),
        }
    }

    /// How many segments are in the scope.
    fn size(&self, forest: &Forest) -> usize {
        match self {
            Self::Unscoped | Self::All => forest.iter().count(),
            Self::Below(root) => usize::from(forest.contains(root)) + forest.descendant_count(root),
            Self::Matching(ids) => ids.len(),
        }
    }
}

impl Planned {
    /// Whether there is nothing to do and nothing to decide.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.conflicts.is_empty()
    }
}

impl Key {
    /// The column of the key.
    #[must_use]
    pub const fn column(self) -> Column {
        match self {
            Self::Id => Column::Id,
            Self::ExternalId => Column::ExternalId,
            Self::Path => Column::Path,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Id => "ID",
            Self::ExternalId => "external ID",
            Self::Path => "path",
        })
    }
}

impl fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameExternalId => f.write_str("probably a rename: the external ID is the same"),
            Self::SameChildren => f.write_str("probably a rename: the parent and most children are the same"),
            Self::SameParent => {
                f.write_str("perhaps a rename: the parent is the same, and no external ID says otherwise")
            }
            Self::SameName => f.write_str("probably a new external ID: the parent and the name are the same"),
            Self::Faulty(problem) => problem.fmt(f),
            Self::Below { line } => write!(f, "under line {line}, which is in conflict"),
            Self::BelowHeld => f.write_str("under one that is in conflict"),
        }
    }
}

impl fmt::Display for KeptReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Managed { owner } => write!(f, "managed by {owner}"),
            Self::HasChildren => f.write_str("has children that stay"),
            Self::ScopeRoot => f.write_str("the scope begins there"),
            Self::Conflict => f.write_str("perhaps renamed"),
        }
    }
}
