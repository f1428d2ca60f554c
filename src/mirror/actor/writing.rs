//! Sending writes on their way, and taking in what became of them.

use std::sync::Arc;

use crate::mirror::look::look_at_all;
use crate::mirror::message::{Event, Mention, Outcome, Seen, Ticket};
use crate::mirror::report::Report;
use crate::mirror::write::{Ended, Writer};
use crate::remote::{Position, Remote};
use crate::segment::SegmentId;

use super::{Abandoned, Actor};

impl<R: Remote> Actor<R> {
    pub(super) fn begin_writes(&mut self) {
        while let Some((ticket, plan)) = self.writes.begin(self.settings.concurrency) {
            let writer = Writer {
                remote: Arc::clone(&self.remote),
                questions: self.questions.clone(),
                since: self.position.as_ref().map(Position::earliest),
                grace: self.settings.grace,
            };
            let reporter = self.reporter.clone();
            self.send_out(async move {
                let result = writer.carry_out(ticket, &plan, &reporter).await;
                if let Err((index, error)) = &result {
                    tracing::warn!(ticket = ticket.0, index, %error, "a write failed");
                }
                Report::WriteEnded { ticket, result }
            });
        }
    }

    pub(super) async fn operation_ended(
        &mut self,
        ticket: Ticket,
        index: usize,
        ended: Ended,
    ) -> Result<(), Abandoned> {
        let Ended { outcome, answer } = ended;
        let (id, told) = (answer.id.clone(), answer.now.clone());
        if let Some(seen) = self.ledger.take(answer) {
            self.note(&seen.id, seen.now.as_ref());
        }
        if let Outcome::Deleted(id) = &outcome {
            // What becomes of the children of a deleted segment is the server's choice.
            self.look_at(self.ledger.children(id));
        }
        self.tell(Event::OperationEnded { ticket, index, outcome }).await?;
        // Somebody may have changed it again since, and the feed may have been faster than the write.
        let now = self.ledger.get(&id).cloned();
        if now == told {
            return Ok(());
        }
        self.tell_changes(vec![Seen { id, before: told, now, mention: Mention::default() }], None).await
    }

    /// Looks at segments for another reason than the feed. One that can't be looked at now is named by the feed or by the next
    /// list.
    pub(super) fn look_at(&mut self, ids: Vec<SegmentId>) {
        if ids.is_empty() {
            return;
        }
        let (remote, questions) = (Arc::clone(&self.remote), self.questions.clone());
        let at_once = self.settings.concurrency;
        self.send_out(async move {
            let ids = ids.into_iter().map(|id| (id, Mention::default())).collect();
            let (answers, failure) = look_at_all(&*remote, &questions, ids, at_once).await;
            if let Some(error) = failure {
                tracing::warn!(%error, "not every segment could be looked at");
            }
            Report::LookedAt(answers)
        });
    }
}
