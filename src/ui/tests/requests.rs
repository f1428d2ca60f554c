//! The log of requests, and the output of custom commands.

use std::time::Duration;

use crate::action::UserCommand;
use crate::app::harness::{Harness, command, exchange, wholesale};
use crate::app::{Event, RunEnd, RunEvent, RunOutcome};
use crate::remote::{Excerpt, Exchange, Fault};

use super::looking::live;
use super::picture::{picture, scene};

/// A tree after requests of every kind.
fn asked(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    let response = Excerpt { text: "[{\"id\":\"a".into(), bytes: 101_000, cut: 100_990 };
    harness.request_finished(Exchange { response, ..exchange("/segments?pageNumber=1&pageSize=500") });
    harness.request_finished(exchange("/segments/vip"));
    let refused = |status, message: &str| Some(Fault::Refused { status, message: message.into(), retry_after: None });
    let text = "{\"detail\":\"the name \\u001b[31m is taken\"}";
    harness.request_finished(Exchange {
        method: "PUT".into(),
        sent: Some(Excerpt { text: r#"{"name":"VIP","externalId":null}"#.into(), bytes: 33, cut: 0 }),
        status: Some(409),
        fault: refused(409, "the name is taken"),
        response: Excerpt { text: text.into(), bytes: text.len(), cut: 0 },
        ..exchange("/segments/vip")
    });
    let after = Duration::from_secs(30);
    harness.request_finished(Exchange {
        status: None,
        fault: Some(Fault::TimedOut { after }),
        response: Excerpt::default(),
        elapsed: after,
        attempt: 2,
        dropped: 12,
        ..exchange("/segments/synchronization?startId=290")
    });
    harness
}

pub(super) fn requests(columns: u16, rows: u16) -> Harness {
    let mut harness = asked(columns, rows);
    harness.press("L");
    harness
}

pub(super) fn no_requests(columns: u16, rows: u16) -> Harness {
    let mut harness = live(columns, rows);
    harness.press("L");
    harness
}

pub(super) fn filtered_requests(columns: u16, rows: u16) -> Harness {
    let mut harness = requests(columns, rows);
    harness.press("/");
    harness.type_text("vip");
    harness
}

pub(super) fn one_request(columns: u16, rows: u16) -> Harness {
    let mut harness = asked(columns, rows);
    harness.press("L j enter");
    harness
}

#[test]
fn requests_are_listed_newest_first() {
    scene("requests", requests);
    scene("requests_while_the_filter_is_typed", filtered_requests);
    scene("requests_without_any", no_requests);
    scene("requests_without_any_that_match", |columns, rows| {
        let mut harness = requests(columns, rows);
        harness.press("/");
        harness.type_text("qqq");
        harness.press("enter");
        harness
    });
}

#[test]
fn a_request_is_read_with_both_bodies() {
    scene("request", one_request);
}

#[test]
fn escape_sequences_in_a_response_are_never_sent() {
    let mut harness = live(100, 30);
    let text = "\u{1b}[2J\u{1b}]52;c;AAAA\u{7}\r\nplain";
    let response = Excerpt { text: text.into(), bytes: text.len(), cut: 0 };
    harness.request_finished(Exchange { response, ..exchange("/segments/\u{1b}[2J") });
    for keys in ["L", "enter", "j"] {
        harness.press(keys);
        let picture = picture(&harness);
        assert!(!picture.chars().any(|character| character.is_control() && character != '\n'), "{picture:?}");
    }
}

/// A command is running.
pub(super) fn started(columns: u16, rows: u16) -> Harness {
    let mut harness =
        Harness::with_segments(columns, rows, wholesale()).with_commands(vec![("g r", command("Report for the ERP"))]);
    harness.press("space space g r");
    harness
}

/// The output is longer than the screen.
pub(super) fn output(columns: u16, rows: u16) -> Harness {
    let mut harness = started(columns, rows);
    let lines: Vec<String> = (1..=60).map(|at| format!("{at:>4}  Łódź\tdone")).collect();
    harness.event(Event::Ran(1, RunEvent::Wrote(lines.join("\n"))));
    harness.wait(3);
    harness
}

/// The command failed, and its output is being searched.
pub(super) fn failed_output(columns: u16, rows: u16) -> Harness {
    let mut harness = output(columns, rows);
    let end = RunEnd { outcome: RunOutcome::Exited(3), elapsed: Duration::from_millis(1_340), dropped: 12_345_678 };
    harness.event(Event::Ran(1, RunEvent::Ended(end)));
    harness.press("/");
    harness.type_text("łódź");
    harness.press("enter n");
    harness
}

#[test]
fn a_custom_command_shows_its_output_and_outcome() {
    scene("output_before_any", started);
    scene("output", output);
    scene("output_of_a_command_that_failed", failed_output);
    scene("output_while_a_word_is_typed", |columns, rows| {
        let mut harness = output(columns, rows);
        harness.press("/");
        harness.type_text("łó");
        harness
    });
}

pub(super) fn confirmation(columns: u16, rows: u16) -> Harness {
    let asking = UserCommand { confirm: true, api_key: true, ..command("Report for the ERP") };
    let mut harness = live(columns, rows).with_commands(vec![("g r", asking)]);
    harness.press("z 0 space space space space space space g r");
    harness
}

#[test]
fn a_confirmation_shows_the_command_and_its_segments() {
    scene("confirmation", confirmation);
}
