//! `segtui apply`: applies a file of segments, or a saved plan.

mod id_map;
mod rejects;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::changes::PlanId;
use crate::config::Connection;
use crate::forest::Forest;
use crate::planning::{Kind, Outdated, Planned, PlannedOperation, Remaining, SavedOperation, SavedPlan, remaining};
use crate::segment::{Segment, SegmentId};
use crate::store::HistoryEntry;
use crate::sync::SyncHandle;

use super::arguments::{ApplyArguments, TextOrJson};
use super::exit::Exit;
use super::failure::{Detail, Failure};
use super::load::Loaded;
use super::notes::Notes;
use super::origin;
use super::output::{self, Content, Target};
use super::paint::Paint;
use super::plan::{self, PlanOptions, write_heading, write_operations, write_plan};
use super::sending::{
    self, Consent, Entry, Opened, Report, SendRequest, Sent, Status, Tally, UncertainCreate, enqueue, final_result,
    summary,
};
use super::source::{self, Input, Source};
use super::surroundings::CommandContext;

pub(super) async fn run(
    arguments: ApplyArguments,
    context: CommandContext,
    timeout: Option<Duration>,
) -> Result<Exit, Failure> {
    let outputs = [
        ("--report", arguments.sending.report.as_deref()),
        ("--rejects", arguments.rejects.as_deref()),
        ("--id-map", arguments.id_map.as_deref()),
    ];
    source::refuse_overwriting(&arguments.source, &outputs)?;
    let targets = Targets::of(&arguments)?;
    let ready = sending::run_preparation(timeout, prepare(&arguments, &context)).await?;
    let Ready { mut todo, sync, uncertain_creates, recovered_changes, loaded, connection, _link } = match ready {
        Ok(ready) => ready,
        Err(exit) => return Err(sending::stopped_before_sending(exit)),
    };
    let mut report = Report::to(arguments.sending.report.as_deref())?;
    for entry in &recovered_changes {
        report.recovered(entry, &loaded.forest);
    }
    let title = format!("apply {}", todo.name);
    let (plan_id, queue, journal) =
        enqueue(&todo.operations, &loaded.forest, connection.concurrency, &title, &uncertain_creates);
    todo.report_unsent(plan_id, &mut report);
    if let Some(fault) = report.fault() {
        return Err(Failure::failed(format_args!("nothing was sent: {fault}")).hint("name another file for the report"));
    }
    let entries = todo.entries(&loaded.forest);
    let request = SendRequest {
        sync,
        queue,
        plan_id,
        journal,
        entries,
        report,
        notes: context.notes,
        stop_on_error: arguments.sending.stop_on_error,
        timeout,
    };
    let mut sent = sending::send(request).await?;
    if let Some(sync) = sent.sync.take() {
        sending::close(sync).await;
    }
    let applied = Applied { todo, sent, loaded, plan_id, arguments, notes: context.notes };
    output::blocking(move |cancelled| applied.write_results(targets, cancelled)).await
}

/// What was sent, to be reported.
struct Applied {
    todo: Todo,
    sent: Sent,
    loaded: Loaded,
    plan_id: PlanId,
    arguments: ApplyArguments,
    notes: Notes,
}

impl Applied {
    /// Writes the rejects, the id map and the counts, and returns how the program ends.
    fn write_results(&self, targets: Targets, cancelled: &CancellationToken) -> Result<Exit, Failure> {
        let Self { todo, sent, loaded, plan_id, arguments, notes } = self;
        let tally = todo.tally(sent);
        let run = (tally.done() > 0).then_some(plan_id.0);
        let rejects = targets.rejects.map_or(Ok(()), |target| {
            let left = todo.unapplied_lines(sent);
            let written =
                |out: &mut dyn Write| todo.source.as_ref().map_or(Ok(()), |source| rejects::write(out, source, &left));
            target.write(Content::Data, cancelled, written)
        });
        let id_map = targets
            .id_map
            .map_or(Ok(()), |target| target.write(Content::Data, cancelled, |out| id_map::write(out, todo, sent)));
        Target::Stdout.write(Content::HumanReadable, cancelled, |out| {
            write_summary(out, arguments.output, (&loaded.tenant, &loaded.host), run, &tally)
        })?;
        let hint = todo.next_step_hint(&tally, arguments);
        let end = final_result(sent, &tally, todo.undecided(), &hint);
        [rejects, id_map].into_iter().filter_map(Result::err).fold(end, |end, fault| match end {
            Ok(Exit::Done) if tally.done() > 0 => Err(fault.with_exit(Exit::Partly)),
            Ok(Exit::Done) => Err(fault),
            end => {
                notes.failure(&fault);
                end
            }
        })
    }
}

/// The output files.
struct Targets {
    rejects: Option<Target>,
    id_map: Option<Target>,
}

impl Targets {
    fn of(arguments: &ApplyArguments) -> Result<Self, Failure> {
        let target = |path: &Option<PathBuf>| -> Result<Option<Target>, Failure> {
            let target = path.clone().map(|path| Target::of(Some(path)));
            target.as_ref().map_or(Ok(()), Target::check)?;
            Ok(target)
        };
        Ok(Self { rejects: target(&arguments.rejects)?, id_map: target(&arguments.id_map)? })
    }
}

/// Everything that is needed to send, with the user's consent.
struct Ready {
    todo: Todo,
    sync: SyncHandle,
    uncertain_creates: Vec<UncertainCreate>,
    /// What an earlier run has applied, which was found out only in this run.
    recovered_changes: Vec<HistoryEntry>,
    loaded: Loaded,
    connection: Connection,
    /// The demo server runs for as long as this is kept.
    _link: super::link::Link,
}

/// What to send, and what of the source is not sent.
pub(super) struct Todo {
    /// The name of the file.
    name: String,
    /// The file, unless it is a saved plan.
    source: Option<Source>,
    operations: Vec<PlannedOperation>,
    /// For a saved plan: its operations that are still to be done, with their indices in it.
    saved: Vec<Entry>,
    /// The plan made of a file, with its conflicts.
    planned: Option<Planned>,
    /// Operations of a saved plan that are outdated, by their indices in it, and why.
    skipped: Vec<(usize, SavedOperation, Outdated)>,
    /// Operations of a saved plan that are already done, by their indices in it; for a create, with the existing segment.
    already_done: Vec<(usize, SavedOperation, Option<SegmentId>)>,
    /// Existing segments that rows or operations refer to, by line.
    existing: Vec<(usize, Arc<Segment>)>,
}

async fn prepare(arguments: &ApplyArguments, context: &CommandContext) -> Result<Ready, Failure> {
    plan::check(&arguments.matching)?;
    let link = context.target(&arguments.source).await?;
    let input = origin::input(&arguments.source, &arguments.matching, &link, context).await?;
    if let Input::Plan(_) = &input {
        let flag = arguments.matching.first_flag().or_else(|| arguments.rejects.as_ref().map(|_| "--rejects"));
        if let Some(flag) = flag {
            return Err(Failure::usage(format_args!("{flag} can't be used with a saved plan"))
                .hint("apply the file itself, or make the plan again with it"));
        }
    }
    let connection = link.connection.clone();
    let consent = Consent::of(&arguments.sending, &connection)?;
    let opened = sending::open(&link, context.journal_of(&link)?, context.notes).await?;
    let Opened { loaded, mut sync, uncertain_creates, recovered_changes } = opened;
    let (mut matching, ids_as_written, owned) =
        (arguments.matching.clone(), arguments.source.ids_as_written, connection.owned.clone());
    let name = arguments.source.source.display().to_string();
    let (todo, loaded) = output::blocking(move |_| {
        let mut loaded = loaded;
        let todo = match input {
            Input::Rows(source) => {
                matching.key = matching.key.or(source.key);
                let options = PlanOptions::of(&matching, ids_as_written, &mut loaded, &source.rows)?;
                let planned = plan::planned(&source, &options, &loaded, &owned)?;
                plan::guard(&plan::fuses(&matching).refusals(&planned, &loaded.forest))?;
                Todo::of_rows(name, source, planned)
            }
            Input::Plan(saved) => Todo::of_plan(name, &saved, &loaded)?,
        };
        Ok((todo, loaded))
    })
    .await?;
    if let Consent::Prompt = consent
        && !todo.operations.is_empty()
    {
        show(&todo, &loaded, &connection, context.paint).await?;
        sending::confirm(&todo.operations, &connection, &loaded.forest, &mut sync).await?;
    }
    Ok(Ready { todo, sync, uncertain_creates, recovered_changes, loaded, connection, _link: link })
}

/// Shows what will be sent.
async fn show(todo: &Todo, loaded: &Loaded, connection: &Connection, paint: Paint) -> Result<(), Failure> {
    let mut text = String::new();
    // Writing to a string doesn't fail.
    let _never = write_heading(&mut text, todo.source.as_ref(), connection, paint);
    let _never = match &todo.planned {
        Some(planned) => write_plan(&mut text, planned, loaded, paint),
        None => write_operations(&mut text, &todo.operations, &loaded.forest, paint),
    };
    output::blocking(move |cancelled| {
        Target::Stdout.write(Content::HumanReadable, cancelled, |out| out.write_str(&text))
    })
    .await
}

impl Todo {
    fn of_rows(name: String, source: Source, planned: Planned) -> Self {
        Self {
            name,
            source: Some(source),
            operations: planned.operations.clone(),
            saved: Vec::new(),
            existing: planned.segments.clone(),
            planned: Some(planned),
            skipped: Vec::new(),
            already_done: Vec::new(),
        }
    }

    fn of_plan(name: String, saved: &SavedPlan, loaded: &Loaded) -> Result<Self, Failure> {
        loaded.require_all(plan::NOT_PLANNED)?;
        if let Some(why) = saved.refused.first() {
            return Err(Failure::new(Exit::Guarded, format_args!("nothing was sent: the plan was refused: {why}"))
                .hint("make the plan again, with --max-deletes or --max-changes if it is meant"));
        }
        let operations = saved.planned_for(&loaded.tenant, &loaded.host).map_err(|fault| {
            Failure::new(Exit::Guarded, format_args!("nothing was sent: couldn't use the plan {name}: {fault}"))
                .hint(format_args!("connect to that tenant, or make a plan for {}", loaded.tenant))
        })?;
        let left = remaining(operations, &loaded.forest);
        let already_done = already_applied(saved, &left);
        let entry = |index: usize| saved.operations.get(index).cloned();
        let kept = left.indices.iter().filter_map(|index| Some(Entry { number: *index, operation: entry(*index)? }));
        let kept = kept.collect();
        let skipped = left.outdated.into_iter().filter_map(|(index, why)| Some((index, entry(index)?, why)));
        let existing = left
            .already_created
            .into_iter()
            .filter_map(|(index, segment)| Some((saved.operations.get(index)?.line?, segment)));
        Ok(Self {
            name,
            source: None,
            operations: left.operations,
            saved: kept,
            planned: None,
            skipped: skipped.collect(),
            already_done,
            existing: existing.collect(),
        })
    }

    /// Returns the operations for reports.
    fn entries(&mut self, forest: &Forest) -> Vec<Entry> {
        let saved = std::mem::take(&mut self.saved);
        if self.source.is_none() { saved } else { Entry::from_operations(&self.operations, forest) }
    }

    fn report_unsent(&self, plan_id: PlanId, report: &mut Report) {
        for conflict in self.planned.iter().flat_map(|planned| &planned.conflicts) {
            report.undecided(plan_id, conflict);
        }
        for (index, entry, why) in &self.skipped {
            report.skip(plan_id, *index, entry, status_of(why), &why.to_string());
        }
        for (index, entry, id) in &self.already_done {
            report.already_done(plan_id, *index, entry, id.as_ref());
        }
    }

    fn tally(&self, sent: &Sent) -> Tally {
        let mut tally = Tally::of(sent);
        tally.already_done += self.already_done.len();
        let on_hold = self.skipped.iter().filter(|(_, _, why)| status_of(why) == Status::OnHold).count();
        tally.on_hold += on_hold;
        tally.conflicts +=
            self.skipped.len() - on_hold + self.planned.as_ref().map_or(0, |planned| planned.conflicts.len());
        tally
    }

    /// Returns what was not sent because a person has to decide about it.
    fn undecided(&self) -> Vec<Detail> {
        let conflicts = self.planned.iter().flat_map(|planned| &planned.conflicts);
        let conflicts = conflicts.map(|conflict| Detail {
            line: Some(conflict.line).filter(|_| conflict.of_tenant.is_none()),
            text: format!(
                "{}: {}{}",
                conflict.name,
                conflict.reason,
                plan::resolution_hint(conflict).unwrap_or_default()
            ),
        });
        let lines: BTreeMap<usize, Option<usize>> =
            self.skipped.iter().map(|(index, entry, _)| (*index, entry.line)).collect();
        let outdated = self.skipped.iter().map(|(_, entry, why)| {
            let line = match why {
                Outdated::OnHold { operation } => lines.get(operation).copied().flatten(),
                _ => None,
            };
            let why =
                line.map_or_else(|| why.to_string(), |line| format!("line {line}, which it depends on, isn't applied"));
            Detail { line: entry.line, text: format!("{} {}: {why}", entry.op.text(), entry.path) }
        });
        conflicts.chain(outdated).collect()
    }

    /// Returns the hint about what was not applied.
    fn next_step_hint(&self, tally: &Tally, arguments: &ApplyArguments) -> String {
        if tally.left() == tally.in_doubt + tally.on_hold {
            return "run it again: it looks first for what is in doubt".into();
        }
        let all = if arguments.sending.report.is_none() { "--report FILE has all of it; " } else { "" };
        let conflicts = self.planned.iter().flat_map(|planned| &planned.conflicts);
        if conflicts.clone().any(|conflict| plan::resolution_hint(conflict).is_some()) {
            return format!("{all}say with --renamed or --recreate which it is, and run it again");
        }
        match (&self.source, &arguments.rejects) {
            (None, _) => format!("{all}make the plan again for what is in conflict; run it again for the rest"),
            (Some(_), Some(path)) if arguments.matching.prune => {
                format!("correct the rows in {}, and apply that without --prune", path.display())
            }
            (Some(_), Some(path)) => format!("correct the rows in {}, and apply that", path.display()),
            (Some(_), None) => format!("{all}--rejects FILE has the rows to correct and apply again"),
        }
    }

    /// Returns the lines that were not applied, or not in full.
    fn unapplied_lines(&self, sent: &Sent) -> BTreeSet<usize> {
        let conflicts = self.planned.iter().flat_map(|planned| &planned.conflicts).map(|conflict| conflict.line);
        let open = sent.statuses.iter().zip(&sent.entries).filter(|(status, _)| **status != Status::Done);
        conflicts.chain(open.filter_map(|(_, entry)| entry.operation.line)).collect()
    }

    /// Returns the segment of each line that has one by now, and whether it was created.
    fn segments(&self, sent: &Sent) -> Vec<(usize, Arc<Segment>, bool)> {
        let created = sent.outcomes.iter().zip(&sent.entries).filter_map(|(outcome, entry)| {
            let (segment, Entry { operation, .. }) = (sending::written(outcome)?, entry);
            Some((operation.line?, Arc::clone(segment), operation.op == Kind::Create))
        });
        let created: Vec<_> = created.collect();
        let existing = self.existing.iter().map(|(line, segment)| (*line, Arc::clone(segment), false));
        let existing = existing.filter(|(line, ..)| !created.iter().any(|(other, ..)| other == line));
        let mut all: Vec<_> = existing.chain(created.iter().cloned()).collect();
        all.sort_by_key(|(line, ..)| *line);
        all
    }
}

/// Returns the status of an operation of a saved plan that is outdated.
const fn status_of(why: &Outdated) -> Status {
    if matches!(why, Outdated::OnHold { .. }) { Status::OnHold } else { Status::Conflict }
}

/// Returns the operations of a saved plan that are neither left to do nor outdated.
fn already_applied(saved: &SavedPlan, left: &Remaining) -> Vec<(usize, SavedOperation, Option<SegmentId>)> {
    let open: BTreeSet<usize> =
        left.indices.iter().copied().chain(left.outdated.iter().map(|(index, _)| *index)).collect();
    let existing: BTreeMap<usize, &SegmentId> =
        left.already_created.iter().map(|(index, segment)| (*index, &segment.id)).collect();
    let done = saved.operations.iter().enumerate().filter(|(index, _)| !open.contains(index));
    done.map(|(index, entry)| (index, entry.clone(), existing.get(&index).map(|id| (*id).clone()))).collect()
}

#[derive(Serialize)]
struct Sum<'a> {
    format_version: u32,
    tenant: &'a str,
    host: &'a str,
    run: Option<u64>,
    #[serde(flatten)]
    tally: &'a Tally,
}

/// Writes the counts of what was applied.
pub(super) fn write_summary(
    out: &mut dyn Write,
    form: TextOrJson,
    (tenant, host): (&str, &str),
    run: Option<u64>,
    tally: &Tally,
) -> std::fmt::Result {
    match form {
        TextOrJson::Json => {
            let summary = Sum { format_version: 1, tenant, host, run, tally };
            writeln!(out, "{}", serde_json::to_string(&summary).map_err(|_| std::fmt::Error)?)
        }
        TextOrJson::Text => {
            let run = run.map(|run| format!("  (run {run})")).unwrap_or_default();
            writeln!(out, "{}", crate::printable::printable(&format!("{tenant} on {host}: {}{run}", summary(tally))))
        }
    }
}
