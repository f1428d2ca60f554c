//! `segtui watch`: the lines that it writes, the command that it runs, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]
#![cfg(unix)]

mod demo;
mod faults;
mod hooks;
mod posts;
mod receiver;
#[path = "../common/site.rs"]
mod site;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use axum::http::Method;
use segtui::demo::{Actor, ChangeRequest, Fields, InjectedFault};
use serde_json::{Value, json};

use demo::{Demo, TIMEOUT};

#[test]
fn each_change_is_a_line_with_old_and_new_values_and_a_step() {
    let demo = Demo::start();
    let mut watch = demo.watching(&["--format", "ndjson"]);
    let parent = demo.server.segments().into_iter().find(|segment| segment.name == "Podhurt").unwrap().id;
    let fields = Fields { name: "Nowy".into(), external_id: Some("N".into()), parent: Some(parent.clone()) };
    let id = demo.change(Actor::Backoffice, ChangeRequest::Create(fields));
    let created = watch.json();
    assert_eq!((&created["kind"], &created["id"]), (&json!("create"), &json!(id)));
    let segment = json!({ "id": id, "name": "Nowy", "externalId": "N", "parentSegmentId": parent });
    assert_eq!(created["segment"], segment);
    assert_eq!(created["changed"]["name"], json!({ "old": null, "new": "Nowy" }));
    assert!(created["time"].as_str().unwrap().ends_with('Z') && created["step"].as_i64().unwrap() > 1, "{created}");

    demo.rename("Nowy", "Starszy");
    let changed = watch.json();
    assert_eq!(changed["kind"], "update");
    assert_eq!(changed["changed"], json!({ "name": { "old": "Nowy", "new": "Starszy" } }));

    demo.change(Actor::Backoffice, ChangeRequest::Delete(id));
    let deleted = watch.json();
    assert_eq!((&deleted["kind"], &deleted["segment"]), (&json!("delete"), &Value::Null));
    assert_eq!(deleted["changed"]["name"], json!({ "old": "Starszy", "new": null }));

    watch.signal("INT");
    let (code, rest) = watch.ended();
    assert_eq!(code, 0);
    assert_eq!(rest, format!("segtui: stopped; resume with `--since {}`\n", deleted["step"]));
}

#[test]
fn resuming_from_a_step_reports_missed_changes_first() {
    let demo = Demo::start();
    let mut watch = demo.watching(&["--format", "ndjson"]);
    demo.rename("Podhurt", "Podhurt 2");
    let step = watch.json()["step"].to_string();
    watch.signal("TERM");
    assert_eq!(watch.ended().0, 143);

    demo.rename("Podhurt 2", "Podhurt 3");
    let fields = Fields { name: "Nowy".into(), external_id: None, parent: None };
    let id = demo.change(Actor::Backoffice, ChangeRequest::Create(fields));
    demo.change(
        Actor::Backoffice,
        ChangeRequest::Create(Fields { name: "Krótki".into(), external_id: None, parent: None }),
    );
    let brief = demo.server.segments().last().unwrap().id.clone();
    demo.change(Actor::Backoffice, ChangeRequest::Delete(brief.clone()));

    let mut watch = demo.watch(&["--format", "ndjson", "--since", &step]);
    let (renamed, created, deleted) = (watch.json(), watch.json(), watch.json());
    assert_eq!((&renamed["kind"], &renamed["segment"]["name"]), (&json!("update"), &json!("Podhurt 3")));
    assert_eq!(renamed["changed"], Value::Null, "what it was before nobody knows any more");
    assert_eq!((&created["kind"], &created["id"]), (&json!("create"), &json!(id)));
    assert_eq!((&deleted["kind"], &deleted["id"]), (&json!("delete"), &json!(brief)));
    demo.rename("Podhurt 3", "Podhurt");
    assert_eq!(watch.json()["changed"]["name"], json!({ "old": "Podhurt 3", "new": "Podhurt" }));
}

#[test]
fn lines_are_human_readable_by_default() {
    let demo = Demo::start();
    let mut watch = demo.watching(&[]);
    demo.rename("Podhurt", "Podhurt 2");
    let line = watch.line();
    assert!(line.ends_with("  Podhurt 2  name: Podhurt → Podhurt 2") && line.contains(" changed "), "{line}");
}

#[test]
fn the_command_gets_each_change_on_its_stdin() {
    let demo = Demo::start();
    let log_file = demo.home.path().join("told");
    let command = format!(
        r#"change=$(cat); echo "$change" >> '{}'; ! echo "$change" | grep -q '"name":"Podhurt 3"'"#,
        log_file.display()
    );
    let mut watch = demo.watching(&["--exec", &command]);
    demo.rename("Podhurt", "Podhurt 2");
    watch.line();
    demo.rename("Podhurt 2", "Podhurt 3");
    watch.line();
    let complaint = watch.stderr_line();
    assert!(complaint.contains("ended with exit status: 1"), "a command that fails is told: {complaint}");
    demo.rename("Podhurt 3", "Podhurt 4");
    watch.line();
    watch.signal("INT");
    assert_eq!(watch.ended().0, 0);
    let log_file = fs::read_to_string(log_file).unwrap();
    let names: Vec<Value> =
        log_file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["segment"]["name"].clone()).collect();
    assert_eq!(names, ["Podhurt 2", "Podhurt 3", "Podhurt 3", "Podhurt 3", "Podhurt 4"]);
}

#[test]
fn a_closed_stdout_is_not_an_error() {
    let demo = Demo::start();
    let mut watch = demo.watching(&[]);
    watch.stdout = None;
    demo.rename("Podhurt", "Podhurt 2");
    assert_eq!(watch.ended(), (0, String::new()));
}

#[test]
fn a_step_no_longer_in_the_feed_is_an_error() {
    let demo = Demo::start();
    demo.server.inject_fault(InjectedFault::Refuse { on: (Method::GET, "startId=7"), status: 410, retry_after: None });
    let (code, complaint) = demo.watch(&["--since", "7"]).ended();
    assert_eq!(code, 1);
    assert!(complaint.contains("step 7 is no longer in the feed"), "{complaint}");
}

#[test]
fn a_wrong_key_ends_watch_with_the_servers_words() {
    let demo = Demo::start();
    let (code, complaint) = demo.watch(&["--api-key", "wrong"]).ended();
    assert_eq!(code, 4);
    assert!(complaint.contains("401"), "{complaint}");
}

#[test]
fn with_origins_each_line_has_its_contexts() {
    let demo = Demo::start();
    let config = demo.home.path().join("config.toml");
    fs::write(&config, "[profiles.acme]\norigins = true\n").unwrap();
    let mut watch = demo.watching(&["--format", "ndjson", "--config", config.to_str().unwrap()]);
    for (actor, context) in [(Actor::Backoffice, "BACKOFFICE"), (Actor::Internal, "INTERNAL")] {
        demo.change(actor, ChangeRequest::Create(Fields { name: "Nowy".into(), external_id: None, parent: None }));
        assert_eq!(watch.json()["contexts"], json!([context]));
    }
}

#[test]
fn a_commands_output_goes_to_stderr_and_it_sees_no_key() {
    let demo = Demo::start();
    let seen = demo.home.path().join("environment");
    let command = format!("echo noise; env > {}", seen.display());
    let mut watch = demo.watching(&["--format", "ndjson", "--exec", &command]);
    for (from, to) in [("Podhurt", "Podhurt 2"), ("Podhurt 2", "Podhurt 3")] {
        demo.rename(from, to);
        assert_eq!(watch.json()["segment"]["name"], json!(to));
        assert_eq!(watch.stderr_line(), "noise\n");
    }
    let environment = fs::read_to_string(seen).unwrap();
    assert!(!environment.contains("API_KEY") && !environment.contains(demo.server.api_key()), "{environment}");
}

#[test]
fn a_failing_command_is_retried_and_reported_with_its_change() {
    let demo = Demo::start();
    let (tried, done) = (demo.home.path().join("tried"), demo.home.path().join("done"));
    let command = format!("test -e {0} || {{ touch {0}; exit 1; }}; cat > {1}", tried.display(), done.display());
    let mut watch = demo.watching(&["--format", "ndjson", "--exec", &command]);
    demo.rename("Podhurt", "Podhurt 2");
    assert_eq!(watch.json()["kind"], json!("update"));
    let until = Instant::now() + TIMEOUT;
    while !fs::read_to_string(&done).is_ok_and(|text| text.contains("Podhurt 2")) {
        assert!(Instant::now() < until, "the change was lost");
        thread::sleep(Duration::from_millis(10));
    }
    drop(watch);

    let mut watch = demo.watching(&["--format", "ndjson", "--exec", "false"]);
    demo.rename("Podhurt 2", "Podhurt 3");
    assert_eq!(watch.json()["kind"], json!("update"));
    let complaint = watch.stderr_line();
    assert!(complaint.contains("3 times") && complaint.contains("Podhurt 3"), "{complaint}");
}

#[test]
fn a_command_that_fails_during_shutdown_is_not_retried() {
    let demo = Demo::start();
    let runs = demo.home.path().join("runs");
    let mut watch =
        demo.watching(&["--format", "ndjson", "--exec", &format!("echo run >> {}; sleep 1; exit 130", runs.display())]);
    demo.rename("Podhurt", "Podhurt 2");
    assert_eq!(watch.json()["segment"]["name"], json!("Podhurt 2"));
    let until = Instant::now() + TIMEOUT;
    while !runs.exists() {
        assert!(Instant::now() < until, "it is not run");
        thread::sleep(Duration::from_millis(10));
    }
    watch.signal("INT");
    let (code, stderr) = watch.ended();
    assert_eq!((code, fs::read_to_string(&runs).unwrap().as_str()), (0, "run\n"), "{stderr}");
    assert!(stderr.contains("ended with exit status: 130, for this change"), "{stderr}");
    let since =
        stderr.split("--since ").nth(1).and_then(|rest| rest.split('`').next()).expect("it says where to go on");
    let mut watch = demo.watch(&["--format", "ndjson", "--since", since]);
    assert_eq!(watch.json()["segment"]["name"], json!("Podhurt 2"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn core_dumps_are_disabled_to_protect_the_key() {
    let demo = Demo::start();
    let watch = demo.watching(&[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", watch.child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
}
