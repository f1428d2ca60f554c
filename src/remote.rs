//! The port to the server: the six calls of the API as a trait, what they answer, and how they fail.
//!
//! Whoever follows or changes the tree talks to [`Remote`] and knows no HTTP; the network is one implementation, a scripted
//! server in a test another. Errors are plain data: they say what was being done, compare equal, and know whether trying
//! again makes sense. A request is also told as the command that would make it, for other programs to use, and where the
//! browser shows a segment is an address with places. Where nothing may be changed, [`Guarded`] stands before the server and lets no write through.

mod base_url;
mod connect_error;
mod curl;
mod error;
mod exchange;
mod feed;
mod guarded;
mod header;
mod template;

use std::future::Future;

use crate::segment::{Draft, Segment, SegmentId, Step};

pub use base_url::{BaseUrl, BaseUrlFault, InsecureHttp};
pub use connect_error::{ConnectError, ObstacleKind, PROXY_LOGIN};
pub use curl::curl;
pub use error::{Call, Fault, NOT_HTTP, RemoteError};
pub use exchange::{Excerpt, Exchange};
pub use feed::{Changes, Context, Contexts, ContextsForm, FeedEvent, FeedEventKind, Landmark, Position};
pub use guarded::{Access, Guarded};
pub use header::fits_into_a_header;
pub use template::{TemplateFault, UrlTemplate};

/// The calls of the segment API. Every answer is final: retrying what may be repeated has already been done.
pub trait Remote: Send + Sync + 'static {
    /// One page of the list of all segments. Pages count from 1.
    fn page(&self, number: u32, size: u32) -> impl Future<Output = Result<Page, RemoteError>> + Send;

    /// One segment by its id, `None` when the server does not know it.
    fn one(&self, id: &SegmentId) -> impl Future<Output = Result<Option<Segment>, RemoteError>> + Send;

    /// What happened from the given step on, that step included; with `only`, what that one did. An answer may be only the
    /// first part: ask again from its `next` for as long as that advances.
    fn changes(&self, from: Step, only: Option<Context>) -> impl Future<Output = Result<Changes, RemoteError>> + Send;

    /// What happened from the given step on, whoever did it: also what the profile's contexts leave out. For finding a segment
    /// that was created here and whose id never came; to follow, there is [`Self::changes`].
    fn changes_by_anybody(&self, from: Step) -> impl Future<Output = Result<Changes, RemoteError>> + Send {
        self.changes(from, None)
    }

    /// Creates a segment and answers its id. Never repeated on its own: an error that
    /// [may have taken effect](Fault::may_have_taken_effect) leaves open whether the segment exists.
    fn create(&self, draft: &Draft) -> impl Future<Output = Result<SegmentId, RemoteError>> + Send;

    /// Replaces all fields of a segment.
    fn update(&self, id: &SegmentId, draft: &Draft) -> impl Future<Output = Result<(), RemoteError>> + Send;

    /// Deletes a segment. One that is already gone counts as deleted. What becomes of its children is the server's choice.
    fn delete(&self, id: &SegmentId) -> impl Future<Output = Result<(), RemoteError>> + Send;
}

/// One page of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The segments in the server's order.
    pub segments: Vec<Segment>,
    /// How many segments there are in all, where the server says so.
    pub total: Option<u64>,
    /// Entries that had no id and so can't be shown or addressed.
    pub unreadable: u32,
}
