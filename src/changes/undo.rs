//! What was done in this session, to be undone and redone, a plan at a time.
//!
//! Undoing is a plan like any other: the inverse operations in the opposite order, with the same looks for what somebody else has
//! done meanwhile. A segment that was deleted comes back with a new id, which no API can help; whatever is remembered of the old
//! one is about the new one from then on.

use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::forest::Forest;
use crate::numbers::Agreeing;
use crate::segment::{Draft, Field, Segment, SegmentId};

use super::model::{OpId, Operation, Plan, PlanId};
use super::plans::{OpState, QueuedPlan, Title};
use super::result::{WriteResult, Written};

/// What can be undone, and what can be redone.
#[derive(Debug, Clone, Default)]
pub struct UndoStack {
    done: Vec<UndoEntry>,
    undone: Vec<UndoEntry>,
    /// The former ids of segments that have come back under others, in that order. Entries are brought up to date when they are
    /// taken, so a segment that comes back costs the same however much is remembered.
    renamed: Vec<(SegmentId, SegmentId)>,
}

/// What a plan is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanKind {
    /// It does something new.
    Ordinary,
    /// It undoes another one.
    Undo(UndoOf),
    /// It does again what was undone.
    Redo(UndoOf),
}

/// What a plan undoes or redoes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoOf {
    entry: UndoEntry,
    /// The former ids of segments that are created again, by their place in the plan.
    pub(super) former: HashMap<usize, SegmentId>,
    /// For each operation of the entry, the place in the plan of its inverse.
    places: Vec<usize>,
}

/// What one plan did.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UndoEntry {
    plan_id: PlanId,
    /// When the plan was submitted: what was submitted later is undone earlier, whichever plan was finished first.
    submitted: u64,
    title: String,
    /// In the order in which it was done.
    ops: Vec<RecordedOp>,
}

/// What one operation did, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedOp {
    did: DoneOp,
    /// How many segments had come back under other ids before it.
    renamed_before: usize,
}

/// What one operation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DoneOp {
    /// It created a segment.
    Created(Arc<Segment>),
    /// It changed fields of a segment.
    Updated {
        /// The segment before.
        before: Arc<Segment>,
        /// And after.
        after: Arc<Segment>,
        /// The fields that it changed.
        fields: Vec<Field>,
    },
    /// It deleted a segment.
    Deleted {
        /// The segment.
        segment: Arc<Segment>,
        /// The children that were left to the server.
        leaving: Vec<SegmentId>,
    },
}

/// Undo or redo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoStep {
    /// What was done last is undone.
    Undo,
    /// What was undone last is done again.
    Redo,
}

/// Plans that are remembered; of more, the oldest are forgotten.
const REMEMBERED: usize = 1_000;

impl DoneOp {
    /// What an operation did; `None` when there is nothing that is its own to be undone.
    #[must_use]
    pub fn of(operation: &Operation, result: &WriteResult) -> Option<Self> {
        match (operation, result) {
            // What existed before is not this operation's to be deleted.
            (Operation::Create { .. }, WriteResult::Created(Written { existed: false, segment, .. })) => {
                Some(Self::Created(Arc::clone(segment)))
            }
            (Operation::Update { base, draft }, WriteResult::Updated(written)) => {
                // What somebody else had made as wanted before is not this operation's to be undone.
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

    /// The segment that it was about, as it is afterwards; as it was, when it is deleted.
    #[must_use]
    pub const fn segment(&self) -> &Arc<Segment> {
        match self {
            Self::Created(segment) | Self::Updated { after: segment, .. } | Self::Deleted { segment, .. } => segment,
        }
    }

    fn created(&self) -> Option<&SegmentId> {
        match self {
            Self::Created(segment) => Some(&segment.id),
            Self::Updated { .. } | Self::Deleted { .. } => None,
        }
    }

    /// The same about segments that have come back under other ids.
    #[must_use]
    pub fn with_ids(self, other: &impl Fn(&SegmentId) -> Option<SegmentId>) -> Self {
        let segment = |segment: Arc<Segment>| segment.with_ids(other).map_or(segment, Arc::new);
        match self {
            Self::Created(created) => Self::Created(segment(created)),
            Self::Updated { before, after, fields } => {
                Self::Updated { before: segment(before), after: segment(after), fields }
            }
            Self::Deleted { segment: deleted, leaving } => {
                let leaving = leaving.into_iter().map(|id| other(&id).unwrap_or(id)).collect();
                Self::Deleted { segment: segment(deleted), leaving }
            }
        }
    }
}

impl UndoStack {
    /// A plan is finished, and this is what it did. What it was to undo and did not can be undone later.
    pub(super) fn remember(&mut self, plan_id: PlanId, plan: QueuedPlan) {
        let is_done: Vec<bool> = plan.ops().iter().map(|op| op.state == OpState::Done).collect();
        let QueuedPlan { title: Title { wish: title, .. }, done: ops, kind, submitted, .. } = plan;
        let entry = (!ops.is_empty()).then_some(UndoEntry { plan_id, submitted, title, ops });
        match kind {
            PlanKind::Ordinary if entry.is_none() => {}
            PlanKind::Ordinary => {
                self.undone.clear();
                put(&mut self.done, entry);
            }
            PlanKind::Redo(of) => {
                put(&mut self.undone, of.left(&is_done));
                put(&mut self.done, entry);
            }
            PlanKind::Undo(of) => {
                put(&mut self.done, of.left(&is_done));
                put(&mut self.undone, entry);
            }
        }
        if self.done.len() > REMEMBERED {
            self.done.remove(0);
        }
    }

    /// What an earlier session did with a plan can be undone in this one, as what was done last before all that it does itself.
    pub(super) fn restore(&mut self, plan_id: PlanId, title: String, did: Vec<DoneOp>) {
        let ops = did.into_iter().map(|did| self.record(did)).collect();
        put(&mut self.done, Some(UndoEntry { plan_id, submitted: 0, title, ops }));
    }

    /// A segment has come back under another id.
    pub(super) fn rename(&mut self, former: SegmentId, id: SegmentId) {
        self.renamed.push((former, id));
    }

    /// What an operation did just now.
    pub(super) fn record(&self, did: DoneOp) -> RecordedOp {
        RecordedOp { did, renamed_before: self.renamed.len() }
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

    /// When the plan was submitted that would be undone next.
    pub(super) fn last(&self) -> Option<u64> {
        self.done.last().map(|entry| entry.submitted)
    }

    /// Whether what a plan did can be undone.
    #[must_use]
    pub fn can_undo_plan(&self, plan_id: PlanId) -> bool {
        self.done.iter().any(|entry| entry.plan_id == plan_id)
    }

    /// The plan that undoes or redoes what was done or undone last, or undoes what a certain plan did, with its title; `None` when
    /// there is nothing.
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
        let entry = self.up_to_date(entry);
        let did: Vec<DoneOp> = entry.ops.iter().map(|op| op.did.clone()).collect();
        let Inverse { plan, former, places } = inverse(&did, forest, plan_id);
        let again = match former.len() {
            0 => "",
            count => &format!(" ({})", Agreeing::NewIds.with(count)),
        };
        let title = match step {
            UndoStep::Undo => Title {
                wish: entry.title.clone(),
                done: format!("Undid: {}{again}", entry.title),
                failed: format!("Couldn't undo: {}", entry.title),
            },
            UndoStep::Redo => Title {
                wish: entry.title.clone(),
                done: format!("Redid: {}{again}", entry.title),
                failed: format!("Couldn't redo: {}", entry.title),
            },
        };
        let of = UndoOf { entry, former, places };
        Some((plan, title, if step == UndoStep::Undo { PlanKind::Undo(of) } else { PlanKind::Redo(of) }))
    }

    /// An entry about the segments that have taken the place of former ones.
    fn up_to_date(&self, entry: UndoEntry) -> UndoEntry {
        let oldest = entry.ops.iter().map(|op| op.renamed_before).min().unwrap_or_default();
        let renamed = self.renamed.iter().enumerate().skip(oldest);
        let renamed: HashMap<&SegmentId, (usize, &SegmentId)> =
            renamed.map(|(at, (former, id))| (former, (at, id))).collect();
        if renamed.is_empty() {
            return entry;
        }
        let ops = entry.ops.into_iter().map(|RecordedOp { did, renamed_before }| {
            let next = |id: &SegmentId| renamed.get(id).filter(|(at, _)| *at >= renamed_before).map(|(_, now)| *now);
            let now = |id: &SegmentId| {
                // A segment may have gone and come back several times. Nothing stops a server from giving an id again.
                let later = std::iter::successors(next(id), |now| next(now));
                later.take(renamed.len()).last().cloned()
            };
            self.record(did.with_ids(&now))
        });
        UndoEntry { ops: ops.collect(), ..entry }
    }
}

/// Puts an entry where it belongs by when it was submitted.
fn put(entries: &mut Vec<UndoEntry>, entry: Option<UndoEntry>) {
    if let Some(entry) = entry {
        let place = entries.partition_point(|other| other.submitted <= entry.submitted);
        entries.insert(place, entry);
    }
}

impl UndoOf {
    /// The plan that is undone.
    pub(super) const fn plan_id(&self) -> PlanId {
        self.entry.plan_id
    }

    /// What of it was not undone.
    fn left(self, done: &[bool]) -> Option<UndoEntry> {
        let UndoEntry { plan_id, submitted, title, ops } = self.entry;
        let is_left = |(_, place): &(RecordedOp, usize)| !done.get(*place).copied().unwrap_or(false);
        let left: Vec<RecordedOp> = ops.into_iter().zip(self.places).filter(is_left).map(|(op, _)| op).collect();
        (!left.is_empty()).then_some(UndoEntry { plan_id, submitted, title, ops: left })
    }
}

/// A plan that undoes something, with what [`UndoOf`] remembers of it.
struct Inverse {
    plan: Plan,
    former: HashMap<usize, SegmentId>,
    places: Vec<usize>,
}

/// The inverse of each operation, the last first.
fn inverse(made: &[DoneOp], forest: &Forest, plan_id: PlanId) -> Inverse {
    let mut operations = Vec::with_capacity(made.len());
    let mut places = vec![0; made.len()];
    let mut former = HashMap::new();
    let mut again: HashMap<SegmentId, SegmentId> = HashMap::new();
    let created: HashSet<&SegmentId> = made.iter().filter_map(DoneOp::created).collect();
    let mut leaving: HashMap<&SegmentId, Vec<(usize, SegmentId)>> = HashMap::new();
    for (at, one) in made.iter().enumerate().rev() {
        places[at] = operations.len();
        let operation = match one {
            DoneOp::Created(segment) => {
                let leaving = leaving.remove(&segment.id).unwrap_or_default();
                for (child, _) in &leaving {
                    places[*child] = operations.len();
                }
                let leaving = leaving.into_iter().map(|(_, child)| child).collect();
                Operation::Delete { base: Arc::clone(segment), leaving }
            }
            DoneOp::Updated { before, after, fields } => {
                // What had lost its parent can only lose it again, with that.
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
                former.insert(op.index, segment.id.clone());
                again.insert(segment.id.clone(), op.provisional_id());
                let draft = Draft::of(segment);
                operations.push(Operation::Create { draft }.with_ids(&|id| again.get(id).cloned()));
                operations.extend(attached_again(segment, leaving, &op.provisional_id(), forest));
                continue;
            }
        };
        operations.push(operation.with_ids(&|id| again.get(id).cloned()));
    }
    Inverse { plan: Plan { operations }, former, places }
}

/// What puts the children that were left to the server below the segment that comes back: those that are still there, and where the
/// server may have put them. One that stands elsewhere was moved by somebody since.
fn attached_again(
    segment: &Segment,
    leaving: &[SegmentId],
    provisional: &SegmentId,
    forest: &Forest,
) -> Vec<Operation> {
    let left_there = |child: &&Arc<Segment>| match &child.parent {
        None => true,
        parent @ Some(id) => *id == segment.id || *parent == segment.parent,
    };
    let children = leaving.iter().filter_map(|child| forest.get(child)).filter(left_there);
    let attached = |child: &Arc<Segment>| {
        let draft = Draft { parent: Some(provisional.clone()), ..Draft::of(child) };
        Operation::Update { base: Arc::clone(child), draft }
    };
    children.map(attached).collect()
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
    fn a_deleted_subtree_comes_back_from_the_top_down_under_its_new_ids() {
        let ops = [deleted(segment("child", Some("root"))), deleted(segment("root", None))];
        let Inverse { plan, former, .. } = inverse(&ops, &Forest::new(), PlanId(9));
        let root = OpId { plan_id: PlanId(9), index: 0 };
        let parents: Vec<_> = plan.operations.iter().map(Operation::destination).collect();
        assert_eq!(parents, [None, Some(&root.provisional_id())]);
        assert_eq!(former, HashMap::from([(0, made_id("root")), (1, made_id("child"))]));
    }

    fn finished(submitted: u64, did: Vec<DoneOp>, done: &[bool], kind: PlanKind) -> QueuedPlan {
        let op = |done: &bool| PlannedOp {
            operation: Operation::Create { draft: Draft::of(&segment("any", None)) },
            state: if *done { OpState::Done } else { OpState::Discarded },
        };
        let mut plan = QueuedPlan::new(done.iter().map(op).collect(), Title::default(), kind);
        plan.submitted = submitted;
        plan.done = did.into_iter().map(|did| RecordedOp { did, renamed_before: 0 }).collect();
        plan
    }

    fn made_id(text: &str) -> SegmentId {
        SegmentId::new(text).unwrap()
    }

    #[test]
    fn only_what_was_changed_is_changed_back() {
        let before = segment("a", None);
        let after = Arc::new(Segment { name: "mine".into(), external_id: Some("theirs".into()), ..(*before).clone() });
        let ops = [DoneOp::Updated { before, after: Arc::clone(&after), fields: vec![Field::Name] }];
        let Inverse { plan, .. } = inverse(&ops, &Forest::new(), PlanId(1));
        let Operation::Update { base, draft } = &plan.operations[0] else { panic!("an update") };
        assert_eq!((base, draft.changes(base)), (&after, vec![Field::Name]));
        assert_eq!(draft.name.as_str(), "a");
    }

    #[test]
    fn what_was_not_undone_can_be_undone_later() {
        let mut history = UndoStack::default();
        let did = ["a", "b"].map(|id| DoneOp::Created(segment(id, None)));
        let ops: Vec<_> = did.into_iter().map(|did| history.record(did)).collect();
        let entry = UndoEntry { plan_id: PlanId(1), submitted: 1, title: "x".into(), ops: ops.clone() };
        let of = UndoOf { entry, former: HashMap::new(), places: vec![1, 0] };
        let undone = deleted(segment("b", None));
        let plan = finished(2, vec![undone], &[true, false], PlanKind::Undo(of));
        history.remember(PlanId(1), plan);
        assert_eq!((history.done[0].ops.as_slice(), history.undone.len()), (&ops[..1], 1));
    }

    #[test]
    fn what_was_begun_later_is_undone_earlier() {
        let mut history = UndoStack::default();
        for submitted in [2, 1, 3] {
            let done = vec![DoneOp::Created(segment("a", None))];
            history.remember(PlanId(submitted), finished(submitted, done, &[true], PlanKind::Ordinary));
        }
        let order: Vec<u64> = history.done.iter().map(|entry| entry.submitted).collect();
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn what_is_remembered_of_a_segment_is_about_the_one_that_took_its_place() {
        let mut history = UndoStack::default();
        let done = vec![DoneOp::Created(segment("old", None)), DoneOp::Created(segment("child", Some("old")))];
        let plan = finished(1, done, &[true, true], PlanKind::Ordinary);
        // It came back before the last of the plan was done.
        history.rename(made_id("old"), made_id("new"));
        history.remember(PlanId(1), plan);
        history.rename(made_id("new"), made_id("newest"));
        let (plan, ..) = history.take(UndoStep::Undo, None, &Forest::new(), PlanId(2)).unwrap();
        let subjects: Vec<_> = plan.operations.iter().filter_map(Operation::subject).collect();
        assert_eq!(subjects, [&made_id("child"), &made_id("newest")]);
    }
}
