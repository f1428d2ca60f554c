//! Moving, folding, finding, and panes.

use crate::action::Action;
use crate::app::harness::{Harness, command, id, named, segment, wholesale};
use crate::app::{Effect, Event, Layer, Mouse, MouseKind, Pane, Shape, update};
use crate::changes::Operation;
use crate::keymap::Key;
use crate::sync::Command;

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

#[test]
fn the_first_list_shows_two_levels_and_selects_the_first_row() {
    let harness = at_work();
    assert_eq!(
        harness.rows(),
        [
            ">Hurtownie",
            "  Export",
            "  Polska",
            "VIP Client",
            "Orphans: parent missing",
            "  (no-such-parent)",
            "    Orphan of nobody"
        ]
    );
}

#[test]
fn vim_keys_and_arrow_keys_do_the_same() {
    for (down, up, right, left) in [("j", "k", "l", "h"), ("down", "up", "right", "left")] {
        let mut harness = at_work();
        harness.press(&format!("{down} {down}"));
        assert_eq!(harness.selected(), "Polska");
        harness.press(right);
        assert_eq!(harness.selected(), "Polska", "the first press unfolds");
        harness.press(right);
        assert_eq!(harness.selected(), "Łódzkie", "the second goes into it");
        harness.press(left);
        assert_eq!(harness.selected(), "Polska", "a leaf or a folded row goes to its parent");
        harness.press(up);
        assert_eq!(harness.selected(), "Export");
        harness.press("G");
        assert_eq!(harness.selected(), "Orphan of nobody");
        harness.press("g g");
        assert_eq!(harness.selected(), "Hurtownie");
    }
}

#[test]
fn star_unfolds_the_subtree_and_z_folds_to_a_level() {
    let mut harness = at_work();
    harness.press("*");
    assert_eq!(harness.state.tree.forest.row_count(), 11);
    harness.press("/");
    harness.type_text("zgierz");
    harness.press("enter enter z 1");
    assert_eq!(harness.selected(), "Hurtownie", "the selection goes to what is left of its path");
    assert_eq!(harness.rows()[..2], [">Hurtownie", "VIP Client"]);
    harness.press("z 0");
    assert_eq!(harness.state.tree.forest.row_count(), 11);
}

#[test]
fn an_unbound_key_is_reported() {
    let mut harness = at_work();
    harness.press("f12");
    assert_eq!(harness.message(), "f12 is not bound. Press ? for help");
    harness.press("j");
    assert_eq!(harness.message(), "");
}

#[test]
fn tab_cycles_through_the_visible_panes() {
    let mut harness = at_work();
    harness.press("tab");
    assert_eq!(harness.state.screen.panes.focus, Pane::Details);
    harness.press("tab tab");
    assert_eq!(harness.state.screen.panes.focus, Pane::Tree);
    harness.press("t d backtab");
    assert_eq!(harness.state.screen.panes.focus, Pane::Activity);
    harness.press("t a");
    assert_eq!(harness.state.screen.panes.focus, Pane::Tree);
    let whole = harness.state.layout().tree.width;
    assert_eq!(whole, 120);
}

#[test]
fn panes_are_resized_by_keys() {
    let mut harness = at_work();
    let before = harness.state.layout().tree.width;
    harness.press("<");
    assert!(harness.state.layout().tree.width < before);
    harness.press("> >");
    assert!(harness.state.layout().tree.width > before);
}

#[test]
fn a_small_screen_keeps_the_tree_and_the_selection() {
    let mut harness = at_work();
    harness.press("G");
    harness.event(Event::Resized(40, 5));
    assert_eq!(harness.state.layout().shape, Shape::TreeOnly);
    assert!(harness.selected_line() < 4);
    harness.event(Event::Resized(0, 0));
    harness.press("k j l h g g G");
    harness.event(Event::Resized(120, 40));
    assert_eq!(harness.selected(), "Orphan of nobody");
}

#[test]
fn a_click_selects_and_a_click_on_the_arrow_folds() {
    let mut harness = at_work();
    let layout = harness.state.layout();
    let names = layout.tree_columns().names;
    let click = |column, row| Event::Mouse(Mouse { kind: MouseKind::Click, column, row });
    harness.event(click(names.x + 10, layout.tree.y + 3));
    assert_eq!(harness.selected(), "VIP Client");
    harness.event(click(names.x, layout.tree.y));
    assert_eq!(harness.rows()[..2], [">Hurtownie", "VIP Client"]);
    harness.event(click(names.x, layout.tree.y));
    assert_eq!(harness.rows()[1], "  Export");
    harness.event(click(names.x, layout.tree.y + layout.tree.height - 1));
    assert_eq!(harness.selected(), "Hurtownie", "below the last row there is nothing to select");
}

#[test]
fn the_wheel_scrolls_without_moving_the_selection() {
    let many = (0..200).map(|at| segment(&format!("{at:03}"), None)).collect();
    let mut harness = Harness::with_segments(120, 40, many);
    let area = harness.state.layout().tree;
    let wheel = |kind| Event::Mouse(Mouse { kind, column: area.x, row: area.y });
    harness.event(wheel(MouseKind::ScrollDown));
    assert_eq!((harness.state.tree.view.offset, harness.selected().as_str()), (3, "000"));
    harness.event(wheel(MouseKind::ScrollUp));
    harness.event(wheel(MouseKind::ScrollUp));
    assert_eq!(harness.state.tree.view.offset, 0);
}

#[test]
fn pages_go_far_and_keep_the_selection_in_sight() {
    let many = (0..200).map(|at| segment(&format!("{at:03}"), None)).collect();
    let mut harness = Harness::with_segments(80, 24, many);
    let height = usize::from(harness.state.layout().tree.height);
    for keys in ["pagedown", "ctrl-d", "pagedown", "ctrl-u", "G", "pageup", "k", "g g"] {
        harness.press(keys);
        assert!(harness.selected_line() < height, "after {keys}");
    }
    harness.press("pagedown");
    assert_eq!(harness.selected(), format!("{:03}", height - 1));
}

#[test]
fn every_closing_key_closes_the_help() {
    for leave in ["esc", "q", "?"] {
        let mut harness = at_work();
        harness.press("? j j");
        assert_eq!(harness.state.screen.layers.len(), 1);
        harness.press(leave);
        assert!(harness.state.screen.layers.is_empty());
        assert_eq!(harness.effects, [], "nothing reached the main screen");
    }
}

#[test]
fn the_help_scrolls_no_further_than_its_end() {
    let mut harness = Harness::with_segments(80, 24, wholesale());
    harness.press("? G");
    let Some(Layer::Help(end)) = harness.state.screen.layers.last().cloned() else { panic!("the page is open") };
    assert!(end > 0);
    harness.press("j j j pagedown k");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Help(line)) if *line == end - 1));
    for _ in 0..100 {
        harness.event(Event::Mouse(Mouse { kind: MouseKind::ScrollDown, column: 5, row: 5 }));
    }
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Help(line)) if *line == end));
}

#[test]
fn q_quits_and_ctrl_z_suspends() {
    let mut harness = at_work();
    harness.press("ctrl-z q");
    assert_eq!(harness.effects, [Effect::Suspend, Effect::Quit]);
}

#[test]
fn reload_and_poll_are_sent_to_the_sync_actor() {
    let mut harness = at_work();
    harness.press("R ctrl-r");
    assert_eq!(harness.effects, [Effect::Sync(Command::Reload), Effect::Sync(Command::PollNow)]);
}

#[test]
fn sorting_keeps_the_selection() {
    let mut harness = at_work();
    harness.press("j j s s");
    assert_eq!(harness.selected(), "Polska");
    assert_eq!(harness.rows()[..3], ["Hurtownie", "  >Polska", "  Export"]);
    harness.press("s n");
    assert_eq!(harness.rows()[..3], ["Hurtownie", "  Export", "  >Polska"]);
}

#[test]
fn a_paste_outside_a_field_does_nothing() {
    let mut harness = at_work();
    harness.event(Event::Paste("dq".into()));
    assert!(harness.effects.is_empty());
    assert!(harness.state.screen.layers.is_empty());
}

#[test]
fn the_next_session_restores_the_view() {
    let mut harness = at_work();
    harness.press("j j * j l s e t a > >");
    let view = harness.state.view();
    let text = serde_json::to_string(&view).unwrap();

    let mut again = Harness::new(120, 40);
    again.state.restore_view(serde_json::from_str(&text).unwrap());
    assert_eq!(again.state.view(), view, "left again before anything came, nothing is forgotten");
    again.first_list(wholesale());
    assert_eq!(again.rows(), harness.rows());
    assert_eq!(again.state.tree.forest.order(), harness.state.tree.forest.order());
    assert_eq!(again.state.layout(), harness.state.layout());
    assert_eq!(again.state.view(), view);
}

#[test]
fn a_view_from_another_version_is_accepted() {
    let mut harness = Harness::new(120, 40);
    let text = r#"{"open": ["gone", "hurt"], "selected": "gone", "colour": "mauve"}"#;
    harness.state.restore_view(serde_json::from_str(text).unwrap());
    harness.first_list(wholesale());
    assert_eq!(harness.selected(), "Hurtownie");
    assert_eq!(harness.rows()[1], "  Export");
}

#[test]
fn the_stored_tree_is_shown_with_the_restored_view() {
    let mut harness = at_work();
    harness.press("j j * j l");
    let view = harness.state.view();
    let mut again = Harness::new(120, 40);
    again.state.restore_view(view);
    let saved = again.state.clock.now;
    let forest = Box::new(wholesale().into_iter().collect());
    again.sync_event(crate::sync::Event::Restored { forest, saved });
    assert_eq!(again.rows(), harness.rows());
    again.sync_event(crate::sync::Event::Listed { different: Vec::new() });
    assert_eq!(again.rows(), harness.rows());
}

#[test]
fn a_long_sort_shows_the_former_order_until_it_is_done() {
    let mut harness = Harness::large(120, 40, wholesale());
    let pressed = |harness: &mut Harness, key: &str| {
        update(&mut harness.state, &harness.keymap, Event::Key(Key::parse(key).unwrap()))
    };
    pressed(&mut harness, "s");
    let sorting = pressed(&mut harness, "s");
    let [Effect::Sort(job)] = sorting.as_slice() else { panic!("{sorting:?}") };
    assert_eq!(harness.rows()[1..3], ["  Export", "  Polska"]);
    harness.changed(None, Some(&named("late", "A late one", Some("hurt"))));
    harness.event(Event::Sorted(job.clone().run()));
    assert_eq!(harness.rows()[1..4], ["  Polska", "  A late one", "  Export"]);
    assert!(harness.message().contains("Sorted by size"), "{}", harness.message());
}

#[test]
fn the_result_of_an_abandoned_sort_is_ignored() {
    let mut harness = Harness::large(120, 40, wholesale());
    let rows = harness.rows();
    let pressed = |harness: &mut Harness, key: &str| {
        update(&mut harness.state, &harness.keymap, Event::Key(Key::parse(key).unwrap()))
    };
    pressed(&mut harness, "s");
    let sorting = pressed(&mut harness, "s");
    let [Effect::Sort(job)] = sorting.as_slice() else { panic!("{sorting:?}") };
    harness.press("s n");
    harness.event(Event::Sorted(job.clone().run()));
    assert_eq!(harness.rows(), rows);
}

#[test]
fn jumps_go_to_an_exact_id_and_back_and_forward_return() {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.press("f");
    harness.type_text("X-lodz");
    harness.press("enter");
    assert_eq!(harness.selected(), "Łódź");
    harness.press("f");
    harness.type_text("vip");
    harness.press("enter");
    assert_eq!(harness.selected(), "VIP Client");
    harness.press("f");
    harness.type_text("X-lod");
    harness.press("enter");
    assert!(harness.message().contains("No segment with ID or external ID “X-lod”"), "{}", harness.message());
    harness.press("esc ctrl-o");
    assert_eq!(harness.selected(), "Łódź");
    harness.press("ctrl-o");
    assert_eq!(harness.selected(), "Hurtownie");
    harness.press("ctrl-o");
    assert!(harness.message().contains("oldest position"), "{}", harness.message());
    harness.press("alt-right alt-right");
    assert_eq!(harness.selected(), "VIP Client");
    harness.press("alt-right");
    assert!(harness.message().contains("newest position"), "{}", harness.message());
}

#[test]
fn bookmarks_are_kept_for_the_next_session() {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.press("j b x g g ' x");
    assert_eq!(harness.selected(), "Export");
    harness.press("' y");
    assert!(harness.message().contains("No bookmark y"), "{}", harness.message());
    let view = harness.state.view();
    let mut next = Harness::with_segments(120, 40, wholesale());
    next.state.restore_view(view);
    next.press("G ' x");
    assert_eq!(next.selected(), "Export");
}

#[test]
fn messages_name_the_configured_keys() {
    let keys = [
        ("f1", Action::Help),
        ("ctrl-x ctrl-f", Action::Find),
        ("ctrl-x p", Action::Paste),
        ("f2", Action::Dismiss),
        ("f3", Action::MarkRange),
        ("f4", Action::Stage),
        ("X", Action::Cut),
    ];
    let mut harness = Harness::with_segments(120, 26, wholesale()).with_keys(&keys);
    let mut message_after = |keys: &str| {
        harness.press(keys);
        harness.state.screen.message.take().unwrap().text
    };
    assert_eq!(message_after("f12"), "f12 is not bound. Press f1 for help");
    assert_eq!(message_after("n"), "No search yet. Press ctrl-x ctrl-f to search");
    assert_eq!(message_after("j X"), "Cut Export. Press ctrl-x p to paste here as a child, f2 to cancel");
    assert_eq!(message_after("f3"), "Marking a range: move, then f3 to finish, f2 to cancel");
    assert!(message_after("f4").contains("Press f4 to review and send"));
    assert_eq!(message_after("?"), "? is not bound. Press f1 for help");
}

#[test]
fn the_help_closes_with_the_key_that_opens_it() {
    let mut harness = Harness::with_segments(100, 26, wholesale()).with_keys(&[("f1", Action::Help)]);
    harness.press("f1");
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Help(_)]));
    harness.press("f1");
    assert!(harness.state.screen.layers.is_empty());
}

#[test]
fn a_number_before_a_key_repeats_it_or_selects_a_row() {
    let many: Vec<_> = (0..100).map(|at| segment(&format!("{at:03}"), None)).collect();
    let mut harness = Harness::with_segments(120, 40, many);
    harness.press("5 j");
    assert_eq!(harness.selected(), "005");
    harness.press("1 0 k");
    assert_eq!(harness.selected(), "000", "it stops at the end");
    harness.press("4 2 G");
    assert_eq!(harness.selected(), "041");
    harness.press("7 g g");
    assert_eq!(harness.selected(), "006");
    harness.press("3 J");
    assert_eq!(harness.selected(), "009");
    harness.press("5 esc j");
    assert_eq!(harness.selected(), "010", "esc takes the number back");
    harness.press("9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 j");
    assert_eq!(harness.selected(), "099");
    harness.press("z 1 0 k");
    assert_eq!(harness.selected(), "098", "a digit that goes on a sequence is none, and 0 begins none");
    harness.press("V 1 5 k V");
    assert_eq!(harness.state.tree.picks.marked.len(), 16);
}

#[test]
fn shift_and_arrows_mark_a_range_and_a_plain_arrow_ends_it() {
    let many: Vec<_> = (0..20).map(|at| segment(&format!("{at:03}"), None)).collect();
    let mut harness = Harness::with_segments(120, 40, many);
    harness.press("shift-down shift-down shift-up shift-down");
    assert_eq!(harness.state.tree.picks.marked.len(), 3);
    harness.press("down down");
    assert_eq!((harness.state.tree.picks.marked.len(), harness.selected()), (3, "004".into()));
    harness.press("shift-down");
    assert_eq!(harness.state.tree.picks.marked.len(), 5, "a second range beside the first");
    harness.press("3 shift-down");
    assert_eq!(harness.state.tree.picks.marked.len(), 8);
    harness.press("2 0 G");
    assert_eq!(
        (harness.state.tree.picks.marked.len(), harness.selected()),
        (8, "019".into()),
        "a jump ends it as well"
    );
}

#[test]
fn palette_commands_take_arguments() {
    let mut harness = at_work();
    harness.press(":");
    harness.type_text("goto X-lodz");
    harness.press("enter");
    assert_eq!(harness.selected(), "Łódź");
    harness.press(":");
    harness.type_text("filter vip");
    harness.press("enter");
    assert_eq!(harness.rows(), [">VIP Client"]);
    harness.press(":");
    harness.type_text("save-filter mine");
    harness.press("enter esc esc esc :");
    assert!(harness.state.tree.filter.is_none());
    harness.type_text("filter mine");
    harness.press("enter");
    assert_eq!(harness.rows(), [">VIP Client"]);
    harness.press(":");
    harness.type_text("move hurt");
    harness.press("enter enter");
    assert_eq!(harness.write_count(), 1);
    harness.press(":");
    harness.type_text("theme neon");
    harness.press("enter");
    assert!(harness.message().starts_with("Unknown theme neon. Use dark, light"), "{}", harness.message());
    harness.press("ctrl-u");
    harness.type_text("theme light");
    harness.press("enter");
    assert_eq!(harness.state.screen.theme, Some(crate::theme::Name::Light));
    harness.press(":");
    harness.type_text("goto nowhere");
    harness.press("enter");
    assert!(harness.message().contains("No segment with ID or external ID “nowhere”"), "{}", harness.message());
}

fn mouse(harness: &mut Harness, kind: MouseKind, column: u16, row: u16) {
    let tree = harness.state.layout().tree;
    harness.event(Event::Mouse(Mouse { kind, column: tree.x + column, row: tree.y + row }));
}

#[test]
fn a_double_click_renames_and_a_right_click_opens_the_palette() {
    let mut harness = at_work();
    mouse(&mut harness, MouseKind::Click, 12, 1);
    mouse(&mut harness, MouseKind::Release, 12, 1);
    assert!(harness.state.screen.layers.is_empty());
    harness.wait(2);
    mouse(&mut harness, MouseKind::Click, 12, 1);
    assert!(harness.state.screen.layers.is_empty(), "the first is too long ago");
    mouse(&mut harness, MouseKind::Click, 12, 1);
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Renaming(_)]));
    harness.press("esc");
    mouse(&mut harness, MouseKind::RightClick, 12, 0);
    assert_eq!(harness.selected(), "Hurtownie");
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Palette(_)]));
}

#[test]
fn a_right_click_offers_only_actions_on_the_clicked_row() {
    let mut harness = Harness::with_segments(120, 40, wholesale()).with_commands(vec![("ctrl-x", command("Report"))]);
    let row = harness.rows().iter().position(|row| row.contains("Export")).and_then(|row| u16::try_from(row).ok());
    let row = row.expect("it is shown");
    // A right click as the second half of a double click opens nothing else.
    mouse(&mut harness, MouseKind::Click, 12, row);
    mouse(&mut harness, MouseKind::RightClick, 12, row);
    let Some(Layer::Palette(palette)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    let offered: Vec<Action> =
        palette.matches(&harness.state.side.commands.commands).iter().map(|offer| offer.action).collect();
    for action in [Action::Edit, Action::Delete, Action::Paste, Action::Browse, Action::UserCommands(0)] {
        assert!(offered.contains(&action), "{action:?}");
    }
    for action in [Action::Quit, Action::Down, Action::SwitchProfile, Action::SortByName, Action::Reload] {
        assert!(!offered.contains(&action), "{action:?}");
    }
    harness.type_text("rename");
    harness.press("enter");
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Renaming(_)]), "of the row that was clicked");
    harness.press("esc");
    assert_eq!(harness.selected(), "Export");
    // Someone deletes the segment before the key is pressed.
    mouse(&mut harness, MouseKind::RightClick, 12, row);
    harness.type_text("delete");
    harness.changed(Some(&named("export", "Export", Some("hurt"))), None);
    assert_ne!(harness.selected(), "Export");
    harness.press("enter");
    assert!(harness.state.screen.layers.is_empty() && harness.write_count() == 0);
    assert_eq!(harness.message(), "The row that was clicked is no longer selected; nothing was done");
    // Without a row there is nothing to offer.
    mouse(&mut harness, MouseKind::RightClick, 12, 30);
    assert!(harness.state.screen.layers.is_empty());
    // A right click on a fold arrow folds nothing.
    let rows = harness.rows();
    mouse(&mut harness, MouseKind::RightClick, 2, 0);
    harness.press("esc");
    assert_eq!(harness.rows().len(), rows.len());
}

#[test]
fn dragging_a_row_onto_another_asks_to_move_it() {
    let mut harness = at_work();
    let row = |harness: &Harness, name: &str| {
        u16::try_from(harness.rows().iter().position(|row| row.trim_start_matches([' ', '>']) == name).unwrap())
            .unwrap()
    };
    let (export, vip) = (row(&harness, "Export"), row(&harness, "VIP Client"));
    mouse(&mut harness, MouseKind::Click, 12, export);
    mouse(&mut harness, MouseKind::Drag, 12, vip);
    mouse(&mut harness, MouseKind::Release, 12, vip);
    assert_eq!(harness.write_count(), 0, "nothing is sent unseen");
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Review(_)]));
    harness.press("y");
    let (_, plan) = harness.last_write();
    let Operation::Update { draft, .. } = &plan.operations[0] else { panic!("an update") };
    assert_eq!(draft.parent, Some(id("vip")));
    harness.succeed();
    let (hurt, polska) = (row(&harness, "Hurtownie"), row(&harness, "Polska"));
    mouse(&mut harness, MouseKind::Click, 12, hurt);
    mouse(&mut harness, MouseKind::Release, 12, polska);
    assert!(harness.message().contains("inside its own subtree"), "{}", harness.message());
}

#[test]
fn the_scrollbar_and_the_pane_border_can_be_dragged() {
    let many: Vec<_> = (0..400).map(|at| segment(&format!("{at:03}"), None)).collect();
    let mut harness = Harness::with_segments(120, 40, many);
    let tree = harness.state.layout().tree;
    mouse(&mut harness, MouseKind::Click, tree.width - 1, tree.height - 1);
    assert_eq!(harness.state.tree.view.offset, 400 - usize::from(tree.height));
    mouse(&mut harness, MouseKind::Drag, tree.width - 1, 0);
    assert_eq!((harness.state.tree.view.offset, harness.selected().as_str()), (0, "000"));
    mouse(&mut harness, MouseKind::Click, tree.width, 3);
    mouse(&mut harness, MouseKind::Drag, tree.width - 10, 3);
    assert!(harness.state.layout().tree.width < tree.width);
}

#[test]
fn tab_explains_why_there_is_no_other_pane() {
    let mut harness = Harness::with_segments(80, 24, wholesale());
    harness.press("tab");
    assert_eq!(harness.message(), "The tree has the focus. Press t a to show the activity");
    harness.press("t a");
    assert_eq!(harness.message(), "");
    harness.press("tab");
    assert_eq!((harness.state.screen.panes.focus, harness.message()), (Pane::Activity, ""));
    let mut harness = Harness::with_segments(80, 17, wholesale());
    for keys in ["tab", "t a"] {
        harness.press(keys);
        assert_eq!(harness.message(), "The activity doesn't fit. Enlarge the terminal to at least 18 rows", "{keys}");
    }
    harness.event(Event::Resized(80, 18));
    assert_eq!(harness.message(), "");
    assert!(harness.state.layout().activity.is_some());
    let mut harness = Harness::with_segments(50, 24, wholesale());
    harness.press("backtab");
    assert_eq!(harness.message(), "Only the tree fits. Enlarge the terminal to at least 60 columns and 15 rows");
}
