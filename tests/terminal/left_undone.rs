//! The program killed while it writes: the next run tells the truth about what the last one left, and carries out the rest once.

use std::time::Duration;

use axum::http::Method;
use segtui::demo::{Actor, ChangeRequest, Fields, Trouble};
use tempfile::TempDir;

use super::pty::{Pty, eventually};
use super::{CTRL_U, Demo, ENTER};

/// Longer than any test: whoever waits for it is killed.
const FOREVER: Duration = Duration::from_secs(600);

/// How the list of what was left begins.
const LEFT: &str = "╭ Pending changes";

struct Home {
    folder: TempDir,
    demo: Demo,
}

/// Where a write is when the program is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// It has come to the server, which has not carried it out.
    Sent,
    /// The server has carried it out, and not answered.
    CarriedOut,
}

impl Point {
    const BOTH: [Self; 2] = [Self::Sent, Self::CarriedOut];

    fn plan(self, demo: &Demo, method: Method) {
        let (on, by) = ((method, "/segments"), FOREVER);
        demo.server.plan(match self {
            Self::Sent => Trouble::Delay { on, by },
            Self::CarriedOut => Trouble::HoldAnswer { on, by },
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

    /// The program with a segment without children selected.
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

    /// Until a request has come to the server, and what it does there is to be seen.
    fn wait_at(&self, point: Point, method: &Method, done: impl Fn(&Self) -> bool) {
        eventually(|| (self.sent(method) > 0).then_some(()));
        if matches!(point, Point::CarriedOut) {
            eventually(|| done(self).then_some(()));
        }
    }

    /// What the next run says, and then does about what was not carried out.
    fn go_on(&self, point: Point, carried_out: &str, not: &str, method: &Method, done: impl Fn(&Self) -> bool) {
        let mut pty = self.start();
        pty.wait_for("Left over from last session: ");
        pty.type_text("Q");
        pty.wait_for(LEFT);
        match point {
            Point::CarriedOut => {
                pty.wait_for(&format!("{carried_out}: applied"));
                assert_eq!(self.sent(method), 1, "{point:?}");
            }
            Point::Sent => {
                // Of a create, that nothing was found says nothing.
                let creates = *method == Method::POST;
                let fate = if creates { "not found on the server so far" } else { "sent but not applied" };
                pty.wait_for(&format!("{not}: "));
                pty.wait_for(fate);
                assert!(!done(self), "nothing goes by itself");
                pty.wait_for(if creates { "r retry" } else { "r resume" });
                pty.type_text(if creates { "r" } else { "R" });
                eventually(|| done(self).then_some(()));
                assert_eq!(self.sent(method), 2, "{point:?}");
            }
        }
        pty.wait_for("No pending changes.");
        pty.type_text("\x1b");
        // What follows an escape at once belongs to it.
        pty.wait_gone(LEFT);
        pty.type_text("q");
        assert_eq!(pty.exit_code(), 0);
        assert!(done(self));
        // There is nothing left for another run.
        let mut pty = self.start();
        pty.type_text("q");
        assert_eq!(pty.exit_code(), 0);
    }
}

#[test]
fn a_create_that_was_under_way_when_the_program_was_killed_is_told_and_done_once() {
    for point in Point::BOTH {
        let home = Home::new();
        let mut pty = home.start_on_a_leaf();
        point.plan(&home.demo, Method::POST);
        pty.type_text(&format!("aNowy oddział{ENTER}"));
        let done = |home: &Home| home.count("Nowy oddział") == 1;
        home.wait_at(point, &Method::POST, done);
        pty.kill();
        home.go_on(point, "Created Nowy oddział", "Create Nowy oddział", &Method::POST, done);
        assert_eq!(home.count("Nowy oddział"), 1);
    }
}

#[test]
fn a_new_name_that_was_under_way_when_the_program_was_killed_is_told_and_given() {
    for point in Point::BOTH {
        let home = Home::new();
        let mut pty = home.start_on_a_leaf();
        point.plan(&home.demo, Method::PUT);
        pty.type_text(&format!("r{CTRL_U}Zgierz 2{ENTER}"));
        let done = |home: &Home| home.count("Zgierz 2") == 1;
        home.wait_at(point, &Method::PUT, done);
        pty.kill();
        home.go_on(point, "Renamed Zgierz → Zgierz 2", "Rename Zgierz to Zgierz 2", &Method::PUT, done);
    }
}

#[test]
fn a_deletion_that_was_under_way_when_the_program_was_killed_is_told_and_done() {
    for point in Point::BOTH {
        let home = Home::new();
        let mut pty = home.start_on_a_leaf();
        point.plan(&home.demo, Method::DELETE);
        pty.type_text("d");
        pty.wait_for("Zgierz");
        pty.type_text("y");
        let done = |home: &Home| home.count("Zgierz") == 0;
        home.wait_at(point, &Method::DELETE, done);
        pty.kill();
        home.go_on(point, "Deleted Zgierz", "Delete Zgierz", &Method::DELETE, done);
    }
}

#[test]
fn what_was_not_sent_yet_when_the_program_was_killed_is_told_and_goes_after_what_was() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    Point::Sent.plan(&home.demo, Method::PUT);
    pty.type_text(&format!("r{CTRL_U}First{ENTER}"));
    home.wait_at(Point::Sent, &Method::PUT, |_| true);
    // The second builds upon the first, so it is not sent before that is done.
    pty.type_text(&format!("r{CTRL_U}Second{ENTER}"));
    pty.wait_for("Second");
    // What is sent is in the journal before, and so is what was asked for before that.
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
fn a_create_whose_answer_has_just_come_when_the_program_is_killed_exists_once() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    pty.type_text(&format!("aNowy oddział{ENTER}"));
    pty.wait_for("Created Nowy oddział");
    pty.kill();
    // Whether that it is done has come to the disk or not.
    let mut pty = home.start();
    pty.wait_for("Nowy oddział");
    pty.type_text("R");
    pty.wait_for("● live");
    assert_eq!((home.count("Nowy oddział"), home.sent(&Method::POST)), (1, 1));
}

#[test]
fn leaving_by_two_keys_keeps_what_is_gathered_and_what_is_under_way() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    Point::Sent.plan(&home.demo, Method::POST);
    pty.type_text(&format!("ANowy oddział{ENTER}"));
    home.wait_at(Point::Sent, &Method::POST, |_| true);
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
    pty.wait_gone(LEFT);
    pty.type_text("S");
    pty.wait_for("y send staged");
    pty.type_text("y");
    eventually(|| (home.count("Later") == 1).then_some(()));
}

#[test]
fn of_a_new_name_that_somebody_has_changed_since_it_is_not_said_that_it_was_not_given() {
    let home = Home::new();
    let mut pty = home.start_on_a_leaf();
    Point::CarriedOut.plan(&home.demo, Method::PUT);
    pty.type_text(&format!("r{CTRL_U}Zgierz 2{ENTER}"));
    home.wait_at(Point::CarriedOut, &Method::PUT, |home| home.count("Zgierz 2") == 1);
    pty.kill();
    let there = home.demo.named("Zgierz 2").unwrap();
    let theirs = Fields { name: "Theirs".into(), ..Fields::of(&there) };
    home.demo.server.change(Actor::Backoffice, ChangeRequest::Update(there.id, theirs)).unwrap();
    let pty = home.start();
    pty.wait_for("sent, result unknown");
    assert_eq!((home.count("Theirs"), home.sent(&Method::PUT)), (1, 1));
}
