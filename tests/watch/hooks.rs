//! `watch --exec`: its time limit, what happens when the command fails, and steps beyond the end of the feed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::demo::{Demo, step, wait_until};

#[test]
fn a_command_over_its_time_limit_is_killed_with_its_children() {
    let demo = Demo::start();
    let child = demo.path("child");
    // It ignores SIGTERM, and so does the process that it starts.
    let command = format!("trap '' TERM; sleep 300 & echo $! > '{}'; wait; wait", child.display());
    let mut watch = demo.watching(&["--exec", &command, "--hook-timeout", "0.3"]);
    demo.create("A");
    let stderr = watch.stderr_line();
    assert!(stderr.contains("didn't end within 0.3 s and was ended, 3 times, for this change: {"), "{stderr}");
    let id = fs::read_to_string(&child).unwrap();
    let process = Path::new("/proc").join(id.trim());
    wait_until("what it started is gone", || {
        // It stays a zombie if nothing reaps it.
        fs::read_to_string(process.join("stat")).map_or(true, |stat| stat.contains(") Z "))
    });
    demo.create("B");
    watch.line();
    watch.line();
    watch.signal("INT");
}

#[test]
fn a_failing_command_is_retried_before_the_next_change() {
    let demo = Demo::start();
    let (fails, log_file) = (demo.path("fails"), demo.path("told"));
    fs::write(&fails, "").unwrap();
    let command = format!("! test -e '{}' && cat >> '{}'", fails.display(), log_file.display());
    let mut watch = demo.watching(&["--exec", &command, "--on-error", "retry"]);
    demo.create("A");
    for _ in 0..4 {
        watch.stderr_line_with("ended with exit status: 1; retrying in");
    }
    demo.create("B");
    assert!(!log_file.exists());
    fs::remove_file(fails).unwrap();
    watch.stderr_line_with("works again");
    wait_until("both are told", || fs::read_to_string(&log_file).is_ok_and(|text| text.lines().count() == 2));
    let text = fs::read_to_string(&log_file).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    assert!(first.contains("\"name\":\"A\"") && second.contains("\"name\":\"B\""), "{text}");
}

#[test]
fn a_failing_command_can_stop_watch_before_its_change() {
    let demo = Demo::start();
    let (state, log_file) = (demo.path("state"), demo.path("told"));
    let state = state.to_str().unwrap();
    let watch = demo.watching(&["--state", state, "--exec", "exit 7", "--on-error", "stop"]);
    wait_until("a new state begins now", || step(Path::new(state)).is_some());
    let before = step(Path::new(state));
    demo.create("A");
    let (code, stderr) = watch.ended();
    assert_eq!(code, 1);
    assert!(stderr.contains("segtui: `exit 7` ended with exit status: 7, 3 times, for this change: {"), "{stderr}");
    assert!(stderr.contains("hint: mend what failed, then run it again with the same --state to resume"), "{stderr}");
    assert_eq!(step(Path::new(state)), before);
    let _watch = demo.watch(&["--state", state, "--exec", &format!("cat >> '{}'", log_file.display())]);
    wait_until("it comes again", || fs::read_to_string(&log_file).is_ok_and(|text| text.contains("\"name\":\"A\"")));
    wait_until("the state moves on", || step(Path::new(state)) > before);
}

#[test]
fn the_state_advances_after_the_command_even_when_it_fails() {
    let demo = Demo::start();
    let (state, go) = (demo.path("state"), demo.path("go"));
    let command = format!("while ! test -e '{}'; do sleep 0.05; done; exit 1", go.display());
    let arguments = ["--state", state.to_str().unwrap(), "--format", "ndjson", "--exec", &command];
    let mut watch = demo.watching(&arguments);
    wait_until("a new state begins now", || step(&state).is_some());
    let before = step(&state);
    demo.create("A");
    let line = watch.json();
    assert_eq!(step(&state), before, "the command has not ended yet");
    fs::write(go, "").unwrap();
    watch.stderr_line_with("3 times, for this change: {");
    wait_until("the state moves on", || step(&state) == line["step"].as_i64());
}

#[test]
fn without_a_hook_the_state_advances_with_each_line() {
    let demo = Demo::start();
    let state = demo.path("state");
    let arguments = ["--state", state.to_str().unwrap(), "--format", "ndjson"];
    let mut watch = demo.watching(&arguments);
    wait_until("a new state begins now", || step(&state).is_some());
    let before = fs::read_to_string(&state).unwrap();
    demo.create("A");
    assert_eq!(watch.json()["segment"]["name"], "A");
    // The step may still be the one before A, with A recorded as handled.
    wait_until("the state records it", || fs::read_to_string(&state).is_ok_and(|now| now != before));
    watch.killed();
    demo.create("B");
    let mut watch = demo.watch(&arguments);
    assert_eq!(watch.json()["segment"]["name"], "B");
}

#[test]
fn a_second_signal_kills_the_command_and_keeps_its_step() {
    let demo = Demo::start();
    let (state, begun) = (demo.path("state"), demo.path("begun"));
    let command = format!("touch '{}'; sleep 300", begun.display());
    let mut watch = demo.watching(&["--state", state.to_str().unwrap(), "--exec", &command]);
    wait_until("a new state begins now", || step(&state).is_some());
    let before = step(&state);
    demo.create("A");
    wait_until("the command runs", || begun.exists());
    let time = Instant::now();
    watch.signal("INT");
    watch.stderr_line_with("a second signal ends it");
    watch.signal("INT");
    let (code, stderr) = watch.ended();
    assert_eq!(code, 0);
    assert!(time.elapsed() < Duration::from_secs(20) && stderr.contains("was ended before it was done"), "{stderr}");
    assert_eq!(step(&state), before);
}

#[test]
fn a_command_sees_neither_the_key_nor_the_secret() {
    let demo = Demo::start();
    let seen = demo.path("environment");
    let mut watch = demo.watching(&["--exec", &format!("env > '{}'", seen.display())]);
    demo.create("A");
    watch.line();
    wait_until("it has run", || fs::read_to_string(&seen).is_ok_and(|text| text.contains("HOME=")));
    let text = fs::read_to_string(&seen).unwrap();
    assert!(!text.contains("API_KEY") && !text.contains("POST_SECRET") && !text.contains("hunter2"), "{text}");
}

#[test]
fn a_step_beyond_the_end_is_reported_at_once() {
    let demo = Demo::start();
    let mut watch = demo.watching(&["--format", "ndjson"]);
    demo.create("A");
    let next = watch.json()["step"].as_i64().unwrap();
    drop(watch);
    let (code, stderr) = demo.watch(&["--since", &(next + 1).to_string()]).ended();
    assert_eq!(code, 2, "{stderr}");
    let expected =
        format!("segtui: step {} is beyond the end of the feed, whose next step is {next}\nhint: ", next + 1);
    assert!(stderr.starts_with(&expected), "{stderr}");
    assert_eq!(demo.watch(&["--since", "999999999999"]).ended().0, 2);
    // The feed's next step is not beyond its end.
    let mut watch = demo.watch(&["--format", "ndjson", "--since", &next.to_string()]);
    watch.stderr_line_with("watching demo-wholesale");
    demo.create("B");
    assert_eq!(watch.json()["segment"]["name"], "B");
}

#[test]
fn quiet_watch_reports_only_errors() {
    let demo = Demo::start();
    let state = demo.path("state");
    let mut watch = demo.watch(&["-q", "--format", "ndjson", "--state", state.to_str().unwrap(), "--exec", "false"]);
    wait_until("a new state begins now", || step(&state).is_some());
    demo.create("A");
    assert_eq!(watch.json()["segment"]["name"], "A");
    let stderr = watch.stderr_line();
    assert!(stderr.starts_with("segtui: `false` ended with exit status: 1, 3 times, for this change: {"), "{stderr}");
    watch.signal("INT");
    assert_eq!(watch.ended(), (0, String::new()));
}
