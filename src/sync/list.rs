//! Lists all segments: which pages are in flight, how the list ends, and whether it is suspect.
//!
//! The API guarantees neither a total nor a link to the next page, so the end has to be inferred: an empty page ends the list
//! only if no later page has entries, and a full page before it is a reason to ask once more. A doubtful list is reported with a
//! [`Suspicion`], and a segment missing from it isn't assumed deleted.

mod pages;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::remote::{Page, Remote, RemoteError};

use super::Settings;
use super::message::{ListProgress, Notice, Suspicion};
use super::report::{Report, Reporter};
use super::segment_cache::{RequestSeq, SequenceCounter};

use pages::{EndProof, Pages};

/// A list under way. After an interruption it can be resumed: pages already received are not requested again.
#[derive(Debug)]
pub(super) struct ListRun {
    start_seq: RequestSeq,
    started_at: Instant,
    /// Pages to request again, before any new one.
    retry_pages: VecDeque<u32>,
    next: u32,
    pages: Pages,
    entries: u64,
    total: Option<u64>,
    unreadable: u32,
    /// Why the list was cut; no further pages are requested.
    cut: Option<CutReason>,
    page_yield: PageYield,
    window: Window,
}

/// How many new segments the pages brought, as far as they have been applied.
#[derive(Debug, Clone, Default)]
pub(super) struct PageYield {
    /// Pages in a row, up to the last one, that brought nothing new.
    pages: Arc<AtomicU32>,
    /// Number of entries on those pages.
    entries: Arc<AtomicU32>,
}

impl PageYield {
    /// Counts an applied page with its number of entries, and how many of them were new to the list.
    pub fn record(&self, entries: usize, new: usize) {
        if new > 0 {
            self.pages.store(0, Ordering::Relaxed);
            self.entries.store(0, Ordering::Relaxed);
            return;
        }
        self.pages.fetch_add(1, Ordering::Relaxed);
        self.entries.fetch_add(u32::try_from(entries).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    fn has_repeating_pages(&self) -> bool {
        let (pages, entries) = (self.pages.load(Ordering::Relaxed), self.entries.load(Ordering::Relaxed));
        pages >= MIN_FRUITLESS_PAGES && (entries >= MIN_FRUITLESS_ENTRIES || pages >= MIN_FRUITLESS_ENTRIES)
    }
}

/// Why a list is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CutReason {
    /// Several pages in a row repeat earlier ones.
    RepeatingPages,
    /// The limit on pages or entries was reached.
    LimitReached,
}

/// Why a list was interrupted.
#[derive(Debug)]
pub(super) enum Interruption {
    /// A page failed for good.
    Failed(RemoteError),
    /// The client asked for it, or the list became obsolete.
    Cancelled,
}

/// Limit on requests in flight: small at first, larger with each page, halved with each failure.
#[derive(Debug)]
struct Window {
    size: usize,
    max_size: usize,
    failures: u32,
}

/// The first page and two more, so that a small list ends with the first round of responses.
const INITIAL_WINDOW: usize = 3;
/// Pages in a row without anything new that end the list. A single one can also come from segments created in front of it.
const MIN_FRUITLESS_PAGES: u32 = 3;
/// Minimum number of entries on those pages, or else of pages, in case pages are small.
const MIN_FRUITLESS_ENTRIES: u32 = 20;
/// 429 responses in a row that are tolerated before the list stops.
const MAX_THROTTLED: u32 = 6;
const THROTTLE_DELAY: Duration = Duration::from_secs(1);
/// Longest `Retry-After` that is waited for within a list; for a longer one the list stops and reports when it resumes.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(2);
/// Pause before an empty page is requested again.
const EMPTY_PAGE_DELAY: Duration = Duration::from_millis(250);
/// Entries after which a list is cut. The largest tenant that the program is designed for has a million segments.
const MAX_ENTRIES: u64 = 5_000_000;

impl ListRun {
    pub fn new(settings: &Settings, sequence: &SequenceCounter) -> Self {
        let max_size = settings.concurrency.max(1);
        Self {
            start_seq: sequence.next(),
            started_at: Instant::now(),
            retry_pages: VecDeque::new(),
            next: 1,
            pages: Pages::with_size(settings.page_size),
            entries: 0,
            total: None,
            unreadable: 0,
            cut: None,
            page_yield: PageYield::default(),
            window: Window { size: INITIAL_WINDOW.min(max_size), max_size, failures: 0 },
        }
    }

    /// Returns the progress. The number of segments is passed in by the caller, which counts them.
    pub fn progress(&self, segments: usize) -> ListProgress {
        ListProgress { segments, pages: self.pages.count(), elapsed: self.started_at.elapsed(), total: self.total }
    }

    /// Sequence number of the request that started the list.
    pub const fn start_seq(&self) -> RequestSeq {
        self.start_seq
    }

    /// Whether the list was cut because its pages repeat earlier ones.
    pub fn has_repeating_pages(&self) -> bool {
        self.cut == Some(CutReason::RepeatingPages)
    }

    /// The page to request first when the list is resumed.
    pub fn next_number(&self) -> u32 {
        self.retry_pages.front().copied().unwrap_or(self.next)
    }

    /// Returns why the ended list is suspect, if it is. `segments` is the number of distinct segments received.
    pub fn suspicion(&self, segments: usize) -> Option<Suspicion> {
        let received = segments as u64 + u64::from(self.unreadable);
        let lacks =
            self.total.filter(|total| *total > received).map(|total| Suspicion::FewerThanTotal { total, received });
        let first_gap = self.pages.first_gap().map(|page| Suspicion::EmptyPage { page });
        let pages = self.pages.count();
        let cut = match self.cut {
            Some(CutReason::LimitReached) => Some(Suspicion::Cut { pages }),
            // A server that ignores the page number sends all segments in each page; a full page may be only a part of them.
            Some(CutReason::RepeatingPages) if self.pages.has_full_page() => Some(Suspicion::RepeatingPages { pages }),
            Some(CutReason::RepeatingPages) | None => None,
        };
        cut.or(first_gap).or(lacks)
    }

    /// Requests pages until the list has ended, a page fails for good, or the list is stopped.
    pub async fn run<R: Remote>(
        &mut self,
        remote: &R,
        settings: &Settings,
        sequence: &SequenceCounter,
        reporter: &Reporter,
        stop: &CancellationToken,
    ) -> Result<(), Interruption> {
        let mut in_flight = FuturesUnordered::new();
        let mut in_flight_pages = BTreeSet::new();
        loop {
            while in_flight.len() < self.window.size
                && let Some(number) = self.next_page(settings)
            {
                in_flight_pages.insert(number);
                let seq = sequence.next();
                in_flight.push(async move { (number, seq, remote.page(number, settings.page_size).await) });
            }
            if in_flight.is_empty() {
                match self.next_proof() {
                    EndProof::Proven => break,
                    EndProof::Page(number) => self.retry_pages.push_back(number),
                    EndProof::RetryPage(number) => {
                        self.retry_pages.push_back(number);
                        let _stopped = tokio::time::timeout(EMPTY_PAGE_DELAY, stop.cancelled()).await;
                    }
                }
                if stop.is_cancelled() {
                    return Err(Interruption::Cancelled);
                }
                continue;
            }
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.retry_pages.extend(in_flight_pages);
                    return Err(Interruption::Cancelled);
                }
                next = in_flight.next() => next,
            };
            let Some((number, seq, result)) = next else { continue };
            in_flight_pages.remove(&number);
            match result {
                Ok(page) => self.receive_page(number, seq, page, settings, reporter).await,
                Err(error) if self.window.shrink(&error) => {
                    self.retry_pages.push_back(number);
                    let pause = error.fault.retry_after().unwrap_or(THROTTLE_DELAY);
                    let _stopped = tokio::time::timeout(pause, stop.cancelled()).await;
                }
                Err(error) => {
                    self.retry_pages.push_front(number);
                    // Pages in flight are abandoned, and requested again when the list is resumed.
                    self.retry_pages.extend(in_flight_pages);
                    return Err(Interruption::Failed(error));
                }
            }
        }
        if self.unreadable > 0 {
            reporter.emit(Report::Noticed(Notice::UnreadableEntries { count: self.unreadable })).await;
        }
        Ok(())
    }

    fn next_page(&mut self, settings: &Settings) -> Option<u32> {
        if let Some(number) = self.retry_pages.pop_front() {
            return Some(number);
        }
        let past_end = self.pages.first_empty().is_some_and(|empty| self.next > empty)
            || self.total.is_some_and(|total| self.entries >= total && self.entries > 0);
        if self.cut.is_some() || past_end || self.next > settings.max_pages {
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    /// Returns what to request before the list is taken to have ended.
    fn next_proof(&mut self) -> EndProof {
        if self.cut.is_some() {
            return EndProof::Proven;
        }
        let proof = self.pages.next_proof(self.total.is_some_and(|total| total == self.entries));
        if let EndProof::Page(number) = proof {
            self.next = self.next.max(number + 1);
        }
        proof
    }

    async fn receive_page(
        &mut self,
        number: u32,
        seq: RequestSeq,
        page: Page,
        settings: &Settings,
        reporter: &Reporter,
    ) {
        self.window.grow();
        self.total = page.total.or(self.total);
        let entries = page.segments.len() as u64 + u64::from(page.unreadable);
        self.pages.record(number, usize::try_from(entries).unwrap_or(usize::MAX));
        if entries == 0 {
            return;
        }
        self.unreadable += page.unreadable;
        self.entries += entries;
        if self.cut.is_none() && self.page_yield.has_repeating_pages() {
            self.cut = Some(CutReason::RepeatingPages);
            reporter.emit(Report::Noticed(Notice::PageRepeated { page: number })).await;
            return;
        }
        if self.cut.is_none() && (number == settings.max_pages || self.entries >= MAX_ENTRIES) {
            self.cut = Some(CutReason::LimitReached);
            reporter.emit(Report::Noticed(Notice::TooManyPages { pages: self.pages.count() })).await;
        }
        let segments = page.segments.into_iter().map(Arc::new).collect();
        let page_yield = self.page_yield.clone();
        reporter.emit(Report::Page { segments, seq, progress: self.progress(0), page_yield }).await;
    }
}

impl Window {
    fn grow(&mut self) {
        self.failures = 0;
        self.size = (self.size + 1).min(self.max_size);
    }

    /// Halves the window. Returns whether the failure is a 429 that fewer requests may resolve.
    fn shrink(&mut self, error: &RemoteError) -> bool {
        self.failures += 1;
        let too_many = matches!(error.fault, crate::remote::Fault::Refused { status: 429, .. });
        self.size = (self.size / 2).max(1);
        let short = error.fault.retry_after().is_none_or(|wait| wait <= MAX_RETRY_AFTER);
        too_many && short && self.failures <= MAX_THROTTLED
    }
}
