//! Writing to stderr, which may be gone: a terminal that was closed takes no words, and that is no reason to end otherwise than in
//! order. The macros of the standard library panic there.

use std::fmt::Display;
use std::io::{self, Write};

use crate::printable::printable;

/// Writes a line to stderr, with the name of the program before it: one, whatever words of others are among these. Nobody reads it
/// where that fails.
pub fn complain(words: impl Display) {
    write_line(format_args!("segtui: {}", printable(&words.to_string())));
}

/// Writes a question to stderr, to be answered on the same line.
pub fn ask(question: &str) {
    let mut stderr = io::stderr().lock();
    if let Err(error) = write!(stderr, "{}", printable(question)).and_then(|()| stderr.flush()) {
        tracing::debug!(%error, "stderr is gone");
    }
}

/// Writes a line to stderr as it is. Nobody reads it where that fails.
pub fn write_line(line: impl Display) {
    if let Err(error) = writeln!(io::stderr().lock(), "{line}") {
        tracing::debug!(%error, "stderr is gone");
    }
}
