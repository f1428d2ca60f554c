//! The link to a server, built from arguments: to a tenant's server, or to a demo server inside the program.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::api::retry::Policy;
use crate::api::{self, SettingsFault};
use crate::app::{FilledProfile, ProfileField, TrialError};
use crate::collation::{DEFAULT_LANGUAGE, set_language};
use crate::config::{self, ConfigError, Connection, Environment, ExtraRoots, Paths};
use crate::demo;
use crate::files;
use crate::remote::{Access, BaseUrl, Exchange, Guarded, InsecureHttp, Remote};
use crate::sync::{Pace, Settings};

use super::arguments::{ConnectionArguments, LookArguments};
use super::configuration::exposed_key_note;
use super::failure::Failure;

/// Changes per second by the demo's simulated colleague: one in about four seconds.
const DEMO_CHURN: f64 = 0.25;

/// A connection to a server.
pub(super) struct Link {
    pub connection: Connection,
    /// The only client for that server. It refuses writes that the profile, a variable or a flag forbids.
    pub client: Arc<Guarded<api::Client>>,
    /// The demo server, which runs for as long as this is kept.
    demo: Option<demo::Server>,
}

/// A link and the record of its requests.
pub(super) struct RecordedLink {
    pub link: Link,
    pub requests: mpsc::Receiver<Arc<Exchange>>,
}

impl Link {
    pub async fn open(
        arguments: &ConnectionArguments,
        look: &LookArguments,
        environment: Environment<'_>,
        paths: &Paths,
    ) -> Result<Self, Failure> {
        let flags = config::Flags { poll: look.poll, ..arguments.flags() };
        // An invalid configuration is reported below, if it is needed.
        let collation = config::interface(&flags, environment, paths).map(|interface| interface.collation);
        set_language(collation.as_deref().unwrap_or(DEFAULT_LANGUAGE)).map_err(Failure::usage)?;
        if arguments.demo {
            let (connection, server) = demo_connection(&flags, environment).await?;
            return Self::with_recorder(connection, Some(server), None);
        }
        let connection = config::resolve(&flags, environment, paths).map_err(|error| config_failure(&error))?;
        Self::with_recorder(connection, None, None)
    }

    /// Creates the link to the tenant of a profile, even if flags and variables name another tenant.
    pub fn of_profile(
        name: &str,
        arguments: &ConnectionArguments,
        environment: Environment<'_>,
        paths: &Paths,
    ) -> Result<Self, Failure> {
        let resolved = config::resolve_profile(name, &arguments.flags(), environment, paths);
        Self::with_recorder(resolved.map_err(|error| config_failure(&error))?, None, None)
    }

    /// Creates the link to a tenant, with a record of its requests.
    pub fn to(connection: Connection) -> Result<RecordedLink, Failure> {
        let (recorder, requests) = api::Recorder::new();
        Ok(RecordedLink { link: Self::with_recorder(connection, None, Some(recorder))?, requests })
    }

    /// Creates the link to a new demo server, with a record of its requests.
    pub async fn demo(flags: &config::Flags, environment: Environment<'_>) -> Result<RecordedLink, Failure> {
        let (connection, server) = demo_connection(flags, environment).await?;
        let (recorder, requests) = api::Recorder::new();
        Ok(RecordedLink { link: Self::with_recorder(connection, Some(server), Some(recorder))?, requests })
    }

    fn with_recorder(
        connection: Connection,
        demo: Option<demo::Server>,
        recorder: Option<api::Recorder>,
    ) -> Result<Self, Failure> {
        let settings = api::Settings {
            contexts: connection.contexts.clone(),
            contexts_form: connection.contexts_form,
            extra_roots: connection.extra_roots.certificates.clone(),
            ..api::Settings::new(connection.base_url.clone(), &connection.tenant, connection.api_key.clone())
        };
        let client = api::Client::new(settings).map_err(client_failure)?;
        let client = match recorder {
            Some(recorder) => client.with_recorder(recorder),
            None => client,
        };
        let client = Arc::new(Guarded::new(client, connection.access));
        Ok(Self { connection, client, demo })
    }

    /// Returns a warning if others can access the file that the key was read from.
    pub fn key_note(&self) -> Option<String> {
        key_note(&self.connection)
    }

    /// Whether it leads to its own demo server.
    pub const fn is_demo(&self) -> bool {
        self.demo.is_some()
    }

    /// Returns the settings of the sync actor for this connection.
    pub fn sync_settings(&self) -> Settings {
        let Connection { page_size, concurrency, verify_every, .. } = self.connection;
        let poll = self.connection.poll.map_or_else(Pace::default, Pace::steady);
        let origins = self.connection.origins();
        let partial_feed = self.connection.is_feed_partial();
        Settings { page_size, concurrency, poll, verify_every, origins, partial_feed, ..Settings::default() }
    }
}

/// Returns a warning if the key was read from a configuration file that others can access.
pub(super) fn key_note(connection: &Connection) -> Option<String> {
    let file = connection.config_with_key.as_deref()?;
    files::exposed_mode(file).map(|mode| exposed_key_note(file, mode))
}

/// The failure for settings that no client can be made of, with a hint.
pub(super) fn client_failure(fault: SettingsFault) -> Failure {
    let hint = match &fault {
        SettingsFault::Tenant => "check --tenant, SEGTUI_TENANT or `tenant` in the profile",
        SettingsFault::Key => "check where the API key comes from: `segtui config show` says it",
        SettingsFault::Proxy(_) => {
            "name one as http://, https://, socks5:// or socks5h://HOST:PORT, or unset the variable"
        }
        SettingsFault::NoTls { .. } => "install the package ca-certificates, or set SSL_CERT_FILE",
    };
    Failure::usage(fault).hint(hint)
}

/// Timeouts for a user who waits for one page.
pub(super) const TRIAL_TIMEOUTS: api::Timeouts =
    api::Timeouts { connect: Duration::from_secs(10), request: Duration::from_secs(15) };
/// Segments on that page: enough to see that they are segments.
pub(super) const TRIAL_PAGE: u32 = 10;

/// Creates a read-only client without retries and with short timeouts.
pub(super) fn trial_client(connection: &Connection) -> Result<Guarded<api::Client>, SettingsFault> {
    let client = api::Client::new(api::Settings {
        contexts: connection.contexts.clone(),
        contexts_form: connection.contexts_form,
        extra_roots: connection.extra_roots.certificates.clone(),
        timeouts: TRIAL_TIMEOUTS,
        retries: Policy { tries: 1, ..Policy::default() },
        ..api::Settings::new(connection.base_url.clone(), &connection.tenant, connection.api_key.clone())
    })?;
    Ok(Guarded::new(client, Access::ReadOnly))
}

/// Fetches one page of segments, once.
///
/// # Errors
///
/// Fails with what prevents it.
pub(super) async fn try_connection(
    entry: &FilledProfile,
    key: SecretString,
    extra_roots: ExtraRoots,
) -> Result<(), TrialError> {
    let usual = api::Settings::new(entry.base_url.clone(), &entry.tenant, key);
    let once = Policy { tries: 1, ..Policy::default() };
    let client = api::Client::new(api::Settings {
        extra_roots: extra_roots.certificates,
        timeouts: TRIAL_TIMEOUTS,
        retries: once,
        ..usual
    });
    let client = client.map_err(|fault| {
        let field = match fault {
            SettingsFault::Tenant => ProfileField::Tenant,
            SettingsFault::Key => ProfileField::Key,
            SettingsFault::NoTls { .. } | SettingsFault::Proxy(_) => ProfileField::BaseUrl,
        };
        TrialError::InvalidRequest(field, fault.to_string())
    })?;
    let page = Guarded::new(client, Access::ReadOnly).page(1, TRIAL_PAGE).await;
    page.map(|_| ()).map_err(|error| TrialError::Fault(error.fault))
}

pub(super) async fn demo_connection(
    flags: &config::Flags,
    environment: Environment<'_>,
) -> Result<(Connection, demo::Server), Failure> {
    let options = demo::Options { churn: DEMO_CHURN, seed: fastrand::u64(..), ..demo::Options::default() };
    let server = demo::Server::start(options).await.map_err(|error| {
        Failure::failed(format_args!("couldn't start the demo server: {}", files::reason(&error)))
            .hint("check that a program may listen on 127.0.0.1")
    })?;
    let base_url = BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).map_err(Failure::usage)?;
    // The same code path as for other tenants, with the demo's settings instead of the environment. Only read-only mode is taken
    // from the environment, as it applies to any tenant.
    let demo = config::Flags {
        base_url: Some(server.base_url()),
        tenant: Some(server.tenant().to_owned()),
        api_key: Some(server.api_key().to_owned().into()),
        ca_file: None,
        ..flags.clone()
    };
    tracing::info!(host = base_url.host(), "the demo server answers");
    let variables = |name: &str| if name == config::READ_ONLY { environment(name) } else { None };
    let paths = Paths::nowhere(&|_| None);
    let mut connection = config::resolve(&demo, &variables, &paths).map_err(Failure::usage)?;
    connection.profile = Some("demo".into());
    Ok((connection, server))
}

/// The failure for an invalid configuration, with a hint.
pub(super) fn config_failure(error: &ConfigError) -> Failure {
    let names = |known: &[String]| if known.is_empty() { "none".into() } else { known.join(", ") };
    match error {
        ConfigError::NothingConfigured { path } if Paths::is_nowhere(path) => {
            Failure::usage("no tenant is configured, and there is no home folder with a configuration")
                .hint("set SEGTUI_BASE_URL, SEGTUI_TENANT and SEGTUI_API_KEY, or name a file with --config, or set HOME")
        }
        ConfigError::NothingConfigured { path } => Failure::usage("no tenant is configured yet").hint(format_args!(
            "set SEGTUI_BASE_URL, SEGTUI_TENANT and SEGTUI_API_KEY, write a profile into {}, start segtui in a terminal \
             to be asked, or add --demo to look around first",
            path.display()
        )),
        ConfigError::NoProfileSelected { path, profiles } => {
            Failure::usage(format_args!("no profile selected: {} defines {}", path.display(), names(profiles)))
                .hint("use --profile, SEGTUI_PROFILE or `default_profile` in the file")
        }
        ConfigError::Missing { what, flag, variable, key, path } => Failure::usage(format_args!("{what} is not set"))
            .hint(format_args!("use {flag}, {variable} or `{key}` in a profile of {}", path.display())),
        other => Failure::usage(other).hint(match other {
            ConfigError::UnknownProfile { .. } => "use one of these, or add it to the file",
            ConfigError::NoFileForProfile { .. } => "name the file with --config, or start segtui in a terminal to create it",
            ConfigError::BaseUrl(_) => "it comes from --base-url, SEGTUI_BASE_URL or the profile",
            ConfigError::Command(_) => "run the command by itself to see what it does; it is in the profile",
            ConfigError::TwoKeys => "unset SEGTUI_API_KEY or SEGTUI_API_KEY_FILE",
            ConfigError::KeyFile(_) => {
                "check that file; SEGTUI_API_KEY_FILE or `api_key_file` in the profile names it"
            }
            ConfigError::CaFile(_) => "check that file; --ca-file, SEGTUI_CA_FILE or `ca_file` in the profile names it",
            ConfigError::Unreadable { .. } => "check the file, or name another one with --config",
            ConfigError::KeyNotInEnvironment { .. } => "set it, or give the key by SEGTUI_API_KEY",
            ConfigError::NeitherYesNorNo { .. } | ConfigError::UnknownTheme { .. } => "set it to one of these, or unset it",
            _ => "correct the file, or name another one with --config",
        }),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::arguments::Arguments;
    use super::*;
    use crate::remote::{Fault, Remote};
    use crate::segment::{Draft, Name};

    fn draft() -> Draft {
        Draft { name: Name::parse("VIP").unwrap(), external_id: None, parent: None }
    }

    async fn linked(arguments: &[&str], variables: &[(&str, &str)]) -> Link {
        let arguments = Arguments::try_parse_from([&["segtui"], arguments].concat()).unwrap();
        let find =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        let paths = Paths::of(&|_| Some("/nonexistent".into())).unwrap();
        Link::open(&arguments.connection, &arguments.look, &find, &paths).await.unwrap()
    }

    #[tokio::test]
    async fn read_only_by_flag_or_variable_sends_no_writes() {
        let server = demo::Server::start(demo::Options::default()).await.unwrap();
        let (url, tenant, key) = (server.base_url(), server.tenant(), server.api_key());
        let connection = ["--base-url", &url, "--tenant", tenant, "--api-key", key];
        for link in [
            linked(&[&connection[..], &["--read-only"]].concat(), &[]).await,
            linked(&connection, &[("SEGTUI_READ_ONLY", "1")]).await,
        ] {
            assert_eq!(link.client.create(&draft()).await.unwrap_err().fault, Fault::ReadOnly);
        }
        assert!(server.requests().is_empty(), "{:?}", server.requests());
        linked(&connection, &[("SEGTUI_READ_ONLY", "0")]).await.client.create(&draft()).await.unwrap();
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn the_demo_can_be_read_only() {
        for (arguments, variables) in
            [(["--demo", "--read-only"].as_slice(), [].as_slice()), (&["--demo"], &[("SEGTUI_READ_ONLY", "1")])]
        {
            let link = linked(arguments, variables).await;
            assert_eq!(link.client.create(&draft()).await.unwrap_err().fault, Fault::ReadOnly);
        }
    }
}
