//! What a tree can't show of a circle of parents: the link from its last segment back to the first.
//!
//! A graph can have it, and then a circle is one.

use std::collections::HashMap;

use crate::segment::SegmentId;

use super::part::ExportRow;

/// The links that the tree leaves out: each leads from the last segment of a circle back to the first.
#[derive(Debug, Default)]
pub(super) struct ClosingLinks<'a> {
    expected: HashMap<&'a SegmentId, usize>,
}

impl<'a> ClosingLinks<'a> {
    /// Takes the rows in their order, and answers the number of the child that the tree does not show below this one.
    pub fn to(&mut self, entry: &ExportRow<'a>) -> Option<usize> {
        let segment = entry.segment()?;
        // A part can begin within a circle; the parent of any other beginning is not in the part, and never comes.
        if let Some(parent) = segment.parent.as_ref().filter(|_| entry.is_cut || entry.above.is_none()) {
            self.expected.insert(parent, entry.number);
        }
        self.expected.get(&segment.id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::Part;
    use super::super::samples;
    use super::*;

    #[test]
    fn a_circle_is_closed_once_wherever_it_is_begun() {
        for root in [None, SegmentId::new("c1")] {
            let mut forest = samples::troubled();
            let part = match root {
                Some(root) => Part::below(&mut forest, &root),
                None => Part::whole(&mut forest),
            };
            let mut closing = ClosingLinks::default();
            let links: Vec<_> = part
                .entries(9)
                .filter_map(|entry| closing.to(&entry).map(|to| (entry.name().into_owned(), entry.number - to)))
                .collect();
            assert_eq!(links, [("Chicken".to_owned(), 1)]);
        }
    }
}
