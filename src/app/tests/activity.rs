//! The activity as a list: the selected entry stays visible, and keys act on no other entry.

use proptest::prelude::*;

use crate::app::harness::{Harness, named, segment, wholesale};
use crate::app::{ActivityEntry, EditorFault, EditorOutcome, Effect, Event, Mouse, MouseKind, Pane};

/// An action of the user or of others.
#[derive(Debug, Clone)]
enum Step {
    Press(&'static str),
    Wheel(MouseKind),
    Click(u16),
    /// A number of changes by others.
    News(u8),
    /// A change by the user, sent and applied.
    Own,
    Resize(u16, u16),
}

fn step() -> impl Strategy<Value = Step> {
    let keys = ["j", "k", "5 j", "G", "g g", "enter", "u", "tab", "esc", "l", "pagedown", "ctrl-u", ":", "t d", "?"];
    let sizes = vec![(100, 26), (120, 40), (80, 24), (200, 50), (50, 10), (100, 15)];
    prop_oneof![
        10 => prop::sample::select(keys.to_vec()).prop_map(Step::Press),
        4 => prop::bool::ANY.prop_map(|down| Step::Wheel(if down { MouseKind::ScrollDown } else { MouseKind::ScrollUp })),
        2 => (0_u16..20).prop_map(Step::Click),
        6 => (1_u8..8).prop_map(Step::News),
        2 => Just(Step::Own),
        1 => prop::sample::select(sizes).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
    ]
}

/// Returns the selected entry if its first line is visible in the focused pane.
fn shown(harness: &Harness) -> Option<ActivityEntry> {
    let area = harness.state.layout().activity.filter(|_| harness.state.screen.panes.focus == Pane::Activity)?;
    let mut lines = harness.state.side.activity.shown(area);
    lines.any(|line| line.is_chosen && line.is_first).then(|| harness.state.side.activity.selected().cloned()).flatten()
}

/// Renames the first segment once no dialog is open. The tree then has the focus.
fn own_change(harness: &mut Harness, number: usize) {
    // Each press closes one layer or pane, so a few lead back to the tree.
    for _ in 0..20 {
        if harness.state.screen.layers.is_empty() && harness.state.screen.panes.focus == Pane::Tree {
            break;
        }
        harness.press("esc");
    }
    assert_eq!(harness.state.screen.panes.focus, Pane::Tree, "esc leads back to the tree");
    harness.press("g g r");
    harness.type_text(&format!(" {number}"));
    harness.press("enter");
    if harness.state.changes.counts().queued > 0 {
        harness.succeed();
    }
}

/// Ends an editor that was opened, since it takes all keys until then.
fn end_of_editor(harness: &mut Harness) {
    let opened = |effect: &Effect| matches!(effect, Effect::EditText { .. });
    if harness.effects.iter().any(opened) {
        harness.effects.retain(|effect| !opened(effect));
        let fault = EditorFault::NoCommand("nano \"".into());
        harness.event(Event::TextEdited(EditorOutcome::Failed { fault, file: None }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// In any order of events: the selected entry is visible unless the wheel has scrolled it away, only keys and clicks select
    /// another one, and a key acts only on an entry that was shown as selected when it was pressed.
    #[test]
    fn a_key_acts_only_on_an_entry_that_was_shown_as_selected(steps in prop::collection::vec(step(), 1..60)) {
        let mut harness = Harness::with_segments(100, 26, wholesale());
        for number in 0..12 {
            harness.changed(None, Some(&segment(&format!("first-{number}"), Some("vip"))));
        }
        let (mut turned_away, mut number) = (false, 0);
        harness.press("tab tab");
        let mut after_key = shown(&harness);
        for step in steps {
            let was_focused = harness.state.screen.panes.focus == Pane::Activity;
            let chosen = harness.state.side.activity.selected().cloned();
            let before = shown(&harness);
            let writes = harness.write_count();
            let on_main = harness.state.screen.layers.is_empty();
            match &step {
                Step::Press(keys) => {
                    harness.press(keys);
                    end_of_editor(&mut harness);
                    let gone_to = was_focused && on_main && ["enter", "l"].contains(keys) && harness.state.screen.panes.focus == Pane::Tree;
                    if gone_to {
                        let entry = before.as_ref().expect("nothing was shown as chosen");
                        prop_assert_eq!(Some(entry), after_key.as_ref(), "it is another one than after the last key");
                        let selected = harness.state.selected_segment().map(|segment| segment.id.clone());
                        prop_assert_eq!(selected.as_ref(), entry.subject.as_ref());
                    }
                    if was_focused && on_main && *keys == "u" && harness.write_count() > writes {
                        let entry = before.as_ref().expect("nothing was shown as chosen");
                        prop_assert_eq!(Some(entry), after_key.as_ref(), "it is another one than after the last key");
                        let (_, plan) = harness.last_write();
                        prop_assert_eq!(plan.operations[0].subject(), entry.subject.as_ref());
                    }
                    if harness.write_count() > writes {
                        harness.succeed();
                    }
                    turned_away = false;
                }
                Step::Wheel(kind) => {
                    if let Some(area) = harness.state.layout().activity {
                        harness.event(Event::Mouse(Mouse { kind: *kind, column: area.x + 1, row: area.y }));
                        turned_away |= was_focused;
                    }
                }
                Step::Click(line) => {
                    if let Some(area) = harness.state.layout().activity {
                        let row = area.y + line.min(&(area.height - 1));
                        harness.event(Event::Mouse(Mouse { kind: MouseKind::Click, column: area.x + 1, row }));
                        turned_away &= !harness.state.screen.layers.is_empty();
                    }
                }
                Step::News(many) => {
                    for _ in 0..*many {
                        number += 1;
                        let id = format!("new-{number}");
                        harness.changed(None, Some(&segment(&id, Some("vip"))));
                        if number % 3 == 0 {
                            let now = named(&id, &format!("{id} with a name that is longer than the pane is wide"), None);
                            harness.changed(Some(&segment(&id, Some("vip"))), Some(&now));
                        }
                    }
                }
                Step::Own => {
                    number += 1;
                    own_change(&mut harness, number);
                    turned_away = false;
                }
                Step::Resize(columns, rows) => harness.event(Event::Resized(*columns, *rows)),
            }
            let focused = harness.state.screen.panes.focus == Pane::Activity;
            if focused && !turned_away {
                prop_assert!(shown(&harness).is_some(), "after {:?} the chosen entry is not in the pane", step);
            }
            if matches!(step, Step::Wheel(_) | Step::News(_)) && was_focused {
                prop_assert_eq!(harness.state.side.activity.selected().cloned(), chosen, "{:?} chose another one", step);
            }
            if !matches!(step, Step::Wheel(_) | Step::News(_) | Step::Resize(..)) {
                after_key = harness.state.side.activity.selected().cloned();
            }
        }
    }
}

#[test]
fn a_key_for_a_dropped_entry_does_not_act_on_the_next() {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    for number in 0..2_100 {
        harness.changed(None, Some(&segment(&format!("{number}"), Some("vip"))));
    }
    harness.press("tab tab G");
    assert_eq!(shown(&harness).map(|entry| entry.text), Some("100".into()));
    harness.changed(None, Some(&segment("late", Some("vip"))));
    assert_eq!(shown(&harness).map(|entry| entry.text), Some("101".into()));
    harness.press("enter");
    assert_eq!(harness.message(), "The entry you selected is gone. Press enter again for this one");
    assert_eq!(harness.state.screen.panes.focus, Pane::Activity);
    harness.press("enter");
    assert_eq!((harness.state.screen.panes.focus, harness.selected()), (Pane::Tree, "101".into()));
    // Nobody has selected the first entry of a list that was empty.
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.press("tab tab enter");
    assert_eq!(harness.message(), "Nothing has happened yet");
    harness.changed(None, Some(&segment("late", Some("vip"))));
    harness.press("u");
    assert_eq!(harness.message(), "The entry you selected is gone. Press u again for this one");
}
