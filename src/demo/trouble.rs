//! Planned failures: responses that are refused, late, cut short or lost, and changes by others at the moment of a request; and a
//! log of requests and of how many were in flight at once.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use axum::http::Method;

use super::tenant::{Actor, ChangeRequest};

/// A failure for the next matching request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The request is refused with a status and not applied.
    Refuse {
        /// Matching requests: the method, and a part of the path and query.
        on: (Method, &'static str),
        /// The status.
        status: u16,
        /// The value of the `Retry-After` header, in seconds.
        retry_after: Option<u64>,
    },
    /// The request is applied, and the connection breaks before the response is complete.
    LoseAnswer {
        /// Matching requests.
        on: (Method, &'static str),
    },
    /// The request is applied, but the response says it failed: a gateway on the way lost the server's response.
    Belie {
        /// Matching requests.
        on: (Method, &'static str),
        /// The status.
        status: u16,
    },
    /// The request is applied, and the first half of the response is sent as if it were complete.
    CutShort {
        /// Matching requests.
        on: (Method, &'static str),
    },
    /// The request is delayed, then applied.
    Delay {
        /// Matching requests.
        on: (Method, &'static str),
        /// The delay.
        by: Duration,
    },
    /// The request is applied at once, and the response is delayed.
    HoldAnswer {
        /// Matching requests.
        on: (Method, &'static str),
        /// The delay.
        by: Duration,
    },
    /// Another actor makes a change right before or after the request is applied. If the change is refused, it is skipped.
    Between {
        /// Matching requests.
        on: (Method, &'static str),
        /// The change.
        change: ChangeRequest,
        /// The actor who makes it.
        by: Actor,
        /// Whether it is made before or after the request is applied.
        moment: Moment,
    },
}

/// On which side of a request a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Right before the request is applied.
    Before,
    /// Right after the request was applied, before the response is sent.
    After,
}

impl Trouble {
    fn meets(&self, method: &Method, target: &str) -> bool {
        let (Self::Refuse { on, .. }
        | Self::LoseAnswer { on }
        | Self::Belie { on, .. }
        | Self::CutShort { on }
        | Self::Delay { on, .. }
        | Self::HoldAnswer { on, .. }
        | Self::Between { on, .. }) = self;
        on.0 == *method && target.contains(on.1)
    }

    fn any(method: &Method, random: &mut fastrand::Rng) -> Self {
        let on = (method.clone(), "");
        match random.u8(0..4) {
            0 => Self::Refuse { on, status: 429, retry_after: None },
            1 => Self::Refuse { on, status: 503, retry_after: None },
            2 => Self::LoseAnswer { on },
            _ => Self::CutShort { on },
        }
    }
}

/// A logged request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub target: String,
    /// Whether it met a planned or random failure.
    pub troubled: bool,
}

/// Planned failures and the log of requests.
#[derive(Debug)]
pub(super) struct Troubles {
    /// The share of requests that fail at random.
    share: f64,
    random: fastrand::Rng,
    planned: VecDeque<Trouble>,
    requests: VecDeque<Request>,
    in_flight: HashMap<Method, InFlight>,
}

/// Requests of a method in flight.
#[derive(Debug, Clone, Copy, Default)]
struct InFlight {
    now: usize,
    most: usize,
}

/// Maximum number of logged requests.
const REMEMBERED: usize = 100_000;

impl Troubles {
    pub fn new(share: f64, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { share, random, planned: VecDeque::new(), requests: VecDeque::new(), in_flight: HashMap::new() }
    }

    pub fn plan(&mut self, trouble: Trouble) {
        self.planned.push_back(trouble);
    }

    /// Discards planned failures that were not met.
    pub fn end(&mut self) {
        self.planned.clear();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    /// Returns the maximum number of requests of a method in flight at once.
    pub fn most_in_flight(&self, method: &Method) -> usize {
        self.in_flight.get(method).map_or(0, |in_flight| in_flight.most)
    }

    /// Counts a request as in flight.
    pub fn come(&mut self, method: &Method) {
        let in_flight = self.in_flight.entry(method.clone()).or_default();
        in_flight.now += 1;
        in_flight.most = in_flight.most.max(in_flight.now);
    }

    /// Counts a request as done: it was answered, or its client has gone.
    pub fn go(&mut self, method: &Method) {
        if let Some(in_flight) = self.in_flight.get_mut(method) {
            in_flight.now -= 1;
        }
    }

    /// Logs a request and returns the failure it meets, if any.
    pub fn meet(&mut self, method: &Method, target: &str) -> Option<Trouble> {
        if self.requests.len() == REMEMBERED {
            self.requests.pop_front();
        }
        let place = self.planned.iter().position(|trouble| trouble.meets(method, target));
        let trouble = match place.and_then(|place| self.planned.remove(place)) {
            None if self.random.f64() < self.share => Some(Trouble::any(method, &mut self.random)),
            planned => planned,
        };
        let troubled = trouble.is_some();
        self.requests.push_back(Request { method: method.clone(), target: target.to_owned(), troubled });
        trouble
    }
}
