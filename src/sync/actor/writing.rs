//! Starts operations and takes in their results.

mod evidence;
mod recovering;

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant};

use crate::changes::{
    Evidence, Execution, ExecutionResult, JournalEntry, JournalledOp, OpId, Operation, Resend, WriteError, WriteResult,
    is_provisional,
};
use crate::remote::{Remote, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};
use crate::sync::fetch::fetch_many;
use crate::sync::message::{Event, FeedSource, SegmentChange};
use crate::sync::namesakes::LookalikeIndex;
use crate::sync::report::Report;
use crate::sync::segment_cache::Fetched;
use crate::sync::write::{Completion, WriteFailure, WriteSuccess, Writer};

use super::{Actor, MAX_RETRY_AFTER, NextWork, Stopped, Work};

/// Operations under way, and what is tracked for them.
#[derive(Debug, Default)]
pub(super) struct Writing {
    /// Operations being executed, as they were sent.
    in_flight: BTreeMap<OpId, Operation>,
    /// Unfinished operations of the journal. What is tracked for them is kept until there are none.
    unfinished: HashSet<OpId>,
    /// Those of them that create a segment.
    unfinished_creates: HashSet<OpId>,
    /// The children of each segment that is to be deleted.
    children: HashMap<SegmentId, HashSet<SegmentId>>,
    /// Segments first seen while a create was unfinished.
    new_segments: HashSet<SegmentId>,
    /// Segments that an operation is known to have created.
    claimed: HashMap<SegmentId, OpId>,
    /// Segments that look like one to be created.
    lookalikes: LookalikeIndex,
    /// For each operation being executed or recovered: the lookalikes that existed when it was first sent.
    existing: HashMap<OpId, HashSet<SegmentId>>,
    /// Creates to send again, after a list that begins from now on.
    pending_resends: Vec<Execution>,
    /// Operations to execute once it is known what became of those of an earlier session.
    postponed: Vec<Execution>,
    /// Set while an operation could not reach the server.
    unreachable: Option<Unreachable>,
    /// How often that happened in a row before the server last responded.
    previous_failures: u32,
    /// Changes seen to segments that are being written. Most are the writes themselves.
    deferred: HashMap<SegmentId, SegmentChange>,
    /// New segments among them, by the create that may have made them and has no response yet.
    possible_results: HashMap<OpId, Vec<SegmentId>>,
    recovered_journal: RecoveredJournal,
}

/// Operations that an earlier session left unfinished.
#[derive(Debug, Default)]
enum RecoveredJournal {
    /// None, or already reported.
    #[default]
    Empty,
    /// To be checked as soon as the server is known to respond.
    Pending(Vec<JournalledOp>),
    /// Being checked.
    Checking,
}

/// The server could not be reached. Nothing is sent until it has responded, and not before `until`.
#[derive(Debug, Clone)]
struct Unreachable {
    error: RemoteError,
    until: Instant,
    /// Failures in a row.
    failures: u32,
}

/// Pause after an operation could not reach the server, which doubles each time up to [`MAX_WRITE_BACKOFF`].
const WRITE_BACKOFF: Duration = Duration::from_secs(1);
const MAX_WRITE_BACKOFF: Duration = Duration::from_secs(15);

impl Writing {
    /// Takes over the operations that an earlier session left. Nothing is written until they were checked.
    pub fn load_journal(&mut self, journal: Vec<JournalledOp>) {
        if !journal.is_empty() {
            self.recovered_journal = RecoveredJournal::Pending(journal);
        }
    }

    /// Updates what is tracked after a change.
    pub fn update_tracking(&mut self, change: &SegmentChange) {
        if let Some(siblings) = parent(change.before.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.remove(&change.id);
        }
        if let Some(siblings) = parent(change.now.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.insert(change.id.clone());
        }
        if change.before.is_none() && !self.unfinished_creates.is_empty() {
            self.new_segments.insert(change.id.clone());
        }
        self.lookalikes.update(change);
    }

    /// Whether any operation is being executed or waits to be.
    pub fn is_writing(&self) -> bool {
        !self.unfinished.is_empty() || !self.in_flight.is_empty()
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
    pub fn defer_if_own(&mut self, change: &SegmentChange) -> bool {
        if self.deferred.contains_key(&change.id) {
            return true;
        }
        let new = change.now.as_deref().filter(|_| change.before.is_none());
        let creator = new.and_then(|new| self.creator_of(new));
        if let Some(op) = creator {
            self.possible_results.entry(op).or_default().push(change.id.clone());
        }
        let is_written = self.in_flight.values().any(|operation| operation.subject() == Some(&change.id));
        let should_defer = creator.is_some() || is_written;
        if should_defer {
            self.deferred.insert(change.id.clone(), change.clone());
        }
        should_defer
    }

    /// Takes the deferred segments that a create turned out not to have made, now that it has a response.
    fn take_changes_by_others(&mut self, op: OpId, created_id: Option<&SegmentId>) -> Vec<SegmentChange> {
        let ids = self.possible_results.remove(&op).unwrap_or_default();
        let deferred = ids.into_iter().filter_map(|id| self.deferred.remove(&id));
        deferred.filter(|change| Some(&change.id) != created_id).collect()
    }

    /// Merges a deferred change of the same segment into one that is emitted now.
    pub fn merge_deferred(&mut self, change: &mut SegmentChange) {
        if let Some(earlier) = self.deferred.remove(&change.id) {
            change.before = earlier.before;
        }
    }

    /// Children of a segment to be deleted that were not confirmed with it.
    pub fn new_children(&self, operation: &Operation) -> Vec<SegmentId> {
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
        self.track_operations(&queued.collect::<Vec<_>>());
        for entry in &entries {
            if let JournalEntry::Finished(op) = entry {
                self.writing.unfinished.remove(op);
                self.writing.unfinished_creates.remove(op);
            }
        }
        self.journal(entries).await;
        self.clear_unused_tracking();
    }

    /// Tracks the children of segments to be deleted, and segments that look like one to be created. At most two passes over
    /// all segments, however many operations there are.
    fn track_operations(&mut self, operations: &[(OpId, &Operation)]) {
        self.writing.unfinished.extend(operations.iter().map(|(op, _)| *op));
        let creates = || operations.iter().filter_map(|(op, operation)| Some((*op, created_by(operation)?)));
        self.writing.unfinished_creates.extend(creates().map(|(op, _)| op));
        self.writing.lookalikes.track(creates().map(|(_, draft)| draft), self.cache.segments());
        let deletes = operations.iter().filter(|(_, operation)| matches!(operation, Operation::Delete { .. }));
        let subjects: HashSet<SegmentId> = deletes.filter_map(|(_, operation)| operation.subject()).cloned().collect();
        let new = subjects.into_iter().filter(|subject| !self.writing.children.contains_key(subject)).collect();
        self.track_children(&new);
    }

    fn clear_unused_tracking(&mut self) {
        if !self.writing.is_writing() {
            self.writing.children.clear();
            self.writing.new_segments.clear();
            self.writing.lookalikes.clear();
        }
    }

    /// Looks up the children of segments to be deleted again: a list may have brought any number of them.
    pub(super) fn refresh_children(&mut self) {
        let subjects = std::mem::take(&mut self.writing.children).into_keys().collect();
        self.track_children(&subjects);
    }

    fn track_children(&mut self, subjects: &HashSet<SegmentId>) {
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
        if !matches!(self.writing.recovered_journal, RecoveredJournal::Empty) {
            self.writing.postponed.push(execution);
            return Ok(());
        }
        if let Some(Unreachable { error, until, .. }) = self.writing.unreachable.clone() {
            let retry_in = until.saturating_duration_since(Instant::now());
            let Execution { op, evidence, .. } = execution;
            return self.emit_executed(op, ExecutionResult::Unreached { error, retry_in, evidence }).await;
        }
        let creates = created_by(&execution.operation).is_some();
        if creates && execution.evidence.as_ref().is_some_and(|evidence| evidence.resend == Resend::AfterList) {
            return self.defer_resend(execution).await;
        }
        let Execution { op, operation, evidence } = execution;
        self.track_operations(&[(op, &operation)]);
        if let Err(error) = self.preflight(&operation) {
            return self.emit_executed(op, ExecutionResult::Failed { error, evidence }).await;
        }
        let since = evidence.as_ref().map_or_else(|| self.following.earliest(), |evidence| evidence.since);
        let existing = self.record_existing(op, &operation, evidence.as_ref());
        let sent = JournalEntry::Sent { op, since, existing };
        let journalled = self.journal(vec![JournalEntry::Queued(op, operation.clone()), sent]).await;
        self.writing.in_flight.insert(op, operation.clone());
        let writer = self.writer(op, since, evidence.clone());
        self.spawn_task(async move {
            if let Some(journalled) = journalled
                && journalled.await.is_err()
            {
                tracing::warn!("a write is not in the journal");
            }
            let completion = writer.execute(&operation).await;
            Report::OperationEnded { op, since, evidence, completion }
        });
        Ok(())
    }

    async fn emit_executed(&self, op: OpId, result: ExecutionResult) -> Result<(), Stopped> {
        self.emit(Event::Executed { op, result: Box::new(result) }).await
    }

    /// Reports that the server responds again, so that operations that could not reach it can be retried.
    pub(super) async fn server_responded(&mut self) -> Result<(), Stopped> {
        match &self.writing.unreachable {
            Some(Unreachable { until, failures, .. }) if *until <= Instant::now() => {
                self.writing.previous_failures = *failures;
                self.writing.unreachable = None;
                self.emit(Event::ServerResponded).await
            }
            _ => Ok(()),
        }
    }

    fn writer(&self, op: OpId, since: Option<Step>, evidence: Option<Evidence>) -> Writer<R> {
        Writer {
            op,
            start_mark: self.following.has_feed().then(|| self.following.hearing.current_mark()),
            evidence,
            remote: Arc::clone(&self.tasks.remote),
            sequence: self.tasks.sequence.clone(),
            reporter: self.tasks.reporter.clone(),
            since,
            create_confirm_timeout: self.settings.create_confirm_timeout,
            concurrency: self.settings.concurrency,
            fetched: Vec::new(),
        }
    }

    /// Checks whether what is known rules out an operation.
    fn preflight(&self, operation: &Operation) -> Result<(), WriteError> {
        let new_children = self.writing.new_children(operation);
        if !new_children.is_empty() {
            return Err(WriteError::NewChildren { new_children });
        }
        // An id that is still provisional here will never be resolved.
        if operation.destination().into_iter().chain(operation.subject()).any(is_provisional) {
            return Err(WriteError::ParentMissing);
        }
        let Some(destination) = operation.destination().filter(|_| self.lists.listed) else { return Ok(()) };
        // A parent that was never known, such as that of a restored orphan, is left to the server.
        if self.cache.is_deleted(destination) {
            return Err(WriteError::ParentMissing);
        }
        let Some(subject) = operation.subject() else { return Ok(()) };
        let mut visited = HashSet::new();
        let mut ancestor = Some(destination);
        while let Some(id) = ancestor.filter(|id| visited.insert(*id)) {
            if id == subject {
                return Err(WriteError::WouldCreateCycle);
            }
            ancestor = self.cache.get(id).and_then(|segment| segment.parent.as_ref());
        }
        Ok(())
    }

    /// Writes entries to the journal, if there is one.
    async fn journal(&self, entries: Vec<JournalEntry>) -> Option<oneshot::Receiver<()>> {
        match &self.persister {
            Some(persister) => Some(persister.write_journal(entries).await),
            None => None,
        }
    }

    pub(super) async fn operation_ended(
        &mut self,
        op: OpId,
        since: Option<Step>,
        evidence: Option<Evidence>,
        completion: Completion,
    ) -> Result<(), Stopped> {
        let Completion { result, fetched } = completion;
        let Some(operation) = self.writing.in_flight.remove(&op) else { return Ok(()) };
        let evidence = self.evidence_after(op, &operation, since, evidence, &result);
        let deferred = operation.subject().and_then(|subject| self.writing.deferred.remove(subject));
        let created_id = result.as_ref().ok().map(|success| success.response.id.clone());
        let by_others = self.writing.take_changes_by_others(op, created_id.as_ref());
        match result {
            // Any remaining difference is reported after the result of the operation itself.
            Ok(success) => {
                self.writing.previous_failures = 0;
                self.operation_succeeded(op, success).await?;
                self.emit_deferred(by_others).await?;
                self.apply_fetched(fetched).await?;
            }
            Err(failure) => {
                self.emit_deferred(deferred.into_iter().chain(by_others).collect()).await?;
                // The tree is brought up to date first, whatever is reported about the failure.
                self.apply_fetched(fetched).await?;
                match failure {
                    WriteFailure::Failed(error) => {
                        tracing::warn!(plan = op.plan_id.0, index = op.index, %error, "an operation failed");
                        self.emit_executed(op, ExecutionResult::Failed { error, evidence }).await?;
                    }
                    WriteFailure::Unreached { error, .. } => self.operation_unreached(op, error, evidence).await?,
                }
            }
        }
        self.following.poll_soon();
        self.clear_unused_tracking();
        Ok(())
    }

    /// Emits deferred changes, as far as they still are changes.
    async fn emit_deferred(&mut self, deferred: Vec<SegmentChange>) -> Result<(), Stopped> {
        let with_current = |change: SegmentChange| SegmentChange { now: self.cache.get(&change.id).cloned(), ..change };
        let reported = deferred.into_iter().map(with_current).filter(|change| change.before != change.now).collect();
        self.emit_changes(reported, None).await
    }

    /// Applies what was learnt about segments along the way.
    async fn apply_fetched(&mut self, fetched: Vec<Fetched>) -> Result<(), Stopped> {
        if fetched.is_empty() { Ok(()) } else { self.batch_fetched(fetched).await }
    }

    /// Records that an operation could not reach the server. Nothing is executed until it responds again.
    pub(super) async fn operation_unreached(
        &mut self,
        op: OpId,
        error: RemoteError,
        evidence: Option<Evidence>,
    ) -> Result<(), Stopped> {
        tracing::warn!(plan = op.plan_id.0, index = op.index, %error, "an operation waits for the server");
        let failures = self.writing.previous_failures + 1;
        let pause = WRITE_BACKOFF.saturating_mul(1 << (failures - 1).min(10)).min(MAX_WRITE_BACKOFF);
        let retry_after = error.fault.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER);
        let pause = pause.max(retry_after);
        let until = Instant::now() + pause;
        let until = self.writing.unreachable.as_ref().map_or(until, |unreachable| unreachable.until.max(until));
        let failures = self.writing.unreachable.as_ref().map_or(failures, |unreachable| unreachable.failures);
        self.writing.unreachable = Some(Unreachable { error: error.clone(), until, failures });
        // Polls then to find out whether the server responds.
        self.following.poll_at(until);
        let is_waiting_for_retry_after = self.is_waiting_for_retry_after();
        if let Work::Resting { until: rest, then: NextWork::Locate } = &mut self.work
            && !is_waiting_for_retry_after
        {
            *rest = until.min(*rest);
        }
        self.emit_executed(op, ExecutionResult::Unreached { error, retry_in: pause, evidence }).await
    }

    async fn operation_succeeded(&mut self, op: OpId, success: WriteSuccess) -> Result<(), Stopped> {
        let WriteSuccess { outcome, response } = success;
        let id = response.id.clone();
        let reported = match &outcome {
            WriteResult::Created(applied) | WriteResult::Updated(applied) => Some(Arc::clone(&applied.segment)),
            WriteResult::Deleted { .. } => None,
        };
        if let Some(change) = self.cache.apply(response) {
            self.record_change(&change.id, change.now.as_ref());
            self.writing.update_tracking(&change);
        }
        match &outcome {
            WriteResult::Created(_) => {
                self.writing.claimed.insert(id.clone(), op);
            }
            // What happens to the children of a deleted segment is the server's choice.
            WriteResult::Deleted { id, .. } => {
                let children = self.writing.children.remove(id).unwrap_or_default();
                self.fetch_batch(children.into_iter().collect());
            }
            WriteResult::Updated(_) => {}
        }
        self.emit_executed(op, ExecutionResult::Done(outcome)).await?;
        // Someone may have changed it again since, and the feed may have been faster than the write.
        let now = self.cache.get(&id).cloned();
        if now == reported {
            return Ok(());
        }
        self.emit_changes(vec![SegmentChange { id, before: reported, now, feed_source: FeedSource::default() }], None)
            .await
    }

    /// Fetches segments for a reason other than the feed. One that can't be fetched now is left to the feed or the next list.
    pub(super) fn fetch_batch(&mut self, ids: Vec<SegmentId>) {
        if ids.is_empty() {
            return;
        }
        let (remote, sequence) = (Arc::clone(&self.tasks.remote), self.tasks.sequence.clone());
        let concurrency = self.settings.concurrency;
        self.spawn_task(async move {
            let (responses, failure) = fetch_many(&*remote, &sequence, ids, concurrency).await;
            if let Some(error) = failure {
                tracing::warn!(%error, "not every segment could be looked at");
            }
            Report::BatchFetched(responses)
        });
    }
}
