//! Carrying out one plan: look, compare with what the person saw, write, and look again.
//!
//! The API knows no versions, so before a PUT or a DELETE the segment is read and compared with what the person saw. What
//! somebody else changed in other fields is kept; a field that both changed is a conflict, and nothing is sent. A create whose
//! answer was lost is never repeated: the feed since just before tells whether it was carried out.

use std::sync::Arc;
use std::time::Duration;

use crate::plan::{Operation, Plan};
use crate::remote::{Call, Fault, FeedEventKind, Remote, RemoteError};
use crate::segment::{Draft, Field, Segment, SegmentId, Step};

use super::ledger::{Answer, Questions};
use super::look::look;
use super::message::{Applied, Mention, Outcome, Ticket, WriteError};
use super::report::{Report, Reporter};

/// What it takes to carry out a plan.
#[derive(Debug)]
pub(super) struct Writer<R> {
    pub remote: Arc<R>,
    pub questions: Questions,
    /// A step of the feed before anything was written; `None` without a feed.
    pub since: Option<Step>,
    /// How long the fate of a create is looked for.
    pub grace: Duration,
}

/// What an operation came to, and what was learnt of the segment by it.
#[derive(Debug)]
pub(super) struct Ended {
    pub outcome: Outcome,
    pub answer: Answer,
}

/// The pause between two looks for a create whose answer was lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl<R: Remote> Writer<R> {
    /// Carries out the operations in their order, up to the first that fails.
    pub async fn carry_out(&self, ticket: Ticket, plan: &Plan, reporter: &Reporter) -> Result<(), (usize, WriteError)> {
        for (index, operation) in plan.operations.iter().enumerate() {
            let ended = match operation {
                Operation::Create { draft } => self.create(draft).await,
                Operation::Update { base, draft } => self.update(base, draft).await,
                Operation::Delete { base } => self.delete(base).await,
            };
            let ended = ended.map_err(|error| (index, error))?;
            reporter.tell(Report::OperationEnded { ticket, index, ended }).await;
        }
        Ok(())
    }

    async fn create(&self, draft: &Draft) -> Result<Ended, WriteError> {
        let id = match self.remote.create(draft).await {
            Ok(id) => id,
            Err(error) if error.fault.may_have_taken_effect() => self.find_created(draft, error).await?,
            Err(error) => return Err(WriteError::Refused(error)),
        };
        let answer = self.look(&id).await.map_err(WriteError::InDoubt)?;
        let Some(segment) = answer.now.clone() else {
            // Somebody deleted it within the moment it existed.
            let call = Call::Create(draft.name.as_str().into());
            let fault = Fault::Unreadable { reason: "it was created and is gone again".into() };
            return Err(WriteError::InDoubt(RemoteError { call, fault }));
        };
        let ignored = draft.changes(&segment);
        Ok(Ended { outcome: Outcome::Created(Applied { segment, merged: Vec::new(), ignored }), answer })
    }

    /// Looks in the feed for the segment that a lost create may have made.
    async fn find_created(&self, draft: &Draft, lost: RemoteError) -> Result<SegmentId, WriteError> {
        let Some(mut step) = self.since else { return Err(WriteError::InDoubt(lost)) };
        let until = tokio::time::Instant::now() + self.grace;
        loop {
            // A feed that can't be read at the moment is asked again like one that has nothing to tell yet.
            while let Ok(changes) = self.remote.changes(step, None).await {
                for event in changes.events.iter().filter(|event| event.kind != FeedEventKind::Deleted) {
                    let candidate = self.look(&event.id).await.ok().and_then(|answer| answer.now);
                    if candidate.is_some_and(|segment| is_made_from(&segment, draft)) {
                        return Ok(event.id.clone());
                    }
                }
                match changes.next.filter(|next| *next > step) {
                    Some(next) => step = next,
                    None => break,
                }
            }
            if tokio::time::Instant::now() >= until {
                return Err(WriteError::InDoubt(lost));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn update(&self, base: &Arc<Segment>, wanted: &Draft) -> Result<Ended, WriteError> {
        let current = self.current(base).await?;
        let (draft, merged) = merge(base, wanted, &current)?;
        if !draft.changes(&current).is_empty()
            && let Err(error) = self.remote.update(&base.id, &draft).await
            && !(error.fault.may_have_taken_effect() && self.took_effect(&base.id, &draft).await)
        {
            return Err(failure(error));
        }
        let answer = self.look(&base.id).await.map_err(WriteError::InDoubt)?;
        let Some(segment) = answer.now.clone() else {
            return Err(WriteError::Conflict { theirs: None, fields: Vec::new() });
        };
        let ignored = draft.changes(&segment);
        Ok(Ended { outcome: Outcome::Updated(Applied { segment, merged, ignored }), answer })
    }

    async fn delete(&self, base: &Arc<Segment>) -> Result<Ended, WriteError> {
        let answer = self.look(&base.id).await.map_err(WriteError::Refused)?;
        let Some(current) = answer.now else { return Ok(self.gone(&base.id)) };
        let fields = base.differing_fields(&current);
        if !fields.is_empty() {
            return Err(WriteError::Conflict { theirs: Some(current), fields });
        }
        match self.remote.delete(&base.id).await {
            Ok(()) => Ok(self.gone(&base.id)),
            Err(error) if error.fault.may_have_taken_effect() => match self.look(&base.id).await {
                Ok(answer) if answer.now.is_none() => Ok(self.gone(&base.id)),
                Ok(_) => Err(WriteError::Refused(error)),
                Err(_) => Err(WriteError::InDoubt(error)),
            },
            Err(error) => Err(WriteError::Refused(error)),
        }
    }

    /// It is certain by now that it is gone, so the question counts as asked now.
    fn gone(&self, id: &SegmentId) -> Ended {
        let answer = Answer { id: id.clone(), now: None, asked: self.questions.next(), mention: Mention::default() };
        Ended { outcome: Outcome::Deleted(id.clone()), answer }
    }

    async fn current(&self, base: &Segment) -> Result<Arc<Segment>, WriteError> {
        let answer = self.look(&base.id).await.map_err(WriteError::Refused)?;
        answer.now.ok_or(WriteError::Conflict { theirs: None, fields: Vec::new() })
    }

    async fn took_effect(&self, id: &SegmentId, draft: &Draft) -> bool {
        let now = self.look(id).await.ok().and_then(|answer| answer.now);
        now.is_some_and(|segment| draft.changes(&segment).is_empty())
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
    let both: Vec<Field> =
        mine.iter().copied().filter(|field| theirs.contains(field) && differs_still.contains(field)).collect();
    if !both.is_empty() {
        return Err(WriteError::Conflict { theirs: Some(Arc::new(current.clone())), fields: both });
    }
    let kept: Vec<Field> = Field::ALL.into_iter().filter(|field| !mine.contains(field)).collect();
    let merged = theirs.into_iter().filter(|field| kept.contains(field)).collect();
    Ok((wanted.clone().with_fields_of(current, &kept), merged))
}

/// Without an answer it is not known what became of it.
fn failure(error: RemoteError) -> WriteError {
    if error.fault.may_have_taken_effect() { WriteError::InDoubt(error) } else { WriteError::Refused(error) }
}

fn is_made_from(segment: &Segment, draft: &Draft) -> bool {
    draft.changes(segment).is_empty()
}
