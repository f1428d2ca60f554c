//! Determines which changes of a history were undone by later ones, change by change, so that an interrupted undo counts as
//! partial.
//!
//! The history records which run undoes which, but not which change. A change undoes another if it does the opposite to the same
//! segment. A deleted segment comes back with a new id, and what is left to undo then refers to that id. An undo that was itself
//! undone has no effect.

use compact_str::CompactString;
use hashbrown::HashMap;

use crate::changes::{DoneOp, PlanId};
use crate::segment::{Field, Segment, SegmentId};
use crate::store::HistoryEntry;

/// Whether a change was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undone {
    /// It was undone by this run.
    By(PlanId),
    /// It was not undone. The operation has the current ids of its segments.
    Not(DoneOp),
}

/// Returns whether each change was undone, the oldest first. All changes of a run must name the run that it undoes.
pub(super) fn undone(entries: &[HistoryEntry]) -> Vec<Undone> {
    let mut tracker = UndoTracker { entries, undoes: vec![Vec::new(); entries.len()], ..UndoTracker::default() };
    for at in 0..entries.len() {
        tracker.process_entry(at);
    }
    let mut by: Vec<Option<PlanId>> = vec![None; entries.len()];
    // An undo comes after what it undoes.
    for at in (0..entries.len()).rev().filter(|at| tracker.in_effect[*at]) {
        for undone in &tracker.undoes[at] {
            by[*undone] = Some(entries[at].op.plan_id);
        }
    }
    let what = |(at, by): (usize, Option<PlanId>)| match by {
        Some(by) => Undone::By(by),
        None => Undone::Not(entries[at].effect.clone().with_ids(&|id| tracker.current_id(id, at))),
    };
    by.into_iter().enumerate().map(what).collect()
}

/// The key of a deleted segment: plan, name and external id.
type Deleted<'a> = (PlanId, &'a str, Option<&'a str>);

#[derive(Default)]
struct UndoTracker<'a> {
    entries: &'a [HistoryEntry],
    /// Whether each change is still in effect.
    in_effect: Vec<bool>,
    /// The changes that each change undoes.
    undoes: Vec<Vec<usize>>,
    /// The creates and updates of each segment, by its current id.
    by_segment: HashMap<SegmentId, Vec<usize>>,
    deleted: HashMap<Deleted<'a>, Vec<usize>>,
    /// The deletions of each plan.
    deletions: HashMap<PlanId, Vec<usize>>,
    /// The new ids of segments that came back, with the change that brought each of them back.
    recreated: HashMap<SegmentId, Vec<(usize, SegmentId)>>,
}

impl UndoTracker<'_> {
    fn process_entry(&mut self, at: usize) {
        let HistoryEntry { op, undoes, effect, .. } = &self.entries[at];
        self.in_effect.push(true);
        if let Some(plan_id) = undoes {
            for undone in self.undone_changes(*plan_id, effect) {
                self.undoes[at].push(undone);
                self.set_in_effect(undone, false);
                if let (DoneOp::Deleted { segment: former, .. }, DoneOp::Created(segment)) =
                    (&self.entries[undone].effect, effect)
                {
                    self.record_recreated(
                        at,
                        self.current_id(&former.id, undone).unwrap_or(former.id.clone()),
                        &segment.id,
                    );
                }
            }
        }
        match effect {
            DoneOp::Created(segment) | DoneOp::Updated { after: segment, .. } => {
                self.by_segment.entry(segment.id.clone()).or_default().push(at);
            }
            DoneOp::Deleted { segment, .. } => {
                self.deleted.entry(key(op.plan_id, segment)).or_default().push(at);
                self.deletions.entry(op.plan_id).or_default().push(at);
            }
        }
    }

    /// Returns the changes of a run that a change of its undo undoes.
    fn undone_changes(&self, plan_id: PlanId, effect: &DoneOp) -> Vec<usize> {
        match effect {
            DoneOp::Created(segment) => self.deletion_of(plan_id, segment).into_iter().collect(),
            DoneOp::Updated { after, fields, .. } => {
                let wrote_them = |of: &DoneOp| matches!(of, DoneOp::Updated { fields: those, .. } if fields.iter().all(|field| those.contains(field)));
                self.last_change_of(plan_id, &after.id, wrote_them).into_iter().collect()
            }
            DoneOp::Deleted { segment, leaving } => {
                let created = self.last_change_of(plan_id, &segment.id, |of| matches!(of, DoneOp::Created(_)));
                // Its children had been attached to it, and leave it with the same deletion.
                let attached =
                    |of: &DoneOp| matches!(of, DoneOp::Updated { fields, .. } if fields.as_slice() == [Field::Parent]);
                let attached = leaving.iter().filter_map(|child| self.last_change_of(plan_id, child, attached));
                created.into_iter().chain(attached).collect()
            }
        }
    }

    fn last_change_of(&self, plan_id: PlanId, id: &SegmentId, matches: impl Fn(&DoneOp) -> bool) -> Option<usize> {
        let all = self.by_segment.get(id)?.iter().rev().copied();
        all.into_iter().find(|at| self.is_open(plan_id, *at) && matches(&self.entries[*at].effect))
    }

    fn is_open(&self, plan_id: PlanId, at: usize) -> bool {
        self.in_effect[at] && self.entries[at].op.plan_id == plan_id
    }

    /// Returns the deletion that a create undoes: the most similar one, and the last of equals. The server may have changed one
    /// of name, external id and parent.
    fn deletion_of(&self, plan_id: PlanId, created: &Segment) -> Option<usize> {
        let similarity = |at: usize| {
            let DoneOp::Deleted { segment, .. } = &self.entries[at].effect else { return 0 };
            let parent = segment.parent.as_ref().map(|id| self.current_id(id, at).unwrap_or_else(|| id.clone()));
            [segment.name == created.name, segment.external_id == created.external_id, parent == created.parent]
                .into_iter()
                .map(usize::from)
                .sum()
        };
        let most_similar = |among: Option<&Vec<usize>>| {
            let open = among?.iter().copied().filter(|at| self.is_open(plan_id, *at));
            open.max_by_key(|at| similarity(*at)).filter(|at| similarity(*at) >= 2)
        };
        most_similar(self.deleted.get(&key(plan_id, created))).or_else(|| most_similar(self.deletions.get(&plan_id)))
    }

    fn record_recreated(&mut self, at: usize, former: SegmentId, id: &SegmentId) {
        let by_segment = self.by_segment.remove(&former).unwrap_or_default();
        self.by_segment.entry(id.clone()).or_default().extend(by_segment);
        self.recreated.entry(former).or_default().push((at, id.clone()));
    }

    /// Sets whether a change is in effect. The changes that it undoes follow in the opposite direction.
    fn set_in_effect(&mut self, at: usize, value: bool) {
        let mut changed = vec![(at, value)];
        while let Some((at, value)) = changed.pop() {
            if std::mem::replace(&mut self.in_effect[at], value) != value {
                changed.extend(self.undoes[at].iter().map(|undone| (*undone, !value)));
            }
        }
    }

    /// Returns the current id of a segment that had this id at the time of a change, if it is a different one.
    fn current_id(&self, id: &SegmentId, mut since: usize) -> Option<SegmentId> {
        let mut now = None;
        while let Some((at, id)) = self
            .recreated
            .get(now.as_ref().unwrap_or(id))
            .and_then(|recreated| recreated.iter().find(|(at, _)| *at > since))
        {
            (since, now) = (*at, Some(id.clone()));
        }
        now
    }
}

fn key(plan_id: PlanId, segment: &Segment) -> Deleted<'_> {
    (plan_id, segment.name.as_str(), segment.external_id.as_ref().map(CompactString::as_str))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::changes::OpId;

    fn segment(id: &str, name: &str, parent: &str) -> Arc<Segment> {
        let parent = SegmentId::new(parent);
        Arc::new(Segment { id: SegmentId::new(id).unwrap(), name: name.into(), external_id: None, parent })
    }

    fn created(id: &str, name: &str, parent: &str) -> DoneOp {
        DoneOp::Created(segment(id, name, parent))
    }

    fn deleted(id: &str, name: &str, parent: &str) -> DoneOp {
        DoneOp::Deleted { segment: segment(id, name, parent), leaving: Vec::new() }
    }

    fn renamed(id: &str, from: &str, to: &str) -> DoneOp {
        DoneOp::Updated { before: segment(id, from, ""), after: segment(id, to, ""), fields: vec![Field::Name] }
    }

    fn history(effect: Vec<(u64, Option<u64>, DoneOp)>) -> Vec<HistoryEntry> {
        let entry = |(index, (plan_id, undoes, effect)): (usize, (u64, Option<u64>, DoneOp))| HistoryEntry {
            at: Timestamp::UNIX_EPOCH,
            op: OpId { plan_id: PlanId(plan_id), index },
            title: String::new(),
            undoes: undoes.map(PlanId),
            effect,
        };
        effect.into_iter().enumerate().map(entry).collect()
    }

    #[test]
    fn a_partly_undone_run_has_changes_left() {
        let entries = history(vec![
            (1, None, created("a", "A", "")),
            (1, None, created("b", "B", "a")),
            (1, None, renamed("c", "C", "D")),
            (2, Some(1), deleted("b", "B", "a")),
        ]);
        let found = undone(&entries);
        let left = |at: usize| Undone::Not(entries[at].effect.clone());
        assert_eq!(found, [left(0), Undone::By(PlanId(2)), left(2), left(3)]);
    }

    #[test]
    fn changes_left_refer_to_the_recreated_segments() {
        let entries = history(vec![
            (1, None, created("a", "A", "")),
            (2, None, deleted("b", "B", "a")),
            (2, None, deleted("a", "A", "")),
            (3, Some(2), created("a2", "A", "")),
        ]);
        let found = undone(&entries);
        assert_eq!(found[0], Undone::Not(created("a2", "A", "")));
        assert_eq!(found[1], Undone::Not(deleted("b", "B", "a2")));
        assert_eq!(found[2], Undone::By(PlanId(3)));
    }

    #[test]
    fn an_undo_that_was_undone_has_no_effect() {
        let entries = history(vec![
            (1, None, created("a", "A", "")),
            (2, Some(1), deleted("a", "A", "")),
            (3, Some(2), created("a2", "A", "")),
        ]);
        let again = Undone::Not(created("a2", "A", ""));
        assert_eq!(undone(&entries), [again.clone(), Undone::By(PlanId(3)), again]);
        let once_more = [(1, None, created("a", "A", "")), (2, Some(1), deleted("a", "A", ""))];
        let entries = history(
            once_more
                .into_iter()
                .chain([(3, Some(2), created("a2", "A", "")), (4, Some(1), deleted("a2", "A", ""))])
                .collect(),
        );
        assert_eq!(undone(&entries)[0], Undone::By(PlanId(4)));
    }

    #[test]
    fn twins_are_undone_one_by_one() {
        let twin = |id| deleted(id, "Twin", "");
        let entries = history(vec![(1, None, twin("a")), (1, None, twin("b")), (2, Some(1), created("c", "Twin", ""))]);
        assert_eq!(undone(&entries)[..2], [Undone::Not(twin("a")), Undone::By(PlanId(2))]);
    }
}
