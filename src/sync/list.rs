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

use pages::{Pages, Proof};

/// A list under way. After an interruption it can be resumed: pages already received are not requested again.
#[derive(Debug)]
pub(super) struct ListRun {
    begun: RequestSeq,
    since: Instant,
    /// Pages to request again, before any new one.
    again: VecDeque<u32>,
    next: u32,
    pages: Pages,
    entries: u64,
    total: Option<u64>,
    unreadable: u32,
    /// Why the list was cut; no further pages are requested.
    cut: Option<Cut>,
    yield_of_pages: Yield,
    window: Window,
}

/// How many new segments the pages brought, as far as they have been applied.
#[derive(Debug, Clone, Default)]
pub(super) struct Yield {
    /// Pages in a row, up to the last one, that brought nothing new.
    pages: Arc<AtomicU32>,
    /// Number of entries on those pages.
    entries: Arc<AtomicU32>,
}

impl Yield {
    /// Counts an applied page with its number of entries, and how many of them were new to the list.
    pub fn emit(&self, entries: usize, new: usize) {
        if new > 0 {
            self.pages.store(0, Ordering::Relaxed);
            self.entries.store(0, Ordering::Relaxed);
            return;
        }
        self.pages.fetch_add(1, Ordering::Relaxed);
        self.entries.fetch_add(u32::try_from(entries).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    fn is_fruitless(&self) -> bool {
        let (pages, entries) = (self.pages.load(Ordering::Relaxed), self.entries.load(Ordering::Relaxed));
        pages >= FRUITLESS_PAGES && (entries >= FRUITLESS_ENTRIES || pages >= FRUITLESS_ENTRIES)
    }
}

/// Why a list is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Several pages in a row repeat earlier ones.
    Fruitless,
    /// The limit on pages or entries was reached.
    TooMany,
}

/// Why a list was interrupted.
#[derive(Debug)]
pub(super) enum Interruption {
    /// A page failed for good.
    Failed(RemoteError),
    /// The client asked for it, or the list became obsolete.
    Asked,
}

/// Limit on requests in flight: small at first, larger with each page, halved with each failure.
#[derive(Debug)]
struct Window {
    size: usize,
    most: usize,
    complaints: u32,
}

/// The first page and two more, so that a small list ends with the first round of responses.
const FIRST_WINDOW: usize = 3;
/// Pages in a row without anything new that end the list. A single one can also come from segments created in front of it.
const FRUITLESS_PAGES: u32 = 3;
/// Minimum number of entries on those pages, or else of pages, in case pages are small.
const FRUITLESS_ENTRIES: u32 = 20;
/// 429 responses in a row that are tolerated before the list stops.
const PATIENCE: u32 = 6;
const PAUSE_AFTER_COMPLAINT: Duration = Duration::from_secs(1);
/// Longest `Retry-After` that is waited for within a list; for a longer one the list stops and reports when it resumes.
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(2);
/// Pause before an empty page is requested again.
const PAUSE_BEFORE_PROOF: Duration = Duration::from_millis(250);
/// Entries after which a list is cut. The largest tenant that the program is designed for has a million segments.
const MOST_ENTRIES: u64 = 5_000_000;

impl ListRun {
    pub fn new(settings: &Settings, questions: &SequenceCounter) -> Self {
        let most = settings.concurrency.max(1);
        Self {
            begun: questions.next(),
            since: Instant::now(),
            again: VecDeque::new(),
            next: 1,
            pages: Pages::of_size(settings.page_size),
            entries: 0,
            total: None,
            unreadable: 0,
            cut: None,
            yield_of_pages: Yield::default(),
            window: Window { size: FIRST_WINDOW.min(most), most, complaints: 0 },
        }
    }

    /// Returns the progress. The number of segments is passed in by the caller, which counts them.
    pub fn progress(&self, segments: usize) -> ListProgress {
        ListProgress { segments, pages: self.pages.count(), elapsed: self.since.elapsed(), total: self.total }
    }

    /// Sequence number of the request that started the list.
    pub const fn begun(&self) -> RequestSeq {
        self.begun
    }

    /// Whether the list was cut because its pages repeat earlier ones.
    pub fn is_fruitless(&self) -> bool {
        self.cut == Some(Cut::Fruitless)
    }

    /// The page to request first when the list is resumed.
    pub fn next_number(&self) -> u32 {
        self.again.front().copied().unwrap_or(self.next)
    }

    /// Returns why the ended list is suspect, if it is. `segments` is the number of distinct segments received.
    pub fn suspicion(&self, segments: usize) -> Option<Suspicion> {
        let came = segments as u64 + u64::from(self.unreadable);
        let lacks = self.total.filter(|total| *total > came).map(|total| Suspicion::FewerThanTotal { total, came });
        let hole = self.pages.hole().map(|page| Suspicion::EmptyPage { page });
        let pages = self.pages.count();
        let cut = match self.cut {
            Some(Cut::TooMany) => Some(Suspicion::Cut { pages }),
            // A server that ignores the page number sends all segments in each page; a full page may be only a part of them.
            Some(Cut::Fruitless) if self.pages.are_full() => Some(Suspicion::Fruitless { pages }),
            Some(Cut::Fruitless) | None => None,
        };
        cut.or(hole).or(lacks)
    }

    /// Requests pages until the list has ended, a page fails for good, or the list is stopped.
    pub async fn run<R: Remote>(
        &mut self,
        remote: &R,
        settings: &Settings,
        questions: &SequenceCounter,
        reporter: &Reporter,
        stop: &CancellationToken,
    ) -> Result<(), Interruption> {
        let mut in_flight = FuturesUnordered::new();
        let mut asked_for = BTreeSet::new();
        loop {
            while in_flight.len() < self.window.size
                && let Some(number) = self.next_page(settings)
            {
                asked_for.insert(number);
                let asked = questions.next();
                in_flight.push(async move { (number, asked, remote.page(number, settings.page_size).await) });
            }
            if in_flight.is_empty() {
                match self.proof_wanted() {
                    Proof::Enough => break,
                    Proof::Page(number) => self.again.push_back(number),
                    Proof::Again(number) => {
                        self.again.push_back(number);
                        let _stopped = tokio::time::timeout(PAUSE_BEFORE_PROOF, stop.cancelled()).await;
                    }
                }
                if stop.is_cancelled() {
                    return Err(Interruption::Asked);
                }
                continue;
            }
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.again.extend(asked_for);
                    return Err(Interruption::Asked);
                }
                next = in_flight.next() => next,
            };
            let Some((number, asked, result)) = next else { continue };
            asked_for.remove(&number);
            match result {
                Ok(page) => self.take(number, asked, page, settings, reporter).await,
                Err(error) if self.window.shrinks(&error) => {
                    self.again.push_back(number);
                    let pause = error.fault.retry_after().unwrap_or(PAUSE_AFTER_COMPLAINT);
                    let _stopped = tokio::time::timeout(pause, stop.cancelled()).await;
                }
                Err(error) => {
                    self.again.push_front(number);
                    // Pages in flight are abandoned, and requested again when the list is resumed.
                    self.again.extend(asked_for);
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
        if let Some(number) = self.again.pop_front() {
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
    fn proof_wanted(&mut self) -> Proof {
        if self.cut.is_some() {
            return Proof::Enough;
        }
        let proof = self.pages.proof_wanted(self.total.is_some_and(|total| total == self.entries));
        if let Proof::Page(number) = proof {
            self.next = self.next.max(number + 1);
        }
        proof
    }

    async fn take(&mut self, number: u32, asked: RequestSeq, page: Page, settings: &Settings, reporter: &Reporter) {
        self.window.grow();
        self.total = page.total.or(self.total);
        let entries = page.segments.len() as u64 + u64::from(page.unreadable);
        self.pages.came(number, usize::try_from(entries).unwrap_or(usize::MAX));
        if entries == 0 {
            return;
        }
        self.unreadable += page.unreadable;
        self.entries += entries;
        if self.cut.is_none() && self.yield_of_pages.is_fruitless() {
            self.cut = Some(Cut::Fruitless);
            reporter.emit(Report::Noticed(Notice::PageRepeated { page: number })).await;
            return;
        }
        if self.cut.is_none() && (number == settings.max_pages || self.entries >= MOST_ENTRIES) {
            self.cut = Some(Cut::TooMany);
            reporter.emit(Report::Noticed(Notice::TooManyPages { pages: self.pages.count() })).await;
        }
        let segments = page.segments.into_iter().map(Arc::new).collect();
        let yielded = self.yield_of_pages.clone();
        reporter.emit(Report::Page { segments, asked, progress: self.progress(0), yielded }).await;
    }
}

impl Window {
    fn grow(&mut self) {
        self.complaints = 0;
        self.size = (self.size + 1).min(self.most);
    }

    /// Halves the window. Returns whether the failure is a 429 that fewer requests may resolve.
    fn shrinks(&mut self, error: &RemoteError) -> bool {
        self.complaints += 1;
        let too_many = matches!(error.fault, crate::remote::Fault::Refused { status: 429, .. });
        self.size = (self.size / 2).max(1);
        let short = error.fault.retry_after().is_none_or(|wait| wait <= LONGEST_ASKED_WAIT);
        too_many && short && self.complaints <= PATIENCE
    }
}
