//! Starting again from what was stored.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::remote::Call;
use crate::store::Completeness;
use crate::sync::{Command, Notice, Phase, Settings};

use super::client::Client;
use super::server::{Planted, Server, refused};
use super::{id, segment};

fn tenant() -> Server {
    let many = (0..300).map(|at| segment(&format!("{at:03}"), "one of many", None));
    Server::new(many.chain([segment("vip", "VIP", None)]))
}

async fn start(server: &Server, path: &Path) -> Client {
    let settings = Settings { store: Some(path.to_owned()), page_size: 50, ..Settings::default() };
    let mut client = Client::start(server, settings);
    client.hear_until(|client| client.restored.is_some() || client.lists > 0).await;
    client
}

/// Lets the client go and waits until its store can be written by the next one.
async fn load_journal(client: Client, path: &Path) {
    drop(client);
    while crate::store::open(path).unwrap().store.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// A store that an earlier run has left.
async fn stored(server: &Server) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let mut client = start(server, &path).await;
    client.settle().await;
    // And until the feed was asked once after that.
    client.hear_for(std::time::Duration::from_secs(120)).await;
    load_journal(client, &path).await;
    (folder, path)
}

fn pages(server: &Server) -> usize {
    server.count(|call| matches!(call, Call::Page(_)))
}

#[tokio::test(start_paused = true)]
async fn the_next_start_costs_what_changed_and_not_what_exists() {
    let server = tenant();
    let (_folder, path) = stored(&server).await;
    let listed = pages(&server);
    server.model().put(segment("vip", "VIP 2", None));
    server.model().delete(&id("007"));

    let mut client = start(&server, &path).await;
    assert_eq!((client.restored, client.heard), (Some(301), 1), "before anything else is said");
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!((pages(&server), client.lists), (listed, 0), "nothing is listed again");
    assert_eq!(client.phases.first(), Some(&Phase::Replaying));
}

#[tokio::test(start_paused = true)]
async fn a_stored_position_that_the_feed_refuses_leads_to_a_list_behind_the_shown_tree() {
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
async fn a_list_that_a_late_feed_may_yet_speak_against_is_not_relied_on_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let server = tenant();
    let mut client = start(&server, &path).await;
    client.settle().await;
    load_journal(client, &path).await;
    let stored = crate::store::open(&path).unwrap().snapshot.unwrap();
    assert_eq!(stored.completeness, Completeness::Unconfirmed, "the list has only just ended");

    let mut client = start(&server, &path).await;
    client.settle().await;
    client.let_late_news_come().await;
    client.assert_equals(&server);
    load_journal(client, &path).await;
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
    client.let_late_news_come().await;
    load_journal(client, &path).await;
    let stored = crate::store::open(&path).unwrap().snapshot.unwrap();
    assert_eq!(stored.segments.iter().filter(|segment| segment.name == "mine").count(), 1);
    assert_eq!(stored.completeness, Completeness::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_store_is_told_and_everything_is_listed() {
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
async fn a_store_that_can_not_be_used_is_told_and_everything_else_works() {
    let folder = tempfile::tempdir().unwrap();
    let server = tenant();
    // A folder stands where the file should be.
    let path = folder.path().join("tenant.db");
    std::fs::create_dir(&path).unwrap();
    let mut client = start(&server, &path).await;
    client.settle().await;
    client.assert_equals(&server);
    assert!(matches!(client.notices.as_slice(), [Notice::NotStored { .. }]), "{:?}", client.notices);
}

#[tokio::test(start_paused = true)]
async fn offline_at_the_start_the_stored_tree_is_there() {
    let server = tenant();
    let (_folder, path) = stored(&server).await;
    for _ in 0..3 {
        server.model().planted.push((|_| true, Planted::Refuse(refused(503))));
    }
    let mut client = start(&server, &path).await;
    client.hear_until(|client| matches!(client.phases.last(), Some(Phase::Offline { .. }))).await;
    assert_eq!(client.picture.len(), 301);
    client.order(Command::PollNow).await;
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_what_a_later_list_has_is_stored_as_well() {
    let server = tenant();
    server.model().quirks = super::server::Quirks { no_feed: true, ..super::server::Quirks::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let mut client = start(&server, &path).await;
    server.model().put(segment("vip", "VIP 2", None));
    client.hear_until(|client| client.lists >= 3).await;
    load_journal(client, &path).await;
    let snapshot = crate::store::open(&path).unwrap().snapshot.unwrap();
    let vip = snapshot.segments.iter().find(|segment| segment.id == id("vip")).unwrap();
    assert_eq!(vip.name, "VIP 2");
}
