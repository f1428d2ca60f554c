//! The actor: one task that owns what is known, and the tasks it sends out to ask.

mod following;
mod restoring;
mod writing;

use std::sync::Arc;

use hashbrown::HashSet;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::remote::{Position, Remote};
use crate::segment::{SegmentId, Step};

use super::Settings;
use super::feed::Setback;
use super::keeper::Keeper;
use super::ledger::{Asked, Ledger, Questions};
use super::list::{Interruption, Listing};
use super::message::{Command, Event, ListProgress, Phase, Seen};
use super::report::{Report, Reporter};
use writing::Writing;

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
    position: Option<Position>,
    /// Whether the position was found just now, and the feed not read from it yet.
    position_untried: bool,
    /// Steps back that the feed was seen to take and that mean nothing.
    setbacks: Vec<Setback>,
    /// The steps of the longest part of the feed that came.
    longest_part: i64,
    /// The pause before the next look at the feed.
    pause: Duration,
    /// Whether the feed was read to its end once.
    synchronised: bool,
    work: Work,
    /// The phase that was told last.
    phase: Phase,
    listed: bool,
    /// Stops the list under way.
    stop_listing: CancellationToken,
    last_list: LastList,
    wanted: Wanted,
    /// Failures in a row.
    failures: u32,
    progress_told: Option<Instant>,
    writing: Writing,
    /// `None` when nothing is kept.
    keeper: Option<Keeper>,
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

/// What is known of the last list.
#[derive(Debug)]
struct LastList {
    trust: Trust,
    absent: Absent,
    /// What it has otherwise than it was known, when that could be relied on; the feed may name it yet.
    different: Option<Vec<Seen>>,
    /// What the feed has named since it began.
    named: HashSet<SegmentId>,
    /// When a doubtful list is repeated at the latest.
    repeat_after: Instant,
    /// When everything is listed again to compare.
    verify_after: Option<Instant>,
}

/// What the client asked for while something else was being done.
#[derive(Debug, Default)]
struct Wanted {
    reload: bool,
    poll: bool,
}

/// Known segments that a list lacks, and the question with which the list began.
#[derive(Debug)]
struct Absent {
    ids: Vec<SegmentId>,
    begun: Asked,
}

impl Absent {
    fn take(&mut self) -> Vec<SegmentId> {
        std::mem::take(&mut self.ids)
    }
}

/// Reports that may wait for the actor.
const REPORTS: usize = 32;
/// More segments than these to be looked at are worth telling.
const BACKLOG: usize = 50;

impl<R: Remote> Actor<R> {
    pub fn new(
        remote: Arc<R>,
        settings: Settings,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (reporter, reports) = mpsc::channel(REPORTS);
        let questions = Questions::default();
        let pause = settings.poll.shortest;
        let absent = Absent { ids: Vec::new(), begun: questions.next() };
        Self {
            remote,
            commands,
            events,
            reports,
            reporter: Reporter::new(reporter),
            tasks: JoinSet::new(),
            last_list: LastList {
                trust: Trust::Doubtful,
                absent,
                different: None,
                named: HashSet::new(),
                repeat_after: Instant::now(),
                verify_after: settings.verify_every.map(|pause| Instant::now() + pause),
            },
            wanted: Wanted::default(),
            settings: Arc::new(settings),
            questions,
            ledger: Ledger::default(),
            position: None,
            position_untried: false,
            setbacks: Vec::new(),
            longest_part: 0,
            pause,
            synchronised: false,
            work: Work::Resting { until: Instant::now(), then: Next::Locate },
            phase: Phase::Starting,
            listed: false,
            stop_listing: CancellationToken::new(),
            failures: 0,
            progress_told: None,
            writing: Writing::default(),
            keeper: None,
        }
    }

    /// Works until the client drops its ends of the queues.
    pub async fn run(mut self) {
        if self.restore().await.is_err() {
            return;
        }
        while self.step().await.is_ok() {}
        // The client hears that the queue of events has ended when all it asked for is in the journal.
        if let Some(keeper) = self.keeper.take() {
            keeper.close().await;
        }
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
                _ => self.wanted.poll = true,
            },
            Command::Reload => match self.work {
                Work::Resting { then: Next::Follow, .. } => self.relist().await?,
                Work::Resting { .. } => self.proceed().await?,
                Work::Following => self.wanted.reload = true,
                Work::Locating | Work::Listing => {}
            },
            Command::StopListing if !self.listed => self.stop_listing.cancel(),
            Command::StopListing => {}
            Command::Write { ticket, plan } => self.write(ticket, plan).await?,
            Command::Keep { ticket, plan } => self.keep_plan(ticket, plan).await,
            Command::Forget(these) => self.forget(these).await,
            Command::Retry(which) => self.retry(which, None).await?,
            Command::Amend { which, operation } => self.retry(which, Some(operation)).await?,
            Command::Adopt { which, id } => self.adopt(which, id).await?,
            Command::Hold(ticket) => self.hold(ticket),
            Command::Release { ticket, except } => self.release(ticket, &except).await?,
            Command::Drop(which) => self.give_up(vec![which]).await?,
            Command::DropPlan(ticket) => self.give_up(self.writing_of(ticket)).await?,
        }
        Ok(())
    }

    async fn hear(&mut self, report: Report) -> Result<(), Abandoned> {
        match report {
            Report::Located(result) => self.located(result).await,
            Report::Page { segments, asked, progress } => {
                if self.listed {
                    self.ledger.take_page(segments, asked);
                } else {
                    let news = self.ledger.take_first_page(segments, asked);
                    self.tell(Event::Gathered(news)).await?;
                }
                let progress = ListProgress { segments: self.ledger.count_of_list(), ..progress };
                self.tell_progress(progress).await
            }
            Report::Noticed(notice) => self.tell(Event::Noticed(notice)).await,
            Report::ListEnded(listing, None) => self.list_ended(*listing).await,
            Report::ListEnded(listing, Some(Interruption::Failed(error))) => self.list_stopped(listing, error).await,
            Report::ListEnded(listing, Some(Interruption::Asked)) => self.list_paused(listing).await,
            Report::LookingAt(waiting) if waiting > BACKLOG => self.enter(Phase::Behind { waiting }).await,
            Report::LookingAt(_) => Ok(()),
            Report::Followed(result) => self.followed(result).await,
            Report::LookedAt(answers) => {
                let gone = self.take(answers, None).await?.into_iter().filter(|seen| seen.now.is_none());
                // Where a server takes what stands below along, it may do so at every level.
                let gone: HashSet<SegmentId> = gone.map(|seen| seen.id).collect();
                let below = if gone.is_empty() { Vec::new() } else { self.children_of(&gone) };
                self.look_at(below);
                if self.position.is_none() {
                    // With a feed this is kept together with the position.
                    self.keep().await;
                }
                Ok(())
            }
            Report::OperationOver { which, since, result } => self.operation_over(which, since, result).await,
            Report::Claimed { claim, reply } => {
                // Whoever asked may have been stopped.
                let _stopped = reply.send(self.claim(claim));
                Ok(())
            }
            Report::Investigated(found) => self.investigated(found).await,
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
        if phase == Phase::Live {
            self.investigate();
        }
        self.phase = phase.clone();
        self.tell(Event::PhaseChanged(phase)).await
    }

    async fn tell_changes(&self, seen: Vec<Seen>, next: Option<Step>) -> Result<(), Abandoned> {
        if seen.is_empty() { Ok(()) } else { self.tell(Event::Changed { seen, next }).await }
    }

    fn send_out(&mut self, task: impl Future<Output = Report> + Send + 'static) {
        let reporter = self.reporter.clone();
        self.tasks.spawn(async move { reporter.tell(task.await).await });
    }
}
