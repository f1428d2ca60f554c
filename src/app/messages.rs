//! Messages in the footer, and the topics that decide how long they hold.
//!
//! A message is true when it appears, but its topic goes on changing: a segment is deleted by someone else, a failed change is
//! resolved, the server responds. So a message carries its topic and is checked after every event; one that no longer holds is
//! removed or updated.

use std::mem::Discriminant;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::action::Action;
use crate::changes::{OpId, OpState};
use crate::printable::printable;
use crate::segment::{Segment, SegmentId};
use crate::sync::Phase;

use super::availability::availability_for_selected;
use super::side::activity::Unready;
use super::{Shape, State, availability, changes, words};

/// A line for the user, shown in place of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The text.
    pub text: String,
    /// Whether it is a warning.
    pub tone: Tone,
    /// When it disappears by itself. `None`: at the next key. In screen-reader mode, none disappears by itself.
    pub until: Option<Timestamp>,
    /// What it is about.
    topic: Topic,
    /// News from others since the message appeared, in screen-reader mode: the text ends with it.
    news: Option<News>,
}

/// News from others that was added to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct News {
    /// The message before the news; empty if it is all news.
    own: String,
    /// The newest item, and how many changes came before it.
    text: String,
    /// The number of changes.
    changes: usize,
}

/// The tone of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done as asked.
    Calm,
    /// Something could not be done.
    Warning,
}

/// The topic of a message, which decides for how long it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Topic {
    /// A past event, which stays true.
    Past,
    /// A segment, while it exists.
    Segment(SegmentId),
    /// A version of a segment, while the server has exactly that.
    Version(Arc<Segment>),
    /// A segment that does not exist.
    Gone(SegmentId),
    /// How many segments have this external id; if none has, that none has it as its id either.
    ExternalIdCount(String, usize),
    /// The text of a search without matches.
    NoMatches(String),
    /// Why an action is not available, as [`availability()`] reports it.
    Refusal(Action),
    /// Why an action is not available for the selected segment alone.
    RefusalForSelected(Action),
    /// A failed change; the text is that of its failure.
    Failure(OpId),
    /// A failed change.
    Problem(OpId),
    /// Any failed change.
    AnyProblem,
    /// A change that waits because the server can't be reached.
    Unreached(OpId),
    /// Commands that could not be delivered to the sync actor.
    Undelivered,
    /// Changes that are being sent.
    Sending,
    /// The number of staged changes.
    Staged(usize),
    /// Any staged change.
    AnyStaged,
    /// Whether staging is on.
    Staging(bool),
    /// The number of changes on hold.
    OnHold(usize),
    /// What the last session left over, until the user has seen it.
    LeftOver,
    /// The number of cut segments.
    Cut(usize),
    /// A range that is being marked.
    Range,
    /// The number of marked segments.
    Marked(usize),
    /// A poll that the user asked for.
    Checking,
    /// A new list of everything.
    Relisting,
    /// The phase of the connection to the server.
    Phase(Discriminant<Phase>),
    /// A running user command.
    Run(u64),
    /// A screen with room for the tree only.
    TreeOnly,
    /// A screen without room for the activity.
    NoActivity,
    /// That the activity is not on the screen, or neither it nor the details.
    Hidden {
        /// Whether the details are hidden too.
        details: bool,
    },
}

/// How long a calm message stays.
const CALM_MESSAGE_DURATION: SignedDuration = SignedDuration::from_secs(5);

impl Message {
    /// Creates a warning for the start of a session, before the first event.
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

    /// Reports why a key did not act on the selected entry of the activity. Pressed again, the key acts on the entry that is
    /// selected now.
    pub(super) fn report_unready_entry(&mut self, reason: Unready, action: Action) {
        let key = self.key(action);
        let text = match reason {
            Unready::Empty => words::NO_ENTRIES.to_owned(),
            Unready::SelectionChanged => words::entry_is_gone(key),
            Unready::OutOfSight => words::entry_was_out_of_sight(key),
        };
        self.warn(text);
    }

    pub(super) fn inform_about(&mut self, topic: Topic, text: impl Into<String>) {
        let until = (!self.screen.panes.accessible).then(|| self.clock.now + CALM_MESSAGE_DURATION);
        let text = printable(&text.into()).into_owned();
        self.screen.message = Some(Message { text, tone: Tone::Calm, until, topic, news: None });
    }

    pub(super) fn warn_about(&mut self, topic: Topic, text: impl Into<String>) {
        let text = printable(&text.into()).into_owned();
        self.screen.message = Some(Message { text, tone: Tone::Warning, until: None, topic, news: None });
    }

    /// Adds news from others to the message, which then stays until a key is pressed: the newest item, and the number of changes
    /// before it. `changes` is how many of the newest item are changes, 0 or 1; `before` counts other changes that came with it.
    pub(super) fn add_news(&mut self, newest: &str, changes: usize, before: usize) {
        let previous = self.screen.message.take();
        let (own, earlier, topic) = previous.map_or((String::new(), 0, Topic::Past), |previous| match previous.news {
            Some(news) => (news.own, news.changes, previous.topic),
            None => (previous.text, 0, previous.topic),
        });
        let before = earlier + before;
        let changes = before + changes;
        let newest = printable(newest);
        let text = if before == 0 { newest.into_owned() } else { words::and_before(&newest, before) };
        let news = News { own, text, changes };
        self.screen.message =
            Some(Message { text: news.full_text(), tone: Tone::Calm, until: None, topic, news: Some(news) });
    }
}

impl News {
    fn full_text(&self) -> String {
        if self.own.is_empty() { self.text.clone() } else { words::and_then(&self.own, &self.text) }
    }
}

/// Removes a message that no longer holds, or updates its text. Runs after every event.
pub(super) fn refresh(state: &mut State) {
    let Some(message) = &state.screen.message else { return };
    let now = match message.topic {
        Topic::Failure(op) => changes::failure_message(state, op),
        _ if holds(state, message) => return,
        _ => None,
    };
    match (now, &mut state.screen.message) {
        (Some(text), Some(message)) => message.text = printable(&text).into_owned(),
        (None, Some(message)) if message.news.is_some() => replace_text_before_news(message, "", Topic::Past),
        (_, message) => *message = None,
    }
}

/// Updates the message when the tree is known to match the server.
pub(super) fn on_synchronised(state: &mut State) {
    match &mut state.screen.message {
        Some(message) if message.topic == Topic::Checking && message.news.is_some() => {
            replace_text_before_news(message, words::UP_TO_DATE, Topic::Past);
        }
        Some(message) if message.topic == Topic::Checking => state.inform(words::UP_TO_DATE),
        message => {
            message.take_if(|message| message.topic == Topic::Relisting);
        }
    }
}

/// Replaces the part of a message before its news.
fn replace_text_before_news(message: &mut Message, text: &str, topic: Topic) {
    if let Some(news) = &mut message.news {
        text.clone_into(&mut news.own);
        message.text = news.full_text();
        message.topic = topic;
    }
}

/// Removes the message about a running poll: the server can't be reached.
pub(super) fn on_disconnected(state: &mut State) {
    state.screen.message.take_if(|message| message.topic == Topic::Checking);
}

/// Whether a message still holds.
fn holds(state: &State, message: &Message) -> bool {
    let (forest, queue, counts) = (&state.tree.forest, &state.changes.queue, state.changes.counts());
    match &message.topic {
        Topic::Past | Topic::Checking | Topic::Relisting => true,
        Topic::Segment(id) => forest.contains(id),
        Topic::Version(segment) => {
            let id = &segment.id;
            let now = if queue.has_pending(id) { queue.server_state(id) } else { forest.get(id) };
            now == Some(segment)
        }
        Topic::Gone(id) => !forest.contains(id),
        Topic::ExternalIdCount(text, count) => {
            let is_id = || SegmentId::new(text).is_some_and(|id| forest.contains(&id));
            forest.with_external_id(text).count() == *count && (*count > 0 || !is_id())
        }
        Topic::NoMatches(text) => {
            let search = state.tree.search.as_ref().filter(|search| search.text == *text);
            search.is_none_or(|search| search.matches == 0)
        }
        Topic::Refusal(action) => availability(state, *action).is_err_and(|reason| printable(&reason) == message.text),
        Topic::RefusalForSelected(action) => {
            availability_for_selected(state, *action).is_err_and(|reason| printable(&reason) == message.text)
        }
        Topic::Failure(op) | Topic::Problem(op) => queue.has_failed(*op),
        Topic::AnyProblem => counts.failed > 0,
        Topic::Unreached(op) => {
            let waits = |state: &OpState| matches!(state, OpState::Queued | OpState::InFlight);
            state.changes.has_send_fault() && queue.op(*op).is_some_and(|planned| waits(&planned.state))
        }
        Topic::Undelivered => state.changes.has_undelivered(),
        Topic::Sending => queue.is_sending(),
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
        Topic::NoActivity => !state.screen.panes.can_fit_activity(),
        Topic::Hidden { details } => {
            let layout = state.layout();
            layout.activity.is_none() && layout.details.is_none() == *details
        }
        Topic::TreeOnly => state.layout().shape == Shape::TreeOnly,
    }
}
