//! Checks what became of operations that an earlier session left, before anything is executed, and reports it.

use futures_util::StreamExt;

use crate::changes::{Evidence, JournalEntry, JournalledOp, Progress, Recovered, RecoveredState, WriteResult};
use crate::remote::Remote;
use crate::sync::message::Event;
use crate::sync::report::Report;
use crate::sync::segment_cache::Fetched;
use crate::sync::write::Writer;

use crate::sync::actor::following::FetchCause;

use super::{Actor, RecoveredJournal, Stopped, created_by};

impl<R: Remote> Actor<R> {
    /// Starts checking the operations of an earlier session, now that the server is known to respond.
    pub(in crate::sync::actor) fn investigate(&mut self) {
        if !matches!(self.writing.recovered_journal, RecoveredJournal::Pending(_)) {
            return;
        }
        let RecoveredJournal::Pending(journal) =
            std::mem::replace(&mut self.writing.recovered_journal, RecoveredJournal::Checking)
        else {
            return;
        };
        let creates = journal.iter().filter_map(|entry| created_by(&entry.operation));
        self.writing.lookalikes.track(creates, self.cache.segments());
        let mut writers: Vec<(JournalledOp, Option<Writer<R>>)> = Vec::with_capacity(journal.len());
        for entry in journal {
            if let Some(existing) = &entry.existing {
                self.writing.existing.insert(entry.op, existing.iter().cloned().collect());
            }
            let writer = (entry.progress == Progress::Sent)
                .then(|| self.writer(entry.op, entry.since, Some(evidence_of(&entry))));
            writers.push((entry, writer));
        }
        let concurrency = self.settings.concurrency;
        self.spawn_task(async move {
            // Each search may take a while, so several run concurrently.
            let checks = writers.into_iter().map(|(entry, writer)| investigate(entry, writer));
            Report::Investigated(futures_util::stream::iter(checks).buffered(concurrency.max(1)).collect().await)
        });
    }

    pub(in crate::sync::actor) async fn investigated(
        &mut self,
        found: Vec<(Recovered, Vec<Fetched>)>,
    ) -> Result<(), Stopped> {
        let mut recovered = Vec::with_capacity(found.len());
        let mut fetched = Vec::new();
        let mut finished = Vec::new();
        for (recovery, responses) in found {
            fetched.extend(responses);
            self.writing.existing.remove(&recovery.op);
            if let RecoveredState::Applied(result) = &recovery.state {
                if let WriteResult::Created(written) = result {
                    self.writing.claimed.insert(written.segment.id.clone(), recovery.op);
                }
                finished.push(JournalEntry::Finished(recovery.op));
            }
            recovered.push(recovery);
        }
        self.journal(finished).await;
        self.apply_and_emit(fetched, FetchCause::Other).await?;
        self.writing.recovered_journal = RecoveredJournal::Empty;
        self.emit(Event::Recovered(recovered)).await?;
        for execution in std::mem::take(&mut self.writing.postponed) {
            self.execute(execution).await?;
        }
        Ok(())
    }
}

/// Finds out what became of an operation of an earlier session.
async fn investigate<R: Remote>(entry: JournalledOp, writer: Option<Writer<R>>) -> (Recovered, Vec<Fetched>) {
    let evidence = writer.is_some().then(|| evidence_of(&entry));
    let JournalledOp { op, operation, progress, undoes, .. } = entry;
    let (state, responses) = match (writer, progress) {
        (Some(writer), _) => writer.investigate(&operation).await,
        (None, Progress::Staged) => (RecoveredState::Staged, Vec::new()),
        (None, _) => (RecoveredState::NotSent, Vec::new()),
    };
    (Recovered { op, operation, state, evidence, undoes }, responses)
}

/// Returns the evidence about an operation that an earlier session sent.
fn evidence_of(entry: &JournalledOp) -> Evidence {
    let JournalledOp { operation, since, existing, drafts, .. } = entry;
    let mut drafts = drafts.clone();
    let draft = created_by(operation).filter(|draft| !drafts.contains(draft));
    drafts.extend(draft.cloned());
    Evidence { since: *since, existing: existing.clone(), drafts, ..Evidence::default() }
}
