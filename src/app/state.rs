//! Everything the interface knows, in one part for each wing; functions take the part that they change where one is enough.

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

use super::mouse::Pointing;
use super::side::details;
use super::{Changes, Layer, Layout, Link, List, Message, Pane, Panes, Side, Tree};

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
    /// Whose segments are another system's, beside what is built in: see [`Safeguards::owner_of`].
    pub owned: Vec<Pattern>,
    /// Where the browser shows a segment.
    pub open: Option<UrlTemplate>,
    /// Operations in flight at once, at most.
    pub concurrency: usize,
}

impl Session {
    /// What the terminal's window is called: the tenant, and the profile where it has another name.
    #[must_use]
    pub fn title(&self) -> String {
        let profile = self.profile.as_ref().filter(|profile| **profile != self.tenant);
        let title = profile.map_or_else(|| self.tenant.clone(), |profile| format!("{} · {profile}", self.tenant));
        printable(&title).into_owned()
    }

    /// What is to be taken care of before something is sent.
    #[must_use]
    pub fn safeguards(&self) -> Safeguards<'_> {
        Safeguards { tenant: &self.tenant, protected: self.protected, owned: &self.owned }
    }
}

/// What time it is, and where.
#[derive(Debug, Clone)]
pub struct Clock {
    /// As of the last [`Event::Time`](super::Event::Time).
    pub now: Timestamp,
    /// For showing times of day.
    pub zone: TimeZone,
}

/// Everything the interface knows: what it works on, and one part for each wing.
#[derive(Debug)]
pub struct State {
    /// What the tree belongs to.
    pub session: Session,
    /// What time it is.
    pub clock: Clock,
    /// The relation to the server.
    pub link: Link,
    /// The tree, and where one is in it.
    pub tree: Tree,
    /// The changes of this session.
    pub changes: Changes,
    /// What stands beside the tree.
    pub side: Side,
    /// What is open, and what the last line says.
    pub screen: Screen,
}

/// What is open, and what the last line says.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Which panes are shown, how large, and which has the keys.
    pub panes: Panes,
    /// What is open over the main screen; the last has the keys.
    pub layers: Vec<Layer>,
    /// Which dialog has the keys: another number whenever one opens or closes.
    pub opened: u64,
    /// The first line shown of its list, where the wheel or a click has taken that from the chosen one.
    pub(super) scrolled: Option<usize>,
    /// What the footer's line says for now.
    pub message: Option<Message>,
    /// Keys that may become a sequence.
    pub pressed: Vec<Key>,
    /// Whether the last key went through the list of the dialog and not to its field: where the cursor is for a screen reader.
    pub goes_through_list: bool,
    /// The theme that was changed to in this session.
    pub theme: Option<ThemeName>,
    /// Whether the terminal has told that its background is light.
    pub is_light: bool,
    /// What the mouse began.
    pub(super) pointing: Pointing,
    /// How often the next action is to be done, as typed before it.
    pub count: Option<usize>,
    /// What sentences call the keys.
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
            goes_through_list: false,
            theme: None,
            is_light: false,
            pointing: Pointing::default(),
            count: None,
            key_texts: KeyTexts::default(),
        }
    }

    /// How many dialogs are open, and of what kind the one is that has the keys.
    pub(super) fn top(&self) -> (usize, Option<Discriminant<Layer>>) {
        (self.layers.len(), self.layers.last().map(mem::discriminant))
    }

    /// Another dialog has the keys than before.
    pub(super) const fn open_another(&mut self) {
        self.opened += 1;
        self.scrolled = None;
        self.goes_through_list = false;
    }

    /// The part of the list with the keys that is in sight where so many of its lines are shown: around the chosen one, or where
    /// the mouse has left it.
    #[must_use]
    pub fn window(&self, list: List, len: usize, shown: usize) -> Range<usize> {
        let Some(first) = self.scrolled else { return list.window(len, shown) };
        let first = first.min(len.saturating_sub(shown));
        first..(first + shown).min(len)
    }
}

impl State {
    /// The state before anything was heard of the server.
    #[must_use]
    pub fn new(session: Session, clock: Clock, columns: u16, rows: u16) -> Self {
        Self {
            link: Link::new(clock.now),
            tree: Tree::default(),
            changes: Changes::since(clock.now, session.concurrency),
            side: Side::default(),
            screen: Screen::new(columns, rows),
            session,
            clock,
        }
    }

    /// Where everything is on the screen.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(&self.screen.panes)
    }

    /// The segment on the selected row, `None` when that is a heading, a missing parent, or nothing at all.
    #[must_use]
    pub fn selected_segment(&self) -> Option<&Arc<Segment>> {
        match &self.tree.view.selected {
            Some(RowId::Segment(id)) => self.tree.forest.get(id),
            _ => None,
        }
    }

    /// The path of what the selected row stands below, where its parent is above the first row that is shown, and else of what that
    /// row stands below; `None` where both can be seen.
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

    /// What a sentence calls the key of an action.
    #[must_use]
    pub fn key(&self, action: Action) -> &str {
        self.screen.key_texts.key(action)
    }

    /// When the screen will have to change although nothing happens: a message goes, a highlight fades, an age grows.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.screen.panes.accessible {
            // Nothing grows, fades or goes there.
            return None;
        }
        let message = self.screen.message.as_ref().and_then(|message| message.until);
        let now = self.clock.now;
        let wakes =
            [message, self.side.activity.next_fade(now), self.link.next_wake(now), self.side.commands.next_wake(now)];
        let findings = self.side.findings.next_wake(now).filter(|_| self.screen.layers.iter().any(Layer::is_findings));
        wakes.into_iter().chain([findings]).flatten().min()
    }

    /// The last thing about any event: a pane that is not on the screen has no keys, and the activity shows what is chosen in it.
    pub(super) fn settle_panes(&mut self, by_person: bool) {
        let layout = self.layout();
        if layout.panes().all(|pane| pane != self.screen.panes.focus) {
            self.screen.panes.focus = Pane::Tree;
        }
        self.side.activity.settle(layout.activity, self.screen.panes.focus == Pane::Activity, by_person);
    }

    pub(super) fn pass_time(&mut self, now: Timestamp) {
        self.clock.now = now;
        if self.screen.message.as_ref().and_then(|message| message.until).is_some_and(|until| until <= now) {
            self.screen.message = None;
        }
        self.side.activity.fade(now);
        self.changes.measure(now);
    }
}
