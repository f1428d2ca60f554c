//! Checks of this machine: the configuration, the store with its journal, the log, the terminal.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::clock;
use crate::config::{Connection, Effective, Environment, Paths};
use crate::files;
use crate::numbers::{Noun, counted, size};
use crate::store::{self, Completeness, StoreError};
use crate::terminal;
use crate::theme::Depth;

use super::super::configuration::exposed_key_mode;
use super::super::failure::Failure;
use super::report::{Check, Report};

/// Why there is no store, journal or log.
const NO_HOME: &str = "there is no home folder (HOME), so nothing is kept";

/// Checks the config file: whether it exists, its profile, and whether others can access a key in it.
pub fn config(effective: &Effective) -> Check {
    let file = effective.file.display();
    let profile = effective.profile.as_deref().map_or("no profile".to_owned(), |name| format!("profile {name}"));
    let details =
        json!({ "file": file.to_string(), "file_exists": effective.file_exists, "profile": effective.profile });
    if !effective.file_exists {
        return Check::ok("config", format!("{file} doesn't exist; {profile}")).details(details);
    }
    let text = files::read_text(&effective.file).unwrap_or_default();
    let check = match exposed_key_mode(&effective.file, &text) {
        Some(mode) => Check::warning(
            "config",
            format!("{file}, {profile}; it has an API key and others can access it (mode {mode:04o})"),
            format!("run `chmod 600 {file}`"),
        ),
        None => Check::ok("config", format!("{file}, {profile}")),
    };
    check.details(details)
}

/// Checks the store, with the last known segments of the tenant, and the journal.
pub fn store(report: &mut Report, connection: &Connection, paths: &Paths) {
    let path = paths.store_file(&connection.base_url, &connection.tenant, &connection.contexts);
    if Paths::is_nowhere(&path) {
        return report.skip(&["store", "journal"], NO_HOME);
    }
    let shown = path.display();
    let in_interface = match store::inspect(&path) {
        Ok(None) => {
            report.add(Check::ok("store", format!("{shown} doesn't exist yet")));
            Some(0)
        }
        Ok(Some(found)) => {
            let segments = found.snapshot.as_ref().map(|snapshot| snapshot.segments.len());
            let saved = found.snapshot.as_ref().map(|snapshot| snapshot.saved);
            let completeness = found.snapshot.as_ref().map(|snapshot| match snapshot.completeness {
                Completeness::Complete => ("complete", ""),
                Completeness::Unconfirmed => ("unconfirmed", ", not yet confirmed to be all"),
                Completeness::Incomplete => ("incomplete", ", perhaps not all"),
            });
            let what = match (segments, saved) {
                (Some(segments), Some(saved)) => {
                    let age = clock::now().duration_since(saved).as_secs().max(0);
                    let doubt = completeness.map_or("", |(_, words)| words);
                    format!("{} as of {}{doubt}", counted(segments, Noun::Segment), ago(age))
                }
                _ => "nothing known yet".into(),
            };
            let bytes = size(usize::try_from(found.bytes).unwrap_or(usize::MAX));
            let user = if found.in_use { "; another segtui has it open" } else { "" };
            let details = json!({
                "file": shown.to_string(), "bytes": found.bytes, "segments": segments, "saved": saved,
                "completeness": completeness.map(|(name, _)| name), "in_use": found.in_use,
            });
            report.add(Check::ok("store", format!("{shown}, {bytes}: {what}{user}")).details(details));
            Some(found.pending)
        }
        Err(error) => {
            report.add(Check::failed("store", &store_failure(error)));
            None
        }
    };
    journal(report, in_interface, &paths.runs_file(&connection.base_url, &connection.tenant));
}

fn store_failure(error: StoreError) -> Failure {
    let hint = match error {
        StoreError::Newer { .. } => "use the newer segtui, or --no-store",
        StoreError::Io { .. } => "check the folder and its permissions, or use --no-store",
        StoreError::Database { .. } => "start segtui: it moves a damaged file aside and begins a new one",
    };
    Failure::failed(error).hint(hint)
}

/// Checks the journals of the interface and of the commands, which have a file of their own, for pending changes. `in_interface`
/// is `None` if the store can't be read, which is already reported.
fn journal(report: &mut Report, in_interface: Option<usize>, runs: &Path) {
    let in_commands = match store::inspect(runs) {
        Ok(found) => found.map_or(0, |found| found.pending),
        Err(error) => return report.add(Check::failed("journal", &store_failure(error))),
    };
    let Some(in_interface) = in_interface.or((in_commands > 0).then_some(0)) else {
        return report.skip(&["journal"], "it is in the store");
    };
    let pending = in_interface + in_commands;
    let details = json!({ "pending": pending, "in_interface": in_interface, "in_commands": in_commands });
    if pending == 0 {
        return report.add(Check::ok("journal", "empty").details(details));
    }
    let of_command = "run the interrupted command again: it continues";
    let of_interface = "start segtui and press Q";
    let (whose, hint) = match (in_interface, in_commands) {
        (_, 0) => ("", of_interface.to_owned()),
        (0, _) => (", of an interrupted command", of_command.to_owned()),
        _ => (", of the interface and of an interrupted command", format!("{of_interface}; {of_command}")),
    };
    let what = format!("{} not known to be done{whose}", counted(pending, Noun::PendingChange));
    report.add(Check::warning("journal", what, hint).details(details));
}

/// Formats how long ago something was, from seconds.
fn ago(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

pub fn log(report: &mut Report, requested: Option<PathBuf>, paths: &Paths) {
    if requested.as_deref() == Some(Path::new("-")) {
        return report.add(Check::ok("log", "stderr"));
    }
    let path = requested.unwrap_or_else(|| paths.log_file());
    if Paths::is_nowhere(&path) {
        return report.skip(&["log"], NO_HOME);
    }
    let shown = path.display();
    report.add(match files::append_privately(&path) {
        Ok(_) => {
            let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let written = size(usize::try_from(bytes).unwrap_or(usize::MAX));
            let details = json!({ "file": shown.to_string(), "bytes": bytes });
            Check::ok("log", format!("{shown}, {written}")).details(details)
        }
        Err(error) => Check::warning(
            "log",
            format!("couldn't open {shown}: {}", files::reason(&error)),
            "name another one with --log-file",
        ),
    });
}

pub fn terminal(report: &mut Report, environment: Environment<'_>) {
    let term = environment("TERM");
    let colours = match Depth::of_terminal(environment) {
        _ if environment("NO_COLOR").is_some() => "no colours (NO_COLOR)",
        Depth::True => "true colour",
        Depth::Indexed => "256 colours",
        Depth::Sixteen => "16 colours",
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(environment);
    let is_utf8 = locale.as_ref().is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    let is_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    let cells = terminal::size().ok().filter(|_| is_terminal);
    let dimensions = cells.map_or_else(|| "no terminal here".to_owned(), |(width, height)| format!("{width}x{height}"));
    let message = format!(
        "{dimensions}, TERM {}, {colours}, locale {}",
        term.as_deref().unwrap_or("not set"),
        locale.as_deref().unwrap_or("not set")
    );
    let details = json!({
        "term": term, "columns": cells.map(|cells| cells.0), "rows": cells.map(|cells| cells.1), "locale": locale,
    });
    let check = match (is_terminal, term.as_deref(), is_utf8) {
        (true, None | Some("dumb" | ""), _) => {
            Check::warning("terminal", message, "set TERM to what your terminal is, such as xterm-256color")
        }
        (true, _, false) => Check::warning(
            "terminal",
            message,
            "set a UTF-8 locale (LANG=C.UTF-8), or use --ascii if symbols look wrong",
        ),
        _ => Check::ok("terminal", message),
    };
    report.add(check.details(details));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_shown_in_a_fitting_unit() {
        assert_eq!([5, 61, 7_200, 864_000].map(ago), ["5 s ago", "1 min ago", "2 h ago", "10 days ago"]);
    }
}
