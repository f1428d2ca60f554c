//! Which program shows an address to the person, and asking it to.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::app::Browsed;
use crate::platform;

use super::variables::without_keys;

/// How long it may take to hand an address to a browser. What takes longer is a browser that stays.
const HANDING_OVER: Duration = Duration::from_secs(3);

/// Asks the system to show an address.
pub(super) async fn show(url: &str, key_variables: &[String]) -> Browsed {
    let Some(words) = opener(&|name| std::env::var(name).ok(), url) else { return Browsed::NoBrowser };
    let [program, arguments @ ..] = words.as_slice() else { return Browsed::NoBrowser };
    let mut command = Command::new(program);
    without_keys(command.args(arguments), key_variables);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    platform::lead_group(&mut command);
    match command.spawn() {
        Ok(mut child) => match timeout(HANDING_OVER, child.wait()).await {
            Ok(Ok(status)) => handed_over(program, status),
            Ok(Err(error)) => Browsed::Failed(error.to_string()),
            Err(_stays) => Browsed::Opened,
        },
        Err(error) => Browsed::Failed(format!("{program}: {error}")),
    }
}

fn handed_over(program: &str, status: ExitStatus) -> Browsed {
    if status.success() { Browsed::Opened } else { Browsed::Failed(format!("{program}: {status}")) }
}

/// The program that opens an address, and its arguments; `None` where a person would not see what it shows.
///
/// What `$BROWSER` says holds everywhere, as editors set it to what reaches the browser from another machine.
fn opener(environment: &dyn Fn(&str) -> Option<String>, url: &str) -> Option<Vec<String>> {
    let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    if let Some(browser) = set("BROWSER") {
        // There may be several; `%s` stands for the address.
        let mut several = browser.split(platform::BROWSER_SEPARATOR);
        let first = several.find(|browser| !browser.trim().is_empty()).unwrap_or(&browser);
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
    fn what_the_person_chose_goes_first() {
        let over_ssh = ("SSH_CONNECTION", "10.0.0.1");
        assert_eq!(words(&[("BROWSER", "firefox"), over_ssh]).unwrap(), ["firefox", "https://x/1"]);
        let several = "'my browser' --url=%s:lynx";
        assert_eq!(words(&[("BROWSER", several)]).unwrap(), ["my browser", "--url=https://x/1"]);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn nothing_is_opened_where_nobody_would_see_it() {
        assert_eq!(words(&[("DISPLAY", ":0")]).unwrap(), ["xdg-open", "https://x/1"]);
        assert_eq!(words(&[("DISPLAY", ":0"), ("SSH_TTY", "/dev/pts/1")]), None);
        assert_eq!(words(&[]), None);
    }
}
