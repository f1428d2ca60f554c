//! [`TerminalSession`]: owns the terminal across sessions, so that the screen is taken over once and no signal is missed in
//! between.

use std::io;

use crate::app::NewProfile;

use super::new_profile::{self, FormOutcome, ProfileService};
use super::screen::Screen;
use super::signals::Signals;
use super::{SessionError, Setup};

/// The terminal while the program has it. Restored on drop.
pub struct TerminalSession {
    pub(super) screen: Screen,
    pub(super) signals: Signals,
}

impl TerminalSession {
    /// Takes over the terminal.
    ///
    /// # Errors
    ///
    /// There is no terminal to take over, or signal handlers can't be installed.
    ///
    /// # Panics
    ///
    /// If called outside a tokio runtime.
    pub fn open() -> io::Result<Self> {
        Ok(Self { signals: Signals::listen()?, screen: Screen::open()? })
    }

    /// Shows the form for a new profile until it is saved or cancelled.
    ///
    /// # Errors
    ///
    /// Any [`SessionError`].
    pub async fn fill_in(
        &mut self,
        form: &mut NewProfile,
        profile_service: &mut ProfileService,
        setup: &Setup,
    ) -> Result<FormOutcome, SessionError> {
        new_profile::fill_in(&mut self.screen, &mut self.signals, form, profile_service, setup).await
    }

    /// Runs something that may use the terminal itself, such as a command that prints an API key, and takes the terminal back.
    /// `message` is printed first, for the user.
    ///
    /// # Errors
    ///
    /// The terminal can't be restored or taken over again.
    pub fn with_screen_closed<T>(&mut self, message: &str, run: impl FnOnce() -> T) -> io::Result<T> {
        self.screen.close()?;
        super::complaint::write_line(message);
        let outcome = run();
        self.signals.discard_interrupt();
        self.screen.reopen()?;
        Ok(outcome)
    }
}
