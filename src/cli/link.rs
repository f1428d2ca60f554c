//! From arguments to a server: a tenant's own, or the demo inside the program.

use std::sync::Arc;

use color_eyre::eyre::WrapErr;

use crate::api;
use crate::config::{self, ConfigError, Connection, Environment, Paths};
use crate::demo;
use crate::mirror::{Pace, Settings};
use crate::remote::{BaseUrl, InsecureHttp};

use super::Failure;
use super::arguments::{ConnectionArguments, LookArguments};

/// Changes that the colleague of the demo makes in a second: one in some four seconds.
const DEMO_CHURN: f64 = 0.25;

/// A server to work with.
pub(super) struct Link {
    pub connection: Connection,
    pub client: Arc<api::Client>,
    /// The demo server; it runs for as long as this is kept.
    pub _demo: Option<demo::Server>,
}

impl Link {
    pub async fn open(
        arguments: &ConnectionArguments,
        look: &LookArguments,
        environment: Environment<'_>,
        paths: &Paths,
    ) -> Result<Self, Failure> {
        let mut flags = arguments.flags();
        flags.read_only = look.read_only.then_some(true);
        flags.poll = look.poll;
        let (connection, demo) = if arguments.demo {
            let (connection, server) = demo_connection(&flags).await?;
            (connection, Some(server))
        } else {
            (config::resolve(&flags, environment, paths).map_err(|error| refusal(&error))?, None)
        };
        let settings = api::Settings {
            contexts: connection.contexts.clone(),
            contexts_form: connection.contexts_form,
            ..api::Settings::new(connection.base_url.clone(), &connection.tenant, connection.api_key.clone())
        };
        let client = api::Client::new(settings).map_err(Failure::usage)?;
        Ok(Self { connection, client: Arc::new(client), _demo: demo })
    }

    /// How the mirror is to keep in step.
    pub fn mirror_settings(&self) -> Settings {
        let Connection { page_size, concurrency, verify_every, .. } = self.connection;
        let poll = self.connection.poll.map_or_else(Pace::default, Pace::steady);
        let origins = self.connection.origins();
        Settings { page_size, concurrency, poll, verify_every, origins, ..Settings::default() }
    }
}

async fn demo_connection(flags: &config::Flags) -> Result<(Connection, demo::Server), Failure> {
    let options = demo::Options { churn: DEMO_CHURN, seed: fastrand::u64(..), ..demo::Options::default() };
    let server = demo::Server::start(options).await.wrap_err("could not start the demo server")?;
    let base_url = BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).map_err(Failure::usage)?;
    // The same path as for any other tenant, with nothing but what the demo says in place of the environment.
    let demo = config::Flags {
        base_url: Some(server.base_url()),
        tenant: Some(server.tenant().to_owned()),
        api_key: Some(server.api_key().to_owned().into()),
        ..flags.clone()
    };
    tracing::info!(host = base_url.host(), "the demo server answers");
    let nowhere = Paths::of(&|_| Some("/nonexistent".into()));
    let paths = nowhere.ok_or_else(|| Failure::usage("there is no place for a configuration"))?;
    let mut connection = config::resolve(&demo, &|_| None, &paths).map_err(Failure::usage)?;
    connection.profile = Some("demo".into());
    Ok((connection, server))
}

/// A person who has configured nothing yet is told what to set, and that there is a demo.
fn refusal(error: &ConfigError) -> Failure {
    match error {
        ConfigError::NothingConfigured { looked_at } => Failure::Usage(format!(
            "no tenant is configured yet.\n\n\
             To look around first, on a demo tenant inside the program:\n\n    \
             segtui --demo\n\n\
             To work on your own tenant, set the environment:\n\n    \
             export SEGTUI_BASE_URL=https://api-preprod.one.unity.pl\n    \
             export SEGTUI_TENANT=your-tenant\n    \
             export SEGTUI_API_KEY=your-key\n\n\
             or write a profile into {}:\n\n    \
             [profiles.preprod]\n    \
             base_url = \"https://api-preprod.one.unity.pl\"\n    \
             tenant = \"your-tenant\"\n    \
             api_key = \"your-key\"\n",
            looked_at.display()
        )),
        other => Failure::usage(other),
    }
}
