//! Shows the form for the first profile, before there is a session. Its tasks are handled by the [`ProfileService`] in the
//! background.

use std::io;

use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::app::{
    Answer, Event, FilledProfile, FormContext, FormEffect, FormEvent, KeySource, NewProfile, ProfileLine, ProfileTask,
    Targets,
};
use crate::ui::{self, Look};

use super::events::Input;
use super::screen::{self, Screen};
use super::signals::{Signals, Told};
use super::{Broken, Setup, Signal, closed};

/// Channels to the service that tests connections and writes profiles.
#[derive(Debug)]
pub struct ProfileService {
    /// Sends tasks: [`FormEffect::Task`] and [`FormEffect::GiveUp`].
    pub tasks: mpsc::Sender<FormEffect>,
    /// Receives the outcomes, each with the number of its task.
    pub answers: mpsc::Receiver<(u64, Answer)>,
    /// What a form needs to know about its surroundings.
    pub context: FormContext,
}

/// How a form ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilledIn {
    /// The user cancelled; nothing was written.
    Left,
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
    desk: &mut ProfileService,
    setup: &Setup,
) -> Result<FilledIn, Broken> {
    let mut input = Input::open();
    let outcome = loop {
        let targets = draw(screen, form, setup)?;
        let happening = tokio::select! {
            event = input.next() => happening(&targets, event.ok_or_else(closed)??),
            () = screen::panicked() => return Err(Broken::Part),
            answer = desk.answers.recv() => Some(answered(answer)?),
            told = signals.next() => match told {
                Told::ToEnd(signal) => break FilledIn::Signalled(signal),
                Told::Continued => {
                    screen.retake()?;
                    None
                }
            },
        };
        let mut wish = happening.and_then(|happening| form.take(happening));
        if let Some(asking) = wish.take_if(|wish| asks_a_command(wish)) {
            // The command may ask for a password, and two programs can't read from one terminal.
            input.close();
            screen.close()?;
            tell_asking(&asking);
            send(desk, Some(asking)).await?;
            let answer = desk.answers.recv().await;
            signals.forget_interrupt();
            screen.reopen()?;
            input = Input::open_anew()?;
            wish = form.take(answered(answer)?);
        }
        match wish {
            None => {}
            Some(FormEffect::Leave) => break FilledIn::Left,
            Some(FormEffect::OpenDemo) => break FilledIn::Demo,
            Some(FormEffect::Open(_)) => break FilledIn::Saved(form.line()),
            task @ Some(FormEffect::Task { .. } | FormEffect::GiveUp) => send(desk, task).await?,
        }
    };
    input.close();
    Ok(outcome)
}

/// Whether the task runs a command to get the API key.
pub(super) const fn asks_a_command(wish: &FormEffect) -> bool {
    matches!(wish, FormEffect::Task { task: ProfileTask::Try(FilledProfile { key: KeySource::Command(_), .. }), .. })
}

/// Prints which command gets the terminal.
pub(super) fn tell_asking(wish: &FormEffect) {
    if let FormEffect::Task { task: ProfileTask::Try(FilledProfile { key: KeySource::Command(words), .. }), .. } = wish
    {
        super::complain(format_args!("running `{}` for the API key", words.join(" ")));
    }
}

fn draw(screen: &mut Screen, form: &NewProfile, setup: &Setup) -> io::Result<Targets> {
    let look = Look { theme: &setup.theme, keymap: &setup.keymap };
    let mut targets = Targets::default();
    screen.draw(|frame| targets = ui::draw_new_profile(form, look, frame))?;
    Ok(targets)
}

/// Converts an event for the form; `None` for one that only needs a redraw.
fn happening(targets: &Targets, event: Event) -> Option<FormEvent> {
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

fn answered(answer: Option<(u64, Answer)>) -> Result<FormEvent, Broken> {
    let (number, answer) = answer.ok_or(Broken::Part)?;
    Ok(FormEvent::Answered { number, answer })
}

async fn send(desk: &ProfileService, wish: Option<FormEffect>) -> Result<(), Broken> {
    let Some(wish) = wish else { return Ok(()) };
    desk.tasks.send(wish).await.map_err(|_| Broken::Part)
}
