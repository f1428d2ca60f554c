//! The table of all settings of the configuration file, from which the schema and `config show` are generated. A test keeps it
//! consistent with the parser of the file.

use std::ops::RangeInclusive;

use super::commands::TIMEOUT_SECONDS;
use super::file::{CONCURRENCIES, PAGE_SIZES, POLL_SECONDS, VERIFY_SECONDS};
use super::{CA_FILE_VARIABLE, KEY_VARIABLE, READ_ONLY, THEME_VARIABLE};

/// A key in a table of the file.
#[derive(Debug)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// The values it accepts.
    pub kind: Kind,
    /// The default, as TOML; empty if there is none.
    pub default: &'static str,
    /// The flag that overrides it.
    pub flag: Option<&'static str>,
    /// The variable that overrides it.
    pub variable: Option<&'static str>,
    /// The description.
    pub help: &'static str,
}

/// The values that a key accepts.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// The path of a file: not empty.
    Path,
    /// A text that is never displayed.
    Secret,
    /// A language tag.
    Language,
    /// A colour.
    Colour,
    /// A colour, or the terminal's default.
    Ink,
    /// A URL with placeholders.
    Template,
    /// A list of non-empty texts.
    Texts,
    /// A program and its arguments, as a list.
    Words,
    /// The same, or one text that is split like in a shell.
    Command,
    /// One sequence of keys, or a list of them.
    Keys,
    /// `true` or `false`.
    Switch,
    /// A number.
    Number(RangeInclusive<f64>),
    /// A whole number.
    Whole(RangeInclusive<u32>),
    /// A table of rules and their levels.
    Rules,
    /// A table of columns and their headings.
    Columns,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A list of these.
    SomeOf(&'static [&'static str]),
}

const fn setting(key: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Setting {
    Setting { key, kind, default, flag: None, variable: None, help }
}

impl Setting {
    const fn flag(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }

    const fn variable(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }
}

/// The contexts of the feed.
const CONTEXTS: &[&str] = &["APPLICATION", "BACKOFFICE", "INTERNAL", "INTEGRATIONS"];
/// The built-in themes.
pub(super) const THEMES: &[&str] = &["dark", "light", "high-contrast", "colour-blind", "mono"];

/// The keys at the top of the file that have a value; the others are tables.
pub const TOP: &[Setting] = &[
    setting("default_profile", Kind::Text, "", "Profile to use when none is asked for.")
        .flag("--profile")
        .variable("SEGTUI_PROFILE"),
    setting("theme", Kind::OneOf(THEMES), "\"dark\"", "Colour theme, by its name or as a table with changes.")
        .flag("--theme")
        .variable(THEME_VARIABLE),
    setting("accessible", Kind::Switch, "false", "Words instead of lines and symbols, for screen readers.")
        .flag("--accessible"),
    setting("collation", Kind::Language, "\"pl\"", "Language by whose rules names are sorted."),
];

/// The keys of a profile.
pub const PROFILE: &[Setting] = &[
    setting("base_url", Kind::Text, "", "API base URL; the host alone is enough.")
        .flag("--base-url")
        .variable("SEGTUI_BASE_URL"),
    setting("tenant", Kind::Text, "", "Tenant name.").flag("--tenant").variable("SEGTUI_TENANT"),
    setting("api_key", Kind::Secret, "", "API key. Prefer one of the other ways to it.")
        .flag("--api-key")
        .variable(KEY_VARIABLE),
    setting("api_key_env", Kind::Text, "", "Environment variable that holds the API key."),
    setting("api_key_command", Kind::Words, "", "Command whose first line of output is the API key."),
    setting("api_key_file", Kind::Path, "", "File whose first line is the API key."),
    setting("ca_file", Kind::Path, "", "File with CA certificates (PEM) to trust besides the system's.")
        .flag("--ca-file")
        .variable(CA_FILE_VARIABLE),
    setting("insecure_http", Kind::Switch, "false", "Allow http to other machines; exposes the API key.")
        .flag("--insecure-http"),
    setting("read_only", Kind::Switch, "false", "Never send writes.").flag("--read-only").variable(READ_ONLY),
    setting("poll", Kind::Number(POLL_SECONDS), "", "Polling interval in seconds; 1 to 30 without it.").flag("--poll"),
    setting(
        "verify_every",
        Kind::Number(VERIFY_SECONDS),
        "900",
        "Seconds between full comparisons with the server; 0 disables them.",
    ),
    setting("page_size", Kind::Whole(PAGE_SIZES), "500", "Segments per page.").flag("--page-size"),
    setting("concurrency", Kind::Whole(CONCURRENCIES), "6", "Maximum concurrent requests.").flag("--concurrency"),
    setting("contexts", Kind::SomeOf(CONTEXTS), "[]", "Whose changes to follow; everyone's if empty."),
    setting("contexts_form", Kind::OneOf(&["repeated", "comma"]), "\"repeated\"", "How several contexts are sent."),
    setting("origins", Kind::Switch, "false", "Poll each context separately, to show who made a change."),
    setting("protected", Kind::Switch, "false", "Ask for the tenant name before every change."),
    setting("colour", Kind::Colour, "", "Colour of the header, lines and dialogs."),
    setting("owned", Kind::Texts, "[]", "IDs or external IDs of segments managed by another system: * and ? match."),
    setting("check", Kind::Rules, "", "How serious each rule of the check is."),
    setting(
        "columns",
        Kind::Columns,
        "",
        "Headings of the columns in files of segments: { name = \"NAZWA\", ext = \"KOD\" }.",
    ),
    setting("open", Kind::Template, "", "URL that shows a segment: {id} {name} {external_id} {tenant}."),
];

/// The keys of a `[[command]]`; the first two are required.
pub const COMMAND: &[Setting] = &[
    setting("name", Kind::Text, "", "Name under which the command is listed."),
    setting("run", Kind::Command, "", "Program and arguments."),
    setting("key", Kind::Keys, "", "Keys that run it."),
    setting("on", Kind::OneOf(&["selected", "marked"]), "\"selected\"", "Segments that it gets."),
    setting("confirm", Kind::Switch, "false", "Ask first."),
    setting("api_key", Kind::Switch, "false", "Pass the API key to it."),
    setting("output", Kind::OneOf(&["pane", "message", "none"]), "\"pane\"", "Where its output is shown."),
    setting("timeout", Kind::Number(TIMEOUT_SECONDS), "", "Seconds after which it is ended."),
];

/// The required keys of a command.
pub(super) const REQUIRED: [&str; 2] = ["name", "run"];

/// The keys of a style in `[theme.styles]`.
pub const STYLE: &[Setting] = &[
    setting("fg", Kind::Ink, "", "Colour of the text."),
    setting("bg", Kind::Ink, "", "Colour of the background."),
    setting("bold", Kind::Switch, "", "Bold."),
    setting("italic", Kind::Switch, "", "Italic."),
    setting("underlined", Kind::Switch, "", "Underlined."),
    setting("reversed", Kind::Switch, "", "Text and background swapped."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::super::File;
    use super::*;
    use crate::remote::Context;
    use crate::theme::Name;

    /// The keys at the top of the file that are tables.
    const TABLES: &[&str] = &["profiles", "keys", "command"];

    fn fault(text: &str) -> Option<String> {
        File::read(text, Path::new("config.toml")).err().map(|fault| fault.to_string())
    }

    /// The keys that the parser lists when it refuses an unknown one.
    fn known(text: &str) -> BTreeSet<String> {
        let fault = fault(text).unwrap();
        let (_, expected) = fault.split_once("expected one of ").unwrap_or_else(|| panic_with(&fault));
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    fn panic_with(text: &str) -> ! {
        unreachable!("{text}")
    }

    fn keys(settings: &[Setting]) -> BTreeSet<String> {
        settings.iter().map(|setting| setting.key.to_owned()).collect()
    }

    /// TOML values that a kind accepts, and some that it refuses.
    fn samples(kind: &Kind) -> (Vec<String>, Vec<String>) {
        let quoted = |texts: &[&str]| texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>();
        let text = |allowed: &[&str], refused: &[&str]| {
            (quoted(allowed), [quoted(refused), vec!["7".into(), "[7]".into()]].concat())
        };
        match kind {
            Kind::Text | Kind::Secret => text(&["a"], &[]),
            Kind::Path => text(&["~/a"], &["", " "]),
            Kind::Language => text(&["de", "en-GB"], &["no language"]),
            Kind::Colour => text(&["red", "#a0b1c2"], &["default", "crimson", ""]),
            Kind::Ink => text(&["red", "#a0b1c2", "default"], &["crimson", ""]),
            Kind::Template => text(&["https://x.example/{id}"], &["https://x.example/{ident}", "x"]),
            Kind::Keys => {
                let (mut allowed, refused) = text(&["ctrl-x s"], &["hyperdrive"]);
                allowed.push("[\"ctrl-x s\", \"ctrl-y\"]".into());
                (allowed, refused)
            }
            Kind::Command => {
                let (mut allowed, refused) = text(&["report --all"], &["", "x 'y"]);
                allowed.push("[\"report\", \"--all\"]".into());
                (allowed, [refused, vec!["[]".into()]].concat())
            }
            Kind::Words => (vec!["[\"pass\", \"x\"]".into()], vec!["[]".into(), "\"pass\"".into(), "[7]".into()]),
            Kind::Texts => (vec!["[]".into(), "[\"a\"]".into()], vec!["[\"\"]".into(), "\"a\"".into(), "[7]".into()]),
            Kind::Switch => (vec!["true".into(), "false".into()], vec!["1".into(), "\"yes\"".into()]),
            Kind::Number(range) => {
                let (least, most) = range.clone().into_inner();
                let text = |number: f64| format!("{number:?}");
                (vec![text(least), text(most)], vec![text(least - 0.1), text(most + 1.0), "\"1\"".into()])
            }
            Kind::Whole(range) => {
                let (least, most) = range.clone().into_inner();
                let allowed = vec![least.to_string(), most.to_string()];
                (
                    allowed,
                    vec![(i64::from(least) - 1).to_string(), (most + 1).to_string(), "1.5".into(), "\"1\"".into()],
                )
            }
            Kind::Rules => (
                vec!["{}".into(), "{ orphan = \"off\", max-depth = 4 }".into()],
                vec!["{ orphan = \"grave\" }".into(), "{ max-depth = 0 }".into(), "{ x = \"off\" }".into(), "7".into()],
            ),
            Kind::Columns => (
                vec!["{}".into(), "{ name = \"NAZWA\", parent-ext = \"UP\" }".into()],
                vec!["{ kod = \"A\" }".into(), "{ name = \"\" }".into(), "{ name = 7 }".into(), "7".into()],
            ),
            Kind::OneOf(texts) => text(texts, &["", "nonsense"]),
            Kind::SomeOf(texts) => {
                let all = format!("[{}]", quoted(texts).join(", "));
                (vec!["[]".into(), all], vec!["[\"nonsense\"]".into(), "\"x\"".into()])
            }
        }
    }

    fn takes(settings: &[Setting], with: impl Fn(&str, &str) -> String) {
        for Setting { key, kind, default, .. } in settings {
            let (allowed, refused) = samples(kind);
            let default = Some((*default).to_owned()).filter(|default| !default.is_empty());
            for value in allowed.iter().chain(&default) {
                assert_eq!(fault(&with(key, value)), None, "{key} = {value}");
            }
            for value in refused {
                let fault = fault(&with(key, &value));
                assert!(fault.is_some(), "{key} = {value} should be refused");
            }
        }
    }

    #[test]
    fn the_table_has_exactly_the_keys_of_the_parser() {
        let mut top = keys(TOP);
        top.extend(TABLES.iter().map(|key| (*key).to_owned()));
        assert_eq!(known("zz = 1\n"), top);
        assert_eq!(known("[profiles.a]\nzz = 1\n"), keys(PROFILE));
        assert_eq!(known("[[command]]\nzz = 1\n"), keys(COMMAND));
        assert_eq!(known("[theme.styles]\nbad = { zz = 1 }\n"), keys(STYLE));
    }

    #[test]
    fn the_parser_accepts_exactly_the_values_of_the_table() {
        let top: Vec<&Setting> = TOP.iter().filter(|setting| setting.key != "default_profile").collect();
        for setting in top {
            takes(std::slice::from_ref(setting), |key, value| format!("{key} = {value}\n"));
        }
        assert_eq!(fault("default_profile = \"a\"\n[profiles.a]\n"), None);
        takes(PROFILE, |key, value| format!("[profiles.a]\n{key} = {value}\n"));
        takes(COMMAND, |key, value| {
            let others = [("name", "\"a\""), ("run", "\"a\"")].into_iter().filter(|(other, _)| *other != key);
            let others: Vec<String> = others.map(|(key, value)| format!("{key} = {value}\n")).collect();
            format!("[[command]]\n{}{key} = {value}\n", others.concat())
        });
        takes(STYLE, |key, value| format!("[theme.styles]\nbad = {{ {key} = {value} }}\n"));
        for key in REQUIRED {
            let other = if key == "name" { "run" } else { "name" };
            let fault = fault(&format!("[[command]]\n{other} = \"a\"\n")).unwrap();
            assert!(fault.ends_with(&format!("`{key}` is missing")), "{fault}");
        }
    }

    #[test]
    fn the_lists_of_names_are_complete() {
        assert_eq!(CONTEXTS, Context::ALL.map(Context::wire_name));
        assert_eq!(THEMES, Name::ALL.map(Name::text));
    }

    /// A table row for each setting, as in docs/configuration.md.
    fn rows(settings: &[Setting]) -> String {
        let quoted = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
        let row = |setting: &Setting| {
            let over: Vec<String> = [setting.flag, setting.variable].into_iter().flatten().map(quoted).collect();
            let Setting { key, default, help, .. } = setting;
            format!("| `{key}` | {} | {} | {help} |\n", over.join(", "), quoted(default))
        };
        settings.iter().map(row).collect()
    }

    #[test]
    fn the_configuration_page_has_every_setting() {
        let head = "| Setting | Overridden by | Default | What it is for |\n| --- | --- | --- | --- |\n";
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
        let text = std::fs::read_to_string(&page).unwrap();
        let tables: Vec<String> = [TOP, PROFILE, COMMAND].into_iter().map(rows).collect();
        if std::env::var_os("SEGTUI_ACCEPT").is_some() {
            let mut parts = text.split(head);
            let mut accepted = parts.next().unwrap().to_owned();
            for (part, table) in parts.zip(&tables) {
                let rest = part.split_once("\n\n").map_or("", |(_, rest)| rest);
                accepted.extend([head, table, "\n", rest]);
            }
            return std::fs::write(page, accepted).unwrap();
        }
        for table in tables {
            let table = format!("{head}{table}\n");
            assert!(text.contains(&table), "SEGTUI_ACCEPT=1 puts this table there:\n\n{table}");
        }
    }
}
