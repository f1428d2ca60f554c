//! What a command writes to stderr besides errors: notes, details and progress.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::arguments::ReportArguments;
use super::failure::{self, ErrorForm, Failure};

/// Which notes are written, and in which form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notes {
    quiet: bool,
    verbose: bool,
    progress: bool,
    form: ErrorForm,
}

impl Notes {
    /// Takes the settings from flags. Progress is shown only on a terminal.
    pub fn new(arguments: &ReportArguments, form: ErrorForm) -> Self {
        let progress = !arguments.quiet && !arguments.no_progress && io::stderr().is_terminal();
        Self { quiet: arguments.quiet, verbose: arguments.verbose, progress, form }
    }

    /// Whether only errors are wanted.
    pub const fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Reports what is wrong with a result that is written anyway, even with `--quiet`.
    pub fn failure(self, failure: &Failure) {
        failure.report(self.form);
    }

    /// Writes a note, unless `--quiet` is set.
    pub fn note(self, message: impl Display) {
        if !self.quiet {
            failure::note(message, self.form);
        }
    }

    /// Writes a detail, only with `--verbose`.
    pub fn detail(self, message: impl Display) {
        if self.verbose {
            failure::note(message, self.form);
        }
    }

    /// Writes a remark, which only a person at a terminal needs.
    pub fn remark(self, message: impl Display) {
        if io::stderr().is_terminal() {
            self.note(message);
        }
    }

    /// Creates the progress line.
    pub const fn progress(self) -> ProgressLine {
        ProgressLine { enabled: self.progress, shown: false }
    }
}

/// A line on stderr that is overwritten again and again.
#[derive(Debug)]
pub(super) struct ProgressLine {
    enabled: bool,
    shown: bool,
}

impl ProgressLine {
    pub fn show(&mut self, message: impl Display) {
        if self.enabled {
            self.shown = true;
            write(&format!("\r\x1b[K{message}"));
        }
    }

    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            write("\r\x1b[K");
        }
    }
}

/// Clears the line, so that no command ends with half a line on stderr.
impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

fn write(text: &str) {
    let mut stderr = io::stderr();
    // Progress that can't be shown is no reason to stop.
    if let Err(error) = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()) {
        tracing::debug!(%error, "progress can't be shown");
    }
}
