//! [`UserCommand`]: a custom command, run on segments by a key, as configured.

use std::time::Duration;

/// A program and how to run it. No shell is involved unless the program is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCommand {
    /// The name shown to the user.
    pub name: String,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Which segments it gets.
    pub on: Subjects,
    /// Whether to ask before it runs.
    pub confirm: bool,
    /// Whether it gets the API key.
    pub api_key: bool,
    /// What to do with its output.
    pub output: Output,
    /// How long it can run; `None` for no limit.
    pub timeout: Option<Duration>,
}

/// Which segments a command gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Subjects {
    /// The marked segments, or the selected one if none is marked.
    #[default]
    MarkedOrSelected,
    /// The selected segment, whatever is marked.
    Selected,
    /// Only the marked segments.
    Marked,
}

/// What to do with the output of a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Output {
    /// Show it in a pane as it arrives.
    #[default]
    Pane,
    /// Show its last line as a message.
    Message,
    /// Discard it.
    Nothing,
}
