//! Arguments of `watch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::{ConnectionArguments, seconds};

#[derive(Debug, Clone, Args)]
#[command(after_help = after_watch())]
pub(in crate::cli) struct WatchArguments {
    /// Resume from this feed step [default: now].
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(i64).range(1..), conflicts_with = "state")]
    pub since: Option<i64>,
    /// Keep the position in this file: resume from it, and move it on after each change is dealt with. A new file begins now.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Line format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: WatchFormat,
    /// Run a shell command for each change, one at a time, with the change as a line of JSON on stdin. Its stdout goes to stderr,
    /// and it doesn't see the API key.
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString, conflicts_with = "post")]
    pub exec: Option<String>,
    /// Post each change as JSON to this address, one at a time and in order. Signed if there is a secret, in
    /// `SEGTUI_POST_SECRET` or --post-secret-file.
    #[arg(long, value_name = "URL")]
    pub post: Option<String>,
    /// File whose first line is the secret that posts are signed with.
    #[arg(long, value_name = "FILE", requires = "post")]
    pub post_secret_file: Option<PathBuf>,
    /// How long a command or a post may take; then it has failed, and a command is ended with all that it started.
    #[arg(long, value_name = "SECONDS", value_parser = hook_seconds, default_value = "60")]
    pub hook_timeout: Duration,
    /// What to do if a command or a post fails [default: skip with --exec, retry with --post].
    #[arg(long, value_name = "WHAT")]
    pub on_error: Option<OnError>,
    /// Polling interval in seconds [default: 1 to 30, shorter while things change].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub poll: Option<Duration>,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_watch() -> &'static str {
    "Examples:\n  \
     segtui watch --format ndjson | jq -r .id\n  \
     segtui watch --state erp.state --exec ./to-erp.sh --on-error retry\n  \
     SEGTUI_POST_SECRET=… segtui watch --state hook.state --post https://erp.example/segments\n\n\
     With --state, no change is lost, whatever ends the program: a change counts as dealt with only after its command or post\n\
     succeeded, so after a crash the last ones may come again. Without it, a signal prints the step to resume from.\n\n\
     A post has the header `segtui-signature: t=TIME,v1=HEX`, where HEX is HMAC-SHA256 of `TIME.BODY` with the secret."
}

/// What to do if a hook fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OnError {
    /// Try the same change again, with growing pauses up to a minute, for as long as it takes.
    Retry,
    /// Try it three times, write the change to stderr, and go on.
    Skip,
    /// Try it three times, and end with exit code 1 before that change.
    Stop,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum WatchFormat {
    /// Human-readable text.
    Text,
    /// One JSON object per line.
    Ndjson,
}

/// Parses a number of seconds that a hook may take.
fn hook_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be between 0.1 and 86400 seconds".into())
}
