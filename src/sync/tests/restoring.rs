//! Starting from the stored state.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::remote::Call;
use crate::store::Completeness;
use crate::sync::{Command, Notice, Phase, Settings};

use super::client::Client;
use super::server::{InjectedFault, Server, refused};
use super::{id, segment};

fn tenant() -> Server {
    let many = (0..300).map(|at| segment(&format!("{at:03}"), "one of many", None));
    Server::new(many.chain([segment("vip", "VIP", None)]))
}

async fn start(server: &Server, path: &Path) -> Client {
    let settings = Settings { store: Some(path.to_owned()), page_size: 50, ..Settings::default() };
    let mut client = Client::start(server, settings);
    client.run_until(|client| client.restored.is_some() || client.lists > 0).await;
    client
}

/// Drops the client and waits until another one can write its store.
async fn close(client: Client, path: &Path) {
    drop(client);
    while crate::store::open(path).unwrap().store.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// Returns a store that an earlier session has left.
async fn stored(server: &Server) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let mut client = start(server, &path).await;
    client.settle().await;
    // And until the feed was polled once more after that.
    client.run_for(std::time::Duration::from_secs(120)).await;
    close(client, &path).await;
    (folder, path)
}

fn pages(server: &Server) -> usize {
    server.count(|call| matches!(call, Call::Page(_)))
}

#[tokio::test(start_paused = true)]
async fn a_restored_session_fetches_only_what_changed() {
    let server = tenant();
    let (_folder, path) = stored(&server).await;
    let listed = pages(&server);
    server.model().put(segment("vip", "VIP 2", None));
    server.model().delete(&id("007"));

    let mut client = start(&server, &path).await;
    assert_eq!((client.restored, client.event_count), (Some(301), 1), "before anything else is said");
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!((pages(&server), client.lists), (listed, 0), "nothing is listed again");
    assert_eq!(client.phases.first(), Some(&Phase::Replaying));
}

#[tokio::test(start_paused = true)]
async fn a_refused_stored_position_leads_to_a_background_list() {
    let server = tenant();
    let (_folder, path) = stored(&server).await;
    {
        let mut model = server.model();
        for at in 0..50 {
            model.delete(&id(&format!("{at:03}")));
        }
        model.oldest_step = 40;
    }
    let mut client = start(&server, &path).await;
    assert_eq!(client.restored, Some(301));
    client.settle().await;
    client.assert_equals(&server);
    assert!(matches!(client.notices.as_slice(), [Notice::StepRefused { .. }]), "{:?}", client.notices);
}

#[tokio::test(start_paused = true)]
async fn a_recent_list_is_stored_as_unconfirmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let server = tenant();
    let mut client = start(&server, &path).await;
    client.settle().await;
    close(client, &path).await;
    let stored = crate::store::open(&path).unwrap().snapshot.unwrap();
    assert_eq!(stored.completeness, Completeness::Unconfirmed, "the list has only just ended");

    let mut client = start(&server, &path).await;
    client.settle().await;
    client.wait_for_late_events().await;
    client.assert_equals(&server);
    close(client, &path).await;
    let stored = crate::store::open(&path).unwrap().snapshot.unwrap();
    assert_eq!(stored.completeness, Completeness::Complete);
}

#[tokio::test(start_paused = true)]
async fn own_writes_are_stored_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let server = tenant();
    let mut client = start(&server, &path).await;
    client.settle().await;
    let base = client.shown("vip").unwrap().clone();
    client.write(crate::changes::Operation::Update { base, draft: super::draft("mine", None) }).await.unwrap();
    client.settle().await;
    client.wait_for_late_events().await;
    close(client, &path).await;
    let stored = crate::store::open(&path).unwrap().snapshot.unwrap();
    assert_eq!(stored.segments.iter().filter(|segment| segment.name == "mine").count(), 1);
    assert_eq!(stored.completeness, Completeness::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_store_is_reported_and_everything_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    std::fs::write(&path, "this is no database, it is somebody's letter, and long enough to look at").unwrap();
    let server = tenant();
    let mut client = start(&server, &path).await;
    client.settle().await;
    client.assert_equals(&server);
    assert!(matches!(client.notices.as_slice(), [Notice::StoreMovedAside { .. }]), "{:?}", client.notices);
}

#[tokio::test(start_paused = true)]
async fn an_unusable_store_is_reported_and_the_rest_works() {
    let folder = tempfile::tempdir().unwrap();
    let server = tenant();
    // A folder is where the file should be.
    let path = folder.path().join("tenant.db");
    std::fs::create_dir(&path).unwrap();
    let mut client = start(&server, &path).await;
    client.settle().await;
    client.assert_equals(&server);
    assert!(matches!(client.notices.as_slice(), [Notice::NotStored { .. }]), "{:?}", client.notices);
}

#[tokio::test(start_paused = true)]
async fn the_stored_tree_is_shown_when_the_server_is_down() {
    let server = tenant();
    let (_folder, path) = stored(&server).await;
    for _ in 0..3 {
        server.model().injected_faults.push((|_| true, InjectedFault::Refuse(refused(503))));
    }
    let mut client = start(&server, &path).await;
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Offline { .. }))).await;
    assert_eq!(client.view.len(), 301);
    client.send(Command::PollNow).await;
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_later_lists_are_stored_too() {
    let server = tenant();
    server.model().quirks = super::server::Quirks { no_feed: true, ..super::server::Quirks::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let mut client = start(&server, &path).await;
    server.model().put(segment("vip", "VIP 2", None));
    client.run_until(|client| client.lists >= 3).await;
    close(client, &path).await;
    let snapshot = crate::store::open(&path).unwrap().snapshot.unwrap();
    let vip = snapshot.segments.iter().find(|segment| segment.id == id("vip")).unwrap();
    assert_eq!(vip.name, "VIP 2");
}
