//! User commands: their availability, the segments they are run on, and their results.
//!
//! Only one runs at a time, so that it is always clear what the stop key stops. Output arrives in chunks while it runs.

use crate::app::Side;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::messages::Topic;
use crate::app::tree::marking;
use crate::keymap::Key;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::action::{Action, Output, Subjects, UserCommand};
use crate::forest::RowId;
use crate::segment::Segment;

use crate::app::dialogs::output_text::OutputText;
use crate::app::dialogs::words;
use crate::app::words::{MARKED_ARE_GONE, wait_until_created};
use crate::app::{Access, Effect, Layer, OutputPane, State, duration};
use crate::changes::is_provisional;

/// The user commands and the current run.
#[derive(Debug, Clone, Default)]
pub struct UserCommands {
    /// The configured commands, indexed by number.
    pub commands: Vec<UserCommand>,
    /// The run that is active, or whose output is on the screen.
    pub run: Option<Run>,
    run_count: u64,
}

/// A run of a command.
#[derive(Debug, Clone)]
pub struct Run {
    pub(in crate::app) number: u64,
    /// The name of the command.
    pub name: String,
    /// The number of segments it is run on.
    pub subjects: usize,
    /// Its output so far.
    pub text: OutputText,
    /// Whether the output was truncated.
    pub cut: bool,
    /// Whether it was told to stop.
    pub stopping: bool,
    /// How it ended, once it has.
    pub end: Option<RunEnd>,
    output: Output,
    started: Timestamp,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// The outcome.
    pub outcome: RunOutcome,
    /// How long it ran.
    pub elapsed: Duration,
    /// Bytes of output beyond the limit, which were dropped.
    pub dropped: u64,
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// It exited with this code.
    Exited(i32),
    /// It ended without an exit code, as the system describes it.
    Ended(String),
    /// It could not be started, with the system's message.
    NotStarted(String),
    /// The user stopped it.
    Stopped,
    /// It exceeded its timeout.
    TimedOut(Duration),
}

/// An event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEvent {
    /// A chunk of output.
    Wrote(String),
    /// The output has reached its limit; the rest is dropped.
    Cut,
    /// It ended; this is its last event.
    Ended(RunEnd),
}

/// A request to run a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// The number of the run, which its events carry.
    pub run: u64,
    /// The command.
    pub command: UserCommand,
    /// The segments to run it on, in tree order.
    pub subjects: Vec<Arc<Segment>>,
}

/// A command that waits for the user's confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunConfirmation {
    /// The command.
    pub command: UserCommand,
    /// The segments it would be run on.
    pub subjects: Vec<Arc<Segment>>,
}

impl UserCommands {
    /// Returns the active run.
    #[must_use]
    pub fn running(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| run.end.is_none())
    }

    pub(in crate::app) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.running().map(|_| now + SignedDuration::from_secs(1))
    }
}

impl Run {
    /// Returns the status for display.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> String {
        let Some(end) = &self.end else {
            let seconds = now.duration_since(self.started).as_secs().max(0);
            return if self.stopping { words::stopping_for(seconds) } else { words::running_for(seconds) };
        };
        let elapsed = duration(end.elapsed);
        match &end.outcome {
            RunOutcome::Exited(code) => words::exited(*code, &elapsed),
            RunOutcome::Ended(how) => words::ended(how, &elapsed),
            RunOutcome::NotStarted(reason) => words::not_started(reason),
            RunOutcome::Stopped => words::stopped(&elapsed),
            RunOutcome::TimedOut(limit) => words::timed_out(&duration(*limit)),
        }
    }

    /// Whether it exited with code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.outcome == RunOutcome::Exited(0))
    }
}

/// Whether a command is available now, and if not, why.
pub(in crate::app) fn available(state: &State, number: u16) -> Result<(), String> {
    let Some(command) = state.side.commands.commands.get(usize::from(number)) else {
        return Err(words::NO_SUCH_COMMAND.into());
    };
    if let Some(run) = state.side.commands.running() {
        return Err(words::is_still_running(&run.name, state.key(Action::Pause)));
    }
    if command.api_key && state.session.access == Access::ReadOnly {
        return Err(words::disabled_when_read_only(&command.name));
    }
    let marked = !state.tree.picks.marked.is_empty() && command.on != Subjects::Selected;
    let selected = match &state.tree.view.selected {
        Some(RowId::Segment(id)) => state.tree.forest.get(id),
        _ => None,
    };
    match (marked, selected) {
        (false, _) if command.on == Subjects::Marked => {
            Err(words::needs_marked(&command.name, state.key(Action::Mark)))
        }
        (false, None) => Err(words::SELECT_FIRST.into()),
        (false, Some(segment)) if is_provisional(&segment.id) => Err(wait_until_created(&segment.name)),
        (true, _)
            if state
                .changes
                .queue
                .pending_ids()
                .any(|id| is_provisional(id) && state.tree.picks.marked.contains(id)) =>
        {
            Err(words::MARKED_BEING_CREATED.into())
        }
        _ => Ok(()),
    }
}

/// Runs a command, or asks for confirmation first.
pub(in crate::app) fn run_or_confirm(state: &mut State, number: u16) -> Vec<Effect> {
    let Some(command) = state.side.commands.commands.get(usize::from(number)).cloned() else { return Vec::new() };
    let subjects = match command.on {
        Subjects::Selected => state.selected_segment().cloned().into_iter().collect(),
        Subjects::MarkedOrSelected | Subjects::Marked => marking::subjects(state),
    };
    if subjects.is_empty() {
        state.warn(MARKED_ARE_GONE);
        return Vec::new();
    }
    if command.confirm {
        state.screen.layers.push(Layer::RunConfirmation(RunConfirmation { command, subjects }));
        return Vec::new();
    }
    begin(state, command, subjects)
}

/// Handles a key in the confirmation.
pub(in crate::app) fn press(state: &mut State, confirmation: &RunConfirmation, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "enter" | "y" => {
            KeyResult::CloseAndDo(begin(state, confirmation.command.clone(), confirmation.subjects.clone()))
        }
        "esc" | "n" | "q" | "ctrl-c" => KeyResult::Close,
        _ => KeyResult::Stay,
    }
}

fn begin(state: &mut State, command: UserCommand, subjects: Vec<Arc<Segment>>) -> Vec<Effect> {
    state.side.commands.run_count += 1;
    let run = state.side.commands.run_count;
    state.side.commands.run = Some(Run {
        number: run,
        name: command.name.clone(),
        subjects: subjects.len(),
        text: OutputText::default(),
        cut: false,
        stopping: false,
        end: None,
        output: command.output,
        started: state.clock.now,
    });
    if command.output == Output::Pane {
        state.screen.layers.push(Layer::Output(OutputPane::default()));
    } else {
        let text = words::is_running(&command.name, state.key(Action::Pause));
        state.inform_about(Topic::Run(run), text);
    }
    vec![Effect::Run(Box::new(RunRequest { run, command, subjects }))]
}

/// Stops the active run.
pub(in crate::app) fn stop(side: &mut Side) -> Vec<Effect> {
    let Some(run) = side.commands.run.as_mut().filter(|run| run.end.is_none()) else { return Vec::new() };
    run.stopping = true;
    vec![Effect::StopRun]
}

/// Warns that a command is running: quitting would kill it halfway.
pub(in crate::app) fn warn_still_running(state: &mut State) {
    if let Some(run) = state.side.commands.running() {
        let topic = Topic::Run(run.number);
        let text = words::stop_before_leaving(&run.name, state.key(Action::Pause));
        state.warn_about(topic, text);
    }
}

/// Applies an event of a run. Events of earlier runs are ignored.
pub(in crate::app) fn on_run_news(state: &mut State, number: u64, news: RunEvent) {
    let Some(run) = state.side.commands.run.as_mut().filter(|run| run.number == number) else { return };
    match news {
        RunEvent::Wrote(text) => run.text.append(&text),
        RunEvent::Cut => run.cut = true,
        RunEvent::Ended(end) => {
            run.end = Some(end);
            if !state.screen.layers.iter().any(|layer| matches!(layer, Layer::Output(_))) {
                report_end(state);
            }
        }
    }
}

/// Reports the end of a run that has no pane.
fn report_end(state: &mut State) {
    let Some(run) = state.side.commands.run.take() else { return };
    let last = run.text.last_nonblank_line();
    let status = run.status(state.clock.now);
    match (run.succeeded(), run.output, last) {
        (true, Output::Message, Some(last)) => state.inform(words::command_says(&run.name, last)),
        (true, ..) => state.inform(words::finished(&run.name)),
        (false, _, last) => state.warn(words::command_failed(&run.name, &status, last)),
    }
}
