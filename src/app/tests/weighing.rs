//! How much confirmation a change needs before it is sent.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, segment, wholesale};
use crate::app::{Layer, Review};
use crate::changes::Operation;
use crate::changes::TypedPhrase;
use crate::changes::WriteError;
use crate::segment::{Field, Pattern, Segment};

fn protected() -> Harness {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.state.session.protected = true;
    harness
}

/// "Export" and "Polska" are managed by another system.
fn owned() -> Harness {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.state.session.owned = vec![Pattern::new("export").unwrap(), Pattern::new("pl").unwrap()];
    harness
}

/// Two roots, one of them with this many leaves.
fn yard(leaves: usize) -> Vec<Arc<Segment>> {
    let leaf = |number| segment(&format!("leaf-{number:03}"), Some("yard"));
    [segment("hall", None), segment("yard", None)].into_iter().chain((0..leaves).map(leaf)).collect()
}

fn review(harness: &Harness) -> &Review {
    match harness.state.screen.layers.last() {
        Some(Layer::Review(review)) => review,
        other => panic!("a look was expected: {other:?}"),
    }
}

fn word(harness: &Harness) -> Option<String> {
    review(harness).confirmation.next().map(TypedPhrase::text)
}

fn answer(harness: &mut Harness, word: &str) {
    harness.type_text(word);
    harness.press("enter");
}

#[test]
fn in_a_protected_profile_each_write_takes_the_tenant() {
    let begin: [fn(&mut Harness); 4] = [
        |harness| {
            harness.press("j r");
            answer(harness, "!");
        },
        |harness| {
            harness.press("j a");
            answer(harness, "Nowy");
        },
        |harness| {
            harness.press("j e");
            answer(harness, "!");
        },
        |harness| {
            harness.press("j m");
            answer(harness, "vip");
        },
    ];
    for begin in begin {
        let mut harness = protected();
        begin(&mut harness);
        assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, Some("acme")));
        answer(&mut harness, "acme");
        assert_eq!((harness.write_count(), harness.state.screen.layers.len()), (1, 0));
    }
}

#[test]
fn cancelling_a_review_reopens_the_form_with_its_input() {
    let mut harness = protected();
    harness.press("j e");
    answer(&mut harness, "!");
    harness.press("esc");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Form(form)) if form.name.text() == "Export!"));
    assert_eq!((harness.write_count(), harness.rows()[1].as_str()), (0, "  >Export"));
}

#[test]
fn an_undo_in_a_protected_profile_takes_the_tenant() {
    let mut harness = protected();
    harness.press("j space space m");
    answer(&mut harness, "vip");
    answer(&mut harness, "acme");
    harness.succeed();
    harness.press("u");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (1, Some("acme")));
    answer(&mut harness, "acme");
    assert_eq!(harness.write_count(), 2);
}

#[test]
fn resolving_a_conflict_takes_the_tenant_if_protected() {
    let mut harness = protected();
    harness.press("j d enter");
    answer(&mut harness, "acme");
    let theirs = named("export", "Theirs", Some("hurt"));
    harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name] });
    harness.press("!");
    harness.press("D");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (1, Some("acme")));
    harness.press("esc");
    assert!(harness.message().contains("Press ! to come back to it"), "{}", harness.message());
    harness.press("Q enter D");
    answer(&mut harness, "acme");
    let Operation::Delete { base, .. } = &harness.last_write().1.operations[0] else { panic!("a delete") };
    assert_eq!((harness.write_count(), base.name.as_str()), (2, "Theirs"));
}

#[test]
fn a_conflict_settled_during_the_review_is_not_sent() {
    let mut harness = protected();
    harness.press("j d enter");
    answer(&mut harness, "acme");
    let theirs = named("export", "Theirs", Some("hurt"));
    harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name] });
    harness.press("!");
    harness.press("D");
    let op = review(&harness).operations(&harness.state, 0..1)[0].0;
    drop(harness.state.changes.queue.discard(op));
    answer(&mut harness, "acme");
    assert_eq!((harness.write_count(), harness.message()), (1, "Already resolved"));
}

#[test]
fn descendants_left_to_the_server_count_towards_the_limit() {
    let mut harness = Harness::with_segments(120, 40, yard(60));
    harness.press("g g j d o");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, Some("acme")));
    assert!(review(&harness).warnings.iter().any(|text| text.starts_with("60 descendants are left")));
    answer(&mut harness, "acme");
    assert_eq!(harness.write_count(), 1);

    let mut harness = Harness::with_segments(120, 40, yard(10));
    harness.press("g g j d o");
    assert_eq!(harness.write_count(), 1, "a few go with one key: {:?}", harness.state.screen.layers);
}

#[test]
fn many_moves_take_the_tenant_and_a_few_one_key() {
    for (count, wanted) in [(50, None), (51, Some("acme"))] {
        let mut harness = Harness::with_segments(120, 100, yard(count));
        let ids = (0..count).map(|number| id(&format!("leaf-{number:03}")));
        harness.state.tree.picks.marked = ids.collect();
        harness.press("m");
        answer(&mut harness, "hall");
        assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, wanted));
        assert_eq!(review(&harness).counts().moved, count);
    }
}

#[test]
fn excluding_a_change_updates_the_confirmation_phrase() {
    let mut harness = Harness::with_segments(120, 100, yard(51));
    harness.state.tree.picks.marked = (0..51).map(|number| id(&format!("leaf-{number:03}"))).collect();
    harness.press("m");
    answer(&mut harness, "hall");
    harness.press("esc d");
    assert_eq!(word(&harness), None);
    harness.press("y");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn a_managed_segment_takes_its_name_besides_the_tenant() {
    let mut harness = owned();
    harness.state.session.protected = true;
    harness.press("j d enter");
    answer(&mut harness, "acme");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, Some("Export")));
    assert_eq!(review(&harness).confirmation.progress(), Some((2, 2)));
    answer(&mut harness, "acme");
    assert_eq!(harness.write_count(), 0, "the same word again is not enough");
    harness.press("ctrl-u");
    answer(&mut harness, "Export");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn several_managed_segments_take_their_number() {
    let mut harness = owned();
    harness.press("j space space m");
    answer(&mut harness, "vip");
    assert!(matches!(review(&harness).confirmation.next(), Some(TypedPhrase::Count(2))));
    answer(&mut harness, "1");
    assert_eq!(harness.write_count(), 0);
    harness.press("ctrl-u");
    answer(&mut harness, "2");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn managed_segments_take_a_phrase_however_they_are_affected() {
    // Left to the server below a deleted segment.
    let mut harness = owned();
    harness.press("g g d o");
    assert_eq!(word(&harness).as_deref(), Some("2"));

    // Affected by an undo.
    let mut harness = owned();
    harness.press("j r");
    answer(&mut harness, "!");
    answer(&mut harness, "Export");
    harness.succeed();
    harness.press("u");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (1, Some("Export!")));

    // Managed only because of the change itself.
    let mut harness = owned();
    harness.press("f");
    answer(&mut harness, "vip");
    harness.press("e tab ctrl-u");
    answer(&mut harness, "export");
    assert!(matches!(review(&harness).confirmation.next(), Some(TypedPhrase::Name { .. })));

    // Managed by the platform, whatever is configured.
    let mut harness = Harness::with_segments(120, 40, vec![named("segment", "Platform", None)]);
    harness.press("r");
    answer(&mut harness, "!");
    assert_eq!(word(&harness).as_deref(), Some("Platform"));
}

#[test]
fn a_managed_segment_without_a_name_takes_its_id() {
    let mut harness = Harness::with_segments(120, 40, vec![named("export", " ", None)]);
    harness.state.session.owned = vec![Pattern::new("export").unwrap()];
    harness.press("d enter");
    assert_eq!(word(&harness).as_deref(), Some("export"));
    harness.press("enter");
    assert_eq!(harness.write_count(), 0);
}

#[test]
fn a_redo_that_deletes_several_is_reviewed() {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.press("j j d s");
    harness.succeed();
    harness.press("u");
    harness.succeed_with(|index| format!("again-{index}"));
    harness.press("U");
    assert_eq!((harness.write_count(), review(&harness).counts().deleted), (2, 5));
    harness.press("y");
    assert_eq!(harness.write_count(), 3);
}

#[test]
fn staged_changes_sent_from_the_queue_are_reviewed_too() {
    let mut harness = protected();
    harness.press("S j r");
    answer(&mut harness, "!");
    harness.press("Q r");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, Some("acme")));
    answer(&mut harness, "acme");
    assert_eq!(harness.write_count(), 1);
}
