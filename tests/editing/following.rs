//! `sync` with the real client against the demo server over real sockets, faults included: once nothing is pending,
//! both are equal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use segtui::changes::{Operation, WriteError};
use segtui::demo::{Actor, ChangeRequest, Fields, InjectedFault, ListForm, Options, Request, Server};
use segtui::remote::{Access, Call, Fault, RemoteError};
use segtui::segment::{Draft, Name};
use segtui::sync::Settings;

use super::client::{Client, quick};

/// A client that follows a server and discards operations that fail.
fn following(server: &Server, settings: Settings) -> Client {
    Client::start(Access::ReadWrite, server, settings).discarding_failures()
}

#[tokio::test]
async fn everything_is_listed_whatever_the_form_of_the_list() {
    for list_form in [ListForm::Array, ListForm::Envelope] {
        let options = Options { segments: Some(3_000), page_cap: 130, list_form, ..Options::default() };
        let server = Server::start(options).await.unwrap();
        let mut client = following(&server, quick());
        client.settle_all().await;
        client.assert_equals(&server);
    }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_exists_once() {
    let server = Server::start(Options::default()).await.unwrap();
    let mut client = following(&server, quick());
    client.settle_all().await;
    server.inject_fault(InjectedFault::LoseResponse { on: (Method::POST, "/segments") });
    let draft = Draft { name: Name::parse("Nowy").unwrap(), external_id: None, parent: None };
    client.begin([Operation::Create { draft }]);
    client.settle_all().await;
    assert_eq!((client.results.len(), client.failed().len()), (1, 0));
    assert_eq!(server.segments().iter().filter(|segment| segment.name == "Nowy").count(), 1);
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_read_only_client_never_sends_a_write() {
    let server = Server::start(Options::default()).await.unwrap();
    let mut client = Client::start(Access::ReadOnly, &server, quick()).discarding_failures();
    client.settle_all().await;
    let one = server.segments().into_iter().last().unwrap();
    let (base, id) = (Arc::new(one.clone()), one.id.clone());
    let draft = Draft { name: Name::parse("Nowy").unwrap(), ..Draft::of(&one) };
    client.begin([Operation::Create { draft: draft.clone() }]);
    client.begin([Operation::Update { base: Arc::clone(&base), draft }]);
    client.begin([Operation::delete(base)]);
    client.settle_all().await;
    let calls = [Call::Create("Nowy".into()), Call::Update(id.clone()), Call::Delete(id)];
    let refused = calls.map(|call| WriteError::Refused(RemoteError { call, fault: Fault::ReadOnly }));
    assert!(refused.iter().all(|error| client.failed().contains(&error)), "{:?}", client.failed());
    assert_eq!(client.failed().len(), 3);
    assert!(server.requests().iter().all(|request| request.method == Method::GET), "{:?}", server.requests());
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_page_that_keeps_failing_stalls_the_list_until_it_loads() {
    let server = Server::start(Options { segments: Some(500), ..Options::default() }).await.unwrap();
    for _ in 0..10 {
        server.inject_fault(InjectedFault::Refuse {
            on: (Method::GET, "pageNumber=4&"),
            status: 500,
            retry_after: None,
        });
    }
    let mut client = following(&server, Settings { page_size: 50, ..quick() });
    while client.stalled == 0 {
        client.receive_event().await;
    }
    assert!(!client.segments.is_empty());
    client.settle_all().await;
    client.assert_equals(&server);
}

/// 20,000 segments, 200 changes per second, and 3 % of the requests in trouble. The requests must stay bounded: each
/// page once per list; at most two fetches per change, one when the feed names the segment and one when a list that it
/// slipped from lacks it; the feed once per poll, once per part, and to find its end; and retries only for requests
/// that met trouble.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_changes_loses_nothing_and_bounds_requests() {
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
    let mut client = following(&server, Settings { concurrency: 6, ..quick() });
    let began = tokio::time::Instant::now();
    while server.events() - before < 800 {
        client.receive_event().await;
    }
    let elapsed = began.elapsed();
    server.stop_churn();
    let changes = server.events() - before;
    client.settle_all().await;
    let polls_by_time = began.elapsed().as_millis() / 18;
    client.assert_equals(&server);

    let requests = server.requests();
    let pages: Vec<u32> = requests.iter().filter(|request| !request.troubled).filter_map(page_number).collect();
    // The first page is fetched one extra time, so that there is something to show before the list begins.
    let lists = pages.iter().filter(|page| **page == 1).count() - 1;
    let calm = || requests.iter().filter(|request| !request.troubled);
    let fetches = calm().filter(|request| is_fetch(request)).count();
    let feed = calm().filter(|request| request.target.contains("synchronization")).count();
    println!(
        "{changes} changes in {elapsed:?}; {lists} lists of {} pages; {fetches} looks; {feed} times the feed; {} requests",
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
    assert!(fetches <= 2 * changes, "{fetches} looks for {changes} changes");
    let max_polls = 2 * usize::try_from(polls_by_time).unwrap() + changes / 100 + 100;
    assert!(feed <= max_polls, "the feed was asked {feed} times; {max_polls} are enough");
}

fn page_number(request: &Request) -> Option<u32> {
    request.target.split("pageNumber=").nth(1)?.split('&').next()?.parse().ok()
}

fn is_fetch(request: &Request) -> bool {
    let last = request.target.split('?').next().and_then(|path| path.rsplit('/').next());
    request.method == Method::GET && !matches!(last, Some("segments" | "synchronization"))
}

#[tokio::test]
async fn client_and_server_agree_after_random_changes_and_faults() {
    // They spend most of their time waiting, each for its own server.
    let schedules: Vec<_> = (0..12).map(|seed| (seed, tokio::spawn(schedule(seed)))).collect();
    for (seed, schedule) in schedules {
        // Shown by the test runner when the schedule fails.
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
    let mut client = following(&server, Settings { page_size: 50, concurrency: random.usize(1..7), ..quick() });
    for _ in 0..random.usize(20..60) {
        for _ in 0..random.usize(0..3) {
            client.receive_event().await;
        }
        if random.u8(0..4) == 0 {
            let method = random.choice([Method::GET, Method::PUT, Method::POST, Method::DELETE]).unwrap();
            server.inject_fault(match random.u8(0..3) {
                0 => InjectedFault::LoseResponse { on: (method, "/segments") },
                1 => InjectedFault::DelayRequest {
                    on: (method, "/segments"),
                    by: Duration::from_millis(random.u64(0..40)),
                },
                _ => InjectedFault::Refuse { on: (method, "/segments"), status: 503, retry_after: None },
            });
        }
        if random.bool() {
            change(&mut random, &server);
        } else if let Some(operation) = operation(&mut random, &client) {
            client.begin([operation]);
        }
    }
    client.settle_all().await;
    client.assert_equals(&server);
}

fn change(random: &mut fastrand::Rng, server: &Server) {
    let segments = server.segments();
    let Some(any) = random.choice(&segments) else { return };
    let name = format!("theirs {}", random.u8(..)).into();
    let change = match random.u8(0..4) {
        0 => ChangeRequest::Create(Fields { name, external_id: None, parent: Some(any.id.clone()) }),
        1 => ChangeRequest::Delete(any.id.clone()),
        2 => ChangeRequest::Update(
            any.id.clone(),
            Fields { parent: random.choice(&segments).map(|to| to.id.clone()), ..Fields::of(any) },
        ),
        _ => ChangeRequest::Update(any.id.clone(), Fields { name, ..Fields::of(any) }),
    };
    // The server refuses a move into the segment's own subtree, which is fine.
    let _refused = server.change(Actor::Backoffice, change);
}

fn operation(random: &mut fastrand::Rng, client: &Client) -> Option<Operation> {
    let shown: Vec<_> = client.segments.values().collect();
    let any = random.choice(&shown)?;
    let name = Name::parse(&format!("mine {}", random.u8(..))).unwrap();
    Some(match random.u8(0..3) {
        0 => Operation::Create { draft: Draft { name, external_id: None, parent: Some(any.id.clone()) } },
        1 => Operation::Update { base: Arc::clone(any), draft: Draft { name, ..Draft::of(any) } },
        _ => Operation::delete(Arc::clone(any)),
    })
}
