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
const LONGEST_ERROR: usize = 64 * 1024;
/// Cap on the wait that a server asks for. No caller waits that long anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// The longest response body that is accepted, after decompression. Reading stops as soon as a body exceeds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Most {
    /// At most this many bytes.
    Bytes(usize),
    /// Any length; only the beginning is read.
    Beginning,
}

impl Most {
    /// One segment: its texts are bounded, and this leaves room for fields that are not known here.
    pub const SEGMENT: Self = Self::Bytes(1024 * 1024);
    /// A part of the feed: ten thousand events take less than one megabyte.
    pub const FEED: Self = Self::Bytes(4 * 1024 * 1024);

    /// A page of `size` segments. A segment takes some 200 bytes, and a server may return more than it was asked for.
    pub fn page(size: u32) -> Self {
        const LEAST: usize = 4 * 1024 * 1024;
        const MOST: usize = 24 * 1024 * 1024;
        let asked = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(8 * 1024);
        Self::Bytes(asked.clamp(LEAST, MOST))
    }
}

/// A request that can be sent any number of times.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    body: Option<Vec<u8>>,
    most: Most,
}

impl Request {
    /// A request without a body. Only the beginning of its response is read.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, body: None, most: Most::Beginning }
    }

    /// The same request, with a different limit on its response.
    pub fn answered_with(self, most: Most) -> Self {
        Self { most, ..self }
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
    pub async fn send(&self, http: &reqwest::Client, settings: &Settings) -> Answer {
        let mut request = http.request(self.method.clone(), self.url.clone());
        if let Some(body) = self.body.clone() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        }
        match request.send().await {
            Ok(response) => Answer::read(response, self.most, settings).await,
            Err(error) => Answer { status: None, body: Vec::new(), fault: Some(network_fault(&error, settings)) },
        }
    }
}

/// The response, as far as it arrived.
#[derive(Debug)]
pub struct Answer {
    /// The status, if one arrived.
    pub status: Option<u16>,
    /// The body; of an error only its beginning.
    pub body: Vec<u8>,
    /// Why it is not a success.
    pub fault: Option<Fault>,
}

impl Answer {
    async fn read(response: Response, most: Most, settings: &Settings) -> Self {
        let status = response.status();
        let (body, fault) = if status.is_success() {
            match most {
                Most::Beginning => (beginning_of_body(response).await, None),
                Most::Bytes(most) => match complete_body(response, most, settings).await {
                    Ok(body) => (body, None),
                    Err(fault) => (Vec::new(), Some(fault)),
                },
            }
        } else if status.is_redirection() {
            let to = location(response.headers(), &settings.key);
            (Vec::new(), Some(Fault::Redirected { status: status.as_u16(), to }))
        } else {
            let asked = response.headers().get(RETRY_AFTER);
            let retry_after = asked.and_then(|value| asked_wait(value.to_str().ok()?, clock::now()));
            let body = beginning_of_body(response).await;
            let words = server_message::in_body(&body, &settings.key);
            (body, Some(Fault::Refused { status: status.as_u16(), words, retry_after }))
        };
        Self { status: Some(status.as_u16()), body, fault }
    }
}

async fn complete_body(mut response: Response, most: usize, settings: &Settings) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| network_fault(&error, settings))? {
        if body.len() + chunk.len() > most {
            return Err(Fault::TooLong { most });
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
        if body.len() >= LONGEST_ERROR {
            body.truncate(LONGEST_ERROR);
            break;
        }
    }
    body
}

fn network_fault(error: &reqwest::Error, settings: &Settings) -> Fault {
    let timeouts = &settings.timeouts;
    // The order matters: a timeout while connecting counts as a failure to connect, since nothing was sent.
    if error.is_connect() {
        Fault::Unreachable { reason: obstacle::of(error, &settings.base_url.segments(), timeouts.connect) }
    } else if error.is_timeout() {
        Fault::TimedOut { after: timeouts.request }
    } else if error.is_builder() {
        Fault::InvalidRequest { reason: innermost(error) }
    } else {
        let words = innermost(error);
        // The server answered a plain-text request on a port that expects TLS.
        let is_http = !words.starts_with("invalid HTTP ");
        Fault::Broken { reason: if is_http { words } else { NOT_HTTP.into() } }
    }
}

/// The message of the innermost cause, which comes from the network and not from the libraries around it.
pub fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let words = innermost.to_string();
    server_message::tidy(&plain(&words))
}

/// The system's message without its number: "Connection refused (os error 111)" becomes "connection refused".
fn plain(words: &str) -> String {
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

fn location(headers: &HeaderMap, key: &SecretString) -> String {
    headers.get(LOCATION).map_or_else(
        || "an unnamed address".to_owned(),
        |to| server_message::tidy(&mask::without_key(&String::from_utf8_lossy(to.as_bytes()), key)),
    )
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). A date in the past means no wait.
pub fn asked_wait(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to parse counts as the longest wait.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)).min(LONGEST_WAIT));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        assert_eq!(asked_wait("120", now), Some(Duration::from_secs(120)));
        assert_eq!(asked_wait(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(asked_wait("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(asked_wait("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO), "a date in the past");
        for long in ["9223372036854775807", "99999999999999999999999", "Fri, 24 Dec 9999 23:59:59 GMT", "86400"] {
            assert_eq!(asked_wait(long, now), Some(LONGEST_WAIT), "{long}");
        }
        for odd in ["soon", "-1", "1.5", "", "Mon, 01 Jan 99999 00:00:00 GMT"] {
            assert_eq!(asked_wait(odd, now), None, "{odd}");
        }
    }
}
