//! The state of the interface, in one part per module. Functions take only the part that they change where that is enough.

use std::mem::{self, Discriminant};
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::action::Action;
use crate::changes::Safeguards;
use crate::forest::RowId;
use crate::keymap::{Key, KeyTexts};
use crate::printable::printable;
use crate::remote::{Access, BaseUrl, UrlTemplate};
use crate::segment::{Pattern, Segment};
use crate::theme::Name as ThemeName;

use super::mouse::PointerState;
use super::side::details;
use super::{Changes, Layer, Layout, Link, List, Message, Pane, Panes, Side, Tree};

/// The tenant and server of this session, as the header shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The tenant.
    pub tenant: String,
    /// The server's host.
    pub host: String,
    /// The base URL of the server.
    pub base_url: BaseUrl,
    /// The configured profile, if one was used.
    pub profile: Option<String>,
    /// Whether changes are allowed.
    pub access: Access,
    /// Whether writes are journalled, so that the next session knows what this one left unfinished.
    pub journalled: bool,
    /// Whether the tenant is protected, such as a production tenant.
    pub protected: bool,
    /// Patterns of segments that are managed by another system, besides the built-in one: see [`Safeguards::owner_of`].
    pub owned: Vec<Pattern>,
    /// The URL at which the browser shows a segment.
    pub open: Option<UrlTemplate>,
    /// The maximum number of operations in flight.
    pub concurrency: usize,
}

impl Session {
    /// Returns the title of the terminal window: the tenant, and the profile if it has another name.
    #[must_use]
    pub fn title(&self) -> String {
        let profile = self.profile.as_ref().filter(|profile| **profile != self.tenant);
        let title = profile.map_or_else(|| self.tenant.clone(), |profile| format!("{} · {profile}", self.tenant));
        printable(&title).into_owned()
    }

    /// Returns the safeguards to check before a change is sent.
    #[must_use]
    pub fn safeguards(&self) -> Safeguards<'_> {
        Safeguards { tenant: &self.tenant, protected: self.protected, owned: &self.owned }
    }
}

/// The current time and the time zone.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The time of the last [`Event::Time`](super::Event::Time).
    pub now: Timestamp,
    /// The time zone for displayed times.
    pub zone: TimeZone,
}

/// The whole state of the interface.
#[derive(Debug)]
pub struct State {
    /// The tenant and server of this session.
    pub session: Session,
    /// The current time.
    pub clock: Clock,
    /// The connection to the server.
    pub link: Link,
    /// The tree, its selection and its filter.
    pub tree: Tree,
    /// The changes of this session.
    pub changes: Changes,
    /// The panes and lists beside the tree.
    pub side: Side,
    /// The panes, open dialogs and the message.
    pub screen: Screen,
}

/// The panes, open dialogs and the message.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Which panes are shown, how large, and which has the focus.
    pub panes: Panes,
    /// The open dialogs; the last one has the focus.
    pub layers: Vec<Layer>,
    /// A number that identifies the focused dialog: it changes whenever one opens or closes.
    pub opened: u64,
    /// The first visible line of the dialog's list, if the wheel or a click has scrolled away from the selection.
    pub(super) scrolled: Option<usize>,
    /// The message in the footer.
    pub message: Option<Message>,
    /// The keys of an unfinished sequence.
    pub pressed: Vec<Key>,
    /// Whether the last key moved through the dialog's list rather than its field: where a screen reader's cursor belongs.
    pub cursor_in_list: bool,
    /// The theme that was chosen in this session.
    pub theme: Option<ThemeName>,
    /// Whether the terminal reported a light background.
    pub is_light: bool,
    /// The state of mouse clicks and drags.
    pub(super) pointer: PointerState,
    /// The count typed for the next action.
    pub count: Option<usize>,
    /// The names of keys in sentences.
    pub key_texts: KeyTexts,
}

impl Screen {
    fn new(columns: u16, rows: u16) -> Self {
        Self {
            panes: Panes::new(columns, rows),
            layers: Vec::new(),
            opened: 0,
            scrolled: None,
            message: None,
            pressed: Vec::new(),
            cursor_in_list: false,
            theme: None,
            is_light: false,
            pointer: PointerState::default(),
            count: None,
            key_texts: KeyTexts::default(),
        }
    }

    /// Returns the number of open dialogs and the kind of the topmost one.
    pub(super) fn top_layer(&self) -> (usize, Option<Discriminant<Layer>>) {
        (self.layers.len(), self.layers.last().map(mem::discriminant))
    }

    /// Records that another dialog has the focus.
    pub(super) const fn record_layer_change(&mut self) {
        self.opened += 1;
        self.scrolled = None;
        self.cursor_in_list = false;
    }

    /// Returns the visible part of the focused list when `shown` of its lines fit: around the selection, or where the mouse has
    /// scrolled it.
    #[must_use]
    pub fn window(&self, list: List, len: usize, shown: usize) -> Range<usize> {
        let Some(first) = self.scrolled else { return list.window(len, shown) };
        let first = first.min(len.saturating_sub(shown));
        first..(first + shown).min(len)
    }
}

impl State {
    /// Creates the state before the first event.
    #[must_use]
    pub fn new(session: Session, clock: Clock, columns: u16, rows: u16) -> Self {
        Self {
            link: Link::new(clock.now),
            tree: Tree::default(),
            changes: Changes::new(clock.now, session.concurrency),
            side: Side::default(),
            screen: Screen::new(columns, rows),
            session,
            clock,
        }
    }

    /// Returns the layout of the screen.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(&self.screen.panes)
    }

    /// Returns the segment on the selected row; `None` if that is a heading or a missing parent, or nothing is selected.
    #[must_use]
    pub fn selected_segment(&self) -> Option<&Arc<Segment>> {
        match &self.tree.view.selected {
            Some(RowId::Segment(id)) => self.tree.forest.get(id),
            _ => None,
        }
    }

    /// Returns the path to the selected row's parent if that is above the first visible row, else the path to the parent of the
    /// first visible row under the same condition; `None` if neither is scrolled out of sight.
    #[must_use]
    pub fn path_out_of_sight(&self, first_row: usize) -> Option<String> {
        let out_of_sight = |segment: &Arc<Segment>| {
            let parent = self.tree.forest.parent(&segment.id)?;
            let at = self.shown_position(&RowId::Segment(parent.id.clone()))?;
            (at < first_row).then(|| details::path(self, &parent.id))
        };
        self.selected_segment().and_then(out_of_sight).or_else(|| {
            let first = self.shown_rows(first_row..first_row + 1).first()?.id();
            match first {
                RowId::Segment(id) => self.tree.forest.get(&id).and_then(out_of_sight),
                RowId::Heading(_) => None,
            }
        })
    }

    /// Returns the name of an action's key in sentences.
    #[must_use]
    pub fn key(&self, action: Action) -> &str {
        self.screen.key_texts.key(action)
    }

    /// Returns when the screen next changes without an event: a message disappears, a highlight fades, an age grows.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.screen.panes.accessible {
            // In screen-reader mode nothing changes by itself.
            return None;
        }
        let message = self.screen.message.as_ref().and_then(|message| message.until);
        let now = self.clock.now;
        let wakes = [
            message,
            self.side.activity.next_highlight_end(now),
            self.link.next_wake(now),
            self.side.commands.next_wake(now),
        ];
        let findings = self.side.findings.next_wake(now).filter(|_| self.screen.layers.iter().any(Layer::is_findings));
        wakes.into_iter().chain([findings]).flatten().min()
    }

    /// Runs after every event: moves the focus off a pane that is not on the screen, and scrolls the activity to its selection.
    pub(super) fn update_panes(&mut self, by_user: bool) {
        let layout = self.layout();
        if layout.panes().all(|pane| pane != self.screen.panes.focus) {
            self.screen.panes.focus = Pane::Tree;
        }
        self.side.activity.update_view(layout.activity, self.screen.panes.focus == Pane::Activity, by_user);
    }

    pub(super) fn advance_clock(&mut self, now: Timestamp) {
        self.clock.now = now;
        if self.screen.message.as_ref().and_then(|message| message.until).is_some_and(|until| until <= now) {
            self.screen.message = None;
        }
        self.side.activity.expire_highlights(now);
        self.changes.measure(now);
    }
}
