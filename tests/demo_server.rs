//! The demo server over real sockets, as any HTTP client sees it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::time::Duration;

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use segtui::demo::{Actor, ChangeRequest, Fields, InjectedFault, ListForm, Options, Server};
use serde_json::{Value, json};

struct Client {
    http: reqwest::Client,
    server: Server,
}

impl Client {
    async fn of(options: Options) -> Self {
        // The TLS crypto provider is global to the process; the first test installs it.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
        Self { http, server: Server::start(options).await.unwrap() }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        self.try_ask(method, path, body).await.unwrap()
    }

    async fn try_ask(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let url = format!("{}/api/v1/account/integrations/auth-required{path}", self.server.base_url());
        let request = self.http.request(method, url);
        let request = request.header("one-tenant", self.server.tenant()).header("ApiAuth", self.server.api_key());
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
            None => request,
        };
        request.send().await
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        json_of(response).await
    }
}

async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn small() -> Options {
    Options { segments: Some(25), ..Options::default() }
}

#[tokio::test]
async fn pages_follow_each_other_until_an_empty_one() {
    let client = Client::of(small()).await;
    let mut ids = Vec::new();
    for (page, expected) in [(1, 10), (2, 10), (3, 5), (4, 0)] {
        let list = client.get(&format!("/segments?pageNumber={page}&pageSize=10")).await;
        let list = list.as_array().unwrap().clone();
        assert_eq!(list.len(), expected);
        ids.extend(list.into_iter().map(|segment| segment["id"].as_str().unwrap().to_owned()));
    }
    let all: Vec<String> = client.server.segments().iter().map(|segment| segment.id.to_string()).collect();
    assert_eq!(ids, all);
}

#[tokio::test]
async fn a_page_can_be_capped_and_put_into_an_envelope() {
    let client = Client::of(Options { page_cap: 7, list_form: ListForm::Envelope, ..small() }).await;
    let page = client.get("/segments?pageNumber=1&pageSize=1000").await;
    assert_eq!(page["listElement"].as_array().unwrap().len(), 7);
    assert_eq!(page["totalElement"], 25);
}

#[tokio::test]
async fn both_headers_and_both_parameters_are_required() {
    let client = Client::of(small()).await;
    let url = format!(
        "{}/api/v1/account/integrations/auth-required/segments?pageNumber=1&pageSize=1",
        client.server.base_url()
    );
    for (tenant, key) in [("nobody", client.server.api_key()), (client.server.tenant(), "wrong")] {
        let request = client.http.get(&url).header("one-tenant", tenant).header("ApiAuth", key);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    for query in ["", "?pageNumber=1", "?pageNumber=0&pageSize=10", "?pageNumber=one&pageSize=10"] {
        let response = client.ask(Method::GET, &format!("/segments{query}"), None).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn the_feed_reports_a_segment_from_post_to_delete() {
    let client = Client::of(small()).await;
    let start = client.get("/segments/synchronization?startId=1").await["nextId"].as_i64().unwrap();
    let body = json!({ "name": "Nowy", "externalId": "N", "parentSegmentId": null });
    let created = client.ask(Method::POST, "/segments", Some(body)).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let id = json_of(created).await["id"].as_str().unwrap().to_owned();
    let path = format!("/segments/{id}");
    assert_eq!(
        client.get(&path).await,
        json!({ "id": id, "name": "Nowy", "externalId": "N", "parentSegmentId": null })
    );
    // PUT replaces the segment: omitted fields are cleared.
    let updated = client.ask(Method::PUT, &path, Some(json!({ "name": "Nowszy" }))).await;
    assert_eq!(updated.status(), StatusCode::NO_CONTENT);
    assert_eq!(client.get(&path).await["externalId"], Value::Null);
    assert_eq!(client.ask(Method::DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(client.ask(Method::GET, &path, None).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(client.ask(Method::DELETE, &path, None).await.status(), StatusCode::NOT_FOUND);
    let feed = client.get(&format!("/segments/synchronization?startId={start}")).await;
    let kinds: Vec<_> =
        feed["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CREATE", "UPDATE", "DELETE"]);
    assert_eq!(feed["nextId"], start + 3);
}

#[tokio::test]
async fn an_invalid_request_is_refused_with_a_reason() {
    let client = Client::of(small()).await;
    let child = client.server.segments().into_iter().find(|segment| segment.parent.is_some()).unwrap();
    let path = format!("/segments/{}", child.parent.unwrap());
    let cases = [
        (Method::POST, "/segments", json!({ "name": " " }), 400, "blank"),
        (Method::POST, "/segments", json!({}), 400, "name is required"),
        (Method::POST, "/segments", json!({ "name": "x", "parentSegmentId": "nobody" }), 422, "nobody does not exist"),
        (Method::PUT, &path, json!({ "name": "x", "parentSegmentId": child.id }), 422, "own subtree"),
        (Method::DELETE, &path, json!({}), 409, "child segments"),
    ];
    for (method, path, body, status, words) in cases {
        let response = client.ask(method, path, Some(body)).await;
        assert_eq!(response.status().as_u16(), status);
        let detail = json_of(response).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn the_feed_filters_by_context_and_comes_in_parts() {
    let client = Client::of(Options { feed_cap: 2, ..small() }).await;
    let start = 26;
    for actor in [Actor::Backoffice, Actor::Integrations, Actor::Backoffice, Actor::Backoffice] {
        let fields = Fields { name: "x".into(), external_id: None, parent: None };
        client.server.change(actor, ChangeRequest::Create(fields)).unwrap();
    }
    let feed = |query: String| async move { query };
    let path = feed(format!("/segments/synchronization?contexts=BACKOFFICE&startId={start}")).await;
    let first = client.get(&path).await;
    assert_eq!((first["events"].as_array().unwrap().len(), &first["nextId"]), (2, &json!(start + 3)));
    let second = client.get(&format!("/segments/synchronization?contexts=BACKOFFICE&startId={}", start + 3)).await;
    assert_eq!((second["events"].as_array().unwrap().len(), &second["nextId"]), (1, &json!(start + 4)));
    // A part without events of that context still advances.
    let internal = client.get(&format!("/segments/synchronization?contexts=INTERNAL&startId={start}")).await;
    assert_eq!((internal["events"].as_array().unwrap().len(), &internal["nextId"]), (0, &json!(start + 4)));
    let unknown = client.ask(Method::GET, "/segments/synchronization?contexts=ERP&startId=1", None).await;
    assert_eq!(unknown.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn planned_trouble_happens_once() {
    let client = Client::of(small()).await;
    client.server.inject_fault(InjectedFault::Refuse {
        on: (Method::GET, "pageNumber=1"),
        status: 429,
        retry_after: Some(2),
    });
    client.server.inject_fault(InjectedFault::LoseResponse { on: (Method::POST, "/segments") });
    client
        .server
        .inject_fault(InjectedFault::DelayRequest { on: (Method::GET, "pageNumber=2"), by: Duration::from_millis(50) });
    client.server.inject_fault(InjectedFault::TruncateResponse { on: (Method::GET, "pageNumber=3") });
    let path = "/segments?pageNumber=1&pageSize=5";
    let refused = client.ask(Method::GET, path, None).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "2"));
    assert_eq!(client.ask(Method::GET, path, None).await.status(), StatusCode::OK);
    let lost = client.try_ask(Method::POST, "/segments", Some(json!({ "name": "made all the same" }))).await;
    let lost = match lost {
        Ok(response) => response.bytes().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(lost.is_err(), "the answer is lost");
    assert_eq!(client.server.segments().len(), 26);
    let began = std::time::Instant::now();
    client.get("/segments?pageNumber=2&pageSize=5").await;
    assert!(began.elapsed() >= Duration::from_millis(50));
    let cut = client.ask(Method::GET, "/segments?pageNumber=3&pageSize=5", None).await;
    assert_eq!(cut.status(), StatusCode::OK);
    assert!(serde_json::from_slice::<Value>(&cut.bytes().await.unwrap()).is_err(), "half of it is no JSON");
    let troubled: Vec<bool> = client.server.requests().iter().map(|request| request.troubled).collect();
    assert_eq!(troubled, [true, false, true, true, true]);
}

#[tokio::test]
async fn trouble_by_chance_meets_its_share_of_the_requests() {
    let client = Client::of(Options { trouble: 0.25, ..small() }).await;
    for _ in 0..200 {
        // The outcome doesn't matter here.
        let _fate = client.try_ask(Method::GET, "/segments?pageNumber=1&pageSize=5", None).await;
    }
    let troubled = client.server.requests().iter().filter(|request| request.troubled).count();
    assert!((30..=70).contains(&troubled), "{troubled} of 200");
}

#[tokio::test]
async fn large_answers_are_compressed_when_asked_for() {
    let client = Client::of(Options { segments: Some(500), ..Options::default() }).await;
    let url = format!(
        "{}/api/v1/account/integrations/auth-required/segments?pageNumber=1&pageSize=500",
        client.server.base_url()
    );
    let plain = reqwest::Client::builder().tls_certs_only([]).no_proxy().no_gzip().build().unwrap();
    let request =
        plain.get(url).header("one-tenant", client.server.tenant()).header("ApiAuth", client.server.api_key());
    let response = request.header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
}

#[tokio::test]
async fn a_server_that_is_stopped_is_gone() {
    let client = Client::of(small()).await;
    let url = client.server.base_url();
    let http = client.http.clone();
    client.server.stop().await;
    assert!(http.get(url).send().await.is_err());
}
