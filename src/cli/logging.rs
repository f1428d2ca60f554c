//! The log: a file of limited size in the XDG state folder, or lines on stderr.
//!
//! Each message is one line, whatever text is in it. Only this program's own messages are logged: at the finer levels, libraries
//! log what is sent, headers included.

mod rotating;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Paths;
use crate::files;
use crate::printable::{printable, printable_json};
use crate::terminal;

use super::arguments::{LogArguments, LogFormat, LogLevel};
use super::failure::Failure;

use rotating::{Limits, RotatingFile};

/// Writes the rest of the log when dropped.
pub(super) struct Log {
    _guard: WorkerGuard,
}

/// What uses the terminal while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    /// The interface, over which nothing else may write.
    Interface,
    /// Lines, which stay where they are written.
    Lines,
}

/// Starts the log. If the default file can't be opened, that is reported and nothing is logged; a file that the user chose must
/// open.
pub(super) fn begin(arguments: &LogArguments, screen: Screen, paths: &Paths) -> Result<Option<Log>, Failure> {
    let level = match arguments.log_level {
        LogLevel::Off => return Ok(None),
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let out: Box<dyn Write + Send> = match &arguments.log_file {
        Some(path) if path == Path::new("-") => stderr(screen)?,
        Some(path) => Box::new(open_requested(path)?),
        None if Paths::is_nowhere(&paths.log_file()) => return Ok(None),
        None => match open_default(&paths.log_file()) {
            Some(file) => Box::new(file),
            None => return Ok(None),
        },
    };
    let (writer, guard) = tracing_appender::non_blocking(LineWriter { out, format: arguments.log_format });
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    let lines = match arguments.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let filter = Targets::new().with_target("segtui", level);
    tracing_subscriber::registry().with(lines).with(filter).init();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    Ok(Some(Log { _guard: guard }))
}

fn stderr(screen: Screen) -> Result<Box<dyn Write + Send>, Failure> {
    if screen == Screen::Interface && io::stderr().is_terminal() {
        let error = "the log would be written over the interface";
        return Err(Failure::usage(error).hint("redirect stderr (`2> segtui.log`), or name a file with --log-file"));
    }
    Ok(Box::new(io::stderr()))
}

fn open_requested(path: &Path) -> Result<RotatingFile, Failure> {
    RotatingFile::open(path, Limits::default()).map_err(|error| {
        let error = format!("couldn't open the log {}: {}", path.display(), files::reason(&error));
        Failure::failed(error).hint("name another one with --log-file, or use --log-level off")
    })
}

fn open_default(path: &Path) -> Option<RotatingFile> {
    // Earlier versions created it readable by others.
    for own in path.parent().into_iter().chain([path]) {
        if let Err(error) = files::restrict_to_owner(own) {
            terminal::print_message(format_args!(
                "others may be able to read {}: {}",
                own.display(),
                files::reason(&error)
            ));
        }
    }
    let open = RotatingFile::open(path, Limits::default());
    open.inspect_err(|error| {
        terminal::print_message(format_args!(
            "logging is off: couldn't open {}: {}",
            path.display(),
            files::reason(error)
        ));
    })
    .ok()
}

/// Keeps each message on one line of the log, whatever text is in it.
struct LineWriter<W> {
    out: W,
    format: LogFormat,
}

impl<W: Write> Write for LineWriter<W> {
    /// Receives a whole message with its line break.
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(message);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = match self.format {
            LogFormat::Text => printable(line).into_owned(),
            LogFormat::Json => printable_json(line),
        };
        self.out.write_all(format!("{line}\n").as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: LogFormat, messages: &[&str]) -> String {
        let mut lines = LineWriter { out: Vec::new(), format };
        for message in messages {
            lines.write_all(message.as_bytes()).unwrap();
        }
        String::from_utf8(lines.out).unwrap()
    }

    #[test]
    fn a_message_cannot_forge_a_line_of_the_log() {
        let forged = "couldn't fetch segment a\n2026 ERROR forged\u{1b}[2J\u{202e}\n";
        let log = written(LogFormat::Text, &[forged, "next\n"]);
        assert_eq!(log, "couldn't fetch segment a�2026 ERROR forged�[2J�\nnext\n");
    }

    #[test]
    fn a_json_message_is_unchanged_with_hidden_characters_escaped() {
        let text = "couldn't fetch segment \u{202e}a\u{200b}";
        let json = serde_json::json!({ "message": text }).to_string() + "\n";
        let log = written(LogFormat::Json, &[&json]);
        assert!(log.contains("\\u202ea\\u200b"), "{log}");
        let message: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(message["message"], text);
    }
}
