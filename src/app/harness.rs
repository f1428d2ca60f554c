//! A test harness for the interface, with scripted user input and sync events: events in, state and effects out.

mod left_undone;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::action::{Action, Output, Subjects, UserCommand};
use crate::changes::{
    Execution, ExecutionResult, JournalEntry, OpId, OpState, Operation, Plan, PlanId, WriteError, WriteResult, Written,
};
use crate::forest::{Forest, RowKind};
use crate::keymap::{KeyTexts, Keymap, parse_sequence};
use crate::remote::{BaseUrl, Call, Context, Excerpt, Exchange, Fault, InsecureHttp, RemoteError};
use crate::segment::{Field, Segment, SegmentId, Step};
use crate::sync::{self, Command, FeedSource, Phase, SegmentChange};

use super::{Access, Clock, Effect, Event, Session, State, update};

pub(crate) use left_undone::left_undone;

/// The interface without a terminal or a server.
pub(crate) struct Harness {
    pub state: State,
    pub keymap: Keymap,
    /// The effects so far, in order, without those that the harness carries out itself.
    pub effects: Vec<Effect>,
}

pub(crate) fn id(text: &str) -> SegmentId {
    SegmentId::new(text).unwrap()
}

/// Returns a segment whose name is its id.
pub(crate) fn segment(id: &str, parent: Option<&str>) -> Arc<Segment> {
    named(id, id, parent)
}

pub(crate) fn named(id: &str, name: &str, parent: Option<&str>) -> Arc<Segment> {
    let id = SegmentId::new(id).unwrap();
    let external_id = Some(format!("X-{id}").as_str().into());
    Arc::new(Segment { id, name: name.into(), external_id, parent: parent.and_then(SegmentId::new) })
}

/// Returns a user command with that name and default settings.
pub(crate) fn command(name: &str) -> UserCommand {
    UserCommand {
        name: name.into(),
        program: "report".into(),
        arguments: vec!["--all".into()],
        on: Subjects::default(),
        confirm: false,
        api_key: false,
        output: Output::Pane,
        timeout: None,
    }
}

/// Returns the segments of a small wholesale tenant.
pub(crate) fn wholesale() -> Vec<Arc<Segment>> {
    vec![
        named("hurt", "Hurtownie", None),
        named("pl", "Polska", Some("hurt")),
        named("lodzkie", "Łódzkie", Some("pl")),
        named("lodz", "Łódź", Some("lodzkie")),
        named("zgierz", "Zgierz", Some("lodzkie")),
        named("maz", "Mazowieckie", Some("pl")),
        named("export", "Export", Some("hurt")),
        named("vip", "VIP Client", None),
        named("orphan", "Orphan of nobody", Some("no-such-parent")),
    ]
}

/// Returns a successful request for one segment.
pub(crate) fn exchange(path: &str) -> Exchange {
    let text = r#"{"id":"vip","name":"VIP Client","externalId":"VIP","parentSegmentId":null}"#;
    Exchange {
        at: "2026-11-23T12:41:05Z".parse().unwrap(),
        method: "GET".into(),
        url: format!("https://one.unity.pl/api/v1/account/integrations/auth-required{path}"),
        tenant: "acme".into(),
        sent: None,
        status: Some(200),
        fault: None,
        response: Excerpt { text: text.into(), bytes: text.len(), cut: 0 },
        elapsed: Duration::from_millis(34),
        attempt: 1,
        dropped: 0,
    }
}

impl Harness {
    /// Creates an interface of that size, before any event.
    pub fn new(columns: u16, rows: u16) -> Self {
        let session = Session {
            tenant: "acme".into(),
            host: "one.unity.pl".into(),
            base_url: BaseUrl::parse("https://one.unity.pl", InsecureHttp::Refused).unwrap(),
            profile: Some("preprod".into()),
            access: Access::ReadWrite,
            journalled: true,
            protected: false,
            owned: Vec::new(),
            open: None,
            concurrency: 6,
        };
        let now: Timestamp = "2026-11-23T12:41:07Z".parse().unwrap();
        let clock = Clock { now, zone: TimeZone::UTC };
        let state = State::new(session, clock, columns, rows);
        Self { state, keymap: Keymap::standard().unwrap(), effects: Vec::new() }
    }

    /// Turns on the screen-reader mode.
    pub fn with_screen_reader(mut self) -> Self {
        self.state.screen.panes.accessible = true;
        self
    }

    /// Uses these key bindings instead of the defaults.
    pub fn with_keys(mut self, bindings: &[(&str, Action)]) -> Self {
        self.keymap = Keymap::default();
        for (keys, action) in bindings {
            self.keymap.bind(keys, *action).unwrap();
        }
        self.keymap.complete(&bindings.iter().map(|(_, action)| *action).collect::<Vec<_>>());
        self.state.screen.key_texts = KeyTexts::of(&self.keymap);
        self
    }

    /// Adds user commands and binds their keys.
    pub fn with_commands(mut self, commands: Vec<(&str, UserCommand)>) -> Self {
        self.keymap = Keymap::default();
        self.keymap.set_command_names(commands.iter().map(|(_, command)| command.name.clone()).collect());
        for (number, (keys, command)) in (0..).zip(commands) {
            self.keymap.bind(keys, Action::UserCommands(number)).unwrap();
            self.state.side.commands.commands.push(command);
        }
        self.keymap.complete(&[]);
        self.state.screen.key_texts = KeyTexts::of(&self.keymap);
        self
    }

    /// Creates an interface that shows these segments and is live.
    pub fn with_segments(columns: u16, rows: u16, segments: Vec<Arc<Segment>>) -> Self {
        Self::new(columns, rows).with_list(segments)
    }

    /// Like [`with_segments`](Self::live), with a forest that searches and sorts in the background as a large one does.
    pub fn large(columns: u16, rows: u16, segments: Vec<Arc<Segment>>) -> Self {
        let mut harness = Self::new(columns, rows);
        harness.state.tree.forest = Forest::simulating_large();
        harness.with_list(segments)
    }

    fn with_list(self, segments: Vec<Arc<Segment>>) -> Self {
        let mut harness = self;
        harness.first_list(segments);
        harness.sync_event(sync::Event::PhaseChanged(Phase::Live));
        harness.sync_event(sync::Event::Synchronised { next: Step(1), complete: true, incomplete_reason: None });
        harness
    }

    /// Delivers the first list: one page, then the end of the list.
    pub fn first_list(&mut self, segments: Vec<Arc<Segment>>) {
        self.sync_event(sync::Event::PageReceived(segments));
        self.sync_event(sync::Event::Listed { different: Vec::new() });
    }

    /// Delivers a later list: its differences to the one before, then the deleted segments.
    pub fn later_list(&mut self, before: &[Arc<Segment>], now: &[Arc<Segment>]) {
        let find = |list: &[Arc<Segment>], id: &SegmentId| list.iter().find(|segment| segment.id == *id).cloned();
        let seen = |id: &SegmentId| SegmentChange {
            id: id.clone(),
            before: find(before, id),
            now: find(now, id),
            feed_source: FeedSource::default(),
        };
        let different = now.iter().map(|segment| seen(&segment.id)).filter(|seen| seen.before != seen.now).collect();
        self.sync_event(sync::Event::Listed { different });
        let gone = before.iter().map(|segment| seen(&segment.id)).filter(|seen| seen.now.is_none()).collect();
        self.sync_event(sync::Event::Changed { seen: gone, next: None });
    }

    /// Sends an event, carries out background jobs at once, and keeps the other effects.
    pub fn event(&mut self, event: Event) {
        for effect in update(&mut self.state, &self.keymap, event) {
            match effect {
                Effect::Search(job) => job.for_each(|finds| self.event(Event::Found(finds))),
                Effect::Check(job) => self.event(Event::Checked(job.run())),
                Effect::Sort(job) => self.event(Event::Sorted(job.run())),
                other => self.effects.push(other),
            }
        }
    }

    /// Sends several events, one after the other.
    pub fn events(&mut self, events: Vec<Event>) {
        for event in events {
            self.event(event);
        }
    }

    /// Presses keys, written as in the keymap: `j j enter`.
    pub fn press(&mut self, keys: &str) {
        for key in parse_sequence(keys).unwrap() {
            self.event(Event::Key(key));
        }
    }

    /// Types a text, key by key.
    pub fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.event(Event::Key(crate::keymap::Key::plain(crossterm::event::KeyCode::Char(character))));
        }
    }

    pub fn wait(&mut self, seconds: i64) {
        let later = self.state.clock.now + SignedDuration::from_secs(seconds);
        self.event(Event::Time(later));
    }

    /// Sends an event of the sync actor, and asserts that it opens no dialog.
    pub fn sync_event(&mut self, event: sync::Event) {
        let kinds = |harness: &Self| harness.state.screen.layers.iter().map(std::mem::discriminant).collect::<Vec<_>>();
        let before = kinds(self);
        let what = format!("{event:?}");
        self.event(Event::Sync(event));
        assert!(kinds(self).iter().all(|kind| before.contains(kind)), "something has opened by itself: {what}");
    }

    /// Delivers a change of a segment from the feed.
    pub fn changed(&mut self, before: Option<&Arc<Segment>>, now: Option<&Arc<Segment>>) {
        self.changed_by(&[], before, now);
    }

    /// Like [`changed`](Self::changed), with the contexts that made the change.
    pub fn changed_by(&mut self, contexts: &[Context], before: Option<&Arc<Segment>>, now: Option<&Arc<Segment>>) {
        let id = now.or(before).unwrap().id.clone();
        let feed_source = FeedSource { kind: None, contexts: contexts.iter().copied().collect() };
        let seen = SegmentChange { id, before: before.cloned(), now: now.cloned(), feed_source };
        self.sync_event(sync::Event::Changed { seen: vec![seen], next: None });
    }

    /// Delivers a finished request.
    pub fn request_finished(&mut self, exchange: Exchange) {
        self.event(Event::Requested(Arc::new(exchange)));
    }

    /// Returns the id and operations of the plan that was last submitted, or whose operations were last replaced or retried.
    pub fn last_write(&self) -> (PlanId, Plan) {
        let entries = self.effects.iter().rev().find_map(submitted).expect("a plan was submitted");
        let queued = entries.iter().filter_map(|entry| match entry {
            JournalEntry::Queued(op, operation) => Some((op.plan_id, operation.clone())),
            _ => None,
        });
        let queued: Vec<_> = queued.collect();
        let plan_id = queued[0].0;
        let operations = queued.into_iter().filter(|(other, _)| *other == plan_id).map(|(_, operation)| operation);
        (plan_id, Plan { operations: operations.collect() })
    }

    /// Returns how often something was submitted, replaced or retried.
    pub fn write_count(&self) -> usize {
        self.effects.iter().filter_map(submitted).count()
    }

    /// Returns the operations that were sent to the sync actor, in order.
    pub fn executions(&self) -> Vec<Execution> {
        let executions = self.effects.iter().filter_map(|effect| match effect {
            Effect::Sync(Command::Execute(execution)) => Some((**execution).clone()),
            _ => None,
        });
        executions.collect()
    }

    /// Executes the last submitted plan like a server that accepts everything unchanged.
    pub fn succeed(&mut self) {
        let (plan_id, _) = self.last_write();
        self.succeed_with(|_| format!("server-{}", plan_id.0));
    }

    /// Like [`succeed`](Self::succeed), with the server's id for each created segment by its index in the plan.
    pub fn succeed_with(&mut self, given: impl Fn(usize) -> String) {
        let (_, plan) = self.last_write();
        self.succeed_with_first(plan.operations.len(), given);
    }

    /// Like [`succeed_with`](Self::succeed_with), for the first `count` operations to be sent.
    pub fn succeed_with_first(&mut self, count: usize, given: impl Fn(usize) -> String) {
        let (plan_id, _) = self.last_write();
        for _ in 0..count {
            let plan = self.state.changes.queue.plan(plan_id).expect("it is not over");
            let index = plan.ops().iter().position(|op| op.state == OpState::InFlight).expect("one is in flight");
            let operation = plan.ops()[index].operation.clone();
            let result = match operation {
                Operation::Create { draft } => WriteResult::Created(written(draft.into_segment(id(&given(index))))),
                Operation::Update { base, draft } => WriteResult::Updated(written(draft.into_segment(base.id.clone()))),
                Operation::Delete { base, .. } => {
                    WriteResult::Deleted { id: base.id.clone(), found: true, concurrent_write: false }
                }
            };
            self.executed(OpId { plan_id, index }, ExecutionResult::Done(result));
        }
    }

    /// Delivers the result of an operation.
    pub fn executed(&mut self, op: OpId, result: ExecutionResult) {
        self.sync_event(sync::Event::Executed { op, result: Box::new(result) });
    }

    /// Refuses the last submitted plan with a message of the server.
    pub fn refuse(&mut self, message: &str) {
        let (_, plan) = self.last_write();
        let fault = Fault::Refused { status: 409, message: message.into(), retry_after: None };
        let call = match plan.operations.first().unwrap() {
            Operation::Create { draft } => Call::Create(draft.name.as_str().into()),
            Operation::Update { base, .. } => Call::Update(base.id.clone()),
            Operation::Delete { base, .. } => Call::Delete(base.id.clone()),
        };
        self.fail(WriteError::Refused(RemoteError { call, fault }));
    }

    /// Fails the first operation in flight of the last submitted plan.
    pub fn fail(&mut self, error: WriteError) {
        let (plan_id, _) = self.last_write();
        let plan = self.state.changes.queue.plan(plan_id).expect("it is not over");
        let index = plan.ops().iter().position(|op| op.state == OpState::InFlight).expect("one is in flight");
        self.executed(OpId { plan_id, index }, ExecutionResult::Failed { error, evidence: None });
    }

    /// Returns the rows as indented names, the selected one marked with `>`.
    pub fn rows(&self) -> Vec<String> {
        let rows = self.state.shown_rows(0..self.state.shown_row_count());
        rows.into_iter()
            .map(|row| {
                let bar = if self.state.tree.view.selected.as_ref() == Some(&row.id()) { ">" } else { "" };
                let text = match row.kind {
                    RowKind::Segment(segment) => segment.name.to_string(),
                    RowKind::MissingParent(id) => format!("({id})"),
                    RowKind::Heading(heading) => heading.to_string(),
                };
                format!("{}{bar}{text}", "  ".repeat(row.depth as usize))
            })
            .collect()
    }

    /// Returns the name of the selected segment.
    pub fn selected(&self) -> String {
        self.state.selected_segment().map(|segment| segment.name.to_string()).unwrap_or_default()
    }

    /// Returns the line of the selected row in the tree pane, from 0.
    pub fn selected_line(&self) -> usize {
        let at = self.state.tree.forest.position(self.state.tree.view.selected.as_ref().unwrap()).unwrap();
        at - self.state.tree.view.offset
    }

    pub fn message(&self) -> &str {
        self.state.screen.message.as_ref().map_or("", |message| &message.text)
    }
}

/// Returns the journal entries of an effect that queues operations.
fn submitted(effect: &Effect) -> Option<&Vec<JournalEntry>> {
    match effect {
        Effect::Sync(Command::Journal(entries)) if matches!(entries.first(), Some(JournalEntry::Queued(..))) => {
            Some(entries)
        }
        _ => None,
    }
}

/// Returns the result of a write that the server applied unchanged.
pub(crate) fn written(segment: Segment) -> Written {
    Written {
        segment: Arc::new(segment),
        merged: Vec::new(),
        ignored: Vec::new(),
        written: Field::ALL.to_vec(),
        concurrent_write: false,
        existed: false,
    }
}
