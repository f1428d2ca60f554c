//! What the actor's tasks tell it, and what they ask it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::remote::{Call, FeedEventKind, Landmark, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};

use super::feed::{End, Part};
use super::hearing::Heard;
use super::list::{Interruption, ListRun, Yield};
use super::message::{FeedSource, ListProgress, Notice};
use super::segment_cache::{Fetched, RequestSeq};
use super::write::Over;
use crate::changes::{Evidence, OpId, Recovered};

/// Something a task found out.
#[derive(Debug)]
pub(super) enum Report {
    /// Where the feed ends.
    Located(Result<End, RemoteError>),
    /// A page of a list came. How many segments there were so far is not in the progress.
    Page { segments: Vec<Arc<Segment>>, asked: RequestSeq, progress: ListProgress, yielded: Yield },
    /// The first page, asked for before anything else so that there is something to see.
    FirstPage { segments: Vec<Arc<Segment>>, asked: RequestSeq },
    /// Something is odd.
    Noticed(Notice),
    /// The list is complete, or has stopped.
    ListEnded(Box<ListRun>, Option<Interruption>),
    /// A part of the feed was read, by the read of this number.
    Read(u64, Result<Part, RemoteError>),
    /// Whether the feed still tells what it told, and how it is recognised from then on.
    Recognised { same: Result<bool, RemoteError>, next: Vec<Landmark> },
    /// A segment that the feed had named was looked at.
    Looked { id: SegmentId, mention: FeedSource, result: Result<Fetched, RemoteError> },
    /// Segments that were looked at for another reason than the feed.
    LookedAt(Vec<Fetched>),
    /// An operation asks something of the server.
    OperationAsks { op: OpId, call: Call },
    /// And has its answer.
    OperationAnswered(OpId),
    /// An operation is over, or waits for the server. Holds a step of the feed from before it was sent.
    OperationOver { op: OpId, since: Option<Step>, evidence: Option<Evidence>, over: Over },
    /// An operation wants to know what the feed says up to now.
    CatchUp(CatchUp),
    /// An operation whose answer was lost has found a segment that it may have made.
    Claimed { claim: Claim, reply: oneshot::Sender<bool> },
    /// An operation looks for segments that it may have made.
    Sought { op: OpId, drafts: Vec<Draft>, reply: oneshot::Sender<Vec<SegmentId>> },
    /// An operation was answered with this id for what it created, and asks for the segment if it existed before.
    Made { id: SegmentId, reply: oneshot::Sender<Option<Arc<Segment>>> },
    /// What an earlier session left was looked into.
    Investigated(Vec<(Recovered, Vec<Fetched>)>),
}

/// That an operation wants to know what the feed says up to now.
#[derive(Debug)]
pub(super) struct CatchUp {
    pub op: OpId,
    pub about: Option<About>,
    pub reply: oneshot::Sender<Caught>,
}

/// A segment that was written, and whose namings matter.
#[derive(Debug)]
pub(super) struct About {
    pub id: SegmentId,
    /// Since when they matter.
    pub since: Heard,
    /// How often it was written since.
    pub sends: usize,
}

/// What the feed says up to now.
#[derive(Debug, Clone, Default)]
pub(super) struct Caught {
    /// Up to where it was heard; `None` when it could not be read.
    pub up_to: Option<Heard>,
    /// How the segment was named that was asked about.
    pub namings: Vec<FeedEventKind>,
    /// Whether these are more than one own write accounts for.
    pub somebody_else: bool,
    /// What stands below the segment of a deletion and nobody has agreed to lose.
    pub newcomers: Vec<SegmentId>,
    /// Some of the segments that the feed has named and nobody has looked at.
    pub unseen: Vec<SegmentId>,
}

/// That an operation may have made a segment.
#[derive(Debug)]
pub(super) struct Claim {
    pub op: OpId,
    pub id: SegmentId,
    /// How the feed named it, where it did.
    pub kind: Option<FeedEventKind>,
    /// Whether the operation was sent before.
    pub doubted: bool,
    /// Whether it is just as it was asked for; if not, nobody else is kept from having made it.
    pub firm: bool,
}

/// The tasks' end of the queue to the actor.
#[derive(Debug, Clone)]
pub(super) struct Reporter(mpsc::Sender<Report>);

impl Reporter {
    pub const fn new(sender: mpsc::Sender<Report>) -> Self {
        Self(sender)
    }

    /// Waits until there is room. Without an actor there is nobody to tell, and the task is about to be stopped as well.
    pub async fn emit(&self, report: Report) {
        if self.0.send(report).await.is_err() {
            tracing::debug!("nobody listens to a report any more");
        }
    }

    /// Asks the actor; `None` without one.
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Report) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.emit(question(reply)).await;
        answer.await.ok()
    }
}
