//! Another operation in the place of one that failed: sent at once, or after the word that it weighs.

use crate::changes::OpId;
use crate::changes::Operation;

use super::sending::put_in_place;
use crate::app::weight::demand;
use crate::app::{Effect, Layer, Review, State};

/// An operation that waits for the person's word before it takes the place of another one.
#[derive(Debug, Clone)]
pub(in crate::app) struct Amendment {
    pub op: OpId,
    pub operation: Operation,
    /// The dialog it came from, to be opened again when the person sends nothing or the server refuses.
    pub origin: Option<Layer>,
}

/// Carries out another operation in the place of one that failed, at once or after the person's word. `origin` is the dialog it
/// came from.
pub(in crate::app) fn amend(state: &mut State, op: OpId, operation: Operation, origin: Option<Layer>) -> Vec<Effect> {
    let amendment = Amendment { op, operation, origin };
    if demand(state, &[&amendment.operation]).next().is_none() {
        return send_amended(state, amendment);
    }
    state.layers.push(Layer::Review(Review::of_amendment(state, amendment)));
    Vec::new()
}

/// Sends it, unless the other one was settled while the person was asked.
pub(in crate::app) fn send_amended(state: &mut State, amendment: Amendment) -> Vec<Effect> {
    let Amendment { op, operation, origin } = amendment;
    if !state.writes.stands_still(op) {
        state.say("that has been settled meanwhile");
        return Vec::new();
    }
    put_in_place(state, op, operation, origin)
}
