//! Beginning with what an earlier run has stored, and keeping the store in step.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::remote::Remote;
use crate::segment::{Segment, SegmentId};
use crate::store::{Completeness, Snapshot};
use crate::sync::id_map::{Cached, IdMap};
use crate::sync::message::{Event, Notice, Phase, SegmentChange};
use crate::sync::persister::Persister;

use super::{Actor, Next, Stopped, Work};

impl<R: Remote> Actor<R> {
    /// Tells what was stored and goes on from there.
    pub(super) async fn restore(&mut self) -> Result<(), Stopped> {
        let Some(path) = self.settings.store.clone() else { return Ok(()) };
        let restored = Persister::open(path, self.tasks.reporter.clone()).await;
        self.keeper = restored.keeper;
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
        if let Some(keeper) = &mut self.keeper {
            keeper.go_on_from(&snapshot).await;
        }
        // Any answer of the server is newer than what was stored.
        let asked = self.tasks.questions.next();
        let Snapshot { segments, position, landmarks, .. } = snapshot;
        // Beside the tree it would take the memory's time from it, and a person waits for that only.
        let known =
            spawn_blocking(move || segments.into_iter().map(|segment| Cached { segment, asked }).collect::<IdMap>());
        // It ends by nothing but a panic, which is told by the panic hook.
        self.cache.begin_with(known.await.map_err(|_| Stopped::ByTask)?);
        self.lists.listed = true;
        let Some(position) = position else {
            // Without a position there is nothing to follow from, so everything is listed behind what is shown.
            return Ok(());
        };
        self.follow_stored(position.regrouped(&self.settings.origins), landmarks);
        self.lists.last.restored(completeness == Completeness::Complete);
        self.work = Work::Resting { until: Instant::now(), then: Next::Follow };
        self.enter(Phase::Replaying).await
    }

    /// Notes for the store that a segment is different now.
    pub(super) fn note(&mut self, id: &SegmentId, now: Option<&Arc<Segment>>) {
        if let Some(keeper) = self.keeper.as_mut().filter(|_| !self.settings.journal_only) {
            keeper.note(id.clone(), now.cloned());
        }
    }

    /// Lets the store have what a list came to: everything, or what it has otherwise than the store.
    pub(super) async fn keep_list(&mut self, different: &[SegmentChange]) {
        let settled = self.kept_position().cloned();
        let Some(keeper) = self.keeper.as_mut().filter(|_| !self.settings.journal_only) else { return };
        if keeper.has_all() {
            for seen in different {
                keeper.note(seen.id.clone(), seen.now.clone());
            }
        } else {
            let segments = self.cache.segments().cloned().collect();
            keeper.replace(segments, settled.as_ref(), &self.following.reader.landmarks).await;
        }
    }

    /// Lets the store know that everything up to the position was noted.
    pub(super) async fn keep(&mut self) {
        let settled = self.kept_position().cloned();
        // What is set apart is told wrongly until it is read; and the next start doesn't know how long ago the list ended, so it
        // couldn't doubt it for what the feed tells late.
        let completeness = match &self.lists.last {
            last if !last.is_complete() => Completeness::Incomplete,
            last if last.is_certain() && !self.following.sets_apart() => Completeness::Complete,
            _ => Completeness::Unconfirmed,
        };
        if let Some(keeper) = self.keeper.as_mut().filter(|_| !self.settings.journal_only) {
            keeper.advance(settled.as_ref(), &self.following.reader.landmarks, completeness).await;
        }
    }
}
