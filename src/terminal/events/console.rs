//! The thread that reads the terminal where that has no bytes to read: the system tells of keys.

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

/// Whoever has this can stop the thread.
#[derive(Debug)]
pub(super) struct Stopper(Arc<AtomicBool>);

/// How often the reader looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(40);
/// How long to look for what was typed already. Of no time at all, the terminal is not asked.
const GLANCE: Duration = Duration::from_millis(5);

impl Reader {
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub fn open() -> io::Result<(Self, Stopper)> {
        let over = Arc::new(AtomicBool::new(false));
        Ok((Self(Arc::clone(&over)), Stopper(over)))
    }

    /// Reads until it is to stop, or nobody listens.
    pub fn run(self, reporter: &mpsc::Sender<io::Result<Event>>) {
        while !self.0.load(Ordering::SeqCst) {
            let next = match event::poll(LOOK) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            let failed = next.is_err();
            let next = next.map(read).transpose();
            if next.is_some_and(|next| reporter.blocking_send(next).is_err()) || failed {
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

/// Throws away what was typed before: it was for somebody else.
pub(super) fn forget_typed() -> io::Result<()> {
    while event::poll(GLANCE)? {
        event::read()?;
    }
    Ok(())
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
