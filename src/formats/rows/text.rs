//! From bytes to text, and from an outline to rows.

use encoding_rs::{ISO_8859_2, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250};

use super::{Above, Cell, Column, Reading, Row, RowFault, RowProblem, Rows};
use crate::formats::outline;

/// How letters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// As Windows writes Polish, and Excel's “CSV (delimited)”.
    Windows1250,
    /// As older Unix systems wrote Polish.
    Iso8859_2,
    /// UTF-16, the lower byte first.
    Utf16,
}

impl Encoding {
    /// Every encoding that can be asked for.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Windows1250, Self::Iso8859_2, Self::Utf16];

    /// How it is called.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1250 => "windows-1250",
            Self::Iso8859_2 => "iso-8859-2",
            Self::Utf16 => "utf-16",
        }
    }

    /// The encoding of a name.
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

/// Text that was read, without a byte order mark.
pub type Decoded = String;

/// Bytes that are no text in the encoding that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// A line with such bytes, counted from 1: the first that reads differently in the encodings it may be in, if there is one.
    pub line: usize,
    /// The encoding that was expected.
    pub expected: Encoding,
    /// That line in other encodings.
    pub readings: Vec<(Encoding, String)>,
}

/// A line of a file that is shown in an error, at most.
const SHOWN: usize = 120;

/// Reads bytes as text. A byte order mark decides; else the encoding that is asked for; else they have to be UTF-8. Nothing is
/// guessed.
///
/// # Errors
///
/// Bytes that are no text in that encoding.
pub fn decode(bytes: &[u8], asked: Option<Encoding>) -> Result<Decoded, Undecodable> {
    let (decoder, bytes, expected) = if let Some((marked, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let marked_as = if marked == UTF_16LE || marked == UTF_16BE { Encoding::Utf16 } else { Encoding::Utf8 };
        (marked, &bytes[mark..], marked_as)
    } else {
        let expected = asked.unwrap_or(Encoding::Utf8);
        (expected.decoder(), bytes, expected)
    };
    if asked.is_none() && expected == Encoding::Utf8 && is_like_utf16(bytes) {
        return Err(Undecodable { line: 1, expected, readings: vec![(Encoding::Utf16, first_line_of_utf16(bytes))] });
    }
    if let Some(text) = decoder.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    let valid = if expected == Encoding::Utf8 {
        std::str::from_utf8(bytes).map_or_else(|fault| fault.valid_up_to(), |_| bytes.len())
    } else {
        // Of another encoding only the whole is known to be wrong.
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
    // The letters of most lines are the same in both; one that shows the difference says more than the first.
    let lines = || (first..).zip(bytes[begin..].split(|byte| *byte == b'\n'));
    let telling = lines()
        .map(|(line, bytes)| (line, read_as(bytes)))
        .find(|(_, readings)| readings.windows(2).any(|pair| pair[0].1 != pair[1].1));
    let (line, mut readings) =
        telling.unwrap_or_else(|| (first, lines().next().map(|(_, line)| read_as(line)).unwrap_or_default()));
    for (_, text) in &mut readings {
        *text = text.chars().take(SHOWN).collect();
    }
    Err(Undecodable { line, expected, readings })
}

/// Whether bytes are most likely UTF-16 whose byte order mark was left out: every other byte of a text in Latin letters is zero then,
/// and no text has a zero otherwise.
fn is_like_utf16(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(SHOWN)];
    let zeros = head.chunks_exact(2).filter(|pair| pair[0] != 0 && pair[1] == 0).count();
    zeros > head.len() / 4
}

fn first_line_of_utf16(bytes: &[u8]) -> String {
    let (text, _) = UTF_16LE.decode_without_bom_handling(&bytes[..bytes.len().min(2 * SHOWN)]);
    text.lines().next().unwrap_or_default().to_owned()
}

/// Reads an outline: a line's place is where its indentation puts it. Nothing at all has no rows.
#[must_use]
pub fn read_outline(text: &str) -> Reading {
    if text.trim().is_empty() {
        return Reading::default();
    }
    let outline::OutlineText { lines, faults } = outline::read(text);
    let fault = |fault: outline::Fault| RowFault { line: fault.line, problem: RowProblem::Outline(fault.problem) };
    let mut faults: Vec<RowFault> = faults.into_iter().map(fault).collect();
    let mut rows: Vec<Row> = Vec::with_capacity(lines.len());
    // The last row on each level.
    let mut path: Vec<usize> = Vec::new();
    for line in lines {
        path.truncate(line.level);
        let above = path.last().map_or(Above::Top, |above| Above::Row(*above));
        path.push(rows.len());
        if line.name.trim().is_empty() && line.tag.is_none() {
            faults.push(RowFault { line: line.line, problem: RowProblem::Outline(outline::Problem::BlankName) });
        }
        let mut row = Row { above, ..Row::at(line.line) };
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
    fn a_mark_decides_and_is_no_part_of_the_text() {
        assert_eq!(decode("\u{feff}Łódź".as_bytes(), None).unwrap(), "Łódź");
        assert_eq!(decode("\u{feff}Łódź".as_bytes(), Some(Encoding::Windows1250)).unwrap(), "Łódź");
        let utf16: Vec<u8> = "\u{feff}Łódź".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf16, None).unwrap(), "Łódź");
    }

    #[test]
    fn what_is_not_utf_8_is_shown_in_the_encodings_it_may_be_in() {
        let fault = decode(POLISH_1250, None).unwrap_err();
        assert_eq!(fault.line, 2);
        assert_eq!(fault.readings[0], (Encoding::Windows1250, "Łódź;1".into()));
        assert_eq!(fault.readings[1].0, Encoding::Iso8859_2);
        assert_ne!(fault.readings[1].1, "Łódź;1");
        assert_eq!(decode(POLISH_1250, Some(Encoding::Windows1250)).unwrap(), "name;ext\r\nŁódź;1\r\n");
        assert!(decode("Łódź".as_bytes(), Some(Encoding::Utf8)).is_ok());
        // An ó is the same in both.
        assert_eq!(decode(b"G\xf3ra\n\xa3\xf3d\x9f\n", None).unwrap_err().line, 2);
        assert_eq!(decode(b"a\nG\xf3ra\n", None).unwrap_err().line, 2);
    }

    #[test]
    fn indentation_says_what_stands_under_what() {
        let rows = read_outline("A  [1]  {a}\n  B\n    C\n  D  {d}\nE\n").whole().unwrap();
        let above: Vec<Above> = rows.rows.iter().map(|row| row.above).collect();
        assert_eq!(above, [Above::Top, Above::Row(0), Above::Row(1), Above::Row(0), Above::Top]);
        assert_eq!(rows.rows[0].value(Column::ExternalId), Some("1"));
        assert_eq!(rows.rows[1].cell(Column::ExternalId), &Cell::Empty);
        let faults = read_outline("A\n\tB\n   C\n").faults;
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
    }
}
