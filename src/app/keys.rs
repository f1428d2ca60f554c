//! Routing of keys: to the topmost dialog if there is one, else through the keymap to an action.

use crate::action::Action;
use crate::app::dialogs::key_result::KeyResult;
use crate::keymap::{Key, Keymap, Lookup, sequence_text};

use super::List;
use super::dialogs::layer::Layer;
use super::dialogs::{help, new_profile, output_pane, palette, profiles, requests_pane, user_commands};
use super::edit::text_field::MAX_PASTE_BYTES;
use super::edit::{bulk, changing, deletion, findings, form, outline, parents, renaming};
use super::tree::{marking, places, search};
use super::{Effect, State, Tone, changes, perform, words};

pub(super) fn press(state: &mut State, keymap: &Keymap, key: Key) -> Vec<Effect> {
    if !matches!(state.screen.layers.last(), Some(Layer::Find(_))) {
        search::pin_selection(state);
    }
    let dismissed_warning = state.screen.message.take_if(|message| message.tone == Tone::Warning);
    if state.screen.panes.accessible {
        // The result of the key replaces it.
        state.screen.message = None;
    }
    state.screen.scrolled = None;
    let Some(mut layer) = state.screen.layers.pop() else {
        let is_only_dismissal =
            dismissed_warning.is_some() && state.screen.pressed.is_empty() && keymap.triggers(key, Action::Dismiss);
        return if is_only_dismissal { Vec::new() } else { press_main(state, keymap, key) };
    };
    if key.to_string() == "f1" && !matches!(layer, Layer::Help(_)) {
        state.screen.layers.extend([layer, Layer::Help(0)]);
        return Vec::new();
    }
    let index = state.screen.layers.len();
    let result = press_layer(state, keymap, &mut layer, key);
    result.apply(state, layer, index)
}

/// Performs an action of the main screen like its key; a key sequence that was begun is dropped.
pub(super) fn perform_action(state: &mut State, action: Action) -> Vec<Effect> {
    search::pin_selection(state);
    state.screen.message.take_if(|message| message.tone == Tone::Warning);
    state.screen.pressed.clear();
    perform_counted(state, action)
}

/// Performs an action with the count that was typed before it.
fn perform_counted(state: &mut State, action: Action) -> Vec<Effect> {
    let count = state.screen.count.take();
    let effects = perform::perform_times(state, action, count);
    marking::update_range(state);
    effects
}

fn press_layer(state: &mut State, keymap: &Keymap, layer: &mut Layer, key: Key) -> KeyResult {
    match layer {
        Layer::Help(line) => help::press(state, keymap, line, key),
        Layer::Form(form) => form::press(state, form, key),
        Layer::Renaming(renaming) => renaming::press(state, renaming, key),
        Layer::Parents(picker) => parents::press(state, picker, key),
        Layer::Find(prompt) => search::press(state, prompt, key),
        Layer::Jump(text) => places::press_jump(state, text, key),
        Layer::Letter(purpose) => places::press_letter(state, *purpose, key),
        Layer::Conflict(conflict) => changes::press_conflict(state, conflict, key),
        Layer::Outline(edit) => outline::press(state, edit, key),
        Layer::Review(review) => changes::press_review(state, review, key),
        Layer::Palette(palette) => palette::press(state, palette, key),
        Layer::Queue(pane) => changes::press_pending(state, pane, key),
        Layer::Findings => findings::press(state, key),
        Layer::Requests(pane) => requests_pane::press(state, pane, key),
        Layer::RunConfirmation(confirmation) => user_commands::press(state, confirmation, key),
        Layer::Output(pane) => output_pane::press(state, pane, key),
        Layer::Bulk(edit) => bulk::press(state, edit, key),
        Layer::Deletion(deletion) => deletion::press(state, deletion, key),
        Layer::Profiles(list) => profiles::press(state, list, key),
        Layer::Switching(destination) => profiles::press_switching(state, destination, key),
        Layer::NewProfile(form) => new_profile::press(state, form, key),
        Layer::Leaving => match key.to_string().as_str() {
            "q" | "ctrl-c" => KeyResult::CloseAndDo(vec![Effect::Quit]),
            "esc" | "n" => KeyResult::Close,
            _ => KeyResult::Stay,
        },
    }
}

/// The largest count that can be typed before an action.
const MAX_COUNT: usize = 999_999;

/// Returns the count with another digit, if the key is a digit that is not bound to anything else.
fn extended_count(state: &State, keymap: &Keymap, key: Key) -> Option<usize> {
    let digit = key.typed().and_then(|typed| typed.to_digit(10)).and_then(|digit| usize::try_from(digit).ok())?;
    let so_far = state.screen.count.unwrap_or(0);
    let counts = state.screen.pressed.is_empty() && (digit > 0 || so_far > 0);
    (counts && matches!(keymap.lookup(&[key]), Lookup::Nothing)).then(|| (so_far * 10 + digit).min(MAX_COUNT))
}

fn press_main(state: &mut State, keymap: &Keymap, key: Key) -> Vec<Effect> {
    if let Some(count) = extended_count(state, keymap, key) {
        state.screen.count = Some(count);
        return Vec::new();
    }
    if keymap.triggers(key, Action::Dismiss) && state.screen.pressed.is_empty() && state.screen.count.take().is_some() {
        return Vec::new();
    }
    state.screen.pressed.push(key);
    match keymap.lookup(&state.screen.pressed) {
        Lookup::Action(action) => {
            state.screen.pressed.clear();
            perform_counted(state, action)
        }
        Lookup::Prefix => Vec::new(),
        Lookup::Nothing => {
            state.screen.count = None;
            let pressed = std::mem::take(&mut state.screen.pressed);
            let abandoned = pressed.len() > 1 && (key.to_string() == "esc" || keymap.triggers(key, Action::Dismiss));
            if !abandoned {
                state.warn(words::not_bound(&sequence_text(&pressed), state.key(Action::Help)));
            }
            Vec::new()
        }
    }
}

/// Pastes text into the focused field; elsewhere it is rejected, as it must not be taken for keys.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let effects = paste_into_field(state, text);
    if text.len() > MAX_PASTE_BYTES && !state.screen.layers.is_empty() {
        state.warn(words::paste_was_cut(MAX_PASTE_BYTES / 1024));
    }
    effects
}

fn paste_into_field(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(mut layer) = state.screen.layers.pop() else {
        state.warn(words::nowhere_to_paste(state.key(Action::Find), state.key(Action::AddChild)));
        return Vec::new();
    };
    let index = state.screen.layers.len();
    let result = paste_into(state, &mut layer, text);
    result.apply(state, layer, index)
}

fn paste_into(state: &mut State, layer: &mut Layer, text: &str) -> KeyResult {
    match layer {
        Layer::Form(form) => {
            let focus = form.focus;
            let Some(field) = form.text_field() else {
                return KeyResult::StayAndDo(changing::choose_parent_for_form(state, form, text.trim()));
            };
            field.paste(text);
            form.faults.remove(&focus);
        }
        Layer::Renaming(renaming) => {
            renaming.name.paste(text);
            renaming.fault = None;
        }
        Layer::Parents(picker) => {
            picker.filter.paste(text);
            return changing::refilter(state, picker);
        }
        Layer::Find(prompt) => return search::paste(state, prompt, text),
        Layer::Requests(pane) if pane.typing => pane.filter.paste(text),
        Layer::Output(pane) if pane.typing => pane.search_text.paste(text),
        Layer::Bulk(edit) => edit.text_field().paste(text),
        Layer::Jump(field) => field.paste(text),
        Layer::Profiles(list) => {
            list.filter.paste(text);
            list.list = List::default();
        }
        Layer::Palette(palette) => {
            palette.text.paste(text);
            palette.list = List::default();
        }
        Layer::Review(review) => review.typed.paste(text),
        Layer::NewProfile(form) => return new_profile::paste(state, form, text),
        _ => {}
    }
    KeyResult::Stay
}
