//! The effective settings and their origins: flags override the environment, which overrides the file, as in `resolve`, but
//! without fetching the key. No key is included.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{FaultInFile, Source};
use super::settings::{PROFILE, Setting, TOP};
use super::{
    ConfigError, Environment, File, Flags, KEY_FILE_VARIABLE, KEY_VARIABLE, Paths, READ_ONLY, config_path, files,
    parse_bool, select_profile,
};

/// The effective configuration.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The path of the file, whether or not it exists.
    pub file: PathBuf,
    /// Whether the file exists.
    pub file_exists: bool,
    /// The profile in use, if any.
    pub profile: Option<String>,
    /// The settings at the top of the file, then those of the profile.
    pub settings: Vec<EffectiveSetting>,
}

/// An effective setting.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveSetting {
    /// Its key in the file.
    pub key: &'static str,
    /// The value; `None` if it is not set, and for an API key, which is not shown.
    pub value: Option<toml::Value>,
    /// The origin of the value.
    pub origin: Origin,
}

/// The origin of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A line of the file.
    File {
        /// The line, from 1.
        line: usize,
    },
    /// It is not set, and has a default.
    Default,
    /// It is not set, and has no default.
    Unset,
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { line } => write!(f, "line {line} of the file"),
            Self::Default => f.write_str("default"),
            Self::Unset => f.write_str("not set"),
        }
    }
}

/// The settings of a profile that give the API key.
const KEY_SETTINGS: [&str; 4] = ["api_key", "api_key_env", "api_key_command", "api_key_file"];

/// The effective settings from flags, environment and file. No command is run, and no other file is read.
///
/// # Errors
///
/// A file that can't be read or is faulty, a profile that does not exist, and contradicting variables.
pub fn effective(flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Result<Effective, ConfigError> {
    let (file, is_explicit) = config_path(flags, environment, paths);
    let text = match files::read_text(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_explicit => None,
        Err(source) => return Err(ConfigError::Unreadable { path: file, source }),
    };
    let parsed = text.as_deref().map(|text| File::read(text, &file)).transpose()?;
    let requested = flags.profile.clone().or_else(|| environment("SEGTUI_PROFILE"));
    let (profile, _) = select_profile(requested, &file, parsed)?;
    let config_text = ConfigText { text: text.as_deref().unwrap_or_default(), path: &file };
    let document = config_text.document()?;
    let in_profile = profile.as_deref().and_then(|name| as_table_of(document.get_ref().get("profiles")?)?.get(name));
    let in_profile = in_profile.and_then(as_table_of);

    let overrides = Overrides { flags, environment };
    let mut settings = Vec::new();
    for setting in TOP {
        settings.push(config_text.setting(setting, &overrides, Some(document.get_ref()))?);
    }
    for setting in PROFILE.iter().filter(|setting| !KEY_SETTINGS.contains(&setting.key)) {
        settings.push(config_text.setting(setting, &overrides, in_profile)?);
    }
    let tenant = settings.iter().position(|setting| setting.key == "tenant").map_or(settings.len(), |at| at + 1);
    settings.insert(tenant, config_text.key(&overrides, in_profile)?);
    let file_exists = text.is_some();
    Ok(Effective { file, file_exists, profile, settings })
}

fn as_table_of<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Option<&'a DeTable<'i>> {
    value.get_ref().as_table()
}

/// The settings from outside the file.
struct Overrides<'a> {
    flags: &'a Flags,
    environment: Environment<'a>,
}

impl Overrides<'_> {
    /// The value of a setting's flag.
    fn flag_value(&self, key: &str) -> Option<toml::Value> {
        let flags = self.flags;
        let text = |text: Option<&str>| text.map(Into::into);
        match key {
            "default_profile" => text(flags.profile.as_deref()),
            "theme" => text(flags.theme.map(crate::theme::Name::text)),
            "accessible" => flags.accessible.then_some(true.into()),
            "base_url" => text(flags.base_url.as_deref()),
            "tenant" => text(flags.tenant.as_deref()),
            "ca_file" => flags.ca_file.as_ref().map(|path| path.display().to_string().into()),
            "insecure_http" => flags.insecure_http.map(|allowed| (allowed == super::InsecureHttp::Allowed).into()),
            "read_only" => flags.read_only.then_some(true.into()),
            "poll" => flags.poll.map(|pause| pause.as_secs_f64().into()),
            "page_size" => flags.page_size.map(|size| i64::from(size).into()),
            "concurrency" => flags.concurrency.and_then(|number| i64::try_from(number).ok()).map(Into::into),
            _ => None,
        }
    }

    /// The value of a setting's variable.
    fn variable_value(&self, name: &'static str) -> Result<Option<toml::Value>, ConfigError> {
        match (self.environment)(name) {
            // A variable that disables read-only mode doesn't override the other settings.
            Some(value) if name == READ_ONLY => Ok(parse_bool(READ_ONLY, value)?.then_some(true.into())),
            other => Ok(other.map(Into::into)),
        }
    }
}

/// The text of the file, with its path.
struct ConfigText<'a> {
    text: &'a str,
    path: &'a std::path::Path,
}

impl ConfigText<'_> {
    fn source(&self) -> Source<'_> {
        Source::new(self.text, self.path)
    }

    fn document(&self) -> Result<Spanned<DeTable<'_>>, FaultInFile> {
        DeTable::parse(self.text).map_err(|error| self.source().broken(&error))
    }

    /// A value and its line.
    fn value(&self, value: &Spanned<DeValue<'_>>) -> (toml::Value, Origin) {
        let span = value.span();
        let origin = Origin::File { line: self.source().fault(span.clone(), "").line };
        let written = self.text.get(span).unwrap_or_default();
        // A table under a heading has no inline text that could be parsed again.
        let parsed = toml::from_str::<toml::Table>(&format!("value = {written}")).ok();
        let parsed = parsed.and_then(|mut table| table.remove("value"));
        (parsed.unwrap_or_else(|| "(a table)".into()), origin)
    }

    fn setting(
        &self,
        setting: &Setting,
        overrides: &Overrides<'_>,
        table: Option<&DeTable<'_>>,
    ) -> Result<EffectiveSetting, ConfigError> {
        let key = setting.key;
        let setting_with = |value, origin| Ok(EffectiveSetting { key, value: Some(value), origin });
        if let (Some(flag), Some(value)) = (setting.flag, overrides.flag_value(key)) {
            return setting_with(value, Origin::Flag(flag));
        }
        if let Some(variable) = setting.variable
            && let Some(value) = overrides.variable_value(variable)?
        {
            return setting_with(value, Origin::Variable(variable));
        }
        if let Some(value) = table.and_then(|table| table.get(key)) {
            let (value, origin) = self.value(value);
            return setting_with(value, origin);
        }
        let default_value = toml::from_str::<toml::Table>(&format!("usual = {}", setting.default)).ok();
        match default_value.and_then(|mut table| table.remove("usual")) {
            Some(default_value) => setting_with(default_value, Origin::Default),
            None => Ok(EffectiveSetting { key, value: None, origin: Origin::Unset }),
        }
    }

    /// The setting that gives the API key, without the key.
    fn key(&self, overrides: &Overrides<'_>, table: Option<&DeTable<'_>>) -> Result<EffectiveSetting, ConfigError> {
        let hidden = |origin| EffectiveSetting { key: "api_key", value: None, origin };
        if overrides.flags.api_key.is_some() {
            return Ok(hidden(Origin::Flag("--api-key")));
        }
        let path = (overrides.environment)(KEY_FILE_VARIABLE);
        match ((overrides.environment)(KEY_VARIABLE), path) {
            (Some(_), Some(_)) => return Err(ConfigError::TwoKeys),
            (Some(_), None) => return Ok(hidden(Origin::Variable(KEY_VARIABLE))),
            (None, Some(path)) => {
                let origin = Origin::Variable(KEY_FILE_VARIABLE);
                return Ok(EffectiveSetting { key: "api_key_file", value: Some(path.into()), origin });
            }
            (None, None) => {}
        }
        let found = KEY_SETTINGS.into_iter().find_map(|key| Some((key, table?.get(key)?)));
        Ok(match found {
            Some((key, value)) => {
                let (value, origin) = self.value(value);
                EffectiveSetting { key, value: Some(value).filter(|_| key != "api_key"), origin }
            }
            None => hidden(Origin::Unset),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        variables: HashMap<&'static str, String>,
    }

    impl Home {
        fn with_file(text: &str) -> Self {
            let home = Self { folder: tempfile::tempdir().unwrap(), variables: HashMap::new() };
            let path = home.paths().config_file();
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            home
        }

        fn set(mut self, name: &'static str, value: &str) -> Self {
            self.variables.insert(name, value.into());
            self
        }

        fn paths(&self) -> Paths {
            let home = self.folder.path().to_str().unwrap().to_owned();
            Paths::of(&|name| (name == "HOME").then(|| home.clone())).unwrap()
        }

        fn effective(&self, flags: &Flags) -> Result<Effective, ConfigError> {
            effective(flags, &|name| self.variables.get(name).cloned(), &self.paths())
        }

        fn setting(&self, flags: &Flags, key: &str) -> Option<(Option<String>, Origin)> {
            let settings = self.effective(flags).unwrap().settings;
            let found = settings.into_iter().find(|setting| setting.key == key)?;
            Some((found.value.map(|value| value.to_string()), found.origin))
        }
    }

    const FILE: &str = r#"theme = "light"

[profiles.acme]
base_url = "https://one.example"
tenant = "acme"
api_key = "hunter2"
page_size = 250
contexts = ["BACKOFFICE"]
read_only = true
"#;

    #[test]
    fn each_value_has_its_origin_in_order_of_precedence() {
        let home = Home::with_file(FILE).set("SEGTUI_TENANT", "other").set("SEGTUI_READ_ONLY", "0");
        let flags = Flags { page_size: Some(50), accessible: true, ..Flags::default() };
        for (key, value, origin) in [
            ("theme", Some("\"light\""), Origin::File { line: 1 }),
            ("default_profile", None, Origin::Unset),
            ("collation", Some("\"pl\""), Origin::Default),
            ("accessible", Some("true"), Origin::Flag("--accessible")),
            ("base_url", Some("\"https://one.example\""), Origin::File { line: 4 }),
            ("tenant", Some("\"other\""), Origin::Variable("SEGTUI_TENANT")),
            ("page_size", Some("50"), Origin::Flag("--page-size")),
            ("contexts", Some("[\"BACKOFFICE\"]"), Origin::File { line: 8 }),
            ("read_only", Some("true"), Origin::File { line: 9 }),
            ("verify_every", Some("900"), Origin::Default),
            ("poll", None, Origin::Unset),
        ] {
            let expected = Some((value.map(str::to_owned), origin));
            assert_eq!(home.setting(&flags, key), expected, "{key}");
        }
        let effective = home.effective(&flags).unwrap();
        assert_eq!((effective.profile.as_deref(), effective.file_exists), (Some("acme"), true));
    }

    #[test]
    fn the_key_is_not_shown_but_its_origin_is() {
        let no_flags = Flags::default();
        let home = Home::with_file(FILE);
        assert_eq!(home.setting(&no_flags, "api_key"), Some((None, Origin::File { line: 6 })));
        let flags = Flags { api_key: Some("hunter3".to_owned().into()), ..Flags::default() };
        assert_eq!(home.setting(&flags, "api_key"), Some((None, Origin::Flag("--api-key"))));
        assert!(!format!("{:?}", home.effective(&flags).unwrap()).contains("hunter"));
        let home = home.set("SEGTUI_API_KEY_FILE", "/run/key");
        let expected = Some((Some("\"/run/key\"".into()), Origin::Variable("SEGTUI_API_KEY_FILE")));
        assert_eq!(home.setting(&no_flags, "api_key_file"), expected);
        let home = home.set("SEGTUI_API_KEY", "hunter4");
        assert!(matches!(home.effective(&no_flags), Err(ConfigError::TwoKeys)));
        let command = FILE.replace("api_key = \"hunter2\"", "api_key_command = [\"false\"]");
        let home = Home::with_file(&command);
        let expected = Some((Some("[\"false\"]".into()), Origin::File { line: 6 }));
        assert_eq!(home.setting(&no_flags, "api_key_command"), expected, "the command isn't run");
        assert_eq!(home.setting(&no_flags, "api_key"), None);
    }

    #[test]
    fn the_defaults_apply_without_a_file() {
        let home = Home::with_file("");
        fs::remove_file(home.paths().config_file()).unwrap();
        let effective = home.effective(&Flags::default()).unwrap();
        assert_eq!((effective.profile, effective.file_exists), (None, false));
        assert_eq!(home.setting(&Flags::default(), "page_size"), Some((Some("500".into()), Origin::Default)));
    }
}
