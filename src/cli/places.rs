//! Where a user can work: the tenant chosen at startup, and the profiles that the configuration has now.

use ratatui::style::Color;

use crate::app::{Destination, FormContext, ProfileLine, Profiles};
use crate::config::{self, ConfigError, Connection, Environment, Flags, KnownProfile, ProfileListing};

/// The destination of the start. If it isn't a profile, it stays available to switch back to.
pub(super) struct Destinations {
    first: Destination,
    /// Tenant and host from flags and variables, if they are not those of a profile.
    start: Option<(String, String)>,
}

impl Destinations {
    /// Takes the connection of the start, `None` for the demo and if nothing is configured.
    pub fn new(flags: &Flags, environment: Environment<'_>, first: Option<&Connection>) -> Self {
        let Some(connection) = first else { return Self { first: Destination::Demo, start: None } };
        let by_flag = flags.base_url.is_some() || flags.tenant.is_some() || flags.api_key.is_some();
        let variables = ["SEGTUI_BASE_URL", "SEGTUI_TENANT", config::KEY_VARIABLE, config::KEY_FILE_VARIABLE];
        let by_variable = variables.iter().any(|name| environment(name).is_some());
        match &connection.profile {
            Some(name) if !by_flag && !by_variable => Self { first: Destination::Profile(name.clone()), start: None },
            _ => {
                let start = (connection.tenant.clone(), connection.base_url.host());
                Self { first: Destination::Start, start: Some(start) }
            }
        }
    }

    /// Returns the destination of the first session.
    pub fn first(&self) -> Destination {
        self.first.clone()
    }

    /// Returns the list to choose from, for a session at `current`.
    pub fn profiles_from(&self, current: &Destination, configured: Vec<ProfileLine>) -> Profiles {
        Profiles { context: FormContext::default(), current: current.clone(), start: self.start.clone(), configured }
    }
}

/// Converts the profiles to lines to choose from. A file that has become invalid since the start has none; opening one reports
/// why.
pub(super) fn lines(
    listed: Result<ProfileListing, ConfigError>,
    colour: impl Fn(Color) -> Option<Color>,
) -> Vec<ProfileLine> {
    let line = |profile: KnownProfile| ProfileLine {
        colour: profile.colour.and_then(&colour),
        name: profile.name,
        tenant: profile.tenant,
        host: profile.host,
        access: profile.access,
        protected: profile.protected,
    };
    match listed {
        Ok(listed) => listed.profiles.into_iter().map(line).collect(),
        Err(error) => {
            tracing::warn!(%error, "the profiles can't be listed");
            Vec::new()
        }
    }
}
