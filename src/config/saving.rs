//! Adds a new profile to the configuration file and keeps everything else, including comments, order and spacing.
//!
//! The file is replaced atomically, and only after the new text has been read like any configuration. A new file is readable only
//! by the user, and so is, from then on, an existing file that gets a key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use toml_edit::{Array, DocumentMut, Item, Table, TomlError, value};

use super::{FaultInFile, File};
use crate::files::{self, Readers};
use crate::remote::InsecureHttp;

/// A profile to write.
#[derive(Debug, Clone)]
pub struct NewProfile {
    /// Its name.
    pub name: String,
    /// The base URL, as the user wrote it.
    pub base_url: String,
    /// The tenant.
    pub tenant: String,
    /// How the profile gets its key.
    pub key: KeyEntry,
    /// Certificates that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether http to another machine is allowed.
    pub insecure_http: InsecureHttp,
}

/// The key setting of a profile.
#[derive(Debug, Clone)]
pub enum KeyEntry {
    /// `api_key`
    Plain(SecretString),
    /// `api_key_env`
    Variable(String),
    /// `api_key_command`
    Command(Vec<String>),
    /// None: the key is entered in each session.
    Unstored,
}

/// Why a profile was not written. The file is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum SavingFault {
    /// A profile with that name exists.
    #[error("a profile named {name} already exists in {path}", path = .path.display())]
    NameTaken {
        /// The name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The file can't be read, written or replaced.
    #[error("couldn't write {path}: {reason}", path = .path.display(), reason = files::reason(.source))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The existing file is invalid.
    #[error("couldn't update {path}: {what}. Fix the file first", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The new text would be invalid.
    #[error("the configuration would be invalid: {0}")]
    Invalid(#[from] FaultInFile),
}

/// Adds a profile to a configuration file, which need not exist.
///
/// # Errors
///
/// Any [`SavingFault`]; nothing is changed then.
pub fn add_profile(path: &Path, profile: &NewProfile) -> Result<(), SavingFault> {
    let unwritable = |source| SavingFault::Unwritable { path: path.to_owned(), source };
    // A symbolic link is kept, for users who store such files elsewhere.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let text = match files::read_text(&target) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unwritable(error)),
    };
    let text = with_profile(&text, path, profile)?;
    File::read(&text, path)?;
    replace(&target, &text, matches!(profile.key, KeyEntry::Plain(_))).map_err(unwritable)
}

/// The text of a file with the profile added.
fn with_profile(text: &str, path: &Path, profile: &NewProfile) -> Result<String, SavingFault> {
    let unreadable = |what: String| SavingFault::Unreadable { path: path.to_owned(), what };
    // The error's full message quotes the line, which may hold a key.
    let document = text.parse::<DocumentMut>().map_err(|error: TomlError| unreadable(error.message().to_owned()));
    let mut document = document?;
    let other_profiles = {
        let mut profiles_table = Table::new();
        profiles_table.set_implicit(true);
        let profiles = document.entry("profiles").or_insert(Item::Table(profiles_table));
        let not_a_table = || unreadable("`profiles` is not a table".into());
        let profiles = profiles.as_table_like_mut().ok_or_else(not_a_table)?;
        if profiles.contains_key(&profile.name) {
            return Err(SavingFault::NameTaken { name: profile.name.clone(), path: path.to_owned() });
        }
        let others: Vec<String> = profiles.iter().map(|(name, _)| name.to_owned()).collect();
        profiles.insert(&profile.name, Item::Table(table_of(profile)));
        others
    };
    // A single profile is used without a choice. A second one must not silently change which one is opened.
    if let ([only], false) = (other_profiles.as_slice(), document.contains_key(DEFAULT_PROFILE)) {
        document.insert(DEFAULT_PROFILE, value(only.clone()));
    }
    Ok(document.to_string())
}

const DEFAULT_PROFILE: &str = "default_profile";

fn table_of(profile: &NewProfile) -> Table {
    let mut table = Table::new();
    table.insert("base_url", value(&profile.base_url));
    table.insert("tenant", value(&profile.tenant));
    let key = match &profile.key {
        KeyEntry::Plain(key) => Some(("api_key", value(key.expose_secret()))),
        KeyEntry::Variable(name) => Some(("api_key_env", value(name))),
        KeyEntry::Command(words) => Some(("api_key_command", value(words.iter().collect::<Array>()))),
        KeyEntry::Unstored => None,
    };
    if let Some((name, item)) = key {
        table.insert(name, item);
    }
    // A path that isn't UTF-8 can't be written here, but this session works without it.
    if let Some(path) = profile.ca_file.as_deref().and_then(Path::to_str) {
        table.insert("ca_file", value(path));
    }
    if profile.insecure_http == InsecureHttp::Allowed {
        table.insert("insecure_http", value(true));
    }
    table
}

/// Replaces a file with a text. The new file is readable only by the user, unless the old one was readable by others and the text
/// holds no secret.
fn replace(path: &Path, text: &str, has_key: bool) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::create_folder(folder)?;
    }
    let readers = if has_key { Readers::PersonOnly } else { Readers::AsBefore };
    files::replace_file(path, readers, |out| out.write_all(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, key: KeyEntry) -> NewProfile {
        NewProfile {
            name: name.into(),
            base_url: "https://one.example".into(),
            tenant: "acme".into(),
            key,
            ca_file: None,
            insecure_http: InsecureHttp::Refused,
        }
    }

    fn variable() -> KeyEntry {
        KeyEntry::Variable("ACME_KEY".into())
    }

    fn added(text: &str, profile: &NewProfile) -> String {
        let path = Path::new("config.toml");
        let text = with_profile(text, path, profile).unwrap();
        File::read(&text, path).unwrap();
        text
    }

    #[test]
    fn a_new_file_has_the_profile_and_nothing_else() {
        let text = added("", &profile("acme", variable()));
        assert_eq!(
            text,
            "[profiles.acme]\nbase_url = \"https://one.example\"\ntenant = \"acme\"\napi_key_env = \"ACME_KEY\"\n"
        );
    }

    #[test]
    fn the_ca_file_is_written_to_the_profile() {
        let profile = NewProfile { ca_file: Some("/etc/ssl/acme.pem".into()), ..profile("acme", variable()) };
        assert!(added("", &profile).contains("ca_file = \"/etc/ssl/acme.pem\"\n"));
    }

    #[test]
    fn comments_and_order_of_the_file_are_kept() {
        let text = "\
# Mine, all mine.

theme = \"light\"  # outdoors

[keys]
find = [ '/',   \"ctrl-f\" ]

[profiles.prod]  # careful
tenant = \"acme\"
base_url = \"https://prod.example\"
api_key_env = \"PROD\"

# The end.
";
        let after = added(text, &profile("test tenant", variable()));
        let kept: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let mut rest = after.lines();
        for line in kept {
            assert!(rest.any(|other| other == line), "{line} is not in its place:\n{after}");
        }
        assert!(after.contains("[profiles.\"test tenant\"]\n"), "{after}");
    }

    #[test]
    fn a_second_profile_does_not_become_the_default() {
        let one = added("", &profile("prod", variable()));
        let two = added(&one, &profile("test", variable()));
        let three = added(&two, &profile("third", variable()));
        for text in [two, three] {
            let file = File::read(&text, Path::new("config.toml")).unwrap();
            assert_eq!(file.default_profile.as_deref(), Some("prod"), "{text}");
        }
    }

    #[test]
    fn a_taken_name_and_a_broken_file_are_refused() {
        let path = Path::new("config.toml");
        let one = added("", &profile("prod", variable()));
        let taken = with_profile(&one, path, &profile("prod", variable())).unwrap_err();
        assert_eq!(taken.to_string(), "a profile named prod already exists in config.toml");
        let broken = with_profile("[profiles.a]\napi_key = \"hunter2\n", path, &profile("prod", variable()));
        let broken = format!("{0} {0:?}", broken.unwrap_err());
        assert!(!broken.contains("hunter2"), "{broken}");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_and_a_file_with_a_key_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("segtui/config.toml");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        add_profile(&path, &profile("first", variable())).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        add_profile(&path, &profile("second", variable())).unwrap();
        assert_eq!(mode(), 0o644);
        add_profile(&path, &profile("third", KeyEntry::Plain("a:b".to_owned().into()))).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let (kept, link) = (home.path().join("dotfiles.toml"), home.path().join("config.toml"));
        fs::write(&kept, "theme = \"light\"\n").unwrap();
        std::os::unix::fs::symlink(&kept, &link).unwrap();
        add_profile(&link, &profile("first", variable())).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&kept).unwrap().contains("[profiles.first]"));
    }
}
