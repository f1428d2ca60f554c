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

use crate::app::{self, Answer, Destination, Edited, Effect, Event, FormEffect, State, Targets};
use crate::clock;
use crate::keymap::Keymap;
use crate::remote::Exchange;
use crate::sync::{Command, SyncHandle};
use crate::theme::Name;
use crate::ui::{self, Look, Theme};

use jobs::Jobs;
use new_profile::asks_a_command;
use screen::Screen;
use signals::{Signals, Told};

pub use complaint::{ask, complain, write_line};
pub use console::TerminalSession;
pub use editor::edit_file;
pub use new_profile::{FilledIn, ProfileService};
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
pub enum Broken {
    /// The terminal can't be read or written.
    #[error("the terminal is gone")]
    Terminal(#[from] io::Error),
    /// Something panicked, or the sync actor stopped.
    #[error("internal error: the sync task stopped; see the log")]
    Part,
    /// The same, while the user was editing a text.
    #[error("internal error: the sync task stopped; see the log. Your edited text is kept in {}", .0.display())]
    PartWhileEditing(PathBuf),
    /// The session ended with pending changes, and the journal could not be written in time.
    #[error("couldn't write the last changes to the journal within {} s; the next start may not know them, so check them on the server", LAST_WORDS.as_secs())]
    Unsaved,
}

/// The look and the keys of the interface.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Styles and symbols.
    pub theme: Theme,
    /// Every theme the user can switch to, adapted to this terminal.
    pub themes: Vec<(Name, Theme)>,
    /// Whether to ask the terminal for its background, because no theme was chosen.
    pub asks_background: bool,
    /// Key bindings.
    pub keymap: Keymap,
    /// The API key, for custom commands that are configured to get it.
    pub api_key: SecretString,
    /// Environment variables that hold API keys of profiles; external programs don't get them.
    pub key_variables: Vec<String>,
    /// Whether the first key panics, to test that the terminal is restored.
    pub fragility: PanicTest,
}

/// Whether the interface panics on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PanicTest {
    /// Never.
    #[default]
    Sound,
    /// On the first key.
    FirstKeyPanics,
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
/// Any [`Broken`].
pub async fn run(
    console: &mut TerminalSession,
    state: State,
    sync: SyncHandle,
    requests: &mut mpsc::Receiver<Arc<Exchange>>,
    desk: &mut ProfileService,
    setup: &Setup,
) -> Result<(Ending, State), Broken> {
    let TerminalSession { screen, signals } = console;
    screen.set_title(state.session.title())?;
    if setup.asks_background {
        screen::ask_background()?;
    }
    let mut interface = Interface {
        state,
        setup,
        commands: sync.commands,
        jobs: Jobs::new(),
        screen,
        orders: desk.tasks.clone(),
        asking: None,
        pace: FramePace::default(),
        text: None,
        onward: None,
        targets: Targets::default(),
    };
    let mut sync_events = sync.events;
    let mut input = events::Input::open();
    let ending = interface.live(&mut input, signals, desk, Meanwhile { sync: &mut sync_events, requests }).await;
    // Before the terminal is restored, so that input for the shell is not read here.
    input.close();
    let ending = match ending {
        // The last frame stays until the next session draws one, so it shows what is going on.
        Ok(ending @ Ending::Switched(_)) => interface.draw().map(|()| ending).map_err(Broken::from),
        ending => ending,
    };
    // However it ends, the last requested changes are written to the journal.
    let Interface { state, commands, .. } = interface;
    drop(commands);
    let saved = tokio::time::timeout(LAST_WORDS, drain(sync_events)).await.is_ok();
    let ending = ending?;
    if !saved && state.changes.counts().unfinished() > 0 {
        return Err(Broken::Unsaved);
    }
    Ok((ending, state))
}

/// The event sources that stay active whoever has the screen.
struct Meanwhile<'a> {
    sync: &'a mut mpsc::Receiver<crate::sync::Event>,
    requests: &'a mut mpsc::Receiver<Arc<Exchange>>,
}

impl Meanwhile<'_> {
    /// Waits for the next event. After a panic anywhere, nothing on screen can be trusted, so it is an error.
    async fn next(&mut self) -> Result<Event, Broken> {
        tokio::select! {
            event = self.sync.recv() => event.map(Event::Sync).ok_or(Broken::Part),
            Some(exchange) = self.requests.recv() => Ok(Event::Requested(exchange)),
            () = screen::panicked() => Err(Broken::Part),
        }
    }
}

/// How long the sync actor can take to write the last commands to the journal.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Waits until the sync actor has stopped: then all its commands are in the journal.
async fn drain(mut events: mpsc::Receiver<crate::sync::Event>) {
    while events.recv().await.is_some() {}
}

/// Maximum events processed before the next frame: enough for a paste, few enough for no visible delay.
const BATCH: usize = 512;

async fn take_what_is_ready(
    input: &mut events::Input,
    meanwhile: &mut Meanwhile<'_>,
    jobs: &mut Jobs,
    batch: &mut Vec<Event>,
) -> io::Result<()> {
    while batch.len() < BATCH
        // Polled from this task, so that the input wakes this one: only the last waker is kept.
        && let Poll::Ready(event) = futures_util::poll!(input.next())
    {
        batch.push(event.ok_or_else(closed)??);
    }
    while batch.len() < BATCH
        && let Ok(event) = meanwhile.sync.try_recv()
    {
        batch.push(Event::Sync(event));
    }
    while batch.len() < BATCH
        && let Some(event) = jobs.ready()
    {
        batch.push(event);
    }
    while batch.len() < BATCH
        && let Ok(exchange) = meanwhile.requests.try_recv()
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
    orders: mpsc::Sender<FormEffect>,
    /// A task that runs a command to get an API key, waiting for the terminal.
    asking: Option<FormEffect>,
    pace: FramePace,
    /// The text to edit as soon as the editor has the terminal.
    text: Option<String>,
    /// The profile to switch to, if any.
    onward: Option<Destination>,
    /// The click targets of the last frame.
    targets: Targets,
}

/// When the last frame was drawn and the next one is due.
#[derive(Debug, Default)]
struct FramePace {
    drawn: Option<Instant>,
    /// Something changed since the last frame.
    owed: bool,
    /// An event arrived that must be drawn without delay.
    urgent: bool,
}

/// Minimum time between frames. The first key after a pause is drawn at once; a flood of events gets about 120 frames a second.
const FRAME: Duration = Duration::from_millis(8);
/// Minimum time between frames that only show a list growing: loading the list needs the time more.
const LEISURE: Duration = Duration::from_millis(50);

impl FramePace {
    /// How long to wait before the next frame; `None` if it can be drawn now.
    fn next(&self, now: Instant) -> Option<Duration> {
        let since = now.duration_since(self.drawn?);
        let least = if self.urgent { FRAME } else { LEISURE };
        least.checked_sub(since).filter(|wait| !wait.is_zero())
    }
}

/// Whether an event only reports that the list grew or that a request was made.
fn is_growth(event: &Event) -> bool {
    use crate::sync::{Event as Told, Phase};
    matches!(event, Event::Requested(_) | Event::Sync(Told::PageReceived(_) | Told::PhaseChanged(Phase::Loading(_))))
}

impl Interface<'_> {
    /// Processes events and draws, until the session ends.
    async fn live(
        &mut self,
        input: &mut events::Input,
        signals: &mut Signals,
        desk: &mut ProfileService,
        mut meanwhile: Meanwhile<'_>,
    ) -> Result<Ending, Broken> {
        let mut batch = Vec::new();
        self.draw()?;
        loop {
            tokio::select! {
                event = input.next() => batch.push(event.ok_or_else(closed)??),
                event = meanwhile.next() => batch.push(event?),
                told = signals.next() => match told {
                    Told::ToEnd(signal) => return Ok(Ending::Signalled(signal)),
                    Told::Continued => self.retake()?,
                },
                answer = desk.answers.recv() => batch.push(profile_event(answer)?),
                event = self.next() => batch.extend(event),
            }
            take_what_is_ready(input, &mut meanwhile, &mut self.jobs, &mut batch).await?;
            match self.take_all(&mut batch) {
                LoopAction::Continue => {}
                LoopAction::Quit => return Ok(self.ending()),
                LoopAction::AskForKey => {
                    input.close();
                    self.ask_for_key(signals, desk, &mut meanwhile).await?;
                    *input = events::Input::open_anew()?;
                    self.draw()?;
                }
                aside => {
                    // The reader would swallow input meant for the shell or the editor.
                    input.close();
                    let edited = self.step_aside(aside, &mut meanwhile).await?;
                    *input = if edited.is_some() { events::Input::open_anew()? } else { events::Input::open() };
                    if let Some(edited) = edited {
                        if let Some(signal) = signals.missed() {
                            return Ok(Ending::Signalled(signal));
                        }
                        self.take(Event::TextEdited(edited));
                    }
                    self.draw()?;
                }
            }
            self.draw_if_due()?;
        }
    }

    /// Processes events, up to one that ends the session.
    fn take_all(&mut self, batch: &mut Vec<Event>) -> LoopAction {
        let mut flow = LoopAction::Continue;
        for event in batch.drain(..) {
            if flow != LoopAction::Continue && matches!(event, Event::Key(_) | Event::Paste(_) | Event::Mouse(_)) {
                // It was typed for what comes next, not for the tree.
                continue;
            }
            flow = flow.max(self.take(event));
            if flow == LoopAction::Quit {
                break;
            }
        }
        flow
    }

    fn take(&mut self, event: Event) -> LoopAction {
        if self.setup.fragility == PanicTest::FirstKeyPanics && matches!(event, Event::Key(_)) {
            break_on_purpose();
        }
        self.pace.urgent |= !is_growth(&event);
        self.update(Event::Time(clock::now()));
        self.update(match event {
            // Resolved against the last frame, which is what the user saw.
            Event::Mouse(mouse) => self.targets.event(mouse),
            event => event,
        })
    }

    fn update(&mut self, event: Event) -> LoopAction {
        let mut flow = LoopAction::Continue;
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
                Effect::Run(order) => {
                    let Setup { api_key, key_variables, .. } = self.setup;
                    let variables = variables::variables(&order, &self.state.session, api_key, key_variables);
                    self.jobs.run(*order, variables);
                }
                Effect::StopRun => self.jobs.stop_program(),
                Effect::Browse(url) => self.jobs.browse(url, self.setup.key_variables.clone()),
                Effect::Copy(text) => self.copy(&text),
                Effect::EditText { text } => {
                    self.text = Some(text);
                    flow = flow.max(LoopAction::OpenEditor);
                }
                Effect::RemoveText(file) => editor::remove(&file),
                Effect::Profile(wish) => flow = flow.max(self.order(wish)),
                Effect::Switch(destination) => {
                    self.onward = Some(destination);
                    flow = LoopAction::Quit;
                }
                Effect::Suspend => flow = flow.max(LoopAction::Suspend),
                Effect::Quit => flow = LoopAction::Quit,
            }
        }
        flow
    }

    fn ending(&mut self) -> Ending {
        self.onward.take().map_or(Ending::Quit, Ending::Switched)
    }

    /// Passes a task of the profile form to the service. A task that runs a command to get the API key waits until the command can
    /// have the terminal.
    fn order(&mut self, wish: FormEffect) -> LoopAction {
        if asks_a_command(&wish) {
            self.asking = Some(wish);
            return LoopAction::AskForKey;
        }
        // The channel has room for all that a form can send, so this fails only if the service is gone.
        if self.orders.try_send(wish).is_err() {
            tracing::warn!("an order of the form for a profile could not be handed over");
        }
        LoopAction::Continue
    }

    /// Gives the terminal to a command that prints an API key: it may ask for a password, and two programs can't read from one
    /// terminal. The session continues in the background.
    async fn ask_for_key(
        &mut self,
        signals: &mut Signals,
        desk: &mut ProfileService,
        meanwhile: &mut Meanwhile<'_>,
    ) -> Result<(), Broken> {
        let Some(wish) = self.asking.take() else { return Ok(()) };
        self.screen.close()?;
        new_profile::tell_asking(&wish);
        self.orders.send(wish).await.map_err(|_| Broken::Part)?;
        let answer = self.unseen_until(desk.answers.recv(), meanwhile).await?;
        signals.forget_interrupt();
        self.screen.reopen()?;
        self.take(profile_event(answer)?);
        Ok(())
    }

    /// Processes events while another program has the screen, until `over` completes: the sync actor keeps following and sending.
    async fn unseen_until<T>(
        &mut self,
        over: impl Future<Output = T>,
        meanwhile: &mut Meanwhile<'_>,
    ) -> Result<T, Broken> {
        let mut over = pin!(over);
        loop {
            let event = tokio::select! {
                biased;
                outcome = &mut over => return Ok(outcome),
                event = meanwhile.next() => event?,
                event = self.jobs.next() => event,
            };
            // None of these events can end the session or give the terminal away.
            self.take(event);
        }
    }

    /// Copies a text to the clipboard. An error is only logged; if the terminal is gone, the next frame fails.
    fn copy(&mut self, text: &str) {
        if let Err(error) = self.screen.copy(text) {
            tracing::warn!(%error, "nothing could be copied");
        }
    }

    /// Takes over the terminal again after the process was stopped, and redraws everything.
    fn retake(&mut self) -> io::Result<()> {
        self.screen.retake()?;
        self.draw()
    }

    fn draw_if_due(&mut self) -> io::Result<()> {
        if self.pace.next(Instant::now()).is_some() {
            self.pace.owed = true;
            return Ok(());
        }
        self.draw()
    }

    fn draw(&mut self) -> io::Result<()> {
        self.pace = FramePace { drawn: Some(Instant::now()), owed: false, urgent: false };
        self.update(Event::Time(clock::now()));
        let (columns, rows) = size()?;
        if (columns, rows) != (self.state.screen.panes.columns, self.state.screen.panes.rows) {
            self.update(Event::Resized(columns, rows));
        }
        let screen = &self.state.screen;
        let named = screen.theme.or((screen.is_light && self.setup.asks_background).then_some(Name::Light));
        let theme = named.and_then(|named| self.setup.themes.iter().find(|(name, _)| *name == named));
        let theme = theme.map_or(&self.setup.theme, |(_, theme)| theme);
        let look = Look { theme, keymap: &self.setup.keymap };
        let state = &self.state;
        let targets = &mut self.targets;
        self.screen.draw(|frame| *targets = ui::draw(state, look, frame))
    }

    /// Waits for the outcome of a job, or until a frame is due without an event (`None`).
    async fn next(&mut self) -> Option<Event> {
        let alarm = Self::alarm(&self.pace, &self.state);
        tokio::select! {
            outcome = self.jobs.next() => Some(outcome),
            () = alarm => None,
        }
    }

    async fn alarm(pace: &FramePace, state: &State) {
        if pace.owed {
            return tokio::time::sleep(pace.next(Instant::now()).unwrap_or_default()).await;
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
    async fn step_aside(&mut self, flow: LoopAction, meanwhile: &mut Meanwhile<'_>) -> Result<Option<Edited>, Broken> {
        self.screen.close()?;
        let edited = match self.text.take() {
            // A termination signal waits for the editor: two programs can't read from one terminal.
            Some(text) => {
                let setup = self.setup;
                let mut edit = pin!(editor::edit(&text, &setup.key_variables));
                match self.unseen_until(edit.as_mut(), meanwhile).await {
                    Ok(edited) => Some(edited),
                    // The editor has the terminal; exiting now would leave two programs reading from it.
                    Err(broken) => {
                        let file = match edit.await {
                            Edited::Saved { file, .. } => Some(file),
                            Edited::Failed { file, .. } => file,
                        };
                        return Err(file.map_or(broken, Broken::PartWhileEditing));
                    }
                }
            }
            None => None,
        };
        if flow == LoopAction::Suspend {
            signals::stop_until_continued()?;
        }
        self.screen.reopen()?;
        Ok(edited)
    }
}

/// An answer of the profile service, which lives as long as the session.
fn profile_event(answer: Option<(u64, Answer)>) -> Result<Event, Broken> {
    let (number, answer) = answer.ok_or(Broken::Part)?;
    Ok(Event::Profile { number, answer })
}

#[expect(clippy::panic, reason = "a test asks for it, to see that the terminal is given back")]
fn break_on_purpose() -> ! {
    panic!("asked to panic at the first key");
}
