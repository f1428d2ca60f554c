//! Carrying out one operation: look, compare with what the person saw, write, and look again.
//!
//! The API knows no versions, so before a PUT or a DELETE the segment is read and compared with what the person saw. What
//! somebody else changed in other fields is kept; a field that both changed is a conflict, as is a segment that somebody moved,
//! and nothing is sent; the same before each further try. What the feed says up to now is asked of the actor, its only reader,
//! and that is bounded: a write leaves within a few round trips however much is going on.
//!
//! Between looking and writing there is a moment in which somebody else can write too. It can't be closed, but the feed names a
//! segment for each write, so it is noticed afterwards and told ([`Written::concurrent_write`]).
//!
//! An answer is a claim. What was written is read back, a deleted segment is looked for until it is gone, and a server that
//! can't be reached is no refusal: the operation stays where it is.

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

/// Executes one operation: what it needs for that.
#[derive(Debug)]
pub(super) struct Writer<R> {
    pub remote: Arc<R>,
    pub questions: SequenceCounter,
    pub reporter: Reporter,
    /// Whose operation it is.
    pub op: OpId,
    /// A step of the feed before anything was written; `None` without a feed.
    pub since: Option<Step>,
    /// Up to where the feed was heard when the operation began; `None` without a feed.
    pub heard: Option<Heard>,
    /// Of an operation that was sent before and may have been applied.
    pub evidence: Option<Evidence>,
    /// How long the fate of a create is looked for.
    pub create_confirm_timeout: Duration,
    /// How many segments are looked at at once.
    pub at_once: usize,
    /// What was learnt of segments by the way.
    pub learnt: Vec<Fetched>,
}

/// What an operation came to, and what was learnt of the segment by it.
#[derive(Debug)]
pub(super) struct Ended {
    pub outcome: WriteResult,
    pub answer: Fetched,
}

/// Why an operation has not come to anything.
#[derive(Debug)]
pub(super) enum Stop {
    /// It did not succeed.
    Failed(WriteError),
    /// The server could not be reached. Whether anything was sent that may have been carried out is known.
    Unreached { error: RemoteError, sent: bool },
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        Self::Failed(error)
    }
}

/// The end of an operation, and what was learnt of other segments.
#[derive(Debug)]
pub(super) struct Over {
    pub result: Result<Ended, Stop>,
    pub learnt: Vec<Fetched>,
}

/// How often a change or a deletion is sent in all, each time after a look. Rides out a restart of the service.
const TRIES: u32 = 5;
/// The pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest wait a server may ask for that is kept here. What is to wait longer goes back into the queue, which can say so.
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(2);
/// The pause before it is looked again whether a segment is gone; it doubles with each further look.
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

    /// What the feed says up to now.
    async fn catch_up(&self, about: Option<About>) -> Caught {
        let op = self.op;
        self.reporter.ask(|reply| Report::CatchUp(CatchUp { op, about, reply })).await.unwrap_or_default()
    }

    /// What the feed says since a mark of a segment that was written so often; nothing without a mark.
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
                    // It is so by what an earlier try sent.
                    written = draft.changes(base);
                }
                break (draft, merged);
            }
            if failures == 0 {
                // What is as wanted later may be so by a try that seemed to fail.
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
                    // There was an answer, and what it says is what is to be seen.
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

    /// Reads back what was written, `sends` times since a mark. What somebody else has made of it after that is told as theirs,
    /// and not as something that the server did not take.
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
        let somebody_else = sends > 0 && caught.somebody_else;
        let mut ignored = expected.differing_fields(&segment);
        let later = if somebody_else { std::mem::take(&mut ignored) } else { Vec::new() };
        let concurrent_write = somebody_else && later.is_empty();
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

    /// The server says that a segment is deleted. It is looked for until it is gone.
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

    /// The last try to delete something has failed.
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

    /// Whether a segment that is gone was changed since a mark.
    async fn changed_since(&self, id: &SegmentId, mark: Option<Heard>) -> bool {
        let namings = self.namings_since(id, mark, 1).await.namings;
        namings.into_iter().any(|kind| kind != FeedEventKind::Deleted)
    }

    /// It is certain by now that it is gone, so the question counts as asked now.
    fn gone(&self, id: &SegmentId, found: bool, concurrent_write: bool) -> Ended {
        let answer =
            Fetched { id: id.clone(), now: None, asked: self.questions.next(), mention: FeedSource::default() };
        Ended { outcome: WriteResult::Deleted { id: id.clone(), found, concurrent_write }, answer }
    }

    /// Whether an earlier try, or an earlier run, has sent it.
    const fn was_sent(&self) -> bool {
        self.evidence.is_some()
    }

    fn unreached(&self, error: RemoteError, sent: bool) -> Stop {
        Stop::Unreached { error, sent: sent || self.was_sent() }
    }

    /// Finds out what has become of an operation that an earlier run had sent.
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

    /// Whether a change of an earlier run was carried out. What somebody has done since may hide it.
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

    /// Reads a segment, and says up to where the feed was heard before that. Without such a mark, a write in the same moment goes
    /// unnoticed; that is no reason not to write.
    async fn look(&mut self, base: &Segment) -> (Option<Heard>, Result<Arc<Segment>, Stop>) {
        if let Some(since) = self.heard {
            let about = About { id: base.id.clone(), since, sends: 0 };
            let (caught, looked) = tokio::join!(self.catch_up(Some(about)), self.fetch(&base.id));
            let unnamed = caught.up_to.is_some() && caught.namings.is_empty();
            // Where nothing has happened to it since the operation began, it doesn't matter which of the two was answered first.
            // What somebody has done just now may be seen, and be named only after that.
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

    /// Whether a segment has everything that was written; `None` when it can't be looked at.
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

    /// Asks something of the server, and lets the actor know how long it waits for the answer.
    async fn asking<T>(&self, call: Call, answer: impl Future<Output = T>) -> T {
        let op = self.op;
        self.reporter.emit(Report::OperationAsks { op, call }).await;
        let answer = answer.await;
        self.reporter.emit(Report::OperationAnswered(op)).await;
        answer
    }
}

/// Whether no answer came at all, or one that asks to wait, so that another try may well succeed later.
fn is_of_the_network(fault: &Fault) -> bool {
    matches!(fault, Fault::Unreachable { .. } | Fault::TimedOut { .. } | Fault::Broken { .. }) || is_to_wait(fault)
}

/// What is to be written, and which fields are kept as somebody else made them.
fn merge(base: &Segment, wanted: &Draft, current: &Segment) -> Result<(Draft, Vec<Field>), WriteError> {
    let mine = wanted.changes(base);
    let theirs = base.differing_fields(current);
    let differs_still = wanted.changes(current);
    // Who changes a segment means it where it stands: that it stands elsewhere now is not for the program to pass over.
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

/// Whether the server wants to be asked again, and not soon.
fn is_to_wait(fault: &Fault) -> bool {
    fault.is_transient() && fault.retry_after().is_some_and(|asked| asked > LONGEST_ASKED_WAIT)
}

/// Sleeps before a write is tried again; `false` if it must not be. The segment is read again before.
async fn wait_before_retry(fault: &Fault, failures: u32) -> bool {
    if failures >= TRIES || !fault.is_transient() {
        return false;
    }
    let asked = fault.retry_after().unwrap_or_default();
    let pause = FIRST_PAUSE.saturating_mul(1 << (failures - 1)).mul_f64(0.5 + fastrand::f64() / 2.0);
    tokio::time::sleep(pause.max(asked)).await;
    true
}

/// What failed is in doubt when something was sent before and nobody knows what became of that.
fn in_doubt(doubt: Option<RemoteError>, error: WriteError) -> WriteError {
    match (doubt, error) {
        (Some(doubt), WriteError::Refused(_)) => WriteError::InDoubt(doubt),
        (_, error) => error,
    }
}

/// Without an answer it is not known what became of it.
fn failure(error: RemoteError) -> WriteError {
    if error.fault.may_have_taken_effect() { WriteError::InDoubt(error) } else { WriteError::Refused(error) }
}

/// Whether a segment has everywhere what a draft was to change.
fn carries(segment: &Segment, base: &Segment, draft: &Draft) -> bool {
    let differs_still = draft.changes(segment);
    draft.changes(base).iter().all(|field| !differs_still.contains(field))
}
