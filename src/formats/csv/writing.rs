//! From segments to a table.

use std::fmt::{self, Write};

use csv_core::{Terminator, WriteResult, Writer, WriterBuilder};

use super::COLUMNS;
use super::guard::guard;
use crate::formats::Record;

/// For whom a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// For programs: commas and line feeds, every cell as it is.
    Plain,
    /// For spreadsheets: a byte order mark, semicolons and CRLF, and cells that would be run or changed are guarded.
    Excel,
}

/// Writes a table with a heading.
///
/// # Errors
///
/// What the writer refuses.
pub fn write<'a>(out: &mut dyn Write, records: impl IntoIterator<Item = Record<'a>>, dialect: Dialect) -> fmt::Result {
    if dialect == Dialect::Excel {
        out.write_char('\u{feff}')?;
    }
    let mut lines = Lines::new(dialect);
    out.write_str(lines.of(COLUMNS)?)?;
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
            Dialect::Plain => lines.of(cells)?,
            Dialect::Excel => lines.of(cells.map(guard).each_ref().map(AsRef::as_ref))?,
        };
        out.write_str(line)?;
    }
    Ok(())
}

/// Writes another table with a heading.
///
/// # Errors
///
/// What the writer refuses.
pub fn write_table<const CELLS: usize>(
    out: &mut dyn Write,
    heading: [&str; CELLS],
    rows: impl IntoIterator<Item = [String; CELLS]>,
    dialect: Dialect,
) -> fmt::Result {
    let mut lines = Lines::new(dialect);
    out.write_str(lines.of(heading)?)?;
    for row in rows {
        out.write_str(lines.of(row.each_ref().map(String::as_str))?)?;
    }
    Ok(())
}

/// Writes a line at a time.
struct Lines {
    writer: Writer,
    line: Vec<u8>,
}

/// Bytes that are written at once.
const PIECE: usize = 1_024;

impl Lines {
    fn new(dialect: Dialect) -> Self {
        let (delimiter, terminator) = match dialect {
            Dialect::Plain => (b',', Terminator::Any(b'\n')),
            Dialect::Excel => (b';', Terminator::CRLF),
        };
        let writer = WriterBuilder::new().delimiter(delimiter).terminator(terminator).build();
        Self { writer, line: Vec::new() }
    }

    fn of<const CELLS: usize>(&mut self, cells: [&str; CELLS]) -> Result<&str, fmt::Error> {
        self.line.clear();
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.repeat(Writer::delimiter);
            }
            let mut rest = cell.as_bytes();
            self.repeat(|writer, piece| {
                let (result, read, written) = writer.field(rest, piece);
                rest = &rest[read..];
                (result, written)
            });
        }
        self.repeat(Writer::terminator);
        // Only whole cells and ASCII were put together.
        std::str::from_utf8(&self.line).map_err(|_| fmt::Error)
    }

    /// Lets the writer write until it needs no more room.
    fn repeat(&mut self, mut write: impl FnMut(&mut Writer, &mut [u8]) -> (WriteResult, usize)) {
        let mut piece = [0; PIECE];
        loop {
            let (result, written) = write(&mut self.writer, &mut piece);
            self.line.extend_from_slice(&piece[..written]);
            if result == WriteResult::InputEmpty {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
