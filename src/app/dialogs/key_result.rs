//! What a dialog answers to a key.

use crate::app::{Effect, Layer};

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
}
