//! [`UserCommand`]: a program of the person's own that a key runs on segments, as the configuration describes it.

use std::time::Duration;

/// A program and how it is run. Nothing in it goes through a shell unless the program is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCommand {
    /// What it is called wherever it is told of.
    pub name: String,
    /// What is started.
    pub program: String,
    /// With these arguments.
    pub arguments: Vec<String>,
    /// Which segments it gets.
    pub on: Subjects,
    /// Whether the person is asked before it runs.
    pub confirm: bool,
    /// Whether it gets the API key.
    pub api_key: bool,
    /// What becomes of what it writes.
    pub output: Output,
    /// How long it may run; `None` is as long as it takes.
    pub timeout: Option<Duration>,
}

/// Which segments a command gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Subjects {
    /// All that are marked, or else the selected one.
    #[default]
    MarkedOrSelected,
    /// The selected one, whatever is marked.
    Selected,
    /// All that are marked, and never anything else.
    Marked,
}

/// What becomes of what a command writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Output {
    /// It is shown in a pane while it comes.
    #[default]
    Pane,
    /// Its last line becomes a message.
    Message,
    /// It is dropped.
    Nothing,
}
