//! Servers that are unreachable, refuse, or send incomplete lists.

use std::fs;

use crate::desk::{Fixture, Workspace, start_server};

#[test]
fn an_unreachable_server_exits_with_seven_and_a_hint() {
    let workspace = Workspace::new();
    // The listener is dropped, so nothing listens on its port.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (code, stdout, stderr) =
        workspace.run(&["export", "--base-url", &url, "--tenant", "t", "--api-key", "hunter2"]);
    assert_eq!((code, stdout.as_str()), (7, ""));
    assert!(
        stderr.ends_with("\nhint: check the port, firewalls, and whether a proxy (HTTPS_PROXY) or a VPN is needed\n"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
    assert!(stderr.contains("couldn't load the segments") && stderr.contains("server unreachable"), "{stderr}");
}

#[test]
fn a_wrong_key_is_reported_in_the_servers_words_and_hidden() {
    let (_runtime, server) = start_server();
    let workspace = Workspace::new();
    let log = workspace.home.path().join("log");
    let (code, _, stderr) = workspace.run(&[
        "export",
        "--base-url",
        &server.base_url(),
        "--tenant",
        server.tenant(),
        "--api-key",
        "hunter2",
        "--log-level",
        "trace",
        "--log-file",
        log.to_str().unwrap(),
    ]);
    assert_eq!(code, 4);
    assert!(stderr.contains("\nhint: check the API key and the tenant"), "{stderr}");
    assert!(stderr.contains("401") && stderr.contains("is not valid for this tenant"), "{stderr}");
    let logged = fs::read_to_string(log).unwrap();
    assert!(logged.contains("failed"), "{logged}");
    assert!(!stderr.contains("hunter2") && !logged.contains("hunter2"));
}

/// A server with an empty page before pages that are not.
async fn with_a_hole() -> wiremock::MockServer {
    use wiremock::matchers::{method, path_regex, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    let server = MockServer::start().await;
    let answer = |body: serde_json::Value| ResponseTemplate::new(200).set_body_json(body);
    let feed = Mock::given(method("GET")).and(path_regex("synchronization"));
    feed.respond_with(answer(serde_json::json!({"nextId": 1, "events": []}))).mount(&server).await;
    for (page, ids) in [("1", ["a", "b"]), ("3", ["c", "d"])] {
        let entries: Vec<_> = ids.iter().map(|id| serde_json::json!({"id": id, "name": id})).collect();
        let page = Mock::given(method("GET")).and(query_param("pageNumber", page));
        page.respond_with(answer(entries.into())).mount(&server).await;
    }
    let others = Mock::given(method("GET")).and(path_regex("segments$"));
    others.respond_with(answer(serde_json::json!([]))).with_priority(9).mount(&server).await;
    server
}

#[test]
fn nothing_is_planned_from_an_incomplete_list() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(with_a_hole());
    let workspace = Workspace::new();
    let file = workspace.home.path().join("a.csv");
    fs::write(&file, "externalId,name\nE,e\n").unwrap();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let connection = ["--base-url", &server.uri(), "--tenant", "acme", "--api-key", "key-of-acme"];
        let (code, stdout, stderr) = workspace.run(&[command, &[file.to_str().unwrap()], &connection[..]].concat());
        assert_eq!((code, stdout.as_str()), (8, ""), "{stderr}");
        assert!(stderr.contains("nothing was planned: the list of segments is incomplete: "), "{stderr}");
        assert_eq!(stderr.matches("incomplete").count(), 1, "it is said once: {stderr}");
    }
    let requests = runtime.block_on(server.received_requests()).unwrap();
    assert!(requests.iter().all(|request| request.method.as_str() == "GET"));
}

#[test]
fn an_incomplete_list_is_written_with_exit_code_eight() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(with_a_hole());
    let workspace = Workspace::new();
    let uri = server.uri();
    let run = &|arguments: &[&str]| {
        let connection = ["--base-url", &uri, "--tenant", "acme", "--api-key", "key-of-acme"];
        workspace.run(&[arguments, &connection[..]].concat())
    };
    let file = workspace.home.path().join("out.csv");
    let path = file.to_str().unwrap();
    let commands = [
        &["export"][..],
        &["export", "--excel", "-q", "-o", path],
        &["tree"],
        &["find", "is:leaf"],
        &["check", "--rule", "missing-external-id", "--exit-code"],
        &["get", "a", "b", "c", "d", "-o", "csv"],
        &["find", "is:leaf", "-o", "json"],
        &["get", "e"],
    ];
    // The hole is fetched again after a while, so running all of them at once is faster.
    let ended = std::thread::scope(|scope| {
        let running = commands.map(|arguments| scope.spawn(move || run(arguments)));
        running.map(|command| command.join().unwrap())
    });
    let [whole @ .., json, missing] = ended;
    for (arguments, (code, stdout, stderr)) in commands.into_iter().zip(whole) {
        assert_eq!(code, 8, "{stderr}");
        assert!(stderr.starts_with("segtui: the list of segments is incomplete: page 2 was empty"), "{stderr}");
        assert!(stderr.contains("\nhint: try again; ") && stderr.lines().count() == 2, "{stderr}");
        let written = if arguments.contains(&path) { fs::read_to_string(&file).unwrap() } else { stdout };
        assert!(["a", "b", "c", "d"].iter().all(|id| written.contains(id)), "{written}");
    }

    let (code, stdout, stderr) = json;
    let (listed, error): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(&stdout).unwrap(), serde_json::from_str(&stderr).unwrap());
    assert_eq!((code, &listed["complete"], &error["code"]), (8, &false.into(), &8.into()));

    // What is missing from a part of the list may be in the rest of it.
    let (code, stdout, stderr) = missing;
    assert_eq!((code, stdout.as_str()), (8, ""));
    assert!(stderr.ends_with("hint: the list is incomplete, so it may exist anyway; try again\n"), "{stderr}");
}

#[test]
fn full_pages_that_repeat_are_an_incomplete_list() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(with_one_page());
    let uri = server.uri();
    let run = |size: &str| {
        let connection = ["--base-url", &uri, "--tenant", "acme", "--api-key", "key-of-acme", "--page-size", size];
        Workspace::new().run(&[&["export", "-q"], &connection[..]].concat())
    };
    let (code, stdout, stderr) = run("2");
    assert_eq!((code, stdout.lines().count()), (8, 4), "{stderr}");
    assert!(stderr.starts_with("segtui: the list of segments is incomplete: its pages repeat; stopped"), "{stderr}");
    assert_eq!(run("3").0, 0, "a page that is not full has everything");
}

/// A server that responds to every page with the same two segments.
async fn with_one_page() -> wiremock::MockServer {
    use wiremock::matchers::{method, path_regex};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    let server = MockServer::start().await;
    let answer = |body: serde_json::Value| ResponseTemplate::new(200).set_body_json(body);
    let feed = Mock::given(method("GET")).and(path_regex("synchronization"));
    feed.respond_with(answer(serde_json::json!({"nextId": 1, "events": []}))).mount(&server).await;
    let page = Mock::given(method("GET")).and(path_regex("segments$"));
    let segments = serde_json::json!([{"id": "a", "name": "a"}, {"id": "b", "name": "b"}]);
    page.respond_with(answer(segments)).mount(&server).await;
    server
}

#[test]
fn a_tenant_that_keeps_changing_is_listed_as_incomplete() {
    use axum::http::Method;
    use segtui::demo::{Actor, ChangeRequest, FaultTiming, Fields, InjectedFault};

    let fixture = Fixture::new();
    for number in 0..50 {
        let change =
            ChangeRequest::Create(Fields { name: format!("New {number}").into(), external_id: None, parent: None });
        let (on, by) = ((Method::GET, "pageNumber="), Actor::Backoffice);
        fixture.server.inject_fault(InjectedFault::ConcurrentChange { on, change, by, timing: FaultTiming::After });
    }
    let (code, stdout, stderr) = fixture.run(&["find", "polska", "-o", "json", "-q"]);
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((code, &error["code"]), (8, &8.into()), "{stderr}");
    assert_eq!(error["error"], "the tenant changed during loading, so a few segments may be missing or outdated");
    assert_eq!(error["hint"], "try again when less is changing");
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&found["complete"], found["segments"].as_array().map(Vec::len)), (&false.into(), Some(1)), "{stdout}");

    // A single change during the list is followed, and the list is complete.
    fixture.server.clear_faults();
    let change = ChangeRequest::Create(Fields { name: "One more".into(), external_id: None, parent: None });
    let (on, by) = ((Method::GET, "pageNumber="), Actor::Backoffice);
    fixture.server.inject_fault(InjectedFault::ConcurrentChange { on, change, by, timing: FaultTiming::After });
    let (code, stdout, stderr) = fixture.run(&["find", "One more", "-o", "ids"]);
    assert_eq!((code, stdout.lines().count()), (0, 1), "{stderr}");
}
