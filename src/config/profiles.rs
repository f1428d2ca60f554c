//! The list of profiles to choose from: what distinguishes them, without any secrets.

use std::path::PathBuf;

use ratatui::style::Color;

use super::file::Profile;
use super::{ConfigError, DEFAULT_PROTECTED_COLOUR, Environment, Flags, Paths, read_file, select_profile};
use crate::remote::{Access, BaseUrl, InsecureHttp};

/// The profiles, and the path of their file, whether or not it exists.
#[derive(Debug, Clone)]
pub struct ProfileListing {
    /// The file.
    pub path: PathBuf,
    /// The profiles, sorted by name.
    pub profiles: Vec<KnownProfile>,
}

/// The distinguishing properties of a profile.
#[derive(Debug, Clone)]
pub struct KnownProfile {
    /// Its name.
    pub name: String,
    /// The tenant, empty if not set.
    pub tenant: String,
    /// The host, empty if not set or invalid.
    pub host: String,
    /// Whether the tenant may be changed.
    pub access: Access,
    /// Whether every change asks for the tenant's name.
    pub protected: bool,
    /// The colour of the screen's frame.
    pub colour: Option<Color>,
    /// The command that prints its key, which may ask for a password in the terminal.
    pub key_command: Option<String>,
}

/// The profiles of the configuration.
///
/// # Errors
///
/// A file that can't be read or is faulty.
pub fn list(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<ProfileListing, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let profiles = file.map(|file| file.profiles).unwrap_or_default();
    Ok(ProfileListing {
        path,
        profiles: profiles.into_iter().map(|(name, profile)| known_profile(name, profile)).collect(),
    })
}

fn known_profile(name: String, profile: Profile) -> KnownProfile {
    let url = profile.base_url.unwrap_or_default();
    // Whether the URL may be used is decided when the profile is opened; here it is only shown.
    let host = BaseUrl::parse(&url, InsecureHttp::Allowed).map(|url| url.host()).unwrap_or_default();
    KnownProfile {
        name,
        tenant: profile.tenant.unwrap_or_default(),
        host,
        access: profile.access,
        protected: profile.protected,
        colour: profile.colour.or(profile.protected.then_some(DEFAULT_PROTECTED_COLOUR)),
        key_command: profile.api_key_command.map(|words| words.join(" ")),
    }
}

/// The profile in use: the one selected by a flag or variable, else the file's default, else its only one.
///
/// # Errors
///
/// A file that can't be read or is faulty, and a profile that does not exist.
pub fn used_profile(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Option<String>, ConfigError> {
    let (path, file) = read_file(flags, environment, paths)?;
    let requested = flags.profile.clone().or_else(|| environment("SEGTUI_PROFILE"));
    select_profile(requested, &path, file).map(|(name, _)| name)
}
