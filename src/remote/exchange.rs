//! A request that was made and its response, as shown to the user. Nothing else is kept of a request, so it must not contain the
//! API key, not even where a server echoed it; the code that creates an [`Exchange`] masks it.

use std::time::Duration;

use jiff::Timestamp;

use super::base_url::API_PATH;
use super::{Fault, curl};

/// One request, sent once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// When it was sent.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The full URL.
    pub url: String,
    /// The tenant it was sent for.
    pub tenant: String,
    /// The body of the request.
    pub sent: Option<Excerpt>,
    /// The HTTP status of the response, if one arrived.
    pub status: Option<u16>,
    /// Why it was not a success.
    pub fault: Option<Fault>,
    /// The body of the response.
    pub response: Excerpt,
    /// Time until the end of the response.
    pub elapsed: Duration,
    /// Which try of the call this is, counted from 1.
    pub attempt: u32,
    /// Requests before this one that were not reported, because too many were waiting to be read.
    pub dropped: u64,
}

impl Exchange {
    /// The part of the URL in which requests differ: `/segments` and what follows.
    #[must_use]
    pub fn target(&self) -> &str {
        self.url.split_once(API_PATH).map_or(&self.url, |(_, target)| target)
    }

    /// The command that makes the same request; `None` if its body was too long to be kept.
    #[must_use]
    pub fn curl(&self) -> Option<String> {
        if self.sent.as_ref().is_some_and(Excerpt::is_cut) {
            return None;
        }
        let body = self.sent.as_ref().map(|sent| sent.text.as_str());
        Some(curl(&self.method, &self.url, &self.tenant, body))
    }
}

/// A body, or the beginning of a long one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The part that was kept.
    pub text: String,
    /// The length of the whole body in bytes.
    pub bytes: usize,
    /// How many bytes are not in the text.
    pub cut: usize,
}

impl Excerpt {
    /// Whether the body was cut.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut > 0
    }
}
