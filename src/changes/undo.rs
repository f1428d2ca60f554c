//! Undo and redo of plans.
//!
//! An undo is a plan like any other: the inverse operations in reverse order, with the same conflict checks. A deleted segment
//! comes back with a new id, since no API can restore the old one; entries that mention the old id are translated to the new one.

use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::forest::Forest;
use crate::numbers::Agreeing;
use crate::segment::{Draft, Field, Segment, SegmentId};

use super::model::{OpId, Operation, Plan, PlanId};
use super::plans::{OpState, QueuedPlan, Title};
use super::result::{WriteResult, Written};

/// The plans that can be undone and redone.
#[derive(Debug, Clone, Default)]
pub struct UndoStack {
    done: Vec<UndoEntry>,
    undone: Vec<UndoEntry>,
    /// Former and new id of each segment that was created again, in that order. Entries are translated only when they are taken,
    /// so creating a segment again costs the same however many entries there are.
    recreated: Vec<(SegmentId, SegmentId)>,
}

/// The purpose of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanKind {
    /// It makes a new change.
    Ordinary,
    /// It undoes another plan.
    Undo(UndoTarget),
    /// It redoes a plan that was undone.
    Redo(UndoTarget),
}

/// The plan that is undone or redone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoTarget {
    entry: UndoEntry,
    /// Former ids of the segments that are created again, by index in the plan.
    pub(super) former_ids: HashMap<usize, SegmentId>,
    /// For each operation of the entry, the index of its inverse in the plan.
    inverse_indices: Vec<usize>,
}

/// The effects of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UndoEntry {
    plan_id: PlanId,
    /// Sequence number of the plan's submission: plans are undone in reverse order of submission, not of completion.
    submitted: u64,
    title: String,
    /// In the order in which they were done.
    ops: Vec<RecordedOp>,
}

/// The effect of an operation, and when it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedOp {
    effect: DoneOp,
    /// Length of `UndoStack::recreated` when it was recorded.
    recreated_before: usize,
}

/// The effect of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DoneOp {
    /// It created a segment.
    Created(Arc<Segment>),
    /// It changed fields of a segment.
    Updated {
        /// The segment before.
        before: Arc<Segment>,
        /// The segment after.
        after: Arc<Segment>,
        /// The fields that were changed.
        fields: Vec<Field>,
    },
    /// It deleted a segment.
    Deleted {
        /// The segment before.
        segment: Arc<Segment>,
        /// The children that were left to the server.
        leaving: Vec<SegmentId>,
    },
}

/// Undo or redo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoStep {
    /// Undoes the last plan.
    Undo,
    /// Redoes the plan that was undone last.
    Redo,
}

/// Maximum number of plans to undo; beyond it, the oldest is forgotten.
const MAX_UNDO_PLANS: usize = 1_000;

impl DoneOp {
    /// Returns the effect of an operation; `None` if there is none to undo.
    #[must_use]
    pub fn of(operation: &Operation, result: &WriteResult) -> Option<Self> {
        match (operation, result) {
            // A segment that existed before is not this operation's to delete.
            (Operation::Create { .. }, WriteResult::Created(Written { existed: false, segment, .. })) => {
                Some(Self::Created(Arc::clone(segment)))
            }
            (Operation::Update { base, draft }, WriteResult::Updated(written)) => {
                // A value that someone else had already set is not this operation's to undo.
                let mut fields = draft.changes(base);
                fields.retain(|field| written.written.contains(field) && !written.ignored.contains(field));
                let (before, after) = (Arc::clone(base), Arc::clone(&written.segment));
                (!fields.is_empty()).then_some(Self::Updated { before, after, fields })
            }
            (Operation::Delete { base, leaving }, WriteResult::Deleted { found: true, .. }) => {
                Some(Self::Deleted { segment: Arc::clone(base), leaving: leaving.clone() })
            }
            _ => None,
        }
    }

    /// Returns the segment after the operation, or before it if it was deleted.
    #[must_use]
    pub const fn segment(&self) -> &Arc<Segment> {
        match self {
            Self::Created(segment) | Self::Updated { after: segment, .. } | Self::Deleted { segment, .. } => segment,
        }
    }

    fn created_id(&self) -> Option<&SegmentId> {
        match self {
            Self::Created(segment) => Some(&segment.id),
            Self::Updated { .. } | Self::Deleted { .. } => None,
        }
    }

    /// Returns the effect with some ids replaced.
    #[must_use]
    pub fn with_ids(self, replacement: &impl Fn(&SegmentId) -> Option<SegmentId>) -> Self {
        let segment = |segment: Arc<Segment>| segment.with_ids(replacement).map_or(segment, Arc::new);
        match self {
            Self::Created(created) => Self::Created(segment(created)),
            Self::Updated { before, after, fields } => {
                Self::Updated { before: segment(before), after: segment(after), fields }
            }
            Self::Deleted { segment: deleted, leaving } => {
                let leaving = leaving.into_iter().map(|id| replacement(&id).unwrap_or(id)).collect();
                Self::Deleted { segment: segment(deleted), leaving }
            }
        }
    }
}

impl UndoStack {
    /// Adds a finished plan. If it was an undo or redo, the effects that it did not revert return to the stack.
    pub(super) fn add_finished(&mut self, plan_id: PlanId, plan: QueuedPlan) {
        let is_done: Vec<bool> = plan.ops().iter().map(|op| op.state == OpState::Done).collect();
        let QueuedPlan { title: Title { imperative: title, .. }, done: ops, kind, submitted, .. } = plan;
        let entry = (!ops.is_empty()).then_some(UndoEntry { plan_id, submitted, title, ops });
        match kind {
            PlanKind::Ordinary if entry.is_none() => {}
            PlanKind::Ordinary => {
                self.undone.clear();
                insert_by_submission(&mut self.done, entry);
            }
            PlanKind::Redo(of) => {
                insert_by_submission(&mut self.undone, of.unreverted_part(&is_done));
                insert_by_submission(&mut self.done, entry);
            }
            PlanKind::Undo(of) => {
                insert_by_submission(&mut self.done, of.unreverted_part(&is_done));
                insert_by_submission(&mut self.undone, entry);
            }
        }
        if self.done.len() > MAX_UNDO_PLANS {
            self.done.remove(0);
        }
    }

    /// Adds a plan of an earlier session, ordered before all plans of this one.
    pub(super) fn restore(&mut self, plan_id: PlanId, title: String, effects: Vec<DoneOp>) {
        let ops = effects.into_iter().map(|effect| self.record(effect)).collect();
        insert_by_submission(&mut self.done, Some(UndoEntry { plan_id, submitted: 0, title, ops }));
    }

    /// Records the new id of a segment that was created again.
    pub(super) fn record_recreated(&mut self, former: SegmentId, id: SegmentId) {
        self.recreated.push((former, id));
    }

    /// Records an effect at the present moment.
    pub(super) fn record(&self, effect: DoneOp) -> RecordedOp {
        RecordedOp { effect, recreated_before: self.recreated.len() }
    }

    /// Whether there is anything to undo.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is anything to redo.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Submission number of the plan that would be undone next.
    pub(super) fn last_submission(&self) -> Option<u64> {
        self.done.last().map(|entry| entry.submitted)
    }

    /// Whether a plan's effects can be undone.
    #[must_use]
    pub fn can_undo_plan(&self, plan_id: PlanId) -> bool {
        self.done.iter().any(|entry| entry.plan_id == plan_id)
    }

    /// Takes an entry and returns the plan that undoes or redoes it, with its title. `of` undoes a certain plan instead of the
    /// last. `None` if there is no such entry.
    pub(super) fn take(
        &mut self,
        step: UndoStep,
        of: Option<PlanId>,
        forest: &Forest,
        plan_id: PlanId,
    ) -> Option<(Plan, Title, PlanKind)> {
        let entry = match (step, of) {
            (UndoStep::Undo, None) => self.done.pop(),
            (UndoStep::Undo, Some(of)) => {
                let at = self.done.iter().position(|entry| entry.plan_id == of)?;
                Some(self.done.remove(at))
            }
            (UndoStep::Redo, _) => self.undone.pop(),
        }?;
        let entry = self.with_current_ids(entry);
        let effects: Vec<DoneOp> = entry.ops.iter().map(|op| op.effect.clone()).collect();
        let Inverse { plan, former_ids, indices: inverse_indices } = inverse(&effects, forest, plan_id);
        let new_ids_note = match former_ids.len() {
            0 => "",
            count => &format!(" ({})", Agreeing::NewIds.with(count)),
        };
        let title = match step {
            UndoStep::Undo => Title {
                imperative: entry.title.clone(),
                done: format!("Undid: {}{new_ids_note}", entry.title),
                failed: format!("Couldn't undo: {}", entry.title),
            },
            UndoStep::Redo => Title {
                imperative: entry.title.clone(),
                done: format!("Redid: {}{new_ids_note}", entry.title),
                failed: format!("Couldn't redo: {}", entry.title),
            },
        };
        let of = UndoTarget { entry, former_ids, inverse_indices };
        Some((plan, title, if step == UndoStep::Undo { PlanKind::Undo(of) } else { PlanKind::Redo(of) }))
    }

    /// Translates an entry to the present ids of segments that were created again.
    fn with_current_ids(&self, entry: UndoEntry) -> UndoEntry {
        let first_relevant = entry.ops.iter().map(|op| op.recreated_before).min().unwrap_or_default();
        let recreated = self.recreated.iter().enumerate().skip(first_relevant);
        let recreated: HashMap<&SegmentId, (usize, &SegmentId)> =
            recreated.map(|(at, (former, id))| (former, (at, id))).collect();
        if recreated.is_empty() {
            return entry;
        }
        let ops = entry.ops.into_iter().map(|RecordedOp { effect, recreated_before }| {
            let next =
                |id: &SegmentId| recreated.get(id).filter(|(at, _)| *at >= recreated_before).map(|(_, now)| *now);
            let now = |id: &SegmentId| {
                // A segment may have been deleted and created again several times. A server might even reuse an id.
                let later = std::iter::successors(next(id), |now| next(now));
                later.take(recreated.len()).last().cloned()
            };
            self.record(effect.with_ids(&now))
        });
        UndoEntry { ops: ops.collect(), ..entry }
    }
}

/// Inserts an entry in the order of submission.
fn insert_by_submission(entries: &mut Vec<UndoEntry>, entry: Option<UndoEntry>) {
    if let Some(entry) = entry {
        let position = entries.partition_point(|other| other.submitted <= entry.submitted);
        entries.insert(position, entry);
    }
}

impl UndoTarget {
    /// The plan that is undone or redone.
    pub(super) const fn plan_id(&self) -> PlanId {
        self.entry.plan_id
    }

    /// Returns the part of the entry that was not reverted.
    fn unreverted_part(self, done: &[bool]) -> Option<UndoEntry> {
        let UndoEntry { plan_id, submitted, title, ops } = self.entry;
        let is_unreverted = |(_, place): &(RecordedOp, usize)| !done.get(*place).copied().unwrap_or(false);
        let unreverted: Vec<RecordedOp> =
            ops.into_iter().zip(self.inverse_indices).filter(is_unreverted).map(|(op, _)| op).collect();
        (!unreverted.is_empty()).then_some(UndoEntry { plan_id, submitted, title, ops: unreverted })
    }
}

/// The inverse of an entry, with the tables for [`UndoTarget`].
struct Inverse {
    plan: Plan,
    former_ids: HashMap<usize, SegmentId>,
    indices: Vec<usize>,
}

/// Returns the inverse of each effect, last first.
fn inverse(effects: &[DoneOp], forest: &Forest, plan_id: PlanId) -> Inverse {
    let mut operations = Vec::with_capacity(effects.len());
    let mut indices = vec![0; effects.len()];
    let mut former_ids = HashMap::new();
    let mut new_ids: HashMap<SegmentId, SegmentId> = HashMap::new();
    let created: HashSet<&SegmentId> = effects.iter().filter_map(DoneOp::created_id).collect();
    let mut leaving: HashMap<&SegmentId, Vec<(usize, SegmentId)>> = HashMap::new();
    for (at, effect) in effects.iter().enumerate().rev() {
        indices[at] = operations.len();
        let operation = match effect {
            DoneOp::Created(segment) => {
                let leaving = leaving.remove(&segment.id).unwrap_or_default();
                for (child, _) in &leaving {
                    indices[*child] = operations.len();
                }
                let leaving = leaving.into_iter().map(|(_, child)| child).collect();
                Operation::Delete { base: Arc::clone(segment), leaving }
            }
            DoneOp::Updated { before, after, fields } => {
                // An orphan that was moved under a created segment can't be moved back: it is orphaned again when that segment is
                // deleted.
                let orphaned = before.parent.as_ref().is_some_and(|parent| !forest.contains(parent));
                if let Some(parent) = after.parent.as_ref().filter(|parent| orphaned && created.contains(parent))
                    && fields == &[Field::Parent]
                {
                    leaving.entry(parent).or_default().push((at, after.id.clone()));
                    continue;
                }
                Operation::Update { base: Arc::clone(after), draft: Draft::of(after).with_fields_of(before, fields) }
            }
            DoneOp::Deleted { segment, leaving } => {
                let op = OpId { plan_id, index: operations.len() };
                former_ids.insert(op.index, segment.id.clone());
                new_ids.insert(segment.id.clone(), op.provisional_id());
                let draft = Draft::of(segment);
                operations.push(Operation::Create { draft }.with_ids(&|id| new_ids.get(id).cloned()));
                operations.extend(reattach_children(segment, leaving, &op.provisional_id(), forest));
                continue;
            }
        };
        operations.push(operation.with_ids(&|id| new_ids.get(id).cloned()));
    }
    Inverse { plan: Plan { operations }, former_ids, indices }
}

/// Returns the moves of the children that were left to the server to the segment that is created again. A child that is neither
/// at the top nor under the old id or the old parent was moved by someone since, and stays.
fn reattach_children(
    segment: &Segment,
    leaving: &[SegmentId],
    provisional: &SegmentId,
    forest: &Forest,
) -> Vec<Operation> {
    let was_not_moved = |child: &&Arc<Segment>| match &child.parent {
        None => true,
        parent @ Some(id) => *id == segment.id || *parent == segment.parent,
    };
    let children = leaving.iter().filter_map(|child| forest.get(child)).filter(was_not_moved);
    let reattach = |child: &Arc<Segment>| {
        let draft = Draft { parent: Some(provisional.clone()), ..Draft::of(child) };
        Operation::Update { base: Arc::clone(child), draft }
    };
    children.map(reattach).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::plans::PlannedOp;

    fn segment(id: &str, parent: Option<&str>) -> Arc<Segment> {
        let id = SegmentId::new(id).unwrap();
        let name = id.to_string().into();
        Arc::new(Segment { id, name, external_id: None, parent: parent.and_then(SegmentId::new) })
    }

    fn deleted(segment: Arc<Segment>) -> DoneOp {
        DoneOp::Deleted { segment, leaving: Vec::new() }
    }

    #[test]
    fn a_deleted_subtree_is_created_again_parents_first() {
        let ops = [deleted(segment("child", Some("root"))), deleted(segment("root", None))];
        let Inverse { plan, former_ids, .. } = inverse(&ops, &Forest::new(), PlanId(9));
        let root = OpId { plan_id: PlanId(9), index: 0 };
        let parents: Vec<_> = plan.operations.iter().map(Operation::destination).collect();
        assert_eq!(parents, [None, Some(&root.provisional_id())]);
        assert_eq!(former_ids, HashMap::from([(0, made_id("root")), (1, made_id("child"))]));
    }

    fn finished(submitted: u64, effects: Vec<DoneOp>, done: &[bool], kind: PlanKind) -> QueuedPlan {
        let op = |done: &bool| PlannedOp {
            operation: Operation::Create { draft: Draft::of(&segment("any", None)) },
            state: if *done { OpState::Done } else { OpState::Discarded },
        };
        let mut plan = QueuedPlan::new(done.iter().map(op).collect(), Title::default(), kind);
        plan.submitted = submitted;
        plan.done = effects.into_iter().map(|effect| RecordedOp { effect, recreated_before: 0 }).collect();
        plan
    }

    fn made_id(text: &str) -> SegmentId {
        SegmentId::new(text).unwrap()
    }

    #[test]
    fn undo_reverts_only_the_changed_fields() {
        let before = segment("a", None);
        let after = Arc::new(Segment { name: "mine".into(), external_id: Some("theirs".into()), ..(*before).clone() });
        let ops = [DoneOp::Updated { before, after: Arc::clone(&after), fields: vec![Field::Name] }];
        let Inverse { plan, .. } = inverse(&ops, &Forest::new(), PlanId(1));
        let Operation::Update { base, draft } = &plan.operations[0] else { panic!("an update") };
        assert_eq!((base, draft.changes(base)), (&after, vec![Field::Name]));
        assert_eq!(draft.name.as_str(), "a");
    }

    #[test]
    fn the_rest_of_a_partial_undo_can_be_undone_later() {
        let mut history = UndoStack::default();
        let effects = ["a", "b"].map(|id| DoneOp::Created(segment(id, None)));
        let ops: Vec<_> = effects.into_iter().map(|effect| history.record(effect)).collect();
        let entry = UndoEntry { plan_id: PlanId(1), submitted: 1, title: "x".into(), ops: ops.clone() };
        let of = UndoTarget { entry, former_ids: HashMap::new(), inverse_indices: vec![1, 0] };
        let undone = deleted(segment("b", None));
        let plan = finished(2, vec![undone], &[true, false], PlanKind::Undo(of));
        history.add_finished(PlanId(1), plan);
        assert_eq!((history.done[0].ops.as_slice(), history.undone.len()), (&ops[..1], 1));
    }

    #[test]
    fn plans_are_undone_in_reverse_order_of_submission() {
        let mut history = UndoStack::default();
        for submitted in [2, 1, 3] {
            let done = vec![DoneOp::Created(segment("a", None))];
            history.add_finished(PlanId(submitted), finished(submitted, done, &[true], PlanKind::Ordinary));
        }
        let order: Vec<u64> = history.done.iter().map(|entry| entry.submitted).collect();
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn undo_follows_a_segment_that_was_created_again() {
        let mut history = UndoStack::default();
        let done = vec![DoneOp::Created(segment("old", None)), DoneOp::Created(segment("child", Some("old")))];
        let plan = finished(1, done, &[true, true], PlanKind::Ordinary);
        // The id changed before the last operation of the plan was done.
        history.record_recreated(made_id("old"), made_id("new"));
        history.add_finished(PlanId(1), plan);
        history.record_recreated(made_id("new"), made_id("newest"));
        let (plan, ..) = history.take(UndoStep::Undo, None, &Forest::new(), PlanId(2)).unwrap();
        let subjects: Vec<_> = plan.operations.iter().filter_map(Operation::subject).collect();
        assert_eq!(subjects, [&made_id("child"), &made_id("newest")]);
    }
}
