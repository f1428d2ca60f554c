//! `sync` with the real client against the demo server over real sockets, faults included: once all is quiet, both are
//! equal.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use segtui::api::retry::Policy;
use segtui::api::{Client, Settings as ClientSettings};
use segtui::changes::{ChangeQueue, ExecutionResult, OpId, Operation, Plan, Title, WriteError, WriteResult};
use segtui::demo::{Actor, ChangeRequest, Fields, ListForm, Options, Request, Server, Trouble};
use segtui::forest::Forest;
use segtui::remote::{Access, BaseUrl, Call, Fault, Guarded, InsecureHttp, RemoteError};
use segtui::segment::{Draft, Name, Segment, SegmentId};
use segtui::sync::{self, Command, Event, Pace, Phase, SegmentChange, Settings, SyncHandle};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

struct Watcher {
    sync: SyncHandle,
    picture: BTreeMap<SegmentId, Arc<Segment>>,
    over: u64,
    failed: Vec<WriteError>,
    synchronised: usize,
    lists: usize,
    stalled: usize,
    queue: ChangeQueue,
    begun: u64,
}

impl Watcher {
    fn of(server: &Server, settings: Settings) -> Self {
        Self::allowed(Access::ReadWrite, server, settings)
    }

    fn allowed(access: Access, server: &Server, settings: Settings) -> Self {
        let base_url = BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).unwrap();
        let mut client = ClientSettings::new(base_url, server.tenant(), server.api_key().to_owned().into());
        client.retries = Policy { first_pause: Duration::from_millis(5), ..Policy::default() };
        let queue = ChangeQueue::new(0, settings.concurrency);
        let sync = sync::start(Arc::new(Guarded::new(Client::new(client).unwrap(), access)), settings);
        Self {
            sync,
            picture: BTreeMap::new(),
            over: 0,
            failed: Vec::new(),
            synchronised: 0,
            lists: 0,
            stalled: 0,
            queue,
            begun: 0,
        }
    }

    async fn hear(&mut self) {
        let event = timeout(PATIENCE, self.sync.events.recv()).await.expect("it says something").expect("it lives");
        self.take(event);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::PageReceived(segments) => {
                self.picture.extend(segments.into_iter().map(|segment| (segment.id.clone(), segment)));
            }
            Event::Restored { forest, .. } => {
                self.picture = forest.iter().map(|segment| (segment.id.clone(), Arc::clone(segment))).collect();
            }
            Event::Listed { different } => {
                self.lists += 1;
                self.see(different);
            }
            Event::Changed { seen, .. } => self.see(seen),
            Event::Executed { op, result } => self.executed(op, &result),
            Event::ServerAnswers => self.queue.resume_sending(),
            Event::Synchronised { .. } => self.synchronised += 1,
            Event::PhaseChanged(Phase::Stalled { .. }) => self.stalled += 1,
            Event::Recovered(_) | Event::PhaseChanged(_) | Event::Noticed(_) | Event::Verified { .. } => {}
        }
        self.send_next();
    }

    fn executed(&mut self, op: OpId, result: &ExecutionResult) {
        match result {
            ExecutionResult::Done(outcome) => {
                self.over += 1;
                match outcome {
                    WriteResult::Created(written) | WriteResult::Updated(written) => {
                        self.picture.insert(written.segment.id.clone(), Arc::clone(&written.segment));
                    }
                    WriteResult::Deleted { id, .. } => drop(self.picture.remove(id)),
                }
            }
            ExecutionResult::Failed { error, .. } => {
                self.over += 1;
                self.failed.push(error.clone());
            }
            ExecutionResult::Unreached { .. } => self.queue.pause_sending(),
        }
        let failed = matches!(result, ExecutionResult::Failed { .. });
        let _nothing_is_kept = self.queue.executed(op, result);
        if failed {
            let _nothing_is_kept = self.queue.discard(op);
        }
    }

    fn send_next(&mut self) {
        while let Some(execution) = self.queue.begin() {
            self.sync.commands.try_send(Command::Execute(Box::new(execution))).unwrap();
        }
    }

    fn see(&mut self, seen: Vec<SegmentChange>) {
        for seen in seen {
            match seen.now {
                Some(now) => self.picture.insert(seen.id, now),
                None => self.picture.remove(&seen.id),
            };
        }
    }

    async fn settle(&mut self) {
        // What was said before now says nothing about what is to come.
        while let Ok(event) = self.sync.events.try_recv() {
            self.take(event);
        }
        while self.over < self.begun {
            self.hear().await;
        }
        let enough = self.synchronised + 5;
        while self.synchronised < enough {
            self.hear().await;
        }
    }

    fn begin(&mut self, operation: Operation) {
        self.begun += 1;
        let (plan_id, _) = self.queue.stage(&Forest::new(), Plan::single(operation), Title::default());
        let _nothing_is_kept = self.queue.submit(plan_id);
        self.send_next();
    }

    fn assert_equals(&self, server: &Server) {
        let there: BTreeMap<SegmentId, Segment> =
            server.segments().into_iter().map(|segment| (segment.id.clone(), segment)).collect();
        let differs = |segment: &&Segment| self.picture.get(&segment.id).is_none_or(|here| **here != **segment);
        let missing: Vec<_> = there.values().filter(differs).collect();
        let ghosts: Vec<_> = self.picture.keys().filter(|id| !there.contains_key(*id)).collect();
        assert!(missing.is_empty() && ghosts.is_empty(), "missing or old: {missing:?}; ghosts: {ghosts:?}");
    }
}

fn quick() -> Settings {
    Settings {
        poll: Pace::steady(Duration::from_millis(20)),
        create_confirm_timeout: Duration::from_millis(200),
        ..Settings::default()
    }
}

#[tokio::test]
async fn everything_is_listed_whatever_the_form_of_the_list() {
    for list_form in [ListForm::Array, ListForm::Envelope] {
        let options = Options { segments: Some(3_000), page_cap: 130, list_form, ..Options::default() };
        let server = Server::start(options).await.unwrap();
        let mut watcher = Watcher::of(&server, quick());
        watcher.settle().await;
        watcher.assert_equals(&server);
    }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_exists_once() {
    let server = Server::start(Options::default()).await.unwrap();
    let mut watcher = Watcher::of(&server, quick());
    watcher.settle().await;
    server.plan(Trouble::LoseAnswer { on: (Method::POST, "/segments") });
    let draft = Draft { name: Name::parse("Nowy").unwrap(), external_id: None, parent: None };
    watcher.begin(Operation::Create { draft });
    watcher.settle().await;
    assert_eq!((watcher.over, &watcher.failed), (1, &Vec::new()));
    assert_eq!(server.segments().iter().filter(|segment| segment.name == "Nowy").count(), 1);
    watcher.assert_equals(&server);
}

#[tokio::test]
async fn whatever_is_asked_of_a_mirror_that_only_reads_no_write_reaches_the_server() {
    let server = Server::start(Options::default()).await.unwrap();
    let mut watcher = Watcher::allowed(Access::ReadOnly, &server, quick());
    watcher.settle().await;
    let one = server.segments().into_iter().last().unwrap();
    let (base, id) = (Arc::new(one.clone()), one.id.clone());
    let draft = Draft { name: Name::parse("Nowy").unwrap(), ..Draft::of(&one) };
    watcher.begin(Operation::Create { draft: draft.clone() });
    watcher.begin(Operation::Update { base: Arc::clone(&base), draft });
    watcher.begin(Operation::delete(base));
    watcher.settle().await;
    let calls = [Call::Create("Nowy".into()), Call::Update(id.clone()), Call::Delete(id)];
    let refused = calls.map(|call| WriteError::Refused(RemoteError { call, fault: Fault::ReadOnly }));
    assert!(refused.iter().all(|error| watcher.failed.contains(error)), "{:?}", watcher.failed);
    assert_eq!(watcher.failed.len(), 3);
    assert!(server.requests().iter().all(|request| request.method == Method::GET), "{:?}", server.requests());
    watcher.assert_equals(&server);
}

#[tokio::test]
async fn a_page_that_fails_again_and_again_stalls_the_list_and_does_not_lose_it() {
    let server = Server::start(Options { segments: Some(500), ..Options::default() }).await.unwrap();
    for _ in 0..10 {
        server.plan(Trouble::Refuse { on: (Method::GET, "pageNumber=4&"), status: 500, retry_after: None });
    }
    let mut watcher = Watcher::of(&server, Settings { page_size: 50, ..quick() });
    while watcher.stalled == 0 {
        watcher.hear().await;
    }
    assert!(!watcher.picture.is_empty());
    watcher.settle().await;
    watcher.assert_equals(&server);
}

/// Twenty thousand segments, two hundred changes a second, and one request in thirty in trouble. What is asked is bounded by
/// what there is to know: each page once a list; two looks a change at most, one when the feed names it and one when a list
/// that it slipped from lacks it; the feed once a poll, once a part, and to find its end; and again only what met trouble.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_of_changes_and_faults_nothing_is_lost_and_nothing_is_asked_without_cause() {
    const SEED: u64 = 7;
    println!("seed {SEED}");
    let options = Options {
        segments: Some(20_000),
        churn: 200.0,
        trouble: 0.03,
        feed_cap: 100,
        seed: SEED,
        ..Options::default()
    };
    let mut server = Server::start(options).await.unwrap();
    let before = server.events();
    let mut watcher = Watcher::of(&server, Settings { concurrency: 6, ..quick() });
    let began = tokio::time::Instant::now();
    while server.events() - before < 800 {
        watcher.hear().await;
    }
    let lasted = began.elapsed();
    server.end_churn();
    let changes = server.events() - before;
    watcher.settle().await;
    let polls_by_time = began.elapsed().as_millis() / 18;
    watcher.assert_equals(&server);

    let requests = server.requests();
    let pages: Vec<u32> = requests.iter().filter(|request| !request.troubled).filter_map(page_number).collect();
    // The first page was asked for once more, so that there was something to see before the list began.
    let lists = pages.iter().filter(|page| **page == 1).count() - 1;
    let calm = || requests.iter().filter(|request| !request.troubled);
    let looks = calm().filter(|request| is_look(request)).count();
    let feed = calm().filter(|request| request.target.contains("synchronization")).count();
    println!(
        "{changes} changes in {lasted:?}; {lists} lists of {} pages; {looks} looks; {feed} times the feed; {} requests",
        pages.len(),
        requests.len()
    );
    assert!((1..=3).contains(&lists), "{lists} lists: one, and another when all is quiet");
    let mut times = BTreeMap::new();
    for page in &pages {
        *times.entry(page).or_insert(0) += 1;
    }
    *times.entry(&1).or_insert(0) -= 1;
    assert!(times.values().all(|times| *times <= lists), "a page was loaded twice in one list: {times:?}");
    let last = 20_000 / 500 + 1;
    assert!(times.keys().all(|page| **page <= last + 6), "at most one window goes past the end: {times:?}");
    assert!(looks <= 2 * changes, "{looks} looks for {changes} changes");
    let most = 2 * usize::try_from(polls_by_time).unwrap() + changes / 100 + 100;
    assert!(feed <= most, "the feed was asked {feed} times; {most} are enough");
}

fn page_number(request: &Request) -> Option<u32> {
    request.target.split("pageNumber=").nth(1)?.split('&').next()?.parse().ok()
}

fn is_look(request: &Request) -> bool {
    let last = request.target.split('?').next().and_then(|path| path.rsplit('/').next());
    request.method == Method::GET && !matches!(last, Some("segments" | "synchronization"))
}

#[tokio::test]
async fn after_random_changes_and_faults_both_are_equal() {
    // They wait most of the time, each for its own server.
    let schedules: Vec<_> = (0..12).map(|seed| (seed, tokio::spawn(schedule(seed)))).collect();
    for (seed, schedule) in schedules {
        // Printed by the test runner when the schedule fails.
        println!("seed {seed}");
        schedule.await.unwrap();
    }
}

async fn schedule(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let options = Options {
        segments: Some(random.usize(20..200)),
        seed,
        latency: Duration::from_millis(random.u64(0..3)),
        page_cap: random.usize(3..40),
        feed_cap: random.usize(1..20),
        deletion: segtui::demo::DeletionPolicy::Cascade,
        ..Options::default()
    };
    let server = Server::start(options).await.unwrap();
    let mut watcher = Watcher::of(&server, Settings { page_size: 50, concurrency: random.usize(1..7), ..quick() });
    for _ in 0..random.usize(20..60) {
        for _ in 0..random.usize(0..3) {
            watcher.hear().await;
        }
        if random.u8(0..4) == 0 {
            let method = random.choice([Method::GET, Method::PUT, Method::POST, Method::DELETE]).unwrap();
            server.plan(match random.u8(0..3) {
                0 => Trouble::LoseAnswer { on: (method, "/segments") },
                1 => Trouble::Delay { on: (method, "/segments"), by: Duration::from_millis(random.u64(0..40)) },
                _ => Trouble::Refuse { on: (method, "/segments"), status: 503, retry_after: None },
            });
        }
        if random.bool() {
            change(&mut random, &server);
        } else if let Some(operation) = operation(&mut random, &watcher) {
            watcher.begin(operation);
        }
    }
    watcher.settle().await;
    watcher.assert_equals(&server);
}

fn change(random: &mut fastrand::Rng, server: &Server) {
    let segments = server.segments();
    let Some(any) = random.choice(&segments) else { return };
    let name = format!("theirs {}", random.u8(..)).into();
    let wish = match random.u8(0..4) {
        0 => ChangeRequest::Create(Fields { name, external_id: None, parent: Some(any.id.clone()) }),
        1 => ChangeRequest::Delete(any.id.clone()),
        2 => ChangeRequest::Update(
            any.id.clone(),
            Fields { parent: random.choice(&segments).map(|to| to.id.clone()), ..Fields::of(any) },
        ),
        _ => ChangeRequest::Update(any.id.clone(), Fields { name, ..Fields::of(any) }),
    };
    // A move into the own subtree is refused, which is as good as anything.
    let _refused = server.change(Actor::Backoffice, wish);
}

fn operation(random: &mut fastrand::Rng, watcher: &Watcher) -> Option<Operation> {
    let shown: Vec<_> = watcher.picture.values().collect();
    let any = random.choice(&shown)?;
    let name = Name::parse(&format!("mine {}", random.u8(..))).unwrap();
    Some(match random.u8(0..3) {
        0 => Operation::Create { draft: Draft { name, external_id: None, parent: Some(any.id.clone()) } },
        1 => Operation::Update { base: Arc::clone(any), draft: Draft { name, ..Draft::of(any) } },
        _ => Operation::delete(Arc::clone(any)),
    })
}
