//! Arguments of the commands that plan and change: `plan`, `apply`, `undo` and `history`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::forest::{Query, Reference};
use crate::formats::csv::Delimiter;
use crate::formats::rows::{ColumnNames, Encoding};
use crate::planning::{Key, Limit};

use super::ConnectionArguments;
use super::reading::{QUERY_HELP, REFERENCE_HELP, query, reference};

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
    #[arg(value_name = "SRC")]
    pub source: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// Accept external IDs that look damaged by a spreadsheet (missing zeros, 1,23E+05).
    #[arg(long)]
    pub ids_as_written: bool,
}

/// How a file is read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "File")]
pub(in crate::cli) struct ReadingArguments {
    /// Format of the file [default: by its extension: .csv .tsv .json .ndjson .jsonl .outline].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<SourceFormat>,
    /// Headings of the columns, such as name=NAZWA,ext=KOD,parent-ext=KOD_NADRZEDNY. Other columns are then ignored.
    #[arg(long, value_name = "COLUMN=HEADING,…", value_parser = columns)]
    pub columns: Option<ColumnNames>,
    /// Encoding, if there is no byte order mark and it isn't UTF-8: windows-1250, iso-8859-2, utf-16.
    #[arg(long, value_name = "NAME", value_parser = encoding)]
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
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub key: Option<Key>,
    /// The file speaks for this segment and its descendants.
    #[arg(long, value_name = "REF", value_parser = reference)]
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
    #[arg(long, value_name = "REF", value_parser = reference)]
    pub recreate: Vec<Reference>,
    /// Deletions allowed: a number, or a share of the scope such as 20%.
    #[arg(long, value_name = "N|N%", value_parser = limit)]
    pub max_deletes: Option<Limit>,
    /// Updates and moves allowed: a number, or a share of the scope.
    #[arg(long, value_name = "N|N%", value_parser = limit)]
    pub max_changes: Option<Limit>,
}

impl MatchingArguments {
    /// The first flag that was given, for a plan that was made before and takes none.
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

/// A query, and how it was written.
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

fn key(text: &str) -> Result<Key, String> {
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
