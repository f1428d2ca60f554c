//! Taking the terminal over and giving it back.

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

/// Whether the terminal is taken, so that it is given back exactly once, from whichever thread.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours. Given back when dropped.
pub(super) struct Screen {
    terminal: Terminal<DiffBackend>,
    /// What the terminal's window is called while it is ours.
    title: Option<String>,
    /// How the line was when the terminal was given to another program.
    line: Option<LineModes>,
}

impl Screen {
    /// Takes the terminal over.
    pub fn open() -> io::Result<Self> {
        take()?;
        match Terminal::new(DiffBackend::new()) {
            Ok(terminal) => Ok(Self { terminal, title: None, line: None }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Gives the terminal's window a title; control characters must have been taken out of it.
    pub fn set_title(&mut self, title: String) -> io::Result<()> {
        let shown = if knows_titles() { execute!(io::stdout(), SetTitle(&title)) } else { Ok(()) };
        self.title = Some(title);
        shown
    }

    /// Has the terminal put a text into the clipboard.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        self.terminal.backend_mut().copy(text)
    }

    /// Gives the terminal back for a while.
    pub fn close(&mut self) -> io::Result<()> {
        give_back()?;
        self.line = LineModes::now();
        Ok(())
    }

    /// Takes it over again and draws everything anew with the next frame. Another program may have left the line in a mode of its
    /// own: at the end it is to be as it was before that.
    pub fn reopen(&mut self) -> io::Result<()> {
        if let Some(line) = self.line.take() {
            line.restore()?;
        }
        take()?;
        // Clearing through ratatui would ask the terminal where its cursor is, and wait for an answer.
        self.terminal = Terminal::new(DiffBackend::new())?;
        if let Some(title) = self.title.take() {
            self.set_title(title)?;
        }
        self.terminal.backend_mut().clear()
    }

    /// Takes it over again from whoever had it while the process was stopped.
    pub fn retake(&mut self) -> io::Result<()> {
        self.close()?;
        self.reopen()
    }
}

/// Asks for the colour of the background (OSC 11). The answer comes among the keys, or never.
pub(super) fn ask_background() -> io::Result<()> {
    if knows_titles() { execute!(io::stdout(), Print("\x1b]11;?\x1b\\")) } else { Ok(()) }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let taken = terminal::enable_raw_mode()
        .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste))
        .and_then(|()| if knows_titles() { execute!(io::stdout(), Print(KEEP_TITLE)) } else { Ok(()) })
        .and_then(|()| if keys_can_be_told_apart() { execute!(io::stdout(), TELL_KEYS_APART) } else { Ok(()) });
    taken.inspect_err(|_| restore())
}

/// XTWINOPS: has the terminal remember what its window and its icon are called, and give it back. One that can't ignores it.
const KEEP_TITLE: &str = "\x1b[22;0t";
const GIVE_TITLE_BACK: &str = "\x1b[23;0t";

/// The consoles have no window, and some print what they don't know.
fn knows_titles() -> bool {
    keys_can_be_told_apart()
}

/// Has the terminal tell ctrl-i from Tab. One that can't ignores it, and is not asked whether it can: the first screen would wait
/// for an answer that may never come.
const TELL_KEYS_APART: PushKeyboardEnhancementFlags =
    PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES);

/// The consoles that would print what they don't know. Elsewhere, terminals know what they don't know to be a sequence.
fn keys_can_be_told_apart() -> bool {
    IGNORES_UNKNOWN_SEQUENCES && !matches!(env::var("TERM").as_deref(), Err(_) | Ok("" | "linux" | "dumb"))
}

fn give_back() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut stdout = io::stdout();
    // Every step is tried, whatever became of the one before.
    let told_apart = if keys_can_be_told_apart() { queue!(stdout, PopKeyboardEnhancementFlags) } else { Ok(()) };
    let titled = if knows_titles() { queue!(stdout, Print(GIVE_TITLE_BACK)) } else { Ok(()) };
    let shown = queue!(stdout, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
    let flushed = stdout.flush();
    let cooked = terminal::disable_raw_mode();
    told_apart.and(titled).and(shown).and(flushed).and(cooked)
}

/// Gives the terminal back if it is ours. Harmless at any time, from any thread.
pub fn restore() {
    if let Err(error) = give_back() {
        // The terminal is gone: nobody could read it there.
        tracing::warn!(%error, "the terminal could not be restored");
    }
}

/// From now on a panic gives the terminal back before it is reported.
pub fn restore_on_panic(report: impl Fn(&panic::PanicHookInfo<'_>) + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |panic| {
        restore();
        report(panic);
        tracing::error!(%panic, "panicked");
        PANIC.notify_one();
    }));
}

/// That something has panicked, on whatever thread: the terminal is restored, so the program is to end.
static PANIC: Notify = Notify::const_new();

/// Until something panics. For whoever waits first; after that there is nothing to wait for.
pub(super) async fn panicked() {
    PANIC.notified().await;
}

#[cfg(test)]
mod tests {
    use std::panic;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_panic_on_any_thread_and_in_any_task_is_heard_of() {
        // Others that panic in this process are told as usual.
        let usual = panic::take_hook();
        restore_on_panic(move |panic| usual(panic));
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
