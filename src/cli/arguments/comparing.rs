//! Arguments of `diff`.

use std::path::PathBuf;

use clap::Args;

use crate::planning::Key;

use super::changing::key;
use super::{ConnectionArguments, ReadingArguments, TextOrJson, sources};

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct DiffArguments {
    /// The first: a file, `-` for stdin, `profile:NAME` for a tenant as it is, `store:NAME` as the interface has last seen it.
    #[arg(value_name = "A", add = sources())]
    pub from: PathBuf,
    /// The second, named in the same ways.
    #[arg(value_name = "B", add = sources())]
    pub to: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// How a row of B names its segment in A: id, ext or path [default: id if they have the same IDs, else ext].
    #[arg(long, value_name = "KEY", value_parser = key, help_heading = "Matching")]
    pub key: Option<Key>,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "text", help_heading = "Output")]
    pub output: TextOrJson,
    /// Exit with code 3 if there are differences.
    #[arg(long, help_heading = "Output")]
    pub exit_code: bool,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

const AFTER_HELP: &str = "\
Examples:
  segtui diff profile:preprod profile:prod             # two tenants, by external ID
  segtui diff store:prod profile:prod                  # what has changed since the tree was last open
  segtui diff old.csv new.csv --exit-code              # two files
  segtui diff profile:prod groups.csv -o json | jq -r '.differences[].path'

Shows what would have to be done to A to make it like B: `+` is only in B, `-` only in A, `~` has other values, `>` is elsewhere, and `!`
is probably a rename. Nothing is changed. A file called `profile:x` is named as `./profile:x`.";
