//! What was sent and may have been carried out: kept in mind until it is known, and looked for whenever something new is seen.

use std::sync::Arc;

use crate::mirror::message::Seen;

use crate::changes::JournalEntry;
use crate::changes::Operation;
use crate::changes::{OpId, WriteError};
use crate::mirror::report::Claim;
use crate::mirror::write::{Again, Doubt, Ended, Stop, is_like, is_made_from};
use crate::remote::{FeedEventKind, Remote};
use crate::segment::{Draft, Segment, SegmentId, Step};

use super::{Abandoned, Actor, Left, key};

impl<R: Remote> Actor<R> {
    /// The segments that look like what an operation creates and existed before it was sent first.
    pub(super) fn note_alike(&mut self, op: OpId, operation: &Operation) -> Vec<SegmentId> {
        let Some(draft) = super::created_by(operation) else { return Vec::new() };
        let namesakes = &self.writing.namesakes;
        let alike = self.writing.alike.entry(op).or_insert_with(|| namesakes.of(draft).into_iter().collect());
        alike.iter().cloned().collect()
    }

    /// Keeps in mind what was sent and may have been carried out, until it is known.
    pub(super) fn note_doubt(&mut self, op: OpId, since: Option<Step>, result: &Result<Ended, Stop>) {
        let lookalike = match result {
            Ok(_) => {
                self.writing.doubts.remove(&op);
                self.writing.alike.remove(&op);
                return;
            }
            Err(Stop::Failed(WriteError::PossibleDuplicate { theirs })) => Some(theirs.id.clone()),
            Err(Stop::Failed(WriteError::InDoubt(_)) | Stop::Unreached { sent: true, .. }) => None,
            Err(Stop::Failed(_) | Stop::Unreached { .. }) => return,
        };
        let draft = self.writing.queue.get(op).and_then(super::created_by).cloned();
        let doubt = self.writing.doubts.entry(op).or_insert_with(|| Doubt { since, ..Doubt::default() });
        (doubt.adopted, doubt.again) = (None, Again::No);
        if let Some(draft) = draft.filter(|draft| !doubt.drafts.contains(draft)) {
            doubt.drafts.push(draft);
        }
        doubt.told.extend(lookalike);
    }

    /// Whether an operation is a create that was sent and may have been carried out.
    pub(super) fn is_doubtful_create(&self, op: OpId) -> bool {
        let creates = self.writing.queue.get(op).is_some_and(|operation| super::created_by(operation).is_some());
        creates && self.writing.doubts.contains_key(&op)
    }

    /// A person wants a create to be sent again that may have been carried out. Before that everything is listed, so that what it
    /// has made is found even where the feed does not name it.
    pub(super) async fn retry_after_list(&mut self, op: OpId, instead: Option<Operation>) -> Result<(), Abandoned> {
        if !self.writing.queue.is_stopped(op) {
            return Ok(());
        }
        if let Some(operation) = instead {
            self.writing.queue.amend(op, operation.clone());
            self.journal(vec![JournalEntry::Asked(key(op), operation)]).await;
        }
        if !self.writing.after_list.contains(&op) {
            self.writing.after_list.push(op);
        }
        self.wanted.reload = true;
        if self.following.is_idle() && matches!(self.work, super::super::Work::Following) {
            return self.relist().await;
        }
        Ok(())
    }

    /// A list has ended that may tell what became of creates which are to be sent again.
    pub(in crate::mirror::actor) async fn list_for_retries(&mut self) -> Result<(), Abandoned> {
        if self.wanted.reload {
            // It was begun before somebody asked.
            return Ok(());
        }
        for op in std::mem::take(&mut self.writing.after_list) {
            if let Some(doubt) = self.writing.doubts.get_mut(&op) {
                doubt.again = Again::Allowed;
            }
            self.writing.queue.retry(op, None);
        }
        self.begin_writes().await
    }

    /// A person takes a segment for the one that a create has made.
    pub(in crate::mirror::actor) async fn adopt(&mut self, op: OpId, id: SegmentId) -> Result<(), Abandoned> {
        if let Some(doubt) = self.writing.doubts.get_mut(&op) {
            doubt.adopted = Some(id);
        }
        self.writing.queue.retry(op, None);
        self.begin_writes().await
    }

    /// A segment is new. It may be what a create has made whose answer was lost long ago: then that is looked into again.
    pub(in crate::mirror::actor) fn may_settle_doubts(&mut self, seen: &Seen) {
        let (None, Some(new)) = (&seen.before, &seen.now) else { return };
        if self.writing.doubts.is_empty() || self.writing.claimed.contains_key(&new.id) {
            return;
        }
        let explained = self.writing.doubts.iter().filter(|(op, doubt)| {
            let made = doubt.drafts.iter().any(|draft| is_made_from(new, draft));
            made && doubt.adopted.is_none() && self.writing.queue.is_stopped(**op)
        });
        for op in explained.map(|(op, _)| *op).collect::<Vec<_>>() {
            if self.is_doubtful_create(op) {
                self.writing.queue.retry(op, None);
            }
        }
    }

    /// Whether a segment can be the one that an operation has made. Each is the work of one operation only.
    pub(in crate::mirror::actor) fn claim(&mut self, claim: Claim) -> bool {
        let Claim { op, id, kind, doubted, firm } = claim;
        let existed = self.writing.alike.get(&op).is_some_and(|alike| alike.contains(&id));
        let unknown = self.ledger.get(&id).is_none() || self.writing.born.contains(&id);
        let created = kind == Some(FeedEventKind::Created);
        let new = match self.writing.left {
            // What is known was stored or listed after it was sent, so what is new is what did not exist before.
            Left::Investigated => created || (kind.is_none() && self.writing.alike.contains_key(&op)),
            Left::Nothing | Left::Found(_) => unknown || (doubted && (created || kind.is_none())),
        };
        let new = new && !existed;
        if new && firm {
            self.writing.claimed.entry(id.clone()).or_insert(op);
        }
        new && self.writing.claimed.get(&id).is_none_or(|owner| *owner == op)
    }

    /// The segments that an operation may have made, as far as is known: those that look like it and did not exist before.
    pub(in crate::mirror::actor) fn seek(&self, op: OpId, drafts: &[Draft]) -> Vec<SegmentId> {
        const MANY: usize = 100;
        let existed = self.writing.alike.get(&op);
        let alike = |segment: &&Arc<Segment>| {
            drafts.iter().any(|draft| is_like(segment, draft))
                && !existed.is_some_and(|existed| existed.contains(&segment.id))
        };
        // Just like it first.
        let (same, like): (Vec<_>, Vec<_>) = self
            .ledger
            .segments()
            .filter(alike)
            .partition(|segment| drafts.iter().any(|draft| is_made_from(segment, draft)));
        same.into_iter().chain(like).take(MANY).map(|segment| segment.id.clone()).collect()
    }

    /// The segment that a create was answered with, if it existed before that was asked for.
    pub(in crate::mirror::actor) fn existed_before(&self, id: &SegmentId) -> Option<Arc<Segment>> {
        self.ledger.get(id).filter(|_| !self.writing.born.contains(id)).cloned()
    }
}
