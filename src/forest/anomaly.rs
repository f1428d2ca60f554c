//! Anomalies: what is wrong or remarkable about a segment.

use std::fmt;
use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::Forest;

/// An anomaly in a segment's data. It displays as a short sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anomaly {
    /// Its parent does not exist.
    ParentMissing(SegmentId),
    /// It names itself as its parent.
    OwnParent,
    /// It is part of a cycle: its members from the segment along the parents, each once.
    InCircle(Vec<SegmentId>),
    /// Its name is blank.
    BlankName,
    /// Other segments have the same external id; they are sorted by id.
    SharedExternalId(Vec<SegmentId>),
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ParentMissing(parent) => write!(f, "Parent {parent} doesn't exist."),
            Self::OwnParent => f.write_str("It is its own parent."),
            Self::InCircle(cycle) => write!(f, "Its ancestors form a loop of {}.", cycle.len()),
            Self::BlankName => f.write_str("No name."),
            Self::SharedExternalId(others) => match others.len() {
                1 => f.write_str("Another segment has the same external ID."),
                count => write!(f, "{count} other segments have the same external ID."),
            },
        }
    }
}

impl Forest {
    /// Returns the anomalies of a segment, worst first.
    #[must_use]
    pub fn anomalies(&self, id: &SegmentId) -> Vec<Anomaly> {
        let Some(segment) = self.get(id) else { return Vec::new() };
        let mut anomalies = Vec::new();
        match &segment.parent {
            Some(parent) if parent == id => anomalies.push(Anomaly::OwnParent),
            Some(parent) if !self.contains(parent) => anomalies.push(Anomaly::ParentMissing(parent.clone())),
            Some(parent) => anomalies.extend(self.cycle_through(id, parent).map(Anomaly::InCircle)),
            None => {}
        }
        if segment.has_blank_name() {
            anomalies.push(Anomaly::BlankName);
        }
        if let Some(external_id) = &segment.external_id {
            let others = self.with_external_id(external_id).filter(|other| other.id != *id);
            let mut others: Vec<SegmentId> = others.map(|other| other.id.clone()).collect();
            if !others.is_empty() {
                others.sort_unstable();
                anomalies.push(Anomaly::SharedExternalId(others));
            }
        }
        anomalies
    }

    /// The segments with an external id, in no particular order.
    pub fn with_external_id(&self, external_id: &str) -> impl Iterator<Item = &Arc<Segment>> {
        self.arena.nodes_with_external_id(external_id).filter_map(|node| self.arena.segment(node))
    }

    /// Returns the cycle from a segment along its parents back to itself.
    fn cycle_through(&self, id: &SegmentId, parent: &SegmentId) -> Option<Vec<SegmentId>> {
        // In the tree, a cycle is a chain below the segment where it was cut, and that segment's parent is the other end of the
        // chain.
        let top = self.ancestors(id).last().or_else(|| self.get(id))?;
        let end = top.parent.as_ref().filter(|end| self.is_below(end, &top.id))?;
        let in_chain = end == id || self.is_below(end, id);
        if !in_chain {
            return None;
        }
        let mut cycle = vec![id.clone()];
        let mut at = parent;
        while at != id {
            cycle.push(at.clone());
            at = self.get(at)?.parent.as_ref()?;
        }
        Some(cycle)
    }
}
