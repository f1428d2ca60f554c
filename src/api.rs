//! The HTTP client for the segment API: [`Client`] implements [`Remote`] for one tenant of the platform.
//!
//! It promises three things:
//!
//! - The key is sent to the host of the base URL only (no redirect is followed), and never appears in a log, an error, `Debug`
//!   output or what a [`Recorder`] reports.
//! - Reads are retried with growing pauses, or after the wait that the server asks for. A create is retried only if it was
//!   certainly never sent. Updates and deletions are never retried here: the caller has to check the segment's current state
//!   first.
//! - Every failure is a [`Fault`] in plain words.

mod exchange;
mod mask;
mod obstacle;
mod recorder;
pub mod retry;
pub mod route;
mod server_message;
mod settings;
pub mod webhook;
mod wire;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use url::Url;

use self::exchange::{ApiResponse, BodyLimit, Request};
use self::retry::{Policy, RetrySafety};
use crate::clock;
use crate::remote::{Call, Changes, Context, ContextsForm, Exchange, Fault, Page, Remote, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};

pub use recorder::Recorder;
pub use settings::{Settings, SettingsFault, Timeouts};

/// A connection to a tenant. Cheap to clone; clones share the open connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    settings: Settings,
    recorder: Option<Recorder>,
}

/// When a request was sent, and how long it took.
#[derive(Debug, Clone, Copy)]
struct Timing {
    sent_at: Timestamp,
    elapsed: Duration,
}

impl Client {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// A tenant or key that can't be put into a header, or a machine without certificates to check an https server by.
    pub fn new(settings: Settings) -> Result<Self, SettingsFault> {
        Ok(Self { http: settings.http_client()?, settings, recorder: None })
    }

    /// The same connection, with every request reported to `recorder`.
    #[must_use]
    pub fn with_recorder(self, recorder: Recorder) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    /// Makes a call until it succeeds, fails for good, or has been tried often enough. `parse` reads the body of the response;
    /// the bodies of PUT and DELETE responses are undocumented, so for those the status alone decides.
    async fn send_with_retries<T>(
        &self,
        call: Call,
        request: Request,
        parse: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<T, RemoteError> {
        let retry_safety = retry_safety(&request.method);
        let mut failures = 0;
        loop {
            let (response, timing) = self.try_once(&request).await;
            let result = match &response.fault {
                Some(fault) => Err(fault.clone()),
                None => self.parse_body(&response.body, &parse),
            };
            self.record(&request, &response, result.as_ref().err(), timing, failures + 1);
            let fault = match result {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            failures += 1;
            let Some(delay) = self.retries().backoff(&fault, retry_safety, failures, fastrand::f64()) else {
                return Err(RemoteError { call, fault });
            };
            tracing::warn!(%call, %fault, failures, ?delay, "trying again");
            tokio::time::sleep(delay).await;
        }
    }

    async fn try_once(&self, request: &Request) -> (ApiResponse, Timing) {
        let (sent_at, start) = (clock::now(), Instant::now());
        let response = request.send(&self.http, &self.settings).await;
        let (method, path, elapsed) = (&request.method, request.url.path(), start.elapsed());
        match &response.fault {
            None => tracing::debug!(%method, path, ?elapsed, bytes = response.body.len(), "answered"),
            Some(fault) => tracing::debug!(%method, path, ?elapsed, %fault, "failed"),
        }
        (response, Timing { sent_at, elapsed })
    }

    fn record(&self, request: &Request, response: &ApiResponse, fault: Option<&Fault>, timing: Timing, attempt: u32) {
        let Some(recorder) = &self.recorder else { return };
        let Settings { key, tenant, .. } = &self.settings;
        recorder.record(|| Exchange {
            at: timing.sent_at,
            method: request.method.to_string(),
            url: mask::without_key(request.url.as_str(), key),
            tenant: tenant.clone(),
            sent: request.body().map(|body| recorder::excerpt(body, key)),
            status: response.status,
            fault: fault.cloned(),
            response: recorder::excerpt(&response.body, key),
            elapsed: timing.elapsed,
            attempt,
            dropped: 0,
        });
    }

    /// Parses a body. If that fails, the error quotes the body, which may echo the request, so the key is masked.
    fn parse_body<T>(&self, body: &[u8], parse: impl Fn(&[u8]) -> Result<T, Fault>) -> Result<T, Fault> {
        parse(body).map_err(|fault| match fault {
            Fault::InvalidResponse { reason } => Fault::InvalidResponse {
                reason: server_message::shortened(&mask::without_key(&reason, &self.settings.key)),
            },
            other => other,
        })
    }

    async fn changes_in(&self, from: Step, contexts: &[Context]) -> Result<Changes, RemoteError> {
        let mut url = self.settings.base_url.feed();
        url.query_pairs_mut()
            .extend_pairs(contexts_query(contexts, self.settings.contexts_form))
            .append_pair("startId", &from.to_string());
        self.send_with_retries(
            Call::Changes(from),
            Request::new(Method::GET, url).with_body_limit(BodyLimit::FEED),
            wire::changes,
        )
        .await
    }

    fn retries(&self) -> &Policy {
        &self.settings.retries
    }

    /// The URL of one segment. An id that no URL can hold fails before anything is sent.
    fn segment_url(&self, id: &SegmentId) -> Result<Url, Fault> {
        self.settings
            .base_url
            .segment(id)
            .ok_or_else(|| Fault::InvalidRequest { reason: format!("the ID `{id}` can't be part of a URL") })
    }
}

impl Remote for Client {
    async fn page(&self, number: u32, size: u32) -> Result<Page, RemoteError> {
        let mut url = self.settings.base_url.segments();
        url.query_pairs_mut().append_pair("pageNumber", &number.to_string()).append_pair("pageSize", &size.to_string());
        self.send_with_retries(
            Call::Page(number),
            Request::new(Method::GET, url).with_body_limit(BodyLimit::page(size)),
            wire::page,
        )
        .await
    }

    async fn one(&self, id: &SegmentId) -> Result<Option<Segment>, RemoteError> {
        let call = Call::One(id.clone());
        let url = self.segment_url(id).map_err(|fault| RemoteError { call: call.clone(), fault })?;
        match self
            .send_with_retries(call, Request::new(Method::GET, url).with_body_limit(BodyLimit::SEGMENT), wire::one)
            .await
        {
            Err(error) if is_gone(&error.fault) => Ok(None),
            result => result.map(Some),
        }
    }

    async fn changes(&self, from: Step, only: Option<Context>) -> Result<Changes, RemoteError> {
        let contexts = only.as_ref().map_or(self.settings.contexts.as_slice(), std::slice::from_ref);
        self.changes_in(from, contexts).await
    }

    async fn changes_by_anybody(&self, from: Step) -> Result<Changes, RemoteError> {
        self.changes_in(from, &Context::ALL).await
    }

    async fn create(&self, draft: &Draft) -> Result<SegmentId, RemoteError> {
        let url = self.settings.base_url.segments();
        let request = Request::new(Method::POST, url).with_json(wire::body(draft)).with_body_limit(BodyLimit::SEGMENT);
        self.send_with_retries(Call::Create(draft.name.as_str().into()), request, wire::created).await
    }

    async fn update(&self, id: &SegmentId, draft: &Draft) -> Result<(), RemoteError> {
        let call = Call::Update(id.clone());
        let url = self.segment_url(id).map_err(|fault| RemoteError { call: call.clone(), fault })?;
        let request = Request::new(Method::PUT, url).with_json(wire::body(draft));
        self.send_with_retries(call, request, |_| Ok(())).await
    }

    async fn delete(&self, id: &SegmentId) -> Result<(), RemoteError> {
        let call = Call::Delete(id.clone());
        let url = self.segment_url(id).map_err(|fault| RemoteError { call: call.clone(), fault })?;
        match self.send_with_retries(call, Request::new(Method::DELETE, url), |_| Ok(())).await {
            Err(error) if is_gone(&error.fault) => Ok(()),
            result => result,
        }
    }
}

fn retry_safety(method: &Method) -> RetrySafety {
    if method.is_safe() {
        RetrySafety::Idempotent
    } else if method.is_idempotent() {
        RetrySafety::NeedsReread
    } else {
        RetrySafety::NotIdempotent
    }
}

fn is_gone(fault: &Fault) -> bool {
    let gone = StatusCode::GONE.as_u16();
    fault.is_not_found() || matches!(fault, Fault::Refused { status, .. } if *status == gone)
}

/// The query for some contexts. None and all four both mean the service's default, so nothing is sent for them.
fn contexts_query(contexts: &[Context], form: ContextsForm) -> Vec<(&'static str, String)> {
    let wanted: Vec<&str> =
        Context::ALL.into_iter().filter(|context| contexts.contains(context)).map(Context::wire_name).collect();
    if wanted.is_empty() || wanted.len() == Context::ALL.len() {
        return Vec::new();
    }
    match form {
        ContextsForm::Repeated => wanted.into_iter().map(|name| ("contexts", name.to_owned())).collect(),
        ContextsForm::Comma => vec![("contexts", wanted.join(","))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_sent_only_when_some_are_excluded() {
        let query = |contexts: &[Context], form| {
            contexts_query(contexts, form).into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        assert!(query(&[], ContextsForm::Repeated).is_empty());
        assert!(query(&Context::ALL, ContextsForm::Comma).is_empty());
        let two = [Context::Integrations, Context::Backoffice, Context::Backoffice];
        assert_eq!(query(&two, ContextsForm::Repeated), ["contexts=BACKOFFICE", "contexts=INTEGRATIONS"]);
        assert_eq!(query(&two, ContextsForm::Comma), ["contexts=BACKOFFICE,INTEGRATIONS"]);
    }

    #[test]
    fn only_reads_are_safe_to_repeat() {
        assert_eq!(retry_safety(&Method::GET), RetrySafety::Idempotent);
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(retry_safety(&method), RetrySafety::NeedsReread, "{method}");
        }
        assert_eq!(retry_safety(&Method::POST), RetrySafety::NotIdempotent);
    }
}
