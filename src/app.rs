//! The state of the interface and the only function that changes it.
//!
//! Everything that can happen is an [`Event`], everything that is to be done outside is an [`Effect`]; [`update`] turns the one
//! into the other and neither blocks nor fails. It does no I/O and reads no clock: time is an event. So every behaviour of
//! the interface is a test without a terminal or a network, and the outcome of a sequence of keys never depends on whether
//! a frame was drawn in between.

mod availability;
mod browsing;
mod changes;
mod clicking;
mod copying;
mod dialogs;
mod edit;
mod keys;
mod layout;
mod link;
mod messages;
mod mouse;
mod named_commands;
mod on_sync;
mod panes;
mod perform;
mod side;
mod spoken;
mod state;
mod targets;
mod tree;
mod words;

#[cfg(test)]
pub(crate) mod harness;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::check::{CheckJob, Checked};
use crate::forest::{SearchBatch, SearchJob, SortJob};
use crate::keymap::{Key, Keymap};
use crate::remote::Exchange;
use crate::sync::{self};

pub use crate::numbers::{grouped, size};
pub use crate::remote::Access;
pub use availability::{availability, availability_at_a_glance};
pub use browsing::Browsed;
pub use changes::{
    Ages, Between, Changes, Conflict, KeptSide, LeftOver, OperationCounts, PendingPane, Review, WriteRate,
};
pub use dialogs::help::{HelpPage, keys_beneath};
pub use dialogs::keys::{DialogKey, findings_keys};
pub use dialogs::layer::Layer;
pub use dialogs::list::List;
pub use dialogs::new_profile::{
    Answer, FilledProfile, FormContext, FormEffect, FormEvent, KeyLocation, KeySource, Masked, NewProfile, OpenedFrom,
    ProfileField, ProfileTask, Stage, TrialError,
};
pub use dialogs::output_pane::{OutputPage, OutputPane};
pub use dialogs::output_text::OutputText;
pub use dialogs::palette::{Offer, Palette};
pub use dialogs::profiles::{Choice, Destination, ProfileLine, ProfileList, Profiles};
pub use dialogs::requests_pane::{OpenRequest, RequestsPage, RequestsPane};
pub use dialogs::user_commands::{Run, RunConfirmation, RunEnd, RunNews, RunOutcome, RunRequest, UserCommands};
pub use edit::bulk::BulkEdit;
pub use edit::deletion::{Deletion, Policy};
pub use edit::findings::mended;
pub use edit::form::{Form, FormKind};
pub use edit::outline::{Edited, EditorFault, OutlineEdit};
pub use edit::parents::{Candidate, ParentPicker};
pub use edit::renaming::Renaming;
pub use edit::text_field::TextField;
pub use layout::{Area, Layout, Shape, TreeColumns, shown_depth};
pub use link::{Link, LinkState};
pub use messages::{Message, Tone};
pub use mouse::{Mouse, MouseKind};
pub use panes::{Pane, Panes};
pub use side::Side;
pub use side::activity::{
    Activity, ActivityEntry, ActivityLine, EntryKind, FieldChange, LastChange, Originator, ShownLine, TIME_COLUMNS,
    VERB_COLUMNS,
};
pub use side::details::{DetailLine, details};
pub use side::findings::{Findings, path_above};
pub use side::pulse::{KINDS, MINUTES};
pub use side::request_lines::{duration, request_lines};
pub use side::requests::{Logged, Requests};
pub use spoken::{change_in_words, in_words, row_in_words, selected_in_words};
pub use state::{Clock, Screen, Session, State};
pub use targets::{Click, FieldName, ListItem, ListWindow, Target, Targets};
pub use tree::filter::Filter;
pub use tree::filters::Filters;
pub use tree::places::{Letter, Places};
pub use tree::saved_view::View;
pub use tree::search::{FindPrompt, Search};
pub use tree::viewport::{BesideDialog, TreeView};
pub use tree::{MarkedRange, Picks, Tree};
pub use words::{described, field_text};

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
    /// Something that was drawn was clicked.
    Clicked(Click),
    /// The wheel was turned while a list was shown.
    Scrolled {
        /// The part of it that was shown.
        list: ListWindow,
        /// Which dialog that was in: [`Screen::opened`] when it was drawn.
        opened: u64,
        /// Whether it was turned down.
        down: bool,
    },
    /// The terminal has another size: columns, rows.
    Resized(u16, u16),
    /// The terminal has told what its background is.
    Background {
        /// Whether it is rather light than dark.
        is_light: bool,
    },
    /// The sync actor has something to say.
    Sync(sync::Event),
    /// A request was made.
    Requested(Arc<Exchange>),
    /// A search has found something, or has come to its end.
    Found(SearchBatch),
    /// Siblings were sorted.
    Sorted(SortJob),
    /// It was looked at what is wrong with the tree.
    Checked(Checked),
    /// The person has left the editor, or it never came up.
    TextEdited(Edited),
    /// What came of an order of the form for a new profile.
    Profile {
        /// The number of the order.
        number: u64,
        /// What came of it.
        answer: Answer,
    },
    /// A command of the person's own has news; each run has a number.
    Ran(u64, RunNews),
    /// An address was to be shown in the browser.
    Browsed {
        /// The address.
        url: String,
        /// What became of it.
        outcome: Browsed,
    },
    /// An order could not be handed to the sync actor, because it has too many already or is gone.
    Undelivered(sync::Command),
}

impl Event {
    /// Whether it is a person who acts on what is on the screen. The wheel only looks at it.
    const fn is_by_person(&self) -> bool {
        match self {
            Self::Key(_) | Self::Paste(_) | Self::Clicked(_) => true,
            Self::Mouse(mouse) => matches!(mouse.kind, MouseKind::Click | MouseKind::RightClick),
            _ => false,
        }
    }
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Hand this to the sync actor.
    Sync(sync::Command),
    /// Search, beside everything else; each part that it finds is an [`Event::Found`]. It takes the place of the one before.
    Search(SearchJob),
    /// Sort, beside everything else; ends in one [`Event::Sorted`].
    Sort(SortJob),
    /// Look for what is wrong, beside everything else; ends in one [`Event::Checked`].
    Check(Box<CheckJob>),
    /// Put this into the clipboard of the person's machine.
    Copy(String),
    /// Let the person edit a text in their own editor; ends in one [`Event::TextEdited`].
    EditText {
        /// The text.
        text: String,
    },
    /// Remove the file of an edited text.
    RemoveText(PathBuf),
    /// Carry out what the form for a new profile orders; ends in one [`Event::Profile`], unless it is given up.
    Profile(FormEffect),
    /// End the session and open another one.
    Switch(Destination),
    /// Run a command of the person's own; what it writes and its end are [`Event::Ran`].
    Run(Box<RunRequest>),
    /// Stop the command that runs, with all that it started.
    StopRun,
    /// Show an address in the browser; ends in one [`Event::Browsed`].
    Browse(String),
    /// Give the terminal back to the shell until it is continued.
    Suspend,
    /// End the program.
    Quit,
}

/// Brings the state up to date with one event.
pub fn update(state: &mut State, keymap: &Keymap, event: Event) -> Vec<Effect> {
    let before = state.screen.top();
    let by_person = event.is_by_person();
    let heard = spoken::Heard::of(state, &event);
    if by_person && state.screen.panes.accessible && !matches!(event, Event::Key(_)) {
        // What a click or a paste does is to be read in its place; a key sees to that itself.
        state.screen.message = None;
    }
    let mut effects = take(state, keymap, event);
    if state.screen.top() != before {
        state.screen.open_another();
    }
    effects.extend(tree::search::refresh_search(state));
    effects.extend(side::findings::look_again(state));
    effects.extend(changes::send_next(&mut state.changes, state.clock.now));
    messages::look_again(state);
    state.settle_panes(by_person);
    spoken::follow(state, &heard);
    effects
}

fn take(state: &mut State, keymap: &Keymap, event: Event) -> Vec<Effect> {
    match event {
        Event::Time(now) => {
            state.pass_time(now);
            Vec::new()
        }
        Event::Key(key) => {
            state.tree.touched = true;
            keys::press(state, keymap, key)
        }
        Event::Paste(text) => keys::paste(state, &text),
        Event::Requested(exchange) => {
            state.side.requests.keep(exchange);
            Vec::new()
        }
        Event::Found(finds) => {
            tree::search::take_finds(state, finds);
            Vec::new()
        }
        Event::Sorted(job) => tree::sorting::take_sorted(state, job),
        Event::Checked(checked) => {
            side::findings::take_checked(state, checked);
            Vec::new()
        }
        Event::Mouse(mouse) => {
            state.tree.touched = true;
            mouse::point(state, keymap, mouse)
        }
        Event::Clicked(click) => {
            state.tree.touched = true;
            clicking::click(state, keymap, click)
        }
        Event::Scrolled { list, opened, down } => {
            clicking::scroll(state, list, opened, down);
            Vec::new()
        }
        Event::Resized(columns, rows) => {
            state.screen.panes.resize(columns, rows);
            tree::viewport::keep_in_sight(state);
            Vec::new()
        }
        Event::Background { is_light } => {
            state.screen.is_light = is_light;
            Vec::new()
        }
        Event::TextEdited(edited) => edit::outline::take_edited(state, edited),
        Event::Profile { number, answer } => dialogs::new_profile::answered(state, number, answer),
        Event::Sync(event) => on_sync::on_sync_event(state, event),
        Event::Ran(run, news) => {
            dialogs::user_commands::on_run_news(state, run, news);
            Vec::new()
        }
        Event::Browsed { url, outcome } => browsing::on_browsed(state, url, outcome),
        Event::Undelivered(command) => {
            changes::undelivered(state, command);
            Vec::new()
        }
    }
}
