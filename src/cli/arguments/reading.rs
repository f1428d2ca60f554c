//! Arguments of the commands that read: `find`, `get`, `tree` and `export`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::forest::{Query, Reference};

use super::super::completing;
use super::ConnectionArguments;

pub(super) const REFERENCE_HELP: &str = "\
How to name a segment (REF):
  id=4711           by ID
  ext=PL-10         by external ID
  /Polska/Łódzkie   by path: the names from the top; write `//` for a slash in a name
  PL-10             by ID, or else by external ID
`id:` and `ext:` work too. A reference that fits no segment, or several, is an error.";

pub(super) const QUERY_HELP: &str = "\
How to search (QUERY), as with / in the tree:
  vip polska        both words in the name or external ID; letters may be left out,
                    so `vp` finds VIP
  '\"vip polska\"'    this text as it is, for scripts that must not find more than they mean
  name: ext: id:    only in that field: 'ext:\"PL-\"'
  path:             in the name of the segment or of one above it: path:polska
  is:               orphan, leaf, duplicate
  !                 not: '!is:leaf'
Upper case matters only in words that have some; accents don't matter.";

fn depth(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|depth| *depth > 0).ok_or_else(|| "must be a number from 1".into())
}

pub(super) fn reference(text: &str) -> Result<Reference, String> {
    Reference::parse(text).map_err(|fault| fault.to_string())
}

/// Completes a REF.
pub(super) fn segments() -> ArgValueCompleter {
    ArgValueCompleter::new(completing::segments)
}

pub(super) fn query(text: &str) -> Result<Query, String> {
    Query::parse_strict(text).map_err(|fault| fault.to_string())
}

#[derive(Debug, Clone, Args)]
#[command(after_help = after_find())]
pub(in crate::cli) struct FindArguments {
    /// What to search for. Several words must all match.
    #[arg(value_name = "QUERY", required = true)]
    pub words: Vec<String>,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: FindForm,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_find() -> String {
    format!(
        "Examples:\n  \
         segtui find vip                        # a table of all matches\n  \
         segtui find -o ids is:leaf path:polska # their IDs, one a line\n  \
         segtui find -o tree 'ext:\"PL-\"'        # with what they are in\n  \
         segtui find -o json is:duplicate | jq -r '.segments[].externalId'\n\n\
         {QUERY_HELP}\n\n\
         Nothing found is not an error."
    )
}

/// A form for a list of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FindForm {
    /// Columns for reading.
    Table,
    /// The matches in the tree.
    Tree,
    /// One JSON object with all of them.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a heading.
    Csv,
    /// IDs, one per line.
    Ids,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = after_get())]
pub(in crate::cli) struct GetArguments {
    /// Segments to show.
    #[arg(value_name = "REF", required = true, value_parser = reference, add = segments())]
    pub references: Vec<Reference>,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: GetForm,
    /// Also show all descendants.
    #[arg(long)]
    pub below: bool,
    /// Also show all ancestors.
    #[arg(long)]
    pub above: bool,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_get() -> String {
    format!(
        "Examples:\n  \
         segtui get PL-10\n  \
         segtui get id=4711 ext=VIP -o json\n  \
         segtui get /Polska/Łódzkie --below -o csv\n  \
         segtui get PL-10 --above                # the path to it, from the top\n\n\
         {REFERENCE_HELP}\n\n\
         If one of them can't be resolved, nothing is shown."
    )
}

/// A form for segments that were named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GetForm {
    /// Columns for reading.
    Table,
    /// One JSON object with all of them.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a heading.
    Csv,
}

impl From<GetForm> for FindForm {
    fn from(form: GetForm) -> Self {
        match form {
            GetForm::Table => Self::Table,
            GetForm::Json => Self::Json,
            GetForm::Ndjson => Self::Ndjson,
            GetForm::Csv => Self::Csv,
        }
    }
}

#[derive(Debug, Clone, Args)]
#[command(after_help = after_tree())]
pub(in crate::cli) struct TreeArguments {
    /// Show only this segment and its descendants.
    #[arg(value_name = "REF", value_parser = reference, add = segments())]
    pub root: Option<Reference>,
    /// Show at most N levels, and how many segments are deeper.
    #[arg(long, value_name = "N", value_parser = depth)]
    pub depth: Option<usize>,
    /// Show IDs.
    #[arg(long)]
    pub ids: bool,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_tree() -> String {
    format!(
        "Examples:\n  \
         segtui tree | less\n  \
         segtui tree --depth 2\n  \
         segtui tree /Polska --ids\n\n\
         {REFERENCE_HELP}"
    )
}

#[derive(Debug, Clone, Args)]
#[command(after_help = after_export())]
pub(in crate::cli) struct ExportArguments {
    /// Output format [default: by the extension of --output: .json .ndjson .jsonl .csv .outline .html .svg .mmd .dot; else json].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<ExportFormat>,
    /// With --format csv: write for spreadsheets: byte order mark, semicolons, CRLF, and an apostrophe before cells that a
    /// spreadsheet would change. Implies --format csv.
    #[arg(long)]
    pub excel: bool,
    /// Export only this segment and its descendants.
    #[arg(long, value_name = "REF", value_parser = reference, add = segments())]
    pub root: Option<Reference>,
    /// Export only the segments that match. Formats that show a tree include their ancestors.
    #[arg(long, value_name = "QUERY", value_parser = query, conflicts_with = "root")]
    pub r#match: Option<Query>,
    /// Output file, `-` for stdout [default: stdout]. Replaced only when all of it is written, keeping its permissions and
    /// following links; a new file is readable only by you. Pipes and devices are written to directly.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

fn after_export() -> String {
    format!(
        "Examples:\n  \
         segtui export -o segments.json\n  \
         segtui export --format csv --root /Polska\n  \
         segtui export --excel -o segments.csv            # to open in a spreadsheet\n  \
         segtui export --format html --match 'vip !is:leaf' -o vip.html\n  \
         segtui export --format ndjson | jq -r .path\n\n\
         {REFERENCE_HELP}\n\n\
         {QUERY_HELP}\n\n\
         If the list of segments is incomplete, what was loaded is written, stderr says what is wrong, and the exit code is 8."
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// Array of segments with all four fields.
    Json,
    /// One JSON object per line, with parent external ID and path.
    Ndjson,
    /// Comma-separated values with a heading.
    Csv,
    /// Indented text: name  [external ID]  {ID}.
    Outline,
    /// Collapsible, searchable, printable page.
    Html,
    /// Picture of the tree.
    Svg,
    /// Flowchart for Markdown.
    Mermaid,
    /// Graph for Graphviz.
    Dot,
}

impl ExportFormat {
    /// Returns the format that a file's extension stands for.
    fn of_file(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_string_lossy().to_lowercase();
        Some(match extension.as_str() {
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "csv" => Self::Csv,
            "outline" => Self::Outline,
            "mmd" => Self::Mermaid,
            "dot" | "gv" => Self::Dot,
            "svg" => Self::Svg,
            "html" | "htm" => Self::Html,
            _ => return None,
        })
    }
}

impl ExportArguments {
    /// Returns the format to write, or `None` if `--excel` contradicts `--format`.
    pub fn effective_format(&self) -> Option<ExportFormat> {
        match self.format {
            None | Some(ExportFormat::Csv) if self.excel => Some(ExportFormat::Csv),
            _ if self.excel => None,
            Some(format) => Some(format),
            None => Some(self.output.as_deref().and_then(ExportFormat::of_file).unwrap_or(ExportFormat::Json)),
        }
    }
}
