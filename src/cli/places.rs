//! Where a person can work: what the start said, and the profiles of the configuration as they stand there now.

use ratatui::style::Color;

use crate::app::{Destination, FormContext, ProfileLine, Profiles};
use crate::config::{self, ConfigError, Connection, Environment, Flags, KnownProfile, Listed};

/// The place of the start, which stays one to go back to when it is no profile.
pub(super) struct Places {
    first: Destination,
    /// Tenant and host that flags and variables said, where they are no profile's own.
    start: Option<(String, String)>,
}

impl Places {
    /// Told by what the start has come to, which is nothing for the demo and where nothing is configured.
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

    /// Where the first session is.
    pub fn first(&self) -> Destination {
        self.first.clone()
    }

    /// The list to choose from, as it is shown at a place.
    pub fn seen_from(&self, here: &Destination, known: Vec<ProfileLine>) -> Profiles {
        Profiles { context: FormContext::default(), here: here.clone(), start: self.start.clone(), known }
    }
}

/// The profiles as lines to choose from. A file that has become faulty since the start has none; opening tells why.
pub(super) fn lines(listed: Result<Listed, ConfigError>, colour: impl Fn(Color) -> Option<Color>) -> Vec<ProfileLine> {
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
