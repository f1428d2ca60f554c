//! Exports a self-contained picture of the tree, from left to right, in light or dark colours as the reader's system prefers.

mod label;
mod layout;

use std::fmt::{self, Write};

use super::part::{ExportRow, Kind, Part};
use super::xml::Text;

use label::Label;
use layout::{LABEL_GAP, Layout, Place, TRUNK};

/// The most levels that are indented. Deeper rows show their depth as a number, so that a long chain isn't extremely wide.
const INDENTED: usize = 40;
/// The radius of the rounded corners of links.
const CORNER: usize = 6;
/// The distance from the middle of a line to the baseline of its text.
const BASELINE: usize = 4;

/// Uses no CSS variables, since few programs other than browsers support them. Letters have an outline in the background colour:
/// some are wider than estimated, and links would cross them.
const STYLE: &str = include_str!("svg/picture.css");

/// Writes a picture of the part.
///
/// # Errors
///
/// An error of the writer.
pub fn write(out: &mut dyn Write, part: &Part<'_>, title: &str) -> fmt::Result {
    let entries: Vec<ExportRow<'_>> = part.entries(INDENTED).collect();
    let count = part.counted();
    let flattened = entries.iter().any(|entry| entry.depth > entry.level);
    let note = if flattened {
        format!("{count} Deeper than {INDENTED} levels, the number in brackets shows the depth.")
    } else {
        count
    };
    let layout = Layout::of(&entries, note.len().max(title.len()));
    write_head(out, &layout, title, &note)?;
    for (entry, place) in entries.iter().zip(layout.places()) {
        write_node(out, entry, place, entry.above.and_then(|above| layout.place(above)))?;
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
    writeln!(out, "<title id=\"title\">{}</title>\n<desc id=\"note\">{note}</desc>", Text(title))?;
    write!(out, "<style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n")?;
    writeln!(out, "<text class=\"title\" x=\"{}\" y=\"34\">{}</text>", layout::MARGIN, Text(title))?;
    writeln!(out, "<text class=\"note\" x=\"{}\" y=\"54\">{note}</text>", layout::MARGIN)
}

fn write_node(out: &mut dyn Write, entry: &ExportRow<'_>, place: &Place, above: Option<&Place>) -> fmt::Result {
    let class = match entry.kind() {
        Kind::Segment if entry.is_above_match => " opacity=\"0.6\"",
        Kind::Segment => "",
        Kind::MissingParent => " class=\"missing\"",
        Kind::Heading => " class=\"heading\"",
    };
    write!(out, "<g{class}><title>{}", Text(&entry.name()))?;
    if let Some(id) = entry.id().filter(|id| *id != entry.name()) {
        write!(out, "\n{}", Text(&id))?;
    }
    if let Some(note) = entry.note() {
        write!(out, "\n{}", Text(&note))?;
    }
    out.write_str("</title>")?;
    let links = Links { place, above };
    if above.is_some() || place.children.is_some() {
        write!(out, "<path d=\"{links}\"/>")?;
    }
    let label = Label::of(entry);
    write!(out, "<text x=\"{}\" y=\"{}\">", place.x, place.y + BASELINE)?;
    if let Some(depth) = label.depth() {
        write!(out, "<tspan class=\"depth\">{depth}</tspan> ")?;
    }
    // In a `tspan` of its own, so that direction marks in a name don't affect the text after it.
    write!(out, "<tspan class=\"name\">{}</tspan>", Text(label.name()))?;
    if let Some(external_id) = label.external_id() {
        write!(out, "<tspan class=\"external\" dx=\"{LABEL_GAP}\">{}</tspan>", Text(external_id))?;
    }
    if let Some(count) = label.count() {
        write!(out, "<tspan class=\"count\" dx=\"{LABEL_GAP}\">{count}</tspan>")?;
    }
    out.write_str("</text></g>\n")
}

/// The lines from a row to the trunk on its left, and from the row to the trunk of its children. Each trunk is drawn once,
/// however many children it has.
struct Links<'a> {
    place: &'a Place,
    above: Option<&'a Place>,
}

impl fmt::Display for Links<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { x, y, end, .. } = *self.place;
        if let Some(above) = self.above {
            let (trunk, corner_end, text) = (x - TRUNK, x - TRUNK + CORNER, x - LABEL_GAP);
            let span = above.children.as_ref();
            let is_top = span.is_some_and(|span| span.first == y) && y < above.y;
            let is_bottom = span.is_some_and(|span| span.last == y) && y > above.y;
            match (is_top, is_bottom) {
                (true, _) => write!(f, "M{trunk} {}Q{trunk} {y} {corner_end} {y}H{text}", y + CORNER)?,
                (_, true) => write!(f, "M{trunk} {}Q{trunk} {y} {corner_end} {y}H{text}", y - CORNER)?,
                _ => write!(f, "M{trunk} {y}H{text}")?,
            }
        }
        if let Some(span) = &self.place.children {
            write!(f, "M{} {y}H{}", end + LABEL_GAP, span.trunk)?;
            let top = if span.first < y { span.first + CORNER } else { y };
            let bottom = if span.last > y { span.last - CORNER } else { y };
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

    fn written(forest: crate::forest::Forest) -> String {
        samples::written(forest, |out, part| write(out, part, "Segments of demo"))
    }

    #[test]
    fn a_small_tree() {
        insta::assert_snapshot!(written(samples::troubled()));
    }

    #[test]
    fn markup_in_a_name_is_shown_as_text() {
        let picture = written(samples::hostile());
        assert!(!picture.contains("<script") && !picture.contains("<i ") && !picture.contains("<img"), "{picture}");
        assert!(picture.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), "{picture}");
        assert!(!picture.replace('\n', "").contains(char::is_control), "{picture}");
    }

    #[test]
    fn a_long_chain_has_limited_columns_and_shows_its_depth() {
        let picture = written(samples::chain(100_000));
        assert!(
            picture.contains("Deeper than 40 levels")
                && picture.contains(">[99999]</tspan> <tspan class=\"name\">s99999<")
        );
        let width = picture.split("width=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(width.parse::<usize>().unwrap() < 8_000, "{width}");
    }

    #[test]
    fn many_children_share_one_trunk() {
        let picture = written(samples::family(100_000));
        assert_eq!(picture.matches("<g>").count(), 100_001);
        let (_, drawn) = picture.split_once("</style>").unwrap();
        assert_eq!(drawn.matches('V').count(), 1);
    }

    #[test]
    fn an_empty_tree_is_a_valid_picture() {
        assert!(written(crate::forest::Forest::new()).ends_with("</svg>\n"));
    }
}
