//! The configuration file: TOML with named profiles, keys, commands and a theme. Unknown keys, wrong types and values out of
//! range are refused with their line and column.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::style::Color;
use secrecy::SecretString;
use serde::Deserialize;
use toml::Spanned;

use super::Interface;
use super::check::RawCheck;
use super::commands::RawCommand;
use super::keys::RawKeys;
use super::look::RawTheme;
use super::toml_words;
use crate::check::Rules;
use crate::collation::{DEFAULT_LANGUAGE, parse_language};
use crate::formats::rows::ColumnNames;
use crate::remote::{Access, Context, ContextsForm, UrlTemplate};
use crate::segment::Pattern;

/// A parsed configuration file.
#[derive(Debug, Default)]
pub struct File {
    /// The profile to use if none is selected.
    pub default_profile: Option<String>,
    pub(super) profiles: BTreeMap<String, Profile>,
    pub(super) interface: Interface,
}

/// One profile, validated.
#[derive(Debug, Default)]
pub(super) struct Profile {
    pub base_url: Option<String>,
    pub tenant: Option<String>,
    pub api_key: Option<SecretString>,
    pub api_key_env: Option<String>,
    pub api_key_command: Option<Vec<String>>,
    pub api_key_file: Option<String>,
    pub ca_file: Option<String>,
    pub insecure_http: bool,
    pub access: Access,
    pub poll: Option<Duration>,
    pub verify_every: Option<Duration>,
    pub page_size: Option<u32>,
    pub concurrency: Option<usize>,
    pub contexts: Vec<Context>,
    pub contexts_form: ContextsForm,
    pub origins: bool,
    pub protected: bool,
    pub colour: Option<Color>,
    pub owned: Vec<Pattern>,
    pub open: Option<UrlTemplate>,
    /// The names of columns in files of segments.
    pub columns: ColumnNames,
    pub check: Rules,
}

/// A problem in a configuration file, and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {what}", path = .path.display())]
pub struct FaultInFile {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what was expected.
    pub what: String,
}

pub(super) const POLL_SECONDS: RangeInclusive<f64> = 0.2..=3_600.0;
/// 0 disables the comparison.
pub(super) const VERIFY_SECONDS: RangeInclusive<f64> = 0.0..=604_800.0;
pub(super) const PAGE_SIZES: RangeInclusive<u32> = 1..=10_000;
pub(super) const CONCURRENCIES: RangeInclusive<u32> = 1..=64;
/// The terminal's own colours, which the user may have configured.
pub(super) const COLOURS: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("gray", Color::Gray),
    ("darkgray", Color::DarkGray),
    ("lightred", Color::LightRed),
    ("lightgreen", Color::LightGreen),
    ("lightyellow", Color::LightYellow),
    ("lightblue", Color::LightBlue),
    ("lightmagenta", Color::LightMagenta),
    ("lightcyan", Color::LightCyan),
    ("white", Color::White),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    default_profile: Option<Spanned<String>>,
    #[serde(default)]
    profiles: BTreeMap<String, RawProfile>,
    #[serde(default)]
    keys: RawKeys,
    #[serde(default)]
    command: Vec<RawCommand>,
    theme: Option<Spanned<RawTheme>>,
    #[serde(default)]
    accessible: bool,
    collation: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
struct RawProfile {
    base_url: Option<String>,
    tenant: Option<String>,
    api_key: Option<Spanned<SecretString>>,
    api_key_env: Option<Spanned<String>>,
    api_key_command: Option<Spanned<Vec<String>>>,
    api_key_file: Option<Spanned<String>>,
    ca_file: Option<Spanned<String>>,
    #[serde(default)]
    insecure_http: bool,
    #[serde(default)]
    read_only: bool,
    poll: Option<Spanned<f64>>,
    verify_every: Option<Spanned<f64>>,
    page_size: Option<Spanned<u32>>,
    concurrency: Option<Spanned<u32>>,
    #[serde(default)]
    contexts: Vec<Spanned<String>>,
    contexts_form: Option<Spanned<String>>,
    #[serde(default)]
    origins: bool,
    #[serde(default)]
    protected: bool,
    colour: Option<Spanned<String>>,
    #[serde(default)]
    owned: Vec<Spanned<String>>,
    open: Option<Spanned<String>>,
    #[serde(default)]
    columns: Option<Spanned<BTreeMap<String, String>>>,
    #[serde(default)]
    check: RawCheck,
}

impl File {
    /// Whether the file contains an API key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.profiles.values().any(|profile| profile.api_key.is_some())
    }

    /// Parses a file; `path` is used in errors.
    ///
    /// # Errors
    ///
    /// The first fault, with its place.
    pub fn read(text: &str, path: &Path) -> Result<Self, FaultInFile> {
        let source = Source::new(text, path);
        let raw: RawFile = toml::from_str(text).map_err(|error| source.broken(&error))?;
        let mut profiles = BTreeMap::new();
        for (name, profile) in raw.profiles {
            profiles.insert(name, source.profile(profile)?);
        }
        if let Some(default) = raw.default_profile.as_ref().filter(|default| !profiles.contains_key(default.get_ref()))
        {
            let what = format!("there is no profile `{}` in this file", default.get_ref());
            return Err(source.fault(default.span(), what));
        }
        let (theme, styles) = source.theme_settings(raw.theme)?;
        if let Some(tag) = &raw.collation {
            parse_language(tag.get_ref()).map_err(|fault| source.fault(tag.span(), fault.to_string()))?;
        }
        let collation = raw.collation.map_or_else(|| DEFAULT_LANGUAGE.into(), Spanned::into_inner);
        let (commands, keys) = source.commands(raw.command)?;
        let names = commands.iter().map(|command| command.name.clone()).collect();
        let keymap = source.keymap(raw.keys, keys, names)?;
        let key_variables = profiles.values().filter_map(|profile: &Profile| profile.api_key_env.clone()).collect();
        let interface = Interface {
            keymap,
            theme: theme.unwrap_or_default(),
            theme_is_chosen: theme.is_some(),
            accessible: raw.accessible,
            collation,
            styles,
            commands,
            key_variables,
        };
        Ok(Self { default_profile: raw.default_profile.map(Spanned::into_inner), profiles, interface })
    }
}

pub(super) struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl<'a> Source<'a> {
    pub(super) const fn new(text: &'a str, path: &'a Path) -> Self {
        Self { text, path }
    }
}

impl Source<'_> {
    pub(super) fn fault(&self, span: Range<usize>, what: impl Into<String>) -> FaultInFile {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
        FaultInFile { path: self.path.to_owned(), line, column, what: what.into() }
    }

    /// The fault of a TOML error. TOML doesn't allow both `theme = "…"` and `[theme.styles]`, so a hint shows how to set both.
    pub(super) fn broken(&self, error: &toml::de::Error) -> FaultInFile {
        let span = error.span().unwrap_or_default();
        let before = self.text.get(..span.start).unwrap_or_default();
        let opens_a_table = before.rsplit('\n').next().is_some_and(|start| start.trim() == "[");
        let hint = match self.text.get(span.clone()) {
            Some("theme") if opens_a_table => "; with [theme.styles], set `name` in [theme]",
            _ => "",
        };
        self.fault(span, format!("{}{hint}", toml_words::plain(error.message())))
    }

    fn profile(&self, raw: RawProfile) -> Result<Profile, FaultInFile> {
        let keys = [
            raw.api_key.as_ref().map(Spanned::span),
            raw.api_key_env.as_ref().map(Spanned::span),
            raw.api_key_command.as_ref().map(Spanned::span),
            raw.api_key_file.as_ref().map(Spanned::span),
        ];
        if let [_, second, ..] = keys.into_iter().flatten().collect::<Vec<_>>().as_slice() {
            let what = "the API key is set twice; keep one of `api_key`, `api_key_env`, `api_key_command` and \
                        `api_key_file`";
            return Err(self.fault(second.clone(), what));
        }
        if let Some(command) = raw.api_key_command.as_ref().filter(|command| command.get_ref().is_empty()) {
            return Err(self.fault(command.span(), "expected a command, such as [\"pass\", \"show\", \"one/acme\"]"));
        }
        for (key, path) in [("api_key_file", &raw.api_key_file), ("ca_file", &raw.ca_file)] {
            if let Some(path) = path.as_ref().filter(|path| path.get_ref().trim().is_empty()) {
                return Err(self.fault(path.span(), format!("`{key}` is empty; expected the path of a file")));
            }
        }
        let poll = self.within("poll", raw.poll, POLL_SECONDS)?;
        let verify_every = self.within("verify_every", raw.verify_every, VERIFY_SECONDS)?;
        let contexts = raw.contexts.into_iter().map(|name| self.context(&name)).collect::<Result<_, _>>()?;
        Ok(Profile {
            base_url: raw.base_url,
            tenant: raw.tenant,
            api_key: raw.api_key.map(Spanned::into_inner),
            api_key_env: raw.api_key_env.map(Spanned::into_inner),
            api_key_command: raw.api_key_command.map(Spanned::into_inner),
            api_key_file: raw.api_key_file.map(Spanned::into_inner),
            ca_file: raw.ca_file.map(Spanned::into_inner),
            insecure_http: raw.insecure_http,
            access: if raw.read_only { Access::ReadOnly } else { Access::ReadWrite },
            poll: poll.map(Duration::from_secs_f64),
            verify_every: verify_every.map(Duration::from_secs_f64),
            page_size: self.within("page_size", raw.page_size, PAGE_SIZES)?,
            concurrency: self.within("concurrency", raw.concurrency, CONCURRENCIES)?.map(|number| number as usize),
            contexts,
            contexts_form: self.contexts_form(raw.contexts_form)?,
            origins: raw.origins,
            protected: raw.protected,
            colour: raw.colour.map(|colour| self.colour(&colour, "")).transpose()?,
            owned: raw.owned.iter().map(|text| self.pattern(text)).collect::<Result<_, _>>()?,
            columns: raw.columns.map(|columns| self.columns(&columns)).transpose()?.unwrap_or_default(),
            check: self.rules(raw.check)?,
            open: raw.open.map(|text| self.template(&text)).transpose()?,
        })
    }

    pub(super) fn within<T: PartialOrd + Display + Copy>(
        &self,
        key: &str,
        value: Option<Spanned<T>>,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>, FaultInFile> {
        let Some(value) = value else { return Ok(None) };
        let (span, value) = (value.span(), value.into_inner());
        if range.contains(&value) {
            return Ok(Some(value));
        }
        let what = format!("`{key}` is {value}; expected {} to {}", range.start(), range.end());
        Err(self.fault(span, what))
    }

    fn context(&self, name: &Spanned<String>) -> Result<Context, FaultInFile> {
        Context::of_wire_name(name.get_ref()).ok_or_else(|| {
            let names: Vec<_> = Context::ALL.map(Context::wire_name).into();
            self.fault(name.span(), format!("unknown context `{}`; expected {}", name.get_ref(), names.join(", ")))
        })
    }

    /// A colour as ratatui parses it, which accepts many spellings of the names, except `reset` and indexed colours. `besides` is
    /// what else the error says is allowed.
    pub(super) fn colour(&self, text: &Spanned<String>, besides: &str) -> Result<Color, FaultInFile> {
        let is_offered =
            |colour: &Color| matches!(colour, Color::Rgb(..)) || COLOURS.iter().any(|(_, other)| other == colour);
        if let Some(colour) = text.get_ref().parse().ok().filter(is_offered) {
            return Ok(colour);
        }
        let names = COLOURS.map(|(name, _)| name).join(", ");
        Err(self
            .fault(text.span(), format!("invalid colour `{}`; expected {names}, or #rrggbb{besides}", text.get_ref())))
    }

    fn pattern(&self, text: &Spanned<String>) -> Result<Pattern, FaultInFile> {
        Pattern::new(text.get_ref()).ok_or_else(|| {
            let what = "empty pattern; expected IDs or external IDs, such as \"ERP-*\"";
            self.fault(text.span(), what)
        })
    }

    fn columns(&self, columns: &Spanned<BTreeMap<String, String>>) -> Result<ColumnNames, FaultInFile> {
        let pairs = columns.get_ref().iter().map(|(column, heading)| (column.as_str(), heading.as_str()));
        ColumnNames::from_pairs(pairs).map_err(|fault| self.fault(columns.span(), fault))
    }

    fn template(&self, text: &Spanned<String>) -> Result<UrlTemplate, FaultInFile> {
        UrlTemplate::parse(text.get_ref()).map_err(|fault| self.fault(text.span(), fault.to_string()))
    }

    fn contexts_form(&self, form: Option<Spanned<String>>) -> Result<ContextsForm, FaultInFile> {
        let Some(form) = form else { return Ok(ContextsForm::default()) };
        match form.get_ref().as_str() {
            "repeated" => Ok(ContextsForm::Repeated),
            "comma" => Ok(ContextsForm::Comma),
            other => {
                Err(self.fault(form.span(), format!("`contexts_form` is `{other}`; expected `repeated` or `comma`")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        File::read(text, Path::new("config.toml")).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let text = fault("[profiles.preprod]\ntenant = \"acme\"\nbase_ulr = \"https://x\"\n");
        assert!(text.starts_with("config.toml:3:1: unknown field `base_ulr`, expected one of `base_url`"), "{text}");
    }

    #[test]
    fn a_wrong_type_is_refused_with_its_place() {
        let text = fault("[profiles.preprod]\npage_size = \"many\"\n");
        assert_eq!(text, "config.toml:2:13: expected a whole number, not a text");
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_its_place() {
        let text = fault("[profiles.a]\n\npage_size = 0\n");
        assert_eq!(text, "config.toml:3:13: `page_size` is 0; expected 1 to 10000");
        assert!(fault("[profiles.a]\npoll = 0.01\n").contains(":2:8: `poll` is 0.01; expected 0.2 to 3600"));
        assert!(fault("[profiles.a]\ncontexts = [\"ERP\"]\n").contains("expected APPLICATION, BACKOFFICE"));
    }

    #[test]
    fn every_listed_colour_is_accepted() {
        let colour = |text: &str| {
            let file = File::read(&format!("[profiles.a]\ncolour = \"{text}\"\n"), Path::new("config.toml")).unwrap();
            file.profiles["a"].colour
        };
        for (name, expected) in COLOURS {
            assert_eq!(colour(name), Some(expected));
        }
        assert_eq!(colour("Light-Red"), Some(Color::LightRed));
        assert_eq!(colour("#Ff8000"), Some(Color::Rgb(0xff, 0x80, 0)));
    }

    #[test]
    fn an_invalid_colour_is_refused_with_its_place() {
        for wrong in ["crimson", "#ff80", "#gg0000", "12", "reset", ""] {
            let text = fault(&format!("[profiles.a]\ncolour = \"{wrong}\"\n"));
            assert!(
                text.starts_with(&format!("config.toml:2:10: invalid colour `{wrong}`; expected black, red,")),
                "{text}"
            );
            assert!(text.ends_with("white, or #rrggbb"), "{text}");
        }
    }

    #[test]
    fn an_empty_pattern_is_refused_with_its_place() {
        let text = fault("[profiles.a]\nowned = [\"ERP-*\", \"\"]\n");
        assert!(text.starts_with("config.toml:2:19: empty pattern"), "{text}");
    }

    #[test]
    fn an_invalid_url_template_is_refused_with_its_place() {
        let text = fault("[profiles.a]\nopen = \"https://x.example/{ident}\"\n");
        assert!(text.starts_with("config.toml:2:8: `{ident}` is not a placeholder; expected {id}"), "{text}");
    }

    #[test]
    fn broken_toml_is_refused_with_its_place() {
        assert!(fault("[profiles.a\n").starts_with("config.toml:1:"));
    }

    #[test]
    fn two_key_settings_are_refused() {
        let text = fault("[profiles.a]\napi_key = \"k\"\napi_key_env = \"K\"\n");
        assert!(text.starts_with("config.toml:3:15: the API key is set twice"), "{text}");
        let text = fault("[profiles.a]\napi_key_env = \"K\"\napi_key_file = \"/run/secrets/k\"\n");
        assert!(text.starts_with("config.toml:3:16: the API key is set twice"), "{text}");
    }

    #[test]
    fn an_empty_path_is_refused_with_its_place() {
        for key in ["api_key_file", "ca_file"] {
            let text = fault(&format!("[profiles.a]\n{key} = \" \"\n"));
            assert_eq!(text, format!("config.toml:2:{}: `{key}` is empty; expected the path of a file", key.len() + 4));
        }
    }

    #[test]
    fn an_invalid_language_is_refused_with_its_place() {
        assert!(fault("collation = \"no language\"\n").starts_with("config.toml:1:13: invalid language `no language`"));
    }

    #[test]
    fn a_missing_default_profile_is_refused() {
        assert!(
            fault("default_profile = \"b\"\n[profiles.a]\n").starts_with("config.toml:1:19: there is no profile `b`")
        );
    }

    #[test]
    fn an_error_does_not_show_an_api_key() {
        let text = fault("[profiles.a]\napi_key = \"hunter2\"\nnonsense = 1\n");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
