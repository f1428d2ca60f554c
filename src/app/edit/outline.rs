//! Editing segments as text in the user's editor: writing the text, and reading the saved text back into a plan.
//!
//! While the editor is open, nothing is drawn, no keys arrive and events of the sync actor wait. Changes made elsewhere in the
//! meantime become conflicts as in any other edit, since every operation carries the segment as it was written into the text.

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

/// A text being edited.
#[derive(Debug, Clone)]
pub struct OutlineEdit {
    base: Outline,
    stage: EditState,
}

/// Whether the text is in the editor or came back with faults.
#[derive(Debug, Clone)]
enum EditState {
    /// In the editor. The previous file is kept until there is a new one.
    InEditor { previous_file: Option<PathBuf> },
    /// Saved, but it could not be read as an outline.
    Faulty { text: String, file: PathBuf, faults: Vec<Fault> },
}

/// The outcome of an edit in the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditorOutcome {
    /// The editor exited successfully.
    Saved {
        /// The saved text.
        text: String,
        /// The file that holds it.
        file: PathBuf,
    },
    /// The text was not edited.
    Failed {
        /// The reason.
        fault: EditorFault,
        /// The file that holds the text, if it could be written.
        file: Option<PathBuf>,
    },
}

/// Why a text could not be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditorFault {
    /// The text could not be written to a file.
    #[error("couldn't write the text to a file ({0})")]
    NotWritten(String),
    /// The configured command can't be parsed.
    #[error("invalid editor command {0}; check VISUAL or EDITOR")]
    NoCommand(String),
    /// The editor could not be started.
    #[error("couldn't start the editor {editor} ({reason}); check VISUAL or EDITOR")]
    NotStarted {
        /// The editor's command.
        editor: String,
        /// The system's error message.
        reason: String,
    },
    /// The editor exited with a failure, which is also how the user cancels.
    #[error("the editor {editor} ended with {status}")]
    Unsuccessful {
        /// The editor's command.
        editor: String,
        /// Its exit status.
        status: String,
    },
    /// The edited file is not readable as text.
    #[error("couldn't read the edited file ({0})")]
    NotRead(String),
}

impl OutlineEdit {
    /// Returns what is wrong, one line per fault; empty while the text is in the editor.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        match &self.stage {
            EditState::InEditor { .. } => Vec::new(),
            EditState::Faulty { faults, .. } => faults.iter().map(words::fault_in_line).collect(),
        }
    }
}

/// Opens the marked or selected segments, or all segments, as text in the editor.
pub(in crate::app) fn open(state: &mut State) -> Vec<Effect> {
    match Outline::of(&state.tree.forest, &marking::subjects(state)) {
        Ok(base) => {
            let text = base.text();
            state
                .screen
                .layers
                .push(Layer::Outline(OutlineEdit { base, stage: EditState::InEditor { previous_file: None } }));
            vec![Effect::EditText { text }]
        }
        Err(too_large) => {
            state.warn(too_large.to_string());
            Vec::new()
        }
    }
}

/// Handles the outcome of the edit.
pub(in crate::app) fn on_edited(state: &mut State, outcome: EditorOutcome) -> Vec<Effect> {
    let Some(at) = state.screen.layers.iter().rposition(|layer| matches!(layer, Layer::Outline(_))) else {
        return Vec::new();
    };
    let Layer::Outline(OutlineEdit { base, stage }) = state.screen.layers.remove(at) else { return Vec::new() };
    let previous_file = match stage {
        EditState::InEditor { previous_file } => previous_file,
        EditState::Faulty { file, .. } => Some(file),
    };
    match outcome {
        EditorOutcome::Saved { text, file } => {
            let mut effects: Vec<Effect> = previous_file.map(Effect::RemoveText).into_iter().collect();
            effects.extend(submit_text(state, base, text, file));
            effects
        }
        EditorOutcome::Failed { fault, file } => {
            state.warn(words::editor_failed(&fault, file.as_deref().or(previous_file.as_deref())));
            // Without a new file, the previous one is the only copy of the text.
            file.and(previous_file).map(Effect::RemoveText).into_iter().collect()
        }
    }
}

fn submit_text(state: &mut State, base: Outline, text: String, file: PathBuf) -> Vec<Effect> {
    let plan_id = state.changes.queue.next_plan_id();
    match base.plan(&text, |index| OpId { plan_id, index }.provisional_id()) {
        Err(faults) => {
            let edit = OutlineEdit { base, stage: EditState::Faulty { text, file, faults } };
            state.screen.layers.push(Layer::Outline(edit));
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
            let mut effects = changes::start_plan(state, plan, title, None, SubmitMode::Unseen);
            match state.screen.layers.last_mut() {
                Some(Layer::Review(review)) => {
                    review.reasons = reasons.iter().map(ToString::to_string).collect();
                    review.text = Some(file);
                }
                // The plan was staged with others.
                _ => effects.push(Effect::RemoveText(file)),
            }
            effects
        }
    }
}

pub(in crate::app) fn press(state: &mut State, edit: &mut OutlineEdit, key: Key) -> KeyResult {
    match (&edit.stage, key.to_string().as_str()) {
        (EditState::Faulty { text, file, faults }, "e" | "enter") => {
            let text = with_faults(text, faults);
            edit.stage = EditState::InEditor { previous_file: Some(file.clone()) };
            KeyResult::StayAndDo(vec![Effect::EditText { text }])
        }
        (EditState::Faulty { file, .. }, "esc" | "q" | "ctrl-c") => {
            state.warn(with_text_kept(words::NO_CHANGES, file));
            KeyResult::Close
        }
        // Keys typed before the editor came up are not meant for it, nor for the layer below.
        _ => KeyResult::Stay,
    }
}
