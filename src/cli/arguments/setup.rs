//! Arguments of the commands that are about the program itself and how it is set up.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCandidates;

use super::super::completing;
use super::{ConnectionArguments, TextOrJson};

/// Arguments of `config`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ConfigArguments {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum ConfigCommand {
    /// Print the path of the config file, whether or not it exists.
    #[command(
        after_help = "Examples:\n  cp \"$(segtui config path)\" config-backup.toml\n  segtui config path --config ./new.toml"
    )]
    Path(ConfigPathArguments),
    /// Show every setting in force and where it comes from.
    ///
    /// Flags override variables, which override the file. The API key itself is never shown, and no command is run to get it.
    #[command(after_help = "Examples:\n  segtui config show --profile prod\n  \
                            segtui config show -o json | jq '.settings[] | select(.key == \"base_url\")'")]
    Show(ConfigShowArguments),
    /// List everything that is wrong with the config file, with lines.
    ///
    /// Exits with 2 if anything is. Nothing is asked of the server.
    #[command(after_help = "Examples:\n  segtui config check\n  segtui config check new-config.toml -o json")]
    Check(ConfigCheckArguments),
    /// Open the config file in $VISUAL or $EDITOR.
    ///
    /// What you edit is a copy. It replaces the file only if it has no faults; a faulty copy is kept, named, and offered the
    /// next time.
    #[command(after_help = "Examples:\n  segtui config edit\n  EDITOR=nano segtui config edit --config new.toml")]
    Edit(ConfigPathArguments),
    /// Print the JSON schema of the config file, for editors that complete and check TOML.
    #[command(after_help = "Examples:\n  segtui config schema > segtui.schema.json\n\n\
                            Then begin the config file with `#:schema ./segtui.schema.json` (Even Better TOML, taplo).")]
    Schema,
}

/// Which file.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ConfigPathArguments {
    /// Config file to use [default: ~/.config/segtui/config.toml].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of `config show`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ConfigShowArguments {
    /// Form of the output.
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: TextOrJson,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// Arguments of `config check`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ConfigCheckArguments {
    /// File to check [default: the config file].
    pub file: Option<PathBuf>,
    /// Config file to check, if no FILE is named [default: ~/.config/segtui/config.toml].
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub config: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: TextOrJson,
}

/// Arguments of `profiles`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ProfilesArguments {
    /// Form of the output.
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: TextOrJson,
    /// Config file to use [default: ~/.config/segtui/config.toml].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of `doctor`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct DoctorArguments {
    /// Form of the output.
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: TextOrJson,
    /// The same as `-o json`.
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

impl DoctorArguments {
    /// Returns the form, asked for by `--json` or `--output`.
    pub fn form(&self) -> TextOrJson {
        if self.json { TextOrJson::Json } else { self.output }
    }
}

/// Arguments of `completions`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct CompletionsArguments {
    /// Shell to print the script for.
    pub shell: Shell,
    /// A script that never runs segtui: commands and flags, but no profiles and no segments.
    #[arg(long)]
    pub r#static: bool,
}

pub(super) const CONFIG_HELP: &str = "\
Examples:
  segtui config show --profile prod    # every setting in force and where it comes from
  segtui config check                  # what is wrong with the file, with lines
  segtui config edit                   # a copy, which takes the file's place if nothing is wrong with it";

pub(super) const SERVE_DEMO_HELP: &str = "\
Examples:
  segtui serve-demo --port 8042                             # some 300 segments of a wholesaler
  segtui serve-demo --load segments.json                    # those that `segtui export` has written
  segtui serve-demo --segments 100000 --latency 50 --churn 2
  segtui serve-demo -q --port 8042 > address &              # for a script: the address only

It prints its address on stdout, and how to connect to it on stderr. It ends with 0 when it is stopped by ctrl-c or SIGTERM.";

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  segtui completions bash > ~/.local/share/bash-completion/completions/segtui
  segtui completions zsh > ~/.zfunc/_segtui     # a folder in $fpath
  segtui completions fish > ~/.config/fish/completions/segtui.fish
  segtui completions powershell >> $PROFILE

Set it up once, then start a new shell.

It completes commands, flags, profiles, rules and segments. Segments come from the local cache, so they are those that segtui last saw; the server isn't asked.";

/// Arguments of `man`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ManArguments {
    /// Command whose page is printed [default: segtui itself].
    #[arg(value_name = "COMMAND", add = ArgValueCandidates::new(completing::commands))]
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder instead. It is created if it doesn't exist.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub dir: Option<PathBuf>,
}
