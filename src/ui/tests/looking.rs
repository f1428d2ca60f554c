//! Finding segments, actions and keys, and messages in the last line.

use crate::action::Action;
use crate::app::harness::{Harness, id, named, segment, wholesale};
use crate::app::{Event, Layer, Mouse, MouseKind};
use crate::remote::{Call, Fault, RemoteError};
use crate::sync::{self, ListProgress, Phase};

use super::picture::{picture, scene};

pub(super) fn live(columns: u16, rows: u16) -> Harness {
    Harness::with_segments(columns, rows, wholesale())
}

/// A screen after these keys.
fn after(columns: u16, rows: u16, keys: &str) -> Harness {
    let mut harness = live(columns, rows);
    harness.press(keys);
    harness
}

/// A screen after these keys and some typed text.
fn typed(columns: u16, rows: u16, keys: &str, text: &str) -> Harness {
    let mut harness = after(columns, rows, keys);
    harness.type_text(text);
    harness
}

pub(super) fn search(columns: u16, rows: u16) -> Harness {
    typed(columns, rows, "/", "lod")
}

#[test]
fn a_search_is_typed_in_the_last_line() {
    scene("search_before_a_word", |columns, rows| after(columns, rows, "/"));
    scene("search", search);
    scene("search_in_vain", |columns, rows| typed(columns, rows, "/", "lodddd"));
}

#[test]
fn matches_are_highlighted_in_the_tree_and_counted() {
    scene("found", |columns, rows| {
        let mut harness = typed(columns, rows, "/", "lod");
        harness.press("enter");
        harness
    });
}

pub(super) fn jump(columns: u16, rows: u16) -> Harness {
    typed(columns, rows, "f", "X-zg")
}

#[test]
fn an_exact_id_is_typed_in_the_last_line() {
    scene("jump", jump);
    scene("jump_in_vain", |columns, rows| {
        let mut harness = typed(columns, rows, "f", "X-zg");
        harness.press("enter");
        harness
    });
}

pub(super) fn bookmark(columns: u16, rows: u16) -> Harness {
    after(columns, rows, "b")
}

pub(super) fn to_bookmark(columns: u16, rows: u16) -> Harness {
    after(columns, rows, "b h j b e '")
}

#[test]
fn a_letter_is_asked_for_in_the_last_line() {
    scene("bookmark", bookmark);
    scene("to_bookmark", to_bookmark);
}

pub(super) fn palette(columns: u16, rows: u16) -> Harness {
    typed(columns, rows, ":", "undo")
}

#[test]
fn the_palette_shows_the_key_or_why_an_action_cant_act() {
    scene("palette_of_all", |columns, rows| after(columns, rows, ":"));
    scene("palette", palette);
    scene("palette_in_vain", |columns, rows| typed(columns, rows, ":", "qqqq"));
}

/// The actions for a row, some of them unavailable.
pub(super) fn actions_of_a_row(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    let tree = harness.state.layout().tree;
    let mouse = Mouse { kind: MouseKind::RightClick, column: tree.x + 12, row: tree.y + 1 };
    harness.event(Event::Mouse(mouse));
    harness
}

#[test]
fn a_right_click_lists_the_actions_of_a_row() {
    scene("actions_of_a_row", actions_of_a_row);
    let mut harness = actions_of_a_row(120, 40);
    harness.press("esc space");
    let tree = harness.state.layout().tree;
    harness.event(Event::Mouse(Mouse { kind: MouseKind::RightClick, column: tree.x + 12, row: tree.y + 1 }));
    assert!(picture(&harness).contains("╭ Actions: Export · 1 marked ─"), "{}", picture(&harness));
}

pub(super) fn findings(columns: u16, rows: u16) -> Harness {
    let mut segments = wholesale();
    segments.push(named("padded", "Częstochowa ", Some("lodzkie")));
    segments.push(named("twin", "ZGIERZ", Some("lodzkie")));
    segments.push(named("mixed", "VIP Кlient", None));
    segments.push(named("loop-a", "Loop A", Some("loop-b")));
    segments.push(named("loop-b", "Loop B", Some("loop-a")));
    let mut harness = Harness::with_segments(columns, rows, segments);
    harness.press("C j j j j j");
    harness
}

/// A tree without findings.
pub(super) fn no_findings(columns: u16, rows: u16) -> Harness {
    let segments = wholesale().into_iter().filter(|segment| segment.id != id("orphan")).collect();
    let mut harness = Harness::with_segments(columns, rows, segments);
    harness.press("C");
    harness
}

#[test]
fn findings_are_a_list() {
    scene("findings", findings);
    scene("no_findings", no_findings);
}

pub(super) fn help(columns: u16, rows: u16) -> Harness {
    after(columns, rows, "?")
}

#[test]
fn the_help_lists_every_action() {
    scene("help", help);
    let mut harness = live(120, 40);
    harness.press("? G");
    let (_, _, last) = harness.keymap.help().pop().unwrap();
    assert!(picture(&harness).contains(last), "the end is not reached");
    let mut harness = live(200, 60);
    harness.press("?");
    let picture = picture(&harness);
    for (_, _, help) in harness.keymap.help() {
        assert!(picture.contains(help), "{help} is missing");
    }
}

#[test]
fn the_footer_and_the_help_show_configured_keys() {
    let keys = [("f1", Action::Help), ("ctrl-x a", Action::AddChild), ("f5", Action::Refresh)];
    let mut harness = live(200, 60).with_keys(&keys);
    let main = picture(&harness);
    assert!(main.contains("ctrl-x a add  "), "{main}");
    assert!(main.contains("f1 help"), "{main}");
    harness.press("f1");
    let help = picture(&harness);
    assert!(help.contains("f1                 Help: keys"), "{help}");
    assert!(help.contains("ctrl-x a           Add child"), "{help}");
    assert!(!help.contains("ctrl-r"), "{help}");
}

#[test]
fn help_over_a_dialog_starts_with_the_dialogs_keys() {
    let mut harness = live(80, 24);
    harness.press("S j r ctrl-u");
    harness.type_text("Renamed");
    harness.press("enter Q f1");
    let help = picture(&harness);
    assert!(help.find("In this dialog") < help.find("On the main screen:"), "{help}");
    let Some(queue @ Layer::Queue(_)) = harness.state.screen.layers.first() else { panic!("the queue is beneath") };
    for (_, what) in queue.keys(&harness.state, &harness.keymap) {
        assert!(help.contains(what), "{what} is missing: {help}");
    }
    harness.press("G");
    let (_, _, last) = harness.keymap.help().pop().unwrap();
    let end = picture(&harness);
    assert!(end.contains(last), "the end is not reached: {end}");
    harness.press("esc");
    assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::Queue(_)]));
}

#[test]
fn a_started_sequence_shows_its_continuations() {
    scene("begun_copying", |columns, rows| after(columns, rows, "y"));
    scene("begun_folding", |columns, rows| after(columns, rows, "z"));
}

#[test]
fn a_long_message_takes_more_than_the_last_line() {
    scene("message", |columns, rows| after(columns, rows, "j x"));
    scene("message_of_a_key_without_an_action", |columns, rows| after(columns, rows, "f12"));
    scene("message_too_long_for_a_line", |columns, rows| {
        let mut harness = live(columns, rows);
        let error = RemoteError {
            call: Call::Update(id("bea69b98-8e6c-4914-8558-3427e8dda86d")),
            fault: Fault::Unreachable { reason: "connection refused by the gateway of the other data centre".into() },
        };
        let progress = ListProgress { segments: 3, pages: 1, ..ListProgress::default() };
        harness.sync_event(sync::Event::PhaseChanged(Phase::Stalled {
            error,
            retry_in: std::time::Duration::from_secs(8),
            progress,
        }));
        harness
    });
}

#[test]
fn the_path_is_shown_when_the_parent_is_out_of_sight() {
    let mut many = wholesale();
    many.extend((0..60).map(|at| segment(&format!("below {at:02}"), Some("pl"))));
    let mut harness = Harness::with_segments(100, 20, many);
    harness.press("* G k k k k");
    let picture = picture(&harness);
    assert!(picture.lines().nth(1).unwrap().contains("Hurtownie › Polska"), "{picture}");
}

#[test]
fn a_single_match_is_counted_in_the_singular() {
    // The match is found, but not selected yet.
    let mut harness = Harness::large(120, 40, wholesale());
    harness.press("/");
    harness.type_text("zgierz");
    let search = harness.state.tree.search.as_mut().expect("it is sought");
    assert_eq!(search.matches, 1);
    search.current = None;
    let footer = picture(&harness).lines().last().unwrap_or_default().to_owned();
    assert!(footer.contains(" 1 match ") && !footer.contains("matches"), "{footer}");
}
