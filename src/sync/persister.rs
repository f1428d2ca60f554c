//! Keeps the store up to date in the background: disk I/O never holds up the network.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Duration, Instant};

use crate::changes::{JournalEntry, JournalledOp};
use crate::clock;
use crate::forest::Forest;
use crate::remote::{Landmark, Position};
use crate::segment::{Segment, SegmentId};
use crate::store::{self, Completeness, MovedAside, Segments, Snapshot, Store, StoreUpdate};

use super::message::Notice;
use super::report::{Report, Reporter};

/// The actor's handle to the store.
#[derive(Debug)]
pub(super) struct Persister {
    jobs: mpsc::Sender<Job>,
    task: JoinHandle<()>,
    /// Whether the store has a list, so that only differences need to be written.
    has_list: bool,
    /// Changes not yet passed on.
    unsaved: Vec<(SegmentId, Option<Arc<Segment>>)>,
    last_saved: Option<SavedState>,
}

/// A write to the store.
#[derive(Debug)]
enum Job {
    Record(StoreUpdate),
    /// Journal entries, and where to report that they are on disk.
    Journal(Vec<JournalEntry>, oneshot::Sender<()>),
}

/// The state that was last passed on.
#[derive(Debug)]
struct SavedState {
    position: Option<Position>,
    completeness: Completeness,
    at: Instant,
}

/// Result of opening the store.
#[derive(Debug, Default)]
pub(super) struct OpenedStore {
    pub persister: Option<Persister>,
    /// The stored segments, and the forest built from them.
    pub snapshot: Option<(Snapshot, Box<Forest>)>,
    pub notices: Vec<Notice>,
    /// Operations that an earlier session left unfinished.
    pub journal: Vec<JournalledOp>,
}

/// Chunks of stored segments that may wait for the forest to be built.
const CHUNK_QUEUE_CAPACITY: usize = 8;
/// Records that may wait for the disk before the actor has to wait.
const JOB_QUEUE_CAPACITY: usize = 8;
/// More changes than this, and than this fraction of all segments, are worth a full rewrite.
const REWRITE_THRESHOLD: usize = 1_000;
const REWRITE_DIVISOR: usize = 10;
/// How often the stored time is updated while nothing changes.
const IDLE_SAVE_INTERVAL: Duration = Duration::from_secs(60);

impl Persister {
    /// Opens and reads the store. If it can't be used, everything but the next session's start works as usual.
    pub async fn open(path: PathBuf, reporter: Reporter) -> OpenedStore {
        let file = path.clone();
        let (chunks, chunk_receiver) = std::sync::mpsc::sync_channel(CHUNK_QUEUE_CAPACITY);
        // The forest is built while the file is still being read.
        let forest = spawn_blocking(move || {
            let mut chunks = chunk_receiver.into_iter().peekable();
            let total = chunks.peek().map_or(0, |(total, _)| *total);
            Box::new(Forest::from_segments(total, chunks.flat_map(|(_, chunk)| chunk)))
        });
        let read_task = spawn_blocking(move || {
            store::open_with_chunks(&path, &mut |total, segments| {
                // Sending fails only after a panic, which the panic hook reports.
                let _panicked = chunks.send((total, segments));
            })
        });
        let opened = match read_task.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return OpenedStore::unavailable(&error.to_string()),
            Err(error) => return OpenedStore::unavailable(&error.to_string()),
        };
        if opened.store.is_none() {
            tracing::info!("another program writes the store, so this one does not");
        }
        let persister = opened.store.map(|store| {
            let (jobs, receiver) = mpsc::channel(JOB_QUEUE_CAPACITY);
            let task = tokio::spawn(run_jobs(store, receiver, reporter));
            Self { jobs, task, has_list: false, unsaved: Vec::new(), last_saved: None }
        });
        let not_journalled = persister.is_none().then_some(Notice::NotJournalled);
        let moved_aside =
            opened.moved_aside.map(|MovedAside { path, journal_kept }| Notice::StoreMovedAside { path, journal_kept });
        let moved_aside = moved_aside.or(not_journalled);
        let unreadable = (opened.unreadable > 0).then_some(Notice::JournalUnread { count: opened.unreadable, file });
        let notices = moved_aside.into_iter().chain(unreadable).collect();
        let snapshot = match (opened.snapshot, forest.await) {
            (Some(snapshot), Ok(forest)) => Some((snapshot, forest)),
            _ => None,
        };
        OpenedStore { persister, snapshot, notices, journal: opened.journal }
    }

    /// Stores exactly these segments. Changes from the position on are not in them yet.
    pub async fn replace(&mut self, segments: Vec<Arc<Segment>>, position: Option<&Position>, landmarks: &[Landmark]) {
        self.unsaved.clear();
        self.has_list = true;
        self.send_record(Segments::All(segments), position, landmarks, clock::now(), Completeness::Incomplete).await;
    }

    /// Continues from the stored segments. If many were stored one by one, all are rewritten packed, which loads faster at
    /// the next start.
    pub async fn resume_from(&mut self, snapshot: &Snapshot) {
        self.has_list = true;
        let Snapshot { segments, changed, saved, completeness, .. } = snapshot;
        if *changed > REWRITE_THRESHOLD.max(segments.len() / REWRITE_DIVISOR) {
            self.send_record(Segments::All(segments.clone()), None, &[], *saved, *completeness).await;
            self.last_saved = None;
        }
    }

    /// Whether the store has a list.
    pub const fn has_list(&self) -> bool {
        self.has_list
    }

    /// Records a changed segment. It is stored with the next [`Self::save`].
    pub fn record(&mut self, id: SegmentId, now: Option<Arc<Segment>>) {
        self.unsaved.push((id, now));
    }

    /// Stores the recorded changes, which are complete up to the position.
    pub async fn save(&mut self, position: Option<&Position>, landmarks: &[Landmark], completeness: Completeness) {
        let is_up_to_date = self.last_saved.as_ref().is_some_and(|last| {
            last.position.as_ref() == position
                && last.completeness == completeness
                && last.at.elapsed() < IDLE_SAVE_INTERVAL
        });
        if self.unsaved.is_empty() && is_up_to_date {
            return;
        }
        let changes = std::mem::take(&mut self.unsaved);
        self.send_record(Segments::Some(changes), position, landmarks, clock::now(), completeness).await;
    }

    async fn send_record(
        &mut self,
        segments: Segments,
        position: Option<&Position>,
        landmarks: &[Landmark],
        at: Timestamp,
        completeness: Completeness,
    ) {
        let (position, landmarks) = (position.cloned(), landmarks.to_vec());
        self.last_saved = Some(SavedState { position: position.clone(), completeness, at: Instant::now() });
        let update = StoreUpdate { segments, position, landmarks, at, completeness };
        if self.jobs.send(Job::Record(update)).await.is_err() {
            tracing::debug!("the store is no longer written");
        }
    }

    /// Waits until everything that was passed on is on disk.
    pub async fn close(self) {
        drop(self.jobs);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the store did not end well");
        }
    }

    /// Writes journal entries. The receiver resolves when they are on disk; if that fails, it is closed, and the failure is
    /// reported.
    pub async fn write_journal(&self, entries: Vec<JournalEntry>) -> oneshot::Receiver<()> {
        let (written, receiver) = oneshot::channel();
        if self.jobs.send(Job::Journal(entries, written)).await.is_err() {
            tracing::debug!("the journal is no longer written");
        }
        receiver
    }
}

impl OpenedStore {
    fn unavailable(reason: &str) -> Self {
        Self { notices: vec![Notice::NotStored { reason: reason.to_owned() }], ..Self::default() }
    }
}

/// Writes jobs in order until the queue is closed. The first failure is reported and ends it, since later records build on
/// earlier ones.
async fn run_jobs(store: Store, mut jobs: mpsc::Receiver<Job>, reporter: Reporter) {
    let mut store = store;
    while let Some(job) = jobs.recv().await {
        let written = spawn_blocking(move || {
            let written = match job {
                Job::Record(update) => store.write(&update),
                Job::Journal(entries, done) => store.write_journal(&entries).map(|()| {
                    // The asking task may have ended.
                    let _gone = done.send(());
                }),
            };
            (store, written)
        });
        let reason = match written.await {
            Ok((same, Ok(()))) => {
                store = same;
                continue;
            }
            Ok((_, Err(error))) => error.to_string(),
            Err(error) => error.to_string(),
        };
        // A sender waiting for room in the queue must not wait for the report.
        drop(jobs);
        reporter.emit(Report::Noticed(Notice::NotStored { reason })).await;
        return;
    }
}
