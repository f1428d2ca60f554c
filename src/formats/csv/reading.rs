//! Reads the rows of a table.

use std::borrow::Cow;

use csv::StringRecord;

use super::guard::unguard;
use crate::formats::rows::{Cell, Column, ColumnNames, Reading, Row, RowFault, RowProblem, Rows};

/// The delimiter between the cells of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`, which Excel uses where the comma is the decimal separator.
    Semicolon,
    /// A tab.
    Tab,
}

impl Delimiter {
    /// All delimiters.
    pub const ALL: [Self; 3] = [Self::Semicolon, Self::Comma, Self::Tab];

    /// The delimiter of a character, or of the word `tab`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "," => Self::Comma,
            ";" => Self::Semicolon,
            "\t" | "\\t" | "tab" => Self::Tab,
            _ => return None,
        })
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    const fn display_name(self) -> &'static str {
        match self {
            Self::Comma => "“,”",
            Self::Semicolon => "“;”",
            Self::Tab => "tab",
        }
    }
}

/// How to read a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The delimiter; `None` to detect it in the heading.
    pub delimiter: Option<Delimiter>,
    /// Headings in place of the usual ones.
    pub columns: ColumnNames,
}

/// Reads a table. An empty text has no rows.
#[must_use]
pub fn read(text: &str, options: &ReadOptions) -> Reading {
    let whole = text.trim_start_matches('\u{feff}');
    if whole.trim().is_empty() {
        return Reading::default();
    }
    let (declared, body) = match declared_delimiter(whole) {
        Ok(declared) => declared,
        Err(problem) => return Reading::faulty(1, problem),
    };
    let lines_before = newlines(&whole[..whole.len() - body.len()]);
    let delimiter = match options.delimiter.or(declared).map_or_else(|| detect_delimiter(body, &options.columns), Ok) {
        Ok(delimiter) => delimiter,
        Err(problem) => return Reading::faulty(1 + lines_before, problem),
    };
    let mut table = Table { body, delimiter, lines_before, faults: Vec::new() };
    let mut records = table.records().into_iter();
    let Some((line, heading)) = records.next() else { return Reading::default() };
    let columns = table.columns(line, &heading, &options.columns);
    let rows: Vec<Row> = records.filter_map(|(line, record)| table.row(line, &record, &columns)).collect();
    table.faults.sort_by_key(|fault| fault.line);
    let columns = Column::ALL.into_iter().filter(|column| columns.contains(&Some(*column))).collect();
    Reading { rows: Rows { rows, columns, short_ids: false, by_number: false }, faults: table.faults }
}

/// The delimiter in a first line `sep=;`, which Excel supports, and the text after that line.
fn declared_delimiter(text: &str) -> Result<(Option<Delimiter>, &str), RowProblem> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let Some(declared) = first.trim_end_matches('\r').trim_matches('"').strip_prefix("sep=") else {
        return Ok((None, text));
    };
    match Delimiter::parse(declared) {
        Some(delimiter) => Ok((Some(delimiter), rest)),
        None => Err(RowProblem::UnknownDelimiter(declared.to_owned())),
    }
}

/// The only delimiter in the heading, outside quotes; if there are several, the one that splits it into known headings.
fn detect_delimiter(body: &str, names: &ColumnNames) -> Result<Delimiter, RowProblem> {
    let heading = body.trim_start_matches(['\r', '\n']).lines().next().unwrap_or_default();
    let mut quoted = false;
    let plain: String = heading
        .chars()
        .filter(|character| {
            quoted ^= *character == '"';
            !quoted
        })
        .collect();
    let present: Vec<Delimiter> =
        Delimiter::ALL.into_iter().filter(|delimiter| plain.as_bytes().contains(&delimiter.byte())).collect();
    let splits = |delimiter: &Delimiter| {
        let mut cells = plain.split(char::from(delimiter.byte())).map(|cell| cell.trim_matches(['"', ' ']));
        cells.any(|cell| names.column(cell).is_some())
    };
    match present.as_slice() {
        // A single column has no delimiter, so any will do.
        [] => Ok(Delimiter::Comma),
        [only] => Ok(*only),
        several => {
            let known: Vec<Delimiter> = several.iter().copied().filter(splits).collect();
            let joined =
                |several: &[Delimiter]| several.iter().map(|one| one.display_name()).collect::<Vec<_>>().join(" and ");
            match known.as_slice() {
                [one] => Ok(*one),
                _ => Err(RowProblem::UnclearDelimiter(joined(several))),
            }
        }
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// A table while it is read.
struct Table<'a> {
    body: &'a str,
    delimiter: Delimiter,
    /// The number of lines before the table.
    lines_before: usize,
    faults: Vec<RowFault>,
}

impl Table<'_> {
    /// The lines that aren't blank, with their numbers.
    fn records(&mut self) -> Vec<(usize, StringRecord)> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter.byte())
            .has_headers(false)
            .flexible(true)
            .from_reader(self.body.as_bytes());
        let mut records = Vec::new();
        let (mut line, mut counted_until) = (1 + self.lines_before, 0);
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let at = record
                        .position()
                        .map_or(counted_until, |position| usize::try_from(position.byte()).unwrap_or(counted_until));
                    // The reader starts a record where the previous one ended, blank lines included.
                    let rest = self.body.get(at..).unwrap_or_default();
                    let begin = at + (rest.len() - rest.trim_start_matches(['\r', '\n']).len());
                    line += newlines(self.body.get(counted_until..begin).unwrap_or_default());
                    counted_until = begin;
                    if record.iter().any(|cell| !cell.trim().is_empty()) {
                        records.push((line, record));
                    }
                }
                Err(fault) => self.faults.push(RowFault { line, problem: RowProblem::Unreadable(fault.to_string()) }),
            }
        }
        // The quotes around a cell and the escaped quotes within one come in pairs.
        let quotes = self.body.bytes().filter(|byte| *byte == b'"').count();
        if !quotes.is_multiple_of(2) {
            self.faults.push(RowFault { line, problem: RowProblem::UnclosedQuote });
        }
        records
    }

    /// The column of each cell of a line; `None` if it is ignored.
    fn columns(&mut self, line: usize, heading: &StringRecord, names: &ColumnNames) -> Vec<Option<Column>> {
        let mut columns: Vec<Option<Column>> = Vec::new();
        for cell in heading {
            let column = names.column(cell);
            match column {
                Some(column) if columns.contains(&Some(column)) => {
                    self.faults.push(RowFault { line, problem: RowProblem::ColumnTwice(column) });
                }
                None if names.is_empty() && !cell.trim().is_empty() => {
                    let problem = RowProblem::UnknownColumn(cell.trim().to_owned());
                    self.faults.push(RowFault { line, problem });
                }
                _ => {}
            }
            columns.push(column);
        }
        let headings: Vec<&str> = heading.iter().collect();
        let missing = names.missing(&headings).map(|name| RowProblem::NoSuchColumn(name.to_owned()));
        self.faults.extend(missing.map(|problem| RowFault { line, problem }));
        if columns.iter().all(Option::is_none) && self.faults.is_empty() {
            self.faults.push(RowFault { line, problem: RowProblem::NoColumns });
        }
        columns
    }

    /// The row of a line; `None` if the line is blank or faulty.
    fn row(&mut self, line: usize, record: &StringRecord, columns: &[Option<Column>]) -> Option<Row> {
        let has_extra_cells = record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty());
        if record.len() < columns.len() || has_extra_cells {
            let problem = RowProblem::WrongCount { found: record.len(), expected: columns.len() };
            self.faults.push(RowFault { line, problem });
            return None;
        }
        let mut row = Row::at_line(line);
        for (column, cell) in columns.iter().zip(record) {
            if let Some(column) = column {
                row.set(*column, Cell::written(&self.unguarded(cell)));
            }
        }
        (!row.is_blank()).then_some(row)
    }

    /// A cell without its guard against spreadsheets: `="007"` is 007, and so is `'007` if the delimiter is one that spreadsheets
    /// use. Between commas an apostrophe is part of the text, as in exports for programs.
    fn unguarded<'c>(&self, cell: &'c str) -> Cow<'c, str> {
        let inner = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
        match (inner, self.delimiter) {
            (Some(inner), _) => inner.replace("\"\"", "\"").into(),
            (None, Delimiter::Comma) => cell.into(),
            (None, Delimiter::Semicolon | Delimiter::Tab) => unguard(cell).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Row> {
        read(text, &ReadOptions::default()).whole().unwrap_or_else(|faults| panic!("{faults:?}")).rows
    }

    fn faults(text: &str) -> Vec<(usize, RowProblem)> {
        let faults = read(text, &ReadOptions::default()).faults;
        faults.into_iter().map(|fault| (fault.line, fault.problem)).collect()
    }

    #[test]
    fn the_heading_names_the_columns() {
        let rows = rows("parentExternalId;Name;externalId\r\n;Łódź;007\r\n007;\"a \"\"b\"\"; c\nd\";\r\n");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].cell(Column::ParentExternalId), &Cell::Empty);
        assert_eq!(rows[0].value(Column::ExternalId), Some("007"));
        assert_eq!(rows[0].cell(Column::Id), &Cell::Absent);
        assert_eq!(rows[1].value(Column::Name), Some("a \"b\"; c\nd"));
        assert_eq!((rows[0].line, rows[1].line), (2, 3));
    }

    #[test]
    fn the_delimiter_is_given_or_detected_in_the_heading() {
        for text in [
            "sep=;\nname;id\nA,B;1\n",
            "name;id\nA,B;1\n",
            "name\tid\nA,B\t1\n",
            "\"sep=;\"\r\nname;id\r\n\"A,B\";1\r\n",
        ] {
            assert_eq!(rows(text)[0].value(Column::Name), Some("A,B"), "{text}");
        }
        assert_eq!(rows("name\nA\n")[0].value(Column::Name), Some("A"));
        assert_eq!(rows("sep=;\nname;id\nA;1\n")[0].line, 3);
        assert_eq!(faults("sep=|\nname|id\nA|1\n"), [(1, RowProblem::UnknownDelimiter("|".into()))]);
        assert!(matches!(faults("name;id,path\nA;1\n")[0], (1, RowProblem::UnclearDelimiter(_))));
        let named = ReadOptions { delimiter: Some(Delimiter::Comma), ..ReadOptions::default() };
        assert_eq!(read("name,id\n\"A;B\",1\n", &named).rows.rows[0].value(Column::Name), Some("A;B"));
    }

    #[test]
    fn blank_lines_and_trailing_empty_cells_are_ignored() {
        let rows = rows("name;id\n\nA;1\n;\n\r\n  ;  \nB;2;;\n;;;\n");
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 7]);
    }

    #[test]
    fn every_fault_is_reported_with_its_line() {
        assert_eq!(rows(" \n"), []);
        let text = "name;kod;name\nA\nB;1;2\nC;1;2;3\n";
        assert_eq!(
            faults(text),
            [
                (1, RowProblem::UnknownColumn("kod".into())),
                (1, RowProblem::ColumnTwice(Column::Name)),
                (2, RowProblem::WrongCount { found: 1, expected: 3 }),
                (4, RowProblem::WrongCount { found: 4, expected: 3 }),
            ]
        );
        assert!(faults("name;id\nA;1\n\"B;2\nC;3\n").contains(&(3, RowProblem::UnclosedQuote)));
        let named = ReadOptions { columns: ColumnNames::parse("name=NAZWA").unwrap(), ..ReadOptions::default() };
        assert_eq!(read("kod;id\n1;2\n", &named).faults[0].problem, RowProblem::NoSuchColumn("NAZWA".into()));
        let read = read("kod;NAZWA\n1;A\n", &named).whole().unwrap();
        assert_eq!(read.columns, [Column::Name]);
        assert_eq!(read.rows[0].value(Column::Name), Some("A"));
    }

    #[test]
    fn a_guard_against_spreadsheets_is_removed() {
        for guarded in ["\"=\"\"007\"\"\"", "'007"] {
            assert_eq!(rows(&format!("name;ext\n{guarded};x\n"))[0].value(Column::Name), Some("007"), "{guarded}");
        }
        assert_eq!(rows("name;ext\n'Aachen;x\n")[0].value(Column::Name), Some("'Aachen"));
        assert_eq!(rows("name,ext\n'007,x\n")[0].value(Column::Name), Some("'007"));
    }
}
