//! The segments as the API shows them: an array with one a line, parents before their children.

use std::io::{self, Write};

use super::part::Part;

pub(super) fn write(out: &mut dyn Write, part: &Part<'_>) -> io::Result<()> {
    let mut separator = "[\n  ";
    let mut end = "[]\n";
    for segment in part.segments() {
        out.write_all(separator.as_bytes())?;
        serde_json::to_writer(&mut *out, segment)?;
        separator = ",\n  ";
        end = "\n]\n";
    }
    out.write_all(end.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::samples::{segment, written};
    use super::*;
    use crate::forest::Forest;

    #[test]
    fn the_array_has_all_four_fields_and_parents_come_first() {
        let segments = [["b", "b", "", "a"], ["a", "a", "", ""], ["orphan", "orphan", "", "x"]];
        let text = written(segments.into_iter().map(segment).collect(), |out, part| write(out, part));
        assert_eq!(
            text,
            "[\n  \
             {\"id\":\"a\",\"name\":\"a\",\"externalId\":null,\"parentSegmentId\":null},\n  \
             {\"id\":\"b\",\"name\":\"b\",\"externalId\":null,\"parentSegmentId\":\"a\"},\n  \
             {\"id\":\"orphan\",\"name\":\"orphan\",\"externalId\":null,\"parentSegmentId\":\"x\"}\n]\n"
        );
        assert_eq!(written(Forest::new(), |out, part| write(out, part)), "[]\n");
    }
}
