//! The panes beside the tree: details, activity, findings, requests, user commands and profiles.

pub(super) mod activity;
pub(super) mod details;
pub(super) mod findings;
pub(super) mod pulse;
pub(super) mod request_lines;
pub(super) mod requests;
pub(super) mod words;

use super::dialogs::profiles::Profiles;
use super::dialogs::user_commands::UserCommands;
use activity::Activity;
use findings::Findings;
use requests::Requests;

/// The state of what is shown beside the tree.
#[derive(Debug, Default)]
pub struct Side {
    /// The activity.
    pub activity: Activity,
    /// The findings of the last check of the tree.
    pub findings: Findings,
    /// The requests made so far.
    pub requests: Requests,
    /// The user commands.
    pub commands: UserCommands,
    /// The profiles to switch to.
    pub profiles: Profiles,
}
