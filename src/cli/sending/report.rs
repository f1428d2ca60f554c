//! What became of operations: a line of JSON for each as soon as it is known, the sum of all, and how the program ends because of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::changes::{DoneOp, OpId, Operation, PlanId, WriteError, WriteResult, Written};
use crate::clock;
use crate::files;
use crate::forest::Forest;
use crate::numbers::grouped;
use crate::planning::{Conflict, Fields, Kind, PlannedOperation, SavedOperation, Why};
use crate::printable::printable_json;
use crate::segment::{Draft, Field, SegmentId};
use crate::store::HistoryEntry;

use super::super::exit::Exit;
use super::super::failure::{Detail, Failure};
use super::{Entry, Outcome, Sent, Stop};

/// What is in a line beside what was asked for. Fields may be added; anything else makes another version.
const FORMAT_VERSION: u32 = 1;

/// Where lines go.
#[derive(Debug)]
pub(in crate::cli) struct Report {
    file: Option<File>,
    /// Why a line couldn't be written. None was after it.
    fault: Option<String>,
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Status {
    /// It is done.
    Done,
    /// It is done, and the server has made something else of it.
    DoneOtherwise,
    /// It was refused.
    Failed,
    /// Somebody else has changed the same thing.
    Conflict,
    /// A person has to say what is meant.
    Undecided,
    /// It may have been applied; the next session looks for it.
    InDoubt,
    /// What it builds upon was not done.
    OnHold,
    /// It was not begun.
    NotSent,
    /// Of a saved plan: it was done before, by an earlier session or by others.
    AlreadyDone,
}

impl Status {
    pub const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Open => Self::NotSent,
            Outcome::Done(result) => match &**result {
                WriteResult::Created(Written { ignored, .. }) | WriteResult::Updated(Written { ignored, .. })
                    if !ignored.is_empty() =>
                {
                    Self::DoneOtherwise
                }
                _ => Self::Done,
            },
            Outcome::Failed(WriteError::Conflict { .. } | WriteError::NewChildren { .. }) => Self::Conflict,
            Outcome::Failed(error) if error.may_have_been_applied() => Self::InDoubt,
            Outcome::Failed(_) => Self::Failed,
        }
    }

    const fn is_done(self) -> bool {
        matches!(self, Self::Done)
    }
}

#[derive(Serialize)]
struct ReportLine<'a> {
    format_version: u32,
    time: String,
    run: u64,
    operation: Option<usize>,
    status: Status,
    op: Option<Kind>,
    r#ref: &'a str,
    id: Option<String>,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_path: Option<&'a str>,
    line: Option<usize>,
    before: Option<&'a Fields>,
    after: Option<&'a Fields>,
    /// What is on the server by now, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

impl Report {
    /// Begins a report. One that is there is continued: what an interrupted run has reported is not lost. A new file is readable only
    /// by its owner.
    pub fn to(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self { file: None, fault: None }) };
        let file = continued(path).map_err(|error| {
            Failure::failed(format_args!("couldn't write {}: {}", path.display(), files::reason(&error)))
                .hint("name another file for the report")
        })?;
        Ok(Self { file: Some(file), fault: None })
    }

    /// Writes what an earlier run has applied, of which only this one has learnt.
    pub fn recovered(&mut self, entry: &HistoryEntry, forest: &Forest) {
        let (operation, id) = match &entry.did {
            DoneOp::Created(segment) => (Operation::Create { draft: Draft::of(segment) }, &segment.id),
            DoneOp::Updated { before, after, .. } => {
                (Operation::Update { base: Arc::clone(before), draft: Draft::of(after) }, &after.id)
            }
            DoneOp::Deleted { segment, .. } => (Operation::delete(Arc::clone(segment)), &segment.id),
        };
        let planned = PlannedOperation { operation, why: Why::Undo, after: None, existing: Vec::new() };
        for mut saved in SavedOperation::all(&[planned], forest) {
            saved.r#ref = id.to_string();
            self.put(entry.op, &saved, Status::Done, (Some(id.to_string()), None), None, Some(RECOVERED));
        }
    }

    /// Writes what became of an operation.
    pub fn write(&mut self, op: OpId, entry: &Entry, outcome: &Outcome, status: Status) {
        let Entry { number, operation: entry } = entry;
        let op = OpId { index: *number, ..op };
        let now = match outcome {
            Outcome::Done(result) => match &**result {
                WriteResult::Created(written) | WriteResult::Updated(written) => Some(&written.segment),
                WriteResult::Deleted { .. } => None,
            },
            Outcome::Failed(WriteError::Conflict { theirs, .. }) => theirs.as_ref(),
            Outcome::Failed(WriteError::PossibleDuplicate { theirs }) => Some(theirs),
            Outcome::Open | Outcome::Failed(_) => None,
        };
        let id = super::created(outcome).map(ToString::to_string);
        let id = id.or_else(|| (entry.op != Kind::Create).then(|| entry.r#ref.clone()));
        let now = now.filter(|_| status != Status::Done).map(|segment| Fields::of_segment(segment));
        self.put(op, entry, status, (id, now), words(outcome, status), warning(outcome));
    }

    /// Writes of an operation of a plan that it is not done, and why.
    pub fn pass_over(&mut self, plan_id: PlanId, index: usize, entry: &SavedOperation, status: Status, why: &str) {
        let id = (entry.op != Kind::Create).then(|| entry.r#ref.clone());
        self.put(OpId { plan_id, index }, entry, status, (id, None), Some(why.to_owned()), None);
    }

    /// Writes of an operation of a plan that it was done before; of a create, with the segment that is there.
    pub fn done_before(&mut self, plan_id: PlanId, index: usize, entry: &SavedOperation, created: Option<&SegmentId>) {
        let id = created.map_or_else(|| entry.r#ref.clone(), ToString::to_string);
        self.put(OpId { plan_id, index }, entry, Status::AlreadyDone, (Some(id), None), None, None);
    }

    fn put(
        &mut self,
        op: OpId,
        entry: &SavedOperation,
        status: Status,
        (id, now): (Option<String>, Option<Fields>),
        error: Option<String>,
        warning: Option<&'static str>,
    ) {
        self.write_line(&ReportLine {
            format_version: FORMAT_VERSION,
            time: clock::now().to_string(),
            run: op.plan_id.0,
            operation: Some(op.index),
            status,
            op: Some(entry.op),
            r#ref: &entry.r#ref,
            id,
            path: &entry.path,
            new_path: entry.new_path.as_deref(),
            line: entry.line,
            before: entry.before.as_ref(),
            after: entry.after.as_ref(),
            now,
            error,
            warning,
        });
    }

    /// Writes of a row that a person has to decide about it.
    pub fn undecided(&mut self, plan_id: PlanId, conflict: &Conflict) {
        self.write_line(&ReportLine {
            format_version: FORMAT_VERSION,
            time: clock::now().to_string(),
            run: plan_id.0,
            operation: None,
            status: Status::Undecided,
            op: None,
            r#ref: "",
            id: conflict.segment.as_ref().map(|segment| segment.id.to_string()),
            path: &conflict.name,
            new_path: None,
            line: Some(conflict.line),
            before: None,
            after: None,
            now: conflict.segment.as_ref().map(|segment| Fields::of_segment(segment)),
            error: Some(conflict.reason.to_string()),
            warning: None,
        });
    }

    /// Why the report has ended before its time.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Nothing is written after a line that couldn't be: half a line would be read as another one.
    fn write_line(&mut self, line: &ReportLine<'_>) {
        let Some(file) = &mut self.file else { return };
        let line = serde_json::to_string(line).map_err(io::Error::from);
        let written = line.and_then(|line| file.write_all((printable_json(&line) + "\n").as_bytes()));
        let Err(error) = written else { return };
        self.file = None;
        // Who read it has seen enough.
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.fault = Some(format!("the report can't be written: {}", files::reason(&error)));
        }
    }
}

/// What is to be known of an operation that a run had sent when it was interrupted.
const RECOVERED: &str = "it was in flight when an earlier run was interrupted, and was found to be applied";

/// Opens a file to be written on at its end, on a line of its own. A pipe or a device is written to as it is.
fn continued(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return files::private().write(true).open(path);
    }
    let mut file = files::private().create(true).append(true).read(true).open(path)?;
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            // The run that wrote it was ended within a line.
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// What somebody should look at although an operation is done.
pub(in crate::cli) fn warning(outcome: &Outcome) -> Option<&'static str> {
    let Outcome::Done(result) = outcome else { return None };
    match &**result {
        WriteResult::Updated(Written { concurrent_write: true, .. })
        | WriteResult::Created(Written { concurrent_write: true, .. })
        | WriteResult::Deleted { concurrent_write: true, .. } => {
            Some("someone else changed it at the same moment, and their change may be lost; check with them")
        }
        WriteResult::Created(Written { existed: true, .. }) => {
            Some("it already existed: the server returned it instead of creating a new one")
        }
        _ => None,
    }
}

/// Why an operation is not done, as a phrase.
fn words(outcome: &Outcome, status: Status) -> Option<String> {
    match (outcome, status) {
        (Outcome::Done(result), Status::DoneOtherwise) => {
            let (WriteResult::Created(Written { ignored, .. }) | WriteResult::Updated(Written { ignored, .. })) =
                &**result
            else {
                return None;
            };
            let fields: Vec<String> = ignored.iter().map(Field::to_string).collect();
            Some(format!("the server didn't take its {}", fields.join(" and ")))
        }
        (Outcome::Done(_), _) => None,
        (Outcome::Failed(error), _) => Some(error.to_string()),
        (Outcome::Open, Status::OnHold) => Some("a change it depends on wasn't applied".into()),
        (Outcome::Open, Status::InDoubt) => Some("it was sent and not answered; the next session looks for it".into()),
        (Outcome::Open, _) => Some("not sent".into()),
    }
}

/// How many operations have become what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Tally {
    pub created: usize,
    pub updated: usize,
    pub moved: usize,
    pub deleted: usize,
    /// Done before, by an earlier session or by others.
    pub already_done: usize,
    pub failed: usize,
    pub conflicts: usize,
    /// May have been applied.
    pub in_doubt: usize,
    pub on_hold: usize,
    pub not_sent: usize,
}

impl Tally {
    /// Counts.
    pub fn of(sent: &Sent) -> Self {
        let mut tally = Self::default();
        for (status, entry) in sent.statuses.iter().zip(&sent.entries) {
            *match (status, entry.operation.op) {
                (Status::Done, Kind::Create) => &mut tally.created,
                (Status::Done, Kind::Update) => &mut tally.updated,
                (Status::Done, Kind::Move) => &mut tally.moved,
                (Status::Done, Kind::Delete) => &mut tally.deleted,
                (Status::DoneOtherwise | Status::Failed, _) => &mut tally.failed,
                (Status::Conflict | Status::Undecided, _) => &mut tally.conflicts,
                (Status::InDoubt, _) => &mut tally.in_doubt,
                (Status::AlreadyDone, _) => &mut tally.already_done,
                (Status::OnHold, _) => &mut tally.on_hold,
                (Status::NotSent, _) => &mut tally.not_sent,
            } += 1;
        }
        tally
    }

    /// How many were done.
    pub const fn done(&self) -> usize {
        self.created + self.updated + self.moved + self.deleted
    }

    /// How many were to be done and are not.
    pub const fn left(&self) -> usize {
        self.failed + self.conflicts + self.in_doubt + self.on_hold + self.not_sent
    }
}

/// The sum in words.
pub(in crate::cli) fn sum(tally: &Tally) -> String {
    let counts = [
        (tally.created, "created"),
        (tally.updated, "updated"),
        (tally.moved, "moved"),
        (tally.deleted, "deleted"),
        (tally.already_done, "done before"),
        (tally.failed, "failed"),
        (tally.conflicts, "in conflict"),
        (tally.in_doubt, "in doubt"),
        (tally.on_hold, "on hold"),
        (tally.not_sent, "not sent"),
    ];
    let told: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", grouped(count)))
        .collect();
    if told.is_empty() { "nothing to do".into() } else { told.join(", ") }
}

/// How the program ends, with what is to be said of what was not done. `undecided` is what was not sent for another reason, and `hint`
/// what to do about all of it.
pub(in crate::cli) fn end_of(sent: &Sent, tally: &Tally, undecided: Vec<Detail>, hint: &str) -> Result<Exit, Failure> {
    let total = tally.done() + tally.left();
    let (done, total) = (grouped(tally.done()), grouped(total));
    let again = "run it again to continue; what was applied isn't sent twice";
    match &sent.stopped {
        Some(Stop::Signalled(signal)) => {
            let error = format_args!("stopped: {done} of {total} changes applied");
            return Err(Failure::new(Exit::Signalled(*signal), error).hint(again));
        }
        Some(Stop::Unreachable(error)) => {
            let error = format_args!("{done} of {total} changes applied, then the server couldn't be reached: {error}");
            return Err(Failure::new(Exit::Unreachable, error).hint(again));
        }
        Some(Stop::KeyRefused(error)) => {
            let error = format_args!("{done} of {total} changes applied, then the key was rejected: {error}");
            return Err(Failure::new(Exit::KeyRefused, error).hint("check the API key, then run it again to continue"));
        }
        Some(Stop::TooLate) => {
            let error = format_args!("{done} of {total} changes applied within the --timeout");
            return Err(Failure::new(Exit::Unreachable, error).hint(again));
        }
        Some(Stop::NotWritten(why)) => {
            let exit = if tally.done() > 0 { Exit::Partly } else { Exit::Failed };
            let error = format_args!("{done} of {total} changes applied, then {why}");
            return Err(
                Failure::new(exit, error).hint(format_args!("free some space or name another file, then {again}"))
            );
        }
        Some(Stop::OnError) | None => {}
    }
    let failed = sent.outcomes.iter().zip(&sent.entries).filter_map(|(outcome, Entry { operation: entry, .. })| {
        let status = Status::of(outcome);
        // What was not begun is told by the sum.
        let said = !status.is_done() && *outcome != Outcome::Open;
        said.then(|| Detail {
            line: entry.line,
            text: format!("{} {}: {}", entry.op.text(), entry.path, words(outcome, status).unwrap_or_default()),
        })
    });
    let details: Vec<Detail> = failed.chain(undecided).collect();
    if details.is_empty() && tally.left() == 0 {
        return Ok(Exit::Done);
    }
    let exit = if tally.done() + tally.already_done > 0 { Exit::Partly } else { Exit::Failed };
    Err(Failure::new(exit, format_args!("not everything was applied: {}", sum(tally))).details(details).hint(hint))
}
