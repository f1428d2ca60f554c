//! What the terminal reports, as events of the interface.

use std::io;
use std::time::Duration;

use crossterm::event::{self, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures::{Stream, StreamExt};

use crate::app::{Event, Mouse, MouseKind};
use crate::keymap::Key;

/// The keys, clicks, pastes and sizes that a terminal reports.
#[derive(Debug)]
pub(super) struct Input {
    stream: EventStream,
    /// Never read from: dropping it wakes the thread that reads for the other one once more.
    second_call: EventStream,
}

impl Input {
    pub fn open() -> Self {
        Self { stream: EventStream::new(), second_call: EventStream::new() }
    }

    /// Reads again, but not what was typed before: that was for somebody else.
    pub fn open_anew() -> io::Result<Self> {
        while event::poll(GLANCE)? {
            event::read()?;
        }
        Ok(Self::open())
    }

    /// Stops reading, for good or until it is opened again. What is typed from then on is for somebody else.
    pub fn close(self) {
        drop(self.stream);
        // The thread that reads for the stream has been told to stop; who can read itself knows that it has.
        if let Err(error) = event::poll(LAST_READ) {
            // The terminal is gone: then nobody reads from it.
            tracing::debug!(%error, "the input can't be read any more");
        }
        // Unless it had not begun yet: then the look just now took the call that was meant for it, and it would read for ever,
        // and hold up whoever opens the input again.
        drop(self.second_call);
    }
}

impl Stream for Input {
    type Item = io::Result<Event>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        use std::task::{Poll, ready};
        loop {
            match ready!(self.stream.poll_next_unpin(context)) {
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

/// How long to look for what was typed already. Of no time at all, the terminal is not asked.
const GLANCE: Duration = Duration::from_millis(5);
/// How long whoever closes the input waits for the last one to have read from it.
const LAST_READ: Duration = Duration::from_millis(20);

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
