//! Command-line arguments.

mod changing;
mod checking;
mod comparing;
mod reading;
mod setup;
mod watching;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use secrecy::SecretString;

use crate::config::Flags;
use crate::demo;
use crate::remote::InsecureHttp;
use crate::theme::Name;

use super::completing;
use super::exit::Exit;
use super::failure::{ErrorForm, Failure};

pub(super) use changing::{
    ApplyArguments, HistoryArguments, HistoryForm, MatchingArguments, PlanArguments, ReadingArguments, ScopeQuery,
    SendingArguments, SourceArguments, SourceFormat, TextOrJson, UndoArguments,
};
pub(super) use checking::{CheckArguments, RuleChoice};
pub(super) use comparing::DiffArguments;
pub(super) use reading::{ExportArguments, ExportFormat, FindArguments, FindForm, GetArguments, TreeArguments};
pub(super) use watching::{OnError, WatchArguments, WatchFormat};

use setup::{COMPLETIONS_HELP, CONFIG_HELP, SERVE_DEMO_HELP};

pub(super) use setup::{
    CompletionsArguments, ConfigArguments, ConfigCommand, DoctorArguments, ManArguments, ProfilesArguments,
};

/// Terminal browser and editor for the customer segment tree of the ONe B2B commerce platform.
///
/// Opens the tree by default; asks for connection details if nothing is configured. No server? Try: segtui --demo
#[derive(Debug, Parser)]
#[command(name = "segtui", version = VERSION, max_term_width = 100, args_conflicts_with_subcommands = false)]
#[command(after_help = after_help())]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub connection: ConnectionArguments,
    #[command(flatten)]
    pub look: LookArguments,
    #[command(flatten)]
    pub report: ReportArguments,
    #[command(flatten)]
    pub log: LogArguments,
}

/// The version with the commit and target of this build.
pub(super) const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (", env!("SEGTUI_BUILD_COMMIT"), ", ", env!("SEGTUI_BUILD_TARGET"), ")");

fn after_help() -> String {
    format!(
        "Precedence: flags, then environment variables (SEGTUI_BASE_URL, SEGTUI_TENANT, SEGTUI_API_KEY or \
         SEGTUI_API_KEY_FILE, SEGTUI_CA_FILE, SEGTUI_PROFILE, SEGTUI_THEME, SEGTUI_CONFIG), then the config file (~/.config/segtui/config.toml), which has profiles, a theme and \
         `[keys]`. Any one of --read-only, SEGTUI_READ_ONLY=1 and `read_only = true` in the profile is enough for read-only \
         mode.\n\n{}",
        Exit::help()
    )
}

/// Commands that can write JSON, with `-o json` or `--json`.
const WITH_JSON: &[&str] =
    &["apply", "check", "config", "diff", "doctor", "find", "get", "history", "plan", "profiles", "undo"];

/// Returns how errors are written: as JSON if the command was asked for JSON. Reads the raw arguments, as parsing them may be the
/// error.
pub(super) fn error_form(arguments: impl Iterator<Item = OsString>) -> ErrorForm {
    let arguments: Vec<OsString> = arguments.skip(1).collect();
    let command = arguments.iter().any(|argument| WITH_JSON.iter().any(|name| argument == name));
    // Short flags can be combined: `-qo json`.
    let ends_short_flags = |argument: &OsString, end: &str| {
        let argument = argument.to_string_lossy();
        argument.starts_with('-') && !argument.starts_with("--") && argument.ends_with(end)
    };
    let separate = |pair: &[OsString]| (pair[0] == "--output" || ends_short_flags(&pair[0], "o")) && pair[1] == "json";
    let joined = |argument: &OsString| {
        argument == "--json"
            || argument == "--output=json"
            || ["ojson", "o=json"].iter().any(|end| ends_short_flags(argument, end))
    };
    let wants_json = arguments.windows(2).any(separate) || arguments.iter().any(joined);
    if command && wants_json { ErrorForm::Json } else { ErrorForm::Text }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Search the tree, in the language of `/`.
    Find(FindArguments),
    /// Show segments by ID, external ID or path.
    Get(GetArguments),
    /// Print the tree as text.
    Tree(TreeArguments),
    /// Export all or part of the tree (JSON, NDJSON, CSV, outline, HTML, SVG, Mermaid, DOT).
    Export(ExportArguments),
    /// List what is wrong with the data: orphans, loops, duplicates, odd names.
    Check(CheckArguments),
    /// Compare two files or tenants.
    Diff(DiffArguments),
    /// Show what a file of segments (CSV, JSON, NDJSON, outline) would change. Changes nothing.
    Plan(PlanArguments),
    /// Apply a file of segments, or a saved plan.
    Apply(ApplyArguments),
    /// Undo what a command has changed.
    Undo(UndoArguments),
    /// Show what was changed, run by run.
    History(HistoryArguments),
    /// Print a line per change until stopped.
    ///
    /// Shows old and new values for changes seen while it is running; for earlier changes (--since, --state), only the current state.
    Watch(WatchArguments),
    /// List the profiles of the config file.
    #[command(after_help = "Examples:\n  segtui profiles\n  segtui profiles -o json | jq -r '.profiles[].name'")]
    Profiles(ProfilesArguments),
    /// Show, check and edit the configuration.
    #[command(after_help = CONFIG_HELP)]
    Config(ConfigArguments),
    /// Check the setup: configuration, key, network, server, files, terminal.
    ///
    /// Nothing is changed. What is sent is one request without the key, for the certificate, then one page of segments and one
    /// part of the feed. The exit code is that of the first check that failed.
    #[command(
        after_help = "Examples:\n  segtui doctor --profile prod\n  segtui doctor --json > doctor.json   # for a ticket; it has no key"
    )]
    Doctor(DoctorArguments),
    /// Print a script for a shell to complete commands, flags, profiles and segments.
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(CompletionsArguments),
    /// Print the manual, as a man page.
    #[command(after_help = "Examples:\n  segtui man | man -l -\n  segtui man config show | man -l -\n  \
                            segtui man --dir ~/.local/share/man/man1")]
    Man(ManArguments),
    /// Run the demo server on its own, for curl or another segtui.
    #[command(after_help = SERVE_DEMO_HELP)]
    ServeDemo(ServeDemoArguments),
}

/// Connection settings: the tenant and how to reach its server.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tenant")]
pub(super) struct ConnectionArguments {
    /// Use the built-in demo tenant.
    #[arg(long, conflicts_with_all = ["profile", "base_url", "tenant", "api_key", "config"])]
    pub demo: bool,
    /// Profile to use from the config file.
    #[arg(long, value_name = "NAME", add = profiles())]
    profile: Option<String>,
    /// Config file to use [default: ~/.config/segtui/config.toml].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// API base URL (host alone is enough).
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Tenant name.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// API key. Other users can see it in the process list; prefer the environment or a profile.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    api_key: Option<SecretString>,
    /// File with CA certificates (PEM) to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Allow http to other machines (exposes the API key).
    #[arg(long)]
    insecure_http: bool,
    /// Never send writes.
    #[arg(long)]
    read_only: bool,
    /// Segments per page [default: 500].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    page_size: Option<u32>,
    /// Maximum concurrent requests [default: 6].
    #[arg(long, value_name = "N", value_parser = concurrency)]
    concurrency: Option<usize>,
}

impl ConnectionArguments {
    /// Returns the flags after a command's name, completed with those before it.
    ///
    /// # Errors
    ///
    /// Fails if `--demo` and another flag name different tenants: the parser checks the two sets separately.
    pub fn or(self, before: Self) -> Result<Self, Failure> {
        let both = self.filled_from(before);
        match both.tenant_flags().as_slice() {
            ["--demo", other, ..] => Err(Failure::usage(format_args!("--demo and {other} name different tenants"))
                .hint("leave out one of the two")),
            _ => Ok(both),
        }
    }

    fn filled_from(self, other: Self) -> Self {
        Self {
            demo: self.demo || other.demo,
            profile: self.profile.or(other.profile),
            config: self.config.or(other.config),
            base_url: self.base_url.or(other.base_url),
            tenant: self.tenant.or(other.tenant),
            api_key: self.api_key.or(other.api_key),
            ca_file: self.ca_file.or(other.ca_file),
            insecure_http: self.insecure_http || other.insecure_http,
            read_only: self.read_only || other.read_only,
            page_size: self.page_size.or(other.page_size),
            concurrency: self.concurrency.or(other.concurrency),
        }
    }

    /// Returns the given flags that name a tenant or are specific to one.
    pub fn tenant_flags(&self) -> Vec<&'static str> {
        let flags = [
            ("--demo", self.demo),
            ("--profile", self.profile.is_some()),
            ("--base-url", self.base_url.is_some()),
            ("--tenant", self.tenant.is_some()),
            ("--api-key", self.api_key.is_some()),
        ];
        flags.into_iter().filter_map(|(flag, is_given)| is_given.then_some(flag)).collect()
    }

    /// Whether the flags alone name a tenant.
    pub const fn names_a_tenant(&self) -> bool {
        self.demo || self.profile.is_some() || self.tenant.is_some()
    }

    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            profile: self.profile.clone(),
            base_url: self.base_url.clone(),
            tenant: self.tenant.clone(),
            api_key: self.api_key.clone(),
            ca_file: self.ca_file.clone(),
            insecure_http: self.insecure_http.then_some(InsecureHttp::Allowed),
            read_only: self.read_only,
            poll: None,
            page_size: self.page_size,
            concurrency: self.concurrency,
            theme: None,
            accessible: false,
        }
    }
}

/// Completes the name of a profile.
fn profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(completing::profiles)
}

/// Completes a file, or a tenant in place of one.
fn sources() -> ArgValueCompleter {
    ArgValueCompleter::new(completing::sources)
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn secret(text: &str) -> Result<SecretString, String> {
    Ok(text.to_owned().into())
}

fn concurrency(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=64).contains(number));
    number.ok_or_else(|| "must be between 1 and 64".into())
}

/// Parses a number of seconds, such as 3 or 0.5.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.2..=3_600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be between 0.2 and 3600 seconds".into())
}

/// Parses a theme name; `--help` lists the possible values.
fn theme() -> impl TypedValueParser<Value = Name> {
    PossibleValuesParser::new(Name::ALL.map(Name::text)).map(|text| Name::parse(&text).unwrap_or_default())
}

/// Display and polling options.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Screen")]
#[cfg_attr(debug_assertions, expect(clippy::struct_excessive_bools, reason = "each is a flag of its own"))]
pub(super) struct LookArguments {
    /// Polling interval in seconds [default: 1 to 30, shorter while things change].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub poll: Option<Duration>,
    /// Don't read or write the local cache; unsent changes are lost on quit.
    #[arg(long)]
    pub no_store: bool,
    /// Colour theme (`NO_COLOR` overrides) [default: dark].
    #[arg(long, value_name = "NAME", value_parser = theme())]
    pub theme: Option<Name>,
    /// For screen readers: words instead of lines and symbols, the cursor on the selected row.
    #[arg(long)]
    pub accessible: bool,
    /// Use ASCII symbols only.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Panic on the first key press, to test that the terminal is restored.
    #[cfg(debug_assertions)]
    #[arg(long, hide = true)]
    pub panic_on_key: bool,
}

/// What every command says on stderr, in which colours, and how long it may take.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct ReportArguments {
    /// Only errors on stderr: no notes, no progress.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More on stderr: what is loaded from where, and how long it takes.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Colours: only on a terminal without `NO_COLOR`, always, or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// No progress line. There is none without a terminal.
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Fail if it isn't done after this many seconds (exit code 7). Commands that run until stopped ignore it.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = timeout)]
    pub timeout: Option<Duration>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Returns an environment variable; `--color` overrides `NO_COLOR`.
    pub fn lookup(self, name: &str, environment: impl Fn(&str) -> Option<String>) -> Option<String> {
        match self {
            Self::Never if name == NO_COLOR => Some("1".into()),
            Self::Always if name == NO_COLOR => None,
            Self::Auto | Self::Always | Self::Never => environment(name),
        }
    }
}

const NO_COLOR: &str = "NO_COLOR";

/// Parses a number of seconds, such as 30 or 0.5.
fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be between 0.1 and 86400 seconds".into())
}

/// Logging options.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
#[expect(clippy::struct_field_names, reason = "as the flags are called")]
pub(super) struct LogArguments {
    /// Log file, `-` for stderr [default: segtui.log in the XDG state directory]. At 8 MiB it is renamed to segtui.log.1; three
    /// such files are kept.
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Log level.
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
    /// Format of the log.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for reading.
    Text,
    /// One JSON object per line.
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ServeDemoArguments {
    /// Port on the loopback address; 0 picks a free port.
    #[arg(long, short, default_value_t = 0)]
    pub port: u16,
    /// Start with the segments of a file written by `export` (JSON, NDJSON, CSV or outline, by its extension), `-` for JSON on stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "segments")]
    pub load: Option<PathBuf>,
    /// Generate N segments instead of the built-in wholesale tenant (about 300).
    #[arg(long, value_name = "N")]
    pub segments: Option<usize>,
    /// Delay every response, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// Simulated changes per second.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 0.0, value_parser = churn)]
    pub churn: f64,
    /// Fraction of requests that fail, from 0 to 1: rejected (429, 503), lost or cut short.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = share)]
    pub trouble: f64,
    /// Tenant name that clients must send.
    #[arg(long, default_value = "demo-wholesale")]
    pub tenant: String,
    /// API key that clients must send.
    #[arg(long, default_value = "demo-key:not-a-secret")]
    pub api_key: String,
    /// What deleting a segment does to its children.
    #[arg(long, value_name = "POLICY", default_value = "refuse")]
    pub children: Children,
    /// Maximum entries per page, whatever the request asks for.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub page_cap: usize,
    /// Wrap lists in an envelope with a total, as other parts of the platform do.
    #[arg(long)]
    pub envelope: bool,
    /// Random seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "must be between 0 and 1".into())
}

fn churn(text: &str) -> Result<f64, String> {
    let churn = text.parse().ok().filter(|churn| (0.0..=10_000.0).contains(churn));
    churn.ok_or_else(|| "must be between 0 and 10000".into())
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Children {
    /// Reject the deletion.
    Refuse,
    /// Delete them too.
    Cascade,
    /// Leave them with a parent that no longer exists.
    Orphan,
    /// Make them top-level segments.
    Uproot,
}

impl From<Children> for demo::DeletionPolicy {
    fn from(children: Children) -> Self {
        match children {
            Children::Refuse => Self::Refuse,
            Children::Cascade => Self::Cascade,
            Children::Orphan => Self::Orphan,
            Children::Uproot => Self::Uproot,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_clap_definition_is_valid() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn demo_excludes_other_tenant_flags() {
        assert!(Arguments::try_parse_from(["segtui", "--demo", "--tenant", "acme"]).is_err());
        assert!(Arguments::try_parse_from(["segtui", "--demo", "--poll", "0.5"]).is_ok());
        let apart = Arguments::try_parse_from(["segtui", "--tenant", "acme", "tree", "--demo"]).unwrap();
        let Some(Command::Tree(tree)) = apart.command else { unreachable!() };
        assert!(tree.connection.or(apart.connection).is_err());
    }

    #[test]
    fn tenant_flags_work_before_and_after_the_subcommand() {
        let before = Arguments::try_parse_from(["segtui", "--profile", "prod", "export"]).unwrap();
        let Some(Command::Export(export)) = before.command else { unreachable!() };
        assert_eq!(export.connection.or(before.connection).unwrap().profile.as_deref(), Some("prod"));
        let behind = Arguments::try_parse_from(["segtui", "tree", "--profile", "prod"]).unwrap();
        let Some(Command::Tree(tree)) = behind.command else { unreachable!() };
        assert_eq!(tree.connection.or(behind.connection).unwrap().profile.as_deref(), Some("prod"));
        for arguments in [["segtui", "--read-only", "tree"], ["segtui", "tree", "--read-only"]] {
            let arguments = Arguments::try_parse_from(arguments).unwrap();
            let Some(Command::Tree(tree)) = arguments.command else { unreachable!() };
            assert!(tree.connection.or(arguments.connection).unwrap().flags().read_only);
        }
    }

    /// Returns the commands in a text, each up to a pipe, a redirection or a comment.
    fn examples(text: &str) -> Vec<Vec<String>> {
        let lines = text.lines().filter(|line| line.trim_start().starts_with("segtui "));
        let command = |line: &str| {
            let words = shell_words::split(line).unwrap().into_iter();
            words.take_while(|word| !matches!(word.as_str(), "|" | ">" | ">>" | "#" | "&&")).collect()
        };
        lines.map(command).collect()
    }

    #[test]
    fn examples_in_help_and_docs_parse() {
        let pages = [include_str!("../../README.md"), include_str!("../../docs/commands.md")];
        let blocks = pages.into_iter().flat_map(|page| page.split("```"));
        let blocks = blocks.filter_map(|block| block.strip_prefix("sh\n"));
        let mut shown: Vec<Vec<String>> = blocks.flat_map(examples).collect();
        assert!(shown.len() > 10, "{shown:?}");
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let own = examples(&help);
            if matches!(command.get_name(), "find" | "get" | "tree" | "export") {
                assert!(own.iter().any(|words| words[1] == command.get_name()), "{help}");
            }
            shown.extend(own);
        }
        for words in shown {
            let parsed = Arguments::try_parse_from(&words);
            assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn color_overrides_no_color() {
        let environment = |name: &str| Some(format!("{name} of the environment"));
        let lookup = |color: Color, name: &str| color.lookup(name, environment);
        assert_eq!(lookup(Color::Always, "NO_COLOR"), None);
        assert_eq!(Color::Never.lookup("NO_COLOR", |_| None), Some("1".into()));
        assert_eq!(lookup(Color::Auto, "NO_COLOR").as_deref(), Some("NO_COLOR of the environment"));
        assert_eq!(lookup(Color::Never, "TERM").as_deref(), Some("TERM of the environment"));
    }

    #[test]
    fn errors_are_json_if_the_command_was_asked_for_json() {
        let form = |line: &str| error_form(std::iter::once("segtui").chain(line.split(' ')).map(Into::into));
        for line in [
            "find x -o json",
            "-q get x -ojson",
            "get x --output json",
            "get --output=json x",
            "find -qo json x",
            "find x -o=json",
        ] {
            assert_eq!(form(line), ErrorForm::Json, "{line}");
        }
        for line in ["find x", "find json", "export -o json", "find x -o ndjson", "find -o csv json", "tree --ids"] {
            assert_eq!(form(line), ErrorForm::Text, "{line}");
        }
    }

    #[test]
    fn the_api_key_is_not_in_debug_output() {
        let arguments = Arguments::try_parse_from(["segtui", "--api-key", "hunter2"]).unwrap();
        assert!(!format!("{arguments:?}").contains("hunter2"));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for arguments in [["--poll", "0.1"], ["--page-size", "0"], ["--concurrency", "65"], ["--log-level", "loud"]] {
            assert!(Arguments::try_parse_from(["segtui"].into_iter().chain(arguments)).is_err(), "{arguments:?}");
        }
    }
}
