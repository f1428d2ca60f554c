//! The log: a file in the XDG state folder, never the screen.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Paths;
use crate::files;
use crate::printable::printable;
use crate::terminal;

use super::arguments::{LogArguments, LogLevel};
use super::failure::Failure;

/// Writes what is still to be written when dropped.
pub(super) struct Log {
    _guard: WorkerGuard,
}

/// Begins to log. Without a log file of the person's own choice, not being able to is said and no reason to stop.
pub(super) fn begin(arguments: &LogArguments, paths: &Paths) -> Result<Option<Log>, Failure> {
    let level = match arguments.log_level {
        LogLevel::Off => return Ok(None),
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    if arguments.log_file.is_none() && Paths::is_nowhere(&paths.log_file()) {
        return Ok(None);
    }
    let path = arguments.log_file.clone().unwrap_or_else(|| paths.log_file());
    if arguments.log_file.is_none() {
        // Where others can read it, an earlier version has left it so.
        for own in path.parent().into_iter().chain([path.as_path()]) {
            if let Err(error) = files::keep_private(own) {
                terminal::complain(format_args!("others may be able to read {}: {error}", own.display()));
            }
        }
    }
    let file = match open(&path) {
        Ok(file) => file,
        Err(error) if arguments.log_file.is_none() => {
            terminal::complain(format_args!("logging is off: couldn't open {}: {error}", path.display()));
            return Ok(None);
        }
        Err(error) => {
            let error = format!("couldn't open the log {}: {error}", path.display());
            return Err(Failure::failed(error).hint("name another one with --log-file, or use --log-level off"));
        }
    };
    let (writer, guard) = tracing_appender::non_blocking(Lines(file));
    // Libraries log what is sent at the finer levels, headers included: only our own words go into the file.
    let filter = Targets::new().with_target("segtui", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(filter).init();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    Ok(Some(Log { _guard: guard }))
}

/// Keeps each message on one line of the log, whatever words of others are in it.
struct Lines(File);

impl Write for Lines {
    /// A message comes whole, with its end.
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(message);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", printable(line)).as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Opens a log for adding to it, readable for nobody else.
fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::create_folder(folder)?;
    }
    files::append_privately(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_forge_no_line_of_the_log() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut lines = Lines(file.reopen().unwrap());
        lines.write_all("couldn't fetch segment a\n2026 ERROR forged\u{1b}[2J\u{202e}\n".as_bytes()).unwrap();
        lines.write_all(b"next\n").unwrap();
        let log = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(log, "couldn't fetch segment a�2026 ERROR forged�[2J�\nnext\n");
    }
}
