//! Segments in the API's JSON: an array with one segment per line, parents before children.

use std::fmt::{self, Write};

use super::part::Part;
use crate::printable::printable_json;
use crate::segment::Segment;

/// Writes the segments of a part.
///
/// # Errors
///
/// An error of the writer.
pub fn write(out: &mut dyn Write, part: &Part<'_>) -> fmt::Result {
    let mut separator = "[\n  ";
    let mut end = "[]\n";
    for segment in part.segments() {
        out.write_str(separator)?;
        out.write_str(&printable_json(&serde_json::to_string(segment).map_err(|_| fmt::Error)?))?;
        separator = ",\n  ";
        end = "\n]\n";
    }
    out.write_str(end)
}

/// Reads segments: an array of objects with `id`, `name`, `externalId` and `parentSegmentId`, in any order.
///
/// # Errors
///
/// Invalid JSON or a wrong field, with its line and column.
pub fn read(text: &str) -> serde_json::Result<Vec<Segment>> {
    // Some editors save files with a byte order mark.
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, rendered, segment};
    use super::*;
    use crate::forest::Forest;

    #[test]
    fn the_array_has_all_four_fields_and_parents_come_first() {
        let segments = [["b", "b", "", "a"], ["a", "a", "", ""], ["orphan", "orphan", "", "x"]];
        let text = rendered(segments.into_iter().map(segment).collect(), |out, part| write(out, part));
        assert_eq!(
            text,
            "[\n  \
             {\"id\":\"a\",\"name\":\"a\",\"externalId\":null,\"parentSegmentId\":null},\n  \
             {\"id\":\"b\",\"name\":\"b\",\"externalId\":null,\"parentSegmentId\":\"a\"},\n  \
             {\"id\":\"orphan\",\"name\":\"orphan\",\"externalId\":null,\"parentSegmentId\":\"x\"}\n]\n"
        );
        assert_eq!(rendered(Forest::new(), |out, part| write(out, part)), "[]\n");
    }

    #[test]
    fn written_segments_are_read_back_unchanged() {
        for forest in [samples::faulty_forest(), samples::hostile(), samples::chain(50)] {
            let mut segments: Vec<Segment> = forest.iter().map(|segment| (**segment).clone()).collect();
            let mut came = read(&rendered(forest, |out, part| write(out, part))).unwrap();
            segments.sort_by(|one, other| one.id.cmp(&other.id));
            came.sort_by(|one, other| one.id.cmp(&other.id));
            assert_eq!(came, segments);
        }
        assert!(read("[{]").unwrap_err().to_string().contains("line 1 column 3"));
    }
}
