//! Answers operations that ask what the feed says up to now, from the reads that follow the feed anyway.

use crate::changes::Operation;
use crate::remote::Remote;
use crate::sync::report::{About, CatchUp, Caught};

use super::super::{Actor, Work};
use super::{ReadNumber, UNSEEN};

impl<R: Remote> Actor<R> {
    /// Answers an operation after the next read of the feed.
    pub(in crate::sync::actor) fn catch_up(&mut self, catch_up: CatchUp) {
        let asks = matches!(self.work, Work::Following | Work::Listing(_));
        if !asks || !self.following.has_feed() {
            self.answer(catch_up, false);
            return;
        }
        // The response of a read under way may be from before now.
        let next = ReadNumber(self.following.reader.last_read.0 + 1);
        self.following.reader.catching_up.push((next, catch_up));
        if self.following.reader.reading.is_none() {
            self.read_on();
        }
    }

    pub(super) fn answer_those_who_catch_up(&mut self) {
        let read = self.following.reader.last_read;
        let (answered, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.following.reader.catching_up).into_iter().partition(|(number, _)| *number <= read);
        self.following.reader.catching_up = waiting;
        for (_, catch_up) in answered {
            self.answer(catch_up, true);
        }
    }

    /// Answers without the feed, which can't be read at present. That is no reason not to write.
    pub(in crate::sync::actor) fn stop_waiting_to_catch_up(&mut self) {
        for (_, catch_up) in std::mem::take(&mut self.following.reader.catching_up) {
            self.answer(catch_up, false);
        }
    }

    fn answer(&mut self, catch_up: CatchUp, heard: bool) {
        let CatchUp { op, about, reply } = catch_up;
        let operation = self.writing.operation(op);
        let deletes = matches!(operation, Some(Operation::Delete { .. }));
        let newcomers = operation.map(|operation| self.writing.newcomers(operation)).unwrap_or_default();
        let hearing = &mut self.following.hearing;
        let namings: Vec<_> =
            about.iter().flat_map(|about| hearing.since(&about.id, about.since)).map(|naming| naming.kind).collect();
        let creates = matches!(operation, Some(Operation::Create { .. }));
        let judged = |about: About| {
            if creates {
                hearing.probably_someone_else(namings.len(), about.sends)
            } else {
                hearing.someone_else(namings.len(), about.sends)
            }
        };
        let counted = about.filter(|_| heard).is_some_and(judged);
        let caught = Caught {
            up_to: heard.then(|| hearing.now()),
            someone_else: counted,
            namings,
            newcomers,
            unseen: if deletes { self.following.looks.backlog.some(UNSEEN) } else { Vec::new() },
        };
        // The asking task may have been stopped.
        let _stopped = reply.send(caught);
    }
}
