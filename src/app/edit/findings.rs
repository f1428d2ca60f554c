//! Keys of the findings list: stepping through it, going to a finding's segment, and fixing that segment from the list.

use std::sync::Arc;

use crate::action::Action;
use crate::app::availability::availability_for_selected;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::ListKeys;
use crate::app::edit::{changing, words};
use crate::app::messages::Topic;
use crate::app::tree::{places, viewport};
use crate::app::words::NOTHING_SELECTED;
use crate::app::{Deletion, Effect, Form, Layer, Pane, State, TextField};
use crate::check::mended_name;
use crate::keymap::Key;
use crate::segment::{Segment, SegmentId};

/// Returns the chosen segment's name without invisible characters and surrounding spaces; `None` if there is nothing to fix.
#[must_use]
pub fn fixed_name(state: &State) -> Option<String> {
    let segment = chosen_segment(state)?;
    mended_name(&segment.name)
}

/// Returns the chosen finding's segment as it is now.
fn chosen_segment(state: &State) -> Option<&Arc<Segment>> {
    state.tree.forest.get(&state.side.findings.chosen()?.segment.id)
}

pub(in crate::app) fn press(state: &mut State, key: Key) -> KeyResult {
    let text = key.to_string();
    let count = state.side.findings.all().map_or(0, <[_]>::len);
    if state.side.findings.list.press(&text, count, ListKeys::Letters) {
        (state.side.findings.is_replaced, state.side.findings.fixing) = (false, None);
        return KeyResult::Stay;
    }
    match text.as_str() {
        "esc" | "q" | "C" | "ctrl-c" => return KeyResult::Close,
        "tab" | "backtab" => {
            go_to_rule(state, text == "tab");
            return KeyResult::Stay;
        }
        "enter" | "e" | "f" | "m" | "d" => {}
        _ => return KeyResult::Stay,
    }
    if std::mem::take(&mut state.side.findings.is_replaced) && count > 0 {
        state.warn(words::finding_is_gone(&text));
        return KeyResult::Stay;
    }
    let Some(segment) = chosen_segment(state).cloned() else {
        state.warn(if count == 0 { NOTHING_SELECTED } else { words::SEGMENT_IS_GONE });
        return KeyResult::Stay;
    };
    state.screen.panes.focus = Pane::Tree;
    places::record_position(state);
    viewport::go_to(state, &segment.id);
    if text == "enter" {
        return KeyResult::Close;
    }
    open_fix(state, &segment, &text)
}

/// Opens the dialog that fixes a segment, over the list. It is about this segment only, whatever is marked.
fn open_fix(state: &mut State, segment: &Arc<Segment>, key: &str) -> KeyResult {
    let action = match key {
        "m" => Action::Move,
        "d" => Action::Delete,
        _ => Action::Edit,
    };
    if let Err(reason) = availability_for_selected(state, action) {
        state.warn_about(Topic::RefusalForSelected(action), reason);
        return KeyResult::Stay;
    }
    let effects: Vec<Effect> = match action {
        Action::Move => changing::pick_parent_of(state, segment),
        Action::Delete => {
            let deletion = Deletion::of(&state.tree.forest, std::slice::from_ref(segment));
            state.screen.layers.push(Layer::Deletion(deletion));
            Vec::new()
        }
        _ => {
            let fixed_name = mended_name(&segment.name).filter(|_| key == "f");
            if key == "f" && fixed_name.is_none() {
                state.warn(words::NOTHING_TO_FIX);
                return KeyResult::Stay;
            }
            let mut form = Form::edit(segment);
            if let Some(name) = fixed_name {
                form.name = TextField::new(&name);
            }
            state.screen.layers.push(Layer::Form(form));
            Vec::new()
        }
    };
    state.side.findings.fixing = Some::<SegmentId>(segment.id.clone());
    KeyResult::StayAndDo(effects)
}

/// Goes to the first finding of the next or previous rule.
fn go_to_rule(state: &mut State, forward: bool) {
    let findings = &mut state.side.findings;
    (findings.is_replaced, findings.fixing) = (false, None);
    let at = findings.list.chosen;
    let Some((all, rule)) = findings.all().and_then(|all| Some((all, all.get(at)?.rule))) else { return };
    let first_of = |rule| all.iter().position(|finding| finding.rule == rule).unwrap_or(at);
    let place = if forward {
        all[at..].iter().position(|finding| finding.rule != rule).map_or(at, |further| at + further)
    } else {
        let first = first_of(rule);
        first.checked_sub(1).map_or(first, |before| first_of(all[before].rule))
    };
    findings.list.chosen = place;
}
