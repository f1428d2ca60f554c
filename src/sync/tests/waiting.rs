//! Late responses, and servers that ask to be retried later.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::changes::{Operation, Plan};
use crate::remote::{Call, ConnectError, Fault};
use crate::sync::{Command, Phase};

use super::client::Client;
use super::server::{InjectedFault, Server};
use super::{draft, many, segment, settings};

/// Returns the fault of a server that asks to be retried after so many seconds.
fn busy(status: u16, seconds: u64) -> Fault {
    Fault::Refused { status, message: String::new(), retry_after: Some(Duration::from_secs(seconds)) }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_reported_and_honoured_for_every_request() {
    type Case = (fn(&Call) -> bool, fn(&Phase) -> Option<Duration>);
    let offline = |phase: &Phase| match phase {
        Phase::Offline { retry_in, .. } => Some(*retry_in),
        _ => None,
    };
    let stalled = |phase: &Phase| match phase {
        Phase::Stalled { retry_in, .. } => Some(*retry_in),
        _ => None,
    };
    let cases: [Case; 3] = [
        (|call| matches!(call, Call::Page(_)), stalled),
        (|call| matches!(call, Call::One(_)), offline),
        (|call| matches!(call, Call::Changes(_)), offline),
    ];
    for (nth, (filter, retry_in)) in cases.into_iter().enumerate() {
        let server = Server::new(many(10));
        let mut client = Client::start(&server, settings(50));
        client.settle().await;
        server.model().injected_faults.push((filter, InjectedFault::Refuse(busy(503, 50))));
        match nth {
            0 => client.send(Command::Reload).await,
            _ => server.model().put(segment("00003", "different", None)),
        }
        client.run_until(|client| client.phases.iter().any(|phase| retry_in(phase).is_some())).await;
        let told = client.phases.iter().find_map(retry_in).unwrap();
        assert!((50..=61).contains(&told.as_secs()), "case {nth}: {told:?}");
        let (asked, began) = (server.count(|_| true), Instant::now());
        client.run_until(|client| client.phases.last() == Some(&Phase::Live)).await;
        assert!(began.elapsed() >= Duration::from_secs(49), "case {nth}: {:?}", began.elapsed());
        assert!(server.count(|_| true) - asked < 30, "case {nth}");
        assert!(!client.phases.iter().any(|phase| matches!(phase, Phase::Silent { .. })), "case {nth}");
        client.settle().await;
        client.assert_equals(&server);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_with_retry_after_stays_queued_until_then() {
    for (status, seconds) in [(429, 50), (503, 300), (429, 86_400)] {
        let server = Server::new(many(10));
        let mut client = Client::start(&server, settings(50));
        client.settle().await;
        let is_write = |call: &Call| matches!(call, Call::Update(_) | Call::Delete(_));
        for _ in 0..2 {
            server.model().injected_faults.push((is_write, InjectedFault::Refuse(busy(status, seconds))));
        }
        let operations = vec![
            Operation::Update { base: client.shown("00001").unwrap().clone(), draft: draft("Mine", None) },
            Operation::delete(client.shown("00002").unwrap().clone()),
        ];
        let began = Instant::now();
        client.begin(Plan { operations });
        client.run_until(Client::has_written).await;
        assert!(client.ended.iter().all(|(_, result)| result.is_ok()), "{:?}", client.ended);
        assert!(client.unreached_count > 0);
        // A server may ask for a day, but it is retried after ten minutes.
        assert!(began.elapsed() >= Duration::from_secs(seconds.min(600)), "{:?}", began.elapsed());
        client.settle().await;
        client.assert_equals(&server);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_a_response_is_reported_within_seconds() {
    let server = Server::new(many(10));
    let mut client = Client::start(&server, settings(50));
    client.settle().await;
    server
        .model()
        .injected_faults
        .push((|call| matches!(call, Call::Update(_)), InjectedFault::Delay(Duration::from_secs(25))));
    let operation = Operation::Update { base: client.shown("00001").unwrap().clone(), draft: draft("Mine", None) };
    let began = Instant::now();
    client.begin(Plan::single(operation));
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Silent { .. }))).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert!(matches!(client.phases.last(), Some(Phase::Silent { call: Call::Update(_), .. })));
    client.run_until(Client::has_written).await;
    client.run_until(|client| client.phases.last() == Some(&Phase::Live)).await;
}

#[tokio::test(start_paused = true)]
async fn an_unreached_write_does_not_shorten_a_requested_wait() {
    let server = Server::new(many(10));
    let is_read = |call: &Call| matches!(call, Call::Changes(_));
    server.model().injected_faults.push((is_read, InjectedFault::Refuse(busy(503, 50))));
    let unreachable = Fault::Unreachable { reason: ConnectError::default() };
    server.model().injected_faults.push((|call| matches!(call, Call::One(_)), InjectedFault::Refuse(unreachable)));
    let mut client = Client::start(&server, settings(50));
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Offline { .. }))).await;
    let base = Arc::new(segment("00001", "one of many", None));
    client.begin(Plan::single(Operation::Update { base, draft: draft("Mine", None) }));
    client.run_for(Duration::from_secs(45)).await;
    assert!(client.unreached_count > 0);
    assert_eq!(server.count(is_read), 1, "it was to be asked again after 50 s");
    client.run_until(Client::has_written).await;
    client.settle().await;
    client.assert_equals(&server);
}
