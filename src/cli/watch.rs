//! Following a tenant without a screen: a line for each change, and a command for it if wanted.

mod line;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr, eyre};
use jiff::tz::TimeZone;
use tokio::io::{AsyncWriteExt, Stdout};
use tokio::process::Command;
use tokio::time::timeout;

use crate::clock;
use crate::config::{self, Paths};
use crate::segment::Step;
use crate::sync::{self, Event, Notice, Phase, SegmentChange, Settings};
use crate::terminal::{self, Signal};

use super::arguments::{ConnectionArguments, LookArguments, WatchArguments, WatchFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::link::Link;

use line::Line;

pub(super) async fn run(
    arguments: WatchArguments,
    connection: ConnectionArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
) -> Result<Exit, Failure> {
    let look = LookArguments { poll: arguments.poll, ..LookArguments::default() };
    let link = Link::open(&connection, &look, &environment, &paths).await?;
    let since = arguments.since.map(Step);
    let mut sync = sync::start(
        Arc::clone(&link.client),
        Settings { since, tell_named: true, verify_every: None, ..link.sync_settings() },
    );
    let mut watch = Watch::new(&link.connection.tenant, since);
    let flags = connection.flags();
    let key_variables =
        config::interface(&flags, &environment, &paths).map(|interface| interface.key_variables).unwrap_or_default();
    let (format, exec, zone) = (arguments.format, arguments.exec, TimeZone::system());
    let mut output = Output { format, exec, key_variables, out: tokio::io::stdout(), zone };
    let mut signalled = pin!(terminal::until_signalled());
    let ending = loop {
        let event = tokio::select! {
            event = sync.events.recv() => event,
            signal = &mut signalled => break Ending::Signalled(signal.wrap_err("couldn't wait for a signal")?),
        };
        let event = event.ok_or_else(|| eyre!("internal error: the sync task stopped; see the log"))?;
        let lines = watch.on_sync_event(event)?;
        if let Some(ending) = output.emit(lines, &mut watch.step, signalled.as_mut()).await? {
            break ending;
        }
    };
    if let (Some(step), Ending::Signalled(_)) = (watch.step, &ending) {
        terminal::complain(format_args!("stopped; resume with `--since {step}`"));
    }
    Ok(match ending {
        // For a program that runs until somebody stops it, this is how it ends.
        Ending::Signalled(Signal::Interrupt) | Ending::NobodyReads => Exit::Done,
        Ending::Signalled(signal) => Exit::Signalled(signal),
    })
}

/// Why there is nothing more to tell.
#[derive(Debug)]
enum Ending {
    Signalled(Signal),
    /// The reader of stdout has seen enough.
    NobodyReads,
}

/// How far the tenant was followed.
struct Watch {
    tenant: String,
    /// Whether the person named the step to begin at.
    since: Option<Step>,
    /// From where to go on after what was told so far.
    step: Option<Step>,
    synchronised: bool,
    offline: bool,
}

impl Watch {
    fn new(tenant: &str, since: Option<Step>) -> Self {
        Self { tenant: tenant.to_owned(), since, step: since, synchronised: false, offline: false }
    }

    /// The lines that an event gives. What a person should know goes to stderr.
    fn on_sync_event(&mut self, event: Event) -> Result<Vec<Line>, Report> {
        match event {
            Event::Listed { different } => return Ok(self.lines(different, None)),
            Event::Changed { seen, next } => return Ok(self.lines(seen, next)),
            Event::Synchronised { next, .. } => {
                self.step = Some(next);
                if !self.synchronised {
                    self.synchronised = true;
                    terminal::complain(format_args!(
                        "watching {} from step {}",
                        self.tenant,
                        self.since.unwrap_or(next)
                    ));
                }
            }
            Event::PhaseChanged(Phase::Offline { error, .. } | Phase::Stalled { error, .. }) => {
                if !self.synchronised && !error.fault.is_transient() {
                    return Err(error.into());
                }
                if !std::mem::replace(&mut self.offline, true) {
                    terminal::complain(format_args!("{error}; retrying"));
                }
            }
            Event::PhaseChanged(Phase::Silent { call, since }) => {
                terminal::complain(format_args!("no response for {} s while trying to {call}", since.as_secs()));
            }
            Event::PhaseChanged(Phase::Live) if self.offline => {
                self.offline = false;
                terminal::complain(format_args!("reconnected"));
            }
            Event::Noticed(Notice::StepRefused { step }) if !self.synchronised && self.since.is_some() => {
                return Err(eyre!("step {step} is no longer in the feed; start without --since to continue from now"));
            }
            Event::Noticed(notice) => terminal::complain(notice),
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Only the last line of a batch may be gone on from behind the batch.
    fn lines(&self, seen: Vec<SegmentChange>, next: Option<Step>) -> Vec<Line> {
        let time = clock::now();
        let mut lines: Vec<Line> = seen.into_iter().map(|one| Line::of(one, time, self.step)).collect();
        if let (Some(last), Some(_)) = (lines.last_mut(), next) {
            last.step = next;
        }
        lines
    }
}

/// How long a line that was begun may take to be read, when it is time to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the lines go.
struct Output {
    format: WatchFormat,
    exec: Option<String>,
    /// The variables that hold keys, which no command sees.
    key_variables: Vec<String>,
    out: Stdout,
    zone: TimeZone,
}

impl Output {
    /// Tells lines one after the other, up to a signal or a reader who has gone; a command that runs is waited for. `step` follows
    /// what was told.
    async fn emit(
        &mut self,
        lines: Vec<Line>,
        step: &mut Option<Step>,
        mut signalled: Pin<&mut impl Future<Output = io::Result<Signal>>>,
    ) -> Result<Option<Ending>, Report> {
        for line in lines {
            let mut ending = None;
            let written = {
                let mut writing = pin!(self.write(&line));
                tokio::select! {
                    biased;
                    written = &mut writing => Some(written),
                    signal = &mut signalled => {
                        ending = Some(Ending::Signalled(signal?));
                        // A line that is begun is finished, unless nobody reads it.
                        timeout(PATIENCE, writing).await.ok()
                    }
                }
            };
            let Some(written) = written else { return Ok(ending) };
            match written {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Some(Ending::NobodyReads)),
                other => other.wrap_err("couldn't write to stdout")?,
            }
            if let Some(command) = &self.exec
                && !self.execute(command, &line, &mut ending, signalled.as_mut()).await?
            {
                // `--since` is to begin with this change again.
                return Ok(ending);
            }
            *step = line.step.or(*step);
            if ending.is_some() {
                return Ok(ending);
            }
        }
        Ok(None)
    }

    /// Runs a command with the change on its stdin, again when it fails. One that fails each time is told, with the change, and is no
    /// reason to stop. Answers whether the change is dealt with: a command that fails once it is time to end isn't run again, since
    /// what ends this program at a terminal ends the command too.
    async fn execute(
        &self,
        command: &str,
        line: &Line,
        ending: &mut Option<Ending>,
        mut signalled: Pin<&mut impl Future<Output = io::Result<Signal>>>,
    ) -> Result<bool, Report> {
        let event = line.to_json().wrap_err("couldn't write the change as JSON")?;
        for tries in 1..=TRIES {
            let mut running = pin!(run_once(command, &self.key_variables, &event));
            let ran = tokio::select! {
                ran = &mut running => ran,
                signal = &mut signalled, if ending.is_none() => {
                    *ending = Some(Ending::Signalled(signal?));
                    running.await
                }
            };
            let outcome = match ran {
                Ok(status) if status.success() => return Ok(true),
                Ok(status) => format!("ended with {status}"),
                Err(error) => format!("couldn't be run: {error:#}"),
            };
            if ending.is_none() && tries < TRIES {
                tokio::select! {
                    () = tokio::time::sleep(TRIED_AGAIN * 2_u32.pow(tries - 1)) => continue,
                    signal = &mut signalled => *ending = Some(Ending::Signalled(signal?)),
                }
            }
            let times = if tries == 1 { String::new() } else { format!(" {tries} times,") };
            terminal::complain(format_args!("`{command}` {outcome},{times} for this change: {event}"));
            if ending.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = match self.format {
            WatchFormat::Text => line.to_text(&self.zone),
            WatchFormat::Ndjson => line.to_json()?,
        };
        text.push('\n');
        self.out.write_all(text.as_bytes()).await?;
        self.out.flush().await
    }
}

/// How often a command is run for one change in all, and the pause before the second time, which doubles with each further one.
const TRIES: u32 = 3;
const TRIED_AGAIN: Duration = Duration::from_millis(500);

/// Runs a command with the change on its stdin. What it writes to its stdout goes to this program's stderr, where it is in nobody's
/// way.
async fn run_once(command: &str, key_variables: &[String], event: &str) -> Result<ExitStatus, Report> {
    let mut run = Command::new("sh");
    run.args(["-c", command]).stdin(Stdio::piped());
    terminal::without_keys(&mut run, key_variables);
    #[cfg(unix)]
    {
        // A stderr that can't be had twice is no reason not to run it.
        let stdout = rustix::io::fcntl_dupfd_cloexec(io::stderr(), 0).map_or_else(|_| Stdio::null(), Stdio::from);
        run.stdout(stdout);
    }
    let mut child = run.spawn().wrap_err_with(|| format!("couldn't run `{command}`"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command may well end without reading.
        if let Err(error) = stdin.write_all(format!("{event}\n").as_bytes()).await {
            tracing::debug!(%error, "the command did not read the change");
        }
    }
    child.wait().await.wrap_err_with(|| format!("couldn't wait for `{command}`"))
}
