//! From what a file wants and what a tenant has to the operations that lead from the one to the other.
//!
//! Everything here is a pure function of the rows, the tree and what was said about matching and scope: what is asked for can be
//! shown, counted and refused before anything is sent. What would have to be guessed is not done. Everything that is wrong with
//! the rows is told at once; rows with a fault in them ask for nothing.

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
pub use fuses::{Blown, Fuses, Limit};
pub use remaining::{Outdated, Remaining, remaining};
pub use saved::{Fields, Invalid, Kind, Made, SavedConflict, SavedOperation, SavedPlan};

/// What a file is to be compared with, and how.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What the file says.
    pub rows: &'a Rows,
    /// What the tenant has.
    pub forest: &'a Forest,
    /// By what a row is taken for a segment; `None` is what the file has.
    pub key: Option<Key>,
    /// What the file speaks for.
    pub scope: Scope,
    /// Whether what is in the scope and not in the file is deleted.
    pub prune: bool,
    /// Segments that a row means although its key says otherwise, by the indices of those rows.
    pub renamed: HashMap<usize, SegmentId>,
    /// Ids that are to be created anew: of segments that are not there any more, and of those in whose place something else comes.
    pub recreate: HashSet<SegmentId>,
    /// Whose segments are another system's, beside what is built in.
    pub owned: &'a [Pattern],
    /// Whether a row with a fault is left out as a conflict instead of refusing all of them: for rows that come from a tenant, which
    /// nobody can correct in a file.
    pub tolerant: bool,
    /// Whether external ids that look like damaged ones are meant as they are.
    pub ids_as_written: bool,
}

/// By what a row is taken for a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Its id.
    Id,
    /// Its external id.
    ExternalId,
    /// Its names from the top down.
    Path,
}

/// What a file speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Nobody has said so: for its own rows.
    Unsaid,
    /// For everything.
    All,
    /// For a segment and all below it.
    Below(SegmentId),
    /// For these.
    Matching(HashSet<SegmentId>),
}

/// What leads from what there is to what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What to do, in an order in which it can be done one after the other.
    pub operations: Vec<PlannedOperation>,
    /// What is not done because somebody has to say what is meant.
    pub conflicts: Vec<Conflict>,
    /// What would be deleted and is not.
    pub kept: Vec<Kept>,
    /// By what rows were taken for segments.
    pub key: Key,
    /// Whether the ids of the file are those of another tenant, where they only say which row is meant.
    pub foreign_ids: bool,
    /// The segment of each row that has one, by the lines.
    pub segments: Vec<(usize, Arc<Segment>)>,
    /// The lines whose path says something else than their other columns, which are what counts.
    pub ignored_paths: Vec<usize>,
    /// Whether lines are the numbers of objects.
    pub by_number: bool,
    /// How many rows there were.
    pub rows: usize,
    /// How many of them are of segments that exist.
    pub matched: usize,
    /// How many of these are in the scope.
    pub matched_in_scope: usize,
    /// How many segments of the scope no row means, without those that are kept whatever the rows say.
    pub missing_in_scope: usize,
    /// How many segments the scope has; all of them when nobody has said.
    pub scope_size: usize,
}

/// One operation, and why it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOperation {
    /// What to do. New segments are known by [`provisional`] ids.
    pub operation: Operation,
    /// Why.
    pub why: Why,
    /// The index of the last move that has to be done before this one, so that no two moves close a circle.
    pub after: Option<usize>,
    /// Of a create: segments that look like it and are others.
    pub existing: Vec<SegmentId>,
}

/// Why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A line has a segment that does not exist.
    New {
        /// Its number.
        line: usize,
    },
    /// A line has other values.
    Differs {
        /// Its number.
        line: usize,
    },
    /// The segment is in the scope and in no line.
    Pruned,
    /// What was done before is undone.
    Undo,
}

/// What is not done because somebody has to say what is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The line.
    pub line: usize,
    /// The id there, if the rows are the segments of a tenant: nobody sees lines of them.
    pub of_tenant: Option<String>,
    /// How the segment is called there.
    pub name: String,
    /// The segment that it may be.
    pub segment: Option<Arc<Segment>>,
    /// Why it is not done.
    pub reason: ConflictReason,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictReason {
    /// Something is wrong with the row itself.
    Faulty(Box<Problem>),
    /// The line would create what is there under the same external id.
    SameExternalId,
    /// The line would create what would be deleted elsewhere, with mostly the same children.
    SameChildren,
    /// The line would create what would be deleted, under the same name.
    SameName,
    /// The line would create a segment where one without an external id is deleted.
    SameParent,
    /// It stands under a line that is in conflict.
    Below {
        /// That line.
        line: usize,
    },
    /// It stands under a segment of its tenant that is in conflict.
    BelowHeld,
}

/// A segment that would be deleted and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The segment.
    pub segment: Arc<Segment>,
    /// Why.
    pub reason: KeptReason,
}

/// Why something is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptReason {
    /// It is another system's.
    Managed {
        /// Whose.
        owner: String,
    },
    /// Something below it is kept.
    HasChildren,
    /// It is what the scope begins with.
    ScopeRoot,
    /// It is probably what a line would create.
    Conflict,
}

/// What is wrong with what a file wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    /// The line; `None` where it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing tells which segment a row means.
    #[error("no IDs and no external IDs, so nothing says which segment a row means; with --key path, names do")]
    NoKey,
    /// Ids, of which this tenant has none, and nothing else.
    #[error(
        "none of its IDs exists here, and it has no external IDs; to create all of it, leave out the column id, and --key path matches by names"
    )]
    UnknownIds,
    /// The column of the key that was asked for is not there.
    #[error("no column {0}, which --key asks for")]
    NoKeyColumn(Column),
    /// An id of no segment.
    #[error("no segment has the ID {0}; it may have been deleted. Remove the ID, or pass --recreate {0}")]
    UnknownId(String),
    /// The beginning of several ids.
    #[error("{0} is the beginning of several IDs; write more of it")]
    AmbiguousId(String),
    /// Two rows for one segment.
    #[error("{column} {value} is in line {first} already")]
    Twice {
        /// By what.
        column: Column,
        /// Which.
        value: String,
        /// The line of the first.
        first: usize,
    },
    /// Several segments of the other tenant with one value.
    #[error("several segments have the {column} {value}")]
    Several {
        /// By what.
        column: Column,
        /// Which.
        value: String,
    },
    /// Several segments of this tenant with the external id of one of the other.
    #[error("{count} segments here have the external ID {value}")]
    SeveralHere {
        /// The external id.
        value: String,
        /// How many.
        count: usize,
    },
    /// A parent that neither tenant has.
    #[error("its parent, {column} {value}, is in neither tenant")]
    NoParent {
        /// By what it is named.
        column: Column,
        /// What stands there.
        value: String,
    },
    /// A row for a segment that another row was said to mean.
    #[error("{column} {value} is a segment that --renamed gives to line {line}; remove the flag, or this line")]
    Renamed {
        /// By what.
        column: Column,
        /// Which.
        value: String,
        /// The other line.
        line: usize,
    },
    /// Several segments with the external id of a row.
    #[error(
        "{count} segments have the external ID {value}, so it can't say which is meant; name each by its ID, in a column id"
    )]
    SharedExternalId {
        /// The external id.
        value: String,
        /// How many.
        count: usize,
    },
    /// An external id as a spreadsheet leaves it.
    #[error("{found} looks like {known} {how}; correct it, or pass --ids-as-written")]
    DamagedId {
        /// What the file has.
        found: String,
        /// What is known.
        known: String,
        /// What was done to it.
        how: &'static str,
    },
    /// A number in a form that no external id has by itself.
    #[error("{0} is a number that a spreadsheet has rounded; format the column as text, or pass --ids-as-written")]
    RoundedId(String),
    /// A parent that is nowhere.
    #[error("{column} {value} is neither in the file nor on the server")]
    NoSuchParent {
        /// By what it is named.
        column: Column,
        /// What stands there.
        value: String,
    },
    /// A parent that may be several.
    #[error("{column} {value} matches {count} segments; name the parent by parentId")]
    AmbiguousParent {
        /// By what it is named.
        column: Column,
        /// What stands there.
        value: String,
        /// How many.
        count: usize,
    },
    /// Two columns that name different parents.
    #[error("parentId and parentExternalId name different parents; empty one of them")]
    ParentsDisagree,
    /// A path that can't be read.
    #[error("the path {0} can't be read; write /Name/Name, and // for a / in a name")]
    InvalidPath(String),
    /// A path that several segments have.
    #[error("the path {value} matches {count} segments; name each by its ID, in a column id")]
    AmbiguousPath {
        /// The path.
        value: String,
        /// How many.
        count: usize,
    },
    /// Nothing to call it by.
    #[error("no name")]
    NoName,
    /// A value that can't be sent.
    #[error("{column}: {fault}")]
    Field {
        /// The column.
        column: Column,
        /// What is wrong.
        fault: FieldFault,
    },
    /// It would be its own ancestor.
    #[error("it would be its own ancestor")]
    Circle,
    /// Not for this file to change.
    #[error("it is outside the scope of --root or --match")]
    OutsideScope,
    /// It would go where the file doesn't speak for.
    #[error("it would leave the scope of --root; widen the scope, or leave it where it is")]
    LeavesScope,
}

impl Problem {
    /// The same of a segment of another tenant, which has no line and which nobody corrects in a file.
    fn of_tenant(self) -> Self {
        match self {
            Self::Twice { column, value, .. } => Self::Several { column, value },
            Self::SharedExternalId { value, count } => Self::SeveralHere { value, count },
            Self::NoSuchParent { column, value } => Self::NoParent { column, value },
            other => other,
        }
    }
}

/// The id by which a plan refers to the segment that one of its operations creates.
#[must_use]
pub fn provisional(index: usize) -> SegmentId {
    OpId { plan_id: PlanId(0), index }.provisional_id()
}

/// The index of the operation that creates the segment of a provisional id.
#[must_use]
pub fn creating(id: &SegmentId) -> Option<usize> {
    OpId::creating(id).filter(|op| op.plan_id == PlanId(0)).map(|op| op.index)
}

/// What leads from what a tenant has to what a file wants.
///
/// # Errors
///
/// Everything that is wrong with what it wants.
pub fn plan(request: &Request<'_>) -> Result<Planned, Vec<PlanFault>> {
    difference::plan(request)
}

/// What is wrong with rows among themselves, whatever the tenant has, when they are matched by a key, or by what they have;
/// `ids_as_written` lets numbers pass that a spreadsheet seems to have rounded.
#[must_use]
pub fn faults_among(rows: &Rows, key: Option<Key>, ids_as_written: bool) -> Vec<PlanFault> {
    among::faults(rows, key, ids_as_written)
}

impl Scope {
    /// Whether it has a segment.
    fn has(&self, forest: &Forest, id: &SegmentId) -> bool {
        match self {
            Self::Unsaid | Self::All => true,
            Self::Below(root) => root == id || forest.is_below(id, root),
            Self::Matching(ids) => ids.contains(id),
        }
    }

    /// How many segments it has.
    fn size(&self, forest: &Forest) -> usize {
        match self {
            Self::Unsaid | Self::All => forest.iter().count(),
            Self::Below(root) => usize::from(forest.contains(root)) + forest.descendant_count(root),
            Self::Matching(ids) => ids.len(),
        }
    }
}

impl Planned {
    /// Whether nothing is to be done, and nobody has to decide anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.conflicts.is_empty()
    }
}

impl Key {
    /// The column that it reads.
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
