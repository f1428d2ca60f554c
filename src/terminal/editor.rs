//! Edits a text in the user's own editor.
//!
//! The text is someone's data, so only the user can read the file. It stays until the interface removes it, so that no error loses
//! what was typed.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::app::{EditorFault, EditorOutcome};
use crate::files;
use crate::platform::{self, DEFAULT_EDITOR};

use super::variables::without_keys;

/// Edits a text. The editor has the terminal until it exits.
pub(super) async fn edit(text: &str, key_variables: &[String]) -> EditorOutcome {
    let file = match write(text) {
        Ok(file) => file,
        Err(error) => {
            return EditorOutcome::Failed { fault: EditorFault::NotWritten(files::reason(&error)), file: None };
        }
    };
    match run(&editor_command(), &file, key_variables).await.and_then(|()| read(&file)) {
        Ok(text) => EditorOutcome::Saved { text, file },
        Err(fault) => EditorOutcome::Failed { fault, file: Some(file) },
    }
}

/// Edits a file while no interface has the terminal.
///
/// # Errors
///
/// The editor can't be started or fails. The file is as the editor left it.
pub async fn edit_file(file: &Path, key_variables: &[String]) -> Result<(), EditorFault> {
    run(&editor_command(), file, key_variables).await
}

/// Removes a text that is no longer needed.
pub(super) fn remove(file: &Path) {
    if let Err(error) = fs::remove_file(file) {
        tracing::warn!(%error, file = %file.display(), "an edited text could not be removed");
    }
}

fn write(text: &str) -> io::Result<PathBuf> {
    let mut file = tempfile::Builder::new().prefix("segtui-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_closed, path) = file.keep()?;
    Ok(path)
}

/// Reads by name, since many editors replace the file.
fn read(file: &Path) -> Result<String, EditorFault> {
    fs::read_to_string(file).map_err(|error| EditorFault::NotRead(files::reason(&error)))
}

/// The editor's command line.
fn editor_command() -> String {
    let set = |name| env::var(name).ok().filter(|command| !command.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| DEFAULT_EDITOR.to_owned())
}

async fn run(editor: &str, file: &Path, key_variables: &[String]) -> Result<(), EditorFault> {
    let words = platform::words(editor).filter(|words| !words.is_empty());
    let Some([program, arguments @ ..]) = words.as_deref() else {
        return Err(EditorFault::NoCommand(editor.to_owned()));
    };
    let not_started =
        |error: io::Error| EditorFault::NotStarted { editor: editor.to_owned(), reason: start_error_reason(&error) };
    let status = without_keys(Command::new(program).args(arguments).arg(file), key_variables)
        .status()
        .await
        .map_err(not_started)?;
    if status.success() {
        return Ok(());
    }
    let status = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
    Err(EditorFault::Unsuccessful { editor: editor.to_owned(), status })
}

/// For a missing program, the system's own message only says that there is no such file.
fn start_error_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such program".into(),
        _ => files::reason(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_command_is_split_as_a_shell_would() {
        let file = write("one\n").unwrap();
        run("sed -i -e 's/one/two words/'", &file, &[]).await.unwrap();
        assert_eq!(read(&file), Ok("two words\n".to_owned()));
        remove(&file);
        assert!(matches!(read(&file), Err(EditorFault::NotRead(_))));
    }

    #[tokio::test]
    async fn a_failing_editor_is_reported() {
        let failure = async |editor: &str| run(editor, Path::new("/dev/null"), &[]).await.unwrap_err();
        let unsuccessful = EditorFault::Unsuccessful { editor: "false".into(), status: "exit code 1".into() };
        assert_eq!(failure("false").await, unsuccessful);
        assert_eq!(failure("an 'open quote").await, EditorFault::NoCommand("an 'open quote".into()));
        assert!(matches!(failure("/no/such/editor -x").await, EditorFault::NotStarted { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_the_text() {
        use std::os::unix::fs::PermissionsExt;
        let file = write("one\n").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        remove(&file);
    }
}
