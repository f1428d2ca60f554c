//! The program's folders: those of the XDG base directory specification, or the known folders of Windows. The XDG variables apply
//! on both.

use std::path::{Path, PathBuf};

use crate::platform::{self, BaseFolders};
use crate::remote::{BaseUrl, Context};

use super::Environment;

/// The program's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    state: PathBuf,
    data: PathBuf,
}

const NAME: &str = "segtui";
/// By convention, the home directory of users without one.
const NO_HOME: &str = "/nonexistent";

impl Paths {
    /// The folders according to the environment; `None` if it has no home directory.
    #[must_use]
    pub fn of(environment: Environment<'_>) -> Option<Self> {
        Self::with_base(platform::base_folders(environment), environment)
    }

    /// The folders without a home directory: those that the environment names, and a nonexistent path for the others. Someone who
    /// sets everything with flags and variables needs no folders.
    #[must_use]
    pub fn nowhere(environment: Environment<'_>) -> Self {
        let below = BaseFolders::below(Path::new(NO_HOME));
        let folder = |base: &Path| base.join(NAME);
        let (config, state, data) = (folder(&below.config), folder(&below.state), folder(&below.data));
        Self::with_base(Some(below), environment).unwrap_or(Self { config, state, data })
    }

    /// The folders named by XDG variables, or else the usual ones.
    fn with_base(base: Option<BaseFolders>, environment: Environment<'_>) -> Option<Self> {
        // The specification says to ignore relative paths.
        let from_variable = |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let (config, state, data) = match base {
            Some(BaseFolders { config, state, data }) => (Some(config), Some(state), Some(data)),
            None => (None, None, None),
        };
        let folder = |name: &str, default_folder: Option<PathBuf>| {
            from_variable(name).or(default_folder).map(|folder| folder.join(NAME))
        };
        Some(Self {
            config: folder("XDG_CONFIG_HOME", config)?,
            state: folder("XDG_STATE_HOME", state)?,
            data: folder("XDG_DATA_HOME", data)?,
        })
    }

    /// Whether a path is in the nonexistent home directory.
    #[must_use]
    pub fn is_nowhere(path: &Path) -> bool {
        path.starts_with(NO_HOME)
    }

    /// The configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The file in which a tenant is stored between sessions. Every server and tenant has its own, and so has each set of
    /// followed contexts: a file for some contexts lacks the changes of the others, and would never get them.
    #[must_use]
    pub fn store_file(&self, base_url: &BaseUrl, tenant: &str, contexts: &[Context]) -> PathBuf {
        let mut name = format!("{tenant}@{}", base_url.segments());
        let followed: Vec<_> = Context::ALL.into_iter().filter(|context| contexts.contains(context)).collect();
        if followed.len() < Context::ALL.len() {
            name.extend(followed.into_iter().flat_map(|context| ["@", context.wire_name()]));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@');
        let escaped =
            name.bytes().map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02x}") });
        self.data.join(escaped.collect::<String>() + ".db")
    }

    /// The file with the journal and history of changes made by commands. It is separate from the interface's, so that neither
    /// has to wait until the other exits.
    #[must_use]
    pub fn runs_file(&self, base_url: &BaseUrl, tenant: &str) -> PathBuf {
        self.store_file(base_url, tenant, &[]).with_extension("runs.db")
    }

    /// The log file.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.state.join("segtui.log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::InsecureHttp;

    #[test]
    fn every_server_and_tenant_has_its_own_file() {
        let paths = Paths::of(&|name| (name == "HOME").then(|| "/home/ola".to_owned())).unwrap();
        let file = |url: &str, tenant: &str| {
            paths.store_file(&BaseUrl::parse(url, InsecureHttp::Refused).unwrap(), tenant, &[])
        };
        let acme = file("https://one.example", "../acme");
        assert_eq!(acme.parent().unwrap(), PathBuf::from("/home/ola/.local/share/segtui"));
        assert_eq!(acme, file("https://one.example/api/v1/account/integrations/auth-required/", "../acme"));
        assert_ne!(acme, file("https://one.example:8443", "../acme"));
        assert_ne!(acme, file("https://one.example", "acme"));
    }

    #[test]
    fn each_set_of_contexts_has_its_own_file() {
        let paths = Paths::of(&|name| (name == "HOME").then(|| "/home/ola".to_owned())).unwrap();
        let url = BaseUrl::parse("https://one.example", InsecureHttp::Refused).unwrap();
        let file = |contexts: &[Context]| paths.store_file(&url, "acme", contexts);
        assert_eq!(file(&[]), file(&Context::ALL));
        assert_ne!(file(&[]), file(&[Context::Backoffice]));
        assert_eq!(
            file(&[Context::Integrations, Context::Backoffice]),
            file(&[Context::Backoffice, Context::Integrations])
        );
    }

    #[test]
    fn xdg_variables_override_the_home_directory() {
        let environment = |name: &str| match name {
            "HOME" => Some("/home/ola".to_owned()),
            "XDG_STATE_HOME" => Some("/var/ola".to_owned()),
            "XDG_CONFIG_HOME" => Some("relative".to_owned()),
            _ => None,
        };
        let paths = Paths::of(&environment).unwrap();
        assert_eq!(paths.config_file(), PathBuf::from("/home/ola/.config/segtui/config.toml"));
        assert_eq!(paths.log_file(), PathBuf::from("/var/ola/segtui/segtui.log"));
        assert_eq!(Paths::of(&|_| None), None);
    }

    #[test]
    fn without_a_home_xdg_variables_still_apply() {
        let state = |name: &str| (name == "XDG_STATE_HOME").then(|| "/var/ola".to_owned());
        let paths = Paths::nowhere(&state);
        assert_eq!(paths.log_file(), PathBuf::from("/var/ola/segtui/segtui.log"));
        assert!(Paths::is_nowhere(&paths.config_file()) && !Paths::is_nowhere(&paths.log_file()));
    }
}
