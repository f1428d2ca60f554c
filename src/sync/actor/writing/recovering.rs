//! Checks what became of operations that an earlier session left, before anything is executed, and reports it.

use futures_util::StreamExt;

use crate::changes::{Evidence, JournalEntry, Journalled, Progress, Recovered, RecoveredState, WriteResult};
use crate::remote::Remote;
use crate::sync::message::Event;
use crate::sync::report::Report;
use crate::sync::segment_cache::Fetched;
use crate::sync::write::Writer;

use crate::sync::actor::following::LedBy;

use super::{Actor, RecoveredJournal, Stopped, created_by};

impl<R: Remote> Actor<R> {
    /// Starts checking the operations of an earlier session, now that the server is known to respond.
    pub(in crate::sync::actor) fn investigate(&mut self) {
        if !matches!(self.writing.left, RecoveredJournal::Found(_)) {
            return;
        }
        let RecoveredJournal::Found(journal) =
            std::mem::replace(&mut self.writing.left, RecoveredJournal::Investigated)
        else {
            return;
        };
        let creates = journal.iter().filter_map(|left| created_by(&left.operation));
        self.writing.namesakes.mind(creates, self.cache.segments());
        let mut writers: Vec<(Journalled, Option<Writer<R>>)> = Vec::with_capacity(journal.len());
        for left in journal {
            if let Some(existing) = &left.existing {
                self.writing.existing.insert(left.op, existing.iter().cloned().collect());
            }
            let writer =
                (left.progress == Progress::Sent).then(|| self.writer(left.op, left.since, Some(evidence_of(&left))));
            writers.push((left, writer));
        }
        let at_once = self.settings.concurrency;
        self.send_out(async move {
            // Each search may take a while, so several run concurrently.
            let looks = writers.into_iter().map(|(left, writer)| investigate(left, writer));
            Report::Investigated(futures_util::stream::iter(looks).buffered(at_once.max(1)).collect().await)
        });
    }

    pub(in crate::sync::actor) async fn investigated(
        &mut self,
        found: Vec<(Recovered, Vec<Fetched>)>,
    ) -> Result<(), Stopped> {
        let mut recovered = Vec::with_capacity(found.len());
        let mut learnt = Vec::new();
        let mut over = Vec::new();
        for (one, answers) in found {
            learnt.extend(answers);
            self.writing.existing.remove(&one.op);
            if let RecoveredState::Applied(result) = &one.state {
                if let WriteResult::Created(written) = result {
                    self.writing.claimed.insert(written.segment.id.clone(), one.op);
                }
                over.push(JournalEntry::Over(one.op));
            }
            recovered.push(one);
        }
        self.journal(over).await;
        self.take(learnt, LedBy::Other).await?;
        self.writing.left = RecoveredJournal::Nothing;
        self.emit(Event::Recovered(recovered)).await?;
        for execution in std::mem::take(&mut self.writing.postponed) {
            self.execute(execution).await?;
        }
        Ok(())
    }
}

/// Finds out what became of an operation of an earlier session.
async fn investigate<R: Remote>(left: Journalled, writer: Option<Writer<R>>) -> (Recovered, Vec<Fetched>) {
    let evidence = writer.is_some().then(|| evidence_of(&left));
    let Journalled { op, operation, progress, undoes, .. } = left;
    let (state, answers) = match (writer, progress) {
        (Some(writer), _) => writer.investigate(&operation).await,
        (None, Progress::Staged) => (RecoveredState::Staged, Vec::new()),
        (None, _) => (RecoveredState::NotSent, Vec::new()),
    };
    (Recovered { op, operation, state, evidence, undoes }, answers)
}

/// Returns the evidence about an operation that an earlier session sent.
fn evidence_of(left: &Journalled) -> Evidence {
    let Journalled { operation, since, existing, drafts, .. } = left;
    let mut drafts = drafts.clone();
    let draft = created_by(operation).filter(|draft| !drafts.contains(draft));
    drafts.extend(draft.cloned());
    Evidence { since: *since, existing: existing.clone(), drafts, ..Evidence::default() }
}
