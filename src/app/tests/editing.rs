//! Creating, editing, renaming, moving and deleting, and what happens with rejected changes.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, segment, wholesale, written};
use crate::app::{Access, ConflictKind, Effect, Event, KeptSide, Layer};
use crate::changes::Operation;
use crate::changes::{ExecutionResult, OpId, WriteError, WriteResult};
use crate::changes::{PendingKind, TypedPhrase};
use crate::segment::{Draft, Field, Segment, Step};
use crate::sync::{self};

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

fn draft(harness: &Harness) -> Draft {
    match harness.last_write().1.operations.first().unwrap() {
        Operation::Create { draft } | Operation::Update { draft, .. } => draft.clone(),
        Operation::Delete { .. } => unreachable!("a draft was expected"),
    }
}

fn pending(harness: &Harness, text: &str) -> Option<PendingKind> {
    harness.state.changes.queue.pending(&id(text))
}

#[test]
fn a_new_child_is_shown_at_once_and_stays_selected() {
    let mut harness = at_work();
    harness.press("j a");
    harness.type_text("Niemcy");
    harness.press("tab");
    harness.type_text("DE");
    harness.press("enter");
    assert_eq!(draft(&harness).parent, Some(id("export")));
    assert_eq!(draft(&harness).name.as_str(), "Niemcy");
    assert_eq!(harness.rows()[..3], ["Hurtownie", "  Export", "    >Niemcy"]);
    let shown = harness.state.selected_segment().unwrap().id.clone();
    assert_eq!(harness.state.changes.queue.pending(&shown), Some(PendingKind::Creating));
    harness.succeed();
    assert!(harness.state.selected_segment().unwrap().id.text().starts_with("server-"));
    assert_eq!(harness.state.changes.counts().unfinished(), 0);
    assert_eq!(harness.message(), "Created Niemcy");
}

#[test]
fn a_sibling_stands_under_the_same_parent() {
    let mut harness = at_work();
    harness.press("j A");
    harness.type_text("Detal");
    harness.press("enter");
    assert_eq!(draft(&harness).parent, Some(id("hurt")));
    harness.succeed();
    harness.press("g g A");
    harness.type_text("Top");
    harness.press("enter");
    assert_eq!(draft(&harness).parent, None);
}

#[test]
fn a_blank_name_is_reported_at_the_field_and_not_sent() {
    let mut harness = at_work();
    harness.press("a");
    harness.type_text("   ");
    harness.press("enter");
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("the form stays open") };
    assert!(form.faults.contains_key(&Field::Name));
    assert_eq!(harness.write_count(), 0);
}

#[test]
fn a_rejected_create_reopens_with_its_input_and_the_reason() {
    let mut harness = at_work();
    harness.press("a");
    harness.type_text("Dup");
    harness.press("enter");
    let rows = harness.rows().len();
    harness.refuse("a segment of that name exists");
    harness.press("!");
    assert_eq!(harness.rows().len(), rows - 1, "the overlay is gone");
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("the form opens again") };
    assert_eq!(form.name.text(), "Dup");
    assert!(form.refusal.as_ref().unwrap().contains("a segment of that name exists"));
    harness.press("2 enter");
    assert_eq!(draft(&harness).name.as_str(), "Dup2");
    harness.succeed();
    assert_eq!(harness.selected(), "Dup2");
}

#[test]
fn a_rejection_waits_behind_a_key_while_the_user_goes_on() {
    let mut harness = at_work();
    harness.press("a");
    harness.type_text("Dup");
    harness.press("enter j");
    harness.refuse("no");
    assert!(harness.state.screen.layers.is_empty(), "it must not take the next keys");
    assert!(harness.message().contains('!'), "{}", harness.message());
    harness.press("!");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Form(form)) if form.name.text() == "Dup"));
}

#[test]
fn the_edit_form_is_filled_in_and_saves_only_changed_fields() {
    let mut harness = at_work();
    harness.press("j e enter");
    assert_eq!((harness.write_count(), harness.message()), (0, "No changes"));
    harness.press("e tab ctrl-u");
    harness.type_text("EXP");
    harness.press("enter");
    let (_, plan) = harness.last_write();
    let Operation::Update { base, draft } = &plan.operations[0] else { panic!("an update") };
    assert_eq!(draft.changes(base), [Field::ExternalId]);
    assert_eq!(pending(&harness, "export"), Some(PendingKind::Changing));
    harness.succeed();
    assert_eq!(harness.state.selected_segment().unwrap().external_id.as_deref(), Some("EXP"));
    let entries: Vec<_> =
        harness.state.side.activity.entries().map(|entry| (entry.text.as_str(), entry.fields.len())).collect();
    assert_eq!(entries, [("updated Export", 1)], "told once, with what changed");
}

#[test]
fn a_row_is_renamed_in_place() {
    let mut harness = at_work();
    harness.press("j r ctrl-u");
    harness.type_text("Eksport");
    assert_eq!(harness.write_count(), 0);
    harness.press("enter");
    assert_eq!(harness.rows()[1], "  >Eksport", "shown before the server answers");
    harness.refuse("names are frozen");
    harness.press("!");
    assert_eq!(harness.rows()[1], "  >Export");
    let Some(Layer::Renaming(renaming)) = harness.state.screen.layers.last() else { panic!("the input opens again") };
    assert_eq!(renaming.name.text(), "Eksport");
    assert!(renaming.fault.as_ref().unwrap().contains("names are frozen"));
    harness.press("esc");
    assert!(harness.state.screen.layers.is_empty());
}

#[test]
fn a_parent_is_picked_by_typing_part_of_its_name() {
    let mut harness = at_work();
    harness.press("j m");
    harness.type_text("vip");
    harness.press("enter");
    assert_eq!(draft(&harness).parent, Some(id("vip")));
    assert_eq!(harness.rows()[2..4], ["VIP Client", "  >Export"]);
}

#[test]
fn a_move_into_its_own_subtree_is_refused_before_sending() {
    let mut harness = at_work();
    harness.press("j j m");
    harness.type_text("zgierz");
    harness.press("enter");
    assert!(harness.message().contains("own subtree"), "{}", harness.message());
    assert_eq!(harness.write_count(), 0);
    harness.press("esc x * G g g j j l");
    assert_eq!(harness.selected(), "Łódzkie");
    harness.press("p");
    assert!(harness.message().contains("own subtree"), "{}", harness.message());
    assert_eq!(harness.write_count(), 0);
}

#[test]
fn cut_and_paste_moves_the_marked_segments() {
    let mut harness = at_work();
    harness.press("* g g /");
    harness.type_text("x-l");
    harness.press("enter enter esc space space x");
    assert_eq!(harness.state.tree.picks.cut.len(), 2);
    harness.press("g g p");
    assert_eq!(harness.write_count(), 0, "several are looked at first");
    harness.press("y");
    let (_, plan) = harness.last_write();
    let moved: Vec<String> = plan.operations.iter().map(|op| op.subject().unwrap().to_string()).collect();
    assert_eq!(moved, ["lodz", "zgierz"]);
    assert!(harness.state.tree.picks.cut.is_empty());
}

#[test]
fn deleting_a_leaf_asks_once_and_a_subtree_asks_how() {
    let mut harness = at_work();
    harness.press("j d");
    assert_eq!(harness.write_count(), 0);
    harness.press("enter");
    assert_eq!(pending(&harness, "export"), Some(PendingKind::Deleting));
    harness.succeed();
    assert_eq!(harness.rows()[1], "  >Polska", "the selection goes to the neighbour");

    harness.press("d enter");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Deletion(_))), "enter alone deletes no subtree");
    harness.press("s");
    let (_, plan) = harness.last_write();
    let gone: Vec<String> = plan.operations.iter().map(|op| op.subject().unwrap().to_string()).collect();
    assert_eq!(gone, ["maz", "zgierz", "lodz", "lodzkie", "pl"]);
    harness.succeed();
    assert_eq!(harness.selected(), "Hurtownie");
}

#[test]
fn children_can_move_up_before_their_parent_is_deleted() {
    let mut harness = at_work();
    harness.press("j j d p");
    let (_, plan) = harness.last_write();
    assert_eq!(plan.operations.len(), 3);
    harness.succeed();
    assert_eq!(harness.rows()[..4], ["Hurtownie", "  Export", "  Łódzkie", "  >Mazowieckie"]);
}

#[test]
fn a_subtree_that_grows_during_the_dialog_asks_again() {
    let mut harness = at_work();
    harness.press("j j d");
    harness.changed(None, Some(&segment("new", Some("pl"))));
    harness.press("s");
    assert_eq!(harness.write_count(), 0);
    let Some(Layer::Deletion(deletion)) = harness.state.screen.layers.last() else { panic!("asks again") };
    assert_eq!(deletion.descendants, 5);
}

#[test]
fn a_change_elsewhere_is_shown_at_the_field_of_an_open_form() {
    let mut harness = at_work();
    harness.press("j e");
    harness.type_text("!");
    let theirs = named("export", "Eksport", Some("hurt"));
    harness.changed(Some(&named("export", "Export", Some("hurt"))), Some(&theirs));
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("the form stays open") };
    assert_eq!(form.name.text(), "Export!");
    assert!(form.faults[&Field::Name].contains("Eksport"));
}

#[test]
fn a_conflict_is_resolved_field_by_field() {
    let mut harness = at_work();
    harness.press("j e");
    harness.type_text("!");
    harness.press("enter");
    let theirs = Arc::new(Segment {
        external_id: Some("EXP".into()),
        ..Segment::clone(&named("export", "Eksport", Some("hurt")))
    });
    harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name] });
    harness.press("!");
    let Some(Layer::Conflict(conflict)) = harness.state.screen.layers.last() else { panic!("a dialog opens") };
    let ConflictKind::Changes { choices, .. } = &conflict.kind else { panic!("both changed it") };
    assert_eq!((choices, conflict.row), (&[KeptSide::Mine, KeptSide::Theirs, KeptSide::Theirs], 0));
    assert_eq!(harness.rows()[1], "  >Eksport", "the tree shows what is on the server");
    harness.press("enter");
    let (_, plan) = harness.last_write();
    let Operation::Update { base, draft } = &plan.operations[0] else { panic!("an update") };
    assert_eq!((base.name.as_str(), draft.name.as_str()), ("Eksport", "Export!"));
    assert_eq!(draft.changes(base), [Field::Name]);
}

#[test]
fn a_rejected_write_reveals_the_change_made_elsewhere() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    let theirs = named("export", "Theirs", Some("hurt"));
    harness.changed(Some(&named("export", "Export", Some("hurt"))), Some(&theirs));
    assert_eq!(harness.rows()[1], "  >Export!", "the own write stays on top");
    harness.refuse("no");
    assert!(harness.rows().contains(&"  >Theirs".to_owned()), "{:?}", harness.rows());
}

#[test]
fn a_read_only_profile_refuses_every_edit_and_says_why() {
    let mut harness = at_work();
    harness.state.session.access = Access::ReadOnly;
    for keys in ["a", "A", "e", "r", "m", "x", "d"] {
        harness.press(keys);
        assert!(harness.message().starts_with("Read-only: "), "{keys}: {}", harness.message());
        assert!(harness.state.screen.layers.is_empty());
    }
    assert!(harness.effects.is_empty());
}

#[test]
fn rows_that_cannot_be_edited_say_why() {
    let mut harness = at_work();
    harness.press("G k e");
    assert!(harness.message().contains("“no-such-parent” doesn't exist"), "{}", harness.message());
    harness.press("k r");
    assert!(harness.message().contains("heading"), "{}", harness.message());
}

#[test]
fn quitting_with_a_write_in_flight_asks_first() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter q");
    assert!(!harness.effects.contains(&Effect::Quit));
    harness.press("esc");
    assert!(harness.state.screen.layers.is_empty());
    harness.press("q q");
    assert!(harness.effects.contains(&Effect::Quit));
}

#[test]
fn undelivered_commands_are_sent_again_later() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    let orders: Vec<Effect> = std::mem::take(&mut harness.effects);
    for order in &orders {
        let Effect::Sync(command) = order.clone() else { panic!("orders only: {order:?}") };
        harness.event(Event::Undelivered(command));
    }
    assert_eq!((harness.state.changes.counts().in_flight, harness.effects.len()), (0, 0), "not at once");
    assert_eq!(harness.rows()[1], "  >Export!");
    harness.sync_event(sync::Event::Synchronised { next: Step(2), complete: true, incomplete_reason: None });
    assert_eq!(harness.effects, orders);
}

#[test]
fn the_forms_parent_is_picked_by_typing_and_cleared_by_ctrl_u() {
    let mut harness = at_work();
    harness.press("j a");
    harness.type_text("Nowy");
    harness.press("tab tab");
    harness.type_text("vip");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Parents(_))));
    harness.press("enter");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Form(form)) if form.parent == Some(id("vip"))));
    harness.press("enter");
    assert_eq!(draft(&harness).parent, Some(id("vip")));
    harness.succeed();
    harness.press("e tab tab ctrl-u enter");
    assert_eq!(draft(&harness).parent, None);
}

#[test]
fn a_paste_of_several_lines_becomes_one_line() {
    let mut harness = at_work();
    harness.press("a");
    harness.event(Event::Paste("Nowy\noddział\t2\n".into()));
    harness.press("enter");
    assert_eq!(draft(&harness).name.as_str(), "Nowy oddział 2");
}

#[test]
fn a_child_of_a_new_segment_follows_it_to_its_real_id() {
    let mut harness = at_work();
    harness.press("j a");
    harness.type_text("Nowy");
    harness.press("enter");
    let (first, _) = harness.last_write();
    harness.press("d");
    assert!(harness.message().contains("still being created"), "{}", harness.message());
    harness.press("a");
    harness.type_text("Below");
    harness.press("enter");
    let provisional = OpId { plan_id: first, index: 0 }.provisional_id();
    assert_eq!(draft(&harness).parent, Some(provisional.clone()));
    assert_eq!(harness.rows()[1..4], ["  Export", "    Nowy", "      >Below"]);
    let made = Segment { id: id("real"), ..(*harness.state.tree.forest.get(&provisional).unwrap()).as_ref().clone() };
    let result = WriteResult::Created(written(made));
    harness.executed(OpId { plan_id: first, index: 0 }, ExecutionResult::Done(result));
    assert_eq!(harness.rows()[1..4], ["  Export", "    Nowy", "      >Below"], "the tree stays as it was");
    let below = harness.state.selected_segment().unwrap();
    assert_eq!(below.parent, Some(id("real")));
    harness.press("g g d");
    assert!(harness.message().contains("A descendant of Hurtownie is still being saved"), "{}", harness.message());
}

#[test]
fn a_protected_profile_takes_the_tenant() {
    let mut harness = at_work();
    harness.state.session.protected = true;
    let tenant = harness.state.session.tenant.clone();
    harness.press("j d enter");
    assert_eq!(harness.write_count(), 0);
    harness.type_text("dwrong");
    harness.press("enter");
    assert_eq!(harness.write_count(), 0);
    harness.press("ctrl-u");
    harness.type_text(&tenant);
    harness.press("enter");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn a_managed_segment_takes_its_name() {
    let mut harness = at_work();
    harness.state.session.owned = vec![crate::segment::Pattern::new("export").unwrap()];
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    assert_eq!(harness.write_count(), 0);
    let Some(Layer::Review(review)) = harness.state.screen.layers.last() else { panic!("it asks") };
    assert!(matches!(review.confirmation.next(), Some(TypedPhrase::Name { name, .. }) if name == "Export"));
    harness.press("esc esc");
    assert_eq!(harness.rows()[1], "  >Export");
}

#[test]
fn all_marked_segments_are_edited_by_a_template() {
    let mut harness = at_work();
    harness.press("j space space e");
    harness.type_text(" {n}");
    harness.press("enter");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Review(_))), "{:?}", harness.state.screen.layers);
    harness.press("y");
    let (_, plan) = harness.last_write();
    let names: Vec<String> = plan
        .operations
        .iter()
        .map(|operation| match operation {
            Operation::Update { draft, .. } => draft.name.as_str().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["Export 1", "Polska 2"]);
}

#[test]
fn editing_after_a_conflict_keeps_their_other_fields() {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    let theirs = Segment { external_id: Some("THEIRS".into()), ..(*named("export", "Eksport", Some("hurt"))).clone() };
    harness.fail(WriteError::Conflict { theirs: Some(Arc::new(theirs)), fields: vec![Field::Name] });
    harness.press("!");
    harness.press("e");
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("the form opens") };
    assert_eq!((form.name.text(), form.external_id.text()), ("Export!", "THEIRS"));
}

#[test]
fn a_leaf_that_got_a_child_asks_again() {
    let mut harness = at_work();
    harness.press("j d");
    harness.changed(None, Some(&segment("new", Some("export"))));
    harness.press("enter");
    assert_eq!(harness.write_count(), 0);
    harness.press("esc j j d");
    // Same number of descendants, but different ones.
    harness.changed(Some(&segment("maz", Some("pl"))), None);
    harness.changed(None, Some(&segment("other", Some("pl"))));
    harness.press("s");
    assert_eq!(harness.write_count(), 0, "{:?}", harness.rows());
}

#[test]
fn a_range_ends_with_the_move_that_used_it() {
    let mut harness = at_work();
    harness.press("j V j m");
    harness.type_text("vip");
    harness.press("enter y");
    assert!(harness.state.tree.picks.marked.is_empty());
    harness.press("k k");
    assert!(harness.state.tree.picks.marked.is_empty(), "{:?}", harness.state.tree.picks.marked);
}

#[test]
fn a_parent_whose_full_name_or_id_is_typed_comes_first() {
    let place = |id: &str, name: &str, external_id: Option<&str>| {
        let external_id = external_id.map(Into::into);
        Arc::new(crate::segment::Segment { external_id, ..(*named(id, name, None)).clone() })
    };
    let segments = vec![
        place("a", "Łódź Bałuty", Some("1")),
        place("b", "ŁÓDŹ", Some("2")),
        place("c", "Client VIP Gold", Some("VIP Client")),
        place("d", "Gold VIP Client", Some("4")),
        place("e", "VIP client", Some("5")),
        place("f", "2 owners", None),
        place("z", "Moved", Some("9")),
    ];
    for (typed, expected) in
        [("łódź", "ŁÓDŹ"), ("vip client", "Client VIP Gold"), ("2", "ŁÓDŹ"), ("vip client g", "Client VIP Gold")]
    {
        let mut harness = Harness::with_segments(120, 40, segments.clone());
        harness.press("G m");
        harness.type_text(typed);
        let Some(Layer::Parents(picker)) = harness.state.screen.layers.last() else { panic!("the places are shown") };
        assert_eq!(picker.candidates[picker.list.chosen].name, expected, "{typed}");
    }
}

#[test]
fn staging_ends_only_by_its_own_key() {
    let mut harness = at_work();
    harness.press("S j r");
    harness.type_text("!");
    harness.press("enter");
    assert!(harness.state.changes.is_staging());
    harness.press("S y");
    assert_eq!((harness.write_count(), harness.state.changes.is_staging()), (1, true), "it ends by its own key");
    harness.succeed();
    harness.press("S");
    assert!(!harness.state.changes.is_staging());
    harness.press("r");
    harness.type_text("?");
    harness.press("enter");
    assert_eq!(harness.write_count(), 2, "it goes out at once");
}

#[test]
fn repeating_an_edit_on_marked_rows_elsewhere_is_reviewed() {
    let mut harness = at_work();
    harness.press("j e tab ctrl-u");
    harness.type_text("SAME");
    harness.press("enter");
    harness.succeed();
    harness.press("j space j .");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Review(_))));
    harness.press("esc");
    assert_eq!(harness.write_count(), 1);
}

#[test]
fn the_last_edit_is_repeated_on_the_selected_segment() {
    let mut harness = at_work();
    harness.press(".");
    assert_eq!(harness.message(), "Nothing to repeat");
    harness.press("j e tab ctrl-u");
    harness.type_text("SAME");
    harness.press("enter");
    harness.succeed();
    harness.press("j .");
    harness.succeed();
    let external_id = |harness: &Harness, of: &str| harness.state.tree.forest.get(&id(of)).unwrap().external_id.clone();
    assert_eq!(external_id(&harness, "pl").as_deref(), Some("SAME"));
    harness.press("k .");
    assert_eq!(harness.message(), "No changes", "it has that already");
    harness.press("a");
    harness.type_text("Nowy");
    harness.press("enter");
    harness.succeed();
    harness.press("g g .");
    let (_, plan) = harness.last_write();
    let Operation::Create { draft } = &plan.operations[0] else { panic!("a create") };
    assert_eq!((draft.name.as_str(), draft.parent.clone()), ("Nowy", Some(id("hurt"))));
}
