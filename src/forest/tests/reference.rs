//! A model of the tree in its simplest form: slow, recursive and obviously correct.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::forest::{Fold, Heading, Order, RowId, order};
use crate::segment::{Segment, SegmentId};

/// A row as text.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub depth: u32,
    pub fold: Fold,
    pub descendants: u32,
}

pub struct Reference<'a> {
    segments: &'a BTreeMap<SegmentId, Arc<Segment>>,
    cut: BTreeSet<SegmentId>,
    order: Order,
}

impl<'a> Reference<'a> {
    pub fn new(segments: &'a BTreeMap<SegmentId, Arc<Segment>>, order: Order) -> Self {
        let cut = segments.keys().filter_map(|id| smallest_of_circle(segments, id)).collect();
        Self { segments, cut, order }
    }

    pub fn lines(&self, is_open: impl Fn(&RowId) -> bool + Copy) -> Vec<Line> {
        let mut lines = Vec::new();
        for id in self.roots() {
            self.add(&id, 0, is_open, &mut lines);
        }
        self.add_heading(Heading::MissingParents, &self.ghosts(), is_open, &mut lines);
        self.add_heading(Heading::Circles, &self.sorted(self.cut.iter().cloned().collect()), is_open, &mut lines);
        lines
    }

    pub fn preorder(&self) -> Vec<(u32, SegmentId)> {
        let is_open = |_: &RowId| true;
        let lines = self.lines(is_open).into_iter();
        lines
            .filter_map(|line| {
                let id = SegmentId::new(&line.text)?;
                self.segments.contains_key(&id).then_some((line.depth, id))
            })
            .collect()
    }

    fn add_heading(
        &self,
        heading: Heading,
        below: &[SegmentId],
        is_open: impl Fn(&RowId) -> bool + Copy,
        lines: &mut Vec<Line>,
    ) {
        if below.is_empty() {
            return;
        }
        let open = is_open(&RowId::Heading(heading));
        let descendants = below.iter().map(|id| self.weight(id)).sum();
        lines.push(Line {
            text: heading.to_string(),
            depth: 0,
            fold: if open { Fold::Open } else { Fold::Closed },
            descendants,
        });
        if open {
            for id in below {
                self.add(id, 1, is_open, lines);
            }
        }
    }

    fn add(&self, id: &SegmentId, depth: u32, is_open: impl Fn(&RowId) -> bool + Copy, lines: &mut Vec<Line>) {
        let children = self.children(id);
        let open = is_open(&RowId::Segment(id.clone()));
        let fold = match (children.is_empty(), open) {
            (true, _) => Fold::Leaf,
            (false, true) => Fold::Open,
            (false, false) => Fold::Closed,
        };
        let text = if self.segments.contains_key(id) { id.to_string() } else { format!("({id})") };
        lines.push(Line { text, depth, fold, descendants: self.below(id) });
        if open {
            for child in children {
                self.add(&child, depth + 1, is_open, lines);
            }
        }
    }

    fn roots(&self) -> Vec<SegmentId> {
        self.sorted(
            self.segments
                .values()
                .filter(|segment| segment.parent.is_none())
                .map(|segment| segment.id.clone())
                .collect(),
        )
    }

    fn ghosts(&self) -> Vec<SegmentId> {
        let named: BTreeSet<_> = self.segments.values().filter_map(|segment| segment.parent.clone()).collect();
        named.into_iter().filter(|id| !self.segments.contains_key(id)).collect()
    }

    fn children(&self, id: &SegmentId) -> Vec<SegmentId> {
        let below = self
            .segments
            .values()
            .filter(|segment| segment.parent.as_ref() == Some(id) && !self.cut.contains(&segment.id));
        self.sorted(below.map(|segment| segment.id.clone()).collect())
    }

    fn below(&self, id: &SegmentId) -> u32 {
        self.children(id).iter().map(|child| self.weight(child)).sum()
    }

    fn weight(&self, id: &SegmentId) -> u32 {
        self.below(id) + u32::from(self.segments.contains_key(id))
    }

    fn sorted(&self, mut ids: Vec<SegmentId>) -> Vec<SegmentId> {
        // Nothing has been marked as changed here.
        let sort_value = |id: &SegmentId| if self.order == Order::Recent { 0 } else { self.below(id) };
        ids.sort_by(|a, b| {
            order::compare(self.order, (&self.segments[a], sort_value(a)), (&self.segments[b], sort_value(b)))
        });
        ids
    }
}

/// Returns the smallest id of the cycle that a segment is part of.
fn smallest_of_circle(segments: &BTreeMap<SegmentId, Arc<Segment>>, start: &SegmentId) -> Option<SegmentId> {
    let mut smallest = start;
    let mut at = start;
    for _ in 0..segments.len() {
        at = segments.get(at)?.parent.as_ref()?;
        smallest = smallest.min(at);
        if at == start {
            return Some(smallest.clone());
        }
    }
    None
}
