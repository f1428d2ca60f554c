//! A client that applies what the mirror says to a plain map.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::mirror::{Command, Event, Mirror, Notice, Phase, Seen, Settings, Suspicion, start};

use crate::changes::{OpId, PlanId, Recovered, RecoveredState, WriteError, WriteResult};
use crate::changes::{Operation, Plan};
use crate::remote::Contexts;
use crate::segment::{Segment, SegmentId, Step};

use super::server::Server;

pub struct Client {
    mirror: Mirror,
    pub picture: BTreeMap<SegmentId, Arc<Segment>>,
    pub phases: Vec<Phase>,
    pub notices: Vec<Notice>,
    pub outcomes: Vec<WriteResult>,
    pub ended: Vec<(OpId, Result<(), WriteError>)>,
    /// What was asked for and is not over.
    begun: HashSet<OpId>,
    pub began: Vec<OpId>,
    pub dropped: Vec<OpId>,
    pub recovered: Vec<Recovered>,
    /// Whether what failed stays, instead of being dropped at once.
    pub keeps_failed: bool,
    /// How often an operation could not reach the server.
    pub waits: usize,
    /// Segments told as changed, each time they were.
    pub changes: usize,
    /// Which, in the order in which they were told.
    pub named: Vec<String>,
    /// Who changed each.
    pub origins: BTreeMap<SegmentId, Contexts>,
    /// Where the feed goes on after the last change.
    pub next: Option<Step>,
    /// How many segments an earlier run had stored.
    pub restored: Option<usize>,
    /// Events in all.
    pub heard: usize,
    pub lists: usize,
    pub gathered: usize,
    pub synchronised: usize,
    /// What speaks against the list.
    pub lacking: Option<Suspicion>,
    /// What each comparison found, by id.
    pub verified: Vec<BTreeSet<String>>,
    plan_ids: u64,
}

/// Longer than any pause and any number of retries; on paused time this costs nothing.
const LONG: Duration = Duration::from_secs(3_600);

impl Client {
    pub fn start(server: &Server, settings: Settings) -> Self {
        Self {
            mirror: start(Arc::new(server.clone()), settings),
            picture: BTreeMap::new(),
            phases: Vec::new(),
            notices: Vec::new(),
            outcomes: Vec::new(),
            ended: Vec::new(),
            begun: HashSet::new(),
            began: Vec::new(),
            dropped: Vec::new(),
            recovered: Vec::new(),
            keeps_failed: false,
            waits: 0,
            changes: 0,
            named: Vec::new(),
            origins: BTreeMap::new(),
            next: None,
            restored: None,
            heard: 0,
            lists: 0,
            gathered: 0,
            synchronised: 0,
            lacking: None,
            verified: Vec::new(),
            // No two clients give the same numbers, as no two runs of the program do.
            plan_ids: fastrand::u64(1..1 << 40) << 16,
        }
    }

    /// A client that has listed and followed up to the end once.
    pub async fn live(server: &Server) -> Self {
        let mut client = Self::start(server, Settings::default());
        client.settle().await;
        client
    }

    /// Until what the feed tells can't have happened while the list was loading.
    pub async fn let_late_news_come(&mut self) {
        self.hear_for(Duration::from_secs(61)).await;
    }

    pub async fn hear(&mut self) {
        let event = timeout(LONG, self.mirror.events.recv()).await.expect("the mirror says something");
        self.take(event.expect("it lives"));
    }

    /// Hears what is said in so much time.
    pub async fn hear_for(&mut self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while let Ok(event) = tokio::time::timeout_at(until, self.mirror.events.recv()).await {
            self.take(event.expect("it lives"));
        }
    }

    fn take(&mut self, event: Event) {
        self.heard += 1;
        match event {
            Event::PhaseChanged(phase) => self.phases.push(phase),
            Event::Restored { forest, .. } => {
                self.restored = Some(forest.len());
                self.picture = forest.iter().map(|segment| (segment.id.clone(), Arc::clone(segment))).collect();
            }
            Event::Gathered(segments) => {
                self.gathered += segments.len();
                self.picture.extend(segments.into_iter().map(|segment| (segment.id.clone(), segment)));
            }
            Event::Listed { different } => {
                self.lists += 1;
                for seen in different {
                    self.see(seen);
                }
            }
            Event::Changed { seen, next } => {
                self.next = next.or(self.next);
                for seen in seen {
                    self.changes += 1;
                    self.named.push(seen.id.to_string());
                    self.origins.entry(seen.id.clone()).or_default().extend(seen.mention.contexts.iter());
                    self.see(seen);
                }
            }
            Event::Synchronised { lacking, .. } => {
                self.synchronised += 1;
                self.lacking = lacking;
            }
            Event::Verified { missed } => {
                self.verified.push(missed.into_iter().map(|seen| seen.id.to_string()).collect());
            }
            Event::OperationEnded { op, outcome, .. } => {
                match &outcome {
                    WriteResult::Created(applied) | WriteResult::Updated(applied) => {
                        self.picture.insert(applied.segment.id.clone(), Arc::clone(&applied.segment));
                    }
                    WriteResult::Deleted { id, .. } => {
                        self.picture.remove(id);
                    }
                }
                self.outcomes.push(outcome);
                self.begun.remove(&op);
                self.ended.push((op, Ok(())));
            }
            Event::OperationFailed { op, error, .. } => {
                self.ended.push((op, Err(error)));
                if !self.keeps_failed {
                    self.mirror.commands.try_send(Command::Drop(op)).expect("there is room");
                }
            }
            Event::OperationBegan(op) => self.began.push(op),
            Event::OperationWaits { .. } => self.waits += 1,
            Event::OperationDropped(op) => {
                self.begun.remove(&op);
                self.dropped.push(op);
            }
            Event::Recovered(recovered) => {
                let undone = recovered.iter().filter(|one| !matches!(one.fate, RecoveredState::CarriedOut(_)));
                for Recovered { op, .. } in undone.filter(|_| !self.keeps_failed) {
                    self.mirror.commands.try_send(Command::Drop(*op)).expect("there is room");
                }
                self.recovered.extend(recovered);
            }
            Event::Noticed(notice) => self.notices.push(notice),
        }
    }

    fn see(&mut self, seen: Seen) {
        assert_eq!(self.picture.get(&seen.id), seen.before.as_ref(), "what was before is what was told before");
        match seen.now {
            Some(now) => self.picture.insert(seen.id, now),
            None => self.picture.remove(&seen.id),
        };
    }

    pub async fn hear_until(&mut self, mut enough: impl FnMut(&Self) -> bool) {
        while !enough(self) {
            self.hear().await;
        }
    }

    /// Until the feed was read to its end some times: whatever was under way before is over by then, and a doubtful list was
    /// loaded again.
    pub async fn settle(&mut self) {
        // What was said before now says nothing about what is to come.
        while let Ok(event) = self.mirror.events.try_recv() {
            self.take(event);
        }
        let enough = self.synchronised + 5;
        self.hear_until(|client| client.synchronised >= enough).await;
    }

    pub async fn order(&self, command: Command) {
        self.mirror.commands.send(command).await.expect("the mirror lives");
    }

    pub async fn begin(&mut self, plan: Plan) -> PlanId {
        self.plan_ids += 1;
        let plan_id = PlanId(self.plan_ids);
        self.begun.extend((0..plan.operations.len()).map(|index| OpId { plan_id, index }));
        self.order(Command::Write { plan_id, plan }).await;
        plan_id
    }

    /// Carries out an operation and waits for its end.
    pub async fn write(&mut self, operation: Operation) -> Result<(), WriteError> {
        let plan_id = self.begin(Plan::single(operation)).await;
        self.outcome_of(OpId { plan_id, index: 0 }).await
    }

    /// Waits until an operation has succeeded or failed.
    pub async fn outcome_of(&mut self, op: OpId) -> Result<(), WriteError> {
        self.hear_until(|client| client.ended.iter().any(|(ended, _)| *ended == op)).await;
        let (_, result) = self.ended.iter().rev().find(|(ended, _)| *ended == op).unwrap();
        result.clone()
    }

    /// Whether every write that was begun is over.
    pub fn has_written(&self) -> bool {
        self.begun.is_empty()
    }

    pub fn shown(&self, id: &str) -> Option<&Arc<Segment>> {
        self.picture.get(&super::id(id))
    }

    pub fn assert_equals(&self, server: &Server) {
        let there = &server.model().segments;
        let differs = |segment: &&Segment| self.picture.get(&segment.id).is_none_or(|here| **here != **segment);
        let missing: Vec<_> = there.values().filter(differs).collect();
        let ghosts: Vec<_> = self.picture.keys().filter(|id| !there.contains_key(*id)).collect();
        assert!(missing.is_empty() && ghosts.is_empty(), "missing or old: {missing:?}; ghosts: {ghosts:?}");
    }
}
