//! A terminal that is closed, and a signal during an incomplete key sequence: the program ends by itself, quickly and
//! cleanly.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use axum::http::Method;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use segtui::demo::InjectedFault;

use crate::Demo;
use crate::pty::{eventually, program};

/// The program in a terminal that can be closed.
struct Closable {
    master: Box<dyn MasterPty + Send>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    home: tempfile::TempDir,
}

impl Closable {
    fn start(demo: &Demo) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program());
        command.env_clear();
        for (name, value) in demo.variables() {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (reader, writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
        Self { master: pair.master, reader, writer, child, home }
    }

    /// Reads the program's output until it contains a text.
    fn wait_for(&mut self, text: &str) {
        let (mut shown, mut part) = (String::new(), [0; 4096]);
        while !shown.contains(text) {
            let read = self.reader.read(&mut part).unwrap();
            assert!(read > 0, "it has ended: {shown}");
            shown.push_str(&String::from_utf8_lossy(&part[..read]));
        }
    }

    /// Closes the terminal, as a closed window or a broken connection does, and returns how the program ended.
    fn close(self) -> portable_pty::ExitStatus {
        let Self { master, reader, writer, mut child, home } = self;
        drop((master, reader, writer));
        let status = eventually(|| child.try_wait().unwrap());
        drop(home);
        status
    }
}

#[test]
fn a_terminal_that_is_closed_ends_the_program_without_an_abort() {
    for keys in ["", "/pod", "r", "d", "?", "Q"] {
        let demo = Demo::start();
        let mut closable = Closable::start(&demo);
        closable.wait_for("live");
        closable.writer.write_all(keys.as_bytes()).unwrap();
        let began = Instant::now();
        let status = closable.close();
        assert_eq!(status.signal(), None, "after {keys:?}: {status:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "after {keys:?}: {:?}", began.elapsed());
    }
}

#[test]
fn the_last_change_is_journaled_when_the_terminal_is_closed() {
    for round in 0..8 {
        let demo = Demo::start();
        let mut closable = Closable::start(&demo);
        closable.wait_for("live");
        // The request is delayed, so that the change can only be in the journal.
        demo.server.inject_fault(InjectedFault::DelayRequest { on: (Method::PUT, ""), by: Duration::from_secs(60) });
        let home = closable.home.path().to_owned();
        closable.writer.write_all(format!("r\x15Last {round}\r").as_bytes()).unwrap();
        closable.wait_for(&format!("Last {round}"));
        let home_kept = std::mem::replace(&mut closable.home, tempfile::tempdir().unwrap());
        assert_eq!(closable.close().signal(), None);
        let folder = home.join(".local/share/segtui");
        let stores: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "db"))
            .collect();
        let [store] = stores.as_slice() else { panic!("{stores:?}") };
        let left = segtui::store::open(store).unwrap().journal;
        let names: Vec<String> = left.iter().map(|one| format!("{:?}", one.operation)).collect();
        let [name] = names.as_slice() else { panic!("round {round}: {names:?}") };
        assert!(name.contains(&format!("Last {round}")), "{name}");
        drop(home_kept);
    }
}

#[test]
fn sigterm_ends_the_program_during_an_escape_sequence() {
    for begun in ["\x1b", "\x1b[", "\x1b[1;", "\x1b]11;rgb:", "\x1b[200~half a paste", "\x1bO"] {
        let demo = Demo::start();
        let mut closable = Closable::start(&demo);
        closable.wait_for("live");
        closable.writer.write_all(begun.as_bytes()).unwrap();
        let process = closable.child.process_id().unwrap();
        let sent = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {process}")]).status().unwrap();
        assert!(sent.success());
        let status = eventually(|| closable.child.try_wait().unwrap());
        assert_eq!((status.exit_code(), status.signal()), (143, None), "after {begun:?}");
    }
}
