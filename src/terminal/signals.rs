//! Signals that ask the program to end, and suspending to the shell.

/// A signal that asks the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// An interrupt that did not arrive as a key.
    Interrupt,
    /// A request to terminate.
    Terminate,
    /// The terminal hung up.
    HangUp,
}

impl Signal {
    /// Returns the exit code that shells use for a program ended by this signal.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// A signal for a process that has the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(windows, expect(dead_code, reason = "there is no stopping elsewhere"))]
pub(super) enum SignalEvent {
    /// The process should end.
    Exit(Signal),
    /// The process was continued after a stop. Another program may have changed the terminal in the meantime.
    Continued,
}

/// Waits for a signal to end.
///
/// # Errors
///
/// Signal handlers can't be installed.
pub async fn until_signalled() -> std::io::Result<Signal> {
    let mut signals = Signals::listen()?;
    loop {
        if let SignalEvent::Exit(signal) = signals.next().await {
            return Ok(signal);
        }
    }
}

#[cfg(unix)]
pub(super) use unix::{Signals, stop_until_continued};

#[cfg(unix)]
mod unix {
    use std::io;

    use futures_util::FutureExt;
    use tokio::signal::unix::{self, SignalKind};

    use super::{Signal, SignalEvent};

    /// The signals that ask to end, and SIGCONT.
    pub struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
        hang_up: unix::Signal,
        continued: unix::Signal,
    }

    impl Signals {
        pub fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: unix::signal(SignalKind::interrupt())?,
                terminate: unix::signal(SignalKind::terminate())?,
                hang_up: unix::signal(SignalKind::hangup())?,
                continued: unix::signal(SignalKind::from_raw(signal_hook::consts::SIGCONT))?,
            })
        }

        /// The signal that arrived while another program had the terminal, ignoring interrupts.
        pub fn take_pending(&mut self) -> Option<Signal> {
            self.discard_interrupt();
            let terminated = self.terminate.recv().now_or_never().map(|_| Signal::Terminate);
            terminated.or_else(|| self.hang_up.recv().now_or_never().map(|_| Signal::HangUp))
        }

        /// Drops an interrupt that was meant for another program in the terminal: the terminal sends it to both.
        pub fn discard_interrupt(&mut self) {
            let _discarded = self.interrupt.recv().now_or_never();
        }

        pub async fn next(&mut self) -> SignalEvent {
            tokio::select! {
                _ = self.interrupt.recv() => SignalEvent::Exit(Signal::Interrupt),
                _ = self.terminate.recv() => SignalEvent::Exit(Signal::Terminate),
                _ = self.hang_up.recv() => SignalEvent::Exit(Signal::HangUp),
                _ = self.continued.recv() => SignalEvent::Continued,
            }
        }
    }

    /// Stops the process, as ctrl-z would outside raw mode, and returns when the shell continues it.
    pub fn stop_until_continued() -> io::Result<()> {
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
    }
}

#[cfg(windows)]
pub(super) use windows::{Signals, stop_until_continued};

#[cfg(windows)]
mod windows {
    use std::io;

    use futures_util::FutureExt;
    use tokio::signal::windows::{self, CtrlBreak, CtrlC, CtrlClose, CtrlShutdown};

    use super::{Signal, SignalEvent};

    /// Console events: ctrl-c, ctrl-break, closing the window, and shutdown.
    pub struct Signals {
        interrupt: CtrlC,
        terminate: CtrlBreak,
        closed: CtrlClose,
        shut_down: CtrlShutdown,
    }

    impl Signals {
        pub fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: windows::ctrl_c()?,
                terminate: windows::ctrl_break()?,
                closed: windows::ctrl_close()?,
                shut_down: windows::ctrl_shutdown()?,
            })
        }

        /// The signal that arrived while another program had the terminal, ignoring interrupts.
        pub fn take_pending(&mut self) -> Option<Signal> {
            self.discard_interrupt();
            let terminated = self.terminate.recv().now_or_never().or_else(|| self.shut_down.recv().now_or_never());
            let closed = || self.closed.recv().now_or_never().map(|_| Signal::HangUp);
            terminated.map(|_| Signal::Terminate).or_else(closed)
        }

        /// Drops an interrupt that was meant for another program in the console: the console sends it to both.
        pub fn discard_interrupt(&mut self) {
            let _discarded = self.interrupt.recv().now_or_never();
        }

        pub async fn next(&mut self) -> SignalEvent {
            tokio::select! {
                _ = self.interrupt.recv() => SignalEvent::Exit(Signal::Interrupt),
                _ = self.terminate.recv() => SignalEvent::Exit(Signal::Terminate),
                _ = self.shut_down.recv() => SignalEvent::Exit(Signal::Terminate),
                _ = self.closed.recv() => SignalEvent::Exit(Signal::HangUp),
            }
        }
    }

    /// Does nothing: processes can't be stopped on Windows.
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub fn stop_until_continued() -> io::Result<()> {
        Ok(())
    }
}
