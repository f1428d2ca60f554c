//! Sending operations on their way, and taking in what became of them.

mod doubting;
mod recovering;

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant};

use crate::changes::{JournalEntry, Journalled};
use crate::changes::{OpId, PlanId, WriteError, WriteResult, is_provisional};
use crate::changes::{Operation, Plan};
use crate::mirror::ledger::Answer;
use crate::mirror::look::look_at_all;
use crate::mirror::message::{Event, Mention, Seen};
use crate::mirror::namesakes::Namesakes;
use crate::mirror::queue::WriteQueue;
use crate::mirror::report::Report;
use crate::mirror::write::{Doubt, Ended, Over, Stop, Writer};
use crate::remote::{Remote, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};

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
    claimed: HashMap<SegmentId, OpId>,
    /// Operations that were sent and may have been carried out.
    doubts: BTreeMap<OpId, Doubt>,
    /// The segments that look like what is to be created.
    namesakes: Namesakes,
    /// Those that looked so when it was sent first.
    alike: HashMap<OpId, HashSet<SegmentId>>,
    /// Creates that are to be sent again, after a list that begins from now on.
    after_list: Vec<OpId>,
    /// That an operation could not reach the server.
    unreached: Option<Unreached>,
    /// How often in a row that was so before it was tried again.
    unreached_before: u32,
    /// Changes of segments that were being written when they were seen. Most of them are what was written.
    put_off: HashMap<SegmentId, Seen>,
    /// New segments among these, by the create that may have made them and has no answer yet.
    unanswered: HashMap<OpId, Vec<SegmentId>>,
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
    pub fn operation(&self, op: OpId) -> Option<&Operation> {
        self.queue.get(op)
    }

    /// Whether a change is not to be told before it is known whose it is, since the segment is being written.
    pub fn puts_off(&mut self, seen: &Seen) -> bool {
        if self.put_off.contains_key(&seen.id) {
            return true;
        }
        let new = seen.now.as_deref().filter(|_| seen.before.is_none());
        let maker = new.and_then(|new| self.queue.maker_of(new));
        if let Some(op) = maker {
            self.unanswered.entry(op).or_default().push(seen.id.clone());
        }
        let puts_off = maker.is_some() || self.queue.runs_on(&seen.id);
        if puts_off {
            self.put_off.insert(seen.id.clone(), seen.clone());
        }
        puts_off
    }

    /// New segments that were put off for the sake of a create which has its answer now, but for the one that it has made.
    fn made_by_others(&mut self, op: OpId, made: Option<&SegmentId>) -> Vec<Seen> {
        let ids = self.unanswered.remove(&op).unwrap_or_default();
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

const fn key(op: OpId) -> (u64, usize) {
    (op.plan_id.0, op.index)
}

impl<R: Remote> Actor<R> {
    pub(super) async fn write(&mut self, plan_id: PlanId, plan: Plan) -> Result<(), Abandoned> {
        self.watch_children(&plan.operations);
        self.mind_namesakes(plan.operations.iter().filter_map(created_by));
        let asked = plan.operations.iter().enumerate();
        let notes =
            asked.map(|(index, operation)| JournalEntry::Asked((plan_id.0, index), operation.clone())).collect();
        self.journal(notes).await;
        self.writing.queue.push(plan_id, plan);
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
        while let Some((op, operation)) = self.writing.queue.begin(self.settings.concurrency) {
            if let Err(error) = self.agreeable(&operation) {
                self.operation_failed(op, error).await?;
                continue;
            }
            let doubt = self.writing.doubts.get(&op).cloned();
            let since = doubt.as_ref().map_or_else(|| self.following.earliest(), |doubt| doubt.since);
            let alike = self.note_alike(op, &operation);
            // What it builds upon may have changed what it says since it was asked for.
            let sent = JournalEntry::Sent { key: key(op), since, alike };
            let journalled = self.journal(vec![JournalEntry::Asked(key(op), operation.clone()), sent]).await;
            self.tell(Event::OperationBegan(op)).await?;
            let writer = self.writer(op, since, doubt);
            self.send_out(async move {
                if let Some(journalled) = journalled
                    && journalled.await.is_err()
                {
                    tracing::warn!("a write is not in the journal");
                }
                Report::OperationOver { op, since, over: writer.carry_out(&operation).await }
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

    fn writer(&self, op: OpId, since: Option<Step>, doubt: Option<Doubt>) -> Writer<R> {
        Writer {
            op,
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
            return Err(WriteError::NewChildren { newcomers });
        }
        // What is still to be created under a number of its own never will be.
        if operation.destination().into_iter().chain(operation.subject()).any(is_provisional) {
            return Err(WriteError::ParentMissing);
        }
        let Some(destination) = operation.destination().filter(|_| self.listed) else { return Ok(()) };
        // Of one that was never there, such as the parent of an orphan that is to come back, the server may think otherwise.
        if self.ledger.is_gone(destination) {
            return Err(WriteError::ParentMissing);
        }
        let Some(subject) = operation.subject() else { return Ok(()) };
        let mut above = HashSet::new();
        let mut at = Some(destination);
        while let Some(id) = at.filter(|id| above.insert(*id)) {
            if id == subject {
                return Err(WriteError::WouldCreateCycle);
            }
            at = self.ledger.get(id).and_then(|segment| segment.parent.as_ref());
        }
        Ok(())
    }

    /// Writes into the journal, where there is one.
    async fn journal(&self, notes: Vec<JournalEntry>) -> Option<oneshot::Receiver<()>> {
        match &self.keeper {
            Some(keeper) => Some(keeper.journal(notes).await),
            None => None,
        }
    }

    pub(super) async fn operation_over(&mut self, op: OpId, since: Option<Step>, over: Over) -> Result<(), Abandoned> {
        let Over { result, learnt } = over;
        self.note_doubt(op, since, &result);
        let subject = self.writing.queue.get(op).and_then(Operation::subject);
        let put_off = subject.and_then(|subject| self.writing.put_off.remove(subject));
        let made = result.as_ref().ok().map(|ended| ended.answer.id.clone());
        let of_others = self.writing.made_by_others(op, made.as_ref());
        match result {
            // What else has come of it than what was written is told after it.
            Ok(ended) => {
                self.writing.unreached_before = 0;
                self.operation_ended(op, ended).await?;
                self.tell_after_all(of_others).await?;
                self.learn(learnt).await?;
            }
            Err(stop) => {
                self.tell_after_all(put_off.into_iter().chain(of_others).collect()).await?;
                // What is shown is what is known, whatever a person is told of the failure.
                self.writing.queue.failed(op);
                self.learn(learnt).await?;
                match stop {
                    Stop::Failed(error) => self.operation_failed(op, error).await?,
                    Stop::Unreached { error, .. } => self.operation_waits(op, error).await?,
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
    async fn operation_waits(&mut self, op: OpId, error: RemoteError) -> Result<(), Abandoned> {
        tracing::warn!(plan_id = op.plan_id.0, index = op.index, %error, "a write waits for the server");
        self.writing.queue.waits(op);
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
        self.tell(Event::OperationWaits { op, error, retry_in: pause }).await
    }

    async fn operation_ended(&mut self, op: OpId, ended: Ended) -> Result<(), Abandoned> {
        let Ended { outcome, answer } = ended;
        let id = answer.id.clone();
        let told = match &outcome {
            WriteResult::Created(applied) | WriteResult::Updated(applied) => Some(Arc::clone(&applied.segment)),
            WriteResult::Deleted { .. } => None,
        };
        if let Some(seen) = self.ledger.take(answer) {
            self.note(&seen.id, seen.now.as_ref());
            self.writing.follow(&seen);
        }
        match &outcome {
            WriteResult::Created(_) => {
                self.writing.claimed.insert(id.clone(), op);
            }
            // What becomes of the children of a deleted segment is the server's choice.
            WriteResult::Deleted { id, .. } => {
                let children = self.writing.children.remove(id).unwrap_or_default();
                self.look_at(children.into_iter().collect());
            }
            WriteResult::Updated(_) => {}
        }
        let Some(operation) = self.writing.queue.get(op).cloned() else { return Ok(()) };
        let others = self.writing.queue.ended(op, &outcome);
        // Those that refer to a new segment have to find it after a crash as well.
        let others = others.into_iter().map(|(other, operation)| JournalEntry::Asked(key(other), operation));
        let notes = [JournalEntry::Over(key(op))].into_iter().chain(others).collect();
        self.journal(notes).await;
        self.tell(Event::OperationEnded { op, operation, outcome }).await?;
        // Somebody may have changed it again since, and the feed may have been faster than the write.
        let now = self.ledger.get(&id).cloned();
        if now == told {
            return Ok(());
        }
        self.tell_changes(vec![Seen { id, before: told, now, mention: Mention::default() }], None).await
    }

    async fn operation_failed(&mut self, op: OpId, error: WriteError) -> Result<(), Abandoned> {
        tracing::warn!(plan_id = op.plan_id.0, index = op.index, %error, "a write failed");
        let Some(operation) = self.writing.queue.get(op).cloned() else { return Ok(()) };
        self.writing.queue.failed(op);
        // What was sent before and may have been carried out stays so in the journal, whatever has become of this try.
        if !self.writing.doubts.contains_key(&op) {
            self.journal(vec![JournalEntry::NotApplied(key(op))]).await;
        }
        self.tell(Event::OperationFailed { op, operation, error }).await
    }

    pub(super) async fn retry(&mut self, op: OpId, instead: Option<Operation>) -> Result<(), Abandoned> {
        if let Some(operation) = &instead {
            self.watch_children(std::slice::from_ref(operation));
            self.mind_namesakes(created_by(operation).into_iter());
        }
        if self.is_doubtful_create(op) {
            return self.retry_after_list(op, instead).await;
        }
        if self.writing.queue.retry(op, instead)
            && let Some(operation) = self.writing.queue.get(op).cloned()
        {
            self.journal(vec![JournalEntry::Asked(key(op), operation)]).await;
        }
        self.begin_writes().await
    }

    /// Keeps in the journal what is not to be carried out yet.
    pub(super) async fn keep_plan(&mut self, plan_id: PlanId, plan: Plan) {
        let asked = plan.operations.into_iter().enumerate();
        self.journal(asked.map(|(index, operation)| JournalEntry::Gathered((plan_id.0, index), operation)).collect())
            .await;
    }

    /// Takes out of the journal what was kept there and is not to be carried out any more.
    pub(super) async fn forget(&mut self, these: Vec<OpId>) {
        self.journal(these.into_iter().map(|op| JournalEntry::Over(key(op))).collect()).await;
    }

    pub(super) fn hold(&mut self, plan_id: PlanId) {
        self.writing.queue.hold(plan_id);
    }

    pub(super) async fn release(&mut self, plan_id: PlanId, except: &[OpId]) -> Result<(), Abandoned> {
        let doubtful: Vec<OpId> =
            self.writing.queue.of(plan_id).into_iter().filter(|op| self.is_doubtful_create(*op)).collect();
        let not_now: Vec<OpId> = except.iter().chain(&doubtful).copied().collect();
        self.writing.queue.release(plan_id, &not_now);
        for op in doubtful.into_iter().filter(|op| !except.contains(op)) {
            self.retry_after_list(op, None).await?;
        }
        self.begin_writes().await
    }

    /// The operations of a plan that are not done, the last first.
    pub(super) fn writing_of(&self, plan_id: PlanId) -> Vec<OpId> {
        self.writing.queue.of(plan_id).into_iter().rev().collect()
    }

    pub(super) async fn give_up(&mut self, these: Vec<OpId>) -> Result<(), Abandoned> {
        let given_up: Vec<OpId> = these.into_iter().flat_map(|op| self.writing.queue.give_up(op)).collect();
        for op in &given_up {
            self.writing.doubts.remove(op);
            self.writing.alike.remove(op);
        }
        self.journal(given_up.iter().map(|op| JournalEntry::Over(key(*op))).collect()).await;
        for op in given_up {
            self.tell(Event::OperationDropped(op)).await?;
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
