//! Searches and filters compared with a full scan.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::forest::find::{Rank, Scratch};
use crate::forest::{ExternalFlags, Forest, Query, Row, RowId, RowKind, SearchKind, StateFilter};
use crate::segment::{Segment, SegmentId};

use super::{any_change, any_limits, any_segment, id, last_of_each};

/// Parts of texts that may occur in names, ids and external ids, paths, and states.
fn any_query() -> impl Strategy<Value = Query> {
    let term = prop_oneof![
        4 => "!?[xl1a-d]{1,2}",
        2 => "!?path:[xl12]",
        2 => Just("is:leaf".to_owned()),
        1 => Just("!is:leaf".to_owned()),
        2 => Just("is:orphan".to_owned()),
        2 => Just("is:duplicate".to_owned()),
        1 => Just("is:marked".to_owned()),
    ];
    (vec(term, 1..3), proptest::collection::hash_set("[a-j]", 0..5)).prop_map(|(terms, marked)| {
        let marked: HashSet<SegmentId> = marked.iter().map(|text| id(text)).collect();
        Query::parse(&terms.join(" "))
            .unwrap()
            .with_external_flags(ExternalFlags { marked: Arc::new(marked), ..ExternalFlags::default() })
    })
}

/// Whether a query matches, in the simplest form, using only the forest's own queries.
fn is_meant(forest: &Forest, query: &Query, segment: &Segment) -> bool {
    let id = &segment.id;
    let states = query.tree_states().all(|(state, wanted)| {
        let is = match state {
            StateFilter::Leaf => forest.child_count(id) == 0,
            StateFilter::Orphan => segment.parent.as_ref().is_some_and(|parent| !forest.contains(parent)),
            StateFilter::Duplicate => forest.iter().any(|other| {
                other.id != *id && other.external_id.is_some() && other.external_id == segment.external_id
            }),
            _ => unreachable!(),
        };
        is == wanted
    });
    let paths = query.paths().all(|(meant, wanted)| forest.path(id).iter().any(|above| meant(&above.name)) == wanted);
    states && paths && query.rank(segment, &mut Scratch::default()).is_some()
}

fn all_meant(forest: &Forest, query: &Query) -> Vec<SegmentId> {
    let meant = forest.preorder().filter(|(_, segment)| is_meant(forest, query, segment));
    meant.map(|(_, segment)| segment.id.clone()).collect()
}

/// Searches a tree while it changes, and again when it asks for that.
fn searched(forest: &mut Forest, query: &Query, changes: Vec<Vec<super::Change>>, parts_between: &[usize]) {
    let mut job = forest.search(SearchKind::Tree, query.clone());
    for (change, parts) in changes.into_iter().zip(parts_between) {
        forest.apply(change);
        if forest.wants_search(SearchKind::Tree) {
            job = forest.search(SearchKind::Tree, query.clone());
        }
        job.by_ref().take(*parts).for_each(|finds| forest.apply_search_batch(finds));
    }
    job.for_each(|finds| forest.apply_search_batch(finds));
    assert!(forest.is_searched(SearchKind::Tree) && !forest.wants_search(SearchKind::Tree));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    /// A search in shares, with batches in any order, has the same matches and ends when all shares have.
    #[test]
    fn a_search_in_shares_finds_the_same_matches(
        limits in any_limits(),
        segments in vec(any_segment(), 0..40),
        query in any_query(),
        shares in 1_usize..5,
        order in vec(0_usize..5, 0..30),
    ) {
        let mut forest = Forest::with_limits(limits, segments);
        forest.search(SearchKind::Tree, query.clone()).for_each(|finds| forest.apply_search_batch(finds));
        let whole: Vec<SegmentId> = forest.matches(SearchKind::Tree).cloned().collect();
        let mut jobs: Vec<_> = forest.search(SearchKind::Tree, query).in_shares(shares).collect();
        for at in order {
            if let Some(finds) = jobs.get_mut(at).and_then(Iterator::next) {
                forest.apply_search_batch(finds);
            }
        }
        for job in jobs {
            for finds in job {
                prop_assert!(!forest.is_searched(SearchKind::Tree));
                forest.apply_search_batch(finds);
            }
        }
        prop_assert!(forest.is_searched(SearchKind::Tree));
        prop_assert_eq!(forest.matches(SearchKind::Tree).cloned().collect::<Vec<_>>(), whole);
    }

    /// Batches come back while the tree changes; in the end, the matches equal those of a full scan, in the same order.
    #[test]
    fn matches_equal_a_full_scan_while_the_tree_changes(
        limits in any_limits(),
        segments in vec(any_segment(), 0..16),
        query in any_query(),
        changes in vec(vec(any_change(), 1..4), 0..12),
        parts_between in vec(0_usize..3, 12),
    ) {
        let mut forest = Forest::with_limits(limits, segments.iter().cloned());
        forest.fold_to_level(None);
        searched(&mut forest, &query, changes, &parts_between);

        let expected = all_meant(&forest, &query);
        let found: Vec<SegmentId> = forest.matches(SearchKind::Tree).cloned().collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(forest.match_count(SearchKind::Tree), expected.len());
        let rank = |id: &SegmentId| forest.get(id).and_then(|segment| query.rank(segment, &mut Scratch::default()));
        let mut best = expected.clone();
        best.sort_by_key(rank);
        prop_assert_eq!(forest.best_matches(SearchKind::Tree, 100), best.iter().collect::<Vec<_>>());

        let mut forwards = Vec::new();
        let mut at = forest.match_after(SearchKind::Tree, None);
        while let Some(id) = at {
            at = forest.match_after(SearchKind::Tree, Some(&RowId::Segment(id.clone())));
            forwards.push(id);
        }
        prop_assert_eq!(&forwards, &expected);
        let mut backwards = Vec::new();
        let mut at = forest.match_before(SearchKind::Tree, None);
        while let Some(id) = at {
            at = forest.match_before(SearchKind::Tree, Some(&RowId::Segment(id.clone())));
            backwards.push(id);
        }
        backwards.reverse();
        prop_assert_eq!(&backwards, &expected);
        forest.fold_to_level(None);
        // From any row, the next and the previous match are the nearest ones in tree order.
        let rows: Vec<RowId> = forest.rows(0..forest.row_count()).map(|row| row.id()).collect();
        for (at, row) in rows.iter().enumerate() {
            let is_match = |row: &&RowId| matches!(row, RowId::Segment(id) if expected.contains(id));
            let after = rows[at + 1..].iter().find(is_match).cloned();
            let before = rows[..at].iter().rev().find(is_match).cloned();
            prop_assert_eq!(forest.match_after(SearchKind::Tree, Some(row)).map(RowId::Segment), after);
            prop_assert_eq!(forest.match_before(SearchKind::Tree, Some(row)).map(RowId::Segment), before);
        }
    }

    /// A filter shows the rows of the fully expanded tree that are matches or their ancestors.
    #[test]
    fn a_filter_shows_the_matches_and_their_ancestors(
        limits in any_limits(),
        segments in vec(any_segment(), 0..16),
        query in any_query(),
        changes in vec(vec(any_change(), 1..4), 0..8),
        parts_between in vec(0_usize..3, 8),
    ) {
        let mut forest = Forest::with_limits(limits, segments.iter().cloned());
        searched(&mut forest, &query, changes, &parts_between);
        let filtered = forest.filtered(SearchKind::Tree, None);

        let meant = all_meant(&forest, &query);
        let mut whole = forest.clone();
        whole.fold_to_level(None);
        let mut wanted: BTreeSet<usize> = BTreeSet::new();
        let mut matches = Vec::new();
        for id in &meant {
            let mut row = Some(RowId::Segment(id.clone()));
            while let Some(at) = row {
                wanted.extend(whole.position(&at));
                row = whole.parent_row(&at);
            }
        }
        let rows: Vec<_> = wanted.iter().filter_map(|at| whole.row(*at)).collect();
        for (at, row) in rows.iter().enumerate() {
            if matches!(row.kind, RowKind::Segment(segment) if meant.contains(&segment.id)) {
                matches.push(at);
            }
        }
        let shown: Vec<_> = forest.filtered_rows(&filtered, 0..filtered.len()).collect();
        let plain = |row: &Row<'_>| (row.id(), row.depth, row.descendants);
        prop_assert_eq!(shown.iter().map(plain).collect::<Vec<_>>(), rows.iter().map(plain).collect::<Vec<_>>());
        prop_assert_eq!(filtered.matches(), matches);

        let mut scratch = Scratch::default();
        let mut tie_breaker = |at: &usize| match rows[*at].kind {
            RowKind::Segment(segment) => (query.rank(segment, &mut scratch), query.tie_breaker(segment, &mut scratch)),
            _ => unreachable!(),
        };
        let best = filtered.matches().iter().copied().min_by_key(|at| tie_breaker(at));
        prop_assert_eq!(filtered.best(), best);
    }

    /// When external flags change, the matches follow.
    #[test]
    fn changed_external_flags_update_the_matches(
        limits in any_limits(),
        segments in vec(any_segment(), 0..16),
        before in proptest::collection::hash_set("[a-h]", 0..5),
        after in proptest::collection::hash_set("[a-h]", 0..5),
    ) {
        let known = |ids: &HashSet<String>| {
            let pending = ids.iter().map(|text| id(text)).collect();
            ExternalFlags { pending: Arc::new(pending), ..ExternalFlags::default() }
        };
        let mut forest = Forest::with_limits(limits, segments.iter().cloned());
        let query = Query::parse("is:pending").unwrap().with_external_flags(known(&before));
        searched(&mut forest, &query, Vec::new(), &[]);
        forest.set_external_flags(SearchKind::Tree, known(&after));
        let present: BTreeMap<SegmentId, Arc<Segment>> = last_of_each(&segments);
        let mut found: Vec<SegmentId> = forest.matches(SearchKind::Tree).cloned().collect();
        found.sort();
        let expected: Vec<SegmentId> = present.into_keys().filter(|id| after.contains(&id.to_string())).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn ranks_are_ordered_from_exact_to_fuzzy() {
    assert!(Rank::Exact < Rank::Prefix && Rank::Prefix < Rank::Substring);
    assert!(Rank::Substring < Rank::OtherField && Rank::OtherField < Rank::Fuzzy);
    assert_eq!(Rank::Fuzzy as usize + 1, Rank::COUNT);
}

#[test]
fn a_filter_shows_only_part_of_a_deep_chain() {
    let chain = (0..5_000).map(|at| {
        let parent = (at > 0).then(|| format!("{:05}", at - 1));
        super::segment(&format!("{at:05}"), &format!("level {at:05}"), parent.as_deref())
    });
    let mut forest: Forest = chain.collect();
    let job = forest.search(SearchKind::Tree, Query::parse("\"level 04999\"").unwrap());
    job.for_each(|finds| forest.apply_search_batch(finds));
    let filtered = forest.filtered(SearchKind::Tree, None);
    assert!(filtered.len() < 1_200, "{}", filtered.len());
    assert_eq!(filtered.best(), Some(filtered.len() - 1));
}
