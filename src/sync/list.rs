//! Listing everything: which pages are in flight, how the list ends, and what speaks against it.
//!
//! The API has neither a total nor a link to the next page, so the end is a matter of evidence: a page that came empty ends the
//! list only when no later page brings anything, and a full page before it is reason to ask once more. What speaks against a
//! list is told as its [`Suspicion`], and what it lacks is not gone for that.

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

/// A list under way. It can be interrupted by a failure and gone on with: no page that came is asked for again.
#[derive(Debug)]
pub(super) struct ListRun {
    begun: RequestSeq,
    since: Instant,
    /// Pages to be asked for again, before any new one.
    again: VecDeque<u32>,
    next: u32,
    pages: Pages,
    entries: u64,
    total: Option<u64>,
    unreadable: u32,
    /// Why the list was cut, so that what comes behind is not asked for.
    cut: Option<Cut>,
    yield_of_pages: Yield,
    window: Window,
}

/// What the pages brought, as far as whoever takes them in has said so.
#[derive(Debug, Clone, Default)]
pub(super) struct Yield {
    /// How many of the last pages in a row brought nothing that others had not brought.
    pages: Arc<AtomicU32>,
    /// How many entries they had.
    entries: Arc<AtomicU32>,
}

impl Yield {
    /// A page was taken in, with so many entries, so many of which the list had not had yet.
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
    /// The pages repeat what earlier ones had.
    Fruitless,
    /// There are more than any tenant has.
    TooMany,
}

/// Why a list stopped.
#[derive(Debug)]
pub(super) enum Interruption {
    /// A page failed for good.
    Failed(RemoteError),
    /// It was asked to.
    Asked,
}

/// How many requests are in flight: few at first, more while all goes well, fewer when the server complains.
#[derive(Debug)]
struct Window {
    size: usize,
    most: usize,
    complaints: u32,
}

/// Two pages behind the first one, so that the end of a small list has come with it.
const FIRST_WINDOW: usize = 3;
/// Pages in a row without anything new that end the list: a single one can also come about when segments are created in front
/// of it.
const FRUITLESS_PAGES: u32 = 3;
/// And so many entries in these, where pages are small.
const FRUITLESS_ENTRIES: u32 = 20;
/// Complaints in a row after which the list stops and says so.
const PATIENCE: u32 = 6;
const PAUSE_AFTER_COMPLAINT: Duration = Duration::from_secs(1);
/// The longest wait within a list that a server may ask for; with a longer one the list stops, and it is said until when.
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(2);
/// The pause before a page that came empty in the middle is asked for again.
const PAUSE_BEFORE_PROOF: Duration = Duration::from_millis(250);
/// Entries after which a list is cut. The largest tenant that the program is made for has a million segments.
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

    /// How far it has come. How many segments came is known to whoever takes them in.
    pub fn progress(&self, segments: usize) -> ListProgress {
        ListProgress { segments, pages: self.pages.count(), elapsed: self.since.elapsed(), total: self.total }
    }

    /// The question with which it began.
    pub const fn begun(&self) -> RequestSeq {
        self.begun
    }

    /// Whether it was cut since its pages repeat what earlier ones had.
    pub fn is_fruitless(&self) -> bool {
        self.cut == Some(Cut::Fruitless)
    }

    /// The page that is asked for first when it goes on.
    pub fn next_number(&self) -> u32 {
        self.again.front().copied().unwrap_or(self.next)
    }

    /// What its pages say against it, once it has ended; `segments` came in all, each counted once.
    pub fn suspicion(&self, segments: usize) -> Option<Suspicion> {
        let came = segments as u64 + u64::from(self.unreadable);
        let lacks = self.total.filter(|total| *total > came).map(|total| Suspicion::FewerThanTotal { total, came });
        let hole = self.pages.hole().map(|page| Suspicion::EmptyPage { page });
        let pages = self.pages.count();
        let cut = match self.cut {
            Some(Cut::TooMany) => Some(Suspicion::Cut { pages }),
            // A server that ignores the number of the page gives everything in each; a full one may be a part.
            Some(Cut::Fruitless) if self.pages.are_full() => Some(Suspicion::Fruitless { pages }),
            Some(Cut::Fruitless) | None => None,
        };
        cut.or(hole).or(lacks)
    }

    /// Asks for pages until the list has ended, one has failed for good, or it is to stop.
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
                    // What is in flight is given up, and asked for again when the list goes on.
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

    /// What is still to be asked before the list is believed to have ended.
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

    /// Whether the failure is a complaint about too many requests, which fewer of them may mend.
    fn shrinks(&mut self, error: &RemoteError) -> bool {
        self.complaints += 1;
        let too_many = matches!(error.fault, crate::remote::Fault::Refused { status: 429, .. });
        self.size = (self.size / 2).max(1);
        let short = error.fault.retry_after().is_none_or(|wait| wait <= LONGEST_ASKED_WAIT);
        too_many && short && self.complaints <= PATIENCE
    }
}
