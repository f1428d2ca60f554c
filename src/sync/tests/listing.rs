//! The first list: how it ends, what it costs, and what happens while it runs.

use crate::remote::{Call, FeedEvent, FeedEventKind, Page, Remote};
use crate::segment::{Segment, Step};
use crate::sync::{Command, Event, Notice, Phase, Settings};

use super::client::Client;
use super::server::{InjectedFault, Quirks, Server, refused};
use super::{id, segment};

fn many(count: usize) -> Vec<Segment> {
    (0..count).map(|at| segment(&format!("{at:05}"), "one of many", None)).collect()
}

fn settings(page_size: u32) -> Settings {
    Settings { page_size, ..Settings::default() }
}

fn is_page(call: &Call) -> bool {
    matches!(call, Call::Page(_))
}

#[tokio::test(start_paused = true)]
async fn a_list_of_smaller_pages_ends_with_an_empty_page() {
    let server = Server::new(many(1_050));
    server.model().page_cap = 100;
    let mut client = Client::start(&server, settings(500));
    client.settle().await;
    client.assert_equals(&server);
    let pages = server.count(is_page);
    assert!((12..=11 + 6).contains(&pages), "11 pages and at most a window beyond: {pages}");
    assert!(server.model().max_pages_in_flight <= 6);
    assert_eq!(client.received, 1_050);
}

#[tokio::test(start_paused = true)]
async fn a_reported_total_ends_the_list_without_an_empty_page() {
    let server = Server::new(many(100));
    server.model().quirks = Quirks { reports_total: true, ..Quirks::default() };
    let mut client = Client::start(&server, settings(100));
    client.settle().await;
    client.assert_equals(&server);
    let pages = server.count(is_page);
    assert!(pages <= 1 + 3, "the first page beforehand, and those that are asked for with it: {pages}");
}

#[tokio::test(start_paused = true)]
async fn ignored_page_numbers_end_the_list_with_a_warning() {
    let server = Server::new(many(50));
    server.model().quirks = Quirks { ignores_page_number: true, ..Quirks::default() };
    let mut client = Client::start(&server, settings(100));
    client.settle().await;
    client.assert_equals(&server);
    assert!(client.notices.iter().any(|notice| matches!(notice, Notice::PageRepeated { .. })), "{:?}", client.notices);
    let pages = server.count(is_page);
    assert!(pages <= 1 + 4 + 6, "beforehand, the page, three repetitions, and a window beyond: {pages}");
}

#[tokio::test(start_paused = true)]
async fn a_list_is_cut_at_the_page_limit() {
    let server = Server::new(many(100));
    let mut client = Client::start(&server, Settings { max_pages: 3, ..settings(10) });
    client.settle().await;
    assert_eq!(client.view.len(), 30);
    assert_eq!(client.notices, [Notice::TooManyPages { pages: 3 }]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_allows_few_requests_at_once_gets_few() {
    let server = Server::new(many(400));
    server.model().quirks = Quirks { max_concurrent_pages: Some(2), ..Quirks::default() };
    let mut client = Client::start(&server, settings(10));
    client.settle().await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn changes_while_the_list_loads_are_not_missed() {
    let server = Server::new(many(1_000));
    let mut client = Client::start(&server, settings(10));
    client.run_until(|client| client.received >= 300).await;
    {
        let mut model = server.model();
        // Deletes at the front shift pages forward, so segments are skipped; one at the front is renamed, and one is created.
        for at in 1..100 {
            model.delete(&id(&format!("{at:05}")));
        }
        model.put(segment("00000", "renamed", None));
        model.put(segment("new", "new", Some("00000")));
    }
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.lists, 2, "the first list lacked what slipped from page to page");
}

#[tokio::test(start_paused = true)]
async fn a_list_resumes_after_a_failed_page() {
    let server = Server::new(many(500));
    server.model().injected_faults.push((|call| matches!(call, Call::Page(20)), InjectedFault::Refuse(refused(500))));
    let mut client = Client::start(&server, settings(10));
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Stalled { .. }))).await;
    assert!(client.received >= 150, "{}", client.received);
    let asked = server.count(|call| matches!(call, Call::Page(1)));
    client.send(Command::PollNow).await;
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(server.count(|call| matches!(call, Call::Page(1))), asked, "no page that came is asked for again");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_first_list_keeps_its_pages_and_resumes() {
    let server = Server::new(many(500));
    let mut client = Client::start(&server, settings(10));
    client.run_until(|client| client.received >= 100).await;
    client.send(Command::StopListing).await;
    client.run_until(|client| matches!(client.phases.last(), Some(Phase::Paused(_)))).await;
    assert!(client.received < 500, "{}", client.received);
    let asked = server.count(|call| matches!(call, Call::Page(_)));
    tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
    assert_eq!(server.count(|call| matches!(call, Call::Page(_))), asked, "nothing more is asked for by itself");
    client.send(Command::PollNow).await;
    client.settle().await;
    client.assert_equals(&server);
    client.send(Command::StopListing).await;
    client.send(Command::Reload).await;
    client.settle().await;
    assert!(client.lists >= 2, "a later list is nothing to stop");
}

#[tokio::test(start_paused = true)]
async fn a_refused_api_key_is_retried_rarely() {
    let server = Server::new(many(5));
    // One of them is the first page, which is requested beforehand.
    for _ in 0..4 {
        server.model().injected_faults.push((|_| true, InjectedFault::Refuse(refused(401))));
    }
    let began = tokio::time::Instant::now();
    let mut client = Client::start(&server, settings(10));
    client.settle().await;
    client.assert_equals(&server);
    assert!(began.elapsed().as_secs() >= 3 * 50);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_long_feed_is_found_without_reading_it() {
    let server = Server::new(many(3));
    server.model().feed = vec![FeedEvent { id: id("00001"), kind: FeedEventKind::Updated }; 200_000];
    let mut client = Client::start(&server, Settings::default());
    client.settle().await;
    client.assert_equals(&server);
    let questions = server.count(|call| matches!(call, Call::Changes(_)));
    assert!(questions <= 30, "{questions} questions");
    assert_eq!(server.count(|call| matches!(call, Call::One(_))), 0, "nothing of the past is looked at");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_busy_feed_is_not_chased() {
    let server = Server::new(many(3));
    {
        let mut model = server.model();
        model.feed = vec![FeedEvent { id: id("00001"), kind: FeedEventKind::Updated }; 20_000];
        model.quirks.changes_on_read = true;
    }
    let mut client = Client::start(&server, Settings::default());
    client.run_until(|client| client.lists == 1).await;
    let questions = server.count(|call| matches!(call, Call::Changes(_)));
    assert!(questions <= 35, "{questions} questions");
    server.model().quirks.changes_on_read = false;
    client.settle().await;
    client.assert_equals(&server);
    assert!(server.count(|call| matches!(call, Call::One(_))) <= 5, "little of the past is looked at");
}

#[tokio::test(start_paused = true)]
async fn a_feed_without_its_beginning_is_followed() {
    let server = Server::new(many(3));
    {
        let mut model = server.model();
        model.feed = vec![FeedEvent { id: id("00001"), kind: FeedEventKind::Updated }; 50_000];
        model.oldest_step = 30_000;
    }
    let mut client = Client::live(&server).await;
    server.model().put(segment("late", "late", None));
    client.settle().await;
    client.assert_equals(&server);
    assert_eq!(client.notices, []);
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_everything_is_listed_at_intervals() {
    let server = Server::new(many(3));
    server.model().quirks = Quirks { no_feed: true, ..Quirks::default() };
    let mut client = Client::start(&server, Settings::default());
    client.run_until(|client| client.lists == 1).await;
    assert!(matches!(client.notices.as_slice(), [Notice::FeedUnavailable { .. }]), "{:?}", client.notices);
    server.model().put(segment("late", "late", None));
    client.run_until(|client| client.lists == 2).await;
    client.assert_equals(&server);
}

#[tokio::test(start_paused = true)]
async fn entries_without_an_id_are_counted_and_reported() {
    /// A server with such entries on its first page.
    #[derive(Clone)]
    struct Odd(Server);
    impl Remote for Odd {
        async fn page(&self, number: u32, size: u32) -> Result<Page, crate::remote::RemoteError> {
            let page = self.0.page(number, size).await?;
            let unreadable = u32::from(number == 1) * 2;
            Ok(Page { unreadable, ..page })
        }
        async fn one(&self, id: &crate::segment::SegmentId) -> Result<Option<Segment>, crate::remote::RemoteError> {
            self.0.one(id).await
        }
        async fn changes(
            &self,
            from: Step,
            only: Option<crate::remote::Context>,
        ) -> Result<crate::remote::Changes, crate::remote::RemoteError> {
            self.0.changes(from, only).await
        }
        async fn create(
            &self,
            draft: &crate::segment::Draft,
        ) -> Result<crate::segment::SegmentId, crate::remote::RemoteError> {
            self.0.create(draft).await
        }
        async fn update(
            &self,
            id: &crate::segment::SegmentId,
            draft: &crate::segment::Draft,
        ) -> Result<(), crate::remote::RemoteError> {
            self.0.update(id, draft).await
        }
        async fn delete(&self, id: &crate::segment::SegmentId) -> Result<(), crate::remote::RemoteError> {
            self.0.delete(id).await
        }
    }
    let mut sync = crate::sync::start(std::sync::Arc::new(Odd(Server::new(many(3)))), Settings::default());
    loop {
        if let Event::Noticed(notice) = sync.events.recv().await.unwrap() {
            assert_eq!(notice, Notice::UnreadableEntries { count: 2 });
            break;
        }
    }
}
