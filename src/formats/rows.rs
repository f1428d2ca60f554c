//! Segments as the rows of a file that says what is wanted: the same rows from CSV, JSON, NDJSON and the outline.
//!
//! A row says of each field one of three things: nothing (the column is not there, and the field stays as it is), that it is to be
//! empty, or a value. Nothing here knows which segments there are. All faults of a file are found at once, each with its line.

mod json;
mod segments;
mod text;

use std::fmt;

use compact_str::CompactString;

use super::outline;

pub use json::{read_json, read_ndjson};
pub use segments::RowSegment;
pub use text::{Encoding, Undecodable, decode, read_outline};

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// One for each segment, in the order of the file.
    #[expect(clippy::struct_field_names, reason = "they are the rows")]
    pub rows: Vec<Row>,
    /// The columns that are there, in [`Column::ALL`]'s order. Of a form without a heading: those that some row has.
    pub columns: Vec<Column>,
    /// Whether the beginning of an id is enough to name a segment, as in an outline.
    pub short_ids: bool,
    /// Whether what is called the line of a row is its number among the objects of a file that has several on one line.
    pub by_number: bool,
}

/// What could be read of a file, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it says, without the lines that can't be read.
    pub rows: Rows,
    /// Everything that is wrong, by lines.
    pub faults: Vec<RowFault>,
}

impl Reading {
    pub(super) fn faulty(line: usize, problem: RowProblem) -> Self {
        Self { rows: Rows::default(), faults: vec![RowFault { line, problem }] }
    }

    /// What it says, if nothing is wrong with it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn whole(self) -> Result<Rows, Vec<RowFault>> {
        if self.faults.is_empty() { Ok(self.rows) } else { Err(self.faults) }
    }
}

/// One segment as a file wants it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Where it begins, counted from 1.
    pub line: usize,
    /// What the columns say.
    cells: [Cell; Column::ALL.len()],
    /// What the indentation of an outline says about its place.
    pub above: Above,
}

/// What a row says of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cell {
    /// Nothing: the field stays as it is.
    #[default]
    Absent,
    /// The field is to be empty.
    Empty,
    /// This, as it is written there.
    Value(CompactString),
}

/// The row that one stands under, in a form that shows it by indentation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Above {
    /// The form has no indentation.
    #[default]
    Unsaid,
    /// None: it stands at the top of the file.
    Top,
    /// The row of that index.
    Row(usize),
}

/// What a column is about.
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
    /// The names from the top down to the segment itself.
    Path,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 6] =
        [Self::Id, Self::Name, Self::ExternalId, Self::ParentId, Self::ParentExternalId, Self::Path];

    /// The heading under which it is written.
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

    /// The column of a heading in whatever letters, with or without blanks, hyphens and underscores; `None` for any other.
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
    /// What is written there; nothing but blanks is nothing.
    #[must_use]
    pub fn written(text: &str) -> Self {
        if text.trim().is_empty() { Self::Empty } else { Self::Value(text.into()) }
    }

    /// The value without blanks around it.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Absent | Self::Empty => None,
            Self::Value(text) => Some(text.trim()),
        }
    }

    /// The value as it is written, with the blanks around it.
    #[must_use]
    pub fn as_written(&self) -> Option<&str> {
        match self {
            Self::Absent | Self::Empty => None,
            Self::Value(text) => Some(text),
        }
    }

    /// Whether the row says nothing of the field.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Row {
    /// A row that says nothing yet.
    #[must_use]
    pub fn at(line: usize) -> Self {
        Self { line, ..Self::default() }
    }

    /// What it says in a column.
    #[must_use]
    pub const fn cell(&self, column: Column) -> &Cell {
        &self.cells[column as usize]
    }

    /// The value in a column without blanks around it.
    #[must_use]
    pub fn value(&self, column: Column) -> Option<&str> {
        self.cell(column).value()
    }

    /// Says something in a column.
    pub fn set(&mut self, column: Column, cell: Cell) {
        self.cells[column as usize] = cell;
    }

    /// Whether it has no value anywhere, as the lines that a spreadsheet leaves below a table.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.value().is_none())
    }
}

/// Which headings of a file stand for which columns, beside their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames {
    names: Vec<(Column, String)>,
}

impl ColumnNames {
    /// Reads `name=NAZWA,ext=KOD,parent-ext=KOD_NADRZEDNY`.
    ///
    /// # Errors
    ///
    /// What can't be read, as a phrase.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pairs = text.split(',').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self::of(pairs)
    }

    /// Takes pairs of a column and its heading in the file.
    ///
    /// # Errors
    ///
    /// What can't be read, as a phrase.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
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

    /// Whether nothing was named, so that every heading has to be known by itself.
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

    /// The headings that were named and are not among those of a file.
    pub(super) fn missing<'a>(&'a self, headings: &[&str]) -> impl Iterator<Item = &'a str> {
        let there: Vec<String> = headings.iter().map(|heading| heading.trim().to_lowercase()).collect();
        let names = self.names.iter().map(|(_, name)| name.as_str());
        names.filter(move |name| !there.contains(&name.to_lowercase()))
    }
}

/// What is wrong with a line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The line, counted from 1.
    pub line: usize,
    /// What was found there, and what was expected.
    pub problem: RowProblem,
}

/// What was found in a line, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// A heading that stands for nothing.
    #[error("unknown column “{0}”; name the columns to read with --columns, and the others are ignored")]
    UnknownColumn(String),
    /// Two headings for one thing.
    #[error("column {0} appears twice")]
    ColumnTwice(Column),
    /// A heading that was named and is not there.
    #[error("no column “{0}”, which --columns or the profile names")]
    NoSuchColumn(String),
    /// No heading that stands for anything.
    #[error(
        "no column of segments; the first line has to name some of id, name, externalId, parentId, parentExternalId, path"
    )]
    NoColumns,
    /// Several characters that could separate the cells.
    #[error("the heading can be split by {0}; choose with --delimiter")]
    UnclearDelimiter(String),
    /// A first line `sep=…` with a character that separates no cells here.
    #[error("“sep={0}” names a delimiter that isn't read; save the file with `;`, `,` or tab")]
    UnknownDelimiter(String),
    /// More or fewer cells than the heading has.
    #[error("{}, and the heading has {expected}; quote a cell that contains the delimiter", cells(*found))]
    WrongCount {
        /// The cells.
        found: usize,
        /// Those of the heading.
        expected: usize,
    },
    /// A quoted cell without an end.
    #[error("the quotes don't pair up, here or later; within a quoted cell, a quote is written twice")]
    UnclosedQuote,
    /// A cell that can't be read.
    #[error("can't be read: {0}")]
    Unreadable(String),
    /// What is no JSON, with the parser's words.
    #[error("not valid JSON: {0}")]
    InvalidJson(String),
    /// JSON of another form.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A key that stands for nothing.
    #[error("unknown key “{0}”; use id, name, externalId, parentSegmentId, parentExternalId, path")]
    UnknownKey(String),
    /// A line of an outline.
    #[error("{0}")]
    Outline(outline::Problem),
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".into() } else { format!("{count} cells") }
}

impl RowProblem {
    /// Whether it is about its line alone, so that the other lines say what they say.
    #[must_use]
    pub const fn is_of_one_line(&self) -> bool {
        matches!(self, Self::WrongCount { .. } | Self::Expected(_) | Self::InvalidJson(_) | Self::Outline(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_however_they_are_spelt() {
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
    fn blanks_are_nothing_and_the_rest_stays_as_it_is_written() {
        assert_eq!(Cell::written(" \t"), Cell::Empty);
        let padded = Cell::written(" 007 ");
        assert_eq!(padded, Cell::Value(" 007 ".into()));
        assert_eq!(padded.value(), Some("007"));
    }
}
