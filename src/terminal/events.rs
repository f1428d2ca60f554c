//! What the terminal reports, as events of the interface.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossterm::event::{self, KeyEventKind, MouseButton, MouseEventKind};
use futures::Stream;
use tokio::sync::mpsc;

use crate::app::{Event, Mouse, MouseKind};
use crate::keymap::Key;

/// The keys, clicks, pastes and sizes that a terminal reports.
///
/// A thread reads them. That of `crossterm::event::EventStream` can't be waited for when it is to stop, and may go on reading
/// what is meant for the shell or an editor.
#[derive(Debug)]
pub(super) struct Input {
    reports: mpsc::Receiver<io::Result<event::Event>>,
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

/// How often the reader looks whether it is to stop, should it not be woken: whoever closes the input waits so long at most. Each
/// look costs a millisecond of processor time, since what is left of a pause below that is spent asking again and again.
const LOOK: Duration = if cfg!(unix) { Duration::from_secs(2) } else { Duration::from_millis(40) };
/// How long to look for what was typed already. Of no time at all, the terminal is not asked.
const GLANCE: Duration = Duration::from_millis(5);
/// How long the reader may take to stop.
const LAST_READ: Duration = Duration::from_millis(300);
/// Reports that may wait for the interface before the terminal has to: more than any paste of keys that a person waits for.
const WAITING: usize = 1_024;

impl Input {
    pub fn open() -> Self {
        let (reporter, reports) = mpsc::channel(WAITING);
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let reader = thread::spawn(move || {
            while !told.load(Ordering::SeqCst) {
                let next = match event::poll(LOOK) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let failed = next.is_err();
                if reporter.blocking_send(next).is_err() || failed {
                    return;
                }
            }
        });
        Self { reports, over, reader: Some(reader) }
    }

    /// Reads again, but not what was typed before: that was for somebody else.
    pub fn open_anew() -> io::Result<Self> {
        while event::poll(GLANCE)? {
            event::read()?;
        }
        Ok(Self::open())
    }

    /// Stops reading, for good or until it is opened again. What is typed from then on is for somebody else.
    pub fn close(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.reports.close();
        wake_reader();
        let Some(reader) = self.reader.take() else { return };
        let until = Instant::now() + LAST_READ;
        while !reader.is_finished() && Instant::now() < until {
            thread::sleep(GLANCE);
        }
        if !reader.is_finished() {
            // It waits for the rest of an escape sequence, which may never come; whoever wants to end does not wait for that.
            tracing::warn!("the reader of the terminal is left behind");
        } else if reader.join().is_err() {
            // The panic hook has told what happened.
            tracing::warn!("the reader of the terminal has panicked");
        }
    }
}

/// A change of the terminal's size wakes whoever reads it, also one that is none.
fn wake_reader() {
    #[cfg(unix)]
    if let Err(error) = signal_hook::low_level::raise(signal_hook::consts::SIGWINCH) {
        tracing::debug!(%error, "the reader of the terminal was not woken");
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

impl Stream for Input {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(self.reports.poll_recv(context)) {
                Some(Ok(reported)) => {
                    if let Some(event) = read(reported) {
                        return Poll::Ready(Some(Ok(event)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// `None` for what means nothing here, such as the release of a key.
fn read(reported: event::Event) -> Option<Event> {
    match reported {
        event::Event::Key(key) if key.kind != KeyEventKind::Release => Some(Event::Key(Key::from(key))),
        event::Event::Paste(text) => Some(Event::Paste(text)),
        event::Event::Resize(columns, rows) => Some(Event::Resized(columns, rows)),
        event::Event::Mouse(mouse) => {
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseKind::Click,
                MouseEventKind::ScrollUp => MouseKind::ScrollUp,
                MouseEventKind::ScrollDown => MouseKind::ScrollDown,
                _ => return None,
            };
            Some(Event::Mouse(Mouse { kind, column: mouse.column, row: mouse.row }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    #[test]
    fn a_key_counts_when_it_goes_down_and_not_when_it_goes_up() {
        let press = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE);
        let release = KeyEvent { kind: KeyEventKind::Release, ..press };
        assert!(matches!(read(event::Event::Key(press)), Some(Event::Key(key)) if key.to_string() == "j"));
        assert!(read(event::Event::Key(release)).is_none());
    }
}
