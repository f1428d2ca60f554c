//! Matches rows to segments.
//!
//! Rows are matched by one key only: id, external id or path. There are two exceptions: a row that is not found by its key is
//! matched to a segment that already has its values (see [`super::difference`]), so that nothing is created twice; and the user
//! can say which segment a row means.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::damage::KnownIds;
use super::tree::Tree;
use super::{Key, PlanFault, Problem, Request, path};
use crate::formats::rows::{Column, Row, Rows};
use crate::segment::{Pattern, Segment, SegmentId};

/// The rows and their segments.
pub(super) struct Matching<'a> {
    pub key: Key,
    /// Whether the file's ids belong to another tenant, and so only identify rows of the file.
    pub foreign_ids: bool,
    /// The segment of each row; `None` if it doesn't exist.
    pub segments: Vec<Option<Arc<Segment>>>,
    /// The row of each matched segment.
    pub row_of: HashMap<SegmentId, usize>,
    /// The rows by their ids as written in the file.
    pub by_label: HashMap<&'a str, usize>,
    /// The rows by their external ids.
    pub by_external_id: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Matching<'a> {
    /// Matches rows by their key. Adds what is wrong with them to `faults`.
    pub fn of(request: &Request<'a>, tree: &Tree<'_>, faults: &mut Vec<PlanFault>) -> Result<Self, PlanFault> {
        let rows = &request.rows.rows;
        let short_ids = request.rows.short_ids.then(|| ShortIds::of(tree));
        let (key, foreign_ids) = key(request, tree, short_ids.as_ref())?;
        let mut matching = Self {
            key,
            foreign_ids,
            segments: vec![None; rows.len()],
            row_of: HashMap::new(),
            by_label: HashMap::new(),
            by_external_id: HashMap::new(),
        };
        for (at, row) in rows.iter().enumerate() {
            if let Some(label) = row.value(Column::Id)
                && let Some(first) = matching.by_label.insert(label, at)
            {
                faults.push(duplicate_fault(rows, at, first, Column::Id, label));
            }
            if let Some(external_id) = row.value(Column::ExternalId) {
                matching.by_external_id.entry(external_id).or_default().push(at);
            }
        }
        for (at, id) in &request.renamed {
            if let Some(segment) = tree.forest.get(id) {
                matching.claim(*at, segment);
            }
        }
        match key {
            Key::Id => matching.by_ids(request, tree, short_ids.as_ref(), faults),
            Key::ExternalId => matching.by_external_ids(request, tree, faults),
            Key::Path => matching.by_paths(request, tree, faults),
        }
        Ok(matching)
    }

    /// Matches a row to a segment.
    pub fn claim(&mut self, row: usize, segment: &Arc<Segment>) {
        self.row_of.insert(segment.id.clone(), row);
        self.segments[row] = Some(Arc::clone(segment));
    }

    /// Whether no row matches a segment.
    pub fn is_unclaimed(&self, id: &SegmentId) -> bool {
        !self.row_of.contains_key(id)
    }

    fn unmatched<'r>(&self, request: &Request<'r>) -> Vec<(usize, &'r Row)> {
        let rows = request.rows.rows.iter().enumerate();
        rows.filter(|(at, _)| self.segments[*at].is_none()).collect()
    }

    fn by_ids(
        &mut self,
        request: &Request<'a>,
        tree: &Tree<'_>,
        short_ids: Option<&ShortIds>,
        faults: &mut Vec<PlanFault>,
    ) {
        for (at, row) in self.unmatched(request) {
            let Some(label) = row.value(Column::Id) else { continue };
            let mut fault = |problem| faults.push(PlanFault { line: Some(row.line), problem });
            match look_up(label, tree, short_ids) {
                Lookup::One(segment) if self.is_unclaimed(&segment.id) => self.claim(at, &segment),
                Lookup::One(segment) => {
                    // The rows use different prefixes of one id. The same text twice was already reported.
                    let first = self.row_of.get(&segment.id).copied().unwrap_or(at);
                    if request.rows.rows[first].value(Column::Id) != Some(label) {
                        faults.push(already_matched_fault(request, at, first, Column::Id, label));
                    }
                }
                Lookup::Several => fault(Problem::AmbiguousId(label.to_owned())),
                Lookup::None if self.foreign_ids => {}
                Lookup::None => {
                    let wanted = SegmentId::new(label).is_some_and(|id| request.recreate.contains(&id));
                    if !wanted {
                        fault(Problem::UnknownId(label.to_owned()));
                    }
                }
            }
        }
    }

    fn by_external_ids(&mut self, request: &Request<'a>, tree: &Tree<'_>, faults: &mut Vec<PlanFault>) {
        for (at, row) in self.unmatched(request) {
            let Some(external_id) = row.value(Column::ExternalId) else { continue };
            let rows = self.by_external_id.get(external_id).map_or(&[] as &[usize], Vec::as_slice);
            if let Some(first) = rows.first().filter(|_| rows.len() > 1) {
                // Segments copied from another tenant may share an external id; none of them is matched by it.
                if !self.foreign_ids && *first != at {
                    faults.push(duplicate_fault(&request.rows.rows, at, *first, Column::ExternalId, external_id));
                }
                continue;
            }
            match tree.with_external_id(external_id) {
                [] => {}
                [segment] if self.is_unclaimed(&segment.id) => self.claim(at, segment),
                [segment] => {
                    let first = self.row_of.get(&segment.id).copied().unwrap_or(at);
                    faults.push(already_matched_fault(request, at, first, Column::ExternalId, external_id));
                }
                several => {
                    let problem = Problem::SharedExternalId { value: external_id.to_owned(), count: several.len() };
                    faults.push(PlanFault { line: Some(row.line), problem });
                }
            }
        }
    }

    fn by_paths(&mut self, request: &Request<'a>, tree: &Tree<'_>, faults: &mut Vec<PlanFault>) {
        for (at, row) in self.unmatched(request) {
            let Some(written) = row.value(Column::Path) else { continue };
            // An invalid path is reported where the places are determined.
            let Some(names) = path::names(written) else { continue };
            match tree.on_path(&names).as_slice() {
                [] => {}
                [segment] if self.is_unclaimed(&segment.id) => self.claim(at, segment),
                [segment] => {
                    let first = self.row_of.get(&segment.id).copied().unwrap_or(at);
                    faults.push(already_matched_fault(request, at, first, Column::Path, written));
                }
                several => {
                    let problem = Problem::AmbiguousPath { value: written.to_owned(), count: several.len() };
                    faults.push(PlanFault { line: Some(row.line), problem });
                }
            }
        }
    }
}

/// The fault of a row whose segment another row already has.
fn already_matched_fault(request: &Request<'_>, at: usize, first: usize, column: Column, value: &str) -> PlanFault {
    let rows = &request.rows.rows;
    if !request.renamed.contains_key(&first) {
        return duplicate_fault(rows, at, first, column, value);
    }
    let problem = Problem::Renamed { column, value: value.to_owned(), line: rows[first].line };
    PlanFault { line: Some(rows[at].line), problem }
}

pub(super) fn duplicate_fault(rows: &[Row], at: usize, first: usize, column: Column, value: &str) -> PlanFault {
    let problem = Problem::Twice { column, value: value.to_owned(), first: rows[first].line };
    PlanFault { line: Some(rows[at].line), problem }
}

/// The fault of a file in which nothing identifies the segments.
pub(super) fn missing_key_fault(rows: &Rows, key: Option<Key>) -> Option<PlanFault> {
    let has = |column: Column| rows.rows.iter().any(|row| row.value(column).is_some());
    let problem = match key {
        // A file without rows needs no key.
        _ if rows.rows.is_empty() => return None,
        Some(key) if !rows.columns.contains(&key.column()) => Problem::NoKeyColumn(key.column()),
        // Without any ids every row would be new, unless an existing segment has the same values.
        None if !has(Column::ExternalId) && !rows.columns.contains(&Column::Id) => Problem::NoKey,
        _ => return None,
    };
    Some(PlanFault { line: None, problem })
}

/// The key to match by, and whether the file's ids belong to another tenant.
fn key(request: &Request<'_>, tree: &Tree<'_>, short_ids: Option<&ShortIds>) -> Result<(Key, bool), PlanFault> {
    if let Some(fault) = missing_key_fault(request.rows, request.key) {
        return Err(fault);
    }
    if let Some(key) = request.key {
        return Ok((key, false));
    }
    let rows = &request.rows.rows;
    let has = |column: Column| rows.iter().any(|row| row.value(column).is_some());
    if has(Column::Id) {
        // The built-in root has the same id in every tenant, so it doesn't say which tenant the file is from.
        let identifies_tenant = |row: &Row| {
            let label = row.value(Column::Id)?;
            match look_up(label, tree, short_ids) {
                Lookup::One(segment) => (!Pattern::BUILT_IN.matches(&segment)).then_some(()),
                Lookup::Several => Some(()),
                Lookup::None => SegmentId::new(label).filter(|id| request.recreate.contains(id)).map(|_| ()),
            }
        };
        if rows.iter().find_map(identifies_tenant).is_some() {
            return Ok((Key::Id, false));
        }
        // Without another key, deleted segments would be created again under new ids.
        let unknown = PlanFault { line: None, problem: Problem::UnknownIds };
        return if has(Column::ExternalId) { Ok((Key::ExternalId, true)) } else { Err(unknown) };
    }
    let by_external_id = has(Column::ExternalId) || rows.is_empty();
    Ok((if by_external_id { Key::ExternalId } else { Key::Id }, false))
}

enum Lookup {
    None,
    One(Arc<Segment>),
    Several,
}

/// The ids that may be abbreviated, sorted.
struct ShortIds {
    sorted: Vec<(String, SegmentId)>,
}

/// The minimum length of an abbreviated id.
const MIN_SHORT_ID_LEN: usize = 8;

impl ShortIds {
    fn of(tree: &Tree<'_>) -> Self {
        let uuids = tree.forest.iter().filter(|segment| segment.id.is_uuid());
        let mut sorted: Vec<_> = uuids.map(|segment| (segment.id.to_string(), segment.id.clone())).collect();
        sorted.sort_unstable();
        Self { sorted }
    }
}

fn look_up(label: &str, tree: &Tree<'_>, short_ids: Option<&ShortIds>) -> Lookup {
    let id = SegmentId::new(label);
    if let Some(segment) = id.and_then(|id| tree.forest.get(&id)) {
        return Lookup::One(Arc::clone(segment));
    }
    let Some(short_ids) = short_ids.filter(|_| label.len() >= MIN_SHORT_ID_LEN) else { return Lookup::None };
    let from = short_ids.sorted.partition_point(|(text, _)| text.as_str() < label);
    let match_at = |at: usize| short_ids.sorted.get(at).filter(|(text, _)| text.starts_with(label));
    match (match_at(from), match_at(from + 1)) {
        (Some((_, id)), None) => tree.forest.get(id).map_or(Lookup::None, |segment| Lookup::One(Arc::clone(segment))),
        (Some(_), Some(_)) => Lookup::Several,
        (None, _) => Lookup::None,
    }
}

/// Reports external ids of rows and of their parents that a spreadsheet has damaged.
pub(super) fn damaged_ids(request: &Request<'_>, tree: &Tree<'_>, faults: &mut Vec<PlanFault>) {
    if request.ids_as_written {
        return;
    }
    let rows = &request.rows.rows;
    let in_file: HashSet<&str> = rows.iter().filter_map(|row| row.value(Column::ExternalId)).collect();
    let known = KnownIds::of(tree.external_ids());
    let known_or_in_file = KnownIds::of(tree.external_ids().chain(in_file.iter().copied()));
    for row in rows {
        let own = row.value(Column::ExternalId).filter(|found| tree.with_external_id(found).is_empty());
        let above = row.value(Column::ParentExternalId);
        let above = above.filter(|found| tree.with_external_id(found).is_empty() && !in_file.contains(found));
        let own = own.and_then(|found| known.damage(found));
        let problem = own.or_else(|| above.and_then(|found| known_or_in_file.damage(found)));
        faults.extend(problem.map(|problem| PlanFault { line: Some(row.line), problem }));
    }
}
