//! Sending operations on their way, and taking in what became of them.

mod doubting;
mod recovering;

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant};

use crate::mirror::ledger::Answer;
use crate::mirror::look::look_at_all;
use crate::mirror::message::{Event, Mention, Outcome, Seen, Ticket, Which, WriteError, is_provisional};
use crate::mirror::namesakes::Namesakes;
use crate::mirror::queue::WriteQueue;
use crate::mirror::report::Report;
use crate::mirror::write::{Doubt, Ended, Over, Stop, Writer};
use crate::plan::{Operation, Plan};
use crate::remote::{Remote, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};
use crate::store::{JournalNote, Journalled};

use super::{Abandoned, Actor, LONGEST_ASKED_PAUSE, Next, Work};

/// What there is to write, and what has to be known for it.
#[derive(Debug, Default)]
pub(super) struct Writing {
    queue: WriteQueue,
    /// The children of each segment that is to be deleted.
    children: HashMap<SegmentId, HashSet<SegmentId>>,
    /// Segments that were not there before something was to be created.
    born: HashSet<SegmentId>,
    /// Segments that an operation is known to have created.
    claimed: HashMap<SegmentId, Which>,
    /// Operations that were sent and may have been carried out.
    doubts: BTreeMap<Which, Doubt>,
    /// The segments that look like what is to be created.
    namesakes: Namesakes,
    /// Those that looked so when it was sent first.
    alike: HashMap<Which, HashSet<SegmentId>>,
    /// Creates that are to be sent again, after a list that begins from now on.
    after_list: Vec<Which>,
    /// That an operation could not reach the server.
    unreached: Option<Unreached>,
    /// How often in a row that was so before it was tried again.
    unreached_before: u32,
    /// Changes of segments that were being written when they were seen. Most of them are what was written.
    put_off: HashMap<SegmentId, Seen>,
    /// New segments among these, by the create that may have made them and has no answer yet.
    unanswered: HashMap<Which, Vec<SegmentId>>,
    left: Left,
}

/// What an earlier run left undone.
#[derive(Debug, Default)]
enum Left {
    /// Nothing, or it was told already.
    #[default]
    Nothing,
    /// It is to be looked into as soon as the server is known to answer.
    Found(Vec<Journalled>),
    /// It is being looked into.
    Investigated,
}

/// Nothing is sent before the server has answered something, and not before then.
#[derive(Debug, Clone, Copy)]
struct Unreached {
    until: Instant,
    /// How often in a row.
    times: u32,
}

/// The pause after an operation could not reach the server, which doubles each time, and what it grows to at most.
const UNREACHED: Duration = Duration::from_secs(1);
const LONGEST_UNREACHED: Duration = Duration::from_secs(30);

impl Writing {
    /// Takes in what an earlier run left. Nothing is written before it was looked into.
    pub fn leave(&mut self, journal: Vec<Journalled>) {
        if !journal.is_empty() {
            self.left = Left::Found(journal);
        }
    }

    /// Keeps what has to be known in step with what is known.
    pub fn follow(&mut self, seen: &Seen) {
        if let Some(siblings) = parent(seen.before.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.remove(&seen.id);
        }
        if let Some(siblings) = parent(seen.now.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.insert(seen.id.clone());
        }
        if seen.before.is_none() && self.queue.creates() {
            self.born.insert(seen.id.clone());
        }
        self.namesakes.follow(seen);
    }

    /// Whether anything is being written or waits for it.
    pub fn is_writing(&self) -> bool {
        !self.queue.is_empty()
    }

    /// An operation as it is to be carried out now.
    pub fn operation(&self, which: Which) -> Option<&Operation> {
        self.queue.get(which)
    }

    /// Whether a change is not to be told before it is known whose it is, since the segment is being written.
    pub fn puts_off(&mut self, seen: &Seen) -> bool {
        if self.put_off.contains_key(&seen.id) {
            return true;
        }
        let new = seen.now.as_deref().filter(|_| seen.before.is_none());
        let maker = new.and_then(|new| self.queue.maker_of(new));
        if let Some(which) = maker {
            self.unanswered.entry(which).or_default().push(seen.id.clone());
        }
        let puts_off = maker.is_some() || self.queue.runs_on(&seen.id);
        if puts_off {
            self.put_off.insert(seen.id.clone(), seen.clone());
        }
        puts_off
    }

    /// New segments that were put off for the sake of a create which has its answer now, but for the one that it has made.
    fn made_by_others(&mut self, which: Which, made: Option<&SegmentId>) -> Vec<Seen> {
        let ids = self.unanswered.remove(&which).unwrap_or_default();
        let put_off = ids.into_iter().filter_map(|id| self.put_off.remove(&id));
        put_off.filter(|seen| Some(&seen.id) != made).collect()
    }

    /// A change is told now: what was put off of the same segment is told with it.
    pub fn tell_with(&mut self, seen: &mut Seen) {
        if let Some(earlier) = self.put_off.remove(&seen.id) {
            seen.before = earlier.before;
        }
    }

    /// What stands below a segment that is to be deleted, and nobody has agreed to lose.
    pub fn newcomers(&self, operation: &Operation) -> Vec<SegmentId> {
        let Operation::Delete { base, leaving } = operation else { return Vec::new() };
        let children = self.children.get(&base.id).into_iter().flatten();
        children.filter(|child| !leaving.contains(child)).cloned().collect()
    }
}

fn parent(segment: Option<&Segment>) -> Option<&SegmentId> {
    segment?.parent.as_ref()
}

/// What an operation creates.
const fn created_by(operation: &Operation) -> Option<&Draft> {
    match operation {
        Operation::Create { draft } => Some(draft),
        Operation::Update { .. } | Operation::Delete { .. } => None,
    }
}

const fn key(which: Which) -> (u64, usize) {
    (which.ticket.0, which.index)
}

impl<R: Remote> Actor<R> {
    pub(super) async fn write(&mut self, ticket: Ticket, plan: Plan) -> Result<(), Abandoned> {
        self.watch_children(&plan.operations);
        self.mind_namesakes(plan.operations.iter().filter_map(created_by));
        let asked = plan.operations.iter().enumerate();
        let notes = asked.map(|(index, operation)| JournalNote::Asked((ticket.0, index), operation.clone())).collect();
        self.journal(notes).await;
        self.writing.queue.push(ticket, plan);
        self.begin_writes().await
    }

    /// Notes the children of what is to be deleted.
    fn watch_children(&mut self, operations: &[Operation]) {
        let deletes = operations.iter().filter(|operation| matches!(operation, Operation::Delete { .. }));
        let subjects: HashSet<SegmentId> = deletes.filter_map(Operation::subject).cloned().collect();
        self.look_for_children(&subjects);
    }

    /// Looks anew for the children of what is to be deleted: a list may have brought any number of them.
    pub(super) fn watch_children_anew(&mut self) {
        let subjects = std::mem::take(&mut self.writing.children).into_keys().collect();
        self.look_for_children(&subjects);
    }

    /// Notes what looks like these drafts.
    fn mind_namesakes<'a>(&mut self, drafts: impl Iterator<Item = &'a Draft>) {
        self.writing.namesakes.mind(drafts, self.ledger.segments());
    }

    fn look_for_children(&mut self, subjects: &HashSet<SegmentId>) {
        if subjects.is_empty() {
            return;
        }
        for subject in subjects {
            self.writing.children.entry(subject.clone()).or_default();
        }
        for segment in self.ledger.segments() {
            if let Some(siblings) = segment.parent.as_ref().and_then(|parent| self.writing.children.get_mut(parent)) {
                siblings.insert(segment.id.clone());
            }
        }
    }

    /// Begins what may begin.
    pub(super) async fn begin_writes(&mut self) -> Result<(), Abandoned> {
        if !matches!(self.writing.left, Left::Nothing) || self.writing.unreached.is_some() {
            return Ok(());
        }
        while let Some((which, operation)) = self.writing.queue.begin(self.settings.concurrency) {
            if let Err(error) = self.agreeable(&operation) {
                self.operation_failed(which, error).await?;
                continue;
            }
            let doubt = self.writing.doubts.get(&which).cloned();
            let since = doubt.as_ref().map_or_else(|| self.following.earliest(), |doubt| doubt.since);
            let alike = self.note_alike(which, &operation);
            // What it builds upon may have changed what it says since it was asked for.
            let sent = JournalNote::Sent { key: key(which), since, alike };
            let journalled = self.journal(vec![JournalNote::Asked(key(which), operation.clone()), sent]).await;
            self.tell(Event::OperationBegan(which)).await?;
            let writer = self.writer(which, since, doubt);
            self.send_out(async move {
                if let Some(journalled) = journalled
                    && journalled.await.is_err()
                {
                    tracing::warn!("a write is not in the journal");
                }
                Report::OperationOver { which, since, over: writer.carry_out(&operation).await }
            });
        }
        if self.writing.queue.is_empty() {
            self.writing.children.clear();
            self.writing.born.clear();
            self.writing.namesakes.clear();
        }
        Ok(())
    }

    /// The server has answered something, so what could not reach it is tried again.
    pub(super) async fn server_answers(&mut self) -> Result<(), Abandoned> {
        match self.writing.unreached {
            Some(Unreached { until, .. }) if until <= Instant::now() => {
                let times = self.writing.unreached.take().map_or(0, |unreached| unreached.times);
                self.writing.unreached_before = times;
                self.begin_writes().await
            }
            _ => Ok(()),
        }
    }

    fn writer(&self, which: Which, since: Option<Step>, doubt: Option<Doubt>) -> Writer<R> {
        Writer {
            which,
            doubt,
            remote: Arc::clone(&self.remote),
            questions: self.questions.clone(),
            reporter: self.reporter.clone(),
            since,
            grace: self.settings.grace,
            at_once: self.settings.concurrency,
            learnt: Vec::new(),
        }
    }

    /// Whether what is known speaks against an operation.
    fn agreeable(&self, operation: &Operation) -> Result<(), WriteError> {
        let newcomers = self.writing.newcomers(operation);
        if !newcomers.is_empty() {
            return Err(WriteError::Grown { newcomers });
        }
        // What is still to be created under a number of its own never will be.
        if operation.destination().into_iter().chain(operation.subject()).any(is_provisional) {
            return Err(WriteError::NoPlace);
        }
        let Some(destination) = operation.destination().filter(|_| self.listed) else { return Ok(()) };
        // Of one that was never there, such as the parent of an orphan that is to come back, the server may think otherwise.
        if self.ledger.is_gone(destination) {
            return Err(WriteError::NoPlace);
        }
        let Some(subject) = operation.subject() else { return Ok(()) };
        let mut above = HashSet::new();
        let mut at = Some(destination);
        while let Some(id) = at.filter(|id| above.insert(*id)) {
            if id == subject {
                return Err(WriteError::Circle);
            }
            at = self.ledger.get(id).and_then(|segment| segment.parent.as_ref());
        }
        Ok(())
    }

    /// Writes into the journal, where there is one.
    async fn journal(&self, notes: Vec<JournalNote>) -> Option<oneshot::Receiver<()>> {
        match &self.keeper {
            Some(keeper) => Some(keeper.journal(notes).await),
            None => None,
        }
    }

    pub(super) async fn operation_over(
        &mut self,
        which: Which,
        since: Option<Step>,
        over: Over,
    ) -> Result<(), Abandoned> {
        let Over { result, learnt } = over;
        self.note_doubt(which, since, &result);
        let subject = self.writing.queue.get(which).and_then(Operation::subject);
        let put_off = subject.and_then(|subject| self.writing.put_off.remove(subject));
        let made = result.as_ref().ok().map(|ended| ended.answer.id.clone());
        let of_others = self.writing.made_by_others(which, made.as_ref());
        match result {
            // What else has come of it than what was written is told after it.
            Ok(ended) => {
                self.writing.unreached_before = 0;
                self.operation_ended(which, ended).await?;
                self.tell_after_all(of_others).await?;
                self.learn(learnt).await?;
            }
            Err(stop) => {
                self.tell_after_all(put_off.into_iter().chain(of_others).collect()).await?;
                // What is shown is what is known, whatever a person is told of the failure.
                self.writing.queue.failed(which);
                self.learn(learnt).await?;
                match stop {
                    Stop::Failed(error) => self.operation_failed(which, error).await?,
                    Stop::Unreached { error, .. } => self.operation_waits(which, error).await?,
                }
            }
        }
        self.following.hurry();
        self.begin_writes().await
    }

    /// Tells changes that were put off, as far as there is anything to tell by now.
    async fn tell_after_all(&mut self, put_off: Vec<Seen>) -> Result<(), Abandoned> {
        let now = |seen: Seen| Seen { now: self.ledger.get(&seen.id).cloned(), ..seen };
        let told = put_off.into_iter().map(now).filter(|seen| seen.before != seen.now).collect();
        self.tell_changes(told, None).await
    }

    /// Takes in what was learnt of segments by the way.
    async fn learn(&mut self, learnt: Vec<Answer>) -> Result<(), Abandoned> {
        if learnt.is_empty() { Ok(()) } else { self.looked_at(learnt).await }
    }

    /// An operation could not reach the server. It goes out when that answers again.
    async fn operation_waits(&mut self, which: Which, error: RemoteError) -> Result<(), Abandoned> {
        tracing::warn!(ticket = which.ticket.0, index = which.index, %error, "a write waits for the server");
        self.writing.queue.waits(which);
        let times = self.writing.unreached_before + 1;
        let pause = UNREACHED.saturating_mul(1 << times.min(10)).min(LONGEST_UNREACHED) / 2;
        let asked = error.fault.retry_after().unwrap_or_default().min(LONGEST_ASKED_PAUSE);
        let pause = pause.max(asked);
        let until = Instant::now() + pause;
        let waits = self.writing.unreached.unwrap_or(Unreached { until, times });
        self.writing.unreached = Some(Unreached { until: waits.until.max(until), ..waits });
        // Whether it answers is found out soon.
        self.following.poll_at(until);
        let asked_for = self.rests_as_asked();
        if let Work::Resting { until: rest, then: Next::Locate } = &mut self.work
            && !asked_for
        {
            *rest = until.min(*rest);
        }
        self.tell(Event::OperationWaits { which, error, retry_in: pause }).await
    }

    async fn operation_ended(&mut self, which: Which, ended: Ended) -> Result<(), Abandoned> {
        let Ended { outcome, answer } = ended;
        let id = answer.id.clone();
        let told = match &outcome {
            Outcome::Created(applied) | Outcome::Updated(applied) => Some(Arc::clone(&applied.segment)),
            Outcome::Deleted { .. } => None,
        };
        if let Some(seen) = self.ledger.take(answer) {
            self.note(&seen.id, seen.now.as_ref());
            self.writing.follow(&seen);
        }
        match &outcome {
            Outcome::Created(_) => {
                self.writing.claimed.insert(id.clone(), which);
            }
            // What becomes of the children of a deleted segment is the server's choice.
            Outcome::Deleted { id, .. } => {
                let children = self.writing.children.remove(id).unwrap_or_default();
                self.look_at(children.into_iter().collect());
            }
            Outcome::Updated(_) => {}
        }
        let Some(operation) = self.writing.queue.get(which).cloned() else { return Ok(()) };
        let others = self.writing.queue.ended(which, &outcome);
        // Those that refer to a new segment have to find it after a crash as well.
        let others = others.into_iter().map(|(other, operation)| JournalNote::Asked(key(other), operation));
        let notes = [JournalNote::Over(key(which))].into_iter().chain(others).collect();
        self.journal(notes).await;
        self.tell(Event::OperationEnded { which, operation, outcome }).await?;
        // Somebody may have changed it again since, and the feed may have been faster than the write.
        let now = self.ledger.get(&id).cloned();
        if now == told {
            return Ok(());
        }
        self.tell_changes(vec![Seen { id, before: told, now, mention: Mention::default() }], None).await
    }

    async fn operation_failed(&mut self, which: Which, error: WriteError) -> Result<(), Abandoned> {
        tracing::warn!(ticket = which.ticket.0, index = which.index, %error, "a write failed");
        let Some(operation) = self.writing.queue.get(which).cloned() else { return Ok(()) };
        self.writing.queue.failed(which);
        // What was sent before and may have been carried out stays so in the journal, whatever has become of this try.
        if !self.writing.doubts.contains_key(&which) {
            self.journal(vec![JournalNote::NotApplied(key(which))]).await;
        }
        self.tell(Event::OperationFailed { which, operation, error }).await
    }

    pub(super) async fn retry(&mut self, which: Which, instead: Option<Operation>) -> Result<(), Abandoned> {
        if let Some(operation) = &instead {
            self.watch_children(std::slice::from_ref(operation));
            self.mind_namesakes(created_by(operation).into_iter());
        }
        if self.is_doubtful_create(which) {
            return self.retry_after_list(which, instead).await;
        }
        if self.writing.queue.retry(which, instead)
            && let Some(operation) = self.writing.queue.get(which).cloned()
        {
            self.journal(vec![JournalNote::Asked(key(which), operation)]).await;
        }
        self.begin_writes().await
    }

    /// Keeps in the journal what is not to be carried out yet.
    pub(super) async fn keep_plan(&mut self, ticket: Ticket, plan: Plan) {
        let asked = plan.operations.into_iter().enumerate();
        self.journal(asked.map(|(index, operation)| JournalNote::Gathered((ticket.0, index), operation)).collect())
            .await;
    }

    /// Takes out of the journal what was kept there and is not to be carried out any more.
    pub(super) async fn forget(&mut self, these: Vec<Which>) {
        self.journal(these.into_iter().map(|which| JournalNote::Over(key(which))).collect()).await;
    }

    pub(super) fn hold(&mut self, ticket: Ticket) {
        self.writing.queue.hold(ticket);
    }

    pub(super) async fn release(&mut self, ticket: Ticket, except: &[Which]) -> Result<(), Abandoned> {
        let doubtful: Vec<Which> =
            self.writing.queue.of(ticket).into_iter().filter(|which| self.is_doubtful_create(*which)).collect();
        let not_now: Vec<Which> = except.iter().chain(&doubtful).copied().collect();
        self.writing.queue.release(ticket, &not_now);
        for which in doubtful.into_iter().filter(|which| !except.contains(which)) {
            self.retry_after_list(which, None).await?;
        }
        self.begin_writes().await
    }

    /// The operations of a plan that are not done, the last first.
    pub(super) fn writing_of(&self, ticket: Ticket) -> Vec<Which> {
        self.writing.queue.of(ticket).into_iter().rev().collect()
    }

    pub(super) async fn give_up(&mut self, these: Vec<Which>) -> Result<(), Abandoned> {
        let given_up: Vec<Which> = these.into_iter().flat_map(|which| self.writing.queue.give_up(which)).collect();
        for which in &given_up {
            self.writing.doubts.remove(which);
            self.writing.alike.remove(which);
        }
        self.journal(given_up.iter().map(|which| JournalNote::Over(key(*which))).collect()).await;
        for which in given_up {
            self.tell(Event::OperationDropped(which)).await?;
        }
        self.begin_writes().await
    }

    /// Looks at segments for another reason than the feed. One that can't be looked at now is named by the feed or by the next
    /// list.
    pub(super) fn look_at(&mut self, ids: Vec<SegmentId>) {
        if ids.is_empty() {
            return;
        }
        let (remote, questions) = (Arc::clone(&self.remote), self.questions.clone());
        let at_once = self.settings.concurrency;
        self.send_out(async move {
            let (answers, failure) = look_at_all(&*remote, &questions, ids, at_once).await;
            if let Some(error) = failure {
                tracing::warn!(%error, "not every segment could be looked at");
            }
            Report::LookedAt(answers)
        });
    }
}
