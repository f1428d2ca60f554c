//! Which part of the tree is exported, row by row, each knowing what it stands below.
//!
//! What a form of export can't show as deep as it is stands at the deepest level that it can show, and still tells its depth.

use std::borrow::Cow;
use std::ops::Range;

use thiserror::Error;

use crate::forest::{Fold, Forest, Heading, Row, RowId, RowKind};
use crate::printable::printable;
use crate::segment::{Segment, SegmentId};

/// Everything, or one segment and what is below it.
#[derive(Debug)]
pub struct Part<'a> {
    forest: &'a Forest,
    rows: Range<usize>,
    /// How deep its first row is.
    top: u32,
}

/// Why there is no such part.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum NoPart {
    /// Nothing is called so.
    #[error("no segment with ID or external ID {0}")]
    Unknown(String),
    /// More than one is called so.
    #[error("several segments have the external ID {external_id}; choose one by ID: {ids}")]
    Ambiguous {
        /// What they are called.
        external_id: String,
        /// Their ids.
        ids: String,
    },
}

impl<'a> Part<'a> {
    /// Unfolds the tree and takes all of it, or what the text names: an id before an external id, and that before a parent
    /// that is not there.
    ///
    /// # Errors
    ///
    /// The text names nothing, or more than one segment.
    pub fn of(forest: &'a mut Forest, root: Option<&str>) -> Result<Self, NoPart> {
        forest.fold_to_level(None);
        let forest: &Forest = forest;
        let Some(root) = root else {
            return Ok(Self { forest, rows: 0..forest.row_count(), top: 0 });
        };
        let start = position(forest, root)?;
        let top = forest.row(start).map_or(0, |row| row.depth);
        let below = forest.rows(start + 1..forest.row_count()).take_while(|row| row.depth > top).count();
        Ok(Self { forest, rows: start..start + 1 + below, top })
    }

    /// How many rows there are, headings and missing parents among them.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Its segments, parents before their children.
    pub fn segments(&self) -> impl Iterator<Item = &'a Segment> {
        self.forest.rows(self.rows.clone()).filter_map(|row| match row.kind {
            RowKind::Segment(segment) => Some(segment.as_ref()),
            RowKind::MissingParent(_) | RowKind::Heading(_) => None,
        })
    }

    /// How many segments it has, in words.
    pub fn counted(&self) -> String {
        match self.segments().count() {
            1 => "1 segment.".into(),
            count => format!("{count} segments."),
        }
    }

    /// Its rows from the top, none at a deeper level than that.
    pub fn entries(&self, deepest: usize) -> impl Iterator<Item = ExportRow<'a>> {
        let mut path: Vec<(usize, RowKind<'a>)> = Vec::new();
        let top = self.top;
        self.forest.rows(self.rows.clone()).enumerate().map(move |(number, row)| {
            let depth = row.depth.saturating_sub(top) as usize;
            let level = depth.min(deepest);
            path.truncate(level);
            let above = path.last().copied();
            path.push((number, row.kind));
            ExportRow {
                number,
                above: above.map(|(number, _)| number),
                level,
                depth,
                is_cut: above.is_some_and(|(_, kind)| kind == RowKind::Heading(Heading::Circles)),
                has_below: row.fold != Fold::Leaf && level < deepest,
                row,
            }
        })
    }
}

fn position(forest: &Forest, root: &str) -> Result<usize, NoPart> {
    let unknown = || NoPart::Unknown(printable(root).into_owned());
    let id = SegmentId::new(root).ok_or_else(unknown)?;
    let id = if forest.contains(&id) { id } else { bearer(forest, root)?.unwrap_or(id) };
    forest.position(&RowId::Segment(id)).ok_or_else(unknown)
}

/// The one segment that has that external id.
fn bearer(forest: &Forest, external_id: &str) -> Result<Option<SegmentId>, NoPart> {
    let mut ids: Vec<&SegmentId> = forest.with_external_id(external_id).map(|segment| &segment.id).collect();
    if ids.len() > 1 {
        ids.sort_unstable();
        let ids: Vec<String> = ids.into_iter().map(|id| printable(&id.text()).into_owned()).collect();
        return Err(NoPart::Ambiguous { external_id: printable(external_id).into_owned(), ids: ids.join(", ") });
    }
    Ok(ids.pop().cloned())
}

/// One row of the part.
#[derive(Debug, Clone, Copy)]
pub struct ExportRow<'a> {
    /// Counted from 0.
    pub number: usize,
    /// The number of what it is shown below.
    pub above: Option<usize>,
    /// How many rows it is shown below.
    pub level: usize,
    /// How many rows it stands below in truth.
    pub depth: usize,
    /// Whether others are shown below it.
    pub has_below: bool,
    /// Whether it was cut from its parent, which stands below it.
    pub is_cut: bool,
    row: Row<'a>,
}

impl<'a> ExportRow<'a> {
    /// What to call it.
    pub fn name(&self) -> Cow<'a, str> {
        match self.row.kind {
            RowKind::Heading(heading) => Cow::Owned(heading.to_string()),
            RowKind::MissingParent(id) => id.text(),
            RowKind::Segment(segment) if segment.has_blank_name() => Cow::Borrowed("(no name)"),
            RowKind::Segment(segment) => Cow::Borrowed(&segment.name),
        }
    }

    /// Its external id, if it has one.
    pub fn external_id(&self) -> Option<&'a str> {
        self.segment().and_then(|segment| segment.external_id.as_deref())
    }

    /// Its id; a heading has none.
    pub fn id(&self) -> Option<Cow<'a, str>> {
        match self.row.kind {
            RowKind::Heading(_) => None,
            RowKind::MissingParent(id) => Some(id.text()),
            RowKind::Segment(segment) => Some(segment.id.text()),
        }
    }

    /// How many segments stand below it in truth.
    pub const fn descendants(&self) -> u32 {
        self.row.descendants
    }

    /// What it stands for.
    pub const fn kind(&self) -> Kind {
        match self.row.kind {
            RowKind::Segment(_) => Kind::Segment,
            RowKind::MissingParent(_) => Kind::MissingParent,
            RowKind::Heading(_) => Kind::Heading,
        }
    }

    /// What is remarkable about where it stands.
    pub fn note(&self) -> Option<String> {
        let parent = self.segment().filter(|_| self.is_cut).and_then(|segment| segment.parent.as_ref());
        match self.kind() {
            Kind::MissingParent => Some("This parent doesn't exist.".into()),
            _ => parent.map(|parent| format!("Its parent is {parent}, in a loop.")),
        }
    }

    /// `None` for what is no segment.
    pub fn segment(&self) -> Option<&'a Segment> {
        match self.row.kind {
            RowKind::Segment(segment) => Some(segment),
            RowKind::MissingParent(_) | RowKind::Heading(_) => None,
        }
    }
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A segment.
    Segment,
    /// A parent that does not exist.
    MissingParent,
    /// A heading for orphans or for cycles.
    Heading,
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn shown(root: &str) -> Result<Vec<String>, NoPart> {
        let mut forest = samples::troubled();
        let part = Part::of(&mut forest, Some(root))?;
        assert_eq!(part.entries(9).count(), part.len());
        Ok(part.entries(9).map(|entry| format!("{} {}", entry.level, entry.name())).collect())
    }

    #[test]
    fn a_part_is_named_by_an_id_by_an_external_id_or_by_a_parent_that_is_not_there() {
        let poland = vec!["0 Polska".into(), "1 Łódzkie".into(), "2 Łódź".into(), "1 Śląskie".into()];
        assert_eq!(shown("pl"), Ok(poland.clone()));
        assert_eq!(shown("PL"), Ok(poland));
        assert_eq!(shown("gone").unwrap(), ["0 gone", "1 Orphan"]);
        assert_eq!(shown("c2").unwrap(), ["0 Chicken"]);
    }

    #[test]
    fn what_names_nothing_or_too_much_is_told() {
        assert_eq!(shown("").unwrap_err().to_string(), "no segment with ID or external ID ");
        assert_eq!(shown("a\u{1b}").unwrap_err(), NoPart::Unknown("a\u{fffd}".into()));
        let error = shown("TWIN").unwrap_err().to_string();
        assert_eq!(error, "several segments have the external ID TWIN; choose one by ID: twin-1, twin-2");
    }

    #[test]
    fn what_is_too_deep_stands_at_the_deepest_level_and_tells_its_depth() {
        let mut forest = samples::chain(6);
        let part = Part::of(&mut forest, None).unwrap();
        let places: Vec<_> = part.entries(2).map(|entry| (entry.level, entry.depth, entry.above)).collect();
        assert_eq!(
            places,
            [(0, 0, None), (1, 1, Some(0)), (2, 2, Some(1)), (2, 3, Some(1)), (2, 4, Some(1)), (2, 5, Some(1))]
        );
    }
}
