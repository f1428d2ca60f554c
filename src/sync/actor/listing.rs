//! Lists all segments, and judges whether a list can be relied on.
//!
//! A segment missing from a list isn't assumed deleted: each one is fetched to make sure. If something happened while the
//! list was loading, other segments may have moved between pages, and the pages themselves may be inconsistent. Then
//! everything is listed once more; if that doesn't help, that is reported to the client.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashSet;
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::remote::{Call, Remote, RemoteError};
use crate::segment::SegmentId;
use crate::sync::backlog::PartNumber;
use crate::sync::list::ListRun;
use crate::sync::message::{Event, ListProgress, Notice, Phase, SegmentChange, Suspicion};
use crate::sync::report::Report;
use crate::sync::segment_cache::{ListDiff, RequestSeq};

use super::{Actor, NextWork, RunningList, Stopped, Work};

/// Whether a list can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListConsistency {
    /// The feed was not yet read to its end from before the list began.
    Replaying,
    /// Something happened while it was loading: segments may have moved from a page not yet read to one already read, and the
    /// feed doesn't name those, since they didn't change. To be listed again as soon as the feed is quiet.
    Suspect,
    /// The feed reported something so soon after the list that it may have happened while it was loading. To be listed again
    /// when the feed is quiet, but not at once.
    Late,
    /// No reason to doubt it.
    Complete,
}

/// State of the last list.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the list")]
pub(super) struct LastList {
    consistency: ListConsistency,
    /// Sequence number of the request that started the list.
    pub start_seq: RequestSeq,
    /// Number of pages.
    pub pages: usize,
    /// Differences from what was known, and segments found to be gone afterwards; `None` if nothing was known before. The
    /// feed may still name them.
    pub different: Option<Vec<SegmentChange>>,
    /// Whether the state before it was reliable.
    is_comparable: bool,
    /// Segments that the feed has named since the list began.
    named: HashSet<SegmentId>,
    /// What the feed has reported since the next list began, while that is loading.
    meanwhile: Meanwhile,
    /// Known segments that the list did not contain.
    missing: BTreeSet<SegmentId>,
    /// Whether nothing was known before it.
    is_first: bool,
    /// Whether nothing is known to have happened while it was loading, and it contained nothing unexpected.
    is_confirmed: bool,
    /// Whether the feed has since been read to its end.
    is_settled: bool,
    ended: Instant,
    /// Number of repeated entries.
    repeated: usize,
    suspicion: Option<Suspicion>,
    /// Number of suspect lists in a row.
    suspect_count: u32,
    /// Why it is still suspect after listing again.
    pub incomplete_reason: Option<Suspicion>,
    /// Last part of the feed when the list was started, if it replaces fetching what was named up to there.
    pub replaces_fetches_up_to: Option<PartNumber>,
    /// Whether it was started because the feed was no longer the one that was followed.
    pub after_rewind: bool,
    /// Earliest time for another list that replaces fetches, or that follows a late event.
    pub next_list_after: Instant,
    /// Latest time to repeat a doubtful list.
    repeat_after: Instant,
    /// When to list everything again to compare.
    verify_after: Option<Instant>,
}

/// Shortest interval between two progress reports.
const MIN_PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// While the feed is never quiet, the interval between lists is this many times the duration of one.
const LIST_INTERVAL_FACTOR: u32 = 10;
/// Shortest and longest such interval while the feed names more segments than a list costs: none are fetched meanwhile.
const MIN_LIST_INTERVAL: Duration = Duration::from_secs(10);
const MAX_LIST_INTERVAL: Duration = Duration::from_secs(60);
/// Number of suspect lists in a row from which that is reported.
const SUSPECT_LISTS_TO_REPORT: u32 = 3;
/// More missing segments than this, and than this fraction of all, are unlikely to have been deleted at once.
const MAX_PLAUSIBLE_MISSING: usize = 20;
const PLAUSIBLE_MISSING_DIVISOR: usize = 10;
/// How long after a list the feed may still report something from while it was loading.
const LATE_EVENT_WINDOW: Duration = Duration::from_secs(60);
/// Effectively forever: `Command::PollNow` resumes a list that was stopped.
const INDEFINITELY: Duration = Duration::from_secs(365 * 86_400);

/// What the feed reported while a list was loading.
#[derive(Debug, Default)]
struct Meanwhile {
    /// The last part read before the list began.
    before: PartNumber,
    changed: bool,
    named: HashSet<SegmentId>,
}

impl LastList {
    pub fn none(start_seq: RequestSeq, verify_every: Option<Duration>, now: Instant) -> Self {
        Self {
            consistency: ListConsistency::Suspect,
            start_seq,
            pages: 0,
            different: None,
            is_comparable: false,
            named: HashSet::new(),
            meanwhile: Meanwhile::default(),
            missing: BTreeSet::new(),
            is_first: true,
            is_confirmed: false,
            is_settled: false,
            ended: now,
            repeated: 0,
            suspicion: None,
            suspect_count: 0,
            incomplete_reason: None,
            replaces_fetches_up_to: None,
            after_rewind: false,
            next_list_after: now,
            repeat_after: now,
            verify_after: verify_every.map(|pause| now + pause),
        }
    }

    /// Restores how far the stored segments can be relied on.
    pub fn restored(&mut self, complete: bool) {
        self.consistency = if complete { ListConsistency::Complete } else { ListConsistency::Suspect };
        (self.is_first, self.is_confirmed, self.is_settled) = (false, true, true);
    }

    pub fn is_complete(&self) -> bool {
        self.consistency == ListConsistency::Complete
    }

    /// Whether no later event of the feed can cast doubt on it, so that the next session may rely on it as well.
    pub fn is_certain(&self) -> bool {
        self.is_complete() && (self.is_confirmed || self.ended.elapsed() >= LATE_EVENT_WINDOW)
    }

    /// Records that the feed reported something since the list began.
    pub fn record_event(&mut self) {
        // A feed may report late what happened while the list was loading. A second list without surprises settles that.
        let late = self.is_complete() && !self.is_certain();
        if self.consistency == ListConsistency::Replaying {
            self.consistency = ListConsistency::Suspect;
        } else if late {
            self.consistency = ListConsistency::Late;
        }
    }

    /// Records segments that the feed named while the next list is loading.
    pub fn record_meanwhile(&mut self, named: impl IntoIterator<Item = SegmentId>) {
        self.meanwhile.named.extend(named);
        self.meanwhile.changed |= !self.meanwhile.named.is_empty();
    }

    /// Records segments that the feed named since the list ended.
    pub fn record_named(&mut self, named: impl IntoIterator<Item = SegmentId>) {
        if self.different.is_some() {
            self.named.extend(named);
        }
    }

    /// Records a change. If a segment missing from the list turns out to be gone, the feed had missed that.
    pub fn record_change(&mut self, change: &SegmentChange) {
        if self.missing.remove(&change.id)
            && change.now.is_none()
            && let Some(different) = &mut self.different
        {
            different.push(change.clone());
        }
    }
}

impl<R: Remote> Actor<R> {
    /// Requests the first page before anything else, so that there is something to show while the end of the feed is located.
    /// It is requested again by the list, which begins after that.
    pub(super) fn request_first_page(&mut self) {
        if self.failures > 0 || self.cache.len() > 0 {
            return;
        }
        let (remote, size, seq) = (Arc::clone(&self.tasks.remote), self.settings.page_size, self.tasks.sequence.next());
        self.spawn_task(async move {
            // An error is ignored here: the list will report it.
            let segments = remote.page(1, size).await.map(|page| page.segments).unwrap_or_default();
            Report::FirstPage { segments: segments.into_iter().map(Arc::new).collect(), seq }
        });
    }

    /// Lists everything from the beginning. The position in the feed is kept, so that changes made meanwhile are found.
    pub(super) async fn relist(&mut self) -> Result<(), Stopped> {
        self.lists.reload_pending = false;
        self.lists.last.meanwhile =
            Meanwhile { before: self.following.fetches.backlog.last_part(), ..Meanwhile::default() };
        let listing = Box::new(ListRun::new(&self.settings, &self.tasks.sequence));
        self.cache.begin_list(listing.start_seq());
        self.list(listing).await
    }

    pub(super) async fn list(&mut self, mut listing: Box<ListRun>) -> Result<(), Stopped> {
        let running = RunningList { stop: CancellationToken::new(), progress_emitted_at: None };
        let stop = running.stop.clone();
        self.work = Work::Listing(running);
        self.connection.pending_requests.work_started(Call::Page(listing.next_number()));
        self.emit_progress(listing.progress(self.cache.listed_count())).await?;
        let (remote, settings) = (Arc::clone(&self.tasks.remote), Arc::clone(&self.settings));
        let (sequence, reporter) = (self.tasks.sequence.clone(), self.tasks.reporter.clone());
        self.spawn_task(async move {
            let result = listing.run(&*remote, &settings, &sequence, &reporter, &stop).await;
            Report::ListEnded(listing, result.err())
        });
        Ok(())
    }

    pub(super) async fn emit_progress(&mut self, progress: ListProgress) -> Result<(), Stopped> {
        let Work::Listing(running) = &mut self.work else { return Ok(()) };
        if running.progress_emitted_at.is_some_and(|at| at.elapsed() < MIN_PROGRESS_INTERVAL) {
            return Ok(());
        }
        running.progress_emitted_at = Some(Instant::now());
        self.enter_listing(progress).await
    }

    /// Stops the list under way.
    pub(super) fn stop_list(&self) {
        if let Work::Listing(running) = &self.work {
            running.stop.cancel();
        }
    }

    async fn enter_listing(&mut self, progress: ListProgress) -> Result<(), Stopped> {
        self.enter_phase(if self.lists.listed { Phase::Resyncing(progress) } else { Phase::Loading(progress) }).await
    }

    pub(super) async fn list_ended(&mut self, listing: ListRun) -> Result<(), Stopped> {
        if !matches!(self.work, Work::Listing(_)) {
            // The list was started for a feed that is no longer followed.
            return Ok(());
        }
        self.failures = 0;
        self.connection.pending_requests.work_ended();
        let count = self.cache.listed_count();
        let progress = listing.progress(count);
        tracing::info!(segments = progress.segments, pages = progress.pages, elapsed = ?progress.elapsed, "listed");
        self.enter_listing(progress).await?;
        let ListDiff { missing, mut different, repeated } = self.cache.end_list();
        self.server_responded().await?;
        for change in &mut different {
            self.writing.update_tracking(change);
            self.writing.merge_deferred(change);
        }
        let now = Instant::now();
        let known_before = self.lists.listed;
        self.lists.listed = true;
        self.refresh_children();
        let was_complete = self.lists.last.is_complete();
        let interval =
            progress.elapsed.saturating_mul(LIST_INTERVAL_FACTOR).clamp(MIN_LIST_INTERVAL, MAX_LIST_INTERVAL);
        let Meanwhile { before, changed, named } = std::mem::take(&mut self.lists.last.meanwhile);
        self.lists.last = LastList {
            consistency: if changed { ListConsistency::Suspect } else { ListConsistency::Replaying },
            start_seq: listing.start_seq(),
            pages: usize::try_from(progress.pages).unwrap_or(usize::MAX),
            different: known_before.then(|| different.clone()),
            is_comparable: was_complete,
            named,
            meanwhile: Meanwhile::default(),
            missing: BTreeSet::new(),
            is_first: !known_before,
            is_confirmed: false,
            is_settled: false,
            ended: now,
            repeated: if listing.has_repeating_pages() { 0 } else { repeated },
            suspicion: listing.suspicion(count),
            suspect_count: self.lists.last.suspect_count,
            incomplete_reason: self.lists.last.incomplete_reason,
            replaces_fetches_up_to: self.lists.last.replaces_fetches_up_to,
            after_rewind: self.lists.last.after_rewind,
            next_list_after: now + interval,
            repeat_after: now + self.settings.relist.max(progress.elapsed.saturating_mul(LIST_INTERVAL_FACTOR)),
            verify_after: self.settings.verify_every.map(|pause| now + pause),
        };
        let reported_ids = self.settle_by_list(&mut different).await?;
        self.settle_unreadable_by_list(before);
        self.doubt_or_fetch_missing(missing, different.is_empty());
        self.persist_list(&different).await;
        if self.settings.report_named {
            different.retain(|change| !reported_ids.contains(&change.id));
        }
        self.emit(Event::Listed { different }).await?;
        self.execute_resends().await?;
        self.enter_phase(Phase::Replaying).await?;
        self.follow().await
    }

    /// Fetches each known segment that is missing from the list. If many are missing at once, the first such list is loaded
    /// again instead.
    fn doubt_or_fetch_missing(&mut self, mut missing: Vec<SegmentId>, nothing_else: bool) {
        missing.retain(|id| self.cache.get(id).is_some());
        if self.lists.last.after_rewind && nothing_else && missing.is_empty() {
            self.disable_verification();
        }
        self.lists.last.after_rewind = false;
        let is_suspicious = missing.len() > MAX_PLAUSIBLE_MISSING.max(self.cache.len() / PLAUSIBLE_MISSING_DIVISOR);
        if is_suspicious && self.lists.last.suspicion.is_none() {
            self.lists.last.suspicion = Some(Suspicion::MissingKnown { count: missing.len() });
            if self.lists.last.suspect_count == 0 {
                return;
            }
        }
        for id in &missing {
            self.following.fetches.backlog.add_segment(id.clone());
        }
        self.lists.last.missing = missing.into_iter().collect();
    }

    /// Pauses the list until the client resumes it.
    pub(super) async fn list_paused(&mut self, listing: Box<ListRun>) -> Result<(), Stopped> {
        if !matches!(self.work, Work::Listing(_)) {
            return Ok(());
        }
        self.connection.pending_requests.work_ended();
        let progress = listing.progress(self.cache.listed_count());
        tracing::info!(segments = progress.segments, "the list was stopped");
        self.work = Work::Resting { until: Instant::now() + INDEFINITELY, then: NextWork::List(listing) };
        self.abort_catch_ups();
        self.enter_phase(Phase::Paused(progress)).await
    }

    pub(super) async fn list_failed(&mut self, listing: Box<ListRun>, error: RemoteError) -> Result<(), Stopped> {
        if !matches!(self.work, Work::Listing(_)) {
            return Ok(());
        }
        tracing::warn!(%error, "the list stopped");
        self.connection.pending_requests.work_ended();
        let progress = listing.progress(self.cache.listed_count());
        self.failures += 1;
        let pause = self.backoff_after(&error.fault);
        self.work = Work::Resting { until: Instant::now() + pause, then: NextWork::List(listing) };
        self.abort_catch_ups();
        self.requeue_resends(&error).await?;
        self.enter_phase(Phase::Stalled { error, retry_in: pause, progress }).await
    }

    /// Without a feed, only another list shows what has changed.
    pub(super) async fn live_without_feed(&mut self) -> Result<(), Stopped> {
        let missing = std::mem::take(&mut self.lists.last.missing).into_iter().collect();
        self.following.fetches.backlog.clear();
        self.fetch_batch(missing);
        self.judge_list(false).await?;
        self.persist().await;
        self.work = Work::Resting { until: Instant::now() + self.settings.relist, then: NextWork::Locate };
        self.enter_phase(Phase::Live).await
    }

    /// Settles the list once the feed was read to its end and the missing segments were fetched. Differences that the feed
    /// has not named are changes that it missed.
    pub(super) async fn settle_list(&mut self) -> Result<(), Stopped> {
        if self.lists.last.is_settled {
            return Ok(());
        }
        self.lists.last.is_settled = true;
        let changed = self.lists.last.consistency == ListConsistency::Suspect;
        let missed = self.lists.last.different.take().map(|mut missed| {
            missed.retain(|change| !self.lists.last.named.contains(&change.id));
            missed
        });
        let surprises = missed.as_ref().is_none_or(|missed| !missed.is_empty());
        self.lists.last.is_confirmed = !changed && !surprises;
        self.judge_list(changed).await?;
        let Some(missed) = missed.filter(|_| self.lists.last.is_comparable) else { return Ok(()) };
        if !missed.is_empty() {
            tracing::warn!(count = missed.len(), "the feed had missed changes");
        }
        self.emit(Event::Verified { missed }).await
    }

    /// Judges whether the list can be relied on. Reports why not, if listing again did not help.
    async fn judge_list(&mut self, doubtful: bool) -> Result<(), Stopped> {
        let list = &mut self.lists.last;
        let repeated = list.repeated;
        if list.suspicion.is_none()
            && list.consistency == ListConsistency::Replaying
            && repeated > 0
            && self.following.has_feed()
        {
            list.suspicion = Some(Suspicion::Repeated { count: repeated });
        }
        let Some(suspicion) = list.suspicion else {
            // A feed that omits changes of others can't prove that nothing happened; a second list without surprises can.
            let unconfirmed = self.settings.partial_feed && list.is_first;
            list.consistency =
                if doubtful || unconfirmed { ListConsistency::Suspect } else { ListConsistency::Complete };
            (list.suspect_count, list.incomplete_reason) = (0, None);
            return Ok(());
        };
        list.consistency = ListConsistency::Suspect;
        list.suspect_count += 1;
        if list.suspect_count < SUSPECT_LISTS_TO_REPORT && !matches!(suspicion, Suspicion::Cut { .. }) {
            tracing::warn!(%suspicion, "the list is suspect and is loaded again");
            return Ok(());
        }
        let known = list.incomplete_reason.replace(suspicion).is_some() || matches!(suspicion, Suspicion::Cut { .. });
        if known { Ok(()) } else { self.emit(Event::Noticed(Notice::ListIncomplete { suspicion })).await }
    }

    /// Whether everything has to be listed now.
    pub(super) fn list_is_due(&self) -> bool {
        let now = Instant::now();
        let list = &self.lists.last;
        let verify = list.verify_after.is_some_and(|after| now >= after);
        let again = match (list.consistency, list.incomplete_reason) {
            // Listing again and again would change nothing.
            (_, Some(_)) | (ListConsistency::Complete, _) => false,
            (ListConsistency::Late, _) => self.is_quiet() && now >= list.next_list_after,
            _ => list.suspicion.is_some() || self.is_quiet() || now >= list.repeat_after,
        };
        self.lists.reload_pending || verify || again
    }
}
