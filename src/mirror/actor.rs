//! The actor: one task that owns what is known, and the tasks it sends out to ask.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::remote::{Remote, RemoteError};
use crate::segment::{SegmentId, Step};

use super::Settings;
use super::feed::{self, End};
use super::ledger::{Answer, Ledger, Questions};
use super::list::Listing;
use super::look::look_at_all;
use super::message::{Command, Event, ListProgress, Notice, Outcome, Phase, Seen, Ticket};
use super::queue::WriteQueue;
use super::report::{Followed, Report, Reporter};
use super::write::{Ended, Writer};

/// The client has gone: there is nobody to work for.
#[derive(Debug)]
struct Abandoned;

/// What the actor is doing apart from writes. Each state carries what it takes to go on from it.
#[derive(Debug)]
enum Work {
    /// A task looks for the end of the feed.
    Locating,
    /// A task lists everything.
    Listing,
    /// A task reads the feed.
    Following,
    /// Nothing is to be done until then.
    Resting { until: Instant, then: Next },
}

/// What is to be done next.
#[derive(Debug)]
enum Next {
    /// Look for the end of the feed, then list everything.
    Locate,
    /// Go on with a list that had stopped.
    List(Box<Listing>),
    /// Read the feed.
    Follow,
}

pub(super) struct Actor<R> {
    remote: Arc<R>,
    settings: Arc<Settings>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    reports: mpsc::Receiver<Report>,
    reporter: Reporter,
    tasks: JoinSet<()>,
    questions: Questions,
    ledger: Ledger,
    /// Where to read on in the feed; `None` before that is known, and for good when there is no feed.
    position: Option<Step>,
    work: Work,
    /// The phase that was told last.
    phase: Phase,
    listed: bool,
    /// Whether the last list may lack segments that were on no page.
    trust: Trust,
    reload_wanted: bool,
    poll_wanted: bool,
    /// Failures in a row.
    failures: u32,
    progress_told: Option<Instant>,
    writes: WriteQueue,
}

/// Whether a list can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The feed since before the list began was not read to its end yet.
    Replaying,
    /// Something happened while it was loading: segments may have slipped from a page that was not read yet to one that was,
    /// and the feed doesn't name those, since nothing happened to them. To be listed again as soon as the feed is quiet.
    Doubtful,
    /// Nothing happened while it was loading.
    Complete,
}

/// Reports that may wait for the actor.
const REPORTS: usize = 32;
/// More segments than these to be looked at are worth telling.
const BACKLOG: usize = 50;
/// The pause between two tellings of how far a list has come.
const PROGRESS: Duration = Duration::from_millis(100);
/// The longest pause after failures, and the pause after one that only a person can mend.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl<R: Remote> Actor<R> {
    pub fn new(
        remote: Arc<R>,
        settings: Settings,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (reporter, reports) = mpsc::channel(REPORTS);
        Self {
            remote,
            settings: Arc::new(settings),
            commands,
            events,
            reports,
            reporter: Reporter::new(reporter),
            tasks: JoinSet::new(),
            questions: Questions::default(),
            ledger: Ledger::default(),
            position: None,
            work: Work::Resting { until: Instant::now(), then: Next::Locate },
            phase: Phase::Starting,
            listed: false,
            trust: Trust::Doubtful,
            reload_wanted: false,
            poll_wanted: false,
            failures: 0,
            progress_told: None,
            writes: WriteQueue::default(),
        }
    }

    /// Works until the client drops its ends of the queues.
    pub async fn run(mut self) {
        while self.step().await.is_ok() {}
        tracing::debug!("nobody listens any more; the mirror ends");
    }

    async fn step(&mut self) -> Result<(), Abandoned> {
        let alarm = match &self.work {
            Work::Resting { until, .. } => Some(*until),
            Work::Locating | Work::Listing | Work::Following => None,
        };
        tokio::select! {
            command = self.commands.recv() => self.obey(command.ok_or(Abandoned)?).await,
            Some(report) = self.reports.recv() => self.hear(report).await,
            () = sleep_until(alarm.unwrap_or_else(Instant::now)), if alarm.is_some() => self.proceed().await,
            // Finished tasks have reported already; a panic in one is reported by the panic hook.
            Some(_) = self.tasks.join_next() => Ok(()),
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), Abandoned> {
        match command {
            Command::PollNow => match self.work {
                Work::Resting { .. } => self.proceed().await?,
                _ => self.poll_wanted = true,
            },
            Command::Reload => match self.work {
                Work::Resting { then: Next::Follow, .. } => self.relist().await?,
                Work::Resting { .. } => self.proceed().await?,
                Work::Following => self.reload_wanted = true,
                Work::Locating | Work::Listing => {}
            },
            Command::Write { ticket, plan } => {
                self.writes.push(ticket, plan);
                self.begin_writes();
            }
        }
        Ok(())
    }

    async fn hear(&mut self, report: Report) -> Result<(), Abandoned> {
        match report {
            Report::Located(result) => self.located(result).await,
            Report::Page { mut segments, progress } => {
                if !self.listed {
                    // What an own write came to was told already, and may be newer than the page.
                    segments.retain(|segment| !self.ledger.knows(&segment.id));
                    self.tell(Event::Gathered(segments)).await?;
                }
                self.tell_progress(progress).await
            }
            Report::Noticed(notice) => self.tell(Event::Noticed(notice)).await,
            Report::ListEnded(listing, None) => self.list_ended(*listing).await,
            Report::ListEnded(listing, Some(error)) => self.list_stopped(listing, error).await,
            Report::LookingAt(waiting) if waiting > BACKLOG => self.enter(Phase::Behind { waiting }).await,
            Report::LookingAt(_) => Ok(()),
            Report::Followed(result) => self.followed(result).await,
            Report::LookedAt(answers) => self.take(answers).await,
            Report::OperationEnded { ticket, index, ended } => self.operation_ended(ticket, index, ended).await,
            Report::WriteEnded { ticket, result } => {
                self.writes.end(ticket);
                self.begin_writes();
                self.tell(Event::WriteEnded { ticket, result }).await
            }
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Abandoned> {
        self.events.send(event).await.map_err(|_| Abandoned)
    }

    async fn enter(&mut self, phase: Phase) -> Result<(), Abandoned> {
        if phase == self.phase {
            return Ok(());
        }
        if std::mem::discriminant(&phase) != std::mem::discriminant(&self.phase) {
            tracing::info!(from = ?self.phase, to = ?phase, "phase");
        }
        self.phase = phase.clone();
        self.tell(Event::PhaseChanged(phase)).await
    }

    fn send_out(&mut self, task: impl Future<Output = Report> + Send + 'static) {
        let reporter = self.reporter.clone();
        self.tasks.spawn(async move { reporter.tell(task.await).await });
    }
}

/// Locating, listing, following.
impl<R: Remote> Actor<R> {
    /// Does what was to be done after the rest.
    async fn proceed(&mut self) -> Result<(), Abandoned> {
        let resting = Work::Resting { until: Instant::now(), then: Next::Locate };
        match std::mem::replace(&mut self.work, resting) {
            Work::Resting { then: Next::Locate, .. } => self.locate().await,
            Work::Resting { then: Next::List(listing), .. } => self.list(listing).await,
            Work::Resting { then: Next::Follow, .. } => self.follow().await,
            busy @ (Work::Locating | Work::Listing | Work::Following) => {
                self.work = busy;
                Ok(())
            }
        }
    }

    async fn locate(&mut self) -> Result<(), Abandoned> {
        self.work = Work::Locating;
        if !self.listed {
            self.enter(Phase::Starting).await?;
        }
        let remote = Arc::clone(&self.remote);
        self.send_out(async move { Report::Located(feed::end(&*remote).await) });
        Ok(())
    }

    async fn located(&mut self, result: Result<End, RemoteError>) -> Result<(), Abandoned> {
        self.position = match result {
            Ok(End::At(step)) => {
                tracing::info!(%step, "the feed ends here");
                Some(step)
            }
            Ok(End::Unavailable(error)) => {
                self.tell(Event::Noticed(Notice::FeedUnavailable { error })).await?;
                None
            }
            Err(error) => return self.failed(error, Next::Locate).await,
        };
        self.relist().await
    }

    /// Lists everything from the beginning. The position in the feed stays where it is, so what happens meanwhile is found.
    async fn relist(&mut self) -> Result<(), Abandoned> {
        self.reload_wanted = false;
        let listing = Box::new(Listing::new(&self.settings, &self.questions));
        self.list(listing).await
    }

    async fn list(&mut self, mut listing: Box<Listing>) -> Result<(), Abandoned> {
        self.work = Work::Listing;
        self.progress_told = None;
        self.tell_progress(listing.progress()).await?;
        let (remote, settings) = (Arc::clone(&self.remote), Arc::clone(&self.settings));
        let (questions, reporter) = (self.questions.clone(), self.reporter.clone());
        self.send_out(async move {
            let result = listing.run(&*remote, &settings, &questions, &reporter).await;
            Report::ListEnded(listing, result.err())
        });
        Ok(())
    }

    async fn tell_progress(&mut self, progress: ListProgress) -> Result<(), Abandoned> {
        if self.progress_told.is_some_and(|told| told.elapsed() < PROGRESS) {
            return Ok(());
        }
        self.progress_told = Some(Instant::now());
        self.enter(Phase::Loading(progress)).await
    }

    async fn list_ended(&mut self, listing: Listing) -> Result<(), Abandoned> {
        self.failures = 0;
        let progress = listing.progress();
        tracing::info!(segments = progress.segments, pages = progress.pages, elapsed = ?progress.elapsed, "listed");
        self.enter(Phase::Loading(progress)).await?;
        let (answers, begun) = listing.finish();
        let segments = self.ledger.take_list(answers, begun);
        self.listed = true;
        self.trust = Trust::Replaying;
        self.tell(Event::Listed { segments }).await?;
        self.enter(Phase::Replaying).await?;
        self.follow().await
    }

    async fn list_stopped(&mut self, listing: Box<Listing>, error: RemoteError) -> Result<(), Abandoned> {
        tracing::warn!(%error, "the list stopped");
        let progress = listing.progress();
        self.failures += 1;
        let pause = self.pause_after(&error);
        self.work = Work::Resting { until: Instant::now() + pause, then: Next::List(listing) };
        self.enter(Phase::Stalled { error, progress }).await
    }

    async fn follow(&mut self) -> Result<(), Abandoned> {
        let Some(from) = self.position else {
            // Without a feed, only another list tells what changed.
            self.work = Work::Resting { until: Instant::now() + self.settings.relist, then: Next::Locate };
            return self.enter(Phase::Live).await;
        };
        self.work = Work::Following;
        self.poll_wanted = false;
        let (remote, settings) = (Arc::clone(&self.remote), Arc::clone(&self.settings));
        let (questions, reporter) = (self.questions.clone(), self.reporter.clone());
        self.send_out(async move {
            let stretch = match feed::stretch(&*remote, from).await {
                Ok(stretch) => stretch,
                Err(error) => return Report::Followed(Err(error)),
            };
            reporter.tell(Report::LookingAt(stretch.named.len())).await;
            let (answers, failure) = look_at_all(&*remote, &questions, stretch.named, settings.concurrency).await;
            let next = failure.map_or(Ok(stretch.next), Err);
            Report::Followed(Ok(Followed { answers, next, ended: stretch.ended, quiet: stretch.quiet }))
        });
        Ok(())
    }

    async fn followed(&mut self, result: Result<Followed, RemoteError>) -> Result<(), Abandoned> {
        let followed = match result {
            Ok(followed) => followed,
            Err(error) if error.fault.rejects_step() => return self.step_refused().await,
            Err(error) => return self.failed(error, Next::Follow).await,
        };
        self.take(followed.answers).await?;
        let next = match followed.next {
            Ok(next) => next,
            Err(error) => return self.failed(error, Next::Follow).await,
        };
        self.failures = 0;
        self.position = Some(next);
        if self.trust == Trust::Replaying && !followed.quiet {
            self.trust = Trust::Doubtful;
        }
        if !followed.ended {
            return self.follow().await;
        }
        if self.trust == Trust::Replaying {
            self.trust = Trust::Complete;
        }
        self.enter(Phase::Live).await?;
        self.tell(Event::Synchronised { next }).await?;
        if self.reload_wanted || (self.trust == Trust::Doubtful && followed.quiet) {
            return self.relist().await;
        }
        let pause = if self.poll_wanted { Duration::ZERO } else { with_jitter(self.settings.poll) };
        self.work = Work::Resting { until: Instant::now() + pause, then: Next::Follow };
        Ok(())
    }

    async fn step_refused(&mut self) -> Result<(), Abandoned> {
        if let Some(step) = self.position {
            self.tell(Event::Noticed(Notice::StepRefused { step })).await?;
        }
        self.locate().await
    }

    async fn failed(&mut self, error: RemoteError, then: Next) -> Result<(), Abandoned> {
        tracing::warn!(%error, "the server can't be followed");
        self.failures += 1;
        let pause = self.pause_after(&error);
        self.work = Work::Resting { until: Instant::now() + pause, then };
        self.enter(Phase::Offline { error, retry_in: pause }).await
    }

    /// Grows with each failure in a row. What only a person can mend is not asked for all the time.
    fn pause_after(&self, error: &RemoteError) -> Duration {
        let growing = self.settings.poll.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let pause = if error.fault.is_transient() { growing.min(LONGEST_PAUSE) } else { LONGEST_PAUSE };
        with_jitter(error.fault.retry_after().map_or(pause, |asked_for| asked_for.max(pause)))
    }

    /// Takes in what was learnt, and tells what is different.
    async fn take(&mut self, answers: Vec<Answer>) -> Result<(), Abandoned> {
        let seen: Vec<Seen> = answers.into_iter().filter_map(|answer| self.ledger.take(answer)).collect();
        if seen.is_empty() { Ok(()) } else { self.tell(Event::Changed(seen)).await }
    }
}

/// A tenth more or less, so that many clients don't ask at the same moment.
fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// Writing.
impl<R: Remote> Actor<R> {
    fn begin_writes(&mut self) {
        while let Some((ticket, plan)) = self.writes.begin(self.settings.concurrency) {
            let writer = Writer {
                remote: Arc::clone(&self.remote),
                questions: self.questions.clone(),
                since: self.position,
                grace: self.settings.grace,
            };
            let reporter = self.reporter.clone();
            self.send_out(async move {
                let result = writer.carry_out(ticket, &plan, &reporter).await;
                if let Err((index, error)) = &result {
                    tracing::warn!(ticket = ticket.0, index, %error, "a write failed");
                }
                Report::WriteEnded { ticket, result }
            });
        }
    }

    async fn operation_ended(&mut self, ticket: Ticket, index: usize, ended: Ended) -> Result<(), Abandoned> {
        let Ended { outcome, answer } = ended;
        let (id, told) = (answer.id.clone(), answer.now.clone());
        self.ledger.take(answer);
        if let Outcome::Deleted(id) = &outcome {
            self.look_at_children_of(id);
        }
        self.tell(Event::OperationEnded { ticket, index, outcome }).await?;
        // Somebody may have changed it again since, and the feed may have been faster than the write.
        let now = self.ledger.get(&id).cloned();
        if now == told {
            return Ok(());
        }
        self.tell(Event::Changed(vec![Seen { id, before: told, now, context: None }])).await
    }

    /// What becomes of the children of a deleted segment is the server's choice, so it is looked at.
    fn look_at_children_of(&mut self, id: &SegmentId) {
        let children = self.ledger.children(id);
        if children.is_empty() {
            return;
        }
        let (remote, questions, at_once) =
            (Arc::clone(&self.remote), self.questions.clone(), self.settings.concurrency);
        self.send_out(async move {
            let children = children.into_iter().map(|child| (child, None)).collect();
            let (answers, failure) = look_at_all(&*remote, &questions, children, at_once).await;
            if let Some(error) = failure {
                tracing::warn!(%error, "could not look what became of the children; the feed will tell");
            }
            Report::LookedAt(answers)
        });
    }
}
