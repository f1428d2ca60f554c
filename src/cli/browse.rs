//! Opens the tree in the terminal: one session after the other for as long as the user switches tenants. If nothing is
//! configured, the form for a new profile comes first.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Report, WrapErr};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use tokio::runtime::{self, Runtime};

use crate::app::{Clock, Destination, Message, NewProfile, OpenedFrom, Session, State, View};
use crate::clock;
use crate::collation::set_language;
use crate::config::{self, ConfigError, Connection, Flags, Interface, KeylessConnection, Paths, SessionKeys};
use crate::files::{self, Readers};
use crate::keymap::KeyTexts;
use crate::sync::{self, Settings, SyncHandle};
use crate::terminal::{self, Ending, FormOutcome, ProfileService, SessionError, Setup, Signal, TerminalSession};

use super::arguments::{ConnectionArguments, LookArguments};
use super::exit::Exit;
use super::failure::{self, ErrorForm, Failure};
use super::link::{self, Link, RecordedLink};
use super::places::{self, Destinations};
use super::{look, profile_service};

/// Runs the network on threads of its own and the interface on this one, so that neither blocks the other.
pub(super) fn run<E>(
    arguments: &ConnectionArguments,
    look: &LookArguments,
    environment: E,
    paths: &Paths,
) -> Result<Exit, Failure>
where
    E: Fn(&str) -> Option<String> + Copy + Send + Sync + 'static,
{
    let network = super::runtime()?;
    let interface = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .wrap_err("couldn't start the async runtime of the interface")?;
    let flags = Flags { poll: look.poll, theme: look.theme, accessible: look.accessible, ..arguments.flags() };
    let keys = SessionKeys::default();
    let browser = Browser { flags, look, environment, paths, keys, network, interface };
    let code = browser.run(arguments.demo);
    browser.interface.shutdown_background();
    browser.network.shutdown_timeout(super::SHUTDOWN_TIMEOUT);
    code
}

/// What all sessions share.
struct Browser<'a, E> {
    flags: Flags,
    look: &'a LookArguments,
    environment: E,
    paths: &'a Paths,
    /// API keys that were typed and are not saved anywhere.
    keys: SessionKeys,
    network: Runtime,
    interface: Runtime,
}

/// A destination, and the link to it.
struct OpenDestination {
    destination: Destination,
    recorded_link: RecordedLink,
}

/// The start, according to flags, variables and the configuration.
enum Start {
    Demo,
    Connected(Box<Connection>),
    /// A profile whose key is not saved anywhere.
    WithoutKey(Box<KeylessConnection>),
    Nothing,
}

/// The result of opening a destination.
enum Opened {
    Destination(Box<OpenDestination>),
    /// The user was asked for a key that is not saved, or for a profile, and left.
    Cancelled,
    /// A signal arrived.
    Signalled(Signal),
}

impl<E> Browser<'_, E>
where
    E: Fn(&str) -> Option<String> + Copy + Send + Sync + 'static,
{
    fn run(&self, demo: bool) -> Result<Exit, Failure> {
        let is_interactive = io::stdout().is_terminal() && io::stdin().is_terminal();
        let start = self.start(demo, is_interactive)?;
        let interface = config::interface(&self.flags, &self.environment, self.paths)
            .map_err(|error| link::config_failure(&error))?;
        set_language(&interface.collation).map_err(Failure::usage)?;
        if !is_interactive {
            return Err(Failure::usage("the tree needs a terminal").hint("use `segtui tree` or `segtui export`"));
        }
        let first = match &start {
            Start::Connected(connection) => Some(connection.as_ref()),
            Start::WithoutKey(without) => Some(without.connection()),
            Start::Demo | Start::Nothing => None,
        };
        // On the normal screen, where it is still visible after quitting.
        if let Some(note) = first.and_then(link::key_note) {
            failure::note(note, ErrorForm::Text);
        }
        let destinations = Destinations::new(&self.flags, &self.environment, first);
        // Whatever can be checked is reported before the terminal is taken over.
        let ready = match start {
            Start::Connected(connection) => Ok(Opened::Destination(Box::new(OpenDestination {
                destination: destinations.first(),
                recorded_link: Link::to(*connection)?,
            }))),
            Start::Demo => Ok(Opened::Destination(Box::new(self.open_demo()?))),
            unready @ (Start::WithoutKey(_) | Start::Nothing) => Err(unready),
        };
        let mut console = self.interface.block_on(async { TerminalSession::open() }).wrap_err(TERMINAL_GONE)?;
        let mut profile_service = self
            .network
            .block_on(async { profile_service::open(&self.flags, self.environment, self.paths, self.keys.clone()) })?;
        let opened = match ready {
            Ok(opened) => opened,
            Err(Start::WithoutKey(without)) => {
                self.ask_for_key(*without, destinations.first(), &mut console, &mut profile_service, &interface)?
            }
            Err(_) => self.first_run(&mut console, &mut profile_service, &interface)?,
        };
        match opened {
            Opened::Destination(current) => {
                self.run_sessions(*current, &destinations, &mut console, &mut profile_service, &interface)
            }
            Opened::Cancelled => Ok(Exit::Done),
            Opened::Signalled(signal) => Ok(code(signal)),
        }
    }

    /// Determines the start. Missing settings can be asked for only at a terminal.
    fn start(&self, demo: bool, is_interactive: bool) -> Result<Start, Failure> {
        if demo {
            return Ok(Start::Demo);
        }
        match config::resolve(&self.flags, &self.environment, self.paths) {
            Ok(connection) => Ok(Start::Connected(Box::new(connection))),
            Err(ConfigError::NothingConfigured { .. }) if is_interactive => Ok(Start::Nothing),
            Err(ConfigError::NoKey(without)) if is_interactive => Ok(Start::WithoutKey(without)),
            Err(error) => Err(link::config_failure(&error)),
        }
    }

    fn first_run(
        &self,
        console: &mut TerminalSession,
        profile_service: &mut ProfileService,
        interface: &Interface,
    ) -> Result<Opened, Failure> {
        let form = NewProfile::new(OpenedFrom::FirstRun, profile_service.context.clone());
        match self.fill_in(form, console, profile_service, interface)? {
            FormOutcome::Saved(line) => self.open(Destination::Profile(line.name), console, profile_service, interface),
            FormOutcome::Demo => Ok(Opened::Destination(Box::new(self.open_demo()?))),
            FormOutcome::Cancelled => Ok(Opened::Cancelled),
            FormOutcome::Signalled(signal) => Ok(Opened::Signalled(signal)),
        }
    }

    /// Opens a profile whose key is not saved, with the key that was typed for it earlier in this session or is typed now.
    fn ask_for_key(
        &self,
        without: KeylessConnection,
        destination: Destination,
        console: &mut TerminalSession,
        profile_service: &mut ProfileService,
        interface: &Interface,
    ) -> Result<Opened, Failure> {
        let session_key = |without: &KeylessConnection| {
            let connection = without.connection();
            self.keys.get(&without.profile, &connection.base_url, &connection.tenant)
        };
        if session_key(&without).is_none() {
            let tenant = &without.connection().tenant;
            let form = NewProfile::for_key(profile_service.context.clone(), &without.profile, &without.address, tenant);
            match self.fill_in(form, console, profile_service, interface)? {
                FormOutcome::Saved(_) => {}
                FormOutcome::Cancelled | FormOutcome::Demo => return Ok(Opened::Cancelled),
                FormOutcome::Signalled(signal) => return Ok(Opened::Signalled(signal)),
            }
        }
        let Some(key) = session_key(&without) else {
            return Err(link::config_failure(&ConfigError::NoKey(Box::new(without))));
        };
        Ok(Opened::Destination(Box::new(OpenDestination {
            destination,
            recorded_link: Link::to(without.with_key(key))?,
        })))
    }

    fn fill_in(
        &self,
        mut form: NewProfile,
        console: &mut TerminalSession,
        profile_service: &mut ProfileService,
        interface: &Interface,
    ) -> Result<FormOutcome, Failure> {
        let setup = Setup {
            theme: look::theme(self.look, interface, None, &self.environment),
            themes: Vec::new(),
            queries_background: false,
            keymap: interface.keymap.clone(),
            api_key: SecretString::default(),
            key_variables: interface.key_variables.clone(),
            panic_test: look::panic_test(self.look),
        };
        let filled_in = self.interface.block_on(console.fill_in(&mut form, profile_service, &setup));
        Ok(filled_in.wrap_err(TERMINAL_GONE)?)
    }

    /// Runs one session after the other. If a destination can't be opened, the current one is opened again with the reason.
    fn run_sessions(
        &self,
        mut current: OpenDestination,
        destinations: &Destinations,
        console: &mut TerminalSession,
        profile_service: &mut ProfileService,
        interface: &Interface,
    ) -> Result<Exit, Failure> {
        let mut open_error: Option<String> = None;
        loop {
            let Prepared { mut state, sync, setup, view_file } = self.prepare(&current, destinations, interface)?;
            state.side.profiles.context.clone_from(&profile_service.context);
            if let Some(text) = open_error.take() {
                state.screen.message = Some(Message::warning(&text));
            }
            let requests = &mut current.recorded_link.requests;
            let ended = self.interface.block_on(terminal::run(console, state, sync, requests, profile_service, &setup));
            let (ending, state) = ended.map_err(session_failure)?;
            tracing::info!(?ending, "the session ends");
            if let Some(file) = &view_file {
                save_view(file, &state.view());
            }
            match ending {
                Ending::Quit => return Ok(Exit::Done),
                Ending::Signalled(signal) => return Ok(code(signal)),
                Ending::Switched(destination) => {
                    match self.open(destination.clone(), console, profile_service, interface) {
                        Ok(Opened::Destination(other)) => current = *other,
                        Ok(Opened::Cancelled) => {}
                        Ok(Opened::Signalled(signal)) => return Ok(code(signal)),
                        Err(failure) => open_error = Some(not_opened(&destination, &failure)),
                    }
                }
            }
        }
    }

    fn open(
        &self,
        destination: Destination,
        console: &mut TerminalSession,
        profile_service: &mut ProfileService,
        interface: &Interface,
    ) -> Result<Opened, Failure> {
        // Plain http was allowed only for the tenant of the start.
        let flags = Flags { insecure_http: None, ..self.flags.clone() };
        let resolved = |name: &str| config::resolve_profile(name, &flags, &self.environment, self.paths);
        let connection = match &destination {
            Destination::Demo => return Ok(Opened::Destination(Box::new(self.open_demo()?))),
            Destination::Start => config::resolve(&self.flags, &self.environment, self.paths),
            Destination::Profile(name) => match self.command_for_key(name) {
                None => resolved(name),
                Some(command) => {
                    let message = format!("segtui: running `{command}` for the API key of {name}");
                    console.with_screen_closed(&message, || resolved(name)).wrap_err(TERMINAL_GONE)?
                }
            },
        };
        let connection = match connection {
            Err(ConfigError::NoKey(without)) => {
                return self.ask_for_key(*without, destination, console, profile_service, interface);
            }
            other => other.map_err(|error| link::config_failure(&error))?,
        };
        let recorded_link = Link::to(connection)?;
        tracing::info!(?destination, "opened");
        Ok(Opened::Destination(Box::new(OpenDestination { destination, recorded_link })))
    }

    fn open_demo(&self) -> Result<OpenDestination, Failure> {
        let recorded_link = self.network.block_on(Link::demo(&self.flags, &self.environment))?;
        Ok(OpenDestination { destination: Destination::Demo, recorded_link })
    }

    /// Returns the command that prints the key of a profile. It may ask for a password at the terminal.
    fn command_for_key(&self, name: &str) -> Option<String> {
        let listed = config::list(&self.flags, &self.environment, self.paths).ok()?;
        listed.profiles.into_iter().find(|profile| profile.name == name)?.key_command
    }

    /// Returns the variables that hold keys, including those of profiles added since the start.
    fn key_variables(&self, interface: &Interface) -> Vec<String> {
        let mut names = interface.key_variables.clone();
        if let Ok(now) = config::interface(&self.flags, &self.environment, self.paths) {
            names.extend(now.key_variables);
        }
        names
    }

    fn prepare(
        &self,
        current: &OpenDestination,
        destinations: &Destinations,
        interface: &Interface,
    ) -> Result<Prepared, Failure> {
        let link = &current.recorded_link.link;
        let connection = &link.connection;
        let setup = Setup {
            theme: look::theme(self.look, interface, connection.colour, &self.environment),
            themes: look::themes(self.look, interface, connection.colour, &self.environment),
            queries_background: !interface.theme_is_chosen,
            keymap: interface.keymap.clone(),
            api_key: connection.api_key.clone(),
            key_variables: self.key_variables(interface),
            panic_test: look::panic_test(self.look),
        };
        // The demo's tenant is a new one each time.
        let uses_store = !self.look.no_store && current.destination != Destination::Demo;
        let session = Session {
            tenant: connection.tenant.clone(),
            host: connection.base_url.host(),
            base_url: connection.base_url.clone(),
            profile: connection.profile.clone(),
            access: connection.access,
            journalled: uses_store,
            protected: connection.protected,
            owned: connection.owned.clone(),
            open: connection.open.clone(),
            concurrency: connection.concurrency,
        };
        let clock = Clock { now: clock::now(), zone: TimeZone::system() };
        let (columns, rows) = terminal::size().wrap_err("couldn't get the terminal's size")?;
        let mut state = State::new(session, clock, columns, rows);
        state.screen.panes.accessible = interface.accessible;
        state.side.findings.rules.clone_from(&connection.rules);
        state.side.commands.commands.clone_from(&interface.commands);
        state.screen.key_texts = KeyTexts::of(&setup.keymap);
        let listed = config::list(&self.flags, &self.environment, self.paths);
        let colour = |colour| look::frame_colour(self.look, interface, colour, &self.environment);
        state.side.profiles = destinations.profiles_from(&current.destination, places::lines(listed, colour));
        let store =
            uses_store.then(|| self.paths.store_file(&connection.base_url, &connection.tenant, &connection.contexts));
        let view_file = store.as_ref().map(|store| store.with_extension("view.json"));
        let settings = Settings { store, ..link.sync_settings() };
        let _network = self.network.enter();
        let sync = sync::start(link.client.clone(), settings);
        if let Some(view) = view_file.as_deref().and_then(load_view) {
            state.restore_view(view);
        }
        Ok(Prepared { state, sync, setup, view_file })
    }
}

const TERMINAL_GONE: &str = "the terminal is gone";

/// Returns the failure for a session that broke off.
fn session_failure(error: SessionError) -> Failure {
    let is_unsaved = matches!(error, SessionError::JournalNotWritten);
    let failure = Failure::from(Report::new(error));
    if is_unsaved {
        failure.hint("check them on the server, and whether another program locks the store")
    } else {
        failure
    }
}

fn not_opened(destination: &Destination, failure: &Failure) -> String {
    let what = match destination {
        Destination::Profile(name) => name,
        Destination::Start => "the initial connection",
        Destination::Demo => "the demo",
    };
    format!("Couldn't open {what}: {failure}")
}

fn code(signal: Signal) -> Exit {
    Exit::Signalled(signal)
}

/// Everything that a session starts with.
struct Prepared {
    state: State,
    sync: SyncHandle,
    setup: Setup,
    /// The file in which the view is saved.
    view_file: Option<PathBuf>,
}

/// Returns the saved view, or `None` if there is none or it is invalid.
fn load_view(file: &Path) -> Option<View> {
    let text = files::read_text(file).ok()?;
    serde_json::from_str(&text).inspect_err(|error| tracing::warn!(%error, "the view can't be read")).ok()
}

/// Saves the view. A failure is only logged: it isn't worth bothering a user who is leaving.
fn save_view(file: &Path, view: &View) {
    let written = serde_json::to_string(view)
        .map_err(io::Error::from)
        .and_then(|text| files::replace_file(file, Readers::PersonOnly, |out| out.write_all(text.as_bytes())));
    if let Err(error) = written {
        tracing::warn!(%error, "the view can't be kept");
    }
}
