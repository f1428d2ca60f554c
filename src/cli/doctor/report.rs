//! The results of `doctor`, as lines and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Effective;
use crate::printable::{printable, printable_json};

use super::super::arguments::VERSION;
use super::super::columns::{aligned, painted};
use super::super::configuration::{FORMAT_VERSION, settings_json, value_text};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::paint::Paint;

/// A check and its result.
#[derive(Debug)]
pub struct Check {
    name: &'static str,
    state: State,
    message: String,
    hint: Option<String>,
    elapsed: Option<Duration>,
    /// Details for programs, only in the JSON.
    details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// It works, but needs attention.
    Warning,
    Failed(Exit),
    Skipped,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Check {
    fn new(name: &'static str, state: State, message: impl Into<String>) -> Self {
        Self { name, state, message: message.into(), hint: None, elapsed: None, details: Value::Null }
    }

    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, State::Ok, message)
    }

    pub fn warning(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(name, State::Warning, message) }
    }

    /// Creates a failed check with a failure's message, hint and exit code.
    pub fn failed(name: &'static str, failure: &Failure) -> Self {
        let check = Self::new(name, State::Failed(failure.exit()), failure.to_string());
        Self { hint: Some(failure.hint_text()), ..check }
    }

    pub fn with_elapsed(self, elapsed: Duration) -> Self {
        Self { elapsed: Some(elapsed), ..self }
    }

    pub fn details(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

/// The checks made so far, in order.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<Check>,
    pub effective: Option<Effective>,
}

impl Report {
    pub fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Removes the check of the same name and adds this one.
    pub fn replace(&mut self, check: Check) {
        self.checks.retain(|other| other.name != check.name);
        self.checks.push(check);
    }

    /// Adds checks that could not be made, and why.
    pub fn skip(&mut self, names: &[&'static str], why: &str) {
        self.checks.extend(names.iter().map(|name| Check::new(name, State::Skipped, why)));
    }

    /// Returns the exit code of the first check that failed.
    pub fn exit(&self) -> Exit {
        let failed = self.checks.iter().find_map(|check| match check.state {
            State::Failed(exit) => Some(exit),
            _ => None,
        });
        failed.unwrap_or(Exit::Done)
    }

    pub fn text(&self, paint: Paint) -> String {
        let rows: Vec<[String; 3]> = self.checks.iter().flat_map(rows).collect();
        let mut text = painted(&rows, |column, text| match (column, text) {
            (0, "ok") => paint.added(text),
            (0, "warning") => paint.warning(text),
            (0, "failed") => paint.error(text),
            (0, _) => paint.dim(text),
            _ => text.to_owned(),
        });
        if let Some(effective) = &self.effective {
            let rows = effective.settings.iter().map(|setting| {
                let value = value_text(setting, setting.value.as_ref());
                [setting.key.to_owned(), value, setting.origin.to_string()]
            });
            text.push_str("\nSettings:\n");
            text.push_str(&aligned(&rows.collect::<Vec<_>>()));
        }
        text
    }

    pub fn json(&self) -> String {
        let checks: Vec<Value> = self.checks.iter().map(json_of).collect();
        let object = json!({
            "format_version": FORMAT_VERSION,
            "version": VERSION,
            "ok": self.exit() == Exit::Done,
            "checks": checks,
            "settings": self.effective.as_ref().map(settings_json).unwrap_or_default(),
        });
        printable_json(&object.to_string()) + "\n"
    }
}

fn rows(check: &Check) -> Vec<[String; 3]> {
    let took = check.elapsed.map(|took| format!(" ({})", milliseconds(took))).unwrap_or_default();
    let mut rows = vec![[check.state.name().to_owned(), check.name.to_owned(), format!("{}{took}", check.message)]];
    rows.extend(check.hint.as_ref().map(|hint| [String::new(), String::new(), format!("hint: {}", printable(hint))]));
    rows
}

fn json_of(check: &Check) -> Value {
    let mut object = json!({ "name": check.name, "status": check.state.name(), "message": check.message });
    let fields = [
        ("hint", check.hint.as_ref().map(|hint| json!(hint))),
        ("milliseconds", check.elapsed.map(|took| json!((took.as_secs_f64() * 10_000.0).round() / 10.0))),
        (
            "code",
            match check.state {
                State::Failed(exit) => Some(json!(exit.code())),
                _ => None,
            },
        ),
        ("details", Some(check.details.clone()).filter(|details| !details.is_null())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    object
}

fn milliseconds(took: Duration) -> String {
    let milliseconds = took.as_secs_f64() * 1_000.0;
    if milliseconds < 10.0 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}
