//! Where a key goes: to what is open, the last opened first, else through the keymap to an action.

use crate::action::Action;
use crate::forest::Purpose;
use crate::keymap::{Key, Keymap, Lookup, sequence_text};
use crate::segment::Field;

use super::changes;
use super::changing;
use super::deletion::Policy;
use super::layer::Layer;
use super::parents::Asker;
use super::text_field::LONGEST_PASTE;
use super::{
    Effect, Form, HelpPage, ParentPicker, Renaming, State, Tone, bulk, marking, outline, output_pane, palette, perform,
    places, profiles, requests_pane, search, user_commands,
};

const PAGE: isize = 10;

pub(super) fn press(state: &mut State, keymap: &Keymap, key: Key) -> Vec<Effect> {
    if !matches!(state.screen.layers.last(), Some(Layer::Find(_))) {
        search::stay_here(state);
    }
    let read = state.screen.message.take_if(|message| message.tone == Tone::Warning);
    let Some(layer) = state.screen.layers.pop() else {
        let only_read = read.is_some() && state.screen.pressed.is_empty() && keymap.asks(key, Action::Dismiss);
        return if only_read { Vec::new() } else { press_main(state, keymap, key) };
    };
    match layer {
        Layer::Help(line) => press_help(state, keymap, line, key),
        Layer::Form(form) => return press_form(state, form, key),
        Layer::Renaming(renaming) => return press_renaming(state, renaming, key),
        Layer::Parents(picker) => {
            let effects = press_parents(state, picker, key);
            if state.screen.layers.iter().all(|layer| !matches!(layer, Layer::Parents(_))) {
                state.tree.forest.end_search(Purpose::Parents);
            }
            return effects;
        }
        Layer::Find(prompt) => return search::press(state, prompt, key),
        Layer::Jump(text) => return places::press_jump(state, text, key),
        Layer::Letter(purpose) => places::press_letter(state, purpose, key),
        Layer::Conflict(conflict) => return changes::press_conflict(state, conflict, key),
        Layer::Outline(edit) => return outline::press(state, edit, key),
        Layer::Review(review) => return changes::press_review(state, review, key),
        Layer::Palette(palette) => return palette::press(state, palette, key),
        Layer::Queue(pane) => return changes::press_pending(state, pane, key),
        Layer::Requests(pane) => return requests_pane::press(state, pane, key),
        Layer::RunConfirmation(asked) => return user_commands::press(state, asked, &key.to_string()),
        Layer::Output(pane) => return output_pane::press(state, pane, key),
        Layer::Bulk(edit) => return bulk::press(state, edit, key),
        Layer::Deletion(deletion) => {
            let policy = match key.to_string().as_str() {
                "enter" | "y" | "d" if deletion.descendants == 0 => Policy::OnlyThis,
                "s" if deletion.descendants > 0 => Policy::Subtree,
                "p" if deletion.descendants > 0 => Policy::Promote,
                "o" if deletion.descendants > 0 => Policy::OnlyThis,
                "esc" | "q" | "n" | "ctrl-c" => return Vec::new(),
                _ => {
                    state.screen.layers.push(Layer::Deletion(deletion));
                    return Vec::new();
                }
            };
            return changing::delete(state, &deletion, policy);
        }
        Layer::Profiles(list) => return profiles::press(state, list, key),
        Layer::Switching(destination) => return profiles::press_switching(state, destination, key),
        Layer::Leaving => match key.to_string().as_str() {
            "q" | "ctrl-c" => return vec![Effect::Quit],
            "esc" | "n" => {}
            _ => state.screen.layers.push(Layer::Leaving),
        },
    }
    Vec::new()
}

fn press_main(state: &mut State, keymap: &Keymap, key: Key) -> Vec<Effect> {
    state.screen.pressed.push(key);
    match keymap.lookup(&state.screen.pressed) {
        Lookup::Action(action) => {
            state.screen.pressed.clear();
            let effects = perform::perform(state, action);
            marking::follow(state);
            effects
        }
        Lookup::Prefix => Vec::new(),
        Lookup::Nothing => {
            let pressed = std::mem::take(&mut state.screen.pressed);
            let abandoned = pressed.len() > 1 && (key.to_string() == "esc" || keymap.asks(key, Action::Dismiss));
            if !abandoned {
                let help = state.key(Action::Help);
                state.warn(format!("{} does nothing here; {help} shows all keys", sequence_text(&pressed)));
            }
            Vec::new()
        }
    }
}

/// Text that was pasted goes to the field that has the keys; elsewhere it must not be taken for keys.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let effects = paste_into_field(state, text);
    if text.len() > LONGEST_PASTE && !state.screen.layers.is_empty() {
        let kept = LONGEST_PASTE / 1024;
        state.warn(format!("a field takes no more than the first {kept} KiB of what is pasted"));
    }
    effects
}

fn paste_into_field(state: &mut State, text: &str) -> Vec<Effect> {
    match state.screen.layers.pop() {
        Some(Layer::Form(mut form)) => {
            let focus = form.focus;
            if let Some(field) = form.text_field() {
                field.paste(text);
                form.faults.remove(&focus);
                state.screen.layers.push(Layer::Form(form));
            } else {
                state.screen.layers.push(Layer::Form(form));
                return changing::choose_parent_for_form(state, text.trim());
            }
        }
        Some(Layer::Renaming(mut renaming)) => {
            renaming.name.paste(text);
            renaming.fault = None;
            state.screen.layers.push(Layer::Renaming(renaming));
        }
        Some(Layer::Parents(mut picker)) => {
            picker.filter.paste(text);
            return changing::refilter(state, picker);
        }
        Some(Layer::Find(prompt)) => return search::paste(state, prompt, text),
        Some(Layer::Requests(mut pane)) if pane.typing => {
            pane.filter.paste(text);
            state.screen.layers.push(Layer::Requests(pane));
        }
        Some(Layer::Output(mut pane)) if pane.typing => {
            pane.sought.paste(text);
            state.screen.layers.push(Layer::Output(pane));
        }
        Some(Layer::Bulk(mut edit)) => {
            edit.text_field().paste(text);
            state.screen.layers.push(Layer::Bulk(edit));
        }
        Some(Layer::Jump(mut field)) => {
            field.paste(text);
            state.screen.layers.push(Layer::Jump(field));
        }
        Some(Layer::Profiles(mut list)) => {
            list.filter.paste(text);
            list.chosen = 0;
            state.screen.layers.push(Layer::Profiles(list));
        }
        Some(Layer::Palette(mut palette)) => {
            palette.text.paste(text);
            palette.chosen = 0;
            state.screen.layers.push(Layer::Palette(palette));
        }
        Some(Layer::Review(mut review)) => {
            review.typed.paste(text);
            state.screen.layers.push(Layer::Review(review));
        }
        Some(layer) => state.screen.layers.push(layer),
        None => {
            let (find, add) = (state.key(Action::Find), state.key(Action::AddChild));
            let text =
                format!("there is nothing to paste into; press {find} to search for it, or {add} to add a segment");
            state.warn(text);
        }
    }
    Vec::new()
}

fn press_help(state: &mut State, keymap: &Keymap, line: usize, key: Key) {
    let end = HelpPage::of(&state.screen.panes, keymap).end;
    if keymap.asks(key, Action::Help) || keymap.asks(key, Action::Dismiss) {
        return;
    }
    let line = match key.to_string().as_str() {
        "esc" | "q" | "enter" | "ctrl-c" => return,
        "j" | "down" => line.saturating_add(1),
        "k" | "up" => line.saturating_sub(1),
        "pagedown" | "ctrl-d" | "space" => line.saturating_add(PAGE.unsigned_abs()),
        "pageup" | "ctrl-u" => line.saturating_sub(PAGE.unsigned_abs()),
        "g" | "home" => 0,
        "G" | "end" => end,
        _ => line,
    };
    state.screen.layers.push(Layer::Help(line.min(end)));
}

fn press_form(state: &mut State, mut form: Form, key: Key) -> Vec<Effect> {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return Vec::new(),
        "enter" => return changing::save_form(state, form),
        "tab" | "down" => form.next_field(),
        "backtab" | "up" => form.previous_field(),
        "ctrl-u" | "backspace" | "delete" if form.focus == Field::Parent => form.set_parent(None),
        _ if form.focus == Field::Parent => {
            let begun = key.typed().map(String::from);
            state.screen.layers.push(Layer::Form(form));
            return begun.map_or_else(Vec::new, |text| changing::choose_parent_for_form(state, text.trim()));
        }
        _ => form.type_key(key),
    }
    state.screen.layers.push(Layer::Form(form));
    Vec::new()
}

fn press_renaming(state: &mut State, mut renaming: Renaming, key: Key) -> Vec<Effect> {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return Vec::new(),
        "enter" => return changing::save_name(state, renaming),
        _ => {
            if renaming.name.press(key) {
                renaming.fault = None;
            }
        }
    }
    state.screen.layers.push(Layer::Renaming(renaming));
    Vec::new()
}

fn press_parents(state: &mut State, mut picker: ParentPicker, key: Key) -> Vec<Effect> {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return Vec::new(),
        "enter" => {
            return match picker.asker {
                Asker::Move => changing::move_to_choice(state, picker),
                Asker::Form => {
                    changing::fill_parent(state, picker);
                    Vec::new()
                }
            };
        }
        "down" | "ctrl-n" => picker.step(1),
        "up" | "ctrl-p" => picker.step(-1),
        "pagedown" => picker.step(PAGE),
        "pageup" => picker.step(-PAGE),
        _ => {
            if picker.filter.press(key) {
                return changing::refilter(state, picker);
            }
        }
    }
    state.screen.layers.push(Layer::Parents(picker));
    Vec::new()
}
