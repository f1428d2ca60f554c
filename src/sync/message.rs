//! What is said to the sync actor and what it says: plain data, so that a screen, a subcommand and a test are equal clients.

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

/// An order to the sync actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask the feed now instead of at the next interval; try again now instead of when the back-off ends. After a page
    /// failed for good, this goes on with the list where it stopped.
    PollNow,
    /// List everything anew behind the tree that is shown.
    Reload,
    /// Stop the very first list. What came stays, and [`Command::PollNow`] resumes it. Ignored during later lists, for which nobody
    /// waits.
    StopListing,
    /// Write into the journal, before anything that is asked for later. What is queued is looked out for from then on: who else
    /// creates something like it, and what comes below what is to be deleted.
    Journal(Vec<JournalEntry>),
    /// Execute an operation now. Ends in one [`Event::Executed`].
    Execute(Box<Execution>),
}

/// What the sync actor has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The actor is in another phase.
    PhaseChanged(Phase),
    /// The segments that an earlier run has stored. Reported before the server is asked anything.
    Restored {
        /// Every segment as it was then, in a tree already, so that whoever shows it can do so at once.
        forest: Box<Forest>,
        /// When that was known to be what is on the server.
        saved: Timestamp,
    },
    /// Pages of the very first list, as they come. A segment may be reported more than once.
    PageReceived(Vec<Arc<Segment>>),
    /// A list is complete. What was told before and these differences come to what it has, and to what it lacks: that is told as
    /// changed when it is certain that it is gone.
    Listed {
        /// Differences between the list and what was reported before; none for the first list, which was reported page by page.
        different: Vec<SegmentChange>,
    },
    /// Something changed, to be applied at once. Own writes that come back through the feed are not in it.
    Changed {
        /// What, one entry a segment.
        seen: Vec<SegmentChange>,
        /// The step from which on nothing more is missed once these are taken in; `None` when it was not the feed that told.
        next: Option<Step>,
    },
    /// The feed was read to its end: what was told so far is what is on the server.
    Synchronised {
        /// The step that will be asked next.
        next: Step,
        /// Whether the last list can be relied on. If not, something happened while it was loading, segments may have slipped
        /// from page to page unseen, and everything will be listed once more.
        complete: bool,
        /// What speaks against the last lists, where listing again did not help: segments may be missing.
        lacking: Option<Suspicion>,
    },
    /// Everything was listed again and compared. The differences are reported as changes or with the list. Only reported when the
    /// tree was complete before.
    Verified {
        /// Differences that the feed never reported; none if all is well.
        missed: Vec<SegmentChange>,
    },
    /// An operation has come to something.
    Executed {
        /// Its id.
        op: OpId,
        /// What it has come to.
        result: Box<ExecutionResult>,
    },
    /// The server has answered something since an operation could not reach it, so what is queued can be executed again.
    ServerAnswers,
    /// What an earlier run of the program left undone, and what has become of it. Told before anything is written. What was not
    /// carried out is held back.
    Recovered(Vec<Recovered>),
    /// Something a person should know that is no phase and no change.
    Noticed(Notice),
}

/// A segment that is now another one than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentChange {
    /// Which segment.
    pub id: SegmentId,
    /// What it was as far as was known.
    pub before: Option<Arc<Segment>>,
    /// What it is now, `None` when it is gone.
    pub now: Option<Arc<Segment>>,
    /// How the feed named it, where it was the feed that did.
    pub mention: FeedSource,
}

/// How the feed named a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeedSource {
    /// What it said first had happened to it; `None` when it was not the feed that led there.
    pub kind: Option<FeedEventKind>,
    /// Who made it happen, where the feed is asked for each context by itself.
    pub contexts: Contexts,
}

/// The sync actor's relation to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Looking for the present end of the feed.
    Starting,
    /// Listing everything for the first time.
    Loading(ListProgress),
    /// Listing everything again behind the tree that is known, which is replaced at once when the list is complete.
    Resyncing(ListProgress),
    /// Catching up with what happened while the list was loading.
    Replaying,
    /// Following the feed, which was read to its end at the last poll.
    Live,
    /// The feed answers, but more happened than was fetched yet.
    Behind {
        /// How many segments are still to be looked at.
        waiting: usize,
    },
    /// Something was asked of the server, and no answer has come for a while. It is waited for.
    Silent {
        /// What was asked.
        call: Call,
        /// How long it has been waited for when this is told.
        since: Duration,
    },
    /// The last call failed; tries again by itself.
    Offline {
        /// What failed.
        error: RemoteError,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// A page of the list failed: what came is kept, and it goes on by itself, or with [`Command::PollNow`].
    Stalled {
        /// What failed.
        error: RemoteError,
        /// How long until it goes on.
        retry_in: Duration,
        /// How far the list got.
        progress: ListProgress,
    },
    /// The client has stopped the first list: what came is kept, and [`Command::PollNow`] goes on.
    Paused(ListProgress),
}

/// How far a list has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListProgress {
    /// Segments that came.
    pub segments: usize,
    /// Pages that came.
    pub pages: u32,
    /// Since the list began.
    pub elapsed: Duration,
    /// How many segments there are in all, where the server says so.
    pub total: Option<u64>,
}

/// What speaks against a list: that it has everything is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// A page came empty although later ones did not.
    EmptyPage {
        /// The page.
        page: u32,
    },
    /// The server says that there are more segments than came.
    FewerThanTotal {
        /// How many it says there are.
        total: u64,
        /// How many came.
        came: u64,
    },
    /// The same segments came in several pages although nothing had changed: the order is not the same for each page, so others
    /// may have come in none.
    Repeated {
        /// How many.
        count: usize,
    },
    /// It lacks so many segments that are known that it is more likely at fault than they.
    Lacks {
        /// How many.
        count: usize,
    },
    /// Its last pages had nothing that earlier ones had not had.
    Fruitless {
        /// How many pages came.
        pages: u32,
    },
    /// There are more pages than are asked for.
    Cut {
        /// How many came.
        pages: u32,
    },
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPage { page } => write!(f, "page {page} was empty although later pages were not"),
            Self::FewerThanTotal { total, came } => {
                let total = counted(usize::try_from(*total).unwrap_or(usize::MAX), Noun::Segment);
                write!(
                    f,
                    "the server reports {total} and sent {}",
                    grouped(usize::try_from(*came).unwrap_or(usize::MAX))
                )
            }
            Self::Repeated { count } => {
                write!(f, "{} appeared on more than one page", counted(*count, Noun::Segment))
            }
            Self::Lacks { count } => {
                let are = Agreeing::Are.with(*count);
                write!(f, "{} {are} missing from it", counted(*count, Noun::KnownSegment))
            }
            Self::Fruitless { pages } => {
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

/// What a person should know about the server's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The server ignores the page number; what it sent once is all there is to have.
    PageRepeated {
        /// The page that was the same as an earlier one.
        page: u32,
    },
    /// Entries without an id were in the list; they can't be shown.
    UnreadableEntries {
        /// How many.
        count: u32,
    },
    /// More pages came than any tenant has; the list was cut there.
    TooManyPages {
        /// The ceiling.
        pages: u32,
    },
    /// Something speaks against the list even though it was loaded again.
    ListIncomplete {
        /// What.
        suspicion: Suspicion,
    },
    /// The feed no longer tells what it told before, as that of a server which was put back to an earlier state: everything is
    /// listed again.
    FeedWentBack,
    /// A segment can't be read. The others are followed all the same, and it is tried again now and then.
    SetApart {
        /// Why.
        error: RemoteError,
    },
    /// The feed refused the step it was asked from, so everything is listed anew.
    StepRefused {
        /// That step.
        step: Step,
    },
    /// Nothing can be kept for the next start.
    NotStored {
        /// Why.
        reason: String,
    },
    /// Another program has the journal of this tenant.
    NotJournalled,
    /// An earlier session left changes undone. What became of them is looked into when the server answers.
    LeftOver {
        /// How many.
        count: usize,
    },
    /// Some changes that an earlier session left undone can't be read.
    JournalUnread {
        /// How many.
        count: usize,
        /// The file in which they are kept, apart from the others.
        file: PathBuf,
    },
    /// What was stored could not be trusted.
    StoreMovedAside {
        /// Where it is now.
        path: PathBuf,
        /// Whether the pending changes that were stored in it go on.
        journal_kept: bool,
    },
    /// The feed can't be read, so changes made elsewhere are found by listing again only.
    FeedUnavailable {
        /// Why.
        error: RemoteError,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PageRepeated { page } => {
                write!(f, "Page {page} arrived twice; the list may be incomplete")
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
            Self::FeedWentBack => {
                f.write_str("The change feed went back to an earlier state; reloading everything to verify")
            }
            Self::SetApart { error } => write!(f, "{error}. Its changes aren't shown until it can be read"),
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
