//! A request that was made and what came of it, for a person to read. It is all that is ever kept of a request, so the API key
//! must not be in it, not even where a server sends it back; whoever makes one takes it out.

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
    /// The whole address.
    pub url: String,
    /// The tenant that it was sent for.
    pub tenant: String,
    /// What was sent along.
    pub sent: Option<Excerpt>,
    /// The HTTP status of the answer, if one came.
    pub status: Option<u16>,
    /// Why it was not a success.
    pub fault: Option<Fault>,
    /// The body of the answer.
    pub answer: Excerpt,
    /// Until the end of the answer.
    pub took: Duration,
    /// How often the same call was made by then, this time included.
    pub attempt: u32,
    /// Requests since the one before that nobody was told of, because too many were waiting to be read.
    pub missed: u64,
}

impl Exchange {
    /// The address from where requests begin to differ: `/segments` and what follows.
    #[must_use]
    pub fn target(&self) -> &str {
        self.url.split_once(API_PATH).map_or(&self.url, |(_, target)| target)
    }

    /// The command that makes the same request; `None` where its body was too long to be kept.
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
    /// What was kept of it.
    pub text: String,
    /// How long all of it is.
    pub bytes: usize,
    /// How much of it is not in the text.
    pub cut: usize,
}

impl Excerpt {
    /// Whether there was more.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut > 0
    }
}
