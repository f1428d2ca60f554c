//! Operations in progress: loading, being offline, pending writes, and the changes of the last minutes.

use std::time::Duration;

use crate::app::harness::{Harness, named, segment, wholesale};
use crate::remote::{Call, Fault, RemoteError};
use crate::segment::Step;
use crate::sync::{self, ListProgress, Phase};

use super::looking::live;
use super::picture::{picture, scene};

#[test]
fn loading_shows_progress_and_the_time_left() {
    let loading = |columns, rows, total| {
        let mut harness = Harness::new(columns, rows);
        let elapsed = Duration::from_millis(3_350);
        let progress = ListProgress { segments: 41_500, pages: 83, elapsed, total };
        harness.sync_event(sync::Event::PageReceived(wholesale()));
        harness.sync_event(sync::Event::PhaseChanged(Phase::Loading(progress)));
        harness
    };
    scene("main_before_anything_came", Harness::new);
    scene("main_loading", |columns, rows| loading(columns, rows, None));
    scene("main_loading_a_known_number", |columns, rows| loading(columns, rows, Some(100_000)));
}

#[test]
fn offline_shows_since_when_and_the_next_retry() {
    scene("main_offline", |columns, rows| {
        let mut harness = live(columns, rows);
        let fault = Fault::Unreachable { reason: "connection refused".into() };
        let error = RemoteError { call: Call::Changes(Step(7)), fault };
        harness.sync_event(sync::Event::PhaseChanged(Phase::Offline { error, retry_in: Duration::from_secs(8) }));
        harness
    });
}

#[test]
fn writes_show_progress_and_esc_puts_them_on_hold() {
    let mut harness = live(80, 24);
    harness.press("z 0 j j space space space space space e");
    harness.type_text("x");
    harness.press("enter y");
    let (plan_id, plan) = harness.last_write();
    assert!(plan.operations.len() >= 5, "{plan:?}");
    harness.wait(1);
    harness.succeed_with_first(2, |_| unreachable!("only names change"));
    harness.wait(1);
    let picture = picture(&harness);
    assert!(picture.contains("███░░░░░ 2 of 5 done · 2.0/s · 2 s left"), "{picture}");
    harness.press("esc esc esc");
    // Requests in flight are not put on hold.
    assert_eq!(harness.state.changes.queue.plan(plan_id).unwrap().counts().in_flight, 3);
}

#[test]
fn changes_of_the_last_minutes_are_charted_by_kind() {
    scene("pulse", |columns, rows| {
        let mut harness = live(columns, rows);
        if columns <= 80 {
            harness.press("t a");
        }
        for minute in 0..6 {
            for at in 0..minute * minute {
                let before = named("vip", &format!("VIP {at}"), None);
                harness.changed(Some(&before), Some(&named("vip", &format!("VIP {}", at + 1), None)));
            }
            harness.changed(None, Some(&segment(&format!("new {minute}"), Some("vip"))));
            harness.wait(60);
        }
        harness.changed(Some(&segment("new 1", Some("vip"))), None);
        harness
    });
}
