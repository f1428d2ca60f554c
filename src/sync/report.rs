//! Messages and questions from the actor's tasks to the actor.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::remote::{Call, FeedEventKind, Landmark, RemoteError};
use crate::segment::{Draft, Segment, SegmentId, Step};

use super::feed::{FeedEnd, Part};
use super::hearing::EventMark;
use super::list::{Interruption, ListRun, PageYield};
use super::message::{FeedSource, ListProgress, Notice};
use super::segment_cache::{Fetched, RequestSeq};
use super::write::Completion;
use crate::changes::{Evidence, OpId, Recovered};

/// A message from a task.
#[derive(Debug)]
pub(super) enum Report {
    /// The end of the feed.
    Located(Result<FeedEnd, RemoteError>),
    /// A page of a list. The segment count in `progress` is not filled in.
    Page { segments: Vec<Arc<Segment>>, seq: RequestSeq, progress: ListProgress, page_yield: PageYield },
    /// The first page, requested before anything else so that there is something to show.
    FirstPage { segments: Vec<Arc<Segment>>, seq: RequestSeq },
    /// A notice for the client.
    Noticed(Notice),
    /// The list is complete or was interrupted.
    ListEnded(Box<ListRun>, Option<Interruption>),
    /// A part of the feed, from the read with this number.
    Read(u64, Result<Part, RemoteError>),
    /// Whether the feed still contains the events at its landmarks, and the landmarks to check next time.
    FeedVerified { is_same: Result<bool, RemoteError>, next: Vec<Landmark> },
    /// The result of fetching a segment that the feed named.
    FetchEnded { id: SegmentId, feed_source: FeedSource, result: Result<Fetched, RemoteError> },
    /// Segments that were fetched for a reason other than the feed.
    BatchFetched(Vec<Fetched>),
    /// An operation sent a request.
    OperationRequestStarted { op: OpId, call: Call },
    /// The operation's request got its response.
    OperationRequestEnded(OpId),
    /// An operation ended or waits for the server. `since` is a step of the feed from before it was sent.
    OperationEnded { op: OpId, since: Option<Step>, evidence: Option<Evidence>, completion: Completion },
    /// An operation asks what the feed says up to now.
    CatchUp(CatchUp),
    /// An operation whose response was lost has found a segment that it may have created.
    Claim { claim: Claim, reply: oneshot::Sender<bool> },
    /// An operation searches for segments that it may have created.
    FindCandidates { op: OpId, drafts: Vec<Draft>, reply: oneshot::Sender<Vec<SegmentId>> },
    /// An operation's create was answered with this id; it asks for the segment if that existed before.
    CheckExisting { id: SegmentId, reply: oneshot::Sender<Option<Arc<Segment>>> },
    /// The outcomes of operations that an earlier session left.
    Investigated(Vec<(Recovered, Vec<Fetched>)>),
}

/// A request of an operation for what the feed says up to now.
#[derive(Debug)]
pub(super) struct CatchUp {
    pub op: OpId,
    pub query: Option<EventQuery>,
    pub reply: oneshot::Sender<FeedState>,
}

/// A segment that was written, and whose events are asked for.
#[derive(Debug)]
pub(super) struct EventQuery {
    pub id: SegmentId,
    /// Mark after which events count.
    pub since: EventMark,
    /// How often the segment was written since.
    pub own_writes: usize,
}

/// The feed up to now, as far as an operation needs it.
#[derive(Debug, Clone, Default)]
pub(super) struct FeedState {
    /// Mark up to which the feed was read; `None` if it could not be read.
    pub mark: Option<EventMark>,
    /// Kinds of the events that named the segment in question.
    pub event_kinds: Vec<FeedEventKind>,
    /// Whether there are more events than the own writes account for.
    pub has_other_writer: bool,
    /// Children of the segment to be deleted that the delete does not include.
    pub new_children: Vec<SegmentId>,
    /// Some of the segments that the feed named and that were not fetched since.
    pub unfetched: Vec<SegmentId>,
}

/// A claim that an operation created a segment.
#[derive(Debug)]
pub(super) struct Claim {
    pub op: OpId,
    pub id: SegmentId,
    /// Kind of the event that named the segment; `None` if it was not found in the feed.
    pub kind: Option<FeedEventKind>,
    /// Whether the operation was sent before.
    pub was_sent: bool,
    /// Whether the segment is exactly what the operation asked for; if not, other operations may still claim it.
    pub is_exact: bool,
}

/// The tasks' end of the report queue.
#[derive(Debug, Clone)]
pub(super) struct Reporter(mpsc::Sender<Report>);

impl Reporter {
    pub const fn new(sender: mpsc::Sender<Report>) -> Self {
        Self(sender)
    }

    /// Waits until there is room. Without an actor, the report is dropped; the task is about to be stopped as well.
    pub async fn emit(&self, report: Report) {
        if self.0.send(report).await.is_err() {
            tracing::debug!("nobody listens to a report any more");
        }
    }

    /// Asks the actor; `None` if it has ended.
    pub async fn request<T>(&self, make_report: impl FnOnce(oneshot::Sender<T>) -> Report) -> Option<T> {
        let (reply, receiver) = oneshot::channel();
        self.emit(make_report(reply)).await;
        receiver.await.ok()
    }
}
