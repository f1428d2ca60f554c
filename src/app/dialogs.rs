//! Dialogs over the main screen, and the lists, pages and forms that belong to no other module.

pub(super) mod closeness;
pub(super) mod help;
pub(super) mod key_result;
pub(super) mod keys;
pub(super) mod layer;
pub(super) mod list;
pub(super) mod new_profile;
pub(super) mod output_pane;
pub(super) mod output_text;
pub(super) mod palette;
pub(super) mod profiles;
pub(super) mod requests_pane;
pub(super) mod user_commands;
mod words;
