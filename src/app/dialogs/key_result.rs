//! What a dialog answers to a key.

use crate::app::{Effect, Layer, State};
use crate::forest::SearchKind;

/// What becomes of a dialog after a key, and what is to be done.
#[derive(Debug)]
pub(in crate::app) enum KeyResult {
    /// It stays, as it is by now.
    Stay,
    /// It stays, and this is to be done.
    StayAndDo(Vec<Effect>),
    /// It closes.
    Close,
    /// Another one takes its place.
    Replace(Box<Layer>),
    /// It closes, and this is to be done.
    Do(Vec<Effect>),
}

impl KeyResult {
    /// Another dialog takes its place.
    pub(in crate::app) fn replace(layer: Layer) -> Self {
        Self::Replace(Box::new(layer))
    }

    /// Does it. `place` is where the dialog stood among what is open.
    pub(in crate::app) fn settle(self, state: &mut State, layer: Layer, place: usize) -> Vec<Effect> {
        let was_picker = matches!(layer, Layer::Parents(_));
        let (stays, effects) = match self {
            Self::Stay => (Some(layer), Vec::new()),
            Self::StayAndDo(effects) => (Some(layer), effects),
            Self::Close => (None, Vec::new()),
            Self::Replace(other) => {
                state.screen.open_another();
                (Some(*other), Vec::new())
            }
            Self::Do(effects) => (None, effects),
        };
        let is_picker = matches!(stays, Some(Layer::Parents(_)));
        if let Some(layer) = stays {
            // What it has opened stands over it.
            state.screen.layers.insert(place.min(state.screen.layers.len()), layer);
        }
        if was_picker && !is_picker {
            state.tree.forest.end_search(SearchKind::Parents);
        }
        effects
    }
}
