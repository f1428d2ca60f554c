//! Where each row stands in the picture, in pixels.
//!
//! Each row without children has a line of its own, and each level a column. On the line of a row without children nothing can
//! stand to its right, so a column is as wide as the widest row in it that has some. It takes two passes over the rows, one for
//! the lines and one back for the parents, and no recursion.

use super::super::part::ExportRow;
use super::label::Label;

/// Around everything.
pub(super) const MARGIN: usize = 24;
/// From a trunk to the names of the children.
pub(super) const TRUNK: usize = 22;
/// Between the parts of a label, and from a label to its links.
pub(super) const LABEL_GAP: usize = 7;
/// What the title takes.
const HEAD: usize = 84;
const LINE: usize = 25;
/// Between one tree and the next, beyond a line. Segments without any below them stand close, as a list does.
const TREE_GAP: usize = 12;
/// From the widest label of a column to the next column.
const COLUMN_GAP: usize = 56;
/// A parent stands in the middle of its children as long as a screen shows them all. Beside more it stands at the first: who
/// begins to read at the top would find a blank page otherwise.
const MIDDLE: usize = 24 * LINE;
/// What a letter of the title and of the note takes, at most.
const HEAD_LETTER: usize = 9;

pub(super) struct Layout {
    places: Vec<Place>,
    width: usize,
    height: usize,
}

/// Where a row stands.
pub(super) struct Place {
    /// Where its label begins.
    pub x: usize,
    /// The middle of its line.
    pub y: usize,
    /// Where its label ends.
    pub end: usize,
    /// From its first to its last child.
    pub children: Option<Span>,
}

pub(super) struct Span {
    /// The middle of the first child's line.
    pub first: usize,
    /// The middle of the last child's line.
    pub last: usize,
    /// Where the line from the first to the last is drawn.
    pub trunk: usize,
}

impl Layout {
    /// Wide enough for a title of so many letters.
    pub fn of(entries: &[ExportRow<'_>], title: usize) -> Self {
        let widths: Vec<usize> = entries.iter().map(|entry| Label::of(entry).width()).collect();
        let columns = columns(entries, &widths);
        let (lines, bottom) = lines(entries);
        let mut places: Vec<Place> = entries
            .iter()
            .zip(widths.iter().zip(lines))
            .map(|(entry, (width, y))| {
                let x = columns.get(entry.level).copied().unwrap_or(MARGIN);
                Place { x, y, end: x + width, children: None }
            })
            .collect();
        for (at, entry) in entries.iter().enumerate().rev() {
            let y = match &places[at].children {
                Some(span) if span.last - span.first <= MIDDLE => usize::midpoint(span.first, span.last),
                Some(span) => span.first,
                None => places[at].y,
            };
            places[at].y = y;
            if let Some(above) = entry.above {
                let trunk = places[at].x - TRUNK;
                // From the last child to the first, so that the one that is seen first stays the last.
                places[above].children.get_or_insert(Span { first: y, last: y, trunk }).first = y;
            }
        }
        let right = places.iter().map(|place| place.end).max().unwrap_or(0).max(MARGIN + title * HEAD_LETTER);
        Self { places, width: right + MARGIN, height: bottom + MARGIN }
    }

    pub fn places(&self) -> &[Place] {
        &self.places
    }

    pub fn place(&self, number: usize) -> Option<&Place> {
        self.places.get(number)
    }

    pub const fn width(&self) -> usize {
        self.width
    }

    pub const fn height(&self) -> usize {
        self.height
    }
}

/// The line of each row without children, for a parent that of the first row without any below it; and the last line.
fn lines(entries: &[ExportRow<'_>]) -> (Vec<usize>, usize) {
    let (mut next, mut last) = (HEAD, HEAD);
    let mut lines = Vec::with_capacity(entries.len());
    let mut level_before = 0;
    for entry in entries {
        let begins_tree = entry.above.is_none() && entry.number > 0;
        if begins_tree && (entry.has_below || level_before > 0) {
            next += TREE_GAP;
        }
        level_before = entry.level;
        lines.push(next);
        if !entry.has_below {
            last = next;
            next += LINE;
        }
    }
    (lines, last)
}

/// Where each column begins.
fn columns(entries: &[ExportRow<'_>], widths: &[usize]) -> Vec<usize> {
    let deepest = entries.iter().map(|entry| entry.level).max().unwrap_or(0);
    let mut widest = vec![0; deepest + 1];
    for (entry, width) in entries.iter().zip(widths).filter(|(entry, _)| entry.has_below) {
        widest[entry.level] = (*width).max(widest[entry.level]);
    }
    let start = |x: &mut usize, width: &usize| {
        let begin = *x;
        *x += width + COLUMN_GAP;
        Some(begin)
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
    fn a_parent_stands_in_the_middle_of_few_children_and_at_the_first_of_many() {
        let few = laid(samples::family(3));
        assert_eq!((few.places[0].y, few.places[2].y), (HEAD + LINE, HEAD + LINE));
        let many = laid(samples::family(300));
        assert_eq!((many.places[0].y, many.places[300].y), (HEAD, HEAD + 299 * LINE));
    }

    #[test]
    fn no_label_covers_another() {
        let layout = laid(samples::troubled());
        for (at, place) in layout.places.iter().enumerate() {
            for other in &layout.places[at + 1..] {
                let apart = place.y.abs_diff(other.y) >= LINE || place.end < other.x || other.end < place.x;
                assert!(apart, "{},{} and {},{}", place.x, place.y, other.x, other.y);
            }
        }
    }
}
