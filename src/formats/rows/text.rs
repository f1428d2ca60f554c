//! Decodes bytes to text, and reads an outline as rows.

use encoding_rs::{ISO_8859_2, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250};

use super::{Cell, Column, ParentRow, Reading, Row, RowFault, RowProblem, Rows};
use crate::formats::outline;

/// A text encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// The Windows encoding for Polish, used by Excel's “CSV (delimited)”.
    Windows1250,
    /// The encoding of older Unix systems for Polish.
    Iso8859_2,
    /// UTF-16, little-endian.
    Utf16,
}

impl Encoding {
    /// Every encoding that can be requested.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Windows1250, Self::Iso8859_2, Self::Utf16];

    /// The name of the encoding.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1250 => "windows-1250",
            Self::Iso8859_2 => "iso-8859-2",
            Self::Utf16 => "utf-16",
        }
    }

    /// The encoding with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.text().eq_ignore_ascii_case(name))
    }

    const fn decoder(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Windows1250 => WINDOWS_1250,
            Self::Iso8859_2 => ISO_8859_2,
            Self::Utf16 => UTF_16LE,
        }
    }
}

/// Decoded text, without a byte order mark.
pub type Decoded = String;

/// Bytes that are invalid in the expected encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// A line with such bytes, from 1: preferably the first line that the candidate encodings decode differently.
    pub line: usize,
    /// The expected encoding.
    pub expected: Encoding,
    /// That line in the candidate encodings.
    pub readings: Vec<(Encoding, String)>,
}

/// The maximum length of a line in an error message.
const MAX_SHOWN: usize = 120;

/// Decodes bytes. A byte order mark determines the encoding; without one it is the requested encoding, or UTF-8. Nothing is
/// guessed.
///
/// # Errors
///
/// Bytes that are invalid in that encoding.
pub fn decode(bytes: &[u8], requested: Option<Encoding>) -> Result<Decoded, Undecodable> {
    let (decoder, bytes, expected) = if let Some((marked, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let marked_as = if marked == UTF_16LE || marked == UTF_16BE { Encoding::Utf16 } else { Encoding::Utf8 };
        (marked, &bytes[mark..], marked_as)
    } else {
        let expected = requested.unwrap_or(Encoding::Utf8);
        (expected.decoder(), bytes, expected)
    };
    if requested.is_none() && expected == Encoding::Utf8 && is_like_utf16(bytes) {
        return Err(Undecodable { line: 1, expected, readings: vec![(Encoding::Utf16, first_line_of_utf16(bytes))] });
    }
    if let Some(text) = decoder.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    let valid = if expected == Encoding::Utf8 {
        std::str::from_utf8(bytes).map_or_else(|fault| fault.valid_up_to(), |_| bytes.len())
    } else {
        // For other encodings the position of the error is unknown.
        0
    };
    let others: Vec<Encoding> =
        [Encoding::Windows1250, Encoding::Iso8859_2].into_iter().filter(|other| *other != expected).collect();
    let first = bytes[..valid].split(|byte| *byte == b'\n').count();
    let begin = bytes[..valid].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let read_as = |line: &[u8]| -> Vec<(Encoding, String)> {
        let text = |encoding: Encoding| encoding.decoder().decode_without_bom_handling(line).0.trim_end().to_owned();
        others.iter().map(|encoding| (*encoding, text(*encoding))).collect()
    };
    // Most lines are the same in both encodings, so a line that shows the difference is more helpful than the first.
    let lines = || (first..).zip(bytes[begin..].split(|byte| *byte == b'\n'));
    let distinguishing = lines()
        .map(|(line, bytes)| (line, read_as(bytes)))
        .find(|(_, readings)| readings.windows(2).any(|pair| pair[0].1 != pair[1].1));
    let (line, mut readings) =
        distinguishing.unwrap_or_else(|| (first, lines().next().map(|(_, line)| read_as(line)).unwrap_or_default()));
    for (_, text) in &mut readings {
        *text = text.chars().take(MAX_SHOWN).collect();
    }
    Err(Undecodable { line, expected, readings })
}

/// Whether bytes are most likely UTF-16 without a byte order mark: every other byte of a text in Latin letters is then zero,
/// while other texts contain no zeros.
fn is_like_utf16(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(MAX_SHOWN)];
    let zeros = head.chunks_exact(2).filter(|pair| pair[0] != 0 && pair[1] == 0).count();
    zeros > head.len() / 4
}

fn first_line_of_utf16(bytes: &[u8]) -> String {
    let (text, _) = UTF_16LE.decode_without_bom_handling(&bytes[..bytes.len().min(2 * MAX_SHOWN)]);
    text.lines().next().unwrap_or_default().to_owned()
}

/// Reads an outline: the indentation of a line gives its parent. An empty text has no rows.
#[must_use]
pub fn read_outline(text: &str) -> Reading {
    if text.trim().is_empty() {
        return Reading::default();
    }
    let outline::OutlineText { lines, faults } = outline::read(text);
    let fault = |fault: outline::Fault| RowFault { line: fault.line, problem: RowProblem::Outline(fault.problem) };
    let mut faults: Vec<RowFault> = faults.into_iter().map(fault).collect();
    let mut rows: Vec<Row> = Vec::with_capacity(lines.len());
    // The last row of each level.
    let mut path: Vec<usize> = Vec::new();
    for line in lines {
        path.truncate(line.level);
        let above = path.last().map_or(ParentRow::Top, |above| ParentRow::Row(*above));
        path.push(rows.len());
        if line.name.trim().is_empty() && line.tag.is_none() {
            faults.push(RowFault { line: line.line, problem: RowProblem::Outline(outline::Problem::BlankName) });
        }
        let mut row = Row { parent: above, ..Row::at_line(line.line) };
        row.set(Column::Name, Cell::written(&line.name));
        row.set(Column::ExternalId, Cell::written(line.external_id.as_deref().unwrap_or_default()));
        row.set(Column::Id, Cell::written(line.tag.as_deref().unwrap_or_default()));
        rows.push(row);
    }
    faults.sort_by_key(|fault| fault.line);
    Reading {
        rows: Rows {
            rows,
            columns: vec![Column::Id, Column::Name, Column::ExternalId],
            short_ids: true,
            by_number: false,
        },
        faults,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLISH_1250: &[u8] = b"name;ext\r\n\xa3\xf3d\x9f;1\r\n";

    #[test]
    fn a_byte_order_mark_sets_the_encoding_and_is_removed() {
        assert_eq!(decode("\u{feff}Łódź".as_bytes(), None).unwrap(), "Łódź");
        assert_eq!(decode("\u{feff}Łódź".as_bytes(), Some(Encoding::Windows1250)).unwrap(), "Łódź");
        let utf16: Vec<u8> = "\u{feff}Łódź".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf16, None).unwrap(), "Łódź");
    }

    #[test]
    fn invalid_utf_8_is_shown_in_the_candidate_encodings() {
        let fault = decode(POLISH_1250, None).unwrap_err();
        assert_eq!(fault.line, 2);
        assert_eq!(fault.readings[0], (Encoding::Windows1250, "Łódź;1".into()));
        assert_eq!(fault.readings[1].0, Encoding::Iso8859_2);
        assert_ne!(fault.readings[1].1, "Łódź;1");
        assert_eq!(decode(POLISH_1250, Some(Encoding::Windows1250)).unwrap(), "name;ext\r\nŁódź;1\r\n");
        assert!(decode("Łódź".as_bytes(), Some(Encoding::Utf8)).is_ok());
        // An ó is the same in both encodings.
        assert_eq!(decode(b"G\xf3ra\n\xa3\xf3d\x9f\n", None).unwrap_err().line, 2);
        assert_eq!(decode(b"a\nG\xf3ra\n", None).unwrap_err().line, 2);
    }

    #[test]
    fn indentation_gives_the_parent() {
        let rows = read_outline("A  [1]  {a}\n  B\n    C\n  D  {d}\nE\n").whole().unwrap();
        let above: Vec<ParentRow> = rows.rows.iter().map(|row| row.parent).collect();
        assert_eq!(above, [ParentRow::Top, ParentRow::Row(0), ParentRow::Row(1), ParentRow::Row(0), ParentRow::Top]);
        assert_eq!(rows.rows[0].value(Column::ExternalId), Some("1"));
        assert_eq!(rows.rows[1].cell(Column::ExternalId), &Cell::Empty);
        let faults = read_outline("A\n\tB\n   C\n").faults;
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
    }
}
