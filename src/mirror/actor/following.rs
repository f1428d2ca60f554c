//! Locating, listing, following, and coming back from failures.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::mirror::feed::{self, End, Setback, Stretch};
use crate::mirror::ledger::{Answer, TakenList};
use crate::mirror::list::Listing;
use crate::mirror::look::look_at_all;
use crate::mirror::message::{Event, ListProgress, Mention, Notice, Phase, Seen};
use crate::mirror::report::{Followed, Lost, Report};
use crate::remote::{Position, Remote, RemoteError};
use crate::segment::Step;

use super::{Abandoned, Absent, Actor, LastList, Next, Trust, Work};

/// The pause between two tellings of how far a list has come.
const PROGRESS: Duration = Duration::from_millis(100);
/// While the feed is never quiet, lists are apart by so many times what one takes.
const LISTS_APART: u32 = 10;
/// The longest pause after failures, and the pause after one that only a person can mend.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// As good as for ever: the client goes on with a list that it has stopped.
const UNTIL_ASKED: Duration = Duration::from_secs(365 * 86_400);

impl<R: Remote> Actor<R> {
    /// Does what was to be done after the rest.
    pub(super) async fn proceed(&mut self) -> Result<(), Abandoned> {
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

    pub(super) async fn locate(&mut self) -> Result<(), Abandoned> {
        if let Some(step) = self.settings.since.filter(|_| self.position.is_none()) {
            self.position = Some(Position::at(step, &self.settings.origins));
            return self.relist().await;
        }
        self.work = Work::Locating;
        if !self.listed {
            self.enter(Phase::Starting).await?;
        }
        let remote = Arc::clone(&self.remote);
        self.send_out(async move { Report::Located(feed::end(&*remote).await) });
        Ok(())
    }

    pub(super) async fn located(&mut self, result: Result<End, RemoteError>) -> Result<(), Abandoned> {
        self.position = match result {
            Ok(End::At(step)) => {
                tracing::info!(%step, "the feed ends here");
                self.position_untried = true;
                self.setbacks.clear();
                self.longest_part = 0;
                Some(Position::at(step, &self.settings.origins))
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
    pub(super) async fn relist(&mut self) -> Result<(), Abandoned> {
        self.wanted.reload = false;
        let listing = Box::new(Listing::new(&self.settings, &self.questions));
        self.ledger.begin_list(listing.begun());
        self.list(listing).await
    }

    async fn list(&mut self, mut listing: Box<Listing>) -> Result<(), Abandoned> {
        self.work = Work::Listing;
        self.progress_told = None;
        self.tell_progress(listing.progress(self.ledger.count_of_list())).await?;
        let (remote, settings) = (Arc::clone(&self.remote), Arc::clone(&self.settings));
        let (questions, reporter) = (self.questions.clone(), self.reporter.clone());
        self.stop_listing = CancellationToken::new();
        let stop = self.stop_listing.clone();
        self.send_out(async move {
            let result = listing.run(&*remote, &settings, &questions, &reporter, &stop).await;
            Report::ListEnded(listing, result.err())
        });
        Ok(())
    }

    pub(super) async fn tell_progress(&mut self, progress: ListProgress) -> Result<(), Abandoned> {
        if self.progress_told.is_some_and(|told| told.elapsed() < PROGRESS) {
            return Ok(());
        }
        self.progress_told = Some(Instant::now());
        self.enter_listing(progress).await
    }

    async fn enter_listing(&mut self, progress: ListProgress) -> Result<(), Abandoned> {
        self.enter(if self.listed { Phase::Resyncing(progress) } else { Phase::Loading(progress) }).await
    }

    pub(super) async fn list_ended(&mut self, listing: Listing) -> Result<(), Abandoned> {
        self.failures = 0;
        let progress = listing.progress(self.ledger.count_of_list());
        tracing::info!(segments = progress.segments, pages = progress.pages, elapsed = ?progress.elapsed, "listed");
        self.enter_listing(progress).await?;
        let begun = listing.begun();
        let TakenList { absent, mut different } = self.ledger.end_list();
        for seen in &mut different {
            self.writing.tell_with(seen);
        }
        self.listed = true;
        self.watch_children_anew();
        self.last_list = LastList {
            trust: Trust::Replaying,
            absent: Absent { ids: absent, begun },
            different: (self.last_list.trust == Trust::Complete).then(|| different.clone()),
            named: HashSet::new(),
            verify_after: self.settings.verify_every.map(|pause| Instant::now() + pause),
            repeat_after: Instant::now() + self.settings.relist.max(LISTS_APART * progress.elapsed),
        };
        self.keep_list(&different).await;
        self.tell(Event::Listed { different }).await?;
        self.enter(Phase::Replaying).await?;
        self.follow().await
    }

    /// The list waits until the client wants it to go on.
    pub(super) async fn list_paused(&mut self, listing: Box<Listing>) -> Result<(), Abandoned> {
        let progress = listing.progress(self.ledger.count_of_list());
        tracing::info!(segments = progress.segments, "the list was stopped");
        self.work = Work::Resting { until: Instant::now() + UNTIL_ASKED, then: Next::List(listing) };
        self.enter(Phase::Paused(progress)).await
    }

    pub(super) async fn list_stopped(&mut self, listing: Box<Listing>, error: RemoteError) -> Result<(), Abandoned> {
        tracing::warn!(%error, "the list stopped");
        let progress = listing.progress(self.ledger.count_of_list());
        self.failures += 1;
        let pause = self.pause_after(&error);
        self.work = Work::Resting { until: Instant::now() + pause, then: Next::List(listing) };
        self.enter(Phase::Stalled { error, progress }).await
    }

    async fn follow(&mut self) -> Result<(), Abandoned> {
        let Some(from) = self.position.clone() else {
            // Without a feed, only another list tells what changed.
            let absent = self.last_list.absent.take();
            self.look_at(absent);
            self.keep().await;
            self.work = Work::Resting { until: Instant::now() + self.settings.relist, then: Next::Locate };
            return self.enter(Phase::Live).await;
        };
        self.work = Work::Following;
        self.wanted.poll = false;
        let (remote, settings) = (Arc::clone(&self.remote), Arc::clone(&self.settings));
        let (questions, reporter) = (self.questions.clone(), self.reporter.clone());
        let (explained, longest) = (self.setbacks.clone(), self.longest_part);
        self.send_out(async move {
            let stretch = match read(&*remote, &from, longest, &explained).await {
                Ok(stretch) => stretch,
                Err(lost) => return Report::Followed(Err(lost)),
            };
            reporter.tell(Report::LookingAt(stretch.named.len())).await;
            let (answers, failure) = look_at_all(&*remote, &questions, stretch.named, settings.concurrency).await;
            let next = failure.map_or(Ok(stretch.next), Err);
            let Stretch { ended, quiet, setbacks, longest, .. } = stretch;
            Report::Followed(Ok(Followed { answers, next, ended, quiet, setbacks, longest }))
        });
        Ok(())
    }

    pub(super) async fn followed(&mut self, result: Result<Followed, Lost>) -> Result<(), Abandoned> {
        let followed = match result {
            Ok(followed) => followed,
            Err(Lost::Failed(error)) if error.fault.rejects_step() && self.position_untried => {
                return self.feed_refused(error).await;
            }
            Err(Lost::Failed(error)) if !error.fault.rejects_step() => return self.failed(error, Next::Follow).await,
            Err(Lost::Failed(_) | Lost::PutBack) => return self.step_refused().await,
        };
        if self.last_list.different.is_some() {
            self.last_list.named.extend(followed.answers.iter().map(|answer| answer.id.clone()));
        }
        let next = match followed.next {
            Ok(next) => next,
            Err(error) => {
                self.take(followed.answers, None).await?;
                return self.failed(error, Next::Follow).await;
            }
        };
        self.take(followed.answers, Some(next.earliest())).await?;
        self.failures = 0;
        self.position_untried = false;
        self.setbacks = followed.setbacks;
        self.longest_part = followed.longest;
        let step = next.earliest();
        self.position = Some(next);
        if self.last_list.trust == Trust::Replaying && !followed.quiet {
            self.last_list.trust = Trust::Doubtful;
        }
        if !followed.ended {
            self.keep().await;
            return self.follow().await;
        }
        if self.last_list.trust == Trust::Replaying {
            self.last_list.trust = Trust::Complete;
        }
        self.settle_list().await?;
        self.enter(Phase::Live).await?;
        let complete = self.last_list.trust == Trust::Complete;
        self.keep().await;
        self.synchronised = true;
        self.tell(Event::Synchronised { next: step, complete }).await?;
        let good_moment = followed.quiet || Instant::now() >= self.last_list.repeat_after;
        let to_verify = self.last_list.verify_after.is_some_and(|after| Instant::now() >= after);
        if self.wanted.reload || to_verify || (!complete && good_moment) {
            return self.relist().await;
        }
        let poll = self.settings.poll;
        self.pause = if followed.quiet { poll.slower(self.pause) } else { poll.shortest };
        let pause = if self.wanted.poll { Duration::ZERO } else { poll.within(with_jitter(self.pause)) };
        self.work = Work::Resting { until: Instant::now() + pause, then: Next::Follow };
        Ok(())
    }

    /// The feed was read to its end since the list began. What a complete list lacks is gone; what a doubtful one lacks is
    /// looked at, one by one. What was different and was not named is what the feed had missed.
    async fn settle_list(&mut self) -> Result<(), Abandoned> {
        let begun = self.last_list.absent.begun;
        let absent = self.last_list.absent.take();
        let mut missed = self.last_list.different.take();
        if self.last_list.trust == Trust::Complete {
            let gone = |id| Answer { id, now: None, asked: begun, mention: Mention::default() };
            let seen = self.take(absent.into_iter().map(gone).collect(), None).await?;
            missed = missed.map(|missed| missed.into_iter().chain(seen).collect());
        } else {
            self.look_at(absent);
        }
        let Some(mut missed) = missed else { return Ok(()) };
        missed.retain(|seen| !self.last_list.named.contains(&seen.id));
        if !missed.is_empty() {
            tracing::warn!(count = missed.len(), "the feed had missed changes");
        }
        self.tell(Event::Verified { missed }).await
    }

    async fn step_refused(&mut self) -> Result<(), Abandoned> {
        if let Some(step) = self.position.as_ref().map(Position::earliest) {
            self.tell(Event::Noticed(Notice::StepRefused { step })).await?;
        }
        self.locate().await
    }

    /// The feed can be asked, but not in the way that it has to be followed.
    async fn feed_refused(&mut self, error: RemoteError) -> Result<(), Abandoned> {
        self.tell(Event::Noticed(Notice::FeedUnavailable { error })).await?;
        self.position = None;
        self.follow().await
    }

    /// Looks at the feed soon, since something is about to be told there.
    pub(super) fn hurry(&mut self) {
        self.pause = self.settings.poll.shortest;
        let soon = Instant::now() + self.pause;
        if let Work::Resting { until, then: Next::Follow } = &mut self.work
            && self.failures == 0
        {
            *until = soon.min(*until);
        }
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
        let growing = self.settings.poll.shortest.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let pause = if error.fault.is_transient() { with_jitter(growing).min(LONGEST_PAUSE) } else { LONGEST_PAUSE };
        error.fault.retry_after().map_or(pause, |asked_for| asked_for.max(pause))
    }

    /// Takes in what was learnt, and tells what is different. `next` is where the feed goes on after it.
    pub(super) async fn take(&mut self, answers: Vec<Answer>, next: Option<Step>) -> Result<Vec<Seen>, Abandoned> {
        let tell_all = self.settings.tell_named && !self.synchronised && next.is_some();
        let mut told = Vec::new();
        for answer in answers {
            let (id, mention) = (answer.id.clone(), answer.mention);
            if let Some(different) = self.ledger.take(answer) {
                self.note(&id, different.now.as_ref());
                self.writing.follow(&different);
                if !self.writing.puts_off(&different) {
                    told.push(different);
                }
            } else if tell_all {
                let now = self.ledger.get(&id).cloned();
                told.push(Seen { id, before: now.clone(), now, mention });
            }
        }
        self.tell_changes(told.clone(), next).await?;
        told.retain(|seen| seen.before != seen.now);
        Ok(told)
    }
}

/// Reads a stretch of the feed. A step back that was not seen before is looked into.
async fn read<R: Remote>(remote: &R, from: &Position, longest: i64, explained: &[Setback]) -> Result<Stretch, Lost> {
    let stretch = feed::stretch(remote, from, longest).await.map_err(Lost::Failed)?;
    if stretch.setbacks.iter().any(|setback| !explained.contains(setback))
        && feed::was_put_back(remote, from).await.map_err(Lost::Failed)?
    {
        return Err(Lost::PutBack);
    }
    Ok(stretch)
}

/// A tenth more or less, so that many clients don't ask at the same moment.
fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
