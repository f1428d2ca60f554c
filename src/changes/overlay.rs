//! The overlay: pending changes shown on top of the server's state.
//!
//! For each segment with pending operations, the *truth* (its last known state on the server) is kept beside the tree. Changes
//! made elsewhere update the truth, so that after a failure the segment shows the server's current state rather than an outdated
//! one.

use hashbrown::HashMap;
use std::sync::Arc;

use crate::forest::{Change, Forest};
use crate::segment::{Field, Segment, SegmentId};

use super::model::{OpId, Operation};
use super::plans::{OpState, Plans};

/// The segments with pending operations.
#[derive(Debug, Clone, Default)]
pub(super) struct Overlay {
    pending: HashMap<SegmentId, Pending>,
}

/// The pending operations of one segment.
#[derive(Debug, Clone, Default)]
struct Pending {
    server_state: Option<Arc<Segment>>,
    /// In the order in which they were requested.
    ops: Vec<OpId>,
}

impl Overlay {
    /// Adds a pending operation of a segment. For its first one, the forest must show the segment as it is on the server.
    pub fn add(&mut self, id: &SegmentId, op: OpId, forest: &Forest) {
        let pending = self.pending.entry(id.clone());
        let pending = pending.or_insert_with(|| Pending { server_state: forest.get(id).cloned(), ops: Vec::new() });
        pending.ops.push(op);
    }

    /// Removes an operation that is no longer pending. Returns how to show the segment from now on.
    pub fn remove(&mut self, id: &SegmentId, op: OpId, plans: &Plans) -> Change {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.ops.retain(|other| *other != op);
        }
        let change = self.displayed_change(id, plans);
        if self.pending.get(id).is_some_and(|pending| pending.ops.is_empty()) {
            self.pending.remove(id);
        }
        change
    }

    /// Returns how to show a segment with pending operations.
    pub fn displayed_change(&self, id: &SegmentId, plans: &Plans) -> Change {
        self.displayed_segment(id, plans).map_or_else(|| Change::Remove(id.clone()), Change::Upsert)
    }

    /// Applies the pending operations to the truth. Failed ones are skipped, except a create that other operations refer to as
    /// parent.
    fn displayed_segment(&self, id: &SegmentId, plans: &Plans) -> Option<Arc<Segment>> {
        let pending = self.pending.get(id)?;
        let ops = pending.ops.iter().filter_map(|op| plans.op(*op));
        ops.fold(pending.server_state.clone(), |shown, op| {
            let failed = matches!(op.state, OpState::Failed(_));
            match &op.operation {
                Operation::Create { draft } if !failed || has_pending_children(id, plans) => {
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

    /// Records a segment's new state on the server. Returns how to show it, with pending operations on top.
    pub fn update(&mut self, id: &SegmentId, now: Option<Arc<Segment>>, plans: &Plans) -> Change {
        match self.pending.get_mut(id) {
            Some(pending) => {
                pending.server_state = now;
                self.displayed_change(id, plans)
            }
            None => now.map_or_else(|| Change::Remove(id.clone()), Change::Upsert),
        }
    }

    /// Records that the server's state is what the forest shows. Returns the changes that put the pending operations on top.
    pub fn update_all(&mut self, forest: &Forest, plans: &Plans) -> Vec<Change> {
        for (id, pending) in &mut self.pending {
            pending.server_state = forest.get(id).cloned();
        }
        self.pending.keys().map(|id| self.displayed_change(id, plans)).collect()
    }

    /// Records a segment's new state on the server without showing it yet.
    pub fn set_server_state(&mut self, id: &SegmentId, server_state: Option<Arc<Segment>>) {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.server_state = server_state;
        }
    }

    /// Returns the last known state on the server of a segment with pending operations; `None` if it does not exist there.
    pub fn server_state(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.pending.get(id)?.server_state.as_ref()
    }

    /// Gives a new segment its real id: its pending operations are merged with those under the real id. There can be some, if the
    /// segment was seen before it was identified as this one.
    pub fn rename(&mut self, provisional: &SegmentId, segment: &Arc<Segment>, created_by: OpId) {
        let mut ops = self.pending.remove(provisional).unwrap_or_default().ops;
        ops.retain(|op| *op != created_by);
        if ops.is_empty() && !self.has_pending(&segment.id) {
            return;
        }
        let pending = self.pending.entry(segment.id.clone()).or_default();
        pending.server_state = Some(Arc::clone(segment));
        pending.ops.extend(ops);
        pending.ops.sort_unstable();
    }

    /// Returns the pending operations of a segment, in the order in which they were requested.
    pub fn ops(&self, id: &SegmentId) -> &[OpId] {
        self.pending.get(id).map_or(&[], |pending| &pending.ops)
    }

    /// The segments with pending operations.
    pub fn ids(&self) -> impl Iterator<Item = &SegmentId> {
        self.pending.keys()
    }

    /// Number of segments with pending operations.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether a segment has pending operations.
    pub fn has_pending(&self, id: &SegmentId) -> bool {
        self.pending.contains_key(id)
    }
}

/// Whether an operation puts its segment under this one, which could not be created so far.
fn has_pending_children(id: &SegmentId, plans: &Plans) -> bool {
    plans.referrers_of(id).any(|(_, op)| op.operation.destination() == Some(id))
}
