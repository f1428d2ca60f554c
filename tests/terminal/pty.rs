//! A program in a pseudo-terminal, and the screen as a user would see it.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// Long enough for a busy machine; no test waits for it unless something is wrong.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The prompt of the interactive shell.
const PROMPT: &str = "ready> ";

pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Screen>,
    /// The program's home, so that no test touches the real one.
    _home: TempDir,
}

struct Screen {
    state: Mutex<TerminalState>,
    changed: Condvar,
}

struct TerminalState {
    parser: vt100::Parser,
    output: Vec<u8>,
    /// Whether no process has the terminal open any more.
    ended: bool,
}

/// The program under test.
pub fn program() -> String {
    env!("CARGO_BIN_EXE_segtui").to_owned()
}

impl Pty {
    pub fn start(columns: u16, rows: u16, arguments: &[&str], environment: &[(&'static str, String)]) -> Self {
        let mut command = CommandBuilder::new(program());
        command.args(arguments);
        Self::run(columns, rows, command, environment)
    }

    /// Starts the program in a shell that prints its process ID first, and afterwards its exit code and the terminal's
    /// modes.
    pub fn start_in_shell(columns: u16, rows: u16, arguments: &[&str], environment: &[(&'static str, String)]) -> Self {
        let program = format!("echo \"process $$ \"; exec '{}' {}", program(), arguments.join(" "));
        let mut command = CommandBuilder::new("sh");
        let script = "trap '' HUP; sh -c \"$0\"; echo exit code $?; stty -a; echo that was all; sleep 30";
        command.args(["-c", script, &program]);
        Self::run(columns, rows, command, environment)
    }

    pub fn start_interactive_shell(columns: u16, rows: u16, environment: &[(&'static str, String)]) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-i"]);
        command.env("PS1", PROMPT);
        Self::run(columns, rows, command, environment)
    }

    fn run(columns: u16, rows: u16, mut command: CommandBuilder, environment: &[(&'static str, String)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let prompt = command.get_env("PS1").map(ToOwned::to_owned);
        command.env_clear();
        if let Some(prompt) = prompt {
            command.env("PS1", prompt);
        }
        command.env("PATH", std::env::var("PATH").unwrap());
        command.env("TERM", "xterm-256color");
        command.env("HOME", home.path());
        for (name, value) in environment {
            command.env(name, value);
        }
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap(), 0);
        let screen = Arc::new(Screen {
            state: Mutex::new(TerminalState { parser, output: Vec::new(), ended: false }),
            changed: Condvar::new(),
        });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let reader_screen = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails once the program is gone.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let Ok(mut state) = reader_screen.state.lock() else { return };
                state.parser.process(&bytes[..count]);
                state.output.extend_from_slice(&bytes[..count]);
                reader_screen.changed.notify_all();
            }
            if let Ok(mut state) = reader_screen.state.lock() {
                state.ended = true;
                reader_screen.changed.notify_all();
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, writer, child, screen, _home: home }
    }

    pub fn type_text(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let mut state = self.screen.state.lock().unwrap();
        state.parser.screen_mut().set_size(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap());
        drop(state);
        self.master.resize(size(columns, rows)).unwrap();
    }

    pub fn wait_for(&self, text: &str) {
        self.wait_until(text, |state| state.parser.screen().contents().contains(text));
    }

    /// Waits until the screen shows exactly these lines.
    pub fn wait_for_screen(&self, lines: &[String]) {
        self.wait_until(&lines.join("\n"), |state| lines_of(state) == lines);
    }

    /// Waits until nothing has been written for a moment.
    pub fn wait_until_quiet(&self) {
        const QUIET_PERIOD: Duration = Duration::from_millis(120);
        let mut state = self.screen.state.lock().unwrap();
        let started = Instant::now();
        while started.elapsed() < TIMEOUT {
            let before = state.output.len();
            let (later, waited) = self.screen.changed.wait_timeout(state, QUIET_PERIOD).unwrap();
            state = later;
            if waited.timed_out() && state.output.len() == before {
                return;
            }
        }
    }

    /// Inspects the screen.
    pub fn with_screen<T>(&self, read: impl FnOnce(&vt100::Screen) -> T) -> T {
        read(self.screen.state.lock().unwrap().parser.screen())
    }

    /// Waits until the cursor is visible and the line from it on begins with a text.
    pub fn wait_for_cursor_on(&self, text: &str) {
        self.wait_until(&format!("the cursor on {text}"), |state| at_cursor(state, false).starts_with(text));
    }

    /// Waits until the cursor is visible and the line before it ends with a text.
    pub fn wait_for_cursor_after(&self, text: &str) {
        self.wait_until(&format!("the cursor behind {text}"), |state| at_cursor(state, true).ends_with(text));
    }

    /// Waits for the shell's prompt: what is typed earlier may still go to the program.
    pub fn wait_for_prompt(&self) {
        self.wait_until("the shell's prompt", |state| {
            let contents = state.parser.screen().contents();
            !state.parser.screen().alternate_screen() && contents.trim_end().ends_with(PROMPT.trim_end())
        });
    }

    pub fn wait_until_gone(&self, text: &str) {
        self.wait_until(text, |state| !state.parser.screen().contents().contains(text));
    }

    /// Waits until the program has left the alternate screen.
    pub fn wait_for_main_screen(&self) {
        self.wait_until("the shell's own screen", |state| !state.parser.screen().alternate_screen());
    }

    fn wait_until(&self, what: &str, reached: impl Fn(&TerminalState) -> bool) {
        let state = self.screen.state.lock().unwrap();
        let (state, timeout) = self.screen.changed.wait_timeout_while(state, TIMEOUT, |state| !reached(state)).unwrap();
        assert!(!timeout.timed_out(), "waited in vain for {what:?}; the screen:\n{}", state.parser.screen().contents());
    }

    /// Whether a row of the screen, counted from 0, is in reverse video.
    pub fn is_reversed(&self, row: u16) -> bool {
        let state = self.screen.state.lock().unwrap();
        state.parser.screen().cell(row, 1).is_some_and(vt100::Cell::inverse)
    }

    /// The lines on the screen.
    pub fn lines(&self) -> Vec<String> {
        lines_of(&self.screen.state.lock().unwrap())
    }

    /// Everything that was written to the terminal.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.screen.state.lock().unwrap().output).into_owned()
    }

    /// As [`Self::output`], once the program has ended and can't write any more.
    pub fn complete_output(&self) -> String {
        self.wait_until("the end of the program", |state| state.ended);
        self.output()
    }

    /// Whether the program has taken over the terminal.
    pub fn is_terminal_taken_over(&self) -> bool {
        let state = self.screen.state.lock().unwrap();
        let screen = state.parser.screen();
        screen.alternate_screen()
            && screen.bracketed_paste()
            && screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
    }

    /// Asserts that everything changed at the terminal is restored, its line modes included.
    pub fn assert_terminal_restored(&self) {
        self.wait_for("that was all");
        let state = self.screen.state.lock().unwrap();
        let screen = state.parser.screen();
        assert!(!screen.alternate_screen(), "alternate screen");
        assert!(!screen.hide_cursor(), "cursor");
        assert!(!screen.bracketed_paste(), "bracketed paste");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let modes = screen.contents();
        for mode in ["icanon", "echo", "isig", "opost", "icrnl"] {
            assert!(modes.split_whitespace().any(|word| word == mode), "{mode} in {modes}");
        }
    }

    /// Sends a signal to the program, which the shell runs.
    pub fn signal_program(&mut self, signal: &str) {
        let output = self.output();
        let process = output.split("process ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
        // The shell's built-in command, since not every machine has the other one.
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status().unwrap();
        assert!(sent.success());
    }

    /// Runs a script on the terminal from outside the program, as a shell in it might.
    pub fn run_on_terminal(&self, script: &str) {
        let terminal = self.master.tty_name().unwrap();
        let done = Command::new("sh").args(["-c", &format!("exec < \"$0\" > \"$0\"; {script}")]).arg(terminal).status();
        assert!(done.unwrap().success());
    }

    /// The process ID of the program.
    pub fn process_id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Kills the program without a chance to do anything more.
    pub fn kill(mut self) {
        let process = self.child.process_id().unwrap();
        let sent = Command::new("sh").args(["-c", &format!("kill -KILL {process}")]).status().unwrap();
        assert!(sent.success());
        eventually(|| self.child.try_wait().unwrap());
    }

    /// The exit code, if the program has ended.
    pub fn exited(&mut self) -> Option<u32> {
        self.child.try_wait().unwrap().map(|status| status.exit_code())
    }

    /// Whether a text is on the screen now.
    pub fn contains(&self, text: &str) -> bool {
        self.lines().join("\n").contains(text)
    }

    pub fn exit_code(&mut self) -> u32 {
        let status = eventually(|| self.child.try_wait().unwrap());
        status.exit_code()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may already have ended.
        let _already_gone = self.child.kill();
    }
}

/// The line of the cursor, up to it or from it on; empty if the cursor is hidden.
fn at_cursor(state: &TerminalState, before: bool) -> String {
    let screen = state.parser.screen();
    if screen.hide_cursor() {
        return String::new();
    }
    let (row, column) = screen.cursor_position();
    let columns = if before { 0..column } else { column..screen.size().1.get() };
    columns.filter_map(|column| screen.cell(row, column)).map(cell_text).collect()
}

fn cell_text(cell: &vt100::Cell) -> String {
    let text = cell.contents();
    if text.is_empty() { " ".into() } else { text.into() }
}

/// The lines without trailing blanks, since a written blank and an empty cell look the same.
fn lines_of(state: &TerminalState) -> Vec<String> {
    state.parser.screen().contents().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Waits until something outside the terminal has a value, and returns it.
#[track_caller]
pub fn eventually<T>(mut probe: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + TIMEOUT;
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(Instant::now() < until, "waited in vain");
        thread::sleep(Duration::from_millis(10));
    }
}

const fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}
