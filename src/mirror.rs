//! Keeps a client's picture of the tree equal to the server's, and carries out writes.
//!
//! An actor: [`Command`]s in, [`Event`]s out, both through bounded queues. It lists and follows, as the clients of
//! Kubernetes do:
//!
//! 1. it finds the present end of the feed, before anything else;
//! 2. it lists all pages, several at a time, and says what it has ([`Event::Listed`]);
//! 3. it reads the feed from where that ended before the list began, and looks at each segment that is named there. So what
//!    changed while the list was loading is mended right after it. When anything happened meanwhile, others may have
//!    slipped from one page to the other unseen, and the feed doesn't name them: then everything is listed once more as soon
//!    as the feed is quiet, and what a list lacks is only believed to be gone after a look;
//! 4. it goes on reading the feed, for good. Every error leads back here after a pause, with nothing missed, since the
//!    position only advances when what came before it was taken in.
//!
//! With a [store](crate::store) the first two steps are only for the first start and for a feed that no longer knows the stored
//! position: what was stored is told at once ([`Event::Restored`]), and the feed is read from where it was left.
//!
//! The API has no versions, so order is kept here: every question gets a number when it is asked, and an answer to an older
//! question never overrides one to a newer. An own write is told by [`Event::OperationEnded`] before any later change of the
//! same segment, and its echo in the feed is no change.
//!
//! It knows nothing of screens: a terminal, a subcommand and a test are clients like any other.

mod actor;
mod feed;
mod keeper;
mod ledger;
mod list;
mod look;
mod message;
mod queue;
mod report;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::remote::Remote;

pub use message::{Applied, Command, Event, ListProgress, Notice, Outcome, Phase, Seen, Ticket, WriteError};

/// How to keep in step with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Segments asked for in one page. The server may give fewer.
    pub page_size: u32,
    /// Requests in flight at once, for each of listing, looking at changed segments, and writing.
    pub concurrency: usize,
    /// The pause between two looks at the feed.
    pub poll: Duration,
    /// Where a list that does not end is cut.
    pub max_pages: u32,
    /// The pause between two lists where there is no feed to follow.
    pub relist: Duration,
    /// How often everything is listed again to compare; `None` is never.
    pub verify_every: Option<Duration>,
    /// How long the fate of a create whose answer was lost is looked for.
    pub grace: Duration,
    /// The file in which to keep what is known from one run to the next; `None` keeps nothing.
    pub store: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: 500,
            concurrency: 6,
            poll: Duration::from_secs(3),
            max_pages: 100_000,
            relist: Duration::from_secs(60),
            verify_every: Some(Duration::from_secs(15 * 60)),
            grace: Duration::from_secs(10),
            store: None,
        }
    }
}

/// The ends of the two queues to the actor. Dropping them ends it, writes under way included.
#[derive(Debug)]
pub struct Mirror {
    /// Orders to it.
    pub commands: mpsc::Sender<Command>,
    /// What it says.
    pub events: mpsc::Receiver<Event>,
}

/// Orders and events that may wait before whoever sends them has to.
const QUEUE: usize = 64;

/// Starts an actor on the current tokio runtime.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn start<R: Remote>(remote: Arc<R>, settings: Settings) -> Mirror {
    let (command_sender, commands) = mpsc::channel(QUEUE);
    let (events, event_receiver) = mpsc::channel(QUEUE);
    tokio::spawn(actor::Actor::new(remote, settings, commands, events).run());
    Mirror { commands: command_sender, events: event_receiver }
}
