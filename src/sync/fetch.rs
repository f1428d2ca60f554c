//! Looking at single segments.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::remote::{Call, Fault, Remote, RemoteError};
use crate::segment::SegmentId;

use super::message::FeedSource;
use super::segment_cache::{Fetched, SequenceCounter};

/// Asks for one segment. The question is numbered before it leaves. An answer that is about another segment is none.
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

/// Asks for several segments at once and answers in any order. What was answered is answered even when others failed; of the
/// failures one is told.
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
