//! The configuration: flags override environment variables, which override a file with profiles.
//!
//! Every invalid setting is refused with its place and what was expected there. Nothing here reads the process's environment
//! directly: it is passed in, so that tests never touch the real one.

mod check;
mod commands;
mod effective;
mod faults;
mod file;
mod keyring;
mod keys;
mod look;
mod paths;
mod profiles;
mod roots;
mod saving;
mod schema;
mod secret;
mod session_keys;
mod settings;
mod toml_words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::style::Color;
use secrecy::SecretString;

use crate::action::UserCommand;
use crate::check::Rules;
use crate::collation::DEFAULT_LANGUAGE;
use crate::files;
use crate::formats::rows::ColumnNames;
use crate::keymap::Keymap;
use crate::platform;
use crate::remote::{Access, BaseUrl, BaseUrlFault, Context, ContextsForm, InsecureHttp, UrlTemplate};
use crate::segment::Pattern;
use crate::theme::{Name, StyleChange};

use file::Profile;

pub use effective::{Effective, EffectiveSetting, Origin, effective};
pub use faults::faults;
pub use file::{FaultInFile, File};
pub use keyring::{KeyOwner, check_available as keyring_at_hand, lookup as keyring_lookup, store as keyring_store};
pub use paths::Paths;
pub use profiles::{KnownProfile, ProfileListing, list, used_profile};
pub use roots::{CaFileFault, ExtraRoots};
pub use saving::{KeyEntry, NewProfile, SavingFault, add_profile};
pub use schema::schema;
pub use secret::{
    CommandFault, KEY_FILE_VARIABLE, KEY_VARIABLE, KeyFileFault, first_line_in_file, first_line_of, without_keys,
};
pub use session_keys::SessionKeys;

/// Looks up an environment variable; `None` if it is not set or empty.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The flags. `None` means that a flag was not given.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--profile`
    pub profile: Option<String>,
    /// `--base-url`
    pub base_url: Option<String>,
    /// `--tenant`
    pub tenant: Option<String>,
    /// `--api-key`
    pub api_key: Option<SecretString>,
    /// `--ca-file`
    pub ca_file: Option<PathBuf>,
    /// `--insecure-http`
    pub insecure_http: Option<InsecureHttp>,
    /// `--read-only`
    pub read_only: bool,
    /// `--poll`
    pub poll: Option<Duration>,
    /// `--page-size`
    pub page_size: Option<u32>,
    /// `--concurrency`
    pub concurrency: Option<usize>,
    /// `--theme`
    pub theme: Option<Name>,
    /// `--accessible`
    pub accessible: bool,
}

/// Keys, commands and appearance: the user's settings that don't depend on a tenant.
#[derive(Debug, Clone)]
pub struct Interface {
    /// The key bindings.
    pub keymap: Keymap,
    /// The theme.
    pub theme: Name,
    /// Whether the theme was set explicitly. Otherwise a light terminal gets the light theme.
    pub theme_is_chosen: bool,
    /// Whether the screen is adapted to screen readers.
    pub accessible: bool,
    /// The language tag of the sort order of names.
    pub collation: String,
    /// Changes to the theme, by name of the style.
    pub styles: Vec<(String, StyleChange)>,
    /// The user's own commands, in the order of their numbers.
    pub commands: Vec<UserCommand>,
    /// The variables that hold API keys of profiles. They are hidden from other programs.
    pub key_variables: Vec<String>,
}

impl Default for Interface {
    fn default() -> Self {
        let mut keymap = Keymap::default();
        keymap.complete(&[]);
        let theme = Name::default();
        Self {
            keymap,
            theme,
            theme_is_chosen: false,
            accessible: false,
            collation: DEFAULT_LANGUAGE.into(),
            styles: Vec::new(),
            commands: Vec::new(),
            key_variables: Vec::new(),
        }
    }
}

/// Everything that is needed to work with a tenant.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The profile it comes from, if any.
    pub profile: Option<String>,
    /// The base URL of the API.
    pub base_url: BaseUrl,
    /// The tenant.
    pub tenant: String,
    /// The API key.
    pub api_key: SecretString,
    /// The configuration file, if the key is written in it.
    pub config_with_key: Option<PathBuf>,
    /// Certificates that are trusted in addition to the system's.
    pub extra_roots: ExtraRoots,
    /// Whether the tenant may be changed.
    pub access: Access,
    /// The interval between polls of the feed; `None` adapts it to the activity.
    pub poll: Option<Duration>,
    /// The interval between full comparisons with the server; `None` disables them.
    pub verify_every: Option<Duration>,
    /// The number of segments per page.
    pub page_size: u32,
    /// The most requests in flight.
    pub concurrency: usize,
    /// Whose changes to follow; everybody's if empty.
    pub contexts: Vec<Context>,
    /// How several contexts are written in a request.
    pub contexts_form: ContextsForm,
    /// Whether each context is polled separately, so that each change can be attributed.
    pub track_origins: bool,
    /// Whether the tenant is protected, such as a production tenant: every change asks for the tenant's name.
    pub protected: bool,
    /// The colour of the screen's frame.
    pub colour: Option<Color>,
    /// Segments that are managed by another system.
    pub owned: Vec<Pattern>,
    /// The URL where the browser shows a segment.
    pub open: Option<UrlTemplate>,
    /// The names of columns in files of segments.
    pub columns: ColumnNames,
    /// The rules that segments are checked against.
    pub rules: Rules,
}

impl Connection {
    /// The contexts to poll separately; empty if all are followed together.
    #[must_use]
    pub fn origins(&self) -> Vec<Context> {
        match self.contexts.as_slice() {
            _ if !self.track_origins => Vec::new(),
            [] => Context::ALL.into(),
            some => some.into(),
        }
    }

    /// Whether the feed excludes some contexts.
    #[must_use]
    pub fn is_feed_partial(&self) -> bool {
        !self.contexts.is_empty() && Context::ALL.iter().any(|context| !self.contexts.contains(context))
    }
}

/// A connection that lacks only its key, which the user can still enter.
#[derive(Debug, Clone)]
pub struct KeylessConnection {
    /// The profile.
    pub profile: String,
    /// The configuration file with the profile.
    pub path: PathBuf,
    /// The base URL as written in the file.
    pub address: String,
    connection: Connection,
}

impl KeylessConnection {
    /// The connection, with an empty key.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection with a key that the user entered.
    #[must_use]
    pub fn with_key(self, api_key: SecretString) -> Connection {
        Connection { api_key, ..self.connection }
    }
}

/// Why no connection can be configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nothing is configured: no flags, no variables and no profiles.
    #[error("not configured")]
    NothingConfigured {
        /// The path of the file, whether or not it exists.
        path: PathBuf,
    },
    /// There are several profiles, and none was selected.
    #[error(
        "no profile selected: {path} defines {known}; use --profile, SEGTUI_PROFILE or `default_profile` in the file",
        path = .path.display(), known = join_names(.profiles)
    )]
    NoProfileSelected {
        /// The file.
        path: PathBuf,
        /// The profiles in the file.
        profiles: Vec<String>,
    },
    /// The file can't be read.
    #[error("couldn't read the configuration {path}: {reason}", path = .path.display(), reason = files::reason(.source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error(transparent)]
    File(#[from] FaultInFile),
    /// A profile that does not exist.
    #[error("no profile {name} in {path}; it defines {known}", path = .path.display(), known = join_names(.profiles))]
    UnknownProfile {
        /// The requested name.
        name: String,
        /// The file.
        path: PathBuf,
        /// The profiles in the file.
        profiles: Vec<String>,
    },
    /// A profile was requested, but there is no file.
    #[error("no profile {name}: there is no configuration at {path}", path = .path.display())]
    NoFileForProfile {
        /// The requested name.
        name: String,
        /// The usual path of the file.
        path: PathBuf,
    },
    /// A required setting is missing.
    #[error("{what} is not set; use {flag}, {variable} or `{key}` in a profile of {path}", path = .path.display())]
    Missing {
        /// The setting.
        what: &'static str,
        /// Its flag.
        flag: &'static str,
        /// Its variable.
        variable: &'static str,
        /// Its key in the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The base URL is invalid.
    #[error("invalid base URL: {0}")]
    BaseUrl(#[from] BaseUrlFault),
    /// A boolean variable has some other value.
    #[error("{variable} is `{value}`; expected 1, true, yes or on, or else 0, false, no or off")]
    NeitherYesNorNo {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The theme variable does not name a theme.
    #[error("{THEME_VARIABLE} is `{value}`; expected {names}", names = look::names())]
    UnknownTheme {
        /// Its value.
        value: String,
    },
    /// The command for the key failed.
    #[error(transparent)]
    Command(#[from] CommandFault),
    /// The profile lacks only a key.
    #[error(
        "profile {name} has no API key; use --api-key, SEGTUI_API_KEY or `api_key` in {path}, or start segtui in a \
         terminal, which asks for it",
        name = .0.profile, path = .0.path.display()
    )]
    NoKey(Box<KeylessConnection>),
    /// The key file is unusable.
    #[error(transparent)]
    KeyFile(#[from] KeyFileFault),
    /// Both key variables are set.
    #[error("both {KEY_VARIABLE} and {KEY_FILE_VARIABLE} are set")]
    TwoKeys,
    /// The file with certificates is unusable.
    #[error(transparent)]
    CaFile(#[from] CaFileFault),
    /// The variable for the key is not set.
    #[error("the API key comes from the environment variable {variable}, which is not set")]
    KeyNotInEnvironment {
        /// The variable.
        variable: String,
    },
}

fn join_names(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// The variable for read-only mode.
pub const READ_ONLY: &str = "SEGTUI_READ_ONLY";

/// The variable for a file with certificates.
const CA_FILE_VARIABLE: &str = "SEGTUI_CA_FILE";

/// The variable for a theme.
const THEME_VARIABLE: &str = "SEGTUI_THEME";

/// The defaults.
const DEFAULT_VERIFY_INTERVAL: Duration = Duration::from_secs(15 * 60);
const DEFAULT_PAGE_SIZE: u32 = 500;
const DEFAULT_CONCURRENCY: usize = 6;
/// The default colour of a protected profile.
const DEFAULT_PROTECTED_COLOUR: Color = Color::Red;

/// Combines flags, environment and file, in this order of precedence.
///
/// # Errors
///
/// Any [`ConfigError`]; each says what to do.
pub fn resolve(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Connection, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let requested = flags.profile.clone().or_else(|| environment("SEGTUI_PROFILE"));
    let known: Vec<String> = file.iter().flat_map(|file| file.profiles.keys().cloned()).collect();
    let key_variables = key_variables(file.as_ref());
    let (name, profile) = select_profile(requested, &path, file)?;
    let overrides = Overrides {
        key_variables,
        base_url: flags.base_url.clone().or_else(|| environment("SEGTUI_BASE_URL")),
        tenant: flags.tenant.clone().or_else(|| environment("SEGTUI_TENANT")),
        api_key: match &flags.api_key {
            Some(key) => Some(key.clone()),
            None => secret::from_variables(environment)?,
        },
        ca_file: ca_file(flags, environment),
    };
    match (&name, &overrides) {
        (None, Overrides { base_url: None, tenant: None, api_key: None, .. }) if known.is_empty() => {
            Err(ConfigError::NothingConfigured { path })
        }
        (None, Overrides { base_url: None, tenant: None, api_key: None, .. }) => {
            Err(ConfigError::NoProfileSelected { path, profiles: known })
        }
        _ => connection(name, profile, overrides, flags, environment, &path),
    }
}

/// Opens the profile with a name. Flags and variables that name another tenant, server or key are ignored; those that don't
/// depend on a tenant still apply, such as read-only mode, certificates, and plain http if a flag allows it.
///
/// # Errors
///
/// Any [`ConfigError`]; each says what to do.
/// Any [`ConfigError`]; each says what to do.
pub fn resolve_profile(
    name: &str,
    flags: &Flags,
    environment: Environment<'_>,
    paths: &Paths,
) -> Result<Connection, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let overrides = Overrides {
        key_variables: key_variables(file.as_ref()),
        ca_file: ca_file(flags, environment),
        ..Overrides::default()
    };
    let (name, profile) = select_profile(Some(name.to_owned()), &path, file)?;
    connection(name, profile, overrides, flags, environment, &path)
}

/// The tenant of a profile. Its key is not read.
#[derive(Debug, Clone)]
pub struct ProfileTenant {
    /// The base URL of the API.
    pub base_url: BaseUrl,
    /// The tenant.
    pub tenant: String,
    /// Whose changes are followed; everybody's if empty.
    pub contexts: Vec<Context>,
}

/// The tenant of the profile with a name.
///
/// # Errors
///
/// Any [`ConfigError`]; each says what to do.
pub fn profile_tenant(
    name: &str,
    flags: &Flags,
    environment: Environment<'_>,
    paths: &Paths,
) -> Result<ProfileTenant, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let (_, profile) = select_profile(Some(name.to_owned()), &path, file)?;
    let missing = |what, flag, variable, key| ConfigError::Missing { what, flag, variable, key, path: path.clone() };
    let base_url =
        profile.base_url.ok_or_else(|| missing("the base URL", "--base-url", "SEGTUI_BASE_URL", "base_url"))?;
    let tenant = profile.tenant.ok_or_else(|| missing("the tenant", "--tenant", "SEGTUI_TENANT", "tenant"))?;
    Ok(ProfileTenant {
        base_url: BaseUrl::parse(&base_url, InsecureHttp::Allowed)?,
        tenant,
        contexts: profile.contexts,
    })
}

/// The check rules of the selected profile, or the default rules if there is none. Nothing else of the profile is read.
///
/// # Errors
///
/// A file that can't be read or is faulty, and a profile that does not exist.
pub fn rules(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Rules, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let requested = flags.profile.clone().or_else(|| environment("SEGTUI_PROFILE"));
    select_profile(requested, &path, file).map(|(_, profile)| profile.check)
}

/// The file with certificates that a flag or a variable names, as an absolute path, so that a change of directory doesn't affect
/// it.
#[must_use]
pub fn ca_file(flags: &Flags, environment: Environment<'_>) -> Option<PathBuf> {
    let given = flags.ca_file.clone().or_else(|| environment(CA_FILE_VARIABLE).map(PathBuf::from))?;
    Some(std::path::absolute(&given).unwrap_or(given))
}

/// The full path for one written in the configuration file: `~/` is the user's home, and a relative path starts at the file's
/// folder.
fn resolve_path(written: &str, file: &Path, environment: Environment<'_>) -> PathBuf {
    if let (Some(below), Some(home)) = (written.strip_prefix("~/"), environment(platform::HOME)) {
        return Path::new(&home).join(below);
    }
    file.parent().unwrap_or(Path::new("")).join(written)
}

/// The variables that hold the keys of profiles.
fn key_variables(file: Option<&File>) -> Vec<String> {
    file.map_or_else(Vec::new, |file| file.interface.key_variables.clone())
}

/// The connection settings from flags and variables.
#[derive(Debug, Default)]
struct Overrides {
    base_url: Option<String>,
    tenant: Option<String>,
    api_key: Option<SecretString>,
    ca_file: Option<PathBuf>,
    /// The variables that hold the keys of profiles, which a key command must not see.
    key_variables: Vec<String>,
}

fn connection(
    name: Option<String>,
    profile: Profile,
    overrides: Overrides,
    flags: &Flags,
    environment: Environment<'_>,
    path: &Path,
) -> Result<Connection, ConfigError> {
    let base_url = overrides.base_url.or(profile.base_url.clone());
    let tenant = overrides.tenant.or(profile.tenant.clone());
    let missing = |what, flag, variable, key| ConfigError::Missing { what, flag, variable, key, path: path.to_owned() };
    let base_url = base_url.ok_or_else(|| missing("the base URL", "--base-url", "SEGTUI_BASE_URL", "base_url"))?;
    let tenant = tenant.ok_or_else(|| missing("the tenant", "--tenant", "SEGTUI_TENANT", "tenant"))?;
    let config_with_key = (overrides.api_key.is_none() && profile.api_key.is_some()).then(|| path.to_owned());
    let api_key = match overrides.api_key {
        Some(key) => Some(key),
        None => secret::from_profile(&profile, path, environment, &overrides.key_variables)?,
    };
    if api_key.is_none() && name.is_none() {
        return Err(missing("the API key", "--api-key", "SEGTUI_API_KEY", "api_key"));
    }
    let in_profile = profile.ca_file.as_deref().map(|written| resolve_path(written, path, environment));
    let ca_file = overrides.ca_file.or(in_profile);
    let extra_roots = ca_file.map(|file| ExtraRoots::read(&file)).transpose()?.unwrap_or_default();
    let in_profile = if profile.insecure_http { InsecureHttp::Allowed } else { InsecureHttp::Refused };
    let connection = Connection {
        profile: name.clone(),
        base_url: BaseUrl::parse(&base_url, flags.insecure_http.unwrap_or(in_profile))?,
        tenant,
        api_key: api_key.clone().unwrap_or_default(),
        config_with_key,
        extra_roots,
        access: access(flags, environment, &profile)?,
        poll: flags.poll.or(profile.poll),
        verify_every: Some(profile.verify_every.unwrap_or(DEFAULT_VERIFY_INTERVAL)).filter(|pause| !pause.is_zero()),
        page_size: flags.page_size.or(profile.page_size).unwrap_or(DEFAULT_PAGE_SIZE),
        concurrency: flags.concurrency.or(profile.concurrency).unwrap_or(DEFAULT_CONCURRENCY),
        contexts: profile.contexts,
        contexts_form: profile.contexts_form,
        track_origins: profile.origins,
        protected: profile.protected,
        colour: profile.colour.or(profile.protected.then_some(DEFAULT_PROTECTED_COLOUR)),
        owned: profile.owned,
        open: profile.open,
        columns: profile.columns,
        rules: profile.check,
    };
    match (api_key, name) {
        (None, Some(profile)) => {
            let path = path.to_owned();
            Err(ConfigError::NoKey(Box::new(KeylessConnection { profile, path, address: base_url, connection })))
        }
        _ => Ok(connection),
    }
}

/// The interface settings. The demo needs them too, and it has no profile.
///
/// # Errors
///
/// A file that can't be read or is faulty, and a variable that names no theme.
pub fn interface(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Interface, ConfigError> {
    let (_, file) = read_file(flags, environment, paths)?;
    let in_file = file.map(|file| file.interface).unwrap_or_default();
    let from_variable = environment(THEME_VARIABLE)
        .map(|value| Name::parse(&value).ok_or(ConfigError::UnknownTheme { value }))
        .transpose()?;
    let chosen = flags.theme.or(from_variable);
    let theme = chosen.unwrap_or(in_file.theme);
    let theme_is_chosen = chosen.is_some() || in_file.theme_is_chosen;
    let accessible = flags.accessible || in_file.accessible;
    Ok(Interface { theme, theme_is_chosen, accessible, ..in_file })
}

/// Unlike other settings, the strictest source wins: a forgotten variable must not lift a tenant's protection.
fn access(flags: &Flags, environment: Environment<'_>, profile: &Profile) -> Result<Access, ConfigError> {
    let from_variable = environment(READ_ONLY).map_or(Ok(false), |value| parse_bool(READ_ONLY, value))?;
    let read_only = flags.read_only || from_variable || profile.access == Access::ReadOnly;
    Ok(if read_only { Access::ReadOnly } else { Access::ReadWrite })
}

fn parse_bool(variable: &'static str, value: String) -> Result<bool, ConfigError> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(ConfigError::NeitherYesNorNo { variable, value }),
    }
}

/// The path of the configuration file, whether or not it exists, and whether it was given explicitly.
#[must_use]
pub fn config_path(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> (PathBuf, bool) {
    let explicit = flags.config.clone().or_else(|| environment("SEGTUI_CONFIG").map(PathBuf::from));
    let is_explicit = explicit.is_some();
    (explicit.unwrap_or_else(|| paths.config_file()), is_explicit)
}

/// The path and contents of the configuration file. It may be missing only at the usual path.
fn read_file(
    flags: &Flags,
    environment: Environment<'_>,
    paths: &Paths,
) -> Result<(PathBuf, Option<File>), ConfigError> {
    let (path, is_explicit) = config_path(flags, environment, paths);
    match files::read_text(&path) {
        Ok(text) => Ok((path.clone(), Some(File::read(&text, &path)?))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_explicit => Ok((path, None)),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// The requested profile, else the file's default, else its only one.
fn select_profile(
    requested: Option<String>,
    path: &Path,
    file: Option<File>,
) -> Result<(Option<String>, Profile), ConfigError> {
    let Some(mut file) = file else {
        return match requested {
            Some(name) => Err(ConfigError::NoFileForProfile { name, path: path.to_owned() }),
            None => Ok((None, Profile::default())),
        };
    };
    let only = || file.profiles.keys().next().filter(|_| file.profiles.len() == 1).cloned();
    let Some(name) = requested.or_else(|| file.default_profile.clone()).or_else(only) else {
        return Ok((None, Profile::default()));
    };
    if let Some(profile) = file.profiles.remove(&name) {
        return Ok((Some(name), profile));
    }
    let known = file.profiles.into_keys().collect();
    Err(ConfigError::UnknownProfile { name, path: path.to_owned(), profiles: known })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        variables: HashMap<String, String>,
    }

    impl Home {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), variables: HashMap::new() }
        }

        fn with_file(text: &str) -> Self {
            let home = Self::new();
            let path = home.paths().config_file();
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            home
        }

        fn set(mut self, name: &str, value: &str) -> Self {
            self.variables.insert(name.into(), value.into());
            self
        }

        fn paths(&self) -> Paths {
            let home = self.folder.path().to_str().unwrap().to_owned();
            Paths::of(&|name| (name == "HOME").then(|| home.clone())).unwrap()
        }

        fn resolve(&self, flags: &Flags) -> Result<Connection, ConfigError> {
            resolve(flags, &|name| self.variables.get(name).cloned(), &self.paths())
        }

        fn refusal(&self, flags: &Flags) -> String {
            self.resolve(flags).unwrap_err().to_string().replace(self.folder.path().to_str().unwrap(), "HOME")
        }
    }

    const TWO: &str = r#"
default_profile = "preprod"

[profiles.preprod]
base_url = "https://api-preprod.one.unity.pl"
tenant = "acme"
api_key = "first:second"
poll = 2.5

[profiles.prod]
base_url = "https://one.example/api/v1/account/integrations/auth-required/"
tenant = "acme-prod"
api_key_env = "PROD_KEY"
read_only = true
contexts = ["BACKOFFICE"]
contexts_form = "comma"
origins = true
verify_every = 0
owned = ["ERP-*"]
columns = { name = "NAZWA", ext = "KOD" }
protected = true
"#;

    #[test]
    fn flags_override_the_environment_and_that_the_file() {
        let home = Home::with_file(TWO).set("SEGTUI_TENANT", "from-environment").set("SEGTUI_API_KEY", "env-key");
        let flags = Flags { tenant: Some("from-flag".into()), ..Flags::default() };
        let connection = home.resolve(&flags).unwrap();
        assert_eq!(connection.tenant, "from-flag");
        assert!(connection.origins().is_empty());
        assert_eq!(connection.api_key.expose_secret(), "env-key");
        assert_eq!(connection.base_url.host(), "api-preprod.one.unity.pl");
        assert_eq!(connection.poll, Some(Duration::from_millis(2_500)));
        assert_eq!((connection.page_size, connection.concurrency), (500, 6));
        assert_eq!(connection.verify_every, Some(DEFAULT_VERIFY_INTERVAL));
        assert_eq!(home.resolve(&Flags::default()).unwrap().tenant, "from-environment");
    }

    #[test]
    fn a_profile_is_selected_by_flag_or_variable() {
        let home = Home::with_file(TWO).set("SEGTUI_PROFILE", "prod").set("PROD_KEY", "secret");
        let connection = home.resolve(&Flags::default()).unwrap();
        assert_eq!((connection.tenant.as_str(), connection.access), ("acme-prod", Access::ReadOnly));
        assert_eq!(connection.contexts, [Context::Backoffice]);
        assert_eq!(connection.contexts_form, ContextsForm::Comma);
        assert_eq!(connection.verify_every, None);
        assert_eq!(connection.origins(), [Context::Backoffice]);
        assert_eq!(connection.owned, [Pattern::new("ERP-*").unwrap()]);
        let columns = ColumnNames::from_pairs([("ext", "KOD"), ("name", "NAZWA")]).unwrap();
        assert_eq!(connection.columns, columns);
        let flags = Flags { profile: Some("preprod".into()), ..Flags::default() };
        assert_eq!(home.resolve(&flags).unwrap().tenant, "acme");
        let flags = Flags { profile: Some("test".into()), ..Flags::default() };
        assert_eq!(
            home.refusal(&flags),
            "no profile test in HOME/.config/segtui/config.toml; it defines preprod, prod"
        );
    }

    #[test]
    fn no_configuration_is_told_apart_from_a_missing_setting() {
        let home = Home::new();
        assert!(matches!(home.resolve(&Flags::default()), Err(ConfigError::NothingConfigured { .. })));
        let home = home.set("SEGTUI_BASE_URL", "https://one.example");
        assert_eq!(
            home.refusal(&Flags::default()),
            "the tenant is not set; use --tenant, SEGTUI_TENANT or `tenant` in a profile of \
             HOME/.config/segtui/config.toml"
        );
    }

    #[test]
    fn one_of_several_profiles_must_be_selected() {
        let home = Home::with_file(&TWO.replace("default_profile", "# default_profile"));
        assert_eq!(
            home.refusal(&Flags::default()),
            "no profile selected: HOME/.config/segtui/config.toml defines preprod, prod; use --profile, SEGTUI_PROFILE or `default_profile` in the file"
        );
    }

    #[test]
    fn a_switched_profile_ignores_flags_for_another_tenant() {
        let home = Home::with_file(TWO)
            .set("SEGTUI_BASE_URL", "https://other.example")
            .set("SEGTUI_TENANT", "other")
            .set("SEGTUI_API_KEY", "other-key")
            .set("SEGTUI_PROFILE", "preprod")
            .set("PROD_KEY", "prod-key");
        let flags = Flags { tenant: Some("third".into()), api_key: Some("third-key".into()), ..Flags::default() };
        let open = |name| resolve_profile(name, &flags, &|name| home.variables.get(name).cloned(), &home.paths());
        let prod = open("prod").unwrap();
        assert_eq!((prod.tenant.as_str(), prod.base_url.host().as_str()), ("acme-prod", "one.example"));
        assert_eq!(prod.api_key.expose_secret(), "prod-key");
        assert_eq!(open("preprod").unwrap().access, Access::ReadWrite);
        let read_only = Flags { read_only: true, ..flags.clone() };
        let paths = home.paths();
        let preprod = resolve_profile("preprod", &read_only, &|name| home.variables.get(name).cloned(), &paths);
        assert_eq!(preprod.unwrap().access, Access::ReadOnly);
        assert!(matches!(open("test"), Err(ConfigError::UnknownProfile { .. })));
    }

    #[test]
    fn a_flag_variable_or_profile_suffices_for_read_only() {
        let home = Home::with_file(TWO).set("PROD_KEY", "secret");
        let access = |home: &Home, flags: &Flags| home.resolve(flags).unwrap().access;
        assert_eq!(access(&home, &Flags::default()), Access::ReadWrite);
        assert_eq!(access(&home, &Flags { read_only: true, ..Flags::default() }), Access::ReadOnly);
        let home = home.set(READ_ONLY, "Yes");
        assert_eq!(access(&home, &Flags::default()), Access::ReadOnly);
        let home = home.set(READ_ONLY, "0");
        assert_eq!(access(&home, &Flags::default()), Access::ReadWrite);
        assert_eq!(access(&home, &Flags { profile: Some("prod".into()), ..Flags::default() }), Access::ReadOnly);
    }

    #[test]
    fn an_invalid_read_only_variable_is_refused() {
        let home = Home::with_file(TWO).set(READ_ONLY, "please");
        assert_eq!(
            home.refusal(&Flags::default()),
            "SEGTUI_READ_ONLY is `please`; expected 1, true, yes or on, or else 0, false, no or off"
        );
    }

    #[test]
    fn a_protected_profile_is_red_by_default() {
        let home = Home::with_file(TWO).set("PROD_KEY", "secret");
        let connection = home.resolve(&Flags::default()).unwrap();
        assert_eq!((connection.protected, connection.colour), (false, None));
        let prod = Flags { profile: Some("prod".into()), ..Flags::default() };
        let connection = home.resolve(&prod).unwrap();
        assert_eq!((connection.protected, connection.colour), (true, Some(Color::Red)));
        let home = Home::with_file(&format!("{TWO}colour = \"#8800ff\"\n")).set("PROD_KEY", "secret");
        assert_eq!(home.resolve(&prod).unwrap().colour, Some(Color::Rgb(0x88, 0, 0xff)));
    }

    #[test]
    fn the_theme_comes_from_flag_variable_or_file_in_this_order() {
        let theme = |home: &Home, flag: Option<Name>| {
            let flags = Flags { theme: flag, ..Flags::default() };
            let interface = interface(&flags, &|name| home.variables.get(name).cloned(), &home.paths());
            interface.map(|interface| interface.theme).map_err(|error| error.to_string())
        };
        assert_eq!(theme(&Home::new(), None), Ok(Name::Dark));
        let home = Home::with_file("theme = \"light\"\n");
        assert_eq!(theme(&home, None), Ok(Name::Light));
        let home = home.set(THEME_VARIABLE, "mono");
        assert_eq!(theme(&home, None), Ok(Name::Mono));
        assert_eq!(theme(&home, Some(Name::HighContrast)), Ok(Name::HighContrast));
        let home = home.set(THEME_VARIABLE, "neon");
        assert_eq!(
            theme(&home, None),
            Err("SEGTUI_THEME is `neon`; expected dark, light, high-contrast, colour-blind, mono".into())
        );
    }

    #[test]
    fn plain_http_is_refused_unless_allowed() {
        let home = Home::new()
            .set("SEGTUI_BASE_URL", "http://one.example")
            .set("SEGTUI_TENANT", "acme")
            .set("SEGTUI_API_KEY", "key");
        assert!(home.refusal(&Flags::default()).contains("--insecure-http"));
        let flags = Flags { insecure_http: Some(InsecureHttp::Allowed), ..Flags::default() };
        assert!(home.resolve(&flags).is_ok());
    }

    #[test]
    fn an_explicit_configuration_file_must_exist() {
        let home = Home::new().set("SEGTUI_CONFIG", "/no/such/file.toml");
        assert!(home.refusal(&Flags::default()).contains("/no/such/file.toml"));
    }

    #[test]
    fn an_unset_key_variable_is_reported() {
        let home = Home::with_file(TWO).set("SEGTUI_PROFILE", "prod");
        assert_eq!(
            home.refusal(&Flags::default()),
            "the API key comes from the environment variable PROD_KEY, which is not set"
        );
    }

    #[test]
    fn a_profile_without_a_key_takes_an_entered_or_given_key() {
        let home = Home::with_file("[profiles.acme]\nbase_url = \"https://one.example\"\ntenant = \"acme\"\n");
        let path = home.paths().config_file();
        let Err(ConfigError::NoKey(without)) = home.resolve(&Flags::default()) else { panic!("it has a key") };
        assert_eq!((without.profile.as_str(), &without.path), ("acme", &path));
        assert_eq!((without.address.as_str(), without.connection().tenant.as_str()), ("https://one.example", "acme"));
        assert_eq!(without.with_key("typed".to_owned().into()).api_key.expose_secret(), "typed");
        assert_eq!(
            home.refusal(&Flags::default()),
            "profile acme has no API key; use --api-key, SEGTUI_API_KEY or `api_key` in \
             HOME/.config/segtui/config.toml, or start segtui in a terminal, which asks for it"
        );
        let given = Flags { api_key: Some("given".to_owned().into()), ..Flags::default() };
        assert_eq!(home.resolve(&given).unwrap().api_key.expose_secret(), "given");
    }

    #[test]
    fn the_key_is_not_in_debug_output() {
        let home = Home::with_file(TWO);
        let connection = home.resolve(&Flags::default()).unwrap();
        assert!(!format!("{connection:?}").contains("second"));
    }
}
