//! What an earlier run left: looked into before anything else is written, and told.

use crate::mirror::ledger::Answer;
use crate::mirror::message::{Event, Fate, Outcome, Recovered, Ticket, Which};
use crate::mirror::report::Report;
use crate::mirror::write::{Doubt, Writer};
use crate::plan::Operation;
use crate::remote::Remote;
use crate::segment::Step;
use crate::store::{JournalNote, Journalled, Progress};

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
            let which = Which { ticket: Ticket(left.key.0), index: left.key.1 };
            if let Some(alike) = &left.alike {
                self.writing.alike.insert(which, alike.iter().cloned().collect());
            }
            let sent = left.progress == Progress::Sent;
            let doubt = Doubt { since: left.since, drafts: left.drafts.clone(), ..Doubt::default() };
            writers.push(self.writer(which, left.since, sent.then_some(doubt)));
        }
        self.send_out(async move {
            let mut found = Vec::with_capacity(journal.len());
            for (Journalled { operation, progress, .. }, writer) in journal.into_iter().zip(writers) {
                let (which, since) = (writer.which, writer.since);
                let (fate, answers) = match progress {
                    Progress::Gathered => (Fate::Gathered, Vec::new()),
                    Progress::Asked => (Fate::NotSent, Vec::new()),
                    Progress::Sent => writer.investigate(&operation).await,
                };
                found.push((Recovered { which, operation, fate }, since, answers));
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
            if matches!(one.fate, Fate::NotFound | Fate::NotCarriedOut | Fate::Unknown(_)) {
                let drafts = created_by(&one.operation).cloned().into_iter().collect();
                self.writing.doubts.insert(one.which, Doubt { since, drafts, ..Doubt::default() });
            }
            if let Fate::CarriedOut(outcome) = &one.fate {
                if let Outcome::Created(applied) = outcome {
                    self.writing.queue.know(one.which, &applied.segment.id);
                }
                notes.push(JournalNote::Over(key(one.which)));
            }
            recovered.push(one);
        }
        for one in &mut recovered {
            one.operation = self.writing.queue.resolved(one.operation.clone());
        }
        let undone = recovered.iter().filter(|one| !matches!(one.fate, Fate::CarriedOut(_) | Fate::Gathered));
        let undone: Vec<(Which, Operation)> = undone.map(|one| (one.which, one.operation.clone())).collect();
        let changed = undone.iter().map(|(which, operation)| JournalNote::Asked(key(*which), operation.clone()));
        notes.extend(changed);
        self.watch_children(&undone.iter().map(|(_, operation)| operation.clone()).collect::<Vec<_>>());
        for (which, operation) in undone {
            self.writing.queue.push_stopped(which, operation);
        }
        self.journal(notes).await;
        self.take(learnt, false).await?;
        self.writing.left = Left::Nothing;
        self.tell(Event::Recovered(recovered)).await?;
        self.begin_writes().await
    }
}
