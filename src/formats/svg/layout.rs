//! Computes the position of each row in the picture, in pixels.
//!
//! Each row without children has its own line, and each level a column. Nothing can be to the right of a row without children, so
//! a column is only as wide as its widest row with children. Two passes over the rows suffice, one forwards for the lines and one
//! backwards for the parents, without recursion.

use super::super::part::ExportRow;
use super::label::Label;

/// The margin around everything.
pub(super) const MARGIN: usize = 24;
/// From a trunk to the labels of the children.
pub(super) const TRUNK_OFFSET: usize = 22;
/// Between the parts of a label, and between a label and its links.
pub(super) const LABEL_GAP: usize = 7;
/// The y position of the first line, below the title and the note.
const HEADER_HEIGHT: usize = 84;
const LINE_HEIGHT: usize = 25;
/// The additional gap between two trees. Segments without children are spaced closely, like a list.
const TREE_GAP: usize = 12;
/// From the widest label of a column to the next column.
const COLUMN_GAP: usize = 56;
/// The largest distance between the first and the last child at which a parent is centred: about a screen. Otherwise it is next
/// to the first child, since a reader who starts at the top would see a blank page.
const MAX_CENTRED_SPAN: usize = 24 * LINE_HEIGHT;
/// The maximum width of a letter in the title and the note.
const TITLE_CHAR_WIDTH: usize = 9;

pub(super) struct Layout {
    positions: Vec<NodePosition>,
    width: usize,
    height: usize,
}

/// The position of a row.
pub(super) struct NodePosition {
    /// The left end of its label.
    pub x: usize,
    /// The middle of its line.
    pub y: usize,
    /// The right end of its label.
    pub end: usize,
    /// The extent of its children.
    pub children: Option<ChildrenSpan>,
}

pub(super) struct ChildrenSpan {
    /// The middle of the first child's line.
    pub first: usize,
    /// The middle of the last child's line.
    pub last: usize,
    /// The x position of the vertical line from the first to the last child.
    pub trunk: usize,
}

impl Layout {
    /// Lays out the rows. The picture is wide enough for a title of `title` letters.
    pub fn of(entries: &[ExportRow<'_>], title: usize) -> Self {
        let widths: Vec<usize> = entries.iter().map(|entry| Label::of(entry).width()).collect();
        let columns = column_positions(entries, &widths);
        let (lines, bottom) = row_positions(entries);
        let mut positions: Vec<NodePosition> = entries
            .iter()
            .zip(widths.iter().zip(lines))
            .map(|(entry, (width, y))| {
                let x = columns.get(entry.level).copied().unwrap_or(MARGIN);
                NodePosition { x, y, end: x + width, children: None }
            })
            .collect();
        for (at, entry) in entries.iter().enumerate().rev() {
            let y = match &positions[at].children {
                Some(span) if span.last - span.first <= MAX_CENTRED_SPAN => usize::midpoint(span.first, span.last),
                Some(span) => span.first,
                None => positions[at].y,
            };
            positions[at].y = y;
            if let Some(above) = entry.parent_number {
                let trunk = positions[at].x - TRUNK_OFFSET;
                // The rows are visited backwards, so the first child seen is the last one.
                positions[above].children.get_or_insert(ChildrenSpan { first: y, last: y, trunk }).first = y;
            }
        }
        let right =
            positions.iter().map(|position| position.end).max().unwrap_or(0).max(MARGIN + title * TITLE_CHAR_WIDTH);
        Self { positions, width: right + MARGIN, height: bottom + MARGIN }
    }

    pub fn positions(&self) -> &[NodePosition] {
        &self.positions
    }

    pub fn position(&self, number: usize) -> Option<&NodePosition> {
        self.positions.get(number)
    }

    pub const fn width(&self) -> usize {
        self.width
    }

    pub const fn height(&self) -> usize {
        self.height
    }
}

/// The y position of each row, which for a parent is that of its first descendant without children; and the last one of all.
fn row_positions(entries: &[ExportRow<'_>]) -> (Vec<usize>, usize) {
    let (mut next, mut last) = (HEADER_HEIGHT, HEADER_HEIGHT);
    let mut lines = Vec::with_capacity(entries.len());
    let mut level_before = 0;
    for entry in entries {
        let begins_tree = entry.parent_number.is_none() && entry.number > 0;
        if begins_tree && (entry.has_children || level_before > 0) {
            next += TREE_GAP;
        }
        level_before = entry.level;
        lines.push(next);
        if !entry.has_children {
            last = next;
            next += LINE_HEIGHT;
        }
    }
    (lines, last)
}

/// The left end of each column.
fn column_positions(entries: &[ExportRow<'_>], widths: &[usize]) -> Vec<usize> {
    let max_level = entries.iter().map(|entry| entry.level).max().unwrap_or(0);
    let mut widest = vec![0; max_level + 1];
    for (entry, width) in entries.iter().zip(widths).filter(|(entry, _)| entry.has_children) {
        widest[entry.level] = (*width).max(widest[entry.level]);
    }
    let start = |x: &mut usize, width: &usize| {
        let column_start = *x;
        *x += width + COLUMN_GAP;
        Some(column_start)
    };
    widest.iter().scan(MARGIN, start).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::part::Part;
    use super::super::super::samples;
    use super::*;

    fn laid(mut forest: crate::forest::Forest) -> Layout {
        let part = Part::whole(&mut forest);
        let entries: Vec<_> = part.entries(40).collect();
        Layout::of(&entries, 0)
    }

    #[test]
    fn a_parent_is_centred_unless_it_has_many_children() {
        let few = laid(samples::parent_with_children(3));
        assert_eq!(
            (few.positions[0].y, few.positions[2].y),
            (HEADER_HEIGHT + LINE_HEIGHT, HEADER_HEIGHT + LINE_HEIGHT)
        );
        let many = laid(samples::parent_with_children(300));
        assert_eq!((many.positions[0].y, many.positions[300].y), (HEADER_HEIGHT, HEADER_HEIGHT + 299 * LINE_HEIGHT));
    }

    #[test]
    fn no_labels_overlap() {
        let layout = laid(samples::faulty_forest());
        for (at, position) in layout.positions.iter().enumerate() {
            for other in &layout.positions[at + 1..] {
                let apart =
                    position.y.abs_diff(other.y) >= LINE_HEIGHT || position.end < other.x || other.end < position.x;
                assert!(apart, "{},{} and {},{}", position.x, position.y, other.x, other.y);
            }
        }
    }
}
