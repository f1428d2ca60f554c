//! Performs actions: a router from the table of actions to their implementations.

use crate::action::{Action, Group};
use crate::changes::UndoStep;
use crate::forest::{Order, RowId};
use crate::sync::{Command, Phase};

use super::dialogs::{profiles, user_commands};
use super::edit::{changing, outline, repeating};
use super::messages::Topic;
use super::tree::viewport::{self, Direction};
use super::tree::{marking, places, search, sorting};
use super::{
    BulkEdit, Effect, Form, Layer, Letter, MarkedRange, Palette, Pane, PendingPane, Renaming, RequestsPane, Shape,
    State, TextField, availability, browsing, changes, copying, words,
};

/// The maximum number of steps between matches or siblings for one count.
const MAX_STEPS: usize = 1_000;

/// Performs an action with a typed count: moves are repeated, `first` and `last` go to that row. Other actions are performed
/// once.
pub(super) fn perform_times(state: &mut State, action: Action, count: Option<usize>) -> Vec<Effect> {
    let Some(count) = count.filter(|_| availability(state, action).is_ok()) else { return perform(state, action) };
    match action {
        Action::Down | Action::Up | Action::HalfPageDown | Action::HalfPageUp | Action::PageDown | Action::PageUp => {
            marking::end_extending(&mut state.tree);
            let times = isize::try_from(count).unwrap_or(isize::MAX);
            viewport::move_in_focus(state, distance(state, action).saturating_mul(times));
            Vec::new()
        }
        Action::MarkDown | Action::MarkUp => {
            let times = isize::try_from(count).unwrap_or(isize::MAX);
            marking::extend(state, if action == Action::MarkDown { times } else { -times });
            Vec::new()
        }
        Action::First | Action::Last if state.screen.panes.focus == Pane::Tree => {
            marking::end_extending(&mut state.tree);
            places::record_position(state);
            viewport::select(state, count - 1);
            Vec::new()
        }
        Action::NextSibling | Action::PreviousSibling | Action::NextMatch | Action::PreviousMatch => {
            (0..count.min(MAX_STEPS)).flat_map(|_| perform(state, action)).collect()
        }
        _ => perform(state, action),
    }
}

pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    if let Err(reason) = availability(state, action) {
        state.warn_about(Topic::Refusal(action), reason);
        return Vec::new();
    }
    if action.entry().is_some_and(|entry| entry.group == Group::Changing)
        && !matches!(action, Action::MarkRange | Action::MarkDown | Action::MarkUp)
    {
        // An edit ends the range; its marks stay.
        state.tree.picks.range = MarkedRange::default();
    }
    if !matches!(action, Action::MarkDown | Action::MarkUp) {
        marking::end_extending(&mut state.tree);
    }
    match action {
        Action::Down | Action::Up | Action::HalfPageDown | Action::HalfPageUp | Action::PageDown | Action::PageUp => {
            viewport::move_in_focus(state, distance(state, action));
        }
        Action::MarkDown => marking::extend(state, 1),
        Action::MarkUp => marking::extend(state, -1),
        Action::Repeat => return repeating::repeat(state),
        Action::First | Action::Last => go_to_end(state, action),
        Action::NextSibling => viewport::step_sibling(state, Direction::Next),
        Action::PreviousSibling => viewport::step_sibling(state, Direction::Previous),
        Action::Open | Action::ToggleFold if state.screen.panes.focus == Pane::Activity => go_to_entry(state),
        Action::Open => viewport::open(state),
        Action::Close => viewport::close(state),
        Action::ToggleFold | Action::ExpandSubtree | Action::FoldToLevel(_) => fold(state, action),
        Action::Find
        | Action::NextMatch
        | Action::PreviousMatch
        | Action::Jump
        | Action::Back
        | Action::Forward
        | Action::Bookmark
        | Action::GoToBookmark => navigate(state, action),
        Action::Mark => mark(state),
        Action::MarkRange => marking::toggle_range(state),
        Action::MarkMatches => marking::mark_matches(state),
        Action::Undo | Action::Redo | Action::Stage | Action::ShowPending => {
            return perform_change_action(state, action);
        }
        Action::Pause if state.side.commands.running().is_some() => return user_commands::stop(&mut state.side),
        Action::Pause if state.changes.counts().queued > 0 => return hold_queued(state),
        Action::Check => state.screen.layers.push(Layer::Findings),
        Action::ShowRequests => state.screen.layers.push(Layer::Requests(RequestsPane::default())),
        Action::SortByName => return sorting::sort(state, Order::Name),
        Action::SortByExternalId => return sorting::sort(state, Order::ExternalId),
        Action::SortByDescendants => return sorting::sort(state, Order::Descendants),
        Action::SortByChange => return sorting::sort(state, Order::Recent),
        Action::UserCommands(number) => return user_commands::run_or_confirm(state, number),
        Action::Browse => return browsing::open(state),
        Action::Copy(aspect) => return copying::copy_segments(state, aspect),
        Action::NextPane => focus(state, Direction::Next),
        Action::PreviousPane => focus(state, Direction::Previous),
        Action::ToggleDetails | Action::ToggleActivity | Action::WidenTree | Action::NarrowTree => {
            adjust_panes(state, action);
        }
        Action::Palette => state.screen.layers.push(Layer::Palette(Palette::default())),
        Action::Help => state.screen.layers.push(Layer::Help(0)),
        Action::Dismiss => return dismiss(state),
        Action::Move => return changing::pick_parent(state),
        Action::AddChild | Action::AddSibling | Action::Edit | Action::Rename | Action::Delete => {
            open_edit_dialog(state, action);
        }
        Action::EditAsText => return outline::open(state),
        Action::Cut => changing::cut(state),
        Action::Resolve => changes::open_problem(state),
        Action::Paste => return changing::paste(state),
        Action::Refresh => {
            state.inform_about(Topic::Checking, words::CHECKING);
            return vec![Effect::Sync(Command::PollNow)];
        }
        Action::Reload => return reload(state),
        Action::SwitchProfile => profiles::open(state),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Quit if state.side.commands.running().is_some() => user_commands::warn_still_running(state),
        Action::Quit | Action::Pause if state.changes.counts().unfinished() == 0 => return vec![Effect::Quit],
        Action::Quit | Action::Pause => state.screen.layers.push(Layer::Leaving),
    }
    Vec::new()
}

fn reload(state: &mut State) -> Vec<Effect> {
    state.inform_about(Topic::Relisting, words::RELOADING);
    state.link.verification_requested = true;
    vec![Effect::Sync(Command::Reload)]
}

/// Goes to the segment of the selected activity entry.
fn go_to_entry(state: &mut State) {
    let subject = match state.side.activity.selected_for_key(state.layout().activity) {
        Ok(entry) => entry.subject.clone(),
        Err(reason) => return state.report_unready_entry(reason, Action::ToggleFold),
    };
    match subject.filter(|id| state.tree.forest.contains(id)) {
        Some(id) => {
            places::record_position(state);
            state.screen.panes.focus = Pane::Tree;
            viewport::go_to(state, &id);
        }
        None => state.warn(words::ENTRY_HAS_NO_SEGMENT),
    }
}

fn go_to_end(state: &mut State, action: Action) {
    if state.screen.panes.focus == Pane::Tree {
        places::record_position(state);
    }
    viewport::move_in_focus(state, if action == Action::First { isize::MIN / 2 } else { isize::MAX / 2 });
}

fn navigate(state: &mut State, action: Action) {
    match action {
        Action::Find => {
            places::record_position(state);
            search::open_prompt(state);
        }
        Action::NextMatch => search::step(state, Direction::Next),
        Action::PreviousMatch => search::step(state, Direction::Previous),
        Action::Jump => state.screen.layers.push(Layer::Jump(TextField::default())),
        Action::Back => places::back(state),
        Action::Forward => places::forward(state),
        Action::Bookmark => state.screen.layers.push(Layer::Letter(Letter::Bookmark)),
        _ => state.screen.layers.push(Layer::Letter(Letter::GoTo)),
    }
}

fn perform_change_action(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Undo => return changes::undo(state, UndoStep::Undo),
        Action::Redo => return changes::undo(state, UndoStep::Redo),
        Action::Stage => changes::toggle_staging(state),
        _ => {
            let pane = PendingPane::open(state);
            state.screen.layers.push(Layer::Queue(pane));
        }
    }
    Vec::new()
}

fn hold_queued(state: &mut State) -> Vec<Effect> {
    let held = changes::hold_all(&mut state.changes);
    if held == 0 {
        state.warn(changes::NOTHING_TO_HOLD);
        return Vec::new();
    }
    let text = words::paused(held, state.key(Action::ShowPending));
    state.warn_about(Topic::OnHold(state.changes.counts().on_hold), text);
    Vec::new()
}

fn distance(state: &State, action: Action) -> isize {
    let page = isize::try_from(viewport::height(state).saturating_sub(1).max(1)).unwrap_or(isize::MAX);
    let half = (page / 2).max(1);
    match action {
        Action::Down => 1,
        Action::Up => -1,
        Action::HalfPageDown => half,
        Action::HalfPageUp => -half,
        Action::PageDown => page,
        _ => -page,
    }
}

fn fold(state: &mut State, action: Action) {
    match (action, state.tree.view.selected.clone()) {
        (Action::FoldToLevel(level), _) => {
            let level = (level > 0).then_some(u32::from(level));
            // The selection moves to the nearest ancestor that stays visible.
            let above = parents_of_selection(state);
            viewport::preserving_viewport(state, |state| {
                state.tree.forest.fold_to_level(level);
                let visible = above.into_iter().find(|row| state.tree.forest.position(row).is_some());
                state.tree.view.selected = visible.or(state.tree.view.selected.take());
            });
            viewport::scroll_to_selection(state);
        }
        (Action::ToggleFold, Some(row)) => viewport::toggle(state, &row),
        (Action::ExpandSubtree, Some(row)) => {
            viewport::preserving_viewport(state, |state| state.tree.forest.expand_subtree(&row));
        }
        _ => {}
    }
}

fn parents_of_selection(state: &State) -> Vec<RowId> {
    let parent = |row: &RowId| state.tree.forest.parent_row(row);
    std::iter::successors(state.tree.view.selected.clone(), parent).collect()
}

fn open_edit_dialog(state: &mut State, action: Action) {
    match (action, state.selected_segment().cloned()) {
        (Action::AddChild, _) => changing::add_child(state),
        (Action::AddSibling, _) => changing::add_sibling(state),
        (Action::Delete, _) => changing::open_deletion_dialog(state),
        (Action::Edit, _) if state.tree.picks.marked.len() > 1 => {
            let subjects = marking::subjects(state);
            state.screen.layers.push(Layer::Bulk(BulkEdit::of(subjects)));
        }
        (Action::Edit, Some(segment)) => state.screen.layers.push(Layer::Form(Form::edit(&segment))),
        (Action::Rename, Some(segment)) => {
            viewport::scroll_to_selection(state);
            state.screen.layers.push(Layer::Renaming(Renaming::of(&segment)));
        }
        _ => {}
    }
}

fn mark(state: &mut State) {
    if let Some(id) = state.selected_segment().map(|segment| segment.id.clone())
        && !state.tree.picks.marked.remove(&id)
    {
        state.tree.picks.marked.insert(id);
    }
    viewport::step(state, 1);
}

fn focus(state: &mut State, direction: Direction) {
    let layout = state.layout();
    if layout.shape == Shape::TreeOnly {
        return state.warn_about(Topic::TreeOnly, words::ONLY_THE_TREE_FITS);
    }
    let panes: Vec<Pane> = layout.panes().collect();
    let at = panes.iter().position(|pane| *pane == state.screen.panes.focus).unwrap_or(0);
    let by = if direction == Direction::Next { 1 } else { panes.len() - 1 };
    let focus = panes[(at + by) % panes.len()];
    state.screen.panes.focus = focus;
    let (is_alone, is_hidden) = (panes.len() == 1, layout.activity.is_none());
    if is_alone && !state.screen.panes.can_fit_activity() {
        return state.warn_about(Topic::NoActivity, words::ACTIVITY_DOES_NOT_FIT);
    }
    if is_alone || (focus == Pane::Tree && is_hidden && state.screen.panes.accessible) {
        // There is no other pane, or nothing tells a screen reader that the activity is hidden.
        let hidden = match layout.details {
            None => words::details_and_activity_are_hidden(
                state.key(Action::ToggleDetails),
                state.key(Action::ToggleActivity),
            ),
            Some(_) => words::activity_is_hidden(state.key(Action::ToggleActivity)),
        };
        state.inform_about(Topic::Hidden { details: layout.details.is_none() }, hidden);
    }
}

fn adjust_panes(state: &mut State, action: Action) {
    let narrow = matches!(state.layout().shape, Shape::Stacked | Shape::Column);
    let panes = &mut state.screen.panes;
    match action {
        Action::ToggleDetails => panes.details = !panes.details,
        Action::ToggleActivity if narrow => panes.activity_when_narrow = !panes.activity_when_narrow,
        Action::ToggleActivity => panes.activity = !panes.activity,
        Action::WidenTree => panes.widen_tree(),
        _ => panes.narrow_tree(),
    }
    let layout = state.layout();
    if layout.panes().all(|pane| pane != state.screen.panes.focus) {
        state.screen.panes.focus = Pane::Tree;
    }
    viewport::scroll_to_selection(state);
    if layout.shape == Shape::TreeOnly {
        state.warn_about(Topic::TreeOnly, words::ONLY_THE_TREE_FITS);
    } else if action == Action::ToggleActivity && !state.screen.panes.can_fit_activity() {
        state.warn_about(Topic::NoActivity, words::ACTIVITY_DOES_NOT_FIT);
    }
}

/// Dismisses one thing per press: the focus of another pane, the range, the filter, the search, the cut, the marks, and last a
/// long-running process.
fn dismiss(state: &mut State) -> Vec<Effect> {
    if state.screen.panes.focus != Pane::Tree {
        state.screen.panes.focus = Pane::Tree;
        return Vec::new();
    }
    state.screen.message = None;
    let is_dismissed = marking::end_range(&mut state.tree)
        || search::clear_filter(state)
        || search::end(&mut state.tree)
        || !std::mem::take(&mut state.tree.picks.cut).is_empty()
        || !std::mem::take(&mut state.tree.picks.marked).is_empty();
    if is_dismissed { Vec::new() } else { stop_long_running(state) }
}

/// Stops the first list, or holds several queued changes.
fn stop_long_running(state: &mut State) -> Vec<Effect> {
    match state.link.phase {
        Phase::Loading(_) => vec![Effect::Sync(Command::StopListing)],
        _ if state.changes.counts().queued > 1 => hold_queued(state),
        _ => Vec::new(),
    }
}
