//! Finds the link of a cycle that a tree can't show: the one from its last segment back to the first.
//!
//! A graph can show it, and then a cycle is drawn as one.

use std::collections::HashMap;

use crate::segment::SegmentId;

use super::part::ExportRow;

/// The links that the tree leaves out: each leads from the last segment of a cycle back to the first.
#[derive(Debug, Default)]
pub(super) struct ClosingLinks<'a> {
    expected: HashMap<&'a SegmentId, usize>,
}

impl<'a> ClosingLinks<'a> {
    /// Takes the rows in order, and returns the number of the child that the tree does not show under this row.
    pub fn closing_child(&mut self, entry: &ExportRow<'a>) -> Option<usize> {
        let segment = entry.segment()?;
        // A part can begin within a cycle. The parent of any other first row is not in the part, so it never matches.
        if let Some(parent) = segment.parent.as_ref().filter(|_| entry.is_cut || entry.parent_number.is_none()) {
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
    fn a_cycle_is_closed_once_from_any_starting_point() {
        for root in [None, SegmentId::new("c1")] {
            let mut forest = samples::faulty_forest();
            let part = match root {
                Some(root) => Part::below(&mut forest, &root),
                None => Part::whole(&mut forest),
            };
            let mut closing = ClosingLinks::default();
            let links: Vec<_> = part
                .entries(9)
                .filter_map(|entry| {
                    closing.closing_child(&entry).map(|to| (entry.name().into_owned(), entry.number - to))
                })
                .collect();
            assert_eq!(links, [("Chicken".to_owned(), 1)]);
        }
    }
}
