//! Fetches single segments.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::remote::{Call, Fault, Remote, RemoteError};
use crate::segment::SegmentId;

use super::message::FeedSource;
use super::segment_cache::{Fetched, SequenceCounter};

/// Fetches one segment. The sequence number is taken before the request is sent. A response about another segment is an
/// error.
pub(super) async fn fetch<R: Remote>(
    remote: &R,
    sequence: &SequenceCounter,
    id: SegmentId,
    feed_source: FeedSource,
) -> Result<Fetched, RemoteError> {
    let seq = sequence.next();
    let now = remote.one(&id).await?.map(Arc::new);
    if let Some(other) = now.as_ref().filter(|segment| segment.id != id) {
        let reason = format!("it is about segment {} instead", other.id);
        return Err(RemoteError { call: Call::One(id), fault: Fault::InvalidResponse { reason } });
    }
    Ok(Fetched { id, now, seq, feed_source })
}

/// Fetches several segments concurrently, in any order. Responses are returned even if other requests failed, with one of the
/// failures.
pub(super) async fn fetch_many<R: Remote>(
    remote: &R,
    sequence: &SequenceCounter,
    ids: Vec<SegmentId>,
    concurrency: usize,
) -> (Vec<Fetched>, Option<RemoteError>) {
    let (mut responses, mut failure) = (Vec::with_capacity(ids.len()), None);
    let fetches = stream::iter(ids).map(|id| fetch(remote, sequence, id, FeedSource::default()));
    let mut fetches = fetches.buffer_unordered(concurrency.max(1));
    while let Some(result) = fetches.next().await {
        match result {
            Ok(response) => responses.push(response),
            Err(error) => failure = Some(error),
        }
    }
    (responses, failure)
}
