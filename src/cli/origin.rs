//! Where wanted segments come from: a file, the tenant of another profile, or its stored snapshot.
//!
//! A tenant is read as its own CSV export, so it is handled like a file: line numbers are those of the export, and rejects can be
//! written in its form.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::config::Connection;
use crate::forest::Forest;
use crate::formats::csv::{self, Dialect, ReadOptions};
use crate::formats::{Part, Record, rows};
use crate::planning::Key;
use crate::segment::{Segment, SegmentId};
use crate::store::{self, Completeness};

use super::arguments::{MatchingArguments, ReadingArguments, ScopeQuery, SourceArguments, SourceFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::link::Link;
use super::load::load_complete;
use super::notes::Notes;
use super::output;
use super::source::{self, Input, Purpose, Source};
use super::surroundings::CommandContext;

/// What a `SRC` argument names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file, or stdin.
    File(PathBuf),
    /// The tenant of a profile, fetched now.
    Profile(String),
    /// The tenant of a profile, as the interface last saw it.
    Store(String),
}

/// The name of a tenant that is a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TenantName {
    pub tenant: String,
    pub host: String,
    pub profile: String,
}

/// The segments of a tenant that is a source.
pub(super) struct Segments {
    pub forest: Forest,
    pub tenant_name: TenantName,
}

impl Origin {
    /// Parses an argument.
    pub fn of(argument: &Path) -> Result<Self, Failure> {
        let text = argument.to_str().unwrap_or_default();
        let named = |kind: &str| text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':'));
        match (named("profile"), named("store")) {
            (Some(""), _) | (_, Some("")) => Err(Failure::usage(format_args!("{text} names no profile"))
                .hint("write profile:NAME, or ./profile: for a file of that name")),
            (Some(profile), _) => Ok(Self::Profile(profile.to_owned())),
            (_, Some(profile)) => Ok(Self::Store(profile.to_owned())),
            (None, None) => Ok(Self::File(argument.to_owned())),
        }
    }

    /// Reads wanted segments, or a plan.
    pub async fn input(
        &self,
        reading: &ReadingArguments,
        scope: &MatchingArguments,
        purpose: Purpose,
        context: &CommandContext,
    ) -> Result<Input, Failure> {
        if let Self::File(path) = self {
            let (path, reading) = (path.clone(), reading.clone());
            return output::blocking(move |_| source::read_from(&path, &reading, purpose)).await;
        }
        let (name, segments) = (self.to_string(), self.segments(purpose, context).await?);
        let scope = scope.clone();
        output::blocking(move |_| Ok(Input::Rows(to_source(name, segments, &scope)?))).await
    }

    /// Loads the segments of a tenant. Fails for a file.
    async fn segments(&self, purpose: Purpose, context: &CommandContext) -> Result<Segments, Failure> {
        match self {
            Self::File(path) => Err(Failure::usage(format_args!("{} is a file", path.display()))),
            Self::Profile(profile) => {
                let link = context.link_of(profile)?;
                let consequence = format!("{self} can't be compared with anything");
                let loaded = load_complete(&link, context.notes, &consequence).await?;
                let tenant_name = TenantName { tenant: loaded.tenant, host: loaded.host, profile: profile.clone() };
                Ok(Segments { forest: loaded.forest, tenant_name })
            }
            Self::Store(profile) => {
                let (location, file) = context.store_of(profile)?;
                let tenant_name =
                    TenantName { tenant: location.tenant, host: location.base_url.host(), profile: profile.clone() };
                let notes = context.notes;
                output::blocking(move |_| load_stored(&file, tenant_name, purpose, notes)).await
            }
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Profile(profile) => write!(f, "profile:{profile}"),
            Self::Store(profile) => write!(f, "store:{profile}"),
        }
    }
}

/// Returns how to read a file: with the headings of the profile, unless a flag sets others.
fn with_headings_of(connection: &Connection, reading: &ReadingArguments) -> ReadingArguments {
    let named = || Some(connection.columns.clone()).filter(|columns| !columns.is_empty());
    ReadingArguments { columns: reading.columns.clone().or_else(named), ..reading.clone() }
}

/// Reads the source of a plan. Refuses a tenant that is also the target.
pub(super) async fn input(
    arguments: &SourceArguments,
    matching: &MatchingArguments,
    target: &Link,
    context: &CommandContext,
) -> Result<Input, Failure> {
    let reading = with_headings_of(&target.connection, &arguments.reading);
    let purpose = Purpose::Planning { key: matching.key, ids_as_written: arguments.ids_as_written };
    let input = Origin::of(&arguments.source)?.input(&reading, matching, purpose, context).await?;
    let Input::Rows(mut source) = input else { return Ok(input) };
    if let Some(tenant_name) = &source.tenant {
        let is_target = (tenant_name.tenant.as_str(), tenant_name.host.as_str())
            == (target.connection.tenant.as_str(), target.connection.base_url.host().as_str());
        if is_target && arguments.source.to_str().is_some_and(|text| text.starts_with("profile:")) {
            return Err(Failure::usage(format_args!("{} is the same tenant as the target", source.name))
                .hint("name another tenant: the one to change with --to NAME, or the source"));
        }
        // Ids are only valid in their own tenant.
        source.key = (!is_target).then_some(Key::ExternalId);
    }
    Ok(Input::Rows(source))
}

/// Why a stored list that seems complete may still lack changes.
const UNCONFIRMED: &str =
    "was loaded shortly before segtui was closed, or a segment couldn't be fetched: the latest changes may be missing";

fn load_stored(file: &Path, tenant_name: TenantName, purpose: Purpose, notes: Notes) -> Result<Segments, Failure> {
    let not_stored = || {
        Failure::failed(format_args!("nothing is stored of {} on {}", tenant_name.tenant, tenant_name.host))
            .hint(format_args!("open it once with `segtui --profile {}`, or use profile:{0}", tenant_name.profile))
    };
    let snapshot = store::read_last_snapshot(file).map_err(Failure::failed)?.ok_or_else(not_stored)?;
    let refused = |why: &str| {
        Failure::new(Exit::Incomplete, format_args!("what is stored of {} {why}", tenant_name.tenant)).hint(
            format_args!(
                "open it for a minute or two with `segtui --profile {}`, or use profile:{0}",
                tenant_name.profile
            ),
        )
    };
    match (snapshot.completeness, purpose) {
        (Completeness::Complete, _) => {}
        (Completeness::Unconfirmed, Purpose::Inspecting) => {
            notes.note(format_args!("what is stored of {} {UNCONFIRMED}", tenant_name.tenant));
        }
        (Completeness::Unconfirmed, Purpose::Planning { .. }) => return Err(refused(UNCONFIRMED)),
        (Completeness::Incomplete, _) => {
            return Err(refused("is incomplete: segtui was closed before a list of it was found to be whole"));
        }
    }
    let count = snapshot.segments.len();
    Ok(Segments { forest: Forest::from_segments(count, snapshot.segments.into_iter()), tenant_name })
}

/// Converts segments to the rows of their export. Only those in scope: a part of another tenant speaks only for that part.
fn to_source(name: String, segments: Segments, scope: &MatchingArguments) -> Result<Source, Failure> {
    let Segments { mut forest, tenant_name } = segments;
    let mut text = String::new();
    let part = match (&scope.root, &scope.r#match) {
        (Some(root), _) => {
            let unresolved = |_| {
                Failure::failed(format_args!("{name} has not exactly one segment {root}"))
                    .hint("name it in a way that is right for both tenants, such as ext=…")
            };
            let root = forest.resolve(root).map_err(unresolved)?.id.clone();
            Part::below(&mut forest, &root)
        }
        (None, Some(ScopeQuery { query, .. })) => Part::matching(&mut forest, query.clone()),
        (None, None) => Part::whole(&mut forest),
    };
    let ids: HashSet<&SegmentId> = part.segments().map(|segment| &segment.id).collect();
    // A parent outside the scope is referred to by external id only: its id is not valid elsewhere.
    let is_outside = |record: &Record<'_>| {
        record.parent_external_id.is_some() && record.segment.parent.as_ref().is_some_and(|id| !ids.contains(id))
    };
    let topmost: HashMap<&SegmentId, Segment> = part
        .records()
        .filter(is_outside)
        .map(|record| (&record.segment.id, Segment { parent: None, ..record.segment.clone() }))
        .collect();
    let records = part.records().map(|record| match topmost.get(&record.segment.id) {
        Some(segment) => Record { segment, ..record },
        None => record,
    });
    csv::write(&mut text, records, Dialect::Plain)
        .map_err(|_| Failure::failed(format_args!("internal error: {name} can't be written as CSV")))?;
    let options = ReadOptions { delimiter: None, columns: rows::ColumnNames::default() };
    let rows = csv::read(&text, &options).whole().map_err(|faults| source::faulty_rows(&name, &faults))?;
    Ok(Source { name, text, format: SourceFormat::Csv, rows, is_marked: false, tenant: Some(tenant_name), key: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::of(Path::new(text)).unwrap()
    }

    #[test]
    fn a_source_with_a_kind_prefix_is_not_a_file() {
        assert_eq!(origin("groups.csv"), Origin::File("groups.csv".into()));
        assert_eq!(origin("-"), Origin::File("-".into()));
        assert_eq!(origin("profile:prod"), Origin::Profile("prod".into()));
        assert_eq!(origin("store:a:b"), Origin::Store("a:b".into()));
        assert_eq!(origin("./profile:prod"), Origin::File("./profile:prod".into()));
        assert_eq!(origin("profiles.csv"), Origin::File("profiles.csv".into()));
        assert!(Origin::of(Path::new("profile:")).is_err());
    }
}
