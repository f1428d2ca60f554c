//! Sending operations on their way, and taking in what became of them.

mod recovering;

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tokio::sync::oneshot;

use crate::mirror::ledger::Answer;
use crate::mirror::look::look_at_all;
use crate::mirror::message::{Event, Mention, Outcome, Seen, Ticket, Which, WriteError, is_provisional};
use crate::mirror::queue::WriteQueue;
use crate::mirror::report::{Claim, Report};
use crate::mirror::write::{Doubt, Ended, Writer};
use crate::plan::{Operation, Plan};
use crate::remote::{FeedEventKind, Position, Remote};
use crate::segment::{Segment, SegmentId, Step};
use crate::store::{JournalNote, Journalled};

use super::{Abandoned, Actor};

/// What there is to write, and what has to be known for it.
#[derive(Debug, Default)]
pub(super) struct Writing {
    queue: WriteQueue,
    /// The children of each segment that is to be deleted.
    children: HashMap<SegmentId, HashSet<SegmentId>>,
    /// Segments that were not there before something was to be created.
    born: HashSet<SegmentId>,
    /// Segments that an operation is known to have created.
    claimed: HashMap<SegmentId, Which>,
    /// Creates that were sent and may have been carried out.
    doubts: HashMap<Which, Doubt>,
    /// Changes of segments that were being written when they were seen. Most of them are what was written.
    put_off: HashMap<SegmentId, Seen>,
    /// New segments among these, by the create that may have made them and has no answer yet.
    unanswered: HashMap<Which, Vec<SegmentId>>,
    left: Left,
}

/// What an earlier run left undone.
#[derive(Debug, Default)]
enum Left {
    /// Nothing, or it was told already.
    #[default]
    Nothing,
    /// It is to be looked into as soon as the server is known to answer.
    Found(Vec<Journalled>),
    /// It is being looked into.
    Investigated,
}

impl Writing {
    /// Takes in what an earlier run left. Nothing is written before it was looked into.
    pub fn leave(&mut self, journal: Vec<Journalled>) {
        if !journal.is_empty() {
            self.left = Left::Found(journal);
        }
    }

    /// Keeps what has to be known in step with what is known.
    pub fn follow(&mut self, seen: &Seen) {
        if let Some(siblings) = parent(seen.before.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.remove(&seen.id);
        }
        if let Some(siblings) = parent(seen.now.as_deref()).and_then(|parent| self.children.get_mut(parent)) {
            siblings.insert(seen.id.clone());
        }
        if seen.before.is_none() && self.queue.creates() {
            self.born.insert(seen.id.clone());
        }
    }

    /// Whether a change is not to be told before it is known whose it is, since the segment is being written.
    pub fn puts_off(&mut self, seen: &Seen) -> bool {
        if self.put_off.contains_key(&seen.id) {
            return true;
        }
        let new = seen.now.as_deref().filter(|_| seen.before.is_none());
        let maker = new.and_then(|new| self.queue.maker_of(new));
        if let Some(which) = maker {
            self.unanswered.entry(which).or_default().push(seen.id.clone());
        }
        let puts_off = maker.is_some() || self.queue.runs_on(&seen.id);
        if puts_off {
            self.put_off.insert(seen.id.clone(), seen.clone());
        }
        puts_off
    }

    /// New segments that were put off for the sake of a create which has its answer now, but for the one that it has made.
    fn made_by_others(&mut self, which: Which, made: Option<&SegmentId>) -> Vec<Seen> {
        let ids = self.unanswered.remove(&which).unwrap_or_default();
        let put_off = ids.into_iter().filter_map(|id| self.put_off.remove(&id));
        put_off.filter(|seen| Some(&seen.id) != made).collect()
    }

    /// A change is told now: what was put off of the same segment is told with it.
    pub fn tell_with(&mut self, seen: &mut Seen) {
        if let Some(earlier) = self.put_off.remove(&seen.id) {
            seen.before = earlier.before;
        }
    }

    /// What stands below a segment that is to be deleted, and nobody has agreed to lose.
    fn newcomers(&self, operation: &Operation) -> Vec<SegmentId> {
        let Operation::Delete { base, leaving } = operation else { return Vec::new() };
        let children = self.children.get(&base.id).into_iter().flatten();
        children.filter(|child| !leaving.contains(child)).cloned().collect()
    }
}

fn parent(segment: Option<&Segment>) -> Option<&SegmentId> {
    segment?.parent.as_ref()
}

const fn key(which: Which) -> (u64, usize) {
    (which.ticket.0, which.index)
}

impl<R: Remote> Actor<R> {
    pub(super) async fn write(&mut self, ticket: Ticket, plan: Plan) -> Result<(), Abandoned> {
        self.watch_children(&plan.operations);
        let asked = plan.operations.iter().enumerate();
        let notes = asked.map(|(index, operation)| JournalNote::Asked((ticket.0, index), operation.clone())).collect();
        self.journal(notes).await;
        self.writing.queue.push(ticket, plan);
        self.begin_writes().await
    }

    /// Notes the children of what is to be deleted.
    fn watch_children(&mut self, operations: &[Operation]) {
        let deletes = operations.iter().filter(|operation| matches!(operation, Operation::Delete { .. }));
        let subjects: HashSet<SegmentId> = deletes.filter_map(Operation::subject).cloned().collect();
        self.look_for_children(&subjects);
    }

    /// Looks anew for the children of what is to be deleted: a list may have brought any number of them.
    pub(super) fn watch_children_anew(&mut self) {
        let subjects = std::mem::take(&mut self.writing.children).into_keys().collect();
        self.look_for_children(&subjects);
    }

    /// The segments that name one of these as their parent.
    pub(super) fn children_of(&self, parents: &HashSet<SegmentId>) -> Vec<SegmentId> {
        let below = |segment: &&Arc<Segment>| segment.parent.as_ref().is_some_and(|parent| parents.contains(parent));
        self.ledger.segments().filter(below).map(|segment| segment.id.clone()).collect()
    }

    fn look_for_children(&mut self, subjects: &HashSet<SegmentId>) {
        if subjects.is_empty() {
            return;
        }
        for subject in subjects {
            self.writing.children.entry(subject.clone()).or_default();
        }
        for segment in self.ledger.segments() {
            if let Some(siblings) = segment.parent.as_ref().and_then(|parent| self.writing.children.get_mut(parent)) {
                siblings.insert(segment.id.clone());
            }
        }
    }

    /// Begins what may begin.
    pub(super) async fn begin_writes(&mut self) -> Result<(), Abandoned> {
        if !matches!(self.writing.left, Left::Nothing) {
            return Ok(());
        }
        while let Some((which, operation)) = self.writing.queue.begin(self.settings.concurrency) {
            if let Err(error) = self.agreeable(&operation) {
                self.operation_failed(which, error).await?;
                continue;
            }
            let doubt = self.writing.doubts.get(&which).cloned();
            let now = || self.position.as_ref().map(Position::earliest);
            let since = doubt.as_ref().map_or_else(now, |doubt| doubt.since);
            // What it builds upon may have changed what it says since it was asked for.
            let notes = vec![JournalNote::Asked(key(which), operation.clone()), JournalNote::Sent(key(which), since)];
            let journalled = self.journal(notes).await;
            self.tell(Event::OperationBegan(which)).await?;
            let writer = self.writer(which, since, doubt);
            self.send_out(async move {
                if let Some(journalled) = journalled
                    && journalled.await.is_err()
                {
                    tracing::warn!("a write is not in the journal");
                }
                Report::OperationOver { which, since, result: writer.carry_out(&operation).await }
            });
        }
        if self.writing.queue.is_empty() {
            self.writing.children.clear();
            self.writing.born.clear();
        }
        Ok(())
    }

    fn writer(&self, which: Which, since: Option<Step>, doubt: Option<Doubt>) -> Writer<R> {
        Writer {
            which,
            doubt,
            remote: Arc::clone(&self.remote),
            questions: self.questions.clone(),
            reporter: self.reporter.clone(),
            since,
            grace: self.settings.grace,
        }
    }

    /// Whether what is known speaks against an operation.
    fn agreeable(&self, operation: &Operation) -> Result<(), WriteError> {
        let newcomers = self.writing.newcomers(operation);
        if !newcomers.is_empty() {
            return Err(WriteError::Grown { newcomers });
        }
        // What is still to be created under a number of its own never will be.
        if operation.destination().into_iter().chain(operation.subject()).any(is_provisional) {
            return Err(WriteError::NoPlace);
        }
        let Some(destination) = operation.destination().filter(|_| self.listed) else { return Ok(()) };
        // Of one that was never there, such as the parent of an orphan that is to come back, the server may think otherwise.
        if self.ledger.is_gone(destination) {
            return Err(WriteError::NoPlace);
        }
        let Some(subject) = operation.subject() else { return Ok(()) };
        let mut above = HashSet::new();
        let mut at = Some(destination);
        while let Some(id) = at.filter(|id| above.insert(*id)) {
            if id == subject {
                return Err(WriteError::Circle);
            }
            at = self.ledger.get(id).and_then(|segment| segment.parent.as_ref());
        }
        Ok(())
    }

    /// Writes into the journal, where there is one.
    async fn journal(&self, notes: Vec<JournalNote>) -> Option<oneshot::Receiver<()>> {
        match &self.keeper {
            Some(keeper) => Some(keeper.journal(notes).await),
            None => None,
        }
    }

    pub(super) async fn operation_over(
        &mut self,
        which: Which,
        since: Option<Step>,
        result: Result<Ended, WriteError>,
    ) -> Result<(), Abandoned> {
        self.note_doubt(which, since, &result);
        let subject = self.writing.queue.get(which).and_then(Operation::subject);
        let put_off = subject.and_then(|subject| self.writing.put_off.remove(subject));
        let made = result.as_ref().ok().map(|ended| ended.answer.id.clone());
        let of_others = self.writing.made_by_others(which, made.as_ref());
        match result {
            // What else has come of it than what was written is told after it.
            Ok(ended) => self.operation_ended(which, ended).await?,
            Err(error) => {
                if let Some(seen) = put_off {
                    let now = self.ledger.get(&seen.id).cloned();
                    self.tell_changes(vec![Seen { now, ..seen }], None).await?;
                }
                self.operation_failed(which, error).await?;
            }
        }
        let of_others = of_others.into_iter().map(|seen| Seen { now: self.ledger.get(&seen.id).cloned(), ..seen });
        self.tell_changes(of_others.filter(|seen| seen.now.is_some()).collect(), None).await?;
        self.hurry();
        self.begin_writes().await
    }

    /// Keeps in mind what was sent and may have been carried out, until it is known.
    fn note_doubt(&mut self, which: Which, since: Option<Step>, result: &Result<Ended, WriteError>) {
        let error = match result {
            Ok(_) => {
                self.writing.doubts.remove(&which);
                return;
            }
            Err(error @ (WriteError::InDoubt(_) | WriteError::Lookalike { .. })) => error,
            Err(_) => return,
        };
        let Some(Operation::Create { draft }) = self.writing.queue.get(which) else { return };
        let doubt = self.writing.doubts.entry(which).or_insert_with(|| Doubt { since, ..Doubt::default() });
        doubt.adopted = None;
        if !doubt.drafts.contains(draft) {
            doubt.drafts.push(draft.clone());
        }
        if let WriteError::Lookalike { theirs } = error {
            doubt.told.push(theirs.id.clone());
        }
    }

    async fn operation_ended(&mut self, which: Which, ended: Ended) -> Result<(), Abandoned> {
        let Ended { outcome, answer } = ended;
        let (id, told) = (answer.id.clone(), answer.now.clone());
        self.learn(answer);
        match &outcome {
            Outcome::Created(_) => {
                self.writing.claimed.insert(id.clone(), which);
            }
            // What becomes of the children of a deleted segment is the server's choice.
            Outcome::Deleted { id, .. } => {
                let children = self.writing.children.remove(id).unwrap_or_default();
                self.look_at(children.into_iter().collect());
            }
            Outcome::Updated(_) => {}
        }
        let Some(operation) = self.writing.queue.get(which).cloned() else { return Ok(()) };
        let others = self.writing.queue.ended(which, &outcome);
        // Those that refer to a new segment have to find it after a crash as well.
        let others = others.into_iter().map(|(other, operation)| JournalNote::Asked(key(other), operation));
        let notes = [JournalNote::Over(key(which))].into_iter().chain(others).collect();
        self.journal(notes).await;
        self.tell(Event::OperationEnded { which, operation, outcome }).await?;
        // Somebody may have changed it again since, and the feed may have been faster than the write.
        let now = self.ledger.get(&id).cloned();
        if now == told {
            return Ok(());
        }
        self.tell_changes(vec![Seen { id, before: told, now, mention: Mention::default() }], None).await
    }

    fn learn(&mut self, answer: Answer) {
        if let Some(seen) = self.ledger.take(answer) {
            self.note(&seen.id, seen.now.as_ref());
            self.writing.follow(&seen);
        }
    }

    async fn operation_failed(&mut self, which: Which, error: WriteError) -> Result<(), Abandoned> {
        tracing::warn!(ticket = which.ticket.0, index = which.index, %error, "a write failed");
        let Some(operation) = self.writing.queue.get(which).cloned() else { return Ok(()) };
        self.writing.queue.failed(which);
        // Of one that is in doubt, the next start will want to know what became of it.
        if !matches!(error, WriteError::InDoubt(_) | WriteError::Lookalike { .. }) {
            self.journal(vec![JournalNote::Stopped(key(which))]).await;
        }
        self.tell(Event::OperationFailed { which, operation, error }).await
    }

    pub(super) async fn retry(&mut self, which: Which, instead: Option<Operation>) -> Result<(), Abandoned> {
        if let Some(operation) = &instead {
            self.watch_children(std::slice::from_ref(operation));
        }
        if self.writing.queue.retry(which, instead)
            && let Some(operation) = self.writing.queue.get(which).cloned()
        {
            self.journal(vec![JournalNote::Asked(key(which), operation)]).await;
        }
        self.begin_writes().await
    }

    /// Keeps in the journal what is not to be carried out yet.
    pub(super) async fn keep_plan(&mut self, ticket: Ticket, plan: Plan) {
        let asked = plan.operations.into_iter().enumerate();
        self.journal(asked.map(|(index, operation)| JournalNote::Gathered((ticket.0, index), operation)).collect())
            .await;
    }

    /// Takes out of the journal what was kept there and is not to be carried out any more.
    pub(super) async fn forget(&mut self, these: Vec<Which>) {
        self.journal(these.into_iter().map(|which| JournalNote::Over(key(which))).collect()).await;
    }

    /// A person takes a segment for the one that a create has made.
    pub(super) async fn adopt(&mut self, which: Which, id: SegmentId) -> Result<(), Abandoned> {
        if let Some(doubt) = self.writing.doubts.get_mut(&which) {
            doubt.adopted = Some(id);
        }
        self.retry(which, None).await
    }

    pub(super) fn hold(&mut self, ticket: Ticket) {
        self.writing.queue.hold(ticket);
    }

    pub(super) async fn release(&mut self, ticket: Ticket, except: &[Which]) -> Result<(), Abandoned> {
        self.writing.queue.release(ticket, except);
        self.begin_writes().await
    }

    /// The operations of a plan that are not done, the last first.
    pub(super) fn writing_of(&self, ticket: Ticket) -> Vec<Which> {
        self.writing.queue.of(ticket).into_iter().rev().collect()
    }

    pub(super) async fn give_up(&mut self, these: Vec<Which>) -> Result<(), Abandoned> {
        let given_up: Vec<Which> = these.into_iter().flat_map(|which| self.writing.queue.give_up(which)).collect();
        for which in &given_up {
            self.writing.doubts.remove(which);
        }
        self.journal(given_up.iter().map(|which| JournalNote::Over(key(*which))).collect()).await;
        for which in given_up {
            self.tell(Event::OperationDropped(which)).await?;
        }
        self.begin_writes().await
    }

    /// Whether a segment can be the one that an operation has made. Each is the work of one operation only.
    pub(super) fn claim(&mut self, claim: Claim) -> bool {
        let Claim { which, id, kind, doubted, firm } = claim;
        let unknown = self.ledger.get(&id).is_none() || self.writing.born.contains(&id);
        let new = match self.writing.left {
            // What is known was stored or listed after it was sent, so it says nothing of what is new.
            Left::Investigated => kind == FeedEventKind::Created,
            Left::Nothing | Left::Found(_) => unknown || (doubted && kind == FeedEventKind::Created),
        };
        if new && firm {
            self.writing.claimed.entry(id.clone()).or_insert(which);
        }
        new && self.writing.claimed.get(&id).is_none_or(|owner| *owner == which)
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
