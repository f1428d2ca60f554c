//! Creates a segment exactly once.
//!
//! A create that may have reached the server is never resent automatically. Its result is searched for: in the feed from just
//! before it was sent, whichever contexts the profile follows, and among the segments that are new since. A segment with that
//! name, external id and parent is the result. One that someone has changed in the meantime can't be told from another that
//! looks much like it, so a person is asked. Finding nothing proves nothing, since a feed may lag.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;
use tokio::time::{Instant, sleep};

use crate::changes::{RecoveredState, Resend, WriteError, WriteResult, Written};
use crate::remote::{Call, Fault, FeedEvent, FeedEventKind, Remote, RemoteError};
use crate::segment::{Draft, Field, Segment, SegmentId};
use crate::sync::hearing::Heard;
use crate::sync::message::FeedSource;
use crate::sync::report::{Claim, Report};
use crate::sync::segment_cache::Fetched;

use super::{Ended, Stop, Writer, is_of_the_network};

/// What was found of a create on the server.
#[derive(Debug)]
enum CreateMatch {
    /// The segment that it created.
    Exact(Arc<Segment>),
    /// A segment that it may have created.
    Similar(Arc<Segment>),
    None,
}

/// Pause between two searches for a create whose response was lost, and between two reads of a new segment.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long to search for a create of an earlier session before anything else is written: it was sent longer ago than one of
/// this session. The search can be repeated later.
const RECOVERY: Duration = Duration::from_secs(3);
/// Parts of the feed that one search reads. Later parts are left to the next search, or to the new segments.
const PARTS: u32 = 50;
/// Segments that one search fetches.
const CANDIDATES: usize = 500;

impl<R: Remote> Writer<R> {
    pub(super) async fn create(&mut self, draft: &Draft) -> Result<Ended, Stop> {
        if let Some(evidence) = &self.evidence {
            if let Some(id) = evidence.adopted.clone() {
                return self.adopted(&id, draft).await;
            }
            let resend = evidence.resend;
            match self.trace(draft).await {
                Ok(CreateMatch::Exact(segment)) => return self.made(&segment, draft).await,
                Ok(CreateMatch::Similar(theirs)) => return Err(WriteError::PossibleDuplicate { theirs }.into()),
                Ok(CreateMatch::None) if resend == Resend::Listed => {}
                Ok(CreateMatch::None) => return Err(WriteError::InDoubt(not_found(draft)).into()),
                Err(error) if error.fault.is_transient() => return Err(self.unreached(error, true)),
                Err(error) => return Err(WriteError::InDoubt(error).into()),
            }
        }
        let call = Call::Create(draft.name.as_str().into());
        match self.asking(call, self.remote.create(draft)).await {
            Ok(id) => self.answered(&id, draft).await,
            Err(error) if error.fault.may_have_taken_effect() => {
                match self.search(draft, self.create_confirm_timeout).await {
                    Ok(CreateMatch::Exact(segment)) => self.made(&segment, draft).await,
                    Ok(CreateMatch::Similar(theirs)) => Err(WriteError::PossibleDuplicate { theirs }.into()),
                    // The search is repeated when the server is back.
                    Err(lost) if lost.fault.is_transient() => Err(self.unreached(error, true)),
                    Ok(CreateMatch::None) | Err(_) => Err(WriteError::InDoubt(error).into()),
                }
            }
            Err(error) if matches!(error.fault, Fault::Unreachable { .. }) => Err(self.unreached(error, false)),
            Err(error) => Err(WriteError::Refused(error).into()),
        }
    }

    /// Completes a create that the server answered with an id, which may be that of a segment that existed before.
    async fn answered(&mut self, id: &SegmentId, draft: &Draft) -> Result<Ended, Stop> {
        let before = self.reporter.ask(|reply| Report::Made { id: id.clone(), reply }).await.flatten();
        let ended = self.created(id, draft).await?;
        Ok(match (before, ended.outcome) {
            (Some(_), WriteResult::Created(applied)) => {
                Ended { outcome: WriteResult::Created(Written { existed: true, ..applied }), ..ended }
            }
            (_, outcome) => Ended { outcome, ..ended },
        })
    }

    /// Reads back a created segment. The create is known to be applied, so it must not be repeated because the segment can't
    /// be read.
    async fn created(&mut self, id: &SegmentId, draft: &Draft) -> Result<Ended, Stop> {
        let until = Instant::now() + self.create_confirm_timeout;
        let answer = loop {
            let looked = self.fetch(id).await;
            let late = Instant::now() >= until;
            match looked {
                Ok(answer) if answer.now.is_some() || late => break answer,
                Err(_) if late => {
                    let now = Some(Arc::new(draft.clone().into_segment(id.clone())));
                    let asked = self.questions.next();
                    break Fetched { id: id.clone(), now, asked, mention: FeedSource::default() };
                }
                Ok(_) | Err(_) => sleep(LOOK_AGAIN).await,
            }
        };
        let Some(segment) = answer.now.clone() else {
            // Someone has deleted it since.
            return Err(WriteError::InDoubt(unreadable(draft, "it was created and then deleted")).into());
        };
        let (mut merged, mut ignored) = (Vec::new(), draft.changes(&segment));
        if !ignored.is_empty() && self.catch_up_on_new(id).await {
            // The server did not ignore the fields; someone else changed them.
            std::mem::swap(&mut merged, &mut ignored);
        }
        let applied =
            Written { segment, merged, ignored, written: Vec::new(), concurrent_write: false, existed: false };
        Ok(Ended { outcome: WriteResult::Created(applied), answer })
    }

    /// Whether someone else has written a new segment.
    async fn catch_up_on_new(&self, id: &SegmentId) -> bool {
        self.namings_since(id, Some(Heard::default()), 1).await.someone_else
    }

    /// Completes a create whose result was found. The draft may have changed since it was sent.
    async fn made(&mut self, segment: &Arc<Segment>, draft: &Draft) -> Result<Ended, Stop> {
        if is_made_from(segment, draft) {
            return self.created(&segment.id, draft).await;
        }
        let ended = self.update(segment, draft).await?;
        Ok(match ended.outcome {
            WriteResult::Updated(applied) => Ended { outcome: WriteResult::Created(applied), ..ended },
            WriteResult::Created(_) | WriteResult::Deleted { .. } => ended,
        })
    }

    /// Completes a create with the segment that a person identified as its result. The segment stays as it is.
    async fn adopted(&mut self, id: &SegmentId, draft: &Draft) -> Result<Ended, Stop> {
        let answer = match self.fetch(id).await {
            Ok(answer) => answer,
            Err(error) if is_of_the_network(&error.fault) => return Err(self.unreached(error, true)),
            Err(error) => return Err(WriteError::InDoubt(error).into()),
        };
        let Some(segment) = answer.now.clone() else {
            return Err(WriteError::InDoubt(unreadable(draft, "the segment that matched it is gone")).into());
        };
        let merged = draft.changes(&segment);
        let (ignored, written) = (Vec::new(), Vec::new());
        let applied = Written { segment, merged, ignored, written, concurrent_write: false, existed: false };
        Ok(Ended { outcome: WriteResult::Created(applied), answer })
    }

    /// Repeats the search for a while. Returns the result or the error of the last one.
    async fn search(&mut self, draft: &Draft, patience: Duration) -> Result<CreateMatch, RemoteError> {
        let until = Instant::now() + patience;
        loop {
            // A server that can't be reached is retried, like one that has nothing to report yet.
            let found = self.trace(draft).await;
            if Instant::now() >= until || matches!(found, Ok(CreateMatch::Exact(_))) {
                return found;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Searches once for the segment that a create has made.
    async fn trace(&mut self, draft: &Draft) -> Result<CreateMatch, RemoteError> {
        let former = self.evidence.iter().flat_map(|evidence| evidence.drafts.iter().cloned());
        let drafts: Vec<Draft> = former.chain([draft.clone()]).collect();
        let told = self.evidence.as_ref().map_or(Vec::new(), |evidence| evidence.told.clone());
        let mut trace = CreateMatch::None;
        for (id, kind) in self.candidates(&drafts).await? {
            let answer = self.fetch(&id).await?;
            let Some(candidate) = answer.now.clone() else { continue };
            self.learnt.push(answer);
            if drafts.iter().any(|draft| is_made_from(&candidate, draft)) {
                if self.claim(&id, kind, true).await {
                    return Ok(CreateMatch::Exact(candidate));
                }
            } else if matches!(trace, CreateMatch::None)
                && !told.contains(&id)
                && drafts.iter().any(|draft| is_like(&candidate, draft))
                && self.claim(&id, kind, false).await
            {
                trace = CreateMatch::Similar(candidate);
            }
        }
        Ok(trace)
    }

    /// Returns segments that may be the result: known lookalikes, then what the feed names since before the create was sent.
    async fn candidates(&self, drafts: &[Draft]) -> Result<Vec<(SegmentId, Option<FeedEventKind>)>, RemoteError> {
        let (op, drafts) = (self.op, drafts.to_vec());
        let known = self.reporter.ask(|reply| Report::Sought { op, drafts, reply }).await.unwrap_or_default();
        let mut candidates: Vec<_> = known.into_iter().map(|id| (id, None)).collect();
        let Some(mut step) = self.evidence.as_ref().map_or(self.since, |evidence| evidence.since) else {
            return Ok(candidates);
        };
        let mut named: HashSet<SegmentId> = candidates.iter().map(|(id, _)| id.clone()).collect();
        for _ in 0..PARTS {
            let changes = self.remote.changes_by_anybody(step).await?;
            for FeedEvent { id, kind } in changes.events {
                if kind != FeedEventKind::Deleted && candidates.len() < CANDIDATES && named.insert(id.clone()) {
                    candidates.push((id, Some(kind)));
                }
            }
            match changes.next.filter(|next| *next > step) {
                Some(next) => step = next,
                None => break,
            }
        }
        Ok(candidates)
    }

    /// Whether a segment may be the result: it is new, and no other operation has created it.
    async fn claim(&self, id: &SegmentId, kind: Option<FeedEventKind>, firm: bool) -> bool {
        let claim = Claim { op: self.op, id: id.clone(), kind, doubted: self.evidence.is_some(), firm };
        self.reporter.ask(|reply| Report::Claimed { claim, reply }).await.unwrap_or(false)
    }

    /// Finds out what became of a create that an earlier session sent.
    pub(super) async fn find_former(&mut self, draft: &Draft) -> Result<Ended, RecoveredState> {
        match self.search(draft, self.create_confirm_timeout.min(RECOVERY)).await.map_err(RecoveredState::Unknown)? {
            CreateMatch::Exact(segment) => match self.created(&segment.id, draft).await {
                Ok(ended) => Ok(ended),
                Err(Stop::Failed(WriteError::InDoubt(error)) | Stop::Unreached { error, .. }) => {
                    Err(RecoveredState::Unknown(error))
                }
                Err(Stop::Failed(_)) => Err(RecoveredState::NotFound),
            },
            CreateMatch::Similar(theirs) => {
                let reason = format!("“{}” appeared since and may be the result", theirs.name);
                Err(RecoveredState::Unknown(unreadable(draft, &reason)))
            }
            CreateMatch::None => Err(RecoveredState::NotFound),
        }
    }
}

/// Returns the error for a create of which no trace was found so far.
pub(in crate::sync) fn not_found(draft: &Draft) -> RemoteError {
    unreadable(draft, "no response came, and it was not found on the server so far")
}

fn unreadable(draft: &Draft, reason: &str) -> RemoteError {
    RemoteError {
        call: Call::Create(draft.name.as_str().into()),
        fault: Fault::InvalidResponse { reason: reason.into() },
    }
}

/// Whether a segment is exactly what a draft would have created.
pub(in crate::sync) fn is_made_from(segment: &Segment, draft: &Draft) -> bool {
    draft.changes(segment).is_empty()
}

/// Whether a segment may be the result of a draft that someone has changed since.
pub(in crate::sync) fn is_like(segment: &Segment, draft: &Draft) -> bool {
    let unlike = draft.changes(segment);
    let same_external_id = draft.external_id.is_some() && !unlike.contains(&Field::ExternalId);
    same_external_id || !unlike.contains(&Field::Name)
}
