//! Opening the tree in the terminal.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::WrapErr;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Color;
use tokio::runtime;
use tokio::sync::mpsc;

use crate::app::{Clock, Session, State, View};
use crate::config::{self, Environment, Flags, Interface, Paths};
use crate::keymap::KeyTexts;
use crate::mirror::{self, Mirror, Settings};
use crate::remote::Exchange;
use crate::terminal::{self, Ending, Fragility, Setup};
use crate::theme::{Depth, Name, Symbols, Theme};

use super::Failure;
use super::arguments::{ConnectionArguments, LookArguments};
use super::link::Link;

/// Runs the network on threads of its own and the interface on this one, so that neither waits for the other.
pub(super) fn run(
    arguments: &ConnectionArguments,
    look: &LookArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: &Paths,
) -> Result<ExitCode, Failure> {
    let network = super::runtime()?;
    let Prepared { _link, state, mirror, requests, setup, view_file } =
        network.block_on(prepare(arguments, look, environment, paths))?;
    let interface = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .wrap_err("could not start the asynchronous runtime of the interface")?;
    let ended = interface.block_on(terminal::run(state, mirror, requests, &setup));
    interface.shutdown_background();
    let (ending, state) = ended.wrap_err("the terminal can't be used any more")?;
    tracing::info!(?ending, "leaving");
    if let Some(file) = &view_file {
        remember(file, &state.view());
    }
    network.shutdown_timeout(super::PATIENCE);
    Ok(match ending {
        Ending::Quit => ExitCode::SUCCESS,
        Ending::Signalled(signal) => ExitCode::from(signal.exit_code()),
    })
}

/// Everything that the interface begins with.
struct Prepared {
    _link: Link,
    state: State,
    mirror: Mirror,
    /// What is told of the requests to the server.
    requests: mpsc::Receiver<Arc<Exchange>>,
    setup: Setup,
    /// Where it is kept how things are arranged.
    view_file: Option<PathBuf>,
}

async fn prepare(
    arguments: &ConnectionArguments,
    look: &LookArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: &Paths,
) -> Result<Prepared, Failure> {
    let (link, requests) = Link::watched(arguments, look, &environment, paths).await?;
    let flags = Flags { theme: look.theme, ..arguments.flags() };
    let interface = config::interface(&flags, &environment, paths).map_err(Failure::usage)?;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::usage("the tree needs a terminal; `segtui tree` and `segtui export` work without"));
    }
    let setup = Setup {
        theme: theme(look, &interface, link.connection.colour, &environment),
        keymap: interface.keymap,
        api_key: link.connection.api_key.clone(),
        key_variables: interface.key_variables,
        fragility: fragility(look),
    };
    let session = Session {
        tenant: link.connection.tenant.clone(),
        host: link.connection.base_url.host(),
        base_url: link.connection.base_url.clone(),
        profile: link.connection.profile.clone(),
        access: link.connection.access,
        journalled: !look.no_store && !arguments.demo,
        protected: link.connection.protected,
        owned: link.connection.owned.clone(),
        open: link.connection.open.clone(),
    };
    let clock = Clock { now: Timestamp::now(), zone: TimeZone::system() };
    let (columns, rows) = terminal::size().wrap_err("could not ask the terminal for its size")?;
    let mut state = State::new(session, clock, columns, rows);
    state.own.commands = interface.commands;
    state.key_texts = KeyTexts::of(&setup.keymap);
    // The demo is another one each time.
    let keeps = !look.no_store && !arguments.demo;
    let connection = &link.connection;
    let store = keeps.then(|| paths.store_file(&connection.base_url, &connection.tenant, &connection.contexts));
    let view_file = store.as_ref().map(|store| store.with_extension("view.json"));
    let mirror = mirror::start(link.client.clone(), Settings { store, ..link.mirror_settings() });
    if let Some(view) = view_file.as_deref().and_then(recalled) {
        state.recall(view);
    }
    Ok(Prepared { _link: link, state, mirror, requests, setup, view_file })
}

/// How things were arranged the last time. Anything but a view in the file is as good as none.
fn recalled(file: &Path) -> Option<View> {
    let text = fs::read_to_string(file).ok()?;
    serde_json::from_str(&text).inspect_err(|error| tracing::warn!(%error, "the view can't be read")).ok()
}

/// Losing the arrangement is nothing to trouble a person with who is leaving.
fn remember(file: &Path, view: &View) {
    let written = serde_json::to_string(view).map_err(io::Error::from).and_then(|text| fs::write(file, text));
    if let Err(error) = written {
        tracing::warn!(%error, "the view can't be kept");
    }
}

/// `NO_COLOR` as on <https://no-color.org>: set to anything, it asks for no colour, the profile's and the person's own
/// included. The theme without colours takes none from the profile either.
fn theme(look: &LookArguments, interface: &Interface, frame: Option<Color>, environment: Environment<'_>) -> Theme {
    let symbols = if look.ascii { Symbols::ASCII } else { Symbols::UNICODE };
    if environment("NO_COLOR").is_some() {
        return Theme::colourless(symbols);
    }
    let changes = interface.styles.iter().map(|(name, change)| (name.as_str(), *change));
    let theme = Theme::new(interface.theme, symbols).with(changes);
    let theme = match frame {
        Some(colour) if interface.theme != Name::Mono => theme.framed_in(colour),
        _ => theme,
    };
    theme.within(Depth::of_terminal(environment))
}

#[cfg(debug_assertions)]
fn fragility(look: &LookArguments) -> Fragility {
    if look.panic_on_key { Fragility::FirstKeyPanics } else { Fragility::Sound }
}

#[cfg(not(debug_assertions))]
fn fragility(_: &LookArguments) -> Fragility {
    Fragility::Sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::StyleChange;

    fn in_true_colour(name: &str) -> Option<String> {
        (name == "COLORTERM").then(|| "truecolor".into())
    }

    #[test]
    fn no_color_goes_over_the_colours_of_the_profile_and_the_person() {
        let look = LookArguments::default();
        let change = StyleChange { fg: Some(Color::Rgb(255, 135, 0)), ..StyleChange::default() };
        let interface = Interface { styles: vec![("bad".into(), change)], ..Interface::default() };
        let plain = Theme::new(Name::Dark, Symbols::UNICODE).with([("bad", change)]);
        assert_eq!(theme(&look, &interface, None, &in_true_colour), plain);
        let framed = plain.framed_in(Color::Red);
        assert_eq!(theme(&look, &interface, Some(Color::Red), &in_true_colour), framed);
        let no_color = |name: &str| (name == "NO_COLOR").then(|| "1".into());
        assert_eq!(theme(&look, &interface, Some(Color::Red), &no_color), Theme::colourless(Symbols::UNICODE));
    }

    #[test]
    fn a_terminal_is_sent_no_colour_that_it_does_not_know() {
        let change = StyleChange { fg: Some(Color::Rgb(255, 135, 0)), ..StyleChange::default() };
        let interface = Interface { styles: vec![("bad".into(), change)], ..Interface::default() };
        let bad = |term: &'static str| {
            let environment = |name: &str| (name == "TERM").then(|| term.into());
            theme(&LookArguments::default(), &interface, None, &environment).bad.fg
        };
        assert_eq!(bad("tmux-256color"), Some(Color::Indexed(208)));
        assert_eq!(bad("linux"), Some(Color::Yellow));
    }

    #[test]
    fn the_theme_without_colours_takes_none_from_the_profile() {
        let interface = Interface { theme: Name::Mono, ..Interface::default() };
        let theme = theme(&LookArguments::default(), &interface, Some(Color::Red), &in_true_colour);
        assert_eq!(theme, Theme::new(Name::Mono, Symbols::UNICODE));
    }
}
