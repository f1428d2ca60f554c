//! Somebody else was faster: what the person saw, what it is now and what they want, side by side, to be decided field by field.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::messages::Topic;
use std::sync::Arc;

use crate::action::Action;
use crate::changes::{OpId, Operation, Plan, WriteError};
use crate::segment::{Draft, Field, Segment, SegmentId};

use super::{SubmitMode, adopt, begin, discard, replace, retry, words};
use crate::app::{Effect, Form, Layer, State};
use crate::keymap::Key;

/// A conflict that waits for a decision.
#[derive(Debug, Clone)]
pub struct Conflict {
    pub(in crate::app) op: OpId,
    /// What stands against what.
    pub between: Between,
    /// The row that the keys are about.
    pub row: usize,
    /// Whether what is on the server has changed while this was open, and nobody has said yet that they saw it.
    pub changed: bool,
}

/// What stands against what.
#[derive(Debug, Clone)]
pub enum Between {
    /// Both changed it.
    Changes {
        /// The segment as the person saw it.
        base: Arc<Segment>,
        /// As it is now.
        theirs: Arc<Segment>,
        /// As the person wants it.
        mine: Segment,
        /// Whose is taken, for each field in the order of the form.
        choices: [KeptSide; 3],
    },
    /// The person changed it, and somebody deleted it.
    Gone {
        /// As the person wants it.
        mine: Segment,
    },
    /// The person deletes it, and somebody changed it.
    Deletion {
        /// The segment as the person saw it.
        base: Arc<Segment>,
        /// As it is now.
        theirs: Arc<Segment>,
    },
    /// The person created it, no answer came, and what has appeared since may be it.
    PossibleDuplicate {
        /// As the person wants it.
        mine: Segment,
        /// What has appeared.
        theirs: Arc<Segment>,
    },
    /// The person deletes it, and more stands below it than they saw.
    NewChildren {
        /// The segment.
        base: Arc<Segment>,
        /// What came.
        newcomers: Vec<SegmentId>,
    },
}

/// Whose value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptSide {
    /// As it is on the server.
    Theirs,
    /// As the person wants it.
    Mine,
}

impl Conflict {
    /// The conflict that an error tells of, if it tells of one.
    pub(in crate::app) fn of(state: &State, op: OpId, error: &WriteError) -> Option<Self> {
        let operation = &state.changes.queue.op(op)?.operation;
        let between = match (operation, error) {
            (Operation::Update { base, draft }, WriteError::Conflict { theirs: Some(theirs), .. }) => {
                changes(base, theirs, draft)
            }
            (Operation::Update { base, draft }, WriteError::Conflict { theirs: None, .. }) => {
                Between::Gone { mine: draft.clone().into_segment(base.id.clone()) }
            }
            (Operation::Delete { base, .. }, WriteError::Conflict { theirs: Some(theirs), .. }) => {
                Between::Deletion { base: Arc::clone(base), theirs: Arc::clone(theirs) }
            }
            (Operation::Create { draft }, WriteError::PossibleDuplicate { theirs }) => {
                let mine = draft.clone().into_segment(op.provisional_id());
                Between::PossibleDuplicate { mine, theirs: Arc::clone(theirs) }
            }
            (Operation::Delete { base, .. }, WriteError::NewChildren { newcomers }) => {
                Between::NewChildren { base: Arc::clone(base), newcomers: newcomers.clone() }
            }
            _ => return None,
        };
        let row = match &between {
            Between::Changes { choices, .. } => choices.iter().position(|side| *side == KeptSide::Mine).unwrap_or(0),
            _ => 0,
        };
        let mut conflict = Self { op, between, row, changed: false };
        // More may have happened since it failed.
        if state.changes.queue.concerns(conflict.theirs()) {
            let now = state.changes.queue.truth(conflict.theirs()).cloned();
            conflict.take(now);
        }
        Some(conflict)
    }

    /// How many operations of its plan are done, and how many there are.
    #[must_use]
    pub fn progress(&self, state: &State) -> Option<(usize, usize)> {
        let counts = state.changes.queue.plan(self.op.plan_id)?.counts();
        Some((counts.done, counts.total()))
    }

    /// The segment on the server that it is about.
    fn theirs(&self) -> &SegmentId {
        match &self.between {
            Between::Changes { base, .. } | Between::Deletion { base, .. } | Between::NewChildren { base, .. } => {
                &base.id
            }
            Between::Gone { mine } => &mine.id,
            Between::PossibleDuplicate { theirs, .. } => &theirs.id,
        }
    }

    /// A segment is this by now. What the person has chosen so far stays.
    pub(in crate::app) fn changed_elsewhere(&mut self, id: &SegmentId, now: Option<&Arc<Segment>>) {
        if self.theirs() == id && self.take(now.cloned()) {
            self.changed = true;
        }
    }

    /// Goes on from what is there now. Answers whether that is anything else.
    fn take(&mut self, now: Option<Arc<Segment>>) -> bool {
        let between = match (&self.between, now) {
            (Between::Changes { base, mine, choices, theirs }, Some(now)) if *theirs != now => {
                Between::Changes { base: Arc::clone(base), theirs: now, mine: mine.clone(), choices: *choices }
            }
            (Between::Changes { mine, .. }, None) => Between::Gone { mine: mine.clone() },
            (Between::Gone { mine }, Some(now)) => changes(&now, &now, &Draft::of(mine)),
            (Between::Deletion { base, theirs }, Some(now)) if *theirs != now => {
                Between::Deletion { base: Arc::clone(base), theirs: now }
            }
            (Between::PossibleDuplicate { mine, theirs }, Some(now)) if *theirs != now => {
                Between::PossibleDuplicate { mine: mine.clone(), theirs: now }
            }
            // That it is gone is found when it is deleted.
            _ => return false,
        };
        self.between = between;
        true
    }

    /// The name to speak of.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.between {
            Between::Changes { base, .. } | Between::Deletion { base, .. } | Between::NewChildren { base, .. } => {
                &base.name
            }
            Between::Gone { mine } | Between::PossibleDuplicate { mine, .. } => &mine.name,
        }
    }
}

/// At first, what the person changed is theirs to have, and everything else is as it is now.
fn changes(base: &Arc<Segment>, theirs: &Arc<Segment>, draft: &Draft) -> Between {
    let meant = draft.changes(base);
    let side = |field: Field| if meant.contains(&field) { KeptSide::Mine } else { KeptSide::Theirs };
    let mine = draft.clone().into_segment(base.id.clone());
    let choices = Field::ALL.map(side);
    Between::Changes { base: Arc::clone(base), theirs: Arc::clone(theirs), mine, choices }
}

pub(in crate::app) fn press(state: &mut State, conflict: &mut Conflict, key: Key) -> KeyResult {
    let op = conflict.op;
    if !state.changes.queue.rests(op) {
        state.inform(words::ALREADY_RESOLVED);
        return KeyResult::Close;
    }
    let key = key.to_string();
    if conflict.changed && matches!(key.as_str(), "enter" | "e" | "t" | "c" | "D") {
        // It was pressed for what was there before.
        conflict.changed = false;
        state.warn(words::conflict_changed(&key));
        return KeyResult::Stay;
    }
    match (key.as_str(), &mut conflict.between) {
        ("esc" | "q" | "ctrl-c", _) => {
            state.inform_about(Topic::Problem(op), words::unresolved(state.key(Action::Resolve)));
            return KeyResult::Close;
        }
        ("e", Between::Changes { theirs, mine, choices, .. }) => {
            let form = Form::amending(theirs, &chosen(theirs, mine, *choices), op);
            return KeyResult::replace(Layer::Form(form));
        }
        ("down" | "j" | "tab", Between::Changes { .. }) => conflict.row = (conflict.row + 1) % Field::ALL.len(),
        ("up" | "k" | "backtab", Between::Changes { .. }) => {
            conflict.row = (conflict.row + Field::ALL.len() - 1) % Field::ALL.len();
        }
        ("left" | "h", Between::Changes { choices, .. }) => choices[conflict.row] = KeptSide::Theirs,
        ("right" | "l", Between::Changes { choices, .. }) => choices[conflict.row] = KeptSide::Mine,
        ("space", Between::Changes { choices, .. }) => {
            let other = if choices[conflict.row] == KeptSide::Mine { KeptSide::Theirs } else { KeptSide::Mine };
            choices[conflict.row] = other;
        }
        // What the person never touched stays as the other has made it.
        ("m", Between::Changes { base, mine, choices, .. }) => {
            let touched = base.differing_fields(mine);
            let side = |field: Field| if touched.contains(&field) { KeptSide::Mine } else { KeptSide::Theirs };
            *choices = Field::ALL.map(side);
        }
        ("t", Between::PossibleDuplicate { theirs, .. }) => {
            let id = theirs.id.clone();
            return KeyResult::Do(adopt(state, op, id));
        }
        ("c", Between::PossibleDuplicate { .. }) => return KeyResult::Do(retry(state, op)),
        ("t", _) => return KeyResult::Do(keep_theirs(state, op)),
        ("enter", Between::Changes { theirs, mine, choices, .. }) => {
            return KeyResult::Do(save(state, op, theirs, mine, *choices));
        }
        ("c", Between::Gone { mine }) => {
            return KeyResult::replace(Layer::Form(Form::creating_again(mine, op, &state.tree.forest)));
        }
        // A key that means something on the main screen must not destroy anything here.
        ("D", Between::Deletion { theirs, .. }) => return KeyResult::Do(delete_all_the_same(state, op, theirs)),
        ("D", Between::NewChildren { base, newcomers }) => {
            let (base, newcomers) = (Arc::clone(base), newcomers.clone());
            return KeyResult::Do(delete_with_newcomers(state, op, &base, &newcomers));
        }
        _ => {}
    }
    KeyResult::Stay
}

fn keep_theirs(state: &mut State, op: OpId) -> Vec<Effect> {
    state.inform(words::KEPT_THEIRS);
    discard(state, op)
}

/// Saves the chosen value of each field over the present state, knowingly.
fn save(state: &mut State, op: OpId, theirs: &Arc<Segment>, mine: &Segment, choices: [KeptSide; 3]) -> Vec<Effect> {
    let draft = Draft::of(&chosen(theirs, mine, choices));
    if draft.changes(theirs).is_empty() {
        return keep_theirs(state, op);
    }
    replace(state, op, Operation::Update { base: Arc::clone(theirs), draft }, None)
}

/// The segment with the chosen value of each field.
fn chosen(theirs: &Segment, mine: &Segment, choices: [KeptSide; 3]) -> Segment {
    let choices = Field::ALL.into_iter().zip(choices);
    let fields: Vec<Field> = choices.filter(|(_, side)| *side == KeptSide::Mine).map(|(field, _)| field).collect();
    theirs.clone().with_fields_of(mine, &fields)
}

fn delete_all_the_same(state: &mut State, op: OpId, theirs: &Arc<Segment>) -> Vec<Effect> {
    let leaving = leaving(state, op);
    replace(state, op, Operation::Delete { base: Arc::clone(theirs), leaving }, None)
}

/// The children that the person chose to leave to the server.
fn leaving(state: &State, op: OpId) -> Vec<SegmentId> {
    match state.changes.queue.op(op).map(|step| &step.operation) {
        Some(Operation::Delete { leaving, .. }) => leaving.clone(),
        _ => Vec::new(),
    }
}

/// Deletes what came as well, the lowest first. All of it is named by the dialog.
fn delete_with_newcomers(state: &mut State, op: OpId, base: &Arc<Segment>, newcomers: &[SegmentId]) -> Vec<Effect> {
    let plans = newcomers.iter().map(|id| Plan::delete_subtree(&state.tree.forest, id));
    let mut operations: Vec<Operation> = plans.flat_map(|plan| plan.operations).collect();
    if operations.is_empty() {
        state.warn(words::CHILDREN_NOT_LOADED);
        return Vec::new();
    }
    operations.push(Operation::Delete { base: Arc::clone(base), leaving: leaving(state, op) });
    let title = words::deletion_with_new_children(&base.name);
    // What has come is more than the person was shown, so it is shown first.
    begin(state, Plan { operations }, title, None, SubmitMode::Instead(op))
}
