//! The terminal: takes it over, feeds events to the state, draws, and always restores it.
//!
//! One loop waits for input, the sync actor, logged requests, timers and signals. It takes all events that are ready, updates the
//! state for each, then draws once, no more often than the eye can see. It blocks only to write to the terminal. The terminal is
//! restored before anything else is printed: at the end, on an error, on a panic in any thread, and on a signal. However the
//! session ends, the last requested changes are in the journal, or an error says that they may not be.

mod backend;
mod browser;
mod complaint;
mod console;
mod editor;
mod events;
mod jobs;
mod new_profile;
mod programs;
mod screen;
mod signals;
mod variables;

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::app::{self, Destination, EditorOutcome, Effect, Event, FormEffect, State, Targets, TaskResult};
use crate::clock;
use crate::keymap::Keymap;
use crate::remote::Exchange;
use crate::sync::{Command, SyncHandle};
use crate::theme::Name;
use crate::ui::{self, Look, Theme};

use jobs::Jobs;
use new_profile::runs_key_command;
use screen::Screen;
use signals::{SignalEvent, Signals};

pub use complaint::{print_message, prompt, write_line};
pub use console::TerminalSession;
pub use editor::edit_file;
pub use new_profile::{FormOutcome, ProfileService};
pub use screen::{restore, restore_on_panic};
pub use signals::{Signal, until_signalled};
pub use variables::without_keys;

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The user quit.
    Quit,
    /// The user switched to another profile.
    Switched(Destination),
    /// A signal asked the program to end.
    Signalled(Signal),
}

/// Why a session broke off.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The terminal can't be read or written.
    #[error("the terminal is gone")]
    Terminal(#[from] io::Error),
    /// Something panicked, or the sync actor stopped.
    #[error("internal error: the sync task stopped; see the log")]
    TaskStopped,
    /// The same, while the user was editing a text.
    #[error("internal error: the sync task stopped; see the log. Your edited text is kept in {}", .0.display())]
    TaskStoppedWhileEditing(PathBuf),
    /// The session ended with pending changes, and the journal could not be written in time.
    #[error("couldn't write the last changes to the journal within {} s, so the next session may not know them", JOURNAL_WRITE_TIMEOUT.as_secs())]
    JournalNotWritten,
}

/// The look and the keys of the interface.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Styles and symbols.
    pub theme: Theme,
    /// Every theme the user can switch to, adapted to this terminal.
    pub themes: Vec<(Name, Theme)>,
    /// Whether to ask the terminal for its background, because no theme was chosen.
    pub queries_background: bool,
    /// Key bindings.
    pub keymap: Keymap,
    /// The API key, for custom commands that are configured to get it.
    pub api_key: SecretString,
    /// Environment variables that hold API keys of profiles; external programs don't get them.
    pub key_variables: Vec<String>,
    /// Whether the first key panics, to test that the terminal is restored.
    pub panic_test: PanicTest,
}

/// Whether the interface panics on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PanicTest {
    /// Never.
    #[default]
    Off,
    /// On the first key.
    OnFirstKey,
}

/// Returns the columns and rows of the terminal.
///
/// # Errors
///
/// There is no terminal.
pub fn size() -> io::Result<(u16, u16)> {
    crossterm::terminal::size()
}

/// Runs the interface until the user quits or switches, or a signal arrives. Returns how it ended and the final state.
///
/// # Errors
///
/// Any [`SessionError`].
pub async fn run(
    console: &mut TerminalSession,
    state: State,
    sync: SyncHandle,
    requests: &mut mpsc::Receiver<Arc<Exchange>>,
    profile_service: &mut ProfileService,
    setup: &Setup,
) -> Result<(Ending, State), SessionError> {
    let TerminalSession { screen, signals } = console;
    screen.set_title(state.session.title())?;
    if setup.queries_background {
        screen::query_background()?;
    }
    let mut interface = Interface {
        state,
        setup,
        commands: sync.commands,
        jobs: Jobs::new(),
        screen,
        profile_tasks: profile_service.tasks.clone(),
        pending_key_command: None,
        pace: FramePace::default(),
        text: None,
        next_destination: None,
        targets: Targets::default(),
    };
    let mut sync_events = sync.events;
    let mut input = events::Input::open();
    let ending = interface
        .run_event_loop(&mut input, signals, profile_service, BackgroundEvents { sync: &mut sync_events, requests })
        .await;
    // Before the terminal is restored, so that input for the shell is not read here.
    input.close();
    let ending = match ending {
        // The last frame stays until the next session draws one, so it shows what is going on.
        Ok(ending @ Ending::Switched(_)) => interface.draw().map(|()| ending).map_err(SessionError::from),
        ending => ending,
    };
    // However it ends, the last requested changes are written to the journal.
    let Interface { state, commands, .. } = interface;
    drop(commands);
    let saved = tokio::time::timeout(JOURNAL_WRITE_TIMEOUT, drain(sync_events)).await.is_ok();
    let ending = ending?;
    if !saved && state.changes.counts().unfinished() > 0 {
        return Err(SessionError::JournalNotWritten);
    }
    Ok((ending, state))
}

/// The event sources that stay active whoever has the screen.
struct BackgroundEvents<'a> {
    sync: &'a mut mpsc::Receiver<crate::sync::Event>,
    requests: &'a mut mpsc::Receiver<Arc<Exchange>>,
}

impl BackgroundEvents<'_> {
    /// Waits for the next event. After a panic anywhere, nothing on screen can be trusted, so it is an error.
    async fn next(&mut self) -> Result<Event, SessionError> {
        tokio::select! {
            event = self.sync.recv() => event.map(Event::Sync).ok_or(SessionError::TaskStopped),
            Some(exchange) = self.requests.recv() => Ok(Event::Requested(exchange)),
            () = screen::panicked() => Err(SessionError::TaskStopped),
        }
    }
}

/// How long the sync actor can take to write the last commands to the journal.
const JOURNAL_WRITE_TIMEOUT: Duration = Duration::from_secs(3);

/// Waits until the sync actor has stopped: then all its commands are in the journal.
async fn drain(mut events: mpsc::Receiver<crate::sync::Event>) {
    while events.recv().await.is_some() {}
}

/// Maximum events processed before the next frame: enough for a paste, few enough for no visible delay.
const MAX_BATCH: usize = 512;

async fn drain_ready_events(
    input: &mut events::Input,
    background: &mut BackgroundEvents<'_>,
    jobs: &mut Jobs,
    batch: &mut Vec<Event>,
) -> io::Result<()> {
    while batch.len() < MAX_BATCH
        // Polled from this task, so that the input wakes this one: only the last waker is kept.
        && let Poll::Ready(event) = futures_util::poll!(input.next())
    {
        batch.push(event.ok_or_else(closed)??);
    }
    while batch.len() < MAX_BATCH
        && let Ok(event) = background.sync.try_recv()
    {
        batch.push(Event::Sync(event));
    }
    while batch.len() < MAX_BATCH
        && let Some(event) = jobs.try_next()
    {
        batch.push(event);
    }
    while batch.len() < MAX_BATCH
        && let Ok(exchange) = background.requests.try_recv()
    {
        batch.push(Event::Requested(exchange));
    }
    Ok(())
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the terminal was closed")
}

/// What the loop does next. If several are requested, the last one listed here wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LoopAction {
    Continue,
    Suspend,
    OpenEditor,
    AskForKey,
    Quit,
}

struct Interface<'a> {
    state: State,
    setup: &'a Setup,
    commands: mpsc::Sender<Command>,
    jobs: Jobs,
    screen: &'a mut Screen,
    /// To the service that tests connections and writes profiles.
    profile_tasks: mpsc::Sender<FormEffect>,
    /// A task that runs a command to get an API key, waiting for the terminal.
    pending_key_command: Option<FormEffect>,
    pace: FramePace,
    /// The text to edit as soon as the editor has the terminal.
    text: Option<String>,
    /// The profile to switch to, if any.
    next_destination: Option<Destination>,
    /// The click targets of the last frame.
    targets: Targets,
}

/// When the last frame was drawn and the next one is due.
#[derive(Debug, Default)]
struct FramePace {
    last_frame: Option<Instant>,
    /// Something changed since the last frame.
    redraw_pending: bool,
    /// An event arrived that must be drawn without delay.
    urgent: bool,
}

/// Minimum time between frames. The first key after a pause is drawn at once; a flood of events gets about 120 frames a second.
const MIN_FRAME_INTERVAL: Duration = Duration::from_millis(8);
/// Minimum time between frames that only show a list growing: loading the list needs the time more.
const MIN_LOADING_FRAME_INTERVAL: Duration = Duration::from_millis(50);

impl FramePace {
    /// How long to wait before the next frame; `None` if it can be drawn now.
    fn delay(&self, now: Instant) -> Option<Duration> {
        let elapsed = now.duration_since(self.last_frame?);
        let min_interval = if self.urgent { MIN_FRAME_INTERVAL } else { MIN_LOADING_FRAME_INTERVAL };
        min_interval.checked_sub(elapsed).filter(|wait| !wait.is_zero())
    }
}

/// Whether an event only reports that the list grew or that a request was made.
fn is_loading_progress(event: &Event) -> bool {
    use crate::sync::{Event as SyncEvent, Phase};
    matches!(
        event,
        Event::Requested(_) | Event::Sync(SyncEvent::PageReceived(_) | SyncEvent::PhaseChanged(Phase::Loading(_)))
    )
}

impl Interface<'_> {
    /// Processes events and draws, until the session ends.
    async fn run_event_loop(
        &mut self,
        input: &mut events::Input,
        signals: &mut Signals,
        profile_service: &mut ProfileService,
        mut background: BackgroundEvents<'_>,
    ) -> Result<Ending, SessionError> {
        let mut batch = Vec::new();
        self.draw()?;
        loop {
            tokio::select! {
                event = input.next() => batch.push(event.ok_or_else(closed)??),
                event = background.next() => batch.push(event?),
                signal_event = signals.next() => match signal_event {
                    SignalEvent::Exit(signal) => return Ok(Ending::Signalled(signal)),
                    SignalEvent::Continued => self.reacquire()?,
                },
                result = profile_service.results.recv() => batch.push(profile_event(result)?),
                event = self.next() => batch.extend(event),
            }
            drain_ready_events(input, &mut background, &mut self.jobs, &mut batch).await?;
            match self.handle_batch(&mut batch) {
                LoopAction::Continue => {}
                LoopAction::Quit => return Ok(self.ending()),
                LoopAction::AskForKey => {
                    input.close();
                    self.ask_for_key(signals, profile_service, &mut background).await?;
                    *input = events::Input::open_discarding_input()?;
                    self.draw()?;
                }
                action => {
                    // The reader would swallow input meant for the shell or the editor.
                    input.close();
                    let edited = self.edit_or_suspend(action, &mut background).await?;
                    *input =
                        if edited.is_some() { events::Input::open_discarding_input()? } else { events::Input::open() };
                    if let Some(edited) = edited {
                        if let Some(signal) = signals.take_pending() {
                            return Ok(Ending::Signalled(signal));
                        }
                        self.handle_event(Event::TextEdited(edited));
                    }
                    self.draw()?;
                }
            }
            self.draw_if_due()?;
        }
    }

    /// Processes events, up to one that ends the session.
    fn handle_batch(&mut self, batch: &mut Vec<Event>) -> LoopAction {
        let mut action = LoopAction::Continue;
        for event in batch.drain(..) {
            if action != LoopAction::Continue && matches!(event, Event::Key(_) | Event::Paste(_) | Event::Mouse(_)) {
                // It was typed for what comes next, not for the tree.
                continue;
            }
            action = action.max(self.handle_event(event));
            if action == LoopAction::Quit {
                break;
            }
        }
        action
    }

    fn handle_event(&mut self, event: Event) -> LoopAction {
        if self.setup.panic_test == PanicTest::OnFirstKey && matches!(event, Event::Key(_)) {
            panic_for_test();
        }
        self.pace.urgent |= !is_loading_progress(&event);
        self.update(Event::Time(clock::now()));
        self.update(match event {
            // Resolved against the last frame, which is what the user saw.
            Event::Mouse(mouse) => self.targets.event(mouse),
            event => event,
        })
    }

    fn update(&mut self, event: Event) -> LoopAction {
        let mut action = LoopAction::Continue;
        for effect in app::update(&mut self.state, &self.setup.keymap, event) {
            match effect {
                Effect::Sync(command) => {
                    if let Err(refused) = self.commands.try_send(command) {
                        self.update(Event::Undelivered(refused.into_inner()));
                    }
                }
                Effect::Search(job) => self.jobs.search(job),
                Effect::Check(job) => self.jobs.check(job),
                Effect::Sort(job) => self.jobs.sort(job),
                Effect::Run(request) => {
                    let Setup { api_key, key_variables, .. } = self.setup;
                    let variables = variables::variables(&request, &self.state.session, api_key, key_variables);
                    self.jobs.run(*request, variables);
                }
                Effect::StopRun => self.jobs.stop_program(),
                Effect::Browse(url) => self.jobs.browse(url, self.setup.key_variables.clone()),
                Effect::Copy(text) => self.copy(&text),
                Effect::EditText { text } => {
                    self.text = Some(text);
                    action = action.max(LoopAction::OpenEditor);
                }
                Effect::RemoveText(file) => editor::remove(&file),
                Effect::Profile(form_effect) => action = action.max(self.send_form_effect(form_effect)),
                Effect::Switch(destination) => {
                    self.next_destination = Some(destination);
                    action = LoopAction::Quit;
                }
                Effect::Suspend => action = action.max(LoopAction::Suspend),
                Effect::Quit => action = LoopAction::Quit,
            }
        }
        action
    }

    fn ending(&mut self) -> Ending {
        self.next_destination.take().map_or(Ending::Quit, Ending::Switched)
    }

    /// Passes a task of the profile form to the service. A task that runs a command to get the API key waits until the command can
    /// have the terminal.
    fn send_form_effect(&mut self, form_effect: FormEffect) -> LoopAction {
        if runs_key_command(&form_effect) {
            self.pending_key_command = Some(form_effect);
            return LoopAction::AskForKey;
        }
        // The channel has room for all that a form can send, so this fails only if the service is gone.
        if self.profile_tasks.try_send(form_effect).is_err() {
            tracing::warn!("an order of the form for a profile could not be handed over");
        }
        LoopAction::Continue
    }

    /// Gives the terminal to a command that prints an API key: it may ask for a password, and two programs can't read from one
    /// terminal. The session continues in the background.
    async fn ask_for_key(
        &mut self,
        signals: &mut Signals,
        profile_service: &mut ProfileService,
        background: &mut BackgroundEvents<'_>,
    ) -> Result<(), SessionError> {
        let Some(form_effect) = self.pending_key_command.take() else { return Ok(()) };
        self.screen.close()?;
        new_profile::announce_key_command(&form_effect);
        self.profile_tasks.send(form_effect).await.map_err(|_| SessionError::TaskStopped)?;
        let result = self.handle_events_until(profile_service.results.recv(), background).await?;
        signals.discard_interrupt();
        self.screen.reopen()?;
        self.handle_event(profile_event(result)?);
        Ok(())
    }

    /// Processes events while another program has the screen, until `completion` completes: the sync actor keeps following
    /// and sending.
    async fn handle_events_until<T>(
        &mut self,
        completion: impl Future<Output = T>,
        background: &mut BackgroundEvents<'_>,
    ) -> Result<T, SessionError> {
        let mut completion = pin!(completion);
        loop {
            let event = tokio::select! {
                biased;
                outcome = &mut completion => return Ok(outcome),
                event = background.next() => event?,
                event = self.jobs.next() => event,
            };
            // None of these events can end the session or give the terminal away.
            self.handle_event(event);
        }
    }

    /// Copies a text to the clipboard. An error is only logged; if the terminal is gone, the next frame fails.
    fn copy(&mut self, text: &str) {
        if let Err(error) = self.screen.copy(text) {
            tracing::warn!(%error, "nothing could be copied");
        }
    }

    /// Takes over the terminal again after the process was stopped, and redraws everything.
    fn reacquire(&mut self) -> io::Result<()> {
        self.screen.reacquire()?;
        self.draw()
    }

    fn draw_if_due(&mut self) -> io::Result<()> {
        if self.pace.delay(Instant::now()).is_some() {
            self.pace.redraw_pending = true;
            return Ok(());
        }
        self.draw()
    }

    fn draw(&mut self) -> io::Result<()> {
        self.pace = FramePace { last_frame: Some(Instant::now()), redraw_pending: false, urgent: false };
        self.update(Event::Time(clock::now()));
        let (columns, rows) = size()?;
        if (columns, rows) != (self.state.screen.panes.columns, self.state.screen.panes.rows) {
            self.update(Event::Resized(columns, rows));
        }
        let screen = &self.state.screen;
        let named = screen.theme.or((screen.is_light && self.setup.queries_background).then_some(Name::Light));
        let theme = named.and_then(|named| self.setup.themes.iter().find(|(name, _)| *name == named));
        let theme = theme.map_or(&self.setup.theme, |(_, theme)| theme);
        let look = Look { theme, keymap: &self.setup.keymap };
        let state = &self.state;
        let targets = &mut self.targets;
        self.screen.draw(|frame| *targets = ui::draw(state, look, frame))
    }

    /// Waits for the outcome of a job, or until a frame is due without an event (`None`).
    async fn next(&mut self) -> Option<Event> {
        let wakeup = Self::wakeup(&self.pace, &self.state);
        tokio::select! {
            outcome = self.jobs.next() => Some(outcome),
            () = wakeup => None,
        }
    }

    async fn wakeup(pace: &FramePace, state: &State) {
        if pace.redraw_pending {
            return tokio::time::sleep(pace.delay(Instant::now()).unwrap_or_default()).await;
        }
        match state.next_wake() {
            Some(at) => {
                let wait = Duration::try_from(at.duration_since(clock::now())).unwrap_or_default();
                tokio::time::sleep(wait).await;
            }
            None => std::future::pending().await,
        }
    }

    /// Gives the terminal to the editor or the shell and takes it back. Returns the outcome of the edit, if there was one.
    async fn edit_or_suspend(
        &mut self,
        action: LoopAction,
        background: &mut BackgroundEvents<'_>,
    ) -> Result<Option<EditorOutcome>, SessionError> {
        self.screen.close()?;
        let edited = match self.text.take() {
            // A termination signal waits for the editor: two programs can't read from one terminal.
            Some(text) => {
                let setup = self.setup;
                let mut edit = pin!(editor::edit(&text, &setup.key_variables));
                match self.handle_events_until(edit.as_mut(), background).await {
                    Ok(edited) => Some(edited),
                    // The editor has the terminal; exiting now would leave two programs reading from it.
                    Err(error) => {
                        let file = match edit.await {
                            EditorOutcome::Saved { file, .. } => Some(file),
                            EditorOutcome::Failed { file, .. } => file,
                        };
                        return Err(file.map_or(error, SessionError::TaskStoppedWhileEditing));
                    }
                }
            }
            None => None,
        };
        if action == LoopAction::Suspend {
            signals::stop_until_continued()?;
        }
        self.screen.reopen()?;
        Ok(edited)
    }
}

/// An answer of the profile service, which lives as long as the session.
fn profile_event(result: Option<(u64, TaskResult)>) -> Result<Event, SessionError> {
    let (number, result) = result.ok_or(SessionError::TaskStopped)?;
    Ok(Event::Profile { number, result })
}

#[expect(clippy::panic, reason = "a test asks for it, to see that the terminal is given back")]
fn panic_for_test() -> ! {
    panic!("asked to panic at the first key");
}
