//! Evidence for operations that were sent and may have been applied: recorded before they are sent, searched for when the
//! response is lost.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::changes::{Evidence, Execution, OpId, Operation, Resend, WriteError};
use crate::remote::{FeedEventKind, Remote, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};
use crate::sync::report::Claim;
use crate::sync::write::{WriteFailure, WriteSuccess, matches_draft, resembles_draft};

use super::{Actor, RecoveredJournal, Stopped};

impl<R: Remote> Actor<R> {
    /// Records the segments that look like what an operation creates and that existed before it was first sent.
    pub(super) fn record_existing(
        &mut self,
        op: OpId,
        operation: &Operation,
        evidence: Option<&Evidence>,
    ) -> Vec<SegmentId> {
        let Some(draft) = super::created_by(operation) else { return Vec::new() };
        let recorded = evidence.and_then(|evidence| evidence.existing.clone());
        let existing = recorded.unwrap_or_else(|| self.writing.lookalikes.find(draft));
        self.writing.existing.insert(op, existing.iter().cloned().collect());
        existing
    }

    /// Returns the evidence that remains after an operation has ended.
    pub(super) fn evidence_after(
        &mut self,
        op: OpId,
        operation: &Operation,
        since: Option<Step>,
        before: Option<Evidence>,
        result: &Result<WriteSuccess, WriteFailure>,
    ) -> Option<Evidence> {
        let existing: Option<HashSet<SegmentId>> = self.writing.existing.remove(&op);
        let duplicate = match result {
            Ok(_) => return None,
            Err(WriteFailure::Failed(WriteError::PossibleDuplicate { theirs })) => Some(theirs.id.clone()),
            Err(WriteFailure::Failed(WriteError::InDoubt(_)) | WriteFailure::Unreached { sent: true, .. }) => None,
            Err(WriteFailure::Failed(_) | WriteFailure::Unreached { .. }) => return before,
        };
        let existing = || existing.map(|existing| existing.into_iter().collect());
        let mut evidence = before.unwrap_or_else(|| Evidence { since, existing: existing(), ..Evidence::default() });
        (evidence.adopted, evidence.resend) = (None, Resend::No);
        let draft = super::created_by(operation).filter(|draft| !evidence.drafts.contains(draft));
        evidence.drafts.extend(draft.cloned());
        evidence.reported.extend(duplicate);
        Some(evidence)
    }

    /// Sends a create again that may have been applied, as a person asked. Everything is listed first, so that its result is
    /// found even if the feed doesn't name it.
    pub(super) async fn defer_resend(&mut self, execution: Execution) -> Result<(), Stopped> {
        self.writing.pending_resends.push(execution);
        self.lists.reload_pending = true;
        if self.following.is_idle() && matches!(self.work, super::super::Work::Following) {
            return self.relist().await;
        }
        Ok(())
    }

    /// Sends the creates that waited for a list, which may show what became of them.
    pub(in crate::sync::actor) async fn execute_resends(&mut self) -> Result<(), Stopped> {
        if self.lists.reload_pending {
            // The list began before the request to send again.
            return Ok(());
        }
        for mut execution in std::mem::take(&mut self.writing.pending_resends) {
            if let Some(evidence) = &mut execution.evidence {
                evidence.resend = Resend::Listed;
            }
            self.execute(execution).await?;
        }
        Ok(())
    }

    /// Returns operations that wait for a list to the queue, since nothing can be listed for now.
    pub(in crate::sync::actor) async fn requeue_resends(&mut self, error: &RemoteError) -> Result<(), Stopped> {
        for Execution { op, evidence, .. } in std::mem::take(&mut self.writing.pending_resends) {
            self.operation_unreached(op, error.clone(), evidence).await?;
        }
        Ok(())
    }

    /// Whether an operation may have created a segment. Each segment is the result of at most one operation.
    pub(in crate::sync::actor) fn claim(&mut self, claim: Claim) -> bool {
        let Claim { op, id, kind, was_sent, is_exact } = claim;
        let existed = self.writing.existing.get(&op).is_some_and(|existing| existing.contains(&id));
        let is_unknown = self.cache.get(&id).is_none() || self.writing.new_segments.contains(&id);
        let created = kind == Some(FeedEventKind::Created);
        let new = match self.writing.recovered_journal {
            // The known segments may include the result, as they were stored or listed after it was sent. So the segment has
            // to be one that did not exist before.
            RecoveredJournal::Checking => created || (kind.is_none() && self.writing.existing.contains_key(&op)),
            RecoveredJournal::Empty | RecoveredJournal::Pending(_) => {
                is_unknown || (was_sent && (created || kind.is_none()))
            }
        };
        let new = new && !existed;
        if new && is_exact {
            self.writing.claimed.entry(id.clone()).or_insert(op);
        }
        new && self.writing.claimed.get(&id).is_none_or(|owner| *owner == op)
    }

    /// Returns known segments that an operation may have created: those that look like it and did not exist before.
    pub(in crate::sync::actor) fn find_candidates(&self, op: OpId, drafts: &[Draft]) -> Vec<SegmentId> {
        const MAX_CANDIDATES: usize = 100;
        let existed = self.writing.existing.get(&op);
        let is_candidate = |segment: &&Arc<Segment>| {
            drafts.iter().any(|draft| resembles_draft(segment, draft))
                && !existed.is_some_and(|existed| existed.contains(&segment.id))
        };
        // Exact matches first.
        let (exact, similar): (Vec<_>, Vec<_>) = self
            .cache
            .segments()
            .filter(is_candidate)
            .partition(|segment| drafts.iter().any(|draft| matches_draft(segment, draft)));
        exact.into_iter().chain(similar).take(MAX_CANDIDATES).map(|segment| segment.id.clone()).collect()
    }

    /// Returns the segment that a create was answered with, if it existed before the create.
    pub(in crate::sync::actor) fn existed_before(&self, id: &SegmentId) -> Option<Arc<Segment>> {
        self.cache.get(id).filter(|_| !self.writing.new_segments.contains(id)).cloned()
    }
}
