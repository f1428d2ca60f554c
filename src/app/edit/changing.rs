//! From what the user typed or chose to a plan that is submitted.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::messages::Topic;
use crate::app::tree::marking::subjects;
use crate::app::words::title;
use crate::numbers::{Noun, counted};
use std::sync::Arc;

use crate::action::Action;
use crate::changes::{Operation, Plan, confirmation};
use crate::forest::RowId;
use crate::segment::{Draft, Segment, SegmentId};

use crate::app::changes::{self, SubmitMode};
use crate::app::edit::deletion::Policy;
use crate::app::edit::words;

use crate::app::edit::parents::{self, PickerPurpose};
use crate::app::tree::search;
use crate::app::{Deletion, Effect, Form, FormKind, Layer, ParentPicker, Renaming, State, availability};

/// Opens the form for a new child of the selected segment.
pub(in crate::app) fn add_child(state: &mut State) {
    let parent = state.selected_segment().map(|segment| segment.id.clone());
    state.screen.layers.push(Layer::Form(Form::create(parent)));
}

/// Opens the form for a new sibling of the selected segment.
pub(in crate::app) fn add_sibling(state: &mut State) {
    let parent = state.selected_segment().and_then(|segment| segment.parent.clone());
    let parent = parent.filter(|parent| state.tree.forest.contains(parent));
    state.screen.layers.push(Layer::Form(Form::create(parent)));
}

/// Submits the form, or leaves it open with its faults.
pub(in crate::app) fn save_form(state: &mut State, form: &mut Form) -> KeyResult {
    match form.operation(&state.tree.forest) {
        Err(()) => KeyResult::Stay,
        Ok(None) => {
            state.inform(words::NO_CHANGES);
            KeyResult::Close
        }
        Ok(Some(operation)) => {
            if let Some(op) = form.failed_op.filter(|op| state.changes.queue.is_failed_or_held(*op)) {
                return KeyResult::CloseAndDo(changes::replace(state, op, operation, Some(Layer::Form(form.clone()))));
            }
            let title = title(&operation);
            if let (FormKind::Create, Some(parent)) = (&form.kind, &form.parent) {
                state.tree.forest.expand(&RowId::Segment(parent.clone()));
            }
            let mode = form.discarded_op.map_or(SubmitMode::Requested, SubmitMode::Replacing);
            let origin = Some(Layer::Form(form.clone()));
            KeyResult::CloseAndDo(changes::start_plan(state, Plan::single(operation), title, origin, mode))
        }
    }
}

/// Submits a new name, or leaves the input open with its fault.
pub(in crate::app) fn save_name(state: &mut State, renaming: &mut Renaming) -> KeyResult {
    match renaming.draft() {
        Err(fault) => {
            renaming.fault = Some(fault.to_string());
            KeyResult::Stay
        }
        Ok(None) => KeyResult::Close,
        Ok(Some(draft)) => {
            let operation = Operation::Update { base: Arc::clone(&renaming.base), draft };
            if let Some(op) = renaming.failed_op.filter(|op| state.changes.queue.is_failed_or_held(*op)) {
                return KeyResult::CloseAndDo(changes::replace(
                    state,
                    op,
                    operation,
                    Some(Layer::Renaming(renaming.clone())),
                ));
            }
            let title = title(&operation);
            let origin = Some(Layer::Renaming(renaming.clone()));
            KeyResult::CloseAndDo(changes::start_plan(
                state,
                Plan::single(operation),
                title,
                origin,
                SubmitMode::Requested,
            ))
        }
    }
}

/// Opens the parent picker for the marked or selected segments.
pub(in crate::app) fn pick_parent(state: &mut State) -> Vec<Effect> {
    let subjects = subjects(state);
    open_picker(state, subjects, PickerPurpose::Move, "")
}

/// Opens the parent picker for the marked or selected segments with a filter text.
pub(in crate::app) fn pick_parent_among(state: &mut State, filter: &str) -> Vec<Effect> {
    let subjects = subjects(state);
    open_picker(state, subjects, PickerPurpose::Move, filter)
}

/// Opens the parent picker for one segment, whatever is marked.
pub(in crate::app) fn pick_parent_of(state: &mut State, segment: &Arc<Segment>) -> Vec<Effect> {
    open_picker(state, vec![Arc::clone(segment)], PickerPurpose::Move, "")
}

/// Opens the parent picker for the open form, filtered by what was typed on the field.
pub(in crate::app) fn choose_parent_for_form(state: &mut State, form: &Form, filter: &str) -> Vec<Effect> {
    let moving = form.subject().and_then(|id| state.tree.forest.get(id)).cloned().into_iter().collect();
    open_picker(state, moving, PickerPurpose::Form, filter)
}

fn open_picker(state: &mut State, moving: Vec<Arc<Segment>>, purpose: PickerPurpose, filter: &str) -> Vec<Effect> {
    let mut picker = ParentPicker::new(moving, purpose, filter);
    let effects = search::search_candidates(&mut state.tree, &mut picker);
    state.screen.layers.push(Layer::Parents(picker));
    effects
}

/// Searches again after the filter text of the picker changed.
pub(in crate::app) fn refilter(state: &mut State, picker: &mut ParentPicker) -> KeyResult {
    KeyResult::StayAndDo(search::search_candidates(&mut state.tree, picker))
}

/// Puts the chosen parent into the form below.
pub(in crate::app) fn fill_parent(state: &mut State, picker: &ParentPicker) -> KeyResult {
    let Some(choice) = picker.choice().cloned() else { return KeyResult::Stay };
    // The present parent is a valid choice here: it leaves the field unchanged.
    let impossible = choice.parent.as_ref().and_then(|parent| {
        let refusal = parents::refusal(&state.tree.forest, &picker.moving, Some(parent));
        refusal.filter(|_| picker.moving.iter().any(|segment| segment.parent.as_ref() != Some(parent)))
    });
    if let Some(reason) = impossible {
        state.warn(words::cannot_choose(&choice.name, reason));
        return KeyResult::Stay;
    }
    if let Some(Layer::Form(form)) = state.screen.layers.last_mut() {
        form.set_parent(choice.parent);
    }
    KeyResult::Close
}

/// Moves the segments of the picker under the chosen parent.
pub(in crate::app) fn move_to_choice(state: &mut State, picker: &ParentPicker) -> KeyResult {
    let Some(choice) = picker.choice().cloned() else { return KeyResult::Stay };
    if let Some(reason) = choice.refusal {
        state.warn(words::cannot_move_to(&choice.name, reason));
        return KeyResult::Stay;
    }
    KeyResult::CloseAndDo(move_under(state, &picker.moving, choice.parent.as_ref()))
}

/// Cuts the marked or selected segments, to be pasted elsewhere.
pub(in crate::app) fn cut(state: &mut State) {
    let subjects = subjects(state);
    state.tree.picks.cut = subjects.iter().map(|segment| segment.id.clone()).collect();
    let subject = name_or_count(&subjects);
    let text = words::cut(&subject, state.key(Action::Paste), state.key(Action::Dismiss));
    state.inform_about(Topic::Cut(state.tree.picks.cut.len()), text);
}

/// Moves the cut segments under the selected segment, or to the top level when a heading or no row is selected.
pub(in crate::app) fn paste(state: &mut State) -> Vec<Effect> {
    let moving: Vec<Arc<Segment>> = state.tree.forest.in_order(&state.tree.picks.cut).into_iter().cloned().collect();
    let target = state.selected_segment().map(|segment| segment.id.clone());
    if moving.is_empty() {
        state.tree.picks.cut.clear();
        state.warn(words::CUT_IS_GONE);
        return Vec::new();
    }
    if let Some(reason) = parents::refusal(&state.tree.forest, &moving, target.as_ref()) {
        state.warn(words::cannot_paste_here(&name_or_count(&moving), reason));
        return Vec::new();
    }
    move_under(state, &moving, target.as_ref())
}

/// Asks to move the dragged row onto another; if it is marked, all marked segments.
pub(in crate::app) fn drop_onto(state: &mut State, from: &SegmentId, to: &SegmentId) -> Vec<Effect> {
    let available = availability(state, Action::Move);
    let moving = if state.tree.picks.marked.contains(from) {
        subjects(state)
    } else {
        state.tree.forest.get(from).cloned().into_iter().collect()
    };
    let refusal = available.err().map(|reason| (Topic::Refusal(Action::Move), reason)).or_else(|| {
        let reason = parents::refusal(&state.tree.forest, &moving, Some(to))?;
        Some((Topic::Segment(to.clone()), words::cannot_drop_here(&name_or_count(&moving), reason)))
    });
    match refusal {
        Some((topic, reason)) => {
            state.warn_about(topic, reason);
            Vec::new()
        }
        None => move_in_mode(state, &moving, Some(to), SubmitMode::Unseen),
    }
}

fn move_under(state: &mut State, moving: &[Arc<Segment>], parent: Option<&SegmentId>) -> Vec<Effect> {
    move_in_mode(state, moving, parent, SubmitMode::Requested)
}

fn move_in_mode(
    state: &mut State,
    moving: &[Arc<Segment>],
    parent: Option<&SegmentId>,
    mode: SubmitMode,
) -> Vec<Effect> {
    let moved = moving.iter().filter(|segment| segment.parent.as_ref() != parent);
    let operations = moved.map(|base| {
        let draft = Draft { parent: parent.cloned(), ..Draft::of(base) };
        Operation::Update { base: Arc::clone(base), draft }
    });
    let plan = Plan { operations: operations.collect() };
    let subject = name_or_count(moving);
    let place = parent
        .and_then(|id| state.tree.forest.get(id))
        .map_or_else(|| words::TOP_LEVEL.into(), |to| to.name.to_string());
    state.tree.picks.cut.clear();
    state.tree.picks.marked.clear();
    if let Some(parent) = parent {
        state.tree.forest.expand(&RowId::Segment(parent.clone()));
    }
    changes::start_plan(state, plan, words::move_of(&subject, &place), None, mode)
}

/// Opens the dialog that asks whether and how to delete.
pub(in crate::app) fn open_deletion_dialog(state: &mut State) {
    let deletion = Deletion::of(&state.tree.forest, &subjects(state));
    state.screen.layers.push(Layer::Deletion(deletion));
}

/// Carries out a confirmed deletion, or asks again if something changed since the dialog opened.
pub(in crate::app) fn delete(state: &mut State, deletion: &Deletion, policy: Policy) -> KeyResult {
    let now = deletion.refreshed(&state.tree.forest);
    if let Some(difference) = deletion.difference(&now, &state.tree.forest) {
        if now.roots.is_empty() {
            state.warn(words::nothing_left_to_delete(&difference));
            return KeyResult::Close;
        }
        state.warn(words::review_again(&difference));
        return KeyResult::replace(Layer::Deletion(now));
    }
    let plan = deletion.plan(&state.tree.forest, policy);
    let title = words::deletion_of(&deletion.title(), policy, deletion.roots.len(), deletion.descendants);
    let operations: Vec<&Operation> = plan.operations.iter().collect();
    // The dialog has shown a single segment or subtree. More than that, and what needs a typed phrase, is reviewed as a whole.
    let shown = deletion.roots.len() == 1
        && confirmation(&state.session.safeguards(), &state.tree.forest, &operations).next().is_none();
    let mode = if shown { SubmitMode::Confirmed } else { SubmitMode::Requested };
    KeyResult::CloseAndDo(changes::start_plan(state, plan, title, None, mode))
}

pub(in crate::app) fn name_or_count(segments: &[Arc<Segment>]) -> String {
    match segments {
        [only] => only.name.to_string(),
        several => counted(several.len(), Noun::Segment),
    }
}
