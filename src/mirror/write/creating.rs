//! Creating a segment, once.
//!
//! A create whose answer was lost is never repeated before the feed was read from just before it on: a new segment with that
//! name, external id and parent is the one. One that somebody has changed within that moment can't be told from another that
//! looks much like it, so a person is asked about it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::mirror::ledger::Answer;
use crate::mirror::message::{Applied, Mention, Outcome, WriteError};
use crate::mirror::report::{Claim, Report};
use crate::remote::{Call, Fault, FeedEvent, FeedEventKind, Remote, RemoteError};
use crate::segment::{Draft, Field, Segment, SegmentId, Step};

use super::{Ended, Writer};

/// That a create was sent, and may have been carried out.
#[derive(Debug, Clone, Default)]
pub(in crate::mirror) struct Doubt {
    /// A step of the feed from before it was sent first; `None` without a feed.
    pub since: Option<Step>,
    /// What was sent; more than one when it was amended between.
    pub drafts: Vec<Draft>,
    /// Segments that look like it, and that a person knows of.
    pub told: Vec<SegmentId>,
    /// The segment that a person takes for it.
    pub adopted: Option<SegmentId>,
}

/// What there is of a create in the feed.
#[derive(Debug)]
enum Trace {
    /// The segment that it made.
    Made(Arc<Segment>),
    /// A segment that it may have made.
    Alike(Arc<Segment>),
    Nothing,
}

/// The pause between two looks for a create whose answer was lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long the fate of a create of an earlier run is looked for: it was sent longer ago than one of this run.
const RECOVERY: Duration = Duration::from_secs(3);

impl<R: Remote> Writer<R> {
    pub(super) async fn create(&self, draft: &Draft) -> Result<Ended, WriteError> {
        if let Some(doubt) = &self.doubt {
            if let Some(id) = &doubt.adopted {
                return self.adopted(id, draft).await;
            }
            match self.trace(draft).await.map_err(WriteError::InDoubt)? {
                Trace::Made(segment) => return self.made(&segment, draft).await,
                Trace::Alike(theirs) => return Err(WriteError::Lookalike { theirs }),
                Trace::Nothing => {}
            }
        }
        match self.remote.create(draft).await {
            Ok(id) => self.created(&id, draft).await,
            Err(error) if error.fault.may_have_taken_effect() => match self.search(draft, self.grace).await {
                Ok(Trace::Made(segment)) => self.made(&segment, draft).await,
                Ok(Trace::Alike(theirs)) => Err(WriteError::Lookalike { theirs }),
                Ok(Trace::Nothing) | Err(_) => Err(WriteError::InDoubt(error)),
            },
            Err(error) => Err(WriteError::Refused(error)),
        }
    }

    /// What a create came to. That it was carried out is certain, so it is never to be repeated because it can't be looked at.
    async fn created(&self, id: &SegmentId, draft: &Draft) -> Result<Ended, WriteError> {
        let until = tokio::time::Instant::now() + self.grace;
        let answer = loop {
            let looked = self.look(id).await;
            let late = tokio::time::Instant::now() >= until;
            match looked {
                Ok(answer) if answer.now.is_some() || late => break answer,
                Err(_) if late => {
                    let now = Some(Arc::new(draft.clone().into_segment(id.clone())));
                    let asked = self.questions.next();
                    break Answer { id: id.clone(), now, asked, mention: Mention::default() };
                }
                Ok(_) | Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        };
        let Some(segment) = answer.now.clone() else {
            // Somebody deleted it within the moment it existed.
            return Err(WriteError::InDoubt(unreadable(draft, "it was created and is gone again")));
        };
        let (mut merged, mut ignored) = (Vec::new(), draft.changes(&segment));
        if !ignored.is_empty() && self.written_often(id, self.since).await {
            // It was not the server that had it otherwise.
            std::mem::swap(&mut merged, &mut ignored);
        }
        let applied = Applied { segment, merged, ignored, written: Vec::new(), raced: false };
        Ok(Ended { outcome: Outcome::Created(applied), answer })
    }

    /// What was sent has made a segment. What is wanted by now may be more than that.
    async fn made(&self, segment: &Arc<Segment>, draft: &Draft) -> Result<Ended, WriteError> {
        if is_made_from(segment, draft) {
            return self.created(&segment.id, draft).await;
        }
        let ended = self.update(segment, draft).await?;
        Ok(match ended.outcome {
            Outcome::Updated(applied) => Ended { outcome: Outcome::Created(applied), ..ended },
            Outcome::Created(_) | Outcome::Deleted { .. } => ended,
        })
    }

    /// A person takes a segment for the one that was made. It stays as it is.
    async fn adopted(&self, id: &SegmentId, draft: &Draft) -> Result<Ended, WriteError> {
        let answer = self.look(id).await.map_err(WriteError::InDoubt)?;
        let Some(segment) = answer.now.clone() else {
            return Err(WriteError::InDoubt(unreadable(draft, "the segment that was taken for it is gone")));
        };
        let merged = draft.changes(&segment);
        let applied = Applied { segment, merged, ignored: Vec::new(), written: Vec::new(), raced: false };
        Ok(Ended { outcome: Outcome::Created(applied), answer })
    }

    /// Looks in the feed again and again for a while. An error is that of the last look.
    async fn search(&self, draft: &Draft, patience: Duration) -> Result<Trace, RemoteError> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            // A feed that can't be read at the moment is asked again like one that has nothing to tell yet.
            let found = self.trace(draft).await;
            let over = self.since.is_none() || tokio::time::Instant::now() >= until;
            if over || matches!(found, Ok(Trace::Made(_))) {
                return found;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Looks in the feed for a segment that an operation has made.
    async fn trace(&self, draft: &Draft) -> Result<Trace, RemoteError> {
        let former = self.doubt.iter().flat_map(|doubt| &doubt.drafts);
        let drafts: Vec<&Draft> = former.chain([draft]).collect();
        let told = self.doubt.as_ref().map_or(&[][..], |doubt| &doubt.told);
        let mut trace = Trace::Nothing;
        for event in self.events_since_begun().await?.0 {
            if event.kind == FeedEventKind::Deleted {
                continue;
            }
            let Some(candidate) = self.look(&event.id).await?.now else { continue };
            if drafts.iter().any(|draft| is_made_from(&candidate, draft)) {
                if self.claim(&event, true).await {
                    return Ok(Trace::Made(candidate));
                }
            } else if matches!(trace, Trace::Nothing)
                && !told.contains(&event.id)
                && drafts.iter().any(|draft| is_like(&candidate, draft))
                && self.claim(&event, false).await
            {
                trace = Trace::Alike(candidate);
            }
        }
        Ok(trace)
    }

    /// Whether a segment may be the one that an operation has made: it is new, and no other operation has made it.
    async fn claim(&self, event: &FeedEvent, firm: bool) -> bool {
        let (reply, answer) = oneshot::channel();
        let (id, kind) = (event.id.clone(), event.kind);
        let claim = Claim { which: self.which, id, kind, doubted: self.doubt.is_some(), firm };
        self.reporter.tell(Report::Claimed { claim, reply }).await;
        answer.await.unwrap_or(false)
    }

    /// What has become of a create that an earlier run had sent; `None` when nothing has.
    pub(super) async fn find_former(&self, draft: &Draft) -> Result<Option<Ended>, WriteError> {
        if self.since.is_none() {
            return Err(WriteError::InDoubt(unreadable(draft, "there was no feed to find it by")));
        }
        match self.search(draft, self.grace.min(RECOVERY)).await.map_err(WriteError::InDoubt)? {
            Trace::Made(segment) => self.created(&segment.id, draft).await.map(Some),
            Trace::Alike(theirs) => {
                let reason = format!("“{}”, which has appeared since, may be it", theirs.name);
                Err(WriteError::InDoubt(unreadable(draft, &reason)))
            }
            Trace::Nothing => Ok(None),
        }
    }
}

fn unreadable(draft: &Draft, reason: &str) -> RemoteError {
    RemoteError { call: Call::Create(draft.name.as_str().into()), fault: Fault::Unreadable { reason: reason.into() } }
}

fn is_made_from(segment: &Segment, draft: &Draft) -> bool {
    draft.changes(segment).is_empty()
}

/// Whether somebody may have made a segment what it is from what a draft would have made.
fn is_like(segment: &Segment, draft: &Draft) -> bool {
    let unlike = draft.changes(segment);
    let same_external_id = draft.external_id.is_some() && !unlike.contains(&Field::ExternalId);
    same_external_id || !unlike.contains(&Field::Name)
}
