//! The reader thread: waits for input bytes, size changes, and the request to stop.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::low_level::{pipe, unregister};
use tokio::sync::mpsc;

use super::sequences::Sequences;
use crate::app::Event;

/// The sources the thread reads from.
#[derive(Debug)]
pub(super) struct Reader {
    terminal: File,
    /// One byte for each change of the terminal's size.
    sizes: UnixStream,
    size_signal: signal_hook::SigId,
    /// A byte once the thread should stop.
    stop: UnixStream,
}

/// Stops the reader thread.
#[derive(Debug)]
pub(super) struct Stopper(UnixStream);

/// Maximum bytes read at once.
const READ_BUFFER_LEN: usize = 16 * 1024;
/// How long to wait for input typed earlier.
const DISCARD_TIMEOUT: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

impl Reader {
    pub fn open() -> io::Result<(Self, Stopper)> {
        let (sizes, on_signal) = UnixStream::pair()?;
        let (stop, stopper) = UnixStream::pair()?;
        for stream in [&sizes, &stop] {
            stream.set_nonblocking(true)?;
        }
        let size_signal = pipe::register(signal_hook::consts::SIGWINCH, on_signal)?;
        Ok((Self { terminal: terminal()?, sizes, size_signal, stop }, Stopper(stopper)))
    }

    /// Reads until stopped or until the receiver is gone.
    pub fn run(mut self, sender: &mpsc::Sender<io::Result<Event>>) {
        let mut sequences = Sequences::default();
        loop {
            let ready = match self.wait(sequences.timeout()) {
                Ok(ready) => ready,
                Err(error) => return send(sender, Err(error)),
            };
            let events = match ready {
                Ready::Stop => return,
                Ready::Size => {
                    drain(&mut self.sizes);
                    crossterm::terminal::size().map(|(columns, rows)| vec![Event::Resized(columns, rows)])
                }
                Ready::Bytes => self.read(&mut sequences),
                Ready::TimedOut => Ok(sequences.flush().into_iter().collect()),
            };
            match events {
                Ok(events) => {
                    for event in events {
                        if sender.blocking_send(Ok(event)).is_err() {
                            return;
                        }
                    }
                }
                Err(error) => return send(sender, Err(error)),
            }
        }
    }

    /// Waits for the next source that is ready, at most for `timeout`.
    fn wait(&self, timeout: Option<Duration>) -> io::Result<Ready> {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut sources = [&self.stop.as_fd(), &self.sizes.as_fd(), &self.terminal.as_fd()]
            .map(|source| PollFd::from_borrowed_fd(*source, PollFlags::IN));
        loop {
            match poll(&mut sources, timeout.as_ref()) {
                Ok(0) => return Ok(Ready::TimedOut),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let [stop, sizes, _] = sources.map(|source| !source.revents().is_empty());
        Ok(if stop {
            Ready::Stop
        } else if sizes {
            Ready::Size
        } else {
            Ready::Bytes
        })
    }

    fn read(&mut self, sequences: &mut Sequences) -> io::Result<Vec<Event>> {
        let mut buffer = [0; READ_BUFFER_LEN];
        match self.terminal.read(&mut buffer) {
            Ok(0) => Err(super::super::closed()),
            Ok(length) => Ok(sequences.feed(&buffer[..length])),
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        unregister(self.size_signal);
    }
}

impl Stopper {
    pub fn stop(&self) {
        // If the reader is gone, there is nothing to stop.
        let _sent = (&self.0).write(&[0]);
    }
}

/// What is ready.
enum Ready {
    Stop,
    Size,
    Bytes,
    /// Nothing before the timeout.
    TimedOut,
}

/// Opens the terminal that the user types into, as a descriptor of its own: others may close theirs.
fn terminal() -> io::Result<File> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let own: OwnedFd = stdin.as_fd().try_clone_to_owned()?;
        return Ok(own.into());
    }
    File::open("/dev/tty")
}

/// Discards input typed earlier: it was meant for another program.
pub(super) fn discard_typed() -> io::Result<()> {
    let mut terminal = terminal()?;
    let mut buffer = [0; READ_BUFFER_LEN];
    loop {
        let mut source = [PollFd::new(&terminal, PollFlags::IN)];
        match poll(&mut source, Some(&DISCARD_TIMEOUT)) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !source[0].revents().is_empty() && terminal.read(&mut buffer)? == 0 {
            return Err(super::super::closed());
        }
    }
}

fn drain(stream: &mut UnixStream) {
    let mut buffer = [0; 64];
    // The stream is non-blocking; an error means that it is empty.
    while stream.read(&mut buffer).is_ok_and(|length| length > 0) {}
}

fn send(sender: &mpsc::Sender<io::Result<Event>>, event: io::Result<Event>) {
    // If the receiver is gone, nobody needs the event.
    let _sent = sender.blocking_send(event);
}
