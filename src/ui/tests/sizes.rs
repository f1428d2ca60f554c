//! Every dialog at every size, the impossible ones included.

use crate::app::harness::{Harness, exchange, segment, wholesale};
use crate::app::{Edited, Event};

use super::super::{Symbols, Theme};
use super::picture::{Drawn, picture};
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
            let mut harness = Harness::live(columns, rows, chain.clone());
            harness.press("z 0");
            harness.state.side.profiles = some_profiles();
            harness.requested(exchange("/segments/vip"));
            if !keys.is_empty() {
                harness.press(keys);
            }
            picture(&harness);
            harness.event(Event::Resized(rows, columns));
            picture(&harness);
        }
        let mut harness = Harness::live(columns, rows, chain.clone());
        harness.press("E");
        picture(&harness);
        harness.event(Event::TextEdited(Edited::Saved { text: "A {x}\n".repeat(60), file: "/tmp/one".into() }));
        picture(&harness);
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
