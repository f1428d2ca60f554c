//! Undoing what commands, and the interface in other sessions, have changed, a run at a time and the latest first.

use std::time::Duration;

use jiff::Timestamp;

use crate::changes::{ChangeQueue, OpId, Operation, PlanId, WriteResult};
use crate::clock;
use crate::config::Connection;
use crate::forest::{Change, Forest};
use crate::planning::{self, PlannedOperation, SavedOperation, Why};
use crate::printable::printable;
use crate::segment::SegmentId;
use crate::sync::SyncHandle;

use super::apply::write_sum;
use super::arguments::UndoArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::history::{Run, entries, runs};
use super::link::Link;
use super::load::Loaded;
use super::output::{self, Content, Target};
use super::plan::write_operations;
use super::sending::{self, Consent, Opened, Order, Outcome, Report, Tally, end_of};
use super::surroundings::Surroundings;

pub(super) async fn run(
    arguments: UndoArguments,
    surroundings: Surroundings,
    timeout: Option<Duration>,
) -> Result<Exit, Failure> {
    let ready = sending::before_sending(timeout, prepare(&arguments, &surroundings)).await?;
    let Ready { runs, consent, sync, mut loaded, connection, _link } = match ready {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let mut queue = ChangeQueue::new(clock::now().as_millisecond().unsigned_abs(), connection.concurrency);
    for Run { plan_id, title, did, .. } in &runs {
        queue.remember(*plan_id, title.clone(), did.clone());
    }
    let mut report = Report::to(arguments.sending.report.as_deref())?;
    let mut sync = Some(sync);
    let mut ended = Exit::Done;
    for run in &runs {
        let Some(mut open) = sync.take() else { break };
        let Some((plan_id, operations, journal)) = staged(&mut queue, run.plan_id, &loaded.forest) else {
            sync = Some(open);
            continue;
        };
        if let Consent::Asked = consent {
            show(&operations, run, &loaded, &surroundings).await?;
            sending::confirm(&operations, &connection, &loaded.forest, &mut open).await?;
        }
        let order = Order {
            sync: open,
            queue,
            plan_id,
            journal,
            entries: SavedOperation::all(&operations, &loaded.forest),
            report,
            notes: surroundings.notes,
            stop_on_error: arguments.sending.stop_on_error,
            timeout,
        };
        let mut sent = sending::send(order).await?;
        take_in(&mut loaded.forest, &sent.outcomes);
        sync = sent.sync.take();
        let tally = Tally::of(&sent);
        let (form, done) = (arguments.output, (tally.done() > 0).then_some(plan_id.0));
        let (tenant, host) = (loaded.tenant.clone(), loaded.host.clone());
        let said = tally.clone();
        output::blocking(move |cancelled| {
            Target::Stdout.write(Content::Reading, cancelled, |out| write_sum(out, form, (&tenant, &host), done, &said))
        })
        .await?;
        let end = end_of(
            &sent,
            &tally,
            Vec::new(),
            "what is in conflict was changed since; `segtui history REF` shows how it was before",
        );
        (queue, report) = (sent.queue, sent.report);
        match end {
            Ok(Exit::Done) => {}
            other => {
                ended = finish(sync, other).await?;
                return Ok(ended);
            }
        }
    }
    finish(sync, Ok(ended)).await
}

/// Lets everything be written before the program ends as it does.
async fn finish(sync: Option<SyncHandle>, ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
    if let Some(sync) = sync {
        sending::close(sync).await;
    }
    ended
}

struct Ready {
    /// What is to be undone, in that order.
    runs: Vec<Run>,
    consent: Consent,
    sync: SyncHandle,
    loaded: Loaded,
    connection: Connection,
    /// The demo server runs for as long as this is kept.
    _link: Link,
}

async fn prepare(arguments: &UndoArguments, surroundings: &Surroundings) -> Result<Ready, Failure> {
    let link = surroundings.link().await?;
    let connection = link.connection.clone();
    let runs = chosen(arguments, runs(entries(surroundings, &link, Timestamp::UNIX_EPOCH).await?))?;
    let consent = Consent::of(&arguments.sending, &connection)?;
    let opened = sending::open(&link, surroundings.journal_of(&link)?, surroundings.notes).await?;
    let Opened { loaded, sync, .. } = opened;
    if !loaded.is_complete() {
        return Err(super::plan::incomplete());
    }
    Ok(Ready { runs, consent, sync, loaded, connection, _link: link })
}

/// The runs that are meant, the latest first.
fn chosen(arguments: &UndoArguments, runs: Vec<Run>) -> Result<Vec<Run>, Failure> {
    let none = |error: String| Failure::failed(error).hint("`segtui history` lists the runs");
    if let Some(wanted) = arguments.run {
        let run = runs.into_iter().find(|run| run.plan_id == PlanId(wanted));
        let run = run.ok_or_else(|| none(format!("no run {wanted} is in the history of this tenant")))?;
        if let Some(by) = run.undone_by {
            return Err(none(format!("run {wanted} was undone already, by run {}", by.0)));
        }
        return Ok(vec![run]);
    }
    let open = runs.into_iter().rev().filter(|run| run.undoes.is_none() && run.undone_by.is_none());
    let runs: Vec<Run> = open.take(arguments.last as usize).collect();
    if runs.is_empty() { Err(none("there is nothing to undo for this tenant".into())) } else { Ok(runs) }
}

type Staged = (PlanId, Vec<PlannedOperation>, Vec<crate::changes::JournalEntry>);

/// Queues what undoes a run. `None` if there is nothing of it to undo.
fn staged(queue: &mut ChangeQueue, run: PlanId, forest: &Forest) -> Option<Staged> {
    let (plan, title, kind) = queue.take_undo_of(run, forest)?;
    let plan_id = queue.next_plan_id();
    let ids = |id: &SegmentId| {
        OpId::creating(id).filter(|op| op.plan_id == plan_id).map(|op| planning::provisional(op.index))
    };
    let shown = |operation: &Operation| PlannedOperation {
        operation: operation.clone().with_ids(&ids),
        why: Why::Undo,
        after: None,
        existing: Vec::new(),
    };
    let operations = plan.operations.iter().map(shown).collect();
    let (plan_id, _shown) = queue.stage_of_kind(forest, plan, title, kind);
    let journal = queue.submit(plan_id).journal;
    Some((plan_id, operations, journal))
}

async fn show(
    operations: &[PlannedOperation],
    run: &Run,
    loaded: &Loaded,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    let mut text = format!("Undo run {}, {}:\n", run.plan_id.0, printable(&run.called()));
    // Writing into a text does not fail.
    let _never = write_operations(&mut text, operations, &loaded.forest, surroundings.paint);
    output::blocking(move |cancelled| Target::Stdout.write(Content::Reading, cancelled, |out| out.write_str(&text)))
        .await
}

/// Takes what was written into the tree, on which the next run is undone.
fn take_in(forest: &mut Forest, outcomes: &[Outcome]) {
    let change = |outcome: &Outcome| match outcome {
        Outcome::Done(result) => Some(match &**result {
            WriteResult::Created(written) | WriteResult::Updated(written) => Change::Upsert(written.segment.clone()),
            WriteResult::Deleted { id, .. } => Change::Remove(id.clone()),
        }),
        Outcome::Open | Outcome::Failed(_) => None,
    };
    forest.apply(outcomes.iter().filter_map(change).collect());
}
