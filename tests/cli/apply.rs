//! `segtui apply`, `undo` and `history`: the outcome of a file, each exit code, and each refusal before anything is
//! sent.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use axum::http::Method;
use insta::assert_snapshot;
use segtui::demo::{Actor, ChangeRequest, FaultTiming, Fields, InjectedFault, Options};
use segtui::segment::{Segment, SegmentId};

use crate::desk::{Fixture, TIMEOUT, output_of, tenant_of};

const TENANT: &[[&str; 4]] = &[
    ["h", "Hurtownie", "H", ""],
    ["h1", "Łódź", "007", "h"],
    ["h2", "Kraków", "PL-12", "h"],
    ["h21", "Podgórze", "PL-12-1", "h2"],
    ["d", "Detal", "D", ""],
];

const DESIRED: &str =
    "externalId,name,parentExternalId\nH,Hurt,\n007,Łódź,D\nD,Detal,\nN,Nowe,PL-12\nN1,Stare/Nowe,N\nPL-12,Kraków,H\n";

fn fixture() -> Fixture {
    Fixture::with(tenant_of(TENANT))
}

/// Writes a file in the program's home.
fn file(fixture: &Fixture, name: &str, text: &str) -> PathBuf {
    let path = fixture.workspace.home.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Runs `apply` on a file with this text.
fn apply(fixture: &Fixture, text: &str, flags: &[&str]) -> (i32, String, String) {
    let path = file(fixture, "a.csv", text);
    output_of(fixture.segtui(&["apply"]).arg(path).args(flags).timeout(TIMEOUT))
}

/// The output of a command, with what differs between runs masked.
fn normalized_output(fixture: &Fixture, (code, stdout, stderr): (i32, String, String)) -> String {
    let text = format!("{stdout}--- stderr\n{stderr}--- exit code {code}");
    let text = text.replace(&fixture.server.base_url()["http://".len()..], "HOST");
    masked(&text.replace(&fixture.workspace.home.path().display().to_string(), "HOME"))
}

/// Masks the numbers of runs, which are times in milliseconds.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut digits = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        masked.push_str(if digits.len() == 13 { "RUN" } else { &digits });
        digits.clear();
        masked.push(character);
    }
    masked.trim_end_matches('\n').to_owned()
}

/// The tenant without its IDs: external ID, name and the external ID of the parent.
pub fn shape(segments: &[Segment]) -> Vec<[String; 3]> {
    let external_id = |segment: &Segment| segment.external_id.as_deref().unwrap_or_default().to_owned();
    let above = |segment: &Segment| {
        let parent = segments.iter().find(|other| Some(&other.id) == segment.parent.as_ref());
        parent.map(external_id).unwrap_or_default()
    };
    let mut shape: Vec<_> =
        segments.iter().map(|segment| [external_id(segment), segment.name.to_string(), above(segment)]).collect();
    shape.sort();
    shape
}

fn id(text: &str) -> SegmentId {
    SegmentId::new(text).unwrap()
}

fn fields(name: &str, external_id: &str, parent: &str) -> Fields {
    Fields { name: name.into(), external_id: Some(external_id.into()), parent: SegmentId::new(parent) }
}

#[test]
fn a_file_is_applied_and_a_second_time_does_nothing() {
    let fixture = fixture();
    let [report, ids, left] =
        ["report.ndjson", "ids.csv", "left.csv"].map(|name| fixture.workspace.home.path().join(name));
    let flags = ["--all", "--prune", "--yes", "--report", report.to_str().unwrap()];
    let outputs = ["--id-map", ids.to_str().unwrap(), "--rejects", left.to_str().unwrap()];
    assert_snapshot!(normalized_output(&fixture, apply(&fixture, DESIRED, &[&flags[..], &outputs[..]].concat())));
    assert_eq!(
        shape(&fixture.server.segments()),
        [
            ["007", "Łódź", "D"],
            ["D", "Detal", ""],
            ["H", "Hurt", ""],
            ["N", "Nowe", "PL-12"],
            ["N1", "Stare/Nowe", "N"],
            ["PL-12", "Kraków", "H"],
        ]
    );
    // Parents come before their children.
    let order: Vec<String> = fs::read_to_string(&report)
        .unwrap()
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!((&line["format_version"], &line["status"]), (&1.into(), &"done".into()), "{line}");
            line["path"].as_str().unwrap().to_owned()
        })
        .collect();
    let place = |path: &str| order.iter().position(|other| other == path).unwrap();
    assert!(place("/Hurt/Kraków/Nowe") < place("/Hurt/Kraków/Nowe/Stare//Nowe"), "{order:?}");
    let ids = fs::read_to_string(ids).unwrap();
    let new =
        fixture.server.segments().into_iter().find(|segment| segment.external_id.as_deref() == Some("N")).unwrap();
    assert!(ids.starts_with("externalId,id,name,created\nH,h,Hurt,false\n007,h1,Łódź,false\n"), "{ids}");
    assert!(ids.contains(&format!("\nN,{},Nowe,true\n", new.id)), "{ids}");
    assert_eq!(fs::read_to_string(left).unwrap(), "externalId,name,parentExternalId\n");
    let before = fixture.server.history().len();
    assert_snapshot!(normalized_output(&fixture, apply(&fixture, DESIRED, &flags)));
    assert_eq!(fixture.server.history().len(), before);
}

#[test]
fn nothing_is_sent_where_it_was_not_agreed_to() {
    let fixture = fixture();
    let config = fixture.workspace.home.path().join(".config/segtui/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let profile = format!(
        "[profiles.prod]\nbase_url = \"{}\"\ntenant = \"acme\"\napi_key_env = \"SEGTUI_API_KEY\"\nprotected = true\n",
        fixture.server.base_url()
    );
    fs::write(config, profile).unwrap();
    let path = file(&fixture, "a.csv", "externalId,name\n007,Lodz\n");
    let prod = |flags: &[&str]| {
        let mut command = fixture.segtui(&["apply", "--profile", "prod"]);
        command.env_remove("SEGTUI_BASE_URL").env_remove("SEGTUI_TENANT");
        normalized_output(&fixture, output_of(command.arg(&path).args(flags)))
    };
    assert_snapshot!(
        [
            prod(&[]),
            prod(&["--yes"]),
            prod(&["--yes", "--approve", "other"]),
            prod(&["--yes", "--approve", "acme", "--read-only"]),
        ]
        .join("\n\n")
    );
    assert!(fixture.server.history().is_empty());
    assert!(prod(&["--yes", "--approve", "acme"]).contains("1 updated"));
}

#[test]
fn fuses_faulty_files_and_contradicting_flags_send_nothing() {
    let fixture = fixture();
    for (text, flags, code, words) in [
        ("externalId,name\n", ["--yes"].as_slice(), 6, "the file has no segments"),
        ("externalId,name\n007,A\n", &["--yes", "--all", "--prune"], 6, "less than half"),
        ("externalId,nom\n007,A\n", &["--yes"], 2, "line 1: unknown column “nom”"),
        ("externalId,name\n7,A\n", &["--yes"], 2, "line 2: 7 looks like 007"),
        ("externalId,name\n007,A\n", &["--yes", "--prune"], 2, "say what the file speaks for"),
        (
            "externalId,name\n007,A\n",
            &["--yes", "--rejects", "/nowhere/left.csv"],
            1,
            "couldn't write /nowhere/left.csv",
        ),
    ] {
        let (found, stdout, stderr) = apply(&fixture, text, flags);
        assert_eq!((found, stdout.as_str()), (code, ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    assert!(fixture.server.history().is_empty());
}

#[cfg(unix)]
#[test]
fn an_output_never_overwrites_the_input_or_another_output() {
    let fixture = fixture();
    let home = fixture.workspace.home.path().to_owned();
    let text = "externalId,name\n007,Lodz\n";
    let there = file(&fixture, "there.csv", "kept\n");
    file(&fixture, "a.csv", text);
    std::os::unix::fs::symlink(home.join("a.csv"), home.join("link.csv")).unwrap();
    fs::hard_link(home.join("a.csv"), home.join("hard.csv")).unwrap();
    std::os::unix::fs::symlink(home.join("new.csv"), home.join("link-to-new.csv")).unwrap();
    for (flags, words) in [
        (&["--rejects", "a.csv"][..], "--rejects a.csv would overwrite the file that is read"),
        (&["--report", "./link.csv"], "--report ./link.csv would overwrite the file"),
        (&["--id-map", "hard.csv"], "--id-map hard.csv would overwrite the file"),
        (&["--rejects", "there.csv", "--id-map", "./there.csv"], "--rejects and --id-map name the same file"),
        (&["--report", "new.csv", "--rejects", "./new.csv"], "--report and --rejects name the same file"),
        (&["--report", "new.csv", "--id-map", "link-to-new.csv"], "--report and --id-map name the same file"),
    ] {
        let mut command = fixture.segtui(&["apply", "a.csv", "--yes"]);
        let (code, stdout, stderr) = output_of(command.current_dir(&home).args(flags).timeout(TIMEOUT));
        assert_eq!((code, stdout.as_str()), (2, ""), "{flags:?}: {stderr}");
        assert!(stderr.contains(words), "{flags:?}: {stderr}");
    }
    let script = format!("exec '{}' apply - --format csv --yes --rejects a.csv < a.csv", env!("CARGO_BIN_EXE_segtui"));
    let mut command = assert_cmd::Command::new("sh");
    command.env_clear().env("HOME", &home).env("PATH", std::env::var("PATH").unwrap()).envs(fixture.variables());
    let (code, _, stderr) = output_of(command.current_dir(&home).args(["-c", &script]).timeout(TIMEOUT));
    assert_eq!(code, 2, "{stderr}");
    assert!(fixture.server.requests().is_empty(), "nothing is asked before");
    assert_eq!(fs::read_to_string(home.join("a.csv")).unwrap(), text);
    assert_eq!(fs::read_to_string(there).unwrap(), "kept\n");
    assert!(!home.join("new.csv").exists());
    // `/dev/null` keeps nothing, so two outputs may name it.
    let flags = ["--yes", "--report", "/dev/null", "--rejects", "/dev/null"];
    assert_eq!(apply(&fixture, text, &flags).0, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_unwritable_output_is_reported_with_the_summary() {
    let text = "externalId,name\nA,A\nB,B\nC,C\nD1,D1\nE,E\nF,F\n";
    for flag in ["--report", "--rejects", "--id-map"] {
        let fixture = fixture();
        let (code, stdout, stderr) = apply(&fixture, text, &["--yes", "--concurrency", "1", flag, "/dev/full"]);
        assert_eq!(code, 5, "{flag}: {stdout}{stderr}");
        let applied = fixture.server.count() - TENANT.len();
        assert!(stdout.contains(&format!("{applied} created")) && stdout.contains("(run "), "{flag}: {stdout}");
        assert!(stderr.contains("no storage space") && !stderr.contains("os error"), "{flag}: {stderr}");
        if flag == "--report" {
            assert!(stderr.contains("of 6 changes applied, then the report can't be written"), "{stderr}");
            assert!(stderr.contains("run it again to continue"), "{stderr}");
        } else {
            assert_eq!(applied, 6, "{flag}");
        }
        // No interrupted run is left over.
        let (code, stdout, stderr) = apply(&fixture, text, &["--yes"]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert_eq!(fixture.server.count(), TENANT.len() + 6);
    }
    // Where something else has failed as well, both are reported.
    let fixture = fixture();
    fixture.server.inject_fault(InjectedFault::Refuse {
        on: (Method::POST, "segments"),
        status: 422,
        retry_after: None,
    });
    let (code, stdout, stderr) = apply(&fixture, text, &["--yes", "--rejects", "/dev/full"]);
    assert_eq!(code, 5, "{stdout}{stderr}");
    assert!(stdout.contains("5 created, 1 failed"), "{stdout}");
    assert!(stderr.contains("couldn't write /dev/full") && stderr.contains("not everything was applied"), "{stderr}");
}

#[test]
fn a_refused_row_holds_only_what_depends_on_it() {
    let fixture = fixture();
    let text = "externalId,name,parentExternalId\nA,A,\nA1,A1,A\nB,B,\n007,Lodz,H\n";
    fixture.server.inject_fault(InjectedFault::Refuse {
        on: (Method::POST, "segments"),
        status: 422,
        retry_after: None,
    });
    let [report, left] = ["report.ndjson", "left.csv"].map(|name| fixture.workspace.home.path().join(name));
    let outputs = ["--report", report.to_str().unwrap(), "--rejects", left.to_str().unwrap()];
    let flags = [&["--yes", "--concurrency", "1"], &outputs[..]].concat();
    assert_snapshot!(normalized_output(&fixture, apply(&fixture, text, &flags)));
    let rejects = fs::read_to_string(&left).unwrap();
    assert_eq!(rejects, "externalId,name,parentExternalId\nA,A,\nA1,A1,A\n");
    let statuses: Vec<String> = fs::read_to_string(&report)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(statuses, ["failed", "done", "done", "on_hold"]);
    // The rejects can be applied again.
    let (code, stdout, stderr) =
        output_of(fixture.segtui(&["apply", left.to_str().unwrap(), "--yes"]).timeout(TIMEOUT));
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("2 created"), "{stdout}");
}

#[test]
fn nothing_done_is_one_and_stop_on_error_begins_no_more() {
    let fixture = fixture();
    fixture.server.inject_fault(InjectedFault::Refuse { on: (Method::PUT, "h1"), status: 422, retry_after: None });
    let (code, stdout, stderr) = apply(&fixture, "externalId,name\n007,Lodz\n", &["--yes"]);
    assert_eq!(code, 1, "{stdout}{stderr}");
    fixture.server.inject_fault(InjectedFault::Refuse { on: (Method::PUT, "h1"), status: 422, retry_after: None });
    let text = "externalId,name\n007,Lodz\nPL-12,Krk\nD,Det\n";
    assert_snapshot!(normalized_output(
        &fixture,
        apply(&fixture, text, &["--yes", "--stop-on-error", "--concurrency", "1"])
    ));
}

#[test]
fn what_a_colleague_has_changed_is_never_overwritten() {
    let fixture = fixture();
    // A colleague is faster: they write between the plan and our write.
    fixture.server.inject_fault(InjectedFault::ConcurrentChange {
        on: (Method::GET, "segments/h1"),
        change: ChangeRequest::Update(id("h1"), fields("Theirs", "007", "h")),
        by: Actor::Backoffice,
        timing: FaultTiming::Before,
    });
    fixture.server.inject_fault(InjectedFault::ConcurrentChange {
        on: (Method::GET, "segments/h2"),
        change: ChangeRequest::Update(id("h2"), fields("Kraków", "PL-12-new", "h")),
        by: Actor::Backoffice,
        timing: FaultTiming::Before,
    });
    let text = "id,name\nh1,Lodz\nh2,Krk\nd,Det\n";
    let left = fixture.workspace.home.path().join("left.csv");
    let (code, stdout, stderr) = apply(&fixture, text, &["--yes", "--rejects", left.to_str().unwrap()]);
    assert_snapshot!(normalized_output(&fixture, (code, stdout, stderr)));
    let named = |id: &str| fixture.server.segments().into_iter().find(|segment| segment.id.text() == id).unwrap();
    assert_eq!(named("h1").name, "Theirs");
    // Their change of another field is kept.
    assert_eq!((named("h2").name.as_str(), named("h2").external_id.as_deref()), ("Krk", Some("PL-12-new")));
    assert_eq!(named("d").name, "Det");
    assert_eq!(fs::read_to_string(left).unwrap(), "id,name\nh1,Lodz\n");
}

#[test]
fn a_saved_plan_does_what_was_looked_at_or_nothing() {
    let fixture = fixture();
    let path = fixture.workspace.home.path().join("plan.json");
    let saved = path.to_str().unwrap();
    let a = file(&fixture, "a.csv", DESIRED);
    let (code, _, stderr) = fixture.run(&["plan", a.to_str().unwrap(), "--all", "--prune", "--out", saved]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    // A colleague changes a segment that the plan moves, and creates one that the plan doesn't mention.
    fixture.server.change(Actor::Backoffice, ChangeRequest::Update(id("h1"), fields("Łódź", "007", "h2"))).unwrap();
    fixture.server.change(Actor::Backoffice, ChangeRequest::Create(fields("Theirs", "T", ""))).unwrap();
    let run = |flags: &[&str]| {
        normalized_output(&fixture, output_of(fixture.segtui(&["apply", saved]).args(flags).timeout(TIMEOUT)))
    };
    assert_snapshot!(
        [run(&["--yes", "--key", "id"]), run(&["--yes", "--tenant", "other"]), run(&["--yes"])].join("\n\n")
    );
    assert!(fixture.server.segments().iter().any(|segment| segment.name == "Theirs"), "it isn't in the plan");
    // A plan is refused for another tenant, and for the same one on another host.
    let elsewhere = Fixture::with(tenant_of(TENANT));
    let (code, stdout, stderr) = output_of(elsewhere.segtui(&["apply", saved, "--yes"]).timeout(TIMEOUT));
    assert_eq!((code, stdout.as_str()), (6, ""));
    assert!(stderr.contains("it was made for acme on 127.0.0.1:"), "{stderr}");
    assert!(elsewhere.server.history().is_empty());
    // Applying it again creates nothing twice.
    let before = fixture.server.segments();
    assert_snapshot!(run(&["--yes"]));
    assert_eq!(fixture.server.segments(), before);
}

#[test]
fn a_saved_plan_applied_again_reports_all_as_already_done() {
    let fixture = fixture();
    let path = |name: &str| fixture.workspace.home.path().join(name).to_str().unwrap().to_owned();
    let (saved, report) = (path("plan.json"), path("report.ndjson"));
    let a = file(&fixture, "a.csv", "externalId,name,parentExternalId\nN,Nowe,H\n007,Lodz,H\nPL-12,Krk,\n");
    assert_eq!(fixture.run(&["plan", a.to_str().unwrap(), "--out", &saved]).0, 0);
    let run = || {
        let (code, stdout, stderr) = fixture.run(&["apply", &saved, "--yes", "--report", &report]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        let report = fs::read_to_string(&report).unwrap();
        let mut lines: Vec<serde_json::Value> =
            report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Each run appends to the report of the one before.
        let last = lines.last().unwrap()["run"].clone();
        lines.retain(|line| line["run"] == last);
        lines.sort_by_key(|line| line["operation"].as_u64());
        (lines, stdout)
    };
    let summary = |lines: &[serde_json::Value]| -> Vec<(serde_json::Value, serde_json::Value, serde_json::Value)> {
        lines.iter().map(|line| (line["operation"].clone(), line["op"].clone(), line["id"].clone())).collect()
    };
    let (first, _) = run();
    let (again, stdout) = run();
    assert!(stdout.ends_with(": 3 done before\n"), "{stdout}");
    assert_eq!(
        (first.len(), summary(&again)),
        (3, summary(&first)),
        "the same operations, with the IDs of the segments"
    );
    assert!(again.iter().all(|line| line["status"] == "already_done" && line["error"].is_null()), "{again:?}");
    assert!(again.iter().all(|line| line["id"].is_string() && line["line"].is_u64()), "{again:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_saved_plan_keeps_its_operation_numbers() {
    let fixture = slow();
    let path = file(&fixture, "many.csv", &many(40));
    let saved = fixture.workspace.home.path().join("plan.json");
    assert_eq!(fixture.run(&["plan", path.to_str().unwrap(), "--out", saved.to_str().unwrap()]).0, 0);
    let plan: serde_json::Value = serde_json::from_str(&fs::read_to_string(&saved).unwrap()).unwrap();
    let mut child = spawn_with(&fixture, &["apply", saved.to_str().unwrap(), "--yes"]);
    wait_until("a few changes", || fixture.server.history().len() > 10);
    signal(&child, "KILL");
    child.wait().unwrap();
    let report = fixture.workspace.home.path().join("report.ndjson");
    let (code, stdout, stderr) =
        fixture.run(&["apply", saved.to_str().unwrap(), "--yes", "--report", report.to_str().unwrap()]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let lines = report_of(&report);
    let last = lines.last().unwrap()["run"].clone();
    let lines: Vec<&serde_json::Value> = lines.iter().filter(|line| line["run"] == last).collect();
    assert_eq!(lines.len(), 40);
    for line in lines {
        let planned = &plan["operations"][usize::try_from(line["operation"].as_u64().unwrap()).unwrap()];
        for key in ["op", "ref", "path", "line", "after"] {
            assert_eq!(line[key], planned[key], "{line}");
        }
    }
}

#[test]
fn a_saved_create_that_may_exist_already_is_a_conflict() {
    let fixture = fixture();
    let saved = fixture.workspace.home.path().join("plan.json");
    let text = "externalId,name,parentExternalId\nK9,Nowy,D\nK10,Pod nowym,K9\n,Bez,D\nD,Detal,\nW,Wolny,D\n";
    let path = file(&fixture, "a.csv", text);
    assert_eq!(fixture.run(&["plan", path.to_str().unwrap(), "--out", saved.to_str().unwrap()]).0, 0);
    fixture.server.change(Actor::Backoffice, ChangeRequest::Create(fields("Kolegi", "K9", ""))).unwrap();
    fixture.server.change(Actor::Backoffice, ChangeRequest::Create(fields("Bez", "INNY", "d"))).unwrap();
    let (code, stdout, stderr) = fixture.run(&["apply", saved.to_str().unwrap(), "--yes"]);
    assert_eq!(code, 5, "{stdout}{stderr}");
    assert!(stdout.contains(": 1 created, 2 in conflict, 1 on hold"), "{stdout}");
    assert!(stderr.contains("may be it or another one") && stderr.contains("line 2, which it depends on"), "{stderr}");
    let names: Vec<String> = fixture.server.segments().iter().map(|segment| segment.name.to_string()).collect();
    assert!(names.contains(&"Wolny".to_owned()) && !names.contains(&"Pod nowym".to_owned()), "{names:?}");
}

#[test]
fn a_saved_plan_keeps_the_parent_of_a_conflicting_segment() {
    let fixture = fixture();
    let saved = fixture.workspace.home.path().join("plan.json");
    // Kraków is deleted, after Podgórze below it was moved away and renamed.
    let text = "externalId,name,parentExternalId\nH,Hurtownie,\n007,Łódź,H\nPL-12-1,Podg,H\nD,Detal,\n";
    let path = file(&fixture, "a.csv", text);
    let planned = fixture.run(&["plan", path.to_str().unwrap(), "--all", "--prune", "--out", saved.to_str().unwrap()]);
    assert!(planned.0 == 0 && planned.1.contains("- delete  /Hurtownie/Kraków"), "{planned:?}");
    let theirs = fields("Podgórze Nowe", "PL-12-1", "h2");
    fixture.server.change(Actor::Backoffice, ChangeRequest::Update(id("h21"), theirs)).unwrap();
    let (code, stdout, stderr) = fixture.run(&["apply", saved.to_str().unwrap(), "--yes"]);
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.contains(": 1 in conflict, 1 on hold"), "{stdout}");
    assert!(!stderr.contains("added after you confirmed"), "{stderr}");
    assert_eq!(fixture.server.count(), TENANT.len());
}

#[test]
fn a_run_is_in_the_history_and_can_be_undone() {
    let fixture = fixture();
    let before = shape(&fixture.server.segments());
    assert_eq!(apply(&fixture, DESIRED, &["--all", "--prune", "--yes"]).0, 0);
    assert_eq!(apply(&fixture, "externalId,name\nD,Detail\n", &["--yes"]).0, 0);
    let dated = |text: String| -> String {
        let undated = |line: &str| line.get("2026-11-26 08:58:05  ".len()..).unwrap_or(line).to_owned();
        text.lines().map(undated).collect::<Vec<_>>().join("\n")
    };
    let history = |arguments: &[&str]| {
        let (code, stdout, stderr) = fixture.run(&[&["history"], arguments].concat());
        assert_eq!((code, stderr.as_str()), (0, ""));
        masked(&dated(stdout).replace(&fixture.workspace.home.path().display().to_string(), "HOME"))
    };
    assert_snapshot!(
        [history(&[]), history(&["D"]), history(&["ext=PL-12-1"]), history(&["--since", "0m"])].join("\n--\n")
    );
    assert_snapshot!(normalized_output(&fixture, fixture.run(&["undo", "--yes", "--last", "5"])));
    assert_eq!(shape(&fixture.server.segments()), before);
    assert_snapshot!(history(&[]));
    assert_snapshot!(
        [
            normalized_output(&fixture, fixture.run(&["undo", "--yes"])),
            normalized_output(&fixture, fixture.run(&["undo", "--yes", "--run", "1"])),
        ]
        .join("\n\n")
    );
    let (_, stdout, _) = fixture.run(&["history", "-o", "ndjson", "D"]);
    let first: serde_json::Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["op"], &first["before"]["name"], &first["after"]["name"]),
        (&"update".into(), &"Detal".into(), &"Detail".into())
    );
    let json: serde_json::Value = serde_json::from_str(&fixture.run(&["history", "-o", "json"]).1).unwrap();
    assert_eq!(json["tenant"], "acme");
    assert!(json["changes"].as_array().unwrap().len() >= 12);
}

#[test]
fn undo_spares_what_a_colleague_has_changed_since() {
    let fixture = fixture();
    assert_eq!(apply(&fixture, "externalId,name\nD,Detail\n007,Lodz\n", &["--yes"]).0, 0);
    fixture.server.change(Actor::Backoffice, ChangeRequest::Update(id("d"), fields("Theirs", "D", ""))).unwrap();
    let (code, stdout, stderr) = fixture.run(&["undo", "--yes"]);
    assert_eq!(code, 5, "{stdout}{stderr}");
    assert!(stderr.contains("update /Theirs: someone else changed its name"), "{stderr}");
    let names: Vec<_> = fixture.server.segments().into_iter().map(|segment| segment.name.to_string()).collect();
    assert!(names.contains(&"Theirs".to_owned()) && names.contains(&"Łódź".to_owned()), "{names:?}");
    // It resumes that run, not another one.
    assert!(fixture.run(&["history"]).1.contains("  (partly undone by "));
    let (code, _, stderr) = fixture.run(&["undo", "--yes"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("update /Theirs: someone else changed its name"), "{stderr}");
    assert!(stderr.contains("`segtui undo --run ID` undoes another run"), "{stderr}");
    fixture.server.change(Actor::Backoffice, ChangeRequest::Update(id("d"), fields("Detail", "D", ""))).unwrap();
    let (code, stdout, stderr) = fixture.run(&["undo", "--yes"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains(": 1 updated"), "{stdout}");
    assert!(!fixture.run(&["history"]).1.contains("partly"));
}

#[test]
fn undo_skips_a_run_that_others_have_undone() {
    let fixture = fixture();
    assert_eq!(apply(&fixture, "externalId,name\nA,A\n", &["--yes"]).0, 0);
    assert_eq!(apply(&fixture, "externalId,name\nB,B\n", &["--yes"]).0, 0);
    let named = |name: &str| fixture.server.segments().into_iter().find(|segment| segment.name == name);
    fixture.server.change(Actor::Backoffice, ChangeRequest::Delete(named("B").unwrap().id)).unwrap();
    let (code, stdout, stderr) = fixture.run(&["undo", "--yes"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(named("A").is_none(), "{stdout}");
    let (code, _, stderr) = fixture.run(&["undo", "--yes"]);
    assert!(code == 1 && stderr.contains("there is nothing to undo"), "{stderr}");
}

#[test]
fn an_unreachable_server_exits_with_seven() {
    let fixture = fixture();
    for _ in 0..50 {
        fixture.server.inject_fault(InjectedFault::Refuse {
            on: (Method::PUT, "h1"),
            status: 503,
            retry_after: Some(30),
        });
    }
    let (code, stdout, stderr) = apply(&fixture, "externalId,name\n007,Lodz\nD,Det\n", &["--yes", "--timeout", "3"]);
    assert_eq!(code, 7, "{stdout}{stderr}");
    assert!(stdout.contains("1 updated, 1 not sent"), "{stdout}");
    assert!(stderr.contains("1 of 2 changes applied") && stderr.contains("run it again to continue"), "{stderr}");
    fixture.server.clear_faults();
    let (code, stdout, _) = apply(&fixture, "externalId,name\n007,Lodz\nD,Det\n", &["--yes"]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains(": 1 updated"), "{stdout}");
}

#[test]
fn a_rejected_key_exits_with_four_and_stops_sending() {
    let fixture = fixture();
    fixture.server.inject_fault(InjectedFault::Refuse { on: (Method::PUT, "h1"), status: 401, retry_after: None });
    let text = "externalId,name\n007,Lodz\nPL-12,Krk\nD,Det\n";
    let (code, stdout, stderr) = apply(&fixture, text, &["--yes", "--concurrency", "1"]);
    assert_eq!(code, 4, "{stdout}{stderr}");
    assert!(stderr.contains("of 3 changes applied, then the key was rejected"), "{stderr}");
    let puts = fixture.server.requests().into_iter().filter(|request| request.method == Method::PUT).count();
    assert!(stdout.contains("not sent") && puts < 3, "{stdout}");
}

#[test]
fn a_create_whose_answer_is_lost_is_found_and_not_sent_twice() {
    let fixture = fixture();
    for _ in 0..2 {
        fixture.server.inject_fault(InjectedFault::LoseResponse { on: (Method::POST, "segments") });
    }
    let text = "externalId,name,parentExternalId\nN,Nowe,H\nN1,Nowsze,N\n";
    let (code, stdout, stderr) = apply(&fixture, text, &["--yes"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains(": 2 created  (run"), "{stdout}");
    let posts = fixture.server.requests().into_iter().filter(|request| request.method == Method::POST).count();
    assert_eq!((posts, fixture.server.count()), (2, TENANT.len() + 2));
}

#[test]
fn a_possible_rename_is_left_with_the_flags_that_decide_it() {
    let fixture = fixture();
    let left = fixture.workspace.home.path().join("left.csv");
    let text = "externalId,name,parentExternalId\nH,Hurtownie,\n007,Łódź,H\nK,Kraków,H\nPL-12-1,Podgórze,K\nD,Detal,\n";
    let flags = ["--all", "--prune", "--yes", "--rejects", left.to_str().unwrap()];
    let (code, _, stderr) = apply(&fixture, text, &flags);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("--renamed id=h2=line=4 if it is the same, --recreate id=h2"), "{stderr}");
    assert!(stderr.contains("say with --renamed or --recreate which it is, and run it again"), "{stderr}");
    let (code, stdout, stderr) = apply(&fixture, text, &[&flags[..], &["--renamed", "id=h2=line=4"]].concat());
    assert!(code == 0 && stdout.contains(": 1 updated"), "{stdout}{stderr}");
}

#[test]
fn objects_on_one_line_have_a_row_each_in_every_output() {
    let fixture = fixture();
    let path = |name: &str| fixture.workspace.home.path().join(name).to_str().unwrap().to_owned();
    let object = |name: &str, id: &str| format!("{{\"name\":\"{name}\",\"externalId\":\"{id}\"}}");
    let text = format!("[{},{},{}]", object("Nowe", "N"), object("Inne", "M"), object("Łódź", "007"));
    let json = file(&fixture, "a.json", &text);
    fixture.server.inject_fault(InjectedFault::Refuse {
        on: (Method::POST, "segments"),
        status: 422,
        retry_after: None,
    });
    let (ids, left) = (path("ids.csv"), path("left.json"));
    let flags = ["apply", json.to_str().unwrap(), "--yes", "--id-map", &ids, "--rejects", &left];
    let (code, stdout, stderr) = fixture.run(&flags);
    assert_eq!(code, 5, "{stdout}{stderr}");
    let ids = fs::read_to_string(ids).unwrap();
    assert!(ids.contains("\n007,h1,Łódź,false\n") && ids.lines().count() == 3, "{ids}");
    let left: serde_json::Value = serde_json::from_str(&fs::read_to_string(left).unwrap()).unwrap();
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
}

#[cfg(unix)]
#[test]
fn a_signal_before_anything_is_sent_is_reported() {
    let fixture = Fixture::with(Options { latency: Duration::from_secs(2), ..tenant_of(TENANT) });
    let path = file(&fixture, "a.csv", "externalId,name\nN,Nowe\n");
    let child = spawn_apply(&fixture, &path);
    wait_until("a question", || !fixture.server.requests().is_empty());
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "segtui: stopped before anything was sent\nhint: run it again\n"
    );
}

#[test]
fn a_file_can_be_tried_on_the_demo() {
    let fixture = fixture();
    let path = file(&fixture, "a.csv", "externalId,name\nN,Nowe\n");
    let mut command = fixture.workspace.segtui(&["apply", path.to_str().unwrap(), "--demo", "--yes"]);
    let (code, stdout, stderr) = output_of(command.timeout(TIMEOUT));
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains(": 1 created"), "{stdout}");
}

#[test]
fn a_create_in_doubt_is_looked_up_and_retried_in_one_run() {
    let fixture = fixture();
    // One isn't applied; the other is, although its response says otherwise.
    fixture.server.inject_fault(InjectedFault::Refuse {
        on: (Method::POST, "segments"),
        status: 503,
        retry_after: None,
    });
    fixture.server.inject_fault(InjectedFault::ReportFailure { on: (Method::POST, "segments"), status: 503 });
    let report = fixture.workspace.home.path().join("report.ndjson");
    let text = "externalId,name,parentExternalId\nN,Nowe,H\nM,Inne,H\nN1,Nowsze,N\nM1,Inniejsze,M\n";
    let (code, stdout, stderr) = apply(&fixture, text, &["--yes", "--report", report.to_str().unwrap()]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains(": 4 created  (run"), "{stdout}");
    assert_eq!(fixture.server.count(), TENANT.len() + 4);
    let lines = report_of(&report);
    let last = |line: usize| lines.iter().rfind(|other| other["line"] == line).unwrap()["status"].clone();
    assert!((2..=5).all(|line| last(line) == "done"), "{lines:?}");
}

/// Many new segments, in chains and side by side.
fn many(count: usize) -> String {
    many_of('X', count)
}

fn many_of(letter: char, count: usize) -> String {
    let row = |at: usize| {
        let parent = if at < 5 { String::new() } else { format!("{letter}{}", at / 3) };
        format!("{letter}{at},S{at},{parent}\n")
    };
    format!("externalId,name,parentExternalId\n{}", (0..count).map(row).collect::<String>())
}

fn slow() -> Fixture {
    Fixture::with(Options { latency: Duration::from_millis(20), ..tenant_of(TENANT) })
}

fn spawn_apply(fixture: &Fixture, path: &std::path::Path) -> Child {
    spawn_with(fixture, &["apply", path.to_str().unwrap(), "--yes"])
}

fn spawn_with(fixture: &Fixture, arguments: &[&str]) -> Child {
    let mut command = Process::new(env!("CARGO_BIN_EXE_segtui"));
    command.env_clear().env("HOME", fixture.workspace.home.path()).envs(fixture.variables());
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < until, "{what} has not happened");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Process::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[cfg(unix)]
#[test]
fn only_one_apply_at_a_time_changes_a_tenant() {
    let fixture = slow();
    let path = file(&fixture, "many.csv", &many(60));
    let mut first = spawn_apply(&fixture, &path);
    wait_until("the first change", || !fixture.server.history().is_empty());
    // However long the other one takes to start, this one is still in the middle of its run.
    signal(&first, "STOP");
    let (code, stdout, stderr) = apply(&fixture, "externalId,name\nD,Det\n", &["--yes"]);
    assert_eq!((code, stdout.as_str()), (6, ""));
    assert!(stderr.contains("acme is being changed by another segtui command"), "{stderr}");
    assert_eq!(stderr.lines().count(), 2, "the refusal and its hint, whatever else was seen: {stderr}");
    signal(&first, "KILL");
    first.wait().unwrap();
    // The lock is released however the program ends. Another command doesn't do what it left.
    let (code, stdout, stderr) = apply(&fixture, "externalId,name\nD,Det\n", &["--yes"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains(": 1 updated"), "{stdout}");
    let words =
        "an earlier command didn't finish: what it had applied is in the history, and running it again does the rest";
    assert!(stderr.contains(words), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "one interruption is one note: {stderr}");
    assert!(fixture.server.count() < TENANT.len() + 60);
}

#[cfg(unix)]
#[test]
fn an_interrupt_waits_for_requests_and_the_next_run_resumes() {
    let fixture = slow();
    let path = file(&fixture, "many.csv", &many(60));
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let before = fixture.server.history().len();
        let child = spawn_apply(&fixture, &path);
        wait_until("a few changes", || fixture.server.history().len() > before + 5);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        let lines: Vec<&str> = stderr.lines().collect();
        let [.., error, hint] = lines.as_slice() else { panic!("{stderr}") };
        assert!(error.starts_with("segtui: stopped: ") && error.ends_with(" changes applied"), "{stderr}");
        assert_eq!(*hint, "hint: run it again to continue; what was applied isn't sent twice");
        // The result of what was in flight is known, so nothing is in doubt.
        let (_, stdout, stderr) = fixture.run(&["history"]);
        assert!(stderr.is_empty() && stdout.contains("apply "), "{stdout}{stderr}");
    }
    // On a second signal, it doesn't wait.
    let before = fixture.server.history().len();
    let report = fixture.workspace.home.path().join("report.ndjson");
    let flags = ["--yes", "-o", "json", "--report", report.to_str().unwrap()];
    let child = spawn_with(&fixture, &[&["apply", path.to_str().unwrap()][..], &flags].concat());
    wait_until("a few changes", || fixture.server.history().len() > before + 5);
    fixture
        .server
        .inject_fault(InjectedFault::DelayResponse { on: (Method::POST, "segments"), by: Duration::from_secs(30) });
    wait_until("a request that is held", || fixture.server.requests().iter().any(|request| request.troubled));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    // The summary and the report agree.
    let sum: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let statuses: Vec<String> = report_of(&report).iter().map(|line| line["status"].as_str().unwrap().into()).collect();
    let count = |status: &str| statuses.iter().filter(|other| *other == status).count();
    assert!(count("in_doubt") > 0 && count("not_sent") > 0, "{statuses:?}");
    for (key, status) in
        [("created", "done"), ("in_doubt", "in_doubt"), ("not_sent", "not_sent"), ("on_hold", "on_hold")]
    {
        assert_eq!(sum[key], count(status), "{key}: {sum}");
    }
    assert_completes(&fixture, &path, 60);
}

/// The lines of a report.
fn report_of(path: &std::path::Path) -> Vec<serde_json::Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asserts that the next run does the rest, and that nothing was created twice.
fn assert_completes(fixture: &Fixture, path: &std::path::Path, count: usize) {
    let (code, stdout, stderr) =
        output_of(fixture.segtui(&["apply", path.to_str().unwrap(), "--yes"]).timeout(TIMEOUT));
    assert_eq!(code, 0, "{stdout}{stderr}");
    let mut found: Vec<String> = fixture
        .server
        .segments()
        .iter()
        .filter_map(|segment| segment.external_id.as_deref().filter(|external_id| external_id.starts_with('X')))
        .map(str::to_owned)
        .collect();
    found.sort();
    let mut expected: Vec<String> = (0..count).map(|at| format!("X{at}")).collect();
    expected.sort();
    assert_eq!(found, expected);
    let creates = fixture.server.history().iter().filter(|change| change.actor == Actor::Integrations).count();
    assert_eq!(creates, count, "each was created once");
    assert!(fixture.run(&["plan", path.to_str().unwrap()]).1.ends_with(": nothing to do\n"));
}

#[cfg(unix)]
#[test]
fn after_any_kill_the_next_run_resumes_without_duplicates() {
    const SEED: u64 = 5;
    println!("seed {SEED}");
    let mut random = fastrand::Rng::with_seed(SEED);
    let fixture = slow();
    let path = file(&fixture, "many.csv", &many(80));
    let report = fixture.workspace.home.path().join("report.ndjson");
    for _ in 0..8 {
        let before = fixture.server.history().len();
        let wanted = before + random.usize(0..8);
        let arguments = ["apply", path.to_str().unwrap(), "--yes", "--report", report.to_str().unwrap()];
        let mut child = spawn_with(&fixture, &arguments);
        wait_until("its moment", || {
            fixture.server.history().len() >= wanted
                && fixture.server.requests().iter().any(|request| request.method == Method::POST)
        });
        std::thread::sleep(Duration::from_millis(random.u64(0..25)));
        signal(&child, "KILL");
        child.wait().unwrap();
    }
    // The report that all of them share has what each run did, and what only the next one found out.
    let (code, _, stderr) =
        fixture.run(&["apply", path.to_str().unwrap(), "--yes", "--report", report.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    let lines = fs::read_to_string(&report).unwrap();
    let done: std::collections::BTreeSet<String> = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["status"] == "done")
        .map(|line| line["after"]["externalId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(done.len(), 80, "{done:?}");
    assert_completes(&fixture, &path, 80);
    // The history has what the killed runs did as well.
    let (_, stdout, _) = fixture.run(&["history", "-o", "ndjson"]);
    assert_eq!(stdout.lines().count(), 80, "{stdout}");
}

#[test]
fn without_a_home_for_the_journal_nothing_is_sent() {
    let fixture = fixture();
    let path = file(&fixture, "a.csv", "externalId,name\nN,Nowe\n");
    let apply = |variables: &[(&str, &str)]| {
        let mut command = fixture.segtui(&["apply", "--yes"]);
        output_of(command.env_remove("HOME").envs(variables.iter().copied()).arg(&path).timeout(TIMEOUT))
    };
    let (code, stdout, stderr) = apply(&[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("no home folder for the journal") && stderr.contains("hint: set HOME, or XDG_DATA_HOME"),
        "{stderr}"
    );
    assert!(fixture.server.history().is_empty());
    assert!(!std::path::Path::new("/nonexistent").exists(), "the home of nobody stays what it is called");
    let kept = fixture.workspace.home.path().join("kept");
    assert_eq!(apply(&[("XDG_DATA_HOME", kept.to_str().unwrap())]).0, 0);
}

/// The number of segments whose external IDs are this letter and a number.
#[cfg(unix)]
fn count_of(fixture: &Fixture, letter: char) -> usize {
    let is_one = |segment: &&Segment| {
        let rest = segment.external_id.as_deref().and_then(|external_id| external_id.strip_prefix(letter));
        rest.is_some_and(|rest| rest.parse::<usize>().is_ok())
    };
    fixture.server.segments().iter().filter(is_one).count()
}

/// A tenant to which two files were applied, the second with this many segments.
#[cfg(unix)]
fn applied_twice(count: usize) -> Fixture {
    let fixture = slow();
    assert_eq!(apply(&fixture, &many_of('W', 10), &["--yes"]).0, 0);
    assert_eq!(apply(&fixture, &many(count), &["--yes"]).0, 0);
    fixture
}

#[cfg(unix)]
fn undo(fixture: &Fixture, flags: &[&str]) -> (i32, String, String) {
    output_of(fixture.segtui(&["undo", "--yes"]).args(flags).timeout(TIMEOUT))
}

#[cfg(unix)]
#[test]
fn an_interrupted_undo_resumes_the_same_run() {
    for (name, by_its_number) in [("INT", false), ("INT", true), ("KILL", false), ("KILL", true)] {
        let fixture = applied_twice(80);
        for _ in 0..2 {
            let before = count_of(&fixture, 'X');
            let child = spawn_with(&fixture, &["undo", "--yes"]);
            wait_until("a few deletions", || count_of(&fixture, 'X') + 10 < before);
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            assert!(!output.status.success() && count_of(&fixture, 'X') > 0, "{name}: it was faster");
        }
        let (_, history, _) = fixture.run(&["history"]);
        let partly = history.lines().find(|line| line.contains("  (partly undone by ")).unwrap();
        assert!(partly.contains("80 created"), "{history}");
        let run = partly.split_whitespace().nth(2).unwrap();
        let flags: &[&str] = if by_its_number { &["--run", run] } else { &[] };
        let (code, stdout, stderr) = undo(&fixture, flags);
        assert_eq!(code, 0, "{name}: {stdout}{stderr}");
        assert_eq!([count_of(&fixture, 'X'), count_of(&fixture, 'W')], [0, 10], "{name}: {stdout}{stderr}");
        assert_eq!(fixture.server.count(), TENANT.len() + 10);
        let (_, history, _) = fixture.run(&["history"]);
        assert!(!history.contains("partly") && history.contains("  (undone by "), "{history}");
        let (code, _, stderr) = undo(&fixture, &["--run", run]);
        assert!(code == 1 && stderr.contains(&format!("run {run} was undone already")), "{stderr}");
        // The next undo is of the run before.
        assert_eq!(undo(&fixture, &[]).0, 0);
        assert_eq!(fixture.server.count(), TENANT.len(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn requests_in_flight_at_a_killed_undo_belong_to_its_run() {
    let fixture = applied_twice(30);
    for _ in 0..30 {
        fixture.server.inject_fault(InjectedFault::DelayResponse {
            on: (Method::DELETE, "segments"),
            by: Duration::from_secs(60),
        });
    }
    let mut child = spawn_with(&fixture, &["undo", "--yes"]);
    wait_until("a deletion without an answer", || count_of(&fixture, 'X') < 30);
    signal(&child, "KILL");
    child.wait().unwrap();
    fixture.server.clear_faults();
    assert!(count_of(&fixture, 'X') > 0);
    let (code, stdout, stderr) = undo(&fixture, &[]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!([count_of(&fixture, 'X'), count_of(&fixture, 'W')], [0, 10], "{stdout}{stderr}");
    assert_eq!(fixture.server.count(), TENANT.len() + 10);
}

#[cfg(unix)]
#[test]
fn undo_includes_what_was_in_flight_at_a_killed_apply() {
    let fixture = slow();
    for _ in 0..30 {
        fixture
            .server
            .inject_fault(InjectedFault::DelayResponse { on: (Method::POST, "segments"), by: Duration::from_secs(60) });
    }
    let path = file(&fixture, "many.csv", &many(30));
    let mut child = spawn_apply(&fixture, &path);
    wait_until("a creation without an answer", || count_of(&fixture, 'X') > 2);
    signal(&child, "KILL");
    child.wait().unwrap();
    fixture.server.clear_faults();
    let (code, stdout, stderr) = undo(&fixture, &[]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stderr.contains("an earlier command didn't finish"), "{stderr}");
    assert_eq!(shape(&fixture.server.segments()), shape(&self::fixture().server.segments()), "{stdout}{stderr}");
}
