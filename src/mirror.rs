//! Keeps a client's picture of the tree equal to the server's: lists everything, then follows the feed, and carries out writes.

mod message;

use tokio::sync::mpsc;

pub use message::{Applied, Command, Event, ListProgress, Notice, Outcome, Phase, Seen, Ticket, WriteError};

/// The ends of the two queues to the actor. Dropping them ends it.
#[derive(Debug)]
pub struct Mirror {
    /// Orders to it.
    pub commands: mpsc::Sender<Command>,
    /// What it says.
    pub events: mpsc::Receiver<Event>,
}
