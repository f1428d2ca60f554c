//! Rules about parents: orphans, cycles and depth.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Evidence, FindingCollector, Rule};
use crate::segment::{Segment, SegmentId};

/// Where a segment is in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Not visited yet.
    Unvisited,
    /// On the path that is being followed.
    OnPath,
    /// On this level; roots and orphans are on level 1.
    Level(u32),
    /// In a cycle or below one, so on no level.
    NoLevel,
}

/// Checks the parents of all segments.
pub(super) fn check(segments: &[Arc<Segment>], collector: &mut FindingCollector<'_>) {
    let indices: HashMap<&SegmentId, usize> =
        segments.iter().enumerate().map(|(at, segment)| (&segment.id, at)).collect();
    let parents: Vec<Option<usize>> = segments
        .iter()
        .map(|segment| segment.parent.as_ref().and_then(|parent| indices.get(parent)).copied())
        .collect();
    for (segment, parent) in segments.iter().zip(&parents) {
        match &segment.parent {
            Some(parent_id) if *parent_id == segment.id => {
                collector.add(Rule::SelfParent, segment, Evidence::OwnParent);
            }
            Some(parent_id) if parent.is_none() => {
                collector.add(Rule::Orphan, segment, Evidence::ParentMissing(parent_id.clone()));
            }
            _ => {}
        }
    }
    if !collector.is_enabled(Rule::Cycle) && !collector.is_enabled(Rule::TooDeep) {
        return;
    }
    let max_depth = collector.rules.max_depth;
    for (position, segment) in find_positions(segments, &parents, collector).into_iter().zip(segments) {
        if let Position::Level(level) = position
            && level > max_depth
        {
            collector.add(Rule::TooDeep, segment, Evidence::Depth { level, max_depth });
        }
    }
}

/// Follows the parents of each segment up to one whose place is known. Returns the place of every segment and reports cycles.
fn find_positions(
    segments: &[Arc<Segment>],
    parents: &[Option<usize>],
    collector: &mut FindingCollector<'_>,
) -> Vec<Position> {
    let mut positions = vec![Position::Unvisited; segments.len()];
    let mut path = Vec::new();
    for start in 0..segments.len() {
        let mut at = Some(start);
        while let Some(current) = at.filter(|current| positions[*current] == Position::Unvisited) {
            positions[current] = Position::OnPath;
            path.push(current);
            at = parents[current];
        }
        let mut parent_position = match at.map(|at| (at, positions[at])) {
            None => Position::Level(0),
            Some((revisited, Position::OnPath)) => {
                report_cycle(segments, &path, revisited, collector);
                Position::NoLevel
            }
            Some((_, known)) => known,
        };
        for current in path.drain(..).rev() {
            parent_position = match parent_position {
                Position::Level(level) => Position::Level(level.saturating_add(1)),
                other => other,
            };
            positions[current] = parent_position;
        }
    }
    positions
}

/// Reports the cycle that the path has run into at `revisited`.
fn report_cycle(segments: &[Arc<Segment>], path: &[usize], revisited: usize, collector: &mut FindingCollector<'_>) {
    let from = path.iter().position(|at| *at == revisited).unwrap_or(0);
    let mut cycle: Vec<Arc<Segment>> = path[from..].iter().map(|at| Arc::clone(&segments[*at])).collect();
    // A segment that is its own parent has its own rule.
    if cycle.len() < 2 {
        return;
    }
    let smallest = cycle.iter().enumerate().min_by_key(|(_, segment)| &segment.id).map_or(0, |(at, _)| at);
    cycle.rotate_left(smallest);
    let cycle: Arc<[_]> = cycle.into();
    for segment in cycle.iter() {
        collector.add(Rule::Cycle, segment, Evidence::Cycle(Arc::clone(&cycle)));
    }
}
