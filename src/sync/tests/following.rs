//! Following the feed: what is reported, what is not, and recovery from failures.

use tokio::time::{Duration, Instant};

use crate::changes::Operation;
use crate::remote::Call;
use crate::sync::{Command, Notice, Phase, Settings};

use super::client::Client;
use super::server::{InjectedFault, Server, refused};
use super::{draft, id, segment};

fn tenant() -> Server {
    Server::new([
        segment("hurt", "Hurtownie", None),
        segment("pl", "Polska", Some("hurt")),
        segment("vip", "VIP", None),
    ])
}

#[tokio::test(start_paused = true)]
async fn many_changes_of_one_segment_take_one_fetch() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    for at in 0..50 {
        server.model().put(segment("vip", &format!("VIP {at}"), None));
    }
    let looks = server.count(|call| matches!(call, Call::One(_)));
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.changes, 1);
    assert_eq!(server.count(|call| matches!(call, Call::One(_))) - looks, 1);
}

#[tokio::test(start_paused = true)]
async fn a_burst_right_after_a_list_is_reported_at_once() {
    let server = Server::new((0..300).map(|at| segment(&format!("s{at}"), "Name", None)));
    server.model().latency = 50;
    let mut client = Client::start(&server, Settings { report_named: true, ..Settings::default() });
    client.settle().await;
    client.send(Command::Reload).await;
    client.run_until(|client| client.lists == 2).await;
    let looks = server.count(|call| matches!(call, Call::One(_)));
    for at in 0..300 {
        server.model().put(segment(&format!("s{at}"), "Renamed", None));
    }
    let mut silence = Duration::ZERO;
    while client.changes < 300 && client.lists == 2 {
        let (before, at) = (client.changes, Instant::now());
        client.run_until(|client| client.changes > before || client.lists > 2).await;
        silence = silence.max(at.elapsed());
    }
    client.settle().await;
    client.assert_equals(&server);
    assert!(silence < Duration::from_secs(2), "nothing was told for {silence:?}");
    assert_eq!(client.lists, 3);
    let looks = server.count(|call| matches!(call, Call::One(_))) - looks;
    assert!(looks < 80, "{looks} looks, and a list made them unnecessary");
}

#[tokio::test(start_paused = true)]
async fn the_echo_of_an_own_write_changes_nothing() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    client.write(Operation::Create { draft: draft("Nowy", Some("pl")) }).await.unwrap();
    let base = client.shown("vip").unwrap().clone();
    client.write(Operation::Update { base, draft: draft("VIP 2", None) }).await.unwrap();
    let base = client.shown("pl").unwrap().clone();
    let leaving = client.view.values().filter(|child| child.parent.as_ref() == Some(&base.id));
    let leaving = leaving.map(|child| child.id.clone()).collect();
    client.write(Operation::Delete { base, leaving }).await.unwrap();
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.changes, 0);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_reported_and_nothing_is_missed() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    client.wait_for_late_events().await;
    for _ in 0..4 {
        server
            .model()
            .injected_faults
            .push((|call| matches!(call, Call::Changes(_)), InjectedFault::Refuse(refused(503))));
    }
    server.model().put(segment("vip", "Renamed meanwhile", None));
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Offline { .. }))).await;
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.phases.last(), Some(&Phase::Live));
    assert_eq!(client.lists, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_is_retried_before_the_position_advances() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().injected_faults.push((|call| matches!(call, Call::One(_)), InjectedFault::LoseResponse));
    server.model().put(segment("vip", "renamed", None));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_refused_step_leads_to_a_new_list() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    {
        let mut model = server.model();
        for at in 0..10 {
            model.put(segment("vip", &format!("VIP {at}"), None));
        }
        model.delete(&id("pl"));
        model.oldest_step = 9;
    }
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 2);
    assert!(matches!(client.notices.as_slice(), [Notice::StepRefused { .. }]), "{:?}", client.notices);
}

#[tokio::test(start_paused = true)]
async fn a_reload_finds_changes_that_the_feed_missed() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().put(segment("vip", "changed in secret", None));
    server.model().feed.pop();
    client.settle().await;
    assert_eq!(client.shown("vip").unwrap().name, "VIP");
    client.send(Command::Reload).await;
    client.run_until(|client| client.lists == 2).await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn polling_now_does_not_wait_for_the_interval() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().put(segment("vip", "now", None));
    let began = tokio::time::Instant::now();
    client.send(Command::PollNow).await;
    client.run_until(|client| client.changes == 1).await;
    assert!(began.elapsed().as_millis() < 200);
}

#[tokio::test(start_paused = true)]
async fn a_large_backlog_is_reported_as_being_behind() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    for at in 0..1_200 {
        server.model().put(segment(&format!("new {at}"), "new", None));
    }
    client.settle().await;
    client.assert_equals(&server);
    assert!(client.phases.iter().any(|phase| matches!(phase, Phase::Behind { .. })));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_client_stops_the_actor() {
    let server = tenant();
    let client = Client::live(&server).await;
    drop(client);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let asked = server.count(|_| true);
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    assert_eq!(server.count(|_| true), asked);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_is_never_quiet_is_listed_again() {
    let server = tenant();
    let mut client = Client::start(&server, crate::sync::Settings::default());
    let mut at = 0;
    let mut secrets = false;
    while client.lists < 3 {
        at += 1;
        assert!(at < 10_000, "it is never listed again");
        server.model().put(segment("vip", &format!("VIP {at}"), None));
        client.next_event().await;
        if client.lists == 1 && client.synchronised > 0 && !secrets {
            secrets = true;
            // Changes that the feed doesn't report.
            let mut model = server.model();
            model.put(segment("slipped", "Slipped", None));
            model.delete(&id("pl"));
            let visible_len = model.feed.len() - 2;
            model.feed.truncate(visible_len);
        }
    }
    assert!(client.shown("slipped").is_some(), "a later list has it");
    assert!(client.shown("pl").is_none(), "what a list lacks is looked at");
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_verification_reports_what_the_feed_missed() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    {
        let mut model = server.model();
        model.put(segment("vip", "changed in secret", None));
        model.delete(&id("pl"));
        model.put(segment("new", "created in secret", None));
        model.feed.clear();
    }
    // A change that the feed reports while the verification runs was not missed.
    client.send(Command::Reload).await;
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Resyncing(_)))).await;
    server.model().put(segment("hurt", "told", None));
    client.run_until(|client| !client.verified.is_empty()).await;
    let missed: Vec<_> = client.verified[0].iter().map(String::as_str).collect();
    assert!(["new", "vip"].iter().all(|id| missed.contains(id)) && !missed.contains(&"hurt"), "{missed:?}");
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn everything_is_verified_every_quarter_of_an_hour() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let began = tokio::time::Instant::now();
    server.model().put(segment("vip", "changed in secret", None));
    server.model().feed.clear();
    client.run_until(|client| !client.verified.is_empty()).await;
    assert!((14..16).contains(&(began.elapsed().as_secs() / 60)), "{:?}", began.elapsed());
    assert_eq!(client.verified, [["vip".to_owned()].into()]);
    client.assert_equals(&server);
    client.run_until(|client| client.verified.len() == 2).await;
    assert!(client.verified[1].is_empty());
}
