//! Random plans: applying a file results in what it asks for, in every order that the queue allows.

mod forests;

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::{Fuses, Key, Limit, Planned, Request, Scope, plan, remaining};
use crate::changes::{ChangeQueue, Execution, ExecutionResult, OpId, Operation, Plan, Title, WriteResult, Written};
use crate::forest::Forest;
use crate::formats::rows::Rows;
use crate::segment::{Segment, SegmentId};

use forests::{Form, Random, shape};

const SEEDS: u64 = 300;

/// The seeds to test: `SEGTUI_SEEDS` many, or the single one of `SEGTUI_SEED`.
fn seeds() -> std::ops::Range<u64> {
    let set = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match set("SEGTUI_SEED") {
        Some(only) => only..only + 1,
        None => 0..set("SEGTUI_SEEDS").unwrap_or(SEEDS),
    }
}

/// A tenant in memory that panics on an invalid operation.
#[derive(Debug, Clone, Default)]
struct Tenant {
    segments: HashMap<SegmentId, Arc<Segment>>,
    ids: usize,
    /// The names of all segments that were ever created.
    created: Vec<String>,
}

impl Tenant {
    fn of(segments: &[Arc<Segment>]) -> Self {
        let segments = segments.iter().map(|segment| (segment.id.clone(), Arc::clone(segment))).collect();
        Self { segments, ids: 0, created: Vec::new() }
    }

    fn forest(&self) -> Forest {
        self.segments.values().cloned().collect()
    }

    fn execute(&mut self, operation: &Operation) -> WriteResult {
        match operation {
            Operation::Create { draft } => {
                self.ids += 1;
                let id = SegmentId::new(&format!("s{}", self.ids)).unwrap();
                let segment = Arc::new(draft.clone().into_segment(id.clone()));
                self.created.push(segment.name.to_string());
                self.segments.insert(id, Arc::clone(&segment));
                self.check(operation);
                WriteResult::Created(written(segment))
            }
            Operation::Update { base, draft } => {
                assert!(self.segments.contains_key(&base.id), "{operation:?} of what is not there");
                let segment = Arc::new(draft.clone().into_segment(base.id.clone()));
                self.segments.insert(base.id.clone(), Arc::clone(&segment));
                self.check(operation);
                WriteResult::Updated(written(segment))
            }
            Operation::Delete { base, .. } => {
                assert!(self.segments.remove(&base.id).is_some(), "{operation:?} of what is not there");
                self.check(operation);
                WriteResult::Deleted { id: base.id.clone(), found: true, concurrent_write: false }
            }
        }
    }

    /// No intermediate state has an orphan or a cycle.
    fn check(&self, after: &Operation) {
        for segment in self.segments.values() {
            let mut at = segment;
            for step in 0.. {
                assert!(step <= self.segments.len(), "a circle at {} after {after:?}", segment.id);
                let Some(parent) = &at.parent else { break };
                at = self.segments.get(parent).unwrap_or_else(|| panic!("{} is an orphan after {after:?}", at.id));
            }
        }
    }
}

fn written(segment: Arc<Segment>) -> Written {
    Written {
        segment,
        merged: Vec::new(),
        ignored: Vec::new(),
        written: Vec::new(),
        concurrent_write: false,
        existed: false,
    }
}

fn request<'a>(rows: &'a Rows, forest: &'a Forest, key: Option<Key>) -> Request<'a> {
    Request {
        tolerant: false,
        rows,
        forest,
        key,
        scope: Scope::All,
        prune: true,
        renamed: HashMap::new(),
        recreate: HashSet::new(),
        owned: &[],
        ids_as_written: true,
    }
}

/// A plan in which nothing is held back as a rename, since renames are what these files consist of.
fn planned(rows: &Rows, tenant: &Tenant, key: Option<Key>) -> Planned {
    let forest = tenant.forest();
    let mut request = request(rows, &forest, key);
    request.recreate = tenant.segments.keys().cloned().collect();
    plan(&request).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Applies a plan with several operations in flight that finish in random order, and stops after `stop_after` of them.
fn apply(random: &mut fastrand::Rng, tenant: &mut Tenant, planned: &Planned, stop_after: usize) {
    let mut queue = ChangeQueue::new(6, 4);
    let plan_id = queue.next_plan_id();
    let ids = |id: &SegmentId| super::creating(id).map(|index| OpId { plan_id, index }.provisional_id());
    let operations = planned.operations.iter().map(|planned| planned.operation.clone().with_ids(&ids)).collect();
    let after: Vec<Option<usize>> = planned.operations.iter().map(|planned| planned.after).collect();
    let (plan_id, _) = queue.stage(&tenant.forest(), Plan { operations }, Title::default());
    drop(queue.submit_ordered(plan_id, &after));
    let mut in_flight: Vec<Execution> = Vec::new();
    for _ in 0..stop_after {
        in_flight.extend(std::iter::from_fn(|| queue.begin()));
        if in_flight.is_empty() {
            break;
        }
        let Execution { op, operation, .. } = in_flight.swap_remove(random.usize(..in_flight.len()));
        let result = tenant.execute(&operation);
        drop(queue.executed(op, &ExecutionResult::Done(result)));
    }
    if stop_after == usize::MAX {
        assert_eq!(queue.counts().unfinished(), 0, "something waits for nothing");
    }
}

#[test]
fn applying_a_file_twice_changes_nothing_the_second_time() {
    for seed in seeds() {
        let mut random = Random::new(seed);
        let (first, second) = (random.forest("a"), random.other("a"));
        for form in Form::ALL {
            let mut tenant = Tenant::of(&first);
            let (rows, key) = form.rows(&second, &first);
            let asked = planned(&rows, &tenant, key);
            assert_eq!(asked.conflicts, [], "seed {seed}, {form:?}");
            apply(&mut random.0, &mut tenant, &asked, usize::MAX);
            let came: Vec<Arc<Segment>> = tenant.segments.values().cloned().collect();
            assert_eq!(shape(&came), shape(&second), "seed {seed}, {form:?}");
            let again = planned(&rows, &tenant, key);
            assert!(again.is_empty(), "seed {seed}, {form:?}: {:?}", again.operations);
        }
    }
}

#[test]
fn an_interrupted_apply_is_completed_without_duplicates() {
    for seed in seeds() {
        let mut random = Random::new(seed);
        let (first, second) = (random.forest("a"), random.other("a"));
        for form in Form::ALL {
            let mut tenant = Tenant::of(&first);
            let (rows, key) = form.rows(&second, &first);
            let operations = planned(&rows, &tenant, key).operations.len();
            for _ in 0..3 {
                let asked = planned(&rows, &tenant, key);
                let stop = random.0.usize(0..=operations);
                apply(&mut random.0, &mut tenant, &asked, stop);
            }
            let asked = planned(&rows, &tenant, key);
            apply(&mut random.0, &mut tenant, &asked, usize::MAX);
            let came: Vec<Arc<Segment>> = tenant.segments.values().cloned().collect();
            assert_eq!(shape(&came), shape(&second), "seed {seed}, {form:?}");
            let wanted = second.len() - Form::kept(&second, &first);
            assert_eq!(tenant.created.len(), wanted, "seed {seed}, {form:?}: {:?}", tenant.created);
        }
    }
}

#[test]
fn a_segment_without_external_id_is_not_recreated_unasked() {
    for seed in seeds() {
        let mut random = Random::new(seed);
        let (first, second) = (random.forest("a"), random.other("a"));
        let (first, second) = (random.without_some_external_ids(first), random.without_some_external_ids(second));
        for form in [Form::Ids, Form::ExternalIds, Form::Foreign] {
            let mut tenant = Tenant::of(&first);
            let (rows, key) = form.rows(&second, &first);
            let forest = tenant.forest();
            let mut asked = request(&rows, &forest, key);
            // The user confirms every suggested rename until there are no conflicts left.
            let planned = loop {
                let Ok(planned) = plan(&asked) else { break None };
                no_one_comes_back_under_another_id(&planned, seed);
                let undecided = planned.conflicts.iter().find_map(|conflict| {
                    Some((rows.rows.iter().position(|row| row.line == conflict.line)?, conflict.segment.clone()?))
                });
                let Some((at, segment)) = undecided else { break Some(planned) };
                asked.renamed.insert(at, segment.id.clone());
            };
            let Some(planned) = planned else { continue };
            apply(&mut random.0, &mut tenant, &planned, usize::MAX);
            let came: Vec<Arc<Segment>> = tenant.segments.values().cloned().collect();
            assert_eq!(shape(&came), shape(&second), "seed {seed}, {form:?}");
        }
    }
}

/// No leaf without an external id is deleted while a segment is created under the same parent.
fn no_one_comes_back_under_another_id(planned: &Planned, seed: u64) {
    let operations = || planned.operations.iter().map(|planned| &planned.operation);
    let under = |parent: &Option<SegmentId>| parent.clone().filter(|id| super::creating(id).is_none());
    for deleted in operations() {
        let Operation::Delete { base, .. } = deleted else { continue };
        for created in operations() {
            let Operation::Create { draft } = created else { continue };
            let keyless = base.external_id.is_none();
            let in_place = under(&draft.parent) == base.parent && draft.parent.is_some() == base.parent.is_some();
            let has_children = operations().any(|other| match other {
                Operation::Delete { base: child, .. } | Operation::Update { base: child, .. } => {
                    child.parent.as_ref() == Some(&base.id)
                }
                Operation::Create { .. } => false,
            });
            assert!(!keyless || !in_place || has_children, "seed {seed}: {deleted:?} and {created:?}");
        }
    }
}

#[test]
fn a_saved_plan_has_the_same_result_and_repeats_nothing() {
    for seed in seeds() {
        let mut random = Random::new(seed);
        let (first, second) = (random.forest("a"), random.other("a"));
        let mut tenant = Tenant::of(&first);
        let (rows, key) = Form::Ids.rows(&second, &first);
        let asked = planned(&rows, &tenant, key);
        let made = super::PlanMetadata { tenant: "t", host: "h", at: "now", step: None, scope: "all", refused: &[] };
        let text = serde_json::to_string(&super::SavedPlan::of(&asked, &tenant.forest(), made)).unwrap();
        let saved = super::SavedPlan::read(&text).unwrap();
        assert_eq!(saved.planned_for("t", "h").unwrap(), asked.operations, "seed {seed}");
        assert!(saved.planned_for("t", "other").is_err());
        // Interrupted twice, then completed.
        for stop in [random.0.usize(0..=asked.operations.len()), random.0.usize(0..=asked.operations.len()), usize::MAX]
        {
            let left = remaining(saved.planned_for("t", "h").unwrap(), &tenant.forest());
            assert_eq!(left.outdated, [], "seed {seed}");
            let part = Planned { operations: left.operations, ..asked.clone() };
            apply(&mut random.0, &mut tenant, &part, stop);
        }
        let came: Vec<Arc<Segment>> = tenant.segments.values().cloned().collect();
        assert_eq!(shape(&came), shape(&second), "seed {seed}");
        let left = remaining(saved.planned_for("t", "h").unwrap(), &tenant.forest());
        assert_eq!((left.operations.len(), left.done), (0, asked.operations.len()), "seed {seed}");
    }
}

#[test]
fn a_fuse_is_lifted_only_by_an_explicit_limit() {
    let first = Random::chain(100);
    let tenant = Tenant::of(&first);
    let forest = tenant.forest();
    let (rows, key) = Form::Ids.rows(&first[..40], &first);
    let asked = planned(&rows, &tenant, key);
    let refusals = |fuses: Fuses| fuses.refusals(&asked, &forest).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        refusals(Fuses::default()),
        [
            "60 deletions, and at most 10 are done unasked",
            "the file has 40 of the 100 segments that it speaks for, less than half"
        ]
    );
    assert_eq!(refusals(Fuses { deletes: Some(Limit::Percent(59.0)), changes: None }).len(), 1);
    assert_eq!(refusals(Fuses { deletes: Some(Limit::Count(60)), changes: None }), [] as [&str; 0]);
    assert_eq!(refusals(Fuses { deletes: Some(Limit::Percent(60.0)), changes: None }), [] as [&str; 0]);
    // A limit meant for a larger tenant.
    assert_eq!(refusals(Fuses { deletes: Some(Limit::Count(200)), changes: None }).len(), 1);
}
