//! The wing beside the tree: details and activity, what is wrong with the tree, the requests that were made, the person's own commands, and where else one can
//! work.

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

/// What stands beside the tree.
#[derive(Debug, Default)]
pub struct Side {
    /// What happened.
    pub activity: Activity,
    /// What is wrong with the tree.
    pub findings: Findings,
    /// The requests made so far.
    pub requests: Requests,
    /// The person's own commands.
    pub commands: UserCommands,
    /// Where else one can work.
    pub profiles: Profiles,
}
