//! `segtui undo`: undoes what commands, and the interface in other sessions, have changed, run by run, the latest first.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;
use jiff::Timestamp;

use crate::changes::{ChangeQueue, JournalEntry, OpId, Operation, PlanId, WriteResult};
use crate::clock;
use crate::config::Connection;
use crate::forest::{Change, Forest};
use crate::numbers::{Noun, counted};
use crate::planning::{self, PlanReason, PlannedOperation};
use crate::printable::printable;
use crate::segment::{Segment, SegmentId};
use crate::store::HistoryEntry;
use crate::sync::SyncHandle;

use super::apply::write_summary;
use super::arguments::UndoArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::history::{Run, entries, runs};
use super::link::Link;
use super::load::Loaded;
use super::output::{self, Content, Target};
use super::plan::{write_heading, write_operations};
use super::sending::{self, Consent, Entry, Opened, Outcome, Report, SendRequest, Tally, final_result};
use super::surroundings::CommandContext;

pub(super) async fn run(
    arguments: UndoArguments,
    context: CommandContext,
    timeout: Option<Duration>,
) -> Result<Exit, Failure> {
    let ready = sending::run_preparation(timeout, Box::pin(prepare(&arguments, &context))).await?;
    let Ready { selected, consent, sync, mut loaded, connection, _link } = match ready {
        Ok(ready) => ready,
        Err(exit) => return Err(sending::stopped_before_sending(exit)),
    };
    let mut queue = ChangeQueue::new(clock::now().as_millisecond().unsigned_abs(), connection.concurrency);
    for Run { plan_id, title, remaining, .. } in &selected.runs {
        queue.record_past_plan(*plan_id, title.clone(), remaining.clone());
    }
    let mut report = Report::to(arguments.sending.report.as_deref())?;
    let mut sync = Some(sync);
    let mut undone = 0;
    for run in &selected.runs {
        if undone == selected.count {
            break;
        }
        let Some(mut open) = sync.take() else { break };
        let Some((plan_id, operations, journal)) = stage_undo(&mut queue, run.plan_id, &loaded.forest) else {
            sync = Some(open);
            continue;
        };
        undone += 1;
        if let Consent::Prompt = consent {
            show(&operations, run, &loaded, &connection, &context).await?;
            sending::confirm(&operations, &connection, &loaded.forest, &mut open).await?;
        }
        let request = SendRequest {
            sync: open,
            queue,
            plan_id,
            journal,
            entries: Entry::from_operations(&operations, &loaded.forest),
            report,
            notes: context.notes,
            stop_on_error: arguments.sending.stop_on_error,
            timeout,
        };
        let mut sent = sending::send(request).await?;
        apply_outcomes(&mut loaded.forest, &sent.outcomes);
        sync = sent.sync.take();
        let tally = Tally::of(&sent);
        let (form, done) = (arguments.output, (tally.done() > 0).then_some(plan_id.0));
        let (tenant, host) = (loaded.tenant.clone(), loaded.host.clone());
        let written_tally = tally.clone();
        output::blocking(move |cancelled| {
            Target::Stdout.write(Content::HumanReadable, cancelled, |out| {
                write_summary(out, form, (&tenant, &host), done, &written_tally)
            })
        })
        .await?;
        let end = final_result(
            &sent,
            &tally,
            Vec::new(),
            "what is in conflict was changed since; `segtui history REF` shows how it was before, and `segtui undo --run ID` undoes \
             another run",
        );
        (queue, report) = (sent.queue, sent.report);
        match end {
            Ok(Exit::Done) => {}
            other => return finish(sync, other).await,
        }
    }
    let ended = if undone == 0 { Err(nothing_left(&arguments)) } else { Ok(Exit::Done) };
    finish(sync, ended).await
}

/// Waits until everything is written before the command ends.
async fn finish<T>(sync: Option<SyncHandle>, ended: Result<T, Failure>) -> Result<T, Failure> {
    if let Some(sync) = sync {
        sending::close(sync).await;
    }
    ended
}

struct Ready {
    selected: SelectedRuns,
    consent: Consent,
    sync: SyncHandle,
    loaded: Loaded,
    connection: Connection,
    /// The demo server runs for as long as this is kept.
    _link: Link,
}

/// The runs to undo.
struct SelectedRuns {
    /// Runs to choose from, in the order in which they are undone. One that others have undone in full is skipped.
    runs: Vec<Run>,
    /// How many of them to undo.
    count: usize,
}

async fn prepare(arguments: &UndoArguments, context: &CommandContext) -> Result<Ready, Failure> {
    let link = context.link().await?;
    let connection = link.connection.clone();
    let consent = Consent::of(&arguments.sending, &connection)?;
    let opened = sending::open(&link, context.journal_of(&link)?, context.notes).await?;
    let Opened { loaded, sync, recovered_changes, .. } = opened;
    if let Err(failure) = loaded.require_all("nothing was undone") {
        return finish(Some(sync), Err(failure)).await;
    }
    // The history may lack what was in flight when an earlier command was interrupted.
    let selected = match entries(context, &link, Timestamp::UNIX_EPOCH).await {
        Ok(entries) => select_runs(arguments, runs(merge_history(entries, recovered_changes))),
        Err(failure) => Err(failure),
    };
    match selected {
        Ok(selected) => Ok(Ready { selected, consent, sync, loaded, connection, _link: link }),
        Err(failure) => finish(Some(sync), Err(failure)).await,
    }
}

/// Adds changes that are not yet in the history.
fn merge_history(mut entries: Vec<HistoryEntry>, recovered_changes: Vec<HistoryEntry>) -> Vec<HistoryEntry> {
    let known: HashSet<OpId> = entries.iter().map(|entry| entry.op).collect();
    entries.extend(recovered_changes.into_iter().filter(|entry| !known.contains(&entry.op)));
    entries
}

fn history_failure(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error).hint("`segtui history` lists the runs")
}

fn nothing_left(arguments: &UndoArguments) -> Failure {
    match arguments.run {
        Some(run) => history_failure(format_args!("nothing is left of run {run} to undo")),
        None => history_failure("there is nothing to undo for this tenant"),
    }
}

/// Returns the runs to undo, the latest first. A run whose undo was interrupted last is continued first.
fn select_runs(arguments: &UndoArguments, runs: Vec<Run>) -> Result<SelectedRuns, Failure> {
    if let Some(run_id) = arguments.run {
        let run = runs.into_iter().find(|run| run.plan_id == PlanId(run_id));
        let run =
            run.ok_or_else(|| history_failure(format_args!("no run {run_id} is in the history of this tenant")))?;
        return match run.undone_by {
            Some(by) if run.remaining.is_empty() => {
                Err(history_failure(format_args!("run {run_id} was undone already, by run {}", by.0)))
            }
            _ => Ok(SelectedRuns { runs: vec![run], count: 1 }),
        };
    }
    let interrupted = runs.last().and_then(|run| run.undoes);
    let is_first = |run: &Run| Some(run.plan_id) == interrupted && run.is_partly_undone();
    let open = runs.into_iter().rev().filter(|run| run.undoes.is_none() && !run.remaining.is_empty());
    let (mut first, others): (Vec<Run>, Vec<Run>) = open.partition(is_first);
    first.extend(others);
    if first.is_empty() {
        Err(nothing_left(arguments))
    } else {
        Ok(SelectedRuns { runs: first, count: arguments.last as usize })
    }
}

type StagedUndo = (PlanId, Vec<PlannedOperation>, Vec<JournalEntry>);

/// Queues the undo of a run. Returns `None` if there is nothing left to undo.
fn stage_undo(queue: &mut ChangeQueue, run: PlanId, forest: &Forest) -> Option<StagedUndo> {
    let (plan, title, kind) = queue.take_undo_of(run, forest)?;
    if !plan.operations.iter().any(|operation| has_effect(operation, forest)) {
        return None;
    }
    let plan_id = queue.next_plan_id();
    let ids = |id: &SegmentId| {
        OpId::creating(id).filter(|op| op.plan_id == plan_id).map(|op| planning::provisional(op.index))
    };
    let shown = |operation: &Operation| PlannedOperation {
        operation: operation.clone().with_ids(&ids),
        reason: PlanReason::Undo,
        after: None,
        existing: Vec::new(),
    };
    let operations = plan.operations.iter().map(shown).collect();
    let (plan_id, _shown) = queue.stage_of_kind(forest, plan, title, kind);
    let mut journal = queue.submit(plan_id).journal;
    journal.push(JournalEntry::Undoes { plan_id, undone: run });
    Some((plan_id, operations, journal))
}

/// Whether an operation would change anything. If not, someone else has undone the change.
fn has_effect(operation: &Operation, forest: &Forest) -> bool {
    match operation {
        Operation::Create { .. } => true,
        Operation::Delete { base, .. } => forest.contains(&base.id),
        Operation::Update { base, draft } => forest.get(&base.id).is_some_and(|now| {
            let differs = draft.changes(now);
            draft.changes(base).iter().any(|field| differs.contains(field))
        }),
    }
}

async fn show(
    operations: &[PlannedOperation],
    run: &Run,
    loaded: &Loaded,
    connection: &Connection,
    context: &CommandContext,
) -> Result<(), Failure> {
    let mut text = String::new();
    // Writing to a string doesn't fail.
    let _never = write_heading(&mut text, None, connection, context.paint);
    let _never = writeln!(text, "Undo run {}, {}:", run.plan_id.0, printable(&run.display_title()));
    let _never = write_operations(&mut text, operations, &loaded.forest, context.paint);
    for line in blocked_deletions(operations, &loaded.forest) {
        text.extend([context.paint.warning(&line).as_ref(), "\n"]);
    }
    output::blocking(move |cancelled| {
        Target::Stdout.write(Content::HumanReadable, cancelled, |out| out.write_str(&text))
    })
    .await
}

/// Lists what can't be deleted because others have put segments below it that the undo doesn't remove.
fn blocked_deletions(operations: &[PlannedOperation], forest: &Forest) -> Vec<String> {
    let leaving: HashSet<&SegmentId> = operations
        .iter()
        .filter(|planned| matches!(planned.operation, Operation::Delete { .. }) || planned.operation.is_move())
        .filter_map(|planned| planned.operation.subject())
        .collect();
    let deleted = operations.iter().filter_map(|planned| match &planned.operation {
        Operation::Delete { base, .. } => Some(base),
        Operation::Create { .. } | Operation::Update { .. } => None,
    });
    let blocked_deletions = |base: &Arc<Segment>| {
        let others = forest.children(&base.id).into_iter().filter(|child| !leaving.contains(&child.id)).count();
        let path = planning::path_now(forest, &base.id);
        let children = counted(others, Noun::Child);
        (others > 0).then(|| format!("! conflict  {path} stays: it has {children} from elsewhere"))
    };
    deleted.filter_map(blocked_deletions).collect()
}

/// Applies what was written to the forest, for the undo of the next run.
fn apply_outcomes(forest: &mut Forest, outcomes: &[Outcome]) {
    let change = |outcome: &Outcome| match outcome {
        Outcome::Done(result) => Some(match &**result {
            WriteResult::Created(written) | WriteResult::Updated(written) => Change::Upsert(written.segment.clone()),
            WriteResult::Deleted { id, .. } => Change::Remove(id.clone()),
        }),
        Outcome::Open | Outcome::Failed(_) => None,
    };
    forest.apply(outcomes.iter().filter_map(change).collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Draft;

    fn segment(id: &str, parent: Option<&str>) -> Arc<Segment> {
        let id_of = |id: &str| SegmentId::new(id).unwrap();
        Arc::new(Segment { id: id_of(id), name: id.into(), external_id: None, parent: parent.map(id_of) })
    }

    fn planned(operation: Operation) -> PlannedOperation {
        PlannedOperation { operation, reason: PlanReason::Undo, after: None, existing: Vec::new() }
    }

    #[test]
    fn new_children_are_shown_before_the_undo_is_confirmed() {
        let (parent, child) = (segment("K1", None), segment("theirs", Some("K1")));
        let forest: Forest = [&parent, &child].into_iter().cloned().collect();
        let delete = planned(Operation::delete(Arc::clone(&parent)));
        let lines = blocked_deletions(std::slice::from_ref(&delete), &forest);
        assert_eq!(lines, ["! conflict  /K1 stays: it has 1 child from elsewhere"]);
        let moved = Draft { parent: None, ..Draft::of(&child) };
        let away = planned(Operation::Update { base: Arc::clone(&child), draft: moved });
        assert_eq!(blocked_deletions(&[away, delete.clone()], &forest), [""; 0]);
        assert_eq!(blocked_deletions(&[planned(Operation::delete(child)), delete], &forest), [""; 0]);
    }
}
