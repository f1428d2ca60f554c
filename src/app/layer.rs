//! What can be open over the main screen. The last one opened gets the keys first; no two of a kind are ever open.

use crate::forest::Forest;
use crate::mirror::WriteError;

use super::{Deletion, FindPrompt, Form, ParentPicker, Renaming, State};

/// Something that is open.
#[derive(Debug, Clone)]
pub enum Layer {
    /// All keys. Holds the first line shown.
    Help(usize),
    /// The form for a new segment or all fields of one.
    Form(Form),
    /// The row itself as an input.
    Renaming(Renaming),
    /// The choice of a parent.
    Parents(ParentPicker),
    /// What would go, and how.
    Deletion(Deletion),
    /// The line in which a search is typed.
    Find(FindPrompt),
    /// Whether to leave although writes are under way.
    Leaving,
}

impl Layer {
    /// Puts the reason of a refusal where the person will look.
    pub(super) fn refuse(&mut self, forest: &Forest, error: Option<&WriteError>, words: &str) {
        match self {
            Self::Form(form) => form.refuse(forest, error, words),
            Self::Renaming(renaming) => renaming.refuse(error, words),
            _ => {}
        }
    }
}

/// Opens the oldest refused dialog again.
pub(super) fn bring_back_refused(state: &mut State) {
    if let Some(layer) = state.writes.refused.pop_front() {
        state.message = None;
        state.layers.push(layer);
    }
}
