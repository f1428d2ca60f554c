//! Starts from what an earlier session stored, and keeps the store up to date.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::remote::Remote;
use crate::segment::{Segment, SegmentId};
use crate::store::{Completeness, Snapshot};
use crate::sync::id_map::{Cached, IdMap};
use crate::sync::message::{Event, Notice, Phase, SegmentChange};
use crate::sync::persister::Persister;

use super::{Actor, NextWork, Stopped, Work};

impl<R: Remote> Actor<R> {
    /// Reports what was stored and continues from there.
    pub(super) async fn restore(&mut self) -> Result<(), Stopped> {
        let Some(path) = self.settings.store.clone() else { return Ok(()) };
        let restored = Persister::open(path, self.tasks.reporter.clone()).await;
        self.persister = restored.persister;
        for notice in restored.notices {
            self.emit(Event::Noticed(notice)).await?;
        }
        let count = restored.journal.len();
        self.writing.load_journal(restored.journal);
        if count > 0 {
            self.emit(Event::Noticed(Notice::LeftOver { count })).await?;
        }
        let snapshot = restored.snapshot.filter(|_| !self.settings.journal_only);
        let Some((snapshot, forest)) = snapshot else { return Ok(()) };
        let Snapshot { saved, completeness, changed, .. } = snapshot;
        tracing::info!(segments = snapshot.segments.len(), changed, %saved, ?completeness, "restored");
        self.emit(Event::Restored { forest, saved }).await?;
        if let Some(persister) = &mut self.persister {
            persister.resume_from(&snapshot).await;
        }
        // Any response of the server is newer than the stored segments.
        let seq = self.tasks.sequence.next();
        let Snapshot { segments, position, landmarks, .. } = snapshot;
        // Not built alongside the forest: both are bound by memory bandwidth, and a person waits only for the forest.
        let known =
            spawn_blocking(move || segments.into_iter().map(|segment| Cached { segment, seq }).collect::<IdMap>());
        // The task fails only by panicking, which the panic hook reports.
        self.cache.restore(known.await.map_err(|_| Stopped::ByTask)?);
        self.lists.listed = true;
        let Some(position) = position else {
            // Without a position there is no feed to resume, so everything is listed in the background.
            return Ok(());
        };
        self.follow_stored(position.regrouped(&self.settings.origins), landmarks);
        self.lists.last.restored(completeness == Completeness::Complete);
        self.work = Work::Resting { until: Instant::now(), then: NextWork::Follow };
        self.enter_phase(Phase::Replaying).await
    }

    /// Records a changed segment for the store.
    pub(super) fn record_change(&mut self, id: &SegmentId, now: Option<&Arc<Segment>>) {
        if let Some(persister) = self.persister.as_mut().filter(|_| !self.settings.journal_only) {
            persister.record(id.clone(), now.cloned());
        }
    }

    /// Stores the result of a list: all segments, or only the differences from the store.
    pub(super) async fn persist_list(&mut self, different: &[SegmentChange]) {
        let position = self.position_to_store().cloned();
        let Some(persister) = self.persister.as_mut().filter(|_| !self.settings.journal_only) else { return };
        if persister.has_list() {
            for change in different {
                persister.record(change.id.clone(), change.now.clone());
            }
        } else {
            let segments = self.cache.segments().cloned().collect();
            persister.replace(segments, position.as_ref(), &self.following.reader.landmarks).await;
        }
    }

    /// Tells the store that every change up to the position was recorded.
    pub(super) async fn persist(&mut self) {
        let position = self.position_to_store().cloned();
        // Unreadable segments may be stale. And the next session doesn't know when the list ended, so it couldn't doubt the
        // list because of late events.
        let completeness = match &self.lists.last {
            last if !last.is_complete() => Completeness::Incomplete,
            last if last.is_certain() && !self.following.has_unreadable() => Completeness::Complete,
            _ => Completeness::Unconfirmed,
        };
        if let Some(persister) = self.persister.as_mut().filter(|_| !self.settings.journal_only) {
            persister.save(position.as_ref(), &self.following.reader.landmarks, completeness).await;
        }
    }
}
