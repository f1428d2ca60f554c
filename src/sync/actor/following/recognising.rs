//! Verifies that the feed is still the one that was followed. A server restored from a backup has a different feed after the
//! same position, and then everything has to be listed.

use std::sync::Arc;

use tokio::time::Instant;

use crate::remote::{Landmark, Remote, RemoteError};
use crate::sync::feed;
use crate::sync::message::{Event, Notice};
use crate::sync::report::Report;

use super::super::{Actor, Next, Stopped, Work};
use super::{Recognition, Suspect};

impl<R: Remote> Actor<R> {
    /// Verifies the feed by its landmarks.
    pub(super) fn recognise(&mut self, suspect: Suspect) {
        if matches!(self.following.identity.recognition, Recognition::Underway | Recognition::Pointless) {
            return;
        }
        let Some(position) = self.following.reader.position.clone() else { return };
        self.following.identity.recognition = Recognition::Underway;
        let (landmarks, next) = (self.following.identity.anchor.clone(), self.following.identity.newest.clone());
        let remote = Arc::clone(&self.tasks.remote);
        self.send_out(async move {
            let same = match feed::is_the_same(&*remote, &landmarks).await {
                Ok(true) if suspect == Suspect::EndsEarlier => {
                    feed::was_put_back(&*remote, &position).await.map(|back| !back)
                }
                same => same,
            };
            Report::Recognised { same, next }
        });
    }

    pub(in crate::sync::actor) async fn recognised(
        &mut self,
        result: Result<bool, RemoteError>,
        next: Vec<Landmark>,
    ) -> Result<(), Stopped> {
        if self.following.identity.recognition != Recognition::Underway {
            return Ok(());
        }
        self.following.identity.recognition = Recognition::Known(Instant::now());
        match result {
            Ok(true) => {
                self.following.identity.anchor = next;
                self.go_on_following().await
            }
            Ok(false) if self.following.has_feed() && !matches!(self.work, Work::Locating) => {
                tracing::warn!("the feed is not what it was");
                self.emit(Event::Noticed(Notice::FeedWentBack)).await?;
                self.lists.last.after_step_back = true;
                self.stop_list();
                self.locate().await
            }
            Ok(false) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "it could not be seen whether the feed is what it was");
                self.following.identity.recognition = Recognition::Wanted;
                if matches!(self.work, Work::Following) && !self.following.synchronised {
                    // At a start, nothing is reported as live before this is known.
                    return self.failed(error, Next::Follow).await;
                }
                self.go_on_following().await
            }
        }
    }

    /// A list after a failed verification found everything unchanged, so the feed just doesn't repeat its events reliably.
    pub(in crate::sync::actor) fn recognition_was_wrong(&mut self) {
        self.following.identity.recognition = Recognition::Pointless;
    }
}
