//! Looking at single segments, several at a time.

use std::sync::Arc;

use futures::{StreamExt, stream};

use crate::remote::{Remote, RemoteError};
use crate::segment::SegmentId;

use super::ledger::{Answer, Questions};
use super::message::Mention;

/// Asks for one segment. The question is numbered before it leaves.
pub(super) async fn look<R: Remote>(
    remote: &R,
    questions: &Questions,
    id: SegmentId,
    mention: Mention,
) -> Result<Answer, RemoteError> {
    let asked = questions.next();
    let now = remote.one(&id).await?.map(Arc::new);
    Ok(Answer { id, now, asked, mention })
}

/// Asks for several segments and answers in their order. What was answered is answered even when others failed; of the failures the first is told.
pub(super) async fn look_at_all<R: Remote>(
    remote: &R,
    questions: &Questions,
    ids: Vec<(SegmentId, Mention)>,
    at_once: usize,
) -> (Vec<Answer>, Option<RemoteError>) {
    let mut answers = Vec::with_capacity(ids.len());
    let mut failure = None;
    let mut looks =
        stream::iter(ids).map(|(id, mention)| look(remote, questions, id, mention)).buffered(at_once.max(1));
    while let Some(result) = looks.next().await {
        match result {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    (answers, failure)
}
