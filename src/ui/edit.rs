//! Draws the editing dialogs: the form, the bulk edit, the choice of a parent, the deletion, and the faults of an outline.

pub(super) mod bulk;
pub(super) mod deletion;
pub(super) mod findings;
pub(super) mod form;
pub(super) mod outline;
pub(super) mod parents;
