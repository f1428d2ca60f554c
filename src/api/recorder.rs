//! Reports the requests that are made to a reader, if there is one, without ever waiting for it. Of a long body, such as a page
//! of the list, only the beginning is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use secrecy::SecretString;
use tokio::sync::mpsc;

use super::mask;
use crate::remote::{Excerpt, Exchange};

/// Capacity of the queue: many times what a first list with several pages in flight produces while a frame is drawn.
const QUEUE_CAPACITY: usize = 256;
/// A body up to this length is kept whole: no request and no single segment is longer.
const MAX_WHOLE_BODY_LEN: usize = 16 * 1024;
/// How much is kept of a longer body. Hundreds of pages are kept at once, and the beginning of each is enough.
const EXCERPT_LEN: usize = 2 * 1024;

/// Where requests are reported. Clones report to the same reader.
#[derive(Debug, Clone)]
pub struct Recorder {
    sender: mpsc::Sender<Arc<Exchange>>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// A recorder, and the receiver for its requests. Requests that don't fit into the queue are dropped and counted.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Arc<Exchange>>) {
        let (sender, requests) = mpsc::channel(QUEUE_CAPACITY);
        (Self { sender, dropped: Arc::default() }, requests)
    }

    /// Reports a request. `exchange` is called only if the queue has room.
    pub(super) fn record(&self, exchange: impl FnOnce() -> Exchange) {
        match self.sender.try_reserve() {
            Ok(permit) => {
                let dropped = self.dropped.swap(0, Ordering::Relaxed);
                permit.send(Arc::new(Exchange { dropped, ..exchange() }));
            }
            Err(mpsc::error::TrySendError::Full(())) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Err(mpsc::error::TrySendError::Closed(())) => {}
        }
    }
}

/// The part of a body that is kept. The key is masked before the text is cut, so that no part of it is left at the cut.
pub(super) fn excerpt(body: &[u8], key: &SecretString) -> Excerpt {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_WHOLE_BODY_LEN)]);
    let mut text = mask::without_key(&text, key);
    if body.len() <= MAX_WHOLE_BODY_LEN {
        return Excerpt { text, bytes: body.len(), cut: 0 };
    }
    // The cut at `MAX_WHOLE_BODY_LEN` may leave a partial key at the end of the text, but that is far behind this point.
    let mut end = EXCERPT_LEN.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    Excerpt { cut: body.len() - end, text, bytes: body.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "first-half-of-it:second-half-of-it";

    fn excerpt_of(body: &str) -> Excerpt {
        excerpt(body.as_bytes(), &KEY.into())
    }

    #[test]
    fn a_short_body_is_kept_whole_and_a_long_one_is_cut() {
        assert_eq!(excerpt_of("{}"), Excerpt { text: "{}".into(), bytes: 2, cut: 0 });
        let whole = "x".repeat(MAX_WHOLE_BODY_LEN);
        assert!(!excerpt_of(&whole).is_cut());
        let long = "ł".repeat(MAX_WHOLE_BODY_LEN);
        let kept = excerpt_of(&long);
        assert!(kept.is_cut() && kept.text.len() <= EXCERPT_LEN);
        assert!(long.starts_with(&kept.text), "it is cut between characters");
        assert_eq!((kept.bytes, kept.text.len() + kept.cut), (long.len(), long.len()));
    }

    #[test]
    fn no_part_of_the_key_is_left_at_any_cut() {
        for at in 0..5 * KEY.len() {
            // Each key that is masked moves the following text forward.
            let body =
                format!("{}{}{KEY}{}", KEY.repeat(3), "x".repeat(EXCERPT_LEN - at), "y".repeat(MAX_WHOLE_BODY_LEN));
            let kept = excerpt_of(&body);
            assert!(!kept.text.contains("first"), "{at}: {}", &kept.text[kept.text.len() - 80..]);
        }
    }
}
