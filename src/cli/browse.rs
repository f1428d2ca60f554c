//! Opening the tree in the terminal.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use color_eyre::eyre::WrapErr;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Color;
use tokio::runtime;

use crate::app::{Clock, Session, State, View};
use crate::config::Paths;
use crate::keymap::Keymap;
use crate::mirror::{self, Mirror, Settings};
use crate::terminal::{self, Ending, Fragility, Setup};
use crate::ui::{Symbols, Theme, ThemeName};

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
    let Prepared { _link, state, mirror, setup, view_file } =
        network.block_on(prepare(arguments, look, environment, paths))?;
    let interface = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .wrap_err("could not start the asynchronous runtime of the interface")?;
    let ended = interface.block_on(terminal::run(state, mirror, &setup));
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
    let link = Link::open(arguments, look, &environment, paths).await?;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::usage("the tree needs a terminal; `segtui tree` and `segtui export` work without"));
    }
    let setup = Setup {
        theme: theme(look, link.connection.colour, &environment),
        keymap: Keymap::standard().wrap_err("the table of keys is faulty")?,
        fragility: fragility(look),
    };
    let session = Session {
        tenant: link.connection.tenant.clone(),
        host: link.connection.base_url.host(),
        profile: link.connection.profile.clone(),
        access: link.connection.access,
        journalled: !look.no_store && !arguments.demo,
        protected: link.connection.protected,
        owned: link.connection.owned.clone(),
    };
    let clock = Clock { now: Timestamp::now(), zone: TimeZone::system() };
    let (columns, rows) = terminal::size().wrap_err("could not ask the terminal for its size")?;
    let mut state = State::new(session, clock, columns, rows);
    // The demo is another one each time.
    let keeps = !look.no_store && !arguments.demo;
    let connection = &link.connection;
    let store = keeps.then(|| paths.store_file(&connection.base_url, &connection.tenant, &connection.contexts));
    let view_file = store.as_ref().map(|store| store.with_extension("view.json"));
    let mirror = mirror::start(link.client.clone(), Settings { store, ..link.mirror_settings() });
    if let Some(view) = view_file.as_deref().and_then(recalled) {
        state.recall(view);
    }
    Ok(Prepared { _link: link, state, mirror, setup, view_file })
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

/// `NO_COLOR` as on <https://no-color.org>: set to anything, it asks for no colour, the profile's included.
fn theme(look: &LookArguments, frame: Option<Color>, environment: &impl Fn(&str) -> Option<String>) -> Theme {
    let symbols = if look.ascii { Symbols::ASCII } else { Symbols::UNICODE };
    match frame {
        _ if environment("NO_COLOR").is_some() => Theme::colourless(symbols),
        Some(colour) => Theme::new(ThemeName::Dark, symbols).framed_in(colour),
        None => Theme::new(ThemeName::Dark, symbols),
    }
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

    #[test]
    fn the_colour_of_a_profile_gives_way_to_no_color() {
        let look = LookArguments::default();
        let plain = Theme::new(ThemeName::Dark, Symbols::UNICODE);
        assert_eq!(theme(&look, None, &|_| None), plain);
        assert_eq!(theme(&look, Some(Color::Red), &|_| None), plain.framed_in(Color::Red));
        let no_color = |name: &str| (name == "NO_COLOR").then(|| "1".into());
        assert_eq!(theme(&look, Some(Color::Red), &no_color), Theme::colourless(Symbols::UNICODE));
    }
}
