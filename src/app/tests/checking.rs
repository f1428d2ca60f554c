//! The findings list: how it follows the tree, and how findings are fixed from it.

use std::sync::Arc;

use crate::app::harness::{Harness, id, named, wholesale};
use crate::app::{Effect, Event, Layer, State, update};
use crate::changes::Operation;
use crate::check::{CheckJob, Level, Rule};
use crate::keymap::parse_sequence;
use crate::segment::Segment;

/// A tree with an orphan, two siblings of the same name, and a name with a trailing space.
fn troubled() -> Harness {
    let mut segments = wholesale();
    segments.push(named("twin", "ZGIERZ", Some("lodzkie")));
    segments.push(named("padded", "Retail ", Some("export")));
    Harness::with_segments(120, 40, segments)
}

fn lines(harness: &Harness) -> Vec<String> {
    let chosen = harness.state.side.findings.list.chosen;
    let all = harness.state.side.findings.all().unwrap_or_default().iter().enumerate();
    let bar = |at| if at == chosen { ">" } else { "" };
    all.map(|(at, finding)| format!("{}{} {}", bar(at), finding.rule, finding.segment.id)).collect()
}

fn is_open(state: &State) -> bool {
    matches!(state.screen.layers.last(), Some(Layer::Findings))
}

#[test]
fn enter_goes_to_the_findings_segment_and_back_returns() {
    let mut harness = troubled();
    harness.press("C");
    assert_eq!(
        lines(&harness),
        [">orphan orphan", "same-name-siblings twin", "same-name-siblings zgierz", "padded-name padded"]
    );
    assert_eq!(harness.state.side.findings.count(Level::Error), 1);
    assert_eq!(harness.state.side.findings.count(Level::Warning), 3);
    harness.press("j j enter");
    assert_eq!((harness.selected().as_str(), is_open(&harness.state)), ("Zgierz", false));
    harness.press("C");
    assert_eq!(lines(&harness)[2], ">same-name-siblings zgierz", "one goes on where one was");
    harness.press("esc ctrl-o");
    assert_eq!(harness.selected(), "Hurtownie");
}

#[test]
fn the_check_command_opens_the_list() {
    let mut harness = troubled();
    harness.press(":");
    harness.type_text("check");
    harness.press("enter");
    assert!(is_open(&harness.state));
}

#[test]
fn fixing_a_name_takes_two_keys_and_removes_its_finding() {
    let mut harness = troubled();
    harness.press("C G f");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Form(form)) if form.name.text() == "Retail"));
    harness.press("enter");
    let (_, plan) = harness.last_write();
    assert!(matches!(&plan.operations[..], [Operation::Update { draft, .. }] if draft.name.as_str() == "Retail"));
    assert!(is_open(&harness.state), "the list is there for the next one");
    assert_eq!(
        lines(&harness),
        ["orphan orphan", "same-name-siblings twin", ">same-name-siblings zgierz"],
        "the pending name counts"
    );
    harness.press("k f");
    assert_eq!(harness.message(), "Nothing in the name to fix. Press e to edit the segment");
}

#[test]
fn keys_fix_only_the_chosen_segment_whatever_is_marked() {
    let mut harness = troubled();
    harness.press("z 0 space space");
    let marked = harness.state.tree.picks.marked.clone();
    assert_eq!(marked.len(), 2);
    harness.press("C j d");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Deletion(_))));
    harness.press("esc m");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Parents(picker)) if picker.moving.len() == 1
            && picker.moving[0].id == id("twin")));
    harness.press("esc e");
    assert!(
        matches!(harness.state.screen.layers.last(), Some(Layer::Form(form)) if form.subject() == Some(&id("twin")))
    );
    assert_eq!(harness.state.tree.picks.marked, marked);
    harness.press("esc d enter");
    let (_, plan) = harness.last_write();
    assert!(matches!(&plan.operations[..], [Operation::Delete { base, .. }] if base.id == id("twin")));
    harness.succeed();
    assert_eq!(
        lines(&harness),
        ["orphan orphan", ">padded-name padded"],
        "of two alike neither is wrong without the other"
    );
}

#[test]
fn a_key_for_a_vanished_finding_does_not_hit_another_one() {
    let mut harness = troubled();
    harness.press("C j");
    let twin = Arc::clone(harness.state.tree.forest.get(&id("twin")).unwrap());
    let renamed = Arc::new(Segment { name: "Aleksandrów".into(), ..(*twin).clone() });
    harness.changed(Some(&twin), Some(&renamed));
    assert_eq!(lines(&harness), ["orphan orphan", ">padded-name padded"]);
    harness.press("d");
    assert!(is_open(&harness.state), "no deletion of another segment");
    assert_eq!(harness.message(), "The finding you selected is gone. Press d again for this one");
    harness.press("d");
    assert!(matches!(harness.state.screen.layers.last(), Some(Layer::Deletion(_))));
}

#[test]
fn a_new_finding_above_keeps_the_chosen_one() {
    let mut harness = troubled();
    harness.press("C G");
    harness.changed(None, Some(&named("nameless", " ", Some("export"))));
    assert_eq!(lines(&harness).last().unwrap(), ">padded-name padded");
    assert_eq!(lines(&harness)[1], "blank-name nameless");
}

#[test]
fn tab_goes_from_rule_to_rule() {
    let mut harness = troubled();
    let mut chosen = |keys: &str| {
        harness.press(keys);
        harness.state.side.findings.list.chosen
    };
    assert_eq!([chosen("C tab"), chosen("tab"), chosen("tab"), chosen("backtab"), chosen("backtab")], [1, 3, 3, 1, 0]);
}

#[test]
fn the_profiles_rules_are_applied() {
    let mut harness = troubled();
    harness.state.side.findings.rules.set(Rule::Orphan, Level::Off);
    harness.state.side.findings.rules.set(Rule::PaddedName, Level::Error);
    harness.press("C");
    assert_eq!(lines(&harness), [">padded-name padded", "same-name-siblings twin", "same-name-siblings zgierz"]);
}

#[test]
fn a_read_only_profile_lists_findings_but_fixes_nothing() {
    let mut harness = troubled();
    harness.state.session.access = crate::app::Access::ReadOnly;
    harness.press("C e");
    assert!(is_open(&harness.state));
    assert!(harness.message().starts_with("Read-only: "), "{}", harness.message());
}

/// Returns the check that an event starts.
fn asked(harness: &mut Harness, event: Event) -> Option<Box<CheckJob>> {
    let effects = update(&mut harness.state, &harness.keymap, event);
    effects.into_iter().find_map(|effect| if let Effect::Check(job) = effect { Some(job) } else { None })
}

#[test]
fn checks_run_one_at_a_time_and_only_while_the_list_is_open() {
    let mut harness = troubled();
    let key = |text| Event::Key(parse_sequence(text).unwrap()[0]);
    let change = |harness: &mut Harness, text: &str| {
        let now = named("vip", text, None);
        let seen = crate::sync::SegmentChange {
            id: now.id.clone(),
            before: harness.state.tree.forest.get(&now.id).cloned(),
            now: Some(now),
            feed_source: crate::sync::FeedSource::default(),
        };
        asked(harness, Event::Sync(crate::sync::Event::Changed { seen: vec![seen], next: None }))
    };
    let job = asked(&mut harness, key("C")).expect("it is looked at");
    assert!(harness.state.side.findings.is_checking());
    assert_eq!(change(&mut harness, "VIP "), None, "one at a time");
    harness.wait(3);
    let again = asked(&mut harness, Event::Checked(job.run()));
    assert_eq!(again, None, "it took three seconds, so the next one waits as long");
    let job = (0..10).find_map(|_| {
        let wake = harness.state.next_wake().expect("it will be time");
        asked(&mut harness, Event::Time(wake))
    });
    let job = job.expect("it has changed meanwhile");
    assert_eq!(asked(&mut harness, Event::Checked(job.run())), None);
    assert_eq!(lines(&harness).last().unwrap(), "padded-name vip");
    assert_eq!(asked(&mut harness, key("j")), None, "nothing has changed");
    assert_eq!(asked(&mut harness, key("esc")), None);
    assert_eq!(change(&mut harness, "VIP"), None, "nobody reads it");
    assert!(asked(&mut harness, key("C")).is_some());
}
