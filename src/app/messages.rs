//! What the last line says for a while, and what that speaks of.
//!
//! A message is true when it is said. What it speaks of goes on changing: a segment is deleted by someone else, a change that failed
//! is resolved, the server responds. So a message carries its topic and is looked at again after every event; one that is no longer
//! true goes, or says what is true now.

use std::mem::Discriminant;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::action::Action;
use crate::changes::{OpId, OpState};
use crate::printable::printable;
use crate::segment::{Segment, SegmentId};
use crate::sync::Phase;

use super::side::activity::Unready;
use super::{Shape, State, availability, changes, words};

/// A line for the person, in place of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What to read.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// When it goes by itself. `None`: at the next key. Where the screen is read aloud, none goes by itself.
    pub until: Option<Timestamp>,
    /// What it speaks of.
    topic: Topic,
    /// What came from elsewhere since it was said, where the screen is read aloud: the text ends in that.
    news: Option<News>,
}

/// What came from elsewhere while a message was there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct News {
    /// What the message said before; nothing where it is all news.
    own: String,
    /// The newest.
    text: String,
    /// How many changes.
    changes: usize,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something went as asked.
    Calm,
    /// Something could not be done.
    Warning,
}

/// What a message speaks of, and so for how long it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Topic {
    /// What has happened and stays so, whatever comes.
    Past,
    /// A segment, for as long as there is one.
    Segment(SegmentId),
    /// What the server has of a segment, for as long as it has just that.
    Version(Arc<Segment>),
    /// A segment that does not exist.
    Gone(SegmentId),
    /// How many segments have this external id; where none has, whether one has it as its id.
    Known(String, usize),
    /// A search without matches: its text.
    NoMatches(String),
    /// Why an action can't act, as [`availability`] says it.
    Refusal(Action),
    /// A change that failed, in the words of its failure.
    Failure(OpId),
    /// A change that failed.
    Problem(OpId),
    /// That something failed.
    AnyProblem,
    /// A change that waits for the server to respond.
    Unreached(OpId),
    /// That changes could not be handed over.
    Undelivered,
    /// That changes are on their way.
    Moving,
    /// So many changes are staged.
    Staged(usize),
    /// That something is staged.
    AnyStaged,
    /// Whether changes are being staged.
    Staging(bool),
    /// So many changes are on hold.
    OnHold(usize),
    /// What the last session left, until somebody has looked at it.
    LeftOver,
    /// So many segments are cut.
    Cut(usize),
    /// A range that is being marked.
    Range,
    /// So many segments are marked.
    Marked(usize),
    /// A person asked whether anything has changed.
    Checking,
    /// Everything is being listed again.
    Relisting,
    /// The relation to the server.
    Phase(Discriminant<Phase>),
    /// A command that runs.
    Run(u64),
    /// A screen with room for the tree only.
    TreeOnly,
    /// A screen without room for the activity.
    NoActivity,
    /// That the activity is not on the screen, or neither it nor the details.
    Hidden {
        /// Whether the details are not either.
        details: bool,
    },
}

/// How long a calm message stays.
const STAYS: SignedDuration = SignedDuration::from_secs(5);

impl Message {
    /// Something to know that was so before anything else happened.
    #[must_use]
    pub(crate) fn warning(text: &str) -> Self {
        Self { text: printable(text).into_owned(), tone: Tone::Warning, until: None, topic: Topic::Past, news: None }
    }
}

impl State {
    pub(super) fn inform(&mut self, text: impl Into<String>) {
        self.inform_about(Topic::Past, text);
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warn_about(Topic::Past, text);
    }

    /// Says why a key did not act on the chosen entry of the activity. The same key acts on what is chosen now.
    pub(super) fn refuse_entry(&mut self, reason: Unready, action: Action) {
        let key = self.key(action);
        let text = match reason {
            Unready::Empty => words::NO_ENTRIES.to_owned(),
            Unready::Another => words::entry_is_gone(key),
            Unready::OutOfSight => words::entry_was_out_of_sight(key),
        };
        self.warn(text);
    }

    pub(super) fn inform_about(&mut self, topic: Topic, text: impl Into<String>) {
        let until = (!self.screen.panes.accessible).then(|| self.clock.now + STAYS);
        let text = printable(&text.into()).into_owned();
        self.screen.message = Some(Message { text, tone: Tone::Calm, until, topic, news: None });
    }

    pub(super) fn warn_about(&mut self, topic: Topic, text: impl Into<String>) {
        let text = printable(&text.into()).into_owned();
        self.screen.message = Some(Message { text, tone: Tone::Warning, until: None, topic, news: None });
    }

    /// Adds what came from elsewhere to what is said, where it stays until a key: the newest, and how many changes there were before,
    /// of which so many have come just now. What came may be no change.
    pub(super) fn add_news(&mut self, newest: &str, changes: usize, before: usize) {
        let said = self.screen.message.take();
        let (own, told, topic) = said.map_or((String::new(), 0, Topic::Past), |said| match said.news {
            Some(news) => (news.own, news.changes, said.topic),
            None => (said.text, 0, said.topic),
        });
        let before = told + before;
        let changes = before + changes;
        let newest = printable(newest);
        let text = if before == 0 { newest.into_owned() } else { words::and_before(&newest, before) };
        let news = News { own, text, changes };
        self.screen.message =
            Some(Message { text: news.whole(), tone: Tone::Calm, until: None, topic, news: Some(news) });
    }
}

impl News {
    fn whole(&self) -> String {
        if self.own.is_empty() { self.text.clone() } else { words::and_then(&self.own, &self.text) }
    }
}

/// Drops a message that is no longer true, or lets it say what is true now: the last thing that is done about any event.
pub(super) fn look_again(state: &mut State) {
    let Some(message) = &state.screen.message else { return };
    let now = match message.topic {
        Topic::Failure(op) => changes::failure(state, op),
        _ if holds(state, message) => return,
        _ => None,
    };
    match (now, &mut state.screen.message) {
        (Some(text), Some(message)) => message.text = printable(&text).into_owned(),
        (None, Some(message)) if message.news.is_some() => say_before_news(message, "", Topic::Past),
        (_, message) => *message = None,
    }
}

/// The server has said that the tree is what it has.
pub(super) fn synchronised(state: &mut State) {
    match &mut state.screen.message {
        Some(message) if message.topic == Topic::Checking && message.news.is_some() => {
            say_before_news(message, words::UP_TO_DATE, Topic::Past);
        }
        Some(message) if message.topic == Topic::Checking => state.inform(words::UP_TO_DATE),
        message => {
            message.take_if(|message| message.topic == Topic::Relisting);
        }
    }
}

/// Another message takes the place of what is said before the news.
fn say_before_news(message: &mut Message, text: &str, topic: Topic) {
    if let Some(news) = &mut message.news {
        text.clone_into(&mut news.own);
        message.text = news.whole();
        message.topic = topic;
    }
}

/// The server can't be asked: nothing is being checked.
pub(super) fn disconnected(state: &mut State) {
    state.screen.message.take_if(|message| message.topic == Topic::Checking);
}

/// Whether it is still as a message says.
fn holds(state: &State, message: &Message) -> bool {
    let (forest, queue, counts) = (&state.tree.forest, &state.changes.queue, state.changes.counts());
    match &message.topic {
        Topic::Past | Topic::Checking | Topic::Relisting => true,
        Topic::Segment(id) => forest.contains(id),
        Topic::Version(segment) => {
            let id = &segment.id;
            let now = if queue.concerns(id) { queue.truth(id) } else { forest.get(id) };
            now == Some(segment)
        }
        Topic::Gone(id) => !forest.contains(id),
        Topic::Known(text, count) => {
            let is_id = || SegmentId::new(text).is_some_and(|id| forest.contains(&id));
            forest.with_external_id(text).count() == *count && (*count > 0 || !is_id())
        }
        Topic::NoMatches(text) => {
            let search = state.tree.search.as_ref().filter(|search| search.text == *text);
            search.is_none_or(|search| search.matches == 0)
        }
        Topic::Refusal(action) => availability(state, *action).is_err_and(|reason| printable(&reason) == message.text),
        Topic::Failure(op) | Topic::Problem(op) => queue.has_failed(*op),
        Topic::AnyProblem => counts.failed > 0,
        Topic::Unreached(op) => {
            let waits = |state: &OpState| matches!(state, OpState::Queued | OpState::InFlight);
            state.changes.is_unreached() && queue.op(*op).is_some_and(|planned| waits(&planned.state))
        }
        Topic::Undelivered => state.changes.is_undelivered(),
        Topic::Moving => queue.is_moving(),
        Topic::Staged(count) => counts.staged == *count,
        Topic::AnyStaged => counts.staged > 0,
        Topic::Staging(on) => state.changes.is_staging() == *on,
        Topic::OnHold(count) => counts.on_hold == *count,
        Topic::LeftOver => state.changes.has_left_over(),
        Topic::Cut(count) => state.tree.picks.cut.len() == *count,
        Topic::Range => state.tree.picks.range.anchor.is_some(),
        Topic::Marked(count) => state.tree.picks.marked.len() == *count,
        Topic::Phase(phase) => std::mem::discriminant(&state.link.phase) == *phase,
        Topic::Run(number) => state.side.commands.running().is_some_and(|run| run.number == *number),
        Topic::NoActivity => !state.screen.panes.fit_activity(),
        Topic::Hidden { details } => {
            let layout = state.layout();
            layout.activity.is_none() && layout.details.is_none() == *details
        }
        Topic::TreeOnly => state.layout().shape == Shape::TreeOnly,
    }
}
