//! Applies the events of the sync actor to the state.

use std::mem;
use std::sync::Arc;

use crate::action::Action;
use crate::forest::{Change, Forest, Heading, RowId};
use crate::segment::{Segment, SegmentId};
use crate::sync::{Event, Notice, Phase, SegmentChange};

use super::changes::report_reverted;
use super::messages::{self, Topic};
use super::side::activity::{self, ActivityEntry, EntryKind, Originator};
use super::tree::{saved_view, search, sorting, viewport};
use super::{Effect, Layer, State, changes, words};

pub(super) fn on_sync_event(state: &mut State, event: Event) -> Vec<Effect> {
    let mut effects = changes::redeliver(state);
    match event {
        Event::PhaseChanged(phase) => enter_phase(state, phase),
        Event::PageReceived(segments) => add_page(state, segments),
        Event::Restored { forest, saved } => {
            state.link.synchronised = Some(saved);
            effects.extend(restore(state, *forest));
        }
        Event::Listed { different } => effects.extend(apply_listing(state, &different)),
        Event::Changed { seen, .. } => effects.extend(apply_changes(state, &seen)),
        Event::Synchronised { incomplete_reason, .. } => {
            state.link.synchronised = Some(state.clock.now);
            state.link.incomplete_reason = incomplete_reason;
            state.link.has_unreached_write = false;
            messages::on_synchronised(state);
        }
        Event::Verified { missed } => verified(state, &missed),
        Event::Executed { op, result } => effects.extend(changes::on_executed(state, op, &result)),
        Event::ServerResponded => {
            state.link.has_unreached_write = false;
            changes::on_server_reachable(&mut state.changes);
        }
        Event::Recovered(found) => effects.extend(changes::on_recovered(state, found)),
        Event::Noticed(notice) => {
            if matches!(notice, Notice::LeftOver { .. }) {
                // Nothing is sent until it is known which of these were applied.
                state.changes.queue.pause_sending();
            }
            state.session.journalled &= !matches!(notice, Notice::NotJournalled | Notice::NotStored { .. });
            let relisting = matches!(notice, Notice::FeedRewound | Notice::StepRefused { .. });
            let text = notice.to_string();
            state.side.activity.add(state.clock.now, EntryKind::Notice, None, text.clone());
            state.warn_about(if relisting { Topic::Relisting } else { Topic::Past }, text);
        }
    }
    refresh_pickers(state);
    effects
}

fn enter_phase(state: &mut State, phase: Phase) {
    let now = state.clock.now;
    let was_offline = matches!(state.link.phase, Phase::Offline { .. });
    match &phase {
        Phase::Offline { error, .. } if !was_offline => {
            state.side.activity.add(now, EntryKind::Notice, None, words::offline(error));
            if error.fault.is_unauthorised() {
                let text = words::not_authorised(error);
                state.warn_about(Topic::Phase(mem::discriminant(&phase)), text);
            }
        }
        Phase::Silent { call, since } => {
            let text = words::no_response(call, since.as_secs());
            state.side.activity.add(now, EntryKind::Notice, None, text);
        }
        Phase::Stalled { error, progress, .. } => {
            let text = words::listing_stalled(error, progress.segments, state.key(Action::Refresh));
            state.side.activity.add(now, EntryKind::Notice, None, text.clone());
            state.warn_about(Topic::Phase(mem::discriminant(&phase)), text);
        }
        Phase::Paused(progress) => {
            let text = words::listing_paused(progress.segments, state.key(Action::Refresh));
            state.side.activity.add(now, EntryKind::Notice, None, text.clone());
            state.warn_about(Topic::Phase(mem::discriminant(&phase)), text);
        }
        Phase::Live if was_offline => state.side.activity.add(now, EntryKind::Recovered, None, words::RECONNECTED),
        _ => {}
    }
    if matches!(phase, Phase::Offline { .. } | Phase::Stalled { .. }) {
        messages::on_disconnected(state);
    }
    if !matches!(phase, Phase::Loading(_)) {
        viewport::preserving_viewport(state, |state| state.tree.forest.set_growing(false));
    }
    state.link.enter_phase(phase, now);
}

fn add_page(state: &mut State, segments: Vec<Arc<Segment>>) {
    // Children often arrive before their parents: while the list loads, the usual orphans must not fill the screen.
    if state.tree.forest.is_empty() {
        state.tree.forest.collapse(&RowId::Heading(Heading::MissingParents));
    }
    let changes = segments.into_iter().map(|segment| {
        let id = segment.id.clone();
        state.changes.queue.observe(&id, Some(segment))
    });
    let changes: Vec<Change> = changes.collect();
    state.tree.forest.set_growing(true);
    viewport::preserving_viewport(state, |state| state.tree.forest.apply(changes));
    viewport::select_first_row(state);
}

fn restore(state: &mut State, forest: Forest) -> Vec<Effect> {
    viewport::preserving_viewport(state, |state| {
        state.tree.forest = forest;
        state.side.findings.forget();
        let overlay = state.changes.queue.observe_all(&state.tree.forest);
        state.tree.forest.apply(overlay);
    });
    let mut effects = search::resume(state);
    effects.extend(search::search_parents(state));
    effects.extend(show_first_tree(state));
    effects
}

fn apply_listing(state: &mut State, different: &[SegmentChange]) -> Vec<Effect> {
    for one in different {
        if let (Some(before), Some(after)) = (&one.before, &one.now) {
            report_reverted(state, before, after, after);
        }
    }
    let changes = different.iter().map(|seen| state.changes.queue.observe(&seen.id, seen.now.clone()));
    let changes: Vec<Change> = changes.collect();
    let first = !state.link.listed;
    viewport::preserving_viewport(state, |state| {
        state.tree.forest.apply(changes);
        if first {
            state.tree.forest.expand(&RowId::Heading(Heading::MissingParents));
        }
    });
    state.tree.picks.retain_existing(&state.tree.forest);
    notify_dialogs(state, different);
    let mut effects = match_lost_creates(state, different);
    if first {
        effects.extend(show_first_tree(state));
    }
    effects
}

/// Checks whether new segments are the result of creates whose responses were lost.
fn match_lost_creates(state: &mut State, seen: &[SegmentChange]) -> Vec<Effect> {
    let new = seen.iter().filter(|one| one.before.is_none()).filter_map(|one| one.now.as_ref());
    let mut effects = Vec::new();
    for new in new {
        let transitions = state.changes.queue.observe_created(new);
        effects.extend(changes::apply(state, transitions));
    }
    effects
}

/// Shows the first complete tree with the view of the last session, or else with a useful initial unfolding.
fn show_first_tree(state: &mut State) -> Vec<Effect> {
    state.link.listed = true;
    let effects = if let Some(view) = state.tree.saved_view.take() {
        saved_view::apply_view(state, &view)
    } else {
        unfold_initially(state);
        viewport::select_first_row(state);
        Vec::new()
    };
    effects.into_iter().chain(sorting::sort_unsorted(state)).collect()
}

/// The maximum number of screens that the initially unfolded rows may fill.
const MAX_INITIAL_SCREENS: usize = 4;

/// Unfolds the roots at first if the rows stay few enough: closed roots alone show little.
fn unfold_initially(state: &mut State) {
    let max_rows = MAX_INITIAL_SCREENS * viewport::height(state);
    if state.tree.forest.row_count() > max_rows || state.tree.forest.open_segments().next().is_some() {
        return;
    }
    viewport::preserving_viewport(state, |state| {
        let roots: Vec<SegmentId> = state.tree.forest.roots().map(|root| root.id.clone()).collect();
        let below: usize = roots.iter().map(|root| state.tree.forest.child_count(root)).sum();
        if state.tree.forest.row_count() + below <= max_rows {
            state.tree.forest.expand_all(&roots);
        }
    });
}

fn apply_changes(state: &mut State, seen: &[SegmentChange]) -> Vec<Effect> {
    let now = state.clock.now;
    for one in seen {
        if let Some(entry) = activity::entry(&state.tree.forest, one, now) {
            state.side.activity.push(entry);
        }
        if one.now.is_some() {
            state.side.activity.record_change(&one.id, now, Originator::Somebody(one.feed_source.contexts));
        }
    }
    let changes: Vec<Change> = seen.iter().map(|one| state.changes.queue.observe(&one.id, one.now.clone())).collect();
    let deletion_of_selected = match &state.tree.view.selected {
        Some(RowId::Segment(id)) => seen.iter().find(|one| one.id == *id && one.now.is_none()),
        _ => None,
    };
    let notice = deletion_of_selected
        .and_then(|one| one.before.as_ref())
        .map(|gone| (Topic::Gone(gone.id.clone()), words::deleted_by_another(&gone.name)));
    viewport::preserving_viewport(state, |state| {
        state.tree.forest.apply(changes);
        state.tree.forest.mark_changed(seen.iter().map(|one| &one.id));
    });
    state.tree.picks.retain_existing(&state.tree.forest);
    notify_dialogs(state, seen);
    for one in seen {
        if let (Some(before), Some(after)) = (&one.before, &one.now) {
            report_reverted(state, before, after, after);
        }
    }
    if let Some((topic, notice)) = notice {
        state.warn_about(topic, notice);
    }
    match_lost_creates(state, seen)
}

/// Reports changes that the feed had missed. That there were none is reported only if the user asked.
fn verified(state: &mut State, missed: &[SegmentChange]) {
    let is_requested = mem::take(&mut state.link.verification_requested);
    let now = state.clock.now;
    for seen in missed {
        if let Some(entry) = activity::entry(&state.tree.forest, seen, now) {
            state.side.activity.push(ActivityEntry { kind: EntryKind::Missed, ..entry });
        }
        if seen.now.is_some() {
            state.side.activity.record_change(&seen.id, now, Originator::Somebody(seen.feed_source.contexts));
            viewport::preserving_viewport(state, |state| state.tree.forest.mark_changed([&seen.id]));
        }
    }
    match missed.len() {
        0 if is_requested => state.inform(words::VERIFIED),
        0 => {}
        many => state.warn(words::verified_with_missing(many)),
    }
}

/// Passes changed segments to the open dialogs.
fn notify_dialogs(state: &mut State, seen: &[SegmentChange]) {
    let mut layers = mem::take(&mut state.screen.layers);
    for SegmentChange { id, now, .. } in seen {
        for layer in &mut layers {
            match layer {
                Layer::Form(form) if form.subject() == Some(id) => {
                    form.changed_elsewhere(&state.tree.forest, now.as_deref());
                }
                Layer::Renaming(renaming) if renaming.base.id == *id => renaming.changed_elsewhere(now.as_deref()),
                Layer::Conflict(conflict) => conflict.changed_elsewhere(id, now.as_ref()),
                Layer::Review(review) => review.changed_elsewhere(state, id),
                Layer::Queue(pane) => pane.changed_elsewhere(state, id),
                _ => {}
            }
        }
    }
    state.screen.layers = layers;
}

fn refresh_pickers(state: &mut State) {
    for layer in &mut state.screen.layers {
        if let Layer::Parents(picker) = layer {
            picker.refresh(&state.tree.forest);
        }
    }
}
