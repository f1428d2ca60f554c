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
        let (Self::Refuse { on, .. } | Self::LoseAnswer { on } | Self::Delay { on, .. }) = self;
        on.0 == *method && target.contains(on.1)
    }
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub target: String,
}

/// What is planned, and what came.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    planned: VecDeque<Trouble>,
    requests: VecDeque<Request>,
}

/// Requests remembered.
const REMEMBERED: usize = 10_000;

impl Troubles {
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
        self.requests.push_back(Request { method: method.clone(), target: target.to_owned() });
        let place = self.planned.iter().position(|trouble| trouble.meets(method, target))?;
        self.planned.remove(place)
    }
}
