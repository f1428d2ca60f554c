//! `segtui history`: what was changed from this account, run by run, by commands and in the interface.

mod undone;

use std::fmt::{self, Write};

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::changes::{DoneOp, PlanId};
use crate::forest::Reference;
use crate::planning::{Fields, Kind};
use crate::printable::{printable, printable_json};
use crate::segment::{Field, Segment, SegmentId};
use crate::store::{self, HistoryEntry};

use super::arguments::{HistoryArguments, HistoryForm};
use super::exit::Exit;
use super::failure::Failure;
use super::link::Link;
use super::load::load_segments;
use super::output::{self, Content, Target};
use super::paint::Paint;
use super::reference;
use super::surroundings::CommandContext;
use undone::Undone;

/// Version of the JSON format. Adding fields doesn't change it, anything else does.
const FORMAT_VERSION: u32 = 1;

pub(super) async fn run(arguments: HistoryArguments, context: CommandContext) -> Result<Exit, Failure> {
    let link = context.link().await?;
    let since = arguments.since.unwrap_or(Timestamp::UNIX_EPOCH);
    let entries = match &arguments.reference {
        None => entries(&context, &link, since).await?,
        Some(reference) => {
            // The reference may name a segment as it was in older entries.
            let mut entries = entries(&context, &link, Timestamp::UNIX_EPOCH).await?;
            let mut ids = ids_in_history(reference, &entries);
            if ids.is_empty() {
                let loaded = load_segments(&link, context.notes).await?;
                ids.insert(reference::segment(&loaded, reference)?);
            }
            entries.retain(|entry| entry.at >= since && ids.contains(&entry.effect.segment().id));
            entries
        }
    };
    let (form, paint, notes) = (arguments.output, context.paint, context.notes);
    if entries.is_empty() && form == HistoryForm::Text {
        notes.remark("nothing was changed from here");
    }
    let by_run = arguments.reference.is_none();
    let (tenant, host) = (link.connection.tenant.clone(), link.connection.base_url.host());
    output::blocking(move |cancelled| {
        let output_kind = if form == HistoryForm::Text { Content::HumanReadable } else { Content::Data };
        Target::Stdout.write(output_kind, cancelled, |out| match form {
            HistoryForm::Text if by_run => write_runs(out, &runs(entries), paint),
            HistoryForm::Text => write_changes(out, &entries, paint),
            HistoryForm::Ndjson => entries.iter().try_for_each(|entry| writeln!(out, "{}", object(entry)?)),
            HistoryForm::Json => write_json(out, &entries, &tenant, &host),
        })
    })
    .await?;
    Ok(Exit::Done)
}

/// Returns all changes since a time, the oldest first.
pub(super) async fn entries(
    context: &CommandContext,
    link: &Link,
    since: Timestamp,
) -> Result<Vec<HistoryEntry>, Failure> {
    let files = context.histories_of(link);
    output::blocking(move |_| {
        let mut entries = Vec::new();
        for file in files {
            let read = store::history(&file, since);
            entries.extend(read.map_err(|error| {
                Failure::failed(format_args!("couldn't read the history: {error}"))
                    .hint("if the file is damaged, move it away; what comes next begins a new one")
            })?);
        }
        entries.sort_by_key(|entry| entry.at);
        Ok(entries)
    })
    .await
}

/// Returns the segments of the history that a reference names, whether they still exist or not. Several may have had the same
/// external id. A path is resolved in the current tree instead.
fn ids_in_history(reference: &Reference, entries: &[HistoryEntry]) -> HashSet<SegmentId> {
    let with_external_id = |external_id: &str| -> HashSet<SegmentId> {
        let has = |entry: &&HistoryEntry| {
            let (before, after) = before_and_after(&entry.effect);
            [before, after].into_iter().flatten().any(|segment| segment.external_id.as_deref() == Some(external_id))
        };
        entries.iter().filter(has).map(|entry| entry.effect.segment().id.clone()).collect()
    };
    let with_id = |id: &SegmentId| -> HashSet<SegmentId> {
        let is_known = entries.iter().any(|entry| entry.effect.segment().id == *id);
        is_known.then(|| id.clone()).into_iter().collect()
    };
    match reference {
        Reference::Id(id) => with_id(id),
        Reference::ExternalId(external_id) => with_external_id(external_id),
        Reference::Word(word) => {
            let ids = SegmentId::new(word).map(|id| with_id(&id)).unwrap_or_default();
            if ids.is_empty() { with_external_id(word) } else { ids }
        }
        Reference::Path(_) => HashSet::new(),
    }
}

/// The changes that were made under one plan.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub plan_id: PlanId,
    pub title: String,
    /// When it made its first change.
    pub started: Timestamp,
    /// The run that it undoes.
    pub undoes: Option<PlanId>,
    /// The last run that has undone all or part of it.
    pub undone_by: Option<PlanId>,
    /// All its changes.
    pub changes: Vec<DoneOp>,
    /// Its changes that are not undone, with the current ids of their segments.
    pub remaining: Vec<DoneOp>,
}

/// Groups a history by run, the oldest first.
pub(super) fn runs(mut entries: Vec<HistoryEntry>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut indices: HashMap<PlanId, usize> = HashMap::new();
    for HistoryEntry { at, op, title, undoes, .. } in &entries {
        let index = *indices.entry(op.plan_id).or_insert_with(|| {
            let (title, changes, remaining) = (title.clone(), Vec::new(), Vec::new());
            runs.push(Run {
                plan_id: op.plan_id,
                title,
                started: *at,
                undoes: None,
                undone_by: None,
                changes,
                remaining,
            });
            runs.len() - 1
        });
        runs[index].undoes = runs[index].undoes.or(*undoes);
    }
    for entry in &mut entries {
        entry.undoes = indices.get(&entry.op.plan_id).and_then(|index| runs[*index].undoes);
    }
    let undone = undone::undone(&entries);
    for (HistoryEntry { op, effect, .. }, undone) in entries.into_iter().zip(undone) {
        let Some(run) = indices.get(&op.plan_id).and_then(|index| runs.get_mut(*index)) else { continue };
        match undone {
            Undone::By(by) => run.undone_by = run.undone_by.max(Some(by)),
            Undone::Not(now) => run.remaining.push(now),
        }
        run.changes.push(effect);
    }
    for at in 0..runs.len() {
        if let Some(undone) = runs[at].undoes.and_then(|undone| indices.get(&undone)) {
            // A change recovered after an interruption doesn't have its run's title.
            let title = runs[*undone].title.clone();
            runs[at].title = title;
        }
    }
    runs
}

impl Run {
    /// Returns its title, marked if it is an undo.
    pub fn display_title(&self) -> String {
        if self.undoes.is_some() { format!("undo: {}", self.title) } else { self.title.clone() }
    }

    /// Whether only a part of it was undone.
    pub fn is_partly_undone(&self) -> bool {
        self.undone_by.is_some() && !self.remaining.is_empty()
    }
}

fn time(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn write_runs(out: &mut dyn Write, runs: &[Run], paint: Paint) -> fmt::Result {
    for run in runs.iter().rev() {
        let count = |kind: Kind| run.changes.iter().filter(|effect| self::kind(effect) == kind).count();
        let counts = [
            (count(Kind::Create), "created"),
            (count(Kind::Update), "updated"),
            (count(Kind::Move), "moved"),
            (count(Kind::Delete), "deleted"),
        ];
        let text: Vec<String> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let partly = if run.is_partly_undone() { "partly " } else { "" };
        let undone = run.undone_by.map(|by| format!("  ({partly}undone by {})", by.0)).unwrap_or_default();
        let text = format!("{}: {}{undone}", run.display_title(), text.join(", "));
        writeln!(out, "{}  {}  {}", paint.dim(&time(run.started)), run.plan_id.0, printable(&text))?;
    }
    Ok(())
}

fn write_changes(out: &mut dyn Write, entries: &[HistoryEntry], paint: Paint) -> fmt::Result {
    for HistoryEntry { at, op, title, undoes, effect } in entries.iter().rev() {
        let what = match effect {
            DoneOp::Created(segment) => format!("create  {}", describe(segment)),
            DoneOp::Deleted { segment, .. } => format!("delete  {}", describe(segment)),
            DoneOp::Updated { before, after, fields } => {
                let shown = |segment: &Segment, field: Field| segment.field(field).unwrap_or_else(|| "(none)".into());
                let changed: Vec<String> = fields
                    .iter()
                    .map(|field| format!("{field}: {} → {}", shown(before, *field), shown(after, *field)))
                    .collect();
                format!("{}  {}  {}", kind(effect).text(), describe(after), changed.join(", "))
            }
        };
        let undo = if undoes.is_some() { "undo: " } else { "" };
        let text = format!("{what}  ({undo}{title})");
        writeln!(out, "{}  {}  {}", paint.dim(&time(*at)), op.plan_id.0, printable(&text))?;
    }
    Ok(())
}

fn describe(segment: &Segment) -> String {
    let external_id = segment.external_id.as_ref().map(|external_id| format!("  [{external_id}]"));
    format!("{}{}  id={}", segment.name, external_id.unwrap_or_default(), segment.id)
}

fn kind(effect: &DoneOp) -> Kind {
    match effect {
        DoneOp::Created(_) => Kind::Create,
        DoneOp::Updated { fields, .. } if fields.contains(&Field::Parent) => Kind::Move,
        DoneOp::Updated { .. } => Kind::Update,
        DoneOp::Deleted { .. } => Kind::Delete,
    }
}

fn before_and_after(effect: &DoneOp) -> (Option<&Segment>, Option<&Segment>) {
    match effect {
        DoneOp::Created(segment) => (None, Some(segment)),
        DoneOp::Updated { before, after, .. } => (Some(before), Some(after)),
        DoneOp::Deleted { segment, .. } => (Some(segment), None),
    }
}

#[derive(Serialize)]
struct Change<'a> {
    format_version: u32,
    time: String,
    run: u64,
    title: &'a str,
    undoes: Option<u64>,
    op: Kind,
    id: &'a SegmentId,
    before: Option<Fields>,
    after: Option<Fields>,
}

fn object(entry: &HistoryEntry) -> Result<String, fmt::Error> {
    let (before, after) = before_and_after(&entry.effect);
    let change = Change {
        format_version: FORMAT_VERSION,
        time: entry.at.to_string(),
        run: entry.op.plan_id.0,
        title: &entry.title,
        undoes: entry.undoes.map(|undone| undone.0),
        op: kind(&entry.effect),
        id: &entry.effect.segment().id,
        before: before.map(Fields::of_segment),
        after: after.map(Fields::of_segment),
    };
    Ok(printable_json(&serde_json::to_string(&change).map_err(|_| fmt::Error)?))
}

fn write_json(out: &mut dyn Write, entries: &[HistoryEntry], tenant: &str, host: &str) -> fmt::Result {
    let head = serde_json::json!({ "format_version": FORMAT_VERSION, "tenant": tenant, "host": host }).to_string();
    write!(out, "{},\"changes\":[", head.strip_suffix('}').unwrap_or(&head))?;
    let mut separator = "\n";
    for entry in entries {
        write!(out, "{separator}{}", object(entry)?)?;
        separator = ",\n";
    }
    out.write_str(if separator == "\n" { "]}\n" } else { "\n]}\n" })
}
