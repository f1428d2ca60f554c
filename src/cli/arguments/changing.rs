//! Arguments of the commands that plan and change: `plan`, `apply`, `undo` and `history`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::forest::{Query, Reference};
use crate::formats::csv::Delimiter;
use crate::formats::rows::{ColumnNames, Encoding};
use crate::planning::{Key, Limit};

use super::super::completing;
use super::reading::{QUERY_HELP, REFERENCE_HELP, query, reference, segments};
use super::{ConnectionArguments, profiles, sources};

const SOURCE_HELP: &str = "\
Files (SRC):
  CSV               columns by heading, in any order: id, name, externalId, parentId, parentExternalId, path.
                    A column that isn't there leaves the field alone; an empty cell clears it.
  JSON, NDJSON      objects with the same keys, or those of the API: id, name, externalId, parentSegmentId
  outline           indented text: name  [external ID]  {ID}
Every fault of a file is reported with its line, and a file with a fault plans nothing.";

const SAFETY_HELP: &str = "\
Nothing is deleted without --prune, and --prune needs --root, --match or --all. A plan is refused (exit code 6) if it deletes more
than 10 segments and more than 10 %, updates more than 30 % of 50 or more, moves more than 10 % of the tree, or if the file is
empty or has less than half of what it speaks for; --max-deletes and --max-changes set other limits.";

/// Where the wished segments come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "File")]
pub(in crate::cli) struct SourceArguments {
    /// File to read, `-` for stdin, or `profile:NAME` for the tenant of another profile.
    #[arg(value_name = "SRC", add = sources())]
    pub source: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// Profile whose tenant is compared and changed, whatever the environment says of another one. Instead of --demo, --profile,
    /// --base-url, --tenant and --api-key.
    #[arg(long, value_name = "PROFILE", help_heading = "Tenant", add = profiles())]
    pub to: Option<String>,
    /// Accept external IDs that look damaged by a spreadsheet (missing zeros, 1,23E+05).
    #[arg(long)]
    pub ids_as_written: bool,
}

impl SourceArguments {
    /// Whether the source is a file and not a tenant.
    pub fn is_file(&self) -> bool {
        let text = self.source.to_str().unwrap_or_default();
        !["profile:", "store:"].iter().any(|kind| text.starts_with(kind))
    }
}

/// How a file is read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "File")]
pub(in crate::cli) struct ReadingArguments {
    /// Format of the file [default: by its extension: .csv .tsv .json .ndjson .jsonl .outline].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<SourceFormat>,
    /// Headings of the columns, such as name=NAZWA,ext=KOD,parent-ext=KOD_NADRZEDNY. Other columns are then ignored. `columns` in the
    /// profile does the same.
    #[arg(long, value_name = "COLUMN=HEADING,…", value_parser = columns)]
    pub columns: Option<ColumnNames>,
    /// Encoding, if there is no byte order mark and it isn't UTF-8: windows-1250, iso-8859-2, utf-16.
    #[arg(long, value_name = "NAME", value_parser = encoding, add = ArgValueCandidates::new(completing::encodings))]
    pub encoding: Option<Encoding>,
    /// Delimiter of CSV: `;`, `,` or tab [default: by `sep=` or the heading].
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub delimiter: Option<Delimiter>,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SourceFormat {
    /// A table with a heading.
    Csv,
    /// An array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Indented text.
    Outline,
}

/// How rows are matched to segments, what they speak for, and how much may change.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Matching and scope")]
pub(in crate::cli) struct MatchingArguments {
    /// How a row names its segment: id, ext or path [default: id if the file has IDs, else ext].
    #[arg(long, value_name = "KEY", value_parser = key, add = ArgValueCandidates::new(completing::keys))]
    pub key: Option<Key>,
    /// The file speaks for this segment and its descendants.
    #[arg(long, value_name = "REF", value_parser = reference, add = segments())]
    pub root: Option<Reference>,
    /// The file speaks for the segments that match.
    #[arg(long, value_name = "QUERY", value_parser = scope_query, conflicts_with = "root")]
    pub r#match: Option<ScopeQuery>,
    /// The file speaks for all segments.
    #[arg(long, conflicts_with_all = ["root", "match"])]
    pub all: bool,
    /// Delete segments of the scope that aren't in the file.
    #[arg(long)]
    pub prune: bool,
    /// The segment OLD (REF) is the row NEW (its ID, external ID or name, or line=N). Repeatable.
    #[arg(long, value_name = "OLD=NEW")]
    pub renamed: Vec<String>,
    /// Create the row although this segment looks like it, or is gone. Repeatable.
    #[arg(long, value_name = "REF", value_parser = reference, add = segments())]
    pub recreate: Vec<Reference>,
    /// Deletions allowed: a number, or a share of the scope such as 20%.
    #[arg(long, value_name = "N|N%", value_parser = limit)]
    pub max_deletes: Option<Limit>,
    /// Updates and moves allowed: a number, or a share of the scope.
    #[arg(long, value_name = "N|N%", value_parser = limit)]
    pub max_changes: Option<Limit>,
}

impl MatchingArguments {
    /// Returns the first of these flags that was given. A saved plan takes none of them.
    pub fn first_flag(&self) -> Option<&'static str> {
        let flags = [
            (self.key.is_some(), "--key"),
            (self.root.is_some(), "--root"),
            (self.r#match.is_some(), "--match"),
            (self.all, "--all"),
            (self.prune, "--prune"),
            (!self.renamed.is_empty(), "--renamed"),
            (!self.recreate.is_empty(), "--recreate"),
            (self.max_deletes.is_some(), "--max-deletes"),
            (self.max_changes.is_some(), "--max-changes"),
        ];
        flags.into_iter().find_map(|(given, flag)| given.then_some(flag))
    }
}

/// A query with its text.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ScopeQuery {
    pub text: String,
    pub query: Query,
}

fn scope_query(text: &str) -> Result<ScopeQuery, String> {
    Ok(ScopeQuery { text: text.to_owned(), query: query(text)? })
}

fn columns(text: &str) -> Result<ColumnNames, String> {
    ColumnNames::parse(text)
}

fn encoding(text: &str) -> Result<Encoding, String> {
    let names = || Encoding::ALL.map(Encoding::text).join(", ");
    Encoding::parse(text).ok_or_else(|| format!("expected one of {}", names()))
}

fn delimiter(text: &str) -> Result<Delimiter, String> {
    Delimiter::parse(text).ok_or_else(|| "expected `;`, `,` or `tab`".into())
}

pub(super) fn key(text: &str) -> Result<Key, String> {
    match text {
        "id" => Ok(Key::Id),
        "ext" => Ok(Key::ExternalId),
        "path" => Ok(Key::Path),
        _ => Err("expected id, ext or path".into()),
    }
}

fn limit(text: &str) -> Result<Limit, String> {
    Limit::parse(text).ok_or_else(|| "expected a number such as 25, or a share such as 10%".into())
}

/// Text for reading, or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TextOrJson {
    /// For reading.
    Text,
    /// One JSON object.
    Json,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = after_plan())]
pub(in crate::cli) struct PlanArguments {
    #[command(flatten)]
    pub source: SourceArguments,
    #[command(flatten)]
    pub matching: MatchingArguments,
    /// Save the plan, to be applied as it is or not at all.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "text", help_heading = "Output")]
    pub output: TextOrJson,
    /// End with 3 if there is anything to do.
    #[arg(long, help_heading = "Output")]
    pub exit_code: bool,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_plan() -> String {
    format!(
        "Examples:\n  \
         segtui plan groups.csv                                      # what the file would change\n  \
         segtui plan groups.csv --columns name=NAZWA,ext=KOD,parent-ext=NADRZEDNY --encoding windows-1250\n  \
         segtui plan groups.csv --root ext=ERP --prune               # and what it would delete below ERP\n  \
         segtui plan groups.csv --out plan.json && segtui apply plan.json\n  \
         segtui plan tree.json -o json --exit-code | jq .sums        # 3 if there is anything to do\n\n\
         {SOURCE_HELP}\n\n{SAFETY_HELP}\n\n{REFERENCE_HELP}\n\n{QUERY_HELP}"
    )
}

/// How a change is confirmed, and what is written about it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sending")]
pub(in crate::cli) struct SendingArguments {
    /// Don't ask. Without a terminal, nothing is sent without it.
    #[arg(long)]
    pub yes: bool,
    /// The tenant, spelt out: a protected profile needs it with --yes.
    #[arg(long, value_name = "TENANT")]
    pub approve: Option<String>,
    /// Begin no more after the first change that isn't applied.
    #[arg(long)]
    pub stop_on_error: bool,
    /// Write what became of each change, as a line of JSON as soon as it is known, at the end of FILE if that is there.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = after_apply())]
pub(in crate::cli) struct ApplyArguments {
    #[command(flatten)]
    pub source: SourceArguments,
    #[command(flatten)]
    pub matching: MatchingArguments,
    #[command(flatten)]
    pub sending: SendingArguments,
    /// Write the rows that weren't applied, in the form of the file, to be corrected and applied again.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub rejects: Option<PathBuf>,
    /// Write the external ID and the ID of each row's segment as CSV.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub id_map: Option<PathBuf>,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "text", help_heading = "Output")]
    pub output: TextOrJson,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_apply() -> String {
    format!(
        "Examples:\n  \
         segtui apply groups.csv                                     # shows the plan and asks\n  \
         segtui apply groups.csv --yes --report report.ndjson --rejects left.csv --id-map ids.csv\n  \
         segtui apply groups.csv --root ext=ERP --prune --yes\n  \
         segtui apply plan.json --yes                                # a plan saved by `segtui plan --out`\n  \
         segtui apply groups.csv --profile prod --yes --approve acme # a protected profile\n\n\
         A second run does nothing. An apply that was stopped or killed is continued by running it again. Ctrl-c once waits for what \
         was sent, twice doesn't. Undo it with `segtui undo`.\n\n\
         {SOURCE_HELP}\n\n{SAFETY_HELP}\n\n{REFERENCE_HELP}"
    )
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  segtui undo                    # what the last command changed
  segtui undo --last 3           # the last three, the latest first
  segtui undo --run 1764150000123 --yes

An undo that was stopped or killed, or that met a conflict, is continued by running it again. `segtui history` then calls the run
partly undone.

Only what the command changed itself is undone; what someone else has changed since is a conflict. A deleted segment comes back with a
new ID. `segtui history` lists the runs.")]
pub(in crate::cli) struct UndoArguments {
    /// The run to undo, as `segtui history` lists it.
    #[arg(long, value_name = "ID", conflicts_with = "last")]
    pub run: Option<u64>,
    /// Undo the last N runs that weren't undone.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub last: u32,
    #[command(flatten)]
    pub sending: SendingArguments,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "text", help_heading = "Output")]
    pub output: TextOrJson,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = after_history())]
pub(in crate::cli) struct HistoryArguments {
    /// Show only changes of this segment.
    #[arg(value_name = "REF", value_parser = reference, add = segments())]
    pub reference: Option<Reference>,
    /// Show only changes since a time: 2026-11-24, 2026-11-24T08:00Z, or 90m, 12h, 7d ago.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Timestamp>,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: HistoryForm,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_history() -> String {
    format!(
        "Examples:\n  \
         segtui history                        # the runs, newest first\n  \
         segtui history PL-10 --since 7d       # what was done to one segment\n  \
         segtui history -o ndjson | jq -r 'select(.op == \"delete\") | .before.name'\n\n\
         It has what segtui changed from this account, with commands and in the interface, not what others changed.\n\n\
         {REFERENCE_HELP}"
    )
}

/// A form for what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum HistoryForm {
    /// For reading.
    Text,
    /// One JSON object.
    Json,
    /// One JSON object per change and line.
    Ndjson,
}

/// Parses a time, or how long ago it was.
fn since(text: &str) -> Result<Timestamp, String> {
    let expected = || "expected a date, a time such as 2026-11-24T08:00Z, or 90m, 12h or 7d".to_owned();
    let now = clock::now();
    let ago = ["m", "h", "d"].into_iter().zip([1, 60, 24 * 60]).find_map(|(unit, minutes)| {
        let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| (0..=1_000_000).contains(count))?;
        now.checked_sub(SignedDuration::from_mins(count.checked_mul(minutes)?)).ok()
    });
    let date = || text.parse::<Date>().ok()?.to_zoned_datetime(TimeZone::system()).ok().map(|zoned| zoned.timestamp());
    ago.or_else(|| text.parse().ok()).or_else(date).ok_or_else(expected)
}
