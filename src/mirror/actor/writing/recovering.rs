//! What an earlier run left: looked into before anything else is written, and told.

use crate::changes::Operation;
use crate::changes::{JournalEntry, Journalled, Progress};
use crate::changes::{OpId, PlanId, Recovered, RecoveredState, WriteResult};
use crate::mirror::ledger::Answer;
use crate::mirror::message::Event;
use crate::mirror::report::Report;
use crate::mirror::write::{Doubt, Writer};
use crate::remote::Remote;
use crate::segment::Step;

use super::{Abandoned, Actor, Left, created_by, key};

impl<R: Remote> Actor<R> {
    /// Looks into what an earlier run left, now that the server is known to answer.
    pub(in crate::mirror::actor) fn investigate(&mut self) {
        if !matches!(self.writing.left, Left::Found(_)) {
            return;
        }
        let Left::Found(journal) = std::mem::replace(&mut self.writing.left, Left::Investigated) else { return };
        self.mind_namesakes(journal.iter().filter_map(|left| created_by(&left.operation)));
        let mut writers: Vec<Writer<R>> = Vec::with_capacity(journal.len());
        for left in &journal {
            let op = OpId { plan_id: PlanId(left.key.0), index: left.key.1 };
            if let Some(alike) = &left.alike {
                self.writing.alike.insert(op, alike.iter().cloned().collect());
            }
            let sent = left.progress == Progress::Sent;
            let doubt = Doubt { since: left.since, drafts: left.drafts.clone(), ..Doubt::default() };
            writers.push(self.writer(op, left.since, sent.then_some(doubt)));
        }
        self.send_out(async move {
            let mut found = Vec::with_capacity(journal.len());
            for (Journalled { operation, progress, .. }, writer) in journal.into_iter().zip(writers) {
                let (op, since) = (writer.op, writer.since);
                let (fate, answers) = match progress {
                    Progress::Gathered => (RecoveredState::Gathered, Vec::new()),
                    Progress::Asked => (RecoveredState::NotSent, Vec::new()),
                    Progress::Sent => writer.investigate(&operation).await,
                };
                found.push((Recovered { op, operation, fate }, since, answers));
            }
            Report::Investigated(found)
        });
    }

    pub(in crate::mirror::actor) async fn investigated(
        &mut self,
        found: Vec<(Recovered, Option<Step>, Vec<Answer>)>,
    ) -> Result<(), Abandoned> {
        let mut recovered = Vec::with_capacity(found.len());
        let mut learnt = Vec::new();
        let mut notes = Vec::new();
        for (one, since, answers) in found {
            learnt.extend(answers);
            // What was sent stays so: a server may be slow, so it is looked for again before anything is sent.
            if matches!(one.fate, RecoveredState::NotFound | RecoveredState::NotCarriedOut | RecoveredState::Unknown(_))
            {
                let drafts = created_by(&one.operation).cloned().into_iter().collect();
                self.writing.doubts.insert(one.op, Doubt { since, drafts, ..Doubt::default() });
            }
            if let RecoveredState::CarriedOut(outcome) = &one.fate {
                if let WriteResult::Created(applied) = outcome {
                    self.writing.queue.know(one.op, &applied.segment.id);
                }
                notes.push(JournalEntry::Over(key(one.op)));
            }
            recovered.push(one);
        }
        for one in &mut recovered {
            one.operation = self.writing.queue.resolved(one.operation.clone());
        }
        let undone = recovered
            .iter()
            .filter(|one| !matches!(one.fate, RecoveredState::CarriedOut(_) | RecoveredState::Gathered));
        let undone: Vec<(OpId, Operation)> = undone.map(|one| (one.op, one.operation.clone())).collect();
        let changed = undone.iter().map(|(op, operation)| JournalEntry::Asked(key(*op), operation.clone()));
        notes.extend(changed);
        self.watch_children(&undone.iter().map(|(_, operation)| operation.clone()).collect::<Vec<_>>());
        for (op, operation) in undone {
            self.writing.queue.push_stopped(op, operation);
        }
        self.journal(notes).await;
        self.take(learnt, false).await?;
        self.writing.left = Left::Nothing;
        self.tell(Event::Recovered(recovered)).await?;
        self.begin_writes().await
    }
}
