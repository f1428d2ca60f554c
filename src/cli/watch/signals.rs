//! The signals that ask to end, one after the other: the first one is heard in order, a second one is impatience.

use std::io;

use tokio::sync::mpsc;

use crate::terminal::{self, Signal};

/// More than anybody sends.
const WAITING: usize = 4;

pub(super) struct Signals {
    coming: mpsc::Receiver<io::Result<Signal>>,
    received: Option<Signal>,
}

impl Signals {
    /// Listens from now on, on the current tokio runtime.
    pub fn listen() -> Self {
        let (sender, coming) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let signal = terminal::until_signalled().await;
                let is_over = signal.is_err();
                if sender.send(signal).await.is_err() || is_over {
                    break;
                }
            }
        });
        Self { coming, received: None }
    }

    /// The next signal. Nothing is lost when this is dropped before.
    pub async fn next(&mut self) -> io::Result<Signal> {
        let signal = self.coming.recv().await.unwrap_or_else(|| Err(io::Error::other("nobody listens any more")))?;
        self.received.get_or_insert(signal);
        Ok(signal)
    }

    /// The first one that came.
    pub const fn received(&self) -> Option<Signal> {
        self.received
    }
}
