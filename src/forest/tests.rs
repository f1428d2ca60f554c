//! The forest compared with a simple recursive model, for arbitrary data and changes.

mod examples;
mod finding;
mod reference;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::segment::{Segment, SegmentId};

use super::limits::Limits;
use super::{Change, Forest, Order, RowId, RowKind, SortJob};
use reference::{Line, Reference};

pub(super) fn id(text: &str) -> SegmentId {
    SegmentId::new(text).unwrap()
}

pub(super) fn segment(id: &str, name: &str, parent: Option<&str>) -> Arc<Segment> {
    let id = SegmentId::new(id).unwrap();
    Arc::new(Segment { id, name: name.into(), external_id: None, parent: parent.and_then(SegmentId::new) })
}

/// Mostly limits that make a small tree use the methods of a large one, sometimes the usual ones.
pub(super) fn any_limits() -> impl Strategy<Value = &'static Limits> {
    prop_oneof![4 => Just(&Limits::SMALL), 1 => Just(&Limits::DEFAULT)]
}

/// Few ids and few names, so that all kinds of collisions occur.
fn any_segment() -> impl Strategy<Value = Arc<Segment>> {
    let id = "[a-h]";
    let parent = proptest::option::weighted(0.8, "[a-j]");
    let external_id = proptest::option::of("[12]{1,2}");
    (id, "[xX 12ł]{0,3}", external_id, parent).prop_map(|(id, name, external_id, parent)| {
        Arc::new(Segment {
            id: SegmentId::new(&id).unwrap(),
            name: name.into(),
            external_id: external_id.map(Into::into),
            parent: parent.and_then(|parent| SegmentId::new(&parent)),
        })
    })
}

#[derive(Debug, Clone)]
enum Act {
    Apply(Vec<Change>),
    Expand(RowId),
    Collapse(RowId),
    ExpandSubtree(RowId),
    FoldToLevel(Option<u32>),
    Reveal(SegmentId),
    Sort(Order),
}

fn any_row() -> impl Strategy<Value = RowId> {
    prop_oneof![
        8 => "[a-j]".prop_map(|text| RowId::Segment(id(&text))),
        1 => Just(RowId::Heading(super::Heading::MissingParents)),
        1 => Just(RowId::Heading(super::Heading::Circles)),
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => any_segment().prop_map(Change::Upsert),
        1 => "[a-j]".prop_map(|text| Change::Remove(id(&text))),
    ]
}

fn any_order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Name), Just(Order::ExternalId), Just(Order::Descendants), Just(Order::Recent)]
}

fn any_step() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => vec(any_change(), 1..8).prop_map(Act::Apply),
        4 => any_row().prop_map(Act::Expand),
        2 => any_row().prop_map(Act::Collapse),
        1 => any_row().prop_map(Act::ExpandSubtree),
        1 => proptest::option::of(1_u32..4).prop_map(Act::FoldToLevel),
        1 => "[a-j]".prop_map(|text| Act::Reveal(id(&text))),
        1 => any_order().prop_map(Act::Sort),
    ]
}

fn apply(forest: &mut Forest, step: Act) {
    match step {
        Act::Apply(changes) => forest.apply(changes),
        Act::Expand(row) => forest.expand(&row),
        Act::Collapse(row) => forest.collapse(&row),
        Act::ExpandSubtree(row) => forest.expand_subtree(&row),
        Act::FoldToLevel(level) => forest.fold_to_level(level),
        Act::Reveal(id) => {
            let row = forest.reveal(&id);
            assert_eq!(row.is_some(), forest.position(&RowId::Segment(id)).is_some());
        }
        Act::Sort(order) => forest.set_order(order),
    }
}

/// The resulting segments of a list: the last one with each id.
fn last_of_each(segments: &[Arc<Segment>]) -> BTreeMap<SegmentId, Arc<Segment>> {
    segments.iter().map(|segment| (segment.id.clone(), Arc::clone(segment))).collect()
}

fn lines(forest: &Forest) -> Vec<Line> {
    forest
        .rows(0..forest.row_count())
        .map(|row| {
            let text = match row.kind {
                RowKind::Segment(segment) => segment.id.to_string(),
                RowKind::MissingParent(id) => format!("({id})"),
                RowKind::Heading(heading) => heading.to_string(),
            };
            Line { text, depth: row.depth, fold: row.fold, descendants: row.descendants }
        })
        .collect()
}

/// Compares a forest with a model built from its segments and open rows.
fn check(forest: &Forest, segments: &BTreeMap<SegmentId, Arc<Segment>>) {
    forest.arena.check();
    assert_eq!(forest.len(), segments.len());
    let reference = Reference::new(segments, forest.order());
    assert_eq!(lines(forest), reference.lines(|row| forest.is_open(row)));

    let walked: Vec<(u32, SegmentId)> = forest.preorder().map(|(depth, segment)| (depth, segment.id.clone())).collect();
    assert_eq!(walked, reference.preorder());
    for (index, row) in forest.rows(0..forest.row_count()).enumerate() {
        assert_eq!(forest.position(&row.id()), Some(index));
    }
    for (id, segment) in segments {
        assert_eq!(forest.get(id), Some(segment));
        assert_eq!(forest.descendant_count(id), forest.descendants(id).count());
        let below: Vec<_> = segments.keys().filter(|other| forest.is_below(other, id)).collect();
        assert_eq!(below.len(), forest.descendant_count(id));
        assert_eq!(forest.path(id).last().map(|last| &last.id), Some(id));
        assert_eq!(forest.path(id).len(), 1 + forest.ancestors(id).count());
        if let Some(external_id) = &segment.external_id {
            let mut bearers: Vec<_> = forest.with_external_id(external_id).map(|bearer| bearer.id.clone()).collect();
            bearers.sort();
            let same = segments.values().filter(|other| other.external_id == segment.external_id);
            assert_eq!(bearers, same.map(|other| other.id.clone()).collect::<Vec<_>>());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_segment_is_in_the_tree_exactly_once(limits in any_limits(), segments in vec(any_segment(), 0..16), order in any_order()) {
        let mut forest = Forest::with_limits(limits, segments.iter().cloned());
        forest.set_order(order);
        let expected = last_of_each(&segments);
        check(&forest, &expected);
        forest.fold_to_level(None);
        check(&forest, &expected);
        let mut shown: Vec<SegmentId> = forest.rows(0..forest.row_count()).filter_map(|row| match row.kind {
            RowKind::Segment(segment) => Some(segment.id.clone()),
            _ => None,
        }).collect();
        shown.sort();
        prop_assert_eq!(shown, expected.into_keys().collect::<Vec<_>>());
    }

    #[test]
    fn any_changes_and_foldings_match_the_model(limits in any_limits(), steps in vec(any_step(), 0..24)) {
        let mut forest = Forest::with_limits(limits, []);
        let mut segments = BTreeMap::new();
        for step in steps {
            if let Act::Apply(changes) = &step {
                for change in changes {
                    match change {
                        Change::Upsert(segment) => segments.insert(segment.id.clone(), Arc::clone(segment)),
                        Change::Remove(id) => segments.remove(id),
                    };
                }
            }
            apply(&mut forest, step);
            check(&forest, &segments);
        }
    }

    #[test]
    fn a_tree_that_has_grown_matches_the_model(
        limits in any_limits(),
        steps in vec(any_step(), 0..16),
        later in vec(any_change(), 0..4),
        large in vec(any_segment(), 0..40),
    ) {
        let mut forest = Forest::with_limits(limits, []);
        forest.set_growing(true);
        let mut changes: Vec<Change> = Vec::new();
        for step in steps {
            if let Act::Apply(some) = &step {
                changes.extend(some.iter().cloned());
            }
            apply(&mut forest, step);
            forest.arena.check();
        }
        let page: Vec<Change> = (0..5).flat_map(|_| large.iter().cloned().map(Change::Upsert)).collect();
        changes.extend(page.iter().cloned());
        forest.apply(page);
        forest.arena.check();
        forest.set_growing(false);
        changes.extend(later.iter().cloned());
        forest.apply(later);
        let mut segments = BTreeMap::new();
        for change in changes {
            match change {
                Change::Upsert(segment) => segments.insert(segment.id.clone(), segment),
                Change::Remove(id) => segments.remove(&id),
            };
        }
        check(&forest, &segments);
    }

    #[test]
    fn the_most_recently_changed_segment_comes_first(
        limits in any_limits(),
        segments in vec(any_segment(), 1..12),
        steps in vec((any_step(), "[a-j]"), 0..16),
    ) {
        let mut forest = Forest::with_limits(limits, segments);
        forest.set_order(Order::Recent);
        let (mut seen, mut count) = (BTreeMap::new(), 0);
        for (step, marked) in steps {
            if let Act::Apply(changes) = &step {
                for change in changes {
                    if let Change::Remove(id) = change {
                        seen.remove(id);
                    }
                }
            }
            apply(&mut forest, step);
            if forest.contains(&id(&marked)) {
                count += 1;
                seen.insert(id(&marked), count);
            }
            forest.mark_changed([&id(&marked)]);
            forest.arena.check();
            let in_order = forest.order() == Order::Recent;
            let roots: Vec<_> = forest.rows(0..forest.row_count()).filter(|row| row.depth == 0).collect();
            let times: Vec<_> = roots.iter().filter_map(|row| match row.kind {
                RowKind::Segment(segment) => Some(seen.get(&segment.id).copied().unwrap_or(0)),
                _ => None,
            }).collect();
            prop_assert!(!in_order || times.is_sorted_by(|earlier, later| earlier >= later), "{:?}", times);
        }
    }

    #[test]
    fn single_changes_and_batches_build_the_same_tree(limits in any_limits(), changes in vec(any_change(), 0..120), order in any_order()) {
        let mut one_by_one = Forest::with_limits(limits, []);
        one_by_one.set_order(order);
        let mut in_one_batch = Forest::with_limits(limits, []);
        in_one_batch.set_order(order);
        in_one_batch.apply(changes.clone());
        let mut in_pages = Forest::with_limits(limits, []);
        in_pages.set_order(order);
        changes.chunks(7).for_each(|page| in_pages.apply(page.to_vec()));
        let mut segments = BTreeMap::new();
        for change in changes {
            match &change {
                Change::Upsert(segment) => segments.insert(segment.id.clone(), Arc::clone(segment)),
                Change::Remove(id) => segments.remove(id),
            };
            one_by_one.apply(vec![change]);
        }
        let mut at_once = Forest::with_limits(limits, segments.into_values());
        at_once.set_order(order);
        one_by_one.fold_to_level(None);
        at_once.fold_to_level(None);
        in_one_batch.fold_to_level(None);
        in_pages.fold_to_level(None);
        prop_assert_eq!(lines(&one_by_one), lines(&at_once));
        prop_assert_eq!(lines(&in_one_batch), lines(&at_once));
        prop_assert_eq!(lines(&in_pages), lines(&at_once));
    }

    #[test]
    fn an_expanded_segment_stays_so_while_it_exists(
        limits in any_limits(),
        segments in vec(any_segment(), 1..12),
        open in "[a-h]",
        changes in vec(any_change(), 0..24),
    ) {
        let mut forest = Forest::with_limits(limits, segments);
        let open = RowId::Segment(id(&open));
        forest.expand(&open);
        let mut expected = forest.is_open(&open) && matches!(&open, RowId::Segment(id) if forest.contains(id));
        for change in changes {
            let RowId::Segment(subject) = &open else { unreachable!() };
            forest.apply(vec![change]);
            // A removed segment is forgotten, unless it remains as a missing parent.
            expected &= forest.contains(subject) || forest.child_count(subject) > 0;
            if forest.contains(subject) {
                prop_assert_eq!(forest.is_open(&open), expected);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// A sort job runs while the tree changes; in the end, the tree shows what the model shows.
    #[test]
    fn a_sort_job_merges_into_a_tree_that_has_changed(
        limits in any_limits(),
        segments in vec(any_segment(), 0..16),
        before in any_order(),
        after in any_order(),
        steps in vec(any_step(), 0..12),
    ) {
        let mut present = last_of_each(&segments);
        let mut forest = Forest::with_limits(limits, segments);
        forest.set_order(before);
        forest.fold_to_level(None);
        let mut job = forest.arrange(after);
        for step in steps.into_iter().filter(|step| !matches!(step, Act::Sort(_))) {
            if let Act::Apply(changes) = &step {
                for change in changes {
                    match change {
                        Change::Upsert(segment) => present.insert(segment.id.clone(), Arc::clone(segment)),
                        Change::Remove(id) => present.remove(id),
                    };
                }
            }
            apply(&mut forest, step);
            check(&forest, &present);
        }
        while let Some(sorted) = job.take().map(SortJob::run) {
            if !forest.take_sorted(sorted) {
                job = forest.arrange(after);
            }
        }
        prop_assert_eq!(forest.order(), after);
        check(&forest, &present);
    }
}
