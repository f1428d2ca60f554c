//! A shell command that is run for a change, with the change on its stdin. It has its own process group, so that no process it
//! started outlives its timeout.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::time::timeout;

use crate::files;
use crate::platform::{self, ProcessGroup};
use crate::terminal;

/// How long a command may take to end after it was asked to.
const KILL_GRACE_PERIOD: Duration = Duration::from_secs(2);

/// A shell command and its timeout.
#[derive(Debug)]
pub(super) struct ShellCommand {
    pub text: String,
    /// Environment variables withheld from it: they hold keys and secrets.
    pub secret_variables: Vec<String>,
    pub timeout: Duration,
}

impl ShellCommand {
    /// Runs the command once. Its stdout goes to this program's stderr, away from the lines. Dropping the future kills the
    /// command.
    pub async fn run(&self, json: &str) -> Result<(), String> {
        let not_run = |error: io::Error| format!("couldn't be run: {}", files::reason(&error));
        let mut child = self.spawn().map_err(not_run)?;
        let mut group = ProcessGroup::of(&child);
        let result = timeout(self.timeout, write_and_wait(&mut child, json)).await;
        let Ok(result) = result else {
            group.terminate();
            // Whether it ends in that time or not, the whole group is killed then.
            let _exited = timeout(KILL_GRACE_PERIOD, child.wait()).await;
            group.kill();
            return Err(format!("didn't end within {} s and was ended", self.timeout.as_secs_f64()));
        };
        group.release();
        let status = result.map_err(|error| format!("couldn't be waited for: {}", files::reason(&error)))?;
        if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = platform::shell(&self.text);
        command.stdin(Stdio::piped()).kill_on_drop(true);
        terminal::without_keys(&mut command, &self.secret_variables);
        platform::new_process_group(&mut command);
        // If stderr can't be duplicated, the command runs with its stdout discarded.
        command.stdout(platform::stderr_for_child().unwrap_or_else(|_| Stdio::null()));
        command.spawn()
    }
}

async fn write_and_wait(child: &mut Child, json: &str) -> io::Result<ExitStatus> {
    let stdin = child.stdin.take();
    let feeding = async {
        if let Some(mut stdin) = stdin {
            // A command may end without reading its stdin.
            if let Err(error) = stdin.write_all(format!("{json}\n").as_bytes()).await {
                tracing::debug!(%error, "the command did not read the change");
            }
        }
    };
    let ((), result) = tokio::join!(feeding, child.wait());
    result
}
