//! The result of a key in a dialog.

use crate::app::{Effect, Layer, State};
use crate::forest::SearchKind;

/// Whether a dialog stays open after a key, and the effects to carry out.
#[derive(Debug)]
pub(in crate::app) enum KeyResult {
    /// The dialog stays open.
    Stay,
    /// The dialog stays open, with these effects.
    StayAndDo(Vec<Effect>),
    /// The dialog closes.
    Close,
    /// The dialog is replaced by another.
    Replace(Box<Layer>),
    /// The dialog closes, with these effects.
    CloseAndDo(Vec<Effect>),
}

impl KeyResult {
    /// Replaces the dialog by another.
    pub(in crate::app) fn replace(layer: Layer) -> Self {
        Self::Replace(Box::new(layer))
    }

    /// Applies the result and returns the effects. `index` is the index of the dialog among the open ones.
    pub(in crate::app) fn apply(self, state: &mut State, layer: Layer, index: usize) -> Vec<Effect> {
        let was_picker = matches!(layer, Layer::Parents(_));
        let (remaining, effects) = match self {
            Self::Stay => (Some(layer), Vec::new()),
            Self::StayAndDo(effects) => (Some(layer), effects),
            Self::Close => (None, Vec::new()),
            Self::Replace(other) => {
                state.screen.record_layer_change();
                (Some(*other), Vec::new())
            }
            Self::CloseAndDo(effects) => (None, effects),
        };
        let is_picker = matches!(remaining, Some(Layer::Parents(_)));
        if let Some(layer) = remaining {
            // Dialogs that it opened stay above it.
            state.screen.layers.insert(index.min(state.screen.layers.len()), layer);
        }
        if was_picker && !is_picker {
            state.tree.forest.end_search(SearchKind::Parents);
        }
        effects
    }
}
