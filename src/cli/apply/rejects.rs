//! The rejects file: the rows that were not applied, in the form of the source file, to correct them and apply them with the same
//! flags.
//!
//! If the source wasn't plain UTF-8, the rejects begin with a byte order mark, which takes precedence over `--encoding`.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use serde_json::{Map, Value};

use crate::formats::rows::{Cell, Column, ParentRow, Row};

use super::super::arguments::SourceFormat;
use super::super::source::Source;

/// Writes the rows that begin on these lines.
pub(super) fn write(out: &mut dyn Write, source: &Source, lines: &BTreeSet<usize>) -> fmt::Result {
    if source.is_marked {
        out.write_char('\u{feff}')?;
    }
    match source.format {
        SourceFormat::Csv => write_lines(out, source, lines, Heading::Kept),
        SourceFormat::Ndjson => write_lines(out, source, lines, Heading::None),
        SourceFormat::Outline => write_lines(out, source, &with_ancestors(&source.rows.rows, lines), Heading::None),
        SourceFormat::Json => write_json(out, &source.rows.rows, lines),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    Kept,
    None,
}

/// Writes rows as they are in the file, each with all its lines.
fn write_lines(out: &mut dyn Write, source: &Source, lines: &BTreeSet<usize>, heading: Heading) -> fmt::Result {
    let begins: BTreeSet<usize> = source.rows.rows.iter().map(|row| row.line).collect();
    let mut is_wanted = heading == Heading::Kept;
    for (number, line) in (1..).zip(source.text.split_inclusive('\n')) {
        if begins.contains(&number) {
            is_wanted = lines.contains(&number);
        }
        if is_wanted {
            out.write_str(line)?;
            if !line.ends_with('\n') {
                out.write_char('\n')?;
            }
        }
    }
    Ok(())
}

/// Adds to lines of an outline the lines of their ancestors, which say where they belong.
fn with_ancestors(rows: &[Row], lines: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut wanted = lines.clone();
    for row in rows.iter().rev().filter(|row| lines.contains(&row.line)) {
        let mut above = row.parent;
        while let ParentRow::Row(at) = above {
            let Some(row) = rows.get(at).filter(|row| wanted.insert(row.line)) else { break };
            above = row.parent;
        }
    }
    wanted
}

fn write_json(out: &mut dyn Write, rows: &[Row], lines: &BTreeSet<usize>) -> fmt::Result {
    let mut separator = "[\n  ";
    let mut end = "[]\n";
    for row in rows.iter().filter(|row| lines.contains(&row.line)) {
        let fields = Column::ALL.into_iter().filter_map(|column| {
            let value = match row.cell(column) {
                Cell::Absent => return None,
                Cell::Empty => Value::Null,
                Cell::Value(text) => Value::String(text.to_string()),
            };
            Some((column.heading().to_owned(), value))
        });
        let object: Map<String, Value> = fields.collect();
        write!(out, "{separator}{}", Value::Object(object))?;
        separator = ",\n  ";
        end = "\n]\n";
    }
    out.write_str(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::csv::{self, ReadOptions};
    use crate::formats::rows::{ColumnNames, read_json, read_outline};

    fn rejected(text: &str, format: SourceFormat, lines: &[usize]) -> String {
        let rows = match format {
            SourceFormat::Csv => csv::read(text, &ReadOptions::default()),
            SourceFormat::Outline => read_outline(text),
            _ => read_json(text, &ColumnNames::default()),
        };
        let source = Source {
            name: "a".into(),
            text: text.into(),
            format,
            rows: rows.whole().unwrap(),
            is_marked: false,
            tenant: None,
            key: None,
        };
        let mut out = String::new();
        write(&mut out, &source, &lines.iter().copied().collect()).unwrap();
        out
    }

    #[test]
    fn rejected_csv_rows_are_copied_unchanged() {
        let text = "sep=;\r\nname;ext\r\n\"A\r\nB\";1\r\n\r\nC;'007\r\nD;2";
        let heading = "sep=;\r\nname;ext\r\n";
        assert_eq!(rejected(text, SourceFormat::Csv, &[3, 7]), format!("{heading}\"A\r\nB\";1\r\n\r\nD;2\n"));
        assert_eq!(rejected(text, SourceFormat::Csv, &[6]), format!("{heading}C;'007\r\n"));
        assert_eq!(rejected(text, SourceFormat::Csv, &[]), heading);
    }

    #[test]
    fn a_rejected_outline_row_keeps_its_ancestors() {
        let text = "A  [1]  {}\n  B\n    C\n  D\nE\n".replace("  {}", "");
        assert_eq!(rejected(&text, SourceFormat::Outline, &[3]), "A  [1]\n  B\n    C\n");
        assert_eq!(rejected(&text, SourceFormat::Outline, &[4]), "A  [1]\n  D\n");
    }

    #[test]
    fn rejected_json_objects_keep_their_fields() {
        let text = "[{\"name\": \"A\", \"externalId\": null}, \n{\"name\": \"B\", \"parentSegmentId\": \"p\"}]";
        assert_eq!(rejected(text, SourceFormat::Json, &[1]), "[\n  {\"externalId\":null,\"name\":\"A\"}\n]\n");
        assert_eq!(rejected(text, SourceFormat::Json, &[]), "[]\n");
    }
}
