//! Converts the terminal's input to events of the interface.

#[cfg(windows)]
mod console;
#[cfg(unix)]
mod reader;
#[cfg(unix)]
mod sequences;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_util::Stream;
use tokio::sync::mpsc;

use crate::app::Event;

#[cfg(windows)]
use console::{Reader, Stopper, discard_typed};
#[cfg(unix)]
use reader::{Reader, Stopper, discard_typed};

/// Keys, clicks, pastes and sizes reported by the terminal.
///
/// They are read by a thread that can be stopped at any moment, so that input typed after that is left to the shell or an editor.
/// crossterm's readers wait for the rest of a started sequence, which may never come.
#[derive(Debug)]
pub(super) struct Input {
    receiver: mpsc::Receiver<io::Result<Event>>,
    /// `None` if there is no terminal to read; that is reported as an error.
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
}

/// How long the thread can take to stop, and how often to check.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(300);
const CLOSE_POLL_INTERVAL: Duration = Duration::from_millis(1);
/// Events that can queue up before reading blocks: more than any paste of keys that a user waits for.
const CHANNEL_CAPACITY: usize = 1_024;

impl Input {
    pub fn open() -> Self {
        let (sender, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        match Reader::open() {
            Ok((reader, stopper)) => {
                let thread = thread::spawn(move || reader.run(&sender));
                Self { receiver, stopper: Some(stopper), thread: Some(thread) }
            }
            Err(error) => {
                // The channel has room for it.
                let _sent = sender.try_send(Err(error));
                Self { receiver, stopper: None, thread: None }
            }
        }
    }

    /// Reads again, but discards earlier input: it was typed for another program.
    pub fn open_discarding_input() -> io::Result<Self> {
        discard_typed()?;
        Ok(Self::open())
    }

    /// Stops reading. Input from then on is left to other programs.
    pub fn close(&mut self) {
        self.receiver.close();
        self.stop();
        let Some(thread) = self.thread.take() else { return };
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(CLOSE_POLL_INTERVAL);
        }
        if !thread.is_finished() {
            tracing::warn!("the reader of the terminal is left behind");
        } else if thread.join().is_err() {
            // The panic hook has reported the reason.
            tracing::warn!("the reader of the terminal has panicked");
        }
    }

    fn stop(&self) {
        if let Some(stopper) = &self.stopper {
            stopper.stop();
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Stream for Input {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(context)
    }
}
