//! Sends a plan: several operations at a time through the change queue and the sync actor, each in the journal before it is sent.
//!
//! A failed operation blocks only those that depend on it. The first signal begins no more operations and waits for those in
//! flight; a second one leaves them to the journal. However it ends, everything that may have been sent is in the journal, and a
//! later session looks it up before it sends anything again.

mod consent;
mod opening;
mod report;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::changes::{
    ChangeQueue, ExecutionResult, JournalEntry, OpId, OpState, Operation, PlanId, WriteError, WriteResult,
};
use crate::forest::Forest;
use crate::numbers::{Noun, counted, grouped};
use crate::planning::{PlannedOperation, SavedOperation};
use crate::remote::RemoteError;
use crate::segment::{Segment, SegmentId};
use crate::sync::{Command, Event, Notice, Phase, SyncHandle};
use crate::terminal::{self, Signal};

use super::failure::Failure;
use super::notes::{Notes, ProgressLine};

pub(super) use consent::{Consent, confirm};
pub(super) use opening::{Opened, UncertainCreate, enqueue, open, run_preparation, stopped_before_sending};
pub(super) use report::{Report, Status, Tally, final_result, summary};

/// A plan that is being sent.
pub(super) struct Sending {
    sync: SyncHandle,
    queue: ChangeQueue,
    plan_id: PlanId,
    /// The operations, for the report.
    entries: Vec<Entry>,
    outcomes: Vec<Outcome>,
    report: Report,
    progress: ProgressLine,
    notes: Notes,
    stop_on_error: bool,
    deadline: Option<Instant>,
    /// Why no more operations are begun.
    stopped: Option<Stop>,
    /// The error of an unreachable server, until it responds again.
    server_error: Option<RemoteError>,
    last_response: Instant,
    started: Instant,
    /// How many times creates in doubt were sent again.
    resends: u32,
}

/// An operation as reports show it.
pub(super) struct Entry {
    /// Its number in the plan; for a saved plan, its number in the file.
    pub number: usize,
    pub operation: SavedOperation,
}

impl Entry {
    /// Returns all operations of a plan, numbered in their order.
    pub fn from_operations(operations: &[PlannedOperation], forest: &Forest) -> Vec<Self> {
        let saved = SavedOperation::from_operations(operations, forest).into_iter().enumerate();
        saved.map(|(number, operation)| Self { number, operation }).collect()
    }
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// None yet.
    Open,
    /// It is done.
    Done(Box<WriteResult>),
    /// It failed.
    Failed(WriteError),
}

/// Why no more operations are begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// A signal arrived.
    Signalled(Signal),
    /// An operation failed and sending was set to stop on errors.
    OnError,
    /// The server can't be reached.
    Unreachable(RemoteError),
    /// The server no longer accepts the key, so everything else would fail too.
    KeyRefused(RemoteError),
    /// The timeout has passed.
    TimedOut,
    /// The journal or the report can't be written.
    NotWritten(String),
}

/// The result of sending a plan.
pub(super) struct Sent {
    /// The outcome of each operation.
    pub outcomes: Vec<Outcome>,
    /// The status of each operation, also of those without an outcome.
    pub statuses: Vec<Status>,
    /// The operations.
    pub entries: Vec<Entry>,
    /// Why not all operations were begun, if so.
    pub stopped: Option<Stop>,
    /// The report, which the next plan of this session continues.
    pub report: Report,
    /// The queue, for the next plan.
    pub queue: ChangeQueue,
    /// The handle of the sync actor; `None` if a second signal ended sending at once.
    pub sync: Option<SyncHandle>,
}

/// A plan to send, and how to send it.
pub(super) struct SendRequest {
    pub sync: SyncHandle,
    pub queue: ChangeQueue,
    /// The plan, already in the queue.
    pub plan_id: PlanId,
    /// Journal entries to write before anything is sent.
    pub journal: Vec<JournalEntry>,
    pub entries: Vec<Entry>,
    pub report: Report,
    pub notes: Notes,
    pub stop_on_error: bool,
    pub timeout: Option<Duration>,
}

/// How long to wait for a server that can't be reached.
const UNREACHABLE_TIMEOUT: Duration = Duration::from_secs(120);
/// How many times creates in doubt are looked up and sent again, once everything else is done.
const MAX_RESENDS: u32 = 3;
/// Settled operations between two updates of the progress line.
const PROGRESS_EVERY: usize = 20;

/// Sends a plan.
pub(super) async fn send(request: SendRequest) -> Result<Sent, Failure> {
    let SendRequest { sync, queue, plan_id, journal, entries, report, notes, stop_on_error, timeout } = request;
    let now = Instant::now();
    let mut sending = Sending {
        sync,
        queue,
        plan_id,
        outcomes: vec![Outcome::Open; entries.len()],
        entries,
        report,
        progress: notes.progress(),
        notes,
        stop_on_error,
        deadline: timeout.map(|timeout| now + timeout),
        stopped: None,
        server_error: None,
        last_response: now,
        started: now,
        resends: 0,
    };
    sending.send_command(Command::Journal(journal)).await?;
    let abandoned = sending.run().await?;
    sending.finish(abandoned).await
}

impl Sending {
    /// Sends until nothing more can be done. Returns whether a second signal ended it at once.
    async fn run(&mut self) -> Result<bool, Failure> {
        let mut signalled = Box::pin(terminal::until_signalled());
        loop {
            self.execute_ready().await?;
            let waits_for_server = self.server_error.is_some() && self.stopped.is_none();
            if self.queue.counts().in_flight == 0 && !waits_for_server {
                if self.resend_in_doubt().await? {
                    continue;
                }
                return Ok(false);
            }
            let next_deadline = self.next_deadline();
            tokio::select! {
                event = self.sync.events.recv() => self.handle_event(event.ok_or_else(sync_stopped)?).await?,
                signal = &mut signalled => {
                    let signal = signal.map_err(|error| Failure::failed(format_args!("couldn't wait for a signal: {error}")))?;
                    signalled = Box::pin(terminal::until_signalled());
                    if matches!(self.stopped, Some(Stop::Signalled(_))) {
                        return Ok(true);
                    }
                    self.interrupt(signal);
                }
                () = sleep_until(next_deadline.unwrap_or_else(Instant::now)), if next_deadline.is_some() => self.stop_at_deadline(),
            }
        }
    }

    /// Queues creates in doubt again if they have an external id: before they are sent, a new list is searched for it. Returns
    /// whether there were any.
    async fn resend_in_doubt(&mut self) -> Result<bool, Failure> {
        if self.stopped.is_some() || self.resends == MAX_RESENDS {
            return Ok(false);
        }
        let ops = (0..self.outcomes.len()).map(|index| OpId { plan_id: self.plan_id, index });
        let in_doubt: Vec<OpId> = ops.filter(|op| self.can_resend(*op)).collect();
        self.resends += 1;
        let mut journal = Vec::new();
        for op in &in_doubt {
            self.outcomes[op.index] = Outcome::Open;
            journal.extend(self.queue.retry(*op).journal);
        }
        if !journal.is_empty() {
            self.send_command(Command::Journal(journal)).await?;
        }
        Ok(!in_doubt.is_empty())
    }

    fn can_resend(&self, op: OpId) -> bool {
        let Some(planned) = self.queue.op(op) else { return false };
        let has_id = matches!(&planned.operation, Operation::Create { draft } if draft.external_id.is_some());
        has_id && matches!(&planned.state, OpState::Failed(WriteError::InDoubt(_)))
    }

    async fn send_command(&self, command: Command) -> Result<(), Failure> {
        self.sync.commands.send(command).await.map_err(|_| sync_stopped())
    }

    async fn execute_ready(&mut self) -> Result<(), Failure> {
        while self.stopped.is_none()
            && let Some(execution) = self.queue.begin()
        {
            self.send_command(Command::Execute(Box::new(execution))).await?;
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        if self.stopped.is_some() {
            return None;
        }
        let unreachable_deadline = self.server_error.as_ref().map(|_| self.last_response + UNREACHABLE_TIMEOUT);
        unreachable_deadline.into_iter().chain(self.deadline).min()
    }

    fn stop_at_deadline(&mut self) {
        let late = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        let server_error = self.server_error.clone().filter(|_| !late);
        self.stop(server_error.map_or(Stop::TimedOut, Stop::Unreachable));
    }

    fn stop(&mut self, stop: Stop) {
        self.queue.pause_sending();
        self.stopped.get_or_insert(stop);
    }

    fn interrupt(&mut self, signal: Signal) {
        let in_flight = self.queue.counts().in_flight;
        if in_flight > 0 {
            self.progress.clear();
            self.notes.note(format_args!(
                "stopping after {} in flight; ctrl-c again to stop at once",
                counted(in_flight, Noun::Change)
            ));
        }
        // A signal takes precedence over any other reason.
        self.stopped = Some(Stop::Signalled(signal));
        self.queue.pause_sending();
    }

    async fn handle_event(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Executed { op, result } => self.executed(op, &result).await?,
            Event::ServerResponded => {
                self.server_error = None;
                if self.stopped.is_none() {
                    self.queue.resume_sending();
                }
            }
            Event::Noticed(Notice::NotStored { reason }) => {
                self.stop(Stop::NotWritten(format!("the journal can't be written: {reason}")));
            }
            Event::PhaseChanged(Phase::Silent { call, since }) => {
                self.progress.clear();
                self.notes.note(format_args!("no response for {} s while trying to {call}", since.as_secs()));
            }
            _ => {}
        }
        Ok(())
    }

    async fn executed(&mut self, op: OpId, result: &ExecutionResult) -> Result<(), Failure> {
        let transitions = self.queue.executed(op, result);
        if op.plan_id == self.plan_id {
            // Reported before it leaves the journal: if the program is killed in between, the report has it twice rather than not
            // at all.
            self.record_result(op, result);
        }
        if transitions.journal.is_empty() {
            return Ok(());
        }
        self.send_command(Command::Journal(transitions.journal)).await
    }

    fn record_result(&mut self, op: OpId, result: &ExecutionResult) {
        match result {
            ExecutionResult::Done(result) => self.settle(op, Outcome::Done(Box::new(result.clone()))),
            ExecutionResult::Failed { error, .. } => {
                self.settle(op, Outcome::Failed(error.clone()));
                if let WriteError::Refused(error) = error
                    && error.fault.is_unauthorised()
                {
                    self.stop(Stop::KeyRefused(error.clone()));
                } else if self.stop_on_error {
                    self.stop(Stop::OnError);
                }
            }
            ExecutionResult::Unreached { error, .. } => {
                self.queue.pause_sending();
                if self.server_error.is_none() {
                    self.progress.clear();
                    self.notes.note(format_args!("{error}; waiting for the server"));
                }
                self.server_error = Some(error.clone());
            }
        }
    }

    fn settle(&mut self, op: OpId, outcome: Outcome) {
        self.last_response = Instant::now();
        if let (Some(slot), Some(entry)) = (self.outcomes.get_mut(op.index), self.entries.get(op.index)) {
            self.report.write(op, entry, &outcome, Status::of(&outcome));
            if let Some(warning) = report::warning(&outcome) {
                self.progress.clear();
                let operation = &entry.operation;
                self.notes.note(format_args!("{}: {warning}", operation.new_path.as_ref().unwrap_or(&operation.path)));
            }
            *slot = outcome;
        }
        if let Some(reason) = self.report.fault().map(ToOwned::to_owned) {
            self.stop(Stop::NotWritten(reason));
        }
        self.show();
    }

    fn show(&mut self) {
        let settled = self.outcomes.iter().filter(|outcome| **outcome != Outcome::Open).count();
        let total = self.outcomes.len();
        if total <= 1 || (settled % PROGRESS_EVERY != 0 && settled < total) {
            return;
        }
        let failed = self.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Failed(_))).count();
        let failed = if failed == 0 { String::new() } else { format!(" · {} failed", grouped(failed)) };
        let left = self.started.elapsed().mul_f64(ratio(total - settled, settled)).as_secs();
        self.progress.show(format_args!("{} of {} changes{failed} · {left} s left", grouped(settled), grouped(total)));
    }

    /// Reports the operations without an outcome. Unless sending was left at once, closes all undone operations in the journal
    /// except those that may have been applied.
    async fn finish(mut self, abandoned: bool) -> Result<Sent, Failure> {
        self.progress.clear();
        let statuses: Vec<Status> = (0..self.outcomes.len()).map(|index| self.status(index)).collect();
        let mut finished = Vec::new();
        for (index, (outcome, status)) in self.outcomes.iter().zip(&statuses).enumerate() {
            let op = OpId { plan_id: self.plan_id, index };
            if *outcome == Outcome::Open {
                self.report.write(op, &self.entries[index], outcome, *status);
            }
            if !matches!(outcome, Outcome::Done(_)) && !self.may_have_been_applied(op) {
                finished.push(JournalEntry::Finished(op));
            }
        }
        if let Some(reason) = self.report.fault().map(ToOwned::to_owned) {
            self.stop(Stop::NotWritten(reason));
        }
        let Self { sync, queue, outcomes, entries, report, stopped, .. } = self;
        let sent = |sync| Sent { outcomes, statuses, entries, stopped, report, queue, sync };
        if abandoned {
            return Ok(sent(None));
        }
        sync.commands.send(Command::Journal(finished)).await.map_err(|_| sync_stopped())?;
        Ok(sent(Some(sync)))
    }

    /// Returns the status of an operation at the end.
    fn status(&self, index: usize) -> Status {
        let outcome = &self.outcomes[index];
        if *outcome != Outcome::Open {
            return Status::of(outcome);
        }
        match self.queue.op(OpId { plan_id: self.plan_id, index }).map(|op| &op.state) {
            Some(OpState::InFlight) => Status::InDoubt,
            _ if self.stopped.is_none() => Status::OnHold,
            _ => Status::NotSent,
        }
    }

    /// Whether an operation is in flight, or a create whose response was lost. It stays in the journal, and the next session
    /// looks it up.
    fn may_have_been_applied(&self, op: OpId) -> bool {
        let Some(planned) = self.queue.op(op) else { return false };
        let creates = matches!(planned.operation, Operation::Create { .. });
        let in_doubt = WriteError::may_have_been_applied;
        match &planned.state {
            OpState::InFlight => true,
            OpState::Failed(error) => creates && in_doubt(error),
            _ => false,
        }
    }
}

/// Returns the ratio of two counts, to estimate the time left.
#[expect(clippy::cast_precision_loss, reason = "a count of operations")]
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other.max(1) as f64
}

/// Lets the sync actor process its remaining commands, and waits until it ends.
pub(super) async fn close(sync: SyncHandle) {
    let SyncHandle { commands, mut events } = sync;
    drop(commands);
    // The actor ends once everything is written; its events no longer matter.
    while events.recv().await.is_some() {}
}

fn sync_stopped() -> Failure {
    Failure::failed("internal error: the sync task stopped; see the log")
}

/// Returns the segment that an operation has written.
pub(super) fn written(outcome: &Outcome) -> Option<&Arc<Segment>> {
    match outcome {
        Outcome::Done(result) => match &**result {
            WriteResult::Created(written) | WriteResult::Updated(written) => Some(&written.segment),
            WriteResult::Deleted { .. } => None,
        },
        Outcome::Open | Outcome::Failed(_) => None,
    }
}

/// Returns the id of the segment that an operation has created.
pub(super) fn created(outcome: &Outcome) -> Option<&SegmentId> {
    match outcome {
        Outcome::Done(result) => match &**result {
            WriteResult::Created(written) => Some(&written.segment.id),
            WriteResult::Updated(_) | WriteResult::Deleted { .. } => None,
        },
        Outcome::Open | Outcome::Failed(_) => None,
    }
}
