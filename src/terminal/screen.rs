//! Takes over the terminal and restores it.

use std::env;
use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, KeyboardEnhancementFlags,
    PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::style::Print;
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen, SetTitle};
use crossterm::{execute, queue};
use ratatui::backend::Backend;
use ratatui::{Frame, Terminal};
use tokio::sync::Notify;

use crate::platform::{IGNORES_UNKNOWN_SEQUENCES, LineModes};

use super::backend::DiffBackend;

/// Whether the terminal is taken over, so that it is restored exactly once, from any thread.
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// The terminal while it is taken over. Restored on drop.
pub(super) struct Screen {
    terminal: Terminal<DiffBackend>,
    /// The window title in the meantime.
    title: Option<String>,
    /// The line modes when the terminal was given to another program.
    line_modes: Option<LineModes>,
}

impl Screen {
    /// Takes over the terminal.
    pub fn open() -> io::Result<Self> {
        enter()?;
        match Terminal::new(DiffBackend::new()) {
            Ok(terminal) => Ok(Self { terminal, title: None, line_modes: None }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Sets the window title, which must be free of control characters.
    pub fn set_title(&mut self, title: String) -> io::Result<()> {
        let shown = if supports_titles() { execute!(io::stdout(), SetTitle(&title)) } else { Ok(()) };
        self.title = Some(title);
        shown
    }

    /// Copies a text to the clipboard through the terminal.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        self.terminal.backend_mut().copy(text)
    }

    /// Gives the terminal back for a while.
    pub fn close(&mut self) -> io::Result<()> {
        leave()?;
        self.line_modes = LineModes::current();
        Ok(())
    }

    /// Takes over the terminal again and redraws everything with the next frame. Another program may have changed the line modes;
    /// they are first reset to what they were, so that they are right at exit too.
    pub fn reopen(&mut self) -> io::Result<()> {
        if let Some(line_modes) = self.line_modes.take() {
            line_modes.restore()?;
        }
        enter()?;
        // Clearing through ratatui would query the cursor position and wait for a response.
        self.terminal = Terminal::new(DiffBackend::new())?;
        if let Some(title) = self.title.take() {
            self.set_title(title)?;
        }
        self.terminal.backend_mut().clear()
    }

    /// Takes over the terminal again after the process was stopped.
    pub fn reacquire(&mut self) -> io::Result<()> {
        self.close()?;
        self.reopen()
    }
}

/// Queries the background colour (OSC 11). The response arrives in the input, if at all.
pub(super) fn query_background() -> io::Result<()> {
    if supports_titles() { execute!(io::stdout(), Print("\x1b]11;?\x1b\\")) } else { Ok(()) }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn enter() -> io::Result<()> {
    ACTIVE.store(true, Ordering::SeqCst);
    let entered = terminal::enable_raw_mode()
        .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste))
        .and_then(|()| if supports_titles() { execute!(io::stdout(), Print(SAVE_TITLE)) } else { Ok(()) })
        .and_then(|()| if supports_key_disambiguation() { execute!(io::stdout(), DISAMBIGUATE_KEYS) } else { Ok(()) });
    entered.inspect_err(|_| restore())
}

/// XTWINOPS: saves and restores the titles of window and icon. Terminals without support ignore it.
const SAVE_TITLE: &str = "\x1b[22;0t";
const RESTORE_TITLE: &str = "\x1b[23;0t";

/// Consoles have no window, and some print unknown sequences.
fn supports_titles() -> bool {
    supports_key_disambiguation()
}

/// Makes the terminal report ctrl-i and Tab differently. Terminals without support ignore it. There is no query for support, since
/// the first screen would wait for a response that may never come.
const DISAMBIGUATE_KEYS: PushKeyboardEnhancementFlags =
    PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES);

/// False for consoles that would print an unknown sequence; other terminals skip it.
fn supports_key_disambiguation() -> bool {
    IGNORES_UNKNOWN_SEQUENCES && !matches!(env::var("TERM").as_deref(), Err(_) | Ok("" | "linux" | "dumb"))
}

fn leave() -> io::Result<()> {
    if !ACTIVE.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut stdout = io::stdout();
    // Every step is tried, even if an earlier one fails.
    let keys_reset = if supports_key_disambiguation() { queue!(stdout, PopKeyboardEnhancementFlags) } else { Ok(()) };
    let titled = if supports_titles() { queue!(stdout, Print(RESTORE_TITLE)) } else { Ok(()) };
    let shown = queue!(stdout, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
    let flushed = stdout.flush();
    let cooked = terminal::disable_raw_mode();
    keys_reset.and(titled).and(shown).and(flushed).and(cooked)
}

/// Restores the terminal if it is taken over. Safe to call at any time, from any thread.
pub fn restore() {
    if let Err(error) = leave() {
        // The terminal is gone, so the error is only logged.
        tracing::warn!(%error, "the terminal could not be restored");
    }
}

/// Installs a panic hook that restores the terminal before the panic is reported.
pub fn restore_on_panic(report: impl Fn(&panic::PanicHookInfo<'_>) + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |panic| {
        restore();
        report(panic);
        tracing::error!(%panic, "panicked");
        PANIC.notify_one();
    }));
}

/// Notified after a panic on any thread: the terminal is restored, so the program has to end.
static PANIC: Notify = Notify::const_new();

/// Waits for a panic. Only the first waiter is notified.
pub(super) async fn panicked() {
    PANIC.notified().await;
}

#[cfg(test)]
mod tests {
    use std::panic;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_panic_on_any_thread_and_in_any_task_is_noticed() {
        // Other panics in this process are reported as usual.
        let previous_hook = panic::take_hook();
        restore_on_panic(move |panic| previous_hook(panic));
        for in_task in [false, true] {
            let planned = || panic!("as planned");
            let ended = if in_task {
                tokio::spawn(async move { planned() }).await.is_err()
            } else {
                std::thread::spawn(planned).join().is_err()
            };
            assert!(ended);
            tokio::time::timeout(Duration::from_secs(10), panicked()).await.expect("it is heard of");
        }
    }
}
