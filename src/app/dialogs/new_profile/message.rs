//! Events into the form and effects out of it, as plain data: a terminal and a test drive it alike.

use crate::keymap::Key;
use crate::remote::Fault;

use super::{Entry, ProfileField};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum FormEvent {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// An order was carried out, or could not be.
    Answered {
        /// The number of the order.
        number: u64,
        /// What came of it.
        answer: Answer,
    },
}

/// Something to be done outside.
#[derive(Debug, Clone)]
pub enum FormEffect {
    /// Carry this out; ends in one [`FormEvent::Answered`] with the same number.
    Order {
        /// Its number.
        number: u64,
        /// What to do.
        order: Order,
    },
    /// Nobody waits any more for what was ordered.
    GiveUp,
    /// Open the demo instead.
    OpenDemo,
    /// Open the profile of that name, which was written just now.
    Open(String),
    /// Leave; nothing was written.
    Leave,
}

/// What can be ordered.
#[derive(Debug, Clone)]
pub enum Order {
    /// Ask the server for one page of segments.
    Try(Entry),
    /// Write the profile, and the key to where it is to be kept.
    Save(Entry),
}

/// What came of an order.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The server has answered as it should.
    Connected,
    /// It has not.
    NotConnected(TrialError),
    /// The profile is written.
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
            (Self::Order { number: one, .. }, Self::Order { number: other, .. }) => one == other,
            (Self::Open(one), Self::Open(other)) => one == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for FormEffect {}
