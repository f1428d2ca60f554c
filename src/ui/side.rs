//! Draws the panes beside the tree.

pub(super) mod activity;
pub(super) mod details;
pub(super) mod sparkline;
