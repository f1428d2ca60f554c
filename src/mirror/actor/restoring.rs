//! Beginning with what an earlier run has stored, and keeping the store in step.

use std::sync::Arc;

use tokio::time::Instant;

use crate::mirror::keeper::Keeper;
use crate::mirror::message::{Event, Phase};
use crate::remote::Remote;
use crate::segment::{Segment, SegmentId};
use crate::store::Snapshot;

use super::{Abandoned, Actor, Next, Trust, Work};

impl<R: Remote> Actor<R> {
    /// Tells what was stored and goes on from there.
    pub(super) async fn restore(&mut self) -> Result<(), Abandoned> {
        let Some(path) = self.settings.store.clone() else { return Ok(()) };
        let restored = Keeper::open(path, self.reporter.clone()).await;
        self.keeper = restored.keeper;
        if let Some(notice) = restored.notice {
            self.tell(Event::Noticed(notice)).await?;
        }
        let Some(Snapshot { segments, position, saved, complete }) = restored.snapshot else { return Ok(()) };
        tracing::info!(segments = segments.len(), %saved, complete, "restored");
        // Whoever listens can begin with them while they are put in order here.
        self.tell(Event::Restored { segments: segments.clone(), saved }).await?;
        // Any answer of the server is newer than what was stored.
        self.ledger.begin_with(segments, self.questions.next());
        self.listed = true;
        let Some(position) = position else {
            // Without a position there is nothing to follow from, so everything is listed behind what is shown.
            return Ok(());
        };
        self.position = Some(position.regrouped(&self.settings.origins));
        self.last_list.trust = if complete { Trust::Complete } else { Trust::Doubtful };
        self.work = Work::Resting { until: Instant::now(), then: Next::Follow };
        self.enter(Phase::Replaying).await
    }

    /// Notes for the store that a segment is different now.
    pub(super) fn note(&mut self, id: &SegmentId, now: Option<&Arc<Segment>>) {
        if let Some(keeper) = &mut self.keeper {
            keeper.note(id.clone(), now.cloned());
        }
    }

    /// Lets the store know that everything up to the position was noted.
    pub(super) async fn keep(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.advance(self.position.as_ref(), self.last_list.trust == Trust::Complete).await;
        }
    }
}
