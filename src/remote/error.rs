//! How a call fails: what was being done, what went wrong, and whether to retry.

use std::fmt;
use std::time::Duration;

use compact_str::CompactString;

use crate::segment::{SegmentId, Step};

use super::ConnectError;

/// A call that failed. Displayed as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("couldn't {call}: {fault}")]
pub struct RemoteError {
    /// What was being done.
    pub call: Call,
    /// What went wrong.
    pub fault: Fault,
}

/// A call to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A page of the list.
    Page(u32),
    /// One segment.
    One(SegmentId),
    /// The feed from a step on.
    Changes(Step),
    /// A new segment of that name.
    Create(CompactString),
    /// New values for a segment.
    Update(SegmentId),
    /// Delete a segment.
    Delete(SegmentId),
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(number) => write!(f, "load page {number}"),
            Self::One(id) => write!(f, "fetch segment {id}"),
            Self::Changes(_) => write!(f, "fetch changes"),
            Self::Create(name) => write!(f, "create {name}"),
            Self::Update(id) => write!(f, "update segment {id}"),
            Self::Delete(id) => write!(f, "delete segment {id}"),
        }
    }
}

/// The reason given when something other than HTTP came back on a connection.
pub const NOT_HTTP: &str = "what answers there doesn't speak HTTP; it may want https";

/// What went wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The server answered with an error status.
    #[error("the server responded {status}{}", message_suffix(.message))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's own message, cut to a sensible length; may be empty.
        message: String,
        /// How long the server asked to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// No connection was made, so nothing was sent.
    #[error("server unreachable ({reason})")]
    Unreachable {
        /// What stood in the way.
        reason: ConnectError,
    },
    /// No response in time; the request may have been applied.
    #[error("no response within {} s", .after.as_secs())]
    TimedOut {
        /// The timeout.
        after: Duration,
    },
    /// The connection broke before the response was complete; the request may have been applied.
    #[error("connection lost ({reason})")]
    Broken {
        /// The message of the network library.
        reason: String,
    },
    /// The response does not match the API.
    #[error("unexpected response: {reason}")]
    InvalidResponse {
        /// What was expected, and what was received.
        reason: String,
    },
    /// The response is longer than any valid one can be, so it was not read to the end.
    #[error("the response is longer than {} KiB", .limit / 1024)]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The server redirected the request. Never followed: the key must not reach another host.
    #[error("server redirected ({status}) to {to} (not followed); check the base URL")]
    Redirected {
        /// The HTTP status.
        status: u16,
        /// The target, as the server wrote it.
        to: String,
    },
    /// The request can't be expressed in the API, so nothing was sent.
    #[error("invalid request: {reason}")]
    InvalidRequest {
        /// What prevents it.
        reason: String,
    },
    /// Read-only mode was chosen, so nothing was sent.
    #[error("read-only: changes are disabled")]
    ReadOnly,
}

fn message_suffix(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl Fault {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Broken { .. } | Self::InvalidResponse { .. } => {
                true
            }
            Self::TooLong { .. } | Self::Redirected { .. } | Self::InvalidRequest { .. } | Self::ReadOnly => false,
        }
    }

    /// Whether the server may have applied a write although it is reported as failed. A proxy may respond 408, 429 or 503,
    /// with or without a retry time, after the write was applied.
    #[must_use]
    pub const fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::TimedOut { .. } | Self::Broken { .. } | Self::InvalidResponse { .. } | Self::TooLong { .. } => true,
            Self::Unreachable { .. } | Self::Redirected { .. } | Self::InvalidRequest { .. } | Self::ReadOnly => false,
        }
    }

    /// How long the server asked to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the server responded that it does not exist.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the server rejects the key or the tenant, so that nothing will work until they are corrected.
    #[must_use]
    pub const fn is_unauthorised(&self) -> bool {
        matches!(self, Self::Refused { status: 401 | 403, .. })
    }

    /// Whether the server rejects the step that the feed was asked from, as unknown, too old or too new.
    #[must_use]
    pub const fn rejects_step(&self) -> bool {
        matches!(self, Self::Refused { status: 400 | 404 | 410 | 416 | 422, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unauthorised() -> Fault {
        Fault::Refused { status: 503, message: String::new(), retry_after: Some(Duration::from_secs(1)) }
    }

    fn refused(status: u16) -> Fault {
        Fault::Refused { status, message: String::new(), retry_after: None }
    }

    #[test]
    fn an_error_is_a_sentence_with_the_servers_words() {
        let fault = Fault::Refused { status: 409, message: "name is taken".into(), retry_after: None };
        let error = RemoteError { call: Call::Create("VIP".into()), fault };
        assert_eq!(error.to_string(), "couldn't create VIP: the server responded 409: name is taken");
    }

    #[test]
    fn only_transient_faults_are_retried() {
        assert!(refused(503).is_transient());
        assert!(refused(429).is_transient());
        assert!(!refused(401).is_transient());
        assert!(!refused(422).is_transient());
        assert!(!Fault::ReadOnly.is_transient());
    }

    #[test]
    fn a_write_is_in_doubt_only_if_it_may_have_been_sent() {
        assert!(Fault::TimedOut { after: Duration::from_secs(30) }.may_have_taken_effect());
        assert!(refused(500).may_have_taken_effect());
        assert!(refused(503).may_have_taken_effect());
        assert!(unauthorised().may_have_taken_effect());
        for status in [408, 425, 429] {
            assert!(refused(status).may_have_taken_effect(), "{status}");
        }
        assert!(!refused(422).may_have_taken_effect());
        assert!(!Fault::Unreachable { reason: ConnectError::default() }.may_have_taken_effect());
        assert!(!Fault::ReadOnly.may_have_taken_effect());
    }
}
