//! Every dialog at every size, even impossible ones.

use crate::app::harness::{Harness, exchange, segment, wholesale};
use crate::app::{EditorOutcome, Event, Mouse, MouseKind};

use super::super::{Symbols, Theme};
use super::keys::DIALOGS;
use super::picture::{Drawn, picture, usual};
use super::places::some_profiles;
use super::requests::output;

#[test]
fn every_dialog_survives_every_size() {
    let mut chain: Vec<_> = wholesale();
    chain.extend((0..60).map(|at| segment(&format!("deep {at}"), Some(&format!("deep {}", at - 1)))));
    let sizes = [
        (0, 0),
        (1, 1),
        (10, 2),
        (3, 40),
        (200, 1),
        (12, 5),
        (59, 14),
        (60, 15),
        (80, 24),
        (99, 30),
        (100, 15),
        (160, 15),
        (300, 80),
    ];
    for (columns, rows) in sizes {
        for keys in [
            "",
            "?",
            "a",
            "A",
            "e",
            "r",
            "m",
            "d",
            "/",
            "j d",
            "j j d",
            "z",
            "space x",
            "G k",
            "* G",
            "R",
            "f12",
            "tab",
            ": u n",
            "L",
            "L enter",
            "L / x",
            "Q",
            "P",
            "S",
            "space space e",
            "space space e x enter",
            "space space d",
            "V j j V m",
        ] {
            let mut harness = Harness::with_segments(columns, rows, chain.clone());
            harness.press("z 0");
            harness.state.side.profiles = some_profiles();
            harness.request_finished(exchange("/segments/vip"));
            if !keys.is_empty() {
                harness.press(keys);
            }
            picture(&harness);
            harness.event(Event::Resized(rows, columns));
            picture(&harness);
        }
        let mut harness = Harness::with_segments(columns, rows, chain.clone());
        harness.press("E");
        picture(&harness);
        harness.event(Event::TextEdited(EditorOutcome::Saved { text: "A {x}\n".repeat(60), file: "/tmp/one".into() }));
        picture(&harness);
    }
}

/// The lines from the tree's first to the one above the footer, starting at the tree's first column.
fn lines_of_tree(harness: &Harness) -> Vec<String> {
    let layout = harness.state.layout();
    let terminal = harness.drawn(&usual());
    let buffer = terminal.backend().buffer();
    let line = |y| (layout.tree.x..layout.screen.width).map(|x| buffer[(x, y)].symbol()).collect();
    (layout.tree.y..layout.footer.y).map(line).collect()
}

/// The first column of the tree.
fn first_column(harness: &Harness) -> Vec<char> {
    lines_of_tree(harness).iter().filter_map(|line| line.chars().next()).collect()
}

/// Asserts that the selected row and its name are visible and not covered by a dialog.
#[track_caller]
fn assert_row_in_sight(what: &str, harness: &Harness) {
    let lines = lines_of_tree(harness);
    let selected = lines.iter().find(|line| line.starts_with('▌'));
    let name: String = match harness.state.selected_segment() {
        Some(segment) => segment.name.chars().take(4).collect(),
        None => String::new(),
    };
    let is_seen = selected.is_some_and(|line| line.contains(&name));
    assert!(is_seen, "{what}:\n{}", picture(harness));
}

const WIDTHS: [u16; 7] = [60, 80, 99, 100, 120, 160, 200];
const HEIGHTS: [u16; 9] = [15, 16, 18, 20, 24, 26, 30, 40, 50];

#[test]
fn no_dialog_covers_the_row_it_is_about() {
    for (name, _, built) in DIALOGS {
        // These have a page of their own.
        if ["help", "request", "output", "findings"].iter().any(|page| name.contains(page)) {
            continue;
        }
        for (columns, rows) in WIDTHS.into_iter().flat_map(|columns| HEIGHTS.map(|rows| (columns, rows))) {
            assert_row_in_sight(&format!("{name} at {columns}x{rows}"), &built(columns, rows));
        }
    }
}

#[test]
fn the_selected_row_stays_visible_beside_every_dialog() {
    let many: Vec<_> = (0..90).map(|at| segment(&format!("row {at:02}"), None)).collect();
    for (columns, rows) in [(60, 15), (80, 24), (100, 26), (200, 50)] {
        for at in [0, 1, 5, 9, 12, 17, 25, 60, 88, 89] {
            for keys in ["a", "e", "m", "d", ":", "P", "space space k k e", "E"] {
                let mut harness = Harness::with_segments(columns, rows, many.clone());
                harness.state.side.profiles = some_profiles();
                let digits: Vec<String> = at.to_string().chars().map(String::from).collect();
                if at > 0 {
                    harness.press(&format!("{} j", digits.join(" ")));
                }
                let before = first_column(&harness);
                harness.press(keys);
                if keys == "E" {
                    harness.event(Event::TextEdited(EditorOutcome::Saved {
                        text: "A {x}\n".repeat(60),
                        file: "/tmp/one".into(),
                    }));
                }
                assert_row_in_sight(&format!("{keys} on row {at} at {columns}x{rows}"), &harness);
                if !keys.contains("space") {
                    harness.press("esc");
                    assert_eq!(first_column(&harness), before, "{keys} on row {at} at {columns}x{rows}");
                }
            }
        }
    }
}

#[test]
fn a_row_out_of_sight_is_shown_beside_its_dialog() {
    let many: Vec<_> = (0..90).map(|at| segment(&format!("row {at:02}"), None)).collect();
    for wheel in [MouseKind::ScrollDown, MouseKind::ScrollUp] {
        let mut harness = Harness::with_segments(80, 24, many.clone());
        harness.press("G k k k k k k k k k k k k k k k k k k k k k k k k k k k k k k");
        for _ in 0..20 {
            harness.event(Event::Mouse(Mouse { kind: wheel, column: 3, row: 8 }));
        }
        assert!(first_column(&harness).iter().all(|symbol| *symbol != '▌'));
        harness.press("d");
        assert_row_in_sight("the deletion", &harness);
    }
}

#[test]
fn the_output_of_a_command_survives_every_size() {
    for (columns, rows) in [(0, 0), (1, 1), (10, 2), (3, 40), (200, 1), (12, 5), (59, 14), (80, 24), (300, 80)] {
        for keys in ["j", "/ x", "l l", "esc esc", "G"] {
            let mut harness = output(columns, rows);
            harness.press(keys);
            harness.drawn(&Theme::colourless(Symbols::ASCII));
        }
    }
}

#[test]
fn segment_dialogs_stay_within_the_tree_at_100_columns() {
    for (name, _, built) in DIALOGS {
        if !["deletion", "the form", "the plan", "the text that"].iter().any(|about| name.contains(about)) {
            continue;
        }
        let harness = built(100, 26);
        let layout = harness.state.layout();
        let terminal = harness.drawn(&usual());
        let beside = layout.tree.x + layout.tree.width..layout.screen.width;
        let crossed = (layout.tree.y..layout.footer.y).flat_map(|y| beside.clone().map(move |x| (x, y)));
        let corners = crossed.filter(|at| matches!(terminal.backend().buffer()[*at].symbol(), "╮" | "╯"));
        assert_eq!(corners.count(), 0, "{name}:\n{}", picture(&harness));
    }
}
