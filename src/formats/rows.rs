//! The rows of a file that describes a wanted tree: the same rows from CSV, JSON, NDJSON and the outline.
//!
//! For each field a row says one of three things: nothing (the column is missing, and the field stays as it is), that the field
//! is to be empty, or a value. Rows don't depend on the existing segments. All faults of a file are found at once, each with its
//! line.

mod json;
mod segments;
mod text;

use std::fmt;

use compact_str::CompactString;

use super::outline;

pub use json::{read_json, read_ndjson};
pub use segments::RowSegment;
pub use text::{Encoding, Undecodable, decode, read_outline};

/// The contents of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// One row per segment, in the order of the file.
    #[expect(clippy::struct_field_names, reason = "they are the rows")]
    pub rows: Vec<Row>,
    /// The columns of the file, in [`Column::ALL`]'s order. For a format without a heading: those that some row has.
    pub columns: Vec<Column>,
    /// Whether a prefix of an id may name a segment, as in an outline.
    pub short_ids: bool,
    /// Whether a row's `line` is its number among the objects, because the file has several objects on one line.
    pub by_number: bool,
}

/// The readable part of a file, and its faults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The rows, without the lines that can't be read.
    pub rows: Rows,
    /// All faults, by line.
    pub faults: Vec<RowFault>,
}

impl Reading {
    pub(super) fn faulty(line: usize, problem: RowProblem) -> Self {
        Self { rows: Rows::default(), faults: vec![RowFault { line, problem }] }
    }

    /// The rows, if there are no faults.
    ///
    /// # Errors
    ///
    /// All faults.
    pub fn whole(self) -> Result<Rows, Vec<RowFault>> {
        if self.faults.is_empty() { Ok(self.rows) } else { Err(self.faults) }
    }
}

/// One segment as described by a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The line where it begins, from 1.
    pub line: usize,
    /// The values of the columns.
    cells: [Cell; Column::ALL.len()],
    /// The parent according to the indentation of an outline.
    pub parent: ParentRow,
}

/// What a row says about a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cell {
    /// Nothing: the field stays as it is.
    #[default]
    Absent,
    /// The field is to be empty.
    Empty,
    /// A value, as written in the file.
    Value(CompactString),
}

/// The parent row, in a format that shows it by indentation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ParentRow {
    /// The format has no indentation.
    #[default]
    Unknown,
    /// The row is at the top level of the file.
    Top,
    /// The index of the parent row.
    Row(usize),
}

/// The field that a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The id.
    Id,
    /// The name.
    Name,
    /// The external id.
    ExternalId,
    /// The id of the parent.
    ParentId,
    /// The external id of the parent.
    ParentExternalId,
    /// The names from the root down to the segment itself.
    Path,
}

impl Column {
    /// All columns.
    pub const ALL: [Self; 6] =
        [Self::Id, Self::Name, Self::ExternalId, Self::ParentId, Self::ParentExternalId, Self::Path];

    /// The heading that it is written with.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::ExternalId => "externalId",
            Self::ParentId => "parentId",
            Self::ParentExternalId => "parentExternalId",
            Self::Path => "path",
        }
    }

    /// The column of a heading, ignoring case, spaces, hyphens and underscores; `None` for an unknown heading.
    #[must_use]
    pub fn of_heading(heading: &str) -> Option<Self> {
        let is_letter = |letter: &char| !matches!(letter, ' ' | '-' | '_');
        let plain: String = heading.trim().chars().filter(is_letter).flat_map(char::to_lowercase).collect();
        Some(match plain.as_str() {
            "id" => Self::Id,
            "name" => Self::Name,
            "externalid" | "ext" => Self::ExternalId,
            "parentid" | "parentsegmentid" | "parent" => Self::ParentId,
            "parentexternalid" | "parentext" => Self::ParentExternalId,
            "path" => Self::Path,
            _ => return None,
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.heading())
    }
}

impl Cell {
    /// The cell with a text; whitespace alone counts as empty.
    #[must_use]
    pub fn written(text: &str) -> Self {
        if text.trim().is_empty() { Self::Empty } else { Self::Value(text.into()) }
    }

    /// The value, trimmed.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Absent | Self::Empty => None,
            Self::Value(text) => Some(text.trim()),
        }
    }

    /// The value as written, with the whitespace around it.
    #[must_use]
    pub fn as_written(&self) -> Option<&str> {
        match self {
            Self::Absent | Self::Empty => None,
            Self::Value(text) => Some(text),
        }
    }

    /// Whether the row says nothing about the field.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Row {
    /// A row without any values yet.
    #[must_use]
    pub fn at_line(line: usize) -> Self {
        Self { line, ..Self::default() }
    }

    /// The cell in a column.
    #[must_use]
    pub const fn cell(&self, column: Column) -> &Cell {
        &self.cells[column as usize]
    }

    /// The trimmed value in a column.
    #[must_use]
    pub fn value(&self, column: Column) -> Option<&str> {
        self.cell(column).value()
    }

    /// Sets the cell in a column.
    pub fn set(&mut self, column: Column, cell: Cell) {
        self.cells[column as usize] = cell;
    }

    /// Whether it has no values at all, like the lines that a spreadsheet leaves under a table.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.value().is_none())
    }
}

/// Names of columns in a particular file, in place of the usual headings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames {
    names: Vec<(Column, String)>,
}

impl ColumnNames {
    /// Parses `name=NAZWA,ext=KOD,parent-ext=KOD_NADRZEDNY`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, as a phrase.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pairs = text.split(',').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self::from_pairs(pairs)
    }

    /// Takes pairs of a column and its heading in the file.
    ///
    /// # Errors
    ///
    /// What is wrong with a pair, as a phrase.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut names = Vec::new();
        for (column, heading) in pairs {
            let known = Column::of_heading(column)
                .ok_or_else(|| format!("“{column}” is no column; use id, name, ext, parent-id, parent-ext or path"))?;
            if heading.trim().is_empty() {
                return Err(format!("no heading after “{column}=”"));
            }
            if names.iter().any(|(other, _)| *other == known) {
                return Err(format!("“{column}” is named twice"));
            }
            names.push((known, heading.trim().to_owned()));
        }
        Ok(Self { names })
    }

    /// Whether no columns are named, so that every heading has to be a usual one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The column that a heading stands for.
    pub(super) fn column(&self, heading: &str) -> Option<Column> {
        let named = self.names.iter().find(|(_, name)| name.to_lowercase() == heading.trim().to_lowercase());
        let unnamed = |column: &Column| self.names.iter().all(|(other, _)| other != column);
        named.map(|(column, _)| *column).or_else(|| Column::of_heading(heading).filter(unnamed))
    }

    /// The named headings that a file doesn't have.
    pub(super) fn missing<'a>(&'a self, headings: &[&str]) -> impl Iterator<Item = &'a str> {
        let there: Vec<String> = headings.iter().map(|heading| heading.trim().to_lowercase()).collect();
        let names = self.names.iter().map(|(_, name)| name.as_str());
        names.filter(move |name| !there.contains(&name.to_lowercase()))
    }
}

/// A problem with a line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The line, counted from 1.
    pub line: usize,
    /// The problem.
    pub problem: RowProblem,
}

/// A problem with a line: what was found, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// An unknown heading.
    #[error("unknown column “{0}”; name the columns to read with --columns, and the others are ignored")]
    UnknownColumn(String),
    /// Two headings for the same column.
    #[error("column {0} appears twice")]
    ColumnTwice(Column),
    /// A named heading that the file doesn't have.
    #[error("no column “{0}”, which --columns or the profile names")]
    NoSuchColumn(String),
    /// No known headings.
    #[error(
        "no column of segments; the first line has to name some of id, name, externalId, parentId, parentExternalId, path"
    )]
    NoColumns,
    /// Several characters could be the delimiter.
    #[error("the heading can be split by {0}; choose with --delimiter")]
    UnclearDelimiter(String),
    /// A first line `sep=…` with a delimiter that isn't supported.
    #[error("“sep={0}” names a delimiter that isn't read; save the file with `;`, `,` or tab")]
    UnknownDelimiter(String),
    /// More or fewer cells than the heading has.
    #[error("{}, and the heading has {expected}; quote a cell that contains the delimiter", cells(*found))]
    WrongCount {
        /// The number of cells.
        found: usize,
        /// The number of headings.
        expected: usize,
    },
    /// A quoted cell that doesn't end.
    #[error("the quotes don't pair up, here or later; within a quoted cell, a quote is written twice")]
    UnclosedQuote,
    /// A cell that can't be read.
    #[error("can't be read: {0}")]
    Unreadable(String),
    /// Invalid JSON, with the parser's message.
    #[error("not valid JSON: {0}")]
    InvalidJson(String),
    /// JSON with another structure.
    #[error("expected {0}")]
    Expected(&'static str),
    /// An unknown key.
    #[error("unknown key “{0}”; use id, name, externalId, parentSegmentId, parentExternalId, path")]
    UnknownKey(String),
    /// A problem with a line of an outline.
    #[error("{0}")]
    Outline(outline::Problem),
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".into() } else { format!("{count} cells") }
}

impl RowProblem {
    /// Whether it affects only its own line, so that the other lines are still valid.
    #[must_use]
    pub const fn is_of_one_line(&self) -> bool {
        matches!(self, Self::WrongCount { .. } | Self::Expected(_) | Self::InvalidJson(_) | Self::Outline(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_recognised_in_every_spelling() {
        for (heading, column) in [
            ("ID", Column::Id),
            (" External ID ", Column::ExternalId),
            ("parent_external_id", Column::ParentExternalId),
            ("parentSegmentId", Column::ParentId),
        ] {
            assert_eq!(Column::of_heading(heading), Some(column), "{heading}");
        }
        assert_eq!(Column::of_heading("kod"), None);
    }

    #[test]
    fn columns_can_be_named_once_each() {
        let names = ColumnNames::parse("name=NAZWA,ext=KOD,parent-ext=KOD_NADRZEDNY").unwrap();
        assert_eq!(names.column("nazwa"), Some(Column::Name));
        assert_eq!(names.column("KOD_NADRZEDNY"), Some(Column::ParentExternalId));
        assert_eq!(names.column("externalId"), None, "it is under another heading");
        assert_eq!(names.column("id"), Some(Column::Id));
        assert_eq!(names.missing(&["Nazwa", "KOD"]).collect::<Vec<_>>(), ["KOD_NADRZEDNY"]);
        for (text, told) in [("kod=A", "is no column"), ("name=", "no heading"), ("name=A,name=B", "twice")] {
            assert!(ColumnNames::parse(text).unwrap_err().contains(told), "{text}");
        }
    }

    #[test]
    fn whitespace_counts_as_empty_and_values_are_kept_as_written() {
        assert_eq!(Cell::written(" \t"), Cell::Empty);
        let padded = Cell::written(" 007 ");
        assert_eq!(padded, Cell::Value(" 007 ".into()));
        assert_eq!(padded.value(), Some("007"));
    }
}
