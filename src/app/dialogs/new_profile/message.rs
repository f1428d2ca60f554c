//! The events and effects of the form as plain data, so that a terminal and a test drive it alike.

use crate::app::Target;
use crate::keymap::Key;
use crate::remote::Fault;

use super::{FilledProfile, ProfileField};

/// An input of the form.
#[derive(Debug, Clone)]
pub enum FormEvent {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// A target in the form was clicked.
    Clicked(Target),
    /// A task ended.
    TaskEnded {
        /// The number of the task.
        number: u64,
        /// The result.
        result: TaskResult,
    },
}

/// A side effect for the caller to carry out.
#[derive(Debug, Clone)]
pub enum FormEffect {
    /// Carry out a task; ends in one [`FormEvent::TaskEnded`] with the same number.
    Task {
        /// The number of the task.
        number: u64,
        /// The task.
        task: ProfileTask,
    },
    /// Cancel the task.
    CancelTask,
    /// Open the demo instead.
    OpenDemo,
    /// Open the profile of that name, which was just saved, or whose key is now held in memory.
    Open(String),
    /// Close the form without saving.
    Close,
}

/// A task of the form.
#[derive(Debug, Clone)]
pub enum ProfileTask {
    /// Test the connection: fetch one page of segments.
    Try(FilledProfile),
    /// Save the profile, and the key where it is to be stored.
    Save(FilledProfile),
    /// Hold the key of an existing profile in memory.
    Hold(FilledProfile),
}

/// The result of a task.
#[derive(Debug, Clone)]
pub enum TaskResult {
    /// The server responded as expected.
    Connected,
    /// The test failed.
    NotConnected(TrialError),
    /// The profile is saved, or its key held.
    Saved,
    /// Saving failed.
    NotSaved {
        /// The field where the user can fix it.
        field: ProfileField,
        /// The reason.
        reason: String,
    },
}

/// Why a test failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialError {
    /// The request failed or was refused.
    Fault(Fault),
    /// The key could not be obtained, with the reason.
    NoKey(String),
    /// The value of this field can't be sent, with the reason.
    InvalidRequest(ProfileField, String),
}

/// Two tasks are equal if their numbers are: the keys in them are never compared.
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
