//! Detects overdue responses, so that a server that accepts requests and never responds is not reported as live.

use hashbrown::HashMap;
use tokio::time::{Duration, Instant};

use crate::sync::message::{Event, Phase};

use crate::changes::OpId;
use crate::remote::{Call, Remote};
use crate::segment::SegmentId;

use super::{Actor, Stopped, Work};

/// Requests without a response so far.
#[derive(Debug, Default)]
pub(super) struct PendingRequests {
    /// The request of the list or of the search for the end of the feed, and when it last made progress.
    work: Option<(Call, Instant)>,
    read: Option<(Call, Instant)>,
    fetches: HashMap<SegmentId, Instant>,
    /// The current request of each operation.
    operations: HashMap<OpId, (Call, Instant)>,
    /// The start of the overdue request that was reported.
    reported_since: Option<Instant>,
}

/// How long a response may take before it is reported as overdue.
const OVERDUE: Duration = Duration::from_secs(5);

impl PendingRequests {
    /// Records a request of the list or of the search for the end of the feed.
    pub fn work_started(&mut self, call: Call) {
        self.work = Some((call, Instant::now()));
    }

    /// Records progress of the list.
    pub fn work_progressed(&mut self) {
        if let Some((_, since)) = &mut self.work {
            *since = Instant::now();
        }
    }

    pub fn work_ended(&mut self) {
        self.work = None;
    }

    pub fn read_started(&mut self, call: Call) {
        self.read = Some((call, Instant::now()));
    }

    pub fn read_ended(&mut self) {
        self.read = None;
    }

    pub fn fetch_started(&mut self, id: &SegmentId) {
        self.fetches.insert(id.clone(), Instant::now());
    }

    pub fn fetch_ended(&mut self, id: &SegmentId) {
        self.fetches.remove(id);
    }

    pub fn operation_request_started(&mut self, op: OpId, call: Call) {
        self.operations.insert(op, (call, Instant::now()));
    }

    pub fn operation_request_ended(&mut self, op: OpId) {
        self.operations.remove(&op);
    }

    /// The request that has waited longest, and since when.
    fn oldest(&self) -> Option<(Call, Instant)> {
        let fetches = self.fetches.iter().min_by_key(|(_, since)| **since);
        let fetch = fetches.map(|(id, since)| (Call::One(id.clone()), *since));
        let known = self.work.iter().chain(&self.read).chain(self.operations.values());
        known.cloned().chain(fetch).min_by_key(|(_, since)| *since)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        if self.reported_since.is_some() { None } else { self.oldest().map(|(_, since)| since + OVERDUE) }
    }

    /// Whether the last thing reported to the client is that a response is overdue.
    pub const fn is_overdue_reported(&self) -> bool {
        self.reported_since.is_some()
    }

    /// Records that another phase is reported.
    pub fn clear_reported(&mut self) {
        self.reported_since = None;
    }
}

impl<R: Remote> Actor<R> {
    /// Reports an overdue response, and when it has come.
    pub(super) async fn check_overdue(&mut self) -> Result<(), Stopped> {
        let now = Instant::now();
        let overdue = self
            .connection
            .pending_requests
            .oldest()
            .filter(|(_, since)| now.saturating_duration_since(*since) >= OVERDUE);
        match (overdue, self.connection.pending_requests.reported_since) {
            (Some((_, since)), Some(reported_since)) if since == reported_since => Ok(()),
            // While resting after a failure, the failure says more.
            (Some((call, since)), _) if !matches!(self.work, Work::Resting { .. }) => {
                self.connection.pending_requests.reported_since = Some(since);
                let since = now.saturating_duration_since(since);
                self.emit(Event::PhaseChanged(Phase::Silent { call, since })).await
            }
            (None, Some(_)) => {
                self.connection.pending_requests.clear_reported();
                self.emit(Event::PhaseChanged(self.connection.phase.clone())).await
            }
            _ => Ok(()),
        }
    }
}
