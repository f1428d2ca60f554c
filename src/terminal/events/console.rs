//! The reader thread for consoles without a byte stream, where the system reports keys.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{self, KeyEventKind, MouseButton, MouseEventKind};
use tokio::sync::mpsc;

use crate::app::{Event, Mouse, MouseKind};
use crate::keymap::Key;

#[derive(Debug)]
pub(super) struct Reader(Arc<AtomicBool>);

/// Stops the reader thread.
#[derive(Debug)]
pub(super) struct Stopper(Arc<AtomicBool>);

/// How often the reader checks whether to stop.
const POLL_INTERVAL: Duration = Duration::from_millis(40);
/// How long to wait for input typed earlier. With a timeout of zero, the console would not be queried.
const DISCARD_TIMEOUT: Duration = Duration::from_millis(5);

impl Reader {
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub fn open() -> io::Result<(Self, Stopper)> {
        let stopped = Arc::new(AtomicBool::new(false));
        Ok((Self(Arc::clone(&stopped)), Stopper(stopped)))
    }

    /// Reads until stopped or until the receiver is gone.
    pub fn run(self, sender: &mpsc::Sender<io::Result<Event>>) {
        while !self.0.load(Ordering::SeqCst) {
            let next = match event::poll(POLL_INTERVAL) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            let failed = next.is_err();
            let next = next.map(convert).transpose();
            if next.is_some_and(|next| sender.blocking_send(next).is_err()) || failed {
                return;
            }
        }
    }
}

impl Stopper {
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Discards input typed earlier: it was meant for another program.
pub(super) fn discard_typed() -> io::Result<()> {
    while event::poll(DISCARD_TIMEOUT)? {
        event::read()?;
    }
    Ok(())
}

/// Converts an event; `None` for one without a meaning here, such as the release of a key.
fn convert(raw_event: event::Event) -> Option<Event> {
    match raw_event {
        event::Event::Key(key) if key.kind != KeyEventKind::Release => Some(Event::Key(Key::from(key))),
        event::Event::Paste(text) => Some(Event::Paste(text)),
        event::Event::Resize(columns, rows) => Some(Event::Resized(columns, rows)),
        event::Event::Mouse(mouse) => {
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseKind::Click,
                MouseEventKind::Down(MouseButton::Right) => MouseKind::RightClick,
                MouseEventKind::Drag(MouseButton::Left) => MouseKind::Drag,
                MouseEventKind::Up(MouseButton::Left) => MouseKind::Release,
                MouseEventKind::ScrollUp => MouseKind::ScrollUp,
                MouseEventKind::ScrollDown => MouseKind::ScrollDown,
                _ => return None,
            };
            Some(Event::Mouse(Mouse { kind, column: mouse.column, row: mouse.row }))
        }
        _ => None,
    }
}
