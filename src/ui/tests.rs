//! Pictures of every pane and dialog, each in colour, with `NO_COLOR` and with `--ascii`; every dialog at every size; and the keys
//! that dialogs show.

mod accessible;
mod editing;
mod keys;
mod looking;
mod main_screen;
mod mouse;
mod picture;
mod places;
mod plans;
mod requests;
mod sizes;
mod under_way;
