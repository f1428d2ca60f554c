//! How many keys common tasks take. docs/keys.md has the same table, and no task may take more.

use crate::app::harness::{Harness, id, named, wholesale};
use crate::app::{Effect, Layer, Pane};
use crate::changes::{Operation, WriteError};
use crate::forest::Order;
use crate::segment::Field;

/// The task, its keys with typed text in quotation marks, the state it starts from, and whether it is done.
type Task = (&'static str, &'static str, fn() -> Harness, fn(&Harness) -> bool);

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

/// Returns a harness after some keys that don't count towards the task.
fn after(keys: &str) -> Harness {
    let mut harness = at_work();
    press(&mut harness, keys);
    harness.effects.clear();
    harness
}

/// Returns a harness after some keys and what happens next.
fn once(keys: &str, comes: impl FnOnce(&mut Harness)) -> Harness {
    let mut harness = at_work();
    press(&mut harness, keys);
    comes(&mut harness);
    harness.effects.clear();
    harness
}

/// Presses keys and types the text in quotation marks. Returns the number of keys.
fn press(harness: &mut Harness, script: &str) -> usize {
    let mut count = 0;
    for (at, part) in script.split('“').flat_map(|part| part.split('”')).enumerate() {
        if at % 2 == 1 {
            harness.type_text(part);
            count += part.chars().count();
        } else if !part.trim().is_empty() {
            harness.press(part.trim());
            count += part.split_whitespace().count();
        }
    }
    count
}

fn renamed_once() -> Harness {
    once("j r “!” enter", Harness::succeed)
}

/// A rename in conflict with someone else's.
fn in_conflict() -> Harness {
    once("j r “!” enter", |harness| {
        let theirs = named("export", "Eksport", Some("hurt"));
        harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name] });
    })
}

fn deleted_elsewhere() -> Harness {
    once("j r “!” enter", |harness| harness.fail(WriteError::Conflict { theirs: None, fields: Vec::new() }))
}

fn deletion_in_conflict() -> Harness {
    once("j d enter", |harness| {
        let theirs = named("export", "Eksport", Some("hurt"));
        harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name] });
    })
}

/// A new name and external ID in conflict with someone else's.
fn in_conflict_twice() -> Harness {
    once("j e “!” tab “!” enter", |harness| {
        let theirs = crate::segment::Segment {
            external_id: Some("EKS".into()),
            ..crate::segment::Segment::clone(&named("export", "Eksport", Some("hurt")))
        };
        harness.fail(WriteError::Conflict {
            theirs: Some(std::sync::Arc::new(theirs)),
            fields: vec![Field::Name, Field::ExternalId],
        });
    })
}

/// A deletion that failed because of a new child.
fn deletion_of_a_parent() -> Harness {
    once("j d enter", |harness| {
        harness.changed(None, Some(&named("new", "Nowy", Some("export"))));
        harness.fail(WriteError::NewChildren { new_children: vec![id("new")] });
    })
}

/// A rename that the server has rejected.
fn refused() -> Harness {
    once("j r “!” enter", |harness| harness.refuse("that name is not allowed"))
}

/// Twenty segments to be moved from one parent to another, with the first selected.
fn twenty() -> Harness {
    let stores = (1..=20).map(|at| named(&format!("s{at:02}"), &format!("Sklep {at:02}"), Some("hurt")));
    let mut harness = Harness::with_segments(120, 40, wholesale().into_iter().chain(stores).collect());
    press(&mut harness, "/ “Sklep 01” enter enter esc");
    assert_eq!(harness.selected(), "Sklep 01");
    harness.effects.clear();
    harness
}

fn perhaps_created() -> Harness {
    once("a “Nowy” enter", |harness| {
        harness.fail(WriteError::PossibleDuplicate { theirs: named("real", "Nowy", Some("hurt")) });
    })
}

/// Returns the operations of the last submitted plan.
fn written(harness: &Harness) -> Vec<Operation> {
    if harness.write_count() == 0 { Vec::new() } else { harness.last_write().1.operations }
}

fn moves_to(harness: &Harness, parent: &str, count: usize) -> bool {
    let operations = written(harness);
    let to = |operation: &Operation| operation.destination() == Some(&id(parent));
    operations.len() == count && operations.iter().all(to)
}

fn creates(harness: &Harness, parent: Option<&str>) -> bool {
    let parent = parent.map(id);
    matches!(written(harness).as_slice(), [Operation::Create { draft }] if draft.parent == parent)
}

fn deletes(harness: &Harness, count: usize) -> bool {
    let operations = written(harness);
    operations.len() == count && operations.iter().all(|operation| matches!(operation, Operation::Delete { .. }))
}

fn changes(harness: &Harness, segment: &str, field: Field) -> bool {
    matches!(written(harness).as_slice(), [Operation::Update { base, draft }]
        if base.id == id(segment) && draft.changes(base) == [field])
}

fn copied(harness: &Harness, text: &str) -> bool {
    harness.effects.iter().any(|effect| matches!(effect, Effect::Copy(copied) if copied.contains(text)))
}

fn selected(harness: &Harness, name: &str) -> bool {
    harness.selected() == name
}

const TASKS: &[Task] = &[
    ("Find a segment by part of its name", "/ “lodz” enter", at_work, |harness| selected(harness, "Łódź")),
    (
        "Show a match in the whole tree",
        "enter",
        || after("/ “lodz” enter"),
        |harness| harness.state.tree.filter.is_none() && selected(harness, "Łódź"),
    ),
    ("Clear the filter", "esc", || after("/ “lodz” enter"), |harness| harness.state.tree.filter.is_none()),
    ("Go to an exact external ID", "f “X-vip” enter", at_work, |harness| selected(harness, "VIP Client")),
    ("Go back", "ctrl-o", || after("f “X-vip” enter"), |harness| selected(harness, "Hurtownie")),
    ("Set a bookmark", "b v", at_work, |harness| harness.state.tree.picks.places.bookmarks().count() == 1),
    ("Go to a bookmark", "' v", || after("b v G"), |harness| selected(harness, "Hurtownie")),
    ("Expand the whole subtree", "*", at_work, |harness| harness.rows().len() > 8),
    ("Expand everything", "z 0", at_work, |harness| harness.state.tree.forest.row_count() == 11),
    ("Go ten rows down", "1 0 j", || after("z 0"), |harness| selected(harness, "Orphan of nobody")),
    ("Sort by size", "s s", at_work, |harness| harness.state.tree.forest.order() == Order::Descendants),
    ("Rename", "r “!” enter", || after("j"), |harness| changes(harness, "export", Field::Name)),
    (
        "Change the external ID only",
        "e tab ctrl-u “EX” enter",
        || after("j"),
        |harness| changes(harness, "export", Field::ExternalId),
    ),
    ("Find and rename", "/ “exp” enter r “!” enter", at_work, |harness| {
        changes(harness, "export", Field::Name)
    }),
    ("Create a child", "a “Nowy” enter", at_work, |harness| creates(harness, Some("hurt"))),
    ("Create a sibling", "A “Nowy” enter", at_work, |harness| creates(harness, None)),
    (
        "Create a child of the new segment",
        "a “Nowy” enter",
        || after("a “N” enter"),
        |harness| matches!(written(harness).as_slice(), [Operation::Create { draft }] if draft.parent != Some(id("hurt"))),
    ),
    (
        "Create three siblings",
        "A “A” enter A “B” enter A “C” enter",
        || after("j"),
        |harness| harness.write_count() == 3,
    ),
    ("Repeat the last edit elsewhere", "j .", renamed_once, |harness| harness.write_count() == 1),
    ("Move one segment", "m “vip” enter", || after("j"), |harness| moves_to(harness, "vip", 1)),
    ("Move twenty in a row", "V 1 9 j m “vip” enter y", twenty, |harness| moves_to(harness, "vip", 20)),
    ("Move all twenty that match", "/ “sklep” enter ctrl-a m “vip” enter y", twenty, |harness| {
        moves_to(harness, "vip", 20)
    }),
    ("Cut and paste", "x j j p", || after("j"), |harness| moves_to(harness, "vip", 1)),
    ("Mark three segments", "space space space", at_work, |harness| harness.state.tree.picks.marked.len() == 3),
    ("Mark a range of three", "V 2 j", || after("j"), |harness| harness.state.tree.picks.marked.len() == 3),
    ("Mark all matches of a filter", "/ “x-l” enter ctrl-a", at_work, |harness| {
        harness.state.tree.picks.marked.len() == 2
    }),
    ("Filter, mark all and move", "/ “x-l” enter ctrl-a m “vip” enter y", at_work, |harness| {
        moves_to(harness, "vip", 2)
    }),
    (
        "Edit all marked in one form",
        "e “!” enter y",
        || after("/ “x-l” enter ctrl-a"),
        |harness| written(harness).len() == 2,
    ),
    ("Delete a leaf", "d enter", || after("j"), |harness| deletes(harness, 1)),
    ("Delete a subtree", "d s", || after("j j"), |harness| deletes(harness, 5)),
    ("Delete one and keep its children", "d p", || after("j j"), |harness| written(harness).len() == 3),
    ("Undo", "u", renamed_once, |harness| harness.write_count() == 1),
    (
        "Redo",
        "U",
        || {
            once("j r “!” enter", |harness| {
                harness.succeed();
                harness.press("u");
                harness.succeed();
            })
        },
        |harness| harness.write_count() == 1,
    ),
    ("Undo a step from the activity", "backtab u", renamed_once, |harness| harness.write_count() == 1),
    ("Go from the activity to a segment", "backtab enter", renamed_once, |harness| {
        harness.state.screen.panes.focus == Pane::Tree && selected(harness, "Export!")
    }),
    ("Begin staging", "S", at_work, |harness| harness.state.changes.is_staging()),
    ("Review and send what is staged", "S y", || after("S j r “!” enter"), |harness| harness.write_count() == 1),
    (
        "Stage a change, review and send it",
        "S r “!” enter S y S",
        || after("j"),
        |harness| changes(harness, "export", Field::Name) && !harness.state.changes.is_staging(),
    ),
    (
        "Discard one change and send the rest",
        "S d y",
        || after("S j r “!” enter j r “!” enter"),
        |harness| written(harness).len() == 1,
    ),
    ("Resolve a conflict: keep yours", "! enter", in_conflict, |harness| changes(harness, "export", Field::Name)),
    ("Resolve a conflict: keep theirs", "! t", in_conflict, |harness| harness.state.changes.counts().failed == 0),
    ("Resolve a conflict: theirs for one field", "! left enter", in_conflict_twice, |harness| {
        changes(harness, "export", Field::ExternalId)
    }),
    ("Resolve a conflict: write something else", "! e “!” enter", in_conflict, |harness| {
        changes(harness, "export", Field::Name)
    }),
    ("Correct a rejected change", "! backspace “?” enter", refused, |harness| {
        changes(harness, "export", Field::Name) && harness.state.changes.counts().failed == 0
    }),
    ("Re-create what was deleted elsewhere", "! c enter", deleted_elsewhere, |harness| harness.write_count() == 1),
    ("Accept that it was deleted elsewhere", "! t", deleted_elsewhere, |harness| {
        harness.state.changes.counts().failed == 0 && harness.write_count() == 0
    }),
    ("Delete in spite of a change", "! D", deletion_in_conflict, |harness| deletes(harness, 1)),
    ("Keep a segment because of a change", "! t", deletion_in_conflict, |harness| {
        harness.state.changes.counts().failed == 0 && harness.write_count() == 0
    }),
    ("Delete the new children as well", "! D y", deletion_of_a_parent, |harness| deletes(harness, 2)),
    ("Keep a segment because of new children", "! t", deletion_of_a_parent, |harness| {
        harness.state.changes.counts().failed == 0 && harness.write_count() == 0
    }),
    ("Use the segment a lost reply created", "! t", perhaps_created, |harness| {
        harness.state.changes.counts().failed == 0
    }),
    ("Create another one although one appeared", "! c", perhaps_created, |harness| {
        harness.state.changes.counts().in_flight == 1
    }),
    ("Copy an ID", "y i", || after("j"), |harness| copied(harness, "export")),
    ("Copy a subtree", "y t", at_work, |harness| copied(harness, "Export")),
    (
        "Read the last request",
        "L enter",
        || {
            let mut harness = at_work();
            harness.request_finished(crate::app::harness::exchange("/segments/vip"));
            harness
        },
        |harness| matches!(harness.state.screen.layers.last(), Some(Layer::Requests(pane)) if pane.open.is_some()),
    ),
];

fn row((task, keys, begins, _): &Task) -> String {
    let count = press(&mut begins(), keys);
    format!("| {task} | `{}` | {count} |", keys.replace(['“', '”'], ""))
}

#[test]
fn forty_tasks_work_with_the_documented_keys() {
    assert!(TASKS.len() >= 40);
    for (task, keys, begins, done) in TASKS {
        let mut harness = begins();
        press(&mut harness, keys);
        assert!(done(&harness), "{task}: {keys}; {}\n{:?}", harness.message(), harness.rows());
    }
}

/// The keys that resolve a conflict.
const DECIDING: [&str; 4] = ["enter", "t", "c", "D"];

#[test]
fn every_way_to_resolve_every_kind_of_conflict_is_a_task() {
    let mut resolved = std::collections::HashMap::<_, (Vec<&str>, Vec<&str>)>::new();
    for (_, keys, begins, _) in TASKS.iter().filter(|(_, keys, ..)| keys.starts_with("! ")) {
        let mut harness = begins();
        harness.press("!");
        let Some(Layer::Conflict(conflict)) = harness.state.screen.layers.last() else { continue };
        let (offered, taken) = resolved.entry(std::mem::discriminant(&conflict.kind)).or_default();
        *offered = conflict.keys().into_iter().map(|(key, _)| key).filter(|key| DECIDING.contains(key)).collect();
        taken.extend(keys.split(' ').filter(|key| DECIDING.contains(key)));
    }
    assert_eq!(resolved.len(), 5, "the kinds of conflict");
    for (offered, taken) in resolved.values() {
        assert!(offered.iter().all(|key| taken.contains(key)), "of {offered:?} only {taken:?}");
    }
}

#[test]
fn the_keys_page_counts_the_keys_of_each_task() {
    let table: Vec<String> = TASKS.iter().map(row).collect();
    let table = format!("| Task | Keys | Count |\n| --- | --- | --- |\n{}\n", table.join("\n"));
    let page = include_str!("../../../docs/keys.md");
    assert!(page.contains(&table), "docs/keys.md should hold this table:\n\n{table}");
}
