//! Events into the form and effects out of it, as plain data: a terminal and a test drive it alike.

use crate::app::Target;
use crate::keymap::Key;
use crate::remote::Fault;

use super::{FilledProfile, ProfileField};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum FormEvent {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// Something of it was clicked.
    Clicked(Target),
    /// A task was carried out, or could not be.
    Answered {
        /// The number of the task.
        number: u64,
        /// What came of it.
        answer: Answer,
    },
}

/// Something to be done outside.
#[derive(Debug, Clone)]
pub enum FormEffect {
    /// Carry this out; ends in one [`FormEvent::Answered`] with the same number.
    Task {
        /// Its number.
        number: u64,
        /// What to do.
        task: ProfileTask,
    },
    /// Nobody waits any more for the task.
    GiveUp,
    /// Open the demo instead.
    OpenDemo,
    /// Open the profile of that name, which was written just now, or whose key is held from now on.
    Open(String),
    /// Leave; nothing was written.
    Leave,
}

/// What can be asked for.
#[derive(Debug, Clone)]
pub enum ProfileTask {
    /// Ask the server for one page of segments.
    Try(FilledProfile),
    /// Write the profile, and the key to where it is to be kept.
    Save(FilledProfile),
    /// Hold the key of a profile that is written already.
    Hold(FilledProfile),
}

/// What came of a task.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The server has answered as it should.
    Connected,
    /// It has not.
    NotConnected(TrialError),
    /// The profile is written, or its key held.
    Saved,
    /// It is not, and why.
    NotSaved {
        /// Where the person can mend it.
        field: ProfileField,
        /// Why.
        reason: String,
    },
}

/// Why a try came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialError {
    /// The server, or the way to it.
    Fault(Fault),
    /// The key could not be had, in words.
    NoKey(String),
    /// What was typed can't be sent, in words.
    InvalidRequest(ProfileField, String),
}

/// Orders are the same that have the same number. Keys in them are compared by nobody.
impl PartialEq for FormEffect {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Task { number: one, .. }, Self::Task { number: other, .. }) => one == other,
            (Self::Open(one), Self::Open(other)) => one == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for FormEffect {}
