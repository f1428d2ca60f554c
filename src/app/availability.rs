//! Whether an action is available now, and if not, why.

use std::collections::HashSet;

use crate::action::{Action, Aspect};
use crate::forest::{Fold, RowId};
use crate::remote::Fault;
use crate::segment::SegmentId;

use super::dialogs::user_commands;
use super::tree::{filter, viewport};
use super::{Access, Pane, State, browsing, changes, words};
use crate::changes::{PendingKind, is_provisional};

/// The marked segments, which an action applies to instead of the selected one.
type Marked = HashSet<SegmentId>;

/// Whether an action is available now, as far as can be determined within a frame: with many pending changes, the checks that
/// visit each of them are skipped. [`availability`], which runs when the key is pressed, is exact.
///
/// # Errors
///
/// The reason, as a sentence for the user.
pub fn availability_at_a_glance(state: &State, action: Action) -> Result<(), String> {
    let is_over_limit = state.changes.queue.pending_count() > MAX_CHECKED_PER_FRAME;
    match action {
        Action::Delete if is_over_limit => require_settled(state, &state.tree.picks.marked),
        Action::EditAsText if is_over_limit => Ok(()),
        _ => availability(state, action),
    }
}

/// The maximum number of segments with pending changes that are checked one by one for every frame.
const MAX_CHECKED_PER_FRAME: usize = 1_000;

/// Whether an action is available now.
///
/// # Errors
///
/// The reason, as a sentence for the user.
pub fn availability(state: &State, action: Action) -> Result<(), String> {
    availability_among(state, &state.tree.picks.marked, action)
}

/// Whether an action is available for the selected segment alone, whatever is marked.
///
/// # Errors
///
/// The reason, as a sentence for the user.
pub(super) fn availability_for_selected(state: &State, action: Action) -> Result<(), String> {
    availability_among(state, &Marked::default(), action)
}

fn availability_among(state: &State, marked: &Marked, action: Action) -> Result<(), String> {
    if state.screen.panes.focus == Pane::Activity && changes_the_selected(action) {
        return Err(words::activity_has_focus(state.key(Action::Dismiss)));
    }
    if action.is_write() && state.session.access == Access::ReadOnly {
        return Err(words::sentence(&Fault::ReadOnly.to_string()));
    }
    match action {
        Action::Delete => require_settled(state, marked)
            .and_then(|()| require_created(state, marked))
            .and_then(|()| require_settled_descendants(state, marked)),
        Action::EditAsText => require_editable_as_text(state, marked),
        Action::Edit | Action::Rename | Action::Move | Action::Cut => require_settled(state, marked),
        Action::Paste if state.tree.picks.cut.is_empty() => Err(words::nothing_to_paste(state.key(Action::Cut))),
        Action::AddChild | Action::AddSibling | Action::Paste => require_place_for_new(state),
        Action::Mark | Action::Bookmark => require_existing(state),
        Action::GoToBookmark if !state.tree.picks.places.has_bookmarks() => {
            Err(words::no_bookmarks(state.key(Action::Bookmark)))
        }
        Action::Copy(aspect) => require_copyable(state, marked, aspect),
        Action::NextMatch | Action::PreviousMatch | Action::MarkMatches if state.tree.search.is_none() => {
            Err(words::no_search(state.key(Action::Find)))
        }
        Action::UserCommands(number) => user_commands::available(state, number),
        Action::Browse => require_address(state),
        Action::Resolve if state.changes.failed_dialog_count() == 0 && state.changes.counts().failed == 0 => {
            Err(words::NO_FAILED_CHANGES.into())
        }
        // In the activity, these act on the selected entry: they go to its segment or undo it.
        Action::ToggleFold | Action::Undo if state.screen.panes.focus == Pane::Activity => Ok(()),
        Action::Undo if !state.changes.queue.undo_stack().can_undo() && state.changes.counts().done == 0 => {
            let moving = state.changes.queue.is_sending();
            Err(if moving { changes::STILL_SENDING } else { changes::NOTHING_TO_UNDO }.into())
        }
        Action::Repeat if state.changes.last_edit.is_none() => Err(words::NOTHING_TO_REPEAT.into()),
        Action::Redo if !state.changes.queue.undo_stack().can_redo() => Err(changes::NOTHING_TO_REDO.into()),
        Action::ToggleFold if filter::is_kept(&state.tree) => Ok(()),
        Action::ExpandSubtree | Action::FoldToLevel(_) if filter::is_kept(&state.tree) => {
            Err(words::everything_is_shown(state.key(Action::Dismiss)))
        }
        Action::ExpandSubtree | Action::ToggleFold => require_foldable(state),
        _ => Ok(()),
    }
}

/// Whether an action edits or marks the row that is selected in the tree.
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

/// Whether the selected row has children and so can be folded or unfolded.
pub(super) fn require_foldable(state: &State) -> Result<(), String> {
    let row = viewport::selected_row(state).and_then(|(at, _)| state.shown_row(at));
    match row.map(|row| row.fold) {
        None => Err(words::NOTHING_SELECTED.into()),
        Some(Fold::Leaf) => Err(words::NO_CHILDREN.into()),
        Some(Fold::Closed | Fold::Open) => Ok(()),
    }
}

fn require_existing(state: &State) -> Result<(), String> {
    match &state.tree.view.selected {
        None => Err(words::no_segment_selected(state.key(Action::AddChild))),
        Some(RowId::Heading(_)) => Err(words::HEADING_SELECTED.into()),
        Some(RowId::Segment(id)) if !state.tree.forest.contains(id) => Err(words::only_referenced(id)),
        Some(RowId::Segment(_)) => Ok(()),
    }
}

fn require_settled(state: &State, marked: &Marked) -> Result<(), String> {
    if marked.is_empty() {
        require_existing(state)?;
    }
    for segment in pending_subjects(state, marked).filter_map(|id| state.tree.forest.get(id)) {
        match state.changes.queue.pending(&segment.id) {
            Some(PendingKind::Deleting) => return Err(words::is_being_deleted(&segment.name)),
            Some(PendingKind::Failed) => {
                return Err(words::has_unresolved_change(&segment.name, state.key(Action::Resolve)));
            }
            // A further change waits for the pending one.
            Some(PendingKind::Creating | PendingKind::Changing) | None => {}
        }
    }
    Ok(())
}

/// The id of a missing parent can be copied too, alone or as a curl command: the server can be asked for it.
fn require_copyable(state: &State, marked: &Marked, aspect: Aspect) -> Result<(), String> {
    let needs_only_id = matches!(aspect, Aspect::Id | Aspect::Curl);
    let is_segment_row = matches!(state.tree.view.selected, Some(RowId::Segment(_)));
    if marked.is_empty() && !(needs_only_id && is_segment_row) {
        require_existing(state)?;
    }
    if needs_only_id || aspect == Aspect::Json { require_created(state, marked) } else { Ok(()) }
}

fn require_address(state: &State) -> Result<(), String> {
    require_existing(state)?;
    let Some(segment) = state.selected_segment() else { return Ok(()) };
    if is_provisional(&segment.id) {
        return Err(words::wait_until_created(&segment.name));
    }
    browsing::address(state, segment).map(|_| ())
}

/// A segment that isn't created yet can't be deleted, and has no id to copy.
fn require_created(state: &State, marked: &Marked) -> Result<(), String> {
    let new = pending_subjects(state, marked).find(|id| is_provisional(id));
    match new.and_then(|id| state.tree.forest.get(id)) {
        Some(segment) => Err(words::discard_while_created(&segment.name, state.key(Action::ShowPending))),
        None => Ok(()),
    }
}

/// Returns the segments that an action would apply to and that have pending changes.
fn pending_subjects<'a>(state: &'a State, marked: &'a Marked) -> Box<dyn Iterator<Item = &'a SegmentId> + 'a> {
    let queue = &state.changes.queue;
    match &state.tree.view.selected {
        // Both sets may be large, so this iterates over the smaller one.
        _ if marked.len() > queue.pending_count() => Box::new(queue.pending_ids().filter(|id| marked.contains(*id))),
        _ if !marked.is_empty() => Box::new(marked.iter().filter(|id| queue.has_pending(id))),
        Some(RowId::Segment(id)) if queue.has_pending(id) => Box::new(std::iter::once(id)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Whether an action would apply to a segment: to all marked ones, or else to the selected one.
fn is_subject(state: &State, marked: &Marked, id: &SegmentId) -> bool {
    match &state.tree.view.selected {
        _ if !marked.is_empty() => marked.contains(id),
        Some(RowId::Segment(selected)) => selected == id,
        _ => false,
    }
}

/// A subtree can be deleted only when all of it is known, so no descendant may have pending changes.
fn require_settled_descendants(state: &State, marked: &Marked) -> Result<(), String> {
    let below = |id| state.tree.forest.ancestors(id).find(|above| is_subject(state, marked, &above.id));
    match state.changes.queue.pending_ids().find_map(below) {
        Some(subject) => Err(words::wait_for_descendant(&subject.name)),
        None => Ok(()),
    }
}

/// Segments that are edited as text may have pending updates, but no pending create or deletion and no failed change.
fn require_editable_as_text(state: &State, marked: &Marked) -> Result<(), String> {
    let everything = marked.is_empty() && state.tree.view.selected.is_none();
    if marked.is_empty() && !everything {
        require_existing(state)?;
    }
    let is_written = |id: &SegmentId| {
        everything
            || is_subject(state, marked, id)
            || state.tree.forest.ancestors(id).any(|above| is_subject(state, marked, &above.id))
    };
    for segment in state.changes.queue.pending_ids().filter_map(|id| state.tree.forest.get(id)) {
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

fn require_place_for_new(state: &State) -> Result<(), String> {
    if state.tree.view.selected.is_none() {
        return Ok(());
    }
    require_existing(state)?;
    let pending = state.selected_segment().and_then(|segment| state.changes.queue.pending(&segment.id));
    match pending {
        Some(PendingKind::Deleting) => Err(words::BEING_DELETED.into()),
        Some(PendingKind::Creating | PendingKind::Changing | PendingKind::Failed) | None => Ok(()),
    }
}
