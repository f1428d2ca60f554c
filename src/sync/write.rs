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
use super::hearing::Heard;
use super::message::FeedSource;
use super::report::{About, CatchUp, Caught, Report, Reporter};
use super::segment_cache::{Fetched, SequenceCounter};
use crate::changes::{Evidence, OpId, RecoveredState, WriteError, WriteResult, Written};

pub(super) use creating::{is_like, is_made_from};

/// Everything that is needed to execute one operation.
#[derive(Debug)]
pub(super) struct Writer<R> {
    pub remote: Arc<R>,
    pub questions: SequenceCounter,
    pub reporter: Reporter,
    /// The operation.
    pub op: OpId,
    /// A step of the feed from before anything was written; `None` without a feed.
    pub since: Option<Step>,
    /// Mark up to which the feed was read when the operation began; `None` without a feed.
    pub heard: Option<Heard>,
    /// Evidence of an operation that was sent before and may have been applied.
    pub evidence: Option<Evidence>,
    /// How long to search for the result of a create, and to wait for a deleted segment to be gone.
    pub create_confirm_timeout: Duration,
    /// Number of segments to fetch concurrently.
    pub at_once: usize,
    /// Other segments learnt about along the way.
    pub learnt: Vec<Fetched>,
}

/// The result of an operation, and the response about its segment.
#[derive(Debug)]
pub(super) struct Ended {
    pub outcome: WriteResult,
    pub answer: Fetched,
}

/// Why an operation has no result.
#[derive(Debug)]
pub(super) enum Stop {
    /// It failed.
    Failed(WriteError),
    /// The server could not be reached. `sent` says whether a request was sent that may have been applied.
    Unreached { error: RemoteError, sent: bool },
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        Self::Failed(error)
    }
}

/// The end of an operation, and what was learnt about other segments.
#[derive(Debug)]
pub(super) struct Over {
    pub result: Result<Ended, Stop>,
    pub learnt: Vec<Fetched>,
}

/// Total number of times an update or a delete is sent, each after a read. Enough to outlast a restart of the service.
const TRIES: u32 = 5;
/// Pause before the second try, which doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest `Retry-After` that is waited for here. For a longer one, the operation goes back to the queue, which can show it.
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(2);
/// Pause before checking again whether a segment is gone, which doubles with each further check.
const GONE_YET: Duration = Duration::from_millis(200);

impl<R: Remote> Writer<R> {
    /// Carries out an operation.
    pub async fn carry_out(mut self, operation: &Operation) -> Over {
        let result = match operation {
            Operation::Create { draft } => self.create(draft).await,
            Operation::Update { base, draft } => self.update(base, draft).await,
            Operation::Delete { base, leaving } => self.delete(base, leaving).await,
        };
        Over { result, learnt: self.learnt }
    }

    /// Asks what the feed says up to now.
    async fn catch_up(&self, about: Option<About>) -> Caught {
        let op = self.op;
        self.reporter.ask(|reply| Report::CatchUp(CatchUp { op, about, reply })).await.unwrap_or_default()
    }

    /// Asks for the feed events of a segment that was written `sends` times since a mark; returns nothing without a mark.
    async fn namings_since(&self, id: &SegmentId, mark: Option<Heard>, sends: usize) -> Caught {
        match mark {
            Some(since) if sends > 0 => self.catch_up(Some(About { id: id.clone(), since, sends })).await,
            _ => Caught::default(),
        }
    }

    async fn update(&mut self, base: &Arc<Segment>, wanted: &Draft) -> Result<Ended, Stop> {
        let (mark, looked) = self.look(base).await;
        let mut looked = Some(looked);
        let (mut failures, mut doubt, mut sent) = (0, None, false);
        let mut written: Vec<Field> = Vec::new();
        let (draft, merged) = loop {
            let current = match looked.take() {
                Some(looked) => looked,
                None => self.current(base).await,
            };
            let current = match current {
                Err(Stop::Unreached { error, .. }) => return Err(self.unreached(error, doubt.is_some())),
                Err(Stop::Failed(error)) => return Err(in_doubt(doubt, error).into()),
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
            let sending = self.asking(Call::Update(base.id.clone()), self.remote.update(&base.id, &draft));
            let Err(error) = sending.await else {
                sent = true;
                break (draft, merged);
            };
            failures += 1;
            if matches!(error.fault, Fault::Unreachable { .. }) || is_to_wait(&error.fault) {
                let sent = doubt.is_some() || error.fault.may_have_taken_effect();
                return Err(self.unreached(error, sent));
            }
            if !wait_before_retry(&error.fault, failures).await {
                match self.took_effect(&base.id, &draft).await {
                    Some(true) if error.fault.may_have_taken_effect() => break (draft, merged),
                    // The server refused, and the segment confirms that.
                    Some(false) if matches!(error.fault, Fault::Refused { .. }) => {
                        return Err(WriteError::Refused(error).into());
                    }
                    None if is_of_the_network(&error.fault) => return Err(self.unreached(error, true)),
                    _ => return Err(failure(error).into()),
                }
            }
            doubt = error.fault.may_have_taken_effect().then_some(error).or(doubt);
        };
        let sends = usize::try_from(failures).unwrap_or(usize::MAX).saturating_add(usize::from(sent));
        let expected = draft.into_segment(base.id.clone());
        self.read_back(&expected, merged, written, mark, sends).await
    }

    /// Reads back a segment that was written `sends` times since a mark. Fields that someone else changed after that are
    /// reported as their change, not as ignored by the server.
    async fn read_back(
        &mut self,
        expected: &Segment,
        merged: Vec<Field>,
        written: Vec<Field>,
        mark: Option<Heard>,
        sends: usize,
    ) -> Result<Ended, Stop> {
        let id = &expected.id;
        let (looked, caught) = tokio::join!(self.fetch(id), self.namings_since(id, mark, sends));
        let answer = looked.map_err(|error| Stop::Failed(WriteError::InDoubt(error)))?;
        let Some(segment) = answer.now.clone() else {
            self.learnt.push(answer);
            return Err(WriteError::Conflict { theirs: None, fields: Vec::new() }.into());
        };
        let someone_else = sends > 0 && caught.someone_else;
        let mut ignored = expected.differing_fields(&segment);
        let later = if someone_else { std::mem::take(&mut ignored) } else { Vec::new() };
        let concurrent_write = someone_else && later.is_empty();
        let segment =
            if later.is_empty() { segment } else { Arc::new((*segment).clone().with_fields_of(expected, &later)) };
        let applied = Written { segment, merged, ignored, written, concurrent_write, existed: false };
        Ok(Ended { outcome: WriteResult::Updated(applied), answer })
    }

    async fn delete(&mut self, base: &Arc<Segment>, leaving: &[SegmentId]) -> Result<Ended, Stop> {
        let (mut failures, mut doubt) = (0, None);
        loop {
            let caught = self.catch_up(None).await;
            if !caught.newcomers.is_empty() {
                return Err(WriteError::NewChildren { newcomers: caught.newcomers }.into());
            }
            let unseen: Vec<SegmentId> = caught.unseen.into_iter().filter(|id| *id != base.id).collect();
            let (looked, (seen, _)) =
                tokio::join!(self.fetch(&base.id), fetch_many(&*self.remote, &self.questions, unseen, self.at_once),);
            let below = |answer: &&Fetched| {
                answer.now.as_ref().is_some_and(|segment| segment.parent.as_ref() == Some(&base.id))
                    && !leaving.contains(&answer.id)
            };
            let newcomers: Vec<SegmentId> = seen.iter().filter(below).map(|answer| answer.id.clone()).collect();
            self.learnt.extend(seen);
            let looked = match looked {
                Ok(looked) => looked,
                Err(error) if is_of_the_network(&error.fault) => {
                    return Err(self.unreached(error, doubt.is_some()));
                }
                Err(error) => return Err(in_doubt(doubt, WriteError::Refused(error)).into()),
            };
            if !newcomers.is_empty() {
                return Err(WriteError::NewChildren { newcomers }.into());
            }
            let Some(current) = looked.now.clone() else {
                return Ok(self.gone(&base.id, failures > 0 || self.was_sent(), false));
            };
            let fields = base.differing_fields(&current);
            if !fields.is_empty() {
                self.learnt.push(looked);
                return Err(WriteError::Conflict { theirs: Some(current), fields }.into());
            }
            let sending = self.asking(Call::Delete(base.id.clone()), self.remote.delete(&base.id));
            let Err(error) = sending.await else {
                return self.until_gone(&base.id, caught.up_to).await;
            };
            failures += 1;
            if matches!(error.fault, Fault::Unreachable { .. }) || is_to_wait(&error.fault) {
                let sent = doubt.is_some() || error.fault.may_have_taken_effect();
                return Err(self.unreached(error, sent));
            }
            if !wait_before_retry(&error.fault, failures).await {
                return self.not_deleted(base, error, caught.up_to).await;
            }
            doubt = error.fault.may_have_taken_effect().then_some(error).or(doubt);
        }
    }

    /// Waits until a segment is gone that the server reported as deleted.
    async fn until_gone(&mut self, id: &SegmentId, mark: Option<Heard>) -> Result<Ended, Stop> {
        let until = Instant::now() + self.create_confirm_timeout;
        let mut pause = GONE_YET;
        loop {
            match self.fetch(id).await {
                Ok(answer) if answer.now.is_none() => {
                    let concurrent_write = self.changed_since(id, mark).await;
                    return Ok(self.gone(id, true, concurrent_write));
                }
                Ok(answer) if Instant::now() >= until => {
                    self.learnt.push(answer);
                    return Err(WriteError::NotDone.into());
                }
                Err(error) if Instant::now() >= until => return Err(WriteError::InDoubt(error).into()),
                Ok(_) | Err(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// Determines the result after the last try of a delete has failed.
    async fn not_deleted(
        &mut self,
        base: &Arc<Segment>,
        error: RemoteError,
        mark: Option<Heard>,
    ) -> Result<Ended, Stop> {
        if !error.fault.may_have_taken_effect() {
            return Err(WriteError::Refused(error).into());
        }
        match self.fetch(&base.id).await {
            Ok(answer) if answer.now.is_none() => {
                let concurrent_write = self.changed_since(&base.id, mark).await;
                Ok(self.gone(&base.id, true, concurrent_write))
            }
            Ok(answer) => {
                self.learnt.push(answer);
                Err(WriteError::Refused(error).into())
            }
            Err(_) if is_of_the_network(&error.fault) => Err(self.unreached(error, true)),
            Err(_) => Err(WriteError::InDoubt(error).into()),
        }
    }

    /// Whether a deleted segment was changed since a mark.
    async fn changed_since(&self, id: &SegmentId, mark: Option<Heard>) -> bool {
        let namings = self.namings_since(id, mark, 1).await.namings;
        namings.into_iter().any(|kind| kind != FeedEventKind::Deleted)
    }

    /// Returns the result for a segment that is gone. That is certain by now, so it gets a new sequence number.
    fn gone(&self, id: &SegmentId, found: bool, concurrent_write: bool) -> Ended {
        let answer =
            Fetched { id: id.clone(), now: None, asked: self.questions.next(), mention: FeedSource::default() };
        Ended { outcome: WriteResult::Deleted { id: id.clone(), found, concurrent_write }, answer }
    }

    /// Whether it was sent before, by an earlier try or an earlier session.
    const fn was_sent(&self) -> bool {
        self.evidence.is_some()
    }

    fn unreached(&self, error: RemoteError, sent: bool) -> Stop {
        Stop::Unreached { error, sent: sent || self.was_sent() }
    }

    /// Finds out what became of an operation that an earlier session sent.
    pub async fn investigate(mut self, operation: &Operation) -> (RecoveredState, Vec<Fetched>) {
        let found = match operation {
            Operation::Create { draft } => self.find_former(draft).await,
            Operation::Update { base, draft } => self.find_former_update(base, draft).await,
            Operation::Delete { base, .. } => match self.fetch(&base.id).await {
                Ok(answer) if answer.now.is_none() => Ok(self.gone(&base.id, true, false)),
                Ok(_) => Err(RecoveredState::NotApplied),
                Err(error) => Err(RecoveredState::Unknown(error)),
            },
        };
        match found {
            Ok(Ended { outcome, answer }) => {
                self.learnt.push(answer);
                (RecoveredState::Applied(outcome), self.learnt)
            }
            Err(fate) => (fate, self.learnt),
        }
    }

    /// Checks whether an update of an earlier session was applied. A later change by someone else may hide that.
    async fn find_former_update(&mut self, base: &Arc<Segment>, draft: &Draft) -> Result<Ended, RecoveredState> {
        let answer = self.fetch(&base.id).await.map_err(RecoveredState::Unknown)?;
        let written = draft.changes(base);
        if let Some(segment) = answer.now.clone().filter(|segment| carries(segment, base, draft)) {
            let (merged, ignored) = (Vec::new(), Vec::new());
            let applied = Written { segment, merged, ignored, written, concurrent_write: false, existed: false };
            return Ok(Ended { outcome: WriteResult::Updated(applied), answer });
        }
        let as_it_was =
            answer.now.as_ref().is_some_and(|now| !base.differing_fields(now).iter().any(|it| written.contains(it)));
        self.learnt.push(answer);
        if as_it_was {
            return Err(RecoveredState::NotApplied);
        }
        let fault = Fault::InvalidResponse { reason: "someone has changed it since".into() };
        Err(RecoveredState::Unknown(RemoteError { call: Call::Update(base.id.clone()), fault }))
    }

    /// Reads a segment, and returns the mark up to which the feed was read before. Without a mark, a concurrent write goes
    /// unnoticed; that is no reason not to write.
    async fn look(&mut self, base: &Segment) -> (Option<Heard>, Result<Arc<Segment>, Stop>) {
        if let Some(since) = self.heard {
            let about = About { id: base.id.clone(), since, sends: 0 };
            let (caught, looked) = tokio::join!(self.catch_up(Some(about)), self.fetch(&base.id));
            let unnamed = caught.up_to.is_some() && caught.namings.is_empty();
            // If nothing happened to the segment since the operation began, the order of the two responses doesn't matter. A
            // change made just now may be visible already and only be named by the feed later.
            let unchanged = looked.as_ref().is_ok_and(|answer| answer.now.as_deref() == Some(base));
            if unnamed && (unchanged || looked.is_err()) {
                return (Some(since), self.take_current(looked));
            }
            self.learnt.extend(looked.ok());
        }
        let mark = self.catch_up(None).await.up_to;
        (mark, self.current(base).await)
    }

    async fn current(&mut self, base: &Segment) -> Result<Arc<Segment>, Stop> {
        let looked = self.fetch(&base.id).await;
        self.take_current(looked)
    }

    fn take_current(&mut self, looked: Result<Fetched, RemoteError>) -> Result<Arc<Segment>, Stop> {
        match looked {
            Ok(answer) => {
                let now = answer.now.clone();
                self.learnt.push(answer);
                Ok(now.ok_or(WriteError::Conflict { theirs: None, fields: Vec::new() })?)
            }
            Err(error) if is_of_the_network(&error.fault) => Err(Stop::Unreached { error, sent: false }),
            Err(error) => Err(WriteError::Refused(error).into()),
        }
    }

    /// Whether a segment has everything that was written; `None` if it can't be read.
    async fn took_effect(&mut self, id: &SegmentId, draft: &Draft) -> Option<bool> {
        let answer = self.fetch(id).await.ok()?;
        let took = answer.now.as_ref().is_some_and(|segment| draft.changes(segment).is_empty());
        self.learnt.push(answer);
        Some(took)
    }

    async fn fetch(&self, id: &SegmentId) -> Result<Fetched, RemoteError> {
        let fetch = fetch(&*self.remote, &self.questions, id.clone(), FeedSource::default());
        self.asking(Call::One(id.clone()), fetch).await
    }

    /// Sends a request, and lets the actor know while the response is pending.
    async fn asking<T>(&self, call: Call, answer: impl Future<Output = T>) -> T {
        let op = self.op;
        self.reporter.emit(Report::OperationAsks { op, call }).await;
        let answer = answer.await;
        self.reporter.emit(Report::OperationAnswered(op)).await;
        answer
    }
}

/// Whether there was no response at all, or one that asks to wait, so that a retry may succeed later.
fn is_of_the_network(fault: &Fault) -> bool {
    matches!(fault, Fault::Unreachable { .. } | Fault::TimedOut { .. } | Fault::Broken { .. }) || is_to_wait(fault)
}

/// Returns the draft to write, and the fields kept as someone else changed them.
fn merge(base: &Segment, wanted: &Draft, current: &Segment) -> Result<(Draft, Vec<Field>), WriteError> {
    let mine = wanted.changes(base);
    let theirs = base.differing_fields(current);
    let differs_still = wanted.changes(current);
    // A change is meant for the segment where it was: that someone moved it must not be ignored.
    let meant = |field: &Field| mine.contains(field) || *field == Field::Parent;
    let both: Vec<Field> =
        theirs.iter().copied().filter(|field| meant(field) && differs_still.contains(field)).collect();
    if !both.is_empty() {
        return Err(WriteError::Conflict { theirs: Some(Arc::new(current.clone())), fields: both });
    }
    let kept: Vec<Field> = Field::ALL.into_iter().filter(|field| !mine.contains(field)).collect();
    let merged = theirs.into_iter().filter(|field| kept.contains(field)).collect();
    Ok((wanted.clone().with_fields_of(current, &kept), merged))
}

/// Whether the server asked to retry, but later than is waited for here.
fn is_to_wait(fault: &Fault) -> bool {
    fault.is_transient() && fault.retry_after().is_some_and(|asked| asked > LONGEST_ASKED_WAIT)
}

/// Waits before a write is retried; returns `false` if it must not be. The segment is read again before the retry.
async fn wait_before_retry(fault: &Fault, failures: u32) -> bool {
    if failures >= TRIES || !fault.is_transient() {
        return false;
    }
    let asked = fault.retry_after().unwrap_or_default();
    let pause = FIRST_PAUSE.saturating_mul(1 << (failures - 1)).mul_f64(0.5 + fastrand::f64() / 2.0);
    tokio::time::sleep(pause.max(asked)).await;
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
fn failure(error: RemoteError) -> WriteError {
    if error.fault.may_have_taken_effect() { WriteError::InDoubt(error) } else { WriteError::Refused(error) }
}

/// Whether a segment has the draft's value in every field that the draft was to change.
fn carries(segment: &Segment, base: &Segment, draft: &Draft) -> bool {
    let differs_still = draft.changes(segment);
    draft.changes(base).iter().all(|field| !differs_still.contains(field))
}
