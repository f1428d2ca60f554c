//! Reading the feed: how often, for whom, and what is made of a step back.

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
async fn the_feed_is_looked_at_seldom_while_nothing_happens_and_often_after_something_did() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let idle = Instant::now();
    client.hear_until(|_| idle.elapsed() > Duration::from_secs(600)).await;
    let before = polls(&server);
    client.hear_until(|_| idle.elapsed() > Duration::from_secs(1_200)).await;
    let seldom = polls(&server) - before;
    assert!((17..=23).contains(&seldom), "{seldom} looks in ten quiet minutes");

    server.model().put(segment("vip", "renamed", None));
    client.hear_until(|client| client.changes == 1).await;
    let (before, busy) = (polls(&server), Instant::now());
    let mut at = 0;
    client
        .hear_until(|_| {
            at += 1;
            server.model().put(segment("vip", &format!("Renamed {at}"), None));
            busy.elapsed() > Duration::from_secs(30)
        })
        .await;
    let often = polls(&server) - before;
    assert!(often >= 25, "{often} looks in half a busy minute");
}

#[tokio::test(start_paused = true)]
async fn while_the_server_is_away_it_is_tried_again_after_a_minute_at_most() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().faults_in_a_hundred = 100;
    let began = Instant::now();
    client.hear_until(|_| began.elapsed() > Duration::from_secs(3_600)).await;
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
async fn after_an_own_write_the_feed_is_looked_at_soon() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let idle = Instant::now();
    client.hear_until(|_| idle.elapsed() > Duration::from_secs(300)).await;
    client.write(Operation::Create { draft: draft("Nowy", None) }).await.unwrap();
    let (written, synchronised) = (Instant::now(), client.synchronised);
    client.hear_until(|client| client.synchronised > synchronised).await;
    assert!(written.elapsed() < Duration::from_secs(2), "{:?}", written.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_feed_in_which_something_always_follows_is_live_all_the_same() {
    let server = tenant();
    server.model().latency = 600;
    let mut client = Client::live(&server).await;
    server.model().quirks.changes_whenever_asked = true;
    let (began, synchronised) = (Instant::now(), client.synchronised);
    client.hear_until(|client| client.synchronised > synchronised + 20).await;
    assert!(began.elapsed() < Duration::from_secs(120), "twenty looks at its end took {:?}", began.elapsed());
    assert_eq!(client.phases.last(), Some(&Phase::Live));
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_is_put_back_leads_to_a_new_list() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    client.let_late_news_come().await;
    for at in 0..20 {
        server.model().put(segment("vip", &format!("VIP {at}"), None));
    }
    client.settle().await;
    {
        // As from a backup of the day before.
        let mut model = server.model();
        model.quirks.next_when_quiet = Some(|end| end);
        model.feed.truncate(5);
        model.segments.insert(super::id("vip"), segment("vip", "of yesterday", None));
    }
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 2);
    assert_eq!(client.notices, [Notice::FeedWentBack]);
    server.model().put(segment("vip", "of today", None));
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 2);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_always_names_an_earlier_step_when_it_is_quiet_is_followed_all_the_same() {
    let server = tenant();
    server.model().quirks.next_when_quiet = Some(|end| Step((end.0 - 1).max(1)));
    let mut client = Client::live(&server).await;
    client.let_late_news_come().await;
    for at in 0..5 {
        server.model().put(segment("vip", &format!("VIP {at}"), None));
        client.settle().await;
        client.assert_equals(&server);
    }
    assert_eq!(client.lists, 1);
    let (before, synchronised, began) = (polls(&server), client.synchronised, Instant::now());
    client.hear_until(|client| client.synchronised >= synchronised + 10).await;
    let now_and_then = usize::try_from(began.elapsed().as_secs() / 60).unwrap() + 1;
    assert!(polls(&server) - before <= 11 + now_and_then, "what was explained once is not looked into again");
}

#[tokio::test(start_paused = true)]
async fn with_origins_each_change_says_who_made_it() {
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
async fn a_feed_that_refuses_single_contexts_does_without_and_lists_no_more_than_usual() {
    let server = tenant();
    server.model().quirks.refuses_contexts = true;
    let settings = Settings { origins: Context::ALL.into(), ..Settings::default() };
    let mut client = Client::start(&server, settings);
    client.hear_until(|client| client.lists == 1).await;
    let began = Instant::now();
    client.hear_until(|client| client.lists == 4).await;
    assert!(began.elapsed() > Duration::from_secs(170), "{:?}", began.elapsed());
    assert!(matches!(client.notices.first(), Some(Notice::FeedUnavailable { .. })), "{:?}", client.notices);
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn from_a_step_on_everything_that_the_feed_names_is_told_once() {
    let server = tenant();
    for at in 0..4 {
        server.model().put(segment("vip", &format!("VIP {at}"), None));
    }
    server.model().put(segment("hurt", "Hurt 2", None));
    server.model().put(segment("brief", "was there", None));
    server.model().delete(&super::id("brief"));
    let settings = Settings { since: Some(Step(4)), tell_named: true, ..Settings::default() };
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
async fn what_a_list_tells_instead_of_looks_is_told_in_the_order_of_the_feed() {
    let server = tenant();
    let names: Vec<String> = (0..60).rev().map(|at| format!("s{at:02}")).collect();
    let first = Step(1 + i64::try_from(server.model().feed.len()).unwrap());
    for name in &names {
        server.model().put(segment(name, name, None));
    }
    server.model().delete(&super::id("s30"));
    let settings = Settings { since: Some(first), tell_named: true, ..Settings::default() };
    let mut client = Client::start(&server, settings);
    client.settle().await;
    assert_eq!(client.named, names);
    assert!(client.lists > 1, "so many are listed");
}
