//! Plans as files, so that exactly the plan that was reviewed is applied.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::describing::{Sums, describe, path_now};
use super::fuses::PlanRefusal;
use super::{PlanReason, Planned, PlannedOperation, creating, provisional};
use crate::changes::Operation;
use crate::forest::Forest;
use crate::segment::{Draft, Segment, SegmentId};

/// The format version that is written, and the only one that can be read.
const FORMAT_VERSION: u32 = 1;
/// The `kind` field of a plan file.
const KIND: &str = "segtui-plan";

/// A plan as it is saved in a file and printed with `-o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of the format.
    pub format_version: u32,
    /// The kind of the file, always `segtui-plan`.
    pub kind: String,
    /// The tenant it was made for.
    pub tenant: String,
    /// The host it was made for.
    pub host: String,
    /// When it was made, as RFC 3339.
    pub made_at: String,
    /// The step of the feed up to which the tree was known, if there is a feed.
    pub step: Option<i64>,
    /// The scope of the file, as text.
    pub scope: String,
    /// The key that matched rows to segments.
    pub matched_by: String,
    /// The number of operations of each kind.
    pub sums: SavedSums,
    /// The operations, in an order in which they can be applied.
    pub operations: Vec<SavedOperation>,
    /// Rows that are left out until the user decides what they mean.
    pub conflicts: Vec<SavedConflict>,
    /// Segments that pruning would delete but keeps.
    pub kept: Vec<SavedKept>,
    /// Lines whose path contradicts their other columns. The other columns are used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_paths: Vec<usize>,
    /// Why the plan must not be applied, as text: it would change more than is likely intended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// The number of operations of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSums {
    create: usize,
    update: usize,
    r#move: usize,
    delete: usize,
    conflict: usize,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedOperation {
    /// What it does.
    pub op: Kind,
    /// The segment's id, or `new-` and the index of the operation that creates it.
    pub r#ref: String,
    /// The current path; for a new segment, its future path.
    pub path: String,
    /// The path after a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_path: Option<String>,
    /// The number of descendants.
    #[serde(default)]
    pub below: usize,
    /// The current fields; null for a new segment.
    pub before: Option<Fields>,
    /// The new fields; null for a deletion.
    pub after: Option<Fields>,
    /// Why.
    pub why: String,
    /// The line that asks for it, if there is one.
    pub line: Option<usize>,
    /// The index of the move that has to be done before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_operation: Option<usize>,
    /// For a create: existing segments that look like the new one but are others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub existing: Vec<SegmentId>,
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A new segment.
    Create,
    /// Another name or external id.
    Update,
    /// Another parent, and perhaps more.
    Move,
    /// The segment is deleted.
    Delete,
}

impl Kind {
    /// The kind of an operation.
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Create { .. } => Self::Create,
            Operation::Update { .. } if operation.is_move() => Self::Move,
            Operation::Update { .. } => Self::Update,
            Operation::Delete { .. } => Self::Delete,
        }
    }

    /// The name of the kind in a file.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Move => "move",
            Self::Delete => "delete",
        }
    }
}

/// The fields of a segment. A parent that doesn't exist yet is given by the index of the operation that creates it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    name: String,
    external_id: Option<String>,
    parent_segment_id: Option<SegmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_operation: Option<usize>,
}

/// A row that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedConflict {
    /// The line.
    pub line: usize,
    /// The name in the row.
    pub name: String,
    /// The existing segment that the row may mean.
    pub segment: Option<SegmentId>,
    /// The path of that segment.
    pub path: Option<String>,
    /// Why.
    pub why: String,
}

/// A segment that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedKept {
    /// The segment.
    pub r#ref: SegmentId,
    /// Its path.
    pub path: String,
    /// Why.
    pub why: String,
}

/// Why a plan file can't be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is not a plan.
    #[error("it is no plan of segtui")]
    NotAPlan,
    /// It has another format version.
    #[error("it has format version {0}, and this segtui reads {FORMAT_VERSION}")]
    Version(u32),
    /// It was made for another tenant.
    #[error("it was made for {0}")]
    OtherTenant(String),
    /// An operation is inconsistent.
    #[error("operation {0} can't be read")]
    Operation(usize),
}

/// The metadata of a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanMetadata<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The host.
    pub host: &'a str,
    /// When the plan was made, as RFC 3339.
    pub at: &'a str,
    /// The step of the feed up to which the tree is known.
    pub step: Option<i64>,
    /// The scope of the file, as text.
    pub scope: &'a str,
    /// The reasons not to apply it.
    pub refused: &'a [PlanRefusal],
}

impl SavedPlan {
    /// A plan in the form that is saved.
    #[must_use]
    pub fn of(planned: &Planned, forest: &Forest, metadata: PlanMetadata<'_>) -> Self {
        let sums = Sums::of(planned.operations.iter().map(|planned| &planned.operation));
        let conflicts = planned.conflicts.iter().map(|conflict| SavedConflict {
            line: conflict.line,
            name: conflict.name.clone(),
            segment: conflict.segment.as_ref().map(|segment| segment.id.clone()),
            path: conflict.segment.as_ref().map(|segment| path_now(forest, &segment.id)),
            why: conflict.reason.to_string(),
        });
        let kept = planned.kept.iter().map(|kept| SavedKept {
            r#ref: kept.segment.id.clone(),
            path: path_now(forest, &kept.segment.id),
            why: kept.reason.to_string(),
        });
        Self {
            format_version: FORMAT_VERSION,
            kind: KIND.into(),
            tenant: metadata.tenant.into(),
            host: metadata.host.into(),
            made_at: metadata.at.into(),
            step: metadata.step,
            scope: metadata.scope.into(),
            matched_by: planned.key.to_string(),
            sums: SavedSums {
                create: sums.creates,
                update: sums.updates,
                r#move: sums.moves,
                delete: sums.deletes,
                conflict: planned.conflicts.len(),
            },
            operations: SavedOperation::from_operations(&planned.operations, forest),
            conflicts: conflicts.collect(),
            kept: kept.collect(),
            ignored_paths: planned.ignored_paths.clone(),
            refused: metadata.refused.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether a text claims to be a plan, even if it can't be read.
    #[must_use]
    pub fn is_plan(text: &str) -> bool {
        #[derive(Deserialize)]
        struct Head {
            kind: String,
        }
        serde_json::from_str::<Head>(text).is_ok_and(|head| head.kind == KIND)
    }

    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// The text is not a plan, or has another format version.
    pub fn read(text: &str) -> Result<Self, Invalid> {
        #[derive(Deserialize)]
        struct Head {
            kind: String,
            format_version: u32,
        }
        let head: Head = serde_json::from_str(text).map_err(|_| Invalid::NotAPlan)?;
        if head.kind != KIND {
            return Err(Invalid::NotAPlan);
        }
        if head.format_version != FORMAT_VERSION {
            return Err(Invalid::Version(head.format_version));
        }
        serde_json::from_str(text).map_err(|_| Invalid::NotAPlan)
    }

    /// The operations of the plan.
    ///
    /// # Errors
    ///
    /// The plan is for another tenant or host, or an operation is inconsistent.
    pub fn planned_for(&self, tenant: &str, host: &str) -> Result<Vec<PlannedOperation>, Invalid> {
        if (self.tenant.as_str(), self.host.as_str()) != (tenant, host) {
            return Err(Invalid::OtherTenant(format!("{} on {}", self.tenant, self.host)));
        }
        let operations = self.operations.iter().enumerate();
        operations.map(|(at, saved)| self.operation(at, saved).ok_or(Invalid::Operation(at))).collect()
    }

    fn operation(&self, at: usize, saved: &SavedOperation) -> Option<PlannedOperation> {
        let creates = |index: &usize| self.operations.get(*index).is_some_and(|other| other.op == Kind::Create);
        let draft = |fields: &Fields| {
            let parent = match fields.parent_operation {
                Some(index) => Some(provisional(Some(index).filter(|index| *index < at && creates(index))?)),
                None => fields.parent_segment_id.clone(),
            };
            Some(Draft { parent, ..fields.draft()? })
        };
        let base = |fields: &Fields| Some(Arc::new(fields.draft()?.into_segment(SegmentId::new(&saved.r#ref)?)));
        let operation = match (saved.op, &saved.before, &saved.after) {
            (Kind::Create, None, Some(after)) => Operation::Create { draft: draft(after)? },
            (Kind::Update | Kind::Move, Some(before), Some(after)) => {
                Operation::Update { base: base(before)?, draft: draft(after)? }
            }
            (Kind::Delete, Some(before), None) => Operation::delete(base(before)?),
            _ => return None,
        };
        let reason = match (saved.op, saved.line) {
            (Kind::Create, Some(line)) => PlanReason::New { line },
            (Kind::Update | Kind::Move, Some(line)) => PlanReason::Differs { line },
            (Kind::Delete, None) => PlanReason::Pruned,
            _ => return None,
        };
        let after = saved.after_operation;
        if after.is_some_and(|after| after >= at) {
            return None;
        }
        Some(PlannedOperation { operation, reason, after, existing: saved.existing.clone() })
    }
}

impl SavedOperation {
    /// Operations in the form that is saved and reported, in the same order.
    #[must_use]
    pub fn from_operations(operations: &[PlannedOperation], forest: &Forest) -> Vec<Self> {
        let mut described = describe(operations, forest);
        described.sort_unstable_by_key(|description| description.index);
        let saved = operations.iter().zip(described).map(|(planned, description)| {
            let (before, after) = before_and_after(&planned.operation);
            let id =
                planned.operation.subject().map_or_else(|| format!("new-{}", description.index), ToString::to_string);
            Self {
                op: Kind::of(&planned.operation),
                r#ref: id,
                path: description.path,
                new_path: description.new_path,
                below: description.below,
                before,
                after,
                why: planned.reason.to_string(),
                line: planned.reason.line(),
                after_operation: planned.after,
                existing: planned.existing.clone(),
            }
        });
        saved.collect()
    }
}

impl Fields {
    /// The fields of a segment.
    #[must_use]
    pub fn of_segment(segment: &Segment) -> Self {
        Self::of(segment)
    }

    fn of(segment: &Segment) -> Self {
        let new = segment.parent.as_ref().and_then(creating);
        Self {
            name: segment.name.to_string(),
            external_id: segment.external_id.as_ref().map(ToString::to_string),
            parent_segment_id: segment.parent.clone().filter(|_| new.is_none()),
            parent_operation: new,
        }
    }

    fn draft(&self) -> Option<Draft> {
        let id = SegmentId::new("any")?;
        let external_id = self.external_id.as_deref().map(Into::into);
        let parent = self.parent_segment_id.clone();
        Some(Draft::of(&Segment { id, name: self.name.as_str().into(), external_id, parent }))
    }
}

fn before_and_after(operation: &Operation) -> (Option<Fields>, Option<Fields>) {
    let after = |draft: &Draft| Fields::of(&draft.clone().into_segment(provisional(0)));
    match operation {
        Operation::Create { draft } => (None, Some(after(draft))),
        Operation::Update { base, draft } => (Some(Fields::of(base)), Some(after(draft))),
        Operation::Delete { base, .. } => (Some(Fields::of(base)), None),
    }
}

impl PlanReason {
    /// The line that asks for it.
    #[must_use]
    pub const fn line(self) -> Option<usize> {
        match self {
            Self::New { line } | Self::Differs { line } => Some(line),
            Self::Pruned | Self::Undo => None,
        }
    }
}

impl std::fmt::Display for PlanReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::New { line } => write!(f, "line {line} is new"),
            Self::Differs { line } => write!(f, "line {line} differs"),
            Self::Pruned => f.write_str("not in the file"),
            Self::Undo => f.write_str("undo"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_json_and_another_format_version_are_told_apart() {
        assert_eq!(SavedPlan::read("[]"), Err(Invalid::NotAPlan));
        assert_eq!(SavedPlan::read("{\"kind\": \"segtui-plan\", \"format_version\": 9}"), Err(Invalid::Version(9)));
        assert!(SavedPlan::is_plan("{\"kind\": \"segtui-plan\"}"));
        assert!(!SavedPlan::is_plan("[{\"name\": \"A\"}]"));
    }
}
