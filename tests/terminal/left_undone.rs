//! The program killed while it writes: the next session reports what the last one left, and the rest is applied once.

use std::time::Duration;

use axum::http::Method;
use segtui::demo::{Actor, ChangeRequest, Fields, InjectedFault};
use tempfile::TempDir;

use super::pty::{Pty, eventually};
use super::{CTRL_U, Demo, ENTER};

/// Longer than any test: a program that waits for it is killed.
const UNTIL_KILLED: Duration = Duration::from_secs(600);

/// How the list of pending changes begins.
const PENDING_CHANGES: &str = "╭ Pending changes";

struct Home {
    folder: TempDir,
    demo: Demo,
}

/// Where a write is when the program is killed.
#[derive(Debug, Clone, Copy)]
enum KillPoint {
    /// The server has received it and not applied it.
    Sent,
    /// The server has applied it and not responded.
    Applied,
}

impl KillPoint {
    const BOTH: [Self; 2] = [Self::Sent, Self::Applied];

    fn plan(self, demo: &Demo, method: Method) {
        let (on, by) = ((method, "/segments"), UNTIL_KILLED);
        demo.server.inject_fault(match self {
            Self::Sent => InjectedFault::DelayRequest { on, by },
            Self::Applied => InjectedFault::DelayResponse { on, by },
        });
    }
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), demo: Demo::start() }
    }

    fn start(&self) -> Pty {
        let mut environment = self.demo.variables().to_vec();
        environment.push(("HOME", self.folder.path().to_str().unwrap().to_owned()));
        let pty = Pty::start(140, 40, &["--poll", "0.2"], &environment);
        pty.wait_for("● live");
        pty
    }

    /// Starts the program and selects a segment without children.
    fn start_on_a_leaf(&self) -> Pty {
        let mut pty = self.start();
        pty.type_text("/zgierz\r");
        pty.wait_for("/ zgierz · 1 of 1");
        pty
    }

    fn count(&self, name: &str) -> usize {
        self.demo.server.segments().iter().filter(|segment| segment.name == name).count()
    }

    fn sent(&self, method: &Method) -> usize {
        self.demo.server.requests().iter().filter(|request| request.method == *method).count()
    }

    /// Waits until a request has reached the server and, where it is applied, until its effect is visible.
    fn wait_until_reached(&self, point: KillPoint, method: &Method, done: impl Fn(&Self) -> bool) {
        eventually(|| (self.sent(method) > 0).then_some(()));
        if matches!(point, KillPoint::Applied) {
            eventually(|| done(self).then_some(()));
        }
    }

    /// Checks what the next session reports, and retries or resumes what was not applied.
    fn assert_resumes(
        &self,
        point: KillPoint,
        applied: &str,
        not: &str,
        method: &Method,
        done: impl Fn(&Self) -> bool,
    ) {
        let mut pty = self.start();
        pty.wait_for("Left over from last session: ");
        pty.type_text("Q");
        pty.wait_for(PENDING_CHANGES);
        match point {
            KillPoint::Applied => {
                pty.wait_for(&format!("{applied}: applied"));
                assert_eq!(self.sent(method), 1, "{point:?}");
            }
            KillPoint::Sent => {
                // For a create, not finding it proves nothing.
                let creates = *method == Method::POST;
                let expected_state = if creates { "not found on the server so far" } else { "sent but not applied" };
                pty.wait_for(&format!("{not}: "));
                pty.wait_for(expected_state);
                assert!(!done(self), "nothing goes by itself");
                pty.wait_for(if creates { "r retry" } else { "r resume" });
                pty.type_text(if creates { "r" } else { "R" });
                eventually(|| done(self).then_some(()));
                assert_eq!(self.sent(method), 2, "{point:?}");
            }
        }
        pty.wait_for("No pending changes.");
        pty.type_text("\x1b");
        // A key right after an escape would belong to its sequence.
        pty.wait_until_gone(PENDING_CHANGES);
        pty.type_text("q");
        assert_eq!(pty.exit_code(), 0);
        assert!(done(self));
        // Nothing is left for another session.
        let mut pty = self.start();
        pty.type_text("q");
        assert_eq!(pty.exit_code(), 0);
    }
}

#[test]
fn a_create_in_flight_at_a_kill_is_reported_and_done_once() {
    for point in KillPoint::BOTH {
        let home = Home::new();
        let mut pty = home.start_on_a_leaf();
        point.plan(&home.demo, Method::POST);
        pty.type_text(&format!("aNowy oddział{ENTER}"));
        let done = |home: &Home| home.count("Nowy oddział") == 1;
        home.wait_until_reached(point, &Method::POST, done);
        pty.kill();
        home.assert_resumes(point, "Created Nowy oddział", "Create Nowy oddział", &Method::POST, done);
        assert_eq!(home.count("Nowy oddział"), 1);
    }
}

#[test]
fn a_rename_in_flight_at_a_kill_is_reported_and_resumed() {
    for point in KillPoint::BOTH {
        let home = Home::new();
        let mut pty = home.start_on_a_leaf();
        point.plan(&home.demo, Method::PUT);
        pty.type_text(&format!("r{CTRL_U}Zgierz 2{ENTER}"));
        let done = |home: &Home| home.count("Zgierz 2") == 1;
        home.wait_until_reached(point, &Method::PUT, done);
        pty.kill();
        home.assert_resumes(point, "Renamed Zgierz → Zgierz 2", "Rename Zgierz to Zgierz 2", &Method::PUT, done);
    }
}

#[test]
fn a_deletion_in_flight_at_a_kill_is_reported_and_resumed() {
    for point in KillPoint::BOTH {
        let home = Home::new();
        let mut pty = home.start_on_a_leaf();
        point.plan(&home.demo, Method::DELETE);
        pty.type_text("d");
        pty.wait_for("Zgierz");
        pty.type_text("y");
        let done = |home: &Home| home.count("Zgierz") == 0;
        home.wait_until_reached(point, &Method::DELETE, done);
        pty.kill();
        home.assert_resumes(point, "Deleted Zgierz", "Delete Zgierz", &Method::DELETE, done);
    }
}

#[test]
fn an_unsent_change_survives_a_kill_and_follows_the_sent_one() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    KillPoint::Sent.plan(&home.demo, Method::PUT);
    pty.type_text(&format!("r{CTRL_U}First{ENTER}"));
    home.wait_until_reached(KillPoint::Sent, &Method::PUT, |_| true);
    // The second builds on the first, so it isn't sent before the first is done.
    pty.type_text(&format!("r{CTRL_U}Second{ENTER}"));
    pty.wait_for("Second");
    // A change is journaled before it is sent, and so is what was submitted before it.
    pty.type_text(&format!("ANowy{ENTER}"));
    eventually(|| (home.count("Nowy") == 1).then_some(()));
    pty.kill();
    let mut pty = home.start();
    pty.wait_for("Left over from last session: ");
    pty.type_text("Q");
    pty.wait_for("sent but not applied");
    pty.wait_for("not sent yet");
    pty.wait_for("r resume");
    assert_eq!((home.count("First"), home.count("Second")), (0, 0));
    pty.type_text("r");
    eventually(|| (home.count("First") == 1).then_some(()));
    pty.type_text("R");
    eventually(|| (home.count("Second") == 1).then_some(()));
    assert_eq!(home.sent(&Method::PUT), 3);
}

#[test]
fn a_create_answered_just_before_a_kill_exists_once() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    pty.type_text(&format!("aNowy oddział{ENTER}"));
    pty.wait_for("Created Nowy oddział");
    pty.kill();
    // Whether or not its completion has reached the disk.
    let mut pty = home.start();
    pty.wait_for("Nowy oddział");
    pty.type_text("R");
    pty.wait_for("● live");
    assert_eq!((home.count("Nowy oddział"), home.sent(&Method::POST)), (1, 1));
}

#[test]
fn quitting_keeps_staged_changes_and_those_in_flight() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    KillPoint::Sent.plan(&home.demo, Method::POST);
    pty.type_text(&format!("ANowy oddział{ENTER}"));
    home.wait_until_reached(KillPoint::Sent, &Method::POST, |_| true);
    pty.type_text("S");
    pty.wait_for("Staging on");
    pty.type_text(&format!("/zgierz{ENTER}"));
    pty.wait_for("/ zgierz · 1 of 1");
    pty.type_text(&format!("r{CTRL_U}Later{ENTER}"));
    pty.wait_for("Staged (1)");
    pty.type_text("q");
    pty.wait_for("Quit?");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
    assert_eq!((home.count("Nowy oddział"), home.count("Later")), (0, 0));
    let mut pty = home.start();
    pty.wait_for("Left over from last session: ");
    pty.type_text("Q");
    pty.wait_for("Create Nowy oddział: sent, not found on the server so far");
    pty.wait_for("Rename Zgierz to Later");
    pty.wait_for("r retry");
    pty.type_text("r");
    eventually(|| (home.count("Nowy oddział") == 1).then_some(()));
    assert_eq!(home.count("Later"), 0, "what was only gathered does not go with the others");
    pty.type_text("\x1b");
    pty.wait_until_gone(PENDING_CHANGES);
    pty.type_text("S");
    pty.wait_for("y send staged");
    pty.type_text("y");
    eventually(|| (home.count("Later") == 1).then_some(()));
}

#[test]
fn a_rename_that_was_changed_since_has_an_unknown_result() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    KillPoint::Applied.plan(&home.demo, Method::PUT);
    pty.type_text(&format!("r{CTRL_U}Zgierz 2{ENTER}"));
    home.wait_until_reached(KillPoint::Applied, &Method::PUT, |home| home.count("Zgierz 2") == 1);
    pty.kill();
    let there = home.demo.named("Zgierz 2").unwrap();
    let theirs = Fields { name: "Theirs".into(), ..Fields::of(&there) };
    home.demo.server.change(Actor::Backoffice, ChangeRequest::Update(there.id, theirs)).unwrap();
    let pty = home.start();
    pty.wait_for("sent, result unknown");
    assert_eq!((home.count("Theirs"), home.sent(&Method::PUT)), (1, 1));
}

#[test]
fn quitting_while_the_journal_is_locked_says_what_may_be_lost() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    let folder = home.folder.path().join(".local/share/segtui");
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let store = files.find(|path| path.extension().is_some_and(|extension| extension == "db")).unwrap();
    let other = rusqlite::Connection::open(store).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    pty.type_text("S");
    pty.wait_for("Staging on");
    pty.type_text(&format!("r{CTRL_U}Later{ENTER}"));
    pty.wait_for("Staged (1)");
    pty.type_text("q");
    pty.wait_for("Quit?");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 1);
    pty.wait_for(
        "segtui: couldn't write the last changes to the journal within 3 s, so the next session may not know them",
    );
    pty.wait_for("hint: check them on the server, and whether another program locks the store");
}
