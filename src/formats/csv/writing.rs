//! Writes segments and other data as tables.

use std::fmt::{self, Write};

use csv_core::{Terminator, WriteResult, Writer, WriterBuilder};

use super::COLUMNS;
use super::guard::guard;
use crate::formats::Record;

/// The program that a table is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Other programs: commas and line feeds, every cell unchanged.
    Plain,
    /// Spreadsheets: a byte order mark, semicolons and CRLF, and guards on cells that would be run or changed.
    Excel,
}

/// Writes segments with a heading.
///
/// # Errors
///
/// An error of the writer.
pub fn write<'a>(out: &mut dyn Write, records: impl IntoIterator<Item = Record<'a>>, dialect: Dialect) -> fmt::Result {
    if dialect == Dialect::Excel {
        out.write_char('\u{feff}')?;
    }
    let mut line_writer = LineWriter::new(dialect);
    out.write_str(line_writer.line(COLUMNS)?)?;
    for Record { segment, parent_external_id, path } in records {
        let (id, parent) = (segment.id.text(), segment.parent.as_ref().map(|parent| parent.text()));
        let cells = [
            id.as_ref(),
            &segment.name,
            segment.external_id.as_deref().unwrap_or_default(),
            parent.as_deref().unwrap_or_default(),
            parent_external_id.unwrap_or_default(),
            &path,
        ];
        let line = match dialect {
            Dialect::Plain => line_writer.line(cells)?,
            Dialect::Excel => line_writer.line(cells.map(guard).each_ref().map(AsRef::as_ref))?,
        };
        out.write_str(line)?;
    }
    Ok(())
}

/// Writes any other table with a heading, without a byte order mark or guards.
///
/// # Errors
///
/// An error of the writer.
pub fn write_table<const CELLS: usize>(
    out: &mut dyn Write,
    heading: [&str; CELLS],
    rows: impl IntoIterator<Item = [String; CELLS]>,
    dialect: Dialect,
) -> fmt::Result {
    let mut line_writer = LineWriter::new(dialect);
    out.write_str(line_writer.line(heading)?)?;
    for row in rows {
        out.write_str(line_writer.line(row.each_ref().map(String::as_str))?)?;
    }
    Ok(())
}

/// Formats one line at a time.
struct LineWriter {
    writer: Writer,
    line: Vec<u8>,
}

/// The size of the buffer in bytes.
const BUFFER_LEN: usize = 1_024;

impl LineWriter {
    fn new(dialect: Dialect) -> Self {
        let (delimiter, terminator) = match dialect {
            Dialect::Plain => (b',', Terminator::Any(b'\n')),
            Dialect::Excel => (b';', Terminator::CRLF),
        };
        let writer = WriterBuilder::new().delimiter(delimiter).terminator(terminator).build();
        Self { writer, line: Vec::new() }
    }

    fn line<const CELLS: usize>(&mut self, cells: [&str; CELLS]) -> Result<&str, fmt::Error> {
        self.line.clear();
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.write_until_done(Writer::delimiter);
            }
            let mut rest = cell.as_bytes();
            self.write_until_done(|writer, buffer| {
                let (result, read, written) = writer.field(rest, buffer);
                rest = &rest[read..];
                (result, written)
            });
        }
        self.write_until_done(Writer::terminator);
        // Only whole cells and ASCII are put together, so it is valid UTF-8.
        std::str::from_utf8(&self.line).map_err(|_| fmt::Error)
    }

    /// Calls `write` until it has written everything.
    fn write_until_done(&mut self, mut write: impl FnMut(&mut Writer, &mut [u8]) -> (WriteResult, usize)) {
        let mut buffer = [0; BUFFER_LEN];
        loop {
            let (result, written) = write(&mut self.writer, &mut buffer);
            self.line.extend_from_slice(&buffer[..written]);
            if result == WriteResult::InputEmpty {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
