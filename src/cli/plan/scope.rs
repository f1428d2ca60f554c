//! The scope of a plan and the flags about single rows, resolved in the tree.

use hashbrown::{HashMap, HashSet};

use crate::forest::Reference;
use crate::formats::Part;
use crate::formats::rows::{Column, Row, Rows};
use crate::planning::{Key, Scope};
use crate::segment::SegmentId;

use super::super::arguments::{MatchingArguments, ScopeQuery};
use super::super::failure::{Detail, Failure};
use super::super::load::Loaded;
use super::super::reference;

/// The flags about matching and scope, with their references resolved.
#[derive(Debug, Clone)]
pub(in crate::cli) struct PlanOptions {
    pub key: Option<Key>,
    pub scope: Scope,
    /// The scope in words.
    pub scope_text: String,
    pub prune: bool,
    /// The segments that `--renamed` gives for rows, by row index.
    pub renamed: HashMap<usize, SegmentId>,
    pub recreate: HashSet<SegmentId>,
    pub ids_as_written: bool,
}

impl PlanOptions {
    /// Resolves the flags in a tree, for the rows of a file.
    pub fn of(
        matching: &MatchingArguments,
        ids_as_written: bool,
        loaded: &mut Loaded,
        rows: &Rows,
    ) -> Result<Self, Failure> {
        let (scope, scope_text) = scope(matching, loaded)?;
        let recreate = matching.recreate.iter().map(|reference| recreated(reference, loaded, rows));
        let renamed = all_renamed(&matching.renamed, loaded, rows)?;
        let recreate: HashSet<SegmentId> = recreate.collect::<Result<_, _>>()?;
        if let Some(id) = renamed.values().find(|id| recreate.contains(*id)) {
            let error = format_args!("--renamed and --recreate both name the segment id={id}");
            return Err(Failure::usage(error).hint("leave the flag that is right"));
        }
        Ok(Self { key: matching.key, scope, scope_text, prune: matching.prune, renamed, recreate, ids_as_written })
    }
}

fn scope(matching: &MatchingArguments, loaded: &mut Loaded) -> Result<(Scope, String), Failure> {
    if let Some(root) = &matching.root {
        let root = reference::segment(loaded, root)?;
        let path = loaded.forest.path_text(&root).unwrap_or_else(|| format!("id={root}"));
        return Ok((Scope::Below(root), format!("{path} and its descendants")));
    }
    if let Some(ScopeQuery { text, query }) = &matching.r#match {
        let part = Part::matching(&mut loaded.forest, query.clone());
        let ids = part.segments().map(|segment| segment.id.clone()).collect();
        return Ok((Scope::Matching(ids), format!("segments that match {text}")));
    }
    let (scope, text) =
        if matching.all { (Scope::All, "all segments") } else { (Scope::Unscoped, "the rows of the file") };
    Ok((scope, text.into()))
}

/// Resolves a reference of `--recreate`. The segment may be gone, as when a command is repeated: then an id is enough, but a word
/// must be the id of a row.
fn recreated(reference: &Reference, loaded: &Loaded, rows: &Rows) -> Result<SegmentId, Failure> {
    let in_file = |id: &SegmentId| rows.rows.iter().any(|row| row.value(Column::Id) == Some(&id.text()));
    let id = match reference {
        Reference::Id(id) => Some(id.clone()),
        Reference::Word(word) => SegmentId::new(word).filter(in_file),
        Reference::ExternalId(_) | Reference::Path(_) => None,
    };
    reference::segment(loaded, reference).or_else(|failure| id.ok_or(failure))
}

/// Returns the segment of each row in `--renamed`. Neither may be named twice.
fn all_renamed(texts: &[String], loaded: &Loaded, rows: &Rows) -> Result<HashMap<usize, SegmentId>, Failure> {
    let mut all: HashMap<usize, SegmentId> = HashMap::new();
    for text in texts {
        let (row, id) = renamed(text, loaded, rows)?;
        if all.values().any(|other| *other == id) {
            return Err(Failure::usage(format_args!("--renamed names the segment id={id} twice"))
                .hint("leave the flag that is right"));
        }
        if let Some(other) = all.insert(row, id) {
            let line = rows.rows[row].line;
            return Err(Failure::usage(format_args!("--renamed names line {line} twice, for id={other} as well"))
                .hint("leave the flag that is right"));
        }
    }
    Ok(all)
}

/// Reads `OLD=NEW`. OLD may begin with `id=` or `ext=` itself.
fn renamed(text: &str, loaded: &Loaded, rows: &Rows) -> Result<(usize, SegmentId), Failure> {
    let kind = ["id=", "ext="].into_iter().find(|kind| text.starts_with(kind)).map_or(0, str::len);
    let Some((old, new)) = text[kind..].split_once('=') else {
        return Err(Failure::usage(format_args!("--renamed {text} has no `=` between the segment and the row"))
            .hint("write --renamed OLD=NEW, such as --renamed PL-10=PL-11"));
    };
    let old = Reference::parse(&text[..kind + old.len()]).map_err(Failure::usage)?;
    Ok((row(new, rows)?, reference::segment(loaded, &old)?))
}

/// Returns the index of the row that a text names.
fn row(text: &str, rows: &Rows) -> Result<usize, Failure> {
    let indices = |is: &dyn Fn(&Row) -> bool| -> Vec<usize> {
        rows.rows.iter().enumerate().filter(|(_, row)| is(row)).map(|(at, _)| at).collect()
    };
    let with = |column: Column, value: &str| indices(&|row: &Row| row.value(column) == Some(value));
    let strip_any = |names: [&str; 2]| names.into_iter().find_map(|name| text.strip_prefix(name));
    let found = if let Some(line) = strip_any(["line=", "line:"]).and_then(|line| line.parse::<usize>().ok()) {
        indices(&|row: &Row| row.line == line)
    } else if let Some(id) = strip_any(["id=", "id:"]) {
        with(Column::Id, id)
    } else if let Some(external_id) = strip_any(["ext=", "ext:"]) {
        with(Column::ExternalId, external_id)
    } else {
        let columns = [Column::Id, Column::ExternalId, Column::Name];
        columns.into_iter().map(|column| with(column, text)).find(|found| !found.is_empty()).unwrap_or_default()
    };
    match found.as_slice() {
        [one] => Ok(*one),
        [] if strip_any(["line=", "line:"]).is_some() => {
            Err(Failure::usage(format_args!("--renamed: no row begins on {text}"))
                .hint("name the row by its external ID or ID"))
        }
        [] => Err(Failure::usage(format_args!("--renamed: no row of the file has the ID, external ID or name {text}"))
            .hint("name the row by its external ID or ID, or by its line: OLD=line=12")),
        several => {
            let lines = several.iter().map(|at| &rows.rows[*at]);
            let detail =
                |row: &Row| Detail { line: Some(row.line), text: row.value(Column::Name).unwrap_or_default().into() };
            Err(Failure::usage(format_args!("--renamed: {} rows of the file are {text}", several.len()))
                .details(lines.map(detail).collect())
                .hint("name the row by its line: OLD=line=12"))
        }
    }
}
