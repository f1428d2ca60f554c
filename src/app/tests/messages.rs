//! Messages: each is true for as long as it is shown.

use std::time::Duration;

use proptest::prelude::*;

use super::living::{Happening, Server, happen, happening, in_flight};
use crate::app::harness::{Harness, id, named, wholesale, written};
use crate::app::tree::filter;
use crate::app::{Effect, EntryKind, Event, Shape, Tone};
use crate::changes::{ExecutionResult, OpId, OpState, PendingKind, WriteError, WriteResult};
use crate::remote::{Call, Fault, RemoteError};
use crate::segment::{Field, Step};
use crate::sync::{self, ListProgress, Phase};

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

/// Renames Export. The server has not responded yet.
fn renaming() -> Harness {
    let mut harness = at_work();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    harness
}

fn connection_refused() -> RemoteError {
    RemoteError { call: Call::Page(3), fault: Fault::Unreachable { reason: "connection refused".into() } }
}

fn unreached() -> ExecutionResult {
    ExecutionResult::Unreached { error: connection_refused(), retry_in: Duration::from_secs(8), evidence: None }
}

#[track_caller]
fn says(harness: &Harness, text: &str) {
    assert!(harness.message().contains(text), "“{}” instead of “{text}”", harness.message());
}

#[test]
fn a_failure_is_shown_until_the_change_is_adopted() {
    let mut harness = at_work();
    harness.press("a");
    harness.type_text("Nowy");
    harness.press("enter");
    let op = in_flight(&harness)[0].0;
    harness.fail(WriteError::PossibleDuplicate { theirs: named("real", "Nowy", Some("hurt")) });
    says(&harness, "press ! to resolve");
    // No key is pressed: the feed reveals that the segment is the user's own.
    let transitions = harness.state.changes.queue.adopt(op, id("real"));
    let effects = crate::app::changes::apply(&mut harness.state, transitions);
    assert!(!effects.is_empty());
    harness.wait(0);
    assert_eq!(harness.message(), "");
}

#[test]
fn a_failure_in_a_plan_shows_the_plans_current_progress() {
    let mut harness = at_work();
    harness.press("j space space m");
    harness.type_text("vip");
    harness.press("enter y");
    harness.fail(WriteError::Conflict { theirs: None, fields: Vec::new() });
    says(&harness, "(0 of 2 applied)");
    harness.succeed_with_first(1, |_| unreachable!("nothing is created"));
    says(&harness, "(1 of 2 applied)");
}

#[test]
fn an_unreachable_server_is_shown_until_the_change_is_applied() {
    let mut harness = renaming();
    let op = in_flight(&harness)[0].0;
    harness.executed(op, unreached());
    says(&harness, "Your changes are kept and sent when the server responds");
    harness.sync_event(sync::Event::ServerResponded);
    says(&harness, "Your changes are kept and sent when the server responds");
    harness.succeed();
    assert_eq!(harness.message(), "Renamed Export → Export!");
}

#[test]
fn a_success_is_shown_while_the_segment_exists() {
    let mut harness = renaming();
    harness.succeed();
    assert_eq!(harness.message(), "Renamed Export → Export!");
    harness.press("k");
    harness.changed(Some(&named("export", "Export!", Some("hurt"))), None);
    assert_eq!(harness.message(), "");
}

#[test]
fn a_deletion_elsewhere_is_shown_until_the_segment_is_back() {
    let mut harness = at_work();
    harness.press("j");
    let export = named("export", "Export", Some("hurt"));
    harness.changed(Some(&export), None);
    assert_eq!(harness.message(), "Export was deleted by someone else");
    harness.changed(None, Some(&export));
    assert_eq!(harness.message(), "");
}

#[test]
fn a_reverted_change_is_shown_until_the_segment_changes_again() {
    let mut harness = renaming();
    harness.succeed();
    let (mine, before) = (named("export", "Export!", Some("hurt")), named("export", "Export", Some("hurt")));
    harness.changed(Some(&mine), Some(&before));
    says(&harness, "someone reverted your change to name");
    harness.changed(Some(&before), Some(&mine));
    assert_eq!(harness.message(), "");
}

#[test]
fn an_undo_seen_before_its_response_is_not_blamed_on_others() {
    let mut harness = renaming();
    harness.succeed();
    let (mine, before) = (named("export", "Export!", Some("hurt")), named("export", "Export", Some("hurt")));
    harness.press("u");
    harness.changed(Some(&mine), Some(&before));
    assert!(!harness.message().contains("someone"), "{}", harness.message());
    harness.succeed();
    says(&harness, "Undid: ");
    // A revert after that is someone else's.
    harness.changed(Some(&before), Some(&mine));
    says(&harness, "someone reverted your change to name");
}

#[test]
fn a_value_the_server_kept_is_shown_until_it_changes() {
    let mut harness = renaming();
    let op = in_flight(&harness)[0].0;
    let kept = named("export", "Export", Some("hurt"));
    let mut result = written(crate::segment::Segment::clone(&kept));
    result.ignored = vec![Field::Name];
    harness.executed(op, ExecutionResult::Done(WriteResult::Updated(result)));
    says(&harness, "Export: the server kept name");
    harness.changed(Some(&kept), Some(&named("export", "Eksport", Some("hurt"))));
    assert_eq!(harness.message(), "");
}

#[test]
fn why_an_action_is_unavailable_is_shown_until_it_is_available() {
    let mut harness = at_work();
    harness.press("a");
    harness.type_text("Nowy");
    harness.press("enter d");
    says(&harness, "Nowy is still being created");
    harness.succeed();
    assert_eq!(harness.message(), "Created Nowy", "it can be deleted, and that it was created is to be read");
    let mut harness = renaming();
    harness.press("z 0 u");
    says(&harness, "Still sending. Try again in a moment");
    harness.succeed();
    assert_eq!(harness.message(), "Renamed Export → Export!");
}

#[test]
fn an_unknown_id_is_shown_until_a_segment_has_it() {
    let mut harness = at_work();
    harness.press("f");
    harness.type_text("X-late");
    harness.press("enter");
    says(&harness, "No segment with ID or external ID “X-late”");
    harness.changed(None, Some(&named("late", "Late", None)));
    assert_eq!(harness.message(), "");
    harness.press("ctrl-u");
    harness.type_text("later");
    harness.press("enter");
    says(&harness, "“later”");
    harness.changed(None, Some(&named("later", "Later", None)));
    assert_eq!(harness.message(), "");
}

#[test]
fn no_matches_is_shown_until_something_matches() {
    let mut harness = at_work();
    harness.press("/");
    harness.type_text("late");
    harness.press("enter");
    says(&harness, "No matches for “late”");
    harness.changed(None, Some(&named("late", "Late", None)));
    assert_eq!(harness.message(), "");
}

#[test]
fn a_cut_segment_deleted_elsewhere_clears_the_paste_hint() {
    let mut harness = at_work();
    harness.press("j x");
    says(&harness, "Press p to paste");
    harness.press("k");
    harness.changed(Some(&named("export", "Export", Some("hurt"))), None);
    assert_eq!(harness.message(), "");
}

#[test]
fn a_stalled_connection_is_shown_until_loading_goes_on() {
    let mut harness = Harness::new(120, 40);
    let progress = ListProgress { segments: 1, pages: 1, ..ListProgress::default() };
    let error = connection_refused();
    harness.sync_event(sync::Event::PhaseChanged(Phase::Stalled { error, retry_in: Duration::from_secs(8), progress }));
    says(&harness, "to retry");
    harness.sync_event(sync::Event::PhaseChanged(Phase::Loading(progress)));
    assert_eq!(harness.message(), "");
}

#[test]
fn a_manual_poll_reports_its_outcome() {
    let mut harness = at_work();
    harness.press("ctrl-r");
    assert_eq!(harness.message(), "Checking for changes…");
    harness.sync_event(sync::Event::Synchronised { next: Step(1), complete: true, incomplete_reason: None });
    assert_eq!(harness.message(), "Up to date");
    harness.press("ctrl-r");
    let error = connection_refused();
    harness.sync_event(sync::Event::PhaseChanged(Phase::Offline { error, retry_in: Duration::from_secs(8) }));
    assert_eq!(harness.message(), "", "the header says so");
}

#[test]
fn the_number_of_staged_changes_is_kept_current() {
    let mut harness = at_work();
    harness.press("S j r");
    harness.type_text("!");
    harness.press("enter");
    assert_eq!(harness.message(), "Staged (1). Press S to review and send");
    let mut reviewing = at_work();
    reviewing.press("S j r");
    reviewing.type_text("!");
    reviewing.press("enter S");
    assert_eq!(reviewing.message(), "", "in the list, S ends staging");
    let plan_id = harness.state.changes.queue.plans().next().unwrap().0;
    crate::app::changes::discard_plan(&mut harness.state, plan_id);
    harness.wait(0);
    assert_eq!(harness.message(), "");
}

#[test]
fn a_refusal_in_the_list_of_findings_ends_with_its_reason() {
    for marked in [false, true] {
        let mut harness =
            Harness::with_segments(120, 40, vec![named("a", "a", Some("missing")), named("b", "b", None)]);
        harness.press(if marked { "G space" } else { "G" });
        harness.press("C d enter d");
        assert_eq!(harness.message(), "a is being deleted", "marked: {marked}");
        harness.succeed();
        assert_eq!(harness.message(), "Deleted a", "marked: {marked}");
    }
}

#[test]
fn too_small_is_cleared_when_the_screen_grows() {
    let mut harness = Harness::with_segments(40, 12, wholesale());
    harness.press("t d");
    says(&harness, "Only the tree fits");
    harness.event(Event::Resized(120, 40));
    assert_eq!(harness.message(), "");
}

/// Further events that affect messages.
#[derive(Debug, Clone)]
enum More {
    Usual(Happening),
    Press(&'static str),
    Unreachable,
    Answers,
    Duplicate,
    Conflict,
    Phase(u8),
    Synchronised,
}

fn more() -> impl Strategy<Value = More> {
    let keys = prop::sample::select(vec![
        "S",
        "Q",
        "y",
        "t",
        "c",
        "D",
        "V",
        "x",
        "p",
        "u",
        "U",
        "d",
        "!",
        "b q",
        "' q",
        "f",
        "R",
        "ctrl-r",
        "ctrl-c",
        "r",
        "enter",
        "esc",
        "esc esc",
        "C d enter d",
    ]);
    prop_oneof![
        20 => happening().prop_map(More::Usual),
        6 => keys.prop_map(More::Press),
        2 => Just(More::Unreachable),
        1 => Just(More::Answers),
        1 => Just(More::Duplicate),
        2 => Just(More::Conflict),
        1 => (0_u8..4).prop_map(More::Phase),
        1 => Just(More::Synchronised),
    ]
}

fn take(more: More, server: &mut Server, harness: &mut Harness) {
    let first = in_flight(harness).first().cloned();
    let fail = |harness: &mut Harness, op: OpId, error: WriteError| {
        harness.executed(op, ExecutionResult::Failed { error, evidence: None });
    };
    match (more, first) {
        (More::Usual(happening), _) => happen(happening, server, harness),
        (More::Press(keys), _) => harness.press(keys),
        (More::Unreachable, Some((op, _))) => harness.executed(op, unreached()),
        (More::Duplicate, Some((op, operation))) if operation.subject().is_none() => {
            fail(harness, op, WriteError::PossibleDuplicate { theirs: named("twin", "twin", None) });
        }
        (More::Conflict | More::Duplicate, Some((op, operation))) => {
            let theirs = operation.subject().and_then(|id| harness.state.changes.queue.server_state(id)).cloned();
            fail(harness, op, WriteError::Conflict { theirs, fields: vec![Field::Name] });
        }
        (More::Unreachable | More::Duplicate | More::Conflict, None) => {}
        (More::Answers, _) => harness.sync_event(sync::Event::ServerResponded),
        (More::Phase(kind), _) => {
            let (error, retry_in) = (connection_refused(), Duration::from_secs(8));
            let progress = ListProgress { segments: 3, pages: 1, ..ListProgress::default() };
            harness.sync_event(sync::Event::PhaseChanged(match kind {
                0 => Phase::Live,
                1 => Phase::Offline { error, retry_in },
                2 => Phase::Stalled { error, retry_in, progress },
                _ => Phase::Paused(progress),
            }));
        }
        (More::Synchronised, _) => {
            harness.sync_event(sync::Event::Synchronised { next: Step(1), complete: true, incomplete_reason: None });
        }
    }
}

/// Returns what is wrong about the message, judged only by its text and the state, not by why it was shown.
fn untruth(harness: &Harness) -> Option<&'static str> {
    let (state, text) = (&harness.state, harness.message());
    let (queue, counts, forest) = (&state.changes.queue, state.changes.counts(), &state.tree.forest);
    let between =
        |from: &str, to: &str| text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(it, _)| it);
    let subject =
        |of: &str| text.strip_suffix(of).and_then(|name| forest.iter().find(|segment| *segment.name == *name));
    let failed = || {
        queue.plans().any(|(plan_id, plan)| {
            let progress = if plan.counts().total() == 1 {
                ": ".to_owned()
            } else {
                format!(" ({} of {} applied): ", plan.counts().done, plan.counts().total())
            };
            let has_failed = |index| queue.has_failed(OpId { plan_id, index });
            text.starts_with(&(plan.title.failed.clone() + &progress)) && (0..plan.ops().len()).any(has_failed)
        })
    };
    // Several segments may have the same name; the newest entry is meant.
    let deleted = text.strip_suffix(" was deleted by someone else").and_then(|name| {
        let mut entries = state.side.activity.entries();
        entries.find(|entry| entry.kind == EntryKind::Deleted && entry.text == name)?.subject.as_ref()
    });
    let known =
        |wanted: &str| forest.iter().any(|one| one.external_id.as_deref() == Some(wanted) || &*one.id.text() == wanted);
    let claims = [
        (text.ends_with("press ! to resolve") && !failed(), "nothing that failed is called so"),
        (text.ends_with("to review and retry") && !failed(), "nothing that failed is called so"),
        ((text.contains("nresolved") || text.contains("to retry, d")) && counts.failed == 0, "nothing has failed"),
        (text.contains("kept and sent") && counts.queued == 0, "nothing is to be sent"),
        (text.starts_with("Still staged") && counts.staged == 0, "nothing is staged"),
        (text.contains("is still staged") && counts.staged == 0, "nothing is staged"),
        (between("Staged (", ")").is_some_and(|count| count != counts.staged.to_string()), "another number is staged"),
        (text.starts_with("Staging on") != state.changes.is_staging() && text.starts_with("Staging "), "it is not"),
        ((text.starts_with("On hold: ") || text.starts_with("Paused: ")) && counts.on_hold == 0, "nothing is on hold"),
        (text.starts_with("Still sending") && !queue.is_sending(), "nothing is being sent"),
        (text == "No failed changes" && counts.failed > 0, "something has failed"),
        (text.starts_with("Cut ") && state.tree.picks.cut.is_empty(), "nothing is cut"),
        (text.starts_with("Nothing to paste") && !state.tree.picks.cut.is_empty(), "something is cut"),
        (text.starts_with("Marking a range") && state.tree.picks.range.anchor.is_none(), "no range is being marked"),
        (
            text.strip_prefix("Marked ").is_some_and(|count| count != state.tree.picks.marked.len().to_string()),
            "another number is marked",
        ),
        (between("external ID “", "”").is_some_and(known), "there is one"),
        (
            text.starts_with("No matches") && state.tree.search.as_ref().is_some_and(|search| search.matches > 0),
            "something matches",
        ),
        (text.starts_with("Nothing to undo") && queue.undo_stack().can_undo(), "there is something to undo"),
        (text.starts_with("Nothing to redo") && queue.undo_stack().can_redo(), "there is something to redo"),
        (deleted.is_some_and(|id| forest.contains(id)), "it exists"),
        (
            subject(" is being deleted").is_some_and(|one| queue.pending(&one.id) != Some(PendingKind::Deleting)),
            "it is not being deleted",
        ),
        (text.ends_with("is being deleted") && counts.unfinished() == 0, "nothing is pending"),
        (text.contains("still being created") && counts.unfinished() == 0, "nothing is pending"),
        (text.contains("still being saved") && counts.unfinished() == 0, "nothing is pending"),
        (text.starts_with("Only the tree fits") && state.layout().shape != Shape::TreeOnly, "there is more room"),
        (
            text.contains("Loaded ") && !matches!(state.link.phase, Phase::Stalled { .. } | Phase::Paused(_)),
            "it is not waiting for a person",
        ),
        (
            text.starts_with("Its children don't match the filter") && !filter::is_kept(&state.tree),
            "there is no filter",
        ),
        (
            renamed(text).is_some_and(|before| before.parse::<u8>().is_ok() && !forest.contains(&id(before))),
            "the segment that was renamed is gone",
        ),
    ];
    claims.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, why)| why)
}

/// Returns the old name from a message about a rename. In these tests it equals the id.
fn renamed(text: &str) -> Option<&str> {
    text.strip_prefix("Renamed ").and_then(|text| text.split_once(" → ")).map(|(before, _)| before)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    /// In any order of events, no message claims something that is no longer true.
    #[test]
    fn no_message_outlives_what_it_says(happenings in prop::collection::vec(more(), 1..80)) {
        let mut harness = Harness::with_segments(120, 12, Vec::new());
        let mut server = Server::new();
        for happening in happenings {
            let what = format!("{happening:?}");
            take(happening, &mut server, &mut harness);
            if let Some(why) = untruth(&harness) {
                prop_assert!(false, "“{}”, and {} after {}", harness.message(), why, what);
            }
            let message = harness.state.screen.message.as_ref();
            prop_assert!(message.is_none_or(|message| (message.tone == Tone::Calm) == message.until.is_some()));
        }
    }
}

#[test]
fn a_false_message_is_detected() {
    let mut harness = at_work();
    for text in [
        "Couldn't rename Export: no · press ! to resolve",
        "Couldn't rename Export: no. Your changes are kept and sent when the server responds · press Q to see them",
        "Staged (3). Press S to review and send",
        "Cut Export. Press p to paste here as a child, esc to cancel",
        "Marked 3",
        "No segment with ID or external ID “X-vip”",
        "Export is being deleted",
        "Only the tree fits. Enlarge the terminal to at least 60 columns and 15 rows",
    ] {
        harness.state.warn(text);
        assert!(untruth(&harness).is_some(), "{text}");
    }
    harness.state.warn("j is not bound. Press ? for help");
    assert_eq!(untruth(&harness), None);
    let failed = |harness: &Harness| {
        harness.state.changes.queue.plans().any(|(_, plan)| matches!(plan.ops()[0].state, OpState::Failed(_)))
    };
    let mut harness = renaming();
    harness.refuse("no");
    assert!(failed(&harness) && untruth(&harness).is_none(), "{}", harness.message());
    assert!(!harness.effects.contains(&Effect::Quit));
}
