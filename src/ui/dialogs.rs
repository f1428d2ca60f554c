//! Draws the dialogs and pages over the main screen, and what they share.

pub(super) mod dialog;
pub(super) mod help;
pub(super) mod list;
pub(super) mod new_profile;
pub(super) mod output;
pub(super) mod palette;
pub(super) mod profiles;
pub(super) mod requests;
