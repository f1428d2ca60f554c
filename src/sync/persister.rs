//! Keeping the store in step, beside everything else: what the disk does never holds up the network.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Duration, Instant};

use crate::changes::{JournalEntry, Journalled};
use crate::clock;
use crate::forest::Forest;
use crate::remote::{Landmark, Position};
use crate::segment::{Segment, SegmentId};
use crate::store::{self, Completeness, MovedAside, Record, Segments, Snapshot, Store};

use super::message::Notice;
use super::report::{Report, Reporter};

/// The way to the store.
#[derive(Debug)]
pub(super) struct Persister {
    jobs: mpsc::Sender<Job>,
    keeping: JoinHandle<()>,
    /// Whether the store has a list, so that it wants the differences only.
    has_all: bool,
    /// Changes that were not handed on yet.
    unsaved: Vec<(SegmentId, Option<Arc<Segment>>)>,
    saved: Option<HandedOn>,
}

/// What is to be written.
#[derive(Debug)]
enum Job {
    Record(Record),
    /// Notes, and whom to tell when they are on the disk.
    Journal(Vec<JournalEntry>, oneshot::Sender<()>),
}

/// What was handed on last.
#[derive(Debug)]
struct HandedOn {
    position: Option<Position>,
    completeness: Completeness,
    at: Instant,
}

/// What a store had to tell at the start.
#[derive(Debug, Default)]
pub(super) struct Restored {
    pub keeper: Option<Persister>,
    /// What was stored, and the tree of it.
    pub snapshot: Option<(Snapshot, Box<Forest>)>,
    pub notices: Vec<Notice>,
    /// What an earlier run left undone.
    pub journal: Vec<Journalled>,
}

/// Parts of the stored segments that may wait for the tree.
const PARTS: usize = 8;
/// Records that may wait for the disk before the actor has to.
const WAITING: usize = 8;
/// More changes than these, and than this part of all segments, are worth writing everything anew.
const MANY_CHANGES: usize = 1_000;
const LARGE_PART: usize = 10;
/// While nothing changes, the time in the store is brought up to date this often.
const STILL_TRUE: Duration = Duration::from_secs(60);

impl Persister {
    /// Opens a store and reads it. Without one everything works but the next start.
    pub async fn open(path: PathBuf, reporter: Reporter) -> Restored {
        let file = path.clone();
        let (parts, growing) = std::sync::mpsc::sync_channel(PARTS);
        // The tree grows while the file is still being read.
        let forest = spawn_blocking(move || {
            let mut parts = growing.into_iter().peekable();
            let in_all = parts.peek().map_or(0, |(in_all, _)| *in_all);
            Box::new(Forest::of(in_all, parts.flat_map(|(_, part)| part)))
        });
        let reading = spawn_blocking(move || {
            store::open_telling(&path, &mut |in_all, segments| {
                // Nobody takes them only after a panic, which the panic hook tells.
                let _panicked = parts.send((in_all, segments));
            })
        });
        let opened = match reading.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Restored::not(&error.to_string()),
            Err(error) => return Restored::not(&error.to_string()),
        };
        if opened.store.is_none() {
            tracing::info!("another program writes the store, so this one does not");
        }
        let keeper = opened.store.map(|store| {
            let (jobs, receiver) = mpsc::channel(WAITING);
            let keeping = tokio::spawn(keep(store, receiver, reporter));
            Self { jobs, keeping, has_all: false, unsaved: Vec::new(), saved: None }
        });
        let not_ours = keeper.is_none().then_some(Notice::NotJournalled);
        let aside =
            opened.moved_aside.map(|MovedAside { path, journal_kept }| Notice::StoreMovedAside { path, journal_kept });
        let aside = aside.or(not_ours);
        let unread = (opened.unreadable > 0).then_some(Notice::JournalUnread { count: opened.unreadable, file });
        let notices = aside.into_iter().chain(unread).collect();
        let snapshot = match (opened.snapshot, forest.await) {
            (Some(snapshot), Ok(forest)) => Some((snapshot, forest)),
            _ => None,
        };
        Restored { keeper, snapshot, notices, journal: opened.journal }
    }

    /// Exactly these segments exist; what happened from the position on is not in them yet.
    pub async fn replace(&mut self, segments: Vec<Arc<Segment>>, position: Option<&Position>, landmarks: &[Landmark]) {
        self.unsaved.clear();
        self.has_all = true;
        self.flush(Segments::All(segments), position, landmarks, clock::now(), Completeness::Incomplete).await;
    }

    /// The store has these already. If many of them are written one by one, they are written anew as a whole, which is read
    /// faster at the next start.
    pub async fn go_on_from(&mut self, snapshot: &Snapshot) {
        self.has_all = true;
        let Snapshot { segments, changed, saved, completeness, .. } = snapshot;
        if *changed > MANY_CHANGES.max(segments.len() / LARGE_PART) {
            self.flush(Segments::All(segments.clone()), None, &[], *saved, *completeness).await;
            self.saved = None;
        }
    }

    /// Whether the store has a list.
    pub const fn has_all(&self) -> bool {
        self.has_all
    }

    /// A segment is different now. Handed on with the next [`Self::advance`].
    pub fn note(&mut self, id: SegmentId, now: Option<Arc<Segment>>) {
        self.unsaved.push((id, now));
    }

    /// Everything up to the position was noted.
    pub async fn advance(&mut self, position: Option<&Position>, landmarks: &[Landmark], completeness: Completeness) {
        let still_true = self.saved.as_ref().is_some_and(|last| {
            last.position.as_ref() == position && last.completeness == completeness && last.at.elapsed() < STILL_TRUE
        });
        if self.unsaved.is_empty() && still_true {
            return;
        }
        let changes = std::mem::take(&mut self.unsaved);
        self.flush(Segments::Some(changes), position, landmarks, clock::now(), completeness).await;
    }

    async fn flush(
        &mut self,
        segments: Segments,
        position: Option<&Position>,
        landmarks: &[Landmark],
        at: Timestamp,
        completeness: Completeness,
    ) {
        let (position, landmarks) = (position.cloned(), landmarks.to_vec());
        self.saved = Some(HandedOn { position: position.clone(), completeness, at: Instant::now() });
        let record = Record { segments, position, landmarks, at, completeness };
        if self.jobs.send(Job::Record(record)).await.is_err() {
            tracing::debug!("the store is no longer written");
        }
    }

    /// Waits until everything that was handed on is on the disk.
    pub async fn close(self) {
        drop(self.jobs);
        if let Err(error) = self.keeping.await {
            tracing::warn!(%error, "the store did not end well");
        }
    }

    /// Writes notes into the journal. What is answered comes true when they are on the disk; when it fails, they never will be,
    /// and that was told.
    pub async fn journal(&self, notes: Vec<JournalEntry>) -> oneshot::Receiver<()> {
        let (written, answer) = oneshot::channel();
        if self.jobs.send(Job::Journal(notes, written)).await.is_err() {
            tracing::debug!("the journal is no longer written");
        }
        answer
    }
}

impl Restored {
    fn not(reason: &str) -> Self {
        Self { notices: vec![Notice::NotStored { reason: reason.to_owned() }], ..Self::default() }
    }
}

/// Writes records in their order until there are no more. The first that can't be written is told and ends it: later ones build
/// upon it.
async fn keep(store: Store, mut jobs: mpsc::Receiver<Job>, reporter: Reporter) {
    let mut store = store;
    while let Some(job) = jobs.recv().await {
        let written = spawn_blocking(move || {
            let written = match job {
                Job::Record(record) => store.write(&record),
                Job::Journal(notes, told) => store.write_journal(&notes).map(|()| {
                    // Who asked may have gone meanwhile.
                    let _gone = told.send(());
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
        // Whoever waits for room in the queue must not wait for this.
        drop(jobs);
        reporter.emit(Report::Noticed(Notice::NotStored { reason })).await;
        return;
    }
}
