//! Carrying out one operation: look, compare with what the person saw, write, and look again.
//!
//! The API knows no versions, so before a PUT or a DELETE the segment is read and compared with what the person saw. What
//! somebody else changed in other fields is kept; a field that both changed is a conflict, as is a segment that somebody moved,
//! and nothing is sent; the same before each further try. Before a DELETE the feed is read to its end, so that nothing goes that
//! came below a moment ago.
//!
//! Between looking and writing there is a moment in which somebody else can write too. It can't be closed, but the feed names a
//! segment once for each write, so it is noticed afterwards and told ([`Applied::raced`]).

mod creating;

use std::sync::Arc;
use std::time::Duration;

use crate::plan::Operation;
use crate::remote::{Call, Fault, FeedEvent, FeedEventKind, Remote, RemoteError};
use crate::segment::{Draft, Field, Segment, SegmentId, Step};

use super::ledger::{Answer, Questions};
use super::look::look;
use super::message::{Applied, Fate, Mention, Outcome, Which, WriteError};
use super::report::Reporter;

pub(super) use creating::Doubt;

/// What it takes to carry out an operation.
#[derive(Debug)]
pub(super) struct Writer<R> {
    pub remote: Arc<R>,
    pub questions: Questions,
    pub reporter: Reporter,
    /// Whose operation it is.
    pub which: Which,
    /// A step of the feed before anything was written; `None` without a feed.
    pub since: Option<Step>,
    /// Of a create that was sent before and may have been carried out.
    pub doubt: Option<Doubt>,
    /// How long the fate of a create is looked for.
    pub grace: Duration,
}

/// What an operation came to, and what was learnt of the segment by it.
#[derive(Debug)]
pub(super) struct Ended {
    pub outcome: Outcome,
    pub answer: Answer,
}

/// How often a change or a deletion is sent in all, each time after a look. Rides out a restart of the service.
const TRIES: u32 = 5;
/// The pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest wait a server may ask for.
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(60);

impl<R: Remote> Writer<R> {
    /// Carries out an operation.
    pub async fn carry_out(&self, operation: &Operation) -> Result<Ended, WriteError> {
        match operation {
            Operation::Create { draft } => self.create(draft).await,
            Operation::Update { base, draft } => self.update(base, draft).await,
            Operation::Delete { base, leaving } => self.delete(base, leaving).await,
        }
    }

    /// What the feed has told since before the operation was begun, and where it ends; nothing without a feed.
    async fn events_since_begun(&self) -> Result<(Vec<FeedEvent>, Option<Step>), RemoteError> {
        match self.since {
            Some(since) => self.events(since).await.map(|(events, end)| (events, Some(end))),
            None => Ok((Vec::new(), None)),
        }
    }

    async fn events(&self, from: Step) -> Result<(Vec<FeedEvent>, Step), RemoteError> {
        let (mut step, mut events) = (from, Vec::new());
        loop {
            let changes = self.remote.changes(step, None).await?;
            events.extend(changes.events);
            match changes.next.filter(|next| *next > step) {
                Some(next) => step = next,
                None => return Ok((events, step)),
            }
        }
    }

    async fn update(&self, base: &Arc<Segment>, wanted: &Draft) -> Result<Ended, WriteError> {
        // Without it, a write in the same moment goes unnoticed; that is no reason not to write.
        let mark = self.events_since_begun().await.ok().and_then(|(_, end)| end);
        let (mut failures, mut doubt, mut sent) = (0, None, false);
        let mut written: Vec<Field> = Vec::new();
        let (draft, merged) = loop {
            let current = self.current(base).await.map_err(|error| in_doubt(doubt.clone(), error))?;
            let (draft, merged) = merge(base, wanted, &current)?;
            if draft.changes(&current).is_empty() {
                break (draft, merged);
            }
            if failures == 0 {
                // What is as wanted later may be so by a try that seemed to fail.
                written = draft.changes(&current);
            }
            let Err(error) = self.remote.update(&base.id, &draft).await else {
                sent = true;
                break (draft, merged);
            };
            failures += 1;
            if !waits(&error.fault, failures).await {
                match self.took_effect(&base.id, &draft).await {
                    Some(true) if error.fault.may_have_taken_effect() => break (draft, merged),
                    // There was an answer, and what it says is what is to be seen.
                    Some(false) if matches!(error.fault, Fault::Refused { .. }) => {
                        return Err(WriteError::Refused(error));
                    }
                    _ => return Err(failure(error)),
                }
            }
            doubt = error.fault.may_have_taken_effect().then_some(error).or(doubt);
        };
        sent |= failures > 0;
        let answer = self.look(&base.id).await.map_err(WriteError::InDoubt)?;
        let Some(segment) = answer.now.clone() else {
            return Err(WriteError::Conflict { theirs: None, fields: Vec::new() });
        };
        let ignored = draft.changes(&segment);
        let raced = sent && self.written_often(&base.id, mark).await;
        Ok(Ended { outcome: Outcome::Updated(Applied { segment, merged, ignored, written, raced }), answer })
    }

    /// Whether a segment was written more than once since a step of the feed.
    async fn written_often(&self, id: &SegmentId, mark: Option<Step>) -> bool {
        let Some(mark) = mark else { return false };
        match self.events(mark).await {
            Ok((events, _)) => events.iter().filter(|event| event.id == *id).count() > 1,
            Err(_) => false,
        }
    }

    async fn delete(&self, base: &Arc<Segment>, leaving: &[SegmentId]) -> Result<Ended, WriteError> {
        let (mut failures, mut doubt) = (0, None);
        loop {
            let refused = |error| in_doubt(doubt.clone(), WriteError::Refused(error));
            let (newcomers, mark) = self.newcomers(&base.id, leaving).await.map_err(refused)?;
            if !newcomers.is_empty() {
                return Err(WriteError::Grown { newcomers });
            }
            let looked = self.look(&base.id).await.map_err(refused)?;
            let Some(current) = looked.now else { return Ok(self.gone(&base.id, failures > 0, false)) };
            let fields = base.differing_fields(&current);
            if !fields.is_empty() {
                return Err(WriteError::Conflict { theirs: Some(current), fields });
            }
            let Err(error) = self.remote.delete(&base.id).await else {
                return Ok(self.gone(&base.id, true, self.changed_since(&base.id, mark).await));
            };
            failures += 1;
            if !waits(&error.fault, failures).await {
                return self.not_deleted(base, error, mark).await;
            }
            doubt = error.fault.may_have_taken_effect().then_some(error).or(doubt);
        }
    }

    /// The last try to delete something has failed.
    async fn not_deleted(
        &self,
        base: &Arc<Segment>,
        error: RemoteError,
        mark: Option<Step>,
    ) -> Result<Ended, WriteError> {
        if !error.fault.may_have_taken_effect() {
            return Err(WriteError::Refused(error));
        }
        match self.look(&base.id).await {
            Ok(answer) if answer.now.is_none() => {
                Ok(self.gone(&base.id, true, self.changed_since(&base.id, mark).await))
            }
            Ok(_) => Err(WriteError::Refused(error)),
            Err(_) => Err(WriteError::InDoubt(error)),
        }
    }

    /// Whether a segment that is gone was changed after a step of the feed.
    async fn changed_since(&self, id: &SegmentId, mark: Option<Step>) -> bool {
        let Some(mark) = mark else { return false };
        let changed = |event: &FeedEvent| event.id == *id && event.kind != FeedEventKind::Deleted;
        self.events(mark).await.is_ok_and(|(events, _)| events.iter().any(changed))
    }

    /// What the feed names, in the part of it that is not known here yet, and stands below a segment unexpectedly; and where the
    /// feed ends.
    async fn newcomers(
        &self,
        parent: &SegmentId,
        leaving: &[SegmentId],
    ) -> Result<(Vec<SegmentId>, Option<Step>), RemoteError> {
        let mut newcomers = Vec::new();
        let (events, end) = self.events_since_begun().await?;
        for event in events.into_iter().filter(|event| event.id != *parent && event.kind != FeedEventKind::Deleted) {
            if leaving.contains(&event.id) || newcomers.contains(&event.id) {
                continue;
            }
            let now = self.look(&event.id).await?.now;
            if now.is_some_and(|segment| segment.parent.as_ref() == Some(parent)) {
                newcomers.push(event.id);
            }
        }
        Ok((newcomers, end))
    }

    /// It is certain by now that it is gone, so the question counts as asked now.
    fn gone(&self, id: &SegmentId, found: bool, raced: bool) -> Ended {
        let answer = Answer { id: id.clone(), now: None, asked: self.questions.next(), mention: Mention::default() };
        Ended { outcome: Outcome::Deleted { id: id.clone(), found, raced }, answer }
    }

    /// Finds out what has become of an operation that an earlier run had sent.
    pub async fn investigate(&self, operation: &Operation) -> (Fate, Option<Answer>) {
        let found = match operation {
            Operation::Create { draft } => self.find_former(draft).await,
            Operation::Update { base, draft } => self.find_former_update(base, draft).await,
            Operation::Delete { base, .. } => match self.look(&base.id).await {
                Ok(answer) => Ok(answer.now.is_none().then(|| self.gone(&base.id, true, false))),
                Err(error) => Err(WriteError::InDoubt(error)),
            },
        };
        match found {
            Ok(Some(Ended { outcome, answer })) => (Fate::CarriedOut(outcome), Some(answer)),
            Err(WriteError::InDoubt(error) | WriteError::Refused(error)) => (Fate::Unknown(error), None),
            Ok(None) | Err(_) => (Fate::NotCarriedOut, None),
        }
    }

    /// Whether a change of an earlier run was carried out; `None` when it was not. What somebody has done since may hide it.
    async fn find_former_update(&self, base: &Arc<Segment>, draft: &Draft) -> Result<Option<Ended>, WriteError> {
        let answer = self.look(&base.id).await.map_err(WriteError::InDoubt)?;
        let written = draft.changes(base);
        if let Some(segment) = answer.now.clone().filter(|segment| carries(segment, base, draft)) {
            let applied = Applied { segment, merged: Vec::new(), ignored: Vec::new(), written, raced: false };
            return Ok(Some(Ended { outcome: Outcome::Updated(applied), answer }));
        }
        let (events, _) = self.events_since_begun().await.map_err(WriteError::InDoubt)?;
        let as_it_was =
            answer.now.is_some_and(|now| !base.differing_fields(&now).iter().any(|it| written.contains(it)));
        if as_it_was && events.iter().all(|event| event.id != base.id) {
            return Ok(None);
        }
        let fault = Fault::Unreadable { reason: "somebody has changed it since".into() };
        Err(WriteError::InDoubt(RemoteError { call: Call::Update(base.id.clone()), fault }))
    }

    async fn current(&self, base: &Segment) -> Result<Arc<Segment>, WriteError> {
        let answer = self.look(&base.id).await.map_err(WriteError::Refused)?;
        answer.now.ok_or(WriteError::Conflict { theirs: None, fields: Vec::new() })
    }

    /// Whether a segment has everything that was written; `None` when it can't be looked at.
    async fn took_effect(&self, id: &SegmentId, draft: &Draft) -> Option<bool> {
        let now = self.look(id).await.ok()?.now;
        Some(now.is_some_and(|segment| draft.changes(&segment).is_empty()))
    }

    async fn look(&self, id: &SegmentId) -> Result<Answer, RemoteError> {
        look(&*self.remote, &self.questions, id.clone(), Mention::default()).await
    }
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

/// Waits before a write is tried again. Answers whether it is to be, which it is after another look only.
async fn waits(fault: &Fault, failures: u32) -> bool {
    let asked = fault.retry_after().unwrap_or_default();
    if failures >= TRIES || !fault.is_transient() || asked > LONGEST_ASKED_WAIT {
        return false;
    }
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
