//! The state of the interface and the only function that changes it.
//!
//! Everything that can happen is an [`Event`], and every side effect is an [`Effect`]; [`update`] turns events into effects and
//! neither blocks nor fails. It does no I/O and reads no clock: time is an event. So every behaviour of the interface can be
//! tested without a terminal or a network, and the outcome of a sequence of keys never depends on whether a frame was drawn in
//! between.

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

use crate::check::{CheckJob, CheckResult};
use crate::forest::{SearchBatch, SearchJob, SortJob};
use crate::keymap::{Key, Keymap};
use crate::remote::Exchange;
use crate::sync::{self};

pub use crate::numbers::{grouped, size};
pub use crate::remote::Access;
pub use availability::{availability, availability_at_a_glance};
pub use browsing::BrowserOutcome;
pub use changes::{
    Ages, Changes, Conflict, ConflictKind, KeptSide, LeftOver, OperationCounts, PendingPane, Review, WriteRate,
};
pub use dialogs::help::{HelpPage, keys_beneath};
pub use dialogs::keys::{DialogKey, findings_keys};
pub use dialogs::layer::Layer;
pub use dialogs::list::List;
pub use dialogs::new_profile::{
    FilledProfile, FormContext, FormEffect, FormEvent, KeyLocation, KeySource, Masked, NewProfile, OpenedFrom,
    ProfileField, ProfileTask, Stage, TaskResult, TrialError,
};
pub use dialogs::output_pane::{OutputPage, OutputPane};
pub use dialogs::output_text::OutputText;
pub use dialogs::palette::{Offer, Palette};
pub use dialogs::profiles::{Choice, Destination, ProfileLine, ProfileList, Profiles};
pub use dialogs::requests_pane::{OpenRequest, RequestsPage, RequestsPane};
pub use dialogs::user_commands::{Run, RunConfirmation, RunEnd, RunEvent, RunOutcome, RunRequest, UserCommands};
pub use edit::bulk::BulkEdit;
pub use edit::deletion::{Deletion, Policy};
pub use edit::findings::fixed_name;
pub use edit::form::{Form, FormKind};
pub use edit::outline::{EditorFault, EditorOutcome, OutlineEdit};
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
pub use side::requests::{LoggedRequest, Requests};
pub use spoken::{change_in_words, in_words, row_in_words, selected_in_words};
pub use state::{Clock, Screen, Session, State};
pub use targets::{Click, FieldName, ListItem, ListWindow, Target, Targets};
pub use tree::filter::Filter;
pub use tree::filters::Filters;
pub use tree::places::{Letter, Locations};
pub use tree::saved_view::View;
pub use tree::search::{FindPrompt, Search};
pub use tree::viewport::{DialogPlacement, TreeView};
pub use tree::{MarkedRange, Picks, Tree};
pub use words::{described, field_text};

/// An input of the state machine.
#[derive(Debug, Clone)]
pub enum Event {
    /// Time passed; this is the current time.
    Time(Timestamp),
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(Mouse),
    /// A drawn target was clicked.
    Clicked(Click),
    /// The wheel was turned while a list was shown.
    Scrolled {
        /// The part of the list that was shown.
        list: ListWindow,
        /// The dialog that had the list: [`Screen::opened`] when it was drawn.
        opened: u64,
        /// Whether the wheel was turned down.
        down: bool,
    },
    /// The terminal was resized to these columns and rows.
    Resized(u16, u16),
    /// The terminal reported its background colour.
    Background {
        /// Whether the background is light rather than dark.
        is_light: bool,
    },
    /// An event from the sync actor.
    Sync(sync::Event),
    /// A request was sent, and ended with this response or fault.
    Requested(Arc<Exchange>),
    /// A search found matches or ended.
    Found(SearchBatch),
    /// A sort of siblings is done.
    Sorted(SortJob),
    /// A check of the tree is done.
    Checked(CheckResult),
    /// The user left the editor, or it could not be started.
    TextEdited(EditorOutcome),
    /// The result of a task of the new-profile form.
    Profile {
        /// The number of the task.
        number: u64,
        /// The result.
        result: TaskResult,
    },
    /// News of a user command, with the number of its run.
    Ran(u64, RunEvent),
    /// An attempt to open a URL in the browser has ended.
    Browsed {
        /// The URL.
        url: String,
        /// How it ended.
        outcome: BrowserOutcome,
    },
    /// A command could not be delivered to the sync actor, because its queue is full or the actor is gone.
    Undelivered(sync::Command),
}

impl Event {
    /// Whether the user acts on what is on the screen. The wheel doesn't count: it only scrolls.
    const fn is_user_input(&self) -> bool {
        match self {
            Self::Key(_) | Self::Paste(_) | Self::Clicked(_) => true,
            Self::Mouse(mouse) => matches!(mouse.kind, MouseKind::Click | MouseKind::RightClick),
            _ => false,
        }
    }
}

/// A side effect for the caller to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send this to the sync actor.
    Sync(sync::Command),
    /// Search in the background; each batch of matches is an [`Event::Found`]. Replaces the previous search.
    Search(SearchJob),
    /// Sort in the background; ends in one [`Event::Sorted`].
    Sort(SortJob),
    /// Check the tree in the background; ends in one [`Event::Checked`].
    Check(Box<CheckJob>),
    /// Copy this to the clipboard of the user's machine.
    Copy(String),
    /// Open a text in the user's editor; ends in one [`Event::TextEdited`].
    EditText {
        /// The text.
        text: String,
    },
    /// Remove the file of an edited text.
    RemoveText(PathBuf),
    /// Carry out an effect of the new-profile form; a task ends in one [`Event::Profile`] unless it is cancelled.
    Profile(FormEffect),
    /// End the session and open another one.
    Switch(Destination),
    /// Run a user command; its output and end are [`Event::Ran`].
    Run(Box<RunRequest>),
    /// Stop the running command and every process it started.
    StopRun,
    /// Open a URL in the browser; ends in one [`Event::Browsed`].
    Browse(String),
    /// Suspend the program: the shell has the terminal until the program is continued.
    Suspend,
    /// End the program.
    Quit,
}

/// Applies one event to the state and returns the effects to carry out.
pub fn update(state: &mut State, keymap: &Keymap, event: Event) -> Vec<Effect> {
    let layers_before = state.screen.top_layer();
    let by_user = event.is_user_input();
    let before_event = spoken::BeforeEvent::of(state, &event);
    if by_user && state.screen.panes.accessible && !matches!(event, Event::Key(_)) {
        // The result of a click or a paste replaces the message; `keys::press` does this for keys.
        state.screen.message = None;
    }
    let mut effects = handle_event(state, keymap, event);
    if state.screen.top_layer() != layers_before {
        state.screen.record_layer_change();
    }
    effects.extend(tree::search::refresh_search(state));
    effects.extend(side::findings::check_if_stale(state));
    effects.extend(changes::send_next(&mut state.changes, state.clock.now));
    messages::refresh(state);
    state.update_panes(by_user);
    spoken::announce_changes(state, &before_event);
    effects
}

fn handle_event(state: &mut State, keymap: &Keymap, event: Event) -> Vec<Effect> {
    match event {
        Event::Time(now) => {
            state.advance_clock(now);
            Vec::new()
        }
        Event::Key(key) => {
            state.tree.touched = true;
            keys::press(state, keymap, key)
        }
        Event::Paste(text) => keys::paste(state, &text),
        Event::Requested(exchange) => {
            state.side.requests.log(exchange);
            Vec::new()
        }
        Event::Found(batch) => {
            tree::search::on_search_batch(state, batch);
            Vec::new()
        }
        Event::Sorted(job) => tree::sorting::on_sorted(state, job),
        Event::Checked(checked) => {
            side::findings::on_checked(state, checked);
            Vec::new()
        }
        Event::Mouse(mouse) => {
            state.tree.touched = true;
            mouse::handle_mouse(state, keymap, mouse)
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
            tree::viewport::scroll_to_selection(state);
            Vec::new()
        }
        Event::Background { is_light } => {
            state.screen.is_light = is_light;
            Vec::new()
        }
        Event::TextEdited(edited) => edit::outline::on_edited(state, edited),
        Event::Profile { number, result } => dialogs::new_profile::on_task_ended(state, number, result),
        Event::Sync(event) => on_sync::on_sync_event(state, event),
        Event::Ran(run, news) => {
            dialogs::user_commands::on_run_news(state, run, news);
            Vec::new()
        }
        Event::Browsed { url, outcome } => browsing::on_browsed(state, url, outcome),
        Event::Undelivered(command) => {
            changes::on_undelivered(state, command);
            Vec::new()
        }
    }
}
