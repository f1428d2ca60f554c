//! [`TerminalSession`]: the terminal for as long as the program has it, from one session to the next, so that the screen is taken once
//! and no signal is missed in between.

use std::io;

use crate::app::NewProfile;

use super::new_profile::{self, FilledIn, ProfileService};
use super::screen::Screen;
use super::signals::Signals;
use super::{Broken, Setup};

/// The terminal, taken over. Given back when dropped.
pub struct TerminalSession {
    pub(super) screen: Screen,
    pub(super) signals: Signals,
}

impl TerminalSession {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// There is no terminal that can be taken over, or signals can't be listened to.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open() -> io::Result<Self> {
        Ok(Self { signals: Signals::listen()?, screen: Screen::open()? })
    }

    /// Lets the person fill in a form for a new profile until it is saved or left.
    ///
    /// # Errors
    ///
    /// Any [`Broken`].
    pub async fn fill_in(
        &mut self,
        form: &mut NewProfile,
        desk: &mut ProfileService,
        setup: &Setup,
    ) -> Result<FilledIn, Broken> {
        new_profile::fill_in(&mut self.screen, &mut self.signals, form, desk, setup).await
    }

    /// Lets something run that may talk to the person by itself, such as the command that tells a key, and takes the terminal
    /// back. `said` tells the person what it is.
    ///
    /// # Errors
    ///
    /// The terminal can't be given back or taken again.
    pub fn aside<T>(&mut self, said: &str, run: impl FnOnce() -> T) -> io::Result<T> {
        self.screen.close()?;
        super::complaint::write_line(said);
        let outcome = run();
        self.signals.forget_interrupt();
        self.screen.reopen()?;
        Ok(outcome)
    }
}
