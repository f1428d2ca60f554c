//! The profiles of the configuration as a list to choose from: what tells them apart, and nothing that is secret.

use std::path::PathBuf;

use ratatui::style::Color;

use super::file::Profile;
use super::{ConfigError, Environment, Flags, PROTECTED_COLOUR, Paths, choose, read_file};
use crate::remote::{Access, BaseUrl, InsecureHttp};

/// The profiles, and the file they stand or would stand in.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// By their names.
    pub profiles: Vec<KnownProfile>,
}

/// What tells a profile from others.
#[derive(Debug, Clone)]
pub struct KnownProfile {
    /// Its name.
    pub name: String,
    /// The tenant, empty when it says none.
    pub tenant: String,
    /// The host, empty when it says none.
    pub host: String,
    /// Whether anything may be changed there.
    pub access: Access,
    /// Whether changes there are grave.
    pub protected: bool,
    /// What its frame is coloured in.
    pub colour: Option<Color>,
    /// The command that tells its key, which may ask for a password at the terminal.
    pub asks: Option<String>,
}

/// The profiles of the configuration.
///
/// # Errors
///
/// A file that can't be read or is faulty.
pub fn list(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Listed, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let profiles = file.map(|file| file.profiles).unwrap_or_default();
    Ok(Listed { path, profiles: profiles.into_iter().map(|(name, profile)| known(name, profile)).collect() })
}

fn known(name: String, profile: Profile) -> KnownProfile {
    let url = profile.base_url.unwrap_or_default();
    // Whether it may be used is seen when it is; here it is only shown.
    let host = BaseUrl::parse(&url, InsecureHttp::Allowed).map(|url| url.host()).unwrap_or_default();
    KnownProfile {
        name,
        tenant: profile.tenant.unwrap_or_default(),
        host,
        access: profile.access,
        protected: profile.protected,
        colour: profile.colour.or(profile.protected.then_some(PROTECTED_COLOUR)),
        asks: profile.api_key_command.map(|words| words.join(" ")),
    }
}

/// The profile that is used: the one that a flag or variable asks for, else the file's own choice, else the only one.
///
/// # Errors
///
/// A file that can't be read or is faulty, and a profile that is not there.
pub fn used_profile(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Option<String>, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let wanted = flags.profile.clone().or_else(|| environment("SEGTUI_PROFILE"));
    choose(wanted, &path, file).map(|(name, _)| name)
}
