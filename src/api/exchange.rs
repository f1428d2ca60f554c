//! One request and its response: everything that can go wrong between the two becomes a [`Fault`].

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response};
use secrecy::SecretString;
use url::Url;

use super::settings::Settings;
use super::{mask, obstacle, server_message};
use crate::clock;
use crate::remote::{Fault, NOT_HTTP};

/// The most that is read of an error page or an unparsed body: enough for any error message.
const MAX_ERROR_BODY_LEN: usize = 64 * 1024;
/// Cap on the wait that a server asks for. No caller waits that long anyway.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// The longest response body that is accepted, after decompression. Reading stops as soon as a body exceeds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLimit {
    /// At most this many bytes.
    MaxBytes(usize),
    /// Any length; only the beginning is read.
    Truncate,
}

impl BodyLimit {
    /// One segment: its texts are bounded, and this leaves room for fields that are not known here.
    pub const SEGMENT: Self = Self::MaxBytes(1024 * 1024);
    /// A part of the feed: ten thousand events take less than one megabyte.
    pub const FEED: Self = Self::MaxBytes(4 * 1024 * 1024);

    /// A page of `size` segments. A segment takes some 200 bytes, and a server may return more than it was asked for.
    pub fn page(size: u32) -> Self {
        const MIN_BYTES: usize = 4 * 1024 * 1024;
        const MAX_BYTES: usize = 24 * 1024 * 1024;
        let estimate = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(8 * 1024);
        Self::MaxBytes(estimate.clamp(MIN_BYTES, MAX_BYTES))
    }
}

/// A request that can be sent any number of times.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    body: Option<Vec<u8>>,
    limit: BodyLimit,
}

impl Request {
    /// A request without a body. Only the beginning of its response is read.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, body: None, limit: BodyLimit::Truncate }
    }

    /// The same request, with a different limit on its response.
    pub fn with_body_limit(self, limit: BodyLimit) -> Self {
        Self { limit, ..self }
    }

    /// The request with a JSON body.
    pub fn with_json(self, body: Vec<u8>) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The request's body.
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// Sends it once.
    pub async fn send(&self, http: &reqwest::Client, settings: &Settings) -> ApiResponse {
        let mut request = http.request(self.method.clone(), self.url.clone());
        if let Some(body) = self.body.clone() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        }
        match request.send().await {
            Ok(response) => ApiResponse::read(response, self.limit, settings).await,
            Err(error) => ApiResponse { status: None, body: Vec::new(), fault: Some(network_fault(&error, settings)) },
        }
    }
}

/// The response, as far as it arrived.
#[derive(Debug)]
pub struct ApiResponse {
    /// The status, if one arrived.
    pub status: Option<u16>,
    /// The body; of an error only its beginning.
    pub body: Vec<u8>,
    /// Why it is not a success.
    pub fault: Option<Fault>,
}

impl ApiResponse {
    async fn read(response: Response, limit: BodyLimit, settings: &Settings) -> Self {
        let status = response.status();
        let (body, fault) = if status.is_success() {
            match limit {
                BodyLimit::Truncate => (beginning_of_body(response).await, None),
                BodyLimit::MaxBytes(limit) => match complete_body(response, limit, settings).await {
                    Ok(body) => (body, None),
                    Err(fault) => (Vec::new(), Some(fault)),
                },
            }
        } else if status.is_redirection() {
            let to = redirect_target(response.headers(), &settings.key);
            (Vec::new(), Some(Fault::Redirected { status: status.as_u16(), to }))
        } else {
            let header = response.headers().get(RETRY_AFTER);
            let retry_after = header.and_then(|value| parse_retry_after(value.to_str().ok()?, clock::now()));
            let body = beginning_of_body(response).await;
            let message = server_message::from_body(&body, &settings.key);
            (body, Some(Fault::Refused { status: status.as_u16(), message, retry_after }))
        };
        Self { status: Some(status.as_u16()), body, fault }
    }
}

async fn complete_body(mut response: Response, limit: usize, settings: &Settings) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| network_fault(&error, settings))? {
        if body.len() + chunk.len() > limit {
            return Err(Fault::TooLong { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads what it can of the body. The status is already known, so a body that breaks off is no error.
async fn beginning_of_body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_ERROR_BODY_LEN {
            body.truncate(MAX_ERROR_BODY_LEN);
            break;
        }
    }
    body
}

fn network_fault(error: &reqwest::Error, settings: &Settings) -> Fault {
    let timeouts = &settings.timeouts;
    // The order matters: a timeout while connecting counts as a failure to connect, since nothing was sent.
    if error.is_connect() {
        Fault::Unreachable { reason: obstacle::classify(error, &settings.base_url.segments(), timeouts.connect) }
    } else if error.is_timeout() {
        Fault::TimedOut { after: timeouts.request }
    } else if error.is_builder() {
        Fault::InvalidRequest { reason: root_cause_message(error) }
    } else {
        let words = root_cause_message(error);
        // The server answered a plain-text request on a port that expects TLS.
        let is_http = !words.starts_with("invalid HTTP ");
        Fault::Broken { reason: if is_http { words } else { NOT_HTTP.into() } }
    }
}

/// The message of the innermost cause, which comes from the network and not from the libraries around it.
pub fn root_cause_message(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let words = innermost.to_string();
    server_message::sanitize(&without_os_error_code(&words))
}

/// The system's message without its number: "Connection refused (os error 111)" becomes "connection refused".
fn without_os_error_code(words: &str) -> String {
    let words = match words.rsplit_once(" (os error ") {
        Some((words, number)) if number.ends_with(')') => words,
        _ => words,
    };
    let mut characters = words.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(characters).collect(),
        _ => words.to_owned(),
    }
}

fn redirect_target(headers: &HeaderMap, key: &SecretString) -> String {
    headers.get(LOCATION).map_or_else(
        || "an unnamed address".to_owned(),
        |to| server_message::sanitize(&mask::without_key(&String::from_utf8_lossy(to.as_bytes()), key)),
    )
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). A date in the past means no wait.
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to parse counts as the longest wait.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)).min(MAX_RETRY_AFTER));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        assert_eq!(parse_retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(parse_retry_after(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO), "a date in the past");
        for long in ["9223372036854775807", "99999999999999999999999", "Fri, 24 Dec 9999 23:59:59 GMT", "86400"] {
            assert_eq!(parse_retry_after(long, now), Some(MAX_RETRY_AFTER), "{long}");
        }
        for odd in ["soon", "-1", "1.5", "", "Mon, 01 Jan 99999 00:00:00 GMT"] {
            assert_eq!(parse_retry_after(odd, now), None, "{odd}");
        }
    }
}
