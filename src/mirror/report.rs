//! What the actor's tasks tell it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::remote::{FeedEventKind, Position, RemoteError};
use crate::segment::{Segment, SegmentId, Step};

use super::feed::{End, Setback};
use super::ledger::{Answer, Asked};
use super::list::{Interruption, Listing};
use super::message::{ListProgress, Notice, Recovered, Which, WriteError};
use super::write::Ended;

/// Something a task found out.
#[derive(Debug)]
pub(super) enum Report {
    /// Where the feed ends.
    Located(Result<End, RemoteError>),
    /// A page came. How many segments there were so far is not in the progress.
    Page { segments: Vec<Arc<Segment>>, asked: Asked, progress: ListProgress },
    /// Something is odd.
    Noticed(Notice),
    /// The list is complete, or has stopped.
    ListEnded(Box<Listing>, Option<Interruption>),
    /// So many segments were named by the feed and are looked at now.
    LookingAt(usize),
    /// A stretch of the feed was read and looked at.
    Followed(Result<Followed, Lost>),
    /// Segments that were looked at for another reason than the feed.
    LookedAt(Vec<Answer>),
    /// An operation is over. Holds a step of the feed from before it was sent.
    OperationOver { which: Which, since: Option<Step>, result: Result<Ended, WriteError> },
    /// An operation whose answer was lost has found a segment that it may have made.
    Claimed { claim: Claim, reply: oneshot::Sender<bool> },
    /// What an earlier run left was looked into, each with the step of the feed from before it was sent.
    Investigated(Vec<(Recovered, Option<Step>, Option<Answer>)>),
}

/// That an operation may have made a segment.
#[derive(Debug)]
pub(super) struct Claim {
    pub which: Which,
    pub id: SegmentId,
    /// How the feed named it.
    pub kind: FeedEventKind,
    /// Whether the operation was sent before.
    pub doubted: bool,
    /// Whether it is just as it was asked for; if not, nobody else is kept from having made it.
    pub firm: bool,
}

/// What reading a stretch of the feed came to.
#[derive(Debug)]
pub(super) struct Followed {
    pub answers: Vec<Answer>,
    /// Where to go on, when all that was named could be looked at.
    pub next: Result<Position, RemoteError>,
    /// Whether the feed ended there.
    pub ended: bool,
    /// Whether nothing at all happened.
    pub quiet: bool,
    /// Steps back that the feed was seen to take and that mean nothing.
    pub setbacks: Vec<Setback>,
    /// The steps of the longest part that was ever seen.
    pub longest: i64,
}

/// Why the feed could not be followed.
#[derive(Debug)]
pub(super) enum Lost {
    /// A call failed.
    Failed(RemoteError),
    /// The feed was put back to an earlier step than the one that was read already.
    PutBack,
}

/// The tasks' end of the queue to the actor.
#[derive(Debug, Clone)]
pub(super) struct Reporter(mpsc::Sender<Report>);

impl Reporter {
    pub const fn new(sender: mpsc::Sender<Report>) -> Self {
        Self(sender)
    }

    /// Waits until there is room. Without an actor there is nobody to tell, and the task is about to be stopped as well.
    pub async fn tell(&self, report: Report) {
        if self.0.send(report).await.is_err() {
            tracing::debug!("nobody listens to a report any more");
        }
    }
}
