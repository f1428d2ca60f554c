//! Drawing plans before they are sent, what is pending, and conflicts.

pub(super) mod conflict;
pub(super) mod pending;
pub(super) mod plans;
