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
use silence::Silence;
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
    Listing(Running),
    /// The feed is read, and the segments that it names are fetched.
    Following,
    /// Nothing is done until then.
    Resting { until: Instant, then: Next },
}

/// A list that is loading.
#[derive(Debug)]
struct Running {
    /// Stops the list.
    stop: CancellationToken,
    /// When progress was last reported to the client.
    progress_told: Option<Instant>,
}

/// What to do after a rest.
#[derive(Debug)]
enum Next {
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
    told: Told,
    /// Failures in a row.
    failures: u32,
    writing: Writing,
    /// `None` if nothing is stored.
    keeper: Option<Persister>,
}

/// The requests, each sent by a task that ends in a [`Report`].
struct Tasks<R> {
    remote: Arc<R>,
    questions: SequenceCounter,
    reports: mpsc::Receiver<Report>,
    reporter: Reporter,
    under_way: JoinSet<()>,
}

/// State of the lists of all segments.
struct Lists {
    last: LastList,
    /// Whether there was a complete list, in this session or in the stored state.
    listed: bool,
    /// Whether the client wants another list as soon as the current work is done.
    reload_wanted: bool,
}

/// What was last reported to the client about the connection.
struct Told {
    /// The phase, other than [`Phase::Silent`].
    phase: Phase,
    silence: Silence,
}

/// Capacity of the report queue.
const REPORTS: usize = 32;
/// Longest pause after failures, and the pause after one that only a person can fix.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Longest `Retry-After` that is honoured.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(600);

impl<R: Remote> Actor<R> {
    pub fn new(
        remote: Arc<R>,
        settings: Settings,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (reporter, reports) = mpsc::channel(REPORTS);
        let questions = SequenceCounter::default();
        let now = Instant::now();
        let last = LastList::none(questions.next(), settings.verify_every, now);
        let (reporter, under_way) = (Reporter::new(reporter), JoinSet::new());
        Self {
            commands,
            events,
            tasks: Tasks { remote, questions, reports, reporter, under_way },
            cache: SegmentCache::default(),
            work: Work::Resting { until: now, then: Next::Locate },
            following: Following::new(settings.poll, now),
            lists: Lists { last, listed: false, reload_wanted: false },
            told: Told { phase: Phase::Starting, silence: Silence::default() },
            failures: 0,
            writing: Writing::default(),
            keeper: None,
            settings: Arc::new(settings),
        }
    }

    /// Runs until the client drops its ends of the queues.
    pub async fn run(mut self) {
        let mut going = self.restore().await;
        while going.is_ok() {
            going = self.step().await;
        }
        // The client's event queue only closes once everything it asked for is in the journal.
        if let Some(keeper) = self.keeper.take() {
            keeper.close().await;
        }
        if let Err(Stopped::ByTask) = going {
            tracing::error!("a task of the sync actor has panicked; the sync actor ends");
        } else {
            tracing::debug!("nobody listens any more; the sync actor ends");
        }
    }

    async fn step(&mut self) -> Result<(), Stopped> {
        let alarm = self.next_alarm();
        tokio::select! {
            command = self.commands.recv() => self.handle_command(command.ok_or(Stopped::ByClient)?).await?,
            Some(report) = self.tasks.reports.recv() => self.on_report(report).await?,
            () = sleep_until(alarm.unwrap_or_else(Instant::now)), if alarm.is_some() => self.wake().await?,
            Some(ended) = self.tasks.under_way.join_next() => {
                // Finished tasks have reported already.
                ended.map_err(|_| Stopped::ByTask)?;
            }
        }
        self.tend_silence().await
    }

    /// When to wake up even if nothing happens.
    fn next_alarm(&mut self) -> Option<Instant> {
        let work = match &self.work {
            // While resting after a failure, an overdue response is not reported.
            Work::Resting { until, .. } => return Some(*until),
            Work::Following => self.plan(Instant::now()).next(),
            Work::Locating | Work::Listing(_) => None,
        };
        work.into_iter().chain(self.told.silence.next_alarm()).min()
    }

    async fn wake(&mut self) -> Result<(), Stopped> {
        match &self.work {
            Work::Resting { until, .. } if *until <= Instant::now() => self.proceed().await,
            Work::Following => self.go_on_following().await,
            _ => Ok(()),
        }
    }

    async fn handle_command(&mut self, command: Command) -> Result<(), Stopped> {
        match command {
            Command::PollNow => {
                self.following.try_all_now();
                match self.work {
                    Work::Resting { .. } => self.proceed().await?,
                    Work::Following => self.go_on_following().await?,
                    Work::Locating | Work::Listing(_) => {}
                }
            }
            Command::Reload => match self.work {
                Work::Following if self.following.is_idle() => self.relist().await?,
                Work::Resting { .. } => self.proceed().await?,
                Work::Following => self.lists.reload_wanted = true,
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
            Report::Page { segments, asked, progress, yielded } => {
                self.told.silence.work_answered();
                let (entries, before) = (segments.len(), self.cache.count_of_list());
                if self.lists.listed {
                    self.cache.take_page(segments, asked);
                } else {
                    let news = self.cache.take_first_page(segments, asked);
                    self.emit(Event::PageReceived(news)).await?;
                }
                let count = self.cache.count_of_list();
                yielded.emit(entries, count - before);
                self.emit_progress(ListProgress { segments: count, ..progress }).await
            }
            Report::FirstPage { segments, asked } => {
                if self.lists.listed || segments.is_empty() {
                    return Ok(());
                }
                let news = self.cache.take_first_page(segments, asked);
                self.emit(Event::PageReceived(news)).await
            }
            Report::Noticed(notice) => self.emit(Event::Noticed(notice)).await,
            Report::ListEnded(listing, None) => self.list_ended(*listing).await,
            Report::ListEnded(listing, Some(Interruption::Failed(error))) => self.list_stopped(listing, error).await,
            Report::ListEnded(listing, Some(Interruption::Asked)) => self.list_paused(listing).await,
            Report::Read(number, result) => self.read(number, result).await,
            Report::Recognised { same, next } => self.recognised(same, next).await,
            Report::Looked { id, mention, result } => self.looked(id, mention, result).await,
            Report::LookedAt(answers) => self.looked_at(answers).await,
            Report::OperationAsks { op, call } => {
                self.told.silence.operation_asks(op, call);
                Ok(())
            }
            Report::OperationAnswered(op) => {
                self.told.silence.operation_answered(op);
                Ok(())
            }
            Report::OperationOver { op, since, evidence, over } => self.operation_over(op, since, evidence, over).await,
            Report::CatchUp(catch_up) => {
                self.catch_up(catch_up);
                Ok(())
            }
            Report::Claimed { claim, reply } => {
                // The asking task may have been stopped.
                let _stopped = reply.send(self.claim(claim));
                Ok(())
            }
            Report::Sought { op, drafts, reply } => {
                let _stopped = reply.send(self.seek(op, &drafts));
                Ok(())
            }
            Report::Made { id, reply } => {
                let _stopped = reply.send(self.existed_before(&id));
                Ok(())
            }
            Report::Investigated(found) => self.investigated(found).await,
        }
    }

    async fn emit(&self, event: Event) -> Result<(), Stopped> {
        self.events.send(event).await.map_err(|_| Stopped::ByClient)
    }

    async fn enter(&mut self, phase: Phase) -> Result<(), Stopped> {
        if phase == self.told.phase && !self.told.silence.is_told() {
            return Ok(());
        }
        if std::mem::discriminant(&phase) != std::mem::discriminant(&self.told.phase) {
            tracing::info!(from = ?self.told.phase, to = ?phase, "phase");
        }
        if phase == Phase::Live {
            self.investigate();
        }
        self.told.silence.broken();
        self.told.phase = phase.clone();
        self.emit(Event::PhaseChanged(phase)).await
    }

    async fn emit_changes(&self, seen: Vec<SegmentChange>, next: Option<Step>) -> Result<(), Stopped> {
        if seen.is_empty() { Ok(()) } else { self.emit(Event::Changed { seen, next }).await }
    }

    fn send_out(&mut self, task: impl Future<Output = Report> + Send + 'static) {
        let reporter = self.tasks.reporter.clone();
        self.tasks.under_way.spawn(async move { reporter.emit(task.await).await });
    }

    /// Continues after a rest.
    async fn proceed(&mut self) -> Result<(), Stopped> {
        match std::mem::replace(&mut self.work, Work::Following) {
            Work::Resting { then: Next::Locate, .. } => self.locate().await,
            Work::Resting { then: Next::List(listing), .. } => self.list(listing).await,
            Work::Resting { then: Next::Follow, .. } => self.follow().await,
            busy @ (Work::Locating | Work::Listing(_) | Work::Following) => {
                self.work = busy;
                Ok(())
            }
        }
    }

    async fn failed(&mut self, error: RemoteError, then: Next) -> Result<(), Stopped> {
        tracing::warn!(%error, "the server can't be followed");
        self.failures += 1;
        let pause = self.pause_after(&error.fault);
        self.work = Work::Resting { until: Instant::now() + pause, then };
        self.stop_waiting_to_catch_up();
        self.give_back_what_waits_for_a_list(&error).await?;
        self.enter(Phase::Offline { error, retry_in: pause }).await
    }

    /// The pause grows with each failure in a row. Failures that only a person can fix are retried rarely.
    fn pause_after(&self, fault: &Fault) -> Duration {
        let growing = self.settings.poll.shortest.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let pause = if fault.is_transient() {
            with_jitter(growing.min(2 * LONGEST_PAUSE)).min(LONGEST_PAUSE)
        } else {
            LONGEST_PAUSE
        };
        fault.retry_after().map_or(pause, |asked_for| asked_for.max(pause).min(LONGEST_ASKED_PAUSE))
    }

    /// Whether the server asked for the current rest.
    fn rests_as_asked(&self) -> bool {
        matches!(&self.told.phase, Phase::Offline { error, .. } if error.fault.retry_after().is_some())
    }

    /// Position to store: everything before it has been applied.
    fn kept_position(&self) -> Option<&Position> {
        self.following.reader.settled.as_ref()
    }

    /// Returns the children of these segments.
    fn children_of(&self, parents: &HashSet<SegmentId>) -> Vec<SegmentId> {
        let below = |segment: &&Arc<crate::segment::Segment>| {
            segment.parent.as_ref().is_some_and(|parent| parents.contains(parent))
        };
        self.cache.segments().filter(below).map(|segment| segment.id.clone()).collect()
    }
}

/// Varies a pause by up to a tenth, so that many clients don't send requests at the same moment.
fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
