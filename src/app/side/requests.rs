//! The log of recent requests, for anyone who wants to see what the program asks of the server.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::app::side::words;
use crate::remote::{Exchange, Fault};

/// Requests to keep: enough to find what went wrong a moment ago, and small next to the tree.
const MAX_REQUESTS: usize = 500;

/// A logged request. Its number identifies it while newer ones arrive.
#[derive(Debug, Clone)]
pub struct LoggedRequest {
    /// Counted from 1.
    pub number: u64,
    /// The request.
    pub exchange: Arc<Exchange>,
}

impl LoggedRequest {
    /// Returns the response status, or a word for why there is no valid response.
    #[must_use]
    pub fn status(&self) -> String {
        match (&self.exchange.fault, self.exchange.status) {
            (None | Some(Fault::Refused { .. } | Fault::Redirected { .. }), Some(status)) => status.to_string(),
            (Some(fault), _) => words::fault_in_short(fault).into(),
            (None, None) => String::new(),
        }
    }

    /// Whether the list entry contains every word of a text.
    pub(in crate::app) fn matches(&self, text: &str) -> bool {
        if text.trim().is_empty() {
            return true;
        }
        let Exchange { method, fault, .. } = &*self.exchange;
        let fault = fault.as_ref().map(ToString::to_string).unwrap_or_default();
        let searched_text = format!("{method} {} {} {fault}", self.exchange.target(), self.status()).to_lowercase();
        text.to_lowercase().split_whitespace().all(|word| searched_text.contains(word))
    }
}

/// The last requests.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    entries: VecDeque<LoggedRequest>,
    /// All requests that were logged, including those that are no longer kept.
    pub logged_count: u64,
    /// Requests that were never logged because too many came at once.
    pub dropped: u64,
}

impl Requests {
    /// Logs a request and drops the oldest one if there are too many.
    pub(in crate::app) fn log(&mut self, exchange: Arc<Exchange>) {
        self.dropped += exchange.dropped;
        self.logged_count += 1;
        self.entries.truncate(MAX_REQUESTS - 1);
        self.entries.push_front(LoggedRequest { number: self.logged_count, exchange });
    }

    /// Returns the kept requests, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &LoggedRequest> {
        self.entries.iter()
    }
}
