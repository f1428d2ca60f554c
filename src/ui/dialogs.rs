//! Drawing what is open over the main screen, and what dialogs share.

pub(super) mod dialog;
pub(super) mod help;
pub(super) mod list;
pub(super) mod new_profile;
pub(super) mod output;
pub(super) mod palette;
pub(super) mod profiles;
pub(super) mod requests;
