//! A sync client that keeps its own copy of the tree and the latest result of every operation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use segtui::api::retry::Policy;
use segtui::api::{Client as Api, Settings as ApiSettings};
use segtui::changes::{
    ChangeQueue, ExecutionResult, OpId, Operation, Plan, PlanId, Title, Transitions, WriteError, WriteResult, Written,
};
use segtui::demo::Server;
use segtui::forest::Forest;
use segtui::remote::{Access, BaseUrl, Guarded, InsecureHttp};
use segtui::segment::{Draft, Name, Segment, SegmentId};
use segtui::sync::{self, Command, Event, Pace, Phase, SegmentChange, Settings, SyncHandle};
use tokio::time::timeout;

pub const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Client {
    sync: SyncHandle,
    pub segments: BTreeMap<SegmentId, Arc<Segment>>,
    pub started: Vec<OpId>,
    /// The latest result of each operation.
    pub results: HashMap<OpId, Result<WriteResult, WriteError>>,
    pub dropped: Vec<OpId>,
    pub queue: ChangeQueue,
    /// How many times a list has stalled.
    pub stalled: usize,
    synchronised: usize,
    /// The number of operations that were submitted.
    submitted: usize,
    discards_failures: bool,
}

pub fn quick() -> Settings {
    Settings {
        poll: Pace::steady(Duration::from_millis(20)),
        create_confirm_timeout: Duration::from_millis(100),
        ..Settings::default()
    }
}

/// Starts a sync with the server that retries after short pauses.
pub fn sync_of(server: &Server, settings: Settings) -> SyncHandle {
    sync_allowed(Access::ReadWrite, server, settings)
}

fn sync_allowed(access: Access, server: &Server, settings: Settings) -> SyncHandle {
    let base_url = BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).unwrap();
    let mut api = ApiSettings::new(base_url, server.tenant(), server.api_key().to_owned().into());
    api.retries = Policy { initial_backoff: Duration::from_millis(5), ..Policy::default() };
    sync::start(Arc::new(Guarded::new(Api::new(api).unwrap(), access)), settings)
}

impl Client {
    /// Starts a client and waits until it has read the feed to its end.
    pub async fn live(server: &Server, settings: Settings) -> Self {
        let mut client = Self::start(Access::ReadWrite, server, settings);
        client.settle().await;
        client
    }

    /// A client that has seen everything and hears of changes from then on only when it asks for them before a write.
    pub async fn without_polling(server: &Server) -> Self {
        let settings = Settings { poll: Pace::steady(Duration::from_secs(600)), ..quick() };
        let mut client = Self::start(Access::ReadWrite, server, settings);
        client.wait_until(|client| client.synchronised > 0).await;
        client
    }

    pub fn start(access: Access, server: &Server, settings: Settings) -> Self {
        let queue = ChangeQueue::new(0, settings.concurrency);
        Self {
            sync: sync_allowed(access, server, settings),
            queue,
            segments: BTreeMap::new(),
            started: Vec::new(),
            results: HashMap::new(),
            dropped: Vec::new(),
            stalled: 0,
            synchronised: 0,
            submitted: 0,
            discards_failures: false,
        }
    }

    /// The same client, which now discards operations that fail.
    pub fn discarding_failures(self) -> Self {
        Self { discards_failures: true, ..self }
    }

    pub async fn receive_event(&mut self) {
        let event = timeout(TIMEOUT, self.sync.events.recv()).await.expect("it says something").expect("it lives");
        self.handle_event(event);
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::PageReceived(segments) => {
                self.segments.extend(segments.into_iter().map(|segment| (segment.id.clone(), segment)));
            }
            Event::Listed { different: seen } | Event::Changed { seen, .. } => {
                for SegmentChange { id, before, now, .. } in seen {
                    if let (None, Some(new)) = (before, &now) {
                        let transitions = self.queue.observe_created(new);
                        self.apply(transitions);
                    }
                    match now {
                        Some(now) => self.segments.insert(id, now),
                        None => self.segments.remove(&id),
                    };
                }
            }
            Event::Executed { op, result } => self.executed(op, &result),
            Event::ServerResponded => self.queue.resume_sending(),
            Event::Synchronised { .. } => self.synchronised += 1,
            Event::PhaseChanged(Phase::Stalled { .. }) => self.stalled += 1,
            _ => {}
        }
        self.send_next();
    }

    fn executed(&mut self, op: OpId, result: &ExecutionResult) {
        match result {
            ExecutionResult::Done(outcome) => {
                match outcome {
                    WriteResult::Created(written) | WriteResult::Updated(written) => {
                        self.segments.insert(written.segment.id.clone(), Arc::clone(&written.segment));
                    }
                    WriteResult::Deleted { id, .. } => drop(self.segments.remove(id)),
                }
                self.results.insert(op, Ok(outcome.clone()));
            }
            ExecutionResult::Failed { error, .. } => drop(self.results.insert(op, Err(error.clone()))),
            ExecutionResult::Unreached { .. } => self.queue.pause_sending(),
        }
        let transitions = self.queue.executed(op, result);
        self.apply(transitions);
        if self.discards_failures && matches!(result, ExecutionResult::Failed { .. }) {
            let transitions = self.queue.discard(op);
            self.apply(transitions);
        }
    }

    /// The errors of the operations that failed.
    pub fn failed(&self) -> Vec<&WriteError> {
        self.results.values().filter_map(|result| result.as_ref().err()).collect()
    }

    /// Records what the queue has discarded, forwards its journal entries, and sends what is ready.
    pub fn apply(&mut self, transitions: Transitions) {
        self.dropped.extend(transitions.discarded);
        if !transitions.journal.is_empty() {
            self.sync.commands.try_send(Command::Journal(transitions.journal)).unwrap();
        }
        self.send_next();
    }

    fn send_next(&mut self) {
        while let Some(execution) = self.queue.begin() {
            self.started.push(execution.op);
            self.sync.commands.try_send(Command::Execute(Box::new(execution))).unwrap();
        }
    }

    pub async fn wait_until(&mut self, mut condition: impl FnMut(&Self) -> bool) {
        while !condition(self) {
            self.receive_event().await;
        }
    }

    /// Waits until the feed has been read to its end three more times; the first of these may have begun before the
    /// call.
    pub async fn settle(&mut self) {
        while let Ok(event) = self.sync.events.try_recv() {
            self.handle_event(event);
        }
        let target = self.synchronised + 3;
        self.wait_until(|client| client.synchronised >= target).await;
    }

    /// Waits until every submitted operation has a result, and then for [`Self::settle`].
    pub async fn settle_all(&mut self) {
        self.wait_until(|client| client.results.len() == client.submitted).await;
        self.settle().await;
    }

    pub async fn send_command(&mut self, command: Command) {
        self.sync.commands.send(command).await.unwrap();
    }

    /// Stages a plan and submits it.
    pub fn begin(&mut self, operations: impl IntoIterator<Item = Operation>) -> PlanId {
        let plan = Plan { operations: operations.into_iter().collect() };
        self.submitted += plan.operations.len();
        let (plan_id, staged) = self.queue.stage(&Forest::new(), plan, Title::default());
        self.apply(staged);
        let submitted = self.queue.submit(plan_id);
        self.apply(submitted);
        plan_id
    }

    /// Submits one operation and waits for its result.
    pub async fn write(&mut self, operation: Operation) -> Result<WriteResult, WriteError> {
        let plan_id = self.begin([operation]);
        self.result(OpId { plan_id, index: 0 }).await
    }

    /// Retries an operation and waits for its result.
    pub async fn retry(&mut self, op: OpId) -> Result<WriteResult, WriteError> {
        self.results.remove(&op);
        let transitions = self.queue.retry(op);
        self.apply(transitions);
        self.result(op).await
    }

    pub async fn result(&mut self, op: OpId) -> Result<WriteResult, WriteError> {
        self.wait_until(|client| client.results.contains_key(&op)).await;
        self.results[&op].clone()
    }

    pub fn named(&self, name: &str) -> Arc<Segment> {
        Arc::clone(self.segments.values().find(|segment| segment.name == name).unwrap())
    }

    pub fn rename(&self, from: &str, to: &str) -> Operation {
        let base = self.named(from);
        Operation::Update { draft: Draft { name: name(to), ..Draft::of(&base) }, base }
    }

    pub fn delete(&self, name: &str) -> Operation {
        Operation::delete(self.named(name))
    }

    pub fn assert_equals(&self, server: &Server) {
        let expected: BTreeMap<SegmentId, Arc<Segment>> =
            server.segments().into_iter().map(|segment| (segment.id.clone(), Arc::new(segment))).collect();
        assert_eq!(self.segments, expected);
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn create(text: &str, parent: Option<SegmentId>) -> Operation {
    Operation::Create { draft: Draft { name: name(text), external_id: None, parent } }
}

pub fn applied(outcome: WriteResult) -> Written {
    match outcome {
        WriteResult::Created(applied) | WriteResult::Updated(applied) => applied,
        WriteResult::Deleted { id, .. } => panic!("{id} was deleted"),
    }
}
