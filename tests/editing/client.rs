//! A client of the mirror that keeps its picture of the tree and what became of every operation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use segtui::api::retry::Policy;
use segtui::api::{Client as Api, Settings as ApiSettings};
use segtui::changes::{OpId, PlanId, WriteError, WriteResult, Written};
use segtui::changes::{Operation, Plan};
use segtui::demo::Server;
use segtui::mirror::{self, Command, Event, Mirror, Pace, Seen, Settings};
use segtui::remote::{Access, BaseUrl, Guarded, InsecureHttp};
use segtui::segment::{Draft, Name, Segment, SegmentId};
use tokio::time::timeout;

pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client {
    mirror: Mirror,
    pub picture: BTreeMap<SegmentId, Arc<Segment>>,
    pub began: Vec<OpId>,
    /// What each operation came to the last time.
    pub results: HashMap<OpId, Result<WriteResult, WriteError>>,
    pub dropped: Vec<OpId>,
    synchronised: usize,
    plan_ids: u64,
}

pub fn quick() -> Settings {
    Settings { poll: Pace::steady(Duration::from_millis(20)), grace: Duration::from_millis(100), ..Settings::default() }
}

/// A mirror of the server that tries again quickly.
pub fn mirror_of(server: &Server, settings: Settings) -> Mirror {
    let base_url = BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).unwrap();
    let mut api = ApiSettings::new(base_url, server.tenant(), server.api_key().to_owned().into());
    api.retries = Policy { first_pause: Duration::from_millis(5), ..Policy::default() };
    mirror::start(Arc::new(Guarded::new(Api::new(api).unwrap(), Access::ReadWrite)), settings)
}

impl Client {
    pub async fn live(server: &Server, settings: Settings) -> Self {
        let mut client = Self {
            mirror: mirror_of(server, settings),
            picture: BTreeMap::new(),
            began: Vec::new(),
            results: HashMap::new(),
            dropped: Vec::new(),
            synchronised: 0,
            plan_ids: 0,
        };
        client.settle().await;
        client
    }

    async fn hear(&mut self) {
        let event = timeout(PATIENCE, self.mirror.events.recv()).await.expect("it says something").expect("it lives");
        self.take(event);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Gathered(segments) => {
                self.picture.extend(segments.into_iter().map(|segment| (segment.id.clone(), segment)));
            }
            Event::Listed { different: seen } | Event::Changed { seen, .. } => {
                for Seen { id, now, .. } in seen {
                    match now {
                        Some(now) => self.picture.insert(id, now),
                        None => self.picture.remove(&id),
                    };
                }
            }
            Event::OperationBegan(op) => self.began.push(op),
            Event::OperationEnded { op, outcome, .. } => {
                match &outcome {
                    WriteResult::Created(applied) | WriteResult::Updated(applied) => {
                        self.picture.insert(applied.segment.id.clone(), Arc::clone(&applied.segment));
                    }
                    WriteResult::Deleted { id, .. } => {
                        self.picture.remove(id);
                    }
                }
                self.results.insert(op, Ok(outcome));
            }
            Event::OperationFailed { op, error, .. } => {
                self.results.insert(op, Err(error));
            }
            Event::OperationDropped(op) => self.dropped.push(op),
            Event::Synchronised { .. } => self.synchronised += 1,
            _ => {}
        }
    }

    pub async fn hear_until(&mut self, mut fact: impl FnMut(&Self) -> bool) {
        while !fact(self) {
            self.hear().await;
        }
    }

    /// Until the feed was read to its end again, twice.
    pub async fn settle(&mut self) {
        while let Ok(event) = self.mirror.events.try_recv() {
            self.take(event);
        }
        let enough = self.synchronised + 3;
        self.hear_until(|client| client.synchronised >= enough).await;
    }

    pub async fn order(&mut self, command: Command) {
        self.mirror.commands.send(command).await.unwrap();
    }

    /// Asks for a plan.
    pub async fn begin(&mut self, operations: impl IntoIterator<Item = Operation>) -> PlanId {
        self.plan_ids += 1;
        let (plan_id, plan) = (PlanId(self.plan_ids), Plan { operations: operations.into_iter().collect() });
        self.order(Command::Write { plan_id, plan }).await;
        plan_id
    }

    /// Asks for one operation and waits for what it comes to.
    pub async fn write(&mut self, operation: Operation) -> Result<WriteResult, WriteError> {
        let plan_id = self.begin([operation]).await;
        self.result(OpId { plan_id, index: 0 }).await
    }

    /// Tries an operation again and waits for what it comes to.
    pub async fn retry(&mut self, op: OpId) -> Result<WriteResult, WriteError> {
        self.results.remove(&op);
        self.order(Command::Retry(op)).await;
        self.result(op).await
    }

    pub async fn result(&mut self, op: OpId) -> Result<WriteResult, WriteError> {
        self.hear_until(|client| client.results.contains_key(&op)).await;
        self.results[&op].clone()
    }

    pub fn named(&self, name: &str) -> Arc<Segment> {
        Arc::clone(self.picture.values().find(|segment| segment.name == name).unwrap())
    }

    pub fn rename(&self, from: &str, to: &str) -> Operation {
        let base = self.named(from);
        Operation::Update { draft: Draft { name: name(to), ..Draft::of(&base) }, base }
    }

    pub fn delete(&self, name: &str) -> Operation {
        Operation::delete(self.named(name))
    }

    pub fn assert_equals(&self, server: &Server) {
        let there: BTreeMap<SegmentId, Arc<Segment>> =
            server.segments().into_iter().map(|segment| (segment.id.clone(), Arc::new(segment))).collect();
        assert_eq!(self.picture, there);
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
