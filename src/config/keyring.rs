//! The system's keyring, by the command line tools that belong to it: `secret-tool` of libsecret on Linux and the BSDs,
//! `security` on macOS.
//!
//! Why not the `keyring` crate: what outlives a restart on Linux is the Secret Service, and a build that needs no library of
//! the system for it brings some sixty crates more, for one call at each start. Keys that only the kernel keeps are gone
//! with the next start of the machine. And a key that is asked for by a command is nothing new: the profile says
//! `api_key_command`, which a person can read, try in a shell and change. What is stored is read back at once, so a keyring
//! that takes a key and does not give it is found out while the key is still at hand. There is no other place to fall back to:
//! whoever asks decides what to do without.

use std::process::{Output, Stdio};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::secret::without_keys;

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// The tenant.
    pub tenant: String,
    /// The server's host.
    pub host: String,
}

/// Why the keyring has not taken a key. Reads as a sentence, and never holds the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringFault {
    /// There is no tool for it.
    #[error("keyring unavailable: {tool} is not installed{}", package(.tool))]
    NoTool {
        /// The tool.
        tool: &'static str,
    },
    /// No keyring is known on this system.
    #[error("no keyring is supported on this system")]
    NoKeyring,
    /// The tool failed.
    #[error("the keyring rejected the key: {tool}: {words}")]
    Refused {
        /// The tool.
        tool: &'static str,
        /// Its words.
        words: String,
    },
    /// The tool took longer than a person needs for a password.
    #[error("the keyring didn't respond in {} s; is it locked?", PATIENCE.as_secs())]
    TimedOut,
    /// It was stored, and something else came back.
    #[error("the key was stored but can't be read back")]
    Lost,
}

fn package(tool: &str) -> &'static str {
    if tool == SECRET_TOOL { " (package libsecret-tools or libsecret)" } else { "" }
}

const SECRET_TOOL: &str = "secret-tool";
const SECURITY: &str = "security";
const SERVICE: &str = "segtui";

/// Long enough to type the password of a keyring that is locked.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tool of this system.
const fn tool() -> Option<&'static str> {
    if cfg!(windows) {
        None
    } else if cfg!(target_os = "macos") {
        Some(SECURITY)
    } else {
        Some(SECRET_TOOL)
    }
}

/// Whether the tool of this system is there; not whether the keyring answers, which is only known when it is asked.
///
/// # Errors
///
/// What is missing.
pub fn at_hand(path: Option<&str>) -> Result<(), KeyringFault> {
    let tool = tool().ok_or(KeyringFault::NoKeyring)?;
    let mut folders = std::env::split_paths(path.unwrap_or_default());
    if folders.any(|folder| folder.join(tool).is_file()) { Ok(()) } else { Err(KeyringFault::NoTool { tool }) }
}

/// The command that tells the key of a tenant, as a profile's `api_key_command` has it.
#[must_use]
pub fn lookup(owner: &KeyOwner) -> Vec<String> {
    let KeyOwner { tenant, host } = owner;
    let words: &[&str] = if tool() == Some(SECURITY) {
        &[SECURITY, "find-generic-password", "-s", SERVICE, "-a", &account(owner), "-w"]
    } else {
        &[SECRET_TOOL, "lookup", "service", SERVICE, "tenant", tenant, "host", host]
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn account(owner: &KeyOwner) -> String {
    format!("{}@{}", owner.tenant, owner.host)
}

/// Puts a key into the keyring, in the place of an earlier one of the same tenant, and reads it back. The tool sees no other key that
/// is in a variable: those of profiles have these names.
///
/// # Errors
///
/// Any [`KeyringFault`]. Then the keyring may still hold what was there before.
pub async fn store(owner: &KeyOwner, key: &SecretString, names: &[String]) -> Result<(), KeyringFault> {
    let tool = tool().ok_or(KeyringFault::NoKeyring)?;
    let KeyOwner { tenant, host } = owner;
    // The key goes through a pipe: what stands among the arguments, everybody on the machine can see.
    let (arguments, said) = if tool == SECURITY {
        let line = format!(
            "add-generic-password -U -s {SERVICE} -a {} -w {}\n",
            quoted(&account(owner)),
            quoted(key.expose_secret())
        );
        (vec!["-i".to_owned()], SecretString::from(line))
    } else {
        let label = format!("--label=segtui: API key of {tenant} at {host}");
        let words = ["store", &label, "service", SERVICE, "tenant", tenant, "host", host];
        (words.map(str::to_owned).into(), key.clone())
    };
    successful(tool, run(tool, &arguments, Some(&said), names).await?)?;
    let asked = lookup(owner);
    let found = successful(tool, run(tool, &asked[1..], None, names).await?)?;
    let found = String::from_utf8_lossy(&found.stdout);
    if found.trim_end_matches('\n') == key.expose_secret() { Ok(()) } else { Err(KeyringFault::Lost) }
}

/// As `security -i` reads it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

async fn run(
    tool: &'static str,
    arguments: &[String],
    input: Option<&SecretString>,
    names: &[String],
) -> Result<Output, KeyringFault> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyringFault::NoTool { tool },
        _ => KeyringFault::Refused { tool, words: error.to_string() },
    };
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new(tool);
    command.args(arguments).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    without_keys(command.as_std_mut(), names);
    let mut child = command.spawn().map_err(failed)?;
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input)
        && let Err(error) = pipe.write_all(input.expose_secret().as_bytes()).await
    {
        // It has ended without reading; why, it tells itself.
        tracing::debug!(%error, tool, "did not take its input");
    }
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    output.map_err(|_| KeyringFault::TimedOut)?.map_err(failed)
}

fn successful(tool: &'static str, output: Output) -> Result<Output, KeyringFault> {
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let words = said.lines().map(str::trim).find(|line| !line.is_empty());
    let words = words.map_or_else(|| format!("nothing ({})", output.status), str::to_owned);
    Err(KeyringFault::Refused { tool, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_there_is_told_with_what_to_install() {
        let nowhere = tempfile::tempdir().unwrap();
        let fault = at_hand(nowhere.path().to_str()).unwrap_err();
        assert!(fault.to_string().starts_with("keyring unavailable: "), "{fault}");
        if let Some(tool) = tool() {
            std::fs::write(nowhere.path().join(tool), "").unwrap();
            assert_eq!(at_hand(nowhere.path().to_str()), Ok(()));
        }
    }

    #[test]
    fn every_tenant_of_every_server_has_a_key_of_its_own() {
        let owner = |tenant: &str, host: &str| KeyOwner { tenant: tenant.into(), host: host.into() };
        assert_ne!(lookup(&owner("acme", "one.example")), lookup(&owner("acme", "two.example")));
        assert_ne!(lookup(&owner("acme", "one.example")), lookup(&owner("other", "one.example")));
    }

    #[test]
    fn what_a_line_of_words_would_take_apart_is_quoted() {
        assert_eq!(quoted(r#"a "b" \c"#), r#""a \"b\" \\c""#);
    }
}
