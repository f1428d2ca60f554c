//! User commands and the browser.

use std::time::Duration;

use crate::action::{Output, Subjects, UserCommand};
use crate::app::harness::{Harness, command, named, wholesale};
use crate::app::{Access, BrowserOutcome, Effect, Event, Layer, RunEnd, RunEvent, RunOutcome, RunRequest};
use crate::remote::UrlTemplate;

fn at_work(own: UserCommand) -> Harness {
    Harness::with_segments(120, 40, wholesale()).with_commands(vec![("g r", own)])
}

/// Returns the last command that was started.
fn order(harness: &mut Harness) -> RunRequest {
    match harness.effects.pop() {
        Some(Effect::Run(order)) => *order,
        other => panic!("nothing was run but {other:?}: {}", harness.message()),
    }
}

fn names(order: &RunRequest) -> Vec<&str> {
    order.subjects.iter().map(|segment| segment.name.as_str()).collect()
}

fn ended(harness: &mut Harness, run: u64, outcome: RunOutcome) {
    let end = RunEnd { outcome, elapsed: Duration::from_millis(1_340), dropped: 0 };
    harness.event(Event::Ran(run, RunEvent::Ended(end)));
}

fn output_is_open(harness: &Harness) -> bool {
    matches!(harness.state.screen.layers.last(), Some(Layer::Output(_)))
}

#[test]
fn a_command_gets_the_marked_segments_or_the_selected_one() {
    let mut harness = at_work(command("Report"));
    harness.press("G g r");
    assert_eq!(names(&order(&mut harness)), ["Orphan of nobody"]);
    ended(&mut harness, 1, RunOutcome::Exited(0));
    harness.press("esc g g space j space g r");
    assert_eq!(names(&order(&mut harness)).len(), 2);
}

#[test]
fn a_command_can_be_limited_to_the_selected_or_the_marked() {
    let mut harness = at_work(UserCommand { on: Subjects::Selected, ..command("Report") });
    harness.press("space space g r");
    assert_eq!(order(&mut harness).subjects.len(), 1);
    let mut harness = at_work(UserCommand { on: Subjects::Marked, ..command("Report") });
    harness.press("g r");
    assert_eq!(harness.message(), "“Report” needs marked segments. Press space to mark");
    assert!(harness.effects.is_empty());
}

#[test]
fn a_running_command_is_stopped_before_its_output_closes() {
    let mut harness = at_work(command("Report"));
    harness.press("g r");
    let run = order(&mut harness).run;
    harness.event(Event::Ran(run, RunEvent::Wrote("so far\n".into())));
    harness.press("esc");
    assert_eq!(harness.effects.pop(), Some(Effect::StopRun));
    assert!(output_is_open(&harness));
    ended(&mut harness, run, RunOutcome::Stopped);
    assert!(output_is_open(&harness));
    harness.press("esc");
    assert!(!output_is_open(&harness) && harness.state.side.commands.run.is_none());
}

#[test]
fn the_output_of_a_stopping_command_can_be_closed() {
    let mut harness = at_work(command("Report"));
    harness.press("g r ctrl-c ctrl-c");
    assert!(!output_is_open(&harness));
    harness.press("g r");
    assert_eq!(harness.message(), "“Report” is still running. Press ctrl-c to stop it");
    ended(&mut harness, 1, RunOutcome::Stopped);
    assert_eq!(harness.message(), "“Report”: stopped after 1.3 s");
    harness.press("g r");
    assert!(output_is_open(&harness));
    // Late output of the earlier run is not shown as this one's.
    harness.event(Event::Ran(1, RunEvent::Wrote("late".into())));
    assert!(harness.state.side.commands.run.as_ref().unwrap().text.lines().is_empty());
}

#[test]
fn a_command_without_a_pane_shows_its_last_line_or_error() {
    let mut harness = at_work(UserCommand { output: Output::Message, ..command("Count") });
    harness.press("g r");
    harness.event(Event::Ran(1, RunEvent::Wrote("one\n9 counted\n\n".into())));
    ended(&mut harness, 1, RunOutcome::Exited(0));
    assert_eq!(harness.message(), "Count: 9 counted");
    harness.press("g r");
    harness.event(Event::Ran(2, RunEvent::Wrote("no such table\n".into())));
    ended(&mut harness, 2, RunOutcome::Exited(3));
    assert_eq!(harness.message(), "“Count”: exit code 3 · 1.3 s · no such table");
}

#[test]
fn quitting_waits_for_a_background_command() {
    let mut harness = at_work(UserCommand { output: Output::Nothing, ..command("Sync") });
    harness.press("g r");
    harness.effects.clear();
    harness.press("q");
    assert_eq!(harness.message(), "“Sync” is still running. Press ctrl-c to stop it, then quit");
    harness.press("ctrl-c");
    assert_eq!(harness.effects, [Effect::StopRun]);
    ended(&mut harness, 1, RunOutcome::Stopped);
    harness.press("q");
    assert_eq!(harness.effects.last(), Some(&Effect::Quit));
}

#[test]
fn a_command_with_confirm_runs_only_when_confirmed() {
    let mut harness = at_work(UserCommand { confirm: true, ..command("Sync") });
    harness.press("g r esc");
    assert!(harness.effects.is_empty() && harness.state.screen.layers.is_empty());
    harness.press("g r enter");
    assert_eq!(order(&mut harness).command.name, "Sync");
}

#[test]
fn a_read_only_profile_gives_no_command_the_api_key() {
    let mut harness = at_work(UserCommand { api_key: true, ..command("Sync") });
    harness.state.session.access = Access::ReadOnly;
    harness.press("g r");
    assert!(harness.effects.is_empty());
    assert!(harness.message().starts_with("“Sync” receives the API key"));
}

#[test]
fn a_command_gets_no_segment_that_is_being_created() {
    let mut harness = at_work(command("Report"));
    harness.press("a");
    harness.type_text("New");
    harness.press("enter / N e w enter g r");
    assert_eq!(harness.selected(), "New");
    assert_eq!(harness.message(), "New is still being created. Please wait");
    assert!(!harness.effects.iter().any(|effect| matches!(effect, Effect::Run(_))));
}

#[test]
fn a_command_is_found_by_its_name() {
    let mut harness = at_work(command("Send to the ERP"));
    harness.press(":");
    harness.type_text("send erp");
    harness.press("enter");
    assert_eq!(order(&mut harness).command.name, "Send to the ERP");
}

#[test]
fn the_output_can_be_searched() {
    let mut harness = at_work(command("Report"));
    harness.press("g r");
    let lines: Vec<String> = (0..500).map(|at| format!("line {at}")).collect();
    harness.event(Event::Ran(1, RunEvent::Wrote(lines.join("\n"))));
    harness.press("/");
    harness.type_text("LINE 25");
    harness.press("enter");
    let first = |harness: &Harness| match harness.state.screen.layers.last() {
        Some(Layer::Output(pane)) => pane.first(500, 30),
        other => panic!("{other:?}"),
    };
    assert_eq!(first(&harness), 25);
    harness.press("n n");
    assert_eq!(first(&harness), 251);
    harness.press("N");
    assert_eq!(first(&harness), 250);
    harness.press("y");
    assert!(matches!(harness.effects.pop(), Some(Effect::Copy(text)) if text.ends_with("line 499")));
}

#[test]
fn a_segment_is_opened_at_the_profiles_url() {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    harness.press("o");
    assert!(harness.message().contains("Set open = \"https://…/{id}\" in [profiles.preprod]"));
    harness.state.session.open = Some(UrlTemplate::parse("https://{tenant}.one.example/s/{external_id}").unwrap());
    harness.press("o");
    let url = "https://acme.one.example/s/X-hurt".to_owned();
    assert_eq!(harness.effects.pop(), Some(Effect::Browse(url.clone())));
    harness.event(Event::Browsed { url: url.clone(), outcome: BrowserOutcome::Opened });
    assert_eq!(harness.message(), format!("Opened {url}"));
    harness.event(Event::Browsed { url: url.clone(), outcome: BrowserOutcome::NoBrowser });
    assert_eq!(harness.effects.pop(), Some(Effect::Copy(url.clone())));
    assert_eq!(harness.message(), format!("No browser available. URL copied: {url}"));
    let before = named("hurt", "Hurtownie", None);
    let mut bare = (*before).clone();
    bare.external_id = None;
    harness.changed(Some(&before), Some(&bare.into()));
    harness.press("o");
    assert_eq!(harness.message(), "Hurtownie has no external ID, which `open` needs");
}
