//! Keeps a client's picture of the tree equal to the server's, and carries out writes.
//!
//! An actor: [`Command`]s in, [`Event`]s out, both through bounded queues. It lists and follows, as the clients of
//! Kubernetes do:
//!
//! 1. it finds the present end of the feed, before anything else;
//! 2. it lists all pages, several at a time, and says what it has ([`Event::PageReceived`], [`Event::Listed`]);
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
//! question never overrides one to a newer. An own write is told by [`Event::Executed`] before any later change of the
//! same segment, and its echo in the feed is no change.
//!
//! It knows nothing of screens: a terminal, a subcommand and a test are clients like any other.

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

pub use feed::{BEYOND, feed_end};
pub use message::{Command, Event, FeedSource, ListProgress, Notice, Phase, SegmentChange, Suspicion};

/// How to keep in step with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Segments asked for in one page. The server may give fewer.
    pub page_size: u32,
    /// Requests in flight at once, for each of listing, looking at changed segments, and writing.
    pub concurrency: usize,
    /// The pause between two looks at the feed.
    pub poll: Pace,
    /// Where a list that does not end is cut.
    pub max_pages: u32,
    /// The pause between two lists where there is no feed to follow.
    pub relist: Duration,
    /// How often everything is listed again to compare; `None` is never.
    pub verify_every: Option<Duration>,
    /// How long the fate of a create whose answer was lost is looked for.
    pub create_confirm_timeout: Duration,
    /// Contexts whose changes are followed each by itself, so that a change is known to be somebody's; none asks for all at
    /// once, which is one question instead of several.
    pub origins: Vec<Context>,
    /// Whether the feed leaves out what some do, so that it can't say that nothing has happened.
    pub partial_feed: bool,
    /// The step from which on changes are told; `None` is what happens from the start on.
    pub since: Option<Step>,
    /// Whether what the feed names is told, until it was first read to its end, also where the list had it already.
    pub tell_named: bool,
    /// The file in which to keep what is known from one run to the next; `None` keeps nothing.
    pub store: Option<PathBuf>,
    /// Whether only the journal is kept there, and everything is listed at every start.
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
            tell_named: false,
            store: None,
            journal_only: false,
        }
    }
}

/// How often the feed is looked at: often while things happen, seldom while nothing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause after something happened.
    pub shortest: Duration,
    /// The pause after nothing happened for long.
    pub longest: Duration,
}

impl Pace {
    /// The same pause, whatever happens.
    #[must_use]
    pub const fn steady(pause: Duration) -> Self {
        Self { shortest: pause, longest: pause }
    }

    /// The pause after one that brought nothing.
    fn slower(self, pause: Duration) -> Duration {
        self.within(pause.mul_f64(1.5))
    }

    /// A pause, or the nearest one that is allowed.
    fn within(self, pause: Duration) -> Duration {
        pause.clamp(self.shortest, self.longest.max(self.shortest))
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { shortest: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }
}

/// The ends of the two queues to the actor. Dropping them ends it, writes under way included.
#[derive(Debug)]
pub struct SyncHandle {
    /// Orders to it.
    pub commands: mpsc::Sender<Command>,
    /// What it says.
    pub events: mpsc::Receiver<Event>,
}

/// Events that may wait before the sync actor has to.
const EVENTS: usize = 64;
/// Orders that may wait: as many as a person can give at a time, one for each plan that was gathered.
const ORDERS: usize = 4_096;

/// Starts an actor on the current tokio runtime.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn start<R: Remote>(remote: Arc<R>, settings: Settings) -> SyncHandle {
    let (command_sender, commands) = mpsc::channel(ORDERS);
    let (events, event_receiver) = mpsc::channel(EVENTS);
    tokio::spawn(actor::Actor::new(remote, settings, commands, events).run());
    SyncHandle { commands: command_sender, events: event_receiver }
}
