//! The state of the interface and the only function that changes it.
//!
//! Everything that can happen is an [`Event`], everything that is to be done outside is an [`Effect`]; [`update`] turns the one
//! into the other and neither blocks nor fails. It does no I/O and reads no clock: time is an event. So every behaviour of
//! the interface is a test without a terminal or a network, and the outcome of a sequence of keys never depends on whether
//! a frame was drawn in between.

mod activity;
mod availability;
mod browsing;
mod bulk;
mod changes;
mod changing;
mod closeness;
mod copying;
mod deletion;
mod details;
mod figures;
mod filter;
mod finding;
mod form;
mod help;
mod keys;
mod knowing;
mod layer;
mod layout;
mod link;
mod marking;
mod mouse;
mod new_profile;
mod news;
mod outline;
mod output_pane;
mod output_text;
mod own;
mod palette;
mod panes;
mod parents;
mod perform;
mod places;
mod profiles;
mod pulse;
mod renaming;
mod request_lines;
mod requests;
mod requests_pane;
mod sorting;
mod text_field;
mod tree_view;
mod view;
mod wording;

#[cfg(test)]
pub(crate) mod harness;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::action::Action;
use crate::changes::Safeguards;
use crate::forest::{Finds, Forest, RowId, SearchJob, SortJob};
use crate::keymap::{Key, KeyTexts, Keymap};
use crate::mirror::{self};
use crate::printable::printable;
use crate::remote::{BaseUrl, Exchange, UrlTemplate};
use crate::segment::{Pattern, Segment, SegmentId};

pub use crate::remote::Access;
pub use activity::{
    Activity, ActivityEntry, ActivityLine, EntryKind, FieldChange, LastChange, Originator, TIME_COLUMNS, VERB_COLUMNS,
};
pub use availability::{availability, availability_at_a_glance};
pub use browsing::Browsed;
pub use bulk::BulkEdit;
pub use changes::{Between, Changes, Conflict, OperationCounts, Pace, PendingPane, Review, Side};
pub use deletion::{Deletion, Policy};
pub use details::{DetailLine, details};
pub use figures::{grouped, size};
pub use filter::Filter;
pub use finding::{FindPrompt, Search};
pub use form::{Form, Purpose};
pub use help::HelpPage;
pub use layer::Layer;
pub use layout::{Area, Layout, Shape, TreeColumns, shown_depth};
pub use link::{Link, LinkState};
pub use mouse::{Mouse, MouseKind};
pub use new_profile::{
    Answer, Entry, Ground, Happening, Hindrance, Keeping, KeySource, Masked, NewProfile, Occasion, Order, ProfileField,
    Stage, Wish,
};
pub use outline::{Edited, EditorFault, OutlineEdit};
pub use output_pane::{OutputPage, OutputPane};
pub use output_text::OutputText;
pub use own::{Own, Run, RunConfirmation, RunEnd, RunNews, RunOrder, RunOutcome};
pub use palette::{Offer, Palette};
pub use panes::{Pane, Panes};
pub use parents::{Candidate, ParentPicker};
pub use places::{Letter, Places};
pub use profiles::{Choice, Destination, ProfileLine, ProfileList, Profiles};
pub use pulse::{KINDS, MINUTES};
pub use renaming::Renaming;
pub use request_lines::{duration, request_lines};
pub use requests::{Logged, Requests};
pub use requests_pane::{OpenRequest, RequestsPage, RequestsPane};
pub use text_field::TextField;
pub use tree_view::TreeView;
pub use view::View;
pub use wording::{described, field_text};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Time passed: it is this late now.
    Time(Timestamp),
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(Mouse),
    /// The terminal has another size: columns, rows.
    Resized(u16, u16),
    /// The mirror has something to say.
    Mirror(mirror::Event),
    /// A request was made.
    Requested(Arc<Exchange>),
    /// A search has found something, or has come to its end.
    Found(Finds),
    /// Siblings were sorted.
    Sorted(SortJob),
    /// The person has left the editor, or it never came up.
    TextEdited(Edited),
    /// A new profile was written, and is to be opened.
    ProfileSaved(ProfileLine),
    /// A command of the person's own has news; each run has a number.
    Ran(u64, RunNews),
    /// An address was to be shown in the browser.
    Browsed {
        /// The address.
        url: String,
        /// What became of it.
        outcome: Browsed,
    },
    /// An order could not be handed to the mirror, because it has too many already or is gone.
    Undelivered(mirror::Command),
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Hand this to the mirror.
    Mirror(mirror::Command),
    /// Search, beside everything else; each part that it finds is an [`Event::Found`]. It takes the place of the one before.
    Search(SearchJob),
    /// Sort, beside everything else; ends in one [`Event::Sorted`].
    Sort(SortJob),
    /// Put this into the clipboard of the person's machine.
    Copy(String),
    /// Let the person edit a text in their own editor; ends in one [`Event::TextEdited`].
    EditText {
        /// The text.
        text: String,
    },
    /// Remove the file of an edited text.
    RemoveText(PathBuf),
    /// Let the person fill in the form for a new profile; ends in one [`Event::ProfileSaved`] unless they leave it.
    NewProfile,
    /// End the session and open another one.
    Switch(Destination),
    /// Run a command of the person's own; what it writes and its end are [`Event::Ran`].
    Run(Box<RunOrder>),
    /// Stop the command that runs, with all that it started.
    StopRun,
    /// Show an address in the browser; ends in one [`Event::Browsed`].
    Browse(String),
    /// Give the terminal back to the shell until it is continued.
    Suspend,
    /// End the program.
    Quit,
}

/// What the tree belongs to, as the header shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The tenant.
    pub tenant: String,
    /// The server's host.
    pub host: String,
    /// The whole address of the server.
    pub base_url: BaseUrl,
    /// The profile of the configuration, if one was used.
    pub profile: Option<String>,
    /// Whether anything may be changed.
    pub access: Access,
    /// Whether writes are in a journal, so that the next start knows of what this one leaves undone.
    pub journalled: bool,
    /// Whether changes here are grave, as on a production tenant.
    pub protected: bool,
    /// Whose segments are another system's, beside what is built in: see [`Session::owner_of`].
    pub owned: Vec<Pattern>,
    /// Where the browser shows a segment.
    pub open: Option<UrlTemplate>,
    /// Operations in flight at once, at most.
    pub concurrency: usize,
}

impl Session {
    /// What is to be taken care of before something is sent.
    #[must_use]
    pub fn safeguards(&self) -> Safeguards<'_> {
        Safeguards { tenant: &self.tenant, protected: self.protected, owned: &self.owned }
    }
}

/// What time it is, and where.
#[derive(Debug, Clone)]
pub struct Clock {
    /// As of the last [`Event::Time`].
    pub now: Timestamp,
    /// For showing times of day.
    pub zone: TimeZone,
}

/// What a person picked for a later key.
#[derive(Debug, Clone, Default)]
pub struct Picks {
    /// Marked segments.
    pub marked: HashSet<SegmentId>,
    /// Segments that were cut and wait to be pasted.
    pub cut: HashSet<SegmentId>,
    /// A range that grows with the selection.
    pub range: MarkedRange,
    /// Places to go back to.
    pub places: Places,
}

/// A range that is being marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarkedRange {
    /// Where it began.
    pub anchor: Option<RowId>,
    /// What was marked before.
    before: HashSet<SegmentId>,
}

/// A line for the person, in place of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What to read.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// When it goes by itself. `None`: at the next key.
    pub until: Option<Timestamp>,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something went as asked.
    Calm,
    /// Something could not be done.
    Warning,
}

/// How long a calm message stays.
const MESSAGE_STAYS: SignedDuration = SignedDuration::from_secs(5);

/// Everything the interface knows.
#[derive(Debug)]
pub struct State {
    /// What the tree belongs to.
    pub session: Session,
    /// What time it is.
    pub clock: Clock,
    /// The relation to the server.
    pub link: Link,
    /// The tree as it is shown: the server's, with the writes under way laid over it.
    pub forest: Forest,
    /// Selection and scroll position.
    pub tree: TreeView,
    /// The search whose matches are shown.
    pub search: Option<Search>,
    /// What of the tree is left while a search is typed.
    pub filter: Option<Filter>,
    /// What is marked and what is cut.
    pub picks: Picks,
    /// The changes of this session.
    pub changes: Changes,
    /// The person's own commands.
    pub own: Own,
    /// The requests made so far.
    pub requests: Requests,
    /// What happened.
    pub activity: Activity,
    /// Where else one can work.
    pub profiles: Profiles,
    /// Which panes are shown, how large, and which has the keys.
    pub panes: Panes,
    /// What is open over the main screen; the last has the keys.
    pub layers: Vec<Layer>,
    /// What the footer's line says for now.
    pub message: Option<Message>,
    /// Keys that may become a sequence.
    pub pressed: Vec<Key>,
    /// What sentences call the keys.
    pub key_texts: KeyTexts,
    /// How the tree is to be arranged as soon as there is one.
    recalled: Option<View>,
}

/// Brings the state up to date with one event.
pub fn update(state: &mut State, keymap: &Keymap, event: Event) -> Vec<Effect> {
    let mut effects = take(state, keymap, event);
    effects.extend(finding::keep_true(state));
    effects.extend(changes::send_next(&mut state.changes.queue));
    effects
}

fn take(state: &mut State, keymap: &Keymap, event: Event) -> Vec<Effect> {
    match event {
        Event::Time(now) => {
            state.pass_time(now);
            Vec::new()
        }
        Event::Key(key) => keys::press(state, keymap, key),
        Event::Paste(text) => keys::paste(state, &text),
        Event::Requested(exchange) => {
            state.requests.keep(exchange);
            Vec::new()
        }
        Event::Found(finds) => {
            finding::take_finds(state, finds);
            Vec::new()
        }
        Event::Sorted(job) => sorting::take_sorted(state, job),
        Event::Mouse(mouse) => mouse::point(state, keymap, mouse),
        Event::Resized(columns, rows) => {
            state.panes.resize(columns, rows);
            tree_view::keep_in_sight(state);
            Vec::new()
        }
        Event::TextEdited(edited) => outline::take_edited(state, edited),
        Event::ProfileSaved(line) => profiles::take_saved(state, line),
        Event::Mirror(event) => news::hear(state, event),
        Event::Ran(run, news) => {
            own::hear(state, run, news);
            Vec::new()
        }
        Event::Browsed { url, outcome } => browsing::hear(state, url, outcome),
        Event::Undelivered(command) => {
            changes::undelivered(state, command);
            Vec::new()
        }
    }
}

impl State {
    /// The state before anything was heard of the server.
    #[must_use]
    pub fn new(session: Session, clock: Clock, columns: u16, rows: u16) -> Self {
        Self {
            changes: Changes::since(clock.now, session.concurrency),
            session,
            link: Link::new(clock.now),
            forest: Forest::new(),
            tree: TreeView::default(),
            search: None,
            filter: None,
            picks: Picks::default(),
            clock,
            own: Own::default(),
            requests: Requests::default(),
            activity: Activity::default(),
            profiles: Profiles::default(),
            panes: Panes::new(columns, rows),
            layers: Vec::new(),
            message: None,
            pressed: Vec::new(),
            key_texts: KeyTexts::default(),
            recalled: None,
        }
    }

    /// Where everything is on the screen.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(&self.panes)
    }

    /// The segment on the selected row, `None` when that is a heading, a missing parent, or nothing at all.
    #[must_use]
    pub fn selected_segment(&self) -> Option<&Arc<Segment>> {
        match &self.tree.selected {
            Some(RowId::Segment(id)) => self.forest.get(id),
            _ => None,
        }
    }

    /// The path of what the selected row stands below, where its parent is above the screen, and else of what the first row of the
    /// screen stands below; `None` where both can be seen.
    #[must_use]
    pub fn path_out_of_sight(&self) -> Option<String> {
        let out_of_sight = |segment: &Arc<Segment>| {
            let parent = self.forest.parent(&segment.id)?;
            let at = self.shown_position(&RowId::Segment(parent.id.clone()))?;
            (at < self.tree.offset).then(|| details::path(self, &parent.id))
        };
        self.selected_segment().and_then(out_of_sight).or_else(|| {
            let first = self.shown_rows(self.tree.offset..self.tree.offset + 1).first()?.id();
            match first {
                RowId::Segment(id) => self.forest.get(&id).and_then(out_of_sight),
                RowId::Heading(_) => None,
            }
        })
    }

    /// What a sentence calls the key of an action.
    #[must_use]
    pub fn key(&self, action: Action) -> &str {
        self.key_texts.key(action)
    }

    /// When the screen will have to change although nothing happens: a message goes, a highlight fades, an age grows.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let message = self.message.as_ref().and_then(|message| message.until);
        let now = self.clock.now;
        let wakes = [message, self.activity.next_fade(now), self.link.next_wake(now), self.own.next_wake(now)];
        wakes.into_iter().flatten().min()
    }

    fn pass_time(&mut self, now: Timestamp) {
        self.clock.now = now;
        if self.message.as_ref().and_then(|message| message.until).is_some_and(|until| until <= now) {
            self.message = None;
        }
        self.activity.fade(now);
        self.changes.look(now);
    }

    fn say(&mut self, text: impl Into<String>) {
        let until = Some(self.clock.now + MESSAGE_STAYS);
        let text = printable(&text.into()).into_owned();
        self.message = Some(Message { text, tone: Tone::Calm, until });
    }

    fn warn(&mut self, text: impl Into<String>) {
        let text = printable(&text.into()).into_owned();
        self.message = Some(Message { text, tone: Tone::Warning, until: None });
    }
}
