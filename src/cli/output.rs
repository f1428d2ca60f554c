//! The destination of a command's result: stdout, or a file that is replaced as a whole.
//!
//! A closed pipe is not an error. Control characters never reach a terminal. A command that is stopped leaves the previous file
//! untouched and no temporary file beside it.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use crate::files::{self, Readers};
use crate::printable::{is_printable, printable_report};

use super::failure::Failure;

/// Where a result is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Stdout,
    File(PathBuf),
}

impl Target {
    /// Returns the target of `--output`: stdout if it is `-` or absent.
    pub fn of(path: Option<PathBuf>) -> Self {
        path.filter(|path| path != Path::new("-")).map_or(Self::Stdout, Self::File)
    }

    /// Fails early if writing would fail, as far as that can be checked without writing.
    pub fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(path) => files::check_target(path).map_err(|error| write_failure(path, &error)),
        }
    }

    /// Writes a result. A file gets all of it or stays as it was. Stops if cancelled.
    pub fn write(
        &self,
        content: Content,
        cancelled: &CancellationToken,
        write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result,
    ) -> Result<(), Failure> {
        match self {
            Self::Stdout => to_stdout(|out| {
                let is_unsafe = content == Content::Data && io::stdout().is_terminal();
                let shown = if is_unsafe { Shown::Sanitized } else { Shown::Verbatim };
                written(out, shown, cancelled, write)
            }),
            Self::File(path) => {
                let replaced =
                    files::replace_file(path, Readers::AsBefore, |out| written(out, Shown::Verbatim, cancelled, write));
                match replaced {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    other => other.map_err(|error| write_failure(path, &error)),
                }
            }
        }
    }
}

fn write_failure(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::failed(format_args!("couldn't write {}: {}", path.display(), files::reason(error)));
    failure.hint(match error.kind() {
        io::ErrorKind::NotFound => "create the folder first, or name another one",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "name a file in a folder that you can write to, or `-` for stdout"
        }
        io::ErrorKind::IsADirectory => "name a file in it",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space, or name a file elsewhere",
        _ => "name another file, or `-` for stdout",
    })
}

/// Writes to stdout.
fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = write(&mut out).and_then(|()| out.flush());
    // Dropping the writer would try to flush the rest.
    let (_, _unwritten) = out.into_parts();
    on_stdout(written)
}

/// Converts the result of writing to stdout. A closed pipe is not an error.
pub(super) fn on_stdout(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let error = format_args!("couldn't write to stdout: {}", files::reason(&error));
            Err(Failure::failed(error).hint("check what stdout is connected to"))
        }
        _ => Ok(()),
    }
}

/// The kind of content that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// For programs, byte for byte: names are in it as received.
    Data,
    /// For reading: coloured, and already safe for a terminal.
    HumanReadable,
}

/// Runs long blocking work, such as writing a million rows, on another thread, so that signals are still handled. Dropping the
/// future cancels the work.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let cancelled = CancellationToken::new();
    let _cancels_when_dropped = cancelled.clone().drop_guard();
    let working = tokio::task::spawn_blocking(move || work(&cancelled));
    working.await.map_err(|error| Failure::failed(format_args!("internal error: {error}")))?
}

/// How text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Unchanged, to a program or a file.
    Verbatim,
    /// Made printable, to a terminal that would interpret control characters.
    Sanitized,
}

/// Writes text as UTF-8. Returns the I/O error behind a formatting error.
fn written(
    out: &mut dyn Write,
    shown: Shown,
    cancelled: &CancellationToken,
    write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result,
) -> io::Result<()> {
    let mut text = Utf8 { out, shown, cancelled, fault: None };
    let written = write(&mut text);
    match text.fault {
        Some(fault) => Err(fault),
        None => written.map_err(|_| io::Error::other("this tree can't be written in this form")),
    }
}

/// An adapter that writes text as UTF-8 bytes and keeps the I/O error.
struct Utf8<'a> {
    out: &'a mut dyn Write,
    shown: Shown,
    cancelled: &'a CancellationToken,
    fault: Option<io::Error>,
}

impl fmt::Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let written = if self.cancelled.is_cancelled() {
            Err(io::Error::other("stopped"))
        } else if self.shown == Shown::Sanitized && !is_printable(text) {
            self.out.write_all(sanitized(text).as_bytes())
        } else {
            self.out.write_all(text.as_bytes())
        };
        written.map_err(|fault| {
            self.fault = Some(fault);
            fmt::Error
        })
    }
}

/// Keeps line feeds and replaces all other invisible characters, escapes included. Not used for coloured output.
fn sanitized(text: &str) -> String {
    printable_report(text).replace('\x1b', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_unwritable_file_is_named_and_no_temporary_file_remains() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("is-a-folder");
        fs::create_dir(&path).unwrap();
        let target = Target::File(path);
        for error in [target.check(), target.write(Content::Data, &CancellationToken::new(), |out| out.write_str("[]"))]
        {
            let error = error.unwrap_err().to_string();
            assert!(error.contains("is-a-folder: it is a folder"), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_cancelled_write_leaves_the_previous_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "former").unwrap();
        let cancelled = CancellationToken::new();
        let error = Target::File(path.clone()).write(Content::Data, &cancelled, |out| {
            out.write_str("half")?;
            cancelled.cancel();
            out.write_str("the rest")
        });
        assert!(error.unwrap_err().to_string().contains("stopped"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "former");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_terminal_gets_lines_but_no_control_characters() {
        let mut out = Vec::new();
        let written = written(&mut out, Shown::Sanitized, &CancellationToken::new(), |text| {
            text.write_str("\u{feff}a,\"b\r\n\u{1b}[2J\"\n")
        });
        assert!(written.is_ok());
        assert_eq!(String::from_utf8(out).unwrap(), "�a,\"b�\n�[2J\"\n");
    }
}
