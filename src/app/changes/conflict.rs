//! The conflict dialog: the segment before, on the server and as the user wants it, side by side, to be resolved field by field.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::messages::Topic;
use std::sync::Arc;

use crate::action::Action;
use crate::changes::{OpId, Operation, Plan, WriteError};
use crate::segment::{Draft, Field, Segment, SegmentId};

use super::{SubmitMode, adopt, discard, replace, retry, start_plan, words};
use crate::app::{Effect, Form, Layer, State};
use crate::keymap::Key;

/// A conflict that waits for the user's decision.
#[derive(Debug, Clone)]
pub struct Conflict {
    pub(in crate::app) op: OpId,
    /// The kind of conflict and both sides of it.
    pub kind: ConflictKind,
    /// The focused row.
    pub row: usize,
    /// Whether the server's side changed while the dialog was open and the user has not confirmed having seen it.
    pub changed: bool,
}

/// The kind of conflict and both sides of it.
#[derive(Debug, Clone)]
pub enum ConflictKind {
    /// Both sides changed the segment.
    Changes {
        /// The segment as the user saw it.
        base: Arc<Segment>,
        /// As it is on the server now.
        theirs: Arc<Segment>,
        /// As the user wants it.
        mine: Segment,
        /// The side to keep, for each field in the order of the form.
        choices: [KeptSide; 3],
    },
    /// The user changed the segment, and someone else deleted it.
    Gone {
        /// As the user wants it.
        mine: Segment,
    },
    /// The user deletes the segment, and someone else changed it.
    Deletion {
        /// The segment as the user saw it.
        base: Arc<Segment>,
        /// As it is on the server now.
        theirs: Arc<Segment>,
    },
    /// The response to a create was lost, and a segment that has appeared since may be its result.
    PossibleDuplicate {
        /// As the user wants it.
        mine: Segment,
        /// The segment that has appeared.
        theirs: Arc<Segment>,
    },
    /// The user deletes the segment, and it has children that the user had not seen.
    NewChildren {
        /// The segment.
        base: Arc<Segment>,
        /// The new children.
        new_children: Vec<SegmentId>,
    },
}

/// The side of a conflict whose value of a field is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptSide {
    /// The server's value.
    Theirs,
    /// The user's value.
    Mine,
}

impl Conflict {
    /// Returns the conflict for a failed operation; `None` if the error is not a conflict.
    pub(in crate::app) fn of(state: &State, op: OpId, error: &WriteError) -> Option<Self> {
        let operation = &state.changes.queue.op(op)?.operation;
        let kind = match (operation, error) {
            (Operation::Update { base, draft }, WriteError::Conflict { theirs: Some(theirs), .. }) => {
                conflicting_changes(base, theirs, draft)
            }
            (Operation::Update { base, draft }, WriteError::Conflict { theirs: None, .. }) => {
                ConflictKind::Gone { mine: draft.clone().into_segment(base.id.clone()) }
            }
            (Operation::Delete { base, .. }, WriteError::Conflict { theirs: Some(theirs), .. }) => {
                ConflictKind::Deletion { base: Arc::clone(base), theirs: Arc::clone(theirs) }
            }
            (Operation::Create { draft }, WriteError::PossibleDuplicate { theirs }) => {
                let mine = draft.clone().into_segment(op.provisional_id());
                ConflictKind::PossibleDuplicate { mine, theirs: Arc::clone(theirs) }
            }
            (Operation::Delete { base, .. }, WriteError::NewChildren { new_children }) => {
                ConflictKind::NewChildren { base: Arc::clone(base), new_children: new_children.clone() }
            }
            _ => return None,
        };
        let row = match &kind {
            ConflictKind::Changes { choices, .. } => {
                choices.iter().position(|side| *side == KeptSide::Mine).unwrap_or(0)
            }
            _ => 0,
        };
        let mut conflict = Self { op, kind, row, changed: false };
        // The segment may have changed since the operation failed.
        if state.changes.queue.has_pending(conflict.server_id()) {
            let now = state.changes.queue.server_state(conflict.server_id()).cloned();
            conflict.update(now);
        }
        Some(conflict)
    }

    /// Returns how many operations of its plan are done, and how many there are.
    #[must_use]
    pub fn progress(&self, state: &State) -> Option<(usize, usize)> {
        let counts = state.changes.queue.plan(self.op.plan_id)?.counts();
        Some((counts.done, counts.total()))
    }

    /// Returns the segment on the server that the conflict is about.
    fn server_id(&self) -> &SegmentId {
        match &self.kind {
            ConflictKind::Changes { base, .. }
            | ConflictKind::Deletion { base, .. }
            | ConflictKind::NewChildren { base, .. } => &base.id,
            ConflictKind::Gone { mine } => &mine.id,
            ConflictKind::PossibleDuplicate { theirs, .. } => &theirs.id,
        }
    }

    /// Applies a change of a segment on the server. The user's choices so far stay.
    pub(in crate::app) fn changed_elsewhere(&mut self, id: &SegmentId, now: Option<&Arc<Segment>>) {
        if self.server_id() == id && self.update(now.cloned()) {
            self.changed = true;
        }
    }

    /// Updates the conflict to the current version on the server. Returns whether it changed.
    fn update(&mut self, now: Option<Arc<Segment>>) -> bool {
        let kind = match (&self.kind, now) {
            (ConflictKind::Changes { base, mine, choices, theirs }, Some(now)) if *theirs != now => {
                ConflictKind::Changes { base: Arc::clone(base), theirs: now, mine: mine.clone(), choices: *choices }
            }
            (ConflictKind::Changes { mine, .. }, None) => ConflictKind::Gone { mine: mine.clone() },
            (ConflictKind::Gone { mine }, Some(now)) => conflicting_changes(&now, &now, &Draft::of(mine)),
            (ConflictKind::Deletion { base, theirs }, Some(now)) if *theirs != now => {
                ConflictKind::Deletion { base: Arc::clone(base), theirs: now }
            }
            (ConflictKind::PossibleDuplicate { mine, theirs }, Some(now)) if *theirs != now => {
                ConflictKind::PossibleDuplicate { mine: mine.clone(), theirs: now }
            }
            // If a segment to be deleted is gone, the deletion finds that out.
            _ => return false,
        };
        self.kind = kind;
        true
    }

    /// Returns the name of the segment for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.kind {
            ConflictKind::Changes { base, .. }
            | ConflictKind::Deletion { base, .. }
            | ConflictKind::NewChildren { base, .. } => &base.name,
            ConflictKind::Gone { mine } | ConflictKind::PossibleDuplicate { mine, .. } => &mine.name,
        }
    }
}

/// Creates a conflict of changes. By default the fields that the user changed are kept, and the others are the server's.
fn conflicting_changes(base: &Arc<Segment>, theirs: &Arc<Segment>, draft: &Draft) -> ConflictKind {
    let changed_fields = draft.changes(base);
    let side = |field: Field| if changed_fields.contains(&field) { KeptSide::Mine } else { KeptSide::Theirs };
    let mine = draft.clone().into_segment(base.id.clone());
    let choices = Field::ALL.map(side);
    ConflictKind::Changes { base: Arc::clone(base), theirs: Arc::clone(theirs), mine, choices }
}

pub(in crate::app) fn press(state: &mut State, conflict: &mut Conflict, key: Key) -> KeyResult {
    let op = conflict.op;
    if !state.changes.queue.is_failed_or_held(op) {
        state.inform(words::ALREADY_RESOLVED);
        return KeyResult::Close;
    }
    let key = key.to_string();
    if conflict.changed && matches!(key.as_str(), "enter" | "e" | "t" | "c" | "D") {
        // The key was meant for the version before.
        conflict.changed = false;
        state.warn(words::conflict_changed(&key));
        return KeyResult::Stay;
    }
    match (key.as_str(), &mut conflict.kind) {
        ("esc" | "q" | "ctrl-c", _) => {
            state.inform_about(Topic::Problem(op), words::unresolved(state.key(Action::Resolve)));
            return KeyResult::Close;
        }
        ("e", ConflictKind::Changes { theirs, mine, choices, .. }) => {
            let form = Form::for_failed_update(theirs, &chosen(theirs, mine, *choices), op);
            return KeyResult::replace(Layer::Form(form));
        }
        ("down" | "j" | "tab", ConflictKind::Changes { .. }) => conflict.row = (conflict.row + 1) % Field::ALL.len(),
        ("up" | "k" | "backtab", ConflictKind::Changes { .. }) => {
            conflict.row = (conflict.row + Field::ALL.len() - 1) % Field::ALL.len();
        }
        ("left" | "h", ConflictKind::Changes { choices, .. }) => choices[conflict.row] = KeptSide::Theirs,
        ("right" | "l", ConflictKind::Changes { choices, .. }) => choices[conflict.row] = KeptSide::Mine,
        ("space", ConflictKind::Changes { choices, .. }) => {
            let other = if choices[conflict.row] == KeptSide::Mine { KeptSide::Theirs } else { KeptSide::Mine };
            choices[conflict.row] = other;
        }
        // Fields that the user did not change stay as the server has them.
        ("m", ConflictKind::Changes { base, mine, choices, .. }) => {
            let changed_fields = base.differing_fields(mine);
            let side = |field: Field| if changed_fields.contains(&field) { KeptSide::Mine } else { KeptSide::Theirs };
            *choices = Field::ALL.map(side);
        }
        ("t", ConflictKind::PossibleDuplicate { theirs, .. }) => {
            let id = theirs.id.clone();
            return KeyResult::CloseAndDo(adopt(state, op, id));
        }
        ("c", ConflictKind::PossibleDuplicate { .. }) => return KeyResult::CloseAndDo(retry(state, op)),
        ("t", _) => return KeyResult::CloseAndDo(keep_theirs(state, op)),
        ("enter", ConflictKind::Changes { theirs, mine, choices, .. }) => {
            return KeyResult::CloseAndDo(save(state, op, theirs, mine, *choices));
        }
        ("c", ConflictKind::Gone { mine }) => {
            return KeyResult::replace(Layer::Form(Form::for_recreation(mine, op, &state.tree.forest)));
        }
        // Deleting needs a key that is unbound on the main screen by default, so that a mistyped key can't delete anything.
        ("D", ConflictKind::Deletion { theirs, .. }) => return KeyResult::CloseAndDo(delete_anyway(state, op, theirs)),
        ("D", ConflictKind::NewChildren { base, new_children }) => {
            let (base, new_children) = (Arc::clone(base), new_children.clone());
            return KeyResult::CloseAndDo(delete_with_new_children(state, op, &base, &new_children));
        }
        _ => {}
    }
    KeyResult::Stay
}

fn keep_theirs(state: &mut State, op: OpId) -> Vec<Effect> {
    state.inform(words::KEPT_THEIRS);
    discard(state, op)
}

/// Saves the chosen value of each field, based on the server's current version.
fn save(state: &mut State, op: OpId, theirs: &Arc<Segment>, mine: &Segment, choices: [KeptSide; 3]) -> Vec<Effect> {
    let draft = Draft::of(&chosen(theirs, mine, choices));
    if draft.changes(theirs).is_empty() {
        return keep_theirs(state, op);
    }
    replace(state, op, Operation::Update { base: Arc::clone(theirs), draft }, None)
}

/// Returns the segment with the chosen value of each field.
fn chosen(theirs: &Segment, mine: &Segment, choices: [KeptSide; 3]) -> Segment {
    let choices = Field::ALL.into_iter().zip(choices);
    let fields: Vec<Field> = choices.filter(|(_, side)| *side == KeptSide::Mine).map(|(field, _)| field).collect();
    theirs.clone().with_fields_of(mine, &fields)
}

fn delete_anyway(state: &mut State, op: OpId, theirs: &Arc<Segment>) -> Vec<Effect> {
    let leaving = children_left_to_server(state, op);
    replace(state, op, Operation::Delete { base: Arc::clone(theirs), leaving }, None)
}

/// Returns the children that the user left to the server when deleting.
fn children_left_to_server(state: &State, op: OpId) -> Vec<SegmentId> {
    match state.changes.queue.op(op).map(|step| &step.operation) {
        Some(Operation::Delete { leaving, .. }) => leaving.clone(),
        _ => Vec::new(),
    }
}

/// Deletes the new children with their subtrees first, then the segment. The dialog lists the new children.
fn delete_with_new_children(
    state: &mut State,
    op: OpId,
    base: &Arc<Segment>,
    new_children: &[SegmentId],
) -> Vec<Effect> {
    let plans = new_children.iter().map(|id| Plan::delete_subtree(&state.tree.forest, id));
    let mut operations: Vec<Operation> = plans.flat_map(|plan| plan.operations).collect();
    if operations.is_empty() {
        state.warn(words::CHILDREN_NOT_LOADED);
        return Vec::new();
    }
    operations.push(Operation::Delete { base: Arc::clone(base), leaving: children_left_to_server(state, op) });
    let title = words::deletion_with_new_children(&base.name);
    // The plan deletes more than the user has seen so far, so it is reviewed first.
    start_plan(state, Plan { operations }, title, None, SubmitMode::Replacing(op))
}
