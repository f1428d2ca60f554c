//! The port to the server: the calls of the API as a trait, their results, and how they fail.
//!
//! Code that follows or changes the tree uses [`Remote`] and knows nothing of HTTP; the HTTP client is one implementation, a
//! scripted server in a test another. Errors are plain data: they say what was being done, can be compared, and know whether a
//! retry makes sense. A request can also be shown as a `curl` command, and a template gives the URL where the browser shows a
//! segment. In read-only mode, [`Guarded`] wraps the server and lets no write through.

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
pub use header::is_valid_header_value;
pub use template::{TemplateFault, UrlTemplate};

/// The calls of the segment API. Every result is final: whatever may be retried has already been retried.
pub trait Remote: Send + Sync + 'static {
    /// One page of the list of all segments. Pages count from 1.
    fn page(&self, number: u32, size: u32) -> impl Future<Output = Result<Page, RemoteError>> + Send;

    /// One segment by its id; `None` if the server does not know it.
    fn one(&self, id: &SegmentId) -> impl Future<Output = Result<Option<Segment>, RemoteError>> + Send;

    /// The events from the given step on, that step included; with `only`, those of that context. A response may be only the
    /// first part: ask again from its `next` for as long as that advances.
    fn changes(&self, from: Step, only: Option<Context>) -> impl Future<Output = Result<Changes, RemoteError>> + Send;

    /// The events from the given step on, whoever caused them, including those that the profile's contexts exclude. Used to find
    /// a segment that was created here but whose id never arrived; to follow the feed, use [`Self::changes`].
    fn changes_by_anybody(&self, from: Step) -> impl Future<Output = Result<Changes, RemoteError>> + Send {
        self.changes(from, None)
    }

    /// Creates a segment and returns its id. Never retried automatically after it may have been sent: an error that
    /// [may have taken effect](Fault::may_have_taken_effect) leaves open whether the segment exists.
    fn create(&self, draft: &Draft) -> impl Future<Output = Result<SegmentId, RemoteError>> + Send;

    /// Replaces all fields of a segment.
    fn update(&self, id: &SegmentId, draft: &Draft) -> impl Future<Output = Result<(), RemoteError>> + Send;

    /// Deletes a segment. A segment that is already gone counts as deleted. What happens to its children is up to the server.
    fn delete(&self, id: &SegmentId) -> impl Future<Output = Result<(), RemoteError>> + Send;
}

/// One page of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The segments in the server's order.
    pub segments: Vec<Segment>,
    /// The total number of segments, if the server reports it.
    pub total: Option<u64>,
    /// Entries that can't be shown or addressed, because they have no id or a text that is too long.
    pub unreadable: u32,
}
