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
    questions: &SequenceCounter,
    id: SegmentId,
    mention: FeedSource,
) -> Result<Fetched, RemoteError> {
    let asked = questions.next();
    let now = remote.one(&id).await?.map(Arc::new);
    if let Some(other) = now.as_ref().filter(|segment| segment.id != id) {
        let reason = format!("it is about segment {} instead", other.id);
        return Err(RemoteError { call: Call::One(id), fault: Fault::InvalidResponse { reason } });
    }
    Ok(Fetched { id, now, asked, mention })
}

/// Fetches several segments concurrently, in any order. Responses are returned even if other requests failed, with one of the
/// failures.
pub(super) async fn fetch_many<R: Remote>(
    remote: &R,
    questions: &SequenceCounter,
    ids: Vec<SegmentId>,
    at_once: usize,
) -> (Vec<Fetched>, Option<RemoteError>) {
    let (mut answers, mut failure) = (Vec::with_capacity(ids.len()), None);
    let looks = stream::iter(ids).map(|id| fetch(remote, questions, id, FeedSource::default()));
    let mut looks = looks.buffer_unordered(at_once.max(1));
    while let Some(result) = looks.next().await {
        match result {
            Ok(answer) => answers.push(answer),
            Err(error) => failure = Some(error),
        }
    }
    (answers, failure)
}
