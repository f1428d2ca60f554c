//! How the program is set: flags over environment over a file with profiles.
//!
//! Everything wrong is refused with the place where it stands and what was expected there. Nothing here reads the process's
//! environment by itself: it is handed in, so that a test never touches the real one.

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
pub use keyring::{KeyOwner, at_hand as keyring_at_hand, lookup as keyring_lookup, store as keyring_store};
pub use paths::Paths;
pub use profiles::{KnownProfile, Listed, list, used_profile};
pub use roots::{CaFileFault, ExtraRoots};
pub use saving::{KeyEntry, NewProfile, SavingFault, add_profile};
pub use schema::schema;
pub use secret::{
    CommandFault, KEY_FILE_VARIABLE, KEY_VARIABLE, KeyFileFault, first_line_in_file, first_line_of, without_keys,
};
pub use session_keys::SessionKeys;

/// What the environment says under a name; `None` when it is not set or empty.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What was given as flags. What is `None` was not given.
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

/// Keys, commands and looks: what is the person's and no tenant's.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Which keys ask for what.
    pub keymap: Keymap,
    /// The theme.
    pub theme: Name,
    /// Whether it was asked for; else a light terminal gets the light one.
    pub theme_is_chosen: bool,
    /// Whether the screen is to be read aloud.
    pub accessible: bool,
    /// The language by which names are sorted, as a tag.
    pub collation: String,
    /// What is different from it, each by the name of a style.
    pub styles: Vec<(String, StyleChange)>,
    /// Programs of the person's own, in the order of their numbers.
    pub commands: Vec<UserCommand>,
    /// The variables that hold API keys of profiles: of no concern to other programs.
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

/// All that is needed to work with a tenant.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The profile it comes from, if any.
    pub profile: Option<String>,
    /// Where the API lives.
    pub base_url: BaseUrl,
    /// The tenant.
    pub tenant: String,
    /// The API key.
    pub api_key: SecretString,
    /// The configuration file, if the key is written in it.
    pub key_in: Option<PathBuf>,
    /// What is trusted besides the system's certificates.
    pub extra_roots: ExtraRoots,
    /// Whether anything may be changed.
    pub access: Access,
    /// The pause between two looks at the feed; `None` adapts it to what happens.
    pub poll: Option<Duration>,
    /// The pause between two comparisons of everything with the server; `None` is never.
    pub verify_every: Option<Duration>,
    /// Segments in a page.
    pub page_size: u32,
    /// Requests in flight.
    pub concurrency: usize,
    /// Whose changes to follow; none means everybody's.
    pub contexts: Vec<Context>,
    /// How several contexts are written.
    pub contexts_form: ContextsForm,
    /// Whether each context is followed by itself, so that each change is known to be somebody's.
    pub tell_origins: bool,
    /// Whether changes here are grave, as on a production tenant.
    pub protected: bool,
    /// What the screen's frame is coloured in.
    pub colour: Option<Color>,
    /// Whose segments are another system's.
    pub owned: Vec<Pattern>,
    /// Where the browser shows a segment.
    pub open: Option<UrlTemplate>,
    /// The columns of files of segments, and their headings there.
    pub columns: ColumnNames,
    /// What segments are looked at for.
    pub rules: Rules,
}

impl Connection {
    /// The contexts to follow each by itself; none when all are followed together.
    #[must_use]
    pub fn origins(&self) -> Vec<Context> {
        match self.contexts.as_slice() {
            _ if !self.tell_origins => Vec::new(),
            [] => Context::ALL.into(),
            some => some.into(),
        }
    }

    /// Whether the feed leaves out what some do.
    #[must_use]
    pub fn follows_some_only(&self) -> bool {
        !self.contexts.is_empty() && Context::ALL.iter().any(|context| !self.contexts.contains(context))
    }
}

/// A connection that lacks only its key, which a person can still type.
#[derive(Debug, Clone)]
pub struct WithoutKey {
    /// The profile.
    pub profile: String,
    /// The file it stands in.
    pub path: PathBuf,
    /// The server as it stands there.
    pub address: String,
    connection: Connection,
}

impl WithoutKey {
    /// All but the key, which is empty.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection with a key that was typed.
    #[must_use]
    pub fn with_key(self, api_key: SecretString) -> Connection {
        Connection { api_key, ..self.connection }
    }
}

/// Why there is nothing to connect to.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither flags nor environment nor a file say anything.
    #[error("not configured")]
    NothingConfigured {
        /// Where a file would be looked for.
        looked_at: PathBuf,
    },
    /// There are several profiles, and none of them was asked for.
    #[error(
        "no profile selected: {path} defines {known}; use --profile, SEGTUI_PROFILE or `default_profile` in the file",
        path = .path.display(), known = listed(.known)
    )]
    NoneChosen {
        /// The file.
        path: PathBuf,
        /// The profiles that are there.
        known: Vec<String>,
    },
    /// The file can't be read.
    #[error("couldn't read the configuration {path}: {reason}", path = .path.display(), reason = files::reason(.source))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error(transparent)]
    File(#[from] FaultInFile),
    /// A profile that is not there.
    #[error("no profile {name} in {path}; it defines {known}", path = .path.display(), known = listed(.known))]
    UnknownProfile {
        /// The name that was asked for.
        name: String,
        /// The file.
        path: PathBuf,
        /// The profiles that are there.
        known: Vec<String>,
    },
    /// A profile was asked for, and there is no file.
    #[error("no profile {name}: there is no configuration at {path}", path = .path.display())]
    NoFileForProfile {
        /// The name that was asked for.
        name: String,
        /// Where the file would be.
        path: PathBuf,
    },
    /// Something is missing.
    #[error("{what} is not set; use {flag}, {variable} or `{key}` in a profile of {path}", path = .path.display())]
    Missing {
        /// What.
        what: &'static str,
        /// The flag that gives it.
        flag: &'static str,
        /// The variable that gives it.
        variable: &'static str,
        /// The key that gives it.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The base URL is none.
    #[error("invalid base URL: {0}")]
    BaseUrl(#[from] BaseUrlFault),
    /// A variable that is to say yes or no says something else.
    #[error("{variable} is `{value}`; expected 1, true, yes or on, or else 0, false, no or off")]
    NeitherYesNorNo {
        /// Which variable.
        variable: &'static str,
        /// What it says.
        value: String,
    },
    /// A variable that is to name a theme names none.
    #[error("{THEME} is `{value}`; expected {names}", names = look::names())]
    UnknownTheme {
        /// What it says.
        value: String,
    },
    /// The command for the key failed.
    #[error(transparent)]
    Command(#[from] CommandFault),
    /// A profile says everything but where its key is.
    #[error(
        "profile {name} has no API key; use --api-key, SEGTUI_API_KEY or `api_key` in {path}, or start segtui in a \
         terminal, which asks for it",
        name = .0.profile, path = .0.path.display()
    )]
    NoKey(Box<WithoutKey>),
    /// The file that was to hold the key does not.
    #[error(transparent)]
    KeyFile(#[from] KeyFileFault),
    /// Two variables lead to a key.
    #[error("both {KEY_VARIABLE} and {KEY_FILE_VARIABLE} are set")]
    TwoKeys,
    /// The file with certificates can't be used.
    #[error(transparent)]
    CaFile(#[from] CaFileFault),
    /// The variable that was to hold the key does not.
    #[error("the API key comes from the environment variable {variable}, which is not set")]
    KeyNotInEnvironment {
        /// Which variable.
        variable: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// The variable that asks for reading only.
pub const READ_ONLY: &str = "SEGTUI_READ_ONLY";

/// The variable that names a file of certificates.
const CA_FILE_VARIABLE: &str = "SEGTUI_CA_FILE";

/// The variable that names a theme.
const THEME: &str = "SEGTUI_THEME";

/// What is usual.
const VERIFY_EVERY: Duration = Duration::from_secs(15 * 60);
const PAGE_SIZE: u32 = 500;
const CONCURRENCY: usize = 6;
/// Of a protected profile that has none of its own.
const PROTECTED_COLOUR: Color = Color::Red;

/// Puts together what flags, environment and file say; the earlier wins.
///
/// # Errors
///
/// Any [`ConfigError`]; each says what to do.
pub fn resolve(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Connection, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let wanted = flags.profile.clone().or_else(|| environment("SEGTUI_PROFILE"));
    let known: Vec<String> = file.iter().flat_map(|file| file.profiles.keys().cloned()).collect();
    let key_variables = key_variables(file.as_ref());
    let (name, profile) = choose(wanted, &path, file)?;
    let given = Given {
        key_variables,
        base_url: flags.base_url.clone().or_else(|| environment("SEGTUI_BASE_URL")),
        tenant: flags.tenant.clone().or_else(|| environment("SEGTUI_TENANT")),
        api_key: match &flags.api_key {
            Some(key) => Some(key.clone()),
            None => secret::of_variables(environment)?,
        },
        ca_file: ca_file(flags, environment),
    };
    match (&name, &given) {
        (None, Given { base_url: None, tenant: None, api_key: None, .. }) if known.is_empty() => {
            Err(ConfigError::NothingConfigured { looked_at: path })
        }
        (None, Given { base_url: None, tenant: None, api_key: None, .. }) => {
            Err(ConfigError::NoneChosen { path, known })
        }
        _ => connection(name, profile, given, flags, environment, &path),
    }
}

/// Opens the profile of that name and nothing else: what flags and variables say of another tenant does not mix with it. What names
/// no tenant holds wherever one goes: the wish to change nothing, certificates to trust, and plain http where a flag allows it.
///
/// # Errors
///
/// Any [`ConfigError`]; each says what to do.
pub fn resolve_profile(
    name: &str,
    flags: &Flags,
    environment: Environment<'_>,
    paths: &Paths,
) -> Result<Connection, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let given =
        Given { key_variables: key_variables(file.as_ref()), ca_file: ca_file(flags, environment), ..Given::default() };
    let (name, profile) = choose(Some(name.to_owned()), &path, file)?;
    connection(name, profile, given, flags, environment, &path)
}

/// Which tenant a profile is about. Its key is not asked for.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Where the API lives.
    pub base_url: BaseUrl,
    /// The tenant.
    pub tenant: String,
    /// Whose changes are followed; none means everybody's.
    pub contexts: Vec<Context>,
}

/// Which tenant the profile of that name is about.
///
/// # Errors
///
/// Any [`ConfigError`]; each says what to do.
pub fn whereabouts(
    name: &str,
    flags: &Flags,
    environment: Environment<'_>,
    paths: &Paths,
) -> Result<Whereabouts, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let (_, profile) = choose(Some(name.to_owned()), &path, file)?;
    let missing = |what, flag, variable, key| ConfigError::Missing { what, flag, variable, key, path: path.clone() };
    let base_url =
        profile.base_url.ok_or_else(|| missing("the base URL", "--base-url", "SEGTUI_BASE_URL", "base_url"))?;
    let tenant = profile.tenant.ok_or_else(|| missing("the tenant", "--tenant", "SEGTUI_TENANT", "tenant"))?;
    Ok(Whereabouts { base_url: BaseUrl::parse(&base_url, InsecureHttp::Allowed)?, tenant, contexts: profile.contexts })
}

/// The rules of the profile that a flag, a variable or the file chooses, and the usual ones where there is none. Nothing else of it is
/// looked at.
///
/// # Errors
///
/// A file that can't be read or is faulty, and a profile that is not there.
pub fn rules(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Rules, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let wanted = flags.profile.clone().or_else(|| environment("SEGTUI_PROFILE"));
    choose(wanted, &path, file).map(|(_, profile)| profile.check)
}

/// The file of certificates that a flag or a variable names, wherever the program's folder changes to.
#[must_use]
pub fn ca_file(flags: &Flags, environment: Environment<'_>) -> Option<PathBuf> {
    let given = flags.ca_file.clone().or_else(|| environment(CA_FILE_VARIABLE).map(PathBuf::from))?;
    Some(std::path::absolute(&given).unwrap_or(given))
}

/// A path as it is written in the configuration file: `~/` is the person's home, and what is relative begins at the file's folder.
fn written_path(written: &str, file: &Path, environment: Environment<'_>) -> PathBuf {
    if let (Some(below), Some(home)) = (written.strip_prefix("~/"), environment(platform::HOME)) {
        return Path::new(&home).join(below);
    }
    file.parent().unwrap_or(Path::new("")).join(written)
}

/// The variables that hold the keys of profiles.
fn key_variables(file: Option<&File>) -> Vec<String> {
    file.map_or_else(Vec::new, |file| file.interface.key_variables.clone())
}

/// What flags and variables say of the tenant.
#[derive(Debug, Default)]
struct Given {
    base_url: Option<String>,
    tenant: Option<String>,
    api_key: Option<SecretString>,
    ca_file: Option<PathBuf>,
    /// The variables that hold the keys of profiles, which nobody is to see who asks for one of them.
    key_variables: Vec<String>,
}

fn connection(
    name: Option<String>,
    profile: Profile,
    given: Given,
    flags: &Flags,
    environment: Environment<'_>,
    path: &Path,
) -> Result<Connection, ConfigError> {
    let base_url = given.base_url.or(profile.base_url.clone());
    let tenant = given.tenant.or(profile.tenant.clone());
    let missing = |what, flag, variable, key| ConfigError::Missing { what, flag, variable, key, path: path.to_owned() };
    let base_url = base_url.ok_or_else(|| missing("the base URL", "--base-url", "SEGTUI_BASE_URL", "base_url"))?;
    let tenant = tenant.ok_or_else(|| missing("the tenant", "--tenant", "SEGTUI_TENANT", "tenant"))?;
    let key_in = (given.api_key.is_none() && profile.api_key.is_some()).then(|| path.to_owned());
    let api_key = match given.api_key {
        Some(key) => Some(key),
        None => secret::of(&profile, path, environment, &given.key_variables)?,
    };
    if api_key.is_none() && name.is_none() {
        return Err(missing("the API key", "--api-key", "SEGTUI_API_KEY", "api_key"));
    }
    let in_profile = profile.ca_file.as_deref().map(|written| written_path(written, path, environment));
    let ca_file = given.ca_file.or(in_profile);
    let extra_roots = ca_file.map(|file| ExtraRoots::read(&file)).transpose()?.unwrap_or_default();
    let in_profile = if profile.insecure_http { InsecureHttp::Allowed } else { InsecureHttp::Refused };
    let connection = Connection {
        profile: name.clone(),
        base_url: BaseUrl::parse(&base_url, flags.insecure_http.unwrap_or(in_profile))?,
        tenant,
        api_key: api_key.clone().unwrap_or_default(),
        key_in,
        extra_roots,
        access: access(flags, environment, &profile)?,
        poll: flags.poll.or(profile.poll),
        verify_every: Some(profile.verify_every.unwrap_or(VERIFY_EVERY)).filter(|pause| !pause.is_zero()),
        page_size: flags.page_size.or(profile.page_size).unwrap_or(PAGE_SIZE),
        concurrency: flags.concurrency.or(profile.concurrency).unwrap_or(CONCURRENCY),
        contexts: profile.contexts,
        contexts_form: profile.contexts_form,
        tell_origins: profile.origins,
        protected: profile.protected,
        colour: profile.colour.or(profile.protected.then_some(PROTECTED_COLOUR)),
        owned: profile.owned,
        open: profile.open,
        columns: profile.columns,
        rules: profile.check,
    };
    match (api_key, name) {
        (None, Some(profile)) => {
            let path = path.to_owned();
            Err(ConfigError::NoKey(Box::new(WithoutKey { profile, path, address: base_url, connection })))
        }
        _ => Ok(connection),
    }
}

/// Keys and looks. They are needed for the demo too, which has no profile.
///
/// # Errors
///
/// A file that can't be read or is faulty, and a variable that names no theme.
pub fn interface(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Interface, ConfigError> {
    let (_, file) = read_file(flags, environment, paths)?;
    let in_file = file.map(|file| file.interface).unwrap_or_default();
    let by_variable =
        environment(THEME).map(|value| Name::parse(&value).ok_or(ConfigError::UnknownTheme { value })).transpose()?;
    let asked = flags.theme.or(by_variable);
    let theme = asked.unwrap_or(in_file.theme);
    let theme_is_chosen = asked.is_some() || in_file.theme_is_chosen;
    let accessible = flags.accessible || in_file.accessible;
    Ok(Interface { theme, theme_is_chosen, accessible, ..in_file })
}

/// Other than with everything else, the strictest wins: what guards a tenant is not to be lifted by a forgotten variable.
fn access(flags: &Flags, environment: Environment<'_>, profile: &Profile) -> Result<Access, ConfigError> {
    let by_variable = environment(READ_ONLY).map_or(Ok(false), |value| yes_or_no(READ_ONLY, value))?;
    let read_only = flags.read_only || by_variable || profile.access == Access::ReadOnly;
    Ok(if read_only { Access::ReadOnly } else { Access::ReadWrite })
}

fn yes_or_no(variable: &'static str, value: String) -> Result<bool, ConfigError> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(ConfigError::NeitherYesNorNo { variable, value }),
    }
}

/// Where the file is or would be, and whether that place was asked for.
#[must_use]
pub fn config_path(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> (PathBuf, bool) {
    let asked_for = flags.config.clone().or_else(|| environment("SEGTUI_CONFIG").map(PathBuf::from));
    let is_asked_for = asked_for.is_some();
    (asked_for.unwrap_or_else(|| paths.config_file()), is_asked_for)
}

/// The file, and where it is or would be. Only the usual place may be empty: a file that was asked for has to be there.
fn read_file(
    flags: &Flags,
    environment: Environment<'_>,
    paths: &Paths,
) -> Result<(PathBuf, Option<File>), ConfigError> {
    let (path, asked_for) = config_path(flags, environment, paths);
    match files::read_text(&path) {
        Ok(text) => Ok((path.clone(), Some(File::read(&text, &path)?))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !asked_for => Ok((path, None)),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// The profile that was asked for, else the file's default one, else its only one.
fn choose(wanted: Option<String>, path: &Path, file: Option<File>) -> Result<(Option<String>, Profile), ConfigError> {
    let Some(mut file) = file else {
        return match wanted {
            Some(name) => Err(ConfigError::NoFileForProfile { name, path: path.to_owned() }),
            None => Ok((None, Profile::default())),
        };
    };
    let only = || file.profiles.keys().next().filter(|_| file.profiles.len() == 1).cloned();
    let Some(name) = wanted.or_else(|| file.default_profile.clone()).or_else(only) else {
        return Ok((None, Profile::default()));
    };
    if let Some(profile) = file.profiles.remove(&name) {
        return Ok((Some(name), profile));
    }
    let known = file.profiles.into_keys().collect();
    Err(ConfigError::UnknownProfile { name, path: path.to_owned(), known })
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
    fn flags_go_over_the_environment_and_that_over_the_file() {
        let home = Home::with_file(TWO).set("SEGTUI_TENANT", "from-environment").set("SEGTUI_API_KEY", "env-key");
        let flags = Flags { tenant: Some("from-flag".into()), ..Flags::default() };
        let connection = home.resolve(&flags).unwrap();
        assert_eq!(connection.tenant, "from-flag");
        assert!(connection.origins().is_empty());
        assert_eq!(connection.api_key.expose_secret(), "env-key");
        assert_eq!(connection.base_url.host(), "api-preprod.one.unity.pl");
        assert_eq!(connection.poll, Some(Duration::from_millis(2_500)));
        assert_eq!((connection.page_size, connection.concurrency), (500, 6));
        assert_eq!(connection.verify_every, Some(VERIFY_EVERY));
        assert_eq!(home.resolve(&Flags::default()).unwrap().tenant, "from-environment");
    }

    #[test]
    fn a_profile_is_asked_for_by_flag_or_variable() {
        let home = Home::with_file(TWO).set("SEGTUI_PROFILE", "prod").set("PROD_KEY", "secret");
        let connection = home.resolve(&Flags::default()).unwrap();
        assert_eq!((connection.tenant.as_str(), connection.access), ("acme-prod", Access::ReadOnly));
        assert_eq!(connection.contexts, [Context::Backoffice]);
        assert_eq!(connection.contexts_form, ContextsForm::Comma);
        assert_eq!(connection.verify_every, None);
        assert_eq!(connection.origins(), [Context::Backoffice]);
        assert_eq!(connection.owned, [Pattern::new("ERP-*").unwrap()]);
        let columns = ColumnNames::of([("ext", "KOD"), ("name", "NAZWA")]).unwrap();
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
    fn nothing_at_all_is_told_apart_from_something_missing() {
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
    fn of_several_profiles_one_has_to_be_asked_for() {
        let home = Home::with_file(&TWO.replace("default_profile", "# default_profile"));
        assert_eq!(
            home.refusal(&Flags::default()),
            "no profile selected: HOME/.config/segtui/config.toml defines preprod, prod; use --profile, SEGTUI_PROFILE or `default_profile` in the file"
        );
    }

    #[test]
    fn a_profile_that_is_switched_to_is_not_mixed_with_what_was_given_for_another() {
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
    fn any_of_flag_variable_and_profile_is_enough_to_read_only() {
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
    fn a_wish_to_read_only_that_is_not_understood_is_refused_instead_of_ignored() {
        let home = Home::with_file(TWO).set(READ_ONLY, "please");
        assert_eq!(
            home.refusal(&Flags::default()),
            "SEGTUI_READ_ONLY is `please`; expected 1, true, yes or on, or else 0, false, no or off"
        );
    }

    #[test]
    fn a_protected_profile_is_red_unless_it_says_another_colour() {
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
    fn the_theme_is_told_by_flag_variable_and_file_in_that_order() {
        let theme = |home: &Home, flag: Option<Name>| {
            let flags = Flags { theme: flag, ..Flags::default() };
            let interface = interface(&flags, &|name| home.variables.get(name).cloned(), &home.paths());
            interface.map(|interface| interface.theme).map_err(|error| error.to_string())
        };
        assert_eq!(theme(&Home::new(), None), Ok(Name::Dark));
        let home = Home::with_file("theme = \"light\"\n");
        assert_eq!(theme(&home, None), Ok(Name::Light));
        let home = home.set(THEME, "mono");
        assert_eq!(theme(&home, None), Ok(Name::Mono));
        assert_eq!(theme(&home, Some(Name::HighContrast)), Ok(Name::HighContrast));
        let home = home.set(THEME, "neon");
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
    fn a_file_that_was_asked_for_has_to_be_there() {
        let home = Home::new().set("SEGTUI_CONFIG", "/no/such/file.toml");
        assert!(home.refusal(&Flags::default()).contains("/no/such/file.toml"));
    }

    #[test]
    fn a_key_in_the_environment_that_is_not_there_is_told() {
        let home = Home::with_file(TWO).set("SEGTUI_PROFILE", "prod");
        assert_eq!(
            home.refusal(&Flags::default()),
            "the API key comes from the environment variable PROD_KEY, which is not set"
        );
    }

    #[test]
    fn a_profile_without_a_key_opens_with_one_that_is_typed_and_one_that_is_given() {
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
    fn the_key_is_in_no_debug_text() {
        let home = Home::with_file(TWO);
        let connection = home.resolve(&Flags::default()).unwrap();
        assert!(!format!("{connection:?}").contains("second"));
    }
}
