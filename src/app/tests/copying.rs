//! What is copied to the clipboard, and the messages about it.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, segment, wholesale};
use crate::app::{Access, Effect};
use crate::segment::Segment;

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

/// Presses keys and returns the text that they copied.
fn copied(harness: &mut Harness, keys: &str) -> String {
    harness.press(keys);
    match harness.effects.pop() {
        Some(Effect::Copy(text)) => text,
        other => panic!("nothing was copied but {other:?}: {}", harness.message()),
    }
}

#[test]
fn every_field_and_format_of_a_segment_can_be_copied() {
    let mut harness = at_work();
    harness.press("z 0 j j");
    assert_eq!(harness.selected(), "Polska");
    assert_eq!(copied(&mut harness, "y i"), "pl");
    assert_eq!(harness.message(), "Copied the ID of Polska");
    assert_eq!(copied(&mut harness, "y n"), "Polska");
    assert_eq!(copied(&mut harness, "y e"), "X-pl");
    assert_eq!(copied(&mut harness, "y p"), "Hurtownie › Polska");
    assert_eq!(harness.message(), "Copied the path of Polska");
    assert_eq!(
        copied(&mut harness, "y j"),
        r#"{"id":"pl","name":"Polska","externalId":"X-pl","parentSegmentId":"hurt"}"#
    );
    assert_eq!(
        copied(&mut harness, "y t"),
        "Polska  X-pl  pl\n  Łódzkie  X-lodzkie  lodzkie\n    Łódź  X-lodz  lodz\n    Zgierz  X-zgierz  zgierz\n  \
         Mazowieckie  X-maz  maz"
    );
    assert_eq!(
        copied(&mut harness, "y c"),
        "curl 'https://one.unity.pl/api/v1/account/integrations/auth-required/segments/pl' -H 'one-tenant: acme' \
         -H \"ApiAuth: $SEGTUI_API_KEY\" -H 'accept: */*'"
    );
    assert_eq!(harness.message(), "Copied the curl command of Polska");
}

#[test]
fn copying_works_in_a_read_only_profile() {
    let mut harness = at_work();
    harness.state.session.access = Access::ReadOnly;
    assert_eq!(copied(&mut harness, "y i"), "hurt");
}

#[test]
fn marked_segments_are_copied_in_tree_order() {
    let mut harness = at_work();
    harness.press("z 0 G k k k space g g space");
    assert_eq!(copied(&mut harness, "y n"), "Hurtownie\nVIP Client");
    assert_eq!(harness.message(), "Copied 2 names");
    assert_eq!(
        copied(&mut harness, "y j"),
        "[\n  {\"id\":\"hurt\",\"name\":\"Hurtownie\",\"externalId\":\"X-hurt\",\"parentSegmentId\":null},\n  \
         {\"id\":\"vip\",\"name\":\"VIP Client\",\"externalId\":\"X-vip\",\"parentSegmentId\":null}\n]"
    );
    assert_eq!(harness.message(), "Copied 2 segments as JSON");
    assert_eq!(copied(&mut harness, "y c").lines().count(), 2);
}

#[test]
fn a_marked_descendant_is_copied_once_in_its_subtree() {
    let mut harness = at_work();
    harness.press("z 0 g g space j space");
    let text = copied(&mut harness, "y t");
    assert_eq!(text.matches("Łódzkie").count(), 1, "{text}");
    assert!(text.starts_with("Hurtownie  X-hurt  hurt\n  Export"), "{text}");
    assert_eq!(harness.message(), "Copied 1 subtree");
}

fn without_external_id(id: &str) -> Arc<Segment> {
    Arc::new(Segment { external_id: None, ..segment(id, None).as_ref().clone() })
}

#[test]
fn a_missing_external_id_is_reported() {
    let mut harness = Harness::with_segments(120, 40, vec![without_external_id("a"), segment("b", None)]);
    harness.press("y e");
    assert_eq!((harness.message(), harness.effects.len()), ("a has no external ID", 0));
    harness.press("esc space space");
    assert_eq!(copied(&mut harness, "y e"), "X-b");
    assert_eq!(harness.message(), "Copied 1 external ID; 1 without one");
}

#[test]
fn a_long_copy_shows_its_size_and_a_huge_one_is_refused() {
    let mut chain = vec![segment("deep 0", None)];
    chain.extend((1..100).map(|at| segment(&format!("deep {at}"), Some(&format!("deep {}", at - 1)))));
    let mut harness = Harness::with_segments(120, 40, chain);
    copied(&mut harness, "y t");
    assert!(harness.message().ends_with(" · 13 KB"), "{}", harness.message());

    let wide = (0..100).map(|at| named(&at.to_string(), &"x".repeat(1000), None)).collect();
    let mut harness = Harness::with_segments(120, 40, wide);
    harness.press("V G");
    for keys in ["y n", "y j", "y t"] {
        harness.press(keys);
        assert_eq!(harness.effects, []);
        assert!(harness.message().contains("(74 KB limit)"), "{}", harness.message());
    }
    assert_eq!(copied(&mut harness, "y i").lines().count(), 100);
}

#[test]
fn the_id_and_curl_command_of_a_missing_parent_can_be_copied() {
    let mut harness = at_work();
    harness.press("G k");
    assert_eq!(copied(&mut harness, "y i"), "no-such-parent");
    assert!(copied(&mut harness, "y c").contains("/segments/no-such-parent'"));
    harness.press("y n");
    assert!(harness.message().contains("“no-such-parent” doesn't exist on the server"), "{}", harness.message());
    harness.press("k y i");
    assert_eq!(harness.message(), "This is a heading. Select a segment");
    assert_eq!(harness.effects, []);
}

#[test]
fn a_segment_being_created_has_a_name_but_no_id() {
    let mut harness = at_work();
    harness.press("a");
    harness.type_text("Niemcy");
    harness.press("enter");
    harness.effects.clear();
    while harness.selected() != "Niemcy" {
        harness.press("j");
    }
    assert_eq!(copied(&mut harness, "y n"), "Niemcy");
    assert_eq!(copied(&mut harness, "y t"), "Niemcy  –  not created yet");
    for keys in ["y i", "y j", "y c"] {
        harness.press(keys);
        assert!(harness.message().starts_with("Niemcy is still being created"), "{}", harness.message());
    }
    assert_eq!(harness.effects, []);
}

#[test]
fn copied_names_and_ids_are_escaped() {
    let evil = named("x'; rm -rf ~ #", "one\n  two", None);
    let mut harness = Harness::with_segments(120, 40, vec![evil]);
    assert_eq!(copied(&mut harness, "y t"), "one   two  X-x'; rm -rf ~ #  x'; rm -");
    assert!(copied(&mut harness, "y c").contains("/segments/x%27%3B%20rm%20-rf%20%7E%20%23' -H"));
    let mut harness = Harness::with_segments(120, 40, vec![named("..", "dots", None)]);
    assert!(harness.state.tree.forest.contains(&id("..")));
    harness.press("y c");
    assert_eq!(harness.message(), "The ID .. can't be part of a URL");
}
