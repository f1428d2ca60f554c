//! `sync` with the real client against the demo server over real sockets. Writes, one test for each way in which a
//! response, a colleague or another write can interfere.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected is to fail")]

mod client;
mod following;
mod random;

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use segtui::changes::{OpId, Operation, PlanId, Title, WriteError, WriteResult};
use segtui::demo::{Actor, ChangeRequest, FaultTiming, Fields, InjectedFault, Options, Server};
use segtui::segment::{Draft, Field, Segment};
use segtui::sync::{Command, Settings};

use client::{Client, applied, create, name, quick};

async fn tenant() -> (Server, Client) {
    tenant_with(quick()).await
}

async fn tenant_with(settings: Settings) -> (Server, Client) {
    let server = Server::start(Options::default()).await.unwrap();
    let client = Client::live(&server, settings).await;
    (server, client)
}

/// A client that hears of changes only when it asks for them before a write.
async fn tenant_without_polling() -> (Server, Client) {
    let server = Server::start(Options::default()).await.unwrap();
    let client = Client::without_polling(&server).await;
    (server, client)
}

fn named(server: &Server, name: &str) -> Vec<Segment> {
    server.segments().into_iter().filter(|segment| segment.name == name).collect()
}

fn request_count(server: &Server, method: &Method) -> usize {
    server.requests().iter().filter(|request| request.method == *method).count()
}

fn change_by_colleague(server: &Server, change: ChangeRequest) {
    server.change(Actor::Backoffice, change).unwrap();
}

fn concurrent_change(method: Method, change: ChangeRequest, timing: FaultTiming) -> InjectedFault {
    InjectedFault::ConcurrentChange { on: (method, "/segments"), change, by: Actor::Backoffice, timing }
}

/// Refuses every attempt of a call; the client makes at most five.
fn refuse_all(server: &Server, on: &(Method, &'static str)) {
    for _ in 0..5 {
        server.inject_fault(InjectedFault::Refuse { on: on.clone(), status: 503, retry_after: None });
    }
}

const POST: (Method, &str) = (Method::POST, "/segments");
const PUT: (Method, &str) = (Method::PUT, "/segments");
const DELETE: (Method, &str) = (Method::DELETE, "/segments");
const FEED: (Method, &str) = (Method::GET, "synchronization");

const fn first(plan_id: PlanId) -> OpId {
    OpId { plan_id, index: 0 }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_through_the_feed() {
    for trouble in [InjectedFault::LoseResponse { on: POST }, InjectedFault::TruncateResponse { on: POST }] {
        let (server, mut client) = tenant().await;
        server.inject_fault(trouble);
        let outcome = client.write(create("Nowy", None)).await.unwrap();
        assert_eq!(named(&server, "Nowy"), [(*applied(outcome).segment).clone()]);
        assert_eq!(request_count(&server, &Method::POST), 1);
        client.settle().await;
        client.assert_equals(&server);
    }
}

#[tokio::test]
async fn a_create_answered_500_is_in_doubt_and_a_retry_creates_it() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::Refuse { on: POST, status: 500, retry_after: None });
    let plan_id = client.begin([create("Nowy", None)]);
    let error = client.result(first(plan_id)).await.unwrap_err();
    assert!(matches!(error, WriteError::InDoubt(_)), "{error:?}");
    assert_eq!((named(&server, "Nowy").len(), request_count(&server, &Method::POST)), (0, 1));
    client.retry(first(plan_id)).await.unwrap();
    assert_eq!(named(&server, "Nowy").len(), 1);
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_create_that_a_proxy_reports_as_failed_exists_once() {
    for status in [502, 503, 504] {
        let (server, mut client) = tenant().await;
        server.inject_fault(InjectedFault::ReportFailure { on: POST, status });
        client.write(create("Nowy", None)).await.unwrap();
        assert_eq!((named(&server, "Nowy").len(), request_count(&server, &Method::POST)), (1, 1), "{status}");
        client.settle().await;
        client.assert_equals(&server);
    }
}

#[tokio::test]
async fn resuming_does_not_retry_a_possible_duplicate() {
    let (server, mut client, op, _) = changed_before_it_was_found().await;
    let (transitions, unclear) = client.queue.resume(op.plan_id);
    assert_eq!(unclear, 1);
    client.apply(transitions);
    client.settle().await;
    assert_eq!((named(&server, "Nowy").len(), request_count(&server, &Method::POST)), (1, 1));
}

#[tokio::test]
async fn an_unresolved_provisional_id_is_never_sent() {
    let (server, mut client) = tenant().await;
    let nobody = OpId { plan_id: PlanId(99), index: 0 }.provisional_id();
    let error = client.write(create("Nowy", Some(nobody))).await.unwrap_err();
    assert_eq!(error, WriteError::ParentMissing);
    assert_eq!(request_count(&server, &Method::POST), 0);
}

#[tokio::test]
async fn a_value_that_is_already_set_is_not_sent_again() {
    let (server, mut client) = tenant_without_polling().await;
    let seen = client.named("Zgierz");
    change_by_colleague(
        &server,
        ChangeRequest::Update(seen.id.clone(), Fields { name: "Both".into(), ..Fields::of(&seen) }),
    );
    let outcome = applied(client.write(client.rename("Zgierz", "Both")).await.unwrap());
    assert_eq!((outcome.written, request_count(&server, &Method::PUT)), (Vec::new(), 0));
}

#[tokio::test]
async fn a_lost_create_is_found_once_a_failing_feed_recovers() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::LoseResponse { on: POST });
    // The feed fails while the create is being looked up.
    for _ in 0..20 {
        server.inject_fault(InjectedFault::Refuse { on: FEED, status: 500, retry_after: None });
    }
    let plan_id = client.begin([create("Nowy", None)]);
    client.result(first(plan_id)).await.unwrap();
    assert_eq!((named(&server, "Nowy").len(), request_count(&server, &Method::POST)), (1, 1));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_create_that_cannot_be_fetched_is_not_sent_again() {
    let (server, mut client) = tenant().await;
    let parent = client.named("Podhurt").id.clone();
    // The response has its ID, so it certainly exists, even though it can't be fetched.
    server.inject_fault(InjectedFault::DelayResponse { on: POST, by: Duration::from_millis(300) });
    let plan_id = client.begin([create("Nowy", Some(parent))]);
    let new = loop {
        if let Some(new) = named(&server, "Nowy").first() {
            break new.id.clone();
        }
        tokio::task::yield_now().await;
    };
    let look: &'static str = Box::leak(format!("/segments/{new}").into_boxed_str());
    for _ in 0..40 {
        server.inject_fault(InjectedFault::Refuse { on: (Method::GET, look), status: 500, retry_after: None });
    }
    client.result(first(plan_id)).await.unwrap();
    assert_eq!((named(&server, "Nowy").len(), request_count(&server, &Method::POST)), (1, 1));
    client.settle().await;
    client.assert_equals(&server);
}

/// A create whose response is lost and whose segment a colleague changes before it is looked up.
async fn changed_before_it_was_found() -> (Server, Client, OpId, Arc<Segment>) {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::LoseResponse { on: POST });
    for _ in 0..20 {
        server.inject_fault(InjectedFault::DelayRequest { on: FEED, by: Duration::from_millis(100) });
    }
    let plan_id = client.begin([create("Nowy", None)]);
    let made = loop {
        if let Some(made) = named(&server, "Nowy").first().cloned() {
            break made;
        }
        tokio::task::yield_now().await;
    };
    change_by_colleague(
        &server,
        ChangeRequest::Update(made.id.clone(), Fields { external_id: Some("T".into()), ..Fields::of(&made) }),
    );
    let error = client.result(first(plan_id)).await.unwrap_err();
    let WriteError::PossibleDuplicate { theirs } = error else { panic!("{error:?}") };
    assert_eq!((&theirs.id, theirs.external_id.as_deref()), (&made.id, Some("T")));
    (server, client, first(plan_id), theirs)
}

#[tokio::test]
async fn a_possible_duplicate_can_be_adopted_as_the_new_segment() {
    let (server, mut client, op, theirs) = changed_before_it_was_found().await;
    let parent = op.provisional_id();
    let below = client.begin([create("Below", Some(parent))]);
    client.results.remove(&op);
    let transitions = client.queue.adopt(op, theirs.id.clone());
    client.apply(transitions);
    let outcome = applied(client.result(op).await.unwrap());
    assert_eq!((&outcome.segment, outcome.merged), (&theirs, vec![Field::ExternalId]));
    assert_eq!(applied(client.result(first(below)).await.unwrap()).segment.parent.as_ref(), Some(&theirs.id));
    assert_eq!(named(&server, "Nowy").len(), 1);
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_possible_duplicate_can_be_created_anyway() {
    let (server, mut client, op, theirs) = changed_before_it_was_found().await;
    let outcome = applied(client.retry(op).await.unwrap());
    assert_ne!(outcome.segment.id, theirs.id);
    assert_eq!((named(&server, "Nowy").len(), request_count(&server, &Method::POST)), (2, 2));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_queued_rename_does_not_overwrite_a_colleagues_change() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::DelayResponse { on: POST, by: Duration::from_millis(200) });
    let plan_id = client.begin([create("Nowy", None)]);
    let base =
        Arc::new(Segment { id: first(plan_id).provisional_id(), name: "Nowy".into(), external_id: None, parent: None });
    let mut draft = Draft::of(&base);
    draft.name = name("Mine");
    let rename = client.begin([Operation::Update { base, draft }]);
    let made = loop {
        if let Some(made) = named(&server, "Nowy").first().cloned() {
            break made;
        }
        tokio::task::yield_now().await;
    };
    change_by_colleague(
        &server,
        ChangeRequest::Update(made.id.clone(), Fields { name: "Theirs".into(), ..Fields::of(&made) }),
    );
    assert_eq!(applied(client.result(first(plan_id)).await.unwrap()).merged, [Field::Name]);
    let error = client.result(first(rename)).await.unwrap_err();
    assert!(matches!(error, WriteError::Conflict { fields, .. } if fields == [Field::Name]));
    assert_eq!(named(&server, "Theirs").len(), 1);
}

#[tokio::test]
async fn an_amended_create_in_doubt_updates_what_it_created() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::LoseResponse { on: POST });
    for _ in 0..60 {
        server.inject_fault(InjectedFault::Refuse { on: FEED, status: 403, retry_after: None });
    }
    let plan_id = client.begin([create("Nowy", None)]);
    let error = client.result(first(plan_id)).await.unwrap_err();
    assert!(matches!(error, WriteError::InDoubt(_)), "{error:?}");
    server.clear_faults();
    client.send_command(Command::PollNow).await;
    client.results.remove(&first(plan_id));
    let transitions = client.queue.replace(first(plan_id), create("Nowszy", None), Title::default());
    client.apply(transitions);
    client.result(first(plan_id)).await.unwrap();
    assert_eq!((named(&server, "Nowy").len(), named(&server, "Nowszy").len()), (0, 1));
    assert_eq!(request_count(&server, &Method::POST), 1);
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn two_identical_lost_creates_make_two_segments() {
    let (server, mut client) = tenant().await;
    for _ in 0..2 {
        server.inject_fault(InjectedFault::LoseResponse { on: POST });
    }
    let plan_id = client.begin([create("Twin", None), create("Twin", None)]);
    let mut ids = Vec::new();
    for index in 0..2 {
        ids.push(applied(client.result(OpId { plan_id, index }).await.unwrap()).segment.id.clone());
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!((named(&server, "Twin").len(), request_count(&server, &Method::POST)), (2, 2));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_lost_update_is_not_taken_for_a_concurrent_write() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::LoseResponse { on: PUT });
    let outcome = applied(client.write(client.rename("Zgierz", "Zgierz 2")).await.unwrap());
    assert_eq!((outcome.concurrent_write, outcome.merged.len(), outcome.ignored.len()), (false, 0, 0));
    assert_eq!((named(&server, "Zgierz 2").len(), request_count(&server, &Method::PUT)), (1, 1));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_colleagues_deletion_is_not_counted_as_ours() {
    let (server, mut client) = tenant_without_polling().await;
    let seen = client.named("Zgierz");
    change_by_colleague(&server, ChangeRequest::Delete(seen.id.clone()));
    let outcome = client.write(Operation::delete(Arc::clone(&seen))).await.unwrap();
    assert_eq!(outcome, WriteResult::Deleted { id: seen.id.clone(), found: false, concurrent_write: false });
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_found_to_be_done() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::LoseResponse { on: DELETE });
    client.write(client.delete("Zgierz")).await.unwrap();
    assert_eq!((named(&server, "Zgierz").len(), request_count(&server, &Method::DELETE)), (0, 1));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_retried_update_does_not_overwrite_a_colleagues_change() {
    let (server, mut client) = tenant().await;
    let before = client.named("Zgierz");
    server.inject_fault(InjectedFault::Refuse { on: PUT, status: 503, retry_after: None });
    let plan_id = client.begin([client.rename("Zgierz", "Mine")]);
    while request_count(&server, &Method::PUT) == 0 {
        tokio::task::yield_now().await;
    }
    let theirs = ChangeRequest::Update(before.id.clone(), Fields { name: "Theirs".into(), ..Fields::of(&before) });
    change_by_colleague(&server, theirs);
    let error = client.result(first(plan_id)).await.unwrap_err();
    assert!(matches!(error, WriteError::Conflict { theirs: Some(_), .. }), "{error:?}");
    assert_eq!((named(&server, "Theirs").len(), request_count(&server, &Method::PUT)), (1, 1));
}

#[tokio::test]
async fn a_retried_delete_spares_a_segment_a_colleague_changed() {
    let (server, mut client) = tenant().await;
    let before = client.named("Zgierz");
    server.inject_fault(InjectedFault::Refuse { on: DELETE, status: 503, retry_after: None });
    let plan_id = client.begin([client.delete("Zgierz")]);
    while request_count(&server, &Method::DELETE) == 0 {
        tokio::task::yield_now().await;
    }
    change_by_colleague(
        &server,
        ChangeRequest::Update(before.id.clone(), Fields { name: "Theirs".into(), ..Fields::of(&before) }),
    );
    let error = client.result(first(plan_id)).await.unwrap_err();
    assert!(matches!(error, WriteError::Conflict { theirs: Some(_), .. }), "{error:?}");
    assert_eq!(named(&server, "Theirs").len(), 1);
}

/// A colleague changes a segment that the client has just been shown, and then the client renames it.
async fn renamed_after(
    change: impl Fn(&Segment, &Server) -> ChangeRequest,
) -> (Server, Result<segtui::changes::WriteResult, WriteError>) {
    let (server, mut client) = tenant_with(quick()).await;
    let operation = client.rename("Zgierz", "Mine");
    let seen = client.named("Zgierz");
    change_by_colleague(&server, change(&seen, &server));
    let result = client.write(operation).await;
    client.settle().await;
    client.assert_equals(&server);
    (server, result)
}

#[tokio::test]
async fn another_field_that_a_colleague_changed_is_kept() {
    let change = |seen: &Segment, _: &Server| {
        ChangeRequest::Update(seen.id.clone(), Fields { external_id: Some("T".into()), ..Fields::of(seen) })
    };
    let (server, result) = renamed_after(change).await;
    let outcome = applied(result.unwrap());
    assert_eq!((outcome.merged, outcome.concurrent_write), (vec![Field::ExternalId], false));
    assert_eq!(named(&server, "Mine")[0].external_id.as_deref(), Some("T"));
}

#[tokio::test]
async fn a_change_to_the_same_field_conflicts_and_sends_nothing() {
    let change = |seen: &Segment, _: &Server| {
        ChangeRequest::Update(seen.id.clone(), Fields { name: "Theirs".into(), ..Fields::of(seen) })
    };
    let (server, result) = renamed_after(change).await;
    let Err(WriteError::Conflict { theirs: Some(theirs), fields }) = result else { panic!("{result:?}") };
    assert_eq!((theirs.name.as_str(), fields), ("Theirs", vec![Field::Name]));
    assert_eq!(request_count(&server, &Method::PUT), 0);
}

#[tokio::test]
async fn renaming_a_moved_segment_conflicts_and_sends_nothing() {
    let change = |seen: &Segment, _: &Server| {
        ChangeRequest::Update(seen.id.clone(), Fields { parent: None, ..Fields::of(seen) })
    };
    let (server, result) = renamed_after(change).await;
    let Err(WriteError::Conflict { theirs: Some(_), fields }) = result else { panic!("{result:?}") };
    assert_eq!(fields, vec![Field::Parent]);
    assert_eq!(request_count(&server, &Method::PUT), 0);
}

#[tokio::test]
async fn renaming_a_deleted_segment_conflicts_and_sends_nothing() {
    let (server, result) = renamed_after(|seen, _| ChangeRequest::Delete(seen.id.clone())).await;
    assert_eq!(result, Err(WriteError::Conflict { theirs: None, fields: Vec::new() }));
    assert_eq!(request_count(&server, &Method::PUT), 0);
}

#[tokio::test]
async fn a_write_that_races_with_an_update_is_reported() {
    for timing in [FaultTiming::Before, FaultTiming::After] {
        let (server, mut client) = tenant().await;
        let seen = client.named("Zgierz");
        let theirs =
            ChangeRequest::Update(seen.id.clone(), Fields { external_id: Some("T".into()), ..Fields::of(&seen) });
        server.inject_fault(concurrent_change(Method::PUT, theirs, timing));
        let outcome = applied(client.write(client.rename("Zgierz", "Mine")).await.unwrap());
        // A write after ours is not lost: it counts as theirs, not as fields that the server ignored.
        assert_eq!(outcome.concurrent_write, timing == FaultTiming::Before, "{timing:?}");
        assert_eq!((outcome.segment.name.as_str(), outcome.ignored), ("Mine", Vec::new()), "{timing:?}");
        client.settle().await;
        client.assert_equals(&server);
    }
}

#[tokio::test]
async fn a_colleagues_change_right_before_the_fetch_is_kept() {
    let (server, mut client) = tenant().await;
    let seen = client.named("Zgierz");
    let theirs = ChangeRequest::Update(seen.id.clone(), Fields { external_id: Some("T".into()), ..Fields::of(&seen) });
    let look: &'static str = Box::leak(format!("/segments/{}", seen.id).into_boxed_str());
    let by = Actor::Backoffice;
    server.inject_fault(InjectedFault::ConcurrentChange {
        on: (Method::GET, look),
        change: theirs,
        by,
        timing: FaultTiming::Before,
    });
    let outcome = applied(client.write(client.rename("Zgierz", "Mine")).await.unwrap());
    assert_eq!((outcome.segment.name.as_str(), outcome.segment.external_id.as_deref()), ("Mine", Some("T")));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_race_is_reported_even_if_the_answer_is_lost() {
    let (server, mut client) = tenant().await;
    let seen = client.named("Zgierz");
    let theirs = ChangeRequest::Update(seen.id.clone(), Fields { external_id: Some("T".into()), ..Fields::of(&seen) });
    // Their change lands after the feed and the segment were read and before the PUT is sent, whose response is lost.
    let look: &'static str = Box::leak(format!("/segments/{}", seen.id).into_boxed_str());
    server.inject_fault(InjectedFault::DelayResponse { on: (Method::GET, look), by: Duration::from_millis(300) });
    server.inject_fault(InjectedFault::LoseResponse { on: PUT });
    let reads = |server: &Server| {
        let requests = server.requests();
        let of = |part: &str| requests.iter().filter(|request| request.target.contains(part)).count();
        (of("synchronization"), of(look))
    };
    let before = reads(&server);
    let meddle = async {
        loop {
            let now = reads(&server);
            if now.0 > before.0 && now.1 > before.1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.change(Actor::Backoffice, theirs).unwrap();
    };
    let rename = client.rename("Zgierz", "Mine");
    let (written, ()) = tokio::join!(client.write(rename), meddle);
    assert!(applied(written.unwrap()).concurrent_write);
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_write_that_races_with_a_deletion_is_reported() {
    let (server, mut client) = tenant().await;
    let seen = client.named("Zgierz");
    let theirs = ChangeRequest::Update(seen.id.clone(), Fields { external_id: Some("T".into()), ..Fields::of(&seen) });
    server.inject_fault(concurrent_change(Method::DELETE, theirs, FaultTiming::Before));
    let outcome = client.write(client.delete("Zgierz")).await.unwrap();
    assert_eq!(outcome, WriteResult::Deleted { id: seen.id.clone(), found: true, concurrent_write: true });
    client.write(create("Leaf", None)).await.unwrap();
    let outcome = client.write(client.delete("Leaf")).await.unwrap();
    assert!(matches!(outcome, WriteResult::Deleted { concurrent_write: false, .. }));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_segment_with_new_children_is_not_deleted() {
    let (server, mut client) = tenant_without_polling().await;
    let operation = client.delete("Zgierz");
    let parent = client.named("Zgierz").id.clone();
    let child = Fields { name: "Theirs".into(), external_id: None, parent: Some(parent) };
    let child = server.change(Actor::Backoffice, ChangeRequest::Create(child)).unwrap();
    let error = client.write(operation).await.unwrap_err();
    assert_eq!(error, WriteError::NewChildren { new_children: vec![child] });
    assert_eq!(request_count(&server, &Method::DELETE), 0);
}

#[tokio::test]
async fn a_child_of_a_pending_create_gets_its_parents_real_id() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::DelayRequest { on: POST, by: Duration::from_millis(200) });
    let parent = client.begin([create("Parent", None)]);
    let child = client.begin([create("Child", Some(first(parent).provisional_id()))]);
    client.result(first(child)).await.unwrap();
    let parent = named(&server, "Parent")[0].id.clone();
    assert_eq!(named(&server, "Child")[0].parent, Some(parent));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn writes_in_flight_never_exceed_the_concurrency() {
    const AT_ONCE: usize = 3;
    let (server, mut client) = tenant_with(Settings { concurrency: AT_ONCE, ..quick() }).await;
    for _ in 0..12 {
        server.inject_fault(InjectedFault::DelayRequest { on: POST, by: Duration::from_millis(30) });
    }
    let plan_id = client.begin((0..12).map(|number| create(&format!("New {number}"), None)));
    client.wait_until(|client| client.results.len() == 12).await;
    assert!(client.results.values().all(Result::is_ok));
    assert_eq!(server.max_in_flight(&Method::POST), AT_ONCE);
    assert_eq!(client.started.len(), 12);
    assert!(client.started.iter().all(|op| op.plan_id == plan_id));
}

#[tokio::test]
async fn a_plan_on_hold_sends_nothing_until_resumed() {
    let (server, mut client) = tenant_with(Settings { concurrency: 1, ..quick() }).await;
    server.inject_fault(InjectedFault::DelayRequest { on: POST, by: Duration::from_millis(100) });
    let plan_id = client.begin((0..3).map(|number| create(&format!("New {number}"), None)));
    client.wait_until(|client| client.started.len() == 1).await;
    assert_eq!(client.queue.hold_all(), 2);
    client.result(first(plan_id)).await.unwrap();
    // Another plan still proceeds.
    client.write(create("Other", None)).await.unwrap();
    client.settle().await;
    assert_eq!((client.started.len(), request_count(&server, &Method::POST)), (2, 2));
    let (transitions, _) = client.queue.resume(plan_id);
    client.apply(transitions);
    client.wait_until(|client| client.results.len() == 4).await;
    assert!((0..3).all(|number| named(&server, &format!("New {number}")).len() == 1));
}

#[tokio::test]
async fn resuming_a_plan_retries_its_failed_operations() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::Refuse { on: POST, status: 422, retry_after: None });
    let plan_id = client.begin([create("New", None)]);
    client.result(first(plan_id)).await.unwrap_err();
    client.results.clear();
    let (transitions, _) = client.queue.resume(plan_id);
    client.apply(transitions);
    client.result(first(plan_id)).await.unwrap();
    assert_eq!(named(&server, "New").len(), 1);
}

#[tokio::test]
async fn discarding_an_operation_discards_its_dependents() {
    let (server, mut client) = tenant_with(Settings { concurrency: 1, ..quick() }).await;
    server.inject_fault(InjectedFault::Refuse { on: POST, status: 422, retry_after: None });
    let parent = OpId { plan_id: PlanId(1), index: 0 };
    let child = OpId { plan_id: PlanId(1), index: 1 };
    let operations = [
        create("Parent", None),
        create("Child", Some(parent.provisional_id())),
        create("Grandchild", Some(child.provisional_id())),
    ];
    let plan_id = client.begin(operations);
    assert_eq!(plan_id, parent.plan_id);
    client.result(parent).await.unwrap_err();
    let transitions = client.queue.discard(parent);
    client.apply(transitions);
    client.wait_until(|client| client.dropped.len() == 3).await;
    client.settle().await;
    assert_eq!(request_count(&server, &Method::POST), 1);
    client.assert_equals(&server);
}

#[tokio::test]
async fn discarding_a_plan_finishes_only_what_is_being_sent() {
    let (server, mut client) = tenant_with(Settings { concurrency: 1, ..quick() }).await;
    server.inject_fault(InjectedFault::DelayRequest { on: POST, by: Duration::from_millis(100) });
    let plan_id = client.begin((0..200).map(|number| create(&format!("New {number}"), None)));
    client.wait_until(|client| client.started.len() == 1).await;
    let transitions = client.queue.discard_plan(plan_id);
    client.apply(transitions);
    client.result(first(plan_id)).await.unwrap();
    client.wait_until(|client| client.dropped.len() == 199).await;
    client.settle().await;
    assert_eq!(request_count(&server, &Method::POST), 1);
    client.assert_equals(&server);
}

#[tokio::test]
async fn an_operation_being_sent_cannot_be_discarded() {
    let (server, mut client) = tenant().await;
    server.inject_fault(InjectedFault::DelayRequest { on: POST, by: Duration::from_millis(100) });
    let plan_id = client.begin([create("New", None)]);
    client.wait_until(|client| client.started.len() == 1).await;
    let transitions = client.queue.discard(first(plan_id));
    client.apply(transitions);
    client.result(first(plan_id)).await.unwrap();
    assert_eq!((named(&server, "New").len(), client.dropped.len()), (1, 0));
}

#[tokio::test]
async fn an_amended_operation_replaces_the_failed_one() {
    let (server, mut client) = tenant().await;
    let seen = client.named("Zgierz");
    let operation = client.rename("Zgierz", "Mine");
    change_by_colleague(
        &server,
        ChangeRequest::Update(seen.id.clone(), Fields { name: "Theirs".into(), ..Fields::of(&seen) }),
    );
    let plan_id = client.begin([operation]);
    let Err(WriteError::Conflict { theirs: Some(theirs), .. }) = client.result(first(plan_id)).await else {
        panic!("a conflict");
    };
    let draft = Draft { name: name("Both"), ..Draft::of(&theirs) };
    client.results.clear();
    let operation = Operation::Update { base: Arc::clone(&theirs), draft };
    let transitions = client.queue.replace(first(plan_id), operation, Title::default());
    client.apply(transitions);
    client.result(first(plan_id)).await.unwrap();
    assert_eq!(named(&server, "Both").len(), 1);
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test]
async fn a_merged_field_is_not_overwritten_by_the_next_write() {
    let (server, mut client) = tenant().await;
    let seen = client.named("Zgierz");
    let first_change = client.rename("Zgierz", "Mine");
    let Operation::Update { base, draft } = &first_change else { panic!("an update") };
    let shown = Arc::new(draft.clone().into_segment(base.id.clone()));
    let external_id = segtui::segment::ExternalId::parse("MINE").unwrap();
    let second_change = Operation::Update { draft: Draft { external_id, ..Draft::of(&shown) }, base: shown };
    change_by_colleague(
        &server,
        ChangeRequest::Update(seen.id.clone(), Fields { external_id: Some("T".into()), ..Fields::of(&seen) }),
    );
    let plan_id = client.begin([first_change, second_change]);
    assert_eq!(applied(client.result(first(plan_id)).await.unwrap()).merged, [Field::ExternalId]);
    let error = client.result(OpId { plan_id, index: 1 }).await.unwrap_err();
    let WriteError::Conflict { theirs: Some(_), fields } = error else { panic!("{error:?}") };
    assert_eq!(fields, [Field::ExternalId]);
    assert_eq!(named(&server, "Mine")[0].external_id.as_deref(), Some("T"));
}

#[tokio::test]
async fn an_update_refused_on_every_attempt_fails_as_refused() {
    let (server, mut client) = tenant().await;
    refuse_all(&server, &PUT);
    let error = client.write(client.rename("Zgierz", "Mine")).await.unwrap_err();
    assert!(matches!(error, WriteError::Refused(_)), "{error:?}");
    assert_eq!((named(&server, "Zgierz").len(), request_count(&server, &Method::PUT)), (1, 5));
}
