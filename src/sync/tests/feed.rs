//! Reading the feed: how often, by context, and after a step back.

use std::time::Duration;

use tokio::time::Instant;

use crate::changes::Operation;
use crate::remote::{Call, Context, Contexts};
use crate::segment::Step;
use crate::sync::{Notice, Pace, Phase, Settings};

use super::client::Client;
use super::server::Server;
use super::{draft, segment};

fn tenant() -> Server {
    Server::new([segment("hurt", "Hurtownie", None), segment("vip", "VIP", None)])
}

fn polls(server: &Server) -> usize {
    server.count(|call| matches!(call, Call::Changes(_)))
}

#[tokio::test(start_paused = true)]
async fn polling_is_rare_when_quiet_and_frequent_when_busy() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let idle = Instant::now();
    client.run_until(|_| idle.elapsed() > Duration::from_secs(600)).await;
    let before = polls(&server);
    client.run_until(|_| idle.elapsed() > Duration::from_secs(1_200)).await;
    let seldom = polls(&server) - before;
    assert!((17..=23).contains(&seldom), "{seldom} looks in ten quiet minutes");

    server.model().put(segment("vip", "renamed", None));
    client.run_until(|client| client.changes == 1).await;
    let (before, busy) = (polls(&server), Instant::now());
    let mut at = 0;
    client
        .run_until(|_| {
            at += 1;
            server.model().put(segment("vip", &format!("Renamed {at}"), None));
            busy.elapsed() > Duration::from_secs(30)
        })
        .await;
    let often = polls(&server) - before;
    assert!(often >= 25, "{often} looks in half a busy minute");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_retried_within_a_minute() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().fault_percent = 100;
    let began = Instant::now();
    client.run_until(|_| began.elapsed() > Duration::from_secs(3_600)).await;
    let pauses: Vec<Duration> = client
        .phases
        .iter()
        .filter_map(|phase| if let Phase::Offline { retry_in, .. } = phase { Some(*retry_in) } else { None })
        .collect();
    let first = pauses.first().copied().unwrap();
    let last = pauses.last().copied().unwrap();
    assert!(first < Duration::from_secs(2) && last == Duration::from_secs(60), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(60)), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn the_feed_is_polled_soon_after_an_own_write() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let idle = Instant::now();
    client.run_until(|_| idle.elapsed() > Duration::from_secs(300)).await;
    client.write(Operation::Create { draft: draft("Nowy", None) }).await.unwrap();
    let (written, synchronised) = (Instant::now(), client.synchronised);
    client.run_until(|client| client.synchronised > synchronised).await;
    assert!(written.elapsed() < Duration::from_secs(2), "{:?}", written.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_never_ends_is_live_all_the_same() {
    let server = tenant();
    server.model().latency = 600;
    let mut client = Client::live(&server).await;
    server.model().quirks.changes_on_read = true;
    let (began, synchronised) = (Instant::now(), client.synchronised);
    client.run_until(|client| client.synchronised > synchronised + 20).await;
    assert!(began.elapsed() < Duration::from_secs(120), "twenty looks at its end took {:?}", began.elapsed());
    assert_eq!(client.phases.last(), Some(&Phase::Live));
}

#[tokio::test(start_paused = true)]
async fn a_feed_restored_from_a_backup_leads_to_a_new_list() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    client.wait_for_late_events().await;
    for at in 0..20 {
        server.model().put(segment("vip", &format!("VIP {at}"), None));
    }
    client.settle().await;
    {
        // As from yesterday's backup.
        let mut model = server.model();
        model.quirks.next_when_quiet = Some(|end| end);
        model.feed.truncate(5);
        model.segments.insert(super::id("vip"), segment("vip", "of yesterday", None));
    }
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 2);
    assert_eq!(client.notices, [Notice::FeedRewound]);
    server.model().put(segment("vip", "of today", None));
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 2);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_steps_back_when_quiet_is_followed() {
    let server = tenant();
    server.model().quirks.next_when_quiet = Some(|end| Step((end.0 - 1).max(1)));
    let mut client = Client::live(&server).await;
    client.wait_for_late_events().await;
    for at in 0..5 {
        server.model().put(segment("vip", &format!("VIP {at}"), None));
        client.settle().await;
        client.assert_equals(&server);
    }
    assert_eq!(client.lists, 1);
    let (before, synchronised, began) = (polls(&server), client.synchronised, Instant::now());
    client.run_until(|client| client.synchronised >= synchronised + 10).await;
    let now_and_then = usize::try_from(began.elapsed().as_secs() / 60).unwrap() + 1;
    assert!(polls(&server) - before <= 11 + now_and_then, "what was explained once is not looked into again");
}

#[tokio::test(start_paused = true)]
async fn with_origins_each_change_is_attributed() {
    let server = tenant();
    let settings =
        Settings { origins: Context::ALL.into(), poll: Pace::steady(Duration::from_secs(5)), ..Settings::default() };
    let mut client = Client::start(&server, settings);
    client.settle().await;
    {
        let mut model = server.model();
        model.put(segment("vip", "by a person", None));
        model.actor = Context::Internal;
        model.put(segment("hurt", "by itself", None));
        model.actor = Context::Application;
        model.put(segment("new", "by the shop", None));
        model.put(segment("vip", "by the shop too", None));
    }
    client.write(Operation::Create { draft: draft("Own", None) }).await.unwrap();
    client.settle().await;
    client.assert_equals(&server);
    let origins = |id: &str| client.origins.get(&super::id(id)).map(Contexts::to_string);
    assert_eq!(origins("vip").as_deref(), Some("application and back office"));
    assert_eq!(origins("hurt").as_deref(), Some("internal"));
    assert_eq!(origins("new").as_deref(), Some("application"));
    assert_eq!(client.changes, 3, "the own write is told once, as an own write");
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_refuses_contexts_is_replaced_by_lists() {
    let server = tenant();
    server.model().quirks.refuses_contexts = true;
    let settings = Settings { origins: Context::ALL.into(), ..Settings::default() };
    let mut client = Client::start(&server, settings);
    client.run_until(|client| client.lists == 1).await;
    let began = Instant::now();
    client.run_until(|client| client.lists == 4).await;
    assert!(began.elapsed() > Duration::from_secs(170), "{:?}", began.elapsed());
    assert!(matches!(client.notices.first(), Some(Notice::FeedUnavailable { .. })), "{:?}", client.notices);
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn every_segment_named_since_a_step_is_reported_once() {
    let server = tenant();
    for at in 0..4 {
        server.model().put(segment("vip", &format!("VIP {at}"), None));
    }
    server.model().put(segment("hurt", "Hurt 2", None));
    server.model().put(segment("brief", "was there", None));
    server.model().delete(&super::id("brief"));
    let settings = Settings { since: Some(Step(4)), report_named: true, ..Settings::default() };
    let mut client = Client::start(&server, settings);
    client.settle().await;
    assert_eq!(client.named, ["vip", "hurt", "brief"]);
    client.settle().await;
    server.model().put(segment("vip", "VIP 4", None));
    client.settle().await;
    assert_eq!(client.named, ["vip", "hurt", "brief", "vip"]);
    assert_eq!(client.next, Some(Step(9)));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_replaces_fetches_reports_in_feed_order() {
    let server = tenant();
    let names: Vec<String> = (0..60).rev().map(|at| format!("s{at:02}")).collect();
    let first = Step(1 + i64::try_from(server.model().feed.len()).unwrap());
    for name in &names {
        server.model().put(segment(name, name, None));
    }
    server.model().delete(&super::id("s30"));
    let settings = Settings { since: Some(first), report_named: true, ..Settings::default() };
    let mut client = Client::start(&server, settings);
    client.settle().await;
    assert_eq!(client.named, names);
    assert!(client.lists > 1, "so many are listed");
}
