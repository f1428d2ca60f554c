//! An HTTP server with an in-memory implementation of the segment API, for trying out the program, tests and scripts.
//!
//! It follows the platform's documentation: paging, both headers, the synchronization feed with its contexts. Errors are
//! problem+json. What the documentation leaves open is set by [`Options`], so that a client can be tested against every plausible
//! behaviour. It shares only [`Segment`] with the client, so that each checks the other, and it listens only on the loopback
//! address.

mod colleague;
mod faults;
mod routes;
mod starters;
mod tenant;

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

pub use faults::{FaultTiming, InjectedFault, Request};
pub use tenant::{Actor, Change, ChangeRefused, ChangeRequest, DeletionPolicy, Fields};

/// Options of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The port on the loopback address; 0 lets the system pick one.
    pub port: u16,
    /// The tenant's name, which clients must send.
    pub tenant: String,
    /// The API key, which clients must send.
    pub api_key: String,
    /// The initial segments, instead of those of [`Options::segments`].
    pub load: Option<Vec<Segment>>,
    /// How many segments to generate; `None` for the wholesale tenant that comes with the program.
    pub segments: Option<usize>,
    /// How long every request waits before it is handled.
    pub latency: Duration,
    /// How many changes per second a simulated colleague makes.
    pub churn: f64,
    /// The share of requests, from 0 to 1, that fail at random: refused with 429 or 503, or the response is lost or cut short.
    pub trouble: f64,
    /// The seed for everything random.
    pub seed: u64,
    /// What happens to the children of a deleted segment.
    pub deletion: DeletionPolicy,
    /// Maximum entries per page, whatever is requested.
    pub page_cap: usize,
    /// Maximum events per response of the feed.
    pub feed_cap: usize,
    /// The format of a page of the list.
    pub list_form: ListForm,
}

/// The format of a page of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListForm {
    /// A bare array.
    #[default]
    Array,
    /// An object with `listElement` and `totalElement`, like the platform's list of users.
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

/// A running server. Stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    shutdown: CancellationToken,
    task: Option<JoinHandle<()>>,
    colleague: Option<AbortOnDrop>,
}

#[derive(Debug)]
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether a time can be written as an HTTP date, which every response has.
fn can_be_dated(timing: SystemTime) -> bool {
    const YEAR_9999: Duration = Duration::from_secs(253_370_764_800);
    timing.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since < YEAR_9999)
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
            (None, None) => starters::demo_wholesale().map_err(io::Error::other)?,
            (None, Some(count)) => starters::generated(count, options.seed),
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
        let shutdown = CancellationToken::new();
        let serve = axum::serve(listener, routes::router(Arc::clone(&shared)))
            .with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let task = tokio::spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!(%error, "the demo server has stopped");
            }
        });
        let colleague = (churn > 0.0).then(|| AbortOnDrop(tokio::spawn(colleague::run(Arc::clone(&shared), churn))));
        Ok(Self { address, shared, shutdown, task: Some(task), colleague })
    }

    /// Returns the URL of the server: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the tenant to send.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.shared.options.tenant
    }

    /// Returns the API key to send.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.shared.options.api_key
    }

    /// Returns the current segments, in the order of the list.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        self.lock().segments().cloned().collect()
    }

    /// Returns the current number of segments.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Makes a change as another actor.
    ///
    /// # Errors
    ///
    /// The same refusals as over HTTP.
    pub fn change(&self, actor: Actor, change: ChangeRequest) -> Result<SegmentId, ChangeRefused> {
        self.lock().apply(actor, change)
    }

    /// Plans a failure for the next matching request. Failures occur in the order planned.
    pub fn inject_fault(&self, fault: InjectedFault) {
        self.shared.fault_injector().plan(fault);
    }

    /// Discards planned failures that no request has matched yet.
    pub fn clear_faults(&self) {
        self.shared.fault_injector().end();
    }

    /// Returns all changes since the start, in order, whoever made them.
    #[must_use]
    pub fn history(&self) -> Vec<Change> {
        self.lock().history().to_vec()
    }

    /// Stops the simulated colleague.
    pub fn stop_churn(&mut self) {
        self.colleague = None;
    }

    /// Returns the number of events in the feed, counting from the creation of the first segment.
    #[must_use]
    pub fn events(&self) -> usize {
        self.lock().feed().len()
    }

    /// Returns the requests received so far; only the most recent ones if there are very many.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.fault_injector().requests()
    }

    /// Returns the maximum number of requests of a method that were in flight at once.
    #[must_use]
    pub fn max_in_flight(&self, method: &Method) -> usize {
        self.shared.fault_injector().max_in_flight(method)
    }

    /// Stops listening and waits until pending responses are sent.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
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
        self.shutdown.cancel();
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Locks a mutex. Poisoning is ignored, since guarded data is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
