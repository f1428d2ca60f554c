//! Events from the server: loading, changes made elsewhere and failures, and all of them in random order.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::app::harness::{Harness, id, named, segment, wholesale, written};
use crate::app::tree::viewport;
use crate::app::{Effect, EntryKind, Event, LinkState};
use crate::changes::{ExecutionResult, OpId, OpState, Operation, WriteError, WriteResult};
use crate::remote::{Call, Fault, RemoteError};
use crate::segment::Segment;
use crate::sync::{self, Command, ListProgress, Phase};

fn at_work() -> Harness {
    Harness::with_segments(120, 40, wholesale())
}

fn unreachable_server() -> RemoteError {
    RemoteError { call: Call::Page(3), fault: Fault::Unreachable { reason: "connection refused".into() } }
}

#[test]
fn pages_are_shown_and_keys_work_while_the_list_loads() {
    let mut harness = Harness::new(120, 40);
    let progress = ListProgress { segments: 2, pages: 1, elapsed: Duration::from_secs(1), total: None };
    harness.sync_event(sync::Event::PhaseChanged(Phase::Loading(progress)));
    harness.sync_event(sync::Event::PageReceived(vec![segment("b", None), segment("a", None)]));
    assert_eq!(harness.rows(), [">a", "b"]);
    harness.press("j");
    harness.sync_event(sync::Event::PageReceived(vec![segment("aa", None), segment("c", None)]));
    assert_eq!(harness.rows(), ["a", "aa", ">b", "c"]);
    assert_eq!(harness.state.link.state(), LinkState::Working);
}

#[test]
fn a_stalled_list_keeps_its_pages_and_offers_a_retry() {
    let mut harness = Harness::new(120, 40);
    harness.sync_event(sync::Event::PageReceived(vec![segment("a", None)]));
    let progress = ListProgress { segments: 1, pages: 1, ..ListProgress::default() };
    harness.sync_event(sync::Event::PhaseChanged(Phase::Stalled {
        error: unreachable_server(),
        retry_in: Duration::from_secs(8),
        progress,
    }));
    assert!(harness.message().contains("press ctrl-r to retry"), "{}", harness.message());
    assert_eq!(harness.rows(), [">a"]);
    assert_eq!(harness.state.link.state(), LinkState::Stalled);
}

#[test]
fn the_first_list_can_be_paused_and_resumed() {
    let mut harness = Harness::new(120, 40);
    let progress = ListProgress { segments: 41_500, pages: 83, elapsed: Duration::from_secs(1), total: None };
    harness.sync_event(sync::Event::PhaseChanged(Phase::Loading(progress)));
    harness.sync_event(sync::Event::PageReceived(vec![segment("a", None), segment("b", None)]));
    harness.press("space esc");
    assert!(harness.effects.is_empty(), "the marks go first");
    harness.press("esc");
    assert_eq!(harness.effects.pop(), Some(Effect::Sync(Command::StopListing)));
    harness.sync_event(sync::Event::PhaseChanged(Phase::Paused(progress)));
    assert_eq!(harness.message(), "Loaded 41,500 segments; the rest is missing. Press ctrl-r to continue");
    harness.press("esc esc ctrl-r");
    assert_eq!(harness.effects, [Effect::Sync(Command::PollNow)]);
}

#[test]
fn changes_elsewhere_move_neither_selection_nor_screen() {
    let many: Vec<_> = (0..200).map(|at| segment(&format!("{at:03}"), None)).collect();
    let mut harness = Harness::with_segments(120, 40, many);
    harness.press("/");
    harness.type_text("100");
    harness.press("enter enter esc");
    let line = harness.selected_line();
    for at in 0..50 {
        harness.changed(None, Some(&segment(&format!("{at:03}-new"), None)));
    }
    assert_eq!((harness.selected().as_str(), harness.selected_line()), ("100", line));
    for at in 0..50 {
        harness.changed(Some(&segment(&format!("{at:03}-new"), None)), None);
    }
    assert_eq!((harness.selected().as_str(), harness.selected_line()), ("100", line));
}

#[test]
fn a_change_is_logged_with_its_values_and_highlighted() {
    let mut harness = at_work();
    let before = named("vip", "VIP Client", None);
    let now = Arc::new(Segment { name: "VIP".into(), parent: Some(id("hurt")), ..Segment::clone(&before) });
    harness.changed(Some(&before), Some(&now));
    let entry = harness.state.side.activity.entries().next().unwrap();
    assert_eq!((entry.kind, entry.text.as_str()), (EntryKind::Changed, "VIP"));
    let fields: Vec<_> = entry.fields.iter().map(|change| format!("{} → {}", change.before, change.now)).collect();
    assert_eq!(fields, ["VIP Client → VIP", "top level → Hurtownie"]);
    assert!(harness.state.side.activity.is_highlighted(&id("vip")));
    harness.wait(10);
    assert!(!harness.state.side.activity.is_highlighted(&id("vip")));
    assert!(harness.state.side.activity.last_change(&id("vip")).is_some());
}

#[test]
fn a_deleted_segments_neighbour_takes_the_selection() {
    let mut harness = at_work();
    harness.press("j");
    harness.changed(Some(&named("export", "Export", Some("hurt"))), None);
    assert_eq!(harness.selected(), "Polska");
    assert!(harness.message().contains("Export was deleted"), "{}", harness.message());
}

#[test]
fn a_deleted_branch_leaves_the_selection_above_it() {
    let mut harness = at_work();
    harness.press("*");
    harness.press("/");
    harness.type_text("zgierz");
    harness.press("enter enter esc");
    let left: Vec<_> =
        wholesale().into_iter().filter(|segment| ["hurt", "export", "vip"].contains(&&*segment.id.text())).collect();
    harness.later_list(&wholesale(), &left);
    assert_eq!(harness.selected(), "Export");
}

#[test]
fn a_reload_keeps_the_selection_and_what_is_unfolded() {
    let mut harness = at_work();
    harness.press("* j j j");
    let (rows, selected) = (harness.rows(), harness.selected());
    let mut again = wholesale();
    again.reverse();
    harness.later_list(&wholesale(), &again);
    assert_eq!((harness.rows(), harness.selected()), (rows, selected));
}

#[test]
fn going_offline_counts_down_to_the_next_retry() {
    let mut harness = at_work();
    harness.sync_event(sync::Event::PhaseChanged(Phase::Offline {
        error: unreachable_server(),
        retry_in: Duration::from_secs(8),
    }));
    assert_eq!(harness.state.link.state(), LinkState::Offline);
    harness.wait(3);
    assert_eq!(harness.state.link.retry_in(harness.state.clock.now).unwrap().as_secs(), 5);
    harness.sync_event(sync::Event::PhaseChanged(Phase::Live));
    let entries: Vec<_> = harness.state.side.activity.entries().map(|entry| entry.text.clone()).collect();
    assert_eq!(entries.len(), 2);
    assert!(entries[0].contains("Reconnected") && entries[1].contains("connection refused"), "{entries:?}");
}

#[test]
fn a_message_expires_by_itself_and_requests_a_wake_up() {
    let mut harness = at_work();
    harness.press("R");
    assert!(!harness.message().is_empty());
    // The age of the last response requests a wake-up every second as well.
    for _ in 0..10 {
        let wake = harness.state.next_wake().unwrap();
        harness.event(Event::Time(wake));
    }
    assert_eq!(harness.message(), "");
}

#[test]
fn a_growing_list_stays_at_its_first_row_until_a_key() {
    let mut harness = Harness::new(120, 20);
    for page in (0..10).rev() {
        let segments = (0..50).map(|at| segment(&format!("{:03}", page * 50 + at), None)).collect();
        harness.sync_event(sync::Event::PageReceived(segments));
    }
    assert_eq!((harness.selected().as_str(), harness.state.tree.view.offset), ("000", 0));
    harness.press("j");
    let before = (0..5).map(|at| segment(&format!("00{at}-"), None)).collect();
    harness.sync_event(sync::Event::PageReceived(before));
    assert_eq!(harness.selected(), "001", "from a key on, the selection stays");
}

/// An action of the user or an event from the server.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Press(String),
    Type(String),
    Change(u8, Option<u8>),
    Remove(u8),
    List(Vec<(u8, Option<u8>)>),
    Succeed,
    Refuse,
    Resize(u16, u16),
    Wait(i64),
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let keys = prop::sample::select(vec![
        "j",
        "k",
        "l",
        "h",
        "enter",
        "esc",
        "g g",
        "G",
        "*",
        "z 1",
        "z 0",
        "/",
        "n",
        "N",
        "a",
        "A",
        "e",
        "r",
        "m",
        "x",
        "p",
        "d",
        "s",
        "o",
        "space",
        "tab",
        "t d",
        "t a",
        "?",
        "R",
        "ctrl-d",
        "pageup",
        "J",
        "K",
        "!",
        "s s",
        "s e",
        "backspace",
        "ctrl-u",
        ".",
        "V",
        "shift-down",
        "5 j",
        "u",
        "U",
        "ctrl-a",
        "s n",
        "backtab",
        "f2",
        "f",
        "b x",
        "' x",
        "ctrl-o",
        "up",
        "ctrl-n",
        "S",
        "Q",
        "C",
        "y",
        "H",
    ]);
    let link = (0_u8..12, prop::option::of(0_u8..14));
    prop_oneof![
        12 => keys.prop_map(|keys| Happening::Press(keys.to_owned())),
        2 => "[0-9a-c ]{1,3}".prop_map(Happening::Type),
        4 => link.clone().prop_map(|(id, parent)| Happening::Change(id, parent)),
        2 => (0_u8..12).prop_map(Happening::Remove),
        1 => prop::collection::vec(link, 0..12).prop_map(Happening::List),
        3 => Just(Happening::Succeed),
        1 => Just(Happening::Refuse),
        1 => (0_u16..200, 0_u16..60).prop_map(|(columns, rows)| Happening::Resize(columns, rows)),
        1 => (0_i64..20).prop_map(Happening::Wait),
    ]
}

fn numbered(id: u8, parent: Option<u8>) -> Arc<Segment> {
    segment(&id.to_string(), parent.map(|parent| parent.to_string()).as_deref())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    /// In any order of events: a visible row is selected whenever there is one, the scroll position is in range, and once every
    /// write has finished the tree matches the server.
    #[test]
    fn no_order_of_events_loses_the_selection_or_a_segment(happenings in prop::collection::vec(happening(), 1..80)) {
        let mut harness = Harness::with_segments(120, 12, Vec::new());
        let mut server = Server::new();
        for happening in happenings {
            happen(happening, &mut server, &mut harness);
            let rows = harness.state.shown_row_count();
            let selected = harness.state.tree.view.selected.as_ref().and_then(|row| harness.state.shown_position(row));
            prop_assert_eq!(selected.is_some(), rows > 0);
            let height = viewport::height(&harness.state);
            if let Some(at) = selected.filter(|_| height > 0) {
                let in_sight = harness.state.tree.view.offset..harness.state.tree.view.offset + height;
                prop_assert!(in_sight.contains(&at), "row {} of {:?}", at, in_sight);
            }
            prop_assert!(harness.state.tree.view.offset <= rows);
        }
        let counts = harness.state.changes.counts();
        if counts.queued + counts.on_hold + counts.staged == 0 {
            let shown: Vec<_> = harness.state.tree.forest.iter().map(|segment| (segment.id.to_string(), Arc::clone(segment))).collect();
            prop_assert_eq!(shown.into_iter().collect::<std::collections::BTreeMap<_, _>>(), server);
        }
    }
}

/// The segments on the server, by id.
pub(super) type Server = std::collections::BTreeMap<String, Arc<Segment>>;

pub(super) fn happen(happening: Happening, server: &mut Server, harness: &mut Harness) {
    match happening {
        Happening::Press(keys) => harness.press(&keys),
        Happening::Type(text) => harness.type_text(&text),
        Happening::Change(id, parent) => {
            let now = numbered(id, parent);
            let before = server.insert(id.to_string(), Arc::clone(&now));
            harness.changed(before.as_ref(), Some(&now));
        }
        Happening::Remove(id) => {
            if let Some(before) = server.remove(&id.to_string()) {
                harness.changed(Some(&before), None);
            }
        }
        Happening::List(list) => {
            let before: Vec<_> = server.values().cloned().collect();
            *server = list.iter().map(|(id, parent)| (id.to_string(), numbered(*id, *parent))).collect();
            harness.later_list(&before, &server.values().cloned().collect::<Vec<_>>());
        }
        Happening::Succeed => execute_all(server, harness),
        Happening::Refuse => refuse_all(harness),
        Happening::Resize(columns, rows) => harness.event(Event::Resized(columns, rows)),
        Happening::Wait(seconds) => harness.wait(seconds),
    }
}

pub(super) fn in_flight(harness: &Harness) -> Vec<(OpId, Operation)> {
    let plans = harness.state.changes.queue.plans();
    let ops = plans.flat_map(|(plan_id, plan)| {
        let ops = plan.ops().iter().enumerate().filter(|(_, op)| op.state == OpState::InFlight);
        ops.map(move |(index, op)| (OpId { plan_id, index }, op.operation.clone()))
    });
    ops.collect()
}

/// Applies all operations in flight as requested.
fn execute_all(server: &mut Server, harness: &mut Harness) {
    for (op, operation) in in_flight(harness) {
        let result = match operation {
            Operation::Create { draft } => {
                let new = draft.into_segment(id(&format!("server-{}", op.plan_id.0)));
                server.insert(new.id.to_string(), Arc::new(new.clone()));
                WriteResult::Created(written(new))
            }
            Operation::Update { base, draft } => {
                let now = draft.into_segment(base.id.clone());
                server.insert(now.id.to_string(), Arc::new(now.clone()));
                WriteResult::Updated(written(now))
            }
            Operation::Delete { base, .. } => {
                server.remove(&base.id.to_string());
                WriteResult::Deleted { id: base.id.clone(), found: true, concurrent_write: false }
            }
        };
        harness.executed(op, ExecutionResult::Done(result));
    }
}

fn refuse_all(harness: &mut Harness) {
    for (op, _) in in_flight(harness) {
        let fault = Fault::Refused { status: 409, message: "no".into(), retry_after: None };
        let error = WriteError::Refused(RemoteError { call: Call::One(id("any")), fault });
        harness.executed(op, ExecutionResult::Failed { error, evidence: None });
    }
}

#[test]
fn waiting_for_the_server_is_logged_once_per_outage() {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter");
    let (plan_id, _) = harness.last_write();
    let op = crate::changes::OpId { plan_id, index: 0 };
    let fault = Fault::Refused { status: 429, message: String::new(), retry_after: Some(Duration::from_secs(50)) };
    let error = RemoteError { call: Call::Update(id("export")), fault };
    let unreached = |error: &RemoteError| ExecutionResult::Unreached {
        error: error.clone(),
        retry_in: Duration::from_secs(50),
        evidence: None,
    };
    let report_count = |harness: &Harness| {
        let entries = harness.state.side.activity.entries();
        entries.filter(|entry| entry.text.contains("Your changes are kept and sent again in 50 s")).count()
    };
    for _ in 0..3 {
        assert_eq!(harness.state.changes.queue.op(op).unwrap().state, OpState::InFlight);
        harness.executed(op, unreached(&error));
        assert_eq!(harness.state.changes.queue.op(op).unwrap().state, OpState::Queued);
        harness.sync_event(sync::Event::ServerResponded);
        // Another message is shown in between.
        harness.press("y i");
    }
    assert_eq!(report_count(&harness), 1);
    harness.succeed();
    harness.press("r");
    harness.type_text("!");
    harness.press("enter");
    let op = crate::changes::OpId { plan_id: harness.last_write().0, index: 0 };
    harness.executed(op, unreached(&error));
    assert_eq!(report_count(&harness), 2);
}
