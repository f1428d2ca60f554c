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
use crate::app::{Event, RunEnd, RunEvent, RunOutcome, RunRequest};
use crate::platform::{self, ProcessGroup};
use crate::segment::Segment;

use super::variables::Variables;

/// Maximum output kept of a run, in bytes.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;
/// Maximum bytes read at once.
const READ_BUFFER_LEN: usize = 16 * 1024;
/// How long a program has to exit when asked to, before it is killed.
const KILL_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// How long to read on after the program has exited while a child process still holds its output open.
const LATE_OUTPUT_TIMEOUT: Duration = Duration::from_millis(300);

/// Runs a program and reports its output and outcome. Completes when the program ends; dropping it kills the program.
pub(super) async fn run(
    request: RunRequest,
    variables: Variables,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
) {
    let started = Instant::now();
    let run = request.run;
    let mut forwarder = OutputForwarder { run, events, kept: 0, dropped: 0 };
    let outcome = match start(&request.command, &variables) {
        Ok(child) => {
            Running::of(child, request.command.timeout).until_end(request.subjects, &mut forwarder, &stop).await
        }
        Err(error) => RunOutcome::NotStarted(format!("{}: {error}", request.command.program)),
    };
    let end = RunEnd { outcome, elapsed: started.elapsed(), dropped: forwarder.dropped };
    forwarder.send(RunEvent::Ended(end)).await;
}

fn start(command: &UserCommand, variables: &Variables) -> io::Result<Child> {
    let mut program = Command::new(&command.program);
    program.args(&command.arguments);
    for name in &variables.removed {
        program.env_remove(name);
    }
    program.envs(variables.set.iter().map(|(name, value)| (name, value)));
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    platform::new_process_group(&mut program);
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
    async fn send(&self, news: RunEvent) {
        // An error means that the interface is gone.
        let _sent = self.events.send(Event::Ran(self.run, news)).await;
    }

    async fn forward(&mut self, stream: &mut OutputDecoder, bytes: &[u8]) {
        let (kept, dropped) = bytes.split_at(bytes.len().min(MAX_OUTPUT_BYTES - self.kept));
        let text = stream.decode(kept);
        if !text.is_empty() {
            self.send(RunEvent::Wrote(text)).await;
        }
        if !dropped.is_empty() && self.dropped == 0 {
            self.send(RunEvent::Cut).await;
        }
        self.kept += kept.len();
        self.dropped += dropped.len() as u64;
    }
}

/// Decodes one stream: strips escape sequences and joins characters that were split between reads.
#[derive(Default)]
struct OutputDecoder {
    escapes: StripBytes,
    incomplete: Vec<u8>,
}

impl OutputDecoder {
    fn decode(&mut self, bytes: &[u8]) -> String {
        let mut joined = std::mem::take(&mut self.incomplete);
        joined.extend_from_slice(bytes);
        let mut text = String::new();
        for chunk in joined.utf8_chunks() {
            text.push_str(chunk.valid());
            let ends_here = chunk.invalid().as_ptr_range().end == joined.as_ptr_range().end;
            match chunk.invalid() {
                [] => {}
                incomplete if ends_here && is_incomplete_char(incomplete) => self.incomplete = incomplete.to_vec(),
                _ => text.push('\u{fffd}'),
            }
        }
        // The variant for `str` would forget a sequence that was started in an earlier chunk.
        let plain: Vec<u8> = self.escapes.strip_next(text.as_bytes()).flatten().copied().collect();
        String::from_utf8_lossy(&plain).into_owned()
    }
}

/// Whether more bytes could complete this character.
fn is_incomplete_char(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// A running program.
struct Running {
    child: Child,
    /// Its process group, until released.
    group: ProcessGroup,
    timeout: Option<Duration>,
    /// Why it was asked to end.
    stop_reason: Option<RunOutcome>,
    /// Deadline for the program, or for its output once it has exited.
    deadline: Option<Instant>,
}

impl Running {
    fn of(child: Child, timeout: Option<Duration>) -> Self {
        let group = ProcessGroup::of(&child);
        Self { child, group, timeout, stop_reason: None, deadline: timeout.map(|timeout| Instant::now() + timeout) }
    }

    async fn until_end(
        mut self,
        subjects: Vec<Arc<Segment>>,
        forwarder: &mut OutputForwarder,
        stop: &CancellationToken,
    ) -> RunOutcome {
        let writing_segments = self.child.stdin.take().map(|stdin| tokio::spawn(write_segments(stdin, subjects)));
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let (mut out_text, mut err_text) = (OutputDecoder::default(), OutputDecoder::default());
        let (mut out_buffer, mut err_buffer) = (vec![0; READ_BUFFER_LEN], vec![0; READ_BUFFER_LEN]);
        let mut status = None;
        while status.is_none() || out.is_some() || err.is_some() {
            tokio::select! {
                read = read_part(&mut out, &mut out_buffer) => forwarder.forward(&mut out_text, &out_buffer[..read]).await,
                read = read_part(&mut err, &mut err_buffer) => forwarder.forward(&mut err_text, &err_buffer[..read]).await,
                ended = self.child.wait(), if status.is_none() => {
                    status = Some(ended);
                    self.deadline = Some(Instant::now() + LATE_OUTPUT_TIMEOUT);
                }
                () = stop.cancelled(), if self.stop_reason.is_none() && status.is_none() => self.request_end(RunOutcome::Stopped),
                () = sleep_until_deadline(self.deadline) => match (&status, self.timeout) {
                    (Some(_), _) => break,
                    (None, Some(timeout)) if self.stop_reason.is_none() => self.request_end(RunOutcome::TimedOut(timeout)),
                    (None, _) => {
                        self.end();
                        self.deadline = None;
                    }
                },
            }
        }
        if let Some(writing_segments) = writing_segments {
            writing_segments.abort();
        }
        if self.stop_reason.is_some() {
            // Ends any child processes it left behind.
            self.end();
        }
        self.group.release();
        self.stop_reason.take().unwrap_or_else(|| status.map_or(RunOutcome::Stopped, outcome))
    }

    fn request_end(&mut self, reason: RunOutcome) {
        self.stop_reason = Some(reason);
        self.deadline = Some(Instant::now() + KILL_GRACE_PERIOD);
        self.group.terminate();
    }

    fn end(&mut self) {
        self.group.kill();
        // In case the group could not be set up.
        if let Err(error) = self.child.start_kill() {
            tracing::debug!(%error, "the program had ended already");
        }
    }
}

/// Reads the next chunk of a stream; the stream becomes `None` at its end or on an error.
async fn read_part<R: AsyncRead + Unpin>(stream: &mut Option<R>, bytes: &mut [u8]) -> usize {
    let Some(open) = stream else { return std::future::pending().await };
    if let Ok(read @ 1..) = open.read(bytes).await {
        return read;
    }
    *stream = None;
    0
}

async fn sleep_until_deadline(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Writes the segments to the program's stdin as JSON in the API's format. The program need not read them.
async fn write_segments(mut stdin: ChildStdin, subjects: Vec<Arc<Segment>>) {
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
        let mut text = OutputDecoder::default();
        let bytes = "\u{1b}[31mŁódź\u{1b}]0;title\u{7}\u{1b}[0m!\n".as_bytes();
        for at in 0..bytes.len() {
            let mut parts = OutputDecoder::default();
            let (one, other) = bytes.split_at(at);
            assert_eq!(parts.decode(one) + &parts.decode(other), "Łódź!\n", "{at}");
        }
        assert_eq!(text.decode(b"a\xffb"), "a\u{fffd}b");
    }
}
