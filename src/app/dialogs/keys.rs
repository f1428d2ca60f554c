//! The keys of every dialog with short labels, shown in the dialog's last line and checked by the tests.
//!
//! The keys and labels depend on the dialog's state. Keys that edit text or move through a list, and alternative keys, are not
//! listed.

use crate::app::request_lines;
use crate::app::{
    Access, BulkEdit, Conflict, ConflictKind, Deletion, FindPrompt, Form, HelpPage, Layer, Letter, NewProfile,
    OpenedFrom, OutlineEdit, OutputPage, OutputPane, Palette, ParentPicker, PendingPane, ProfileField, ProfileList,
    Renaming, RequestsPage, RequestsPane, Review, RunConfirmation, Stage, State, fixed_name,
};
use crate::changes::{OpId, OpState};
use crate::forest::Query;
use crate::keymap::Keymap;
use crate::segment::Field;

/// A key, or several separated by spaces, and its label.
pub type DialogKey = (&'static str, &'static str);

/// Whether a list of keys has this key with this label.
pub(in crate::app) fn is_listed(hints: &[DialogKey], (key, what): DialogKey) -> bool {
    hints.iter().any(|(keys, label)| *label == what && keys.split(' ').any(|other| other == key))
}

impl Layer {
    /// Returns the keys of the dialog.
    #[must_use]
    pub fn keys(&self, state: &State, keymap: &Keymap) -> Vec<DialogKey> {
        match self {
            Self::Help(_) => HelpPage::of(state, keymap).keys(),
            Self::Form(form) => form.keys(),
            Self::Bulk(_) => BulkEdit::KEYS.to_vec(),
            Self::Parents(picker) => picker.keys(),
            Self::Deletion(deletion) => deletion.keys(),
            Self::Conflict(conflict) => conflict.keys(),
            Self::Outline(_) => OutlineEdit::KEYS.to_vec(),
            Self::Review(review) => review.keys(state),
            Self::Palette(_) => Palette::KEYS.to_vec(),
            Self::Queue(pane) => pane.keys(state),
            Self::Findings => findings_keys(state),
            Self::Requests(pane) => pane.keys(state),
            Self::Profiles(_) => ProfileList::KEYS.to_vec(),
            Self::Switching(_) => vec![("s", "switch anyway"), ("esc", "cancel")],
            Self::RunConfirmation(_) => RunConfirmation::KEYS.to_vec(),
            Self::Output(pane) => pane.keys(state),
            Self::NewProfile(form) => form.keys(),
            Self::Leaving => vec![("q", "quit anyway"), ("esc", "cancel")],
            Self::Renaming(_) => Renaming::KEYS.to_vec(),
            Self::Find(prompt) => prompt.keys(state),
            Self::Letter(_) => Letter::KEYS.to_vec(),
            Self::Jump(_) => Vec::new(),
        }
    }
}

impl HelpPage {
    /// Returns the keys of the help page.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        if self.end > 0 { vec![("j k", "scroll"), ("esc", "close")] } else { vec![("esc", "close")] }
    }
}

impl Form {
    /// Returns the keys of the segment form.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let clear = if self.focus == Field::Parent { "top level" } else { "clear" };
        vec![("enter", "save"), ("tab", "next field"), ("ctrl-u", clear), ("esc", "cancel")]
    }
}

impl Renaming {
    /// The keys of renaming in the row.
    pub const KEYS: &[DialogKey] = &[("enter", "save"), ("esc", "cancel"), ("ctrl-u", "clear")];
}

impl Letter {
    /// The keys besides the letter that is asked for.
    pub const KEYS: &[DialogKey] = &[("esc", "cancel")];
}

impl FindPrompt {
    /// Returns the keys of the search prompt that are of use at the moment.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        match &state.tree.search {
            _ if Query::wants_a_state(self.text.text()) => Vec::new(),
            None => Vec::new(),
            Some(search) if search.ended && search.matches == 0 => vec![("esc", "cancel")],
            Some(_) => vec![("enter", "keep"), ("esc", "cancel")],
        }
    }
}

impl ParentPicker {
    /// Returns the keys of the parent picker.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let enter = if self.is_for_form() { "choose" } else { "move here" };
        vec![("type", "to filter"), ("up down", "select"), ("enter", enter), ("esc", "cancel")]
    }
}

impl Palette {
    /// The keys of the palette.
    pub const KEYS: &[DialogKey] = &[("type", "to filter"), ("up down", "select"), ("enter", "run"), ("esc", "close")];
}

impl ProfileList {
    /// The keys of the list of profiles.
    pub const KEYS: &[DialogKey] =
        &[("type", "to filter"), ("up down", "select"), ("enter", "switch"), ("esc", "cancel")];
}

impl RunConfirmation {
    /// The keys of the confirmation before a user command runs.
    pub const KEYS: &[DialogKey] = &[("enter", "run"), ("esc", "cancel")];
}

impl OutlineEdit {
    /// The keys of the errors in an edited text.
    pub const KEYS: &[DialogKey] = &[("e", "edit again (errors shown at the top)"), ("esc", "cancel (text is kept)")];
}

impl BulkEdit {
    /// The keys of the bulk-edit form.
    pub const KEYS: &[DialogKey] = &[("enter", "review"), ("tab", "next"), ("esc", "cancel")];
}

impl Deletion {
    /// Returns the keys of the deletion dialog.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let leave = ("esc", "cancel");
        if self.descendants == 0 {
            return vec![("enter", "delete"), leave];
        }
        vec![("s", "delete all"), ("p", "keep the children"), ("o", "delete only this one"), leave]
    }
}

impl Conflict {
    /// Returns the keys of the conflict dialog.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let later = ("esc", "later");
        match &self.kind {
            ConflictKind::Changes { .. } => vec![
                ("left right", "keep theirs/yours"),
                ("enter", "save"),
                ("e", "edit"),
                ("t", "all theirs"),
                ("m", "all mine"),
                later,
            ],
            ConflictKind::Gone { .. } => vec![("c", "re-create"), ("t", "keep deleted"), later],
            ConflictKind::Deletion { .. } => vec![("D", "delete anyway"), ("t", "keep"), later],
            ConflictKind::PossibleDuplicate { .. } => {
                vec![("t", "use this one"), ("c", "create another"), later]
            }
            ConflictKind::NewChildren { .. } => vec![("D", "delete those too (review first)"), ("t", "keep"), later],
        }
    }
}

impl Review {
    /// Returns the keys of a review.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        let enter = if self.confirmation.is_last() { ("enter", "send") } else { ("enter", "continue") };
        if self.typing && self.is_single(state) {
            vec![enter, ("esc", "cancel")]
        } else if self.typing {
            vec![enter, ("up down", "scroll"), ("esc", "back")]
        } else if self.is_staged {
            vec![("y", "send all"), ("d", "discard"), ("esc", "keep staged")]
        } else {
            vec![("y", "send all"), ("d", "exclude"), ("esc", "cancel")]
        }
    }
}

impl PendingPane {
    /// Returns the keys of the list of pending changes: those for the selected change, if there is one, and those for all.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        let shows_left_over = self.shows_left_over(state);
        let mut keys: Vec<DialogKey> = shows_left_over.then_some(("enter", "OK")).into_iter().collect();
        keys.extend((state.changes.counts().staged > 0).then_some(("y", "send staged")));
        let selected: Option<OpId> = self.selected(state);
        if let Some(op) = selected.and_then(|op| state.changes.queue.op(op)) {
            match op.state {
                OpState::Failed(_) => {
                    keys.extend([(if shows_left_over { "e" } else { "enter" }, "resolve"), ("r", "retry")]);
                }
                OpState::OnHold => keys.push(("r", "resume")),
                OpState::Staged => keys.push(("r", "send this")),
                _ => {}
            }
            let counts = state.changes.counts();
            let all = if counts.failed > 0 { "retry all" } else { "resume all" };
            keys.extend((counts.failed + counts.on_hold > 0).then_some(("R", all)));
            keys.push(("d", "discard"));
            keys.push(("D", if op.state == OpState::Staged { "discard all staged" } else { "discard group" }));
            keys.extend((op.state == OpState::Queued).then_some(("h", "hold")));
            keys.extend((counts.queued > counts.in_flight).then_some(("H", "hold all")));
        }
        keys.extend(state.changes.is_staging().then_some(("S", "end staging")));
        keys.push(("esc", "close"));
        keys
    }
}

/// Returns the keys of the list of findings.
#[must_use]
pub fn findings_keys(state: &State) -> Vec<DialogKey> {
    let mut keys = Vec::new();
    if state.side.findings.chosen().is_some() {
        keys.push(("enter", "go to"));
        if state.session.access == Access::ReadWrite {
            keys.extend(fixed_name(state).is_some().then_some(("f", "fix")));
            keys.extend([("e", "edit"), ("m", "move"), ("d", "delete")]);
        }
        keys.push(("tab", "next rule"));
    }
    keys.push(("esc", "close"));
    keys
}

impl RequestsPane {
    /// Returns the keys of the list of requests, or of the open request.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        if let Some(open) = &self.open {
            let panes = &state.screen.panes;
            let lines = request_lines(&open.exchange, panes, &state.clock.zone).len();
            let scroll = (panes.accessible || lines > RequestsPage::of(panes).rows).then_some(("j k", "scroll"));
            return scroll.into_iter().chain([("y", "copy as curl"), ("esc", "back")]).collect();
        }
        if self.typing {
            vec![("enter", "apply"), ("esc", "clear")]
        } else if !self.listed(&state.side.requests).is_empty() {
            vec![("enter", "open"), ("y", "copy as curl"), ("/", "filter"), ("esc", "close")]
        } else if self.filter.text().is_empty() {
            vec![("esc", "close")]
        } else {
            vec![("/", "filter"), ("esc", "clear filter")]
        }
    }
}

impl OutputPane {
    /// Returns the keys of the output pane.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        let Some(run) = &state.side.commands.run else { return vec![("esc", "close")] };
        if self.typing {
            return vec![("enter", "search"), ("esc", "cancel")];
        }
        let mut keys = Vec::new();
        let lines = run.text.lines().len();
        if lines > OutputPage::of(&state.screen.panes).rows {
            keys.extend([("j k", "scroll"), ("G", "end")]);
        }
        if lines > 0 {
            keys.extend([("h l", "sideways"), ("/", "find")]);
            keys.extend((!self.search_text.text().is_empty()).then_some(("n N", "next")));
            keys.push(("y", "copy"));
        }
        keys.push(match &run.end {
            Some(_) => ("esc", "close"),
            None if run.stopping => ("esc", "close"),
            None => ("esc", "stop"),
        });
        keys
    }
}

impl NewProfile {
    /// Returns the keys of the new-profile form.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let is_existing = self.opened_from == OpenedFrom::WithoutKey;
        match self.stage {
            Stage::Trying | Stage::Saving => vec![("esc", "cancel")],
            Stage::Failed => {
                let anyway = if is_existing { "open anyway" } else { "save anyway" };
                vec![("enter", "retry"), ("ctrl-s", anyway), ("esc", "cancel")]
            }
            Stage::Filling if is_existing => vec![("enter", "test and open"), ("esc", "cancel")],
            Stage::Filling => {
                let on_key_location = self.focus == ProfileField::KeyLocation;
                let mut keys = vec![("enter", "test and save")];
                keys.push(if on_key_location { ("left right", "select") } else { ("tab", "next field") });
                if self.opened_from == OpenedFrom::FirstRun {
                    keys.push(("ctrl-t", "open demo"));
                }
                let leave = if self.opened_from == OpenedFrom::FirstRun { "quit" } else { "cancel" };
                keys.push(("esc", leave));
                keys
            }
        }
    }
}
