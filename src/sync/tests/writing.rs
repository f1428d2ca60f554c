//! Writes: merging, conflicts, and recovery from lost responses.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::changes::{OpId, WriteError, WriteResult};
use crate::changes::{Operation, Plan};
use crate::remote::Call;
use crate::segment::{Draft, Field, Segment};

use super::client::Client;
use super::server::{InjectedFault, Quirks, Server, refused};
use super::{draft, id, segment};

fn tenant() -> Server {
    Server::new([
        segment("hurt", "Hurtownie", None),
        segment("pl", "Polska", Some("hurt")),
        segment("vip", "VIP", None),
    ])
}

fn base(client: &Client, id: &str) -> Arc<Segment> {
    client.shown(id).unwrap().clone()
}

fn is_create(call: &Call) -> bool {
    matches!(call, Call::Create(_))
}

#[tokio::test(start_paused = true)]
async fn a_change_of_another_field_by_someone_else_is_kept() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let seen = base(&client, "vip");
    let with_key = |name| Segment { external_id: Some("ERP-7".into()), ..segment("vip", name, None) };
    server.model().put(with_key("VIP"));
    client.write(Operation::Update { base: seen, draft: draft("VIP 2", None) }).await.unwrap();
    assert_eq!(server.model().segments[&id("vip")], with_key("VIP 2"));
    let Some(WriteResult::Updated(applied)) = client.outcomes.last() else { panic!("an update") };
    assert_eq!(applied.merged, [Field::ExternalId]);
}

#[tokio::test(start_paused = true)]
async fn a_merged_change_is_not_reported_as_concurrent() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let base = base(&client, "vip");
    let with_key = |name| Segment { external_id: Some("ERP-7".into()), ..segment("vip", name, None) };
    // The feed responds before the change, and the fetch after it.
    server
        .model()
        .injected_faults
        .push((|call| matches!(call, Call::One(_)), InjectedFault::Delay(Duration::from_millis(300))));
    let plan_id = client.begin(Plan::single(Operation::Update { base, draft: draft("VIP 2", None) }));
    client.run_for(Duration::from_millis(200)).await;
    server.model().put(with_key("VIP"));
    client.outcome_of(OpId { plan_id, index: 0 }).await.unwrap();
    assert_eq!(server.model().segments[&id("vip")], with_key("VIP 2"));
    let Some(WriteResult::Updated(applied)) = client.outcomes.last() else { panic!("an update") };
    assert_eq!((applied.merged.as_slice(), applied.concurrent_write), (&[Field::ExternalId][..], false));
}

#[tokio::test(start_paused = true)]
async fn a_conflicting_change_is_never_overwritten() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let seen = base(&client, "vip");
    server.model().put(segment("vip", "Theirs", None));
    let error = client.write(Operation::Update { base: seen, draft: draft("Mine", None) }).await.unwrap_err();
    assert_eq!(
        error,
        WriteError::Conflict { theirs: Some(Arc::new(segment("vip", "Theirs", None))), fields: vec![Field::Name] }
    );
    assert_eq!(server.count(|call| matches!(call, Call::Update(_))), 0);
}

#[tokio::test(start_paused = true)]
async fn an_identical_change_is_no_conflict_and_sends_nothing() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let seen = base(&client, "vip");
    server.model().put(segment("vip", "Same", None));
    client.write(Operation::Update { base: seen, draft: draft("Same", None) }).await.unwrap();
    assert_eq!(server.count(|call| matches!(call, Call::Update(_))), 0);
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_has_changed_is_not_deleted() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let seen = base(&client, "vip");
    server.model().put(segment("vip", "Now important", None));
    let error = client.write(Operation::delete(seen)).await.unwrap_err();
    assert!(matches!(error, WriteError::Conflict { theirs: Some(_), .. }), "{error:?}");
    assert!(server.model().segments.contains_key(&id("vip")));
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_is_gone_can_be_deleted_but_not_updated() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let seen = base(&client, "vip");
    server.model().delete(&id("vip"));
    let error = client.write(Operation::Update { base: Arc::clone(&seen), draft: draft("x", None) }).await.unwrap_err();
    assert_eq!(error, WriteError::Conflict { theirs: None, fields: Vec::new() });
    client.write(Operation::delete(seen)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_create_with_a_lost_response_is_found_and_not_repeated() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().injected_faults.push((is_create, InjectedFault::LoseResponse));
    client.write(Operation::Create { draft: draft("Nowy", Some("pl")) }).await.unwrap();
    assert_eq!(server.count(is_create), 1);
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.view.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_failed_with_500_is_in_doubt() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().injected_faults.push((is_create, InjectedFault::Refuse(refused(500))));
    let error = client.write(Operation::Create { draft: draft("Nowy", None) }).await.unwrap_err();
    assert!(matches!(error, WriteError::InDoubt(_)), "{error:?}");
    assert_eq!(server.count(is_create), 1, "never repeated");
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn updates_and_deletes_survive_lost_responses() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().injected_faults.push((|call| matches!(call, Call::Update(_)), InjectedFault::LoseResponse));
    server.model().injected_faults.push((|call| matches!(call, Call::Delete(_)), InjectedFault::LoseResponse));
    let seen = base(&client, "vip");
    client.write(Operation::Update { base: seen, draft: draft("VIP 2", None) }).await.unwrap();
    let seen = base(&client, "vip");
    client.write(Operation::delete(seen)).await.unwrap();
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_reported_in_the_servers_words() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server.model().injected_faults.push((is_create, InjectedFault::Refuse(refused(422))));
    let error = client.write(Operation::Create { draft: draft("Nowy", None) }).await.unwrap_err();
    assert_eq!(error.to_string(), "the server responded 422: no");
}

#[tokio::test(start_paused = true)]
async fn a_field_that_the_server_ignores_is_reported() {
    let server = tenant();
    server.model().quirks = Quirks { ignores_external_ids: true, ..Quirks::default() };
    let mut client = Client::live(&server).await;
    let wanted = Draft::of(&Segment { external_id: Some("N-1".into()), ..segment("any", "Nowy", None) });
    client.write(Operation::Create { draft: wanted }).await.unwrap();
    let Some(WriteResult::Created(applied)) = client.outcomes.last() else { panic!("a create") };
    assert_eq!(applied.ignored, [Field::ExternalId]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_operation_holds_up_those_that_depend_on_it() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    server
        .model()
        .injected_faults
        .push((|call| matches!(call, Call::Delete(gone) if *gone == id("pl")), InjectedFault::Refuse(refused(409))));
    let operations = ["vip", "pl", "hurt"].map(|id| Operation::delete(base(&client, id)));
    client.keeps_failed = true;
    let plan_id = client.begin(Plan { operations: operations.into() });
    client.run_until(|client| client.ended.len() == 2).await;
    let failed = OpId { plan_id, index: 1 };
    assert!(matches!(client.outcome_of(failed).await, Err(WriteError::Refused(_))));
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!((client.view.len(), client.ended.len()), (2, 2), "the parent waits");
    client.retry(failed);
    client.run_until(|client| client.ended.len() == 4).await;
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.view.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_delete_the_children_are_fetched() {
    let server = tenant();
    let feed_lag = Duration::from_secs(60);
    server.model().quirks = Quirks { cascades: true, feed_lag, ..Quirks::default() };
    let mut client = Client::live(&server).await;
    let began = Instant::now();
    let seen = base(&client, "hurt");
    client.write(Operation::Delete { base: seen, leaving: vec![id("pl")] }).await.unwrap();
    client.run_until(|client| client.changes == 1).await;
    assert!(began.elapsed() < feed_lag, "before the feed told");
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn a_create_in_doubt_is_searched_for_before_it_is_repeated() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    client.keeps_failed = true;
    // It is applied, and then the server fails for longer than the search lasts.
    server.model().injected_faults.push((is_create, InjectedFault::LoseResponse));
    server.model().fault_percent = 100;
    client.begin(Plan::single(Operation::Create { draft: draft("Nowy", None) }));
    client.run_until(|client| client.unreached_count > 0).await;
    server.model().fault_percent = 0;
    client.run_until(|client| client.ended.len() == 1).await;
    assert_eq!(client.ended[0].1, Ok(()));
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.view.values().filter(|segment| segment.name == "Nowy").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_somebody_moved_is_a_conflict() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let seen = base(&client, "vip");
    server.model().put(segment("vip", "VIP", Some("hurt")));
    let error = client.write(Operation::Update { base: seen, draft: draft("VIP 2", None) }).await.unwrap_err();
    assert!(matches!(error, WriteError::Conflict { fields, .. } if fields == [Field::Parent]));
}

#[tokio::test(start_paused = true)]
async fn a_segment_with_a_new_child_is_not_deleted() {
    let server = tenant();
    let mut client = Client::live(&server).await;
    let seen = base(&client, "vip");
    // The client has not heard of it yet.
    server.model().create(&draft("Newcomer", Some("vip")));
    let error = client.write(Operation::delete(seen)).await.unwrap_err();
    assert!(matches!(error, WriteError::NewChildren { new_children } if new_children.len() == 1));
    assert!(server.model().segments.contains_key(&id("vip")));
}
