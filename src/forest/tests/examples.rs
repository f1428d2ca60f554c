//! Examples of what the forest promises, and shapes that would break a careless implementation.

use std::sync::Arc;

use crate::forest::{Anomaly, Change, Forest, Heading, Query, RowId, SearchKind};
use crate::segment::Segment;

use super::{id, lines, segment};

fn texts(forest: &Forest) -> Vec<String> {
    lines(forest).into_iter().map(|line| format!("{}{}", "  ".repeat(line.depth as usize), line.text)).collect()
}

#[test]
fn the_api_documentations_list_becomes_two_trees() {
    let json = r#"[
        {"id": "fcc98538-8957-4178-8f60-df14d7c24567", "name": "Podhurt", "externalId": "1", "parentSegmentId": "ab9e32db-48a1-47b3-9fda-975b9ed8a9d6"},
        {"id": "eb11f451-1c82-4b61-89fd-cf3a5e8801ea", "name": "VIP Client", "externalId": "VIP", "parentSegmentId": "segment"},
        {"id": "ab9e32db-48a1-47b3-9fda-975b9ed8a9d6", "name": "Hurtownie", "externalId": "Hurt", "parentSegmentId": null},
        {"id": "segment", "name": "segment", "externalId": null, "parentSegmentId": null},
        {"id": "fb800655-125a-44f7-a5eb-a63647caf045", "name": "Detaliczni", "externalId": "100", "parentSegmentId": "segment"}
    ]"#;
    let segments: Vec<Segment> = serde_json::from_str(json).unwrap();
    let mut forest: Forest = segments.into_iter().map(Arc::new).collect();
    forest.fold_to_level(None);
    let shown: Vec<_> = forest.preorder().map(|(depth, segment)| format!("{depth} {}", segment.name)).collect();
    assert_eq!(shown, ["0 Hurtownie", "1 Podhurt", "0 segment", "1 Detaliczni", "1 VIP Client"]);
}

#[test]
fn an_orphan_moves_under_its_parent_when_it_arrives() {
    let mut forest: Forest = [segment("b", "b", Some("a")), segment("c", "c", Some("b"))].into_iter().collect();
    assert_eq!(texts(&forest), ["Orphans: parent missing", "  (a)", "    b"]);
    forest.apply(vec![Change::Upsert(segment("a", "a", None))]);
    assert_eq!(texts(&forest), ["a"]);
    forest.fold_to_level(None);
    assert_eq!(texts(&forest), ["a", "  b", "    c"]);
    forest.apply(vec![Change::Remove(id("a"))]);
    assert_eq!(texts(&forest), ["Orphans: parent missing", "  (a)", "    b", "      c"]);
}

#[test]
fn a_cycle_is_cut_at_its_smallest_id_in_any_order() {
    let circle = [segment("c", "c", Some("b")), segment("b", "b", Some("d")), segment("d", "d", Some("c"))];
    for turn in 0..3 {
        let mut forest = Forest::new();
        for at in 0..3 {
            forest.apply(vec![Change::Upsert(Arc::clone(&circle[(at + turn) % 3]))]);
            forest.arena.check();
        }
        forest.fold_to_level(None);
        assert_eq!(texts(&forest), ["Circular parents", "  b", "    c", "      d"]);
        assert_eq!(forest.anomalies(&id("d")), [Anomaly::InCircle(vec![id("d"), id("c"), id("b")])]);
        forest.apply(vec![Change::Upsert(segment("d", "d", None))]);
        forest.fold_to_level(None);
        assert_eq!(texts(&forest), ["d", "  b", "    c"]);
    }
}

#[test]
fn a_child_of_a_cycle_is_not_part_of_it() {
    let forest: Forest = [segment("a", "a", Some("b")), segment("b", "b", Some("a")), segment("x", "x", Some("b"))]
        .into_iter()
        .collect();
    assert_eq!(forest.anomalies(&id("x")), []);
    assert_eq!(forest.anomalies(&id("b")), [Anomaly::InCircle(vec![id("b"), id("a")])]);
}

#[test]
fn anomalies_are_reported() {
    let with_external_id = |name: &str| {
        Arc::new(Segment { external_id: Some("VIP".into()), ..Segment::clone(&segment(name, name, None)) })
    };
    let forest: Forest = [
        segment("self", "x", Some("self")),
        segment("orphan", "x", Some("nobody")),
        segment("blank", " ", None),
        with_external_id("first"),
        with_external_id("second"),
    ]
    .into_iter()
    .collect();
    assert_eq!(forest.anomalies(&id("self")), [Anomaly::OwnParent]);
    assert_eq!(forest.anomalies(&id("orphan")), [Anomaly::ParentMissing(id("nobody"))]);
    assert_eq!(forest.anomalies(&id("blank")), [Anomaly::BlankName]);
    assert_eq!(forest.anomalies(&id("first")), [Anomaly::SharedExternalId(vec![id("second")])]);
}

#[test]
fn the_next_selection_is_a_sibling_or_the_parent() {
    let mut forest: Forest =
        [segment("p", "p", None), segment("a", "a", Some("p")), segment("b", "b", Some("p")), segment("q", "q", None)]
            .into_iter()
            .collect();
    forest.fold_to_level(None);
    let row = |text: &str| RowId::Segment(id(text));
    assert_eq!(forest.next_selection(&row("a")), Some(row("b")));
    assert_eq!(forest.next_selection(&row("b")), Some(row("a")));
    assert_eq!(forest.next_selection(&row("q")), Some(row("p")));
    forest.apply(vec![Change::Remove(id("b"))]);
    assert_eq!(forest.next_selection(&row("a")), Some(row("p")));
    assert_eq!(forest.next_selection(&row("b")), None);
}

#[test]
fn matches_are_in_tree_order_and_ignore_accents() {
    let mut forest: Forest =
        [segment("2", "Łódź", None), segment("1", "Zgierz", Some("2")), segment("3", "Lodzkie", None)]
            .into_iter()
            .collect();
    let job = forest.search(SearchKind::Tree, Query::parse("łodz").unwrap());
    job.for_each(|finds| forest.apply_search_batch(finds));
    assert_eq!(forest.matches(SearchKind::Tree).cloned().collect::<Vec<_>>(), [id("3"), id("2")]);
}

#[test]
fn a_folded_heading_stays_folded_when_something_changes() {
    let mut forest: Forest = [segment("b", "b", Some("a"))].into_iter().collect();
    forest.collapse(&RowId::Heading(Heading::MissingParents));
    forest.apply(vec![Change::Upsert(segment("c", "c", Some("z")))]);
    assert_eq!(texts(&forest), ["Orphans: parent missing"]);
}

/// In a shuffled chain, a missing parent that arrives can have half of the chain above it.
#[test]
fn a_shuffled_chain_climbs_no_more_than_a_full_relink_costs() {
    const LENGTH: usize = 8_000;
    let mut chain: Vec<Arc<Segment>> = (0..LENGTH)
        .map(|at| segment(&at.to_string(), "link", at.checked_sub(1).map(|above| above.to_string()).as_deref()))
        .collect();
    fastrand::Rng::with_seed(1).shuffle(&mut chain);
    let mut forest = Forest::new();
    for page in chain.chunks(500) {
        forest.apply(page.iter().cloned().map(Change::Upsert).collect());
        // The last change before the limit may climb the whole chain, up to four times.
        let most = 4 * LENGTH + 1_024 + 4 * LENGTH;
        assert!(forest.arena.climbed() <= most, "{} links were followed", forest.arena.climbed());
    }
    assert_eq!(forest.descendant_count(&id("0")), LENGTH - 1);
}

/// A chain that recursion would not survive, in pages and leaf first.
#[test]
fn a_chain_of_a_hundred_thousand_is_built_walked_and_dropped() {
    const LENGTH: usize = 100_000;
    let chain: Vec<Arc<Segment>> = (0..LENGTH)
        .rev()
        .map(|at| segment(&at.to_string(), "link", at.checked_sub(1).map(|above| above.to_string()).as_deref()))
        .collect();
    let mut forest = Forest::new();
    for page in chain.chunks(1_000) {
        forest.apply(page.iter().cloned().map(Change::Upsert).collect());
    }
    assert_eq!(forest.descendant_count(&id("0")), LENGTH - 1);
    forest.expand_subtree(&RowId::Segment(id("0")));
    assert_eq!(forest.row_count(), LENGTH);
    assert_eq!(forest.height(&id("0")), LENGTH - 1);
    let bottom = id(&(LENGTH - 1).to_string());
    assert_eq!(forest.path(&bottom).len(), LENGTH);
    // Closing the chain into a cycle is the most expensive single change.
    forest.apply(vec![Change::Upsert(segment("0", "link", Some(&bottom.to_string())))]);
    assert_eq!(forest.descendant_count(&id("0")), LENGTH - 1);
    assert_eq!(forest.parent_row(&RowId::Segment(id("0"))), Some(RowId::Heading(Heading::Circles)));
    drop(forest);
}

#[test]
fn a_parent_of_two_hundred_thousand_takes_changes_one_by_one() {
    const CHILDREN: usize = 200_000;
    let children = (0..CHILDREN).map(|at| segment(&format!("child {at}"), &format!("Child {at}"), Some("top")));
    let mut forest: Forest = children.chain([segment("top", "Top", None)]).collect();
    forest.expand(&RowId::Segment(id("top")));
    assert_eq!(forest.row_count(), CHILDREN + 1);
    for at in 0..10 {
        forest.apply(vec![Change::Upsert(segment(&format!("child {at}"), &format!("Renamed {at}"), Some("top")))]);
    }
    let last = forest.row(CHILDREN).map(|row| row.id());
    assert_eq!(last, Some(RowId::Segment(id("child 9"))));
}
