//! Opening a tenant to send changes: loads it, locks its journal, and settles what an earlier session left unfinished.

use std::path::PathBuf;
use std::time::Duration;

use color_eyre::eyre::WrapErr;

use crate::changes::{
    ChangeQueue, DoneOp, Evidence, HistoryRecord, JournalEntry, OpId, Operation, PlanId, Recovered, RecoveredState,
    Title,
};
use crate::clock;
use crate::forest::Forest;
use crate::planning::{self, PlannedOperation};
use crate::remote::Access;
use crate::segment::{Draft, SegmentId};
use crate::store::HistoryEntry;
use crate::sync::{Command, Notice, Settings, SyncHandle};
use crate::terminal;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::link::Link;
use super::super::load::{Loaded, Session, start_session};
use super::super::notes::Notes;

/// A tenant opened for changes.
pub(in crate::cli) struct Opened {
    pub loaded: Loaded,
    pub sync: SyncHandle,
    /// Creates that an earlier session sent and whose outcome is unknown.
    pub uncertain_creates: Vec<UncertainCreate>,
    /// What an earlier session applied and only this one found out. It is being written to the history.
    pub recovered_changes: Vec<HistoryEntry>,
}

/// A create that an earlier session sent and whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct UncertainCreate {
    pub draft: Draft,
    pub evidence: Evidence,
}

/// Opens a tenant for changes. Closes the operations that an earlier session left in the journal: those that were applied go into
/// the history, the others are left to the command that is run again.
pub(in crate::cli) async fn open(link: &Link, store: Option<PathBuf>, notes: Notes) -> Result<Opened, Failure> {
    let tenant = &link.connection.tenant;
    if link.connection.access == Access::ReadOnly {
        return Err(Failure::new(Exit::Guarded, format_args!("nothing was sent: {tenant} is read-only here"))
            .hint("read-only mode comes from --read-only, SEGTUI_READ_ONLY or the profile"));
    }
    let settings = Settings { store, journal_only: true, verify_every: None, ..link.sync_settings() };
    let Session { loaded, sync, recovered, journal_notice } = start_session(link, settings, notes).await?;
    match journal_notice {
        Some(Notice::NotJournalled) => {
            return Err(Failure::new(
                Exit::Guarded,
                format_args!("nothing was sent: {tenant} is being changed by another segtui command"),
            )
            .hint("wait until it has ended, then run this one again"));
        }
        Some(notice) => {
            return Err(Failure::failed(format_args!(
                "nothing was sent, since it couldn't be written down first: {notice}"
            ))
            .hint("make room for the journal in ~/.local/share/segtui, or set XDG_DATA_HOME"));
        }
        None => {}
    }
    let (entries, uncertain_creates, recovered_changes) = process_recovered(recovered, notes);
    if !entries.is_empty() {
        let sent = sync.commands.send(Command::Journal(entries));
        sent.await.map_err(|_| Failure::failed("internal error: the sync task stopped; see the log"))?;
    }
    Ok(Opened { loaded, sync, uncertain_creates, recovered_changes })
}

/// Returns the journal entries that close an earlier session's operations, its creates of unknown outcome, and what it applied.
fn process_recovered(
    recovered: Vec<Recovered>,
    notes: Notes,
) -> (Vec<JournalEntry>, Vec<UncertainCreate>, Vec<HistoryEntry>) {
    let (mut entries, mut uncertain_creates, mut history) = (Vec::new(), Vec::new(), Vec::new());
    let count = recovered.len();
    for Recovered { op, operation, state, evidence, undoes } in recovered {
        match (state, &operation) {
            (RecoveredState::Applied(result), _) => {
                if let Some(effect) = DoneOp::of(&operation, &result) {
                    let title = "an interrupted session".to_owned();
                    history.push(HistoryEntry {
                        at: clock::now(),
                        op,
                        title: title.clone(),
                        undoes,
                        effect: effect.clone(),
                    });
                    let record = HistoryRecord { effect, title, undoes };
                    entries.push(JournalEntry::Applied(op, Box::new(record)));
                }
            }
            (RecoveredState::NotFound | RecoveredState::Unknown(_), Operation::Create { draft }) => {
                uncertain_creates
                    .push(UncertainCreate { draft: draft.clone(), evidence: evidence.unwrap_or_default() });
            }
            _ => {}
        }
        entries.push(JournalEntry::Finished(op));
    }
    if count > 0 {
        notes.note(UNFINISHED);
    }
    (entries, uncertain_creates, history)
}

/// Shown after an interrupted session. A create of unknown outcome is looked up again before it is sent again.
const UNFINISHED: &str =
    "an earlier command didn't finish: what it had applied is in the history, and running it again does the rest";

/// Stages and submits operations in a new queue, as one plan. Returns the plan's id, the queue and its journal entries.
pub(in crate::cli) fn enqueue(
    operations: &[PlannedOperation],
    forest: &Forest,
    concurrency: usize,
    title: &str,
    uncertain_creates: &[UncertainCreate],
) -> (PlanId, ChangeQueue, Vec<JournalEntry>) {
    let mut queue = ChangeQueue::new(clock::now().as_millisecond().unsigned_abs(), concurrency);
    let plan_id = queue.next_plan_id();
    let ids = |id: &SegmentId| planning::creating(id).map(|index| OpId { plan_id, index }.provisional_id());
    let queued = operations.iter().map(|planned| planned.operation.clone().with_ids(&ids)).collect();
    let dependencies: Vec<Option<usize>> = operations.iter().map(|planned| planned.after).collect();
    let title = Title { imperative: title.to_owned(), ..Title::default() };
    let (plan_id, _shown) = queue.stage(forest, crate::changes::Plan { operations: queued }, title);
    for uncertain in uncertain_creates {
        let is_same_create = |planned: &PlannedOperation| match &planned.operation {
            Operation::Create { draft } => {
                (&draft.name, &draft.external_id) == (&uncertain.draft.name, &uncertain.draft.external_id)
            }
            Operation::Update { .. } | Operation::Delete { .. } => false,
        };
        if let Some(index) = operations.iter().position(is_same_create) {
            queue.mark_uncertain(OpId { plan_id, index }, uncertain.evidence.clone());
        }
    }
    let journal = queue.submit_ordered(plan_id, &dependencies).journal;
    (plan_id, queue, journal)
}

/// The failure of a command that a signal ended before it sent anything.
pub(in crate::cli) fn stopped_before_sending(exit: Exit) -> Failure {
    Failure::new(exit, "stopped before anything was sent").hint("run it again")
}

/// Runs the preparation of a command. A signal or the timeout ends it at once, as nothing has been sent yet.
pub(in crate::cli) async fn run_preparation<T>(
    timeout: Option<Duration>,
    preparation: impl Future<Output = Result<T, Failure>>,
) -> Result<Result<T, Exit>, Failure> {
    let timed_out = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        signal = terminal::until_signalled() => Ok(Err(Exit::Signalled(signal.wrap_err("couldn't wait for a signal")?))),
        ready = preparation => ready.map(Ok),
        () = timed_out => {
            let seconds = timeout.unwrap_or_default().as_secs_f64();
            Err(Failure::new(Exit::Unreachable, format_args!("not begun within {seconds} s; nothing was sent"))
                .hint("try again, or with a longer --timeout"))
        }
    }
}
