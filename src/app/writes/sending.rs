//! From a plan to operations on their way: shown at once, looked at first where that is due, then handed to the mirror.

use crate::action::Action;
use crate::changes::{OpId, PlanId, WriteError};
use crate::changes::{Operation, Plan};
use crate::forest::Change;
use crate::mirror::Command;
use crate::segment::SegmentId;

use super::{Pending, Purpose, Standing, Step, Title, Write, outcome, subject};
use crate::app::changing::title;
use crate::app::weight::demand;
use crate::app::{Effect, Layer, Review, State, tree_view};

/// How a plan comes to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) enum Manner {
    /// The person has seen all of it.
    Confirmed,
    /// The person asked for it, and sees it before it is sent if there is more to it than one change.
    Asked,
    /// The person asked for it without seeing what it comes to, and sees it before it is sent, however small it is.
    Unseen,
    /// It takes back another one.
    Back(Purpose),
    /// As asked for, in the place of an operation that failed, which is given up when this is sent.
    Instead(OpId),
}

/// The number that the next plan will have.
pub(in crate::app) const fn next_ticket(state: &State) -> PlanId {
    PlanId(state.writes.next + 1)
}

/// Shows what a plan asks for and sends it on its way, at once or after the person's word.
///
/// `origin` is the dialog it came from, to be opened again with its input when the server refuses.
pub(in crate::app) fn begin(
    state: &mut State,
    plan: Plan,
    title: Title,
    origin: Option<Layer>,
    manner: Manner,
) -> Vec<Effect> {
    if plan.operations.is_empty() {
        return Vec::new();
    }
    let review = match &manner {
        Manner::Confirmed => false,
        Manner::Unseen => true,
        Manner::Asked | Manner::Instead(_) => plan.operations.len() > 1 || wants_a_word(state, &plan),
        Manner::Back(_) => deletes_several(&plan) || wants_a_word(state, &plan),
    };
    let gathers = state.writes.gathers && !matches!(manner, Manner::Back(_));
    let (purpose, instead_of) = match manner {
        Manner::Back(purpose) => (purpose, None),
        Manner::Instead(op) => (Purpose::Ordinary, Some(op)),
        Manner::Confirmed | Manner::Asked | Manner::Unseen => (Purpose::Ordinary, None),
    };
    let plan_id = lay_over(state, plan, title, origin, purpose);
    if let Some(write) = state.writes.plans.get_mut(plan_id) {
        write.instead_of = instead_of;
    }
    if review || gathers {
        if review && !gathers {
            state.layers.push(Layer::Review(Review::of(state, vec![plan_id])));
        } else {
            let staged = state.writes.tally().staged;
            state.say(format!("gathered, {staged} in all; {} shows and sends them", state.key(Action::Stage)));
        }
        // Where edits gather, whatever is not sent at once stays.
        return if state.writes.gathers { keep(state, plan_id) } else { Vec::new() };
    }
    send_staged(state, &[plan_id])
}

/// What is gathered is not lost with this run.
pub(super) fn keep(state: &State, plan_id: PlanId) -> Vec<Effect> {
    let steps = state.writes.plan(plan_id).into_iter().flat_map(Write::steps);
    let plan = Plan { operations: steps.map(|step| step.operation.clone()).collect() };
    vec![Effect::Mirror(Command::Keep { plan_id, plan })]
}

/// Whether a plan could do so much damage that a key is not enough.
fn wants_a_word(state: &State, plan: &Plan) -> bool {
    let operations: Vec<&Operation> = plan.operations.iter().collect();
    demand(state, &operations).next().is_some()
}

/// Whether a plan deletes more than what one step had made.
fn deletes_several(plan: &Plan) -> bool {
    let deletes = plan.operations.iter().filter(|operation| matches!(operation, Operation::Delete { .. }));
    deletes.count() > 1
}

/// Shows a plan in the tree, to be sent later.
fn lay_over(state: &mut State, plan: Plan, title: Title, origin: Option<Layer>, purpose: Purpose) -> PlanId {
    let plan_id = next_ticket(state);
    state.writes.next = plan_id.0;
    let creates = matches!(plan.operations.first(), Some(Operation::Create { .. }));
    let steps = plan.operations.into_iter().map(|operation| Step { operation, standing: Standing::Staged });
    insert(state, plan_id, steps.collect(), title, origin, purpose);
    if creates {
        tree_view::go_to(state, &OpId { plan_id, index: 0 }.provisional_id());
    }
    plan_id
}

/// Lays operations over the tree.
pub(super) fn insert(
    state: &mut State,
    plan_id: PlanId,
    steps: Vec<Step>,
    title: Title,
    origin: Option<Layer>,
    purpose: Purpose,
) {
    let subjects: Vec<(OpId, SegmentId)> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| (OpId { plan_id, index }, step))
        .filter(|(_, step)| !step.standing.is_over())
        .map(|(op, step)| (op, subject(op, &step.operation)))
        .collect();
    state.writes.plans.insert(plan_id, Write::new(steps, title, origin, purpose));
    for (op, id) in &subjects {
        let truth = state.forest.get(id).cloned();
        let pending = state.writes.pending.entry(id.clone()).or_insert(Pending { truth, operations: Vec::new() });
        pending.operations.push(*op);
    }
    show(state, subjects.into_iter().map(|(_, id)| id));
}

/// Brings rows up to date with what is under way.
pub(super) fn show(state: &mut State, ids: impl IntoIterator<Item = SegmentId>) {
    let changes: Vec<Change> = ids.into_iter().map(|id| state.writes.change_to_show(&id)).collect();
    tree_view::steady(state, |state| state.forest.apply(changes));
}

/// Sends plans that wait for the person's word.
pub(in crate::app) fn send_staged(state: &mut State, plan_ids: &[PlanId]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for plan_id in plan_ids {
        let mut dropped = Vec::new();
        let sent = state.writes.plans.stand_each(*plan_id, |index, step| {
            if step.standing == Standing::Staged {
                return Some(Standing::Waiting);
            }
            dropped.push(Effect::Mirror(Command::Drop(OpId { plan_id: *plan_id, index })));
            None
        });
        let Some(write) = state.writes.plans.get_mut(*plan_id).filter(|_| !sent.is_empty()) else { continue };
        let instead_of = write.instead_of.take();
        let operations = write.steps().iter().map(|step| step.operation.clone()).collect();
        effects.extend(instead_of.into_iter().flat_map(|op| drop_step(state, op)));
        let order = Effect::Mirror(Command::Write { plan_id: *plan_id, plan: Plan { operations } });
        if dropped.is_empty() {
            effects.push(order);
        } else {
            // Places in a plan stay what they are, so what was taken out of it is given up before anything begins.
            effects.extend([Effect::Mirror(Command::Hold(*plan_id)), order]);
            effects.append(&mut dropped);
            effects.push(Effect::Mirror(Command::Release { plan_id: *plan_id, except: Vec::new() }));
        }
    }
    effects
}

/// Takes back a plan that was not sent, and with it whatever can't be done without it.
pub(in crate::app) fn unstage(state: &mut State, plan_id: PlanId) -> Vec<Effect> {
    let steps = state.writes.plan(plan_id).map_or(0, |write| write.steps().len());
    let mut dropped = Vec::new();
    for index in (0..steps).rev() {
        drop_staged(state, OpId { plan_id, index }, &mut dropped);
    }
    vec![Effect::Mirror(Command::Forget(dropped))]
}

/// Tries an operation again that failed or was held.
pub(in crate::app) fn retry(state: &mut State, op: OpId) -> Vec<Effect> {
    put_waiting(state, op);
    vec![Effect::Mirror(Command::Retry(op))]
}

fn put_waiting(state: &mut State, op: OpId) {
    let Some(step) = state.writes.step(op) else { return };
    let id = subject(op, &step.operation);
    state.writes.plans.stand(op, Standing::Waiting);
    state.writes.refused.retain(|layer| layer.amends() != Some(op));
    show(state, [id]);
}

/// Takes a segment for the one that a create has made whose answer was lost.
pub(in crate::app) fn adopt(state: &mut State, op: OpId, id: SegmentId) -> Vec<Effect> {
    put_waiting(state, op);
    vec![Effect::Mirror(Command::Adopt { op, id })]
}

/// Carries out another operation in the place of one that failed, without asking.
pub(super) fn put_in_place(state: &mut State, op: OpId, operation: Operation, origin: Option<Layer>) -> Vec<Effect> {
    let Some(write) = state.writes.plans.get_mut(op.plan_id) else { return Vec::new() };
    write.origin = origin.or(write.origin.take());
    if write.steps().len() == 1 {
        write.title = title(&operation);
    }
    state.writes.plans.replace(op, operation.clone());
    put_waiting(state, op);
    if let Operation::Create { .. } = operation {
        tree_view::go_to(state, &op.provisional_id());
    }
    vec![Effect::Mirror(Command::Amend { op, operation })]
}

/// Gives up an operation that is not on its way.
pub(in crate::app) fn drop_step(state: &mut State, op: OpId) -> Vec<Effect> {
    match state.writes.step(op).map(|step| &step.standing) {
        None | Some(Standing::Running | Standing::Done | Standing::Dropped) => Vec::new(),
        Some(Standing::Staged) => {
            let mut dropped = Vec::new();
            drop_staged(state, op, &mut dropped);
            vec![Effect::Mirror(Command::Forget(dropped))]
        }
        Some(Standing::Waiting | Standing::Held | Standing::Failed(_)) => vec![Effect::Mirror(Command::Drop(op))],
    }
}

/// Takes one operation out of what was not sent yet, and with it whatever can't be done without it.
fn drop_staged(state: &mut State, op: OpId, dropped: &mut Vec<OpId>) {
    // One that needs another may be needed itself, to any depth.
    let mut left = vec![op];
    while let Some(op) = left.pop() {
        if state.writes.step(op).is_none_or(|step| step.standing != Standing::Staged) {
            continue;
        }
        dropped.push(op);
        if let Some(operation) = outcome::settle_dropped(state, op) {
            left.extend(gathered_on(state, op, &operation));
        }
    }
}

/// What is gathered and can't be done without what an operation was to create.
fn gathered_on(state: &State, op: OpId, operation: &Operation) -> Vec<OpId> {
    let Operation::Create { .. } = operation else { return Vec::new() };
    let id = op.provisional_id();
    let needs = |step: &Step| step.operation.subject() == Some(&id) || step.operation.destination() == Some(&id);
    let referring = state.writes.plans.referring_to(&id);
    let needing = referring.filter(|(_, step)| needs(step) && step.standing == Standing::Staged);
    needing.map(|(other, _)| other).collect()
}

/// What is gathered and can't be done without a segment that will not be created goes with it.
pub(super) fn drop_gathered_on(state: &mut State, op: OpId, operation: &Operation) -> Vec<Effect> {
    let mut dropped = Vec::new();
    for other in gathered_on(state, op, operation) {
        drop_staged(state, other, &mut dropped);
    }
    if dropped.is_empty() { Vec::new() } else { vec![Effect::Mirror(Command::Forget(dropped))] }
}

/// Begins nothing more of all that was sent. Answers how much that holds back.
pub(in crate::app) fn hold_all(state: &mut State) -> (usize, Vec<Effect>) {
    let (mut held, mut effects) = (0, Vec::new());
    let plan_ids: Vec<PlanId> = state.writes.plans.iter().map(|(plan_id, _)| plan_id).collect();
    for plan_id in plan_ids {
        let stop = |_, step: &Step| (step.standing == Standing::Waiting).then_some(Standing::Held);
        let count = state.writes.plans.stand_each(plan_id, stop).len();
        if count > 0 {
            held += count;
            effects.push(Effect::Mirror(Command::Hold(plan_id)));
        }
    }
    (held, effects)
}

/// Goes on with a plan: what was held and what failed of it. A create that may have been carried out is no matter of course: it
/// wants a decision of its own.
pub(in crate::app) fn release(state: &mut State, plan_id: PlanId) -> Vec<Effect> {
    if state.writes.plan(plan_id).is_none() {
        return Vec::new();
    }
    let (mut again, mut except) = (Vec::new(), Vec::new());
    state.writes.plans.stand_each(plan_id, |index, step| {
        let op = OpId { plan_id, index };
        match (&step.standing, &step.operation) {
            (
                Standing::Failed(WriteError::InDoubt(_) | WriteError::PossibleDuplicate { .. }),
                Operation::Create { .. },
            ) => {
                except.push(op);
                None
            }
            (Standing::Held | Standing::Failed(_), _) => {
                again.push(subject(op, &step.operation));
                Some(Standing::Waiting)
            }
            _ => None,
        }
    });
    if !except.is_empty() {
        state.warn("what may have been created already is not tried again with the others: enter or r on it decides");
    }
    show(state, again);
    vec![Effect::Mirror(Command::Release { plan_id, except })]
}

/// Gives up what is left of a plan at once, without waiting for the mirror to say so. What is on its way goes on.
pub(in crate::app) fn give_up(state: &mut State, plan_id: PlanId) -> Vec<Effect> {
    let Some(write) = state.writes.plans.get(plan_id) else { return Vec::new() };
    let steps = write.steps().iter().enumerate();
    let left = steps.filter(|(_, step)| !step.standing.is_over() && step.standing != Standing::Running);
    let left: Vec<OpId> = left.map(|(index, _)| OpId { plan_id, index }).collect();
    if write.tally().staged == write.tally().total() {
        return unstage(state, plan_id);
    }
    let mut effects = vec![Effect::Mirror(Command::DropPlan(plan_id))];
    for op in &left {
        effects.extend(outcome::operation_dropped(state, *op));
    }
    effects
}
