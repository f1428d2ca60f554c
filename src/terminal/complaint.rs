//! Writing to stderr when it may be closed. A closed terminal must not keep the program from an orderly exit; the macros of the
//! standard library panic there.

use std::fmt::Display;
use std::io::{self, Write};

use crate::printable::printable;

/// Writes one line to stderr, prefixed with the program's name, with control characters replaced. If stderr is gone, the error is
/// only logged.
pub fn print_message(message: impl Display) {
    write_line(format_args!("segtui: {}", printable(&message.to_string())));
}

/// Writes a prompt to stderr, without a line break.
pub fn prompt(question: &str) {
    let mut stderr = io::stderr().lock();
    if let Err(error) = write!(stderr, "{}", printable(question)).and_then(|()| stderr.flush()) {
        tracing::debug!(%error, "stderr is gone");
    }
}

/// Writes a line to stderr as it is. If stderr is gone, the error is only logged.
pub fn write_line(line: impl Display) {
    if let Err(error) = writeln!(io::stderr().lock(), "{line}") {
        tracing::debug!(%error, "stderr is gone");
    }
}
