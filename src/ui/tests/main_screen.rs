//! The main screen: header, tree, details, activity and footer.

use std::sync::Arc;

use ratatui::style::Color;

use crate::app::harness::{Harness, named, segment, wholesale};
use crate::app::{Access, Event, Mouse, MouseKind, Pane};
use crate::remote::{Call, Context, Fault, RemoteError};
use crate::segment::{Pattern, Segment, Step};
use crate::sync::{self, ListProgress, Phase};

use super::super::{Symbols, Theme, ThemeName};
use super::looking::live;
use super::picture::{Drawn, SIZES, assert_ascii, picture, picture_in, scene, scene_at, usual};
use super::plans;

/// A tree with recent changes, a pending write and a mark.
pub(super) fn busy(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("z 3");
    let before = named("vip", "VIP Klient", None);
    harness.changed(Some(&before), Some(&named("vip", "VIP Client", None)));
    harness.wait(2);
    harness.changed(None, Some(&named("cz", "Česko", Some("export"))));
    harness.press("j r");
    harness.type_text("u");
    harness.press("enter");
    harness.press("j j j j space k k");
    harness
}

#[test]
fn the_main_screen() {
    scene("main", busy);
    scene("main_without_segments", |columns, rows| Harness::with_segments(columns, rows, Vec::new()));
    insta::assert_snapshot!("main_when_wide", picture(&busy(170, 24)));
    insta::assert_snapshot!("main_when_small", picture(&busy(44, 10)));
}

#[test]
fn details_and_activity_can_have_the_focus() {
    let (columns, rows) = SIZES[1];
    let mut harness = busy(columns, rows);
    harness.press("tab");
    assert_eq!(harness.state.screen.panes.focus, Pane::Details);
    scene_at("details_with_the_keys", &harness);
    scene("activity_with_the_keys", |columns, rows| {
        let mut harness = busy(columns, rows);
        // On a small screen the activity is hidden at first, and the details can't be focused.
        harness.press(if columns > 80 { "tab tab" } else { "t a tab" });
        assert_eq!(harness.state.screen.panes.focus, Pane::Activity);
        harness
    });
}

#[test]
fn the_author_of_a_change_is_shown_if_known() {
    scene("details_of_who_made_a_change", |columns, rows| {
        let mut harness = live(columns, rows);
        let before = named("vip", "VIP Klient", None);
        let now = named("vip", "VIP Client", None);
        harness.changed_by(&[Context::Backoffice, Context::Integrations], Some(&before), Some(&now));
        harness.press("G k k k");
        if columns <= 80 {
            harness.press("t a");
        }
        harness
    });
}

#[test]
fn marked_cut_and_ranged_rows_are_signed_and_counted() {
    scene("marked_and_cut", |columns, rows| {
        let mut harness = live(columns, rows);
        harness.press("z 0 j space j x k V j j");
        harness.wait(10);
        harness
    });
}

#[test]
fn rows_too_deep_to_indent_show_their_depth() {
    let mut chain = vec![segment("deep 0", None)];
    chain.extend((1..200).map(|at| segment(&format!("deep {at}"), Some(&format!("deep {}", at - 1)))));
    scene("main_deep_down", |columns, rows| {
        let mut harness = Harness::with_segments(columns, rows, chain.clone());
        harness.press("* G");
        harness
    });
}

#[test]
fn no_theme_marks_the_selected_row_by_colour_alone() {
    for name in ThemeName::ALL {
        let harness = busy(100, 26);
        let picture = picture_in(&harness, &Theme::new(name, Symbols::UNICODE));
        assert_eq!(picture, self::picture(&harness), "{}", name.text());
        assert!(picture.contains("▌"));
    }
}

#[test]
fn the_details_show_who_manages_a_segment() {
    for (columns, rows) in [(100, 26), (80, 24)] {
        let root = named("segment", "segment", None);
        let erp = named("ERP-7", "Hurtownie", None);
        let mut harness = Harness::with_segments(columns, rows, vec![erp, named("vip", "VIP", None), root]);
        harness.state.session.owned = Pattern::new("ERP-*").into_iter().collect();
        let owned = picture(&harness);
        assert!(owned.to_lowercase().contains("managed by"), "{owned}");
        assert!(owned.contains("(matches ERP-*)"), "{owned}");
        harness.press("j");
        assert!(picture(&harness).contains("the platform"), "{}", picture(&harness));
        harness.press("j");
        assert!(!picture(&harness).to_lowercase().contains("managed by"), "{}", picture(&harness));
    }
}

#[test]
fn the_details_chart_descendants_by_level() {
    let mut many = wholesale();
    many.extend((0..40).map(|at| segment(&format!("branch {at}"), Some("lodz"))));
    let mut harness = Harness::with_segments(120, 40, many.clone());
    assert!(picture(&harness).contains("By depth     ▂▂▂█ 2 · 2 · 2 · 40"), "{}", picture(&harness));
    let ascii = picture_in(&harness, &Theme::colourless(Symbols::ASCII));
    assert!(ascii.contains("By depth     ...# 2 . 2 . 2 . 40"), "{ascii}");
    many.extend((0..5_000).map(|at| segment(&format!("customer {at}"), Some("export"))));
    harness = Harness::with_segments(120, 40, many);
    assert!(picture(&harness).contains("By depth     not counted above 5,000"), "{}", picture(&harness));
}

/// All warnings at once: protected, read-only, and offline.
fn guarded(columns: u16, rows: u16) -> Harness {
    let mut harness = busy(columns, rows);
    harness.state.session.protected = true;
    harness.state.session.access = Access::ReadOnly;
    let error = RemoteError { call: Call::Changes(Step(7)), fault: Fault::Unreachable { reason: "no".into() } };
    let retry_in = std::time::Duration::from_secs(8);
    harness.sync_event(sync::Event::PhaseChanged(Phase::Offline { error, retry_in }));
    harness.press("esc");
    harness
}

#[test]
fn a_protected_profile_colours_the_header_and_lines() {
    let mut harness = busy(100, 26);
    harness.state.session.protected = true;
    let terminal = harness.drawn(&usual().framed_in(Color::Red));
    let row = |y: u16| (0..100).map(move |x| (x, y));
    let buffer = terminal.backend().buffer();
    assert!(row(0).all(|at| buffer[at].bg == Color::Red && buffer[at].fg == Color::White));
    assert!(row(1).all(|at| buffer[at].fg == Color::Red));
    assert!(terminal.backend().to_string().contains("preprod  protected"));
    // A dialog does not hide it.
    harness.press("?");
    let terminal = harness.drawn(&usual().framed_in(Color::Red));
    let buffer = terminal.backend().buffer();
    let corners = buffer.content().iter().filter(|cell| cell.symbol() == "╭");
    assert!(corners.clone().count() > 0 && corners.clone().all(|cell| cell.fg == Color::Red));
}

/// The first line of the screen.
fn header(harness: &Harness) -> String {
    picture(harness).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_header_keeps_the_tenant_and_the_warnings() {
    let error = RemoteError { call: Call::Changes(Step(7)), fault: Fault::Unreachable { reason: "no".into() } };
    let retry_in = std::time::Duration::from_secs(8);
    let progress = ListProgress { segments: 41_500, pages: 83, elapsed: retry_in, total: Some(100_000) };
    let phases = [
        Phase::Live,
        Phase::Replaying,
        Phase::Behind { waiting: 1_200 },
        Phase::Resyncing(progress),
        Phase::Loading(progress),
        Phase::Stalled { error: error.clone(), retry_in, progress },
        Phase::Paused(progress),
        Phase::Offline { error, retry_in },
    ];
    for (columns, rows) in [(60, 15), (66, 20), (80, 24), (100, 26), (120, 40)] {
        for phase in &phases {
            let mut harness = plans::gathered(columns, rows);
            harness.press("esc");
            harness.state.session.tenant = "demo-wholesale".into();
            harness.state.session.protected = true;
            harness.state.session.access = Access::ReadOnly;
            harness.sync_event(sync::Event::PhaseChanged(phase.clone()));
            let header = header(&harness);
            for kept in ["demo-wholesale", "  protected", "  read-only", "  STAGING 2"] {
                assert!(header.contains(kept), "{kept} at {columns} with {phase:?}: {header}");
            }
        }
    }
}

#[test]
fn the_tenant_is_cut_only_if_it_does_not_fit_by_itself() {
    let mut harness = Harness::with_segments(60, 15, wholesale());
    harness.state.session.tenant = "a-tenant-whose-name-is-rather-long-for-a-header".into();
    assert!(header(&harness).contains("a-tenant-whose-name-is-rather-long-for-a-header  "), "{}", header(&harness));
    harness.state.session.tenant = "a-tenant-whose-name-is-".repeat(4);
    assert!(
        header(&harness).contains(" a-tenant-whose-name-is-a-tenant-whose-name-is-a-tenant…  ● "),
        "{}",
        header(&harness)
    );
}

#[test]
fn the_header_on_a_small_screen() {
    let (columns, rows) = (60, 15);
    scene_at("header_when_offline", &guarded(columns, rows));
    let mut harness = plans::gathered(columns, rows);
    harness.press("esc");
    harness.state.session.tenant = "demo-wholesale".into();
    scene_at("header_when_staging", &harness);
}

#[test]
fn protected_is_shown_without_colour_at_every_size() {
    scene("main_with_all_that_is_to_be_minded", guarded);
    for (columns, rows) in [(170, 24), (100, 26), (60, 15), (44, 10)] {
        let picture = picture_in(&guarded(columns, rows), &Theme::colourless(Symbols::ASCII));
        assert!(picture.contains("  protected") || picture.contains(". protected"), "{picture}");
        assert_ascii("the screen of a protected profile", &picture);
    }
}

#[test]
fn hidden_characters_of_a_name_never_reach_the_terminal() {
    use crate::printable::is_printable;

    let hostile = "A\u{202e}B\u{200b}C\u{ad}D\u{1b}[2JE\u{2066}F\u{feff}G\u{9b}H";
    let marked = format!("marked{}", "\u{301}".repeat(1_000));
    let segments = [("one", hostile), ("two", marked.as_str()), ("\u{202e}three", "\u{202e}")].map(|(id, name)| {
        let id = crate::segment::SegmentId::new(id).unwrap();
        std::sync::Arc::new(crate::segment::Segment {
            id,
            name: name.into(),
            external_id: Some(hostile.into()),
            parent: None,
        })
    });
    for keys in ["esc", "d", "r", "e", "m", "?", "/ A", "y i", "y n", "Q", "L", "j", "j d", "j j d"] {
        let mut harness = Harness::with_segments(120, 40, segments.to_vec());
        harness.press(keys);
        let terminal = harness.drawn(&usual());
        for cell in &terminal.backend().buffer().content {
            assert!(is_printable(cell.symbol()) && cell.symbol().len() < 40, "{keys}: {:?}", cell.symbol());
        }
    }
}

#[test]
fn a_deletion_has_its_sign_whether_staged_or_sent() {
    let row_of = |harness: &Harness, theme: &Theme| {
        let drawn = picture_in(harness, theme);
        drawn.lines().find(|line| line.contains("Export")).unwrap_or_default().to_owned()
    };
    let unicode = Theme::new(ThemeName::Mono, Symbols::UNICODE);
    let ascii = Theme::new(ThemeName::Mono, Symbols::ASCII);
    for (keys, sent) in [("S j d enter", false), ("j d enter", true)] {
        let mut harness = live(80, 24);
        harness.press(keys);
        assert_eq!(!harness.executions().is_empty(), sent);
        for moved in [false, true] {
            if moved {
                harness.press("j");
            }
            let (row, plain) = (row_of(&harness, &unicode), row_of(&harness, &ascii));
            assert!(row.contains('−') && !row.contains(['◌', '✎']), "{keys}: {row}");
            assert!(plain.contains(" -") && !plain.contains(" o"), "{keys}: {plain}");
        }
    }
    // A pending rename keeps the sign for pending.
    let mut harness = live(80, 24);
    harness.press("j r ! enter");
    assert!(row_of(&harness, &unicode).contains('◌'));
}

#[test]
fn a_missing_external_id_is_shown_in_every_symbol_set() {
    let mut without = Segment::clone(&named("none", "No external ID here", None));
    without.external_id = None;
    for (symbols, sign) in [(Symbols::UNICODE, " – "), (Symbols::ASCII, " - ")] {
        let harness = Harness::with_segments(80, 24, vec![Arc::new(without.clone())]);
        let drawn = picture_in(&harness, &Theme::new(ThemeName::Mono, symbols));
        let row = drawn.lines().find(|line| line.contains("here")).unwrap_or_default();
        assert!(row.contains(sign), "{drawn}");
    }
}

/// Reports new segments created by others.
fn news(harness: &mut Harness, numbers: std::ops::Range<usize>) {
    for number in numbers {
        harness.changed(None, Some(&segment(&format!("new-{number}"), Some("vip"))));
    }
}

/// The line with the bar in the right-hand pane.
fn chosen_entry(harness: &Harness) -> String {
    let area = harness.state.layout().activity.unwrap();
    let lines = picture(harness);
    let lines = lines.lines().skip(usize::from(area.y)).take(usize::from(area.height));
    let right = lines.map(|line| line.trim_matches('"').chars().skip(usize::from(area.x)).collect::<String>());
    let chosen: String = right.filter(|line| line.starts_with('▌')).collect();
    chosen.trim_end_matches(['▐', ' ']).to_owned()
}

#[test]
fn the_chosen_activity_entry_stays_chosen_and_visible() {
    for keys in ["tab tab", "tab tab j j", "tab tab G"] {
        let mut harness = live(100, 26);
        news(&mut harness, 0..30);
        harness.press(keys);
        let chosen = chosen_entry(&harness);
        assert!(chosen.contains("new-"), "{keys}: {}", picture(&harness));
        for number in 30..60 {
            news(&mut harness, number..number + 1);
            assert_eq!(chosen_entry(&harness), chosen, "{keys}: {}", picture(&harness));
        }
        for (columns, rows) in [(120, 40), (60, 20), (100, 26)] {
            if columns == 60 {
                harness.press("t a");
                harness.press("t a");
            }
            harness.event(Event::Resized(columns, rows));
            if harness.state.layout().activity.is_some() && harness.state.screen.panes.focus == Pane::Activity {
                assert!(!chosen_entry(&harness).is_empty(), "{keys}: {}", picture(&harness));
            }
        }
    }
}

#[test]
fn enter_on_a_hidden_activity_entry_asks_again() {
    let mut harness = live(100, 26);
    news(&mut harness, 0..30);
    harness.press("tab tab j");
    let area = harness.state.layout().activity.unwrap();
    let chosen = harness.state.side.activity.selected().cloned();
    let before = picture(&harness);
    let wheel = |kind| Event::Mouse(Mouse { kind, column: area.x + 3, row: area.y + 1 });
    harness.event(wheel(MouseKind::ScrollDown));
    assert_ne!(picture(&harness), before);
    assert_eq!(harness.state.side.activity.selected().cloned(), chosen);
    assert_eq!(chosen_entry(&harness), "", "it is above what is shown");
    harness.press("enter");
    assert_eq!(harness.state.screen.panes.focus, Pane::Activity, "nothing was done yet");
    assert_eq!(harness.message(), "The selected entry was out of sight. Press enter again for this one");
    assert!(chosen_entry(&harness).contains("new-28"), "{}", picture(&harness));
    harness.press("enter");
    assert_eq!(harness.selected(), "new-28");
    // It also works while another pane has the focus, or with the pointer over the details.
    let mut harness = live(100, 26);
    news(&mut harness, 0..30);
    let before = harness.state.side.activity.selected().cloned();
    harness.event(wheel(MouseKind::ScrollDown));
    assert_eq!(harness.state.side.activity.selected().cloned(), before);
    assert_eq!(harness.state.screen.panes.focus, Pane::Tree);
}

#[test]
fn an_activity_sentence_is_whole_or_ends_in_dots() {
    let drawn_activity = |words: &str| {
        let mut harness = live(100, 40);
        harness.press("j r ! enter");
        harness.refuse(words);
        // Dismisses the message about it.
        harness.press("k");
        let area = harness.state.layout().activity.unwrap();
        let lines = picture(&harness);
        let lines = lines.lines().skip(usize::from(area.y)).take(usize::from(area.height));
        let right = lines.map(|line| line.trim_matches('"').chars().skip(usize::from(area.x) + 1).collect::<String>());
        right.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let words =
        "names of segments that an ERP has taken over are frozen until the end of the year, as agreed in October";
    let drawn = drawn_activity(words);
    assert!(drawn.contains(words.rsplit_once(' ').unwrap().1) && !drawn.contains('…'), "{drawn}");
    let drawn = drawn_activity(&format!("{words} {}", "and so on ".repeat(40)));
    assert!(drawn.trim_end().ends_with('…'), "{drawn}");
}

#[test]
fn the_details_show_the_last_changes_of_a_segment() {
    let built = |columns, rows| {
        let mut segments = wholesale();
        segments.push(named("deep", "Piotrków", Some("lodz")));
        let mut harness = Harness::with_segments(columns, rows, segments);
        for number in 0..8 {
            let before = named("pl", if number == 0 { "Polska" } else { "Poland" }, Some("hurt"));
            let now = named("pl", "Poland", Some(if number % 2 == 0 { "hurt" } else { "vip" }));
            harness.changed(Some(&before), Some(&now));
        }
        harness.changed(None, Some(&named("pl", "Poland", Some("hurt"))));
        harness.press("/ p o l a n d enter enter");
        harness
    };
    let shown = |harness: &Harness| {
        let area = harness.state.layout().details.unwrap();
        let lines = picture(harness);
        let lines = lines.lines().skip(usize::from(area.y)).take(usize::from(area.height));
        let (x, width) = (usize::from(area.x), usize::from(area.width));
        lines.map(|line| line.trim_matches('"').chars().skip(x).take(width).collect::<String>()).collect::<Vec<_>>()
    };
    let harness = built(100, 26);
    assert_eq!(harness.selected(), "Poland");
    let lines = shown(&harness);
    let heading = lines.iter().position(|line| line.contains("Last changes")).expect("it is shown");
    assert!(lines[heading + 1..].iter().filter(|line| line.contains("12:41:07")).count() >= 2, "{lines:#?}");
    assert!(lines.iter().any(|line| line.ends_with('▐')), "there is more, and nothing says so: {lines:#?}");
    for (columns, rows) in (15..50).flat_map(|rows| [(100, rows), (120, rows), (160, rows)]) {
        let mut harness = built(columns, rows);
        for _ in 0..12 {
            let lines = shown(&harness);
            let last = lines.last().unwrap();
            let is_heading = ["Last changes", "Largest children"].iter().any(|heading| last.contains(heading));
            assert!(!is_heading, "{columns}x{rows}: {lines:#?}");
            let all = crate::app::details(&harness.state).len();
            let is_marked = lines.iter().any(|line| line.ends_with('▐'));
            assert_eq!(is_marked, all > lines.len(), "{columns}x{rows}: {lines:#?}");
            harness.state.screen.panes.focus = Pane::Details;
            harness.press("j");
        }
    }
}
