//! The profile switcher, and the form for a new profile.

use ratatui::buffer::Cell;
use ratatui::style::Color;

use crate::app::harness::Harness;
use crate::app::{
    Access, Destination, FormContext, FormEffect, FormEvent, NewProfile, OpenedFrom, ProfileLine, Profiles, TaskResult,
    TrialError,
};
use crate::keymap::parse_sequence;
use crate::remote::Fault;

use super::super::{Symbols, Theme, ThemeName};
use super::looking::live;
use super::picture::{Drawn, picture_in, scene, usual};

pub(super) fn some_profiles() -> Profiles {
    let line = |name: &str, tenant: &str, host: &str| ProfileLine {
        name: name.into(),
        tenant: tenant.into(),
        host: host.into(),
        access: Access::ReadWrite,
        protected: false,
        colour: None,
    };
    let prod = ProfileLine {
        access: Access::ReadOnly,
        protected: true,
        ..line("production of the north", "acme", "one.example")
    };
    Profiles {
        context: FormContext::default(),
        current: Destination::Profile("preprod".into()),
        start: None,
        configured: vec![line("preprod", "acme", "api-preprod.one.unity.pl"), prod],
    }
}

pub(super) fn profiles(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.state.side.profiles = some_profiles();
    harness.press("P");
    harness
}

/// Switching while a write is pending.
pub(super) fn switching(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.state.side.profiles = some_profiles();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter P enter");
    harness
}

#[test]
fn the_profile_switcher_shows_warnings() {
    scene("profiles", profiles);
    scene("profiles_in_vain", |columns, rows| {
        let mut harness = profiles(columns, rows);
        harness.type_text("qqq");
        harness
    });
}

#[test]
fn a_profiles_colour_is_shown_beside_its_name() {
    let mut harness = profiles(80, 24);
    harness.state.side.profiles.configured[1].colour = Some(Color::Red);
    let terminal = harness.drawn(&usual());
    let coloured = terminal.backend().buffer().content().iter().filter(|cell| cell.fg == Color::Red);
    assert_eq!(coloured.map(Cell::symbol).collect::<String>(), "█");
}

#[test]
fn switching_says_what_happens_to_unsent_changes() {
    scene("switching", switching);
}

pub(super) fn new_profile(opened_from: OpenedFrom) -> NewProfile {
    let file = "~/.config/segtui/config.toml".into();
    NewProfile::new(opened_from, FormContext { file, ..FormContext::default() })
}

/// The form for the API key of a profile that does not store one.
pub(super) fn for_key() -> NewProfile {
    let context = new_profile(OpenedFrom::WithoutKey).context;
    NewProfile::for_key(context, "preprod", "https://one.example", "acme")
}

fn first() -> NewProfile {
    new_profile(OpenedFrom::FirstRun)
}

/// Alternates between pasting a text and pressing keys. Returns the last effect.
fn fill_in(form: &mut NewProfile, steps: &[(&str, &str)]) -> Option<FormEffect> {
    let mut wish = None;
    for (text, keys) in steps {
        form.handle(FormEvent::Paste((*text).into()));
        for key in parse_sequence(keys).unwrap() {
            wish = form.handle(FormEvent::Key(key));
        }
    }
    wish
}

const FILLED: [(&str, &str); 3] =
    [("https://one.example", "tab"), ("acme", "tab tab"), ("first-half:second-half", "enter")];

/// A form being tested, and the number of the test.
pub(super) fn trying() -> (NewProfile, u64) {
    let mut form = first();
    let Some(FormEffect::Task { number, .. }) = fill_in(&mut form, &FILLED) else { panic!("nothing was ordered") };
    (form, number)
}

/// A form whose test was refused.
pub(super) fn failed() -> NewProfile {
    let (mut form, number) = trying();
    let message = "the key in the header ApiAuth is not valid for this tenant".into();
    let fault = Fault::Refused { status: 401, message, retry_after: None };
    let result = TaskResult::NotConnected(TrialError::Fault(fault));
    form.handle(FormEvent::TaskEnded { number, result });
    form
}

#[test]
fn the_form_for_a_profile() {
    scene("new_profile_at_the_first_start", |columns, rows| (first(), columns, rows));
    scene("new_profile_beside_others", |columns, rows| (new_profile(OpenedFrom::Another), columns, rows));
    scene("new_profile_with_faults", |columns, rows| {
        let mut form = first();
        fill_in(&mut form, &[("", "enter")]);
        (form, columns, rows)
    });
    scene("new_profile_where_the_key_is_kept", |columns, rows| {
        let mut form = first();
        fill_in(&mut form, &[("", "tab tab tab tab left")]);
        (form, columns, rows)
    });
    scene("new_profile_without_a_keyring", |columns, rows| {
        let mut context = first().context;
        context.no_keyring =
            Some("keyring unavailable: secret-tool is not installed (package libsecret-tools or libsecret)".into());
        let mut form = NewProfile::new(OpenedFrom::FirstRun, context);
        fill_in(&mut form, &[("", "tab tab tab tab")]);
        (form, columns, rows)
    });
    scene("new_profile_with_a_key_from_a_variable", |columns, rows| {
        let mut form = first();
        fill_in(&mut form, &[("", "tab tab tab tab right right")]);
        (form, columns, rows)
    });
    scene("new_profile_whose_key_is_not_stored", |columns, rows| (for_key(), columns, rows));
    scene("new_profile_being_tried", |columns, rows| (trying().0, columns, rows));
    scene("new_profile_that_failed", |columns, rows| (failed(), columns, rows));
}

#[test]
fn the_focused_field_its_fault_and_the_keys_always_fit() {
    for rows in 6..=30 {
        for (keys, label, fault) in [
            ("enter", "Base URL", "Enter the server URL"),
            ("enter tab", "Tenant", "Enter the tenant"),
            ("enter tab tab tab", "API key", "Enter the API key"),
            ("tab tab tab tab right right enter backtab", "Variable", "Enter a variable name"),
        ] {
            let mut form = first();
            fill_in(&mut form, &[("", keys)]);
            let picture = picture_in(&(form, 60, rows), &usual());
            for text in [label, fault, "test and save"] {
                assert!(picture.contains(text), "no {text} at {rows} rows:\n{picture}");
            }
        }
    }
}

#[test]
fn hints_of_the_profile_form_are_wrapped_not_cut() {
    for columns in 40..=100 {
        let mut form = first();
        fill_in(&mut form, &[("", "tab tab tab tab left")]);
        let picture = picture_in(&(form, columns, 30), &usual());
        let words = ["anyone", "permissions", "600)"];
        assert!(words.iter().all(|word| picture.contains(word)), "{picture}");
    }
}

#[test]
fn the_profile_form_never_shows_the_api_key() {
    for (columns, rows) in [(0, 0), (1, 1), (10, 2), (20, 8), (44, 10), (80, 24), (200, 50)] {
        for symbols in [Symbols::UNICODE, Symbols::ASCII] {
            for form in [first(), failed()] {
                let picture = picture_in(&(form, columns, rows), &Theme::new(ThemeName::Dark, symbols));
                assert!(!picture.contains("second-half"), "{picture}");
            }
        }
    }
    let plain = picture_in(&(failed(), 80, 24), &Theme::new(ThemeName::Dark, Symbols::ASCII));
    assert!(plain.contains(&"*".repeat("first-half:second-half".len())), "{plain}");
}
