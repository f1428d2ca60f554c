//! Reports the outcome of operations: a line of JSON each as soon as it is known, the counts of all, and the exit code they lead
//! to.

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
use crate::planning::{Conflict, Fields, Kind, PlanReason, PlannedOperation, SavedOperation};
use crate::printable::printable_json;
use crate::segment::{Draft, Field, SegmentId};
use crate::store::HistoryEntry;

use super::super::exit::Exit;
use super::super::failure::{Detail, Failure};
use super::{Entry, Outcome, Sent, Stop};

/// Version of the format of a line. Adding fields doesn't change it, anything else does.
const FORMAT_VERSION: u32 = 1;

/// The report file, with one JSON line per operation.
#[derive(Debug)]
pub(in crate::cli) struct Report {
    file: Option<File>,
    /// Why a line couldn't be written. Nothing was written after it.
    fault: Option<String>,
}

/// The status of an operation in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Status {
    /// It is done.
    Done,
    /// It is done, but the server ignored some of its fields.
    DoneOtherwise,
    /// It was refused.
    Failed,
    /// Someone else has changed the same segment or its children.
    Conflict,
    /// A person has to decide about it.
    Undecided,
    /// It may have been applied; the next session looks it up.
    InDoubt,
    /// An operation that it depends on was not done.
    OnHold,
    /// It was not begun.
    NotSent,
    /// Part of a saved plan, already done by an earlier session or by someone else.
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
    /// The segment's state on the server, if known and different from what was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

impl Report {
    /// Opens a report. An existing file is appended to, so the lines of an interrupted run are kept. A new file is readable only
    /// by its owner.
    pub fn to(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self { file: None, fault: None }) };
        let file = open_for_append(path).map_err(|error| {
            Failure::failed(format_args!("couldn't write {}: {}", path.display(), files::reason(&error)))
                .hint("name another file for the report")
        })?;
        Ok(Self { file: Some(file), fault: None })
    }

    /// Writes an operation that an earlier run has applied, which was found out only in this run.
    pub fn recovered(&mut self, entry: &HistoryEntry, forest: &Forest) {
        let (operation, id) = match &entry.effect {
            DoneOp::Created(segment) => (Operation::Create { draft: Draft::of(segment) }, &segment.id),
            DoneOp::Updated { before, after, .. } => {
                (Operation::Update { base: Arc::clone(before), draft: Draft::of(after) }, &after.id)
            }
            DoneOp::Deleted { segment, .. } => (Operation::delete(Arc::clone(segment)), &segment.id),
        };
        let planned = PlannedOperation { operation, reason: PlanReason::Undo, after: None, existing: Vec::new() };
        for mut saved in SavedOperation::from_operations(&[planned], forest) {
            saved.r#ref = id.to_string();
            self.write_operation(entry.op, &saved, Status::Done, (Some(id.to_string()), None), None, Some(RECOVERED));
        }
    }

    /// Writes the outcome of an operation.
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
        self.write_operation(op, entry, status, (id, now), error_text(outcome, status), warning(outcome));
    }

    /// Writes that an operation of a plan was passed over, and why.
    pub fn skip(&mut self, plan_id: PlanId, index: usize, entry: &SavedOperation, status: Status, why: &str) {
        let id = (entry.op != Kind::Create).then(|| entry.r#ref.clone());
        self.write_operation(OpId { plan_id, index }, entry, status, (id, None), Some(why.to_owned()), None);
    }

    /// Writes that an operation of a plan was already done; for a create, with the id of the existing segment.
    pub fn already_done(&mut self, plan_id: PlanId, index: usize, entry: &SavedOperation, created: Option<&SegmentId>) {
        let id = created.map_or_else(|| entry.r#ref.clone(), ToString::to_string);
        self.write_operation(OpId { plan_id, index }, entry, Status::AlreadyDone, (Some(id), None), None, None);
    }

    fn write_operation(
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

    /// Writes a row that a person has to decide about.
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

    /// Returns why the report ended early, if it did.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Writes a line. Nothing is written after a failed line: the next one would be joined to half a line.
    fn write_line(&mut self, line: &ReportLine<'_>) {
        let Some(file) = &mut self.file else { return };
        let line = serde_json::to_string(line).map_err(io::Error::from);
        let written = line.and_then(|line| file.write_all((printable_json(&line) + "\n").as_bytes()));
        let Err(error) = written else { return };
        self.file = None;
        // A closed pipe is not an error.
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.fault = Some(format!("the report can't be written: {}", files::reason(&error)));
        }
    }
}

/// Warning for an operation that was in flight when an earlier run was interrupted.
const RECOVERED: &str = "it was in flight when an earlier run was interrupted, and was found to be applied";

/// Opens a file for appending, at the start of a line. A pipe or a device is opened as it is.
fn open_for_append(path: &Path) -> io::Result<File> {
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

/// Returns a warning about an operation that is done but needs attention.
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

/// Returns why an operation is not done, as a phrase.
fn error_text(outcome: &Outcome, status: Status) -> Option<String> {
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

/// Numbers of operations by status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Tally {
    pub created: usize,
    pub updated: usize,
    pub moved: usize,
    pub deleted: usize,
    /// Already done by an earlier session or by someone else.
    pub already_done: usize,
    pub failed: usize,
    pub conflicts: usize,
    /// May have been applied.
    pub in_doubt: usize,
    pub on_hold: usize,
    pub not_sent: usize,
}

impl Tally {
    /// Counts the operations of a plan by status.
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

    /// Returns how many were done.
    pub const fn done(&self) -> usize {
        self.created + self.updated + self.moved + self.deleted
    }

    /// Returns how many should have been done and were not.
    pub const fn left(&self) -> usize {
        self.failed + self.conflicts + self.in_doubt + self.on_hold + self.not_sent
    }
}

/// Returns the counts in words.
pub(in crate::cli) fn summary(tally: &Tally) -> String {
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
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", grouped(count)))
        .collect();
    if parts.is_empty() { "nothing to do".into() } else { parts.join(", ") }
}

/// Returns the exit code, or a failure that lists what was not done. `undecided` are the details of what was not sent for other
/// reasons, and `hint` says what to do about all of it.
pub(in crate::cli) fn final_result(
    sent: &Sent,
    tally: &Tally,
    undecided: Vec<Detail>,
    hint: &str,
) -> Result<Exit, Failure> {
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
        Some(Stop::TimedOut) => {
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
        // Operations that were not begun are only counted.
        let is_listed = !status.is_done() && *outcome != Outcome::Open;
        is_listed.then(|| Detail {
            line: entry.line,
            text: format!("{} {}: {}", entry.op.text(), entry.path, error_text(outcome, status).unwrap_or_default()),
        })
    });
    let details: Vec<Detail> = failed.chain(undecided).collect();
    if details.is_empty() && tally.left() == 0 {
        return Ok(Exit::Done);
    }
    let exit = if tally.done() + tally.already_done > 0 { Exit::Partly } else { Exit::Failed };
    Err(Failure::new(exit, format_args!("not everything was applied: {}", summary(tally))).details(details).hint(hint))
}
