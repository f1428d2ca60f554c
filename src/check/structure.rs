//! Rules about parents: orphans, cycles and depth.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Evidence, Found, Rule};
use crate::segment::{Segment, SegmentId};

/// Where a segment is in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not visited yet.
    Unknown,
    /// On the path that is being followed.
    OnTheWay,
    /// On this level; roots and orphans are on level 1.
    Level(u32),
    /// In a cycle or below one, so on no level.
    Nowhere,
}

/// Checks the parents of all segments.
pub(super) fn check(segments: &[Arc<Segment>], found: &mut Found<'_>) {
    let places: HashMap<&SegmentId, usize> =
        segments.iter().enumerate().map(|(at, segment)| (&segment.id, at)).collect();
    let parents: Vec<Option<usize>> =
        segments.iter().map(|segment| segment.parent.as_ref().and_then(|parent| places.get(parent)).copied()).collect();
    for (segment, parent) in segments.iter().zip(&parents) {
        match &segment.parent {
            Some(named) if *named == segment.id => found.add(Rule::SelfParent, segment, Evidence::OwnParent),
            Some(named) if parent.is_none() => {
                found.add(Rule::Orphan, segment, Evidence::ParentMissing(named.clone()));
            }
            _ => {}
        }
    }
    if !found.wants(Rule::Cycle) && !found.wants(Rule::TooDeep) {
        return;
    }
    let most = found.rules.max_depth;
    for (place, segment) in follow(segments, &parents, found).into_iter().zip(segments) {
        if let Place::Level(level) = place
            && level > most
        {
            found.add(Rule::TooDeep, segment, Evidence::Depth { level, most });
        }
    }
}

/// Follows the parents of each segment up to one whose place is known. Returns the place of every segment and reports cycles.
fn follow(segments: &[Arc<Segment>], parents: &[Option<usize>], found: &mut Found<'_>) -> Vec<Place> {
    let mut places = vec![Place::Unknown; segments.len()];
    let mut way = Vec::new();
    for start in 0..segments.len() {
        let mut at = Some(start);
        while let Some(here) = at.filter(|here| places[*here] == Place::Unknown) {
            places[here] = Place::OnTheWay;
            way.push(here);
            at = parents[here];
        }
        let mut above = match at.map(|at| (at, places[at])) {
            None => Place::Level(0),
            Some((again, Place::OnTheWay)) => {
                report_cycle(segments, &way, again, found);
                Place::Nowhere
            }
            Some((_, known)) => known,
        };
        for here in way.drain(..).rev() {
            above = match above {
                Place::Level(level) => Place::Level(level.saturating_add(1)),
                other => other,
            };
            places[here] = above;
        }
    }
    places
}

/// Reports the cycle that the path has run into at `again`.
fn report_cycle(segments: &[Arc<Segment>], way: &[usize], again: usize, found: &mut Found<'_>) {
    let from = way.iter().position(|at| *at == again).unwrap_or(0);
    let mut cycle: Vec<Arc<Segment>> = way[from..].iter().map(|at| Arc::clone(&segments[*at])).collect();
    // A segment that is its own parent has its own rule.
    if cycle.len() < 2 {
        return;
    }
    let smallest = cycle.iter().enumerate().min_by_key(|(_, segment)| &segment.id).map_or(0, |(at, _)| at);
    cycle.rotate_left(smallest);
    let cycle: Arc<[_]> = cycle.into();
    for segment in cycle.iter() {
        found.add(Rule::Cycle, segment, Evidence::Cycle(Arc::clone(&cycle)));
    }
}
