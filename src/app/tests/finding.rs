//! Searching: the tree filtered while typing, and what remains of the filter afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use crate::app::harness::{Harness, id, named, segment, wholesale};
use crate::app::{Effect, Event, Layer, Mouse, MouseKind, update};
use crate::forest::{Forest, RowId, RowKind, SearchKind};
use crate::keymap::Key;
use crate::segment::Segment;
use crate::sync;

fn at_work() -> Harness {
    Harness::large(120, 40, wholesale())
}

fn typing(text: &str) -> Harness {
    let mut harness = at_work();
    harness.press("/");
    harness.type_text(text);
    harness
}

/// Returns the screen line of the selected row.
fn line_of_selection(harness: &Harness) -> usize {
    let selected = harness.state.tree.view.selected.as_ref().unwrap();
    harness.state.shown_position(selected).unwrap() - harness.state.tree.view.offset
}

/// Presses a key and returns the batches of the search that it starts, to be delivered later.
fn press_and_wait(harness: &mut Harness, key: &str) -> Vec<Event> {
    let effects = update(&mut harness.state, &harness.keymap, Event::Key(Key::parse(key).unwrap()));
    effects
        .into_iter()
        .flat_map(|effect| match effect {
            Effect::Search(job) => job.map(Event::Found).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn typing_leaves_only_the_matches_and_their_ancestors() {
    let harness = typing("lodz");
    assert_eq!(harness.rows(), ["Hurtownie", "  Polska", "    Łódzkie", "      >Łódź"]);
    assert_eq!(harness.state.tree.search.as_ref().map(|search| (search.current, search.matches)), Some((Some(2), 2)));
    let harness = typing("nobody");
    assert_eq!(harness.rows(), ["Orphans: parent missing", "  (no-such-parent)", "    >Orphan of nobody"]);
}

#[test]
fn the_best_match_is_selected_and_keys_step_through_matches() {
    let mut harness = typing("lod");
    assert_eq!(harness.selected(), "Łódź", "it is the shorter one");
    harness.press("ctrl-n");
    assert_eq!(harness.selected(), "Łódzkie", "around the end");
    harness.press("ctrl-n");
    assert_eq!(harness.selected(), "Łódź");
    harness.press("ctrl-p");
    assert_eq!(harness.selected(), "Łódzkie");
    harness.press("pagedown");
    assert_eq!(harness.selected(), "Łódź");
}

#[test]
fn a_fuzzy_query_may_skip_letters() {
    let harness = typing("mzwckie");
    assert_eq!(harness.rows(), ["Hurtownie", "  Polska", "    >Mazowieckie"]);
}

#[test]
fn esc_restores_the_view_exactly() {
    let many = (0..200).map(|at| segment(&format!("{at:03}"), None)).chain(wholesale()).collect();
    let mut harness = Harness::with_segments(120, 40, many);
    harness.press("pagedown pagedown j");
    let (rows, offset, selected) = (harness.rows(), harness.state.tree.view.offset, harness.selected());
    harness.press("/");
    harness.type_text("lodz");
    harness.press("ctrl-n esc");
    assert_eq!((harness.rows(), harness.state.tree.view.offset, harness.selected()), (rows, offset, selected));
    assert!(harness.state.tree.search.is_none());
}

#[test]
fn enter_keeps_the_filter_and_then_shows_the_whole_tree() {
    let mut harness = typing("lod");
    harness.press("enter");
    assert_eq!(harness.selected(), "Łódź");
    assert_eq!(harness.rows(), ["Hurtownie", "  Polska", "    Łódzkie", "      >Łódź"]);
    harness.press("enter");
    assert_eq!(harness.selected(), "Łódź");
    assert!(harness.rows().contains(&"VIP Client".to_owned()), "{:?}", harness.rows());
    assert!(harness.state.tree.forest.is_match(SearchKind::Tree, &id("lodzkie")));
    harness.press("n");
    assert_eq!(harness.selected(), "Łódzkie");
    harness.press("N");
    assert_eq!(harness.selected(), "Łódź");
    harness.press("esc n");
    assert!(harness.message().contains("Press / to search"), "{}", harness.message());
}

#[test]
fn an_empty_prompt_shows_all_and_esc_restores_the_filter() {
    let mut harness = typing("vip");
    harness.press("enter /");
    harness.type_text("lodz");
    harness.press("ctrl-u");
    assert_eq!(harness.rows().len(), at_work().rows().len());
    assert_eq!(harness.selected(), "Hurtownie", "where one was");
    harness.press("esc");
    assert_eq!(harness.state.tree.search.as_ref().map(|search| search.text.as_str()), Some("vip"));
    assert_eq!(harness.rows(), [">VIP Client"]);
}

#[test]
fn a_search_without_matches_is_reported_and_goes_nowhere() {
    let mut harness = at_work();
    harness.press("j /");
    harness.type_text("qqq");
    assert_eq!(harness.rows(), [""; 0]);
    harness.press("enter");
    assert_eq!(harness.selected(), "Export");
    assert_eq!(harness.message(), "No matches for “qqq”");
}

#[test]
fn states_and_paths_can_be_searched() {
    assert_eq!(typing("is:orphan").rows(), ["Orphans: parent missing", "  (no-such-parent)", "    >Orphan of nobody"]);
    assert_eq!(typing("path:lodz is:leaf !zgierz").selected(), "Łódź");
    assert_eq!(typing("path:hurt is:leaf").state.tree.forest.match_count(SearchKind::Tree), 4);
    let mut harness = at_work();
    harness.press("j space g g /");
    harness.type_text("is:marked");
    assert_eq!(harness.selected(), "Export");
    let mut harness = typing("is:lea");
    harness.press("enter");
    assert!(harness.message().contains("Use orphan, changed"), "{}", harness.message());
}

#[test]
fn a_recent_change_matches_until_its_highlight_fades() {
    let mut harness = typing("is:changed");
    assert_eq!(harness.rows(), [""; 0]);
    harness.changed(Some(&named("vip", "VIP Klient", None)), Some(&named("vip", "VIP Client", None)));
    assert_eq!(harness.rows(), [">VIP Client"]);
    harness.wait(7);
    assert_eq!(harness.rows(), [""; 0]);
}

#[test]
fn a_pending_change_matches_until_it_is_done() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("u");
    harness.press("enter /");
    harness.type_text("is:pending");
    assert_eq!(harness.rows(), ["Hurtownie", "  >Exportu"]);
    harness.succeed();
    assert_eq!(harness.rows(), [""; 0]);
}

#[test]
fn both_segments_with_a_duplicate_external_id_match() {
    let twin = Arc::new(Segment { external_id: Some("X-vip".into()), ..Segment::clone(&named("twin", "Twin", None)) });
    let mut harness = typing("is:duplicate");
    harness.changed(None, Some(&twin));
    assert_eq!(harness.rows(), [">Twin", "VIP Client"]);
}

#[test]
fn the_selection_stays_on_its_line_while_the_tree_changes() {
    let mut harness = typing("x-");
    harness.press("ctrl-n ctrl-n ctrl-n");
    let (selected, line) = (harness.selected(), line_of_selection(&harness));
    harness.changed(None, Some(&named("first", "A first one", None)));
    assert_eq!(harness.selected(), selected);
    harness.changed(Some(&named("first", "A first one", None)), None);
    assert_eq!((harness.selected(), line_of_selection(&harness)), (selected, line));
}

#[test]
fn a_click_selects_a_filtered_row() {
    let mut harness = typing("lod");
    let area = harness.state.layout().tree;
    harness.event(Event::Mouse(Mouse { kind: MouseKind::Click, column: area.x + 9, row: area.y + 2 }));
    assert_eq!(harness.selected(), "Łódzkie");
    harness.press("enter");
    assert_eq!(harness.selected(), "Łódzkie");
}

#[test]
fn everything_works_in_a_kept_filter() {
    let mut harness = at_work();
    harness.press("j /");
    harness.type_text("x-l");
    harness.press("enter");
    assert_eq!(harness.rows(), ["Hurtownie", "  Polska", "    Łódzkie", "      >Łódź"]);
    harness.press("k k j j");
    assert_eq!(harness.selected(), "Łódź", "row by row, those above the matches included");
    harness.press("h l l");
    assert_eq!(harness.selected(), "Łódź", "to the parent and back");
    harness.press("g g N");
    assert_eq!(harness.selected(), "Łódź", "around to the last match");
    harness.press("ctrl-a");
    assert_eq!(harness.state.tree.picks.marked.len(), 2);
    harness.press("s e");
    assert_eq!(harness.rows().len(), 4, "sorted, and still filtered");
    harness.press("g g a");
    harness.type_text("Nowy");
    harness.press("enter");
    assert_eq!(
        (harness.write_count(), harness.selected()),
        (1, "Nowy".into()),
        "it is shown although it does not match"
    );
    harness.press("r");
    harness.type_text("!");
    harness.press("enter");
    assert_eq!(harness.selected(), "Nowy!", "and stays in sight while it is selected");
    harness.press("z 2");
    assert!(harness.message().contains("clear the filter first"), "{}", harness.message());
    harness.press("z esc esc");
    assert_eq!(harness.selected(), "Nowy!", "the whole tree has gone to it");
}

#[test]
fn esc_clears_a_kept_filter_and_restores_the_view() {
    let mut harness = at_work();
    harness.press("j /");
    harness.type_text("lodz");
    harness.press("enter k k");
    harness.press("esc");
    assert_eq!(harness.selected(), "Export");
    assert_eq!(harness.rows().len(), at_work().rows().len());
    harness.press("n");
    assert_eq!(harness.selected(), "Łódzkie", "the matches are there still");
    harness.press("esc n");
    assert!(harness.message().contains("Press / to search"), "{}", harness.message());
}

#[test]
fn going_to_a_hidden_segment_clears_the_filter() {
    let mut harness = at_work();
    harness.press("b x /");
    harness.type_text("vip");
    harness.press("enter ' x");
    assert_eq!(harness.selected(), "Hurtownie");
    assert!(harness.state.tree.filter.is_none());
}

#[test]
fn earlier_filters_come_back_and_words_are_completed() {
    let mut harness = typing("vip");
    harness.press("enter esc esc /");
    harness.type_text("lodz");
    harness.press("enter esc esc /");
    harness.type_text("zg");
    let typed = |harness: &Harness| match harness.state.screen.layers.last() {
        Some(Layer::Find(prompt)) => prompt.text.text().to_owned(),
        _ => panic!("the prompt is open"),
    };
    harness.press("up");
    assert_eq!(typed(&harness), "lodz");
    harness.press("up up");
    assert_eq!((typed(&harness), harness.selected()), ("vip".into(), "VIP Client".into()));
    harness.press("down down");
    assert_eq!(typed(&harness), "zg");
    harness.press("ctrl-u");
    harness.type_text("is:o");
    harness.press("tab");
    assert_eq!((typed(&harness), harness.selected()), ("is:orphan".into(), "Orphan of nobody".into()));
    let view = harness.state.view();
    let mut next = Harness::with_segments(120, 40, wholesale());
    next.state.restore_view(view);
    next.press("/ up");
    assert_eq!(next.selected(), "Łódź", "also the next time");
}

/// Matches arrive in batches while the user goes on, and don't move a selection made in the meantime.
#[test]
fn a_long_search_does_not_move_a_later_selection() {
    let mut harness = at_work();
    harness.press("/");
    let parts = press_and_wait(&mut harness, "z");
    harness.press("enter G");
    let there = harness.selected();
    harness.events(parts);
    assert_eq!(harness.selected(), there);
    harness.press("n");
    assert_eq!(harness.selected(), "Łódzkie");
    assert_eq!(harness.state.tree.search.as_ref().map(|search| (search.current, search.matches)), Some((Some(1), 4)));
}

#[test]
fn enter_before_the_first_match_still_selects_the_best_match() {
    let mut harness = typing("lod");
    let parts = press_and_wait(&mut harness, "k");
    harness.press("backspace");
    drop(parts);
    let parts = press_and_wait(&mut harness, "z");
    harness.press("enter");
    assert_eq!(harness.selected(), "Hurtownie", "what an earlier text had found is not meant");
    harness.events(parts);
    assert_eq!(harness.selected(), "Łódź");
}

#[test]
fn former_matches_stay_visible_until_new_ones_arrive() {
    let mut harness = typing("lod");
    let rows = harness.rows();
    let parts = press_and_wait(&mut harness, "q");
    assert_eq!(harness.rows(), rows);
    harness.events(parts);
    assert_eq!(harness.rows(), [""; 0]);
}

#[test]
fn a_search_works_while_the_list_is_loading() {
    let mut harness = Harness::new(120, 40);
    harness.press("/");
    harness.type_text("lodz");
    for part in wholesale().chunks(2) {
        harness.sync_event(sync::Event::PageReceived(part.to_vec()));
    }
    assert_eq!(harness.rows(), ["Hurtownie", "  Polska", "    Łódzkie", "      >Łódź"]);
}

#[test]
fn matches_follow_changes() {
    let mut harness = typing("export");
    harness.press("enter");
    harness.changed(None, Some(&named("new", "Export 2", Some("vip"))));
    harness.press("n");
    assert_eq!(harness.selected(), "Export 2");
    harness.changed(Some(&named("export", "Export", Some("hurt"))), None);
    harness.press("n n");
    assert_eq!(harness.selected(), "Export 2", "the only one that is left");
}

fn numbered(at: u8, parent: Option<u8>) -> Arc<Segment> {
    named(
        &at.to_string(),
        &format!("{} {at}", ["red", "green", "blue"][usize::from(at % 3)]),
        parent.map(|parent| parent.to_string()).as_deref(),
    )
}

/// Returns the rows that a filter should show: the matches and their ancestors in the fully unfolded tree.
fn left_of(forest: &Forest, is_match: impl Fn(&Segment) -> bool) -> Vec<RowId> {
    let mut whole = forest.clone();
    whole.fold_to_level(None);
    let mut left = BTreeSet::new();
    for segment in whole.iter().filter(|segment| is_match(segment)) {
        let row = Some(RowId::Segment(segment.id.clone()));
        left.extend(std::iter::successors(row, |row| whole.parent_row(row)).filter_map(|row| whole.position(&row)));
    }
    left.into_iter().filter_map(|at| whole.row(at)).map(|row| row.id()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever is typed and whatever changes in the meantime, the matches and their ancestors are shown, and Esc restores
    /// folding, selection and scroll position as far as the rows still exist.
    #[test]
    fn a_filter_shows_what_it_should_and_leaves_no_trace(
        is_large in any::<bool>(),
        first in prop::collection::vec((0_u8..24, prop::option::of(0_u8..26)), 1..24),
        keys in prop::collection::vec(prop::sample::select(vec!["j", "l", "pagedown", "z 2", "z 0", "*"]), 0..6),
        text in "(re|gr|bl|red|!red|[0-9]|is:leaf|path:red|rd )",
        keeps in any::<bool>(),
        happenings in prop::collection::vec((0_u8..24, prop::option::of(0_u8..26), any::<bool>()), 0..8),
    ) {
        let segments: Vec<_> = first.iter().map(|(at, parent)| numbered(*at, *parent)).collect();
        let mut harness =
            if is_large { Harness::large(80, 20, segments) } else { Harness::with_segments(80, 20, segments) };
        for keys in &keys {
            harness.press(keys);
        }
        // The same changes also go to a client without a search.
        let mut other = Harness::with_segments(80, 20, harness.state.tree.forest.iter().cloned().collect());
        for keys in &keys {
            other.press(keys);
        }
        prop_assert_eq!(harness.rows(), other.rows());
        harness.press("/");
        harness.type_text(&text);
        if keeps {
            harness.press("enter");
        }
        for (at, parent, gone) in happenings {
            let before = harness.state.tree.forest.get(&numbered(at, None).id).cloned();
            let now = Some(numbered(at, parent)).filter(|_| !gone);
            if before.is_some() || now.is_some() {
                harness.changed(before.as_ref(), now.as_ref());
                other.changed(before.as_ref(), now.as_ref());
            }
            if harness.state.tree.filter.is_none() {
                // The filter was cleared because nothing matched when it was to be kept.
                continue;
            }
            let forest = &harness.state.tree.forest;
            let shown: Vec<RowId> =
                harness.state.shown_rows(0..harness.state.shown_row_count()).iter().map(crate::forest::Row::id).collect();
            prop_assert_eq!(shown, left_of(forest, |segment| forest.is_match(SearchKind::Tree, &segment.id)));
            let plain = |segment: &Segment| match text.trim() {
                "is:leaf" => Some(forest.child_count(&segment.id) == 0),
                "!red" => Some(!segment.name.contains("red")),
                "path:red" => Some(forest.path(&segment.id).iter().any(|above| above.name.contains("red"))),
                "red" => Some(segment.name.contains("red")),
                _ => None,
            };
            for segment in forest.iter() {
                if let Some(expected) = plain(segment) {
                    prop_assert_eq!(forest.is_match(SearchKind::Tree, &segment.id), expected);
                }
            }
            let selected = harness.state.tree.view.selected.as_ref().and_then(|row| harness.state.shown_position(row));
            prop_assert_eq!(selected.is_some(), harness.state.shown_row_count() > 0);
            if let Some(row) = selected {
                let rows = harness.state.shown_rows(row..row + 1);
                let is_match = matches!(rows[0].kind, RowKind::Segment(segment) if forest.is_match(SearchKind::Tree, &segment.id));
                prop_assert!(is_match, "a match is selected");
            }
        }
        // The first Esc may only dismiss a message.
        harness.press(if keeps { "esc esc" } else { "esc" });
        prop_assert_eq!(harness.rows(), other.rows());
        prop_assert_eq!(harness.state.tree.view.offset, other.state.tree.view.offset);
        prop_assert_eq!(&harness.state.tree.view.selected, &other.state.tree.view.selected);
    }
}

#[test]
fn a_later_match_does_not_take_the_selection_after_a_key() {
    let mut harness = at_work();
    let mut parts: Vec<Event> = Vec::new();
    for key in ["/", "l", "o", "d"] {
        if key == "/" {
            harness.press(key);
        } else {
            parts = press_and_wait(&mut harness, key);
        }
    }
    let last = parts.pop().unwrap();
    for part in parts {
        harness.event(part);
    }
    harness.press("enter r");
    let renaming = harness.state.tree.view.selected.clone();
    harness.event(last);
    assert_eq!(harness.state.tree.view.selected, renaming);
}
