//! A shell command that is run for a change, with the change on its stdin. It has its own process group, so that no process it
//! started outlives its timeout.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::time::timeout;

use crate::files;
use crate::platform::{self, Group};
use crate::terminal;

/// How long a command may take to end after it was asked to.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A shell command and its timeout.
#[derive(Debug)]
pub(super) struct ShellCommand {
    pub text: String,
    /// Environment variables withheld from it: they hold keys and secrets.
    pub hidden: Vec<String>,
    pub patience: Duration,
}

impl ShellCommand {
    /// Runs the command once. Its stdout goes to this program's stderr, away from the lines. Dropping the future kills the
    /// command.
    pub async fn run(&self, json: &str) -> Result<(), String> {
        let not_run = |error: io::Error| format!("couldn't be run: {}", files::reason(&error));
        let mut child = self.spawn().map_err(not_run)?;
        let mut group = Group::of(&child);
        let ended = timeout(self.patience, fed(&mut child, json)).await;
        let Ok(ended) = ended else {
            group.ask();
            // Whether it ends in that time or not, the whole group is killed then.
            let _patient = timeout(LAST_WORDS, child.wait()).await;
            group.end();
            return Err(format!("didn't end within {} s and was ended", self.patience.as_secs_f64()));
        };
        group.let_go();
        let status = ended.map_err(|error| format!("couldn't be waited for: {}", files::reason(&error)))?;
        if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = platform::shell(&self.text);
        command.stdin(Stdio::piped()).kill_on_drop(true);
        terminal::without_keys(&mut command, &self.hidden);
        platform::lead_group(&mut command);
        // If stderr can't be duplicated, the command runs with its stdout discarded.
        command.stdout(platform::stderr_for_child().unwrap_or_else(|_| Stdio::null()));
        command.spawn()
    }
}

async fn fed(child: &mut Child, json: &str) -> io::Result<ExitStatus> {
    let stdin = child.stdin.take();
    let feeding = async {
        if let Some(mut stdin) = stdin {
            // A command may end without reading its stdin.
            if let Err(error) = stdin.write_all(format!("{json}\n").as_bytes()).await {
                tracing::debug!(%error, "the command did not read the change");
            }
        }
    };
    let ((), ended) = tokio::join!(feeding, child.wait());
    ended
}
