//! How much has to be done before something is sent.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, segment, wholesale};
use crate::app::{Layer, Review};
use crate::changes::Operation;
use crate::changes::TypedPhrase;
use crate::changes::WriteError;
use crate::segment::{Field, Pattern, Segment};

fn protected() -> Harness {
    let mut harness = Harness::live(120, 40, wholesale());
    harness.state.session.protected = true;
    harness
}

/// "Export" and "Polska" are the ERP's.
fn owned() -> Harness {
    let mut harness = Harness::live(120, 40, wholesale());
    harness.state.session.owned = vec![Pattern::new("export").unwrap(), Pattern::new("pl").unwrap()];
    harness
}

/// A root, and below it as many leaves.
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
fn in_a_protected_profile_each_single_write_takes_the_tenant_and_goes_out_once() {
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
fn leaving_the_look_at_a_single_change_gives_the_input_back() {
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
fn what_is_decided_after_a_conflict_in_a_protected_profile_takes_the_tenant() {
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
fn what_is_decided_is_not_sent_when_it_was_settled_during_the_look() {
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
fn what_is_left_to_the_server_counts_as_what_may_go() {
    let mut harness = Harness::live(120, 40, yard(60));
    harness.press("g g j d o");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, Some("acme")));
    assert!(review(&harness).warnings.iter().any(|text| text.starts_with("60 descendants are left")));
    answer(&mut harness, "acme");
    assert_eq!(harness.write_count(), 1);

    let mut harness = Harness::live(120, 40, yard(10));
    harness.press("g g j d o");
    assert_eq!(harness.write_count(), 1, "a few go with one key: {:?}", harness.state.screen.layers);
}

#[test]
fn many_moves_take_the_tenant_and_a_few_a_key() {
    for (count, wanted) in [(50, None), (51, Some("acme"))] {
        let mut harness = Harness::live(120, 100, yard(count));
        let ids = (0..count).map(|number| id(&format!("leaf-{number:03}")));
        harness.state.tree.picks.marked = ids.collect();
        harness.press("m");
        answer(&mut harness, "hall");
        assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, wanted));
        assert_eq!(review(&harness).counts().moved, count);
    }
}

#[test]
fn taking_one_out_asks_for_what_is_left() {
    let mut harness = Harness::live(120, 100, yard(51));
    harness.state.tree.picks.marked = (0..51).map(|number| id(&format!("leaf-{number:03}"))).collect();
    harness.press("m");
    answer(&mut harness, "hall");
    harness.press("esc d");
    assert_eq!(word(&harness), None);
    harness.press("y");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn a_protected_profile_does_not_spare_one_the_name_of_what_another_system_owns() {
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
fn of_several_that_another_system_owns_their_number_is_to_be_typed() {
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
fn what_another_system_owns_is_asked_about_wherever_it_is_concerned() {
    // Left to the server below what is deleted.
    let mut harness = owned();
    harness.press("g g d o");
    assert_eq!(word(&harness).as_deref(), Some("2"));

    // Taken back.
    let mut harness = owned();
    harness.press("j r");
    answer(&mut harness, "!");
    answer(&mut harness, "Export");
    harness.succeed();
    harness.press("u");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (1, Some("Export!")));

    // Made so by the change itself.
    let mut harness = owned();
    harness.press("f");
    answer(&mut harness, "vip");
    harness.press("e tab ctrl-u");
    answer(&mut harness, "export");
    assert!(matches!(review(&harness).confirmation.next(), Some(TypedPhrase::Name { .. })));

    // What the platform has put there, whatever is configured.
    let mut harness = Harness::live(120, 40, vec![named("segment", "Platform", None)]);
    harness.press("r");
    answer(&mut harness, "!");
    assert_eq!(word(&harness).as_deref(), Some("Platform"));
}

#[test]
fn what_has_no_name_is_told_by_its_id() {
    let mut harness = Harness::live(120, 40, vec![named("export", " ", None)]);
    harness.state.session.owned = vec![Pattern::new("export").unwrap()];
    harness.press("d enter");
    assert_eq!(word(&harness).as_deref(), Some("export"));
    harness.press("enter");
    assert_eq!(harness.write_count(), 0);
}

#[test]
fn a_way_through_the_history_that_deletes_several_is_looked_at() {
    let mut harness = Harness::live(120, 40, wholesale());
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
fn what_was_gathered_is_looked_at_when_it_is_sent_from_the_queue_too() {
    let mut harness = protected();
    harness.press("S j r");
    answer(&mut harness, "!");
    harness.press("Q r");
    assert_eq!((harness.write_count(), word(&harness).as_deref()), (0, Some("acme")));
    answer(&mut harness, "acme");
    assert_eq!(harness.write_count(), 1);
}
