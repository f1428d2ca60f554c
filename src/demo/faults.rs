//! Planned failures: responses that are refused, late, cut short or lost, and changes by others at the moment of a request; and a
//! log of requests and of how many were in flight at once.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use axum::http::Method;

use super::tenant::{Actor, ChangeRequest};

/// A failure for the next matching request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InjectedFault {
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
    LoseResponse {
        /// Matching requests.
        on: (Method, &'static str),
    },
    /// The request is applied, but the response says it failed: a gateway on the way lost the server's response.
    ReportFailure {
        /// Matching requests.
        on: (Method, &'static str),
        /// The status.
        status: u16,
    },
    /// The request is applied, and the first half of the response is sent as if it were complete.
    TruncateResponse {
        /// Matching requests.
        on: (Method, &'static str),
    },
    /// The request is delayed, then applied.
    DelayRequest {
        /// Matching requests.
        on: (Method, &'static str),
        /// The delay.
        by: Duration,
    },
    /// The request is applied at once, and the response is delayed.
    DelayResponse {
        /// Matching requests.
        on: (Method, &'static str),
        /// The delay.
        by: Duration,
    },
    /// Another actor makes a change right before or after the request is applied. If the change is refused, it is skipped.
    ConcurrentChange {
        /// Matching requests.
        on: (Method, &'static str),
        /// The change.
        change: ChangeRequest,
        /// The actor who makes it.
        by: Actor,
        /// Whether it is made before or after the request is applied.
        timing: FaultTiming,
    },
}

/// On which side of a request a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultTiming {
    /// Right before the request is applied.
    Before,
    /// Right after the request was applied, before the response is sent.
    After,
}

impl InjectedFault {
    fn matches_request(&self, method: &Method, target: &str) -> bool {
        let (Self::Refuse { on, .. }
        | Self::LoseResponse { on }
        | Self::ReportFailure { on, .. }
        | Self::TruncateResponse { on }
        | Self::DelayRequest { on, .. }
        | Self::DelayResponse { on, .. }
        | Self::ConcurrentChange { on, .. }) = self;
        on.0 == *method && target.contains(on.1)
    }

    fn any(method: &Method, random: &mut fastrand::Rng) -> Self {
        let on = (method.clone(), "");
        match random.u8(0..4) {
            0 => Self::Refuse { on, status: 429, retry_after: None },
            1 => Self::Refuse { on, status: 503, retry_after: None },
            2 => Self::LoseResponse { on },
            _ => Self::TruncateResponse { on },
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
pub(super) struct FaultInjector {
    /// The share of requests that fail at random.
    share: f64,
    random: fastrand::Rng,
    planned: VecDeque<InjectedFault>,
    requests: VecDeque<Request>,
    in_flight: HashMap<Method, InFlight>,
}

/// Requests of a method in flight.
#[derive(Debug, Clone, Copy, Default)]
struct InFlight {
    now: usize,
    max: usize,
}

/// Maximum number of logged requests.
const MAX_RECORDED_REQUESTS: usize = 100_000;

impl FaultInjector {
    pub fn new(share: f64, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { share, random, planned: VecDeque::new(), requests: VecDeque::new(), in_flight: HashMap::new() }
    }

    pub fn plan(&mut self, fault: InjectedFault) {
        self.planned.push_back(fault);
    }

    /// Discards planned failures that were not met.
    pub fn end(&mut self) {
        self.planned.clear();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    /// Returns the maximum number of requests of a method in flight at once.
    pub fn max_in_flight(&self, method: &Method) -> usize {
        self.in_flight.get(method).map_or(0, |in_flight| in_flight.max)
    }

    /// Counts a request as in flight.
    pub fn request_started(&mut self, method: &Method) {
        let in_flight = self.in_flight.entry(method.clone()).or_default();
        in_flight.now += 1;
        in_flight.max = in_flight.max.max(in_flight.now);
    }

    /// Counts a request as done: it was answered, or its client has gone.
    pub fn request_finished(&mut self, method: &Method) {
        if let Some(in_flight) = self.in_flight.get_mut(method) {
            in_flight.now -= 1;
        }
    }

    /// Logs a request and returns the failure it meets, if any.
    pub fn next_fault(&mut self, method: &Method, target: &str) -> Option<InjectedFault> {
        if self.requests.len() == MAX_RECORDED_REQUESTS {
            self.requests.pop_front();
        }
        let index = self.planned.iter().position(|fault| fault.matches_request(method, target));
        let fault = match index.and_then(|index| self.planned.remove(index)) {
            None if self.random.f64() < self.share => Some(InjectedFault::any(method, &mut self.random)),
            planned => planned,
        };
        let troubled = fault.is_some();
        self.requests.push_back(Request { method: method.clone(), target: target.to_owned(), troubled });
        fault
    }
}
