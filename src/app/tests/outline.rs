//! Segments as text in an editor: what is written, and what happens with the text that comes back.

use std::path::PathBuf;

use crate::app::harness::{Harness, id, named, wholesale};
use crate::app::{Access, EditorFault, EditorOutcome, Effect, Event, Layer};
use crate::changes::OpId;
use crate::changes::Operation;

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

/// Returns the text that the editor was last opened with.
fn text(harness: &Harness) -> String {
    let texts = harness.effects.iter().rev().find_map(|effect| match effect {
        Effect::EditText { text } => Some(text.clone()),
        _ => None,
    });
    texts.expect("a text was opened")
}

fn body(harness: &Harness) -> String {
    text(harness).split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}

fn save(harness: &mut Harness, text: &str, file: &str) {
    harness.event(Event::TextEdited(EditorOutcome::Saved { text: text.into(), file: file.into() }));
}

fn removed(harness: &Harness) -> Vec<PathBuf> {
    let removed = harness.effects.iter().filter_map(|effect| match effect {
        Effect::RemoveText(file) => Some(file.clone()),
        _ => None,
    });
    removed.collect()
}

#[test]
fn a_subtree_edited_as_text_is_reviewed_before_it_is_sent() {
    let mut harness = at_work();
    harness.press("E");
    assert_eq!(body(&harness).lines().count(), 7);
    let edited = text(&harness).replace("Export", "Eksport").replace("  Zgierz", "  Nowe\n      Zgierz");
    save(&mut harness, &edited, "/tmp/one");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Review(_))));
    assert_eq!(harness.write_count(), 0);
    assert!(removed(&harness).is_empty(), "the text is wanted until it is sent");
    harness.press("y");
    assert_eq!(removed(&harness), [PathBuf::from("/tmp/one")]);
    let (_, plan) = harness.last_write();
    let [Operation::Create { draft: new }, Operation::Update { base, draft }] = plan.operations.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!((new.name.as_str(), new.parent.as_ref()), ("Nowe", Some(&id("lodzkie"))));
    assert_eq!((base.name.as_str(), draft.name.as_str()), ("Export", "Eksport"));
    harness.succeed();
    assert_eq!(harness.message(), "Applied 2 changes from text edit");
}

#[test]
fn a_segment_can_move_under_a_new_one() {
    let mut harness = at_work();
    harness.press("E");
    save(&mut harness, "Hurtownie [X-hurt] {hurt}\n  Nowe\n    Export [X-export] {export}\n", "/tmp/one");
    harness.press("y");
    let (plan_id, plan) = harness.last_write();
    let new = OpId { plan_id, index: 0 }.provisional_id();
    assert_eq!(plan.operations[1].destination(), Some(&new));
    let gone: Vec<_> = plan.operations[2..].iter().filter_map(Operation::subject).map(ToString::to_string).collect();
    assert_eq!(gone.len(), 5);
    assert_eq!(gone.last().map(String::as_str), Some("pl"), "the lowest first: {gone:?}");
}

#[test]
fn a_single_change_is_reviewed_too_and_esc_sends_nothing() {
    let mut harness = at_work();
    harness.press("j E");
    save(&mut harness, "Eksport [X-export] {export}\n", "/tmp/one");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Review(_))));
    harness.press("esc");
    assert_eq!((harness.write_count(), harness.message()), (0, "Nothing sent · your text is saved in /tmp/one"));
    assert!(removed(&harness).is_empty());
    assert!(harness.rows().iter().any(|row| row.contains("Export")));
}

#[test]
fn all_marked_segments_are_opened_with_their_descendants() {
    let mut harness = at_work();
    harness.press("j space G k k");
    let vip = harness.state.tree.forest.get(&id("vip")).unwrap().id.clone();
    harness.state.tree.picks.marked.insert(vip);
    harness.press("E");
    assert_eq!(body(&harness), "Export  [X-export]  {export}\nVIP Client  [X-vip]  {vip}\n");
}

#[test]
fn the_first_segments_of_an_empty_tree_can_be_typed() {
    let mut harness = Harness::with_segments(120, 40, Vec::new());
    harness.press("E");
    assert_eq!(body(&harness), "");
    save(&mut harness, "Hurt\n  Detal [D]\n", "/tmp/one");
    harness.press("y");
    assert_eq!(harness.last_write().1.operations.len(), 2);
}

#[test]
fn an_unchanged_text_changes_nothing() {
    let mut harness = at_work();
    harness.press("E");
    let same = text(&harness);
    save(&mut harness, &same, "/tmp/one");
    assert_eq!((harness.message(), harness.state.screen.layers.len()), ("No changes", 0));
    assert_eq!(removed(&harness), [PathBuf::from("/tmp/one")]);
}

#[test]
fn a_faulty_text_is_reopened_with_its_faults_at_the_top() {
    let mut harness = at_work();
    harness.press("j E");
    save(&mut harness, "Eksport [X-export] {export}\n   Nowe\n", "/tmp/one");
    let Some(Layer::Outline(edit)) = harness.state.screen.layers.last() else { panic!("the dialog is open") };
    assert!(edit.faults()[0].starts_with("line 2: indented 3 spaces"), "{:?}", edit.faults());
    assert!(removed(&harness).is_empty(), "the text is still wanted");
    harness.press("e");
    assert!(text(&harness).starts_with("# ERROR line 3: indented 3 spaces"), "{}", text(&harness));
    harness.press("j");
    let fixed_name = text(&harness).replace("   Nowe", "  Nowe");
    save(&mut harness, &fixed_name, "/tmp/two");
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Review(_)]));
    assert_eq!(removed(&harness), [PathBuf::from("/tmp/one")]);
    harness.press("y");
    assert_eq!(removed(&harness), [PathBuf::from("/tmp/one"), PathBuf::from("/tmp/two")]);
}

#[test]
fn leaving_a_faulty_text_names_its_file() {
    let mut harness = at_work();
    harness.press("E");
    save(&mut harness, "Nowe {x}\n", "/tmp/one");
    harness.press("j esc");
    assert_eq!(harness.message(), "No changes · your text is saved in /tmp/one");
    assert!(harness.state.screen.layers.is_empty() && removed(&harness).is_empty());
}

#[test]
fn an_editor_failure_is_reported_and_the_text_is_kept() {
    let mut harness = at_work();
    harness.press("E");
    let fault = EditorFault::NotStarted { editor: "ed-x".into(), reason: "not found".into() };
    harness.event(Event::TextEdited(EditorOutcome::Failed { fault, file: Some("/tmp/one".into()) }));
    assert!(harness.message().contains("couldn't start the editor ed-x (not found)"), "{}", harness.message());
    assert!(harness.message().ends_with("your text is saved in /tmp/one"), "{}", harness.message());
    assert!(harness.state.screen.layers.is_empty() && removed(&harness).is_empty());

    harness.press("E");
    save(&mut harness, "Nowe {x}\n", "/tmp/two");
    harness.press("e");
    let fault = EditorFault::NotWritten("disk full".into());
    harness.event(Event::TextEdited(EditorOutcome::Failed { fault, file: None }));
    assert!(harness.message().ends_with("your text is saved in /tmp/two"), "{}", harness.message());
    assert!(removed(&harness).is_empty());
}

#[test]
fn changes_are_based_on_the_segments_written_into_the_text() {
    let mut harness = at_work();
    let seen = named("export", "Export", Some("hurt"));
    harness.press("j E");
    save(&mut harness, "Eksport [X-export] {export} x\n", "/tmp/one");
    // Someone else changes the segment while the user corrects the text.
    let theirs = named("export", "Exports", Some("hurt"));
    harness.changed(Some(&seen), Some(&theirs));
    harness.press("e");
    save(&mut harness, "Eksport [X-export] {export}\n", "/tmp/two");
    harness.press("y");
    let Operation::Update { base, .. } = &harness.last_write().1.operations[0] else { panic!("an update") };
    assert_eq!(base, &seen);
}

#[test]
fn a_segment_being_created_is_not_written_as_text() {
    let mut harness = at_work();
    harness.press("j a");
    harness.type_text("Niemcy");
    harness.press("enter g g E");
    assert_eq!(harness.message(), "Niemcy is still being created");
    harness.state.session.access = Access::ReadOnly;
    harness.press("E");
    assert!(harness.effects.iter().all(|effect| !matches!(effect, Effect::EditText { .. })));
}

#[test]
fn a_segment_being_deleted_is_not_written_as_text() {
    let mut harness = at_work();
    harness.press("j d enter E");
    assert_eq!(harness.message(), "Export is being deleted");
    assert!(harness.effects.iter().all(|effect| !matches!(effect, Effect::EditText { .. })));
}

#[test]
fn keys_typed_before_the_editor_opens_do_nothing() {
    let mut harness = at_work();
    harness.press("E d enter q esc");
    assert_eq!((harness.write_count(), harness.state.screen.layers.len()), (0, 1));
    assert!(!harness.effects.contains(&Effect::Quit));
}

#[test]
fn text_edits_are_staged_with_other_edits() {
    let mut harness = at_work();
    harness.press("S j E");
    save(&mut harness, "Eksport [X-export] {export}\n", "/tmp/one");
    assert_eq!((harness.message(), harness.write_count()), ("Staged (1). Press S to review and send", 0));
    assert_eq!(removed(&harness), [PathBuf::from("/tmp/one")]);
    harness.press("S y");
    assert_eq!(harness.write_count(), 1);
}
