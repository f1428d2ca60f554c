//! A randomized user: whatever they do and whatever goes wrong, the tree ends up as on the server, the journal holds exactly the
//! unfinished operations, and nothing waits forever. A seed replays exactly.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{Delivery, Model};
use crate::changes::{
    ChangeQueue, Execution, ExecutionResult, JournalEntry, OpId, OpState, Operation, Plan, PlanId, Recovered,
    RecoveredState, Title, Transitions, UndoStep, is_provisional,
};
use crate::forest::Forest;
use crate::segment::{Draft, Name, Segment, SegmentId};

const SEEDS: u64 = 400;
const ACTIONS: usize = 60;
const AT_ONCE: usize = 3;

/// The default seeds, as many as `SEGTUI_SEEDS`, or only `SEGTUI_SEED`.
fn seeds() -> std::ops::Range<u64> {
    let set = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match set("SEGTUI_SEED") {
        Some(only) => only..only + 1,
        None => 0..set("SEGTUI_SEEDS").unwrap_or(SEEDS),
    }
}

/// What happens besides the user's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Quiet,
    /// A colleague makes changes, responses are lost, operations are refused, and the program can restart at any time.
    Trouble,
}

struct Person {
    random: fastrand::Rng,
    around: Around,
    model: Model,
    queue: ChangeQueue,
    forest: Forest,
    in_flight: Vec<Execution>,
    /// The journal: whether the operation is only staged, and the operation.
    journal: BTreeMap<OpId, (bool, Operation)>,
    evidence: BTreeMap<OpId, crate::changes::Evidence>,
    was_refused: bool,
    names: usize,
    sessions: u64,
    seed: u64,
}

impl Person {
    fn new(seed: u64, around: Around) -> Self {
        let mut person = Self {
            random: fastrand::Rng::with_seed(seed),
            around,
            model: Model::default(),
            queue: ChangeQueue::new(0, AT_ONCE),
            forest: Forest::new(),
            in_flight: Vec::new(),
            journal: BTreeMap::new(),
            evidence: BTreeMap::new(),
            was_refused: false,
            names: 0,
            sessions: 0,
            seed,
        };
        for _ in 0..person.random.usize(3..10) {
            let parent = person.any(true).map(|segment| segment.id.clone());
            let name = person.name("s");
            let new = person.model.put(&Draft { name, external_id: None, parent });
            person.see(&new.id);
        }
        person
    }

    fn name(&mut self, kind: &str) -> Name {
        self.names += 1;
        Name::parse(&format!("{kind}{}", self.names)).unwrap()
    }

    /// Returns a random segment that is shown, or none; with `real`, only one that exists on the server.
    fn any(&mut self, real: bool) -> Option<Arc<Segment>> {
        let all: Vec<_> = self.forest.iter().filter(|segment| !real || !is_provisional(&segment.id)).cloned().collect();
        let at = self.random.usize(0..=all.len());
        all.get(at).cloned()
    }

    fn see(&mut self, id: &SegmentId) {
        let now = self.model.segments.get(id).cloned();
        let is_new = now.is_some() && !self.forest.contains(id);
        let change = self.queue.observe(id, now.clone());
        self.forest.apply(vec![change]);
        if let Some(new) = now.filter(|_| is_new) {
            let transitions = self.queue.observe_created(&new);
            self.apply(transitions);
        }
    }

    fn apply(&mut self, transitions: Transitions) {
        for entry in transitions.journal {
            match entry {
                JournalEntry::Queued(op, operation) => drop(self.journal.insert(op, (false, operation))),
                JournalEntry::Staged(op, operation) => drop(self.journal.insert(op, (true, operation))),
                JournalEntry::Finished(op) => {
                    self.journal.remove(&op);
                    self.evidence.remove(&op);
                }
                JournalEntry::Applied(..)
                | JournalEntry::NotSent(_)
                | JournalEntry::Sent { .. }
                | JournalEntry::Undoes { .. } => {}
            }
        }
        self.forest.apply(transitions.shown);
        self.send();
        self.check();
    }

    fn send(&mut self) {
        while let Some(execution) = self.queue.begin() {
            let Execution { op, operation, .. } = &execution;
            let ids = operation.subject().into_iter().chain(operation.destination());
            assert!(ids.clone().all(|id| !is_provisional(id)), "seed {}: {operation:?} is sent too early", self.seed);
            let subject = operation.subject();
            let same = |other: &Execution| subject.is_some() && other.operation.subject() == subject;
            assert!(!self.in_flight.iter().any(same), "seed {}: two at once on {subject:?}", self.seed);
            assert!(self.in_flight.iter().all(|other| other.op != *op), "seed {}: {op:?} begins twice", self.seed);
            self.in_flight.push(execution);
        }
        assert!(self.in_flight.len() <= AT_ONCE);
    }

    /// Checks the invariants.
    fn check(&self) {
        let counts = self.queue.counts();
        assert_eq!(counts.in_flight, self.in_flight.len(), "seed {}", self.seed);
        for (plan_id, plan) in self.queue.plans() {
            for (index, planned) in plan.ops().iter().enumerate() {
                let op = OpId { plan_id, index };
                let kept = self.journal.get(&op).map(|(staged, operation)| (*staged, operation));
                match planned.state {
                    OpState::Done | OpState::Discarded => assert_eq!(kept, None, "seed {}: {op:?}", self.seed),
                    OpState::Staged => assert!(kept.is_none_or(|(staged, _)| staged), "seed {}: {op:?}", self.seed),
                    _ => assert_eq!(kept, Some((false, &planned.operation)), "seed {}: {op:?}", self.seed),
                }
            }
        }
        let open = self.queue.plans().flat_map(|(plan_id, plan)| {
            let open = plan.ops().iter().enumerate().filter(|(_, op)| !op.state.is_over());
            open.map(move |(index, _)| OpId { plan_id, index })
        });
        let open: std::collections::BTreeSet<OpId> = open.collect();
        assert!(self.journal.keys().all(|op| open.contains(op)), "seed {}: left in the journal", self.seed);
    }

    fn submit(&mut self, plan: Plan) {
        let (plan_id, staged) = self.queue.stage(&self.forest, plan, Title::default());
        self.apply(staged);
        match self.random.u8(0..8) {
            0 => {
                let kept = self.queue.journal_staged(plan_id);
                self.apply(kept);
            }
            1 => {}
            // Staging all edits until they are sent: in another order, some could be refused.
            _ if self.around == Around::Quiet => {
                for plan_id in self.queue.plans().map(|(plan_id, _)| plan_id).collect::<Vec<_>>() {
                    let submitted = self.queue.submit(plan_id);
                    self.apply(submitted);
                }
            }
            _ => {
                let submitted = self.queue.submit(plan_id);
                self.apply(submitted);
            }
        }
    }

    fn act(&mut self) {
        let some = self.any(false);
        match self.random.u8(0..16) {
            0..3 => {
                let parent = some.map(|segment| segment.id.clone());
                let first = Draft { name: self.name("n"), external_id: None, parent };
                let mut operations = vec![Operation::Create { draft: first }];
                let plan_id = self.queue.next_plan_id();
                for index in 0..self.random.usize(0..3) {
                    let parent = Some(OpId { plan_id, index }.provisional_id());
                    operations
                        .push(Operation::Create { draft: Draft { name: self.name("n"), external_id: None, parent } });
                }
                self.submit(Plan { operations });
            }
            3..6 => {
                let Some(base) = some else { return };
                let draft = Draft { name: self.name("r"), ..Draft::of(&base) };
                self.submit(Plan::single(Operation::Update { base, draft }));
            }
            6..9 => {
                let Some(to) = self.any(false) else { return };
                let mut operations = Vec::new();
                for _ in 0..self.random.usize(1..4) {
                    let Some(base) = self.any(false) else { continue };
                    let twice = operations.iter().any(|other: &Operation| other.subject() == Some(&base.id));
                    if !twice && base.id != to.id && !self.forest.is_below(&to.id, &base.id) {
                        let draft = Draft { parent: Some(to.id.clone()), ..Draft::of(&base) };
                        operations.push(Operation::Update { base, draft });
                    }
                }
                self.submit(Plan { operations });
            }
            9 => {
                let Some(id) = some.map(|segment| segment.id.clone()) else { return };
                // A subtree with pending operations can't be deleted.
                let below = self.forest.descendants(&id).map(|(_, segment)| segment.id.clone());
                if below.chain([id.clone()]).all(|id| !self.queue.has_pending(&id)) {
                    let promotes = self.random.bool();
                    self.submit(if promotes {
                        Plan::promote_children_and_delete(&self.forest, &id)
                    } else {
                        Plan::delete_subtree(&self.forest, &id)
                    });
                }
            }
            10 => {
                let step = if self.random.bool() { UndoStep::Undo } else { UndoStep::Redo };
                self.undo(step);
            }
            // A held move does not block others, so moves could be done in an order that can't be undone.
            11 if self.around == Around::Trouble => drop(self.queue.hold_all()),
            12 => {
                self.queue.resume_sending();
                self.send();
            }
            _ => self.decide(),
        }
    }

    /// Makes a decision about a random unfinished plan or operation.
    fn decide(&mut self) {
        let plans: Vec<PlanId> = self.queue.plans().map(|(plan_id, _)| plan_id).collect();
        let Some(plan_id) = self.random.choice(plans) else { return };
        let count = self.queue.plan(plan_id).unwrap().ops().len();
        let op = OpId { plan_id, index: self.random.usize(0..count) };
        let transitions = match self.random.u8(0..6) {
            0 if self.around == Around::Trouble => self.queue.submit(plan_id),
            0 | 1 => self.queue.resume(plan_id).0,
            // The rest of a plan may be refused.
            2 if self.around == Around::Trouble => self.queue.discard(op),
            2 | 3 => self.queue.discard_plan(plan_id),
            4 => self.queue.retry(op),
            _ => match self.queue.op(op).map(|op| op.operation.clone()) {
                Some(Operation::Update { base, draft }) => {
                    let base = self.model.segments.get(&base.id).cloned().unwrap_or(base);
                    let draft = Draft { name: self.name("x"), ..draft };
                    self.queue.replace(op, Operation::Update { base, draft }, Title::default())
                }
                _ => self.queue.retry(op),
            },
        };
        self.apply(transitions);
    }

    fn undo(&mut self, step: UndoStep) {
        // Undoing in another order than the reverse may be refused.
        if self.queue.is_sending() || self.around == Around::Quiet && self.queue.counts().staged > 0 {
            return;
        }
        if let Some((plan, title, kind)) = self.queue.take_undo(step, &self.forest) {
            let (plan_id, staged) = self.queue.stage_of_kind(&self.forest, plan, title, kind);
            self.apply(staged);
            let submitted = self.queue.submit(plan_id);
            self.apply(submitted);
        }
    }

    /// Completes a random operation in flight.
    fn execute(&mut self) {
        if self.in_flight.is_empty() {
            return;
        }
        let execution = self.in_flight.swap_remove(self.random.usize(0..self.in_flight.len()));
        let delivery = match self.random.u8(0..12) {
            0 if self.around == Around::Trouble => Delivery::Refused,
            1 if self.around == Around::Trouble => Delivery::Lost,
            2 if self.around == Around::Trouble => Delivery::NotReached,
            _ => Delivery::Taken,
        };
        let (result, changed) = self.model.execute(&execution, delivery);
        if let ExecutionResult::Unreached { .. } = result {
            self.queue.pause_sending();
        }
        if let ExecutionResult::Failed { evidence: Some(evidence), .. } = &result {
            self.evidence.insert(execution.op, evidence.clone());
        }
        self.was_refused |= matches!(result, ExecutionResult::Failed { .. });
        let is_done = matches!(result, ExecutionResult::Done(_));
        let transitions = self.queue.executed(execution.op, &result);
        self.apply(transitions);
        // Something that was applied without a response is seen through the feed.
        if let Some(id) = changed.filter(|_| !is_done) {
            self.see(&id);
        }
    }

    fn colleague(&mut self) {
        let ids: Vec<SegmentId> = self.model.segments.keys().cloned().collect();
        let Some(id) = self.random.choice(ids) else { return };
        let segment = Arc::clone(&self.model.segments[&id]);
        match self.random.u8(0..3) {
            0 => {
                let new = Draft { name: self.name("c"), external_id: None, parent: Some(id) };
                let new = self.model.put(&new);
                self.see(&new.id);
            }
            1 if self.model.segments.values().all(|other| other.parent.as_ref() != Some(&id)) => {
                self.model.segments.remove(&id);
                self.see(&id);
            }
            _ => {
                let name = self.name("c").as_str().into();
                self.model.segments.insert(id.clone(), Arc::new(Segment { name, ..(*segment).clone() }));
                self.see(&id);
            }
        }
    }

    /// Restarts the program with the contents of the journal.
    fn start_again(&mut self) {
        for execution in std::mem::take(&mut self.in_flight) {
            // The request was sent, or it was not.
            let delivery = if self.random.bool() { Delivery::Lost } else { Delivery::NotReached };
            self.model.execute(&execution, delivery);
            let draft = match &execution.operation {
                Operation::Create { draft } => vec![draft.clone()],
                _ => Vec::new(),
            };
            let evidence = self.evidence.entry(execution.op).or_default();
            evidence.drafts.extend(draft);
        }
        self.sessions += 1;
        self.queue = ChangeQueue::new(self.sessions << 32, AT_ONCE);
        self.forest = self.model.segments.values().cloned().collect();
        let recovered = self.journal.iter().map(|(op, (staged, operation))| {
            let evidence = self.evidence.get(op).cloned();
            let state = match (staged, &evidence) {
                (true, _) => RecoveredState::Staged,
                (false, None) => RecoveredState::NotSent,
                (false, Some(_)) => RecoveredState::NotFound,
            };
            Recovered { op: *op, operation: operation.clone(), state, evidence, undoes: None }
        });
        let recovered: Vec<Recovered> = recovered.collect();
        let transitions = self.queue.recover(&self.forest, recovered, &Title::default());
        self.apply(transitions);
    }

    /// Executes everything that is left, or discards it if it can't be executed.
    fn end(&mut self) {
        self.around = Around::Quiet;
        for round in 0.. {
            self.queue.resume_sending();
            self.send();
            while !self.in_flight.is_empty() {
                self.execute();
            }
            let counts = self.queue.counts();
            if counts.unfinished() == 0 {
                break;
            }
            assert!(round < 40, "seed {}: stuck: {counts:?} {:#?}", self.seed, self.queue.plans().collect::<Vec<_>>());
            assert!(
                counts.staged + counts.on_hold + counts.failed > 0,
                "seed {}: it waits for nothing: {:?}",
                self.seed,
                self.queue
            );
            for plan_id in self.queue.plans().map(|(plan_id, _)| plan_id).collect::<Vec<_>>() {
                let transitions = match round {
                    0 => self.queue.submit(plan_id),
                    1 | 2 => self.queue.resume(plan_id).0,
                    _ => self.queue.discard_plan(plan_id),
                };
                self.apply(transitions);
            }
        }
        let shown: BTreeMap<SegmentId, Arc<Segment>> =
            self.forest.iter().map(|segment| (segment.id.clone(), Arc::clone(segment))).collect();
        let differing = shown.iter().filter(|(id, segment)| self.model.segments.get(*id) != Some(*segment));
        let missing = self.model.segments.keys().filter(|id| !shown.contains_key(*id));
        let differing: Vec<_> = differing.map(|(id, _)| id).chain(missing).collect();
        assert!(differing.is_empty(), "seed {}: {differing:?} of {shown:#?}", self.seed);
        assert!(self.journal.is_empty(), "seed {}: {:?}", self.seed, self.journal);
    }

    /// The names on each segment's path.
    fn shape(&self) -> Vec<Vec<String>> {
        let mut shape: Vec<Vec<String>> = self
            .forest
            .iter()
            .map(|segment| {
                let above = self.forest.ancestors(&segment.id).map(|above| above.name.to_string());
                std::iter::once(segment.name.to_string()).chain(above).collect()
            })
            .collect();
        shape.sort();
        shape
    }
}

#[test]
fn random_use_always_converges_to_the_servers_state() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut person = Person::new(seed, Around::Trouble);
        for _ in 0..ACTIONS {
            person.act();
            for _ in 0..person.random.u8(0..4) {
                person.execute();
            }
            match person.random.u8(0..12) {
                0..4 => person.colleague(),
                4 => person.start_again(),
                5 => {
                    person.queue.resume_sending();
                    person.send();
                }
                _ => {}
            }
        }
        person.end();
    }
}

#[test]
fn undoing_everything_restores_the_tree_except_for_ids() {
    let mut checked = 0;
    for seed in seeds() {
        println!("seed {seed}");
        let mut person = Person::new(seed, Around::Quiet);
        let before = person.shape();
        for _ in 0..ACTIONS {
            person.act();
            for _ in 0..person.random.u8(0..4) {
                person.execute();
            }
        }
        person.end();
        if person.was_refused {
            // A retry is done in another order than it is undone in, so the undo may be refused.
            continue;
        }
        checked += 1;
        for round in 0.. {
            assert!(round < 4 * ACTIONS, "seed {seed}: there is no end to it");
            if !person.queue.undo_stack().can_undo() {
                break;
            }
            person.undo(UndoStep::Undo);
            person.end();
        }
        assert_eq!(person.shape(), before, "seed {seed}");
    }
    println!("{checked} of {} seeds were refused nothing", seeds().count());
    assert!(seeds().count() < 100 || checked > seeds().count() / 4, "hardly anything is undone");
}
