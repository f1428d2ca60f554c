//! The system's keyring, accessed with its command line tools: `secret-tool` of libsecret on Linux and the BSDs, `security` on
//! macOS.
//!
//! Why not the `keyring` crate: on Linux, only the Secret Service keeps keys across restarts, and a build for it that needs no
//! system library adds some sixty crates for one call per start. Keys in the kernel's keyring are lost when the machine restarts.
//! Getting a key from a command is not new either: the profile's `api_key_command` can be read, tried in a shell and changed. A
//! stored key is read back at once, so a keyring that accepts a key but doesn't return it is noticed while the key is still
//! known. There is no fallback: the caller decides what to do without a keyring.

use std::process::{Output, Stdio};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::secret::without_keys;

/// The owner of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// The tenant.
    pub tenant: String,
    /// The server's host.
    pub host: String,
}

/// Why the keyring did not store a key. Displayed as a sentence, and never contains the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringFault {
    /// The tool is not installed.
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
        /// Its error message.
        words: String,
    },
    /// The tool did not finish in the time that a user needs to enter a password.
    #[error("the keyring didn't respond in {} s; is it locked?", TOOL_TIMEOUT.as_secs())]
    TimedOut,
    /// The key was stored, but reading it back gave something else.
    #[error("the key was stored but can't be read back")]
    Lost,
}

fn package(tool: &str) -> &'static str {
    if tool == SECRET_TOOL { " (package libsecret-tools or libsecret)" } else { "" }
}

const SECRET_TOOL: &str = "secret-tool";
const SECURITY: &str = "security";
const SERVICE: &str = "segtui";

/// Long enough to enter the password of a locked keyring.
const TOOL_TIMEOUT: Duration = Duration::from_secs(60);

/// The keyring tool of this system.
const fn tool() -> Option<&'static str> {
    if cfg!(windows) {
        None
    } else if cfg!(target_os = "macos") {
        Some(SECURITY)
    } else {
        Some(SECRET_TOOL)
    }
}

/// Whether the keyring tool of this system is installed. Whether the keyring works is only known after it is used.
///
/// # Errors
///
/// The tool or the keyring is missing.
pub fn check_available(path: Option<&str>) -> Result<(), KeyringFault> {
    let tool = tool().ok_or(KeyringFault::NoKeyring)?;
    let mut folders = std::env::split_paths(path.unwrap_or_default());
    if folders.any(|folder| folder.join(tool).is_file()) { Ok(()) } else { Err(KeyringFault::NoTool { tool }) }
}

/// The command that prints the key of a tenant, for a profile's `api_key_command`.
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

/// Stores a key in the keyring, replacing an earlier one of the same tenant, and reads it back. `names` are the variables with
/// keys of profiles, which the tool doesn't see.
///
/// # Errors
///
/// Any [`KeyringFault`]. The keyring may still hold the earlier key then.
pub async fn store(owner: &KeyOwner, key: &SecretString, names: &[String]) -> Result<(), KeyringFault> {
    let tool = tool().ok_or(KeyringFault::NoKeyring)?;
    let KeyOwner { tenant, host } = owner;
    // The key is passed through a pipe, since every user of the machine can see arguments.
    let (arguments, input) = if tool == SECURITY {
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
    require_success(tool, run(tool, &arguments, Some(&input), names).await?)?;
    let lookup_command = lookup(owner);
    let found = require_success(tool, run(tool, &lookup_command[1..], None, names).await?)?;
    let found = String::from_utf8_lossy(&found.stdout);
    if found.trim_end_matches('\n') == key.expose_secret() { Ok(()) } else { Err(KeyringFault::Lost) }
}

/// A text quoted for `security -i`.
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
        // The tool exited without reading its input; its own error says why.
        tracing::debug!(%error, tool, "did not take its input");
    }
    let output = tokio::time::timeout(TOOL_TIMEOUT, child.wait_with_output()).await;
    output.map_err(|_| KeyringFault::TimedOut)?.map_err(failed)
}

fn require_success(tool: &'static str, output: Output) -> Result<Output, KeyringFault> {
    if output.status.success() {
        return Ok(output);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let words = stderr.lines().map(str::trim).find(|line| !line.is_empty());
    let words = words.map_or_else(|| format!("nothing ({})", output.status), str::to_owned);
    Err(KeyringFault::Refused { tool, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_reported() {
        let nowhere = tempfile::tempdir().unwrap();
        let fault = check_available(nowhere.path().to_str()).unwrap_err();
        assert!(fault.to_string().starts_with("keyring unavailable: "), "{fault}");
        if let Some(tool) = tool() {
            std::fs::write(nowhere.path().join(tool), "").unwrap();
            assert_eq!(check_available(nowhere.path().to_str()), Ok(()));
        }
    }

    #[test]
    fn every_server_and_tenant_has_its_own_key() {
        let owner = |tenant: &str, host: &str| KeyOwner { tenant: tenant.into(), host: host.into() };
        assert_ne!(lookup(&owner("acme", "one.example")), lookup(&owner("acme", "two.example")));
        assert_ne!(lookup(&owner("acme", "one.example")), lookup(&owner("other", "one.example")));
    }

    #[test]
    fn arguments_are_quoted_for_security() {
        assert_eq!(quoted(r#"a "b" \c"#), r#""a \"b\" \\c""#);
    }
}
