//! Signals that ask the program to end: the first one asks for an orderly end, a second one for an immediate one.

use std::io;

use tokio::sync::mpsc;

use crate::terminal::{self, Signal};

/// More signals than anyone sends before they are read.
const CHANNEL_CAPACITY: usize = 4;

pub(super) struct Signals {
    receiver: mpsc::Receiver<io::Result<Signal>>,
    received: Option<Signal>,
}

impl Signals {
    /// Starts to listen, on the current tokio runtime.
    pub fn listen() -> Self {
        let (sender, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        tokio::spawn(async move {
            loop {
                let signal = terminal::until_signalled().await;
                let has_failed = signal.is_err();
                if sender.send(signal).await.is_err() || has_failed {
                    break;
                }
            }
        });
        Self { receiver, received: None }
    }

    /// Waits for the next signal. Dropping the future loses none.
    pub async fn next(&mut self) -> io::Result<Signal> {
        let signal = self.receiver.recv().await.unwrap_or_else(|| Err(io::Error::other("nobody listens any more")))?;
        self.received.get_or_insert(signal);
        Ok(signal)
    }

    /// Returns the first signal received, if any.
    pub const fn received(&self) -> Option<Signal> {
        self.received
    }
}
