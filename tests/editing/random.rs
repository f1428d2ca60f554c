//! A user presses random keys over real sockets, with the real sync and server, a colleague and faults: what the user
//! was told must match what happened. The many schedules are run on the queue alone, without a server.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use segtui::app::{self, Access, Clock, ConflictKind, Effect, Event, Layer, Session, State};
use segtui::changes::{ExecutionResult, JournalEntry, OpId, Operation, QueueCounts, WriteError, WriteResult};
use segtui::demo::{Actor, Change, ChangeRequest, DeletionPolicy, Fields, InjectedFault, Options, Server};
use segtui::forest::RowId;
use segtui::keymap::{Keymap, parse_sequence};
use segtui::remote::{BaseUrl, InsecureHttp};
use segtui::segment::{Field, Segment, SegmentId};
use segtui::sync::{self, Command, SyncHandle};
use tokio::time::timeout;

use super::client::{TIMEOUT, quick, sync_of};

/// What happens besides the user's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Environment {
    /// Nothing.
    Quiet,
    /// A colleague makes changes, and responses are late, refused or lost.
    Disturbed,
}

const SEEDS: std::ops::Range<u64> = 0..1;
const ACTIONS: usize = 40;
/// Longer than all pending requests can take.
const STUCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The seeds to run: only `SEGTUI_SEED`, or the first `SEGTUI_SEEDS` ones, or else `SEEDS`.
fn seeds() -> std::ops::Range<u64> {
    let more = std::env::var("SEGTUI_SEEDS").ok().and_then(|count| count.parse().ok());
    if let Some(only) = std::env::var("SEGTUI_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return only..only + 1;
    }
    more.map_or(SEEDS, |count| 0..count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_user_is_told_matches_the_server_despite_faults() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut user = SimulatedUser::start(seed, Environment::Disturbed).await;
        for _ in 0..ACTIONS {
            user.act().await;
        }
        user.end().await;
        user.check();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undoing_everything_brings_back_the_tree_up_to_new_ids() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut user = SimulatedUser::start(seed, Environment::Quiet).await;
        let before = shape(&user.server.segments());
        for _ in 0..ACTIONS {
            user.act().await;
        }
        user.end().await;
        user.check();
        user.log.refused_to_undo = false;
        for step in 0.. {
            if user.log.refused_to_undo {
                break;
            }
            let unfinished_operations: Vec<_> =
                user.state.changes.queue.plans().map(|(plan_id, write)| (plan_id, write.ops())).collect();
            let (message, layers) = (&user.state.screen.message, &user.state.screen.layers);
            assert!(step < 2 * ACTIONS, "seed {seed}: {message:?} {layers:?} {unfinished_operations:#?}");
            user.press("u");
            user.confirm();
            user.wait_until_idle().await;
        }
        user.end().await;
        if shape(&user.server.segments()) != before {
            user.log.requested.iter().for_each(|requested| println!("asked {requested:?}"));
            user.log.reported.iter().for_each(|result| println!("told {:?}", result.outcome));
        }
        assert_eq!(shape(&user.server.segments()), before, "seed {seed}");
    }
}

/// A tree by names: the path and external ID of each segment.
fn shape(segments: &[Segment]) -> BTreeSet<(Vec<String>, Option<String>)> {
    let by_id: HashMap<&SegmentId, &Segment> = segments.iter().map(|segment| (&segment.id, segment)).collect();
    let path = |segment: &Segment| {
        let up = |at: &&Segment| at.parent.as_ref().and_then(|parent| by_id.get(parent).copied());
        let mut names: Vec<String> =
            std::iter::successors(Some(segment), up).take(segments.len()).map(|at| at.name.to_string()).collect();
        names.reverse();
        names
    };
    segments.iter().map(|one| (path(one), one.external_id.as_deref().map(ToOwned::to_owned))).collect()
}

/// What the user asked for, and what was reported.
#[derive(Default)]
struct Log {
    requested: Vec<Operation>,
    reported: Vec<ReportedResult>,
    /// Submitted operations that are unfinished.
    open: BTreeSet<OpId>,
    in_flight: HashMap<OpId, Operation>,
    raced: HashSet<SegmentId>,
    /// Segments reported to the user as possible duplicates of a create.
    possible_duplicates: HashSet<SegmentId>,
    /// Segments that an update was for and that were reported as deleted.
    reported_deleted: HashSet<SegmentId>,
    /// Server IDs by the provisional IDs that they replaced.
    server_ids: HashMap<SegmentId, SegmentId>,
    refused_to_undo: bool,
}

impl Log {
    fn journal(&mut self, entry: &JournalEntry) {
        match entry {
            JournalEntry::Queued(op, operation) => {
                self.requested.push(operation.clone());
                self.open.insert(*op);
            }
            JournalEntry::Finished(op) => drop(self.open.remove(op)),
            _ => {}
        }
    }
}

/// An operation that was reported as done.
struct ReportedResult {
    operation: Operation,
    outcome: WriteResult,
}

struct SimulatedUser {
    state: State,
    keymap: Keymap,
    sync: SyncHandle,
    server: Server,
    random: fastrand::Rng,
    environment: Environment,
    names: usize,
    synchronised: usize,
    log: Log,
    before: Vec<Segment>,
    seed: u64,
}

impl SimulatedUser {
    async fn start(seed: u64, environment: Environment) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let policies =
            [DeletionPolicy::Refuse, DeletionPolicy::Cascade, DeletionPolicy::Orphan, DeletionPolicy::Uproot];
        let deletion = random.choice(policies).unwrap();
        let options = Options {
            segments: Some(random.usize(15..40)),
            seed,
            feed_cap: random.usize(2..30),
            deletion,
            ..Options::default()
        };
        let server = Server::start(options).await.unwrap();
        // The server's segments may share names; here each gets its own.
        for (number, segment) in server.segments().into_iter().enumerate() {
            let fields = Fields { name: format!("s{number}x").into(), ..Fields::of(&segment) };
            server.change(Actor::Internal, ChangeRequest::Update(segment.id, fields)).unwrap();
        }
        let before = server.segments();
        let concurrency = random.usize(1..7);
        let session = Session {
            base_url: BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).unwrap(),
            tenant: "demo".into(),
            host: "localhost".into(),
            profile: None,
            access: Access::ReadWrite,
            journalled: false,
            protected: false,
            owned: Vec::new(),
            open: None,
            concurrency,
        };
        let clock = Clock { now: Timestamp::now(), zone: TimeZone::UTC };
        let sync = sync_of(&server, sync::Settings { concurrency, ..quick() });
        let mut user = Self {
            state: State::new(session, clock, 120, 40),
            keymap: Keymap::standard().unwrap(),
            sync,
            server,
            random,
            environment,
            names: 0,
            synchronised: 0,
            log: Log::default(),
            before,
            seed,
        };
        user.synchronise().await;
        user
    }

    fn event(&mut self, event: Event) {
        for effect in app::update(&mut self.state, &self.keymap, event) {
            match effect {
                Effect::Search(job) => {
                    let mut finds = Vec::new();
                    job.for_each(|found| finds.push(found));
                    for found in finds {
                        self.event(Event::Found(found));
                    }
                }
                Effect::Check(job) => self.event(Event::Checked(job.run())),
                Effect::Sort(job) => self.event(Event::Sorted(job.run())),
                Effect::Sync(command) => {
                    match &command {
                        Command::Journal(entries) => entries.iter().for_each(|entry| self.log.journal(entry)),
                        Command::Execute(execution) => {
                            self.log.in_flight.insert(execution.op, execution.operation.clone());
                        }
                        _ => {}
                    }
                    if let Err(full) = self.sync.commands.try_send(command) {
                        self.event(Event::Undelivered(full.into_inner()));
                    }
                }
                Effect::Copy(_)
                | Effect::EditText { .. }
                | Effect::RemoveText(_)
                | Effect::Profile(_)
                | Effect::Switch(_)
                | Effect::Run(_)
                | Effect::StopRun
                | Effect::Browse(_)
                | Effect::Suspend
                | Effect::Quit => panic!("nobody asked for that"),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        for key in parse_sequence(keys).unwrap() {
            self.event(Event::Key(key));
            let words = self.state.screen.message.as_ref().map_or("", |message| message.text.as_str());
            self.log.refused_to_undo |= words.starts_with("Nothing to undo");
        }
    }

    fn type_text(&mut self, text: &str) {
        self.event(Event::Paste(text.to_owned()));
    }

    fn handle_event(&mut self, event: sync::Event) {
        match &event {
            sync::Event::Executed { op, result } => self.executed(*op, result),
            sync::Event::Synchronised { .. } => self.synchronised += 1,
            _ => {}
        }
        self.event(Event::Sync(event));
    }

    fn executed(&mut self, op: OpId, result: &ExecutionResult) {
        let operation = self.log.in_flight.remove(&op).unwrap();
        match result {
            ExecutionResult::Done(outcome) => self.record_result(op, &operation, outcome),
            ExecutionResult::Failed { error: WriteError::Conflict { theirs: None, .. }, .. } => {
                if let Operation::Update { base, .. } = operation {
                    self.log.reported_deleted.insert(base.id.clone());
                }
            }
            ExecutionResult::Failed { error: WriteError::PossibleDuplicate { theirs }, .. } => {
                self.log.possible_duplicates.insert(theirs.id.clone());
            }
            ExecutionResult::Failed { .. } | ExecutionResult::Unreached { .. } => {}
        }
    }

    fn record_result(&mut self, op: OpId, operation: &Operation, outcome: &WriteResult) {
        if let WriteResult::Created(applied) = outcome {
            self.log.server_ids.insert(op.provisional_id(), applied.segment.id.clone());
        }
        if let WriteResult::Created(applied) | WriteResult::Updated(applied) = outcome
            && applied.concurrent_write
        {
            self.log.raced.insert(applied.segment.id.clone());
        }
        self.log.reported.push(ReportedResult { operation: operation.clone(), outcome: outcome.clone() });
    }

    async fn receive_event(&mut self) {
        let event = timeout(TIMEOUT, self.sync.events.recv()).await;
        let event = event.unwrap_or_else(|_| panic!("seed {}: sync is silent", self.seed)).unwrap();
        self.handle_event(event);
    }

    fn catch_up(&mut self) {
        while let Ok(event) = self.sync.events.try_recv() {
            self.handle_event(event);
        }
    }

    /// Waits until the feed has been read to its end three more times.
    async fn synchronise(&mut self) {
        self.catch_up();
        let target = self.synchronised + 3;
        while self.synchronised < target {
            self.receive_event().await;
        }
    }

    /// Waits until nothing is queued, or until something has failed or is on hold, and then until sync has caught up.
    async fn wait_until_idle(&mut self) {
        self.catch_up();
        let until = tokio::time::Instant::now() + STUCK_TIMEOUT;
        let goes = |counts: QueueCounts| counts.queued > 0 && counts.failed + counts.on_hold == 0;
        while goes(self.state.changes.counts()) {
            let stuck = tokio::time::Instant::now() > until;
            assert!(!stuck, "seed {}: something waits for nothing:\n{}", self.seed, self.unfinished_operations());
            self.receive_event().await;
        }
        self.synchronise().await;
    }

    /// The operations that remain in the queue, one per line.
    fn unfinished_operations(&self) -> String {
        let steps = self.state.changes.queue.plans().flat_map(|(plan_id, plan)| {
            plan.ops().iter().map(move |op| format!("{}: {:?} {:?}\n", plan_id.0, op.state, op.operation))
        });
        steps.collect()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}x", self.names)
    }

    fn any_segment(&mut self) -> Option<Arc<Segment>> {
        let all: Vec<Arc<Segment>> = self.state.tree.forest.iter().cloned().collect();
        self.random.choice(all)
    }

    fn select_any(&mut self) {
        if let Some(segment) = self.any_segment() {
            self.state.tree.view.selected = Some(RowId::Segment(segment.id.clone()));
        }
    }

    fn top_layer(&self) -> Option<&Layer> {
        self.state.screen.layers.last()
    }

    async fn act(&mut self) {
        for _ in 0..self.random.usize(0..4) {
            self.catch_up();
            if self.random.bool() {
                // There may be no event for a while when only the user acts.
                tokio::time::sleep(Duration::from_millis(self.random.u64(0..6))).await;
            }
        }
        if self.environment == Environment::Disturbed {
            if self.random.u8(0..4) == 0 {
                self.inject_fault();
            }
            if self.random.u8(0..2) == 0 {
                self.change_by_colleague();
            }
        }
        self.select_any();
        match self.random.u8(0..17) {
            0..3 => self.create(),
            3 | 4 => self.rename(),
            5 => self.edit(),
            6 | 7 => self.move_one(),
            8 => self.move_marked(),
            9 => self.delete(),
            10 => {
                self.press("u");
                self.confirm();
            }
            11 => {
                self.press("U");
                self.confirm();
            }
            12 => self.queue(),
            13 => self.edit_marked(),
            14 | 15 => self.toggle_staging(),
            _ => self.resolve_conflicts(),
        }
        self.close();
    }

    fn close(&mut self) {
        for _ in 0..10 {
            if self.state.screen.layers.is_empty() {
                break;
            }
            self.press("esc");
        }
        self.state.tree.picks.marked.clear();
        assert!(self.state.screen.layers.is_empty(), "{:?}", self.state.screen.layers);
    }

    fn confirm(&mut self) {
        if let Some(Layer::Review(_)) = self.top_layer() {
            self.press("y");
        }
    }

    fn create(&mut self) {
        let key = if self.random.bool() { "a" } else { "A" };
        self.press(key);
        if let Some(Layer::Form(_)) = self.top_layer() {
            let name = self.name();
            self.type_text(&name);
            self.press("enter");
        }
    }

    fn rename(&mut self) {
        self.press("r");
        if let Some(Layer::Renaming(_)) = self.top_layer() {
            let name = self.name();
            self.press("ctrl-u");
            self.type_text(&name);
            self.press("enter");
        }
    }

    fn edit(&mut self) {
        self.press("e");
        if let Some(Layer::Form(_)) = self.top_layer() {
            let name = self.name();
            self.press("tab ctrl-u");
            self.type_text(&name);
            self.press("enter");
        }
    }

    fn move_one(&mut self) {
        let Some(target) = self.any_segment() else { return };
        self.press("m");
        if let Some(Layer::Parents(_)) = self.top_layer() {
            self.type_text(&target.name);
            self.press("enter");
            self.confirm();
        }
    }

    fn move_marked(&mut self) {
        for _ in 0..self.random.usize(2..5) {
            self.select_any();
            self.press("space");
        }
        self.move_one();
    }

    fn edit_marked(&mut self) {
        for _ in 0..self.random.usize(2..5) {
            self.select_any();
            self.press("space");
        }
        self.press("e");
        if let Some(Layer::Bulk(_)) = self.top_layer() {
            let name = self.name();
            let keys = if self.random.bool() { "ctrl-u" } else { "tab ctrl-u" };
            self.press(keys);
            self.type_text(&format!("{name}{{n}}x"));
            self.press("enter");
            self.confirm();
        }
    }

    /// Starts staging, or reviews the staged changes.
    fn toggle_staging(&mut self) {
        self.press("S");
        if let Some(Layer::Review(_)) = self.top_layer() {
            let keys = self.random.choice(["y", "y", "y", "esc", "D", "j d y", "d esc"]).unwrap();
            self.press(keys);
        }
    }

    fn delete(&mut self) {
        self.press("d");
        let Some(Layer::Deletion(deletion)) = self.top_layer() else { return };
        let leaf = deletion.descendants == 0;
        let many = deletion.descendants > 6;
        let key = match self.random.bool() {
            _ if leaf => "enter",
            true if !many => "s",
            // What the server does with the descendants can't be undone.
            _ if self.environment == Environment::Disturbed && self.random.u8(0..3) == 0 => "o",
            _ => "p",
        };
        self.press(key);
        self.confirm();
    }

    fn queue(&mut self) {
        self.press("Q");
        for _ in 0..self.random.usize(1..4) {
            let Some(Layer::Queue(_)) = self.top_layer() else { break };
            let key = self.random.choice(["j", "j", "k", "r", "R", "d", "D", "h"]).unwrap();
            self.press(key);
        }
    }

    fn resolve_conflicts(&mut self) {
        self.press("!");
        for _ in 0..self.random.usize(1..5) {
            let key = match self.top_layer() {
                Some(Layer::Conflict(conflict)) => match conflict.kind {
                    ConflictKind::Changes { .. } => {
                        self.random.choice(["j", "h", "l", "space", "m", "t", "enter", "enter"])
                    }
                    ConflictKind::Gone { .. } | ConflictKind::PossibleDuplicate { .. } => {
                        self.random.choice(["c", "t"])
                    }
                    ConflictKind::Deletion { .. } | ConflictKind::NewChildren { .. } => self.random.choice(["d", "t"]),
                },
                Some(Layer::Form(_) | Layer::Renaming(_)) => Some("enter"),
                _ => None,
            };
            match key {
                Some(key) => self.press(key),
                None => break,
            }
        }
        self.confirm();
    }

    fn inject_fault(&mut self) {
        let method = self.random.choice([Method::GET, Method::PUT, Method::POST, Method::DELETE]).unwrap();
        let on = (method, "/segments");
        self.server.inject_fault(match self.random.u8(0..4) {
            0 => InjectedFault::LoseResponse { on },
            1 => InjectedFault::DelayRequest { on, by: Duration::from_millis(self.random.u64(0..60)) },
            2 => InjectedFault::DelayResponse { on, by: Duration::from_millis(self.random.u64(0..60)) },
            _ => InjectedFault::Refuse { on, status: 503, retry_after: None },
        });
    }

    fn change_by_colleague(&mut self) {
        self.names += 1;
        let name = format!("c{}x", self.names);
        let segments = self.server.segments();
        let Some(any) = self.random.choice(&segments) else { return };
        let fields = Fields::of(any);
        let change = match self.random.u8(0..6) {
            0 => ChangeRequest::Create(Fields { name: name.into(), external_id: None, parent: Some(any.id.clone()) }),
            1 => ChangeRequest::Delete(any.id.clone()),
            2 => {
                let parent = self.random.choice(&segments).map(|to| to.id.clone());
                ChangeRequest::Update(any.id.clone(), Fields { parent, ..fields })
            }
            3 => ChangeRequest::Update(any.id.clone(), Fields { external_id: Some(name.into()), ..fields }),
            _ => ChangeRequest::Update(any.id.clone(), Fields { name: name.into(), ..fields }),
        };
        // The server may refuse it, as it does a move into the segment's own subtree, which is fine.
        let _refused = self.server.change(Actor::Backoffice, change);
    }

    /// Applies everything pending, or discards what can't be applied.
    async fn end(&mut self) {
        self.server.clear_faults();
        self.close();
        if self.state.changes.counts().staged > 0 {
            self.press("S y");
            self.close();
        }
        if self.state.changes.is_staging() {
            self.press("S");
        }
        for round in 0.. {
            self.wait_until_idle().await;
            self.close();
            if self.state.changes.counts().unfinished() == 0 {
                break;
            }
            assert!(round < 4 * ACTIONS, "seed {}: something is stuck:\n{}", self.seed, self.unfinished_operations());
            self.press(if round % 2 == 0 { "Q R esc" } else { "Q D esc" });
            self.close();
        }
        self.synchronise().await;
    }

    fn check(&self) {
        assert!(self.log.open.is_empty(), "seed {}: lost without a word: {:?}", self.seed, self.log.open);
        self.assert_screen_equals_server();
        let history = self.server.history();
        self.assert_no_duplicates(&history);
        self.assert_reports_match_history(&history);
        self.assert_no_unseen_overwrites(&history);
    }

    fn assert_screen_equals_server(&self) {
        let by_id = |segments: Vec<Segment>| -> BTreeMap<SegmentId, Segment> {
            segments.into_iter().map(|segment| (segment.id.clone(), segment)).collect()
        };
        let shown = by_id(self.state.tree.forest.iter().map(|segment| (**segment).clone()).collect());
        assert_eq!(shown, by_id(self.server.segments()), "seed {}", self.seed);
    }

    fn assert_no_duplicates(&self, history: &[Change]) {
        let mut names: HashMap<SegmentId, String> = HashMap::new();
        for Change { id, now, .. } in history {
            match now {
                Some(now) => names.insert(id.clone(), now.name.to_string()),
                None => names.remove(id),
            };
            let Some(now) = now else { continue };
            let same =
                names.iter().filter(|(id, name)| **name == now.name && !self.log.possible_duplicates.contains(*id));
            let same: Vec<_> = same.collect();
            let details = || {
                let history = history.iter().filter(|change| same.iter().any(|(id, _)| **id == change.id));
                let requested = self.log.requested.iter().map(|operation| format!("{operation:?}"));
                let requested: Vec<_> = requested.filter(|text| text.contains(now.name.as_str())).collect();
                format!("{:#?}\n{requested:#?}", history.collect::<Vec<_>>())
            };
            assert!(same.len() <= 1, "seed {}: {same:?} {}", self.seed, details());
        }
    }

    fn states<'a>(&'a self, history: &'a [Change], id: &'a SegmentId) -> impl Iterator<Item = Option<&'a Segment>> {
        let before = self.before.iter().filter(move |segment| segment.id == *id).map(Some);
        before.chain(history.iter().filter(move |change| change.id == *id).map(|change| change.now.as_ref()))
    }

    fn assert_reports_match_history(&self, history: &[Change]) {
        for ReportedResult { operation, outcome } in &self.log.reported {
            match outcome {
                WriteResult::Created(applied) => {
                    let Operation::Create { draft } = operation else { panic!("{operation:?}") };
                    let wanted = self.with_server_ids(draft.clone().into_segment(applied.segment.id.clone()));
                    let there = self.states(history, &wanted.id).any(|state| state == Some(&wanted));
                    assert!(there, "seed {}: told to be created: {wanted:?}", self.seed);
                }
                WriteResult::Updated(applied) => {
                    let Operation::Update { base, draft } = operation else { panic!("{operation:?}") };
                    let id = &applied.segment.id;
                    let wanted = self.with_server_ids(draft.clone().into_segment(id.clone()));
                    for field in draft.changes(base) {
                        let had =
                            |state: Option<&Segment>| state.is_some_and(|it| it.field(field) == wanted.field(field));
                        let there = self.states(history, id).any(had);
                        assert!(there, "seed {}: told to be changed: {operation:?} {applied:?}", self.seed);
                    }
                }
                WriteResult::Deleted { id, .. } => {
                    let gone = self.server.segments().iter().all(|segment| segment.id != *id);
                    assert!(gone, "seed {}: told to be deleted: {operation:?}", self.seed);
                }
            }
        }
    }

    /// The segment with the server's IDs in place of provisional ones.
    fn with_server_ids(&self, segment: Segment) -> Segment {
        let server_id = |id: SegmentId| self.log.server_ids.get(&id).cloned().unwrap_or(id);
        Segment { parent: segment.parent.map(server_id), id: server_id(segment.id), ..segment }
    }

    /// Asserts that the user had seen, or was told of, every colleague's value that a write from here replaced.
    fn assert_no_unseen_overwrites(&self, history: &[Change]) {
        let mut now: HashMap<SegmentId, Segment> =
            self.before.iter().map(|segment| (segment.id.clone(), segment.clone())).collect();
        let mut theirs: HashSet<(SegmentId, Field)> = HashSet::new();
        for change in history.iter().skip_while(|change| change.actor == Actor::Internal) {
            let Change { actor, id, now: Some(after) } = change else {
                now.remove(&change.id);
                continue;
            };
            let before = now.insert(id.clone(), after.clone());
            let fields = before.as_ref().map_or_else(|| Field::ALL.to_vec(), |before| before.differing_fields(after));
            for field in fields {
                if *actor != Actor::Integrations {
                    theirs.insert((id.clone(), field));
                } else if theirs.remove(&(id.clone(), field))
                    && let Some(before) = &before
                {
                    let was_reported = self.log.raced.contains(id) || self.log.reported_deleted.contains(id);
                    let seen = was_reported || self.requested_with_value(before, after, field);
                    let details = || {
                        let history = history.iter().filter(|change| change.id == *id).map(|it| format!("was {it:?}"));
                        let requested = self.log.requested.iter().map(|it| format!("asked {it:?}"));
                        let reported =
                            self.log.reported.iter().map(|it| format!("told {:?} {:?}", it.operation, it.outcome));
                        let lines =
                            history.chain(requested.chain(reported).filter(|line| line.contains(&id.to_string())));
                        lines.collect::<Vec<_>>().join("\n")
                    };
                    assert!(seen, "seed {}: {field} overwritten: {before:?} by {after:?}\n{}", self.seed, details());
                }
            }
        }
    }

    /// Whether the user asked for this change while the field had its value from before.
    fn requested_with_value(&self, before: &Segment, after: &Segment, field: Field) -> bool {
        self.log.requested.iter().any(|operation| {
            let Operation::Update { base, draft } = operation else { return false };
            let base = self.with_server_ids((**base).clone());
            let wanted = self.with_server_ids(draft.clone().into_segment(base.id.clone()));
            base.id == before.id
                && base.field(field) == before.field(field)
                && wanted.field(field) == after.field(field)
        })
    }
}
