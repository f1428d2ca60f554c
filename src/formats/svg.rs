//! Exports a self-contained picture of the tree, from left to right, in light or dark colours as the reader's system prefers.

mod label;
mod layout;

use std::fmt::{self, Write};

use super::part::{ExportRow, Kind, Part};
use super::xml::EscapedXml;

use label::Label;
use layout::{LABEL_GAP, Layout, NodePosition, TRUNK_OFFSET};

/// The most levels that are indented. Deeper rows show their depth as a number, so that a long chain isn't extremely wide.
const MAX_INDENT_LEVELS: usize = 40;
/// The radius of the rounded corners of links.
const CORNER_RADIUS: usize = 6;
/// The distance from the middle of a line to the baseline of its text.
const BASELINE_OFFSET: usize = 4;

/// Uses no CSS variables, since few programs other than browsers support them. Letters have an outline in the background colour:
/// some are wider than estimated, and links would cross them.
const STYLE: &str = include_str!("svg/picture.css");

/// Writes a picture of the part.
///
/// # Errors
///
/// An error of the writer.
pub fn write(out: &mut dyn Write, part: &Part<'_>, title: &str) -> fmt::Result {
    let entries: Vec<ExportRow<'_>> = part.entries(MAX_INDENT_LEVELS).collect();
    let count = part.counted();
    let flattened = entries.iter().any(|entry| entry.depth > entry.level);
    let note = if flattened {
        format!("{count} Deeper than {MAX_INDENT_LEVELS} levels, the number in brackets shows the depth.")
    } else {
        count
    };
    let layout = Layout::of(&entries, note.len().max(title.len()));
    write_head(out, &layout, title, &note)?;
    for (entry, position) in entries.iter().zip(layout.positions()) {
        write_node(out, entry, position, entry.parent_number.and_then(|above| layout.position(above)))?;
    }
    out.write_str("</svg>\n")
}

fn write_head(out: &mut dyn Write, layout: &Layout, title: &str, note: &str) -> fmt::Result {
    let (width, height) = (layout.width(), layout.height());
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title\" aria-describedby=\"note\">"
    )?;
    writeln!(out, "<title id=\"title\">{}</title>\n<desc id=\"note\">{note}</desc>", EscapedXml(title))?;
    write!(out, "<style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n")?;
    writeln!(out, "<text class=\"title\" x=\"{}\" y=\"34\">{}</text>", layout::MARGIN, EscapedXml(title))?;
    writeln!(out, "<text class=\"note\" x=\"{}\" y=\"54\">{note}</text>", layout::MARGIN)
}

fn write_node(
    out: &mut dyn Write,
    entry: &ExportRow<'_>,
    position: &NodePosition,
    above: Option<&NodePosition>,
) -> fmt::Result {
    let class = match entry.kind() {
        Kind::Segment if entry.is_match_ancestor => " opacity=\"0.6\"",
        Kind::Segment => "",
        Kind::MissingParent => " class=\"missing\"",
        Kind::Heading => " class=\"heading\"",
    };
    write!(out, "<g{class}><title>{}", EscapedXml(&entry.name()))?;
    if let Some(id) = entry.id().filter(|id| *id != entry.name()) {
        write!(out, "\n{}", EscapedXml(&id))?;
    }
    if let Some(note) = entry.note() {
        write!(out, "\n{}", EscapedXml(&note))?;
    }
    out.write_str("</title>")?;
    let links = LinkPath { position, above };
    if above.is_some() || position.children.is_some() {
        write!(out, "<path d=\"{links}\"/>")?;
    }
    let label = Label::of(entry);
    write!(out, "<text x=\"{}\" y=\"{}\">", position.x, position.y + BASELINE_OFFSET)?;
    if let Some(depth) = label.depth() {
        write!(out, "<tspan class=\"depth\">{depth}</tspan> ")?;
    }
    // In a `tspan` of its own, so that direction marks in a name don't affect the text after it.
    write!(out, "<tspan class=\"name\">{}</tspan>", EscapedXml(label.name()))?;
    if let Some(external_id) = label.external_id() {
        write!(out, "<tspan class=\"external\" dx=\"{LABEL_GAP}\">{}</tspan>", EscapedXml(external_id))?;
    }
    if let Some(count) = label.count() {
        write!(out, "<tspan class=\"count\" dx=\"{LABEL_GAP}\">{count}</tspan>")?;
    }
    out.write_str("</text></g>\n")
}

/// The lines from a row to the trunk on its left, and from the row to the trunk of its children. Each trunk is drawn once,
/// however many children it has.
struct LinkPath<'a> {
    position: &'a NodePosition,
    above: Option<&'a NodePosition>,
}

impl fmt::Display for LinkPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NodePosition { x, y, end, .. } = *self.position;
        if let Some(above) = self.above {
            let (trunk, corner_end, text) = (x - TRUNK_OFFSET, x - TRUNK_OFFSET + CORNER_RADIUS, x - LABEL_GAP);
            let span = above.children.as_ref();
            let is_top = span.is_some_and(|span| span.first == y) && y < above.y;
            let is_bottom = span.is_some_and(|span| span.last == y) && y > above.y;
            match (is_top, is_bottom) {
                (true, _) => write!(f, "M{trunk} {}Q{trunk} {y} {corner_end} {y}H{text}", y + CORNER_RADIUS)?,
                (_, true) => write!(f, "M{trunk} {}Q{trunk} {y} {corner_end} {y}H{text}", y - CORNER_RADIUS)?,
                _ => write!(f, "M{trunk} {y}H{text}")?,
            }
        }
        if let Some(span) = &self.position.children {
            write!(f, "M{} {y}H{}", end + LABEL_GAP, span.trunk)?;
            let top = if span.first < y { span.first + CORNER_RADIUS } else { y };
            let bottom = if span.last > y { span.last - CORNER_RADIUS } else { y };
            if top < bottom {
                write!(f, "M{} {top}V{bottom}", span.trunk)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn rendered(forest: crate::forest::Forest) -> String {
        samples::rendered(forest, |out, part| write(out, part, "Segments of demo"))
    }

    #[test]
    fn a_small_tree() {
        insta::assert_snapshot!(rendered(samples::faulty_forest()));
    }

    #[test]
    fn markup_in_a_name_is_shown_as_text() {
        let picture = rendered(samples::hostile());
        assert!(!picture.contains("<script") && !picture.contains("<i ") && !picture.contains("<img"), "{picture}");
        assert!(picture.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), "{picture}");
        assert!(!picture.replace('\n', "").contains(char::is_control), "{picture}");
    }

    #[test]
    fn a_long_chain_has_limited_columns_and_shows_its_depth() {
        let picture = rendered(samples::chain(100_000));
        assert!(
            picture.contains("Deeper than 40 levels")
                && picture.contains(">[99999]</tspan> <tspan class=\"name\">s99999<")
        );
        let width = picture.split("width=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(width.parse::<usize>().unwrap() < 8_000, "{width}");
    }

    #[test]
    fn many_children_share_one_trunk() {
        let picture = rendered(samples::parent_with_children(100_000));
        assert_eq!(picture.matches("<g>").count(), 100_001);
        let (_, drawn) = picture.split_once("</style>").unwrap();
        assert_eq!(drawn.matches('V').count(), 1);
    }

    #[test]
    fn an_empty_tree_is_a_valid_picture() {
        assert!(rendered(crate::forest::Forest::new()).ends_with("</svg>\n"));
    }
}
