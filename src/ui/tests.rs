//! Pictures of every pane and dialog, each in colour, as with `NO_COLOR` and with `--ascii`; every size with every dialog; and
//! the keys that dialogs name.

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
