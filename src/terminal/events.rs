//! What the terminal reports, as events of the interface.

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
use console::{Reader, Stopper, forget_typed};
#[cfg(unix)]
use reader::{Reader, Stopper, forget_typed};

/// The keys, clicks, pastes and sizes that a terminal reports.
///
/// A thread reads them, which can be stopped at any moment: nothing that is typed after that is taken from the shell or an editor.
/// The readers of crossterm wait for the rest of a sequence that they have begun, which may never come.
#[derive(Debug)]
pub(super) struct Input {
    reports: mpsc::Receiver<io::Result<Event>>,
    /// `None` when there is no terminal to read, which is reported.
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
}

/// How long the thread may take to stop, and how often it is looked whether it has.
const LAST_READ: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(1);
/// Reports that may wait for the interface before the terminal has to: more than any paste of keys that a person waits for.
const WAITING: usize = 1_024;

impl Input {
    pub fn open() -> Self {
        let (reporter, reports) = mpsc::channel(WAITING);
        match Reader::open() {
            Ok((reader, stopper)) => {
                let thread = thread::spawn(move || reader.run(&reporter));
                Self { reports, stopper: Some(stopper), thread: Some(thread) }
            }
            Err(error) => {
                // There is room for one.
                let _told = reporter.try_send(Err(error));
                Self { reports, stopper: None, thread: None }
            }
        }
    }

    /// Reads again, but not what was typed before: that was for somebody else.
    pub fn open_anew() -> io::Result<Self> {
        forget_typed()?;
        Ok(Self::open())
    }

    /// Stops reading, for good or until it is opened again. What is typed from then on is for somebody else.
    pub fn close(&mut self) {
        self.reports.close();
        self.stop();
        let Some(thread) = self.thread.take() else { return };
        let until = Instant::now() + LAST_READ;
        while !thread.is_finished() && Instant::now() < until {
            thread::sleep(LOOK);
        }
        if !thread.is_finished() {
            tracing::warn!("the reader of the terminal is left behind");
        } else if thread.join().is_err() {
            // The panic hook has told what happened.
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
        self.reports.poll_recv(context)
    }
}
