//! What goes on: loading, being offline, writes under way, and what changed in the last minutes.

use std::time::Duration;

use crate::app::harness::{Harness, named, segment, wholesale};
use crate::remote::{Call, Fault, RemoteError};
use crate::segment::Step;
use crate::sync::{self, ListProgress, Phase};

use super::looking::live;
use super::picture::{picture, scene};

#[test]
fn loading_tells_how_far_it_is_and_what_is_left() {
    let loading = |columns, rows, total| {
        let mut harness = Harness::new(columns, rows);
        let elapsed = Duration::from_millis(3_350);
        let progress = ListProgress { segments: 41_500, pages: 83, elapsed, total };
        harness.tell(sync::Event::PageReceived(wholesale()));
        harness.tell(sync::Event::PhaseChanged(Phase::Loading(progress)));
        harness
    };
    scene("main_before_anything_came", Harness::new);
    scene("main_loading", |columns, rows| loading(columns, rows, None));
    scene("main_loading_a_known_number", |columns, rows| loading(columns, rows, Some(100_000)));
}

#[test]
fn offline_tells_since_when_and_until_when() {
    scene("main_offline", |columns, rows| {
        let mut harness = live(columns, rows);
        let fault = Fault::Unreachable { reason: "connection refused".into() };
        let error = RemoteError { call: Call::Changes(Step(7)), fault };
        harness.tell(sync::Event::PhaseChanged(Phase::Offline { error, retry_in: Duration::from_secs(8) }));
        harness
    });
}

#[test]
fn many_writes_tell_how_far_they_are_and_are_held_back_by_esc() {
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
    // What is in flight is not held back.
    assert_eq!(harness.state.changes.queue.plan(plan_id).unwrap().counts().in_flight, 3);
}

#[test]
fn what_changed_in_the_last_minutes_is_drawn_by_kind() {
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
