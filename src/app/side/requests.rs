//! The last requests that were made, for whoever wants to see what the program asks of the server.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::app::side::words;
use crate::remote::{Exchange, Fault};

/// Requests that are kept. Long enough to find what went wrong a moment ago, and small beside the tree.
const KEPT: usize = 500;

/// A request and its number, by which it is found again when others have come before it.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Counted from 1.
    pub number: u64,
    /// The request.
    pub exchange: Arc<Exchange>,
}

impl Logged {
    /// The status of the answer, or a word for why there is none that counts.
    #[must_use]
    pub fn status(&self) -> String {
        match (&self.exchange.fault, self.exchange.status) {
            (None | Some(Fault::Refused { .. } | Fault::Redirected { .. }), Some(status)) => status.to_string(),
            (Some(fault), _) => words::fault_in_short(fault).into(),
            (None, None) => String::new(),
        }
    }

    /// Whether every word of a text is in what the list tells of it.
    pub(in crate::app) fn has(&self, text: &str) -> bool {
        if text.trim().is_empty() {
            return true;
        }
        let Exchange { method, fault, .. } = &*self.exchange;
        let fault = fault.as_ref().map(ToString::to_string).unwrap_or_default();
        let told = format!("{method} {} {} {fault}", self.exchange.target(), self.status()).to_lowercase();
        text.to_lowercase().split_whitespace().all(|word| told.contains(word))
    }
}

/// The last requests.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    kept: VecDeque<Logged>,
    /// Requests that were told of, those included that are no longer kept.
    pub counted: u64,
    /// Requests that were not told of, since so many came at once.
    pub missed: u64,
}

impl Requests {
    /// Takes one in; the oldest makes room for it.
    pub(in crate::app) fn keep(&mut self, exchange: Arc<Exchange>) {
        self.missed += exchange.missed;
        self.counted += 1;
        self.kept.truncate(KEPT - 1);
        self.kept.push_front(Logged { number: self.counted, exchange });
    }

    /// Those that are kept, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Logged> {
        self.kept.iter()
    }
}
