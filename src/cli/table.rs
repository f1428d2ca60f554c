//! A table of segments for reading. Its format may change; programs should read the other forms.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::forest::{Query, path_names, path_text};
use crate::formats::Record;

use super::paint::Paint;

/// The maximum column width. A wider cell shifts the rest of its own row only.
const MAX_COLUMN_WIDTH: usize = 40;
const HEADINGS: [&str; 4] = ["NAME", "EXTERNAL ID", "ID", "IN"];

/// Writes a heading and a line per segment, or nothing if there are no segments.
///
/// `records` is called twice: for the widths, and for the lines.
pub(super) fn write<'a, I: Iterator<Item = Record<'a>>>(
    out: &mut dyn Write,
    records: impl Fn() -> I,
    query: Option<&Query>,
    paint: Paint,
) -> fmt::Result {
    let mut widths = HEADINGS.map(UnicodeWidthStr::width);
    let mut is_empty = true;
    for record in records() {
        is_empty = false;
        let plain = Cells::of(&record, None, Paint::Plain);
        for (width, cell) in widths.iter_mut().zip(&plain.0) {
            *width = (*width).max(cell.width().min(MAX_COLUMN_WIDTH));
        }
    }
    if is_empty {
        return Ok(());
    }
    write_line(out, &HEADINGS.map(str::to_owned), &HEADINGS.map(|heading| paint.bold(heading)), &widths)?;
    for record in records() {
        let plain = Cells::of(&record, None, Paint::Plain);
        match paint {
            Paint::Plain => write_line(out, &plain.0, &plain.0, &widths)?,
            Paint::Coloured => write_line(out, &plain.0, &Cells::of(&record, query, paint).0, &widths)?,
        }
    }
    Ok(())
}

/// The cells of a row, safe for a terminal.
struct Cells([String; HEADINGS.len()]);

impl Cells {
    fn of(record: &Record<'_>, query: Option<&Query>, paint: Paint) -> Self {
        let segment = record.segment;
        let found = |text: &str| query.map(|query| query.ranges(text)).unwrap_or_default();
        let name = if segment.has_blank_name() {
            paint.dim("(no name)")
        } else {
            paint.highlight(&segment.name, &found(&segment.name))
        };
        let external_id = segment.external_id.as_deref().unwrap_or_default();
        let ranges = query.map(|query| query.ranges_in_external_id(external_id)).unwrap_or_default();
        let parent_path = parent_path(record);
        Self([name, paint.highlight(external_id, &ranges), paint.dim(&segment.id.text()), paint.dim(&parent_path)])
    }
}

/// Returns the path of the parent, empty for a root.
fn parent_path(record: &Record<'_>) -> String {
    let own = path_text([record.segment.name.as_str()]);
    record
        .path
        .strip_suffix(&own)
        .map_or_else(|| path_text(path_names(&record.path).iter().map(String::as_str)), str::to_owned)
}

/// Writes a row of painted cells, padded by the width of the plain ones.
fn write_line(
    out: &mut dyn Write,
    plain: &[String; HEADINGS.len()],
    painted: &[String; HEADINGS.len()],
    widths: &[usize; HEADINGS.len()],
) -> fmt::Result {
    let last = plain.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
    for (at, ((plain, painted), width)) in plain.iter().zip(painted).zip(widths).enumerate().take(last + 1) {
        out.write_str(painted)?;
        if at < last {
            let gap = width.saturating_sub(plain.width()) + 2;
            write!(out, "{:gap$}", "")?;
        }
    }
    out.write_char('\n')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::forest::Forest;
    use crate::segment::{Segment, SegmentId};

    fn table(segments: &[[&str; 4]], query: Option<&str>, paint: Paint) -> String {
        let segment = |[id, name, external_id, parent]: &[&str; 4]| {
            let external_id = Some(*external_id).filter(|text| !text.is_empty()).map(Into::into);
            let parent = SegmentId::new(parent);
            Arc::new(Segment { id: SegmentId::new(id).unwrap(), name: (*name).into(), external_id, parent })
        };
        let forest: Forest = segments.iter().map(segment).collect();
        let query = query.and_then(Query::parse);
        let records = || forest.preorder().map(|(_, segment)| Record::of(&forest, segment));
        let mut out = String::new();
        write(&mut out, records, query.as_ref(), paint).unwrap();
        out
    }

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let segments =
            [["pl", "Polska", "PL", ""], ["l", "Łódź\u{1b}", "", "pl"], ["x", "東京", "T/1", "l"], ["b", " ", "", ""]];
        assert_eq!(
            table(&segments, None, Paint::Plain),
            "NAME       EXTERNAL ID  ID  IN\n\
             (no name)               b\n\
             Polska     PL           pl\n\
             Łódź�                   l   /Polska\n\
             東京       T/1          x   /Polska/Łódź�\n"
        );
        assert_eq!(table(&[], None, Paint::Plain), "");
    }

    #[test]
    fn a_long_cell_shifts_only_its_own_row() {
        let long = "x".repeat(60);
        let text = table(&[["a", &long, "", ""], ["b", "y", "", ""]], None, Paint::Plain);
        assert_eq!(text.lines().last(), Some(format!("y{:40}  {:11}  b", "", "").replacen("   ", "  ", 1).as_str()));
    }

    #[test]
    fn matches_are_highlighted() {
        let text = table(&[["a", "VIP Polska", "V-1", ""]], Some("pol"), Paint::Coloured);
        assert!(text.contains("VIP \x1b[1;4mPol\x1b[0mska  V-1"), "{text:?}");
    }
}
