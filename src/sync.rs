//! Keeps a client's tree of segments in sync with the server, and carries out writes.
//!
//! An actor: [`Command`]s in, [`Event`]s out, both through bounded queues. It lists and watches, as Kubernetes clients do:
//!
//! 1. find the current end of the feed, before anything else;
//! 2. list all pages, several at a time, and report them ([`Event::PageReceived`], [`Event::Listed`]);
//! 3. read the feed from where it ended before the list began, and fetch each segment that it names. That repairs whatever
//!    changed while the list was loading. If anything happened meanwhile, other segments may have moved between pages unseen,
//!    and the feed doesn't name those: everything is listed once more as soon as the feed is quiet, and a segment missing from
//!    a list is only taken as deleted after a fetch;
//! 4. keep reading the feed. Every error leads back here after a pause without missing anything, since the position only
//!    advances once everything before it has been applied.
//!
//! With a [store](crate::store), the first two steps are only needed at the first start and when the feed no longer knows the
//! stored position: the stored segments are reported at once ([`Event::Restored`]), and the feed is read from the stored
//! position.
//!
//! The API has no versions, so the actor keeps the order: every request gets a sequence number when it is sent, and a
//! response never overrides one to a later request. An own write is reported by [`Event::Executed`] before any later change
//! of the same segment, and its echo in the feed is not reported as a change.
//!
//! The actor knows nothing of the UI: a terminal, a subcommand and a test are clients like any other.

mod actor;
mod backlog;
mod budget;
mod feed;
mod fetch;
mod hearing;
mod id_map;
mod list;
mod message;
mod namesakes;
mod persister;
mod report;
mod segment_cache;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::remote::{Context, Remote};
use crate::segment::Step;

pub use feed::{BEYOND_ANY_STEP, feed_end};
pub use message::{Command, Event, FeedSource, ListProgress, Notice, Phase, SegmentChange, Suspicion};

/// Settings of the sync actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Segments requested per page. The server may send fewer.
    pub page_size: u32,
    /// Requests in flight at once, for each of listing, fetching segments, and checking recovered operations.
    pub concurrency: usize,
    /// Interval between two polls of the feed.
    pub poll: Pace,
    /// Page at which a list that does not end is cut.
    pub max_pages: u32,
    /// Pause between two lists when there is no feed.
    pub relist: Duration,
    /// How often everything is listed again to compare; `None` for never.
    pub verify_every: Option<Duration>,
    /// How long to search for the result of a create whose response was lost, and to wait for a deleted segment to be gone.
    pub create_confirm_timeout: Duration,
    /// Contexts that are polled separately so that each change can be attributed; if empty, one request covers all contexts.
    pub origins: Vec<Context>,
    /// Whether the feed omits changes of some contexts, so that silence doesn't mean that nothing has happened.
    pub partial_feed: bool,
    /// Step from which changes are reported; `None` for the end of the feed at the start.
    pub since: Option<Step>,
    /// Whether changes are reported in feed order and, until the feed is first read to its end, include every segment that it
    /// names, even one the list already had.
    pub report_named: bool,
    /// File that keeps the state between sessions; `None` keeps nothing.
    pub store: Option<PathBuf>,
    /// Whether the file keeps only the journal, and everything is listed at every start.
    pub journal_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: 500,
            concurrency: 6,
            poll: Pace::default(),
            max_pages: 100_000,
            relist: Duration::from_secs(60),
            verify_every: Some(Duration::from_secs(15 * 60)),
            create_confirm_timeout: Duration::from_secs(10),
            origins: Vec::new(),
            partial_feed: false,
            since: None,
            report_named: false,
            store: None,
            journal_only: false,
        }
    }
}

/// How often the feed is polled: often while there are events, seldom while there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Pause after a poll that brought events.
    pub shortest: Duration,
    /// Longest pause, after many polls without events.
    pub longest: Duration,
}

impl Pace {
    /// Returns a pace with a constant pause.
    #[must_use]
    pub const fn steady(pause: Duration) -> Self {
        Self { shortest: pause, longest: pause }
    }

    /// Returns the pause that follows one that brought no events.
    fn slower(self, pause: Duration) -> Duration {
        self.clamp(pause.mul_f64(1.5))
    }

    /// Clamps a pause to the allowed range.
    fn clamp(self, pause: Duration) -> Duration {
        pause.clamp(self.shortest, self.longest.max(self.shortest))
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { shortest: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }
}

/// The client's ends of the queues to and from the actor. Dropping them stops the actor, including writes under way.
#[derive(Debug)]
pub struct SyncHandle {
    /// Commands to the actor.
    pub commands: mpsc::Sender<Command>,
    /// Events from the actor.
    pub events: mpsc::Receiver<Event>,
}

/// Capacity of the event queue; the actor waits when it is full.
const EVENT_QUEUE_CAPACITY: usize = 64;
/// Capacity of the command queue: as many commands as a person can give at a time, one for each staged plan.
const COMMAND_QUEUE_CAPACITY: usize = 4_096;

/// Starts an actor on the current tokio runtime.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn start<R: Remote>(remote: Arc<R>, settings: Settings) -> SyncHandle {
    let (command_sender, commands) = mpsc::channel(COMMAND_QUEUE_CAPACITY);
    let (events, event_receiver) = mpsc::channel(EVENT_QUEUE_CAPACITY);
    tokio::spawn(actor::Actor::new(remote, settings, commands, events).run());
    SyncHandle { commands: command_sender, events: event_receiver }
}
