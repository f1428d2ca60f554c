//! A program in a pseudo-terminal, with the arrival time of each piece of its output.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

pub const COLUMNS: u16 = 120;
pub const ROWS: u16 = 40;

/// Silence after which the response to a key is complete.
const QUIET_PERIOD: Duration = Duration::from_millis(15);
/// Silence after which a key counts as unanswered.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(250);
/// No start takes longer.
const TIMEOUT: Duration = Duration::from_secs(120);

pub struct Pty {
    _master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    started: Instant,
    pub home: Option<TempDir>,
}

/// What a program wrote after a key.
#[derive(Debug, Clone, Copy)]
pub struct KeyResponse {
    /// Time from the key to the last piece.
    pub after: Duration,
    pub bytes: usize,
}

impl Pty {
    /// This benchmark itself, run as a peer.
    pub fn peer(arguments: &[&str]) -> Self {
        let this = std::env::current_exe().expect("a program knows where it is");
        let mut command = CommandBuilder::new(this);
        command.arg("--peer");
        command.args(arguments);
        Self::run(command, tempfile::tempdir().expect("there is room for a folder"))
    }

    pub fn segtui(arguments: &[&str], url: &str, home: TempDir) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_segtui"));
        command.args(arguments);
        command.env_clear();
        command.env("SEGTUI_BASE_URL", url);
        command.env("SEGTUI_TENANT", "demo-wholesale");
        command.env("SEGTUI_API_KEY", "demo-key:not-a-secret");
        Self::run(command, home)
    }

    fn run(mut command: CommandBuilder, home: TempDir) -> Self {
        command.env("TERM", "xterm-256color");
        command.env("HOME", home.path());
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("there is a pseudo-terminal");
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("it can be read");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send((Instant::now(), bytes[..count].to_vec())).is_err() {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().expect("it can be written to");
        let parser = vt100::Parser::new(NonZeroU16::new(ROWS).unwrap(), NonZeroU16::new(COLUMNS).unwrap(), 0);
        Self { _master: pair.master, writer, child, output, parser, started, home: Some(home) }
    }

    pub fn process(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    pub fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("it takes keys");
    }

    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Waits until the screen meets a condition, and returns the time from the start of the program until then.
    pub fn wait_until(&mut self, what: &str, condition: impl Fn(&str) -> bool) -> Duration {
        let started = Instant::now();
        let mut at = Instant::now();
        while !condition(&self.screen()) {
            assert!(started.elapsed() < TIMEOUT, "waited in vain for {what}; the screen:\n{}", self.screen());
            match self.output.recv_timeout(Duration::from_millis(100)) {
                Ok((received, bytes)) => {
                    at = received;
                    self.parser.process(&bytes);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended; its screen:\n{}", self.screen()),
            }
        }
        at - self.started
    }

    pub fn wait_for(&mut self, text: &str) -> Duration {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Reads all output until there is none for a while.
    pub fn drain(&mut self, quiet: Duration) -> Vec<(Instant, usize)> {
        let mut pieces = Vec::new();
        while let Ok((received, bytes)) = self.output.recv_timeout(quiet) {
            self.parser.process(&bytes);
            pieces.push((received, bytes.len()));
        }
        pieces
    }

    /// Presses a key and waits for the response; `None` when there is none.
    pub fn press(&mut self, key: &str) -> Option<KeyResponse> {
        let pressed = Instant::now();
        self.send(key);
        let (received, first) = self.output.recv_timeout(RESPONSE_TIMEOUT).ok()?;
        self.parser.process(&first);
        let pieces = self.drain(QUIET_PERIOD);
        let last = pieces.last().map_or(received, |(last, _)| *last);
        let bytes = first.len() + pieces.iter().map(|(_, bytes)| bytes).sum::<usize>();
        Some(KeyResponse { after: last - pressed, bytes })
    }

    /// Presses a key and waits only for the first piece of the response.
    pub fn time_to_first_output(&mut self, key: &str) -> Option<Duration> {
        let pressed = Instant::now();
        self.send(key);
        let (received, bytes) = self.output.recv_timeout(Duration::from_secs(5)).ok()?;
        self.parser.process(&bytes);
        Some(received - pressed)
    }

    pub fn end(mut self) -> Option<TempDir> {
        self.child.kill().expect("it can be ended");
        self.child.wait().expect("it ends");
        self.home.take()
    }

    /// Quits as a user would, so that everything is stored.
    pub fn quit(mut self) -> Option<TempDir> {
        self.send("q");
        let started = Instant::now();
        while self.child.try_wait().expect("it can be asked").is_none() {
            assert!(started.elapsed() < TIMEOUT, "it does not end");
            thread::sleep(Duration::from_millis(5));
        }
        self.home.take()
    }
}

/// A field of `/proc/PID/status`, in MB of a million bytes.
pub fn memory(process: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    let kib: f64 = line.trim_matches(|other: char| !other.is_ascii_digit()).parse().unwrap_or_default();
    kib * 1_024.0 / 1_000_000.0
}

/// The processor time that a process has used.
pub fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may contain anything; the times are the 14th and 15th field, in hundredths of a second.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
