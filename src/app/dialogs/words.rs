//! The texts of the dialogs: the profile form and its connection errors, the lists, and the user commands.
//!
//! A function takes the variable parts of a sentence, names and keys already as text, and returns the whole sentence.

use crate::app::{KeyLocation, grouped};

// The lists.

pub(super) const COMMANDS: &str = "Commands";

/// The title of the actions for a row. Actions that support it apply to all marked segments.
pub(super) fn actions_for(name: &str, marked: usize) -> String {
    match marked {
        0 => format!("Actions: {name}"),
        _ => format!("Actions: {name} · {} marked", grouped(marked)),
    }
}

pub(super) const CLICKED_ROW_IS_GONE: &str = "The row that was clicked is no longer selected; nothing was done";
pub(super) const STARTUP_SETTINGS: &str = "startup settings";
pub(super) const DEMO: &str = "Demo";
pub(super) const SAMPLE_TENANT: &str = "built-in sample tenant";
pub(super) const NEW_PROFILE: &str = "New profile…";
pub(super) const ANOTHER_TENANT: &str = "another tenant or server";
pub(super) const ALREADY_THERE: &str = "Already there";
pub(super) const NO_REQUEST_SELECTED: &str = "No request selected";
pub(super) const BODY_TOO_LARGE: &str = "Body too large to keep; can't build a curl command";
/// What is copied of a request.
pub(super) const REQUEST_AS_CURL: &str = "the request as a curl command";

pub(super) fn opening(profile: &str) -> String {
    format!("Opening {profile}…")
}

// The user commands.

pub(super) const NO_SUCH_COMMAND: &str = "No such command";
pub(super) const SELECT_FIRST: &str = "Select a segment first";
pub(super) const MARKED_BEING_CREATED: &str = "A marked segment is still being created. Please wait";
pub(super) const NO_OUTPUT_TO_COPY: &str = "Nothing to copy yet";
/// What is copied of a command.
pub(super) const OUTPUT: &str = "the output";

pub(super) fn is_running(command: &str, pause: &str) -> String {
    format!("“{command}” is running. Press {pause} to stop it")
}

pub(super) fn is_still_running(command: &str, pause: &str) -> String {
    format!("“{command}” is still running. Press {pause} to stop it")
}

pub(super) fn stop_before_leaving(command: &str, pause: &str) -> String {
    format!("“{command}” is still running. Press {pause} to stop it, then quit")
}

pub(super) fn disabled_when_read_only(command: &str) -> String {
    format!("“{command}” receives the API key, so it is disabled in read-only mode")
}

pub(super) fn needs_marked(command: &str, mark: &str) -> String {
    format!("“{command}” needs marked segments. Press {mark} to mark")
}

pub(super) fn no_line_contains(text: &str) -> String {
    format!("No line contains “{text}”")
}

/// A command whose message is the last line of its output.
pub(super) fn command_says(command: &str, last: &str) -> String {
    format!("{command}: {last}")
}

pub(super) fn finished(command: &str) -> String {
    format!("“{command}” finished")
}

/// A command failed. `last` is the last line of its output.
pub(super) fn command_failed(command: &str, status: &str, last: Option<&str>) -> String {
    match last {
        Some(last) => format!("“{command}”: {status} · {last}"),
        None => format!("“{command}”: {status}"),
    }
}

pub(super) fn running_for(seconds: i64) -> String {
    format!("running · {seconds} s")
}

pub(super) fn stopping_for(seconds: i64) -> String {
    format!("stopping · {seconds} s")
}

pub(super) fn exited(code: i32, took: &str) -> String {
    format!("exit code {code} · {took}")
}

/// It ended without an exit code; `how` is the system's description.
pub(super) fn ended(how: &str, took: &str) -> String {
    format!("{how} · {took}")
}

pub(super) fn not_started(reason: &str) -> String {
    format!("couldn't start: {reason}")
}

pub(super) fn stopped(took: &str) -> String {
    format!("stopped after {took}")
}

pub(super) fn timed_out(limit: &str) -> String {
    format!("timed out after {limit}")
}

// The profile form.

pub(super) const fn key_location(location: KeyLocation) -> &'static str {
    match location {
        KeyLocation::Keyring => "system keyring",
        KeyLocation::Session => "this session only",
        KeyLocation::Variable => "environment variable",
        KeyLocation::Command => "command output",
        KeyLocation::File => "config file (plain text)",
    }
}

pub(super) const ENTER_URL: &str = "Enter the server URL";
pub(super) const ENTER_VARIABLE: &str = "Enter a variable name, e.g. ACME_KEY";
pub(super) const ENTER_ONLY_THE_NAME: &str = "Enter only the name, e.g. ACME_KEY";
pub(super) const ENTER_COMMAND: &str = "Enter a command, e.g. pass show one/acme";
pub(super) const UNCLOSED_QUOTE: &str = "Unclosed quote";
pub(super) const THE_TENANT: &str = "the tenant";
pub(super) const THE_API_KEY: &str = "the API key";

pub(super) fn profile_exists(name: &str) -> String {
    format!("A profile named {name} already exists")
}

pub(super) fn enter(field: &str) -> String {
    format!("Enter {field}")
}

pub(super) fn not_for_a_header(field: &str) -> String {
    format!("{field} contains characters that aren't allowed in a header")
}

// Connection errors.

/// Stands for the host if the URL can't be parsed.
pub(super) const THE_SERVER: &str = "the server";

pub(super) fn no_reply(host: &str, seconds: u64) -> String {
    format!("{host} accepted the connection but didn't reply within {seconds} s. Try again later")
}

pub(super) fn not_the_segment_api(host: &str, reason: &str) -> String {
    format!("{host} replied, but this isn't the segment API ({reason}). Usually the host alone is enough")
}

pub(super) fn host_not_found(host: &str) -> String {
    format!("Host not found: {host}. Check the spelling, your connection and VPN")
}

pub(super) fn connection_refused(host: &str) -> String {
    format!("Connection refused: nothing is listening at {host}. Check host and port")
}

pub(super) fn plain_http(host: &str) -> String {
    format!("TLS failed at {host}: it seems to speak plain http. Check the scheme and the port")
}

pub(super) fn tls_failed(host: &str, reason: &str) -> String {
    format!("TLS failed at {host}: {reason}. Behind a corporate proxy, set SSL_CERT_FILE")
}

pub(super) fn connection_timed_out(host: &str, reason: &str) -> String {
    format!("{}. Check the URL and your VPN", no_connection(host, reason))
}

pub(super) fn no_connection(host: &str, reason: &str) -> String {
    format!("Couldn't connect to {host}: {reason}")
}

/// A status with the server's message, if there is one.
pub(super) fn status_text(status: u16, message: &str) -> String {
    if message.is_empty() { format!("({status})") } else { format!("({status}: {message})") }
}

pub(super) fn tenant_rejected(host: &str, tenant: &str, answer: &str) -> String {
    format!("{host} rejected tenant {tenant} {answer}")
}

pub(super) fn key_rejected(host: &str, answer: &str) -> String {
    format!("{host} rejected the key {answer}")
}

pub(super) fn key_or_tenant_rejected(host: &str, answer: &str) -> String {
    format!("{host} rejected this key for this tenant {answer}. Check both")
}

pub(super) fn no_api_at_path(host: &str, answer: &str) -> String {
    format!("There is a server at {host}, but no segment API at this path {answer}. Usually the host alone is enough")
}

pub(super) fn internal_error(host: &str, answer: &str) -> String {
    format!("{host} reported an internal error {answer}. Try again later")
}

pub(super) fn rate_limited(host: &str, answer: &str) -> String {
    format!("{host} is rate-limiting requests {answer}. Try again later")
}

pub(super) fn request_rejected(host: &str, answer: &str) -> String {
    format!("{host} rejected the request {answer}")
}
