//! Random forests: applying a file leads from one to the other, wherever it is killed, and never through a broken tree.

use std::collections::HashMap;
use std::fs;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use segtui::demo::{Actor, ChangeRequest, Fields, Options};
use segtui::segment::Segment;

use crate::apply::shape;
use crate::desk::{Fixture, TIMEOUT, output_of, tenant_of};

/// The usual seeds, or only the one in `SEGTUI_SEED`.
fn seeds() -> std::ops::Range<u64> {
    let only = std::env::var("SEGTUI_SEED").ok().and_then(|text| text.parse::<u64>().ok());
    only.map_or(0..14, |only| only..only + 1)
}

/// Rows of an external ID, a name, and the external ID of a parent among the rows before.
fn forest(random: &mut fastrand::Rng) -> Vec<[String; 3]> {
    let count = random.usize(1..12);
    let mut numbers: Vec<usize> = (0..14).collect();
    random.shuffle(&mut numbers);
    let mut rows: Vec<[String; 3]> = Vec::new();
    for number in numbers.into_iter().take(count) {
        let above = random.usize(0..=rows.len());
        let parent = rows.get(above).map(|row| row[0].clone()).unwrap_or_default();
        rows.push([format!("X{number}"), format!("n{}", random.usize(0..4)), parent]);
    }
    rows
}

fn fixture(rows: &[[String; 3]], latency: Duration) -> Fixture {
    let segments: Vec<[String; 4]> = rows
        .iter()
        .map(|[external_id, name, parent]| {
            let id =
                |external_id: &str| if external_id.is_empty() { String::new() } else { format!("id-{external_id}") };
            [id(external_id), name.clone(), external_id.clone(), id(parent)]
        })
        .collect();
    let segments: Vec<[&str; 4]> = segments.iter().map(|segment| segment.each_ref().map(String::as_str)).collect();
    Fixture::with(Options { latency, ..tenant_of(&segments) })
}

fn file(fixture: &Fixture, random: &mut fastrand::Rng, rows: &[[String; 3]]) -> String {
    let mut rows = rows.to_vec();
    random.shuffle(&mut rows);
    let lines: Vec<String> = rows.iter().map(|row| row.join(";") + "\r\n").collect();
    let path = fixture.workspace.home.path().join("b.csv");
    fs::write(&path, format!("externalId;name;parentExternalId\r\n{}", lines.concat())).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Arguments by which what looks like a rename is recreated, and no fuse blows.
fn arguments(path: &str, first: &[[String; 3]]) -> Vec<String> {
    let flags = ["apply", path, "--all", "--prune", "--yes", "--max-deletes", "100%", "--max-changes", "9999"];
    let recreate = first.iter().flat_map(|row| ["--recreate".to_owned(), format!("id=id-{}", row[0])]);
    flags.into_iter().map(str::to_owned).chain(recreate).collect()
}

/// Asserts that no intermediate state had an orphan or a cycle.
fn assert_every_state_is_valid(seed: u64, fixture: &Fixture, first: &[Segment]) {
    let mut segments: HashMap<String, Option<String>> = HashMap::new();
    let parent = |segment: &Segment| segment.parent.as_ref().map(ToString::to_string);
    segments.extend(first.iter().map(|segment| (segment.id.to_string(), parent(segment))));
    for (at, change) in fixture.server.history().iter().enumerate() {
        match &change.now {
            Some(now) => drop(segments.insert(change.id.to_string(), parent(now))),
            None => drop(segments.remove(&change.id.to_string())),
        }
        for id in segments.keys() {
            let mut above = segments[id].as_ref();
            for steps in 0.. {
                assert!(steps <= segments.len(), "seed {seed}: a cycle at {id} after change {at}");
                let Some(next) = above else { break };
                let parent = segments.get(next);
                assert!(parent.is_some(), "seed {seed}: {id} is an orphan after change {at}");
                above = parent.unwrap().as_ref();
            }
        }
    }
}

fn sorted(rows: &[[String; 3]]) -> Vec<[String; 3]> {
    let mut rows = rows.to_vec();
    rows.sort();
    rows
}

#[test]
fn a_file_turns_any_forest_into_any_other_and_is_idempotent() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let (first, second) = (forest(&mut random), forest(&mut random));
        let fixture = fixture(&first, Duration::ZERO);
        let initial_segments = fixture.server.segments();
        let arguments = arguments(&file(&fixture, &mut random, &second), &first);
        let run = || output_of(fixture.segtui(&[]).args(&arguments).timeout(TIMEOUT));
        let (code, stdout, stderr) = run();
        assert_eq!((code, stderr.as_str()), (0, ""), "seed {seed}: {stdout}");
        assert_eq!(shape(&fixture.server.segments()), sorted(&second), "seed {seed}");
        assert_every_state_is_valid(seed, &fixture, &initial_segments);
        // A segment is kept as long as its external ID is.
        let kept = second.iter().filter(|row| first.iter().any(|other| other[0] == row[0])).count();
        let ids = fixture.server.segments().iter().filter(|segment| segment.id.to_string().starts_with("id-")).count();
        assert_eq!(ids, kept, "seed {seed}");
        let before = fixture.server.history().len();
        let (code, stdout, _) = run();
        assert_eq!((code, fixture.server.history().len()), (0, before), "seed {seed}: {stdout}");
    }
}

#[test]
fn after_a_kill_the_next_run_ends_at_the_same_forest() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(1_000 + seed);
        let (first, second) = (forest(&mut random), forest(&mut random));
        let fixture = fixture(&first, Duration::from_millis(4));
        let initial_segments = fixture.server.segments();
        let arguments = arguments(&file(&fixture, &mut random, &second), &first);
        let mut command = Process::new(env!("CARGO_BIN_EXE_segtui"));
        command.env_clear().env("HOME", fixture.workspace.home.path()).envs(fixture.variables()).args(&arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let wanted = random.usize(1..=8);
        let until = Instant::now() + TIMEOUT;
        while fixture.server.history().len() < wanted && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "seed {seed}");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let (code, stdout, stderr) = output_of(fixture.segtui(&[]).args(&arguments).timeout(TIMEOUT));
        assert_eq!(code, 0, "seed {seed}: {stdout}{stderr}");
        assert_eq!(shape(&fixture.server.segments()), sorted(&second), "seed {seed}");
        assert_every_state_is_valid(seed, &fixture, &initial_segments);
        let was_there = |id: &str| initial_segments.iter().any(|segment| segment.id.text() == id);
        let mut made: Vec<String> = fixture
            .server
            .history()
            .iter()
            .filter(|change| change.actor == Actor::Integrations && !was_there(&change.id.text()))
            .map(|change| change.id.to_string())
            .collect();
        made.sort();
        made.dedup();
        let new = second.iter().filter(|row| first.iter().all(|other| other[0] != row[0])).count();
        assert_eq!(made.len(), new, "seed {seed}: each was created once");
    }
}

/// A colleague renames a random segment or moves it to the top.
fn change_by_colleague(fixture: &Fixture, random: &mut fastrand::Rng) {
    let segments = fixture.server.segments();
    let Some(segment) = random.choice(&segments) else { return };
    let mut fields = Fields::of(segment);
    match random.u8(..2) {
        0 => fields.name = format!("theirs {}", random.u32(..)).into(),
        _ => fields.parent = None,
    }
    // It may have been deleted at this very moment.
    let _granted = fixture.server.change(Actor::Backoffice, ChangeRequest::Update(segment.id.clone(), fields));
}

#[test]
fn a_colleagues_changes_are_not_overwritten_without_a_warning() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(2_000 + seed);
        let (first, second) = (forest(&mut random), forest(&mut random));
        let fixture = fixture(&first, Duration::from_millis(4));
        let initial_segments = fixture.server.segments();
        let report = fixture.workspace.home.path().join("report.ndjson");
        let mut arguments = arguments(&file(&fixture, &mut random, &second), &first);
        arguments.extend(["--report".into(), report.to_str().unwrap().into(), "--concurrency".into(), "2".into()]);
        let mut command = Process::new(env!("CARGO_BIN_EXE_segtui"));
        command.env_clear().env("HOME", fixture.workspace.home.path()).envs(fixture.variables()).args(&arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + TIMEOUT;
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "seed {seed}");
            // The plan would include any change made before the first write.
            if !fixture.server.history().is_empty() {
                change_by_colleague(&fixture, &mut random);
            }
            std::thread::sleep(Duration::from_millis(random.u64(3..40)));
        }
        let report_text = fs::read_to_string(&report).unwrap_or_default();
        assert_no_lost_updates(seed, &fixture, &initial_segments, &report_text);
    }
}

/// The changes to a segment and the requests to the server, for error messages.
fn history_of(fixture: &Fixture, id: &str) -> String {
    let changes = fixture.server.history().into_iter().filter(|change| change.id.text() == id);
    let changes = changes.map(|change| format!("{:?} {:?}", change.actor, change.now));
    let requests = fixture.server.requests().into_iter().filter(|request| !request.target.contains("pageNumber"));
    let requests = requests.map(|request| format!("{} {}", request.method, request.target));
    changes.chain(requests).collect::<Vec<_>>().join("\n")
}

/// Asserts that no later change of ours overwrites a field that a colleague changed, or deletes that segment, unless
/// the report warns about it.
fn assert_no_lost_updates(seed: u64, fixture: &Fixture, first: &[Segment], report_text: &str) {
    let warned = |id: &str| {
        report_text.lines().any(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["id"] == id && !line["warning"].is_null()
        })
    };
    let mut theirs: HashMap<(String, &str), String> = HashMap::new();
    let mut known: HashMap<String, Segment> =
        first.iter().map(|segment| (segment.id.to_string(), segment.clone())).collect();
    for change in fixture.server.history() {
        let id = change.id.to_string();
        if let Some(now) = &change.now {
            let fields = |segment: &Segment| {
                let parent = segment.parent.as_ref().map(ToString::to_string).unwrap_or_default();
                [("name", segment.name.to_string()), ("parent", parent)]
            };
            let former = known.get(&id).map(fields);
            for (at, (field, value)) in fields(now).into_iter().enumerate() {
                let changed = former.as_ref().is_some_and(|former| former[at].1 != value);
                let key = (id.clone(), field);
                if changed && change.actor == Actor::Backoffice {
                    theirs.insert(key, value);
                } else if changed && let Some(lost) = theirs.get(&key) {
                    let history = history_of(fixture, &id);
                    assert!(
                        warned(&id),
                        "seed {seed}: {field} of {id} was {lost} and became {value}\n{history}\n{report_text}"
                    );
                }
            }
            known.insert(id, now.clone());
        } else if change.actor != Actor::Backoffice {
            let lost = theirs.keys().any(|(other, _)| *other == id);
            assert!(
                !lost || warned(&id),
                "seed {seed}: {id} was deleted although somebody had changed it\n{report_text}"
            );
        }
    }
}
