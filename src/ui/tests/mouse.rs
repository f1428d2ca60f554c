//! Clicks: a click does what the key drawn there does, and only for what is on the screen.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::action::Action;
use crate::app::harness::{Harness, exchange, wholesale};
use crate::app::{
    Area, Event, FieldName, FormEvent, Layer, ListItem, Mouse, MouseKind, NewProfile, OpenedFrom, ProfileField, Target,
    Targets,
};
use crate::forest::Order;
use crate::keymap::{Key, parse_sequence};
use crate::segment::Field;

use super::super::{Look, draw, draw_new_profile};
use super::keys::DIALOGS;
use super::picture::{picture, usual};
use super::{editing, looking, places, plans, requests};

fn live() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

/// The click targets on the current screen.
fn targets(harness: &Harness) -> Targets {
    let panes = &harness.state.screen.panes;
    let mut terminal = Terminal::new(TestBackend::new(panes.columns, panes.rows)).unwrap();
    let mut targets = Targets::default();
    let look = Look { theme: &usual(), keymap: &harness.keymap };
    terminal.draw(|frame| targets = draw(&harness.state, look, frame)).unwrap();
    targets
}

fn mouse(kind: MouseKind, column: u16, row: u16) -> Mouse {
    Mouse { kind, column, row }
}

fn click_at(harness: &mut Harness, column: u16, row: u16) {
    let event = targets(harness).event(mouse(MouseKind::Click, column, row));
    harness.event(event);
}

/// The area of the first matching target.
#[track_caller]
fn place(targets: &Targets, wanted: impl Fn(&Target) -> bool) -> Area {
    let found = targets.iter().find(|(_, target)| wanted(target)).map(|(area, _)| *area);
    found.unwrap_or_else(|| panic!("not among {:#?}", targets.iter().collect::<Vec<_>>()))
}

/// Clicks on the first matching target.
#[track_caller]
fn click_on(harness: &mut Harness, wanted: impl Fn(&Target) -> bool) -> Area {
    let area = place(&targets(harness), wanted);
    click_at(harness, area.x, area.y);
    area
}

fn is_key(key: &str) -> impl Fn(&Target) -> bool + '_ {
    move |target| matches!(target, Target::Key((other, _)) if *other == key)
}

fn is_action(action: Action) -> impl Fn(&Target) -> bool {
    move |target| *target == Target::Action(action)
}

/// Everything a key or click can change, except what is remembered about the click itself.
fn standing(harness: &Harness) -> String {
    let state = &harness.state;
    let screen = (&state.screen.layers, &state.screen.message, &state.screen.panes, &state.screen.pressed);
    let marked: std::collections::BTreeSet<_> = state.tree.picks.marked.iter().collect();
    let cut: std::collections::BTreeSet<_> = state.tree.picks.cut.iter().collect();
    let tree = (harness.rows(), &state.tree.view, state.tree.forest.order(), marked, cut);
    let changes = (state.changes.counts(), state.changes.is_staging());
    let requests = (state.side.requests.logged_count, state.side.findings.list);
    format!("{tree:?}\n{changes:?}\n{requests:?}\n{screen:?}\n{:?}", harness.effects)
}

#[test]
fn a_click_on_a_key_of_a_dialog_does_what_the_key_does() {
    for (name, _, built) in DIALOGS {
        for (columns, rows) in [(80, 24), (120, 40)] {
            let drawn = built(columns, rows);
            let layer = drawn.state.screen.layers.last().expect("a dialog is open");
            let hints = layer.keys(&drawn.state, &drawn.keymap);
            let keys = hints.iter().flat_map(|(keys, _)| keys.split(' ')).filter(|key| *key != "type");
            for key in keys {
                let mut clicked = built(columns, rows);
                click_on(&mut clicked, is_key(key));
                let mut pressed = built(columns, rows);
                pressed.press(key);
                assert_eq!(standing(&clicked), standing(&pressed), "{key} in {name}");
            }
        }
    }
}

#[test]
fn a_label_is_clickable_only_if_it_has_a_single_key() {
    let mut harness = editing::form(80, 24);
    let cancel = place(&targets(&harness), is_key("esc"));
    assert_eq!(usize::from(cancel.width), "esc cancel".len());
    click_at(&mut harness, cancel.x + cancel.width - 1, cancel.y);
    assert!(harness.state.screen.layers.is_empty());
    let harness = looking::palette(80, 24);
    let down = place(&targets(&harness), is_key("down"));
    assert_eq!(usize::from(down.width), "down".len());
    assert_eq!(targets(&harness).at(down.x + down.width + 2, down.y), Some(Target::Nothing));
}

#[test]
fn nothing_below_a_dialog_can_be_clicked() {
    for (name, _, built) in DIALOGS {
        let harness = built(80, 24);
        let actions = targets(&harness).iter().filter(|(_, target)| matches!(target, Target::Action(_))).count();
        let in_the_row = matches!(harness.state.screen.layers.last(), Some(Layer::Renaming(_)));
        assert!(actions == 0 || in_the_row, "{name}");
        let mut harness = harness;
        let before = standing(&harness);
        for target in targets(&harness).iter().filter(|(_, target)| matches!(target, Target::Action(_))) {
            click_at(&mut harness, target.0.x, target.0.y);
        }
        assert_eq!(standing(&harness), before, "{name}");
    }
}

#[test]
fn every_cell_of_every_dialog_survives_a_click_at_every_size() {
    for (.., built) in DIALOGS {
        for (columns, rows) in [(0, 0), (1, 1), (12, 5), (59, 14), (60, 15), (81, 25)] {
            let mut harness = built(80, 24);
            harness.event(Event::Resized(columns, rows));
            let targets = targets(&harness);
            for (area, _) in targets.iter() {
                assert!(area.x + area.width <= columns && area.y + area.height <= rows, "{area:?}");
            }
            for row in 0..rows {
                for column in (0..columns).step_by(3) {
                    let event = targets.event(mouse(MouseKind::Click, column, row));
                    harness.event(event);
                }
            }
        }
    }
}

#[test]
fn a_click_chooses_a_line_and_a_second_one_is_enter() {
    let lists: [fn(u16, u16) -> Harness; 5] =
        [looking::palette, editing::parents, places::profiles, requests::requests, looking::findings];
    for built in lists {
        let items = |harness: &Harness| {
            let items = targets(harness)
                .iter()
                .filter_map(|(area, target)| match target {
                    Target::Item { item, .. } => Some((*area, item.clone())),
                    _ => None,
                })
                .collect::<Vec<_>>();
            assert!(items.len() > 1, "{}", picture(harness));
            items
        };
        let lines = items(&built(120, 40)).len();
        for at in 0..lines {
            let mut harness = built(120, 40);
            harness.press("up pageup");
            let (area, item) = items(&harness)[at].clone();
            if at > 0 {
                let effects = harness.effects.len();
                click_at(&mut harness, area.x, area.y);
                assert_eq!(harness.effects.len(), effects, "choosing does nothing");
                assert_eq!(harness.state.screen.layers.len(), 1);
                assert_eq!(items(&harness)[at], (area, item.clone()), "the line stays under the mouse");
            }
            let mut pressed = built(120, 40);
            pressed.press("up pageup");
            if at > 0 {
                click_at(&mut pressed, area.x, area.y);
            }
            pressed.press("enter");
            click_at(&mut harness, area.x, area.y);
            assert_eq!(standing(&harness), standing(&pressed), "{item:?}");
        }
    }
}

#[test]
fn a_click_in_a_review_chooses_and_never_sends() {
    for built in [plans::review, plans::gathered] {
        let mut harness = built(120, 40);
        let last = targets(&harness);
        let (area, item) = last
            .iter()
            .filter_map(|(area, target)| match target {
                Target::Item { item, .. } => Some((*area, item.clone())),
                _ => None,
            })
            .last()
            .unwrap();
        let effects = harness.effects.len();
        for _ in 0..3 {
            click_at(&mut harness, area.x, area.y);
        }
        match harness.state.screen.layers.last() {
            Some(Layer::Review(review)) => assert!(review.list.chosen > 0),
            Some(Layer::Queue(pane)) => assert_eq!(pane.selected(&harness.state).map(ListItem::Change), Some(item)),
            other => panic!("{other:?}"),
        }
        assert_eq!(harness.effects.len(), effects);
    }
}

#[test]
fn a_click_selects_its_item_even_if_the_line_moved() {
    let mut harness = requests::requests(120, 40);
    let before = targets(&harness);
    let (area, item) = before
        .iter()
        .filter_map(|(area, target)| match target {
            Target::Item { item: ListItem::Request(number), .. } => Some((*area, *number)),
            _ => None,
        })
        .nth(1)
        .unwrap();
    // A request is made between the frame and the click.
    harness.request_finished(exchange("/segments/late"));
    harness.event(before.event(mouse(MouseKind::Click, area.x, area.y)));
    harness.press("enter");
    let Some(Layer::Requests(pane)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    let opened = &pane.open.as_ref().unwrap().exchange;
    let meant = harness.state.side.requests.newest_first().find(|logged| logged.number == item).unwrap();
    assert_eq!(opened.url, meant.exchange.url);
}

#[test]
fn a_click_meant_for_another_dialog_does_nothing() {
    // By the time of the click on one deletion dialog, another one is open.
    let mut harness = live();
    harness.press("j d");
    let deletion = targets(&harness);
    let enter = place(&deletion, is_key("enter"));
    let click = deletion.event(mouse(MouseKind::Click, enter.x, enter.y));
    harness.press("esc G k d");
    let before = standing(&harness);
    harness.event(click.clone());
    assert_eq!(standing(&harness), before);
    harness.press("esc");
    let before = standing(&harness);
    harness.event(click);
    assert_eq!(standing(&harness), before);
}

#[test]
fn a_click_on_a_key_that_changed_its_meaning_does_nothing() {
    // The list of requests and a single request are the same dialog.
    let mut harness = requests::requests(120, 40);
    let list = targets(&harness);
    let close = place(&list, is_key("esc"));
    harness.press("enter");
    let before = standing(&harness);
    harness.event(list.event(mouse(MouseKind::Click, close.x, close.y)));
    assert_eq!(standing(&harness), before, "it said close, and now it leads back to the list");
}

#[test]
fn a_double_click_does_not_act_on_what_it_opened() {
    let mut harness = plans::queue(120, 40);
    let before = targets(&harness);
    let chosen = place(&before, |target| matches!(target, Target::Item { .. }));
    click_at(&mut harness, chosen.x, chosen.y);
    assert!(!matches!(harness.state.screen.layers.last(), Some(Layer::Queue(_))), "it is decided about");
    let before = standing(&harness);
    click_at(&mut harness, chosen.x, chosen.y);
    assert_eq!(standing(&harness), before);
    // The same for the key that closes: the row of the tree below is not selected.
    let mut harness = live();
    harness.press("j d");
    let cancel = click_on(&mut harness, is_key("esc"));
    let before = standing(&harness);
    click_at(&mut harness, cancel.x, cancel.y);
    assert_eq!(standing(&harness), before);
    harness.wait(1);
    click_at(&mut harness, cancel.x, cancel.y);
}

#[test]
fn a_click_puts_the_cursor_at_the_clicked_letter() {
    let is_field = |field: Field| move |target: &Target| matches!(target, Target::Field { name: FieldName::Segment(other), cell: 0 } if *other == field);
    let mut harness = live();
    harness.press("j e");
    let external_id = place(&targets(&harness), is_field(Field::ExternalId));
    click_at(&mut harness, external_id.x + 2, external_id.y);
    harness.type_text("_");
    let name = place(&targets(&harness), is_field(Field::Name));
    click_at(&mut harness, name.x + 3, name.y);
    harness.type_text("!");
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    assert_eq!((form.name.text(), form.external_id.text()), ("Exp!ort", "X-_export"));
    // The label belongs to the field as well, and a click on the parent gives it the focus.
    click_at(&mut harness, name.x - 5, name.y + 2);
    let Some(Layer::Form(form)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    assert_eq!(form.focus, Field::Parent);
    harness.press("esc r");
    let row = place(&targets(&harness), |target| matches!(target, Target::Field { name: FieldName::Only, .. }));
    click_at(&mut harness, row.x + 1, row.y);
    harness.type_text("!");
    let Some(Layer::Renaming(renaming)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    assert_eq!(renaming.name.text(), "E!xport");
}

#[test]
fn a_click_in_a_scrolled_field_hits_the_visible_letter() {
    let mut harness = live();
    harness.press("/");
    harness.type_text(&format!("{}z", "abcdefghij".repeat(20)));
    let field = place(&targets(&harness), |target| matches!(target, Target::Field { .. }));
    let row = picture(&harness).lines().nth(usize::from(field.y)).unwrap().trim_matches('"').to_owned();
    let shown = row.chars().nth(usize::from(field.x) + 7).unwrap();
    click_at(&mut harness, field.x + 7, field.y);
    harness.press("delete");
    harness.type_text("|");
    let Some(Layer::Find(prompt)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    let at = prompt.text.text().find('|').unwrap();
    assert_eq!(shown, char::from(b"abcdefghij"[at % 10]), "{row}");
}

#[test]
fn the_values_of_a_conflict_are_chosen_by_a_click() {
    let mut harness = plans::changed_by_both(120, 40);
    let mut keys = plans::changed_by_both(120, 40);
    let theirs = |target: &Target| matches!(target, Target::Side(0, crate::app::KeptSide::Theirs));
    click_on(&mut harness, theirs);
    let Some(Layer::Conflict(conflict)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    assert_eq!(conflict.row, 0);
    // The dialog starts at the first row.
    keys.press("h");
    assert_eq!(standing(&harness), standing(&keys));
}

#[test]
fn a_click_on_a_hint_of_the_footer_does_what_its_key_does() {
    for keys in ["", "j", "space", "x", "/ l o enter", "tab tab", "S j r ! enter", "+"] {
        let built = || {
            let mut harness = Harness::with_segments(200, 40, wholesale());
            if !keys.is_empty() {
                harness.press(keys);
            }
            harness.wait(60);
            harness
        };
        let drawn = built();
        let footer = drawn.state.layout().footer.y;
        let hints: Vec<(Area, Action)> = targets(&drawn)
            .iter()
            .filter_map(|(area, target)| match target {
                Target::Action(action) if area.y == footer => Some((*area, *action)),
                _ => None,
            })
            .collect();
        assert!(keys == "+" || hints.len() > 3, "{keys}: {}", picture(&drawn));
        for (area, action) in hints {
            let mut clicked = built();
            click_at(&mut clicked, area.x + area.width - 1, area.y);
            let mut pressed = built();
            let key = pressed.keymap.keys(action).next().unwrap();
            pressed.press(&key);
            assert_eq!(standing(&clicked), standing(&pressed), "{action:?} after {keys}");
        }
    }
}

#[test]
fn the_keys_in_a_message_are_clicked() {
    let mut harness = live();
    harness.press("p");
    assert_eq!(harness.message(), "Nothing to paste. Press x to cut first");
    click_on(&mut harness, is_action(Action::Cut));
    assert_eq!(harness.state.tree.picks.cut.len(), 1);
    // Only the keys in the message are clickable, and not while a dialog is open.
    let at = place(&targets(&harness), is_action(Action::Paste));
    assert_eq!((at.width, at.y), (1, harness.state.layout().footer.y));
    click_on(&mut harness, is_action(Action::Dismiss));
    assert!(harness.state.tree.picks.cut.is_empty());
    harness.press("x j x e");
    assert!(targets(&harness).iter().all(|(_, target)| !matches!(target, Target::Action(_))));
    // A message of several lines.
    let mut harness = Harness::with_segments(60, 20, wholesale());
    harness.press("j x");
    let paste = click_on(&mut harness, is_action(Action::Paste));
    assert!(paste.y <= harness.state.layout().footer.y, "{}", picture(&harness));
    assert!(harness.message().starts_with("Can't paste Export here"), "{}", harness.message());
}

#[test]
fn headings_sort_and_header_warnings_open_on_click() {
    let mut harness = live();
    for (action, order) in [
        (Action::SortByExternalId, Order::ExternalId),
        (Action::SortByDescendants, Order::Descendants),
        (Action::SortByName, Order::Name),
    ] {
        click_on(&mut harness, is_action(action));
        assert_eq!(harness.state.tree.forest.order(), order);
    }
    harness.press("S j r ! enter");
    let staging = click_on(&mut harness, |target| *target == Target::Action(Action::Stage));
    assert_eq!(staging.y, 0);
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Queue(_)]));
    let header = picture(&harness).lines().next().unwrap().to_owned();
    let from = header.trim_start_matches('"').chars().skip(usize::from(staging.x));
    assert_eq!(from.take(usize::from(staging.width)).collect::<String>(), "STAGING 1");
    // A click on the word doesn't end staging while nothing is staged.
    let mut harness = live();
    harness.press("S");
    click_on(&mut harness, is_action(Action::ShowPending));
    assert!(harness.state.changes.is_staging() && matches!(harness.state.screen.layers.as_slice(), [Layer::Queue(_)]));
    // The same for a problem.
    let mut harness = plans::changed_by_both(120, 40);
    harness.press("esc");
    harness.wait(60);
    let problem = click_on(&mut harness, is_action(Action::Resolve));
    assert_eq!(problem.y, 0);
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Conflict(_)]));
}

#[test]
fn a_continuation_of_a_sequence_can_be_clicked() {
    let mut harness = live();
    harness.press("z");
    click_on(&mut harness, is_action(Action::FoldToLevel(0)));
    assert_eq!(harness.state.tree.forest.row_count(), 11);
    assert!(harness.state.screen.pressed.is_empty());
    harness.press("b h G b v g g '");
    assert!(picture(&harness).contains("h Hurtownie"), "{}", picture(&harness));
    click_on(&mut harness, |target| *target == Target::Bookmark('v'));
    assert!(harness.state.screen.layers.is_empty());
    assert_eq!(harness.selected(), "Orphan of nobody");
}

#[test]
fn the_wheel_scrolls_a_list_and_the_choice_stays() {
    let mut harness = live();
    harness.press(":");
    let scrolled = |harness: &mut Harness, kind: MouseKind| {
        let event = targets(harness).event(mouse(kind, 10, 10));
        harness.event(event);
        picture(harness)
    };
    let first = picture(&harness);
    let down = scrolled(&mut harness, MouseKind::ScrollDown);
    assert_ne!(down, first);
    for _ in 0..200 {
        scrolled(&mut harness, MouseKind::ScrollDown);
    }
    let end = picture(&harness);
    // At the end, one turn back is visible at once.
    assert_ne!(scrolled(&mut harness, MouseKind::ScrollUp), end);
    let Some(Layer::Palette(palette)) = harness.state.screen.layers.last() else { panic!("it is closed") };
    assert_eq!(palette.list.chosen, 0);
    for _ in 0..200 {
        scrolled(&mut harness, MouseKind::ScrollUp);
    }
    assert_eq!(picture(&harness), first);
    // A key scrolls back to the chosen line.
    scrolled(&mut harness, MouseKind::ScrollDown);
    harness.press("down up");
    assert_eq!(picture(&harness), first);
    for (built, kind) in [
        (editing::parents as fn(u16, u16) -> Harness, MouseKind::ScrollDown),
        (requests::requests, MouseKind::ScrollDown),
    ] {
        let mut harness = built(80, 24);
        let before = standing(&harness);
        scrolled(&mut harness, kind);
        assert_eq!(standing(&harness), before);
    }
}

#[test]
fn the_profile_form_is_clickable_without_a_session() {
    let mut form = places::new_profile(OpenedFrom::FirstRun);
    let drawn = |form: &NewProfile| {
        let harness = Harness::new(80, 24);
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let mut targets = Targets::default();
        let look = Look { theme: &usual(), keymap: &harness.keymap };
        terminal.draw(|frame| targets = draw_new_profile(form, look, frame)).unwrap();
        targets
    };
    let fields: Vec<ProfileField> = form.fields().filter(|field| form.is_editable(*field)).collect();
    assert!(fields.len() > 4, "{fields:?}");
    for field in fields {
        let targets = drawn(&form);
        let area = place(
            &targets,
            |target| matches!(target, Target::Field { name: FieldName::Profile(other), .. } if *other == field),
        );
        let Event::Clicked(click) = targets.event(mouse(MouseKind::Click, area.x, area.y)) else { panic!("no target") };
        form.handle(FormEvent::Clicked(click.target));
        assert_eq!(form.focus, field);
    }
    let keeping = form.key_location;
    for _ in 0..2 {
        let area = Target::Field { name: FieldName::Profile(ProfileField::KeyLocation), cell: 0 };
        form.handle(FormEvent::Clicked(area));
    }
    assert_ne!(form.key_location, keeping, "the second click changes it");
    for (keys, label) in form.keys() {
        for key in keys.split(' ') {
            let area = place(&drawn(&form), is_key(key));
            let target = drawn(&form).at(area.x, area.y).unwrap();
            let (mut clicked, mut pressed) = (form.clone(), form.clone());
            let by_click = format!("{:?}", clicked.handle(FormEvent::Clicked(target)));
            let key: Key = parse_sequence(key).unwrap()[0];
            let by_key = format!("{:?}", pressed.handle(FormEvent::Key(key)));
            assert_eq!((by_click, format!("{clicked:?}")), (by_key, format!("{pressed:?}")), "{label}");
        }
    }
}
