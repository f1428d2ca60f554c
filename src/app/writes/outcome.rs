//! What became of operations, taken into the tree, the history and the words for the person.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::action::Action;
use crate::changes::Operation;
use crate::changes::{OpId, PlanId, Recovered, RecoveredState, WriteError, WriteResult, Written};
use crate::forest::{Change, RowId};
use crate::mirror::Command;
use crate::remote::{Call, Contexts, Fault, RemoteError};
use crate::segment::{Field, Segment, SegmentId};

use super::sending::{insert, show};
use super::{Pending, Purpose, Standing, Step, Title, Write, subject};
use crate::app::activity::{self, ActivityEntry, EntryKind, FieldChange, Originator};
use crate::app::history::Made;
use crate::app::{Conflict, Effect, Layer, State, Tone, grouped, news, tree_view};

/// An operation was sent on its way.
pub(in crate::app) fn operation_began(state: &mut State, op: OpId) {
    if state.writes.open_step(op).is_some() {
        state.writes.plans.stand(op, Standing::Running);
    }
}

/// An operation could not reach the server, or is to wait: it is queued as before, and sent when the server answers.
pub(in crate::app) fn operation_waits(state: &mut State, op: OpId, error: &RemoteError, retry_in: Duration) {
    if state.writes.step(op).is_none_or(|step| step.standing != Standing::Running) {
        return;
    }
    state.writes.plans.stand(op, Standing::Waiting);
    // It is tried again and again, which is no news each time.
    if state.writes.waits_for.as_ref() == Some(&error.fault) {
        return;
    }
    let queue = state.key(Action::ShowQueue);
    let when = match error.fault.retry_after() {
        Some(_) => format!("again in {} s", retry_in.as_secs()),
        None => "when the server answers".into(),
    };
    let text = format!("{error}. Your changes are kept and sent {when} · {queue} shows them");
    state.writes.waits_for = Some(error.fault.clone());
    state.activity.add(state.clock.now, EntryKind::Failed, None, text.clone());
    state.warn(text);
}

/// An operation succeeded, as it was carried out.
pub(in crate::app) fn operation_ended(
    state: &mut State,
    op: OpId,
    operation: &Operation,
    outcome: &WriteResult,
) -> Vec<Effect> {
    state.writes.waits_for = None;
    let Some(step) = state.writes.open_step(op) else {
        return ended_after_all(state, op, operation, outcome);
    };
    let id = subject(op, &step.operation);
    state.writes.plans.replace(op, operation.clone());
    state.writes.plans.stand(op, Standing::Done);
    state.writes.refused.retain(|layer| layer.amends() != Some(op));
    let before = state.writes.pending.get(&id).and_then(|pending| pending.truth.clone());
    if let Some(pending) = state.writes.pending.get_mut(&id) {
        pending.truth = match outcome {
            WriteResult::Updated(applied) => Some(Arc::clone(&applied.segment)),
            WriteResult::Created(_) | WriteResult::Deleted { .. } => None,
        };
    }
    let effects = if let WriteResult::Created(applied) = outcome {
        take_in_created(state, op, applied)
    } else {
        let changes = vec![state.writes.settle(&id, op)];
        tree_view::steady(state, |state| state.forest.apply(changes));
        Vec::new()
    };
    match outcome {
        WriteResult::Created(applied) | WriteResult::Updated(applied) => {
            state.activity.touch(&applied.segment.id, state.clock.now, Originator::You);
            tree_view::steady(state, |state| state.forest.mark_changed([&applied.segment.id]));
            remark(state, applied);
            if let (Some(before), false) = (&before, applied.merged.is_empty()) {
                let only_theirs = (**before).clone().with_fields_of(&applied.segment, &applied.merged);
                news::tell_set_back(state, before, &only_theirs);
            }
            note_fields(state, op, before.as_deref(), applied);
        }
        WriteResult::Deleted { id, raced, .. } => {
            state.picks.marked.remove(id);
            state.picks.cut.remove(id);
            if let (Operation::Delete { base, .. }, true) = (operation, *raced) {
                remark_race(state, &base.name, None);
            }
        }
    }
    remember(state, op, operation, outcome);
    finish(state, op.plan_id);
    effects
}

/// Something was carried out that was given up in the very moment in which it began. The feed won't name it again, so it is shown
/// and remembered now.
fn ended_after_all(state: &mut State, op: OpId, operation: &Operation, outcome: &WriteResult) -> Vec<Effect> {
    let (id, now) = match outcome {
        WriteResult::Created(applied) | WriteResult::Updated(applied) => {
            (applied.segment.id.clone(), Some(Arc::clone(&applied.segment)))
        }
        WriteResult::Deleted { id, .. } => (id.clone(), None),
    };
    let name = match operation {
        Operation::Create { draft } => draft.name.as_str().to_owned(),
        Operation::Update { base, .. } | Operation::Delete { base, .. } => base.name.to_string(),
    };
    let effects = if let WriteResult::Created(applied) = outcome {
        take_in_created(state, op, applied)
    } else {
        let changes = vec![state.writes.overlay(&id, now)];
        tree_view::steady(state, |state| state.forest.apply(changes));
        Vec::new()
    };
    let Some(made) = made(operation, outcome) else { return effects };
    let undo = state.key(Action::Undo);
    let done = format!("a change of {name} was given up too late and was carried out; {undo} takes it back");
    let title = Title { failed: done.clone(), done: done.clone() };
    state.writes.history.remember(op.plan_id, &title, vec![made], Purpose::Ordinary, &[true]);
    state.activity.add(state.clock.now, EntryKind::Failed, Some(id), done.clone());
    state.warn(done);
    effects
}

/// A new segment has its real id: whatever refers to it refers to that one from now on.
/// What is gathered refers to it in the journal as well.
fn take_in_created(state: &mut State, op: OpId, applied: &Written) -> Vec<Effect> {
    let provisional = op.provisional_id();
    let real = applied.segment.id.clone();
    let other = |id: &SegmentId| (*id == provisional).then(|| real.clone());
    let (mut concerned, mut gathered) = (Vec::new(), BTreeSet::new());
    let referring = state.writes.plans.referring_to(&provisional);
    let referring = referring.map(|(op, step)| (op, step.operation.clone(), step.standing == Standing::Staged));
    for (op, operation, is_staged) in referring.collect::<Vec<_>>() {
        let renamed = operation.with_ids(&other);
        concerned.push(subject(op, &renamed));
        state.writes.plans.replace(op, renamed);
        if is_staged {
            gathered.insert(op.plan_id);
        }
    }
    let mut later = state.writes.pending.remove(&provisional).unwrap_or_default().operations;
    later.retain(|other| *other != op);
    if !later.is_empty() {
        let truth = Some(Arc::clone(&applied.segment));
        state.writes.pending.insert(real.clone(), Pending { truth, operations: later });
    }
    let open = state.forest.is_open(&RowId::Segment(provisional.clone()));
    let mut changes = vec![Change::Upsert(Arc::clone(&applied.segment))];
    changes.extend(concerned.iter().map(|id| state.writes.change_to_show(id)));
    changes.push(Change::Remove(provisional.clone()));
    tree_view::steady(state, |state| {
        state.forest.apply(changes);
        if open {
            state.forest.expand(&RowId::Segment(real.clone()));
        }
        if state.tree.selected == Some(RowId::Segment(provisional.clone())) {
            state.tree.selected = Some(RowId::Segment(real.clone()));
        }
    });
    if state.tree.selected == Some(RowId::Segment(provisional.clone())) {
        // What lies over the tree has a selection of its own.
        state.tree.selected = Some(RowId::Segment(real.clone()));
    }
    state.picks.places.rename(&provisional, &real);
    for picked in [&mut state.picks.marked, &mut state.picks.cut] {
        if picked.remove(&provisional) {
            picked.insert(real.clone());
        }
    }
    for layer in state.layers.iter_mut().chain(&mut state.writes.refused) {
        layer.refer_to(&state.forest, &provisional, &applied.segment);
    }
    let restored = match state.writes.plans.get(op.plan_id).map(|write| &write.purpose) {
        Some(Purpose::Undo(back) | Purpose::Redo(back)) => back.former.get(&op.index).cloned(),
        _ => None,
    };
    if let Some(former) = restored {
        state.writes.history.rename(&former, &real);
        for write in state.writes.plans.values_mut() {
            if let Purpose::Undo(back) | Purpose::Redo(back) = &mut write.purpose {
                back.rename(&former, &real);
            }
        }
    }
    gathered.into_iter().flat_map(|plan_id| super::sending::keep(state, plan_id)).collect()
}

/// Says where the server or a colleague had it otherwise than asked.
fn remark(state: &mut State, applied: &Written) {
    let name = &applied.segment.name;
    let list = |fields: &[Field]| fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let about = Some(applied.segment.id.clone());
    if !applied.ignored.is_empty() {
        let kept = applied
            .ignored
            .iter()
            .map(|field| format!("{field} {}", activity::shown(&state.forest, &applied.segment, *field)));
        let text = format!("{name}: the server kept the {}", kept.collect::<Vec<_>>().join(" and the "));
        state.activity.add(state.clock.now, EntryKind::Failed, about.clone(), text.clone());
        state.warn(text);
    }
    if !applied.merged.is_empty() {
        let text = format!("{name}: kept the {} that somebody else had just changed", list(&applied.merged));
        state.activity.add(state.clock.now, EntryKind::Notice, about.clone(), text);
    }
    if applied.existed {
        let text = format!("{name} existed before: the server answered with it instead of creating a new one");
        state.activity.add(state.clock.now, EntryKind::Failed, about.clone(), text.clone());
        state.warn(text);
    }
    if applied.raced {
        remark_race(state, name, about);
    }
}

fn remark_race(state: &mut State, name: &str, about: Option<SegmentId>) {
    let text = format!("{name}: somebody else changed it in the same moment, and that may be lost; ask who it was");
    state.activity.add(state.clock.now, EntryKind::Failed, about, text.clone());
    state.warn(text);
}

/// Remembers what a plan of one operation changed, to be told when it is over. A new name is told by the title already.
fn note_fields(state: &mut State, op: OpId, before: Option<&Segment>, applied: &Written) {
    let fields = before.map(|before| activity::field_changes(&state.forest, before, &applied.segment));
    let write = state.writes.plans.get_mut(op.plan_id).filter(|write| write.steps().len() == 1);
    let Some(write) = write else { return };
    write.subject = Some(applied.segment.id.clone());
    write.fields = fields.unwrap_or_default();
    if let [FieldChange { field: Field::Name, .. }] = write.fields.as_slice() {
        write.fields.clear();
    }
}

/// Remembers what was done, to be taken back, and what it wrote, to notice when somebody sets it back.
fn remember(state: &mut State, op: OpId, operation: &Operation, outcome: &WriteResult) {
    let Some(made) = made(operation, outcome) else { return };
    if let Made::Updated { before, after, fields } = &made {
        state.writes.kept.keep(before, after, fields, state.clock.now);
    }
    if let Some(write) = state.writes.plans.get_mut(op.plan_id) {
        write.made.push(made);
    }
}

/// What an operation did.
fn made(operation: &Operation, outcome: &WriteResult) -> Option<Made> {
    match (operation, outcome) {
        // What existed before is not this operation's to be deleted.
        (Operation::Create { .. }, WriteResult::Created(applied)) => {
            (!applied.existed).then(|| Made::Created(Arc::clone(&applied.segment)))
        }
        (Operation::Update { base, draft }, WriteResult::Updated(applied)) => {
            // What somebody else had made as wanted before is not this operation's to be taken back.
            let mut fields = draft.changes(base);
            fields.retain(|field| applied.written.contains(field) && !applied.ignored.contains(field));
            let (before, after) = (Arc::clone(base), Arc::clone(&applied.segment));
            (!fields.is_empty()).then_some(Made::Updated { before, after, fields })
        }
        (Operation::Delete { base, leaving }, WriteResult::Deleted { found: true, .. }) => {
            Some(Made::Deleted { segment: Arc::clone(base), leaving: leaving.clone() })
        }
        _ => None,
    }
}

/// Ends a plan of which nothing is left.
fn finish(state: &mut State, plan_id: PlanId) {
    if !state.writes.plans.get(plan_id).is_some_and(Write::is_over) {
        return;
    }
    let Some(write) = state.writes.plans.remove(plan_id) else { return };
    let (done, total) = (write.tally().done, write.steps().len());
    let standings: Vec<bool> = write.steps().iter().map(|step| step.standing == Standing::Done).collect();
    state.writes.history.remember(plan_id, &write.title, write.made, write.purpose, &standings);
    if done == 0 {
        return;
    }
    let text = if done == total {
        write.title.done
    } else {
        format!("{} ({done} of {} steps; the others were given up)", write.title.done, total)
    };
    let (at, contexts) = (state.clock.now, Contexts::default());
    let (subject, fields) = (write.subject, write.fields);
    state.activity.push(ActivityEntry { at, kind: EntryKind::Done, text: text.clone(), subject, fields, contexts });
    if state.message.as_ref().is_none_or(|message| message.tone == Tone::Calm) {
        state.say(text);
    }
}

/// An operation was given up.
pub(in crate::app) fn operation_dropped(state: &mut State, op: OpId) -> Vec<Effect> {
    let Some(operation) = settle_dropped(state, op) else { return Vec::new() };
    super::sending::drop_gathered_on(state, op, &operation)
}

/// Nothing more comes of an operation. Answers what it was, unless it was over already.
pub(super) fn settle_dropped(state: &mut State, op: OpId) -> Option<Operation> {
    let step = state.writes.open_step(op)?;
    let operation = step.operation.clone();
    state.writes.plans.stand(op, Standing::Dropped);
    let id = subject(op, &operation);
    rebase_later(state, op, &id, &operation);
    let changes = vec![state.writes.settle(&id, op)];
    tree_view::steady(state, |state| state.forest.apply(changes));
    state.writes.refused.retain(|layer| layer.amends() != Some(op));
    finish(state, op.plan_id);
    Some(operation)
}

/// Later operations on the same segment begin from what it is without one that was given up.
fn rebase_later(state: &mut State, op: OpId, id: &SegmentId, given_up: &Operation) {
    let Operation::Update { base, draft } = given_up else { return };
    let expected = draft.clone().into_segment(id.clone());
    let later = state.writes.pending.get(id).into_iter().flat_map(|pending| &pending.operations);
    for later in later.filter(|later| **later > op).copied().collect::<Vec<_>>() {
        if let Some(step) = state.writes.step(later) {
            let rebased = step.operation.clone().rebased(&expected, base);
            state.writes.plans.replace(later, rebased);
        }
    }
}

/// An order that the mirror could not take.
pub(in crate::app) fn undelivered(state: &mut State, command: &Command) {
    const WORDS: &str = "too much is waiting to be done; try again in a moment";
    match command {
        Command::Write { plan_id, .. } => {
            // Nothing of it reached the mirror, so nothing has to be dropped there.
            state.writes.plans.stand_each(*plan_id, |_, _| Some(Standing::Staged));
            let Some(write) = state.writes.plans.get(*plan_id) else { return };
            let about = Failed::of(write);
            if write.origin.is_none() {
                let key = state.key(Action::Stage);
                let words = "too much is waiting to be done; this is gathered, but not kept for the next start";
                return state.warn(format!("{words} · {key} sends it"));
            }
            // The mirror has not heard of it, and the journal neither.
            let _nothing_to_forget = super::unstage(state, *plan_id);
            let (op, failure) = (OpId { plan_id: *plan_id, index: 0 }, Failure { words: WORDS.into(), error: None });
            tell_failure(state, op, about, &failure, false);
        }
        Command::Keep { .. } => state.warn("this is gathered, but not in the journal: it would be lost with this run"),
        Command::Release { plan_id, .. } => {
            let hold = |_, step: &Step| (step.standing == Standing::Waiting).then_some(Standing::Held);
            state.writes.plans.stand_each(*plan_id, hold);
            state.warn(WORDS);
        }
        Command::Retry(op) | Command::Amend { op, .. } | Command::Adopt { op, .. } => {
            state.writes.plans.stand(*op, Standing::Held);
            state.warn(WORDS);
        }
        _ => state.warn(WORDS),
    }
}

/// Why a write failed, for the person and for the dialog it came from.
struct Failure {
    words: String,
    error: Option<WriteError>,
}

/// An operation did not succeed. It stays, and what builds upon it waits; unless it was given up in the very moment in which it
/// began.
pub(in crate::app) fn operation_failed(
    state: &mut State,
    op: OpId,
    operation: Operation,
    error: WriteError,
) -> Vec<Effect> {
    let Some(step) = state.writes.open_step(op) else {
        return vec![Effect::Mirror(Command::Drop(op))];
    };
    let id = subject(op, &step.operation);
    state.writes.plans.replace(op, operation);
    state.writes.plans.stand(op, Standing::Failed(error.clone()));
    if let WriteError::Conflict { theirs, .. } = &error
        && let Some(pending) = state.writes.pending.get_mut(&id)
    {
        pending.truth.clone_from(theirs);
    }
    show(state, [id]);
    if let Some(about) = state.writes.plans.get(op.plan_id).map(Failed::of) {
        tell_failure(state, op, about, &Failure { words: error.to_string(), error: Some(error) }, true);
    }
    Vec::new()
}

/// What is told of a plan of which something has failed.
struct Failed {
    title: String,
    done: usize,
    total: usize,
    origin: Option<Layer>,
}

impl Failed {
    fn of(write: &Write) -> Self {
        let (title, origin) = (write.title.failed.clone(), write.origin.clone());
        Self { title, done: write.tally().done, total: write.steps().len(), origin }
    }
}

/// Tells of a failure in a line, with the key that opens the dialog it came from. `stays` when the operation can be tried again.
fn tell_failure(state: &mut State, op: OpId, about: Failed, failure: &Failure, stays: bool) {
    let Failed { title, done, total, origin } = about;
    let progress = if total > 1 { format!(" ({done} of {total} steps are done)") } else { String::new() };
    let text = format!("{title}{progress}: {}", failure.words);
    state.activity.add(state.clock.now, EntryKind::Failed, None, text.clone());
    let conflict = failure.error.as_ref().and_then(|error| Conflict::of(state, op, error));
    let layer = match (conflict, origin) {
        (Some(conflict), _) => Some(Layer::Conflict(conflict)),
        (None, Some(mut origin)) => {
            origin.refuse(&failure.words, stays.then_some(op));
            Some(origin)
        }
        (None, None) => None,
    };
    match layer {
        // Nothing opens by itself: it would take keys that are meant for something else.
        Some(layer) => {
            state.writes.refused.retain(|other| other.amends() != Some(op));
            state.writes.refused.push_back(layer);
            state.warn(format!("{text} · {} opens it", state.key(Action::Reopen)));
        }
        None if stays => {
            let queue = state.key(Action::ShowQueue);
            state.warn(format!("{text} · {queue} shows what is left and tries it again"));
        }
        None => state.warn(text),
    }
}

/// That no trace of a create was found so far.
fn not_found(operation: &Operation) -> RemoteError {
    let call = match operation {
        Operation::Create { draft } => Call::Create(draft.name.as_str().into()),
        Operation::Update { base, .. } => Call::Update(base.id.clone()),
        Operation::Delete { base, .. } => Call::Delete(base.id.clone()),
    };
    RemoteError { call, fault: Fault::Unreadable { reason: "no trace of it was found so far".into() } }
}

/// What an earlier run left, and what became of it, is told and kept for the queue, which shows it.
pub(in crate::app) fn recovered(state: &mut State, found: Vec<Recovered>) {
    let mut lines = Vec::new();
    let mut left: Vec<(PlanId, Vec<Step>)> = Vec::new();
    for Recovered { op, operation, fate } in found {
        let what = super::super::changing::title(&operation);
        let (line, standing) = match fate {
            RecoveredState::CarriedOut(_) => (format!("{}: it was carried out", what.done), Standing::Done),
            RecoveredState::Gathered => (format!("{}: it was only gathered", what.failed), Standing::Staged),
            RecoveredState::NotSent => (format!("{}: it is still to be sent", what.failed), Standing::Held),
            RecoveredState::NotCarriedOut => {
                (format!("{}: it was sent and not carried out", what.failed), Standing::Held)
            }
            RecoveredState::NotFound => {
                let line =
                    format!("{}: it was sent, and no trace of it was found so far; it is looked for", what.failed);
                (line, Standing::Failed(WriteError::InDoubt(not_found(&operation))))
            }
            RecoveredState::Unknown(error) => {
                let line = format!("{}: it was sent, and what became of it is not known: {error}", what.failed);
                (line, Standing::Failed(WriteError::InDoubt(error)))
            }
        };
        state.activity.add(state.clock.now, EntryKind::Notice, None, line.clone());
        lines.push(line);
        if left.last().is_none_or(|(plan_id, _)| *plan_id != op.plan_id) {
            left.push((op.plan_id, Vec::new()));
        }
        if let Some((_, steps)) = left.last_mut() {
            // What is done with has left its place; the others keep theirs.
            let gone = Step { operation: operation.clone(), standing: Standing::Dropped };
            steps.resize(op.index.max(steps.len()), gone);
            steps.push(Step { operation, standing });
        }
    }
    for (plan_id, steps) in left.into_iter().filter(|(_, steps)| steps.iter().any(|step| !step.standing.is_over())) {
        state.writes.next = state.writes.next.max(plan_id.0);
        state.writes.gathers |= steps.iter().any(|step| step.standing == Standing::Staged);
        let title = Title {
            done: "finished changes from the last session".into(),
            failed: "some changes from the last session were not carried out".into(),
        };
        insert(state, plan_id, steps, title, None, Purpose::Ordinary);
    }
    if let Some(first) = lines.first() {
        let queue = state.key(Action::ShowQueue);
        let more = lines.len() - 1;
        let others = if more == 0 { String::new() } else { format!(" and {} more", grouped(more)) };
        // Nothing opens by itself: it would take keys that are meant for something else.
        state.warn(format!("left over from the last session: {first}{others} · {queue} shows it"));
        state.writes.left_over.extend(lines);
    }
}
