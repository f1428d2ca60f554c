//! The keys of every dialog and what they do, in short: drawn in its last line, and read by the tests.
//!
//! Which of them a dialog has depends on how it stands, as what they do does. Keys that go through a text or a list, and second
//! ones for the same, are not told.

use crate::app::request_lines;
use crate::app::{
    Between, BulkEdit, Conflict, Deletion, Form, HelpPage, Layer, NewProfile, OpenedFrom, OutlineEdit, OutputPage,
    OutputPane, Palette, ParentPicker, PendingPane, ProfileField, ProfileList, RequestsPage, RequestsPane, Review,
    RunConfirmation, Stage, State,
};
use crate::changes::{OpId, OpState};
use crate::keymap::Keymap;
use crate::segment::Field;

/// A key, or several with a blank between them, and what it does.
pub type DialogKey = (&'static str, &'static str);

impl Layer {
    /// Its keys. What is typed in the footer's line and in the row has its keys told there.
    #[must_use]
    pub fn keys(&self, state: &State, keymap: &Keymap) -> Vec<DialogKey> {
        match self {
            Self::Help(_) => HelpPage::of(state, keymap).keys(),
            Self::Form(form) => form.keys(),
            Self::Bulk(_) => BulkEdit::KEYS.to_vec(),
            Self::Parents(_) => ParentPicker::KEYS.to_vec(),
            Self::Deletion(deletion) => deletion.keys(),
            Self::Conflict(conflict) => conflict.keys(),
            Self::Outline(_) => OutlineEdit::KEYS.to_vec(),
            Self::Review(review) => review.keys(state),
            Self::Palette(_) => Palette::KEYS.to_vec(),
            Self::Queue(pane) => pane.keys(state),
            Self::Requests(pane) => pane.keys(state),
            Self::Profiles(_) => ProfileList::KEYS.to_vec(),
            Self::Switching(_) => vec![("s", "switch now"), ("esc", "stay")],
            Self::RunConfirmation(_) => RunConfirmation::KEYS.to_vec(),
            Self::Output(pane) => pane.keys(state),
            Self::NewProfile(form) => form.keys(),
            Self::Leaving => vec![("q", "leave now"), ("esc", "stay")],
            Self::Renaming(_) | Self::Find(_) | Self::Jump(_) | Self::Letter(_) => Vec::new(),
        }
    }
}

impl HelpPage {
    /// The keys of the page of all keys.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        if self.end > 0 { vec![("j k", "scroll"), ("esc", "leave")] } else { vec![("esc", "leave")] }
    }
}

impl Form {
    /// The keys of the form.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let clear = if self.focus == Field::Parent { "top level" } else { "clear" };
        vec![("enter", "save"), ("tab", "next field"), ("ctrl-u", clear), ("esc", "leave")]
    }
}

impl ParentPicker {
    /// The keys of the choice of a parent.
    pub const KEYS: &[DialogKey] =
        &[("type", "to filter"), ("up down", "choose"), ("enter", "take it"), ("esc", "leave")];
}

impl Palette {
    /// The keys of the palette.
    pub const KEYS: &[DialogKey] =
        &[("type", "to filter"), ("up down", "choose"), ("enter", "do it"), ("esc", "leave")];
}

impl ProfileList {
    /// The keys of the list of profiles.
    pub const KEYS: &[DialogKey] = &[("type", "to filter"), ("up down", "choose"), ("enter", "go"), ("esc", "stay")];
}

impl RunConfirmation {
    /// The keys of the question before a command runs.
    pub const KEYS: &[DialogKey] = &[("enter", "run it"), ("esc", "leave")];
}

impl OutlineEdit {
    /// The keys of what is wrong with a text.
    pub const KEYS: &[DialogKey] = &[("e", "edit it again, with this at its top"), ("esc", "leave it in its file")];
}

impl BulkEdit {
    /// The keys of the form for all that is marked.
    pub const KEYS: &[DialogKey] = &[("enter", "look at the plan"), ("tab", "next"), ("esc", "leave")];
}

impl Deletion {
    /// The keys of a deletion.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let leave = ("esc", "leave everything as it is");
        if self.descendants == 0 {
            return vec![("enter", "delete"), leave];
        }
        vec![("s", "delete all"), ("p", "move the children up, then delete"), ("o", "delete only this"), leave]
    }
}

impl Conflict {
    /// The keys of a conflict.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        let later = ("esc", "decide later");
        match &self.between {
            Between::Changes { .. } => vec![
                ("left right", "whose, for the row"),
                ("enter", "save this"),
                ("e", "edit"),
                ("t", "all theirs"),
                ("m", "all yours"),
                later,
            ],
            Between::Gone { .. } => vec![("c", "create it again"), ("t", "leave it deleted"), later],
            Between::Deletion { .. } => vec![("D", "delete it all the same"), ("t", "keep it"), later],
            Between::PossibleDuplicate { .. } => {
                vec![("t", "that is it: take it as it is"), ("c", "create another"), later]
            }
            Between::NewChildren { .. } => vec![("D", "delete those too, after a look"), ("t", "keep it"), later],
        }
    }
}

impl Review {
    /// The keys of a review.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        let enter = if self.confirmation.is_last() { ("enter", "send") } else { ("enter", "next word") };
        if self.typing && self.is_single(state) {
            vec![enter, ("esc", "send nothing")]
        } else if self.typing {
            vec![enter, ("up down", "look through it"), ("esc", "back")]
        } else if state.changes.is_staging() {
            vec![("y", "send all"), ("d", "take one out"), ("D", "drop all"), ("esc", "keep for later")]
        } else {
            vec![("y", "send all of this"), ("d", "take one out"), ("esc", "send nothing")]
        }
    }
}

impl PendingPane {
    /// The keys of the list of pending changes: those that do something with the selected one, if there is one, and with the
    /// others.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        let mut keys = Vec::new();
        let selected: Option<OpId> = self.selected(state);
        if let Some(op) = selected.and_then(|op| state.changes.queue.op(op)) {
            match op.state {
                OpState::Failed(_) => keys.extend([("enter", "decide or edit"), ("r", "again")]),
                OpState::OnHold => keys.push(("r", "go on")),
                OpState::Staged => keys.push(("r", "send it")),
                _ => {}
            }
            let counts = state.changes.counts();
            keys.extend((counts.failed + counts.on_hold > 0).then_some(("R", "all again")));
            keys.extend([("d", "drop"), ("D", "drop the plan")]);
            keys.extend((counts.queued > 0).then_some(("h", "hold back")));
        }
        keys.push(("esc", "leave"));
        keys
    }
}

impl RequestsPane {
    /// The keys of the list of requests, or of the one that is read.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        if let Some(open) = &self.open {
            let place = RequestsPage::of(&state.screen.panes);
            let lines = request_lines(&open.exchange, place.columns, &state.clock.zone).len();
            let scroll = (lines > place.rows).then_some(("j k", "scroll"));
            return scroll.into_iter().chain([("y", "copy as curl"), ("esc", "back")]).collect();
        }
        if self.typing {
            vec![("enter", "keep the filter"), ("esc", "clear it")]
        } else if !self.listed(&state.side.requests).is_empty() {
            vec![("enter", "read it"), ("y", "copy as curl"), ("/", "filter"), ("esc", "leave")]
        } else if self.filter.text().is_empty() {
            vec![("esc", "leave")]
        } else {
            vec![("/", "filter"), ("esc", "clear the filter")]
        }
    }
}

impl OutputPane {
    /// The keys of what a command writes.
    #[must_use]
    pub fn keys(&self, state: &State) -> Vec<DialogKey> {
        let Some(run) = &state.side.commands.run else { return vec![("esc", "leave")] };
        if self.typing {
            return vec![("enter", "look for it"), ("esc", "leave")];
        }
        let mut keys = Vec::new();
        let lines = run.text.lines().len();
        if lines > OutputPage::of(&state.screen.panes).rows {
            keys.extend([("j k", "scroll"), ("G", "end")]);
        }
        if lines > 0 {
            keys.extend([("h l", "sideways"), ("/", "find")]);
            keys.extend((!self.sought.text().is_empty()).then_some(("n N", "next")));
            keys.push(("y", "copy"));
        }
        keys.push(match &run.end {
            Some(_) => ("esc", "leave"),
            None if run.stopping => ("esc", "leave it"),
            None => ("esc", "stop it"),
        });
        keys
    }
}

impl NewProfile {
    /// The keys of the form for a profile.
    #[must_use]
    pub fn keys(&self) -> Vec<DialogKey> {
        match self.stage {
            Stage::Trying | Stage::Saving => vec![("esc", "stop that")],
            Stage::Failed => vec![("enter", "try again"), ("ctrl-s", "save it all the same"), ("esc", "leave")],
            Stage::Filling => {
                let keeping = self.focus == ProfileField::KeyLocation;
                let mut keys = vec![("enter", "try and save")];
                keys.push(if keeping { ("left right", "choose") } else { ("tab", "next field") });
                if self.occasion == OpenedFrom::FirstRun {
                    keys.push(("ctrl-t", "the demo"));
                }
                keys.push(("esc", "leave"));
                keys
            }
        }
    }
}
