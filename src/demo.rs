//! An HTTP server that implements the segment API in memory, for trying the program, for tests, and for anyone with a script.
//!
//! It follows the platform's documentation: paging, both headers, the synchronization feed with its contexts. Errors are
//! problem+json. What the documentation leaves open is chosen by [`Options`], so that a client can be shown every answer that
//! makes sense. It shares nothing but [`Segment`] with the client, so that each checks the other, and
//! it listens on this machine only.

mod colleague;
mod routes;
mod starters;
mod tenant;
mod trouble;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::http::Method;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::segment::{Segment, SegmentId};

use routes::Shared;
use tenant::Tenant;

pub use tenant::{Actor, Change, ChangeRequest, DeletionPolicy, Fields, WishRefused};
pub use trouble::{Moment, Request, Trouble};

/// What the server is like.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The port on the loopback address; 0 lets the system pick one.
    pub port: u16,
    /// The tenant's name, as clients have to send it.
    pub tenant: String,
    /// The key, as clients have to send it.
    pub api_key: String,
    /// The segments to begin with, instead of those of [`Options::segments`].
    pub load: Option<Vec<Segment>>,
    /// How many segments to make up; `None` for the wholesale tenant that comes with the program.
    pub segments: Option<usize>,
    /// How long every answer is held back.
    pub latency: Duration,
    /// How many changes a simulated colleague makes in a second.
    pub churn: f64,
    /// The share of requests, from 0 to 1, that meet trouble by chance: refused with 429 or 503, lost, or cut short.
    pub trouble: f64,
    /// For everything that is left to chance.
    pub seed: u64,
    /// What happens to the children of a segment that is deleted.
    pub deletion: DeletionPolicy,
    /// The most entries of a page, whatever is asked for.
    pub page_cap: usize,
    /// The most events of an answer of the feed.
    pub feed_cap: usize,
    /// How a page of the list is written.
    pub list_form: ListForm,
}

/// How a page of the list is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListForm {
    /// A bare array.
    #[default]
    Array,
    /// An object with `listElement` and `totalElement`, as the platform's list of users has it.
    Envelope,
}

impl Default for Options {
    /// The wholesale tenant on a port picked by the system, without a colleague.
    fn default() -> Self {
        Self {
            port: 0,
            tenant: "demo-wholesale".into(),
            api_key: "demo-key:not-a-secret".into(),
            load: None,
            segments: None,
            latency: Duration::ZERO,
            churn: 0.0,
            trouble: 0.0,
            seed: 1,
            deletion: DeletionPolicy::default(),
            page_cap: 10_000,
            feed_cap: 1_000,
            list_form: ListForm::default(),
        }
    }
}

/// A running server. It ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    ending: CancellationToken,
    serving: Option<JoinHandle<()>>,
    colleague: Option<AbortOnDrop>,
}

#[derive(Debug)]
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether a moment can be written as HTTP wants it: every answer bears its date.
fn can_be_dated(moment: SystemTime) -> bool {
    const YEAR_9999: Duration = Duration::from_secs(253_370_764_800);
    moment.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since < YEAR_9999)
}

impl Server {
    /// Starts a server on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// The port is taken, or the segments that come with the program can't be read.
    pub async fn start(mut options: Options) -> io::Result<Self> {
        let segments = match (options.load.take(), options.segments) {
            (Some(loaded), _) => loaded,
            (None, None) => starters::wholesale().map_err(io::Error::other)?,
            (None, Some(count)) => starters::made_up(count, options.seed),
        };
        if !can_be_dated(SystemTime::now()) {
            return Err(io::Error::other("the machine's clock is out of the range of HTTP dates; set it"));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let churn = options.churn;
        let mut tenant = Tenant::new(segments, options.deletion);
        tenant.seed(options.seed);
        let shared = Arc::new(Shared::new(tenant, options));
        let ending = CancellationToken::new();
        let serve = axum::serve(listener, routes::router(Arc::clone(&shared)))
            .with_graceful_shutdown(ending.clone().cancelled_owned());
        let serving = tokio::spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!(%error, "the demo server has stopped");
            }
        });
        let colleague = (churn > 0.0).then(|| AbortOnDrop(tokio::spawn(colleague::work(Arc::clone(&shared), churn))));
        Ok(Self { address, shared, ending, serving: Some(serving), colleague })
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The tenant to send.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.shared.options.tenant
    }

    /// The key to send.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.shared.options.api_key
    }

    /// What exists now, in the order of the list.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        self.lock().segments().cloned().collect()
    }

    /// How many segments exist now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Changes something as somebody else would.
    ///
    /// # Errors
    ///
    /// What the server would refuse over HTTP as well.
    pub fn change(&self, actor: Actor, wish: ChangeRequest) -> Result<SegmentId, WishRefused> {
        self.lock().grant(actor, wish)
    }

    /// The next requests that match will meet this trouble, in the order in which it was planned.
    pub fn plan(&self, trouble: Trouble) {
        self.shared.troubles().plan(trouble);
    }

    /// The trouble that was planned and that no request has met is forgotten.
    pub fn end_trouble(&self) {
        self.shared.troubles().end();
    }

    /// Everything that happened since it was started, in order, whoever did it.
    #[must_use]
    pub fn history(&self) -> Vec<Change> {
        self.lock().history().to_vec()
    }

    /// From now on nothing changes by itself.
    pub fn end_churn(&mut self) {
        self.colleague = None;
    }

    /// How many events the feed has, from the creation of the first segment on.
    #[must_use]
    pub fn events(&self) -> usize {
        self.lock().feed().len()
    }

    /// The requests that came so far; of very many, the last ones.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.troubles().requests()
    }

    /// How many requests of a method were ever in flight at once: come, and not answered yet.
    #[must_use]
    pub fn most_in_flight(&self, method: &Method) -> usize {
        self.shared.troubles().most_in_flight(method)
    }

    /// Stops listening and waits until the answers under way are given.
    pub async fn stop(mut self) {
        self.ending.cancel();
        if let Some(serving) = self.serving.take()
            && let Err(error) = serving.await
        {
            tracing::warn!(%error, "the demo server did not end well");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tenant> {
        self.shared.tenant()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.cancel();
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// What is behind a lock is never left half changed, so a panic elsewhere does no harm to it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
