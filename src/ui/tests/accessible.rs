//! Screen-reader mode: the cursor marks the focus, only words are drawn, and nothing changes by itself.

use proptest::prelude::*;
use ratatui::layout::Position;

use crate::app::harness::{Harness, exchange, named, wholesale};
use crate::app::{FormEvent, Layer, OpenedFrom, Pane};
use crate::keymap::parse_sequence;
use crate::remote::{Call, Context, Fault, RemoteError};
use crate::segment::{Field, Step};
use crate::sync::{self, ListProgress, Phase};

use super::super::{Symbols, Theme, ThemeName};
use super::keys::DIALOGS;
use super::picture::{Drawn, form_drawn};
use super::{editing, looking, places, plans};

const fn spoken() -> Theme {
    Theme::new(ThemeName::Dark, Symbols::WORDS)
}

/// The lines of the screen, and the position of the cursor.
fn read(drawn: &impl Drawn) -> (Vec<String>, Option<Position>) {
    let terminal = drawn.drawn(&spoken());
    let backend = terminal.backend();
    let width = usize::from(backend.buffer().area.width).max(1);
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    let lines = backend.buffer().content().chunks(width).map(|cells| line(cells).trim_end().to_owned()).collect();
    (lines, backend.cursor_visible().then(|| backend.cursor_position()))
}

/// The text with a mark at the cursor.
fn picture(drawn: &impl Drawn) -> String {
    let (mut lines, cursor) = read(drawn);
    if let Some(Position { x, y }) = cursor {
        let line = &mut lines[usize::from(y)];
        let mut cells: Vec<char> = line.chars().collect();
        cells.resize(cells.len().max(usize::from(x)), ' ');
        cells.insert(usize::from(x), '▏');
        *line = cells.into_iter().collect();
    }
    lines.into_iter().fold(String::new(), |text, line| text + "|" + &line + "\n")
}

/// The text from the cursor to the end of its line.
fn at_cursor(drawn: &impl Drawn) -> String {
    let (lines, cursor) = read(drawn);
    let Some(Position { x, y }) = cursor else { return "(hidden)".into() };
    lines[usize::from(y)].chars().skip(usize::from(x)).collect()
}

fn live() -> Harness {
    looking::live(80, 24).with_screen_reader()
}

#[test]
fn the_main_screen_and_what_opens_over_it_are_words() {
    let mut main = live();
    main.press("j space");
    insta::assert_snapshot!("accessible_main", picture(&main));
    for (name, built) in [
        ("form", editing::form as fn(u16, u16) -> Harness),
        ("deletion", editing::deletion),
        ("parents", editing::parents),
        ("review", plans::review),
        ("pending", plans::queue),
        ("conflict", plans::changed_by_both),
        ("palette", looking::palette),
        ("findings", looking::findings),
        ("help", looking::help),
        ("profiles", places::profiles),
    ] {
        insta::assert_snapshot!(format!("accessible_{name}"), picture(&built(80, 24).with_screen_reader()));
    }
    let form = places::new_profile(OpenedFrom::FirstRun);
    insta::assert_snapshot!("accessible_first_run", picture(&(form, 80, 24)));
}

/// Symbols in a text: all but letters, digits, ASCII, quotation marks and `…`. The names of these segments have none.
fn signs(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_alphanumeric() && !sign.is_ascii() && !"…“”’".contains(*sign)).collect()
}

#[test]
fn dialogs_have_no_borders_or_symbols_and_get_the_cursor() {
    for (name, _, built) in DIALOGS {
        for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
            let harness = built(columns, rows).with_screen_reader();
            let (lines, cursor) = read(&harness);
            assert_eq!(signs(&lines.join("\n")), "", "{name}:\n{}", picture(&harness));
            // Output of a command is kept as it is.
            for line in lines.iter().filter(|_| !name.contains("output")) {
                assert!(!line.trim().contains("  "), "{name} has columns: {line:?}\n{}", picture(&harness));
            }
            assert_ne!(
                lines.last().unwrap().trim(),
                "",
                "{name} says nothing in the last line:\n{}",
                picture(&harness)
            );
            assert!(cursor.is_some(), "{name} hides the cursor:\n{}", picture(&harness));
            assert_ne!(at_cursor(&harness).trim(), "(hidden)", "{name}");
        }
    }
}

/// The last line, and the text at the cursor.
fn last_and_cursor(harness: &Harness) -> (String, String) {
    (read(harness).0.pop().unwrap().trim().to_owned(), at_cursor(harness))
}

#[test]
fn requests_are_sentences_with_their_whole_path() {
    let mut harness = live();
    let path = format!("/segments/synchronization?startId=290&contexts={}", "backoffice,".repeat(6));
    harness.request_finished(exchange(&path));
    harness.request_finished(exchange("/segments/vip"));
    harness.press("L");
    assert!(at_cursor(&harness).starts_with("GET, 200, "), "{}", picture(&harness));
    harness.press("j");
    let whole: String = read(&harness).0.iter().map(|line| line.trim()).collect();
    assert!(whole.contains(&path), "{}", picture(&harness));
    let (last, cursor) = last_and_cursor(&harness);
    assert!(last.contains("2 of 2: GET, 200, "), "{last}");
    assert!(cursor.starts_with("GET, 200, "), "{}", picture(&harness));
    harness.press("enter");
    for line in ["Response: 200", "Size: "] {
        assert!(picture(&harness).contains(line), "{}", picture(&harness));
    }
    harness.press("G");
    assert!(last_and_cursor(&harness).0.contains("16 of 16: }"), "{}", picture(&harness));
}

#[test]
fn the_last_line_has_the_dialogs_title_and_its_chosen_line() {
    let mut harness = live();
    for (keys, last) in [
        ("?", "Keys. 1 of "),
        ("j j", "Keys. 3 of "),
        ("esc :", "Commands. 1 of "),
        ("down", "Commands. 2 of "),
        ("esc d", "Delete Hurtownie"),
        ("esc e", "Edit Hurtownie. Name: Hurtownie"),
        ("tab", "Edit Hurtownie. External ID: X-hurt"),
        ("tab", "Edit Hurtownie. Parent: top level, type to search"),
        ("esc L", "Requests (0)"),
    ] {
        harness.press(keys);
        let (last_line, _) = last_and_cursor(&harness);
        assert!(last_line.starts_with(last), "{keys}: {last_line}");
    }
    // A refused action is reported there too.
    harness.press("y");
    assert_eq!(last_and_cursor(&harness).0, format!("Warning: {}", harness.message()));
}

#[test]
fn the_details_are_read_line_by_line_to_their_end() {
    for rows in [15, 24, 40] {
        let mut harness = looking::live(80, rows).with_screen_reader();
        harness.press("tab");
        let mut facts = Vec::new();
        for _ in 0..20 {
            let (last, cursor) = last_and_cursor(&harness);
            let fact = last.split_once(": ").unwrap().1.to_owned();
            assert_eq!(fact, cursor, "{}", picture(&harness));
            facts.push(fact);
            harness.press("j");
        }
        facts.dedup();
        let expected = [
            "Details of Hurtownie",
            "External ID: X-hurt",
            "ID: hurt",
            "Parent: none, it is at the top level",
            "Path: Hurtownie",
            "Children: 2",
            "Descendants: 6",
            "By depth: 2, then 2, then 2",
            "Changed: not this session",
            "Largest children:",
            "Polska, 4 below",
        ];
        assert_eq!(facts, expected, "at {rows} rows");
        // When the next pane gets the focus, they are shown from the top.
        harness.press("tab");
        assert!(picture(&harness).contains("| Details of Hurtownie"), "{}", picture(&harness));
    }
}

#[test]
fn the_next_pane_and_how_to_show_hidden_ones_are_announced() {
    let mut harness = live();
    harness.press("tab tab");
    assert_eq!(harness.message(), "The tree has the focus. Press t a to show the activity");
    harness.press("t d tab");
    assert_eq!(harness.message(), "Only the tree is shown. Press t d to show the details, t a to show the activity");
    harness.press("t a");
    assert_eq!(harness.message(), "");
    harness.changed(None, Some(&named("new", "New", None)));
    harness.press("tab");
    assert_eq!(last_and_cursor(&harness).0, "Activity: 12:41:07, created New");
    harness.press("tab");
    assert!(last_and_cursor(&harness).0.starts_with("Hurtownie, level 1, "), "{}", picture(&harness));
}

#[test]
fn moving_and_folding_update_the_last_line() {
    let mut harness = live();
    let last = |harness: &Harness| read(harness).0.pop().unwrap();
    assert!(last(&harness).starts_with(" Hurtownie, level 1, 2 children, expanded, external ID"), "{}", last(&harness));
    harness.press("j");
    assert!(last(&harness).starts_with(" Export, level 2, no children, external ID X-export"), "{}", last(&harness));
    harness.press("j");
    assert_eq!(at_cursor(&harness), "Polska, collapsed, external ID X-pl, 4 below");
    assert!(last(&harness).starts_with(" Polska, level 2, 2 children, collapsed, "), "{}", last(&harness));
    harness.press("l");
    assert!(last(&harness).starts_with(" Polska, level 2, 2 children, expanded, "), "{}", last(&harness));
    harness.press("h h");
    assert!(last(&harness).starts_with(" Hurtownie, level 1, 2 children, expanded, "), "{}", last(&harness));
}

#[test]
fn others_changes_are_announced_until_the_next_key() {
    let mut harness = live();
    harness.wait(10);
    let before = named("vip", "VIP Client", None);
    let now = named("vip", "VIP Klient", None);
    harness.changed_by(&[Context::Backoffice], Some(&before), Some(&now));
    let expected = "VIP Klient was changed by back office: name VIP Client to VIP Klient";
    assert_eq!(harness.message(), expected);
    harness.wait(600);
    assert_eq!(harness.message(), expected, "it stays until something happens");
    harness.changed(Some(&now), Some(&before));
    assert_eq!(
        harness.message(),
        "VIP Client was changed: name VIP Klient to VIP Client, and 1 change before",
        "the newest is said, and how much there was since the last key"
    );
    harness.press("j");
    assert_eq!(harness.message(), "");
    harness.changed(Some(&before), None);
    assert_eq!(harness.message(), "VIP Client was deleted");
    // The user's own changes have their own messages.
    harness.press("r");
    harness.type_text("!");
    harness.press("enter");
    harness.succeed();
    assert!(harness.message().starts_with("Renamed "), "{}", harness.message());
    // That also stays until a key is pressed, with others' changes after it; but a refusal stands alone.
    let renamed = harness.message().to_owned();
    harness.changed(None, Some(&named("new", "New", None)));
    assert_eq!(harness.message(), format!("{renamed}. New was created"));
    harness.changed(Some(&named("new", "New", None)), None);
    assert_eq!(harness.message(), format!("{renamed}. New was deleted, and 1 change before"));
    harness.press("p");
    let refusal = harness.message().to_owned();
    assert!(refusal.starts_with("Nothing to paste"), "{refusal}");
    harness.changed(None, Some(&named("newer", "Newer", None)));
    assert_eq!(harness.message(), refusal);
}

#[test]
fn a_loaded_tree_and_a_lost_server_are_announced() {
    let mut harness = Harness::new(80, 24).with_screen_reader();
    harness.first_list(wholesale());
    assert_eq!(harness.message(), "Loaded 9 segments. Press ? for help");
    harness.sync_event(sync::Event::PhaseChanged(Phase::Live));
    harness.press("j");
    let error =
        RemoteError { call: Call::Changes(Step(7)), fault: Fault::Unreachable { reason: "connection refused".into() } };
    harness
        .sync_event(sync::Event::PhaseChanged(Phase::Offline { error, retry_in: std::time::Duration::from_secs(8) }));
    assert!(harness.message().starts_with("offline: "), "{}", harness.message());
    assert!(picture(&harness).contains("offline since 12:41"), "{}", picture(&harness));
    harness.press("j");
    harness.sync_event(sync::Event::PhaseChanged(Phase::Live));
    assert_eq!(harness.message(), "Reconnected");
}

#[track_caller]
fn assert_stays(harness: &mut Harness) {
    let before = picture(harness);
    assert_eq!(harness.state.next_wake(), None, "nothing is drawn anew");
    for _ in 0..120 {
        harness.wait(1);
        assert_eq!(picture(harness), before);
    }
}

#[test]
fn an_idle_screen_never_changes() {
    let loading = |segments: u64| {
        let elapsed = std::time::Duration::from_millis(3_000 + segments);
        let segments = usize::try_from(segments).unwrap();
        Phase::Loading(ListProgress { segments, pages: 3, elapsed, total: Some(100_000) })
    };
    let mut harness = Harness::new(80, 24).with_screen_reader();
    harness.sync_event(sync::Event::PageReceived(wholesale()));
    harness.sync_event(sync::Event::PhaseChanged(loading(1_500)));
    let before = picture(&harness);
    harness.sync_event(sync::Event::PhaseChanged(loading(41_500)));
    assert_eq!(picture(&harness), before);
    // A message, a recent change, a response that ages, a silent server, and a slow write.
    let mut harness = live();
    harness.changed(None, Some(&named("new", "New", Some("vip"))));
    assert_eq!(harness.message(), "New was created");
    assert_stays(&mut harness);
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    assert_stays(&mut harness);
    harness.succeed();
    assert!(harness.message().starts_with("Renamed "), "{}", harness.message());
    assert_stays(&mut harness);
    for (name, _, built) in DIALOGS {
        let mut harness = built(80, 24).with_screen_reader();
        let before = picture(&harness);
        harness.wait(61);
        assert_eq!(picture(&harness), before, "{name}");
    }
}

#[test]
fn the_profile_form_has_the_cursor_in_the_focused_field() {
    let mut form = places::new_profile(OpenedFrom::FirstRun);
    for _ in 0..12 {
        let theme = spoken();
        let terminal = form_drawn(&form, (80, 24), &theme);
        let at = terminal.backend().cursor_position();
        assert!(terminal.backend().cursor_visible());
        let buffer = terminal.backend().buffer();
        let line: String = (0..80).map(|x| buffer[(x, at.y)].symbol()).collect();
        let label = match form.focus {
            crate::app::ProfileField::BaseUrl => "Base URL",
            crate::app::ProfileField::Tenant => "Tenant",
            crate::app::ProfileField::Name => "Profile",
            crate::app::ProfileField::Key => "API key",
            crate::app::ProfileField::KeyLocation => "Store key in",
            crate::app::ProfileField::Source => "Variable",
        };
        assert!(line.trim_start().starts_with(label), "{label}: {line}");
        form.handle(FormEvent::Key(parse_sequence("tab").unwrap()[0]));
    }
}

/// Keys that reach every part of the screen.
const KEYS: &[&str] = &[
    "j",
    "k",
    "h",
    "l",
    "G",
    "home",
    "enter",
    "esc",
    "tab",
    "backtab",
    "down",
    "up",
    "left",
    "right",
    "pagedown",
    "pageup",
    "space",
    "V",
    "a",
    "A",
    "e",
    "r",
    "m",
    "d",
    "x",
    "p",
    "u",
    "S",
    "Q",
    "L",
    "P",
    "C",
    "?",
    ":",
    "/",
    "f",
    "n",
    "b",
    "'",
    "y",
    "s",
    "t",
    "z",
    "0",
    "2",
    "*",
    "!",
    "ctrl-a",
    "ctrl-n",
    "ctrl-p",
    "ctrl-u",
    "i",
    "c",
    "t a",
    "t d",
    "o",
    "D",
    "R",
    "backspace",
    "f1",
    "z 0",
    "space space e",
    "V j j m",
    "C j",
    "L enter",
];

/// The expected start of the cursor's line, by focus; `None` if it only has to be within the dialog.
fn expected(harness: &Harness) -> Option<String> {
    let state = &harness.state;
    let through_list = state.screen.cursor_in_list;
    let label = |field: Field| {
        let label = match field {
            Field::Name => "Name",
            Field::ExternalId => "External ID",
            Field::Parent => "Parent",
        };
        Some(label.to_owned())
    };
    match state.screen.layers.last()? {
        Layer::Form(form) => label(form.focus),
        Layer::Bulk(edit) => label(edit.focus),
        Layer::Palette(palette) if through_list => {
            let found = palette.matches(&state.side.commands.commands);
            Some(found.get(palette.list.chosen).map_or_else(|| ":".into(), |offer| offer.help.to_owned()))
        }
        Layer::Palette(_) => Some(":".into()),
        Layer::Parents(picker) if through_list => {
            Some(picker.candidates.get(picker.list.chosen).map_or_else(|| "Filter".into(), |found| found.name.clone()))
        }
        Layer::Parents(_) => Some("Filter".into()),
        Layer::Profiles(list) if through_list => {
            let profiles = &state.side.profiles;
            Some(list.matches(profiles).get(list.list.chosen).map_or("/", |choice| profiles.title(choice)).to_owned())
        }
        Layer::Profiles(_) | Layer::Find(_) => Some("/".into()),
        Layer::Jump(_) => Some("f".into()),
        Layer::Renaming(renaming) => Some(renaming.name.text().chars().take(6).collect()),
        _ => None,
    }
}

#[track_caller]
fn assert_cursor_where_the_keys_go(harness: &Harness) {
    let (lines, cursor) = read(harness);
    let picture = || picture(harness);
    let Some(at) = cursor else { unreachable!("the cursor is hidden:\n{}", picture()) };
    let line = lines[usize::from(at.y)].trim_start();
    let state = &harness.state;
    let layout = state.layout();
    if let Some(expected) = expected(harness) {
        // A long text is cut, and trailing blanks can't be seen.
        let begins: String = expected.trim().chars().take(30).collect();
        assert!(line.starts_with(&begins), "the cursor should be on {expected:?}:\n{}", picture());
    } else if let Some(layer) = state.screen.layers.last() {
        let kind = format!("{layer:?}").chars().take_while(|letter| letter.is_alphabetic()).collect::<String>();
        assert!(!line.is_empty(), "the cursor of {kind} is on an empty line:\n{}", picture());
        let types = matches!(layer, Layer::Requests(_) | Layer::Review(_) | Layer::NewProfile(_));
        let begins = lines[usize::from(at.y)].chars().take(usize::from(at.x)).all(char::is_whitespace);
        assert!(begins || types, "the cursor of {kind} is within a line:\n{}", picture());
    } else if !state.screen.pressed.is_empty() {
        assert!(line.contains('…'), "the cursor should be on the begun sequence:\n{}", picture());
    } else if state.screen.panes.focus == Pane::Activity && layout.activity.is_some() {
        let activity = layout.activity.unwrap();
        assert!(activity.contains(at.x, at.y), "{}", picture());
    } else if let Some(details) = layout.details.filter(|_| state.screen.panes.focus == Pane::Details) {
        assert!(details.contains(at.x, at.y), "{}", picture());
        if state.screen.message.is_none() {
            assert!(lines.last().unwrap().starts_with(" Details, "), "{}", picture());
        }
    } else if let Some(segment) = state.selected_segment() {
        let name: String = segment.name.chars().take(8).collect();
        assert!(at_cursor(harness).starts_with(&name), "the cursor should be on {name:?}:\n{}", picture());
        assert!(layout.tree.contains(at.x, at.y), "{}", picture());
        let row = state.shown_position(state.tree.view.selected.as_ref().unwrap()).unwrap();
        assert_eq!(usize::from(at.y - layout.tree.y), row - state.tree.view.offset, "{}", picture());
        if state.screen.message.is_none() {
            let last = lines.last().unwrap();
            assert!(last.starts_with(&format!(" {name}")) && last.contains(", level "), "{}", picture());
        }
    }
    assert_eq!(signs(&lines.join("\n")), "", "{}", picture());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is pressed, typed and changed by others, the cursor marks the focus after each key.
    #[test]
    fn the_cursor_marks_the_focus(
        keys in prop::collection::vec((prop::sample::select(KEYS), 0_u8..8), 1..50),
        rows in prop::sample::select(&[15_u16, 24, 40][..]),
    ) {
        let mut harness = looking::live(80, rows).with_screen_reader();
        harness.state.side.profiles = places::some_profiles();
        harness.request_finished(exchange("/segments/vip"));
        for (number, (keys, what)) in keys.into_iter().enumerate() {
            harness.press(keys);
            assert_cursor_where_the_keys_go(&harness);
            if what == 0 {
                harness.changed(None, Some(&named(&format!("new {number}"), &format!("Nowy {number}"), Some("pl"))));
                assert_cursor_where_the_keys_go(&harness);
            }
        }
    }
}

#[test]
fn a_long_name_has_the_whole_line_while_it_is_typed() {
    let mut harness = live();
    harness.press("r");
    harness.type_text(&"x".repeat(60));
    assert!(picture(&harness).contains(&"x".repeat(60)), "{}", picture(&harness));
}
