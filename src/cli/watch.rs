//! `segtui watch`: follows a tenant without a screen. Writes a line per change and can hand each change to a command or a URL.
//!
//! A change is handled once its line is written and its hook has accepted it. Only then does the position advance, also in the
//! state file, so nothing is skipped however the program ends, and a change that was in progress is delivered again. The position
//! advances by whole parts of the feed and not past a segment that can't be read, so the state file also records the changes
//! handled after it.

mod command;
mod delivery;
mod following;
mod line;
mod signals;
mod state;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::{WrapErr, eyre};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use tokio::io::{AsyncWriteExt, Stdout};
use tokio::time::timeout;

use crate::api::webhook::{Webhook, WebhookUrl};
use crate::config::{self, Environment, Paths};
use crate::remote::Remote;
use crate::segment::Step;
use crate::sync::{self, Settings};
use crate::terminal::Signal;

use super::arguments::{ConnectionArguments, LookArguments, OnError, WatchArguments, WatchFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::link::Link;
use super::notes::Notes;
use super::output::on_stdout;

use command::ShellCommand;
use delivery::{Delivery, DeliveryOutcome, Hook};
use following::{Following, no_feed, step_expired};
use line::{Line, Source};
use signals::Signals;
use state::StateFile;

pub(super) async fn run(
    arguments: WatchArguments,
    connection: ConnectionArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
    notes: Notes,
) -> Result<Exit, Failure> {
    let look = LookArguments { poll: arguments.poll, ..LookArguments::default() };
    let link = Link::open(&connection, &look, &environment, &paths).await?;
    if let Some(note) = link.key_note() {
        notes.note(note);
    }
    let delivery = delivery(&arguments, &connection, &link, &environment, &paths, notes)?;
    let (tenant, host) = (link.connection.tenant.clone(), link.connection.base_url.host());
    let state = arguments.state.as_deref().map(|path| StateFile::open(path, &tenant, &host)).transpose()?;
    let since = arguments.since.map(Step).or(state.as_ref().and_then(StateFile::step));
    let mut signals = Signals::listen();
    if let Some(step) = since {
        tokio::select! {
            checked = check_step(&link, &tenant, step) => checked?,
            signal = signals.next() => return Ok(exit_for(signal.wrap_err(NO_SIGNALS)?)),
        }
    }
    let mut sync = sync::start(
        Arc::clone(&link.client),
        Settings { since, report_named: true, verify_every: None, ..link.sync_settings() },
    );
    let mut following = Following::new(Source { tenant, host }, since, notes);
    let (format, zone) = (arguments.format, TimeZone::system());
    let (out, saved) = (tokio::io::stdout(), Instant::now());
    let mut output = Output { notes, format, delivery, state, saved, signals, out, zone };
    let ending = loop {
        let event = tokio::select! {
            event = sync.events.recv() => event,
            signal = output.signals.next() => break Ending::Signalled(signal.wrap_err(NO_SIGNALS)?),
        };
        let event = event.ok_or_else(|| eyre!("internal error: the sync task stopped; see the log"))?;
        let lines = following.on_sync_event(event)?;
        if let Some(ending) = output.emit(lines, &mut following.step).await? {
            break ending;
        }
    };
    output.end(ending, following.step)
}

const NO_SIGNALS: &str = "couldn't wait for a signal";
const NO_JSON: &str = "couldn't write the change as JSON";

/// Returns the exit code for a signal. An interrupt is the normal end of a program that runs until it is stopped.
const fn exit_for(signal: Signal) -> Exit {
    match signal {
        Signal::Interrupt => Exit::Done,
        other => Exit::Signalled(other),
    }
}

/// The environment variable with the secret that signs posts.
const SECRET_VARIABLE: &str = "SEGTUI_POST_SECRET";

/// Returns the hook to deliver changes to, if any.
fn delivery(
    arguments: &WatchArguments,
    connection: &ConnectionArguments,
    link: &Link,
    environment: Environment<'_>,
    paths: &Paths,
    notes: Notes,
) -> Result<Option<Delivery>, Failure> {
    let timeout = arguments.hook_timeout;
    let flags = connection.flags();
    if let Some(text) = arguments.exec.clone() {
        let interface = config::interface(&flags, environment, paths);
        let mut secret_variables = interface.map(|interface| interface.key_variables).unwrap_or_default();
        secret_variables.push(SECRET_VARIABLE.into());
        let hook = Hook::Command(ShellCommand { text, secret_variables, timeout });
        return Ok(Some(Delivery::new(hook, arguments.on_error.unwrap_or(OnError::Skip))));
    }
    let Some(text) = &arguments.post else {
        return match arguments.on_error {
            Some(_) => {
                Err(Failure::usage("--on-error is about --exec or --post").hint("add one of them, or leave it out"))
            }
            None => Ok(None),
        };
    };
    let url = WebhookUrl::parse(text, flags.insecure_http.unwrap_or_default()).map_err(|fault| {
        Failure::usage(format_args!("invalid address for --post: {fault}")).hint("correct the address")
    })?;
    let secret = secret(arguments, environment)?;
    if secret.is_none() {
        notes.note(format_args!("posts are not signed; set {SECRET_VARIABLE} or --post-secret-file"));
    }
    let roots = &link.connection.extra_roots.certificates;
    let webhook = Webhook::new(url, secret, roots, timeout).map_err(|what| {
        Failure::failed(format_args!("couldn't prepare the posts: {what}"))
            .hint("install ca-certificates or use --ca-file")
    })?;
    let hook = Hook::Post { webhook, run: fastrand::u64(..) };
    Ok(Some(Delivery::new(hook, arguments.on_error.unwrap_or(OnError::Retry))))
}

fn secret(arguments: &WatchArguments, environment: Environment<'_>) -> Result<Option<SecretString>, Failure> {
    let Some(path) = &arguments.post_secret_file else {
        return Ok(environment(SECRET_VARIABLE).map(SecretString::from));
    };
    let read = config::first_line_in_file(path).map_err(|what| {
        Failure::usage(format_args!("couldn't read the secret from {}: {what}", path.display()))
            .hint(format_args!("correct the file, or use {SECRET_VARIABLE}"))
    })?;
    Ok(Some(read))
}

/// Refuses a step beyond the end of the feed, which would be waited for in silence, perhaps for years after a typo, and a step
/// that the feed has dropped, which would leave a gap. If the feed can't be fetched now, following it will report why.
async fn check_step(link: &Link, tenant: &str, step: Step) -> Result<(), Failure> {
    let refusal = match link.client.changes(step, None).await {
        Ok(changes) if !changes.events.is_empty() || changes.next.is_some_and(|next| next > step) => return Ok(()),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let is_refused = refusal.as_ref().is_some_and(|error| error.fault.rejects_step());
    match sync::feed_end(&*link.client).await {
        Ok(Some(end)) if step > end => {
            let what = format!("step {step} is beyond the end of the feed, whose next step is {end}");
            Err(Failure::usage(what).hint("check the step and the tenant; without --since or --state it begins now"))
        }
        Ok(Some(end)) if is_refused && step < end => Err(step_expired(step)),
        Ok(Some(_)) => Ok(()),
        Ok(None) => refusal.map_or(Ok(()), |error| Err(no_feed(tenant, &error))),
        Err(error) => {
            tracing::warn!(%error, "it isn't known where the feed ends");
            Ok(())
        }
    }
}

/// Why watching ends.
#[derive(Debug)]
enum Ending {
    Signalled(Signal),
    /// The reader of stdout is gone.
    StdoutClosed,
    /// The hook failed and `--on-error stop` was given.
    Failed(String),
}

/// How long a line that is being written may take after a signal.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// How often handled changes are saved if no hook has to be spared a repeat.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// Writes lines, delivers them and saves the position.
struct Output {
    notes: Notes,
    format: WatchFormat,
    delivery: Option<Delivery>,
    state: Option<StateFile>,
    /// When the state was last saved.
    saved: Instant,
    signals: Signals,
    out: Stdout,
    zone: TimeZone,
}

impl Output {
    /// Handles lines one after the other, until something ends it. `step` advances with the handled lines.
    async fn emit(&mut self, lines: Vec<Line>, step: &mut Option<Step>) -> Result<Option<Ending>, Failure> {
        for line in lines {
            let outcome = line.outcome().wrap_err(NO_JSON)?;
            let is_repeat = self.state.as_ref().is_some_and(|state| state.is_handled(&outcome));
            if !is_repeat && let Some(ending) = self.process_line(&line).await? {
                return Ok(Some(ending));
            }
            *step = line.step.or(*step);
            if let Some(state) = &mut self.state {
                state.mark_handled(outcome);
            }
            self.save(*step)?;
            if let Some(signal) = self.signals.received() {
                return Ok(Some(Ending::Signalled(signal)));
            }
        }
        self.save(*step)?;
        Ok(None)
    }

    /// Writes and delivers a line. Returns why watching ends, if it does.
    async fn process_line(&mut self, line: &Line) -> Result<Option<Ending>, Failure> {
        if let WriteOutcome::Ended(ending) = self.write(line).await? {
            return Ok(Some(ending));
        }
        let Some(delivery) = &mut self.delivery else { return Ok(None) };
        let json = line.to_json().wrap_err(NO_JSON)?;
        Ok(match delivery.deliver(&json, &mut self.signals).await.wrap_err(NO_SIGNALS)? {
            DeliveryOutcome::Handled => None,
            DeliveryOutcome::Failed(why) => Some(Ending::Failed(why)),
            DeliveryOutcome::Interrupted => self.signals.received().map(Ending::Signalled),
        })
    }

    fn save(&mut self, step: Option<Step>) -> Result<(), Failure> {
        let Some(state) = &mut self.state else { return Ok(()) };
        let step_changed = step.is_some() && step != state.step();
        if let Some(step) = step {
            state.move_to(step);
        }
        if step_changed || self.delivery.is_some() || self.saved.elapsed() >= SAVE_INTERVAL {
            self.saved = Instant::now();
            state.save()?;
        }
        Ok(())
    }

    /// Writes a line. If a signal arrives meanwhile, the line is finished unless that takes longer than [`WRITE_TIMEOUT`].
    async fn write(&mut self, line: &Line) -> Result<WriteOutcome, Failure> {
        let mut text = match self.format {
            WatchFormat::Text => line.to_text(&self.zone),
            WatchFormat::Ndjson => line.to_json().wrap_err(NO_JSON)?,
        };
        text.push('\n');
        let out = &mut self.out;
        let mut writing = pin!(async {
            out.write_all(text.as_bytes()).await?;
            out.flush().await
        });
        let written = tokio::select! {
            biased;
            written = &mut writing => written,
            signal = self.signals.next() => {
                let signal = signal.wrap_err(NO_SIGNALS)?;
                match timeout(WRITE_TIMEOUT, writing).await {
                    Ok(written) => written,
                    Err(_) => return Ok(WriteOutcome::Ended(Ending::Signalled(signal))),
                }
            }
        };
        match written {
            Ok(()) => Ok(WriteOutcome::Complete),
            // A closed pipe is not an error.
            failed => on_stdout(failed).map(|()| WriteOutcome::Ended(Ending::StdoutClosed)),
        }
    }

    /// Saves the state, reports where to resume, and returns the exit code.
    fn end(&mut self, ending: Ending, step: Option<Step>) -> Result<Exit, Failure> {
        if let Some(state) = &mut self.state {
            state.save()?;
        }
        let resume = match (&self.state, step) {
            (Some(_), _) => "run it again with the same --state to resume".to_owned(),
            (None, Some(step)) => format!("resume with `--since {step}`"),
            (None, None) => "run it again to begin".to_owned(),
        };
        match ending {
            Ending::Signalled(signal) => {
                if step.is_some() {
                    self.notes.note(format_args!("stopped; {resume}"));
                }
                Ok(exit_for(signal))
            }
            Ending::StdoutClosed => Ok(Exit::Done),
            Ending::Failed(why) => Err(Failure::failed(why).hint(format_args!("mend what failed, then {resume}"))),
        }
    }
}

/// Whether a line was written.
enum WriteOutcome {
    Complete,
    Ended(Ending),
}
