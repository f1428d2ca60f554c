//! Opening a URL: picks the program and runs it.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::app::BrowserOutcome;
use crate::platform;

use super::variables::without_keys;

/// How long to wait for the program to exit; one that still runs after that is the browser itself.
const LAUNCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Opens a URL in the browser.
pub(super) async fn open_url(url: &str, key_variables: &[String]) -> BrowserOutcome {
    let Some(words) = opener(&|name| std::env::var(name).ok(), url) else { return BrowserOutcome::NoBrowser };
    let [program, arguments @ ..] = words.as_slice() else { return BrowserOutcome::NoBrowser };
    let mut command = Command::new(program);
    without_keys(command.args(arguments), key_variables);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    platform::new_process_group(&mut command);
    match command.spawn() {
        Ok(mut child) => match timeout(LAUNCH_TIMEOUT, child.wait()).await {
            Ok(Ok(status)) => launch_outcome(program, status),
            Ok(Err(error)) => BrowserOutcome::Failed(error.to_string()),
            Err(_still_running) => BrowserOutcome::Opened,
        },
        Err(error) => BrowserOutcome::Failed(format!("{program}: {error}")),
    }
}

fn launch_outcome(program: &str, status: ExitStatus) -> BrowserOutcome {
    if status.success() { BrowserOutcome::Opened } else { BrowserOutcome::Failed(format!("{program}: {status}")) }
}

/// The command that opens a URL; `None` if the user would not see the result.
///
/// `$BROWSER` applies even over SSH, as editors set it to a helper that reaches the browser on the user's machine.
fn opener(environment: &dyn Fn(&str) -> Option<String>, url: &str) -> Option<Vec<String>> {
    let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    if let Some(browser) = set("BROWSER") {
        // It can list several; `%s` is the placeholder for the URL.
        let mut browsers = browser.split(platform::BROWSER_SEPARATOR);
        let first = browsers.find(|browser| !browser.trim().is_empty()).unwrap_or(&browser);
        let mut words = platform::words(first).filter(|words| !words.is_empty())?;
        if words.iter().any(|word| word.contains("%s")) {
            words = words.iter().map(|word| word.replace("%s", url)).collect();
        } else {
            words.push(url.to_owned());
        }
        return Some(words);
    }
    if set("SSH_CONNECTION").is_some() || set("SSH_TTY").is_some() {
        return None;
    }
    let words = platform::opener(environment)?.iter().copied().chain([url]);
    Some(words.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(variables: &[(&str, &str)]) -> Option<Vec<String>> {
        let of = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        opener(&of, "https://x/1")
    }

    #[test]
    fn the_browser_variable_takes_precedence() {
        let over_ssh = ("SSH_CONNECTION", "10.0.0.1");
        assert_eq!(words(&[("BROWSER", "firefox"), over_ssh]).unwrap(), ["firefox", "https://x/1"]);
        let several = "'my browser' --url=%s:lynx";
        assert_eq!(words(&[("BROWSER", several)]).unwrap(), ["my browser", "--url=https://x/1"]);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn nothing_is_opened_where_the_user_would_not_see_it() {
        assert_eq!(words(&[("DISPLAY", ":0")]).unwrap(), ["xdg-open", "https://x/1"]);
        assert_eq!(words(&[("DISPLAY", ":0"), ("SSH_TTY", "/dev/pts/1")]), None);
        assert_eq!(words(&[]), None);
    }
}
