//! The cost of changes and latency, with the real client over real sockets against the demo server in this process; and
//! of large inputs to the interface.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use segtui::api::{Client, Settings as ClientSettings};
use segtui::app::{EditorOutcome, Effect, Event as AppEvent, Layer};
use segtui::changes::{Execution, ExecutionResult, OpId, Operation, PlanId, WriteResult, Written};
use segtui::demo::{Actor, ChangeRequest, Fields, Options, Server};
use segtui::keymap::Key;
use segtui::remote::{BaseUrl, InsecureHttp};
use segtui::segment::{Draft, Name, Segment, SegmentId};
use segtui::sync::{self, Command, Event, Pace, Settings, SyncHandle};

use super::in_process::Screen;
use super::report::{Report, median, millis};
use super::tenants;

pub fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if report.wants("under changes") {
        runtime.block_on(rename(report));
    }
    if report.wants("burst") {
        runtime.block_on(burst(report));
    }
    if report.wants("first rows") {
        runtime.block_on(first_rows(report));
    }
    if report.wants("paste") {
        paste(report);
    }
    if report.wants("creates") {
        creates(report);
    }
    if report.wants("long names") {
        long_names(report);
    }
}

fn follow(server: &Server, settings: Settings) -> SyncHandle {
    let base_url = BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).unwrap();
    let client = ClientSettings::new(base_url, server.tenant(), server.api_key().to_owned().into());
    sync::start(Arc::new(Client::new(client).unwrap()), settings)
}

async fn wait_for_event(sync: &mut SyncHandle, mut condition: impl FnMut(&Event) -> bool) {
    while !condition(&sync.events.recv().await.expect("it lives")) {}
}

/// Drains the events of sync for so long.
async fn drain_events(sync: &mut SyncHandle, time: Duration) {
    let until = tokio::time::Instant::now() + time;
    while tokio::time::timeout_at(until, sync.events.recv()).await.is_ok() {}
}

/// From the command to the PUT, in round trips, while others change a hundred segments per second.
async fn rename(report: &mut Report) {
    const LATENCY: Duration = Duration::from_millis(100);
    let options = Options { segments: Some(2_000), churn: 100.0, latency: LATENCY, ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let mut sync = follow(&server, Settings { poll: Pace::steady(Duration::from_secs(1)), ..Settings::default() });
    wait_for_event(&mut sync, |event| matches!(event, Event::Synchronised { .. })).await;
    drain_events(&mut sync, Duration::from_secs(3)).await;
    let puts = || server.requests().iter().filter(|request| request.method == "PUT").count();
    let mut trips = Vec::new();
    for number in 0..7 {
        let base = Arc::new(server.segments()[100 + 50 * number].clone());
        let draft = Draft { name: Name::parse(&format!("Mine {number}")).unwrap(), ..Draft::of(&base) };
        let op = OpId { plan_id: PlanId(1 + number as u64), index: 0 };
        let execution = Execution { op, operation: Operation::Update { base, draft }, evidence: None };
        let (before, started) = (puts(), Instant::now());
        sync.commands.send(Command::Execute(Box::new(execution))).await.unwrap();
        while puts() == before {
            assert!(started.elapsed() < Duration::from_secs(30), "it never leaves");
            drain_events(&mut sync, Duration::from_millis(1)).await;
        }
        trips.push(started.elapsed());
    }
    let trips = median(&trips).div_duration_f64(LATENCY);
    report.at_most("a rename under 100 changes a second, 100 ms: to the PUT", trips, 5.0, "round trips");
}

/// A burst of changes, as an ERP writes it: its requests compared with the pages of a list.
async fn burst(report: &mut Report) {
    const PAGE: usize = 500;
    const SEGMENTS: usize = 10_000;
    let options = Options { segments: Some(SEGMENTS), ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let mut sync = follow(&server, Settings { poll: Pace::steady(Duration::from_secs(1)), ..Settings::default() });
    wait_for_event(&mut sync, |event| matches!(event, Event::Synchronised { complete: true, .. })).await;
    let before = server.requests().len();
    for (number, segment) in server.segments().into_iter().take(5_000).enumerate() {
        let fields = Fields { name: format!("Changed {number}").into(), ..Fields::of(&segment) };
        server.change(Actor::Integrations, ChangeRequest::Update(segment.id, fields)).unwrap();
    }
    let mut quiet = 0;
    wait_for_event(&mut sync, |event| {
        quiet += usize::from(matches!(event, Event::Synchronised { complete: true, .. }));
        quiet == 3
    })
    .await;
    let requests = server.requests().len() - before;
    let pages = SEGMENTS / PAGE + 1;
    // Twice the pages, and the polls of the feed while it lasts.
    let goal = 2 * pages + 60;
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
    report.at_most("5,000 changes of 10,000 segments at once: requests", requests as f64, goal as f64, "");
}

/// From the start to the first rows, in round trips.
async fn first_rows(report: &mut Report) {
    const LATENCY: Duration = Duration::from_millis(300);
    let options = Options { segments: Some(10_000), latency: LATENCY, ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..3 {
        let started = Instant::now();
        let mut sync = follow(&server, Settings::default());
        wait_for_event(&mut sync, |event| matches!(event, Event::PageReceived(_))).await;
        times.push(started.elapsed());
    }
    let trips = median(&times).div_duration_f64(LATENCY);
    report.at_most("first rows at 300 ms", trips, 2.5, "round trips");
}

/// A megabyte pasted into the form of a segment.
fn paste(report: &mut Report) {
    let mut screen = Screen::of(tenants::shuffled(1_000));
    let text = "Łódź ".repeat(1024 * 1024 / 7);
    let mut times = Vec::new();
    for _ in 0..5 {
        screen.press("e");
        let started = Instant::now();
        screen.update(AppEvent::Paste(text.clone()));
        screen.frame();
        times.push(started.elapsed());
        assert!(matches!(screen.layers().last(), Some(Layer::Form(_))), "it went into the form");
        screen.press("esc");
    }
    report.at_most("a paste of 1 MB into a field, with its frame", millis(median(&times)), 50.0, "ms");
}

/// New segments in one text, nested ten deep.
const NEW: usize = 20_000;
const DEEP: usize = 10;

/// The time that some steps take on the interface's thread.
#[derive(Default)]
struct ThreadTime {
    total: Duration,
    longest: Duration,
}

impl ThreadTime {
    fn measure<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = act();
        self.total += started.elapsed();
        self.longest = self.longest.max(started.elapsed());
        result
    }
}

/// A text of 20,000 new segments: the time on the interface's thread from the editor to the last response, with a frame
/// after every hundred responses; and to discard all of it instead.
fn creates(report: &mut Report) {
    const FRAME_EVERY: usize = 100;
    let (mut screen, mut thread) = (Screen::of(tenants::shuffled(1_000)), ThreadTime::default());
    let mut ready: VecDeque<Execution> = send_new(&mut screen, &mut thread).into();
    let mut done = 0;
    while let Some(Execution { op, operation, .. }) = ready.pop_front() {
        let Operation::Create { draft } = operation else { panic!("a create") };
        let id = SegmentId::new(&format!("made-{}", op.index)).unwrap();
        let written = Written {
            segment: Arc::new(draft.into_segment(id)),
            merged: Vec::new(),
            ignored: Vec::new(),
            written: Vec::new(),
            concurrent_write: false,
            existed: false,
        };
        let result = Box::new(ExecutionResult::Done(WriteResult::Created(written)));
        done += 1;
        thread.measure(|| {
            ready.extend(executions(screen.update(AppEvent::Sync(Event::Executed { op, result }))));
            if done % FRAME_EVERY == 0 {
                screen.frame();
            }
        });
    }
    assert_eq!(done, NEW);
    report.at_most("20,000 creates from a text: the interface's thread in all", millis(thread.total), 500.0, "ms");
    report.note("… and the longest of its steps", millis(thread.longest), "ms");

    let (mut screen, mut thread) = (Screen::of(tenants::shuffled(1_000)), ThreadTime::default());
    send_new(&mut screen, &mut thread);
    thread.measure(|| {
        screen.press("Q");
        screen.frame();
        screen.press("D");
        screen.frame();
    });
    report.at_most("… and given up before any has begun", millis(thread.total), 500.0, "ms");
}

/// Enters the text, scrolls through the resulting plan, and sends it.
fn send_new(screen: &mut Screen, thread: &mut ThreadTime) -> Vec<Execution> {
    screen.press("g");
    screen.press("g");
    let effects = thread.measure(|| screen.update(key("E")));
    let Some(Effect::EditText { text }) = effects.into_iter().next() else { panic!("a text to edit") };
    let mut text = text.trim_end().to_owned();
    for number in 0..NEW {
        text.extend(["\n", &"  ".repeat(1 + number % DEEP), &format!("Nowy {number}")]);
    }
    let edited = EditorOutcome::Saved { text, file: "/nowhere/segtui.outline".into() };
    thread.measure(|| screen.update(AppEvent::TextEdited(edited)));
    assert!(matches!(screen.layers().last(), Some(Layer::Review(_))), "the plan is shown");
    thread.measure(|| {
        for _ in 0..20 {
            screen.press("down");
            screen.frame();
        }
    });
    let effects = thread.measure(|| {
        screen.press("y");
        for letter in "acme".chars() {
            screen.press(&letter.to_string());
        }
        screen.update(key("enter"))
    });
    executions(effects)
}

/// The executions among the effects.
fn executions(effects: Vec<Effect>) -> Vec<Execution> {
    let executions = effects.into_iter().filter_map(|effect| match effect {
        Effect::Sync(Command::Execute(execution)) => Some(*execution),
        _ => None,
    });
    executions.collect()
}

/// A screen full of names as long as a response may have them.
fn long_names(report: &mut Report) {
    let name: String = "Łódź e\u{301}👩\u{200d}🌾 ".repeat(64 * 1024 / 26);
    let segments = (0..100).map(|number| {
        let id = SegmentId::new(&format!("long-{number}")).unwrap();
        Arc::new(Segment { id, name: format!("{number} {name}").into(), external_id: None, parent: None })
    });
    let mut screen = Screen::of(segments.collect());
    let times: Vec<Duration> = ["j", "k"]
        .into_iter()
        .cycle()
        .take(40)
        .map(|key| {
            let started = Instant::now();
            screen.press(key);
            screen.frame();
            started.elapsed()
        })
        .collect();
    report.at_most("a key and its frame, 120x40, names of 64 KiB", millis(median(&times)), 16.0, "ms");
}

fn key(text: &str) -> AppEvent {
    AppEvent::Key(Key::parse(text).unwrap())
}
