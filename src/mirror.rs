//! Keeps a client's picture of the tree equal to the server's: lists everything, then follows the feed, and carries out writes.

mod message;

pub use message::{Applied, Command, Event, ListProgress, Notice, Outcome, Phase, Seen, Ticket, WriteError};
