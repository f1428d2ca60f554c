//! Repeating the last edit on what is selected or marked now.

use std::sync::Arc;

use crate::app::changes::{self, SubmitMode};
use crate::app::edit::{changing, parents, words};
use crate::app::tree::marking::subjects;
use crate::app::words::{NOTHING_TO_REPEAT, title};
use crate::app::{Effect, State};
use crate::changes::{Operation, Plan, is_provisional};
use crate::segment::{Draft, Field, Segment};

/// Repeats the last edit: creates the same segment under the selected one, sets the same values on the marked or selected
/// segments, or asks about a deletion.
pub(in crate::app) fn repeat(state: &mut State) -> Vec<Effect> {
    match state.changes.last_edit.clone() {
        None => {
            state.warn(NOTHING_TO_REPEAT);
            Vec::new()
        }
        Some(Operation::Create { draft }) => {
            let parent = state.selected_segment().map(|segment| segment.id.clone());
            let operation = Operation::Create { draft: Draft { parent, ..draft } };
            let title = title(&operation);
            changes::start_plan(state, Plan::single(operation), title, None, SubmitMode::Requested)
        }
        Some(Operation::Update { base, draft }) => repeat_update(state, &draft, &draft.changes(&base)),
        Some(Operation::Delete { .. }) => {
            changing::open_deletion_dialog(state);
            Vec::new()
        }
    }
}

fn repeat_update(state: &mut State, draft: &Draft, fields: &[Field]) -> Vec<Effect> {
    let subjects = subjects(state);
    if fields.contains(&Field::Parent) {
        let parent = draft.parent.as_ref();
        if parent.is_some_and(|parent| !state.tree.forest.contains(parent) && !is_provisional(parent)) {
            state.warn(words::FORMER_PARENT_IS_GONE);
            return Vec::new();
        }
        if let Some(reason) = parents::refusal(&state.tree.forest, &subjects, parent) {
            state.warn(words::cannot_move_here(reason));
            return Vec::new();
        }
    }
    let operations = subjects.iter().filter_map(|base| {
        let new_draft = with_fields(base, draft, fields);
        (!new_draft.changes(base).is_empty()).then(|| Operation::Update { base: Arc::clone(base), draft: new_draft })
    });
    let operations: Vec<Operation> = operations.collect();
    let title = match operations.as_slice() {
        [] => {
            state.inform(words::NO_CHANGES);
            return Vec::new();
        }
        [only] => title(only),
        several => words::update_of_several(several.len()),
    };
    // Edits of marked segments elsewhere are reviewed first, since the user is looking at the selected row.
    let selected = state.selected_segment().map(|segment| &segment.id);
    let elsewhere = operations.iter().any(|operation| operation.subject() != selected);
    let mode = if elsewhere { SubmitMode::Unseen } else { SubmitMode::Requested };
    changes::start_plan(state, Plan { operations }, title, None, mode)
}

fn with_fields(base: &Segment, draft: &Draft, fields: &[Field]) -> Draft {
    let mut new_draft = Draft::of(base);
    for field in fields {
        match field {
            Field::Name => new_draft.name = draft.name.clone(),
            Field::ExternalId => new_draft.external_id.clone_from(&draft.external_id),
            Field::Parent => new_draft.parent.clone_from(&draft.parent),
        }
    }
    new_draft
}
