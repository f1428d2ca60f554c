//! Listing everything: which pages are in flight, and how the list ends.

use std::collections::{BTreeSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hashbrown::HashMap;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::remote::{Page, Remote, RemoteError};
use crate::segment::SegmentId;

use super::Settings;
use super::ledger::{Asked, Questions};
use super::message::{ListProgress, Notice};
use super::report::{Report, Reporter};

/// A list under way. It can be interrupted by a failure and gone on with: no page that came is asked for again.
#[derive(Debug)]
pub(super) struct Listing {
    begun: Asked,
    since: Instant,
    /// Pages to be asked for again, before any new one.
    again: VecDeque<u32>,
    next: u32,
    /// No page from this one on is asked for.
    end: Option<u32>,
    fingerprints: HashMap<u64, u32>,
    repeated: u32,
    entries: u64,
    pages: u32,
    total: Option<u64>,
    unreadable: u32,
    window: Window,
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

const FIRST_WINDOW: usize = 2;
/// Pages equal to an earlier one that end the list: a single one can also come about when segments are created in front of it.
const REPEATED_PAGES: u32 = 3;
/// Complaints in a row after which the list stops and says so.
const PATIENCE: u32 = 6;
const PAUSE_AFTER_COMPLAINT: Duration = Duration::from_secs(1);

impl Listing {
    pub fn new(settings: &Settings, questions: &Questions) -> Self {
        let most = settings.concurrency.max(1);
        Self {
            begun: questions.next(),
            since: Instant::now(),
            again: VecDeque::new(),
            next: 1,
            end: None,
            fingerprints: HashMap::new(),
            repeated: 0,
            entries: 0,
            pages: 0,
            total: None,
            unreadable: 0,
            window: Window { size: FIRST_WINDOW.min(most), most, complaints: 0 },
        }
    }

    /// How far it has come. How many segments came is known to whoever takes them in.
    pub fn progress(&self, segments: usize) -> ListProgress {
        ListProgress { segments, pages: self.pages, elapsed: self.since.elapsed(), total: self.total }
    }

    /// The question with which it began.
    pub const fn begun(&self) -> Asked {
        self.begun
    }

    /// Asks for pages until the list has ended, one has failed for good, or it is to stop.
    pub async fn run<R: Remote>(
        &mut self,
        remote: &R,
        settings: &Settings,
        questions: &Questions,
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
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.again.extend(asked_for);
                    return Err(Interruption::Asked);
                }
                next = in_flight.next() => next,
            };
            let Some((number, asked, result)) = next else { break };
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
            reporter.tell(Report::Noticed(Notice::UnreadableEntries { count: self.unreadable })).await;
        }
        Ok(())
    }

    fn next_page(&mut self, settings: &Settings) -> Option<u32> {
        let end = self.end.unwrap_or(settings.max_pages.saturating_add(1));
        while let Some(number) = self.again.pop_front() {
            if number < end {
                return Some(number);
            }
        }
        if self.next >= end {
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    async fn take(&mut self, number: u32, asked: Asked, page: Page, settings: &Settings, reporter: &Reporter) {
        self.window.grow();
        self.unreadable += page.unreadable;
        self.total = page.total.or(self.total);
        let entries = page.segments.len() as u64 + u64::from(page.unreadable);
        if entries == 0 {
            self.ends_at(number);
            return;
        }
        let ids: Vec<&SegmentId> = page.segments.iter().map(|segment| &segment.id).collect();
        let earlier = self.fingerprints.insert(FixedState::default().hash_one(&ids), number);
        if earlier.is_some_and(|earlier| earlier != number) && !ids.is_empty() {
            self.repeated += 1;
            if self.repeated == REPEATED_PAGES {
                reporter.tell(Report::Noticed(Notice::PageRepeated { page: number })).await;
                self.ends_at(number);
            }
            return;
        }
        self.pages += 1;
        self.entries += entries;
        if self.total.is_some_and(|total| self.entries >= total) {
            self.ends_at(self.next);
        } else if number == settings.max_pages {
            reporter.tell(Report::Noticed(Notice::TooManyPages { pages: number })).await;
        }
        let segments = page.segments.into_iter().map(Arc::new).collect();
        reporter.tell(Report::Page { segments, asked, progress: self.progress(0) }).await;
    }

    fn ends_at(&mut self, page: u32) {
        self.end = Some(self.end.map_or(page, |end| end.min(page)));
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
        too_many && self.complaints <= PATIENCE
    }
}
