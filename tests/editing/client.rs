//! A client of the mirror that keeps its picture of the tree and what became of every operation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use segtui::api::retry::Policy;
use segtui::api::{Client as Api, Settings as ApiSettings};
use segtui::demo::Server;
use segtui::mirror::{self, Applied, Command, Event, Mirror, Outcome, Pace, Seen, Settings, Ticket, Which, WriteError};
use segtui::plan::{Operation, Plan};
use segtui::remote::{Access, BaseUrl, Guarded, InsecureHttp};
use segtui::segment::{Draft, Name, Segment, SegmentId};
use tokio::time::timeout;

pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client {
    mirror: Mirror,
    pub picture: BTreeMap<SegmentId, Arc<Segment>>,
    pub began: Vec<Which>,
    /// What each operation came to the last time.
    pub results: HashMap<Which, Result<Outcome, WriteError>>,
    pub dropped: Vec<Which>,
    synchronised: usize,
    tickets: u64,
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
            tickets: 0,
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
            Event::OperationBegan(which) => self.began.push(which),
            Event::OperationEnded { which, outcome, .. } => {
                match &outcome {
                    Outcome::Created(applied) | Outcome::Updated(applied) => {
                        self.picture.insert(applied.segment.id.clone(), Arc::clone(&applied.segment));
                    }
                    Outcome::Deleted { id, .. } => {
                        self.picture.remove(id);
                    }
                }
                self.results.insert(which, Ok(outcome));
            }
            Event::OperationFailed { which, error, .. } => {
                self.results.insert(which, Err(error));
            }
            Event::OperationDropped(which) => self.dropped.push(which),
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
    pub async fn begin(&mut self, operations: impl IntoIterator<Item = Operation>) -> Ticket {
        self.tickets += 1;
        let (ticket, plan) = (Ticket(self.tickets), Plan { operations: operations.into_iter().collect() });
        self.order(Command::Write { ticket, plan }).await;
        ticket
    }

    /// Asks for one operation and waits for what it comes to.
    pub async fn write(&mut self, operation: Operation) -> Result<Outcome, WriteError> {
        let ticket = self.begin([operation]).await;
        self.result(Which { ticket, index: 0 }).await
    }

    /// Tries an operation again and waits for what it comes to.
    pub async fn retry(&mut self, which: Which) -> Result<Outcome, WriteError> {
        self.results.remove(&which);
        self.order(Command::Retry(which)).await;
        self.result(which).await
    }

    pub async fn result(&mut self, which: Which) -> Result<Outcome, WriteError> {
        self.hear_until(|client| client.results.contains_key(&which)).await;
        self.results[&which].clone()
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

pub fn applied(outcome: Outcome) -> Applied {
    match outcome {
        Outcome::Created(applied) | Outcome::Updated(applied) => applied,
        Outcome::Deleted { id, .. } => panic!("{id} was deleted"),
    }
}
