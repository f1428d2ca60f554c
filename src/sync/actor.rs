//! The actor: one task that owns the state, and the tasks it spawns to send requests.
//!
//! Apart from writes it does one [`Work`] at a time: it locates the end of the feed, lists, follows, or rests until it
//! retries. Each request is sent by a task that ends in a [`Report`]; the actor itself waits for nothing but the next
//! command, report or alarm. A task that panics ends the actor in an orderly way: what the client asked for is in the
//! journal.

mod following;
mod listing;
mod restoring;
mod silence;
mod writing;

use std::sync::Arc;

use hashbrown::HashSet;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::remote::{Fault, Position, Remote, RemoteError};
use crate::segment::{SegmentId, Step};

use super::Settings;
use super::list::{Interruption, ListRun};
use super::message::{Command, Event, ListProgress, Phase, SegmentChange};
use super::persister::Persister;
use super::report::{Report, Reporter};
use super::segment_cache::{SegmentCache, SequenceCounter};
use following::Following;
use listing::LastList;
use silence::PendingRequests;
use writing::Writing;

/// Why the actor stops.
#[derive(Debug)]
enum Stopped {
    /// The client has dropped its end of a queue.
    ByClient,
    /// A task has panicked, so the state may be inconsistent.
    ByTask,
}

/// What the actor is doing apart from writes. Each state carries what is needed to continue from it.
#[derive(Debug)]
enum Work {
    /// A task searches for the end of the feed.
    Locating,
    /// A task lists everything.
    Listing(RunningList),
    /// The feed is read, and the segments that it names are fetched.
    Following,
    /// Nothing is done until then.
    Resting { until: Instant, then: NextWork },
}

/// A list that is loading.
#[derive(Debug)]
struct RunningList {
    /// Stops the list.
    stop: CancellationToken,
    /// When progress was last reported to the client.
    progress_emitted_at: Option<Instant>,
}

/// What to do after a rest.
#[derive(Debug)]
enum NextWork {
    /// Locate the end of the feed, then list everything.
    Locate,
    /// Resume a list that was interrupted.
    List(Box<ListRun>),
    /// Read the feed.
    Follow,
}

pub(super) struct Actor<R> {
    settings: Arc<Settings>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    tasks: Tasks<R>,
    cache: SegmentCache,
    work: Work,
    following: Following,
    lists: Lists,
    connection: ConnectionState,
    /// Failures in a row.
    failures: u32,
    writing: Writing,
    /// `None` if nothing is stored.
    persister: Option<Persister>,
}

/// The requests, each sent by a task that ends in a [`Report`].
struct Tasks<R> {
    remote: Arc<R>,
    sequence: SequenceCounter,
    reports: mpsc::Receiver<Report>,
    reporter: Reporter,
    running: JoinSet<()>,
}

/// State of the lists of all segments.
struct Lists {
    last: LastList,
    /// Whether there was a complete list, in this session or in the stored state.
    listed: bool,
    /// Whether the client wants another list as soon as the current work is done.
    reload_pending: bool,
}

/// What was last reported to the client about the connection.
struct ConnectionState {
    /// The phase, other than [`Phase::Silent`].
    phase: Phase,
    pending_requests: PendingRequests,
}

/// Capacity of the report queue.
const REPORT_QUEUE_CAPACITY: usize = 32;
/// Longest pause after failures, and the pause after one that only a person can fix.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

impl<R: Remote> Actor<R> {
    pub fn new(
        remote: Arc<R>,
        settings: Settings,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (reporter, reports) = mpsc::channel(REPORT_QUEUE_CAPACITY);
        let sequence = SequenceCounter::default();
        let now = Instant::now();
        let last = LastList::none(sequence.next(), settings.verify_every, now);
        let (reporter, running) = (Reporter::new(reporter), JoinSet::new());
        Self {
            commands,
            events,
            tasks: Tasks { remote, sequence, reports, reporter, running },
            cache: SegmentCache::default(),
            work: Work::Resting { until: now, then: NextWork::Locate },
            following: Following::new(settings.poll, now),
            lists: Lists { last, listed: false, reload_pending: false },
            connection: ConnectionState { phase: Phase::Starting, pending_requests: PendingRequests::default() },
            failures: 0,
            writing: Writing::default(),
            persister: None,
            settings: Arc::new(settings),
        }
    }

    /// Runs until the client drops its ends of the queues.
    pub async fn run(mut self) {
        let mut result = self.restore().await;
        while result.is_ok() {
            result = self.step().await;
        }
        // The client's event queue only closes once everything it asked for is in the journal.
        if let Some(persister) = self.persister.take() {
            persister.close().await;
        }
        if let Err(Stopped::ByTask) = result {
            tracing::error!("a task of the sync actor has panicked; the sync actor ends");
        } else {
            tracing::debug!("nobody listens any more; the sync actor ends");
        }
    }

    async fn step(&mut self) -> Result<(), Stopped> {
        let wakeup = self.next_wakeup();
        tokio::select! {
            command = self.commands.recv() => self.handle_command(command.ok_or(Stopped::ByClient)?).await?,
            Some(report) = self.tasks.reports.recv() => self.on_report(report).await?,
            () = sleep_until(wakeup.unwrap_or_else(Instant::now)), if wakeup.is_some() => self.on_wakeup().await?,
            Some(ended) = self.tasks.running.join_next() => {
                // Finished tasks have reported already.
                ended.map_err(|_| Stopped::ByTask)?;
            }
        }
        self.check_overdue().await
    }

    /// When to wake up even if nothing happens.
    fn next_wakeup(&mut self) -> Option<Instant> {
        let work = match &self.work {
            // While resting after a failure, an overdue response is not reported.
            Work::Resting { until, .. } => return Some(*until),
            Work::Following => self.plan(Instant::now()).next(),
            Work::Locating | Work::Listing(_) => None,
        };
        work.into_iter().chain(self.connection.pending_requests.next_deadline()).min()
    }

    async fn on_wakeup(&mut self) -> Result<(), Stopped> {
        match &self.work {
            Work::Resting { until, .. } if *until <= Instant::now() => self.resume().await,
            Work::Following => self.continue_following().await,
            _ => Ok(()),
        }
    }

    async fn handle_command(&mut self, command: Command) -> Result<(), Stopped> {
        match command {
            Command::PollNow => {
                self.following.retry_all_now();
                match self.work {
                    Work::Resting { .. } => self.resume().await?,
                    Work::Following => self.continue_following().await?,
                    Work::Locating | Work::Listing(_) => {}
                }
            }
            Command::Reload => match self.work {
                Work::Following if self.following.is_idle() => self.relist().await?,
                Work::Resting { .. } => self.resume().await?,
                Work::Following => self.lists.reload_pending = true,
                Work::Locating | Work::Listing(_) => {}
            },
            Command::StopListing if !self.lists.listed => self.stop_list(),
            Command::StopListing => {}
            Command::Journal(entries) => self.journal_from_client(entries).await,
            Command::Execute(execution) => self.execute(*execution).await?,
        }
        Ok(())
    }

    async fn on_report(&mut self, report: Report) -> Result<(), Stopped> {
        match report {
            Report::Located(result) => self.located(result).await,
            Report::Page { segments, seq, progress, page_yield } => {
                self.connection.pending_requests.work_progressed();
                let (entries, before) = (segments.len(), self.cache.listed_count());
                if self.lists.listed {
                    self.cache.stage_page(segments, seq);
                } else {
                    let updated = self.cache.apply_page(segments, seq);
                    self.emit(Event::PageReceived(updated)).await?;
                }
                let count = self.cache.listed_count();
                page_yield.record(entries, count - before);
                self.emit_progress(ListProgress { segments: count, ..progress }).await
            }
            Report::FirstPage { segments, seq } => {
                if self.lists.listed || segments.is_empty() {
                    return Ok(());
                }
                let updated = self.cache.apply_page(segments, seq);
                self.emit(Event::PageReceived(updated)).await
            }
            Report::Noticed(notice) => self.emit(Event::Noticed(notice)).await,
            Report::ListEnded(listing, None) => self.list_ended(*listing).await,
            Report::ListEnded(listing, Some(Interruption::Failed(error))) => self.list_failed(listing, error).await,
            Report::ListEnded(listing, Some(Interruption::Cancelled)) => self.list_paused(listing).await,
            Report::Read(number, result) => self.read_ended(number, result).await,
            Report::FeedVerified { is_same, next } => self.feed_verified(is_same, next).await,
            Report::FetchEnded { id, feed_source, result } => self.fetch_ended(id, feed_source, result).await,
            Report::BatchFetched(responses) => self.batch_fetched(responses).await,
            Report::OperationRequestStarted { op, call } => {
                self.connection.pending_requests.operation_request_started(op, call);
                Ok(())
            }
            Report::OperationRequestEnded(op) => {
                self.connection.pending_requests.operation_request_ended(op);
                Ok(())
            }
            Report::OperationEnded { op, since, evidence, completion } => {
                self.operation_ended(op, since, evidence, completion).await
            }
            Report::CatchUp(catch_up) => {
                self.catch_up(catch_up);
                Ok(())
            }
            Report::Claim { claim, reply } => {
                // The asking task may have been stopped.
                let _stopped = reply.send(self.claim(claim));
                Ok(())
            }
            Report::FindCandidates { op, drafts, reply } => {
                let _stopped = reply.send(self.find_candidates(op, &drafts));
                Ok(())
            }
            Report::CheckExisting { id, reply } => {
                let _stopped = reply.send(self.existed_before(&id));
                Ok(())
            }
            Report::Investigated(found) => self.investigated(found).await,
        }
    }

    async fn emit(&self, event: Event) -> Result<(), Stopped> {
        self.events.send(event).await.map_err(|_| Stopped::ByClient)
    }

    async fn enter_phase(&mut self, phase: Phase) -> Result<(), Stopped> {
        if phase == self.connection.phase && !self.connection.pending_requests.is_overdue_reported() {
            return Ok(());
        }
        if std::mem::discriminant(&phase) != std::mem::discriminant(&self.connection.phase) {
            tracing::info!(from = ?self.connection.phase, to = ?phase, "phase");
        }
        if phase == Phase::Live {
            self.investigate();
        }
        self.connection.pending_requests.clear_reported();
        self.connection.phase = phase.clone();
        self.emit(Event::PhaseChanged(phase)).await
    }

    async fn emit_changes(&self, seen: Vec<SegmentChange>, next: Option<Step>) -> Result<(), Stopped> {
        if seen.is_empty() { Ok(()) } else { self.emit(Event::Changed { seen, next }).await }
    }

    fn spawn_task(&mut self, task: impl Future<Output = Report> + Send + 'static) {
        let reporter = self.tasks.reporter.clone();
        self.tasks.running.spawn(async move { reporter.emit(task.await).await });
    }

    /// Continues after a rest.
    async fn resume(&mut self) -> Result<(), Stopped> {
        match std::mem::replace(&mut self.work, Work::Following) {
            Work::Resting { then: NextWork::Locate, .. } => self.locate().await,
            Work::Resting { then: NextWork::List(listing), .. } => self.list(listing).await,
            Work::Resting { then: NextWork::Follow, .. } => self.follow().await,
            busy @ (Work::Locating | Work::Listing(_) | Work::Following) => {
                self.work = busy;
                Ok(())
            }
        }
    }

    async fn failed(&mut self, error: RemoteError, then: NextWork) -> Result<(), Stopped> {
        tracing::warn!(%error, "the server can't be followed");
        self.failures += 1;
        let pause = self.backoff_after(&error.fault);
        self.work = Work::Resting { until: Instant::now() + pause, then };
        self.abort_catch_ups();
        self.requeue_resends(&error).await?;
        self.enter_phase(Phase::Offline { error, retry_in: pause }).await
    }

    /// The pause grows with each failure in a row. Failures that only a person can fix are retried rarely.
    fn backoff_after(&self, fault: &Fault) -> Duration {
        let growing = self.settings.poll.shortest.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let pause =
            if fault.is_transient() { with_jitter(growing.min(2 * MAX_BACKOFF)).min(MAX_BACKOFF) } else { MAX_BACKOFF };
        fault.retry_after().map_or(pause, |retry_after| retry_after.max(pause).min(MAX_RETRY_AFTER))
    }

    /// Whether the server asked for the current rest.
    fn is_waiting_for_retry_after(&self) -> bool {
        matches!(&self.connection.phase, Phase::Offline { error, .. } if error.fault.retry_after().is_some())
    }

    /// Position to store: everything before it has been applied.
    fn position_to_store(&self) -> Option<&Position> {
        self.following.reader.settled.as_ref()
    }

    /// Returns the children of these segments.
    fn children_of(&self, parents: &HashSet<SegmentId>) -> Vec<SegmentId> {
        let is_child = |segment: &&Arc<crate::segment::Segment>| {
            segment.parent.as_ref().is_some_and(|parent| parents.contains(parent))
        };
        self.cache.segments().filter(is_child).map(|segment| segment.id.clone()).collect()
    }
}

/// Varies a pause by up to a tenth, so that many clients don't send requests at the same moment.
fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
