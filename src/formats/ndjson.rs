//! Segments as NDJSON, one object per line: for programs that process them as a stream.

use std::fmt::{self, Write};

use super::Record;
use crate::printable::printable_json;

/// Writes one object per line.
///
/// # Errors
///
/// An error of the writer.
pub fn write<'a>(out: &mut dyn Write, records: impl IntoIterator<Item = Record<'a>>) -> fmt::Result {
    for record in records {
        writeln!(out, "{}", object(&record)?)?;
    }
    Ok(())
}

/// One object, without a line end. Invisible characters are written as JSON escapes.
///
/// # Errors
///
/// None in practice: a record contains only texts.
pub fn object(record: &Record<'_>) -> Result<String, fmt::Error> {
    serde_json::to_string(record).map(|json| printable_json(&json)).map_err(|_| fmt::Error)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, rendered, segment};
    use super::*;
    use crate::segment::Segment;

    #[test]
    fn each_line_has_the_parents_external_id_and_the_path() {
        let segments = [["b", "B\u{202e}\n", "", "a"], ["a", "A", "X", ""]];
        let text = rendered(segments.into_iter().map(segment).collect(), |out, part| write(out, part.records()));
        assert_eq!(
            text,
            "{\"id\":\"a\",\"name\":\"A\",\"externalId\":\"X\",\"parentSegmentId\":null,\"parentExternalId\":null,\"path\":\"/A\"}\n\
             {\"id\":\"b\",\"name\":\"B\\u202e\\n\",\"externalId\":null,\"parentSegmentId\":\"a\",\"parentExternalId\":\"X\",\"path\":\"/A/B\\u202e\\n\"}\n"
        );
    }

    #[test]
    fn every_line_reads_back_as_the_segment() {
        let forest = samples::faulty_forest();
        let text = rendered(forest.clone(), |out, part| write(out, part.records()));
        let read: Vec<Segment> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.len(), forest.len());
        assert!(read.iter().all(|segment| forest.get(&segment.id).is_some_and(|other| **other == *segment)));
    }
}
