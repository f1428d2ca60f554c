//! Exports a flowchart for Mermaid, which many Markdown viewers draw.
//!
//! Nodes are named by numbers: an id can be anything, and Mermaid has reserved words.

use std::fmt::{self, Write};

use super::circles::ClosingLinks;
use super::part::{ExportRow, Kind, Part};

/// The number of links that Mermaid draws unless the page raises its setting `maxEdges`.
const MAX_DRAWN_LINKS: usize = 500;

/// Writes a chart of the part.
///
/// # Errors
///
/// An error of the writer.
pub fn write(out: &mut dyn Write, part: &Part<'_>) -> fmt::Result {
    out.write_str("flowchart LR\n")?;
    if part.len() > MAX_DRAWN_LINKS {
        writeln!(
            out,
            "  %% Mermaid draws more than {MAX_DRAWN_LINKS} links only where maxEdges and maxTextSize are raised."
        )?;
    }
    let mut closing_links = ClosingLinks::default();
    for entry in part.entries(usize::MAX) {
        write_node(out, &entry)?;
        if let Some(above) = entry.parent_number {
            writeln!(out, "  n{above} --> n{}", entry.number)?;
        }
        if let Some(child) = closing_links.closing_child(&entry) {
            writeln!(out, "  n{} -.-> n{child}", entry.number)?;
        }
    }
    out.write_str("  classDef missing stroke-dasharray:4 3\n  classDef heading font-style:italic\n")?;
    if part.is_filtered() { out.write_str("  classDef above opacity:0.5\n") } else { Ok(()) }
}

fn write_node(out: &mut dyn Write, entry: &ExportRow<'_>) -> fmt::Result {
    let (open, close) = match entry.kind() {
        Kind::Segment => ("[", "]"),
        Kind::MissingParent => ("([", "])"),
        Kind::Heading => ("{{", "}}"),
    };
    write!(out, "  n{}{open}\"{}", entry.number, Escaped(&entry.name()))?;
    if let Some(external_id) = entry.external_id() {
        write!(out, "<br/>{}", Escaped(external_id))?;
    }
    write!(out, "\"{close}")?;
    match entry.kind() {
        Kind::Segment if entry.is_match_ancestor => writeln!(out, ":::above"),
        Kind::Segment => writeln!(out),
        Kind::MissingParent => writeln!(out, ":::missing"),
        Kind::Heading => writeln!(out, ":::heading"),
    }
}

/// A text escaped so that Mermaid finds in it no end of the label, no HTML, no Markdown and no style.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = ' ';
        let mut characters = self.0.chars().peekable();
        while let Some(character) = characters.next() {
            // Within a word these have no meaning, and codes and numbers are full of them.
            let in_word = matches!(character, '-' | '_')
                && previous.is_alphanumeric()
                && characters.peek().is_some_and(|next| next.is_alphanumeric());
            match character {
                '\n' | '\t' => f.write_str(" ")?,
                _ if character.is_control() => {}
                _ if character.is_ascii_punctuation() && !in_word => write!(f, "#{};", u32::from(character))?,
                _ => write!(f, "{character}")?,
            }
            previous = character;
        }
        Ok(())
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
        assert_eq!(Escaped("PL-10-1").to_string(), "PL-10-1");
        assert_eq!(Escaped("1. - \"x\"; style:#a").to_string(), "1#46; #45; #34;x#34;#59; style#58;#35;a");
        let hostile = rendered(samples::hostile());
        let label = hostile.lines().nth(1).unwrap();
        assert_eq!((label.matches('"').count(), label.matches('<').count()), (2, 1), "{label}");
        assert!(!label.contains(char::is_control) && !label.contains('`'), "{label}");
    }

    #[test]
    fn a_long_chain_and_many_children_can_be_exported() {
        assert_eq!(rendered(samples::chain(100_000)).matches(" --> ").count(), 99_999);
        let parent_with_children = rendered(samples::parent_with_children(100_000));
        assert!(parent_with_children.lines().nth(1).unwrap().contains("maxEdges"));
        assert_eq!(parent_with_children.matches("  n0 --> ").count(), 100_000);
    }
}
