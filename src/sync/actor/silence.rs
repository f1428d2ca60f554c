//! Whether an answer is overdue, so that a server which takes what is asked and never answers is told as that, and not as live.

use hashbrown::HashMap;
use tokio::time::{Duration, Instant};

use crate::sync::message::{Event, Phase};

use crate::changes::OpId;
use crate::remote::{Call, Remote};
use crate::segment::SegmentId;

use super::{Actor, Stopped, Work};

/// What was asked of the server and has no answer yet.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// The list, or the search for the end of the feed, and since when nothing has come of it.
    work: Option<(Call, Instant)>,
    read: Option<(Call, Instant)>,
    looks: HashMap<SegmentId, Instant>,
    /// What each operation asks at present.
    operations: HashMap<OpId, (Call, Instant)>,
    /// Since when it was told that an answer is overdue.
    told: Option<Instant>,
}

/// How long an answer may take before that is worth telling.
const OVERDUE: Duration = Duration::from_secs(5);

impl Silence {
    /// The list, or the search for the end of the feed, asks something.
    pub fn work_asks(&mut self, call: Call) {
        self.work = Some((call, Instant::now()));
    }

    /// Something has come of the list.
    pub fn work_answered(&mut self) {
        if let Some((_, since)) = &mut self.work {
            *since = Instant::now();
        }
    }

    pub fn work_ended(&mut self) {
        self.work = None;
    }

    pub fn read_asks(&mut self, call: Call) {
        self.read = Some((call, Instant::now()));
    }

    pub fn read_ended(&mut self) {
        self.read = None;
    }

    pub fn look_asks(&mut self, id: &SegmentId) {
        self.looks.insert(id.clone(), Instant::now());
    }

    pub fn look_ended(&mut self, id: &SegmentId) {
        self.looks.remove(id);
    }

    pub fn operation_asks(&mut self, op: OpId, call: Call) {
        self.operations.insert(op, (call, Instant::now()));
    }

    pub fn operation_answered(&mut self, op: OpId) {
        self.operations.remove(&op);
    }

    /// What has been waited for longest, and since when.
    fn longest(&self) -> Option<(Call, Instant)> {
        let looks = self.looks.iter().min_by_key(|(_, since)| **since);
        let fetch = looks.map(|(id, since)| (Call::One(id.clone()), *since));
        let known = self.work.iter().chain(&self.read).chain(self.operations.values());
        known.cloned().chain(fetch).min_by_key(|(_, since)| *since)
    }

    pub fn next_alarm(&self) -> Option<Instant> {
        if self.told.is_some() { None } else { self.longest().map(|(_, since)| since + OVERDUE) }
    }

    /// Whether the client was told last that an answer is overdue.
    pub const fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// Another phase is told.
    pub fn broken(&mut self) {
        self.told = None;
    }
}

impl<R: Remote> Actor<R> {
    /// Tells that an answer is overdue, and when it has come.
    pub(super) async fn tend_silence(&mut self) -> Result<(), Stopped> {
        let now = Instant::now();
        let overdue = self.told.silence.longest().filter(|(_, since)| now.saturating_duration_since(*since) >= OVERDUE);
        match (overdue, self.told.silence.told) {
            (Some((_, since)), Some(told)) if since == told => Ok(()),
            // While it rests after a failure, that says more.
            (Some((call, since)), _) if !matches!(self.work, Work::Resting { .. }) => {
                self.told.silence.told = Some(since);
                let since = now.saturating_duration_since(since);
                self.emit(Event::PhaseChanged(Phase::Silent { call, since })).await
            }
            (None, Some(_)) => {
                self.told.silence.broken();
                self.emit(Event::PhaseChanged(self.told.phase.clone())).await
            }
            _ => Ok(()),
        }
    }
}
