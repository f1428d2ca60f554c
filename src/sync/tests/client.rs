//! A client that applies the sync actor's events to a plain map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::sync::{Command, Event, Notice, Phase, SegmentChange, Settings, Suspicion, SyncHandle, start};

use crate::changes::{
    ChangeQueue, ExecutionResult, OpId, Operation, Plan, PlanId, Recovered, RecoveredState, Title, Transitions,
    WriteError, WriteResult,
};
use crate::forest::Forest;
use crate::remote::Contexts;
use crate::segment::{Segment, SegmentId, Step};

use super::server::Server;

pub struct Client {
    sync: SyncHandle,
    pub view: BTreeMap<SegmentId, Arc<Segment>>,
    pub phases: Vec<Phase>,
    pub notices: Vec<Notice>,
    pub queue: ChangeQueue,
    pub outcomes: Vec<WriteResult>,
    pub ended: Vec<(OpId, Result<(), WriteError>)>,
    pub began: Vec<OpId>,
    pub recovered: Vec<Recovered>,
    /// Whether failed operations stay, instead of being discarded at once.
    pub keeps_failed: bool,
    /// How often an operation could not reach the server.
    pub unreached_count: usize,
    /// Segments reported as changed, counted each time.
    pub changes: usize,
    /// Their ids, in the order in which they were reported.
    pub named: Vec<String>,
    /// Who changed each.
    pub origins: BTreeMap<SegmentId, Contexts>,
    /// Step to continue from after the last change.
    pub next: Option<Step>,
    /// Step to continue from as of the last [`Event::Synchronised`].
    pub reached: Option<Step>,
    /// How many segments an earlier session had stored.
    pub restored: Option<usize>,
    /// Number of events.
    pub event_count: usize,
    pub lists: usize,
    pub received: usize,
    pub synchronised: usize,
    /// Why segments may be missing.
    pub incomplete_reason: Option<Suspicion>,
    /// Ids that each verification found, in order.
    pub verified: Vec<BTreeSet<String>>,
}

/// Longer than any pause and any number of retries; on paused time this costs nothing.
const EVENT_TIMEOUT: Duration = Duration::from_secs(3_600);

impl Client {
    pub fn start(server: &Server, settings: Settings) -> Self {
        let concurrency = settings.concurrency;
        Self {
            sync: start(Arc::new(server.clone()), settings),
            view: BTreeMap::new(),
            phases: Vec::new(),
            notices: Vec::new(),
            // Plan ids differ between clients, as they do between sessions.
            queue: ChangeQueue::new(fastrand::u64(1..1 << 40) << 16, concurrency),
            outcomes: Vec::new(),
            ended: Vec::new(),
            began: Vec::new(),
            recovered: Vec::new(),
            keeps_failed: false,
            unreached_count: 0,
            changes: 0,
            named: Vec::new(),
            origins: BTreeMap::new(),
            next: None,
            reached: None,
            restored: None,
            event_count: 0,
            lists: 0,
            received: 0,
            synchronised: 0,
            incomplete_reason: None,
            verified: Vec::new(),
        }
    }

    /// Returns a client that has listed everything and read the feed to its end.
    pub async fn live(server: &Server) -> Self {
        let mut client = Self::start(server, Settings::default());
        client.settle().await;
        client
    }

    /// Waits until later events of the feed can't be from while the list was loading.
    pub async fn wait_for_late_events(&mut self) {
        self.run_for(Duration::from_secs(61)).await;
    }

    pub async fn next_event(&mut self) {
        let event = timeout(EVENT_TIMEOUT, self.sync.events.recv()).await.expect("the sync actor says something");
        self.handle(event.expect("it lives"));
    }

    /// Takes events for a while.
    pub async fn run_for(&mut self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while let Ok(event) = tokio::time::timeout_at(until, self.sync.events.recv()).await {
            self.handle(event.expect("it lives"));
        }
    }

    fn handle(&mut self, event: Event) {
        self.event_count += 1;
        match event {
            Event::PhaseChanged(phase) => self.phases.push(phase),
            Event::Restored { forest, .. } => {
                self.restored = Some(forest.len());
                self.view = forest.iter().map(|segment| (segment.id.clone(), Arc::clone(segment))).collect();
            }
            Event::PageReceived(segments) => {
                self.received += segments.len();
                self.view.extend(segments.into_iter().map(|segment| (segment.id.clone(), segment)));
            }
            Event::Listed { different } => {
                self.lists += 1;
                for seen in different {
                    self.apply_change(seen);
                }
            }
            Event::Changed { seen, next } => {
                self.next = next.or(self.next);
                for seen in seen {
                    self.changes += 1;
                    self.named.push(seen.id.to_string());
                    self.origins.entry(seen.id.clone()).or_default().extend(seen.feed_source.contexts.iter());
                    self.apply_change(seen);
                }
            }
            Event::Synchronised { next, incomplete_reason, .. } => {
                self.reached = Some(next);
                self.synchronised += 1;
                self.incomplete_reason = incomplete_reason;
            }
            Event::Verified { missed } => {
                self.verified.push(missed.into_iter().map(|seen| seen.id.to_string()).collect());
            }
            Event::Executed { op, result } => self.executed(op, &result),
            Event::ServerResponded => self.queue.resume_sending(),
            Event::Recovered(recovered) => {
                self.queue.resume_sending();
                let transitions = self.queue.recover(&Forest::new(), recovered.clone(), &Title::default());
                self.apply(transitions);
                let undone = recovered.iter().filter(|one| !matches!(one.state, RecoveredState::Applied(_)));
                for Recovered { op, .. } in undone.filter(|_| !self.keeps_failed) {
                    let transitions = self.queue.discard(*op);
                    self.apply(transitions);
                }
                self.recovered.extend(recovered);
            }
            Event::Noticed(notice) => {
                if matches!(notice, Notice::LeftOver { .. }) {
                    self.queue.pause_sending();
                }
                self.notices.push(notice);
            }
        }
        self.send_next();
    }

    fn executed(&mut self, op: OpId, result: &ExecutionResult) {
        match result {
            ExecutionResult::Done(outcome) => {
                match outcome {
                    WriteResult::Created(written) | WriteResult::Updated(written) => {
                        self.view.insert(written.segment.id.clone(), Arc::clone(&written.segment));
                    }
                    WriteResult::Deleted { id, .. } => drop(self.view.remove(id)),
                }
                self.outcomes.push(outcome.clone());
                self.ended.push((op, Ok(())));
            }
            ExecutionResult::Failed { error, .. } => self.ended.push((op, Err(error.clone()))),
            ExecutionResult::Unreached { .. } => {
                self.unreached_count += 1;
                self.queue.pause_sending();
            }
        }
        let failed = matches!(result, ExecutionResult::Failed { .. });
        let transitions = self.queue.executed(op, result);
        self.apply(transitions);
        if failed && !self.keeps_failed {
            let transitions = self.queue.discard(op);
            self.apply(transitions);
        }
    }

    /// Applies the result of a queue operation: its journal entries are written.
    pub fn apply(&self, transitions: Transitions) {
        if !transitions.journal.is_empty() {
            self.send_now(Command::Journal(transitions.journal));
        }
    }

    /// Retries a failed operation.
    pub fn retry(&mut self, op: OpId) {
        let transitions = self.queue.retry(op);
        self.apply(transitions);
        self.send_next();
    }

    fn send_next(&mut self) {
        while let Some(execution) = self.queue.begin() {
            self.began.push(execution.op);
            self.send_now(Command::Execute(Box::new(execution)));
        }
    }

    fn send_now(&self, command: Command) {
        self.sync.commands.try_send(command).expect("there is room");
    }

    fn apply_change(&mut self, seen: SegmentChange) {
        if let (None, Some(new)) = (&seen.before, &seen.now) {
            let transitions = self.queue.observe_created(new);
            self.apply(transitions);
        }
        assert_eq!(self.view.get(&seen.id), seen.before.as_ref(), "what was before is what was told before");
        match seen.now {
            Some(now) => self.view.insert(seen.id, now),
            None => self.view.remove(&seen.id),
        };
    }

    pub async fn run_until(&mut self, mut enough: impl FnMut(&Self) -> bool) {
        while !enough(self) {
            self.next_event().await;
        }
    }

    /// Waits until the feed was read to its end several times. Whatever was under way before is done by then, and a doubtful
    /// list was loaded again.
    pub async fn settle(&mut self) {
        // Events that are already waiting say nothing about what is to come.
        while let Ok(event) = self.sync.events.try_recv() {
            self.handle(event);
        }
        let enough = self.synchronised + 5;
        self.run_until(|client| client.synchronised >= enough).await;
    }

    pub async fn send(&self, command: Command) {
        self.sync.commands.send(command).await.expect("the sync actor lives");
    }

    pub fn begin(&mut self, plan: Plan) -> PlanId {
        let (plan_id, staged) = self.queue.stage(&Forest::new(), plan, Title::default());
        self.apply(staged);
        let transitions = self.queue.submit(plan_id);
        self.apply(transitions);
        self.send_next();
        plan_id
    }

    /// Executes an operation and waits for its result.
    pub async fn write(&mut self, operation: Operation) -> Result<(), WriteError> {
        let plan_id = self.begin(Plan::single(operation));
        self.outcome_of(OpId { plan_id, index: 0 }).await
    }

    /// Waits until an operation has succeeded or failed.
    pub async fn outcome_of(&mut self, op: OpId) -> Result<(), WriteError> {
        self.run_until(|client| client.ended.iter().any(|(ended, _)| *ended == op)).await;
        let (_, result) = self.ended.iter().rev().find(|(ended, _)| *ended == op).unwrap();
        result.clone()
    }

    /// Whether every write has ended.
    pub fn has_written(&self) -> bool {
        self.queue.counts().total() == 0
    }

    pub fn shown(&self, id: &str) -> Option<&Arc<Segment>> {
        self.view.get(&super::id(id))
    }

    pub fn assert_equals(&self, server: &Server) {
        let there = &server.model().segments;
        let differs = |segment: &&Segment| self.view.get(&segment.id).is_none_or(|here| **here != **segment);
        let missing: Vec<_> = there.values().filter(differs).collect();
        let ghosts: Vec<_> = self.view.keys().filter(|id| !there.contains_key(*id)).collect();
        assert!(missing.is_empty() && ghosts.is_empty(), "missing or old: {missing:?}; ghosts: {ghosts:?}");
    }
}
