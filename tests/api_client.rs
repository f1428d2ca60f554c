//! The HTTP client against a server with canned responses: what each call sends, what it makes of the response, and
//! what it does when things go wrong.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where what it stands on is missing")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use segtui::api::retry::Policy;
use segtui::api::{Client, Recorder, Settings, Timeouts};
use segtui::remote::{
    BaseUrl, Call, Changes, Context, ContextsForm, Exchange, Fault, FeedEvent, FeedEventKind, InsecureHttp,
    ObstacleKind, Page, Remote, RemoteError,
};
use segtui::segment::{Draft, ExternalId, Name, Segment, SegmentId, Step};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const KEY: &str = "first-half-of-it:second-half-of-it";
const SEGMENTS: &str = "/api/v1/account/integrations/auth-required/segments";
const MAX_ATTEMPTS: usize = 3;

fn settings(address: &str) -> Settings {
    let base_url = BaseUrl::parse(address, InsecureHttp::Refused).unwrap();
    let mut settings = Settings::new(base_url, "acme", KEY.into());
    settings.retries = Policy {
        tries: u32::try_from(MAX_ATTEMPTS).unwrap(),
        initial_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(2),
        max_retry_after: Duration::ZERO,
    };
    settings
}

/// A server that gives these responses in order, each once, and its client.
async fn server(answers: impl IntoIterator<Item = ResponseTemplate>) -> (MockServer, Client) {
    let server = MockServer::start().await;
    for (nth, answer) in (1u8..).zip(answers) {
        // Of the mocks that match, the one with the lowest priority number responds until it is used up.
        Mock::given(any()).respond_with(answer).up_to_n_times(1).with_priority(nth).mount(&server).await;
    }
    let client = Client::new(settings(&server.uri())).unwrap();
    (server, client)
}

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}

fn body(json: Value) -> ResponseTemplate {
    status(200).set_body_json(json)
}

fn times(answer: &ResponseTemplate) -> Vec<ResponseTemplate> {
    vec![answer.clone(); 10]
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

/// The only request that the server received: its method, its path with the query, its body.
async fn only_request(server: &MockServer) -> (String, String, String) {
    let requests = requests(server).await;
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = request.url.path().strip_prefix(SEGMENTS).unwrap();
    let body = String::from_utf8(request.body.clone()).unwrap();
    (request.method.to_string(), format!("{path}{query}"), body)
}

fn id(text: &str) -> SegmentId {
    SegmentId::new(text).unwrap()
}

fn vip() -> Draft {
    Draft {
        name: Name::parse("VIP").unwrap(),
        external_id: ExternalId::parse("V").unwrap(),
        parent: Some(id("segment")),
    }
}

fn root() -> Draft {
    Draft { name: Name::parse("Root").unwrap(), external_id: None, parent: None }
}

fn refused<T: std::fmt::Debug>(result: Result<T, RemoteError>) -> (u16, String) {
    match result.unwrap_err().fault {
        Fault::Refused { status, message, .. } => (status, message),
        other => panic!("not refused but {other}"),
    }
}

#[tokio::test]
async fn every_call_sends_the_tenant_the_key_and_the_user_agent() {
    let (server, client) = server(times(&body(json!({"id": "a", "events": []})))).await;
    let _ = client.page(1, 1).await;
    let _ = client.changes(Step(1), None).await;
    client.one(&id("a")).await.unwrap();
    client.create(&vip()).await.unwrap();
    client.update(&id("a"), &vip()).await.unwrap();
    client.delete(&id("a")).await.unwrap();
    for request in requests(&server).await {
        let header = |name| request.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("one-tenant"), Some("acme"));
        assert_eq!(header("ApiAuth"), Some(KEY));
        assert_eq!(header("accept"), Some("*/*"));
        assert_eq!(header("user-agent"), Some(concat!("segtui/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(header("accept-encoding"), Some("gzip"));
        assert_eq!(header("content-type"), (!request.body.is_empty()).then_some("application/json"));
    }
}

#[tokio::test]
async fn a_page_is_asked_for_by_number_and_size() {
    let (server, client) =
        server([body(json!({"listElement": [{"id": "a", "name": "A"}, {}], "totalElement": 104}))]).await;
    let page = client.page(3, 500).await.unwrap();
    let segment = Segment { id: id("a"), name: "A".into(), external_id: None, parent: None };
    assert_eq!(page, Page { segments: vec![segment], total: Some(104), unreadable: 1 });
    assert_eq!(only_request(&server).await, ("GET".into(), "?pageNumber=3&pageSize=500".into(), String::new()));
}

#[tokio::test]
async fn a_page_of_ten_thousand_comes_whole() {
    let entries: Vec<Value> = (0..10_000).map(|n| json!({"id": n, "name": "ż".repeat(50)})).collect();
    let (_server, client) = server([body(json!(entries))]).await;
    let page = client.page(1, 10_000).await.unwrap();
    assert_eq!(page.segments.len(), 10_000);
    assert_eq!(page.segments[9_999].id, id("9999"));
}

#[tokio::test]
async fn a_compressed_answer_is_unpacked() {
    // [{"id": "vip", "name": "VIP"}]
    let gzip = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 174, 86, 202, 76, 81, 178, 82, 80, 42, 203, 44, 80, 210, 81, 80, 202, 75,
        204, 77, 5, 113, 195, 60, 3, 148, 106, 99, 1, 168, 45, 135, 214, 30, 0, 0, 0,
    ];
    let (_server, client) = server([status(200).insert_header("content-encoding", "gzip").set_body_bytes(gzip)]).await;
    assert_eq!(client.page(1, 100).await.unwrap().segments[0].id, id("vip"));
}

#[tokio::test]
async fn not_found_and_gone_mean_that_there_is_no_segment() {
    let (server, client) = server([body(json!({"id": "vip", "name": "VIP"})), status(404), status(410)]).await;
    assert_eq!(client.one(&id("vip")).await.unwrap().unwrap().name, "VIP");
    for what in ["404", "410"] {
        assert_eq!(client.one(&id("vip")).await, Ok(None), "{what}");
    }
    assert_eq!(requests(&server).await.len(), 3, "none of these is asked again");
}

#[tokio::test]
async fn a_success_without_a_segment_does_not_mean_it_is_gone() {
    for answer in [status(204), status(200), status(200).set_body_string("null"), body(json!([]))] {
        let (_server, client) = server(times(&answer)).await;
        let error = client.one(&id("vip")).await.unwrap_err();
        assert!(matches!(error.fault, Fault::InvalidResponse { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_id_of_any_characters_stays_one_part_of_the_path() {
    for (text, path) in
        [("a/b?c d#e", "/a%2Fb%3Fc%20d%23e"), ("..\t", "/..%09"), ("%2F", "/%252F"), ("Łódź", "/%C5%81%C3%B3d%C5%BA")]
    {
        let (server, client) = server([status(404)]).await;
        client.one(&id(text)).await.unwrap();
        assert_eq!(only_request(&server).await.1, path);
    }
}

#[tokio::test]
async fn an_id_that_would_address_the_whole_list_is_never_sent() {
    let (server, client) = server([status(200)]).await;
    for text in [".", "..", "synchronization"] {
        let error = client.delete(&id(text)).await.unwrap_err();
        assert!(matches!(error.fault, Fault::InvalidRequest { .. }), "{error}");
        assert!(client.one(&id(text)).await.is_err());
        assert!(client.update(&id(text), &vip()).await.is_err());
    }
    assert_eq!(requests(&server).await.len(), 0);
}

#[tokio::test]
async fn the_feed_is_asked_from_a_step_on() {
    let (server, client) =
        server([body(json!({"nextId": 12, "events": [{"segmentId": "a", "type": "DELETE"}]}))]).await;
    let changes = client.changes(Step(11), None).await.unwrap();
    let event = FeedEvent { id: id("a"), kind: FeedEventKind::Deleted };
    assert_eq!(changes, Changes { next: Some(Step(12)), events: vec![event] });
    assert_eq!(only_request(&server).await.1, "/synchronization?startId=11");
}

#[tokio::test]
async fn contexts_are_sent_to_the_feed_in_the_configured_form() {
    for (form, query) in [
        (ContextsForm::Repeated, "contexts=APPLICATION&contexts=BACKOFFICE&startId=1"),
        (ContextsForm::Comma, "contexts=APPLICATION%2CBACKOFFICE&startId=1"),
    ] {
        let (server, _) = server([status(204)]).await;
        let contexts = vec![Context::Application, Context::Backoffice];
        let client = Client::new(Settings { contexts, contexts_form: form, ..settings(&server.uri()) }).unwrap();
        assert_eq!(client.changes(Step::FIRST, None).await, Ok(Changes::default()));
        assert_eq!(only_request(&server).await.1, format!("/synchronization?{query}"));
    }
}

#[tokio::test]
async fn a_create_sends_all_fields_and_returns_the_new_id() {
    let (server, client) = server([status(201).set_body_json(json!({"id": 17}))]).await;
    assert_eq!(client.create(&root()).await, Ok(id("17")));
    let (method, path, body) = only_request(&server).await;
    assert_eq!((method.as_str(), path.as_str()), ("POST", ""));
    let sent: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(sent, json!({"name": "Root", "externalId": null, "parentSegmentId": null}));
}

#[tokio::test]
async fn updates_and_deletes_accept_any_success_status() {
    for answer in [status(200), status(204), status(202).set_body_string("<ok>"), body(json!({"id": "other"}))] {
        let (server, client) = server(times(&answer)).await;
        client.update(&id("a"), &vip()).await.unwrap();
        client.delete(&id("a")).await.unwrap();
        let requests = requests(&server).await;
        let sent: Value = serde_json::from_slice(&requests[0].body).unwrap();
        assert_eq!(sent, json!({"name": "VIP", "externalId": "V", "parentSegmentId": "segment"}));
        assert_eq!((requests[0].method.as_str(), requests[1].method.as_str()), ("PUT", "DELETE"));
        assert_eq!(requests[1].url.path(), format!("{SEGMENTS}/a"));
    }
}

#[tokio::test]
async fn updates_and_deletes_are_not_retried_after_a_502() {
    let (server, client) = server([status(502), status(502)]).await;
    assert_eq!(refused(client.delete(&id("a")).await).0, 502);
    assert_eq!(refused(client.update(&id("a"), &vip()).await).0, 502);
    assert_eq!(requests(&server).await.len(), 2);
}

#[tokio::test]
async fn deleting_a_missing_segment_succeeds() {
    let (_server, client) = server([status(404)]).await;
    assert_eq!(client.delete(&id("a")).await, Ok(()));
}

#[tokio::test]
async fn a_read_is_retried_until_it_succeeds() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    let (server, client) = server([
        status(503).insert_header("retry-after", "0"),
        status(429).insert_header("retry-after", past),
        body(json!([])),
    ])
    .await;
    assert_eq!(client.page(1, 10).await, Ok(Page::default()));
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_an_error_after_the_last_try() {
    let problem =
        status(500).set_body_raw(r#"{"title": "Oops", "detail": "database is down"}"#, "application/problem+json");
    let (server, client) = server(times(&problem)).await;
    assert_eq!(refused(client.one(&id("a")).await), (500, "database is down".into()));
    assert_eq!(requests(&server).await.len(), MAX_ATTEMPTS);
}

#[tokio::test]
async fn a_retry_after_that_is_too_long_is_returned_as_an_error() {
    let (server, client) = server(times(&status(429).insert_header("retry-after", "3600"))).await;
    let error = client.page(1, 1).await.unwrap_err();
    assert_eq!(error.fault.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn an_answered_create_is_never_retried_whatever_the_status() {
    for code in [408, 409, 422, 425, 429, 500, 502, 503, 504] {
        for answer in [status(code), status(code).insert_header("retry-after", "0")] {
            let (server, client) = server(times(&answer)).await;
            let error = client.create(&vip()).await.unwrap_err();
            assert!(matches!(error.fault, Fault::Refused { status, .. } if status == code), "{error}");
            assert_eq!(requests(&server).await.len(), 1, "{code}");
            assert_eq!(error.fault.may_have_taken_effect(), !matches!(code, 409 | 422), "{code}");
        }
    }
}

#[tokio::test]
async fn a_read_that_times_out_is_retried_but_a_create_is_not() {
    let (server, _) = server(times(&body(json!([])).set_delay(Duration::from_secs(60)))).await;
    let request = Duration::from_millis(100);
    let timeouts = Timeouts { request, ..Timeouts::default() };
    let client = Client::new(Settings { timeouts, ..settings(&server.uri()) }).unwrap();
    assert_eq!(client.create(&vip()).await.unwrap_err().fault, Fault::TimedOut { after: request });
    assert_eq!(client.page(1, 1).await.unwrap_err().fault, Fault::TimedOut { after: request });
    let methods: Vec<_> = requests(&server).await.iter().map(|request| request.method.to_string()).collect();
    assert_eq!(methods, ["POST", "GET", "GET", "GET"]);
}

#[tokio::test]
async fn a_create_response_without_an_id_is_in_doubt() {
    let (server, client) = server(times(&status(201))).await;
    let error = client.create(&vip()).await.unwrap_err();
    assert_eq!(error.call, Call::Create("VIP".into()));
    assert!(error.fault.may_have_taken_effect());
    assert_eq!(
        error.to_string(),
        "couldn't create VIP: unexpected response: expected the ID of the new segment; the body was empty"
    );
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn no_redirect_is_followed_with_the_key() {
    let elsewhere = MockServer::start().await;
    for code in [301, 302, 303, 307, 308] {
        let to = format!("{}/login", elsewhere.uri());
        let (server, client) = server(times(&status(code).insert_header("location", to.as_str()))).await;
        let expected = Fault::Redirected { status: code, to };
        assert_eq!(client.page(1, 1).await.unwrap_err().fault, expected);
        assert_eq!(client.create(&vip()).await.unwrap_err().fault, expected);
        assert_eq!(requests(&server).await.len(), 2);
    }
    assert_eq!(requests(&elsewhere).await.len(), 0);
}

#[tokio::test]
async fn a_long_html_error_page_becomes_a_short_sentence() {
    let page = format!("<html><style>p {{}}</style><h1>403 Forbidden</h1>{}</html>", "<p>go away</p>".repeat(100_000));
    let (_server, client) = server(times(&status(403).set_body_raw(page, "text/html"))).await;
    let (code, words) = refused(client.page(1, 1).await);
    assert_eq!(code, 403);
    assert!(words.starts_with("403 Forbidden go away go away"), "{words}");
    assert!(words.chars().count() <= 301);
}

#[tokio::test]
async fn a_page_that_is_no_json_says_what_came_instead() {
    let (server, client) = server(times(&status(200).set_body_string("<title>Sign in</title>"))).await;
    let error = client.page(1, 1).await.unwrap_err();
    assert!(error.to_string().ends_with("got: <title>Sign in</title>"), "{error}");
    assert_eq!(requests(&server).await.len(), MAX_ATTEMPTS);
}

#[tokio::test]
async fn a_key_that_the_server_echoes_is_in_no_error() {
    let echo = format!("{{\"message\": \"bad key {KEY}\", \"headers\": \"ApiAuth: {KEY}\"}}");
    let redirect = status(302).insert_header("location", format!("https://x/?key={KEY}"));
    let answers = [status(401).set_body_string(&echo), status(200).set_body_string(&echo), redirect];
    for answer in answers {
        let (_server, client) = server(times(&answer)).await;
        for error in [client.changes(Step(1), None).await.unwrap_err(), client.create(&vip()).await.unwrap_err()] {
            let texts = format!("{error} {error:?}");
            assert!(!texts.contains("second-half"), "{texts}");
            assert!(texts.contains("[API key]"), "{texts}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_is_reported_in_the_systems_words() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = Client::new(settings(&address)).unwrap().create(&vip()).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!error.fault.may_have_taken_effect());
}

/// The obstacle that prevents a connection.
async fn obstacle(address: &str) -> ObstacleKind {
    let settings = Settings { retries: Policy { tries: 1, ..Policy::default() }, ..settings(address) };
    let error = Client::new(settings).unwrap().page(1, 1).await.unwrap_err();
    let Fault::Unreachable { reason } = error.fault else { panic!("{error}") };
    reason.kind
}

#[tokio::test]
async fn a_failed_connection_reports_the_kind_of_obstacle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert_eq!(obstacle(&format!("http://127.0.0.1:{port}")).await, ObstacleKind::Refused);
    // No name with this ending resolves (RFC 6761), whatever the resolver.
    assert_eq!(obstacle("https://no-such-host.invalid").await, ObstacleKind::NoSuchHost);
    let plain = MockServer::start().await;
    let address = plain.uri().replace("http://", "https://");
    assert_eq!(obstacle(&address).await, ObstacleKind::NotTls);
}

enum AfterResponse {
    HangUp,
    RespondAgain,
}

/// A client of a server that sends these bytes for every request, and the number of its connections.
async fn raw_server(answer: &'static str, afterwards: AfterResponse) -> (Client, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(settings(&format!("http://{}", listener.local_addr().unwrap()))).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                stream.write_all(answer.as_bytes()).await.unwrap();
                if matches!(afterwards, AfterResponse::HangUp) {
                    break;
                }
            }
        }
    });
    (client, count)
}

#[tokio::test]
async fn a_response_that_breaks_off_is_an_error() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{\"id\": \"a\"}]"] {
        let (client, count) = raw_server(answer, AfterResponse::HangUp).await;
        let error = client.page(1, 1).await.unwrap_err();
        assert!(matches!(error.fault, Fault::Broken { .. }), "{error}");
        assert_eq!(count.load(Ordering::SeqCst), MAX_ATTEMPTS);

        let (client, count) = raw_server(answer, AfterResponse::HangUp).await;
        let error = client.create(&vip()).await.unwrap_err();
        assert!(matches!(error.fault, Fault::Broken { .. }), "{error}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "a create is sent once");
    }
}

#[tokio::test]
async fn an_error_with_a_truncated_body_keeps_its_status() {
    let (client, _) =
        raw_server("HTTP/1.1 409 Conflict\r\ncontent-length: 100\r\n\r\nname is tak", AfterResponse::HangUp).await;
    assert_eq!(refused(client.create(&vip()).await), (409, "name is tak".into()));
}

#[tokio::test]
async fn calls_and_clones_share_a_connection() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
    let (client, count) = raw_server(answer, AfterResponse::RespondAgain).await;
    for number in 1..=20 {
        client.clone().page(number, 1).await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

fn draft(name: &str) -> Draft {
    Draft { name: Name::parse(name).unwrap(), external_id: None, parent: None }
}

/// As [`server`], with the recorded exchanges of the client.
async fn recorded(
    answers: impl IntoIterator<Item = ResponseTemplate>,
) -> (MockServer, Client, mpsc::Receiver<Arc<Exchange>>) {
    let (server, client) = server(answers).await;
    let (recorder, requests) = Recorder::new();
    (server, client.with_recorder(recorder), requests)
}

#[tokio::test]
async fn every_attempt_is_recorded_with_request_and_response() {
    let segment = json!({"id": "vip", "name": "VIP", "externalId": null, "parentSegmentId": null});
    let answers = [status(503).set_body_string("busy"), body(segment), status(204), status(404)];
    let (server, client, mut exchanges) = recorded(answers).await;
    client.one(&id("vip")).await.unwrap();
    client.update(&id("vip"), &draft("O'Neill")).await.unwrap();
    client.delete(&id("vip")).await.unwrap();

    let [first, second, update, delete] = std::array::from_fn(|_| exchanges.try_recv().unwrap());
    assert!(exchanges.try_recv().is_err());
    assert_eq!((first.status, first.attempt, first.response.text.as_str()), (Some(503), 1, "busy"));
    assert!(matches!(first.fault, Some(Fault::Refused { status: 503, .. })));
    assert_eq!((second.status, second.attempt, &second.fault), (Some(200), 2, &None));
    assert!(second.response.text.contains("VIP"));
    assert_eq!((second.method.as_str(), second.target()), ("GET", "/segments/vip"));
    assert_eq!((update.method.as_str(), update.status), ("PUT", Some(204)));
    assert!(update.sent.as_ref().unwrap().text.contains("O'Neill"));
    assert!(update.curl().unwrap().contains(&format!("-X PUT '{}{SEGMENTS}/vip'", server.uri())));
    // A 404 counts as deleted, but the record shows what the server said.
    assert_eq!(delete.status, Some(404));
}

#[tokio::test]
async fn an_invalid_response_is_recorded_as_such() {
    let (_server, client, mut exchanges) = recorded(times(&status(200).set_body_string("<html>"))).await;
    client.one(&id("vip")).await.unwrap_err();
    let exchange = exchanges.try_recv().unwrap();
    assert_eq!((exchange.status, exchange.response.text.as_str()), (Some(200), "<html>"));
    assert!(matches!(exchange.fault, Some(Fault::InvalidResponse { .. })));
}

#[tokio::test]
async fn recorded_exchanges_never_contain_an_echoed_key() {
    let echo = json!({"name": "x", "echo": format!("ApiAuth: {KEY}")});
    let answers = [
        status(422).set_body_json(&echo),
        status(200).set_body_string(format!("{}{KEY}{}", "x".repeat(2040), "y".repeat(20_000))),
        status(302).insert_header("location", format!("https://other.example/?key={KEY}")),
    ];
    let (_server, client, mut exchanges) = recorded(answers).await;
    client.update(&id(KEY), &draft(KEY)).await.unwrap_err();
    client.update(&id("vip"), &draft("VIP")).await.unwrap();
    client.update(&id("vip"), &draft("VIP")).await.unwrap_err();
    for _ in 0..3 {
        let exchange = exchanges.try_recv().unwrap();
        let all = format!("{exchange:?} {:?}", exchange.curl());
        for half in ["first-half", "second-half"] {
            assert!(!all.contains(half), "{all}");
        }
        assert!(exchange.curl().unwrap().contains("$SEGTUI_API_KEY"));
    }
}

#[tokio::test]
async fn only_the_beginning_of_a_response_is_recorded() {
    let segment = |number: usize| json!({"id": format!("{number:036}"), "name": "x".repeat(100)});
    let page = json!((0..500).map(segment).collect::<Vec<_>>());
    let whole = page.to_string();
    let (_server, client, mut exchanges) = recorded([body(page)]).await;
    assert_eq!(client.page(1, 500).await.unwrap().segments.len(), 500);
    let exchange = exchanges.try_recv().unwrap();
    assert_eq!(exchange.response.bytes, whole.len());
    assert!(exchange.response.text.len() <= 2048 && whole.starts_with(&exchange.response.text));
}

#[tokio::test]
async fn a_stalled_reader_blocks_nothing_and_learns_what_it_missed() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(status(404)).mount(&server).await;
    let (recorder, mut exchanges) = Recorder::new();
    let client = Client::new(settings(&server.uri())).unwrap().with_recorder(recorder);
    for _ in 0..300 {
        client.one(&id("vip")).await.unwrap();
    }
    let mut kept = 0;
    while let Ok(exchange) = exchanges.try_recv() {
        assert_eq!(exchange.dropped, 0);
        kept += 1;
    }
    client.one(&id("vip")).await.unwrap();
    assert_eq!((kept, exchanges.try_recv().unwrap().dropped), (256, 44));
    drop(exchanges);
    client.one(&id("vip")).await.unwrap();
}
