//! Every key that a dialog shows works there.

use crossterm::event::KeyCode;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use crate::app::harness::Harness;
use crate::app::{Event, FormEvent, Layer, NewProfile, OpenedFrom};
use crate::keymap::{Key, parse_sequence};

use super::super::Theme;
use super::picture::{Drawn, form_drawn, picture, usual};
use super::{editing, looking, places, plans, requests};

/// Keys that share a label, as in `j k scroll`.
type Hint = Vec<String>;

/// The key hints on a screen: keys in their colour, followed by a label in grey.
fn named(drawn: &impl Drawn) -> Vec<Hint> {
    let terminal = drawn.drawn(&usual());
    let buffer = terminal.backend().buffer();
    let mut hints = Vec::new();
    for row in buffer.content().chunks(usize::from(buffer.area.width)) {
        let mut runs: Vec<(Color, String)> = Vec::new();
        for cell in row {
            match runs.last_mut() {
                Some((colour, text)) if *colour == cell.fg => text.push_str(cell.symbol()),
                _ => runs.push((cell.fg, cell.symbol().to_owned())),
            }
        }
        for pair in runs.windows(2) {
            let [(Color::Cyan, keys), (behind, label)] = pair else { continue };
            let says = label.strip_prefix(' ').is_some_and(|label| label.trim_start().starts_with(char::is_alphabetic));
            // The choices of a dialog are on lines of their own, in the default colour.
            let is_label = *behind == Color::Indexed(247) || (*behind == Color::Reset && label.starts_with("  "));
            hints.extend(hint(keys).filter(|_| says && is_label));
        }
    }
    hints
}

fn hint(text: &str) -> Option<Hint> {
    let keys: Hint = text
        .trim_matches(|sign: char| sign.is_whitespace() || "│├╭╰".contains(sign))
        .split_whitespace()
        .flat_map(|word| match word {
            "type" => vec!["x"],
            word => vec![word],
        })
        .map(ToOwned::to_owned)
        .collect();
    let are_keys = !keys.is_empty() && keys.iter().all(|key| key.is_ascii() && parse_sequence(key).is_ok());
    are_keys.then_some(keys)
}

/// Anything that handles keys.
trait Pressed: Drawn {
    fn take(&mut self, key: Key);
    /// Dismisses whatever any key would dismiss, such as a warning, so that only the effect of a key itself counts.
    fn settle(&mut self) {}
    /// Everything that a key can change.
    fn standing(&self) -> String;
}

impl Pressed for Harness {
    fn take(&mut self, key: Key) {
        self.event(Event::Key(key));
    }

    fn settle(&mut self) {
        // While a letter is awaited, any other key leaves.
        if !matches!(self.state.screen.layers.last(), Some(Layer::Letter(_))) {
            let layers = self.state.screen.layers.len();
            self.take(Key::plain(KeyCode::F(12)));
            assert_eq!(self.state.screen.layers.len(), layers, "a key that means nothing leaves the dialog open");
        }
    }

    fn standing(&self) -> String {
        format!("{:?} {:?}", self.state, self.effects)
    }
}

/// A form with the requests it made so far.
struct Filled {
    form: NewProfile,
    wishes: Vec<String>,
}

impl Drawn for Filled {
    fn drawn(&self, theme: &Theme) -> Terminal<TestBackend> {
        form_drawn(&self.form, (80, 24), theme)
    }
}

impl Pressed for Filled {
    fn take(&mut self, key: Key) {
        let wish = self.form.handle(FormEvent::Key(key));
        self.wishes.extend(wish.map(|wish| format!("{wish:?}")));
    }

    fn standing(&self) -> String {
        format!("{:?} {:?}", self.form, self.wishes)
    }
}

/// Presses each key that is shown, in a fresh dialog; if it does nothing at first, then after others.
#[track_caller]
fn every_named_key_acts<P: Pressed>(name: &str, expected: &str, built: impl Fn() -> P) {
    let hints = named(&built());
    let hint_texts: Vec<String> = hints.iter().map(|keys| keys.join(" ")).collect();
    assert_eq!(hint_texts.join(", "), expected, "{name} names other keys");
    for keys in &hints {
        for key in keys {
            let acts_after = |before: &[&String]| {
                let mut dialog = built();
                dialog.settle();
                let mut press = |key: &str| {
                    let key = parse_sequence(key).unwrap()[0];
                    let before = dialog.standing();
                    dialog.take(key);
                    dialog.standing() != before
                };
                for key in before {
                    press(key);
                }
                press(key)
            };
            let others: Vec<&String> = keys.iter().filter(|other| *other != key).collect();
            // A key that returns to the start of a dialog acts only after another one.
            let after_another = || hints.iter().flatten().any(|other| other != key && acts_after(&[other]));
            assert!(acts_after(&[]) || acts_after(&others) || after_another(), "{key} does nothing in {name}");
        }
    }
}

/// The name of a dialog, the keys it shows on a small screen, and how it is opened.
pub(super) type Dialog = (&'static str, &'static str, fn(u16, u16) -> Harness);

pub(super) const DIALOGS: [Dialog; 39] = [
    ("the form", "enter, tab, ctrl-u, esc", editing::form),
    ("the form at the parent", "enter, tab, ctrl-u, esc", editing::form_at_the_parent),
    ("the name in its row", "enter, esc, ctrl-u", editing::renaming),
    ("the choice of a parent", "x, up down, enter, esc", editing::parents),
    ("the choice of a parent for the form", "x, up down, enter, esc", editing::parents_for_the_form),
    ("the deletion", "s, p, o, esc", editing::deletion),
    ("the deletion of a leaf", "enter, esc", editing::deletion_of_a_leaf),
    ("the deletion of several", "s, p, o, esc", editing::deletion_of_marked),
    ("the form of all that is marked", "enter, tab, esc", editing::bulk),
    ("the plan", "y, d, esc", plans::review),
    ("the plan of a protected profile", "enter, up down, esc", plans::protected_review),
    ("the plan of what is staged", "y, d, esc", plans::staged_deletion),
    ("the queue", "enter, r, R, d, D, esc", plans::queue),
    ("the queue of what is staged", "y, r, d, D, S, esc", plans::gathered),
    ("the queue of what waits", "d, D, h, H, esc", plans::waiting_queue),
    ("the queue without anything", "esc", plans::empty_queue),
    ("the queue with what the last session left", "enter, e, r, R, d, D, esc", plans::queue_with_left_over),
    ("the conflict of two changes", "left right, enter, e, t, m, esc", plans::changed_by_both),
    ("the conflict with a deletion", "c, t, esc", plans::gone),
    ("the conflict of a deletion", "D, t, esc", plans::changed_while_deleted),
    ("the conflict about a lookalike", "t, c, esc", plans::lookalike),
    ("the conflict with newcomers", "D, t, esc", plans::grown),
    ("the text that can't be read", "e, esc", plans::unreadable),
    ("the question before leaving", "q, esc", plans::leaving),
    ("the palette", "x, up down, enter, esc", looking::palette),
    ("the actions of a row", "x, up down, enter, esc", looking::actions_of_a_row),
    ("the help", "j k, esc", looking::help),
    ("the findings", "enter, f, e, m, d, tab, esc", looking::findings),
    ("the findings without any", "esc", looking::no_findings),
    ("the requests without any", "esc", requests::no_requests),
    ("the requests", "enter, y, /, esc", requests::requests),
    ("the filter of the requests", "enter, esc", requests::filtered_requests),
    ("a request", "j k, y, esc", requests::one_request),
    ("the output before any", "esc", requests::started),
    ("the output of a command", "j k, G, h l, /, y, esc", requests::output),
    ("the output of a command that failed", "j k, G, h l, /, n N, y, esc", requests::failed_output),
    ("the confirmation of a command", "enter, esc", requests::confirmation),
    ("the places", "x, up down, enter, esc", places::profiles),
    ("the question before switching", "s, esc", places::switching),
];

/// Every dialog with keys of its own. The compiler catches a new variant here, and the test below one that is missing from the
/// list.
const fn kind(layer: &Layer) -> Option<&'static str> {
    Some(match layer {
        Layer::Help(_) => "help",
        Layer::Form(_) => "form",
        Layer::Bulk(_) => "bulk",
        Layer::Parents(_) => "parents",
        Layer::Deletion(_) => "deletion",
        Layer::Conflict(_) => "conflict",
        Layer::Outline(_) => "outline",
        Layer::Review(_) => "review",
        Layer::Palette(_) => "palette",
        Layer::Queue(_) => "queue",
        Layer::Findings => "findings",
        Layer::Requests(_) => "requests",
        Layer::Profiles(_) => "profiles",
        Layer::Switching(_) => "switching",
        Layer::RunConfirmation(_) => "run confirmation",
        Layer::Output(_) => "output",
        Layer::Leaving => "leaving",
        Layer::Renaming(_) => "renaming",
        // The keys of the profile form are tested separately below; prompts show their keys in the footer.
        Layer::NewProfile(_) | Layer::Find(_) | Layer::Jump(_) | Layer::Letter(_) => return None,
    })
}

const KINDS: usize = 18;

#[test]
fn every_dialog_is_in_the_list_of_dialogs() {
    let built = DIALOGS.iter().filter_map(|(.., built)| kind(built(80, 24).state.screen.layers.last()?));
    assert_eq!(built.collect::<std::collections::BTreeSet<_>>().len(), KINDS);
}

#[test]
fn every_dialog_with_keys_survives_every_size() {
    for (.., built) in DIALOGS {
        for (columns, rows) in [(0, 0), (1, 1), (12, 5), (3, 40), (59, 14), (60, 15), (200, 1), (300, 80)] {
            let mut harness = built(80, 24);
            harness.event(Event::Resized(columns, rows));
            picture(&harness);
        }
    }
}

#[test]
fn a_dialog_shows_the_same_keys_at_every_size() {
    for (name, keys, built) in DIALOGS {
        for (columns, rows) in [(60, 15), (80, 24), (200, 50)] {
            // A page that fits whole isn't scrolled, and some show only as many keys as fit in one line.
            let is_whole = rows == 50 && ["help", "request"].iter().any(|page| name.contains(page));
            if is_whole || name.contains("output") || name.contains("findings") {
                continue;
            }
            let hints = named(&built(columns, rows));
            let hint_texts: Vec<String> = hints.iter().map(|keys| keys.join(" ")).collect();
            assert_eq!(hint_texts.join(", "), keys, "{name} at {columns}x{rows}:\n{}", picture(&built(columns, rows)));
        }
    }
}

#[test]
fn every_key_that_a_dialog_shows_works_there() {
    for (name, keys, built) in DIALOGS {
        every_named_key_acts(name, keys, || built(80, 24));
    }
}

#[test]
fn the_keys_a_dialog_shows_are_those_of_its_table() {
    for (name, drawn, built) in DIALOGS {
        let harness = built(80, 24);
        let layer = harness.state.screen.layers.last().expect("a dialog is open");
        let keys = layer.keys(&harness.state, &harness.keymap);
        let keys: Vec<&str> = keys.into_iter().map(|(keys, _)| if keys == "type" { "x" } else { keys }).collect();
        assert!(keys.is_empty() || keys.join(", ") == drawn, "{name}: {keys:?}");
    }
}

#[test]
fn the_prompt_for_a_letter_takes_a_letter_or_esc() {
    for built in [looking::bookmark, looking::to_bookmark] {
        let mut harness = built(80, 24);
        let before = harness.standing();
        harness.press("h");
        assert!(harness.state.screen.layers.is_empty() && harness.standing() != before);
        assert_ne!(harness.message(), "");
        harness = built(80, 24);
        harness.press("esc");
        assert!(harness.state.screen.layers.is_empty());
    }
}

#[test]
fn every_key_that_the_profile_form_shows_works_there() {
    let filled = |form: NewProfile| Filled { form, wishes: Vec::new() };
    every_named_key_acts("the first form", "enter, tab, ctrl-t, esc", || {
        filled(places::new_profile(OpenedFrom::FirstRun))
    });
    every_named_key_acts("the form", "enter, tab, esc", || filled(places::new_profile(OpenedFrom::Another)));
    every_named_key_acts("the form for a key", "enter, esc", || filled(places::for_key()));
    every_named_key_acts("the form being tried", "esc", || filled(places::trying().0));
    every_named_key_acts("the form that failed", "enter, ctrl-s, esc", || filled(places::failed()));
}
