//! Carries out one operation: read, compare with what the person saw, write, and read back.
//!
//! The API has no versions, so before each PUT or DELETE, retries included, the segment is read and compared with what the
//! person saw. Changes of other fields by someone else are kept. A field that both changed is a conflict, as is a segment
//! that someone moved, and nothing is sent. The feed up to now is asked of the actor, its only reader, within a bounded
//! time: a write is sent within a few round trips, however busy the tenant is.
//!
//! Someone else can still write between the read and the write. That can't be prevented, but the feed names a segment for
//! each write, so it is noticed afterwards and reported ([`Written::concurrent_write`]).
//!
//! A response is only a claim: what was written is read back, and a deleted segment is polled until it is gone. An
//! unreachable server is not a refusal: the operation stays in the queue.

mod creating;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::changes::Operation;
use crate::remote::{Call, Fault, FeedEventKind, Remote, RemoteError};
use crate::segment::{Draft, Field, Segment, SegmentId, Step};

use super::fetch::{fetch, fetch_many};
use super::hearing::EventMark;
use super::message::FeedSource;
use super::report::{CatchUp, EventQuery, FeedState, Report, Reporter};
use super::segment_cache::{Fetched, SequenceCounter};
use crate::changes::{Evidence, OpId, RecoveredState, WriteError, WriteResult, Written};

pub(super) use creating::{matches_draft, resembles_draft};

/// Everything that is needed to execute one operation.
#[derive(Debug)]
pub(super) struct Writer<R> {
    pub remote: Arc<R>,
    pub sequence: SequenceCounter,
    pub reporter: Reporter,
    /// The operation.
    pub op: OpId,
    /// A step of the feed from before anything was written; `None` without a feed.
    pub since: Option<Step>,
    /// Mark up to which the feed was read when the operation began; `None` without a feed.
    pub start_mark: Option<EventMark>,
    /// Evidence of an operation that was sent before and may have been applied.
    pub evidence: Option<Evidence>,
    /// How long to search for the result of a create, and to wait for a deleted segment to be gone.
    pub create_confirm_timeout: Duration,
    /// Number of segments to fetch concurrently.
    pub concurrency: usize,
    /// Other segments learnt about along the way.
    pub fetched: Vec<Fetched>,
}

/// The result of an operation, and the response about its segment.
#[derive(Debug)]
pub(super) struct WriteSuccess {
    pub outcome: WriteResult,
    pub response: Fetched,
}

/// Why an operation has no result.
#[derive(Debug)]
pub(super) enum WriteFailure {
    /// It failed.
    Failed(WriteError),
    /// The server could not be reached. `sent` says whether a request was sent that may have been applied.
    Unreached { error: RemoteError, sent: bool },
}

impl From<WriteError> for WriteFailure {
    fn from(error: WriteError) -> Self {
        Self::Failed(error)
    }
}

/// The end of an operation, and what was learnt about other segments.
#[derive(Debug)]
pub(super) struct Completion {
    pub result: Result<WriteSuccess, WriteFailure>,
    pub fetched: Vec<Fetched>,
}

/// Total number of times an update or a delete is sent, each after a read. Enough to outlast a restart of the service.
const MAX_ATTEMPTS: u32 = 5;
/// Pause before the second try, which doubles with each further one.
const INITIAL_BACKOFF: Duration = Duration::from_millis(250);
/// Longest `Retry-After` that is waited for here. For a longer one, the operation goes back to the queue, which can show it.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(2);
/// Pause before checking again whether a segment is gone, which doubles with each further check.
const DELETE_POLL_DELAY: Duration = Duration::from_millis(200);

impl<R: Remote> Writer<R> {
    /// Carries out an operation.
    pub async fn execute(mut self, operation: &Operation) -> Completion {
        let result = match operation {
            Operation::Create { draft } => self.create(draft).await,
            Operation::Update { base, draft } => self.update(base, draft).await,
            Operation::Delete { base, leaving } => self.delete(base, leaving).await,
        };
        Completion { result, fetched: self.fetched }
    }

    /// Asks what the feed says up to now.
    async fn catch_up(&self, query: Option<EventQuery>) -> FeedState {
        let op = self.op;
        self.reporter.request(|reply| Report::CatchUp(CatchUp { op, query, reply })).await.unwrap_or_default()
    }

    /// Asks for the feed events of a segment that was written `own_writes` times since a mark; returns nothing without a mark.
    async fn events_since(&self, id: &SegmentId, mark: Option<EventMark>, own_writes: usize) -> FeedState {
        match mark {
            Some(since) if own_writes > 0 => {
                self.catch_up(Some(EventQuery { id: id.clone(), since, own_writes })).await
            }
            _ => FeedState::default(),
        }
    }

    async fn update(&mut self, base: &Arc<Segment>, wanted: &Draft) -> Result<WriteSuccess, WriteFailure> {
        let (mark, read) = self.read_with_mark(base).await;
        let mut read = Some(read);
        let (mut failures, mut doubt, mut sent) = (0, None, false);
        let mut written: Vec<Field> = Vec::new();
        let (draft, merged) = loop {
            let current = match read.take() {
                Some(read) => read,
                None => self.read_current(base).await,
            };
            let current = match current {
                Err(WriteFailure::Unreached { error, .. }) => return Err(self.unreached(error, doubt.is_some())),
                Err(WriteFailure::Failed(error)) => return Err(in_doubt(doubt, error).into()),
                Ok(current) => current,
            };
            let (draft, merged) = merge(base, wanted, &current)?;
            if draft.changes(&current).is_empty() {
                if self.was_sent() {
                    // An earlier try wrote these values.
                    written = draft.changes(base);
                }
                break (draft, merged);
            }
            if failures == 0 {
                // If a later read finds the wanted values, a try that seemed to fail may have written them.
                written = draft.changes(&current);
            }
            let request = self.send_tracked(Call::Update(base.id.clone()), self.remote.update(&base.id, &draft));
            let Err(error) = request.await else {
                sent = true;
                break (draft, merged);
            };
            failures += 1;
            if matches!(error.fault, Fault::Unreachable { .. }) || needs_long_wait(&error.fault) {
                let sent = doubt.is_some() || error.fault.may_have_taken_effect();
                return Err(self.unreached(error, sent));
            }
            if !wait_before_retry(&error.fault, failures).await {
                match self.is_applied(&base.id, &draft).await {
                    Some(true) if error.fault.may_have_taken_effect() => break (draft, merged),
                    // The server refused, and the segment confirms that.
                    Some(false) if matches!(error.fault, Fault::Refused { .. }) => {
                        return Err(WriteError::Refused(error).into());
                    }
                    None if is_network_fault(&error.fault) => return Err(self.unreached(error, true)),
                    _ => return Err(write_error(error).into()),
                }
            }
            doubt = error.fault.may_have_taken_effect().then_some(error).or(doubt);
        };
        let own_writes = usize::try_from(failures).unwrap_or(usize::MAX).saturating_add(usize::from(sent));
        let expected = draft.into_segment(base.id.clone());
        self.read_back(&expected, merged, written, mark, own_writes).await
    }

    /// Reads back a segment that was written `own_writes` times since a mark. Fields that someone else changed after that are
    /// reported as their change, not as ignored by the server.
    async fn read_back(
        &mut self,
        expected: &Segment,
        merged: Vec<Field>,
        written: Vec<Field>,
        mark: Option<EventMark>,
        own_writes: usize,
    ) -> Result<WriteSuccess, WriteFailure> {
        let id = &expected.id;
        let (read, feed_state) = tokio::join!(self.fetch(id), self.events_since(id, mark, own_writes));
        let response = read.map_err(|error| WriteFailure::Failed(WriteError::InDoubt(error)))?;
        let Some(segment) = response.now.clone() else {
            self.fetched.push(response);
            return Err(WriteError::Conflict { theirs: None, fields: Vec::new() }.into());
        };
        let has_other_writer = own_writes > 0 && feed_state.has_other_writer;
        let mut ignored = expected.differing_fields(&segment);
        let later = if has_other_writer { std::mem::take(&mut ignored) } else { Vec::new() };
        let concurrent_write = has_other_writer && later.is_empty();
        let segment =
            if later.is_empty() { segment } else { Arc::new((*segment).clone().with_fields_of(expected, &later)) };
        let applied = Written { segment, merged, ignored, written, concurrent_write, existed: false };
        Ok(WriteSuccess { outcome: WriteResult::Updated(applied), response })
    }

    async fn delete(&mut self, base: &Arc<Segment>, leaving: &[SegmentId]) -> Result<WriteSuccess, WriteFailure> {
        let (mut failures, mut doubt) = (0, None);
        loop {
            let feed_state = self.catch_up(None).await;
            if !feed_state.new_children.is_empty() {
                return Err(WriteError::NewChildren { new_children: feed_state.new_children }.into());
            }
            let unfetched: Vec<SegmentId> = feed_state.unfetched.into_iter().filter(|id| *id != base.id).collect();
            let (read, (other_responses, _)) = tokio::join!(
                self.fetch(&base.id),
                fetch_many(&*self.remote, &self.sequence, unfetched, self.concurrency),
            );
            let is_new_child = |response: &&Fetched| {
                response.now.as_ref().is_some_and(|segment| segment.parent.as_ref() == Some(&base.id))
                    && !leaving.contains(&response.id)
            };
            let new_children: Vec<SegmentId> =
                other_responses.iter().filter(is_new_child).map(|response| response.id.clone()).collect();
            self.fetched.extend(other_responses);
            let read = match read {
                Ok(read) => read,
                Err(error) if is_network_fault(&error.fault) => {
                    return Err(self.unreached(error, doubt.is_some()));
                }
                Err(error) => return Err(in_doubt(doubt, WriteError::Refused(error)).into()),
            };
            if !new_children.is_empty() {
                return Err(WriteError::NewChildren { new_children }.into());
            }
            let Some(current) = read.now.clone() else {
                return Ok(self.deleted_result(&base.id, failures > 0 || self.was_sent(), false));
            };
            let fields = base.differing_fields(&current);
            if !fields.is_empty() {
                self.fetched.push(read);
                return Err(WriteError::Conflict { theirs: Some(current), fields }.into());
            }
            let request = self.send_tracked(Call::Delete(base.id.clone()), self.remote.delete(&base.id));
            let Err(error) = request.await else {
                return self.wait_until_deleted(&base.id, feed_state.mark).await;
            };
            failures += 1;
            if matches!(error.fault, Fault::Unreachable { .. }) || needs_long_wait(&error.fault) {
                let sent = doubt.is_some() || error.fault.may_have_taken_effect();
                return Err(self.unreached(error, sent));
            }
            if !wait_before_retry(&error.fault, failures).await {
                return self.resolve_failed_delete(base, error, feed_state.mark).await;
            }
            doubt = error.fault.may_have_taken_effect().then_some(error).or(doubt);
        }
    }

    /// Waits until a segment is gone that the server reported as deleted.
    async fn wait_until_deleted(
        &mut self,
        id: &SegmentId,
        mark: Option<EventMark>,
    ) -> Result<WriteSuccess, WriteFailure> {
        let deadline = Instant::now() + self.create_confirm_timeout;
        let mut pause = DELETE_POLL_DELAY;
        loop {
            match self.fetch(id).await {
                Ok(response) if response.now.is_none() => {
                    let concurrent_write = self.changed_since(id, mark).await;
                    return Ok(self.deleted_result(id, true, concurrent_write));
                }
                Ok(response) if Instant::now() >= deadline => {
                    self.fetched.push(response);
                    return Err(WriteError::NotDone.into());
                }
                Err(error) if Instant::now() >= deadline => return Err(WriteError::InDoubt(error).into()),
                Ok(_) | Err(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// Determines the result after the last try of a delete has failed.
    async fn resolve_failed_delete(
        &mut self,
        base: &Arc<Segment>,
        error: RemoteError,
        mark: Option<EventMark>,
    ) -> Result<WriteSuccess, WriteFailure> {
        if !error.fault.may_have_taken_effect() {
            return Err(WriteError::Refused(error).into());
        }
        match self.fetch(&base.id).await {
            Ok(response) if response.now.is_none() => {
                let concurrent_write = self.changed_since(&base.id, mark).await;
                Ok(self.deleted_result(&base.id, true, concurrent_write))
            }
            Ok(response) => {
                self.fetched.push(response);
                Err(WriteError::Refused(error).into())
            }
            Err(_) if is_network_fault(&error.fault) => Err(self.unreached(error, true)),
            Err(_) => Err(WriteError::InDoubt(error).into()),
        }
    }

    /// Whether a deleted segment was changed since a mark.
    async fn changed_since(&self, id: &SegmentId, mark: Option<EventMark>) -> bool {
        let event_kinds = self.events_since(id, mark, 1).await.event_kinds;
        event_kinds.into_iter().any(|kind| kind != FeedEventKind::Deleted)
    }

    /// Returns the result for a segment that is gone. That is certain by now, so it gets a new sequence number.
    fn deleted_result(&self, id: &SegmentId, found: bool, concurrent_write: bool) -> WriteSuccess {
        let response =
            Fetched { id: id.clone(), now: None, seq: self.sequence.next(), feed_source: FeedSource::default() };
        WriteSuccess { outcome: WriteResult::Deleted { id: id.clone(), found, concurrent_write }, response }
    }

    /// Whether it was sent before, by an earlier try or an earlier session.
    const fn was_sent(&self) -> bool {
        self.evidence.is_some()
    }

    fn unreached(&self, error: RemoteError, sent: bool) -> WriteFailure {
        WriteFailure::Unreached { error, sent: sent || self.was_sent() }
    }

    /// Finds out what became of an operation that an earlier session sent.
    pub async fn investigate(mut self, operation: &Operation) -> (RecoveredState, Vec<Fetched>) {
        let found = match operation {
            Operation::Create { draft } => self.recover_create(draft).await,
            Operation::Update { base, draft } => self.recover_update(base, draft).await,
            Operation::Delete { base, .. } => match self.fetch(&base.id).await {
                Ok(response) if response.now.is_none() => Ok(self.deleted_result(&base.id, true, false)),
                Ok(_) => Err(RecoveredState::NotApplied),
                Err(error) => Err(RecoveredState::Unknown(error)),
            },
        };
        match found {
            Ok(WriteSuccess { outcome, response }) => {
                self.fetched.push(response);
                (RecoveredState::Applied(outcome), self.fetched)
            }
            Err(state) => (state, self.fetched),
        }
    }

    /// Checks whether an update of an earlier session was applied. A later change by someone else may hide that.
    async fn recover_update(&mut self, base: &Arc<Segment>, draft: &Draft) -> Result<WriteSuccess, RecoveredState> {
        let response = self.fetch(&base.id).await.map_err(RecoveredState::Unknown)?;
        let written = draft.changes(base);
        if let Some(segment) = response.now.clone().filter(|segment| has_drafted_values(segment, base, draft)) {
            let (merged, ignored) = (Vec::new(), Vec::new());
            let applied = Written { segment, merged, ignored, written, concurrent_write: false, existed: false };
            return Ok(WriteSuccess { outcome: WriteResult::Updated(applied), response });
        }
        let is_unchanged = response
            .now
            .as_ref()
            .is_some_and(|now| !base.differing_fields(now).iter().any(|field| written.contains(field)));
        self.fetched.push(response);
        if is_unchanged {
            return Err(RecoveredState::NotApplied);
        }
        let fault = Fault::InvalidResponse { reason: "someone has changed it since".into() };
        Err(RecoveredState::Unknown(RemoteError { call: Call::Update(base.id.clone()), fault }))
    }

    /// Reads a segment, and returns the mark up to which the feed was read before. Without a mark, a concurrent write goes
    /// unnoticed; that is no reason not to write.
    async fn read_with_mark(&mut self, base: &Segment) -> (Option<EventMark>, Result<Arc<Segment>, WriteFailure>) {
        if let Some(since) = self.start_mark {
            let query = EventQuery { id: base.id.clone(), since, own_writes: 0 };
            let (feed_state, read) = tokio::join!(self.catch_up(Some(query)), self.fetch(&base.id));
            let is_unnamed = feed_state.mark.is_some() && feed_state.event_kinds.is_empty();
            // If nothing happened to the segment since the operation began, the order of the two responses doesn't matter. A
            // change made just now may be visible already and only be named by the feed later.
            let unchanged = read.as_ref().is_ok_and(|response| response.now.as_deref() == Some(base));
            if is_unnamed && (unchanged || read.is_err()) {
                return (Some(since), self.current_from(read));
            }
            self.fetched.extend(read.ok());
        }
        let mark = self.catch_up(None).await.mark;
        (mark, self.read_current(base).await)
    }

    async fn read_current(&mut self, base: &Segment) -> Result<Arc<Segment>, WriteFailure> {
        let read = self.fetch(&base.id).await;
        self.current_from(read)
    }

    fn current_from(&mut self, read: Result<Fetched, RemoteError>) -> Result<Arc<Segment>, WriteFailure> {
        match read {
            Ok(response) => {
                let now = response.now.clone();
                self.fetched.push(response);
                Ok(now.ok_or(WriteError::Conflict { theirs: None, fields: Vec::new() })?)
            }
            Err(error) if is_network_fault(&error.fault) => Err(WriteFailure::Unreached { error, sent: false }),
            Err(error) => Err(WriteError::Refused(error).into()),
        }
    }

    /// Whether a segment has everything that was written; `None` if it can't be read.
    async fn is_applied(&mut self, id: &SegmentId, draft: &Draft) -> Option<bool> {
        let response = self.fetch(id).await.ok()?;
        let is_applied = response.now.as_ref().is_some_and(|segment| draft.changes(segment).is_empty());
        self.fetched.push(response);
        Some(is_applied)
    }

    async fn fetch(&self, id: &SegmentId) -> Result<Fetched, RemoteError> {
        let fetch = fetch(&*self.remote, &self.sequence, id.clone(), FeedSource::default());
        self.send_tracked(Call::One(id.clone()), fetch).await
    }

    /// Sends a request, and lets the actor know while the response is pending.
    async fn send_tracked<T>(&self, call: Call, request: impl Future<Output = T>) -> T {
        let op = self.op;
        self.reporter.emit(Report::OperationRequestStarted { op, call }).await;
        let response = request.await;
        self.reporter.emit(Report::OperationRequestEnded(op)).await;
        response
    }
}

/// Whether there was no response at all, or one that asks to wait, so that a retry may succeed later.
fn is_network_fault(fault: &Fault) -> bool {
    matches!(fault, Fault::Unreachable { .. } | Fault::TimedOut { .. } | Fault::Broken { .. }) || needs_long_wait(fault)
}

/// Returns the draft to write, and the fields kept as someone else changed them.
fn merge(base: &Segment, wanted: &Draft, current: &Segment) -> Result<(Draft, Vec<Field>), WriteError> {
    let mine = wanted.changes(base);
    let theirs = base.differing_fields(current);
    let differs_still = wanted.changes(current);
    // A change is meant for the segment where it was: that someone moved it must not be ignored.
    let is_intended = |field: &Field| mine.contains(field) || *field == Field::Parent;
    let conflicting: Vec<Field> =
        theirs.iter().copied().filter(|field| is_intended(field) && differs_still.contains(field)).collect();
    if !conflicting.is_empty() {
        return Err(WriteError::Conflict { theirs: Some(Arc::new(current.clone())), fields: conflicting });
    }
    let kept: Vec<Field> = Field::ALL.into_iter().filter(|field| !mine.contains(field)).collect();
    let merged = theirs.into_iter().filter(|field| kept.contains(field)).collect();
    Ok((wanted.clone().with_fields_of(current, &kept), merged))
}

/// Whether the server asked to retry, but later than is waited for here.
fn needs_long_wait(fault: &Fault) -> bool {
    fault.is_transient() && fault.retry_after().is_some_and(|retry_after| retry_after > MAX_RETRY_AFTER)
}

/// Waits before a write is retried; returns `false` if it must not be. The segment is read again before the retry.
async fn wait_before_retry(fault: &Fault, failures: u32) -> bool {
    if failures >= MAX_ATTEMPTS || !fault.is_transient() {
        return false;
    }
    let retry_after = fault.retry_after().unwrap_or_default();
    let pause = INITIAL_BACKOFF.saturating_mul(1 << (failures - 1)).mul_f64(0.5 + fastrand::f64() / 2.0);
    tokio::time::sleep(pause.max(retry_after)).await;
    true
}

/// A refusal is in doubt if an earlier try may have been applied.
fn in_doubt(doubt: Option<RemoteError>, error: WriteError) -> WriteError {
    match (doubt, error) {
        (Some(doubt), WriteError::Refused(_)) => WriteError::InDoubt(doubt),
        (_, error) => error,
    }
}

/// Without a response, it is unknown whether the request was applied.
fn write_error(error: RemoteError) -> WriteError {
    if error.fault.may_have_taken_effect() { WriteError::InDoubt(error) } else { WriteError::Refused(error) }
}

/// Whether a segment has the draft's value in every field that the draft was to change.
fn has_drafted_values(segment: &Segment, base: &Segment, draft: &Draft) -> bool {
    let differs_still = draft.changes(segment);
    draft.changes(base).iter().all(|field| !differs_still.contains(field))
}
