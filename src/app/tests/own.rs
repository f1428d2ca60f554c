//! Commands of the person's own, and the browser.

use std::time::Duration;

use crate::action::{Output, Subjects, UserCommand};
use crate::app::harness::{Harness, command, named, wholesale};
use crate::app::{Access, Browsed, Effect, Event, Layer, RunEnd, RunNews, RunOutcome, RunRequest};
use crate::remote::UrlTemplate;

fn at_work(own: UserCommand) -> Harness {
    Harness::live(120, 40, wholesale()).with_commands(vec![("g r", own)])
}

/// The command that was to be run last.
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
    let end = RunEnd { outcome, took: Duration::from_millis(1_340), dropped: 0 };
    harness.event(Event::Ran(run, RunNews::Ended(end)));
}

fn output_is_open(harness: &Harness) -> bool {
    matches!(harness.state.screen.layers.last(), Some(Layer::Output(_)))
}

#[test]
fn a_command_gets_what_is_marked_or_else_what_is_selected() {
    let mut harness = at_work(command("Report"));
    harness.press("G g r");
    assert_eq!(names(&order(&mut harness)), ["Orphan of nobody"]);
    ended(&mut harness, 1, RunOutcome::Exited(0));
    harness.press("esc g g space j space g r");
    assert_eq!(names(&order(&mut harness)).len(), 2);
}

#[test]
fn a_command_can_be_for_the_selected_or_for_the_marked_only() {
    let mut harness = at_work(UserCommand { on: Subjects::Selected, ..command("Report") });
    harness.press("space space g r");
    assert_eq!(order(&mut harness).subjects.len(), 1);
    let mut harness = at_work(UserCommand { on: Subjects::Marked, ..command("Report") });
    harness.press("g r");
    assert_eq!(harness.message(), "“Report” needs marked segments. Press space to mark");
    assert!(harness.effects.is_empty());
}

#[test]
fn what_runs_is_stopped_before_its_output_is_left() {
    let mut harness = at_work(command("Report"));
    harness.press("g r");
    let run = order(&mut harness).run;
    harness.event(Event::Ran(run, RunNews::Wrote("so far\n".into())));
    harness.press("esc");
    assert_eq!(harness.effects.pop(), Some(Effect::StopRun));
    assert!(output_is_open(&harness));
    ended(&mut harness, run, RunOutcome::Stopped);
    assert!(output_is_open(&harness));
    harness.press("esc");
    assert!(!output_is_open(&harness) && harness.state.side.commands.run.is_none());
}

#[test]
fn nobody_has_to_wait_for_what_does_not_end() {
    let mut harness = at_work(command("Report"));
    harness.press("g r ctrl-c ctrl-c");
    assert!(!output_is_open(&harness));
    harness.press("g r");
    assert_eq!(harness.message(), "“Report” is still running. Press ctrl-c to stop it");
    ended(&mut harness, 1, RunOutcome::Stopped);
    assert_eq!(harness.message(), "“Report”: stopped after 1.3 s");
    harness.press("g r");
    assert!(output_is_open(&harness));
    // What is late from the earlier run is not taken for this one's.
    harness.event(Event::Ran(1, RunNews::Wrote("late".into())));
    assert!(harness.state.side.commands.run.as_ref().unwrap().text.lines().is_empty());
}

#[test]
fn a_command_without_a_pane_tells_its_last_line_or_what_went_wrong() {
    let mut harness = at_work(UserCommand { output: Output::Message, ..command("Count") });
    harness.press("g r");
    harness.event(Event::Ran(1, RunNews::Wrote("one\n9 counted\n\n".into())));
    ended(&mut harness, 1, RunOutcome::Exited(0));
    assert_eq!(harness.message(), "Count: 9 counted");
    harness.press("g r");
    harness.event(Event::Ran(2, RunNews::Wrote("no such table\n".into())));
    ended(&mut harness, 2, RunOutcome::Exited(3));
    assert_eq!(harness.message(), "“Count”: exit code 3 · 1.3 s · no such table");
}

#[test]
fn a_command_that_runs_in_the_background_is_not_left_behind_unseen() {
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
fn a_command_that_asks_runs_only_at_the_persons_word() {
    let mut harness = at_work(UserCommand { confirm: true, ..command("Sync") });
    harness.press("g r esc");
    assert!(harness.effects.is_empty() && harness.state.screen.layers.is_empty());
    harness.press("g r enter");
    assert_eq!(order(&mut harness).command.name, "Sync");
}

#[test]
fn what_may_change_nothing_gives_no_program_the_key() {
    let mut harness = at_work(UserCommand { api_key: true, ..command("Sync") });
    harness.state.session.access = Access::ReadOnly;
    harness.press("g r");
    assert!(harness.effects.is_empty());
    assert!(harness.message().starts_with("“Sync” receives the API key"));
}

#[test]
fn what_does_not_exist_yet_is_given_to_no_program() {
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
fn something_is_looked_for_in_the_output() {
    let mut harness = at_work(command("Report"));
    harness.press("g r");
    let lines: Vec<String> = (0..500).map(|at| format!("line {at}")).collect();
    harness.event(Event::Ran(1, RunNews::Wrote(lines.join("\n"))));
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
fn a_segment_is_opened_at_the_address_of_the_profile() {
    let mut harness = Harness::live(120, 40, wholesale());
    harness.press("o");
    assert!(harness.message().contains("Set open = \"https://…/{id}\" in [profiles.preprod]"));
    harness.state.session.open = Some(UrlTemplate::parse("https://{tenant}.one.example/s/{external_id}").unwrap());
    harness.press("o");
    let url = "https://acme.one.example/s/X-hurt".to_owned();
    assert_eq!(harness.effects.pop(), Some(Effect::Browse(url.clone())));
    harness.event(Event::Browsed { url: url.clone(), outcome: Browsed::Opened });
    assert_eq!(harness.message(), format!("Opened {url}"));
    harness.event(Event::Browsed { url: url.clone(), outcome: Browsed::NoBrowser });
    assert_eq!(harness.effects.pop(), Some(Effect::Copy(url.clone())));
    assert_eq!(harness.message(), format!("No browser available. URL copied: {url}"));
    let before = named("hurt", "Hurtownie", None);
    let mut bare = (*before).clone();
    bare.external_id = None;
    harness.changed(Some(&before), Some(&bare.into()));
    harness.press("o");
    assert_eq!(harness.message(), "Hurtownie has no external ID, which `open` needs");
}
