//! Segments that can't be read: they hold up no others, and no change of theirs is lost, however the program ends.

use std::time::Duration;

use crate::segment::Step;
use crate::sync::{Command, Notice, Phase, Settings};

use super::client::Client;
use super::server::{Server, refused};
use super::{id, many, segment};

/// Starts a client with `report_named`, from a step on.
fn start_reporting_named(server: &Server, since: Step) -> Client {
    Client::start(
        server,
        Settings { report_named: true, since: Some(since), verify_every: None, ..Settings::default() },
    )
}

fn unreadable_notices(client: &Client) -> usize {
    client.notices.iter().filter(|notice| matches!(notice, Notice::SegmentUnreadable { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn the_position_stays_before_an_unreadable_segment() {
    let server = Server::new(many(10));
    let mut client = start_reporting_named(&server, Step::FIRST);
    client.settle().await;
    server.model().unreadable = Some((id("00001"), refused(500)));
    server.model().put(segment("00001", "unreadable", None));
    client.run_until(|client| unreadable_notices(client) == 1).await;
    server.model().put(segment("00005", "readable", None));
    client.settle().await;
    assert_eq!((client.named.as_slice(), client.next), (&["00005".to_owned()][..], Some(Step(1))));
    assert_eq!((client.reached, client.phases.last()), (Some(Step(1)), Some(&Phase::Live)));

    // A client that starts from there hears of it once it can be read, even if the list already had it.
    drop(client);
    let mut client = start_reporting_named(&server, Step(1));
    client.settle().await;
    assert_eq!((client.named.as_slice(), client.reached), (&["00005".to_owned()][..], Some(Step(1))));
    server.model().unreadable = None;
    client.run_until(|client| client.named.len() == 2).await;
    assert_eq!((client.named[1].as_str(), client.next), ("00001", Some(Step(3))));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_segment_unreadable_for_days_is_reported_at_intervals() {
    let server = Server::new(many(10));
    let mut client = start_reporting_named(&server, Step::FIRST);
    client.settle().await;
    client.wait_for_late_events().await;
    server.model().unreadable = Some((id("00001"), refused(500)));
    server.model().put(segment("00001", "unreadable", None));
    // More parts of the feed than are remembered.
    for at in 0..1_500 {
        let name = format!("readable {at}");
        server.model().put(segment("00005", &name, None));
        client.send(Command::PollNow).await;
        client.run_until(|client| client.shown("00005").is_some_and(|segment| segment.name == *name)).await;
    }
    client.settle().await;
    assert_eq!(client.reached, Some(Step(1)));
    let told = unreadable_notices(&client);
    client.run_for(Duration::from_secs(86_400)).await;
    let told = unreadable_notices(&client) - told;
    assert!((20..=24).contains(&told), "told {told} times in a day");
    server.model().unreadable = None;
    client.run_until(|client| client.named.last().is_some_and(|id| id == "00001")).await;
    client.settle().await;
    assert_eq!(client.reached, Some(Step(1_502)));
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_new_event_retries_an_unreadable_segment_at_once() {
    let server = Server::new(many(10));
    let mut client = start_reporting_named(&server, Step::FIRST);
    client.settle().await;
    server.model().unreadable = Some((id("00001"), refused(403)));
    server.model().put(segment("00001", "once", None));
    client.settle().await;
    server.model().unreadable = None;
    server.model().put(segment("00001", "twice", None));
    let began = tokio::time::Instant::now();
    client.run_until(|client| client.changes == 1).await;
    assert!(began.elapsed() <= Duration::from_secs(31), "{:?}", began.elapsed());
    client.settle().await;
    assert_eq!((client.changes, client.reached), (1, Some(Step(3))));
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_restored_session_retries_unreadable_segments() {
    let server = Server::new(many(10));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let settings = Settings { store: Some(path.clone()), verify_every: None, ..Settings::default() };
    let mut client = Client::start(&server, settings.clone());
    client.settle().await;
    client.wait_for_late_events().await;
    server.model().unreadable = Some((id("00001"), refused(500)));
    server.model().put(segment("00001", "unreadable", None));
    server.model().put(segment("00005", "readable", None));
    client.run_until(|client| unreadable_notices(client) == 1).await;
    client.settle().await;
    drop(client);
    let stored = loop {
        let opened = crate::store::open(&path).unwrap();
        match opened.store {
            Some(_) => break opened.snapshot.unwrap(),
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert_eq!(stored.position.unwrap().earliest(), Step(1));
    server.model().unreadable = None;
    let mut client = Client::start(&server, settings);
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_a_segment_that_can_not_be_fetched() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, Settings { verify_every: None, ..Settings::default() });
    client.settle().await;
    client.wait_for_late_events().await;
    server.model().unreadable = Some((id("00001"), refused(500)));
    server.model().put(segment("00001", "unreadable", None));
    client.run_until(|client| unreadable_notices(client) == 1).await;
    client.settle().await;
    assert_eq!(client.reached, Some(Step(1)));
    client.send(Command::Reload).await;
    let lists = client.lists;
    client.run_until(|client| client.lists > lists).await;
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.reached, Some(Step(2)));
}
