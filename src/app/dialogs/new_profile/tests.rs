//! Tests of filling in the form, and of the message for each kind of failure.

use std::time::Duration;

use crossterm::event::KeyCode;

use super::*;
use crate::keymap::parse_sequence;
use crate::remote::{ConnectError, Fault, ObstacleKind};

fn form() -> NewProfile {
    NewProfile::new(OpenedFrom::FirstRun, FormContext { taken: vec!["prod".into()], ..FormContext::default() })
}

fn press(form: &mut NewProfile, keys: &str) -> Option<FormEffect> {
    let pressed = parse_sequence(keys).unwrap();
    pressed.into_iter().filter_map(|key| form.handle(FormEvent::Key(key))).last()
}

fn type_text(form: &mut NewProfile, text: &str) {
    for character in text.chars() {
        form.handle(FormEvent::Key(Key::plain(KeyCode::Char(character))));
    }
}

/// Returns a form with every field filled in, the key last.
fn filled() -> NewProfile {
    let mut form = form();
    type_text(&mut form, "one.example");
    press(&mut form, "tab");
    type_text(&mut form, "acme");
    press(&mut form, "tab tab");
    type_text(&mut form, "first:hunter2");
    form
}

fn asked(wish: Option<FormEffect>) -> (u64, ProfileTask) {
    match wish {
        Some(FormEffect::Task { number, task }) => (number, task),
        other => panic!("{other:?}"),
    }
}

fn answer(form: &mut NewProfile, number: u64, result: TaskResult) -> Option<FormEffect> {
    form.handle(FormEvent::TaskEnded { number, result })
}

#[test]
fn enter_tests_then_saves_then_opens_the_profile() {
    let mut form = filled();
    let (number, task) = asked(press(&mut form, "enter"));
    let ProfileTask::Try(entry) = task else { panic!("{task:?}") };
    assert_eq!((entry.name.as_str(), entry.tenant.as_str()), ("acme", "acme"));
    assert_eq!(entry.address, "https://one.example");
    assert!(matches!(entry.key, KeySource::Keyring(_)));
    let (number, task) = asked(answer(&mut form, number, TaskResult::Connected));
    assert!(matches!(task, ProfileTask::Save(_)));
    let opened = answer(&mut form, number, TaskResult::Saved);
    assert!(matches!(opened, Some(FormEffect::Open(name)) if name == "acme"));
}

#[test]
fn a_failed_profile_is_saved_only_with_ctrl_s_and_unedited() {
    let mut form = filled();
    assert!(press(&mut form, "ctrl-s").is_none());
    let (number, _) = asked(press(&mut form, "enter"));
    let fault = Fault::Refused { status: 401, message: String::new(), retry_after: None };
    assert!(answer(&mut form, number, TaskResult::NotConnected(TrialError::Fault(fault.clone()))).is_none());
    type_text(&mut form, "x");
    assert!(press(&mut form, "ctrl-s").is_none());
    let (number, _) = asked(press(&mut form, "enter"));
    answer(&mut form, number, TaskResult::NotConnected(TrialError::Fault(fault)));
    assert!(matches!(asked(press(&mut form, "ctrl-s")).1, ProfileTask::Save(_)));
}

#[test]
fn a_profile_whose_key_is_unavailable_cannot_be_saved() {
    let mut form = filled();
    let (number, _) = asked(press(&mut form, "enter"));
    answer(&mut form, number, TaskResult::NotConnected(TrialError::NoKey("ACME_KEY is not set".into())));
    assert_eq!(form.faults[&ProfileField::Key], "ACME_KEY is not set");
    assert!(press(&mut form, "ctrl-s").is_none());
}

#[test]
fn every_missing_field_is_reported_and_the_first_gets_focus() {
    let mut form = form();
    press(&mut form, "tab tab");
    assert!(press(&mut form, "enter").is_none());
    assert_eq!(form.focus, ProfileField::BaseUrl);
    assert_eq!(form.faults[&ProfileField::Tenant], "Enter the tenant");
    assert_eq!(form.faults[&ProfileField::Key], "Enter the API key");
    press(&mut form, "tab tab");
    type_text(&mut form, "prod");
    assert!(press(&mut form, "enter").is_none());
    assert!(form.faults[&ProfileField::Name].contains("already exists"));
}

#[test]
fn the_key_field_comes_before_the_key_location() {
    let mut form = filled();
    assert_eq!(form.focus, ProfileField::Key);
    press(&mut form, "tab");
    assert_eq!((form.focus, form.key_location), (ProfileField::KeyLocation, KeyLocation::Keyring));
    press(&mut form, "tab");
    assert_eq!(form.focus, ProfileField::BaseUrl);
}

#[test]
fn the_key_can_be_kept_in_five_places() {
    let mut form = filled();
    press(&mut form, "tab right");
    let ProfileTask::Try(entry) = asked(press(&mut form, "enter")).1 else { panic!() };
    assert!(matches!(entry.key, KeySource::Session(_)));

    press(&mut form, "esc right tab");
    type_text(&mut form, "ACME_KEY");
    let ProfileTask::Try(entry) = asked(press(&mut form, "enter")).1 else { panic!() };
    assert!(matches!(entry.key, KeySource::Variable(name) if name == "ACME_KEY"));

    press(&mut form, "esc backtab right tab");
    type_text(&mut form, "pass show 'one acme'");
    let ProfileTask::Try(entry) = asked(press(&mut form, "enter")).1 else { panic!() };
    assert!(matches!(entry.key, KeySource::Command(words) if words == ["pass", "show", "one acme"]));

    // The key that was typed at first is kept.
    press(&mut form, "esc backtab right");
    let ProfileTask::Try(entry) = asked(press(&mut form, "enter")).1 else { panic!() };
    assert!(matches!(entry.key, KeySource::File(_)));
}

#[test]
fn without_a_keyring_the_default_is_session_not_plain_text() {
    let no_keyring = FormContext { no_keyring: Some("there is none".into()), ..FormContext::default() };
    let mut without = NewProfile::new(OpenedFrom::Another, no_keyring);
    assert_eq!(without.key_location, KeyLocation::Session);
    press(&mut without, "tab tab tab tab");
    let mut offered = vec![without.key_location];
    for _ in 0..3 {
        press(&mut without, "right");
        offered.push(without.key_location);
    }
    assert_eq!(offered, [KeyLocation::Session, KeyLocation::Variable, KeyLocation::Command, KeyLocation::File]);
    press(&mut without, "right");
    assert_eq!(without.key_location, KeyLocation::Session);
    press(&mut without, "left");
    assert_eq!(without.key_location, KeyLocation::File);
    assert_eq!(form().key_location, KeyLocation::Keyring);
}

#[test]
fn the_key_field_is_skipped_when_a_variable_supplies_it() {
    let mut form = filled();
    press(&mut form, "tab right right backtab");
    assert_eq!(form.focus, ProfileField::Name);
    press(&mut form, "backtab backtab backtab enter");
    assert_eq!(form.focus, ProfileField::Source);
    assert_eq!(form.faults[&ProfileField::Source], "Enter a variable name, e.g. ACME_KEY");
    assert!(!form.faults.contains_key(&ProfileField::Key));
}

#[test]
fn an_error_stays_at_its_field_until_the_field_is_edited() {
    let mut form = filled();
    press(&mut form, "tab");
    let (number, _) = asked(press(&mut form, "enter"));
    let fault = Fault::Refused { status: 401, message: "invalid key".into(), retry_after: None };
    answer(&mut form, number, TaskResult::NotConnected(TrialError::Fault(fault)));
    assert_eq!(form.focus, ProfileField::Key);
    press(&mut form, "tab tab");
    type_text(&mut form, "x");
    assert!(form.faults[&ProfileField::Key].contains("rejected the key"));
    press(&mut form, "backtab backtab backspace");
    assert!(form.faults.is_empty());
    let (number, _) = asked(press(&mut form, "enter"));
    let refused = TaskResult::NotSaved { field: ProfileField::KeyLocation, reason: "the keyring is locked".into() };
    answer(&mut form, number, TaskResult::Connected);
    answer(&mut form, number + 1, refused);
    assert_eq!(form.focus, ProfileField::KeyLocation);
    assert_eq!(form.faults[&ProfileField::KeyLocation], "the keyring is locked");
    press(&mut form, "right");
    assert!(form.faults.is_empty());
}

/// Returns the form for the key of a profile that stores none.
fn without_key() -> NewProfile {
    let context = FormContext { taken: vec!["acme".into()], ..FormContext::default() };
    NewProfile::for_key(context, "acme", "http://one.example", "acme-tenant")
}

#[test]
fn a_keyless_profile_asks_only_for_the_key_and_saves_nothing() {
    let mut form = without_key();
    press(&mut form, "enter");
    assert_eq!(form.faults.keys().collect::<Vec<_>>(), [&ProfileField::Key]);
    for key in ["tab", "backtab", "right", "ctrl-t"] {
        assert!(press(&mut form, key).is_none());
        assert_eq!((form.focus, form.key_location), (ProfileField::Key, KeyLocation::Session), "{key}");
    }
    type_text(&mut form, "first:hunter2");
    let (number, task) = asked(press(&mut form, "enter"));
    let ProfileTask::Try(entry) = task else { panic!("{task:?}") };
    assert_eq!((entry.name.as_str(), entry.tenant.as_str()), ("acme", "acme-tenant"));
    assert!(matches!(entry.key, KeySource::Session(_)));
    let (number, task) = asked(answer(&mut form, number, TaskResult::Connected));
    assert!(matches!(task, ProfileTask::Hold(_)), "{task:?}");
    let opened = answer(&mut form, number, TaskResult::Saved);
    assert!(matches!(opened, Some(FormEffect::Open(name)) if name == "acme"));
}

#[test]
fn a_keyless_profile_opens_even_when_the_server_is_down() {
    let mut form = without_key();
    type_text(&mut form, "first:hunter2");
    let (number, _) = asked(press(&mut form, "enter"));
    let late = Fault::TimedOut { after: Duration::from_secs(15) };
    answer(&mut form, number, TaskResult::NotConnected(TrialError::Fault(late)));
    // The error is at a field that can't be edited here.
    assert_eq!(form.focus, ProfileField::Key);
    assert!(form.faults[&ProfileField::BaseUrl].contains("didn't reply"));
    assert!(matches!(asked(press(&mut form, "ctrl-s")).1, ProfileTask::Hold(_)));
}

#[test]
fn esc_during_a_connection_test_only_cancels_the_test() {
    let mut form = filled();
    let (number, _) = asked(press(&mut form, "enter"));
    type_text(&mut form, "lost");
    assert!(matches!(press(&mut form, "esc"), Some(FormEffect::CancelTask)));
    assert!(answer(&mut form, number, TaskResult::Connected).is_none());
    assert_eq!(form.stage, Stage::Filling);
    assert!(matches!(press(&mut form, "esc"), Some(FormEffect::Close)));
}

#[test]
fn the_demo_is_offered_only_on_the_first_run() {
    assert!(matches!(press(&mut form(), "ctrl-t"), Some(FormEffect::OpenDemo)));
    assert!(press(&mut NewProfile::new(OpenedFrom::Another, FormContext::default()), "ctrl-t").is_none());
}

#[test]
fn a_pasted_url_loses_its_line_break() {
    let mut form = form();
    form.handle(FormEvent::Paste("https://one.example/api\n".into()));
    assert_eq!(form.base_url.text(), "https://one.example/api");
}

#[test]
fn a_typed_scheme_is_not_doubled() {
    let mut form = form();
    press(&mut form, "h t t p : / / o n e");
    assert_eq!(form.base_url.text(), "http://one");
}

#[test]
fn the_key_is_not_in_debug_output() {
    let mut form = filled();
    let wish = press(&mut form, "enter");
    let texts = format!("{form:?} {wish:?}");
    assert!(texts.contains("acme"));
    assert!(!texts.contains("hunter2"), "{texts}");
}

/// Asserts the field and the beginning of the message for a fault.
#[track_caller]
fn assert_told(fault: Fault, field: ProfileField, beginning: &str) {
    let (at, words) = diagnosis::of(&TrialError::Fault(fault), "https://one.example:8443/x", "acme");
    assert!(at == field && words.starts_with(beginning), "{at:?}: {words}");
}

fn refused(status: u16, message: &str) -> Fault {
    Fault::Refused { status, message: message.into(), retry_after: None }
}

#[test]
fn each_connection_error_has_its_own_message() {
    let obstacle = |kind| Fault::Unreachable { reason: ConnectError::new(kind, "the words") };
    for (kind, beginning) in [
        (ObstacleKind::NoSuchHost, "Host not found: one.example:8443"),
        (ObstacleKind::Refused, "Connection refused: nothing is listening at one.example:8443"),
        (ObstacleKind::Tls, "TLS failed at one.example:8443: the words"),
        (ObstacleKind::TimedOut, "Couldn't connect to one.example:8443: the words. Check"),
        (ObstacleKind::Other, "Couldn't connect to one.example:8443: the words"),
    ] {
        assert_told(obstacle(kind), ProfileField::BaseUrl, beginning);
    }
    let late = Fault::TimedOut { after: Duration::from_secs(15) };
    assert_told(late, ProfileField::BaseUrl, "one.example:8443 accepted the connection but didn't reply within 15 s");
}

#[test]
fn wrong_key_tenant_and_path_are_told_apart_by_the_response() {
    use ProfileField::{BaseUrl, Key, Tenant};
    assert_told(refused(401, "the key is not valid for this tenant"), Key, "one.example:8443 rejected the key ");
    assert_told(refused(403, "Invalid API token"), Key, "one.example:8443 rejected the key ");
    assert_told(refused(401, "one-tenant names no tenant"), Tenant, "one.example:8443 rejected tenant acme");
    assert_told(refused(404, "unknown tenant"), Tenant, "one.example:8443 rejected tenant ");
    assert_told(refused(401, ""), Key, "one.example:8443 rejected this key for this tenant (401)");
    assert_told(refused(404, "there is no such address"), BaseUrl, "There is a server at one.example:8443");
    assert_told(refused(503, ""), BaseUrl, "one.example:8443 reported an internal error (503)");
    assert_told(refused(429, ""), BaseUrl, "one.example:8443 is rate-limiting requests");
    let page = Fault::InvalidResponse { reason: "expected JSON; got: <html>".into() };
    assert_told(page, BaseUrl, "one.example:8443 replied, but this isn't the segment API (expected JSON");
    let elsewhere = Fault::Redirected { status: 302, to: "https://login.example".into() };
    assert_told(elsewhere, BaseUrl, "Server redirected (302) to https://login.example");
}

#[test]
fn a_host_without_a_scheme_is_completed() {
    for (typed, completed) in [
        ("api.one.example", "https://api.one.example"),
        ("api.one.example:8443/x", "https://api.one.example:8443/x"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]:80", "http://[::1]:80"),
        ("http://api.one.example", "http://api.one.example"),
        (" ", ""),
    ] {
        assert_eq!(entry::with_scheme(typed), completed);
    }
}
