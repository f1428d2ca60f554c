//! The writes under way, as an overlay on the tree: what was asked for is shown at once and marked, until the server says
//! what became of it.
//!
//! For every segment that a write concerns, the *truth* (what the server last showed) is kept beside the tree. Changes
//! made elsewhere go into the truth while a write is under way, so a refusal uncovers them rather than what was true before.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::forest::{Change, Forest, RowId};
use crate::mirror::{Applied, Command, Outcome, Ticket, WriteError};
use crate::plan::{Operation, Plan};
use crate::remote::Contexts;
use crate::segment::{Field, Segment, SegmentId};

use super::activity::{self, ActivityEntry, EntryKind, FieldChange, Originator};
use super::{Effect, Layer, State, tree_view};

/// The writes under way, and the forms that came back refused.
#[derive(Debug, Clone, Default)]
pub struct Writes {
    next: u64,
    under_way: BTreeMap<Ticket, Write>,
    pending: HashMap<SegmentId, Pending>,
    /// Dialogs whose write was refused, with the input in them, oldest first.
    pub(super) refused: VecDeque<Layer>,
}

/// A plan on its way.
#[derive(Debug, Clone)]
struct Write {
    plan: Plan,
    done: usize,
    title: Title,
    origin: Option<Layer>,
    attention: Attention,
    /// The segment that it was about, and what it changed there.
    subject: Option<SegmentId>,
    fields: Vec<FieldChange>,
}

/// How a write is spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    /// When it is done: "renamed A to B".
    pub done: String,
    /// When it is not: "A was not renamed".
    pub failed: String,
}

/// Whether the person waits for the outcome or went on to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attention {
    Waiting,
    Elsewhere,
}

/// What is under way for one segment.
#[derive(Debug, Clone, Default)]
struct Pending {
    truth: Option<Arc<Segment>>,
    operations: Vec<(Ticket, usize)>,
}

/// What is under way for a segment, for its mark on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingKind {
    /// It does not exist on the server yet.
    Creating,
    /// It is being changed.
    Changing,
    /// It is being deleted.
    Deleting,
}

impl Writes {
    /// How many operations are still to be carried out.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.under_way.values().map(|write| write.plan.operations.len() - write.done).sum()
    }

    /// What is under way for a segment.
    #[must_use]
    pub fn pending(&self, id: &SegmentId) -> Option<PendingKind> {
        let (ticket, index) = *self.pending.get(id)?.operations.last()?;
        Some(match self.under_way.get(&ticket)?.plan.operations.get(index)? {
            Operation::Create { .. } => PendingKind::Creating,
            Operation::Update { .. } => PendingKind::Changing,
            Operation::Delete { .. } => PendingKind::Deleting,
        })
    }

    /// The segments that something is under way for.
    pub(super) fn concerned(&self) -> impl Iterator<Item = &SegmentId> {
        self.pending.keys()
    }

    /// How many dialogs came back refused and wait to be opened again.
    #[must_use]
    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// The person pressed something: a refusal must not take the next keys for itself.
    pub(super) fn person_went_on(&mut self) {
        for write in self.under_way.values_mut() {
            write.attention = Attention::Elsewhere;
        }
    }

    /// What to show of a segment: the truth with everything under way laid over it.
    fn shown(&self, id: &SegmentId) -> Option<Arc<Segment>> {
        let pending = self.pending.get(id)?;
        let operations = pending.operations.iter().filter_map(|(ticket, index)| {
            self.under_way.get(ticket).and_then(|write| write.plan.operations.get(*index))
        });
        operations.fold(pending.truth.clone(), |shown, operation| match operation {
            Operation::Create { draft } => Some(Arc::new(draft.clone().into_segment(id.clone()))),
            Operation::Update { base, draft } => shown.map(|shown| {
                let kept: Vec<Field> =
                    Field::ALL.into_iter().filter(|field| !draft.changes(base).contains(field)).collect();
                Arc::new(draft.clone().with_fields_of(&shown, &kept).into_segment(id.clone()))
            }),
            Operation::Delete { .. } => shown,
        })
    }

    fn change_to_show(&self, id: &SegmentId) -> Change {
        self.shown(id).map_or_else(|| Change::Remove(id.clone()), Change::Upsert)
    }

    /// Takes an operation off a segment's list; the truth of a segment with nothing left under way.
    fn settle(&mut self, id: &SegmentId, operation: (Ticket, usize)) -> Change {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.operations.retain(|other| *other != operation);
        }
        let change = self.change_to_show(id);
        if self.pending.get(id).is_some_and(|pending| pending.operations.is_empty()) {
            self.pending.remove(id);
        }
        change
    }

    /// What is to be applied to the tree when a change made elsewhere was seen: the truth is taken in, but what is under way
    /// stays on top.
    pub(super) fn overlay(&mut self, id: &SegmentId, now: Option<Arc<Segment>>) -> Change {
        match self.pending.get_mut(id) {
            Some(pending) => {
                pending.truth = now;
                self.change_to_show(id)
            }
            None => now.map_or_else(|| Change::Remove(id.clone()), Change::Upsert),
        }
    }

    /// Lays everything under way over a complete list.
    pub(super) fn overlay_all(&mut self, listed: &Forest) -> Vec<Change> {
        for (id, pending) in &mut self.pending {
            pending.truth = listed.get(id).cloned();
        }
        self.pending.keys().map(|id| self.change_to_show(id)).collect()
    }
}

/// How an id begins that a segment has on the screen until the server has given it one. No server gives such an id.
const PROVISIONAL: &str = "(new ";

fn provisional_id(ticket: Ticket, index: usize) -> Option<SegmentId> {
    SegmentId::new(&format!("{PROVISIONAL}{}.{index})", ticket.0))
}

/// Whether a segment is still being created, so that nothing can refer to it yet.
pub(super) fn is_provisional(id: &SegmentId) -> bool {
    id.text().starts_with(PROVISIONAL)
}

fn subject(plan: &Plan, ticket: Ticket, index: usize) -> Option<SegmentId> {
    match plan.operations.get(index)? {
        Operation::Create { .. } => provisional_id(ticket, index),
        Operation::Update { base, .. } | Operation::Delete { base } => Some(base.id.clone()),
    }
}

/// Sends a plan on its way and shows what it asks for.
///
/// `origin` is the dialog it came from, to be opened again with its input when the server refuses.
pub(super) fn begin(state: &mut State, plan: Plan, title: Title, origin: Option<Layer>) -> Vec<Effect> {
    if plan.operations.is_empty() {
        return Vec::new();
    }
    state.writes.next += 1;
    let ticket = Ticket(state.writes.next);
    let subjects: Vec<SegmentId> =
        (0..plan.operations.len()).filter_map(|index| subject(&plan, ticket, index)).collect();
    let command = Command::Write { ticket, plan: plan.clone() };
    let creates = plan.operations.first().is_some_and(|operation| matches!(operation, Operation::Create { .. }));
    let write =
        Write { plan, done: 0, title, origin, attention: Attention::Waiting, subject: None, fields: Vec::new() };
    state.writes.under_way.insert(ticket, write);
    for (index, id) in subjects.iter().enumerate() {
        let truth = state.forest.get(id).cloned();
        let pending = state.writes.pending.entry(id.clone()).or_insert(Pending { truth, operations: Vec::new() });
        pending.operations.push((ticket, index));
    }
    let changes = subjects.iter().map(|id| state.writes.change_to_show(id)).collect();
    tree_view::steady(state, |state| state.forest.apply(changes));
    if creates && let Some(id) = subjects.first() {
        tree_view::go_to(state, id);
    }
    vec![Effect::Mirror(command)]
}

/// An operation of a write succeeded.
pub(super) fn operation_ended(state: &mut State, ticket: Ticket, index: usize, outcome: &Outcome) {
    let Some(write) = state.writes.under_way.get_mut(&ticket) else { return };
    write.done = write.done.max(index + 1);
    let Some(id) = subject(&write.plan, ticket, index) else { return };
    let now = state.clock.now;
    let before = state.writes.pending.get(&id).and_then(|pending| pending.truth.clone());
    if let Some(pending) = state.writes.pending.get_mut(&id) {
        pending.truth = match outcome {
            Outcome::Updated(applied) => Some(Arc::clone(&applied.segment)),
            Outcome::Created(_) | Outcome::Deleted(_) => None,
        };
    }
    let mut changes = vec![state.writes.settle(&id, (ticket, index))];
    if let Outcome::Created(applied) = outcome {
        changes.push(Change::Upsert(Arc::clone(&applied.segment)));
    }
    tree_view::steady(state, |state| {
        state.forest.apply(changes);
        if let Outcome::Created(applied) = outcome
            && state.tree.selected == Some(RowId::Segment(id.clone()))
        {
            state.tree.selected = Some(RowId::Segment(applied.segment.id.clone()));
        }
    });
    match outcome {
        Outcome::Created(applied) | Outcome::Updated(applied) => {
            state.activity.touch(&applied.segment.id, now, Originator::You);
            remark(state, applied);
            note_fields(state, ticket, before.as_deref(), applied);
        }
        Outcome::Deleted(id) => {
            state.picks.marked.remove(id);
            state.picks.cut.remove(id);
        }
    }
}

/// Says where the server or a colleague had it otherwise than asked.
fn remark(state: &mut State, applied: &Applied) {
    let name = &applied.segment.name;
    let list = |fields: &[Field]| fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    if !applied.ignored.is_empty() {
        let text = format!("{name}: the server did not take the new {}", list(&applied.ignored));
        state.activity.add(state.clock.now, EntryKind::Failed, Some(applied.segment.id.clone()), text.clone());
        state.warn(text);
    }
    if !applied.merged.is_empty() {
        let text = format!("{name}: kept the {} that somebody else had just changed", list(&applied.merged));
        state.activity.add(state.clock.now, EntryKind::Notice, Some(applied.segment.id.clone()), text);
    }
}

/// Remembers what a plan of one operation changed, to be told when it is over. A new name is told by the title already.
fn note_fields(state: &mut State, ticket: Ticket, before: Option<&Segment>, applied: &Applied) {
    let fields = before.map(|before| activity::field_changes(&state.forest, before, &applied.segment));
    let Some(write) = state.writes.under_way.get_mut(&ticket).filter(|write| write.plan.operations.len() == 1) else {
        return;
    };
    write.subject = Some(applied.segment.id.clone());
    write.fields = fields.unwrap_or_default();
    if let [FieldChange { field: Field::Name, .. }] = write.fields.as_slice() {
        write.fields.clear();
    }
}

/// A write is over.
pub(super) fn write_ended(state: &mut State, ticket: Ticket, result: Result<(), (usize, WriteError)>) {
    match result {
        Ok(()) => {
            let Some(write) = state.writes.under_way.remove(&ticket) else { return };
            let Write { title, subject, fields, .. } = write;
            let (at, text) = (state.clock.now, title.done.clone());
            let contexts = Contexts::default();
            let entry = ActivityEntry { at, kind: EntryKind::Done, text, subject, fields, contexts };
            state.activity.push(entry);
            if state.message.as_ref().is_none_or(|message| message.tone == super::Tone::Calm) {
                state.say(title.done);
            }
        }
        Err((index, error)) => fail(state, ticket, index, &Failure::of(error)),
    }
}

/// An order that the mirror could not take.
pub(super) fn undelivered(state: &mut State, command: &Command) {
    const WORDS: &str = "too much is waiting to be done; try again in a moment";
    if let Command::Write { ticket, .. } = command {
        fail(state, *ticket, 0, &Failure { words: WORDS.into(), error: None });
    } else {
        state.warn(WORDS);
    }
}

/// Why a write failed, for the person and for the dialog it came from.
struct Failure {
    words: String,
    error: Option<WriteError>,
}

impl Failure {
    fn of(error: WriteError) -> Self {
        Self { words: error.to_string(), error: Some(error) }
    }
}

fn fail(state: &mut State, ticket: Ticket, index: usize, failure: &Failure) {
    let Some(write) = state.writes.under_way.get(&ticket) else { return };
    let total = write.plan.operations.len();
    let left: Vec<(usize, SegmentId)> =
        (index..total).filter_map(|at| Some((at, subject(&write.plan, ticket, at)?))).collect();
    let mut changes = Vec::new();
    for (at, id) in left {
        if let Some(WriteError::Conflict { theirs, .. }) = failure.error.as_ref().filter(|_| at == index)
            && let Some(pending) = state.writes.pending.get_mut(&id)
        {
            pending.truth.clone_from(theirs);
        }
        changes.push(state.writes.settle(&id, (ticket, at)));
    }
    let write = state.writes.under_way.remove(&ticket);
    tree_view::steady(state, |state| state.forest.apply(changes));
    if let Some(write) = write {
        tell_failure(state, write, index, total, failure);
    }
}

fn tell_failure(state: &mut State, write: Write, index: usize, total: usize, failure: &Failure) {
    let progress = if total > 1 { format!(" ({index} of {total} steps were done)") } else { String::new() };
    let text = format!("{}{progress}: {}", write.title.failed, failure.words);
    state.activity.add(state.clock.now, EntryKind::Failed, None, text.clone());
    let Some(mut layer) = write.origin else { return state.warn(text) };
    layer.refuse(&state.forest, failure.error.as_ref(), &failure.words);
    if write.attention == Attention::Waiting && state.layers.is_empty() {
        state.message = None;
        state.layers.push(layer);
    } else {
        // Opened now, it would take keys that are meant for something else.
        state.writes.refused.push_back(layer);
        state.warn(format!("{text} · ! opens it again with your input"));
    }
}
