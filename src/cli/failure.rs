//! Failures of commands, as shown on stderr: one line with what couldn't be done and why, and one with a hint. With JSON output,
//! it is an object.
//!
//! Text from the server never adds a line and never controls the terminal.

use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};

use clap::CommandFactory;
use clap::error::ErrorKind;
use color_eyre::eyre::Report;
use serde::Serialize;

use crate::printable::{printable, printable_json};
use crate::remote::{Fault, NOT_HTTP, PROXY_LOGIN, RemoteError};
use crate::terminal;

use super::arguments::Arguments;
use super::exit::Exit;

/// How errors are written to stderr.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ErrorForm {
    /// Lines for a person.
    #[default]
    Text,
    /// One JSON object on one line.
    Json,
}

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    error: String,
    hint: Option<String>,
    candidates: Vec<Candidate>,
    details: Vec<Detail>,
}

/// One of several faults, or one piece of evidence for a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Detail {
    /// The line of the file, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The detail as a phrase.
    pub text: String,
}

/// Most details that are listed in text.
const MAX_LISTED_DETAILS: usize = 200;

/// One of the segments that an ambiguous reference may mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Candidate {
    /// Its ID.
    pub id: String,
    /// Its path.
    pub path: String,
}

impl Failure {
    /// Creates a failure. `error` is what couldn't be done and why, as a phrase in lower case without a full stop.
    pub fn new(exit: Exit, error: impl Display) -> Self {
        Self { exit, error: error.to_string(), hint: None, candidates: Vec::new(), details: Vec::new() }
    }

    /// Creates a failure due to wrong usage or configuration.
    pub fn usage(error: impl Display) -> Self {
        Self::new(Exit::Usage, error)
    }

    /// Creates a failure of a command that couldn't do what it was asked.
    pub fn failed(error: impl Display) -> Self {
        Self::new(Exit::Failed, error)
    }

    /// Sets the hint: what to do about it.
    pub fn hint(self, hint: impl Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// Sets the segments that an ambiguous reference may mean.
    pub fn candidates(self, candidates: Vec<Candidate>) -> Self {
        Self { candidates, ..self }
    }

    /// Merges in another failure of the same command.
    pub fn join(&mut self, other: Self) {
        self.error.extend(["; ", &other.error]);
        self.candidates.extend(other.candidates);
        if self.exit != Exit::Incomplete {
            self.exit = other.exit;
        }
        self.hint = match (self.hint.take(), other.hint) {
            (Some(own), Some(other)) if !own.contains(&other) => Some(format!("{own}; {other}")),
            (own, other) => own.or(other),
        };
    }

    /// Sets the details, one per fault.
    pub fn details(self, details: Vec<Detail>) -> Self {
        Self { details, ..self }
    }

    /// Sets the exit code.
    pub fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Returns the exit code.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes it to stderr.
    pub fn report(&self, form: ErrorForm) {
        terminal::write_line(match form {
            ErrorForm::Text => self.text(),
            ErrorForm::Json => self.json(),
        });
    }

    /// Returns the hint, or a default one for the exit code.
    pub fn hint_text(&self) -> String {
        one_line(self.hint.as_deref().unwrap_or(match self.exit {
            Exit::Usage => "run `segtui --help` for the usage",
            _ => "run it again with --log-level debug and read the log",
        }))
    }

    fn text(&self) -> String {
        let mut text = format!("segtui: {}\n", one_line(&self.error));
        for Candidate { id, path } in &self.candidates {
            text.extend(["  id=", &printable(id), "  ", &printable(path), "\n"]);
        }
        for Detail { line, text: detail } in self.details.iter().take(MAX_LISTED_DETAILS) {
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            text.extend(["  ", &line, &one_line(detail), "\n"]);
        }
        if self.details.len() > MAX_LISTED_DETAILS {
            let more = (self.details.len() - MAX_LISTED_DETAILS).to_string();
            text.extend(["  and ", &more, " more; -o json lists all\n"]);
        }
        text + "hint: " + &self.hint_text()
    }

    fn json(&self) -> String {
        let object = ErrorObject {
            error: one_line(&self.error),
            hint: self.hint_text(),
            code: self.exit.code(),
            candidates: &self.candidates,
            details: &self.details,
        };
        // Only text and numbers, so this can't fail.
        printable_json(&serde_json::to_string(&object).unwrap_or_default())
    }
}

/// An error in JSON.
#[derive(Serialize)]
struct ErrorObject<'a> {
    error: String,
    hint: String,
    code: u8,
    #[serde(skip_serializing_if = "<[Candidate]>::is_empty")]
    candidates: &'a [Candidate],
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
}

/// Writes a note to stderr: something that is not an error.
pub(super) fn note(message: impl Display, form: ErrorForm) {
    match form {
        ErrorForm::Text => terminal::print_message(message),
        ErrorForm::Json => {
            let object = NoteObject { note: one_line(&message.to_string()) };
            terminal::write_line(printable_json(&serde_json::to_string(&object).unwrap_or_default()));
        }
    }
}

/// A note in JSON.
#[derive(Serialize)]
struct NoteObject {
    note: String,
}

fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    printable(&lines.collect::<Vec<_>>().join(" ")).into_owned()
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.error))
    }
}

impl From<Report> for Failure {
    /// Takes the exit code and the hint from the failed call to the server, if there was one.
    fn from(report: Report) -> Self {
        let failed = Self::failed(format_args!("{report:#}"));
        let fault = report.chain().find_map(|cause| Some(&cause.downcast_ref::<RemoteError>()?.fault));
        match fault.map(advice) {
            Some((exit, hint)) => Self { exit, ..failed }.hint(hint),
            None => failed,
        }
    }
}

/// Returns the exit code and the hint for a failed call.
pub(super) fn advice(fault: &Fault) -> (Exit, &'static str) {
    match fault {
        _ if fault.is_unauthorised() => {
            (Exit::KeyRefused, "check the API key and the tenant (--api-key, SEGTUI_API_KEY, or the profile)")
        }
        Fault::Unreachable { reason } => (Exit::Unreachable, reason.hint()),
        Fault::Refused { status: 407, .. } => (Exit::Unreachable, PROXY_LOGIN),
        Fault::Broken { reason } if reason == NOT_HTTP => {
            (Exit::Unreachable, "check the base URL: start it with https://, or use the port for http")
        }
        Fault::TimedOut { .. } | Fault::Broken { .. } => (Exit::Unreachable, "try again later"),
        Fault::Refused { .. } if fault.is_transient() => (Exit::Unreachable, "try again later"),
        Fault::Refused { status: 404, .. } => (Exit::Failed, "check the base URL and the tenant"),
        Fault::Refused { .. } => (Exit::Failed, "the response says why; the log has the requests"),
        Fault::InvalidResponse { .. } | Fault::TooLong { .. } => {
            (Exit::Failed, "check that the base URL is that of the API and not of another site")
        }
        Fault::Redirected { .. } => (Exit::Failed, "use the address of the API itself as the base URL"),
        Fault::InvalidRequest { .. } => (Exit::Failed, "correct the value that can't be sent"),
        Fault::ReadOnly => (Exit::Guarded, "read-only mode comes from --read-only, SEGTUI_READ_ONLY or the profile"),
    }
}

/// Converts a usage error. Returns `None` for help and version, which go to stdout and aren't failures.
pub(super) fn from_clap_error(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> Option<Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            return Some(missing_subcommand(arguments));
        }
        _ => {}
    }
    let rendered = error.render().to_string();
    let mut paragraphs = rendered.split("\n\n").map(str::trim);
    let first = paragraphs.next().unwrap_or_default();
    let rest: Vec<&str> = paragraphs.collect();
    // clap's tip on how to pass an unknown flag as a value doesn't help.
    let tips = rest.iter().filter_map(|paragraph| paragraph.strip_prefix("tip: "));
    let tip = tips.map(one_line).find(|tip| !tip.starts_with("to pass "));
    let usage = rest.iter().find_map(|paragraph| paragraph.strip_prefix("Usage: "));
    let hint = match (tip, usage) {
        (Some(tip), _) => tip,
        (None, Some(usage)) => format!("usage: {}", one_line(usage)),
        (None, None) => "run it with --help for the usage".into(),
    };
    Some(Failure::usage(first.strip_prefix("error: ").unwrap_or(first)).hint(hint))
}

/// The failure of a command that was given without its subcommand.
fn missing_subcommand(arguments: impl Iterator<Item = OsString>) -> Failure {
    let mut command = Arguments::command();
    let mut command_path = vec![command.get_name().to_owned()];
    for word in arguments.skip(1) {
        if let Some(subcommand) = command.find_subcommand(&word) {
            command_path.push(subcommand.get_name().to_owned());
            command = subcommand.clone();
        }
    }
    let names = command.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help");
    let names: Vec<&str> = names.collect();
    let command_path = command_path.join(" ");
    Failure::usage(format_args!("a subcommand is missing behind `{command_path}`: {}", names.join(", ")))
        .hint(format_args!("`{command_path} --help` says what each of them does"))
}

#[cfg(test)]
mod tests {
    use color_eyre::eyre::WrapErr;

    use super::*;
    use crate::remote::{Call, ConnectError};

    fn of_fault(fault: Fault) -> Failure {
        let failed: Result<(), RemoteError> = Err(RemoteError { call: Call::Page(1), fault });
        failed.wrap_err("couldn't load the segments").unwrap_err().into()
    }

    fn refused(status: u16, message: &str) -> Fault {
        Fault::Refused { status, message: message.into(), retry_after: None }
    }

    #[test]
    fn an_error_is_one_line_and_its_hint_another() {
        let failure = Failure::usage("no profile x:\n  none at\r\n all").hint("choose\none");
        assert_eq!(failure.text(), "segtui: no profile x: none at all\nhint: choose one");
        assert_eq!(failure.exit(), Exit::Usage);
        assert_eq!(Failure::usage("x").text(), "segtui: x\nhint: run `segtui --help` for the usage");
    }

    #[test]
    fn an_error_in_json_is_one_object_on_one_line() {
        let failure = Failure::failed("a\u{202e}b\n\"c\"").hint("d");
        assert_eq!(failure.json(), r#"{"error":"a�b \"c\"","hint":"d","code":1}"#);
        let candidate = Candidate { id: "i".into(), path: "/\u{1b}p".into() };
        let failure = failure.candidates(vec![candidate]);
        let read: serde_json::Value = serde_json::from_str(&failure.json()).unwrap();
        assert_eq!(read["candidates"][0]["path"], "/\u{1b}p");
        assert!(!failure.text().contains('\u{1b}') && failure.text().contains("\n  id=i  /�p\nhint: d"));
    }

    #[test]
    fn joined_failures_have_each_hint_once() {
        let mut failure = Failure::failed("a").hint("search");
        failure.join(Failure::failed("b").hint("search"));
        assert_eq!(failure.text(), "segtui: a; b\nhint: search");
        failure.join(Failure::new(Exit::Incomplete, "c").hint("try again"));
        assert_eq!(failure.text(), "segtui: a; b; c\nhint: search; try again");
        failure.join(Failure::failed("d").hint("search"));
        assert_eq!((failure.hint_text().as_str(), failure.exit()), ("search; try again", Exit::Incomplete));
    }

    #[test]
    fn a_failed_call_decides_the_exit_code() {
        let unreachable = of_fault(Fault::Unreachable { reason: ConnectError::default() });
        assert_eq!(unreachable.exit(), Exit::Unreachable);
        for (status, exit) in [
            (401, Exit::KeyRefused),
            (403, Exit::KeyRefused),
            (404, Exit::Failed),
            (422, Exit::Failed),
            (429, Exit::Unreachable),
            (503, Exit::Unreachable),
        ] {
            assert_eq!(of_fault(refused(status, "")).exit(), exit, "{status}");
        }
        assert_eq!(of_fault(Fault::ReadOnly).exit(), Exit::Guarded);
        let text = of_fault(refused(401, "no\nsegtui: forged")).text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.starts_with("segtui: couldn't load the segments: couldn't load page 1: "), "{text}");
    }
}
