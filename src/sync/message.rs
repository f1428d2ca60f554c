//! Commands to the sync actor and its events: plain data, so that the UI, a subcommand and a test are equal clients.

use crate::numbers::{Agreeing, Noun, counted, grouped};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::changes::{Execution, ExecutionResult, JournalEntry, OpId, Recovered};
use crate::forest::Forest;
use crate::remote::{Call, Contexts, FeedEventKind, RemoteError};
use crate::segment::{Segment, SegmentId, Step};

/// A command to the sync actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Poll the feed now instead of at the next interval; retry now instead of when the back-off ends. A list that stopped
    /// because a page failed is resumed.
    PollNow,
    /// List everything again in the background, keeping the tree that is shown.
    Reload,
    /// Stop the first list. Pages received so far are kept, and [`Command::PollNow`] resumes it. Ignored during later lists,
    /// for which nobody waits.
    StopListing,
    /// Write entries to the journal, before anything requested later. From then on the actor watches for whatever concerns
    /// the queued operations: segments that look like one to be created, and new children of one to be deleted.
    Journal(Vec<JournalEntry>),
    /// Execute an operation now. Ends in one [`Event::Executed`].
    Execute(Box<Execution>),
}

/// An event of the sync actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The actor entered another phase.
    PhaseChanged(Phase),
    /// The segments that an earlier session stored. Emitted before any request is sent.
    Restored {
        /// All segments as of that time, already in a forest so that the client can show them at once.
        forest: Box<Forest>,
        /// When the segments were last known to match the server.
        saved: Timestamp,
    },
    /// A page of the first list, as it arrives. A segment may be reported more than once.
    PageReceived(Vec<Arc<Segment>>),
    /// A list is complete. With `different` applied, the segments reported so far are those of the list plus known ones that
    /// it did not contain; the latter are reported as changed once they are known to be gone.
    Listed {
        /// Differences between the list and what was reported before; empty for the first list, which was reported page by
        /// page.
        different: Vec<SegmentChange>,
    },
    /// Segments changed; to be applied at once. Echoes of own writes in the feed are not included.
    Changed {
        /// The changes, one per segment.
        seen: Vec<SegmentChange>,
        /// Step to resume from without missing anything once these are applied; `None` if the changes did not come from the
        /// feed.
        next: Option<Step>,
    },
    /// The feed was read to its end: everything reported so far matches the server.
    Synchronised {
        /// The step requested next.
        next: Step,
        /// Whether the last list is reliable. If not, something happened while it was loading, segments may have moved
        /// between pages unseen, and everything will be listed once more.
        complete: bool,
        /// Why segments may be missing even though everything was listed again.
        incomplete_reason: Option<Suspicion>,
    },
    /// Everything was listed again and compared. The differences are reported with the list or as changes. Only emitted if
    /// the list before was reliable.
    Verified {
        /// Differences that the feed never reported; empty if all is well.
        missed: Vec<SegmentChange>,
    },
    /// An operation ended or could not be sent.
    Executed {
        /// The operation.
        op: OpId,
        /// Its result.
        result: Box<ExecutionResult>,
    },
    /// The server has responded again after an operation could not reach it, so queued operations can be executed.
    ServerResponded,
    /// Unfinished operations of an earlier session and what became of them. Emitted before anything is written. Those that
    /// were not applied are on hold.
    Recovered(Vec<Recovered>),
    /// Something a person should know that is neither a phase nor a change.
    Noticed(Notice),
}

/// A change of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentChange {
    /// Which segment.
    pub id: SegmentId,
    /// The segment before, as far as it was known.
    pub before: Option<Arc<Segment>>,
    /// The segment now; `None` if it is gone.
    pub now: Option<Arc<Segment>>,
    /// How the feed named it, if the feed led to the change.
    pub feed_source: FeedSource,
}

/// How the feed named a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeedSource {
    /// Kind of the first event that named it; `None` if it was fetched for another reason.
    pub kind: Option<FeedEventKind>,
    /// Who made the changes, if contexts are polled separately.
    pub contexts: Contexts,
}

/// The sync actor's connection to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Finding the current end of the feed.
    Starting,
    /// Listing everything for the first time.
    Loading(ListProgress),
    /// Listing everything again in the background; the known tree is replaced at once when the list is complete.
    Resyncing(ListProgress),
    /// Catching up with the feed since the list began, or since the restored segments were stored.
    Replaying,
    /// Up to date: the feed was read to its end at the last poll or, without a feed, the last list is complete.
    Live,
    /// The feed responds, but names more segments than were fetched yet.
    Behind {
        /// How many segments are still to be fetched.
        waiting: usize,
    },
    /// A request has had no response for a while. The actor keeps waiting.
    Silent {
        /// The request.
        call: Call,
        /// How long the request had been waiting when this was emitted.
        since: Duration,
    },
    /// The last request failed; the actor retries by itself.
    Offline {
        /// What failed.
        error: RemoteError,
        /// Time until the next try.
        retry_in: Duration,
    },
    /// A page of the list failed. Pages received so far are kept, and the list resumes by itself or with
    /// [`Command::PollNow`].
    Stalled {
        /// What failed.
        error: RemoteError,
        /// Time until the list resumes.
        retry_in: Duration,
        /// Progress of the list so far.
        progress: ListProgress,
    },
    /// The client stopped the first list. Pages received so far are kept, and [`Command::PollNow`] resumes it.
    Paused(ListProgress),
}

/// Progress of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListProgress {
    /// Segments received.
    pub segments: usize,
    /// Pages received.
    pub pages: u32,
    /// Time since the list began.
    pub elapsed: Duration,
    /// Total number of segments, if the server reports it.
    pub total: Option<u64>,
}

/// A reason to doubt that a list is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// A page was empty although later pages were not.
    EmptyPage {
        /// The number of the page.
        page: u32,
    },
    /// The server reports more segments than it sent.
    FewerThanTotal {
        /// Number the server reports.
        total: u64,
        /// Number received.
        received: u64,
    },
    /// Some segments were on several pages although nothing had changed: the order differs between pages, so other segments
    /// may be on none.
    Repeated {
        /// How many repetitions.
        count: usize,
    },
    /// So many known segments are missing that the list is more likely wrong than they are gone.
    MissingKnown {
        /// How many.
        count: usize,
    },
    /// The last pages contained nothing that earlier ones had not.
    RepeatingPages {
        /// Pages received.
        pages: u32,
    },
    /// The list was cut at the limit on pages or entries.
    Cut {
        /// Pages received.
        pages: u32,
    },
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPage { page } => write!(f, "page {page} was empty although later pages were not"),
            Self::FewerThanTotal { total, received } => {
                let total = counted(usize::try_from(*total).unwrap_or(usize::MAX), Noun::Segment);
                write!(
                    f,
                    "the server reports {total} and sent {}",
                    grouped(usize::try_from(*received).unwrap_or(usize::MAX))
                )
            }
            Self::Repeated { count } => {
                write!(f, "{} appeared on more than one page", counted(*count, Noun::Segment))
            }
            Self::MissingKnown { count } => {
                let are = Agreeing::Are.with(*count);
                write!(f, "{} {are} missing from it", counted(*count, Noun::KnownSegment))
            }
            Self::RepeatingPages { pages } => {
                write!(
                    f,
                    "its pages repeat; stopped after {}",
                    counted(usize::try_from(*pages).unwrap_or(usize::MAX), Noun::Page)
                )
            }
            Self::Cut { pages } => {
                write!(f, "stopped after {}", counted(usize::try_from(*pages).unwrap_or(usize::MAX), Noun::Page))
            }
        }
    }
}

/// Something a person should know about the server's data or the local store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Several pages in a row repeated earlier ones, as from a server that ignores the page number. The list ends there.
    PageRepeated {
        /// The page at which the list was ended.
        page: u32,
    },
    /// Entries without an id were in the list; they can't be shown.
    UnreadableEntries {
        /// How many.
        count: u32,
    },
    /// The list was cut at the limit on pages or entries.
    TooManyPages {
        /// Pages received.
        pages: u32,
    },
    /// The list is suspect even though it was loaded again.
    ListIncomplete {
        /// Why.
        suspicion: Suspicion,
    },
    /// The feed no longer contains events that it had before, as after the server was restored from a backup. Everything is
    /// listed again.
    FeedRewound,
    /// A segment can't be read. The others are still followed, and this one is retried now and then.
    SegmentUnreadable {
        /// Why.
        error: RemoteError,
    },
    /// The feed refused the step that was requested, so everything is listed again.
    StepRefused {
        /// The refused step.
        step: Step,
    },
    /// State can't be stored for the next session.
    NotStored {
        /// Why.
        reason: String,
    },
    /// Another program holds the journal of this tenant.
    NotJournalled,
    /// An earlier session left unfinished changes. Their outcome is checked when the server responds.
    LeftOver {
        /// How many.
        count: usize,
    },
    /// Some unfinished changes of an earlier session can't be read.
    JournalUnread {
        /// How many.
        count: usize,
        /// The file that keeps them, in a table of their own.
        file: PathBuf,
    },
    /// The store could not be trusted and was moved aside.
    StoreMovedAside {
        /// Its new path.
        path: PathBuf,
        /// Whether its journal was kept.
        journal_kept: bool,
    },
    /// The feed can't be read, so changes made elsewhere are only found by listing again.
    FeedUnavailable {
        /// Why.
        error: RemoteError,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PageRepeated { page } => {
                write!(f, "Page {page} only repeats earlier ones; the list may be incomplete")
            }
            Self::UnreadableEntries { count } => write!(f, "{count} entries have no ID and can't be shown"),
            Self::TooManyPages { pages } => write!(f, "Stopped after {pages} pages; the list may be incomplete"),
            Self::LeftOver { count } => {
                let changes = counted(*count, Noun::Change);
                write!(f, "Left over from last session: {changes}; checked when the server responds")
            }
            Self::ListIncomplete { suspicion } => {
                write!(f, "The list of segments is incomplete: {suspicion}. What is missing may still exist")
            }
            Self::FeedRewound => {
                f.write_str("The change feed went back to an earlier state; reloading everything to verify")
            }
            Self::SegmentUnreadable { error } => write!(f, "{error}. Its changes aren't shown until it can be read"),
            Self::StepRefused { step } => write!(f, "The change feed no longer has step {step}; reloading everything"),
            Self::NotStored { reason } => write!(f, "Can't save local state: {reason}"),
            Self::NotJournalled => f.write_str(
                "Another segtui is already running for this tenant: unfinished changes in this one won't be remembered",
            ),
            Self::JournalUnread { count, file } => {
                let changes = counted(*count, Noun::PendingChange);
                let file = file.display();
                write!(f, "{changes} of an earlier session can't be read; kept in {file}, table `unreadable`")
            }
            Self::StoreMovedAside { path, journal_kept } => {
                let path = path.display();
                write!(f, "The local cache was damaged (moved to {path}); reloading everything")?;
                if *journal_kept { Ok(()) } else { f.write_str("; pending changes of an earlier session may be in it") }
            }
            Self::FeedUnavailable { error } => write!(f, "Can't follow remote changes: {error}"),
        }
    }
}
