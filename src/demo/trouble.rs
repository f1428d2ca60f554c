//! Trouble on order: answers that are refused, late, cut or lost; and a record of what was asked.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::Method;

/// Trouble for the next request that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is answered with a status, and not carried out.
    Refuse {
        /// Which requests: the method, and a part of the path with its query.
        on: (Method, &'static str),
        /// The status.
        status: u16,
        /// The header of that name, in seconds.
        retry_after: Option<u64>,
    },
    /// It is carried out, and the connection breaks before the answer is complete.
    LoseAnswer {
        /// Which requests.
        on: (Method, &'static str),
    },
    /// It is carried out, and half of the answer is all there is of it, as if that were the whole.
    CutShort {
        /// Which requests.
        on: (Method, &'static str),
    },
    /// It is carried out after a while.
    Delay {
        /// Which requests.
        on: (Method, &'static str),
        /// How long it waits.
        by: Duration,
    },
}

impl Trouble {
    fn meets(&self, method: &Method, target: &str) -> bool {
        let (Self::Refuse { on, .. } | Self::LoseAnswer { on } | Self::CutShort { on } | Self::Delay { on, .. }) = self;
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

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub target: String,
    /// Whether it met trouble.
    pub troubled: bool,
}

/// What is planned, and what came.
#[derive(Debug)]
pub(super) struct Troubles {
    /// The share of requests that meet trouble by chance.
    share: f64,
    random: fastrand::Rng,
    planned: VecDeque<Trouble>,
    requests: VecDeque<Request>,
}

/// Requests remembered.
const REMEMBERED: usize = 100_000;

impl Troubles {
    pub fn new(share: f64, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { share, random, planned: VecDeque::new(), requests: VecDeque::new() }
    }

    pub fn plan(&mut self, trouble: Trouble) {
        self.planned.push_back(trouble);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    /// Notes a request and answers the trouble it meets.
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
