//! What is shown: what the server has, with everything pending laid over it.
//!
//! For every segment that a pending operation concerns, the *truth* (what the server last showed) is kept beside the tree. Changes
//! made elsewhere go into the truth while an operation is pending, so a refusal uncovers them rather than what was true before.

use hashbrown::HashMap;
use std::sync::Arc;

use crate::forest::{Change, Forest};
use crate::segment::{Field, Segment, SegmentId};

use super::model::{OpId, Operation};
use super::plans::{OpState, Plans};

/// The segments that pending operations concern.
#[derive(Debug, Clone, Default)]
pub(super) struct Overlay {
    pending: HashMap<SegmentId, Pending>,
}

/// What is pending for one segment.
#[derive(Debug, Clone, Default)]
struct Pending {
    truth: Option<Arc<Segment>>,
    /// In the order in which they were asked for.
    ops: Vec<OpId>,
}

impl Overlay {
    /// An operation is pending for a segment, which the forest shows as it is without it.
    pub fn add(&mut self, id: &SegmentId, op: OpId, forest: &Forest) {
        let pending = self.pending.entry(id.clone());
        let pending = pending.or_insert_with(|| Pending { truth: forest.get(id).cloned(), ops: Vec::new() });
        pending.ops.push(op);
    }

    /// An operation is not pending any more. Returns what to show of the segment from now on.
    pub fn remove(&mut self, id: &SegmentId, op: OpId, plans: &Plans) -> Change {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.ops.retain(|other| *other != op);
        }
        let change = self.change(id, plans);
        if self.pending.get(id).is_some_and(|pending| pending.ops.is_empty()) {
            self.pending.remove(id);
        }
        change
    }

    /// What to show of a segment that something is pending for.
    pub fn change(&self, id: &SegmentId, plans: &Plans) -> Change {
        self.shown(id, plans).map_or_else(|| Change::Remove(id.clone()), Change::Upsert)
    }

    /// The truth with everything pending laid over it. What failed is not laid over it any more.
    fn shown(&self, id: &SegmentId, plans: &Plans) -> Option<Arc<Segment>> {
        let pending = self.pending.get(id)?;
        let ops = pending.ops.iter().filter_map(|op| plans.op(*op));
        ops.fold(pending.truth.clone(), |shown, op| {
            let failed = matches!(op.state, OpState::Failed(_));
            match &op.operation {
                Operation::Create { draft } if !failed || is_needed(id, plans) => {
                    Some(Arc::new(draft.clone().into_segment(id.clone())))
                }
                Operation::Update { base, draft } if !failed => shown.map(|shown| {
                    let changed = draft.changes(base);
                    let kept: Vec<Field> = Field::ALL.into_iter().filter(|field| !changed.contains(field)).collect();
                    Arc::new(draft.clone().with_fields_of(&shown, &kept).into_segment(id.clone()))
                }),
                _ => shown,
            }
        })
    }

    /// The server has something else now. Returns what to show: what is pending stays on top.
    pub fn see(&mut self, id: &SegmentId, now: Option<Arc<Segment>>, plans: &Plans) -> Change {
        match self.pending.get_mut(id) {
            Some(pending) => {
                pending.truth = now;
                self.change(id, plans)
            }
            None => now.map_or_else(|| Change::Remove(id.clone()), Change::Upsert),
        }
    }

    /// The server has exactly what the forest has. Returns what to show otherwise.
    pub fn see_all(&mut self, forest: &Forest, plans: &Plans) -> Vec<Change> {
        for (id, pending) in &mut self.pending {
            pending.truth = forest.get(id).cloned();
        }
        self.pending.keys().map(|id| self.change(id, plans)).collect()
    }

    /// The server has a segment otherwise, which is not shown yet.
    pub fn set_truth(&mut self, id: &SegmentId, truth: Option<Arc<Segment>>) {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.truth = truth;
        }
    }

    /// What the server last showed of a segment that something is pending for; `None` when it has no such segment.
    pub fn truth(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.pending.get(id)?.truth.as_ref()
    }

    /// A new segment has its real id: what is pending for it is pending for that, beside what is already. The segment may have been
    /// seen before it was known to be this one.
    pub fn rename(&mut self, provisional: &SegmentId, segment: &Arc<Segment>, made_by: OpId) {
        let mut ops = self.pending.remove(provisional).unwrap_or_default().ops;
        ops.retain(|op| *op != made_by);
        if ops.is_empty() && !self.concerns(&segment.id) {
            return;
        }
        let pending = self.pending.entry(segment.id.clone()).or_default();
        pending.truth = Some(Arc::clone(segment));
        pending.ops.extend(ops);
        pending.ops.sort_unstable();
    }

    /// The operations that are pending for a segment, in the order in which they were asked for.
    pub fn ops(&self, id: &SegmentId) -> &[OpId] {
        self.pending.get(id).map_or(&[], |pending| &pending.ops)
    }

    /// The segments that something is pending for.
    pub fn ids(&self) -> impl Iterator<Item = &SegmentId> {
        self.pending.keys()
    }

    /// How many segments something is pending for.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether something is pending for a segment.
    pub fn concerns(&self, id: &SegmentId) -> bool {
        self.pending.contains_key(id)
    }
}

/// Whether something is to stand below a segment that could not be created yet.
fn is_needed(id: &SegmentId, plans: &Plans) -> bool {
    plans.referring_to(id).any(|(_, op)| op.operation.destination() == Some(id))
}
