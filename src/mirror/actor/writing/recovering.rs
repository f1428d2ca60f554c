//! What an earlier run left: looked into before anything else is written, and told.

use crate::mirror::ledger::Answer;
use crate::mirror::message::{Event, Fate, Outcome, Recovered, Ticket, Which};
use crate::mirror::report::Report;
use crate::mirror::write::{Doubt, Writer};
use crate::plan::Operation;
use crate::remote::Remote;
use crate::segment::Step;
use crate::store::{JournalNote, Journalled, Progress};

use super::{Abandoned, Actor, Left, key};

impl<R: Remote> Actor<R> {
    /// Looks into what an earlier run left, now that the server is known to answer.
    pub(in crate::mirror::actor) fn investigate(&mut self) {
        if !matches!(self.writing.left, Left::Found(_)) {
            return;
        }
        let Left::Found(journal) = std::mem::replace(&mut self.writing.left, Left::Investigated) else { return };
        let which = |left: &Journalled| Which { ticket: Ticket(left.key.0), index: left.key.1 };
        let writers: Vec<Writer<R>> = journal
            .iter()
            .map(|left| {
                let sent = left.progress == Progress::Sent;
                self.writer(which(left), left.since, sent.then(Doubt::default))
            })
            .collect();
        self.send_out(async move {
            let mut found = Vec::with_capacity(journal.len());
            for (Journalled { operation, progress, .. }, writer) in journal.into_iter().zip(writers) {
                let (fate, answer) = match progress {
                    Progress::Gathered => (Fate::Gathered, None),
                    Progress::Asked => (Fate::NotSent, None),
                    Progress::Sent => writer.investigate(&operation).await,
                };
                found.push((Recovered { which: writer.which, operation, fate }, writer.since, answer));
            }
            Report::Investigated(found)
        });
    }

    pub(in crate::mirror::actor) async fn investigated(
        &mut self,
        found: Vec<(Recovered, Option<Step>, Option<Answer>)>,
    ) -> Result<(), Abandoned> {
        let mut recovered = Vec::with_capacity(found.len());
        let mut answers = Vec::new();
        let mut notes = Vec::new();
        for (one, since, answer) in found {
            answers.extend(answer);
            let sent = matches!(one.fate, Fate::NotCarriedOut | Fate::Unknown(_));
            if let Operation::Create { draft } = &one.operation
                && sent
            {
                // A server may be slow, so before it is sent again it is looked for again.
                let doubt = Doubt { since, drafts: vec![draft.clone()], ..Doubt::default() };
                self.writing.doubts.insert(one.which, doubt);
            }
            match &one.fate {
                Fate::CarriedOut(outcome) => {
                    if let Outcome::Created(applied) = outcome {
                        self.writing.queue.know(one.which, &applied.segment.id);
                    }
                    notes.push(JournalNote::Over(key(one.which)));
                }
                Fate::NotCarriedOut => notes.push(JournalNote::Stopped(key(one.which))),
                Fate::Gathered | Fate::NotSent | Fate::Unknown(_) => {}
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
        self.take(answers, None).await?;
        self.writing.left = Left::Nothing;
        self.tell(Event::Recovered(recovered)).await?;
        self.begin_writes().await
    }
}
