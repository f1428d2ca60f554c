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
use super::load::everything;
use super::output::{self, Content, Target};
use super::paint::Paint;
use super::reference;
use super::surroundings::Surroundings;
use undone::Undone;

/// Version of the JSON format. Adding fields doesn't change it, anything else does.
const FORMAT_VERSION: u32 = 1;

pub(super) async fn run(arguments: HistoryArguments, surroundings: Surroundings) -> Result<Exit, Failure> {
    let link = surroundings.link().await?;
    let since = arguments.since.unwrap_or(Timestamp::UNIX_EPOCH);
    let entries = match &arguments.reference {
        None => entries(&surroundings, &link, since).await?,
        Some(reference) => {
            // The reference may name a segment as it was in older entries.
            let mut entries = entries(&surroundings, &link, Timestamp::UNIX_EPOCH).await?;
            let mut ids = named(reference, &entries);
            if ids.is_empty() {
                let loaded = everything(&link, surroundings.notes).await?;
                ids.insert(reference::segment(&loaded, reference)?);
            }
            entries.retain(|entry| entry.at >= since && ids.contains(&entry.did.segment().id));
            entries
        }
    };
    let (form, paint, notes) = (arguments.output, surroundings.paint, surroundings.notes);
    if entries.is_empty() && form == HistoryForm::Text {
        notes.remark("nothing was changed from here");
    }
    let by_run = arguments.reference.is_none();
    let (tenant, host) = (link.connection.tenant.clone(), link.connection.base_url.host());
    output::blocking(move |cancelled| {
        let content = if form == HistoryForm::Text { Content::Reading } else { Content::Data };
        Target::Stdout.write(content, cancelled, |out| match form {
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
    surroundings: &Surroundings,
    link: &Link,
    since: Timestamp,
) -> Result<Vec<HistoryEntry>, Failure> {
    let files = surroundings.histories_of(link);
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
fn named(reference: &Reference, entries: &[HistoryEntry]) -> HashSet<SegmentId> {
    let with_external_id = |external_id: &str| -> HashSet<SegmentId> {
        let has = |entry: &&HistoryEntry| {
            let (before, after) = before_and_after(&entry.did);
            [before, after].into_iter().flatten().any(|segment| segment.external_id.as_deref() == Some(external_id))
        };
        entries.iter().filter(has).map(|entry| entry.did.segment().id.clone()).collect()
    };
    let with_id = |id: &SegmentId| -> HashSet<SegmentId> {
        let is_known = entries.iter().any(|entry| entry.did.segment().id == *id);
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
    pub begun: Timestamp,
    /// The run that it undoes.
    pub undoes: Option<PlanId>,
    /// The last run that has undone all or part of it.
    pub undone_by: Option<PlanId>,
    /// All its changes.
    pub did: Vec<DoneOp>,
    /// Its changes that are not undone, with the current ids of their segments.
    pub left: Vec<DoneOp>,
}

/// Groups a history by run, the oldest first.
pub(super) fn runs(mut entries: Vec<HistoryEntry>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut places: HashMap<PlanId, usize> = HashMap::new();
    for HistoryEntry { at, op, title, undoes, .. } in &entries {
        let place = *places.entry(op.plan_id).or_insert_with(|| {
            let (title, did, left) = (title.clone(), Vec::new(), Vec::new());
            runs.push(Run { plan_id: op.plan_id, title, begun: *at, undoes: None, undone_by: None, did, left });
            runs.len() - 1
        });
        runs[place].undoes = runs[place].undoes.or(*undoes);
    }
    for entry in &mut entries {
        entry.undoes = places.get(&entry.op.plan_id).and_then(|place| runs[*place].undoes);
    }
    let undone = undone::undone(&entries);
    for (HistoryEntry { op, did, .. }, undone) in entries.into_iter().zip(undone) {
        let Some(run) = places.get(&op.plan_id).and_then(|place| runs.get_mut(*place)) else { continue };
        match undone {
            Undone::By(by) => run.undone_by = run.undone_by.max(Some(by)),
            Undone::Not(now) => run.left.push(now),
        }
        run.did.push(did);
    }
    for at in 0..runs.len() {
        if let Some(undone) = runs[at].undoes.and_then(|undone| places.get(&undone)) {
            // A change recovered after an interruption doesn't have its run's title.
            let title = runs[*undone].title.clone();
            runs[at].title = title;
        }
    }
    runs
}

impl Run {
    /// Returns its title, marked if it is an undo.
    pub fn called(&self) -> String {
        if self.undoes.is_some() { format!("undo: {}", self.title) } else { self.title.clone() }
    }

    /// Whether only a part of it was undone.
    pub fn is_partly_undone(&self) -> bool {
        self.undone_by.is_some() && !self.left.is_empty()
    }
}

fn time(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn write_runs(out: &mut dyn Write, runs: &[Run], paint: Paint) -> fmt::Result {
    for run in runs.iter().rev() {
        let count = |kind: Kind| run.did.iter().filter(|did| self::kind(did) == kind).count();
        let counts = [
            (count(Kind::Create), "created"),
            (count(Kind::Update), "updated"),
            (count(Kind::Move), "moved"),
            (count(Kind::Delete), "deleted"),
        ];
        let told: Vec<String> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let partly = if run.is_partly_undone() { "partly " } else { "" };
        let undone = run.undone_by.map(|by| format!("  ({partly}undone by {})", by.0)).unwrap_or_default();
        let told = format!("{}: {}{undone}", run.called(), told.join(", "));
        writeln!(out, "{}  {}  {}", paint.dim(&time(run.begun)), run.plan_id.0, printable(&told))?;
    }
    Ok(())
}

fn write_changes(out: &mut dyn Write, entries: &[HistoryEntry], paint: Paint) -> fmt::Result {
    for HistoryEntry { at, op, title, undoes, did } in entries.iter().rev() {
        let what = match did {
            DoneOp::Created(segment) => format!("create  {}", called(segment)),
            DoneOp::Deleted { segment, .. } => format!("delete  {}", called(segment)),
            DoneOp::Updated { before, after, fields } => {
                let shown = |segment: &Segment, field: Field| segment.field(field).unwrap_or_else(|| "(none)".into());
                let changed: Vec<String> = fields
                    .iter()
                    .map(|field| format!("{field}: {} → {}", shown(before, *field), shown(after, *field)))
                    .collect();
                format!("{}  {}  {}", kind(did).text(), called(after), changed.join(", "))
            }
        };
        let undo = if undoes.is_some() { "undo: " } else { "" };
        let told = format!("{what}  ({undo}{title})");
        writeln!(out, "{}  {}  {}", paint.dim(&time(*at)), op.plan_id.0, printable(&told))?;
    }
    Ok(())
}

fn called(segment: &Segment) -> String {
    let external_id = segment.external_id.as_ref().map(|external_id| format!("  [{external_id}]"));
    format!("{}{}  id={}", segment.name, external_id.unwrap_or_default(), segment.id)
}

fn kind(did: &DoneOp) -> Kind {
    match did {
        DoneOp::Created(_) => Kind::Create,
        DoneOp::Updated { fields, .. } if fields.contains(&Field::Parent) => Kind::Move,
        DoneOp::Updated { .. } => Kind::Update,
        DoneOp::Deleted { .. } => Kind::Delete,
    }
}

fn before_and_after(did: &DoneOp) -> (Option<&Segment>, Option<&Segment>) {
    match did {
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
    let (before, after) = before_and_after(&entry.did);
    let change = Change {
        format_version: FORMAT_VERSION,
        time: entry.at.to_string(),
        run: entry.op.plan_id.0,
        title: &entry.title,
        undoes: entry.undoes.map(|undone| undone.0),
        op: kind(&entry.did),
        id: &entry.did.segment().id,
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
