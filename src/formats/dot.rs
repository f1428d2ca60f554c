//! Exports a graph for Graphviz, drawn from left to right.

use std::fmt::{self, Write};

use super::circles::ClosingLinks;
use super::part::{ExportRow, Kind, Part};

const HEADER: &str = "digraph segments {\n  \
                    graph [rankdir=LR, ranksep=0.6, nodesep=0.12];\n  \
                    node [shape=box, style=rounded, height=0.3, fontsize=11, fontname=\"Helvetica,Arial,sans-serif\"];\n  \
                    edge [color=\"#8a8f98\", arrowsize=0.6];\n";

/// Writes a graph of the part.
///
/// # Errors
///
/// An error of the writer.
pub fn write(out: &mut dyn Write, part: &Part<'_>) -> fmt::Result {
    out.write_str(HEADER)?;
    let mut closing_links = ClosingLinks::default();
    for entry in part.entries(usize::MAX) {
        write_node(out, &entry)?;
        if let Some(above) = entry.parent_number {
            writeln!(out, "  n{above} -> n{};", entry.number)?;
        }
        if let Some(child) = closing_links.closing_child(&entry) {
            // Without an influence on the layout, or a cycle would push its first segment to the right of its last.
            writeln!(out, "  n{} -> n{child} [style=dashed, constraint=false];", entry.number)?;
        }
    }
    out.write_str("}\n")
}

fn write_node(out: &mut dyn Write, entry: &ExportRow<'_>) -> fmt::Result {
    write!(out, "  n{} [label=\"{}", entry.number, Escaped(&entry.name()))?;
    if let Some(external_id) = entry.external_id() {
        write!(out, "\\n{}", Escaped(external_id))?;
    }
    out.write_str("\"")?;
    if let Some(id) = entry.id() {
        write!(out, ", tooltip=\"{}\"", Escaped(&id))?;
    }
    out.write_str(match entry.kind() {
        Kind::Segment if entry.is_match_ancestor => ", color=\"#8a8f98\", fontcolor=\"#8a8f98\"];\n",
        Kind::Segment => "];\n",
        Kind::MissingParent => ", style=\"rounded,dashed\"];\n",
        Kind::Heading => ", shape=plain];\n",
    })
}

/// A text within quotes, escaped so that it contains no closing quote, no Graphviz escape (`\N` is the name of the node) and no
/// HTML entity, which Graphviz decodes in every label.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' => f.write_str("\\\""),
            '\\' => f.write_str("\\\\"),
            '&' => f.write_str("&amp;"),
            '\n' => f.write_str("\\n"),
            '\t' => f.write_str(" "),
            _ if character.is_control() => Ok(()),
            _ => write!(f, "{character}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn rendered(forest: crate::forest::Forest) -> String {
        samples::rendered(forest, |out, part| write(out, part))
    }

    #[test]
    fn a_small_tree() {
        insta::assert_snapshot!(rendered(samples::faulty_forest()));
    }

    #[test]
    fn every_character_of_a_name_is_escaped() {
        assert_eq!(Escaped("a\"b\\N\n&lt;\t\u{1b}\u{0}\\").to_string(), "a\\\"b\\\\N\\n&amp;lt; \\\\");
        let hostile = rendered(samples::hostile());
        assert!(!hostile.replace('\n', "").contains(char::is_control), "{hostile}");
    }

    #[test]
    fn a_long_chain_and_many_children_can_be_exported() {
        assert_eq!(rendered(samples::chain(100_000)).matches(" -> ").count(), 99_999);
        assert_eq!(rendered(samples::parent_with_children(100_000)).matches("  n0 -> ").count(), 100_000);
    }
}
