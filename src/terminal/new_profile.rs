//! Shows the form for the first profile, before there is a session. Its tasks are handled by the [`ProfileService`] in the
//! background.

use std::io;

use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::app::{
    Event, FilledProfile, FormContext, FormEffect, FormEvent, KeySource, NewProfile, ProfileLine, ProfileTask, Targets,
    TaskResult,
};
use crate::ui::{self, Look};

use super::events::Input;
use super::screen::{self, Screen};
use super::signals::{SignalEvent, Signals};
use super::{SessionError, Setup, Signal, closed};

/// Channels to the service that tests connections and writes profiles.
#[derive(Debug)]
pub struct ProfileService {
    /// Sends tasks: [`FormEffect::Task`] and [`FormEffect::CancelTask`].
    pub tasks: mpsc::Sender<FormEffect>,
    /// Receives the outcomes, each with the number of its task.
    pub results: mpsc::Receiver<(u64, TaskResult)>,
    /// What a form needs to know about its surroundings.
    pub context: FormContext,
}

/// How a form ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormOutcome {
    /// The user cancelled; nothing was written.
    Cancelled,
    /// The user chose the demo.
    Demo,
    /// This profile was written.
    Saved(ProfileLine),
    /// A signal asked the program to end.
    Signalled(Signal),
}

/// Shows the first form until it is saved or cancelled.
pub(super) async fn fill_in(
    screen: &mut Screen,
    signals: &mut Signals,
    form: &mut NewProfile,
    profile_service: &mut ProfileService,
    setup: &Setup,
) -> Result<FormOutcome, SessionError> {
    let mut input = Input::open();
    let outcome = loop {
        let targets = draw(screen, form, setup)?;
        let form_event = tokio::select! {
            event = input.next() => form_event(&targets, event.ok_or_else(closed)??),
            () = screen::panicked() => return Err(SessionError::TaskStopped),
            result = profile_service.results.recv() => Some(task_event(result)?),
            signal_event = signals.next() => match signal_event {
                SignalEvent::Exit(signal) => break FormOutcome::Signalled(signal),
                SignalEvent::Continued => {
                    screen.reacquire()?;
                    None
                }
            },
        };
        let mut effect = form_event.and_then(|form_event| form.handle(form_event));
        if let Some(key_command) = effect.take_if(|effect| runs_key_command(effect)) {
            // The command may ask for a password, and two programs can't read from one terminal.
            input.close();
            screen.close()?;
            announce_key_command(&key_command);
            send(profile_service, Some(key_command)).await?;
            let result = profile_service.results.recv().await;
            signals.discard_interrupt();
            screen.reopen()?;
            input = Input::open_discarding_input()?;
            effect = form.handle(task_event(result)?);
        }
        match effect {
            None => {}
            Some(FormEffect::Close) => break FormOutcome::Cancelled,
            Some(FormEffect::OpenDemo) => break FormOutcome::Demo,
            Some(FormEffect::Open(_)) => break FormOutcome::Saved(form.line()),
            task @ Some(FormEffect::Task { .. } | FormEffect::CancelTask) => send(profile_service, task).await?,
        }
    };
    input.close();
    Ok(outcome)
}

/// Whether the task runs a command to get the API key.
pub(super) const fn runs_key_command(effect: &FormEffect) -> bool {
    matches!(effect, FormEffect::Task { task: ProfileTask::Try(FilledProfile { key: KeySource::Command(_), .. }), .. })
}

/// Prints which command gets the terminal.
pub(super) fn announce_key_command(effect: &FormEffect) {
    if let FormEffect::Task { task: ProfileTask::Try(FilledProfile { key: KeySource::Command(words), .. }), .. } =
        effect
    {
        super::print_message(format_args!("running `{}` for the API key", words.join(" ")));
    }
}

fn draw(screen: &mut Screen, form: &NewProfile, setup: &Setup) -> io::Result<Targets> {
    let look = Look { theme: &setup.theme, keymap: &setup.keymap };
    let mut targets = Targets::default();
    screen.draw(|frame| targets = ui::draw_new_profile(form, look, frame))?;
    Ok(targets)
}

/// Converts an event for the form; `None` for one that only needs a redraw.
fn form_event(targets: &Targets, event: Event) -> Option<FormEvent> {
    match event {
        Event::Mouse(mouse) => match targets.event(mouse) {
            Event::Clicked(click) => Some(FormEvent::Clicked(click.target)),
            _ => None,
        },
        Event::Key(key) => Some(FormEvent::Key(key)),
        Event::Paste(text) => Some(FormEvent::Paste(text)),
        _ => None,
    }
}

fn task_event(result: Option<(u64, TaskResult)>) -> Result<FormEvent, SessionError> {
    let (number, result) = result.ok_or(SessionError::TaskStopped)?;
    Ok(FormEvent::TaskEnded { number, result })
}

async fn send(profile_service: &ProfileService, effect: Option<FormEffect>) -> Result<(), SessionError> {
    let Some(effect) = effect else { return Ok(()) };
    profile_service.tasks.send(effect).await.map_err(|_| SessionError::TaskStopped)
}
