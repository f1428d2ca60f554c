//! The six API calls over HTTP.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::compression::CompressionLayer;

use crate::segment::{Segment, SegmentId};

use super::faults::{FaultInjector, FaultTiming, InjectedFault};
use super::tenant::{Actor, ChangeRefused, ChangeRequest, Fields, Tenant};
use super::{ListForm, Options, lock};

const API: &str = "/api/v1/account/integrations/auth-required";

/// The state shared by all requests.
#[derive(Debug)]
pub(super) struct Shared {
    pub options: Options,
    tenant: Mutex<Tenant>,
    fault_injector: Mutex<FaultInjector>,
}

impl Shared {
    pub fn new(tenant: Tenant, options: Options) -> Self {
        let fault_injector = Mutex::new(FaultInjector::new(options.trouble, options.seed));
        Self { options, tenant: Mutex::new(tenant), fault_injector }
    }

    pub fn tenant(&self) -> MutexGuard<'_, Tenant> {
        lock(&self.tenant)
    }

    pub fn fault_injector(&self) -> MutexGuard<'_, FaultInjector> {
        lock(&self.fault_injector)
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let calls = Router::new()
        .route("/segments", get(list).post(create))
        .route("/segments/synchronization", get(feed))
        .route("/segments/{id}", get(one).put(update).delete(delete));
    Router::new()
        .nest(API, calls)
        .fallback(async || problem(StatusCode::NOT_FOUND, "there is no such address"))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admit))
        .layer(CompressionLayer::new())
        .with_state(shared)
}

/// Runs before every call: latency, the two headers, and planned failures.
async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let fault = shared.fault_injector().next_fault(request.method(), &target);
    let _in_flight = InFlightGuard::new(&shared, request.method());
    tokio::time::sleep(shared.options.latency).await;
    if let Err(refusal) = authorised(request.headers(), &shared.options) {
        return refusal;
    }
    match fault {
        None => next.run(request).await,
        Some(InjectedFault::Refuse { status, retry_after, .. }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = problem(status, "trouble on order");
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Some(InjectedFault::LoseResponse { .. }) => {
            let response = next.run(request).await;
            let cut = futures_util::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("lost on order")) });
            (response.status(), Body::from_stream(cut)).into_response()
        }
        Some(InjectedFault::ReportFailure { status, .. }) => {
            next.run(request).await;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            problem(status, "upstream connect error or disconnect/reset before headers")
        }
        Some(InjectedFault::TruncateResponse { .. }) => {
            let response = next.run(request).await;
            let status = response.status();
            match axum::body::to_bytes(response.into_body(), usize::MAX).await {
                Ok(body) => (status, body.slice(..body.len() / 2)).into_response(),
                Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            }
        }
        Some(InjectedFault::DelayRequest { by, .. }) => {
            tokio::time::sleep(by).await;
            next.run(request).await
        }
        Some(InjectedFault::DelayResponse { by, .. }) => {
            let response = next.run(request).await;
            tokio::time::sleep(by).await;
            response
        }
        Some(InjectedFault::ConcurrentChange { change, by, timing: FaultTiming::Before, .. }) => {
            change_concurrently(&shared, by, change);
            next.run(request).await
        }
        Some(InjectedFault::ConcurrentChange { change, by, timing: FaultTiming::After, .. }) => {
            let response = next.run(request).await;
            change_concurrently(&shared, by, change);
            response
        }
    }
}

fn change_concurrently(shared: &Shared, by: Actor, change: ChangeRequest) {
    if let Err(refusal) = shared.tenant().apply(by, change) {
        tracing::debug!(%refusal, "nobody came between");
    }
}

/// Counts a request as in flight until it is done, even if the client does not wait for the response.
struct InFlightGuard<'a> {
    shared: &'a Shared,
    method: Method,
}

impl<'a> InFlightGuard<'a> {
    fn new(shared: &'a Shared, method: &Method) -> Self {
        shared.fault_injector().request_started(method);
        Self { shared, method: method.clone() }
    }
}

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        self.shared.fault_injector().request_finished(&self.method);
    }
}

#[expect(clippy::result_large_err, reason = "a response is what there is to give")]
fn authorised(headers: &HeaderMap, options: &Options) -> Result<(), Response> {
    let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if given("one-tenant") != Some(options.tenant.as_str()) {
        return Err(problem(StatusCode::UNAUTHORIZED, "the header one-tenant names no tenant of this server"));
    }
    if given("ApiAuth") != Some(options.api_key.as_str()) {
        return Err(problem(StatusCode::UNAUTHORIZED, "the key in the header ApiAuth is not valid for this tenant"));
    }
    Ok(())
}

/// RFC 9457, "Problem Details for HTTP APIs".
fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

fn refused(refusal: &ChangeRefused) -> Response {
    let status = match refusal {
        ChangeRefused::BlankName => StatusCode::BAD_REQUEST,
        ChangeRefused::NoSuchParent(_) | ChangeRefused::OwnSubtree(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ChangeRefused::NoSuchSegment(_) => StatusCode::NOT_FOUND,
        ChangeRefused::HasChildren { .. } => StatusCode::CONFLICT,
    };
    problem(status, &refusal.to_string())
}

/// The values of a query parameter, in order.
fn values(query: Option<&str>, name: &str) -> Vec<String> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

#[expect(clippy::result_large_err, reason = "a response is what there is to give")]
fn number(query: Option<&str>, name: &str) -> Result<usize, Response> {
    let value = values(query, name).pop().ok_or_else(|| format!("{name} is required"));
    let number = value.and_then(|value| value.parse().map_err(|_| format!("{name} is not a number from 1")));
    match number {
        Ok(number @ 1..) => Ok(number),
        Ok(0) => Err(problem(StatusCode::BAD_REQUEST, &format!("{name} counts from 1"))),
        Err(detail) => Err(problem(StatusCode::BAD_REQUEST, &detail)),
    }
}

async fn list(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let page = number(query.as_deref(), "pageNumber")?;
    let size = number(query.as_deref(), "pageSize")?.min(shared.options.page_cap.max(1));
    let (segments, total): (Vec<Segment>, usize) = {
        let tenant = shared.tenant();
        (tenant.page((page - 1).saturating_mul(size), size).cloned().collect(), tenant.len())
    };
    Ok(match shared.options.list_form {
        ListForm::Array => Json(segments).into_response(),
        ListForm::Envelope => Json(json!({ "listElement": segments, "totalElement": total })).into_response(),
    })
}

async fn one(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Response, Response> {
    let id = parse_id(&id)?;
    match shared.tenant().get(&id) {
        Some(segment) => Ok(Json(segment).into_response()),
        None => Err(refused(&ChangeRefused::NoSuchSegment(id))),
    }
}

/// The body of POST and PUT.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SegmentBody {
    name: Option<String>,
    external_id: Option<String>,
    parent_segment_id: Option<String>,
}

async fn create(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<SegmentBody>, JsonRejection>,
) -> Result<Response, Response> {
    let fields = fields(body)?;
    let id = shared
        .tenant()
        .apply(Actor::Integrations, ChangeRequest::Create(fields))
        .map_err(|refusal| refused(&refusal))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))).into_response())
}

async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Result<Json<SegmentBody>, JsonRejection>,
) -> Result<StatusCode, Response> {
    let change = ChangeRequest::Update(parse_id(&id)?, fields(body)?);
    shared.tenant().apply(Actor::Integrations, change).map_err(|refusal| refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<StatusCode, Response> {
    let change = ChangeRequest::Delete(parse_id(&id)?);
    shared.tenant().apply(Actor::Integrations, change).map_err(|refusal| refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}

#[expect(clippy::result_large_err, reason = "a response is what there is to give")]
fn parse_id(id: &str) -> Result<SegmentId, Response> {
    SegmentId::new(id).ok_or_else(|| problem(StatusCode::BAD_REQUEST, "a segment id can't be empty"))
}

#[expect(clippy::result_large_err, reason = "a response is what there is to give")]
fn fields(body: Result<Json<SegmentBody>, JsonRejection>) -> Result<Fields, Response> {
    let Json(body) = body.map_err(|rejection| problem(rejection.status(), &rejection.body_text()))?;
    let name = body.name.ok_or_else(|| problem(StatusCode::BAD_REQUEST, "name is required"))?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Fields {
        name: name.into(),
        external_id: filled(body.external_id).map(Into::into),
        parent: filled(body.parent_segment_id).and_then(|id| SegmentId::new(&id)),
    })
}

async fn feed(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Response> {
    let start = number(query.as_deref(), "startId")?;
    let mut actors = Vec::new();
    for names in values(query.as_deref(), "contexts") {
        for name in names.split(',') {
            let unknown = || problem(StatusCode::BAD_REQUEST, &format!("{name} is not an event context"));
            actors.push(Actor::named(name).ok_or_else(unknown)?);
        }
    }
    let tenant = shared.tenant();
    let mut next = start;
    let mut events = Vec::new();
    for step in tenant.feed().iter().skip(start - 1) {
        if events.len() == shared.options.feed_cap.max(1) {
            break;
        }
        if actors.is_empty() || actors.contains(&step.actor) {
            events.push(json!({ "segmentId": step.id, "type": step.kind }));
        }
        next += 1;
    }
    Ok(Json(json!({ "nextId": next, "events": events })))
}
