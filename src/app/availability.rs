//! Whether an action can be granted at the moment, and if not, why.

use crate::action::{Action, Aspect};
use crate::forest::{Fold, RowId};
use crate::remote::Fault;
use crate::segment::SegmentId;

use super::dialogs::user_commands;
use super::tree::{filter, viewport};
use super::{Access, Pane, State, browsing, changes, words};
use crate::changes::{PendingKind, is_provisional};

/// Whether an action can act now, as far as that can be said in the time of a frame: what is pending is looked at where it is not
/// much. Whoever presses the key is told exactly.
///
/// # Errors
///
/// The reason why not, as a sentence for the person.
pub fn availability_at_a_glance(state: &State, action: Action) -> Result<(), String> {
    let is_much = state.changes.queue.concerned_count() > GLANCE;
    match action {
        Action::Delete if is_much => subjects_settled(state),
        Action::EditAsText if is_much => Ok(()),
        _ => availability(state, action),
    }
}

/// Segments that something is pending for, of which each can be looked at for every frame.
const GLANCE: usize = 1_000;

/// Whether an action can act now.
///
/// # Errors
///
/// The reason why not, as a sentence for the person.
pub fn availability(state: &State, action: Action) -> Result<(), String> {
    if state.screen.panes.focus == Pane::Activity && changes_the_selected(action) {
        return Err(words::activity_has_focus(state.key(Action::Dismiss)));
    }
    if action.is_write() && state.session.access == Access::ReadOnly {
        return Err(words::sentence(&Fault::ReadOnly.to_string()));
    }
    match action {
        Action::Delete => subjects_settled(state)
            .and_then(|()| nothing_new_among(state))
            .and_then(|()| nothing_under_way_below(state)),
        Action::EditAsText => text_settled(state),
        Action::Edit | Action::Rename | Action::Move | Action::Cut => subjects_settled(state),
        Action::Paste if state.tree.picks.cut.is_empty() => Err(words::nothing_to_paste(state.key(Action::Cut))),
        Action::AddChild | Action::AddSibling | Action::Paste => place_for_new(state),
        Action::Mark | Action::Bookmark => existing(state),
        Action::GoToBookmark if !state.tree.picks.places.any_bookmark() => {
            Err(words::no_bookmarks(state.key(Action::Bookmark)))
        }
        Action::Copy(aspect) => copyable(state, aspect),
        Action::NextMatch | Action::PreviousMatch | Action::MarkMatches if state.tree.search.is_none() => {
            Err(words::no_search(state.key(Action::Find)))
        }
        Action::UserCommands(number) => user_commands::available(state, number),
        Action::Browse => addressable(state),
        Action::Resolve if state.changes.refused_count() == 0 && state.changes.counts().failed == 0 => {
            Err(words::NO_FAILED_CHANGES.into())
        }
        // There it goes to the segment of an entry, or undoes that.
        Action::ToggleFold | Action::Undo if state.screen.panes.focus == Pane::Activity => Ok(()),
        Action::Undo if !state.changes.queue.undo_stack().can_undo() && state.changes.counts().done == 0 => {
            let moving = state.changes.queue.is_moving();
            Err(if moving { changes::STILL_SENDING } else { changes::NOTHING_TO_UNDO }.into())
        }
        Action::Repeat if state.changes.last_edit.is_none() => Err(words::NOTHING_TO_REPEAT.into()),
        Action::Redo if !state.changes.queue.undo_stack().can_redo() => Err(changes::NOTHING_TO_REDO.into()),
        Action::ToggleFold if filter::is_kept(&state.tree) => Ok(()),
        Action::ExpandSubtree | Action::FoldToLevel(_) if filter::is_kept(&state.tree) => {
            Err(words::everything_is_shown(state.key(Action::Dismiss)))
        }
        Action::ExpandSubtree | Action::ToggleFold => foldable(state),
        _ => Ok(()),
    }
}

/// Whether it changes or picks the row that is selected in the tree.
const fn changes_the_selected(action: Action) -> bool {
    matches!(
        action,
        Action::AddChild
            | Action::AddSibling
            | Action::Edit
            | Action::EditAsText
            | Action::Rename
            | Action::Move
            | Action::Cut
            | Action::Paste
            | Action::Delete
            | Action::Repeat
            | Action::Mark
            | Action::MarkRange
            | Action::MarkDown
            | Action::MarkUp
    )
}

/// Whether the footer should show an action: it can act, and it does something where the selection is.
pub(super) fn foldable(state: &State) -> Result<(), String> {
    let row = viewport::selected_row(state).and_then(|(at, _)| state.shown_row(at));
    match row.map(|row| row.fold) {
        None => Err(words::NOTHING_SELECTED.into()),
        Some(Fold::Leaf) => Err(words::NO_CHILDREN.into()),
        Some(Fold::Closed | Fold::Open) => Ok(()),
    }
}

fn existing(state: &State) -> Result<(), String> {
    match &state.tree.view.selected {
        None => Err(words::no_segment_selected(state.key(Action::AddChild))),
        Some(RowId::Heading(_)) => Err(words::HEADING_SELECTED.into()),
        Some(RowId::Segment(id)) if !state.tree.forest.contains(id) => Err(words::only_referenced(id)),
        Some(RowId::Segment(_)) => Ok(()),
    }
}

fn subjects_settled(state: &State) -> Result<(), String> {
    if state.tree.picks.marked.is_empty() {
        existing(state)?;
    }
    for segment in pending_subjects(state).filter_map(|id| state.tree.forest.get(id)) {
        match state.changes.queue.pending(&segment.id) {
            Some(PendingKind::Deleting) => return Err(words::is_being_deleted(&segment.name)),
            Some(PendingKind::Failed) => {
                return Err(words::has_unresolved_change(&segment.name, state.key(Action::Resolve)));
            }
            // What builds upon it waits for it.
            Some(PendingKind::Creating | PendingKind::Changing) | None => {}
        }
    }
    Ok(())
}

/// Also the id of a parent that is missing is worth having: it can be asked for.
fn copyable(state: &State, aspect: Aspect) -> Result<(), String> {
    let only_named = matches!(aspect, Aspect::Id | Aspect::Curl);
    let named = matches!(state.tree.view.selected, Some(RowId::Segment(_)));
    if state.tree.picks.marked.is_empty() && !(only_named && named) {
        existing(state)?;
    }
    if only_named || aspect == Aspect::Json { nothing_new_among(state) } else { Ok(()) }
}

fn addressable(state: &State) -> Result<(), String> {
    existing(state)?;
    let Some(segment) = state.selected_segment() else { return Ok(()) };
    if is_provisional(&segment.id) {
        return Err(words::wait_until_created(&segment.name));
    }
    browsing::address(state, segment).map(|_| ())
}

/// What does not exist yet can't be deleted, and has no id to speak of.
fn nothing_new_among(state: &State) -> Result<(), String> {
    let new = pending_subjects(state).find(|id| is_provisional(id));
    match new.and_then(|id| state.tree.forest.get(id)) {
        Some(segment) => Err(words::discard_while_created(&segment.name, state.key(Action::ShowPending))),
        None => Ok(()),
    }
}

/// What an action would speak of and something is pending for.
fn pending_subjects(state: &State) -> Box<dyn Iterator<Item = &SegmentId> + '_> {
    let (marked, queue) = (&state.tree.picks.marked, &state.changes.queue);
    match &state.tree.view.selected {
        // Of both there may be many.
        _ if marked.len() > queue.concerned_count() => Box::new(queue.concerned().filter(|id| marked.contains(*id))),
        _ if !marked.is_empty() => Box::new(marked.iter().filter(|id| queue.concerns(id))),
        Some(RowId::Segment(id)) if queue.concerns(id) => Box::new(std::iter::once(id)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Whether an action would speak of a segment: all marked ones, or else the selected one.
fn is_subject(state: &State, id: &SegmentId) -> bool {
    match &state.tree.view.selected {
        _ if !state.tree.picks.marked.is_empty() => state.tree.picks.marked.contains(id),
        Some(RowId::Segment(selected)) => selected == id,
        _ => false,
    }
}

/// What would go with a subtree must be known, so nothing in it may still be on its way.
fn nothing_under_way_below(state: &State) -> Result<(), String> {
    let below = |id| state.tree.forest.ancestors(id).find(|above| is_subject(state, &above.id));
    match state.changes.queue.concerned().find_map(below) {
        Some(subject) => Err(words::wait_for_descendant(&subject.name)),
        None => Ok(()),
    }
}

/// What is written as a text must exist and stay; what only changes may be changed further.
fn text_settled(state: &State) -> Result<(), String> {
    let everything = state.tree.picks.marked.is_empty() && state.tree.view.selected.is_none();
    if state.tree.picks.marked.is_empty() && !everything {
        existing(state)?;
    }
    let is_written = |id: &SegmentId| {
        everything || is_subject(state, id) || state.tree.forest.ancestors(id).any(|above| is_subject(state, &above.id))
    };
    for segment in state.changes.queue.concerned().filter_map(|id| state.tree.forest.get(id)) {
        let name = &segment.name;
        let reason = match state.changes.queue.pending(&segment.id) {
            Some(PendingKind::Creating) => words::is_being_created(name),
            Some(PendingKind::Deleting) => words::is_being_deleted(name),
            Some(PendingKind::Failed) => words::has_unresolved_change(name, state.key(Action::Resolve)),
            Some(PendingKind::Changing) | None => continue,
        };
        if is_written(&segment.id) {
            return Err(reason);
        }
    }
    Ok(())
}

fn place_for_new(state: &State) -> Result<(), String> {
    if state.tree.view.selected.is_none() {
        return Ok(());
    }
    existing(state)?;
    let pending = state.selected_segment().and_then(|segment| state.changes.queue.pending(&segment.id));
    match pending {
        Some(PendingKind::Deleting) => Err(words::BEING_DELETED.into()),
        Some(PendingKind::Creating | PendingKind::Changing | PendingKind::Failed) | None => Ok(()),
    }
}
