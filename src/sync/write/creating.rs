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
use crate::sync::hearing::EventMark;
use crate::sync::message::FeedSource;
use crate::sync::report::{Claim, Report};
use crate::sync::segment_cache::Fetched;

use super::{WriteFailure, WriteSuccess, Writer, is_network_fault};

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
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);
/// How long to search for a create of an earlier session before anything else is written: it was sent longer ago than one of
/// this session. The search can be repeated later.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(3);
/// Parts of the feed that one search reads. Later parts are left to the next search, or to the new segments.
const MAX_FEED_PARTS: u32 = 50;
/// Segments that one search fetches.
const MAX_CANDIDATES: usize = 500;

impl<R: Remote> Writer<R> {
    pub(super) async fn create(&mut self, draft: &Draft) -> Result<WriteSuccess, WriteFailure> {
        if let Some(evidence) = &self.evidence {
            if let Some(id) = evidence.adopted.clone() {
                return self.complete_adopted(&id, draft).await;
            }
            let resend = evidence.resend;
            match self.find_match(draft).await {
                Ok(CreateMatch::Exact(segment)) => return self.complete_found(&segment, draft).await,
                Ok(CreateMatch::Similar(theirs)) => return Err(WriteError::PossibleDuplicate { theirs }.into()),
                Ok(CreateMatch::None) if resend == Resend::Listed => {}
                Ok(CreateMatch::None) => return Err(WriteError::InDoubt(not_found(draft)).into()),
                Err(error) if error.fault.is_transient() => return Err(self.unreached(error, true)),
                Err(error) => return Err(WriteError::InDoubt(error).into()),
            }
        }
        let call = Call::Create(draft.name.as_str().into());
        match self.send_tracked(call, self.remote.create(draft)).await {
            Ok(id) => self.complete_answered(&id, draft).await,
            Err(error) if error.fault.may_have_taken_effect() => {
                match self.search(draft, self.create_confirm_timeout).await {
                    Ok(CreateMatch::Exact(segment)) => self.complete_found(&segment, draft).await,
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
    async fn complete_answered(&mut self, id: &SegmentId, draft: &Draft) -> Result<WriteSuccess, WriteFailure> {
        let before = self.reporter.request(|reply| Report::CheckExisting { id: id.clone(), reply }).await.flatten();
        let success = self.read_back_created(id, draft).await?;
        Ok(match (before, success.outcome) {
            (Some(_), WriteResult::Created(applied)) => {
                WriteSuccess { outcome: WriteResult::Created(Written { existed: true, ..applied }), ..success }
            }
            (_, outcome) => WriteSuccess { outcome, ..success },
        })
    }

    /// Reads back a created segment. The create is known to be applied, so it must not be repeated because the segment can't
    /// be read.
    async fn read_back_created(&mut self, id: &SegmentId, draft: &Draft) -> Result<WriteSuccess, WriteFailure> {
        let deadline = Instant::now() + self.create_confirm_timeout;
        let response = loop {
            let read = self.fetch(id).await;
            let is_late = Instant::now() >= deadline;
            match read {
                Ok(response) if response.now.is_some() || is_late => break response,
                Err(_) if is_late => {
                    let now = Some(Arc::new(draft.clone().into_segment(id.clone())));
                    let seq = self.sequence.next();
                    break Fetched { id: id.clone(), now, seq, feed_source: FeedSource::default() };
                }
                Ok(_) | Err(_) => sleep(SEARCH_INTERVAL).await,
            }
        };
        let Some(segment) = response.now.clone() else {
            // Someone has deleted it since.
            return Err(WriteError::InDoubt(invalid_response(draft, "it was created and then deleted")).into());
        };
        let (mut merged, mut ignored) = (Vec::new(), draft.changes(&segment));
        if !ignored.is_empty() && self.was_written_by_others(id).await {
            // The server did not ignore the fields; someone else changed them.
            std::mem::swap(&mut merged, &mut ignored);
        }
        let applied =
            Written { segment, merged, ignored, written: Vec::new(), concurrent_write: false, existed: false };
        Ok(WriteSuccess { outcome: WriteResult::Created(applied), response })
    }

    /// Whether someone else has written a new segment.
    async fn was_written_by_others(&self, id: &SegmentId) -> bool {
        self.events_since(id, Some(EventMark::default()), 1).await.has_other_writer
    }

    /// Completes a create whose result was found. The draft may have changed since it was sent.
    async fn complete_found(&mut self, segment: &Arc<Segment>, draft: &Draft) -> Result<WriteSuccess, WriteFailure> {
        if matches_draft(segment, draft) {
            return self.read_back_created(&segment.id, draft).await;
        }
        let success = self.update(segment, draft).await?;
        Ok(match success.outcome {
            WriteResult::Updated(applied) => WriteSuccess { outcome: WriteResult::Created(applied), ..success },
            WriteResult::Created(_) | WriteResult::Deleted { .. } => success,
        })
    }

    /// Completes a create with the segment that a person identified as its result. The segment stays as it is.
    async fn complete_adopted(&mut self, id: &SegmentId, draft: &Draft) -> Result<WriteSuccess, WriteFailure> {
        let response = match self.fetch(id).await {
            Ok(response) => response,
            Err(error) if is_network_fault(&error.fault) => return Err(self.unreached(error, true)),
            Err(error) => return Err(WriteError::InDoubt(error).into()),
        };
        let Some(segment) = response.now.clone() else {
            return Err(WriteError::InDoubt(invalid_response(draft, "the segment that matched it is gone")).into());
        };
        let merged = draft.changes(&segment);
        let (ignored, written) = (Vec::new(), Vec::new());
        let applied = Written { segment, merged, ignored, written, concurrent_write: false, existed: false };
        Ok(WriteSuccess { outcome: WriteResult::Created(applied), response })
    }

    /// Repeats the search for a while. Returns the result or the error of the last one.
    async fn search(&mut self, draft: &Draft, timeout: Duration) -> Result<CreateMatch, RemoteError> {
        let deadline = Instant::now() + timeout;
        loop {
            // A server that can't be reached is retried, like one that has nothing to report yet.
            let found = self.find_match(draft).await;
            if Instant::now() >= deadline || matches!(found, Ok(CreateMatch::Exact(_))) {
                return found;
            }
            sleep(SEARCH_INTERVAL).await;
        }
    }

    /// Searches once for the segment that a create has made.
    async fn find_match(&mut self, draft: &Draft) -> Result<CreateMatch, RemoteError> {
        let earlier_drafts = self.evidence.iter().flat_map(|evidence| evidence.drafts.iter().cloned());
        let drafts: Vec<Draft> = earlier_drafts.chain([draft.clone()]).collect();
        let reported = self.evidence.as_ref().map_or(Vec::new(), |evidence| evidence.reported.clone());
        let mut best_match = CreateMatch::None;
        for (id, kind) in self.candidates(&drafts).await? {
            let response = self.fetch(&id).await?;
            let Some(candidate) = response.now.clone() else { continue };
            self.fetched.push(response);
            if drafts.iter().any(|draft| matches_draft(&candidate, draft)) {
                if self.claim(&id, kind, true).await {
                    return Ok(CreateMatch::Exact(candidate));
                }
            } else if matches!(best_match, CreateMatch::None)
                && !reported.contains(&id)
                && drafts.iter().any(|draft| resembles_draft(&candidate, draft))
                && self.claim(&id, kind, false).await
            {
                best_match = CreateMatch::Similar(candidate);
            }
        }
        Ok(best_match)
    }

    /// Returns segments that may be the result: known lookalikes, then what the feed names since before the create was sent.
    async fn candidates(&self, drafts: &[Draft]) -> Result<Vec<(SegmentId, Option<FeedEventKind>)>, RemoteError> {
        let (op, drafts) = (self.op, drafts.to_vec());
        let known =
            self.reporter.request(|reply| Report::FindCandidates { op, drafts, reply }).await.unwrap_or_default();
        let mut candidates: Vec<_> = known.into_iter().map(|id| (id, None)).collect();
        let Some(mut step) = self.evidence.as_ref().map_or(self.since, |evidence| evidence.since) else {
            return Ok(candidates);
        };
        let mut named: HashSet<SegmentId> = candidates.iter().map(|(id, _)| id.clone()).collect();
        for _ in 0..MAX_FEED_PARTS {
            let changes = self.remote.changes_by_anybody(step).await?;
            for FeedEvent { id, kind } in changes.events {
                if kind != FeedEventKind::Deleted && candidates.len() < MAX_CANDIDATES && named.insert(id.clone()) {
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
    async fn claim(&self, id: &SegmentId, kind: Option<FeedEventKind>, is_exact: bool) -> bool {
        let claim = Claim { op: self.op, id: id.clone(), kind, was_sent: self.evidence.is_some(), is_exact };
        self.reporter.request(|reply| Report::Claim { claim, reply }).await.unwrap_or(false)
    }

    /// Finds out what became of a create that an earlier session sent.
    pub(super) async fn recover_create(&mut self, draft: &Draft) -> Result<WriteSuccess, RecoveredState> {
        match self
            .search(draft, self.create_confirm_timeout.min(RECOVERY_TIMEOUT))
            .await
            .map_err(RecoveredState::Unknown)?
        {
            CreateMatch::Exact(segment) => match self.read_back_created(&segment.id, draft).await {
                Ok(success) => Ok(success),
                Err(WriteFailure::Failed(WriteError::InDoubt(error)) | WriteFailure::Unreached { error, .. }) => {
                    Err(RecoveredState::Unknown(error))
                }
                Err(WriteFailure::Failed(_)) => Err(RecoveredState::NotFound),
            },
            CreateMatch::Similar(theirs) => {
                let reason = format!("“{}” appeared since and may be the result", theirs.name);
                Err(RecoveredState::Unknown(invalid_response(draft, &reason)))
            }
            CreateMatch::None => Err(RecoveredState::NotFound),
        }
    }
}

/// Returns the error for a create of which no trace was found so far.
pub(in crate::sync) fn not_found(draft: &Draft) -> RemoteError {
    invalid_response(draft, "no response came, and it was not found on the server so far")
}

fn invalid_response(draft: &Draft, reason: &str) -> RemoteError {
    RemoteError {
        call: Call::Create(draft.name.as_str().into()),
        fault: Fault::InvalidResponse { reason: reason.into() },
    }
}

/// Whether a segment is exactly what a draft would have created.
pub(in crate::sync) fn matches_draft(segment: &Segment, draft: &Draft) -> bool {
    draft.changes(segment).is_empty()
}

/// Whether a segment may be the result of a draft that someone has changed since.
pub(in crate::sync) fn resembles_draft(segment: &Segment, draft: &Draft) -> bool {
    let differing = draft.changes(segment);
    let same_external_id = draft.external_id.is_some() && !differing.contains(&Field::ExternalId);
    same_external_id || !differing.contains(&Field::Name)
}
