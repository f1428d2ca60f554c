//! What can be written on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

use crate::config::Flags;
use crate::demo;
use crate::remote::InsecureHttp;
use crate::theme::Name;

/// A terminal browser and editor for the customer segment tree of the ONe B2B commerce platform.
///
/// Without a subcommand it opens the tree; with nothing configured it asks for server, tenant and key first. Try it without a server of your own: segtui --demo
#[derive(Debug, Parser)]
#[command(name = "segtui", version, max_term_width = 100, args_conflicts_with_subcommands = false)]
#[command(after_help = "Configuration: flags go over SEGTUI_BASE_URL, SEGTUI_TENANT, SEGTUI_API_KEY, SEGTUI_PROFILE, \
                        SEGTUI_THEME and SEGTUI_CONFIG, and those over ~/.config/segtui/config.toml, which has \
                        profiles, a theme and `[keys]`. To read only, one \
                        of --read-only, SEGTUI_READ_ONLY=1 and `read_only = true` in the profile is enough.\n\
                        Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub connection: ConnectionArguments,
    #[command(flatten)]
    pub look: LookArguments,
    #[command(flatten)]
    pub log: LogArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Load everything and write it, or a part of it, in the order of the tree: as data, as a picture or as a page.
    Export(ExportArguments),
    /// Print the tree for reading.
    Tree(TreeArguments),
    /// Follow the tenant and print a line for each change, until stopped.
    Watch(WatchArguments),
    /// Run the demo server by itself, for curl or for another segtui.
    ServeDemo(ServeDemoArguments),
}

/// Which tenant, and how to talk to its server.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tenant")]
pub(super) struct ConnectionArguments {
    /// Work on a demo tenant that is served from inside the program.
    #[arg(long, conflicts_with_all = ["profile", "base_url", "tenant", "api_key", "config"])]
    pub demo: bool,
    /// The profile of the configuration file to use.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The configuration file, instead of the usual one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the API lives, with or without its path.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The tenant.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The API key. Others on this machine can see it in the list of processes: the environment or a profile hides it.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    api_key: Option<SecretString>,
    /// Allow http to a host that is not this machine, where the key can be read on the way.
    #[arg(long)]
    insecure_http: bool,
    /// Change nothing on the server, whatever is asked for: no write ever leaves.
    #[arg(long)]
    read_only: bool,
    /// Segments asked for in one page [default: 500].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    page_size: Option<u32>,
    /// Requests in flight at once [default: 6].
    #[arg(long, value_name = "N", value_parser = concurrency)]
    concurrency: Option<usize>,
}

impl ConnectionArguments {
    /// What was given here, else what was given there.
    pub fn or(self, other: Self) -> Self {
        Self {
            demo: self.demo || other.demo,
            profile: self.profile.or(other.profile),
            config: self.config.or(other.config),
            base_url: self.base_url.or(other.base_url),
            tenant: self.tenant.or(other.tenant),
            api_key: self.api_key.or(other.api_key),
            insecure_http: self.insecure_http || other.insecure_http,
            read_only: self.read_only || other.read_only,
            page_size: self.page_size.or(other.page_size),
            concurrency: self.concurrency.or(other.concurrency),
        }
    }

    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            profile: self.profile.clone(),
            base_url: self.base_url.clone(),
            tenant: self.tenant.clone(),
            api_key: self.api_key.clone(),
            insecure_http: self.insecure_http.then_some(InsecureHttp::Allowed),
            read_only: self.read_only,
            poll: None,
            page_size: self.page_size,
            concurrency: self.concurrency,
            theme: None,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn secret(text: &str) -> Result<SecretString, String> {
    Ok(text.to_owned().into())
}

fn concurrency(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=64).contains(number));
    number.ok_or_else(|| "must be between 1 and 64".into())
}

/// Seconds, such as 3 or 0.5.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.2..=3_600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be between 0.2 and 3600 seconds".into())
}

/// Told by name, so that the help lists them.
fn theme() -> impl TypedValueParser<Value = Name> {
    PossibleValuesParser::new(Name::ALL.map(Name::text)).map(|text| Name::parse(&text).unwrap_or_default())
}

/// How the tree is shown and followed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Screen")]
pub(super) struct LookArguments {
    /// The pause between two looks for changes, in seconds [default: 1 to 30, shorter while things change].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub poll: Option<Duration>,
    /// Keep nothing from one run to the next, and begin with nothing.
    #[arg(long)]
    pub no_store: bool,
    /// The colours, unless `NO_COLOR` wants none [default: dark].
    #[arg(long, value_name = "NAME", value_parser = theme())]
    pub theme: Option<Name>,
    /// Use plain characters only, for fonts without symbols.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Panic at the first key, to see that the terminal is given back.
    #[cfg(debug_assertions)]
    #[arg(long, hide = true)]
    pub panic_on_key: bool,
}

/// Where the log goes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub(super) struct LogArguments {
    /// The file to log into, instead of segtui.log in the XDG state folder.
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// How much to log.
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
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
pub(super) struct ExportArguments {
    /// The form to write.
    #[arg(long, value_name = "FORM", default_value = "json")]
    pub format: ExportFormat,
    /// Write only this segment and what is below it. An id is looked for before an external id.
    #[arg(long, value_name = "ID")]
    pub root: Option<String>,
    /// The file to write, instead of stdout, which `-` stands for. It is replaced only when everything is there; a new one is
    /// readable for you only. A pipe or a device is written to.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ExportFormat {
    /// An array of segments with all four fields.
    Json,
    /// A flowchart for Markdown.
    Mermaid,
    /// A graph for Graphviz.
    Dot,
    /// A picture of the tree.
    Svg,
    /// A page to fold and search, for any browser and for paper.
    Html,
}

#[derive(Debug, Clone, Args)]
pub(super) struct TreeArguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// What it was before is told for what changes while this runs; for what changed earlier (--since), only what it is now.
#[derive(Debug, Clone, Args)]
pub(super) struct WatchArguments {
    /// The step of the feed to begin at, as an earlier run told it, instead of now.
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(i64).range(1..))]
    pub since: Option<i64>,
    /// The form of a line.
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub format: WatchFormat,
    /// Run this in a shell for each change, one after the other, with the change as a line of JSON on its stdin. What it writes to
    /// stdout goes to stderr; it sees no key; and when it fails, it is run again, three times in all.
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,
    /// The pause between two looks for changes, in seconds [default: 1 to 30, shorter while things change].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub poll: Option<Duration>,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum WatchFormat {
    /// For reading.
    Text,
    /// A JSON object a line.
    Ndjson,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ServeDemoArguments {
    /// The port on the loopback address; 0 lets the system pick one.
    #[arg(long, short, default_value_t = 0)]
    pub port: u16,
    /// Begin with the segments of a file that `export` has written as JSON.
    #[arg(long, value_name = "FILE", conflicts_with = "segments")]
    pub load: Option<PathBuf>,
    /// Make up so many segments, instead of the wholesale tenant of some 300.
    #[arg(long, value_name = "N")]
    pub segments: Option<usize>,
    /// Hold every answer back for so many milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// Let a simulated colleague change something so many times a second.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 0.0, value_parser = churn)]
    pub churn: f64,
    /// Let this share of the requests, from 0 to 1, meet trouble: refused for now, lost, or cut short.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub trouble: f64,
    /// The tenant that clients have to name.
    #[arg(long, default_value = "demo-wholesale")]
    pub tenant: String,
    /// The key that clients have to send.
    #[arg(long, default_value = "demo-key:not-a-secret")]
    pub api_key: String,
    /// What becomes of the children of a segment that is deleted.
    #[arg(long, value_name = "POLICY", default_value = "refuse")]
    pub children: Children,
    /// The most entries of a page, whatever is asked for.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub page_cap: usize,
    /// Write lists in an envelope with a total, as other parts of the platform do.
    #[arg(long)]
    pub envelope: bool,
    /// For everything that is left to chance.
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
    /// The delete is refused.
    Refuse,
    /// They are deleted too.
    Cascade,
    /// They go on naming the parent that is gone.
    Orphan,
    /// They become roots.
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
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_demo_and_a_tenant_of_ones_own_exclude_each_other() {
        assert!(Arguments::try_parse_from(["segtui", "--demo", "--tenant", "acme"]).is_err());
        assert!(Arguments::try_parse_from(["segtui", "--demo", "--poll", "0.5"]).is_ok());
    }

    #[test]
    fn flags_of_the_tenant_may_stand_before_and_behind_the_subcommand() {
        let before = Arguments::try_parse_from(["segtui", "--profile", "prod", "export"]).unwrap();
        let Some(Command::Export(export)) = before.command else { unreachable!() };
        assert_eq!(export.connection.or(before.connection).profile.as_deref(), Some("prod"));
        let behind = Arguments::try_parse_from(["segtui", "tree", "--profile", "prod"]).unwrap();
        let Some(Command::Tree(tree)) = behind.command else { unreachable!() };
        assert_eq!(tree.connection.or(behind.connection).profile.as_deref(), Some("prod"));
        for arguments in [["segtui", "--read-only", "tree"], ["segtui", "tree", "--read-only"]] {
            let arguments = Arguments::try_parse_from(arguments).unwrap();
            let Some(Command::Tree(tree)) = arguments.command else { unreachable!() };
            assert!(tree.connection.or(arguments.connection).flags().read_only);
        }
    }

    #[test]
    fn the_key_is_in_no_debug_text() {
        let arguments = Arguments::try_parse_from(["segtui", "--api-key", "hunter2"]).unwrap();
        assert!(!format!("{arguments:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        for arguments in [["--poll", "0.1"], ["--page-size", "0"], ["--concurrency", "65"], ["--log-level", "loud"]] {
            assert!(Arguments::try_parse_from(["segtui"].into_iter().chain(arguments)).is_err(), "{arguments:?}");
        }
    }
}
