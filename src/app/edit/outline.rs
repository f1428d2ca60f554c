//! Segments as a text in the person's own editor: from the key to the text, and from the text that comes back to a plan.
//!
//! While the editor is open nothing is drawn and no key comes here; what the sync actor says waits. What somebody else changes
//! meanwhile is met as with any other edit, since every operation carries the segment as it was written into the text.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::edit::words;
use crate::app::tree::marking;
use crate::app::words::{title, with_text_kept};
use std::path::PathBuf;

use crate::changes::OpId;
use crate::changes::Outline;
use crate::formats::outline::{Fault, with_faults};
use crate::keymap::Key;

use crate::app::changes::{self, SubmitMode};
use crate::app::{Effect, Layer, State};

/// A text that is being edited.
#[derive(Debug, Clone)]
pub struct OutlineEdit {
    base: Outline,
    place: EditState,
}

/// Where a text is.
#[derive(Debug, Clone)]
enum EditState {
    /// In the editor. The file of the time before is kept until there is another one.
    InEditor { former: Option<PathBuf> },
    /// It came back, and can't be read.
    Faulty { text: String, file: PathBuf, faults: Vec<Fault> },
}

/// What became of a text that was handed to the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// The editor ended well, and this is what it left.
    Saved {
        /// The text.
        text: String,
        /// Where it is.
        file: PathBuf,
    },
    /// Nothing came of it.
    Failed {
        /// Why.
        fault: EditorFault,
        /// Where the text is, if it could be written at all.
        file: Option<PathBuf>,
    },
}

/// Why a text was not edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditorFault {
    /// There is no file for it.
    #[error("couldn't write the text to a file ({0})")]
    NotWritten(String),
    /// The editor's command is no command.
    #[error("invalid editor command {0}; check VISUAL or EDITOR")]
    NoCommand(String),
    /// There is no such editor.
    #[error("couldn't start the editor {editor} ({reason}); check VISUAL or EDITOR")]
    NotStarted {
        /// Its command.
        editor: String,
        /// The system's words.
        reason: String,
    },
    /// The editor says that it failed, or that the person did not want it.
    #[error("the editor {editor} ended with {status}")]
    Unsuccessful {
        /// Its command.
        editor: String,
        /// How it ended.
        status: String,
    },
    /// What it left is no text.
    #[error("couldn't read the edited file ({0})")]
    NotRead(String),
}

impl OutlineEdit {
    /// What is wrong, a line each; empty while the text is in the editor.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        match &self.place {
            EditState::InEditor { .. } => Vec::new(),
            EditState::Faulty { faults, .. } => faults.iter().map(words::fault_in_line).collect(),
        }
    }
}

/// Writes what is marked or selected, or everything, as a text for the editor.
pub(in crate::app) fn open(state: &mut State) -> Vec<Effect> {
    match Outline::of(&state.tree.forest, &marking::subjects(state)) {
        Ok(base) => {
            let text = base.text();
            state.screen.layers.push(Layer::Outline(OutlineEdit { base, place: EditState::InEditor { former: None } }));
            vec![Effect::EditText { text }]
        }
        Err(too_large) => {
            state.warn(too_large.to_string());
            Vec::new()
        }
    }
}

/// Takes what became of the text.
pub(in crate::app) fn take_edited(state: &mut State, edited: Edited) -> Vec<Effect> {
    let Some(at) = state.screen.layers.iter().rposition(|layer| matches!(layer, Layer::Outline(_))) else {
        return Vec::new();
    };
    let Layer::Outline(OutlineEdit { base, place }) = state.screen.layers.remove(at) else { return Vec::new() };
    let former = match place {
        EditState::InEditor { former } => former,
        EditState::Faulty { file, .. } => Some(file),
    };
    match edited {
        Edited::Saved { text, file } => {
            let mut effects: Vec<Effect> = former.map(Effect::RemoveText).into_iter().collect();
            effects.extend(read(state, base, text, file));
            effects
        }
        Edited::Failed { fault, file } => {
            state.warn(words::editor_failed(&fault, file.as_deref().or(former.as_deref())));
            // The one before is the only one when there is no other.
            file.and(former).map(Effect::RemoveText).into_iter().collect()
        }
    }
}

fn read(state: &mut State, base: Outline, text: String, file: PathBuf) -> Vec<Effect> {
    let plan_id = state.changes.queue.next_plan_id();
    match base.plan(&text, |index| OpId { plan_id, index }.provisional_id()) {
        Err(faults) => {
            let place = EditState::Faulty { text, file, faults };
            state.screen.layers.push(Layer::Outline(OutlineEdit { base, place }));
            Vec::new()
        }
        Ok((plan, reasons)) => {
            let title = match plan.operations.as_slice() {
                [] => {
                    state.inform(words::NO_CHANGES);
                    return vec![Effect::RemoveText(file)];
                }
                [only] => title(only),
                several => words::text_edit(several.len()),
            };
            let mut effects = changes::begin(state, plan, title, None, SubmitMode::Unseen);
            match state.screen.layers.last_mut() {
                Some(Layer::Review(review)) => {
                    review.reasons = reasons.iter().map(ToString::to_string).collect();
                    review.text = Some(file);
                }
                // It gathers with others.
                _ => effects.push(Effect::RemoveText(file)),
            }
            effects
        }
    }
}

pub(in crate::app) fn press(state: &mut State, edit: &mut OutlineEdit, key: Key) -> KeyResult {
    match (&edit.place, key.to_string().as_str()) {
        (EditState::Faulty { text, file, faults }, "e" | "enter") => {
            let text = with_faults(text, faults);
            edit.place = EditState::InEditor { former: Some(file.clone()) };
            KeyResult::StayAndDo(vec![Effect::EditText { text }])
        }
        (EditState::Faulty { file, .. }, "esc" | "q" | "ctrl-c") => {
            state.warn(with_text_kept(words::NO_CHANGES, file));
            KeyResult::Close
        }
        // What was typed before the editor came up is not for it, and not for what is below either.
        _ => KeyResult::Stay,
    }
}
