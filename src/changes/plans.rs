//! The unfinished plans and the state of each operation. The number of operations in each state, and the operations that refer to
//! each provisional id, are kept up to date with every change, so that reading them does not scan the plans. Operations are
//! changed only here, which keeps both consistent.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hashbrown::HashMap;

use crate::segment::SegmentId;

use super::model::{OpId, Operation, Plan, PlanId, is_provisional};
use super::result::WriteError;
use super::undo::{PlanKind, RecordedOp};

/// The state of an operation. The queue is its only source.
///
/// ```text
/// Staged ──submit──> Queued ──begin──> InFlight ──> Done
///                    │  ^ ^              │  │
///                    │  │ └─unreachable──┘  └─────> Failed ──retry, replace──> Queued
///              hold  v  │ resume
///                   OnHold            discard: from every state but InFlight and Done ──> Discarded
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpState {
    /// Shown in the tree, and not sent until submitted.
    Staged,
    /// Sent as soon as the operations that it depends on are done.
    Queued,
    /// Not sent until resumed.
    OnHold,
    /// Being executed.
    InFlight,
    /// Failed; it stays until the user decides.
    Failed(WriteError),
    /// It is done.
    Done,
    /// Discarded: it will not be done.
    Discarded,
}

impl OpState {
    /// Whether the state is final.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Discarded)
    }
}

/// One operation of a plan, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOp {
    /// The operation.
    pub operation: Operation,
    /// Its state.
    pub state: OpState,
}

/// The title of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// As a request, such as "rename A to B".
    pub imperative: String,
    /// For success, such as "Renamed A → B".
    pub done: String,
    /// For failure, such as "Couldn't rename A".
    pub failed: String,
}

/// Number of operations in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Staged.
    pub staged: usize,
    /// Queued or in flight.
    pub queued: usize,
    /// Of these, in flight.
    pub in_flight: usize,
    /// On hold.
    pub on_hold: usize,
    /// Failed.
    pub failed: usize,
    /// Done, in unfinished plans.
    pub done: usize,
}

impl QueueCounts {
    /// All operations that were not discarded.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.unfinished() + self.done
    }

    /// All operations that are not in a final state.
    #[must_use]
    pub const fn unfinished(&self) -> usize {
        self.staged + self.queued + self.on_hold + self.failed
    }

    fn add(&mut self, state: &OpState) {
        self.in_flight += usize::from(*state == OpState::InFlight);
        if let Some(count) = self.of(state) {
            *count += 1;
        }
    }

    fn subtract(&mut self, state: &OpState) {
        self.in_flight -= usize::from(*state == OpState::InFlight);
        if let Some(count) = self.of(state) {
            *count -= 1;
        }
    }

    /// Returns the count that operations in a state belong to.
    const fn of(&mut self, state: &OpState) -> Option<&mut usize> {
        match state {
            OpState::Staged => Some(&mut self.staged),
            OpState::Queued | OpState::InFlight => Some(&mut self.queued),
            OpState::OnHold => Some(&mut self.on_hold),
            OpState::Failed(_) => Some(&mut self.failed),
            OpState::Done => Some(&mut self.done),
            OpState::Discarded => None,
        }
    }
}

/// An unfinished plan.
#[derive(Debug, Clone)]
pub struct QueuedPlan {
    ops: Vec<PlannedOp>,
    counts: QueueCounts,
    /// The plan's title.
    pub title: Title,
    pub(super) kind: PlanKind,
    /// Effects of its operations, in the order in which they were done.
    pub(super) done: Vec<RecordedOp>,
    /// The failed operation of another plan that is discarded when this one is submitted.
    pub(super) replaces: Option<OpId>,
    /// Sequence number of its submission; 0 if not submitted.
    pub(super) submitted: u64,
    /// Whether its staged operations are in the journal.
    pub(super) is_journalled: bool,
    /// Whether the plan is on hold: an operation in flight that has to be queued again is put on hold instead.
    pub(super) is_on_hold: bool,
}

/// The unfinished plans by id.
#[derive(Debug, Clone, Default)]
pub(super) struct Plans {
    by_id: BTreeMap<PlanId, QueuedPlan>,
    counts: QueueCounts,
    /// The open operations that refer to each provisional id.
    referrers: HashMap<SegmentId, BTreeSet<OpId>>,
}

impl QueuedPlan {
    pub(super) fn new(ops: Vec<PlannedOp>, title: Title, kind: PlanKind) -> Self {
        // Counted by `Plans::insert`.
        let counts = QueueCounts::default();
        Self {
            ops,
            counts,
            title,
            kind,
            done: Vec::new(),
            replaces: None,
            submitted: 0,
            is_journalled: false,
            is_on_hold: false,
        }
    }

    /// Its operations and their states.
    #[must_use]
    pub fn ops(&self) -> &[PlannedOp] {
        &self.ops
    }

    /// Returns its operations as a plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan { operations: self.ops.iter().map(|op| op.operation.clone()).collect() }
    }

    /// Number of its operations in each state.
    #[must_use]
    pub const fn counts(&self) -> QueueCounts {
        self.counts
    }

    /// Whether all of its operations are in a final state.
    pub(super) const fn is_over(&self) -> bool {
        self.counts.unfinished() == 0
    }

    /// The indices of its operations in a group.
    fn indices_in(&self, group: OpGroup) -> impl Iterator<Item = usize> {
        let grouped = self.ops.iter().enumerate().filter(move |(_, op)| OpGroup::of(&op.state) == Some(group));
        grouped.map(|(index, _)| index)
    }
}

/// A group of operations in the list, ordered by how much they need the user's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpGroup {
    /// Failed.
    Failed,
    /// Staged.
    Staged,
    /// On hold.
    OnHold,
    /// In flight.
    InFlight,
    /// Queued, not in flight.
    Queued,
    /// Done, in unfinished plans.
    Done,
}

impl OpGroup {
    /// All groups, in the order of the list.
    pub const ALL: [Self; 6] = [Self::Failed, Self::Staged, Self::OnHold, Self::InFlight, Self::Queued, Self::Done];

    /// Returns the group of a state, `None` for discarded.
    #[must_use]
    pub const fn of(state: &OpState) -> Option<Self> {
        Some(match state {
            OpState::Failed(_) => Self::Failed,
            OpState::Staged => Self::Staged,
            OpState::OnHold => Self::OnHold,
            OpState::InFlight => Self::InFlight,
            OpState::Queued => Self::Queued,
            OpState::Done => Self::Done,
            OpState::Discarded => return None,
        })
    }

    /// Returns the number of operations in the group.
    #[must_use]
    pub const fn count(self, counts: QueueCounts) -> usize {
        match self {
            Self::Failed => counts.failed,
            Self::Staged => counts.staged,
            Self::OnHold => counts.on_hold,
            Self::InFlight => counts.in_flight,
            Self::Queued => counts.queued - counts.in_flight,
            Self::Done => counts.done,
        }
    }

    /// Returns a range of the group's operations in some plans. Plans before the range are skipped by their counts.
    pub fn part<'a>(self, plans: impl Iterator<Item = (PlanId, &'a QueuedPlan)>, part: Range<usize>) -> Vec<OpId> {
        let (mut before, mut listed) = (0, Vec::new());
        for (plan_id, plan) in plans {
            let count = self.count(plan.counts);
            let missing = part.len() - listed.len();
            if missing == 0 {
                break;
            }
            if before + count > part.start {
                let indices = plan.indices_in(self).skip(part.start.saturating_sub(before)).take(missing);
                listed.extend(indices.map(|index| OpId { plan_id, index }));
            }
            before += count;
        }
        listed
    }

    /// Returns the index of an operation in the group.
    fn position_of<'a>(self, plans: impl Iterator<Item = (PlanId, &'a QueuedPlan)>, op: OpId) -> Option<usize> {
        let mut before = 0;
        for (plan_id, plan) in plans {
            if plan_id == op.plan_id {
                return Some(before + plan.indices_in(self).position(|index| index == op.index)?);
            }
            before += self.count(plan.counts);
        }
        None
    }
}

impl Plans {
    pub const fn counts(&self) -> QueueCounts {
        self.counts
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (PlanId, &QueuedPlan)> {
        self.by_id.iter().map(|(plan_id, plan)| (*plan_id, plan))
    }

    pub fn get(&self, plan_id: PlanId) -> Option<&QueuedPlan> {
        self.by_id.get(&plan_id)
    }

    pub fn get_mut(&mut self, plan_id: PlanId) -> Option<&mut QueuedPlan> {
        self.by_id.get_mut(&plan_id)
    }

    pub fn op(&self, op: OpId) -> Option<&PlannedOp> {
        self.by_id.get(&op.plan_id)?.ops.get(op.index)
    }

    /// Returns a range of the list of all operations that were not discarded, group by group.
    pub fn listed(&self, part: Range<usize>) -> Vec<OpId> {
        let (mut before, mut listed) = (0, Vec::new());
        for group in OpGroup::ALL {
            let count = group.count(self.counts);
            let (first, end) = (part.start.max(before), part.end.min(before + count));
            if first < end {
                listed.extend(group.part(self.iter(), first - before..end - before));
            }
            before += count;
        }
        listed
    }

    /// Returns the index of an operation in that list.
    pub fn position_in_list(&self, op: OpId) -> Option<usize> {
        let group = OpGroup::of(&self.op(op)?.state)?;
        let before = OpGroup::ALL.into_iter().take_while(|before| *before != group);
        Some(before.map(|before| before.count(self.counts)).sum::<usize>() + group.position_of(self.iter(), op)?)
    }

    pub fn insert(&mut self, plan_id: PlanId, mut plan: QueuedPlan) {
        self.remove(plan_id);
        plan.counts = QueueCounts::default();
        for (index, planned) in plan.ops.iter().enumerate() {
            plan.counts.add(&planned.state);
            self.counts.add(&planned.state);
            add_references(&mut self.referrers, OpId { plan_id, index }, planned);
        }
        self.by_id.insert(plan_id, plan);
    }

    pub fn remove(&mut self, plan_id: PlanId) -> Option<QueuedPlan> {
        let plan = self.by_id.remove(&plan_id)?;
        for (index, planned) in plan.ops.iter().enumerate() {
            self.counts.subtract(&planned.state);
            remove_references(&mut self.referrers, OpId { plan_id, index }, planned);
        }
        Some(plan)
    }

    /// Sets the state of an operation.
    pub fn set_state(&mut self, op: OpId, state: OpState) {
        let Self { by_id, counts, referrers } = self;
        let Some(plan) = by_id.get_mut(&op.plan_id) else { return };
        let Some(planned) = plan.ops.get_mut(op.index) else { return };
        for counts in [counts, &mut plan.counts] {
            counts.subtract(&planned.state);
            counts.add(&state);
        }
        if planned.state.is_over() == state.is_over() {
            planned.state = state;
        } else {
            remove_references(referrers, op, planned);
            planned.state = state;
            add_references(referrers, op, planned);
        }
    }

    /// Replaces an operation.
    pub fn replace(&mut self, op: OpId, operation: Operation) {
        let planned = self.by_id.get_mut(&op.plan_id).and_then(|plan| plan.ops.get_mut(op.index));
        let Some(planned) = planned.filter(|planned| planned.operation != operation) else { return };
        remove_references(&mut self.referrers, op, planned);
        planned.operation = operation;
        add_references(&mut self.referrers, op, planned);
    }

    /// Sets the state of each operation of a plan for which `state` returns one. Returns those operations.
    pub fn set_states(
        &mut self,
        plan_id: PlanId,
        mut state: impl FnMut(usize, &PlannedOp) -> Option<OpState>,
    ) -> Vec<OpId> {
        let ops = self.by_id.get(&plan_id).map_or(&[][..], |plan| &plan.ops).iter().enumerate();
        let changed = ops.filter_map(|(index, planned)| Some((OpId { plan_id, index }, state(index, planned)?)));
        let changed: Vec<(OpId, OpState)> = changed.collect();
        changed
            .into_iter()
            .map(|(op, state)| {
                self.set_state(op, state);
                op
            })
            .collect()
    }

    /// The open operations that refer to a segment that has not been created yet.
    pub fn referrers_of(&self, provisional: &SegmentId) -> impl Iterator<Item = (OpId, &PlannedOp)> {
        let referrers = self.referrers.get(provisional).into_iter().flatten();
        referrers.filter_map(|op| Some((*op, self.op(*op)?)))
    }
}

/// Records an open operation under each provisional id that it refers to.
fn add_references(referrers: &mut HashMap<SegmentId, BTreeSet<OpId>>, op: OpId, planned: &PlannedOp) {
    if !planned.state.is_over() {
        for id in references(&planned.operation) {
            referrers.entry(id.clone()).or_default().insert(op);
        }
    }
}

fn remove_references(referrers: &mut HashMap<SegmentId, BTreeSet<OpId>>, op: OpId, planned: &PlannedOp) {
    if planned.state.is_over() {
        return;
    }
    for id in references(&planned.operation) {
        if let Some(others) = referrers.get_mut(id) {
            others.remove(&op);
            if others.is_empty() {
                referrers.remove(id);
            }
        }
    }
}

/// The provisional ids that an operation refers to.
fn references(operation: &Operation) -> impl Iterator<Item = &SegmentId> {
    operation.referenced_ids().filter(|id| is_provisional(id))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::segment::{Draft, Segment};

    const PLANS: u64 = 4;
    const OPS: usize = 4;

    fn op(at: usize) -> OpId {
        OpId { plan_id: PlanId(at as u64 / OPS as u64), index: at % OPS }
    }

    fn segment(id: SegmentId, parent: Option<SegmentId>) -> Segment {
        Segment { name: id.to_string().into(), id, external_id: None, parent }
    }

    /// An operation that may refer to segments that others create.
    fn operation((kind, one, other): (u8, usize, usize)) -> Operation {
        let (id, parent) = (op(one).provisional_id(), op(other).provisional_id());
        let base = Arc::new(segment(id, Some(parent.clone())));
        match kind {
            0 => Operation::Create { draft: Draft::of(&base) },
            1 => Operation::Update { draft: Draft { parent: None, ..Draft::of(&base) }, base },
            _ => Operation::Delete { base, leaving: vec![parent] },
        }
    }

    fn state(at: u8) -> OpState {
        let failed = OpState::Failed(WriteError::Conflict { theirs: None, fields: Vec::new() });
        let all = [OpState::Staged, OpState::Queued, OpState::OnHold, OpState::InFlight, OpState::Done, failed];
        all.get(usize::from(at)).cloned().unwrap_or(OpState::Discarded)
    }

    proptest! {
        /// The maintained counts and references equal those computed from scratch.
        #[test]
        fn maintained_counts_equal_a_fresh_count(
            first in 0_usize..20,
            count in 0_usize..20,
            actions in prop::collection::vec((0_u8..4, 0_usize..16, 0_u8..7, (0_u8..3, 0_usize..16, 0_usize..16)), 1..60),
        ) {
            let mut plans = Plans::default();
            for (action, at, state_index, draft) in actions {
                let at = op(at);
                match action {
                    0 => {
                        let planned = || PlannedOp { operation: operation(draft), state: state(state_index) };
                        let ops = (0..OPS).map(|_| planned()).collect();
                        plans.insert(at.plan_id, QueuedPlan::new(ops, Title::default(), PlanKind::Ordinary));
                    }
                    1 => plans.set_state(at, state(state_index)),
                    2 => plans.replace(at, operation(draft)),
                    _ => {
                        plans.remove(at.plan_id);
                    }
                }
            }
            let mut counts = QueueCounts::default();
            let mut referrers: HashMap<SegmentId, BTreeSet<OpId>> = HashMap::new();
            for plan_id in (0..PLANS).map(PlanId) {
                let mut own = QueueCounts::default();
                for (index, planned) in plans.get(plan_id).map_or(&[][..], |plan| plan.ops()).iter().enumerate() {
                    counts.add(&planned.state);
                    own.add(&planned.state);
                    add_references(&mut referrers, OpId { plan_id, index }, planned);
                }
                prop_assert_eq!(plans.get(plan_id).map_or(own, QueuedPlan::counts), own);
            }
            prop_assert_eq!(plans.counts(), counts);
            prop_assert_eq!(&plans.referrers, &referrers);
            let all: Vec<OpId> = (0..4 * OPS).map(op).collect();
            let in_group = |group| {
                let is_in = |op: &&OpId| plans.op(**op).is_some_and(|planned| OpGroup::of(&planned.state) == Some(group));
                all.iter().filter(is_in).copied().collect::<Vec<OpId>>()
            };
            for group in OpGroup::ALL {
                let part: Vec<OpId> = in_group(group).into_iter().skip(first).take(count).collect();
                prop_assert_eq!(group.part(plans.iter(), first..first + count), part);
            }
            let whole: Vec<OpId> = OpGroup::ALL.into_iter().flat_map(in_group).collect();
            let part: Vec<OpId> = whole.iter().copied().skip(first).take(count).collect();
            prop_assert_eq!(plans.listed(first..first + count), part);
            for op in all {
                prop_assert_eq!(plans.position_in_list(op), whole.iter().position(|listed| *listed == op));
            }
        }
    }
}
