//! What the server does to a command: unreachable, refusing, incomplete.

use std::fs;

use crate::desk::{Desk, serving};

#[test]
fn a_server_that_can_not_be_reached_is_seven_and_says_why() {
    let desk = Desk::new();
    // Nobody listens on the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (code, stdout, stderr) = desk.run(&["export", "--base-url", &url, "--tenant", "t", "--api-key", "hunter2"]);
    assert_eq!((code, stdout.as_str()), (7, ""));
    assert!(stderr.ends_with("\nhint: check the network and the base URL, or try again later\n"), "{stderr}");
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
    assert!(stderr.contains("couldn't load the segments") && stderr.contains("server unreachable"), "{stderr}");
}

#[test]
fn a_wrong_key_is_told_in_the_servers_words_and_never_shown() {
    let (_runtime, server) = serving();
    let desk = Desk::new();
    let log = desk.home.path().join("log");
    let (code, _, stderr) = desk.run(&[
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

/// A server with a page that comes empty although later ones do not.
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
fn a_list_with_a_hole_is_written_and_does_not_end_well() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(with_a_hole());
    let desk = Desk::new();
    let uri = server.uri();
    let run = |arguments: &[&str]| {
        let connection = ["--base-url", &uri, "--tenant", "acme", "--api-key", "key-of-acme"];
        desk.run(&[arguments, &connection[..]].concat())
    };
    let file = desk.home.path().join("out.csv");
    let path = file.to_str().unwrap();
    for arguments in [
        &["export"][..],
        &["export", "--excel", "-q", "-o", path],
        &["tree"],
        &["find", "is:leaf"],
        &["check", "--rule", "missing-external-id", "--exit-code"],
        &["get", "a", "b", "c", "d", "-o", "csv"],
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!(code, 8, "{stderr}");
        assert!(stderr.starts_with("segtui: the list of segments is incomplete: page 2 was empty"), "{stderr}");
        assert!(stderr.contains("\nhint: try again; ") && stderr.lines().count() == 2, "{stderr}");
        let written = if arguments.contains(&path) { fs::read_to_string(&file).unwrap() } else { stdout };
        assert!(["a", "b", "c", "d"].iter().all(|id| written.contains(id)), "{written}");
    }

    let (code, stdout, stderr) = run(&["find", "is:leaf", "-o", "json"]);
    let (listed, said): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(&stdout).unwrap(), serde_json::from_str(&stderr).unwrap());
    assert_eq!((code, &listed["complete"], &said["code"]), (8, &false.into(), &8.into()));

    // What is not in a part of the list may be in the rest of it.
    let (code, stdout, stderr) = run(&["get", "e"]);
    assert_eq!((code, stdout.as_str()), (8, ""));
    assert!(stderr.ends_with("hint: the list is incomplete, so it may exist all the same; try again\n"), "{stderr}");
}
