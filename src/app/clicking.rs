//! Clicks on drawn targets, and the wheel over a list.
//!
//! A click acts like the key of its target, and only while the dialog that it was in still has the focus and still offers that
//! key: a click never acts on what was not on the screen.

use crate::keymap::{Key, Keymap};
use crate::segment::Field;

use super::dialogs::keys::is_listed;
use super::{
    Click, Conflict, ConflictKind, Effect, FieldName, Layer, Letter, ListItem, ListWindow, State, Target, TextField,
    keys,
};

/// Lines per turn of the wheel.
const WHEEL_LINES: isize = 3;

pub(super) fn click(state: &mut State, keymap: &Keymap, click: Click) -> Vec<Effect> {
    let Click { target, opened, column, row } = click;
    if opened != state.screen.opened || state.screen.pointer.is_stale_double_click(state, column, row) {
        return Vec::new();
    }
    state.screen.pointer.record_target_click(column, row, state.clock.now, opened);
    match target {
        Target::Action(action) if state.screen.layers.is_empty() => return keys::perform_action(state, action),
        Target::Nothing | Target::Action(_) => {}
        Target::Key(key) => {
            let hints = state.screen.layers.last().map(|layer| layer.keys(state, keymap)).unwrap_or_default();
            if is_listed(&hints, key) {
                return press(state, keymap, key.0);
            }
        }
        Target::Bookmark(letter) => {
            if matches!(state.screen.layers.last(), Some(Layer::Letter(Letter::GoTo))) {
                return press(state, keymap, &letter.to_string());
            }
        }
        Target::Item { item, first } => {
            let was_chosen = choose(state, &item);
            // Keep the line in place, under the mouse.
            state.screen.scrolled = Some(first);
            if was_chosen && enter_acts_on_selection(state, keymap) {
                return press(state, keymap, "enter");
            }
        }
        Target::Field { name, cell } => focus_field(state, name, cell),
        Target::Side(row, side) => {
            if let Some(Layer::Conflict(Conflict { kind: ConflictKind::Changes { choices, .. }, row: at, .. })) =
                state.screen.layers.last_mut()
                && let Some(choice) = choices.get_mut(row)
            {
                (*choice, *at) = (side, row);
            }
        }
    }
    Vec::new()
}

/// Scrolls the focused list. The selection doesn't move.
pub(super) fn scroll(state: &mut State, list: ListWindow, opened: u64, down: bool) {
    if opened == state.screen.opened {
        let first = state.screen.scrolled.unwrap_or(list.first);
        let first = first.saturating_add_signed(if down { WHEEL_LINES } else { -WHEEL_LINES });
        state.screen.scrolled = Some(first.min(list.len.saturating_sub(list.shown)));
    }
}

fn press(state: &mut State, keymap: &Keymap, key: &str) -> Vec<Effect> {
    // Tables of dialog keys contain only keys that parse.
    Key::parse(key).map_or_else(|_| Vec::new(), |key| keys::press(state, keymap, key))
}

/// Whether Enter acts on the selected line. Not in a review, where it may send everything.
fn enter_acts_on_selection(state: &State, keymap: &Keymap) -> bool {
    let layer = state.screen.layers.last().filter(|layer| !matches!(layer, Layer::Review(_)));
    layer.is_some_and(|layer| layer.keys(state, keymap).iter().any(|(key, _)| *key == "enter"))
}

/// Selects a line of the focused list. Returns whether it was selected before.
fn choose(state: &mut State, item: &ListItem) -> bool {
    if let (Some(Layer::Findings), ListItem::Finding(rule, id)) = (state.screen.layers.last(), item) {
        return state.side.findings.choose(*rule, id).unwrap_or(false);
    }
    let Some(mut layer) = state.screen.layers.pop() else { return false };
    let was_chosen = choose_in_layer(state, &mut layer, item).unwrap_or(false);
    state.screen.layers.push(layer);
    was_chosen
}

fn choose_in_layer(state: &State, layer: &mut Layer, item: &ListItem) -> Option<bool> {
    let (list, at) = match (layer, item) {
        (Layer::Palette(palette), ListItem::Offer(action, name)) => {
            let found = palette.matches(&state.side.commands.commands);
            let at = found.iter().position(|offer| (offer.action, offer.name) == (*action, *name))?;
            (&mut palette.list, at)
        }
        (Layer::Profiles(profiles), ListItem::Profile(choice)) => {
            let at = profiles.matches(&state.side.profiles).iter().position(|other| other == choice)?;
            (&mut profiles.list, at)
        }
        (Layer::Queue(pane), ListItem::Change(op)) => return pane.choose(state, *op),
        (Layer::Review(review), ListItem::Change(op)) => {
            let operations = review.operations(state, 0..usize::MAX);
            let at = operations.iter().position(|(other, _)| other == op)?;
            drop(operations);
            (&mut review.list, at)
        }
        (Layer::Parents(picker), ListItem::Parent(parent)) => return picker.choose(parent.as_ref()),
        (Layer::Requests(pane), ListItem::Request(number)) => return pane.choose(&state.side.requests, *number),
        _ => return None,
    };
    let was_chosen = list.chosen == at;
    list.chosen = at;
    Some(was_chosen)
}

/// Focuses a field and moves its cursor to a cell of its text.
fn focus_field(state: &mut State, name: FieldName, cell: usize) {
    let text = match (state.screen.layers.last_mut(), name) {
        (Some(Layer::Form(form)), FieldName::Segment(field)) => {
            form.focus = field;
            form.text_field()
        }
        (Some(Layer::Bulk(edit)), FieldName::Segment(field @ (Field::Name | Field::ExternalId))) => {
            edit.focus = field;
            Some(edit.text_field())
        }
        (Some(Layer::NewProfile(form)), FieldName::Profile(field)) => return form.point(field, cell),
        (Some(layer), FieldName::Only) => only_field(layer),
        _ => None,
    };
    if let Some(text) = text {
        text.move_cursor_to(cell);
    }
}

/// Returns the text field of a dialog that has only one.
fn only_field(layer: &mut Layer) -> Option<&mut TextField> {
    Some(match layer {
        Layer::Renaming(renaming) => &mut renaming.name,
        Layer::Parents(picker) => &mut picker.filter,
        Layer::Find(prompt) => &mut prompt.text,
        Layer::Jump(text) => text,
        Layer::Review(review) if review.typing => &mut review.typed,
        Layer::Palette(palette) => &mut palette.text,
        Layer::Requests(pane) if pane.typing => &mut pane.filter,
        Layer::Profiles(list) => &mut list.filter,
        Layer::Output(pane) if pane.typing => &mut pane.search_text,
        _ => return None,
    })
}
