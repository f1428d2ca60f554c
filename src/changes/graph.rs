//! The dependency graph of operations: several run at once, but each only after those that it depends on.
//!
//! An operation depends on earlier ones on the same segment, on those that create or move its new parent, and, if it is a delete,
//! on those that take children away. Creates with the same fields run one after the other, since if both responses were lost,
//! nobody could tell which segment belongs to which. Moves to different parents also run one after the other: two moves that are
//! harmless alone could close a cycle in the wrong order. A failed or held move does not block others. In a plan submitted with
//! an order of its moves, each waits only for the move that it was told to follow. An operation that failed or is on hold stays,
//! and its dependents wait.
//!
//! An operation waits only for those that entered before it or are in flight already, so there are no deadlocks. Each step costs
//! no more than the number of operations that wait for the one concerned.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;

use hashbrown::{HashMap, HashSet};

use crate::segment::SegmentId;

use super::model::{OpId, Operation};

/// The operations that are queued, in flight, failed or on hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    nodes: HashMap<OpId, Node>,
    /// Operations that can begin, unless moves to other parents are in flight.
    ready: BTreeSet<OpId>,
    in_flight: BTreeSet<OpId>,
    /// The operations on each segment.
    by_segment: HashMap<SegmentId, Vec<OpId>>,
    /// The operations that move or create a child of a segment, or take one away.
    by_parent: HashMap<SegmentId, HashSet<OpId>>,
    /// The creates by a hash of their fields; those with the same hash in the order in which they entered. On a hash collision,
    /// one of them waits for the other without need, which does no harm.
    creates_by_digest: BTreeMap<(u64, Sequence), OpId>,
    moves: Moves,
    last_sequence: Sequence,
}

/// The order in which operations entered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Sequence(u64);

#[derive(Debug, Clone)]
struct Node {
    sequence: Sequence,
    /// The run of moves that was current when it entered; for a move, the run that it belongs to.
    run: u64,
    kind: Kind,
    stage: Stage,
    /// The operations that it waited for when it entered, and how many of them remain.
    dependencies: Vec<OpId>,
    unmet_dependencies: usize,
    /// The operations that wait for it.
    dependents: HashSet<OpId>,
    /// Its keys in the indices: the segment, and the old and new parent.
    segment: SegmentId,
    parents: [Option<SegmentId>; 2],
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// With a hash of the fields other than the parent.
    Create(u64),
    /// Changes fields other than the parent, which does not affect operations on children.
    Change,
    /// Changes the parent, as part of a run of moves to the same one.
    Move {
        to: Option<SegmentId>,
    },
    /// Changes the parent in a given order relative to other moves, so that it can't close a cycle.
    OrderedMove,
    Delete,
}

/// The part of an operation's state that matters to the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Queued,
    InFlight,
    /// It failed or is on hold.
    Suspended,
}

/// Moves, in runs that each have one destination. A run can begin when no earlier run has moves queued or in flight.
#[derive(Debug, Clone, Default)]
struct Moves {
    last_run: u64,
    /// The destination of the last run.
    destination: Option<SegmentId>,
    /// Number of moves of each run that are queued or in flight; runs without any are absent.
    active: BTreeMap<u64, usize>,
    /// The moves of each run that wait only for earlier runs.
    waiting: BTreeMap<u64, BTreeSet<OpId>>,
    in_flight: HashSet<OpId>,
}

impl Kind {
    fn of(operation: &Operation, hasher: &impl BuildHasher) -> Self {
        match operation {
            Operation::Create { draft } => Self::Create(hasher.hash_one((&draft.name, &draft.external_id))),
            Operation::Update { draft, .. } if operation.is_move() => Self::Move { to: draft.parent.clone() },
            Operation::Update { .. } => Self::Change,
            Operation::Delete { .. } => Self::Delete,
        }
    }
}

impl Graph {
    /// Adds an operation. With `is_suspended`, it waits until it is [resumed](Self::resume).
    pub fn add(&mut self, op: OpId, operation: &Operation, is_suspended: bool) {
        self.last_sequence.0 += 1;
        let sequence = self.last_sequence;
        let kind = Kind::of(operation, self.nodes.hasher());
        if let Kind::Move { to } = &kind
            && (self.moves.last_run == 0 || self.moves.destination != *to)
        {
            self.moves.last_run += 1;
            self.moves.destination.clone_from(to);
        }
        let position = (sequence, self.moves.last_run);
        self.insert(op, operation, position, (kind, None), if is_suspended { Stage::Suspended } else { Stage::Queued });
    }

    /// Adds an operation of a plan with ordered moves. For a move, `predecessor` is the one that it must follow: that of the
    /// nearest moved ancestor of its new place. Such moves to different parents can be in flight together.
    pub fn add_ordered(&mut self, op: OpId, operation: &Operation, predecessor: Option<OpId>) {
        if !operation.is_move() {
            return self.add(op, operation, false);
        }
        self.last_sequence.0 += 1;
        let position = (self.last_sequence, self.moves.last_run);
        let predecessor = predecessor.filter(|predecessor| self.nodes.contains_key(predecessor));
        self.insert(op, operation, position, (Kind::OrderedMove, predecessor), Stage::Queued);
    }

    fn insert(
        &mut self,
        op: OpId,
        operation: &Operation,
        (sequence, run): (Sequence, u64),
        (kind, predecessor): (Kind, Option<OpId>),
        stage: Stage,
    ) {
        let mut dependencies = self.dependencies(operation, sequence);
        dependencies.extend(predecessor.filter(|predecessor| !dependencies.contains(predecessor)));
        for earlier in &dependencies {
            if let Some(node) = self.nodes.get_mut(earlier) {
                node.dependents.insert(op);
            }
        }
        let segment = operation.subject().cloned().unwrap_or_else(|| op.provisional_id());
        let old_parent = match operation {
            Operation::Update { base, .. } | Operation::Delete { base, .. } => base.parent.clone(),
            Operation::Create { .. } => None,
        };
        let parents = [old_parent, operation.destination().cloned()];
        self.by_segment.entry(segment.clone()).or_default().push(op);
        for parent in parents.iter().flatten() {
            self.by_parent.entry(parent.clone()).or_default().insert(op);
        }
        if let Kind::Create(fields) = &kind {
            self.creates_by_digest.insert((self.digest(*fields, &parents), sequence), op);
        }
        let unmet_dependencies = dependencies.len();
        self.nodes.insert(
            op,
            Node {
                sequence,
                run,
                kind,
                stage,
                dependencies,
                unmet_dependencies,
                dependents: HashSet::new(),
                segment,
                parents,
            },
        );
        self.count_active(op, 1);
        self.update_ready(op);
    }

    /// Returns the earlier operations that have to be done before this one.
    fn dependencies(&self, operation: &Operation, sequence: Sequence) -> Vec<OpId> {
        let earlier = |other: &&OpId| self.nodes.get(*other).is_some_and(|other| other.sequence < sequence);
        let mut dependencies = Vec::new();
        if let Some(subject) = operation.subject() {
            dependencies.extend(self.by_segment.get(subject).into_iter().flatten().filter(earlier).copied());
            if matches!(operation, Operation::Delete { .. }) {
                dependencies.extend(self.by_parent.get(subject).into_iter().flatten().filter(earlier).copied());
            }
        }
        if let Some(destination) = operation.destination() {
            let is_relevant = |other: &&OpId| self.nodes.get(*other).is_some_and(|other| other.kind != Kind::Change);
            let others = self.by_segment.get(destination).into_iter().flatten().filter(earlier);
            dependencies.extend(others.filter(is_relevant).copied());
        }
        dependencies.sort_unstable();
        dependencies.dedup();
        dependencies
    }

    /// Returns the next operation that can begin, which is in flight from now on.
    pub fn begin(&mut self, max_in_flight: usize) -> Option<OpId> {
        if self.in_flight.len() >= max_in_flight.max(1) {
            return None;
        }
        let op = self.ready.iter().copied().find(|op| self.is_compatible_with_moves_in_flight(*op))?;
        self.ready.remove(&op);
        self.in_flight.insert(op);
        let node = self.nodes.get_mut(&op)?;
        node.stage = Stage::InFlight;
        if matches!(node.kind, Kind::Move { .. }) {
            self.moves.in_flight.insert(op);
        }
        Some(op)
    }

    /// Whether the operation is no move, or goes to the same parent as the moves in flight: a retried move may meet those of a
    /// later run.
    fn is_compatible_with_moves_in_flight(&self, op: OpId) -> bool {
        let destination = |op: &OpId| match self.nodes.get(op).map(|node| &node.kind) {
            Some(Kind::Move { to }) => Some(to),
            _ => None,
        };
        match (destination(&op), self.moves.in_flight.iter().next()) {
            (Some(to), Some(other)) => destination(other) == Some(to),
            _ => true,
        }
    }

    /// Queues an operation in flight again.
    pub fn requeue(&mut self, op: OpId) {
        self.end_flight(op, Stage::Queued);
        self.update_ready(op);
    }

    /// Records that an operation failed or was put on hold. Moves to other parents go on.
    pub fn suspend(&mut self, op: OpId) {
        self.ready.remove(&op);
        self.end_flight(op, Stage::Suspended);
    }

    fn end_flight(&mut self, op: OpId, stage: Stage) {
        self.in_flight.remove(&op);
        self.moves.in_flight.remove(&op);
        self.count_active(op, -1);
        if let Some(node) = self.nodes.get_mut(&op) {
            node.stage = stage;
        }
        self.count_active(op, 1);
        self.release_waiting_moves();
    }

    /// Queues a failed or held operation again, which may have been replaced meanwhile.
    pub fn resume(&mut self, op: OpId, operation: &Operation) {
        let Some((Node { sequence, run, dependents, .. }, next_duplicate)) = self.detach(op) else { return };
        // It keeps its turn and run, even if it was not a move before, so that nothing that waits for it comes before it.
        let kind = Kind::of(operation, self.nodes.hasher());
        self.insert(op, operation, (sequence, run), (kind, None), Stage::Queued);
        if let Some(node) = self.nodes.get_mut(&op) {
            node.dependents = dependents;
        }
        if let Some(next_duplicate) = next_duplicate {
            self.update_ready(next_duplicate);
        }
    }

    /// Removes an operation that is done or discarded. Those that waited for it may begin.
    pub fn remove(&mut self, op: OpId) {
        let Some((node, next_duplicate)) = self.detach(op) else { return };
        for later in node.dependents {
            if let Some(waiting) = self.nodes.get_mut(&later) {
                waiting.unmet_dependencies -= 1;
            }
            self.update_ready(later);
        }
        if let Some(next_duplicate) = next_duplicate {
            self.update_ready(next_duplicate);
        }
    }

    /// Removes an operation without releasing those that wait for it. Also returns the next create with the same fields.
    fn detach(&mut self, op: OpId) -> Option<(Node, Option<OpId>)> {
        self.count_active(op, -1);
        let node = self.nodes.remove(&op)?;
        self.ready.remove(&op);
        self.in_flight.remove(&op);
        self.moves.in_flight.remove(&op);
        if let Some(others) = self.by_segment.get_mut(&node.segment) {
            others.retain(|other| *other != op);
            if others.is_empty() {
                self.by_segment.remove(&node.segment);
            }
        }
        for parent in node.parents.iter().flatten() {
            if let Some(others) = self.by_parent.get_mut(parent) {
                others.remove(&op);
                if others.is_empty() {
                    self.by_parent.remove(parent);
                }
            }
        }
        for earlier in &node.dependencies {
            if let Some(earlier) = self.nodes.get_mut(earlier) {
                earlier.dependents.remove(&op);
            }
        }
        let next_duplicate = if let Kind::Create(fields) = node.kind {
            let digest = self.digest(fields, &node.parents);
            self.creates_by_digest.remove(&(digest, node.sequence));
            self.first_with_digest(digest)
        } else {
            None
        };
        self.release_waiting_moves();
        Some((node, next_duplicate))
    }

    /// Adds `delta` to the number of active moves in an operation's run, if it is a queued move or one in flight.
    fn count_active(&mut self, op: OpId, delta: isize) {
        let Some(Node { run, kind: Kind::Move { .. }, stage: Stage::Queued | Stage::InFlight, .. }) =
            self.nodes.get(&op)
        else {
            return;
        };
        let run = *run;
        let active = self.moves.active.entry(run).or_default();
        *active = active.saturating_add_signed(delta);
        if *active == 0 {
            self.moves.active.remove(&run);
        }
        if delta < 0
            && let Some(waiting) = self.moves.waiting.get_mut(&run)
        {
            waiting.remove(&op);
        }
    }

    /// Releases the waiting moves of the earliest active run.
    fn release_waiting_moves(&mut self) {
        let Some((first, _)) = self.moves.active.first_key_value() else { return };
        if let Some(waiting) = self.moves.waiting.remove(first) {
            self.ready.extend(waiting);
        }
    }

    fn update_ready(&mut self, op: OpId) {
        let Some(node) = self.nodes.get(&op).filter(|node| node.stage == Stage::Queued && node.unmet_dependencies == 0)
        else {
            return;
        };
        let Node { run, kind, parents, .. } = node;
        match kind {
            Kind::Create(fields) if self.first_with_digest(self.digest(*fields, parents)) != Some(op) => return,
            Kind::Move { .. } if self.moves.active.first_key_value().is_some_and(|(first, _)| first < run) => {
                self.moves.waiting.entry(*run).or_default().insert(op);
                return;
            }
            _ => {}
        }
        self.ready.insert(op);
    }

    /// Replaces a provisional id by the real one.
    pub fn rename(&mut self, provisional: &SegmentId, real: &SegmentId) {
        if let Some(ops) = self.by_segment.remove(provisional) {
            // The segment may have been seen before it was identified, and have operations under its real id.
            for other in self.by_segment.get(real).cloned().unwrap_or_default() {
                for op in &ops {
                    self.order_pair(*op, other);
                }
            }
            for op in &ops {
                if let Some(node) = self.nodes.get_mut(op) {
                    node.segment.clone_from(real);
                }
            }
            self.by_segment.entry(real.clone()).or_default().extend(ops);
        }
        if let Some(ops) = self.by_parent.remove(provisional) {
            for op in &ops {
                self.rename_parent(*op, provisional, real);
            }
            self.by_parent.entry(real.clone()).or_default().extend(ops);
        }
        if self.moves.destination.as_ref() == Some(provisional) {
            self.moves.destination = Some(real.clone());
        }
    }

    /// Makes one of two operations wait for the other: the later one, or the one that is not in flight.
    fn order_pair(&mut self, one: OpId, other: OpId) {
        let rank = |op: &OpId| self.nodes.get(op).map(|node| (node.stage != Stage::InFlight, node.sequence));
        let (first, second) = if rank(&one) <= rank(&other) { (one, other) } else { (other, one) };
        if !self.nodes.get_mut(&first).is_some_and(|first| first.dependents.insert(second)) {
            return;
        }
        if let Some(second) = self.nodes.get_mut(&second) {
            second.dependencies.push(first);
            second.unmet_dependencies += 1;
        }
        self.ready.remove(&second);
        for waiting in self.moves.waiting.values_mut() {
            waiting.remove(&second);
        }
    }

    /// Replaces a provisional id among the parents of an operation, and updates the indices that depend on it.
    fn rename_parent(&mut self, op: OpId, provisional: &SegmentId, real: &SegmentId) {
        let Some(node) = self.nodes.get_mut(&op) else { return };
        if let Kind::Move { to: Some(to) } = &mut node.kind
            && to == provisional
        {
            to.clone_from(real);
        }
        let old_parents = node.parents.clone();
        node.parents
            .iter_mut()
            .flatten()
            .filter(|parent| *parent == provisional)
            .for_each(|parent| parent.clone_from(real));
        if let Some(Node { sequence, kind: Kind::Create(fields), parents, .. }) = self.nodes.get(&op) {
            let (sequence, old_digest, new_digest) =
                (*sequence, self.digest(*fields, &old_parents), self.digest(*fields, parents));
            self.creates_by_digest.remove(&(old_digest, sequence));
            self.creates_by_digest.insert((new_digest, sequence), op);
        }
    }

    /// Returns a hash of the fields of a create, including the parent.
    fn digest(&self, fields: u64, parents: &[Option<SegmentId>; 2]) -> u64 {
        self.nodes.hasher().hash_one((fields, parents))
    }

    fn first_with_digest(&self, digest: u64) -> Option<OpId> {
        self.creates_by_digest.range((digest, Sequence(0))..=(digest, Sequence(u64::MAX))).next().map(|(_, op)| *op)
    }

    /// Reserves room for more operations.
    pub fn reserve(&mut self, additional: usize) {
        self.nodes.reserve(additional);
        self.by_segment.reserve(additional);
    }

    /// Whether the graph is empty.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        let indices = self.by_segment.is_empty() && self.by_parent.is_empty() && self.creates_by_digest.is_empty();
        let moves = self.moves.active.is_empty() && self.moves.in_flight.is_empty();
        self.nodes.is_empty() && self.ready.is_empty() && self.in_flight.is_empty() && indices && moves
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::segment::{Draft, Segment};

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

    fn op(index: usize) -> OpId {
        OpId { plan_id: super::super::PlanId(1), index }
    }

    fn graph(operations: &[Operation]) -> Graph {
        let mut graph = Graph::default();
        for (index, operation) in operations.iter().enumerate() {
            graph.add(op(index), operation, false);
        }
        graph
    }

    /// Begins all operations that can, and returns their indices.
    fn begun(graph: &mut Graph) -> Vec<usize> {
        std::iter::from_fn(|| graph.begin(100)).map(|op| op.index).collect()
    }

    #[test]
    fn operations_on_a_segment_run_in_order_others_in_parallel() {
        let mut graph = graph(&[rename("a", "1"), rename("a", "2"), rename("b", "3"), rename("c", "4")]);
        assert_eq!(graph.begin(2), Some(op(0)));
        assert_eq!(graph.begin(2), Some(op(2)));
        assert_eq!(graph.begin(2), None, "two are in flight at once at most");
        graph.remove(op(2));
        assert_eq!(begun(&mut graph), [3]);
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [1]);
    }

    #[test]
    fn ordered_moves_wait_only_for_the_move_above() {
        let mut graph = Graph::default();
        graph.add_ordered(op(0), &moved("a", None, "x"), None);
        graph.add_ordered(op(1), &moved("b", None, "y"), None);
        // `z` is a descendant of `a`.
        graph.add_ordered(op(2), &moved("c", None, "z"), Some(op(0)));
        graph.add_ordered(op(3), &rename("d", "e"), Some(op(0)));
        assert_eq!(begun(&mut graph), [0, 1, 3]);
        graph.suspend(op(1));
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [2]);
    }

    #[test]
    fn a_child_waits_for_its_parent() {
        let mut graph = graph(&[create("new", None), create("child", Some(op(0).provisional_id()))]);
        assert_eq!(begun(&mut graph), [0]);
        graph.rename(&op(0).provisional_id(), &id("made"));
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [1]);
        graph.remove(op(1));
        assert!(graph.is_empty(), "{graph:?}");
    }

    #[test]
    fn a_parent_is_deleted_after_its_children_left() {
        let below = |text| Operation::delete(segment(text, Some("p")));
        let mut graph = graph(&[below("a"), moved("b", Some("p"), "q"), Operation::delete(segment("p", None))]);
        assert_eq!(begun(&mut graph), [0, 1]);
        graph.remove(op(1));
        assert_eq!(begun(&mut graph), [0; 0]);
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [2]);
    }

    #[test]
    fn moves_to_one_parent_run_together_others_after_them() {
        let mut graph =
            graph(&[moved("a", None, "x"), moved("b", None, "x"), moved("x", None, "y"), moved("c", None, "z")]);
        assert_eq!(begun(&mut graph), [0, 1]);
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [0; 0]);
        graph.remove(op(1));
        assert_eq!(begun(&mut graph), [2]);
        graph.remove(op(2));
        assert_eq!(begun(&mut graph), [3]);
    }

    #[test]
    fn a_failed_move_blocks_no_other_and_retries_alone() {
        let operations = [moved("a", None, "x"), moved("b", None, "y"), rename("y", "other")];
        let mut graph = graph(&operations);
        assert_eq!(begun(&mut graph), [0, 2]);
        graph.suspend(op(0));
        assert_eq!(begun(&mut graph), [1]);
        graph.resume(op(0), &operations[0]);
        assert_eq!(begun(&mut graph), [0; 0], "the other is in flight");
        graph.remove(op(1));
        assert_eq!(begun(&mut graph), [0]);
    }

    #[test]
    fn a_replaced_operation_waits_for_its_new_dependencies() {
        let mut graph = graph(&[create("new", None), moved("a", None, "gone"), rename("a", "later")]);
        assert_eq!(begun(&mut graph), [0, 1]);
        graph.suspend(op(1));
        let base = segment("a", None);
        let draft = Draft { parent: Some(op(0).provisional_id()), ..Draft::of(&base) };
        graph.resume(op(1), &Operation::Update { base, draft });
        assert_eq!(begun(&mut graph), [0; 0]);
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [1]);
        graph.remove(op(1));
        assert_eq!(begun(&mut graph), [2]);
    }

    #[test]
    fn an_update_retried_as_a_move_does_not_deadlock() {
        let mut graph = graph(&[rename("a", "b"), moved("c", None, "d"), moved("a", None, "e")]);
        assert_eq!(begun(&mut graph), [0, 1]);
        graph.suspend(op(0));
        graph.resume(op(0), &moved("a", Some("e"), "f"));
        graph.remove(op(1));
        assert_eq!(begun(&mut graph), [0]);
    }

    #[test]
    fn operations_under_provisional_and_real_id_run_in_order() {
        let new = op(0).provisional_id();
        let mut graph = graph(&[create("a", None), rename(&new.text(), "b"), rename("real", "c")]);
        assert_eq!(begun(&mut graph), [0, 2]);
        graph.rename(&new, &id("real"));
        graph.remove(op(0));
        assert!(begun(&mut graph).is_empty());
        graph.remove(op(2));
        assert_eq!(begun(&mut graph), [1]);
    }

    #[test]
    fn creates_with_the_same_fields_run_one_after_the_other() {
        let mut graph = graph(&[create("twin", None), create("twin", None), create("twin", None), create("a", None)]);
        assert_eq!(begun(&mut graph), [0, 3]);
        graph.suspend(op(0));
        assert_eq!(begun(&mut graph), [0; 0], "whose a new segment is would not be known");
        graph.remove(op(1));
        assert_eq!(begun(&mut graph), [0; 0], "one was discarded");
        graph.resume(op(0), &create("twin", None));
        assert_eq!(begun(&mut graph), [0]);
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [2]);
    }

    #[test]
    fn dependents_of_a_failed_operation_wait_for_its_resolution() {
        let mut graph = graph(&[rename("a", "1"), rename("a", "2")]);
        assert_eq!(begun(&mut graph), [0]);
        graph.suspend(op(0));
        assert_eq!(begun(&mut graph), [0; 0]);
        graph.resume(op(0), &rename("a", "better"));
        assert_eq!(begun(&mut graph), [0]);
        graph.suspend(op(0));
        graph.remove(op(0));
        assert_eq!(begun(&mut graph), [1]);
        graph.remove(op(1));
        assert!(graph.is_empty(), "{graph:?}");
    }
}
