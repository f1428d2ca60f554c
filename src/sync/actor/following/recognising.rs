//! Verifies that the feed is still the one that was followed. A server restored from a backup has a different feed after the
//! same position, and then everything has to be listed.

use std::sync::Arc;

use tokio::time::Instant;

use crate::remote::{Landmark, Remote, RemoteError};
use crate::sync::feed;
use crate::sync::message::{Event, Notice};
use crate::sync::report::Report;

use super::super::{Actor, NextWork, Stopped, Work};
use super::{Verification, VerifyReason};

impl<R: Remote> Actor<R> {
    /// Verifies the feed by its landmarks.
    pub(super) fn verify_feed(&mut self, reason: VerifyReason) {
        if matches!(self.following.identity.verification, Verification::InProgress | Verification::Disabled) {
            return;
        }
        let Some(position) = self.following.reader.position.clone() else { return };
        self.following.identity.verification = Verification::InProgress;
        let (landmarks, next) = (self.following.identity.anchor.clone(), self.following.identity.newest.clone());
        let remote = Arc::clone(&self.tasks.remote);
        self.spawn_task(async move {
            let is_same = match feed::has_all_landmarks(&*remote, &landmarks).await {
                Ok(true) if reason == VerifyReason::Rewind => {
                    feed::was_rewound(&*remote, &position).await.map(|rewound| !rewound)
                }
                is_same => is_same,
            };
            Report::FeedVerified { is_same, next }
        });
    }

    pub(in crate::sync::actor) async fn feed_verified(
        &mut self,
        result: Result<bool, RemoteError>,
        next: Vec<Landmark>,
    ) -> Result<(), Stopped> {
        if self.following.identity.verification != Verification::InProgress {
            return Ok(());
        }
        self.following.identity.verification = Verification::Verified(Instant::now());
        match result {
            Ok(true) => {
                self.following.identity.anchor = next;
                self.continue_following().await
            }
            Ok(false) if self.following.has_feed() && !matches!(self.work, Work::Locating) => {
                tracing::warn!("the feed is not what it was");
                self.emit(Event::Noticed(Notice::FeedRewound)).await?;
                self.lists.last.after_rewind = true;
                self.stop_list();
                self.locate().await
            }
            Ok(false) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "it could not be seen whether the feed is what it was");
                self.following.identity.verification = Verification::Pending;
                if matches!(self.work, Work::Following) && !self.following.synchronised {
                    // At a start, nothing is reported as live before this is known.
                    return self.failed(error, NextWork::Follow).await;
                }
                self.continue_following().await
            }
        }
    }

    /// A list after a failed verification found everything unchanged, so the feed just doesn't repeat its events reliably.
    pub(in crate::sync::actor) fn disable_verification(&mut self) {
        self.following.identity.verification = Verification::Disabled;
    }
}
