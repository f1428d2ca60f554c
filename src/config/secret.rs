//! Where a profile's API key comes from: the file itself, a variable, or a command such as a password manager.

use std::process::{Command, Stdio};

use secrecy::SecretString;

use super::file::Profile;
use super::{ConfigError, Environment};

/// A command that was to tell the key and did not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("couldn't get the API key: `{command}` {what}")]
pub struct CommandFault {
    /// The command.
    pub command: String,
    /// What went wrong with it.
    pub what: String,
}

/// The variable from which this program and its own copies take the key.
pub const KEY_VARIABLE: &str = "SEGTUI_API_KEY";

/// Takes the variables that hold keys out of what a program finds in its environment: this program's own, and those of profiles,
/// which have these names.
pub fn without_keys(command: &mut Command, names: &[String]) {
    for name in names {
        command.env_remove(name);
    }
    command.env_remove(KEY_VARIABLE);
}

/// The key of a profile, `None` when it tells no way to one. A command that tells it sees no key of another one, whose variables have
/// these names.
pub(super) fn of(
    profile: &Profile,
    environment: Environment<'_>,
    names: &[String],
) -> Result<Option<SecretString>, ConfigError> {
    if let Some(key) = &profile.api_key {
        return Ok(Some(key.clone()));
    }
    if let Some(variable) = &profile.api_key_env {
        let key =
            environment(variable).ok_or_else(|| ConfigError::KeyNotInEnvironment { variable: variable.clone() })?;
        return Ok(Some(key.into()));
    }
    match profile.api_key_command.as_deref() {
        Some([program, arguments @ ..]) => Ok(Some(first_line_of(program, arguments, names)?)),
        _ => Ok(None),
    }
}

/// Runs a command and takes the first line that it prints. It may ask the person for a password at the terminal. Waits until
/// the command has ended. It sees no key that is in a variable: those of profiles have these names.
///
/// # Errors
///
/// The command can't be run, fails or prints nothing.
pub fn first_line_of(program: &str, arguments: &[String], names: &[String]) -> Result<SecretString, CommandFault> {
    let fault = |what: String| {
        let command =
            std::iter::once(program).chain(arguments.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        CommandFault { command, what }
    };
    let mut command = Command::new(program);
    without_keys(command.args(arguments).stdin(Stdio::inherit()), names);
    let output = command.output().map_err(|error| fault(format!("couldn't be run: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("no output");
        return Err(fault(format!("failed ({}): {said}", output.status)));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    match printed.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(key) => Ok(key.to_owned().into()),
        None => Err(fault("printed nothing".into())),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn shell(script: &str) -> Result<SecretString, CommandFault> {
        first_line_of("sh", &["-c".into(), script.into()], &[])
    }

    #[test]
    fn the_first_line_of_a_command_is_the_key() {
        assert_eq!(shell("echo first:second; echo user: ola").unwrap().expose_secret(), "first:second");
    }

    #[test]
    fn a_command_sees_no_key_of_another_profile() {
        // One that is set wherever a test runs stands for one that holds a key.
        let script = ["-c".to_owned(), "echo \"seen: $HOME!\"".to_owned()];
        let seen = first_line_of("/bin/sh", &script, &["HOME".into()]).unwrap();
        assert_eq!(seen.expose_secret(), "seen: !");
    }

    #[test]
    fn a_command_that_fails_is_told_with_its_words() {
        let error = shell("echo locked >&2; exit 3").unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("locked"), "{error}");
        assert!(shell("true").unwrap_err().to_string().ends_with("printed nothing"));
        assert!(first_line_of("/no/such/program", &[], &[]).unwrap_err().to_string().contains("couldn't be run"));
    }
}
