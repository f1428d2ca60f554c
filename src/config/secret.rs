//! Where a profile's API key comes from: the configuration file itself, a variable, a separate file, or a command such as a
//! password manager.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret, SecretString};

use super::file::Profile;
use super::{ConfigError, Environment, resolve_path};
use crate::files;

/// A key command that gave no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("couldn't get the API key: `{command}` {what}")]
pub struct CommandFault {
    /// The command.
    pub command: String,
    /// What went wrong.
    pub what: String,
}

/// The variable with the key, for this program and for copies of it that commands start.
pub const KEY_VARIABLE: &str = "SEGTUI_API_KEY";

/// The variable that names a file with the key.
pub const KEY_FILE_VARIABLE: &str = "SEGTUI_API_KEY_FILE";

/// A key file that gave no key. Never contains what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("couldn't read the API key from {path}: {what}", path = .path.display())]
pub struct KeyFileFault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// Removes the variables that hold keys from a command's environment: this program's own, and those of profiles, given by
/// `names`.
pub fn without_keys(command: &mut Command, names: &[String]) {
    for name in names {
        command.env_remove(name);
    }
    command.env_remove(KEY_VARIABLE);
    // A copy of this program that is given a key must not find a second one.
    command.env_remove(KEY_FILE_VARIABLE);
}

/// The key from the key variables.
pub(super) fn from_variables(environment: Environment<'_>) -> Result<Option<SecretString>, ConfigError> {
    match (environment(KEY_VARIABLE), environment(KEY_FILE_VARIABLE)) {
        (Some(_), Some(_)) => Err(ConfigError::TwoKeys),
        (Some(key), None) => Ok(Some(key.into())),
        (None, Some(path)) => Ok(Some(read_key_file(Path::new(&path))?)),
        (None, None) => Ok(None),
    }
}

/// The key in a file.
///
/// # Errors
///
/// As for [`first_line_in_file`].
pub(super) fn read_key_file(path: &Path) -> Result<SecretString, KeyFileFault> {
    first_line_in_file(path).map_err(|what| KeyFileFault { path: path.to_owned(), what })
}

/// The first line of a file, without its line end. A file that others can access is refused, as ssh does with keys.
///
/// # Errors
///
/// A file that can't be read, has an empty first line, or is accessible to others although the user could change that. Never
/// contains what is in it.
pub fn first_line_in_file(path: &Path) -> Result<SecretString, String> {
    if let Some(mode) = files::exposed_mode(path) {
        return Err(format!("others can access it (mode {mode:04o}); run `chmod 600 {}`", path.display()));
    }
    let text = SecretString::from(files::read_text(path).map_err(|error| files::reason(&error))?);
    let line = text.expose_secret().lines().next().unwrap_or_default().trim_end_matches('\r');
    if line.trim().is_empty() {
        return Err("its first line is empty; expected the key".into());
    }
    Ok(line.to_owned().into())
}

/// The key of a profile in the configuration file `config`; `None` if the profile has no key setting. `names` are the variables
/// with keys of profiles, which a key command doesn't see.
pub(super) fn from_profile(
    profile: &Profile,
    config: &Path,
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
    if let Some(written) = &profile.api_key_file {
        return Ok(Some(read_key_file(&resolve_path(written, config, environment))?));
    }
    match profile.api_key_command.as_deref() {
        Some([program, arguments @ ..]) => Ok(Some(first_line_of(program, arguments, names)?)),
        _ => Ok(None),
    }
}

/// Runs a command, waits until it exits and returns the first line that it prints. It may ask the user for a password in the
/// terminal. `names` are the variables with keys of profiles, which the command doesn't see.
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
    let output = command.output().map_err(|error| fault(format!("couldn't be run: {}", files::reason(&error))))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stderr = stderr.lines().next().unwrap_or("no output");
        return Err(fault(format!("failed ({}): {stderr}", output.status)));
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    match stdout.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(key) => Ok(key.to_owned().into()),
        None => Err(fault("printed nothing".into())),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn shell(script: &str) -> Result<SecretString, CommandFault> {
        first_line_of("sh", &["-c".into(), script.into()], &[])
    }

    #[test]
    fn the_first_line_of_a_command_is_the_key() {
        assert_eq!(shell("echo first:second; echo user: ola").unwrap().expose_secret(), "first:second");
    }

    fn key_file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn the_first_line_of_a_file_is_the_key_with_its_spaces() {
        for text in ["first:se cond ", "first:se cond \n", "first:se cond \r\n", "first:se cond \nanother\n"] {
            let (_folder, path) = key_file(text, 0o600);
            assert_eq!(read_key_file(&path).unwrap().expose_secret(), "first:se cond ", "{text:?}");
        }
    }

    #[test]
    fn an_open_or_empty_key_file_is_refused() {
        for mode in [0o640, 0o604, 0o644, 0o620] {
            let (_folder, path) = key_file("hunter2\n", mode);
            let fault = read_key_file(&path).unwrap_err().to_string();
            let expected = format!(": others can access it (mode {mode:04o}); run `chmod 600 {}`", path.display());
            assert!(fault.ends_with(&expected) && !fault.contains("hunter2"), "{fault}");
        }
        for text in ["", "\n", "  \nhunter2\n"] {
            let (_folder, path) = key_file(text, 0o400);
            let fault = read_key_file(&path).unwrap_err().to_string();
            assert!(fault.ends_with("its first line is empty; expected the key"), "{fault}");
        }
        let fault = read_key_file(Path::new("/nonexistent/key")).unwrap_err().to_string();
        assert!(fault.starts_with("couldn't read the API key from /nonexistent/key: "), "{fault}");
    }

    #[test]
    fn a_command_does_not_see_the_keys_of_profiles() {
        // `HOME` is always set, so it stands in for a variable with a key.
        let script = ["-c".to_owned(), "echo \"seen: $HOME!\"".to_owned()];
        let seen = first_line_of("/bin/sh", &script, &["HOME".into()]).unwrap();
        assert_eq!(seen.expose_secret(), "seen: !");
    }

    #[test]
    fn a_failed_command_is_reported_with_its_message() {
        let error = shell("echo locked >&2; exit 3").unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("locked"), "{error}");
        assert!(shell("true").unwrap_err().to_string().ends_with("printed nothing"));
        assert!(first_line_of("/no/such/program", &[], &[]).unwrap_err().to_string().contains("couldn't be run"));
    }
}
