//! What a command says on stderr beside its errors: notes, details, and how far it is.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::arguments::ReportArguments;
use super::failure::{self, ErrorForm, Failure};

/// How much is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notes {
    quiet: bool,
    verbose: bool,
    progress: bool,
    form: ErrorForm,
}

impl Notes {
    /// As asked by the flags. Progress is for people only, so nothing but a terminal gets it.
    pub fn new(arguments: &ReportArguments, form: ErrorForm) -> Self {
        let progress = !arguments.quiet && !arguments.no_progress && io::stderr().is_terminal();
        Self { quiet: arguments.quiet, verbose: arguments.verbose, progress, form }
    }

    /// Whether nothing but errors is wanted.
    pub const fn is_quiet(self) -> bool {
        self.quiet
    }

    /// What is wrong with a result that is there all the same. It is said even to one who wants errors only.
    pub fn failure(self, failure: &Failure) {
        failure.report(self.form);
    }

    /// Something a person should know, but for one who asked for errors only.
    pub fn note(self, words: impl Display) {
        if !self.quiet {
            failure::note(words, self.form);
        }
    }

    /// What is said on request.
    pub fn detail(self, words: impl Display) {
        if self.verbose {
            failure::note(words, self.form);
        }
    }

    /// Something that a person at a terminal would wonder about, and a script would not.
    pub fn remark(self, words: impl Display) {
        if io::stderr().is_terminal() {
            self.note(words);
        }
    }

    /// The line that says how far it is.
    pub const fn progress(self) -> ProgressLine {
        ProgressLine { wanted: self.progress, shown: false }
    }
}

/// One line on stderr that is written over again and again.
#[derive(Debug)]
pub(super) struct ProgressLine {
    wanted: bool,
    shown: bool,
}

impl ProgressLine {
    pub fn show(&mut self, words: impl Display) {
        if self.wanted {
            self.shown = true;
            write(&format!("\r\x1b[K{words}"));
        }
    }

    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            write("\r\x1b[K");
        }
    }
}

/// However a command ends, its last line is no half of one.
impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

fn write(text: &str) {
    let mut stderr = io::stderr();
    // A line that nobody can see is no reason to stop.
    if let Err(error) = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()) {
        tracing::debug!(%error, "progress can't be shown");
    }
}
