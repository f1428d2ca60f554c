//! Which operations may run: several at once, but each only when those that it builds upon are done.
//!
//! An operation builds upon earlier ones that concern the same segment, that create or change the segment it puts its own under,
//! and, when it deletes, that take something from below. Moves to different places go one after the other: two of them, each
//! harmless, could close a circle in the wrong order. An operation that failed stays, and whatever builds upon it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use hashbrown::{HashMap, HashSet};

use crate::changes::{Operation, Plan};
use crate::segment::{Draft, Segment, SegmentId};

use crate::changes::{OpId, PlanId, WriteResult, Written};

/// The operations that are not done, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct WriteQueue {
    entries: BTreeMap<OpId, Entry>,
    ready: BTreeSet<OpId>,
    running: BTreeSet<OpId>,
    /// The operations on each segment.
    on: HashMap<SegmentId, Vec<OpId>>,
    /// The operations that put something below a segment or take it from there.
    below: HashMap<SegmentId, Vec<OpId>>,
    /// The last moves, all to one place, and those before them that are not done.
    moves: Moves,
    /// What ids the server gave to segments that others knew by a provisional one.
    given: HashMap<SegmentId, SegmentId>,
    /// The operations that create segments with the same fields.
    alike: HashMap<Draft, Vec<OpId>>,
    held: HashSet<PlanId>,
    /// How many of the operations create something.
    creates: usize,
}

#[derive(Debug)]
struct Entry {
    operation: Operation,
    standing: Standing,
    /// What it waits for, and what waits for it.
    after: HashSet<OpId>,
    before: Vec<OpId>,
    /// What it was to create when it was asked for.
    asked: Option<Draft>,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Waiting,
    Running,
    /// It failed, or was left by an earlier run: a person has to say what is to become of it.
    Stopped,
}

#[derive(Debug, Default)]
struct Moves {
    destination: Option<SegmentId>,
    present: Vec<OpId>,
    former: Vec<OpId>,
}

impl WriteQueue {
    /// Takes in a plan.
    pub fn push(&mut self, plan_id: PlanId, plan: Plan) {
        for (index, operation) in plan.operations.into_iter().enumerate() {
            self.enter(OpId { plan_id, index }, operation, Standing::Waiting);
        }
    }

    /// Takes in an operation that is not to be carried out before somebody says so.
    pub fn push_stopped(&mut self, op: OpId, operation: Operation) {
        self.enter(op, operation, Standing::Stopped);
    }

    fn enter(&mut self, op: OpId, operation: Operation, standing: Standing) {
        let operation = operation.with_ids(&|id| self.given.get(id).cloned());
        let mut after = self.builds_upon(&operation);
        after.extend(self.goes_after(&operation));
        after.retain(|earlier| self.entries.contains_key(earlier));
        for earlier in &after {
            if let Some(entry) = self.entries.get_mut(earlier) {
                entry.before.push(op);
            }
        }
        self.note(op, &operation);
        let asked = match &operation {
            Operation::Create { draft } => Some(draft.clone()),
            Operation::Update { .. } | Operation::Delete { .. } => None,
        };
        self.creates += usize::from(asked.is_some());
        self.entries.insert(op, Entry { operation, standing, after, before: Vec::new(), asked });
        self.consider(op);
    }

    /// The operations that have to be done before this one.
    fn builds_upon(&self, operation: &Operation) -> HashSet<OpId> {
        let of = |map: &HashMap<SegmentId, Vec<OpId>>, id: &SegmentId| map.get(id).cloned().unwrap_or_default();
        let mut after = HashSet::new();
        if let Some(subject) = operation.subject() {
            after.extend(of(&self.on, subject));
            if matches!(operation, Operation::Delete { .. }) {
                after.extend(of(&self.below, subject));
            }
        }
        if let Some(destination) = operation.destination() {
            // What the place is called makes no difference.
            let matters = |other: &OpId| {
                let other = self.entries.get(other).map(|entry| &entry.operation);
                other.is_some_and(|other| !matches!(other, Operation::Update { .. }) || other.is_move())
            };
            after.extend(of(&self.on, destination).into_iter().filter(matters));
        }
        if let Operation::Create { draft } = operation {
            // Of two alike whose answers are lost, nobody could tell which segment is whose.
            after.extend(self.alike.get(draft).cloned().unwrap_or_default());
        }
        after
    }

    /// The moves that have to be over before this one, however they end.
    fn goes_after(&self, operation: &Operation) -> Vec<OpId> {
        if !operation.is_move() {
            return Vec::new();
        }
        let same = self.moves.destination.as_ref() == operation.destination();
        let moves = if same { &self.moves.former } else { &self.moves.present };
        let stands_still =
            |other: &&OpId| self.entries.get(other).is_none_or(|other| other.standing == Standing::Stopped);
        moves.iter().filter(|other| !stands_still(other)).copied().collect()
    }

    /// Notes what later operations will have to ask about.
    fn note(&mut self, op: OpId, operation: &Operation) {
        let subject = operation.subject().cloned().unwrap_or_else(|| op.provisional_id());
        self.on.entry(subject).or_default().push(op);
        if let Operation::Create { draft } = operation {
            self.alike.entry(draft.clone()).or_default().push(op);
        }
        let left = match operation {
            Operation::Update { base, .. } | Operation::Delete { base, .. } => base.parent.clone(),
            Operation::Create { .. } => None,
        };
        for parent in left.into_iter().chain(operation.destination().cloned()) {
            self.below.entry(parent).or_default().push(op);
        }
        if operation.is_move() {
            if self.moves.destination.as_ref() != operation.destination() {
                let present = std::mem::take(&mut self.moves.present);
                self.moves =
                    Moves { destination: operation.destination().cloned(), present: Vec::new(), former: present };
            }
            self.moves.present.push(op);
        }
    }

    /// The next operation that may begin. It runs from now on.
    pub fn begin(&mut self, at_once: usize) -> Option<(OpId, Operation)> {
        if self.running.len() >= at_once.max(1) {
            return None;
        }
        let op = self.ready.iter().copied().find(|op| !self.held.contains(&op.plan_id))?;
        self.ready.remove(&op);
        let Self { entries, given, running, .. } = self;
        let entry = entries.get_mut(&op)?;
        entry.standing = Standing::Running;
        entry.operation = entry.operation.clone().with_ids(&|id| given.get(id).cloned());
        running.insert(op);
        Some((op, entry.operation.clone()))
    }

    /// An operation is done.
    /// Answers those that are other ones now.
    pub fn ended(&mut self, op: OpId, outcome: &WriteResult) -> Vec<(OpId, Operation)> {
        let Some(operation) = self.get(op).cloned() else { return Vec::new() };
        let subjects = self.on.get(operation.subject().unwrap_or(&op.provisional_id())).cloned().unwrap_or_default();
        let before = self.entries.get(&op).map(|entry| entry.before.clone()).unwrap_or_default();
        match (&operation, outcome) {
            (Operation::Create { draft }, WriteResult::Created(Written { segment, merged, .. })) => {
                self.given.insert(op.provisional_id(), segment.id.clone());
                self.rename(op, &segment.id);
                let expected = draft.clone().into_segment(segment.id.clone());
                // What somebody else has made of it, the person has not seen.
                let came = (**segment).clone().with_fields_of(&expected, merged);
                self.rebase(op, &expected, &came);
            }
            (Operation::Update { base, draft }, WriteResult::Updated(Written { segment, raced: false, .. })) => {
                // What somebody else has changed and was kept, the person has not seen: that is not taken for what they saw.
                let expected = draft.clone().into_segment(segment.id.clone());
                let came = expected.clone().with_fields_of(segment, &draft.changes(base));
                self.rebase(op, &expected, &came);
            }
            _ => {}
        }
        self.leave(op);
        let concerned: BTreeSet<OpId> = subjects.into_iter().chain(before).collect();
        concerned.into_iter().filter_map(|later| Some((later, self.get(later)?.clone()))).collect()
    }

    /// An operation with the ids that the server has given meanwhile.
    pub fn resolved(&self, operation: Operation) -> Operation {
        operation.with_ids(&|id| self.given.get(id).cloned())
    }

    /// The segment that an operation of an earlier run has created.
    pub fn know(&mut self, op: OpId, given: &SegmentId) {
        self.given.insert(op.provisional_id(), given.clone());
    }

    /// Whoever refers to a new segment refers to the id that the server gave it.
    fn rename(&mut self, op: OpId, given: &SegmentId) {
        let provisional = op.provisional_id();
        for map in [&mut self.on, &mut self.below] {
            if let Some(mut of_new) = map.remove(&provisional) {
                map.entry(given.clone()).or_default().append(&mut of_new);
            }
        }
        if self.moves.destination.as_ref() == Some(&provisional) {
            self.moves.destination = Some(given.clone());
        }
        let before = self.entries.get(&op).map(|entry| entry.before.clone()).unwrap_or_default();
        let only_new = |id: &SegmentId| (*id == provisional).then(|| given.clone());
        for later in before {
            if let Some(entry) = self.entries.get_mut(&later) {
                entry.operation = entry.operation.clone().with_ids(&only_new);
            }
        }
    }

    /// Those that were begun on the same segment go on from what it is now.
    fn rebase(&mut self, op: OpId, expected: &Segment, came: &Segment) {
        for later in self.on.get(&came.id).cloned().unwrap_or_default().into_iter().filter(|later| *later > op) {
            if let Some(entry) = self.entries.get_mut(&later) {
                entry.operation = entry.operation.clone().rebased(expected, came);
            }
        }
    }

    /// An operation did not succeed. Moves that only went after it go on.
    pub fn failed(&mut self, op: OpId) {
        let Some(entry) = self.entries.get_mut(&op) else { return };
        self.running.remove(&op);
        entry.standing = Standing::Stopped;
        for later in entry.before.clone() {
            let needs = self.get(later).is_none_or(|operation| self.builds_upon(operation).contains(&op));
            if !needs && let Some(later) = self.entries.get_mut(&later) {
                later.after.remove(&op);
            }
            self.consider(later);
        }
    }

    /// An operation was begun and could not reach the server: it is tried again when that answers.
    pub fn waits(&mut self, op: OpId) {
        let Some(entry) = self.entries.get_mut(&op) else { return };
        self.running.remove(&op);
        entry.standing = Standing::Waiting;
        self.consider(op);
    }

    /// Whether an operation stands still until a person has decided.
    pub fn is_stopped(&self, op: OpId) -> bool {
        self.entries.get(&op).is_some_and(|entry| entry.standing == Standing::Stopped)
    }

    /// Tries an operation again that had stopped, another one in its place if there is any. Answers whether it had.
    pub fn retry(&mut self, op: OpId, instead: Option<Operation>) -> bool {
        let Some(entry) = self.entries.get_mut(&op).filter(|entry| entry.standing == Standing::Stopped) else {
            return false;
        };
        entry.standing = Standing::Waiting;
        if let Some(operation) = instead {
            self.put_instead(op, operation);
        }
        self.consider(op);
        true
    }

    /// Puts another operation in the place of one that has stopped, and leaves it stopped.
    pub fn amend(&mut self, op: OpId, operation: Operation) {
        if self.is_stopped(op) {
            self.put_instead(op, operation);
        }
    }

    /// Puts another operation in the place of one. It may build upon others than that did.
    fn put_instead(&mut self, op: OpId, operation: Operation) {
        let operation = operation.with_ids(&|id| self.given.get(id).cloned());
        self.unnote(op);
        let mut after = self.builds_upon(&operation);
        after.extend(self.goes_after(&operation));
        after.retain(|earlier| *earlier < op && self.entries.contains_key(earlier));
        self.note(op, &operation);
        for earlier in &after {
            if let Some(entry) = self.entries.get_mut(earlier)
                && !entry.before.contains(&op)
            {
                entry.before.push(op);
            }
        }
        if let Some(entry) = self.entries.get_mut(&op) {
            entry.operation = operation;
            entry.after = after;
        }
    }

    /// Begins nothing more of a plan.
    pub fn hold(&mut self, plan_id: PlanId) {
        self.held.insert(plan_id);
    }

    /// Goes on with a plan, and tries again what failed of it.
    pub fn release(&mut self, plan_id: PlanId, except: &[OpId]) {
        self.held.remove(&plan_id);
        for op in self.of(plan_id).into_iter().filter(|op| !except.contains(op)) {
            self.retry(op, None);
        }
    }

    /// The operations of a plan that are not done.
    pub fn of(&self, plan_id: PlanId) -> Vec<OpId> {
        let (first, last) = (OpId { plan_id, index: 0 }, OpId { plan_id, index: usize::MAX });
        self.entries.range(first..=last).map(|(op, _)| *op).collect()
    }

    /// Gives up an operation that does not run, and with it those that can't be done without the segment it was to create.
    /// Answers which, those that need others before them.
    pub fn give_up(&mut self, op: OpId) -> Vec<OpId> {
        let idle = |entry: &&Entry| entry.standing != Standing::Running;
        let mut found: Vec<OpId> = self.entries.get(&op).filter(idle).map(|_| op).into_iter().collect();
        let (mut known, mut looked_through): (HashSet<OpId>, _) = ([op].into_iter().collect(), 0);
        while let Some(op) = found.get(looked_through).copied() {
            looked_through += 1;
            let Some(entry) = self.entries.get(&op).filter(|entry| entry.asked.is_some()) else { continue };
            let new = op.provisional_id();
            for later in &entry.before {
                let needs = self.entries.get(later).filter(idle).is_some_and(|later| {
                    later.operation.subject() == Some(&new) || later.operation.destination() == Some(&new)
                });
                if needs && known.insert(*later) {
                    found.push(*later);
                }
            }
        }
        found.reverse();
        for op in &found {
            if let Some(Operation::Update { base, draft }) = self.get(*op).cloned() {
                let expected = draft.into_segment(base.id.clone());
                self.rebase(*op, &expected, &base);
            }
            self.leave(*op);
        }
        found
    }

    /// Takes an operation out, so that those that waited for it may begin.
    fn leave(&mut self, op: OpId) {
        self.unnote(op);
        let Some(entry) = self.entries.remove(&op) else { return };
        self.creates -= usize::from(entry.asked.is_some());
        self.running.remove(&op);
        self.ready.remove(&op);
        for later in entry.before {
            if let Some(entry) = self.entries.get_mut(&later) {
                entry.after.remove(&op);
            }
            self.consider(later);
        }
        if self.of(op.plan_id).is_empty() {
            self.held.remove(&op.plan_id);
        }
    }

    /// Forgets what later operations would have had to ask about.
    fn unnote(&mut self, op: OpId) {
        let Some(entry) = self.entries.get(&op) else { return };
        let subject = entry.operation.subject().cloned();
        let ids = subject.into_iter().chain([op.provisional_id()]);
        let ids = ids.chain(self.given.get(&op.provisional_id()).cloned());
        for id in ids.collect::<Vec<_>>() {
            forget(&mut self.on, &id, op);
        }
        let left = match &entry.operation {
            Operation::Update { base, .. } | Operation::Delete { base, .. } => base.parent.as_ref(),
            Operation::Create { .. } => None,
        };
        for parent in left.into_iter().chain(entry.operation.destination()) {
            forget(&mut self.below, parent, op);
        }
        if let Some(asked) = &entry.asked {
            forget(&mut self.alike, asked, op);
        }
        self.moves.present.retain(|other| *other != op);
        self.moves.former.retain(|other| *other != op);
    }

    fn consider(&mut self, op: OpId) {
        let Some(entry) = self.entries.get(&op) else { return };
        if entry.standing == Standing::Waiting && entry.after.is_empty() {
            self.ready.insert(op);
        }
    }

    /// An operation as it is to be carried out now.
    pub fn get(&self, op: OpId) -> Option<&Operation> {
        Some(&self.entries.get(&op)?.operation)
    }

    /// The operation on its way that may have made a segment.
    pub fn maker_of(&self, new: &Segment) -> Option<OpId> {
        let makes = |operation: Option<&Operation>| matches!(operation, Some(Operation::Create { draft }) if draft.changes(new).is_empty());
        self.running.iter().copied().find(|op| makes(self.get(*op)))
    }

    /// Whether a segment is being written at the moment.
    pub fn runs_on(&self, id: &SegmentId) -> bool {
        let running = |op| self.entries.get(op).is_some_and(|entry| entry.standing == Standing::Running);
        self.on.get(id).is_some_and(|operations| operations.iter().any(running))
    }

    /// Whether nothing is left to be done.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a new segment is being looked for or made.
    pub fn creates(&self) -> bool {
        self.creates > 0
    }
}

fn forget<K: Eq + Hash>(map: &mut HashMap<K, Vec<OpId>>, key: &K, op: OpId) {
    if let Some(of) = map.get_mut(key) {
        of.retain(|other| *other != op);
        if of.is_empty() {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn id(text: &str) -> SegmentId {
        SegmentId::new(text).unwrap()
    }

    fn segment(text: &str, parent: Option<&str>) -> Arc<Segment> {
        Arc::new(Segment { id: id(text), name: text.into(), external_id: None, parent: parent.map(id) })
    }

    fn rename(text: &str, name: &str) -> Operation {
        let base = segment(text, None);
        let draft = Draft::of(&Segment { name: name.into(), ..(*base).clone() });
        Operation::Update { base, draft }
    }

    fn moved(text: &str, from: Option<&str>, to: &str) -> Operation {
        let base = segment(text, from);
        Operation::Update { draft: Draft { parent: Some(id(to)), ..Draft::of(&base) }, base }
    }

    fn create(name: &str, parent: Option<SegmentId>) -> Operation {
        Operation::Create { draft: Draft { parent, ..Draft::of(&segment(name, None)) } }
    }

    fn op(plan_id: u64, index: usize) -> OpId {
        OpId { plan_id: PlanId(plan_id), index }
    }

    fn queue(operations: Vec<Operation>) -> WriteQueue {
        let mut queue = WriteQueue::default();
        queue.push(PlanId(1), Plan { operations });
        queue
    }

    /// The places of all that may begin now; they run from now on.
    fn begun(queue: &mut WriteQueue) -> Vec<usize> {
        std::iter::from_fn(|| queue.begin(100)).map(|(op, _)| op.index).collect()
    }

    fn applied(segment: Arc<Segment>) -> Written {
        Written { segment, merged: Vec::new(), ignored: Vec::new(), written: Vec::new(), raced: false, existed: false }
    }

    fn done(queue: &mut WriteQueue, index: usize) {
        let outcome = match queue.get(op(1, index)).unwrap() {
            Operation::Create { draft } => {
                let id = id(&format!("made-{index}"));
                WriteResult::Created(applied(Arc::new(draft.clone().into_segment(id))))
            }
            Operation::Update { base, draft } => {
                WriteResult::Updated(applied(Arc::new(draft.clone().into_segment(base.id.clone()))))
            }
            Operation::Delete { base, .. } => WriteResult::Deleted { id: base.id.clone(), found: true, raced: false },
        };
        queue.ended(op(1, index), &outcome);
    }

    #[test]
    fn operations_on_one_segment_go_in_order_and_others_beside_them() {
        let mut queue = queue(vec![rename("a", "1"), rename("a", "2"), rename("b", "3"), rename("c", "4")]);
        assert_eq!(queue.begin(2).unwrap().0, op(1, 0));
        assert_eq!(queue.begin(2).unwrap().0, op(1, 2));
        assert_eq!(queue.begin(2), None, "two run at once at most");
        done(&mut queue, 2);
        assert_eq!(begun(&mut queue), [3]);
        done(&mut queue, 0);
        assert_eq!(begun(&mut queue), [1]);
    }

    #[test]
    fn a_child_waits_for_the_real_id_of_its_parent() {
        let parent = op(1, 0).provisional_id();
        let mut queue = queue(vec![create("new", None), create("child", Some(parent.clone()))]);
        queue.push(PlanId(2), Plan::single(create("later", Some(parent.clone()))));
        assert_eq!(begun(&mut queue), [0]);
        done(&mut queue, 0);
        let next: Vec<_> = std::iter::from_fn(|| queue.begin(100)).collect();
        assert!(next.iter().all(|(_, operation)| operation.destination() == Some(&id("made-0"))), "{next:?}");
        assert_eq!(next.len(), 2);
        // Whoever has not heard of the real id yet may still use the other one.
        queue.push(PlanId(3), Plan::single(create("latest", Some(parent))));
        assert_eq!(queue.begin(100).unwrap().1.destination(), Some(&id("made-0")));
    }

    #[test]
    fn a_parent_goes_after_what_was_below_it() {
        let below = |text| Operation::delete(segment(text, Some("p")));
        let mut queue = queue(vec![below("a"), moved("b", Some("p"), "q"), Operation::delete(segment("p", None))]);
        assert_eq!(begun(&mut queue), [0, 1]);
        done(&mut queue, 1);
        assert_eq!(begun(&mut queue), [0; 0]);
        done(&mut queue, 0);
        assert_eq!(begun(&mut queue), [2]);
    }

    #[test]
    fn moves_to_one_place_go_together_and_those_to_another_after_them() {
        let mut queue =
            queue(vec![moved("a", None, "x"), moved("b", None, "x"), moved("x", None, "y"), moved("c", None, "z")]);
        assert_eq!(begun(&mut queue), [0, 1]);
        done(&mut queue, 0);
        done(&mut queue, 1);
        assert_eq!(begun(&mut queue), [2]);
        done(&mut queue, 2);
        assert_eq!(begun(&mut queue), [3]);
    }

    #[test]
    fn a_move_that_failed_holds_up_no_other_move() {
        let mut queue = queue(vec![moved("a", None, "x"), moved("b", None, "y"), rename("y", "other")]);
        assert_eq!(begun(&mut queue), [0, 2]);
        queue.failed(op(1, 0));
        assert_eq!(begun(&mut queue), [1]);
    }

    #[test]
    fn an_operation_that_is_amended_waits_for_what_it_builds_upon_now() {
        let mut queue = queue(vec![create("new", None), moved("a", None, "gone")]);
        assert_eq!(begun(&mut queue), [0, 1]);
        queue.failed(op(1, 1));
        let base = segment("a", None);
        let draft = Draft { parent: Some(op(1, 0).provisional_id()), ..Draft::of(&base) };
        assert!(queue.retry(op(1, 1), Some(Operation::Update { base, draft })));
        assert_eq!(begun(&mut queue), [0; 0]);
        done(&mut queue, 0);
        assert_eq!(queue.begin(1).unwrap().1.destination(), Some(&id("made-0")));
    }

    #[test]
    fn two_alike_are_not_created_at_the_same_time() {
        let mut queue = queue(vec![create("twin", None), create("twin", None), create("other", None)]);
        assert_eq!(begun(&mut queue), [0, 2]);
        done(&mut queue, 0);
        assert_eq!(begun(&mut queue), [1]);
    }

    #[test]
    fn what_builds_upon_a_failed_one_waits_until_that_is_settled() {
        let mut queue = queue(vec![rename("a", "1"), rename("a", "2")]);
        assert_eq!(begun(&mut queue), [0]);
        queue.failed(op(1, 0));
        assert_eq!(begun(&mut queue), [0; 0]);
        assert!(queue.retry(op(1, 0), Some(rename("a", "better"))));
        assert!(!queue.retry(op(1, 0), None), "it does not stand still any more");
        assert_eq!(begun(&mut queue), [0]);
        queue.failed(op(1, 0));
        assert_eq!(queue.give_up(op(1, 0)), [op(1, 0)]);
        assert_eq!(begun(&mut queue), [1]);
        done(&mut queue, 1);
        assert!(queue.is_empty() && queue.on.is_empty() && queue.below.is_empty() && queue.alike.is_empty());
    }

    #[test]
    fn what_was_to_stand_below_goes_with_a_create_that_is_given_up() {
        let parent = op(1, 0).provisional_id();
        let child = op(1, 1).provisional_id();
        let mut queue =
            queue(vec![create("new", None), create("child", Some(parent)), create("grandchild", Some(child))]);
        assert_eq!(begun(&mut queue), [0]);
        assert_eq!(queue.give_up(op(1, 0)), [], "it runs");
        queue.failed(op(1, 0));
        assert_eq!(queue.give_up(op(1, 0)), [op(1, 2), op(1, 1), op(1, 0)]);
        assert!(queue.is_empty());
    }

    #[test]
    fn nothing_more_begins_of_a_plan_that_is_held_until_it_is_released() {
        let mut queue = queue(vec![rename("a", "1"), rename("b", "2")]);
        assert_eq!(queue.begin(1).unwrap().0, op(1, 0));
        queue.hold(PlanId(1));
        queue.failed(op(1, 0));
        assert_eq!(begun(&mut queue), [0; 0]);
        queue.release(PlanId(1), &[]);
        assert_eq!(begun(&mut queue), [0, 1]);
    }
}
