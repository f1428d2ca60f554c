//! An in-memory server: segments, a feed of all changes, latency, faults, and quirks of real servers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::remote::{Call, Changes, Context, Fault, FeedEvent, FeedEventKind, Page, Remote, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};

#[derive(Clone)]
pub struct Server {
    model: Arc<Mutex<Model>>,
}

/// Selects calls.
pub type CallFilter = fn(&Call) -> bool;

pub struct Model {
    pub segments: BTreeMap<SegmentId, Segment>,
    /// Ids in the order of the list: a delete moves everything behind it forward.
    pub order: Vec<SegmentId>,
    pub feed: Vec<FeedEvent>,
    origins: Vec<Context>,
    /// When each event happened.
    times: Vec<Instant>,
    /// Who makes the next changes that don't come through the API.
    pub actor: Context,
    /// Steps below this one are forgotten.
    pub oldest_step: i64,
    pub page_cap: usize,
    pub feed_cap: usize,
    pub quirks: Quirks,
    pub calls: Vec<Call>,
    pub random: fastrand::Rng,
    /// Percentage of calls that fail, half of them after they were applied.
    pub fault_percent: u32,
    /// Faults for the next calls that match, in order.
    pub injected_faults: Vec<(CallFilter, InjectedFault)>,
    pub latency: u64,
    /// Whether requests and responses always take exactly that long.
    pub steady_latency: bool,
    /// Pages that come empty, and how many more times.
    pub empty_pages: BTreeMap<u32, u32>,
    /// Segments that the server counts but does not have.
    pub phantom_count: u64,
    /// A segment that can't be read.
    pub unreadable: Option<(SegmentId, Fault)>,
    /// A segment that is reported as missing, and for how many more fetches.
    pub hidden: Option<(SegmentId, u32)>,
    /// The segment that every fetch returns, whichever was requested.
    pub returns_instead: Option<SegmentId>,
    /// Why no call reaches the server.
    pub unreachable: Option<Fault>,
    pub pages_in_flight: usize,
    pub max_pages_in_flight: usize,
    /// How many segments were created through the API, by name.
    pub created_counts: BTreeMap<String, usize>,
    next_id: u32,
}

#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own, and servers have any mix of them")]
pub struct Quirks {
    pub ignores_page_number: bool,
    pub reports_total: bool,
    pub no_feed: bool,
    pub refuses_contexts: bool,
    pub changes_on_read: bool,
    /// The feed always advances; whether it also names a segment.
    pub advances_on_read: Option<bool>,
    /// The order changes with each page.
    pub shuffles: bool,
    /// A create of a name that exists returns the existing segment.
    pub upserts: bool,
    /// Deletes are reported as done but not applied.
    pub ignores_deletes: bool,
    pub max_concurrent_pages: Option<usize>,
    pub cascades: bool,
    pub ignores_external_ids: bool,
    /// The feed names each write twice.
    pub duplicates_events: bool,
    /// Delay until the feed names a change.
    pub feed_lag: Duration,
    /// The context whose changes the feed names, other than in [`Remote::changes_by_anybody`].
    pub follows: Option<Context>,
    /// Next step that the feed returns when nothing happened, given the correct one.
    pub next_when_quiet: Option<fn(Step) -> Step>,
}

#[derive(Clone)]
pub enum InjectedFault {
    /// The call is not applied.
    Refuse(Fault),
    /// The call is applied and its response is lost.
    LoseResponse,
    /// The call is applied after this delay.
    Delay(Duration),
}

pub fn refused(status: u16) -> Fault {
    Fault::Refused { status, message: "no".into(), retry_after: None }
}

impl Server {
    pub fn new(segments: impl IntoIterator<Item = Segment>) -> Self {
        let segments: BTreeMap<_, _> = segments.into_iter().map(|segment| (segment.id.clone(), segment)).collect();
        let model = Model {
            order: segments.keys().cloned().collect(),
            segments,
            feed: Vec::new(),
            origins: Vec::new(),
            times: Vec::new(),
            actor: Context::Backoffice,
            oldest_step: 1,
            page_cap: usize::MAX,
            feed_cap: 1_000,
            quirks: Quirks::default(),
            calls: Vec::new(),
            random: fastrand::Rng::with_seed(1),
            fault_percent: 0,
            injected_faults: Vec::new(),
            latency: 20,
            steady_latency: false,
            empty_pages: BTreeMap::new(),
            phantom_count: 0,
            unreadable: None,
            hidden: None,
            returns_instead: None,
            unreachable: None,
            pages_in_flight: 0,
            max_pages_in_flight: 0,
            created_counts: BTreeMap::new(),
            next_id: 0,
        };
        Self { model: Arc::new(Mutex::new(model)) }
    }

    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    pub fn count(&self, filter: impl Fn(&Call) -> bool) -> usize {
        self.model().calls.iter().filter(|call| filter(call)).count()
    }

    /// Carries a call as a network does: late, sometimes not at all, sometimes without the response.
    async fn simulate<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut Model) -> Result<T, Fault> + Send,
    ) -> Result<T, RemoteError> {
        let (request_latency, response_latency, outcome) = {
            let mut model = self.model();
            model.calls.push(call.clone());
            let latency = model.latency;
            let injected = model.injected_faults.iter().position(|(filter, _)| filter(&call));
            let injected = injected.map(|at| model.injected_faults.remove(at).1);
            let chance = model.random.u32(0..200);
            let unreachable = model.unreachable.clone().map(InjectedFault::Refuse);
            let outcome = injected.or(unreachable).or(match chance {
                chance if chance < model.fault_percent => Some(InjectedFault::LoseResponse),
                chance if chance < 2 * model.fault_percent => Some(InjectedFault::Refuse(refused(503))),
                _ => None,
            });
            if model.steady_latency {
                (latency, latency, outcome)
            } else {
                (model.random.u64(0..=latency), model.random.u64(0..=latency), outcome)
            }
        };
        sleep(Duration::from_millis(request_latency)).await;
        if let Some(InjectedFault::Delay(time)) = &outcome {
            sleep(*time).await;
        }
        let result = if let Some(InjectedFault::Refuse(fault)) = &outcome {
            Err(fault.clone())
        } else {
            let mut model = self.model();
            let previous_actor = std::mem::replace(&mut model.actor, Context::Integrations);
            let result = act(&mut model);
            model.actor = previous_actor;
            result
        };
        sleep(Duration::from_millis(response_latency)).await;
        let result = if let Some(InjectedFault::LoseResponse) = outcome {
            Err(Fault::TimedOut { after: Duration::from_secs(30) })
        } else {
            result
        };
        result.map_err(|fault| RemoteError { call, fault })
    }
}

/// Changes by someone else.
impl Model {
    pub fn create(&mut self, draft: &Draft) -> SegmentId {
        self.next_id += 1;
        let id = SegmentId::new(&format!("s{}", self.next_id)).unwrap();
        self.put(draft.clone().into_segment(id.clone()));
        id
    }

    pub fn put(&mut self, segment: Segment) {
        let id = segment.id.clone();
        let kind = if self.segments.insert(id.clone(), segment).is_some() {
            FeedEventKind::Updated
        } else {
            let place = self.random.usize(0..=self.order.len());
            self.order.insert(place, id.clone());
            FeedEventKind::Created
        };
        self.record_event(&id, kind);
    }

    fn record_event(&mut self, id: &SegmentId, kind: FeedEventKind) {
        // Tests truncate the feed to hide events.
        self.origins.resize(self.feed.len(), Context::Backoffice);
        self.times.resize(self.feed.len(), Instant::now());
        for _ in 0..=usize::from(self.quirks.duplicates_events) {
            self.origins.push(self.actor);
            self.times.push(Instant::now());
            self.feed.push(FeedEvent { id: id.clone(), kind });
        }
    }

    pub fn delete(&mut self, id: &SegmentId) {
        if self.segments.remove(id).is_none() {
            return;
        }
        self.order.retain(|other| other != id);
        self.record_event(id, FeedEventKind::Deleted);
        if self.quirks.cascades {
            let children: Vec<_> =
                self.segments.values().filter(|child| child.parent.as_ref() == Some(id)).cloned().collect();
            for child in children {
                self.delete(&child.id);
            }
        }
    }

    fn page(&mut self, number: u32, size: u32) -> Page {
        if let Some(times) = self.empty_pages.get_mut(&number).filter(|times| **times > 0) {
            *times -= 1;
            return Page::default();
        }
        if self.quirks.shuffles {
            let Self { random, order, .. } = self;
            random.shuffle(order);
        }
        let size = self.page_cap.min(size as usize);
        let number = if self.quirks.ignores_page_number { 1 } else { number as usize };
        let ids = self.order.iter().skip((number - 1) * size).take(size);
        let total = self.quirks.reports_total.then_some(self.order.len() as u64 + self.phantom_count);
        Page { segments: ids.map(|id| self.segments[id].clone()).collect(), total, unreadable: 0 }
    }

    fn changes(&mut self, from: Step, only: Option<Context>) -> Result<Changes, Fault> {
        if self.quirks.no_feed {
            return Err(refused(404));
        }
        if from.0 < self.oldest_step || (only.is_some() && self.quirks.refuses_contexts) {
            return Err(refused(410));
        }
        if let Some(names) = self.quirks.advances_on_read {
            let event = FeedEvent { id: self.order[0].clone(), kind: FeedEventKind::Updated };
            let events = if names { vec![event] } else { Vec::new() };
            return Ok(Changes { next: Some(Step(from.0 + 1_000)), events });
        }
        let changes = if self.quirks.changes_on_read { self.random.usize(1..4) } else { 0 };
        for segment in self.segments.values().take(changes).cloned().collect::<Vec<_>>() {
            self.put(segment);
        }
        let lag = self.quirks.feed_lag;
        let is_visible = |at: usize| self.times.get(at).is_none_or(|time| time.elapsed() >= lag);
        let visible_len = (0..self.feed.len()).find(|at| !is_visible(*at)).unwrap_or(self.feed.len());
        let start = usize::try_from(from.0 - 1).unwrap().min(visible_len);
        let part = &self.feed[start..visible_len.min(start.saturating_add(self.feed_cap))];
        let is_wanted = |at: usize| only.is_none_or(|only| self.origins.get(at) == Some(&only));
        let events: Vec<_> =
            (start..).zip(part).filter(|(at, _)| is_wanted(*at)).map(|(_, event)| event.clone()).collect();
        let end = Step(1 + i64::try_from(start + part.len()).unwrap());
        let next = if end > from { Some(end) } else { self.quirks.next_when_quiet.map(|next| next(end)) };
        Ok(Changes { next, events })
    }
}

impl Remote for Server {
    async fn page(&self, number: u32, size: u32) -> Result<Page, RemoteError> {
        {
            let mut model = self.model();
            model.pages_in_flight += 1;
            let in_flight = model.pages_in_flight;
            model.max_pages_in_flight = model.max_pages_in_flight.max(in_flight);
        }
        let result = self.simulate(Call::Page(number), |model| {
            if model.quirks.max_concurrent_pages.is_some_and(|most| model.pages_in_flight > most) {
                return Err(refused(429));
            }
            Ok(model.page(number, size))
        });
        let result = result.await;
        self.model().pages_in_flight -= 1;
        result
    }

    async fn one(&self, id: &SegmentId) -> Result<Option<Segment>, RemoteError> {
        self.simulate(Call::One(id.clone()), |model| {
            if let Some((_, fault)) = model.unreadable.as_ref().filter(|(unreadable, _)| unreadable == id) {
                return Err(fault.clone());
            }
            if let Some((_, times)) = model.hidden.as_mut().filter(|(hidden, times)| hidden == id && *times > 0) {
                *times -= 1;
                return Ok(None);
            }
            let asked = model.returns_instead.as_ref().unwrap_or(id);
            Ok(model.segments.get(asked).cloned())
        })
        .await
    }

    async fn changes(&self, from: Step, only: Option<Context>) -> Result<Changes, RemoteError> {
        self.simulate(Call::Changes(from), |model| model.changes(from, only.or(model.quirks.follows))).await
    }

    async fn changes_by_anybody(&self, from: Step) -> Result<Changes, RemoteError> {
        self.simulate(Call::Changes(from), |model| model.changes(from, None)).await
    }

    async fn create(&self, draft: &Draft) -> Result<SegmentId, RemoteError> {
        let call = Call::Create(draft.name.as_str().into());
        self.simulate(call, |model| {
            let mut draft = draft.clone();
            if model.quirks.ignores_external_ids {
                draft.external_id = None;
            }
            let existing = model.segments.values().find(|segment| segment.name == draft.name.as_str());
            if let Some(existing) = existing.filter(|_| model.quirks.upserts) {
                return Ok(existing.id.clone());
            }
            *model.created_counts.entry(draft.name.as_str().to_owned()).or_default() += 1;
            Ok(model.create(&draft))
        })
        .await
    }

    async fn update(&self, id: &SegmentId, draft: &Draft) -> Result<(), RemoteError> {
        self.simulate(Call::Update(id.clone()), |model| {
            if !model.segments.contains_key(id) {
                return Err(refused(404));
            }
            model.put(draft.clone().into_segment(id.clone()));
            Ok(())
        })
        .await
    }

    async fn delete(&self, id: &SegmentId) -> Result<(), RemoteError> {
        self.simulate(Call::Delete(id.clone()), |model| {
            if !model.quirks.ignores_deletes {
                model.delete(id);
            }
            Ok(())
        })
        .await
    }
}
