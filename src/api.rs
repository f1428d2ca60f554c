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

use self::exchange::{Answer, Most, Request};
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
    at: Timestamp,
    took: Duration,
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
    pub fn recorded(self, recorder: Recorder) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    /// Makes a call until it succeeds, fails for good, or has been tried often enough. `read` parses the body of the response;
    /// the bodies of PUT and DELETE responses are undocumented, so for those the status alone decides.
    async fn make<T>(
        &self,
        call: Call,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<T, RemoteError> {
        let repetition = repetition(&request.method);
        let mut failures = 0;
        loop {
            let (answer, timing) = self.try_once(&request).await;
            let outcome = match &answer.fault {
                Some(fault) => Err(fault.clone()),
                None => self.make_sense_of(&answer.body, &read),
            };
            self.record(&request, &answer, outcome.as_ref().err(), timing, failures + 1);
            let fault = match outcome {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            failures += 1;
            let Some(pause) = self.retries().pause(&fault, repetition, failures, fastrand::f64()) else {
                return Err(RemoteError { call, fault });
            };
            tracing::warn!(%call, %fault, failures, ?pause, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn try_once(&self, request: &Request) -> (Answer, Timing) {
        let (at, start) = (clock::now(), Instant::now());
        let answer = request.send(&self.http, &self.settings).await;
        let (method, path, elapsed) = (&request.method, request.url.path(), start.elapsed());
        match &answer.fault {
            None => tracing::debug!(%method, path, ?elapsed, bytes = answer.body.len(), "answered"),
            Some(fault) => tracing::debug!(%method, path, ?elapsed, %fault, "failed"),
        }
        (answer, Timing { at, took: elapsed })
    }

    fn record(&self, request: &Request, answer: &Answer, fault: Option<&Fault>, timing: Timing, attempt: u32) {
        let Some(recorder) = &self.recorder else { return };
        let Settings { key, tenant, .. } = &self.settings;
        recorder.record(|| Exchange {
            at: timing.at,
            method: request.method.to_string(),
            url: mask::without_key(request.url.as_str(), key),
            tenant: tenant.clone(),
            sent: request.body().map(|body| recorder::excerpt(body, key)),
            status: answer.status,
            fault: fault.cloned(),
            answer: recorder::excerpt(&answer.body, key),
            took: timing.took,
            attempt,
            missed: 0,
        });
    }

    /// Parses a body. If that fails, the error quotes the body, which may echo the request, so the key is masked.
    fn make_sense_of<T>(&self, body: &[u8], read: impl Fn(&[u8]) -> Result<T, Fault>) -> Result<T, Fault> {
        read(body).map_err(|fault| match fault {
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
        self.make(Call::Changes(from), Request::new(Method::GET, url).answered_with(Most::FEED), wire::changes).await
    }

    fn retries(&self) -> &Policy {
        &self.settings.retries
    }

    /// The URL of one segment. An id that no URL can hold fails before anything is sent.
    fn address_of(&self, id: &SegmentId) -> Result<Url, Fault> {
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
        self.make(Call::Page(number), Request::new(Method::GET, url).answered_with(Most::page(size)), wire::page).await
    }

    async fn one(&self, id: &SegmentId) -> Result<Option<Segment>, RemoteError> {
        let call = Call::One(id.clone());
        let url = self.address_of(id).map_err(|fault| RemoteError { call: call.clone(), fault })?;
        match self.make(call, Request::new(Method::GET, url).answered_with(Most::SEGMENT), wire::one).await {
            Err(error) if says_gone(&error.fault) => Ok(None),
            answer => answer.map(Some),
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
        let request = Request::new(Method::POST, url).with_json(wire::body(draft)).answered_with(Most::SEGMENT);
        self.make(Call::Create(draft.name.as_str().into()), request, wire::created).await
    }

    async fn update(&self, id: &SegmentId, draft: &Draft) -> Result<(), RemoteError> {
        let call = Call::Update(id.clone());
        let url = self.address_of(id).map_err(|fault| RemoteError { call: call.clone(), fault })?;
        let request = Request::new(Method::PUT, url).with_json(wire::body(draft));
        self.make(call, request, |_| Ok(())).await
    }

    async fn delete(&self, id: &SegmentId) -> Result<(), RemoteError> {
        let call = Call::Delete(id.clone());
        let url = self.address_of(id).map_err(|fault| RemoteError { call: call.clone(), fault })?;
        match self.make(call, Request::new(Method::DELETE, url), |_| Ok(())).await {
            Err(error) if says_gone(&error.fault) => Ok(()),
            answer => answer,
        }
    }
}

fn repetition(method: &Method) -> RetrySafety {
    if method.is_safe() {
        RetrySafety::Idempotent
    } else if method.is_idempotent() {
        RetrySafety::NeedsReread
    } else {
        RetrySafety::NotIdempotent
    }
}

fn says_gone(fault: &Fault) -> bool {
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
        assert_eq!(repetition(&Method::GET), RetrySafety::Idempotent);
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(repetition(&method), RetrySafety::NeedsReread, "{method}");
        }
        assert_eq!(repetition(&Method::POST), RetrySafety::NotIdempotent);
    }
}
