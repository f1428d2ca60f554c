//! Trouble on order: answers that are refused, late, cut or lost, and colleagues who act in the very moment of a request; and a
//! record of what was asked, and of how much at once.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use axum::http::Method;

use super::tenant::{Actor, ChangeRequest};

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
    /// It is carried out, and answered as if it had failed: something on the way has lost the server's word.
    Belie {
        /// Which requests.
        on: (Method, &'static str),
        /// The status.
        status: u16,
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
    /// It is carried out at once, and the answer comes after a while.
    HoldAnswer {
        /// Which requests.
        on: (Method, &'static str),
        /// How long the answer waits.
        by: Duration,
    },
    /// Somebody changes something in the very moment in which it is carried out. What they wish and can't have is passed over.
    Between {
        /// Which requests.
        on: (Method, &'static str),
        /// What they want.
        change: ChangeRequest,
        /// Who they are.
        by: Actor,
        /// Whether they come before it or after it.
        moment: Moment,
    },
}

/// On which side of a request something happens. Nothing else comes between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Right before it is carried out.
    Before,
    /// Right after it was carried out, before the answer leaves.
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
    in_flight: HashMap<Method, InFlight>,
}

/// Requests of a method that came and are not answered.
#[derive(Debug, Clone, Copy, Default)]
struct InFlight {
    now: usize,
    most: usize,
}

/// Requests remembered.
const REMEMBERED: usize = 100_000;

impl Troubles {
    pub fn new(share: f64, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { share, random, planned: VecDeque::new(), requests: VecDeque::new(), in_flight: HashMap::new() }
    }

    pub fn plan(&mut self, trouble: Trouble) {
        self.planned.push_back(trouble);
    }

    /// What is planned and was not met is forgotten.
    pub fn end(&mut self) {
        self.planned.clear();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    /// How many requests of a method were in flight at once.
    pub fn most_in_flight(&self, method: &Method) -> usize {
        self.in_flight.get(method).map_or(0, |in_flight| in_flight.most)
    }

    /// A request has come.
    pub fn come(&mut self, method: &Method) {
        let in_flight = self.in_flight.entry(method.clone()).or_default();
        in_flight.now += 1;
        in_flight.most = in_flight.most.max(in_flight.now);
    }

    /// A request is answered, or whoever sent it has gone.
    pub fn go(&mut self, method: &Method) {
        if let Some(in_flight) = self.in_flight.get_mut(method) {
            in_flight.now -= 1;
        }
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
