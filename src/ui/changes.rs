//! Draws plans before they are sent, pending changes, and conflicts.

pub(super) mod conflict;
pub(super) mod pending;
pub(super) mod plans;
