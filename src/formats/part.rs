//! Selects the part of the tree to export, row by row, each with its parent row.
//!
//! A row that is deeper than a format can show is placed at the deepest level that it can show, and keeps its true depth.

use std::borrow::Cow;
use std::ops::Range;

use super::Record;
use crate::forest::{Forest, Heading, Query, Row, RowId, RowKind, SearchKind};
use crate::numbers::{Noun, counted};
use crate::segment::{Segment, SegmentId};

/// The whole tree, one segment with its descendants, or the matches of a query with their ancestors.
#[derive(Debug)]
pub struct Part<'a> {
    forest: &'a Forest,
    rows: Range<usize>,
    /// The depth of the first row.
    top: u32,
    /// How each row relates to the query, if there is one.
    statuses: Option<Vec<RowStatus>>,
}

/// How a row relates to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowStatus {
    Excluded,
    /// An ancestor of a match.
    Ancestor,
    Match,
}

impl<'a> Part<'a> {
    /// Unfolds the tree and selects all of it.
    pub fn whole(forest: &'a mut Forest) -> Self {
        forest.fold_to_level(None);
        Self { rows: 0..forest.row_count(), top: 0, statuses: None, forest }
    }

    /// Selects a segment, or a missing parent, and its descendants. Empty if it does not exist.
    pub fn below(forest: &'a mut Forest, root: &SegmentId) -> Self {
        let whole = Self::whole(forest);
        let forest = whole.forest;
        let Some(start) = forest.position(&RowId::Segment(root.clone())) else { return Self { rows: 0..0, ..whole } };
        let top = forest.row(start).map_or(0, |row| row.depth);
        let below = forest.rows(start + 1..forest.row_count()).take_while(|row| row.depth > top).count();
        Self { rows: start..start + 1 + below, top, ..whole }
    }

    /// Selects the matches of a query. Only they count as segments of the part; the rows include their ancestors.
    pub fn matching(forest: &'a mut Forest, query: Query) -> Self {
        for found in forest.search(SearchKind::Tree, query) {
            forest.apply_search_batch(found);
        }
        let whole = Self::whole(forest);
        let mut statuses = vec![RowStatus::Excluded; whole.rows.len()];
        let rows: Vec<Row<'_>> = whole.forest.rows(whole.rows.clone()).collect();
        // Going up from the last row: the depth of the topmost row so far whose parent is still to come.
        let mut parent_depth = 0;
        for (row, status) in rows.iter().zip(&mut statuses).rev() {
            if matches!(row.kind, RowKind::Segment(segment) if whole.forest.is_match(SearchKind::Tree, &segment.id)) {
                *status = RowStatus::Match;
            } else if row.depth < parent_depth {
                *status = RowStatus::Ancestor;
            } else {
                continue;
            }
            parent_depth = row.depth;
        }
        Self { statuses: Some(statuses), ..whole }
    }

    /// The rows, each with its relation to the query.
    fn rows(&self) -> impl Iterator<Item = (Row<'a>, RowStatus)> {
        let statuses = self.statuses.iter().flatten().copied();
        // Without a query, every row counts as a match.
        let statuses =
            statuses.chain(std::iter::repeat_n(RowStatus::Match, if self.statuses.is_some() { 0 } else { usize::MAX }));
        self.forest.rows(self.rows.clone()).zip(statuses).filter(|(_, status)| *status != RowStatus::Excluded)
    }

    /// Whether the part was selected by a query.
    pub const fn is_filtered(&self) -> bool {
        self.statuses.is_some()
    }

    /// The number of rows, including headings and missing parents.
    pub fn len(&self) -> usize {
        self.rows().count()
    }

    /// The segments, parents before children; with a query, only its matches.
    pub fn segments(&self) -> impl Iterator<Item = &'a Segment> {
        self.rows().filter(|(_, status)| *status == RowStatus::Match).filter_map(|(row, _)| match row.kind {
            RowKind::Segment(segment) => Some(segment.as_ref()),
            RowKind::MissingParent(_) | RowKind::Heading(_) => None,
        })
    }

    /// The segments with their parents' external ids and their paths.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> {
        let forest = self.forest;
        self.segments().map(move |segment| Record::of(forest, segment))
    }

    /// The number of segments, as a phrase.
    pub fn counted(&self) -> String {
        format!("{}.", counted(self.segments().count(), Noun::Segment))
    }

    /// The rows from the top, none deeper than the level `max_level`.
    pub fn entries(&self, max_level: usize) -> impl Iterator<Item = ExportRow<'a>> {
        let mut path: Vec<(usize, RowKind<'a>)> = Vec::new();
        let top = self.top;
        let mut rows = self.rows().enumerate().peekable();
        std::iter::from_fn(move || {
            let (number, (row, status)) = rows.next()?;
            let depth = row.depth.saturating_sub(top) as usize;
            let level = depth.min(max_level);
            path.truncate(level);
            let above = path.last().copied();
            path.push((number, row.kind));
            let has_children = rows.peek().is_some_and(|(_, (next, _))| next.depth > row.depth);
            Some(ExportRow {
                number,
                parent_number: above.map(|(number, _)| number),
                level,
                depth,
                is_cut: above.is_some_and(|(_, kind)| kind == RowKind::Heading(Heading::Circles)),
                has_children: has_children && level < max_level,
                is_match_ancestor: status == RowStatus::Ancestor,
                row,
            })
        })
    }
}

/// One row of an export.
#[derive(Debug, Clone, Copy)]
pub struct ExportRow<'a> {
    /// Its number, from 0.
    pub number: usize,
    /// The number of the row it is shown under.
    pub parent_number: Option<usize>,
    /// The level at which it is shown.
    pub level: usize,
    /// Its true depth within the part.
    pub depth: usize,
    /// Whether rows are shown under it.
    pub has_children: bool,
    /// Whether it is the first segment of a cycle, shown apart from its parent, which is one of its descendants.
    pub is_cut: bool,
    /// Whether it is shown only because one of its descendants matches the query.
    pub is_match_ancestor: bool,
    row: Row<'a>,
}

impl<'a> ExportRow<'a> {
    /// The displayed name.
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

    /// The number of its descendants in the whole tree.
    pub const fn descendants(&self) -> u32 {
        self.row.descendants
    }

    /// What the row represents.
    pub const fn kind(&self) -> Kind {
        match self.row.kind {
            RowKind::Segment(_) => Kind::Segment,
            RowKind::MissingParent(_) => Kind::MissingParent,
            RowKind::Heading(_) => Kind::Heading,
        }
    }

    /// A remark on a missing parent or a cycle.
    pub fn note(&self) -> Option<String> {
        let parent = self.segment().filter(|_| self.is_cut).and_then(|segment| segment.parent.as_ref());
        match self.kind() {
            Kind::MissingParent => Some("This parent doesn't exist.".into()),
            _ => parent.map(|parent| format!("Its parent is {parent}, in a loop.")),
        }
    }

    /// The segment; `None` for other rows.
    pub fn segment(&self) -> Option<&'a Segment> {
        match self.row.kind {
            RowKind::Segment(segment) => Some(segment),
            RowKind::MissingParent(_) | RowKind::Heading(_) => None,
        }
    }
}

/// What a row represents.
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

    fn shown(part: &Part<'_>) -> Vec<String> {
        assert_eq!(part.entries(9).count(), part.len());
        let mark = |entry: &ExportRow<'_>| if entry.is_match_ancestor { " above" } else { "" };
        part.entries(9).map(|entry| format!("{} {}{}", entry.level, entry.name(), mark(&entry))).collect()
    }

    fn below(root: &str) -> Vec<String> {
        let mut forest = samples::faulty_forest();
        shown(&Part::below(&mut forest, &SegmentId::new(root).unwrap()))
    }

    fn matching(query: &str) -> Vec<String> {
        let mut forest = samples::faulty_forest();
        shown(&Part::matching(&mut forest, Query::parse(query).unwrap()))
    }

    #[test]
    fn a_part_starts_at_a_segment_or_at_a_missing_parent() {
        assert_eq!(below("pl"), ["0 Polska", "1 Łódzkie", "2 Łódź", "1 Śląskie"]);
        assert_eq!(below("gone"), ["0 gone", "1 Orphan"]);
        assert_eq!(below("c2"), ["0 Chicken"]);
        assert_eq!(below("nowhere"), Vec::<String>::new());
    }

    #[test]
    fn the_matches_of_a_query_come_with_their_ancestors() {
        assert_eq!(matching("ext:PL-10-1"), ["0 Polska above", "1 Łódzkie above", "2 Łódź"]);
        assert_eq!(matching("is:orphan"), ["0 Orphans: parent missing above", "1 gone above", "2 Orphan"]);
        assert_eq!(matching("ext:PL"), ["0 Polska", "1 Łódzkie", "2 Łódź"]);
        assert_eq!(matching("xyzzy"), Vec::<String>::new());
        let mut forest = samples::faulty_forest();
        let part = Part::matching(&mut forest, Query::parse("is:leaf ext:TWIN").unwrap());
        assert_eq!(part.segments().map(|segment| segment.id.to_string()).collect::<Vec<_>>(), ["twin-1", "twin-2"]);
        assert_eq!(part.counted(), "2 segments.");
        let open: Vec<bool> = part.entries(9).map(|entry| entry.has_children).collect();
        assert_eq!(open, [true, false, false]);
    }

    #[test]
    fn a_row_that_is_too_deep_keeps_its_true_depth() {
        let mut forest = samples::chain(6);
        let part = Part::whole(&mut forest);
        let places: Vec<_> = part.entries(2).map(|entry| (entry.level, entry.depth, entry.parent_number)).collect();
        assert_eq!(
            places,
            [(0, 0, None), (1, 1, Some(0)), (2, 2, Some(1)), (2, 3, Some(1)), (2, 4, Some(1)), (2, 5, Some(1))]
        );
    }
}
