//! Runs custom commands: each in its own process group, with the segments on stdin. Stopping one also ends its child processes.
//! Output is passed on as it arrives, in bounded chunks and without escape sequences.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anstream::adapter::StripBytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::action::UserCommand;
use crate::app::{Event, RunEnd, RunNews, RunOutcome, RunRequest};
use crate::platform::{self, Group};
use crate::segment::Segment;

use super::variables::Variables;

/// Maximum output kept of a run, in bytes.
const MOST: usize = 1024 * 1024;
/// Maximum bytes read at once.
const PART: usize = 16 * 1024;
/// How long a program has to exit when asked to, before it is killed.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long to read on after the program has exited while a child process still holds its output open.
const LATE_OUTPUT: Duration = Duration::from_millis(300);

/// Runs a program and reports its output and outcome. Completes when the program ends; dropping it kills the program.
pub(super) async fn run(order: RunRequest, variables: Variables, events: mpsc::Sender<Event>, stop: CancellationToken) {
    let started = Instant::now();
    let run = order.run;
    let mut teller = OutputForwarder { run, events, kept: 0, dropped: 0 };
    let outcome = match start(&order.command, &variables) {
        Ok(child) => Running::of(child, order.command.timeout).until_end(order.subjects, &mut teller, &stop).await,
        Err(error) => RunOutcome::NotStarted(format!("{}: {error}", order.command.program)),
    };
    let end = RunEnd { outcome, took: started.elapsed(), dropped: teller.dropped };
    teller.tell(RunNews::Ended(end)).await;
}

fn start(command: &UserCommand, variables: &Variables) -> io::Result<Child> {
    let mut program = Command::new(&command.program);
    program.args(&command.arguments);
    for name in &variables.removed {
        program.env_remove(name);
    }
    program.envs(variables.set.iter().map(|(name, value)| (name, value)));
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    platform::lead_group(&mut program);
    program.spawn()
}

/// Forwards output, up to a limit.
struct OutputForwarder {
    run: u64,
    events: mpsc::Sender<Event>,
    kept: usize,
    dropped: u64,
}

impl OutputForwarder {
    async fn tell(&self, news: RunNews) {
        // An error means that the interface is gone.
        let _nobody_reads = self.events.send(Event::Ran(self.run, news)).await;
    }

    async fn wrote(&mut self, stream: &mut Text, bytes: &[u8]) {
        let (kept, dropped) = bytes.split_at(bytes.len().min(MOST - self.kept));
        let text = stream.take(kept);
        if !text.is_empty() {
            self.tell(RunNews::Wrote(text)).await;
        }
        if !dropped.is_empty() && self.dropped == 0 {
            self.tell(RunNews::Cut).await;
        }
        self.kept += kept.len();
        self.dropped += dropped.len() as u64;
    }
}

/// Decodes one stream: strips escape sequences and joins characters that were split between reads.
#[derive(Default)]
struct Text {
    escapes: StripBytes,
    begun: Vec<u8>,
}

impl Text {
    fn take(&mut self, bytes: &[u8]) -> String {
        let mut together = std::mem::take(&mut self.begun);
        together.extend_from_slice(bytes);
        let mut text = String::new();
        for chunk in together.utf8_chunks() {
            text.push_str(chunk.valid());
            let ends_here = chunk.invalid().as_ptr_range().end == together.as_ptr_range().end;
            match chunk.invalid() {
                [] => {}
                begun if ends_here && is_begun(begun) => self.begun = begun.to_vec(),
                _ => text.push('\u{fffd}'),
            }
        }
        // The variant for `str` would forget a sequence that was started in an earlier chunk.
        let plain: Vec<u8> = self.escapes.strip_next(text.as_bytes()).flatten().copied().collect();
        String::from_utf8_lossy(&plain).into_owned()
    }
}

/// Whether more bytes could complete this character.
fn is_begun(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// A running program.
struct Running {
    child: Child,
    /// Its process group, until released.
    group: Group,
    limit: Option<Duration>,
    /// Why it was asked to end.
    asked: Option<RunOutcome>,
    /// Deadline for the program, or for its output once it has exited.
    until: Option<Instant>,
}

impl Running {
    fn of(child: Child, limit: Option<Duration>) -> Self {
        let group = Group::of(&child);
        Self { child, group, limit, asked: None, until: limit.map(|limit| Instant::now() + limit) }
    }

    async fn until_end(
        mut self,
        subjects: Vec<Arc<Segment>>,
        teller: &mut OutputForwarder,
        stop: &CancellationToken,
    ) -> RunOutcome {
        let feeding = self.child.stdin.take().map(|stdin| tokio::spawn(feed(stdin, subjects)));
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let (mut out_text, mut err_text) = (Text::default(), Text::default());
        let (mut out_part, mut err_part) = (vec![0; PART], vec![0; PART]);
        let mut status = None;
        while status.is_none() || out.is_some() || err.is_some() {
            tokio::select! {
                read = part(&mut out, &mut out_part) => teller.wrote(&mut out_text, &out_part[..read]).await,
                read = part(&mut err, &mut err_part) => teller.wrote(&mut err_text, &err_part[..read]).await,
                ended = self.child.wait(), if status.is_none() => {
                    status = Some(ended);
                    self.until = Some(Instant::now() + LATE_OUTPUT);
                }
                () = stop.cancelled(), if self.asked.is_none() && status.is_none() => self.ask_to_end(RunOutcome::Stopped),
                () = until(self.until) => match (&status, self.limit) {
                    (Some(_), _) => break,
                    (None, Some(limit)) if self.asked.is_none() => self.ask_to_end(RunOutcome::TimedOut(limit)),
                    (None, _) => {
                        self.end();
                        self.until = None;
                    }
                },
            }
        }
        if let Some(feeding) = feeding {
            feeding.abort();
        }
        if self.asked.is_some() {
            // Ends any child processes it left behind.
            self.end();
        }
        self.group.let_go();
        self.asked.take().unwrap_or_else(|| status.map_or(RunOutcome::Stopped, outcome))
    }

    fn ask_to_end(&mut self, why: RunOutcome) {
        self.asked = Some(why);
        self.until = Some(Instant::now() + LAST_WORDS);
        self.group.ask();
    }

    fn end(&mut self) {
        self.group.end();
        // In case the group could not be set up.
        if let Err(error) = self.child.start_kill() {
            tracing::debug!(%error, "the program had ended already");
        }
    }
}

/// Reads the next chunk of a stream; the stream becomes `None` at its end or on an error.
async fn part<R: AsyncRead + Unpin>(stream: &mut Option<R>, bytes: &mut [u8]) -> usize {
    let Some(open) = stream else { return std::future::pending().await };
    if let Ok(read @ 1..) = open.read(bytes).await {
        return read;
    }
    *stream = None;
    0
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Writes the segments to the program's stdin as JSON in the API's format. The program need not read them.
async fn feed(mut stdin: ChildStdin, subjects: Vec<Arc<Segment>>) {
    let json = spawn_blocking(move || {
        let segments: Vec<&Segment> = subjects.iter().map(AsRef::as_ref).collect();
        serde_json::to_string(&segments)
    });
    let Ok(Ok(mut json)) = json.await else {
        tracing::warn!("the segments could not be written as JSON");
        return;
    };
    json.push('\n');
    if let Err(error) = stdin.write_all(json.as_bytes()).await {
        tracing::debug!(%error, "the program did not read all segments");
    }
}

fn outcome(status: io::Result<ExitStatus>) -> RunOutcome {
    match status {
        Ok(status) => status.code().map_or_else(|| RunOutcome::Ended(status.to_string()), RunOutcome::Exited),
        Err(error) => RunOutcome::Ended(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_split_anywhere_is_stripped_and_decoded() {
        let mut text = Text::default();
        let bytes = "\u{1b}[31mŁódź\u{1b}]0;title\u{7}\u{1b}[0m!\n".as_bytes();
        for at in 0..bytes.len() {
            let mut parts = Text::default();
            let (one, other) = bytes.split_at(at);
            assert_eq!(parts.take(one) + &parts.take(other), "Łódź!\n", "{at}");
        }
        assert_eq!(text.take(b"a\xffb"), "a\u{fffd}b");
    }
}
