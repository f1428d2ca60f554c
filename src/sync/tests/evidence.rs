//! Servers that can't be trusted: lists with holes, feeds that lag, double or omit events, wrong responses, and servers that
//! can't be reached.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::{Command, Notice, Pace, Phase, Settings, Suspicion};

use crate::changes::{Operation, Plan};
use crate::changes::{RecoveredState, WriteError, WriteResult};
use crate::remote::{Call, ConnectError, Context, Fault};
use crate::segment::{Draft, Segment};

use super::client::Client;
use super::server::{InjectedFault, Quirks, Server, refused};
use super::{draft, id, many, segment, settings};

fn unreachable() -> Fault {
    Fault::Unreachable { reason: ConnectError::default() }
}

fn is_create(call: &Call) -> bool {
    matches!(call, Call::Create(_))
}

fn is_fetch(call: &Call) -> bool {
    matches!(call, Call::One(_))
}

fn is_page(call: &Call) -> bool {
    matches!(call, Call::Page(_))
}

fn is_read(call: &Call) -> bool {
    matches!(call, Call::Changes(_))
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_empty_for_a_while_hides_nothing() {
    for page in 2..7 {
        let server = Server::new(many(3_001));
        server.model().empty_pages = [(page, 2)].into();
        let mut client = Client::start(&server, settings(500));
        client.settle().await;
        client.assert_equals(&server);
        assert_eq!(client.notices, [], "page {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_stays_empty_is_reported_and_removes_nothing() {
    let server = Server::new(many(3_001));
    let mut client = Client::start(&server, settings(500));
    client.settle().await;
    server.model().empty_pages = [(3, u32::MAX)].into();
    client.send(Command::Reload).await;
    client.run_until(|client| client.incomplete_reason.is_some()).await;
    client.settle().await;
    client.assert_equals(&server);
    let suspicion = Suspicion::EmptyPage { page: 3 };
    assert_eq!(
        (client.incomplete_reason, client.notices.as_slice()),
        (Some(suspicion), &[Notice::ListIncomplete { suspicion }][..])
    );
    let lists = client.lists;
    client.settle().await;
    assert_eq!(client.lists, lists, "it is not asked again and again");
    // A complete list clears that.
    server.model().empty_pages.clear();
    client.send(Command::Reload).await;
    client.run_until(|client| client.incomplete_reason.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_total_that_is_not_reached_is_reported() {
    let server = Server::new(many(100));
    server.model().quirks = Quirks { reports_total: true, ..Quirks::default() };
    server.model().phantom_count = 7;
    let mut client = Client::start(&server, settings(30));
    client.run_until(|client| client.incomplete_reason.is_some()).await;
    assert_eq!(client.incomplete_reason, Some(Suspicion::FewerThanTotal { total: 107, received: 100 }));
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_changes_between_pages_removes_nothing() {
    let server = Server::new(many(300));
    let mut client = Client::start(&server, settings(20));
    client.settle().await;
    server.model().quirks.shuffles = true;
    client.send(Command::Reload).await;
    client.run_until(|client| client.incomplete_reason.is_some()).await;
    client.settle().await;
    client.assert_equals(&server);
    assert!(
        matches!(client.incomplete_reason, Some(Suspicion::Repeated { .. } | Suspicion::MissingKnown { .. })),
        "{:?}",
        client.incomplete_reason
    );
}

#[tokio::test(start_paused = true)]
async fn ignored_page_numbers_in_random_order_end_the_list() {
    let server = Server::new(many(1_000));
    server.model().quirks = Quirks { shuffles: true, ignores_page_number: true, ..Quirks::default() };
    let mut client = Client::start(&server, settings(1_000));
    client.run_until(|client| client.lists == 1).await;
    assert!(server.count(is_page) < 100, "{} pages", server.count(is_page));
    assert_eq!(client.view.len(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn changes_outside_a_filtered_feed_are_found_by_listing() {
    for seed in 0..20 {
        let server = Server::new(many(200));
        {
            let mut model = server.model();
            model.random = fastrand::Rng::with_seed(seed);
            model.quirks.follows = Some(Context::Backoffice);
            model.actor = Context::Application;
        }
        let mut client = Client::start(&server, Settings { partial_feed: true, ..settings(10) });
        client.run_until(|client| client.received >= 60).await;
        {
            let mut model = server.model();
            for at in 0..30 {
                model.delete(&id(&format!("{at:05}")));
                model.put(segment(&format!("new {at}"), "new", None));
            }
        }
        client.settle().await;
        client.assert_equals(&server);
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_updates_takes_lists_instead_of_fetches() {
    let server = Server::new(many(3_000));
    let mut client = Client::start(&server, settings(500));
    client.settle().await;
    let before = server.count(|_| true);
    for at in 0..3_700 {
        server.model().put(segment(&format!("{:05}", at % 3_000), &format!("Renamed {at}"), None));
    }
    client.settle().await;
    client.assert_equals(&server);
    let asked = server.count(|_| true) - before;
    assert!(asked <= 2 * 8 + 40, "{asked} requests where a list is 7 pages");
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_deletes_takes_lists_instead_of_fetches() {
    let server = Server::new(many(3_000));
    let mut client = Client::start(&server, settings(500));
    client.settle().await;
    let before = server.count(|_| true);
    for at in 0..1_500 {
        server.model().delete(&id(&format!("{at:05}")));
    }
    client.settle().await;
    client.assert_equals(&server);
    let asked = server.count(|_| true) - before;
    assert!(asked <= 2 * 8 + 40, "{asked} requests");
}

#[tokio::test(start_paused = true)]
async fn polling_of_a_feed_that_always_advances_is_rate_limited() {
    for names in [false, true] {
        let server = Server::new(many(100));
        server.model().latency = 0;
        server.model().quirks.advances_on_read = Some(names);
        let mut client = Client::start(&server, settings(50));
        client.run_until(|client| client.lists == 1).await;
        let (before, began) = (server.count(|_| true), Instant::now());
        client.run_until(|_| began.elapsed() > Duration::from_secs(60)).await;
        let asked = server.count(|_| true) - before;
        assert!(asked < 20 * 60, "{asked} requests in a minute");
        assert!(client.synchronised > 0, "it is live all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_segment_holds_up_no_other() {
    for fault in [refused(500), refused(403), Fault::InvalidResponse { reason: "no segment".into() }] {
        let server = Server::new(many(10));
        let mut client = Client::start(&server, settings(50));
        client.settle().await;
        server.model().unreadable = Some((id("00003"), fault));
        server.model().put(segment("00003", "unreadable", None));
        server.model().put(segment("00004", "readable", None));
        client.settle().await;
        assert_eq!(client.shown("00004").unwrap().name, "readable");
        assert_eq!(client.phases.last(), Some(&Phase::Live));
        assert!(matches!(client.notices.as_slice(), [Notice::SegmentUnreadable { .. }]), "{:?}", client.notices);
        server.model().unreadable = None;
        client.run_until(|client| client.shown("00003").is_some_and(|segment| segment.name == "unreadable")).await;
        client.assert_equals(&server);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_reported_with_the_pending_request() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    server.model().latency = 1_000_000;
    let began = Instant::now();
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Silent { .. }))).await;
    // The longest poll interval, plus some seconds until the request is overdue.
    assert!(began.elapsed() <= Duration::from_secs(30 + 4 + 6), "{:?}", began.elapsed());
    assert!(matches!(client.phases.last(), Some(Phase::Silent { call: Call::Changes(_), .. })));
    server.model().latency = 1;
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Live))).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_restored_from_a_backup_is_noticed() {
    for runs in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let store = Some(folder.path().join("tenant.db"));
        let server = Server::new(many(20));
        let mut client = Client::start(&server, Settings { store: store.clone(), ..settings(50) });
        client.settle().await;
        for at in 0..40 {
            server.model().put(segment(&format!("{:05}", at % 20), &format!("Renamed {at}"), None));
            client.settle().await;
        }
        let mut client = Some(client);
        if !runs {
            client = None;
            while crate::store::open(store.as_ref().unwrap()).unwrap().store.is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        {
            // From a backup, with changes by others since: the feed is as long as before, but a different one.
            let mut model = server.model();
            model.feed.truncate(10);
            for at in 0..60 {
                model.put(segment(&format!("{:05}", at % 7), &format!("otherwise {at}"), None));
            }
            for at in 10..15 {
                let at = id(&format!("{at:05}"));
                model.segments.insert(at.clone(), segment(&at.text(), "of the backup", None));
            }
        }
        let mut client = client.unwrap_or_else(|| Client::start(&server, Settings { store, ..settings(50) }));
        client.run_until(|client| client.notices.contains(&Notice::FeedRewound)).await;
        client.settle().await;
        client.assert_equals(&server);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_sent_within_a_few_round_trips() {
    for (latency, every) in [(200, 100), (30, 10)] {
        let server = Server::new(many(1_000));
        let settings = Settings { poll: Pace::steady(Duration::from_secs(1)), ..settings(500) };
        let mut client = Client::start(&server, settings);
        client.settle().await;
        {
            // Requests and responses always take equally long.
            let mut model = server.model();
            model.latency = latency / 2;
            model.steady_latency = true;
        }
        let churn = {
            let server = server.clone();
            tokio::spawn(async move {
                for at in 0_u64.. {
                    let place = 10 + at % 900;
                    server.model().put(segment(&format!("{place:05}"), &format!("changed {at}"), None));
                    tokio::time::sleep(Duration::from_millis(every)).await;
                }
            })
        };
        let began = Instant::now();
        client.run_until(|_| began.elapsed() > Duration::from_secs(5)).await;
        for (at, is_sent) in [
            (1, (|call| matches!(call, Call::Update(_))) as fn(&Call) -> bool),
            (2, |call| matches!(call, Call::Delete(_))),
        ] {
            let base = client.shown(&format!("{at:05}")).unwrap().clone();
            let operation = match at {
                1 => Operation::Update { base, draft: draft("Mine", None) },
                _ => Operation::delete(base),
            };
            let asked = Instant::now();
            client.begin(Plan::single(operation));
            while server.count(is_sent) == 0 {
                client.run_for(Duration::from_millis(1)).await;
            }
            let trips = asked.elapsed().div_duration_f64(Duration::from_millis(latency));
            assert!(trips <= 5.5, "{trips} round trips");
        }
        churn.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_doubles_events_raises_no_suspicion() {
    let server = Server::new(many(10));
    server.model().quirks.duplicates_events = true;
    for at in 0..5 {
        server.model().put(segment(&format!("{at:05}"), "before", None));
    }
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    for at in 0..5 {
        let base = client.shown(&format!("{at:05}")).unwrap().clone();
        client.write(Operation::Update { base, draft: draft(&format!("mine {at}"), None) }).await.unwrap();
        let Some(WriteResult::Updated(applied)) = client.outcomes.last() else { panic!("an update") };
        assert!(!applied.concurrent_write, "write {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn unreached_operations_are_sent_when_the_server_is_back() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    server.model().unreachable = Some(unreachable());
    let update = |client: &Client| Operation::Update {
        base: client.shown("00001").unwrap().clone(),
        draft: draft("Mine", None),
    };
    let operations = vec![
        update(&client),
        Operation::delete(client.shown("00002").unwrap().clone()),
        Operation::Create { draft: draft("Nowy", None) },
    ];
    client.begin(Plan { operations });
    client.run_for(Duration::from_secs(600)).await;
    assert!(client.unreached_count > 0 && client.ended.is_empty(), "{:?}", client.ended);
    server.model().unreachable = None;
    client.run_until(Client::has_written).await;
    assert!(client.ended.iter().all(|(_, result)| result.is_ok()), "{:?}", client.ended);
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.view.values().filter(|segment| segment.name == "Nowy").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_create_answered_with_an_existing_segment_says_so() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    server.model().quirks.upserts = true;
    let wanted = Draft::of(&segment("any", "one of many", None));
    client.write(Operation::Create { draft: wanted }).await.unwrap();
    let Some(WriteResult::Created(applied)) = client.outcomes.last() else { panic!("a create") };
    assert!(applied.existed);
    client.write(Operation::Create { draft: draft("Other", None) }).await.unwrap();
    let Some(WriteResult::Created(applied)) = client.outcomes.last() else { panic!("a create") };
    assert!(!applied.existed);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_is_only_claimed_is_not_reported_as_done() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    server.model().quirks.ignores_deletes = true;
    let error = client.write(Operation::delete(client.shown("00001").unwrap().clone())).await.unwrap_err();
    assert_eq!(error, WriteError::NotDone);
    assert!(client.shown("00001").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_slow_delete_is_waited_for() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    server.model().quirks.ignores_deletes = true;
    let base = client.shown("00001").unwrap().clone();
    client.begin(Plan::single(Operation::delete(base)));
    client.run_until(|client| !client.began.is_empty()).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.model().delete(&id("00001"));
    client.run_until(|client| !client.ended.is_empty()).await;
    assert_eq!(client.ended[0].1, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_response_about_another_segment_is_an_error() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    let base = client.shown("00001").unwrap().clone();
    server.model().returns_instead = Some(id("00007"));
    let draft = Draft { parent: Some(id("00002")), ..Draft::of(&base) };
    let error = client.write(Operation::Update { base, draft }).await.unwrap_err();
    assert!(matches!(error, WriteError::Refused(_)), "{error:?}");
    assert_eq!(
        server.count(|call| matches!(call, Call::Update(_))),
        0,
        "nothing of another segment is written over it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_conflict_brings_the_tree_up_to_date() {
    let server = Server::new(many(10));
    let settings = Settings { poll: Pace::steady(Duration::from_secs(3_000)), ..settings(50) };
    let mut client = Client::start(&server, settings);
    client.run_until(|client| client.synchronised > 0).await;
    let base = client.shown("00001").unwrap().clone();
    server.model().put(segment("00001", "Theirs", None));
    client.keeps_failed = true;
    client.write(Operation::Update { base, draft: draft("Mine", None) }).await.unwrap_err();
    assert_eq!(client.shown("00001").unwrap().name, "Theirs");
    server.model().put(segment("00001", "one of many", None));
    client.send(Command::PollNow).await;
    client.run_until(|client| client.shown("00001").unwrap().name == "one of many").await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_segment_missing_for_a_moment_comes_back() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    server.model().injected_faults.push((is_fetch, InjectedFault::Refuse(refused(404))));
    server.model().hidden = Some((id("00001"), 1));
    server.model().put(segment("00001", "renamed", None));
    client.settle().await;
    client.run_until(|client| client.shown("00001").is_some_and(|segment| segment.name == "renamed")).await;
    client.assert_equals(&server);
}

/// Loses the response to a create, crashes, and restarts until the create is settled, up to three times.
async fn starts_after_a_lost_create(quirks: Quirks, partial_feed: bool) -> (Server, Vec<RecoveredState>) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("tenant.db");
    let settings = Settings { store: Some(store.clone()), partial_feed, ..settings(50) };
    let server = Server::new(many(10));
    server.model().quirks = quirks;
    let mut client = Client::start(&server, settings.clone());
    client.settle().await;
    server.model().injected_faults.push((is_create, InjectedFault::LoseResponse));
    client.begin(Plan::single(Operation::Create { draft: draft("Nowy", None) }));
    client.run_until(|client| !client.began.is_empty()).await;
    while server.count(is_create) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut fates = Vec::new();
    for _ in 0..3 {
        drop(client);
        while crate::store::open(&store).unwrap().store.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        client = Client::start(&server, settings.clone());
        client.keeps_failed = true;
        client.settle().await;
        fates.extend(client.recovered.iter().map(|one| one.state.clone()));
        if !client.ended.is_empty() {
            assert_eq!(client.ended[0].1, Ok(()));
            break;
        }
    }
    (server, fates)
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_outside_the_followed_context_is_found() {
    let quirks = Quirks { follows: Some(Context::Backoffice), ..Quirks::default() };
    let (server, fates) = starts_after_a_lost_create(quirks, true).await;
    assert!(matches!(fates.as_slice(), [RecoveredState::Applied(WriteResult::Created(_))]), "{fates:?}");
    assert_eq!(server.model().segments.values().filter(|segment| segment.name == "Nowy").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_in_a_late_feed_is_never_denied() {
    let quirks = Quirks { feed_lag: Duration::from_secs(40), ..Quirks::default() };
    let (server, fates) = starts_after_a_lost_create(quirks, false).await;
    assert!(!fates.is_empty());
    for fate in &fates {
        assert!(matches!(fate, RecoveredState::NotFound | RecoveredState::Applied(_)), "{fates:?}");
    }
    assert_eq!((server.count(is_create), server.model().segments.len()), (1, 11));
}

#[tokio::test(start_paused = true)]
async fn retrying_a_lost_create_finds_it_in_a_list() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    client.keeps_failed = true;
    server.model().quirks.feed_lag = Duration::from_secs(100_000);
    server.model().injected_faults.push((is_create, InjectedFault::LoseResponse));
    let plan_id = client.begin(Plan::single(Operation::Create { draft: draft("Nowy", None) }));
    let op = crate::changes::OpId { plan_id, index: 0 };
    let error = client.outcome_of(op).await.unwrap_err();
    assert!(matches!(error, WriteError::InDoubt(_)), "{error:?}");
    client.retry(op);
    client.run_until(|client| client.ended.len() == 2).await;
    assert_eq!(client.ended[1].1, Ok(()));
    assert_eq!(server.count(is_create), 1);
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn the_first_page_arrives_before_the_end_of_the_feed_is_known() {
    let server = Server::new(many(10_000));
    {
        let mut model = server.model();
        (model.latency, model.steady_latency) = (150, true);
        let event = crate::remote::FeedEvent { id: id("00001"), kind: crate::remote::FeedEventKind::Updated };
        model.feed = vec![event; 100_000];
    }
    let began = Instant::now();
    let mut client = Client::start(&server, settings(500));
    client.run_until(|client| client.received > 0).await;
    assert!(began.elapsed() <= Duration::from_millis(750), "two and a half round trips: {:?}", began.elapsed());
    let _all: Arc<Segment> = client.view.values().next().unwrap().clone();
    assert!(server.count(is_read) <= 3);
}
