//! Starts operations and takes in their results.

mod evidence;
mod recovering;

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant};

use crate::changes::{
    Evidence, Execution, ExecutionResult, JournalEntry, Journalled, OpId, Operation, Resend, WriteError, WriteResult,
    is_provisional,
};
use crate::remote::{Remote, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};
use crate::sync::fetch::fetch_many;
use crate::sync::message::{Event, FeedSource, SegmentChange};
use crate::sync::namesakes::Namesakes;
use crate::sync::report::Report;
use crate::sync::segment_cache::Fetched;
use crate::sync::write::{Ended, Over, Stop, Writer};

use super::{Actor, LONGEST_ASKED_PAUSE, Next, Stopped, Work};

/// Operations under way, and what is tracked for them.
#[derive(Debug, Default)]
pub(super) struct Writing {
    /// Operations being executed, as they were sent.
    in_flight: BTreeMap<OpId, Operation>,
    /// Unfinished operations of the journal. What is tracked for them is kept until there are none.
    open: HashSet<OpId>,
    /// Those of them that create a segment.
    creates: HashSet<OpId>,
    /// The children of each segment that is to be deleted.
    children: HashMap<SegmentId, HashSet<SegmentId>>,
    /// Segments first seen while a create was unfinished.
    created_since: HashSet<SegmentId>,
    /// Segments that an operation is known to have created.
    claimed: HashMap<SegmentId, OpId>,
    /// Segments that look like one to be created.
    namesakes: Namesakes,
    /// For each operation being executed or recovered: the lookalikes that existed when it was first sent.
    existing: HashMap<OpId, HashSet<SegmentId>>,
    /// Creates to send again, after a list that begins from now on.
    after_list: Vec<Execution>,
    /// Operations to execute once it is known what became of those of an earlier session.
    postponed: Vec<Execution>,
    /// Set while an operation could not reach the server.
    unreached: Option<Unreached>,
    /// How often that happened in a row before the server last responded.
    unreached_before: u32,
    /// Changes seen to segments that are being written. Most are the writes themselves.
    deferred: HashMap<SegmentId, SegmentChange>,
    /// New segments among them, by the create that may have made them and has no response yet.
    unanswered: HashMap<OpId, Vec<SegmentId>>,
    left: RecoveredJournal,
}

/// Operations that an earlier session left unfinished.
#[derive(Debug, Default)]
enum RecoveredJournal {
    /// None, or already reported.
    #[default]
    Nothing,
    /// To be checked as soon as the server is known to respond.
    Found(Vec<Journalled>),
    /// Being checked.
    Investigated,
}

/// The server could not be reached. Nothing is sent until it has responded, and not before `until`.
#[derive(Debug, Clone)]
struct Unreached {
    error: RemoteError,
    until: Instant,
    /// Failures in a row.
    times: u32,
}

/// Pause after an operation could not reach the server, which doubles each time up to [`LONGEST_UNREACHED`].
const UNREACHED: Duration = Duration::from_secs(1);
const LONGEST_UNREACHED: Duration = Duration::from_secs(15);

impl Writing {
    /// Takes over the operations that an earlier session left. Nothing is written until they were checked.
    pub fn load_journal(&mut self, journal: Vec<Journalled>) {
        if !journal.is_empty() {
            self.left = RecoveredJournal::Found(journal);
        }
    }

    /// Updates what is tracked after a change.
    pub fn follow(&mut self, seen: &SegmentChange) {
        if let Some(siblings) = parent(seen.before.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.remove(&seen.id);
        }
        if let Some(siblings) = parent(seen.now.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.insert(seen.id.clone());
        }
        if seen.before.is_none() && !self.creates.is_empty() {
            self.created_since.insert(seen.id.clone());
        }
        self.namesakes.follow(seen);
    }

    /// Whether any operation is being executed or waits to be.
    pub fn is_writing(&self) -> bool {
        !self.open.is_empty() || !self.in_flight.is_empty()
    }

    /// An operation that is being executed.
    pub fn operation(&self, op: OpId) -> Option<&Operation> {
        self.in_flight.get(&op)
    }

    /// The operation in flight that may have created a segment.
    fn creator_of(&self, new: &Segment) -> Option<OpId> {
        let creates = |operation| created_by(operation).is_some_and(|draft| draft.changes(new).is_empty());
        self.in_flight.iter().find(|(_, operation)| creates(operation)).map(|(op, _)| *op)
    }

    /// Whether to hold back a change until it is known whether an own operation caused it.
    pub fn defers(&mut self, seen: &SegmentChange) -> bool {
        if self.deferred.contains_key(&seen.id) {
            return true;
        }
        let new = seen.now.as_deref().filter(|_| seen.before.is_none());
        let creator = new.and_then(|new| self.creator_of(new));
        if let Some(op) = creator {
            self.unanswered.entry(op).or_default().push(seen.id.clone());
        }
        let is_written = self.in_flight.values().any(|operation| operation.subject() == Some(&seen.id));
        let defers = creator.is_some() || is_written;
        if defers {
            self.deferred.insert(seen.id.clone(), seen.clone());
        }
        defers
    }

    /// Takes the deferred segments that a create turned out not to have made, now that it has a response.
    fn made_by_others(&mut self, op: OpId, made: Option<&SegmentId>) -> Vec<SegmentChange> {
        let ids = self.unanswered.remove(&op).unwrap_or_default();
        let deferred = ids.into_iter().filter_map(|id| self.deferred.remove(&id));
        deferred.filter(|seen| Some(&seen.id) != made).collect()
    }

    /// Merges a deferred change of the same segment into one that is emitted now.
    pub fn merge_deferred(&mut self, seen: &mut SegmentChange) {
        if let Some(earlier) = self.deferred.remove(&seen.id) {
            seen.before = earlier.before;
        }
    }

    /// Children of a segment to be deleted that were not confirmed with it.
    pub fn newcomers(&self, operation: &Operation) -> Vec<SegmentId> {
        let Operation::Delete { base, leaving } = operation else { return Vec::new() };
        let children = self.children.get(&base.id).into_iter().flatten();
        children.filter(|child| !leaving.contains(child)).cloned().collect()
    }
}

fn parent(segment: Option<&Segment>) -> Option<&SegmentId> {
    segment?.parent.as_ref()
}

/// The draft that an operation creates.
const fn created_by(operation: &Operation) -> Option<&Draft> {
    match operation {
        Operation::Create { draft } => Some(draft),
        Operation::Update { .. } | Operation::Delete { .. } => None,
    }
}

impl<R: Remote> Actor<R> {
    /// Writes the client's entries to the journal, and tracks what its operations need to know.
    pub(super) async fn journal_from_client(&mut self, entries: Vec<JournalEntry>) {
        let queued = entries.iter().filter_map(|entry| match entry {
            JournalEntry::Queued(op, operation) => Some((*op, operation)),
            _ => None,
        });
        self.look_out_for(&queued.collect::<Vec<_>>());
        for entry in &entries {
            if let JournalEntry::Over(op) = entry {
                self.writing.open.remove(op);
                self.writing.creates.remove(op);
            }
        }
        self.journal(entries).await;
        self.forget_what_nothing_needs();
    }

    /// Tracks the children of segments to be deleted, and segments that look like one to be created. At most two passes over
    /// all segments, however many operations there are.
    fn look_out_for(&mut self, operations: &[(OpId, &Operation)]) {
        self.writing.open.extend(operations.iter().map(|(op, _)| *op));
        let creates = || operations.iter().filter_map(|(op, operation)| Some((*op, created_by(operation)?)));
        self.writing.creates.extend(creates().map(|(op, _)| op));
        self.writing.namesakes.mind(creates().map(|(_, draft)| draft), self.cache.segments());
        let deletes = operations.iter().filter(|(_, operation)| matches!(operation, Operation::Delete { .. }));
        let subjects: HashSet<SegmentId> = deletes.filter_map(|(_, operation)| operation.subject()).cloned().collect();
        let new = subjects.into_iter().filter(|subject| !self.writing.children.contains_key(subject)).collect();
        self.look_for_children(&new);
    }

    fn forget_what_nothing_needs(&mut self) {
        if !self.writing.is_writing() {
            self.writing.children.clear();
            self.writing.created_since.clear();
            self.writing.namesakes.clear();
        }
    }

    /// Looks up the children of segments to be deleted again: a list may have brought any number of them.
    pub(super) fn watch_children_anew(&mut self) {
        let subjects = std::mem::take(&mut self.writing.children).into_keys().collect();
        self.look_for_children(&subjects);
    }

    fn look_for_children(&mut self, subjects: &HashSet<SegmentId>) {
        if subjects.is_empty() {
            return;
        }
        for subject in subjects {
            self.writing.children.entry(subject.clone()).or_default();
        }
        for segment in self.cache.segments() {
            if let Some(siblings) = segment.parent.as_ref().and_then(|parent| self.writing.children.get_mut(parent)) {
                siblings.insert(segment.id.clone());
            }
        }
    }

    /// Executes an operation, postpones it, or reports why it can't be executed now.
    pub(super) async fn execute(&mut self, execution: Execution) -> Result<(), Stopped> {
        if !matches!(self.writing.left, RecoveredJournal::Nothing) {
            self.writing.postponed.push(execution);
            return Ok(());
        }
        if let Some(Unreached { error, until, .. }) = self.writing.unreached.clone() {
            let retry_in = until.saturating_duration_since(Instant::now());
            let Execution { op, evidence, .. } = execution;
            return self.emit_executed(op, ExecutionResult::Unreached { error, retry_in, evidence }).await;
        }
        let creates = created_by(&execution.operation).is_some();
        if creates && execution.evidence.as_ref().is_some_and(|evidence| evidence.resend == Resend::AfterList) {
            return self.execute_after_list(execution).await;
        }
        let Execution { op, operation, evidence } = execution;
        self.look_out_for(&[(op, &operation)]);
        if let Err(error) = self.preflight(&operation) {
            return self.emit_executed(op, ExecutionResult::Failed { error, evidence }).await;
        }
        let since = evidence.as_ref().map_or_else(|| self.following.earliest(), |evidence| evidence.since);
        let existing = self.note_existing(op, &operation, evidence.as_ref());
        let sent = JournalEntry::Sent { op, since, existing };
        let journalled = self.journal(vec![JournalEntry::Queued(op, operation.clone()), sent]).await;
        self.writing.in_flight.insert(op, operation.clone());
        let writer = self.writer(op, since, evidence.clone());
        self.send_out(async move {
            if let Some(journalled) = journalled
                && journalled.await.is_err()
            {
                tracing::warn!("a write is not in the journal");
            }
            let over = writer.carry_out(&operation).await;
            Report::OperationOver { op, since, evidence, over }
        });
        Ok(())
    }

    async fn emit_executed(&self, op: OpId, result: ExecutionResult) -> Result<(), Stopped> {
        self.emit(Event::Executed { op, result: Box::new(result) }).await
    }

    /// Reports that the server responds again, so that operations that could not reach it can be retried.
    pub(super) async fn server_answers(&mut self) -> Result<(), Stopped> {
        match &self.writing.unreached {
            Some(Unreached { until, times, .. }) if *until <= Instant::now() => {
                self.writing.unreached_before = *times;
                self.writing.unreached = None;
                self.emit(Event::ServerAnswers).await
            }
            _ => Ok(()),
        }
    }

    fn writer(&self, op: OpId, since: Option<Step>, evidence: Option<Evidence>) -> Writer<R> {
        Writer {
            op,
            heard: self.following.has_feed().then(|| self.following.hearing.now()),
            evidence,
            remote: Arc::clone(&self.tasks.remote),
            questions: self.tasks.questions.clone(),
            reporter: self.tasks.reporter.clone(),
            since,
            create_confirm_timeout: self.settings.create_confirm_timeout,
            at_once: self.settings.concurrency,
            learnt: Vec::new(),
        }
    }

    /// Checks whether what is known rules out an operation.
    fn preflight(&self, operation: &Operation) -> Result<(), WriteError> {
        let newcomers = self.writing.newcomers(operation);
        if !newcomers.is_empty() {
            return Err(WriteError::NewChildren { newcomers });
        }
        // An id that is still provisional here will never be resolved.
        if operation.destination().into_iter().chain(operation.subject()).any(is_provisional) {
            return Err(WriteError::ParentMissing);
        }
        let Some(destination) = operation.destination().filter(|_| self.lists.listed) else { return Ok(()) };
        // A parent that was never known, such as that of a restored orphan, is left to the server.
        if self.cache.is_gone(destination) {
            return Err(WriteError::ParentMissing);
        }
        let Some(subject) = operation.subject() else { return Ok(()) };
        let mut above = HashSet::new();
        let mut at = Some(destination);
        while let Some(id) = at.filter(|id| above.insert(*id)) {
            if id == subject {
                return Err(WriteError::WouldCreateCycle);
            }
            at = self.cache.get(id).and_then(|segment| segment.parent.as_ref());
        }
        Ok(())
    }

    /// Writes entries to the journal, if there is one.
    async fn journal(&self, notes: Vec<JournalEntry>) -> Option<oneshot::Receiver<()>> {
        match &self.keeper {
            Some(keeper) => Some(keeper.journal(notes).await),
            None => None,
        }
    }

    pub(super) async fn operation_over(
        &mut self,
        op: OpId,
        since: Option<Step>,
        evidence: Option<Evidence>,
        over: Over,
    ) -> Result<(), Stopped> {
        let Over { result, learnt } = over;
        let Some(operation) = self.writing.in_flight.remove(&op) else { return Ok(()) };
        let evidence = self.evidence_after(op, &operation, since, evidence, &result);
        let deferred = operation.subject().and_then(|subject| self.writing.deferred.remove(subject));
        let made = result.as_ref().ok().map(|ended| ended.answer.id.clone());
        let of_others = self.writing.made_by_others(op, made.as_ref());
        match result {
            // Any remaining difference is reported after the result of the operation itself.
            Ok(ended) => {
                self.writing.unreached_before = 0;
                self.operation_ended(op, ended).await?;
                self.emit_deferred(of_others).await?;
                self.learn(learnt).await?;
            }
            Err(stop) => {
                self.emit_deferred(deferred.into_iter().chain(of_others).collect()).await?;
                // The tree is brought up to date first, whatever is reported about the failure.
                self.learn(learnt).await?;
                match stop {
                    Stop::Failed(error) => {
                        tracing::warn!(plan = op.plan_id.0, index = op.index, %error, "an operation failed");
                        self.emit_executed(op, ExecutionResult::Failed { error, evidence }).await?;
                    }
                    Stop::Unreached { error, .. } => self.unreached(op, error, evidence).await?,
                }
            }
        }
        self.following.poll_soon();
        self.forget_what_nothing_needs();
        Ok(())
    }

    /// Emits deferred changes, as far as they still are changes.
    async fn emit_deferred(&mut self, deferred: Vec<SegmentChange>) -> Result<(), Stopped> {
        let now = |seen: SegmentChange| SegmentChange { now: self.cache.get(&seen.id).cloned(), ..seen };
        let told = deferred.into_iter().map(now).filter(|seen| seen.before != seen.now).collect();
        self.emit_changes(told, None).await
    }

    /// Applies what was learnt about segments along the way.
    async fn learn(&mut self, learnt: Vec<Fetched>) -> Result<(), Stopped> {
        if learnt.is_empty() { Ok(()) } else { self.looked_at(learnt).await }
    }

    /// Records that an operation could not reach the server. Nothing is executed until it responds again.
    pub(super) async fn unreached(
        &mut self,
        op: OpId,
        error: RemoteError,
        evidence: Option<Evidence>,
    ) -> Result<(), Stopped> {
        tracing::warn!(plan = op.plan_id.0, index = op.index, %error, "an operation waits for the server");
        let times = self.writing.unreached_before + 1;
        let pause = UNREACHED.saturating_mul(1 << (times - 1).min(10)).min(LONGEST_UNREACHED);
        let asked = error.fault.retry_after().unwrap_or_default().min(LONGEST_ASKED_PAUSE);
        let pause = pause.max(asked);
        let until = Instant::now() + pause;
        let until = self.writing.unreached.as_ref().map_or(until, |unreached| unreached.until.max(until));
        let times = self.writing.unreached.as_ref().map_or(times, |unreached| unreached.times);
        self.writing.unreached = Some(Unreached { error: error.clone(), until, times });
        // Polls then to find out whether the server responds.
        self.following.poll_at(until);
        let asked_for = self.rests_as_asked();
        if let Work::Resting { until: rest, then: Next::Locate } = &mut self.work
            && !asked_for
        {
            *rest = until.min(*rest);
        }
        self.emit_executed(op, ExecutionResult::Unreached { error, retry_in: pause, evidence }).await
    }

    async fn operation_ended(&mut self, op: OpId, ended: Ended) -> Result<(), Stopped> {
        let Ended { outcome, answer } = ended;
        let id = answer.id.clone();
        let told = match &outcome {
            WriteResult::Created(applied) | WriteResult::Updated(applied) => Some(Arc::clone(&applied.segment)),
            WriteResult::Deleted { .. } => None,
        };
        if let Some(seen) = self.cache.take(answer) {
            self.note(&seen.id, seen.now.as_ref());
            self.writing.follow(&seen);
        }
        match &outcome {
            WriteResult::Created(_) => {
                self.writing.claimed.insert(id.clone(), op);
            }
            // What happens to the children of a deleted segment is the server's choice.
            WriteResult::Deleted { id, .. } => {
                let children = self.writing.children.remove(id).unwrap_or_default();
                self.look_at(children.into_iter().collect());
            }
            WriteResult::Updated(_) => {}
        }
        self.emit_executed(op, ExecutionResult::Done(outcome)).await?;
        // Someone may have changed it again since, and the feed may have been faster than the write.
        let now = self.cache.get(&id).cloned();
        if now == told {
            return Ok(());
        }
        self.emit_changes(vec![SegmentChange { id, before: told, now, mention: FeedSource::default() }], None).await
    }

    /// Fetches segments for a reason other than the feed. One that can't be fetched now is left to the feed or the next list.
    pub(super) fn look_at(&mut self, ids: Vec<SegmentId>) {
        if ids.is_empty() {
            return;
        }
        let (remote, questions) = (Arc::clone(&self.tasks.remote), self.tasks.questions.clone());
        let at_once = self.settings.concurrency;
        self.send_out(async move {
            let (answers, failure) = fetch_many(&*remote, &questions, ids, at_once).await;
            if let Some(error) = failure {
                tracing::warn!(%error, "not every segment could be looked at");
            }
            Report::LookedAt(answers)
        });
    }
}
