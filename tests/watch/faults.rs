//! Obstacles for `watch`: a segment that can't be fetched, a tenant without a feed, and a long backlog.

use std::fs;
use std::path::Path;

use axum::http::Method;
use segtui::demo::InjectedFault;
use segtui::segment::SegmentId;

use crate::demo::{Demo, Watch, step, wait_until};

/// More requests than any test makes.
const ALWAYS: usize = 500;

impl Demo {
    /// From now on, refuses every GET request for a part of the API.
    fn refuse(&self, path: &'static str, status: u16) {
        for _ in 0..ALWAYS {
            self.server.inject_fault(InjectedFault::Refuse { on: (Method::GET, path), status, retry_after: None });
        }
    }

    fn refuse_segment(&self, id: &SegmentId) {
        self.refuse(Box::leak(format!("segments/{id}").into_boxed_str()), 500);
    }
}

fn name(watch: &mut Watch) -> String {
    watch.json()["segment"]["name"].as_str().unwrap().to_owned()
}

#[test]
fn an_unreadable_change_is_reported_and_survives_restarts() {
    let demo = Demo::start();
    let state = demo.path("state");
    let arguments = ["--format", "ndjson", "--state", state.to_str().unwrap()];
    let id = demo.create("A");
    let mut watch = demo.watching(&arguments);
    wait_until("a new state begins now", || step(&state).is_some());
    let before = step(&state).unwrap();
    demo.refuse_segment(&id);
    demo.rename("A", "A 2");
    let stderr = watch.stderr_line_with("couldn't fetch segment");
    assert!(stderr.contains(&format!("trying again; until then it resumes from step {before}")), "{stderr}");
    demo.create("B");
    demo.create("C");
    assert_eq!([name(&mut watch), name(&mut watch)], ["B", "C"]);
    watch.signal("TERM");
    assert_eq!(watch.ended().0, 143);
    assert_eq!(step(&state), Some(before), "the position stays before what was not read");

    // Only that change is still due, however often the program is restarted before the segment can be fetched.
    let mut watch = demo.watch(&arguments);
    watch.stderr_line_with("couldn't fetch segment");
    watch.stderr_line_with(&format!("watching demo-wholesale from step {before}"));
    watch.killed();
    demo.server.clear_faults();
    let mut watch = demo.watch(&arguments);
    assert_eq!(name(&mut watch), "A 2");
    wait_until("the state moves on", || step(&state) > Some(before));
    demo.create("D");
    assert_eq!(name(&mut watch), "D");
}

#[test]
fn a_change_read_late_is_reported_even_if_the_list_had_it() {
    let demo = Demo::start();
    let id = demo.create("A");
    let since = (demo.server.events() + 1).to_string();
    demo.rename("A", "A 2");
    demo.refuse_segment(&id);
    let mut watch = demo.watch(&["--format", "ndjson", "--since", &since]);
    watch.stderr_line_with(&format!("watching demo-wholesale from step {since}"));
    demo.server.clear_faults();
    assert_eq!(name(&mut watch), "A 2");
}

#[test]
fn a_tenant_without_a_feed_is_an_error_that_says_so() {
    let demo = Demo::start();
    let state = demo.path("state");
    let new = ["--state", state.to_str().unwrap()];
    for arguments in [&[][..], &["--since", "5"], &new] {
        demo.refuse("synchronization", 404);
        let (code, stderr) = demo.watch(arguments).ended();
        assert_eq!(code, 1, "{stderr}");
        let expected = "segtui: couldn't watch demo-wholesale: it has no change feed (couldn't fetch changes: the server responded 404";
        assert!(stderr.contains(expected), "{stderr}");
        assert!(stderr.contains("\nhint: check the base URL and the tenant with `segtui doctor`"), "{stderr}");
        demo.server.clear_faults();
    }
    assert!(!state.exists());
}

#[test]
fn a_feed_that_disappears_while_watched_is_an_error() {
    let demo = Demo::start();
    let mut watch = demo.watching(&[]);
    demo.refuse("synchronization", 404);
    let stderr = watch.stderr_line();
    assert!(
        stderr.starts_with("segtui: couldn't watch demo-wholesale any longer: its change feed is gone"),
        "{stderr}"
    );
    assert_eq!(watch.ended().0, 7, "it may be back later");
}

#[test]
fn a_long_backlog_is_reported() {
    let demo = Demo::start();
    let mut watch = demo.watch(&["--since", "1"]);
    let stderr = watch.stderr_line_with(" changes to read");
    let count: usize = stderr.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!((51..=demo.server.events()).contains(&count), "{stderr}");
    watch.stderr_line_with("watching demo-wholesale from step 1");
}

#[test]
fn changes_handled_before_a_failed_command_are_not_repeated() {
    let demo = Demo::start();
    let (state, log_file, go) = (demo.path("state"), demo.path("told"), demo.path("go"));
    let watch = demo.watching(&["--state", state.to_str().unwrap()]);
    wait_until("a new state begins now", || step(&state).is_some());
    drop(watch);
    // They come in one part of the feed, since nothing polls while they are made.
    for name in ["A", "B", "C", "D", "E"] {
        demo.create(name);
    }
    let before = step(&state);
    let command = format!(
        "read line; case $line in *'\"name\":\"D\"'*) test -e '{}' || exit 7;; esac; echo \"$line\" >> '{}'",
        go.display(),
        log_file.display()
    );
    let arguments = ["--state", state.to_str().unwrap(), "--exec", &command, "--on-error", "stop"];
    for _ in 0..2 {
        let (code, stderr) = demo.watch(&arguments).ended();
        assert_eq!((code, step(&state)), (1, before), "{stderr}");
        assert_eq!(names(&log_file), ["A", "B", "C"], "{stderr}");
    }
    fs::write(go, "").unwrap();
    let _watch = demo.watch(&arguments);
    wait_until("the state moves on", || step(&state) > before);
    assert_eq!(names(&log_file), ["A", "B", "C", "D", "E"]);
    assert!(!fs::read_to_string(&state).unwrap().contains("done"), "nothing is after the step");
}

/// The segment names in the lines of a file.
fn names(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let line =
        |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["segment"]["name"].as_str().unwrap().into();
    text.lines().map(line).collect()
}
