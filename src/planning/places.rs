//! Determines the parent of each row.

use std::sync::Arc;

use hashbrown::HashMap;

use super::matching::Matching;
use super::tree::Tree;
use super::{PlanFault, Problem, Request, Scope, path};
use crate::forest::path_text;
use crate::formats::rows::{Cell, Column, ParentRow, Row};
use crate::segment::{Segment, SegmentId};

/// The wanted place of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Its current parent; for a new segment, the top level.
    AsIs,
    /// The top level.
    Top,
    /// Under an existing segment.
    Under(SegmentId),
    /// Under the segment of another row, which may still have to be created.
    UnderRow(usize),
}

/// The places of all rows. Adds what is wrong with them to `faults`.
pub(super) fn places(
    request: &Request<'_>,
    tree: &Tree<'_>,
    matching: &Matching<'_>,
    faults: &mut Vec<PlanFault>,
) -> Vec<Place> {
    let mut resolver = ParentResolver { request, tree, matching, by_path: None };
    let mut places = Vec::with_capacity(request.rows.rows.len());
    for (at, row) in request.rows.rows.iter().enumerate() {
        let place = resolver.place(at, row).unwrap_or_else(|problem| {
            faults.push(PlanFault { line: Some(row.line), problem });
            Place::AsIs
        });
        places.push(match place {
            // A parent row with a matched segment is that segment.
            Place::UnderRow(above) => {
                matching.segments[above].as_ref().map_or(place, |segment| Place::Under(segment.id.clone()))
            }
            place => place,
        });
    }
    places
}

struct ParentResolver<'a, 'r> {
    request: &'a Request<'r>,
    tree: &'a Tree<'a>,
    matching: &'a Matching<'r>,
    /// The rows by path, built on first use.
    by_path: Option<HashMap<Vec<String>, Vec<usize>>>,
}

impl ParentResolver<'_, '_> {
    fn place(&mut self, at: usize, row: &Row) -> Result<Place, Problem> {
        let base = self.matching.segments[at].as_ref();
        match row.parent {
            ParentRow::Row(above) => return Ok(Place::UnderRow(above)),
            ParentRow::Top => return Ok(self.top_of_outline(base)),
            ParentRow::Unknown => {}
        }
        let [id, external_id] = [Column::ParentId, Column::ParentExternalId].map(|column| row.value(column));
        if let Some(id) = id {
            let place = self.by_id(id, base)?;
            let is_consistent = external_id.is_none_or(|external_id| self.has_external_id(&place, external_id));
            return if is_consistent { Ok(place) } else { Err(Problem::ParentsDisagree) };
        }
        if let Some(external_id) = external_id {
            return self.by_external_id(external_id, base);
        }
        let is_emptied = |column| *row.cell(column) == Cell::Empty;
        if is_emptied(Column::ParentId) || is_emptied(Column::ParentExternalId) {
            return Ok(Place::Top);
        }
        row.value(Column::Path).map_or(Ok(Place::AsIs), |path| self.by_path(path))
    }

    /// Whether a parent has an external id, either currently or according to its row.
    fn has_external_id(&self, place: &Place, external_id: &str) -> bool {
        let (segment, row) = match place {
            Place::UnderRow(row) => (self.matching.segments[*row].as_ref(), Some(*row)),
            Place::Under(id) => (self.tree.forest.get(id), self.matching.row_of.get(id).copied()),
            Place::AsIs | Place::Top => (None, None),
        };
        let has_now = segment.and_then(|segment| segment.external_id.as_deref()).map(str::trim) == Some(external_id);
        has_now || row.and_then(|row| self.request.rows.rows[row].value(Column::ExternalId)) == Some(external_id)
    }

    /// The place of a line at the top of an outline: the top level if the scope is everything, or the level of the scope's root.
    /// With any other scope the outline may show a part of the tree, so an existing segment stays where it is.
    fn top_of_outline(&self, base: Option<&Arc<Segment>>) -> Place {
        let forest = self.tree.forest;
        // Orphans and the first segment of a cycle are shown at the top.
        let is_shown_at_top = base.is_some_and(|base| base.parent.is_some() && forest.parent(&base.id).is_none());
        match &self.request.scope {
            _ if is_shown_at_top => Place::AsIs,
            Scope::All => Place::Top,
            Scope::Below(root) => {
                let above = forest.get(root).and_then(|root| root.parent.clone());
                above.map_or(Place::Top, Place::Under)
            }
            // A new segment is created at the top level.
            Scope::Unscoped | Scope::Matching(_) => Place::AsIs,
        }
    }

    fn by_id(&self, value: &str, base: Option<&Arc<Segment>>) -> Result<Place, Problem> {
        if let Some(row) = self.matching.by_label.get(value) {
            return Ok(Place::UnderRow(*row));
        }
        let id = SegmentId::new(value).filter(|_| !self.matching.foreign_ids || self.is_known(value));
        match id {
            Some(id) if self.tree.forest.contains(&id) => Ok(Place::Under(id)),
            // An orphan stays an orphan.
            Some(id) if base.is_some_and(|base| base.parent.as_ref() == Some(&id)) => Ok(Place::AsIs),
            _ => Err(Problem::NoSuchParent { column: Column::ParentId, value: value.to_owned() }),
        }
    }

    fn is_known(&self, value: &str) -> bool {
        SegmentId::new(value).is_some_and(|id| self.tree.forest.contains(&id))
    }

    fn by_external_id(&self, value: &str, base: Option<&Arc<Segment>>) -> Result<Place, Problem> {
        let column = Column::ParentExternalId;
        let ambiguous = |count| Problem::AmbiguousParent { column, value: value.to_owned(), count };
        // If the current parent is one of the candidates, it is the one that is meant.
        let current_parent = base.and_then(|base| self.tree.forest.parent(&base.id));
        let kept_parent = current_parent.filter(|above| above.external_id.as_deref().map(str::trim) == Some(value));
        match self.matching.by_external_id.get(value).map(Vec::as_slice) {
            Some([row]) => Ok(Place::UnderRow(*row)),
            Some(rows) if kept_parent.is_none() => Err(ambiguous(rows.len())),
            _ => match self.tree.with_external_id(value) {
                [segment] => Ok(Place::Under(segment.id.clone())),
                [] => Err(Problem::NoSuchParent { column, value: value.to_owned() }),
                several => {
                    kept_parent.map(|above| Place::Under(above.id.clone())).ok_or_else(|| ambiguous(several.len()))
                }
            },
        }
    }

    fn by_path(&mut self, value: &str) -> Result<Place, Problem> {
        let names = path::names(value).ok_or_else(|| Problem::InvalidPath(value.to_owned()))?;
        let Some((_, parent_names)) = names.split_last().filter(|(_, parent_names)| !parent_names.is_empty()) else {
            return Ok(Place::Top);
        };
        let rows = &self.request.rows.rows;
        let by_path = self.by_path.get_or_insert_with(|| {
            let mut by_path: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
            for (at, row) in rows.iter().enumerate() {
                if let Some(names) = row.value(Column::Path).and_then(path::names) {
                    by_path.entry(names).or_default().push(at);
                }
            }
            by_path
        });
        let parent_path = || path_text(parent_names.iter().map(String::as_str));
        let ambiguous = |count| Problem::AmbiguousParent { column: Column::Path, value: parent_path(), count };
        match by_path.get(parent_names).map(Vec::as_slice) {
            Some([row]) => Ok(Place::UnderRow(*row)),
            Some(rows) => Err(ambiguous(rows.len())),
            None => match self.tree.on_path(parent_names).as_slice() {
                [segment] => Ok(Place::Under(segment.id.clone())),
                [] => Err(Problem::NoSuchParent { column: Column::Path, value: parent_path() }),
                several => Err(ambiguous(several.len())),
            },
        }
    }
}
